package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// ShadowWait is something that we would have written, or would not, and that
// the other sync has not decided yet. Body is the engine's.
type ShadowWait struct {
	Mapping string
	Side    crm.Side
	ID      string
	Slot    int
	Since   time.Time
	Body    []byte
}

// ShadowWaits reads all, oldest first.
func (s *Store) ShadowWaits(ctx context.Context) ([]ShadowWait, error) {
	var waits []ShadowWait
	err := s.query(ctx, func(r *sql.Rows) error {
		var w ShadowWait
		var mapping, side, since int64
		var id idScan
		if err := r.Scan(&mapping, &side, &id, &w.Slot, &since, &w.Body); err != nil {
			return err
		}
		w.Mapping, w.Side, w.ID, w.Since = s.name(mapping), sideOf(side), string(id), time.UnixMicro(since).UTC()
		waits = append(waits, w)
		return nil
	}, "SELECT mapping, side, id, slot, since, body FROM shadow_waits ORDER BY since, mapping, side, id, slot")
	return waits, err
}

// PutShadowWaits adds waits, each over an earlier one of the same place.
func (t *Tx) PutShadowWaits(waits []ShadowWait) error {
	return insert(t, "INSERT INTO shadow_waits (mapping, side, id, slot, since, body) VALUES", 6,
		"ON CONFLICT (mapping, side, id, slot) DO UPDATE SET since = excluded.since, body = excluded.body",
		waits, func(args []any, w ShadowWait) []any {
			return append(args, t.s.codeOf(w.Mapping), sideCode(w.Side), idValue(w.Side, w.ID), w.Slot, w.Since.UnixMicro(), string(w.Body))
		})
}

// DropShadowWaits forgets waits.
func (t *Tx) DropShadowWaits(waits []ShadowWait) error {
	for _, w := range waits {
		if err := t.exec("DELETE FROM shadow_waits WHERE mapping = ? AND side = ? AND id = ? AND slot = ?",
			t.s.codeOf(w.Mapping), sideCode(w.Side), idValue(w.Side, w.ID), w.Slot); err != nil {
			return err
		}
	}
	return nil
}

// ShadowResult is what came of a wait. Body is the engine's.
type ShadowResult struct {
	Time time.Time
	Body []byte
}

// AppendShadowResults adds results.
func (t *Tx) AppendShadowResults(results []ShadowResult) error {
	return insert(t, "INSERT INTO shadow_results (time, body) VALUES", 2, "", results, func(args []any, r ShadowResult) []any {
		return append(args, r.Time.UnixMicro(), string(r.Body))
	})
}

// ShadowResults hands all results to yield, oldest first.
func (s *Store) ShadowResults(ctx context.Context, yield func(ShadowResult) error) error {
	const pageSize = 1000
	for after := int64(0); ; {
		rows := 0
		err := s.query(ctx, func(r *sql.Rows) error {
			var result ShadowResult
			var micros int64
			if err := r.Scan(&after, &micros, &result.Body); err != nil {
				return err
			}
			rows++
			result.Time = time.UnixMicro(micros).UTC()
			return yield(result)
		}, "SELECT seq, time, body FROM shadow_results WHERE seq > ? ORDER BY seq LIMIT ?", after, pageSize)
		if err != nil || rows < pageSize {
			return err
		}
	}
}
