package engine_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// reading finds what a run says of one object of one side.
func reading(t *testing.T, run *engine.Run, side crm.Side, object string) engine.Reading {
	t.Helper()
	for _, r := range run.Readings {
		if r.Side == side && r.Object == object {
			return r
		}
	}
	t.Fatalf("nothing was read of %s", object)
	return engine.Reading{}
}

// TestR15ACompleteReadFindsWhatSearchLostAndComesSooner: changes that the feed
// never tells are counted as lost; as long as there are such, complete reads
// come more often, down to one an hour, and go back to one a day after.
func TestR15ACompleteReadFindsWhatSearchLostAndComesSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
		w.hubspot.add("companies", "name", "Acme", "domain", "acme.test") // time goes on
		w.settle()
		sync := func() engine.Reading {
			t.Helper()
			return reading(t, w.sync(), crm.HubSpot, "contacts")
		}
		sync()
		waits := func(want time.Duration, lose bool) {
			t.Helper()
			if lose {
				w.hubspot.compute("contacts", ann, "lastname", fmt.Sprintf("Lee %d", time.Now().Unix()))
			}
			time.Sleep(want - time.Minute)
			if r := sync(); r.Complete {
				t.Fatalf("it was read completely before %s had passed", want)
			}
			time.Sleep(2 * time.Minute)
			lost := 0
			if lose {
				lost = 1
			}
			if r := sync(); !r.Complete || r.Lost != lost {
				t.Fatalf("after %s: complete %v, lost %d, want %d", want, r.Complete, r.Lost, lost)
			}
		}
		waits(24*time.Hour, true)
		waits(6*time.Hour, true)
		waits(90*time.Minute, true)
		waits(time.Hour, false)
		waits(2*time.Hour, false)
		waits(4*time.Hour, false)
		waits(8*time.Hour, false)
		waits(16*time.Hour, false)
		waits(24*time.Hour, false)
		if got, want := w.salesforce.live("Contact", "LastName"), w.hubspot.live("contacts", "lastname"); len(got) != 1 || got[0][len("LastName="):] != want[0][len("lastname="):] {
			t.Errorf("Salesforce has %v, HubSpot %v", got, want)
		}
	})
}

// TestR15NoEditIsMissedWhileSearchIsLateAndLoses edits many records while
// HubSpot's index is late by half a minute, which the overlap covers, and loses
// a third of the changes, of which no read of changes ever tells.
func TestR15NoEditIsMissedWhileSearchIsLateAndLoses(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connectBy(t, dir, sandbox.Config{SearchLag: 30 * time.Second}, nil, func(mapping.Schemas) []byte { return []byte(peopleAndDealsYAML) })
		defer c.close()
		hub := c.box.HubSpot()
		var ids []string
		for i := range 40 {
			id, err := hub.Create("contacts", map[string]string{"lastname": "L", "email": fmt.Sprintf("p%d@elsewhere.example", i)})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		time.Sleep(time.Minute)
		c.settle()
		lost := 0
		c.box.Dials().Set(faults.Setting{SearchLagMillis: 30_000, SearchLoses: 0.3, Seed: 7})
		for round := range 6 {
			for i := round; i < len(ids); i += 4 {
				if err := hub.Update("contacts", ids[i], map[string]string{"lastname": fmt.Sprintf("L%d-%d", i, round)}); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				c.wait(20 * time.Minute)
				lost += reading(t, c.sync(), crm.HubSpot, "contacts").Lost
			}
		}
		c.box.Dials().Set(faults.Setting{})
		for range 2 {
			c.wait(13 * time.Hour)
			lost += reading(t, c.sync(), crm.HubSpot, "contacts").Lost
		}
		missed := 0
		for i, id := range ids {
			values, _ := hub.Get("contacts", id)
			got := c.salesforceField("Contact", c.salesforceID("Contact", "Email", fmt.Sprintf("p%d@elsewhere.example", i)), "LastName")
			if got != values["lastname"] {
				missed++
			}
		}
		if missed > 0 || lost == 0 {
			t.Errorf("%d of %d records have missed an edit; %d changes were lost by search and found by a complete read", missed, len(ids), lost)
		}
		c.inStep()
	})
}
