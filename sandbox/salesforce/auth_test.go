package salesforce

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// form posts to the token endpoint.
func (o *org) form(path string, headers []string, pairs ...string) got {
	o.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return o.do("POST", path, v.Encode(), append([]string{"Content-Type: application/x-www-form-urlencoded", "Authorization: "}, headers...)...)
}

func (o *org) app(a App) App {
	o.t.Helper()
	made, err := o.CreateApp(a)
	if err != nil {
		o.t.Fatal(err)
	}
	return made
}

func TestClientCredentials(t *testing.T) {
	o := newOrg(t)
	app := o.app(App{Name: "sync"})
	g := o.form("/services/oauth2/token", nil, "grant_type", "client_credentials", "client_id", app.ClientID, "client_secret", app.ClientSecret)
	var keys []string
	for k := range g.JSON.(map[string]any) {
		keys = append(keys, k)
	}
	for _, k := range []string{"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at", "token_format", "api_instance_url"} {
		if g.str(k) == "" {
			t.Errorf("%s is missing or no text in %v", k, keys)
		}
	}
	if g.Status != 200 || g.Header.Get("Cache-Control") != "no-store" || g.at("expires_in") != nil || g.at("refresh_token") != nil || g.str("token_type") != "Bearer" {
		t.Errorf("got %d %s %s", g.Status, g.Header, g.Body)
	}
	o.token = g.str("access_token")
	if me := o.do("GET", "/services/oauth2/userinfo", ""); me.str("preferred_username") != IntegrationUsername || !strings.HasPrefix(me.str("user_id"), "005") || me.str("organization_id") != o.OrgID() {
		t.Errorf("userinfo: %s", me.Body)
	}
	path := strings.TrimPrefix(g.str("id"), o.Origin())
	if me := o.do("GET", path, ""); me.str("username") != IntegrationUsername || !strings.Contains(me.str("urls.rest"), "{version}") {
		t.Errorf("identity: %s", me.Body)
	}
	told := o.form("/services/oauth2/introspect", nil, "token", o.token, "client_id", app.ClientID, "client_secret", app.ClientSecret)
	if told.at("active") != true || told.str("username") != IntegrationUsername || told.at("exp").(float64)-told.at("iat").(float64) < 7200 {
		t.Errorf("introspect: %s", told.Body)
	}
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(app.ClientID+":"+app.ClientSecret))
	if g := o.form("/services/oauth2/token", []string{basic}, "grant_type", "client_credentials"); g.Status != 200 {
		t.Errorf("with HTTP Basic: %d %s", g.Status, g.Body)
	}
	if g := o.form("/services/oauth2/revoke", nil, "token", o.token); g.Status != 200 || g.Body != "" {
		t.Errorf("revoke: %d %s, want 200 and nothing", g.Status, g.Body)
	}
	if g := o.do("GET", "/limits", ""); g.Status != 401 {
		t.Errorf("a revoked token: %d, want 401", g.Status)
	}
}

func TestTokenRequestsThatAreRefused(t *testing.T) {
	o := newOrg(t)
	app := o.app(App{Name: "sync"})
	bare := o.app(App{Name: "bare", Flows: []Flow{RefreshToken}})
	o.AddUser(User{Username: "left@x.example", Inactive: true})
	left := o.app(App{Name: "left", RunAs: "left@x.example"})
	for _, c := range []struct {
		name        string
		headers     []string
		form        []string
		code, about string
	}{
		{"an unknown client", nil, []string{"grant_type", "client_credentials", "client_id", "x", "client_secret", "y"}, "invalid_client_id", "client identifier invalid"},
		{"a wrong secret", nil, []string{"grant_type", "client_credentials", "client_id", app.ClientID, "client_secret", "fake-wrong"}, "invalid_client", "invalid client credentials"},
		{"the shared login host", []string{"Host: login.salesforce.com"}, []string{"grant_type", "client_credentials", "client_id", app.ClientID, "client_secret", app.ClientSecret}, "invalid_grant", "request not supported on this domain"},
		{"the shared login host under a local name", []string{"Host: login.localhost:8182"}, []string{"grant_type", "client_credentials", "client_id", app.ClientID, "client_secret", app.ClientSecret}, "invalid_grant", "request not supported on this domain"},
		{"a refresh without the secret", nil, []string{"grant_type", "refresh_token", "client_id", app.ClientID, "refresh_token", "fake"}, "invalid_client", "invalid client credentials"},
		{"a code for an app without the web flow", nil, []string{"grant_type", "authorization_code", "client_id", app.ClientID, "client_secret", app.ClientSecret, "code", "fake"}, "unsupported_grant_type", "grant type not supported"},
		{"a flow that is off", nil, []string{"grant_type", "client_credentials", "client_id", bare.ClientID, "client_secret", bare.ClientSecret}, "invalid_grant", "no client credentials user enabled"},
		{"a run-as user who left", nil, []string{"grant_type", "client_credentials", "client_id", left.ClientID, "client_secret", left.ClientSecret}, "invalid_grant", "no client credentials user enabled"},
		{"the password flow, off by default", nil, []string{"grant_type", "password", "client_id", app.ClientID, "client_secret", app.ClientSecret, "username", IntegrationUsername, "password", "x"}, "unsupported_grant_type", "grant type not supported"},
		{"an unknown refresh token", nil, []string{"grant_type", "refresh_token", "client_id", app.ClientID, "client_secret", app.ClientSecret, "refresh_token", "fake"}, "invalid_grant", "expired access/refresh token"},
		{"no flow at all", nil, nil, "unsupported_grant_type", "grant type not supported"},
		{"an assertion that is none", nil, []string{"grant_type", jwtGrant, "assertion", "x.y"}, "invalid_grant", "invalid assertion"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := o.form("/services/oauth2/token", c.headers, c.form...)
			if diff := cmp.Diff(map[string]any{"error": c.code, "error_description": c.about}, g.JSON); diff != "" || g.Status != 400 {
				t.Errorf("%d (-want +got):\n%s", g.Status, diff)
			}
		})
	}
}

func TestRefreshTokensRotate(t *testing.T) {
	o := newOrg(t)
	app := o.app(App{Name: "web", RotateRefreshTokens: true})
	first := o.IssueRefreshToken(app.ClientID, IntegrationUsername)
	ask := func(token string) got {
		return o.form("/services/oauth2/token", nil, "grant_type", "refresh_token", "client_id", app.ClientID, "client_secret", app.ClientSecret, "refresh_token", token)
	}
	g := ask(first)
	second := g.str("refresh_token")
	if g.Status != 200 || second == "" || second == first {
		t.Fatalf("first use: %d %s", g.Status, g.Body)
	}
	o.token = g.str("access_token")
	if again := ask(first); again.str("error") != "invalid_grant" {
		t.Errorf("second use of a spent token: %s, want invalid_grant", again.Body)
	}
	if g := ask(second); g.str("error") != "invalid_grant" {
		t.Errorf("the rest of the chain: %s, want it dead", g.Body)
	}
	if g := o.do("GET", "/limits", ""); g.Status != 401 {
		t.Errorf("an access token of the chain: %d, want 401", g.Status)
	}
	plain := o.app(App{Name: "plain"})
	kept := o.IssueRefreshToken(plain.ClientID, IntegrationUsername)
	for range 2 {
		g := o.form("/services/oauth2/token", nil, "grant_type", "refresh_token", "client_id", plain.ClientID, "client_secret", plain.ClientSecret, "refresh_token", kept)
		if g.Status != 200 || g.at("refresh_token") != nil {
			t.Errorf("without rotation: %d %s", g.Status, g.Body)
		}
	}
}

func TestJWTBearer(t *testing.T) {
	o := newOrg(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	app := o.app(App{Name: "jwt", CertificatePEM: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})})
	other, _ := rsa.GenerateKey(rand.Reader, 2048)
	now := o.clock.Now()
	soon, past := now.Add(3*time.Minute).Unix(), now.Add(-time.Hour).Unix()
	for _, c := range []struct {
		name, algorithm, claims string
		key                     *rsa.PrivateKey
		want                    string
	}{
		{"as documented", "RS256", fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":"https://login.salesforce.com","exp":%d}`, app.ClientID, IntegrationUsername, soon), key, ""},
		{"exp as text", "RS256", fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":"https://test.salesforce.com","exp":"%d"}`, app.ClientID, IntegrationUsername, soon), key, ""},
		{"exp in milliseconds", "RS256", fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":"https://lockstep-dev-ed.my.salesforce.com/","exp":%d}`, app.ClientID, IntegrationUsername, soon*1000), key, ""},
		{"a list of audiences", "RS256", fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":["https://login.salesforce.com/"],"exp":%d}`, app.ClientID, IntegrationUsername, soon), key, ""},
		{"expired", "RS256", fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":"https://login.salesforce.com","exp":%d}`, app.ClientID, IntegrationUsername, past), key, "invalid_grant: invalid assertion"},
		{"signed by another key", "RS256", fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":"https://login.salesforce.com","exp":%d}`, app.ClientID, IntegrationUsername, soon), other, "invalid_grant: invalid assertion"},
		{"another algorithm", "none", fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":"https://login.salesforce.com","exp":%d}`, app.ClientID, IntegrationUsername, soon), key, "invalid_grant: invalid assertion"},
		{"a strange audience", "RS256", fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":"https://evil.example","exp":%d}`, app.ClientID, IntegrationUsername, soon), key, "invalid_grant: audience is invalid"},
		{"an unknown user", "RS256", fmt.Sprintf(`{"iss":%q,"sub":"nobody@x.example","aud":"https://login.salesforce.com","exp":%d}`, app.ClientID, soon), key, "invalid_grant: user hasn't approved this consumer"},
		{"an unknown client", "RS256", fmt.Sprintf(`{"iss":"x","sub":%q,"aud":"https://login.salesforce.com","exp":%d}`, IntegrationUsername, soon), key, "invalid_client_id: client identifier invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+c.algorithm+`","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(c.claims))
			digest := sha256.Sum256([]byte(signed))
			signature, err := rsa.SignPKCS1v15(nil, c.key, crypto.SHA256, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			g := o.form("/services/oauth2/token", []string{"Host: login.salesforce.com"}, "grant_type", jwtGrant, "assertion", signed+"."+base64.RawURLEncoding.EncodeToString(signature))
			problem := ""
			if g.Status != 200 {
				problem = g.str("error") + ": " + g.str("error_description")
			}
			if problem != c.want {
				t.Errorf("got %q, want %q", problem, c.want)
			}
		})
	}
}

func TestWhoMayUseAnAppByJWT(t *testing.T) {
	o := newOrg(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	ask := func(app App) string {
		claims := fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":"https://login.salesforce.com","exp":%d}`, app.ClientID, AdministratorUsername, o.clock.Now().Add(time.Minute).Unix())
		signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
		digest := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		g := o.form("/services/oauth2/token", nil, "grant_type", jwtGrant, "assertion", signed+"."+base64.RawURLEncoding.EncodeToString(signature))
		return g.str("error_description")
	}
	flows := []Flow{WebServer, RefreshToken, JWTBearer}
	self := o.app(App{Name: "self", CertificatePEM: certificate, Flows: flows, CallbackURLs: []string{callback}, PermittedUsers: SelfAuthorized})
	if got, want := ask(self), "user hasn't approved this consumer"; got != want {
		t.Errorf("before the user allowed it: %q, want %q", got, want)
	}
	refresh := o.exchange(self, o.code(self)).str("refresh_token")
	if got := ask(self); got != "" {
		t.Errorf("after the user allowed it: %q", got)
	}
	admin := o.app(App{Name: "admin", CertificatePEM: certificate, Flows: flows, CallbackURLs: []string{callback}, PermittedUsers: AdminApproved, ApprovedPermissionSets: []string{"Sync"}})
	if got, want := ask(admin), "user is not admin approved to access this app"; got != want {
		t.Errorf("before the administrator approved the user: %q, want %q", got, want)
	}
	if err := o.SavePermissionSet(PermissionSet{Name: "Sync"}); err != nil {
		t.Fatal(err)
	}
	if err := o.AssignPermissionSet("Sync", AdministratorUsername); err != nil {
		t.Fatal(err)
	}
	if got := ask(admin); got != "" {
		t.Errorf("with an approved permission set: %q", got)
	}
	if got := o.browser().logIn(AdministratorUsername).get(authorizeQuery(admin)); !strings.Contains(got.Location, "code=") {
		t.Errorf("who is approved is not asked, got %+v", got)
	}
	self.PermittedUsers, self.ApprovedProfiles = AdminApproved, []string{"Standard User"}
	if _, err := o.UpdateApp(self); err != nil {
		t.Fatal(err)
	}
	g := o.form("/services/oauth2/token", nil, "grant_type", "refresh_token", "client_id", self.ClientID, "client_secret", self.ClientSecret, "refresh_token", refresh)
	if got, want := g.str("error_description"), "user is not admin approved to access this app"; got != want {
		t.Errorf("a refresh after the policy changed: %q, want %q", got, want)
	}
}

func TestSessionsEndAfterTwoIdleHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg(t)
		status := func() int { return o.do("GET", "/limits", "").Status }
		for range 3 {
			time.Sleep(110 * time.Minute)
			if got := status(); got != 200 {
				t.Fatalf("used within two hours: %d, want 200", got)
			}
		}
		time.Sleep(2*time.Hour + 2*time.Second)
		g := o.do("GET", "/limits", "")
		want := []any{map[string]any{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}}
		if diff := cmp.Diff(want, g.JSON); diff != "" || g.Status != 401 {
			t.Errorf("after two idle hours: %d (-want +got):\n%s", g.Status, diff)
		}
	})
}

func TestSOAPLogin(t *testing.T) {
	o := newOrg(t)
	u := o.Users()[1]
	envelope := func(password string) string {
		return `<?xml version="1.0"?><se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"><se:Body><login xmlns="urn:partner.soap.sforce.com"><username>` + u.Username + `</username><password>` + password + `</password></login></se:Body></se:Envelope>`
	}
	for _, c := range []struct {
		name, path, password string
		status               int
		want                 []string
	}{
		{"password and token", "/services/Soap/u/50.0", u.Password + u.SecurityToken, 200, []string{"<soapenv:Envelope", "<sessionId>00D", "<serverUrl>https://lockstep-dev-ed.my.salesforce.com/services/Soap/u/50.0/00D", "<organizationId>" + o.OrgID() + "</organizationId>", "<sessionSecondsValid>7200<"}},
		{"a double slash and one at the end", "//services/Soap/u/64.0/", u.Password, 200, []string{"<sessionId>00D"}},
		{"a wrong password", "/services/Soap/u/50.0", "fake-wrong", 500, []string{"<faultcode>sf:INVALID_LOGIN</faultcode>", "<sf:exceptionMessage>Invalid username, password, security token; or user locked out.</sf:exceptionMessage>"}},
		{"a version without login", "/services/Soap/u/65.0", u.Password, 500, []string{"<faultcode>sf:UNSUPPORTED_API_VERSION</faultcode>"}},
		{"a retired version", "/services/Soap/u/20.0", u.Password, 500, []string{"UNSUPPORTED_API_VERSION"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := o.do("POST", c.path, envelope(c.password), "Content-Type: text/xml", "SOAPAction: login")
			if g.Status != c.status {
				t.Errorf("got %d, want %d", g.Status, c.status)
			}
			for _, w := range c.want {
				if !strings.Contains(g.Body, w) {
					t.Errorf("%s is not in %s", w, g.Body)
				}
			}
		})
	}
}

func TestRequestsWithoutASession(t *testing.T) {
	o := newOrg(t)
	for _, c := range []struct {
		name, method, path, authorization string
		status                            int
		body                              string
	}{
		{"no header", "GET", "/limits", "", 401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`},
		{"another scheme", "GET", "/limits", "Basic abc", 401, `[{"message":"INVALID_HEADER_TYPE","errorCode":"INVALID_AUTH_HEADER"}]`},
		{"an unknown token", "GET", "/limits", "Bearer fake", 401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`},
		{"userinfo without a token", "GET", "/services/oauth2/userinfo", "", 403, "Missing_OAuth_Token"},
		{"userinfo with a dead one", "GET", "/services/oauth2/userinfo", "Bearer fake", 403, "Bad_OAuth_Token"},
		{"the old scheme", "GET", "/limits/recordCount?sObjects=Account", "OAuth " + o.token, 200, `{"sObjects":[{"count":0,"name":"Account"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if g := o.do(c.method, c.path, "", "Authorization: "+c.authorization); g.Status != c.status || g.Body != c.body {
				t.Errorf("got %d %s, want %d %s", g.Status, g.Body, c.status, c.body)
			}
		})
	}
	if g := o.do("GET", "/services/data", "", "Authorization: "); g.Status != 200 || g.Header.Get("Sforce-Limit-Info") != "" {
		t.Errorf("the versions: %d %s, want 200 without a session and without Sforce-Limit-Info", g.Status, g.Header)
	}
}
