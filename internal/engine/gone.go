package engine

import (
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// findGone finds what was known and did not come in a complete read, and asks
// for it by id before believing that it is gone.
func (w *watcher) findGone(ctx context.Context) error {
	if w.fresh {
		w.seen = nil
		return nil
	}
	slices.Sort(w.seen)
	here := func(id string) bool {
		_, ok := slices.BinarySearch(w.seen, thingKey(w.lens.side, id))
		return ok
	}
	var missing []string
	add := func(id string) error {
		missing = append(missing, id)
		if len(missing) < observeBatch {
			return nil
		}
		err := w.confirm(ctx, missing)
		missing = nil
		return err
	}
	for after := ""; ; {
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
	for after := ""; ; {
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

// seeGone notes that a linked record was archived, deleted or merged away.
func (w *watcher) seeGone(f *found, r *crm.Record, link store.Link) {
	if w.lens.side == crm.HubSpot && link.HubSpotGone || w.lens.side == crm.Salesforce && link.SalesforceGone {
		return
	}
	if r.MergedInto != "" && r.MergedInto != r.ID {
		moved := link
		if w.lens.side == crm.HubSpot {
			moved.HubSpotID, moved.SeenHubSpot = r.MergedInto, 0
		} else {
			moved.SalesforceID, moved.SeenSalesforce = r.MergedInto, 0
		}
		f.moved = append(f.moved, moved)
		f.movedOff = append(f.movedOff, link.HubSpotID)
	}
	w.reading.Gone++
	f.read = append(f.read, thingKey(crm.HubSpot, link.HubSpotID))
	w.change(f, r, w.lens.look(r))
}

// redirect follows merges: the link goes to the record that survived, unless
// that one is linked itself; then the loser is decided as gone.
func (w *watcher) redirect(ctx context.Context, f *found) error {
	if len(f.moved) == 0 {
		return nil
	}
	side, st := w.lens.side, w.e.store
	survivors := make([]string, len(f.moved))
	for i, m := range f.moved {
		survivors[i] = m.HubSpotID
		if side == crm.Salesforce {
			survivors[i] = m.SalesforceID
		}
	}
	taken, err := st.Links(ctx, w.o.Name, side, survivors)
	if err != nil {
		return err
	}
	var moved []store.Link
	var off []string
	for i, m := range f.moved {
		into := survivors[i]
		if _, ok := taken[into]; ok {
			continue
		}
		taken[into] = m // a second loser of the same merge stays where it is
		moved, off = append(moved, m), append(off, f.movedOff[i])
		// The survivor carries the thing on; it is read before it is decided.
		loser := f.movedOff[i]
		if side == crm.Salesforce {
			old, err := st.Links(ctx, w.o.Name, crm.HubSpot, []string{f.movedOff[i]})
			if err != nil {
				return err
			}
			loser = old[f.movedOff[i]].SalesforceID
		}
		f.forget = append(f.forget, loser)
		f.changes = slices.DeleteFunc(f.changes, func(c store.Change) bool { return c.Ref.ID == loser })
		object := w.lens.object
		f.wake = append(f.wake, dueRef{w.o.Name, crm.Ref{Side: side, Object: object, ID: into}})
		key := thingKey(crm.HubSpot, f.movedOff[i])
		f.read = slices.DeleteFunc(f.read, func(k uint64) bool { return k == key })
	}
	f.moved, f.movedOff = moved, off
	return nil
}
