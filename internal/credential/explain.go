package credential

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Explain turns a refusal (401, 403, an OAuth error) into what it is and the
// next step. Any other error comes back as it is, as a fault. It is nil only
// for a nil error; check err first, because a nil *fault.Error in an error
// variable is not nil.
func Explain(err error, account Account) *fault.Error {
	if err == nil {
		return nil
	}
	refused, ok := fault.As(err)
	if !ok {
		return fault.New(fault.Internal, "%s account %s", account.Side.Title(), account.Name).Wrap(err)
	}
	if refused.Kind != fault.Denied && refused.Status != http.StatusUnauthorized && refused.Status != http.StatusForbidden {
		return refused
	}
	explained := *refused
	explained.Err = err
	what, mend := "", ""
	if account.Side == crm.HubSpot {
		what, mend = explainHubSpot(refused, account)
	} else {
		what, mend = explainSalesforce(refused, account)
	}
	if what == "" {
		return refused
	}
	explained.What, explained.Mend, explained.Kind = what, mend, fault.Denied
	return &explained
}

// Bodies: https://developers.hubspot.com/docs/api-reference/error-handling
func explainHubSpot(refused *fault.Error, account Account) (what, mend string) {
	again := "; then: " + reconnectCommand(account)
	if account.Kind == HubSpotOAuth {
		if what, mend = explainHubSpotApp(refused, account); what != "" {
			return what, mend
		}
	}
	switch refused.Code {
	case "MISSING_SCOPES":
		scopes := strings.Join(refused.Scopes, ", ")
		if scopes == "" {
			scopes = "one that HubSpot does not name"
		}
		return "the token lacks a scope: " + scopes,
			"in HubSpot open the service key or private app, add the scope under Scopes and save: the token stays the same. A project app needs a new deploy and a new install, which give a new token"
	case "MISSING_PERMISSIONS":
		return "the HubSpot account may not do this: its subscription, or a feature that is not switched on, forbids it",
			"ask a super admin of the portal whether the subscription includes it"
	case "BANNED":
		return "HubSpot has blocked this account or app", "ask HubSpot support, naming the request id " + orUnknown(refused.RequestID)
	case "EXPIRED_AUTHENTICATION":
		// HubSpot says "expired" of any text that it cannot decode, too.
		return "HubSpot says that the token is expired; tokens of private apps and service keys do not expire by themselves, so it was rotated, deleted, or not copied whole",
			"in HubSpot open Development > Keys > Service keys (or Legacy apps > your app > Auth) and copy the present token" + again
	}
	switch refused.Status {
	case http.StatusUnauthorized:
		return "HubSpot does not know this token",
			"in HubSpot open Development > Keys > Service keys (or Legacy apps > your app > Auth) and copy the whole token, which starts with pat-" + again
	}
	return "", ""
}

// explainHubSpotApp explains what only an OAuth app meets.
func explainHubSpotApp(refused *fault.Error, account Account) (what, mend string) {
	again := reconnectCommand(account)
	switch {
	case refused.Code == "MISSING_SCOPES":
		scopes := strings.Join(refused.Scopes, " ")
		if scopes == "" {
			scopes = "(HubSpot does not name it)"
		}
		return "this installation of the app lacks a scope: " + scopes,
			"add the scope to the app's required scopes, upload and deploy it, then install it again: " + again
	case refused.Status == http.StatusUnauthorized:
		return "HubSpot takes neither the access token of this installation nor a new one",
			"see whether the app is still there: Settings > Integrations > Connected apps; then install it again: " + again
	}
	return "", ""
}

func deadHubSpotToken(account Account) *fault.Error {
	return fault.New(fault.Denied, "HubSpot no longer takes the token of account %s", account.Name).
		WithMend("in HubSpot open Development > Keys > Service keys (or Legacy apps > your app > Auth) and copy the present token; then: %s", reconnectCommand(account))
}

// Codes: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
func explainSalesforce(refused *fault.Error, account Account) (what, mend string) {
	again := reconnectCommand(account)
	switch refused.Code {
	case "INVALID_SESSION_ID", "INVALID_AUTH_HEADER", "Bad_OAuth_Token", "Missing_OAuth_Token":
		if account.Kind == SalesforceCLI {
			return "Salesforce refuses the session that the Salesforce CLI gives", "log the CLI in again: sf org login web --alias " + account.Username
		}
		if account.Kind == SalesforceOAuth {
			return "Salesforce refuses the session, and a new one too",
				"see whether the user is active and may use the API (Setup > Users), and whether sessions are bound to an IP address (Setup > Session Settings); then: " + again
		}
		return "Salesforce refuses the session, and a new one too",
			"see whether the app's Run As user is active and may use the API (Setup > Users), and whether its session is bound to an IP address; then: " + again
	case "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED":
		return "this Salesforce org, or this user, has no API access",
			"give the user's profile or permission set the permission \"API Enabled\"; Professional and Group Edition need the API as an add-on"
	case "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY":
		return "the Salesforce user may not do this",
			fmt.Sprintf("give the user %sa permission set with the objects and fields of the mapping; lockstep check lists them", nameOf(account.User))
	case "REQUEST_LIMIT_EXCEEDED":
		return "", ""
	}
	if refused.Status == http.StatusUnauthorized {
		return "Salesforce does not accept the access token", again
	}
	return "", ""
}

func nameOf(user string) string {
	if user == "" {
		return ""
	}
	return user + " "
}

func orUnknown(id string) string {
	if id == "" {
		return "(none)"
	}
	return id
}

// refusedToken explains a refusal of the token request.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm
func refusedToken(response *http.Response, body []byte, account Account) *fault.Error {
	status := response.StatusCode
	if status >= 300 && status < 400 {
		return fault.New(fault.Invalid, "%s sends token requests to another address", hostOf(account.LoginURL)).
			WithMend("use the address in Setup > My Domain as the login URL; Lockstep does not follow with a secret in hand")
	}
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	known := json.Unmarshal(body, &answer) == nil && answer.Error != ""
	if status >= 500 || status == http.StatusTooManyRequests || status == 420 {
		e := fault.New(fault.Unavailable, "Salesforce gives no tokens at the moment (HTTP %d)", status).
			WithMend("try again in some minutes; https://status.salesforce.com tells of outages")
		e.Status = status
		return e
	}
	if !known {
		e := notSalesforce(account.LoginURL)
		e.Status = status
		return e
	}
	kind, what, mend := explainOAuth(answer.Error, answer.Description, account)
	e := fault.New(kind, "%s (Salesforce says: %s)", what, said(answer.Error, answer.Description)).WithMend("%s", mend)
	e.Code, e.Status = answer.Error, status
	if kind == fault.RateLimited {
		e.RetryAfter = tokenRest
	}
	return e
}

// tokenRest is how long to leave the token endpoint alone after it complained.
// Salesforce names no time.
const tokenRest = 5 * time.Minute

// said quotes the vendor, on one line and not for ever.
func said(code, description string) string {
	text := Redact(strings.TrimSuffix(strings.Join(strings.Fields(code+": "+description), " "), ":"))
	const most = 200
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

const (
	mendApp      = "Setup > External Client App Manager > your app"
	mendNewApp   = "a new app takes up to ten minutes to become known; otherwise compare the Consumer Key and Secret in " + mendApp + " > Settings > OAuth Settings"
	mendPolicies = mendApp + " > Policies > OAuth Policies"
)

// explainWebLogin explains what only a login in the browser meets.
func explainWebLogin(code, description string, account Account) (what, mend string) {
	again := reconnectCommand(account)
	has := func(part string) bool { return strings.Contains(strings.ToLower(description), part) }
	switch {
	case code == "redirect_uri_mismatch":
		return "the callback URL is not one of the app's",
			"add the address that lockstep connect salesforce --web prints to the app, to the letter: " + mendApp + " > Settings > OAuth Settings > Callback URL"
	case code == "invalid_client" || code == "invalid_request" && has("secret"):
		return "Salesforce refuses the client secret", "copy the Consumer Secret anew, or let the app do without one for the web flow and for refreshes: " + mendApp + " > Settings > OAuth Settings; then: " + again + " --client-secret -"
	case code == "unsupported_grant_type":
		return "the app does not allow this login", "switch on Authorization Code and Refresh Token: " + mendApp + " > Settings > Flow Enablement; then: " + again
	case code == "invalid_grant" && has("authorization code"):
		return "the code of this sign-in was used already, or is older than 15 minutes", "start again: " + again
	case code == "invalid_grant" && (has("code verifier") || has("authentication failure")):
		return "Salesforce refuses the sign-in, or the proof of who started it (PKCE)", "start again: " + again
	case code == "invalid_grant" && has("inactive"):
		return "the Salesforce user is not active", "activate the user in Setup > Users; then: " + again
	case code == "invalid_grant" && has("expired"):
		return "Salesforce has ended this login: it was revoked by an administrator or its user, pushed out by newer logins (a user has five for one app), or its refresh token was used elsewhere", again
	}
	return "", ""
}

// explainOAuth answers by the OAuth code. invalid_grant stands for a dozen
// causes that only the description tells apart, so it is looked into to choose
// the advice, never to decide what the program does.
func explainOAuth(code, description string, account Account) (kind fault.Kind, what, mend string) {
	again := "; then: " + reconnectCommand(account)
	if account.Kind == SalesforceOAuth {
		if what, mend := explainWebLogin(code, description, account); what != "" {
			return fault.Denied, what, mend
		}
	}
	has := func(part string) bool { return strings.Contains(strings.ToLower(description), part) }
	switch code {
	case "invalid_client_id":
		return fault.Denied, "Salesforce does not know the client id", mendNewApp + again
	case "invalid_client":
		return fault.Denied, "Salesforce refuses the client secret", "copy the Consumer Secret anew: " + mendApp + " > Settings > OAuth Settings" + again
	case "unsupported_grant_type":
		return fault.Denied, "the app does not allow the flow of " + account.Kind.Title(), "switch it on: " + mendApp + " > Policies > Enable Client Credentials Flow, or Settings > Flow Enablement"
	case "inactive_user":
		return fault.Denied, "the Salesforce user is not active", "activate the user in Setup > Users, or choose another one for the app"
	case "inactive_org", "org_locked":
		return fault.Denied, "the Salesforce org is locked or not active", "ask the org's administrator or Salesforce"
	case "rate_limit_exceeded":
		return fault.RateLimited, "Salesforce has had too many token requests", fmt.Sprintf("wait %s, then try again", tokenRest)
	case "OAUTH_APP_BLOCKED", "OAUTH_EC_APP_NOT_FOUND":
		return fault.Denied, "the app is blocked or not installed in this org", "Setup > External Client App Manager (or Connected Apps OAuth Usage): install it or lift the block"
	case "invalid_scope":
		return fault.Denied, "the app lacks an OAuth scope", "add \"Manage user data via APIs (api)\": " + mendApp + " > Settings > OAuth Settings"
	case "unknown_error":
		return fault.Unavailable, "Salesforce could not answer the token request", "try again in some minutes"
	}
	switch {
	case has("no client credentials user"):
		return fault.Denied, "the app has no user to run as", "choose one: " + mendPolicies + " > Client Credentials Flow > Run As"
	case has("not supported on this domain"):
		return fault.Denied, "client credentials work only at your My Domain address, not at " + hostOf(account.LoginURL), "use the address in Setup > My Domain, such as https://acme.my.salesforce.com, as the login URL" + again
	case has("hasn't approved"), has("not admin approved"):
		return fault.Denied, "the user is not allowed to use the app", "set Permitted Users to \"Admin approved users are pre-authorized\" and add the user's profile or permission set: " + mendPolicies
	case has("audience"):
		return fault.Denied, "the login URL is not the right one for this org", "use https://login.salesforce.com for production, https://test.salesforce.com for a sandbox, or the My Domain address" + again
	case has("assertion"), has("signature"):
		return fault.Denied, "Salesforce cannot verify the JWT", "the certificate in the app must belong to the private key given to Lockstep, and this machine's clock must be right: " + mendApp + " > Settings > OAuth Settings > Enable JWT Bearer Flow"
	case has("ip restricted"):
		return fault.Denied, "Salesforce does not let this machine's address in", "relax IP restrictions for the app, or add the address to the profile's login IP ranges: " + mendPolicies
	case has("expired"):
		return fault.Denied, "the Salesforce authorization has ended", "connect again: " + reconnectCommand(account)
	}
	return fault.Denied, "Salesforce refuses the credential", "Setup > Users > Login History tells why; look at the user, at " + mendPolicies + again
}
