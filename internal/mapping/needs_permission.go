package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// APIEnabled is the Salesforce permission without which no call is answered.
const APIEnabled = "API Enabled"

// MarketingUser is the check box of a Salesforce user (Setup > Users) without
// which nobody writes campaigns; MarketingUserField is its API name. No
// permission set gives it.
// https://help.salesforce.com/s/articleView?id=sf.campaigns_perms.htm
const (
	MarketingUser      = "Marketing User"
	MarketingUserField = "UserPermissionsMarketingUser"
)

// parents are the Salesforce objects that another one cannot be read without:
// Salesforce refuses a permission set that has the one and not the other.
// https://help.salesforce.com/s/articleView?id=sf.users_profiles_object_perms.htm
var parents = map[string]string{"Contact": "Account", "Opportunity": "Account"}

// followed are objects without permissions of their own: who may read the other
// object may read them, who may edit it may write them.
// https://help.salesforce.com/s/articleView?id=sf.users_profiles_object_perms.htm
var followed = map[string]string{"OpportunityLineItem": "Opportunity", "OpportunityContactRole": "Opportunity", "PricebookEntry": priceBooks, "CampaignMember": "Campaign"}

// writingActivities are the user permissions that stand in for those of an
// object: everybody reads the activities of what they may read.
var writingActivities = map[string]string{"Task": "Edit Tasks", "Event": "Edit Events"}

// StandardPrice is the field of Product2 that the Salesforce client makes up
// out of the standard price book.
const (
	StandardPrice = "StandardPrice"
	priceBooks    = "Pricebook2"
)

// Permissions lists the Salesforce object and field permissions that the
// mapping needs.
func (m *Mapping) Permissions(b *Bound) []Need {
	schemas := map[string]*crm.Object{}
	for _, o := range b.Objects {
		for _, t := range o.Targets {
			schemas[t.Object] = t.Schema
			for _, a := range t.Associations {
				if a.RowSchema != nil {
					schemas[a.RowSchema.Name] = a.RowSchema
				}
			}
		}
	}
	return m.PermissionNeeds(schemas)
}

// PermissionObjects lists the Salesforce objects whose schemas say what a user
// may do: those of the mapping and their parents, each once.
func (m *Mapping) PermissionObjects() []string {
	var names fieldNames
	_, mapped := m.ObjectNames()
	for _, name := range mapped {
		names.add(name, parents[name], followed[name])
		if name == "Product2" || name == "OpportunityLineItem" {
			names.add(priceBooks)
		}
	}
	return names.list
}

// PermissionNeeds lists the Salesforce permissions that the mapping needs, each
// once: for the API, for objects, then for fields. It works from the file, so
// that it also names what the user of the schemas cannot see; schemas (by name,
// some may be missing) tell which fields Salesforce has no permission for, such
// as required and system fields: those are not listed. Parts of an address and
// of a name are one permission in Salesforce, that of the whole.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_fieldpermissions.htm
func (m *Mapping) PermissionNeeds(schemas map[string]*crm.Object) []Need {
	objects, fields := &needList{}, &needList{}
	objects.add(Need{Name: APIEnabled, Access: "system", Why: "every call to Salesforce needs it"})
	for i := range m.Objects {
		o := &m.Objects[i]
		for k := range o.Targets {
			t := &target{object: o, Target: &o.Targets[k], schemas: schemas, policies: m.Policies}
			t.objectNeeds(objects)
			t.fieldNeeds(fields)
		}
		for k := range o.Associations {
			if a := &o.Associations[k]; a.Rows != nil && hasOwnPermission(a.Rows.Object) {
				rowNeeds(o, a, schemas, objects, fields)
			}
		}
	}
	return append(objects.all, fields.all...)
}

// needList joins needs of the same name; one for editing a field covers the one
// for reading it.
type needList struct{ all []Need }

func (l *needList) add(n Need) {
	for i := range l.all {
		have := &l.all[i]
		same := have.Name == n.Name
		if !same && (have.Field == "" || have.Object != n.Object || have.Field != n.Field) {
			continue
		}
		if !same && n.Access == "edit" {
			have.Name, have.Access = n.Name, n.Access
		}
		if !strings.Contains(have.Why, n.Why) {
			have.Why += "; " + n.Why
		}
		have.Places = joined(have.Places, n.Places)
		have.Parts = joined(have.Parts, n.Parts)
		return
	}
	l.all = append(l.all, n)
}

func joined[T comparable](into, more []T) []T {
	for _, one := range more {
		if !slices.Contains(into, one) {
			into = append(into, one)
		}
	}
	return into
}

// target is one Salesforce object of one object of the mapping.
type target struct {
	*Target
	object   *Object
	schemas  map[string]*crm.Object
	policies []Policy
}

func (t *target) objectNeeds(list *needList) {
	add := func(object, access, why string, args ...any) {
		list.add(Need{Name: object + ": " + strings.ToUpper(access[:1]) + access[1:], Access: access, Object: object,
			Why: fmt.Sprintf(why, args...), Places: []Pos{t.Pos}})
	}
	o := t.object
	if t.Object == "OpportunityLineItem" {
		add(priceBooks, "read", "finds the price of a line item's product")
	}
	if holder := followed[t.Object]; holder != "" {
		add(holder, "read", "Salesforce shows %s to those who may read %s", t.Object, holder)
		if o.Create.In(crm.Salesforce) || t.edits() != "" || o.archives(crm.Salesforce) != "" {
			add(holder, "edit", "Salesforce lets those write %s who may edit %s", t.Object, holder)
		}
		return
	}
	if right := writingActivities[t.Object]; right != "" {
		if o.Create.In(crm.Salesforce) || t.edits() != "" || o.archives(crm.Salesforce) != "" {
			list.add(Need{Name: right, Access: "edit", Object: t.Object, Why: fmt.Sprintf("writes %s for %s", t.Object, o.Name), Places: []Pos{t.Pos}})
		}
		return
	}
	if parent := parents[t.Object]; parent != "" {
		add(parent, "read", "Salesforce shows %s only to users who may read %s", t.Object, parent)
	}
	add(t.Object, "read", "reads %s for %s", t.Object, o.Name)
	if o.Create.In(crm.Salesforce) {
		add(t.Object, "create", "creates %s for %s (create: %s)", t.Object, o.Name, o.Create)
	}
	if why := t.edits(); why != "" {
		add(t.Object, "edit", "updates %s for %s (%s)", t.Object, o.Name, why)
	}
	if writes := t.edits(); t.Object == "Campaign" && (writes != "" || o.Create.In(crm.Salesforce) || o.archives(crm.Salesforce) != "") {
		list.add(Need{Name: MarketingUser, Access: "user", Object: "User", Why: "Salesforce lets only users with this check box write campaigns and their members", Places: []Pos{t.Pos}})
	}
	if why := o.archives(crm.Salesforce); why != "" {
		add(t.Object, "edit", "Salesforce lets only those delete who may edit")
		add(t.Object, "delete", "deletes %s for %s (%s)", t.Object, o.Name, why)
	}
}

// rowNeeds lists what rows that join two records need: objects that follow a
// parent's permission (OpportunityContactRole) need none of their own.
func rowNeeds(o *Object, a *Association, schemas map[string]*crm.Object, objects, fields *needList) {
	t := &target{object: o, Target: &Target{Object: a.Rows.Object, Pos: a.Rows.Pos}, schemas: schemas}
	accesses, fieldAccess := []string{"read"}, "read"
	if a.Direction.Flows(crm.Salesforce) {
		accesses, fieldAccess = append(accesses, "create", "edit", "delete"), "edit"
	}
	for _, access := range accesses {
		objects.add(Need{Name: a.Rows.Object + ": " + strings.ToUpper(access[:1]) + access[1:], Access: access, Object: a.Rows.Object, Places: []Pos{a.Rows.Pos},
			Why: fmt.Sprintf("%s keeps its HubSpot %s in it", o.Name, a.HubSpot)})
	}
	for _, f := range []struct {
		name string
		pos  Pos
	}{{a.Rows.Near, a.Rows.NearPos}, {a.Rows.Far, a.Rows.FarPos}, {a.Rows.Label, a.Rows.LabelPos}, {a.Rows.Primary, a.Rows.PrimaryPos}} {
		if f.name != "" {
			t.fieldNeed(fields, f.name, fieldAccess, f.pos, "%s keeps its HubSpot %s in %s", o.Name, a.HubSpot, a.Rows.Object)
		}
	}
}

// edits says what is written to records that exist; empty when nothing is.
func (t *target) edits() string {
	o, reasons := t.object, []string{}
	n := 0
	for i := range o.Fields {
		if f := &o.Fields[i]; f.Direction.Flows(crm.Salesforce) && takes(f.On, t.Object) {
			n++
		}
	}
	if n > 0 {
		reasons = append(reasons, plural(n, "field"))
	}
	for i := range o.Associations {
		if a := &o.Associations[i]; a.Direction.Flows(crm.Salesforce) && (t.takesAssociation(a) || t.hasRows(a)) {
			reasons = append(reasons, a.Salesforce)
		}
	}
	if o.ExternalID != "" {
		reasons = append(reasons, o.ExternalID)
	}
	if o.OwnerByEmail {
		reasons = append(reasons, "owner")
	}
	return strings.Join(reasons, ", ")
}

func (t *target) fieldNeeds(list *needList) {
	o := t.object
	read := func(name string, pos Pos, why string, args ...any) {
		t.fieldNeed(list, name, "read", pos, why, args...)
	}
	edit := func(name string, pos Pos, why string, args ...any) {
		t.fieldNeed(list, name, "edit", pos, why, args...)
	}
	for i := range o.Fields {
		f := &o.Fields[i]
		if !takes(f.On, t.Object) {
			continue
		}
		if t.Object == "Product2" && f.Salesforce == StandardPrice {
			t.priceNeeds(list, f)
			continue
		}
		if f.Salesforce != "" {
			why, source := "keeps it in step with HubSpot "+f.HubSpot, read
			if f.HubSpot == "" {
				why = "computes it"
			}
			if f.Direction.Flows(crm.Salesforce) {
				source = edit
			}
			source(f.Salesforce, f.SalesforcePos, "%s %s (%s)", o.Name, why, f.Direction)
		}
		for _, used := range salesforceFields(f.From, f.FromPos) {
			read(used.name, used.Pos, "%s computes HubSpot %s from it", o.Name, f.HubSpot)
		}
	}
	for i := range o.Match {
		if m := &o.Match[i]; t.has(m.Salesforce) || knownField(t.Object, m.Salesforce) || !t.anyHas(m.Salesforce) {
			read(m.Salesforce, m.SalesforcePos, "%s finds existing records by it", o.Name)
		}
	}
	if o.ExternalID != "" {
		edit(o.ExternalID, o.ExternalIDPos, "%s keeps the HubSpot id in it", o.Name)
	}
	for _, used := range salesforceFields(o.Where.Salesforce, o.Where.SalesforcePos) {
		read(used.name, used.Pos, "%s filters by it", o.Name)
	}
	for i := range t.policies {
		p := &t.policies[i]
		if !p.about(o) || !takes(p.On, t.Object) {
			continue
		}
		records := []string{string(crm.Salesforce)}
		if p.Side == crm.Salesforce {
			records = append(records, "before", "after")
		}
		for _, used := range fieldsOf(p.Deny, p.DenyPos, records...) {
			read(used.name, used.Pos, "the policy %s reads it", quoteShort(p.Name))
		}
	}
	for i := range o.Associations {
		a := &o.Associations[i]
		switch {
		case !t.takesAssociation(a):
		case a.Direction.Flows(crm.Salesforce):
			edit(a.Salesforce, a.SalesforcePos, "%s keeps its HubSpot %s in it", o.Name, a.HubSpot)
		default:
			read(a.Salesforce, a.SalesforcePos, "%s takes its HubSpot %s from it", o.Name, a.HubSpot)
		}
	}
}

// priceNeeds are those of the standard price, which is a record of its own.
func (t *target) priceNeeds(list *needList, f *Field) {
	need := func(access, why string) {
		list.add(Need{Name: priceBooks + ": " + strings.ToUpper(access[:1]) + access[1:], Access: access, Object: priceBooks, Why: why, Places: []Pos{f.SalesforcePos}})
	}
	need("read", "reads the standard price of products")
	if f.Direction.Flows(crm.Salesforce) {
		need("edit", "writes the standard price of products")
	}
}

// fieldNeed adds the need of one field, unless Salesforce has no permission for it.
func (t *target) fieldNeed(list *needList, name, access string, pos Pos, why string, args ...any) {
	governs, ok := t.permission(name)
	if !ok {
		return
	}
	reason := fmt.Sprintf(why, args...)
	if governs != name {
		reason = name + ": " + reason
	}
	list.add(Need{Name: t.Object + "." + governs + ": " + strings.ToUpper(access[:1]) + access[1:], Access: access, Object: t.Object, Field: governs,
		Parts: []string{name}, Why: reason, Places: []Pos{pos}})
}

// permission names the field whose permission governs a field; false when none
// does. A field that a user cannot see has one, or it would be seen.
func (t *target) permission(name string) (string, bool) {
	f := t.schemas[t.Object].Field(name)
	switch {
	case f != nil && !f.Permissionable, name == "Id", name == SalesforceOwner:
		return "", false
	case f != nil && f.Compound == "Name":
		return "", false // a part of the name, which everybody sees who sees the record
	case f != nil && f.Compound != "":
		return f.Compound, true
	case f == nil:
		return addressOf(t.Object, name), true
	}
	return name, true
}

// addressOf names the address that a field of a standard object is a part of,
// and any other field by itself.
func addressOf(object, field string) string {
	for _, part := range []string{"Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode", "Latitude", "Longitude", "GeocodeAccuracy"} {
		prefix, ok := strings.CutSuffix(field, part)
		if !ok {
			continue
		}
		switch {
		case prefix == "" && object == "Lead", object == "Account" && (prefix == "Billing" || prefix == "Shipping"), object == "Contact" && (prefix == "Mailing" || prefix == "Other"):
			return prefix + "Address"
		}
	}
	return field
}

// hasRows tells whether an association is kept as rows that Salesforce counts to
// this target.
func (t *target) hasRows(a *Association) bool {
	near, _ := joinsOf(a.Salesforce)
	return a.Rows != nil && near == t.Object
}

func (t *target) has(field string) bool { return t.schemas[t.Object].Field(field) != nil }

// anyHas tells whether any target of the object shows the field.
func (t *target) anyHas(field string) bool {
	return slices.ContainsFunc(t.object.Targets, func(other Target) bool { return t.schemas[other.Object].Field(field) != nil })
}

// takesAssociation tells whether a reference is one of this target's: it is
// where it is seen, and else where it usually is.
func (t *target) takesAssociation(a *Association) bool {
	switch {
	case a.Rows != nil || !takes(a.On, t.Object):
		return false
	case t.has(a.Salesforce) || len(a.On) > 0:
		return true
	case knownField(t.Object, a.Salesforce):
		return true
	}
	return !t.anyHas(a.Salesforce) && !slices.ContainsFunc(t.object.Targets, func(other Target) bool { return knownField(other.Object, a.Salesforce) })
}

// knownField tells whether a standard object is known to have a field.
func knownField(object, field string) bool {
	if field == "AccountId" {
		return parents[object] == "Account"
	}
	for _, p := range presets() {
		if slices.Contains(p.targets, object) && slices.ContainsFunc(p.ends, func(e presetEnd) bool { return e.salesforce == field && takes(e.on, object) }) {
			return true
		}
	}
	return slices.ContainsFunc(standardPairs(), func(p standardPair) bool { return p.salesforceObject == object && p.salesforce == field })
}

// usedField is a field where an expression reads it.
type usedField struct {
	name string
	Pos
}

// salesforceFields lists where an expression that stands at pos reads which
// Salesforce field, whether that is there or not; nothing when the expression
// cannot be read.
func salesforceFields(source string, pos Pos) []usedField {
	return fieldsOf(source, pos, string(crm.Salesforce))
}

// fieldsOf is salesforceFields for records of any name.
func fieldsOf(source string, pos Pos, records ...string) []usedField {
	if source == "" {
		return nil
	}
	tree, err := parser.Parse(source)
	if err != nil {
		return nil
	}
	members := &recordMembers{source: source, at: pos, records: records}
	ast.Walk(&tree.Node, members)
	return members.found
}

// recordMembers collects the fields after the names of records: "salesforce.".
type recordMembers struct {
	source  string
	at      Pos
	records []string
	found   []usedField
}

// Visit is ast.Visitor's.
func (m *recordMembers) Visit(node *ast.Node) {
	member, ok := (*node).(*ast.MemberNode)
	if !ok {
		return
	}
	base, isName := member.Node.(*ast.IdentifierNode)
	property, isText := member.Property.(*ast.StringNode)
	if isName && isText && slices.Contains(m.records, base.Value) {
		line, column := place(m.source, member.Location().From)
		m.found = append(m.found, usedField{name: property.Value, Pos: Pos{Line: m.at.Line + line, Column: m.at.Column + column}})
	}
}
