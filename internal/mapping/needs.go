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
	// ("Contact: Edit", "Contact.Phone: Read", "API Enabled").
	Name string
	// Or are other scopes that give the same right; any one will do.
	Or []string
	// Why says what in the mapping needs it, one sentence.
	Why string
	// Access is "read", "create", "edit", "delete" or "system"; for HubSpot "read"
	// or "write".
	Access string
	// Object is the vendor's object, Field its field where the right is for one.
	Object string
	Field  string
	// Parts are the fields that the mapping uses under this permission: Field
	// itself, or parts of the address that Field is.
	Parts []string
	// Places in lockstep.yaml that need it.
	Places []Pos
}

// GrantedBy tells whether one of the scopes gives the right.
func (n Need) GrantedBy(scopes []string) bool {
	return slices.Contains(scopes, n.Name) || slices.ContainsFunc(n.Or, func(or string) bool { return slices.Contains(scopes, or) })
}

// Scopes lists the HubSpot scopes that the mapping needs, each once, and no
// other: a credential with exactly these can do everything that it asks for.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes
func (m *Mapping) Scopes() []Need {
	var out []Need
	add := func(n Need) {
		n.Or = otherScopes(n.Name)
		for i := range out {
			if out[i].Name == n.Name {
				out[i].Places = append(out[i].Places, n.Places...)
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
			add(Need{Name: scope, Places: []Pos{o.HubSpotPos}, Access: "read", Object: o.HubSpot, Why: fmt.Sprintf("reads %s for %s", o.HubSpot, o.Name)})
		}
		if why, field := o.writesHubSpot(); why != "" {
			for _, scope := range objectScopes(o.HubSpot, "write") {
				add(Need{Name: scope, Places: []Pos{o.HubSpotPos}, Access: "write", Object: o.HubSpot, Field: field, Why: fmt.Sprintf("writes %s for %s (%s)", o.HubSpot, o.Name, why)})
			}
		}
		for k := range o.Associations {
			a := &o.Associations[k]
			for _, far := range a.FarObjects() {
				m.endScopes(add, o, a, far)
			}
		}
		if o.OwnerByEmail {
			add(Need{Name: ownersScope, Places: []Pos{o.NamePos}, Access: "read", Object: "owners", Why: "finds the owner of " + o.Name + " by e-mail"})
		}
	}
	return out
}

// endScopes lists what one far object of an association needs.
func (m *Mapping) endScopes(add func(Need), o *Object, a *Association, far string) {
	if o.HubSpot == Lists {
		if o.relatesInHubSpot(a) { // memberships are the list's: the contacts' own scopes are not asked for
			add(Need{Name: "crm.lists.write", Places: []Pos{a.HubSpotPos}, Access: "write", Object: Lists, Why: "adds and removes the members of lists"})
		}
		return
	}
	for _, scope := range objectScopes(far, "read") {
		add(Need{Name: scope, Places: []Pos{a.HubSpotPos}, Access: "read", Object: far, Why: fmt.Sprintf("reads the associations of %s with %s", o.HubSpot, far)})
	}
	if !o.relatesInHubSpot(a) {
		return
	}
	ends := []string{o.HubSpot, far} // HubSpot wants the right to write both ends of an association
	if a.By != "" {
		ends = ends[:1]
	}
	for _, object := range ends {
		for _, scope := range objectScopes(object, "write") {
			add(Need{Name: scope, Places: []Pos{a.HubSpotPos}, Access: "write", Object: object, Why: fmt.Sprintf("associates %s with %s", o.HubSpot, far)})
		}
	}
}

const ownersScope = "crm.objects.owners.read"

// relatesInHubSpot tells whether associations are written there.
func (o *Object) relatesInHubSpot(a *Association) bool { return a.Direction.Flows(crm.HubSpot) }

// otherScopes are those that HubSpot takes in place of one.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes
func otherScopes(scope string) []string {
	switch scope {
	case "crm.objects.products.read", "crm.objects.products.write", "crm.objects.line_items.read", "crm.objects.line_items.write":
		return []string{"e-commerce"}
	case ownersScope:
		return []string{"automation"}
	}
	return nil
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
	if why := o.archives(crm.HubSpot); why != "" {
		reasons = append(reasons, why)
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
	case Lists:
		return []string{"crm.lists." + access}
	case "notes", "calls", "tasks", "meetings", "communications", "postal_mail":
		return []string{"crm.objects.contacts." + access}
	case "emails":
		return []string{"crm.objects.contacts." + access, "sales-email-read"}
	case "contacts", "companies", "deals", "leads", "line_items", "products", "quotes", "orders", "carts", "invoices", "users", "services",
		"courses", "listings", "appointments", "subscriptions", "projects", "goals", "marketing_events", "commercepayments":
		return []string{"crm.objects." + object + "." + access}
	}
	return []string{"crm.objects.custom." + access}
}
