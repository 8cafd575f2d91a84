package hubspot_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// TestHistoryTellsWhoWrote asks for the same history in all three ways.
func TestHistoryTellsWhoWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t)
		p.s.AddOwner(hubspot.Owner{ID: "7", Email: "ann@acme.example", UserID: 501})
		id, err := p.s.AsUser(502).Create("contacts", props("email", "ada@acme.example", "city", "Bern"))
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			hand hubspot.Hand
			city string
		}{
			{p.s.AsIntegration(4711, "Other sync"), "Basel"},
			{p.s.AsPerson(), "Chur"},
			{p.s.AsSource("AUTOMATION_PLATFORM", "enrollmentId:9"), "Davos"},
			{p.s.AsSource("SALESFORCE", ""), "Erlen"},
		} {
			time.Sleep(time.Second)
			if err := step.hand.Update("contacts", id, props("city", step.city)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		p.must(200, "PATCH", "/crm/v3/objects/contacts/"+id, `{"properties":{"city":"Flims"}}`)
		app := p.s.Apps()[0].ID
		at := func(seconds int) string { return fmt.Sprintf("2000-01-01T00:00:%02dZ", seconds) }
		want := []any{
			map[string]any{"value": "Flims", "timestamp": at(5), "sourceType": "INTEGRATION", "sourceId": fmt.Sprint(app), "sourceLabel": "test app"},
			map[string]any{"value": "Erlen", "timestamp": at(4), "sourceType": "SALESFORCE"},
			map[string]any{"value": "Davos", "timestamp": at(3), "sourceType": "AUTOMATION_PLATFORM", "sourceId": "enrollmentId:9"},
			map[string]any{"value": "Chur", "timestamp": at(2), "sourceType": "CRM_UI", "sourceId": "userId:501", "updatedByUserId": 501.0},
			map[string]any{"value": "Basel", "timestamp": at(1), "sourceType": "INTEGRATION", "sourceId": "4711", "sourceLabel": "Other sync"},
			map[string]any{"value": "Bern", "timestamp": at(0), "sourceType": "CRM_UI", "sourceId": "userId:502", "updatedByUserId": 502.0},
		}
		for way, got := range map[string]any{
			"a single read": p.must(200, "GET", "/crm/v3/objects/contacts/"+id+"?propertiesWithHistory=city", "").at("propertiesWithHistory", "city"),
			"a list":        p.must(200, "GET", "/crm/objects/2026-03/contacts?limit=50&propertiesWithHistory=city", "").at("results", 0, "propertiesWithHistory", "city"),
			"a batch": p.must(200, "POST", "/crm/v3/objects/contacts/batch/read", `{"inputs":[{"id":"`+id+`"}],"propertiesWithHistory":["city"]}`).
				at("results", 0, "propertiesWithHistory", "city"),
		} {
			if diff := cmp.Diff(any(want), got); diff != "" {
				t.Errorf("%s: %s", way, diff)
			}
		}
		if got := p.must(200, "GET", "/crm/v3/objects/contacts/"+id+"?propertiesWithHistory=city", "").str("properties", "city"); got != "Flims" {
			t.Errorf("a property that is asked for with history has the value %q too", got)
		}
	})
}

func TestHistoryIsLimited(t *testing.T) {
	p := open(t)
	id := p.insert("contacts", "city", "0")
	deal := p.insert("deals", "dealname", "0", "dealstage", "contractsent")
	for n := range 60 {
		p.must(200, "PATCH", "/crm/v3/objects/contacts/"+id, fmt.Sprintf(`{"properties":{"city":"%d"}}`, n+1))
		p.must(200, "PATCH", "/crm/v3/objects/deals/"+deal, fmt.Sprintf(`{"properties":{"dealname":"%d"}}`, n+1))
	}
	if n := len(p.must(200, "GET", "/crm/v3/objects/contacts/"+id+"?propertiesWithHistory=city", "").list("propertiesWithHistory", "city")); n != 45 {
		t.Errorf("a contact shows %d revisions", n)
	}
	if n := len(p.must(200, "GET", "/crm/v3/objects/deals/"+deal+"?propertiesWithHistory=dealname", "").list("propertiesWithHistory", "dealname")); n != 20 {
		t.Errorf("a deal shows %d revisions", n)
	}
	for size, status := range map[int]int{50: 200, 51: 400} {
		inputs := strings.TrimSuffix(strings.Repeat(`{"id":"`+id+`"},`, size), ",")
		p.must(status, "POST", "/crm/v3/objects/contacts/batch/read", `{"inputs":[`+inputs+`],"propertiesWithHistory":["city"]}`)
		p.must(status, "GET", fmt.Sprintf("/crm/v3/objects/contacts?propertiesWithHistory=city&limit=%d", size), "")
	}
}

// TestMergedRecords follows both old ids to the new record, whose history is that of both.
func TestMergedRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t)
		hand := p.s.AsUser(501)
		born := func(properties ...string) string {
			id, err := hand.Create("contacts", props(properties...))
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			return id
		}
		kept, other := born("email", "a@acme.example", "city", "Bern"), born("email", "b@acme.example", "city", "Chur", "phone", "+41 1")
		merged, err := p.s.AsUser(502).Merge("contacts", kept, other)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{kept, other, merged} {
			if got := p.must(200, "GET", "/crm/v3/objects/contacts/"+id, "").str("id"); got != merged {
				t.Errorf("%s leads to %s, want %s", id, got, merged)
			}
			if now, ok := p.s.Successor("contacts", id); !ok || now != merged {
				t.Errorf("the successor of %s is %q", id, now)
			}
		}
		a := p.must(200, "GET", "/crm/v3/objects/contacts/"+merged+"?propertiesWithHistory=city,phone&properties=city,phone,hs_merged_object_ids", "")
		if got, want := a.str("properties", "hs_merged_object_ids"), kept+";"+other; got != want {
			t.Errorf("hs_merged_object_ids is %q, want %q", got, want)
		}
		var history []string
		for i := range a.list("propertiesWithHistory", "city") {
			history = append(history, a.str("propertiesWithHistory", "city", i, "value")+" "+a.str("propertiesWithHistory", "city", i, "sourceType"))
		}
		if diff := cmp.Diff([]string{"Bern MERGE_CONTACTS", "Chur CRM_UI", "Bern CRM_UI"}, history); diff != "" {
			t.Error(diff)
		}
		if got := a.str("propertiesWithHistory", "phone", 0, "sourceType"); got != "CRM_UI" {
			t.Errorf("a value that only one had keeps its history, which says %s", got)
		}
		p.must(207, "POST", "/crm/v3/objects/contacts/batch/read", `{"inputs":[{"id":"`+kept+`"}]}`)
		if n := len(p.must(200, "GET", "/crm/v3/objects/contacts?archived=true", "").list("results")); n != 0 {
			t.Errorf("%d merged records are among the archived", n)
		}
		p.must(204, "DELETE", "/crm/v3/objects/contacts/"+merged, "")
		p.must(404, "GET", "/crm/v3/objects/contacts/"+kept, "")
		if got := p.must(200, "GET", "/crm/v3/objects/contacts/"+kept+"?archived=true", "").str("id"); got != merged {
			t.Errorf("an old id leads to %q among the archived", got)
		}
	})
}

func TestRestoredRecords(t *testing.T) {
	p := open(t)
	id := p.insert("contacts", "email", "a@acme.example", "city", "Bern")
	company := p.insert("companies", "name", "Acme")
	p.s.Associate("contacts", id, "companies", company)
	p.must(204, "DELETE", "/crm/v3/objects/contacts/"+id, "")
	archived := func() []string {
		return ids(p.must(200, "GET", "/crm/v3/objects/contacts?archived=true", "").list("results"))
	}
	batch := func(query string, status int) answer {
		return p.must(status, "POST", "/crm/v3/objects/contacts/batch/read"+query, `{"inputs":[{"id":"`+id+`"}]}`)
	}
	if diff := cmp.Diff([]string{id}, archived()); diff != "" {
		t.Error(diff)
	}
	if a := batch("?archived=true", 200); a.at("results", 0, "archived") != true || a.str("results", 0, "archivedAt") == "" {
		t.Errorf("a batch read of the archived answers %s", a.text)
	}
	batch("", 207)
	taken := p.insert("contacts", "email", "a@acme.example")
	if err := p.s.Restore("contacts", id); err == nil || !strings.Contains(err.Error(), taken) {
		t.Errorf("restoring beside a contact with the same e-mail: %v", err)
	}
	if err := p.s.Erase("contacts", taken); err != nil {
		t.Fatal(err)
	}
	p.must(404, "GET", "/crm/v3/objects/contacts/"+taken+"?archived=true", "")
	if err := p.s.AsUser(5).Restore("contacts", id); err != nil {
		t.Fatal(err)
	}
	a := p.must(200, "GET", "/crm/v3/objects/contacts/"+id+"?properties=city,associatedcompanyid", "")
	if a.str("properties", "city") != "Bern" || a.at("archived") != false || a.at("archivedAt") != nil || a.at("properties", "associatedcompanyid") != nil {
		t.Errorf("restored as %s", a.text)
	}
	batch("", 200)
	batch("?archived=true", 207)
	if got := archived(); len(got) != 0 {
		t.Errorf("still among the archived: %v", got)
	}
	if err := p.s.Restore("contacts", id); err == nil {
		t.Error("a live record was restored")
	}
}

func TestAssociationsMoveNoStamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t)
		contact, company := p.insert("contacts", "email", "a@acme.example"), p.insert("companies", "name", "Acme")
		deal := p.insert("deals", "dealname", "x", "dealstage", "contractsent")
		stamps := func() (out []string) {
			for _, path := range []string{"contacts/" + contact, "companies/" + company, "deals/" + deal} {
				out = append(out, p.must(200, "GET", "/crm/v3/objects/"+path, "").str("updatedAt"))
			}
			return out
		}
		before := stamps()
		for _, step := range []struct{ method, path, body string }{
			{"PUT", "/crm/v4/objects/contacts/" + contact + "/associations/default/companies/" + company, ""},
			{"PUT", "/crm/v4/objects/deals/" + deal + "/associations/default/contacts/" + contact, ""},
			{"POST", "/crm/v4/associations/deals/companies/batch/associate/default", `{"inputs":[{"from":{"id":"` + deal + `"},"to":{"id":"` + company + `"}}]}`},
			{"DELETE", "/crm/v4/objects/contacts/" + contact + "/associations/companies/" + company, ""},
		} {
			time.Sleep(time.Second)
			if a := p.call(step.method, step.path, step.body); a.status >= 300 {
				t.Fatalf("%s %s: %s", step.method, step.path, a.text)
			}
			if diff := cmp.Diff(before, stamps()); diff != "" {
				t.Errorf("%s %s moved a stamp: %s", step.method, step.path, diff)
			}
		}
	})
}

// TestSearchLosesChanges (R15): what the index lost it learns with the next change.
func TestSearchLosesChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t)
		id := p.insert("companies", "name", "Acme")
		found := func(name string) int {
			return len(p.must(200, "POST", "/crm/v3/objects/companies/search", `{"filters":[{"propertyName":"name","operator":"EQ","value":"`+name+`"}]}`).list("results"))
		}
		rename := func(name string) {
			p.must(200, "PATCH", "/crm/v3/objects/companies/"+id, `{"properties":{"name":"`+name+`"}}`)
		}
		if err := p.s.LoseNext("companies", id); err != nil {
			t.Fatal(err)
		}
		rename("Lost")
		time.Sleep(24 * time.Hour)
		if found("Acme") != 1 || found("Lost") != 0 {
			t.Error("the index knows of a change that it lost")
		}
		if diff := cmp.Diff([]string{id}, p.s.Unsearchable("companies")); diff != "" {
			t.Error(diff)
		}
		if got := p.must(200, "GET", "/crm/v3/objects/companies/"+id, "").str("properties", "name"); got != "Lost" {
			t.Errorf("a read sees %s", got)
		}
		p.dials.Set(faults.Setting{SearchLagMillis: 2000})
		rename("Found")
		time.Sleep(time.Second)
		if found("Acme") != 1 || found("Found") != 0 {
			t.Error("the next change is not late by the dial")
		}
		time.Sleep(time.Second)
		if found("Acme") != 0 || found("Lost") != 0 || found("Found") != 1 {
			t.Error("the index did not learn with the next change")
		}

		p.dials.Set(faults.Setting{SearchLoses: 1})
		made := p.must(201, "POST", "/crm/v3/objects/companies", `{"properties":{"name":"New"}}`).str("id")
		rename("Lost again")
		p.dials.Set(faults.Setting{})
		if found("New") != 0 || found("Found") != 1 {
			t.Error("a share of 1 does not lose all")
		}
		p.must(204, "DELETE", "/crm/v3/objects/companies/"+id, "")
		if found("Found") != 0 {
			t.Error("an archived record is still found")
		}
		p.must(200, "PATCH", "/crm/v3/objects/companies/"+made, `{"properties":{"city":"Bern"}}`)
		if found("New") != 1 || len(p.s.Unsearchable("companies")) != 0 {
			t.Error("the new record is still not found")
		}
		if err := p.s.LoseNext("companies", ""); err != nil {
			t.Fatal(err)
		}
		p.must(201, "POST", "/crm/v3/objects/companies", `{"properties":{"name":"Unseen"}}`)
		p.must(201, "POST", "/crm/v3/objects/companies", `{"properties":{"name":"Seen"}}`)
		if found("Unseen") != 0 || found("Seen") != 1 {
			t.Error("not just the next new record was lost")
		}
	})
}

func TestTheShareThatSearchLosesFollowsTheSeed(t *testing.T) {
	lost := func(seed uint64) (out []string) {
		p := open(t)
		p.dials.Set(faults.Setting{Seed: seed, SearchLoses: 0.3})
		for range 200 {
			p.must(201, "POST", "/crm/v3/objects/companies", `{"properties":{"name":"x"}}`)
		}
		return p.s.Unsearchable("companies")
	}
	if n := len(lost(1)); n < 35 || n > 85 {
		t.Errorf("%d of 200 are lost at a share of 0.3", n)
	}
	if !cmp.Equal(lost(1), lost(1)) || cmp.Equal(lost(1), lost(2)) {
		t.Error("what is lost does not follow from the seed alone")
	}
}
