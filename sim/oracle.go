package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// oracle judges everything that the program wrote, and the end, by nothing but
// the ledger, the rules of the mapping, and what the program says of itself:
// which records it linked, what it gave as outcomes, what it kept as journal.
type oracle struct {
	w          *world
	violations []violation
	mute       bool // violations are tried out, and not told
	pairs      []*pair
	byHub      map[string]*pair // by record id; the pair that stands now
	bySF       map[string]*pair
	open       []written // writes whose partner is not known yet
	began      int       // seq at which the cycle began
	writesAt   int
	planned    map[string]bool // ids of things that the plan of the cycle writes to
	said       map[key]bool    // records that the journal of the cycle's run names
	broken     map[int]bool    // cycles that did not end well
	outcomes   map[key]store.Outcome
	journal    []journalled
	runs       int64         // the newest run whose journal was read
	cycleOf    map[int64]int // runs, and the cycles that they were
	answers    []answer
	told       [][2]string        // ids that people said are one
	seal       *engine.SealedPlan // that the cycle applies
	unsettled  map[int64]bool     // runs whose journal has a write without an end
}

// pair is two records that the program says are one thing.
type pair struct {
	o       *object
	hub, sf *record
	bases   map[*field][]base
	cycle   int  // in which it was linked first
	fresh   bool // linked in the cycle that is judged
	stands  bool
	stood   bool // before the cycle that is judged
	outcome crm.Outcome
	code    string
	why     string
	said    string // in the trace
	// agreed are the companies that both sides named when a calm cycle last left them
	// the same, with its moment; nil where none did.
	agreed *agreement
}

func (p *pair) on(side crm.Side) *record {
	if side == crm.HubSpot {
		return p.hub
	}
	return p.sf
}

// answer is that a person said whose value of a field is right.
type answer struct {
	hub, sf string // ids of the records; one may be blank
	field   string
	from    crm.Side
}

func (x *oracle) answered(c *engine.Conflict, from crm.Side) {
	a := answer{field: c.Field, from: from}
	if c.HubSpot != nil {
		a.hub = c.HubSpot.ID
	}
	if c.Salesforce != nil {
		a.sf = c.Salesforce.ID
	}
	x.answers = append(x.answers, a)
}

// mayGive tells whether a person said that a side's value of a field is right.
func (x *oracle) mayGive(p *pair, f *field, from crm.Side) bool {
	return slices.ContainsFunc(x.answers, func(a answer) bool {
		return a.from == from && a.field == f.hub+"/"+f.sf && (x.isOrTook(p.hub, a.hub) || x.isOrTook(p.sf, a.sf))
	})
}

type written struct {
	r *record
	n int // version
}

type journalled struct {
	key
	seq   int
	op    crm.Op
	field string
	after string
	maybe bool // no answer was recorded
}

func newOracle(w *world) *oracle {
	return &oracle{w: w, byHub: map[string]*pair{}, bySF: map[string]*pair{}, outcomes: map[key]store.Outcome{}, broken: map[int]bool{}, cycleOf: map[int64]int{}}
}

func (x *oracle) violate(kind, format string, args ...any) {
	v := violation{kind, x.w.at, fmt.Sprintf(format, args...)}
	if len(x.violations) < 50 && !slices.Contains(x.violations, v) {
		if x.violations = append(x.violations, v); x.mute {
			return
		}
		x.w.say("!! %s: %s", v.Kind, v.Text)
	}
}

// begin notes where a cycle begins.
func (x *oracle) begin(step) {
	x.seal = nil
	x.began = x.w.ledger.seq
	x.writesAt = x.w.ledger.writes
	x.planned = nil
}

// dry wants that nothing was written since the cycle began.
func (x *oracle) dry(what string) {
	if n := x.w.ledger.writes - x.writesAt; n > 0 {
		x.violate("dry", "a %s wrote to %d records", what, n)
	}
}

// take reads what the program says of itself after a cycle, alive or dead.
func (x *oracle) take(s *store.Store) {
	ctx := context.Background()
	for _, p := range x.pairs {
		p.stands, p.fresh, p.stood = false, false, p.stands
	}
	clear(x.byHub)
	clear(x.bySF)
	clear(x.outcomes)
	x.planned = map[string]bool{}
	for _, o := range x.w.story.family.objects {
		links, err := s.LinkPage(ctx, o.name, "", 1000)
		if err != nil {
			x.violate("store", "links cannot be read: %v", err)
			return
		}
		for _, l := range links {
			x.link(o, l)
		}
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			page, err := s.OutcomePage(ctx, o.name, side, "", 1000)
			if err != nil {
				x.violate("store", "outcomes cannot be read: %v", err)
				return
			}
			for _, c := range page {
				x.outcomes[key{side, c.Ref.Object, c.Ref.ID}] = c
			}
			rows, err := s.PlanPage(ctx, o.name, side, "", 1000, false, 0)
			if err != nil {
				x.violate("store", "the plan cannot be read: %v", err)
				return
			}
			for _, row := range rows {
				if row.Ops&store.Writes != 0 {
					x.planned[row.ID] = true
					x.planned[row.SalesforceID] = true
				}
			}
		}
	}
	x.read(s)
	for _, p := range x.pairs {
		if c, ok := x.outcomes[p.hub.key]; ok && p.stands && c.Linked {
			p.outcome, p.code, p.why = c.Outcome, c.Reason.Code, c.Reason.Text
		}
		if said := fmt.Sprintf("%s %s, stands %v %s", p.outcome, p.code, p.stands, p.why); said != p.said {
			p.said = said
			x.w.say("  pair %s %s and %s: %s", p.o.name, p.hub.id, p.sf.id, said)
		}
	}
}

// link files one link of the program.
func (x *oracle) link(o *object, l store.Link) {
	hub := x.w.ledger.records[key{crm.HubSpot, o.hub, l.HubSpotID}]
	sf := x.w.ledger.records[key{crm.Salesforce, l.SalesforceObject, l.SalesforceID}]
	if hub == nil || sf == nil {
		x.violate("link", "%s links HubSpot %s and Salesforce %s, and one of them never was", o.name, l.HubSpotID, l.SalesforceID)
		return
	}
	var p *pair
	for _, known := range x.pairs {
		if known.hub == hub && known.sf == sf {
			p = known
		}
	}
	if p == nil {
		p = &pair{o: o, hub: hub, sf: sf, bases: map[*field][]base{}, cycle: x.w.ledger.cycle, fresh: true}
		for _, f := range o.fields {
			p.bases[f] = x.firstBases(p, f)
		}
		x.pairs = append(x.pairs, p)
		x.w.say("  linked: %s %s and %s", o.name, hub.id, sf.id)
	} else if !p.stood {
		// The link was given up when both records were gone. Now that they are back,
		// the program finds them as it finds any two that match.
		p.fresh = true
		for _, f := range o.fields {
			p.bases[f] = []base{{first: true}}
		}
		x.w.say("  linked again: %s %s and %s", o.name, hub.id, sf.id)
	}
	p.stands, p.outcome, p.code, p.why = true, l.Outcome, "", ""
	if x.byHub[o.hub+hub.id] != nil {
		x.violate("link", "HubSpot %s %s is linked twice", o.hub, hub.id)
	}
	if other := x.bySF[sf.id]; other != nil {
		x.violate("link", "Salesforce %s %s is linked twice", sf.object, sf.id)
	}
	x.byHub[o.hub+hub.id], x.bySF[sf.id] = p, p
	if hub.thing < 0 {
		hub.thing = sf.thing
	}
	if sf.thing < 0 {
		sf.thing = hub.thing
	}
}

// firstBases are the bases that a new pair may begin with. Two records that were
// found know nothing of the past. A record that the program made holds what it
// was given and nothing of its own; where the link was made only later, because
// the answer or the process was lost, the program may know that or not.
func (x *oracle) firstBases(p *pair, f *field) []base {
	bases := x.converted(p, f)
	former := x.former(p)
	if bases != nil { // of the Lead, converted has told
		former = slices.DeleteFunc(former, func(q *pair) bool { return q.sf.converted && q.sf.into == p.sf })
	}
	if len(former) > 0 {
		// One of the two took in a record that was linked: its base goes on.
		bases = append(bases, base{first: true})
		for _, q := range former {
			bases = append(bases, q.bases[f]...)
		}
	}
	if bases != nil {
		return bases
	}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		made, source := p.on(side), p.on(side.Other())
		merged := false
		if made.first().by != program {
			if made = x.madeAndMerged(p, side); made == nil {
				continue
			}
			merged = true
		}
		values, _, ok := source.known(made.first().seq - 1)
		for _, q := range x.w.ledger.took(source) { // it was made for what went into another one since
			if !ok && x.standsFor(made, q) {
				values, _, ok = q.known(made.first().seq - 1)
				merged = ok
			}
		}
		if !ok { // made for another one, earlier
			continue
		}
		hub, sf := values, made.first().values
		if side == crm.HubSpot {
			hub, sf = sf, hub
		}
		bases := []base{p.o.settled(f, hub, sf)}
		if merged || made.first().cycle != x.w.ledger.cycle {
			bases = append(bases, base{first: true})
		}
		return bases
	}
	return []base{{first: true}}
}

// converted are the bases of a pair whose Lead was converted: those that it had. What
// the Contact holds nothing of says nothing of the person, and HubSpot gives it, unless
// Salesforce always carries it over: then somebody cleared it.
func (x *oracle) converted(p *pair, f *field) []base {
	if p.sf.object != "Contact" || f.from != "" {
		return nil
	}
	var bases []base
	for _, q := range x.pairs {
		if q.hub.survivor() != p.hub.survivor() || !q.sf.converted || q.sf.into != p.sf {
			continue
		}
		column := p.o.place[crm.Salesforce][f.sf]
		v := p.sf.first().values[column]
		lost := !f.carried() && (f.blank(crm.Salesforce, v) || f.kind == checkbox && v == "false")
		if lost {
			bases = append(bases, base{hub: unsent, sf: f.canon(crm.Salesforce, v)})
			for _, b := range q.bases[f] {
				if !b.first && b.sf == f.canon(crm.Salesforce, v) {
					bases = append(bases, b) // the Lead held nothing either
				}
			}
		}
		if slices.ContainsFunc(q.bases[f], func(b base) bool { return b.first }) {
			bases = append(bases, base{first: true}) // it was never settled
		}
		if !lost || slices.ContainsFunc(p.sf.versions, func(later version) bool { return later.by == people && later.values[column] != v }) {
			bases = append(bases, q.bases[f]...)
		}
	}
	return bases
}

// madeAndMerged is what the program made for one record of a pair and people merged
// into the other one before there was a link: the answer was lost. nil for none.
func (x *oracle) madeAndMerged(p *pair, side crm.Side) *record {
	for _, c := range x.w.ledger.took(p.on(side)) {
		if c.first().by == program && x.standsFor(c, p.on(side.Other())) && !slices.ContainsFunc(x.pairs, func(q *pair) bool { return q.on(side) == c }) {
			return c
		}
	}
	return nil
}

// former lists the pairs that a pair comes of by a merge.
func (x *oracle) former(p *pair) []*pair {
	var all []*pair
	for _, q := range x.pairs {
		if q != p && q.hub.survivor() == p.hub.survivor() && q.sf.survivor() == p.sf.survivor() {
			all = append(all, q)
		}
	}
	return all
}

// pairOf is the pair that a record belongs to, or belonged to last.
func (x *oracle) pairOf(r *record) *pair {
	if r.side == crm.HubSpot {
		if p := x.byHub[r.object+r.id]; p != nil {
			return p
		}
	} else if p := x.bySF[r.id]; p != nil {
		return p
	}
	for i := len(x.pairs) - 1; i >= 0; i-- {
		if x.pairs[i].on(r.side) == r {
			return x.pairs[i]
		}
	}
	return nil
}

// value is what a record holds of a field.
func (o *object) value(f *field, side crm.Side, values []string) string {
	if f.from != "" && side == crm.HubSpot {
		return f.give(func(name string) string { return values[o.place[side][name]] })
	}
	return values[o.place[side][f.name(side)]]
}

// settled is what a field stands at, in the form of a base.
func (o *object) settled(f *field, hub, sf []string) base {
	h := o.value(f, crm.HubSpot, hub)
	if f.from != "" {
		return base{hub: loose(h), sf: f.canon(crm.Salesforce, o.value(f, crm.Salesforce, sf))}
	}
	b := base{hub: f.canon(crm.HubSpot, h), sf: f.canon(crm.Salesforce, o.value(f, crm.Salesforce, sf))}
	if _, fate := f.carry(crm.Salesforce, h); fate == skipped && f.flows(crm.Salesforce) {
		b.hub = unsent
	}
	return b
}

// judge looks at everything that one cycle did.
func (x *oracle) judge(c step, run *engine.Run, err error, crashed bool) {
	if c.act == actPlan && !crashed {
		x.dry("plan")
	}
	calm := err == nil && !crashed
	open := x.open
	x.open = nil
	for _, r := range x.w.ledger.order {
		for n := range r.versions {
			if v := &r.versions[n]; v.by == program && v.cycle == x.w.ledger.cycle && !x.wentWithCompany(r, n) {
				open = append(open, written{r, n})
			}
		}
	}
	slices.SortStableFunc(open, func(a, b written) int { return a.r.versions[a.n].seq - b.r.versions[b.n].seq })
	for _, w := range open {
		x.write(w)
		x.asSealed(w)
	}
	for _, p := range x.pairs {
		if p.stands && calm {
			x.matched(p)
		}
	}
	x.account(c, run, calm)
	for _, p := range x.pairs {
		if p.stands {
			// A sealed plan settles what stands in it, and nothing else.
			x.settle(p, calm && run != nil && c.act != actSeal)
			x.agreeOnCompany(p, calm && run != nil && c.act != actSeal)
		}
	}
}

// settle brings the bases of a pair up to date with what the program must have
// settled. After a calm cycle that left nothing open there is one answer; after
// a death or an error there are several that the program may rightly hold.
func (x *oracle) settle(p *pair, calm bool) {
	for i, hub := range x.settledAt(p.hub) {
		for n, sf := range x.settledAt(p.sf) {
			x.settleAs(p, hub, sf, calm && i+n == 0)
		}
	}
}

// settledAt are the moments as of which a cycle may have settled a record: its
// end, and where the record was shown again with other values, before that; a look
// that came after the decision leaves them to the next cycle.
func (x *oracle) settledAt(r *record) []int {
	moments := []int{x.w.ledger.seq}
	for i, reading := range r.readings {
		if i > 0 && r.readings[i-1].seq > x.began && reading.version != r.readings[i-1].version {
			moments = append(moments, reading.seq-1)
		}
	}
	return moments
}

// settleAs does so by what was known of each record at a moment.
func (x *oracle) settleAs(p *pair, hubAt, sfAt int, calm bool) {
	hub, hv, ok := p.hub.known(hubAt)
	sf, sv, ok2 := p.sf.known(sfAt)
	if !ok || !ok2 {
		return
	}
	fine := calm && (p.outcome == crm.Synced || p.outcome == crm.Unchanged || p.outcome == "") && hv.live && sv.live
	for _, f := range p.o.fields {
		// What the program wrote where people had put the same is known to stand
		// there, though the write changed nothing.
		hub, sf := x.asWritten(p.hub, f, hub), x.asWritten(p.sf, f, sf)
		now := p.o.settled(f, hub, sf)
		h, s := p.o.value(f, crm.HubSpot, hub), p.o.value(f, crm.Salesforce, sf)
		resting := false
		for _, b := range p.bases[f] {
			resting = resting || f.rests(b, h, s, x.stamps(p, f, hv, sv))
		}
		switch {
		case !resting && !x.filledIn(p, f): // what was filled in is left as it is found
		case fine && resting:
			p.bases[f] = []base{now}
		case !slices.Contains(p.bases[f], now):
			p.bases[f] = append(p.bases[f], now)
		}
	}
}

// asWritten is what is known of a record with what the journal of the cycle says that
// it wrote to a field.
func (x *oracle) asWritten(r *record, f *field, values []string) []string {
	name := f.name(r.side)
	if name == "" {
		return values
	}
	for i := len(x.journal) - 1; i >= 0 && x.journal[i].seq == x.w.ledger.seq; i-- {
		if j := x.journal[i]; j.key == r.key && j.field == name && !j.maybe && j.after == r.last().values[r.o.place[r.side][name]] {
			values = slices.Clone(values)
			values[r.o.place[r.side][name]] = j.after
			return values
		}
	}
	return values
}

// write judges one write of the program.
func (x *oracle) write(w written) {
	p := x.pairOf(w.r)
	v := &w.r.versions[w.n]
	if p == nil || w.n > 0 && (p.on(w.r.side.Other()).first().seq > v.seq || !p.stands && (!p.stood || p.on(w.r.side.Other()).into != nil) ||
		v.cycle < p.cycle && x.madeAndMerged(p, w.r.side) != nil) {
		// Not linked yet, or linked later with a record that was not there: the
		// partner that was written for went before the link was kept.
		x.open = append(x.open, w)
		return
	}
	switch {
	case w.n == 0:
		x.create(p, w.r, v)
	case !v.live && w.r.versions[w.n-1].live:
		x.archive(p, w.r, v)
	case !w.r.versions[w.n-1].live:
		x.violate("delete", "%s %s was brought back by the program", w.r.object, w.r.id)
	default:
		x.update(p, w.r, w.n)
	}
}

// update judges the fields that one write changed, by what the program knew. What
// it was shown between its decision and the write may have come too late, so the
// write has to follow from what was known at one moment of the cycle.
func (x *oracle) update(p *pair, r *record, n int) {
	v := &r.versions[n]
	if slices.Equal(v.values, r.versions[n-1].values) {
		return // sent once more, and nothing came of it
	}
	found := len(x.violations)
	var first []violation
	for i, then := range append([]*pair{p}, x.inherited(p, r)...) {
		for k, moment := range x.momentsOf(then, v.seq) {
			for m, as := range x.asThen(then, moment) {
				x.mute = true
				x.updateBy(as, r, n, moment)
				x.mute = false
				if len(x.violations) == found {
					return
				}
				if i == 0 && k == 0 && m == 0 {
					first = slices.Clone(x.violations[found:])
				}
				x.violations = x.violations[:found]
			}
		}
	}
	for _, v := range first {
		x.violate(v.Kind, "%s", v.Text)
	}
}

// momentsOf are those at which something was shown of a pair in the cycle, newest
// first, the last before seq among them.
func (x *oracle) momentsOf(p *pair, seq int) []int {
	moments := []int{seq - 1}
	for _, q := range []*record{p.hub, p.sf} {
		for _, reading := range q.readings {
			if reading.seq > x.began && reading.seq < seq {
				moments = append(moments, reading.seq-1)
			}
		}
	}
	slices.Sort(moments)
	slices.Reverse(moments)
	return moments
}

// inherited are the pairs that a record had for a while within the cycle, by what
// went into it, or by what its partner went into: those partners were deleted, and
// the link went on to another one.
func (x *oracle) inherited(p *pair, r *record) []*pair {
	var all []*pair
	for _, q := range x.pairs {
		partner := q.on(r.side.Other())
		if q.on(r.side) == r && q.stood {
			partner = partner.survivor()
		}
		if q != p && q.o == p.o && q.on(r.side).survivor() == r && partner != p.on(r.side.Other()) && (q.on(r.side) != r || partner != q.on(r.side.Other())) {
			then := &pair{o: q.o, hub: r, sf: partner, bases: map[*field][]base{}}
			for _, f := range q.o.fields { // what takes the place of a deleted record has no past
				then.bases[f] = append([]base{{first: true}}, q.bases[f]...)
			}
			if r.side == crm.Salesforce {
				then.hub, then.sf = partner, r
			}
			all = append(all, then)
		}
	}
	return all
}

// updateBy judges an update by what was known at a moment.
func (x *oracle) updateBy(p *pair, r *record, n, moment int) {
	o, v, was := p.o, &r.versions[n], &r.versions[n-1]
	hub, hv, ok := p.hub.known(moment)
	sf, sv, ok2 := p.sf.known(moment)
	if !ok || !ok2 {
		x.violate("unseen", "%s %s was written to before both records were read", r.object, r.id)
		return
	}
	if !x.takesPart(p, v.seq) {
		x.violate("filter", "%s %s was written to, and the filter leaves the thing out", r.object, r.id)
	}
	for column, name := range o.looked[r.side] {
		if was.values[column] == v.values[column] {
			continue
		}
		if name == externalField && r.side == crm.Salesforce && o.external && x.isOrTook(p.hub, v.values[column]) {
			continue
		}
		if o.isReference(name) {
			x.referred(p, r, v, was.values[column], v.values[column])
			continue
		}
		f := o.writes(r.side, name)
		if f == nil && name == moreEmails {
			continue // HubSpot keeps the former address there by itself
		}
		if f == nil {
			x.violate("unmapped", "%s of %s %s was changed from %q to %q, and the mapping does not say so", name, r.object, r.id, was.values[column], v.values[column])
			continue
		}
		from := r.side.Other()
		values := hub
		if from == crm.Salesforce {
			values = sf
		}
		given := o.value(f, from, values)
		if f.from != "" {
			// What is computed is computed from what HubSpot holds after this cycle's
			// writes, which may go out before or after this one.
			given = x.computed(p, f, v, given)
		}
		want, fate := f.carry(r.side, given)
		if f.from != "" {
			want, fate = loose(given), fits
		}
		got := f.canon(r.side, v.values[column])
		var moves move
		h, s := o.value(f, crm.HubSpot, hub), o.value(f, crm.Salesforce, sf)
		if f.from != "" {
			h = given
		}
		for _, b := range p.bases[f] {
			moves |= f.due(b, h, s, x.stamps(p, f, hv, sv))
		}
		if moves&hold != 0 && x.mayGive(p, f, from) {
			moves |= towards(r.side)
		}
		switch {
		case f.from != "" && got == want: // it is what the mapping computes
		case moves&towards(r.side) == 0 && !x.filled(r, column, v.seq-1):
			x.violate("lost", "%s of %s %s: %q was overwritten with %q, and the rules do not say so: %s gives %q, last settled %+v, direction %s, wins %s, stamps %+v", name, r.object, r.id,
				was.values[column], v.values[column], from.Title(), given, p.bases[f], f.direction, f.wins, x.stamps(p, f, hv, sv))
		case fate != fits || got != want:
			x.violate("value", "%s of %s %s became %q; %s gives %q, which is %q there", name, r.object, r.id, v.values[column], from.Title(), given, want)
		}
		now := o.settled(f, hub, sf)
		if f.from != "" {
			now.hub = loose(given)
		}
		if r.side == crm.HubSpot {
			now.hub = got
		} else {
			now.sf = got
		}
		if !slices.Contains(p.bases[f], now) {
			p.bases[f] = append(p.bases[f], now)
		}
	}
}

// asThen is a pair as the program may have known it at a moment: in place of a
// record that it had not read yet, each that went into it by a merge since.
func (x *oracle) asThen(p *pair, moment int) []*pair {
	then := []*pair{p}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		r := p.on(side)
		if _, _, ok := r.known(moment); ok {
			continue
		}
		var before []*pair
		for _, q := range x.w.ledger.took(r) {
			if _, _, ok := q.known(moment); !ok {
				continue
			}
			for _, as := range then {
				was := *as
				if side == crm.HubSpot {
					was.hub = q
				} else {
					was.sf = q
				}
				before = append(before, &was)
			}
		}
		if len(before) > 0 {
			then = before
		}
	}
	return then
}

// isOrTook tells whether an id is that of a record or of one that it took in.
func (x *oracle) isOrTook(r *record, id string) bool {
	return r.id == id || slices.ContainsFunc(x.w.ledger.took(r), func(q *record) bool { return q.id == id })
}

// decidedBy is when a cycle's decisions were made: before its first write. What a
// look for a lost answer shows after that comes too late for them.
func (x *oracle) decidedBy(v *version) int {
	first := v.seq
	for _, r := range x.w.ledger.order {
		if n := r.writtenIn(v.cycle); n >= 0 {
			first = min(first, r.versions[n].seq)
		}
	}
	return first - 1
}

// standsFor tells whether a record that was made carries a key of another one, or
// its id.
func (x *oracle) standsFor(made, source *record) bool {
	o, values := made.o, made.first().values
	if o.external && made.side == crm.Salesforce {
		if id := values[o.place[made.side][externalField]]; id != "" {
			return id == source.id
		}
	}
	for _, v := range source.versions {
		if share(o.keys(made.side, values), o.keys(source.side, v.values)) {
			return true
		}
	}
	return len(o.keys(made.side, values)) == 0
}

// computed is what a computed field is given: as HubSpot was known to be, or as
// the same cycle makes it, if that is what was written; what it meant to write to
// HubSpot may have been refused, or not have left.
func (x *oracle) computed(p *pair, f *field, v *version, given string) string {
	o := p.o
	wrote := loose(v.values[o.place[crm.Salesforce][f.sf]])
	for i := range p.hub.versions {
		if h := &p.hub.versions[i]; h.by == program && h.cycle == v.cycle {
			if made := o.value(f, crm.HubSpot, h.values); loose(made) == wrote {
				return made
			}
		}
	}
	if sf, _, ok := p.sf.known(v.seq - 1); ok {
		made := f.give(func(name string) string {
			if from := o.writes(crm.HubSpot, name); from != nil {
				meant, _ := from.carry(crm.HubSpot, o.value(from, crm.Salesforce, sf))
				return meant
			}
			return ""
		})
		if loose(made) == wrote {
			return made
		}
	}
	return given
}

// takesPart tells whether the filter let a pair take part as the program was
// last shown it: what it writes itself in the same decision does not count.
func (x *oracle) takesPart(p *pair, seq int) bool {
	for _, r := range []*record{p.hub, p.sf} {
		for i := len(r.readings) - 1; i >= 0; i-- {
			if r.readings[i].seq < seq {
				if !p.o.passes(r.side, r.versions[r.readings[i].version].values) {
					return false
				}
				break
			}
		}
	}
	return true
}

// writes is the field by which the program may write a vendor's field.
func (o *object) writes(side crm.Side, name string) *field {
	for _, f := range o.fields {
		if f.name(side) == name && f.flows(side) {
			return f
		}
	}
	return nil
}

// create judges a record that the program made.
func (x *oracle) create(p *pair, r *record, v *version) {
	o, source := p.o, p.on(r.side.Other())
	if !o.creates(r.side) {
		x.violate("create", "%s %s was created, and create says %s", r.object, r.id, o.create)
	}
	for _, q := range x.w.ledger.took(source) {
		if source.first().seq > v.seq && q.first().seq < v.seq && x.standsFor(r, q) {
			source = q // it was made for what was merged since
			break
		}
	}
	values, sv, ok := source.known(v.seq - 1)
	if !ok || source.first().seq > v.seq {
		x.violate("create", "%s %s was created for a record that was not read", r.object, r.id)
		return
	}
	keys := o.keys(source.side, values)
	if x.isLeftOver(source) && !source.restored(v.seq) { // what people bring back is a thing of its own
		x.violate("merge", "%s %s was created for %s, which waits to be merged as its former partner was", r.object, r.id, source.id)
	}
	if _, before, ok := source.known(x.decidedBy(v)); !sv.live && !(ok && before.live) {
		x.violate("create", "%s %s was created for a record that was known to be deleted", r.object, r.id)
	}
	if !o.passes(source.side, values) {
		x.violate("filter", "%s %s was created for a record that the filter leaves out", r.object, r.id)
	}
	for _, q := range x.w.ledger.took(source) {
		if n := q.versionAt(v.seq); n >= 0 && q.versions[n].live {
			continue // it was merged later
		}
		if n := source.versionAt(v.seq); q.converted && n >= 0 && !source.versions[n].live {
			continue // it was deleted since it was read, and the Lead said no more what it became
		}
		for _, other := range x.pairs {
			if twin := other.on(r.side); other.on(source.side) == q && (other.stood || other.stands) && twin != r && twin.first().seq < v.seq {
				if at := twin.versionAt(v.seq - 1); at >= 0 && twin.versions[at].live {
					x.violate("merge", "%s %s was created for %s, which took %s in, and that was linked with %s", r.object, r.id, source.id, q.id, twin.id)
				}
			}
		}
	}
	for _, other := range x.pairs {
		if twin := other.on(r.side); other.on(source.side) == source && source.once == nil && twin.once == nil && twin != r && twin.first().by == program && twin.first().seq < v.seq &&
			!(!share(keys, o.keys(twin.side, twin.last().values)) && source.restored(v.seq) && twin.restored(v.seq)) { // a link is given up when both are gone, and without a key they are not found again
			if at := twin.versionAt(v.seq - 1); at >= 0 && twin.versions[at].live {
				x.violate("duplicate", "%s %s was created, and %s had been created for the same record", r.object, r.id, twin.id)
			}
		}
	}
	x.afterDeletion(p, r, source, v)
	decided := x.decidedBy(v)
	if o.leads && r.side == crm.Salesforce {
		before, _, ok := source.known(decided)
		tier := func(values []string) bool { return tidy(values[o.place[crm.HubSpot][tierHub]]) == contactTier }
		if is := r.object == o.sf; is != tier(values) && !(ok && is == tier(before)) {
			x.violate("target", "%s %s was created for %s, whose tier is %q", r.object, r.id, source.id, values[o.place[crm.HubSpot][tierHub]])
		}
	}
	for _, c := range x.w.ledger.order {
		if c == r || c.o != o || c.side != r.side || c.first().seq >= v.seq {
			continue
		}
		seen, cv, ok := c.known(decided)
		at := c.versionAt(v.seq - 1)
		if ok && cv.live && c.versions[at].live && share(keys, o.keys(c.side, seen)) && share(keys, o.keys(c.side, c.versions[at].values)) {
			x.violate("duplicate", "%s %s was created for %s %s, and %s with the same key of %q was known", r.object, r.id, source.object, source.id, c.id, keys)
		}
	}
	for _, f := range o.fields {
		if !f.flows(r.side) || f.name(r.side) == "" {
			continue
		}
		given := o.value(f, source.side, values)
		want, fate := f.carry(r.side, given)
		if f.from != "" {
			want, fate = loose(given), fits
		}
		got := f.canon(r.side, o.value(f, r.side, v.values))
		if before, _, ok := source.known(decided); ok && (fate != fits || got != want) {
			// Somebody edited it between the decision and the create.
			if then, fit := f.carry(r.side, o.value(f, source.side, before)); fit == fits && then == got {
				continue
			}
		}
		if fate == held {
			x.violate("value", "%s %s was created, and %q of %s cannot be there", r.object, r.id, given, f.name(source.side))
		} else if fate == fits && got != want {
			x.violate("value", "%s of the new %s %s is %q; %s gives %q", f.name(r.side), r.object, r.id, got, source.side.Title(), given)
		}
	}
	for column, name := range o.looked[r.side] {
		if o.isReference(name) {
			if v.values[column] != "" {
				x.referred(p, r, v, "", v.values[column])
			}
			continue
		}
		if held := v.values[column]; held != "" && held != "false" && o.writes(r.side, name) == nil && !(name == externalField && x.isOrTook(p.hub, held)) {
			x.violate("unmapped", "the new %s %s has %q in %s, and the mapping does not say so", r.object, r.id, held, name)
		}
	}
}

// archive judges a record that the program deleted.
func (x *oracle) archive(p *pair, r *record, v *version) {
	partner := p.on(r.side.Other())
	at := partner.versionAt(v.seq - 1)
	if s := partner.survivor(); s != partner {
		if n := s.versionAt(v.seq - 1); n >= 0 && s.versions[n].live && !x.wasDead(s, v.seq) {
			x.violate("merge", "%s %s was deleted because %s was merged into %s", r.object, r.id, partner.id, s.id)
		}
		return
	}
	switch {
	case p.o.deletes != "archive":
		x.violate("delete", "%s %s was deleted, and deletes says %s", r.object, r.id, p.o.deletes)
	case at < 0 || partner.versions[at].live && !x.wasDead(partner, v.seq):
		x.violate("delete", "%s %s was deleted, and its partner %s lives", r.object, r.id, partner.id)
	}
}

// wasDead tells whether a record was deleted when the program last looked, in
// the cycle of a write.
func (x *oracle) wasDead(r *record, seq int) bool {
	for i := range r.versions {
		if v := &r.versions[i]; !v.live && v.seq < seq && (i+1 == len(r.versions) || r.versions[i+1].seq > x.began) {
			return true
		}
	}
	return false
}

// account checks what the program says of the cycle: sums, brakes, journal.
func (x *oracle) account(c step, run *engine.Run, calm bool) {
	created, archived := 0, 0
	touched, fields, updated := map[key]crm.Op{}, map[key]bool{}, map[any]bool{}
	for _, r := range x.w.ledger.order {
		for n := range r.versions {
			v := &r.versions[n]
			if v.by != program || v.cycle != x.w.ledger.cycle || x.wentWithCompany(r, n) {
				continue
			}
			switch {
			case n == 0:
				created++
				touched[r.key] = crm.Create
			case !v.live:
				archived++
				touched[r.key] = crm.Archive
			case touched[r.key] == "" || touched[r.key] == crm.Update:
				touched[r.key] = crm.Update
				// An association is no update to a brake.
				if !fields[r.key] && !(r.side == crm.HubSpot && r.sameButCompany(&r.versions[n-1], v)) {
					fields[r.key] = true
					if p := x.pairOf(r); p != nil {
						updated[p] = true
					} else { // the process died before there was a link
						updated[[2]any{r.o, r.thing}] = true
					}
				}
			}
		}
	}
	f := x.w.story.family
	if !c.release && c.act == actSync {
		for _, b := range []struct {
			what     string
			n, limit int
		}{{"creates", created, f.creates}, {"updates", len(updated), f.updates}, {"deletes", archived, f.deletes}} {
			if b.limit > 0 && b.n > b.limit {
				x.violate("brake", "%d %s in one cycle, and the brake says %d", b.n, b.what, b.limit)
			}
		}
	}
	if !calm {
		x.broken[x.w.ledger.cycle] = true
	}
	if run == nil {
		return
	}
	if calm && !run.Closed {
		x.violate("sums", "the sums of run %d do not close: %+v", run.ID, run.Objects)
	}
	if calm && x.unsettled[run.ID] {
		x.violate("journal", "run %d ended well, and its journal has a write of which it does not say how it ended", run.ID)
	}
	for k, op := range touched {
		switch p := x.pairOf(x.w.ledger.records[k]); {
		case x.said[k]:
		case calm:
			x.violate("journal", "%s of %s %s is not in the journal of run %d", op, k.object, k.id, run.ID)
		case p == nil || op == crm.Create || x.planned[p.hub.id] || x.planned[p.sf.id]:
			// It was sent by a run that did not come to settle it: its plan names the
			// thing, or an intent does.
		default:
			x.violate("plan", "%s %s was written to, and neither plan nor journal names it", k.object, k.id)
		}
	}
}

// read takes the journal of the runs since the last time.
func (x *oracle) read(s *store.Store) {
	ctx := context.Background()
	x.said, x.unsettled = map[key]bool{}, map[int64]bool{}
	runs, err := s.Runs(ctx, 10)
	if err != nil {
		x.violate("store", "runs cannot be read: %v", err)
		return
	}
	slices.Reverse(runs)
	for _, run := range runs {
		if run.ID <= x.runs {
			continue
		}
		if x.runs = run.ID; run.Kind != "plan" {
			x.cycleOf[run.ID] = x.w.ledger.cycle
		}
		err := engine.JournalOf(ctx, s, run.ID, func(e engine.JournalEntry) error {
			k := key{e.Record.Side, e.Record.Object, e.Record.ID}
			x.said[k] = true
			if e.Result == "sent" {
				x.unsettled[run.ID] = true
			}
			if strings.HasPrefix(e.Result, "refused") {
				return nil // nothing came of it
			}
			if e.Op == crm.Archive {
				x.journal = append(x.journal, journalled{key: k, seq: x.w.ledger.seq, op: e.Op, maybe: e.Result != "done"})
			}
			for _, ch := range e.Changes {
				before, after := "", ""
				if ch.Before != nil {
					before = *ch.Before
				}
				if ch.After != nil {
					after = *ch.After
				}
				if e.Op == crm.Update && before == after {
					x.violate("echo", "run %d wrote %q to %s of %s %s, and knew that it was there", run.ID, after, ch.Field, k.object, k.id)
				}
				x.journal = append(x.journal, journalled{k, x.w.ledger.seq, e.Op, ch.Field, after, e.Result != "done"})
			}
			return nil
		})
		if err != nil {
			x.violate("journal", "the journal of run %d cannot be read: %v", run.ID, err)
		}
	}
}
