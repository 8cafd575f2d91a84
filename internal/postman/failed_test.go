package postman_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/postman"
)

func failedCalls() []postman.FailedCall {
	at := time.Date(2026, 11, 23, 14, 5, 6, 0, time.UTC)
	text := func(name, value string) crm.FieldValue { return crm.FieldValue{Name: name, Value: crm.Text(value)} }
	return []postman.FailedCall{
		{Mapping: "people", Op: crm.Create, Record: crm.Ref{Side: crm.Salesforce, Object: "Contact"}, Cause: "DUPLICATES_DETECTED", RequestID: "4f2a", Time: at,
			Fields: []crm.FieldValue{text("LastName", "O\"Brien"), text("Score__c", "12.5"), text("Newsletter__c", "true"), {Name: "Phone", Value: crm.Value{State: crm.Blank}}}},
		{Mapping: "people", Op: crm.Update, Record: crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "10400012"}, Cause: "INVALID_EMAIL", Time: at,
			Fields: []crm.FieldValue{text("email", "ana@nowhere"), text("phone", "")}},
		{Mapping: "people", Op: crm.Archive, Record: crm.Ref{Side: crm.Salesforce, Object: "Lead", ID: "00QLs00000000GBIAY"}, Time: at},
		{Mapping: "people", Op: crm.Relate, Record: crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "1"}, Cause: "NOT_FOUND", Time: at,
			Fields: []crm.FieldValue{text("", "2")}},
		{Mapping: "deals", Op: crm.Relate, Record: crm.Ref{Side: crm.Salesforce, Object: "Opportunity", ID: "006Ls00000000GBIAY"}, Cause: "UNABLE_TO_LOCK_ROW", Time: at,
			Fields: []crm.FieldValue{text("ContactId", "003Ls00000000GBIAY")}},
	}
}

func TestAFailedCallIsOneRequest(t *testing.T) {
	collection, environment := postman.ExportFailed(bind(t, everything), 12, failedCalls(), postman.Options{Name: "acme"})
	type call struct{ Name, Method, URL, Body string }
	var got []call
	for _, item := range collection.Requests() {
		c := call{item.Name, item.Request.Method, item.Request.URL.Raw, ""}
		if item.Request.Body != nil {
			c.Body = item.Request.Body.Raw
		}
		got = append(got, c)
	}
	want := []call{
		{"1 Create Contact", "POST", "{{instance_url}}/services/data/v60.0/sobjects/Contact", "{\n  \"LastName\": \"O\\\"Brien\",\n  \"Score__c\": 12.5,\n  \"Newsletter__c\": true,\n  \"Phone\": null\n}"},
		{"2 Update contacts 10400012", "PATCH", "{{hubspot_url}}/crm/objects/{{hubspot_version}}/contacts/10400012", "{\n  \"properties\": {\n    \"email\": \"ana@nowhere\",\n    \"phone\": \"\"\n  }\n}"},
		{"3 Archive Lead 00QLs00000000GBIAY", "DELETE", "{{instance_url}}/services/data/v60.0/sobjects/Lead/00QLs00000000GBIAY", ""},
		{"4 Relate contacts 1", "PUT", "{{hubspot_url}}/crm/objects/{{hubspot_version}}/contacts/1/associations/default/companies/2", ""},
		{"5 Relate Opportunity 006Ls00000000GBIAY", "POST", "{{instance_url}}/services/data/v60.0/sobjects/OpportunityContactRole", "{\n  \"OpportunityId\": \"006Ls00000000GBIAY\",\n  \"ContactId\": \"003Ls00000000GBIAY\"\n}"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	first := collection.Requests()[0].Request.Description
	for _, part := range []string{"refused with DUPLICATES_DETECTED", "Salesforce calls it 4f2a", "upsert by HubSpot_Id__c", "2026-11-23 14:05:06 UTC"} {
		if !strings.Contains(first, part) {
			t.Errorf("the description does not say %q:\n%s", part, first)
		}
	}
	if d := collection.Requests()[2].Request.Description; !strings.Contains(d, "No answer came") {
		t.Errorf("a write without an answer is described as\n%s", d)
	}
	if len(environment.Secrets()) != 0 {
		t.Error("the environment holds a secret")
	}
	if !strings.Contains(collection.Info.Description, "not the headers, and not the other records") {
		t.Error("it is not said what the journal does not keep")
	}
}

// TestAFailedRelationTouchesNothingButItself: a row is sent by its own id, never
// as the record that it belongs to, and a label without its association.
func TestAFailedRelationTouchesNothingButItself(t *testing.T) {
	deal, role := crm.Ref{Side: crm.Salesforce, Object: "Opportunity", ID: "006Ls00000000GBIAY"}, crm.Relation{Object: "Contact", ID: "003Ls00000000GBIAY", Label: "Evaluator", Junction: "OpportunityContactRole"}
	row := role
	row.RowID = "00KLs00000000GBIAY"
	contact := crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "1"}
	for name, test := range map[string]struct {
		call postman.FailedCall
		want []string
	}{
		"a row that could not be added":                 {postman.FailedCall{Op: crm.Relate, Record: deal, Relation: &role}, []string{"POST", "{{instance_url}}/services/data/v60.0/sobjects/OpportunityContactRole", `"Role": "Evaluator"`}},
		"a row that could not be removed":               {postman.FailedCall{Op: crm.Unrelate, Record: deal, Relation: &row}, []string{"DELETE", "{{instance_url}}/services/data/v60.0/sobjects/OpportunityContactRole/00KLs00000000GBIAY", ""}},
		"a row whose id is not known":                   {postman.FailedCall{Op: crm.Unrelate, Record: deal}, []string{"DELETE", "{{instance_url}}/services/data/v60.0/sobjects/OpportunityContactRole/{{row_id}}", ""}},
		"a role that could not be changed":              {postman.FailedCall{Op: crm.Relate, Relabel: true, Record: deal, Relation: &row}, []string{"PATCH", "{{instance_url}}/services/data/v60.0/sobjects/OpportunityContactRole/00KLs00000000GBIAY", `"Role": "Evaluator"`}},
		"an association that could not be removed":      {postman.FailedCall{Op: crm.Unrelate, Record: contact, Relation: &crm.Relation{Object: "companies", ID: "2"}}, []string{"DELETE", "{{hubspot_url}}/crm/objects/{{hubspot_version}}/contacts/1/associations/companies/2", ""}},
		"a label that could not be taken off":           {postman.FailedCall{Op: crm.Unrelate, Relabel: true, Record: contact, Relation: &crm.Relation{Object: "companies", ID: "2", Label: "Advisor"}}, []string{"POST", "{{hubspot_url}}/crm/associations/{{hubspot_version}}/contacts/companies/batch/labels/archive", "{{association_type_id}}"}},
		"a labelled association that could not be made": {postman.FailedCall{Op: crm.Relate, Record: contact, Relation: &crm.Relation{Object: "companies", ID: "2", Label: "Advisor"}}, []string{"PUT", "{{hubspot_url}}/crm/objects/{{hubspot_version}}/contacts/1/associations/companies/2", "{{association_type_id}}"}},
	} {
		t.Run(name, func(t *testing.T) {
			collection, _ := postman.ExportFailed(bind(t, everything), 12, []postman.FailedCall{test.call}, postman.Options{Name: "acme"})
			r := collection.Requests()[0].Request
			body := ""
			if r.Body != nil {
				body = r.Body.Raw
			}
			if r.Method != test.want[0] || r.URL.Raw != test.want[1] || !strings.Contains(body, test.want[2]) || body != "" && test.want[2] == "" {
				t.Errorf("%s %s\n%s\nwant %v", r.Method, r.URL.Raw, body, test.want)
			}
		})
	}
}
