package hubspot_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestLookupTellsLiveArchivedMergedAndUnknownApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		p.add("contacts", 1, map[string]string{"email": "a@acme.example"})
		gone := p.add("contacts", 2, nil)
		gone.archived, gone.archivedAt = true, time.Now()
		p.add("contacts", 3, nil).mergedInto = 9
		p.add("contacts", 9, map[string]string{"email": "c@acme.example"})
		got, err := p.client(t, nil).Lookup(t.Context(), contacts("email"), []string{"3", "1", "404", "2", "1", ""})
		if err != nil {
			t.Fatal(err)
		}
		want := []crm.Record{
			{ID: "3", Archived: true, MergedInto: "9"},
			{ID: "1", Values: []crm.Value{crm.Text("a@acme.example")}},
			{ID: "404", Archived: true},
			{ID: "2", Archived: true},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(crm.Record{}, "Layout", "CreatedMicros", "ModifiedMicros")); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		// One batch of live, one of archived, one each for what is neither.
		if p.calls["POST /crm/v3/objects/contacts/batch/read"] != 2 || len(p.log) != 4 {
			t.Errorf("it cost %v", p.log)
		}
	})
}

func TestLookupOfManyGoesInHundreds(t *testing.T) {
	p := newPortal()
	fill(p, 1234, func(i int) uint64 { return uint64(i + 1) })
	var ids []string
	for i := range 1234 {
		ids = append(ids, fmt.Sprint(i+1))
	}
	client := p.client(t, nil)
	read := contacts("email")
	read.Relations = []string{"companies"}
	got, err := client.Lookup(t.Context(), read, ids)
	if err != nil || len(got) != 1234 {
		t.Fatalf("got %d records, %v", len(got), err)
	}
	work := crm.Work{Object: "contacts", Lookup: 1234, Relation: 1}
	if used := client.Usage().Calls; used != client.Forecast(work) || used != 13+2 {
		t.Errorf("it cost %d calls, forecast %d, want 15", used, client.Forecast(work))
	}
}

func TestFindTakesTheWayWithoutLagWhereThereIsOne(t *testing.T) {
	properties := `{"results":[
		{"name":"email","label":"Email","type":"string","fieldType":"text"},
		{"name":"sf_id","label":"SF","type":"string","fieldType":"text","hasUniqueValue":true},
		{"name":"company","label":"Company","type":"string","fieldType":"text"},
		{"name":"hs_lead_status","label":"Status","type":"enumeration","fieldType":"radio","options":[{"label":"New","value":"NEW"}]}]}`
	cases := []struct {
		name   string
		field  string
		values []string
		want   []string
		path   string
		sent   string // must be in the body
	}{
		{"a contact's e-mail by batch", "email", []string{"P1@acme.example", "p2@acme.example", "nobody@acme.example"}, []string{"1", "2"}, "POST /crm/v3/objects/contacts/batch/read", `"idProperty":"email"`},
		{"a unique property by batch", "sf_id", []string{"003A"}, []string{"3"}, "POST /crm/v3/objects/contacts/batch/read", `"idProperty":"sf_id"`},
		{"another text by search, in lower case", "company", []string{"ACME Robotics", "Acme robotics"}, []string{"1", "2"}, "POST /crm/v3/objects/contacts/search", `"values":["acme robotics"]`},
		{"an option by search, as it is spelled", "hs_lead_status", []string{"NEW"}, nil, "POST /crm/v3/objects/contacts/search", `"values":["NEW"]`},
		{"the record id by batch", "hs_object_id", []string{"1", "77"}, []string{"1"}, "POST /crm/v3/objects/contacts/batch/read", `"id":"77"`},
		{"nothing to look for costs nothing", "company", []string{""}, nil, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := newPortal()
			p.add("contacts", 1, map[string]string{"email": "p1@acme.example", "company": "Acme Robotics"})
			p.add("contacts", 2, map[string]string{"email": "p2@acme.example", "company": "acme robotics"})
			p.add("contacts", 3, map[string]string{"email": "p3@acme.example", "sf_id": "003A"})
			sent := ""
			p.intercept = func(request *http.Request, body []byte) *http.Response {
				sent += string(body)
				if strings.HasPrefix(request.URL.Path, "/crm/v3/properties/") {
					return reply(request, 200, properties)
				}
				return nil
			}
			found, err := p.client(t, nil).Find(t.Context(), contacts("email"), c.field, c.values)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, r := range found {
				got[r.ID] = true
			}
			if len(got) != len(c.want) || len(found) != len(c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
			for _, id := range c.want {
				if !got[id] {
					t.Errorf("found %v, want %v", got, c.want)
				}
			}
			if c.path != "" && p.calls[c.path] == 0 || !strings.Contains(sent, c.sent) {
				t.Errorf("asked %v with %s, want %s with %s", p.log, sent, c.path, c.sent)
			}
			if c.path == "" && len(p.log) > 0 {
				t.Errorf("asked %v", p.log)
			}
		})
	}
}

func TestFindKeepsSearchesWithinTheirLength(t *testing.T) {
	synctest.Test(t, findKeepsSearchesWithinTheirLength)
}

func findKeepsSearchesWithinTheirLength(t *testing.T) {
	p := newPortal()
	longest := 0
	p.intercept = func(request *http.Request, body []byte) *http.Response {
		if strings.HasPrefix(request.URL.Path, "/crm/v3/properties/") {
			return reply(request, 200, `{"results":[{"name":"company","type":"string","fieldType":"text"}]}`)
		}
		var query struct {
			Groups []struct {
				Filters []struct{ Values []string }
			} `json:"filterGroups"`
		}
		_ = json.Unmarshal(body, &query)
		longest = max(longest, len(query.Groups[0].Filters[0].Values))
		return nil
	}
	var values []string
	for i := range 450 {
		values = append(values, fmt.Sprintf("a company with a name of some length, number %d", i))
		p.add("contacts", uint64(i+1), map[string]string{"company": values[i]})
	}
	found, err := p.client(t, nil).Find(t.Context(), contacts("company"), "company", values)
	if err != nil || len(found) != 450 {
		t.Fatalf("found %d, %v", len(found), err)
	}
	if longest > 100 {
		t.Errorf("a search held %d values", longest)
	}
	_, err = p.client(t, nil).Find(t.Context(), contacts("company"), "no_such", []string{"x"})
	if fault.KindOf(err) != fault.Invalid || fault.MendOf(err) == "" {
		t.Errorf("got %v", err)
	}
}
