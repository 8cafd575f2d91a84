package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// field binds one field to every target that it is for.
func (b *binder) field(o *BoundObject, f *Field, slot int) {
	var hubspot *crm.Field
	if f.HubSpot != "" {
		if hubspot = o.HubSpotSchema.Field(f.HubSpot); hubspot == nil {
			b.unknownField(f.HubSpotPos, crm.HubSpot, o.HubSpotSchema, f.HubSpot)
			return
		}
	}
	var lacking, having []string
	for _, t := range o.Targets {
		if !takes(f.On, t.Object) {
			continue
		}
		var salesforce *crm.Field
		if f.Salesforce != "" {
			if salesforce = t.Schema.Field(f.Salesforce); salesforce == nil {
				lacking = append(lacking, t.Object)
				continue
			}
			having = append(having, t.Object)
		}
		b.pair(o, t, BoundField{Field: f, Slot: slot, HubSpotField: hubspot, SalesforceField: salesforce})
	}
	switch {
	case len(lacking) > 0 && len(having) > 0:
		b.problems.errorf(f.SalesforcePos, "field.unknown", "add on: ["+strings.Join(having, ", ")+"]", "Salesforce %s has no field %s", strings.Join(lacking, " and "), f.Salesforce)
	case len(lacking) > 0:
		for _, name := range lacking[:1] {
			b.unknownField(f.SalesforcePos, crm.Salesforce, o.Target(name).Schema, f.Salesforce)
		}
	}
}

// unknownField reports a field that is not there, with the nearest right name.
func (b *binder) unknownField(pos Pos, side crm.Side, o *crm.Object, name string) {
	b.problems.errorf(pos, "field.unknown", didYouMeanField(name, o), "%s %s has no field %s, or the credential may not see it", side.Title(), o.Name, name)
}

// didYouMeanField finds a field by API name or by label.
func didYouMeanField(name string, o *crm.Object) string {
	var names []string
	for i := range o.Fields {
		f := &o.Fields[i]
		names = append(names, f.Name)
	}
	for i := range o.Fields {
		if f := &o.Fields[i]; strings.EqualFold(f.Name, name) {
			return "did you mean " + f.Name + "?"
		}
	}
	for i := range o.Fields {
		if f := &o.Fields[i]; strings.EqualFold(f.Label, name) {
			return "did you mean " + f.Name + " (" + f.Label + ")?"
		}
	}
	if n := nearest(name, names); n != "" {
		return "did you mean " + n + "?"
	}
	labels, byLabel := []string{}, map[string]string{}
	for i := range o.Fields {
		f := &o.Fields[i]
		labels = append(labels, f.Label)
		if _, taken := byLabel[f.Label]; !taken {
			byLabel[f.Label] = f.Name
		}
	}
	if l := nearest(name, labels); l != "" {
		return "did you mean " + byLabel[l] + " (" + l + ")?"
	}
	return "look the name up in the settings of " + o.Side.Title()
}

func (b *binder) pair(o *BoundObject, t *BoundTarget, f BoundField) {
	if f.From != "" {
		f.Program = b.compile(f.From, f.FromPos, resultValue, o.HubSpotSchema, t.Schema)
		if f.Program != nil && (slices.Contains(f.Program.HubSpotFields, f.HubSpot) || slices.Contains(f.Program.SalesforceFields, f.Salesforce)) {
			b.problems.errorf(f.FromPos, "expression", "read other fields", "the expression reads the field that it is written to, so its value would never come to rest")
		}
	}
	if f.Direction.Flows(crm.Salesforce) && f.SalesforceField != nil {
		b.writable(f.Field, f.SalesforcePos, crm.Salesforce, t.Schema, f.SalesforceField)
	}
	if f.Direction.Flows(crm.HubSpot) && f.HubSpotField != nil {
		b.writable(f.Field, f.HubSpotPos, crm.HubSpot, o.HubSpotSchema, f.HubSpotField)
	}
	if f.Direction.Flows(crm.Salesforce) && f.SalesforceField != nil {
		b.derived(o, t, &f)
	}
	if f.From == "" {
		b.types(&f)
		b.stages(o, &f)
		b.values(o, t, &f)
	}
	t.Fields = append(t.Fields, f)
}

// derived marks a field that Salesforce computes at times, and says so where
// the mapping brings that about.
func (b *binder) derived(o *BoundObject, t *BoundTarget, f *BoundField) {
	f.DerivedWhile = derivedWhile(t.Schema, f.SalesforceField.Name)
	if f.DerivedWhile == "" || !slices.ContainsFunc(b.mapping.Objects, func(other Object) bool { return other.target("OpportunityLineItem") != nil }) {
		return
	}
	b.problems.warnf(f.SalesforcePos, "field.derived", "add direction: to-hubspot, if it shall never be written",
		"Salesforce computes %s.%s where there are line items; there, what HubSpot says of it is left alone", t.Object, f.SalesforceField.Name)
}

// writable reports a field that cannot be written in the direction it has.
func (b *binder) writable(f *Field, pos Pos, side crm.Side, o *crm.Object, field *crm.Field) {
	mend := "take the line out"
	if f.Direction == Both {
		mend = "add direction: to-" + string(side.Other())
	}
	switch {
	case field.Calculated:
		b.problems.errorf(pos, "field.calculated", mend, "%s %s.%s is calculated by %s and cannot be written", side.Title(), o.Name, field.Name, side.Title())
	case !field.Updatable && !field.Creatable:
		b.problems.errorf(pos, "field.read-only", mend+", or let the credential edit the field", "%s %s.%s may not be written with this credential", side.Title(), o.Name, field.Name)
	case !field.Updatable:
		b.problems.warnf(pos, "field.create-only", "", "%s %s.%s can be set when a record is created, and not changed later", side.Title(), o.Name, field.Name)
	}
}

// types reports a pair of kinds that cannot be converted.
func (b *binder) types(f *BoundField) {
	h, s := f.HubSpotField, f.SalesforceField
	bad := func(from, to *crm.Field, fromSide crm.Side, mend string) {
		b.problems.errorf(f.Pos, "field.types", mend, "%s %s (%s) cannot become %s %s (%s)", fromSide.Title(), from.Name, describe(from), fromSide.Other().Title(), to.Name, describe(to))
	}
	switch {
	case h.Kind == crm.KindOther:
		b.unfit(f.HubSpotPos, crm.HubSpot, h)
	case s.Kind == crm.KindOther:
		b.unfit(f.SalesforcePos, crm.Salesforce, s)
	case h.Kind == crm.KindOwner || s.Kind == crm.KindOwner || h.Name == HubSpotOwner || s.Name == SalesforceOwner:
		b.problems.errorf(f.Pos, "field.owner", "take the line out and write owner: by-email in the object", "owners are not the same ids on both sides")
	case h.Kind == crm.KindReference || s.Kind == crm.KindReference:
		b.problems.errorf(f.Pos, "field.reference", "use associations: [{hubspot: …, salesforce: "+s.Name+"}]", "%s and %s point at records, whose ids differ on the two sides", h.Name, s.Name)
	case f.Direction.Flows(crm.Salesforce) && !converts(h.Kind, s.Kind):
		bad(h, s, crm.HubSpot, "choose a field of a fitting type, or compute the value with `from`")
	case f.Direction.Flows(crm.HubSpot) && !converts(s.Kind, h.Kind):
		mend := "choose a property of a fitting type"
		if f.Direction == Both {
			mend = "add direction: to-salesforce"
		}
		bad(s, h, crm.Salesforce, mend)
	}
	numbers := familyOf(h.Kind) == familyNumber && familyOf(s.Kind) == familyNumber
	if numbers && !f.ShiftGiven && (h.Kind == crm.KindPercent || s.Kind == crm.KindPercent) {
		b.problems.warnf(f.Pos, "field.percent", "look at one record on both sides: where they differ by 100, add times: 100; where not, add times: 1",
			"Salesforce stores 75 for 75 %%, HubSpot may store 0.75; %s and %s are copied as they are", h.Name, s.Name)
	}
	if f.Shift != 0 && !numbers {
		b.problems.errorf(f.ShiftPos, "field.times", "take `times` out", "`times` is for two numbers, and %s is %s, %s is %s", h.Name, describe(h), s.Name, describe(s))
	}
}

// unfit reports a field of a type that cannot be kept in step.
func (b *binder) unfit(pos Pos, side crm.Side, f *crm.Field) {
	why := f.Unfit
	if why == "" {
		why = "its type " + f.Type + " is not known"
	}
	why, mend, ok := strings.Cut(why, "; ")
	if !ok {
		mend = "take the line out"
	}
	b.problems.errorf(pos, "field.unfit", mend, "%s %s cannot be kept in step: %s", side.Title(), f.Name, why)
}

// stages gives a stage property its pipelines.
func (b *binder) stages(o *BoundObject, f *BoundField) {
	if f.HubSpotField.Name == "" || f.HubSpotField.Name != stageProperty(o.HubSpotSchema) {
		return
	}
	f.StagePipeline = map[string]string{}
	for _, p := range o.HubSpotSchema.Pipelines {
		for _, s := range p.Stages {
			f.StagePipeline[s.ID] = p.ID
		}
	}
}

// values reports picklist values that the other side lacks, and value tables
// that name what does not exist.
func (b *binder) values(o *BoundObject, t *BoundTarget, f *BoundField) {
	hubspot, salesforce := options(o.HubSpotSchema, f.HubSpotField), options(t.Schema, f.SalesforceField)
	if len(f.HubSpotField.Options) == 0 && len(hubspot) > 0 {
		withOptions := *f.HubSpotField
		withOptions.Options = hubspot
		f.HubSpotField = &withOptions
	}
	for _, v := range f.Values {
		if len(hubspot) > 0 && findOption(hubspot, v.HubSpot) == nil {
			b.problems.errorf(v.Pos, "picklist.unknown-value", didYouMeanOption(v.HubSpot, hubspot), "HubSpot %s has no value %s", f.HubSpot, quoteShort(v.HubSpot))
		}
		if len(salesforce) > 0 && !knownOptions(f.SalesforceField, salesforce, v.Salesforce) {
			b.problems.errorf(v.Pos, "picklist.unknown-value", didYouMeanOption(v.Salesforce, salesforce), "Salesforce %s.%s has no value %s", t.Object, f.Salesforce, quoteShort(v.Salesforce))
		}
	}
	if f.Unmapped == "use" {
		b.useValue(t, f, hubspot, salesforce)
	}
	if f.Unmapped == "hold" {
		b.uncovered(t, f, crm.Salesforce, hubspot, salesforce)
		b.uncovered(t, f, crm.HubSpot, salesforce, hubspot)
	}
}

// knownOptions takes "a;b" apart for fields that hold several values.
func knownOptions(f *crm.Field, all []crm.Option, text string) bool {
	parts := []string{text}
	if f.Kind == crm.KindMultiPicklist {
		parts = strings.Split(text, ";")
	}
	for _, p := range parts {
		if findOption(all, strings.TrimSpace(p)) == nil {
			return false
		}
	}
	return true
}

// useValue checks the value of `unmapped: {use: …}`; it is as the receiving
// side stores it, so it must be known wherever the field may be written to.
func (b *binder) useValue(t *BoundTarget, f *BoundField, hubspot, salesforce []crm.Option) {
	if f.Direction.Flows(crm.Salesforce) && len(salesforce) > 0 && findOption(salesforce, f.UnmappedValue) == nil {
		b.problems.errorf(f.Pos, "picklist.unknown-value", didYouMeanOption(f.UnmappedValue, salesforce), "Salesforce %s.%s has no value %s to use", t.Object, f.Salesforce, quoteShort(f.UnmappedValue))
	}
	if f.Direction == ToHubSpot && len(hubspot) > 0 && findOption(hubspot, f.UnmappedValue) == nil {
		b.problems.errorf(f.Pos, "picklist.unknown-value", didYouMeanOption(f.UnmappedValue, hubspot), "HubSpot %s has no value %s to use", f.HubSpot, quoteShort(f.UnmappedValue))
	}
}

const maxListedValues = 12

// uncovered warns of values that would be held on their way to side.
func (b *binder) uncovered(t *BoundTarget, f *BoundField, to crm.Side, from, into []crm.Option) {
	if !f.Direction.Flows(to) || len(from) == 0 || len(into) == 0 {
		return
	}
	var lines, names []string
	for _, o := range from {
		if !o.Active || f.covered(to, o, into) {
			continue
		}
		names = append(names, o.Value)
		line := fmt.Sprintf("  %s: …", yamlScalar(o.Value))
		if to == crm.HubSpot {
			line = fmt.Sprintf("  …: %s", yamlScalar(o.Value))
		}
		lines = append(lines, line)
	}
	if len(names) == 0 {
		return
	}
	shown, more := names, ""
	if len(names) > maxListedValues {
		shown, more = names[:maxListedValues], fmt.Sprintf(" and %d more", len(names)-maxListedValues)
		lines = append(lines[:maxListedValues], "  # … and so on")
	}
	mend := "add to the field, or write unmapped: skip\nvalues:\n" + strings.Join(lines, "\n")
	b.problems.warnf(f.Pos, "picklist.uncovered", mend, "%d of %d values of %s %s have no counterpart in %s %s, and records with them will be held: %s%s",
		len(names), len(from), to.Other().Title(), f.nameOn(to.Other(), t), to.Title(), f.nameOn(to, t), strings.Join(shown, ", "), more)
}

func (f *BoundField) nameOn(side crm.Side, t *BoundTarget) string {
	if side == crm.HubSpot {
		return f.HubSpot
	}
	return t.Object + "." + f.Salesforce
}

// covered tells whether option o has a counterpart on side to.
func (f *BoundField) covered(to crm.Side, o crm.Option, into []crm.Option) bool {
	for _, v := range f.Values {
		if to == crm.Salesforce && v.HubSpot == o.Value || to == crm.HubSpot && strings.EqualFold(v.Salesforce, o.Value) {
			return true
		}
	}
	return SameOption(o, into) != nil
}

// SameOption finds the option that means the same as o on the other side: the
// same value, else the same value or label but for case. Nil when there is none.
func SameOption(o crm.Option, into []crm.Option) *crm.Option {
	for i := range into {
		if into[i].Value == o.Value {
			return &into[i]
		}
	}
	for _, same := range []func(a, b crm.Option) bool{
		func(a, b crm.Option) bool { return strings.EqualFold(a.Value, b.Value) },
		func(a, b crm.Option) bool { return a.Label != "" && strings.EqualFold(a.Label, b.Label) },
		func(a, b crm.Option) bool { return strings.EqualFold(a.Value, b.Label) },
		func(a, b crm.Option) bool { return a.Label != "" && strings.EqualFold(a.Label, b.Value) },
	} {
		for i := range into {
			if into[i].Active && same(o, into[i]) {
				return &into[i]
			}
		}
	}
	return nil
}

func findOption(all []crm.Option, value string) *crm.Option {
	for i := range all {
		if all[i].Value == value {
			return &all[i]
		}
	}
	return nil
}

func didYouMeanOption(value string, all []crm.Option) string {
	var names []string
	for _, o := range all {
		if strings.EqualFold(o.Label, value) {
			return "did you mean " + o.Value + " (" + o.Label + ")?"
		}
		names = append(names, o.Value)
	}
	if mend := didYouMean(value, names); mend != "" {
		return mend
	}
	if len(names) > maxListedValues {
		names = append(names[:maxListedValues], "…")
	}
	return "its values are " + strings.Join(names, ", ")
}

// lengths warns, once per Salesforce object, of fields that take less text
// than HubSpot may hold.
func (b *binder) lengths(o *BoundObject) {
	for _, t := range o.Targets {
		var short []string
		var first Pos
		for i := range t.Fields {
			f := &t.Fields[i]
			if f.From != "" || f.TooLongGiven || f.TooLong == "cut" || !f.Direction.Flows(crm.Salesforce) {
				continue
			}
			h, s := f.HubSpotField, f.SalesforceField
			if !isText(h.Kind) || !isText(s.Kind) || s.Length == 0 || h.Length > 0 && h.Length <= s.Length {
				continue
			}
			if len(short) == 0 {
				first = f.Pos
			}
			short = append(short, fmt.Sprintf("%s %d", s.Name, s.Length))
		}
		if len(short) > 0 {
			b.problems.warnf(first, "field.shorter", "add too-long: cut (or skip) to the fields where that is better than waiting",
				"Salesforce %s takes less text than HubSpot %s in %s (%s characters); a record with longer text is held", t.Object, o.HubSpot, plural(len(short), "field"), strings.Join(short, ", "))
		}
	}
}

// plural says "1 field" or "3 fields".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
