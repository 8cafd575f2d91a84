package main

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// converged wants both sides to agree as far as the rules go. After changes
// alone it looks at edits of pairs; after a complete cycle at everything.
func (x *oracle) converged(what string) {
	for _, p := range x.pairs {
		if !p.stands {
			continue
		}
		if p.hub.live() && p.sf.live() {
			x.agree(p, what)
		} else if what == "all" {
			x.halfGone(p)
		}
	}
	if what != "all" {
		return
	}
	for _, r := range x.w.ledger.order {
		if r.live() && x.standing(r) == nil {
			x.alone(r)
		}
	}
}

// standing is the pair that a record is in now.
func (x *oracle) standing(r *record) *pair {
	if p := x.pairOf(r); p != nil && p.stands {
		return p
	}
	return nil
}

// agree wants the fields of a pair to agree, or a reason that is due.
func (x *oracle) agree(p *pair, what string) {
	hub, sf := p.hub.last().values, p.sf.last().values
	if !p.o.passes(crm.HubSpot, hub) || !p.o.passes(crm.Salesforce, sf) {
		if p.outcome != crm.Excluded {
			x.violate("outcome", "%s %s and %s are left out by the filter, and the outcome is %s %s", p.o.name, p.hub.id, p.sf.id, p.outcome, p.code)
		}
		return
	}
	if what == "all" {
		x.belong(p)
		x.named(p)
	}
	var apart []*field
	blocked := x.refusal(p)
	for _, f := range p.o.fields {
		h, s := p.o.value(f, crm.HubSpot, hub), p.o.value(f, crm.Salesforce, sf)
		if f.from == "" && f.same(h, s) {
			continue
		}
		filled := x.filledIn(p, f)
		resting := filled
		for _, b := range p.bases[f] {
			moves := f.due(b, h, s, x.stamps(p, f, p.hub.last(), p.sf.last()))
			resting = resting || f.rests(b, h, s, x.stamps(p, f, p.hub.last(), p.sf.last()))
			for _, to := range []crm.Side{crm.HubSpot, crm.Salesforce} {
				if moves&towards(to) == 0 && !filled || f.from != "" {
					continue // what counts as filled in does not stand against the other side's change
				}
				from := h
				if to == crm.HubSpot {
					from = s
				}
				if _, fate := f.carry(to, from); fate == held {
					blocked = true
				}
			}
			if moves&hold != 0 {
				blocked = true
			}
		}
		if !resting {
			apart = append(apart, f)
		}
	}
	waits := p.outcome == crm.Held || p.outcome == crm.Failed
	switch {
	case blocked && waits:
	case len(apart) > 0:
		for _, f := range apart {
			x.violate("apart", "%s: %s of HubSpot %s is %q, %s of Salesforce %s is %q; outcome %s %s, last settled %+v, direction %s, wins %s", p.o.name, f.hub, p.hub.id, p.o.value(f, crm.HubSpot, hub),
				f.sf, p.sf.id, p.o.value(f, crm.Salesforce, sf), p.outcome, p.code, p.bases[f], f.direction, f.wins)
		}
	case waits && !blocked:
		x.violate("outcome", "%s %s and %s agree, and the outcome is %s %s", p.o.name, p.hub.id, p.sf.id, p.outcome, p.code)
	}
}

// named wants the Salesforce record of a pair to say by its external id whose it is,
// where the program did not make HubSpot's record later. Merges leave what is there.
func (x *oracle) named(p *pair) {
	if !p.o.external || p.outcome == crm.Held || p.outcome == crm.Failed || p.hub.first().by == program || x.refusal(p) || len(x.former(p)) > 0 || len(x.w.ledger.took(p.hub))+len(x.w.ledger.took(p.sf)) > 0 {
		return
	}
	if id := p.sf.last().values[p.o.place[crm.Salesforce][externalField]]; !x.isOrTook(p.hub, id) {
		x.violate("external id", "%s: Salesforce %s is linked with HubSpot %s, and its external id is %q; outcome %s %s", p.o.name, p.sf.id, p.hub.id, id, p.outcome, p.code)
	}
}

// settles is how long after a create the program takes what appears in the new
// record for the vendor's own doing, which it leaves as it finds it.
const settles = 10_000

// filledIn tells whether a field of a record that the program made was last
// changed so soon after that it counts as filled in by the vendor.
func (x *oracle) filledIn(p *pair, f *field) bool {
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		if name := f.name(side); name != "" && x.filled(p.on(side), p.o.place[side][name], x.w.ledger.seq) {
			return true
		}
	}
	return false
}

// filled is filledIn of a record or of one that it took in.
func (x *oracle) filled(r *record, column, seq int) bool {
	if r.filledIn(column, seq) {
		return true
	}
	at := r.versionAt(seq)
	return at >= 0 && slices.ContainsFunc(x.w.ledger.took(r), func(q *record) bool {
		return q.last().values[column] == r.versions[at].values[column] && q.filledIn(column, seq) ||
			q.first().by == program && r.first().stamp-q.first().stamp <= settles && r.setAt(column, &r.versions[at]) == r.first().stamp
	})
}

// filledIn tells whether what a record that the program made holds in a column
// at seq was put there so soon after that it counts as the vendor's doing.
func (r *record) filledIn(column, seq int) bool {
	for i := r.versionAt(seq); i > 0 && r.first().by == program; i-- {
		if r.versions[i].values[column] != r.versions[i-1].values[column] {
			return r.versions[i].by == people && r.versions[i].stamp-r.first().stamp <= settles
		}
	}
	return false
}

// knows tells whether the oracle, too, finds that a pair differs, by leave of
// filledIn.
func (x *oracle) knows(f engine.Finding) bool {
	if f.HubSpot == nil || f.Salesforce == nil {
		return false
	}
	p := x.byHub[f.HubSpot.Object+f.HubSpot.ID]
	return p != nil && (x.knowsReference(p) || slices.ContainsFunc(p.o.fields, func(f *field) bool { return x.filledIn(p, f) }))
}

// verified wants that verify finds every pair that differs.
func (x *oracle) verified(found map[[2]string]bool) {
	for _, p := range x.pairs {
		if !p.stands || !p.hub.live() || !p.sf.live() || found[[2]string{p.hub.id, p.sf.id}] ||
			!p.o.passes(crm.HubSpot, p.hub.last().values) || !p.o.passes(crm.Salesforce, p.sf.last().values) {
			continue
		}
		for _, f := range p.o.fields {
			h, s := p.o.value(f, crm.HubSpot, p.hub.last().values), p.o.value(f, crm.Salesforce, p.sf.last().values)
			_, toSF := f.carry(crm.Salesforce, h)
			_, toHub := f.carry(crm.HubSpot, s)
			if f.from == "" && f.direction == bothWays && !f.same(h, s) && toSF != skipped && toHub != skipped && !x.filledIn(p, f) {
				x.violate("verify", "verify says that %s HubSpot %s and Salesforce %s are in step; %s is %q and %s is %q", p.o.name, p.hub.id, p.sf.id, f.hub, h, f.sf, s)
			}
		}
	}
}

// refusal tells whether HubSpot has to refuse what a pair would write, because
// another contact holds the e-mail address, as its first or as a further one; or
// Salesforce, because a record that people restored holds the external id.
func (x *oracle) refusal(p *pair) bool {
	if p.o.external && slices.ContainsFunc(x.w.ledger.order, func(r *record) bool {
		return r != p.sf && r.object == p.sf.object && r.side == crm.Salesforce && (r.live() || r.converted) && r.last().values[p.o.place[r.side][externalField]] == p.hub.id
	}) {
		return true
	}
	if p.o.key.kind != email {
		return false
	}
	keys := p.o.keys(crm.Salesforce, p.sf.last().values)
	return slices.ContainsFunc(x.w.ledger.order, func(r *record) bool {
		return r != p.hub && r.o == p.o && r.side == crm.HubSpot && r.live() && share(keys, p.o.keys(crm.HubSpot, r.last().values))
	})
}

// failing tells whether all that does not come to rest is something that a
// vendor has to refuse.
func (x *oracle) failing() bool {
	for _, p := range x.pairs {
		if p.stands && p.outcome == crm.Failed && !x.refusal(p) {
			return false
		}
	}
	for k, c := range x.outcomes {
		if c.Outcome == crm.Pending || c.Outcome == crm.Failed && !c.Linked {
			_ = k
			return false
		}
	}
	return true
}

// refused tells whether something is left that a vendor refuses, which the
// program tries again.
func (x *oracle) refused() bool {
	for _, c := range x.outcomes {
		if c.Outcome == crm.Failed {
			return true
		}
	}
	return false
}

// halfGone wants a pair of which a record is deleted to follow the policy.
func (x *oracle) halfGone(p *pair) {
	if became := p.sf.survivor(); p.sf.converted && (!became.live() || became.restored(x.w.ledger.seq)) {
		return // the Lead stays, and says no more what it became
	}
	if !p.hub.live() && !p.sf.live() {
		x.violate("outcome", "%s %s and %s are both deleted, and still linked", p.o.name, p.hub.id, p.sf.id)
		return
	}
	for _, r := range []*record{p.hub, p.sf} {
		if r.survivor().live() && r.into != nil {
			x.violate("merge", "%s: %s %s was merged into %s, and the link still names it", p.o.name, r.object, r.id, r.survivor().id)
			return
		}
	}
	want := map[string]crm.Outcome{"ignore": crm.Excluded, "ask": crm.Held}[p.o.deletes]
	switch {
	case p.code == "held.would-cascade" && p.sf.live() && x.mayHangOn(p.sf):
		// Contacts hang on the Account, which Salesforce would delete with it.
	case p.o.deletes == "archive":
		x.violate("delete", "%s: HubSpot %s live %v, Salesforce %s live %v, and deletes says archive; outcome %s %s", p.o.name, p.hub.id, p.hub.live(), p.sf.id, p.sf.live(), p.outcome, p.code)
	case p.outcome != want:
		x.violate("outcome", "%s: one of HubSpot %s and Salesforce %s is deleted, deletes says %s, and the outcome is %s %s", p.o.name, p.hub.id, p.sf.id, p.o.deletes, p.outcome, p.code)
	}
}

// mayHangOn tells whether people may hang on a record, who would go with it: on an
// Account. Whom conversions put there nobody watches.
func (x *oracle) mayHangOn(account *record) bool {
	objects := x.w.story.family.objects
	o := objects[len(objects)-1]
	return account.object == "Account" && slices.ContainsFunc(x.w.ledger.order, func(r *record) bool {
		return o.leads && r.converted || o.belongs && r.o == o && r.side == crm.Salesforce && r.live() && o.company(r.side, r.last().values) == account.id
	})
}

// alone wants a reason for a record that is linked with nothing.
func (x *oracle) alone(r *record) {
	o, values := r.o, r.last().values
	c, told := x.outcomes[r.key]
	if !told || c.Reason.Code == "" {
		x.violate("outcome", "%s %s is linked with nothing and has no outcome", r.object, r.id)
		return
	}
	if !strings.HasPrefix(c.Reason.Code, string(c.Outcome)+".") {
		x.violate("outcome", "%s %s: outcome %s with reason %s", r.object, r.id, c.Outcome, c.Reason.Code)
	}
	if r.first().by == program && len(r.versions) == 1 && !x.isLeftOver(r) && !x.partnerMerged(r) {
		x.violate("duplicate", "%s %s was created by the program and is linked with nothing: %s", r.object, r.id, c.Reason.Code)
	}
	other := r.side.Other()
	if c.Outcome == crm.Held && (x.isLeftOver(r) || x.waitsStill(r)) {
		return // it waits to be merged as well, whatever the filter says
	}
	if !o.passes(r.side, values) {
		if c.Outcome != crm.Excluded {
			x.violate("outcome", "%s %s is left out by the filter, and the outcome is %s", r.object, r.id, c.Reason.Code)
		}
		return
	}
	if x.isLeftOver(r) {
		if c.Outcome != crm.Held && c.Outcome != crm.Excluded {
			x.violate("outcome", "%s %s was linked with a record that was merged, and the outcome is %s", r.object, r.id, c.Reason.Code)
		}
		return
	}
	keys := o.keys(r.side, values)
	var candidates []*record
	rivals := 0
	for _, c := range x.w.ledger.order {
		if c.o != o || !c.live() || c == r || !share(keys, o.keys(c.side, c.last().values)) {
			continue
		}
		switch {
		case c.side == other:
			candidates = append(candidates, c)
		case x.standing(c) == nil:
			rivals++
		}
	}
	if len(candidates) == 0 {
		if o.creates(other) && !x.cannotCreate(r) {
			x.violate("missing", "%s %s should have been created in %s: %s", r.object, r.id, other.Title(), c.Reason.Code)
		}
		return
	}
	match := candidates[0]
	for _, c := range x.w.ledger.order {
		if c != r && c.o == o && c.side == r.side && c.live() && x.standing(c) == nil && share(o.keys(c.side, c.last().values), o.keys(other, match.last().values)) {
			rivals++ // by another address of the match
		}
	}
	filtered := len(candidates) == 1 && rivals == 0 && x.standing(match) == nil && !o.passes(other, match.last().values)
	if c.Outcome == crm.Excluded && !filtered {
		x.violate("outcome", "%s %s can be linked by nobody but a person, and the outcome is %s", r.object, r.id, c.Reason.Code)
	}
	if len(candidates) > 1 || rivals > 0 || x.standing(match) != nil || x.isLeftOver(match) || x.waitsStill(match) || !o.passes(other, match.last().values) || x.cannotLink(r, match) {
		return
	}
	x.violate("missing", "%s %s should have been linked with %s %s: %s %s", r.object, r.id, match.object, match.id, c.Reason.Code, c.Reason.Text)
}

// isLeftOver tells whether a record was linked with one that was merged into
// another, whose own partner stands: it waits to be merged as well.
func (x *oracle) isLeftOver(r *record) bool { return x.isLeftOverOf(r, nil) }

func (x *oracle) isLeftOverOf(r *record, of []*record) bool {
	if slices.Contains(of, r) {
		return false
	}
	if x.madeForMerged(r) {
		return true
	}
	of = append(of, r)
	return slices.ContainsFunc(x.pairs, func(p *pair) bool {
		partner := p.on(r.side.Other())
		survivor := partner.survivor()
		if partner.into == nil && partner.once != nil {
			survivor = partner.once.survivor() // it was restored, and is a thing of its own
		}
		return p.on(r.side).survivor() == r && survivor != partner && (x.standing(survivor) != nil || x.isLeftOverOf(survivor, of))
	})
}

// madeForMerged tells whether the program made a record, and what it was made for
// went into one that stands before there was a link: the answer was lost.
func (x *oracle) madeForMerged(r *record) bool {
	return r.first().by == program && slices.ContainsFunc(x.w.ledger.order, func(q *record) bool {
		return q.o == r.o && q.side != r.side && q.into != nil && q.first().seq < r.first().seq && x.standsFor(r, q) &&
			x.standing(q.survivor()) != nil && x.standing(q.survivor()).on(r.side) != r
	})
}

// partnerMerged tells whether the record that r was linked with was merged into
// another one: r is left over of that, whatever became of the survivor.
func (x *oracle) partnerMerged(r *record) bool {
	return slices.ContainsFunc(x.pairs, func(p *pair) bool { return p.on(r.side) == r && p.on(r.side.Other()).into != nil })
}

// waitsStill tells whether a record was left over of a merge whose survivor is
// deleted, while the survivor's partner lives on with another record: it may
// still be merged into that.
func (x *oracle) waitsStill(r *record) bool {
	from := r.side.Other()
	return slices.ContainsFunc(x.pairs, func(p *pair) bool {
		survivor := p.on(from).survivor()
		return p.on(r.side).survivor() == r && survivor != p.on(from) && !survivor.live() && slices.ContainsFunc(x.pairs, func(q *pair) bool {
			partner := q.on(r.side).survivor()
			return q.on(from).survivor() == survivor && partner != r && x.standing(partner) != nil
		})
	})
}

// cannotCreate tells whether a value keeps a record from being created.
func (x *oracle) cannotCreate(r *record) bool {
	to := r.side.Other()
	if r.o.external && r.side == crm.Salesforce { // it says whose it is, and that one has another partner
		id := r.last().values[r.o.place[r.side][externalField]]
		if named := x.w.ledger.records[key{to, r.o.hub, id}]; named != nil && named.survivor().live() && (x.standing(named.survivor()) != nil || x.isLeftOver(named.survivor())) {
			return true
		}
	}
	filled := false
	for _, f := range r.o.fields {
		if !f.flows(to) || f.from != "" {
			continue
		}
		v, fate := f.carry(to, r.o.value(f, r.side, r.last().values))
		if fate == held {
			return true
		}
		filled = filled || v != ""
	}
	if to == crm.Salesforce {
		return r.o.writes(to, map[string]string{"contacts": "LastName", "companies": "Name"}[r.object]) == nil
	}
	any := map[string][]string{"Contact": {"email", "firstname", "lastname"}, "Lead": {"email", "firstname", "lastname"}, "Account": {"name", "domain"}}[r.object]
	for _, name := range any {
		if f := r.o.writes(to, name); f != nil {
			if v, _ := f.carry(to, r.o.value(f, r.side, r.last().values)); v != "" {
				return false
			}
		}
	}
	return true
}

// cannotLink tells whether a value, or the external id, keeps two records from
// being linked.
func (x *oracle) cannotLink(a, b *record) bool {
	hub, sf := a, b
	if a.side == crm.Salesforce {
		hub, sf = b, a
	}
	o := a.o
	if o.external {
		if id := sf.last().values[o.place[crm.Salesforce][externalField]]; id != "" && id != hub.id {
			return true
		}
	}
	for _, f := range o.fields {
		if f.from != "" {
			continue
		}
		h, s := o.value(f, crm.HubSpot, hub.last().values), o.value(f, crm.Salesforce, sf.last().values)
		moves := f.due(base{first: true}, h, s, o.stamps(f, hub, sf, hub.last(), sf.last(), x.w.ledger.took(hub)))
		if moves&hold != 0 {
			return true
		}
		if moves&toSF != 0 {
			if _, fate := f.carry(crm.Salesforce, h); fate == held {
				return true
			}
		}
		if moves&toHub != 0 {
			if _, fate := f.carry(crm.HubSpot, s); fate == held {
				return true
			}
		}
	}
	return false
}

// last checks what only the end can show: that every write belongs to a link,
// and that the journal leads to what is there.
func (x *oracle) last() {
	for _, w := range x.open {
		if w.n == 0 && w.r.live() && x.madeForMerged(w.r) {
			continue
		} else if w.n == 0 && w.r.live() {
			x.violate("duplicate", "%s %s was created by the program and was never linked", w.r.object, w.r.id)
		} else if w.n > 0 && x.tookBack(w.r, w.n) {
			continue
		} else if w.n > 0 && !x.broken[w.r.versions[w.n].cycle] && !x.partnerLost(w.r) {
			// Where the program died after a write and before the link was kept, people
			// may have seen to it that there never was one.
			x.violate("link", "%s %s was written to and belongs to no link", w.r.object, w.r.id)
		}
	}
	newest := map[[2]string][]journalled{} // the last that came through, and later ones that may have
	for _, j := range x.journal {
		k := [2]string{string(j.side) + j.object + j.id, j.field}
		if !j.maybe {
			newest[k] = nil
		}
		newest[k] = append(newest[k], j)
	}
	for _, list := range newest {
		j := list[len(list)-1]
		if list[0].maybe {
			continue // none of them came through for certain
		}
		r := x.w.ledger.records[j.key]
		if r == nil || !r.live() {
			continue
		}
		column, watched := r.o.place[r.side][j.field]
		f := r.o.writes(r.side, j.field)
		if !watched || f == nil {
			continue
		}
		others := false // somebody, or a write that no journal has, changed it since
		for i := 1; i < len(r.versions); i++ {
			if v := &r.versions[i]; v.seq > j.seq && v.values[column] != r.versions[i-1].values[column] {
				others = true
			}
		}
		if got := r.last().values[column]; !others && x.byProgram(r, column) &&
			!slices.ContainsFunc(list, func(j journalled) bool { return f.canon(r.side, got) == f.canon(r.side, j.after) }) {
			x.violate("journal", "%s of %s %s is %q, and the journal ends with %q", j.field, r.object, r.id, got, j.after)
		}
	}
}

// partnerLost tells whether a record of the same thing is gone: the two were
// about to be linked when it went.
func (x *oracle) partnerLost(r *record) bool {
	return slices.ContainsFunc(x.w.ledger.order, func(c *record) bool {
		return c.o == r.o && c.side != r.side && c.thing == r.thing && !c.live()
	})
}

// tookBack tells whether the cycle of a write took the record back in the end.
func (x *oracle) tookBack(r *record, n int) bool {
	for cycle := r.versions[n].cycle; n < len(r.versions) && r.versions[n].cycle == cycle; n++ {
		if x.takenBack(r, n) {
			return true
		}
	}
	return false
}

// takenBack tells whether a record that was never seen linked was rightly
// archived by its n-th write: the link was made and given up within one cycle,
// because a record with the same key had been deleted on the other side. People
// may have restored it since.
func (x *oracle) takenBack(r *record, n int) bool {
	v := &r.versions[n]
	if v.live || v.by != program || r.o.deletes != "archive" {
		return false
	}
	if slices.ContainsFunc(x.pairs, func(p *pair) bool { // or had come to it by a merge
		had, partner := p.on(r.side), p.on(r.side.Other())
		at := partner.versionAt(v.seq)
		return had != r && (had.survivor() == r || had.once != nil && had.once.survivor() == r) && at >= 0 && !partner.versions[at].live
	}) {
		return true
	}
	keys := append(r.o.keys(r.side, r.first().values), r.o.keys(r.side, v.values)...)
	return slices.ContainsFunc(x.w.ledger.order, func(c *record) bool {
		at := c.versionAt(v.seq)
		return c.o == r.o && c.side != r.side && at >= 0 && !c.versions[at].live && (len(keys) == 0 && r.first().by == program ||
			slices.ContainsFunc(c.versions[:at+1], func(held version) bool { return share(keys, c.o.keys(c.side, held.values)) }))
	})
}

// byProgram tells whether the value that stands was written by the program.
func (x *oracle) byProgram(r *record, column int) bool {
	for i := len(r.versions) - 1; i > 0; i-- {
		if r.versions[i].values[column] != r.versions[i-1].values[column] {
			return r.versions[i].by == program
		}
	}
	return r.first().by == program
}
