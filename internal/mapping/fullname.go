package mapping

import (
	"maps"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// inFull returns the mapping with HubSpot's objects under the names that HubSpot
// answers with: a custom object may be named as "cars", "p123_cars" or "2-5",
// and is p123_cars from here on. What it was given stays as it is.
func inFull(m *Mapping, schemas Schemas) (*Mapping, Schemas) {
	name := func(given string) string {
		if o := schemas.HubSpot[given]; o != nil && o.Name != "" {
			return o.Name
		}
		for _, o := range schemas.HubSpot {
			if o != nil && given != "" && o.Prefix == given {
				return o.Name
			}
		}
		return given
	}
	out := *m
	out.Objects = slices.Clone(m.Objects)
	for i := range out.Objects {
		o := &out.Objects[i]
		o.HubSpot = name(o.HubSpot)
		o.Associations = slices.Clone(o.Associations)
		for k := range o.Associations {
			a := &o.Associations[k]
			a.HubSpot, a.Also = name(a.HubSpot), slices.Clone(a.Also)
			for i := range a.Also {
				a.Also[i] = name(a.Also[i])
			}
		}
	}
	all := maps.Clone(schemas.HubSpot)
	if all == nil {
		all = map[string]*crm.Object{}
	}
	for _, o := range schemas.HubSpot {
		if o != nil && o.Name != "" {
			all[o.Name] = o
		}
	}
	labels := make(map[[2]string][]string, len(schemas.Labels))
	for ends, list := range schemas.Labels {
		labels[[2]string{name(ends[0]), name(ends[1])}] = list
	}
	in := schemas
	in.HubSpot, in.Labels = all, labels
	return &out, in
}

// typeIDs are the numbers under which HubSpot also knows its own objects.
// https://developers.hubspot.com/docs/guides/api/crm/understanding-the-crm
var typeIDs = map[string]string{
	"0-1": "contacts", "0-2": "companies", "0-3": "deals", "0-5": "tickets", "0-7": "products", "0-8": "line_items", "0-14": "quotes",
	"0-27": "tasks", "0-46": "notes", "0-47": "meetings", "0-48": "calls", "0-49": "emails", "0-18": "communications", "0-53": "invoices",
	"0-69": "subscriptions", "0-116": "postal_mail", "0-123": "orders", "0-136": "leads", "0-142": "carts", "0-162": "services",
	"0-410": "courses", "0-420": "listings", "0-421": "appointments", "0-970": "projects",
}

// hubSpotName is the name of a HubSpot object that the file gives by name or
// by type id.
func hubSpotName(given string) string {
	if name := typeIDs[given]; name != "" {
		return name
	}
	return given
}
