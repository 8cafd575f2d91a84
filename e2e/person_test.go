package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// person sits at a browser: signs in where a page asks for it, and answers the
// page that asks whether an app may be let in.
type person struct {
	client *http.Client
	// username and password are for Salesforce; HubSpot's people are chosen by
	// the word in role.
	username, password string
	role               string
	// portal is the HubSpot account to choose; "" leaves the page's own choice.
	portal string
}

// pagesAtMost is more than any way through sign-in and consent has.
const pagesAtMost = 8

// decide opens an authorize address, answers "allow" or "deny", and returns the
// last page's address and text.
func (p *person) decide(t *testing.T, address, decision string) (*url.URL, string) {
	t.Helper()
	if p.client == nil {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		p.client = &http.Client{Jar: jar}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range pagesAtMost {
		response, err := p.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		at := response.Request.URL
		action, fields := p.answer(t, string(text), decision)
		if action == "" {
			return at, string(text)
		}
		target, err := at.Parse(action)
		if err != nil {
			t.Fatal(err)
		}
		if request, err = http.NewRequestWithContext(t.Context(), http.MethodPost, target.String(), strings.NewReader(fields.Encode())); err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	t.Fatalf("after %d pages there was still a form", pagesAtMost)
	return nil, ""
}

// answer fills in the form that a page is about; no action when it has none.
func (p *person) answer(t *testing.T, page, decision string) (action string, fields url.Values) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for form := range root.Descendants() {
		if form.Data != "form" || attribute(form, "method") != "post" {
			continue
		}
		fields = url.Values{}
		known := false
		for n := range form.Descendants() {
			name, value := attribute(n, "name"), attribute(n, "value")
			switch {
			case n.Data == "input" && attribute(n, "type") == "hidden":
				fields.Set(name, value)
			case n.Data == "input" && attribute(n, "type") == "radio" && (p.portal == value || p.portal == "" && has(n, "checked")):
				fields.Set(name, value)
			case n.Data == "input" && name == "username":
				fields.Set(name, p.username)
			case n.Data == "input" && name == "password":
				fields.Set(name, p.password)
				known = true
			case n.Data == "button" && name == "decision" && value == decision:
				fields.Set(name, value)
				known = true
			case n.Data == "button" && name == "user" && strings.Contains(wordsOf(n), p.role) && !fields.Has(name):
				fields.Set(name, value)
				known = true
			}
		}
		if known {
			return attribute(form, "action"), fields
		}
	}
	return "", nil
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

func wordsOf(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			fmt.Fprint(&out, d.Data)
		}
	}
	return out.String()
}
