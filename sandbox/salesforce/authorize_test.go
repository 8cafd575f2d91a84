package salesforce

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const callback = "http://localhost:1717/callback"

// browser keeps a cookie and follows redirects inside the org.
type browser struct {
	*org
	cookie string
}

// visited is where a browser ended: on a page, or at a redirect out of the org.
type visited struct {
	Status   int
	Page     *document
	Location string
}

func (o *org) browser() *browser { return &browser{org: o} }

func (b *browser) send(method, path string, form url.Values, headers ...string) visited {
	b.t.Helper()
	for range 10 {
		body := ""
		if method == "POST" {
			body = form.Encode()
		}
		r := httptest.NewRequest(method, b.Origin()+path, strings.NewReader(body))
		if method == "POST" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if b.cookie != "" {
			r.Header.Set("Cookie", sessionCookie+"="+b.cookie)
		}
		for _, h := range headers {
			name, v, _ := strings.Cut(h, ": ")
			r.Header.Set(name, v)
		}
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			b.cookie = c.Value
		}
		to := w.Header().Get("Location")
		if to == "" {
			return visited{Status: w.Code, Page: parsePage(b.t, w.Body.String())}
		}
		if !strings.HasPrefix(to, "/") {
			return visited{Status: w.Code, Location: to}
		}
		method, path, headers = "GET", to, nil
	}
	b.t.Fatal("redirected ten times")
	return visited{}
}

func (b *browser) get(path string) visited { b.t.Helper(); return b.send("GET", path, nil) }

func (b *browser) post(path string, pairs ...string) visited {
	b.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return b.send("POST", path, v)
}

func (b *browser) logIn(username string) *browser {
	b.t.Helper()
	for _, u := range b.Users() {
		if u.Username == username {
			if got := b.post("/login", "username", username, "password", u.Password); got.Status != 200 {
				b.t.Fatalf("log in as %s: %d", username, got.Status)
			}
			return b
		}
	}
	b.t.Fatal("no user " + username)
	return nil
}

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

const verifier = "fake-verifier-of-at-least-forty-three-characters-0123456789"

func authorizeQuery(app App, pairs ...string) string {
	v := url.Values{"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": {callback}, "state": {"s 1"}, "code_challenge": {challengeOf(verifier)}}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			v.Del(pairs[i])
			continue
		}
		v.Set(pairs[i], pairs[i+1])
	}
	return authorizePath + "?" + v.Encode()
}

func (o *org) webApp(change func(*App)) App {
	o.t.Helper()
	a := App{Name: "web", CallbackURLs: []string{callback}, Flows: []Flow{WebServer, RefreshToken}, RequirePKCE: true, RotateRefreshTokens: true, PermittedUsers: SelfAuthorized}
	if change != nil {
		change(&a)
	}
	return o.app(a)
}

// code walks the web flow to its end.
func (o *org) code(app App, pairs ...string) string {
	o.t.Helper()
	b := o.browser().logIn(AdministratorUsername)
	got := b.post(authorizeQuery(app, pairs...), "decision", "allow")
	u, err := url.Parse(got.Location)
	if err != nil || u.Query().Get("code") == "" {
		o.t.Fatalf("no code in %q", got.Location)
	}
	return u.Query().Get("code")
}

func (o *org) exchange(app App, code string, pairs ...string) got {
	o.t.Helper()
	form := map[string]string{"grant_type": "authorization_code", "client_id": app.ClientID, "client_secret": app.ClientSecret, "code": code, "redirect_uri": callback, "code_verifier": verifier}
	for i := 0; i < len(pairs); i += 2 {
		form[pairs[i]] = pairs[i+1]
	}
	var list []string
	for k, v := range form {
		if v != "" {
			list = append(list, k, v)
		}
	}
	return o.form("/services/oauth2/token", nil, list...)
}

func TestTheWebFlowFromLoginToTokens(t *testing.T) {
	o := newOrg(t)
	app := o.webApp(nil)
	b := o.browser()
	ask := authorizeQuery(app, "scope", "api refresh_token")
	got := b.get(ask)
	if diff := cmp.Diff([]string{"Log in"}, got.Page.texts("h1")); diff != "" {
		t.Fatalf("a stranger meets the login page (-want +got):\n%s", diff)
	}
	start := got.Page.attribute("input[name=startURL]", "value")
	got = b.post("/login", "username", AdministratorUsername, "password", "fake-wrong", "startURL", start)
	if got.Status != 401 || len(got.Page.texts("[role=alert]")) != 1 {
		t.Errorf("a wrong password: %d %s", got.Status, got.Page.texts("[role=alert]"))
	}
	got = b.post("/login", "username", AdministratorUsername, "password", o.Users()[0].Password, "startURL", start)
	if diff := cmp.Diff([]string{"Manage user data via APIs (api)", "Perform requests at any time, also when you are away (refresh_token)"}, got.Page.texts("ul.scopes li")); diff != "" {
		t.Fatalf("the consent page says in words (-want +got):\n%s", diff)
	}
	got = b.post(ask, "decision", "allow")
	back, _ := url.Parse(got.Location)
	if !strings.HasPrefix(got.Location, callback+"?") || back.Query().Get("state") != "s 1" || back.Query().Get("code") == "" {
		t.Fatalf("back at %s", got.Location)
	}
	answer := o.exchange(app, back.Query().Get("code"))
	if answer.Status != 200 || answer.str("refresh_token") == "" || answer.str("scope") != "api refresh_token" || answer.at("expires_in") != nil {
		t.Fatalf("the exchange: %d %s", answer.Status, answer.Body)
	}
	o.token = answer.str("access_token")
	if g := o.do("GET", "/limits", ""); g.Status != 200 {
		t.Errorf("a call with the token: %d %s", g.Status, g.Body)
	}
	if again := b.get(ask); !strings.Contains(again.Location, "code=") {
		t.Errorf("who allowed it once is not asked again, got %+v", again)
	}
	if again := b.get(authorizeQuery(app, "scope", "api refresh_token", "prompt", "consent")); again.Page == nil || len(again.Page.texts("ul.scopes li")) != 2 {
		t.Errorf("prompt=consent asks again")
	}
	if again := b.get(authorizeQuery(app, "prompt", "login")); again.Page == nil || again.Page.texts("h1")[0] != "Log in" {
		t.Errorf("prompt=login wants a login")
	}
}

func TestAuthorizationRequestsThatAreRefused(t *testing.T) {
	o := newOrg(t)
	app := o.webApp(nil)
	other := o.webApp(func(a *App) { a.Name, a.Flows = "no web flow", []Flow{RefreshToken} })
	closed := o.webApp(func(a *App) {
		a.Name, a.PermittedUsers, a.ApprovedProfiles = "for few", AdminApproved, []string{"Nobody"}
	})
	b := o.browser().logIn(AdministratorUsername)
	for _, c := range []struct{ name, ask, want string }{
		{"no response type", authorizeQuery(app, "response_type", ""), "invalid_request: missing required parameter: response_type"},
		{"another response type", authorizeQuery(app, "response_type", "token"), "unsupported_response_type: response type not supported"},
		{"the flow is off", authorizeQuery(other), "unsupported_grant_type: grant type not supported"},
		{"PKCE is required and missing", authorizeQuery(app, "code_challenge", ""), "invalid_request: missing required code challenge"},
		{"a plain challenge", authorizeQuery(app, "code_challenge_method", "plain"), "invalid_request: code challenge method not supported: use S256"},
		{"a challenge that is no SHA-256", authorizeQuery(app, "code_challenge", "short"), "invalid_request: invalid code challenge"},
		{"a scope that the app lacks", authorizeQuery(app, "scope", "api full"), "invalid_scope: the requested scope is not allowed"},
		{"nobody approved the user", authorizeQuery(closed), "OAUTH_APP_ACCESS_DENIED: user is not admin approved to access this app"},
		{"no page may be shown", authorizeQuery(app, "prompt", "none"), "immediate_unsuccessful: the user has not approved the app"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := b.get(c.ask)
			u, err := url.Parse(got.Location)
			if err != nil || !strings.HasPrefix(got.Location, callback) || u.Query().Get("state") != "s 1" {
				t.Fatalf("not back at the app with its state: %+v", got)
			}
			if problem := u.Query().Get("error") + ": " + u.Query().Get("error_description"); problem != c.want {
				t.Errorf("got %q, want %q", problem, c.want)
			}
		})
	}
	for _, c := range []struct{ name, ask, want string }{
		{"an unknown app", authorizeQuery(App{ClientID: "x"}), "error=invalid_client_id"},
		{"another callback", authorizeQuery(app, "redirect_uri", callback+"/"), "error=redirect_uri_mismatch"},
	} {
		t.Run(c.name+" is told on a page, never by redirect", func(t *testing.T) {
			got := b.get(c.ask)
			if got.Status != 400 || got.Location != "" || len(got.Page.texts("code")) != 2 || got.Page.texts("code")[0] != c.want {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("the user says no", func(t *testing.T) {
		if got := b.post(authorizeQuery(app), "decision", "deny"); !strings.Contains(got.Location, "error=access_denied") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a form of another site", func(t *testing.T) {
		got := b.send("POST", authorizeQuery(app), url.Values{"decision": {"allow"}}, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site")
		if got.Status != 403 || got.Location != "" {
			t.Errorf("got %d to %q", got.Status, got.Location)
		}
	})
	t.Run("login leads nowhere else", func(t *testing.T) {
		for _, start := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`} {
			if got := o.browser().post("/login", "username", AdministratorUsername, "password", o.Users()[0].Password, "startURL", start); got.Location != "" {
				t.Errorf("%s leads to %s", start, got.Location)
			}
		}
	})
}

func TestCodeExchangesThatAreRefused(t *testing.T) {
	o := newOrg(t)
	app, other := o.webApp(nil), o.webApp(func(a *App) { a.Name = "other" })
	public := o.webApp(func(a *App) { a.Name, a.SecretOptional = "public", true })
	if g := o.exchange(public, o.code(public), "client_secret", ""); g.Status != 200 {
		t.Errorf("a public app needs no secret: %d %s", g.Status, g.Body)
	}
	loose := o.webApp(func(a *App) { a.Name, a.RequirePKCE = "loose", false })
	if g := o.exchange(loose, o.code(loose, "code_challenge", ""), "code_verifier", ""); g.Status != 200 {
		t.Errorf("without PKCE the secret is enough: %d %s", g.Status, g.Body)
	}
	spent := o.code(app)
	if g := o.exchange(app, spent); g.Status != 200 {
		t.Fatalf("the first use: %s", g.Body)
	}
	for _, c := range []struct {
		name  string
		app   App
		code  string
		pairs []string
		want  string
	}{
		{"a code twice", app, spent, nil, "invalid_grant: expired authorization code"},
		{"no code of ours", app, "fake", nil, "invalid_grant: invalid authorization code"},
		{"another app's code", other, o.code(app), nil, "invalid_grant: invalid authorization code"},
		{"no secret", app, o.code(app), []string{"client_secret", ""}, "invalid_client: invalid client credentials"},
		{"a wrong secret", public, o.code(public), []string{"client_secret", "fake-wrong"}, "invalid_client: invalid client credentials"},
		{"no verifier", app, o.code(app), []string{"code_verifier", ""}, "invalid_grant: authentication failure"},
		{"a wrong verifier", app, o.code(app), []string{"code_verifier", verifier + "x"}, "invalid_grant: authentication failure"},
		{"another callback", app, o.code(app), []string{"redirect_uri", "http://localhost:1718/"}, "redirect_uri_mismatch: redirect_uri must match configuration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := o.exchange(c.app, c.code, c.pairs...)
			if problem := g.str("error") + ": " + g.str("error_description"); g.Status != 400 || problem != c.want {
				t.Errorf("got %d %q, want %q", g.Status, problem, c.want)
			}
		})
	}
}

func TestCodesSessionsAndRefreshTokensEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg(t)
		app := o.webApp(func(a *App) { a.RefreshIdleDays, a.RotateRefreshTokens = 30, false })
		late := o.code(app)
		time.Sleep(codeLife + time.Second)
		if g := o.exchange(app, late); g.str("error_description") != "expired authorization code" {
			t.Errorf("a code after 15 minutes: %s", g.Body)
		}
		refresh := o.exchange(app, o.code(app)).str("refresh_token")
		ask := func() got {
			return o.form("/services/oauth2/token", nil, "grant_type", "refresh_token", "client_id", app.ClientID, "client_secret", app.ClientSecret, "refresh_token", refresh)
		}
		for range 3 {
			time.Sleep(29 * 24 * time.Hour)
			if g := ask(); g.Status != 200 {
				t.Fatalf("used within 30 days: %s", g.Body)
			}
		}
		o.token = ask().str("access_token")
		if err := o.SetSessionTimeout(15 * time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(16 * time.Minute)
		if g := o.do("GET", "/limits", ""); g.Status != 401 || g.str("0.errorCode") != "INVALID_SESSION_ID" {
			t.Errorf("after 16 idle minutes of 15: %d %s", g.Status, g.Body)
		}
		time.Sleep(30*24*time.Hour + time.Second)
		if g := ask(); g.str("error_description") != "expired access/refresh token" {
			t.Errorf("after 30 idle days: %s", g.Body)
		}
	})
	o := newOrg(t)
	for _, d := range []time.Duration{0, 14 * time.Minute, 25 * time.Hour, 15*time.Minute + time.Second} {
		if o.SetSessionTimeout(d) == nil {
			t.Errorf("a session timeout of %s is taken", d)
		}
	}
}

func TestASixthAuthorizationEndsTheFirst(t *testing.T) {
	o := newOrg(t)
	app := o.webApp(nil)
	var tokens []string
	for range 6 {
		tokens = append(tokens, o.exchange(app, o.code(app)).str("refresh_token"))
	}
	var alive []bool
	for _, token := range tokens {
		g := o.form("/services/oauth2/token", nil, "grant_type", "refresh_token", "client_id", app.ClientID, "client_secret", app.ClientSecret, "refresh_token", token)
		alive = append(alive, g.Status == 200)
	}
	if diff := cmp.Diff([]bool{false, true, true, true, true, true}, alive); diff != "" {
		t.Errorf("refresh tokens alive (-want +got):\n%s", diff)
	}
}

func TestWhatATokenOfTheWebFlowMayDo(t *testing.T) {
	o := newOrg(t)
	app := o.webApp(func(a *App) { a.Scopes = []string{"api", "web", "id", "refresh_token"} })
	g := o.exchange(app, o.code(app, "scope", "web"))
	if g.at("refresh_token") != nil {
		t.Errorf("a refresh token without its scope: %s", g.Body)
	}
	o.token = g.str("access_token")
	g = o.do("GET", "/limits", "")
	if g.Status != 401 || g.Body != `[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]` {
		t.Errorf("without the api scope: %d %s", g.Status, g.Body)
	}
	refresh := o.exchange(app, o.code(app)).str("refresh_token")
	told := o.form("/services/oauth2/introspect", nil, "token", refresh, "client_id", app.ClientID, "client_secret", app.ClientSecret)
	if told.at("active") != true || told.str("token_type") != "refresh_token" {
		t.Errorf("introspect a refresh token: %s", told.Body)
	}
	if g := o.do("GET", "/services/oauth2/revoke?token="+url.QueryEscape(refresh), "", "Authorization: "); g.Status != 200 {
		t.Errorf("revoke by GET: %d %s", g.Status, g.Body)
	}
	told = o.form("/services/oauth2/introspect", nil, "token", refresh, "client_id", app.ClientID, "client_secret", app.ClientSecret)
	if told.Body != `{"active":false}` {
		t.Errorf("introspect a revoked one: %s", told.Body)
	}
}

func TestAppsThatAreRefused(t *testing.T) {
	o := newOrg(t)
	for _, c := range []struct {
		name string
		app  App
		want string
	}{
		{"a callback over plain http", App{CallbackURLs: []string{"http://sync.example/cb"}}, "must be https"},
		{"a callback with a fragment", App{CallbackURLs: []string{"https://sync.example/#x"}}, "neither a fragment nor a user"},
		{"a script as callback", App{CallbackURLs: []string{"javascript://x/%0aalert(1)"}}, "no app answers to"},
		{"a relative callback", App{CallbackURLs: []string{"/cb"}}, "no absolute address"},
		{"the web flow without a callback", App{Flows: []Flow{WebServer}}, "needs a callback URL"},
		{"an unknown flow", App{Flows: []Flow{"device"}}, "which is none"},
		{"an unknown scope", App{Scopes: []string{"everything"}}, "cannot be given"},
		{"a certificate that is none", App{CertificatePEM: []byte("x")}, "no PEM block"},
		{"an unknown run-as user", App{RunAs: "nobody@x.example"}, "no such user"},
		{"years of idle life", App{RefreshIdleDays: 1000}, "idle days"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := o.CreateApp(c.app); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
	app := o.app(App{Name: "kept"})
	rotated, err := o.RotateSecret(app.ClientID)
	if err != nil || rotated.ClientSecret == app.ClientSecret {
		t.Fatalf("rotate: %v", err)
	}
	for secret, want := range map[string]int{app.ClientSecret: 400, rotated.ClientSecret: 200} {
		if g := o.form("/services/oauth2/token", nil, "grant_type", "client_credentials", "client_id", app.ClientID, "client_secret", secret); g.Status != want {
			t.Errorf("after the rotation: %d %s, want %d", g.Status, g.Body, want)
		}
	}
	if err := o.DeleteApp(app.ClientID); err != nil {
		t.Fatal(err)
	}
	if g := o.form("/services/oauth2/token", nil, "grant_type", "client_credentials", "client_id", app.ClientID, "client_secret", rotated.ClientSecret); g.str("error") != "invalid_client_id" {
		t.Errorf("after the deletion: %s", g.Body)
	}
}

func TestManyRefreshAtOnceAndOneChainSurvivesOrDies(t *testing.T) {
	o := newOrg(t)
	app := o.webApp(nil)
	first := o.exchange(app, o.code(app)).str("refresh_token")
	results := make(chan string, 8)
	for range 8 {
		go func() {
			r := httptest.NewRequest("POST", o.Origin()+"/services/oauth2/token", strings.NewReader(url.Values{"grant_type": {"refresh_token"},
				"client_id": {app.ClientID}, "client_secret": {app.ClientSecret}, "refresh_token": {first}}.Encode()))
			w := httptest.NewRecorder()
			o.ServeHTTP(w, r)
			results <- fmt.Sprint(w.Code)
		}()
	}
	won := 0
	for range 8 {
		if <-results == fmt.Sprint(http.StatusOK) {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of 8 got a new token for one refresh token, want 1", won)
	}
}
