package mapping

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// design is the example of the documentation, whole.
const design = `# yaml-language-server: $schema=./.lockstep/schema.json
hubspot: acme
salesforce: acme-production
every: 1m
brakes: {creates: 500, updates: 20%, deletes: 10}
budget: {hubspot: 60%, salesforce: 30%}
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    create: both
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: phone, salesforce: Phone, wins: salesforce}
      - {hubspot: industry, salesforce: Industry, values: {COMPUTER_SOFTWARE: Technology}}
      - {hubspot: annualrevenue, salesforce: AnnualRevenue, direction: to-hubspot}
      - {salesforce: Tier__c, from: 'hubspot.country == "US" ? "AMER" : "EMEA"'}
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != ""'}, {object: Lead}]
    match: [{hubspot: email, salesforce: Email, as: email}]
    external-id: HubSpot_Id__c
    where: {hubspot: 'hubspot.lifecyclestage != "subscriber"'}
    fields:
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: company, salesforce: Company, blank: Unknown, too-long: cut, unmapped: {use: Other}, on: Lead}
    associations: [{hubspot: companies, salesforce: AccountId, on: [Contact]}]
    owner: by-email
    deletes: ask
`

func TestParseReadsTheWholeExample(t *testing.T) {
	m, err := Parse("lockstep.yaml", []byte(design))
	if err != nil {
		t.Fatal(err)
	}
	want := &Mapping{File: "lockstep.yaml", HubSpot: "acme", Salesforce: "acme-production", Every: time.Minute,
		Brakes: Brakes{Creates: Limit{Count: 500}, Updates: Limit{Share: .2}, Deletes: Limit{Count: 10}}, Budget: Budget{HubSpot: .6, Salesforce: .3},
		Objects: []Object{{
			Name: "companies", HubSpot: "companies", Targets: []Target{{Object: "Account"}}, Match: []Match{{HubSpot: "domain", Salesforce: "Website", As: "domain"}}, Create: CreateBoth, Deletes: Deletes{DeletesIgnore, DeletesIgnore}, Leaves: LeavesStop,
			Fields: []Field{
				{HubSpot: "name", Salesforce: "Name", Direction: Both, Wins: WinsNewest, Unmapped: "hold", TooLong: "hold"},
				{HubSpot: "phone", Salesforce: "Phone", Direction: Both, Wins: WinsSalesforce, Unmapped: "hold", TooLong: "hold"},
				{HubSpot: "industry", Salesforce: "Industry", Direction: Both, Wins: WinsNewest, Values: []ValuePair{{HubSpot: "COMPUTER_SOFTWARE", Salesforce: "Technology"}}, Unmapped: "hold", TooLong: "hold"},
				{HubSpot: "annualrevenue", Salesforce: "AnnualRevenue", Direction: ToHubSpot, Wins: WinsNewest, Unmapped: "hold", TooLong: "hold"},
				{Salesforce: "Tier__c", From: `hubspot.country == "US" ? "AMER" : "EMEA"`, Direction: ToSalesforce, Wins: WinsNewest, Unmapped: "hold", TooLong: "hold"},
			},
		}, {
			Name: "people", HubSpot: "contacts", Targets: []Target{{Object: "Contact", When: `hubspot.associatedcompanyid != ""`}, {Object: "Lead"}}, Match: []Match{{HubSpot: "email", Salesforce: "Email", As: "email"}},
			ExternalID: "HubSpot_Id__c", Create: CreateInSalesforce, Where: Where{HubSpot: `hubspot.lifecyclestage != "subscriber"`}, OwnerByEmail: true, Deletes: Deletes{DeletesAsk, DeletesAsk}, Leaves: LeavesStop,
			Fields: []Field{
				{HubSpot: "lastname", Salesforce: "LastName", Direction: Both, Wins: WinsNewest, Unmapped: "hold", TooLong: "hold"},
				{HubSpot: "company", Salesforce: "Company", Direction: Both, Wins: WinsNewest, Unmapped: "use", UnmappedValue: "Other", Blank: "Unknown", TooLong: "cut", TooLongGiven: true, On: []string{"Lead"}},
			},
			Associations: []Association{{HubSpot: "companies", Salesforce: "AccountId", On: []string{"Contact"}, Direction: Both, Wins: WinsHubSpot}},
		}}}
	if diff := cmp.Diff(want, m, cmpopts.IgnoreTypes(Pos{}), cmpopts.IgnoreFields(Mapping{}, "Version")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := m.Objects[1].Targets[0].WhenPos; p != (Pos{21, 43}) {
		t.Errorf("the rule of Contact stands at %+v", p)
	}
	mustBind(t, design, standardSchemas())
}

func TestValuesAreTakenAsTheyAreWritten(t *testing.T) {
	m, err := Parse("lockstep.yaml", []byte(`
hubspot: no
salesforce: 007
objects:
  - name: deals
    hubspot: deals
    salesforce: Opportunity
    fields:
      - {hubspot: a, salesforce: B, values: {no: yes, on: off, 007: 1.50, true: "null"}, blank: 0}
`))
	if err != nil {
		t.Fatal(err)
	}
	f := m.Objects[0].Fields[0]
	want := []ValuePair{{HubSpot: "no", Salesforce: "yes"}, {HubSpot: "on", Salesforce: "off"}, {HubSpot: "007", Salesforce: "1.50"}, {HubSpot: "true", Salesforce: "null"}}
	if diff := cmp.Diff(want, f.Values, cmpopts.IgnoreTypes(Pos{})); diff != "" || m.HubSpot != "no" || m.Salesforce != "007" || f.Blank != "0" {
		t.Errorf("hubspot %q, salesforce %q, blank %q\n%s", m.HubSpot, m.Salesforce, f.Blank, diff)
	}
}

// minimal is a valid file into which a test puts a mistake.
const minimal = `hubspot: acme
salesforce: acme
objects:
  - name: people
    hubspot: contacts
    salesforce: [Contact]
    fields:
      - {hubspot: email, salesforce: Email}
`

func TestMistakesAreToldWithPlaceAndMend(t *testing.T) {
	change := func(from, to string) string { return strings.Replace(minimal, from, to, 1) }
	for name, test := range map[string]struct {
		src  string
		want []string // "line:column code what | mend"
	}{
		"an unknown key, with the nearest right one":         {change("fields:", "feilds:"), []string{"7:5 yaml.unknown-key feilds is not a key of objects[1] | did you mean fields?"}},
		"an unknown key that is like none":                   {change("hubspot: acme", "hubspot: acme\nxyzzy: 1"), []string{"2:1 yaml.unknown-key xyzzy is not a key of the file | the keys here are hubspot, salesforce, every, brakes, budget, wake, policies, objects"}},
		"a missing key":                                      {change("hubspot: acme\n", ""), []string{"1:1 yaml.missing-key the file lacks hubspot | add hubspot: acme"}},
		"a repeated key":                                     {change("hubspot: acme", "hubspot: acme\nhubspot: b"), []string{"2:1 yaml.duplicate-key hubspot stands twice in the file, first in line 1 | keep one of the two"}},
		"a list where a value is wanted":                     {change("name: people", "name: [people]"), []string{"4:11 yaml.wrong-type objects[1].name is a list, and should be one value | write people"}},
		"a value where a list is wanted":                     {change("\n      - {hubspot: email, salesforce: Email}", " email"), []string{"7:13 yaml.wrong-type objects[1].fields is one value, and should be a list | start each entry with a dash, or write [ … ]"}},
		"an empty value":                                     {change("name: people", "name:"), []string{"4:10 yaml.wrong-type objects[1].name is empty | write people, or take the line out"}},
		"a word that yaml reads as nothing":                  {change("name: people", "name: null"), []string{`4:11 yaml.wrong-type objects[1].name is empty | if the word itself is meant, put it in quotes: "null"`}},
		"a word that is none of the choices":                 {change("fields:", "create: in-salesforces\n    fields:"), []string{`7:13 yaml.bad-value objects[1].create is "in-salesforces", which it cannot be | did you mean in-salesforce?`}},
		"yaml's old words for true and false":                {change("fields:", "create: no\n    fields:"), []string{`7:13 yaml.bad-value objects[1].create is "no", which it cannot be | write one of in-salesforce, in-hubspot, both, never`}},
		"a bad duration":                                     {change("objects:", "every: 5\nobjects:"), []string{`3:8 yaml.bad-value every is "5", which is no such time | write a time such as 30s, 1m or 2h, from 1s to 24h`}},
		"a bad share":                                        {change("objects:", "budget: {hubspot: 0.6}\nobjects:"), []string{`3:19 yaml.bad-value budget.hubspot is "0.6", which is no share | write a share such as 60%, above 0% and at most 100%`}},
		"a bad limit":                                        {change("objects:", "brakes: {updates: many}\nobjects:"), []string{`3:19 yaml.bad-value brakes.updates is "many", which is no limit | write a number of records such as 500, or a share such as 20%`}},
		"a target URL without https":                         {change("objects:", "wake: {webhooks: {url: http://sync.example.com/hubspot}}\nobjects:"), []string{"3:24 wake.bad-url HubSpot posts webhooks to https addresses only | put a proxy with https before it, and write its address"}},
		"a target URL without a scheme":                      {change("objects:", "wake: {webhooks: {url: sync.example.com}}\nobjects:"), []string{`3:24 wake.bad-url "sync.example.com" is no address that HubSpot could post to | write the whole target URL, such as https://sync.example.com/hubspot`}},
		"a switch that is neither on nor off":                {change("objects:", "wake: {journal: yes}\nobjects:"), []string{`3:17 yaml.bad-value wake.journal is "yes", which is neither true nor false | write true or false`}},
		"a tab":                                              {change("  - name", "\t- name"), []string{"4:1 yaml.syntax this is not yaml: found character that cannot start any token | " + syntaxMend}},
		"no file at all":                                     {"# nothing\n", []string{"1:1 yaml.empty the file is empty | `lockstep init` writes one"}},
		"a second document":                                  {minimal + "---\nx: 1\n", []string{"9:1 yaml.syntax the file holds a second document | take out the line --- and what follows"}},
		"a merge key":                                        {change("{hubspot: email, salesforce: Email}", "&a {hubspot: email, salesforce: Email}\n      - {<<: *a, hubspot: phone}"), []string{"9:9 field.incomplete phone has no Salesforce field | add salesforce: and the field's name", "9:10 yaml.unknown-key << is not a key of objects[1].fields[2] | merge keys are not read here; write the keys out"}},
		"a field that names one side":                        {change(", salesforce: Email", ""), []string{"8:9 field.incomplete email has no Salesforce field | add salesforce: and the field's name"}},
		"a computed field that names both sides":             {change("salesforce: Email", "salesforce: Email, from: '1'"), []string{"8:9 field.computed a field with `from` names both sides | name only the side that the value is written to"}},
		"a computed field with a direction against its side": {change("{hubspot: email, salesforce: Email}", "{salesforce: Email, from: 'hubspot.email', direction: to-hubspot}"), []string{"8:9 field.computed a computed value goes to the side that is named, not to-hubspot | take `direction` out"}},
		"two fields that write one":                          {change("salesforce: Email}", "salesforce: Email}\n      - {hubspot: work_email, salesforce: Email}"), []string{"9:9 field.two-writers Salesforce Email is written by two fields, the first in line 8 | keep one, or limit them with `on` or `direction`"}},
		"on: names no target":                                {change("salesforce: Email}", "salesforce: Email, on: [Contcat]}"), []string{"8:9 mapping.unknown-target on: Contcat is none of the Salesforce objects of people | did you mean Contact?"}},
		"one object mapped twice":                            {minimal + "  - {name: more, hubspot: contacts, salesforce: Lead}\n", []string{"9:27 mapping.mapped-twice HubSpot contacts is mapped by people already | keep one of the two; use several Salesforce objects with `when` rules for one HubSpot object"}},
		"several mistakes at once": {change("hubspot: acme", "hubspt: acme") + "  - {name: Ä, hubspot: deals, salesforce: Opportunity, deletes: always}\n", []string{
			"1:1 yaml.unknown-key hubspt is not a key of the file | did you mean hubspot?", "1:1 yaml.missing-key the file lacks hubspot | add hubspot: acme",
			"9:12 mapping.bad-name \"Ä\" cannot be the name of an object | use lower case letters, digits, - and _", `9:65 yaml.bad-value objects[2].deletes is "always", which it cannot be | write one of ignore, ask, archive`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("lockstep.yaml", []byte(test.src))
			var problems *Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error %v, want Problems", err)
			}
			if fault.KindOf(err) != fault.Invalid || fault.MendOf(err) == "" {
				t.Errorf("kind %s, mend %q", fault.KindOf(err), fault.MendOf(err))
			}
			var got []string
			for _, p := range problems.All {
				got = append(got, strings.TrimPrefix(strings.Replace(p.String(), ": ", " "+p.Code+" ", 1), "lockstep.yaml:")+" | "+p.Mend)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAliasesCannotGrowWithoutEnd(t *testing.T) {
	var b strings.Builder
	b.WriteString("a: &a0 {hubspot: x, salesforce: y}\n")
	for i := 1; i < 12; i++ {
		b.WriteString("b: &a" + string(rune('a'+i)) + " [")
		b.WriteString(strings.Repeat("*a0, ", 9) + "*a0]\n")
	}
	b.WriteString("objects: &o\n  - name: *o\n")
	if _, err := Parse("lockstep.yaml", []byte(b.String())); err == nil {
		t.Error("a file that contains itself passes")
	}
}

func TestVersionIsOfWhatDecides(t *testing.T) {
	version := func(src string) uint64 {
		t.Helper()
		m, err := Parse("lockstep.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		return m.Version
	}
	base := version(minimal)
	for _, same := range []string{"# a comment\n" + minimal, strings.Replace(minimal, "{hubspot: email, salesforce: Email}", "{salesforce: Email, hubspot: email}", 1), "every: 5m\n" + minimal} {
		if version(same) != base {
			t.Errorf("another version, though nothing decides otherwise:\n%s", same)
		}
	}
	for _, other := range []string{strings.Replace(minimal, "salesforce: Email", "salesforce: Email, wins: hubspot", 1), strings.Replace(minimal, "hubspot: acme", "hubspot: other", 1), minimal + "    deletes: ask\n"} {
		if version(other) == base {
			t.Errorf("the same version, though it decides otherwise:\n%s", other)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(design))
	f.Add([]byte(minimal))
	f.Add([]byte("objects: &a [*a]"))
	f.Add([]byte("{hubspot: {}, objects: [{fields: [{values: {? [a] : b}}]}]}"))
	schemas := standardSchemas()
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := Parse("lockstep.yaml", src)
		if (m == nil) == (err == nil) {
			t.Fatalf("mapping %v and error %v", m, err)
		}
		if err != nil {
			var problems *Problems
			if !errors.As(err, &problems) || len(problems.Errors()) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			return
		}
		if b, problems := m.Bind(schemas); b == nil && len(problems.Errors()) == 0 {
			t.Fatal("not bound, and no problem says why")
		}
	})
}
