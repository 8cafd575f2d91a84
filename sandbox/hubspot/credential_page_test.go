package hubspot_test

import (
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

func portalText(s *hubspot.Server) string { return strconv.FormatInt(s.PortalID(), 10) }

// in opens an account in a year.
func in(t *testing.T, year int) *portal {
	return openWith(t, hubspot.Config{Year: year, SearchSecondly: -1})
}

// makeApp makes an app on its pages and returns its token.
func makeApp(b *browser, create, submit, name string, scopes ...string) string {
	b.t.Helper()
	fields := []string{"name=" + name}
	for _, s := range scopes {
		fields = append(fields, "scope="+s)
	}
	b.follow(create).press(submit, fields...).want(200, "Create "+name+"?")
	return b.press("Continue creating").want(200, "It is ready.").secret()
}

func TestPrivateAppsOf2025(t *testing.T) {
	p := in(t, 2025)
	b := p.surf(admin)
	b.want(200, "Settings").follow("Private Apps").want(200, "Settings → Integrations → Private Apps", "test app")
	token := makeApp(b, "Create a private app", "Create private app", "Newsletter", "crm.objects.contacts.read")

	status := func(token, path string) int { return p.callWith(token, "GET", path, "").status }
	if status(token, "/crm/v3/objects/contacts") != 200 || status(token, "/crm/v3/objects/companies") != 403 {
		t.Error("the token does not open what was ticked, or opens more")
	}

	b.follow("Logs").want(200, "/crm/v3/objects/contacts", "/crm/v3/objects/companies", "403", "2 calls in all")
	b.follow("Basic info and scopes").press("Commit changes", "scope=crm.objects.companies.read", "-crm.objects.contacts.read", "name=Companies").
		want(200, "Companies", "The token is the same.", "crm.objects.companies.read")
	if status(token, "/crm/v3/objects/contacts") != 403 || status(token, "/crm/v3/objects/companies") != 200 {
		t.Error("the token does not do what the app may now")
	}

	b.press("Rotate and expire this token later").want(200, "works until")
	second := b.secret()
	if second == token || status(token, "/crm/v3/objects/companies") != 200 || status(second, "/crm/v3/objects/companies") != 200 {
		t.Error("both tokens should work")
	}
	p.clock.Advance(7*24*time.Hour - time.Minute)
	if status(token, "/crm/v3/objects/companies") != 200 {
		t.Error("the old token stopped before its seven days")
	}
	p.clock.Advance(time.Minute)
	if a := p.callWith(token, "GET", "/crm/v3/objects/companies", ""); a.status != 401 || a.str("category") != "EXPIRED_AUTHENTICATION" {
		t.Error("the old token works after its seven days:", a.text)
	}
	b.visit(b.at).press("Rotate and expire this token later").press("Expire the old token now").want(200, "The old token stopped working.")
	if status(second, "/crm/v3/objects/companies") != 401 {
		t.Error("the old token was to expire now")
	}
	b.press("Rotate and expire this token now")
	third := b.secret()
	if status(third, "/crm/v3/objects/companies") != 200 {
		t.Error("the new token does not work")
	}

	b.follow("Delete Companies").want(200, "Delete Companies?", "Its last call was on").press("Keep it").want(200, "Companies")
	b.follow("Delete Companies").press("Delete")
	if strings.Contains(b.text(), "Companies") || status(third, "/crm/v3/objects/companies") != 401 {
		t.Error("the app is still there")
	}
}

func TestOneAppLimitsAllItsTokens(t *testing.T) {
	p := openWith(t, hubspot.Config{Year: 2025, TenSecondly: 3})
	b := p.surf(admin).follow("Private Apps")
	old := makeApp(b, "Create a private app", "Create private app", "x", "crm.objects.contacts.read")
	fresh := b.press("Rotate and expire this token later").secret()
	var got []int
	for _, token := range []string{old, fresh, old, fresh} {
		got = append(got, p.callWith(token, "GET", "/crm/v3/objects/contacts", "").status)
	}
	if diff := cmp.Diff([]int{200, 200, 200, 429}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheFormOfAnApp(t *testing.T) {
	p := in(t, 2025)
	create := p.path("private-apps") + "/create"
	tests := []struct{ name, fields, want string }{
		{"a name is wanted", "scope=tickets", "Give it a name."},
		{"and not a very long one", "scope=tickets|name=" + strings.Repeat("x", 101), "The name has 101 characters"},
		{"a scope is wanted", "name=x", "Tick one scope at least."},
		{"a description has an end", "name=x|scope=tickets|description=" + strings.Repeat("x", 1001), "may have 1000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.surf(admin).visit(create).press("Create private app", strings.Split(test.fields, "|")...).want(200, "This must be mended first", test.want)
		})
	}
	t.Run("a scope that does not exist is refused", func(t *testing.T) {
		b := p.surf(admin)
		r := httptest.NewRequest("POST", create, strings.NewReader("name=x&step=confirm&scope=crm.objects.unicorns.read"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		b.send(r).want(200, "There is no scope crm.objects.unicorns.read.")
	})
	t.Run("a search keeps what was ticked", func(t *testing.T) {
		b := p.surf(admin).visit(create)
		b.press("Search", "name=Deals", "find=deals", "scope=crm.objects.contacts.read").want(200, "1 ticked")
		if n := len(b.all("input", "type", "checkbox")); n == 0 || n > 12 {
			t.Errorf("%d boxes are shown for deals", n)
		}
		b.press("Search", "find=", "scope=crm.objects.deals.write").want(200, "2 ticked")
		for _, scope := range []string{"crm.objects.contacts.read", "crm.objects.deals.write"} {
			if boxes := b.all("input", "value", scope, "type", "checkbox"); len(boxes) != 1 || !has(boxes[0], "checked") {
				t.Errorf("%s is not ticked", scope)
			}
		}
		b.press("Search", "find=unicorn").want(200, "No scope is called “unicorn”.", "2 ticked")
		b.press("Create private app").want(200, "Read contacts", "Create, change and delete deals")
		b.press("Go back").want(200, "2 ticked")
	})
	t.Run("every box has a name for those who hear the page", func(t *testing.T) {
		for _, box := range p.surf(admin).visit(create).all("input", "type", "checkbox") {
			if attribute(box, "aria-label") == "" {
				t.Errorf("%s has none", attribute(box, "value"))
			}
		}
	})
	t.Run("the twenty-first private app is refused", func(t *testing.T) {
		for n := range 19 { // with the one that every test's account has
			p.s.CreateToken(hubspot.TokenSpec{Name: fmt.Sprint("app ", n)})
		}
		p.surf(admin).visit(create).press("Create private app", "name=x", "scope=tickets").want(200, "An account can have 20 private apps.")
	})
}

func TestWhatEachYearAllows(t *testing.T) {
	tests := []struct {
		name       string
		year       int
		date       time.Time
		path, want string
		status     int
		create     bool
	}{
		{"2022 has API keys", 2022, time.Time{}, "api-key", "This account has no key.", 200, false},
		{"2023 has none", 2023, time.Time{}, "api-key", "API keys are gone.", 200, false},
		{"2025 says how to move on", 2025, time.Time{}, "api-key", "Settings → Integrations → Private Apps", 200, false},
		{"today says it too", 0, day(2026, 11, 23), "api-key", "Development → Keys → Service keys", 200, false},
		{"2025 makes private apps", 2025, time.Time{}, "private-apps", "Private Apps", 200, true},
		{"so does the last day", 0, day(2026, 10, 25), "private-apps", "Legacy apps", 200, true},
		{"today does not", 0, day(2026, 11, 23), "private-apps", "Private apps can no longer be created: since 28 September 2026", 200, false},
		{"nor by its address", 0, day(2026, 11, 23), "private-apps/create", "can no longer be created", 409, false},
		{"2025 has no service keys", 2025, time.Time{}, "service-keys", "Service keys exist since 10 February 2026.", 200, false},
		{"today has", 0, day(2026, 11, 23), "service-keys", "Development → Keys → Service keys", 200, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := in(t, test.year)
			if !test.date.IsZero() {
				p.clock.Set(test.date)
			}
			name, rest, _ := strings.Cut(test.path, "/")
			b := p.surf(admin).visit(strings.TrimSuffix(p.path(name)+"/"+rest, "/")).want(test.status, test.want)
			if got := strings.Contains(b.text(), "Create a "); got != test.create {
				t.Errorf("can create: %v", got)
			}
		})
	}
}

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
}

func TestServiceKeysOfToday(t *testing.T) {
	p := in(t, 0)
	p.clock.Set(day(2026, 11, 23))
	b := p.surf(admin).follow("Legacy apps").want(200, "can no longer be created").follow("service key").want(200, "There are none.")
	token := makeApp(b, "Create a service key", "Create service key", "Nightly report", "crm.objects.deals.read")
	if a := p.callWith(token, "GET", "/crm/objects/2026-09/deals", ""); a.status != 200 {
		t.Error(a.text)
	}
	b.follow("Hide token").want(200, "pat-na1-••••••••")
	if strings.Contains(b.text(), token) {
		t.Error("the token is shown")
	}
	if got := b.follow("Show token").secret(); got != token {
		t.Errorf("the page shows %s", got)
	}
	if p.s.Tokens()[1].Kind != hubspot.ServiceKey || p.s.Tokens()[1].UserID != p.s.Users()[0].ID {
		t.Errorf("%+v", p.s.Tokens()[1])
	}
}

func TestTheAPIKeyOf2022(t *testing.T) {
	p := in(t, 2022)
	call := func(key string) answer { return p.callWith("", "GET", "/crm/v3/objects/deals?hapikey="+key, "") }
	if a := p.callWith("", "GET", "/crm/v3/objects/deals", ""); !strings.Contains(a.str("message"), "supports both API Key and OAuth 2.0") {
		t.Error(a.text)
	}
	b := p.surf(admin).follow("API key").press("Generate API key")
	key := b.secret()
	if a := call(key); a.status != 200 || a.header.Get("X-HubSpot-RateLimit-Max") == "" {
		t.Error(a.status, a.text)
	}
	if a := p.callWith(key, "GET", "/crm/v3/objects/deals", ""); a.status != 401 {
		t.Error("a key is no bearer token:", a.text)
	}
	b.follow("Hide the key").want(200, "This account has a key", "/crm/v3/objects/deals", "200")
	if strings.Contains(b.text(), key) {
		t.Error("the log shows the key")
	}
	p.clock.Advance(8 * 24 * time.Hour)
	b.visit(b.at).want(200, "No call was made in the last seven days.")
	if fresh := b.press("Rotate").secret(); fresh == key || call(key).status != 401 || call(fresh).status != 200 {
		t.Error("the rotation did not take")
	} else if b.press("Deactivate key").want(200, "This account has no key."); call(fresh).status != 401 {
		t.Error("the key works after it was deactivated")
	}
	if a := call("00000000-fa4e-0000-0000-000000000000"); a.status != 401 || !strings.HasPrefix(a.str("message"), "The API key provided is invalid.") {
		t.Error(a.text)
	}
}

func TestTheAPIKeyEnds(t *testing.T) {
	p := in(t, 0)
	p.clock.Set(time.Date(2022, 11, 29, 23, 59, 0, 0, time.UTC))
	key := p.surf(admin).visit(p.path("api-key")).press("Generate API key").secret()
	call := func() int {
		return p.callWith("", "GET", "/crm/v3/objects/contacts?hapikey="+key, "").status
	}
	before := call()
	p.clock.Advance(time.Minute)
	if after := call(); before != 200 || after != 401 {
		t.Error(before, after)
	}
}

func TestAnOrdinaryUserIsToldWhoCan(t *testing.T) {
	for _, test := range []struct {
		year  int
		paths string
	}{
		{2022, "api-key"},
		{2025, "private-apps private-apps/create developer-projects"},
		{2026, "service-keys service-keys/create developer-projects"},
	} {
		p := in(t, test.year)
		for path := range strings.FieldsSeq(test.paths) {
			name, rest, _ := strings.Cut(path, "/")
			b := p.surf(ordinary).visit(strings.TrimSuffix(p.path(name)+"/"+rest, "/"))
			b.want(403, "Ask Sam Admin", "sam.admin@brightwater.example", "must be a super admin")
			if len(b.all("form")) != 1 { // to sign out
				t.Errorf("%s has a form", path)
			}
		}
		for _, verb := range []string{"api-key/%s/generate", "private-apps/%s/create", "service-keys/%s/create", "developer-projects/%s", "connected-apps/%s/uninstall"} {
			before := len(p.s.Tokens())
			r := httptest.NewRequest("POST", "/"+fmt.Sprintf(verb, portalText(p.s)), strings.NewReader("name=x&scope=tickets&step=confirm"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			p.surf(ordinary).send(r)
			if len(p.s.Tokens()) != before {
				t.Errorf("%s made a token", verb)
			}
		}
	}
}

func TestSigningIn(t *testing.T) {
	p := in(t, 2026)
	b := p.surf("").visit(p.path("service-keys")).want(200, "Sign in", "They have no password")
	b.press(admin).want(200, "Service keys")
	b.press("Sign out").want(200, "Sign in")
	b.visit(p.path("service-keys")).want(200, "They have no password")
	p.surf(admin).visit("/service-keys/4711").want(404, "There is no account 4711 here.")
	p.surf(admin).visit(p.path("service-keys") + "/4711").want(404)
	p.surf(admin).visit("/l/api-key/").want(200, "API keys are gone.")

	t.Run("leads on to this server only", func(t *testing.T) {
		for _, next := range []string{"https://elsewhere.example/", "//elsewhere.example", `/\elsewhere.example`, "javascript:alert(1)"} {
			if b := p.surf("").visit("/sign-in").press(admin, "next="+next); b.left != "" || !strings.HasPrefix(b.at, "/integrations-settings/") {
				t.Errorf("%s led to %s %s", next, b.at, b.left)
			}
		}
	})
	t.Run("a form of another site is refused", func(t *testing.T) {
		b := p.surf(admin)
		r := httptest.NewRequest("POST", p.path("service-keys")+"/create", strings.NewReader("name=x&scope=tickets&step=confirm"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Cookie", b.cookie)
		w := httptest.NewRecorder()
		if p.s.ServeHTTP(w, r); w.Code != 403 {
			t.Errorf("got %d", w.Code)
		}
	})
	t.Run("the script and the styles are files", func(t *testing.T) {
		for path, kind := range map[string]string{"/assets/hubspot.css": "text/css", "/assets/copy.js": "text/javascript"} {
			w := httptest.NewRecorder()
			p.s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) {
				t.Error(path, w.Code, w.Header())
			}
		}
	})
}
