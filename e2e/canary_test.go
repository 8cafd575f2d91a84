package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// canaries are secrets that were planted, and what would betray each of them:
// pieces of it, so that a secret that was cut is found, and its usual codings.
type canaries struct {
	mu     sync.Mutex
	seen   map[string]bool
	probes []probe
}

type probe struct {
	name string
	text []byte
	// whole: it is the secret itself.
	whole bool
}

// plant watches for a secret from now on.
func (c *canaries) plant(name, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if secret = strings.TrimSpace(secret); len(secret) < 8 || c.seen[secret] {
		return
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[secret] = true
	const piece = 12
	texts := []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret))}
	if quoted, err := json.Marshal(secret); err == nil {
		texts = append(texts, string(quoted[1:len(quoted)-1]))
	}
	// What kind of secret it is may be told, so pieces begin behind the prefix,
	// and lie between the first and the last line of a PEM block.
	from, to := 16, len(secret)
	if strings.HasPrefix(secret, "-----BEGIN ") {
		from, to = strings.Index(secret, "\n")+1, strings.LastIndex(secret, "\n-----END ")
	}
	for at := from; at+piece <= to; at += piece / 2 {
		texts = append(texts, secret[at:at+piece])
	}
	for i, text := range texts {
		c.probes = append(c.probes, probe{name, []byte(text), i == 0})
	}
}

// find names the secret that stands in content, or "".
func (c *canaries) find(content []byte) string { return c.search(content, false) }

func (c *canaries) search(content []byte, whole bool) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.probes {
		if at := bytes.Index(content, p.text); at >= 0 && (p.whole || !whole) {
			before := content[max(0, at-60):at]
			return fmt.Sprintf("%s (after %q)", p.name, before)
		}
	}
	return ""
}

// searchFolder looks into every file below dir, byte by byte: databases with
// their logs, keys, plans and temporary files alike.
func (c *canaries) searchFolder(t *testing.T, dir string, skip func(path string) bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() || skip != nil && skip(path) {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if name := c.find(content); name != "" {
			t.Errorf("%s stands in %s", name, strings.TrimPrefix(path, dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// parrot stands between the program and a vendor, watches for every credential
// that comes by, and can answer in the vendor's place, repeating all that it was
// sent, as badly written servers and proxies do.
type parrot struct {
	*httptest.Server
	watch *canaries

	mu      sync.Mutex
	status  int  // answered to each API call; 0: the vendor answers
	tokens  bool // the token endpoint repeats, too
	form    string
	stalled chan struct{}
}

func newParrot(t *testing.T, vendor string, watch *canaries) *parrot {
	t.Helper()
	target, err := url.Parse(vendor)
	if err != nil {
		t.Fatal(err)
	}
	p := &parrot{watch: watch}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = target.Host
		r.Out.Header.Del("Accept-Encoding")
	}}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	proxy.ModifyResponse = func(answer *http.Response) error {
		if !strings.Contains(answer.Request.URL.Path, "/oauth") || strings.Contains(answer.Request.URL.Path, "userinfo") {
			return nil
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		var given map[string]any
		if json.Unmarshal(body, &given) == nil {
			for _, name := range []string{"access_token", "refresh_token", "signature", "id_token"} {
				if text, ok := given[name].(string); ok {
					watch.plant("the "+name+" that was given", text)
				}
			}
		}
		body = bytes.ReplaceAll(body, []byte(vendor), []byte(p.URL)) // instance_url: calls come by here
		answer.Body = io.NopCloser(bytes.NewReader(body))
		answer.Header.Del("Content-Length")
		answer.ContentLength = int64(len(body))
		return nil
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, token, found := strings.Cut(r.Header.Get("Authorization"), " "); found {
			watch.plant("the token of a call", token)
		}
		p.mu.Lock()
		status, form, stalled := p.status, p.form, p.stalled
		if strings.Contains(r.URL.Path, "/token") && !p.tokens {
			status = 0
		}
		p.mu.Unlock()
		if stalled != nil {
			select {
			case stalled <- struct{}{}:
			default:
			}
			<-r.Context().Done()
			return
		}
		if status == 0 {
			proxy.ServeHTTP(w, r)
			return
		}
		repeat(w, r, status, form)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *parrot) answer(status int, form string, tokens bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.form, p.tokens = status, form, tokens
}

// repeat answers with all that was sent: header, query and body, decoded.
func repeat(w http.ResponseWriter, r *http.Request, status int, form string) {
	body, _ := io.ReadAll(r.Body)
	decoded, _ := url.QueryUnescape(string(body))
	said := "you sent " + r.Header.Get("Authorization") + " and " + r.URL.RawQuery + " and " + string(body) + " or " + decoded
	quoted, _ := json.Marshal(said)
	// A JSON string within a JSON string is what gateways make of an answer.
	w.Header().Set("X-HubSpot-Correlation-Id", said[:min(len(said), 200)])
	w.Header().Set("Sfdc-Request-Id", said[:min(len(said), 200)])
	w.Header().Set("WWW-Authenticate", `Bearer realm="`+r.Header.Get("Authorization")+`"`)
	text := ""
	switch form {
	case "hubspot":
		w.Header().Set("Content-Type", "application/json")
		text = fmt.Sprintf(`{"status":"error","message":%s,"category":"INVALID_AUTHENTICATION","correlationId":%s,"errors":[{"message":%s,"code":%s,"context":{"requiredGranularScopes":[%s]}}]}`, quoted, quoted, quoted, quoted, quoted)
	case "salesforce":
		w.Header().Set("Content-Type", "application/json")
		text = fmt.Sprintf(`[{"message":%s,"errorCode":"INVALID_SESSION_ID","fields":[%s]}]`, quoted, quoted)
	case "oauth":
		w.Header().Set("Content-Type", "application/json")
		text = fmt.Sprintf(`{"error":"invalid_client","error_description":%s,"message":%s}`, quoted, quoted)
	case "html":
		w.Header().Set("Content-Type", "text/html")
		text = "<html><body>" + said + "</body></html>"
	case "redirect":
		w.Header().Set("Location", "https://elsewhere.example/?token="+url.QueryEscape(r.Header.Get("Authorization")))
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// commandPaths lists every command that the program registers, with the flags of
// each, as the program itself completes them.
func commandPaths(t *testing.T, complete func(args ...string) string) map[string][]string {
	t.Helper()
	word := regexp.MustCompile(`(?m)^(--)?([a-z][a-z-]*)(\t.*)?$`)
	found := map[string][]string{}
	var walk func(path []string)
	walk = func(path []string) {
		var flags []string
		for _, m := range word.FindAllStringSubmatch(complete(append(path, "--")...), -1) {
			if m[1] != "" {
				flags = append(flags, m[1]+m[2])
			}
		}
		found[strings.Join(path, " ")] = flags
		for _, m := range word.FindAllStringSubmatch(complete(append(path, "")...), -1) {
			if m[1] == "" && m[2] != "help" {
				walk(append(path[:len(path):len(path)], m[2]))
			}
		}
	}
	walk(nil)
	if len(found) < 20 || found["connect hubspot"] == nil {
		t.Fatalf("only %d commands were found: %v", len(found), found)
	}
	return found
}
