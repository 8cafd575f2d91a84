package engine

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

const (
	// hintsAtOnce bounds how many hints one cycle looks at; the others wait for
	// the next one, which follows at once.
	hintsAtOnce = 10_000
	// hintGap is for how long both vendors keep what they hint at: who was away
	// for longer has lost some.
	// https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_allocations.htm
	hintGap = 72 * time.Hour
)

// Source names where hints come from.
type Source string

// The sources.
const (
	SourceWebhooks     Source = "webhooks"
	SourceJournal      Source = "journal"
	SourceChangeEvents Source = "change events"
)

// Hold takes the lease of the pair before Watch does, so that Hear works from the
// start. Holding twice is no error; the store's Close gives it back.
func (e *Engine) Hold(ctx context.Context) error {
	e.working.Lock()
	defer e.working.Unlock()
	return e.begin(ctx)
}

// Hear takes hints that a source brought, and the mark up to which it was
// followed then; both are kept in one step, so that no hint is lost between
// them. It wakes Watch. Hints about what the mapping does not name are dropped.
// A nil mark leaves the source without one (webhooks have none). Hearing needs
// the lease, which Watch holds; a fault.Conflict or Internal otherwise.
func (e *Engine) Hear(ctx context.Context, source Source, hints []crm.Hint, mark []byte) error {
	kept := slices.DeleteFunc(slices.Clone(hints), func(h crm.Hint) bool { return !e.concerns(h) })
	err := e.store.Write(ctx, func(t *store.Tx) error {
		if err := t.PutHints(kept, e.now()); err != nil {
			return err
		}
		return t.PutPosition(store.Position{Source: string(source), Mark: mark, Heard: e.now()})
	})
	if err == nil && len(kept) > 0 {
		select {
		case e.wake <- struct{}{}:
		default: // it is awake already
		}
	}
	return err
}

// Mark returns how far a source was followed, nil when it never was, or was
// silent for longer than the vendors keep anything: then everything of its side
// is marked to be read again, since what happened in between is not told
// any more.
func (e *Engine) Mark(ctx context.Context, source Source, side crm.Side) ([]byte, error) {
	return e.MarkOf(ctx, source, crm.Hint{Side: side})
}

// MarkOf is Mark of a source that tells of one object: whole says what is to be
// read again after a silence.
func (e *Engine) MarkOf(ctx context.Context, source Source, whole crm.Hint) ([]byte, error) {
	positions, err := e.store.Positions(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(positions, func(p store.Position) bool { return p.Source == string(source) })
	switch {
	case i < 0:
		return nil, nil
	case e.olderThan(positions[i].Heard, hintGap):
		whole.Why = "nothing was heard for more than three days"
		return nil, e.Hear(ctx, source, []crm.Hint{whole}, nil)
	}
	return positions[i].Mark, nil
}

// Sources tells which sources were heard, and when last.
func (e *Engine) Sources(ctx context.Context) ([]store.Position, error) {
	return e.store.Positions(ctx)
}

// concerns tells whether anything of the mapping is hinted at.
func (e *Engine) concerns(h crm.Hint) bool {
	for key, l := range e.lenses {
		if key.side == h.Side && (e.sees(key, l, h) || watchesRows(l, h)) {
			return true
		}
	}
	return false
}

// sees tells whether a hint may be about records of a lens.
func (e *Engine) sees(key lensKey, l *lens, h crm.Hint) bool {
	if h.Side != l.side {
		return false
	}
	return h.Object == "" || h.Object == l.object || h.Side == crm.HubSpot && h.Object == e.mapping.Object(key.mapping).HubSpotSchema.Prefix
}

// watchesRows tells whether a hint is about a row that joins records of a lens
// with others, such as an OpportunityContactRole.
func watchesRows(l *lens, h crm.Hint) bool {
	return h.Side == crm.Salesforce && slices.Contains(l.rows, h.Object)
}

// junctionsOf names the objects whose rows belong to records of a target.
func junctionsOf(t *mapping.BoundTarget) []string {
	var names []string
	for _, a := range t.Associations {
		if a.Junction {
			names = append(names, a.Salesforce)
		}
	}
	return names
}

// hinted is what was hinted at for one lens.
type hinted struct {
	ids []string
	// poll: look for changes as usual. complete: read everything.
	poll, complete bool
}

func (h hinted) any() bool { return h.poll || h.complete || len(h.ids) > 0 }

// heard sorts what was heard by lens. The hints themselves are dropped when
// they were looked at.
func (e *Engine) heard(ctx context.Context) (map[lensKey]hinted, []store.Hint, error) {
	hints, err := e.store.Hints(ctx, hintsAtOnce)
	if err != nil || len(hints) == 0 {
		return nil, nil, err
	}
	sorted := map[lensKey]hinted{}
	for _, h := range hints {
		for key, l := range e.lenses {
			at := sorted[key]
			switch {
			case e.sees(key, l, h.Hint) && h.Whole():
				at.complete = true
			case e.sees(key, l, h.Hint):
				at.ids = append(at.ids, h.ID)
			case watchesRows(l, h.Hint):
				at.poll = true
			default:
				continue
			}
			sorted[key] = at
		}
	}
	return sorted, hints, nil
}

// lookAt reads the records that were hinted at and compares them, as if a poll
// had brought them.
func (w *watcher) lookAt(ctx context.Context, ids []string) error {
	for len(ids) > 0 {
		n := min(len(ids), observeBatch)
		records, err := w.e.sides[w.lens.side].Lookup(ctx, w.lens.read, ids[:n])
		if err != nil {
			return err
		}
		for i := range records {
			if records[i].Archived {
				w.reading.Archived++
			} else {
				w.reading.Rows++
			}
		}
		if err := w.compare(ctx, records); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}
