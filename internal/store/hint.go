package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Hint is a hint that was heard and not looked at yet.
type Hint struct {
	crm.Hint
	Heard time.Time
}

// Hints reads at most limit hints, those that were heard first at the front.
func (s *Store) Hints(ctx context.Context, limit int) ([]Hint, error) {
	var hints []Hint
	err := s.query(ctx, func(r *sql.Rows) error {
		var h Hint
		var side, micros int64
		if err := r.Scan(&side, &h.Object, &h.ID, &h.Why, &micros); err != nil {
			return err
		}
		h.Side, h.Heard = sideOf(side), time.UnixMicro(micros).UTC()
		hints = append(hints, h)
		return nil
	}, "SELECT side, object, id, why, time FROM hints ORDER BY time, side, object, id LIMIT ?", limit)
	return hints, err
}

// PutHints remembers hints; the same one again only moves its time.
func (t *Tx) PutHints(hints []crm.Hint, heard time.Time) error {
	return insert(t, "INSERT INTO hints (side, object, id, why, time) VALUES", 5,
		"ON CONFLICT (side, object, id) DO UPDATE SET why = excluded.why, time = max(time + 1, excluded.time)",
		hints, func(args []any, h crm.Hint) []any {
			return append(args, sideCode(h.Side), h.Object, h.ID, h.Why, heard.UnixMicro())
		})
}

// DropHints forgets hints that were looked at, unless they were heard again
// meanwhile.
func (t *Tx) DropHints(hints []Hint) error {
	for _, h := range hints {
		if err := t.exec("DELETE FROM hints WHERE side = ? AND object = ? AND id = ? AND time = ?",
			sideCode(h.Side), h.Object, h.ID, h.Heard.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// Position is how far a source of hints was followed.
type Position struct {
	Source string
	// Mark is the source's own: an offset, a replay id; empty when it has none.
	Mark []byte
	// Heard is when the source last said anything, even that nothing is new.
	Heard time.Time
}

// Positions lists all sources that were ever heard, by name.
func (s *Store) Positions(ctx context.Context) ([]Position, error) {
	var all []Position
	err := s.query(ctx, func(r *sql.Rows) error {
		var p Position
		var micros int64
		if err := r.Scan(&p.Source, &p.Mark, &micros); err != nil {
			return err
		}
		p.Heard = time.UnixMicro(micros).UTC()
		all = append(all, p)
		return nil
	}, "SELECT source, position, heard FROM positions ORDER BY source")
	return all, err
}

// PutPosition remembers how far a source was followed.
func (t *Tx) PutPosition(p Position) error {
	mark := p.Mark
	if mark == nil {
		mark = []byte{}
	}
	return t.exec(`INSERT INTO positions (source, position, heard) VALUES (?, ?, ?)
		ON CONFLICT (source) DO UPDATE SET position = excluded.position, heard = excluded.heard`, p.Source, mark, p.Heard.UnixMicro())
}
