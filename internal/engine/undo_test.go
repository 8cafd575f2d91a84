package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// undo plans and does the undo of a run in one process.
func (w *world) undo(run int64, only string) (*engine.UndoPlan, *engine.Run) {
	w.t.Helper()
	e, s := w.open()
	defer s.Close()
	plan, err := e.PlanUndo(context.Background(), run, engine.UndoOptions{Only: only})
	if err != nil {
		w.t.Fatal(err)
	}
	done, err := e.Undo(context.Background(), plan, false)
	if err != nil {
		w.t.Fatal(err)
	}
	if !done.Closed || done.Undoes != run {
		w.t.Fatalf("closed %v, undoes %d: %+v", done.Closed, done.Undoes, done.Objects)
	}
	return plan, done
}

// resting wants that syncs, quick and complete, write nothing.
func (w *world) resting() {
	w.t.Helper()
	before := w.picture()
	for _, complete := range []bool{false, true, false} {
		if run := w.syncWith(engine.SyncOptions{Complete: complete}); run.Writes.Sum() != 0 {
			w.t.Errorf("complete %v: a sync after the undo wrote %+v", complete, run.Writes)
		}
	}
	if diff := cmp.Diff(before, w.picture()); diff != "" {
		w.t.Errorf("a sync after the undo changed (-before +after):\n%s", diff)
	}
}

func TestUndoOfAFirstCopyGivesBothSidesBack(t *testing.T) {
	w := newWorld(t)
	acme(w)
	want := w.picture()
	first := w.sync()
	_, undone := w.undo(first.ID, "")
	if diff := cmp.Diff(want, w.picture()); diff != "" {
		t.Errorf("(-before the run +after its undo):\n%s", diff)
	}
	if undone.Writes.Archived != first.Writes.Created || undone.Writes.Updated == 0 {
		t.Errorf("the run wrote %+v, its undo %+v", first.Writes, undone.Writes)
	}
	w.resting()
}

// TestUndoLeavesACompanyThatALaterRunGave: a person moved to another Account, and
// then to a third; the runs followed. The undo of the first move does not take the
// contact back behind the second one.
func TestUndoLeavesACompanyThatALaterRunGave(t *testing.T) {
	w := newWorld(t)
	accounts := map[string]string{}
	for _, name := range []string{"one", "two", "three"} {
		w.hubspot.add("companies", "name", name, "domain", name+".test")
		accounts[name] = w.salesforce.add("Account", "Name", name, "Website", name+".test")
	}
	contact := w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@one.test", "AccountId", accounts["one"])
	w.settle()
	w.salesforce.edit("Contact", contact, "AccountId", accounts["two"])
	first := w.sync()
	w.salesforce.edit("Contact", contact, "AccountId", accounts["three"])
	w.settle()
	person := w.hubspot.sorted("contacts", func(*row) bool { return true })[0]
	was := fmt.Sprint(w.hubspot.objects["contacts"][person].relations)
	plan, done := w.undo(first.ID, "")
	if now := fmt.Sprint(w.hubspot.objects["contacts"][person].relations); now != was || done.Writes.Sum() != 0 {
		t.Errorf("%s became %s: %+v, %+v", was, now, done.Writes, plan)
	}
	w.resting()
}

// TestUndoLeavesACompanyThatAPersonGave: the run ended a contact's association with
// its company, and a person gave it another one since.
func TestUndoLeavesACompanyThatAPersonGave(t *testing.T) {
	w := newWorld(t)
	one := w.hubspot.add("companies", "name", "one", "domain", "one.test")
	two := w.hubspot.add("companies", "name", "two", "domain", "two.test")
	account := w.salesforce.add("Account", "Name", "one", "Website", "one.test")
	contact := w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@one.test", "AccountId", account)
	w.settle()
	person := w.hubspot.sorted("contacts", func(*row) bool { return true })[0]
	w.salesforce.edit("Contact", contact, "AccountId", "")
	first := w.sync()
	if n := len(w.hubspot.objects["contacts"][person].relations); n != 0 {
		t.Fatalf("%d associations, after the one with %s was to end", n, one)
	}
	w.hubspot.associate("contacts", person, "companies", two, true)
	w.syncWith(engine.SyncOptions{Complete: true})
	was := fmt.Sprint(w.hubspot.objects["contacts"][person].relations)
	_, done := w.undo(first.ID, "")
	if now := fmt.Sprint(w.hubspot.objects["contacts"][person].relations); now != was || done.Writes.Sum() != 0 {
		t.Errorf("%s became %s: %+v", was, now, done.Writes)
	}
	w.resting()
}

// TestAnAssociationThatTheUndoEndsWakesNobody: the run made a company in HubSpot and
// a Contact in Salesforce, and a person associated the contact with the company.
// The undo archives the company, and its association ends: that is no change of
// the contact, for which nothing is made again.
func TestAnAssociationThatTheUndoEndsWakesNobody(t *testing.T) {
	w := newWorld(t)
	w.yaml = strings.Replace(w.yaml, "create: in-salesforce", "create: both", 1)
	w.salesforce.add("Account", "Name", "Acme")
	person := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	run := w.sync()
	company := w.hubspot.sorted("companies", func(*row) bool { return true })[0]
	w.hubspot.associate("contacts", person, "companies", company, true)
	_, undone := w.undo(run.ID, "")
	if undone.Writes.Archived != 2 {
		t.Errorf("%+v", undone.Writes)
	}
	w.hubspot.dissociate("contacts", person, "companies", company) // as the vendor does
	w.resting()
}

func TestUndoneThingsAreHeldUntilASideChanges(t *testing.T) {
	w := newWorld(t)
	company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test", "phone", "1")
	account := w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test", "Phone", "1")
	person := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.settle()
	w.hubspot.edit("companies", company, "name", "Acme Ltd")
	w.undo(w.sync().ID, "")
	if got := w.salesforce.value("Account", account, "Name"); got != "Acme" {
		t.Errorf("after the undo the account is called %q", got)
	}
	if held := w.reason("companies", company); held != "held held.undone" {
		t.Errorf("the pair is %s", held)
	}
	w.resting()
	if held := w.reason("companies", company); held != "held held.undone" {
		t.Errorf("after syncs the pair is %s", held)
	}
	// Another field goes its way, and the undone one stays.
	w.salesforce.edit("Account", account, "Phone", "2")
	w.sync()
	if got := w.hubspot.value("companies", company, "phone") + w.hubspot.value("companies", company, "name") + w.salesforce.value("Account", account, "Name"); got != "2Acme LtdAcme" {
		t.Errorf("after another field changed: %q", got)
	}
	w.hubspot.edit("companies", company, "name", "Acme SE")
	w.sync()
	if got := w.salesforce.value("Account", account, "Name"); got != "Acme SE" {
		t.Errorf("after the side changed the account is called %q", got)
	}

	// A record whose copy was undone is made again when it changes, not before.
	runs := w.runs()
	w.undo(runs[len(runs)-1].ID, "people")
	if n := len(w.salesforce.live("Contact")); n != 0 {
		t.Fatalf("%d contacts after the undo", n)
	}
	w.resting()
	w.hubspot.edit("contacts", person, "firstname", "Ann")
	w.sync()
	if n := len(w.salesforce.live("Contact")); n != 1 {
		t.Errorf("%d contacts after the person was edited, want 1", n)
	}
}

// reason is how a record stands, as explain tells it.
func (w *world) reason(object, id string) string {
	w.t.Helper()
	e, s := w.open()
	defer s.Close()
	x, err := e.Explain(context.Background(), id)
	if err != nil {
		w.t.Fatalf("%s %s: %v", object, id, err)
	}
	return string(x.Things[0].Outcome) + " " + x.Things[0].Reason.Code
}

// runs are all runs, the newest first.
func (w *world) runs() []engine.Run {
	w.t.Helper()
	e, s := w.open()
	defer s.Close()
	runs, err := e.Runs(context.Background(), 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return runs
}

func TestUndoLeavesWhatSomebodyChangedSince(t *testing.T) {
	w := newWorld(t)
	company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test", "phone", "1")
	account := w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test", "Phone", "1")
	w.settle()
	w.hubspot.edit("companies", company, "name", "Acme Ltd", "phone", "2")
	run := w.sync()
	w.salesforce.edit("Account", account, "Name", "By hand")
	plan, _ := w.undo(run.ID, "")
	if got := w.salesforce.value("Account", account, "Name") + " " + w.salesforce.value("Account", account, "Phone"); got != "By hand 1" {
		t.Errorf("Salesforce has %q", got)
	}
	if plan.Tally.Synced != 1 {
		t.Errorf("%+v", plan.Tally)
	}
	// What was changed by hand goes on to HubSpot, as any change does.
	w.sync()
	if got := w.hubspot.value("companies", company, "name") + " " + w.hubspot.value("companies", company, "phone"); got != "By hand 2" {
		t.Errorf("HubSpot has %q", got)
	}
}

func TestUndoListsRecordsThatSomebodyEditedSince(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"Mapped", "Unmapped", "Alone"} {
		w.hubspot.add("contacts", "lastname", name, "email", name+"@acme.test")
	}
	run := w.sync()
	id := func(name string) string {
		return w.salesforce.sorted("Contact", func(r *row) bool { return r.values["LastName"] == name })[0]
	}
	w.salesforce.edit("Contact", id("Mapped"), "Phone", "5")
	w.salesforce.edit("Contact", id("Unmapped"), "Description", "somebody's work")
	e, s := w.open()
	plan, err := e.PlanUndo(context.Background(), run.ID, engine.UndoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	if err := plan.Items(context.Background(), engine.ItemFilter{Outcome: crm.Held}, func(it engine.Item) error {
		left = append(left, it.Title+": "+it.Reason.Code)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	slices.Sort(left)
	if diff := cmp.Diff([]string{"Mapped: held.undo-left", "Unmapped: held.undo-left"}, left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	w.undo(run.ID, "")
	if diff := cmp.Diff([]string{"LastName=Mapped", "LastName=Unmapped"}, w.salesforce.live("Contact", "LastName")); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
}

// TestUndoLeavesARecordWhoseEditWentToWhatWasMergedSince: a person gave a Contact that
// the run made a phone, so soon that its stamp does not tell it from ours. That it went
// to HubSpot tells, though the contact there was merged into another one since.
func TestUndoLeavesARecordWhoseEditWentToWhatWasMergedSince(t *testing.T) {
	w := newWorld(t)
	ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	bob := w.hubspot.add("contacts", "lastname", "Ray", "email", "bob@acme.test")
	run := w.sync()
	contact := w.salesforce.sorted("Contact", func(r *row) bool { return r.values["LastName"] == "Lee" })[0]
	w.hubspot.edit("contacts", ann, "firstname", "Ann")
	w.sync()
	made := w.salesforce.objects["Contact"][contact]
	soon := made.modified + 1_000_000
	w.salesforce.edit("Contact", contact, "Phone", "5")
	made.modified = soon
	w.syncWith(engine.SyncOptions{Complete: true})
	if got := w.hubspot.value("contacts", ann, "phone"); got != "5" {
		t.Fatalf("the phone in HubSpot is %q", got)
	}
	w.hubspot.merge("contacts", ann, bob)
	w.sync()
	w.undo(run.ID, "")
	if made.archived {
		t.Error("the Contact that somebody gave a phone is archived")
	}
}

// TestUndoLeavesWhatSomebodyFilledInOfARecordThatIsLeftOver: the Contact that a contact
// was made of was merged into another one, so that nothing is known of what the contact
// held. The phone in it may be somebody's work.
func TestUndoLeavesWhatSomebodyFilledInOfARecordThatIsLeftOver(t *testing.T) {
	for _, filled := range []bool{true, false} {
		w := newWorld(t)
		ann := w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@acme.test")
		bob := w.salesforce.add("Contact", "LastName", "Ray", "Email", "bob@acme.test")
		run := w.sync()
		contact := w.hubspot.sorted("contacts", func(r *row) bool { return r.values["lastname"] == "Lee" })[0]
		made := w.hubspot.objects["contacts"][contact]
		if filled {
			soon := made.modified + 1
			w.hubspot.edit("contacts", contact, "phone", "5")
			made.modified = soon
		}
		w.salesforce.merge("Contact", bob, ann)
		w.sync()
		w.undo(run.ID, "")
		if made.archived == filled {
			t.Errorf("filled in %v, and archived %v", filled, made.archived)
		}
	}
}

func TestUndoRestoresWhatAPersonMayRestore(t *testing.T) {
	w := newWorld(t)
	w.yaml = replace(w.yaml, "    deletes: ask\n", "    deletes: archive\n")
	ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.hubspot.add("contacts", "lastname", "Ray", "email", "bob@acme.test")
	w.sync()
	contact := func(name string) string {
		return w.salesforce.sorted("Contact", func(r *row) bool { return r.values["LastName"] == name })[0]
	}
	w.hubspot.archive("contacts", ann)
	w.salesforce.archive("Contact", contact("Ray"))
	run := w.sync()
	if run.Writes.Archived != 2 {
		t.Fatalf("%+v", run.Writes)
	}
	plan, undone := w.undo(run.ID, "")
	if undone.Writes.Restored != 1 || plan.Tally.Held != 1 {
		t.Errorf("restored %+v, plan %+v", undone.Writes, plan.Tally)
	}
	if diff := cmp.Diff([]string{"LastName=Lee"}, w.salesforce.live("Contact", "LastName")); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
	if len(w.hubspot.live("contacts")) != 0 {
		t.Error("HubSpot has no API to restore with, and yet there is a contact")
	}
	w.resting()
}

func TestAnUndoCanBeUndone(t *testing.T) {
	w := newWorld(t)
	acme(w)
	first := w.sync()
	want := w.picture()
	_, undone := w.undo(first.ID, "")
	w.resting()
	w.undo(undone.ID, "")
	got := w.picture()
	// HubSpot cannot restore what the first undo archived there.
	for _, object := range []string{"Account", "Contact", "companies"} {
		if diff := cmp.Diff(want[object], got[object]); diff != "" {
			t.Errorf("%s (-after the run +after the undo of its undo):\n%s", object, diff)
		}
	}
	w.resting()
}

func TestUndoOfOneRecord(t *testing.T) {
	w := newWorld(t)
	a := w.hubspot.add("contacts", "lastname", "A", "email", "a@acme.test")
	w.hubspot.add("contacts", "lastname", "B", "email", "b@acme.test")
	run := w.sync()
	e, s := w.open()
	_, err := e.PlanUndo(context.Background(), run.ID, engine.UndoOptions{Only: "999"})
	s.Close()
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.MendOf(err), "runs show") {
		t.Errorf("an id that the run did not write: %v", err)
	}
	w.undo(run.ID, a)
	if diff := cmp.Diff([]string{"LastName=B"}, w.salesforce.live("Contact", "LastName")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUndoObeysBrakesAndRights(t *testing.T) {
	w := newWorld(t)
	w.yaml += "brakes: {deletes: 1}\n"
	for _, n := range []string{"a", "b", "c"} {
		w.hubspot.add("contacts", "lastname", n, "email", n+"@acme.test")
	}
	run := w.sync()
	_, undone := w.undo(run.ID, "")
	if undone.Status != engine.RunBraked || undone.Exit() != fault.ExitBrake || len(w.salesforce.live("Contact")) != 3 {
		t.Errorf("status %s, exit %d, %d contacts", undone.Status, undone.Exit(), len(w.salesforce.live("Contact")))
	}
	w.salesforce.schemas["Contact"].Deletable = false
	e, s := w.open()
	defer s.Close()
	plan, err := e.PlanUndo(context.Background(), run.ID, engine.UndoOptions{})
	if err != nil || plan.Tally.Held != 3 || plan.Writes() != 0 {
		t.Errorf("without the right to delete: %v %+v", err, plan)
	}
}

func TestUndoKeepsAnAccountOnWhichOthersHang(t *testing.T) {
	w := newWorld(t)
	w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
	run := w.sync()
	account := w.salesforce.sorted("Account", func(*row) bool { return true })[0]
	w.salesforce.add("Contact", "LastName", "Somebody's", "AccountId", account)
	w.undo(run.ID, "")
	if len(w.salesforce.live("Account")) != 1 {
		t.Error("an account was deleted on which a contact of others hangs")
	}
}
