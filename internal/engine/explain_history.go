package engine

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// ExplainedDecision is one entry of a thing's history: what woke us, what was
// looked at, what was decided, which calls were made and what they answered.
type ExplainedDecision struct {
	Run  int64     `json:"run"`
	Time time.Time `json:"time"`
	// Woke is what made the thing due: "poll", "sweep", "complete read", "awaited
	// record", "retry", "hint", "by hand", …
	Woke    string            `json:"woke"`
	Filters []ExplainedFilter `json:"filters,omitempty"`
	// Match is the rule that found Candidates records on the other side; empty
	// for a pair that was linked already.
	Match      string `json:"match,omitempty"`
	Candidates int    `json:"candidates,omitempty"`
	// Thing is the record that the decision was about; Partner the other one of
	// the pair, if there was one then.
	Thing   Record  `json:"thing"`
	Partner *Record `json:"partner,omitempty"`
	// Linked: the two became a pair. Unlinked: they ended to be one.
	Linked   bool             `json:"linked,omitempty"`
	Unlinked bool             `json:"unlinked,omitempty"`
	Outcome  crm.Outcome      `json:"outcome"`
	Reason   crm.Reason       `json:"reason"`
	Notes    []crm.Reason     `json:"notes,omitempty"`
	Writes   []ExplainedWrite `json:"writes,omitempty"`

	seq int64
}

// ExplainedWrite is one call of a decision and its answer.
type ExplainedWrite struct {
	Record Record `json:"record"`
	Op     crm.Op `json:"op"`
	// Changes with before and after; without values once the journal's are too
	// old to be kept.
	Changes []ItemChange `json:"changes,omitempty"`
	Result  string       `json:"result"`
	// Status is the vendor's status code of a refusal, Field what it blamed.
	Status  string `json:"status,omitempty"`
	Field   string `json:"field,omitempty"`
	Request string `json:"request_id,omitempty"`
}

// historyOf reads what was decided about either record, newest first.
func (e *Engine) historyOf(ctx context.Context, name string, pair map[crm.Side]crm.Ref) ([]ExplainedDecision, error) {
	list := []ExplainedDecision{}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		ref := pair[side]
		if ref.ID == "" {
			continue
		}
		rows, err := e.store.Decisions(ctx, name, ref, e.historyPerThing)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			d, err := e.explainDecision(ctx, &rows[i])
			if err != nil {
				return nil, err
			}
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b ExplainedDecision) int { return int(min(1, max(-1, b.seq-a.seq))) })
	return list, nil
}

func (e *Engine) explainDecision(ctx context.Context, row *store.Decision) (ExplainedDecision, error) {
	d := ExplainedDecision{Run: row.Run, Time: row.Time, Outcome: row.Outcome, Thing: recordOf(row.Ref), seq: row.Seq}
	t, err := decodeTold(row.Body)
	if err != nil {
		return d, err
	}
	d.Woke, d.Match, d.Candidates, d.Reason, d.Notes = t.Wake.String(), t.Rule, t.Candidates, t.Reason, t.Notes
	d.Linked, d.Unlinked = t.New, t.Unlinked
	for _, f := range t.Filters {
		d.Filters = append(d.Filters, ExplainedFilter(f))
	}
	if t.Partner.ID != "" {
		partner := recordOf(t.Partner)
		d.Partner = &partner
	}
	seqs := make([]int64, len(t.Writes))
	for i := range t.Writes {
		seqs[i] = t.Writes[i].Seq
	}
	entries, err := e.store.JournalBySeq(ctx, seqs)
	if err != nil {
		return d, err
	}
	for _, w := range t.Writes {
		shown := ExplainedWrite{Record: Record{Side: w.Side, Object: w.Object, ID: w.ID}, Op: w.Op, Result: w.Result, Status: w.Status,
			Field: w.Field, Request: w.Request}
		for i := range entries {
			if entries[i].Seq == w.Seq {
				body, err := decodeEntry(entries[i].Changes)
				if err != nil {
					return d, err
				}
				shown.Changes = itemChanges(body.changes)
			}
		}
		d.Writes = append(d.Writes, shown)
	}
	return d, nil
}
