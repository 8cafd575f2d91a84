package diagnose

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

const salesforceErrors = "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm"

// salesforceProblem is one error as Salesforce writes it: errorCode at the top
// level, statusCode in the result of one record.
type salesforceProblem struct {
	Message    string   `json:"message"`
	ErrorCode  string   `json:"errorCode"`
	StatusCode any      `json:"statusCode"`
	Fields     []string `json:"fields"`
}

func (p salesforceProblem) code() string {
	if p.ErrorCode != "" {
		return p.ErrorCode
	}
	code, _ := p.StatusCode.(string)
	return code
}

// salesforceAnswer says what an answer of Salesforce means.
func salesforceAnswer(e *Exchange) []Finding {
	if o, ok := readOAuth(e.Body); ok {
		return []Finding{salesforceOAuth(o)}
	}
	problems := readSalesforce(e.Body)
	var out []Finding
	seen := map[string]bool{}
	for _, p := range problems {
		f := salesforceFinding(p)
		if !seen[f.Class+f.Said] {
			seen[f.Class+f.Said] = true
			out = append(out, f)
		}
	}
	if len(out) > 0 || e.Status >= 200 && e.Status < 300 {
		return out
	}
	return salesforceByStatus(e)
}

var (
	soapFault  = regexp.MustCompile(`(?s)<(?:\w+:)?faultcode>\s*(?:\w+:)?([A-Z_a-z]+)\s*</.*?<(?:\w+:)?faultstring>(.*?)</`)
	bulkFault  = regexp.MustCompile(`(?s)<exceptionCode>\s*(\w+)\s*</exceptionCode>.*?<exceptionMessage>(.*?)</exceptionMessage>`)
	bulkRow    = regexp.MustCompile(`(?m)^"?[^"\n]*"?,?"?([A-Z][A-Z_]{5,}):(.*?):([A-Za-z0-9_, ]*) --"?`)
	plainFault = regexp.MustCompile(`^(Bad_OAuth_Token|Missing_OAuth_Token|Bad_Id)\b`)
)

// readSalesforce finds the errors of an answer wherever that kind of call has
// them: at the top, in collections, composites, trees and graphs, in SOAP and
// Bulk.
func readSalesforce(body string) []salesforceProblem {
	text := strings.TrimSpace(body)
	var value any
	if json.Unmarshal([]byte(text), &value) == nil {
		var found []salesforceProblem
		collect(value, &found, 0)
		return found
	}
	if m := soapFault.FindStringSubmatch(text); m != nil {
		return []salesforceProblem{{ErrorCode: m[1], Message: m[2]}}
	}
	if m := bulkFault.FindStringSubmatch(text); m != nil {
		return []salesforceProblem{{ErrorCode: m[1], Message: m[2]}}
	}
	if m := plainFault.FindString(text); m != "" {
		return []salesforceProblem{{ErrorCode: m, Message: m}}
	}
	var found []salesforceProblem
	for _, m := range bulkRow.FindAllStringSubmatch(text, 20) {
		p := salesforceProblem{ErrorCode: m[1], Message: m[2]}
		if fields := strings.TrimSpace(m[3]); fields != "" {
			p.Fields = strings.Split(fields, ", ")
		}
		found = append(found, p)
	}
	return found
}

// deepest bounds how far into an answer errors are looked for.
const deepest = 12

func collect(value any, found *[]salesforceProblem, depth int) {
	if depth > deepest {
		return
	}
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			collect(one, found, depth+1)
		}
	case map[string]any:
		p := salesforceProblem{StatusCode: v["statusCode"]}
		p.Message, _ = v["message"].(string)
		p.ErrorCode, _ = v["errorCode"].(string)
		if p.ErrorCode == "" {
			if p.ErrorCode, _ = v["exceptionCode"].(string); p.ErrorCode != "" && p.Message == "" {
				p.Message, _ = v["exceptionMessage"].(string)
			}
		}
		if fields, ok := v["fields"].([]any); ok {
			for _, f := range fields {
				if name, ok := f.(string); ok {
					p.Fields = append(p.Fields, name)
				}
			}
		}
		if p.code() != "" {
			*found = append(*found, p)
			return
		}
		for _, name := range []string{"errors", "error", "body", "compositeResponse", "graphs", "graphResponse", "results", "result"} {
			collect(v[name], found, depth+1)
		}
	}
}

// salesforceFinding explains one code.
func salesforceFinding(p salesforceProblem) Finding {
	code := p.code()
	f := Finding{Known: true, Code: code, Fields: p.Fields, Said: clip(p.Message), Page: salesforceErrors}
	if m, ok := salesforceMeaningOf(strings.ToUpper(code), p.Message); ok {
		f.Class = "salesforce." + m.class
		f.What, f.Next, f.Retry, f.Permission, f.Limit = m.what, m.next, m.retry, m.permission, m.limit
		if f.Permission != "" && len(f.Fields) > 0 {
			f.Permission += " on " + strings.Join(f.Fields, ", ")
		}
		return f
	}
	f.Class, f.Known = "unknown", false
	f.What = fmt.Sprintf("what Salesforce means by %s is not known here", code)
	f.Next = support("salesforce")
	return f
}

// salesforceByStatus is for answers that only their status tells.
func salesforceByStatus(e *Exchange) []Finding {
	f := Finding{Known: true, Page: salesforceErrors, Said: clip(e.Body)}
	switch e.Status {
	case http.StatusMultipleChoices:
		f.Class, f.Retry = "salesforce.several-records", retryMending
		f.What = "several records have this value in the external id field, so none was taken"
		f.Next = "merge the duplicates, and make the field Unique in Setup > Object Manager"
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect:
		f.Class, f.Retry = "salesforce.redirect", retryMending
		f.What = "the call was sent to a page of the user interface, or the org has moved"
		f.Next = "send calls to instance_url of the token's answer, the My Domain address (https://….my.salesforce.com)"
	case http.StatusUnauthorized:
		f.Class, f.Retry = "salesforce.session", retryMending
		f.What = "Salesforce does not accept the session"
		f.Next = "get a new access token, and send the call to the instance_url that came with it"
	case 420, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInternalServerError:
		f.Class, f.Retry = "salesforce.unavailable", retryLater
		f.What = "Salesforce, or the edge before it, cannot answer at the moment"
		f.Next = "repeat after some seconds, less often each time; look before you repeat a create. https://status.salesforce.com tells of outages"
	case http.StatusNotFound:
		f.Class, f.Retry = "salesforce.not-found", retryMending
		f.What = "there is nothing at this address: the path is misspelt, or the host is not the org's"
		f.Next = "paths look like /services/data/v68.0/sobjects/Contact/<id>; the host is instance_url of the token's answer"
	case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		f.Class, f.Retry, f.Limit = "salesforce.url-too-long", retryMending, "16,384 bytes of URL and headers"
		f.What = "the URL is too long, usually by a query"
		f.Next = "select fewer fields, or send the query inside POST /composite"
	case http.StatusPreconditionFailed:
		f.Class, f.Retry = "salesforce.precondition", retryMending
		f.What = "the record changed since it was read (If-Match, If-Unmodified-Since)"
		f.Next = "read it again and decide anew"
	default:
		return nil
	}
	return one(f)
}

// salesforceOAuth explains the token endpoint's answers. invalid_grant stands
// for a dozen causes that only the description tells apart.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm
func salesforceOAuth(o oauthBody) Finding {
	f := Finding{Known: true, Code: o.Error, Said: clip(o.Description), Retry: retryMending, Page: "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm"}
	set := func(class, what, next string) Finding {
		f.Class, f.What, f.Next = "salesforce.oauth-"+class, what, next
		return f
	}
	const app = "Setup > External Client App Manager > your app"
	has := func(part string) bool { return strings.Contains(strings.ToLower(o.Description), part) }
	switch o.Error {
	case "invalid_client_id":
		return set("client-id", "this host does not know the client id: the Consumer Key is wrong, the login host is (login, test or My Domain), or the app is younger than ten minutes",
			"compare the Consumer Key in "+app+" > Settings; a sandbox signs in at test.salesforce.com or its My Domain")
	case "invalid_client":
		return set("client-secret", "the client secret is wrong", "copy the Consumer Secret anew: "+app+" > Settings > OAuth Settings")
	case "unsupported_grant_type":
		return set("flow-off", "the app does not allow this flow, or grant_type is misspelt", "switch the flow on: "+app+" > Settings > Flow Enablement; the username-password flow is off in new orgs and ends")
	case "invalid_scope":
		return set("scope", "the app does not have the OAuth scope that was asked for", "add api and refresh_token: "+app+" > Settings > OAuth Settings")
	case "redirect_uri_mismatch":
		return set("redirect", "the redirect_uri is not, letter by letter, the callback URL of the app", "compare it with "+app+" > Settings > Callback URL")
	case "access_denied":
		return set("denied", "the person declined, or may not use the app", "let them allow it, or pre-authorize the user's permission set in the app's policies")
	case "invalid_request":
		return set("request", "the token request lacks something or repeats it", "send it form-encoded with every parameter of the flow; with PKCE the authorize step needs code_challenge")
	case "inactive_user":
		return set("inactive-user", "the user is not active", "activate the user in Setup > Users, or choose another Run As user for the app")
	case "inactive_org", "org_locked":
		f.Retry = retryNever
		return set("org", "the org is locked or not active", "ask the org's administrator or Salesforce")
	case "rate_limit_exceeded":
		f.Retry, f.Limit = retryLater, "token requests (3,600 per user and hour)"
		return set("limit", "too many token requests", "wait; keep an access token until it ends instead of asking for one per call")
	case "OAUTH_APP_BLOCKED", "OAUTH_EC_APP_NOT_FOUND":
		return set("app-blocked", "the app is blocked or not installed in this org", "Setup > Connected Apps OAuth Usage (or External Client App Manager): install it or lift the block")
	case "unknown_error":
		f.Retry = retryLater
		return set("unavailable", "Salesforce could not answer the token request", "try again in some minutes")
	case "unsupported_token_type", "invalid_token":
		return set("token", "the token to revoke or look at is not known", "it ended already, or is of another org")
	case "invalid_grant":
		switch {
		case has("no client credentials user"):
			return set("no-run-as", "the app has no user to run as", "choose one: "+app+" > Policies > OAuth Policies > Client Credentials Flow > Run As")
		case has("not supported on this domain"):
			return set("domain", "client credentials work only at the org's My Domain address, not at login or test.salesforce.com", "send the token request to https://<your-domain>.my.salesforce.com/services/oauth2/token")
		case has("hasn't approved"), has("not admin approved"):
			return set("not-approved", "the user is not allowed to use the app", "set Permitted Users to \"Admin approved users are pre-authorized\" and add the user's permission set: "+app+" > Policies")
		case has("audience"):
			return set("audience", "the JWT's aud is not the login host of this org", "use https://login.salesforce.com for production, https://test.salesforce.com for a sandbox, or the My Domain address")
		case has("assertion"), has("signature"):
			return set("assertion", "Salesforce cannot verify the JWT", "the app's certificate must belong to the key that signs, iss be the Consumer Key, sub the username, exp within minutes, and the clock right")
		case has("ip restricted"):
			return set("ip", "this machine's address is not let in", "relax IP restrictions of the app, or add the address to the login IP ranges of the user's profile")
		case has("authorization code"):
			return set("code", "the authorization code was used, has expired (15 minutes) or is wrong; it works once", "start the authorization anew")
		case has("expired access/refresh token"), has("expired"):
			return set("refresh-token", "the refresh token is dead: revoked, replaced by rotation, idle too long, or pushed out by a sixth grant", "let the user authorize anew (lockstep connect salesforce); with rotation keep the newest refresh token of every answer")
		case has("authentication failure"):
			f := set("authentication", "the sign-in failed: user, password with security token, blocked flow, IP address or PKCE verifier", "Setup > Login History of the user says which; a sandbox signs in at test.salesforce.com, with .sandboxname after the username")
			return f
		}
		return set("grant", "Salesforce refuses the grant, and its words do not say why", "Setup > Users > Login History tells why; look at the user and at "+app+" > Policies")
	}
	f.Known = false
	f.Class, f.What, f.Next = "unknown", "what Salesforce means by "+o.Error+" is not known here", support("salesforce")
	return f
}
