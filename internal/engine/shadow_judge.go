package engine

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// judgement compares, for one thing, what our rules came to with what became of
// it.
type judgement struct {
	s     *shadow
	thing *shadowThing
	to    *shadowSettlement
	waits map[int]store.ShadowWait
	err   error
}

func (j *judgement) judge() {
	d, t := j.thing.d, j.thing
	switch {
	case t.link != nil && (d.HubGone || d.SalesGone):
		j.gone()
	case t.link != nil && t.hubspot != nil && t.salesforce != nil && t.o.Target(t.link.SalesforceObject) != nil:
		j.pair()
	case d.NewLink != nil && d.NewLink.HubSpotID != "" && d.NewLink.SalesforceID != "" && t.hubspot != nil && t.salesforce != nil:
		j.met()
	case t.link == nil:
		j.alone()
	}
	for _, ref := range []crm.Ref{d.HubSpot, d.Salesforce} {
		if ref.ID != "" {
			j.to.drop[ref.Side] = append(j.to.drop[ref.Side], ref.ID)
		}
	}
}

// wait keeps a wait, or begins it; what we would write having changed begins
// it anew.
func (j *judgement) wait(slot int, w shadowWait) {
	since := j.s.now
	if old, ok := j.waits[slot]; ok {
		before, err := j.read(old)
		if err != nil {
			return
		}
		if before.Ours == w.Ours && before.Target == w.Target && sameText(before.After, w.After) {
			since = old.Since
		}
	}
	body, err := json.Marshal(w)
	if err != nil {
		j.err = err
		return
	}
	id := j.thing.id()
	j.to.put = append(j.to.put, store.ShadowWait{Mapping: id.mapping, Side: id.side, ID: id.id, Slot: slot, Since: since, Body: body})
}

func (j *judgement) read(w store.ShadowWait) (shadowWait, error) {
	var body shadowWait
	err := json.Unmarshal(w.Body, &body)
	if err != nil {
		j.err = err
	}
	return body, err
}

// waited returns what waits in a place.
func (j *judgement) waited(slot int) (w shadowWait, ok, over bool) {
	row, ok := j.waits[slot]
	if !ok {
		return w, false, false
	}
	w, err := j.read(row)
	return w, err == nil, j.s.now.Sub(row.Since) >= j.s.window
}

// end forgets what waited in a place.
func (j *judgement) end(slot int) {
	if row, ok := j.waits[slot]; ok {
		j.to.dropped = append(j.to.dropped, row)
	}
}

// find notes a finding and ends the wait.
func (j *judgement) find(slot int, f ShadowFinding) {
	j.end(slot)
	if j.s.first {
		return
	}
	shown := j.s.e.item(j.thing.d)
	f.Time, f.Mapping, f.Title, f.HubSpot, f.Salesforce = j.s.now, j.thing.o.Name, shown.Title, shown.HubSpot, shown.Salesforce
	body, err := json.Marshal(f)
	if err != nil {
		j.err = err
		return
	}
	j.to.results = append(j.to.results, store.ShadowResult{Time: f.Time, Body: body})
	j.s.findings = append(j.s.findings, f)
}

// pair compares field by field.
func (j *judgement) pair() {
	o, d, link := j.thing.o, j.thing.d, *j.thing.link
	h, s := j.prints()
	base := link.Base
	if base.Version != o.BaseVersion || len(base.HubSpot) != len(h) || len(base.Salesforce) != len(s) {
		// The mapping changed: what is here now is where we begin.
		base = crm.Base{Version: o.BaseVersion, HubSpot: h, Salesforce: s}
		for slot := range j.waits {
			j.end(slot)
		}
	} else {
		base.HubSpot, base.Salesforce = slices.Clone(base.HubSpot), slices.Clone(base.Salesforce)
		differs := j.differing()
		for slot := range h {
			if slot == len(h)-1 || j.slot(slot, base.HubSpot[slot], h[slot], base.Salesforce[slot], s[slot], differs[slot]) {
				base.HubSpot[slot], base.Salesforce[slot] = h[slot], s[slot]
			}
		}
		for slot := range j.waits {
			if slot < 0 {
				j.end(slot) // it is back, or is a pair by now
			}
		}
	}
	link.Base = base
	link.SeenHubSpot, link.SeenSalesforce = cmp.Or(d.HubSpotAt.Seen, link.SeenHubSpot), cmp.Or(d.SalesAt.Seen, link.SeenSalesforce)
	link.HubSpotGone, link.SalesforceGone = false, false
	j.to.links = append(j.to.links, link)
	j.to.forget[crm.HubSpot] = append(j.to.forget[crm.HubSpot], link.HubSpotID)
}

// slot judges one place of the base. It returns true when the place is settled:
// what both sides hold is where the next change begins.
func (j *judgement) slot(slot int, h0, h, s0, s uint64, differs bool) bool {
	hubspot, salesforce := h0 != h, s0 != s
	old, waits, over := j.waited(slot)
	if !hubspot && !salesforce {
		j.end(slot)
		return true
	}
	if change, side, ours := j.ours(slot); ours {
		return j.wanted(slot, change, side, map[crm.Side]uint64{crm.HubSpot: h, crm.Salesforce: s}[side], old, waits, over)
	}
	switch {
	case hubspot && salesforce && !differs:
		// Both hold the same: somebody brought it over.
		target := crm.Salesforce
		if waits {
			target = old.Target
		}
		f := ShadowFinding{Verdict: ShadowAgree, Side: target, Field: j.fieldName(slot, target), Theirs: j.held(slot, target)}
		f.Ours = f.Theirs
		if reason, no := j.refuses(); no || waits && !old.Ours {
			f.Verdict, f.Ours, f.Why = ShadowUnwanted, nil, cmp.Or(old.Why, reason)
		}
		if waits {
			f.Before = old.Before
		}
		j.find(slot, f)
		return true
	case waits && old.Ours && over:
		// We would not write it any more, and nobody did.
		j.end(slot)
		return true
	case waits && over:
		j.end(slot) // neither of us wrote it
		return true
	}
	// One side changed, and our rules leave the other as it is.
	target := crm.Salesforce
	if salesforce && !hubspot {
		target = crm.HubSpot
	}
	reason, _ := j.refuses()
	j.wait(slot, shadowWait{Target: target, Before: j.held(slot, target), Why: cmp.Or(reason, "the mapping does not bring this field over"), Held: map[crm.Side]uint64{crm.HubSpot: h, crm.Salesforce: s}[target]})
	return false
}

// wanted judges a place that we would write to.
func (j *judgement) wanted(slot int, change reconcile.Change, side crm.Side, held uint64, old shadowWait, waits, over bool) bool {
	f := ShadowFinding{Side: side, Field: change.Field, Before: textOf(change.Before), Ours: textOf(change.After), Theirs: textOf(change.Before), Why: change.Why}
	switch {
	case waits && old.Ours && old.Target == side && old.Held != held:
		f.Verdict, f.Before, f.Ours = ShadowOther, old.Before, old.After
		j.find(slot, f)
		return true
	case waits && old.Ours && over:
		f.Verdict = ShadowMissed
		j.find(slot, f)
		return true
	}
	after := textOf(change.After)
	if change.Ref != nil {
		text := "the counterpart of " + change.Ref.Object + " " + change.Ref.ID
		after = &text
	}
	j.wait(slot, shadowWait{Ours: true, Target: side, Before: f.Before, After: after, Why: change.Why, Held: held})
	return false
}

// ours is what we would write in a place.
func (j *judgement) ours(slot int) (reconcile.Change, crm.Side, bool) {
	for _, w := range j.thing.d.Writes {
		for _, ch := range w.Changes {
			if ch.Slot == slot {
				return ch, w.Side, true
			}
		}
	}
	return reconcile.Change{}, "", false
}

// refuses tells why our rules leave the whole thing alone.
func (j *judgement) refuses() (string, bool) {
	d := j.thing.d
	return d.Reason.Text, d.Outcome == crm.Held || d.Outcome == crm.Excluded
}

// prints are what both records hold, place by place.
func (j *judgement) prints() (hubspot, salesforce []uint64) {
	o := j.thing.o
	return reconcile.Fingerprint(o, crm.HubSpot, o.HubSpot, j.thing.hubspot),
		reconcile.Fingerprint(o, crm.Salesforce, j.thing.salesforce.Layout.Object, j.thing.salesforce)
}

// differing are the places in which the two records do not mean the same.
func (j *judgement) differing() map[int]bool {
	out := map[int]bool{}
	t := j.thing.o.Target(j.thing.salesforce.Layout.Object)
	for _, x := range reconcile.Compare(j.thing.o, reconcile.Snapshot{HubSpot: j.thing.hubspot, Salesforce: j.thing.salesforce, Known: j.thing.known}) {
		for i := range t.Fields {
			if f := &t.Fields[i]; f.HubSpot == x.HubSpotField && f.Salesforce == x.SalesforceField {
				out[f.Slot] = true
			}
		}
		for i := range t.Associations {
			if a := &t.Associations[i]; a.HubSpot == x.HubSpotField && a.Salesforce == x.SalesforceField {
				out[a.Slot] = true
			}
		}
	}
	return out
}

// fieldName names a place as one side does.
func (j *judgement) fieldName(slot int, side crm.Side) string {
	o := j.thing.o
	for _, t := range o.Targets {
		if j.thing.salesforce != nil && t.Object != j.thing.salesforce.Layout.Object {
			continue
		}
		for i := range t.Fields {
			if f := &t.Fields[i]; f.Slot == slot {
				if side == crm.HubSpot {
					return cmp.Or(f.HubSpot, f.Salesforce)
				}
				return cmp.Or(f.Salesforce, f.HubSpot)
			}
		}
		for i := range t.Associations {
			if a := &t.Associations[i]; a.Slot == slot {
				if side == crm.HubSpot {
					return a.HubSpot
				}
				return a.Salesforce
			}
		}
	}
	if slot >= 0 && slot < len(o.BaseNames) {
		return o.BaseNames[slot]
	}
	return ""
}

// held is the value of a place on one side.
func (j *judgement) held(slot int, side crm.Side) *string {
	r := j.thing.hubspot
	if side == crm.Salesforce {
		r = j.thing.salesforce
	}
	return textOf(r.Value(j.fieldName(slot, side)))
}

// met begins a pair that was found: the other sync made the counterpart, or both
// records were there already.
func (j *judgement) met() {
	o, d := j.thing.o, j.thing.d
	link := store.Link{Link: crm.Link{Mapping: o.Name, HubSpotID: d.NewLink.HubSpotID, SalesforceObject: d.NewLink.SalesforceObject, SalesforceID: d.NewLink.SalesforceID}}
	h, s := j.prints()
	link.Base = crm.Base{Version: o.BaseVersion, HubSpot: h, Salesforce: s}
	link.SeenHubSpot, link.SeenSalesforce = d.HubSpotAt.Seen, d.SalesAt.Seen
	j.to.links = append(j.to.links, link)
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		ref, _ := d.on(side)
		j.to.forget[side] = append(j.to.forget[side], ref.ID)
		j.to.fire[side] = append(j.to.fire[side], ref.ID)
		// The thing has another name from now on.
		for slot, row := range j.s.waits[thingID{o.Name, side, ref.ID}] {
			if slot == slotRecord {
				j.made(row)
			}
		}
	}
}

// made judges a record that the other sync created, and its fields.
func (j *judgement) made(row store.ShadowWait) {
	w, err := j.read(row)
	if err != nil {
		return
	}
	j.to.dropped = append(j.to.dropped, row)
	f := ShadowFinding{Verdict: ShadowAgree, Side: w.Target, Field: shadowRecord, Why: w.Why}
	if !w.Ours {
		f.Verdict = ShadowUnwanted
		j.find(slotRecord, f)
		return
	}
	j.find(slotRecord, f)
	for _, write := range j.thing.d.Writes {
		for _, ch := range write.Changes {
			if write.Side != w.Target || ch.Slot < 0 {
				continue
			}
			verdict := ShadowOther
			if !ch.Before.IsPresent() {
				verdict = ShadowMissed
			}
			j.find(ch.Slot, ShadowFinding{Verdict: verdict, Side: write.Side, Field: ch.Field, Ours: textOf(ch.After), Theirs: textOf(ch.Before), Why: ch.Why})
		}
	}
}

// alone judges a record that has no counterpart.
func (j *judgement) alone() {
	d := j.thing.d
	ref, at := d.on(j.thing.id().side)
	defer func() {
		j.to.outcomes = append(j.to.outcomes, store.Outcome{Mapping: j.thing.o.Name, Ref: ref, Seen: at.Seen, Outcome: d.Outcome, Reason: d.Reason, Run: j.s.c.run, Time: j.s.now})
	}()
	_, waits, over := j.waited(slotRecord)
	create := slices.ContainsFunc(d.Writes, func(w reconcile.PlannedWrite) bool { return w.Op == crm.Create })
	target := ref.Side.Other()
	switch {
	case j.s.first:
		// It was there before us; the other sync has had its turn.
	case create && waits && over:
		j.find(slotRecord, ShadowFinding{Verdict: ShadowMissed, Side: target, Field: shadowRecord, Why: d.Reason.Text})
	case create && !waits && j.thing.judged:
		// Known for long, and not worth a finding: it was judged, or was there first.
	case create:
		j.wait(slotRecord, shadowWait{Ours: true, Target: target, Why: d.Reason.Text})
	case waits && over:
		j.end(slotRecord)
	case !waits && j.thing.judged:
	case slices.ContainsFunc(j.thing.candidates, func(c reconcile.Candidate) bool { return c.LinkedTo.IsZero() }) && waits:
		j.find(slotRecord, ShadowFinding{Verdict: ShadowUnwanted, Side: target, Field: shadowRecord, Why: d.Reason.Text})
	default:
		j.wait(slotRecord, shadowWait{Target: target, Why: d.Reason.Text})
	}
}

// gone judges a pair of which a record was deleted.
func (j *judgement) gone() {
	d, link := j.thing.d, *j.thing.link
	deleted, target := crm.HubSpot, crm.Salesforce
	if !d.HubGone {
		deleted, target = target, deleted
	}
	old, waits, over := j.waited(slotGone)
	f := ShadowFinding{Side: target, Field: shadowGone, Why: d.Reason.Text}
	if d.HubGone && d.SalesGone {
		f.Verdict = ShadowAgree
		if waits {
			f.Side = old.Target
		}
		if waits && !old.Ours {
			f.Verdict, f.Why = ShadowUnwanted, old.Why
		}
		j.find(slotGone, f)
		j.to.unlinked = append(j.to.unlinked, link.HubSpotID)
		return
	}
	archive := slices.ContainsFunc(d.Writes, func(w reconcile.PlannedWrite) bool { return w.Op == crm.Archive })
	switch {
	case waits && over && archive:
		f.Verdict = ShadowMissed
		j.find(slotGone, f)
		j.to.unlinked = append(j.to.unlinked, link.HubSpotID)
		return
	case waits && over:
		j.end(slotGone)
	default:
		j.wait(slotGone, shadowWait{Ours: archive, Target: target, Why: d.Reason.Text})
	}
	link.HubSpotGone, link.SalesforceGone = deleted == crm.HubSpot, deleted == crm.Salesforce
	link.SeenHubSpot, link.SeenSalesforce = cmp.Or(d.HubSpotAt.Seen, link.SeenHubSpot), cmp.Or(d.SalesAt.Seen, link.SeenSalesforce)
	j.to.links = append(j.to.links, link)
}
