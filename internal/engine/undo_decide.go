package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// writesLookedAt bounds how many of our writes to a record are looked at to tell
// them from other people's.
const writesLookedAt = 200

// undone is what a decision of an undo says besides its writes.
type undone struct {
	// Of is the run that is undone; 0 in every other decision.
	Of int64
	// Differs: the two records do not agree afterwards, so that the thing is held
	// until a side changes.
	Differs bool
}

func undoneReason(of int64) crm.Reason {
	return crm.Reason{Code: CodeHeldUndone, Text: fmt.Sprintf("run %d was undone for it; it stays as it is until a side changes", of),
		Mend: "change the value on the side that is right, or undo the undo: `lockstep runs list` shows its number"}
}

// snapshot is the thing as both sides hold it now.
func (t *undoThing) snapshot() reconcile.Snapshot {
	s := reconcile.Snapshot{HubSpot: liveOnly(t.live[crm.HubSpot]), Salesforce: liveOnly(t.live[crm.Salesforce])}
	if t.link != nil {
		s.Link = &t.link.Link
	}
	return s
}

func liveOnly(r *crm.Record) *crm.Record {
	if r == nil || r.Archived {
		return nil
	}
	return r
}

// inverse collects what undoes one thing.
type inverse struct {
	u      *undoer
	o      *mapping.BoundObject
	t      *undoThing
	d      *decided
	writes []reconcile.PlannedWrite
	left   []crm.Reason
}

// decide works out the inverse of what the run did to one thing.
func (u *undoer) decide(ctx context.Context, o *mapping.BoundObject, t *undoThing, k *known) (*decided, error) {
	d := &decided{WasLinked: t.link != nil, Undone: undone{Of: u.of.ID}, Trace: trace{Wake: store.WakeByHand}}
	d.Mapping, d.HubSpot, d.Salesforce = o.Name, t.ref(o, crm.HubSpot), t.ref(o, crm.Salesforce)
	v := &inverse{u: u, o: o, t: t, d: d}
	snapshot := t.snapshot()
	after := snapshot
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		ref, _ := d.on(side)
		if ref.ID == "" {
			continue
		}
		for other, touched := range t.records {
			if other.Side == side && other != ref {
				v.leave(CodeLeftUndo, "", "%s was written by the run, and is another record's by now (merged, or linked anew)", refName(touched.ref))
			}
		}
		l := u.e.lens(o, side, ref.Object)
		if l == nil {
			v.leave(CodeLeftUndo, "name it in `lockstep.yaml` again", "the mapping does not name %s %s any more", side.Title(), ref.Object)
			continue
		}
		before := len(v.writes)
		if record := t.records[ref]; record != nil {
			if err := v.record(ctx, record, l, t.live[side]); err != nil {
				return nil, err
			}
		}
		live := liveOnly(t.live[side])
		if live == nil {
			continue
		}
		then := overlay(live, v.writes[before:])
		if side == crm.HubSpot {
			after.HubSpot, d.HubSpotAt = then, sight{Seen: l.own(then), Print: l.print(o, live)}
		} else {
			after.Salesforce, d.SalesAt = then, sight{Seen: l.own(then), Print: l.print(o, live)}
		}
	}
	d.Title = title(&subject{snapshot: snapshot})
	v.finish(after, k)
	u.e.gate(o, d, snapshot.HubSpot, snapshot.Salesforce)
	return d, nil
}

func refName(r crm.Ref) string { return r.Side.Title() + " " + r.Object + " " + r.ID }

func (v *inverse) leave(code, mend, format string, args ...any) {
	v.left = append(v.left, crm.Reason{Code: code, Text: fmt.Sprintf(format, args...), Mend: mend})
}

func (v *inverse) schema(ref crm.Ref) *crm.Object {
	if ref.Side == crm.HubSpot {
		return v.o.HubSpotSchema
	}
	if t := v.o.Target(ref.Object); t != nil {
		return t.Schema
	}
	return nil
}

// record works out the inverse for one record. r is what the vendor says of it
// now; nil or Archived when it is not there.
func (v *inverse) record(ctx context.Context, t *touched, l *lens, r *crm.Record) error {
	gone := liveOnly(r) == nil
	name := refName(t.ref)
	switch {
	case gone && r != nil && r.MergedInto != "":
		v.leave(CodeLeftUndo, "", "%s was merged into %s since", name, r.MergedInto)
	case t.born && gone:
		// It is gone already.
	case t.born:
		return v.archive(ctx, t, l, r)
	case t.archived && !gone:
		// It is back already.
	case t.archived:
		v.restore(t)
	case gone && len(t.fields)+len(t.relations) > 0:
		v.leave(CodeLeftUndo, "restore it, then undo the run again", "%s is gone", name)
	default:
		if err := v.fields(ctx, t, l, r); err != nil {
			return err
		}
		return v.relations(ctx, t, l, r)
	}
	return nil
}

// archive takes back a record that the run made, if nobody edited it since.
func (v *inverse) archive(ctx context.Context, t *touched, l *lens, r *crm.Record) error {
	why, err := v.edited(ctx, t, l, r)
	if err != nil {
		return err
	}
	name := refName(t.ref)
	schema := v.schema(t.ref)
	switch {
	case why != "":
		v.leave(CodeLeftUndo, "archive it by hand if it is not needed: "+v.url(t.ref), "%s was made by the run, and %s", name, why)
		return nil
	case schema != nil && !schema.Deletable:
		v.leave(reconcile.CodeNotWritable, "grant Delete on "+schema.Name, "the credential may not delete %s", name)
		return nil
	}
	verb := "made"
	if t.restored {
		verb = "restored"
	}
	v.writes = append(v.writes, reconcile.PlannedWrite{Side: t.ref.Side, Op: crm.Archive, Object: t.ref.Object, ID: t.ref.ID,
		Reason: v.because("archive what the run %s", verb)})
	return nil
}

func (v *inverse) url(ref crm.Ref) string { return v.u.e.sides[ref.Side].RecordURL(ref.Object, ref.ID) }

func (v *inverse) because(format string, args ...any) crm.Reason {
	return crm.Reason{Code: CodeUndone, Text: fmt.Sprintf("undo of run %d: ", v.u.of.ID) + fmt.Sprintf(format, args...)}
}

// edited says how it is known that somebody else wrote to a record that we
// made; "" when nobody did. A mapped field that does not hold what we wrote last
// tells it, and so does a modification that is younger than our writes. Both
// moments are the vendor's: what lies between create and last write is ours.
func (v *inverse) edited(ctx context.Context, t *touched, l *lens, r *crm.Record) (string, error) {
	writes, err := v.u.e.ourWrites(ctx, t.ref, writesLookedAt)
	if err != nil {
		return "", err
	}
	schema := v.schema(t.ref)
	known := map[string]bool{}
	lastWrite := v.u.last
	if v.u.of.Ended.After(lastWrite) {
		lastWrite = v.u.of.Ended
	}
	for i := range writes {
		w := &writes[i]
		if w.Time.After(lastWrite) {
			lastWrite = w.Time
		}
		if w.body.relation != nil {
			continue
		}
		for _, c := range w.body.changes {
			if known[c.Field] {
				continue
			}
			same := l.read.Layout.Index(c.Field) < 0 || reconcile.Same(schema.Field(c.Field), t.ref.Side, r.Value(c.Field), c.After)
			if !same && w.Result != store.ResultDone {
				continue // it was not answered, and did not come through
			}
			known[c.Field] = true
			if !same {
				return c.Field + " was changed since", nil
			}
		}
	}
	if field := v.movedSince(t.ref, r, known); field != "" {
		return field + " was changed since", nil
	}
	if field, err := v.carriedOn(ctx, t); field != "" || err != nil {
		return field + " was set since, and carried to " + t.ref.Side.Other().Title(), err
	}
	made, slack := time.UnixMicro(r.CreatedMicros), createSettles
	if t.restored {
		made, slack = t.bornAt, intentSkew
	}
	if r.CreatedMicros > 0 && r.ModifiedMicros > made.Add(lastWrite.Sub(t.bornAt)+slack).UnixMicro() {
		return "was edited since, at " + time.UnixMicro(r.ModifiedMicros).UTC().Format("2006-01-02 15:04:05 MST"), nil
	}
	return "", nil
}

// movedSince names a field that we never wrote to a record of ours and that does
// not hold what it held when the pair was last settled.
func (v *inverse) movedSince(ref crm.Ref, r *crm.Record, known map[string]bool) string {
	if v.t.link == nil { // nobody knows what it held; what is there may be somebody's work
		return v.filledSince(ref, r, known)
	}
	if v.t.link.Base.Version != v.o.BaseVersion {
		return ""
	}
	target, base := v.o.Target(v.t.link.SalesforceObject), v.t.link.Base.HubSpot
	if ref.Side == crm.Salesforce {
		base = v.t.link.Base.Salesforce
	}
	now := reconcile.Fingerprint(v.o, ref.Side, ref.Object, r)
	if target == nil || len(base) != len(now) {
		return ""
	}
	for _, f := range target.Fields {
		name := f.HubSpot
		if ref.Side == crm.Salesforce {
			name = f.Salesforce
		}
		if f.Program == nil && !known[name] && f.Slot < len(now) && base[f.Slot] != 0 && base[f.Slot] != now[f.Slot] {
			return name
		}
	}
	return ""
}

// filledSince names a mapped field that we never wrote to a record of ours and that
// is not blank.
func (v *inverse) filledSince(ref crm.Ref, r *crm.Record, known map[string]bool) string {
	for _, t := range v.o.Targets {
		if ref.Side == crm.Salesforce && t.Object != ref.Object {
			continue
		}
		for _, f := range t.Fields {
			field := f.HubSpotField
			if ref.Side == crm.Salesforce {
				field = f.SalesforceField
			}
			if f.Program != nil || field == nil || known[field.Name] {
				continue
			}
			if now := r.Value(field.Name); now.IsPresent() && !(field.Kind == crm.KindBool && now.Text == "false") {
				return field.Name
			}
		}
	}
	return ""
}

// carriedOn names a field of a record that we made whose value we took to the
// other side later: somebody had set it, however soon after our last write, and
// though it be what we wrote by now.
func (v *inverse) carriedOn(ctx context.Context, t *touched) (string, error) {
	ref := t.ref
	partner := v.t.ref(v.o, ref.Side.Other())
	sf := ref
	if ref.Side == crm.HubSpot {
		sf = partner
	}
	target := v.o.Target(sf.Object)
	if partner.ID == "" || target == nil {
		return "", nil
	}
	writes, err := v.u.e.ourWrites(ctx, partner, writesLookedAt)
	if err != nil {
		return "", err
	}
	if r := v.t.live[partner.Side]; r != nil { // to what went into it by a merge as well
		for _, id := range r.TookIn {
			more, err := v.u.e.ourWrites(ctx, crm.Ref{Side: partner.Side, Object: partner.Object, ID: id}, writesLookedAt)
			if err != nil {
				return "", err
			}
			writes = append(writes, more...)
		}
	}
	for i := range writes {
		w := &writes[i]
		if w.Op != crm.Update || w.Run <= v.u.of.ID {
			continue
		}
		for _, f := range target.Fields {
			here, there := f.HubSpot, f.Salesforce
			if ref.Side == crm.Salesforce {
				here, there = there, here
			}
			if here != "" && there != "" && slices.ContainsFunc(w.body.changes, func(c reconcile.Change) bool {
				return c.Field == there && c.Carries(ref.Side)
			}) {
				return here, nil
			}
		}
	}
	return "", nil
}

// restore brings back a record that the run archived, where the vendor can.
func (v *inverse) restore(t *touched) {
	page, can := v.u.e.sides[t.ref.Side].Restorable(t.ref.Object)
	if !can {
		mend := "Actions > Restore records, within 90 days"
		if page != "" {
			mend = page + " > " + mend
		}
		v.leave(CodeLeftRestore, mend, "%s has no API that restores %s; a person has to", t.ref.Side.Title(), refName(t.ref))
		return
	}
	v.writes = append(v.writes, reconcile.PlannedWrite{Side: t.ref.Side, Op: crm.Restore, Object: t.ref.Object, ID: t.ref.ID,
		Reason: v.because("restore what the run archived")})
	if len(t.fields) > 0 {
		v.leave(CodeLeftUndo, "undo the run again once it is back", "%s comes back with the values that the run wrote", refName(t.ref))
	}
}

// fields gives fields their first before back where they still hold what the
// run wrote last.
func (v *inverse) fields(ctx context.Context, t *touched, l *lens, r *crm.Record) error {
	if len(t.fields) == 0 {
		return nil
	}
	since, err := v.writtenSince(ctx, t.ref, r)
	if err != nil {
		return err
	}
	schema := v.schema(t.ref)
	var changes []reconcile.Change
	for _, f := range t.fields {
		field := schema.Field(f.name)
		now := r.Value(f.name)
		name := t.ref.Side.Title() + " " + f.name
		leave := func(code, mend, format string, args ...any) {
			v.left = append(v.left, crm.Reason{Code: code, Text: fmt.Sprintf(format, args...), Mend: mend, Field: f.name})
		}
		switch {
		case l.read.Layout.Index(f.name) < 0 || now.State == crm.Missing || now.State == crm.Unreadable:
			leave(CodeLeftUndo, "", "%s is not read any more, so it is left alone", name)
		case f.before.State == crm.Missing || f.before.State == crm.Unreadable:
			leave(CodeLeftUndo, "", "what %s held before the run is not known", name)
		case reconcile.Same(field, t.ref.Side, now, f.before):
			// It is back already.
		case !reconcile.Same(field, t.ref.Side, now, f.after):
			leave(CodeLeftChanged, "", "%s holds %s, not the %s that the run wrote: somebody changed it since", name, shownValue(now), shownValue(f.after))
		case since[f.name] != 0:
			leave(CodeLeftChanged, fmt.Sprintf("undo run %d, if that is what you want", since[f.name]), "%s holds %s by run %d, which wrote it since", name, shownValue(now), since[f.name])
		case field != nil && !field.Updatable:
			leave(reconcile.CodeNotWritable, "", "%s cannot be written any more", name)
		case t.ref.Side == crm.HubSpot && reconcile.StageBackwards(field, now, f.before):
			leave(reconcile.NoteBackwards, "set it by hand: clear it, then choose the earlier stage", "HubSpot does not move %s back", f.name)
		default:
			changes = append(changes, reconcile.Change{Field: f.name, Before: now, After: f.before, Why: fmt.Sprintf("undo of run %d", v.u.of.ID), Slot: -1})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	var names []string
	for _, c := range changes {
		names = append(names, c.Field)
	}
	v.writes = append(v.writes, reconcile.PlannedWrite{Side: t.ref.Side, Op: crm.Update, Object: t.ref.Object, ID: t.ref.ID, Changes: changes,
		Reason: v.because("write %s back to %s", strings.Join(names, ", "), t.ref.Side.Title())})
	return nil
}

// writtenSince tells which fields of a record later runs wrote, and which run
// did last. What they wrote is theirs, though it be the same: a write of a run
// that was killed may never have left, and the next one made it. Attempts to
// undo this run do not count, so that one that was killed is finished.
func (v *inverse) writtenSince(ctx context.Context, ref crm.Ref, r *crm.Record) (map[string]int64, error) {
	u, schema := v.u, v.schema(ref)
	writes, err := u.e.ourWrites(ctx, ref, writesLookedAt)
	if err != nil {
		return nil, err
	}
	var since map[string]int64
	for i := range writes { // newest first
		w := &writes[i]
		if w.Run <= u.of.ID {
			break
		}
		if w.Op != crm.Update {
			continue
		}
		ours, err := u.undoesToo(ctx, w.Run)
		if err != nil {
			return nil, err
		}
		if ours {
			continue
		}
		for _, c := range w.body.changes {
			if w.Result != store.ResultDone && !reconcile.Same(schema.Field(c.Field), ref.Side, r.Value(c.Field), c.After) {
				continue // it was not answered, and did not come through
			}
			if since == nil {
				since = map[string]int64{}
			}
			if since[c.Field] == 0 {
				since[c.Field] = w.Run
			}
		}
	}
	return since, nil
}

// undoesToo tells whether a later run was an attempt to undo the same run. One
// that was killed did not live to say of which.
func (u *undoer) undoesToo(ctx context.Context, id int64) (bool, error) {
	if known, ok := u.attempts[id]; ok {
		return known, nil
	}
	run, err := u.e.Run(ctx, id)
	if err != nil {
		return false, err
	}
	u.attempts[id] = run.Undoes == u.of.ID || run.Kind == "undo" && run.Undoes == 0
	return u.attempts[id], nil
}

// shownValue quotes a value for a sentence, at most forty characters of it.
func shownValue(v crm.Value) string {
	if !v.IsPresent() {
		return "nothing"
	}
	const longest = 40
	if text := []rune(v.Text); len(text) > longest {
		return `"` + string(text[:longest]) + `…"`
	}
	return `"` + v.Text + `"`
}

// relations adds associations that the run removed, and removes those it added.
func (v *inverse) relations(ctx context.Context, t *touched, l *lens, r *crm.Record) error {
	since, err := v.mainSince(ctx, t)
	if err != nil {
		return err
	}
	for _, x := range t.relations {
		far := crm.Ref{Side: t.ref.Side, Object: x.relation.Object, ID: x.relation.ID}
		join := slices.IndexFunc(l.read.Junctions, func(j crm.Junction) bool { return j.Object == x.relation.Junction })
		if x.relation.Junction == "" && !slices.Contains(l.read.Relations, x.relation.Object) || x.relation.Junction != "" && join < 0 {
			v.leave(CodeLeftUndo, "", "associations with %s are not read any more, so the one with %s is left alone", x.relation.Object, far.ID)
			continue
		}
		if x.relabelled {
			v.leave(CodeLeftUndo, "", "the run changed labels of the association with %s %s; they are left as they are", far.Object, far.ID)
		}
		i := slices.IndexFunc(r.Relations, func(y crm.Relation) bool {
			return y.Object == far.Object && y.ID == far.ID && y.Junction == x.relation.Junction
		})
		there := i >= 0
		if there == x.was {
			continue
		}
		if run := since[far.Object]; run != 0 && x.relation.Junction == "" {
			v.leave(CodeLeftUndo, "", "run %d changed the association with %s since, so it is left as it is", run, far.Object)
			continue
		}
		change := &reconcile.RelationChange{FarID: far.ID, Object: x.relation.Object, FarObject: far.Object, Role: x.relation.Label, Primary: x.relation.Primary}
		if join >= 0 {
			j := l.read.Junctions[join]
			change.Object, change.FarField, change.NearField, change.LabelField, change.PrimaryField = j.Object, j.Far, j.Near, j.Label, j.Primary
			for _, end := range j.Also {
				if end.Object == far.Object {
					change.FarField = end.Field
				}
			}
		}
		op, verb := crm.Relate, "add"
		if there {
			op, verb, change.RowID = crm.Unrelate, "remove", r.Relations[i].RowID
			if t.ref.Side == crm.HubSpot {
				change.Role = "" // the whole association, not a label of it
			}
		} else if t.ref.Side == crm.HubSpot && change.Role == "" && !joined(v.o, far.Object) {
			if now := t.mainByOthers(r, far); now != "" {
				v.leave(CodeLeftUndo, "", "the association with %s %s is not added: the main one is %s by now, which the run did not give", far.Object, far.ID, now)
				continue
			}
			change.Primary = true // only main associations are ended by a sync
		}
		v.writes = append(v.writes, reconcile.PlannedWrite{Side: t.ref.Side, Op: op, Object: t.ref.Object, ID: t.ref.ID, Relation: change,
			Reason: v.because("%s the association with %s %s", verb, far.Object, far.ID)})
	}
	return nil
}

// mainByOthers is the far record of a main association that the run did not make;
// empty where there is none.
func (t *touched) mainByOthers(r *crm.Record, far crm.Ref) string {
	for _, y := range r.Relations {
		byRun := slices.ContainsFunc(t.relations, func(x *undoRelation) bool { return !x.was && x.relation.Object == y.Object && x.relation.ID == y.ID })
		if y.Object == far.Object && y.Primary && y.ID != far.ID && !byRun {
			return y.ID
		}
	}
	return ""
}

// mainSince tells of which HubSpot objects later runs changed a record's main
// association, and which run did last: what they wrote is theirs, as with fields.
func (v *inverse) mainSince(ctx context.Context, t *touched) (map[string]int64, error) {
	if t.ref.Side != crm.HubSpot || len(t.relations) == 0 {
		return nil, nil
	}
	writes, err := v.u.e.ourWrites(ctx, t.ref, writesLookedAt)
	since := map[string]int64{}
	for i := range writes { // newest first
		w := &writes[i]
		if w.Run <= v.u.of.ID {
			break
		}
		x := w.body.relation
		if x == nil || x.Junction != "" || joined(v.o, x.Object) || since[x.Object] != 0 {
			continue
		}
		ours, err := v.u.undoesToo(ctx, w.Run)
		if err != nil {
			return nil, err
		}
		if !ours {
			since[x.Object] = w.Run
		}
	}
	return since, err
}

// joined tells whether associations with a HubSpot object are kept as rows, where
// none is more the main one than others.
func joined(o *mapping.BoundObject, object string) bool {
	return slices.ContainsFunc(o.Associations, func(a mapping.Association) bool { return a.Rows != nil && a.HubSpot == object })
}

// overlay is a record as it will be after writes to it.
func overlay(r *crm.Record, writes []reconcile.PlannedWrite) *crm.Record {
	out := *r
	out.Values, out.Relations = slices.Clone(r.Values), slices.Clone(r.Relations)
	for _, w := range writes {
		for _, c := range w.Changes {
			if i := r.Layout.Index(c.Field); i >= 0 && i < len(out.Values) {
				out.Values[i] = c.After
			}
		}
		if w.Relation == nil {
			continue
		}
		far := w.Relation
		junction := ""
		if far.FarField != "" {
			junction = far.Object
		}
		out.Relations = slices.DeleteFunc(out.Relations, func(x crm.Relation) bool {
			return x.Object == far.FarObject && x.ID == far.FarID && x.Junction == junction && (far.RowID == "" || x.RowID == far.RowID)
		})
		if w.Op == crm.Relate {
			out.Relations = append(out.Relations, crm.Relation{Object: far.FarObject, ID: far.FarID, Primary: w.Relation.Primary, Label: w.Relation.Role, Junction: junction})
		}
	}
	return &out
}

// finish gives the thing its outcome and the base that it has afterwards.
func (v *inverse) finish(after reconcile.Snapshot, k *known) {
	d := v.d
	d.Writes = v.writes
	archives := slices.ContainsFunc(v.writes, func(w reconcile.PlannedWrite) bool { return w.Op == crm.Archive })
	switch {
	case len(v.writes) > 0:
		var parts []string
		for _, w := range v.writes {
			parts = append(parts, strings.TrimPrefix(w.Reason.Text, v.because("").Text))
		}
		d.Outcome, d.Reason = crm.Synced, v.because("%s", strings.Join(parts, "; "))
		d.Notes = v.left
	case len(v.left) > 0:
		d.Outcome, d.Reason, d.Notes = crm.Held, v.left[0], v.left[1:]
	default:
		d.Outcome, d.Reason = crm.Unchanged, crm.Reason{Code: CodeUndoneAlready, Text: "nothing of the run is left to undo"}
	}
	defer v.u.e.gate(v.o, d, liveOnly(v.t.live[crm.HubSpot]), liveOnly(v.t.live[crm.Salesforce]))
	if v.t.link == nil || len(v.writes) == 0 || archives || after.HubSpot == nil || after.Salesforce == nil {
		return
	}
	d.Base = v.base(&after)
	d.HubSpotAt.Open = openPrint(d.Base.HubSpot, d.Base.Salesforce, reconcile.Fingerprint(v.o, crm.HubSpot, v.o.HubSpot, after.HubSpot), nil)
	d.SalesAt.Open = openPrint(d.Base.Salesforce, d.Base.HubSpot, reconcile.Fingerprint(v.o, crm.Salesforce, d.Salesforce.Object, after.Salesforce), nil)
	after.Known = k
	if hasRows(v.o) {
		d.Retie, d.Ties = true, reconcile.TiesOf(v.o, after)
	}
	d.Undone.Differs = slices.ContainsFunc(reconcile.Compare(v.o, after), func(x reconcile.Difference) bool { return x.Allowed == "" })
}

// base is the link's base after the undo. What the undo writes is settled as it
// then is; what somebody else changed meanwhile still counts as a change.
func (v *inverse) base(after *reconcile.Snapshot) *crm.Base {
	o, old := v.o, v.t.link.Base
	print := func(hubspot, salesforce *crm.Record) crm.Base {
		return crm.Base{Version: o.BaseVersion, HubSpot: reconcile.Fingerprint(o, crm.HubSpot, o.HubSpot, hubspot),
			Salesforce: reconcile.Fingerprint(o, crm.Salesforce, v.d.Salesforce.Object, salesforce)}
	}
	then := print(after.HubSpot, after.Salesforce)
	size := len(o.BaseNames)
	if old.Version != o.BaseVersion || len(old.HubSpot) != size || len(old.Salesforce) != size {
		return &then // the old one says nothing under this mapping
	}
	now := print(v.t.live[crm.HubSpot], v.t.live[crm.Salesforce])
	base := crm.Base{Version: old.Version, HubSpot: slices.Clone(old.HubSpot), Salesforce: slices.Clone(old.Salesforce)}
	for slot := range size {
		hubspot, salesforce := now.HubSpot[slot] != then.HubSpot[slot], now.Salesforce[slot] != then.Salesforce[slot]
		if hubspot || salesforce && base.HubSpot[slot] == 0 {
			base.HubSpot[slot] = then.HubSpot[slot]
		}
		if salesforce || hubspot && base.Salesforce[slot] == 0 {
			base.Salesforce[slot] = then.Salesforce[slot]
		}
	}
	return &base
}

// keepParents takes back archives of Salesforce records on which others hang
// that stay: Salesforce would delete those, too.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_delete.htm
func (u *undoer) keepParents(ctx context.Context, o *mapping.BoundObject, decisions []*decided) error {
	ids := map[string][]string{}
	for _, d := range decisions {
		for _, w := range d.Writes {
			if w.Op == crm.Archive && w.Side == crm.Salesforce {
				ids[w.Object] = append(ids[w.Object], w.ID)
			}
		}
	}
	hanging, err := u.e.hangingOn(ctx, o, ids, u.leaving)
	if err != nil {
		return err
	}
	for _, d := range decisions {
		for _, w := range d.Writes {
			if child, ok := hanging[w.ID]; ok && w.Op == crm.Archive && w.Side == crm.Salesforce {
				d.Writes, d.Base, d.Undone.Differs = nil, nil, false
				d.Outcome, d.Reason = crm.Held, hangingReason(w.ID, child)
				break
			}
		}
	}
	return nil
}

func hangingReason(id string, child crm.Ref) crm.Reason {
	return crm.Reason{Code: CodeLeftUndo, Text: fmt.Sprintf("Salesforce record %s was made by the run, and %s hangs on it; deleting it would delete that, too", id, refName(child)),
		Mend: "move what hangs on it to another record, then undo the run again"}
}

// hangingOn finds, for Salesforce records by object and id, one live record of
// the mapping that refers to each and is not among those that leave as well.
func (e *Engine) hangingOn(ctx context.Context, o *mapping.BoundObject, ids map[string][]string, leaving map[uint64]bool) (map[string]crm.Ref, error) {
	hanging := map[string]crm.Ref{}
	for object, list := range ids {
		for _, child := range e.mapping.Objects {
			for _, t := range child.Targets {
				for i := range t.Associations {
					a := &t.Associations[i]
					if a.Junction || a.Mapping != o.Name || !slices.Contains(a.ReferenceTo, object) {
						continue
					}
					found, err := e.sides[crm.Salesforce].Find(ctx, t.Read, a.Salesforce, list)
					if err != nil {
						return nil, err
					}
					for k := range found {
						if !leaving[thingKey(crm.Salesforce, found[k].ID)] {
							hanging[wideID(found[k].Value(a.Salesforce).Text)] = crm.Ref{Side: crm.Salesforce, Object: t.Object, ID: found[k].ID}
						}
					}
				}
			}
		}
	}
	return hanging, nil
}

// keep takes archives back right before they would leave: what hung on the
// record may not have left after all.
func (b *batch) keep(ctx context.Context) error {
	ids := map[string][]string{}
	for _, j := range b.jobs {
		for _, s := range j.sends {
			if s.planned.Op == crm.Archive && s.planned.Side == crm.Salesforce && j.outcome == "" {
				ids[s.planned.Object] = append(ids[s.planned.Object], s.planned.ID)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	hanging, err := b.e.hangingOn(ctx, b.o, ids, nil)
	if err != nil {
		return err
	}
	for _, j := range b.jobs {
		for _, s := range j.sends {
			if child, ok := hanging[s.planned.ID]; ok && s.planned.Op == crm.Archive && j.outcome == "" {
				j.outcome, j.reason = crm.Held, hangingReason(s.planned.ID, child)
			}
		}
	}
	return nil
}

// before is what the store knew of a thing before its undo.
type before struct {
	link     *store.Link
	outcomes map[crm.Side]*store.Outcome
}
