package mapping

import (
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// association binds one association to every target that it is for.
func (b *binder) association(o *BoundObject, a *Association, slot int) {
	far := b.far(a)
	if far == nil {
		var mapped []string
		for i := range b.mapping.Objects {
			mapped = append(mapped, b.mapping.Objects[i].HubSpot)
		}
		mend := didYouMean(a.HubSpot, mapped)
		if mend == "" {
			mend = "map HubSpot " + a.HubSpot + " as an object, or take the association out"
		}
		b.problems.errorf(a.HubSpotPos, "association.unmapped-object", mend, "the association leads to HubSpot %s, which no object maps", a.HubSpot)
		return
	}
	b.knownLabels(o, a)
	bound, before := 0, len(b.problems.All)
	for _, t := range o.Targets {
		if !takes(a.On, t.Object) {
			continue
		}
		if a.Rows != nil {
			bound += b.rows(t, a, far, slot)
			continue
		}
		bound += b.reference(t, a, far, slot)
	}
	if bound > 0 || len(b.problems.All) > before {
		return
	}
	if a.Rows != nil {
		joins, mend := "Opportunity and Contact", "use it in the object that maps to Opportunity, leading to the one that maps to Contact"
		if a.Salesforce != ContactRole {
			joins, mend = "other objects", "look at what "+a.Rows.Near+" and "+a.Rows.Far+" refer to"
		}
		b.problems.errorf(a.SalesforcePos, "association.no-role", mend, "%s joins %s, and %s with %s are not those", a.Salesforce, joins, o.Name, far.Name)
		return
	}
	for _, t := range o.Targets {
		if takes(a.On, t.Object) && t.Schema.Field(a.Salesforce) == nil {
			b.unknownField(a.SalesforcePos, crm.Salesforce, t.Schema, a.Salesforce)
			return
		}
	}
}

func (b *binder) far(a *Association) *Object {
	for i := range b.mapping.Objects {
		if b.mapping.Objects[i].HubSpot == a.HubSpot {
			return &b.mapping.Objects[i]
		}
	}
	return nil
}

// reference returns 1 when the target has the field, whether or not it fits.
func (b *binder) reference(t *BoundTarget, a *Association, far *Object, slot int) int {
	f := t.Schema.Field(a.Salesforce)
	if f == nil {
		return 0
	}
	fits := false
	for _, name := range f.ReferenceTo {
		fits = fits || far.target(name) != nil
	}
	switch {
	case f.Kind != crm.KindReference:
		b.problems.errorf(a.SalesforcePos, "association.not-a-reference", "name a lookup field", "%s.%s is %s, not a reference to another record", t.Object, f.Name, describe(f))
	case !fits:
		b.problems.errorf(a.SalesforcePos, "association.wrong-object", "name a lookup field to "+strings.Join(far.targetNames(), " or "), "%s.%s points to %s, and %s becomes %s", t.Object, f.Name, strings.Join(f.ReferenceTo, ", "), far.Name, strings.Join(far.targetNames(), " or "))
	case a.Direction.Flows(crm.Salesforce) && !f.Creatable && !f.Updatable:
		b.problems.errorf(a.SalesforcePos, "field.read-only", "let the credential edit the field", "Salesforce %s.%s may not be written with this credential", t.Object, f.Name)
	default:
		t.Associations = append(t.Associations, BoundAssociation{Association: a, Slot: slot, Mapping: far.Name, ReferenceTo: f.ReferenceTo})
	}
	return 1
}
