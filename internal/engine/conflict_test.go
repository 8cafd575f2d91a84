package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// conflicts lists what waits for a person.
func (w *world) conflicts() []engine.Conflict {
	w.t.Helper()
	_, s := w.open()
	defer s.Close()
	list, err := engine.ConflictsOf(context.Background(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// answer answers a conflict as Ops.
func (w *world) answer(id int64, take, value, link string) error {
	w.t.Helper()
	_, s := w.open()
	defer s.Close()
	c, err := engine.ConflictOf(context.Background(), s, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return engine.Resolve(context.Background(), s, c, engine.ConflictAnswer{Take: take, Value: value, Link: link, By: "Ops"})
}

// clash is one pair whose phone was changed on both sides.
func clash(t *testing.T, wins string) (w *world, h, s string) {
	w = newWorld(t)
	w.yaml = strings.Replace(w.yaml, "salesforce: Phone, wins: newest", "salesforce: Phone, wins: "+wins, 1)
	h = w.hubspot.add("contacts", "firstname", "Ann", "lastname", "Lee", "email", "ann@acme.test", "phone", "030 100")
	w.sync()
	s = w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
	w.silent()
	return w, h, s
}

func TestNewestIsDecidedByWhenTheFieldWasSet(t *testing.T) {
	w, h, s := clash(t, "newest")
	// HubSpot's phone is the older one, its record the newer one.
	w.hubspot.edit("contacts", h, "phone", "030 111")
	w.salesforce.clock = w.hubspot.clock
	w.salesforce.edit("Contact", s, "Phone", "030 222")
	w.hubspot.clock = w.salesforce.clock
	w.hubspot.edit("contacts", h, "firstname", "Anna")
	run := w.sync()
	if a, b := w.hubspot.value("contacts", h, "phone"), w.salesforce.value("Contact", s, "Phone"); a != "030 222" || b != "030 222" {
		t.Errorf("phone: HubSpot %q, Salesforce %q", a, b)
	}
	why := ""
	e, st := w.open()
	if err := e.Journal(context.Background(), run.ID, func(j engine.JournalEntry) error {
		for _, c := range j.Changes {
			if c.Field == "phone" {
				why = c.Why
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	st.Close()
	if !strings.HasPrefix(why, "both changed, newest: salesforce (HubSpot ") || !strings.Contains(why, "by Ann, Salesforce record ") {
		t.Errorf("why: %q", why)
	}
	w.silent()
}

func TestTimesOfFieldsAreAskedForOnlyWhereBothSidesChanged(t *testing.T) {
	w, h, s := clash(t, "newest")
	if n := w.hubspot.timed + w.salesforce.timed; n != 0 {
		t.Errorf("a first copy and quiet cycles asked for the times of %d records", n)
	}
	w.hubspot.edit("contacts", h, "phone", "030 111")
	w.sync()
	w.salesforce.edit("Contact", s, "Phone", "030 222")
	w.sync()
	if n := w.hubspot.timed + w.salesforce.timed; n != 0 {
		t.Errorf("one-sided changes asked for the times of %d records", n)
	}
	w.hubspot.edit("contacts", h, "phone", "030 1")
	w.salesforce.edit("Contact", s, "Phone", "030 2")
	w.sync()
	if w.hubspot.timed != 1 || w.salesforce.timed != 1 {
		t.Errorf("a conflict asked for the times of %d HubSpot and %d Salesforce records", w.hubspot.timed, w.salesforce.timed)
	}
	w.silent()
	if w.hubspot.timed != 1 {
		t.Errorf("quiet cycles asked again: %d", w.hubspot.timed)
	}
}

func TestAHeldFieldIsShownWithBothValuesTimesAndPeople(t *testing.T) {
	w, h, s := clash(t, "hold")
	w.hubspot.edit("contacts", h, "phone", "030 111")
	w.salesforce.edit("Contact", s, "Phone", "030 222")
	w.sync()
	list := w.conflicts()
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	c := list[0]
	if c.Kind != "field" || c.Field != "phone/Phone" || c.Title != "Ann Lee" || c.HubSpot.ID != h || c.Salesforce.ID != s || c.Reason.Code != "held.conflict" {
		t.Errorf("%+v", c)
	}
	for i, want := range []struct {
		field, value, by string
		ofRecord         bool
	}{{"phone", "030 111", "Ann", false}, {"Phone", "030 222", "Ann", true}} {
		if v := c.Values[i]; v.Field != want.field || v.Value == nil || *v.Value != want.value || v.By != want.by || v.OfRecord != want.ofRecord || v.Set.IsZero() {
			t.Errorf("value %d: %+v", i, v)
		}
	}
	timed := w.hubspot.timed
	w.silent()
	if again := w.conflicts(); len(again) != 1 || again[0].ID != c.ID || w.hubspot.timed != timed {
		t.Errorf("it does not stay as it is: %+v, times asked for %d more", again, w.hubspot.timed-timed)
	}
}

func TestAnAnswerIsDoneByTheNextSyncAndJournalledWithWhoGaveIt(t *testing.T) {
	for name, test := range map[string]struct{ take, value, want string }{
		"HubSpot's value":    {"hubspot", "", "030 111"},
		"Salesforce's value": {"salesforce", "", "030 222"},
		"another value":      {"value", "030 333", "030 333"},
	} {
		t.Run(name, func(t *testing.T) {
			w, h, s := clash(t, "hold")
			w.hubspot.edit("contacts", h, "phone", "030 111", "firstname", "Anna")
			w.salesforce.edit("Contact", s, "Phone", "030 222")
			w.sync()
			if got := w.salesforce.value("Contact", s, "FirstName"); got != "Ann" {
				t.Fatalf("a held thing was half written: %q", got)
			}
			if err := w.answer(w.conflicts()[0].ID, test.take, test.value, ""); err != nil {
				t.Fatal(err)
			}
			run := w.sync()
			if a, b := w.hubspot.value("contacts", h, "phone"), w.salesforce.value("Contact", s, "Phone"); a != test.want || b != test.want {
				t.Errorf("HubSpot %q, Salesforce %q, want %q", a, b, test.want)
			}
			if got := w.salesforce.value("Contact", s, "FirstName"); got != "Anna" {
				t.Errorf("the rest of the record was not written: %q", got)
			}
			if left := w.conflicts(); len(left) != 0 {
				t.Errorf("left: %+v", left)
			}
			e, st := w.open()
			defer st.Close()
			resolved := 0
			if err := e.Journal(context.Background(), run.ID, func(j engine.JournalEntry) error {
				for _, c := range j.Changes {
					if strings.HasPrefix(c.Why, "resolved by Ops") {
						resolved++
					}
				}
				return nil
			}); err != nil || resolved == 0 {
				t.Errorf("the journal does not tell who resolved it, %v", err)
			}
			st.Close()
			w.silent()
		})
	}
}

func TestAnAnswerHoldsForJustTheValuesThatWereShown(t *testing.T) {
	w, h, s := clash(t, "hold")
	w.hubspot.edit("contacts", h, "phone", "030 111")
	w.salesforce.edit("Contact", s, "Phone", "030 222")
	w.sync()
	first := w.conflicts()[0]
	if err := w.answer(first.ID, "hubspot", "", ""); err != nil {
		t.Fatal(err)
	}
	w.salesforce.edit("Contact", s, "Phone", "030 999") // meanwhile
	if run := w.sync(); run.Writes.Sum() != 0 {
		t.Errorf("%+v", run.Writes)
	}
	again := w.conflicts()
	if len(again) != 1 || again[0].ID != first.ID || again[0].Answer != nil || *again[0].Values[1].Value != "030 999" {
		t.Errorf("it is not shown anew: %+v", again)
	}
	// An answer to what was shown before is refused.
	_, st := w.open()
	err := engine.Resolve(context.Background(), st, &first, engine.ConflictAnswer{Take: "hubspot", By: "Ops"})
	st.Close()
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("an old answer: %v", err)
	}
}

func TestAnAnswerGoesBeforeARuleThatWasWrittenSince(t *testing.T) {
	w, h, s := clash(t, "hold")
	w.hubspot.edit("contacts", h, "phone", "030 111")
	w.salesforce.edit("Contact", s, "Phone", "030 222")
	w.sync()
	if err := w.answer(w.conflicts()[0].ID, "value", "030 333", ""); err != nil {
		t.Fatal(err)
	}
	// Somebody answers another conflict of the field with "always HubSpot" meanwhile.
	w.yaml = strings.Replace(w.yaml, "wins: hold", "wins: hubspot", 1)
	w.sync()
	if a, b := w.hubspot.value("contacts", h, "phone"), w.salesforce.value("Contact", s, "Phone"); a != "030 333" || b != "030 333" {
		t.Errorf("HubSpot %q, Salesforce %q", a, b)
	}
	// The next one is decided by the rule.
	w.hubspot.edit("contacts", h, "phone", "030 444")
	w.salesforce.edit("Contact", s, "Phone", "030 555")
	w.sync()
	if a, b := w.hubspot.value("contacts", h, "phone"), w.salesforce.value("Contact", s, "Phone"); a != "030 444" || b != "030 444" {
		t.Errorf("HubSpot %q, Salesforce %q", a, b)
	}
	if left := w.conflicts(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	w.silent()
}

func TestAConflictThatPeopleMendOnBothSidesGoesAway(t *testing.T) {
	w, h, s := clash(t, "hold")
	w.hubspot.edit("contacts", h, "phone", "030 111")
	w.salesforce.edit("Contact", s, "Phone", "030 222")
	w.sync()
	w.hubspot.edit("contacts", h, "phone", "030 222")
	w.sync()
	if left := w.conflicts(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestADeletionThatWaitsForAnAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		take    string
		created int
		gone    bool
	}{
		"archive the other one, too": {"archive", 0, true},
		"keep it":                    {"keep", 0, false},
		"make it again":              {"restore", 1, false},
	} {
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			t.Run(fmt.Sprintf("deleted in %s, %s", side, name), func(t *testing.T) {
				w, h, s := clash(t, "hold")
				w.yaml = strings.Replace(w.yaml, "create: both", "create: never", 1) // a person may all the same
				w.sync()
				w.silent()
				v, object, id, other, otherObject, otherID := w.hubspot, "contacts", h, w.salesforce, "Contact", s
				if side == crm.Salesforce {
					v, object, id, other, otherObject, otherID = other, otherObject, otherID, v, object, id
				}
				v.archive(object, id)
				w.sync()
				list := w.conflicts()
				if len(list) != 1 || list[0].Kind != "delete" || list[0].Gone != side {
					t.Fatalf("%+v", list)
				}
				if err := w.answer(list[0].ID, test.take, "", ""); err != nil {
					t.Fatal(err)
				}
				run := w.sync()
				if run.Writes.Created != test.created || other.archived(otherObject, otherID) != test.gone {
					t.Errorf("%+v, archived %v", run.Writes, other.archived(otherObject, otherID))
				}
				w.silent()
				if test.take == "keep" {
					// The answer stands when the record changes later on.
					other.edit(otherObject, otherID, map[string]string{"contacts": "firstname", "Contact": "FirstName"}[otherObject], "Later")
					w.sync()
				}
				waiting := 0
				for _, c := range w.conflicts() {
					if c.Answer == nil {
						waiting++
					}
				}
				if waiting != 0 {
					t.Errorf("%d still wait", waiting)
				}
			})
		}
	}
}

func TestAPersonChoosesAmongSeveralCandidates(t *testing.T) {
	w := newWorld(t)
	h := w.hubspot.add("contacts", "lastname", "Twin", "email", "twin@acme.test")
	one := w.salesforce.add("Contact", "LastName", "One", "Email", "twin@acme.test")
	two := w.salesforce.add("Contact", "LastName", "Two", "Email", "twin@acme.test")
	w.sync()
	var mine *engine.Conflict
	for _, c := range w.conflicts() {
		if c.HubSpot != nil && c.HubSpot.ID == h {
			mine = &c
		}
	}
	if mine == nil || mine.Kind != "match" || len(mine.Candidates) != 2 {
		t.Fatalf("%+v", w.conflicts())
	}
	if err := w.answer(mine.ID, "link", "", "003000000000009AAA"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a record that is no candidate: %v", err)
	}
	if err := w.answer(mine.ID, "hubspot", "", ""); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.MendOf(err), "--link") {
		t.Errorf("an answer that does not fit: %v", err)
	}
	if err := w.answer(mine.ID, "link", "", two); err != nil {
		t.Fatal(err)
	}
	if run := w.sync(); run.Writes.Linked != 1 || run.Writes.Created != 0 {
		t.Errorf("%+v", run.Writes)
	}
	if diff := cmp.Diff([]string{h + "=" + two}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if got := w.reasonOf("people", crm.Salesforce, one); got != "held held.already-linked" {
		t.Errorf("the other one is %q", got)
	}
	w.silent()
	if left := w.conflicts(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestConflictsOfAMergedRecordGoWithIt(t *testing.T) {
	w, h, s := clash(t, "hold")
	w.hubspot.edit("contacts", h, "phone", "030 111")
	w.salesforce.edit("Contact", s, "Phone", "030 222")
	other := w.hubspot.add("contacts", "firstname", "Ann", "email", "other@acme.test", "lifecyclestage", "subscriber")
	w.sync()
	n := w.hubspot.merge("contacts", h, other)
	w.hubspot.edit("contacts", n, "lifecyclestage", "lead")
	w.sync()
	list := w.conflicts()
	if len(list) != 1 || list[0].HubSpot.ID != n {
		t.Fatalf("%+v", list)
	}
	if err := w.answer(list[0].ID, "salesforce", "", ""); err != nil {
		t.Fatal(err)
	}
	w.sync()
	if got := w.hubspot.value("contacts", n, "phone"); got != "030 222" {
		t.Errorf("HubSpot has %q", got)
	}
}

// TestAnAnswerStaysWhileSomethingElseHoldsTheThing: two fields of a pair wait for a
// person, or a match and a field of the two records. Each question is asked once,
// however many syncs there are between the answers.
func TestAnAnswerStaysWhileSomethingElseHoldsTheThing(t *testing.T) {
	for name, begin := range map[string]func(w *world){
		"two fields": func(w *world) {
			h := w.hubspot.add("contacts", "firstname", "Ann", "lastname", "Lee", "email", "ann@acme.test", "phone", "030 100")
			w.settle()
			s := w.salesforce.sorted("Contact", live)[0]
			w.hubspot.edit("contacts", h, "phone", "030 111", "firstname", "Anna")
			w.salesforce.edit("Contact", s, "Phone", "030 222", "FirstName", "Anne")
		},
		"a match and a field": func(w *world) {
			w.hubspot.add("contacts", "firstname", "Anna", "lastname", "Lee", "email", "ann@acme.test")
			w.salesforce.add("Contact", "FirstName", "Anne", "LastName", "Lee", "Email", "ann@acme.test")
			w.salesforce.add("Contact", "FirstName", "Anne", "LastName", "Li", "Email", "ann@acme.test")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.yaml = strings.NewReplacer("salesforce: Phone, wins: newest", "salesforce: Phone, wins: hold", "salesforce: FirstName}", "salesforce: FirstName, wins: hold}").Replace(w.yaml)
			begin(w)
			w.settle()
			asked := map[string]bool{}
			for range 4 {
				for _, c := range w.conflicts() {
					question := fmt.Sprint(c.Kind, c.Field)
					if c.Answer != nil || c.HubSpot == nil {
						continue
					}
					if asked[question] {
						t.Errorf("it asks for %s again", question)
					}
					asked[question] = true
					take, link := "hubspot", ""
					if c.Kind == reconcile.ConflictMatch {
						take, link = reconcile.TakeLink, c.Candidates[0].ID
					}
					if err := w.answer(c.ID, take, "", link); err != nil {
						t.Fatal(err)
					}
					break // the other question waits for the next day
				}
				w.settle()
			}
			if len(asked) != 2 {
				t.Errorf("asked: %v", asked)
			}
			if list := w.conflicts(); name == "two fields" && len(list) != 0 {
				t.Errorf("%d conflicts are left", len(list))
			}
		})
	}
}
