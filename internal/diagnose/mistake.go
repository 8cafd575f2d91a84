package diagnose

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
)

// mistakes lists what is wrong with a request, whatever the answer was. Where
// the call worked, only what endangers a secret is told.
func mistakes(e *Exchange, vendor crm.Side, worked bool) []Finding {
	var out []Finding
	for _, look := range []func(*Exchange, crm.Side) []Finding{inQuery, notEncrypted} {
		out = append(out, look(e, vendor)...)
	}
	if worked {
		return out
	}
	for _, look := range []func(*Exchange, crm.Side) []Finding{wrongHost, wrongHeader, wrongBearer, wrongMethod, wrongType} {
		out = append(out, look(e, vendor)...)
	}
	return out
}

func mistake(class, what, next string) []Finding {
	return []Finding{{Class: "mistake." + class, Known: true, What: what, Next: next, Retry: retryMending}}
}

// inQuery finds credentials in the address, where logs and proxies keep them.
func inQuery(e *Exchange, vendor crm.Side) []Finding {
	query := e.address().Query()
	switch {
	case query.Has("hapikey") && vendor != crm.Salesforce:
		if strings.HasPrefix(e.address().Path, "/webhooks/v3/") {
			return nil // where the developer API key still has its place
		}
		return mistake("hapikey-in-query", "the call carries ?hapikey=: account API keys ended on 30 November 2022",
			"make a token ("+createdIn+"), send it as the header Authorization: Bearer <token> and take hapikey out; lockstep keys migrate rewrites code")
	case query.Has("access_token"), query.Has("token") && vendor == crm.HubSpot, query.Has("client_secret"), query.Has("refresh_token"):
		return mistake("secret-in-query", "a secret stands in the address, where logs and proxies keep it",
			"send it as the header Authorization: Bearer <token> (or in the body of a token request), and replace the secret")
	}
	return nil
}

func notEncrypted(e *Exchange, vendor crm.Side) []Finding {
	host := e.host()
	if !strings.HasPrefix(strings.ToLower(e.URL), "http://") || vendor == "" || credential.IsLoopback(host) {
		return nil
	}
	return mistake("http", "the address begins with http://, so the token travelled unencrypted",
		"use https://; a token that was sent this way should be rotated")
}

// wrongHost finds addresses that do not answer API calls.
func wrongHost(e *Exchange, vendor crm.Side) []Finding {
	host, path := e.host(), e.address().Path
	data := strings.HasPrefix(path, "/services/data") || strings.HasPrefix(path, "/services/apexrest") || strings.HasPrefix(path, "/services/async")
	switch {
	case strings.HasSuffix(host, ".lightning.force.com"):
		return mistake("lightning-host", "this is the address of the user interface, not of the API", "use the My Domain address: https://"+strings.TrimSuffix(host, ".lightning.force.com")+".my.salesforce.com")
	case strings.HasSuffix(host, ".my.salesforce-setup.com"):
		return mistake("setup-host", "this is the address of Setup, not of the API", "use the My Domain address: https://"+strings.TrimSuffix(host, ".my.salesforce-setup.com")+".my.salesforce.com")
	case data && (host == "login.salesforce.com" || host == "test.salesforce.com"):
		return mistake("no-instance-url", "data calls do not go to the login host", "send them to instance_url of the token's answer (https://….my.salesforce.com)")
	case host == "" && strings.HasPrefix(path, "/services/"), strings.Contains(e.URL, "{{instance"), strings.Contains(e.URL, "undefined/services/"), strings.Contains(e.URL, "null/services/"):
		return mistake("no-instance-url", "the instance URL is missing before the path", "take instance_url from the token's answer and put it before /services/data")
	case (host == "login.salesforce.com" || host == "test.salesforce.com") && strings.Contains(e.SentBody, "grant_type=client_credentials"):
		return mistake("login-host", "client credentials do not work at "+host, "send the token request to the My Domain address: https://<your-domain>.my.salesforce.com/services/oauth2/token")
	case host == "login.salesforce.com" && sandboxUser.MatchString(e.SentBody):
		return mistake("login-host", "this looks like the user of a sandbox, and login.salesforce.com is for production", "use https://test.salesforce.com or the sandbox's My Domain address")
	case vendor == crm.HubSpot && (host == "app.hubspot.com" || strings.HasPrefix(host, "app-") && strings.HasSuffix(host, ".hubspot.com")) && !strings.Contains(path, "/oauth/"):
		return mistake("app-host", "this is the address of HubSpot's user interface, not of the API", "use https://api.hubapi.com")
	}
	if strings.Contains(e.URL, "{{") {
		return mistake("open-variable", "the address holds a variable that was not filled in", "choose the environment in Postman (top right), or set the variable")
	}
	return nil
}

var sandboxUser = regexp.MustCompile(`(?i)username=[^&\s]+(@|%40)[^&\s]+\.(sandbox|dev|full|uat|partial|qa|staging)\b`)

// tokenHeaders are headers in which people put a token and no vendor looks.
var tokenHeaders = regexp.MustCompile(`(?i)^(token|access[-_]?token|x-access-token|x-auth-token|api[-_]?key|x-api-key|hapikey|bearer|x-hubspot-\w*token|auth|authentication|authorisation|autorization|authorizaton|x-authorization)$`)

// wrongHeader finds tokens that stand where nobody looks for them.
func wrongHeader(e *Exchange, vendor crm.Side) []Finding {
	if _, ok := header(e.Sent, "Authorization"); ok || vendor == "" {
		return nil
	}
	for _, h := range e.Sent {
		if tokenHeaders.MatchString(strings.TrimSpace(h.Name)) && h.Value != "" {
			return mistake("wrong-header", "the token stands in the header "+h.Name+", where "+vendor.Title()+" does not look", "send it as Authorization: Bearer <token>")
		}
	}
	return nil
}

// wrongBearer looks at what stands in the Authorization header.
func wrongBearer(e *Exchange, vendor crm.Side) []Finding {
	value, ok := header(e.Sent, "Authorization")
	if !ok || vendor == "" {
		return nil
	}
	scheme, rest, _ := strings.Cut(strings.TrimLeft(value, " \t"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return wrongScheme(e, scheme, rest, value, vendor)
	}
	token := strings.TrimSpace(rest)
	switch low := strings.ToLower(token); {
	case token == "":
		return mistake("no-token", "nothing follows Bearer: the variable that should hold the token is empty", "set the variable (in Postman: save its current value, and choose the environment)")
	case strings.HasPrefix(low, "bearer"):
		return mistake("bearer-twice", "Bearer stands twice: the tool adds it by itself", "give the tool the token alone (in Postman: Authorization > Bearer Token, without the word)")
	case strings.HasPrefix(token, "{{"), strings.HasPrefix(token, "$"), strings.HasPrefix(token, "%7B%7B"), placeholder.MatchString(token):
		return mistake("open-variable", "in place of the token stands a variable that was not filled in, or the example's own word", "put the real token there; in Postman choose the environment, in a shell use double quotes")
	case strings.ContainsAny(token, `"'`+"`“”‘’<>"):
		return mistake("quotes", "quotes or angle brackets stand around the token", "send the token alone")
	case strings.Contains(low, "%0a"), strings.Contains(low, "%0d"), strings.Contains(token, `\n`), strings.Contains(token, `\r`), strings.HasSuffix(low, "%20"):
		return mistake("line-end", "a line end or a blank follows the token", "take it off: read the file with tr -d '\\n', or trim the text; lockstep connect does it by itself")
	case rest != strings.TrimLeft(rest, " "), strings.HasSuffix(rest, " "), strings.ContainsAny(token, " \t"):
		return mistake("blanks", "there is a blank too many before, in or after the token", "one blank follows Bearer, then the token alone")
	}
	return append(wrongRegion(e, token), wrongKind(token, vendor)...)
}

var placeholder = regexp.MustCompile(`(?i)^(\[?your[-_ ]|<[a-z_ ]*>?$|my[-_]?(access[-_]?)?token$|access_token$|token$|xxx+|private_app_access_token|undefined$|null$)`)

func wrongScheme(e *Exchange, scheme, rest, value string, vendor crm.Side) []Finding {
	path := e.address().Path
	if strings.EqualFold(scheme, "Basic") && strings.Contains(path, "/oauth") {
		return nil
	}
	if vendor == crm.Salesforce && (strings.EqualFold(scheme, "OAuth") || strings.EqualFold(scheme, "Session")) {
		return nil
	}
	switch {
	case rest == "" && credential.Classify(value).Form != credential.FormUnknown:
		return mistake("no-bearer", "the word Bearer is missing before the token", "send Authorization: Bearer <token>")
	case strings.HasPrefix(strings.ToLower(scheme), "bearer"):
		return mistake("bearer-mark", "after Bearer comes one blank, and no colon or other mark", "send Authorization: Bearer <token>")
	case rest == "":
		return mistake("no-bearer", "the Authorization header has no scheme", "send Authorization: Bearer <token>")
	}
	return mistake("wrong-scheme", vendor.Title()+" does not know the scheme "+scheme, "send Authorization: Bearer <token>")
}

// wrongRegion finds a HubSpot token at the address of another data centre.
func wrongRegion(e *Exchange, token string) []Finding {
	c := credential.Classify(token)
	host := e.host()
	if c.Form != credential.FormHubSpotToken || !strings.HasPrefix(host, "api-") || !strings.HasSuffix(host, ".hubapi.com") {
		return nil
	}
	if region := strings.TrimSuffix(strings.TrimPrefix(host, "api-"), ".hubapi.com"); region != c.Region {
		return mistake("region", "the token is of data centre "+c.Region+", and "+host+" is data centre "+region, "use https://api.hubapi.com, which serves every data centre")
	}
	return nil
}

// wrongKind finds credentials that are no token of this vendor.
func wrongKind(token string, vendor crm.Side) []Finding {
	form := credential.Classify(token).Form
	hubSpotToken := "make a token in HubSpot under " + createdIn
	switch {
	case vendor == crm.HubSpot && form == credential.FormHubSpotAPIKey:
		return mistake("key-as-token", "what was sent as the token is a bare UUID: an old API key, a developer API key or an app's client secret, and none of these is a token", hubSpotToken+"; it starts with pat-")
	case vendor == crm.HubSpot && refreshForm.MatchString(token):
		return mistake("refresh-as-token", "this is a refresh token; it only gets access tokens", "exchange it first: POST /oauth/v3/token, grant_type=refresh_token")
	case vendor == crm.HubSpot && (form == credential.FormSalesforceSession || form == credential.FormSalesforceConsumerKey || form == credential.FormSalesforceRefreshToken):
		return mistake("other-vendor", "this is a credential of Salesforce, sent to HubSpot", hubSpotToken)
	case vendor == crm.Salesforce && (form == credential.FormHubSpotToken || form == credential.FormHubSpotAPIKey):
		return mistake("other-vendor", "this is a credential of HubSpot, sent to Salesforce", "get an access token of the org: lockstep connect salesforce walks through it")
	case vendor == crm.Salesforce && form == credential.FormSalesforceConsumerKey:
		return mistake("key-as-token", "this is the Consumer Key of the app, not an access token", "exchange it first: POST /services/oauth2/token at the My Domain address")
	case vendor == crm.Salesforce && form == credential.FormSalesforceRefreshToken:
		return mistake("refresh-as-token", "this is a refresh token; it only gets access tokens", "exchange it first: POST /services/oauth2/token, grant_type=refresh_token")
	}
	return nil
}

var refreshForm = regexp.MustCompile(`^[a-z]{2,4}[0-9]{1,2}-[0-9a-f]{4}-[0-9a-f-]{20,}$`)

// hubSpotRecord and salesforceRecordPath are addresses of one record.
var (
	hubSpotRecord        = regexp.MustCompile(`^/crm/(?:v3/objects|objects/[0-9-]+(?:beta)?)/[^/]+/[0-9]+/?$`)
	salesforceRecordPath = regexp.MustCompile(`^/services/data/v[0-9.]+/sobjects/[A-Za-z0-9_]+/[0-9A-Za-z]{15,18}/?$`)
	salesforcePlural     = regexp.MustCompile(`^/services/data/v[0-9.]+/sobjects/(Contacts|Accounts|Leads|Opportunities|Users|Tasks|Events|Cases)(?:/|$)`)
	hubSpotSingular      = regexp.MustCompile(`^/crm/(?:v3/objects|objects/[0-9-]+(?:beta)?|v3/properties)/(contact|company|deal|ticket|product|line_item|note|call|task|meeting|email)(?:/|$)`)
)

func wrongMethod(e *Exchange, vendor crm.Side) []Finding {
	path, method := e.address().Path, strings.ToUpper(e.Method)
	var out []Finding
	record := vendor == crm.HubSpot && hubSpotRecord.MatchString(path) || vendor == crm.Salesforce && salesforceRecordPath.MatchString(path)
	if record && (method == http.MethodPut || method == http.MethodPost) && !strings.Contains(e.URL, "_HttpMethod=PATCH") {
		out = mistake("patch", "a record is changed with PATCH, not with "+method, "send PATCH to the same address, with only the fields that change")
	}
	if m := salesforcePlural.FindStringSubmatch(path); m != nil {
		out = append(out, mistake("plural-object", "Salesforce's objects are named in the singular, and "+m[1]+" is not", "use the API name from Setup > Object Manager: Contact, Account, Opportunity")...)
	}
	if m := hubSpotSingular.FindStringSubmatch(path); m != nil && (e.Status == http.StatusNotFound || e.Status == http.StatusBadRequest || e.Status == http.StatusMethodNotAllowed) {
		out = append(out, mistake("singular-object", "HubSpot's objects are named in the plural; the singular "+m[1]+" works on some paths only", "use contacts, companies, deals, tickets, or the object's type id")...)
	}
	return out
}

// wrongType finds bodies that are sent as something else than they are.
func wrongType(e *Exchange, vendor crm.Side) []Finding {
	body := strings.TrimSpace(e.SentBody)
	if body == "" || vendor == "" {
		return nil
	}
	kind, given := header(e.Sent, "Content-Type")
	kind = strings.ToLower(kind)
	isJSON := json.Valid([]byte(body)) && strings.ContainsAny(body[:1], "{[")
	path := e.address().Path
	if strings.HasSuffix(path, "/token") && strings.Contains(path, "/oauth") {
		if isJSON || strings.Contains(kind, "json") {
			return mistake("content-type", "the token endpoint takes a form, not JSON", "send Content-Type: application/x-www-form-urlencoded with grant_type=…&client_id=…")
		}
		return nil
	}
	switch {
	case isJSON && given && !strings.Contains(kind, "json"):
		return mistake("content-type", "the body is JSON, but its Content-Type says "+kind, "send Content-Type: application/json (curl -d sends a form unless told otherwise; curl --json does it right)")
	case isJSON && !given:
		return mistake("content-type", "the body is JSON, and no Content-Type says so", "send Content-Type: application/json")
	case !isJSON && strings.Contains(kind, "json"):
		if values, err := url.ParseQuery(body); err == nil && len(values) > 0 && strings.Contains(body, "=") && !strings.HasPrefix(body, "{") {
			return mistake("content-type", "the Content-Type says JSON, but the body is a form", "send the body as JSON: {\"properties\": {…}}")
		}
	}
	return nil
}
