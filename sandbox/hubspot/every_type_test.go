package hubspot_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// everyType has, for each object type, the least that a create needs, and more.
var everyType = []struct {
	name    string
	least   map[string]string
	more    map[string]string
	search  string // a property to search by
	words   string // a word that free text finds, when there is any
	wantNot map[string]string
}{
	{"contacts", props("email", "a@acme.example"), props("city", "Bern", "hs_lead_status", "NEW"), "city", "acme", props("hs_lead_status", "SOON")},
	{"companies", props("name", "Acme"), props("annualrevenue", "1000.5", "industry", "COMPUTER_SOFTWARE"), "name", "acme", props("annualrevenue", "much")},
	{"deals", props("dealname", "Pumps", "dealstage", "contractsent"), props("amount", "12.5", "closedate", "2026-05-01T00:00:00Z", "hs_priority", "high"), "dealname", "pumps", props("dealstage", "1")},
	{"tickets", props("subject", "Leak", "hs_pipeline_stage", "1"), props("content", "It drips", "hs_ticket_priority", "HIGH", "hs_ticket_category", "PRODUCT_ISSUE;BILLING_ISSUE", "source_type", "PHONE"),
		"subject", "drips", props("hs_ticket_priority", "high")},
	{"products", props("name", "Pump"), props("price", "99.90", "hs_sku", "P-1", "description", "Pumps water", "hs_cost_of_goods_sold", "40"), "hs_sku", "water", props("price", "1,000")},
	{"line_items", map[string]string{}, props("name", "Pump", "quantity", "2", "price", "99.90", "hs_product_id", "1", "hs_discount_percentage", "10"), "name", "", props("quantity", "two")},
	{"notes", props("hs_timestamp", "2026-05-01T10:00:00Z"), props("hs_note_body", "<p>Called <b>Ada</b></p>", "hs_attachment_ids", "1;2"), "hs_note_body", "called", props("hs_timestamp", "soon")},
	{"tasks", props("hs_timestamp", "2026-05-01T10:00:00Z"), props("hs_task_subject", "Call back", "hs_task_body", "About pumps", "hs_task_status", "WAITING", "hs_task_priority", "HIGH", "hs_task_type", "CALL", "hs_task_reminders", "1777629600000"),
		"hs_task_subject", "pumps", props("hs_task_status", "Later")},
	{"calls", props("hs_timestamp", "2026-05-01T10:00:00Z"), props("hs_call_title", "Pumps", "hs_call_body", "Wants two", "hs_call_direction", "INBOUND", "hs_call_duration", "65000", "hs_call_from_number", "+41 44 555 01 01",
		"hs_call_to_number", "+41 44 555 01 02", "hs_call_status", "COMPLETED", "hs_call_disposition", "f240bbac-87c9-4f6e-bf70-924b57d47db7", "hs_call_recording_url", "https://calls.example/1", "hs_activity_type", "Sales"),
		"hs_call_title", "two", props("hs_call_disposition", "Connected")},
	{"meetings", props("hs_timestamp", "2026-05-01T10:00:00Z"), props("hs_meeting_title", "Visit", "hs_meeting_body", "At the plant", "hs_internal_meeting_notes", "Bring boots", "hs_meeting_location", "Bern",
		"hs_meeting_external_url", "https://meet.example/1", "hs_meeting_start_time", "2026-05-01T10:00:00Z", "hs_meeting_end_time", "2026-05-01T11:00:00Z", "hs_meeting_outcome", "NO_SHOW"),
		"hs_meeting_title", "plant", props("hs_meeting_outcome", "FUN")},
	{"emails", props("hs_timestamp", "2026-05-01T10:00:00Z", "hs_email_direction", "INCOMING_EMAIL"), props("hs_email_subject", "Offer", "hs_email_text", "Two pumps", "hs_email_html", "<p>Two pumps</p>", "hs_email_status", "SENT"),
		"hs_email_subject", "offer", props("hs_email_direction", "OUT")},
	{"robot", props("model", "R2"), props("built", "2026-05-01", "arms", "2"), "model", "r2", props("built", "soon")},
}

// peopled is an account with a custom object type and an owner.
func peopled(t *testing.T) (p *portal, owner string) {
	p = open(t)
	p.s.AddSchema(hubspot.Schema{Name: "robot", PrimaryDisplayProperty: "model", RequiredProperties: []string{"model"}, SearchableProperties: []string{"model"},
		AssociatedObjects: []string{"CONTACT", "COMPANY", "DEAL", "TICKET"},
		Properties:        []hubspot.Property{{Name: "model", Label: "Model", Type: "string", FieldType: "text"}, {Name: "built", Label: "Built", Type: "date", FieldType: "date"}, {Name: "arms", Label: "Arms", Type: "number", FieldType: "number"}}})
	return p, p.s.AddOwner(hubspot.Owner{Email: "ann@acme.example"})
}

func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// TestEveryObjectType creates, reads, finds, edits and archives one of each.
func TestEveryObjectType(t *testing.T) {
	for _, test := range everyType {
		for _, base := range []string{"/crm/v3/objects/", "/crm/objects/2026-03/", "/crm/objects/2026-09/"} {
			t.Run(test.name+" by "+base, func(t *testing.T) {
				p, owner := peopled(t)
				path := base + test.name
				all := map[string]string{}
				for _, more := range []map[string]string{test.least, test.more} {
					for name, v := range more {
						all[name] = v
					}
				}
				if test.name != "line_items" { // which have no owner
					all["hubspot_owner_id"] = owner
				}
				if len(test.least) > 0 { // each of the least is needed
					p.must(201, "POST", path, `{"properties":`+asJSON(test.least)+`}`)
					if test.name != "contacts" {
						p.must(400, "POST", path, `{"properties":{}}`)
					}
				}
				for name, v := range test.wantNot {
					a := p.must(400, "POST", path, `{"properties":`+asJSON(with(all, name, v))+`}`)
					if got := a.str("errors", 0, "context", "propertyName", 0); got != name {
						t.Errorf("%s %s is refused with %s", name, v, a.text)
					}
				}
				if test.name == "contacts" {
					all["email"] = "b@acme.example"
				}
				made := p.must(201, "POST", path, `{"properties":`+asJSON(all)+`}`)
				id := made.str("id")
				names := make([]string, 0, len(all))
				for name := range all {
					names = append(names, name)
				}
				read := p.must(200, "GET", path+"/"+id+"?properties="+strings.Join(names, ","), "")
				batch := p.must(200, "POST", path+"/batch/read", `{"inputs":[{"id":"`+id+`"}],"properties":`+asJSON(names)+`}`)
				for name, v := range all {
					if got := read.str("properties", name); got != v {
						t.Errorf("%s was written as %q and is read as %q", name, v, got)
					}
					if got := batch.str("results", 0, "properties", name); got != v {
						t.Errorf("%s was written as %q and is read in a batch as %q", name, v, got)
					}
				}
				find := func(body string) []string {
					return ids(p.must(200, "POST", path+"/search", body).list("results"))
				}
				if got := find(fmt.Sprintf(`{"filters":[{"propertyName":%q,"operator":"EQ","value":%q},{"propertyName":"hs_object_id","operator":"EQ","value":%q}]}`, test.search, all[test.search], id)); !slices.Equal(got, []string{id}) {
					t.Errorf("found by %s: %v", test.search, got)
				}
				if test.words != "" {
					if got := find(`{"query":"` + test.words + `"}`); !slices.Contains(got, id) {
						t.Errorf("found by %q: %v", test.words, got)
					}
				}
				stamp := "hs_lastmodifieddate"
				if test.name == "contacts" {
					stamp = "lastmodifieddate"
				}
				if got := find(`{"filters":[{"propertyName":"` + stamp + `","operator":"GTE","value":"0"}],"sorts":["` + stamp + `"]}`); !slices.Contains(got, id) {
					t.Errorf("found by %s: %v", stamp, got)
				}
				if got := read.str("properties", stamp); got == "" || got != read.str("updatedAt") {
					t.Errorf("%s is %q", stamp, got)
				}
				p.must(200, "PATCH", path+"/"+id, `{"properties":{"`+test.search+`":"Other"}}`)
				history := p.must(200, "GET", path+"/"+id+"?propertiesWithHistory="+test.search, "")
				if n := len(history.list("propertiesWithHistory", test.search)); n != 2 {
					t.Errorf("the history of %s has %d revisions", test.search, n)
				}
				p.must(204, "DELETE", path+"/"+id, "")
				p.must(404, "GET", path+"/"+id, "")
				if got := ids(p.must(200, "GET", path+"?archived=true", "").list("results")); !slices.Equal(got, []string{id}) {
					t.Errorf("archived: %v", got)
				}
			})
		}
	}
}

func with(m map[string]string, name, value string) map[string]string {
	out := map[string]string{name: value}
	for k, v := range m {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// TestWhatACreateNeeds leaves out each of the properties that are needed.
func TestWhatACreateNeeds(t *testing.T) {
	for _, test := range everyType {
		for left := range test.least {
			if test.name == "contacts" {
				continue // any property will do
			}
			t.Run(test.name+" without "+left, func(t *testing.T) {
				p, _ := peopled(t)
				least := with(test.least, left, "")
				delete(least, left)
				a := p.must(400, "POST", "/crm/v3/objects/"+test.name, `{"properties":`+asJSON(least)+`}`)
				if a.str("errors", 0, "code") != "MISSING_REQUIRED_PROPERTY" && len(least) > 0 {
					t.Error(a.text)
				}
			})
		}
	}
	p, _ := peopled(t)
	if got := p.must(201, "POST", "/crm/v3/objects/meetings", `{"properties":{"hs_meeting_start_time":"2026-05-01T10:00:00Z"}}`).str("properties", "hs_timestamp"); got != "2026-05-01T10:00:00Z" {
		t.Errorf("a meeting's time is %q when only its start is given", got)
	}
	p.must(201, "POST", "/crm/v3/objects/companies", `{"properties":{"domain":"acme.example"}}`)
}

// TestEveryDefaultAssociation makes a record of one type with each of HubSpot's
// association types to another one, and reads it from both ends.
func TestEveryDefaultAssociation(t *testing.T) {
	content, err := os.ReadFile("builtin/associations.txt")
	if err != nil {
		t.Fatal(err)
	}
	least := map[string]map[string]string{}
	for _, kind := range everyType {
		least[kind.name] = kind.least
	}
	n := 0
	for line := range strings.Lines(string(content)) {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] == "#" {
			continue
		}
		for _, way := range [][4]string{{f[0], f[1], f[2], f[3]}, {f[1], f[0], f[3], f[2]}} {
			n++
			from, to, id, back := way[0], way[1], way[2], way[3]
			t.Run(from+" to "+to+" by "+id, func(t *testing.T) {
				p, _ := peopled(t)
				far := p.must(201, "POST", "/crm/v3/objects/"+to, `{"properties":`+asJSON(orCity(least[to], "far"))+`}`).str("id")
				near := p.must(201, "POST", "/crm/v3/objects/"+from, `{"properties":`+asJSON(orCity(least[from], "near"))+
					`,"associations":[{"to":{"id":"`+far+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":`+id+`}]}]}`).str("id")
				for _, end := range [][4]string{{from, near, to, id}, {to, far, from, back}} {
					a := p.must(200, "GET", "/crm/v4/objects/"+end[0]+"/"+end[1]+"/associations/"+end[2], "")
					var types []string
					for i := range a.list("results", 0, "associationTypes") {
						types = append(types, strconv.FormatFloat(a.at("results", 0, "associationTypes", i, "typeId").(float64), 'f', -1, 64))
					}
					if !slices.Contains(types, end[3]) {
						t.Errorf("%s to %s: types %v, want %s among them", end[0], end[2], types, end[3])
					}
				}
				batch := p.must(200, "POST", "/crm/associations/2026-03/"+from+"/"+to+"/batch/read", `{"inputs":[{"id":"`+near+`"}]}`)
				if got := batch.at("results", 0, "to", 0, "toObjectId"); got != number(far) {
					t.Errorf("read in a batch: %s", batch.text)
				}
			})
		}
	}
	if n < 70 {
		t.Errorf("only %d association types were tried", n)
	}
}

// orCity gives a contact and what needs nothing a property, each end another e-mail.
func orCity(least map[string]string, end string) map[string]string {
	switch {
	case least["email"] != "":
		return props("email", end+"@acme.example")
	case len(least) == 0:
		return props("name", end)
	}
	return least
}

func TestEmailHeadersFillTheAddresses(t *testing.T) {
	p := open(t)
	headers := `{"from":{"email":"ada@acme.example","firstName":"Ada","lastName":"Fischer"},"to":[{"email":"bob@other.example","firstName":"Bob","lastName":""},{"email":"carl@other.example"}],"cc":[],"bcc":[]}`
	names := "hs_email_from_email,hs_email_from_firstname,hs_email_from_lastname,hs_email_to_email,hs_email_to_firstname,hs_email_to_lastname"
	read := func(headers string) map[string]any {
		id := p.must(201, "POST", "/crm/v3/objects/emails", `{"properties":`+asJSON(props("hs_timestamp", "2026-05-01T10:00:00Z", "hs_email_direction", "EMAIL", "hs_email_headers", headers))+`}`).str("id")
		got := p.must(200, "GET", "/crm/v3/objects/emails/"+id+"?properties="+names, "").at("properties").(map[string]any)
		for name := range got {
			if !strings.Contains(names, name) {
				delete(got, name)
			}
		}
		return got
	}
	want := map[string]any{"hs_email_from_email": "ada@acme.example", "hs_email_from_firstname": "Ada", "hs_email_from_lastname": "Fischer",
		"hs_email_to_email": "bob@other.example;carl@other.example", "hs_email_to_firstname": "Bob", "hs_email_to_lastname": nil}
	if diff := cmp.Diff(want, read(headers)); diff != "" {
		t.Error(diff)
	}
	for name, v := range read("From: Ada") {
		if v != nil {
			t.Errorf("headers that are no JSON give %s %v", name, v)
		}
	}
	p.must(400, "POST", "/crm/v3/objects/emails", `{"properties":{"hs_timestamp":"0","hs_email_direction":"EMAIL","hs_email_from_email":"x@acme.example"}}`)
}
