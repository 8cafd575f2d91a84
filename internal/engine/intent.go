package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// intentSkew is how much the vendor's clock may differ from ours when a record
// is judged to be younger than the intent to create it.
const intentSkew = 10 * time.Minute

// intentKey names the create that one thing may have: its record's side and id.
func intentKey(name string, side crm.Side, id string) string {
	return fmt.Sprintf("%s/%s/%s", name, side, id)
}

// lostCreate is what an intent keeps of the create that it stands for.
type lostCreate struct {
	write  reconcile.PlannedWrite
	source string // the vendor object of the record that it was made of
	// base is what both sides agree on once it is made; nil where an earlier version
	// of Lockstep wrote the intent.
	base *crm.Base
}

// intentBody keeps what is to be created.
func (b *batch) intentBody(s *send) []byte {
	p := pen{}
	p.byte(codecVersion)
	w := *s.planned
	w.Changes = s.changes
	p.write(&w)
	source, _ := s.job.d.on(s.planned.Side.Other())
	p.text(source.Object)
	if l := s.job.d.NewLink; l != nil {
		p.base(b.baseOfCreate(s, l.Base))
	}
	return p.b
}

// baseOfCreate is what is agreed when nothing but the create itself comes through:
// of the associations that are written after it nothing is known.
func (b *batch) baseOfCreate(s *send, planned crm.Base) *crm.Base {
	base := crm.Base{Version: planned.Version, HubSpot: slices.Clone(planned.HubSpot), Salesforce: slices.Clone(planned.Salesforce)}
	for _, w := range s.job.sends {
		if w.planned.Relation != nil {
			base.Forget(b.relationSlot(w.planned))
		}
	}
	b.finishReferences(s, base)
	return &base
}

// readIntent returns what the body of an intent keeps.
func readIntent(body []byte) (l lostCreate, err error) {
	e := eye{b: string(body)}
	if e.byte() != codecVersion {
		return l, errCut
	}
	l.write, l.source = e.write(), e.text()
	if e.b != "" {
		l.base = e.base()
	}
	if e.bad {
		return l, errCut
	}
	return l, nil
}

// fate is what a look at the other side told of one intent: the record that
// was created, several that might be it, or (the zero fate) none.
type fate struct {
	id      string
	several bool
	// ours: it holds all that was written. One with the same key that holds
	// something else may as well be a person's who was quicker: it is the other
	// half of the pair, but its values are nobody's to overwrite, and an undo
	// leaves it alone.
	ours bool
	// gone: it was made, and somebody has deleted it since. The two are linked all
	// the same, so that this is decided as any other deletion.
	gone bool
}

func severalReason(side crm.Side) crm.Reason {
	return crm.Reason{Code: CodeHeldUnknownCreate, Text: "the answer to a create was lost, and several new records in " + side.Title() + " could be the one",
		Mend: "delete or merge the surplus records in " + side.Title() + ", then run `lockstep sync`"}
}

// openIntents names the things whose create has an unknown fate.
func (e *Engine) openIntents(ctx context.Context) (map[string]bool, error) {
	intents, err := e.store.Intents(ctx)
	if err != nil {
		return nil, err
	}
	open := make(map[string]bool, len(intents))
	for _, i := range intents {
		open[i.Key] = true
	}
	return open, nil
}

// recover looks up every create that an earlier run sent and did not record:
// what is found is linked, what is not found may be sent again.
func (e *Engine) recover(ctx context.Context) error {
	intents, err := e.store.Intents(ctx)
	if err != nil || len(intents) == 0 {
		return err
	}
	e.log.Info("looking up creates whose answer was lost", "count", len(intents))
	fates, err := e.fates(ctx, intents, nil)
	if err != nil {
		return fmt.Errorf("look up creates whose answer was lost: %w", err)
	}
	return e.store.Write(ctx, func(t *store.Tx) error {
		for _, i := range intents {
			f := fates[i.Key]
			if f.several {
				continue // it stays open until a person has tidied up
			}
			o := e.mapping.Object(i.Mapping)
			switch {
			case i.Seq != 0 && f.id != "" && f.ours:
				if err := t.FoundInJournal(i.Seq, i.Target.Side, f.id); err != nil {
					return err
				}
			case i.Seq != 0 && f.id == "":
				if err := t.DropJournal([]int64{i.Seq}); err != nil {
					return err
				}
			}
			if f.id != "" && o != nil {
				lost, err := readIntent(i.Body)
				if err != nil {
					return err
				}
				link := store.Link{Link: crm.Link{Mapping: i.Mapping, HubSpotID: i.Target.ID, SalesforceObject: i.Target.Object, SalesforceID: f.id}}
				source := crm.Ref{Side: crm.HubSpot, Object: o.HubSpot, ID: i.Target.ID}
				if i.Target.Side == crm.HubSpot {
					link.HubSpotID, link.SalesforceObject, link.SalesforceID = f.id, lost.source, i.Target.ID
					source = crm.Ref{Side: crm.Salesforce, Object: lost.source, ID: i.Target.ID}
				}
				if f.ours && lost.base != nil {
					link.Base = *lost.base
				}
				if err := t.PutLinks([]store.Link{link}); err != nil {
					return err
				}
				if l := e.lens(o, i.Target.Side, i.Target.Object); f.ours && l != nil {
					if err := t.PutKeys(i.Mapping, i.Target.Side, keysOf(o, l, made(l, f.id, lost.write.Changes))); err != nil {
						return err
					}
				}
				for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
					id := link.HubSpotID
					if side == crm.Salesforce {
						id = link.SalesforceID
					}
					if err := t.DropOutcomes(i.Mapping, side, []string{id}); err != nil {
						return err
					}
					if _, err := t.FireAwaits(i.Mapping, side, []string{id}); err != nil {
						return err
					}
				}
				if err := t.PutDue(i.Mapping, []crm.Ref{source}, store.WakeRecovered); err != nil {
					return err
				}
			}
			if err := t.DropIntents([]string{i.Key}); err != nil {
				return err
			}
		}
		return nil
	})
}

// fates looks up intents at the side that they were sent to: by external id
// where there is one, else among all records that are young enough and linked
// to nothing, by match keys or, without any, by every value that was written.
// Records that are taken already, though no link says so yet, are left out.
func (e *Engine) fates(ctx context.Context, intents []store.Intent, taken map[uint64]bool) (map[string]fate, error) {
	type group struct {
		mapping string
		side    crm.Side
		object  string
	}
	groups := map[group][]store.Intent{}
	for _, i := range intents {
		g := group{i.Mapping, i.Target.Side, i.Target.Object}
		groups[g] = append(groups[g], i)
	}
	fates := map[string]fate{}
	for _, g := range inOrder(groups) {
		list := groups[g]
		o := e.mapping.Object(g.mapping)
		if o == nil || e.lens(o, g.side, g.object) == nil {
			continue // the mapping does not name it any more
		}
		s := &searcher{e: e, o: o, lens: e.lens(o, g.side, g.object), hits: map[string]map[string]bool{}, exact: map[string]map[string]bool{}, gone: map[string]map[string]bool{}, taken: taken}
		if err := s.search(ctx, list); err != nil {
			return nil, err
		}
		maps.Copy(fates, s.fates())
	}
	return fates, nil
}

// fates tells which record became of which intent. Several creates with one key
// may have been sent in one call (two accounts with one domain): what holds
// every value that was written tells them apart, and a record that one intent
// alone can have made is no other's. Where as many records as intents are left,
// all holding just what was written, it does not matter which is whose.
func (s *searcher) fates() map[string]fate {
	fates := map[string]fate{}
	open := map[string][]string{} // intent → ids, in order
	for key, hits := range s.hits {
		if len(s.exact[key]) > 0 {
			hits = s.exact[key]
		}
		open[key] = slices.Sorted(maps.Keys(hits))
	}
	take := func(key, id string) {
		fates[key] = fate{id: id, ours: s.exact[key][id]}
		delete(open, key)
		for other, ids := range open {
			open[other] = slices.DeleteFunc(ids, func(x string) bool { return x == id })
		}
	}
	// Twice, for what is taken exactly may leave one for another.
	for _, exactly := range []bool{true, false, true, false} {
		for again := true; again; {
			again = false
			for _, key := range slices.Sorted(maps.Keys(open)) {
				ids := open[key]
				if exactly && len(s.exact[key]) == 0 {
					continue
				}
				if len(ids) == 1 || exactly && len(ids) > 1 && len(ids) == s.alike(open, ids) {
					take(key, ids[0])
					again = true
				}
			}
		}
	}
	for key, ids := range open {
		fates[key] = fate{several: len(ids) > 1}
	}
	used := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(s.gone)) {
		for _, id := range slices.Sorted(maps.Keys(s.gone[key])) {
			if f := fates[key]; f.id == "" && !f.several && !used[id] {
				fates[key], used[id] = fate{id: id, ours: true, gone: true}, true
			}
		}
	}
	return fates
}

// alike counts the open intents that wrote just what these records hold.
func (s *searcher) alike(open map[string][]string, ids []string) (n int) {
	for key, others := range open {
		if len(s.exact[key]) > 0 && slices.Equal(others, ids) {
			n++
		}
	}
	return n
}

// searcher looks for records that were created by one group of intents.
type searcher struct {
	e    *Engine
	o    *mapping.BoundObject
	lens *lens
	hits map[string]map[string]bool // intent key → ids
	// exact are those of the hits that hold every value that was written.
	exact map[string]map[string]bool
	// gone are records that hold every value that was written, and are deleted.
	gone  map[string]map[string]bool
	taken map[uint64]bool // by thingKey
	// since: what was made earlier was there when the creates were decided.
	since int64
}

// wantedRecord is one intent as the record that it would have become.
type wantedRecord struct {
	intent store.Intent
	since  int64
	// made is since when it can have been made, where nothing must be taken for it
	// that was there before: without intentSkew, and to the second.
	made  int64
	print []uint64
	slots []int
}

func (s *searcher) search(ctx context.Context, intents []store.Intent) error {
	external := map[string]store.Intent{}
	externalField := ""
	byKey := map[keyID][]*wantedRecord{}
	var keyless []*wantedRecord
	read, err := s.e.store.Cursor(ctx, s.o.Name, s.lens.side, s.lens.object)
	if err != nil {
		return err
	}
	oldest := s.e.now()
	for _, i := range intents {
		lost, err := readIntent(i.Body)
		if err != nil {
			return err
		}
		w := &lost.write
		if w.ExternalField != "" {
			externalField = w.ExternalField
			external[w.ExternalValue] = i
			if i.Sent.Before(oldest) {
				oldest = i.Sent
			}
			continue
		}
		// Our clock may have run ahead when it was sent. What was read by then, by
		// the vendor's clock, is surely older.
		if !read.Since.IsZero() && read.Since.Before(i.Sent) {
			i.Sent = read.Since
		}
		if i.Sent.Before(oldest) {
			oldest = i.Sent
		}
		want, record := s.want(i, w)
		keys := keysOf(s.o, s.lens, record)
		for _, k := range keys {
			byKey[keyID{k.Rule, k.Hash}] = append(byKey[keyID{k.Rule, k.Hash}], want)
		}
		if len(keys) == 0 {
			keyless = append(keyless, want)
		}
	}
	side := s.e.sides[s.lens.side]
	if len(external) > 0 {
		values := make([]string, 0, len(external))
		for v := range external {
			values = append(values, v)
		}
		found, err := side.Find(ctx, s.lens.read, externalField, values)
		if err != nil {
			return err
		}
		for i := range found {
			r := &found[i]
			if intent, ok := external[r.Value(externalField).Text]; ok && !r.Archived {
				hit(s.hits, intent.Key, r.ID)
				// Nobody else writes this id; but the record may have had it before.
				if r.CreatedMicros == 0 || r.CreatedMicros >= intent.Sent.Add(-intentSkew).UnixMicro() {
					hit(s.exact, intent.Key, r.ID)
				}
			}
		}
	}
	s.since = oldest.Add(-intentSkew).UnixMicro()
	look := func(page []crm.Record) error { return s.look(ctx, page, byKey, keyless) }
	switch {
	case len(byKey) == 0 && len(keyless) == 0:
	case s.lens.side == crm.Salesforce:
		_, err = side.Changes(ctx, s.lens.read, s.since, look)
	default:
		// HubSpot's search lags behind its writes; the list does not.
		_, err = side.Read(ctx, s.lens.read, look)
	}
	if err != nil || !slices.ContainsFunc(intents, func(i store.Intent) bool { return len(s.exact[i.Key]) == 0 }) {
		return err
	}
	return side.Gone(ctx, s.lens.read, s.since, func(page []crm.Record) error {
		free, err := s.free(ctx, page)
		for _, r := range free {
			if i, ok := external[r.Value(externalField).Text]; ok {
				hit(s.gone, i.Key, r.ID)
			}
			s.compare(r, byKey, keyless, func(w *wantedRecord, exact bool) {
				if exact && r.CreatedMicros >= w.made {
					hit(s.gone, w.intent.Key, r.ID)
				}
			})
		}
		return err
	})
}

// want builds the record that an intent would have become.
func (s *searcher) want(i store.Intent, w *reconcile.PlannedWrite) (*wantedRecord, *crm.Record) {
	r := made(s.lens, "", w.Changes)
	want := &wantedRecord{intent: i, since: i.Sent.Add(-intentSkew).UnixMicro(), made: i.Sent.Truncate(time.Second).UnixMicro(), print: reconcile.Fingerprint(s.o, s.lens.side, s.lens.object, r)}
	written := map[string]bool{}
	for _, ch := range w.Changes {
		written[ch.Field] = ch.After.IsPresent()
	}
	for _, t := range s.o.Targets {
		if s.lens.side == crm.Salesforce && t.Object != s.lens.object {
			continue
		}
		for _, f := range t.Fields {
			name := f.Salesforce
			if s.lens.side == crm.HubSpot {
				name = f.HubSpot
			}
			if written[name] {
				want.slots = append(want.slots, f.Slot)
			}
		}
	}
	return want, r
}

func (s *searcher) look(ctx context.Context, page []crm.Record, byKey map[keyID][]*wantedRecord, keyless []*wantedRecord) error {
	free, err := s.free(ctx, page)
	if err != nil {
		return err
	}
	var news []store.Key
	for _, r := range free {
		if r.Archived {
			continue
		}
		if r.CreatedMicros >= s.since {
			news = append(news, keysOf(s.o, s.lens, r)...)
		}
		s.compare(r, byKey, keyless, func(w *wantedRecord, exact bool) {
			if r.CreatedMicros != 0 && r.CreatedMicros < w.since {
				return
			}
			hit(s.hits, w.intent.Key, r.ID)
			if exact {
				hit(s.exact, w.intent.Key, r.ID)
			}
		})
	}
	if len(news) == 0 {
		return nil
	}
	// Somebody may have made what was to be created, with a key that the mapping
	// does not write: the next decision has to find it, however late the search is.
	return s.e.store.Write(ctx, func(t *store.Tx) error { return t.PutKeys(s.o.Name, s.lens.side, news) })
}

// free are the records of a page that are linked to nothing, and not taken.
func (s *searcher) free(ctx context.Context, page []crm.Record) ([]*crm.Record, error) {
	var ids []string
	for i := range page {
		ids = append(ids, page[i].ID)
	}
	links, err := s.e.store.Links(ctx, s.o.Name, s.lens.side, ids)
	if err != nil {
		return nil, err
	}
	var free []*crm.Record
	for i := range page {
		r := &page[i]
		if _, linked := links[r.ID]; !linked && !s.taken[thingKey(s.lens.side, r.ID)] {
			free = append(free, r)
		}
	}
	return free, nil
}

// compare shows the intents that may have made a record: those with one of its
// keys, exact if it holds every value that was written, and those without any key
// whose values it holds.
func (s *searcher) compare(r *crm.Record, byKey map[keyID][]*wantedRecord, keyless []*wantedRecord, fits func(w *wantedRecord, exact bool)) {
	print := sync.OnceValue(func() []uint64 { return reconcile.Fingerprint(s.o, s.lens.side, s.lens.object, r) })
	for _, k := range keysOf(s.o, s.lens, r) {
		for _, w := range byKey[keyID{k.Rule, k.Hash}] {
			fits(w, sameIn(w.slots, w.print, print()))
		}
	}
	for _, w := range keyless {
		if sameIn(w.slots, w.print, print()) {
			fits(w, true)
		}
	}
}

func hit(hits map[string]map[string]bool, key, id string) {
	if hits[key] == nil {
		hits[key] = map[string]bool{}
	}
	hits[key][id] = true
}

func sameIn(slots []int, a, b []uint64) bool {
	for _, n := range slots {
		if n >= len(a) || n >= len(b) || a[n] != b[n] {
			return false
		}
	}
	return len(slots) > 0
}
