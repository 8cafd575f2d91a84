package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Outcome is the latest outcome of one thing that is not simply in step.
type Outcome struct {
	Mapping string
	// Ref is the HubSpot record of a linked thing, else the unlinked record.
	Ref crm.Ref
	// Linked: the thing is a pair.
	Linked bool
	// Seen is a hash of all that was read of an unlinked record, Calculated of
	// its fields that the vendor calculates.
	Seen       uint64
	Calculated uint64
	Outcome    crm.Outcome
	Reason     crm.Reason
	// Run in which it was decided, and when.
	Run  int64
	Time time.Time
}

const outcomeColumns = "o.mapping, o.side, o.id, o.object, o.linked, o.seen, o.calculated, o.outcome, o.reason, o.run, o.time"

func (s *Store) scanOutcome(r *sql.Rows) (Outcome, error) {
	var o Outcome
	var mapping, side, object, linked, seen, calculated, micros int64
	var id idScan
	var outcome, reason string
	if err := r.Scan(&mapping, &side, &id, &object, &linked, &seen, &calculated, &outcome, &reason, &o.Run, &micros); err != nil {
		return o, err
	}
	o.Mapping = s.name(mapping)
	o.Ref = crm.Ref{Side: sideOf(side), Object: s.name(object), ID: string(id)}
	o.Linked, o.Seen, o.Calculated, o.Outcome = linked != 0, uint64(seen), uint64(calculated), crm.Outcome(outcome)
	o.Time = time.UnixMicro(micros).UTC()
	return o, json.Unmarshal([]byte(reason), &o.Reason)
}

// Outcomes finds what is remembered of things, by the id of the record that
// names the thing.
func (s *Store) Outcomes(ctx context.Context, mapping string, side crm.Side, ids []string) (map[string]Outcome, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found := make(map[string]Outcome)
	err := s.query(ctx, func(r *sql.Rows) error {
		o, err := s.scanOutcome(r)
		found[o.Ref.ID] = o
		return err
	}, `SELECT `+outcomeColumns+` FROM json_each(?) j CROSS JOIN outcomes o ON o.mapping = ? AND o.side = ? AND o.id = j.value`,
		idList(side, ids), s.codeOf(mapping), sideCode(side))
	return found, err
}

// OutcomePage reads at most limit outcomes of a mapping and side, in the order
// of ids after the given one; start with "".
func (s *Store) OutcomePage(ctx context.Context, mapping string, side crm.Side, after string, limit int) ([]Outcome, error) {
	where, args := "o.mapping = ? AND o.side = ?", []any{s.codeOf(mapping), sideCode(side)}
	if after != "" {
		where, args = where+" AND o.id > ?", append(args, idValue(side, after))
	}
	var page []Outcome
	err := s.query(ctx, func(r *sql.Rows) error {
		o, err := s.scanOutcome(r)
		page = append(page, o)
		return err
	}, `SELECT `+outcomeColumns+` FROM outcomes o WHERE `+where+` ORDER BY o.id LIMIT ?`, append(args, limit)...)
	return page, err
}

// OutcomeCount counts things of one mapping by outcome and reason code.
type OutcomeCount struct {
	Mapping string      `json:"mapping"`
	Outcome crm.Outcome `json:"outcome"`
	Code    string      `json:"code"`
	Count   int         `json:"count"`
	// Linked is how many of them are pairs.
	Linked int `json:"linked"`
	// Example is one reason of this code.
	Example crm.Reason `json:"example"`
}

// CountOutcomes counts all remembered outcomes.
func (s *Store) CountOutcomes(ctx context.Context) ([]OutcomeCount, error) {
	var counts []OutcomeCount
	err := s.query(ctx, func(r *sql.Rows) error {
		var c OutcomeCount
		var mapping int64
		var outcome, reason string
		if err := r.Scan(&mapping, &outcome, &c.Code, &c.Count, &c.Linked, &reason); err != nil {
			return err
		}
		c.Mapping, c.Outcome = s.name(mapping), crm.Outcome(outcome)
		counts = append(counts, c)
		return json.Unmarshal([]byte(reason), &counts[len(counts)-1].Example)
	}, `SELECT mapping, outcome, code, count(*), sum(linked), min(reason) FROM outcomes GROUP BY mapping, outcome, code ORDER BY mapping, outcome, code`)
	return counts, err
}

// PutOutcomes remembers outcomes, each over the earlier one of its thing.
func (t *Tx) PutOutcomes(outcomes []Outcome) error {
	for _, o := range outcomes {
		if _, err := t.mustCode(o.Ref.Object); err != nil {
			return err
		}
	}
	var failed error
	err := insert(t, `INSERT INTO outcomes (mapping, side, id, object, linked, seen, calculated, outcome, code, reason, run, time) VALUES`, 12,
		`ON CONFLICT (mapping, side, id) DO UPDATE SET object = excluded.object, linked = excluded.linked, seen = excluded.seen, calculated = excluded.calculated,
		outcome = excluded.outcome, code = excluded.code, reason = excluded.reason, run = excluded.run, time = excluded.time`,
		outcomes, func(args []any, o Outcome) []any {
			reason, err := json.Marshal(o.Reason)
			if err != nil {
				failed = err
			}
			linked := int64(0)
			if o.Linked {
				linked = 1
			}
			return append(args, t.s.codeOf(o.Mapping), sideCode(o.Ref.Side), idValue(o.Ref.Side, o.Ref.ID), t.s.codeOf(o.Ref.Object),
				linked, int64(o.Seen), int64(o.Calculated), string(o.Outcome), o.Reason.Code, string(reason), o.Run, o.Time.UnixMicro())
		})
	if failed != nil {
		return failed
	}
	return err
}

// DropOutcomes forgets outcomes: the things are in step, or are no more.
func (t *Tx) DropOutcomes(mapping string, side crm.Side, ids []string) error {
	return t.dropByID("outcomes", mapping, side, ids)
}

// dropByID deletes rows of a table with the key (mapping, side, id).
func (t *Tx) dropByID(table, mapping string, side crm.Side, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return t.exec("DELETE FROM "+table+" WHERE mapping = ? AND side = ? AND id IN (SELECT value FROM json_each(?))",
		t.s.codeOf(mapping), sideCode(side), idList(side, ids))
}
