package hubspot

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

const (
	// urlLimit is how long a path with its query may be; about this was measured.
	urlLimit = 16_200
	// bodyLimit bounds what a call may send: a batch of 100 long records fits.
	bodyLimit = 20 << 20
)

// call is one API call on its way through its handler. The handler writes the
// body into out and returns the status, or it returns a problem.
type call struct {
	s       *Server
	request *http.Request
	route   *route
	version string // v3, v4, 2026-03, 2026-09
	args    []string
	query   url.Values
	token   *token
	// table, from and to are the object types that the path names.
	table, from, to *table
	out             encoder
	// partial, where it is not 0, refuses every second input of a batch of writes; it
	// picks which.
	partial int
	header  http.Header
	started int64
}

type handler func(*call) (status int, refused *problem)

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 32<<10); return &b }}

// serveAPI is the one place that answers API calls.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	buffer := buffers.Get().(*[]byte)
	c := &call{s: s, request: r, header: w.Header(), out: encoder{b: (*buffer)[:0]}}
	correlation := s.correlationID()
	setHeader(c.header, "X-Hubspot-Correlation-Id", correlation)
	setHeader(c.header, "X-Request-Id", correlation)
	setHeader(c.header, "Vary", "origin, Accept-Encoding")

	verdict, status, refused := c.answer()
	if verdict.Latency > 0 && !wait(r, verdict.Latency-verdict.Latency/2) {
		panic(http.ErrAbortHandler) // the caller has gone
	}
	if verdict.Kind == faults.CutAfter {
		s.calls.count(c.route, 0, "")
		panic(http.ErrAbortHandler)
	}
	if refused != nil {
		status = refused.status
		for _, h := range refused.headers {
			setHeader(c.header, h[0], h[1])
		}
		c.out.b = c.out.b[:0]
		switch {
		case refused.oauthStatus != "":
			c.out.oauthProblem(refused, correlation, c.version == "", c.s.today())
		case refused.html == "":
			c.out.problem(refused, correlation)
		}
	}
	policyName := ""
	if refused != nil {
		policyName = refused.policyName
	}
	s.calls.count(c.route, status, policyName)
	if c.token != nil {
		c.token.app.log.add(callEntry{s.clock.Now(), status, r.Method, r.URL.Path, r.UserAgent()})
	}
	switch {
	case refused != nil && refused.html != "":
		setHeader(c.header, "Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, refused.html)
	case status == http.StatusNoContent:
		w.WriteHeader(status)
	default:
		setHeader(c.header, "Content-Type", "application/json;charset=utf-8")
		setHeader(c.header, "Content-Length", strconv.Itoa(len(c.out.b)))
		w.WriteHeader(status)
		_, _ = w.Write(c.out.b) // a caller that has gone is no concern of ours
	}
	if cap(c.out.b) <= 1<<20 { // a huge answer's buffer is not worth keeping
		*buffer = c.out.b
		buffers.Put(buffer)
	}
}

func setHeader(h http.Header, name, value string) { h[name] = []string{value} }

// answer finds the route, checks the token, the limits and the scopes, lets the
// dials have their way, and runs the handler.
func (c *call) answer() (verdict faults.Verdict, status int, refused *problem) {
	s, r := c.s, c.request
	if refused = c.findRoute(); refused != nil {
		return verdict, 0, refused
	}
	verdict = s.dials.Draw("hubspot", r.Method, r.URL.Path)
	if verdict.Latency > 0 && !wait(r, verdict.Latency/2) {
		panic(http.ErrAbortHandler)
	}
	if verdict.Kind == faults.CutBefore {
		s.calls.count(c.route, 0, "")
		panic(http.ErrAbortHandler)
	}
	switch c.route.policy {
	case uncounted:
	case developing:
		if refused = c.authenticateDeveloper(); refused != nil {
			return verdict, 0, refused
		}
	default:
		if refused = c.authenticate(); refused != nil {
			return verdict, 0, refused
		}
		if refused = s.limits.admit(c.route.policy, c.token, s.config.PortalID, c.header); refused != nil {
			return verdict, 0, refused
		}
	}
	if refused = c.fault(verdict); refused != nil {
		return verdict, 0, refused
	}
	if refused = c.resolveTypes(); refused != nil {
		return verdict, 0, refused
	}
	if c.route.scope != nil {
		if refused = c.route.scope(c); refused != nil {
			return verdict, 0, refused
		}
	}
	c.started = s.nowMillis()
	status, refused = c.route.handle(c)
	return verdict, status, refused
}

// fault is the answer that a dial asks for, if any.
func (c *call) fault(v faults.Verdict) *problem {
	switch v.Kind {
	case faults.TooMany:
		if c.token != nil {
			return tenSecondlyProblem(c.token, c.s.config.PortalID)
		}
		if c.route.pattern == "oauth/token" || c.route.pattern == "oauth/v1/token" {
			return tooMany("", "You have reached your rate limit.", "")
		}
	case faults.ServerError:
		switch (v.Nth - 1) % 4 {
		case 0:
			return &problem{status: http.StatusInternalServerError, message: "internal error"}
		case 1:
			return &problem{status: http.StatusBadGateway, message: "bad gateway",
				html: "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>cloudflare</center></body></html>\n"}
		case 2:
			return &problem{status: http.StatusServiceUnavailable, message: "Service unavailable", category: "INTERNAL_ERROR"}
		default:
			return &problem{status: http.StatusGatewayTimeout, message: "Gateway timeout", category: "INTERNAL_ERROR"}
		}
	case faults.Locked:
		if c.route.write {
			return &problem{status: http.StatusLocked, category: "CONFLICT", message: "The resource is locked by another operation. Try again in a few seconds."}
		}
	case faults.Partial:
		c.partial = v.Nth
	case faults.Expired:
		return expired(c.s.clock.Now(), c.s.clock.Now().Add(-75*time.Second))
	}
	return nil
}

// wait sleeps, and reports false when the caller went away meanwhile.
func wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (c *call) authenticate() *problem {
	s := c.s
	header := c.request.Header.Get("Authorization")
	if header == "" {
		if keys, given := c.request.URL.Query()["hapikey"]; given {
			s.mu.RLock()
			t := s.tokens[keys[0]]
			s.mu.RUnlock()
			if t != nil && t.Kind == APIKey && !t.Revoked && !t.expiredBy(s.clock.Now()) && s.APIKeysWork() {
				c.token = t
				return nil
			}
			return &problem{status: http.StatusUnauthorized, category: "INVALID_AUTHENTICATION",
				message: "The API key provided is invalid. View or manage your API key here: https://app.hubspot.com/l/api-key/",
				links:   [][2]string{{"api key", "https://app.hubspot.com/l/api-key/"}}}
		}
		return s.noCredentials()
	}
	text := bearer(header)
	if text == "" {
		return s.noCredentials()
	}
	s.mu.RLock()
	t := s.tokens[text]
	s.mu.RUnlock()
	switch {
	case (t == nil || t.Kind == APIKey) && !strings.HasPrefix(text, "pat-"): // not even shaped like a token: its "expiry" reads as the epoch
		return expired(s.clock.Now(), time.Unix(0, 0))
	case t == nil || t.Revoked:
		return s.noCredentials()
	case t.expiredBy(s.clock.Now()):
		return expired(s.clock.Now(), t.ExpiredAt)
	}
	c.token = t
	return nil
}

// authenticateDeveloper wants the developer's key, which no bearer can replace.
func (c *call) authenticateDeveloper() *problem {
	if key := c.request.URL.Query().Get("hapikey"); key != "" && key == c.s.DeveloperKey() {
		return nil
	}
	return &problem{status: http.StatusUnauthorized, category: "INVALID_AUTHENTICATION",
		message: "The API key used to make this call is missing or not a developer's. This call takes the developer API key as hapikey.",
		links:   [][2]string{{"webhooks", "https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide"}}}
}

func (s *Server) noCredentials() *problem {
	supports := "OAuth 2.0"
	if s.APIKeysWork() {
		supports = "both API Key and OAuth 2.0"
	}
	return &problem{status: http.StatusUnauthorized, category: "INVALID_AUTHENTICATION",
		message: "Authentication credentials not found. This API supports " + supports + " authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"}
}

func expired(now, at time.Time) *problem {
	ago := now.Sub(at)
	text := strconv.Itoa(int(ago/time.Second)) + " second(s)"
	if days := int(ago / (24 * time.Hour)); days > 0 {
		text = strconv.Itoa(days) + " day(s)"
	}
	return &problem{status: http.StatusUnauthorized, category: "EXPIRED_AUTHENTICATION",
		message: "The OAuth token used to make this call expired " + text + " ago.",
		context: []contextEntry{{"expire time", []string{formatMillis(at.UnixMilli())}}}}
}

// arg returns what the path has in the place of {name}.
func (c *call) arg(name string) string {
	for i, n := range c.route.names {
		if n == name {
			return c.args[i]
		}
	}
	return ""
}

// parsedQuery returns the query, parsed once.
func (c *call) parsedQuery() url.Values {
	if c.query == nil {
		c.query = c.request.URL.Query()
	}
	return c.query
}

// list reads an array parameter, repeated, comma-separated or both.
func (c *call) list(name string) []string {
	var out []string
	for _, v := range c.parsedQuery()[name] {
		for item := range strings.SplitSeq(v, ",") {
			if item = strings.TrimSpace(item); item != "" {
				out = append(out, item)
			}
		}
	}
	return out
}

func (c *call) flag(name string) bool { return strings.EqualFold(c.parsedQuery().Get(name), "true") }

// limit reads the page size.
func (c *call) limit(otherwise, most int) (int, *problem) {
	v := c.parsedQuery().Get("limit")
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	switch {
	case err != nil:
		return 0, invalid("Invalid value for limit: %q is not a number", v)
	case n < 1:
		return 0, invalid("limit must be at least 1")
	case n > most:
		return 0, invalid("The maximum limit is %d, got %d", most, n)
	}
	return n, nil
}

// writer says who this call writes as.
func (c *call) writer() writer { return writer{by: c.token.by, version: c.version} }

// decode reads the body, which must be JSON.
func (c *call) decode(v any) *problem {
	body, refused := c.body()
	if refused != nil {
		return refused
	}
	return parse(body, v)
}

func (c *call) body() ([]byte, *problem) {
	kind, _, _ := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if kind != "application/json" {
		return nil, &problem{status: http.StatusUnsupportedMediaType, message: "HTTP 415 Unsupported Media Type"}
	}
	body, err := io.ReadAll(io.LimitReader(c.request.Body, bodyLimit+1))
	if err != nil {
		return nil, invalidBody("on line 1, column 1: the body ended early")
	}
	if len(body) > bodyLimit {
		return nil, &problem{status: http.StatusRequestEntityTooLarge, message: "HTTP 413 Request Entity Too Large"}
	}
	return body, nil
}

var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

func parse(body []byte, v any) *problem {
	err := json.Unmarshal(body, v, lenient)
	if err == nil {
		return nil
	}
	at, why := int64(0), "unexpected input"
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		at, why = syntax.ByteOffset, syntax.Err.Error()
	case errors.As(err, &semantic):
		at = semantic.ByteOffset
		why = "Cannot deserialize the value of " + string(semantic.JSONPointer)
	}
	line, column := 1, 1
	for _, b := range body[:min(int(at), len(body))] {
		column++
		if b == '\n' {
			line, column = line+1, 1
		}
	}
	return invalidBody("on line " + strconv.Itoa(line) + ", column " + strconv.Itoa(column) + ": " + why)
}

// correlationID makes a time-ordered UUID; its random half comes from the seed.
func (s *Server) correlationID() string {
	x := s.trace.Add(0x9e3779b97f4a7c15)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(s.nowMillis())<<16|x&0xfff|0x7000)
	binary.BigEndian.PutUint64(raw[8:], x>>2|0x8000000000000000)
	var text [36]byte
	hex.Encode(text[:8], raw[:4])
	text[8] = '-'
	hex.Encode(text[9:13], raw[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], raw[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], raw[8:10])
	text[23] = '-'
	hex.Encode(text[24:], raw[10:])
	return string(text[:])
}
