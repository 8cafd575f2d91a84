package credential

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// SalesforceScopes returns the OAuth scopes that Lockstep needs: calls to the
// API, refreshing without a person, and whose login it is. What the user may
// read and write is not a matter of scopes there, but of permissions.
func SalesforceScopes() []string { return []string{"api", "refresh_token", "id"} }

// DefaultHubSpotAuthorizeURL is the page on which HubSpot asks a person.
const DefaultHubSpotAuthorizeURL = "https://app.hubspot.com/oauth/authorize"

// AuthorizePage returns the page on which a person allows the app.
func AuthorizePage(account Account) string {
	switch {
	case account.AuthorizeURL != "":
		return account.AuthorizeURL
	case account.Side == crm.HubSpot:
		return DefaultHubSpotAuthorizeURL
	}
	return account.LoginURL + "/services/oauth2/authorize"
}

// Code is the answer of the authorize page, with what proves who asked for it.
type Code struct {
	Code        Secret
	Verifier    Secret // PKCE; empty: none was used
	RedirectURI string // as the page was given it
}

// Exchange trades the code for tokens, once: a code works a single time. The
// account comes back with where it was answered and which scopes were granted,
// the material with refresh and access token. clientSecret may be empty for a
// Salesforce app that asks for none. Errors are explained and hold no secret.
func Exchange(ctx context.Context, client *http.Client, account Account, clientSecret Secret, code Code) (Account, Material, error) {
	form := url.Values{
		"grant_type":   {"authorization_code"},
		"client_id":    {account.ClientID},
		"code":         {code.Code.Reveal()},
		"redirect_uri": {code.RedirectURI},
	}
	if !clientSecret.IsZero() {
		form.Set("client_secret", clientSecret.Reveal())
	}
	if !code.Verifier.IsZero() {
		form.Set("code_verifier", code.Verifier.Reveal())
	}
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	var answer tokenAnswer
	var err error
	switch account.Kind {
	case HubSpotOAuth:
		answer, err = postHubSpot(ctx, tokenClient(client), account, form)
	case SalesforceOAuth:
		var login string
		if login, err = ValidateBaseURL(account.LoginURL); err == nil {
			answer, err = postSalesforce(ctx, tokenClient(client), login, form, account)
		}
	default:
		err = fault.New(fault.Internal, "a %s takes no code", account.Kind.Title())
	}
	if err != nil {
		return account, Material{}, err
	}
	account.Scopes, account.TokenPath = answer.Scopes, answer.TokenPath
	material := Material{ClientSecret: clientSecret, RefreshToken: answer.RefreshToken, Access: Access{
		Token: NewSecret(answer.Token), InstanceURL: answer.InstanceURL, Obtained: time.Unix(answer.Obtained, 0),
	}}
	if answer.Expires != 0 {
		material.Access.Expires = time.Unix(answer.Expires, 0)
	}
	return account, material, Validate(account, material)
}
