package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// phones is a world whose people have phones, under a policy.
func phones(t *testing.T, policy string) *world {
	w := newWorld(t)
	w.yaml += "policies:\n  - " + policy + "\n"
	return w
}

const keepPhones = `{name: a phone is never lost, for: people, side: salesforce, deny: 'before.Phone != "" and after.Phone == ""', then: %s}`

// pairOfTwo makes two linked people with phones, and edits both in HubSpot: one
// loses its phone, the other gets a new one.
func pairOfTwo(w *world) {
	a := w.hubspot.add("contacts", "lastname", "A", "email", "a@acme.test", "phone", "111")
	b := w.hubspot.add("contacts", "lastname", "B", "email", "b@acme.test", "phone", "222")
	w.settle()
	w.hubspot.edit("contacts", a, "phone", "")
	w.hubspot.edit("contacts", b, "phone", "333")
}

func TestPolicyHoldsTheRecordThatBreaksIt(t *testing.T) {
	w := phones(t, fmt.Sprintf(keepPhones, "hold"))
	pairOfTwo(w)
	run := w.sync()
	if diff := cmp.Diff(crm.Tally{Synced: 1, Held: 1}, run.Tally); diff != "" || run.Exit() != 0 {
		t.Errorf("exit %d, outcomes (-want +got):\n%s", run.Exit(), diff)
	}
	if diff := cmp.Diff([]string{"LastName=A Phone=111", "LastName=B Phone=333"}, w.salesforce.live("Contact", "LastName", "Phone")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e, s := w.open()
	defer s.Close()
	p, err := e.Plan(context.Background(), engine.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]engine.PolicyCount{{Name: "a phone is never lost", Then: "hold", Broken: 1, Limit: -1}}, p.Policies); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	var told []string
	if err := p.Items(context.Background(), engine.ItemFilter{Breaks: true}, func(it engine.Item) error {
		told = append(told, fmt.Sprint(it.Title, " ", it.Reason.Code, " ", it.Reason.Text, " ", it.Breaks, " ", len(it.Writes)))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`A held.policy the policy "a phone is never lost" forbids it: change Phone from "111" to blank in Salesforce [a phone is never lost] 0`}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestHeldByPolicyGoesOnOnceItIsMended(t *testing.T) {
	w := phones(t, fmt.Sprintf(keepPhones, "hold"))
	pairOfTwo(w)
	w.sync()
	id := w.hubspot.sorted("contacts", func(r *row) bool { return r.values["lastname"] == "A" })[0]
	w.hubspot.edit("contacts", id, "phone", "444")
	w.sync()
	if diff := cmp.Diff([]string{"LastName=A Phone=444", "LastName=B Phone=333"}, w.salesforce.live("Contact", "LastName", "Phone")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPolicyThatIsTakenOutHoldsNothingAnyMore(t *testing.T) {
	w := phones(t, fmt.Sprintf(keepPhones, "hold"))
	pairOfTwo(w)
	w.sync()
	w.yaml = pairYAML
	w.sync()
	if diff := cmp.Diff([]string{"LastName=A Phone=", "LastName=B Phone=333"}, w.salesforce.live("Contact", "LastName", "Phone")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPolicyStopsTheWholePlan(t *testing.T) {
	w := phones(t, fmt.Sprintf(keepPhones, "stop"))
	pairOfTwo(w)
	before := w.salesforce.applied
	run := w.sync()
	if run.Status != engine.RunBraked || run.Exit() != fault.ExitBrake || w.salesforce.applied != before {
		t.Errorf("status %s, exit %d, %d writes", run.Status, run.Exit(), w.salesforce.applied-before)
	}
	if len(run.Brakes) != 1 || run.Brakes[0].Sentence() != `1 record breaks the policy "a phone is never lost"` {
		t.Errorf("%+v", run.Brakes)
	}
	// A person lets the rest go; what breaks the policy stays held.
	run = w.syncWith(engine.SyncOptions{ReleaseBrakes: true})
	if diff := cmp.Diff(crm.Tally{Synced: 1, Held: 1}, run.Tally); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"LastName=A Phone=111", "LastName=B Phone=333"}, w.salesforce.live("Contact", "LastName", "Phone")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPolicyStopsASealedPlan(t *testing.T) {
	w := phones(t, fmt.Sprintf(keepPhones, "stop"))
	w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
	a := w.hubspot.add("contacts", "lastname", "A", "email", "a@acme.test", "phone", "111")
	w.settle()
	w.hubspot.add("contacts", "lastname", "New", "email", "new@acme.test")
	file := w.sealed()
	w.hubspot.edit("contacts", a, "phone", "") // after the sealing
	before := w.salesforce.applied
	run, err := w.apply(file)
	if err != nil || run.Exit() != fault.ExitBrake || w.salesforce.applied != before {
		t.Fatalf("%v, exit %d, %d writes", err, run.Exit(), w.salesforce.applied-before)
	}
	plan, err := engine.ReadSealed(strings.NewReader(string(file)))
	if err != nil {
		t.Fatal(err)
	}
	e, s := w.open()
	defer s.Close()
	if run, err = e.ApplyReleased(context.Background(), plan); err != nil || run.Writes.Created != 1 {
		t.Errorf("%v, %+v", err, run)
	}
}

func TestPolicyWithBeyondIsABrakeOnANumberOfRecords(t *testing.T) {
	for _, c := range []struct {
		limit  string
		edited int
		stops  bool
	}{{"2", 2, false}, {"2", 3, true}, {"50%", 2, false}, {"50%", 3, true}, {"0", 1, true}} {
		t.Run(fmt.Sprintf("%d of 4 where %s are allowed", c.edited, c.limit), func(t *testing.T) {
			w := phones(t, fmt.Sprintf(`{name: phones change slowly, for: people, side: salesforce, deny: '"Phone" in write.fields and write.op == "update"', beyond: %s}`, c.limit))
			var ids []string
			for i := range 4 {
				ids = append(ids, w.hubspot.add("contacts", "lastname", fmt.Sprint("P", i), "email", fmt.Sprintf("p%d@acme.test", i), "phone", "1"))
			}
			w.settle()
			for _, id := range ids[:c.edited] {
				w.hubspot.edit("contacts", id, "phone", "2")
			}
			run := w.sync()
			if (run.Status == engine.RunBraked) != c.stops {
				t.Errorf("status %s, %+v", run.Status, run.Brakes)
			}
			// Nothing is held by it: released, all of them go.
			run = w.syncWith(engine.SyncOptions{ReleaseBrakes: true})
			if run.Tally.Held != 0 || len(w.salesforce.live("Contact")) != 4 {
				t.Errorf("%+v", run.Tally)
			}
			for _, line := range w.salesforce.live("Contact", "LastName", "Phone")[:c.edited] {
				if !strings.HasSuffix(line, "Phone=2") {
					t.Errorf("%s was not written", line)
				}
			}
		})
	}
}

func TestPolicyIsAskedForEveryKindOfWrite(t *testing.T) {
	for name, c := range map[string]struct {
		policy string
		yaml   func(string) string
		begin  func(*world) func()
		want   []string // Contacts afterwards
	}{
		"a create": {
			policy: `{name: n, for: people, side: salesforce, deny: 'write.op == "create" and after.LastName == "Lee" and hubspot.lastname == "Lee"'}`,
			begin: func(w *world) func() {
				return func() { w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test") }
			},
		},
		"a link with a write": {
			yaml:   func(s string) string { return replace(s, "create: both", "create: in-salesforce") },
			policy: `{name: n, for: people, side: salesforce, deny: 'write.link and before.Phone == "" and after.Phone != ""'}`,
			begin: func(w *world) func() {
				w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@acme.test")
				return func() { w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "phone", "1") }
			},
			want: []string{"LastName=Lee Phone="},
		},
		"a deletion": {
			policy: `{name: n, deny: 'write.op == "archive"'}`,
			yaml:   func(s string) string { return replace(s, "deletes: ask", "deletes: archive") },
			begin: func(w *world) func() {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				return func() { w.hubspot.archive("contacts", id) }
			},
			want: []string{"LastName=Lee Phone="},
		},
		"a reference to what is created by the same plan": {
			policy: `{name: n, for: people, side: salesforce, deny: 'after.AccountId != ""'}`,
			begin: func(w *world) func() {
				return func() {
					company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
					id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
					w.hubspot.relate("contacts", id, "companies", company)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := phones(t, c.policy)
			if c.yaml != nil {
				w.yaml = c.yaml(w.yaml)
			}
			act := c.begin(w)
			w.settleAnyhow()
			act()
			run := w.sync()
			if run.Tally.Held == 0 {
				t.Errorf("nothing is held: %+v", run.Tally)
			}
			if diff := cmp.Diff(c.want, w.salesforce.live("Contact", "LastName", "Phone")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// settleAnyhow syncs until nothing is left, whatever is held.
func (w *world) settleAnyhow() {
	w.t.Helper()
	for range 3 {
		w.sync()
	}
}

// Whatever people do on both sides, no write that a policy forbids reaches a
// vendor.
func TestNoHistoryGetsAForbiddenWriteThrough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := phones(t, fmt.Sprintf(keepPhones, rapid.SampledFrom([]string{"hold", "stop"}).Draw(rt, "then")))
		w.yaml = replace(w.yaml, "wins: newest", "wins: "+rapid.SampledFrom([]string{"newest", "hubspot", "salesforce"}).Draw(rt, "wins"))
		w.dir = t.TempDir()
		e, s := w.open()
		defer s.Close()
		sync := func(release bool) {
			if _, err := e.Sync(context.Background(), engine.SyncOptions{ReleaseBrakes: release}); err != nil {
				rt.Fatal(err)
			}
		}
		w.salesforce.refuse = func(write crm.Write) error {
			for _, f := range write.Fields {
				if f.Name == "Phone" && !f.Value.IsPresent() && write.Op == crm.Update && w.salesforce.objects[write.Object][write.ID].values["Phone"] != "" {
					rt.Errorf("a phone is blanked in Salesforce %s", write.ID)
				}
			}
			return nil
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			side := rapid.SampledFrom([]*vendor{w.hubspot, w.salesforce}).Draw(rt, "side")
			object, phone, last, email := "contacts", "phone", "lastname", "email"
			if side == w.salesforce {
				object, phone, last, email = "Contact", "Phone", "LastName", "Email"
			}
			value := rapid.SampledFrom([]string{"", "111", "222"}).Draw(rt, "phone")
			ids := side.sorted(object, func(r *row) bool { return !r.archived })
			switch what := rapid.SampledFrom([]string{"add", "edit", "edit", "sync", "release"}).Draw(rt, "what"); {
			case what == "add":
				n := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "who")
				side.add(object, last, n, email, n+"@acme.test", phone, value)
			case what == "edit" && len(ids) > 0:
				side.edit(object, rapid.SampledFrom(ids).Draw(rt, "id"), phone, value)
			default:
				sync(what == "release")
			}
		}
		sync(true)
	})
}

// What a policy forbids, an undo does not do either.
func TestPolicyHoldsWhatAnUndoWouldTakeBack(t *testing.T) {
	w := phones(t, fmt.Sprintf(keepPhones, "hold"))
	a := w.hubspot.add("contacts", "lastname", "A", "email", "a@acme.test")
	b := w.hubspot.add("contacts", "lastname", "B", "email", "b@acme.test", "phone", "1")
	w.settle()
	w.hubspot.edit("contacts", a, "phone", "111") // undone, it would be blank again
	w.hubspot.edit("contacts", b, "phone", "222")
	run := w.sync()
	e, s := w.open()
	defer s.Close()
	plan, err := e.PlanUndo(context.Background(), run.ID, engine.UndoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	undo, err := e.Undo(context.Background(), plan, false)
	if err != nil {
		t.Fatal(err)
	}
	if undo.Tally.Held != 1 || undo.Writes.Updated != 1 {
		t.Errorf("%+v %+v", undo.Tally, undo.Writes)
	}
	if diff := cmp.Diff([]string{"LastName=A Phone=111", "LastName=B Phone=1"}, w.salesforce.live("Contact", "LastName", "Phone")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
