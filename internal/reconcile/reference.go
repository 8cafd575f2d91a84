package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// association keeps a HubSpot association and a Salesforce reference, or a set
// of rows, in step.
func (m *merge) association(a *mapping.BoundAssociation) {
	if a.Junction {
		m.rows(a)
	} else {
		m.reference(a)
	}
}

// reference keeps HubSpot's main association with an object and the Salesforce
// reference that stands for it the same, by a three-way merge like that of a
// field.
func (m *merge) reference(a *mapping.BoundAssociation) {
	main := mainRelation(m.d.HubSpot, a)
	held := m.d.Salesforce.Value(a.Salesforce)
	if m.creating == "" && unread(held) {
		m.open[a.Slot] = true
		m.d.note(crm.Reason{Code: NoteUnreadable, Text: a.Salesforce + " was not read, so it and HubSpot's association are left alone", Field: a.Salesforce})
		return
	}
	if m.creating == "" && m.sameReference(a, main, held) {
		return
	}
	to, why, hold := m.chooseReference(a, main.id == "", !held.IsPresent())
	if hold != nil {
		to, why = m.heldReference(a, main.id, held, *hold)
	}
	switch {
	case to == crm.Salesforce:
		m.refer(a, main, held, why)
	case to == crm.HubSpot:
		m.associate(a, main, held, why)
	case why != "":
		m.d.note(crm.Reason{Code: NoteReference, Text: why, Field: a.Salesforce})
	}
}

// sameReference tells whether the reference names the record that HubSpot's
// association leads to: the primary one, or any of several where none is.
func (m *merge) sameReference(a *mapping.BoundAssociation, main relationChoice, held crm.Value) bool {
	if !held.IsPresent() || main.id == "" {
		return !held.IsPresent() && main.id == ""
	}
	for _, id := range append([]string{main.id}, main.others...) {
		other, standing := m.d.known().Counterpart(main.end.Mapping, crm.Ref{Side: crm.HubSpot, Object: main.end.HubSpot, ID: id})
		if standing == Linked && other.ID == wideID(held.Text) {
			return true
		}
	}
	return false
}

// chooseReference says which side is written, and why; see merge.choose.
func (m *merge) chooseReference(a *mapping.BoundAssociation, hubspotBlank, salesforceBlank bool) (to crm.Side, why string, hold *crm.Reason) {
	both := func(prefix string) (crm.Side, string, *crm.Reason) {
		switch {
		case a.Direction != mapping.Both:
			side := crm.Side(crm.HubSpot)
			if a.Direction.Flows(crm.HubSpot) {
				side = crm.Salesforce
			}
			return side.Other(), prefix + string(side) + " gives it", nil
		case a.Wins == mapping.WinsHold || m.answered(a.Slot):
			return "", "", &crm.Reason{Code: CodeConflict, Field: a.Salesforce, Text: prefix + "and HubSpot's association with " + a.HubSpot + " and Salesforce " + a.Salesforce + " differ; `wins` says hold",
				Mend: "associate the same record on both sides, or choose `wins: hubspot` or `salesforce` for " + a.Salesforce}
		case a.Wins == mapping.WinsSalesforce:
			return crm.HubSpot, prefix + "wins: salesforce", nil
		}
		return crm.Salesforce, prefix + "wins: hubspot", nil
	}
	allowed := func(to crm.Side, why string) (crm.Side, string, *crm.Reason) {
		if !a.Direction.Flows(to) {
			return "", "", nil
		}
		return to, why, nil
	}
	switch {
	case m.creating == crm.Salesforce && hubspotBlank, m.creating == crm.HubSpot && salesforceBlank:
		return "", "", nil
	case m.creating != "":
		return allowed(m.creating, "new record")
	case !m.known(a.Slot) && hubspotBlank:
		return allowed(crm.HubSpot, "first match: fill blank")
	case !m.known(a.Slot) && salesforceBlank:
		return allowed(crm.Salesforce, "first match: fill blank")
	case !m.known(a.Slot):
		return both("first match, ")
	}
	switch {
	case hubspotBlank && m.before(crm.HubSpot, a.Slot) == lostHash():
		return allowed(crm.HubSpot, givenBack)
	case salesforceBlank && m.before(crm.Salesforce, a.Slot) == lostHash():
		return allowed(crm.Salesforce, givenBack)
	}
	hubspot, salesforce := m.changed(crm.HubSpot, a.Slot), m.changed(crm.Salesforce, a.Slot)
	switch {
	case hubspot && salesforce:
		return both(bothChanged)
	case hubspot && a.Direction.Flows(crm.Salesforce):
		return crm.Salesforce, changedText(crm.HubSpot), nil
	case salesforce && a.Direction.Flows(crm.HubSpot):
		return crm.HubSpot, changedText(crm.Salesforce), nil
	case hubspot:
		return "", fmt.Sprintf("HubSpot's association with %s changed, but `direction: %s` gives it; it is left as it is until %s changes", a.HubSpot, a.Direction, a.Salesforce), nil
	case salesforce:
		return "", fmt.Sprintf("%s changed in Salesforce, but `direction: %s` gives it; it is left as it is until HubSpot's association changes", a.Salesforce, a.Direction), nil
	}
	return "", "", nil
}

// refer writes what HubSpot's association leads to into the reference.
func (m *merge) refer(a *mapping.BoundAssociation, main relationChoice, held crm.Value, why string) {
	if main.id == "" && m.creating == "" {
		far, end, standing := m.counterpartOf(a, held)
		switch gives := a.Direction.Flows(crm.HubSpot); {
		case gives && (standing == Planned || m.d.known().Back(end.Mapping, far)):
			m.associate(a, main, held, givenBack)
			return
		case standing != Linked:
			m.lostEnd(a, crm.HubSpot, far)
			return
		}
	}
	field := m.target.Schema.Field(a.Salesforce)
	switch {
	case m.creating == "" && !field.Updatable:
		m.d.note(crm.Reason{Code: NoteCreateOnly, Text: a.Salesforce + " cannot be changed after create, so it is left alone", Field: a.Salesforce})
		return
	case main.id == "" && field.Required:
		m.d.note(crm.Reason{Code: NoteReference, Text: "HubSpot has no association with " + a.HubSpot + " any more; Salesforce does not let " + a.Salesforce + " be blank, so it is left as it is", Field: a.Salesforce})
		return
	}
	change := Change{Field: a.Salesforce, Before: held, Why: why, Slot: a.Slot, After: crm.Value{State: crm.Blank}}
	if main.id != "" && m.leadKeepsOut(a) {
		m.open[a.Slot] = true
		m.d.note(crm.Reason{Code: NoteReference, Text: "an activity of a Lead has no " + a.Salesforce + " in Salesforce, so it is left blank until the Lead is converted", Field: a.Salesforce})
		return
	}
	if main.id != "" {
		if len(main.others) > 0 {
			m.d.note(crm.Reason{Code: NoteSeveral, Text: fmt.Sprintf("several HubSpot %s and none is primary; the oldest gives %s", main.end.HubSpot, a.Salesforce), Field: a.Salesforce})
		}
		far := crm.Ref{Side: crm.HubSpot, Object: main.end.HubSpot, ID: main.id}
		other, standing := m.d.known().Counterpart(main.end.Mapping, far)
		switch {
		case standing == Linked && !slices.Contains(a.ReferenceTo, other.Object):
			m.wrongObject(a, far, fmt.Sprintf("HubSpot %s %s is a %s in Salesforce, which %s cannot point to", main.end.HubSpot, main.id, other.Object, a.Salesforce))
			return
		case standing == Linked && !m.d.known().ByPlan(main.end.Mapping, far):
			change.After = crm.Text(other.ID)
		case standing == Linked, standing == Planned:
			change.Ref, change.RefMapping, change.RefObjects = &far, main.end.Mapping, a.ReferenceTo
		default:
			m.waits(a, far, standing)
			return
		}
	}
	m.changes[crm.Salesforce] = append(m.changes[crm.Salesforce], change)
}

// associate gives the HubSpot record the association that the Salesforce
// reference names, as the primary one where HubSpot has such, and ends the one
// that it takes the place of. Further associations stay.
func (m *merge) associate(a *mapping.BoundAssociation, main relationChoice, held crm.Value, why string) {
	if a.By != "" {
		m.associateBy(a, held, why)
		return
	}
	end := a.Ends[0]
	if held.IsPresent() {
		far, at, standing := m.counterpartOf(a, held)
		end = at
		switch standing {
		case Linked, Planned:
			id := ""
			if m.d.HubSpot != nil {
				id = m.d.HubSpot.ID
			}
			if standing == Planned {
				m.unknown[crm.HubSpot][a.Slot] = true
			}
			m.relations = append(m.relations, PlannedWrite{Side: crm.HubSpot, Op: crm.Relate, Object: m.d.object.HubSpotSchema.Name, ID: id,
				Relation: &RelationChange{Far: far, FarMapping: end.Mapping, Object: end.HubSpot, FarObject: end.HubSpot, Primary: true},
				Reason:   crm.Reason{Code: CodeUpdated, Text: why + ": associate with HubSpot " + end.HubSpot, Field: a.Salesforce}})
		default:
			m.waits(a, far, standing)
			return
		}
	}
	if !held.IsPresent() {
		far := crm.Ref{Side: crm.HubSpot, Object: main.end.HubSpot, ID: main.id}
		_, standing := m.d.known().Counterpart(main.end.Mapping, far)
		switch gives := a.Direction.Flows(crm.Salesforce); {
		case gives && (standing == Planned || m.d.known().Back(main.end.Mapping, far)):
			m.refer(a, main, held, givenBack)
			return
		case standing != Linked:
			m.lostEnd(a, crm.Salesforce, far)
			return
		}
	}
	if main.id != "" && !(held.IsPresent() && m.alsoRows(a)) {
		m.relations = append(m.relations, PlannedWrite{Side: crm.HubSpot, Op: crm.Unrelate, Object: m.d.object.HubSpotSchema.Name, ID: m.d.HubSpot.ID,
			Relation: &RelationChange{FarID: main.id, Object: main.end.HubSpot, FarObject: main.end.HubSpot},
			Reason:   crm.Reason{Code: CodeUpdated, Text: why + ": end the association with HubSpot " + main.end.HubSpot + " " + main.id, Field: a.Salesforce}})
	}
}

// alsoRows tells whether further associations with the same object are kept as
// rows: there the former primary one is no longer primary, and no less an
// association.
func (m *merge) alsoRows(a *mapping.BoundAssociation) bool {
	return slices.ContainsFunc(m.target.Associations, func(other mapping.BoundAssociation) bool { return other.Junction && other.HubSpot == a.HubSpot })
}

// givenBack is why an association is written that went with a deleted record.
const givenBack = "it was lost with a deleted record and is given back"

// backWithout marks what a record lost when it was deleted, and is restored without:
// nobody ended that either.
func (m *merge) backWithout(target *mapping.BoundTarget) {
	if m.d.Back == "" {
		return
	}
	m.base.HubSpot, m.base.Salesforce = slices.Clone(m.base.HubSpot), slices.Clone(m.base.Salesforce)
	for i := range target.Associations {
		a := &target.Associations[i]
		if a.Junction || !m.known(a.Slot) || !a.Direction.Flows(m.d.Back) {
			continue
		}
		blank, hashes := mainRelation(m.d.HubSpot, a).id == "", m.base.HubSpot
		if m.d.Back == crm.Salesforce {
			held := m.d.Salesforce.Value(a.Salesforce)
			blank, hashes = !held.IsPresent() && !unread(held), m.base.Salesforce
		}
		if blank && m.changed(m.d.Back, a.Slot) {
			hashes[a.Slot] = lostHash()
		}
	}
}

// lostEnd leaves an association that ended because the record at its far end is
// gone, or was never the same on both sides: that says nothing about these two. far
// is the one that the other side still relates it to.
func (m *merge) lostEnd(a *mapping.BoundAssociation, on crm.Side, far crm.Ref) {
	text := "it is left as it is"
	if a.Direction.Flows(on) {
		m.lost[on][a.Slot] = true
		m.awaits(far)
		text += " until that one is"
	}
	m.d.note(crm.Reason{Code: NoteReference, Field: a.Salesforce,
		Text: fmt.Sprintf("%s relates it to nothing any more, and the record that %s relates it to is not live on both sides; %s", on.Title(), on.Other().Title(), text)})
}

// associateBy writes the id of the far record into the property that holds it.
func (m *merge) associateBy(a *mapping.BoundAssociation, held crm.Value, why string) {
	field := m.d.object.HubSpotSchema.Field(a.By)
	if m.creating == "" && !field.Updatable {
		m.d.note(crm.Reason{Code: NoteCreateOnly, Text: a.By + " cannot be changed after create, so it is left alone", Field: a.By})
		return
	}
	change := Change{Field: a.By, Before: m.record(crm.HubSpot).Value(a.By), Why: why, Slot: a.Slot, After: crm.Value{State: crm.Blank}}
	if held.IsPresent() {
		far, end, standing := m.counterpartOf(a, held)
		switch standing {
		case Linked, Planned:
			if other, _ := m.d.known().Counterpart(end.Mapping, far); standing == Linked && !m.d.known().ByPlan(end.Mapping, far) {
				change.After = crm.Text(other.ID)
				break
			}
			change.Ref, change.RefMapping, change.RefObjects = &far, end.Mapping, []string{end.HubSpot}
		default:
			m.waits(a, far, standing)
			return
		}
	}
	m.changes[crm.HubSpot] = append(m.changes[crm.HubSpot], change)
}

// counterpartOf finds the record that a Salesforce reference names among the
// objects that it may point to, and which far object of HubSpot that is.
func (m *merge) counterpartOf(a *mapping.BoundAssociation, held crm.Value) (far crm.Ref, end mapping.End, standing Standing) {
	for _, end := range a.Ends {
		for _, object := range a.ReferenceTo {
			ref := crm.Ref{Side: crm.Salesforce, Object: object, ID: wideID(held.Text)}
			if _, standing := m.d.known().Counterpart(end.Mapping, ref); standing != Unknown {
				return ref, end, standing
			}
			if far.ID == "" {
				far = ref
			}
		}
	}
	return far, a.Ends[0], Unknown
}

// leadKeepsOut tells whether a reference has to stay blank because the activity
// is, or is about to be, that of a Lead.
func (m *merge) leadKeepsOut(a *mapping.BoundAssociation) bool {
	lead, excluded := mapping.LeadExcludes(m.target.Object)
	if lead == "" || a.Salesforce != excluded {
		return false
	}
	who := m.record(crm.Salesforce).Value(lead).Text
	for _, c := range m.changes[crm.Salesforce] {
		if c.Field == lead {
			who = c.After.Text
		}
	}
	return strings.HasPrefix(who, mapping.LeadPrefix)
}

// wrongObject leaves an association for the day on which its far end is another
// object: a Lead that becomes a Contact.
func (m *merge) wrongObject(a *mapping.BoundAssociation, far crm.Ref, text string) {
	m.open[a.Slot] = true
	m.awaits(far)
	m.d.note(crm.Reason{Code: NoteWrongObject, Text: text, Field: a.Salesforce})
}

func (m *merge) awaits(far crm.Ref) {
	if !slices.Contains(m.d.out.Awaits, far) {
		m.d.out.Awaits = append(m.d.out.Awaits, far)
	}
}

// waits leaves the reference for later.
func (m *merge) waits(a *mapping.BoundAssociation, far crm.Ref, standing Standing) {
	m.open[a.Slot] = true
	m.awaits(far)
	m.d.note(crm.Reason{Code: NoteWaits, Text: waitsText(a, far, standing), Field: a.Salesforce})
}

func waitsText(a *mapping.BoundAssociation, far crm.Ref, standing Standing) string {
	why := "has not been seen"
	if standing == Waiting {
		why = "is held, excluded or failed"
	}
	return fmt.Sprintf("%s waits: %s %s %s %s", a.Salesforce, far.Side.Title(), far.Object, far.ID, why)
}

// owner keeps the two owners the same person, by e-mail. A record that nobody
// owns in HubSpot says nothing about its Salesforce owner, because in
// Salesforce somebody always owns it; a blank is only filled when Salesforce's
// owner was changed by somebody.
func (m *merge) owner() {
	if !m.d.object.OwnerByEmail {
		return
	}
	slot := m.d.object.Slot(mapping.SlotOwner)
	hubspot, salesforce := cleanText(m.d.HubSpot.Value(mapping.HubSpotOwner).Text), cleanText(m.d.Salesforce.Value(mapping.SalesforceOwner).Text)
	to, why := m.chooseOwner(slot, hubspot, salesforce)
	if to == "" {
		return
	}
	id, field := hubspot, mapping.SalesforceOwner
	schema := m.target.Schema
	if to == crm.HubSpot {
		id, field, schema = salesforce, mapping.HubSpotOwner, m.d.object.HubSpotSchema
	}
	other, ok := m.d.known().Owner(to.Other(), id)
	if !ok {
		m.pending[to.Other()][slot] = true
		if other, ok = m.standIn(to, id, field); !ok {
			return
		}
		why = "otherwise: " + m.d.object.OwnerOtherwise
	}
	if f := schema.Field(field); f != nil && (m.creating == "" && !f.Updatable || m.creating != "" && !f.Creatable) {
		m.d.note(crm.Reason{Code: NoteCreateOnly, Text: field + " may not be written with this credential", Field: field})
		return
	}
	m.changes[to] = append(m.changes[to], Change{Field: field, Before: m.record(to).Value(field), After: crm.Text(other), Why: "owner by e-mail: " + why, Slot: slot})
}

// standIn says that an owner is nobody on the other side, and finds who owns a
// new record instead. A record that exists keeps its owner: that may be
// somebody's choice.
func (m *merge) standIn(to crm.Side, id, field string) (string, bool) {
	from, known, name := to.Other(), m.d.known(), m.d.object.OwnerOtherwise
	called := id
	if s := known.OwnerName(from, id); s != "" {
		called = s
	}
	r := crm.Reason{Code: NoteOwnerUnknown, Field: field, Text: fmt.Sprintf("the owner in %s, %s, %s", from.Title(), called, known.OwnerTrouble(from, id)),
		Mend: "give both users the same e-mail address"}
	other, ok := "", false
	if m.creating != "" && name != "" {
		if other, ok = known.OwnerNamed(to, name); ok {
			r.Text += "; " + name + " owns the new record"
		} else {
			r.Text += fmt.Sprintf("; %s (otherwise) is no active user of %s either", name, to.Title())
			r.Mend = "name an active user in otherwise: of " + m.d.object.Name
		}
	}
	m.d.note(r)
	return other, ok
}

func (m *merge) chooseOwner(slot int, hubspot, salesforce string) (crm.Side, string) {
	if m.creating != "" {
		if m.creating == crm.Salesforce && hubspot == "" || m.creating == crm.HubSpot && salesforce == "" {
			return "", ""
		}
		return m.creating, "new record"
	}
	if m.sameOwner(hubspot, salesforce) {
		return "", ""
	}
	if !m.known(slot) {
		switch {
		case hubspot == "":
			return "", ""
		case salesforce == "":
			return crm.Salesforce, "fill blank"
		case m.d.Salesforce.ModifiedMicros > m.d.HubSpot.ModifiedMicros && m.d.HubSpot.ModifiedMicros != 0:
			return crm.HubSpot, "newest: salesforce"
		}
		return crm.Salesforce, "newest: hubspot"
	}
	h, s := m.changed(crm.HubSpot, slot), m.changed(crm.Salesforce, slot)
	newer := m.d.Salesforce.ModifiedMicros > m.d.HubSpot.ModifiedMicros && m.d.HubSpot.ModifiedMicros != 0
	switch {
	case h && hubspot == "" && !s:
		m.d.note(crm.Reason{Code: NoteLeftAlone, Text: "nobody owns it in HubSpot any more; in Salesforce somebody has to, so it is left as it is", Field: mapping.SalesforceOwner})
		return "", ""
	case h && !s, h && s && !newer && hubspot != "":
		return crm.Salesforce, "hubspot changed"
	case s && salesforce != "":
		return crm.HubSpot, "salesforce changed"
	}
	return "", ""
}

func (m *merge) sameOwner(hubspot, salesforce string) bool {
	if hubspot == "" || salesforce == "" {
		return hubspot == salesforce
	}
	if other, ok := m.d.known().Owner(crm.HubSpot, hubspot); ok && strings.EqualFold(wideID(other), wideID(salesforce)) {
		return true
	}
	other, ok := m.d.known().Owner(crm.Salesforce, salesforce)
	return ok && other == hubspot
}
