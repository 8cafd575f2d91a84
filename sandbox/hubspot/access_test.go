package hubspot_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

func TestUnauthorized(t *testing.T) {
	p := open(t)
	revoked := p.s.CreateToken(hubspot.TokenSpec{Scopes: allScopes})
	p.s.RevokeToken(revoked)
	expired := p.s.CreateToken(hubspot.TokenSpec{Scopes: allScopes})
	p.s.ExpireToken(expired)
	p.clock.Advance(75 * time.Second)
	const unknown = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
	tests := []struct{ name, token, path, category, message string }{
		{"no token", "", "/crm/v3/objects/contacts", "INVALID_AUTHENTICATION", unknown},
		{"a token of the right form that nobody made", "pat-na1-00000000-fake-unknown", "/crm/v3/objects/contacts", "INVALID_AUTHENTICATION", unknown},
		{"a revoked token", revoked, "/crm/v3/objects/contacts", "INVALID_AUTHENTICATION", unknown},
		{"an expired token", expired, "/crm/v3/objects/contacts", "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired 75 second(s) ago."},
		{"something that is no token", "garbage", "/crm/v3/objects/contacts", "EXPIRED_AUTHENTICATION", ""},
		{"an API key", "", "/crm/v3/objects/contacts?hapikey=00000000-fake", "INVALID_AUTHENTICATION", "The API key provided is invalid. View or manage your API key here: https://app.hubspot.com/l/api-key/"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := p.callWith(test.token, "GET", test.path, "")
			if a.status != 401 || a.str("category") != test.category || test.message != "" && a.str("message") != test.message {
				t.Errorf("got %d %s", a.status, a.text)
			}
			if a.header.Get("X-HubSpot-Correlation-Id") != a.str("correlationId") {
				t.Error("the header's correlation id is another")
			}
		})
	}
	if a := p.callWith("garbage", "GET", "/crm/v3/owners", ""); !regexp.MustCompile(`expired \d{5} day\(s\) ago`).MatchString(a.str("message")) || a.str("context", "expire time", 0) != "1970-01-01T00:00:00Z" {
		t.Error(a.text)
	}
}

func TestScopes(t *testing.T) {
	p := open(t)
	tests := []struct {
		name, scopes, method, path string
		missing                    string // "" means the scopes are enough
	}{
		{"contacts are read with their scope", "crm.objects.contacts.read", "GET", "objects/contacts", ""},
		{"and not with another", "crm.objects.companies.read", "GET", "objects/contacts", "crm.objects.contacts.read"},
		{"reading is not writing", "crm.objects.contacts.read", "POST", "objects/contacts", "crm.objects.contacts.write"},
		{"search is reading", "crm.objects.contacts.read", "POST", "objects/contacts/search", ""},
		{"a batch read is reading", "crm.objects.contacts.read", "POST", "objects/contacts/batch/read", ""},
		{"notes go with contacts", "crm.objects.contacts.read", "GET", "objects/notes", ""},
		{"emails want one scope more", "crm.objects.contacts.read", "GET", "objects/emails", "crm.objects.contacts.read sales-email-read"},
		{"tickets have an old scope", "tickets", "GET", "objects/tickets", ""},
		{"products can be read with e-commerce", "e-commerce", "GET", "objects/products", ""},
		{"associations want both ends", "crm.objects.contacts.read", "GET", "objects/contacts/1/associations/companies", "crm.objects.companies.read"},
		{"properties can be read with the records' scope", "crm.objects.deals.read", "GET", "properties/deals", ""},
		{"and written only with the schema's", "crm.objects.deals.write", "POST", "properties/deals", "crm.schemas.deals.write"},
		{"owners have their own", "crm.objects.contacts.read", "GET", "owners", "crm.objects.owners.read automation"},
		{"pipelines can be read with any", "crm.objects.companies.read", "GET", "pipelines/deals", ""},
		{"schemas of custom objects have their own", "crm.objects.contacts.read", "GET", "schemas", "crm.schemas.custom.read crm.objects.custom.read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token := p.s.CreateToken(hubspot.TokenSpec{Kind: hubspot.ServiceKey, Scopes: strings.Fields(test.scopes)})
			api, rest, _ := strings.Cut(test.path, "/") // the version stands after the API's name
			path := "/crm/" + api + "/2026-03/" + rest
			if api == "schemas" {
				path = "/crm-object-schemas/2026-03/schemas"
			}
			a := p.callWith(token, test.method, path, "")
			if test.missing == "" {
				if a.status == 403 || a.status == 401 {
					t.Errorf("got %d %s", a.status, a.text)
				}
				return
			}
			var got []string
			for _, s := range a.list("errors", 0, "context", "requiredGranularScopes") {
				got = append(got, s.(string))
			}
			if a.status != 403 || a.str("category") != "MISSING_SCOPES" || strings.Join(got, " ") != test.missing {
				t.Errorf("got %d %v, want %s", a.status, got, test.missing)
			}
		})
	}
	t.Run("the whole body", func(t *testing.T) {
		token := p.s.CreateToken(hubspot.TokenSpec{})
		a := p.callWith(token, "GET", "/crm/v3/objects/contacts", "")
		delete(a.body, "correlationId")
		want := map[string]any{
			"status": "error", "category": "MISSING_SCOPES",
			"message": "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
			"errors": []any{map[string]any{"message": "One or more of the following scopes are required.",
				"context": map[string]any{"requiredGranularScopes": []any{"crm.objects.contacts.read"}}}},
			"links": map[string]any{"scopes": "https://developers.hubspot.com/scopes"},
		}
		if diff := cmp.Diff(want, a.body); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWrongContentType(t *testing.T) {
	p := open(t)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded"} {
		r := httptest.NewRequest("POST", "/crm/v3/objects/contacts", strings.NewReader(`{"properties":{"city":"Bern"}}`))
		r.Header.Set("Authorization", "Bearer "+p.token)
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		if a := p.send(r); a.status != 415 {
			t.Errorf("%q: got %d", kind, a.status)
		}
	}
}

func TestTenSecondWindowIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openWith(t, hubspot.Config{TenSecondly: 5})
		get := func() answer { return p.call("GET", "/crm/v3/objects/contacts", "") }
		for i := range 5 { // at 0, 1, 2, 3 and 4 seconds
			a := get()
			if got, want := a.header.Get("X-HubSpot-RateLimit-Remaining"), strconv.Itoa(4-i); a.status != 200 || got != want {
				t.Fatalf("call %d: %d, remaining %s, want %s", i+1, a.status, got, want)
			}
			time.Sleep(time.Second)
		}
		a := get() // at 5 s
		want := map[string]any{"status": "error", "message": "You have reached your ten_secondly_rolling limit.", "errorType": "RATE_LIMIT",
			"policyName": "TEN_SECONDLY_ROLLING", "correlationId": a.str("correlationId"), "groupName": a.str("groupName")}
		if diff := cmp.Diff(want, a.body); a.status != 429 || diff != "" {
			t.Error(a.status, diff)
		}
		if !regexp.MustCompile(`^publicapi:private_app-api-calls-ten-secondly:\d+:\d+$`).MatchString(a.str("groupName")) || a.header.Get("Retry-After") != "" {
			t.Error(a.text)
		}
		time.Sleep(5*time.Second - time.Nanosecond)
		if a := get(); a.status != 429 {
			t.Errorf("a nanosecond before the first call leaves the window: %d", a.status)
		}
		time.Sleep(time.Nanosecond)
		if a := get(); a.status != 200 {
			t.Errorf("when the first call leaves the window: %d", a.status)
		}
		if a := get(); a.status != 429 {
			t.Errorf("only one call left the window: %d", a.status)
		}
		other := p.s.CreateToken(hubspot.TokenSpec{Scopes: allScopes})
		if a := p.callWith(other, "GET", "/crm/v3/objects/contacts", ""); a.status != 200 {
			t.Errorf("another token has its own window: %d", a.status)
		}
		if a := p.call("POST", "/crm/v3/objects/contacts/search", `{}`); a.status != 200 {
			t.Errorf("a search is not counted there: %d", a.status)
		}
		calls := p.s.Calls()
		if calls.Throttled != 3 || calls.ThrottledByPolicy["TEN_SECONDLY_ROLLING"] != 3 || calls.Search != 1 || calls.ByStatus[429] != 3 {
			t.Errorf("%+v", calls)
		}
	})
}

func TestSearchesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openWith(t, hubspot.Config{})
		search := func(token string) answer {
			return p.callWith(token, "POST", "/crm/v3/objects/contacts/search", `{}`)
		}
		other := p.s.CreateToken(hubspot.TokenSpec{Scopes: allScopes})
		for i := range 5 {
			if a := search([]string{p.token, other}[i%2]); a.status != 200 || a.header.Get("X-HubSpot-RateLimit-Max") != "" {
				t.Fatal(a.status, a.header)
			}
		}
		if a := search(other); a.status != 429 || a.str("policyName") != "SECONDLY" || a.str("message") != "You have reached your secondly limit." {
			t.Error(a.text)
		}
		time.Sleep(time.Second)
		if a := search(p.token); a.status != 200 {
			t.Error(a.status)
		}
	})
}

func TestTheDayEndsAtMidnightOfTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openWith(t, hubspot.Config{Daily: 3, TimeZone: "UTC"})
		p.clock.Set(time.Date(2026, 3, 1, 23, 59, 58, 0, time.UTC))
		other := p.s.CreateToken(hubspot.TokenSpec{Scopes: allScopes})
		p.must(200, "GET", "/crm/v3/objects/contacts", "")
		p.must(200, "POST", "/crm/v3/objects/contacts/search", `{}`)
		a := p.callWith(other, "GET", "/account-info/v3/api-usage/daily/private-apps", "")
		if a.at("results", 0, "currentUsage") != 3.0 || a.at("results", 0, "usageLimit") != 3.0 || a.str("results", 0, "resetsAt") != "2026-03-02T00:00:00Z" {
			t.Error(a.text)
		}
		a = p.must(429, "GET", "/crm/v3/objects/contacts", "")
		if a.str("policyName") != "DAILY" || a.header.Get("X-HubSpot-RateLimit-Daily-Remaining") != "0" {
			t.Error(a.text, a.header)
		}
		p.must(429, "POST", "/crm/v3/objects/contacts/search", `{}`)
		time.Sleep(2 * time.Second)
		p.must(200, "GET", "/crm/v3/objects/contacts", "")
	})
}

func TestFaults(t *testing.T) {
	rule := func(kind faults.Kind, method string) faults.Setting {
		return faults.Setting{Rules: []faults.Rule{{Kind: kind, Method: method}}}
	}
	t.Run("too many calls", func(t *testing.T) {
		p := open(t)
		p.dials.Set(rule(faults.TooMany, ""))
		if a := p.must(429, "GET", "/crm/v3/objects/contacts", ""); a.str("policyName") != "TEN_SECONDLY_ROLLING" {
			t.Error(a.text)
		}
	})
	t.Run("the server's errors come in turn, one as a proxy's page", func(t *testing.T) {
		p := open(t)
		p.dials.Set(rule(faults.ServerError, ""))
		for _, want := range []int{500, 502, 503, 504, 500} {
			a := p.must(want, "GET", "/crm/v3/objects/contacts", "")
			if html := strings.HasPrefix(a.header.Get("Content-Type"), "text/html"); html != (want == 502) {
				t.Error(want, a.header)
			}
		}
	})
	t.Run("a lock refuses writes and lets reads pass", func(t *testing.T) {
		p := open(t)
		p.dials.Set(rule(faults.Locked, ""))
		p.must(423, "POST", "/crm/v3/objects/contacts", `{"properties":{"city":"Bern"}}`)
		p.must(200, "GET", "/crm/v3/objects/contacts", "")
		p.must(200, "POST", "/crm/v3/objects/contacts/search", `{}`)
	})
	t.Run("every second record of a batch is refused", func(t *testing.T) {
		p := open(t)
		id := p.insert("companies", "name", "Acme")
		p.dials.Set(rule(faults.Partial, ""))
		a := p.must(207, "POST", "/crm/v3/objects/companies/batch/create", `{"inputs":[{"objectWriteTraceId":"1","properties":{"name":"A"}},{"objectWriteTraceId":"2","properties":{"name":"B"}}]}`)
		if len(a.list("results")) != 1 || a.str("results", 0, "objectWriteTraceId") != "1" || a.str("errors", 0, "context", "objectWriteTraceId", 0) != "2" || a.str("errors", 0, "category") != "INTERNAL_ERROR" {
			t.Error(a.text)
		}
		// The next call begins with the other one.
		a = p.must(207, "POST", "/crm/v3/objects/companies/batch/update", `{"inputs":[{"objectWriteTraceId":"1","id":"`+id+`","properties":{"city":"Rome"}}]}`)
		if len(a.list("results")) != 0 || a.str("errors", 0, "context", "ids", 0) != id {
			t.Error(a.text)
		}
		p.must(200, "GET", "/crm/v3/objects/companies", "")
	})
	t.Run("an expired token", func(t *testing.T) {
		p := open(t)
		p.dials.Set(rule(faults.Expired, ""))
		if a := p.must(401, "GET", "/crm/v3/objects/contacts", ""); a.str("category") != "EXPIRED_AUTHENTICATION" {
			t.Error(a.text)
		}
	})
	for name, c := range map[string]struct {
		kind    faults.Kind
		written int
	}{
		"a connection cut before the write leaves nothing": {faults.CutBefore, 0},
		"one cut after it leaves the record":               {faults.CutAfter, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			p.dials.Set(rule(c.kind, "POST"))
			server := httptest.NewServer(p.s)
			defer server.Close()
			r, _ := http.NewRequest("POST", server.URL+"/crm/v3/objects/contacts", strings.NewReader(`{"properties":{"city":"Bern"}}`))
			r.Header.Set("Authorization", "Bearer "+p.token)
			r.Header.Set("Content-Type", "application/json")
			if answer, err := http.DefaultClient.Do(r); err == nil {
				answer.Body.Close()
				t.Errorf("got %s, want a broken connection", answer.Status)
			}
			if n := p.s.Count("contacts"); n != c.written {
				t.Errorf("%d contacts, want %d", n, c.written)
			}
		})
	}
	t.Run("latency is spent, half before and half after the work", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := open(t)
			p.dials.Set(faults.Setting{LatencyMillis: 150})
			begin := time.Now()
			a := p.must(201, "POST", "/crm/v3/objects/contacts", `{"properties":{"city":"Bern"}}`)
			if took := time.Since(begin); took != 150*time.Millisecond {
				t.Errorf("took %v", took)
			}
			if got := a.str("createdAt"); !strings.HasSuffix(got, "00.075Z") {
				t.Errorf("made at %s", got)
			}
		})
	})
	t.Run("a caller that goes away ends the wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := open(t)
			p.dials.Set(faults.Setting{LatencyMillis: 60_000})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			begin := time.Now()
			func() {
				defer func() {
					if r := recover(); r != http.ErrAbortHandler {
						t.Errorf("recovered %v", r)
					}
				}()
				r := httptest.NewRequest("GET", "/crm/v3/objects/contacts", nil).WithContext(ctx)
				r.Header.Set("Authorization", "Bearer "+p.token)
				p.send(r)
			}()
			if took := time.Since(begin); took != time.Second {
				t.Errorf("took %v", took)
			}
		})
	})
}

func TestTokensTellWhatTheyMay(t *testing.T) {
	p := open(t)
	p.s.AddOwner(hubspot.Owner{Email: "admin@acme.example", UserID: 4242})
	token := p.s.CreateToken(hubspot.TokenSpec{Name: "mine", Scopes: []string{"crm.objects.contacts.read"}, Owner: "admin@acme.example"})
	a := p.callWith("", "POST", "/oauth/v2/private-apps/get/access-token-info", `{"tokenKey":"`+token+`"}`)
	if a.status != 200 || a.at("userId") != 4242.0 || a.at("hubId") != float64(p.s.PortalID()) || !cmp.Equal(a.list("scopes"), []any{"crm.objects.contacts.read", "oauth"}) {
		t.Error(a.text)
	}
	a = p.callWith("", "GET", "/oauth/v1/access-tokens/"+token, "")
	if a.status != 200 || a.str("user") != "admin@acme.example" || a.str("hub_domain") != "acme.example" || a.str("token_type") != "access" {
		t.Error(a.text)
	}
	if a := p.callWith("", "GET", "/oauth/v1/access-tokens/unknown", ""); a.status != 404 {
		t.Error(a.status)
	}
	if a := p.callWith(token, "GET", "/integrations/v1/me", ""); a.at("portalId") != float64(p.s.PortalID()) {
		t.Error(a.text)
	}
	if a := p.callWith(token, "GET", "/account-info/2026-03/details", ""); a.str("uiDomain") != "app.hubspot.com" || a.str("companyCurrency") != "USD" {
		t.Error(a.text)
	}
	infos := p.s.Tokens()
	if len(infos) != 2 || infos[1].Name != "mine" || infos[1].Token != token {
		t.Errorf("%+v", infos)
	}
}

func TestTheSameSeedMakesTheSameAccount(t *testing.T) {
	a, b := open(t), open(t)
	if a.token != b.token || a.insert("contacts", "city", "Bern") != b.insert("contacts", "city", "Bern") {
		t.Error("two accounts of one seed differ")
	}
	if !strings.Contains(a.token, "fake") {
		t.Error("the token does not look fake")
	}
}

func TestTooManyTokenCalls(t *testing.T) {
	d := develop(t, hubspot.Config{})
	d.dials.Set(faults.Setting{Rules: []faults.Rule{{Kind: faults.TooMany, Path: "/oauth/"}}})
	for _, path := range []string{"/oauth/v1/token", "/oauth/v3/token"} {
		if a := d.form(path, "grant_type=refresh_token"); a.status != 429 || a.str("message") != "You have reached your rate limit." {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
}
