package hubspot_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// visit opens a page and returns its text and its links by their text.
func (p *portal) visit(path string, status int) (text string, links map[string]string) {
	p.t.Helper()
	w := httptest.NewRecorder()
	p.s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	if w.Code != status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		p.t.Fatalf("GET %s: %d %s", path, w.Code, w.Header())
	}
	root, err := html.Parse(w.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	links = map[string]string{}
	var walk func(*html.Node) string
	walk = func(n *html.Node) (text string) {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			return n.Data
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			text += walk(c)
		}
		if n.Data == "a" {
			for _, a := range n.Attr {
				if a.Key == "href" {
					links[text] = a.Val
				}
			}
		}
		return text + " "
	}
	return strings.Join(strings.Fields(walk(root)), " "), links
}

func TestPages(t *testing.T) {
	p := openWith(t, hubspot.Config{TenSecondly: -1, PeerURL: "http://127.0.0.1:9"})
	if err := p.s.AddProperty("contacts", hubspot.Property{Name: "salesforce_id", Label: "x", Type: "string", FieldType: "text"}); err != nil {
		t.Fatal(err)
	}
	company := p.insert("companies", "name", "Acme <Robotics>", "domain", "acme.example")
	contact := p.insert("contacts", "email", "ada@acme.example", "firstname", "Ada", "lastname", "Łovelace", "salesforce_id", "0035g00000AbCdEAAV")
	p.s.Associate("contacts", contact, "companies", company)
	p.must(200, "PATCH", "/crm/v3/objects/contacts/"+contact, `{"properties":{"city":"Bern"}}`)
	for range 60 {
		p.insert("contacts", "firstname", "Bob")
	}

	text, links := p.visit("/", 200)
	if !strings.Contains(text, "contacts 61 0-1") || links["contacts"] != "/objects/contacts" || links["Open the other sandbox"] != "http://127.0.0.1:9" {
		t.Error(text, links)
	}
	text, links = p.visit("/objects/contacts", 200)
	if !strings.Contains(text, "Ada Łovelace") || links["Next page"] == "" {
		t.Error(text)
	}
	if text, _ = p.visit(links["Next page"], 200); strings.Contains(text, "Łovelace") || !strings.Contains(text, "First page") {
		t.Error(text)
	}
	_, links = p.visit("/objects/contacts?q=%C5%82ovelace", 200)
	if links["Ada Łovelace"] != "/objects/contacts/"+contact {
		t.Error(links)
	}
	text, links = p.visit(links["Ada Łovelace"], 200)
	for _, want := range []string{"city Bern", "Acme <Robotics> companies Primary", "INTEGRATION test app"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %s", want, text)
		}
	}
	if links["0035g00000AbCdEAAV"] != "http://127.0.0.1:9/0035g00000AbCdEAAV" || links["Acme <Robotics>"] != "/objects/companies/"+company {
		t.Error(links)
	}
	p.visit("/objects/contacts/4711", 404)
	p.visit("/objects/rockets", 404)
	p.visit("/nothing", 404)

	url := p.s.RecordURL("contacts", contact)
	w := httptest.NewRecorder()
	p.s.ServeHTTP(w, httptest.NewRequest("GET", strings.TrimPrefix(url, "https://api.hubapi.com"), nil))
	if w.Code != 302 || w.Header().Get("Location") != "/objects/contacts/"+contact {
		t.Error(w.Code, w.Header())
	}
	for _, path := range []string{"/crm/v3/nothing", "/crm/nothing", "/oauth/x", "/contacts/v1/lists"} {
		if a := p.callWith("", "GET", path, ""); a.status != 404 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
}
