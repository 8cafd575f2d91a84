package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

const (
	// decideBatch is how many changes are decided and committed together.
	decideBatch = 500
	// candidateLimit bounds how many records with one match key are looked at:
	// more than one is ambiguous already, the rest is for the message.
	candidateLimit = 10
)

// reconcile decides every due change and writes the plan. It reads what the
// decisions need, and writes nothing outside.
func (e *Engine) reconcile(ctx context.Context, c *cycle) error {
	if err := e.store.Write(ctx, func(t *store.Tx) error { return t.ClearPlan() }); err != nil {
		return err
	}
	open, err := e.openIntents(ctx)
	if err != nil {
		return err
	}
	for _, o := range e.mapping.Objects {
		m := e.meter(StepDecide, "", o.Name, -1)
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			for after := ""; ; {
				if err := ctx.Err(); err != nil {
					return err
				}
				page, err := e.store.DueChanges(ctx, o.Name, side, after, decideBatch)
				if err != nil {
					return err
				}
				if len(page) > 0 {
					after = page[len(page)-1].Ref.ID
					d := newDecider(e, c, o, side)
					d.open = open
					if err := d.batch(ctx, page); err != nil {
						return err
					}
					m.add(len(page))
				}
				if len(page) < decideBatch {
					break
				}
			}
		}
		m.end()
	}
	return nil
}

// decider decides one batch of changes of one side.
type decider struct {
	e    *Engine
	c    *cycle
	o    *mapping.BoundObject
	side crm.Side
	open map[string]bool

	// stale are match keys that turned out not to hold any more, by side.
	stale map[crm.Side][]store.Key
	// learned are keys of records that were met on the way.
	learned map[crm.Side][]store.Key
	// forget are unlinked records that are no more.
	forget []string
	// claimed are other-side records taken in this batch.
	claimed map[string]crm.Ref
	// asks and answering are the questions of the batch's records (noteQuestions).
	asks      []store.Ask
	answering []store.Key
	// taken are what archives in Salesforce would take along, by record id.
	taken map[string]crm.Ref
}

// subject is one thing on its way to a decision.
type subject struct {
	snapshot reconcile.Snapshot
	link     *store.Link
	ref      crm.Ref // the changed record
	at       map[crm.Side]sight
	absorbed []absorbed // its records that became part of others
	// undone is what is remembered of a thing for which a run was undone; nil for
	// every other.
	undone *store.Outcome
	wake   store.Wake
	// lookedUp: it was read by id for this decision, and may not have been seen.
	lookedUp bool
}

// followLimit bounds how often one batch is looked at again because a record
// turned out to have been merged into another one.
const followLimit = 6

func (d *decider) batch(ctx context.Context, page []store.Change) error {
	return d.batchOf(ctx, page, followLimit)
}

// newDecider returns a decider of an object's things; c and side may be unset
// where nothing is put into a plan.
func newDecider(e *Engine, c *cycle, o *mapping.BoundObject, side crm.Side) *decider {
	d := &decider{e: e, c: c, o: o, side: side}
	d.begin()
	return d
}

// begin forgets what a batch found out.
func (d *decider) begin() {
	d.forget, d.stale, d.learned, d.claimed = nil, map[crm.Side][]store.Key{}, map[crm.Side][]store.Key{}, map[string]crm.Ref{}
	d.asks, d.answering, d.taken = nil, nil, nil
}

func (d *decider) batchOf(ctx context.Context, page []store.Change, followings int) error {
	d.begin()
	ids := make([]string, len(page))
	for i := range page {
		ids[i] = page[i].Ref.ID
	}
	if d.side == crm.Salesforce {
		// What a HubSpot record's decision took along is decided already.
		rows, err := d.e.store.PlanRows(ctx, d.o.Name, crm.Salesforce, ids)
		if err != nil {
			return err
		}
		page = slices.DeleteFunc(page, func(c store.Change) bool { _, ok := rows[c.Ref.ID]; return ok })
	}
	if len(page) == 0 {
		return nil
	}
	records, err := d.values(ctx, d.side, page)
	if err != nil {
		return err
	}
	links, err := d.e.store.Links(ctx, d.o.Name, d.side, ids)
	if err != nil {
		return err
	}
	aliases, err := d.e.aliasesFor(ctx, d.o, d.side, ids)
	if err != nil {
		return err
	}
	subjects := make([]*subject, 0, len(page))
	for i := range page {
		r := records[page[i].Ref.ID]
		s := &subject{ref: page[i].Ref, at: map[crm.Side]sight{}, wake: page[i].Wake, lookedUp: len(page[i].Record) == 0}
		if l, ok := links[page[i].Ref.ID]; ok {
			l.Base = d.e.rebase(d.o, l.Base)
			s.link = &l
			s.snapshot.Link, s.snapshot.Departed = &s.link.Link, l.Departed
		}
		if s.link == nil && (r == nil || r.Archived && r.MergedInto == "") {
			d.forget = append(d.forget, page[i].Ref.ID)
			d.c.ledger(d.o.Name).end(thingKey(d.side, page[i].Ref.ID))
			continue
		}
		s.snapshot.Alias = aliases[page[i].Ref.ID]
		d.put(s, d.side, page[i].Ref.Object, r)
		subjects = append(subjects, s)
	}
	if err := d.counterparts(ctx, subjects); err != nil {
		return err
	}
	if err := d.tookIn(ctx, subjects); err != nil {
		return err
	}
	if followings > 0 {
		if next, err := d.follow(ctx, page, subjects); next != nil || err != nil {
			if err != nil {
				return err
			}
			return d.batchOf(ctx, next, followings-1)
		}
	}
	if err := d.noteKeys(ctx, subjects); err != nil {
		return err
	}
	if err := d.candidates(ctx, subjects); err != nil {
		return err
	}
	if err := d.answers(ctx, subjects); err != nil {
		return err
	}
	for _, s := range subjects {
		d.editedSinceCreate(s)
	}
	if err := d.rest(ctx, subjects); err != nil {
		return err
	}
	if err := d.ties(ctx, subjects); err != nil {
		return err
	}
	wanted := wishes{}
	for _, s := range subjects {
		wanted.of(d.e, d.o, &s.snapshot)
	}
	k, err := d.e.learn(ctx, wanted)
	if err != nil {
		return err
	}
	if err := d.doubtMissing(ctx, subjects, k); err != nil {
		return err
	}
	if err := d.conflicts(ctx, subjects); err != nil {
		return err
	}
	if d.taken, err = d.cascading(ctx, subjects); err != nil {
		return err
	}
	rows, err := d.decideAll(ctx, subjects, k)
	if err != nil {
		return err
	}
	return d.e.store.Write(ctx, func(t *store.Tx) error {
		for side, keys := range d.stale {
			if err := t.DropKeys(d.o.Name, side, keys); err != nil {
				return err
			}
		}
		for side, keys := range d.learned {
			if err := t.PutKeys(d.o.Name, side, keys); err != nil {
				return err
			}
		}
		if len(d.forget) > 0 {
			if err := t.DropOutcomes(d.o.Name, d.side, d.forget); err != nil {
				return err
			}
			if err := t.DropChanges(d.o.Name, d.side, d.forget); err != nil {
				return err
			}
			if err := t.DropAliases(d.o.Name, d.side, d.forget); err != nil {
				return err
			}
			if err := t.DropKin(d.o.Name, d.side, d.forget); err != nil {
				return err
			}
			if err := t.DropConflicts(d.o.Name, d.side, d.forget); err != nil {
				return err
			}
			if _, err := t.FireAwaits(d.o.Name, d.side, d.forget); err != nil {
				return err
			}
		}
		if err := t.FireAsks(d.o.Name, d.answering); err != nil {
			return err
		}
		if err := t.PutAsks(d.asks); err != nil {
			return err
		}
		return t.PutPlan(rows)
	})
}

// noteKeys keeps unseenKeys, so that the candidates of the same batch find them.
func (d *decider) noteKeys(ctx context.Context, subjects []*subject) error {
	hubspot, salesforce := d.unseenKeys(subjects, crm.HubSpot), d.unseenKeys(subjects, crm.Salesforce)
	if len(hubspot)+len(salesforce) == 0 {
		return nil
	}
	return d.e.store.Write(ctx, func(t *store.Tx) error {
		if err := t.PutKeys(d.o.Name, crm.HubSpot, hubspot); err != nil {
			return err
		}
		return t.PutKeys(d.o.Name, crm.Salesforce, salesforce)
	})
}

// unseenKeys are the match keys of linked records that were not seen since we
// made or wrote them, and of what was looked up, such as the survivor of a merge:
// this decision may be the only look that is taken.
func (d *decider) unseenKeys(subjects []*subject, side crm.Side) []store.Key {
	var keys []store.Key
	for _, s := range subjects {
		if s.link == nil {
			if l := d.e.lens(d.o, side, s.ref.Object); s.lookedUp && side == d.side && l != nil && s.at[side].Seen != 0 {
				keys = append(keys, keysOf(d.o, l, d.recordOf(s))...)
			}
			continue
		}
		r, object, seen := s.snapshot.HubSpot, d.o.HubSpot, s.link.SeenHubSpot
		if side == crm.Salesforce {
			r, object, seen = s.snapshot.Salesforce, s.link.SalesforceObject, s.link.SeenSalesforce
		}
		if l := d.e.lens(d.o, side, object); r != nil && l != nil && seen == 0 && s.at[side].Seen != 0 {
			keys = append(keys, keysOf(d.o, l, r)...)
		}
	}
	return keys
}

// editedSinceCreate fills in the base of a record that we created and that
// somebody edited before we saw it for the first time. What we did not write
// was blank then; without an edit it is what the vendor filled in by itself,
// which reconcile takes as it finds it.
func (d *decider) editedSinceCreate(s *subject) {
	if s.link == nil {
		return
	}
	target := d.o.Target(s.link.SalesforceObject)
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		r, object := s.snapshot.HubSpot, d.o.HubSpot
		if side == crm.Salesforce {
			r, object = s.snapshot.Salesforce, s.link.SalesforceObject
		}
		if r != nil && target != nil && isEdited(r) {
			settleBlank(d.o, target, s.link.Base, side, object, r.Layout)
		}
	}
}

// settleBlank says in a base of what is open on a side, while the other side's
// value is known, that it was blank: whatever stands there now is a change.
func settleBlank(o *mapping.BoundObject, target *mapping.BoundTarget, b crm.Base, side crm.Side, object string, l *crm.Layout) {
	base, other := b.HubSpot, b.Salesforce
	if side == crm.Salesforce {
		base, other = other, base
	}
	if !slices.Contains(base, 0) {
		return
	}
	blank := &crm.Record{Layout: l, Values: make([]crm.Value, len(l.Fields))}
	for i := range blank.Values {
		blank.Values[i].State = crm.Blank
	}
	print := reconcile.Fingerprint(o, side, object, blank)
	for i := range target.Fields {
		if n := target.Fields[i].Slot; target.Fields[i].Program == nil && n < len(base) && n < len(print) && n < len(other) && base[n] == 0 && other[n] != 0 {
			base[n] = print[n]
		}
	}
}

// createSettles is how long after a create a vendor's own automation may still
// fill in fields; what is modified later was edited by somebody.
const createSettles = 10 * time.Second

func isEdited(r *crm.Record) bool {
	return r.CreatedMicros > 0 && time.Duration(r.ModifiedMicros-r.CreatedMicros)*time.Microsecond > createSettles
}

// follow follows what became part of other records between the look and the
// decision, and returns the page to decide instead; nil when there is nothing
// to follow.
func (d *decider) follow(ctx context.Context, page []store.Change, subjects []*subject) ([]store.Change, error) {
	f := d.e.follower(ctx, d.o, d.c.ledger(d.o.Name))
	var events []absorbed
	into := map[string]crm.Ref{}
	for _, s := range subjects {
		events = append(events, s.absorbed...)
		for _, a := range s.absorbed {
			if a.record.ID == s.ref.ID {
				into[s.ref.ID] = a.into
			}
		}
	}
	lost, err := d.replaceable(ctx, subjects)
	if err != nil || len(events)+len(lost) == 0 {
		return nil, err
	}
	if err := f.all(events); err != nil {
		return nil, err
	}
	for _, gone := range lost {
		heir, err := f.replace(gone.Side, gone.ID)
		if err != nil {
			return nil, err
		}
		if gone.Side == d.side && !heir.IsZero() {
			into[gone.ID] = heir
		}
	}
	if err := d.e.store.Write(ctx, f.save); err != nil {
		return nil, err
	}
	next := make([]store.Change, 0, len(page))
	once := map[string]bool{}
	add := func(c store.Change) {
		if !once[c.Ref.ID] {
			once[c.Ref.ID] = true
			next = append(next, c)
		}
	}
	for _, c := range page {
		survivor, ok := into[c.Ref.ID]
		if !ok || survivor.Object != c.Ref.Object {
			add(c) // a converted Lead is still there
		}
		if ok {
			add(store.Change{Mapping: c.Mapping, Ref: survivor, Due: true, Wake: store.WakeFollowed})
		}
	}
	return next, nil
}

// replaceable are the records of pairs that are gone while an alias of the pair
// lives: it became one after the deletion was seen, and takes the link.
func (d *decider) replaceable(ctx context.Context, subjects []*subject) (gone []crm.Ref, err error) {
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		lost := map[string]crm.Ref{} // by the record on the other side
		for _, s := range subjects {
			if s.link == nil {
				continue
			}
			hubspot := crm.Ref{Side: crm.HubSpot, Object: d.o.HubSpot, ID: s.link.HubSpotID}
			salesforce := crm.Ref{Side: crm.Salesforce, Object: s.link.SalesforceObject, ID: s.link.SalesforceID}
			switch {
			case side == crm.HubSpot && s.snapshot.HubSpotGone && s.snapshot.HubSpot == nil:
				lost[salesforce.ID] = hubspot
			case side == crm.Salesforce && s.snapshot.SalesforceGone && s.snapshot.Salesforce == nil:
				lost[hubspot.ID] = salesforce
			}
		}
		aliases, err := d.e.store.AliasesOf(ctx, d.o.Name, side, slices.Sorted(maps.Keys(lost)))
		if err != nil {
			return nil, err
		}
		for _, a := range aliases {
			if !slices.Contains(gone, lost[a.Pair]) {
				gone = append(gone, lost[a.Pair])
			}
		}
	}
	return gone, nil
}

// aliasOf tells reconcile whose pair a record belongs to.
func aliasOf(o *mapping.BoundObject, a store.Alias, pair *store.Link) *reconcile.Alias {
	out := &reconcile.Alias{Pair: crm.Ref{Side: a.Ref.Side.Other(), Object: o.HubSpot, ID: a.Pair}, Merged: a.Merged, Converted: a.Cause == store.CauseConversion}
	if pair == nil {
		return out
	}
	out.Partner = crm.Ref{Side: crm.Salesforce, Object: pair.SalesforceObject, ID: pair.SalesforceID}
	if a.Ref.Side == crm.HubSpot {
		out.Pair.Object, out.Partner = pair.SalesforceObject, crm.Ref{Side: crm.HubSpot, Object: o.HubSpot, ID: pair.HubSpotID}
	}
	return out
}

// aliasesFor returns what is to be told of those of ids that are aliases.
func (e *Engine) aliasesFor(ctx context.Context, o *mapping.BoundObject, side crm.Side, ids []string) (map[string]*reconcile.Alias, error) {
	aliases, pairs, err := e.aliasPairs(ctx, o, side, ids)
	if err != nil || len(aliases) == 0 {
		return nil, err
	}
	found := make(map[string]*reconcile.Alias, len(aliases))
	for id, a := range aliases {
		var pair *store.Link
		if l, ok := pairs[a.Pair]; ok {
			pair = &l
		}
		found[id] = aliasOf(o, a, pair)
	}
	return found, nil
}

// aliasPairs returns those of ids that are aliases, and the pairs that they
// belong to, by Alias.Pair.
func (e *Engine) aliasPairs(ctx context.Context, o *mapping.BoundObject, side crm.Side, ids []string) (map[string]store.Alias, map[string]store.Link, error) {
	aliases, err := e.store.Aliases(ctx, o.Name, side, ids)
	if err != nil || len(aliases) == 0 {
		return nil, nil, err
	}
	names := make([]string, 0, len(aliases))
	for _, a := range aliases {
		names = append(names, a.Pair)
	}
	pairs, err := e.store.Links(ctx, o.Name, side.Other(), names)
	return aliases, pairs, err
}

// tookIn notes which linked records the HubSpot records took in, as they say
// themselves: the search may tell of a merge later than of the record that it made.
func (d *decider) tookIn(ctx context.Context, subjects []*subject) error {
	into := map[string]*subject{}
	for _, s := range subjects {
		if r := s.snapshot.HubSpot; r != nil && !r.Archived {
			for _, id := range r.TookIn {
				into[id] = s
			}
		}
	}
	links, err := d.e.store.Links(ctx, d.o.Name, crm.HubSpot, slices.Sorted(maps.Keys(into)))
	ref := func(id string) crm.Ref { return crm.Ref{Side: crm.HubSpot, Object: d.o.HubSpot, ID: id} }
	for _, id := range slices.Sorted(maps.Keys(links)) {
		s := into[id]
		s.absorbed = append(s.absorbed, absorbed{record: ref(id), into: ref(s.snapshot.HubSpot.ID), cause: store.CauseMerge})
	}
	return err
}

// put places a record in the snapshot; one that is archived counts as gone.
func (d *decider) put(s *subject, side crm.Side, object string, r *crm.Record) {
	if a, ok := d.e.absorption(d.o, side, object, r); ok && (s.link != nil || r.Archived) {
		s.absorbed = append(s.absorbed, a)
	}
	gone := r == nil || r.Archived
	// A merged record is shown, so that no rule takes it for a deleted one.
	merged := gone && r != nil && r.MergedInto != ""
	if !gone {
		if l := d.e.lens(d.o, side, object); l != nil {
			s.at[side] = l.see(d.o, r)
		}
	}
	if !gone && s.link != nil && (side == crm.HubSpot && s.link.HubSpotGone || side == crm.Salesforce && s.link.SalesforceGone) {
		s.snapshot.Back = side
	}
	if side == crm.HubSpot {
		if s.snapshot.HubSpotGone = gone; !gone || merged {
			s.snapshot.HubSpot = r
		}
		return
	}
	if s.snapshot.SalesforceGone = gone; !gone || merged {
		s.snapshot.Salesforce = r
	}
}

// values decodes the records of changes, and reads those whose values are not
// kept. A record that is not there any more is nil or Archived.
func (d *decider) values(ctx context.Context, side crm.Side, changes []store.Change) (map[string]*crm.Record, error) {
	records := make(map[string]*crm.Record, len(changes))
	missing := map[string][]string{}
	for i := range changes {
		c := &changes[i]
		l := d.e.lens(d.o, side, c.Ref.Object)
		if l == nil {
			continue
		}
		if len(c.Record) > 0 {
			if r := decodeRecord(c.Record, l.read.Layout, l.layout); r != nil {
				records[c.Ref.ID] = r
				continue
			}
		}
		missing[c.Ref.Object] = append(missing[c.Ref.Object], c.Ref.ID)
	}
	return records, d.e.lookup(ctx, d.o, side, missing, records)
}

// lookup reads records by object and id and adds them to records.
func (e *Engine) lookup(ctx context.Context, o *mapping.BoundObject, side crm.Side, missing map[string][]string, records map[string]*crm.Record) error {
	objects := make([]string, 0, len(missing))
	for object := range missing {
		objects = append(objects, object)
	}
	slices.Sort(objects)
	for _, object := range objects {
		l := e.lens(o, side, object)
		if l == nil || len(missing[object]) == 0 {
			continue
		}
		found, err := e.sides[side].Lookup(ctx, l.read, missing[object])
		if err != nil {
			return err
		}
		for i := range found {
			records[found[i].ID] = &found[i]
		}
	}
	return nil
}

// fetch returns records of one side by ref: from the changes at hand, else by
// reading them in batches.
func (d *decider) fetch(ctx context.Context, side crm.Side, refs []crm.Ref) (map[string]*crm.Record, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	ids := make([]string, 0, len(refs))
	object := map[string]string{}
	for _, r := range refs {
		if _, ok := object[r.ID]; !ok {
			object[r.ID] = r.Object
			ids = append(ids, r.ID)
		}
	}
	kept, err := d.e.store.ChangesByID(ctx, d.o.Name, side, ids)
	if err != nil {
		return nil, err
	}
	changes := make([]store.Change, 0, len(ids))
	for _, id := range ids {
		c, ok := kept[id]
		if !ok {
			c = store.Change{Mapping: d.o.Name, Ref: crm.Ref{Side: side, Object: object[id], ID: id}}
		}
		changes = append(changes, c)
	}
	return d.values(ctx, side, changes)
}

// counterparts brings the other half of every linked thing.
func (d *decider) counterparts(ctx context.Context, subjects []*subject) error {
	other := d.side.Other()
	ref := func(s *subject) crm.Ref {
		if other == crm.Salesforce {
			return crm.Ref{Side: other, Object: s.link.SalesforceObject, ID: s.link.SalesforceID}
		}
		return crm.Ref{Side: other, Object: d.o.HubSpot, ID: s.link.HubSpotID}
	}
	var refs []crm.Ref
	for _, s := range subjects {
		if s.link != nil {
			refs = append(refs, ref(s))
		}
	}
	records, err := d.fetch(ctx, other, refs)
	if err != nil {
		return err
	}
	for _, s := range subjects {
		if s.link != nil {
			r := ref(s)
			d.put(s, other, r.Object, records[r.ID])
		}
	}
	return nil
}

func (d *decider) recordOf(s *subject) *crm.Record {
	if d.side == crm.HubSpot {
		return s.snapshot.HubSpot
	}
	return s.snapshot.Salesforce
}

// decide asks reconcile and makes a row of the plan.
func (d *decider) decide(s *subject, k *known) store.PlanRow {
	return d.planned(s, d.reconciled(s, k))
}

// decideAll decides subjects, those whose decision asks for the times of fields
// after all others and with these.
func (d *decider) decideAll(ctx context.Context, subjects []*subject, k *known) ([]store.PlanRow, error) {
	rows := make([]store.PlanRow, 0, len(subjects))
	asking := map[*subject][]reconcile.Ask{}
	for _, s := range subjects {
		decision := d.reconciled(s, k)
		if len(decision.Asks) > 0 {
			asking[s] = decision.Asks
			continue
		}
		rows = append(rows, d.planned(s, decision))
	}
	if len(asking) == 0 {
		return rows, nil
	}
	if err := d.timed(ctx, asking); err != nil {
		return nil, err
	}
	for _, s := range subjects {
		if asking[s] != nil {
			rows = append(rows, d.decide(s, k))
		}
	}
	return rows, nil
}

// reconciled asks reconcile.
func (d *decider) reconciled(s *subject, k *known) reconcile.Decision {
	for i := range s.snapshot.Candidates {
		if by, ok := d.claimed[s.snapshot.Candidates[i].Record.ID]; ok && s.snapshot.Candidates[i].LinkedTo.IsZero() {
			s.snapshot.Candidates[i].LinkedTo = by
		}
	}
	s.snapshot.Known = k
	return d.keepBack(s, reconcile.Decide(d.o, s.snapshot))
}

// planned makes a row of the plan of a decision.
func (d *decider) planned(s *subject, decision reconcile.Decision) store.PlanRow {
	body := decided{Decision: decision, WasLinked: s.link != nil,
		HubGone: s.snapshot.HubSpotGone, SalesGone: s.snapshot.SalesforceGone, Title: title(s)}
	body.Mapping = d.o.Name
	body.Trace = d.traceOf(s)
	d.keepUndone(s, &body)
	hubspot, salesforce := d.records(s, &body)
	d.e.gate(d.o, &body, hubspot, salesforce)
	d.complete(s, &body)
	if body.NewLink != nil && s.link == nil {
		for _, c := range s.snapshot.Candidates {
			if c.Record.ID == body.NewLink.HubSpotID && d.side == crm.Salesforce || c.Record.ID == body.NewLink.SalesforceID && d.side == crm.HubSpot {
				d.claimed[c.Record.ID] = s.ref
				if l := d.e.lens(d.o, d.side.Other(), c.Object); l != nil {
					s.at[d.side.Other()] = l.see(d.o, c.Record)
				}
			}
		}
	}
	d.noteQuestions(s, &body)
	d.print(s, &body)
	body.HubSpotAt, body.SalesAt = s.at[crm.HubSpot], s.at[crm.Salesforce]
	if s.link == nil && body.Reason.Code == CodeHeldUndone {
		at := &body.HubSpotAt
		if d.side == crm.Salesforce {
			at = &body.SalesAt
		}
		at.Seen = d.own(s)
	}
	row := store.PlanRow{Mapping: d.o.Name, Side: crm.HubSpot, ID: body.HubSpot.ID, SalesforceID: body.Salesforce.ID, Ops: opsOf(&body), Decided: d.e.now()}
	if row.ID == "" {
		row.Side, row.ID = crm.Salesforce, body.Salesforce.ID
	}
	if d.open[intentKey(d.o.Name, row.Side, row.ID)] {
		// A create of this thing was sent and its fate is not known: nothing
		// may be sent for it before that is.
		body.Writes, body.NewLink, body.Base, body.Breaks, row.Ops = nil, nil, nil, nil, 0
		body.Outcome = crm.Pending
		body.Reason = crm.Reason{Code: CodePendingUnknownCreate, Text: "the answer to an earlier create was lost and its fate is not known yet",
			Mend: "it is looked up before anything is repeated: run `lockstep sync` again"}
	}
	if d.c.look != nil {
		d.c.look(d.o, s, &body, hubspot, salesforce)
	}
	row.Outcome, row.Code, row.Body = body.Outcome, body.Reason.Code, encodeDecided(&body)
	l := d.c.ledger(d.o.Name)
	l.sawAll([]uint64{thingKey(row.Side, row.ID)})
	d.c.plans(&body)
	if body.NewLink != nil && row.SalesforceID != "" && row.Side == crm.HubSpot {
		l.join(row.ID, row.SalesforceID)
	}
	if d.c.planning {
		l.settle(thingKey(row.Side, row.ID), row.Outcome)
	}
	return row
}

// records are the two records that a decision is about, as they were read; one
// that was found as a candidate is among them.
func (d *decider) records(s *subject, body *decided) (hubspot, salesforce *crm.Record) {
	hubspot, salesforce = s.snapshot.HubSpot, s.snapshot.Salesforce
	for _, c := range s.snapshot.Candidates {
		switch {
		case body.NewLink == nil || c.Record == nil:
		case d.side == crm.HubSpot && c.Record.ID == body.NewLink.SalesforceID:
			salesforce = c.Record
		case d.side == crm.Salesforce && c.Record.ID == body.NewLink.HubSpotID:
			hubspot = c.Record
		}
	}
	return hubspot, salesforce
}

// print adds what an old decision is compared with before it is sent, and what
// our own write is known by when it comes back.
func (d *decider) print(s *subject, body *decided) {
	base := body.Base
	switch {
	case body.NewLink != nil:
		base = &body.NewLink.Base
	case base == nil && s.link != nil:
		base = &s.link.Base
	}
	records := []*crm.Record{s.snapshot.HubSpot, s.snapshot.Salesforce}
	for _, c := range s.snapshot.Candidates {
		records = append(records, c.Record)
	}
	for side, at := range s.at {
		for _, r := range records {
			if r == nil || r.Layout == nil {
				continue
			}
			if l := d.e.lens(d.o, side, r.Layout.Object); l != nil && l.look(r) == at.Seen {
				print := reconcile.Fingerprint(d.o, side, r.Layout.Object, r)
				at.Print = sumOf(print)
				if base != nil {
					own, other := base.HubSpot, base.Salesforce
					if side == crm.Salesforce {
						own, other = other, own
					}
					at.Open = openPrint(own, other, print, body.Open)
				}
				s.at[side] = at
			}
		}
	}
}

// complete fills in what a decision may leave open because it is plain from
// the snapshot: which records the thing is made of.
func (d *decider) complete(s *subject, body *decided) {
	if s.link != nil {
		body.HubSpot = crm.Ref{Side: crm.HubSpot, Object: d.o.HubSpot, ID: s.link.HubSpotID}
		body.Salesforce = crm.Ref{Side: crm.Salesforce, Object: s.link.SalesforceObject, ID: s.link.SalesforceID}
		return
	}
	if d.side == crm.HubSpot {
		body.HubSpot = s.ref
	} else {
		body.Salesforce = s.ref
	}
	if n := body.NewLink; n != nil {
		n.Mapping = d.o.Name
		if n.HubSpotID != "" {
			body.HubSpot = crm.Ref{Side: crm.HubSpot, Object: d.o.HubSpot, ID: n.HubSpotID}
		}
		if n.SalesforceID != "" {
			body.Salesforce = crm.Ref{Side: crm.Salesforce, Object: n.SalesforceObject, ID: n.SalesforceID}
		}
	}
	// What is not linked is one record: a held thing names its candidates in
	// its reason, they are things of their own.
	if body.NewLink == nil {
		if d.side == crm.HubSpot {
			body.Salesforce = crm.Ref{}
		} else {
			body.HubSpot = crm.Ref{}
		}
	}
}

func opsOf(d *decided) store.Ops {
	var ops store.Ops
	for _, w := range d.Writes {
		hubspot, salesforce := store.Ops(0), store.Ops(0)
		switch w.Op {
		case crm.Create:
			hubspot, salesforce = store.CreatesInHubSpot, store.CreatesInSalesforce
		case crm.Update:
			hubspot, salesforce = store.UpdatesHubSpot, store.UpdatesSalesforce
		case crm.Archive:
			hubspot, salesforce = store.ArchivesHubSpot, store.ArchivesSalesforce
		case crm.Relate, crm.Unrelate:
			hubspot, salesforce = store.RelatesHubSpot, store.RelatesSalesforce
		case crm.Restore:
			hubspot, salesforce = store.RestoresHubSpot, store.RestoresSalesforce
		}
		if w.Side == crm.HubSpot {
			ops |= hubspot
		} else {
			ops |= salesforce
		}
	}
	if d.NewLink != nil {
		ops |= store.LinksRecords
	}
	if len(d.Breaks) > 0 {
		ops |= store.BreaksPolicy
	}
	return ops
}

// title is what people call the record, as it stands in HubSpot or else in
// Salesforce.
func title(s *subject) string {
	for _, r := range []*crm.Record{s.snapshot.HubSpot, s.snapshot.Salesforce} {
		if r == nil {
			continue
		}
		if name := reconcile.RecordName(r); name != "" {
			return name
		}
	}
	return ""
}
