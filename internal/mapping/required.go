package mapping

import (
	"fmt"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// required reports fields that a new record must have and the mapping never
// fills.
func (b *binder) required(o *BoundObject) {
	if o.Create.In(crm.Salesforce) {
		for _, t := range o.Targets {
			b.requiredInSalesforce(o, t)
		}
	}
	if o.Create.In(crm.HubSpot) {
		b.requiredInHubSpot(o)
	}
}

func (b *binder) requiredInSalesforce(o *BoundObject, t *BoundTarget) {
	filled := map[string]bool{}
	for i := range t.Fields {
		if t.Fields[i].Direction.Flows(crm.Salesforce) {
			filled[t.Fields[i].Salesforce] = true
		}
	}
	for _, a := range t.Associations {
		filled[a.Salesforce] = true
	}
	filled[o.ExternalID] = true
	if o.OwnerByEmail {
		filled[SalesforceOwner] = true
	}
	for i := range t.Schema.Fields {
		f := &t.Schema.Fields[i]
		if !f.Required || !f.Creatable || filled[f.Name] {
			continue
		}
		b.problems.errorf(t.Pos, "required.unfilled", requiredLine(o, t, f), "a new Salesforce %s needs %s (%s), and no field of %s fills it", t.Object, f.Name, f.Label, o.Name)
	}
}

// requiredLine is the line of yaml that would fill a required field.
func requiredLine(o *BoundObject, t *BoundTarget, f *crm.Field) string {
	on := ""
	if len(o.Targets) > 1 {
		on = ", on: [" + t.Object + "]"
	}
	for _, p := range standardPairs() {
		if p.hubspotObject == o.HubSpot && p.salesforceObject == t.Object && p.salesforce == f.Name && o.HubSpotSchema.Field(p.hubspot) != nil {
			blank := ""
			if p.blank != "" {
				blank = ", blank: " + yamlScalar(p.blank)
			}
			return fmt.Sprintf("add to fields of %s:\n- {hubspot: %s, salesforce: %s%s%s}", o.Name, p.hubspot, f.Name, blank, on)
		}
	}
	return fmt.Sprintf("add to fields of %s:\n- {hubspot: …, salesforce: %s%s}", o.Name, f.Name, on)
}

// HubSpotRequired lists what HubSpot refuses to create a record without; each
// entry is met by any one of its properties.
// https://developers.hubspot.com/docs/api-reference/crm-objects-v3/guide
func HubSpotRequired(o *crm.Object) [][]string {
	var out [][]string
	switch o.Name {
	case "contacts":
		out = append(out, []string{"email", "firstname", "lastname"})
	case "companies":
		out = append(out, []string{"name", "domain"})
	case "deals":
		out = append(out, []string{"dealname"}, []string{"dealstage"})
	case "tickets":
		out = append(out, []string{"subject"}, []string{"hs_pipeline_stage"})
	case "meetings":
		// The moment of a meeting defaults to its start.
		out = append(out, []string{"hs_timestamp", "hs_meeting_start_time"})
	}
	for i := range o.Fields {
		f := &o.Fields[i]
		listed := false
		for _, names := range out {
			for _, n := range names {
				listed = listed || n == f.Name
			}
		}
		if f.Required && !listed && f.Name != pipelineProperty(o) {
			out = append(out, []string{f.Name})
		}
	}
	return out
}

func (b *binder) requiredInHubSpot(o *BoundObject) {
	for _, any := range HubSpotRequired(o.HubSpotSchema) {
		for _, t := range o.Targets {
			filled := false
			for i := range t.Fields {
				for _, name := range any {
					filled = filled || t.Fields[i].HubSpot == name && t.Fields[i].Direction.Flows(crm.HubSpot)
				}
			}
			if !filled {
				b.problems.errorf(o.HubSpotPos, "required.unfilled", "map it without direction: to-salesforce, or write create: in-salesforce",
					"a new HubSpot record of %s needs %s, and no field fills it from Salesforce %s", o.HubSpot, strings.Join(any, " or "), t.Object)
			}
		}
	}
}
