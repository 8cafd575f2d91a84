package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// withPolicies is a small mapping with these policies.
func withPolicies(policies string) string {
	return `hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    fields: [{hubspot: name, salesforce: Name}]
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != ""'}, Lead]
    match: [{hubspot: email, salesforce: Email, as: email}]
    fields:
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: company, salesforce: Company, on: Lead}
      - {hubspot: hs_email_optout, salesforce: HasOptedOutOfEmail, direction: to-salesforce}
policies:
` + policies
}

func bindPolicies(t *testing.T, policies string) (*Bound, *Problems) {
	t.Helper()
	m, err := Parse("lockstep.yaml", []byte(withPolicies(policies)))
	if err != nil {
		var p *Problems
		if p, _ = err.(*Problems); p == nil {
			t.Fatal(err)
		}
		return nil, p
	}
	return m.Bind(standardSchemas())
}

func TestPoliciesAreBoundToTheObjectsTheyAreAbout(t *testing.T) {
	b, problems := bindPolicies(t, `
  - name: no opt-out is ever overwritten
    for: people
    side: salesforce
    deny: before.HasOptedOutOfEmail and not after.HasOptedOutOfEmail
    then: stop
  - {name: owner never becomes blank, side: hubspot, deny: 'before.hubspot_owner_id != "" and after.hubspot_owner_id == ""'}
  - {name: nothing is ever deleted, deny: write.op == "archive"}
  - {name: leads keep their company, for: people, side: salesforce, on: Lead, deny: '"Company" in write.fields'}
`)
	if b == nil {
		t.Fatal(problems)
	}
	got := map[string][]string{}
	for _, o := range b.Objects {
		for _, p := range o.Policies {
			got[o.Name] = append(got[o.Name], fmt.Sprintf("%s then %s reads %v %v", p.Name, p.Then, p.HubSpotFields, p.SalesforceFields))
		}
	}
	want := map[string][]string{
		"companies": {"owner never becomes blank then hold reads [hubspot_owner_id] []", "nothing is ever deleted then hold reads [] []"},
		"people": {"no opt-out is ever overwritten then stop reads [] [HasOptedOutOfEmail]", "owner never becomes blank then hold reads [hubspot_owner_id] []",
			"nothing is ever deleted then hold reads [] []", "leads keep their company then hold reads [] []"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// What a policy reads is read along, on every side that has it.
	people := b.Object("people")
	if !slices.Contains(people.HubSpotRead.Layout.Fields, "hubspot_owner_id") {
		t.Errorf("HubSpot reads %v", people.HubSpotRead.Layout.Fields)
	}
	for _, target := range people.Targets {
		if !slices.Contains(target.Read.Layout.Fields, "HasOptedOutOfEmail") {
			t.Errorf("%s reads %v", target.Object, target.Read.Layout.Fields)
		}
	}
}

func TestMistakesInPoliciesAreToldWithPlaceAndMend(t *testing.T) {
	for name, c := range map[string]struct {
		policy string
		want   string
	}{
		"a field that the written side does not have": {`{name: n, for: people, side: salesforce, deny: 'before.HasOptedOutOfMail'}`,
			"18:60 policy Salesforce (Contact and Lead together) has no field HasOptedOutOfMail | did you mean HasOptedOutOfEmail?"},
		"a HubSpot name on the Salesforce side": {`{name: n, for: companies, side: salesforce, deny: 'after.hubspot_owner_id == ""'}`,
			"18:62 policy Salesforce Account has no field hubspot_owner_id | "},
		"a field that not every object has": {`{name: n, side: salesforce, deny: 'after.HasOptedOutOfEmail'}`,
			"18:46 policy Salesforce Account has no field HasOptedOutOfEmail | "},
		"before without a side": {`{name: n, for: people, deny: 'before.lastname == ""'}`,
			"18:35 policy before cannot be read in this expression | say which side is written to: add side: salesforce (or hubspot) to the policy"},
		"a field in write.fields that nobody has": {`{name: n, for: people, side: salesforce, deny: '"LastNam" in write.fields'}`,
			"18:53 policy Salesforce (Contact and Lead together) has no field LastNam | did you mean LastName?"},
		"an operation that does not exist":       {`{name: n, deny: 'write.op == "delete"'}`, `18:34 policy write.op is never "delete" | `},
		"an operation in a list":                 {`{name: n, deny: 'write.op in ["create", "updte"]'}`, `18:45 policy write.op is never "updte" | did you mean update?`},
		"an object that is not written":          {`{name: n, for: people, deny: 'write.object == "Contacts"'}`, `18:51 policy write.object is never "Contacts" | did you mean contacts?`},
		"a word of write that does not exist":    {`{name: n, deny: 'write.kind == "x"'}`, "18:28 policy type mapping.PolicyWrite has no field kind | "},
		"a condition that is none":               {`{name: n, deny: 'write.op'}`, "18:22 policy expected bool, but got string | "},
		"a number compared with text":            {`{name: n, for: companies, side: salesforce, deny: 'after.AnnualRevenue == "5"'}`, "18:76 policy invalid operation: == (mismatched types float64 and string) | text is compared with text in quotes"},
		"the record itself":                      {`{name: n, for: people, side: salesforce, deny: 'after == nil'}`, "18:53 policy after is a record; name one of its fields | write after.name_of_the_field"},
		"half of an expression":                  {`{name: n, deny: 'write.op =='}`, "18:32 policy unexpected token EOF | "},
		"an object that the file does not have":  {`{name: n, for: peple, deny: 'true'}`, "18:20 policy.unknown-object for: peple is none of the objects of this file | did you mean people?"},
		"a target that the object does not have": {`{name: n, for: people, on: Leed, deny: 'true'}`, "18:32 policy.unknown-target on: Leed is none of the Salesforce objects that this policy is about | did you mean Lead?"},
		"on beside side: hubspot":                {`{name: n, for: people, on: Lead, side: hubspot, deny: 'true'}`, "18:32 policy.on `on` names Salesforce objects, and this policy is about writes to HubSpot | take `on` out, or write side: salesforce"},
		"beyond that holds":                      {`{name: n, deny: 'true', then: hold, beyond: 5}`, "18:5 policy.beyond a policy with `beyond` is a brake on the whole plan and cannot hold single records | take `beyond` out, or write then: stop"},
		"no condition":                           {`{name: n}`, "18:5 yaml.missing-key policies[1] lacks deny | add deny: "},
		"an effect that does not exist":          {`{name: n, deny: 'true', then: block}`, `18:35 yaml.bad-value policies[1].then is "block", which it cannot be | `},
		"a name that stands twice":               {"{name: n, deny: 'true'}\n  - {name: n, deny: 'false'}", "19:12 policy.duplicate-name two policies are named \"n\", the first in line 18 | give each its own name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := bindPolicies(t, "  - "+c.policy+"\n")
			if problems == nil {
				t.Fatal("no problem was found")
			}
			var got []string
			for _, p := range problems.Errors() {
				got = append(got, fmt.Sprintf("%d:%d %s %s | %s", p.Line, p.Column, p.Code, p.What, p.Mend))
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestPolicyThatIsAboutNothingIsWarnedOf(t *testing.T) {
	b, problems := bindPolicies(t, "  - {name: n, for: companies, on: Contact, deny: 'true'}\n")
	if b != nil || len(problems.Errors()) != 1 || problems.Errors()[0].Code != "policy.unknown-target" {
		t.Errorf("%v", problems)
	}
}

func TestPermissionsOfPoliciesAreNeeded(t *testing.T) {
	b, problems := bindPolicies(t, "  - {name: quiet, for: people, side: salesforce, on: Contact, deny: 'after.Fax != \"\" and salesforce.MobilePhone == \"\"'}\n")
	if b == nil {
		t.Fatal(problems)
	}
	found := map[string]string{}
	for _, n := range b.Permissions(b) {
		found[n.Name] = n.Why
	}
	for _, name := range []string{"Contact.Fax: Read", "Contact.MobilePhone: Read"} {
		if !strings.Contains(found[name], `the policy "quiet" reads it`) {
			t.Errorf("%s: %q", name, found[name])
		}
	}
	if _, ok := found["Lead.Fax: Read"]; ok {
		t.Error("a field of another object is needed")
	}
}

func TestConditionsOfPolicies(t *testing.T) {
	record := func(object string, fields ...string) *crm.Record {
		var names []string
		for i := 0; i < len(fields); i += 2 {
			names = append(names, fields[i])
		}
		r := &crm.Record{ID: "1", Layout: crm.NewLayout(object, names)}
		for i := 1; i < len(fields); i += 2 {
			r.Values = append(r.Values, crm.Text(fields[i]))
		}
		return r
	}
	opted, not := record("Contact", "HasOptedOutOfEmail", "true", "LastName", "Lee"), record("Contact", "HasOptedOutOfEmail", "false", "LastName", "Lee")
	update := PolicyWrite{Op: "update", Side: "salesforce", Object: "Contact", Fields: []string{"HasOptedOutOfEmail"}}
	for name, c := range map[string]struct {
		deny          string
		write         PolicyWrite
		before, after *crm.Record
		want          bool
	}{
		"an opt-out that is taken back":     {"before.HasOptedOutOfEmail and not after.HasOptedOutOfEmail", update, opted, not, true},
		"an opt-out that is set":            {"before.HasOptedOutOfEmail and not after.HasOptedOutOfEmail", update, not, opted, false},
		"the issue's own words":             {`write.side == "salesforce" && "HasOptedOutOfEmail" in write.fields && before.HasOptedOutOfEmail == true && after.HasOptedOutOfEmail != true`, update, opted, not, true},
		"a field that is not written":       {`"LastName" in write.fields`, update, opted, not, false},
		"a create has nothing before":       {`before.LastName == "" and after.LastName != ""`, PolicyWrite{Op: "create"}, nil, not, true},
		"several fields at once":            {`count(write.fields, # in ["LastName", "HasOptedOutOfEmail"]) > 0`, update, opted, not, true},
		"a link that is made by the way":    {"write.link", PolicyWrite{Link: true}, opted, not, true},
		"what a link is not":                {"write.link", update, opted, not, false},
		"a blank and nil are the same here": {"after.Email == nil and after.Email == \"\"", update, opted, not, true},
	} {
		t.Run(name, func(t *testing.T) {
			b, problems := bindPolicies(t, fmt.Sprintf("  - {name: n, for: people, side: salesforce, deny: '%s'}\n", c.deny))
			if b == nil {
				t.Fatal(problems)
			}
			got, err := b.Object("people").Policies[0].Broken(c.write, c.before, c.after, nil, nil)
			if err != nil || got != c.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	b, _ := bindPolicies(t, "  - {name: n, for: people, side: salesforce, deny: 'after.LastName != \"\"'}\n")
	hidden := record("Contact", "LastName", "x")
	hidden.Values[0] = crm.Value{State: crm.Unreadable}
	if _, err := b.Object("people").Policies[0].Broken(update, hidden, hidden, nil, nil); err == nil {
		t.Error("a value that may not be read was judged")
	}
}

// The examples that init writes as comments hold when somebody takes the signs
// of comment away.
func TestExamplesOfPoliciesFitTheStandardObjects(t *testing.T) {
	suggestion := string(Suggest(standardSchemas(), Accounts{"acme", "acme"}))
	for _, line := range policyExamples {
		if !strings.Contains(suggestion, "# "+line+"\n") {
			t.Errorf("the suggestion lacks %s", line)
		}
		suggestion = strings.Replace(suggestion, "# "+line+"\n", line+"\n", 1)
	}
	m, err := Parse("lockstep.yaml", []byte(suggestion))
	if err != nil {
		t.Fatal(err)
	}
	b, problems := m.Bind(standardSchemas())
	if b == nil {
		t.Fatal(problems)
	}
	if len(m.Policies) != 4 || len(b.Object("people").Policies) != 3 {
		t.Errorf("%d policies, %d for people", len(m.Policies), len(b.Object("people").Policies))
	}
}
