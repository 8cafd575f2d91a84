package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// Verdict is what verify says of one thing.
type Verdict string

// The verdicts. Each thing has exactly one.
const (
	// InStep: a linked pair whose records agree as far as the mapping goes.
	InStep Verdict = "in-step"
	// Differs: a linked pair whose records do not agree.
	Differs Verdict = "differs"
	// Missing: a record whose counterpart should be there and is not.
	Missing Verdict = "missing"
	// VerdictExcluded, VerdictHeld, VerdictPending and VerdictFailed: the thing
	// is not in step, and its outcome says why.
	VerdictExcluded Verdict = "excluded"
	VerdictHeld     Verdict = "held"
	VerdictPending  Verdict = "pending"
	VerdictFailed   Verdict = "failed"
)

// Verification is what a complete look at both sides proves.
type Verification struct {
	Objects []VerifiedObject `json:"objects"`
	// Read counts things; the verdicts add up to it when Closed.
	Read   int  `json:"read"`
	Closed bool `json:"closed"`
	// InStep: nothing differs and nothing is missing.
	InStep bool `json:"in_step"`
	// Drift is how far the two sides are from being in step.
	Drift Drift            `json:"drift_millionths"`
	Calls map[crm.Side]int `json:"calls"`
	// Pair whose accounts these are.
	Pair store.Pair `json:"-"`
}

// VerifiedObject is one object of the mapping.
type VerifiedObject struct {
	Name       string          `json:"name"`
	Rows       map[string]int  `json:"rows"` // by vendor object, "hubspot contacts"
	Read       int             `json:"read"`
	Verdicts   map[Verdict]int `json:"verdicts"`
	Closed     bool            `json:"closed"`
	Deviations int             `json:"allowed_differences"`
	Drift      Drift           `json:"drift_millionths"`

	drift drift
}

// Finding is one thing that is not in step, or only by leave of the mapping.
type Finding struct {
	Mapping     string            `json:"mapping"`
	Title       string            `json:"title,omitempty"`
	HubSpot     *Record           `json:"hubspot,omitempty"`
	Salesforce  *Record           `json:"salesforce,omitempty"`
	Verdict     Verdict           `json:"verdict"`
	Reason      crm.Reason        `json:"reason"`
	Differences []DifferenceShown `json:"differences,omitempty"`
}

// DifferenceShown is one pair of fields that do not agree; nil is blank.
type DifferenceShown struct {
	HubSpotField    string  `json:"hubspot_field,omitempty"`
	SalesforceField string  `json:"salesforce_field,omitempty"`
	HubSpot         *string `json:"hubspot"`
	Salesforce      *string `json:"salesforce"`
	// Allowed says why the mapping lets the two differ; empty when it does not.
	Allowed string `json:"allowed,omitempty"`
}

// Verify reads both sides completely and compares what they hold, by nothing
// but the links: not by the base, not by what was seen before. Every finding
// that is not in step is handed to yield, which may be nil. It changes nothing.
func (e *Engine) Verify(ctx context.Context, yield func(Finding) error) (*Verification, error) {
	before := e.calls()
	v := &Verification{Closed: true, InStep: true, Calls: map[crm.Side]int{}}
	var err error
	if v.Pair, err = e.pair(ctx); err != nil {
		return nil, err
	}
	var total drift
	for _, o := range e.mapping.Objects {
		done, err := e.verifyObject(ctx, o, yield)
		if err != nil {
			return nil, fmt.Errorf("verify %s: %w", o.Name, err)
		}
		v.Objects = append(v.Objects, *done)
		v.Read += done.Read
		v.Closed = v.Closed && done.Closed
		v.InStep = v.InStep && done.Verdicts[Differs] == 0 && done.Verdicts[Missing] == 0
		total.things, total.sum = total.things+done.drift.things, total.sum+done.drift.sum
	}
	v.Drift = total.score()
	for side, n := range e.calls() {
		v.Calls[side] = n - before[side]
	}
	return v, nil
}

// verifier compares one object. Both sides are read into a scratch file, so
// that memory stays flat at any number of records.
type verifier struct {
	e       *Engine
	o       *mapping.BoundObject
	scratch *store.Scratch
	out     *VerifiedObject
	yield   func(Finding) error
	meter   *meter
	things  int
	// short: a read handed on fewer or more rows than the vendor counted.
	short bool
}

func (e *Engine) verifyObject(ctx context.Context, o *mapping.BoundObject, yield func(Finding) error) (_ *VerifiedObject, err error) {
	scratch, err := e.store.NewScratch(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := scratch.Close(); err == nil {
			err = closed
		}
	}()
	v := &verifier{e: e, o: o, scratch: scratch, yield: yield,
		out: &VerifiedObject{Name: o.Name, Rows: map[string]int{}, Verdicts: map[Verdict]int{}}}
	rows, err := v.readAll(ctx)
	if err != nil {
		return nil, err
	}
	v.meter = e.meter(StepVerify, "", o.Name, rows)
	if err := v.walk(ctx, crm.HubSpot); err != nil {
		return nil, err
	}
	if err := v.walk(ctx, crm.Salesforce); err != nil {
		return nil, err
	}
	v.meter.end()
	// Things counted from the rows and the links alone: each HubSpot row is one;
	// each Salesforce row is one unless its HubSpot record was read, too.
	pairs, err := v.pairsRead(ctx)
	if err != nil {
		return nil, err
	}
	v.out.Read = rows - pairs
	v.out.Closed = v.out.Read == v.things && !v.short
	v.out.Drift = v.out.drift.score()
	return v.out, nil
}

func (v *verifier) readAll(ctx context.Context) (int, error) {
	group, groupCtx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	read := func(side crm.Side, objects []string) {
		group.Go(func() error {
			for _, object := range objects {
				l := v.e.lens(v.o, side, object)
				m := v.e.meter(StepRead, side, object, -1)
				report, err := v.e.sides[side].Read(groupCtx, l.read, func(page []crm.Record) error {
					var rows []store.ScratchRow
					for i := range page {
						if !page[i].Archived {
							rows = append(rows, store.ScratchRow{Ref: crm.Ref{Side: side, Object: object, ID: page[i].ID}, Record: encodeRecord(&page[i], l.layout)})
						}
					}
					m.add(len(page))
					return v.scratch.Put(groupCtx, rows)
				})
				if err != nil {
					return fmt.Errorf("read %s of %s: %w", object, side.Title(), err)
				}
				if report.Expected >= 0 && report.Expected != report.Rows {
					mu.Lock()
					v.short = true
					mu.Unlock()
				}
				m.end()
			}
			return nil
		})
	}
	var targets []string
	for _, t := range v.o.Targets {
		targets = append(targets, t.Object)
	}
	read(crm.HubSpot, []string{v.o.HubSpot})
	read(crm.Salesforce, targets)
	if err := group.Wait(); err != nil {
		return 0, err
	}
	total := 0
	count := func(side crm.Side, object string) error {
		n, err := v.scratch.Count(ctx, side, object)
		v.out.Rows[string(side)+" "+object] = n
		total += n
		return err
	}
	if err := count(crm.HubSpot, v.o.HubSpot); err != nil {
		return 0, err
	}
	for _, object := range targets {
		if err := count(crm.Salesforce, object); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// pairsRead counts links of which both records were read.
func (v *verifier) pairsRead(ctx context.Context) (int, error) {
	pairs := 0
	for after := ""; ; {
		page, err := v.e.store.LinkPage(ctx, v.o.Name, after, 500)
		if err != nil {
			return 0, err
		}
		ids := map[crm.Side][]string{}
		for _, l := range page {
			after = l.HubSpotID
			ids[crm.HubSpot] = append(ids[crm.HubSpot], l.HubSpotID)
			ids[crm.Salesforce] = append(ids[crm.Salesforce], l.SalesforceID)
		}
		there := map[crm.Side]map[string]store.ScratchRow{}
		for side, list := range ids {
			if there[side], err = v.scratch.Rows(ctx, side, list); err != nil {
				return 0, err
			}
		}
		for _, l := range page {
			_, hubspot := there[crm.HubSpot][l.HubSpotID]
			_, salesforce := there[crm.Salesforce][l.SalesforceID]
			if hubspot && salesforce {
				pairs++
			}
		}
		if len(page) < 500 {
			return pairs, nil
		}
	}
}

// walk judges every row of a side; pairs are judged from their HubSpot row.
func (v *verifier) walk(ctx context.Context, side crm.Side) error {
	for after := ""; ; {
		page, err := v.scratch.Page(ctx, side, after, decideBatch)
		if err != nil {
			return err
		}
		if len(page) > 0 {
			after = page[len(page)-1].Ref.ID
			if err := v.judge(ctx, side, page); err != nil {
				return err
			}
			v.meter.add(len(page))
		}
		if len(page) < decideBatch {
			return nil
		}
	}
}

func (v *verifier) decode(row store.ScratchRow) *crm.Record {
	l := v.e.lens(v.o, row.Ref.Side, row.Ref.Object)
	if l == nil || len(row.Record) == 0 {
		return nil
	}
	return decodeRecord(row.Record, l.read.Layout, l.layout)
}

func (v *verifier) judge(ctx context.Context, side crm.Side, page []store.ScratchRow) error {
	ids := make([]string, len(page))
	for i := range page {
		ids[i] = page[i].Ref.ID
	}
	links, err := v.e.store.Links(ctx, v.o.Name, side, ids)
	if err != nil {
		return err
	}
	var others []string
	for _, l := range links {
		if side == crm.HubSpot {
			others = append(others, l.SalesforceID)
		} else {
			others = append(others, l.HubSpotID)
		}
	}
	there, err := v.scratch.Rows(ctx, side.Other(), others)
	if err != nil {
		return err
	}
	outcomes, err := v.outcomes(ctx, side, ids, links)
	if err != nil {
		return err
	}
	wanted := wishes{}
	snapshots := make([]reconcile.Snapshot, len(page))
	for i := range page {
		s := &snapshots[i]
		r := v.decode(page[i])
		if side == crm.HubSpot {
			s.HubSpot = r
		} else {
			s.Salesforce = r
		}
		if l, ok := links[page[i].Ref.ID]; ok {
			s.Link = &l.Link
			if side == crm.HubSpot {
				s.Salesforce = v.decode(there[l.SalesforceID])
			} else {
				s.HubSpot = v.decode(there[l.HubSpotID])
			}
		}
		wanted.of(v.e, v.o, s)
	}
	k, err := v.e.learn(ctx, wanted)
	if err != nil {
		return err
	}
	for i := range page {
		s := &snapshots[i]
		if side == crm.Salesforce && s.Link != nil && s.HubSpot != nil {
			continue // judged from its HubSpot row
		}
		s.Known = k
		f, err := v.verdict(ctx, side, page[i].Ref, s, outcomes)
		if err != nil {
			return err
		}
		v.weigh(s, &f)
		v.things++
		v.out.Verdicts[f.Verdict]++
		allowed := len(f.Differences) > 0 && !slices.ContainsFunc(f.Differences, func(d DifferenceShown) bool { return d.Allowed == "" })
		if allowed {
			v.out.Deviations++
		}
		if (f.Verdict != InStep || allowed) && v.yield != nil {
			if err := v.yield(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// outcomes fetches what is remembered of the page's things, by thing.
func (v *verifier) outcomes(ctx context.Context, side crm.Side, ids []string, links map[string]store.Link) (map[string]store.Outcome, error) {
	found, err := v.e.store.Outcomes(ctx, v.o.Name, side, ids)
	if err != nil || side == crm.HubSpot || len(links) == 0 {
		return found, err
	}
	var pairs []string
	for _, l := range links {
		pairs = append(pairs, l.HubSpotID)
	}
	more, err := v.e.store.Outcomes(ctx, v.o.Name, crm.HubSpot, pairs)
	if err != nil {
		return nil, err
	}
	if found == nil {
		found = map[string]store.Outcome{}
	}
	for id, l := range links {
		if o, ok := more[l.HubSpotID]; ok {
			found[id] = o
		}
	}
	return found, nil
}

func (v *verifier) verdict(ctx context.Context, side crm.Side, ref crm.Ref, s *reconcile.Snapshot, outcomes map[string]store.Outcome) (Finding, error) {
	f := Finding{Mapping: v.o.Name, Title: title(&subject{snapshot: *s})}
	show := func(r crm.Ref) *Record {
		shown := recordOf(r)
		shown.URL = v.e.sides[r.Side].RecordURL(r.Object, r.ID)
		return &shown
	}
	if side == crm.HubSpot {
		f.HubSpot = show(ref)
	} else {
		f.Salesforce = show(ref)
	}
	outcome, remembered := outcomes[ref.ID]
	if s.Link != nil && s.HubSpot != nil && s.Salesforce != nil {
		f.Salesforce = show(crm.Ref{Side: crm.Salesforce, Object: s.Link.SalesforceObject, ID: s.Link.SalesforceID})
		return f, v.comparePair(ctx, &f, s, outcome, remembered)
	}
	if s.Link == nil {
		// What the mapping leaves out, or cannot write, is judged on the record as it
		// is now; only what the other side has to do with it is remembered.
		d := reconcile.Decide(v.o, *s)
		switch {
		case d.Outcome == crm.Excluded || d.Outcome == crm.Held:
			f.Verdict, f.Reason = Verdict(d.Outcome), d.Reason
			return f, nil
		case remembered && outcome.Outcome == crm.Excluded && outcome.Reason.Code != reconcile.CodeFilterOther:
			remembered = false // it was left out, and would not be any more
		}
	}
	if remembered && outcome.Outcome != crm.Synced && outcome.Outcome != crm.Unchanged {
		f.Verdict, f.Reason = Verdict(outcome.Outcome), outcome.Reason
		return f, nil
	}
	f.Verdict = Missing
	f.Reason = crm.Reason{Code: "missing." + string(side.Other()), Text: "it has no counterpart in " + side.Other().Title(), Mend: "run `lockstep sync`"}
	return f, nil
}

// weigh adds a thing to the drift of its object.
func (v *verifier) weigh(s *reconcile.Snapshot, f *Finding) {
	switch {
	case f.Verdict == VerdictExcluded:
		// The mapping does not want it in step.
	case s.HubSpot != nil && s.Salesforce != nil:
		differing := 0
		for _, d := range f.Differences {
			if d.Allowed == "" {
				differing++
			}
		}
		fields := 1
		if t := v.o.Target(s.Salesforce.Layout.Object); t != nil {
			fields = max(1, len(t.Fields)+len(t.Associations))
		}
		v.out.drift.add(differing, fields)
	default:
		v.out.drift.addWhole()
	}
}

func (v *verifier) comparePair(ctx context.Context, f *Finding, s *reconcile.Snapshot, outcome store.Outcome, remembered bool) error {
	broken := false
	differences := reconcile.Compare(v.o, *s)
	if err := v.e.filledIn(ctx, v.o, s, differences); err != nil {
		return err
	}
	for _, d := range differences {
		f.Differences = append(f.Differences, DifferenceShown{HubSpotField: d.HubSpotField, SalesforceField: d.SalesforceField,
			HubSpot: textOf(d.HubSpot), Salesforce: textOf(d.Salesforce), Allowed: d.Allowed})
		broken = broken || d.Allowed == ""
	}
	switch {
	case !broken:
		f.Verdict = InStep
	case remembered && outcome.Outcome != crm.Synced && outcome.Outcome != crm.Unchanged:
		f.Verdict, f.Reason = Verdict(outcome.Outcome), outcome.Reason
	default:
		f.Verdict = Differs
		f.Reason = crm.Reason{Code: "differs", Text: "the two records do not agree", Mend: "run `lockstep sync`; `lockstep explain` shows both side by side"}
	}
	return nil
}
