package postman

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/mapping"
)

func tokenFolder(bound *mapping.Bound) *Item {
	type need struct {
		Name string `json:"name"`
		Why  string `json:"why"`
	}
	needs := []need{}
	for _, n := range bound.Scopes() {
		needs = append(needs, need{n.Name, n.Why})
	}
	return folder("1 Check the token", "Whose account the token opens, and what it may do there.",
		request("Whose account is it", "GET", "{{hubspot_url}}", "account-info/{{hubspot_version}}/details").bearer("{{hubspot_token}}").test(source("account")).
			describe("Answers for every token that works, whatever its scopes. 401 means that HubSpot does not know the token: it was copied in part, rotated or deleted. API keys of an account have not worked since 30 November 2022.\n\nhttps://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide"),
		request("Read the token's scopes", "POST", "{{hubspot_url}}", "oauth/v2/private-apps/get/access-token-info").bearer("{{hubspot_token}}").
			json("{\"tokenKey\": \"{{hubspot_token}}\"}").before(source("scopes_before")).test(constant("needs", needs), source("scopes")).
			describe("Each scope that lockstep.yaml needs is a test of its own, with the reason. Scopes are added in HubSpot where the token was made; the token stays the same.\n\nhttps://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview"),
	)
}

// longQuery is when a query is too long for one address: HubSpot was measured to
// take about 16,000 characters, and proxies on the way take less.
const longQuery = 7_000

// readProperties are as many properties as an address holds; the others are returned, too.
func readProperties(properties []string) (taken, rest []string) {
	length := 0
	for i, p := range properties {
		if length += len(p) + 1; length > longQuery {
			return properties[:i], properties[i:]
		}
	}
	return properties, nil
}

func readFolder(bound *mapping.Bound) *Item {
	f := folder("2 Contacts with a bearer", "The token in the header Authorization, as \"Bearer\" and the token: one request for each object of lockstep.yaml, with its mapped properties.")
	for _, o := range bound.Objects {
		if isLists(o.HubSpot) {
			f.Items = append(f.Items, readLists())
			continue
		}
		properties, _ := readProperties(mappedProperties(o))
		query := []Variable{{Key: "limit", Value: "5"}}
		if len(properties) > 0 {
			query = append(query, Variable{Key: "properties", Value: strings.Join(properties, ",")})
		}
		f.Items = append(f.Items, request("Read "+o.HubSpot, "GET", "{{hubspot_url}}", "crm/objects/{{hubspot_version}}/"+o.HubSpot, query...).bearer("{{hubspot_token}}").
			test(constant("properties", append([]string{}, properties...)), source("read")).
			describe("The first five. HubSpot leaves a property that does not exist out of the answer without a word, so the test compares their names.\n\nhttps://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis"))
	}
	return f
}

// mappedProperties are the HubSpot properties of an object's fields, sorted.
func mappedProperties(o *mapping.BoundObject) []string {
	var out []string
	for i := range o.Fields {
		if name := o.Fields[i].HubSpot; name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// door is a kind of record with the scopes that open it.
type door struct {
	Object string   `json:"object"`
	Scopes []string `json:"scopes"`
}

// doors are kinds of records that every account has.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes
func doors() []door {
	out := []door{{"tickets", []string{"tickets", "crm.objects.tickets.read"}}, {"products", []string{"crm.objects.products.read", "e-commerce"}},
		{"line_items", []string{"crm.objects.line_items.read", "e-commerce"}}}
	for _, object := range []string{"deals", "companies", "contacts"} {
		out = append(out, door{object, []string{"crm.objects." + object + ".read", "crm.objects." + object + ".write"}})
	}
	return out
}

func troubleFolder(bound *mapping.Bound) *Item {
	object := "contacts"
	if len(bound.Objects) > 0 && bound.Object("people") == nil {
		object = bound.Objects[0].HubSpot
	}
	if isLists(object) {
		object = "contacts"
	}
	path := "crm/objects/{{hubspot_version}}/" + object
	one := Variable{Key: "limit", Value: "1"}
	return folder("3 When it goes wrong", "The mistakes that everybody makes, made on purpose: what HubSpot answers, and what it means.",
		request("No header: 401", "GET", "{{hubspot_url}}", path, one).test(source("no_header")).
			describe("INVALID_AUTHENTICATION, \"credentials not found\": the header Authorization is missing or misspelled, or the request inherits no authorization from its folder."),
		request("Wrong token: 401", "GET", "{{hubspot_url}}", path, one).bearer("not-a-token").test(source("wrong_token")).
			describe("Also what a token with \"Bearer\" typed twice, a developer key or an old API key in its place gets."),
		request("Missing scope: 403", "GET", "{{hubspot_url}}", "crm/objects/{{hubspot_version}}/{{closed_object}}", one).bearer("{{hubspot_token}}").
			before(constant("doors", doors()), source("missing_scope_before")).test(source("missing_scope")).
			describe("Reads a kind of record for which this token has no scope. The token is right, and it may not do this: the answer names the scope that would open it. It is skipped when the token has every scope that is tried here.\n\nhttps://developers.hubspot.com/docs/api-reference/error-handling"),
		request("How much is left", "GET", "{{hubspot_url}}", path, one).bearer("{{hubspot_token}}").test(source("limits")).
			describe("The headers of each answer say how many calls are left in the running ten seconds, and today. At 0 HubSpot answers 429, with policyName TEN_SECONDLY_ROLLING or DAILY: wait, do not repeat at once.\n\nhttps://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines"),
	)
}

func salesforceFolder() *Item {
	token := func(name, why string, asked []string, fields ...Variable) *Item {
		return request(name, "POST", "{{salesforce_login_url}}", "services/oauth2/token").form(fields...).
			before(constant("asked", asked), source("sign_in_before")).test(source("sign_in")).describe(why)
	}
	query := Variable{Key: "q", Value: "SELECT Id, Name FROM Organization"}
	path := "services/data/v" + olderVersion + "/query"
	return folder("4 Salesforce OAuth", "Access tokens for Salesforce. Each request that gets one keeps it in access_token and the org's address in instance_url.",
		token("Client credentials", "For a program without a person. Salesforce answers it only at your My Domain address, and only when the app has a Run As user. The answer has no refresh token: ask again when the session ends.",
			[]string{SalesforceClientID, SalesforceClientSecret},
			Variable{Key: "grant_type", Value: "client_credentials"}, Variable{Key: "client_id", Value: "{{salesforce_client_id}}"},
			Variable{Key: "client_secret", Value: "{{salesforce_client_secret}}"}),
		token("Refresh", "A new access token for an old refresh token. An app that rotates refresh tokens answers with the next one, which is kept; the old one is dead from then on, and using it again revokes them all.",
			[]string{SalesforceClientID, SalesforceRefreshToken},
			Variable{Key: "grant_type", Value: "refresh_token"}, Variable{Key: "client_id", Value: "{{salesforce_client_id}}"},
			Variable{Key: "client_secret", Value: "{{salesforce_client_secret}}"}, Variable{Key: "refresh_token", Value: "{{salesforce_refresh_token}}"}),
		request("Whose org is it", "GET", "{{instance_url}}", path, query).bearer("{{access_token}}").test(source("organization")).
			describe("The org that the access token opens, and how many API calls it has used today."),
		request("Dead session: 401", "GET", "{{instance_url}}", path, query).bearer("not-a-session").test(source("dead_session")).
			describe("INVALID_SESSION_ID: the access token ran out (two hours without use, unless the org says otherwise) or was revoked. Ask for a new one."),
	)
}

// The versions of the Salesforce API that the collection is written for: the
// newest, and the oldest that has upsert by collections.
const (
	newestVersion = 68
	oldestVersion = 46
	olderVersion  = "60.0"
)
