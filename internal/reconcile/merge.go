package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// merge works out the writes of one pair, or of one record that is to be
// created. It collects changes per side, holds and notes, and which slots of
// the base are settled.
type merge struct {
	d      *decider
	target *mapping.BoundTarget
	// creating is the side on which the record is made; "" for a pair.
	creating   crm.Side
	base       crm.Base
	hubspot    []uint64 // fingerprints of both sides as they were read
	salesforce []uint64
	changes    map[crm.Side][]Change
	relations  []PlannedWrite
	holds      []crm.Reason
	open       map[int]bool              // slots that are not settled
	pending    map[crm.Side]map[int]bool // see pendingHash
	unknown    map[crm.Side]map[int]bool
	lost       map[crm.Side]map[int]bool // see lostHash
	firstMatch bool
}

// pendingHash stands in the base for a value that its side gives and that could
// not be written, because the mapping says to skip it or nobody is its owner on
// the other side. It equals no value, so that side counts as changed until the
// value can be written; the moments of modification, which our own writes
// move, do not come into it.
func pendingHash() uint64 { return Hash("\x00pending") }

// lostHash stands in the base for an association that this side lost with the record
// at its far end, and that the other side still names: nobody ended it, so it is
// given back as soon as that record has a counterpart, unless somebody relates the
// thing to another one meanwhile.
func lostHash() uint64 { return Hash("\x00lost") }

func newMerge(d *decider, target *mapping.BoundTarget, creating crm.Side) *merge {
	m := &merge{d: d, target: target, creating: creating, changes: map[crm.Side][]Change{}, open: map[int]bool{},
		pending: map[crm.Side]map[int]bool{crm.HubSpot: {}, crm.Salesforce: {}},
		unknown: map[crm.Side]map[int]bool{crm.HubSpot: {}, crm.Salesforce: {}},
		lost:    map[crm.Side]map[int]bool{crm.HubSpot: {}, crm.Salesforce: {}}}
	m.hubspot = Fingerprint(d.object, crm.HubSpot, d.object.HubSpotSchema.Name, d.HubSpot)
	m.salesforce = Fingerprint(d.object, crm.Salesforce, target.Object, d.Salesforce)
	m.base = crm.Base{Version: d.object.BaseVersion, HubSpot: make([]uint64, len(d.object.BaseNames)), Salesforce: make([]uint64, len(d.object.BaseNames))}
	return m
}

// pair merges two records. An old base, or one of another version of the
// mapping, says nothing.
func (d *decider) pair(target *mapping.BoundTarget, base crm.Base, isNew bool) {
	m := newMerge(d, target, "")
	size := len(d.object.BaseNames)
	m.firstMatch = base.Version != d.object.BaseVersion || len(base.HubSpot) != size || len(base.Salesforce) != size
	if !m.firstMatch {
		m.base = base
		m.backWithout(target)
	}
	m.fields()
	m.keepAmounts()
	for i := range target.Associations {
		m.association(&target.Associations[i])
	}
	m.owner()
	m.stampExternalID()
	if d.object.OnlyReads() {
		d.note(crm.Reason{Code: NoteOnlyRead, Text: onlyReadText, Field: mapping.ListKind})
	}
	if len(m.holds) > 0 {
		d.hold(m.holds)
		if !sameBase(m.base, base) && !m.firstMatch {
			d.out.Base = &m.base
		}
		return
	}
	m.finish(isNew, base)
}

// fields merges all fields, stages last: which stage is right depends on the
// pipeline. Computed ones come after those that they may be computed from.
func (m *merge) fields() {
	for _, stages := range []bool{false, true} {
		for _, computed := range []bool{false, true} {
			for i := range m.target.Fields {
				f := &m.target.Fields[i]
				switch {
				case (f.StagePipeline != nil) != stages || (f.Program != nil) != computed:
				case computed:
					m.computed(f)
				default:
					m.field(f)
				}
			}
		}
	}
}

func (m *merge) record(side crm.Side) *crm.Record {
	if side == crm.HubSpot {
		return m.d.HubSpot
	}
	return m.d.Salesforce
}

func (m *merge) now(side crm.Side, slot int) uint64 {
	if side == crm.HubSpot {
		return m.hubspot[slot]
	}
	return m.salesforce[slot]
}

func (m *merge) before(side crm.Side, slot int) uint64 {
	if side == crm.HubSpot {
		return m.base.HubSpot[slot]
	}
	return m.base.Salesforce[slot]
}

// known tells whether the base says anything of a slot. Where it knows one side
// only, the other side's value is taken as it is found: that is how values that
// a vendor fills in itself on create come into the base.
func (m *merge) known(slot int) bool {
	return m.before(crm.HubSpot, slot) != 0 || m.before(crm.Salesforce, slot) != 0
}

func (m *merge) changed(side crm.Side, slot int) bool {
	b := m.before(side, slot)
	return b != 0 && b != m.now(side, slot)
}

func (m *merge) place(f *mapping.BoundField) Place {
	p := Place{}
	if f.HubSpotField != nil {
		p.Current = m.d.HubSpot.Value(f.HubSpotField.Name)
	}
	if name := m.d.object.PipelineProperty; f.StagePipeline != nil && name != "" {
		p.Pipeline = m.d.HubSpot.Value(name).Text
		for _, c := range m.changes[crm.HubSpot] {
			if c.Field == name {
				p.Pipeline = c.After.Text
			}
		}
		if p.Pipeline == "" && len(m.d.object.HubSpotSchema.Pipelines) > 0 {
			// HubSpot puts a new record into its first pipeline.
			p.Pipeline = m.d.object.HubSpotSchema.Pipelines[0].ID
		}
	}
	return p
}

// field merges one field that exists on both sides.
func (m *merge) field(f *mapping.BoundField) {
	h, s := m.d.HubSpot.Value(f.HubSpotField.Name), m.d.Salesforce.Value(f.SalesforceField.Name)
	for _, v := range []crm.Value{h, s} {
		if v.State == crm.Missing || v.State == crm.Unreadable {
			m.open[f.Slot] = true
			m.d.note(crm.Reason{Code: NoteUnreadable, Text: f.HubSpotField.Name + " and " + f.SalesforceField.Name + " were not both read, so both are left alone", Field: f.SalesforceField.Name})
			return
		}
	}
	if m.derivedNow(f) {
		if f.Direction == mapping.ToSalesforce {
			m.d.note(crm.Reason{Code: NoteLeftAlone, Text: nameOn(f, crm.Salesforce) + " is computed by Salesforce from the line items, so it is left alone", Field: f.SalesforceField.Name})
			return
		}
		f = toHubSpotOnly(f)
	}
	if m.leavesPipeline(f, h.Text) {
		m.write(f, crm.HubSpot, Convert(f, crm.HubSpot, s, m.place(f)), "follows the pipeline")
		return
	}
	if Agree(f, h, s, m.place(f)) {
		return
	}
	to, why, held := m.choose(f, cleanText(h.Text) == "", cleanText(s.Text) == "")
	switch {
	case held != nil:
		m.heldField(f, h, s, *held)
	case to == "" && why != "":
		m.d.note(crm.Reason{Code: NoteLeftAlone, Text: why, Field: f.SalesforceField.Name})
	case to != "":
		source := h
		if to == crm.HubSpot {
			source = s
		}
		m.write(f, to, Convert(f, to, source, m.place(f)), why)
	}
}

// derivedNow tells whether Salesforce computes the field at the moment.
func (m *merge) derivedNow(f *mapping.BoundField) bool {
	return f.DerivedWhile != "" && strings.EqualFold(m.d.Salesforce.Value(f.DerivedWhile).Text, "true")
}

func toHubSpotOnly(f *mapping.BoundField) *mapping.BoundField {
	now, rule := *f, *f.Field
	rule.Direction = mapping.ToHubSpot
	now.Field = &rule
	return &now
}

// leavesPipeline tells whether this decision moves the HubSpot record to a
// pipeline that its stage is not in; HubSpot wants both in one write.
func (m *merge) leavesPipeline(f *mapping.BoundField, stage string) bool {
	if f.StagePipeline == nil || stage == "" || !f.Direction.Flows(crm.HubSpot) {
		return false
	}
	moved := slices.ContainsFunc(m.changes[crm.HubSpot], func(c Change) bool { return c.Field == m.d.object.PipelineProperty })
	return moved && f.StagePipeline[stage] != m.place(f).Pipeline
}

// Agree tells whether the two values mean the same: one of them, converted to
// the other side, is what the other side holds. That compares at the coarser
// side: a date with a time, rounded with exact, many HubSpot values with the one
// Salesforce value that they share.
func Agree(f *mapping.BoundField, hubspot, salesforce crm.Value, place Place) bool {
	return becomes(f, crm.Salesforce, hubspot, salesforce, Place{Current: salesforce}) || becomes(f, crm.HubSpot, salesforce, hubspot, place)
}

func becomes(f *mapping.BoundField, to crm.Side, from, held crm.Value, place Place) bool {
	n := Convert(f, to, from, place)
	return n.Action == Write && sameOn(fieldOn(f, to), to, n.Value, held)
}

// sameOn compares two values as one side stores them.
func sameOn(field *crm.Field, side crm.Side, a, b crm.Value) bool {
	if a == b {
		return true
	}
	x, errX := Canonical(field.Kind, field, side, a)
	y, errY := Canonical(field.Kind, field, side, b)
	return errX == nil && errY == nil && x == y
}

// choose says which side is written, and why. An empty side with a why is a
// change that is left alone.
func (m *merge) choose(f *mapping.BoundField, hubspotBlank, salesforceBlank bool) (to crm.Side, why string, held *crm.Reason) {
	if !m.known(f.Slot) {
		return m.chooseFirst(f, hubspotBlank, salesforceBlank)
	}
	hubspot, salesforce := m.changed(crm.HubSpot, f.Slot), m.changed(crm.Salesforce, f.Slot)
	switch {
	case hubspot && salesforce && f.Direction == mapping.Both:
		return m.winner(f, hubspotBlank, salesforceBlank, bothChanged)
	case hubspot && f.Direction.Flows(crm.Salesforce):
		return m.giver(f, crm.HubSpot, hubspotBlank, salesforceBlank)
	case salesforce && f.Direction.Flows(crm.HubSpot):
		return m.giver(f, crm.Salesforce, salesforceBlank, hubspotBlank)
	case hubspot || salesforce:
		side := crm.Salesforce
		if hubspot {
			side = crm.HubSpot
		}
		return "", fmt.Sprintf("%s changed, but `direction: %s` gives the value; it is left as it is until %s changes", nameOn(f, side), f.Direction, nameOn(f, side.Other())), nil
	}
	// They differed when they were last settled, and nothing changed since.
	return "", "", nil
}

// giver is the only side that changed. Under an unless-blank rule a blank does
// not overwrite: the value comes back instead.
func (m *merge) giver(f *mapping.BoundField, from crm.Side, fromBlank, otherBlank bool) (crm.Side, string, *crm.Reason) {
	if fromBlank && !otherBlank && unlessBlank(f.Wins) {
		if f.Direction.Flows(from) {
			return from, "unless blank: " + string(from.Other()), nil
		}
		return "", fmt.Sprintf("%s is blank, and `wins: %s` lets no blank overwrite a value", nameOn(f, from), f.Wins), nil
	}
	return from.Other(), changedText(from), nil
}

func unlessBlank(w mapping.Winner) bool {
	return w == mapping.WinsHubSpotUnlessBlank || w == mapping.WinsSalesforceUnlessBlank
}

// chooseFirst decides where nothing is known of the past: fill blanks, then the
// field's rule.
func (m *merge) chooseFirst(f *mapping.BoundField, hubspotBlank, salesforceBlank bool) (crm.Side, string, *crm.Reason) {
	switch {
	case hubspotBlank && salesforceBlank:
		return "", "", nil
	case hubspotBlank:
		if f.Direction.Flows(crm.HubSpot) {
			return crm.HubSpot, "first match: fill blank", nil
		}
		return "", "", nil
	case salesforceBlank:
		if f.Direction.Flows(crm.Salesforce) {
			return crm.Salesforce, "first match: fill blank", nil
		}
		return "", "", nil
	}
	switch f.Direction {
	case mapping.ToSalesforce:
		return crm.Salesforce, "first match: hubspot gives it", nil
	case mapping.ToHubSpot:
		return crm.HubSpot, "first match: salesforce gives it", nil
	}
	return m.winner(f, hubspotBlank, salesforceBlank, "first match, ")
}

// winner applies `wins`; what a person answered to just these two values goes before
// it, also where the rule is another one by now.
func (m *merge) winner(f *mapping.BoundField, hubspotBlank, salesforceBlank bool, prefix string) (crm.Side, string, *crm.Reason) {
	wins := crm.HubSpot
	rule, applied := string(f.Wins), f.Wins
	if m.answered(f.Slot) {
		applied = mapping.WinsHold // heldField does as the answer says
	}
	switch applied {
	case mapping.WinsHold:
		return "", "", &crm.Reason{Code: CodeConflict, Field: f.SalesforceField.Name,
			Text: fmt.Sprintf("%sand %s and %s differ; `wins` says hold", prefix, nameOn(f, crm.HubSpot), nameOn(f, crm.Salesforce)),
			Mend: "give both sides the same value, answer with `lockstep conflicts`, or choose `wins: newest`, `hubspot` or `salesforce` for " + f.SalesforceField.Name}
	case mapping.WinsSalesforce:
		wins = crm.Salesforce
	case mapping.WinsHubSpotUnlessBlank:
		if hubspotBlank {
			wins = crm.Salesforce
		}
	case mapping.WinsSalesforceUnlessBlank:
		if !salesforceBlank {
			wins = crm.Salesforce
		}
	case mapping.WinsNewest:
		wins, why := m.newest(f)
		return wins.Other(), prefix + why, nil
	}
	return wins.Other(), prefix + "wins: " + rule, nil
}

// computed merges a field whose value an expression gives. It has one
// direction. Where the expression reads the receiving side, too, it is followed
// at every change.
func (m *merge) computed(f *mapping.BoundField) {
	to := crm.Salesforce
	if f.Direction == mapping.ToHubSpot {
		to = crm.HubSpot
	}
	field := fieldOn(f, to)
	held := m.record(to).Value(field.Name)
	v, err := f.Program.Text(m.after(crm.HubSpot), m.after(crm.Salesforce))
	if err != nil {
		m.holds = append(m.holds, crm.Reason{Code: CodeExpression, Text: err.Error(), Mend: fault.MendOf(err), Field: field.Name})
		return
	}
	if m.creating == "" && (held.State == crm.Missing || held.State == crm.Unreadable) {
		m.open[f.Slot] = true
		m.d.note(crm.Reason{Code: NoteUnreadable, Text: nameOn(f, to) + " was not read, so it is left alone", Field: field.Name})
		return
	}
	n := Convert(f, to, v, m.place(f))
	if n.Action == Write && m.creating == "" && sameOn(field, to, n.Value, held) {
		return
	}
	blank := cleanText(v.Text) == "" && !n.Value.IsPresent()
	if m.creating == "" {
		readsTarget := len(f.Program.SalesforceFields) > 0 && to == crm.Salesforce || len(f.Program.HubSpotFields) > 0 && to == crm.HubSpot
		switch known := m.known(f.Slot); {
		case !known && blank:
			return
		case known && !m.changed(to.Other(), f.Slot) && !(readsTarget && m.changed(to, f.Slot)) && !m.writesInput(f.Program):
			if m.changed(to, f.Slot) {
				m.d.note(crm.Reason{Code: NoteLeftAlone, Text: fmt.Sprintf("%s changed, but the mapping computes it; it is left as it is until what it is computed from changes", nameOn(f, to)), Field: field.Name})
			}
			return
		}
	} else if blank {
		return
	}
	m.write(f, to, n, "computed")
}

// after is the record of a side as this decision leaves it: what is computed is
// computed from that, or it would be out of date as soon as it is written.
func (m *merge) after(side crm.Side) *crm.Record {
	if m.creating != "" || len(m.changes[side]) == 0 {
		return m.record(side)
	}
	return m.overlay(side, m.record(side))
}

// writesInput tells whether this decision writes a field that p reads.
func (m *merge) writesInput(p *mapping.Program) bool {
	return m.writesAny(crm.HubSpot, p.HubSpotFields) || m.writesAny(crm.Salesforce, p.SalesforceFields)
}

func (m *merge) writesAny(side crm.Side, fields []string) bool {
	return slices.ContainsFunc(m.changes[side], func(c Change) bool { return slices.Contains(fields, c.Field) })
}

// write takes the converted value into the writes, or says why not.
func (m *merge) write(f *mapping.BoundField, to crm.Side, n Native, why string) {
	field := fieldOn(f, to)
	held := m.record(to).Value(field.Name)
	switch n.Action {
	case Hold:
		m.holds = append(m.holds, n.Reason)
		return
	case Leave:
		switch n.Reason.Code {
		case NoteFallbackText:
		case NoteUnreadable:
			m.open[f.Slot] = true
		default:
			m.pending[to.Other()][f.Slot] = true
		}
		m.d.note(n.Reason)
		return
	}
	if !n.Value.IsPresent() && field.Required {
		m.holds = append(m.holds, requiredBlank(f, to))
		return
	}
	writable := field.Updatable
	if m.creating != "" {
		writable = field.Creatable
	}
	if !writable && m.creating != "" && field.Updatable {
		m.later(f.Slot)
		return
	}
	if !writable {
		m.d.note(crm.Reason{Code: NoteCreateOnly, Text: nameOn(f, to) + " cannot be set now, so it is left alone", Field: field.Name})
		return
	}
	if to == crm.HubSpot && field.Name == "lifecyclestage" && backwards(field, held.Text, n.Value.Text) {
		m.d.note(crm.Reason{Code: NoteBackwards, Text: "HubSpot does not move a lifecycle stage back, so it is left alone", Field: field.Name})
		return
	}
	if n.Reason.Code != "" {
		m.d.note(n.Reason)
	}
	m.changes[to] = append(m.changes[to], Change{Field: field.Name, Before: held, After: n.Value, Why: why, Slot: f.Slot})
}

// later leaves a field that can only be written to a record that is there: the
// thing waits for its own link, and is decided again.
func (m *merge) later(slot int) {
	own, source := m.d.out.HubSpot, crm.HubSpot
	if m.creating == crm.HubSpot {
		own, source = m.d.out.Salesforce, crm.Salesforce
	}
	m.pending[source][slot] = true
	if !slices.Contains(m.d.out.Awaits, own) {
		m.d.out.Awaits = append(m.d.out.Awaits, own)
	}
}

func requiredBlank(f *mapping.BoundField, to crm.Side) crm.Reason {
	field := fieldOn(f, to)
	mend := "fill " + nameOn(f, to.Other())
	if to == crm.Salesforce {
		mend += `, or add blank: "…" to the field ` + field.Name
	}
	return crm.Reason{Code: CodeRequiredBlank, Field: field.Name, Mend: mend, Text: fmt.Sprintf("%s needs a value, and %s is blank", nameOn(f, to), nameOn(f, to.Other()))}
}

// backwards tells whether HubSpot would silently ignore the move: lifecycle
// stages only go forward, in the order of the options.
// https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide
func backwards(field *crm.Field, from, to string) bool {
	place := func(value string) int {
		return slices.IndexFunc(field.Options, func(o crm.Option) bool { return o.Value == value })
	}
	a, b := place(from), place(to)
	return a >= 0 && b >= 0 && b < a
}

// stampExternalID writes the HubSpot record id into the external id field of a
// Salesforce record that has none, when the two are linked or the mapping
// changed.
func (m *merge) stampExternalID() {
	name := m.d.object.ExternalID
	rules := len(m.d.object.BaseNames) - 1
	if name == "" || !m.firstMatch && m.before(crm.Salesforce, rules) != 0 {
		return
	}
	held := m.d.Salesforce.Value(name)
	field := m.target.Schema.Field(name)
	switch {
	case field == nil || !field.Updatable || held.State == crm.Missing || held.State == crm.Unreadable:
	case !held.IsPresent():
		m.changes[crm.Salesforce] = append(m.changes[crm.Salesforce], Change{Field: name, Before: held, After: crm.Text(m.d.HubSpot.ID), Why: "external id", Slot: -1})
	case strings.TrimSpace(held.Text) != m.d.HubSpot.ID:
		m.d.note(crm.Reason{Code: NoteExternalID, Text: fmt.Sprintf("%s holds %s, another HubSpot record's id; it is left alone", name, held.Text), Field: name})
	}
}
