package credential

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Where HubSpot's OAuth tokens are asked for. The first is today's; the second
// answers until 16 February 2027 and is tried where the first is not known.
// https://developers.hubspot.com/changelog/v1-oauth-api-deprecation
const (
	HubSpotTokenPath       = "/oauth/v3/token"
	HubSpotLegacyTokenPath = "/oauth/v1/token"
)

// mendHubSpotApp says where client id and secret of an app stand.
const mendHubSpotApp = "both stand in HubSpot under Development > Projects > your project > your app > Auth (older apps: Development > Legacy apps > your app > Auth)"

// requestHubSpot asks once for an access token by the refresh token.
func requestHubSpot(ctx context.Context, client *http.Client, account Account, material Material) (tokenAnswer, error) {
	return postHubSpot(ctx, client, account, url.Values{
		"grant_type":    {"refresh_token"},
		"client_id":     {account.ClientID},
		"client_secret": {material.ClientSecret.Reveal()},
		"refresh_token": {material.RefreshToken.Reveal()},
	})
}

// postHubSpot sends a form to the token endpoint, the newest that there is.
// https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens
func postHubSpot(ctx context.Context, client *http.Client, account Account, form url.Values) (tokenAnswer, error) {
	base := account.BaseURL
	if base == "" {
		base = DefaultHubSpotBaseURL
	}
	base, err := ValidateBaseURL(base)
	if err != nil {
		return tokenAnswer{}, err
	}
	paths := []string{HubSpotTokenPath, HubSpotLegacyTokenPath}
	if account.TokenPath != "" {
		paths = slices.Insert(slices.DeleteFunc(paths, func(p string) bool { return p == account.TokenPath }), 0, account.TokenPath)
	}
	for i, path := range paths {
		response, body, err := postForm(ctx, client, base+path, form, "check this machine's network or proxy, and the base URL of the account: lockstep accounts list")
		if err != nil {
			return tokenAnswer{}, err
		}
		if response.StatusCode == http.StatusNotFound && i+1 < len(paths) {
			continue
		}
		if response.StatusCode != http.StatusOK {
			return tokenAnswer{}, refusedHubSpot(response, body, account)
		}
		return hubSpotAnswer(body, base, path)
	}
	return tokenAnswer{}, notHubSpot(base)
}

func hubSpotAnswer(body []byte, base, path string) (tokenAnswer, error) {
	var answer struct {
		AccessToken  string   `json:"access_token"`
		RefreshToken string   `json:"refresh_token"`
		ExpiresIn    int64    `json:"expires_in"`
		Scopes       []string `json:"scopes"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.AccessToken == "" {
		return tokenAnswer{}, notHubSpot(base)
	}
	now := time.Now().Unix()
	token := accessToken{Token: answer.AccessToken, Obtained: now}
	if answer.ExpiresIn > 0 {
		token.Expires = now + answer.ExpiresIn
	}
	slices.Sort(answer.Scopes)
	return tokenAnswer{accessToken: token, RefreshToken: NewSecret(answer.RefreshToken), Scopes: answer.Scopes, TokenPath: path}, nil
}

func notHubSpot(base string) *fault.Error {
	return fault.New(fault.Invalid, "%s does not answer like HubSpot", hostOf(base)).
		WithMend("leave the base URL out (%s is right for every data centre), or check it: lockstep accounts list", DefaultHubSpotBaseURL)
}

// refusedHubSpot explains a refusal of the token endpoint.
// https://developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses
func refusedHubSpot(response *http.Response, body []byte, account Account) *fault.Error {
	status := response.StatusCode
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Status      string `json:"status"`
		Message     string `json:"message"`
	}
	known := json.Unmarshal(body, &answer) == nil && (answer.Error != "" || answer.Status != "")
	var e *fault.Error
	switch {
	case status >= 300 && status < 400:
		e = fault.New(fault.Invalid, "%s sends token requests to another address", hostOf(response.Request.URL.String())).
			WithMend("leave the base URL out: %s is right for every data centre; Lockstep does not follow with a secret in hand", DefaultHubSpotBaseURL)
	case status == http.StatusTooManyRequests:
		e = fault.New(fault.RateLimited, "HubSpot has had too many token requests").WithMend("wait %s, then try again", tokenRest)
		e.RetryAfter = tokenRest
	case status >= 500:
		e = fault.New(fault.Unavailable, "HubSpot gives no tokens at the moment (HTTP %d)", status).
			WithMend("try again in some minutes; https://status.hubspot.com tells of outages")
	case !known:
		e = notHubSpot(response.Request.URL.String())
	default:
		what, mend := explainHubSpotOAuth(answer.Status, answer.Error, account)
		e = fault.New(fault.Denied, "%s (HubSpot says: %s)", what, said(strings.TrimSpace(answer.Status+" "+answer.Error), orOther(answer.Message, answer.Description))).WithMend("%s", mend)
		e.Code = orOther(answer.Status, answer.Error)
	}
	e.Status = status
	return e
}

// explainHubSpotOAuth answers by HubSpot's own code, and by the RFC's where that
// is all there is.
func explainHubSpotOAuth(status, code string, account Account) (what, mend string) {
	again := reconnectCommand(account)
	switch {
	case status == "BAD_REFRESH_TOKEN":
		return "the app was uninstalled from the HubSpot account, or its refresh token was revoked",
			"install it again: " + again
	case status == "BAD_HUB":
		return "the HubSpot account of this installation is gone, or the app is no longer in it", "install it again: " + again
	case status == "BAD_AUTH_CODE":
		return "the code of this sign-in was used already, or is older than a few minutes", "start again: " + again
	case status == "BAD_CLIENT_ID":
		return "HubSpot does not know the client id", mendHubSpotApp + "; then: " + again
	case status == "BAD_CLIENT_SECRET" || code == "invalid_client":
		return "HubSpot refuses the client secret", "copy it anew: " + mendHubSpotApp + "; then: " + again
	case status == "BAD_REDIRECT_URI":
		return "the redirect URL is not one of the app's", "add the address that lockstep connect hubspot --oauth prints to the app's redirect URLs, to the letter"
	case status == "BAD_CODE_VERIFIER":
		return "HubSpot refuses the proof of who started the sign-in (PKCE)", "start again: " + again
	case status == "BAD_SCOPES" || code == "invalid_scope":
		return "the scopes asked for are not the app's", "make the app's required scopes equal to the list that lockstep connect hubspot --oauth prints"
	case code == "invalid_grant":
		return "the authorization has ended", "connect again: " + again
	}
	return "HubSpot refuses the credential", "connect again: " + again
}

func orOther(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

// isEndedGrant tells whether the refresh token itself was refused, and not the
// app or the user behind it.
func isEndedGrant(e *fault.Error) bool {
	return e.Code == "invalid_grant" || e.Code == "BAD_REFRESH_TOKEN"
}
