package mapping

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// rows binds an association whose rows are records of their own; it returns 1
// when they join this target with one of the far object's.
func (b *binder) rows(t *BoundTarget, a *Association, far *Object, ends []End, slot int) int {
	bound := BoundAssociation{Association: a, Slot: slot, Mapping: far.Name, Ends: ends[:1], Junction: true}
	if a.Rows.Ends != nil {
		near, _ := joinsOf(a.Salesforce)
		return b.standardRows(t, bound, far, near)
	}
	bound.RowSchema = b.schema(crm.Salesforce, a.Rows.Object, a.Rows.Pos)
	if bound.RowSchema == nil {
		return 0
	}
	near := b.rowReference(&bound, a.Rows.Near, a.Rows.NearPos)
	farther := b.rowReference(&bound, a.Rows.Far, a.Rows.FarPos)
	if near == nil || farther == nil || !slices.Contains(near.ReferenceTo, t.Object) {
		return 0
	}
	for _, object := range farther.ReferenceTo {
		if far.target(object) != nil {
			bound.ReferenceTo, bound.RowEnds = []string{object}, []crm.JunctionEnd{{Field: a.Rows.Far, Object: object}}
			break
		}
	}
	if bound.ReferenceTo == nil {
		return 0
	}
	b.rowLabels(&bound)
	b.rowAccess(&bound)
	t.Associations = append(t.Associations, bound)
	return 1
}

// standardRows binds rows of Salesforce's own, whose fields are known.
func (b *binder) standardRows(t *BoundTarget, bound BoundAssociation, far *Object, near string) int {
	if t.Object != near {
		return 0
	}
	for _, end := range bound.Rows.Ends {
		if far.target(end.Object) != nil {
			bound.ReferenceTo, bound.RowEnds = append(bound.ReferenceTo, end.Object), append(bound.RowEnds, end)
		}
	}
	if len(bound.RowEnds) == 0 {
		return 0
	}
	t.Associations = append(t.Associations, bound)
	return 1
}

// knownLabels reports labels that HubSpot does not have.
func (b *binder) knownLabels(o *BoundObject, a *Association) {
	labels, known := b.schemas.Labels[[2]string{o.HubSpot, a.HubSpot}]
	if !known {
		return
	}
	for _, v := range a.Labels {
		if slices.Contains(labels, v.HubSpot) {
			continue
		}
		mend := didYouMean(v.HubSpot, labels)
		if mend == "" {
			mend = "make it in HubSpot under Settings > Objects > " + o.HubSpotSchema.LabelPlural + " > Associations"
		}
		b.problems.errorf(v.Pos, "association.unknown-label", mend, "HubSpot has no label %s for associations of %s with %s", quoteShort(v.HubSpot), o.HubSpot, a.HubSpot)
	}
}

// rowReference finds one of the two references of a junction.
func (b *binder) rowReference(a *BoundAssociation, name string, pos Pos) *crm.Field {
	f := a.RowSchema.Field(name)
	switch {
	case f == nil:
		b.unknownField(pos, crm.Salesforce, a.RowSchema, name)
		return nil
	case f.Kind != crm.KindReference:
		b.problems.errorf(pos, "association.not-a-reference", "name a lookup or master-detail field", "%s.%s is %s, not a reference to another record", a.RowSchema.Name, f.Name, describe(f))
		return nil
	case a.Direction.Flows(crm.Salesforce) && !f.Creatable:
		b.problems.errorf(pos, "field.read-only", "let the credential edit the field, or write direction: to-hubspot", "Salesforce %s.%s may not be written with this credential", a.RowSchema.Name, f.Name)
	}
	return f
}

// rowLabels checks the fields for label and primary, and the values of the table.
func (b *binder) rowLabels(a *BoundAssociation) {
	if name := a.Rows.Primary; name != "" {
		switch f := a.RowSchema.Field(name); {
		case f == nil:
			b.unknownField(a.Rows.PrimaryPos, crm.Salesforce, a.RowSchema, name)
		case f.Kind != crm.KindBool:
			b.problems.errorf(a.Rows.PrimaryPos, "association.not-a-checkbox", "name a checkbox", "%s.%s is %s", a.RowSchema.Name, f.Name, describe(f))
		}
	}
	if a.Rows.Label == "" {
		return
	}
	f := a.RowSchema.Field(a.Rows.Label)
	if f == nil {
		b.unknownField(a.Rows.LabelPos, crm.Salesforce, a.RowSchema, a.Rows.Label)
		return
	}
	if family := familyOf(f.Kind); family != familyText && family != familyPick {
		b.problems.errorf(a.Rows.LabelPos, "association.label-kind", "name a text field or a picklist", "%s.%s is %s and cannot hold a label", a.RowSchema.Name, f.Name, describe(f))
		return
	}
	if f.Kind != crm.KindPicklist || !f.Restricted {
		return
	}
	check := func(value string, pos Pos) {
		if value == "" || slices.ContainsFunc(f.Options, func(o crm.Option) bool { return o.Value == value }) {
			return
		}
		var values []string
		for _, o := range f.Options {
			values = append(values, o.Value)
		}
		mend := didYouMean(value, values)
		if mend == "" {
			mend = "its values are " + strings.Join(values, ", ")
		}
		b.problems.errorf(pos, "value.unknown", mend, "Salesforce %s.%s does not take %s", a.RowSchema.Name, f.Name, quoteShort(value))
	}
	for _, v := range a.Labels {
		check(v.Salesforce, v.Pos)
	}
	check(a.Role, a.Pos)
}

// rowAccess reports rows that may not be written as the mapping wants.
func (b *binder) rowAccess(a *BoundAssociation) {
	if !a.Direction.Flows(crm.Salesforce) {
		return
	}
	for _, right := range []struct {
		name string
		has  bool
	}{{"Create", a.RowSchema.Creatable}, {"Delete", a.RowSchema.Deletable}} {
		if !right.has {
			b.problems.errorf(a.Rows.Pos, "object.not-creatable", "grant "+right.name+" on "+a.RowSchema.Name+" to the integration user, or write direction: to-hubspot",
				"the credential may not %s Salesforce %s", strings.ToLower(right.name), a.RowSchema.Name)
		}
	}
}
