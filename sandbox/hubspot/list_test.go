package hubspot_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// newList makes a list of contacts and returns its id.
func (p *portal) newList(name, processing, branch string) string {
	p.t.Helper()
	if branch != "" {
		branch = `,"filterBranch":` + branch
	}
	return p.must(200, "POST", "/crm/v3/lists/", `{"name":"`+name+`","objectTypeId":"0-1","processingType":"`+processing+`"`+branch+`}`).str("list", "listId")
}

// inList are the members of a list, in an order of the path's.
func (p *portal) inList(path string) (ids []string) {
	p.t.Helper()
	for _, m := range p.must(200, "GET", "/crm/v3/lists/"+path, "").list("results") {
		ids = append(ids, m.(map[string]any)["recordId"].(string))
	}
	return ids
}

// where is a filter branch of one condition.
func where(property, kind, operator, values string) string {
	return `{"filterBranchType":"OR","filterBranches":[{"filterBranchType":"AND","filterBranches":[],"filters":[{"filterType":"PROPERTY","property":"` + property +
		`","operation":{"operationType":"` + kind + `","operator":"` + operator + `"` + values + `}}]}],"filters":[]}`
}

func TestListsHaveTheVendorsShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t)
		made := p.must(200, "POST", "/crm/v3/lists", `{"name":"Fair 2026","objectTypeId":"contacts","processingType":"MANUAL"}`)
		want := `{"list":{"listId":"1","listVersion":1,"name":"Fair 2026","objectTypeId":"0-1","processingType":"MANUAL","processingStatus":"COMPLETE","createdAt":"2000-01-01T00:00:00Z",` +
			`"updatedAt":"2000-01-01T00:00:00Z","filtersUpdatedAt":"2000-01-01T00:00:00Z","createdById":"0","updatedById":"0","size":0}}`
		if made.text != want {
			t.Errorf("got  %s\nwant %s", made.text, want)
		}
		for _, path := range []string{"/crm/v3/lists/1", "/crm/lists/2026-03/1", "/crm/lists/2026-09/1", "/crm/v3/lists/object-type-id/0-1/name/fair%202026"} {
			if got := p.must(200, "GET", path, "").text; got != want {
				t.Errorf("%s: %s", path, got)
			}
		}
		p.newList("Others", "SNAPSHOT", "")
		p.newList("Bern", "DYNAMIC", where("city", "STRING", "IS_EQUAL_TO", `,"value":"Bern"`))
		if a := p.must(200, "GET", "/crm/v3/lists/?listIds=3&listIds=1&listIds=9&includeFilters=true", ""); len(a.list("lists")) != 2 || a.str("lists", 0, "filterBranch", "filterBranchType") != "OR" {
			t.Error(a.text)
		}
		for body, names := range map[string]string{
			`{}`:                             "Fair 2026,Others,Bern",
			`{"query":"er"}`:                 "Others,Bern",
			`{"processingTypes":["MANUAL"]}`: "Fair 2026",
			`{"listIds":["2",3]}`:            "Others,Bern",
			`{"objectTypeId":"0-2"}`:         "",
			`{"sort":"HS_LIST_NAME"}`:        "Bern,Fair 2026,Others",
			`{"sort":"-HS_LIST_NAME"}`:       "Others,Fair 2026,Bern",
			`{"offset":1,"count":1}`:         "Others",
		} {
			a := p.must(200, "POST", "/crm/v3/lists/search", body)
			var got []string
			for i := range a.list("lists") {
				got = append(got, a.str("lists", i, "name"))
			}
			if strings.Join(got, ",") != names {
				t.Errorf("%s finds %v, want %s", body, got, names)
			}
		}
		if a := p.must(200, "POST", "/crm/v3/lists/search", `{"offset":1,"count":1}`); a.at("hasMore") != true || a.at("offset") != 2.0 || a.at("total") != 3.0 || a.str("lists", 0, "additionalProperties", "hs_list_size") != "0" {
			t.Error(a.text)
		}
		time.Sleep(time.Second)
		if a := p.must(200, "PUT", "/crm/v3/lists/1/update-list-name?listName=Fair%202027", ""); a.str("updatedList", "name") != "Fair 2027" || a.at("updatedList", "listVersion") != 2.0 || a.str("updatedList", "updatedAt") != "2000-01-01T00:00:01Z" {
			t.Error(a.text)
		}
		p.must(204, "DELETE", "/crm/v3/lists/1", "")
		p.must(404, "GET", "/crm/v3/lists/1", "")
		p.must(404, "DELETE", "/crm/v3/lists/1", "")
		p.newList("Fair 2027", "MANUAL", "") // the name is free again
		p.must(204, "PUT", "/crm/v3/lists/2/restore", "")
		p.must(204, "DELETE", "/crm/v3/lists/2", "")
		p.clock.Advance(91 * 24 * time.Hour)
		p.must(404, "PUT", "/crm/v3/lists/2/restore", "")
	})
}

func TestManualLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t)
		var all []string
		for n := range 7 {
			all = append(all, p.insert("contacts", "city", fmt.Sprint(n)))
		}
		id := p.newList("Fair", "MANUAL", "")
		change := func(path, body string) string {
			t.Helper()
			return p.must(200, "PUT", "/crm/v3/lists/"+id+"/memberships/"+path, body).text
		}
		if got, want := change("add", `["`+all[2]+`",`+all[0]+`,"4711","nobody"]`), `{"recordsIdsAdded":["`+all[2]+`","`+all[0]+`"],"recordIdsRemoved":[],"recordIdsMissing":["4711","nobody"]}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		time.Sleep(time.Second)
		if got, want := change("add-and-remove", `{"recordIdsToAdd":["`+all[1]+`","`+all[0]+`"],"recordIdsToRemove":["`+all[2]+`","`+all[5]+`"]}`),
			`{"recordsIdsAdded":["`+all[1]+`"],"recordIdsRemoved":["`+all[2]+`"],"recordIdsMissing":[]}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		time.Sleep(time.Second)
		change("add", `["`+all[2]+`"]`)
		if got, want := p.must(200, "GET", "/crm/v3/lists/"+id+"/memberships", "").text, `{"total":3,"results":[{"recordId":"`+all[0]+`","membershipTimestamp":"2000-01-01T00:00:00Z"},`+
			`{"recordId":"`+all[1]+`","membershipTimestamp":"2000-01-01T00:00:01Z"},{"recordId":"`+all[2]+`","membershipTimestamp":"2000-01-01T00:00:02Z"}]}`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got, want := p.must(200, "POST", "/crm/v3/lists/search", `{}`).text, `"additionalProperties":{"hs_list_size":"3","hs_last_record_added_at":"946684802000","hs_last_record_removed_at":"946684801000","hs_list_reference_count":"0"}`; !strings.Contains(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		change("remove", `["`+all[0]+`"]`)
		time.Sleep(time.Second)
		change("add", `["`+all[0]+`","`+all[6]+`"]`)
		if diff := cmp.Diff([]string{all[1], all[2], all[0], all[6]}, p.inList(id+"/memberships/join-order")); diff != "" {
			t.Error(diff)
		}
		if got, want := p.must(200, "GET", "/crm/v3/lists/records/0-1/"+all[0]+"/memberships", "").text,
			`{"results":[{"listId":"1","listVersion":1,"firstAddedTimestamp":"2000-01-01T00:00:00Z","lastAddedTimestamp":"2000-01-01T00:00:03Z"}]}`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		for _, order := range []string{"/memberships", "/memberships/join-order"} {
			whole := p.inList(id + order)
			for size := 1; size <= 5; size++ {
				var forward, backward []string
				path := fmt.Sprintf("/crm/v3/lists/%s%s?limit=%d", id, order, size)
				next := path
				for next != "" {
					a := p.must(200, "GET", next, "")
					for i := range a.list("results") {
						forward = append(forward, a.str("results", i, "recordId"))
					}
					next = ""
					if after := a.str("paging", "next", "after"); after != "" {
						next = path + "&after=" + after
					}
				}
				for next = path + "&before=" + whole[len(whole)-1]; next != ""; {
					a := p.must(200, "GET", next, "")
					for i := range a.list("results") {
						backward = append(backward, a.str("results", i, "recordId"))
					}
					next = ""
					if before := a.str("paging", "prev", "before"); before != "" {
						next = path + "&before=" + before
					}
				}
				slices.Reverse(backward)
				if !slices.Equal(forward, whole) || !slices.Equal(backward, whole[:len(whole)-1]) {
					t.Errorf("%s by %d: forward %v, backward %v, want %v", order, size, forward, backward, whole)
				}
			}
		}

		other := p.newList("Copy", "MANUAL", "")
		p.must(204, "PUT", "/crm/v3/lists/"+other+"/memberships/add-from/"+id, "")
		p.must(204, "DELETE", "/crm/v3/lists/"+id+"/memberships", "")
		if a, b := len(p.inList(id+"/memberships")), len(p.inList(other+"/memberships")); a != 0 || b != 4 {
			t.Errorf("cleared %d, copied %d", a, b)
		}
		merged, err := p.s.Merge("contacts", all[0], all[1])
		if err != nil {
			t.Fatal(err)
		}
		p.must(204, "DELETE", "/crm/v3/objects/contacts/"+all[2], "")
		if err := p.s.Restore("contacts", all[2]); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{all[6], merged}, p.inList(other+"/memberships")); diff != "" {
			t.Errorf("a merged record is in the list of both, a restored one in none: %s", diff)
		}
	})
}

// TestFilteredLists has one list for each condition and looks who is in it.
func TestFilteredLists(t *testing.T) {
	p := open(t)
	contacts := map[string]string{
		"ada":  p.insert("contacts", "firstname", "Ada", "city", "Bern", "numemployees", "1-5", "annualrevenue", "100", "hs_email_optout", "true"),
		"bob":  p.insert("contacts", "firstname", "Bob", "city", "Berlin", "numemployees", "5-25", "annualrevenue", "1000"),
		"carl": p.insert("contacts", "firstname", "Carl"),
	}
	n := 0
	for _, test := range []struct{ property, kind, operator, values, want string }{
		{"city", "STRING", "IS_EQUAL_TO", `,"value":"BERN"`, "ada"},
		{"city", "STRING", "IS_NOT_EQUAL_TO", `,"value":"Bern"`, "bob"},
		{"city", "STRING", "IS_NOT_EQUAL_TO", `,"value":"Bern","includeObjectsWithNoValueSet":true`, "bob carl"},
		{"city", "STRING", "CONTAINS", `,"value":"ber"`, "ada bob"},
		{"city", "STRING", "DOES_NOT_CONTAIN", `,"value":"lin"`, "ada"},
		{"city", "STRING", "STARTS_WITH", `,"value":"Berl"`, "bob"},
		{"city", "STRING", "ENDS_WITH", `,"value":"n"`, "ada bob"},
		{"city", "MULTISTRING", "IS_EQUAL_TO", `,"values":["Bern","Berlin"]`, "ada bob"},
		{"city", "ALL_PROPERTY", "IS_KNOWN", ``, "ada bob"},
		{"city", "ALL_PROPERTY", "IS_UNKNOWN", ``, "carl"},
		{"numemployees", "ENUMERATION", "IS_ANY_OF", `,"values":["1-5","1000+"]`, "ada"},
		{"numemployees", "ENUMERATION", "IS_NONE_OF", `,"values":["1-5"]`, "bob"},
		{"hs_email_optout", "BOOL", "IS_EQUAL_TO", `,"value":true`, "ada"},
		{"hs_object_id", "NUMBER", "IS_GREATER_THAN", `,"value":` + contacts["bob"], "carl"},
		{"hs_object_id", "NUMBER", "IS_GREATER_THAN_OR_EQUAL_TO", `,"value":` + contacts["bob"], "bob carl"},
		{"hs_object_id", "NUMBER", "IS_LESS_THAN", `,"value":` + contacts["bob"], "ada"},
		{"hs_object_id", "NUMBER", "IS_LESS_THAN_OR_EQUAL_TO", `,"value":` + contacts["bob"], "ada bob"},
		{"hs_object_id", "NUMBER", "IS_EQUAL_TO", `,"value":` + contacts["bob"], "bob"},
		{"hs_object_id", "NUMBER", "IS_NOT_EQUAL_TO", `,"value":` + contacts["bob"], "ada carl"},
	} {
		for _, processing := range []string{"DYNAMIC", "SNAPSHOT"} {
			t.Run(strings.Join([]string{processing, test.property, test.kind, test.operator}, " "), func(t *testing.T) {
				n++
				id := p.newList(strconv.Itoa(n), processing, where(test.property, test.kind, test.operator, test.values))
				var want []string
				for _, name := range strings.Fields(test.want) {
					want = append(want, contacts[name])
				}
				if diff := cmp.Diff(want, p.inList(id+"/memberships")); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// TestDynamicListsFollow changes records and filters, and has the journal tell.
func TestDynamicListsFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := pull(t, `{"subscriptionType":"LIST_MEMBERSHIP","portalId":P,"actions":["ADDED_TO_LIST","REMOVED_FROM_LIST"],"listIds":[1],"objectIds":[]}`)
		early := r.insert("contacts", "city", "Bern")
		id := r.newList("Bern", "DYNAMIC", where("city", "STRING", "IS_EQUAL_TO", `,"value":"Bern"`))
		time.Sleep(time.Minute)
		late := r.insert("contacts", "city", "Chur")
		if err := r.s.Update("contacts", late, props("city", "Bern")); err != nil {
			t.Fatal(err)
		}
		if got, want := r.must(200, "GET", "/crm/v3/lists/1/memberships/join-order", "").text, `{"total":2,"results":[{"recordId":"`+early+`","membershipTimestamp":"2026-11-23T12:00:00Z"},{"recordId":"`+late+`","membershipTimestamp":"2026-11-23T12:01:00Z"}]}`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		r.must(400, "PUT", "/crm/v3/lists/1/memberships/add", `["`+early+`"]`)
		r.must(200, "PUT", "/crm/v3/lists/1/update-list-filters", `{"filterBranch":`+where("city", "STRING", "IS_EQUAL_TO", `,"value":"Chur"`)+`}`)
		if got := r.inList("1/memberships"); len(got) != 0 {
			t.Errorf("after the filter changed: %v", got)
		}
		made := r.must(201, "POST", "/crm/v3/objects/contacts", `{"properties":{"city":"Chur"}}`).str("id")
		r.must(204, "DELETE", "/crm/v3/objects/contacts/"+made, "")
		if err := r.s.Restore("contacts", made); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{made}, r.inList("1/memberships")); diff != "" {
			t.Error(diff)
		}
		time.Sleep(time.Second)
		var told []string
		for _, e := range r.all() {
			e := e.(map[string]any)
			told = append(told, fmt.Sprintf("%s %.0f %.0f", e["action"], e["listId"], e["objectId"]))
		}
		var want []string
		for _, v := range [][2]string{{"ADDED_TO_LIST", early}, {"ADDED_TO_LIST", late}, {"REMOVED_FROM_LIST", early}, {"REMOVED_FROM_LIST", late}, {"ADDED_TO_LIST", made}, {"REMOVED_FROM_LIST", made}, {"ADDED_TO_LIST", made}} {
			want = append(want, v[0]+" "+id+" "+v[1])
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRefusedLists(t *testing.T) {
	p := open(t)
	p.newList("Taken", "MANUAL", "")
	for _, test := range []struct {
		name, body string
	}{
		{"no name", `{"objectTypeId":"0-1","processingType":"MANUAL"}`},
		{"a name that is taken", `{"name":"taken","objectTypeId":"0-1","processingType":"MANUAL"}`},
		{"no object type", `{"name":"x","processingType":"MANUAL"}`},
		{"an object type that is not there", `{"name":"x","objectTypeId":"0-999","processingType":"MANUAL"}`},
		{"a way that is not there", `{"name":"x","objectTypeId":"0-1","processingType":"MAGIC"}`},
		{"a filter of a manual list", `{"name":"x","objectTypeId":"0-1","processingType":"MANUAL","filterBranch":` + where("city", "ALL_PROPERTY", "IS_KNOWN", "") + `}`},
		{"no filter of a dynamic list", `{"name":"x","objectTypeId":"0-1","processingType":"DYNAMIC"}`},
		{"a property that is not there", `{"name":"x","objectTypeId":"0-1","processingType":"DYNAMIC","filterBranch":` + where("nonsense", "ALL_PROPERTY", "IS_KNOWN", "") + `}`},
		{"an operator of another type", `{"name":"x","objectTypeId":"0-1","processingType":"DYNAMIC","filterBranch":` + where("city", "STRING", "IS_GREATER_THAN", `,"value":"1"`) + `}`},
		{"a condition without a value", `{"name":"x","objectTypeId":"0-1","processingType":"DYNAMIC","filterBranch":` + where("city", "STRING", "IS_EQUAL_TO", "") + `}`},
		{"another kind of branch", `{"name":"x","objectTypeId":"0-1","processingType":"DYNAMIC","filterBranch":{"filterBranchType":"UNIFIED_EVENTS"}}`},
	} {
		t.Run(test.name, func(t *testing.T) { p.must(400, "POST", "/crm/v3/lists", test.body) })
	}
	p.must(404, "GET", "/crm/v3/lists/4711/memberships", "")
	p.must(400, "GET", "/crm/v3/lists/1/memberships?limit=251", "")
	read := p.s.CreateToken(hubspot.TokenSpec{Name: "reads", Scopes: []string{"crm.lists.read"}})
	if a := p.callWith(read, "GET", "/crm/v3/lists/1", ""); a.status != 200 {
		t.Errorf("reading with crm.lists.read: %d", a.status)
	}
	if a := p.callWith(read, "DELETE", "/crm/v3/lists/1", ""); a.status != 403 || !strings.Contains(a.text, "crm.lists.write") {
		t.Errorf("deleting with crm.lists.read: %d %s", a.status, a.text)
	}
}

func TestListsSurvive(t *testing.T) {
	p := open(t)
	contact := p.insert("contacts", "city", "Bern")
	manual, err := p.s.AddList("contacts", "Fair")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.s.AsPerson().ChangeList(manual, []string{contact}, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.s.AsPerson().ChangeList(manual, []string{"1"}, nil); err == nil {
		t.Error("a record that is not there was added")
	}
	dynamic := p.newList("Bern", "DYNAMIC", where("city", "STRING", "IS_EQUAL_TO", `,"value":"Bern"`))
	again := reloaded(t, p)
	for _, path := range []string{"/crm/v3/lists/?listIds=1,2&includeFilters=true", "/crm/v3/lists/1/memberships", "/crm/v3/lists/2/memberships"} {
		if diff := cmp.Diff(p.must(200, "GET", path, "").text, again.must(200, "GET", path, "").text); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	more := again.insert("contacts", "city", "Bern")
	if got, err := again.s.ListMembers(dynamic); err != nil || !slices.Equal(got, []string{contact, more}) {
		t.Errorf("after loading a dynamic list has %v, %v", got, err)
	}
	if next := again.newList("Next", "MANUAL", ""); next != "3" {
		t.Errorf("the next list is %s", next)
	}
}
