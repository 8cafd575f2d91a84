package salesforce

import (
	"crypto/rsa"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// scopeWords are the scopes that an app can have, in the words of the consent
// page. id_token is not issued, so that openid is not among them.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_tokens_scopes.htm
var scopeWords = []struct{ Name, Words string }{
	{"api", "Manage user data via APIs"},
	{"web", "Manage user data via Web browsers"},
	{"full", "Full access: all that you may do yourself"},
	{"id", "Access the identity URL service: who you are"},
	{"profile", "Read your basic profile"},
	{"email", "Read your e-mail address"},
	{"address", "Read your address"},
	{"phone", "Read your phone number"},
	{"chatter_api", "Access Connect REST API resources"},
	{"custom_permissions", "Access custom permissions"},
	{"refresh_token", "Perform requests at any time, also when you are away"},
}

func wordsOfScope(scope string) string {
	for _, one := range scopeWords {
		if one.Name == scope {
			return one.Words
		}
	}
	return ""
}

// Limits of an app.
const (
	callbackLimitBytes = 2000
	refreshIdleLimit   = 365 // days
)

// checkedApp puts the app into its kept form and says what is wrong with it.
func (s *Server) checkedApp(a *App) (*rsa.PublicKey, error) {
	a.Name = strings.TrimSpace(a.Name)
	if a.Name == "" || len(a.Name) > 80 {
		return nil, fmt.Errorf("the name of an app has 1 to 80 characters")
	}
	u := s.users[strings.ToLower(a.RunAs)]
	if u == nil {
		return nil, fmt.Errorf("app %s runs as %s, and there is no such user", a.Name, a.RunAs)
	}
	for _, f := range a.Flows {
		if !slices.Contains([]Flow{WebServer, ClientCredentials, JWTBearer, RefreshToken, Password}, f) {
			return nil, fmt.Errorf("app %s has a flow %q, which is none", a.Name, f)
		}
	}
	for i, scope := range a.Scopes {
		if scope == "offline_access" {
			a.Scopes[i] = "refresh_token"
		} else if wordsOfScope(scope) == "" {
			return nil, fmt.Errorf("app %s has the scope %q, which cannot be given here", a.Name, scope)
		}
	}
	for _, callback := range a.CallbackURLs {
		if problem := callbackProblem(callback); problem != "" {
			return nil, fmt.Errorf("the callback URL %s of app %s %s", callback, a.Name, problem)
		}
	}
	if slices.Contains(a.Flows, WebServer) && len(a.CallbackURLs) == 0 {
		return nil, fmt.Errorf("the authorization code flow of app %s needs a callback URL", a.Name)
	}
	switch a.PermittedUsers {
	case EverybodyApproved, SelfAuthorized, AdminApproved:
	default:
		return nil, fmt.Errorf("app %s is for %q: use self-authorize or admin-approved", a.Name, a.PermittedUsers)
	}
	if a.RefreshIdleDays < 0 || a.RefreshIdleDays > refreshIdleLimit {
		return nil, fmt.Errorf("refresh tokens of app %s end after 1 to %d idle days, or with 0 never", a.Name, refreshIdleLimit)
	}
	if len(a.CertificatePEM) == 0 {
		return nil, nil
	}
	key, err := publicKey(a.CertificatePEM)
	if err != nil {
		return nil, fmt.Errorf("certificate of app %s: %w", a.Name, err)
	}
	return key, nil
}

// callbackProblem says why a browser may not be sent to an address.
func callbackProblem(callback string) string {
	u, err := url.Parse(callback)
	switch {
	case len(callback) > callbackLimitBytes:
		return "is too long"
	case err != nil || !u.IsAbs() || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http" && u.Host == "" && u.Path == "":
		return "is no absolute address"
	case u.Fragment != "" || u.User != nil:
		return "may have neither a fragment nor a user"
	case slices.Contains([]string{"javascript", "data", "vbscript", "file", "blob", "about"}, strings.ToLower(u.Scheme)):
		return "has a scheme that no app answers to"
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host == "":
		return "has no host"
	case u.Scheme == "http" && !thisMachine(u.Hostname()):
		return "must be https; plain http is for localhost alone"
	}
	return ""
}

func thisMachine(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") || ip != nil && ip.IsLoopback()
}
