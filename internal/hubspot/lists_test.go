package hubspot_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox"
)

func listRead(fields ...string) crm.Read {
	return crm.Read{Layout: crm.NewLayout("lists", fields), Relations: []string{"contacts"}}
}

// recorded answers calls by "METHOD /path?query" with what HubSpot was seen to
// send, and notes the bodies of what it was asked.
type recorded struct {
	answers map[string][]string
	bodies  []string
}

func (r *recorded) portal() *portal {
	p := newPortal()
	p.intercept = func(request *http.Request, body []byte) *http.Response {
		key := request.Method + " " + request.URL.RequestURI()
		if len(body) > 0 {
			r.bodies = append(r.bodies, key+" "+string(body))
		}
		left := r.answers[key]
		if len(left) == 0 {
			return reply(request, 404, `{"status":"error","message":"List does not exist with ID.","category":"OBJECT_NOT_FOUND"}`)
		}
		if len(left) > 1 {
			r.answers[key] = left[1:]
		}
		if left[0] == "" {
			return reply(request, 204, "")
		}
		return reply(request, 200, left[0])
	}
	return p
}

// aList is a list as HubSpot's search sends it.
func aList(id, name, kind, object string) string {
	return fmt.Sprintf(`{"listId":%q,"listVersion":2,"createdAt":"2020-01-15T15:10:16.823Z","updatedAt":"2020-12-24T02:47:16.212Z","filtersUpdatedAt":"2020-01-15T15:10:16.823Z",
		"processingStatus":"COMPLETE","createdById":"9586504","processingType":%q,"objectTypeId":%q,"name":%q,
		"additionalProperties":{"hs_list_reference_count":"0","hs_last_record_added_at":"1740405014244","hs_list_size":"2"}}`, id, kind, object, name)
}

func shown(records []crm.Record) (lines []string) {
	for _, r := range records {
		var members []string
		for _, x := range r.Relations {
			members = append(members, x.Object+" "+x.ID)
		}
		line := r.ID
		for _, v := range r.Values {
			line += " " + v.Text
		}
		if r.Archived {
			line += " archived"
		}
		lines = append(lines, line+": "+strings.Join(members, ", "))
	}
	slices.Sort(lines)
	return lines
}

// TestListsAreReadWithTheirMembers: two pages of lists, of which one is of
// companies, and two pages of members.
func TestListsAreReadWithTheirMembers(t *testing.T) {
	r := &recorded{answers: map[string][]string{
		"POST /crm/v3/lists/search": {
			`{"offset":2,"hasMore":true,"total":3,"lists":[` + aList("50", "Fair", "MANUAL", "0-1") + `,` + aList("51", "Firms", "MANUAL", "0-2") + `]}`,
			`{"offset":3,"hasMore":false,"total":3,"lists":[` + aList("55", "Tech", "DYNAMIC", "0-1") + `]}`},
		"GET /crm/v3/lists/50/memberships?limit=250": {`{"results":[{"recordId":"801","membershipTimestamp":"2025-02-24T13:50:14Z"}],"total":2,
			"paging":{"next":{"after":"801","link":"https://api.hubapi.com/crm/v3/lists/50/memberships?after=801"}}}`},
		"GET /crm/v3/lists/50/memberships?after=801&limit=250": {`{"results":[{"recordId":1801,"membershipTimestamp":"2025-02-24T13:50:14Z"}],"total":2,"paging":{"prev":{"before":"1801","link":""}}}`},
		"GET /crm/v3/lists/55/memberships?limit=250":           {`{"results":[],"total":0}`},
	}}
	records, report, err := readAll(t, r.portal().client(t, nil), listRead("name", "processingType"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"50 Fair MANUAL: contacts 801, contacts 1801", "55 Tech DYNAMIC: "}
	if diff := cmp.Diff(want, shown(slices.Collect(maps.Values(records)))); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	if report.Rows != 2 || report.Expected != 2 || report.Calls != 5 {
		t.Errorf("%+v", report)
	}
	first := `POST /crm/v3/lists/search {"query":"","processingTypes":["MANUAL","SNAPSHOT","DYNAMIC"],"objectTypeId":"0-1","offset":0,"count":500,"additionalProperties":["hs_list_size","hs_last_record_added_at","hs_last_record_removed_at"]}`
	if len(r.bodies) != 2 || r.bodies[0] != first || !strings.Contains(r.bodies[1], `"offset":2`) {
		t.Errorf("asked\n%s", strings.Join(r.bodies, "\n"))
	}
}

// TestListsThatAreFewerThanCountedFailTheRead: R19 for lists.
func TestListsThatAreFewerThanCountedFailTheRead(t *testing.T) {
	r := &recorded{answers: map[string][]string{"POST /crm/v3/lists/search": {`{"offset":1,"hasMore":false,"total":2,"lists":[` + aList("50", "Fair", "MANUAL", "0-1") + `]}`}}}
	_, _, err := readAll(t, r.portal().client(t, nil), listRead("name"))
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("%v", err)
	}
}

// TestListsAreWrittenOneByOneAndTheirMembersInOneCall sends every kind of write.
func TestListsAreWrittenOneByOneAndTheirMembersInOneCall(t *testing.T) {
	r := &recorded{answers: map[string][]string{
		"POST /crm/v3/lists": {`{"list":` + aList("60", "New", "MANUAL", "0-1") + `}`},
		"PUT /crm/v3/lists/50/update-list-name?listName=Fair+2027": {`{"updatedList":` + aList("50", "Fair 2027", "MANUAL", "0-1") + `}`},
		"DELETE /crm/v3/lists/51":                                  {""},
		"PUT /crm/v3/lists/52/restore":                             {""},
		"PUT /crm/v3/lists/50/memberships/add-and-remove":          {`{"recordIdsMissing":["9"],"recordIdsRemoved":["3"],"recordsIdsAdded":["1"]}`},
	}}
	write := func(key string, op crm.Op, id string, far string, fields ...crm.FieldValue) crm.Write {
		return crm.Write{Key: key, Op: op, Object: "lists", ID: id, Fields: fields, Relation: crm.Relation{Object: "contacts", ID: far}}
	}
	name := func(text string) crm.FieldValue { return crm.FieldValue{Name: "name", Value: crm.Text(text)} }
	results, err := r.portal().client(t, nil).Apply(t.Context(), []crm.Write{
		write("made", crm.Create, "", "", name("New")), write("renamed", crm.Update, "50", "", name("Fair 2027")), write("gone", crm.Archive, "51", ""),
		write("gone already", crm.Archive, "58", ""), write("back", crm.Restore, "52", ""),
		write("joins", crm.Relate, "50", "1"), write("was a member", crm.Relate, "50", "2"), write("leaves", crm.Unrelate, "50", "3"), write("nobody", crm.Relate, "50", "9"),
		write("no list", crm.Relate, "59", "1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, result := range results {
		line := result.Key + ": " + result.ID
		if result.Err != nil {
			line += ", " + string(fault.KindOf(result.Err)) + " " + result.Cause
		}
		got = append(got, line)
	}
	want := []string{"made: 60", "renamed: 50", "gone: 51", "gone already: 58", "back: 52", "joins: 50", "was a member: 50", "leaves: 50",
		"nobody: 50, " + string(fault.Invalid) + " RECORD_MISSING", "no list: 59, " + string(fault.NotFound) + " OBJECT_NOT_FOUND"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	bodies := slices.Sorted(slices.Values(r.bodies))
	wantBodies := []string{`POST /crm/v3/lists {"name":"New","objectTypeId":"0-1","processingType":"MANUAL"}`,
		`PUT /crm/v3/lists/50/memberships/add-and-remove {"recordIdsToAdd":["1","2","9"],"recordIdsToRemove":["3"]}`,
		`PUT /crm/v3/lists/59/memberships/add-and-remove {"recordIdsToAdd":["1"],"recordIdsToRemove":[]}`}
	if diff := cmp.Diff(wantBodies, bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

// TestAListWhoseAnswerWasLostIsNotMadeTwice leaves it to the caller to look.
func TestAListWhoseAnswerWasLostIsNotMadeTwice(t *testing.T) {
	posts := 0
	p := newPortal()
	p.intercept = func(request *http.Request, _ []byte) *http.Response {
		if request.Method == "POST" && request.URL.Path == "/crm/v3/lists" {
			posts++
			return lost()
		}
		return nil
	}
	results, _ := p.client(t, nil).Apply(t.Context(), []crm.Write{{Key: "a", Op: crm.Create, Object: "lists", Fields: []crm.FieldValue{{Name: "name", Value: crm.Text("New")}}}})
	if posts != 1 || !results[0].Unknown {
		t.Errorf("%d calls, %+v", posts, results[0])
	}
}

// TestListsOfTheSandbox follows lists through their life: found by name, told
// when they change, when their members do, and when they are gone; what did not
// change costs one call.
func TestListsOfTheSandbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, client := sandboxed(t, sandbox.Config{})
		hub := box.HubSpot()
		var people []string
		for i := range 300 {
			id, err := hub.Create("contacts", map[string]string{"email": fmt.Sprintf("p%d@acme.example", i)})
			if err != nil {
				t.Fatal(err)
			}
			people = append(people, id)
		}
		fair, err := hub.AddList("contacts", "Fair")
		if err != nil {
			t.Fatal(err)
		}
		other, err := hub.AddList("contacts", "Other")
		if err != nil {
			t.Fatal(err)
		}
		change := func(add, remove []string) {
			t.Helper()
			if err := hub.AsPerson().ChangeList(fair, add, remove); err != nil {
				t.Fatal(err)
			}
		}
		change(people, nil)
		records, report, err := readAll(t, client, listRead("name"))
		if err != nil || report.Rows != 2 || report.Expected != 2 || len(records[fair].Relations) != 300 {
			t.Fatalf("%+v, %v", report, err)
		}
		since := report.NextMicros
		changes := func() (told []string, calls int) {
			t.Helper()
			var all []crm.Record
			report, err := client.Changes(t.Context(), listRead("name"), since, func(page []crm.Record) error {
				all = append(all, page...)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			since = report.NextMicros
			for _, r := range all {
				told = append(told, fmt.Sprintf("%s %v %d", r.ID, r.Archived, len(r.Relations)))
			}
			slices.Sort(told)
			return told, report.Calls
		}
		related := func() (members, calls int) {
			t.Helper()
			records, calls, err := client.Relations(t.Context(), listRead("name"), []string{fair, other, "4711"})
			if err != nil || len(records) != 3 || !records[2].Archived {
				t.Fatalf("%+v, %v", records, err)
			}
			return len(records[0].Relations), calls
		}
		for range 3 { // until the stamps are old enough to be trusted
			time.Sleep(10 * time.Minute)
			changes()
			related()
		}
		if told, calls := changes(); len(told) != 0 || calls != 1 {
			t.Errorf("a quiet look tells %v in %d calls", told, calls)
		}
		if members, calls := related(); members != 300 || calls != 1 {
			t.Errorf("a quiet sweep gives %d members in %d calls", members, calls)
		}
		change(nil, people[:10])
		if members, _ := related(); members != 290 {
			t.Errorf("after ten left there are %d members", members)
		}
		if told, _ := changes(); fmt.Sprint(told) != fmt.Sprintf("[%s false 290]", fair) {
			t.Errorf("after ten left, told: %v", told)
		}
		// A change within the minute in which the stamps may be late is read, too.
		change(nil, people[10:20])
		time.Sleep(time.Second)
		if told, _ := changes(); fmt.Sprint(told) != fmt.Sprintf("[%s false 280]", fair) {
			t.Errorf("after ten more left, told: %v", told)
		}
		found, err := client.Find(t.Context(), listRead("name"), "name", []string{"FAIR", "Nobody's"})
		if err != nil || len(found) != 1 || found[0].ID != fair || len(found[0].Relations) != 280 {
			t.Errorf("found %v, %v", shown(found), err)
		}
		time.Sleep(time.Hour)
		changes() // tells the last change once more
		results, err := client.Apply(t.Context(), []crm.Write{{Key: "a", Op: crm.Archive, Object: "lists", ID: other}})
		if err != nil || results[0].Err != nil {
			t.Fatalf("%+v, %v", results, err)
		}
		time.Sleep(time.Hour)
		if told, _ := changes(); fmt.Sprint(told) != fmt.Sprintf("[%s true 0]", other) {
			t.Errorf("after one was deleted, told: %v", told)
		}
		looked, err := client.Lookup(t.Context(), listRead("name"), []string{other, fair})
		if err != nil || len(looked) != 2 || !looked[0].Archived || looked[1].Value("name").Text != "Fair" {
			t.Errorf("looked up %v, %v", shown(looked), err)
		}
	})
}

// TestANewProcessReadsTheMembersOfListsThatMovedOnly, and is told which lists are gone.
func TestANewProcessReadsTheMembersOfListsThatMovedOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, client := sandboxed(t, sandbox.Config{})
		hub := box.HubSpot()
		person, err := hub.Create("contacts", map[string]string{"email": "p@acme.example"})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, name := range []string{"Old", "New"} {
			id, err := hub.AddList("contacts", name)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		time.Sleep(time.Hour)
		since := time.Now().UnixMicro()
		if err := hub.AsPerson().ChangeList(ids[1], []string{person}, nil); err != nil {
			t.Fatal(err)
		}
		read := listRead("name")
		read.SinceMicros = since
		records, calls, err := client.Relations(t.Context(), read, append(ids, "4711"))
		slices.SortFunc(records, func(a, b crm.Record) int { return strings.Compare(a.ID, b.ID) })
		want := []string{"2: contacts " + person, "4711 archived: "}
		if diff := cmp.Diff(want, shown(records)); diff != "" || err != nil || calls != 2 {
			t.Errorf("%d calls, %v (-want +got):\n%s", calls, err, diff)
		}
	})
}

// TestATokenWithoutTheScopeOfListsIsToldWhichOne asks for the schema.
func TestATokenWithoutTheScopeOfListsIsToldWhichOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, _ := sandboxed(t, sandbox.Config{})
		narrow, err := hubspot.New(hubspot.Config{HTTP: box.Client(), Token: func(context.Context) (string, error) { return box.Credentials().HubSpot.CompaniesOnly, nil }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = narrow.Describe(t.Context(), "lists")
		if e, ok := fault.As(err); !ok || e.Kind != fault.Denied || !slices.Contains(e.Scopes, "crm.lists.read") {
			t.Errorf("%v", err)
		}
	})
}
