package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

const (
	// readsPerSide is how many objects of one side are read at once; the
	// client's own pacing keeps the window full already with two.
	readsPerSide = 2
	// observeBatch is how many records are compared and committed together.
	observeBatch = 500
	// neighbourLimit bounds how many records with the same match key are woken.
	neighbourLimit = 20
)

// Scope says what Observe reads.
type Scope struct {
	// Complete reads everything, whatever was read before.
	Complete bool
	// Hinted looks only at what was hinted at.
	Hinted bool
}

// Reading tells what was read of one object of one side.
type Reading struct {
	// Mapping is our name of the object.
	Mapping string   `json:"mapping"`
	Side    crm.Side `json:"side"`
	Object  string   `json:"object"`
	// Complete: everything was read, not only changes.
	Complete bool   `json:"complete"`
	Method   string `json:"method"`
	Rows     int    `json:"rows"`
	Archived int    `json:"archived"`
	Calls    int    `json:"calls"`
	// Changed is how many of the rows need a decision.
	Changed int `json:"changed"`
	// Lost is how many records a complete read found changed before the last read
	// of changes, which did not tell of them.
	Lost int `json:"lost,omitempty"`
	// Gone is how many known records were found archived or deleted.
	Gone int `json:"gone"`
	// Swept is how many linked records were looked at for what no stamp tells.
	Swept int `json:"swept,omitempty"`
	// SinceMicros is where a read of changes started; 0 for a complete one.
	SinceMicros int64 `json:"-"`
}

// Observation tells what a look at both sides found.
type Observation struct {
	Readings []Reading `json:"readings"`
	// Due is how many records wait for a decision.
	Due int `json:"due"`
}

// Observe reads what changed on both sides since the last time (everything, at
// first) and keeps what needs a decision. It writes nothing outside.
func (e *Engine) Observe(ctx context.Context, scope Scope) (Observation, error) {
	e.working.Lock()
	defer e.working.Unlock()
	if err := e.begin(ctx); err != nil {
		return Observation{}, err
	}
	return e.observe(ctx, scope, newCycle(e, 0))
}

func (e *Engine) observe(ctx context.Context, scope Scope, c *cycle) (Observation, error) {
	var observation Observation
	sorted, hints, err := e.heard(ctx)
	if err != nil {
		return observation, err
	}
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	limits := map[crm.Side]chan struct{}{crm.HubSpot: make(chan struct{}, readsPerSide), crm.Salesforce: make(chan struct{}, readsPerSide)}
	// A conversion makes other records and marks the Lead. Leads are read when
	// those are, so that whoever sees what a Lead became sees that it did.
	isLead := func(side crm.Side, object string) bool { return side == crm.Salesforce && object == "Lead" }
	var madeOfLeads sync.WaitGroup
	ofSalesforce := false
	for key, told := range sorted {
		ofSalesforce = ofSalesforce || key.side == crm.Salesforce && told.any()
	}
	for _, o := range e.mapping.Objects {
		for _, t := range o.Targets {
			if !isLead(crm.Salesforce, t.Object) {
				madeOfLeads.Add(1)
			}
		}
	}
	start := func(o *mapping.BoundObject, side crm.Side, object string) {
		told := sorted[lensKey{o.Name, side, object}]
		done := func() {}
		if side == crm.Salesforce && !isLead(side, object) {
			done = madeOfLeads.Done
		}
		if scope.Hinted && !told.any() && !(isLead(side, object) && ofSalesforce) {
			done()
			return
		}
		group.Go(func() error {
			defer done()
			if isLead(side, object) {
				madeOfLeads.Wait()
			}
			select {
			case limits[side] <- struct{}{}:
			case <-groupCtx.Done():
				return groupCtx.Err()
			}
			defer func() { <-limits[side] }()
			w := &watcher{e: e, c: c, o: o, lens: e.lens(o, side, object), ledger: c.ledger(o.Name), hinted: told}
			reading, err := w.run(groupCtx, scope)
			if err != nil {
				// What was read is so, though it is not all. Where the read of
				// another object failed and ended this one too, only ctx lives on.
				if ctx.Err() == nil {
					if failed := w.flush(ctx, w.reading.Complete); failed != nil {
						err = errors.Join(err, failed)
					}
				}
				return fmt.Errorf("read %s of %s: %w", object, side.Title(), err)
			}
			mu.Lock()
			observation.Readings = append(observation.Readings, reading)
			mu.Unlock()
			return nil
		})
	}
	for _, o := range e.mapping.Objects {
		start(o, crm.HubSpot, o.HubSpot)
		for _, t := range o.Targets {
			start(o, crm.Salesforce, t.Object)
		}
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return observation, err
	}
	if !scope.Hinted { // a hint costs reads of the hinted records alone
		if err := e.sweep(ctx, observation.Readings); err != nil {
			return observation, err
		}
	}
	if len(hints) > 0 {
		if err := e.store.Write(ctx, func(t *store.Tx) error { return t.DropHints(hints) }); err != nil {
			return observation, err
		}
	}
	slices.SortFunc(observation.Readings, func(a, b Reading) int {
		if d := e.order(a.Mapping) - e.order(b.Mapping); d != 0 {
			return d
		}
		if a.Side != b.Side {
			if a.Side == crm.HubSpot {
				return -1
			}
			return 1
		}
		return slices.IndexFunc(e.mapping.Object(a.Mapping).Targets, func(t *mapping.BoundTarget) bool { return t.Object == a.Object }) -
			slices.IndexFunc(e.mapping.Object(a.Mapping).Targets, func(t *mapping.BoundTarget) bool { return t.Object == b.Object })
	})
	due, err := e.store.CountDue(ctx)
	observation.Due = due
	return observation, err
}

// order is the place of a mapped object in the order of writes.
func (e *Engine) order(name string) int {
	return slices.IndexFunc(e.mapping.Objects, func(o *mapping.BoundObject) bool { return o.Name == name })
}

// watcher reads one object of one side and compares it with what is known.
type watcher struct {
	e      *Engine
	c      *cycle
	o      *mapping.BoundObject
	lens   *lens
	ledger *ledger
	// fresh: nothing is known of the mapping yet, so nothing need be asked.
	fresh bool
	// hinted is what somebody said may have changed.
	hinted hinted
	// woke is by what it reads now.
	woke    store.Wake
	pending []crm.Record
	// ids seen by a complete read, as hashes: eight bytes for each record.
	seen []uint64
	// told: what was modified before it should have been told of by a read of
	// changes, in microseconds; 0 when no such read says anything.
	told    int64
	reading Reading
}

func (w *watcher) run(ctx context.Context, scope Scope) (Reading, error) {
	l, began := w.lens, w.e.now()
	side := w.e.sides[l.side]
	cursor, err := w.e.store.Cursor(ctx, w.o.Name, l.side, l.object)
	if err != nil {
		return w.reading, err
	}
	if w.fresh, err = w.nothingKnown(ctx); err != nil {
		return w.reading, err
	}
	complete := scope.Complete || w.hinted.complete || cursor.Since.IsZero() || cursor.Version != l.version || w.e.completeIsDue(cursor)
	if complete && cursor.Version == l.version && !w.fresh {
		w.told = cursor.Since.UnixMicro()
	}
	w.reading = Reading{Mapping: w.o.Name, Side: l.side, Object: l.object, Complete: complete}
	if !complete && len(w.hinted.ids) > 0 {
		w.woke = store.WakeHint
		if err := w.lookAt(ctx, w.hinted.ids); err != nil {
			return w.reading, err
		}
		if scope.Hinted && !w.hinted.poll {
			w.reading.Method = "hints"
			return w.reading, nil
		}
	}
	if w.woke = store.WakePoll; complete {
		w.woke = store.WakeComplete
	}
	rows, archived := w.reading.Rows, w.reading.Archived
	m := w.e.meter(StepRead, l.side, l.object, -1)
	yield := func(page []crm.Record) error {
		m.add(len(page))
		w.pending = append(w.pending, page...)
		if len(w.pending) < observeBatch {
			return nil
		}
		return w.flush(ctx, complete)
	}
	var report crm.ReadReport
	read := l.read
	read.Overlap = cursor.Overlap
	if complete {
		report, err = side.Read(ctx, read, yield)
	} else {
		w.reading.SinceMicros = cursor.Since.UnixMicro()
		report, err = side.Changes(ctx, read, w.reading.SinceMicros, yield)
	}
	if err != nil {
		return w.reading, err
	}
	if err := w.flush(ctx, complete); err != nil {
		return w.reading, err
	}
	if complete {
		if err := w.findGone(ctx); err != nil {
			return w.reading, err
		}
		if w.told != 0 {
			cursor.Every = w.e.nextComplete(cursor.Every, w.reading.Lost)
			if w.reading.Lost > 0 {
				w.e.log.Warn("a complete read found changes that were not told of", "side", l.side, "object", l.object, "count", w.reading.Lost, "next", cursor.Every)
			}
		}
		cursor.Complete = began
	}
	m.end()
	w.reading.Method, w.reading.Rows, w.reading.Archived, w.reading.Calls = report.Method, rows+report.Rows, archived+report.Archived, report.Calls
	cursor.Version, cursor.Overlap = l.version, report.Overlap
	if report.NextMicros > cursor.Since.UnixMicro() || complete {
		cursor.Since = time.UnixMicro(report.NextMicros)
	}
	return w.reading, w.e.store.Write(ctx, func(t *store.Tx) error {
		return t.PutCursor(w.o.Name, l.side, l.object, cursor)
	})
}

func (w *watcher) nothingKnown(ctx context.Context) (bool, error) {
	links, err := w.e.store.LinkPage(ctx, w.o.Name, "", 1)
	if err != nil || len(links) > 0 {
		return false, err
	}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		if page, err := w.e.store.OutcomePage(ctx, w.o.Name, side, "", 1); err != nil || len(page) > 0 {
			return false, err
		}
	}
	return true, nil
}

// flush compares the pending records and commits what needs a decision.
func (w *watcher) flush(ctx context.Context, complete bool) error {
	for len(w.pending) > 0 {
		n := min(len(w.pending), observeBatch)
		batch := w.pending[:n]
		if complete {
			for i := range batch {
				if !batch[i].Archived {
					w.seen = append(w.seen, thingKey(w.lens.side, batch[i].ID))
				}
			}
		}
		if err := w.compare(ctx, batch); err != nil {
			return err
		}
		w.pending = w.pending[n:]
	}
	w.pending = nil
	return nil
}

// found is what one batch of records turned out to be.
type found struct {
	changes  []store.Change
	keys     []store.Key
	links    []store.Link // echoes: what was seen, and the base made whole
	forget   []string
	absorbed []absorbed // records that became part of others
	replaced []string   // linked records that are gone and have an alias
	ended    []string   // aliases that are gone
	follow   *follower  // what becomes of links by all of that
	wake     []dueRef
	wakeAll  bool // held things of this mapping may be decidable now
	read     []uint64
	settled  []result
}

// tookIn are the linked records that records of a batch took in, as those say
// themselves. Asked for by its own id, such a record may look as if it had been
// deleted: its survivor may be by then.
func (w *watcher) tookIn(ctx context.Context, batch []crm.Record) ([]crm.Record, error) {
	into := map[string]*crm.Record{}
	for i := range batch {
		for _, id := range batch[i].TookIn {
			into[id] = &batch[i]
		}
	}
	for i := range batch { // those that are told anyway
		delete(into, batch[i].ID)
	}
	ids := slices.Sorted(maps.Keys(into))
	links, err := w.e.store.Links(ctx, w.o.Name, w.lens.side, ids)
	if err != nil {
		return nil, err
	}
	var took []crm.Record
	for _, id := range ids {
		if _, linked := links[id]; linked {
			took = append(took, crm.Record{Layout: into[id].Layout, ID: id, Archived: true, MergedInto: into[id].ID, ModifiedMicros: into[id].ModifiedMicros})
		}
	}
	return took, nil
}

func (w *watcher) compare(ctx context.Context, batch []crm.Record) error {
	l, st := w.lens, w.e.store
	if !w.fresh {
		took, err := w.tookIn(ctx, batch)
		if err != nil {
			return err
		}
		batch = append(batch[:len(batch):len(batch)], took...)
	}
	ids := make([]string, len(batch))
	for i := range batch {
		ids[i] = batch[i].ID
	}
	// Both sides may find merges of the same pair at the same time; what each
	// reads here has to hold when it is saved.
	turn := w.e.comparing[w.o.Name]
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	var links map[string]store.Link
	var outcomes map[string]store.Outcome
	// What waits was read before. A record that was put back since is no change
	// against what was seen last, and yet what waits must not be written.
	var waiting map[string]store.Change
	var aliases map[string]store.Alias
	if !w.fresh {
		var err error
		if waiting, err = st.ChangesByID(ctx, w.o.Name, l.side, ids); err != nil {
			return err
		}
		if links, err = st.Links(ctx, w.o.Name, l.side, ids); err != nil {
			return err
		}
		if outcomes, err = st.Outcomes(ctx, w.o.Name, l.side, ids); err != nil {
			return err
		}
		if aliases, err = st.Aliases(ctx, w.o.Name, l.side, ids); err != nil {
			return err
		}
	}
	var f found
	for i := range batch {
		r := &batch[i]
		link, linked := links[r.ID]
		known, isKnown := outcomes[r.ID]
		before := len(f.changes)
		_, isAlias := aliases[r.ID]
		became, isAbsorbed := w.e.absorption(w.o, l.side, l.object, r)
		if isAbsorbed && (linked || isAlias || isKnown && r.Archived) {
			f.absorbed = append(f.absorbed, became)
		}
		switch {
		case linked && isAbsorbed:
			w.seeAbsorbed(&f, r, link)
		case linked && r.Archived:
			w.seeGone(&f, r, link)
		case linked:
			w.seeLinked(&f, r, link)
		case r.Archived:
			if isKnown {
				f.wakeAll = true
			}
			if isAlias && !isAbsorbed {
				f.ended = append(f.ended, r.ID)
			}
			f.forget = append(f.forget, r.ID)
			w.ledger.end(thingKey(l.side, r.ID))
		default:
			w.seeUnlinked(&f, r, known, isKnown && !known.Linked)
		}
		if _, waits := waiting[r.ID]; len(f.changes) > before && !r.Archived && (linked && w.moved(r, &link) || !linked && !isKnown && !isAlias) {
			w.missed(r, waits)
		}
		if c, ok := waiting[r.ID]; ok && len(f.changes) == before && !r.Archived && len(c.Record) > 0 && c.Seen != l.look(r) {
			w.change(&f, r, l.look(r))
			w.doubt(&f)
		}
	}
	if err := w.neighbours(ctx, &f); err != nil {
		return err
	}
	if err := w.redirect(ctx, &f); err != nil {
		return err
	}
	following := f.follow != nil && !f.follow.empty()
	w.reading.Changed += len(f.changes)
	for _, s := range f.settled {
		w.ledger.settle(s.key, crm.Outcomes[s.outcome])
	}
	w.ledger.sawAll(f.read)
	if len(f.changes)+len(f.keys)+len(f.links)+len(f.forget)+len(f.wake) == 0 && !f.wakeAll && !following {
		return nil
	}
	return st.Write(ctx, func(t *store.Tx) error { return w.save(t, &f) })
}

func (w *watcher) save(t *store.Tx, f *found) error {
	name, side := w.o.Name, w.lens.side
	if len(f.forget) > 0 {
		if err := t.DropOutcomes(name, side, f.forget); err != nil {
			return err
		}
		if err := t.DropChanges(name, side, f.forget); err != nil {
			return err
		}
		if err := t.DropConflicts(name, side, f.forget); err != nil {
			return err
		}
		// Who waited for one of them to be linked waits in vain.
		if _, err := t.FireAwaits(name, side, f.forget); err != nil {
			return err
		}
	}
	if f.wakeAll {
		if err := t.KeptDue(name); err != nil {
			return err
		}
	}
	for _, d := range f.wake {
		if err := t.PutDue(d.mapping, []crm.Ref{d.ref}, store.WakeNeighbour); err != nil {
			return err
		}
	}
	if err := t.PutChanges(f.changes); err != nil {
		return err
	}
	if err := t.PutKeys(name, side, f.keys); err != nil {
		return err
	}
	if err := t.FireAsks(name, f.keys); err != nil {
		return err
	}
	if err := t.PutLinks(f.links); err != nil || f.follow == nil {
		return err
	}
	return f.follow.save(t)
}

func (w *watcher) change(f *found, r *crm.Record, seen uint64) {
	f.changes = append(f.changes, store.Change{Mapping: w.o.Name, Ref: crm.Ref{Side: w.lens.side, Object: w.lens.object, ID: r.ID},
		Due: true, Seen: seen, Record: encodeRecord(r, w.lens.layout), Wake: w.woke})
}

func (w *watcher) addKeys(f *found, r *crm.Record) {
	f.keys = append(f.keys, keysOf(w.o, w.lens, r)...)
}

// keysOf are the match keys of a record, the external id among them.
func keysOf(o *mapping.BoundObject, l *lens, r *crm.Record) []store.Key {
	ref := crm.Ref{Side: l.side, Object: l.object, ID: r.ID}
	var keys []store.Key
	for _, k := range reconcile.Keys(o, l.side, l.object, r) {
		keys = append(keys, store.Key{Rule: k.Rule, Hash: newHasher().text(k.Value).sum(), Ref: ref})
	}
	return keys
}

// seeLinked compares a linked record with what was seen of it and with the base.
func (w *watcher) seeLinked(f *found, r *crm.Record, link store.Link) {
	l := w.lens
	key := thingKey(crm.HubSpot, link.HubSpotID)
	f.read = append(f.read, key)
	at := l.look(r)
	seen, gone := &link.SeenHubSpot, link.HubSpotGone
	if l.side == crm.Salesforce {
		seen, gone = &link.SeenSalesforce, link.SalesforceGone
	}
	if !gone && at == *seen {
		f.settled = append(f.settled, result{key, outcomeIndex(link.Outcome)})
		return
	}
	atRest := link.Outcome == crm.Unchanged || link.Code == CodeHeldUndone
	if !gone && atRest && link.Base.Version == w.o.BaseVersion && w.isEcho(r, &link) {
		// Our own write coming back, or a change of how values are written.
		*seen = at
		if l.side == crm.HubSpot {
			link.RelatedHubSpot, link.CalculatedHubSpot = l.related(r), l.calculated(w.o, r)
		} else {
			link.CalculatedSalesforce = l.calculated(w.o, r)
		}
		f.links = append(f.links, link)
		f.settled = append(f.settled, result{key, outcomeIndex(link.Outcome)})
		w.addKeys(f, r)
		return
	}
	w.change(f, r, at)
	w.doubt(f)
	w.addKeys(f, r)
}

// doubt lets the newest change be read by id before it is decided, where search
// told of it. HubSpot's search shows a record for a while as it was before it was
// written to or deleted, by us as well: taken at its word, our own write would
// count as taken back, and what was archived would be created again.
func (w *watcher) doubt(f *found) {
	if w.lens.side == crm.HubSpot && !w.reading.Complete {
		f.changes[len(f.changes)-1].Record = nil
	}
}

// isEcho tells whether a record holds just what the link says, slot by slot,
// and then makes the link whole. Where the base knows only the other side's half
// of a slot (what the vendor filled in when we created the record), the value is
// taken as it is found; unless a filter or expression has to see it first, or
// somebody edited the record since. Slots that are open have to hold what they
// held when they were left open: what waited and is taken back is no echo.
func (w *watcher) isEcho(r *crm.Record, link *store.Link) bool {
	l := w.lens
	now := reconcile.Fingerprint(w.o, l.side, l.object, r)
	base, other, open := link.Base.HubSpot, link.Base.Salesforce, &link.OpenHubSpot
	if l.side == crm.Salesforce {
		base, other, open = other, base, &link.OpenSalesforce
	}
	if len(base) != len(now) || len(other) != len(now) {
		return false
	}
	adopt := l.blind && !isEdited(r)
	held := openPrint(base, other, now, nil)
	if held != *open && (*open != 0 || !adopt) {
		return false
	}
	for i := range now {
		if base[i] != now[i] && !(base[i] == 0 && (other[i] == 0 || adopt)) {
			return false
		}
	}
	for i := range now {
		if other[i] != 0 {
			base[i] = now[i]
		}
	}
	*open = held
	return true
}

// seeUnlinked compares a record that is linked to nothing with what is known.
func (w *watcher) seeUnlinked(f *found, r *crm.Record, known store.Outcome, isKnown bool) {
	key := thingKey(w.lens.side, r.ID)
	f.read = append(f.read, key)
	at := w.lens.look(r)
	if isKnown && (known.Seen == at || known.Reason.Code == CodeHeldUndone && known.Seen == w.lens.own(r)) {
		f.settled = append(f.settled, result{key, outcomeIndex(known.Outcome)})
		return
	}
	if isKnown {
		f.wakeAll = true
	}
	w.change(f, r, at)
	w.doubt(f)
	w.addKeys(f, r)
}

// neighbours wakes settled records that share a match key with changed ones:
// their candidates are not what they were.
func (w *watcher) neighbours(ctx context.Context, f *found) error {
	if w.fresh || len(f.keys) == 0 {
		return nil
	}
	own := make(map[string]bool, len(f.changes))
	for _, c := range f.changes {
		own[c.Ref.ID] = true
	}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		near, err := w.e.store.Keys(ctx, w.o.Name, side, f.keys, neighbourLimit)
		if err != nil {
			return err
		}
		var ids []string
		refs := map[string]crm.Ref{}
		for _, k := range near {
			if _, ok := refs[k.Ref.ID]; !ok && !(side == w.lens.side && own[k.Ref.ID]) {
				refs[k.Ref.ID] = k.Ref
				ids = append(ids, k.Ref.ID)
			}
		}
		settled, err := w.e.store.Outcomes(ctx, w.o.Name, side, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if o, ok := settled[id]; ok && !o.Linked {
				f.wake = append(f.wake, dueRef{w.o.Name, refs[id]})
			}
		}
	}
	return nil
}
