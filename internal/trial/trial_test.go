package trial

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

const people = `hubspot: acme
salesforce: acme-org
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: domain, salesforce: Website, direction: to-salesforce}
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != ""'}, Lead]
    match: [{hubspot: email, salesforce: Email, as: email}]
    where: {hubspot: 'hubspot.lifecyclestage != "subscriber"'}
    fields:
      - {hubspot: firstname, salesforce: FirstName}
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: email, salesforce: Email}
      - {hubspot: jobtitle, salesforce: Title}
      - {salesforce: Company, from: 'hubspot.company ?? "unknown"', on: Lead}
      - {hubspot: hs_email_optout, salesforce: HasOptedOutOfEmail, direction: to-salesforce}
    associations: [{hubspot: companies, salesforce: AccountId, on: Contact}]
`

func config(policies string) Config {
	return Config{Mapping: []byte(people + policies), File: "lockstep.yaml", Seed: "12", Random: 3}
}

func story(t *testing.T, c Config) []Result {
	t.Helper()
	var results []Result
	if err := Story(context.Background(), c, func(r Result) { results = append(results, r) }); err != nil {
		t.Fatal(err)
	}
	return results
}

func TestStoryOfASoundMappingPasses(t *testing.T) {
	t.Parallel()
	results := story(t, config(`policies:
  - {name: nobody becomes nameless, for: people, side: salesforce, deny: 'after.LastName == ""'}
  - {name: nothing is ever deleted, deny: write.op == "archive"}
  - {name: leads stay few, for: people, side: salesforce, on: Lead, deny: write.op == "create", beyond: 1}
`))
	var names []string
	for _, r := range results {
		names = append(names, r.Kind+" "+r.Name)
		if !r.OK {
			t.Errorf("%s failed: %q", r.Name, r.Told)
		}
	}
	want := []string{"story a first plan writes nothing", "story the first sync gives every record an outcome", "story a second sync writes nothing", "story both sides agree",
		"story edits of every mapped field are planned", "story a sync brings the edits over", "story another sync writes nothing", "story both sides agree again",
		"policy nobody becomes nameless", "policy nothing is ever deleted", "policy leads stay few"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// What was tried is more than nothing.
	if told := strings.Join(results[4].Told, ""); !strings.HasSuffix(told, "edits were made on both sides") || strings.HasPrefix(told, "0 ") {
		t.Errorf("edits: %q", told)
	}
	if told := strings.Join(results[8].Told, ""); !strings.HasPrefix(told, "kept by ") {
		t.Errorf("policy: %q", told)
	}
}

func TestStoryFailsWhereTheMappingBreaksAPolicy(t *testing.T) {
	t.Parallel()
	c := config("policies:\n  - {name: titles are never lost, for: people, side: salesforce, deny: 'before.Title != \"\" and after.Title == \"\"'}\n")
	last := story(t, c)
	r := last[len(last)-1]
	if r.OK || len(r.Told) < 2 || !strings.Contains(r.Told[0], "would break it") || !strings.Contains(r.Told[1], `the policy "titles are never lost" forbids it`) {
		t.Errorf("%+v", r)
	}
	j := &judged{asked: map[string]int{"n": 1}, broken: map[string][]string{"n": {"x"}}}
	if r := j.result(&mapping.Policy{Name: "n"}, true); !r.OK || len(r.Told) == 0 {
		t.Errorf("allowed: %+v", r)
	}
}

func TestMappingThatDoesNotFitIsToldWithItsFile(t *testing.T) {
	c := config("")
	c.Mapping = bytes.Replace(c.Mapping, []byte("jobtitle"), []byte("jobtitel"), 1)
	err := Story(context.Background(), c, func(Result) {})
	var problems *mapping.Problems
	if !errors.As(err, &problems) || !strings.HasPrefix(problems.Errors()[0].String(), "lockstep.yaml:20:19:") {
		t.Errorf("%v", err)
	}
}

func TestCases(t *testing.T) {
	t.Parallel()
	text := `cases:
  - name: a subscriber is left out
    object: people
    hubspot: {email: ann@acme.example, lastname: Lee, lifecyclestage: subscriber}
    expect: {outcome: excluded, reason: excluded.filter, salesforce: none}
  - name: a person with a company becomes a Contact
    object: people
    hubspot: {email: ann@acme.example, lastname: Lee}
    with: {companies: {name: Acme, domain: acme.example}}
    expect: {outcome: synced, as: Contact, salesforce: {LastName: Lee}}
  - name: a person without one becomes a Lead
    object: people
    hubspot: {email: ann@acme.example, lastname: Lee}
    expect: {outcome: synced, as: Lead, salesforce: {LastName: Lee, Company: unknown}}
  - name: the newer title wins
    object: people
    hubspot: {email: bob@acme.example, lastname: Ray, jobtitle: Buyer}
    salesforce: {LastName: Ray, Email: bob@acme.example}
    then: {hubspot: {jobtitle: Head}, salesforce: {Title: Head of buying}}
    expect: {outcome: synced, hubspot: {jobtitle: Head of buying}}
  - name: a title stays
    object: people
    hubspot: {email: cy@acme.example, lastname: Day, jobtitle: Boss}
    salesforce: {LastName: Day, Email: cy@acme.example, HasOptedOutOfEmail: true}
    then: {hubspot: {jobtitle: ""}}
    expect: {outcome: held, reason: held.policy, policy: no title is ever lost, salesforce: {Title: Boss, HasOptedOutOfEmail: true}}
  - name: nobody without a last name is created
    object: people
    hubspot: {email: ann@acme.example, firstname: Ann}
    expect: {outcome: held, reason: held.required-blank, salesforce: none}
  - name: wrong on purpose
    object: people
    hubspot: {email: dee@acme.example, lastname: Dee, jobtitle: Buyer}
    expect: {outcome: held, reason: held.conflict, policy: nobody, as: Contact, hubspot: none, salesforce: {Title: Boss}}
  - name: a record that the vendor does not take
    object: people
    hubspot: {email: not an address, lastname: Dee}
    expect: {outcome: synced}
`
	cases, err := ReadCases("lockstep.test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c := config("policies:\n  - {name: no title is ever lost, for: people, side: salesforce, deny: 'before.Title != \"\" and after.Title == \"\"', then: stop}\n")
	got := map[string][]string{}
	var order []string
	if err := Cases(context.Background(), c, cases, func(r Result) {
		order = append(order, r.Name)
		if !r.OK {
			got[r.Name] = r.Told
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(order) != len(cases) || order[0] != cases[0].Name || order[7] != cases[7].Name {
		t.Errorf("order %q", order)
	}
	if told := got["a record that the vendor does not take"]; len(told) != 1 || !strings.HasPrefix(told[0], "HubSpot does not take the given record: ") {
		t.Errorf("%q", told)
	}
	delete(got, "a record that the vendor does not take")
	want := map[string][]string{"wrong on purpose": {
		"it is synced (synced.created), and held is expected: new in Salesforce: Lead",
		"the reason is synced.created, and held.conflict is expected: new in Salesforce: Lead",
		`no planned write breaks the policy "nobody"`,
		"in Salesforce it is Lead, and Contact is expected",
		"there is a record in HubSpot, and none is expected",
		`Salesforce Title is "Buyer", and "Boss" is expected`,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMistakesInCasesAreTold(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a key that does not exist":    {"cases:\n  - {name: n, objekt: people}\n", "field objekt not found"},
		"no name":                      {"cases:\n  - {object: people}\n", "line 2: a case has no name"},
		"a name that stands twice":     {"cases:\n  - {name: n, hubspot: {a: b}, expect: {outcome: held}}\n  - {name: n}\n", `line 3: two cases are named "n"`},
		"nothing given":                {"cases:\n  - {name: n, object: people, expect: {outcome: held}}\n", `line 2: "n" gives no record`},
		"nothing expected":             {"cases:\n  - {name: n, object: people, hubspot: {a: b}}\n", `line 2: "n" expects nothing`},
		"an outcome that is none":      {"cases:\n  - {name: n, object: people, hubspot: {a: b}, expect: {outcome: fine}}\n", `line 2: there is no outcome "fine"`},
		"an edit of nothing":           {"cases:\n  - {name: n, object: people, hubspot: {a: b}, then: {}, expect: {outcome: held}}\n", "edits no record that is given"},
		"something else than a file":   {"hello", "cannot unmarshal"},
		"values that are no group":     {"cases:\n  - {name: n, hubspot: {a: b}, expect: {salesforce: all}}\n", "cannot unmarshal"},
		"a list where a group belongs": {"cases: {a: b}\n", "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadCases("lockstep.test.yaml", []byte(c.text))
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "lockstep.test.yaml") || fault.MendOf(err) == "" {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestCaseOfAnObjectThatIsNotMapped(t *testing.T) {
	cases, err := ReadCases("f", []byte("cases:\n  - {name: n, object: peple, hubspot: {lastname: b}, expect: {outcome: held}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	err = Cases(context.Background(), config(""), cases, func(Result) {})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), `no object "peple"`) {
		t.Errorf("%v", err)
	}
}

// custom are schemas as a real pair has them: fields, values and an object of
// its own.
func custom() mapping.Schemas {
	s := mapping.Schemas{HubSpot: mappingtest.HubSpot(), Salesforce: mappingtest.Salesforce()}
	for _, name := range []string{"deals"} {
		delete(s.HubSpot, name)
	}
	delete(s.Salesforce, "Opportunity")
	field := func(name, vendor string, kind crm.Kind, options ...string) crm.Field {
		f := crm.Field{Name: name, Label: name, Type: vendor, Kind: kind, Creatable: true, Updatable: true, Filterable: true, Restricted: len(options) > 0}
		for _, o := range options {
			f.Options = append(f.Options, crm.Option{Value: o, Label: o, Active: true})
		}
		return f
	}
	only := func(o *crm.Object, fields ...crm.Field) { o.Fields = fields }
	only(s.HubSpot["contacts"], field("shoe_size", "number/number", crm.KindNumber), field("tier", "enumeration/select", crm.KindPicklist, "gold", "tin"))
	only(s.HubSpot["companies"], field("industry", "enumeration/select", crm.KindPicklist, "CHEESE"))
	text := field("Shoe__c", "double", crm.KindNumber)
	text.Precision, text.Scale = 4, 1
	reference := field("Mentor__c", "reference", crm.KindReference)
	reference.ReferenceTo = []string{"Nowhere__c"}
	only(s.Salesforce["Contact"], text, field("Tier__c", "picklist", crm.KindPicklist, "gold", "tin"), reference)
	only(s.Salesforce["Account"], field("Industry", "picklist", crm.KindPicklist, "Cheese"))
	only(s.Salesforce["Lead"])
	s.Salesforce["Barn__c"] = &crm.Object{Side: crm.Salesforce, Name: "Barn__c", Label: "Barn", LabelPlural: "Barns", Fields: []crm.Field{field("Cows__c", "double", crm.KindNumber)}}
	s.HubSpot["p123_barns"] = &crm.Object{Side: crm.HubSpot, Name: "p123_barns", Label: "Barn", LabelPlural: "Barns", Fields: []crm.Field{field("cows", "number/number", crm.KindNumber)}}
	return s
}

func TestTwinGivesTheSandboxWhatTheAccountsHave(t *testing.T) {
	file, err := NewTwin(custom()).Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewTwin(custom()).Encode()
	if err != nil || !bytes.Equal(file, again) {
		t.Errorf("the same schemas give different files, or %v", err)
	}
	twin, err := ReadTwin(file)
	if err != nil {
		t.Fatal(err)
	}
	c := config("")
	c.Twin = twin
	c.Mapping = []byte(strings.Replace(people, "      - {hubspot: jobtitle, salesforce: Title}\n", "      - {hubspot: shoe_size, salesforce: Shoe__c, on: Contact}\n      - {hubspot: tier, salesforce: Tier__c, on: Contact}\n", 1))
	c.Mapping = []byte(strings.Replace(string(c.Mapping), "      - {hubspot: domain,", "      - {hubspot: industry, salesforce: Industry, values: {CHEESE: Cheese}, unmapped: skip}\n      - {hubspot: domain,", 1))
	w, err := open(context.Background(), c, "empty")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}()
	contact := w.pair.Bound.Object("people").Target("Contact").Schema
	if f := contact.Field("Shoe__c"); f == nil || f.Precision != 4 || f.Scale != 1 || f.Kind != crm.KindNumber {
		t.Errorf("Shoe__c is %+v", f)
	}
	if f := contact.Field("Tier__c"); f == nil || !f.Restricted || len(f.Options) != 2 {
		t.Errorf("Tier__c is %+v", f)
	}
	if contact.Field("Mentor__c") == nil {
		t.Error("a reference to an object that is not there is lost")
	}
	if f := w.pair.Bound.Object("companies").HubSpotSchema.Field("industry"); !slices.ContainsFunc(f.Options, func(o crm.Option) bool { return o.Value == "CHEESE" }) {
		t.Errorf("industry takes %v", f.Options)
	}
	if !slices.Contains(w.box.HubSpot().ObjectTypes(), "barns") && !slices.ContainsFunc(w.box.HubSpot().ObjectTypes(), func(n string) bool { return strings.HasSuffix(n, "_barns") }) {
		t.Errorf("HubSpot has %v", w.box.HubSpot().ObjectTypes())
	}
}

func TestTwinThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{"hello", "{}", `{"format": "lockstep-twin/0"}`, `{"format": "lockstep-twin/1", "records": []}`} {
		if _, err := ReadTwin([]byte(text)); fault.KindOf(err) != fault.Invalid || fault.MendOf(err) == "" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestJUnitHoldsEveryResult(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJUnit(&b, []Result{{Kind: "story", Name: "a <b>", OK: true, Told: []string{"fine"}}, {Kind: "case", Name: "c", Told: []string{"bad", "worse"}}}); err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal(b.Bytes(), &suite); err != nil {
		t.Fatal(err)
	}
	if suite.Tests != 2 || suite.Failures != 1 || suite.Cases[0].Name != "a <b>" || suite.Cases[0].Failure != nil || suite.Cases[1].Failure.Text != "bad\nworse" {
		t.Errorf("%+v", suite)
	}
}

const campaigns = `  - name: campaigns
    hubspot: lists
    salesforce: Campaign
    create: both
    match: [{hubspot: name, salesforce: Name, as: text}]
    where: {hubspot: 'hubspot.processingType != "DYNAMIC"'}
    fields: [{hubspot: name, salesforce: Name}]
    associations: [{hubspot: contacts, salesforce: CampaignMember}]
`

// TestListsAreTriedAsOtherObjectsAre: the story passes with them, a twin of them
// is built, and a case may give one.
func TestListsAreTriedAsOtherObjectsAre(t *testing.T) {
	t.Parallel()
	c := config(campaigns)
	for _, r := range story(t, c) {
		if !r.OK {
			t.Errorf("%s failed: %q", r.Name, r.Told)
		}
	}
	twin, err := OwnTwin(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.Twin = twin
	cases, err := ReadCases("lockstep.test.yaml", []byte(`cases:
  - {name: a list becomes a campaign, object: campaigns, hubspot: {name: Fair}, expect: {outcome: synced, salesforce: {Name: Fair}}}
  - {name: a campaign becomes a list, object: campaigns, salesforce: {Name: Fair}, expect: {outcome: synced, hubspot: {name: Fair, processingType: MANUAL}}}
  - {name: a new name travels, object: campaigns, hubspot: {name: Fair}, then: {hubspot: {name: Fair II}}, expect: {outcome: synced, salesforce: {Name: Fair II}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	err = Cases(t.Context(), c, cases, func(r Result) {
		if !r.OK {
			t.Errorf("%s failed: %q", r.Name, r.Told)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
