package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// staticApp is an app-hsmeta.json.
const staticApp = `{"uid":"own","type":"app","config":{"name":"Own","distribution":"private","auth":{"type":"static","requiredScopes":["tickets"]}}}`

// webhooksFile is a webhooks-hsmeta.json.
const webhooksFile = `{"uid":"hooks","type":"webhooks","config":{"settings":{"targetUrl":"https://sync.example/","maxConcurrentRequests":10},"subscriptions":{
  "crmObjects":[{"subscriptionType":"object.propertyChange","objectType":"contact","propertyName":"city","active":true}],
  "legacyCrmObjects":[{"subscriptionType":"deal.creation","active":false}],"hubEvents":[{"subscriptionType":"contact.privacyDeletion"}]}}}`

func TestManagementCalls(t *testing.T) {
	box := open(t, sandbox.Config{})
	client := box.Client()
	var contacts []string
	var account string
	box.HubSpot().Each("contacts", func(id string, _ map[string]string) bool { contacts = append(contacts, id); return len(contacts) < 3 })
	app := strconv.FormatInt(box.HubSpot().Apps()[0].ID, 10)
	contact, second, third := contacts[0], contacts[1], contacts[2]
	box.Salesforce().Each("Account", func(id string, _ map[string]any) bool { account = id; return false })
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		contains                 string
	}{
		{"the guide is plain text", "GET", "/", "", 200, "POST /reset"},
		{"the state counts records", "GET", "/state", "", 200, `"contacts":60`},
		{"the seed's credentials are no secret", "GET", "/credentials", "", 200, `"privateApp":"pat-`},
		{"the clock tells the time", "GET", "/clock", "", 200, `"now":"2026-11-02T09:0`},
		{"the clock can be advanced", "POST", "/clock", `{"advance":"90m"}`, 200, `"now":"2026-11-02T10:3`},
		{"the clock can be set", "POST", "/clock", `{"set":"2027-01-31T12:00:00Z"}`, 200, `"now":"2027-01-31T12:00`},
		{"the clock wants a duration", "POST", "/clock", `{"advance":"soon"}`, 400, `no duration`},
		{"the clock wants one of two", "POST", "/clock", `{}`, 400, `either advance or set`},
		{"dials are read", "GET", "/faults", "", 200, `{`},
		{"dials are set", "PUT", "/faults", `{"latencyMillis":1,"rules":[{"kind":"rate-limit","path":"/nowhere"}]}`, 200, `rate-limit`},
		{"an unknown kind of fault is refused", "PUT", "/faults", `{"rules":[{"kind":"earthquake"}]}`, 400, `earthquake`},
		{"a share is at most the whole", "PUT", "/faults", `{"rules":[{"kind":"lock","share":7}]}`, 400, `share`},
		{"a misspelt key is refused", "PUT", "/faults", `{"latency":1}`, 400, `unknown field`},
		{"dials are cleared", "PUT", "/faults", `{}`, 200, `{}`},
		{"a token has just its scopes", "POST", "/hubspot/tokens", `{"kind":"service-key","name":"k","scopes":["tickets"]}`, 200, `["oauth","tickets"]`},
		{"an unknown kind of token is refused", "POST", "/hubspot/tokens", `{"kind":"api-key"}`, 400, `api-key`},
		{"tokens are listed", "GET", "/hubspot/tokens", "", 200, `"service-key"`},
		{"an unknown token cannot be revoked", "DELETE", "/hubspot/tokens/nope", "", 404, `nope`},
		{"a token is made in an account that is there", "POST", "/hubspot/tokens", `{"portalId":4711}`, 404, `GET /hubspot/accounts`},
		{"HubSpot accounts are listed", "GET", "/hubspot/accounts", "", 200, `"portalId":` + strconv.FormatInt(box.Credentials().HubSpot.Second.PortalID, 10)},
		{"a project app is uploaded by its file", "POST", "/hubspot/apps", staticApp, 200, `"clientSecret"`},
		{"a file with mistakes is refused with all of them", "POST", "/hubspot/apps", `{"type":"app"}`, 400, `uid is missing; config.name is missing`},
		{"project apps are listed", "GET", "/hubspot/apps", "", 200, `"lockstep_oauth"`},
		{"the developer's key is told", "GET", "/hubspot/apps", "", 200, `"developerApiKey":"` + box.HubSpot().DeveloperKey()},
		{"nobody hears of anything at first", "GET", "/hubspot/webhooks", "", 200, `"apps":[]`},
		{"an app gets webhooks", "PUT", "/hubspot/apps/" + app + "/webhooks", `{"targetUrl":"https://sync.example/","subscriptions":[{"eventType":"contact.merge"}]}`, 200, `"eventType":"contact.merge","active":true`},
		{"webhooks are listed", "GET", "/hubspot/webhooks", "", 200, `"targetUrl":"https://sync.example/"`},
		{"an event type must exist", "PUT", "/hubspot/apps/" + app + "/webhooks", `{"targetUrl":"https://sync.example/","subscriptions":[{"eventType":"contact.birth"}]}`, 400, `contact.birth`},
		{"webhooks want an app", "PUT", "/hubspot/apps/1/webhooks", `{"targetUrl":"https://sync.example/"}`, 400, `no app 1`},
		{"an app is named by number", "DELETE", "/hubspot/apps/mine/webhooks", ``, 400, `mine`},
		{"a project's webhooks file is taken", "POST", "/hubspot/apps/" + app + "/webhooks", webhooksFile, 200, `"objectTypeId":"0-1"`},
		{"a webhooks file with mistakes is refused with all of them", "POST", "/hubspot/apps/" + app + "/webhooks",
			`{"config":{"subscriptions":{"crmObjects":[{"subscriptionType":"object.creation","objectType":"unicorn"}]}}}`, 400, `must be \"webhooks\"; config.subscriptions.crmObjects[0] has the objectType \"unicorn\"`},
		{"webhooks are dropped", "DELETE", "/hubspot/apps/" + app + "/webhooks", ``, 204, ""},
		{"dials of webhooks have their range", "PUT", "/faults", `{"webhooks":{"dropShare":2}}`, 400, `webhooks`},
		{"an app is installed without a browser", "POST", "/hubspot/installs", `{"clientId":"` + box.Credentials().HubSpot.OAuth.ClientID + `"}`, 200, `"refreshToken":"na1-`},
		{"an app that is not there is not installed", "POST", "/hubspot/installs", `{"clientId":"x"}`, 400, `no OAuth app`},
		{"a record is made as a person would", "POST", "/hubspot/records/contacts", `{"properties":{"email":"typed@people.example"}}`, 200, `typed@people.example`},
		{"an object type must exist", "POST", "/hubspot/records/unicorns", `{"properties":{}}`, 400, `unicorns`},
		{"a record is edited as a person would", "PATCH", "/hubspot/records/contacts/" + contact, `{"properties":{"city":"Bremen"}}`, 200, `"city":"Bremen"`},
		{"a record is shown", "GET", "/hubspot/records/contacts/" + contact, "", 200, `"city":"Bremen"`},
		{"an association wants both ends", "POST", "/hubspot/associations", `{"from":{"type":"contacts","id":"` + contact + `"},"to":{"type":"companies","id":"1"}}`, 404, `companies`},
		{"a record is archived", "DELETE", "/hubspot/records/contacts/" + contact, "", 204, ""},
		{"an archived record is gone", "GET", "/hubspot/records/contacts/" + contact, "", 404, contact},
		{"archived records are listed", "GET", "/hubspot/archived/contacts", "", 200, `"city":"Bremen"`},
		{"an archived record is brought back", "POST", "/hubspot/records/contacts/" + contact + "/restore", "", 200, `"city":"Bremen"`},
		{"a record that is live is not brought back", "POST", "/hubspot/records/contacts/" + contact + "/restore", "", 400, `resource not found`},
		{"a record is made as an app", "POST", "/hubspot/records/companies?as=app:4711", `{"properties":{"name":"Acme"}}`, 200, `"hs_object_source":"INTEGRATION"`},
		{"values of an app are checked", "POST", "/hubspot/records/companies?as=app:4711", `{"properties":{"nonsense":"1"}}`, 400, `nonsense`},
		{"a record is edited as a certain user", "PATCH", "/hubspot/records/contacts/" + contact + "?as=user:77", `{"properties":{"city":"Kiel"}}`, 200, `Kiel`},
		{"nobody writes under another name", "PATCH", "/hubspot/records/contacts/" + contact + "?as=me", `{"properties":{"city":"Ulm"}}`, 400, `as=user:123`},
		{"a merge wants two records", "POST", "/hubspot/merges", `{"type":"contacts","primaryId":"` + contact + `","otherId":"` + contact + `"}`, 400, `cannot be merged`},
		{"two records are merged", "POST", "/hubspot/merges", `{"type":"contacts","primaryId":"` + contact + `","otherId":"` + second + `"}`, 200, `"hs_merged_object_ids":"` + contact + ";" + second},
		{"a list is made as a person would", "POST", "/hubspot/lists", `{"type":"contacts","name":"Fair"}`, 200, `"listId":"1"`},
		{"a list's name is its own", "POST", "/hubspot/lists", `{"type":"contacts","name":"Fair"}`, 400, `already exists`},
		{"a record is put into a list", "POST", "/hubspot/lists/1/members", `{"add":["` + third + `"]}`, 204, ""},
		{"a record that is not there is told", "POST", "/hubspot/lists/1/members", `{"add":["4711"]}`, 400, `4711`},
		{"lists are listed", "GET", "/hubspot/lists", "", 200, `"members":["` + third + `"]`},
		{"search can lose a change", "POST", "/hubspot/search-losses", `{"type":"contacts","id":"` + third + `"}`, 204, ""},
		{"search loses changes of records that are there", "POST", "/hubspot/search-losses", `{"type":"contacts","id":"1"}`, 400, `not found`},
		{"the share that search loses is at most the whole", "PUT", "/faults", `{"searchLoses":2}`, 400, `searchLoses`},
		{"a contact is deleted for good", "POST", "/hubspot/records/contacts/" + third + "/erase", "", 204, ""},
		{"what is erased is not among the archived", "POST", "/hubspot/records/contacts/" + third + "/restore", "", 400, `not found`},
		{"an app is made", "POST", "/salesforce/apps", `{"name":"test","flows":["client_credentials"]}`, 200, `"clientSecret"`},
		{"an app wants an existing user", "POST", "/salesforce/apps", `{"runAs":"nobody@x.example"}`, 400, `nobody`},
		{"apps are listed", "GET", "/salesforce/apps", "", 200, `"apps"`},
		{"a session is given without a login", "POST", "/salesforce/tokens", ``, 200, `"instanceUrl"`},
		{"a session wants an existing user", "POST", "/salesforce/tokens", `{"username":"nobody@x.example"}`, 400, `nobody`},
		{"an app for the web flow wants a callback", "POST", "/salesforce/apps", `{"name":"web","flows":["authorization_code"]}`, 400, `callback URL`},
		{"a secret is rotated only where there is one", "POST", "/salesforce/apps/nope/rotate", ``, 400, `nope`},
		{"a refresh token wants an app", "POST", "/salesforce/refresh-tokens", `{"clientId":"nope"}`, 400, `nope`},
		{"a refresh token is given without a browser", "POST", "/salesforce/refresh-tokens", `{"clientId":"` + box.Credentials().Salesforce.ClientID + `"}`, 200, `"refreshToken"`},
		{"sessions live 15 minutes at least", "PUT", "/salesforce/session-timeout", `{"minutes":5}`, 400, `15 minutes to 24 hours`},
		{"sessions may live longer", "PUT", "/salesforce/session-timeout", `{"minutes":240}`, 204, ""},
		{"users and profiles are listed", "GET", "/salesforce/users", "", 200, `Minimum Access - API Only Integrations`},
		{"a permission set file with unknown names is refused", "POST", "/salesforce/permission-sets", permissionSetFile("Lead.Gone__c"), 400, `no CustomField named Lead.Gone__c found`},
		{"a permission set file is deployed and assigned", "POST", "/salesforce/permission-sets?name=Sync&assign=" + box.Credentials().Salesforce.Username, permissionSetFile("Lead.Phone"), 200, `"Lead.Phone":{"read":true,"edit":true}`},
		{"permission sets tell who has them", "GET", "/salesforce/permission-sets", "", 200, `"assignedTo":["` + box.Credentials().Salesforce.Username + `"]`},
		{"a permission set in use stays", "DELETE", "/salesforce/permission-sets/Sync", "", 400, `unassign it first`},
		{"a permission set is taken away", "POST", "/salesforce/permission-sets/Sync/assign", `{"remove":true}`, 204, ""},
		{"a permission set is deleted", "DELETE", "/salesforce/permission-sets/Sync", "", 204, ""},
		{"a profile is changed", "PUT", "/salesforce/users/" + box.Credentials().Salesforce.Username, `{"profile":"Minimum Access - Salesforce"}`, 204, ""},
		{"only users have a profile", "PUT", "/salesforce/users/nobody@x.example", `{"profile":"x"}`, 400, `nobody`},
		{"sessions end", "POST", "/salesforce/expire-sessions", ``, 204, ""},
		{"an account is edited", "PATCH", "/salesforce/records/Account/" + account, `{"fields":{"Phone":"+49 30 23125 000"}}`, 200, `+49 30 23125 000`},
		{"a field must exist", "PATCH", "/salesforce/records/Account/" + account, `{"fields":{"Colour":"red"}}`, 400, `Colour`},
		{"a lead is made", "POST", "/salesforce/records/Lead", `{"fields":{"LastName":"Nowak","Company":"Acme"}}`, 200, `Nowak`},
		{"an object must exist", "POST", "/salesforce/records/Unicorn", `{"fields":{}}`, 400, `Unicorn`},
		{"a record is locked", "POST", "/salesforce/locks", `{"object":"Account","id":"` + account + `","times":2}`, 204, ""},
		{"only what is there is locked", "POST", "/salesforce/locks", `{"object":"Account","id":"001000000000000AAA"}`, 404, `001000000000000AAA`},
		{"a permission is taken", "PUT", "/salesforce/permissions", `{"object":"Lead","read":true}`, 204, ""},
		{"a field is hidden", "PUT", "/salesforce/permissions", `{"object":"Contact","field":"Phone"}`, 204, ""},
		{"a permission wants an existing field", "PUT", "/salesforce/permissions", `{"object":"Contact","field":"Colour"}`, 400, `Colour`},
		{"a duplicate rule is switched on", "POST", "/salesforce/duplicate-rules", `{"object":"Contact","fields":["Email"],"block":true}`, 204, ""},
		{"an account is deleted", "DELETE", "/salesforce/records/Account/" + account, "", 204, ""},
		{"without a data file nothing is saved", "POST", "/save", "", 400, `--data`},
		{"everything starts anew", "POST", "/reset", "", 204, ""},
		{"and all is there again", "GET", "/hubspot/records/contacts/" + contact, "", 200, contact},
		{"other paths are named", "GET", "/coffee", "", 404, `GET / lists`},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := ask(t, client, test.method, manage+test.path, "", test.body)
			if status != test.status || !strings.Contains(body, test.contains) {
				t.Errorf("%s %s: %d %s; want %d and %q", test.method, test.path, status, body, test.status, test.contains)
			}
			if status >= 400 {
				var problem struct{ What, Mend string }
				if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.What == "" || problem.Mend == "" {
					t.Errorf("the problem lacks what or mend: %s", body)
				}
			}
		})
	}
}

func TestATokenThatExpiredOrWasRevoked(t *testing.T) {
	box := open(t, sandbox.Config{})
	for _, test := range []struct{ method, path, category string }{
		{"POST", "/expire", "EXPIRED_AUTHENTICATION"}, {"DELETE", "", "INVALID_AUTHENTICATION"},
	} {
		_, body := ask(t, box.Client(), "POST", manage+"/hubspot/tokens", "", `{"scopes":["crm.objects.contacts.read"]}`)
		var made struct{ ID, Token string }
		if err := json.Unmarshal([]byte(body), &made); err != nil {
			t.Fatal(err)
		}
		if status, body := ask(t, box.Client(), "GET", hubSpot+"/crm/v3/objects/contacts", made.Token, ""); status != 200 {
			t.Fatalf("the new token: %d %s", status, body)
		}
		ask(t, box.Client(), test.method, manage+"/hubspot/tokens/"+made.ID+test.path, "", "")
		if status, body := ask(t, box.Client(), "GET", hubSpot+"/crm/v3/objects/contacts", made.Token, ""); status != 401 || !strings.Contains(body, test.category) {
			t.Errorf("%s: %d %s", test.category, status, body)
		}
	}
}

func TestFaultsReachBothSides(t *testing.T) {
	box := open(t, sandbox.Config{})
	_, body := ask(t, box.Client(), "POST", manage+"/salesforce/tokens", "", "")
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(body), &session); err != nil {
		t.Fatal(err)
	}
	box.Dials().Set(faults.Setting{Rules: []faults.Rule{{Kind: faults.TooMany, Times: 2}}})
	if status, body := ask(t, box.Client(), "GET", hubSpot+"/crm/v3/objects/contacts", box.Credentials().HubSpot.PrivateApp, ""); status != 429 {
		t.Errorf("HubSpot: %d %s", status, body)
	}
	if status, body := ask(t, box.Client(), "GET", salesforce+"/services/data/v66.0/limits", session.Token, ""); status != 403 || !strings.Contains(body, "REQUEST_LIMIT_EXCEEDED") {
		t.Errorf("Salesforce: %d %s", status, body)
	}
	if status, _ := ask(t, box.Client(), "GET", hubSpot+"/crm/v3/objects/contacts", box.Credentials().HubSpot.PrivateApp, ""); status != 200 {
		t.Errorf("after two hits: %d", status)
	}
}

func TestAWebPageElsewhereCannotTurnDials(t *testing.T) {
	box := open(t, sandbox.Config{Seed: "empty"})
	send := func(change func(*http.Request)) int {
		r, err := http.NewRequestWithContext(t.Context(), "POST", manage+"/reset", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		response, err := box.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	for name, test := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"a script without a browser may":           {func(*http.Request) {}, 204},
		"a browser on this origin may":             {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 204},
		"a page of another site may not":           {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"a page of another origin may not":         {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		"a name that resolves to loopback may not": {func(r *http.Request) { r.Host = "evil.example:8183" }, 403},
	} {
		if got := send(test.change); got != test.status {
			t.Errorf("%s: got %d, want %d", name, got, test.status)
		}
	}
}

// permissionSetFile is a metadata file that lets people edit one field.
func permissionSetFile(field string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata"><fieldPermissions><editable>true</editable><field>` +
		field + `</field><readable>true</readable></fieldPermissions><label>Sync</label></PermissionSet>`
}
