package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Decision is one entry of the history of a thing: an outcome that it got.
type Decision struct {
	Seq     int64
	Run     int64
	Time    time.Time
	Mapping string
	// Ref names the thing, as Outcome.Ref does.
	Ref     crm.Ref
	Outcome crm.Outcome
	Code    string
	// Body is the engine's encoding of what led to it and what came of it.
	Body []byte
}

// PutDecisions adds to the history, and forgets what is older than the newest
// most of each thing of which something is added.
func (t *Tx) PutDecisions(decisions []Decision, most int) error {
	if len(decisions) == 0 {
		return nil
	}
	for _, d := range decisions {
		if _, err := t.mustCode(d.Ref.Object); err != nil {
			return err
		}
	}
	err := insert(t, "INSERT INTO decisions (run, time, mapping, side, id, object, outcome, code, body) VALUES", 9, "",
		decisions, func(args []any, d Decision) []any {
			return append(args, d.Run, d.Time.UnixMicro(), t.s.codeOf(d.Mapping), sideCode(d.Ref.Side), idValue(d.Ref.Side, d.Ref.ID),
				t.s.codeOf(d.Ref.Object), string(d.Outcome), d.Code, d.Body)
		})
	if err != nil || most <= 0 {
		return err
	}
	type group struct {
		mapping string
		side    crm.Side
	}
	ids := map[group][]string{}
	for _, d := range decisions {
		g := group{d.Mapping, d.Ref.Side}
		ids[g] = append(ids[g], d.Ref.ID)
	}
	for g, list := range ids {
		err := t.exec(`DELETE FROM decisions WHERE seq IN (SELECT seq FROM (
			SELECT d.seq, row_number() OVER (PARTITION BY d.id ORDER BY d.seq DESC) AS place
			FROM json_each(?) j CROSS JOIN decisions d ON d.mapping = ? AND d.side = ? AND d.id = j.value) WHERE place > ?)`,
			idList(g.side, list), t.s.codeOf(g.mapping), sideCode(g.side), most)
		if err != nil {
			return err
		}
	}
	return nil
}

// Decisions reads the history of a thing, newest first, at most limit.
func (s *Store) Decisions(ctx context.Context, mapping string, ref crm.Ref, limit int) ([]Decision, error) {
	var list []Decision
	err := s.query(ctx, func(r *sql.Rows) error {
		d := Decision{Mapping: mapping}
		var micros, object int64
		var outcome string
		if err := r.Scan(&d.Seq, &d.Run, &micros, &object, &outcome, &d.Code, &d.Body); err != nil {
			return err
		}
		d.Time, d.Outcome = time.UnixMicro(micros).UTC(), crm.Outcome(outcome)
		d.Ref = crm.Ref{Side: ref.Side, Object: s.name(object), ID: ref.ID}
		list = append(list, d)
		return nil
	}, `SELECT seq, run, time, object, outcome, code, body FROM decisions WHERE mapping = ? AND side = ? AND id = ? ORDER BY seq DESC LIMIT ?`,
		s.codeOf(mapping), sideCode(ref.Side), idValue(ref.Side, ref.ID), limit)
	return list, err
}

// ForgetDecisions forgets at most limit of the oldest entries that are from
// before a moment, and tells how many those were.
func (t *Tx) ForgetDecisions(before time.Time, limit int) (int, error) {
	result, err := t.tx.ExecContext(t.ctx, "DELETE FROM decisions WHERE seq IN (SELECT seq FROM decisions ORDER BY seq LIMIT ?) AND time < ?",
		limit, before.UnixMicro())
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// prunedMeta remembers up to where the journal's images are gone.
const prunedMeta = "journal-pruned"

// OldImages reads the oldest entries of the journal that may still carry images
// of values and are from before a moment, at most limit.
func (s *Store) OldImages(ctx context.Context, before time.Time, limit int) ([]Entry, error) {
	mark, err := s.Meta(ctx, prunedMeta)
	if err != nil {
		return nil, err
	}
	from, _ := strconv.ParseInt(mark, 10, 64) // nothing yet reads as 0
	entries, err := s.journal(ctx, "WHERE seq > ? ORDER BY seq LIMIT ?", from, limit)
	for i := range entries {
		if !entries[i].Time.Before(before) {
			return entries[:i], err
		}
	}
	return entries, err
}

// PutImages replaces what entries of the journal say of values, in the order of
// OldImages, and does not look at them again.
func (t *Tx) PutImages(entries []Entry) error {
	for _, e := range entries {
		if err := t.exec("UPDATE journal SET changes = ?, sum = ? WHERE seq = ?", bytesOf(e.Changes),
			rowSum(t.s.codeOf(e.Ref.Object), string(e.Op), bytesOf(e.Changes)), e.Seq); err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return t.SetMeta(prunedMeta, strconv.FormatInt(entries[len(entries)-1].Seq, 10))
}
