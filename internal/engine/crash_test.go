package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// picture is everything that both sides hold, for comparison.
func (w *world) picture() map[string][]string {
	return map[string][]string{
		"companies": w.hubspot.live("companies", "name", "domain", "phone", "annualrevenue"),
		"contacts":  w.hubspot.live("contacts", "firstname", "lastname", "email", "phone"),
		"Account":   w.salesforce.live("Account", "Name", "Website", "Phone", "AnnualRevenue"),
		"Contact":   w.salesforce.live("Contact", "FirstName", "LastName", "Email", "Phone"),
	}
}

// settle syncs until nothing is written any more.
func (w *world) settle() {
	w.t.Helper()
	for range 5 {
		if w.sync().Writes.Sum() == 0 {
			return
		}
	}
	w.t.Fatal("it never comes to rest")
}

// TestDeathAtEveryMomentLosesNothingAndDoublesNothing numbers every commit and
// every call of a first sync, dies there, once before and once after it, starts
// a new process, and wants the same end as without a death.
func TestDeathAtEveryMomentLosesNothingAndDoublesNothing(t *testing.T) {
	calm := newWorld(t)
	acme(calm)
	calm.settle()
	want := calm.picture()

	for _, moment := range []string{"before commit", "after commit", "before call", "after call"} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				w := newWorld(t)
				acme(w)
				if !w.dieAt(moment, n) {
					if n < 5 {
						t.Errorf("only %d moments", n-1)
					}
					break
				}
				w.settle()
				if diff := cmp.Diff(want, w.picture()); diff != "" {
					t.Fatalf("died at %d (-calm +crashed):\n%s", n, diff)
				}
			}
		})
	}
}

// dieAt runs one sync that dies at the n-th moment; false when it came through.
func (w *world) dieAt(moment string, n int) bool {
	w.t.Helper()
	return w.at(moment, n, func() {}, true)
}

func TestLostAnswerToACreateMakesNoSecondRecord(t *testing.T) {
	for _, side := range []crm.Side{crm.Salesforce, crm.HubSpot} {
		for n := 1; n <= 4; n++ {
			t.Run(fmt.Sprintf("%s create %d", side, n), func(t *testing.T) {
				w := newWorld(t)
				acme(w)
				w.hubspot.add("companies", "name", "No key at all", "phone", "1")
				w.salesforce.add("Contact", "LastName", "Keyless", "FirstName", "Kim")
				v := w.salesforce
				if side == crm.HubSpot {
					v = w.hubspot
				}
				v.lose[n] = true
				w.settle()
				calm := newWorld(t)
				acme(calm)
				calm.hubspot.add("companies", "name", "No key at all", "phone", "1")
				calm.salesforce.add("Contact", "LastName", "Keyless", "FirstName", "Kim")
				calm.settle()
				if diff := cmp.Diff(calm.picture(), w.picture()); diff != "" {
					t.Errorf("(-calm +lost):\n%s", diff)
				}
			})
		}
	}
}

func TestCreateWithAnExternalIdIsFoundByIt(t *testing.T) {
	w := newWorld(t)
	w.yaml = replace(w.yaml, "    create: in-salesforce\n", "    create: in-salesforce\n    external-id: HubSpot_Id__c\n")
	w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
	w.salesforce.lose[1] = true
	run := w.sync()
	if run.Tally.Synced != 1 || len(w.salesforce.live("Account")) != 1 {
		t.Errorf("%+v, %d accounts", run.Tally, len(w.salesforce.live("Account")))
	}
	if run := w.sync(); run.Writes.Sum() != 0 {
		t.Errorf("second run wrote %+v", run.Writes)
	}
}

func TestLostCreateWithSeveralCandidatesIsHeld(t *testing.T) {
	w := newWorld(t)
	w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.salesforce.lose[1] = true
	w.salesforce.after = func(call string) error {
		if call == "apply" { // at the same moment somebody else makes the same record
			w.salesforce.insert("Contact", map[string]string{"LastName": "Lee", "Email": "ann@acme.test"})
		}
		return nil
	}
	run := w.sync()
	if run.Tally.Held != 1 {
		t.Errorf("%+v", run.Tally)
	}
	w.salesforce.after = nil
	if run := w.sync(); run.Writes.Created != 0 {
		t.Errorf("created a third: %+v", run.Writes)
	}
	if n := len(w.salesforce.live("Contact")); n != 2 {
		t.Errorf("%d records", n)
	}
}

// TestWhatSomebodyElseMadeIsNotTakenForALostCreate: a create is lost on its way
// while a person makes a record with the same key. That record is the other half
// of the pair, and what the person wrote into it is theirs: it is compared as on
// a first match, and no write of ours.
func TestWhatSomebodyElseMadeIsNotTakenForALostCreate(t *testing.T) {
	for _, later := range []bool{false, true} {
		t.Run(fmt.Sprintf("looked up in the next run %v", later), func(t *testing.T) {
			w := newWorld(t)
			w.yaml = replace(w.yaml, "salesforce: Phone, wins: newest}", "salesforce: Phone, wins: hold}")
			w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "phone", "111")
			lost := false
			w.salesforce.vanish = func(write crm.Write) bool {
				lost = true
				w.salesforce.insert("Contact", map[string]string{"LastName": "Lee", "Email": "ann@acme.test", "Phone": "222"})
				return true
			}
			w.salesforce.before = func(string) error {
				if lost && later {
					return fault.New(fault.Unavailable, "away")
				}
				return nil
			}
			e, s := w.open()
			run, err := e.Sync(context.Background(), engine.SyncOptions{})
			s.Close()
			if (err != nil) != later || run.Writes.Created != 0 || !lost {
				t.Fatalf("error %v, lost %v, %+v", err, lost, run.Writes)
			}
			w.salesforce.vanish, w.salesforce.before = nil, nil
			w.settle()
			if run := w.sync(); run.Tally.Held != 1 {
				t.Errorf("%+v", run.Tally)
			}
			if diff := cmp.Diff([]string{"LastName=Lee Phone=222"}, w.salesforce.live("Contact", "LastName", "Phone")); diff != "" {
				t.Errorf("Salesforce (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"lastname=Lee phone=111"}, w.hubspot.live("contacts", "lastname", "phone")); diff != "" {
				t.Errorf("HubSpot (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatALookForALostCreateShowsIsKnownToTheNextDecision: a create is lost on its
// way while a person makes the same record, and the change feed is late. The
// mapping does not write the key, so that the record cannot be taken for ours; but
// it was seen, and is linked instead of a second one being made.
func TestWhatALookForALostCreateShowsIsKnownToTheNextDecision(t *testing.T) {
	w := newWorld(t)
	w.yaml = replace(w.yaml, "      - {hubspot: email, salesforce: Email}\n", "")
	w.sync()
	w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@acme.test")
	w.hubspot.late = true
	w.hubspot.vanish = func(crm.Write) bool {
		w.hubspot.vanish = nil
		w.hubspot.insert("contacts", map[string]string{"lastname": "Lea", "email": "ann@acme.test"})
		return true
	}
	run := w.sync()
	if run.Writes.Created != 0 || run.Writes.Linked != 1 {
		t.Errorf("%+v", run.Writes)
	}
	w.hubspot.late = false
	w.settle()
	if n := len(w.hubspot.live("contacts")); n != 1 {
		t.Errorf("%d contacts", n)
	}
}

func TestDeniedStopsTheRunAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.salesforce.before = func(call string) error {
		if call == "apply" {
			return fault.New(fault.Denied, "the session is dead").WithMend("connect again")
		}
		return nil
	}
	e, s := w.open()
	run, err := e.Sync(context.Background(), engine.SyncOptions{})
	s.Close()
	if fault.KindOf(err) != fault.Denied || run.Status != engine.RunStopped {
		t.Fatalf("error %v, run %+v", err, run)
	}
	if !run.Closed || run.Tally.Pending == 0 {
		t.Errorf("closed %v, %+v", run.Closed, run.Tally)
	}
	w.salesforce.before = nil
	w.settle()
	calm := newWorld(t)
	acme(calm)
	calm.settle()
	if diff := cmp.Diff(calm.picture(), w.picture()); diff != "" {
		t.Errorf("(-calm +denied):\n%s", diff)
	}
}

func TestInterruptedRunFinishesItsBatchAndSaves(t *testing.T) {
	w := newWorld(t)
	acme(w)
	ctx, cancel := context.WithCancel(context.Background())
	w.salesforce.before = func(call string) error {
		if call == "apply" {
			cancel()
		}
		return nil
	}
	e, s := w.open()
	run, err := e.Sync(ctx, engine.SyncOptions{})
	s.Close()
	if !errors.Is(err, context.Canceled) || run.Status != engine.RunStopped {
		t.Fatalf("error %v, status %v", err, run.Status)
	}
	if run.Writes.Created == 0 {
		t.Error("the batch under way was not finished")
	}
	w.salesforce.before = nil
	w.settle()
}

func TestFullDiskSaysSoAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	for i := range 400 {
		w.hubspot.add("contacts", "lastname", fmt.Sprintf("Person %d with a rather long name to fill the pages", i), "email", fmt.Sprintf("p%d@acme.test", i))
	}
	w.options.MaxBytes = 200 << 10
	e, s := w.open()
	_, err := e.Sync(context.Background(), engine.SyncOptions{})
	if err == nil || !store.IsStorage(err) || fault.MendOf(err) == "" {
		t.Fatalf("error %v, mend %q", err, fault.MendOf(err))
	}
	s.Close()
	w.options.MaxBytes = 0
	w.settle()
	if n := len(w.salesforce.live("Contact")); n != 400 {
		t.Errorf("%d contacts, want 400", n)
	}
}
