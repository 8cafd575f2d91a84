package postman

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// maxTargets is how many Salesforce objects one composite call can write to: five
// of its parts may be collections, and one of those is for updates.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm
const maxTargets = 4

// maxQuestions is how many of the parts of a composite call may be queries.
const maxQuestions = 5

// rules are what the scripts know of one object of the mapping: JavaScript, and
// what could not be said.
type rules struct {
	object  *mapping.BoundObject
	source  string
	leftOut []LeftOut
	// barred says why records of this object cannot be sent at all; "" when they can.
	barred string
	// asked are the HubSpot properties that the scripts read.
	asked []string
	// related are the HubSpot objects whose associations are read along.
	related []string
	// counted are the Salesforce objects written to.
	counted []string
}

type ruleWriter struct {
	rules
	bound *mapping.Bound
	b     strings.Builder
}

func rulesOf(bound *mapping.Bound, o *mapping.BoundObject) *rules {
	w := &ruleWriter{bound: bound}
	w.object = o
	w.write()
	w.source = w.b.String()
	return &w.rules
}

func (w *ruleWriter) leave(what, format string, args ...any) {
	l := LeftOut{Object: w.object.Name, What: what, Why: fmt.Sprintf(format, args...)}
	if !slices.Contains(w.leftOut, l) {
		w.leftOut = append(w.leftOut, l)
	}
}

func (w *ruleWriter) bar(format string, args ...any) {
	if w.barred == "" {
		w.barred = fmt.Sprintf(format, args...)
		w.leave("the whole transfer", "%s", w.barred)
	}
}

func (w *ruleWriter) ask(property string) {
	if property != "" && !slices.Contains(w.asked, property) {
		w.asked = append(w.asked, property)
	}
}

func (w *ruleWriter) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

func (w *ruleWriter) write() {
	o := w.object
	if len(o.Targets) > maxTargets {
		w.bar("it goes to %d Salesforce objects, and one composite call writes %d", len(o.Targets), maxTargets)
	}
	matches := w.matches()
	associations, references := w.associations()
	questions := len(o.Targets)
	for _, a := range associations {
		questions += len(a.Objects)
	}
	if questions > maxQuestions {
		w.leave("its associations", "one composite call asks %d questions, and they need %d", maxQuestions, questions)
		associations, references = []associationRule{}, nil
	}
	for _, a := range associations {
		if !slices.Contains(w.related, a.Relation) {
			w.related = append(w.related, a.Relation)
		}
	}
	w.line("const rules = {")
	w.line("  hubspot: %s, externalId: %s, create: %t, reads: %t,", literal(o.HubSpot), literal(o.ExternalID), o.Create.In(crm.Salesforce), w.computes())
	w.line("  match: %s,", literal(matches))
	w.line("  associations: %s,", literal(associations))
	for _, p := range w.object.Policies {
		if p.Side != crm.HubSpot {
			w.bar("no script holds writes against a policy, and %s is about them", quoted(p.Name))
		}
	}
	w.filter("keep", "where: {hubspot: …}", o.WhereHubSpot, "h")
	w.filter("keepFound", "where: {salesforce: …}", o.WhereSalesforce, "s")
	w.line("  targets: [")
	for _, t := range o.Targets {
		w.target(t, matches, references)
	}
	w.line("  ],")
	w.line("}")
	if o.OwnerByEmail {
		w.leave("the owner", "new records belong to the user whom the access token stands for")
	}
}

func (w *ruleWriter) computes() bool {
	return slices.ContainsFunc(w.object.Targets, func(t *mapping.BoundTarget) bool {
		return slices.ContainsFunc(t.Fields, func(f mapping.BoundField) bool {
			return f.Program != nil && f.Direction.Flows(crm.Salesforce)
		})
	})
}

// filter writes a filter; one that cannot be said bars the object, because
// records would go where they shall not.
func (w *ruleWriter) filter(name, what string, p *mapping.Program, record string) {
	if p == nil {
		return
	}
	hubspot, salesforce := w.object.HubSpotSchema, (*crm.Object)(nil)
	if record == "s" {
		hubspot = nil
		for _, t := range w.object.Targets {
			if salesforce == nil {
				salesforce = t.Schema
			}
		}
	}
	text, err := translate(p.Source, hubspot, salesforce)
	if err != nil {
		w.bar("of its filter %s %s, %v", what, quoted(p.Source), err)
		return
	}
	for _, f := range p.HubSpotFields {
		w.ask(f)
	}
	w.line("  // %s", p.Source)
	w.line("  %s: (%s) => %s,", name, record, text)
}

func quoted(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 60 {
		s = string(r[:59]) + "…"
	}
	return "`" + s + "`"
}

// matchRule is one way to find a record that is there already.
type matchRule struct {
	HubSpot    string `json:"hubspot"`
	Salesforce string `json:"salesforce"`
	As         string `json:"as"`
	// Record: the field is the Salesforce record id.
	Record bool `json:"record,omitempty"`
}

func (w *ruleWriter) matches() []matchRule {
	out := []matchRule{}
	for _, m := range w.object.Match {
		record := false
		reason := ""
		for _, t := range w.object.Targets {
			f := t.Schema.Field(m.Salesforce)
			switch {
			case f == nil:
				reason = "Salesforce " + t.Object + " has no such field"
			case m.As == "phone":
				reason = "SOQL cannot look for a number however it is spelled"
			case !f.Filterable:
				reason = "SOQL cannot look for it"
			case f.Kind == crm.KindID || f.Kind == crm.KindReference:
				record = true
			}
		}
		if reason != "" {
			w.leave(fmt.Sprintf("match by %s (%s, %s)", m.As, m.HubSpot, m.Salesforce), "%s; a record that only this rule would find is created again", reason)
			continue
		}
		w.ask(m.HubSpot)
		out = append(out, matchRule{m.HubSpot, m.Salesforce, m.As, record})
	}
	return out
}

// associationRule fills a reference from HubSpot's main association.
type associationRule struct {
	// Relation is the HubSpot object on the other end, Primary the type of its
	// primary association.
	Relation string `json:"relation"`
	Primary  string `json:"primary"`
	// To is the reference field; Objects is what it may point to, found by ExternalID.
	To         string   `json:"to"`
	Objects    []string `json:"objects"`
	ExternalID string   `json:"externalId"`
	// Update lists the targets of which the reference can be set later.
	Update []string `json:"update"`
}

func (w *ruleWriter) associations() (out []associationRule, references map[string][]string) {
	out, references = []associationRule{}, map[string][]string{}
	for _, t := range w.object.Targets {
		for _, a := range t.Associations {
			what := "association with " + a.HubSpot + " (" + a.Salesforce + ")"
			far := w.bound.Object(a.Mapping)
			switch {
			case a.By != "":
				w.leave(what, "it is the id in %s, which this chain does not follow", a.By)
				continue
			case len(a.Ends) > 1:
				w.leave(what, "it may lead to several objects, of which this chain follows none")
				continue
			case a.Junction:
				w.leave(what, "its rows are records of their own, which this chain does not write")
				continue
			case far == nil || far.ExternalID == "":
				w.leave(what, "the records on its other end have no external id to be found by")
				continue
			}
			references[t.Object] = append(references[t.Object], a.Salesforce)
			i := slices.IndexFunc(out, func(r associationRule) bool { return r.Relation == a.HubSpot && r.To == a.Salesforce })
			if i < 0 {
				rule := associationRule{Relation: a.HubSpot, Primary: primaryType(w.object.HubSpot, a.HubSpot), To: a.Salesforce, ExternalID: far.ExternalID, Update: []string{}}
				for _, object := range a.ReferenceTo {
					if far.Target(object) != nil {
						rule.Objects = append(rule.Objects, object)
					}
				}
				i, out = len(out), append(out, rule)
			}
			if f := t.Schema.Field(a.Salesforce); f != nil && f.Updatable {
				out[i].Update = append(out[i].Update, t.Object)
			}
		}
	}
	return out, references
}

// primaryType is what HubSpot calls the association with the primary company;
// between other objects none is primary.
// https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
func primaryType(from, to string) string {
	if (from == "companies") == (to == "companies") {
		return ""
	}
	return singular(from) + "_to_" + singular(to)
}

func singular(object string) string {
	if stem, ok := strings.CutSuffix(object, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(object, "s")
}

func (w *ruleWriter) target(t *mapping.BoundTarget, matches []matchRule, references map[string][]string) {
	w.counted = append(w.counted, t.Object)
	selected := []string{"Id"}
	read := func(names ...string) {
		for _, name := range names {
			if name != "" && t.Schema.Field(name) != nil && !slices.Contains(selected, name) {
				selected = append(selected, name)
			}
		}
	}
	read(w.object.ExternalID, mapping.LeadConverted)
	for _, m := range matches {
		read(m.Salesforce)
	}
	if w.object.WhereSalesforce != nil {
		read(w.object.WhereSalesforce.SalesforceFields...)
	}
	w.line("    { object: %s, references: %s, required: %s, stamps: %t,", literal(t.Object), literal(append([]string{}, references[t.Object]...)), literal(w.required(t)), w.stamps(t))
	if t.When != nil {
		w.when(t)
	}
	w.line("      fields: [")
	for i := range t.Fields {
		f := &t.Fields[i]
		if !f.Direction.Flows(crm.Salesforce) {
			continue
		}
		if text, ok := w.field(t, f); ok {
			w.line("        %s,", text)
			read(f.Salesforce)
			if f.Program != nil {
				read(f.Program.SalesforceFields...)
			}
		}
	}
	read(references[t.Object]...)
	w.line("      ],")
	w.line("      select: %s },", literal(selected))
}

func (w *ruleWriter) when(t *mapping.BoundTarget) {
	text, err := translate(t.When.Source, w.object.HubSpotSchema, nil)
	if err != nil {
		w.bar("of the rule that sends records to %s, %s, %v", t.Object, quoted(t.When.Source), err)
		return
	}
	for _, f := range t.When.HubSpotFields {
		w.ask(f)
	}
	w.line("      // %s", t.When.Source)
	w.line("      when: (h) => %s,", text)
}

// required are the fields that a new record must have.
func (w *ruleWriter) required(t *mapping.BoundTarget) []string {
	out := []string{}
	for i := range t.Schema.Fields {
		f := &t.Schema.Fields[i]
		if f.Required && f.Creatable && f.Name != w.object.ExternalID {
			out = append(out, f.Name)
		}
	}
	return out
}

// stamps tells whether the HubSpot id can be written to a record that is there.
func (w *ruleWriter) stamps(t *mapping.BoundTarget) bool {
	f := t.Schema.Field(w.object.ExternalID)
	return w.object.ExternalID != "" && f != nil && f.Updatable
}
