package main

import (
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// What the program claims beforehand, or makes of two records that people made, the
// oracle holds it to: a sealed plan is all that an apply may do, two records that were
// found become a pair only where nothing else could be meant, and what people deleted
// stays away.

// sealed notes what a sealed plan says that it will do.
func (x *oracle) sealed(plan *engine.SealedPlan) { x.seal = plan }

// asSealed wants a write to be one of the plan that is applied.
func (x *oracle) asSealed(w written) {
	if x.seal == nil || w.r.versions[w.n].cycle != x.w.ledger.cycle {
		return
	}
	r, v := w.r, &w.r.versions[w.n]
	if w.n == 0 {
		if !slices.ContainsFunc(x.seal.Items, func(it engine.SealedItem) bool { return sealsCreate(it, r) }) {
			x.violate("seal", "%s %s was created, and the sealed plan does not make it", r.object, r.id)
		}
		return
	}
	was := &r.versions[w.n-1]
	if was.live && !v.live {
		if !x.seals(r, func(write *engine.ItemWrite) bool { return write.Op == crm.Archive }) {
			x.violate("seal", "%s %s was deleted, and the sealed plan does not delete it", r.object, r.id)
		}
		return
	}
	for column, name := range r.o.looked[r.side] {
		if was.values[column] == v.values[column] || name == moreEmails {
			continue
		}
		relation := r.o.isReference(name) && r.side == crm.HubSpot
		if !x.seals(r, func(write *engine.ItemWrite) bool {
			return relation && write.Relation != nil || slices.ContainsFunc(write.Changes, func(c engine.ItemChange) bool {
				if c.Field != name {
					return false
				}
				after := ""
				if c.After != nil {
					after = *c.After
				}
				f := r.o.writes(r.side, name)
				return c.Reference != nil || after == v.values[column] || f != nil && f.canon(r.side, after) == f.canon(r.side, v.values[column])
			})
		}) {
			x.violate("seal", "%s of %s %s was changed from %q to %q, and the sealed plan does not say so", name, r.object, r.id, was.values[column], v.values[column])
		}
	}
}

// seals tells whether the sealed plan has a write to a record that does.
func (x *oracle) seals(r *record, does func(*engine.ItemWrite) bool) bool {
	return slices.ContainsFunc(x.seal.Items, func(it engine.SealedItem) bool {
		return slices.ContainsFunc(it.Writes, func(w engine.ItemWrite) bool {
			return w.Side == r.side && (w.ID == r.id || w.ID == "" && sealsCreate(it, r)) && does(&w)
		})
	})
}

// sealsCreate tells whether an item of a sealed plan makes a record: its values say
// which.
func sealsCreate(it engine.SealedItem, r *record) bool {
	return slices.ContainsFunc(it.Writes, func(w engine.ItemWrite) bool {
		if w.Side != r.side || w.Op != crm.Create || w.Object != r.object {
			return false
		}
		for column, name := range r.o.looked[r.side] {
			f := r.o.writes(r.side, name)
			if f == nil {
				continue
			}
			after := ""
			if i := slices.IndexFunc(w.Changes, func(c engine.ItemChange) bool { return c.Field == name }); i >= 0 && w.Changes[i].After != nil {
				after = *w.Changes[i].After
			}
			if got := r.first().values[column]; after != got && f.canon(r.side, after) != f.canon(r.side, got) && !(after == "" && got == "false") {
				return false
			}
		}
		return true
	})
}

// matched judges two records that the program made a pair of in this cycle, and that
// people had made: each has to be the only one that the other could be meant by.
func (x *oracle) matched(p *pair) {
	if !p.fresh || p.hub.first().by == program || p.sf.first().by == program || x.saidToLink(p) || len(x.former(p)) > 0 || p.hub.once != nil || p.sf.once != nil || x.cameByMerge(p) {
		return
	}
	o, moment := p.o, x.decidedBy(&version{seq: x.w.ledger.seq + 1, cycle: x.w.ledger.cycle})
	if o.external && p.sf.first().values[o.place[crm.Salesforce][externalField]] == p.hub.id {
		return
	}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		mine, partner := p.on(side), p.on(side.Other())
		for _, r := range x.w.ledger.order {
			if r == mine || r.o != o || r.side != side || !x.freeAllAlong(r) {
				continue
			}
			values, v, ok := r.known(moment)
			theirs, tv, ok2 := partner.known(moment)
			if !ok || !ok2 || !v.live || !tv.live || r.last() != v || partner.last() != tv {
				continue // it is not what the program knew
			}
			if share(o.keys(side, values), o.keys(partner.side, theirs)) {
				x.violate("match", "%s: HubSpot %s and Salesforce %s were linked, and %s %s could be meant as well", o.name, p.hub.id, p.sf.id, r.object, r.id)
			}
		}
	}
}

// cameByMerge tells whether a pair is one that a merge made of another, though what
// was merged may have been restored since.
func (x *oracle) cameByMerge(p *pair) bool {
	return slices.ContainsFunc(x.pairs, func(q *pair) bool {
		return q.hub == p.hub && q.sf.once == p.sf || q.sf == p.sf && q.hub.once == p.hub
	})
}

// freeAllAlong tells whether a record was linked with nothing before this cycle, and
// is not now.
func (x *oracle) freeAllAlong(r *record) bool {
	return r.live() && !r.converted && r.once == nil && !x.isLeftOver(r) &&
		!slices.ContainsFunc(x.pairs, func(p *pair) bool { return p.on(r.side) == r && (p.stands || p.stood) })
}

// saidToLink tells whether a person said that the two are one.
func (x *oracle) saidToLink(p *pair) bool {
	return slices.ContainsFunc(x.told, func(ids [2]string) bool { return slices.Contains(ids[:], p.hub.id) && slices.Contains(ids[:], p.sf.id) })
}

// afterDeletion wants that what somebody deleted is not made again for the partner
// that it had and that was there all the time.
func (x *oracle) afterDeletion(p *pair, r, source *record, v *version) {
	for _, q := range x.pairs {
		twin := q.on(r.side)
		at := twin.versionAt(v.seq - 1)
		if q == p || q.on(source.side) != source || q.cycle > v.cycle || source.once != nil || twin.once != nil || twin.converted || at < 1 || twin.versions[at].live {
			continue
		}
		for !twin.versions[at-1].live {
			at--
		}
		deleted := twin.versions[at].seq
		n := source.versionAt(deleted)
		gap := n < 0 || !source.versions[n].live || slices.ContainsFunc(source.versions, func(w version) bool { return w.seq > deleted && w.seq < v.seq && !w.live })
		if twin.versions[at].by == people && !gap {
			x.violate("delete", "%s %s was created for %s, whose partner %s somebody had deleted", r.object, r.id, source.id, twin.id)
		}
	}
}
