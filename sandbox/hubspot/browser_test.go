package hubspot_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// browser is a person at the pages, without a script: it follows links, fills in
// forms as they stand and presses buttons by their text.
type browser struct {
	t      *testing.T
	s      *hubspot.Server
	cookie string
	at     string // where it is
	status int
	header http.Header
	root   *html.Node
	left   string // where a redirect led away from the server
}

// surf opens the pages as one of the two people; "" signs nobody in.
func (p *portal) surf(who string) *browser {
	b := &browser{t: p.t, s: p.s}
	if who != "" {
		b.visit("/sign-in")
		b.press(who)
	}
	return b
}

const (
	admin    = "Sam Admin, super admin"
	ordinary = "Uma User, ordinary user"
)

func (b *browser) visit(path string) *browser {
	b.t.Helper()
	return b.send(httptest.NewRequest("GET", path, nil))
}

func (b *browser) send(r *http.Request) *browser {
	b.t.Helper()
	for range 5 {
		if b.cookie != "" {
			r.Header.Set("Cookie", b.cookie)
		}
		w := httptest.NewRecorder()
		b.s.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			b.cookie = c.Name + "=" + c.Value
			if c.MaxAge < 0 {
				b.cookie = ""
			}
		}
		b.at, b.status, b.header, b.left = r.URL.RequestURI(), w.Code, w.Header(), ""
		to := w.Header().Get("Location")
		if to == "" {
			var err error
			if b.root, err = html.Parse(w.Body); err != nil {
				b.t.Fatal(err)
			}
			if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") {
				b.t.Errorf("%s has the policy %q", b.at, csp)
			}
			return b
		}
		if !strings.HasPrefix(to, "/") {
			b.left = to
			return b
		}
		r = httptest.NewRequest("GET", to, nil)
	}
	b.t.Fatal("redirected too often")
	return b
}

// all finds elements by their name and, where given, attributes: all("input", "name", "scope").
func (b *browser) all(name string, attributes ...string) (out []*html.Node) {
	for n := range b.root.Descendants() {
		if n.Type != html.ElementNode || n.Data != name {
			continue
		}
		fits := true
		for pair := range slices.Chunk(attributes, 2) {
			fits = fits && attribute(n, pair[0]) == pair[1]
		}
		if fits {
			out = append(out, n)
		}
	}
	return out
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func textOf(n *html.Node) string {
	var text strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			text.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

func (b *browser) text() string { return textOf(b.root) }

// want fails unless the page tells all of these.
func (b *browser) want(status int, parts ...string) *browser {
	b.t.Helper()
	if b.status != status {
		b.t.Fatalf("%s: got %d, want %d: %s", b.at, b.status, status, b.text())
	}
	for _, part := range parts {
		if !strings.Contains(b.text(), part) {
			b.t.Errorf("%s: %q is missing in: %s", b.at, part, b.text())
		}
	}
	return b
}

// follow clicks a link by its text.
func (b *browser) follow(text string) *browser {
	b.t.Helper()
	for _, a := range b.all("a") {
		if textOf(a) == text {
			to := attribute(a, "href")
			if strings.HasPrefix(to, "?") {
				path, _, _ := strings.Cut(b.at, "?")
				to = path + to
			}
			return b.visit(to)
		}
	}
	b.t.Fatalf("%s: no link %q in: %s", b.at, text, b.text())
	return b
}

// press fills in fields, "name=value", and presses a button. A scope that is
// given is ticked, "-scope" is unticked.
func (b *browser) press(button string, fields ...string) *browser {
	b.t.Helper()
	for _, form := range b.all("form") {
		inner := &browser{root: form}
		for _, pressed := range inner.all("button") {
			if textOf(pressed) == button {
				return b.submit(inner, form, pressed, fields)
			}
		}
	}
	b.t.Fatalf("%s: no button %q in: %s", b.at, button, b.text())
	return b
}

func (b *browser) submit(inner *browser, form, pressed *html.Node, fields []string) *browser {
	b.t.Helper()
	values := url.Values{}
	for _, input := range inner.all("input") {
		switch kind := attribute(input, "type"); {
		case (kind == "checkbox" || kind == "radio") && !has(input, "checked"):
		default:
			values.Add(attribute(input, "name"), attribute(input, "value"))
		}
	}
	for _, area := range inner.all("textarea") {
		if area.FirstChild != nil {
			values.Set(attribute(area, "name"), area.FirstChild.Data)
		}
	}
	if name := attribute(pressed, "name"); name != "" {
		values.Set(name, attribute(pressed, "value"))
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		switch {
		case strings.HasPrefix(name, "-"):
			values["scope"] = slices.DeleteFunc(values["scope"], func(s string) bool { return s == name[1:] })
		case name == "scope":
			if len(inner.all("input", "name", "scope", "value", value)) == 0 {
				b.t.Fatalf("%s: there is no box for %s", b.at, value)
			}
			values.Add(name, value)
		default:
			values.Set(name, value)
		}
	}
	action := attribute(form, "action")
	if attribute(form, "method") == "get" {
		return b.visit(action + "?" + values.Encode())
	}
	r := httptest.NewRequest("POST", action, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r)
}

// secret is the token that the page shows.
func (b *browser) secret() string {
	b.t.Helper()
	for _, n := range b.all("code", "id", "token") {
		return textOf(n)
	}
	b.t.Fatalf("%s shows no token: %s", b.at, b.text())
	return ""
}

// path is a page of the settings of the first account.
func (p *portal) path(name string) string { return "/" + name + "/" + portalText(p.s) }
