package engine

import (
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// leastComplete is the shortest time between two complete reads that are made
// because the ones before found what no read of changes had told of.
const leastComplete = time.Hour

// completeIsDue tells whether a complete read is due. A clock that was put back
// makes it due, too.
func (e *Engine) completeIsDue(c store.Cursor) bool {
	every := e.completeEvery
	if every <= 0 {
		return false
	}
	if c.Every > 0 {
		every = min(every, c.Every)
	}
	return e.olderThan(c.Complete, every-1)
}

// nextComplete says how long until the next complete read: a quarter as long
// after one that found something lost, down to an hour, else twice as long, up
// to the usual.
func (e *Engine) nextComplete(every time.Duration, lost int) time.Duration {
	if every == 0 || every > e.completeEvery {
		every = e.completeEvery
	}
	if lost > 0 {
		return max(every/4, min(leastComplete, e.completeEvery))
	}
	return min(2*every, e.completeEvery)
}

// missed notes a record that changed before the last read of changes and was not
// told of by it.
func (w *watcher) missed(r *crm.Record, waits bool) {
	if w.told != 0 && !waits && r.ModifiedMicros > 0 && r.ModifiedMicros < w.told {
		w.reading.Lost++
	}
}

// moved tells whether anything of a linked record changed that moves its stamp:
// not only what the vendor calculates, and not only its associations.
func (w *watcher) moved(r *crm.Record, link *store.Link) bool {
	base := link.Base.HubSpot
	if w.lens.side == crm.Salesforce {
		base = link.Base.Salesforce
	}
	if link.Outcome != crm.Unchanged || link.Base.Version != w.o.BaseVersion {
		return false
	}
	now := reconcile.Fingerprint(w.o, w.lens.side, w.lens.object, r)
	for _, slot := range w.lens.stamped {
		if slot < len(base) && base[slot] != 0 && base[slot] != now[slot] {
			return true
		}
	}
	return false
}
