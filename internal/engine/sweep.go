package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// associationSlice is how many linked records' associations one cycle looks at:
// what HubSpot takes in one call for each object at the far end.
const associationSlice = 1000

// sweep looks at what moves no stamp, so that no read of changes tells it, and
// makes due what differs. What was just read completely needs no second look.
// It runs after the reads, because both write links.
func (e *Engine) sweep(ctx context.Context, readings []Reading) error {
	// One mapped object after the other, since its sweeps write the same links.
	objects := map[string][]*Reading{}
	for i := range readings {
		if r := &readings[i]; !r.Complete {
			objects[r.Mapping] = append(objects[r.Mapping], r)
		}
	}
	for _, list := range objects {
		slices.SortFunc(list, func(a, b *Reading) int { return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.Object, b.Object)) })
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(readsPerSide)
	for _, o := range e.mapping.Objects {
		group.Go(func() error {
			for _, reading := range objects[o.Name] {
				s := &sweeper{e: e, o: o, reading: reading}
				s.lens = e.lens(s.o, reading.Side, reading.Object)
				if err := s.associations(groupCtx); err != nil {
					return fmt.Errorf("read the associations of HubSpot %s: %w", reading.Object, err)
				}
				if err := s.calculated(groupCtx); err != nil {
					return fmt.Errorf("read what %s calculates of %s: %w", reading.Side.Title(), reading.Object, err)
				}
			}
			return nil
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// sweeper looks at linked records of one object of one side.
type sweeper struct {
	e       *Engine
	o       *mapping.BoundObject
	lens    *lens
	reading *Reading
}

// associations compares the associations that HubSpot has with those that were
// seen last: adding or removing one does not reliably move a record's stamp. Up
// to associationSlice linked records all are looked at, beyond that a slice in
// each cycle, one after the other.
func (s *sweeper) associations(ctx context.Context) error {
	l, name := s.lens, s.o.Name
	if l.side != crm.HubSpot || len(l.read.Relations) == 0 {
		return nil
	}
	st := s.e.store
	sweep, err := st.Sweep(ctx, name, l.side, l.object, store.SweepAssociations)
	if err != nil {
		return err
	}
	links, err := st.LinkPage(ctx, name, sweep.Position, associationSlice)
	if err != nil {
		return err
	}
	if len(links) == 0 && sweep.Position != "" {
		// The last links behind the position are gone: go on at the front.
		if links, err = st.LinkPage(ctx, name, "", associationSlice); err != nil {
			return err
		}
	}
	next := ""
	if len(links) == associationSlice {
		next = links[len(links)-1].HubSpotID
		// Exactly one slice is all there is, and starts at the front each time.
		if more, err := st.LinkPage(ctx, name, next, 1); err != nil || len(more) == 0 {
			next = ""
			if err != nil {
				return err
			}
		}
	}
	found, err := s.compareRelated(ctx, links)
	if err != nil {
		return err
	}
	if len(found.links)+len(found.changes) == 0 && next == sweep.Position {
		return nil
	}
	return st.Write(ctx, func(t *store.Tx) error {
		if err := t.PutLinks(found.links); err != nil {
			return err
		}
		if err := t.PutChanges(found.changes); err != nil {
			return err
		}
		return t.PutSweep(name, l.side, l.object, store.SweepAssociations, store.Sweep{Position: next, Rows: len(links)})
	})
}

// compareRelated finds the links whose associations are not as they were seen.
func (s *sweeper) compareRelated(ctx context.Context, links []store.Link) (found, error) {
	var f found
	byID := make(map[string]store.Link, len(links))
	ids := make([]string, 0, len(links))
	for _, link := range links {
		if !link.HubSpotGone {
			byID[link.HubSpotID] = link
			ids = append(ids, link.HubSpotID)
		}
	}
	if len(ids) == 0 {
		return f, nil
	}
	read := s.lens.read
	read.SinceMicros = s.reading.SinceMicros
	records, calls, err := s.e.sides[crm.HubSpot].Relations(ctx, read, ids)
	s.reading.Calls += calls
	s.reading.Swept += len(ids)
	if err != nil {
		return f, err
	}
	var differs []string
	for i := range records {
		r := &records[i]
		link, linked := byID[r.ID]
		now := s.lens.related(r)
		switch {
		case linked && r.Archived:
			differs = append(differs, r.ID)
		case !linked || now == link.RelatedHubSpot:
		case link.RelatedHubSpot == 0 && s.isRelatedEcho(r, &link):
			link.RelatedHubSpot = now
			f.links = append(f.links, link)
		default:
			differs = append(differs, r.ID)
		}
	}
	f.changes, err = s.due(ctx, differs)
	return f, err
}

// isRelatedEcho tells whether the associations are those of the base: our own
// write, seen for the first time.
func (s *sweeper) isRelatedEcho(r *crm.Record, link *store.Link) bool {
	target := s.o.Target(link.SalesforceObject)
	if target == nil || link.Outcome != crm.Unchanged || link.Base.Version != s.o.BaseVersion {
		return false
	}
	now := reconcile.Fingerprint(s.o, crm.HubSpot, s.lens.object, r)
	for _, a := range target.Associations {
		if a.By != "" {
			continue // a property, which was not read now
		}
		if a.Slot >= len(link.Base.HubSpot) || link.Base.HubSpot[a.Slot] != now[a.Slot] {
			return false
		}
	}
	return true
}

// due makes records due without values, so that they are read again as a whole;
// those that are due already were read in this cycle.
func (s *sweeper) due(ctx context.Context, ids []string) ([]store.Change, error) {
	known, err := s.e.store.ChangesByID(ctx, s.o.Name, s.lens.side, ids)
	if err != nil {
		return nil, err
	}
	var changes []store.Change
	for _, id := range ids {
		if !known[id].Due {
			changes = append(changes, store.Change{Mapping: s.o.Name, Ref: crm.Ref{Side: s.lens.side, Object: s.lens.object, ID: id}, Due: true, Wake: store.WakeSweep})
		}
	}
	s.reading.Changed += len(changes)
	return changes, nil
}
