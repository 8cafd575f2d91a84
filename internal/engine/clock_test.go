package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// machineClock is the clock of the machine that Lockstep runs on. The vendors
// have clocks of their own.
type machineClock struct{ ahead atomic.Int64 }

func (c *machineClock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *machineClock) put(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

// withClock gives the world a machine clock and keeps the remarks that are made.
func (w *world) withClock() (clock *machineClock, notes *[]string) {
	clock, notes = &machineClock{}, &[]string{}
	w.options.Now = clock.now
	var mu sync.Mutex
	w.progress = func(e engine.Event) {
		if e.Note != "" {
			mu.Lock()
			*notes = append(*notes, e.Note)
			mu.Unlock()
		}
	}
	return clock, notes
}

const year = 365 * 24 * time.Hour

// TestAClockThatIsPutBackInACycleLosesNothing numbers the commits and calls of a
// first sync, and puts the clock back there, by an hour or a year: once from the
// right time to a wrong one, once from a wrong one to the right time, and once
// with the process dying at the same moment. The end is the same as with a clock
// that nobody touches, and later edits of both sides arrive.
func TestAClockThatIsPutBackInACycleLosesNothing(t *testing.T) {
	calm := newWorld(t)
	acme(calm)
	calm.settle()
	want := calm.picture()
	for _, at := range []struct {
		name          string
		before, after time.Duration
		dies          bool
	}{
		{"an hour back from the right time", 0, -time.Hour, false},
		{"a year back to the right time", year, 0, false},
		{"an hour back to the right time, and it dies", time.Hour, 0, true},
		{"a year back from the right time, and it dies", 0, -year, true},
	} {
		for _, moment := range []string{"after commit", "before call", "after call"} {
			t.Run(at.name+", "+moment, func(t *testing.T) {
				t.Parallel()
				const step = 5 // every fifth moment: they are many, and alike
				for n := 1; ; n += step {
					w := newWorld(t)
					clock, _ := w.withClock()
					clock.put(at.before)
					acme(w)
					if !w.at(moment, n, func() { clock.put(at.after) }, at.dies) {
						break
					}
					w.settle()
					if diff := cmp.Diff(want, w.picture()); diff != "" {
						t.Fatalf("moment %d (-calm +jumped):\n%s", n, diff)
					}
					w.arrives(fmt.Sprintf("moment %d", n))
				}
			})
		}
	}
}

// at runs one sync that does something at the n-th moment of a kind, and dies
// there if it shall; false when there is no such moment.
func (w *world) at(moment string, n int, do func(), dies bool) bool {
	w.t.Helper()
	var mu sync.Mutex
	count, came := 0, false
	look := func(m string) error {
		mu.Lock()
		defer mu.Unlock()
		if m == moment && !came {
			if count++; count == n {
				came = true
				do()
			}
		}
		if came && dies {
			return errDead
		}
		return nil
	}
	w.options.Commit = func(s store.Stage) error { return look(string(s)) }
	for _, v := range []*vendor{w.hubspot, w.salesforce} {
		v.before = func(string) error { return look("before call") }
		v.after = func(string) error { return look("after call") }
	}
	e, s := w.open()
	_, err := e.Sync(context.Background(), engine.SyncOptions{})
	s.Close()
	w.options.Commit = nil
	for _, v := range []*vendor{w.hubspot, w.salesforce} {
		v.before, v.after = nil, nil
	}
	if (came && dies) != (err != nil) {
		w.t.Fatalf("%s %d: %v", moment, n, err)
	}
	return came
}

// arrives edits a linked pair of companies on both sides, and wants both edits
// on both sides by the next sync.
func (w *world) arrives(when string) {
	w.t.Helper()
	var company, account string
	for _, pair := range w.pairsOf("companies") {
		company, account, _ = strings.Cut(pair, "=")
	}
	if account == "" {
		w.t.Fatalf("%s: no pair of companies in %v", when, w.pairsOf("companies"))
	}
	w.hubspot.edit("companies", company, "phone", "030 555")
	w.salesforce.edit("Account", account, "AnnualRevenue", "4711")
	w.sync()
	hub, org := w.hubspot.objects["companies"][company].values, w.salesforce.objects["Account"][account].values
	if org["Phone"] != "030 555" || hub["annualrevenue"] != "4711" {
		w.t.Errorf("%s: after a later edit HubSpot holds %v and Salesforce %v", when, hub, org)
	}
}

// TestAClockThatIsPutBackBetweenCycles looks at everything that is remembered
// with a time, one by one.
func TestAClockThatIsPutBackBetweenCycles(t *testing.T) {
	for _, back := range []time.Duration{time.Hour, year} {
		t.Run(back.String(), func(t *testing.T) {
			t.Run("it is said once", func(t *testing.T) {
				w := newWorld(t)
				clock, notes := w.withClock()
				acme(w)
				w.settle()
				clock.put(-back)
				w.sync()
				w.sync()
				if len(*notes) != 1 || !strings.Contains((*notes)[0], "was put back") {
					t.Errorf("the remarks are %q", *notes)
				}
				runs := w.runs()
				for i := 1; i < len(runs); i++ {
					if runs[i].ID > runs[i-1].ID {
						t.Errorf("run %d comes before run %d", runs[i-1].ID, runs[i].ID)
					}
				}
			})
			t.Run("what failed for the moment is tried again", func(t *testing.T) {
				w := newWorld(t)
				clock, _ := w.withClock()
				w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				tries := 0
				w.salesforce.refuse = refuseAs(fault.Unavailable, &tries)
				w.sync()
				w.sync() // now it would wait a minute
				clock.put(-back)
				if w.sync(); tries != 3 {
					t.Errorf("tried %d times, want 3", tries)
				}
				if w.sync(); tries != 3 {
					t.Errorf("tried %d times, want 3: now it waits by the new time", tries)
				}
			})
			t.Run("a source of hints that was heard in the future is caught up with", func(t *testing.T) {
				w := newWorld(t)
				clock, _ := w.withClock()
				acme(w)
				w.sync()
				e, s := w.open()
				defer s.Close()
				ctx := context.Background()
				if err := e.Hold(ctx); err != nil {
					t.Fatal(err)
				}
				if err := e.Hear(ctx, engine.SourceWebhooks, nil, []byte("7")); err != nil {
					t.Fatal(err)
				}
				clock.put(-back)
				if mark, err := e.Mark(ctx, engine.SourceWebhooks, crm.HubSpot); mark != nil || err != nil {
					t.Errorf("mark %q, %v; want none, and everything read again", mark, err)
				}
				if run, err := e.Sync(ctx, engine.SyncOptions{}); err != nil || !reading(t, run, crm.HubSpot, "contacts").Complete {
					t.Errorf("%+v, %v", run, err)
				}
			})
			t.Run("a complete read is made", func(t *testing.T) {
				w := newWorld(t)
				clock, _ := w.withClock()
				acme(w)
				w.settle()
				clock.put(-back)
				if r := reading(t, w.sync(), crm.Salesforce, "Contact"); !r.Complete {
					t.Error("how old the last one is cannot be told, and none was made")
				}
				if r := reading(t, w.sync(), crm.Salesforce, "Contact"); r.Complete {
					t.Error("another one is made, too")
				}
			})
		})
	}
}

// TestADecisionOfUnknownAgeIsCheckedAgain: after a plan is made the clock is put
// back, so that nobody can tell how old it is, and a person edits what is about
// to be written. The edit is not overwritten.
func TestADecisionOfUnknownAgeIsCheckedAgain(t *testing.T) {
	w := newWorld(t)
	clock, _ := w.withClock()
	acme(w)
	w.settle()
	company, account, _ := strings.Cut(w.pairsOf("companies")[0], "=")
	w.hubspot.edit("companies", company, "phone", "030 555")
	decided := false
	var state *store.Store
	w.options.Commit = func(s store.Stage) error {
		if s != store.AfterCommit || decided || state == nil {
			return nil
		}
		rows, err := state.PlanRows(context.Background(), "companies", crm.HubSpot, []string{company})
		if err != nil || len(rows) == 0 {
			return err
		}
		decided = true
		clock.put(-time.Hour)
		for range 3 { // later than HubSpot's edit, by the clocks of the fakes
			w.salesforce.edit("Account", account, "Phone", "040 777")
		}
		return nil
	}
	var e *engine.Engine
	e, state = w.open()
	_, err := e.Sync(context.Background(), engine.SyncOptions{})
	state.Close()
	if err != nil {
		t.Fatal(err)
	}
	w.options.Commit = nil
	if !decided {
		t.Fatal("nothing was planned")
	}
	w.settle()
	if got := w.salesforce.objects["Account"][account].values["Phone"]; got != "040 777" {
		t.Errorf("Salesforce holds %s: a person's edit was overwritten", got)
	}
}

// TestAClockThatRunsAheadForgetsNothing: the history is kept for 90 days by the
// vendors' time, not by that of a machine that is a year ahead for an hour.
func TestAClockThatRunsAheadForgetsNothing(t *testing.T) {
	w := newWorld(t)
	clock, _ := w.withClock()
	acme(w)
	w.settle()
	runs := len(w.runs())
	clock.put(year)
	w.sync()
	clock.put(0)
	w.sync()
	plan, _ := w.undo(w.runs()[len(w.runs())-1].ID, "")
	if plan.Writes() == 0 || runs == 0 {
		t.Errorf("the first of %d runs cannot be undone any more: %+v", runs, plan.Tally)
	}
}
