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
