package hubspot

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ClientCredentials tokens are an app's own, for the webhooks journal.
const ClientCredentials TokenKind = "client-credentials"

// accessLife is how long an access token of OAuth works.
// https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens
const accessLife = 30 * time.Minute

// expiredKept is how long an expired access token is remembered, so that a call
// with it learns when it ended.
const expiredKept = 24 * time.Hour

// grant is what a refresh token stands for: an app in this account, installed by
// a person with these scopes. It does not expire.
type grant struct {
	RefreshToken string
	ClientID     string
	AppID        int64
	UserID       int64
	Scopes       []string
	Revoked      bool
}

// authorization is what a code stands for until it is exchanged.
type authorization struct {
	clientID, redirect, challenge string
	account                       *Server
	user                          User
	scopes                        []string
	expires                       time.Time
}

// installRequest is an authorize address that was understood.
type installRequest struct {
	project                    ProjectApp
	redirect, state, challenge string
	scopes, optional           []string
}

// oauthError is a refusal that the app learns by redirect.
type oauthError struct{ code, description string }

// readInstall understands the query of an authorize address. A refusal without a
// redirect is for the person: the address cannot be trusted.
func (s *Server) readInstall(q url.Values) (in installRequest, toPerson string, toApp *oauthError) {
	var ok bool
	in.project, ok = s.directory.project(q.Get("client_id"))
	if !ok || in.project.Auth != "oauth" {
		return in, "There is no OAuth app with this client_id.", nil
	}
	in.redirect, in.state = q.Get("redirect_uri"), q.Get("state")
	if !slices.Contains(in.project.RedirectURLs, in.redirect) {
		return in, "The redirect_uri is not one of the app's redirect URLs. It must be equal to one of them, to the letter.", nil
	}
	switch method := q.Get("code_challenge_method"); {
	case q.Has("code_challenge") && method != "S256":
		return in, "", &oauthError{"invalid_request", "code_challenge_method must be S256"}
	case !q.Has("code_challenge") && method != "":
		return in, "", &oauthError{"invalid_request", "code_challenge is missing"}
	}
	in.challenge = q.Get("code_challenge")
	asked := strings.Fields(q.Get("scope"))
	if len(asked) == 0 {
		return in, "", &oauthError{"invalid_request", "scope is missing"}
	}
	if unknown := s.scopes.unknown(asked); len(unknown) > 0 {
		return in, "", &oauthError{"invalid_scope", "unknown scope: " + strings.Join(unknown, " ")}
	}
	if missing := without(in.project.Required, append(asked, "oauth")); len(missing) > 0 {
		return in, "", &oauthError{"invalid_scope", "scope mismatch: the app requires " + strings.Join(missing, " ")}
	}
	if extra := without(asked, slices.Concat(in.project.Required, in.project.Conditional, []string{"oauth"})); len(extra) > 0 {
		return in, "", &oauthError{"invalid_scope", "scope mismatch: the app's settings do not hold " + strings.Join(extra, " ")}
	}
	in.scopes = withOAuth(asked)
	for _, scope := range strings.Fields(q.Get("optional_scope")) {
		if slices.Contains(slices.Concat(in.project.Optional, in.project.Conditional), scope) && !slices.Contains(in.scopes, scope) {
			in.optional = append(in.optional, scope)
		}
	}
	return in, "", nil
}

// without lists what is in all and not in some.
func without(all, some []string) (out []string) {
	for _, v := range all {
		if !slices.Contains(some, v) {
			out = append(out, v)
		}
	}
	return out
}

// back is the app's redirect URL with the outcome.
func (in installRequest) back(values url.Values) string {
	u, err := url.Parse(in.redirect)
	if err != nil {
		return in.redirect
	}
	q := u.Query()
	for name := range values {
		q.Set(name, values.Get(name))
	}
	if in.state != "" {
		q.Set("state", in.state)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// allow remembers that a person lets an app into this account, and gives the code
// that the app exchanges.
func (s *Server) allow(in installRequest, user User) (code string) {
	code = "na1-fa4e-code-" + rand.Text()
	d := s.directory
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.codes) >= codeLimit {
		clear(d.codes)
	}
	d.codes[code] = authorization{clientID: in.project.ClientID, redirect: in.redirect, challenge: in.challenge, account: s, user: user,
		scopes: withOAuth(append(slices.Clone(in.scopes), in.optional...)), expires: s.clock.Now().Add(codeLife)}
	return code
}

// takeCode uses a code up.
func (d *directory) takeCode(code string) (authorization, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, ok := d.codes[code]
	delete(d.codes, code)
	return a, ok
}

// proves tells whether a verifier is the one that the challenge was made of.
func (a authorization) proves(verifier string) bool {
	if a.challenge == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:]) == a.challenge
}

// install puts the app into the account and gives it a refresh token.
func (s *Server) install(p ProjectApp, user User, scopes []string) *grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.installed(p); a == nil {
		s.keepApp(App{ID: p.AppID, Kind: OAuth, Name: p.Name, Description: p.Description, Scopes: scopes, ClientID: p.ClientID, UserID: user.ID, CreatedAt: s.clock.Now()})
		s.directory.hooks.lifecycle(s, p.ClientID, "APP_INSTALL")
	} else {
		a.Name, a.Scopes = p.Name, scopes
	}
	g := &grant{RefreshToken: fmt.Sprintf("na1-fa4e-00000000-0000-4000-8000-%012x", s.secret()), ClientID: p.ClientID, AppID: p.AppID, UserID: user.ID, Scopes: scopes}
	s.grants = append(s.grants, g)
	s.version.Add(1)
	return g
}

// access makes a token for half an hour out of a grant.
func (s *Server) access(g *grant, scopes []string) TokenInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.tokenOrder = slices.DeleteFunc(s.tokenOrder, func(t *token) bool {
		old := (t.Kind == OAuth || t.Kind == ClientCredentials) && t.expiredBy(now.Add(-expiredKept))
		if old {
			delete(s.tokens, t.Token)
		}
		return old
	})
	a := s.appByID[g.AppID]
	kind := OAuth
	if g.RefreshToken == "" {
		kind = ClientCredentials
	}
	s.version.Add(1)
	return s.keepToken(TokenInfo{
		ID: fmt.Sprint(s.lastToken() + 1), Token: fmt.Sprintf("CfakeOAuthAccessToken_%s_%012x%012x", strings.Repeat("0", 32), s.secret(), s.secret()),
		Kind: kind, Name: a.Name, Scopes: scopes, AppID: g.AppID, UserID: g.UserID, CreatedAt: now, ExpiredAt: now.Add(accessLife),
	}).TokenInfo
}

// findGrant finds the account and the grant of a refresh token that works.
func (d *directory) findGrant(refresh string) (*Server, *grant) {
	for _, s := range d.list() {
		s.mu.RLock()
		for _, g := range s.grants {
			if g.RefreshToken == refresh && refresh != "" && !g.Revoked {
				s.mu.RUnlock()
				return s, g
			}
		}
		s.mu.RUnlock()
	}
	return nil, nil
}

// revokeGrant makes a refresh token useless; access tokens live on to their end.
func (s *Server) revokeGrant(g *grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.Revoked = true
	s.version.Add(1)
}

// uninstall takes an app out of this account with all its tokens.
func (s *Server) uninstall(clientID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	for _, a := range s.apps {
		if a.ClientID == clientID && a.DeletedAt.IsZero() && (a.Kind == OAuth || a.Kind == StaticAuth) {
			s.deleteApp(a)
			found = true
		}
	}
	return found
}

// OAuthTokens are what an installation gives.
type OAuthTokens struct {
	PortalID     int64  `json:"portalId"`
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
}

// Install installs an OAuth app in this account as its super admin would, with
// the scopes that it requires and those given, without a browser.
func (s *Server) Install(clientID string, optional ...string) (OAuthTokens, error) {
	p, ok := s.directory.project(clientID)
	if !ok || p.Auth != "oauth" {
		return OAuthTokens{}, fmt.Errorf("install an app: there is no OAuth app with client id %q", clientID)
	}
	if extra := without(optional, slices.Concat(p.Required, p.Optional, p.Conditional)); len(extra) > 0 {
		return OAuthTokens{}, fmt.Errorf("install an app: its file does not hold the scopes %s", strings.Join(extra, " "))
	}
	scopes := withOAuth(append(slices.Clone(p.Required), optional...))
	g := s.install(p, s.directory.superAdmins()[0], scopes)
	return OAuthTokens{s.config.PortalID, s.access(g, scopes).Token, g.RefreshToken}, nil
}
