package store

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Change is one record that was read changed and is not settled yet.
type Change struct {
	Mapping string
	Ref     crm.Ref
	// Due: it is to be decided in this cycle. Held things stay, not due.
	Due bool
	// Seen is the hash of Record; Record is empty when the values have to be
	// read again.
	Seen   uint64
	Record []byte
	// Wake is what made it due.
	Wake Wake
}

const changeColumns = "c.mapping, c.side, c.id, c.object, c.due, c.seen, c.record, c.wake, c.sum"

func (s *Store) scanChange(r *sql.Rows) (Change, error) {
	var c Change
	var mapping, side, object, due, seen, sum int64
	var id idScan
	if err := r.Scan(&mapping, &side, &id, &object, &due, &seen, &c.Record, &c.Wake, &sum); err != nil {
		return c, err
	}
	if err := s.holds(sum, "what was read of "+s.name(object)+" "+string(id), mapping, side, idValue(sideOf(side), string(id)), object, seen, bytesOf(c.Record)); err != nil {
		return c, err
	}
	c.Mapping, c.Ref = s.name(mapping), crm.Ref{Side: sideOf(side), Object: s.name(object), ID: string(id)}
	c.Due, c.Seen = due != 0, uint64(seen)
	return c, nil
}

// DueChanges reads at most limit due changes of one mapping and side in the
// order of their ids, those after the given one; start with "".
func (s *Store) DueChanges(ctx context.Context, mapping string, side crm.Side, after string, limit int) ([]Change, error) {
	where, args := "c.due = 1 AND c.mapping = ? AND c.side = ?", []any{s.codeOf(mapping), sideCode(side)}
	if after != "" {
		where, args = where+" AND c.id > ?", append(args, idValue(side, after))
	}
	var page []Change
	err := s.query(ctx, func(r *sql.Rows) error {
		c, err := s.scanChange(r)
		page = append(page, c)
		return err
	}, `SELECT `+changeColumns+` FROM changes c WHERE `+where+` ORDER BY c.id LIMIT ?`, append(args, limit)...)
	return page, err
}

// WaitingPage reads the refs of at most limit changes, due or not, of one object
// of one side, in the order of their ids after the given one; start with "".
func (s *Store) WaitingPage(ctx context.Context, mapping string, side crm.Side, object, after string, limit int) ([]crm.Ref, error) {
	where, args := "c.mapping = ? AND c.side = ?", []any{s.codeOf(mapping), sideCode(side)}
	if after != "" {
		where, args = where+" AND c.id > ?", append(args, idValue(side, after))
	}
	var refs []crm.Ref
	err := s.query(ctx, func(r *sql.Rows) error {
		var id idScan
		if err := r.Scan(&id); err != nil {
			return err
		}
		refs = append(refs, crm.Ref{Side: side, Object: object, ID: string(id)})
		return nil
	}, "SELECT c.id FROM changes c WHERE "+where+" AND c.object = ? ORDER BY c.id LIMIT ?", append(args, s.codeOf(object), limit)...)
	return refs, err
}

// CountDue counts due changes of all mappings.
func (s *Store) CountDue(ctx context.Context) (int, error) {
	return s.count(ctx, "SELECT count(*) FROM changes WHERE due = 1")
}

// ChangesByID finds changes, due or not, by id.
func (s *Store) ChangesByID(ctx context.Context, mapping string, side crm.Side, ids []string) (map[string]Change, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found := make(map[string]Change, len(ids))
	err := s.query(ctx, func(r *sql.Rows) error {
		c, err := s.scanChange(r)
		found[c.Ref.ID] = c
		return err
	}, `SELECT `+changeColumns+` FROM json_each(?) j CROSS JOIN changes c ON c.mapping = ? AND c.side = ? AND c.id = j.value`,
		idList(side, ids), s.codeOf(mapping), sideCode(side))
	return found, err
}

// PutChanges adds changes, each over an earlier one of the same record.
func (t *Tx) PutChanges(changes []Change) error {
	return t.putChanges(changes, `ON CONFLICT (mapping, side, id) DO UPDATE SET object = excluded.object, due = excluded.due,
		seen = excluded.seen, record = excluded.record, wake = excluded.wake, sum = excluded.sum`)
}

// PutDue makes records due: one that is there with its values keeps them, one
// that is not comes without values and is read again before it is decided. What
// woke a record that is due already stands.
func (t *Tx) PutDue(mapping string, refs []crm.Ref, why Wake) error {
	changes := make([]Change, len(refs))
	for i, r := range refs {
		changes[i] = Change{Mapping: mapping, Ref: r, Due: true, Wake: why}
	}
	return t.putChanges(changes, "ON CONFLICT (mapping, side, id) DO UPDATE SET "+dueBy)
}

// dueBy makes a row due and notes by what, unless it is due already.
const dueBy = "wake = CASE WHEN due = 1 THEN wake ELSE excluded.wake END, due = 1"

func (t *Tx) putChanges(changes []Change, tail string) error {
	for _, c := range changes {
		if _, err := t.mustCode(c.Ref.Object); err != nil {
			return err
		}
	}
	return insert(t, "INSERT INTO changes (mapping, side, id, object, due, seen, record, wake, sum) VALUES", 9, tail,
		changes, func(args []any, c Change) []any {
			due := int64(0)
			if c.Due {
				due = 1
			}
			record := bytesOf(c.Record)
			mapping, side, id, object := t.s.codeOf(c.Mapping), sideCode(c.Ref.Side), idValue(c.Ref.Side, c.Ref.ID), t.s.codeOf(c.Ref.Object)
			return append(args, mapping, side, id, object, due, int64(c.Seen), record, int64(c.Wake),
				rowSum(mapping, side, id, object, int64(c.Seen), record))
		})
}

// AllDue makes every kept change due again.
func (t *Tx) AllDue() error {
	return t.exec("UPDATE changes SET due = 1, wake = ? WHERE due = 0"+notFailed, int64(WakeKept))
}

// KeepChanges leaves changes where they are, with values, but not due.
func (t *Tx) KeepChanges(mapping string, side crm.Side, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return t.exec("UPDATE changes SET due = 0 WHERE mapping = ? AND side = ? AND id IN (SELECT value FROM json_each(?))",
		t.s.codeOf(mapping), sideCode(side), idList(side, ids))
}

// DropChanges settles changes.
func (t *Tx) DropChanges(mapping string, side crm.Side, ids []string) error {
	return t.dropByID("changes", mapping, side, ids)
}

// Await is one thing that waits for a record to be linked.
type Await struct {
	// Mapping and Ref of the record that is waited for.
	Mapping string
	Ref     crm.Ref
	// ThingMapping and Thing wait for it.
	ThingMapping string
	Thing        crm.Ref
}

// PutAwaits remembers who waits for what; twice is once.
func (t *Tx) PutAwaits(awaits []Await) error {
	return insert(t, "INSERT INTO awaits (mapping, side, id, thing_mapping, thing_side, thing_id, thing_object) VALUES", 7,
		"ON CONFLICT DO NOTHING", awaits, func(args []any, a Await) []any {
			return append(args, t.s.codeOf(a.Mapping), sideCode(a.Ref.Side), idValue(a.Ref.Side, a.Ref.ID),
				t.s.codeOf(a.ThingMapping), sideCode(a.Thing.Side), idValue(a.Thing.Side, a.Thing.ID), t.s.codeOf(a.Thing.Object))
		})
}

// FireAwaits makes due everything that waited for one of these records, and
// forgets the waiting. It returns how many things that were.
func (t *Tx) FireAwaits(mapping string, side crm.Side, ids []string) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	args := []any{t.s.codeOf(mapping), sideCode(side), idList(side, ids)}
	where := "FROM awaits WHERE mapping = ? AND side = ? AND id IN (SELECT value FROM json_each(?))"
	if err := t.exec(`INSERT INTO changes (mapping, side, id, object, due, seen, record, wake)
		SELECT DISTINCT thing_mapping, thing_side, thing_id, thing_object, 1, 0, x'', `+strconv.Itoa(int(WakeAwaited))+` `+where+`
		ON CONFLICT (mapping, side, id) DO UPDATE SET `+dueBy, args...); err != nil {
		return 0, err
	}
	result, err := t.tx.ExecContext(t.ctx, "DELETE "+where, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// KeptDue makes the kept changes of one mapping due again.
func (t *Tx) KeptDue(mapping string) error {
	return t.exec("UPDATE changes SET due = 1, wake = ? WHERE due = 0 AND mapping = ?"+notFailed, int64(WakeNeighbour), t.s.codeOf(mapping))
}

// MoveAwaits lets who waits for a record wait for another one, and lets that
// one wait for what the record itself waited for: it was made part of it.
func (t *Tx) MoveAwaits(mapping string, from, to crm.Ref) error {
	code, side := t.s.codeOf(mapping), sideCode(from.Side)
	was, is := idValue(from.Side, from.ID), idValue(to.Side, to.ID)
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{"INSERT INTO awaits SELECT mapping, side, ?, thing_mapping, thing_side, thing_id, thing_object FROM awaits WHERE mapping = ? AND side = ? AND id = ? ON CONFLICT DO NOTHING", []any{is, code, side, was}},
		{"DELETE FROM awaits WHERE mapping = ? AND side = ? AND id = ?", []any{code, side, was}},
		{"INSERT INTO awaits SELECT mapping, side, id, thing_mapping, thing_side, ?, ? FROM awaits WHERE thing_mapping = ? AND thing_side = ? AND thing_id = ? ON CONFLICT DO NOTHING", []any{is, t.s.codeOf(to.Object), code, side, was}},
		{"DELETE FROM awaits WHERE thing_mapping = ? AND thing_side = ? AND thing_id = ?", []any{code, side, was}},
	} {
		if err := t.exec(statement.sql, statement.args...); err != nil {
			return err
		}
	}
	return nil
}

// ForgetRecords drops what changes say of these records, which are about to be
// written to: whoever decides them again reads them first.
func (t *Tx) ForgetRecords(mapping string, side crm.Side, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return t.exec("UPDATE changes SET record = x'', sum = 0 WHERE mapping = ? AND side = ? AND id IN (SELECT value FROM json_each(?))",
		t.s.codeOf(mapping), sideCode(side), idList(side, ids))
}
