package main

import (
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Where people belong to companies, the oracle wants this: the program writes
// what the other side says, and in the end both sides name the same company, or
// one of them names one that has no counterpart.

// isReference tells whether a column is such a reference.
func (o *object) isReference(name string) bool {
	return o.belongs && (name == companyOf || name == accountOf)
}

// company is the company that a record names, by id; "" for none.
func (o *object) company(side crm.Side, values []string) string {
	if side == crm.HubSpot {
		return values[o.place[side][companyOf]]
	}
	return values[o.place[side][accountOf]]
}

// companyRecord is a company by its id; nil where the ledger has none.
func (x *oracle) companyRecord(side crm.Side, id string) *record {
	return x.w.ledger.records[key{side, x.w.story.family.objects[0].vendorName(side), id}]
}

// counterpart is the id that a company has on the other side, if it is linked.
func (x *oracle) counterpart(side crm.Side, id string) (string, bool) {
	p := x.byHub["companies"+id]
	if side == crm.Salesforce {
		p = x.bySF[id]
	}
	if p == nil || !p.hub.live() || !p.sf.live() {
		return "", false
	}
	return p.on(side.Other()).id, true
}

// referred judges that the program changed the company that a record names.
func (x *oracle) referred(p *pair, r *record, v *version, was, now string) {
	from := r.side.Other()
	if now == "" {
		if gone := x.companyRecord(r.side, was); gone == nil || !gone.live() {
			return // it went with the company
		}
	}
	x.unmoved(p, r, v, was, now)
	if from == crm.HubSpot && now != "" && p.o.company(from, p.hub.last().values) == "" {
		for _, id := range x.secondary(p.hub) { // where none is the primary one
			if there, linked := x.counterpart(from, id); linked && there == now {
				return
			}
		}
	}
	for _, s := range x.partnersSaid(p, r, v) { // what the other side says now, or said when it was read
		given := p.o.company(from, s.r.versions[s.n].values)
		if now == "" { // it moved on: what it has now comes in a second write
			if given == "" && x.ended(s.r, s.n) || given != "" && !x.areOne(from, given, was) {
				return
			}
		} else if given != "" && x.areOne(from, given, now) {
			return
		}
	}
	x.violate("reference", "%s %s was given company %q instead of %q, and %s %s never named its counterpart", r.object, r.id, now, was, from.Title(), p.on(from).id)
}

// secondary are the companies that a HubSpot contact is associated with now.
func (x *oracle) secondary(contact *record) []string {
	return x.w.box.HubSpot().Associations(contact.o.hub, contact.id, "companies")
}

// agreement is what the two sides of a pair name, each as its own record's id.
type agreement struct {
	hub, sf string
	seq     int
}

// agreeOnCompany notes that both sides of a pair name the same company.
func (x *oracle) agreeOnCompany(p *pair, calm bool) {
	p.agreed = nil
	if !p.o.belongs || !calm || p.outcome != crm.Synced && p.outcome != crm.Unchanged && p.outcome != "" || !p.hub.live() || !p.sf.live() {
		return
	}
	hub, sf := p.o.company(crm.HubSpot, p.hub.last().values), p.o.company(crm.Salesforce, p.sf.last().values)
	if there, linked := x.counterpart(crm.HubSpot, hub); hub == "" && sf == "" && len(x.secondary(p.hub)) == 0 || hub != "" && linked && there == sf {
		p.agreed = &agreement{hub, sf, x.w.ledger.seq}
	}
}

// unmoved wants that a company which somebody chose since both sides agreed is not
// overwritten by the side that named the same one all the time.
func (x *oracle) unmoved(p *pair, r *record, v *version, was, now string) {
	n := r.versionAt(v.seq)
	if p.agreed == nil || v.cycle != x.w.ledger.cycle || n < 1 {
		return
	}
	from := r.side.Other()
	mine, theirs := p.agreed.hub, p.agreed.sf
	if r.side == crm.Salesforce {
		mine, theirs = theirs, mine
	}
	moved := slices.ContainsFunc(p.on(from).versions, func(w version) bool { return w.seq > p.agreed.seq && p.o.company(from, w.values) != theirs })
	seen, _, ok := r.known(x.decidedBy(v))
	if ok && !moved && p.o.company(r.side, seen) == was && was != mine && (was != "" || x.ended(r, n-1)) {
		x.violate("reference", "%s %s: somebody chose company %q instead of %q, and it was made %q, though %s %s did not change", r.object, r.id, was, mine, now, from.Title(), p.on(from).id)
	}
}

// areOne tells whether a company of one side was ever linked with one of the other.
func (x *oracle) areOne(side crm.Side, id, other string) bool {
	return slices.ContainsFunc(x.pairs, func(p *pair) bool {
		return p.o.hub == "companies" && x.sameCompany(p.on(side), id) && x.sameCompany(p.on(side.Other()), other)
	})
}

// saying is one version of a record.
type saying struct {
	r *record
	n int
}

// partnersSaid are the versions by which the program may have written v: those of the
// partner that the record has, from the one on that it knew when the cycle began,
// newest first; and all of those that it was linked with when the cycle began.
func (x *oracle) partnersSaid(p *pair, r *record, v *version) (said []saying) {
	from := r.side.Other()
	add := func(partner *record, first int) {
		for i := len(partner.versions) - 1; i >= first; i-- {
			said = append(said, saying{partner, i})
		}
	}
	first, late := 0, v.cycle != x.w.ledger.cycle
	if _, known, ok := p.on(from).known(x.began); ok && !late {
		first = p.on(from).versionAt(known.seq)
	}
	add(p.on(from), first)
	for _, q := range x.pairs {
		if q.o == p.o && q.on(r.side).survivor() == r.survivor() && q.on(from) != p.on(from) && (late || q.stood || q.stands) {
			add(q.on(from), 0)
		}
	}
	return said
}

// ended tells whether somebody gave up the company that a record named before its
// n-th version, which names none: the company did not go, nor the record for a while.
func (x *oracle) ended(r *record, n int) bool {
	for n > 0 && r.o.company(r.side, r.versions[n-1].values) == "" {
		n--
	}
	if n == 0 || !r.versions[n].live || !r.versions[n-1].live {
		return false
	}
	company := x.companyRecord(r.side, r.o.company(r.side, r.versions[n-1].values))
	if company == nil {
		return false
	}
	at := company.versionAt(r.versions[n].seq)
	return at >= 0 && company.versions[at].live
}

// sameCompany tells whether an id is that of a company, or of one that it is a part
// of by a merge, or the other way round: what was linked before the merge is what
// remains of it.
func (x *oracle) sameCompany(c *record, id string) bool {
	other := x.companyRecord(c.side, id)
	return other != nil && other.survivor() == c.survivor()
}

// wentWithCompany tells whether a version differs from the one before by nothing
// but the company, whose record is gone: no write to this record made it.
func (x *oracle) wentWithCompany(r *record, n int) bool {
	if n == 0 || !r.o.belongs {
		return false
	}
	was, now := &r.versions[n-1], &r.versions[n]
	had := r.o.company(r.side, was.values)
	if was.live != now.live || had == "" || r.o.company(r.side, now.values) == had || !r.sameButCompany(was, now) {
		return false
	}
	gone := x.companyRecord(r.side, had)
	at := -1
	if gone != nil {
		at = gone.versionAt(now.seq)
	}
	return gone == nil || at >= 0 && !gone.versions[at].live
}

// companyGone tells whether a record named an Account before a version that is
// gone by now: Salesforce refuses to have it name that again, and all else with it.
func (x *oracle) companyGone(r *record, version int) bool {
	if !r.o.belongs || r.side != crm.Salesforce || version < 1 {
		return false
	}
	had := r.o.company(r.side, r.versions[version-1].values)
	account := x.companyRecord(r.side, had)
	return account != nil && !account.live()
}

// hangOn tells whether people belonged to an Account when the cycle began, so
// that it had to stay.
func (x *oracle) hangOn(account *record) bool {
	for _, r := range x.w.ledger.order {
		at := r.versionAt(x.began)
		if r.o.belongs && r.side == account.side && at >= 0 && r.versions[at].live && r.o.company(r.side, r.versions[at].values) == account.id {
			return true
		}
	}
	return false
}

// belong wants the two records of a pair to name the same company.
func (x *oracle) belong(p *pair) {
	hub, sf := p.o.company(crm.HubSpot, p.hub.last().values), p.o.company(crm.Salesforce, p.sf.last().values)
	if !p.o.belongs || hub == "" && sf == "" {
		return
	}
	if hub == "" { // any other company counts where none is called the primary one
		for _, id := range x.secondary(p.hub) {
			if there, linked := x.counterpart(crm.HubSpot, id); hub == "" || linked && there == sf {
				hub = id
			}
		}
	}
	there, hubLinked := x.counterpart(crm.HubSpot, hub)
	_, sfLinked := x.counterpart(crm.Salesforce, sf)
	switch {
	case hub != "" && !hubLinked, sf != "" && !sfLinked:
	case there == sf && hub != "":
	case hub == "" && x.leftMerged(p, sf):
	case p.outcome == crm.Held || p.outcome == crm.Failed || p.outcome == crm.Excluded:
	default:
		x.violate("reference", "%s: HubSpot %s names company %q and Salesforce %s names %q; outcome %s %s", p.o.name, p.hub.id, hub, p.sf.id, sf, p.outcome, p.code)
	}
}

// knowsReference tells whether the two records rightly name different companies.
func (x *oracle) knowsReference(p *pair) bool {
	hub, sf := p.o.company(crm.HubSpot, p.hub.last().values), p.o.company(crm.Salesforce, p.sf.last().values)
	_, hubLinked := x.counterpart(crm.HubSpot, hub)
	_, sfLinked := x.counterpart(crm.Salesforce, sf)
	return p.o.belongs && (hub != "" && !hubLinked || sf != "" && !sfLinked)
}

// leftMerged tells whether a contact named a company that went into the counterpart
// of an Account by a merge, and names none by now: whether the merge or a person ended
// that, nobody can tell, and it is left as it is.
func (x *oracle) leftMerged(p *pair, account string) bool {
	id, linked := x.counterpart(crm.Salesforce, account)
	if !linked {
		return false
	}
	for _, v := range p.hub.versions {
		had := p.o.company(crm.HubSpot, v.values)
		if had != "" && had != id && x.sameCompany(x.companyRecord(crm.HubSpot, id), had) {
			return true
		}
	}
	return false
}
