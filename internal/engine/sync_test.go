package engine_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// acme fills both sides: a company and a person that are there on both sides
// already, some that are new, a subscriber, and an ambiguity.
func acme(w *world) {
	w.hubspot.add("companies", "name", "Acme", "domain", "acme.test", "phone", "030 1234567")
	globex := w.hubspot.add("companies", "name", "Globex", "domain", "globex.test")
	w.salesforce.add("Account", "Name", "ACME Inc", "Website", "https://www.acme.test/", "AnnualRevenue", "5000")
	w.salesforce.add("Account", "Name", "Only in Salesforce")
	w.hubspot.add("contacts", "firstname", "Ann", "lastname", "Lee", "email", "ann@acme.test")
	w.salesforce.add("Contact", "FirstName", "Ann", "LastName", "Lee", "Email", "Ann@Acme.test", "Phone", "030 99")
	bob := w.hubspot.add("contacts", "firstname", "Bob", "lastname", "Ray", "email", "bob@globex.test")
	w.hubspot.relate("contacts", bob, "companies", globex)
	w.hubspot.add("contacts", "lastname", "Sub", "email", "sub@acme.test", "lifecyclestage", "subscriber")
	w.hubspot.add("contacts", "lastname", "Twin", "email", "twin@acme.test")
	w.salesforce.add("Contact", "LastName", "Twin", "Email", "twin@acme.test")
	w.salesforce.add("Contact", "LastName", "Twin II", "Email", "TWIN@acme.test")
	w.hubspot.add("contacts", "firstname", "No last name", "email", "noname@acme.test")
	w.salesforce.add("Contact", "LastName", "Back", "Email", "back@acme.test")
}

func TestFirstSyncLinksFillsCreatesExcludesAndHolds(t *testing.T) {
	w := newWorld(t)
	acme(w)
	run := w.sync()
	want := []engine.RunObject{
		{Name: "companies", Read: 3, Tally: crm.Tally{Synced: 2, Excluded: 1}, Closed: true},
		// Ann is linked, Bob made in Salesforce, Back in HubSpot; Sub is left out;
		// the three Twins and the one without a last name are held.
		{Name: "people", Read: 8, Tally: crm.Tally{Synced: 3, Excluded: 1, Held: 4}, Closed: true},
	}
	if diff := cmp.Diff(want, run.Objects); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Name=Acme Website=https://www.acme.test/ Phone=030 1234567", "Name=Globex Website=globex.test Phone=", "Name=Only in Salesforce Website= Phone="},
		w.salesforce.live("Account", "Name", "Website", "Phone")); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if n := len(w.salesforce.live("Contact")); n != 5 {
		t.Errorf("%d contacts in Salesforce, want 5", n)
	}
	if diff := cmp.Diff([]string{"lastname=", "lastname=Back", "lastname=Lee", "lastname=Ray", "lastname=Sub", "lastname=Twin"},
		w.hubspot.live("contacts", "lastname")); diff != "" {
		t.Errorf("HubSpot contacts (-want +got):\n%s", diff)
	}
}

func TestReferenceOfANewRecordIsResolvedInTheSameRun(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.sync()
	globex := ""
	for id, r := range w.salesforce.objects["Account"] {
		if r.values["Name"] == "Globex" {
			globex = id
		}
	}
	for _, r := range w.salesforce.objects["Contact"] {
		if r.values["LastName"] == "Ray" && r.values["AccountId"] != globex {
			t.Errorf("Bob's account is %q, want %q", r.values["AccountId"], globex)
		}
	}
}

func TestSecondSyncWritesNothingAndCostsFewCalls(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.sync()
	for round := range 3 {
		hubspot, salesforce := w.hubspot.calls, w.salesforce.calls
		before := w.hubspot.applied + w.salesforce.applied
		run := w.sync()
		if n := w.hubspot.applied + w.salesforce.applied - before; n != 0 || run.Writes.Sum() != 0 {
			t.Fatalf("round %d wrote %d records, run says %+v", round, n, run.Writes)
		}
		if round > 0 && (w.hubspot.calls-hubspot > 4 || w.salesforce.calls-salesforce > 4) {
			t.Errorf("round %d: %d HubSpot and %d Salesforce calls for two objects", round, w.hubspot.calls-hubspot, w.salesforce.calls-salesforce)
		}
	}
}

func TestChangesFlowBothWays(t *testing.T) {
	w := newWorld(t)
	company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
	w.sync()
	account := w.salesforce.sorted("Account", func(*row) bool { return true })[0]

	w.hubspot.edit("companies", company, "name", "Acme Ltd")
	w.salesforce.edit("Account", account, "AnnualRevenue", "70", "Phone", "555 1234")
	w.sync()
	if got := w.salesforce.value("Account", account, "Name"); got != "Acme Ltd" {
		t.Errorf("Salesforce name %q", got)
	}
	if got := w.hubspot.value("companies", company, "annualrevenue") + " " + w.hubspot.value("companies", company, "phone"); got != "70 555 1234" {
		t.Errorf("HubSpot has %q", got)
	}
	// Somebody puts the value back to what it was before our write: that is a
	// change like any other.
	w.salesforce.edit("Account", account, "Name", "Acme")
	w.sync()
	if got := w.hubspot.value("companies", company, "name"); got != "Acme" {
		t.Errorf("HubSpot name %q after Salesforce took its change back", got)
	}
	// A field that goes one way is not written back.
	w.salesforce.edit("Account", account, "Website", "elsewhere.test")
	w.sync()
	if got := w.hubspot.value("companies", company, "domain"); got != "acme.test" {
		t.Errorf("HubSpot domain %q", got)
	}
}

func TestWhatItsCandidateKeptOutIsDecidedAgainWhenThatIsGone(t *testing.T) {
	w := newWorld(t)
	candidate := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "lifecyclestage", "subscriber")
	w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@acme.test")
	if run := w.sync(); run.Tally.Excluded != 2 {
		t.Fatalf("outcomes %+v", run.Tally)
	}
	w.hubspot.archive("contacts", candidate)
	if run := w.sync(); run.Writes.Created != 1 {
		t.Errorf("its candidate is gone, and it was not created: %+v, %+v", run.Writes, run.Tally)
	}
}

func TestDeletedRecordsAreNoticed(t *testing.T) {
	w := newWorld(t)
	person := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	gone := w.hubspot.add("contacts", "firstname", "held", "email", "held@acme.test")
	w.sync()
	w.hubspot.archive("contacts", person)
	w.hubspot.archive("contacts", gone)
	run := w.sync()
	if diff := cmp.Diff(crm.Tally{Held: 1}, run.Tally); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if run = w.sync(); run.Tally.Sum() != run.Read {
		t.Errorf("read %d, outcomes %+v", run.Read, run.Tally)
	}
	// Restored, it goes on.
	w.hubspot.objects["contacts"][person].archived = false
	w.hubspot.edit("contacts", person, "lastname", "Lee-Ray")
	w.sync()
	if diff := cmp.Diff([]string{"LastName=Lee-Ray"}, w.salesforce.live("Contact", "LastName")); diff != "" {
		t.Errorf("Salesforce (-want +got):\n%s", diff)
	}
}

// What was planned waits with the values that were read. Somebody who puts them
// back before the sync must not find them written nevertheless.
func TestAChangeThatWasTakenBackAfterThePlanIsNotWritten(t *testing.T) {
	for name, c := range map[string]struct{ change, back func(w *world, id string) }{
		"an edit": {
			func(w *world, id string) { w.hubspot.edit("contacts", id, "phone", "222") },
			func(w *world, id string) { w.hubspot.edit("contacts", id, "phone", "111") },
		},
		"a deletion": {
			func(w *world, id string) { w.hubspot.archive("contacts", id) },
			func(w *world, id string) {
				w.hubspot.objects["contacts"][id].archived = false
				w.hubspot.edit("contacts", id)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.yaml = replace(w.yaml, "deletes: ask", "deletes: archive")
			id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "phone", "111")
			w.settle()
			c.change(w, id)
			w.sealed()
			c.back(w, id)
			if run := w.sync(); run.Writes.Sum() != 0 {
				t.Errorf("wrote %+v", run.Writes)
			}
			if diff := cmp.Diff([]string{"LastName=Lee Phone=111"}, w.salesforce.live("Contact", "LastName", "Phone")); diff != "" {
				t.Errorf("Salesforce (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatCameBackIsNotFollowedIntoItsDeletion: a deletion was read, and waits; the
// record is restored, and the search does not show that yet. Its partner is not
// deleted before the record was looked at once more.
func TestWhatCameBackIsNotFollowedIntoItsDeletion(t *testing.T) {
	w := newWorld(t)
	w.yaml = replace(w.yaml, "deletes: ask", "deletes: archive")
	id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.settle()
	w.hubspot.archive("contacts", id)
	w.sealed()
	w.hubspot.objects["contacts"][id].archived, w.hubspot.late = false, true
	if run := w.sync(); run.Writes.Archived != 0 {
		t.Errorf("wrote %+v", run.Writes)
	}
	w.hubspot.late = false
	w.settle()
	if n := len(w.salesforce.live("Contact")); n != 1 {
		t.Errorf("%d Contacts are left", n)
	}
}

func TestCompleteReadFindsWhatChangeFeedsDoNotTell(t *testing.T) {
	w := newWorld(t)
	a := w.hubspot.add("contacts", "lastname", "A", "email", "a@acme.test")
	w.hubspot.add("contacts", "lastname", "B", "email", "b@acme.test")
	w.sync()
	w.sync()
	delete(w.hubspot.objects["contacts"], a) // purged: no feed tells
	if run := w.sync(); run.Tally.Held != 0 {
		t.Fatalf("noticed without a complete read: %+v", run.Tally)
	}
	if run := w.syncWith(engine.SyncOptions{Complete: true}); run.Tally.Held != 1 {
		t.Errorf("after a complete read: %+v", run.Tally)
	}
}

func TestHeldRecordGoesOnOnceItIsMended(t *testing.T) {
	w := newWorld(t)
	twin := w.hubspot.add("contacts", "lastname", "Twin", "email", "twin@acme.test")
	one := w.salesforce.add("Contact", "LastName", "Twin", "Email", "twin@acme.test")
	two := w.salesforce.add("Contact", "LastName", "Twin", "Email", "twin@acme.test")
	if run := w.sync(); run.Tally.Held != 3 {
		t.Fatalf("%+v", run.Tally)
	}
	w.salesforce.archive("Contact", two)
	run := w.sync()
	if run.Tally.Held != 0 || run.Writes.Linked != 1 {
		t.Errorf("after the duplicate was deleted: %+v %+v", run.Tally, run.Writes)
	}
	w.hubspot.edit("contacts", twin, "firstname", "Tim")
	w.sync()
	if got := w.salesforce.value("Contact", one, "FirstName"); got != "Tim" {
		t.Errorf("the link does not carry: %q", got)
	}
}

func TestMatchThatAppearsLaterIsLinkedNotDuplicated(t *testing.T) {
	w := newWorld(t)
	w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test")
	if run := w.sync(); run.Tally.Excluded != 1 {
		t.Fatalf("%+v", run.Tally)
	}
	w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
	if run := w.sync(); run.Writes.Linked != 1 || run.Writes.Created != 0 {
		t.Errorf("%+v", run.Writes)
	}
}

func TestANewMappingLooksAtEverythingAgain(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.sync()
	w.yaml = w.yaml[:len(w.yaml)-len("    associations: [{hubspot: companies, salesforce: AccountId}]\n")] +
		"      - {hubspot: jobtitle, salesforce: Title}\n    associations: [{hubspot: companies, salesforce: AccountId}]\n"
	for id, r := range w.hubspot.objects["contacts"] {
		if r.values["lastname"] == "Ray" {
			r.values["jobtitle"] = "Buyer" // long ago: no feed tells
			_ = id
		}
	}
	run := w.sync()
	if run.Writes.Updated != 1 || run.Writes.Created != 0 {
		t.Errorf("%+v", run.Writes)
	}
	if run := w.sync(); run.Writes.Sum() != 0 {
		t.Errorf("again: %+v", run.Writes)
	}
}

func TestRefusedRecordFailsAloneAndIsToldWhy(t *testing.T) {
	w := newWorld(t)
	w.hubspot.add("companies", "name", "Good", "domain", "good.test")
	w.hubspot.add("companies", "name", "Bad", "domain", "bad.test")
	w.salesforce.refuse = refuseNamed("Bad")
	run := w.sync()
	if diff := cmp.Diff(crm.Tally{Synced: 1, Failed: 1}, run.Tally); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if run.Exit() != 5 {
		t.Errorf("exit %d", run.Exit())
	}
	w.salesforce.refuse = nil
	if run := w.sync(); run.Writes.Sum() != 0 {
		t.Errorf("what was refused is tried again by itself: %+v", run.Writes)
	}
	w.retry("")
	if run := w.sync(); run.Writes.Created != 1 {
		t.Errorf("not tried again when a person said so: %+v", run.Writes)
	}
}

func TestBrakeHoldsThePlanForAPerson(t *testing.T) {
	w := newWorld(t)
	w.yaml += "brakes: {creates: 2}\n"
	acme(w)
	w.hubspot.add("companies", "name", "Third", "domain", "third.test")
	run := w.sync()
	if run.Status != engine.RunBraked || run.Exit() != 6 || w.salesforce.applied != 0 {
		t.Fatalf("status %s, exit %d, %d writes", run.Status, run.Exit(), w.salesforce.applied)
	}
	if run.Tally.Pending == 0 {
		t.Errorf("%+v", run.Tally)
	}
	if run = w.syncWith(engine.SyncOptions{ReleaseBrakes: true}); run.Writes.Created != 4 {
		t.Errorf("released: %+v", run.Writes)
	}
}

func TestPlanWritesNothingAndSaysWhatSyncDoes(t *testing.T) {
	w := newWorld(t)
	acme(w)
	e, s := w.open()
	p, err := e.Plan(context.Background(), engine.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := w.hubspot.applied + w.salesforce.applied; n != 0 {
		t.Fatalf("the plan wrote %d records", n)
	}
	items := 0
	if err := p.Items(context.Background(), engine.ItemFilter{}, func(engine.Item) error { items++; return nil }); err != nil {
		t.Fatal(err)
	}
	if items != p.Read || p.Read != 11 || !p.Closed {
		t.Errorf("%d items, read %d, closed %v", items, p.Read, p.Closed)
	}
	s.Close()
	run := w.sync()
	if diff := cmp.Diff(p.Tally, run.Tally); diff != "" {
		t.Errorf("sync did not do what the plan said (-plan +sync):\n%s", diff)
	}
}
