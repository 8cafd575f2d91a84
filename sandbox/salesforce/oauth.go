package salesforce

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oauthError is a refusal of the token endpoint.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm
type oauthError struct {
	code, description string
}

func (e *oauthError) Error() string { return e.code + ": " + e.description }

func (e *oauthError) reply() *reply {
	w := &jsonWriter{}
	w.open('{').key("error").str(e.code).key("error_description").str(e.description).close('}')
	return answer(http.StatusBadRequest, w.b).with("Cache-Control", "no-store")
}

func grantError(description string) error { return &oauthError{"invalid_grant", description} }

const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// form reads the form of a request; parameters of the address count too.
func (c *call) form() url.Values {
	f, err := url.ParseQuery(string(c.body))
	if err != nil {
		f = url.Values{}
	}
	for k, v := range c.query {
		if !f.Has(k) {
			f[k] = v
		}
	}
	return f
}

// clientOf reads client id and secret from the form or from HTTP Basic.
func (c *call) clientOf(form url.Values) (id, secret string) {
	id, secret = form.Get("client_id"), form.Get("client_secret")
	if encoded, ok := strings.CutPrefix(c.header.Get("Authorization"), "Basic "); ok && id == "" {
		if b, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			id, secret, _ = strings.Cut(string(b), ":")
			if plainID, err := url.QueryUnescape(id); err == nil {
				id = plainID
			}
			if plainSecret, err := url.QueryUnescape(secret); err == nil && !strings.Contains(secret, "+") {
				secret = plainSecret
			}
		}
	}
	return id, secret
}

// token answers the token endpoint.
func (c *call) token() (*reply, error) {
	form := c.form()
	s := c.server
	id, secret := c.clientOf(form)
	switch grant := form.Get("grant_type"); grant {
	case "client_credentials", "refresh_token", "password", "authorization_code":
		app := s.apps[id]
		if app == nil {
			return nil, &oauthError{"invalid_client_id", "client identifier invalid"}
		}
		forPeople := grant == "refresh_token" || grant == "authorization_code"
		if secret != app.ClientSecret && !(secret == "" && forPeople && app.SecretOptional) {
			return nil, &oauthError{"invalid_client", "invalid client credentials"}
		}
		switch grant {
		case "authorization_code":
			return c.codeExchange(app, form)
		case "client_credentials":
			return c.clientCredentials(app)
		case "refresh_token":
			return c.refreshed(app, form.Get("refresh_token"))
		}
		return c.passwordGrant(app, form)
	case jwtGrant:
		return c.jwtBearer(form.Get("assertion"))
	}
	return nil, &oauthError{"unsupported_grant_type", "grant type not supported"}
}

// clientCredentials is only served by the org's own domain.
// https://developer.salesforce.com/docs/atlas.en-us.262.0.chatterapi.meta/chatterapi/quickstart_connecting.htm
func (c *call) clientCredentials(app *application) (*reply, error) {
	if sharedHost(c.host) {
		return nil, grantError("request not supported on this domain")
	}
	if !app.allows(ClientCredentials) {
		return nil, grantError("no client credentials user enabled")
	}
	u := c.server.users[strings.ToLower(app.RunAs)]
	if u == nil || !c.server.userActive(u) {
		return nil, grantError("no client credentials user enabled")
	}
	return c.granted(app, c.server.issue(u, app.ClientID, app.Scopes), ""), nil
}

// sharedHost says whether a host is one of those where every org's users sign
// in. Below localhost they can be tried without the vendor's names.
func sharedHost(host string) bool {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	switch name {
	case "login.salesforce.com", "test.salesforce.com", "login.localhost", "test.localhost":
		return true
	}
	return false
}

func (c *call) passwordGrant(app *application, form url.Values) (*reply, error) {
	if !app.allows(Password) {
		return nil, &oauthError{"unsupported_grant_type", "grant type not supported"}
	}
	u := c.server.signIn(form.Get("username"), form.Get("password"))
	if u == nil {
		return nil, grantError("authentication failure")
	}
	return c.granted(app, c.server.issue(u, app.ClientID, app.Scopes), ""), nil
}

// signIn finds the active user with the password, which the security token may follow.
func (s *Server) signIn(username, password string) *user {
	u := s.users[strings.ToLower(strings.TrimSpace(username))]
	if u == nil || !s.userActive(u) || password != u.Password && password != u.Password+u.SecurityToken {
		return nil
	}
	return u
}

// jwtClockSkew is how late an assertion may come.
const jwtClockSkew = 3 * time.Minute

// jwtBearer trades a signed assertion. Clients in use send exp as text or in
// milliseconds and put any of the login hosts into aud, with or without a
// trailing slash: all of that is taken.
func (c *call) jwtBearer(assertion string) (*reply, error) {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return nil, grantError("invalid assertion")
	}
	var header struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Issuer   string          `json:"iss"`
		Subject  string          `json:"sub"`
		Username string          `json:"prn"`
		Audience json.RawMessage `json:"aud"`
		Expires  json.RawMessage `json:"exp"`
	}
	signature, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[2], "="))
	if err != nil || !decodeSegment(parts[0], &header) || !decodeSegment(parts[1], &claims) {
		return nil, grantError("invalid assertion")
	}
	s := c.server
	app := s.apps[claims.Issuer]
	if app == nil {
		return nil, &oauthError{"invalid_client_id", "client identifier invalid"}
	}
	if app.key == nil || !app.allows(JWTBearer) {
		return nil, grantError("user hasn't approved this consumer")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if header.Alg != "RS256" || rsa.VerifyPKCS1v15(app.key, crypto.SHA256, digest[:], signature) != nil {
		return nil, grantError("invalid assertion")
	}
	if !c.audience(claims.Audience) {
		return nil, grantError("audience is invalid")
	}
	expires, err := strconv.ParseFloat(strings.Trim(string(claims.Expires), `"`), 64)
	if err != nil || int64(expires) < s.clock.Now().Add(-jwtClockSkew).Unix() {
		return nil, grantError("invalid assertion")
	}
	subject := claims.Subject
	if subject == "" {
		subject = claims.Username
	}
	u := s.users[strings.ToLower(subject)]
	if u == nil || !s.userActive(u) {
		return nil, grantError("user hasn't approved this consumer")
	}
	switch {
	case app.PermittedUsers == AdminApproved && !app.approves(u):
		return nil, grantError("user is not admin approved to access this app")
	case app.PermittedUsers == SelfAuthorized && !s.consented(app, u, nil):
		return nil, grantError("user hasn't approved this consumer")
	}
	return c.granted(app, s.issue(u, app.ClientID, app.Scopes), ""), nil
}

func decodeSegment(s string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	return err == nil && json.Unmarshal(b, into) == nil
}

func (c *call) audience(raw json.RawMessage) bool {
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		var one string
		if json.Unmarshal(raw, &one) != nil {
			return false
		}
		list = []string{one}
	}
	known := []string{"https://login.salesforce.com", "https://test.salesforce.com", c.server.origin, "http://" + c.host, "https://" + c.host}
	for _, a := range list {
		a = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(a, "/"), "/services/oauth2/token"), "/")
		if slices.Contains(known, a) {
			return true
		}
	}
	return false
}

func (s *Server) identityURL(u *user) string { return s.origin + "/id/" + s.orgID + "/" + u.id }

// granted writes the token answer. Its signature lets a client check id and time.
func (c *call) granted(app *application, made *session, refresh string) *reply {
	s := c.server
	issued := strconv.FormatInt(s.clock.Now().UnixMilli(), 10)
	id := s.identityURL(made.user)
	mac := hmac.New(sha256.New, []byte(app.ClientSecret))
	mac.Write([]byte(id + issued))
	w := &jsonWriter{}
	w.open('{').key("access_token").str(made.Token)
	if refresh != "" {
		w.key("refresh_token").str(refresh)
	}
	w.key("signature").str(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	w.key("token_format").str("opaque").key("scope").str(strings.Join(made.Scopes, " "))
	w.key("instance_url").str(s.origin).key("id").str(id).key("token_type").str("Bearer")
	w.key("issued_at").str(issued).key("api_instance_url").str(s.origin)
	return answer(http.StatusOK, w.close('}').b).with("Cache-Control", "no-store")
}

func (c *call) revokeToken() (*reply, error) {
	token := c.form().Get("token")
	if token == "" {
		return nil, &oauthError{"invalid_request", "missing required parameter: token"}
	}
	if !c.server.sessions.revoke(token) {
		return nil, &oauthError{"invalid_token", "invalid token"}
	}
	return answer(http.StatusOK, nil), nil
}

// introspect tells whether a token lives, to the app that it was issued to.
func (c *call) introspect() (*reply, error) {
	form, s := c.form(), c.server
	id, secret := c.clientOf(form)
	app := s.apps[id]
	if app == nil || app.ClientSecret != secret {
		return nil, &oauthError{"invalid_client", "invalid client credentials"}
	}
	return answer(http.StatusOK, s.introspected(form.Get("token"))), nil
}

func (s *Server) introspected(token string) []byte {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	w, now := &jsonWriter{}, s.nowSeconds()
	if g := s.sessions.refresh[token]; g != nil && !g.Spent && s.users[strings.ToLower(g.Username)] != nil {
		w.open('{').key("active").bool(true).key("scope").str(strings.Join(g.Scopes, " ")).key("client_id").str(g.ClientID).key("username").str(g.Username)
		w.key("sub").str(s.identityURL(s.users[strings.ToLower(g.Username)])).key("token_type").str("refresh_token")
		return w.key("iat").int(int(g.Issued)).key("nbf").int(int(g.Issued)).close('}').b
	}
	found := s.sessions.byToken[token]
	if found == nil || now-found.Used > s.sessions.idle {
		return []byte(`{"active":false}`)
	}
	w.open('{').key("active").bool(true).key("scope").str(strings.Join(found.Scopes, " ")).key("client_id").str(found.ClientID)
	w.key("username").str(found.Username).key("sub").str(s.identityURL(found.user)).key("token_type").str("access_token")
	return w.key("exp").int(int(found.Used + s.sessions.idle)).key("iat").int(int(found.Issued)).key("nbf").int(int(found.Issued)).close('}').b
}

// apiURLs writes the addresses that identity answers carry.
func (c *call) apiURLs(w *jsonWriter, u *user) {
	origin := c.server.origin
	w.key("urls").open('{')
	for _, p := range [...][2]string{
		{"enterprise", "/services/Soap/c/{version}/" + c.server.orgID[:shortIDLength]}, {"metadata", "/services/Soap/m/{version}/" + c.server.orgID[:shortIDLength]},
		{"partner", "/services/Soap/u/{version}/" + c.server.orgID[:shortIDLength]}, {"rest", "/services/data/v{version}/"}, {"sobjects", "/services/data/v{version}/sobjects/"},
		{"search", "/services/data/v{version}/search/"}, {"query", "/services/data/v{version}/query/"}, {"recent", "/services/data/v{version}/recent/"},
		{"tooling_soap", "/services/Soap/T/{version}/" + c.server.orgID[:shortIDLength]}, {"tooling_rest", "/services/data/v{version}/tooling/"}, {"profile", "/" + u.id},
	} {
		w.key(p[0]).str(origin + p[1])
	}
	w.key("custom_domain").str(origin).close('}')
}

func (c *call) userInfo() (*reply, error) {
	s, u := c.server, c.user
	r := s.object("User").find(u.id)
	w := &jsonWriter{}
	w.open('{').key("sub").str(s.identityURL(u)).key("user_id").str(u.id).key("organization_id").str(s.orgID)
	w.key("preferred_username").str(u.Username).key("nickname").str(s.userField(r, "communitynickname")).key("name").str(s.userField(r, "name"))
	w.key("email").str(u.Email).key("email_verified").bool(true).key("given_name").strOrNull(u.FirstName).key("family_name").str(u.LastName)
	w.key("zoneinfo").str("GMT").key("photos").open('{').key("picture").str(s.origin + "/profilephoto/005/F").key("thumbnail").str(s.origin + "/profilephoto/005/T").close('}')
	w.key("profile").str(s.origin + "/" + u.id).key("picture").str(s.origin + "/profilephoto/005/F").key("address").open('{').close('}')
	w.key("is_salesforce_integration_user").bool(u.Username == IntegrationUsername)
	c.apiURLs(w, u)
	w.key("active").bool(true).key("user_type").str("STANDARD").key("language").str("en_US").key("locale").str("en_US").key("utcOffset").int(0)
	w.key("updated_at").str(time.Unix(r.stamp, 0).UTC().Format("2006-01-02T15:04:05Z"))
	return answer(http.StatusOK, w.close('}').b), nil
}

func (s *Server) userField(r *row, name string) string {
	return r.get(s.object("User").byName[name]).text
}

func (c *call) identity() (*reply, error) {
	s := c.server
	org, _ := longID(c.params["org"])
	id, _ := longID(c.params["user"])
	u := s.byUserID[id]
	if org != s.orgID || u == nil {
		r := answer(http.StatusForbidden, []byte("Bad_Id"))
		r.contentType = "text/html;charset=UTF-8"
		return r, nil
	}
	r := s.object("User").find(u.id)
	w := &jsonWriter{}
	w.open('{').key("id").str(s.identityURL(u)).key("asserted_user").bool(u == c.user).key("user_id").str(u.id).key("organization_id").str(s.orgID)
	w.key("username").str(u.Username).key("nick_name").str(s.userField(r, "communitynickname")).key("display_name").str(s.userField(r, "name"))
	w.key("email").str(u.Email).key("email_verified").bool(true).key("first_name").strOrNull(u.FirstName).key("last_name").str(u.LastName).key("timezone").str("GMT")
	w.key("photos").open('{').key("picture").str(s.origin + "/profilephoto/005/F").key("thumbnail").str(s.origin + "/profilephoto/005/T").close('}')
	w.key("addr_street").null().key("addr_city").null().key("addr_state").null().key("addr_country").null().key("addr_zip").null()
	w.key("mobile_phone").null().key("mobile_phone_verified").bool(false).key("is_lightning_login_user").bool(false)
	w.key("status").open('{').key("created_date").null().key("body").null().close('}')
	c.apiURLs(w, u)
	w.key("active").bool(true).key("user_type").str("STANDARD").key("language").str("en_US").key("locale").str("en_US").key("utcOffset").int(0)
	w.key("last_modified_date").str(time.Unix(r.stamp, 0).UTC().Format("2006-01-02T15:04:05Z")).key("is_app_installed").bool(true)
	return answer(http.StatusOK, w.close('}').b), nil
}

// releases names the versions: three a year, Spring, Summer, Winter.
func releaseLabel(version int) string {
	names := [...]string{"Winter", "Spring", "Summer"}
	year := 11 + (version-20)/3
	i := (version - 20) % 3
	// Version 20.0 was Winter '11; a winter release bears the next year's number.
	return fmt.Sprintf("%s '%02d", names[i], year)
}
