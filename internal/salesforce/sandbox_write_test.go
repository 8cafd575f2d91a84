package salesforce_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
	server "github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

func TestSandboxWritesEveryKindOfValueAndReadsItBack(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	account := o.server.Insert("Account", map[string]any{"Name": "Acme"}, time.Time{}, time.Time{})
	fields := []crm.FieldValue{
		value("LastName", "Größe"), value("Email", "g@example.com"), value("Birthdate", "1980-02-29"), value("HasOptedOutOfEmail", "true"),
		value("AccountId", account[:15]), value("LeadSource", "Web"), value("Description", "two\nlines"),
	}
	made := apply(t, o, create("a", fields...))[0]
	if made.Err != nil || !made.Created {
		t.Fatalf("%+v", made)
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	check := func(want map[string]string) {
		t.Helper()
		records, err := o.client.Lookup(t.Context(), read("Contact", names...), []string{made.ID})
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if got := records[0].Value(name); got != crm.Text(text) {
				t.Errorf("%s is %+v, want %q", name, got, text)
			}
		}
	}
	check(map[string]string{"LastName": "Größe", "Birthdate": "1980-02-29", "HasOptedOutOfEmail": "true", "AccountId": account, "Description": "two\nlines"})
	blank := crm.Value{State: crm.Blank}
	changed := apply(t, o, crm.Write{Key: "b", Op: crm.Update, Object: "Contact", ID: made.ID, Fields: []crm.FieldValue{
		{Name: "Email", Value: blank}, {Name: "HasOptedOutOfEmail", Value: blank}, {Name: "AccountId", Value: blank}, value("LastName", "Small"),
	}})[0]
	if changed.Err != nil || changed.Created || changed.ID != made.ID {
		t.Fatalf("%+v", changed)
	}
	check(map[string]string{"LastName": "Small", "Email": "", "HasOptedOutOfEmail": "false", "AccountId": ""})
	if r := apply(t, o, crm.Write{Key: "c", Op: crm.Archive, Object: "Contact", ID: made.ID})[0]; r.Err != nil {
		t.Errorf("%+v", r)
	}
	if r := apply(t, o, crm.Write{Key: "d", Op: crm.Archive, Object: "Contact", ID: made.ID})[0]; r.Err != nil {
		t.Errorf("archiving twice: %+v", r)
	}
	if r := apply(t, o, crm.Write{Key: "e", Op: crm.Update, Object: "Contact", ID: made.ID, Fields: []crm.FieldValue{value("LastName", "x")}})[0]; fault.KindOf(r.Err) != fault.NotFound {
		t.Errorf("updating what is deleted: %+v", r)
	}
}

func TestSandboxRefusalsAreResultsOfTheirRecord(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	o.server.AddValidationRule("Contact", "no_robots", "Robots are not welcome", "LastName", func(f map[string]any) bool { return f["LastName"] == "Robot" })
	holder := o.server.Insert("Contact", map[string]any{"LastName": "Holder", "HubSpot_Id__c": "500"}, time.Time{}, time.Time{})
	results := apply(t, o,
		create("good", value("LastName", "Fine")),
		create("long", value("LastName", "x"), value("FirstName", strings.Repeat("x", 41))),
		create("missing", value("Email", "a@example.com")),
		create("email", value("LastName", "x"), value("Email", "no address")),
		create("rule", value("LastName", "Robot")),
		create("taken", value("LastName", "x"), value("HubSpot_Id__c", "500")),
		create("reference", value("LastName", "x"), value("AccountId", "001000000000000AAA")),
	)
	got := map[string]string{}
	for _, r := range results {
		got[r.Key] = r.Cause
		if r.Err != nil && (r.Unknown || r.Err.Error() == "") {
			t.Errorf("%+v", r)
		}
	}
	want := map[string]string{
		"good": "", "long": "STRING_TOO_LONG", "missing": "REQUIRED_FIELD_MISSING", "email": "INVALID_EMAIL_ADDRESS",
		"rule": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "taken": "DUPLICATE_VALUE", "reference": got["reference"],
	}
	if diff := cmp.Diff(want, got); diff != "" || got["reference"] == "" {
		t.Errorf("%s\nreference: %q", diff, got["reference"])
	}
	if results[5].ID != holder || fault.KindOf(results[5].Err) != fault.Conflict {
		t.Errorf("the holder of the value: %+v", results[5])
	}
	if diff := cmp.Diff([]string{"FirstName"}, results[1].Fields); diff != "" {
		t.Error(diff)
	}
}

func TestSandboxUpsertsTwiceMakeOneRecord(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	var writes []crm.Write
	for i := range 450 {
		writes = append(writes, crm.Write{
			Key: fmt.Sprint(i), Op: crm.Create, Object: "Contact", ExternalField: "HubSpot_Id__c", ExternalValue: fmt.Sprint(1000 + i),
			Fields: []crm.FieldValue{value("LastName", fmt.Sprintf("Fake %d", i))},
		})
	}
	for round := range 2 {
		before := o.client.Usage().Calls
		results := apply(t, o, writes...)
		for _, r := range results {
			if r.Err != nil || r.Created != (round == 0) || r.ID == "" {
				t.Fatalf("round %d: %+v", round, r)
			}
		}
		if spent := o.client.Usage().Calls - before; round == 1 && spent != o.client.Forecast(crm.Work{Object: "Contact", Create: len(writes)}) {
			t.Errorf("%d calls", spent)
		}
	}
	if n := o.server.Count("Contact"); n != len(writes) {
		t.Errorf("%d contacts", n)
	}
}

func TestSandboxDuplicateRule(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	o.server.AddDuplicateRule(server.DuplicateRule{Object: "Contact", Against: []string{"Contact", "Lead"}})
	twin := o.server.Insert("Contact", map[string]any{"LastName": "Twin", "Email": "twin@example.com"}, time.Time{}, time.Time{})
	r := apply(t, o, create("a", value("LastName", "Twin"), value("Email", "twin@example.com")))[0]
	if r.Cause != "DUPLICATES_DETECTED" || fault.KindOf(r.Err) != fault.Conflict || !strings.Contains(r.Err.Error(), twin) {
		t.Errorf("%+v: %v", r, r.Err)
	}
}

func TestSandboxRelations(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	deal := o.server.Insert("Opportunity", map[string]any{"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-01-01"}, time.Time{}, time.Time{})
	var people []string
	for i := range 3 {
		people = append(people, o.server.Insert("Contact", map[string]any{"LastName": fmt.Sprint(i)}, time.Time{}, time.Time{}))
	}
	relate := func(op crm.Op, contact string) crm.Write {
		return crm.Write{Key: contact, Op: op, Object: "Opportunity", ID: deal, Relation: crm.Relation{Object: "Contact", ID: contact, Label: "Decision Maker"}}
	}
	r := crm.Read{Layout: crm.NewLayout("Opportunity", []string{"Name"}), Relations: []string{"Contact"}}
	_, report := all(t, o, r)
	o.box.Clock().Advance(time.Hour)
	_, report = changes(t, o, r, report.NextMicros)
	for range 2 {
		for _, result := range apply(t, o, relate(crm.Relate, people[0]), relate(crm.Relate, people[1])) {
			if result.Err != nil || result.ID == "" {
				t.Fatalf("%+v", result)
			}
		}
	}
	if n := o.server.Count("OpportunityContactRole"); n != 2 {
		t.Fatalf("%d rows", n)
	}
	far := func(records ...crm.Record) []string {
		var ids []string
		for _, record := range records {
			for _, relation := range record.Relations {
				ids = append(ids, relation.ID)
			}
		}
		slices.Sort(ids)
		return ids
	}
	read, _ := all(t, o, r)
	looked, err := o.client.Lookup(t.Context(), r, []string{deal})
	if err != nil {
		t.Fatal(err)
	}
	changed, _ := changes(t, o, r, report.NextMicros)
	want := []string{people[0], people[1]}
	slices.Sort(want)
	for how, got := range map[string][]string{"read": far(read...), "looked up": far(looked...), "as a change": far(changed[deal])} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", how, diff)
		}
	}
	if result := apply(t, o, relate(crm.Unrelate, people[0]))[0]; result.Err != nil {
		t.Errorf("%+v", result)
	}
	changed, _ = changes(t, o, r, report.NextMicros)
	if diff := cmp.Diff([]string{people[1]}, far(changed[deal])); diff != "" {
		t.Error(diff)
	}
}

func TestSandboxFaults(t *testing.T) {
	tests := []struct {
		name    string
		rule    faults.Rule
		unknown bool // the create's fate is unknown
		made    int
	}{
		{"an expired session is renewed", faults.Rule{Kind: faults.Expired, Times: 1}, false, 1},
		{"a lock is waited for", faults.Rule{Kind: faults.Locked, Method: "write", Path: "/composite", Times: 1}, false, 1},
		{"a lost answer leaves the create unknown", faults.Rule{Kind: faults.CutAfter, Method: "write", Path: "/composite", Times: 1}, true, 1},
		{"a limit on long requests is waited for", faults.Rule{Kind: faults.TooMany, Method: "write", Path: "/composite", Times: 1}, false, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := connect(t, sandbox.Config{Seed: "empty"})
				if _, err := o.client.Describe(t.Context(), "Contact"); err != nil {
					t.Fatal(err)
				}
				test.rule.Side = "salesforce"
				o.box.Dials().Set(faults.Setting{Seed: 1, LatencyMillis: 100, Rules: []faults.Rule{test.rule}})
				r := apply(t, o, create("a", value("LastName", "Fake")))[0]
				if r.Unknown != test.unknown || (r.Err != nil) != test.unknown {
					t.Errorf("%+v", r)
				}
				if n := o.server.Count("Contact"); n != test.made {
					t.Errorf("%d contacts", n)
				}
			})
		})
	}
	t.Run("a record that somebody holds is sent again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := connect(t, sandbox.Config{Seed: "empty"})
			id := o.server.Insert("Contact", map[string]any{"LastName": "Held"}, time.Time{}, time.Time{})
			o.server.Lock("Contact", id, 2)
			r := apply(t, o, crm.Write{Key: "a", Op: crm.Update, Object: "Contact", ID: id, Fields: []crm.FieldValue{value("LastName", "Free")}})[0]
			if r.Err != nil {
				t.Errorf("%+v", r)
			}
		})
	})
	t.Run("a used-up day stops everything", func(t *testing.T) {
		o := connect(t, sandbox.Config{Seed: "empty", SalesforceDaily: 1_000})
		if _, err := o.client.Describe(t.Context(), "Contact"); err != nil {
			t.Fatal(err)
		}
		o.server.SetUsed(1_000)
		results, err := o.client.Apply(context.Background(), []crm.Write{create("a", value("LastName", "Fake"))})
		if fault.KindOf(err) != fault.RateLimited || len(results) != 1 || results[0].Unknown {
			t.Errorf("%v, %+v", err, results)
		}
	})
	t.Run("a field that the user may not see is named", func(t *testing.T) {
		o := connect(t, sandbox.Config{Seed: "empty"})
		o.server.SetFieldPermission(server.IntegrationUsername, "Contact", "Title", true, false)
		r := apply(t, o, create("a", value("LastName", "x"), value("Title", "CEO")))[0]
		if r.Cause != "INVALID_FIELD_FOR_INSERT_UPDATE" || fault.MendOf(r.Err) == "" {
			t.Errorf("%+v", r)
		}
	})
}
