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
func Suggest(schemas Schemas, accounts Accounts) []byte {
	w := &writer{schemas: schemas}
	w.head(accounts)
	for _, plan := range []struct {
		name, hubspot string
		targets       []string
	}{
		{"companies", "companies", []string{"Account"}},
		{"people", "contacts", []string{"Contact", "Lead"}},
		{"deals", "deals", []string{"Opportunity"}},
	} {
		w.object(plan.name, plan.hubspot, plan.targets)
	}
	if w.objects == 0 {
		w.line("  # Neither companies and Account, contacts and Contact or Lead, nor deals and Opportunity can be seen with these two credentials.")
		w.line("  # Name your own objects here:")
		w.line("  # - {name: cars, hubspot: p123_cars, salesforce: Car__c, fields: [{hubspot: plate, salesforce: Plate__c}]}")
	}
	return w.out.Bytes()
}

type writer struct {
	schemas Schemas
	out     bytes.Buffer
	objects int
	// mapped are the HubSpot objects that are written so far: associations may
	// lead to them.
	mapped map[string]bool
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

// target is one Salesforce object that a suggestion is made for.
type suggestion struct {
	name    string
	hubspot *crm.Object
	targets []*crm.Object
	lines   []suggestedField
	// usedHubSpot and usedSalesforce (by object) keep one writer per field.
	usedHubSpot    map[string]bool
	usedSalesforce map[string]map[string]bool
	left           []string
}

type suggestedField struct {
	hubspot, salesforce string
	on                  []string
	options             []string // further keys, in flow form
	table               []string // lines of a value table
	why                 string
}

func (w *writer) object(name, hubspot string, targets []string) {
	h := w.schemas.HubSpot[hubspot]
	if h == nil {
		return
	}
	s := &suggestion{name: name, hubspot: h, usedHubSpot: map[string]bool{}, usedSalesforce: map[string]map[string]bool{}}
	for _, t := range targets {
		if o := w.schemas.Salesforce[t]; o != nil {
			s.targets = append(s.targets, o)
			s.usedSalesforce[t] = map[string]bool{}
		}
	}
	if len(s.targets) == 0 {
		return
	}
	s.standard()
	s.alike()
	create := s.createPolicy()
	if w.mapped == nil {
		w.mapped = map[string]bool{}
	}
	w.mapped[hubspot] = true
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
	return "in-salesforce"
}

// unfilled are required fields of a new record that no line fills.
func (s *suggestion) unfilled(t *crm.Object) []string {
	var out []string
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Required && f.Creatable && f.Name != SalesforceOwner && !s.usedSalesforce[t.Name][f.Name] {
			out = append(out, f.Name)
		}
	}
	return out
}

func (w *writer) objectHead(s *suggestion, create string) {
	w.line("  - name: %s", s.name)
	w.line("    hubspot: %s", s.hubspot.Name)
	w.targets(s)
	w.match(s)
	if id := externalID(s.targets); id != "" {
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
	if s.hubspot.Field("associatedcompanyid") != nil {
		w.commented("      - {object: Contact, when: 'hubspot.associatedcompanyid != \"\"'}", "with a company: a Contact of its Account")
		w.commented("      - {object: Lead}", "everybody else")
		return
	}
	for _, t := range s.targets {
		w.line("      - {object: %s}", t.Name)
	}
}

func (w *writer) match(s *suggestion) {
	var lines [][2]string
	add := func(hubspot, salesforce, as, comment string) {
		f := s.hubspot.Field(hubspot)
		if f == nil || !all(s.targets, func(t *crm.Object) bool { g := t.Field(salesforce); return g != nil && g.Filterable }) {
			return
		}
		lines = append(lines, [2]string{fmt.Sprintf("      - {hubspot: %s, salesforce: %s, as: %s}", hubspot, salesforce, as), comment})
	}
	switch s.name {
	case "companies":
		add("domain", "Website", "domain", "the same web domain is the same company")
		add("name", "Name", "text", "else the same name, unless the domains differ")
	case "people":
		add("email", "Email", "email", "the same e-mail address is the same person")
	case "deals":
		add("dealname", "Name", "text", "the same name is the same deal, unless company and account differ")
	}
	if len(lines) > 0 {
		w.line("    match:                           # how records that exist on both sides find each other; several candidates are held, never guessed")
		for _, l := range lines {
			w.commented(l[0], l[1])
		}
	}
}

func (w *writer) where(s *suggestion) {
	for _, example := range [][2]string{{"lifecyclestage", `hubspot.lifecyclestage != "subscriber"`}, {"hs_is_target_account", "hubspot.hs_is_target_account"}, {"amount", "hubspot.amount > 0"}} {
		if s.hubspot.Field(example[0]) != nil && (example[0] != "lifecyclestage" || s.name == "people") {
			w.line("    # where: {hubspot: '%s'}   # leave the others out, on both sides", example[1])
			return
		}
	}
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
	has := func(object, field string) bool {
		t := w.schemas.Salesforce[object]
		return t != nil && t.Field(field) != nil && slices.Contains(objectNames(s.targets), object)
	}
	switch {
	case s.name == "people" && w.mapped["companies"] && has("Contact", "AccountId"):
		lines = append(lines, [2]string{"      - {hubspot: companies, salesforce: AccountId, on: [Contact]}", "the primary company is the Account"})
	case s.name == "deals":
		if w.mapped["companies"] && has("Opportunity", "AccountId") {
			lines = append(lines, [2]string{"      - {hubspot: companies, salesforce: AccountId}", "the primary company is the Account"})
		}
		if w.mapped["contacts"] && w.schemas.Salesforce["Contact"] != nil {
			lines = append(lines, [2]string{"      - {hubspot: contacts, salesforce: OpportunityContactRole}", "contacts of the deal are its contact roles"})
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
