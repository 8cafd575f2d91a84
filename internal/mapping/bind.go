package mapping

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// ObjectNames lists the objects whose schemas Bind needs, each once, in the
// order of the file.
func (m *Mapping) ObjectNames() (hubspot, salesforce []string) {
	for _, o := range m.Objects {
		hubspot = append(hubspot, o.HubSpot)
		for _, t := range o.Targets {
			salesforce = append(salesforce, t.Object)
		}
	}
	for _, name := range m.junctions() {
		if !slices.Contains(salesforce, name) {
			salesforce = append(salesforce, name)
		}
	}
	return hubspot, salesforce
}

// junctions lists the objects whose rows join two others and whose fields have
// to be looked up.
func (m *Mapping) junctions() []string {
	var names fieldNames
	for i := range m.Objects {
		for k := range m.Objects[i].Associations {
			if a := &m.Objects[i].Associations[k]; a.Rows != nil && a.Rows.Ends == nil {
				names.add(a.Rows.Object)
			}
		}
	}
	return names.list
}

// LabelPairs lists between which HubSpot objects the mapping names labels of
// associations, each once.
func (m *Mapping) LabelPairs() (pairs [][2]string) {
	for i := range m.Objects {
		for k := range m.Objects[i].Associations {
			pair := [2]string{m.Objects[i].HubSpot, m.Objects[i].Associations[k].HubSpot}
			if len(m.Objects[i].Associations[k].Labels) > 0 && m.Objects[i].HubSpot != Lists && !slices.Contains(pairs, pair) {
				pairs = append(pairs, pair)
			}
		}
	}
	return pairs
}

// Bind checks the mapping against both live schemas. Bound is nil when there is
// an error among the problems; Problems is nil when there is nothing to say.
// Bind may be called any number of times and changes neither m nor schemas.
func (m *Mapping) Bind(schemas Schemas) (*Bound, *Problems) {
	problems := &Problems{File: m.File}
	m, schemas = inFull(m, schemas)
	checkMapping(m, problems)
	b := &binder{mapping: m, schemas: schemas, problems: problems}
	bound := &Bound{Mapping: m}
	for i := range m.Objects {
		if o := b.object(&m.Objects[i]); o != nil {
			bound.Objects = append(bound.Objects, o)
		}
	}
	b.policyNames()
	b.overlaps(bound.Objects)
	problems.sorted()
	if problems.failed() {
		return nil, problems
	}
	bound.Objects = inOrder(bound.Objects)
	if len(problems.All) == 0 {
		problems = nil
	}
	return bound, problems
}

type binder struct {
	mapping  *Mapping
	schemas  Schemas
	problems *Problems
}

// names collects field names once each, in the order in which they are needed.
type fieldNames struct {
	list []string
	seen map[string]bool
}

func (n *fieldNames) add(names ...string) {
	for _, name := range names {
		if name == "" || n.seen[name] {
			continue
		}
		if n.seen == nil {
			n.seen = map[string]bool{}
		}
		n.seen[name] = true
		n.list = append(n.list, name)
	}
}

func (b *binder) object(o *Object) *BoundObject {
	hubspot := b.schema(crm.HubSpot, o.HubSpot, o.HubSpotPos)
	out := &BoundObject{Object: o, HubSpotSchema: hubspot}
	for i := range o.Targets {
		t := &o.Targets[i]
		if schema := b.schema(crm.Salesforce, t.Object, t.Pos); schema != nil {
			out.Targets = append(out.Targets, &BoundTarget{Target: t, Schema: schema})
		}
	}
	if hubspot == nil || len(out.Targets) != len(o.Targets) {
		return nil
	}
	b.access(out)
	b.slots(out)
	for i := range o.Fields {
		b.field(out, &o.Fields[i], i)
	}
	for i := range o.Associations {
		b.association(out, &o.Associations[i], len(o.Fields)+i)
	}
	b.owner(out)
	b.filters(out)
	b.matches(out)
	b.externalID(out)
	b.required(out)
	b.lengths(out)
	b.policies(out)
	b.dynamicLists(out)
	b.layouts(out)
	out.BaseSlots = baseSlots(out)
	out.BaseVersion = baseVersion(out.BaseSlots)
	if out.HubSpot == Lists {
		out.reading = onlyReading(out)
	}
	return out
}

func (b *binder) schema(side crm.Side, name string, pos Pos) *crm.Object {
	all := b.schemas.HubSpot
	if side == crm.Salesforce {
		all = b.schemas.Salesforce
	}
	if o := all[name]; o != nil {
		return o
	}
	var names []string
	byLabel := ""
	for n, o := range all {
		names = append(names, n)
		if o != nil && (strings.EqualFold(o.Label, name) || strings.EqualFold(o.LabelPlural, name)) && (byLabel == "" || n < byLabel) {
			byLabel = n
		}
	}
	mend := didYouMean(name, names)
	if byLabel != "" {
		mend = "did you mean " + byLabel + "?"
	}
	if mend == "" {
		mend = "look at its name in the settings of " + side.Title() + ", and whether the credential may see it"
	}
	b.problems.errorf(pos, "object.unknown", mend, "%s has no object %s, or the credential may not see it", side.Title(), name)
	return nil
}

// access reports objects that may not be written as the mapping wants.
func (b *binder) access(o *BoundObject) {
	if o.Create.In(crm.HubSpot) && !o.HubSpotSchema.Creatable {
		b.problems.errorf(o.HubSpotPos, "object.not-creatable", "grant it, or write create: in-salesforce", "the credential may not create HubSpot %s", o.HubSpot)
	}
	for _, t := range o.Targets {
		if o.Create.In(crm.Salesforce) && !t.Schema.Creatable {
			b.problems.errorf(t.Pos, "object.not-creatable", "grant Create on "+t.Object+" to the integration user, or write create: never", "the credential may not create Salesforce %s", t.Object)
		}
		if !t.Schema.Updatable && b.writesTo(o.Object, crm.Salesforce) {
			b.problems.errorf(t.Pos, "object.not-updatable", "grant Edit on "+t.Object+" to the integration user", "the credential may not update Salesforce %s", t.Object)
		}
	}
	if !o.HubSpotSchema.Updatable && b.writesTo(o.Object, crm.HubSpot) {
		b.problems.errorf(o.HubSpotPos, "object.not-updatable", "grant the scope to write it, or give the fields direction: to-salesforce", "the credential may not update HubSpot %s", o.HubSpot)
	}
	if why := o.archives(crm.Salesforce); why != "" {
		for _, t := range o.Targets {
			if !t.Schema.Deletable {
				b.problems.warnf(t.Pos, "object.not-deletable", "grant Delete on "+t.Object+", or write "+milder(why), "the credential may not delete Salesforce %s; such records will be held", t.Object)
			}
		}
	}
	if why := o.archives(crm.HubSpot); why != "" && !o.HubSpotSchema.Deletable {
		b.problems.warnf(o.HubSpotPos, "object.not-deletable", "grant the scope to write it, or write "+milder(why), "the credential may not delete HubSpot %s; such records will be held", o.HubSpot)
	}
}

// milder is the rule to write instead of one that archives.
func milder(rule string) string {
	if rule == "leaves: archive" {
		return "leaves: stop"
	}
	return strings.Replace(rule, "archive", "ask", 1)
}

// archives says which rule of the file may archive records on a side; empty
// when none does.
func (o *Object) archives(side crm.Side) string {
	from := o.Where.HubSpot
	if side == crm.HubSpot {
		from = o.Where.Salesforce
	}
	switch {
	case o.Deletes.In(side) == DeletesArchive && o.Deletes.InHubSpot == o.Deletes.InSalesforce:
		return "deletes: archive"
	case o.Deletes.In(side) == DeletesArchive && side == crm.HubSpot:
		return "deletes: {in-hubspot: archive}"
	case o.Deletes.In(side) == DeletesArchive:
		return "deletes: {in-salesforce: archive}"
	case o.Leaves == LeavesArchive && from != "":
		return "leaves: archive"
	}
	return ""
}

func (b *binder) writesTo(o *Object, side crm.Side) bool {
	for i := range o.Fields {
		if o.Fields[i].Direction.Flows(side) {
			return true
		}
	}
	return o.OwnerByEmail
}

func (b *binder) slots(o *BoundObject) {
	for _, f := range o.Fields {
		o.BaseNames = append(o.BaseNames, slotName(f.HubSpot, f.Salesforce, f.On))
	}
	for _, a := range o.Associations {
		o.BaseNames = append(o.BaseNames, slotName(strings.Join(append(a.FarObjects(), strings.Fields(a.By)...), "+"), a.Salesforce, a.On))
	}
	if o.OwnerByEmail {
		o.BaseNames = append(o.BaseNames, SlotOwner)
	}
	o.BaseNames = append(o.BaseNames, SlotRules)
}

func slotName(hubspot, salesforce string, on []string) string {
	name := hubspot + "/" + salesforce
	if len(on) > 0 {
		on = slices.Clone(on)
		sort.Strings(on)
		name += "@" + strings.Join(on, ",")
	}
	return name
}

func (b *binder) owner(o *BoundObject) {
	if !o.OwnerByEmail {
		return
	}
	if o.HubSpotSchema.Field(HubSpotOwner) == nil {
		b.problems.errorf(o.HubSpotPos, "owner.unknown", "take `owner` out of "+o.Name, "HubSpot %s has no %s", o.HubSpot, HubSpotOwner)
	}
	for _, t := range o.Targets {
		if t.Schema.Field(SalesforceOwner) == nil {
			b.problems.errorf(t.Pos, "owner.unknown", "take `owner` out of "+o.Name, "Salesforce %s has no %s that the credential may see", t.Object, SalesforceOwner)
		}
	}
}

// compile reports the flaws of an expression at their place in the file.
func (b *binder) compile(source string, pos Pos, want result, hubspot, salesforce *crm.Object) *Program {
	return b.compileAsking(source, pos, want, hubspot, salesforce, nil)
}

func (b *binder) compileAsking(source string, pos Pos, want result, hubspot, salesforce *crm.Object, objects []string) *Program {
	p, flaws := compileAsking(source, want, hubspot, salesforce, objects)
	for _, f := range flaws {
		spot := Pos{Line: pos.Line + f.line, Column: pos.Column + f.column}
		b.problems.errorf(spot, "expression", f.mend, "%s", f.what)
	}
	return p
}

func (b *binder) filters(o *BoundObject) {
	if o.Where.HubSpot != "" {
		o.WhereHubSpot = b.compile(o.Where.HubSpot, o.Where.HubSpotPos, resultBool, o.HubSpotSchema, nil)
	}
	if o.Where.Salesforce != "" {
		o.WhereSalesforce = b.compile(o.Where.Salesforce, o.Where.SalesforcePos, resultBool, nil, shared(o.Targets))
	}
	for _, t := range o.Targets {
		if t.Target.When != "" {
			t.When = b.compileAsking(t.Target.When, t.WhenPos, resultBool, o.HubSpotSchema, nil, b.askable(o.Name))
		}
	}
}

// askable names the objects that a `when` of another one may ask: those that
// have match keys.
func (b *binder) askable(self string) []string {
	names := []string{}
	for i := range b.mapping.Objects {
		if o := &b.mapping.Objects[i]; o.Name != self && len(o.Match) > 0 {
			names = append(names, o.Name)
		}
	}
	return names
}

// shared is the schema that all targets have in common: a filter is one
// expression for all of them.
func shared(targets []*BoundTarget) *crm.Object {
	out := *targets[0].Schema
	out.Fields = nil
	for _, f := range targets[0].Schema.Fields {
		in := true
		for _, t := range targets[1:] {
			in = in && t.Schema.Field(f.Name) != nil
		}
		if in {
			out.Fields = append(out.Fields, f)
		}
	}
	if len(targets) > 1 {
		for _, t := range targets[1:] {
			out.Name += " and " + t.Object
		}
		out.Name = "(" + out.Name + " together)"
	}
	return &out
}

func (b *binder) matches(o *BoundObject) {
	for i := range o.Match {
		m := &o.Match[i]
		if o.HubSpotSchema.Field(m.HubSpot) == nil {
			b.unknownField(m.HubSpotPos, crm.HubSpot, o.HubSpotSchema, m.HubSpot)
		}
		found := false
		for _, t := range o.Targets {
			f := t.Schema.Field(m.Salesforce)
			if f == nil {
				continue
			}
			found = true
			if !f.Filterable {
				b.problems.errorf(m.SalesforcePos, "match.not-filterable", "match by another field", "Salesforce cannot search %s by %s", t.Object, m.Salesforce)
			}
		}
		if !found {
			b.unknownField(m.SalesforcePos, crm.Salesforce, o.Targets[0].Schema, m.Salesforce)
		}
	}
	if len(o.Match) == 0 && o.ExternalID == "" && o.Create != CreateNever {
		b.problems.warnf(o.NamePos, "match.none", "add match: [{hubspot: …, salesforce: …, as: email}]", "%s has no way to find records that exist on both sides already; they would be created again", o.Name)
	}
}

// minExternalIDLength holds any HubSpot record id, a 64-bit number.
const minExternalIDLength = 20

func (b *binder) externalID(o *BoundObject) {
	if o.ExternalID == "" {
		return
	}
	for _, t := range o.Targets {
		f := t.Schema.Field(o.ExternalID)
		switch {
		case f == nil:
			b.unknownField(o.ExternalIDPos, crm.Salesforce, t.Schema, o.ExternalID)
		case !f.ExternalID || !f.Unique:
			b.problems.errorf(o.ExternalIDPos, "external-id.not-unique", "in Salesforce Setup, tick External ID and Unique on "+t.Object+"."+f.Name, "%s.%s is not a unique external id", t.Object, f.Name)
		case !f.Creatable:
			b.problems.errorf(o.ExternalIDPos, "external-id.read-only", "grant Edit on "+t.Object+"."+f.Name+" to the integration user", "%s.%s may not be written", t.Object, f.Name)
		case !isText(f.Kind) || f.Length > 0 && f.Length < minExternalIDLength:
			b.problems.errorf(o.ExternalIDPos, "external-id.too-small", "use a text field of 32 characters", "%s.%s is %s and cannot hold every HubSpot record id", t.Object, f.Name, describe(f))
		}
	}
}

// layouts names what is to be read, and what feeds the slot "rules".
func (b *binder) layouts(o *BoundObject) {
	var hubspot fieldNames
	mapped := map[string]bool{}
	rules := map[string]bool{}
	for _, t := range o.Targets {
		for i := range t.Fields {
			f := &t.Fields[i]
			hubspot.add(f.HubSpot)
			mapped[f.HubSpot] = true
			if f.Program != nil {
				hubspot.add(f.Program.HubSpotFields...)
			}
			if f.StagePipeline != nil {
				o.PipelineProperty = pipelineProperty(o.HubSpotSchema)
			}
		}
	}
	hubspot.add(o.PipelineProperty)
	rule := func(names ...string) {
		for _, n := range names {
			hubspot.add(n)
			if !mapped[n] {
				rules[n] = true
			}
		}
	}
	for _, m := range o.Match {
		rule(m.HubSpot)
		if also := AlsoHolds(m.HubSpot); o.HubSpotSchema.Field(also) != nil {
			hubspot.add(also)
		}
	}
	if o.WhereHubSpot != nil {
		rule(o.WhereHubSpot.HubSpotFields...)
	}
	for _, t := range o.Targets {
		if t.When != nil {
			rule(t.When.HubSpotFields...)
		}
	}
	if o.HubSpot == Lists {
		rule(ListKind)
	}
	if o.OwnerByEmail {
		hubspot.add(HubSpotOwner)
	}
	for _, p := range o.Policies {
		hubspot.add(p.HubSpotFields...)
	}
	for _, a := range o.Associations {
		hubspot.add(a.By)
	}
	o.RuleFields = sortedKeys(rules)
	o.HubSpotRead.Layout = crm.NewLayout(o.HubSpot, hubspot.list)
	for i := range o.Associations {
		a := &o.Associations[i]
		if a.By != "" {
			continue // it is a property, which the layout has
		}
		for _, far := range a.FarObjects() {
			if !slices.Contains(o.HubSpotRead.Relations, far) {
				o.HubSpotRead.Relations = append(o.HubSpotRead.Relations, far)
			}
		}
	}
	for _, t := range o.Targets {
		b.targetLayout(o, t)
	}
}

func (b *binder) targetLayout(o *BoundObject, t *BoundTarget) {
	var names fieldNames
	mapped, rules := map[string]bool{}, map[string]bool{}
	for i := range t.Fields {
		f := &t.Fields[i]
		names.add(f.Salesforce, f.DerivedWhile)
		mapped[f.Salesforce] = true
		if f.Program != nil {
			names.add(f.Program.SalesforceFields...)
		}
	}
	rule := func(list ...string) {
		for _, n := range list {
			if n == "" || t.Schema.Field(n) == nil {
				continue
			}
			names.add(n)
			if !mapped[n] {
				rules[n] = true
			}
		}
	}
	for _, m := range o.Match {
		rule(m.Salesforce)
	}
	rule(o.ExternalID)
	if o.WhereSalesforce != nil {
		rule(o.WhereSalesforce.SalesforceFields...)
	}
	if t.Object == "Lead" {
		rule(LeadConverted)
		for _, name := range []string{ConvertedContact, ConvertedAccount, ConvertedOpportunity} {
			if t.Schema.Field(name) != nil {
				names.add(name) // they are set when LeadConverted is
			}
		}
	}
	for _, a := range t.Associations {
		if a.Junction {
			t.Read.Junctions = append(t.Read.Junctions, a.Join())
		} else {
			names.add(a.Salesforce)
		}
	}
	if o.OwnerByEmail {
		names.add(SalesforceOwner)
	}
	for _, p := range o.Policies {
		for _, n := range p.SalesforceFields {
			if t.Schema.Field(n) != nil {
				names.add(n)
			}
		}
	}
	t.RuleFields = sortedKeys(rules)
	t.Read.Layout = crm.NewLayout(t.Object, names.list)
}

func sortedKeys(set map[string]bool) []string {
	var out []string
	for k := range set {
		if k != "" {
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return out
}

func kindOf(f *crm.Field) crm.Kind {
	if f == nil {
		return ""
	}
	return f.Kind
}

// inOrder puts objects that others refer to first; the order of the file
// decides where nothing else does, and where they refer to each other in a ring.
func inOrder(objects []*BoundObject) []*BoundObject {
	var out []*BoundObject
	done := map[string]bool{}
	for len(out) < len(objects) {
		next := -1
		for i, o := range objects {
			if done[o.Name] {
				continue
			}
			if next < 0 {
				next = i
			}
			if ready(o, done) {
				next = i
				break
			}
		}
		done[objects[next].Name] = true
		out = append(out, objects[next])
	}
	return out
}

func ready(o *BoundObject, done map[string]bool) bool {
	for _, t := range o.Targets {
		for _, a := range t.Associations {
			for _, end := range a.Ends {
				if end.Mapping != o.Name && !done[end.Mapping] {
					return false
				}
			}
		}
		if t.When == nil {
			continue
		}
		for _, name := range t.When.AskedObjects() {
			if !done[name] {
				return false
			}
		}
	}
	return true
}

func describe(f *crm.Field) string {
	if f.Length > 0 {
		return fmt.Sprintf("%s of %d characters", f.Type, f.Length)
	}
	return f.Type
}
