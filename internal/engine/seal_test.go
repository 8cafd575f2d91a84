package engine_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// sealed plans and returns the sealed file.
func (w *world) sealed() []byte {
	w.t.Helper()
	e, s := w.open()
	defer s.Close()
	p, err := e.Plan(context.Background(), engine.PlanOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	var once, twice bytes.Buffer
	for _, b := range []*bytes.Buffer{&once, &twice} {
		if err := p.Seal(context.Background(), b); err != nil {
			w.t.Fatal(err)
		}
	}
	if !bytes.Equal(once.Bytes(), twice.Bytes()) {
		w.t.Error("the same plan gives different files")
	}
	return once.Bytes()
}

func (w *world) apply(file []byte) (*engine.Run, error) {
	w.t.Helper()
	plan, err := engine.ReadSealed(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	e, s := w.open()
	defer s.Close()
	return e.Apply(context.Background(), plan)
}

func TestSealedPlanDoesWhatItSaysAndASyncAfterItNothing(t *testing.T) {
	w := newWorld(t)
	acme(w)
	run, err := w.apply(w.sealed())
	if err != nil {
		t.Fatal(err)
	}
	if run.Exit() != 0 || run.Writes.Created != 3 || run.Writes.Linked != 5 || !run.Closed {
		t.Errorf("exit %d, %+v, closed %v", run.Exit(), run.Writes, run.Closed)
	}
	calm := newWorld(t)
	acme(calm)
	calm.settle()
	if diff := cmp.Diff(calm.picture(), w.picture()); diff != "" {
		t.Errorf("(-sync +sealed):\n%s", diff)
	}
	if run := w.sync(); run.Writes.Sum() != 0 {
		t.Errorf("a sync after it wrote %+v", run.Writes)
	}
}

func TestSealedPlanAppliedTwiceWritesOnce(t *testing.T) {
	w := newWorld(t)
	acme(w)
	file := w.sealed()
	if _, err := w.apply(file); err != nil {
		t.Fatal(err)
	}
	before := w.picture()
	run, err := w.apply(file)
	if err != nil {
		t.Fatal(err)
	}
	if run.Writes.Sum() != 0 || run.Tally.Pending != run.Read || run.Exit() != fault.ExitConflict {
		t.Errorf("%+v %+v exit %d", run.Writes, run.Tally, run.Exit())
	}
	if diff := cmp.Diff(before, w.picture()); diff != "" {
		t.Errorf("(-once +twice):\n%s", diff)
	}
}

func TestSealedPlanLeavesAloneWhatChangedSince(t *testing.T) {
	w := newWorld(t)
	a := w.hubspot.add("companies", "name", "A", "domain", "a.test")
	b := w.hubspot.add("companies", "name", "B", "domain", "b.test")
	w.sync()
	w.hubspot.edit("companies", a, "phone", "111 1111")
	w.hubspot.edit("companies", b, "phone", "222 2222")
	file := w.sealed()
	w.hubspot.edit("companies", b, "phone", "333 3333")
	run, err := w.apply(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(crm.Tally{Synced: 1, Pending: 1}, run.Tally); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if run.Exit() != fault.ExitConflict {
		t.Errorf("exit %d", run.Exit())
	}
	if diff := cmp.Diff([]string{"Name=A Phone=111 1111", "Name=B Phone="}, w.salesforce.live("Account", "Name", "Phone")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.sync()
	if diff := cmp.Diff([]string{"Name=A Phone=111 1111", "Name=B Phone=333 3333"}, w.salesforce.live("Account", "Name", "Phone")); diff != "" {
		t.Errorf("after the next sync (-want +got):\n%s", diff)
	}
}

func TestSealedPlanIsRefusedWhenItDoesNotFit(t *testing.T) {
	w := newWorld(t)
	acme(w)
	file := w.sealed()
	for name, c := range map[string]struct {
		file func() []byte
		kind fault.Kind
	}{
		"a changed value":           {func() []byte { return bytes.Replace(file, []byte("Globex"), []byte("Globox"), 1) }, fault.Invalid},
		"a changed account":         {func() []byte { return bytes.Replace(file, []byte(`"acme-hubspot"`), []byte(`"other"`), 1) }, fault.Invalid},
		"an added key":              {func() []byte { return bytes.Replace(file, []byte(`"format"`), []byte(`"x": 1, "format"`), 1) }, fault.Invalid},
		"something else altogether": {func() []byte { return []byte("hello") }, fault.Invalid},
		"half of the file":          {func() []byte { return file[:len(file)/2] }, fault.Invalid},
		"another mapping now": {func() []byte {
			w.yaml = strings.Replace(w.yaml, "wins: newest", "wins: hubspot", 1)
			return file
		}, fault.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.apply(c.file())
			if fault.KindOf(err) != c.kind || fault.MendOf(err) == "" {
				t.Errorf("kind %q, mend %q: %v", fault.KindOf(err), fault.MendOf(err), err)
			}
		})
	}
	if n := w.hubspot.applied + w.salesforce.applied; n != 0 {
		t.Errorf("%d writes", n)
	}
}

func TestStoreOfAnotherPairIsRefused(t *testing.T) {
	w := newWorld(t)
	w.sync()
	w.hubspot.account = "somebody-else"
	e, s := w.open()
	defer s.Close()
	if _, err := e.Sync(context.Background(), engine.SyncOptions{}); fault.KindOf(err) != fault.Conflict || fault.MendOf(err) == "" {
		t.Errorf("%v", err)
	}
}

// What happens between the sealing and the applying of a plan, kind of write by
// kind of write: the thing is left alone and told, everything else is done.
func TestSealedPlanIsCheckedAgainForEveryKindOfWrite(t *testing.T) {
	bare := func(w *world) { w.hubspot.add("companies", "name", "Bystander", "domain", "bystander.test") }
	for name, c := range map[string]struct {
		yaml  func(string) string
		begin func(*world) func() // returns what happens meanwhile; the plan is sealed in between
		left  string              // what is told
		all   bool                // nothing at all is left to do
		want  []string            // Contacts in Salesforce afterwards
		field []string
	}{
		"an update whose target was edited meanwhile": {
			begin: func(w *world) func() {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				w.sync()
				contact := w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
				w.hubspot.edit("contacts", id, "phone", "111")
				return func() { w.salesforce.edit("Contact", contact, "Phone", "999") }
			},
			left: "it was changed in Salesforce", field: []string{"LastName", "Phone"}, want: []string{"LastName=Lee Phone=999"},
		},
		"an update whose source was edited meanwhile": {
			begin: func(w *world) func() {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				w.sync()
				w.hubspot.edit("contacts", id, "phone", "111")
				return func() { w.hubspot.edit("contacts", id, "phone", "222") }
			},
			left: "it was changed in HubSpot", field: []string{"LastName", "Phone"}, want: []string{"LastName=Lee Phone="},
		},
		"an update whose target was deleted meanwhile": {
			begin: func(w *world) func() {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				w.sync()
				contact := w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
				w.hubspot.edit("contacts", id, "phone", "111")
				return func() { w.salesforce.archive("Contact", contact) }
			},
			left: "it was deleted in Salesforce", field: []string{"LastName"}, want: nil,
		},
		"a create whose counterpart appeared meanwhile": {
			begin: func(w *world) func() {
				w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				return func() { w.salesforce.add("Contact", "LastName", "Lee", "Email", "ANN@acme.test", "Phone", "999") }
			},
			left: "a counterpart appeared in Salesforce: Contact", field: []string{"LastName", "Phone"}, want: []string{"LastName=Lee Phone=999"},
		},
		"a create that a second record of its side rivals": {
			begin: func(w *world) func() {
				w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@acme.test")
				return func() { w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test") }
			},
			left: "a counterpart appeared in HubSpot: contacts", field: []string{"LastName"}, want: []string{"LastName=Lee"},
		},
		"a create whose source left the filter": {
			begin: func(w *world) func() {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				return func() { w.hubspot.edit("contacts", id, "lifecyclestage", "subscriber") }
			},
			left: "it was changed in HubSpot", field: []string{"LastName"}, want: nil,
		},
		"a create whose source was deleted": {
			begin: func(w *world) func() {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				return func() { w.hubspot.archive("contacts", id) }
			},
			left: "is gone", field: []string{"LastName"}, want: nil,
		},
		"a link that became ambiguous": {
			begin: func(w *world) func() {
				w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "phone", "111")
				w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@acme.test")
				return func() { w.salesforce.add("Contact", "LastName", "Lee II", "Email", "ann@acme.test") }
			},
			left: "it no longer belongs to Salesforce Contact", field: []string{"LastName", "Phone"}, want: []string{"LastName=Lee II Phone=", "LastName=Lee Phone="},
		},
		"a link whose Salesforce record was linked elsewhere": {
			begin: func(w *world) func() {
				w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "phone", "111")
				w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@acme.test")
				return func() { w.sync() }
			},
			left: "done already", all: true, field: []string{"LastName", "Phone"}, want: []string{"LastName=Lee Phone=111"},
		},
		"a reference that points elsewhere now": {
			begin: func(w *world) func() {
				one := w.hubspot.add("companies", "name", "One", "domain", "one.test")
				two := w.hubspot.add("companies", "name", "Two", "domain", "two.test")
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				w.sync()
				w.hubspot.relate("contacts", id, "companies", one)
				return func() { w.hubspot.objects["contacts"][id].relations[0].ID = two; w.hubspot.edit("contacts", id) }
			},
			left: "it was changed in HubSpot", field: []string{"LastName", "AccountId"}, want: []string{"LastName=Lee AccountId="},
		},
		"a deletion whose record came back": {
			yaml: func(s string) string { return replace(s, "deletes: ask", "deletes: archive") },
			begin: func(w *world) func() {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				w.sync()
				w.hubspot.archive("contacts", id)
				return func() { w.hubspot.objects["contacts"][id].archived = false; w.hubspot.edit("contacts", id) }
			},
			left: "it came back in HubSpot", field: []string{"LastName"}, want: []string{"LastName=Lee"},
		},
		"a deletion whose record came back without a word of any feed": {
			yaml: func(s string) string { return replace(s, "deletes: ask", "deletes: archive") },
			begin: func(w *world) func() {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				w.sync()
				w.hubspot.archive("contacts", id)
				return func() {
					w.hubspot.objects["contacts"][id].archived = false
					w.hubspot.objects["contacts"][id].modified = 1
				}
			},
			left: "it was changed in HubSpot", field: []string{"LastName"}, want: []string{"LastName=Lee"},
		},
		"a deletion whose other record was edited": {
			yaml: func(s string) string { return replace(s, "deletes: ask", "deletes: archive") },
			begin: func(w *world) func() {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				w.sync()
				contact := w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
				w.hubspot.archive("contacts", id)
				return func() { w.salesforce.edit("Contact", contact, "Phone", "999") }
			},
			left: "it was changed in Salesforce", field: []string{"LastName", "Phone"}, want: []string{"LastName=Lee Phone=999"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.yaml != nil {
				w.yaml = c.yaml(w.yaml)
			}
			meanwhile := c.begin(w)
			bare(w)
			file := w.sealed()
			meanwhile()
			run, err := w.apply(file)
			if err != nil {
				t.Fatal(err)
			}
			changed := 1
			if c.all {
				changed = 2
			}
			if run.Exit() != fault.ExitConflict || run.Changed != changed || !run.Closed {
				t.Errorf("exit %d, %d changed, closed %v, %+v", run.Exit(), run.Changed, run.Closed, run.Tally)
			}
			if len(run.LeftAlone) != changed || !strings.Contains(run.LeftAlone[changed-1].Why, c.left) {
				t.Errorf("told %+v, want %q", run.LeftAlone, c.left)
			}
			if diff := cmp.Diff(c.want, w.salesforce.live("Contact", c.field...)); diff != "" {
				t.Errorf("Salesforce (-want +got):\n%s", diff)
			}
			if !strings.Contains(strings.Join(w.salesforce.live("Account", "Name"), " "), "Bystander") {
				t.Error("what did not change was not done")
			}
			w.sync()
			if run := w.sync(); run.Writes.Sum() != 0 || run.Tally.Pending != 0 {
				t.Errorf("after two syncs something is left: %+v %+v", run.Writes, run.Tally)
			}
		})
	}
}

// A plan goes on where it was interrupted: what a created company leaves to its
// people is what was sealed.
func TestSealedPlanGoesOnWhereItWasInterrupted(t *testing.T) {
	w := newWorld(t)
	acme(w)
	file := w.sealed()
	w.salesforce.after = func(call string) error {
		if call == "apply" {
			w.salesforce.before = func(call string) error {
				if call == "apply" {
					return fault.New(fault.Unavailable, "down")
				}
				return nil
			}
		}
		return nil
	}
	if _, err := w.apply(file); err == nil {
		t.Fatal("the run was not interrupted")
	}
	w.salesforce.before, w.salesforce.after = nil, nil
	if _, err := w.apply(file); err != nil {
		t.Fatal(err)
	}
	calm := newWorld(t)
	acme(calm)
	calm.settle()
	if diff := cmp.Diff(calm.picture(), w.picture()); diff != "" {
		t.Errorf("(-sync +sealed):\n%s", diff)
	}
}

func TestSealedPlanThatIsOutOfDateLeavesNoTraceInTheStatus(t *testing.T) {
	w := newWorld(t)
	acme(w)
	file := w.sealed()
	w.settle()
	if _, err := w.apply(file); err != nil {
		t.Fatal(err)
	}
	e, s := w.open()
	defer s.Close()
	status, err := e.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range status.Objects {
		for _, c := range o.Outcomes {
			if c.Outcome == crm.Pending {
				t.Errorf("%s: %d pending, %s", o.Name, c.Count, c.Code)
			}
		}
	}
}

// TestR16WhatASealedPlanLeavesOutIsReferredToByNobody: a plan links a company with an
// Account and relates a person to it; before it is applied, somebody edits the Account,
// so that it is left out. The person is not related to it before it is linked.
func TestR16WhatASealedPlanLeavesOutIsReferredToByNobody(t *testing.T) {
	for _, has := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		w := newWorld(t)
		w.yaml = strings.Replace(w.yaml, "create: in-salesforce", "create: never", 1)
		company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
		account := w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test")
		person := w.hubspot.add("contacts", "lastname", "Ray", "email", "bob@acme.test")
		contact := w.salesforce.add("Contact", "LastName", "Ray", "Email", "bob@acme.test")
		if has == crm.HubSpot {
			w.hubspot.relate("contacts", person, "companies", company)
		} else {
			w.salesforce.edit("Contact", contact, "AccountId", account)
		}
		file := w.sealed()
		w.salesforce.edit("Account", account, "Name", "Acme Ltd.")
		wants := func(when string, hubspot, salesforce bool) {
			t.Helper()
			related := len(w.hubspot.objects["contacts"][person].relations) == 1
			if refers := w.salesforce.value("Contact", contact, "AccountId") != ""; related != hubspot || refers != salesforce {
				t.Errorf("%s has it; %s HubSpot is related %v, Salesforce %v", has, when, related, refers)
			}
		}
		if _, err := w.apply(file); err != nil {
			t.Fatal(err)
		}
		wants("after the apply", has == crm.HubSpot, has == crm.Salesforce)
		w.settle()
		wants("after a sync", true, true)
	}
}
