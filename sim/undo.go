package main

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// Every history ends with the undo of one of its runs, drawn by the seed; in some
// the process dies meanwhile and the undo is run again. Then everything that the
// run changed and nobody else changed since has to be as it was before the run,
// nothing else may be touched, and the syncs that follow may neither repeat nor
// reverse it.

// undo undoes a run and judges. It wants a world at rest.
func (w *world) undo() {
	x := w.oracle
	random := rand.New(rand.NewPCG(w.seed, 0x0d0))
	id, cycle := x.drawRun(random)
	if id == 0 {
		return
	}
	s := step{act: actUndo}
	if random.IntN(3) == 0 {
		s.moment, s.dieAt = []string{"before commit", "after commit", "before call", "after call"}[random.IntN(4)], 1+random.IntN(16)
	}
	w.say("the end: undo of run %d, %s %d", id, s.moment, s.dieAt)
	rests := x.rests()
	was := map[*record]int{}
	for _, r := range w.ledger.order {
		was[r] = len(r.versions) - 1
	}
	died := false
	for tries := 0; ; tries++ {
		crashed, err := w.undoOnce(id, s)
		if crashed && tries == 0 {
			s, died = step{act: actUndo}, true
			continue
		}
		if err != nil {
			x.violate("error", "the undo of run %d ended with %v", id, err)
			return
		}
		break
	}
	for _, r := range w.ledger.order {
		if n, ok := was[r]; ok {
			x.undone(r, cycle, n)
		} else {
			x.violate("undo", "the undo of run %d made %s %s", id, r.object, r.id)
		}
	}
	if !rests || died {
		return // what a death left unsaid is linked like any two records that match
	}
	before := w.ledger.writes
	for _, complete := range []bool{false, true, false} {
		w.pass(20 * 60e9)
		if _, err := w.cycle(step{act: actSync, release: true, complete: complete}); err != nil {
			x.violate("error", "a sync after the undo of run %d ended with %v", id, err)
		}
	}
	if n := w.ledger.writes - before; n > 0 {
		x.violate("redo", "run %d was undone, nobody changed anything, and syncs wrote %d times", id, n)
	}
}

// undoOnce plans the undo and carries it out, as far as the process lives.
func (w *world) undoOnce(id int64, s step) (crashed bool, err error) {
	if !w.need() {
		return false, errDead
	}
	p := w.process
	w.arm(p, s)
	w.oracle.begin(s)
	var plan *engine.UndoPlan
	var run *engine.Run
	err = p.do(func(ctx context.Context) (err error) {
		if plan, err = p.engine.PlanUndo(ctx, id, engine.UndoOptions{}); err != nil || !w.trace.keep {
			return err
		}
		return plan.Items(ctx, engine.ItemFilter{}, func(it engine.Item) error {
			w.say("  %s %s: %s %s", it.Mapping, it.Title, it.Outcome, it.Reason.Text)
			for _, n := range it.Notes {
				w.say("    %s", n.Text)
			}
			return nil
		})
	})
	w.oracle.dry("plan of an undo")
	if err == nil {
		err = p.do(func(ctx context.Context) (err error) {
			run, err = p.engine.Undo(ctx, plan, true)
			return err
		})
	}
	crashed = w.disarm(p)
	if run != nil {
		w.say("  run %d %s, %+v, wrote %+v, err %v", run.ID, run.Status, run.Tally, run.Writes, err)
		if err == nil && !run.Closed {
			w.oracle.violate("sums", "the sums of the undo of run %d do not close: %+v", id, run.Objects)
		}
	}
	w.oracle.take(p.store)
	if crashed {
		w.restart()
	}
	return crashed, err
}

// drawRun draws one of the runs that wrote something.
func (x *oracle) drawRun(random *rand.Rand) (id int64, cycle int) {
	var ids []int64
	for id, cycle := range x.cycleOf {
		if slices.ContainsFunc(x.w.ledger.order, func(r *record) bool { return r.writtenIn(cycle) >= 0 }) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return 0, 0
	}
	slices.Sort(ids)
	id = ids[random.IntN(len(ids))]
	return id, x.cycleOf[id]
}

// rests tells whether nothing waits for anything that an undo could bring about:
// no record is held or failed, and nothing that the program wrote to is outside the
// filter, which the undo may lead back in.
func (x *oracle) rests() bool {
	for k, c := range x.outcomes {
		if c.Outcome == crm.Held || c.Outcome == crm.Failed || c.Outcome == crm.Pending || c.Outcome == crm.Excluded && (c.Linked || x.everWritten(k)) {
			return false
		}
	}
	return true
}

func (x *oracle) everWritten(k key) bool {
	r := x.w.ledger.records[k]
	return r != nil && slices.ContainsFunc(r.versions, func(v version) bool { return v.by == program })
}

// writtenIn is the first version that the program wrote in a cycle; -1: none.
func (r *record) writtenIn(cycle int) int {
	return slices.IndexFunc(r.versions, func(v version) bool { return v.by == program && v.cycle == cycle })
}

// undone judges what the undo of the run of a cycle made of one record; n is the
// version that stood before.
func (x *oracle) undone(r *record, cycle, n int) {
	first, was, now := r.writtenIn(cycle), &r.versions[n], r.last()
	if first < 0 {
		// A person deleted it while our own delete was under way, or put there what we
		// meant to write, and no answer came: nobody can tell whose it was.
		ours := now.live && !was.live && slices.ContainsFunc(x.journal, func(j journalled) bool { return j.key == r.key && j.op == crm.Archive }) ||
			now.live && was.live && x.maybeOurs(r, now, was)
		if !ours && now != was && (now.live != was.live || !r.sameButCompany(now, was)) {
			x.violate("undo", "%s %s was not written by the run, and its undo changed it", r.object, r.id)
		}
		return
	}
	last := first
	for i := first; i <= n; i++ {
		if v := &r.versions[i]; v.by == program && v.cycle == cycle {
			last = i
		}
	}
	others := last < n // somebody, or another run, wrote to it since
	switch {
	case first == 0:
		x.unmade(r, last, n)
	case !r.versions[last].live && r.versions[first-1].live:
		if r.side == crm.Salesforce && !others && !now.live && !x.idTaken(r) {
			x.violate("undo", "%s %s was archived by the run, and its undo did not restore it", r.object, r.id)
		}
	case !was.live || !now.live:
		if was.live && !now.live {
			x.violate("undo", "%s %s was there before the run, and its undo archived it", r.object, r.id)
		}
	case r.once != nil && now.seq == was.seq:
		// It was merged and restored since, and its pair is another record's: listed.
	case now.seq == was.seq && r.restored(was.seq+1) && x.succeeded(r):
		// It was deleted and restored since, and a duplicate has its place: listed.
	case now.seq == was.seq && x.keptBack(r, cycle):
	default:
		for column, name := range r.o.looked[r.side] {
			if r.o.isReference(name) {
				x.companyBack(r, cycle, first, n, column)
			} else {
				x.givenBack(r, cycle, first, n, column, name)
			}
		}
	}
}

// unmade judges a record that the run made.
func (x *oracle) unmade(r *record, last, n int) {
	was, now := &r.versions[n], r.last()
	edited := false // a field holds what the program did not write, and could tell
	p := x.pairOf(r)
	held := p != nil && p.outcome == crm.Held // it settled nothing since, by which it could tell
	for column, name := range r.o.looked[r.side] {
		f := r.o.writes(r.side, name)
		edited = edited || f != nil && !x.byProgram(r, column) && !x.filled(r, column, was.seq) &&
			(f.flows(r.side.Other()) && !r.putBack(column, n) && !held || !r.soonAfterUs(column, was.seq))
	}
	switch {
	case was.live && now.live && (x.hangOn(r) || x.partnerMerged(r)):
	case was.live && last == n && now.live:
		x.violate("undo", "%s %s was made by the run, nobody touched it, and its undo left it", r.object, r.id)
	case was.live && edited && !now.live:
		x.violate("undo", "%s %s was made by the run and edited by somebody, and its undo archived it", r.object, r.id)
	case !was.live && now.live:
		x.violate("undo", "%s %s had been made by the run and was gone, and its undo brought it back", r.object, r.id)
	}
}

// succeeded tells whether the partner that a record had is another one's by now.
func (x *oracle) succeeded(r *record) bool {
	p := x.pairOf(r)
	return p != nil && !p.stands && x.standing(p.on(r.side.Other()).survivor()) != nil
}

// keptBack tells whether the undo of a thing is held as a whole: its other record
// was made by the run and came to this one by a merge, and people hang on it.
func (x *oracle) keptBack(r *record, cycle int) bool {
	p := x.pairOf(r)
	if p == nil {
		return false
	}
	made := p.on(r.side.Other())
	return made.first().by == program && made.first().cycle == cycle && x.hangOn(made)
}

// maybeOurs tells whether all that two versions differ in stood at what the program
// sent to it: without an answer, or just after people had put the same there.
func (x *oracle) maybeOurs(r *record, now, was *version) bool {
	for column, name := range r.o.looked[r.side] {
		if now.values[column] == was.values[column] || r.o.isReference(name) {
			continue
		}
		f := r.o.writes(r.side, name)
		if f == nil || !slices.ContainsFunc(x.journal, func(j journalled) bool {
			return j.key == r.key && j.field == name && f.canon(r.side, j.after) == f.canon(r.side, was.values[column])
		}) {
			return false
		}
	}
	return true
}

// sameButCompany compares all values but the company, which goes and comes with
// the company's own record.
func (r *record) sameButCompany(a, b *version) bool {
	for column, name := range r.o.looked[r.side] {
		if a.values[column] != b.values[column] && !r.o.isReference(name) {
			return false
		}
	}
	return true
}

// soonAfterUs tells whether what a column holds at seq was put there so soon
// after a write of the program that its stamp does not tell the two apart.
func (r *record) soonAfterUs(column, seq int) bool {
	for i := r.versionAt(seq); i > 0; i-- {
		if r.versions[i].values[column] == r.versions[i-1].values[column] {
			continue
		}
		for k := range r.versions {
			if r.versions[k].by == program && r.versions[i].stamp <= r.versions[k].stamp+settles {
				return true
			}
		}
		return false
	}
	return false
}

// putBack tells whether a column holds at version n what the program wrote last,
// and nobody showed the program what people had put there in between.
func (r *record) putBack(column, n int) bool {
	ours := n
	for ours > 0 && r.versions[ours].by != program {
		ours--
	}
	return r.versions[ours].by == program && r.versions[ours].values[column] == r.versions[n].values[column] &&
		!slices.ContainsFunc(r.readings, func(x reading) bool {
			return x.version > ours && x.version < n && r.versions[x.version].values[column] != r.versions[n].values[column]
		})
}

// givenBack judges one field of a record that was there before and is there now.
func (x *oracle) givenBack(r *record, cycle, first, n, column int, name string) {
	canon := func(v string) string {
		if f := r.o.fieldOf(r.side, name); f != nil {
			return f.canon(r.side, v)
		}
		return v
	}
	before, known, after, changed, others := "", "", "", false, false
	var newest *version                  // that changed it
	seen := r.versions[n].values[column] // by the program when it wrote
	if values, _, ok := r.known(r.versions[first].seq - 1); ok {
		seen = values[column]
	}
	for i := first; i <= n; i++ {
		v := &r.versions[i]
		switch {
		case r.versions[i-1].values[column] == v.values[column]:
			continue
		case v.by != program || v.cycle != cycle:
			others = others || changed
		case !changed:
			before, changed = r.versions[i-1].values[column], true
			known = before
			if values, _, ok := r.known(v.seq - 1); ok {
				known = values[column] // an edit of the last moment was not seen
			}
			after = v.values[column]
		default:
			after = v.values[column]
		}
		newest = v
	}
	was, now := canon(r.versions[n].values[column]), canon(r.last().values[column])
	switch {
	case name == moreEmails: // HubSpot keeps former addresses there by itself
	case !changed && now == canon(seen): // somebody had made the same change in the last moment
	case !changed && was != now:
		x.violate("undo", "%s of %s %s was not changed by the run, and its undo changed it from %q to %q", name, r.object, r.id, was, now)
	case changed && !others && now != canon(before) && now != canon(known) && !x.cannotGiveBack(r, name) && !x.companyGone(r, first):
		x.violate("undo", "%s of %s %s was %q before the run, which made it %q; after its undo it is %q", name, r.object, r.id, before, was, now)
	case changed && others && now != was && now != canon(before) && now != canon(known):
		x.violate("undo", "%s of %s %s was %q, and the undo made it %q, which it was not before the run: %q", name, r.object, r.id, was, now, before)
	case changed && others && now != was && (was != canon(after) || newest.by == program && newest.cycle != cycle && !newest.lost):
		x.violate("undo", "%s of %s %s was made %q by the run and %q since, and its undo made it %q", name, r.object, r.id, after, was, now)
	}
}

// companyBack judges the company of such a record, where the run alone changed it.
func (x *oracle) companyBack(r *record, cycle, first, n, column int) {
	before, known, changed, others := "", "", false, false
	for i := first; i <= n; i++ {
		v := &r.versions[i]
		switch {
		case v.values[column] == r.versions[i-1].values[column]:
		case v.by != program || v.cycle != cycle || x.wentWithCompany(r, i):
			others = true
		case !changed:
			before, changed = r.versions[i-1].values[column], true
			known = before
			if values, _, ok := r.known(v.seq - 1); ok {
				known = values[column]
			}
		}
	}
	now, company := r.last().values[column], x.companyRecord(r.side, before)
	if changed && !others && now != before && now != known && (company != nil && company.live() || before == "" && (r.side == crm.Salesforce || len(x.secondary(r)) == 0)) {
		x.violate("undo", "%s %s was of company %q before the run; after its undo it is of %q", r.object, r.id, before, now)
	}
}

// idTaken tells whether Salesforce has to refuse to restore a record, because
// another one carries its external id by now.
func (x *oracle) idTaken(r *record) bool {
	column := r.o.place[r.side][externalField]
	id := r.last().values[column]
	return id != "" && slices.ContainsFunc(x.w.ledger.order, func(c *record) bool {
		return c != r && c.o == r.o && c.side == r.side && c.live() && c.last().values[column] == id
	})
}

// cannotGiveBack tells whether HubSpot has to refuse to give an address back,
// because another contact has it by now.
func (x *oracle) cannotGiveBack(r *record, name string) bool {
	return r.side == crm.HubSpot && r.o.key.kind == email && name == r.o.key.hub
}
