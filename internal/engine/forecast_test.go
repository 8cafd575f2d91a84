package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// What a plan says that a sync costs is near what it costs: a first copy, and a
// later cycle with a few changes.
func TestForecastIsNearWhatTheSyncCosts(t *testing.T) {
	t.Parallel()
	c := connect(t, t.TempDir(), sandbox.Config{Seed: "150", TenSecondly: -1, SearchSecondly: -1})
	defer c.close()
	for _, step := range []string{"a first copy", "a few changes"} {
		if step == "a few changes" {
			c.sync()
			c.box.Clock().Advance(time.Minute)
			for _, id := range c.ids("contacts")[:20] {
				if err := c.box.HubSpot().Update("contacts", id, map[string]string{"jobtitle": "Boss"}); err != nil {
					t.Fatal(err)
				}
			}
			c.box.Clock().Advance(time.Minute)
		}
		plan, err := c.engine.Plan(context.Background(), engine.PlanOptions{})
		if err != nil {
			t.Fatal(err)
		}
		run := c.sync()
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			said, was := plan.Forecast[side], run.Calls[side]
			t.Logf("%s, %s: %d calls said, %d made", step, side, said, was)
			if said < was/2-2 || said > 2*was+2 {
				t.Errorf("%s, %s: %d calls were said, and %d made", step, side, said, was)
			}
		}
	}
}
