package engine_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// failed lists what failed as "record class tries".
func (w *world) failed() []engine.FailedRecord {
	w.t.Helper()
	_, s := w.open()
	defer s.Close()
	list, err := engine.FailedOf(context.Background(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// refuseAs refuses every create with a fault of this kind, counting them.
func refuseAs(kind fault.Kind, tries *int) func(crm.Write) error {
	return func(w crm.Write) error {
		if w.Op != crm.Create {
			return nil
		}
		*tries++
		return fault.New(kind, "not now")
	}
}

// TestR10TransientFailuresAreTriedWithGrowingWaitsUntilTheBudgetEnds: complaint
// R10. Class, tries, next try and budget are visible; exhaustion is loud.
func TestR10TransientFailuresAreTriedWithGrowingWaitsUntilTheBudgetEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
		tries := 0
		w.salesforce.refuse = refuseAs(fault.Unavailable, &tries)
		var waits []time.Duration
		last := time.Time{}
		for range 20 {
			before := tries
			if w.sync(); tries != before+1 {
				t.Fatalf("tried %d times when its time had come", tries-before)
			}
			if !last.IsZero() {
				waits = append(waits, time.Since(last).Round(time.Minute))
			}
			last = time.Now()
			f := w.failed()
			if len(f) != 1 || f[0].Tries != tries || f[0].Status != "REFUSED" || f[0].Record.ID != ann {
				t.Fatalf("after %d tries: %+v", tries, f)
			}
			if f[0].Class == store.Exhausted {
				break
			}
			if wait := time.Until(f[0].Next); wait > 0 {
				time.Sleep(wait / 2)
				if w.sync(); tries != before+1 {
					t.Errorf("it was tried before its time, %s too early", wait/2)
				}
				time.Sleep(time.Until(f[0].Next))
			} else {
				time.Sleep(time.Minute) // the next cycle
			}
		}
		time.Sleep(48 * time.Hour)
		run := w.sync()
		if tries != 12 {
			t.Errorf("%d tries by itself", tries)
		}
		want := []time.Duration{1, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60}
		for i := range want {
			want[i] *= time.Minute
		}
		if diff := cmp.Diff(want, waits); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		if f := w.failed()[0]; f.Class != store.Exhausted || !f.Next.IsZero() || f.Tries != f.Budget {
			t.Errorf("%+v", f)
		}
		if run.Exhausted != 1 || run.Exit() != fault.ExitRecords {
			t.Errorf("the run says exhausted %d, exit %d", run.Exhausted, run.Exit())
		}
		// A person looks, and has it tried again with a fresh budget.
		w.salesforce.refuse = nil
		w.retry(ann)
		if w.sync(); len(w.failed()) != 0 || len(w.salesforce.live("Contact")) != 1 {
			t.Errorf("after the retry: %+v", w.failed())
		}
		if line := w.story(ann)[0]; line != fmt.Sprintf("%d by hand: synced synced.created", w.runs()[0].ID) {
			t.Errorf("the story begins with %q", line)
		}
	})
}

// retry is `lockstep errors retry`.
func (w *world) retry(text string) int {
	w.t.Helper()
	_, s := w.open()
	defer s.Close()
	n, err := engine.RetryFailed(context.Background(), s, w.bound().Mapping, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// TestR10PermanentFailuresAreNeverTriedByThemselves: complaint R10.
func TestR10PermanentFailuresAreNeverTriedByThemselves(t *testing.T) {
	for name, kind := range map[string]fault.Kind{"the vendor refuses the value": fault.Invalid, "the credential may not": fault.Denied} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				other := w.hubspot.add("contacts", "lastname", "Ok", "email", "ok@acme.test")
				tries := 0
				w.salesforce.refuse = func(c crm.Write) error {
					if c.Op == crm.Create && c.Fields[0].Value.Text == "Lee" || len(c.Fields) > 1 && c.Fields[1].Value.Text == "Lee" {
						tries++
						return fault.New(kind, "no")
					}
					return nil
				}
				for range 5 {
					w.sync()
					w.hubspot.edit("contacts", other, "firstname", fmt.Sprint(tries)) // neighbours wake nothing
					time.Sleep(25 * time.Hour)                                        // complete reads, too
				}
				if tries != 1 {
					t.Errorf("tried %d times by itself", tries)
				}
				if f := w.failed(); len(f) != 1 || f[0].Class != store.Permanent || !f[0].Next.IsZero() {
					t.Errorf("%+v", f)
				}
				w.hubspot.edit("contacts", ann, "firstname", "Ann")
				if w.sync(); tries != 2 {
					t.Errorf("tried %d times after the record changed, want 2", tries)
				}
				if n := w.retry(""); n != 1 {
					t.Errorf("retry --all took %d", n)
				}
				if w.sync(); tries != 3 {
					t.Errorf("tried %d times after a person said so, want 3", tries)
				}
			})
		})
	}
}

// TestR24EveryRowThatFailedHasStatusAndFieldAndTheRunDoesNotEndWell: complaint R24.
// TestR10AValueThatAnotherRecordHasIsNotTriedAgain: that does not pass by itself; a
// person merges the two or changes one, and the next change of the record goes on.
func TestR10AValueThatAnotherRecordHasIsNotTriedAgain(t *testing.T) {
	w := newWorld(t)
	ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.settle()
	w.hubspot.edit("contacts", ann, "phone", "1")
	tries := 0
	w.salesforce.refuse = func(write crm.Write) error {
		tries++
		return fault.New(fault.Conflict, "duplicate value found").WithMend("merge the two, or change one")
	}
	for range 3 {
		w.sync()
	}
	if got := w.reason("people", ann); got != "failed failed.refused" || tries != 1 {
		t.Errorf("%s, after %d tries", got, tries)
	}
	w.salesforce.refuse = nil
	w.hubspot.edit("contacts", ann, "phone", "2")
	w.settle()
	if diff := cmp.Diff([]string{"Phone=2"}, w.salesforce.live("Contact", "Phone")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestR24EveryRowThatFailedHasStatusAndFieldAndTheRunDoesNotEndWell(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		w.hubspot.add("contacts", "lastname", fmt.Sprintf("P%d", i), "email", fmt.Sprintf("p%d@acme.test", i))
	}
	w.salesforce.refuse = func(c crm.Write) error {
		for _, f := range c.Fields {
			if f.Name == "LastName" && len(f.Value.Text) == 3 {
				return fault.New(fault.Invalid, "the value is refused")
			}
		}
		return nil
	}
	w.salesforce.blame = []string{"LastName"}
	run := w.sync()
	if run.Tally.Failed != 20 || run.Tally.Synced != 10 || run.Exit() == fault.ExitOK {
		t.Fatalf("%+v, exit %d", run.Tally, run.Exit())
	}
	failed := w.failed()
	if len(failed) != 20 {
		t.Fatalf("%d failures are stored", len(failed))
	}
	for _, f := range failed {
		if f.Status != "REFUSED" || f.Field != "LastName" || f.Request == "" || f.Reason.Text == "" || f.Reason.Code != engine.CodeFailedRefused {
			t.Errorf("%+v", f)
		}
	}
	// It stays told by the store until it is mended, and the sums keep it.
	_, s := w.open()
	defer s.Close()
	status, err := engine.StatusOf(context.Background(), s, w.bound().Mapping)
	if err != nil || status.Failures[store.Permanent] != 20 {
		t.Errorf("%v %+v", err, status.Failures)
	}
}
