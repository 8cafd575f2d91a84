package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

const (
	// applyBatch is how many things are sent and committed together: five
	// Salesforce collections of 200 fit one composite call.
	applyBatch = 1000
	// applyGrace is how long a batch that is under way may go on after the run
	// was told to stop, so that its answers are known and saved.
	applyGrace = 20 * time.Second
)

// job is one thing of the plan on its way out.
type job struct {
	row   store.PlanRow
	d     *decided
	sends []*send
	// prepared: its references were looked up, so a send that is not ready
	// waits for a record, not for its turn.
	prepared bool
	// final outcome and reason; empty until known.
	outcome crm.Outcome
	reason  crm.Reason
	// now: this run tries again.
	now bool
	// reread are records that changed under the plan, as they are now.
	reread []store.Change
	awaits []store.Await
	// doubted are linked records that a vendor does not find when it is to relate
	// this thing to them.
	doubted []standKey
	// was is what the store knew of it before its undo; nil in every other run,
	// and for a thing of which nothing left. revived is what an undo brought back.
	was     *before
	revived *revived
}

// send is one write of a job.
type send struct {
	job     *job
	planned *reconcile.PlannedWrite
	changes []reconcile.Change // with references resolved
	write   crm.Write
	ready   bool // its references are known
	moot    bool // it cannot be, and need not be
	result  crm.Result
	sent    bool
	// joined: its answer was lost, and what was found may be somebody else's.
	joined bool
	// seq and at are its entry in the journal, made before it leaves; 0 where the
	// id to write to is only known once another write has come back.
	seq int64
	at  time.Time
}

func (s *send) ok() bool { return s.sent && s.result.Err == nil && !s.result.Unknown }

// mayHave tells whether it may have changed something: it was sent, and not refused.
func (s *send) mayHave() bool { return s.sent && (s.result.Err == nil || s.result.Unknown) }

// apply sends what the plan holds, object by object in the order of writes,
// and settles every thing of it. With block set, nothing is sent: things with
// writes become pending for that reason, everything else is settled.
func (e *Engine) apply(ctx context.Context, c *cycle, block *crm.Reason) error {
	sendCtx, release := withGrace(ctx)
	defer release()
	total := 0
	counts, err := e.store.CountPlan(ctx)
	if err != nil {
		return err
	}
	perObject := map[string]int{}
	for _, n := range counts {
		if n.Ops&store.Writes != 0 {
			perObject[n.Mapping] += n.Count
			total += n.Count
		}
	}
	for _, o := range e.mapping.Objects {
		m := e.meter(StepWrite, "", o.Name, perObject[o.Name])
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			for after := ""; ; {
				page, err := e.store.PlanPage(context.WithoutCancel(ctx), o.Name, side, after, applyBatch, true, 0)
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
					if perObject[o.Name] > 0 {
						m.add(b.withWrites)
					}
				}
				if len(page) < applyBatch {
					break
				}
			}
		}
		if perObject[o.Name] > 0 {
			m.end()
		}
	}
	return nil
}

// withGrace returns a context that ends a while after ctx does.
func withGrace(ctx context.Context) (context.Context, func()) {
	graced, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var mu sync.Mutex
	var timer *time.Timer
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		timer = time.AfterFunc(applyGrace, func() { cancel(ctx.Err()) })
	})
	return graced, func() {
		stop()
		mu.Lock()
		if timer != nil {
			timer.Stop()
		}
		mu.Unlock()
		cancel(nil)
	}
}

// batch is one page of the plan on its way out.
type batch struct {
	e          *Engine
	c          *cycle
	o          *mapping.BoundObject
	block      *crm.Reason
	jobs       []*job
	withWrites int
}

func (b *batch) run(ctx context.Context, page []store.PlanRow) error {
	for _, row := range page {
		d, err := decodeDecided(row.Body)
		if err != nil {
			return fault.New(fault.Internal, "read the plan of %s %s", row.Mapping, row.ID).Wrap(err).
				WithMend("run `lockstep sync` again: the plan is made anew")
		}
		j := &job{row: row, d: d}
		for i := range d.Writes {
			j.sends = append(j.sends, &send{job: j, planned: &d.Writes[i]})
		}
		if len(j.sends) > 0 && !b.ungated(j) {
			b.withWrites++
		}
		b.jobs = append(b.jobs, j)
	}
	if b.withWrites > 0 && b.block == nil && b.c.stopped == nil {
		if err := b.recheck(ctx); err != nil {
			b.stop(err)
		}
	}
	if b.withWrites > 0 && b.block == nil && b.c.stopped == nil {
		if err := b.resolve(ctx); err != nil {
			return err
		}
		if b.c.undoes != 0 {
			if err := b.keep(ctx); err != nil {
				b.stop(err)
			}
		} else if err := b.spare(ctx); err != nil {
			b.stop(err)
		}
		if err := b.intend(ctx); err != nil {
			return err
		}
		b.send(ctx, false)
		if err := b.unknown(ctx); err != nil {
			return err
		}
		b.resolveNear()
		b.send(ctx, true)
		if b.c.undoes != 0 {
			if err := b.revive(context.WithoutCancel(ctx)); err != nil {
				b.stop(err)
			}
		}
	}
	for _, j := range b.jobs {
		b.conclude(j)
	}
	return b.settle(context.WithoutCancel(ctx))
}

// deletes tells whether a record is to be archived.
func (j *job) deletes() bool {
	return slices.ContainsFunc(j.sends, func(s *send) bool { return s.planned.Op == crm.Archive })
}

// stop notes why the run cannot go on; the first reason stands.
func (b *batch) stop(err error) {
	if b.c.stopped == nil {
		b.c.stopped = err
	}
}

// recheck looks again at both records of things whose decision has grown old
// before an update or archive is sent: HubSpot has no conditional write, so
// this is how an edit made meanwhile is noticed. A record that was gone must
// still be gone: what was restored is not followed into its deletion, however
// young the decision; that it was gone may have been read long before.
func (b *batch) recheck(ctx context.Context) error {
	type lookupKey struct {
		side   crm.Side
		object string
	}
	ids := map[lookupKey][]string{}
	var jobs []*job
	for _, j := range b.jobs {
		old := j.d.FromSealed || b.e.olderThan(j.row.Decided, b.e.fresh) || b.c.undoes == 0 && j.deletes()
		if !old || len(j.sends) == 0 || j.row.Ops&^(store.CreatesInHubSpot|store.CreatesInSalesforce|store.RelatesSalesforce|store.RelatesHubSpot|store.LinksRecords|store.BreaksPolicy) == 0 && !j.d.FromSealed && !j.unrelates() {
			continue
		}
		jobs = append(jobs, j)
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			if ref, at := j.d.on(side); at.Print != 0 || j.d.gone(side) && ref.ID != "" {
				k := lookupKey{side, ref.Object}
				ids[k] = append(ids[k], ref.ID)
			}
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	records := map[crm.Side]map[string]*crm.Record{crm.HubSpot: {}, crm.Salesforce: {}}
	for _, k := range inOrder(ids) {
		if err := b.e.lookup(ctx, b.o, k.side, map[string][]string{k.object: ids[k]}, records[k.side]); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		var sides []string
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			ref, at := j.d.on(side)
			l := b.e.lens(b.o, side, ref.Object)
			if ref.ID == "" || l == nil || at.Print == 0 && !j.d.gone(side) {
				continue
			}
			r := records[side][ref.ID]
			if r == nil {
				r = &crm.Record{Layout: l.read.Layout, ID: ref.ID, Archived: true}
			}
			if same := at.Print != 0 && !r.Archived && l.print(b.o, r) == at.Print || at.Print == 0 && r.Archived; same {
				continue
			}
			sides = append(sides, changedOn(side, r.Archived))
			j.reread = append(j.reread, store.Change{Mapping: b.o.Name, Ref: ref, Due: true, Seen: l.look(r), Record: encodeRecord(r, l.layout), Wake: store.WakeChanged})
		}
		if len(j.reread) > 0 {
			j.outcome, j.now = crm.Pending, true
			j.reason = crm.Reason{Code: CodePendingChanged, Text: "the record changed after the plan was made; nothing was written to it",
				Mend: "make a new plan: `lockstep plan`"}
			b.c.leave(b.e, j.d, strings.Join(sides, ", "))
		}
	}
	return nil
}

func changedOn(side crm.Side, gone bool) string {
	if gone {
		return "it was deleted in " + side.Title()
	}
	return "it was changed in " + side.Title()
}

// gone tells whether the thing's record on side was archived or deleted when
// it was decided.
func (d *decided) gone(side crm.Side) bool {
	if side == crm.HubSpot {
		return d.HubGone
	}
	return d.SalesGone
}

// unrelates tells whether the thing ends an association, which a fresh look may
// forbid.
func (j *job) unrelates() bool {
	return slices.ContainsFunc(j.d.Writes, func(w reconcile.PlannedWrite) bool { return w.Op == crm.Unrelate })
}

// on returns the thing's record on side and what was seen of it.
func (d *decided) on(side crm.Side) (crm.Ref, sight) {
	if side == crm.HubSpot {
		return d.HubSpot, d.HubSpotAt
	}
	return d.Salesforce, d.SalesAt
}

// resolve turns references into ids of the side that is written to.
func (b *batch) resolve(ctx context.Context) error {
	wanted := wishes{}
	for _, j := range b.jobs {
		for _, s := range j.sends {
			for _, ch := range s.planned.Changes {
				if ch.Ref != nil {
					wanted[standKey{ch.RefMapping, *ch.Ref}] = struct{}{}
				}
			}
			if r := s.planned.Relation; r != nil && !r.Far.IsZero() {
				wanted[standKey{r.FarMapping, r.Far}] = struct{}{}
			}
		}
	}
	k, err := b.e.learn(ctx, wanted)
	if err != nil {
		return err
	}
	for _, j := range b.jobs {
		if j.outcome != "" {
			continue
		}
		j.prepared = true
		for i, s := range j.sends {
			b.prepare(j, s, k, i)
		}
	}
	return nil
}

// prepare makes the write of a send. A reference that did not come to be is
// left out, and the thing is decided again when it does.
func (b *batch) prepare(j *job, s *send, k *known, number int) {
	p := s.planned
	s.write = crm.Write{Key: fmt.Sprintf("%s/%d", intentKey(j.row.Mapping, j.row.Side, j.row.ID), number), Op: p.Op, Object: p.Object, ID: p.ID,
		ExternalField: p.ExternalField, ExternalValue: p.ExternalValue}
	for _, ch := range p.Changes {
		if ch.Ref != nil {
			far, standing := k.Counterpart(ch.RefMapping, *ch.Ref)
			if standing != reconcile.Linked || k.ByPlan(ch.RefMapping, *ch.Ref) {
				b.await(j, ch.RefMapping, *ch.Ref)
				continue
			}
			ch.After = crm.Text(far.ID)
		}
		s.changes = append(s.changes, ch)
		s.write.Fields = append(s.write.Fields, crm.FieldValue{Name: ch.Field, Value: ch.After})
	}
	b.keepOut(j, s)
	s.ready = p.Op == crm.Create || p.Op == crm.Archive || p.Op == crm.Restore || len(s.write.Fields) > 0
	if r := p.Relation; r != nil {
		s.write.Relation = crm.Relation{Label: r.Role, Primary: r.Primary, RowID: r.RowID}
		s.ready = true
		if r.FarField != "" {
			s.write.Junction = b.junction(p)
			s.write.Relation.Junction = r.Object
		}
		if r.FarID != "" {
			s.write.Relation.Object, s.write.Relation.ID = r.FarObject, r.FarID
		}
		if !r.Far.IsZero() {
			far, standing := k.Counterpart(r.FarMapping, r.Far)
			if standing != reconcile.Linked || k.ByPlan(r.FarMapping, r.Far) {
				b.await(j, r.FarMapping, r.Far)
				s.ready = false
				return
			}
			if r.FarObject != "" && far.Object != r.FarObject && (s.write.Junction == nil || !leadsTo(s.write.Junction, far.Object)) {
				s.ready = false // it became a Lead, which cannot have a role
				s.moot = true
				return
			}
			s.write.Relation.Object, s.write.Relation.ID = far.Object, far.ID
		}
	}
}

// junction is how the rows of a relation are read and written; where the mapping
// does not read them any more, as the plan says.
func (b *batch) junction(p *reconcile.PlannedWrite) *crm.Junction {
	r := p.Relation
	if l := b.e.lens(b.o, crm.Salesforce, p.Object); l != nil {
		for _, j := range l.read.Junctions {
			if j.Object == r.Object && j.Near == r.NearField && leadsTo(&j, r.FarObject) {
				return &j
			}
		}
	}
	return &crm.Junction{Object: r.Object, Near: r.NearField, Far: r.FarField, FarObject: r.FarObject, Label: r.LabelField, Primary: r.PrimaryField}
}

func leadsTo(j *crm.Junction, object string) bool {
	return slices.ContainsFunc(j.Ends(), func(end crm.JunctionEnd) bool { return end.Object == object })
}

// keepOut takes a reference out that must be blank because another one turned
// out to point to a Lead; it is decided again when the Lead is converted.
func (b *batch) keepOut(j *job, s *send) {
	lead, excluded := mapping.LeadExcludes(s.planned.Object)
	text := func(field string) string {
		for _, ch := range s.changes {
			if ch.Field == field {
				return ch.After.Text
			}
		}
		return ""
	}
	if lead == "" || text(excluded) == "" || !strings.HasPrefix(text(lead), mapping.LeadPrefix) {
		return
	}
	s.changes = slices.DeleteFunc(s.changes, func(ch reconcile.Change) bool { return ch.Field == excluded })
	s.write.Fields = slices.DeleteFunc(s.write.Fields, func(f crm.FieldValue) bool { return f.Name == excluded })
}

func (b *batch) await(j *job, name string, ref crm.Ref) {
	thing := j.d.HubSpot
	if j.row.Side == crm.Salesforce {
		thing = j.d.Salesforce
	}
	j.awaits = append(j.awaits, store.Await{Mapping: name, Ref: ref, ThingMapping: b.o.Name, Thing: thing})
}

// resolveNear gives relations the id of a record that was just created.
func (b *batch) resolveNear() {
	for _, j := range b.jobs {
		for _, s := range j.sends {
			if s.planned.Relation == nil || s.write.ID != "" {
				continue
			}
			for _, made := range j.sends {
				if made.planned.Op == crm.Create && made.planned.Side == s.planned.Side && made.ok() {
					s.write.ID = made.result.ID
				}
			}
			if s.write.ID == "" {
				s.ready = false
			}
		}
	}
}

// intend commits what is about to leave: an entry in the journal for every
// write, and an intent for every create.
func (b *batch) intend(ctx context.Context) error {
	var leaving []*send
	creates := false
	for _, j := range b.jobs {
		for _, s := range j.sends {
			if !s.ready || j.outcome != "" || s.planned.Op != crm.Create && s.write.ID == "" {
				continue
			}
			creates = creates || s.planned.Op == crm.Create
			leaving = append(leaving, s)
		}
	}
	if len(leaving) == 0 {
		return nil
	}
	write := b.e.store.Write
	if creates {
		write = b.e.store.WriteDurable
	}
	var ahead *settlement
	if b.c.undoes != 0 {
		var err error
		if ahead, err = b.undoing(ctx); err != nil {
			return err
		}
		write = b.e.store.WriteDurable
	}
	sent := b.e.now()
	return write(ctx, func(t *store.Tx) error {
		next, err := t.NextJournal()
		if err != nil {
			return err
		}
		entries := make([]store.Entry, len(leaving))
		var intents []store.Intent
		for i, s := range leaving {
			s.seq, s.at = next+int64(i), sent
			entries[i] = b.sentEntry(s, sent)
			if s.planned.Op != crm.Create {
				continue
			}
			body := b.intentBody(s)
			row := s.job.row
			intents = append(intents, store.Intent{Key: intentKey(row.Mapping, row.Side, row.ID), Mapping: row.Mapping,
				Target: crm.Ref{Side: s.planned.Side, Object: s.planned.Object, ID: row.ID},
				Hash:   newHasher().text(string(body)).sum(), Sent: sent, Seq: s.seq, Body: body})
		}
		if err := t.AppendJournal(entries); err != nil {
			return err
		}
		written := map[crm.Side][]string{}
		for _, s := range leaving {
			if s.write.ID != "" {
				written[s.planned.Side] = append(written[s.planned.Side], s.write.ID)
			}
		}
		for side, ids := range written {
			if err := t.ForgetRecords(b.o.Name, side, ids); err != nil {
				return err
			}
		}
		if ahead != nil {
			if _, err := ahead.save(t, b.o.Name); err != nil {
				return err
			}
		}
		return t.PutIntents(intents)
	})
}

// send sends records, or relations once their records are there; both sides at
// once, objects of one side one after the other.
func (b *batch) send(ctx context.Context, relations bool) {
	type lane struct {
		side   crm.Side
		object string
	}
	lanes := map[crm.Side][]lane{}
	sends := map[lane][]*send{}
	for _, j := range b.jobs {
		for _, s := range j.sends {
			if !s.ready || s.sent || j.outcome != "" || (s.planned.Relation != nil) != relations {
				continue
			}
			k := lane{s.planned.Side, s.planned.Object}
			if sends[k] == nil {
				lanes[k.side] = append(lanes[k.side], k)
			}
			sends[k] = append(sends[k], s)
		}
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	for side, list := range lanes {
		group.Go(func() {
			for _, k := range list {
				mu.Lock()
				stopped := b.c.stopped != nil
				mu.Unlock()
				if stopped {
					return
				}
				if err := b.e.sendLane(ctx, side, sends[k]); err != nil {
					mu.Lock()
					b.stop(err)
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
}

// sendLane sends writes of one object and gives each its result.
func (e *Engine) sendLane(ctx context.Context, side crm.Side, sends []*send) error {
	writes := make([]crm.Write, len(sends))
	byKey := make(map[string]*send, len(sends))
	for i, s := range sends {
		writes[i] = s.write
		byKey[s.write.Key] = s
	}
	results, err := e.sides[side].Apply(ctx, writes)
	for _, r := range results {
		if s := byKey[r.Key]; s != nil {
			s.result, s.sent = r, true
			if err != nil && r.Err != nil && !r.Unknown && r.Cause == "" {
				s.sent = false // it never left
			}
			delete(byKey, r.Key)
		}
	}
	for _, s := range byKey {
		// A client that does not answer for a write leaves it open.
		s.sent = true
		s.result = crm.Result{Key: s.write.Key, Unknown: true, Err: fault.New(fault.Unavailable, "no answer for this record")}
	}
	return err
}

// unknown looks up creates whose answer was lost before anything else is done
// with them.
func (b *batch) unknown(ctx context.Context) error {
	var lost []*send
	for _, j := range b.jobs {
		for _, s := range j.sends {
			if s.sent && s.result.Unknown && s.planned.Op == crm.Create {
				lost = append(lost, s)
			}
		}
	}
	if len(lost) == 0 {
		return nil
	}
	intents, err := b.e.store.Intents(ctx)
	if err != nil {
		return err
	}
	mine := map[string]*send{}
	for _, s := range lost {
		mine[intentKey(b.o.Name, s.job.row.Side, s.job.row.ID)] = s
	}
	var open []store.Intent
	for _, i := range intents {
		if mine[i.Key] != nil {
			open = append(open, i)
		}
	}
	taken := map[uint64]bool{} // by other creates of this batch, whose links are not kept yet
	for _, j := range b.jobs {
		for _, s := range j.sends {
			if s.planned.Op == crm.Create && s.ok() {
				taken[thingKey(s.planned.Side, s.result.ID)] = true
			}
		}
	}
	fates, err := b.e.fates(ctx, open, taken)
	if err != nil {
		// The other side cannot be looked at now: the intents stay open.
		b.stop(err)
		return nil
	}
	for _, i := range open {
		s := mine[i.Key]
		switch f := fates[i.Key]; {
		case f.id != "":
			s.result = crm.Result{Key: s.write.Key, ID: f.id, Created: true}
			text := "the answer to the create was lost, and a record with the same key and other values was there: the two are linked and compared first"
			if f.gone {
				text = "the answer to the create was lost, and somebody has deleted what it made: the two are linked, and that is decided as a deletion"
			}
			if !f.ours || f.gone {
				s.joined, s.job.now = true, true
				s.job.outcome = crm.Pending
				s.job.reason = crm.Reason{Code: CodePendingUnknownCreate, Text: text}
			}
		case f.several:
			s.job.outcome, s.job.reason = crm.Held, severalReason(i.Target.Side)
		default:
			s.job.now = true
			s.job.outcome = crm.Pending
			s.job.reason = crm.Reason{Code: CodePendingUnknownCreate, Text: "the create did not arrive; it is sent again"}
		}
	}
	return nil
}
