package engine

import (
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// findGone finds what was known and did not come in a complete read, and asks
// for it by id before believing that it is gone.
func (w *watcher) findGone(ctx context.Context) error {
	slices.Sort(w.seen)
	here := func(id string) bool {
		_, ok := slices.BinarySearch(w.seen, thingKey(w.lens.side, id))
		return ok
	}
	var missing []string
	asked := map[string]bool{}
	add := func(id string) error {
		asked[id] = true
		missing = append(missing, id)
		if len(missing) < observeBatch {
			return nil
		}
		err := w.confirm(ctx, missing)
		missing = nil
		return err
	}
	for after := ""; !w.fresh; {
		page, err := w.e.store.LinkPage(ctx, w.o.Name, after, 1000)
		if err != nil {
			return err
		}
		for _, k := range page {
			after = k.HubSpotID
			id, gone := k.HubSpotID, k.HubSpotGone
			if w.lens.side == crm.Salesforce {
				if id, gone = k.SalesforceID, k.SalesforceGone; k.SalesforceObject != w.lens.object {
					continue
				}
			}
			if !gone && !here(id) {
				if err := add(id); err != nil {
					return err
				}
			}
		}
		if len(page) < 1000 {
			break
		}
	}
	for after := ""; !w.fresh; {
		page, err := w.e.store.OutcomePage(ctx, w.o.Name, w.lens.side, after, 1000)
		if err != nil {
			return err
		}
		for _, o := range page {
			after = o.Ref.ID
			if !o.Linked && o.Ref.Object == w.lens.object && !here(o.Ref.ID) {
				if err := add(o.Ref.ID); err != nil {
					return err
				}
			}
		}
		if len(page) < 1000 {
			break
		}
	}
	// What an earlier process read and did not settle may be gone as well.
	for after := ""; ; {
		page, err := w.e.store.WaitingPage(ctx, w.o.Name, w.lens.side, w.lens.object, after, 1000)
		if err != nil {
			return err
		}
		for _, ref := range page {
			after = ref.ID
			if !here(ref.ID) && !asked[ref.ID] {
				if err := add(ref.ID); err != nil {
					return err
				}
			}
		}
		if len(page) < 1000 {
			break
		}
	}
	if len(missing) > 0 {
		if err := w.confirm(ctx, missing); err != nil {
			return err
		}
	}
	w.seen = nil
	return nil
}

func (w *watcher) confirm(ctx context.Context, ids []string) error {
	records, err := w.e.sides[w.lens.side].Lookup(ctx, w.lens.read, ids)
	if err != nil {
		return err
	}
	return w.compare(ctx, records)
}

// seeGone notes that a linked record was archived or deleted.
func (w *watcher) seeGone(f *found, r *crm.Record, link store.Link) {
	if w.lens.side == crm.HubSpot && link.HubSpotGone || w.lens.side == crm.Salesforce && link.SalesforceGone {
		return
	}
	w.reading.Gone++
	f.read = append(f.read, thingKey(crm.HubSpot, link.HubSpotID))
	f.replaced = append(f.replaced, r.ID)
	w.change(f, r, w.lens.look(r))
}

// seeAbsorbed notes that a linked record was merged into another one, or that a
// linked Lead was converted. The Lead stays, and has to be decided by itself.
func (w *watcher) seeAbsorbed(f *found, r *crm.Record, link store.Link) {
	f.read = append(f.read, thingKey(crm.HubSpot, link.HubSpotID))
	if r.Archived {
		w.reading.Gone++
		return
	}
	w.change(f, r, w.lens.look(r))
}

// redirect follows what was found of merges, conversions and deletions, and
// wakes what is associated with the survivors.
func (w *watcher) redirect(ctx context.Context, f *found) error {
	if len(f.absorbed)+len(f.replaced)+len(f.ended) == 0 {
		return nil
	}
	side := w.lens.side
	follow := w.e.follower(ctx, w.o, w.ledger)
	if err := follow.all(f.absorbed); err != nil {
		return err
	}
	for _, id := range f.replaced {
		heir, err := follow.replace(side, id)
		if err != nil {
			return err
		}
		if !heir.IsZero() {
			f.changes = slices.DeleteFunc(f.changes, func(c store.Change) bool { return c.Ref.ID == id })
		}
	}
	for _, id := range f.ended {
		follow.endAlias(side, id)
	}
	f.follow = follow
	return w.wakeRelated(ctx, f)
}

// wakeRelated makes due what HubSpot associates with the survivors of merges:
// HubSpot moves the associations, and not every record that had one gets a new
// stamp. Salesforce stamps whatever it moves.
func (w *watcher) wakeRelated(ctx context.Context, f *found) error {
	var survivors []string
	for _, a := range f.absorbed {
		if a.into.Side == crm.HubSpot && !slices.Contains(survivors, a.into.ID) {
			survivors = append(survivors, a.into.ID)
		}
	}
	if len(survivors) == 0 {
		return nil
	}
	var near []*mapping.BoundObject
	read := crm.Read{Layout: crm.NewLayout(w.o.HubSpot, nil)}
	for _, o := range w.e.mapping.Objects {
		if slices.ContainsFunc(o.Associations, func(a mapping.Association) bool { return slices.Contains(a.FarObjects(), w.o.HubSpot) }) {
			near, read.Relations = append(near, o), append(read.Relations, o.HubSpot)
		}
	}
	if len(near) == 0 {
		return nil
	}
	records, err := w.e.sides[crm.HubSpot].Lookup(ctx, read, survivors)
	if err != nil {
		return err
	}
	for i := range records {
		for _, r := range records[i].Relations {
			for _, o := range near {
				if o.HubSpot == r.Object {
					f.wake = append(f.wake, dueRef{o.Name, crm.Ref{Side: crm.HubSpot, Object: r.Object, ID: r.ID}})
				}
			}
		}
	}
	return nil
}
