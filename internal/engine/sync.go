package engine

import (
	"context"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// syncRounds bounds how often one run decides anew what its own writes made
// decidable: references that came to be, records that changed under the plan.
const syncRounds = 3

// SyncOptions says how to sync. The zero value is what `lockstep sync` does.
type SyncOptions struct {
	// Complete reads everything on both sides, whatever was read before.
	Complete bool
	// ReleaseBrakes goes on where a brake of the mapping would wait. What breaks a
	// policy is held all the same.
	ReleaseBrakes bool

	// hinted looks only at what was hinted at.
	hinted bool
}

// Sync observes, decides, writes and remembers, until nothing new is left to
// do. The account comes back also when it stops early; then error says why
// (fault.Denied, fault.RateLimited, the context's error, …), everything done is
// saved, and the next Sync goes on from there.
func (e *Engine) Sync(ctx context.Context, options SyncOptions) (*Run, error) {
	return e.cycle(ctx, "sync", options)
}

func (e *Engine) cycle(ctx context.Context, kind string, options SyncOptions) (*Run, error) {
	e.working.Lock()
	defer e.working.Unlock()
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	run, c, err := e.open(ctx, kind)
	if err != nil {
		return nil, err
	}
	return run, e.shut(ctx, run, c, e.rounds(ctx, run, c, options))
}

func (e *Engine) rounds(ctx context.Context, run *Run, c *cycle, options SyncOptions) error {
	if err := e.recover(ctx); err != nil {
		return err
	}
	observation, err := e.observe(ctx, Scope{Complete: options.Complete, Hinted: options.hinted}, c)
	run.Readings = observation.Readings
	if err != nil {
		return err
	}
	if observation.Due == 0 {
		return nil
	}
	for range syncRounds {
		c.again = 0
		if err := e.reconcile(ctx, c); err != nil {
			return err
		}
		if !options.ReleaseBrakes {
			if run.Brakes, err = e.brakes(ctx, c.writes, c.updated); err != nil {
				return err
			}
		}
		block := braked(run.Brakes)
		if err := e.apply(ctx, c, block); err != nil {
			return err
		}
		if c.stopped != nil || block != nil || c.again == 0 {
			return nil
		}
	}
	return nil
}

// braked is what things with writes wait for while brakes hold; nil when none
// does.
func braked(brakes []Brake) *crm.Reason {
	if len(brakes) == 0 {
		return nil
	}
	return &crm.Reason{Code: CodePendingBrake, Text: "a brake of the mapping waits for a person: " + brakes[0].Sentence(),
		Mend: "look at `lockstep plan`, then run `lockstep sync --release-brakes`, or change `brakes:` or `policies:`"}
}

// countUpdates counts the things that were updated and those that the plan updates.
func (e *Engine) countUpdates(ctx context.Context, updated map[uint64]struct{}) (int, error) {
	n := len(updated)
	for _, o := range e.mapping.Objects {
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			for after, more := "", true; more; {
				page, err := e.store.PlanPage(ctx, o.Name, side, after, 1000, false, store.UpdatesHubSpot|store.UpdatesSalesforce)
				if err != nil {
					return 0, err
				}
				for i := range page {
					after = page[i].ID
					if _, counted := updated[thingKey(side, page[i].ID)]; !counted {
						n++
					}
				}
				more = len(page) == 1000
			}
		}
	}
	return n, nil
}

// countLinked counts the links of all objects.
func (e *Engine) countLinked(ctx context.Context) (int, error) {
	linked := 0
	for _, o := range e.mapping.Objects {
		n, err := e.store.CountLinks(ctx, o.Name)
		if err != nil {
			return 0, err
		}
		linked += n
	}
	return linked, nil
}

// brakes compares the plan, and what the run has done and updated by now, with the
// limits and policies of the mapping.
func (e *Engine) brakes(ctx context.Context, done Writes, updated map[uint64]struct{}) ([]Brake, error) {
	linked, err := e.countLinked(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := e.store.CountPlan(ctx)
	if err != nil {
		return nil, err
	}
	planned := func(ops store.Ops) int {
		n := 0
		for _, c := range counts {
			if c.Ops&ops != 0 {
				n += c.Count
			}
		}
		return n
	}
	var held []Brake
	check := func(what string, limit mapping.Limit, n int) {
		if most := limit.Most(linked); n > most {
			held = append(held, Brake{What: what, Planned: n, Limit: most})
		}
	}
	b := e.mapping.Brakes
	check("creates", b.Creates, done.Created+done.Restored+planned(store.CreatesInHubSpot|store.CreatesInSalesforce|store.Restores))
	updates := planned(store.UpdatesHubSpot | store.UpdatesSalesforce)
	if len(updated) > 0 { // a further round: a thing that is updated twice counts once
		if updates, err = e.countUpdates(ctx, updated); err != nil {
			return nil, err
		}
	}
	check("updates", b.Updates, updates)
	check("deletes", b.Deletes, done.Archived+planned(store.ArchivesHubSpot|store.ArchivesSalesforce))
	policies, err := e.policyBrakes(ctx)
	return append(held, policies...), err
}
