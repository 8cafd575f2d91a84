package hubspot_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// lived is an account in which everything has happened once.
func lived(t *testing.T) *portal {
	p := open(t)
	owner := p.s.AddOwner(hubspot.Owner{Email: "ann@acme.example", FirstName: "Ann"})
	p.s.AddSchema(hubspot.Schema{Name: "robot", PrimaryDisplayProperty: "model", RequiredProperties: []string{"model"}, AssociatedObjects: []string{"CONTACT"},
		Properties: []hubspot.Property{{Name: "model", Label: "Model", Type: "string", FieldType: "text", HasUniqueValue: true}}})
	if err := p.s.AddProperty("contacts", hubspot.Property{Name: "salesforce_id", Label: "Salesforce", Type: "string", FieldType: "text", HasUniqueValue: true}); err != nil {
		t.Fatal(err)
	}
	renewals := p.s.AddPipeline("deals", hubspot.Pipeline{Label: "Renewals", Stages: []hubspot.Stage{{Label: "Due", Probability: "0.5"}}})
	company := p.insert("companies", "name", "Acme", "domain", "acme.example")
	contact := p.insert("contacts", "email", "a@acme.example", "salesforce_id", "003A", "hubspot_owner_id", owner)
	other := p.insert("contacts", "email", "b@acme.example")
	deal := p.insert("deals", "dealname", "x", "dealstage", renewals.Stages[0].ID)
	robot := p.insert("robot", "model", "R2")
	archived := p.insert("contacts", "email", "c@acme.example")
	label := p.must(200, "POST", "/crm/v4/associations/deals/contacts/labels", `{"name":"decider","label":"Decider","inverseLabel":"Decides"}`)
	p.s.Associate("contacts", contact, "companies", company)
	p.s.Associate("deals", deal, "contacts", contact, int(label.at("results", 0, "typeId").(float64)))
	p.s.Associate("robot", robot, "contacts", contact)
	p.must(200, "PATCH", "/crm/v3/objects/contacts/"+contact, `{"properties":{"city":"Bern"}}`)
	p.must(200, "POST", "/crm/v3/objects/contacts/merge", `{"primaryObjectId":"`+contact+`","objectIdToMerge":"`+other+`"}`)
	p.must(204, "DELETE", "/crm/v3/objects/contacts/"+archived, "")
	p.must(204, "POST", "/crm/v3/objects/contacts/gdpr-delete", `{"objectId":"never@acme.example","idProperty":"email"}`)
	return p
}

// TestStateSurvives asks the same of an account and of one loaded from its state.
func TestStateSurvives(t *testing.T) {
	p := lived(t)
	var saved bytes.Buffer
	if err := p.s.SaveState(&saved); err != nil {
		t.Fatal(err)
	}
	again := openWith(t, hubspot.Config{TenSecondly: -1, SearchSecondly: -1})
	if err := again.s.LoadState(bytes.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	if again.s.Version() == 0 {
		t.Error("loading is no change")
	}
	var contact string
	p.s.Each("contacts", func(id string, _ map[string]string) bool { contact = id; return false })
	for _, path := range []string{
		"/crm/v3/objects/contacts?properties=city,salesforce_id,associatedcompanyid,hs_merged_object_ids&propertiesWithHistory=city&associations=companies,deals,robot",
		"/crm/v3/objects/contacts?archived=true", "/crm/v3/objects/companies?properties=num_associated_contacts", "/crm/v3/objects/deals?properties=dealstage,hs_is_closed",
		"/crm/v3/objects/robot", "/crm/v3/owners", "/crm/v3/pipelines/deals", "/crm/v3/properties/contacts", "/crm/v3/properties/robot/model",
		"/crm-object-schemas/v3/schemas", "/crm/v4/associations/deals/contacts/labels", "/crm/v4/associations/contacts/deals/labels",
		"/crm/v3/objects/contacts/003A?idProperty=salesforce_id", "/crm/v3/objects/contacts/b@acme.example?idProperty=email",
		"/crm/v4/objects/contacts/" + contact + "/associations/deals",
	} {
		want, got := p.must(200, "GET", path, "").text, again.must(200, "GET", path, "").text
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	again.must(409, "POST", "/crm/v3/objects/contacts", `{"properties":{"email":"a@acme.example"}}`)
	again.must(400, "POST", "/crm/v3/objects/contacts", `{"properties":{"email":"never@acme.example"}}`)
	create := func(p *portal) string {
		return p.must(201, "POST", "/crm/v3/objects/contacts", `{"properties":{"city":"Rome"}}`).str("id")
	}
	if a, b := create(p), create(again); a != b {
		t.Errorf("the next id differs: %s and %s", a, b)
	}
}

func TestDamagedStateChangesNothing(t *testing.T) {
	p := lived(t)
	var saved bytes.Buffer
	if err := p.s.SaveState(&saved); err != nil {
		t.Fatal(err)
	}
	for name, state := range map[string][]byte{
		"empty":        nil,
		"other bytes":  []byte("not a state"),
		"cut in half":  saved.Bytes()[:saved.Len()/2],
		"cut by a bit": saved.Bytes()[:saved.Len()-10],
	} {
		t.Run(name, func(t *testing.T) {
			before := p.s.Version()
			if err := p.s.LoadState(bytes.NewReader(state)); err == nil {
				t.Error("no error")
			}
			if p.s.Version() != before || p.s.Count("contacts") != 1 {
				t.Error("the account changed")
			}
		})
	}
}

// reloaded is an account out of another one's state.
func reloaded(t *testing.T, p *portal) *portal {
	t.Helper()
	var saved bytes.Buffer
	if err := p.s.SaveState(&saved); err != nil {
		t.Fatal(err)
	}
	again := openWith(t, hubspot.Config{TenSecondly: -1, SearchSecondly: -1})
	if err := again.s.LoadState(&saved); err != nil {
		t.Fatal(err)
	}
	return again
}
