package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// An undo is a run like any other, planned from the journal of the run that it
// undoes: what a field held before comes back, what was created is archived,
// what was archived is restored where the vendor can, associations are added and
// removed again. It never overwrites what somebody changed since: that is
// listed. Before anything leaves, the store knows each thing as undone, so that
// a death at any point leaves nothing that a later sync would repeat, reverse or
// follow as a deletion; to finish, the undo is run again.

// UndoOptions says what of a run to undo.
type UndoOptions struct {
	// Only is our name of an object or a vendor's, a record's id or its address;
	// empty: all.
	Only string
}

// UndoPlan is what an undo would write. Its items stand in the store until the
// next plan or sync of this pair.
type UndoPlan struct {
	*Plan
	// Undoes is the run that would be undone.
	Undoes *Run `json:"undoes"`
	// Unmapped counts writes of the run to objects that the mapping does not
	// name any more, which cannot be undone.
	Unmapped int `json:"unmapped,omitempty"`
}

// PlanUndo reads what the run wrote and what both sides hold now, and decides
// what would be written to undo it. Nothing is written outside. fault.NotFound
// when there is no such run, fault.Invalid when Only names nothing of it.
func (e *Engine) PlanUndo(ctx context.Context, id int64, o UndoOptions) (*UndoPlan, error) {
	e.working.Lock()
	defer e.working.Unlock()
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	of, err := e.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	before := e.calls()
	// Creates of a run that was killed get their ids first.
	if err := e.recover(ctx); err != nil {
		return nil, err
	}
	c := newCycle(e, 0)
	c.planning, c.undoes = true, id
	u := &undoer{e: e, c: c, of: of, only: newOnly(e.mapping, o.Only), leaving: map[uint64]bool{}, attempts: map[int64]bool{}}
	if err := u.plan(ctx); err != nil {
		return nil, fmt.Errorf("plan the undo of run %d: %w", id, err)
	}
	if o.Only != "" && !u.found {
		return nil, fault.New(fault.Invalid, "run %d wrote nothing to %s", id, o.Only).
			WithMend("see what it wrote: `lockstep runs show %d`", id)
	}
	p := &Plan{Made: e.now(), MappingVersion: e.mapping.Version, Closed: true, Calls: map[crm.Side]int{}, Forecast: map[crm.Side]int{},
		Usage: map[crm.Side]crm.Usage{}, Readings: []Reading{}, engine: e}
	if p.Pair, err = e.store.Pair(ctx); err != nil {
		return nil, err
	}
	for k, work := range c.work {
		p.Forecast[k.side] += e.sides[k.side].Forecast(work)
	}
	for side, n := range e.calls() {
		p.Calls[side], p.Usage[side] = n-before[side], e.sides[side].Usage()
	}
	if p.Policies, err = e.policies(ctx); err != nil {
		return nil, err
	}
	counts, err := e.store.CountPlan(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range e.mapping.Objects {
		read, tally, closed := c.ledger(o.Name).close()
		p.Objects = append(p.Objects, planObject(RunObject{Name: o.Name, Read: read, Tally: tally, Closed: closed}, counts))
		p.Read, p.Tally, p.Closed = p.Read+read, sum(p.Tally, tally), p.Closed && closed
	}
	if p.Brakes, err = e.brakes(ctx, Writes{}, nil); err != nil {
		return nil, err
	}
	return &UndoPlan{Plan: p, Undoes: of, Unmapped: u.unmapped}, nil
}

// Undo writes what PlanUndo planned last. Records that changed since are left
// alone. It obeys the brakes of the mapping unless they are released. What it
// wrote is journalled like any run, and can be undone.
func (e *Engine) Undo(ctx context.Context, plan *UndoPlan, releaseBrakes bool) (*Run, error) {
	e.working.Lock()
	defer e.working.Unlock()
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	run, c, err := e.open(ctx, "undo")
	if err != nil {
		return nil, err
	}
	run.Undoes, c.undoes = plan.Undoes.ID, plan.Undoes.ID
	return run, e.shut(ctx, run, c, e.undo(ctx, run, c, releaseBrakes))
}

func (e *Engine) undo(ctx context.Context, run *Run, c *cycle, releaseBrakes bool) error {
	err := e.planRows(ctx, ItemFilter{}, func(row store.PlanRow, _ *decided) error {
		c.ledger(row.Mapping).sawAll([]uint64{thingKey(row.Side, row.ID)})
		return nil
	})
	if err != nil {
		return err
	}
	var block *crm.Reason
	if !releaseBrakes {
		if run.Brakes, err = e.brakes(ctx, Writes{}, nil); err != nil {
			return err
		}
		if len(run.Brakes) > 0 {
			block = &crm.Reason{Code: CodePendingBrake, Text: "a brake of the mapping waits for a person",
				Mend: fmt.Sprintf("run `lockstep undo %d --release-brakes`, or raise the limit under `brakes:`", c.undoes)}
		}
	}
	return e.applyUndo(ctx, c, block)
}

// applyUndo sends the plan: what is restored first, in the order of writes, then
// everything else in the opposite order, so that nothing is archived before what
// hangs on it.
func (e *Engine) applyUndo(ctx context.Context, c *cycle, block *crm.Reason) error {
	sendCtx, release := withGrace(ctx)
	defer release()
	pass := func(objects []*mapping.BoundObject, ops store.Ops) error {
		for _, o := range objects {
			m := e.meter(StepWrite, "", o.Name, -1)
			for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
				for after := ""; ; {
					page, err := e.store.PlanPage(context.WithoutCancel(ctx), o.Name, side, after, applyBatch, true, ops)
					if err != nil {
						return err
					}
					if len(page) > 0 {
						after = page[len(page)-1].ID
						if ctx.Err() != nil && c.stopped == nil {
							c.stopped = ctx.Err()
						}
						b := &batch{e: e, c: c, o: o, block: block}
						if err := b.run(sendCtx, page); err != nil {
							return err
						}
						m.add(b.withWrites)
					}
					if len(page) < applyBatch {
						break
					}
				}
			}
			m.end()
		}
		return nil
	}
	if err := pass(e.mapping.Objects, store.Restores); err != nil {
		return err
	}
	backwards := slices.Clone(e.mapping.Objects)
	slices.Reverse(backwards)
	return pass(backwards, 0)
}

// only chooses what of a run is undone.
type only struct {
	text    string
	objects map[string]bool // our names and the vendors'
	query   query
}

func newOnly(m *mapping.Bound, text string) only {
	o := only{text: text, objects: map[string]bool{}, query: parseQuery(text)}
	for _, object := range m.Objects {
		names := []string{object.Name, object.HubSpot}
		for _, t := range object.Targets {
			names = append(names, t.Object)
		}
		for _, n := range names {
			o.objects[n] = o.objects[n] || n == text
		}
	}
	return o
}

// takes tells whether a written record, or the one it is linked with, is meant.
func (o only) takes(name string, ref, partner crm.Ref) bool {
	if o.text == "" || o.objects[o.text] && (name == o.text || ref.Object == o.text) {
		return true
	}
	for _, r := range []crm.Ref{ref, partner} {
		id := o.query.salesforceID
		if r.Side == crm.HubSpot {
			id = o.query.hubspotID
		}
		if id != "" && r.ID == id {
			return true
		}
	}
	return false
}
