package engine_test

import (
	"context"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// TestR19AReadThatCannotProveThatItWasCompleteFailsTheRun: nobody is taken for
// deleted because a read stopped early, and the run is no success.
func TestR19AReadThatCannotProveThatItWasCompleteFailsTheRun(t *testing.T) {
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		t.Run(string(side), func(t *testing.T) {
			w := newWorld(t)
			acme(w)
			w.settle()
			before := w.picture()
			short := w.hubspot
			if side == crm.Salesforce {
				short = w.salesforce
			}
			short.after = func(call string) error {
				if call == "read" {
					return fault.New(fault.Conflict, "the read is short: 4 records of 5").WithMend("run it again")
				}
				return nil
			}
			e, s := w.open()
			defer s.Close()
			run, err := e.Sync(context.Background(), engine.SyncOptions{Complete: true})
			if fault.KindOf(err) != fault.Conflict || run == nil || run.Status != engine.RunStopped || run.Error == "" || run.Mend == "" {
				t.Fatalf("%v, %+v", err, run)
			}
			for _, r := range run.Readings {
				if r.Gone > 0 {
					t.Errorf("%s %s: %d are taken for gone", r.Side, r.Object, r.Gone)
				}
			}
			short.after = nil
			if after := w.picture(); len(after["Contact"]) != len(before["Contact"]) || len(after["contacts"]) != len(before["contacts"]) {
				t.Errorf("before %v, after %v", before, after)
			}
		})
	}
}

// TestR4WhatAShortReadGaveIsKnown: a complete read gives a new contact and then
// stops; the search does not show it yet. Its match in Salesforce is linked with
// it by the next run, and no second contact is made.
func TestR4WhatAShortReadGaveIsKnown(t *testing.T) {
	w := newWorld(t)
	w.sync()
	w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@acme.test")
	given := false
	w.hubspot.reads = func(r *row) { given = given || r.values["email"] != "" }
	w.hubspot.after = func(call string) error {
		if call == "read" && given {
			return fault.New(fault.Conflict, "the read is short: 1 record of 2").WithMend("run it again")
		}
		return nil
	}
	e, s := w.open()
	if _, err := e.Sync(context.Background(), engine.SyncOptions{Complete: true}); fault.KindOf(err) != fault.Conflict {
		t.Fatal(err)
	}
	s.Close()
	w.hubspot.after, w.hubspot.late = nil, true
	if run := w.sync(); run.Writes.Created != 0 || run.Writes.Linked != 1 {
		t.Errorf("%+v", run.Writes)
	}
}
