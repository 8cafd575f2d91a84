package mapping

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// MissingPermissions tells which needs the schemas, as a Salesforce user sees
// them, do not fulfil. Of an object that cannot be seen only reading it is
// listed; the rest cannot be judged before that is granted.
func MissingPermissions(needs []Need, schemas map[string]*crm.Object) []Need {
	var missing []Need
	for _, n := range needs {
		if !granted(n, schemas) {
			missing = append(missing, n)
		}
	}
	return missing
}

func granted(n Need, schemas map[string]*crm.Object) bool {
	switch n.Access {
	case "system":
		return true // describing an object has used it already
	case "user":
		return true // no schema tells; whoever checks asks for the user
	}
	o := schemas[n.Object]
	if o == nil {
		return n.Field != "" || n.Access != "read"
	}
	if n.Field == "" {
		switch n.Access {
		case "create":
			return o.Creatable
		case "edit":
			return o.Updatable
		case "delete":
			return o.Deletable
		}
		return true
	}
	// Whether fields may be edited shows only where the object may be.
	judged := n.Access == "edit" && (o.Creatable || o.Updatable)
	return !slices.ContainsFunc(n.Parts, func(name string) bool {
		f := o.Field(name)
		return f == nil || judged && f.Permissionable && !f.Calculated && !f.Updatable && !f.Creatable
	})
}

// SuperfluousPermissions lists what a Salesforce user may do beyond the needs,
// by name as in Need.Name: with the objects of the mapping and their fields,
// and writes to other objects (others may be nil) that have permissions of their
// own.
func SuperfluousPermissions(needs []Need, schemas map[string]*crm.Object, others []crm.Object) []string {
	wanted := map[string]bool{}
	for _, n := range needs {
		wanted[n.Name] = true
		if n.Field != "" && n.Access == "edit" {
			wanted[n.Object+"."+n.Field+": Read"] = true
		}
	}
	var out fieldNames
	extra := func(has bool, name string) {
		if has && !wanted[name] {
			out.add(name)
		}
	}
	object := func(o *crm.Object) {
		if right := writingActivities[o.Name]; right != "" {
			extra(o.Creatable || o.Updatable, right)
			return
		}
		if followed[o.Name] != "" {
			return
		}
		extra(o.Creatable, o.Name+": Create")
		extra(o.Updatable, o.Name+": Edit")
		extra(o.Deletable, o.Name+": Delete")
	}
	for _, name := range sortedNames(schemas) {
		object(schemas[name])
	}
	for i := range others {
		if schemas[others[i].Name] == nil && hasOwnPermission(others[i].Name) {
			object(&others[i])
		}
	}
	for _, name := range sortedNames(schemas) {
		o := schemas[name]
		if writingActivities[name] != "" {
			continue // their fields are open to everybody unless somebody closes them
		}
		for i := range o.Fields {
			f := &o.Fields[i]
			if !f.Permissionable || f.Compound == "Name" {
				continue
			}
			governs := f.Name
			if f.Compound != "" {
				governs = f.Compound
			}
			extra(f.Updatable || f.Creatable, o.Name+"."+governs+": Edit")
		}
	}
	return out.list
}

// hasOwnPermission tells whether permission sets speak of an object. Rows that
// belong to a parent (OpportunityContactRole) follow its permission, and much
// of the system is open to everybody.
// https://help.salesforce.com/s/articleView?id=sf.users_profiles_object_perms.htm
func hasOwnPermission(object string) bool {
	switch object {
	case "Account", "Asset", "Campaign", "Case", "Contact", "Contract", "Individual", "Lead", "Opportunity", "Order", "Pricebook2", "Product2":
		return true
	}
	return strings.HasSuffix(object, "__c")
}

func sortedNames(schemas map[string]*crm.Object) []string {
	set := map[string]bool{}
	for name, o := range schemas {
		set[name] = o != nil
	}
	names := sortedKeys(set)
	return slices.DeleteFunc(names, func(name string) bool { return schemas[name] == nil })
}

// Rights are what a check found: the needs of the mapping and what of them is
// missing, scopes of HubSpot and permissions of Salesforce.
type Rights struct {
	MissingScopes      []Need
	Permissions        []Need
	MissingPermissions []Need
	// Salesforce are the schemas as the user sees them.
	Salesforce map[string]*crm.Object
}

// Unexplained leaves out the problems that only say, place by place, what the
// missing rights say already. A field that cannot be seen may also be misspelt:
// where another one is named like it, its problem stays.
func (m *Mapping) Unexplained(problems *Problems, r Rights) []Problem {
	if problems == nil {
		return nil
	}
	covered := map[Pos]bool{}
	m.coverHubSpot(covered, r.MissingScopes)
	deniedObject := map[string]bool{}
	for _, n := range r.MissingPermissions {
		if n.Field == "" {
			deniedObject[n.Object] = true
		}
	}
	for _, n := range r.Permissions {
		if deniedObject[n.Object] {
			cover(covered, n)
		}
	}
	for _, n := range r.MissingPermissions {
		if n.Field == "" || !misspelt(n, r.Salesforce[n.Object]) {
			cover(covered, n)
		}
	}
	return slices.DeleteFunc(slices.Clone(problems.All), func(one Problem) bool { return covered[one.Pos] && aboutAccess(one.Code) })
}

// coverHubSpot covers the objects and properties that missing scopes keep from
// being read or written.
func (m *Mapping) coverHubSpot(covered map[Pos]bool, missing []Need) {
	for i := range m.Objects {
		o := &m.Objects[i]
		if !slices.ContainsFunc(missing, func(n Need) bool { return slices.Contains(objectScopes(o.HubSpot, n.Access), n.Name) }) {
			continue
		}
		covered[o.HubSpotPos] = true
		for k := range o.Fields {
			covered[o.Fields[k].HubSpotPos] = true
		}
		for k := range o.Associations {
			covered[o.Associations[k].ByPos] = true
		}
	}
}

func cover(places map[Pos]bool, n Need) {
	for _, pos := range n.Places {
		places[pos] = true
	}
}

// misspelt tells whether a field that is not seen looks like one that is.
func misspelt(n Need, o *crm.Object) bool {
	if o == nil || n.Field != n.Parts[0] || knownField(n.Object, n.Field) || o.Field(n.Field) != nil {
		return false // known, seen, or a part of an address
	}
	var names []string
	for i := range o.Fields {
		names = append(names, o.Fields[i].Name)
	}
	return nearest(n.Field, names) != ""
}

// aboutAccess tells the problems that a missing right explains.
func aboutAccess(code string) bool {
	switch code {
	case "object.unknown", "object.not-creatable", "object.not-updatable", "object.not-deletable",
		"field.unknown", "field.read-only", "external-id.read-only", "expression":
		return true
	}
	return false
}
