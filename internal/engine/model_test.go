package engine_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// TestAnyHistoryConvergesAndComesToRest lets people edit both sides at random,
// with syncs, lost answers and deaths in between, and then wants: the world
// comes to rest, both sides agree by an independent look, no record was made
// twice, and the sums of every run close.
func TestAnyHistoryConvergesAndComesToRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		names := []string{"a", "b", "c", "d"}
		made := map[string]map[string]bool{"contacts": {}, "Contact": {}}
		for step := range rapid.IntRange(1, 14).Draw(rt, "steps") {
			name := rapid.SampledFrom(names).Draw(rt, "who")
			email := name + "@acme.test"
			v, object := w.hubspot, "contacts"
			if rapid.Bool().Draw(rt, "salesforce") {
				v, object = w.salesforce, "Contact"
			}
			field := map[string]string{"contacts": "firstname", "Contact": "FirstName"}[object]
			last := map[string]string{"contacts": "lastname", "Contact": "LastName"}[object]
			mail := map[string]string{"contacts": "email", "Contact": "Email"}[object]
			all := v.sorted(object, func(r *row) bool { return !r.archived })
			switch rapid.SampledFrom([]string{"new", "edit", "edit", "sync", "death", "lose"}).Draw(rt, "what") {
			case "new":
				// People do not make the same person twice on one side.
				if len(v.sorted(object, func(r *row) bool { return r.values[mail] == email })) == 0 && !made[object][email] {
					v.add(object, last, "L"+name, mail, email)
					made[object][email] = true
				}
			case "edit":
				if len(all) > 0 {
					v.edit(object, rapid.SampledFrom(all).Draw(rt, "id"), field, fmt.Sprintf("F%d", step))
				}
			case "sync":
				run := w.sync()
				if run.Tally.Failed > 0 {
					rt.Fatalf("failed: %+v", run.Tally)
				}
			case "death":
				moment := rapid.SampledFrom([]string{"before commit", "after commit", "before call", "after call"}).Draw(rt, "moment")
				w.dieAt(moment, rapid.IntRange(1, 40).Draw(rt, "at"))
			case "lose":
				v.lose[v.total()+1] = true
			}
		}
		w.settle()
		e, s := w.open()
		v, err := e.Verify(context.Background(), func(f engine.Finding) error {
			if f.Verdict != engine.InStep {
				rt.Logf("%s %+v %+v %+v", f.Verdict, f.Reason, f.HubSpot, f.Salesforce)
			}
			return nil
		})
		s.Close()
		if err != nil || !v.InStep || !v.Closed {
			rt.Fatalf("in step %v, closed %v, %v", v != nil && v.InStep, v != nil && v.Closed, err)
		}
		seen := map[string]bool{}
		for _, c := range w.salesforce.live("Contact", "Email") {
			if seen[c] {
				rt.Fatalf("%s is there twice in Salesforce", c)
			}
			seen[c] = true
		}
		if a, b := len(w.hubspot.live("contacts")), len(w.salesforce.live("Contact")); a != b {
			rt.Fatalf("%d HubSpot contacts, %d Salesforce contacts", a, b)
		}
	})
}

// BenchmarkFirstCopy reports what a first copy costs the engine for each record,
// with both vendors in memory.
func BenchmarkFirstCopy(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				hubspot, salesforce, bound := firstCopyWorld(n)
				s, err := store.Open(context.Background(), b.TempDir()+"/lockstep.db", store.Options{})
				if err != nil {
					b.Fatal(err)
				}
				e, err := engine.New(engine.Config{Store: s, HubSpot: hubspot, Salesforce: salesforce, Mapping: bound})
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				run, err := e.Sync(context.Background(), engine.SyncOptions{})
				if err != nil || !run.Closed || run.Writes.Created != n {
					b.Fatalf("%v %+v", err, run)
				}
				b.StopTimer()
				s.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/record")
		})
	}
}
