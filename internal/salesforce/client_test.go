package salesforce

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestTheNewestVersionThatBothKnowIsUsed(t *testing.T) {
	tests := []struct{ name, offered, want string }{
		{"an org of this year", `[{"version":"31.0"},{"version":"66.0"},{"version":"68.0"}]`, "/services/data/v68.0/sobjects"},
		{"an org of next year", `[{"version":"67.0"},{"version":"70.0"}]`, "/services/data/v67.0/sobjects"},
		{"no Salesforce", `[{"version":"20.0"}]`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			org := &fakeOrg{answer: func(call fakeCall) (int, string) {
				if call.Path == "/services/data" {
					return 200, test.offered
				}
				return 200, `{"sobjects":[]}`
			}}
			c := newClient(t, org)
			c.version = ""
			_, err := c.Objects(t.Context())
			if test.want == "" {
				if fault.KindOf(err) != fault.Invalid {
					t.Errorf("got %v", err)
				}
				return
			}
			calls := org.seen()
			if err != nil || len(calls) != 2 || calls[1].Path != test.want {
				t.Errorf("%+v, %v", calls, err)
			}
		})
	}
}

func TestVersionsThatCannotBeUsedAreRefused(t *testing.T) {
	for version, ok := range map[string]bool{"66.0": true, "v66.0": true, "66": true, "30.0": false, "99.0": false, "latest": false, "66.5": false} {
		_, err := New(Config{Tokens: &fakeTokens{}, Version: version})
		if (err == nil) != ok || err != nil && fault.MendOf(err) == "" {
			t.Errorf("%s: %v", version, err)
		}
	}
}

func TestAccount(t *testing.T) {
	org := &fakeOrg{}
	userinfo := 200
	org.answer = func(call fakeCall) (int, string) {
		switch {
		case strings.Contains(call.SOQL, "FROM Organization"):
			return 200, `{"totalSize":1,"done":true,"records":[{"attributes":{},"Id":"00D000000000001","Name":"Acme","IsSandbox":true,"OrganizationType":"Enterprise Edition"}]}`
		case call.Path == "/services/oauth2/userinfo" && userinfo == 200:
			return 200, `{"sub":"x","user_id":"005","preferred_username":"sync@example.com"}`
		case call.Path == "/services/oauth2/userinfo":
			return userinfo, "Missing_OAuth_Token"
		}
		return leave, ""
	}
	c := newClient(t, org)
	id, _ := ID18("00D000000000001")
	want := crm.Account{
		Side: crm.Salesforce, ID: id, Name: "Acme", User: "sync@example.com", Kind: "Enterprise Edition (sandbox)",
		Web: "https://acme.my.salesforce.com", API: "https://acme.my.salesforce.com",
	}
	got, err := c.Account(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	userinfo, want.User = 403, ""
	got, err = c.Account(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("without the scope for the user's name: %v\n%s", err, diff)
	}
}

func TestOwners(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if strings.Contains(call.SOQL, "FROM User WHERE UserType = 'Standard' ORDER BY Id") {
			return 200, fakePage(2, "", `{"Id":"`+fakeID("005", 1)+`","Email":"a@example.com","Name":"A","IsActive":true}`, `{"Id":"`+fakeID("005", 2)+`","Email":null,"Name":"B","IsActive":false}`)
		}
		return leave, ""
	}}
	got, err := newClient(t, org).Owners(t.Context())
	want := []crm.Owner{{ID: fakeID("005", 1), Email: "a@example.com", Name: "A", Active: true}, {ID: fakeID("005", 2), Name: "B"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestDescribe(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Path != "/sobjects/Thing__c/describe" {
			return leave, ""
		}
		return 200, `{"name":"Thing__c","label":"Thing","labelPlural":"Things","keyPrefix":"a00","createable":true,"updateable":false,"deletable":true,"fields":[
			{"name":"Id","label":"Record ID","type":"id","length":18,"filterable":true},
			{"name":"Name","label":"Name","type":"string","length":80,"createable":true,"updateable":true,"nillable":false,"filterable":true},
			{"name":"IsOpen__c","label":"Open","type":"boolean","createable":true,"updateable":true,"nillable":false,"defaultedOnCreate":true},
			{"name":"Notes__c","label":"Notes","type":"textarea","extraTypeInfo":"richtextarea","length":32768,"createable":true,"updateable":true,"nillable":true},
			{"name":"Size__c","label":"Size","type":"picklist","length":255,"createable":true,"updateable":true,"nillable":true,"restrictedPicklist":true,
			 "picklistValues":[{"active":true,"label":"Small","value":"S"},{"active":false,"label":"Huge","value":"XL"}],"inlineHelpText":"how big"},
			{"name":"Count__c","label":"Count","type":"int","digits":9,"createable":true,"updateable":true,"nillable":true},
			{"name":"OwnerId","label":"Owner","type":"reference","createable":true,"updateable":true,"nillable":false,"defaultedOnCreate":true,"referenceTo":["Group","User"]},
			{"name":"Total__c","label":"Total","type":"currency","precision":18,"scale":2,"calculated":true,"nillable":true},
			{"name":"Place__c","label":"Place","type":"location"},
			{"name":"Gone__c","label":"Gone","type":"string","deprecatedAndHidden":true}]}`
	}}
	c := newClient(t, org)
	got, err := c.Describe(t.Context(), "Thing__c")
	if err != nil {
		t.Fatal(err)
	}
	want := &crm.Object{Side: crm.Salesforce, Name: "Thing__c", Label: "Thing", LabelPlural: "Things", Prefix: "a00", Creatable: true, Deletable: true, Fields: []crm.Field{
		{Name: "Id", Label: "Record ID", Kind: crm.KindID, Type: "id", Length: 18, Calculated: true, Unique: true, Filterable: true},
		{Name: "Name", Label: "Name", Kind: crm.KindText, Type: "string", Length: 80, Required: true, Creatable: true, Updatable: true, Filterable: true},
		{Name: "IsOpen__c", Label: "Open", Kind: crm.KindBool, Type: "boolean", Creatable: true, Updatable: true},
		{Name: "Notes__c", Label: "Notes", Kind: crm.KindHTML, Type: "textarea", Length: 32768, Creatable: true, Updatable: true},
		{Name: "Size__c", Label: "Size", Kind: crm.KindPicklist, Type: "picklist", Length: 255, Creatable: true, Updatable: true, Restricted: true, Options: []crm.Option{{Value: "S", Label: "Small", Active: true}, {Value: "XL", Label: "Huge"}}, Help: "how big"},
		{Name: "Count__c", Label: "Count", Kind: crm.KindInteger, Type: "int", Precision: 9, Creatable: true, Updatable: true},
		{Name: "OwnerId", Label: "Owner", Kind: crm.KindOwner, Type: "reference", Creatable: true, Updatable: true, ReferenceTo: []string{"Group", "User"}},
		{Name: "Total__c", Label: "Total", Kind: crm.KindCurrency, Type: "currency", Precision: 18, Scale: 2, Calculated: true},
		{Name: "Place__c", Label: "Place", Kind: crm.KindOther, Type: "location", Calculated: true,
			Unfit: "Salesforce makes it out of its parts and lets nobody write it; map the latitude and the longitude, Place__Latitude__s and Place__Longitude__s"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"Nowhere__c", "../limits", "Contact/describe?x="} {
		if _, err := c.Describe(t.Context(), name); fault.KindOf(err) != fault.NotFound || fault.MendOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestObjectsLeavesOutWhatNobodyCanRead(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		return 200, `{"sobjects":[{"name":"Account","label":"Account","labelPlural":"Accounts","keyPrefix":"001","createable":true,"queryable":true},
			{"name":"Secret","queryable":false},{"name":"Settings__c","queryable":true,"customSetting":true},{"name":"Old","queryable":true,"deprecatedAndHidden":true}]}`
	}}
	got, err := newClient(t, org).Objects(t.Context())
	want := []crm.Object{{Side: crm.Salesforce, Name: "Account", Label: "Account", LabelPlural: "Accounts", Prefix: "001", Creatable: true}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestRecordURL(t *testing.T) {
	c := newClient(t, &fakeOrg{})
	if got := c.RecordURL("Contact", fakeID("003", 1)); got != "https://acme.my.salesforce.com/lightning/r/Contact/"+fakeID("003", 1)+"/view" {
		t.Errorf("got %s", got)
	}
	if got := c.RecordURL("Contact", ""); got != "" {
		t.Errorf("got %s", got)
	}
}

func TestEveryCallKeepsAssignmentRulesOutAndNamesUs(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Path == "/composite" {
			if strings.Count(call.Body, `"Sforce-Auto-Assign":"FALSE"`) != 2 {
				return 400, `[{"errorCode":"INVALID_INPUT","message":"headers"}]`
			}
			return viaComposite(call.Body, func(part fakeCall) (int, string) { return wellDone(part.Body, nil) })
		}
		return leave, ""
	}}
	if results, err := newClient(t, org).Apply(t.Context(), creates(201)); err != nil || results[200].Err != nil {
		t.Errorf("%v, %v", err, results[200].Err)
	}
}

func TestTheShareOfTheDayIsKept(t *testing.T) {
	org := &fakeOrg{header: map[string][]string{"Sforce-Limit-Info": {"api-usage=10/100"}}, answer: func(fakeCall) (int, string) { return 200, `{"sobjects":[]}` }}
	c := newClient(t, org)
	c2, err := New(Config{Tokens: &fakeTokens{}, Version: "66.0", HTTP: c.config.HTTP, Budget: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := c2.Objects(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c2.Objects(t.Context()); fault.KindOf(err) != fault.RateLimited || fault.MendOf(err) == "" || len(org.seen()) != 5 {
		t.Errorf("the sixth call of five: %v", err)
	}
}

func TestForecast(t *testing.T) {
	tests := []struct {
		name string
		work crm.Work
		want int
	}{
		{"nothing", crm.Work{Object: "Contact"}, 0},
		{"a read of one page and its count", crm.Work{Object: "Contact", Read: 2000}, 2},
		{"a read of two pages and its count", crm.Work{Object: "Contact", Read: 2001}, 3},
		{"lookups", crm.Work{Object: "Contact", Lookup: 2001}, 2},
		{"lookups of opportunities with their roles", crm.Work{Object: "Opportunity", Lookup: 100, Relation: 1}, 2},
		{"a first copy of ten thousand", crm.Work{Object: "Contact", Create: 10_000}, 10},
		{"roles: look first, then add", crm.Work{Object: "Opportunity", Relate: 300}, 2},
		{"a bit of all", crm.Work{Object: "Contact", Read: 1, Create: 1, Update: 1, Archive: 1}, 5},
	}
	c := newClient(t, &fakeOrg{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := c.Forecast(test.work); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
