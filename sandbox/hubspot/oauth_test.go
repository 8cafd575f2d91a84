package hubspot_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

const redirect = "http://localhost:3000/oauth-callback"

const appFile = `{"uid": "sync", "type": "app", "config": {"name": "Sync", "description": "Keeps things in step", "distribution": "private",
  "auth": {"type": "oauth", "redirectUrls": ["` + redirect + `", "https://sync.example/back?from=hubspot"],
    "requiredScopes": ["crm.objects.contacts.read"], "optionalScopes": ["tickets"], "conditionallyRequiredScopes": ["crm.objects.deals.read"]}}}`

// developed is a server of two accounts with an OAuth app.
type developed struct {
	*portal
	app    hubspot.ProjectApp
	second *hubspot.Server
}

func develop(t *testing.T, config hubspot.Config) *developed {
	config.Accounts = 2
	p := openWith(t, config)
	if config.Year == 0 {
		p.clock.Set(day(2026, 11, 23))
	}
	app, err := p.s.UploadApp([]byte(appFile))
	if err != nil {
		t.Fatal(err)
	}
	return &developed{p, app, p.s.Accounts()[1]}
}

// authorizeURL is the install address; more is "name=value" and takes the place of what is there.
func (d *developed) authorizeURL(more ...string) string {
	q := url.Values{"client_id": {d.app.ClientID}, "redirect_uri": {redirect}, "scope": {"oauth crm.objects.contacts.read"}}
	path := "/oauth/authorize"
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		switch {
		case name == "portal":
			path = "/oauth/" + value + "/authorize"
		case value == "":
			q.Del(name)
		default:
			q.Set(name, value)
		}
	}
	return path + "?" + q.Encode()
}

// code installs the app by its page and returns the code that the app gets.
func (d *developed) code(account *hubspot.Server, more ...string) string {
	d.t.Helper()
	b := d.surf(admin).visit(d.authorizeURL(more...)).press("Connect app", "portal="+portalText(account))
	back, err := url.Parse(b.left)
	if err != nil || back.Query().Get("code") == "" {
		d.t.Fatalf("no code came back: %s %s", b.left, b.text())
	}
	return back.Query().Get("code")
}

// form posts to an OAuth endpoint, with the app's id and secret unless others are given.
func (d *developed) form(path string, fields ...string) answer {
	d.t.Helper()
	values := url.Values{"client_id": {d.app.ClientID}, "client_secret": {d.app.ClientSecret}}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		values.Set(name, value)
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return d.send(r)
}

func (d *developed) exchange(path, code string, more ...string) answer {
	d.t.Helper()
	return d.form(path, append([]string{"grant_type=authorization_code", "code=" + code, "redirect_uri=" + redirect}, more...)...)
}

func TestInstallingByOAuth(t *testing.T) {
	d := develop(t, hubspot.Config{})
	b := d.surf("").visit(d.authorizeURL("state=s1", "optional_scope=tickets crm.objects.quotes.read")).want(200, "Sign in")
	b.press(admin).want(200, "Connect Sync to HubSpot", "Keeps things in step", "Read contacts", "And, as the account has it", "Read and change tickets", portalText(d.second))
	if strings.Contains(b.text(), "quotes") {
		t.Error("an optional scope that the app does not have is not dropped")
	}
	if csp := b.header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "form-action 'self' http://localhost:3000") {
		t.Error(csp)
	}
	b.press("Connect app", "portal="+portalText(d.second))
	back, _ := url.Parse(b.left)
	if !strings.HasPrefix(b.left, redirect+"?") || back.Query().Get("state") != "s1" {
		t.Fatal(b.left)
	}
	code := back.Query().Get("code")
	a := d.exchange("/oauth/2026-09/token", code)
	access, refresh := a.str("access_token"), a.str("refresh_token")
	want := map[string]any{"token_type": "bearer", "access_token": access, "refresh_token": refresh, "expires_in": 1800.0, "hub_id": float64(d.second.PortalID()),
		"scopes": []any{"crm.objects.contacts.read", "oauth", "tickets"}, "user_id": float64(d.s.Users()[0].ID), "token_use": "access_token"}
	if diff := cmp.Diff(want, a.body); diff != "" || a.status != 200 || !strings.HasPrefix(refresh, "na1-") {
		t.Error(a.status, diff)
	}
	if a := d.exchange("/oauth/2026-09/token", code); a.str("status") != "BAD_AUTH_CODE" {
		t.Error("the code can be used twice:", a.text)
	}

	t.Run("the token opens the account that was chosen", func(t *testing.T) {
		id := d.second.Insert("contacts", map[string]string{"email": "second@acme.example"}, time.Time{}, time.Time{})
		a := d.callWith(access, "GET", "/crm/v3/objects/contacts", "")
		if a.status != 200 || len(a.list("results")) != 1 || a.str("results", 0, "id") != id {
			t.Error(a.status, a.text)
		}
		if a.header.Get("X-HubSpot-RateLimit-Max") != "110" || a.header.Get("X-HubSpot-RateLimit-Daily") != "" {
			t.Error(a.header)
		}
		if a := d.callWith(access, "GET", "/account-info/v3/details", ""); a.at("portalId") != float64(d.second.PortalID()) {
			t.Error(a.text)
		}
		if a := d.callWith(access, "GET", "/crm/v3/objects/companies", ""); a.status != 403 {
			t.Error(a.text)
		}
	})
	t.Run("lives for thirty minutes", func(t *testing.T) {
		d.clock.Advance(30*time.Minute - time.Second)
		if a := d.callWith(access, "GET", "/crm/v3/objects/contacts", ""); a.status != 200 {
			t.Error(a.text)
		}
		d.clock.Advance(2 * time.Second)
		if a := d.callWith(access, "GET", "/crm/v3/objects/contacts", ""); a.status != 401 || a.str("category") != "EXPIRED_AUTHENTICATION" {
			t.Error(a.text)
		}
	})
	t.Run("and is followed by another with the same refresh token", func(t *testing.T) {
		one := d.form("/oauth/v3/token", "grant_type=refresh_token", "refresh_token="+refresh)
		two := d.form("/oauth/v1/token", "grant_type=refresh_token", "refresh_token="+refresh)
		if one.str("refresh_token") != refresh || two.str("refresh_token") != refresh || one.str("access_token") == two.str("access_token") {
			t.Error(one.text, two.text)
		}
		if _, told := two.body["hub_id"]; told || len(two.body) != 4 {
			t.Error("v1 tells more than it does:", two.text)
		}
		for _, a := range []answer{one, two} { // refreshing does not end the token before
			if got := d.callWith(a.str("access_token"), "GET", "/crm/v3/objects/contacts", "").status; got != 200 {
				t.Error(got)
			}
		}
		less := d.form("/oauth/v3/token", "grant_type=refresh_token", "refresh_token="+refresh, "scope=crm.objects.contacts.read")
		if diff := cmp.Diff([]any{"crm.objects.contacts.read", "oauth"}, less.list("scopes")); diff != "" {
			t.Error(diff)
		}
	})
	if n := d.s.Calls().ByRoute["POST oauth/token"]; n < 3 {
		t.Errorf("%d token calls were counted", n)
	}
}

func TestAuthorizeRefusals(t *testing.T) {
	d := develop(t, hubspot.Config{})
	toPerson := []struct{ name, change, want string }{
		{"an unknown app", "client_id=00000000-fake", "There is no OAuth app with this client_id."},
		{"no app", "client_id=", "There is no OAuth app"},
		{"an address that is not the app's", "redirect_uri=https://evil.example/", "is not one of the app's redirect URLs"},
		{"almost the app's address", "redirect_uri=" + redirect + "/", "to the letter"},
		{"an account that is not here", "portal=4711", "There is no account 4711 here."},
	}
	for _, test := range toPerson {
		t.Run(test.name+" is told to the person", func(t *testing.T) {
			d.surf(admin).visit(d.authorizeURL(test.change)).want(400, test.want)
		})
	}
	toApp := []struct{ name, change, code, want string }{
		{"no scope", "scope=", "invalid_request", "scope is missing"},
		{"a scope that does not exist", "scope=oauth crm.objects.unicorns.read", "invalid_scope", "unknown scope: crm.objects.unicorns.read"},
		{"a required scope that was left out", "scope=oauth crm.objects.deals.read", "invalid_scope", "the app requires crm.objects.contacts.read"},
		{"a scope that the app's file does not hold", "scope=crm.objects.contacts.read crm.objects.contacts.write", "invalid_scope", "do not hold crm.objects.contacts.write"},
		{"a plain challenge", "code_challenge_method=plain&code_challenge=x", "invalid_request", "must be S256"},
		{"a method without a challenge", "code_challenge_method=S256", "invalid_request", "code_challenge is missing"},
	}
	for _, test := range toApp {
		t.Run(test.name+" is told to the app", func(t *testing.T) {
			b := d.surf("").visit(d.authorizeURL(append(strings.Split(test.change, "&"), "state=a b")...))
			back, _ := url.Parse(b.left)
			q := back.Query()
			if !strings.HasPrefix(b.left, redirect) || q.Get("error") != test.code || !strings.Contains(q.Get("error_description"), test.want) || q.Get("state") != "a b" {
				t.Error(b.status, b.left, b.text())
			}
		})
	}
	t.Run("a person who cancels is told to the app", func(t *testing.T) {
		if b := d.surf(admin).visit(d.authorizeURL()).press("Cancel"); !strings.HasPrefix(b.left, redirect+"?error=access_denied") {
			t.Error(b.left)
		}
	})
	t.Run("an ordinary user is told who can", func(t *testing.T) {
		b := d.surf(ordinary).visit(d.authorizeURL()).want(200, "Ask Sam Admin", "App Marketplace Access")
		if strings.Contains(b.text(), "Connect app") {
			t.Error("the button is there")
		}
		r := httptest.NewRequest("POST", d.authorizeURL(), strings.NewReader("decision=allow&portal="+portalText(d.s)))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if b.send(r).want(403, "You cannot install apps"); b.left != "" {
			t.Error(b.left)
		}
	})
	t.Run("a redirect URL keeps its own query", func(t *testing.T) {
		b := d.surf(admin).visit(d.authorizeURL("redirect_uri=https://sync.example/back?from=hubspot")).press("Connect app")
		if back, _ := url.Parse(b.left); back.Query().Get("from") != "hubspot" || back.Query().Get("code") == "" {
			t.Error(b.left)
		}
	})
	t.Run("an account in the address is the only choice", func(t *testing.T) {
		b := d.surf(admin).visit(d.authorizeURL("portal="+portalText(d.second))).want(200, "Account "+portalText(d.second))
		if boxes := b.all("input", "type", "radio"); len(boxes) != 1 || !has(boxes[0], "checked") {
			t.Error("other accounts can be chosen")
		}
	})
}

func TestTokenRefusals(t *testing.T) {
	d := develop(t, hubspot.Config{})
	tokens, err := d.s.Install(d.app.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	pkce := []string{"code_challenge=" + base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method=S256"}
	code := func(more ...string) string { return "code=" + d.code(d.s, more...) }
	const grantCode, grantRefresh = "grant_type=authorization_code", "grant_type=refresh_token"
	const back = "redirect_uri=" + redirect
	tests := []struct {
		name          string
		fields        []string
		status, error string // "" means that it is granted
	}{
		{"no kind of grant", nil, "BAD_GRANT_TYPE", "unsupported_grant_type"},
		{"a kind that does not exist", []string{"grant_type=password"}, "BAD_GRANT_TYPE", "unsupported_grant_type"},
		{"an unknown client", []string{grantRefresh, "client_id=x"}, "BAD_CLIENT_ID", "invalid_client"},
		{"a wrong secret", []string{grantRefresh, "client_secret=x"}, "BAD_CLIENT_SECRET", "invalid_client"},
		{"an unknown code", []string{grantCode, back, "code=x"}, "BAD_AUTH_CODE", "invalid_grant"},
		{"another redirect", []string{grantCode, code(), "redirect_uri=https://sync.example/back?from=hubspot"}, "BAD_REDIRECT_URI", "invalid_grant"},
		{"no verifier", []string{grantCode, back, code(pkce...)}, "BAD_CODE_VERIFIER", "invalid_grant"},
		{"a wrong verifier", []string{grantCode, back, code(pkce...), "code_verifier=x"}, "BAD_CODE_VERIFIER", "invalid_grant"},
		{"a verifier for no challenge", []string{grantCode, back, code(), "code_verifier=" + verifier}, "BAD_CODE_VERIFIER", "invalid_grant"},
		{"the right verifier", []string{grantCode, back, code(pkce...), "code_verifier=" + verifier}, "", ""},
		{"an unknown refresh token", []string{grantRefresh, "refresh_token=na1-fa4e-x"}, "BAD_REFRESH_TOKEN", "invalid_grant"},
		{"no refresh token", []string{grantRefresh}, "BAD_REFRESH_TOKEN", "invalid_grant"},
		{"more scopes than were granted", []string{grantRefresh, "refresh_token=" + tokens.RefreshToken, "scope=tickets"}, "BAD_SCOPES", "invalid_scope"},
		{"an app's own token for contacts", []string{"grant_type=client_credentials", "scope=crm.objects.contacts.read"}, "BAD_SCOPES", "invalid_scope"},
		{"an app's own token for the journal", []string{"grant_type=client_credentials", "scope=developer.webhooks_journal.read"}, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := d.form("/oauth/2026-03/token", test.fields...)
			if test.status == "" {
				if a.status != 200 {
					t.Error(a.text)
				}
				return
			}
			want := map[string]any{"status": test.status, "message": a.str("message"), "error": test.error, "error_description": a.str("message")}
			if diff := cmp.Diff(want, a.body); diff != "" || a.status != 400 || a.str("message") == "" {
				t.Error(a.status, diff)
			}
		})
	}
	t.Run("a code ends after ten minutes", func(t *testing.T) {
		fields := []string{grantCode, back, code()}
		d.clock.Advance(10 * time.Minute)
		if a := d.form("/oauth/v3/token", fields...); a.str("status") != "BAD_AUTH_CODE" {
			t.Error(a.text)
		}
	})
	t.Run("the token calls take forms", func(t *testing.T) {
		if a := d.callWith("", "POST", "/oauth/v3/token", `{"grant_type":"refresh_token"}`); a.status != 415 {
			t.Error(a.status, a.text)
		}
	})
	t.Run("an app's own token opens no records", func(t *testing.T) {
		a := d.form("/oauth/v3/token", "grant_type=client_credentials", "scope=developer.webhooks_journal.read")
		if _, told := a.body["refresh_token"]; told || d.callWith(a.str("access_token"), "GET", "/crm/v3/objects/contacts", "").status != 403 {
			t.Error(a.text)
		}
	})
	t.Run("v1 tells a correlation id too", func(t *testing.T) {
		a := d.form("/oauth/v1/token", grantRefresh)
		if a.str("error") != "invalid_grant" || a.str("correlationId") == "" || a.str("status") != "BAD_REFRESH_TOKEN" {
			t.Error(a.text)
		}
	})
}

func TestTheOAuthOf2025(t *testing.T) {
	d := develop(t, hubspot.Config{Year: 2025})
	tokens, err := d.s.Install(d.app.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	a := d.form("/oauth/v1/token", "grant_type=refresh_token", "refresh_token=x")
	delete(a.body, "correlationId")
	if diff := cmp.Diff(map[string]any{"status": "BAD_REFRESH_TOKEN", "message": "refresh token is invalid, expired or revoked"}, a.body); diff != "" {
		t.Error(diff)
	}
	r := httptest.NewRequest("POST", "/oauth/v1/token?"+url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken},
		"client_id": {d.app.ClientID}, "client_secret": {d.app.ClientSecret}}.Encode(), nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a := d.send(r); a.status != 200 {
		t.Error("secrets in the query were read in 2025:", a.text)
	}
}

func TestTheFirstOAuthEnds(t *testing.T) {
	d := develop(t, hubspot.Config{})
	tokens, _ := d.s.Install(d.app.ClientID)
	fields := []string{"grant_type=refresh_token", "refresh_token=" + tokens.RefreshToken}
	d.clock.Set(time.Date(2027, 2, 16, 0, 0, 0, 0, time.UTC))
	if a, b := d.form("/oauth/v1/token", fields...), d.form("/oauth/v3/token", fields...); a.status != 404 || b.status != 200 {
		t.Error(a.status, b.status)
	}
}

func TestTokensAreLookedUp(t *testing.T) {
	d := develop(t, hubspot.Config{})
	tokens, _ := d.second.Install(d.app.ClientID, "tickets")
	common := map[string]any{"user": "sam.admin@brightwater.example", "hub_domain": "brightwater.example", "hub_id": float64(d.second.PortalID()),
		"user_id": float64(d.s.Users()[0].ID), "scopes": []any{"crm.objects.contacts.read", "oauth", "tickets"}}
	tests := []struct {
		name string
		a    answer
		more map[string]any
	}{
		{"an access token, by introspection", d.form("/oauth/v3/token/introspect", "token="+tokens.AccessToken, "token_type_hint=access_token"),
			map[string]any{"active": true, "token": tokens.AccessToken, "token_use": "access_token", "token_type": "Bearer", "client_id": d.app.ClientID,
				"app_id": float64(d.app.AppID), "is_private_distribution": true, "expires_in": 1800.0}},
		{"a refresh token, by introspection", d.form("/oauth/2026-09/token/introspect", "token="+tokens.RefreshToken, "token_type_hint=refresh_token"),
			map[string]any{"active": true, "token": tokens.RefreshToken, "token_use": "refresh_token", "token_type": "Bearer", "client_id": d.app.ClientID,
				"app_id": float64(d.app.AppID), "is_private_distribution": true}},
		{"an access token, by v1", d.callWith("", "GET", "/oauth/v1/access-tokens/"+tokens.AccessToken, ""),
			map[string]any{"token": tokens.AccessToken, "token_type": "access", "app_id": float64(d.app.AppID), "expires_in": 1800.0}},
		{"a refresh token, by v1", d.callWith("", "GET", "/oauth/v1/refresh-tokens/"+tokens.RefreshToken, ""),
			map[string]any{"token": tokens.RefreshToken, "token_type": "refresh", "client_id": d.app.ClientID, "app_id": float64(d.app.AppID)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := map[string]any{}
			for _, m := range []map[string]any{common, test.more} {
				for k, v := range m {
					want[k] = v
				}
			}
			delete(test.a.body, "signed_access_token")
			if seconds, told := test.a.body["expires_in"].(float64); told && seconds > 1790 { // the clock runs on
				test.a.body["expires_in"] = 1800.0
			}
			if diff := cmp.Diff(want, test.a.body); diff != "" {
				t.Error(diff)
			}
		})
	}
	if a := d.form("/oauth/v3/token/introspect", "token=unknown"); a.status != 200 || len(a.body) != 1 || a.at("active") != false {
		t.Error(a.text)
	}
	if a := d.callWith("", "POST", "/oauth/v2/private-apps/get/access-token-info", `{"tokenKey":"`+tokens.AccessToken+`"}`); a.at("hubId") != float64(d.second.PortalID()) {
		t.Error(a.text)
	}
	if a := d.callWith("", "GET", "/oauth/v1/refresh-tokens/unknown", ""); a.status != 404 {
		t.Error(a.text)
	}
}

func TestTokensEnd(t *testing.T) {
	works := func(d *developed, tokens hubspot.OAuthTokens) (access, refresh bool) {
		return d.callWith(tokens.AccessToken, "GET", "/crm/v3/objects/contacts", "").status == 200,
			d.form("/oauth/v3/token", "grant_type=refresh_token", "refresh_token="+tokens.RefreshToken).status == 200
	}
	tests := []struct {
		name            string
		end             func(*developed, hubspot.OAuthTokens)
		access, refresh bool
	}{
		{"a refresh token that is revoked leaves access tokens to their end", func(d *developed, o hubspot.OAuthTokens) {
			d.must200(d.form("/oauth/v3/token/revoke", "token="+o.RefreshToken, "token_type_hint=refresh_token"))
		}, true, false},
		{"so does one that is deleted", func(d *developed, o hubspot.OAuthTokens) {
			d.must(204, "DELETE", "/oauth/v1/refresh-tokens/"+o.RefreshToken, "")
		}, true, false},
		{"an access token that is revoked leaves the refresh token", func(d *developed, o hubspot.OAuthTokens) {
			d.must200(d.form("/oauth/2026-03/token/revoke", "token="+o.AccessToken))
		}, false, true},
		{"revoking what is unknown is no error", func(d *developed, _ hubspot.OAuthTokens) {
			d.must200(d.form("/oauth/v3/token/revoke", "token=unknown"))
		}, true, true},
		{"an app that uninstalls itself ends both", func(d *developed, o hubspot.OAuthTokens) {
			if a := d.callWith(o.AccessToken, "DELETE", "/appinstalls/v3/external-install", ""); a.status != 204 {
				d.t.Error(a.text)
			}
		}, false, false},
		{"an app that an admin uninstalls ends both", func(d *developed, _ hubspot.OAuthTokens) {
			b := d.surf(admin).visit("/connected-apps/"+portalText(d.second)).want(200, "Sync", "OAuth", "sam.admin@brightwater.example", "Read contacts")
			b.press("Uninstall Sync").want(200, "The app is uninstalled.", "No app is installed.")
		}, false, false},
		{"in one account is not in the other", func(d *developed, _ hubspot.OAuthTokens) {
			if _, err := d.s.Install(d.app.ClientID); err != nil {
				d.t.Error(err)
			}
			d.surf(admin).visit(d.path("connected-apps")).press("Uninstall Sync")
		}, true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := develop(t, hubspot.Config{})
			tokens, err := d.second.Install(d.app.ClientID)
			if err != nil {
				t.Fatal(err)
			}
			test.end(d, tokens)
			if access, refresh := works(d, tokens); access != test.access || refresh != test.refresh {
				t.Errorf("access token works: %v, refresh token works: %v", access, refresh)
			}
		})
	}
	t.Run("only an installed app uninstalls itself", func(t *testing.T) {
		d := develop(t, hubspot.Config{})
		if a := d.call("DELETE", "/appinstalls/2026-09/external-install", ""); a.status != 403 {
			t.Error(a.text)
		}
	})
}

func (d *developed) must200(a answer) {
	d.t.Helper()
	if a.status != 200 {
		d.t.Error(a.status, a.text)
	}
}

func TestAnInstalledAppHasItsOwnLimit(t *testing.T) {
	d := develop(t, hubspot.Config{Daily: 5})
	one, _ := d.s.Install(d.app.ClientID)
	other, _ := d.second.Install(d.app.ClientID)
	for n := range 110 {
		if a := d.callWith(one.AccessToken, "GET", "/crm/v3/objects/contacts?limit=1", ""); a.status != 200 {
			t.Fatal(n, a.text)
		}
	}
	a := d.callWith(one.AccessToken, "GET", "/crm/v3/objects/contacts", "")
	if a.status != 429 || a.str("policyName") != "TEN_SECONDLY_ROLLING" || !strings.Contains(a.str("groupName"), "oauth") {
		t.Error(a.text)
	}
	if a := d.callWith(other.AccessToken, "GET", "/crm/v3/objects/contacts", ""); a.status != 200 {
		t.Error("each account that installed it has its own ten seconds:", a.text)
	}
}

func TestCredentialsSurvive(t *testing.T) {
	d := develop(t, hubspot.Config{})
	tokens, _ := d.second.Install(d.app.ClientID)
	d.second.Insert("contacts", map[string]string{"email": "kept@acme.example"}, time.Time{}, time.Time{})
	d.surf(admin).visit(d.path("service-keys")+"/create").press("Create service key", "name=Kept", "scope=tickets").press("Continue creating").
		press("Rotate and expire this token later")
	var saved bytes.Buffer
	if err := d.s.SaveState(&saved); err != nil {
		t.Fatal(err)
	}
	again := develop(t, hubspot.Config{})
	if err := again.s.LoadState(bytes.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.s.Apps(), again.s.Apps()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(d.s.ProjectApps(), again.s.ProjectApps()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(d.s.Tokens(), again.s.Tokens()); diff != "" {
		t.Error(diff)
	}
	if a := again.callWith(tokens.AccessToken, "GET", "/crm/v3/objects/contacts", ""); len(a.list("results")) != 1 {
		t.Error(a.text)
	}
	fresh := again.form("/oauth/v3/token", "grant_type=refresh_token", "refresh_token="+tokens.RefreshToken)
	if fresh.status != 200 || fresh.str("access_token") == tokens.AccessToken {
		t.Error(fresh.text)
	}
}
