package hubspot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// meanings lists "typeId:label" of one association of a v4 answer.
func meanings(a answer, path ...any) []string {
	out := []string{}
	for _, v := range a.list(append(path, "associationTypes")...) {
		m := v.(map[string]any)
		label := "-"
		if m["label"] != nil {
			label = m["label"].(string)
		}
		out = append(out, fmt.Sprintf("%v:%s", m["typeId"], label))
	}
	return out
}

func TestFirstCompanyIsPrimary(t *testing.T) {
	p := open(t)
	contact := p.insert("contacts", "email", "a@acme.example")
	first, second := p.insert("companies", "name", "First"), p.insert("companies", "name", "Second")
	before, _ := p.s.Get("contacts", contact)
	p.must(200, "PUT", "/crm/v4/objects/contacts/"+contact+"/associations/default/companies/"+first, "")
	p.must(200, "PUT", "/crm/v4/objects/contacts/"+contact+"/associations/default/companies/"+second, "")
	check := func(primary string, want map[string][]string) {
		t.Helper()
		a := p.must(200, "GET", "/crm/v4/objects/contacts/"+contact+"/associations/companies", "")
		got := map[string][]string{}
		for i := range a.list("results") {
			got[fmt.Sprintf("%.0f", a.at("results", i, "toObjectId"))] = meanings(a, "results", i)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		values, _ := p.s.Get("contacts", contact)
		if values["associatedcompanyid"] != primary {
			t.Errorf("associatedcompanyid is %q, want %q", values["associatedcompanyid"], primary)
		}
	}
	check(first, map[string][]string{first: {"1:Primary", "279:-"}, second: {"279:-"}})
	t.Run("associating moves no stamp", func(t *testing.T) {
		after, _ := p.s.Get("contacts", contact)
		if before["lastmodifieddate"] != after["lastmodifieddate"] {
			t.Error("it moved")
		}
	})
	t.Run("another can be made primary", func(t *testing.T) {
		a := p.must(201, "PUT", "/crm/v4/objects/contacts/"+contact+"/associations/companies/"+second, `[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":1}]`)
		if !cmp.Equal(a.list("labels"), []any{"Primary"}) {
			t.Error(a.text)
		}
		check(second, map[string][]string{first: {"279:-"}, second: {"1:Primary", "279:-"}})
	})
	t.Run("by writing associatedcompanyid, too", func(t *testing.T) {
		p.must(200, "PATCH", "/crm/v3/objects/contacts/"+contact, `{"properties":{"associatedcompanyid":"`+first+`"}}`)
		check(first, map[string][]string{first: {"1:Primary", "279:-"}, second: {"279:-"}})
	})
	t.Run("clearing it ends that association", func(t *testing.T) {
		p.must(200, "PATCH", "/crm/v3/objects/contacts/"+contact, `{"properties":{"associatedcompanyid":""}}`)
		check("", map[string][]string{second: {"279:-"}})
	})
	t.Run("the company sees the other direction", func(t *testing.T) {
		a := p.must(200, "GET", "/crm/v4/objects/companies/"+second+"/associations/contacts", "")
		if diff := cmp.Diff([]string{"280:-"}, meanings(a, "results", 0)); diff != "" {
			t.Error(diff)
		}
		if got, _ := p.s.Get("companies", second); got["num_associated_contacts"] != "1" {
			t.Error(got["num_associated_contacts"])
		}
	})
	t.Run("deleting takes all types away", func(t *testing.T) {
		p.must(204, "DELETE", "/crm/v4/objects/contacts/"+contact+"/associations/companies/"+second, "")
		check("", map[string][]string{})
	})
	t.Run("archiving a company ends its associations", func(t *testing.T) {
		p.s.Associate("contacts", contact, "companies", first)
		p.must(204, "DELETE", "/crm/v3/objects/companies/"+first, "")
		check("", map[string][]string{})
	})
}

func TestParentCompanyIsAnAssociation(t *testing.T) {
	p := open(t)
	parent, child := p.insert("companies", "name", "Parent"), p.insert("companies", "name", "Child")
	p.must(200, "PATCH", "/crm/v3/objects/companies/"+child, `{"properties":{"hs_parent_company_id":"`+parent+`"}}`)
	if got, _ := p.s.Get("companies", parent); got["hs_num_child_companies"] != "1" {
		t.Error(got["hs_num_child_companies"])
	}
	a := p.must(200, "GET", "/crm/v4/objects/companies/"+parent+"/associations/companies", "")
	if diff := cmp.Diff([]string{"13:Child Company", "450:-"}, meanings(a, "results", 0)); diff != "" {
		t.Error(diff)
	}
}

func TestLabels(t *testing.T) {
	p := open(t)
	contact := p.insert("contacts", "email", "a@acme.example")
	deal := p.insert("deals", "dealname", "x", "dealstage", "contractsent")
	for _, path := range []string{"/crm/v4/associations/deals/contacts/labels", "/crm/associations/v4/deals/contacts/labels", "/crm/associations/2026-03/deals/contacts/labels"} {
		if a := p.must(200, "GET", path, ""); a.at("results", 0, "typeId") != 3.0 {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	a := p.must(200, "POST", "/crm/v4/associations/deals/contacts/labels", `{"name":"decider","label":"Decider","inverseLabel":"Decides"}`)
	there, back := a.at("results", 0, "typeId"), a.at("results", 1, "typeId")
	p.must(409, "POST", "/crm/v4/associations/deals/contacts/labels", `{"name":"decider","label":"Decider"}`)
	p.must(201, "PUT", "/crm/v4/objects/deals/"+deal+"/associations/contacts/"+contact, fmt.Sprintf(`[{"associationCategory":"USER_DEFINED","associationTypeId":%.0f}]`, there))
	if a := p.must(200, "GET", "/crm/v4/objects/deals/"+deal+"/associations/contacts", ""); !slices.Equal(meanings(a, "results", 0), []string{fmt.Sprintf("%.0f:Decider", there), "3:-"}) {
		t.Error(a.text)
	}
	if a := p.must(200, "GET", "/crm/objects/2026-09/contacts/"+contact+"/associations/deals", ""); !slices.Equal(meanings(a, "results", 0), []string{fmt.Sprintf("%.0f:Decides", back), "4:-"}) {
		t.Error(a.text)
	}
	p.must(204, "PUT", "/crm/v4/associations/deals/contacts/labels", fmt.Sprintf(`{"associationTypeId":%.0f,"label":"Buyer"}`, there))
	p.must(204, "POST", "/crm/v4/associations/deals/contacts/batch/labels/archive", fmt.Sprintf(`{"inputs":[{"from":{"id":"%s"},"to":{"id":"%s"},"types":[{"associationCategory":"USER_DEFINED","associationTypeId":%.0f}]}]}`, deal, contact, there))
	if a := p.must(200, "GET", "/crm/v4/objects/deals/"+deal+"/associations/contacts", ""); !slices.Equal(meanings(a, "results", 0), []string{"3:-"}) {
		t.Error(a.text)
	}
	p.must(204, "DELETE", fmt.Sprintf("/crm/v4/associations/deals/contacts/labels/%.0f", there), "")
	if a := p.must(200, "GET", "/crm/v4/associations/deals/contacts/labels", ""); len(a.list("results")) != 1 {
		t.Error(a.text)
	}
	t.Run("ten and no more", func(t *testing.T) {
		for i := range 10 {
			p.must(200, "POST", "/crm/v4/associations/deals/contacts/labels", fmt.Sprintf(`{"label":"Label %d"}`, i))
		}
		p.must(400, "POST", "/crm/v4/associations/deals/contacts/labels", `{"label":"One more"}`)
	})
}

func TestAssociationBatches(t *testing.T) {
	p := open(t)
	a1, a2, lonely := p.insert("contacts", "email", "1@acme.example"), p.insert("contacts", "email", "2@acme.example"), p.insert("contacts", "email", "3@acme.example")
	company := p.insert("companies", "name", "Acme")
	a := p.must(201, "POST", "/crm/v4/associations/contacts/companies/batch/create",
		`{"inputs":[{"from":{"id":"`+a1+`"},"to":{"id":"`+company+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}]}]}`)
	if a.str("results", 0, "fromObjectTypeId") != "0-1" || fmt.Sprintf("%.0f", a.at("results", 0, "toObjectId")) != company {
		t.Error(a.text)
	}
	a = p.must(207, "POST", "/crm/associations/2026-03/contacts/companies/batch/associate/default",
		`{"inputs":[{"from":{"id":"`+a2+`"},"to":{"id":"`+company+`"}},{"from":{"id":"`+a2+`"},"to":{"id":"157001"}}]}`)
	if a.at("results", 0, "associationSpec", "associationTypeId") != 279.0 || a.at("results", 1, "associationSpec", "associationTypeId") != 280.0 ||
		a.str("errors", 0, "message") != "No company with ID 157001 exists" || a.str("errors", 0, "subCategory") != "crm.associations.TO_OBJECT_NOT_FOUND" {
		t.Error(a.text)
	}
	a = p.must(207, "POST", "/crm/v4/associations/contacts/companies/batch/read", `{"inputs":[{"id":"`+a1+`"},{"id":"`+lonely+`"}]}`)
	if a.str("results", 0, "from", "id") != a1 || !slices.Equal(meanings(a, "results", 0, "to", 0), []string{"1:Primary", "279:-"}) ||
		a.str("errors", 0, "message") != "No company is associated with contact "+lonely+"." || a.str("errors", 0, "context", "fromObjectId", 0) != lonely {
		t.Error(a.text)
	}
	p.must(204, "POST", "/crm/v4/associations/contacts/companies/batch/archive", `{"inputs":[{"from":{"id":"`+a1+`"},"to":[{"id":"`+company+`"}]}]}`)
	if got := p.s.Associations("companies", company, "contacts"); !slices.Equal(got, []string{a2}) {
		t.Error(got)
	}
	t.Run("a type of another pair is refused, and nothing written", func(t *testing.T) {
		a := p.must(400, "POST", "/crm/v4/associations/companies/contacts/batch/create",
			`{"inputs":[{"from":{"id":"`+company+`"},"to":{"id":"`+lonely+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":280}]},{"from":{"id":"`+company+`"},"to":{"id":"`+lonely+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}]}]}`)
		if a.str("message") != "invalid from object type 0-2 for associations to be created. expected: 0-1" {
			t.Error(a.text)
		}
		if got := p.s.Associations("contacts", lonely, "companies"); len(got) != 0 {
			t.Error(got)
		}
	})
}

func TestAssociationsOfVersion3(t *testing.T) {
	p := open(t)
	contact, company := p.insert("contacts", "email", "a@acme.example"), p.insert("companies", "name", "Acme")
	p.must(201, "POST", "/crm/v3/associations/contacts/companies/batch/create", `{"inputs":[{"from":{"id":"`+contact+`"},"to":{"id":"`+company+`"},"type":"contact_to_company"}]}`)
	want := []any{map[string]any{"id": company, "type": "contact_to_company"}, map[string]any{"id": company, "type": "contact_to_company_unlabeled"}}
	if a := p.must(200, "GET", "/crm/v3/objects/contacts/"+contact+"/associations/companies", ""); !cmp.Equal(a.list("results"), want) {
		t.Error(a.text)
	}
	if a := p.must(200, "POST", "/crm/v3/associations/contacts/companies/batch/read", `{"inputs":[{"id":"`+contact+`"}]}`); !cmp.Equal(a.list("results", 0, "to"), want) {
		t.Error(a.text)
	}
	if a := p.must(400, "PUT", "/crm/v3/objects/contacts/"+contact+"/associations/companies/"+company+"/nonsense", ""); a.str("subCategory") != "crm.associations.INVALID_ASSOCIATION_TYPE" {
		t.Error(a.text)
	}
	p.must(204, "DELETE", "/crm/v3/objects/contacts/"+contact+"/associations/companies/"+company+"/279", "")
	a := p.must(200, "PUT", "/crm/v3/objects/contacts/"+contact+"/associations/companies/"+company+"/279", "")
	if a.str("id") != contact || a.str("associations", "companies", "results", 0, "id") != company {
		t.Error(a.text)
	}
	p.must(204, "POST", "/crm/v3/associations/contacts/companies/batch/archive", `{"inputs":[{"from":{"id":"`+contact+`"},"to":{"id":"`+company+`"},"type":"contact_to_company_unlabeled"}]}`)
	if got := p.s.Associations("contacts", contact, "companies"); len(got) != 0 {
		t.Error(got)
	}
	if a := p.must(200, "GET", "/crm/v3/associations/contacts/companies/types", ""); !strings.Contains(a.text, `{"id":"1","name":"contact_to_company"}`) {
		t.Error(a.text)
	}
}

func TestAssociationsArePaged(t *testing.T) {
	p := open(t)
	company := p.insert("companies", "name", "Acme")
	var contacts []string
	for range 120 {
		id := p.insert("contacts", "city", "Bern")
		p.s.Associate("contacts", id, "companies", company)
		contacts = append(contacts, id)
	}
	t.Run("any page size joins to all", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			path := fmt.Sprintf("/crm/v4/objects/companies/%s/associations/contacts?limit=%d", company, rapid.IntRange(7, 500).Draw(rt, "limit"))
			var got []string
			for next := path; next != ""; {
				a := p.must(200, "GET", next, "")
				for i := range a.list("results") {
					got = append(got, fmt.Sprintf("%.0f", a.at("results", i, "toObjectId")))
				}
				next = ""
				if after := a.str("paging", "next", "after"); after != "" {
					next = path + "&after=" + after
				}
			}
			if diff := cmp.Diff(contacts, got); diff != "" {
				rt.Fatal(diff)
			}
		})
	})
	t.Run("inside a record at a hundred", func(t *testing.T) {
		a := p.must(200, "GET", "/crm/v3/objects/companies/"+company+"?associations=contacts", "")
		if n := len(a.list("associations", "contacts", "results")); n != 200 { // each with two types
			t.Errorf("got %d", n)
		}
		if !strings.HasPrefix(a.str("associations", "contacts", "paging", "next", "link"), "https://api.hubapi.com/crm/v3/objects/0-2/"+company+"/associations/0-1?portalId=") {
			t.Error(a.at("associations", "contacts", "paging"))
		}
	})
	if a := p.must(400, "GET", "/crm/v4/objects/companies/"+company+"/associations/contacts?limit=501", ""); a.str("message") != "You can only request at most 500 associations at once." {
		t.Error(a.text)
	}
}

func TestCreateWithAssociations(t *testing.T) {
	p := open(t)
	company := p.insert("companies", "name", "Acme")
	a := p.must(201, "POST", "/crm/v3/objects/deals", `{"properties":{"dealname":"x","dealstage":"contractsent"},"associations":[{"to":{"id":"`+company+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":341}]}]}`)
	if got, _ := p.s.Get("deals", a.str("id")); got["hs_primary_associated_company"] != company {
		t.Error(got)
	}
	a = p.must(400, "POST", "/crm/v3/objects/deals", `{"properties":{"dealname":"x","dealstage":"contractsent"},"associations":[{"to":{"id":"4711"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":341}]}]}`)
	if a.str("message") != "One or more associations are invalid" || a.str("context", "INVALID_OBJECT_IDS", 0) != "4711" {
		t.Error(a.text)
	}
	if n := p.s.Count("deals"); n != 1 {
		t.Errorf("%d deals, want 1", n)
	}
}

func TestActivitiesMoveTheStampOfWhatTheyAreLoggedOn(t *testing.T) {
	p := open(t)
	contact := p.insert("contacts", "email", "a@acme.example")
	before, _ := p.s.Get("contacts", contact)
	p.must(201, "POST", "/crm/v3/objects/calls", `{"properties":{"hs_timestamp":"2026-03-01T08:00:00Z","hs_call_title":"Hello"},"associations":[{"to":{"id":"`+contact+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":194}]}]}`)
	after, _ := p.s.Get("contacts", contact)
	if after["lastmodifieddate"] <= before["lastmodifieddate"] || after["notes_last_contacted"] != "2026-03-01T08:00:00Z" || after["num_notes"] != "1" || after["hs_is_unworked"] != "false" {
		t.Error(after)
	}
}
