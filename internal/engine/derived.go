package engine

import (
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// callsPerCycle is what looking at calculated fields of one object may cost a
// cycle on the average.
const callsPerCycle = 2

// divide sorts the slots of a lens: those into which a field goes that the vendor
// calculates, such as a formula or a roll-up, and the others.
func (l *lens) divide(o *mapping.BoundObject) {
	var fields []string
	derived := map[int]bool{}
	of := func(slot int, names []string, schema *crm.Object) {
		if !slices.ContainsFunc(names, func(name string) bool { return isDerived(schema.Field(name)) }) {
			return
		}
		derived[slot] = true
		for _, name := range names {
			if name != "" && !slices.Contains(fields, name) {
				fields = append(fields, name)
			}
		}
	}
	last := len(o.BaseNames) - 1
	for _, t := range o.Targets {
		if l.side == crm.Salesforce && t.Object != l.object {
			continue
		}
		schema, rules := t.Schema, t.RuleFields
		if l.side == crm.HubSpot {
			schema, rules = o.HubSpotSchema, o.RuleFields
		}
		for i := range t.Fields {
			f := &t.Fields[i]
			var names []string
			if l.side == crm.HubSpot && f.HubSpotField != nil {
				names = append(names, f.HubSpot)
			}
			if l.side == crm.Salesforce && f.SalesforceField != nil {
				names = append(names, f.Salesforce)
			}
			if f.Program != nil && l.side == crm.HubSpot {
				names = append(names, f.Program.HubSpotFields...)
			}
			if f.Program != nil && l.side == crm.Salesforce {
				names = append(names, f.Program.SalesforceFields...)
			}
			of(f.Slot, names, schema)
		}
		of(last, rules, schema)
	}
	for slot := range o.BaseNames {
		if derived[slot] {
			l.derived = append(l.derived, slot)
		}
	}
	for _, t := range o.Targets {
		for i := range t.Fields {
			if slot := t.Fields[i].Slot; !derived[slot] && !slices.Contains(l.stamped, slot) {
				l.stamped = append(l.stamped, slot)
			}
		}
	}
	l.narrow = crm.Read{Layout: crm.NewLayout(l.object, fields)}
}

// isDerived tells fields whose value the vendor works out from others, without
// moving the record's stamp: formulas, roll-ups, scores. What the vendor sets
// once, or together with the stamp, is none.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
func isDerived(f *crm.Field) bool {
	if f == nil || !f.Calculated {
		return false
	}
	switch f.Name {
	case "Id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp", "IsDeleted", "IsConverted", "MasterRecordId",
		"hs_object_id", "createdate", "hs_createdate", "lastmodifieddate", "hs_lastmodifieddate":
		return false
	}
	return true
}

// calculated hashes what the vendor calculates of a record; 0 where nothing of it
// is mapped.
func (l *lens) calculated(o *mapping.BoundObject, r *crm.Record) uint64 {
	if len(l.derived) == 0 {
		return 0
	}
	print := reconcile.Fingerprint(o, l.side, l.object, r)
	h := newHasher().number(l.version)
	for _, slot := range l.derived {
		h = h.number(print[slot])
	}
	return h.sum()
}

// calculated compares the fields that the vendor calculates with those that were
// seen last, by a read of nothing but them: their changes move no stamp. It is
// made in every cycle where it costs no more than callsPerCycle, else as seldom
// as keeps its cost below that on the average.
func (s *sweeper) calculated(ctx context.Context) error {
	l, name := s.lens, s.o.Name
	if len(l.derived) == 0 {
		return nil
	}
	st, side := s.e.store, s.e.sides[l.side]
	sweep, err := st.Sweep(ctx, name, l.side, l.object, store.SweepCalculated)
	if err != nil {
		return err
	}
	rows := sweep.Rows
	if rows == 0 {
		if rows, err = st.CountLinks(ctx, name); err != nil {
			return err
		}
	}
	sweep.Waited++
	if sweep.Waited*callsPerCycle < side.Forecast(crm.Work{Object: l.object, Read: max(rows, 1)}) {
		return st.Write(ctx, func(t *store.Tx) error { return t.PutSweep(name, l.side, l.object, store.SweepCalculated, sweep) })
	}
	report, err := side.Read(ctx, l.narrow, func(page []crm.Record) error {
		for batch := range slices.Chunk(page, observeBatch) {
			if err := s.compareCalculated(ctx, batch); err != nil {
				return err
			}
		}
		return nil
	})
	s.reading.Calls += report.Calls
	s.reading.Swept += report.Rows
	if err != nil {
		return err
	}
	return st.Write(ctx, func(t *store.Tx) error {
		return t.PutSweep(name, l.side, l.object, store.SweepCalculated, store.Sweep{Rows: report.Rows})
	})
}

func (s *sweeper) compareCalculated(ctx context.Context, batch []crm.Record) error {
	l, st := s.lens, s.e.store
	ids := make([]string, len(batch))
	for i := range batch {
		ids[i] = batch[i].ID
	}
	links, err := st.Links(ctx, s.o.Name, l.side, ids)
	if err != nil {
		return err
	}
	outcomes, err := st.Outcomes(ctx, s.o.Name, l.side, ids)
	if err != nil {
		return err
	}
	var adopted []store.Link
	var differs []string
	for i := range batch {
		r := &batch[i]
		now := l.calculated(s.o, r)
		link, linked := links[r.ID]
		seen, gone, base := &link.CalculatedHubSpot, link.HubSpotGone, link.Base.HubSpot
		if l.side == crm.Salesforce {
			seen, gone, base = &link.CalculatedSalesforce, link.SalesforceGone, link.Base.Salesforce
		}
		switch known, isKnown := outcomes[r.ID]; {
		case linked && (gone || *seen == now):
		case linked && *seen == 0 && link.Outcome == crm.Unchanged && link.Base.Version == s.o.BaseVersion && sameIn(l.derived, base, reconcile.Fingerprint(s.o, l.side, l.object, r)):
			*seen = now
			adopted = append(adopted, link)
		case linked || isKnown && !known.Linked && known.Calculated != now:
			differs = append(differs, r.ID)
		}
	}
	changes, err := s.due(ctx, differs)
	if err != nil || len(adopted)+len(changes) == 0 {
		return err
	}
	return st.Write(ctx, func(t *store.Tx) error {
		if err := t.PutLinks(adopted); err != nil {
			return err
		}
		return t.PutChanges(changes)
	})
}
