package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// anyLinked returns a linked pair of the sandbox.
func (c *connected) anyLinked(name string) (hubspotID, salesforceID string) {
	c.t.Helper()
	links, err := c.store.LinkPage(context.Background(), name, "", 1)
	if err != nil || len(links) == 0 {
		c.t.Fatalf("no link of %s: %v", name, err)
	}
	return links[0].HubSpotID, links[0].SalesforceID
}

// TestAHintWakesTheWatch edits a record right after a cycle: with an interval
// of an hour it arrives within seconds when somebody hints at it, and a hint
// costs reads of that record alone.
func TestAHintWakesTheWatch(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, dir, sandbox.Config{Seed: "small", SearchLag: 10 * time.Minute})
		defer c.close()
		c.sync()
		time.Sleep(time.Hour)
		c.sync()
		id, other := c.anyLinked("companies")
		ctx, stop := context.WithCancel(context.Background())
		began := time.Now()
		arrived := time.Duration(0)
		quiet := 0
		if err := c.engine.Watch(ctx, time.Hour, func(run *engine.Run, err error) error {
			switch {
			case err != nil:
				return err
			case run.Writes.Updated > 0:
				arrived = time.Since(began)
				if n := run.Calls[crm.HubSpot]; n > 2 {
					t.Errorf("the hint cost %d calls to HubSpot", n)
				}
				if !run.Closed {
					t.Errorf("the sums do not close: %+v", run.Objects)
				}
				stop()
			default:
				if quiet++; quiet > 1 {
					stop()
				}
				if err := c.box.HubSpot().Update("companies", id, map[string]string{"phone": "+49 30 555 0199"}); err != nil {
					return err
				}
				return c.engine.Hear(ctx, engine.SourceWebhooks, []crm.Hint{
					{Side: crm.HubSpot, Object: "0-2", ID: id, Why: "company.propertyChange phone"},
					{Side: crm.HubSpot, Object: "tickets", ID: "1", Why: "nothing that is mapped"},
				}, nil)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		stop()
		if arrived == 0 || arrived > time.Minute {
			t.Errorf("the edit arrived after %s", arrived)
		}
		if got, _ := c.box.Salesforce().Get("Account", other); got["Phone"] != "+49 30 555 0199" {
			t.Errorf("Salesforce holds %v", got["Phone"])
		}
		positions, err := c.engine.Sources(context.Background())
		if err != nil || len(positions) != 1 || positions[0].Source != "webhooks" {
			t.Errorf("sources: %+v, %v", positions, err)
		}
		hints, err := c.store.Hints(context.Background(), 10)
		if err != nil || len(hints) != 0 {
			t.Errorf("hints that were looked at are still there: %+v, %v", hints, err)
		}
	})
}

// TestAHintAtADeletionIsEnough, and the mark that came with it is kept.
func TestAHintAtADeletionIsEnough(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		c := connect(t, dir, sandbox.Config{Seed: "small"})
		defer c.close()
		c.sync()
		time.Sleep(time.Hour)
		c.sync()
		gone, _ := c.anyLinked("people")
		if err := c.box.HubSpot().Archive("contacts", gone); err != nil {
			t.Fatal(err)
		}
		if err := c.engine.Hear(ctx, engine.SourceJournal, []crm.Hint{{Side: crm.HubSpot, Object: "contacts", ID: gone, Why: "DELETE"}}, []byte("7")); err != nil {
			t.Fatal(err)
		}
		run := c.sync()
		found := 0
		for _, r := range run.Readings {
			found += r.Gone
		}
		if found == 0 {
			t.Errorf("the deletion was not found: %+v", run.Readings)
		}
		mark, err := c.engine.Mark(ctx, engine.SourceJournal, crm.HubSpot)
		if err != nil || string(mark) != "7" {
			t.Errorf("the journal was followed up to %q, %v", mark, err)
		}
	})
}

// TestASilenceOfThreeDaysBecomesASweep: what the vendors no longer tell has to
// be read.
func TestASilenceOfThreeDaysBecomesASweep(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		c := connect(t, dir, sandbox.Config{Seed: "small"})
		defer c.close()
		c.sync()
		if err := c.engine.Hear(ctx, engine.SourceChangeEvents, nil, []byte{1, 2}); err != nil {
			t.Fatal(err)
		}
		c.wait(71 * time.Hour)
		c.sync() // the daily complete read is done, so that the next one has another cause
		if mark, err := c.engine.Mark(ctx, engine.SourceChangeEvents, crm.Salesforce); err != nil || len(mark) != 2 {
			t.Errorf("71 hours later: %v, %v", mark, err)
		}
		time.Sleep(2 * time.Hour)
		if mark, err := c.engine.Mark(ctx, engine.SourceChangeEvents, crm.Salesforce); err != nil || mark != nil {
			t.Errorf("73 hours later the old mark %v is still used, %v", mark, err)
		}
		for _, r := range c.sync().Readings {
			if want := r.Side == crm.Salesforce; r.Complete != want {
				t.Errorf("%s %s: complete %v, want %v", r.Side, r.Object, r.Complete, want)
			}
		}
	})
}
