package salesforce

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWritesThatAreRefused(t *testing.T) {
	o := newStory(t)
	acme, ann, deal := o.idOf("Account", "Acme"), o.idOf("Contact", "Ann Li"), o.idOf("Opportunity", "Big")
	gone := o.create("Account", `{"Name":"Gone"}`)
	o.Delete("Account", gone)
	inactive := o.AddUser(User{Username: "left@x.example", Inactive: true})
	if err := o.AddField("Contact", Field{Name: "Tier__c", Label: "Tier", Type: "picklist", Restricted: true, Picklist: []PicklistValue{{Value: "Gold"}, {Value: "Silver"}}}); err != nil {
		t.Fatal(err)
	}
	o.AddValidationRule("Opportunity", "amount", "A deal needs an amount.", "Amount", func(f map[string]any) bool { return f["Amount"] == nil })
	other := o.create("Contact", `{"LastName":"Other","HubSpot_Id__c":"900"}`)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		code, message            string
		fields                   []any
	}{
		{"a required field is missing", "POST", "/sobjects/Lead", `{"FirstName":"Ana"}`, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]", []any{"LastName", "Company"}},
		{"a required field is cleared", "PATCH", "/sobjects/Contact/" + ann, `{"LastName":""}`, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", []any{"LastName"}},
		{"a text is too long", "PATCH", "/sobjects/Contact/" + ann, `{"MailingCity":"` + strings.Repeat("é", 41) + `"}`, 400, "STRING_TOO_LONG", "Mailing City: data value too large: " + strings.Repeat("é", 41) + " (max length=40)", []any{"MailingCity"}},
		{"a restricted picklist lacks the value", "PATCH", "/sobjects/Contact/" + ann, `{"Tier__c":"Bronze"}`, 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Tier: bad value for restricted picklist field: Bronze", []any{"Tier__c"}},
		{"a field does not exist", "PATCH", "/sobjects/Contact/" + ann, `{"Nope__c":1}`, 400, "INVALID_FIELD", "No such column 'Nope__c' on sobject of type Contact", nil},
		{"fields are read-only", "PATCH", "/sobjects/Contact/" + ann, `{"Name":"x","CreatedDate":null}`, 400, "INVALID_FIELD_FOR_INSERT_UPDATE",
			"Unable to create/update fields: Name, CreatedDate. Please check the security settings of this field and verify that it is read/write for your profile or permission set.", []any{"Name", "CreatedDate"}},
		{"a create-only field is updated", "PATCH", "/sobjects/OpportunityContactRole/" + o.only("OpportunityContactRole"), `{"OpportunityId":"` + deal + `"}`, 400, "INVALID_FIELD_FOR_INSERT_UPDATE",
			"Unable to create/update fields: OpportunityId. Please check the security settings of this field and verify that it is read/write for your profile or permission set.", []any{"OpportunityId"}},
		{"an id stands in the body of an update", "PATCH", "/sobjects/Contact/" + ann, `{"Id":"` + ann + `"}`, 400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", nil},
		{"an id stands in the body of a create", "POST", "/sobjects/Contact", `{"LastName":"x","Id":"` + ann + `"}`, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", []any{"Id"}},
		{"a date is none", "PATCH", "/sobjects/Opportunity/" + deal, `{"CloseDate":"2026-13-01"}`, 400, "JSON_PARSER_ERROR",
			"Cannot deserialize instance of date from VALUE_STRING value 2026-13-01 or request may be missing a required field at [line:1, column:26]", nil},
		{"a number stands for a text", "PATCH", "/sobjects/Contact/" + ann, `{"LastName":5}`, 400, "JSON_PARSER_ERROR",
			"Cannot deserialize instance of string from VALUE_NUMBER_INT value 5 or request may be missing a required field at [line:1, column:14]", nil},
		{"a text stands for a number", "PATCH", "/sobjects/Opportunity/" + deal, `{"Amount":"much"}`, 400, "JSON_PARSER_ERROR",
			"Cannot deserialize instance of currency from VALUE_STRING value much or request may be missing a required field at [line:1, column:17]", nil},
		{"the body is no JSON", "POST", "/sobjects/Contact", `{"LastName":`, 400, "JSON_PARSER_ERROR", "Unexpected character or end of input at [line:1, column:12]", nil},
		{"there is no body", "POST", "/sobjects/Contact", ``, 400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.", nil},
		{"a number is too large", "PATCH", "/sobjects/Account/" + acme, `{"NumberOfEmployees":123456789}`, 400, "NUMBER_OUTSIDE_VALID_RANGE", "Employees: value outside of valid range on numeric field: 123456789", []any{"NumberOfEmployees"}},
		{"an e-mail is none", "PATCH", "/sobjects/Contact/" + ann, `{"Email":"a@b"}`, 400, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: a@b", []any{"Email"}},
		{"a reference is of the wrong type", "PATCH", "/sobjects/Contact/" + ann, `{"AccountId":"` + ann + `"}`, 400, "MALFORMED_ID", "Account ID: id value of incorrect type: " + ann, []any{"AccountId"}},
		{"a reference is no id", "PATCH", "/sobjects/Contact/" + ann, `{"AccountId":"abc"}`, 400, "MALFORMED_ID", "Account ID: id value of incorrect type: abc", []any{"AccountId"}},
		{"a reference leads nowhere", "PATCH", "/sobjects/Contact/" + ann, `{"AccountId":"001000000000000AAA"}`, 400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []any{"AccountId"}},
		{"a reference leads to a deleted record", "PATCH", "/sobjects/Contact/" + ann, `{"AccountId":"` + gone + `"}`, 400, "ENTITY_IS_DELETED", "entity is deleted", []any{"AccountId"}},
		{"an owner is inactive", "PATCH", "/sobjects/Contact/" + ann, `{"OwnerId":"` + inactive + `"}`, 400, "INACTIVE_OWNER_OR_USER", "operation performed with inactive user [" + inactive + "] as owner of contact", []any{"OwnerId"}},
		{"a unique value is taken", "PATCH", "/sobjects/Contact/" + ann, `{"HubSpot_Id__c":"900"}`, 400, "DUPLICATE_VALUE", "duplicate value found: HubSpot_Id__c duplicates value on record with id: " + other[:15], []any{}},
		{"a validation rule says no", "PATCH", "/sobjects/Opportunity/" + deal, `{"Amount":null}`, 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A deal needs an amount.", []any{"Amount"}},
		{"the record is deleted", "PATCH", "/sobjects/Account/" + gone, `{"Name":"x"}`, 404, "ENTITY_IS_DELETED", "entity is deleted", []any{}},
		{"the record is deleted already", "DELETE", "/sobjects/Account/" + gone, "", 404, "ENTITY_IS_DELETED", "entity is deleted", []any{}},
		{"the record does not exist", "GET", "/sobjects/Account/001000000000000AAA", "", 404, "NOT_FOUND", "The requested resource does not exist", nil},
		{"the id's checksum is wrong", "GET", "/sobjects/Account/" + acme[:17] + "Z", "", 404, "NOT_FOUND", "The requested resource does not exist", nil},
		{"the id is another object's", "GET", "/sobjects/Account/" + ann, "", 400, "MALFORMED_ID", "Account ID: id value of incorrect type: " + ann, nil},
		{"the object does not exist", "POST", "/sobjects/Nope", `{}`, 404, "NOT_FOUND", "The requested resource does not exist", nil},
		{"a user cannot be deleted", "DELETE", "/sobjects/User/" + inactive, "", 403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", []any{}},
		{"a parent named by an unknown key", "PATCH", "/sobjects/Contact/" + ann, `{"Account":{"HubSpot_Id__c":"nobody"}}`, 400, "INVALID_FIELD", "Foreign key external ID: nobody not found for field HubSpot_Id__c in entity Account", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := o.do(c.method, c.path, c.body)
			want := map[string]any{"errorCode": c.code, "message": c.message}
			if c.fields != nil {
				want["fields"] = c.fields
			}
			if diff := cmp.Diff(want, g.at("0")); diff != "" || g.Status != c.status {
				t.Errorf("status %d, want %d (-want +got):\n%s", g.Status, c.status, diff)
			}
		})
	}
}

// only is the id of the first record of an object.
func (o *org) only(object string) string {
	found := ""
	o.Each(object, func(id string, _ map[string]any) bool { found = id; return false })
	return found
}

func TestValuesAreStoredAsThePlatformStoresThem(t *testing.T) {
	o := newStory(t)
	id := o.create("Contact", `{"LastName":"  Li  ","Email":"Ann@Acme.Example","MobilePhone":"call me","Salutation":"mr.","LeadSource":"Somewhere else","Birthdate":"1990-02-28",
		"EmailBouncedDate":"2026-11-23T14:05:06.789+01:00","Interests__c":"Speed;Price;Speed","Title":"","Account":{"HubSpot_Id__c":null},"DoNotCall":"true"}`)
	got, _ := o.Get("Contact", id)
	want := map[string]any{"LastName": "Li", "Email": "Ann@Acme.Example", "MobilePhone": "call me", "Salutation": "Mr.", "LeadSource": "Somewhere else", "Birthdate": "1990-02-28",
		"EmailBouncedDate": "2026-11-23T13:05:06.000+0000", "Interests__c": "Price;Speed", "DoNotCall": true, "Name": "Li"}
	for k, v := range want {
		if diff := cmp.Diff(v, got[k]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", k, diff)
		}
	}
	if _, ok := got["Title"]; ok {
		t.Errorf("empty text is stored as %q, want null", got["Title"])
	}
	deal := o.create("Opportunity", `{"Name":"D","StageName":"Negotiation/Review","CloseDate":"2026-12-31","Amount":"1234.56"}`)
	got, _ = o.Get("Opportunity", deal)
	for k, v := range map[string]any{"Amount": 1234.56, "Probability": 90.0, "ForecastCategoryName": "Pipeline", "ForecastCategory": "Pipeline", "IsClosed": false, "ExpectedRevenue": 1111.1, "FiscalQuarter": 4.0, "FiscalYear": 2026.0} {
		if diff := cmp.Diff(v, got[k]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", k, diff)
		}
	}
	o.do("PATCH", "/sobjects/Opportunity/"+deal, `{"StageName":"Closed Won"}`)
	got, _ = o.Get("Opportunity", deal)
	for k, v := range map[string]any{"Probability": 100.0, "IsClosed": true, "IsWon": true, "ForecastCategory": "Closed"} {
		if diff := cmp.Diff(v, got[k]); diff != "" {
			t.Errorf("after closing: %s (-want +got):\n%s", k, diff)
		}
	}
	lead := o.create("Lead", `{"LastName":"N","Company":"C"}`)
	got, _ = o.Get("Lead", lead)
	user := o.soql("SELECT Id FROM User WHERE Username = '" + IntegrationUsername + "'")[0]["Id"]
	if got["Status"] != "Open - Not Contacted" || got["OwnerId"] != user || got["IsUnreadByOwner"] != true {
		t.Errorf("lead: got status %v, owner %v, unread %v; want the default, %v and true", got["Status"], got["OwnerId"], got["IsUnreadByOwner"], user)
	}
}

func TestStampsMoveByTheSecond(t *testing.T) {
	o := newOrg(t)
	o.clock.Set(time.Date(2026, 11, 23, 14, 5, 6, 0, time.UTC))
	id := o.create("Account", `{"Name":"A"}`)
	o.clock.Advance(time.Hour)
	o.do("PATCH", "/sobjects/Account/"+id, `{"Phone":"1"}`)
	got, _ := o.Get("Account", id)
	created, modified := got["CreatedDate"].(string), got["LastModifiedDate"].(string)
	if !strings.HasPrefix(created, "2026-11-23T14:05:0") || !strings.HasPrefix(modified, "2026-11-23T15:05:0") || modified != got["SystemModstamp"] || !strings.HasSuffix(modified, ".000+0000") {
		t.Errorf("created %s, modified %s, stamp %v", created, modified, got["SystemModstamp"])
	}
}

func TestUpsertByVersion(t *testing.T) {
	o := newStory(t)
	url := func(version int, key string) string {
		return fmt.Sprintf("/services/data/v%d.0/sobjects/Contact/HubSpot_Id__c/%s", version, key)
	}
	if g := o.do("PATCH", url(45, "a%2Fb"), `{"LastName":"Slash"}`); g.Status != 201 || g.at("created") != nil {
		t.Errorf("v45 create: %d %s, want 201 without created", g.Status, g.Body)
	}
	if g := o.do("PATCH", url(45, "a%2Fb"), `{"Title":"x"}`); g.Status != 204 || g.Body != "" {
		t.Errorf("v45 update: %d %q, want 204 and nothing", g.Status, g.Body)
	}
	if g := o.do("PATCH", url(46, "a%2Fb"), `{"Title":"y"}`); g.Status != 200 || g.at("created") != false {
		t.Errorf("v46 update: %d %s, want 200 with created false", g.Status, g.Body)
	}
	if g := o.do("PATCH", url(68, "new")+"?updateOnly=true", `{"LastName":"z"}`); g.Status != 404 || g.str("0.errorCode") != "NOT_FOUND" {
		t.Errorf("updateOnly without a match: %d %s, want 404", g.Status, g.Body)
	}
	o.create("Contact", `{"LastName":"1","Email":"two@x.example"}`)
	o.create("Contact", `{"LastName":"2","Email":"TWO@x.example"}`)
	g := o.do("PATCH", "/sobjects/Contact/Email/two@x.example", `{"Title":"t"}`)
	if list, ok := g.JSON.([]any); g.Status != 300 || !ok || len(list) != 2 || !strings.HasPrefix(list[0].(string), "/services/data/v68.0/sobjects/Contact/003") {
		t.Errorf("several matches: %d %s, want 300 with two addresses", g.Status, g.Body)
	}
	if g := o.do("POST", "/sobjects/Contact/"+o.idOf("Contact", "Ann Li")+"?_HttpMethod=PATCH", `{"Title":"override"}`); g.Status != 204 {
		t.Errorf("method override: %d %s, want 204", g.Status, g.Body)
	}
	if g := o.do("POST", "/sobjects/Contact", `{"LastName":"Child","Account":{"HubSpot_Id__c":"77"}}`); g.Status != 400 {
		t.Errorf("a parent that is not there: %d, want 400", g.Status)
	}
	o.Update("Account", o.idOf("Account", "Globex"), map[string]any{"HubSpot_Id__c": "77"})
	child := o.create("Contact", `{"LastName":"Child","Account":{"HubSpot_Id__c":"77"},"Owner":{"Username":"`+AdministratorUsername+`"}}`)
	if got := o.soql("SELECT Account.Name, Owner.Name FROM Contact WHERE Id = '" + child + "'")[0]; got["Account"].(map[string]any)["Name"] != "Globex" || got["Owner"].(map[string]any)["Name"] != "Ada Administrator" {
		t.Errorf("parents by their keys: got %v", got)
	}
}

func TestCollections(t *testing.T) {
	o := newStory(t)
	record := func(fields string) string { return `{"attributes":{"type":"Contact"},` + fields + `}` }
	body := func(allOrNone bool, records ...string) string {
		return fmt.Sprintf(`{"allOrNone":%v,"records":[%s]}`, allOrNone, strings.Join(records, ","))
	}
	missing := []any{map[string]any{"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": []any{"LastName"}}}
	rolledBack := []any{map[string]any{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "Record rolled back because not all records were valid and the request was using AllOrNone header", "fields": []any{}}}

	before := o.Count("Contact")
	g := o.do("POST", "/composite/sobjects", body(false, record(`"LastName":"One"`), record(`"FirstName":"bad"`)))
	if diff := cmp.Diff([]any{g.at("0"), map[string]any{"success": false, "errors": missing}}, g.JSON); diff != "" || g.Status != 200 || g.at("0.success") != true || o.Count("Contact") != before+1 {
		t.Errorf("partly good: %d %s", g.Status, g.Body)
	}
	id := g.str("0.id")
	g = o.do("POST", "/composite/sobjects", body(true, record(`"LastName":"Two"`), record(`"FirstName":"bad"`)))
	if diff := cmp.Diff([]any{map[string]any{"success": false, "errors": rolledBack}, map[string]any{"success": false, "errors": missing}}, g.JSON); diff != "" || o.Count("Contact") != before+1 {
		t.Errorf("all or none (-want +got):\n%s", diff)
	}
	o.do("PATCH", "/composite/sobjects", body(true, record(`"id":"`+id+`","Title":"kept?"`), record(`"id":"003000000000000AAA"`)))
	if got, _ := o.Get("Contact", id); got["Title"] != nil {
		t.Errorf("an update that was taken back left Title %v", got["Title"])
	}
	g = o.do("PATCH", "/composite/sobjects", body(false, record(`"Id":"`+id[:15]+`","Title":"CTO"`), record(`"id":"`+id+`","Title":"again"`), record(`"id":"xyz"`), record(`"Title":"none"`),
		`{"attributes":{"type":"Nope"},"id":"`+id+`"}`, record(`"id":"`+id[:3]+`000000000000AAA"`)))
	var codes []any
	for i := range 6 {
		codes = append(codes, g.at(fmt.Sprintf("%d.errors.0.statusCode", i)))
	}
	if diff := cmp.Diff([]any{nil, "DUPLICATE_VALUE", "MALFORMED_ID", "MISSING_ARGUMENT", "INVALID_TYPE", "INVALID_CROSS_REFERENCE_KEY"}, codes); diff != "" {
		t.Errorf("updates (-want +got):\n%s\n%s", diff, g.Body)
	}
	g = o.do("PATCH", "/composite/sobjects/Contact/HubSpot_Id__c", body(false, record(`"HubSpot_Id__c":"101","Title":"a"`), record(`"HubSpot_Id__c":"500","LastName":"New"`), record(`"HubSpot_Id__c":"6","LastName":"x"`), record(`"HubSpot_Id__c":"6","LastName":"y"`)))
	if g.at("0.created") != false || g.at("1.created") != true || g.str("2.errors.0.message") != "Duplicate external id specified: 6" || g.at("3.success") != false {
		t.Errorf("upsert: %s", g.Body)
	}
	g = o.do("POST", "/composite/sobjects/Contact", `{"ids":["`+id+`","003000000000000AAA"],"fields":["Id","Title"]}`)
	if g.at("0.Title") != "CTO" || g.at("1") != nil || len(g.JSON.([]any)) != 2 {
		t.Errorf("read: %s", g.Body)
	}
	g = o.do("DELETE", "/composite/sobjects?ids="+id+","+id+"&allOrNone=false", "")
	if g.at("0.success") != true || g.str("1.errors.0.statusCode") != "ENTITY_IS_DELETED" {
		t.Errorf("delete: %s", g.Body)
	}
	many := make([]string, 201)
	for i := range many {
		many[i] = record(`"LastName":"x"`)
	}
	for name, c := range map[string]string{"201 records": body(false, many...), "no type": `{"records":[{"LastName":"x"}]}`, "no records": `{}`} {
		if g := o.do("POST", "/composite/sobjects", c); g.Status != 400 {
			t.Errorf("%s: got %d, want 400", name, g.Status)
		}
	}
}

func TestDuplicateRules(t *testing.T) {
	o := newStory(t)
	ann := o.idOf("Contact", "Ann Li")
	o.AddDuplicateRule(DuplicateRule{Object: "Contact", Fields: []string{"Email"}, Against: []string{"Contact", "Lead"}})
	g := o.do("POST", "/sobjects/Contact", `{"LastName":"Twin","Email":"ANN@acme.example"}`)
	want := map[string]any{
		"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?",
		"duplicateResult": map[string]any{
			"allowSave": true, "duplicateRule": "Standard_Contact_Duplicate_Rule", "duplicateRuleEntityType": "Contact", "errorMessage": "Use one of these records?",
			"matchResults": []any{map[string]any{
				"entityType": "Contact", "errors": []any{}, "matchEngine": "ExactMatchEngine", "rule": "Standard_Contact_Duplicate_Rule_Match", "size": 1.0, "success": true,
				"matchRecords": []any{map[string]any{
					"additionalInformation": []any{}, "fieldDiffs": []any{map[string]any{"difference": "Same", "name": "Email"}}, "matchConfidence": 100.0,
					"record": map[string]any{"attributes": map[string]any{"type": "Contact", "url": "/services/data/v68.0/sobjects/Contact/" + ann}, "Id": ann},
				}},
			}},
		},
	}
	if diff := cmp.Diff(want, g.at("0")); diff != "" || g.Status != 400 {
		t.Errorf("%d (-want +got):\n%s", g.Status, diff)
	}
	g = o.do("POST", "/composite/sobjects", `{"records":[{"attributes":{"type":"Contact"},"LastName":"Twin","Email":"ann@acme.example"}]}`)
	if diff := cmp.Diff(map[string]any{"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []any{}}, g.at("0.errors.0")); diff != "" {
		t.Errorf("in a collection (-want +got):\n%s", diff)
	}
	if g := o.do("POST", "/sobjects/Contact", `{"LastName":"Twin","Email":"nowak@hooli.example"}`); g.str("0.duplicateResult.matchResults.0.entityType") != "Lead" {
		t.Errorf("a lead with the e-mail: %s", g.Body)
	}
	if g := o.do("PATCH", "/sobjects/Contact/"+o.idOf("Contact", "Jörg Müller"), `{"Email":"ann@acme.example"}`); g.Status != 204 {
		t.Errorf("an update: %d %s, want 204: rules report on creates alone", g.Status, g.Body)
	}
	if g := o.do("POST", "/sobjects/Contact", `{"LastName":"Twin","Email":"ann@acme.example"}`, "Sforce-Duplicate-Rule-Header: allowSave=true"); g.Status != 201 {
		t.Errorf("allowSave: %d %s, want 201", g.Status, g.Body)
	}
	o.AddDuplicateRule(DuplicateRule{Object: "Contact", Block: true})
	if g := o.do("POST", "/sobjects/Contact", `{"LastName":"Twin","Email":"ann@acme.example"}`, "Sforce-Duplicate-Rule-Header: allowSave=true"); g.Status != 400 {
		t.Errorf("a blocking rule with allowSave: %d, want 400", g.Status)
	}
}

func TestDeletesTakeChildrenAlong(t *testing.T) {
	o := newStory(t)
	acme := o.idOf("Account", "Acme")
	blocking := o.create("Case", `{"Subject":"Help","AccountId":"`+acme+`"}`)
	if g := o.do("DELETE", "/sobjects/Account/"+acme, ""); g.str("0.errorCode") != "DELETE_FAILED" {
		t.Fatalf("an account with a case: %d %s, want DELETE_FAILED", g.Status, g.Body)
	}
	if o.Count("Contact") != 3 || o.Count("Opportunity") != 3 {
		t.Fatal("a refused delete took children along")
	}
	o.do("DELETE", "/sobjects/Case/"+blocking, "")
	if g := o.do("DELETE", "/sobjects/Account/"+acme, ""); g.Status != 204 {
		t.Fatalf("delete: %d %s", g.Status, g.Body)
	}
	got := map[string]int{}
	for _, name := range []string{"Account", "Contact", "Opportunity", "OpportunityContactRole", "Task"} {
		got[name] = o.Count(name)
	}
	if diff := cmp.Diff(map[string]int{"Account": 2, "Contact": 2, "Opportunity": 1, "OpportunityContactRole": 0, "Task": 0}, got); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if child, _ := o.Get("Account", o.idOf("Account", "Globex")); child["ParentId"] != nil {
		t.Errorf("the child account still has the parent %v", child["ParentId"])
	}
	start, end := o.clock.Now().Add(-time.Hour).Format("2006-01-02T15:04:05Z"), o.clock.Now().Add(time.Hour).Format("2006-01-02T15:04:05Z")
	g := o.do("GET", "/sobjects/Contact/deleted/?start="+start+"&end="+end, "")
	if g.Status != 200 || len(g.at("deletedRecords").([]any)) != 1 {
		t.Errorf("deleted: %d %s, want one contact", g.Status, g.Body)
	}
}

func TestLocksAreMetSoManyTimes(t *testing.T) {
	o := newStory(t)
	id := o.idOf("Account", "Acme")
	o.Lock("Account", id, 2)
	var codes []int
	for range 3 {
		codes = append(codes, o.do("PATCH", "/sobjects/Account/"+id, `{"Phone":"1"}`).Status)
	}
	if diff := cmp.Diff([]int{400, 400, 204}, codes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConditionalRequests(t *testing.T) {
	o := newStory(t)
	id := o.idOf("Account", "Acme")
	g := o.do("GET", "/sobjects/Account/"+id, "")
	tag, modified := g.Header.Get("ETag"), g.Header.Get("Last-Modified")
	for _, c := range []struct {
		name, method, header string
		want                 int
	}{
		{"the client has this state", "GET", "If-None-Match: " + tag, 304},
		{"nothing changed since", "GET", "If-Modified-Since: " + modified, 304},
		{"it changed since", "GET", "If-Modified-Since: " + longAgo.AddDate(-1, 0, 0).Format(http.TimeFormat), 200},
		{"a write with the current tag", "PATCH", "If-Match: " + tag, 204},
		{"a write with the tag of before", "PATCH", "If-Match: " + tag, 412},
		{"a write unless changed, and it was", "PATCH", "If-Unmodified-Since: " + modified, 412},
		{"a write unless changed, and it was not", "PATCH", "If-Unmodified-Since: " + time.Now().Add(time.Minute).UTC().Format(http.TimeFormat), 204},
	} {
		body := ""
		if c.method == "PATCH" {
			body = `{"Phone":"2"}`
		}
		if g := o.do(c.method, "/sobjects/Account/"+id, body, c.header); g.Status != c.want {
			t.Errorf("%s: got %d %s, want %d", c.name, g.Status, g.Body, c.want)
		}
	}
}

func TestPermissionsOfAUser(t *testing.T) {
	o := newStory(t)
	id := o.idOf("Contact", "Ann Li")
	o.SetFieldPermission(IntegrationUsername, "Contact", "Phone", false, false)
	o.SetFieldPermission(IntegrationUsername, "Contact", "Title", true, false)
	o.SetPermission(IntegrationUsername, "Lead", ObjectPermission{Read: true})
	o.SetPermission(IntegrationUsername, "Campaign", ObjectPermission{})
	for _, c := range []struct{ name, method, path, body, code string }{
		{"a hidden field is no column of a query", "GET", "/query?q=SELECT+Phone+FROM+Contact", "", "INVALID_FIELD"},
		{"nor of a filter", "GET", "/query?q=SELECT+Id+FROM+Contact+WHERE+Phone=null", "", "INVALID_FIELD"},
		{"nor of a parent", "GET", "/query?q=SELECT+Contact.Phone+FROM+OpportunityContactRole", "", "INVALID_FIELD"},
		{"it cannot be written", "PATCH", "/sobjects/Contact/" + id, `{"Phone":"1"}`, "INVALID_FIELD"},
		{"a read-only field is read", "GET", "/query?q=SELECT+Title+FROM+Contact", "", ""},
		{"and not written", "PATCH", "/sobjects/Contact/" + id, `{"Title":"1"}`, "INVALID_FIELD_FOR_INSERT_UPDATE"},
		{"an object may be read only", "GET", "/query?q=SELECT+Id+FROM+Lead", "", ""},
		{"and refuses creates", "POST", "/sobjects/Lead", `{"LastName":"x","Company":"y"}`, "INSUFFICIENT_ACCESS_OR_READONLY"},
		{"and updates", "PATCH", "/sobjects/Lead/" + o.idOf("Lead", "Nowak"), `{"Title":"x"}`, "INSUFFICIENT_ACCESS_OR_READONLY"},
		{"an object without any right is not there", "GET", "/query?q=SELECT+Id+FROM+Campaign", "", "INVALID_TYPE"},
		{"nor described", "GET", "/sobjects/Campaign/describe", "", "NOT_FOUND"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if g := o.do(c.method, c.path, c.body); g.str("0.errorCode") != c.code {
				t.Errorf("got %d %s, want %q", g.Status, g.Body, c.code)
			}
		})
	}
	described := o.do("GET", "/sobjects/Contact/describe", "").Body
	if strings.Contains(described, `"name":"Phone"`) || !strings.Contains(described, `"name":"Title"`) {
		t.Error("describe shows the hidden field, or hides the other")
	}
	if strings.Contains(o.do("GET", "/sobjects", "").Body, `"name":"Campaign"`) {
		t.Error("the global describe lists an object without rights")
	}
	if _, ok := o.do("GET", "/sobjects/Contact/"+id, "").JSON.(map[string]any)["Phone"]; ok {
		t.Error("a record shows the hidden field")
	}
	o.token = o.IssueToken(AdministratorUsername)
	if g := o.do("GET", "/query?q=SELECT+Phone+FROM+Contact", ""); g.Status != 200 {
		t.Errorf("another user: %d %s, want 200", g.Status, g.Body)
	}
}
