package legacykey

import (
	"regexp"
	"strings"
)

var (
	tokenForm        = regexp.MustCompile(`^(?i)pat-([a-z]{2,4}[0-9]{1,2})-([0-9a-z]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{12})(?:[^0-9a-z-]|$)`)
	refreshForm      = regexp.MustCompile(`(?i)(?:^|[^0-9a-z-])((?:na|eu|ap|ca|au|jp)[0-9]-[0-9a-f]{4,8}-[0-9a-z]{4}-[0-9a-f-]{12,})`)
	personalKeyForm  = regexp.MustCompile(`^["'\]]?\s*[:=]\s*(?:>-?|\|-?)?\s*["']?([A-Za-z0-9+/=_-]{40,})`)
	sessionForm      = regexp.MustCompile(`^00D[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?!([A-Za-z0-9._]{30,})`)
	salesforceForm   = regexp.MustCompile(`^5Aep[0-9A-Za-z]{3,}[0-9A-Za-z._]{20,}`)
	consumerKeyForm  = regexp.MustCompile(`^3MV[A-Za-z0-9._]{40,}`)
	consumerSecretOf = regexp.MustCompile(`(?i)(?:client|consumer)[_-]?secret["'\]]?\s*(?:=>|:=|[:=,])\s*["'\x60]?([0-9A-Za-z]{13,})`)
)

// findToken finds the token of a private app, service key or static auth.
func findToken(t *text, at int) (hit, bool) {
	rest := t.after(at, 80)
	m := tokenForm.FindStringSubmatchIndex(rest)
	if m == nil || at > 0 && (isWord(t.lower[at-1]) || t.lower[at-1] == '-') {
		return hit{}, false
	}
	h := hit{rule: ruleToken, start: at, end: at + m[5], secretStart: at, secretEnd: at + m[5]}
	if strings.Trim(strings.ToLower(rest[m[4]:m[5]]), "x-0") == "" {
		return hit{}, false // pat-na1-xxxxxxxx-xxxx-…: shows the form, opens nothing
	}
	h.what = "HubSpot token of data centre " + strings.ToLower(rest[m[2]:m[3]]) + " in plain text"
	return h, true
}

func onlyHex(s string) bool {
	return strings.Trim(strings.ToLower(s), "0123456789abcdef-") == ""
}

// findRefreshToken finds HubSpot's OAuth refresh token beside its name.
func findRefreshToken(t *text, at int) (hit, bool) {
	if !t.hubspot {
		return hit{}, false
	}
	rest := t.after(at, 120)
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	m := refreshForm.FindStringSubmatchIndex(rest)
	if m == nil {
		return hit{}, false
	}
	return hit{rule: ruleRefreshToken, start: at + m[2], end: at + m[3], secretStart: at + m[2], secretEnd: at + m[3]}, true
}

// findPersonalKey finds the key of HubSpot's CLI beside its name.
func findPersonalKey(t *text, at int) (hit, bool) {
	_, end := t.word(at, at+1)
	m := personalKeyForm.FindStringSubmatchIndex(t.after(end, 400))
	if m == nil {
		return hit{}, false
	}
	return hit{rule: rulePersonalKey, start: at, end: end, secretStart: end + m[2], secretEnd: end + m[3]}, true
}

// tokenInfo is a call that is named after private apps and serves service keys
// just as well; it has no other address:
// https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview
const tokenInfo = "private-apps/get/access-token-info"

// findPrivateApp finds settings and calls that are named after private apps.
func findPrivateApp(t *text, at int) (hit, bool) {
	if strings.HasPrefix(string(t.lower[at:min(len(t.lower), at+len(tokenInfo))]), tokenInfo) {
		return hit{}, false
	}
	start, end := t.word(at, at+len("privateapp"))
	line := t.line(at)
	if !t.hubspot || t.kind == kindProse || t.inComment(at) || !strings.Contains(line, "token") && !strings.Contains(line, "private-apps/") {
		return hit{}, false
	}
	return hit{rule: rulePrivateApp, start: start, end: end, what: "Token of a HubSpot legacy private app, by its name"}, true
}

// findSession finds a Salesforce session id or opaque access token.
func findSession(t *text, at int) (hit, bool) {
	if at > 0 && isWord(t.lower[at-1]) || at+16 > len(t.lower) || t.lower[at+15] != '!' && (at+18 >= len(t.lower) || t.lower[at+18] != '!') {
		return hit{}, false
	}
	m := sessionForm.FindStringIndex(t.after(at, 400))
	if m == nil {
		return hit{}, false
	}
	return hit{rule: ruleSession, start: at, end: at + m[1], secretStart: at, secretEnd: at + m[1]}, true
}

// findSalesforceToken finds a Salesforce refresh token.
func findSalesforceToken(t *text, at int) (hit, bool) {
	if at > 0 && isWord(t.lower[at-1]) {
		return hit{}, false
	}
	m := salesforceForm.FindStringIndex(t.after(at, 400))
	if m == nil {
		return hit{}, false
	}
	return hit{rule: ruleSalesforceToken, start: at, end: at + m[1], secretStart: at, secretEnd: at + m[1]}, true
}

// consumerNear is how far from its key a consumer secret is looked for.
const consumerNear = 600

// findConsumerSecret finds the secret that stands beside a consumer key.
func findConsumerSecret(t *text, at int) (hit, bool) {
	if at > 0 && isWord(t.lower[at-1]) || !consumerKeyForm.MatchString(t.after(at, 300)) {
		return hit{}, false
	}
	from := max(0, at-consumerNear)
	for _, m := range consumerSecretOf.FindAllStringSubmatchIndex(string(t.raw[from:min(len(t.raw), at+consumerNear)]), -1) {
		value := string(t.raw[from+m[2] : from+m[3]])
		if strings.Trim(value, "0123456789") != "" && (len(value) < 32 || !onlyHex(value)) {
			continue // neither the 64 hex digits of today nor the digits of older apps
		}
		return hit{rule: ruleConsumerSecret, start: from + m[0], end: from + m[1], secretStart: from + m[2], secretEnd: from + m[3]}, true
	}
	return hit{}, false
}
