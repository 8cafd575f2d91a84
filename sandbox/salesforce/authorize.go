package salesforce

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// codeLife is how long an authorization code can be traded, once.
const codeLife = 15 * time.Minute

// authorizationCode is what the web flow hands to the app by way of the browser.
type authorizationCode struct {
	Code        string   `json:"code"`
	ClientID    string   `json:"clientId"`
	Username    string   `json:"username"`
	RedirectURI string   `json:"redirectUri"`
	Challenge   string   `json:"challenge,omitempty"`
	Scopes      []string `json:"scopes"`
	Issued      int64    `json:"issued"` // seconds
	Used        bool     `json:"used,omitempty"`
}

// authorization is a well-formed request of an app: errors from here on go back
// to its redirect address, never before.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
type authorization struct {
	app       *application
	redirect  string
	state     string
	challenge string
	scopes    []string
	prompts   []string
	immediate bool
	hint      string
}

// authorization reads the request. A problem with the app or its redirect
// address is told on a page (told is nil then), any other by redirect.
func (s *Server) authorization(q url.Values) (a *authorization, problem *oauthError) {
	app := s.apps[q.Get("client_id")]
	redirect := q.Get("redirect_uri")
	switch {
	case app == nil:
		return nil, &oauthError{"invalid_client_id", "client identifier invalid"}
	case redirect == "" && len(app.CallbackURLs) == 1:
		redirect = app.CallbackURLs[0]
	case !slices.Contains(app.CallbackURLs, redirect):
		return nil, &oauthError{"redirect_uri_mismatch", "redirect_uri must match configuration"}
	}
	a = &authorization{
		app: app, redirect: redirect, state: q.Get("state"), challenge: q.Get("code_challenge"), hint: q.Get("login_hint"),
		prompts: strings.Fields(q.Get("prompt")), immediate: q.Get("immediate") == "true",
	}
	a.immediate = a.immediate || slices.Contains(a.prompts, "none")
	switch method := q.Get("code_challenge_method"); {
	case q.Get("response_type") == "":
		return a, &oauthError{"invalid_request", "missing required parameter: response_type"}
	case q.Get("response_type") != "code":
		return a, &oauthError{"unsupported_response_type", "response type not supported"}
	case !app.allows(WebServer):
		return a, &oauthError{"unsupported_grant_type", "grant type not supported"}
	case a.challenge == "" && app.RequirePKCE:
		return a, &oauthError{"invalid_request", "missing required code challenge"}
	// Clients leave the method out and mean S256.
	case a.challenge != "" && method != "" && method != "S256":
		return a, &oauthError{"invalid_request", "code challenge method not supported: use S256"}
	case a.challenge != "" && !isSHA256(a.challenge):
		return a, &oauthError{"invalid_request", "invalid code challenge"}
	}
	a.scopes = slices.Clone(app.Scopes)
	if asked := strings.Fields(q.Get("scope")); len(asked) > 0 {
		a.scopes = nil
		for _, scope := range asked {
			if scope == "offline_access" {
				scope = "refresh_token"
			}
			if !slices.Contains(app.Scopes, scope) && !slices.Contains(app.Scopes, "full") {
				return a, &oauthError{"invalid_scope", "the requested scope is not allowed"}
			}
			if !slices.Contains(a.scopes, scope) {
				a.scopes = append(a.scopes, scope)
			}
		}
	}
	return a, nil
}

func isSHA256(challenge string) bool {
	b, err := base64.RawURLEncoding.DecodeString(challenge)
	return err == nil && len(b) == sha256.Size
}

// back is the redirect address with an answer in it.
func (a *authorization) back(pairs ...string) string {
	u, err := url.Parse(a.redirect)
	if err != nil {
		return a.redirect
	}
	q := u.Query()
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	if a.state != "" {
		q.Set("state", a.state)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func (a *authorization) refuse(p *oauthError) string {
	return a.back("error", p.code, "error_description", p.description)
}

// origin is what a page's form may lead to.
func (a *authorization) origin() string {
	u, err := url.Parse(a.redirect)
	if err != nil {
		return ""
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + ":"
}

func consentPlace(app *application, u *user) string { return app.ClientID + " " + u.id }

// consented says whether the user allowed the app these scopes before; with no
// scopes, whether it was allowed anything.
func (s *Server) consented(app *application, u *user, scopes []string) bool {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	allowed, ok := s.sessions.consents[consentPlace(app, u)]
	return ok && !slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(allowed, scope) })
}

// allow keeps the user's consent and makes the code.
func (s *Server) allow(a *authorization, u *user) string {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	now := s.nowSeconds()
	for code, old := range s.sessions.codes {
		if now-old.Issued > 2*int64(codeLife/time.Second) {
			delete(s.sessions.codes, code)
		}
	}
	place := consentPlace(a.app, u)
	allowed := s.sessions.consents[place]
	for _, scope := range a.scopes {
		if !slices.Contains(allowed, scope) {
			allowed = append(slices.Clone(allowed), scope)
		}
	}
	s.sessions.consents[place] = allowed
	made := &authorizationCode{
		Code:     "aPrxfake." + s.fakeText("code", s.sessions.serial(u.Username), 64),
		ClientID: a.app.ClientID, Username: u.Username, RedirectURI: a.redirect, Challenge: a.challenge, Scopes: a.scopes, Issued: now,
	}
	s.sessions.codes[made.Code] = made
	return made.Code
}

// codeExchange trades a code for tokens.
func (c *call) codeExchange(app *application, form url.Values) (*reply, error) {
	s := c.server
	if !app.allows(WebServer) {
		return nil, &oauthError{"unsupported_grant_type", "grant type not supported"}
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	code := s.sessions.codes[form.Get("code")]
	switch {
	case code == nil || code.ClientID != app.ClientID:
		return nil, grantError("invalid authorization code")
	case code.Used || s.nowSeconds()-code.Issued > int64(codeLife/time.Second):
		return nil, grantError("expired authorization code")
	case form.Get("redirect_uri") != code.RedirectURI:
		return nil, &oauthError{"redirect_uri_mismatch", "redirect_uri must match configuration"}
	case !verified(code.Challenge, form.Get("code_verifier")):
		return nil, grantError("authentication failure")
	}
	u := s.users[strings.ToLower(code.Username)]
	if u == nil || !s.userActive(u) {
		return nil, &oauthError{"inactive_user", "user is inactive"}
	}
	code.Used = true
	made, refresh := s.newSession(u, app.ClientID, code.Scopes), ""
	if app.allows(RefreshToken) && slices.Contains(code.Scopes, "refresh_token") {
		g := s.newGrant(app.ClientID, u.Username, "", code.Scopes)
		s.sessions.attach(g.Chain, made)
		refresh = g.Token
	}
	return c.granted(app, made, refresh), nil
}

// verified says whether a verifier is the one that a challenge was made of.
// Without a challenge there must be none.
func verified(challenge, verifier string) bool {
	if challenge == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(strings.TrimRight(challenge, "="))) == 1
}

// authorizePage is GET and POST of the authorization endpoint: sign in, consent,
// and back to the app.
func (s *Server) authorizePage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	q := r.URL.Query()
	s.mu.RLock()
	a, problem := s.authorization(q)
	s.mu.RUnlock()
	if a == nil {
		s.show(w, r, page{name: "authorize_error.html", title: "Authorization failed", status: http.StatusBadRequest, body: oauthProblemView{problem.code, problem.description}})
		return
	}
	if problem != nil {
		http.Redirect(w, r, a.refuse(problem), http.StatusFound)
		return
	}
	u := s.visitor(r)
	if u == nil || slices.Contains(a.prompts, "login") || slices.Contains(a.prompts, "select_account") {
		if a.immediate {
			http.Redirect(w, r, a.refuse(&oauthError{"immediate_unsuccessful", "the user is not signed in"}), http.StatusFound)
			return
		}
		q.Del("prompt")
		if slices.Contains(a.prompts, "consent") {
			q.Set("prompt", "consent")
		}
		http.Redirect(w, r, "/login?"+url.Values{"startURL": {authorizePath + "?" + q.Encode()}, "un": {a.hint}}.Encode(), http.StatusFound)
		return
	}
	s.decide(w, r, a, u)
}

const authorizePath = "/services/oauth2/authorize"

// decide answers for a user who is signed in.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, a *authorization, u *user) {
	s.mu.RLock()
	preapproved := a.app.PermittedUsers == AdminApproved
	refused := preapproved && !a.app.approves(u)
	s.mu.RUnlock()
	if refused {
		http.Redirect(w, r, a.refuse(&oauthError{"OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app"}), http.StatusSeeOther)
		return
	}
	if r.Method == http.MethodPost {
		if r.PostFormValue("decision") != "allow" {
			http.Redirect(w, r, a.refuse(&oauthError{"access_denied", "end-user denied authorization"}), http.StatusSeeOther)
			return
		}
		http.Redirect(w, r, a.back("code", s.allow(a, u)), http.StatusSeeOther)
		return
	}
	if preapproved || s.consented(a.app, u, a.scopes) && !slices.Contains(a.prompts, "consent") {
		http.Redirect(w, r, a.back("code", s.allow(a, u)), http.StatusFound)
		return
	}
	if a.immediate {
		http.Redirect(w, r, a.refuse(&oauthError{"immediate_unsuccessful", "the user has not approved the app"}), http.StatusFound)
		return
	}
	view := consentView{App: a.app.Name, Connected: a.app.Connected, Username: u.Username, Action: authorizePath + "?" + r.URL.RawQuery, Redirect: a.origin(),
		Switch: "/login?" + url.Values{"startURL": {authorizePath + "?" + r.URL.RawQuery}}.Encode()}
	for _, scope := range a.scopes {
		view.Scopes = append(view.Scopes, scopeView{scope, wordsOfScope(scope)})
	}
	s.show(w, r, page{name: "consent.html", title: "Allow access?", status: http.StatusOK, body: view, formTo: a.origin()})
}

type oauthProblemView struct{ Code, Description string }

type consentView struct {
	App       string
	Connected bool
	Username  string
	Action    string
	Redirect  string
	Switch    string
	Scopes    []scopeView
}

type scopeView struct{ Name, Words string }
