package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// Apply does what a sealed plan says, and nothing else. It looks at both sides
// and decides every thing of the plan anew, by the same rules: what would not
// come out as it was sealed (a record changed, a counterpart of a record to be
// created appeared, a link was made or given up, a deleted record came back) is
// left alone, comes back as pending and is named in the run. A plan of another
// pair, or made with another mapping, is refused with fault.Conflict. Applying
// a plan twice does nothing twice. The limits of the mapping do not brake it:
// whoever sealed it has seen them; a policy that stops plans stops it as well.
func (e *Engine) Apply(ctx context.Context, sealed *SealedPlan) (*Run, error) {
	return e.applying(ctx, sealed, false)
}

// ApplyReleased is Apply that goes on where a policy would stop it. What breaks
// a policy is held all the same.
func (e *Engine) ApplyReleased(ctx context.Context, sealed *SealedPlan) (*Run, error) {
	return e.applying(ctx, sealed, true)
}

func (e *Engine) applying(ctx context.Context, sealed *SealedPlan, released bool) (*Run, error) {
	e.working.Lock()
	defer e.working.Unlock()
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	pair, err := e.store.Pair(ctx)
	if err != nil {
		return nil, err
	}
	if sealed.HubSpot.ID != pair.HubSpotID || sealed.Salesforce.ID != pair.SalesforceID {
		return nil, fault.New(fault.Conflict, "the sealed plan is for HubSpot account %s and Salesforce organization %s, not for %s and %s",
			sealed.HubSpot.ID, sealed.Salesforce.ID, pair.HubSpotID, pair.SalesforceID).
			WithMend("apply it where it was made, or make a new one: `lockstep plan -o FILE`")
	}
	if sealed.Mapping != hash16(e.mapping.Version) {
		return nil, fault.New(fault.Conflict, "the mapping changed since the plan was sealed").
			WithMend("make a new one: `lockstep plan -o FILE`")
	}
	run, c, err := e.open(ctx, "apply")
	if err != nil {
		return nil, err
	}
	run.sealed = true
	return run, e.shut(ctx, run, c, e.applySealed(ctx, run, c, sealed, released))
}

func (e *Engine) applySealed(ctx context.Context, run *Run, c *cycle, sealed *SealedPlan, released bool) error {
	if err := e.recover(ctx); err != nil {
		return err
	}
	// What is read and decided here is no part of the run's account, which is
	// about the things of the sealed plan only.
	look := newCycle(e, run.ID)
	look.planning = true
	observation, err := e.observe(ctx, Scope{}, look)
	run.Readings = observation.Readings
	if err != nil {
		return err
	}
	if err := e.reconcile(ctx, look); err != nil {
		return err
	}
	if !released {
		if run.Brakes, err = e.policyBrakes(ctx); err != nil {
			return err
		}
	}
	rows, err := e.stillSealed(ctx, c, sealed.Items)
	if err != nil {
		return err
	}
	err = e.store.Write(ctx, func(t *store.Tx) error {
		if err := t.ClearPlan(); err != nil {
			return err
		}
		return t.PutPlan(rows)
	})
	if err != nil {
		return err
	}
	return e.apply(ctx, c, braked(run.Brakes))
}

// stillSealed returns the plan's rows for sealed items: today's decision where
// it is the sealed one, else a thing that is left alone.
func (e *Engine) stillSealed(ctx context.Context, c *cycle, items []SealedItem) ([]store.PlanRow, error) {
	rows := make([]store.PlanRow, 0, len(items))
	byThing := map[standKey]map[string]store.PlanRow{}
	for len(items) > 0 {
		n := min(len(items), decideBatch)
		clear(byThing)
		ids := map[standKey][]string{}
		wanted := wishes{}
		for i := range items[:n] {
			it := &items[i]
			if e.mapping.Object(it.Mapping) == nil {
				return nil, fault.New(fault.Invalid, "the sealed plan names %q, which the mapping does not have", it.Mapping)
			}
			k, id := it.thing()
			ids[k] = append(ids[k], id)
			it.references(func(far *ItemReference) { wanted[standKey{far.Mapping, far.ref()}] = struct{}{} })
		}
		for k, list := range ids {
			found, err := e.store.PlanRows(ctx, k.mapping, k.ref.Side, list)
			if err != nil {
				return nil, err
			}
			byThing[k] = found
		}
		known, err := e.learn(ctx, wanted)
		if err != nil {
			return nil, err
		}
		for i := range items[:n] {
			row, err := e.stillOne(c, &items[i], byThing, known)
			if err != nil {
				return nil, err
			}
			c.ledger(row.Mapping).sawAll([]uint64{thingKey(row.Side, row.ID)})
			rows = append(rows, row)
		}
		items = items[n:]
	}
	return rows, nil
}

// thing is the key under which the plan holds the item.
func (it *SealedItem) thing() (standKey, string) {
	if it.HubSpot != nil && it.HubSpot.ID != "" {
		return standKey{it.Mapping, crm.Ref{Side: crm.HubSpot}}, it.HubSpot.ID
	}
	if it.Salesforce != nil {
		return standKey{it.Mapping, crm.Ref{Side: crm.Salesforce}}, it.Salesforce.ID
	}
	return standKey{it.Mapping, crm.Ref{Side: crm.HubSpot}}, ""
}

func (it *SealedItem) references(yield func(*ItemReference)) {
	for _, w := range it.Writes {
		for _, ch := range w.Changes {
			if ch.Reference != nil {
				yield(ch.Reference)
			}
		}
	}
}

func (e *Engine) stillOne(c *cycle, it *SealedItem, byThing map[standKey]map[string]store.PlanRow, k *known) (store.PlanRow, error) {
	key, id := it.thing()
	row, due := byThing[key][id]
	why := "nothing is left to do for it: it was done already, was taken back, or is gone"
	if due {
		d, err := decodeDecided(row.Body)
		if err != nil {
			return row, fault.New(fault.Internal, "read the plan of %s %s", row.Mapping, row.ID).Wrap(err)
		}
		if why = it.differs(e.seal(d), k); why == "" {
			d.FromSealed = true
			row.Body = encodeDecided(d)
			return row, nil
		}
	}
	d := &decided{Title: it.Title, WasLinked: it.Linked, FromSealed: true}
	d.Mapping, d.Outcome = it.Mapping, crm.Pending
	if it.HubSpot != nil {
		d.HubSpot = it.HubSpot.ref()
	}
	if it.Salesforce != nil {
		d.Salesforce = it.Salesforce.ref()
	}
	d.Reason = crm.Reason{Code: CodePendingChanged, Text: "not what it was when the plan was made: " + why, Mend: "make a new plan: `lockstep plan`"}
	c.leave(e, d, why)
	return rowOf(d), nil
}

// differs says how today's decision about a thing is not the sealed one; ""
// when it is.
func (it *SealedItem) differs(now SealedItem, k *known) string {
	var sides []string
	for _, side := range []struct {
		side     crm.Side
		was, is  string
		wasGone  bool
		isGone   bool
		had, has *Record
	}{
		{crm.HubSpot, it.HubSpotPrint, now.HubSpotPrint, it.HubSpotGone, now.HubSpotGone, it.HubSpot, now.HubSpot},
		{crm.Salesforce, it.SalesforcePrint, now.SalesforcePrint, it.SalesforceGone, now.SalesforceGone, it.Salesforce, now.Salesforce},
	} {
		switch {
		case idOf(side.had) != idOf(side.has) && idOf(side.had) == "":
			sides = append(sides, "a counterpart appeared in "+side.side.Title()+": "+side.has.Object+" "+side.has.ID)
		case idOf(side.had) != idOf(side.has):
			sides = append(sides, "it no longer belongs to "+side.side.Title()+" "+side.had.Object+" "+side.had.ID)
		case side.wasGone && !side.isGone:
			sides = append(sides, "it came back in "+side.side.Title())
		case side.was != side.is || side.wasGone != side.isGone:
			sides = append(sides, changedOn(side.side, side.isGone))
		}
	}
	if len(sides) > 0 {
		return strings.Join(sides, ", ")
	}
	if it.Linked != now.Linked || it.Link != now.Link || it.Unlink != now.Unlink {
		return "it was linked or unlinked"
	}
	same := slices.EqualFunc(it.Writes, now.Writes, func(a, b ItemWrite) bool { return sameWrite(a, b, k) })
	switch {
	case same:
		return ""
	case now.Outcome != it.Outcome:
		return "it would be " + string(now.Outcome) + " now: " + now.Reason.Text
	}
	return "something that it refers to changed"
}

func idOf(r *Record) string {
	if r == nil {
		return ""
	}
	return r.ID
}

// sameWrite compares what two writes would do; why they would is left out. A
// reference to a record that was only planned, and exists by now, is the same.
func sameWrite(a, b ItemWrite, k *known) bool {
	if a.Side != b.Side || a.Op != b.Op || a.Object != b.Object || a.ID != b.ID || a.ExternalField != b.ExternalField || a.ExternalValue != b.ExternalValue {
		return false
	}
	if (a.Relation == nil) != (b.Relation == nil) || a.Relation != nil && !sameRelation(*a.Relation, *b.Relation) {
		return false
	}
	return slices.EqualFunc(a.Changes, b.Changes, func(was, is ItemChange) bool {
		if was.Field != is.Field || !sameText(was.Before, is.Before) {
			return false
		}
		if was.Reference != nil && is.Reference == nil && is.After != nil {
			far, standing := k.Counterpart(was.Reference.Mapping, was.Reference.ref())
			return standing == reconcile.Linked && far.ID == *is.After
		}
		if was.Reference != nil || is.Reference != nil {
			return was.Reference != nil && is.Reference != nil && was.Reference.ref() == is.Reference.ref()
		}
		return sameText(was.After, is.After)
	})
}

func sameRelation(a, b ItemRelation) bool {
	if (a.Far == nil) != (b.Far == nil) || a.Far != nil && a.Far.ref() != b.Far.ref() {
		return false
	}
	a.Far, b.Far = nil, nil
	return a == b
}

func sameText(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
