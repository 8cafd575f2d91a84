package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

func junctionNames(junctions []crm.Junction) string {
	var names []string
	for _, j := range junctions {
		names = append(names, j.Object)
	}
	return strings.Join(names, " ")
}

const partnersYAML = `hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    fields: [{hubspot: name, salesforce: Name, too-long: hold}]
  - name: people
    hubspot: contacts
    salesforce: Contact
    match: [{hubspot: email, salesforce: Email, as: email}]
    fields: [{hubspot: lastname, salesforce: LastName, too-long: hold}]
    associations:
      - ASSOCIATION
`

// partners are schemas with an object that joins contacts and accounts.
func partners() Schemas {
	s := standardSchemas()
	s.Labels = map[[2]string][]string{{"contacts", "companies"}: {"Advisor", "Backer"}}
	s.Salesforce["Partner__c"] = &crm.Object{Side: crm.Salesforce, Name: "Partner__c", Creatable: true, Updatable: true, Deletable: true, Fields: []crm.Field{
		mappingtest.Field("Contact__c", crm.KindReference, mappingtest.RefersTo("Contact")), mappingtest.Field("Account__c", crm.KindReference, mappingtest.RefersTo("Account")),
		mappingtest.Field("Role__c", crm.KindPicklist, mappingtest.Choices("Advisor", "Investor")), mappingtest.Field("Main__c", crm.KindBool), mappingtest.Field("Since__c", crm.KindDate)}}
	for i := range s.Salesforce["Partner__c"].Fields {
		s.Salesforce["Partner__c"].Fields[i].Permissionable = true
	}
	return s
}

func TestRowsAreBoundAndTheirMistakesHaveAPlace(t *testing.T) {
	const good = "{hubspot: companies, salesforce: {junction: Partner__c, near: Contact__c, far: Account__c, label: Role__c, primary: Main__c}, labels: {Advisor: Advisor, Backer: Investor}}"
	change := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for name, test := range map[string]struct {
		association string
		schemas     func(Schemas)
		want        []string // "line:column code" and a part of what or mend
	}{
		"everything fits":                     {association: good},
		"an object that is not there":         {association: change("junction: Partner__c", "junction: Partners__c"), want: []string{"15:53 object.unknown did you mean Partner__c?"}},
		"a reference that is not there":       {association: change("near: Contact__c", "near: Contac__c"), want: []string{"15:71 field.unknown did you mean Contact__c?"}},
		"a reference that is none":            {association: change("far: Account__c", "far: Role__c"), want: []string{"15:88 association.not-a-reference name a lookup"}},
		"references the other way round":      {association: change("near: Contact__c, far: Account__c", "near: Account__c, far: Contact__c"), want: []string{"15:53 association.no-role look at what Account__c and Contact__c refer to"}},
		"a label field that is not there":     {association: change("label: Role__c", "label: Rolle__c"), want: []string{"15:107 field.unknown did you mean Role__c?"}},
		"a label field that holds no text":    {association: change("label: Role__c", "label: Since__c"), want: []string{"15:107 association.label-kind name a text field"}},
		"a value that the picklist lacks":     {association: change("Backer: Investor", "Backer: Investr"), want: []string{"15:162 value.unknown did you mean Investor?"}},
		"a primary field that is no checkbox": {association: change("primary: Main__c", "primary: Role__c"), want: []string{"15:125 association.not-a-checkbox name a checkbox"}},
		"two labels of one value":             {association: change("Backer: Investor", "Backer: Advisor"), want: []string{"15:162 association.labels give each label a value of its own"}},
		"labels without a label field":        {association: change(", label: Role__c", ""), want: []string{"15:128 association.labels add label:"}},
		"a label that HubSpot lacks":          {association: good, schemas: func(s Schemas) { s.Labels[[2]string{"contacts", "companies"}] = []string{"Advisor", "Backers"} }, want: []string{"15:162 association.unknown-label did you mean Backers?"}},
		"wins, where nobody has to":           {association: change("}}", "}, wins: salesforce}"), want: []string{"15:187 association.wins take `wins` out"}},
		"labels of a reference field":         {association: "{hubspot: companies, salesforce: AccountId, labels: {Advisor: Advisor}}", want: []string{"15:62 association.labels take `labels` out"}},
		"newest wins, which cannot be":        {association: "{hubspot: companies, salesforce: AccountId, wins: newest}", want: []string{"15:59 yaml.bad-value write one of hubspot, salesforce, hold"}},
		"a key that is not one":               {association: change("near:", "neer:"), want: []string{"15:42 yaml.missing-key add near:", "15:65 yaml.unknown-key did you mean near?"}},
		"rows that may not be removed":        {association: good, schemas: func(s Schemas) { s.Salesforce["Partner__c"].Deletable = false }, want: []string{"15:53 object.not-creatable grant Delete on Partner__c"}},
		"a reference that may not be written": {association: good, schemas: func(s Schemas) { s.Salesforce["Partner__c"].Field("Account__c").Creatable = false }, want: []string{"15:88 field.read-only direction: to-hubspot"}},
		"the same, and nothing is written":    {association: change("}}", "}, direction: to-hubspot}"), schemas: func(s Schemas) { s.Salesforce["Partner__c"].Field("Account__c").Creatable = false }},
	} {
		t.Run(name, func(t *testing.T) {
			var problems *Problems
			m, err := Parse("lockstep.yaml", []byte(strings.Replace(partnersYAML, "ASSOCIATION", test.association, 1)))
			if err == nil {
				schemas := partners()
				if test.schemas != nil {
					test.schemas(schemas)
				}
				_, problems = m.Bind(schemas)
			} else {
				problems = err.(*Problems)
			}
			var got, want []string
			if problems != nil {
				for _, p := range problems.All {
					got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Code))
				}
			}
			for i, w := range test.want {
				parts := strings.SplitN(w, " ", 3)
				want = append(want, parts[0]+" "+parts[1])
				if problems != nil && i < len(problems.All) && !strings.Contains(problems.All[i].What+"\n"+problems.All[i].Mend, parts[2]) {
					t.Errorf("neither %q nor %q says %q", problems.All[i].What, problems.All[i].Mend, parts[2])
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%v", diff, problems)
			}
		})
	}
}

func TestRowsNeedRightsOnTheirObject(t *testing.T) {
	needs := func(association string) (scopes, permissions []string) {
		m, err := Parse("lockstep.yaml", []byte(strings.Replace(partnersYAML, "ASSOCIATION", association, 1)))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range m.Scopes() {
			if strings.Contains(n.Why, "associat") {
				scopes = append(scopes, n.Name)
			}
		}
		for _, n := range m.PermissionNeeds(partners().Salesforce) {
			if n.Object == "Partner__c" {
				permissions = append(permissions, n.Name)
			}
		}
		return scopes, permissions
	}
	scopes, permissions := needs("{hubspot: companies, salesforce: {junction: Partner__c, near: Contact__c, far: Account__c, label: Role__c}}")
	if diff := cmp.Diff([]string{"crm.objects.companies.read", "crm.objects.contacts.write", "crm.objects.companies.write"}, scopes, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Partner__c: Read", "Partner__c: Create", "Partner__c: Edit", "Partner__c: Delete", "Partner__c.Contact__c: Edit", "Partner__c.Account__c: Edit", "Partner__c.Role__c: Edit"}, permissions); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	_, permissions = needs("{hubspot: companies, salesforce: {junction: Partner__c, near: Contact__c, far: Account__c}, direction: to-hubspot}")
	if diff := cmp.Diff([]string{"Partner__c: Read", "Partner__c.Contact__c: Read", "Partner__c.Account__c: Read"}, permissions); diff != "" {
		t.Errorf("only to HubSpot (-want +got):\n%s", diff)
	}
	if scopes, _ = needs("{hubspot: companies, salesforce: {junction: Partner__c, near: Contact__c, far: Account__c}, direction: to-salesforce}"); len(scopes) != 1 {
		t.Errorf("only to Salesforce, and yet %v", scopes)
	}
}
