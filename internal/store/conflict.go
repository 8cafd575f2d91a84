package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Conflict is one thing that waits for a person, and what that one answered.
type Conflict struct {
	// ID is for people; it stays the same while the conflict does.
	ID      int64
	Mapping string
	// Thing is named as in outcomes: the HubSpot record of a pair, else the
	// unlinked record.
	Thing crm.Ref
	Kind  string
	// Field is empty for what is not about one field.
	Field string
	// Print is a hash of what is shown.
	Print uint64
	// Body is what is shown, in the engine's words.
	Body   []byte
	Opened time.Time
	// Answer is empty while nobody answered to just this.
	Answer string
}

const conflictColumns = "c.id, c.mapping, c.side, c.thing, c.object, c.kind, c.field, c.print, c.body, c.opened, c.answer"

func (s *Store) scanConflict(r *sql.Rows) (Conflict, error) {
	var c Conflict
	var mapping, side, object, print, opened int64
	var thing idScan
	if err := r.Scan(&c.ID, &mapping, &side, &thing, &object, &c.Kind, &c.Field, &print, &c.Body, &opened, &c.Answer); err != nil {
		return c, err
	}
	c.Mapping, c.Thing = s.name(mapping), crm.Ref{Side: sideOf(side), Object: s.name(object), ID: string(thing)}
	c.Print, c.Opened = uint64(print), time.UnixMicro(opened).UTC()
	return c, nil
}

// Conflicts reads all conflicts, oldest first.
func (s *Store) Conflicts(ctx context.Context) ([]Conflict, error) {
	return s.conflicts(ctx, "FROM conflicts c ORDER BY c.id")
}

// Conflict reads one conflict; found is false when there is none (any more).
func (s *Store) Conflict(ctx context.Context, id int64) (c Conflict, found bool, err error) {
	list, err := s.conflicts(ctx, "FROM conflicts c WHERE c.id = ?", id)
	if err != nil || len(list) == 0 {
		return c, false, err
	}
	return list[0], true, nil
}

// ConflictsOf finds the conflicts of things of one side.
func (s *Store) ConflictsOf(ctx context.Context, mapping string, side crm.Side, things []string) ([]Conflict, error) {
	if len(things) == 0 {
		return nil, nil
	}
	return s.conflicts(ctx, "FROM json_each(?) j CROSS JOIN conflicts c ON c.mapping = ? AND c.side = ? AND c.thing = j.value",
		idList(side, things), s.codeOf(mapping), sideCode(side))
}

func (s *Store) conflicts(ctx context.Context, from string, args ...any) ([]Conflict, error) {
	var list []Conflict
	err := s.query(ctx, func(r *sql.Rows) error {
		c, err := s.scanConflict(r)
		list = append(list, c)
		return err
	}, "SELECT "+conflictColumns+" "+from, args...)
	return list, err
}

// PutConflicts shows conflicts. One that is shown already keeps its id, and its
// answer while what is shown is the same.
func (t *Tx) PutConflicts(conflicts []Conflict) error {
	for _, c := range conflicts {
		if _, err := t.mustCode(c.Thing.Object); err != nil {
			return err
		}
	}
	for _, c := range conflicts {
		side, print, opened := sideCode(c.Thing.Side), int64(c.Print), c.Opened.UnixMicro()
		// An upsert would use up a number for each conflict that is shown again, and
		// people would be asked to answer conflict 48113.
		result, err := t.tx.ExecContext(t.ctx, `UPDATE conflicts SET body = ?, object = ?, opened = CASE WHEN print = ? THEN opened ELSE ? END,
			answer = CASE WHEN print = ? THEN answer ELSE '' END, print = ? WHERE mapping = ? AND side = ? AND thing = ? AND kind = ? AND field = ?`,
			c.Body, t.s.codeOf(c.Thing.Object), print, opened, print, print, t.s.codeOf(c.Mapping), side, idValue(c.Thing.Side, c.Thing.ID), c.Kind, c.Field)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			if err != nil {
				return err
			}
			continue
		}
		if err := t.exec("INSERT INTO conflicts (mapping, side, thing, object, kind, field, print, body, opened, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '')",
			t.s.codeOf(c.Mapping), side, idValue(c.Thing.Side, c.Thing.ID), t.s.codeOf(c.Thing.Object), c.Kind, c.Field, print, c.Body, opened); err != nil {
			return err
		}
	}
	return nil
}

// AnswerConflict stores what a person answered to a conflict as it is shown;
// false when it is gone or shows something else by now.
func (t *Tx) AnswerConflict(id int64, print uint64, answer string) (bool, error) {
	result, err := t.tx.ExecContext(t.ctx, "UPDATE conflicts SET answer = ? WHERE id = ? AND print = ?", answer, id, int64(print))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// DropConflicts forgets the conflicts of things.
func (t *Tx) DropConflicts(mapping string, side crm.Side, things []string) error {
	if len(things) == 0 {
		return nil
	}
	return t.exec("DELETE FROM conflicts WHERE mapping = ? AND side = ? AND thing IN (SELECT value FROM json_each(?))",
		t.s.codeOf(mapping), sideCode(side), idList(side, things))
}

// KeepConflicts forgets the conflicts of things but for the ones given.
func (t *Tx) KeepConflicts(mapping string, side crm.Side, things []string, kept []Conflict) error {
	if len(things) == 0 {
		return nil
	}
	list := make([][3]any, 0, len(kept))
	for _, c := range kept {
		if c.Thing.Side == side {
			list = append(list, [3]any{idValue(side, c.Thing.ID), c.Kind, c.Field})
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return t.exec(`DELETE FROM conflicts WHERE mapping = ? AND side = ? AND thing IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
		SELECT 1 FROM json_each(?) k WHERE json_extract(k.value, '$[0]') = thing AND json_extract(k.value, '$[1]') = kind AND json_extract(k.value, '$[2]') = field)`,
		t.s.codeOf(mapping), sideCode(side), idList(side, things), string(text))
}

// MoveConflicts lets the conflicts of a thing be those of another one, which is
// what is left of it.
func (t *Tx) MoveConflicts(mapping string, from, to crm.Ref) error {
	if _, err := t.mustCode(to.Object); err != nil {
		return err
	}
	if err := t.DropConflicts(mapping, to.Side, []string{to.ID}); err != nil {
		return err
	}
	return t.exec("UPDATE conflicts SET side = ?, thing = ?, object = ? WHERE mapping = ? AND side = ? AND thing = ?",
		sideCode(to.Side), idValue(to.Side, to.ID), t.s.codeOf(to.Object), t.s.codeOf(mapping), sideCode(from.Side), idValue(from.Side, from.ID))
}
