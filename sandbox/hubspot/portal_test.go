package hubspot_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/clock"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// allScopes let a test call everything.
var allScopes = []string{
	"crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.companies.read", "crm.objects.companies.write",
	"crm.objects.deals.read", "crm.objects.deals.write", "crm.objects.products.read", "crm.objects.products.write",
	"crm.objects.line_items.read", "crm.objects.line_items.write", "crm.objects.custom.read", "crm.objects.custom.write",
	"crm.objects.owners.read", "crm.schemas.contacts.read", "crm.schemas.contacts.write", "crm.schemas.companies.read",
	"crm.schemas.companies.write", "crm.schemas.deals.read", "crm.schemas.deals.write", "crm.schemas.custom.read",
	"crm.schemas.custom.write", "tickets", "e-commerce", "sales-email-read", "crm.lists.read", "crm.lists.write",
}

// portal is an account with a token, and a way to call it.
type portal struct {
	t     *testing.T
	s     *hubspot.Server
	clock *clock.Clock
	dials *faults.Dials
	token string
}

func open(t *testing.T) *portal {
	return openWith(t, hubspot.Config{TenSecondly: -1, SearchSecondly: -1})
}

func openWith(t *testing.T, config hubspot.Config) *portal {
	p := &portal{t: t, clock: &clock.Clock{}, dials: &faults.Dials{}}
	config.Clock, config.Dials, config.Seed = p.clock, p.dials, 1
	p.s = hubspot.New(config)
	p.token = p.s.CreateToken(hubspot.TokenSpec{Name: "test app", Scopes: allScopes})
	return p
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// at finds a value in the body: at("results", 0, "id").
func (a answer) at(path ...any) any {
	var v any = a.body
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

func (a answer) str(path ...any) string {
	s, _ := a.at(path...).(string)
	return s
}

func (a answer) list(path ...any) []any {
	l, _ := a.at(path...).([]any)
	return l
}

// call sends a request; body "" means none.
func (p *portal) call(method, path, body string) answer {
	p.t.Helper()
	return p.callWith(p.token, method, path, body)
}

func (p *portal) callWith(token, method, path, body string) answer {
	p.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return p.send(r)
}

func (p *portal) send(r *http.Request) answer {
	p.t.Helper()
	w := httptest.NewRecorder()
	p.s.ServeHTTP(w, r)
	raw, _ := io.ReadAll(w.Result().Body)
	a := answer{status: w.Code, header: w.Result().Header, text: string(raw)}
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/json") && !strings.HasPrefix(a.text, "[") {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			p.t.Fatalf("%s %s: %v in %s", r.Method, r.URL, err, raw)
		}
	}
	return a
}

// must is call with a status that has to be.
func (p *portal) must(status int, method, path, body string) answer {
	p.t.Helper()
	a := p.call(method, path, body)
	if a.status != status {
		p.t.Fatalf("%s %s: got %d %s, want %d", method, path, a.status, a.text, status)
	}
	return a
}

// insert loads a record made a day ago.
func (p *portal) insert(objectType string, pairs ...string) string {
	at := p.clock.Now().Add(-24 * time.Hour)
	return p.s.Insert(objectType, props(pairs...), at, at)
}

func props(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func ids(list []any) []string {
	out := []string{}
	for _, v := range list {
		id, _ := v.(map[string]any)["id"].(string)
		out = append(out, id)
	}
	return out
}
