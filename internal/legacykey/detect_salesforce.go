package legacykey

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	passwordGrant = regexp.MustCompile(`(?i)^grant_?type["'\x60\]]*\s*(?:=>|:=|[:=,]|%3d)\s*["'\x60]?password\b`)
	postmanGrant  = regexp.MustCompile(`(?i)^grant_?type"\s*,\s*"value"\s*:\s*"password(_credentials)?"`)
	soapVersion   = regexp.MustCompile(`(?i)^services/soap/([uc])/(\d{1,3})(?:\.\d)?`)
	twoArguments  = regexp.MustCompile(`^\s*[^(),\n]+(?:\([^()\n]*\))?[^(),\n]*,\s*[^()\n]`)
	versionNumber = regexp.MustCompile(`^(\d{1,3})\.\d`)
)

// findPasswordOAuth finds the username-password flow.
func findPasswordOAuth(t *text, at int) (hit, bool) {
	rest := t.after(at, 120)
	m := passwordGrant.FindStringIndex(rest)
	if m == nil {
		m = postmanGrant.FindStringIndex(rest)
	}
	if m == nil || !t.signsInToSalesforce() || t.inComment(at) || t.kind == kindProse && !strings.Contains(t.line(at), "curl") {
		return hit{}, false
	}
	return hit{rule: rulePasswordOAuth, start: at, end: at + m[1], literals: true}, true
}

// signsInToSalesforce: the file names a host, path or setting of Salesforce, not
// only the word.
func (t *text) signsInToSalesforce() bool {
	return t.has("salesforce.com") || t.has("services/oauth2") || t.has("salesforce_") || t.has("sf_")
}

// findRestforce finds the Ruby client's username-password flow.
func findRestforce(t *text, at int) (hit, bool) {
	rest := strings.ToLower(t.after(at, 600))
	if end := strings.IndexByte(rest, ')'); end >= 0 {
		rest = rest[:end]
	}
	if !strings.Contains(rest, "password") || !strings.Contains(rest, "username") || t.inComment(at) {
		return hit{}, false
	}
	return hit{rule: rulePasswordOAuth, start: at, end: at + len(rest), what: "Salesforce username-password OAuth (Restforce)"}, true
}

// findSOAPPath finds the login address of the SOAP API.
func findSOAPPath(t *text, at int) (hit, bool) {
	m := soapVersion.FindStringSubmatch(t.after(at, 60))
	if t.inComment(at) || t.kind == kindProse {
		return hit{}, false
	}
	near := t.region(at, 600)
	login := strings.Contains(t.line(at), "login.salesforce.com") || strings.Contains(t.line(at), "test.salesforce.com") ||
		strings.Contains(near, "<login") || strings.Contains(near, ":login") || strings.Contains(near, "setauthendpoint") || strings.Contains(near, "soapaction: login")
	h := hit{rule: ruleSOAPLogin, start: at, end: at + len("services/soap/")}
	if m == nil {
		return h, login
	}
	version, _ := strconv.Atoi(m[2])
	switch {
	case version < 31:
		h.rule = ruleVersionRetired
		h.what = "Salesforce SOAP API version " + m[2] + ", which is retired"
	case login && version >= 65:
		h.rule = ruleSOAPNeverWorked
	case !login:
		return hit{}, false
	}
	return h, true
}

// findSOAPLogin finds the login calls of jsforce, PHP's and Java's clients.
func findSOAPLogin(t *text, at int) (hit, bool) {
	open := at + strings.IndexByte(string(t.lower[at:]), '(') + 1
	known := t.has("jsforce") || t.has("nforce") || t.has("sforcepartnerclient") ||
		t.has("sforceenterpriseclient") || t.has("com.sforce.soap") || t.has("forcetoolkit")
	if !known || t.inComment(at) || !twoArguments.MatchString(t.after(open, window)) {
		return hit{}, false
	}
	return hit{rule: ruleSOAPLogin, start: at, end: open, literals: true}, true
}

// findSecurityToken finds simple-salesforce's login, and settings that hold a
// security token, which nothing but such a login uses.
func findSecurityToken(t *text, at int) (hit, bool) {
	start, end := t.word(at, at+len("security_token"))
	rest := t.after(end, window)
	if !t.salesforce && !strings.Contains(string(t.lower[start:end]), "sf_") || t.inComment(at) || t.kind == kindProse || strings.Contains(t.before(start, 400), "restforce.new(") {
		return hit{}, false
	}
	lead := t.before(start, window)
	switch {
	case strings.Contains(t.before(start, 400), "salesforce(") && strings.HasPrefix(strings.TrimSpace(rest), "="):
		return hit{rule: ruleSOAPLogin, start: start, end: end, literals: true, what: "Salesforce SOAP login (simple-salesforce with a security token)"}, true
	case t.kind.isSettings() && assignsName.MatchString(rest), looksUpName.MatchString(lead):
		return hit{rule: ruleSOAPLogin, start: start, end: end, literals: true, what: "Setting for a Salesforce login with a security token"}, true
	}
	return hit{}, false
}

// findDataVersion finds old versions in REST paths.
func findDataVersion(t *text, at int) (hit, bool) {
	at += len("services/data/v")
	m := versionNumber.FindStringSubmatch(t.after(at, 8))
	if m == nil {
		return hit{}, false
	}
	version, _ := strconv.Atoi(m[1])
	start := at - len("services/data/v")
	switch {
	case version < 31:
		return hit{rule: ruleVersionRetired, start: start, end: at + len(m[0])}, true
	case version <= 40:
		return hit{rule: ruleVersionEnding, start: start, end: at + len(m[0])}, true
	}
	return hit{}, false
}
