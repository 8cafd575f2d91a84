package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// association keeps a HubSpot association and a Salesforce reference, or a set
// of contact roles, in step.
func (m *merge) association(a *mapping.BoundAssociation) {
	switch {
	case a.Junction && m.creating == crm.HubSpot:
		m.open[a.Slot] = true // HubSpot's associations come from HubSpot
	case a.Junction:
		m.roles(a)
	case m.creating == crm.HubSpot:
		m.relateHubSpot(a, "new record")
	default:
		m.reference(a)
	}
}

// reference: HubSpot's main association gives the Salesforce reference. Where
// HubSpot has none and Salesforce has one, HubSpot's blank is filled. A
// reference that somebody changed in Salesforce is left alone until HubSpot's
// association changes.
func (m *merge) reference(a *mapping.BoundAssociation) {
	far, several := mainRelation(m.d.HubSpot, a.HubSpot)
	held := m.d.Salesforce.Value(a.Salesforce)
	if several {
		m.d.note(crm.Reason{Code: NoteSeveral, Text: fmt.Sprintf("several HubSpot %s and none is primary; the oldest gives %s", a.HubSpot, a.Salesforce), Field: a.Salesforce})
	}
	if far == "" {
		m.referenceBlank(a, held)
		return
	}
	farRef := crm.Ref{Side: crm.HubSpot, Object: a.HubSpot, ID: far}
	other, standing := m.d.known().Counterpart(a.Mapping, farRef)
	if standing == Linked && !slices.Contains(a.ReferenceTo, other.Object) {
		m.d.note(crm.Reason{Code: NoteWrongObject, Text: fmt.Sprintf("HubSpot %s %s is a %s in Salesforce, which %s cannot point to", a.HubSpot, far, other.Object, a.Salesforce), Field: a.Salesforce})
		return
	}
	if standing == Linked && other.ID == wideID(held.Text) {
		return
	}
	if m.creating == "" && m.known(a.Slot) && !m.changed(crm.HubSpot, a.Slot) {
		if m.changed(crm.Salesforce, a.Slot) {
			m.d.note(crm.Reason{Code: NoteReference, Text: fmt.Sprintf("%s changed in Salesforce; HubSpot's association gives it, so it is left as it is until that changes", a.Salesforce), Field: a.Salesforce})
		}
		return
	}
	field := m.target.Schema.Field(a.Salesforce)
	if m.creating == "" && !field.Updatable {
		m.d.note(crm.Reason{Code: NoteCreateOnly, Text: a.Salesforce + " cannot be changed after create, so it is left alone", Field: a.Salesforce})
		return
	}
	change := Change{Field: a.Salesforce, Before: held, Why: m.whyReference(a), Slot: a.Slot}
	switch standing {
	case Linked:
		change.After = crm.Text(other.ID)
	case Planned:
		change.Ref, change.RefMapping, change.RefObjects = &farRef, a.Mapping, a.ReferenceTo
	default:
		m.waits(a, farRef, standing)
		return
	}
	m.changes[crm.Salesforce] = append(m.changes[crm.Salesforce], change)
}

func (m *merge) whyReference(a *mapping.BoundAssociation) string {
	switch {
	case m.creating != "":
		return "new record"
	case m.known(a.Slot):
		return "hubspot changed"
	}
	return "first match: hubspot gives it"
}

// referenceBlank decides where HubSpot has no such association.
func (m *merge) referenceBlank(a *mapping.BoundAssociation, held crm.Value) {
	if m.creating != "" || !held.IsPresent() {
		return
	}
	field := m.target.Schema.Field(a.Salesforce)
	switch {
	case m.known(a.Slot) && m.changed(crm.HubSpot, a.Slot):
		if field.Required || !field.Updatable {
			return
		}
		m.changes[crm.Salesforce] = append(m.changes[crm.Salesforce], Change{Field: a.Salesforce, Before: held, After: crm.Value{State: crm.Blank}, Why: "hubspot changed", Slot: a.Slot})
	case !m.known(a.Slot) || m.changed(crm.Salesforce, a.Slot):
		m.relateHubSpot(a, "fill blank")
	}
}

// relateHubSpot gives the HubSpot record the association that the Salesforce
// reference names.
func (m *merge) relateHubSpot(a *mapping.BoundAssociation, why string) {
	held := m.d.Salesforce.Value(a.Salesforce)
	if !held.IsPresent() || m.d.object.Create != mapping.CreateBoth && m.d.object.Create != mapping.CreateInHubSpot {
		return
	}
	for _, object := range a.ReferenceTo {
		far := crm.Ref{Side: crm.Salesforce, Object: object, ID: wideID(held.Text)}
		switch _, standing := m.d.known().Counterpart(a.Mapping, far); standing {
		case Linked, Planned:
			id := ""
			if m.d.HubSpot != nil {
				id = m.d.HubSpot.ID
			}
			if standing == Planned {
				m.unknown[crm.HubSpot][a.Slot] = true
			}
			m.relations = append(m.relations, PlannedWrite{Side: crm.HubSpot, Op: crm.Relate, Object: m.d.object.HubSpotSchema.Name, ID: id,
				Relation: &RelationChange{Far: far, FarMapping: a.Mapping, Object: a.HubSpot, FarObject: a.HubSpot, Primary: true},
				Reason:   crm.Reason{Code: CodeUpdated, Text: why + ": associate with HubSpot " + a.HubSpot, Field: a.Salesforce}})
			return
		case Waiting:
			m.waits(a, far, standing)
			return
		}
	}
	m.open[a.Slot] = true
}

// waits leaves the reference for later.
func (m *merge) waits(a *mapping.BoundAssociation, far crm.Ref, standing Standing) {
	m.open[a.Slot] = true
	if !slices.Contains(m.d.out.Awaits, far) {
		m.d.out.Awaits = append(m.d.out.Awaits, far)
	}
	why := "has not been seen"
	if standing == Waiting {
		why = "is held, excluded or failed"
	}
	m.d.note(crm.Reason{Code: NoteWaits, Text: fmt.Sprintf("%s waits: %s %s %s %s", a.Salesforce, far.Side.Title(), far.Object, far.ID, why), Field: a.Salesforce})
}

// roles adds the contact roles that HubSpot's associations ask for. Rows are
// only added, never removed: whether a role was made by us cannot be told. A
// row that somebody removed in Salesforce stays away until HubSpot's
// associations change.
func (m *merge) roles(a *mapping.BoundAssociation) {
	want := relatedIDs(m.d.HubSpot, a.HubSpot)
	have := map[string]bool{}
	if m.d.Salesforce != nil {
		for _, id := range relatedIDs(m.d.Salesforce, "Contact") {
			have[wideID(id)] = true
		}
	}
	if m.creating == "" && m.known(a.Slot) && !m.changed(crm.HubSpot, a.Slot) {
		return
	}
	id, planned := "", false
	if m.d.Salesforce != nil {
		id = m.d.Salesforce.ID
	}
	for _, contact := range want {
		far := crm.Ref{Side: crm.HubSpot, Object: a.HubSpot, ID: contact}
		other, standing := m.d.known().Counterpart(a.Mapping, far)
		switch {
		case standing == Linked && other.Object != "Contact":
			m.d.note(crm.Reason{Code: NoteWrongObject, Text: fmt.Sprintf("HubSpot contact %s is a %s in Salesforce, which cannot have a role", contact, other.Object), Field: a.Salesforce})
			continue
		case standing == Linked && have[wideID(other.ID)]:
			continue
		case standing == Waiting || standing == Unknown:
			m.waits(a, far, standing)
			continue
		}
		planned = planned || standing == Planned
		m.relations = append(m.relations, PlannedWrite{Side: crm.Salesforce, Op: crm.Relate, Object: m.target.Object, ID: id,
			Relation: &RelationChange{Far: far, FarMapping: a.Mapping, Object: mapping.ContactRole, FarObject: "Contact", FarField: "ContactId", NearField: "OpportunityId", Role: a.Role},
			Reason:   crm.Reason{Code: CodeUpdated, Text: "add a contact role", Field: a.Salesforce}})
	}
	if planned {
		m.unknown[crm.Salesforce][a.Slot] = true
	}
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
		m.d.note(crm.Reason{Code: NoteOwnerUnknown, Field: field, Text: fmt.Sprintf("%s owner %s has no active counterpart in %s with the same e-mail address", to.Other().Title(), m.d.known().OwnerName(to.Other(), id), to.Title()),
			Mend: "give both users the same e-mail address"})
		return
	}
	if f := schema.Field(field); f != nil && (m.creating == "" && !f.Updatable || m.creating != "" && !f.Creatable) {
		m.d.note(crm.Reason{Code: NoteCreateOnly, Text: field + " may not be written with this credential", Field: field})
		return
	}
	m.changes[to] = append(m.changes[to], Change{Field: field, Before: m.record(to).Value(field), After: crm.Text(other), Why: "owner by e-mail: " + why, Slot: slot})
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
