package engine

import (
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

func newSettlement() *settlement {
	return &settlement{forget: map[crm.Side][]string{}, drop: map[crm.Side][]string{}, keep: map[crm.Side][]string{},
		fire: map[crm.Side][]string{}, done: map[crm.Side][]string{}, resolved: map[crm.Side][]string{}}
}

// undoing works out what the store knows of the batch's things once the undo is
// done. It is committed before anything leaves: a process that dies then leaves
// things that count as undone although they may not be, which a later sync takes
// for a person's change, and never things that are undone and do not count so,
// which it would repeat, or follow as a deletion.
func (b *batch) undoing(ctx context.Context) (*settlement, error) {
	var ids []string
	for _, j := range b.jobs {
		if j.d.WasLinked {
			ids = append(ids, j.d.HubSpot.ID)
		}
	}
	links, err := b.e.store.Links(ctx, b.o.Name, crm.HubSpot, ids)
	if err != nil {
		return nil, err
	}
	outcomes := map[crm.Side]map[string]store.Outcome{}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		ids = ids[:0]
		for _, j := range b.jobs {
			if ref, _ := j.d.on(side); ref.ID != "" {
				ids = append(ids, ref.ID)
			}
		}
		if outcomes[side], err = b.e.store.Outcomes(ctx, b.o.Name, side, ids); err != nil {
			return nil, err
		}
	}
	s := newSettlement()
	for _, j := range b.jobs {
		if j.outcome != "" || len(j.sends) == 0 {
			continue
		}
		j.was = &before{outcomes: map[crm.Side]*store.Outcome{}}
		if l, ok := links[j.d.HubSpot.ID]; ok && j.d.WasLinked {
			j.was.link = &l
		}
		for side, list := range outcomes {
			ref, _ := j.d.on(side)
			if o, ok := list[ref.ID]; ok {
				j.was.outcomes[side] = &o
			}
		}
		b.asUndone(s, j, func(w *send) bool { return w.ready })
	}
	return s, nil
}

// settleUndo corrects what undoing took for granted: what was refused, or never
// left, stands as it stood.
func (b *batch) settleUndo(s *settlement, j *job, writes *Writes) {
	b.journal(s, j, writes)
	s.done[j.row.Side] = append(s.done[j.row.Side], j.row.ID)
	if j.was == nil {
		return
	}
	if j.any(func(w *send) bool { return !w.mayHave() }) {
		b.asBefore(s, j)
	}
	b.asUndone(s, j, (*send).mayHave)
}

// asBefore puts back what the store knew of a thing, and has it looked at again.
func (b *batch) asBefore(s *settlement, j *job) {
	if l := j.was.link; l != nil {
		s.links = append(s.links, *l)
	}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		ref, at := j.d.on(side)
		if happens(j, side, crm.Restore, func(*send) bool { return true }) && j.was.outcomes[side] == nil {
			s.forget[side] = append(s.forget[side], ref.ID)
		}
		if ref.ID == "" || at.Seen == 0 && j.was.link == nil {
			continue
		}
		s.forget[side] = append(s.forget[side], ref.ID)
		if o := j.was.outcomes[side]; o != nil {
			s.outcomes = append(s.outcomes, *o)
		}
		s.reread = append(s.reread, store.Change{Mapping: b.o.Name, Ref: ref, Due: true, Wake: store.WakeChanged})
	}
}

func happens(j *job, side crm.Side, op crm.Op, which func(*send) bool) bool {
	for _, w := range j.sends {
		if w.planned.Side == side && w.planned.Op == op && which(w) {
			return true
		}
	}
	return false
}

func (j *job) any(which func(*send) bool) bool {
	for _, w := range j.sends {
		if which(w) {
			return true
		}
	}
	return false
}

// asUndone settles a thing of which these writes happened.
func (b *batch) asUndone(s *settlement, j *job, which func(*send) bool) {
	if !j.any(which) {
		return
	}
	d := j.d
	held := func(ref crm.Ref, seen uint64, linked bool) {
		s.outcomes = append(s.outcomes, store.Outcome{Mapping: b.o.Name, Ref: ref, Seen: seen, Linked: linked, Outcome: crm.Held,
			Reason: undoneReason(d.Undone.Of), Run: b.c.run, Time: b.e.now()})
	}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		if !happens(j, side, crm.Archive, which) {
			continue
		}
		// What it was made from is not made again while it does not change.
		if j.was.link != nil {
			s.unlinked = append(s.unlinked, j.was.link.HubSpotID)
			s.forget[crm.HubSpot] = append(s.forget[crm.HubSpot], j.was.link.HubSpotID)
		}
		ref, _ := d.on(side)
		s.forget[side] = append(s.forget[side], ref.ID)
		s.drop[side] = append(s.drop[side], ref.ID)
		if other, at := d.on(side.Other()); other.ID != "" && at.Seen != 0 && !happens(j, side.Other(), crm.Archive, which) {
			s.drop[side.Other()] = append(s.drop[side.Other()], other.ID)
			held(other, at.Seen, false)
		}
		return
	}
	if j.revived != nil {
		b.asRestored(s, j, held)
		return
	}
	if l := j.was.link; l != nil {
		undone := *l
		b.moveBase(&undone, j, which)
		s.links = append(s.links, undone)
		if d.Retie {
			s.tie(l.HubSpotID, d.Ties)
		}
		switch {
		case d.Base == nil: // its archive was refused
		case d.Undone.Differs:
			held(d.HubSpot, 0, true)
		default:
			s.forget[crm.HubSpot] = append(s.forget[crm.HubSpot], l.HubSpotID)
		}
		return
	}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		if ref, _ := d.on(side); happens(j, side, crm.Restore, which) {
			held(ref, 0, false) // what it will look like is not known yet
		}
		if ref, at := d.on(side); at.Seen != 0 && (happens(j, side, crm.Update, which) || happens(j, side, crm.Relate, which) || happens(j, side, crm.Unrelate, which)) {
			held(ref, at.Seen, false)
		}
	}
}

// moveBase gives a link the base of the sides whose writes all happened.
func (b *batch) moveBase(l *store.Link, j *job, which func(*send) bool) {
	d := j.d
	whole := true
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		wrote, all := false, true
		for _, w := range j.sends {
			if w.planned.Side == side {
				wrote = wrote || which(w)
				all = all && which(w)
			}
		}
		whole = whole && all
		if wrote {
			if side == crm.HubSpot {
				l.SeenHubSpot = 0
			} else {
				l.SeenSalesforce = 0
			}
		}
		if all && d.Base != nil && l.Base.Version == d.Base.Version {
			if side == crm.HubSpot {
				l.Base.HubSpot = d.Base.HubSpot
			} else {
				l.Base.Salesforce = d.Base.Salesforce
			}
		}
	}
	if whole && d.Base != nil {
		l.Base = *d.Base
		l.OpenHubSpot, l.OpenSalesforce = d.HubSpotAt.Open, d.SalesAt.Open
	}
}

// revived is a record that came back, and the one that it was linked with.
type revived struct {
	side    crm.Side
	record  *crm.Record
	partner *crm.Record
	// free: neither is linked with anything else. differs: the two do not agree.
	free, differs bool
}

// revive reads what came back, which nobody could read before, and its partner.
func (b *batch) revive(ctx context.Context) error {
	ids := map[crm.Side]map[string][]string{crm.HubSpot: {}, crm.Salesforce: {}}
	var jobs []*job
	for _, j := range b.jobs {
		for _, w := range j.sends {
			if w.planned.Op != crm.Restore || !w.ok() {
				continue
			}
			jobs = append(jobs, j)
			j.revived = &revived{side: w.planned.Side}
			for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
				if ref, _ := j.d.on(side); ref.ID != "" {
					ids[side][ref.Object] = append(ids[side][ref.Object], ref.ID)
				}
			}
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	records, links := map[crm.Side]map[string]*crm.Record{}, map[crm.Side]map[string]store.Link{}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		objects := ids[side]
		records[side] = map[string]*crm.Record{}
		if err := b.e.lookup(ctx, b.o, side, objects, records[side]); err != nil {
			return err
		}
		var all []string
		for _, list := range objects {
			all = append(all, list...)
		}
		var err error
		if links[side], err = b.e.store.Links(ctx, b.o.Name, side, all); err != nil {
			return err
		}
	}
	wanted := wishes{}
	snapshot := func(j *job) reconcile.Snapshot {
		return reconcile.Snapshot{HubSpot: liveOnly(records[crm.HubSpot][j.d.HubSpot.ID]), Salesforce: liveOnly(records[crm.Salesforce][j.d.Salesforce.ID])}
	}
	for _, j := range jobs {
		s := snapshot(j)
		wanted.of(b.e, b.o, &s)
	}
	k, err := b.e.learn(ctx, wanted)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		s := snapshot(j)
		s.Known = k
		r := j.revived
		r.record, r.partner = s.HubSpot, s.Salesforce
		if r.side == crm.Salesforce {
			r.record, r.partner = s.Salesforce, s.HubSpot
		}
		_, hubspot := links[crm.HubSpot][j.d.HubSpot.ID]
		_, salesforce := links[crm.Salesforce][j.d.Salesforce.ID]
		r.free = !hubspot && !salesforce
		if s.HubSpot != nil && s.Salesforce != nil {
			r.differs = slices.ContainsFunc(reconcile.Compare(b.o, s), func(x reconcile.Difference) bool { return x.Allowed == "" })
		}
	}
	return nil
}

// asRestored links a record that came back with its partner again, with the base
// that both have now; one without a partner is held until it changes.
func (b *batch) asRestored(s *settlement, j *job, held func(crm.Ref, uint64, bool)) {
	r := j.revived
	ref, _ := j.d.on(r.side)
	if r.record == nil { // it was there for a moment only
		s.forget[r.side] = append(s.forget[r.side], ref.ID)
		return
	}
	if r.partner == nil || !r.free {
		held(ref, b.e.lens(b.o, r.side, ref.Object).own(r.record), false)
		return
	}
	hubspot, salesforce := r.partner, r.record
	if r.side == crm.HubSpot {
		hubspot, salesforce = salesforce, hubspot
	}
	link := store.Link{Link: crm.Link{Mapping: b.o.Name, HubSpotID: hubspot.ID, SalesforceObject: j.d.Salesforce.Object, SalesforceID: salesforce.ID}}
	link.Base = crm.Base{Version: b.o.BaseVersion, HubSpot: reconcile.Fingerprint(b.o, crm.HubSpot, b.o.HubSpot, hubspot),
		Salesforce: reconcile.Fingerprint(b.o, crm.Salesforce, link.SalesforceObject, salesforce)}
	s.links = append(s.links, link)
	for side, id := range map[crm.Side]string{crm.HubSpot: hubspot.ID, crm.Salesforce: salesforce.ID} {
		s.forget[side] = append(s.forget[side], id)
		s.fire[side] = append(s.fire[side], id)
	}
	if r.differs {
		held(j.d.HubSpot, 0, true)
	}
}
