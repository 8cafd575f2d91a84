package engine_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// TestR2EveryRecordHasOneVerdictAndTheSumsClose: complaint R2. Every record of
// both sides is in exactly one of in step, differs, missing, excluded, held,
// failed; the sum is what was read, counted without the verdicts.
func TestR2EveryRecordHasOneVerdictAndTheSumsClose(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.hubspot.add("contacts", "lastname", "Refused", "email", "refused@acme.test")
	w.salesforce.refuse = refuseNamed("Refused")
	w.sync()
	w.hubspot.add("contacts", "lastname", "New", "email", "new@acme.test") // no run has seen it
	ann := w.salesforce.sorted("Contact", func(r *row) bool { return r.values["LastName"] == "Lee" })[0]
	w.salesforce.edit("Contact", ann, "LastName", "Lee-Ray")
	records := 0
	for _, object := range []string{"contacts", "companies"} {
		records += len(w.hubspot.live(object))
	}
	for _, object := range []string{"Contact", "Account"} {
		records += len(w.salesforce.live(object))
	}
	e, s := w.open()
	defer s.Close()
	pairs := 0
	for _, name := range []string{"companies", "people"} {
		n, err := s.CountLinks(context.Background(), name)
		if err != nil {
			t.Fatal(err)
		}
		pairs += n
	}
	v, err := e.Verify(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	total, verdicts := 0, map[engine.Verdict]int{}
	for _, o := range v.Objects {
		for verdict, n := range o.Verdicts {
			total += n
			verdicts[verdict] += n
		}
	}
	if !v.Closed || total != records-pairs || v.Read != total {
		t.Errorf("closed %v, %d verdicts, read %d; there are %d records, %d of them in pairs", v.Closed, total, v.Read, records, pairs)
	}
	for _, verdict := range []engine.Verdict{engine.InStep, engine.Differs, engine.Missing, engine.VerdictExcluded, engine.VerdictHeld, engine.VerdictFailed} {
		if verdicts[verdict] == 0 {
			t.Errorf("nothing is %s: %v", verdict, verdicts)
		}
	}
}

// TestR2AReadThatLostRowsProvesNothing: what the vendor counted and did not hand
// on does not vanish from the sums.
func TestR2AReadThatLostRowsProvesNothing(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.sync()
	w.salesforce.counted = 1000
	e, s := w.open()
	defer s.Close()
	v, err := e.Verify(context.Background(), nil)
	if err != nil || v.Closed {
		t.Errorf("closed %v, %v", v != nil && v.Closed, err)
	}
	if run := (&engine.Run{Closed: false}); run.Exit() != fault.ExitRecords {
		t.Errorf("a run whose sums do not close ends with %d", run.Exit())
	}
}

// TestR2WhatARuleLeavesOutIsJudgedOnTheRecordAsItIs: an outcome that is
// remembered does not excuse a record that the rule would take by now.
func TestR2WhatARuleLeavesOutIsJudgedOnTheRecordAsItIs(t *testing.T) {
	w := newWorld(t)
	sub := w.hubspot.add("contacts", "lastname", "Sub", "email", "sub@acme.test", "lifecyclestage", "subscriber")
	w.sync()
	w.hubspot.edit("contacts", sub, "lifecyclestage", "lead")
	e, s := w.open()
	defer s.Close()
	v, err := e.Verify(context.Background(), nil)
	if err != nil || v.InStep {
		t.Errorf("in step %v, %v: the record should be in Salesforce and is not", v != nil && v.InStep, err)
	}
}

func TestDriftIsZeroInStepAndWeighsFields(t *testing.T) {
	w := newWorld(t)
	w.hubspot.add("companies", "name", "A", "domain", "a.test")
	company := w.hubspot.add("companies", "name", "B", "domain", "b.test")
	w.settle()
	drift := func() engine.Drift {
		t.Helper()
		e, s := w.open()
		defer s.Close()
		v, err := e.Verify(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return v.Drift
	}
	if d := drift(); d != 0 || d.Percent() != "0 %" {
		t.Errorf("in step, the drift is %s", d.Percent())
	}
	w.hubspot.edit("companies", company, "name", "B Ltd")
	if d := drift(); d != 125_000 { // one of four fields of one of two pairs
		t.Errorf("one field: %s", d.Percent())
	}
	w.hubspot.add("companies", "name", "C", "domain", "c.test")
	if d := drift(); d != 416_666 { // a quarter and a whole of three
		t.Errorf("one field and a missing record: %s", d.Percent())
	}
}

func TestAReportIsWholeOrRefused(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.sync()
	e, s := w.open()
	defer s.Close()
	report := e.NewReport("test")
	v, err := e.Verify(context.Background(), func(f engine.Finding) error { report.Collect(f); return nil })
	if err != nil {
		t.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	signed, err := report.Sign(v, key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := signed.JSON()
	if err != nil {
		t.Fatal(err)
	}
	checked, err := engine.CheckReport(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v.Objects, checked.Report.Objects, cmp.AllowUnexported(), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".drift" }, cmp.Ignore())); diff != "" {
		t.Errorf("(-found +checked):\n%s", diff)
	}
	if checked.Key != engine.KeyFingerprint(key.Public().(ed25519.PublicKey)) {
		t.Errorf("key %s", checked.Key)
	}
	squeezed := []byte(strings.Join(strings.Fields(string(file)), " "))
	if _, err := engine.CheckReport(bytes.NewReader(squeezed)); err != nil {
		t.Errorf("white space changes nothing: %v", err)
	}
	other := bytes.Replace(file, []byte(`"read": `), []byte(`"read": 1`), 1)
	if _, err := engine.CheckReport(bytes.NewReader(other)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("another number: %v", err)
	}
}
