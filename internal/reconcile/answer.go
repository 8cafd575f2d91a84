package reconcile

import (
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// knownReferences gives a record that is made in Salesforce the references that
// the rule which chose its object knows of: where `when` asked whether there is
// a company with the domain of an address, the new Contact gets that Account. It
// does so only where HubSpot has no such association, the rule found exactly one
// record, and the reference may point to it; HubSpot's side stays as it is.
func (m *merge) knownReferences() {
	if m.creating != crm.Salesforce || m.target.When == nil {
		return
	}
	questions, err := m.target.When.Asks(m.d.HubSpot)
	if err != nil {
		return // route has told it
	}
	for i := range m.target.Associations {
		a := &m.target.Associations[i]
		field := m.target.Schema.Field(a.Salesforce)
		if a.Junction || field == nil || !field.Creatable || mainRelation(m.d.HubSpot, a).id != "" {
			continue
		}
		for _, q := range questions {
			answer := m.d.Answers[q]
			if q.Mapping != a.Mapping || !answer.Known || answer.Record.IsZero() {
				continue
			}
			change := Change{Field: a.Salesforce, Why: "known by " + q.Key, Slot: a.Slot}
			switch {
			case answer.Record.Side == crm.HubSpot:
				far := answer.Record
				change.Ref, change.RefMapping, change.RefObjects = &far, a.Mapping, a.ReferenceTo
			case slices.Contains(a.ReferenceTo, answer.Record.Object):
				change.After = crm.Text(answer.Record.ID)
			default:
				continue
			}
			m.changes[crm.Salesforce] = append(m.changes[crm.Salesforce], change)
			break
		}
	}
}
