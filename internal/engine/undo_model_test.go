package engine_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// frozen is everything that both sides hold, record by record: "side object id
// field" → value, and "side object id" → "live" or "archived".
func (w *world) frozen() map[string]string {
	all := map[string]string{}
	for _, v := range []*vendor{w.hubspot, w.salesforce} {
		v.mu.Lock()
		for object, rows := range v.objects {
			for id, r := range rows {
				name := fmt.Sprintf("%s %s %s", v.side, object, id)
				all[name] = "live"
				if r.archived {
					all[name] = "archived"
					continue
				}
				for field, value := range r.values {
					if value != "" {
						all[name+" "+field] = value
					}
				}
				for _, x := range r.relations {
					all[name+" with "+x.Object+" "+x.ID] = "related"
				}
			}
		}
		v.mu.Unlock()
	}
	return all
}

// without leaves out records that are not there, and those named in touched.
func without(all map[string]string, touched map[string]bool) map[string]string {
	kept := map[string]string{}
	for name, value := range all {
		var side, object, id string
		if _, err := fmt.Sscan(name, &side, &object, &id); err != nil {
			panic(err)
		}
		record := side + " " + object + " " + id
		if all[record] == "live" && !touched[record] {
			kept[name] = value
		}
	}
	return kept
}

// editAtRandom lets a person do one thing; it returns the record it was done to.
func (w *world) editAtRandom(rt *rapid.T, step int, made map[string]bool) string {
	v, object := w.hubspot, "contacts"
	if rapid.Bool().Draw(rt, "salesforce") {
		v, object = w.salesforce, "Contact"
	}
	fields := map[string][]string{"contacts": {"firstname", "lastname", "email", "phone"}, "Contact": {"FirstName", "LastName", "Email", "Phone"}}[object]
	live := v.sorted(object, func(r *row) bool { return !r.archived })
	what := rapid.SampledFrom([]string{"new", "edit", "edit", "edit", "archive"}).Draw(rt, "what")
	switch {
	case what == "new" || len(live) == 0:
		name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(rt, "who")
		if made[object+name] {
			return ""
		}
		made[object+name] = true
		return fmt.Sprintf("%s %s %s", v.side, object, v.add(object, fields[1], "L"+name, fields[2], name+"@acme.test"))
	case what == "archive":
		id := rapid.SampledFrom(live).Draw(rt, "id")
		v.archive(object, id)
		return fmt.Sprintf("%s %s %s", v.side, object, id)
	default:
		id := rapid.SampledFrom(live).Draw(rt, "id")
		field := rapid.SampledFrom([]int{0, 1, 3}).Draw(rt, "field")
		v.edit(object, id, fields[field], fmt.Sprintf("V%d", step))
		return fmt.Sprintf("%s %s %s", v.side, object, id)
	}
}

// TestUndoGivesBackWhatNobodyElseChanged lets people edit both sides at random,
// syncs, lets them edit again, and undoes a run: every record that nobody touched
// after it, and that no later run wrote to, is as it was before it. Then the world rests: syncs neither repeat nor
// reverse the undo.
func TestUndoGivesBackWhatNobodyElseChanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.yaml = replace(w.yaml, "    deletes: ask\n", "    deletes: "+rapid.SampledFrom([]string{"ask", "archive", "ignore"}).Draw(rt, "deletes")+"\n")
		made := map[string]bool{}
		step := 0
		edits := func(most int) map[string]bool {
			touched := map[string]bool{}
			for range rapid.IntRange(0, most).Draw(rt, "edits") {
				step++
				if name := w.editAtRandom(rt, step, made); name != "" {
					touched[name] = true
				}
			}
			return touched
		}
		for range rapid.IntRange(0, 2).Draw(rt, "earlier") {
			edits(6)
			w.sync()
		}
		edits(8)
		before := w.frozen()
		run := w.sync()
		touched := edits(3)
		if rapid.Bool().Draw(rt, "another run") {
			maps.Copy(touched, w.writtenBy(w.sync().ID))
		}
		_, undone := w.undo(run.ID, "")
		if undone.Tally.Failed > 0 {
			rt.Fatalf("failed: %+v", undone.Tally)
		}
		// Only a person can restore in HubSpot.
		for name, state := range w.frozen() {
			if state == "archived" && before[name] == "live" && name[:7] == "hubspot" {
				touched[name] = true
			}
		}
		// The partner of a record that somebody touched may have followed it.
		for name := range touched {
			touched[w.partnerOf(name)] = true
		}
		if diff := cmp.Diff(without(before, touched), without(w.frozen(), touched)); diff != "" {
			rt.Fatalf("run %d (-before it +after its undo), touched %v:\n%s", run.ID, touched, diff)
		}
		settled := w.frozen()
		quiet := len(touched) == 1 && touched[""] || len(touched) == 0 // nobody changed anything meanwhile
		// What waited for its counterpart to be free may have it now, which has
		// nothing to do with what was undone.
		if quiet && !w.waits() {
			for _, complete := range []bool{false, true} {
				if again := w.syncWith(engine.SyncOptions{Complete: complete}); again.Writes.Sum() != 0 {
					rt.Fatalf("a sync after the undo wrote %+v\n%s", again.Writes, cmp.Diff(settled, w.frozen()))
				}
			}
		} else {
			w.settle()
		}
	})
}

// waits tells whether a record waits for another one to be merged or freed.
func (w *world) waits() bool {
	w.t.Helper()
	e, s := w.open()
	defer s.Close()
	status, err := e.Status(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range status.Objects {
		for _, c := range o.Outcomes {
			if c.Outcome == crm.Held && c.Code != engine.CodeHeldUndone {
				return true
			}
		}
	}
	return false
}

// writtenBy names the records that a run wrote to.
func (w *world) writtenBy(run int64) map[string]bool {
	w.t.Helper()
	e, s := w.open()
	defer s.Close()
	names := map[string]bool{}
	if err := e.Journal(context.Background(), run, func(j engine.JournalEntry) error {
		names[fmt.Sprintf("%s %s %s", j.Record.Side, j.Record.Object, j.Record.ID)] = true
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return names
}

// partnerOf names the record that a record is linked with, or "".
func (w *world) partnerOf(name string) string {
	w.t.Helper()
	var side, object, id string
	if _, err := fmt.Sscan(name, &side, &object, &id); err != nil {
		return ""
	}
	_, s := w.open()
	defer s.Close()
	links, err := s.Links(context.Background(), "people", crm.Side(side), []string{id})
	if err != nil {
		w.t.Fatal(err)
	}
	l, ok := links[id]
	switch {
	case !ok:
		return ""
	case side == "hubspot":
		return "salesforce " + l.SalesforceObject + " " + l.SalesforceID
	}
	return "hubspot contacts " + l.HubSpotID
}

// TestDeathAtEveryMomentOfAnUndoLosesNothing dies at every commit and every call
// of an undo, lets a sync run, undoes again, and wants the same end as without a
// death: what the run wrote is taken back, and no archive is followed as if a
// person had deleted.
func TestDeathAtEveryMomentOfAnUndoLosesNothing(t *testing.T) {
	start := func() (*world, int64, map[string]string) {
		w := newWorld(t)
		w.yaml = replace(w.yaml, "    deletes: ask\n", "    deletes: archive\n")
		acme(w)
		before := w.frozen()
		return w, w.sync().ID, before
	}
	// Before a commit is, for the store, after the one before it.
	for _, moment := range []string{"after commit", "before call", "after call"} {
		for _, syncBetween := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, sync between %v", moment, syncBetween), func(t *testing.T) {
				t.Parallel()
				for n := 1; ; n++ {
					w, run, before := start()
					if !w.undoDyingAt(moment, n, run) {
						if n < 4 {
							t.Errorf("only %d moments", n-1)
						}
						break
					}
					if syncBetween {
						w.sync()
					}
					for _, r := range w.runs() {
						if r.Kind == "sync" {
							w.undo(r.ID, "") // also what the sync between may have written anew
						}
					}
					if diff := cmp.Diff(without(before, nil), without(w.frozen(), nil)); diff != "" {
						t.Fatalf("died at %d (-before the run +after its undo):\n%s", n, diff)
					}
					w.resting()
				}
			})
		}
	}
}

// undoDyingAt undoes a run and dies at the n-th moment; false when it came through.
func (w *world) undoDyingAt(moment string, n int, run int64) bool {
	w.t.Helper()
	count, died := 0, false
	var mu sync.Mutex
	at := func(m string) error {
		mu.Lock()
		defer mu.Unlock()
		if died {
			return errDead
		}
		if m != moment {
			return nil
		}
		if count++; count == n {
			died = true
			return errDead
		}
		return nil
	}
	w.options.Commit = func(s store.Stage) error { return at(string(s)) }
	for _, v := range []*vendor{w.hubspot, w.salesforce} {
		v.before, v.after = func(string) error { return at("before call") }, func(string) error { return at("after call") }
	}
	e, s := w.open()
	plan, err := e.PlanUndo(context.Background(), run, engine.UndoOptions{})
	if err == nil {
		_, err = e.Undo(context.Background(), plan, false)
	}
	s.Close()
	w.options.Commit = nil
	for _, v := range []*vendor{w.hubspot, w.salesforce} {
		v.before, v.after = nil, nil
	}
	if died && err == nil {
		w.t.Fatal("it died and said nothing")
	}
	return died
}
