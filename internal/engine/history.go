package engine

import (
	"context"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// The history of a thing is the outcomes that it got, each with what led to it:
// what woke it, the filters, the match, the rule of each field, the calls and
// their answers. It is bounded by age and by number for each thing; the images of
// values in the journal by the same age.
const (
	// defaultHistoryAge is how long decisions, and the journal's before- and
	// after-images, are kept.
	defaultHistoryAge = 90 * 24 * time.Hour
	// defaultHistoryPerThing is how many decisions are kept of one thing.
	defaultHistoryPerThing = 20
	// pruneStep is how many rows one run forgets at most: little enough not to be
	// felt, more than a run of the same size adds.
	pruneStep = 5000
	// pruneEvery is how often a process forgets.
	pruneEvery = time.Hour
)

// trace is what a decision was made on besides the two records.
type trace struct {
	Wake    store.Wake
	Filters []tracedFilter
	// Rule is the match rule that found the counterpart or the candidates.
	Rule       string
	Candidates int
}

type tracedFilter struct {
	Side       crm.Side
	Expression string
	Passes     bool
	Error      string
}

func (p *pen) trace(t *trace) {
	p.byte(byte(t.Wake))
	p.len(len(t.Filters))
	for _, f := range t.Filters {
		p.text(string(f.Side))
		p.text(f.Expression)
		p.bool(f.Passes)
		p.text(f.Error)
	}
	p.text(t.Rule)
	p.len(t.Candidates)
}

func (e *eye) trace() trace {
	t := trace{Wake: store.Wake(e.byte())}
	for range e.len() {
		t.Filters = append(t.Filters, tracedFilter{crm.Side(e.text()), e.text(), e.bool(), e.text()})
	}
	t.Rule, t.Candidates = e.text(), int(e.uvarint())
	return t
}

// traceOf notes what a decision about s looks at.
func (d *decider) traceOf(s *subject) trace {
	t := trace{Wake: s.wake, Candidates: len(s.snapshot.Candidates)}
	for _, r := range []*crm.Record{s.snapshot.HubSpot, s.snapshot.Salesforce} {
		side, program := crm.HubSpot, d.o.WhereHubSpot
		if r != nil && r == s.snapshot.Salesforce {
			side, program = crm.Salesforce, d.o.WhereSalesforce
		}
		if r != nil && program != nil {
			f := filter(program, side, r)
			t.Filters = append(t.Filters, tracedFilter(f))
		}
	}
	if t.Candidates > 0 {
		t.Rule = reconcile.RuleText(d.o, s.snapshot.Candidates[0].Rule)
	}
	return t
}

// told is what became of a decision: the body of a row of the history.
type told struct {
	trace
	Reason crm.Reason
	Notes  []crm.Reason
	// Partner is the other record of the pair; zero when there is none.
	Partner crm.Ref
	// New: the two became a pair. Unlinked: they are none any more.
	New, Unlinked bool
	Writes        []toldWrite
}

// toldWrite is one write of a decision. Its fields with values are in the
// journal, under Seq.
type toldWrite struct {
	Seq     int64
	Side    crm.Side
	Op      crm.Op
	Object  string
	ID      string
	Request string
	// Status is the vendor's status code where it refused, Field what it blamed.
	Status string
	Field  string
	Result string
	// Fields that were written, each with the rule that decided it.
	Fields []toldField
}

type toldField struct{ Name, Why string }

func encodeTold(t *told) []byte {
	p := pen{b: make([]byte, 0, 256)}
	p.byte(codecVersion)
	p.trace(&t.trace)
	p.reason(t.Reason)
	p.len(len(t.Notes))
	for _, n := range t.Notes {
		p.reason(n)
	}
	p.ref(t.Partner)
	p.bool(t.New)
	p.bool(t.Unlinked)
	p.len(len(t.Writes))
	for i := range t.Writes {
		w := &t.Writes[i]
		p.int(w.Seq)
		for _, s := range []string{string(w.Side), string(w.Op), w.Object, w.ID, w.Request, w.Status, w.Field, w.Result} {
			p.text(s)
		}
		p.len(len(w.Fields))
		for _, f := range w.Fields {
			p.text(f.Name)
			p.text(f.Why)
		}
	}
	return p.b
}

func decodeTold(b []byte) (*told, error) {
	e := eye{b: string(b)}
	if e.byte() != codecVersion {
		return nil, errCut
	}
	t := &told{trace: e.trace(), Reason: e.reason()}
	for range e.len() {
		t.Notes = append(t.Notes, e.reason())
	}
	t.Partner, t.New, t.Unlinked = e.ref(), e.bool(), e.bool()
	for range e.len() {
		w := toldWrite{Seq: e.int(), Side: crm.Side(e.text()), Op: crm.Op(e.text()), Object: e.text(), ID: e.text(), Request: e.text(),
			Status: e.text(), Field: e.text(), Result: e.text()}
		for range e.len() {
			w.Fields = append(w.Fields, toldField{e.text(), e.text()})
		}
		t.Writes = append(t.Writes, w)
	}
	if e.bad {
		return nil, errCut
	}
	return t, nil
}

// remembered fetches the outcomes that the batch's things had so far.
func (b *batch) remembered(ctx context.Context) (map[crm.Side]map[string]store.Outcome, error) {
	ids := map[crm.Side][]string{}
	for _, j := range b.jobs {
		ids[j.row.Side] = append(ids[j.row.Side], j.row.ID)
	}
	had := map[crm.Side]map[string]store.Outcome{}
	for side, list := range ids {
		var err error
		if had[side], err = b.e.store.Outcomes(ctx, b.o.Name, side, list); err != nil {
			return nil, err
		}
	}
	return had, nil
}

// history makes the rows of what is worth telling: whatever has another outcome
// than simply in step, and every change of outcome. The same outcome for the same
// reason, without a write, is told once.
func (b *batch) history(had map[crm.Side]map[string]store.Outcome) []store.Decision {
	var rows []store.Decision
	at := b.e.now()
	for _, j := range b.jobs {
		before, known := had[j.row.Side][j.row.ID]
		left := false
		for _, s := range j.sends {
			left = left || s.sent
		}
		switch {
		case left:
		case j.outcome == crm.Unchanged && (!known || before.Outcome == crm.Unchanged):
			continue
		case known && before.Outcome == j.outcome && before.Reason == j.reason:
			continue
		}
		ref, _ := j.d.on(j.row.Side)
		if ref.Object == "" {
			ref.Object = b.o.HubSpot
		}
		ref.ID = j.row.ID
		rows = append(rows, store.Decision{Run: b.c.run, Time: at, Mapping: b.o.Name, Ref: ref, Outcome: j.outcome, Code: j.reason.Code,
			Body: encodeTold(b.told(j))})
	}
	return rows
}

func (b *batch) told(j *job) *told {
	t := &told{trace: j.d.Trace, Reason: j.reason, Notes: j.d.Notes, New: j.d.NewLink != nil && (j.outcome == crm.Synced || j.anySent()), Unlinked: j.d.Unlink}
	t.Partner, _ = j.d.on(j.row.Side.Other())
	for _, s := range j.sends {
		if !s.sent {
			continue
		}
		w := toldWrite{Seq: s.seq, Side: s.planned.Side, Op: s.planned.Op, Object: s.planned.Object, ID: s.write.ID, Request: s.result.RequestID, Result: resultOf(s)}
		if w.ID == "" {
			w.ID = s.result.ID
		}
		if s.result.Err != nil {
			w.Status = s.result.Cause
			if len(s.result.Fields) > 0 {
				w.Field = s.result.Fields[0]
			}
		}
		for _, c := range s.changes {
			w.Fields = append(w.Fields, toldField{c.Field, c.Why})
		}
		t.Writes = append(t.Writes, w)
	}
	return t
}

// prune forgets what is older than the history goes back, in a small step; at
// most once an hour, so that a watch's quiet cycles write nothing.
func (e *Engine) prune(ctx context.Context) error {
	if time.Since(e.pruned) < pruneEvery {
		return nil
	}
	e.pruned = time.Now()
	present, err := e.present(ctx)
	if err != nil {
		return err
	}
	before := present.Add(-e.historyAge)
	old, err := e.store.OldImages(ctx, before, pruneStep)
	if err != nil {
		return err
	}
	for i := range old {
		body, err := decodeEntry(old[i].Changes)
		if err != nil {
			body = entryBody{} // what cannot be read has no image to keep
		}
		for k := range body.changes {
			body.changes[k].Before, body.changes[k].After = crm.Value{}, crm.Value{}
		}
		old[i].Changes = encodeEntry(body)
	}
	return e.store.Write(ctx, func(t *store.Tx) error {
		if err := t.PutImages(old); err != nil {
			return err
		}
		_, err := t.ForgetDecisions(before, pruneStep)
		return err
	})
}
