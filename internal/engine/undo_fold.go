package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// undoer makes the plan of an undo.
type undoer struct {
	e    *Engine
	c    *cycle
	of   *Run
	only only
	// found: something of the run is meant by only.
	found    bool
	unmapped int
	// leaving are records that this undo archives, by thingKey.
	leaving map[uint64]bool
	// last is when the run wrote its last.
	last time.Time
	// attempts are later runs, and whether they were to undo the same run.
	attempts map[int64]bool
}

// undoKey points at one entry of the journal: sixteen bytes for each write of
// the run, so that its things can be gone through in portions.
type undoKey struct {
	thing uint64
	seq   int64
}

// undoThing is one thing and what the run wrote to its records.
type undoThing struct {
	link    *store.Link
	records map[crm.Ref]*touched
	// partner is the other record as the journal remembers it, where there is no
	// link any more.
	partner crm.Ref
	live    map[crm.Side]*crm.Record
}

// touched is what the run did to one record, added up.
type touched struct {
	ref crm.Ref
	// born: the run made it, or brought it back. archived: it archived it.
	born, archived bool
	// restored: it was brought back, not made.
	restored  bool
	bornAt    time.Time
	fields    []*undoField
	relations []*undoRelation
}

// undoField is one field: what it held before the run and after it.
type undoField struct {
	name          string
	before, after crm.Value
}

// undoRelation is one association. was tells whether it was there before.
type undoRelation struct {
	relation crm.Relation
	was      bool
	// relabelled: it stayed, and got other labels.
	relabelled bool
}

// mayHaveHappened leaves out what certainly changed nothing.
func mayHaveHappened(row *store.Entry) bool {
	return row.Ref.ID != "" && !strings.HasPrefix(row.Result, store.ResultRefused)
}

func (u *undoer) plan(ctx context.Context) error {
	if err := u.e.store.Write(ctx, func(t *store.Tx) error { return t.ClearPlan() }); err != nil {
		return err
	}
	keys, err := u.collect(ctx)
	if err != nil {
		return err
	}
	// Backwards, so that what hangs on a record is known to leave before it.
	for i := len(u.e.mapping.Objects) - 1; i >= 0; i-- {
		o := u.e.mapping.Objects[i]
		list := keys[o.Name]
		m := u.e.meter(StepDecide, "", o.Name, -1)
		for len(list) > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, things := 0, 0
			for n < len(list) {
				if n == 0 || list[n].thing != list[n-1].thing {
					if things++; things > decideBatch {
						break
					}
				}
				n++
			}
			if err := u.batch(ctx, o, list[:n]); err != nil {
				return err
			}
			m.add(min(things, decideBatch))
			list = list[n:]
		}
		m.end()
	}
	return nil
}

// collect finds the entries of the run that are meant, sorted by thing.
func (u *undoer) collect(ctx context.Context) (map[string][]undoKey, error) {
	keys := map[string][]undoKey{}
	for after := int64(0); ; {
		page, err := u.e.store.JournalOfRun(ctx, u.of.ID, after, journalPage)
		if err != nil {
			return nil, err
		}
		if len(page) > 0 {
			after = page[len(page)-1].Seq
			u.last = page[len(page)-1].Time
		}
		links, err := u.linksOf(ctx, page)
		if err != nil {
			return nil, err
		}
		for i := range page {
			row := &page[i]
			if !mayHaveHappened(row) {
				continue
			}
			body, err := decodeEntry(row.Changes)
			if err != nil {
				return nil, err
			}
			name, partner := thingOf(row, body.pair, links)
			if !u.only.takes(row.Mapping, row.Ref, partner) {
				continue
			}
			u.found = true
			if u.e.mapping.Object(row.Mapping) == nil {
				u.unmapped++
				continue
			}
			keys[row.Mapping] = append(keys[row.Mapping], undoKey{thingKey(name.Side, name.ID), row.Seq})
		}
		if len(page) < journalPage {
			break
		}
	}
	for _, list := range keys {
		slices.SortFunc(list, func(a, b undoKey) int {
			switch {
			case a.thing != b.thing && a.thing < b.thing:
				return -1
			case a.thing != b.thing:
				return 1
			}
			return int(min(1, max(-1, a.seq-b.seq)))
		})
	}
	return keys, nil
}

type recordKey struct {
	mapping string
	side    crm.Side
	id      string
}

// linksOf finds the links of written records, by record.
func (u *undoer) linksOf(ctx context.Context, page []store.Entry) (map[recordKey]store.Link, error) {
	type group struct {
		mapping string
		side    crm.Side
	}
	ids := map[group][]string{}
	for i := range page {
		g := group{page[i].Mapping, page[i].Ref.Side}
		ids[g] = append(ids[g], page[i].Ref.ID)
	}
	links := map[recordKey]store.Link{}
	for g, list := range ids {
		found, err := u.e.store.Links(ctx, g.mapping, g.side, list)
		if err != nil {
			return nil, err
		}
		for id, l := range found {
			links[recordKey{g.mapping, g.side, id}] = l
		}
	}
	return links, nil
}

// thingOf names the thing that a written record belongs to now: the HubSpot
// record of its pair, as linked or as the journal remembers it, else itself.
func thingOf(row *store.Entry, pair crm.Ref, links map[recordKey]store.Link) (name, partner crm.Ref) {
	if l, ok := links[recordKey{row.Mapping, row.Ref.Side, row.Ref.ID}]; ok {
		hubspot := crm.Ref{Side: crm.HubSpot, ID: l.HubSpotID}
		if row.Ref.Side == crm.HubSpot {
			return hubspot, crm.Ref{Side: crm.Salesforce, Object: l.SalesforceObject, ID: l.SalesforceID}
		}
		return hubspot, hubspot
	}
	if row.Ref.Side == crm.Salesforce && pair.ID != "" {
		return pair, pair
	}
	return row.Ref, pair
}

// batch decides some things of one object and puts them into the plan.
func (u *undoer) batch(ctx context.Context, o *mapping.BoundObject, keys []undoKey) error {
	things, err := u.things(ctx, keys)
	if err != nil {
		return err
	}
	if err := u.read(ctx, o, things); err != nil {
		return err
	}
	wanted := wishes{}
	for _, t := range things {
		s := t.snapshot()
		wanted.of(u.e, o, &s)
	}
	k, err := u.e.learn(ctx, wanted)
	if err != nil {
		return err
	}
	decisions := make([]*decided, 0, len(things))
	for _, t := range things {
		d, err := u.decide(ctx, o, t, k)
		if err != nil {
			return err
		}
		decisions = append(decisions, d)
	}
	if err := u.keepParents(ctx, o, decisions); err != nil {
		return err
	}
	rows := make([]store.PlanRow, 0, len(decisions))
	l := u.c.ledger(o.Name)
	for _, d := range decisions {
		for _, w := range d.Writes {
			if w.Op == crm.Archive {
				u.leaving[thingKey(w.Side, w.ID)] = true
			}
		}
		row := rowOf(d)
		rows = append(rows, row)
		u.c.plans(d)
		l.sawAll([]uint64{thingKey(row.Side, row.ID)})
		l.settle(thingKey(row.Side, row.ID), row.Outcome)
	}
	return u.e.store.Write(ctx, func(t *store.Tx) error { return t.PutPlan(rows) })
}

// things folds the entries of each thing, in their order.
func (u *undoer) things(ctx context.Context, keys []undoKey) ([]*undoThing, error) {
	seqs := make([]int64, len(keys))
	thing := make(map[int64]uint64, len(keys))
	for i, k := range keys {
		seqs[i], thing[k.seq] = k.seq, k.thing
	}
	rows, err := u.e.store.JournalBySeq(ctx, seqs)
	if err != nil {
		return nil, err
	}
	links, err := u.linksOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	byKey := map[uint64]*undoThing{}
	var things []*undoThing
	for i := range rows {
		row := &rows[i]
		body, err := decodeEntry(row.Changes)
		if err != nil {
			return nil, err
		}
		key := thing[row.Seq]
		t := byKey[key]
		if t == nil {
			t = &undoThing{records: map[crm.Ref]*touched{}, live: map[crm.Side]*crm.Record{}}
			byKey[key] = t
			things = append(things, t)
		}
		if l, ok := links[recordKey{row.Mapping, row.Ref.Side, row.Ref.ID}]; ok {
			t.link = &l
		}
		if body.pair.ID != "" {
			t.partner = body.pair
		}
		record := t.records[row.Ref]
		if record == nil {
			record = &touched{ref: row.Ref}
			t.records[row.Ref] = record
		}
		record.add(row, body)
	}
	return things, nil
}

// add takes one more entry: a field written twice goes back to its first before.
func (t *touched) add(row *store.Entry, body entryBody) {
	switch row.Op {
	case crm.Create, crm.Restore:
		if t.archived {
			t.archived = false // it was there before, and is again
			return
		}
		t.born, t.restored, t.bornAt = true, row.Op == crm.Restore, row.Time
	case crm.Archive:
		if t.born {
			t.born = false // it was not there before, and is not again
			return
		}
		t.archived = true
	case crm.Update:
		for _, c := range body.changes {
			i := slices.IndexFunc(t.fields, func(f *undoField) bool { return f.name == c.Field })
			if i < 0 {
				t.fields = append(t.fields, &undoField{name: c.Field, before: c.Before})
				i = len(t.fields) - 1
			}
			t.fields[i].after = c.After
		}
	case crm.Relate, crm.Unrelate:
		if body.relation == nil {
			return // an entry of an older Lockstep, which did not say which
		}
		r := *body.relation
		i := slices.IndexFunc(t.relations, func(x *undoRelation) bool {
			return x.relation.Object == r.Object && x.relation.ID == r.ID && x.relation.Junction == r.Junction
		})
		if i < 0 {
			t.relations = append(t.relations, &undoRelation{relation: r, was: row.Op == crm.Unrelate || body.relabel, relabelled: body.relabel})
		}
	}
}

// read brings both records of every thing as they are now.
func (u *undoer) read(ctx context.Context, o *mapping.BoundObject, things []*undoThing) error {
	ids := map[crm.Side]map[string][]string{crm.HubSpot: {}, crm.Salesforce: {}}
	for _, t := range things {
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			if ref := t.ref(o, side); ref.ID != "" {
				ids[side][ref.Object] = append(ids[side][ref.Object], ref.ID)
			}
		}
	}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		objects := ids[side]
		records := map[string]*crm.Record{}
		if err := u.e.lookup(ctx, o, side, objects, records); err != nil {
			return err
		}
		for _, t := range things {
			t.live[side] = records[t.ref(o, side).ID]
		}
	}
	return nil
}

// ref is the thing's record on a side: as linked, else as written to, else as
// the journal remembers the partner.
func (t *undoThing) ref(o *mapping.BoundObject, side crm.Side) crm.Ref {
	if t.link != nil {
		if side == crm.HubSpot {
			return crm.Ref{Side: side, Object: o.HubSpot, ID: t.link.HubSpotID}
		}
		return crm.Ref{Side: side, Object: t.link.SalesforceObject, ID: t.link.SalesforceID}
	}
	var best crm.Ref
	for ref := range t.records {
		// Of several (a merge moved the link meanwhile) the same one every time.
		if ref.Side == side && ref.ID > best.ID {
			best = ref
		}
	}
	if best.ID == "" && t.partner.Side == side {
		best = t.partner
	}
	return best
}
