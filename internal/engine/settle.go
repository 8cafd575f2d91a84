package engine

import (
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// settlement is everything that one batch changes in the store, in one
// transaction: links and bases, fates of intents, journal, outcomes, awaits,
// and the changes that are done with.
type settlement struct {
	links    []store.Link
	ties     map[string][]crm.Tie // of pairs, by HubSpot id
	unlinked []string
	outcomes []store.Outcome
	forget   map[crm.Side][]string // outcomes to drop
	drop     map[crm.Side][]string // changes that are settled
	keep     map[crm.Side][]string // changes that wait for somebody
	reread   []store.Change
	awaits   []store.Await
	fire     map[crm.Side][]string
	intents  []string
	journal  []store.Entry
	entered  []*send // whose entries these are
	unsent   []int64 // entries of the journal whose writes never left
	done     map[crm.Side][]string
	// conflicts are shown from now on; those of resolved things that are not
	// among them are done with.
	conflicts      []store.Conflict
	resolved       map[crm.Side][]string
	conflictsMoved [][2]crm.Ref
	// keys are the match keys of what was made, which nobody has read yet.
	keys map[crm.Side][]store.Key
}

func (b *batch) settle(ctx context.Context) error {
	var hubspotIDs, newSalesforce []string
	for _, j := range b.jobs {
		if j.d.WasLinked || j.d.NewLink != nil {
			if j.d.HubSpot.ID != "" {
				hubspotIDs = append(hubspotIDs, j.d.HubSpot.ID)
			}
		}
		if _, salesforce := j.newPair(); salesforce != "" {
			newSalesforce = append(newSalesforce, salesforce)
		}
	}
	links, err := b.e.store.Links(ctx, b.o.Name, crm.HubSpot, hubspotIDs)
	if err != nil {
		return err
	}
	taken, err := b.e.store.Links(ctx, b.o.Name, crm.Salesforce, newSalesforce)
	if err != nil {
		return err
	}
	had, err := b.remembered(ctx)
	if err != nil {
		return err
	}
	s := newSettlement()
	var writes Writes
	for _, j := range b.jobs {
		if b.c.undoes != 0 {
			b.settleUndo(s, j, &writes)
			continue
		}
		if hubspot, salesforce := j.newPair(); salesforce != "" {
			if l, ok := taken[salesforce]; ok && l.HubSpotID != hubspot {
				j.outcome = crm.Held
				j.reason = crm.Reason{Code: CodeHeldDuplicate, Text: "Salesforce record " + salesforce + " is linked with HubSpot record " + l.HubSpotID + " already",
					Mend: "merge the two HubSpot records, or change what makes them match"}
				j.d.NewLink = nil
			}
		}
		b.settleOne(s, j, links, &writes)
	}
	known, err := b.failuresOf(ctx)
	if err != nil {
		return err
	}
	failed, good := b.failures(known)
	if b.c.undoes != 0 {
		failed, good = nil, nil // what an undo could not write is no failure of the thing
	}
	doubted, err := b.endsInDoubt(ctx)
	if err != nil {
		return err
	}
	fired := 0
	err = b.e.store.Write(ctx, func(t *store.Tx) error {
		n, err := s.save(t, b.o.Name)
		if fired = n; err != nil {
			return err
		}
		for side, ids := range good {
			if err := t.DropFailures(b.o.Name, side, ids); err != nil {
				return err
			}
		}
		if err := t.PutFailures(failed); err != nil {
			return err
		}
		for _, far := range doubted {
			if err := t.PutDue(far.mapping, []crm.Ref{far.ref}, store.WakeChanged); err != nil {
				return err
			}
		}
		return t.PutDecisions(b.history(had), b.e.historyPerThing)
	})
	if err != nil {
		return err
	}
	// Only what is committed is counted.
	l := b.c.ledger(b.o.Name)
	for _, j := range b.jobs {
		if hubspot, salesforce := j.newPair(); hubspot != "" && salesforce != "" && !j.created(crm.Salesforce) {
			l.join(hubspot, salesforce)
		}
		l.settle(thingKey(j.row.Side, j.row.ID), j.outcome)
		if j.now {
			b.c.again++
		}
		if b.e.mapping.Brakes.Updates != (mapping.Limit{}) && j.updated() {
			if b.c.updated == nil {
				b.c.updated = map[uint64]struct{}{}
			}
			b.c.updated[thingKey(j.row.Side, j.row.ID)] = struct{}{}
		}
	}
	b.c.again += fired
	b.c.writes.Created += writes.Created
	b.c.writes.Updated += writes.Updated
	b.c.writes.Archived += writes.Archived
	b.c.writes.Related += writes.Related
	b.c.writes.Linked += writes.Linked
	b.c.writes.Restored += writes.Restored
	return nil
}

// newPair returns the two ids of a link that this job made; empty when it made
// none, or its create did not come through.
func (j *job) newPair() (hubspotID, salesforceID string) {
	if j.d.NewLink == nil {
		return "", ""
	}
	hubspotID, salesforceID = j.d.NewLink.HubSpotID, j.d.NewLink.SalesforceID
	for _, s := range j.sends {
		if s.planned.Op == crm.Create && s.ok() {
			if s.planned.Side == crm.HubSpot {
				hubspotID = s.result.ID
			} else {
				salesforceID = s.result.ID
			}
		}
	}
	if hubspotID == "" || salesforceID == "" || j.outcome == crm.Pending && !j.anySent() {
		return "", ""
	}
	return hubspotID, salesforceID
}

func (j *job) anySent() bool {
	for _, s := range j.sends {
		if s.ok() {
			return true
		}
	}
	return false
}

// updated tells whether fields of a record that was there were written.
func (j *job) updated() bool {
	return slices.ContainsFunc(j.sends, func(s *send) bool { return s.planned.Op == crm.Update && s.mayHave() })
}

func (j *job) created(side crm.Side) bool {
	for _, s := range j.sends {
		if s.planned.Op == crm.Create && s.planned.Side == side {
			return true
		}
	}
	return false
}

func (b *batch) settleOne(s *settlement, j *job, links map[string]store.Link, writes *Writes) {
	d := j.d
	b.journal(s, j, writes)
	b.settleConflicts(s, j)
	s.done[j.row.Side] = append(s.done[j.row.Side], j.row.ID)
	for _, a := range d.Awaits {
		for _, far := range b.e.objectsBy(a.Side, a.Object) {
			b.await(j, far.Name, a)
		}
	}
	hubspotID, salesforceID := j.newPair()
	linked := false
	switch {
	case d.WasLinked && d.Unlink && j.outcome != crm.Pending && j.outcome != crm.Failed:
		s.unlinked = append(s.unlinked, d.HubSpot.ID)
		if d.Again {
			b.again(j)
		}
	case d.WasLinked:
		l, ok := links[d.HubSpot.ID]
		if !ok {
			break
		}
		was := l.HubSpotGone || l.SalesforceGone
		if l = b.relink(l, j); was && !l.HubSpotGone && !l.SalesforceGone {
			// What was deleted is back: whatever refers to it waited for that.
			s.fire[crm.HubSpot] = append(s.fire[crm.HubSpot], l.HubSpotID)
			s.fire[crm.Salesforce] = append(s.fire[crm.Salesforce], l.SalesforceID)
		}
		if l.HubSpotGone && l.SalesforceGone {
			s.unlinked = append(s.unlinked, d.HubSpot.ID)
			d.Unlink = true
			break
		}
		linked = true
		s.links = append(s.links, l)
		b.retie(s, j, l.HubSpotID)
	case hubspotID != "":
		linked = true
		s.links = append(s.links, b.newLink(j, hubspotID, salesforceID))
		b.keysOfMade(s, j)
		b.retie(s, j, hubspotID)
		writes.Linked++
		s.fire[crm.HubSpot] = append(s.fire[crm.HubSpot], hubspotID)
		s.fire[crm.Salesforce] = append(s.fire[crm.Salesforce], salesforceID)
		s.forget[crm.Salesforce] = append(s.forget[crm.Salesforce], salesforceID)
		s.resolved[crm.Salesforce] = append(s.resolved[crm.Salesforce], salesforceID)
		d.HubSpot = crm.Ref{Side: crm.HubSpot, Object: b.o.HubSpot, ID: hubspotID}
		d.Salesforce = crm.Ref{Side: crm.Salesforce, Object: d.NewLink.SalesforceObject, ID: salesforceID}
	}
	s.awaits = append(s.awaits, j.awaits...)
	b.settleOutcome(s, j, linked)
	b.settleChanges(s, j)
}

// keysOfMade notes by what the records that were made are found: a record of the
// other side with the same key may come before they are read.
func (b *batch) keysOfMade(s *settlement, j *job) {
	for _, w := range j.sends {
		if l := b.e.lens(b.o, w.planned.Side, w.planned.Object); w.planned.Op == crm.Create && w.ok() && !w.joined && l != nil {
			if s.keys == nil {
				s.keys = map[crm.Side][]store.Key{}
			}
			s.keys[l.side] = append(s.keys[l.side], keysOf(b.o, l, made(l, w.result.ID, w.changes))...)
		}
	}
}

// made is a record as we wrote it.
func made(l *lens, id string, changes []reconcile.Change) *crm.Record {
	r := &crm.Record{Layout: l.read.Layout, ID: id, Values: make([]crm.Value, len(l.read.Layout.Fields))}
	for _, ch := range changes {
		if n := l.read.Layout.Index(ch.Field); n >= 0 {
			r.Values[n] = ch.After
		}
	}
	return r
}

// retie keeps what is agreed of the associations. A thing whose writes did not
// all come through is decided again, from what was agreed before.
func (b *batch) retie(s *settlement, j *job, hubspotID string) {
	if !j.d.Retie || j.outcome != crm.Synced && j.outcome != crm.Unchanged {
		return
	}
	s.tie(hubspotID, j.tiesAfter())
}

func (s *settlement) tie(hubspotID string, ties []crm.Tie) {
	if s.ties == nil {
		s.ties = map[string][]crm.Tie{}
	}
	s.ties[hubspotID] = ties
}

// relink brings an existing link up to date. The base moves only when every
// write of the thing came through; a side that was written to has to be seen
// again before it counts as seen.
func (b *batch) relink(l store.Link, j *job) store.Link {
	d := j.d
	if j.outcome == crm.Pending {
		return l
	}
	if d.Base != nil && j.outcome != crm.Failed && (j.outcome != crm.Held || len(j.sends) == 0) {
		l.Base = b.finish(j, *d.Base)
	}
	if d.HubSpotAt.Seen != 0 {
		l.SeenHubSpot, l.OpenHubSpot = d.HubSpotAt.Seen, d.HubSpotAt.Open
		l.RelatedHubSpot, l.CalculatedHubSpot = d.HubSpotAt.Related, d.HubSpotAt.Calculated
	}
	if d.SalesAt.Seen != 0 {
		l.SeenSalesforce, l.OpenSalesforce, l.CalculatedSalesforce = d.SalesAt.Seen, d.SalesAt.Open, d.SalesAt.Calculated
	}
	l.HubSpotGone, l.SalesforceGone = d.HubGone, d.SalesGone
	if j.outcome != crm.Failed {
		l.Departed = d.Departed
	}
	for _, w := range j.sends {
		if !w.mayHave() {
			continue // what was refused left the record as it was seen
		}
		if w.planned.Side == crm.HubSpot {
			l.SeenHubSpot = 0
			if w.planned.Relation != nil {
				l.RelatedHubSpot = 0
			}
			l.HubSpotGone = l.HubSpotGone || w.planned.Op == crm.Archive && w.ok()
		} else {
			l.SeenSalesforce = 0
			l.SalesforceGone = l.SalesforceGone || w.planned.Op == crm.Archive && w.ok()
		}
	}
	return l
}

// again lets what is left of a pair be decided in this run, as a record that is
// linked to nothing.
func (b *batch) again(j *job) {
	j.now = true
	if j.d.HubGone {
		b.c.ledger(b.o.Name).same(thingKey(crm.HubSpot, j.d.HubSpot.ID), thingKey(crm.Salesforce, j.d.Salesforce.ID))
	}
	for _, ref := range []struct {
		crm.Ref
		gone bool
	}{{j.d.HubSpot, j.d.HubGone}, {j.d.Salesforce, j.d.SalesGone}} {
		if !ref.gone {
			j.reread = append(j.reread, store.Change{Mapping: b.o.Name, Ref: ref.Ref, Due: true})
		}
	}
}

// newLink makes a link. When a write besides the create failed, or what was found
// may not be what was created, the base stays empty: the next decision compares
// both sides as on a first match.
func (b *batch) newLink(j *job, hubspotID, salesforceID string) store.Link {
	l := store.Link{Link: *j.d.NewLink}
	l.Mapping, l.HubSpotID, l.SalesforceID = b.o.Name, hubspotID, salesforceID
	whole := true
	for _, s := range j.sends {
		if s.ready && !s.ok() || s.joined {
			whole = false
		}
	}
	if whole {
		l.Base = b.finish(j, l.Base)
	} else {
		l.Base = crm.Base{}
	}
	l.SeenHubSpot, l.SeenSalesforce = j.d.HubSpotAt.Seen, j.d.SalesAt.Seen
	l.OpenHubSpot, l.OpenSalesforce = j.d.HubSpotAt.Open, j.d.SalesAt.Open
	l.RelatedHubSpot, l.CalculatedHubSpot, l.CalculatedSalesforce = j.d.HubSpotAt.Related, j.d.HubSpotAt.Calculated, j.d.SalesAt.Calculated
	for _, s := range j.sends {
		if !s.mayHave() {
			continue
		}
		if s.planned.Side == crm.HubSpot {
			l.SeenHubSpot = 0
			if s.planned.Relation != nil {
				l.RelatedHubSpot = 0
			}
		} else {
			l.SeenSalesforce = 0
		}
	}
	return l
}

// finish completes a base with what only the sending could tell: the ids that
// references turned into. Of a reference that was left out nothing is known, so
// that it is decided again.
func (b *batch) finish(j *job, base crm.Base) crm.Base {
	for _, s := range j.sends {
		if s.planned.Relation != nil {
			if !s.ready && !s.moot {
				base.Forget(b.relationSlot(s.planned))
			}
			b.finishRelation(s, base)
			continue
		}
		b.finishReferences(s, base)
	}
	return base
}

// finishRelation notes what a HubSpot record is associated with now, where that
// was not known when it was decided: somebody may end it before we look again.
func (b *batch) finishRelation(s *send, base crm.Base) {
	r := s.planned.Relation
	slot := b.relationSlot(s.planned)
	if !s.ok() || s.planned.Op != crm.Relate || s.planned.Side != crm.HubSpot || !r.Primary || slot < 0 || slot >= len(base.HubSpot) || base.HubSpot[slot] != 0 {
		return
	}
	for _, t := range b.o.Targets {
		for i := range t.Associations {
			if a := &t.Associations[i]; a.Slot == slot {
				base.HubSpot[slot] = reconcile.MainPrint(a, r.FarObject, s.write.Relation.ID)
				return
			}
		}
	}
}

func (b *batch) finishReferences(s *send, base crm.Base) {
	l := b.e.lens(b.o, s.planned.Side, s.planned.Object)
	slots := base.HubSpot
	if s.planned.Side == crm.Salesforce {
		slots = base.Salesforce
	}
	for _, ch := range s.planned.Changes {
		i := slices.IndexFunc(s.changes, func(done reconcile.Change) bool { return done.Field == ch.Field })
		if i < 0 || l == nil {
			base.Forget(ch.Slot)
			continue
		}
		if ch.Ref == nil {
			continue
		}
		print := reconcile.Fingerprint(b.o, s.planned.Side, s.planned.Object, made(l, s.result.ID, s.changes[i:i+1]))
		if ch.Slot >= 0 && ch.Slot < len(slots) && ch.Slot < len(print) {
			slots[ch.Slot] = print[ch.Slot]
		}
	}
}

// relationSlot is the place of an association in the base, or -1.
func (b *batch) relationSlot(w *reconcile.PlannedWrite) int {
	for _, t := range b.o.Targets {
		for _, a := range t.Associations {
			if w.Side == crm.Salesforce && a.Salesforce == w.Relation.Object || w.Side == crm.HubSpot && a.By == "" && slices.Contains(a.FarObjects(), w.Relation.Object) {
				return a.Slot
			}
		}
	}
	return -1
}

func (b *batch) settleOutcome(s *settlement, j *job, linked bool) {
	d := j.d
	if d.Unlink {
		s.forget[crm.HubSpot] = append(s.forget[crm.HubSpot], d.HubSpot.ID)
		return
	}
	if d.FromSealed && j.reason.Code == CodePendingChanged {
		return // a sealed plan that is out of date says nothing of how the thing stands
	}
	good := j.outcome == crm.Synced || j.outcome == crm.Unchanged
	if linked {
		if good {
			s.forget[crm.HubSpot] = append(s.forget[crm.HubSpot], d.HubSpot.ID)
			return
		}
		s.outcomes = append(s.outcomes, store.Outcome{Mapping: b.o.Name, Ref: d.HubSpot, Linked: true, Outcome: j.outcome, Reason: j.reason,
			Run: b.c.run, Time: b.e.now()})
		return
	}
	ref, at := d.on(j.row.Side)
	s.outcomes = append(s.outcomes, store.Outcome{Mapping: b.o.Name, Ref: ref, Seen: at.Seen, Calculated: at.Calculated, Outcome: j.outcome, Reason: j.reason, Run: b.c.run, Time: b.e.now()})
}

func (b *batch) settleChanges(s *settlement, j *job) {
	d := j.d
	refs := []crm.Ref{d.HubSpot, d.Salesforce}
	s.reread = append(s.reread, j.reread...)
	for _, r := range refs {
		if r.ID == "" {
			continue
		}
		if j.reason.Code == CodeHeldUndone {
			s.drop[r.Side] = append(s.drop[r.Side], r.ID) // nothing but a change moves it
			continue
		}
		switch j.outcome {
		case crm.Synced, crm.Unchanged, crm.Excluded:
			if j.reason.Code == reconcile.CodeFilterOther {
				// It is its candidate that is left out: when that one goes or
				// changes, this one is decided again.
				s.keep[r.Side] = append(s.keep[r.Side], r.ID)
				continue
			}
			s.drop[r.Side] = append(s.drop[r.Side], r.ID)
		case crm.Held, crm.Failed:
			// What hangs on a record may be moved or deleted, which no change of the
			// record tells: it stays due.
			if !j.now && j.reason.Code != CodeHeldCascade {
				s.keep[r.Side] = append(s.keep[r.Side], r.ID)
			}
		}
	}
	// Creates whose fate is known are no intents any more; a thing that waits
	// because a fate is unknown was not sent in this batch.
	for _, w := range j.sends {
		known := w.ok() || w.sent && !w.result.Unknown || !w.sent || j.now
		if w.planned.Op == crm.Create && known {
			s.intents = append(s.intents, intentKey(j.row.Mapping, j.row.Side, j.row.ID))
		}
	}
}

// number gives entries that were not in the journal before their place in it.
func (s *settlement) number(t *store.Tx) error {
	next := int64(0)
	for i := range s.journal {
		if s.journal[i].Seq != 0 {
			continue
		}
		if next == 0 {
			var err error
			if next, err = t.NextJournal(); err != nil {
				return err
			}
		}
		s.journal[i].Seq, s.entered[i].seq = next, next
		next++
	}
	return nil
}

// save writes the settlement and returns how many things it made due again.
func (s *settlement) save(t *store.Tx, name string) (fired int, err error) {
	sides := []crm.Side{crm.HubSpot, crm.Salesforce}
	if err := t.DropLinks(name, s.unlinked); err != nil {
		return 0, err
	}
	if err := t.PutLinks(s.links); err != nil {
		return 0, err
	}
	if len(s.unlinked) > 0 {
		if err := t.EndAliases(name); err != nil {
			return 0, err
		}
	}
	for _, side := range sides {
		if err := t.DropKin(name, side, s.fire[side]); err != nil {
			return 0, err
		}
	}
	for side, keys := range s.keys {
		if err := t.PutKeys(name, side, keys); err != nil {
			return 0, err
		}
	}
	for id, ties := range s.ties {
		if err := t.PutTies(name, id, ties); err != nil {
			return 0, err
		}
	}
	if err := t.DropIntents(s.intents); err != nil {
		return 0, err
	}
	if err := s.number(t); err != nil {
		return 0, err
	}
	if err := t.AppendJournal(s.journal); err != nil {
		return 0, err
	}
	if err := t.DropJournal(s.unsent); err != nil {
		return 0, err
	}
	for _, side := range sides {
		if err := t.DropOutcomes(name, side, s.forget[side]); err != nil {
			return 0, err
		}
		if err := t.DropChanges(name, side, s.drop[side]); err != nil {
			return 0, err
		}
		if err := t.KeepChanges(name, side, s.keep[side]); err != nil {
			return 0, err
		}
		if err := t.DonePlan(name, side, s.done[side]); err != nil {
			return 0, err
		}
	}
	if err := t.PutOutcomes(s.outcomes); err != nil {
		return 0, err
	}
	for _, side := range sides {
		if err := t.KeepConflicts(name, side, s.resolved[side], s.conflicts); err != nil {
			return 0, err
		}
	}
	for _, moved := range s.conflictsMoved {
		if err := t.MoveConflicts(name, moved[0], moved[1]); err != nil {
			return 0, err
		}
	}
	if err := t.PutConflicts(s.conflicts); err != nil {
		return 0, err
	}
	if err := t.PutChanges(s.reread); err != nil {
		return 0, err
	}
	if err := t.PutAwaits(s.awaits); err != nil {
		return 0, err
	}
	for _, side := range sides {
		n, err := t.FireAwaits(name, side, s.fire[side])
		if err != nil {
			return 0, err
		}
		fired += n
	}
	return fired, nil
}
