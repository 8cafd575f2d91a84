package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// finish turns what was collected for a pair into writes, base and outcome.
func (m *merge) finish(isNew bool, old crm.Base) {
	d := m.d
	reason := crm.Reason{Code: CodeUpdated}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		if len(m.changes[side]) == 0 {
			continue
		}
		ref := d.out.HubSpot
		if side == crm.Salesforce {
			ref = d.out.Salesforce
		}
		r := reason
		r.Text = summary(side, m.changes[side])
		d.out.Writes = append(d.out.Writes, PlannedWrite{Side: side, Op: crm.Update, Object: ref.Object, ID: ref.ID, Changes: m.changes[side], Reason: r})
	}
	d.out.Writes = append(d.out.Writes, m.relations...)
	m.retie()
	base := m.newBase(m.overlay(crm.HubSpot, d.HubSpot), m.overlay(crm.Salesforce, d.Salesforce))
	switch {
	case isNew:
		d.out.NewLink = &crm.Link{Mapping: d.object.Name, HubSpotID: d.HubSpot.ID, SalesforceObject: d.out.Salesforce.Object, SalesforceID: d.out.Salesforce.ID, Base: base}
	case !sameBase(base, old):
		d.out.Base = &base
	}
	switch {
	case len(d.out.Writes) > 0:
		text := summaryOf(d.out.Writes)
		if isNew {
			text = "linked; " + text
		}
		d.end(crm.Synced, CodeUpdated, "", "%s", text)
		if isNew {
			d.out.Reason.Code = CodeLinked
		}
	case isNew:
		d.end(crm.Synced, CodeLinked, "", "linked; both sides already agree")
	default:
		d.end(crm.Unchanged, CodeInStep, "", "both sides agree as far as the mapping goes")
	}
}

// mostSummed is how many different things the summary of a decision names.
const mostSummed = 10

// summaryOf says in one sentence what the writes of a decision do: what several
// say alike is said once, with their number.
func summaryOf(writes []PlannedWrite) string {
	times := map[string]int{}
	var texts []string
	for i := range writes {
		text := writes[i].Reason.Text
		if times[text]++; times[text] == 1 {
			texts = append(texts, text)
		}
	}
	more := ""
	if len(texts) > mostSummed {
		more = fmt.Sprintf("; and %d more changes", len(texts)-mostSummed)
		texts = texts[:mostSummed]
	}
	for i, text := range texts {
		if times[text] > 1 {
			texts[i] = fmt.Sprintf("%s (%d)", text, times[text])
		}
	}
	return strings.Join(texts, "; ") + more
}

// summary says in one line what is written to a side.
func summary(side crm.Side, changes []Change) string {
	var names []string
	for _, c := range changes {
		names = append(names, c.Field)
	}
	return "write " + strings.Join(names, ", ") + " to " + side.Title()
}

// overlay is the record as it will be after the writes.
func (m *merge) overlay(side crm.Side, rec *crm.Record) *crm.Record {
	out := *rec
	out.Values = slices.Clone(rec.Values)
	out.Relations = slices.Clone(rec.Relations)
	for _, c := range m.changes[side] {
		if i := rec.Layout.Index(c.Field); i >= 0 && i < len(out.Values) {
			out.Values[i] = c.After
		}
		if c.Ref != nil && c.Slot >= 0 {
			m.unknown[side][c.Slot] = true
		}
	}
	labels := m.overlayEnds(side, &out)
	there := make(map[crm.Ref]bool, len(out.Relations))
	for _, x := range out.Relations {
		there[crm.Ref{Object: x.Object, ID: x.ID}] = true
	}
	for i := range m.relations {
		if w := &m.relations[i]; w.Side == side && w.Op == crm.Relate {
			m.overlayRelation(&out, w, there)
		}
	}
	// Labels last: a write that sets others names all that were there.
	for i := range out.Relations {
		x := &out.Relations[i]
		if ended := labels[crm.Ref{Object: x.Object, ID: x.ID}]; len(ended) > 0 {
			x.Label = strings.Join(slices.DeleteFunc(splitLabels(x.Label), func(label string) bool { return slices.Contains(ended, label) }), ";")
		}
	}
	return &out
}

// overlayEnds takes out what ends, all at once, since a list may have many members,
// and returns the labels that end of what stays.
func (m *merge) overlayEnds(side crm.Side, rec *crm.Record) (labels map[crm.Ref][]string) {
	rows, ends := map[string]bool{}, map[crm.Ref]bool{}
	labels = map[crm.Ref][]string{}
	for i := range m.relations {
		w := &m.relations[i]
		if w.Side != side || w.Op != crm.Unrelate {
			continue
		}
		far := crm.Ref{Object: w.Relation.FarObject, ID: w.Relation.FarID}
		switch r := w.Relation; {
		case r.RowID != "":
			rows[r.RowID] = true
		case r.Role != "":
			labels[far] = append(labels[far], splitLabels(r.Role)...)
		default:
			ends[far] = true
		}
	}
	if len(rows)+len(ends) > 0 {
		rec.Relations = slices.DeleteFunc(rec.Relations, func(x crm.Relation) bool {
			return rows[x.RowID] || x.RowID == "" && ends[crm.Ref{Object: x.Object, ID: x.ID}]
		})
	}
	return labels
}

// overlayRelation does to a record what a relation write will do. there are the
// far records that it has by then.
func (m *merge) overlayRelation(rec *crm.Record, w *PlannedWrite, there map[crm.Ref]bool) {
	r := w.Relation
	ref, standing := m.d.known().Counterpart(r.FarMapping, r.Far)
	if standing != Linked {
		return
	}
	now := crm.Relation{Object: ref.Object, ID: ref.ID, Primary: r.Primary, Label: r.Role}
	if w.Side == crm.Salesforce {
		now.Junction, now.RowID = r.Object, r.RowID
		if r.RowID != "" {
			rec.Relations = slices.DeleteFunc(rec.Relations, func(x crm.Relation) bool { return x.RowID == r.RowID })
		}
		rec.Relations = append(rec.Relations, now)
		return
	}
	far := crm.Ref{Object: r.FarObject, ID: ref.ID}
	if r.Primary || there[far] {
		for i := range rec.Relations {
			switch x := &rec.Relations[i]; {
			case x.Object != r.FarObject:
			case x.ID == ref.ID:
				now.Primary = now.Primary || x.Primary
				if r.Role == "" {
					now.Label = x.Label
				}
			case r.Primary:
				x.Primary = false
			}
		}
		rec.Relations = slices.DeleteFunc(rec.Relations, func(x crm.Relation) bool { return x.Object == r.FarObject && x.ID == ref.ID })
	}
	there[far] = true
	rec.Relations = append(rec.Relations, now)
}

// newBase is the base after the writes: what both sides will hold. Slots that
// are not settled keep what they had, so that they are decided again; what is
// not known yet is 0.
func (m *merge) newBase(hubspot, salesforce *crm.Record) crm.Base {
	o := m.d.object
	b := crm.Base{Version: o.BaseVersion,
		HubSpot:    Fingerprint(o, crm.HubSpot, o.HubSpotSchema.Name, hubspot),
		Salesforce: Fingerprint(o, crm.Salesforce, m.target.Object, salesforce)}
	for slot := range b.HubSpot {
		if m.open[slot] {
			b.HubSpot[slot], b.Salesforce[slot] = m.base.HubSpot[slot], m.base.Salesforce[slot]
			m.d.out.Open = append(m.d.out.Open, slot)
			continue
		}
		for side, hashes := range map[crm.Side][]uint64{crm.HubSpot: b.HubSpot, crm.Salesforce: b.Salesforce} {
			switch {
			case m.pending[side][slot]:
				hashes[slot] = pendingHash()
			case m.unknown[side][slot]:
				hashes[slot] = 0
			case m.lost[side][slot]:
				hashes[slot] = lostHash()
			}
		}
	}
	// Where the decision writes what a filter reads, the record may be left out
	// from now on: it is decided once more when the write comes back.
	if p := o.WhereHubSpot; p != nil && m.writesAny(crm.HubSpot, p.HubSpotFields) {
		b.HubSpot[len(b.HubSpot)-1] = 0
	}
	if p := o.WhereSalesforce; p != nil && m.writesAny(crm.Salesforce, p.SalesforceFields) {
		b.Salesforce[len(b.Salesforce)-1] = 0
	}
	return b
}

func sameBase(a, b crm.Base) bool {
	return a.Version == b.Version && slices.Equal(a.HubSpot, b.HubSpot) && slices.Equal(a.Salesforce, b.Salesforce)
}

// create works out the write that makes a record on the side m.creating.
func (m *merge) create(schema *crm.Object) {
	d, to := m.d, m.creating
	for _, stages := range []bool{false, true} {
		for i := range m.target.Fields {
			f := &m.target.Fields[i]
			if (f.StagePipeline != nil) == stages {
				m.createField(f)
			}
		}
	}
	for i := range m.target.Associations {
		m.association(&m.target.Associations[i])
	}
	m.knownReferences()
	m.owner()
	m.requireAll(schema)
	if len(m.holds) > 0 {
		d.hold(m.holds)
		return
	}
	reason := crm.Reason{Code: CodeCreated, Text: "new in " + to.Title() + ": " + schema.Name}
	write := PlannedWrite{Side: to, Op: crm.Create, Object: schema.Name, Changes: m.changes[to], Reason: reason}
	link := &crm.Link{Mapping: d.object.Name, SalesforceObject: m.target.Object}
	// The record that is to be: what is written is known, the rest is not.
	made := &crm.Record{Layout: m.layout(to)}
	made.Values = make([]crm.Value, len(made.Layout.Fields))
	hubspot, salesforce := d.HubSpot, made
	if to == crm.Salesforce {
		link.HubSpotID = d.HubSpot.ID
		d.out.Salesforce = crm.Ref{Side: crm.Salesforce, Object: m.target.Object}
		if d.object.ExternalID != "" {
			write.ExternalField, write.ExternalValue = d.object.ExternalID, d.HubSpot.ID
		}
	} else {
		link.SalesforceID = d.Salesforce.ID
		d.out.HubSpot = crm.Ref{Side: crm.HubSpot, Object: schema.Name}
		hubspot, salesforce = made, d.Salesforce
	}
	if to == crm.Salesforce {
		salesforce = m.overlay(to, made)
	} else {
		hubspot = m.overlay(to, made)
	}
	m.blankSlots(to)
	link.Base = m.newBase(hubspot, salesforce)
	d.out.NewLink = link
	d.out.Writes = append([]PlannedWrite{write}, m.relations...)
	m.retie()
	d.end(crm.Synced, CodeCreated, "", "%s", reason.Text)
}

// blankSlots marks what a create leaves to the vendor: owner, and the fields
// that filter and match.
func (m *merge) blankSlots(to crm.Side) {
	o := m.d.object
	m.unknown[to][len(o.BaseNames)-1] = true
	if !o.OwnerByEmail {
		return
	}
	slot := o.Slot(mapping.SlotOwner)
	for _, c := range m.changes[to] {
		if c.Slot == slot {
			return
		}
	}
	m.unknown[to][slot] = true
}

func (m *merge) layout(side crm.Side) *crm.Layout {
	if side == crm.HubSpot {
		return m.d.object.HubSpotRead.Layout
	}
	return m.target.Read.Layout
}

func (m *merge) createField(f *mapping.BoundField) {
	to := m.creating
	if !f.Direction.Flows(to) {
		return
	}
	if f.Program != nil {
		m.computed(f)
		return
	}
	source := m.record(to.Other()).Value(fieldOn(f, to.Other()).Name)
	n := Convert(f, to, source, m.place(f))
	if n.Action == Write && !n.Value.IsPresent() {
		return // a new record is blank anyway; requireAll looks at what must not be
	}
	if n.Action == Write && n.Value.Text == "false" && cleanText(source.Text) == "" {
		return
	}
	m.write(f, to, n, "new record")
}

// requireAll holds a create that the vendor would refuse for a blank.
func (m *merge) requireAll(schema *crm.Object) {
	filled := map[string]bool{}
	for _, c := range m.changes[m.creating] {
		filled[c.Field] = true
	}
	if m.creating == crm.Salesforce {
		filled[m.d.object.ExternalID] = true
		for i := range schema.Fields {
			f := &schema.Fields[i]
			if f.Required && f.Creatable && !filled[f.Name] && !m.holdsFor(f.Name) {
				m.holds = append(m.holds, m.missing(f.Name))
			}
		}
		return
	}
	for _, any := range mapping.HubSpotRequired(schema) {
		if !slices.ContainsFunc(any, func(n string) bool { return filled[n] || m.holdsFor(n) }) {
			m.holds = append(m.holds, m.missing(any...))
		}
	}
}

func (m *merge) holdsFor(field string) bool {
	return slices.ContainsFunc(m.holds, func(r crm.Reason) bool { return r.Field == field })
}

func (m *merge) missing(names ...string) crm.Reason {
	for i := range m.target.Fields {
		f := &m.target.Fields[i]
		if field := fieldOn(f, m.creating); field != nil && slices.Contains(names, field.Name) && f.Direction.Flows(m.creating) {
			return requiredBlank(f, m.creating)
		}
	}
	return crm.Reason{Code: CodeRequiredBlank, Field: names[0], Text: "a new " + m.creating.Title() + " record needs " + strings.Join(names, " or ") + ", and the mapping does not fill it",
		Mend: "map it, or compute it with `from`"}
}
