package sandbox_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox"
)

// manageCase is one management call; the tables run in order, on one sandbox.
type manageCase struct {
	name, method, path, body string
	status                   int
	contains                 string
}

func runManageCases(t *testing.T, box *sandbox.Sandbox, cases []manageCase) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			if status, body := ask(t, box.Client(), test.method, manage+test.path, "", test.body); status != test.status || !strings.Contains(body, test.contains) {
				t.Errorf("%s %s: %d %s; want %d and %q", test.method, test.path, status, body, test.status, test.contains)
			}
		})
	}
}

func TestSalesforceEditsAsAPerson(t *testing.T) {
	box := open(t, sandbox.Config{})
	sf := box.Salesforce()
	pick := func(object string) (ids []string) {
		sf.Each(object, func(id string, _ map[string]any) bool { ids = append(ids, id); return len(ids) < 3 })
		return ids
	}
	accounts, leads := pick("Account"), pick("Lead")
	runManageCases(t, box, []manageCase{
		{"a record is edited as somebody", "PATCH", "/salesforce/records/Account/" + accounts[0], `{"fields":{"Phone":"1"},"username":"integration@lockstep-dev-ed.example","tookSeconds":60}`, 200, `"Phone":"1"`},
		{"only users edit", "PATCH", "/salesforce/records/Account/" + accounts[0], `{"fields":{"Phone":"1"},"username":"nobody@x.example"}`, 400, "no user nobody@x.example"},
		{"two accounts are merged", "POST", "/salesforce/merge", `{"object":"Account","masterId":"` + accounts[0] + `","ids":["` + accounts[1] + `"]}`, 204, ""},
		{"the loser names its master", "GET", "/salesforce/records/Account/" + accounts[1], "", 200, `"MasterRecordId":"` + accounts[0] + `"`},
		{"a merge wants losers", "POST", "/salesforce/merge", `{"object":"Account","masterId":"` + accounts[0] + `"}`, 400, "ids is empty"},
		{"a merge wants live records", "POST", "/salesforce/merge", `{"object":"Account","masterId":"` + accounts[0] + `","ids":["` + accounts[1] + `"]}`, 400, accounts[1]},
		{"the loser is undeleted", "POST", "/salesforce/records/Account/" + accounts[1] + "/undelete", "", 204, ""},
		{"what is live is not undeleted", "POST", "/salesforce/records/Account/" + accounts[1] + "/undelete", "", 400, "in the recycle bin"},
		{"a lead is converted", "POST", "/salesforce/convert-lead", `{"id":"` + leads[0] + `","accountId":"` + accounts[0] + `","noOpportunity":true}`, 200, `"accountId":"` + accounts[0] + `"`},
		{"a lead is converted once", "POST", "/salesforce/convert-lead", `{"id":"` + leads[0] + `"}`, 400, "converted already"},
		{"a record is deleted", "DELETE", "/salesforce/records/Account/" + accounts[2], "", 204, ""},
		{"a record leaves the bin for good", "POST", "/salesforce/empty-recycle-bin", `{"ids":["` + accounts[2] + `"]}`, 204, ""},
		{"then nobody finds it", "GET", "/salesforce/records/Account/" + accounts[2], "", 404, accounts[2]},
		{"what is not in the bin stays", "POST", "/salesforce/empty-recycle-bin", `{"ids":["` + accounts[0] + `"]}`, 400, accounts[0]},
		{"the bin is emptied", "POST", "/salesforce/empty-recycle-bin", "", 204, ""},
	})
}

func TestSalesforceSchemaAsAnAdministrator(t *testing.T) {
	box := open(t, sandbox.Config{})
	runManageCases(t, box, []manageCase{
		{"a field is added", "POST", "/salesforce/fields", `{"object":"Contact","field":{"name":"Shoe__c","type":"double","precision":3}}`, 204, ""},
		{"a field is added once", "POST", "/salesforce/fields", `{"object":"Contact","field":{"name":"Shoe__c"}}`, 400, "exists already"},
		{"a formula is added", "POST", "/salesforce/fields", `{"object":"Contact","field":{"name":"Label__c","formula":"Account.Name & ' / ' & LastName"}}`, 204, ""},
		{"a formula names what is there", "POST", "/salesforce/fields", `{"object":"Contact","field":{"name":"Wrong__c","formula":"Account.Gone__c"}}`, 400, "no field Gone__c"},
		{"a roll-up is added", "POST", "/salesforce/fields", `{"object":"Account","field":{"name":"Deals__c","type":"double","rollUp":{"object":"Opportunity","reference":"AccountId","operation":"count"}}}`, 204, ""},
		{"a function cannot be sent", "POST", "/salesforce/fields", `{"object":"Account","field":{"name":"Go__c","computed":true}}`, 400, "from Go alone"},
		{"an object is added", "POST", "/salesforce/objects", `{"name":"Seat__c","autoNumber":"S-{0000}","fields":[{"name":"Account__c","masterDetail":true,"referenceTo":["Account"],"children":"Seats"}]}`, 204, ""},
		{"an object refers to what is there", "POST", "/salesforce/objects", `{"name":"Other__c","fields":[{"name":"U__c","type":"reference","referenceTo":["Unicorn"]}]}`, 400, "Unicorn"},
	})
}

func TestSalesforceChangeEventsByManagement(t *testing.T) {
	box := open(t, sandbox.Config{})
	runManageCases(t, box, []manageCase{
		{"nothing has change events at first", "GET", "/salesforce/change-events", "", 200, `"kept":0`},
		{"objects are selected", "PUT", "/salesforce/change-events", `{"objects":["account","Contact"],"allowance":500}`, 200, `"objects":["Account","Contact"],"kept":0,"delivered":0,"allowance":500`},
		{"five objects at most", "PUT", "/salesforce/change-events", `{"objects":["Account","Contact","Lead","Opportunity","Case","Task"]}`, 400, "5 objects"},
		{"an object must exist", "PUT", "/salesforce/change-events", `{"objects":["Unicorn"]}`, 400, "Unicorn"},
		{"an allowance is no debt", "PUT", "/salesforce/change-events", `{"objects":["Account","Contact"],"allowance":-1}`, 400, "-1"},
		{"a change is kept", "POST", "/salesforce/records/Account", `{"fields":{"Name":"Acme"}}`, 200, "Acme"},
		{"a gap is emitted", "POST", "/salesforce/change-events/gaps", `{"object":"Account","changeType":"OVERFLOW"}`, 204, ""},
		{"a gap wants a selected object", "POST", "/salesforce/change-events/gaps", `{"object":"Lead","changeType":"OVERFLOW"}`, 400, "not selected"},
		{"both are on the bus", "GET", "/salesforce/change-events", "", 200, `"kept":2`},
		{"positions are lost", "POST", "/salesforce/change-events/lose-positions", "", 204, ""},
		{"streams end", "POST", "/salesforce/change-events/end-streams", "", 204, ""},
		{"a managed subscription is made", "POST", "/salesforce/managed-subscriptions", `{"developerName":"Sync","topic":"/data/ChangeEvents"}`, 200, `"id":"18x`},
		{"it is made once", "POST", "/salesforce/managed-subscriptions", `{"developerName":"Sync","topic":"/data/ChangeEvents"}`, 400, "exists already"},
		{"it wants a topic that is there", "POST", "/salesforce/managed-subscriptions", `{"developerName":"Other","topic":"/data/Unicorn"}`, 400, "doesn't exist"},
		{"the dials of events are turned", "PUT", "/faults", `{"lateCommitSeconds":60,"changeEvents":{"delayMillis":100,"drops":0.5}}`, 200, `"lateCommitSeconds":60,"changeEvents":{"delayMillis":100,"drops":0.5}`},
		{"a share of events is at most the whole", "PUT", "/faults", `{"changeEvents":{"drops":2}}`, 400, "0 to 1"},
		{"a commit is not early", "PUT", "/faults", `{"lateCommitSeconds":-1}`, 400, "negative"},
	})
}
