package reconcile

import (
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// currencyField is the field of an organization with several currencies that
// says in which one a record's amounts are.
const currencyField = "CurrencyIsoCode"

// keepAmounts sends a record's amounts along when its currency is written.
// Salesforce converts the amounts that do not travel with a new currency, and
// that would come back as a change that nobody made.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
func (m *merge) keepAmounts() {
	written := func(name string) bool {
		return slices.ContainsFunc(m.changes[crm.Salesforce], func(c Change) bool { return c.Field == name })
	}
	if !written(currencyField) {
		return
	}
	for i := range m.target.Fields {
		f := &m.target.Fields[i]
		field := f.SalesforceField
		if field == nil || field.Kind != crm.KindCurrency || !field.Updatable || !f.Direction.Flows(crm.Salesforce) || written(field.Name) {
			continue
		}
		if held := m.d.Salesforce.Value(field.Name); held.IsPresent() {
			m.changes[crm.Salesforce] = append(m.changes[crm.Salesforce], Change{Field: field.Name, Before: held, After: held, Slot: f.Slot,
				Why: "stays the same number: Salesforce converts amounts that do not come with a new currency"})
		}
	}
}
