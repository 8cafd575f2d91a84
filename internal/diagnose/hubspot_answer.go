package diagnose

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

const hubSpotErrors = "https://developers.hubspot.com/docs/api-reference/error-handling"

// hubSpotAnswer says what an answer of HubSpot means.
func hubSpotAnswer(e *Exchange) []Finding {
	r, read := readHubSpot(e.Body)
	if e.Status >= 200 && e.Status < 300 && e.Status != http.StatusMultiStatus && r.NumErrors == 0 && len(r.Errors) == 0 {
		return nil
	}
	var out []Finding
	for _, rule := range []func(*Exchange, *hubSpotBody) []Finding{
		hubSpotOAuth, hubSpotParts, hubSpotDenied, hubSpotLimit, hubSpotValues, hubSpotWorded,
	} {
		if len(out) == 0 && read {
			out = rule(e, &r)
		}
	}
	if len(out) == 0 {
		out = hubSpotByStatus(e, r)
	}
	for i := range out {
		f := &out[i]
		f.Known = true
		if f.Page == "" {
			f.Page = hubSpotErrors
		}
		if f.Said == "" {
			f.Said = clip(r.Message)
		}
	}
	return out
}

func one(f Finding) []Finding { return []Finding{f} }

// createdIn are the clicks to a HubSpot token today.
const createdIn = "Development > Keys > Service keys (older private apps: Development > Legacy apps > your app > Auth)"

var manyDays = regexp.MustCompile(`expired ([0-9]+) day`)

// hubSpotDenied is for 401 and 403.
func hubSpotDenied(e *Exchange, r *hubSpotBody) []Finding {
	switch r.Category {
	case "INVALID_AUTHENTICATION":
		_, keyLink := r.Links["api key"]
		switch {
		case keyLink || strings.Contains(r.Message, "API key provided is invalid"):
			return one(Finding{Class: "hubspot.api-key", Code: r.Category, Retry: retryMending,
				What: "the call carries an API key (hapikey): account API keys ended on 30 November 2022 and open nothing any more",
				Next: "make a token instead, in HubSpot under " + createdIn + ", and send it as the header Authorization: Bearer <token>; lockstep connect hubspot walks through it",
				Page: "https://developers.hubspot.com/changelog/upcoming-api-key-sunset"})
		case strings.Contains(r.Message, "credentials not found"), len(r.Links) == 0:
			return one(Finding{Class: "hubspot.no-credentials", Code: r.Category, Retry: retryMending,
				What: "HubSpot finds no credential in the call that it knows: the Authorization header is missing, misspelt, or holds a token that was deleted, rotated or not copied whole",
				Next: "send Authorization: Bearer <token>, with one blank and no quotes; copy the whole token, which starts with pat-, from " + createdIn})
		default:
			return one(Finding{Class: "hubspot.developer-key-needed", Code: r.Category, Retry: retryMending,
				What: "this endpoint manages an app and takes the developer API key of the developer account, not a token",
				Next: "use the developer API key (Development > Keys > Developer API key) as ?hapikey=, from a server only; it opens no CRM data"})
		}
	case "EXPIRED_AUTHENTICATION":
		if match := manyDays.FindStringSubmatch(r.Message); match != nil && len(match[1]) >= 4 || len(r.Context["expire time"]) > 0 && strings.HasPrefix(r.Context["expire time"][0], "1970-") {
			return one(Finding{Class: "hubspot.undecodable-token", Code: r.Category, Retry: retryMending,
				What: "HubSpot could not read the token at all, and then calls it expired since 1970: what was sent is not a whole token",
				Next: "compare what follows Bearer with the token under " + createdIn + ": no quotes, no second Bearer, no line end, nothing missing at the end"})
		}
		return one(Finding{Class: "hubspot.expired-token", Code: r.Category, Retry: retryMending,
			What: "the OAuth access token has ended: it lives 30 minutes",
			Next: "get a new one with the refresh token (POST /oauth/v3/token, grant_type=refresh_token) and send the call again; tokens that start with pat- do not end by themselves"})
	case "MISSING_SCOPES":
		return one(hubSpotScopes(r))
	case "MISSING_PERMISSIONS":
		return one(Finding{Class: "hubspot.missing-permissions", Code: r.Category, Retry: retryMending,
			What: "the account may not do this, whatever the scopes: its subscription does not include it, or a feature is not switched on",
			Next: "ask a super admin whether the subscription includes it; no scope can mend it"})
	case "BANNED":
		return one(Finding{Class: "hubspot.banned", Code: r.Category, Retry: retryNever, What: "HubSpot has blocked this account or app", Next: "ask HubSpot's support, naming the correlationId"})
	}
	if e.Status == http.StatusForbidden && strings.Contains(r.Message, "isn't available for public use") {
		return one(Finding{Class: "hubspot.unreleased-scope", Retry: retryNever, What: "the endpoint needs a scope that HubSpot gives to nobody yet",
			Next: "use another endpoint, or ask HubSpot to let the app into its beta"})
	}
	return nil
}

func hubSpotScopes(r *hubSpotBody) Finding {
	scopes, any := r.scopes()
	f := Finding{Class: "hubspot.missing-scopes", Code: r.Category, Scopes: scopes, Any: any, Retry: retryMending, Page: "https://developers.hubspot.com/scopes"}
	switch {
	case len(scopes) == 0:
		f.What = "the token lacks a scope, and HubSpot does not say which"
		f.Next = "look the endpoint up under " + f.Page + "; lockstep check names the scopes that the mapping needs"
		return f
	case any:
		f.What = "the token lacks a scope: one of " + strings.Join(scopes, ", ")
	default:
		f.What = "the token lacks " + strings.Join(scopes, " and ")
	}
	f.Next = "tick it in HubSpot (Development > Keys > Service keys, or Legacy apps > your app > Scopes) and save: the token stays the same. A project app needs the scope in app-hsmeta.json, a deploy and a new install, which gives a new token; an OAuth app must be authorized anew"
	return f
}

// hubSpotLimit is for 429.
func hubSpotLimit(e *Exchange, r *hubSpotBody) []Finding {
	limited := e.Status == http.StatusTooManyRequests || r.ErrorType == "RATE_LIMIT" || r.Category == "RATE_LIMITS" || r.PolicyName != ""
	if !limited {
		return nil
	}
	page := "https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines"
	switch {
	case r.PolicyName == "DAILY" || strings.Contains(r.Message, "daily limit"):
		return one(Finding{Class: "hubspot.limit-day", Code: r.PolicyName, Limit: "calls per day, of all private apps and keys of the account together", Retry: retryLater, Page: page,
			What: "the account's calls of today are used up", Next: "wait until midnight in the account's time zone; Settings > Usage shows who called. lockstep status shows our share, budget: in lockstep.yaml bounds it"})
	case r.PolicyName == "TEN_SECONDLY_ROLLING" || strings.Contains(r.Message, "ten_secondly"):
		return one(Finding{Class: "hubspot.limit-ten-seconds", Code: r.PolicyName, Limit: "calls in ten seconds, of this app and account", Retry: retryLater, Page: page,
			What: "too many calls within ten seconds", Next: "wait ten seconds, then send fewer at once; batch endpoints take 100 records a call"})
	case strings.Contains(r.GroupName, "search") || strings.HasSuffix(e.address().Path, "/search") && strings.Contains(r.Message, "secondly"):
		return one(Finding{Class: "hubspot.limit-search", Code: r.PolicyName, Limit: "searches per second, of the whole account", Retry: retryLater, Page: page,
			What: "too many searches within a second: search has a limit of its own, shared by every app of the account", Next: "wait a second; read lists and batches instead of searching where that is possible"})
	case strings.Contains(r.Message, "secondly"):
		return one(Finding{Class: "hubspot.limit-second", Code: r.PolicyName, Limit: "calls per second", Retry: retryLater, Page: page,
			What: "too many calls within a second", Next: "wait a second, then send fewer at once"})
	case strings.HasPrefix(e.address().Path, "/oauth/"):
		return one(Finding{Class: "hubspot.limit-token", Limit: "token requests", Retry: retryLater, Page: page,
			What: "too many token requests", Next: "wait some minutes; keep an access token for its 30 minutes instead of asking for one per call"})
	}
	return one(Finding{Class: "hubspot.limit", Code: r.PolicyName, Retry: retryLater, Page: page, What: "a limit on calls was reached, and HubSpot does not say which",
		Next: "wait ten seconds and try again; the headers X-HubSpot-RateLimit-* and Settings > Usage show what is left"})
}

// hubSpotOAuth is for the token endpoints.
func hubSpotOAuth(_ *Exchange, r *hubSpotBody) []Finding {
	f := Finding{Code: r.Status, Retry: retryMending, Said: clip(r.Description), Page: "https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide"}
	switch r.Status {
	case "BAD_REFRESH_TOKEN":
		f.Class, f.What = "hubspot.oauth-refresh-token", "the refresh token is dead: the app was uninstalled from the account, the token was revoked, or it was not copied whole"
		f.Next = "let a person install the app anew (lockstep connect hubspot); HubSpot sends no notice of an uninstall"
	case "BAD_AUTH_CODE":
		f.Class, f.What = "hubspot.oauth-code", "the authorization code was used already, has expired or is wrong; it works once"
		f.Next = "start the authorization anew and exchange the code at once"
	case "BAD_CLIENT_ID":
		f.Class, f.What = "hubspot.oauth-client-id", "HubSpot does not know the client id"
		f.Next = "copy it from the app's Auth tab; an app of another developer account has another one"
	case "BAD_CLIENT_SECRET":
		f.Class, f.What = "hubspot.oauth-client-secret", "the client secret is wrong"
		f.Next = "copy it anew from the app's Auth tab; after a rotation the old one is dead"
	case "BAD_REDIRECT_URI":
		f.Class, f.What = "hubspot.oauth-redirect", "the redirect_uri is not, letter by letter, one that the app is configured with, or not the one of the authorize step"
		f.Next = "compare scheme, host, port and path with redirectUrls of the app; only https, or http://localhost"
	case "BAD_GRANT_TYPE":
		f.Class, f.What = "hubspot.oauth-grant-type", "the grant_type is not known"
		f.Next = "send authorization_code, refresh_token or client_credentials in a form-encoded body"
	case "BAD_CODE_VERIFIER":
		f.Class, f.What = "hubspot.oauth-verifier", "the code_verifier does not belong to the code_challenge of the authorize step (PKCE)"
		f.Next = "send the verifier whose SHA-256, base64url without padding, was the challenge"
	case "BAD_SCOPES":
		f.Class, f.What = "hubspot.oauth-scopes", "the scopes of the install URL and of the app differ, or the account cannot grant one"
		f.Next = "make the scope parameter hold every required scope of the app and no other; lockstep check lists those of the mapping"
	case "BAD_HUB":
		f.Class, f.What = "hubspot.oauth-account", "the account of the token is missing or unknown: it was deleted, or the app was uninstalled"
		f.Next = "let a person install the app anew in the right account"
	default:
		return nil
	}
	if f.Said == "" {
		f.Said = clip(r.Message)
	}
	return one(f)
}

// hubSpotParts is for 207: some inputs of a batch did not work.
func hubSpotParts(e *Exchange, r *hubSpotBody) []Finding {
	if e.Status != http.StatusMultiStatus && r.NumErrors == 0 {
		return nil
	}
	var out []Finding
	for i := range r.Errors {
		part := &r.Errors[i]
		f := Finding{Code: cmp.Or(part.SubCategory, part.Category), Said: clip(part.Message), Retry: retryNever, Fields: part.fields()}
		switch {
		case strings.HasSuffix(part.SubCategory, "NO_ASSOCIATIONS_FOUND"):
			f.Class, f.What, f.Next = "hubspot.no-associations", "some records of the batch have no association of this kind; the others were answered", "nothing is wrong: treat them as having none"
		case part.Category == "OBJECT_NOT_FOUND":
			f.Class, f.What = "hubspot.batch-missing", "some ids of the batch do not exist (any more); the others were answered: "+strings.Join(part.Context["ids"], ", ")
			f.Next = "the records were deleted or merged, or the token is of another account; read one by hand to see which"
		default:
			found := append(append(hubSpotDenied(e, part), hubSpotValues(e, part)...), hubSpotWorded(e, part)...)
			if len(found) > 0 {
				out = append(out, found[0])
				continue
			}
			f.Class, f.Retry = "hubspot.batch-part", retryMending
			f.What, f.Next = fmt.Sprintf("one input of the batch was refused (%s); the others were done", cmp.Or(f.Code, "no code")), "mend that input and send it alone; objectWriteTraceId in the context tells which it is"
		}
		out = append(out, f)
	}
	if len(out) == 0 && e.Status == http.StatusMultiStatus {
		out = one(Finding{Class: "hubspot.batch-part", Retry: retryMending, What: "some inputs of the batch were refused, and the answer does not say which", Next: "compare results with what was sent, and send the rest one by one"})
	}
	return out
}

// hubSpotByStatus is for answers that only their status tells.
func hubSpotByStatus(e *Exchange, r hubSpotBody) []Finding {
	f := Finding{Known: true, Page: hubSpotErrors, Code: cmp.Or(r.SubCategory, r.Category), Said: clip(cmp.Or(r.Message, e.Body))}
	path := e.address().Path
	switch e.Status {
	case http.StatusUnauthorized:
		f.Class, f.Retry, f.What = "hubspot.unauthorized", retryMending, "HubSpot does not accept the credential of the call"
		f.Next = "send Authorization: Bearer <token>, the token copied whole from " + createdIn
	case http.StatusForbidden:
		return nil
	case http.StatusPaymentRequired:
		f.Class, f.Retry, f.What = "hubspot.limit-records", retryMending, "the account's number of records is used up"
		f.Limit, f.Next = "records of the subscription", "delete records or buy more: Settings > Account & Billing > Usage & limits"
	case http.StatusNotFound:
		if read := strings.Contains(e.Body, "resource not found"); read && lastIsNumber(path) {
			f.Class, f.Retry, f.What = "hubspot.record-not-found", retryNever, "there is no such record in the account that the token belongs to"
			f.Next = "it was deleted or merged, or the token is of another account: GET /account-info/v3/details says which it is"
			break
		}
		f.Class, f.Retry, f.What = "hubspot.path-not-found", retryMending, "there is nothing at this path: an id that does not exist, or a misspelt path"
		f.Next = "compare the path with the reference: /crm/v3/objects/contacts, or /crm/objects/2026-03/contacts (the dated version stands after the api's name)"
	case http.StatusMethodNotAllowed:
		f.Class, f.Retry, f.What = "hubspot.method", retryMending, "the path exists, but not with this method"
		f.Next = "HubSpot reads with GET, creates with POST, changes with PATCH (never PUT a record), archives with DELETE"
	case 414:
		f.Class, f.Retry, f.What = "hubspot.url-too-long", retryMending, "the URL is too long, usually by the list of properties"
		f.Limit, f.Next = "about 16,000 characters of URL, less on the way", "ask for fewer properties, or read by POST …/batch/read, which takes them in its body"
	case http.StatusUnsupportedMediaType:
		f.Class, f.Retry, f.What = "hubspot.content-type", retryMending, "the body has the wrong type"
		f.Next = "send Content-Type: application/json (only the OAuth token endpoints take forms)"
	case http.StatusLocked:
		f.Class, f.Retry, f.What, f.Next = "hubspot.locked", retryLater, "somebody else is writing the same record at this moment", "wait two seconds or more, then repeat"
	case 477:
		f.Class, f.Retry, f.What, f.Next = "hubspot.migrating", retryLater, "the account is being moved to another data centre", "wait as long as the header Retry-After says (seconds, up to a day), then repeat"
	case http.StatusTooManyRequests:
		return hubSpotLimit(e, &r)
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.Class, f.Retry, f.What = "hubspot.unavailable", retryLater, "HubSpot has a problem of its own"
		f.Next = "repeat after some seconds; a write may have been done all the same, so look before you repeat a create. https://status.hubspot.com tells of outages"
	case 521, 522, 523, 525, 526:
		f.Class, f.Retry, f.What, f.Next = "hubspot.gateway", retryLater, "the gateway before HubSpot (Cloudflare) did not reach it", "repeat after some seconds; https://status.hubspot.com tells of outages"
	case 524:
		f.Class, f.Retry, f.What = "hubspot.gateway-timeout", retryLater, "HubSpot took longer than 100 seconds, and the gateway gave up; the work may have been done"
		f.Next = "ask for less at once, and look before you repeat a write"
	default:
		return nil
	}
	return one(f)
}

func lastIsNumber(path string) bool {
	last := path[strings.LastIndex(path, "/")+1:]
	return last != "" && strings.Trim(last, "0123456789") == ""
}
