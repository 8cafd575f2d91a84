package legacykey

import (
	"regexp"
	"strings"
)

// pathFamily is one shape of HubSpot's undated paths and what replaces it.
type pathFamily struct {
	// trigger is what stands in every path of the family, in lower case.
	trigger string
	rule    string
	// form is matched from the trigger on, in lower case; groups may be used in to.
	form *regexp.Regexp
	// to is the dated path; empty when it has to be looked up.
	to string
}

const (
	datedVersion = "2026-09"
	objectPart   = `([a-z0-9_$\{\}.-]+)`
)

// Dated paths put the version behind the name of the API:
// https://developers.hubspot.com/docs/developer-tooling/platform/versioning
var pathFamilies = []pathFamily{
	{trigger: "/contacts/v1/lists", rule: rulePathLists, form: regexp.MustCompile(`^/contacts/v1/lists`), to: "/crm/lists/" + datedVersion},
	{trigger: "/crm-pipelines/v1/", rule: rulePathPipelines, form: regexp.MustCompile(`^/crm-pipelines/v1/pipelines/?` + objectPart + `?`), to: "/crm/pipelines/" + datedVersion + "/$1"},
	{trigger: "/deals/v1/pipelines", rule: rulePathPipelines, form: regexp.MustCompile(`^/deals/v1/pipelines`), to: "/crm/pipelines/" + datedVersion + "/deals"},
	{trigger: "/oauth/v1/", rule: rulePathOAuth, form: regexp.MustCompile(`^/oauth/v1/(token|access-tokens|refresh-tokens)`), to: "/oauth/" + datedVersion + "/token"},
	{trigger: "/crm/v4/", rule: rulePathV4, form: regexp.MustCompile(`^/crm/v4/(associations|objects)`), to: "/crm/$1/" + datedVersion},
	{trigger: "/crm/associations/v4/", rule: rulePathV4, form: regexp.MustCompile(`^/crm/associations/v4/`), to: "/crm/associations/" + datedVersion + "/"},
	{trigger: "/automation/v4/", rule: rulePathV4, form: regexp.MustCompile(`^/automation/v4/(flows|actions)`)},
	{trigger: "/webhooks/v4/", rule: rulePathV4, form: regexp.MustCompile(`^/webhooks/v4/`)},
	{trigger: "/crm/v3/", rule: rulePathLegacy, form: regexp.MustCompile(`^/crm/v3/(objects|properties|pipelines|owners|lists|imports|exports|associations|schemas|extensions|timeline|limits)`), to: "/crm/$1/" + datedVersion},
	{trigger: "/crm-object-schemas/v3/", rule: rulePathLegacy, form: regexp.MustCompile(`^/crm-object-schemas/v3/`), to: "/crm-object-schemas/" + datedVersion + "/"},
	{trigger: "/contacts/v1/", rule: rulePathLegacy, form: regexp.MustCompile(`^/contacts/v1/(contacts?|search)`), to: "/crm/objects/" + datedVersion + "/contacts"},
	{trigger: "/companies/v2/", rule: rulePathLegacy, form: regexp.MustCompile(`^/companies/v2/(companies|domains)`), to: "/crm/objects/" + datedVersion + "/companies"},
	{trigger: "/deals/v1/deal", rule: rulePathLegacy, form: regexp.MustCompile(`^/deals/v1/deal`), to: "/crm/objects/" + datedVersion + "/deals"},
	{trigger: "/properties/v1/", rule: rulePathLegacy, form: regexp.MustCompile(`^/properties/v1/(contacts|companies|deals)`), to: "/crm/properties/" + datedVersion + "/$1"},
	{trigger: "/properties/v2/", rule: rulePathLegacy, form: regexp.MustCompile(`^/properties/v2/(contacts|companies|deals|tickets)`), to: "/crm/properties/" + datedVersion + "/$1"},
	{trigger: "/crm-objects/v1/", rule: rulePathLegacy, form: regexp.MustCompile(`^/crm-objects/v1/objects/?` + objectPart + `?`), to: "/crm/objects/" + datedVersion + "/$1"},
	{trigger: "/crm-associations/v1/", rule: rulePathLegacy, form: regexp.MustCompile(`^/crm-associations/v1/associations`), to: "/crm/associations/" + datedVersion},
	{trigger: "/engagements/v1/", rule: rulePathLegacy, form: regexp.MustCompile(`^/engagements/v1/engagements`), to: "/crm/objects/" + datedVersion + "/{notes|calls|emails|meetings|tasks}"},
	{trigger: "/owners/v2/", rule: rulePathLegacy, form: regexp.MustCompile(`^/owners/v2/owners`), to: "/crm/owners/" + datedVersion},
	{trigger: "/webhooks/v3/", rule: rulePathLegacy, form: regexp.MustCompile(`^/webhooks/v3/`), to: "/app-webhooks/" + datedVersion + "/{appId}"},
	{trigger: "/oauth/v3/", rule: rulePathLegacy, form: regexp.MustCompile(`^/oauth/v3/(token)`), to: "/oauth/" + datedVersion + "/$1"},
	{trigger: "/account-info/v3/", rule: rulePathLegacy, form: regexp.MustCompile(`^/account-info/v3/(details|api-usage)`), to: "/account-info/" + datedVersion + "/$1"},
	{trigger: "/email/public/v1/", rule: rulePathLegacy, form: regexp.MustCompile(`^/email/public/v1/`)},
	{trigger: "/automation/v3/", rule: rulePathLegacy, form: regexp.MustCompile(`^/automation/v3/workflows`)},
	{trigger: "/automation/v2/", rule: rulePathLegacy, form: regexp.MustCompile(`^/automation/v2/workflows`)},
	{trigger: "/marketing/v3/", rule: rulePathLegacy, form: regexp.MustCompile(`^/marketing/v3/(emails|forms|marketing-events|transactional|campaigns)`)},
	{trigger: "/files/v3/", rule: rulePathLegacy, form: regexp.MustCompile(`^/files/v3/`)},
}

// findPath judges an undated HubSpot path.
func findPath(t *text, at int) (hit, bool) {
	if !t.hubspot || t.kind == kindProse || t.inComment(at) {
		return hit{}, false
	}
	rest := string(t.lower[at:min(len(t.lower), at+window)])
	for _, family := range pathFamilies {
		m := family.form.FindStringSubmatchIndex(rest)
		if m == nil {
			continue
		}
		h := hit{rule: family.rule, start: at, end: at + m[1]}
		old := strings.TrimSuffix(rest[:m[1]], "/")
		h.what = "HubSpot path " + old
		if family.to != "" {
			to := string(family.form.ExpandString(nil, family.to, rest, m))
			h.mend = "use " + strings.TrimSuffix(to, "/")
			if family.rule == rulePathLists {
				h.mend += "; list ids differ: /crm/v3/lists/idmapping translates them"
			}
			if family.rule == rulePathOAuth {
				h.mend = "use /oauth/" + datedVersion + "/token, and …/token/introspect to look a token up; secrets go in the body only"
			}
		} else {
			h.mend = "look the dated path up: " + hubspotVersioning
		}
		return h, true
	}
	return hit{}, false
}
