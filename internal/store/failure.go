package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// FailureClass says what may be expected of another try.
type FailureClass string

// The classes.
const (
	// Transient: the vendor could not do it then; it is tried again by itself.
	Transient FailureClass = "transient"
	// Permanent: the vendor refuses it; only a change of the record or of the
	// mapping, or a person, has it tried again.
	Permanent FailureClass = "permanent"
	// Exhausted: it was transient as often as the budget of tries allows.
	Exhausted FailureClass = "exhausted"
)

// Failure is what is known of a thing that failed.
type Failure struct {
	Mapping string
	// Ref names the thing, as Outcome.Ref does; Partner is the other record of a
	// pair.
	Ref     crm.Ref
	Partner crm.Ref
	// Target is the side that refused, Status its code, Field what it blamed.
	Target  crm.Side
	Status  string
	Field   string
	Request string
	Class   FailureClass
	Tries   int
	First   time.Time
	Last    time.Time
	// Next is when it is tried again by itself; zero for never.
	Next time.Time
}

// A pair has a second row, under its Salesforce record and without a class, so
// that neither of its records wakes it before its time.

const failureColumns = "f.mapping, f.side, f.id, f.object, f.target, f.class, f.status, f.field, f.request, f.tries, f.first, f.last, f.next"

func (s *Store) scanFailure(r *sql.Rows) (Failure, error) {
	var f Failure
	var mapping, side, object, target, first, last, next int64
	var id idScan
	var class string
	if err := r.Scan(&mapping, &side, &id, &object, &target, &class, &f.Status, &f.Field, &f.Request, &f.Tries, &first, &last, &next); err != nil {
		return f, err
	}
	f.Mapping, f.Ref = s.name(mapping), crm.Ref{Side: sideOf(side), Object: s.name(object), ID: string(id)}
	f.Target, f.Class = sideOf(target), FailureClass(class)
	f.First, f.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	if next > 0 {
		f.Next = time.UnixMicro(next).UTC()
	}
	return f, nil
}

// Failures reads what failed, by mapping and record. Partner is not read back.
func (s *Store) Failures(ctx context.Context) ([]Failure, error) {
	var list []Failure
	err := s.query(ctx, func(r *sql.Rows) error {
		f, err := s.scanFailure(r)
		list = append(list, f)
		return err
	}, "SELECT "+failureColumns+" FROM failures f WHERE f.class <> '' ORDER BY f.mapping, f.side, f.id")
	return list, err
}

// FailuresOf finds what failed, by the id of the record that names the thing.
func (s *Store) FailuresOf(ctx context.Context, mapping string, side crm.Side, ids []string) (map[string]Failure, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found := map[string]Failure{}
	err := s.query(ctx, func(r *sql.Rows) error {
		f, err := s.scanFailure(r)
		found[f.Ref.ID] = f
		return err
	}, "SELECT "+failureColumns+" FROM json_each(?) j CROSS JOIN failures f ON f.mapping = ? AND f.side = ? AND f.id = j.value WHERE f.class <> ''",
		idList(side, ids), s.codeOf(mapping), sideCode(side))
	return found, err
}

// CountFailures counts by class.
func (s *Store) CountFailures(ctx context.Context) (map[FailureClass]int, error) {
	counts := map[FailureClass]int{}
	err := s.query(ctx, func(r *sql.Rows) error {
		var class string
		n := 0
		if err := r.Scan(&class, &n); err != nil {
			return err
		}
		counts[FailureClass(class)] = n
		return nil
	}, "SELECT class, count(*) FROM failures WHERE class <> '' GROUP BY class")
	return counts, err
}

// PutFailures remembers failures, each over the earlier one of its thing.
func (t *Tx) PutFailures(failures []Failure) error {
	rows := make([]Failure, 0, len(failures))
	for _, f := range failures {
		rows = append(rows, f)
		if f.Partner.ID != "" {
			shadow := Failure{Mapping: f.Mapping, Ref: f.Partner, Target: f.Target, First: f.First, Last: f.Last}
			rows = append(rows, shadow)
		}
	}
	for _, f := range rows {
		if _, err := t.mustCode(f.Ref.Object); err != nil {
			return err
		}
	}
	return insert(t, "INSERT INTO failures (mapping, side, id, object, target, class, status, field, request, tries, first, last, next) VALUES", 13,
		`ON CONFLICT (mapping, side, id) DO UPDATE SET object = excluded.object, target = excluded.target, class = excluded.class, status = excluded.status,
		field = excluded.field, request = excluded.request, tries = excluded.tries, first = excluded.first, last = excluded.last, next = excluded.next`,
		rows, func(args []any, f Failure) []any {
			next := int64(0)
			if !f.Next.IsZero() {
				next = f.Next.UnixMicro()
			}
			return append(args, t.s.codeOf(f.Mapping), sideCode(f.Ref.Side), idValue(f.Ref.Side, f.Ref.ID), t.s.codeOf(f.Ref.Object), sideCode(f.Target),
				string(f.Class), f.Status, f.Field, f.Request, f.Tries, f.First.UnixMicro(), f.Last.UnixMicro(), next)
		})
}

// DropFailures forgets failures: the things got through, or are no more.
func (t *Tx) DropFailures(mapping string, side crm.Side, ids []string) error {
	return t.dropByID("failures", mapping, side, ids)
}

// RetryDue makes due what is to be tried again by now. What would wait longer
// than the longest wait was noted before the clock was put back, and is due.
func (t *Tx) RetryDue(now time.Time, longest time.Duration) error {
	return t.exec(`INSERT INTO changes (mapping, side, id, object, due, seen, record, wake)
		SELECT mapping, side, id, object, 1, 0, x'', ? FROM failures WHERE next > 0 AND (next <= ? OR next > ?)
		ON CONFLICT (mapping, side, id) DO UPDATE SET `+dueBy, int64(WakeRetry), now.UnixMicro(), now.Add(longest).UnixMicro())
}

// notFailed leaves out of an update of changes what failed: it is tried again in
// its own time.
const notFailed = ` AND NOT EXISTS (SELECT 1 FROM failures f WHERE f.mapping = changes.mapping AND f.side = changes.side AND f.id = changes.id)`
