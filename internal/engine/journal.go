package engine

import (
	"context"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// JournalEntry is one write as the journal remembers it.
type JournalEntry struct {
	Run     int64        `json:"run"`
	Time    time.Time    `json:"time"`
	Mapping string       `json:"mapping"`
	Record  Record       `json:"record"`
	Op      crm.Op       `json:"op"`
	Changes []ItemChange `json:"changes,omitempty"`
	// Relation is the association that was added, changed or removed.
	Relation *JournalRelation `json:"relation,omitempty"`
	Why      string           `json:"why,omitempty"`
	Request  string           `json:"request_id,omitempty"`
	// Result is "done", "refused: …", "unknown" (no answer came) or "sent" (the
	// process ended before the answer was recorded).
	Result string `json:"result"`
}

// JournalRelation is the association of a write. In Salesforce Junction is the
// object whose record RowID is, where that is known.
type JournalRelation struct {
	Object   string `json:"object,omitempty"`
	ID       string `json:"id,omitempty"`
	Label    string `json:"label,omitempty"`
	Primary  bool   `json:"primary,omitempty"`
	Junction string `json:"junction,omitempty"`
	RowID    string `json:"row_id,omitempty"`
	// Relabel: it stayed, only its labels changed.
	Relabel bool `json:"relabel,omitempty"`
}

func journalEntry(row store.Entry) (JournalEntry, error) {
	body, err := decodeEntry(row.Changes)
	if err != nil {
		return JournalEntry{}, err
	}
	var relation *JournalRelation
	if r := body.relation; r != nil {
		relation = &JournalRelation{Object: r.Object, ID: r.ID, Label: r.Label, Primary: r.Primary, Junction: r.Junction, RowID: r.RowID, Relabel: body.relabel}
	}
	return JournalEntry{Relation: relation, Run: row.Run, Time: row.Time, Mapping: row.Mapping, Record: recordOf(row.Ref), Op: row.Op,
		Changes: itemChanges(body.changes), Why: row.Why, Request: row.Request, Result: row.Result}, nil
}

// Journal hands the writes of a run to yield, in the order in which they were
// made.
func (e *Engine) Journal(ctx context.Context, run int64, yield func(JournalEntry) error) error {
	return JournalOf(ctx, e.store, run, yield)
}

// JournalOf is Journal from the store alone: no vendor is asked.
func JournalOf(ctx context.Context, s *store.Store, run int64, yield func(JournalEntry) error) error {
	return journalPages(ctx, s, run, func(row store.Entry) error {
		entry, err := journalEntry(row)
		if err != nil {
			return err
		}
		return yield(entry)
	})
}

// journalPage is how many entries are read at once.
const journalPage = 500

func journalPages(ctx context.Context, s *store.Store, run int64, yield func(store.Entry) error) error {
	for after := int64(0); ; {
		page, err := s.JournalOfRun(ctx, run, after, journalPage)
		if err != nil {
			return err
		}
		for _, row := range page {
			after = row.Seq
			if err := yield(row); err != nil {
				return err
			}
		}
		if len(page) < journalPage {
			return nil
		}
	}
}

// entryBody is what an entry of the journal says besides its columns: the
// fields with before- and after-image, the association, and the record on the
// other side that the written one was linked with.
type entryBody struct {
	changes  []reconcile.Change
	relation *crm.Relation
	pair     crm.Ref
	// relabel: the association or row stayed, only its labels changed.
	relabel bool
}

func encodeEntry(body entryBody) []byte {
	p := pen{}
	p.byte(codecVersion)
	p.changes(body.changes)
	p.bool(body.relation != nil)
	if r := body.relation; r != nil {
		p.text(r.Object)
		p.text(r.ID)
		p.bool(r.Primary)
		p.text(r.Label)
		p.text(r.RowID)
	}
	p.ref(body.pair)
	if r := body.relation; r != nil {
		p.text(r.Junction)
		p.bool(body.relabel)
	}
	return p.b
}

// decodeEntry reads an entry; one of an older Lockstep ends after the fields.
func decodeEntry(b []byte) (entryBody, error) {
	var body entryBody
	if len(b) == 0 {
		return body, nil
	}
	e := eye{b: string(b)}
	if e.byte() != codecVersion {
		return body, errCut
	}
	body.changes = e.changes()
	if e.bad {
		return body, errCut
	}
	if len(e.b) == 0 {
		return body, nil
	}
	if e.bool() {
		body.relation = &crm.Relation{Object: e.text(), ID: e.text(), Primary: e.bool(), Label: e.text(), RowID: e.text()}
	}
	body.pair = e.ref()
	if body.relation != nil && len(e.b) > 0 {
		body.relation.Junction, body.relabel = e.text(), e.bool()
	}
	if e.bad {
		return body, errCut
	}
	return body, nil
}

// sentEntry is the entry of a write that is about to leave.
func (b *batch) sentEntry(s *send, sent time.Time) store.Entry {
	return store.Entry{Seq: s.seq, Run: b.c.run, Time: sent, Mapping: b.o.Name, Op: s.planned.Op,
		Ref:     crm.Ref{Side: s.planned.Side, Object: s.planned.Object, ID: s.write.ID},
		Changes: encodeEntry(b.entryBody(s)), Why: s.planned.Reason.Text, Result: store.ResultSent}
}

func (b *batch) entryBody(s *send) entryBody {
	body := entryBody{changes: s.changes}
	body.pair, _ = s.job.d.on(s.planned.Side.Other())
	if r := s.planned.Relation; r != nil {
		body.changes = []reconcile.Change{{Field: r.FarField, After: crm.Text(s.write.Relation.ID), Why: r.Role}}
		relation := s.write.Relation
		body.relation, body.relabel = &relation, r.Relabel
	}
	return body
}

// resultOf is how a write that left ended, as the journal says it.
func resultOf(w *send) string {
	switch {
	case w.result.Unknown, w.joined:
		return store.ResultUnknown
	case w.result.Err != nil:
		return store.ResultRefused + w.result.Cause
	}
	return store.ResultDone
}

// journal notes what came back for every write that left, and counts them.
func (b *batch) journal(s *settlement, j *job, writes *Writes) {
	for _, w := range j.sends {
		if !w.sent || w.planned.Op == crm.Archive && w.result.Already { // nothing came of it
			if w.seq != 0 {
				s.unsent = append(s.unsent, w.seq)
			}
			continue
		}
		sent := w.at
		if sent.IsZero() {
			sent = b.e.now()
		}
		entry := b.sentEntry(w, sent)
		entry.Request = w.result.RequestID
		if w.planned.Op == crm.Create && !w.joined {
			entry.Ref.ID = w.result.ID
		}
		if entry.Result = resultOf(w); entry.Result == store.ResultDone {
			writes.count(w.planned.Op)
			if w.planned.Op == crm.Create && !w.result.Created && !w.result.Repeated {
				// The upsert found a record: what it held before is not known.
				entry.Op = crm.Update
				body := b.entryBody(w)
				for i := range body.changes {
					body.changes[i].Before = crm.Value{}
				}
				entry.Changes = encodeEntry(body)
			} else if w.planned.Op == crm.Relate && entry.Changes != nil && w.result.ID != "" && w.planned.Side == crm.Salesforce {
				body := b.entryBody(w)
				body.relation.RowID = w.result.ID
				entry.Changes = encodeEntry(body)
			}
		}
		s.journal, s.entered = append(s.journal, entry), append(s.entered, w)
	}
}
