package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Need is one right that a credential must have for this mapping to work.
type Need struct {
	// Name is the scope ("crm.objects.contacts.read") or the permission
	// ("Contact: Edit", "Contact.Phone: Read").
	Name string
	// Why says what in the mapping needs it, one sentence.
	Why string
	// Access is "read", "create", "edit" or "delete"; for HubSpot "read" or "write".
	Access string
	// Object is the vendor's object, Field its field where the right is for one.
	Object string
	Field  string
}

// Scopes lists the HubSpot scopes that the mapping needs, each once, and no
// other: a credential with exactly these can do everything that it asks for.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes
func (m *Mapping) Scopes() []Need {
	var out []Need
	add := func(n Need) {
		for i := range out {
			if out[i].Name == n.Name {
				if !strings.Contains(out[i].Why, n.Why) {
					out[i].Why += "; " + n.Why
				}
				return
			}
		}
		out = append(out, n)
	}
	for i := range m.Objects {
		o := &m.Objects[i]
		for _, scope := range objectScopes(o.HubSpot, "read") {
			add(Need{Name: scope, Access: "read", Object: o.HubSpot, Why: fmt.Sprintf("reads %s for %s", o.HubSpot, o.Name)})
		}
		if why, field := o.writesHubSpot(); why != "" {
			for _, scope := range objectScopes(o.HubSpot, "write") {
				add(Need{Name: scope, Access: "write", Object: o.HubSpot, Field: field, Why: fmt.Sprintf("writes %s for %s (%s)", o.HubSpot, o.Name, why)})
			}
		}
		for _, a := range o.Associations {
			for _, scope := range objectScopes(a.HubSpot, "read") {
				add(Need{Name: scope, Access: "read", Object: a.HubSpot, Why: fmt.Sprintf("reads the associations of %s with %s", o.HubSpot, a.HubSpot)})
			}
		}
		if o.OwnerByEmail {
			add(Need{Name: "crm.objects.owners.read", Access: "read", Object: "owners", Why: "finds the owner of " + o.Name + " by e-mail"})
		}
	}
	return out
}

// writesHubSpot says why the object is written to in HubSpot; empty when never.
func (o *Object) writesHubSpot() (why, field string) {
	var names []string
	for i := range o.Fields {
		if f := &o.Fields[i]; f.Direction.Flows(crm.HubSpot) && f.HubSpot != "" {
			names = append(names, f.HubSpot)
		}
	}
	var reasons []string
	if o.Create.In(crm.HubSpot) {
		reasons = append(reasons, "create: "+string(o.Create))
	}
	if len(names) > 0 {
		field = names[0]
		shown := names
		if len(shown) > 3 {
			shown = append(slices.Clone(names[:3]), fmt.Sprintf("%d more", len(names)-3))
		}
		reasons = append(reasons, "fields "+strings.Join(shown, ", "))
	}
	if o.OwnerByEmail {
		reasons = append(reasons, "owner")
	}
	if o.Deletes == DeletesArchive {
		reasons = append(reasons, "deletes: archive")
	}
	return strings.Join(reasons, "; "), field
}

// objectScopes are the scopes for one HubSpot object type. Tickets have one
// scope for both; activities are guarded by the contacts scopes; products and
// line items by their own; everything that is not built in by the custom one.
func objectScopes(object, access string) []string {
	switch object {
	case "tickets":
		return []string{"tickets"}
	case "notes", "calls", "tasks", "meetings":
		return []string{"crm.objects.contacts." + access}
	case "emails":
		return []string{"crm.objects.contacts." + access, "sales-email-read"}
	case "contacts", "companies", "deals", "leads", "line_items", "products", "quotes", "orders", "carts", "invoices", "users", "services",
		"courses", "listings", "appointments", "subscriptions", "projects", "goals", "marketing_events", "commercepayments":
		return []string{"crm.objects." + object + "." + access}
	}
	return []string{"crm.objects.custom." + access}
}

// Permissions lists the Salesforce object and field permissions that the
// mapping needs. Fields that every user of an object can see and edit (the
// required ones) are not listed: Salesforce has no permission for them.
func (m *Mapping) Permissions(b *Bound) []Need {
	var out []Need
	for _, o := range b.Objects {
		for _, t := range o.Targets {
			out = append(out, objectPermissions(o, t)...)
			out = append(out, fieldPermissions(o, t)...)
		}
	}
	return out
}

func objectPermissions(o *BoundObject, t *BoundTarget) []Need {
	out := []Need{{Name: t.Object + ": Read", Access: "read", Object: t.Object, Why: fmt.Sprintf("reads %s for %s", t.Object, o.Name)}}
	if o.Create.In(crm.Salesforce) {
		out = append(out, Need{Name: t.Object + ": Create", Access: "create", Object: t.Object, Why: "create: " + string(o.Create)})
	}
	edits := o.OwnerByEmail || len(t.Associations) > 0 || o.ExternalID != "" || slices.ContainsFunc(t.Fields, func(f BoundField) bool { return f.Direction.Flows(crm.Salesforce) })
	if edits || o.Create.In(crm.Salesforce) {
		out = append(out, Need{Name: t.Object + ": Edit", Access: "edit", Object: t.Object, Why: fmt.Sprintf("updates %s for %s", t.Object, o.Name)})
	}
	if o.Deletes == DeletesArchive {
		out = append(out, Need{Name: t.Object + ": Delete", Access: "delete", Object: t.Object, Why: "deletes: archive"})
	}
	return out
}

func fieldPermissions(o *BoundObject, t *BoundTarget) []Need {
	edits := map[string]bool{o.ExternalID: true}
	for i := range t.Fields {
		if t.Fields[i].Direction.Flows(crm.Salesforce) {
			edits[t.Fields[i].Salesforce] = true
		}
	}
	for _, a := range t.Associations {
		edits[a.Salesforce] = true
	}
	var out []Need
	for _, name := range t.Read.Layout.Fields {
		f := t.Schema.Field(name)
		if f == nil || f.Required || f.Kind == crm.KindID || name == SalesforceOwner || name == LeadConverted {
			continue
		}
		need := Need{Name: t.Object + "." + name + ": Read", Access: "read", Object: t.Object, Field: name, Why: "read for " + o.Name}
		if edits[name] {
			need = Need{Name: t.Object + "." + name + ": Edit", Access: "edit", Object: t.Object, Field: name, Why: "written for " + o.Name}
		}
		out = append(out, need)
	}
	return out
}
