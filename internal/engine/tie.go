package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// ties brings what was agreed of the subjects' associations that Salesforce
// keeps as rows.
func (d *decider) ties(ctx context.Context, subjects []*subject) error {
	if !hasRows(d.o) {
		return nil
	}
	var ids []string
	for _, s := range subjects {
		if s.link != nil {
			ids = append(ids, s.link.HubSpotID)
		}
	}
	ties, err := d.e.store.Ties(ctx, d.o.Name, ids)
	if err != nil {
		return err
	}
	for _, s := range subjects {
		if s.link != nil {
			s.snapshot.Ties = ties[s.link.HubSpotID]
		}
	}
	return nil
}

func hasRows(o *mapping.BoundObject) bool {
	return slices.ContainsFunc(o.Targets, func(t *mapping.BoundTarget) bool {
		return slices.ContainsFunc(t.Associations, func(a mapping.BoundAssociation) bool { return a.Junction })
	})
}

// doubtMissing looks whether the far ends of associations that are missing on
// one side are still there. An association also ends because its far record was
// deleted, and search may tell that later than the association is missed: then
// it says nothing about the two records, and the far one is decided as deleted.
func (d *decider) doubtMissing(ctx context.Context, subjects []*subject, k *known) error {
	missing := map[standKey]bool{}
	for _, s := range subjects {
		if s.link == nil || s.snapshot.HubSpot == nil || s.snapshot.Salesforce == nil {
			continue
		}
		t := d.o.Target(s.link.SalesforceObject)
		if t == nil || len(t.Associations) == 0 {
			continue
		}
		changed := d.changedSlots(s)
		for i := range t.Associations {
			missingEnds(&t.Associations[i], s, k, changed, missing)
		}
	}
	keys := slices.SortedFunc(maps.Keys(missing), func(a, b standKey) int {
		return cmp.Or(cmp.Compare(a.mapping, b.mapping), cmp.Compare(a.ref.Side, b.ref.Side), cmp.Compare(a.ref.Object, b.ref.Object), cmp.Compare(a.ref.ID, b.ref.ID))
	})
	for len(keys) > 0 {
		g := keys[0]
		n := slices.IndexFunc(keys, func(k standKey) bool {
			return k.mapping != g.mapping || k.ref.Side != g.ref.Side || k.ref.Object != g.ref.Object
		})
		if n < 0 {
			n = len(keys)
		}
		list := make([]string, n)
		for i := range list {
			list[i] = keys[i].ref.ID
		}
		keys = keys[n:]
		if err := d.lookMissing(ctx, k, g.mapping, g.ref.Side, g.ref.Object, list); err != nil {
			return err
		}
	}
	return nil
}

// lookMissing looks up far records of one object, and lets those that are gone
// count as gone from now on.
func (d *decider) lookMissing(ctx context.Context, k *known, mapping string, side crm.Side, object string, ids []string) error {
	l := d.e.lens(d.e.mapping.Object(mapping), side, object)
	if l == nil {
		return nil
	}
	read := crm.Read{Layout: crm.NewLayout(object, l.read.Layout.Fields[:min(1, len(l.read.Layout.Fields))])}
	records, err := d.e.sides[side].Lookup(ctx, read, ids)
	if err != nil {
		return err
	}
	var gone []crm.Ref
	for i := range records {
		if records[i].Archived {
			ref := crm.Ref{Side: side, Object: object, ID: records[i].ID}
			k.forget(mapping, ref)
			gone = append(gone, ref)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return d.e.store.Write(ctx, func(t *store.Tx) error { return t.PutDue(mapping, gone, store.WakeFollowed) })
}

// changedSlots tells for each side which slots are not as the base has them.
func (d *decider) changedSlots(s *subject) func(side crm.Side, slot int) bool {
	base := s.link.Base
	hubspot := reconcile.Fingerprint(d.o, crm.HubSpot, d.o.HubSpot, s.snapshot.HubSpot)
	salesforce := reconcile.Fingerprint(d.o, crm.Salesforce, s.link.SalesforceObject, s.snapshot.Salesforce)
	return func(side crm.Side, slot int) bool {
		was, is := base.HubSpot, hubspot
		if side == crm.Salesforce {
			was, is = base.Salesforce, salesforce
		}
		return base.Version != d.o.BaseVersion || slot >= len(was) || was[slot] != is[slot]
	}
}

// missingEnds notes the far records that one side of a pair relates it to and
// the other, which changed, does not, as that other side knows them.
func missingEnds(a *mapping.BoundAssociation, s *subject, k *known, changed func(crm.Side, int) bool, missing map[standKey]bool) {
	h, sf := s.snapshot.HubSpot, s.snapshot.Salesforce
	var hubspotEnds, salesforceEnds []crm.Ref
	for _, r := range h.Relations {
		if r.Object == a.HubSpot {
			hubspotEnds = append(hubspotEnds, crm.Ref{Side: crm.HubSpot, Object: r.Object, ID: r.ID})
		}
	}
	if a.Junction {
		for _, r := range sf.Relations {
			if r.Junction == a.Salesforce {
				salesforceEnds = append(salesforceEnds, crm.Ref{Side: crm.Salesforce, Object: a.RowEnd(r.Object).Object, ID: r.ID})
			}
		}
	} else if id := sf.Value(a.Salesforce).Text; id != "" {
		for _, object := range a.ReferenceTo {
			salesforceEnds = append(salesforceEnds, crm.Ref{Side: crm.Salesforce, Object: object, ID: id})
		}
	}
	note := func(from, to []crm.Ref) {
		there := make(map[string]bool, len(to))
		for _, ref := range to {
			there[ref.ID] = true
		}
		for _, ref := range from {
			other, standing := k.Counterpart(a.Mapping, ref)
			if standing == reconcile.Linked && !there[other.ID] {
				missing[standKey{a.Mapping, other}] = true
			}
		}
	}
	if changed(crm.HubSpot, a.Slot) {
		note(salesforceEnds, hubspotEnds)
	}
	if changed(crm.Salesforce, a.Slot) && (a.Junction || len(salesforceEnds) == 0) {
		note(hubspotEnds, salesforceEnds)
	}
}

// forget makes a record that turned out to be gone, and its counterpart, wait.
func (k *known) forget(mapping string, ref crm.Ref) {
	for key, s := range k.other {
		if key.mapping == mapping && (key.ref == ref || s.ref == ref) {
			k.other[key] = stand{standing: reconcile.Waiting}
		}
	}
}

// tiesAfter are what is agreed of a thing's associations once its writes came
// back: what the decision says, and what the writes made.
func (j *job) tiesAfter() []crm.Tie {
	ties := slices.Clone(j.d.Ties)
	for _, s := range j.sends {
		r := s.planned.Relation
		if r == nil || !s.ok() {
			continue
		}
		for _, t := range r.Ties {
			if s.planned.Side == crm.HubSpot && t.Far == "" {
				t.Far = s.write.Relation.ID
			}
			if s.planned.Side == crm.Salesforce && s.result.ID != "" {
				t.RowID = s.result.ID
			}
			ties = append(ties, t)
		}
	}
	return ties
}
