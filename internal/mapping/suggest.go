package mapping

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Accounts are the names under which two accounts were connected.
type Accounts struct {
	HubSpot    string
	Salesforce string
}

// Suggest writes a commented lockstep.yaml for two accounts. It maps only what
// it can justify: pairs that mean the same in every account, and fields with
// the same name or label and a fitting type. Each line says why it is there;
// what was not suggested is listed below each object. Nothing is created in
// HubSpot, nothing is deleted anywhere unless somebody changes the file. What it
// writes always passes Parse, and Bind against the same schemas without errors.
// It maps companies, people and deals; SuggestObjects takes other pairs.
func Suggest(schemas Schemas, accounts Accounts) []byte {
	text, err := SuggestObjects(schemas, accounts, DefaultPresets())
	if err != nil {
		panic(err) // the default names are known
	}
	return text
}

// SuggestObjects writes a file as Suggest does, for the pairs that are named:
// "tickets", "custom:p123_cars=Car__c". Pairs of which an object cannot be seen
// are left out, and the file says so. fault.Invalid names a pair that is not known.
func SuggestObjects(schemas Schemas, accounts Accounts, names []string) ([]byte, error) {
	chosen, err := choose(names)
	if err != nil {
		return nil, err
	}
	w := &writer{schemas: schemas, mapped: map[string]bool{}, has: map[string]bool{}}
	w.head(accounts)
	for i := range chosen {
		w.object(&chosen[i])
	}
	for _, p := range w.unseen {
		w.line("  # Not mapped: %s (HubSpot %s and Salesforce %s) cannot be seen with these two credentials.", p.title, p.hubspot, strings.Join(p.targets, " or "))
	}
	if w.objects == 0 {
		w.line("  # Name your own objects here:")
		w.line("  # - {name: cars, hubspot: p123_cars, salesforce: Car__c, fields: [{hubspot: plate, salesforce: Plate__c}]}")
	}
	return w.out.Bytes(), nil
}

type writer struct {
	schemas Schemas
	out     bytes.Buffer
	objects int
	// mapped are the HubSpot objects that are written so far: associations may
	// lead to them. unseen are presets that were left out.
	mapped map[string]bool
	unseen []*preset
	// has are the presets that are written so far, missing those that the one in
	// the making needs.
	has     map[string]bool
	missing []string
}

func (w *writer) line(format string, args ...any) {
	fmt.Fprintf(&w.out, format, args...)
	w.out.WriteByte('\n')
}

// commented writes a line with a comment at its end.
func (w *writer) commented(line, comment string) {
	const column = 72
	if comment == "" {
		w.line("%s", line)
		return
	}
	w.line("%s%s # %s", line, strings.Repeat(" ", max(0, column-len([]rune(line)))), comment)
}

func (w *writer) head(accounts Accounts) {
	name := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return yamlScalar(s)
	}
	w.line("# yaml-language-server: $schema=./.lockstep/schema.json")
	w.line("#")
	w.line("# What Lockstep keeps in step. Nothing is mapped, created or deleted that this file does not name.")
	w.line("# Change it, then `lockstep check` says whether it fits both accounts, and `lockstep plan` what it would do.")
	w.line("")
	w.commented("hubspot: "+name(accounts.HubSpot, "hubspot"), "accounts by the name given to `lockstep connect`; credentials are never in this file")
	w.line("salesforce: %s", name(accounts.Salesforce, "salesforce"))
	w.commented("every: 1m", "how often `lockstep sync --watch` looks for changes")
	w.commented("brakes: {deletes: 10}", "a plan that would delete more than this waits for a person")
	w.line("# After the first copy is done and looks right, brake surprises as well:")
	w.line("%s", "# brakes: {creates: 500, updates: 20%, deletes: 10}")
	w.line("# What no plan may do, whatever the rules below say; a record that would break a policy is held (then: stop also stops the plan):")
	for _, line := range policyExamples {
		w.line("# %s", line)
	}
	w.commented("budget: {hubspot: 60%, salesforce: 30%}", "share of each daily quota of API calls that is ours to use")
	w.line("")
	w.line("objects:")
}

// suggestion is one object of the file in the making.
type suggestion struct {
	*preset
	hubspot *crm.Object
	targets []*crm.Object
	lines   []suggestedField
	// usedHubSpot and usedSalesforce (by object) keep one writer per field.
	usedHubSpot    map[string]bool
	usedSalesforce map[string]map[string]bool
	// referred are references that an association fills.
	referred map[string]bool
	left     []string
}

type suggestedField struct {
	hubspot, salesforce string
	on                  []string
	options             []string // further keys, in flow form
	table               []string // lines of a value table
	why                 string
}

func (w *writer) object(p *preset) {
	h := w.schemas.HubSpot[p.hubspot]
	s := &suggestion{preset: p, hubspot: h, usedHubSpot: map[string]bool{}, usedSalesforce: map[string]map[string]bool{}}
	for _, t := range p.targets {
		if o := w.schemas.Salesforce[t]; o != nil && h != nil {
			s.targets = append(s.targets, o)
			s.usedSalesforce[t] = map[string]bool{}
		}
	}
	if len(s.targets) == 0 {
		w.unseen = append(w.unseen, p)
		return
	}
	w.missing = nil
	s.standard()
	s.constants()
	s.alike()
	s.referred = map[string]bool{}
	for _, end := range p.ends {
		s.referred[end.salesforce] = w.end(s, end) != ""
	}
	create := s.createPolicy()
	for _, other := range p.needs {
		if !w.has[other] {
			create = "never"
			w.missing = append(w.missing, other)
		}
	}
	w.has[p.name] = true
	w.mapped[h.Name] = true
	w.objects++
	w.objectHead(s, create)
	w.fields(s)
	w.ends(s)
}

func (s *suggestion) createPolicy() string {
	for _, t := range s.targets {
		if !t.Creatable || len(s.unfilled(t)) > 0 {
			return "never"
		}
	}
	if s.custom && len(s.matches()) == 0 {
		return "never"
	}
	return "in-salesforce"
}

// unfilled are required fields of a new record that no line fills.
func (s *suggestion) unfilled(t *crm.Object) []string {
	var out []string
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Required && f.Creatable && f.Name != SalesforceOwner && !s.usedSalesforce[t.Name][f.Name] && !s.referred[f.Name] {
			out = append(out, f.Name)
		}
	}
	return out
}

func (w *writer) objectHead(s *suggestion, create string) {
	for _, remark := range s.about {
		w.line("  # %s", remark)
	}
	w.line("  - name: %s", s.name)
	w.line("    hubspot: %s", s.hubspot.Name)
	w.targets(s)
	w.match(s)
	if id := externalID(s.targets); s.shared {
		w.line("    # No external-id: other objects of HubSpot become %s as well, and their ids are only different within each object.", strings.Join(objectNames(s.targets), " and "))
	} else if id != "" {
		w.commented("    external-id: "+id, "keeps the HubSpot record id, so that no repeat can create a record twice")
	} else {
		w.line("    # external-id: HubSpot_Id__c     # make a text field of 32 characters, ticked Unique and External ID, on %s: then no repeat can create a record twice", strings.Join(objectNames(s.targets), " and "))
	}
	switch create {
	case "never":
		var reasons []string
		for _, t := range s.targets {
			if !t.Creatable {
				reasons = append(reasons, "the credential may not create "+t.Name)
			}
			if missing := s.unfilled(t); len(missing) > 0 {
				reasons = append(reasons, t.Name+" needs "+strings.Join(missing, ", "))
			}
		}
		if len(w.missing) > 0 {
			reasons = append(reasons, "it needs "+strings.Join(w.missing, " and ")+" in this file")
		}
		if len(reasons) == 0 {
			reasons = append(reasons, "nothing says how records that exist on both sides find each other; add `match` first")
		}
		w.commented("    create: never", "nothing can be created yet: "+strings.Join(reasons, "; "))
	default:
		w.commented("    create: in-salesforce", "both | in-salesforce | in-hubspot | never")
	}
	w.commented("    deletes: ask", "ignore | ask | archive: what follows when a linked record is deleted on one side")
	if s.hubspot.Field(HubSpotOwner) != nil && all(s.targets, func(t *crm.Object) bool { return t.Field(SalesforceOwner) != nil }) {
		w.commented("    owner: by-email", "the owner is the person with the same e-mail address on both sides")
	}
	w.where(s)
}

func all(targets []*crm.Object, holds func(*crm.Object) bool) bool {
	for _, t := range targets {
		if !holds(t) {
			return false
		}
	}
	return true
}

func objectNames(targets []*crm.Object) []string {
	var out []string
	for _, t := range targets {
		out = append(out, t.Name)
	}
	return out
}

func (w *writer) targets(s *suggestion) {
	if len(s.targets) == 1 {
		w.line("    salesforce: %s", s.targets[0].Name)
		return
	}
	w.line("    salesforce:                      # the first whose rule holds takes a new person")
	if s.routes && s.hubspot.Field("associatedcompanyid") != nil {
		w.commented("      - {object: Contact, when: 'hubspot.associatedcompanyid != \"\"'}", "with a company: a Contact of its Account")
		w.commented("      - {object: Lead}", "everybody else")
		return
	}
	for _, t := range s.targets {
		w.line("      - {object: %s}", t.Name)
	}
}

// matches are the ways to find a record that both accounts allow.
func (s *suggestion) matches() []presetMatch {
	fits := func(hubspot, salesforce string) bool {
		return s.hubspot.Field(hubspot) != nil && all(s.targets, func(t *crm.Object) bool { g := t.Field(salesforce); return g != nil && g.Filterable })
	}
	var out []presetMatch
	for _, m := range s.match {
		if fits(m.hubspot, m.salesforce) {
			out = append(out, m)
		}
	}
	if !s.custom {
		return out
	}
	for _, l := range s.lines {
		h, f := s.hubspot.Field(l.hubspot), s.targets[0].Field(l.salesforce)
		if h != nil && f != nil && (h.Unique || f.Unique) && fits(l.hubspot, l.salesforce) {
			out = append(out, presetMatch{l.hubspot, l.salesforce, "text", "unique on one side at least"})
		}
	}
	return out
}

func (w *writer) match(s *suggestion) {
	found := s.matches()
	if len(found) == 0 {
		return
	}
	w.line("    match:                           # how records that exist on both sides find each other; several candidates are held, never guessed")
	for _, m := range found {
		w.commented(fmt.Sprintf("      - {hubspot: %s, salesforce: %s, as: %s}", m.hubspot, m.salesforce, m.as), m.why)
	}
}

func (w *writer) where(s *suggestion) {
	if filter := s.preset.where.hubspot; filter != "" {
		w.commented("    where: {hubspot: "+yamlExpression(filter)+"}", s.preset.where.why)
		return
	}
	if filter := s.preset.where.salesforce; filter != "" {
		w.commented("    where: {salesforce: "+yamlExpression(filter)+"}", s.preset.where.why)
		return
	}
	if example := s.preset.where; example.example != "" && s.hubspot.Field(example.hubspotField) != nil {
		w.line("    # where: {hubspot: '%s'}   # leave the others out, on both sides", example.example)
	}
}

// end is the line of one association; empty where it does not fit.
func (w *writer) end(s *suggestion, end presetEnd) string {
	if near, _ := joinsOf(end.salesforce); near != "" {
		if !w.mapped[end.hubspot] || w.schemas.Salesforce["Contact"] == nil {
			return ""
		}
		return "      - {hubspot: " + end.hubspot + ", salesforce: " + end.salesforce + "}"
	}
	var on, far []string
	for _, t := range s.targets {
		f := t.Field(end.salesforce)
		if f == nil || !takes(end.on, t.Name) || !f.Creatable && !f.Updatable {
			continue
		}
		on = append(on, t.Name)
		for _, object := range append([]string{end.hubspot}, end.also...) {
			if w.mapped[object] && w.leadsTo(f, object) && !slices.Contains(far, object) {
				far = append(far, object)
			}
		}
	}
	if len(on) == 0 || len(far) == 0 || end.by != "" && s.hubspot.Field(end.by) == nil {
		return ""
	}
	line := "      - {hubspot: " + far[0]
	if len(far) > 1 {
		line = "      - {hubspot: [" + strings.Join(far, ", ") + "]"
	}
	if end.by != "" {
		line += ", by: " + end.by
	}
	line += ", salesforce: " + end.salesforce
	if len(on) < len(s.targets) {
		line += ", on: [" + strings.Join(on, ", ") + "]"
	}
	if end.direction != "" {
		line += ", direction: " + end.direction
	}
	return line + "}"
}

// leadsTo tells whether a reference points to what records of the far HubSpot
// object become.
func (w *writer) leadsTo(f *crm.Field, hubspot string) bool {
	for _, p := range presets() {
		if p.hubspot == hubspot {
			return slices.ContainsFunc(p.targets, func(t string) bool { return w.schemas.Salesforce[t] != nil && slices.Contains(f.ReferenceTo, t) })
		}
	}
	return false
}

// externalID finds a unique external id field for HubSpot ids that all targets
// have under one name.
func externalID(targets []*crm.Object) string {
	for i := range targets[0].Fields {
		name := targets[0].Fields[i].Name
		folded := strings.ToLower(name)
		if !strings.Contains(folded, "hubspot") || !strings.Contains(folded, "id") {
			continue
		}
		fits := func(t *crm.Object) bool {
			f := t.Field(name)
			return f != nil && f.ExternalID && f.Unique && f.Creatable && isText(f.Kind) && (f.Length == 0 || f.Length >= minExternalIDLength)
		}
		if all(targets, fits) {
			return name
		}
	}
	return ""
}

func (w *writer) fields(s *suggestion) {
	if len(s.lines) == 0 {
		return
	}
	w.line("    fields:                          # both ways, and the newest wins, unless a line says otherwise")
	for _, f := range s.lines {
		parts := []string{"hubspot: " + f.hubspot, "salesforce: " + f.salesforce}
		if f.hubspot == "" {
			parts = parts[1:]
		}
		parts = append(parts, f.options...)
		if len(f.on) > 0 {
			parts = append(parts, "on: ["+strings.Join(f.on, ", ")+"]")
		}
		if len(f.table) == 0 {
			w.commented("      - {"+strings.Join(parts, ", ")+"}", f.why)
			continue
		}
		w.commented("      - "+parts[0], f.why)
		for _, p := range parts[1:] {
			w.line("        %s", p)
		}
		w.line("        values:")
		for _, l := range f.table {
			w.line("          %s", l)
		}
	}
}

func (w *writer) ends(s *suggestion) {
	var lines [][2]string
	for _, end := range s.preset.ends {
		if line := w.end(s, end); line != "" {
			lines = append(lines, [2]string{line, end.why})
		}
	}
	if len(lines) > 0 {
		w.line("    associations:")
		for _, l := range lines {
			w.commented(l[0], l[1])
		}
	}
	s.unsuggested()
	if len(s.left) > 0 {
		w.line("    # Not suggested, because nothing says what they correspond to; name them in `fields` where you know:")
		for _, l := range s.left {
			w.line("    #   %s", l)
		}
	}
	if unfit := s.unfitting(); len(unfit) > 0 {
		w.line("    # Cannot be kept in step:")
		for _, l := range unfit {
			w.line("    #   %s", l)
		}
	}
	w.line("")
}
