package engine

import (
	"context"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// loadSlots remembers what the slots of today's bases mean, and brings what those
// of earlier versions of the mapping meant.
func (e *Engine) loadSlots(ctx context.Context) error {
	e.slots = map[string]map[uint64][]uint64{}
	for _, o := range e.mapping.Objects {
		known, err := e.store.BaseSlots(ctx, o.Name)
		if err != nil {
			return err
		}
		if _, ok := known[o.BaseVersion]; !ok {
			if err := e.store.Write(ctx, func(t *store.Tx) error { return t.PutBaseSlots(o.Name, o.BaseVersion, o.BaseSlots) }); err != nil {
				return err
			}
		}
		e.slots[o.Name] = known
	}
	return nil
}

// rebase brings a base to today's mapping: what a slot said is kept where it
// still means the same, and nothing is known of the others. So a new line in the
// mapping compares the values of that line for all pairs, and rewrites no other.
func (e *Engine) rebase(o *mapping.BoundObject, base crm.Base) crm.Base {
	was := e.slots[o.Name][base.Version]
	if base.Version == o.BaseVersion || len(was) == 0 || len(was) != len(base.HubSpot) || len(was) != len(base.Salesforce) {
		return base
	}
	place := make(map[uint64]int, len(was))
	for i, meaning := range was {
		place[meaning] = i
	}
	now := crm.Base{Version: o.BaseVersion, HubSpot: make([]uint64, len(o.BaseSlots)), Salesforce: make([]uint64, len(o.BaseSlots))}
	for slot, meaning := range o.BaseSlots {
		if i, ok := place[meaning]; ok {
			now.HubSpot[slot], now.Salesforce[slot] = base.HubSpot[i], base.Salesforce[i]
		}
	}
	return now
}
