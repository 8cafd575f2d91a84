package engine_test

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// refuseNamed refuses writes that carry this value.
func refuseNamed(value string) func(crm.Write) error {
	return func(w crm.Write) error {
		if slices.ContainsFunc(w.Fields, func(f crm.FieldValue) bool { return f.Value.Text == value }) {
			return fault.New(fault.Invalid, "the value is refused")
		}
		return nil
	}
}

func replace(s, old, with string) string { return strings.Replace(s, old, with, 1) }

// firstCopyWorld is n HubSpot contacts and an empty Salesforce.
func firstCopyWorld(n int) (hubspot, salesforce *vendor, bound *mapping.Bound) {
	hubspot, salesforce = newVendor(crm.HubSpot), newVendor(crm.Salesforce)
	for i := range n {
		hubspot.insert("contacts", map[string]string{"firstname": "First " + strconv.Itoa(i), "lastname": "Last " + strconv.Itoa(i),
			"email": "person" + strconv.Itoa(i) + "@acme.test", "phone": "030 1234567"})
	}
	m, err := mapping.Parse("lockstep.yaml", []byte(pairYAML))
	if err != nil {
		panic(err)
	}
	bound, problems := m.Bind(mapping.Schemas{HubSpot: hubspot.schemas, Salesforce: salesforce.schemas})
	if bound == nil {
		panic(problems)
	}
	return hubspot, salesforce, bound
}
