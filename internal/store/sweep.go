package store

import (
	"context"
	"database/sql"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// SweepKind says what a sweep looks at.
type SweepKind string

// The kinds.
const (
	SweepAssociations SweepKind = "associations"
	SweepCalculated   SweepKind = "calculated"
)

// Sweep says how far a look at what no stamp tells has come.
type Sweep struct {
	// Position is the HubSpot id after which the next part starts; empty: at the
	// front.
	Position string
	// Waited counts the cycles since the last sweep, Rows the records that it read.
	Waited int
	Rows   int
}

// Sweep reads the state of a sweep; the zero Sweep when there was none.
func (s *Store) Sweep(ctx context.Context, mapping string, side crm.Side, object string, kind SweepKind) (Sweep, error) {
	var sweep Sweep
	err := s.query(ctx, func(r *sql.Rows) error { return r.Scan(&sweep.Position, &sweep.Waited, &sweep.Rows) },
		"SELECT position, waited, rows FROM sweeps WHERE mapping = ? AND side = ? AND object = ? AND kind = ?",
		s.codeOf(mapping), sideCode(side), s.codeOf(object), string(kind))
	return sweep, err
}

// PutSweep keeps the state of a sweep.
func (t *Tx) PutSweep(mapping string, side crm.Side, object string, kind SweepKind, sweep Sweep) error {
	return t.exec(`INSERT INTO sweeps (mapping, side, object, kind, position, waited, rows) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (mapping, side, object, kind) DO UPDATE SET position = excluded.position, waited = excluded.waited, rows = excluded.rows`,
		t.s.codeOf(mapping), sideCode(side), t.s.codeOf(object), string(kind), sweep.Position, sweep.Waited, sweep.Rows)
}
