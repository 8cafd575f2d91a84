package mapping

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// association binds one association to every target that it is for.
func (b *binder) association(o *BoundObject, a *Association, slot int) {
	var ends []End
	var far []*Object
	for _, name := range a.FarObjects() {
		o := b.far(name)
		if o == nil {
			b.unmappedFar(a, name)
			return
		}
		far, ends = append(far, o), append(ends, End{HubSpot: name, Mapping: o.Name})
	}
	if a.By != "" && !b.by(o, a) || !b.ofLists(o, a) {
		return
	}
	b.knownLabels(o, a)
	bound, before := 0, len(b.problems.All)
	for _, t := range o.Targets {
		if !takes(a.On, t.Object) {
			continue
		}
		if a.Rows != nil {
			bound += b.rows(t, a, far[0], ends, slot)
			continue
		}
		bound += b.reference(t, a, far, ends, slot)
	}
	if bound > 0 || len(b.problems.All) > before {
		return
	}
	if a.Rows != nil {
		near, end := joinsOf(a.Salesforce)
		joins, mend := near+" and "+end, "use it in the object that maps to "+near+", leading to the one that maps to "+end
		if near == "" {
			joins, mend = "other objects", "look at what "+a.Rows.Near+" and "+a.Rows.Far+" refer to"
		}
		b.problems.errorf(a.SalesforcePos, "association.no-role", mend, "%s joins %s, and %s with %s are not those", a.Salesforce, joins, o.Name, far[0].Name)
		return
	}
	for _, t := range o.Targets {
		if takes(a.On, t.Object) && t.Schema.Field(a.Salesforce) == nil {
			b.unknownField(a.SalesforcePos, crm.Salesforce, t.Schema, a.Salesforce)
			return
		}
	}
}

func (b *binder) unmappedFar(a *Association, name string) {
	var mapped []string
	for i := range b.mapping.Objects {
		mapped = append(mapped, b.mapping.Objects[i].HubSpot)
	}
	mend := didYouMean(name, mapped)
	if mend == "" {
		mend = "map HubSpot " + name + " as an object, or take the association out"
	}
	b.problems.errorf(a.HubSpotPos, "association.unmapped-object", mend, "the association leads to HubSpot %s, which no object maps", name)
}

// by checks the property that holds the id of the far record.
func (b *binder) by(o *BoundObject, a *Association) bool {
	f := o.HubSpotSchema.Field(a.By)
	switch {
	case f == nil:
		b.unknownField(a.ByPos, crm.HubSpot, o.HubSpotSchema, a.By)
	case len(a.Also) > 0 || a.Rows != nil:
		b.problems.errorf(a.ByPos, "association.by", "name one HubSpot object and a reference field", "`by` holds the id of one record of one object")
	case a.Direction.Flows(crm.HubSpot) && !f.Creatable && !f.Updatable:
		b.problems.errorf(a.ByPos, "field.read-only", "add direction: to-salesforce", "HubSpot %s.%s may not be written with this credential", o.HubSpot, a.By)
	default:
		return true
	}
	return false
}

func (b *binder) far(hubspot string) *Object {
	for i := range b.mapping.Objects {
		if b.mapping.Objects[i].HubSpot == hubspot {
			return &b.mapping.Objects[i]
		}
	}
	return nil
}

// reference returns 1 when the target has the field, whether or not it fits.
func (b *binder) reference(t *BoundTarget, a *Association, far []*Object, ends []End, slot int) int {
	f := t.Schema.Field(a.Salesforce)
	if f == nil {
		return 0
	}
	// Each far object must become something that the reference may point to.
	var misfit *Object
	for _, o := range far {
		if !slices.ContainsFunc(f.ReferenceTo, func(name string) bool { return o.target(name) != nil }) {
			misfit = o
		}
	}
	switch {
	case f.Kind != crm.KindReference:
		b.problems.errorf(a.SalesforcePos, "association.not-a-reference", "name a lookup field", "%s.%s is %s, not a reference to another record", t.Object, f.Name, describe(f))
	case misfit != nil:
		b.problems.errorf(a.SalesforcePos, "association.wrong-object", "name a lookup field to "+strings.Join(misfit.targetNames(), " or "), "%s.%s points to %s, and %s becomes %s", t.Object, f.Name, strings.Join(f.ReferenceTo, ", "), misfit.Name, strings.Join(misfit.targetNames(), " or "))
	case a.Direction.Flows(crm.Salesforce) && !f.Creatable && !f.Updatable:
		b.problems.errorf(a.SalesforcePos, "field.read-only", "let the credential edit the field", "Salesforce %s.%s may not be written with this credential", t.Object, f.Name)
	default:
		t.Associations = append(t.Associations, BoundAssociation{Association: a, Slot: slot, Mapping: ends[0].Mapping, Ends: ends, ReferenceTo: f.ReferenceTo})
	}
	return 1
}
