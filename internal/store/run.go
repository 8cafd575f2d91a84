package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Run is one run of a command that reads or writes the pair. Body is the
// engine's account of it, as JSON.
type Run struct {
	ID      int64
	Kind    string
	Started time.Time
	// Ended is zero while the run lasts, and stays so when it was killed.
	Ended  time.Time
	Status string
	Body   []byte
}

func scanRun(r *sql.Rows) (Run, error) {
	var run Run
	var started, ended int64
	if err := r.Scan(&run.ID, &run.Kind, &started, &ended, &run.Status, &run.Body); err != nil {
		return run, err
	}
	run.Started = time.UnixMicro(started).UTC()
	if ended > 0 {
		run.Ended = time.UnixMicro(ended).UTC()
	}
	return run, nil
}

// BeginRun adds a run and returns its id.
func (t *Tx) BeginRun(kind string, started time.Time) (int64, error) {
	res, err := t.tx.ExecContext(t.ctx, "INSERT INTO runs (kind, started, ended, status, body) VALUES (?, ?, 0, 'running', x'')",
		kind, started.UnixMicro())
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// EndRun closes a run.
func (t *Tx) EndRun(run Run) error {
	return t.exec("UPDATE runs SET ended = ?, status = ?, body = ? WHERE id = ?", run.Ended.UnixMicro(), run.Status, run.Body, run.ID)
}

// DropRun forgets a run that had nothing to tell: a quiet cycle of a watch.
func (t *Tx) DropRun(id int64) error { return t.exec("DELETE FROM runs WHERE id = ?", id) }

// Runs reads the newest runs first, at most limit.
func (s *Store) Runs(ctx context.Context, limit int) ([]Run, error) {
	var runs []Run
	err := s.query(ctx, func(r *sql.Rows) error {
		run, err := scanRun(r)
		runs = append(runs, run)
		return err
	}, "SELECT id, kind, started, ended, status, body FROM runs ORDER BY id DESC LIMIT ?", limit)
	return runs, err
}

// Run reads one run; fault.NotFound when there is none.
func (s *Store) Run(ctx context.Context, id int64) (Run, error) {
	var run Run
	found := false
	err := s.query(ctx, func(r *sql.Rows) (err error) {
		run, err = scanRun(r)
		found = true
		return err
	}, "SELECT id, kind, started, ended, status, body FROM runs WHERE id = ?", id)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "there is no run %d", id).WithMend("see which there are: `lockstep runs list`")
	}
	return run, err
}

// Results of an Entry.
const (
	// ResultSent: it was about to leave, and its answer is not recorded.
	ResultSent = "sent"
	ResultDone = "done"
	// ResultUnknown: no answer came.
	ResultUnknown = "unknown"
	// ResultRefused opens what the vendor refused: "refused: STRING_TOO_LONG".
	ResultRefused = "refused: "
)

// Entry is one write in the journal.
type Entry struct {
	// Seq orders entries; 0 for one that is not in the journal yet.
	Seq     int64
	Run     int64
	Time    time.Time
	Mapping string
	Ref     crm.Ref
	Op      crm.Op
	// Changes is the engine's encoding of the fields with before and after.
	Changes []byte
	Why     string
	Request string
	// Result is one of the above.
	Result string
}

// NextJournal is the Seq that comes after all there are.
func (t *Tx) NextJournal() (int64, error) {
	var next int64
	err := t.tx.QueryRowContext(t.ctx, "SELECT coalesce(max(seq), 0) + 1 FROM journal").Scan(&next)
	return next, err
}

// AppendJournal adds entries; one whose Seq is there already is replaced.
func (t *Tx) AppendJournal(entries []Entry) error {
	return insert(t, "INSERT INTO journal (seq, run, time, mapping, side, object, id, op, changes, why, request, result, sum) VALUES", 13,
		`ON CONFLICT (seq) DO UPDATE SET object = excluded.object, id = excluded.id, op = excluded.op, changes = excluded.changes,
		why = excluded.why, request = excluded.request, result = excluded.result, sum = excluded.sum`,
		entries, func(args []any, e Entry) []any {
			changes, object := bytesOf(e.Changes), t.s.codeOf(e.Ref.Object)
			var seq any
			if e.Seq != 0 {
				seq = e.Seq
			}
			return append(args, seq, e.Run, e.Time.UnixMicro(), t.s.codeOf(e.Mapping), sideCode(e.Ref.Side), object,
				idValue(e.Ref.Side, e.Ref.ID), string(e.Op), changes, e.Why, e.Request, e.Result, rowSum(object, string(e.Op), changes))
		})
}

// FoundInJournal gives the entry of a create whose answer was lost the id of
// the record that was found.
func (t *Tx) FoundInJournal(seq int64, side crm.Side, id string) error {
	return t.exec("UPDATE journal SET id = ?, result = ? WHERE seq = ?", idValue(side, id), ResultDone, seq)
}

// DropJournal takes back entries whose writes never left.
func (t *Tx) DropJournal(seqs []int64) error {
	for _, seq := range seqs {
		if err := t.exec("DELETE FROM journal WHERE seq = ?", seq); err != nil {
			return err
		}
	}
	return nil
}

// JournalBySeq reads entries by Seq, in order.
func (s *Store) JournalBySeq(ctx context.Context, seqs []int64) ([]Entry, error) {
	list, err := json.Marshal(seqs)
	if err != nil || len(seqs) == 0 {
		return nil, err
	}
	entries, err := s.journal(ctx, "WHERE seq IN (SELECT value FROM json_each(?))", string(list))
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	return entries, err
}

// Journal reads the newest entries about a record first, at most limit.
func (s *Store) Journal(ctx context.Context, ref crm.Ref, limit int) ([]Entry, error) {
	return s.journal(ctx, "WHERE id = ? AND side = ? AND object = ? ORDER BY seq DESC LIMIT ?",
		idValue(ref.Side, ref.ID), sideCode(ref.Side), s.codeOf(ref.Object), limit)
}

// JournalOfRun reads at most limit entries of a run in the order in which they
// were made, those after seq; start with 0.
func (s *Store) JournalOfRun(ctx context.Context, run, after int64, limit int) ([]Entry, error) {
	return s.journal(ctx, "WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?", run, after, limit)
}

func (s *Store) journal(ctx context.Context, where string, args ...any) ([]Entry, error) {
	var entries []Entry
	err := s.query(ctx, func(r *sql.Rows) error {
		var e Entry
		var micros, mapping, side, object, sum int64
		var id idScan
		var op string
		if err := r.Scan(&e.Seq, &e.Run, &micros, &mapping, &side, &object, &id, &op, &e.Changes, &e.Why, &e.Request, &e.Result, &sum); err != nil {
			return err
		}
		if err := s.holds(sum, "entry "+strconv.FormatInt(e.Seq, 10)+" of the journal", object, op, bytesOf(e.Changes)); err != nil {
			return err
		}
		e.Time, e.Mapping, e.Op = time.UnixMicro(micros).UTC(), s.name(mapping), crm.Op(op)
		e.Ref = crm.Ref{Side: sideOf(side), Object: s.name(object), ID: string(id)}
		entries = append(entries, e)
		return nil
	}, "SELECT seq, run, time, mapping, side, object, id, op, changes, why, request, result, sum FROM journal "+where, args...)
	return entries, err
}

// Cursor says how far one object of one side was read.
type Cursor struct {
	// Since is where the next read of changes starts; zero: never read.
	Since time.Time
	// Complete is when the last complete read began.
	Complete time.Time
	// Version of the mapping that it was read with.
	Version uint64
	// Every is how long after Complete the next complete read is due; 0: not
	// said yet. Overlap is how far the read of changes reached back.
	Every   time.Duration
	Overlap time.Duration
}

// Cursor reads a cursor; the zero Cursor when there is none.
func (s *Store) Cursor(ctx context.Context, mapping string, side crm.Side, object string) (Cursor, error) {
	var c Cursor
	err := s.query(ctx, func(r *sql.Rows) error {
		var since, complete, version, every, overlap, sum int64
		if err := r.Scan(&since, &complete, &version, &every, &overlap, &sum); err != nil {
			return err
		}
		if err := s.holds(sum, "the mark up to which "+object+" was read", since, complete, version, every, overlap); err != nil {
			return err
		}
		c = Cursor{Since: time.UnixMicro(since).UTC(), Complete: time.UnixMicro(complete).UTC(), Version: uint64(version),
			Every: time.Duration(every) * time.Microsecond, Overlap: time.Duration(overlap) * time.Microsecond}
		return nil
	}, "SELECT since, complete, version, every, overlap, sum FROM cursors WHERE mapping = ? AND side = ? AND object = ?",
		s.codeOf(mapping), sideCode(side), s.codeOf(object))
	return c, err
}

// PutCursor moves a cursor.
func (t *Tx) PutCursor(mapping string, side crm.Side, object string, c Cursor) error {
	return t.exec(`INSERT INTO cursors (mapping, side, object, since, complete, version, every, overlap, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (mapping, side, object) DO UPDATE SET since = excluded.since, complete = excluded.complete, version = excluded.version,
		every = excluded.every, overlap = excluded.overlap, sum = excluded.sum`,
		t.s.codeOf(mapping), sideCode(side), t.s.codeOf(object), c.Since.UnixMicro(), c.Complete.UnixMicro(), int64(c.Version),
		c.Every.Microseconds(), c.Overlap.Microseconds(),
		rowSum(c.Since.UnixMicro(), c.Complete.UnixMicro(), int64(c.Version), c.Every.Microseconds(), c.Overlap.Microseconds()))
}

// Pair names the two accounts that a store belongs to.
type Pair struct {
	HubSpotID      string
	HubSpotName    string
	SalesforceID   string
	SalesforceName string
}

// BindPair makes the store the pair's own on first use. Later, another pair is
// refused with fault.Conflict: links of one pair mean nothing in another.
func (s *Store) BindPair(ctx context.Context, p Pair) error {
	was, err := s.Pair(ctx)
	if err != nil {
		return err
	}
	switch {
	case was.HubSpotID == p.HubSpotID && was.SalesforceID == p.SalesforceID:
		return nil
	case was.HubSpotID == "" && was.SalesforceID == "":
	default:
		return fault.New(fault.Conflict, "%s belongs to HubSpot account %s (%s) and Salesforce organization %s (%s), not to %s (%s) and %s (%s)",
			s.path, was.HubSpotID, was.HubSpotName, was.SalesforceID, was.SalesforceName,
			p.HubSpotID, p.HubSpotName, p.SalesforceID, p.SalesforceName).
			WithMend("use one folder for each pair of accounts, or connect the accounts of this folder again")
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.transact(context.WithoutCancel(ctx), func(t *Tx) error {
		for name, value := range map[string]string{"hubspot": p.HubSpotID, "hubspot-name": p.HubSpotName,
			"salesforce": p.SalesforceID, "salesforce-name": p.SalesforceName} {
			if err := t.SetMeta(name, value); err != nil {
				return err
			}
		}
		return nil
	}, false)
}

// Pair tells which accounts the store belongs to; zero before BindPair.
func (s *Store) Pair(ctx context.Context) (Pair, error) {
	var p Pair
	for name, field := range map[string]*string{"hubspot": &p.HubSpotID, "hubspot-name": &p.HubSpotName,
		"salesforce": &p.SalesforceID, "salesforce-name": &p.SalesforceName} {
		v, err := s.Meta(ctx, name)
		if err != nil {
			return p, err
		}
		*field = v
	}
	return p, nil
}

// SetMeta remembers a single fact.
func (t *Tx) SetMeta(name, value string) error {
	return t.exec("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
}

// Meta reads a single fact; "" when it is not known.
func (s *Store) Meta(ctx context.Context, name string) (string, error) {
	v := ""
	err := s.query(ctx, func(r *sql.Rows) error { return r.Scan(&v) }, "SELECT value FROM meta WHERE name = ?", name)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return v, err
}
