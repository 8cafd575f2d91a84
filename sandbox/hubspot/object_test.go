package hubspot_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

func TestRecordsHaveTheVendorsShape(t *testing.T) {
	p := open(t)
	at := time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)
	id := p.s.Insert("contacts", props("email", "ada@acme.example", "firstname", "Ada"), at, at.Add(1500*time.Millisecond))
	want := `{"id":"` + id + `","properties":{"createdate":"2026-03-01T08:30:00Z","email":"ada@acme.example","firstname":"Ada","hs_object_id":"` + id +
		`","lastmodifieddate":"2026-03-01T08:30:01.500Z","lastname":null},"createdAt":"2026-03-01T08:30:00Z","updatedAt":"2026-03-01T08:30:01.500Z","archived":false}`
	for _, path := range []string{
		"/crm/v3/objects/contacts/", "/crm/v3/objects/contact/", "/crm/v3/objects/0-1/", "/crm/v3/objects/p" + strconv.FormatInt(p.s.PortalID(), 10) + "_contact/",
		"/crm/objects/2026-03/contacts/", "/crm/objects/2026-09/0-1/",
	} {
		if got := p.must(200, "GET", path+id, "").text; got != want {
			t.Errorf("GET %s:\ngot  %s\nwant %s", path, got, want)
		}
	}
}

func TestListPages(t *testing.T) {
	p := open(t)
	var all []string
	for range 25 {
		all = append(all, p.insert("companies", "name", "Acme"))
	}
	t.Run("any page size joins to all ids in ascending order", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			var got []string
			path := fmt.Sprintf("/crm/v3/objects/companies?limit=%d", rapid.IntRange(1, 100).Draw(rt, "limit"))
			for next := path; next != ""; {
				a := p.must(200, "GET", next, "")
				got = append(got, ids(a.list("results"))...)
				next = ""
				if after := a.str("paging", "next", "after"); after != "" {
					next = path + "&after=" + after
				}
			}
			if diff := cmp.Diff(all, got); diff != "" {
				rt.Fatal(diff)
			}
		})
	})
	t.Run("after is one more than the last id, and the link repeats the query", func(t *testing.T) {
		a := p.must(200, "GET", "/crm/v3/objects/companies?limit=2&properties=name", "")
		last, _ := strconv.ParseInt(all[1], 10, 64)
		after := strconv.FormatInt(last+1, 10)
		want := map[string]any{"next": map[string]any{"after": after,
			"link": "https://api.hubapi.com/crm/v3/objects/companies?after=" + after + "&limit=2&properties=name"}}
		if diff := cmp.Diff(any(want), a.at("paging")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an id in the middle starts there", func(t *testing.T) {
		a := p.must(200, "GET", "/crm/v3/objects/companies?limit=1&after="+all[9], "")
		if got := a.str("results", 0, "id"); got != all[9] {
			t.Errorf("got %s, want %s", got, all[9])
		}
	})
	t.Run("the last page has no paging", func(t *testing.T) {
		if a := p.must(200, "GET", "/crm/v3/objects/companies?limit=25", ""); a.at("paging") != nil {
			t.Error("paging is there")
		}
	})
	for name, path := range map[string]string{
		"a limit over 100 is refused":                      "/crm/v3/objects/companies?limit=101",
		"a limit over 50 is refused when history is asked": "/crm/v3/objects/companies?limit=51&propertiesWithHistory=name",
		"a cursor that is no number is refused":            "/crm/v3/objects/companies?after=x",
		"an unknown object type is refused":                "/crm/v3/objects/rockets",
		"an unknown type of associations is refused":       "/crm/v3/objects/companies?associations=rockets",
	} {
		t.Run(name, func(t *testing.T) {
			if a := p.must(400, "GET", path, ""); a.str("category") != "VALIDATION_ERROR" {
				t.Error(a.text)
			}
		})
	}
}

func TestArrayParametersComeInEveryForm(t *testing.T) {
	p := open(t)
	id := p.insert("contacts", "email", "ada@acme.example", "city", "Bern", "phone", "1")
	for _, query := range []string{"properties=city,phone", "properties=city&properties=phone", "properties=city,no_such&properties=phone"} {
		a := p.must(200, "GET", "/crm/v3/objects/contacts/"+id+"?"+query, "")
		got := a.at("properties").(map[string]any)
		if len(got) != 5 || got["city"] != "Bern" || got["phone"] != "1" {
			t.Errorf("%s: got %v", query, got)
		}
	}
}

func TestCreate(t *testing.T) {
	p := open(t)
	tests := []struct {
		name, object, properties string
		want                     map[string]string
	}{
		{"a contact's e-mail is trimmed and lower-cased", "contacts", `{"email":" Ada@ACME.example "}`, props("email", "ada@acme.example", "hs_email_domain", "acme.example", "lifecyclestage", "lead", "hs_object_source", "INTEGRATION")},
		{"a company's domain becomes a bare host", "companies", `{"domain":"https://www.Acme.example/about"}`, props("domain", "acme.example")},
		{"a deal gets the first pipeline", "deals", `{"dealname":"x","dealstage":"contractsent"}`, props("pipeline", "default", "hs_is_closed", "false", "hs_deal_stage_probability", "0.9")},
		{"a number sent as a number is kept as text", "deals", `{"dealname":"x","dealstage":"closedwon","amount":1500.50}`, props("amount", "1500.50", "hs_closed_amount", "1500.50", "hs_is_closed_won", "true")},
		{"a datetime in milliseconds is kept as ISO", "deals", `{"dealname":"x","dealstage":"closedlost","closedate":1772323200000}`, props("closedate", "2026-03-01T00:00:00Z", "hs_is_closed_lost", "true")},
		{"a ticket gets the first pipeline and its id as ticket id", "tickets", `{"subject":"x","hs_pipeline_stage":"1"}`, props("hs_pipeline", "0", "hs_is_closed", "false")},
		{"a note needs only a time", "notes", `{"hs_timestamp":"2026-03-01T08:00:00Z","hs_note_body":"<p>Hello <b>you</b></p>"}`, props("hs_body_preview", "Hello you")},
		{"a line item's amount follows from price and quantity", "line_items", `{"quantity":"3","price":"9.5","discount":"0.5"}`, props("amount", "27")},
		{"a task that is done is dated", "tasks", `{"hs_timestamp":"2026-03-01T08:00:00Z","hs_task_status":"COMPLETED"}`, props("hs_task_is_completed", "true")},
		{"several options are kept in the order sent", "contacts", `{"email":"b@acme.example","hs_buying_role":"CHAMPION;BLOCKER"}`, props("hs_buying_role", "CHAMPION;BLOCKER")},
		{"a null is ignored", "companies", `{"name":"x","city":null}`, props("name", "x")},
		{"a phone number gets its international form", "contacts", `{"email":"c@acme.example","phone":"(555) 010-0123"}`, props("phone", "(555) 010-0123", "hs_calculated_phone_number", "+15550100123", "hs_searchable_calculated_phone_number", "5550100123")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := p.must(201, "POST", "/crm/v3/objects/"+test.object, `{"properties":`+test.properties+`}`)
			if want := "https://api.hubapi.com/crm/v3/objects/" + test.object + "/" + a.str("id"); a.header.Get("Location") != want {
				t.Errorf("Location: got %s, want %s", a.header.Get("Location"), want)
			}
			got, _ := p.s.Get(test.object, a.str("id"))
			for name, want := range test.want {
				if got[name] != want {
					t.Errorf("%s: got %q, want %q", name, got[name], want)
				}
			}
		})
	}
}

func TestRefusedValues(t *testing.T) {
	p := open(t)
	p.s.AddOwner(hubspot.Owner{ID: "77", Email: "owner@acme.example"})
	if err := p.s.AddProperty("contacts", hubspot.Property{Name: "birthday", Label: "Birthday", Type: "date", FieldType: "date"}); err != nil {
		t.Fatal(err)
	}
	if err := p.s.AddProperty("contacts", hubspot.Property{Name: "vip", Label: "VIP", Type: "bool", FieldType: "booleancheckbox"}); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, object, properties, code string }{
		{"an unknown property", "contacts", `{"no_such":"1"}`, "PROPERTY_DOESNT_EXIST"},
		{"a top-level domain that does not exist", "contacts", `{"email":"a@b.nosuchtld"}`, "INVALID_EMAIL"},
		{"an e-mail without a domain", "contacts", `{"email":"ada"}`, "INVALID_EMAIL"},
		{"a quoted local part", "contacts", `{"email":"\"a b\"@acme.example"}`, "INVALID_EMAIL"},
		{"an option in the wrong case", "contacts", `{"hs_lead_status":"new"}`, "INVALID_OPTION"},
		{"one of several options unknown", "contacts", `{"hs_buying_role":"CHAMPION;BOSS"}`, "INVALID_OPTION"},
		{"a bool said in words", "contacts", `{"vip":"Yes"}`, "INVALID_OPTION"},
		{"a number with commas", "companies", `{"name":"x","annualrevenue":"1,000"}`, "INVALID_INTEGER"},
		{"a date that is no date", "contacts", `{"birthday":"tomorrow"}`, "INVALID_DATE"},
		{"a date that is not midnight", "contacts", `{"birthday":"1726818035320"}`, "INVALID_DATE"},
		{"a datetime that is none", "deals", `{"dealname":"x","dealstage":"closedwon","closedate":"soon"}`, "INVALID_DATE"},
		{"a read-only property", "contacts", `{"hs_object_id":"1"}`, "READ_ONLY_VALUE"},
		{"a calculated property", "deals", `{"dealname":"x","dealstage":"closedwon","hs_is_closed":"true"}`, "READ_ONLY_VALUE"},
		{"an owner's user id", "contacts", `{"hubspot_owner_id":"1000011"}`, "INVALID_OWNER_ID"},
		{"a name with a URL", "contacts", `{"firstname":"win at x.nl"}`, "CONTAINS_URL"},
		{"a name with code", "contacts", `{"lastname":"<script>"}`, "INVALID_ALPHA"},
		{"an empty company domain", "companies", `{"domain":" "}`, "INVALID_DOMAIN"},
		{"a stage of no pipeline", "deals", `{"dealname":"x","dealstage":"open"}`, "INVALID_OPTION"},
		{"a pipeline that is not there", "deals", `{"dealname":"x","dealstage":"closedwon","pipeline":"other"}`, "INVALID_OPTION"},
		{"a deal without a stage", "deals", `{"dealname":"x"}`, "MISSING_REQUIRED_PROPERTY"},
		{"a company without name and domain", "companies", `{"city":"Bern"}`, "MISSING_REQUIRED_PROPERTY"},
		{"a note without a time", "notes", `{"hs_note_body":"x"}`, "MISSING_REQUIRED_PROPERTY"},
		{"an e-mail without a direction", "emails", `{"hs_timestamp":"2026-03-01"}`, "MISSING_REQUIRED_PROPERTY"},
		{"a company reference to nothing", "contacts", `{"associatedcompanyid":"1"}`, "INVALID_LONG"},
		{"text beyond the limit", "contacts", `{"message":"` + strings.Repeat("x", 65_537) + `"}`, "VALUE_TOO_LONG"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := p.must(400, "POST", "/crm/v3/objects/"+test.object, `{"properties":`+test.properties+`}`)
			if got := a.str("errors", 0, "code"); got != test.code || len(a.list("errors")) != 1 {
				t.Errorf("got %s, want %s: %s", got, test.code, a.text)
			}
			if !strings.Contains(a.str("message"), `"error":"`+test.code+`"`) || a.str("category") != "VALIDATION_ERROR" {
				t.Error(a.text)
			}
		})
	}
	t.Run("an owner id is accepted", func(t *testing.T) {
		p.must(201, "POST", "/crm/v3/objects/contacts", `{"properties":{"hubspot_owner_id":"77"}}`)
	})
	t.Run("a 2026-09 path takes a date that is not midnight, and says so", func(t *testing.T) {
		a := p.must(201, "POST", "/crm/objects/2026-09/contacts", `{"properties":{"birthday":"1726818035320","firstname":"Ada"}}`)
		if a.str("properties", "birthday") != "2024-09-20" || a.str("warnings", 0, "category") != "PROPERTY_VALUE_NORMALIZED" {
			t.Error(a.text)
		}
	})
}

func TestEmailIsUnique(t *testing.T) {
	p := open(t)
	ada := p.insert("contacts", "email", "ada@acme.example")
	bob := p.insert("contacts", "email", "bob@acme.example")
	conflict := "Contact already exists. Existing ID: " + ada
	for name, c := range map[string][3]string{
		"on create, in any case": {"POST", "", `{"properties":{"email":"ADA@acme.example"}}`},
		"on update":              {"PATCH", "/" + bob, `{"properties":{"email":"ada@acme.example"}}`},
		"in a batch, which fails whole and names no input": {"POST", "/batch/create", `{"inputs":[{"objectWriteTraceId":"a","properties":{"email":"ada@acme.example"}},{"objectWriteTraceId":"b","properties":{"email":"new@acme.example"}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := p.must(409, c[0], "/crm/v3/objects/contacts"+c[1], c[2])
			if a.str("message") != conflict || a.str("category") != "CONFLICT" {
				t.Error(a.text)
			}
		})
	}
	if n := p.s.Count("contacts"); n != 2 {
		t.Errorf("%d contacts, want 2", n)
	}
	t.Run("twice in one batch", func(t *testing.T) {
		p.must(409, "POST", "/crm/v3/objects/contacts/batch/create", `{"inputs":[{"properties":{"email":"x@acme.example"}},{"properties":{"email":"X@acme.example"}}]}`)
	})
	t.Run("an old address stays with its contact", func(t *testing.T) {
		p.must(200, "PATCH", "/crm/v3/objects/contacts/"+bob, `{"properties":{"email":"robert@acme.example"}}`)
		p.must(409, "POST", "/crm/v3/objects/contacts", `{"properties":{"email":"bob@acme.example"}}`)
		a := p.must(200, "GET", "/crm/v3/objects/contacts/bob%40acme.example?idProperty=email&properties=hs_additional_emails", "")
		if a.str("id") != bob || a.str("properties", "hs_additional_emails") != "bob@acme.example" {
			t.Error(a.text)
		}
	})
	t.Run("an archived contact frees its address", func(t *testing.T) {
		p.must(204, "DELETE", "/crm/v3/objects/contacts/"+ada, "")
		p.must(201, "POST", "/crm/v3/objects/contacts", `{"properties":{"email":"ada@acme.example"}}`)
	})
}

func TestUpdate(t *testing.T) {
	p := open(t)
	t.Run("moves the stamp and keeps who wrote what", func(t *testing.T) {
		id := p.insert("contacts", "email", "a@acme.example", "city", "Bern")
		before, _ := p.s.Get("contacts", id)
		p.must(200, "PATCH", "/crm/v3/objects/contacts/"+id, `{"properties":{"city":"Basel"}}`)
		if err := p.s.Update("contacts", id, props("city", "Biel")); err != nil {
			t.Fatal(err)
		}
		after, _ := p.s.Get("contacts", id)
		if after["lastmodifieddate"] <= before["lastmodifieddate"] {
			t.Errorf("stamp %s, was %s", after["lastmodifieddate"], before["lastmodifieddate"])
		}
		a := p.must(200, "GET", "/crm/v3/objects/contacts/"+id+"?propertiesWithHistory=city", "")
		var got []string
		for _, h := range a.list("propertiesWithHistory", "city") {
			h := h.(map[string]any)
			got = append(got, fmt.Sprint(h["value"], " ", h["sourceType"]))
		}
		if diff := cmp.Diff([]string{"Biel CRM_UI", "Basel INTEGRATION", "Bern CRM_UI"}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("with equal values writes nothing", func(t *testing.T) {
		id := p.insert("companies", "name", "Acme", "city", "Bern")
		before, _ := p.s.Get("companies", id)
		p.must(200, "PATCH", "/crm/v3/objects/companies/"+id, `{"properties":{"city":"Bern"}}`)
		after, _ := p.s.Get("companies", id)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("with an empty string clears", func(t *testing.T) {
		id := p.insert("companies", "name", "Acme", "city", "Bern")
		a := p.must(200, "PATCH", "/crm/v3/objects/companies/"+id, `{"properties":{"city":""}}`)
		if v, there := a.at("properties").(map[string]any)["city"]; !there || v != nil {
			t.Error(a.text)
		}
	})
	t.Run("moves the lifecycle stage forward only, without an error", func(t *testing.T) {
		id := p.insert("contacts", "lifecyclestage", "customer")
		a := p.must(200, "PATCH", "/crm/v3/objects/contacts/"+id, `{"properties":{"lifecyclestage":"lead"}}`)
		if got := a.str("properties", "lifecyclestage"); got != "customer" {
			t.Errorf("got %s", got)
		}
		p.must(200, "PATCH", "/crm/v3/objects/contacts/"+id, `{"properties":{"lifecyclestage":""}}`)
		a = p.must(200, "PATCH", "/crm/v3/objects/contacts/"+id, `{"properties":{"lifecyclestage":"lead"}}`)
		if got := a.str("properties", "lifecyclestage"); got != "lead" {
			t.Errorf("after clearing: got %s", got)
		}
	})
	t.Run("adds to several options with a leading semicolon", func(t *testing.T) {
		id := p.insert("contacts", "hs_buying_role", "CHAMPION")
		a := p.must(200, "PATCH", "/crm/v3/objects/contacts/"+id, `{"properties":{"hs_buying_role":";BLOCKER"}}`)
		if got := a.str("properties", "hs_buying_role"); got != "CHAMPION;BLOCKER" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("that closes a deal dates it, and moves its company's stamp", func(t *testing.T) {
		company := p.insert("companies", "name", "Acme")
		deal := p.insert("deals", "dealname", "x", "dealstage", "contractsent", "amount", "100")
		p.s.Associate("deals", deal, "companies", company)
		before, _ := p.s.Get("companies", company)
		p.must(200, "PATCH", "/crm/v3/objects/deals/"+deal, `{"properties":{"dealstage":"closedwon"}}`)
		got, _ := p.s.Get("deals", deal)
		if got["closedate"] == "" || got["hs_closed_won_date"] == "" {
			t.Error(got)
		}
		after, _ := p.s.Get("companies", company)
		if after["total_revenue"] != "100" || after["hs_num_open_deals"] != "0" || after["hs_lastmodifieddate"] <= before["hs_lastmodifieddate"] {
			t.Error(after)
		}
	})
	t.Run("of a deal's creation date is allowed", func(t *testing.T) {
		deal := p.insert("deals", "dealname", "x", "dealstage", "contractsent")
		p.must(200, "PATCH", "/crm/v3/objects/deals/"+deal, `{"properties":{"createdate":"2020-05-01T00:00:00Z"}}`)
		got, _ := p.s.Get("deals", deal)
		if got["createdate"] != "2020-05-01T00:00:00Z" || got["hs_createdate"] == got["createdate"] {
			t.Error(got)
		}
	})
	t.Run("needs the stage to fit the pipeline that it moves to", func(t *testing.T) {
		renewals := p.s.AddPipeline("deals", hubspot.Pipeline{Label: "Renewals", Stages: []hubspot.Stage{{Label: "Due", Probability: "0.5"}}})
		deal := p.insert("deals", "dealname", "x", "dealstage", "contractsent", "pipeline", "default")
		p.must(400, "PATCH", "/crm/v3/objects/deals/"+deal, `{"properties":{"pipeline":"`+renewals.ID+`"}}`)
		p.must(400, "PATCH", "/crm/v3/objects/deals/"+deal, `{"properties":{"dealstage":"`+renewals.Stages[0].ID+`"}}`)
		p.must(200, "PATCH", "/crm/v3/objects/deals/"+deal, `{"properties":{"pipeline":"`+renewals.ID+`","dealstage":"`+renewals.Stages[0].ID+`"}}`)
	})
}

func TestArchive(t *testing.T) {
	p := open(t)
	id := p.insert("companies", "name", "Acme")
	kept := p.insert("companies", "name", "Other")
	p.must(204, "DELETE", "/crm/v3/objects/companies/"+id, "")
	p.must(204, "DELETE", "/crm/v3/objects/companies/"+id, "")
	p.must(404, "DELETE", "/crm/v3/objects/companies/4711", "")
	p.must(404, "GET", "/crm/v3/objects/companies/"+id, "")
	p.must(404, "GET", "/crm/v3/objects/companies/"+kept+"?archived=true", "")
	if a := p.must(200, "GET", "/crm/v3/objects/companies?archived=true", ""); !slices.Equal(ids(a.list("results")), []string{id}) || a.str("results", 0, "archivedAt") == "" {
		t.Error(a.text)
	}
	if a := p.must(200, "GET", "/crm/v3/objects/companies", ""); !slices.Equal(ids(a.list("results")), []string{kept}) {
		t.Error(a.text)
	}
	if err := p.s.Restore("companies", id); err != nil {
		t.Fatal(err)
	}
	p.must(200, "GET", "/crm/v3/objects/companies/"+id, "")
}

func TestMerge(t *testing.T) {
	p := open(t)
	company := p.insert("companies", "name", "Acme")
	first := p.insert("contacts", "email", "a@acme.example", "city", "Bern")
	second := p.insert("contacts", "email", "b@acme.example", "city", "Basel", "zip", "4001")
	p.s.Associate("contacts", second, "companies", company)
	a := p.must(200, "POST", "/crm/v3/objects/contacts/merge", `{"primaryObjectId":"`+first+`","objectIdToMerge":"`+second+`"}`)
	id := a.str("id")
	got, _ := p.s.Get("contacts", id)
	want := props("city", "Bern", "zip", "4001", "email", "a@acme.example", "hs_additional_emails", "b@acme.example",
		"hs_merged_object_ids", first+";"+second, "associatedcompanyid", company)
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s: got %q, want %q", name, got[name], v)
		}
	}
	for _, old := range []string{first, second} {
		if got := p.must(200, "GET", "/crm/v3/objects/contacts/"+old, "").str("id"); got != id {
			t.Errorf("GET %s: got %s, want %s", old, got, id)
		}
		if got := p.must(200, "PATCH", "/crm/v3/objects/contacts/"+old, `{"properties":{"fax":"`+old+`"}}`).str("id"); got != id {
			t.Errorf("PATCH %s: got %s, want %s", old, got, id)
		}
		if a := p.must(207, "POST", "/crm/v3/objects/contacts/batch/update", `{"inputs":[{"id":"`+old+`","properties":{"fax":"1"}}]}`); a.at("numErrors") != 1.0 {
			t.Error(a.text)
		}
	}
	if got := p.s.Associations("companies", company, "contacts"); !slices.Equal(got, []string{id}) {
		t.Errorf("the company's contacts: %v", got)
	}
	p.must(400, "POST", "/crm/v3/objects/contacts/merge", `{"primaryObjectId":"`+id+`","objectIdToMerge":"`+first+`"}`)
}

func TestErase(t *testing.T) {
	p := open(t)
	id := p.insert("contacts", "email", "a@acme.example")
	p.must(204, "POST", "/crm/v3/objects/contacts/gdpr-delete", `{"objectId":"a@acme.example","idProperty":"email"}`)
	p.must(404, "GET", "/crm/v3/objects/contacts/"+id+"?archived=true", "")
	p.must(204, "POST", "/crm/v3/objects/contacts/gdpr-delete", `{"objectId":"never@acme.example","idProperty":"email"}`)
	p.must(400, "POST", "/crm/v3/objects/contacts", `{"properties":{"email":"never@acme.example"}}`)
	p.must(400, "POST", "/crm/v3/objects/companies/gdpr-delete", `{"objectId":"1"}`)
}

func TestNotFound(t *testing.T) {
	p := open(t)
	tests := []struct {
		name, path string
		status     int
		message    string
		category   string
	}{
		{"an id that is not there has no category", "/crm/v3/objects/contacts/4711", 404, "resource not found", ""},
		{"an id that is no number says so", "/crm/v3/objects/contacts/ada", 404, "Object not found.  objectId are usually numeric.", "OBJECT_NOT_FOUND"},
		{"an unknown path", "/crm/v3/nothing", 404, "resource not found", ""},
		{"an unknown version", "/crm/objects/2024-01/contacts", 404, "resource not found", ""},
		{"a dated list on a v4 path", "/crm/v4/objects/contacts", 404, "resource not found", ""},
		{"an unknown property", "/crm/v3/properties/contacts/nope", 404, `Property "nope" does not exist`, "OBJECT_NOT_FOUND"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := p.must(test.status, "GET", test.path, "")
			if a.str("message") != test.message || a.str("category") != test.category || a.str("status") != "error" {
				t.Error(a.text)
			}
		})
	}
	if a := p.must(405, "PUT", "/crm/v3/objects/contacts", `{}`); a.header.Get("Allow") != "GET, POST" {
		t.Error(a.header)
	}
	p.must(414, "GET", "/crm/v3/objects/contacts?properties="+strings.Repeat("x", 16_300), "")
}

func TestInvalidJSONNamesThePlace(t *testing.T) {
	p := open(t)
	a := p.must(400, "POST", "/crm/v3/objects/contacts", "{\n  \"properties\": oops}")
	if !strings.HasPrefix(a.str("message"), "Invalid input JSON on line 2, column 17: ") {
		t.Error(a.text)
	}
}
