package hubspot

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// formBytes bounds the body of a token call.
const formBytes = 64 << 10

// refuseOAuth is the error of the OAuth endpoints.
// https://developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses
func refuseOAuth(code, status, message string) *problem {
	return &problem{status: http.StatusBadRequest, message: message, oauthError: code, oauthStatus: status}
}

// oauthProblem writes such an error: v1 told a correlation id and, until 2026,
// none of the fields of RFC 6749.
func (e *encoder) oauthProblem(p *problem, correlation string, v1 bool, today time.Time) {
	e.object()
	if !v1 || !today.Before(oauthFieldsBegin) {
		e.textField("error", p.oauthError)
		e.textField("error_description", p.message)
	}
	e.textField("status", p.oauthStatus)
	e.textField("message", p.message)
	if v1 {
		e.textField("correlationId", correlation)
	}
	e.endObject()
}

// oauthForm reads a token call's body. Secrets in the query string were read by
// the v1 endpoint until early 2026.
func (c *call) oauthForm() (url.Values, *problem) {
	if c.version == "" && !c.s.today().Before(oauthV1End) {
		return nil, notFound()
	}
	kind, _, _ := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return nil, &problem{status: http.StatusUnsupportedMediaType, message: "HTTP 415 Unsupported Media Type"}
	}
	body, err := io.ReadAll(io.LimitReader(c.request.Body, formBytes))
	form, parsed := url.ParseQuery(string(body))
	if err != nil || parsed != nil {
		return nil, refuseOAuth("invalid_request", "BAD_REQUEST", "the body is no form")
	}
	if c.version == "" && c.s.today().Before(oauthFieldsBegin) {
		for name, values := range c.parsedQuery() {
			if !form.Has(name) {
				form[name] = values
			}
		}
	}
	return form, nil
}

// client checks which app is asking.
func (c *call) client(form url.Values) (ProjectApp, *problem) {
	p, ok := c.s.directory.project(form.Get("client_id"))
	switch {
	case !ok || p.Auth != "oauth":
		return p, refuseOAuth("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id")
	case form.Get("client_secret") != p.ClientSecret:
		return p, refuseOAuth("invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret")
	}
	return p, nil
}

// issueToken answers POST /oauth/v1/token, /oauth/v3/token and the dated forms.
// https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens
func issueToken(c *call) (int, *problem) {
	form, refused := c.oauthForm()
	if refused != nil {
		return 0, refused
	}
	exchange := map[string]func(*call, url.Values, ProjectApp) (*Server, *grant, []string, *problem){
		"authorization_code": exchangeCode, "refresh_token": exchangeRefresh, "client_credentials": ownToken,
	}[form.Get("grant_type")]
	if exchange == nil {
		return 0, refuseOAuth("unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant type")
	}
	p, refused := c.client(form)
	if refused != nil {
		return 0, refused
	}
	account, g, scopes, refused := exchange(c, form, p)
	if refused != nil {
		return 0, refused
	}
	t := account.access(g, scopes)
	c.out.object()
	c.out.textField("token_type", "bearer")
	if g.RefreshToken != "" {
		c.out.textField("refresh_token", g.RefreshToken)
	}
	c.out.textField("access_token", t.Token)
	c.out.numberField("expires_in", int64(accessLife.Seconds()))
	if c.version != "" {
		c.out.numberField("hub_id", account.PortalID())
		c.out.textsField("scopes", t.Scopes)
		c.out.numberField("user_id", t.UserID)
		c.out.textField("token_use", "access_token")
	}
	c.out.endObject()
	setHeader(c.header, "Cache-Control", "no-store")
	return http.StatusOK, nil
}

func exchangeCode(c *call, form url.Values, p ProjectApp) (*Server, *grant, []string, *problem) {
	a, ok := c.s.directory.takeCode(form.Get("code"))
	switch {
	case !ok || a.clientID != p.ClientID || !c.s.clock.Now().Before(a.expires):
		return nil, nil, nil, refuseOAuth("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code")
	case form.Get("redirect_uri") != a.redirect:
		return nil, nil, nil, refuseOAuth("invalid_grant", "BAD_REDIRECT_URI", "missing or invalid redirect uri")
	case !a.proves(form.Get("code_verifier")):
		return nil, nil, nil, refuseOAuth("invalid_grant", "BAD_CODE_VERIFIER", "missing or invalid code verifier")
	}
	return a.account, a.account.install(p, a.user, a.scopes), a.scopes, nil
}

func exchangeRefresh(c *call, form url.Values, p ProjectApp) (*Server, *grant, []string, *problem) {
	account, g := c.s.directory.findGrant(form.Get("refresh_token"))
	if g == nil || g.ClientID != p.ClientID {
		return nil, nil, nil, refuseOAuth("invalid_grant", "BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked")
	}
	scopes := g.Scopes
	if asked := strings.Fields(form.Get("scope")); len(asked) > 0 {
		if extra := without(asked, g.Scopes); len(extra) > 0 {
			return nil, nil, nil, refuseOAuth("invalid_scope", "BAD_SCOPES", "scopes were not granted: "+strings.Join(extra, " "))
		}
		scopes = withOAuth(asked)
	}
	return account, g, scopes, nil
}

// ownToken is for the webhooks journal: it opens no account's records.
func ownToken(c *call, form url.Values, p ProjectApp) (*Server, *grant, []string, *problem) {
	var asked []string
	own := slices.Concat(p.Required, p.Optional, p.Conditional)
	refused := false
	for _, scope := range strings.Fields(form.Get("scope")) {
		switch {
		case strings.HasPrefix(scope, "developer.webhooks_journal.") && c.s.scopes.known(scope):
			asked = append(asked, scope)
		case !slices.Contains(own, scope): // the app's own may be named, and open nothing here
			refused = true
		}
	}
	if len(asked) == 0 || refused {
		return nil, nil, nil, refuseOAuth("invalid_scope", "BAD_SCOPES", "client_credentials takes scopes of the webhooks journal only")
	}
	home := c.s.directory.account(p.PortalID)
	home.mu.Lock()
	defer home.mu.Unlock()
	if home.appByID[p.AppID] == nil {
		home.keepApp(App{ID: p.AppID, Kind: ClientCredentials, Name: p.Name, Scopes: asked, ClientID: p.ClientID, CreatedAt: home.clock.Now()})
	}
	return home, &grant{ClientID: p.ClientID, AppID: p.AppID}, asked, nil
}

// ofClient finds what a token text of this app is: an access or a refresh token.
func (c *call) ofClient(text string, p ProjectApp) (account *Server, info *TokenInfo, g *grant) {
	if account, t := c.s.directory.find(text); t != nil && t.AppID == p.AppID {
		return account, &t.TokenInfo, nil
	}
	if account, g := c.s.directory.findGrant(text); g != nil && g.ClientID == p.ClientID {
		return account, nil, g
	}
	return nil, nil, nil
}

// introspect answers POST /oauth/v3/token/introspect and the dated forms.
func introspect(c *call) (int, *problem) {
	form, refused := c.oauthForm()
	if refused != nil {
		return 0, refused
	}
	p, refused := c.client(form)
	if refused != nil {
		return 0, refused
	}
	text := form.Get("token")
	account, t, g := c.ofClient(text, p)
	c.out.object()
	if account == nil {
		c.out.boolField("active", false)
		c.out.endObject()
		return http.StatusOK, nil
	}
	c.out.boolField("active", true)
	c.out.textField("token", text)
	userID, scopes := int64(0), []string(nil)
	if t != nil {
		userID, scopes = t.UserID, t.Scopes
		c.out.textField("token_use", "access_token")
		c.out.numberField("expires_in", account.secondsLeft(t))
	} else {
		userID, scopes = g.UserID, g.Scopes
		c.out.textField("token_use", "refresh_token")
	}
	c.out.textField("token_type", "Bearer")
	c.out.textField("client_id", p.ClientID)
	c.out.boolField("is_private_distribution", p.Distribution == "private")
	c.out.whose(account, p.AppID, userID, scopes)
	if t != nil {
		c.out.signed(account, t)
	}
	c.out.endObject()
	return http.StatusOK, nil
}

// whose writes the account, person and scopes of a token.
func (e *encoder) whose(account *Server, appID, userID int64, scopes []string) {
	account.mu.RLock()
	user := account.userEmail(userID)
	account.mu.RUnlock()
	_, domain, _ := strings.Cut(user, "@")
	e.textField("user", user)
	e.textField("hub_domain", domain)
	e.textsField("scopes", scopes)
	e.numberField("hub_id", account.PortalID())
	e.numberField("app_id", appID)
	e.numberField("user_id", userID)
}

// signed writes the token as HubSpot's own services pass it on.
func (e *encoder) signed(account *Server, t *TokenInfo) {
	e.key("signed_access_token")
	e.object()
	e.numberField("expiresAt", account.clock.Now().UnixMilli()+account.secondsLeft(t)*1000)
	e.textField("scopes", "fake")
	e.numberField("hubId", account.PortalID())
	e.numberField("userId", t.UserID)
	e.numberField("appId", t.AppID)
	e.textField("signature", "fake")
	e.textField("scopeToScopeGroupPks", "fake")
	e.textField("newSignature", "fake")
	e.textField("hublet", "na1")
	e.textField("trialScopes", "")
	e.textField("trialScopeToScopeGroupPks", "")
	e.boolField("isUserLevel", false)
	e.boolField("isPrivateDistribution", t.Kind != OAuth)
	e.boolField("isServiceAccount", false)
	e.numberField("installingUserId", t.UserID)
	e.endObject()
}

// secondsLeft is what remains of a token's life; of one that does not end, the
// half hour that each signed form of it has.
func (s *Server) secondsLeft(t *TokenInfo) int64 {
	if t.ExpiredAt.IsZero() {
		return int64(accessLife.Seconds())
	}
	return int64(t.ExpiredAt.Sub(s.clock.Now()).Seconds())
}

// revokeToken answers POST /oauth/v3/token/revoke and the dated forms. An unknown
// token is no error (RFC 7009).
func revokeToken(c *call) (int, *problem) {
	form, refused := c.oauthForm()
	if refused != nil {
		return 0, refused
	}
	p, refused := c.client(form)
	if refused != nil {
		return 0, refused
	}
	account, t, g := c.ofClient(form.Get("token"), p)
	switch {
	case g != nil:
		account.revokeGrant(g)
	case t != nil:
		account.RevokeToken(t.Token)
	}
	c.out.object()
	c.out.endObject()
	return http.StatusOK, nil
}

// accessTokenMetadata answers GET /oauth/v1/access-tokens/{token}.
func accessTokenMetadata(c *call) (int, *problem) {
	account, t := c.s.directory.find(c.arg("token"))
	if t == nil || t.Kind == APIKey || !c.s.today().Before(oauthV1End) {
		return 0, objectNotFound("The access token is not known")
	}
	c.out.object()
	c.out.textField("token", t.Token)
	c.out.whose(account, t.AppID, t.UserID, t.Scopes)
	c.out.numberField("expires_in", account.secondsLeft(&t.TokenInfo))
	c.out.textField("token_type", "access")
	c.out.signed(account, &t.TokenInfo)
	c.out.endObject()
	return http.StatusOK, nil
}

// refreshTokenMetadata answers GET /oauth/v1/refresh-tokens/{token}.
func refreshTokenMetadata(c *call) (int, *problem) {
	account, g := c.s.directory.findGrant(c.arg("token"))
	if g == nil || !c.s.today().Before(oauthV1End) {
		return 0, objectNotFound("The refresh token is not known")
	}
	c.out.object()
	c.out.textField("token", g.RefreshToken)
	c.out.whose(account, g.AppID, g.UserID, g.Scopes)
	c.out.textField("client_id", g.ClientID)
	c.out.textField("token_type", "refresh")
	c.out.endObject()
	return http.StatusOK, nil
}

// deleteRefreshToken answers DELETE /oauth/v1/refresh-tokens/{token}.
func deleteRefreshToken(c *call) (int, *problem) {
	account, g := c.s.directory.findGrant(c.arg("token"))
	if g == nil || !c.s.today().Before(oauthV1End) {
		return 0, objectNotFound("The refresh token is not known")
	}
	account.revokeGrant(g)
	return http.StatusNoContent, nil
}

// uninstallApp answers DELETE /appinstalls/{version}/external-install: the app
// whose token it is leaves the account.
func uninstallApp(c *call) (int, *problem) {
	if c.token.Kind != OAuth {
		return 0, &problem{status: http.StatusForbidden, category: "MISSING_PERMISSIONS", message: "unauthorized request"}
	}
	c.s.mu.RLock()
	clientID := c.token.app.ClientID
	c.s.mu.RUnlock()
	if !c.s.uninstall(clientID) {
		return 0, objectNotFound("%s", fmt.Sprintf("App %d is not installed", c.token.AppID))
	}
	return http.StatusNoContent, nil
}
