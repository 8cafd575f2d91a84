package salesforce

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

const (
	// URI, and URI with headers, may have this many bytes.
	// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/
	uriLimitBytes  = 16_384
	bodyLimitBytes = 50 << 20
	// Smaller answers are sent as they are: over loopback packing costs more than it saves.
	gzipFromBytes = 128 << 10
)

// ServeHTTP answers one request: the adapter between handlers and the network.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isGRPC(r) {
		s.servePubSub(w, r)
		return
	}
	method := r.Method
	params := parameters(r.URL.RawQuery)
	if override := params.Get("_HttpMethod"); override != "" && method == http.MethodPost {
		method = strings.ToUpper(override)
	}
	rt, values, allowed := s.routes.find(method, r.URL.EscapedPath())
	if rt != nil && rt.purpose == forPages {
		s.servePage(w, r, rt, values)
		return
	}
	verdict := s.dials.Draw("salesforce", method, r.URL.Path)
	if verdict.Latency > 0 && !pause(r.Context(), verdict.Latency) {
		panic(http.ErrAbortHandler)
	}
	if verdict.Kind == faults.CutBefore {
		panic(http.ErrAbortHandler)
	}
	c := &call{
		server: s, method: method, path: r.URL.EscapedPath(), host: r.Host, params: values,
		query: params, header: r.Header, locked: verdict.Kind == faults.Locked, cost: 1,
	}
	if verdict.Kind == faults.Partial {
		c.partial = verdict.Nth
	}
	answered := s.answer(c, r, rt, allowed, verdict)
	if verdict.Kind == faults.CutAfter {
		panic(http.ErrAbortHandler)
	}
	s.send(w, r, c, rt, answered)
}

// parameters reads a query string; a bare semicolon is text, as on the platform.
func parameters(raw string) url.Values {
	values, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
	if err != nil && values == nil {
		return url.Values{}
	}
	return values
}

// pause waits for d or until the request ends; it says whether the wait was whole.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// answer finds out what to say, from the body's size to the handler.
func (s *Server) answer(c *call, r *http.Request, rt *route, allowed []string, verdict faults.Verdict) *reply {
	if faulty := injected(verdict); faulty != nil {
		return faulty
	}
	if size := len(r.URL.RequestURI()); size > uriLimitBytes {
		return refusal(plain(http.StatusRequestURITooLong, "URI_TOO_LONG", "The length of the URI exceeds the 16,384-byte limit."))
	} else if size+headerBytes(r.Header) > uriLimitBytes {
		return refusal(plain(http.StatusRequestHeaderFieldsTooLarge, "REQUEST_HEADER_FIELDS_TOO_LARGE", "The combined length of the URI and headers exceeds the 16,384-byte limit."))
	}
	if rt == nil {
		return s.noRoute(c, allowed)
	}
	if problem := c.readBody(r); problem != nil {
		return refusal(problem)
	}
	if v := c.params["v"]; v != "" && rt.purpose != forSignIn && rt.purpose != forSOAP {
		n, problem := parseVersion(v)
		if problem != nil {
			return refusal(problem)
		}
		c.version = n
	}
	if rt.purpose == forAnyone || rt.purpose == forSignIn || rt.purpose == forSOAP {
		return s.run(c, rt)
	}
	if problem := s.authorize(c, verdict.Kind == faults.Expired, rt.purpose == forIdentity); problem != nil {
		return problem
	}
	if rt.purpose != forIdentity {
		if c.body != nil && (rt.purpose == forWriting || rt.purpose == forComposite) {
			if problem := jsonOnly(c.header.Get("Content-Type")); problem != nil {
				return refusal(problem)
			}
		}
		if _, fitted := s.usage.spend(c.cost, s.dailyLimit, s.nowSeconds()); !fitted {
			return refusal(limitExceeded())
		}
	}
	return s.run(c, rt)
}

func limitExceeded() *failure {
	return plain(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}

// run calls the handler under the right lock.
func (s *Server) run(c *call, rt *route) *reply {
	if s.binIsDue() {
		s.mu.Lock()
		s.sweepBin()
		s.mu.Unlock()
	}
	if !rt.exclusive() {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.handle(c, rt)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.tx = s.begin(c.user)
	if s.watching {
		c.tx.origin = c.changeOrigin()
	}
	done := s.handle(c, rt)
	c.tx.commit()
	return done
}

// handle calls the handler and turns an error into its answer.
func (s *Server) handle(c *call, rt *route) *reply {
	done, err := rt.handle(c)
	if err != nil {
		return refusal(err)
	}
	return done
}

// refusal is the answer that an error makes.
func refusal(err error) *reply {
	var one *failure
	var many failures
	var oauth *oauthError
	switch {
	case errors.As(err, &one):
		return answer(one.status, failures{one}.body("errorCode"))
	case errors.As(err, &many):
		return answer(many[0].status, many.body("errorCode"))
	case errors.As(err, &oauth):
		return oauth.reply()
	}
	return answer(http.StatusInternalServerError, failures{plain(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred: "+err.Error())}.body("errorCode"))
}

// noRoute answers paths and methods that do not exist.
func (s *Server) noRoute(c *call, allowed []string) *reply {
	if len(allowed) > 0 {
		return refusal(plain(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED",
			"HTTP Method '"+c.method+"' not allowed. Allowed are "+strings.Join(allowed, ","))).with("Allow", strings.Join(allowed, ","))
	}
	if segments := split(c.path); len(segments) > 2 && segments[0] == "services" && segments[1] == "data" {
		if _, problem := parseVersion(segments[2]); problem != nil {
			return refusal(problem)
		}
	}
	return refusal(notFound())
}

// authorize finds the session; it returns the refusal when there is none.
func (s *Server) authorize(c *call, expired, plainText bool) *reply {
	token := bearer(c.header.Get("Authorization"))
	if plainText && token == "" {
		token = c.query.Get("oauth_token")
	}
	if token != "" && !expired {
		c.session = s.sessions.use(token, s.nowSeconds())
	}
	if c.session != nil {
		s.mu.RLock()
		active, noAPI := s.userActive(c.session.user), c.session.user.noAPI
		s.mu.RUnlock()
		if active {
			c.user = c.session.user
			switch {
			case plainText:
				return nil
			case !c.session.mayCallAPI():
				return refusal(plain(http.StatusUnauthorized, "INVALID_SESSION_ID", "This session is not valid for use with the REST API"))
			case noAPI:
				return refusal(plain(http.StatusForbidden, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."))
			}
			return nil
		}
	}
	if expired && token != "" {
		s.sessions.revoke(token)
	}
	if plainText {
		r := answer(http.StatusForbidden, []byte("Bad_OAuth_Token"))
		if token == "" {
			r.body = []byte("Missing_OAuth_Token")
		}
		r.contentType = "text/html;charset=UTF-8"
		return r
	}
	if token == "" && c.header.Get("Authorization") != "" {
		return refusal(plain(http.StatusUnauthorized, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"))
	}
	return refusal(plain(http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid")).with("WWW-Authenticate", "Token")
}

func (s *Server) userActive(u *user) bool {
	o := s.object("User")
	r := o.find(u.id)
	return r != nil && r.get(o.byName["isactive"]).isTrue()
}

// bearer takes the token out of an Authorization header.
func bearer(header string) string {
	scheme, token, _ := strings.Cut(strings.TrimSpace(header), " ")
	if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "OAuth") {
		return strings.TrimSpace(token)
	}
	return ""
}

func headerBytes(h http.Header) int {
	n := 0
	for k, list := range h {
		for _, v := range list {
			n += len(k) + len(v) + 4
		}
	}
	return n
}

func jsonOnly(contentType string) *failure {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if media == "" || media == "application/json" {
		return nil
	}
	return plain(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Content type "+media+" not supported. Use application/json.")
}

func (c *call) readBody(r *http.Request) *failure {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	var from io.Reader = http.MaxBytesReader(nil, r.Body, bodyLimitBytes)
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return plain(http.StatusBadRequest, "UNKNOWN_EXCEPTION", "The request body is not in gzip format.")
		}
		from = io.LimitReader(unpacked, bodyLimitBytes+1)
	}
	var b bytes.Buffer
	if n := r.ContentLength; n > 0 && n < bodyLimitBytes {
		b.Grow(int(n) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(from); err != nil || b.Len() > bodyLimitBytes {
		return plain(http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE", "The request body is larger than 50 MB or ended early.")
	}
	if b.Len() > 0 {
		c.body = b.Bytes()
	}
	return nil
}

// injected is the answer of a fault that needs no handler.
func injected(v faults.Verdict) *reply {
	switch v.Kind {
	case faults.TooMany:
		return refusal(limitExceeded())
	case faults.ServerError:
		switch (v.Nth - 1) % 4 {
		case 0:
			return refusal(plain(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345 (123456789)"))
		case 1:
			r := answer(502, []byte("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"))
			r.contentType = "text/html;charset=UTF-8"
			return r
		case 2:
			return refusal(plain(503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable. Try again later."))
		}
		return refusal(plain(504, "SERVER_UNAVAILABLE", "The server did not answer in time. Try again later."))
	}
	return nil
}

var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err)
	}
	return w
}}

// send writes the answer.
func (s *Server) send(w http.ResponseWriter, r *http.Request, c *call, rt *route, a *reply) {
	h := w.Header()
	if rt != nil {
		counted := c.cost
		if rt.purpose <= forIdentity && !c.soapWrite || c.user == nil {
			counted = 0
		}
		s.tally.count(c, rt, a.status, counted)
		if rt.purpose > forIdentity {
			used, _ := s.usage.spend(0, s.dailyLimit, s.nowSeconds())
			h.Set("Sforce-Limit-Info", "api-usage="+strconv.Itoa(used)+"/"+strconv.Itoa(s.dailyLimit))
		}
	}
	for k, v := range a.header {
		h.Set(k, v)
	}
	body := a.body
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	} else if len(body) > 0 {
		h.Set("Content-Type", "application/json;charset=UTF-8")
		if p := r.Header.Get("X-PrettyPrint"); p == "1" || strings.EqualFold(p, "true") {
			body = prettyPrint(body)
		}
	}
	if c.version > 0 && c.version < 41 {
		h.Set("Warning", fmt.Sprintf(`299 - "This API is scheduled for retirement. Version %d.0 is no longer supported."`, c.version))
	}
	if len(body) >= gzipFromBytes && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && r.Method != http.MethodHead {
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		w.WriteHeader(a.status)
		z := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(z)
		z.Reset(w)
		if _, err := z.Write(body); err == nil {
			z.Close()
		}
		return
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead && len(body) > 0 {
		w.Write(body)
	}
}
