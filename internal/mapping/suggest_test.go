package mapping

import (
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

// standardSchemas are two accounts as their vendors hand them out.
func standardSchemas() Schemas {
	return Schemas{HubSpot: mappingtest.HubSpot(), Salesforce: mappingtest.Salesforce()}
}

func mustBind(t *testing.T, src string, s Schemas) *Bound {
	t.Helper()
	m, err := Parse("lockstep.yaml", []byte(src))
	if err != nil {
		t.Fatalf("parse:\n%v\n\n%s", err, src)
	}
	b, problems := m.Bind(s)
	if problems != nil && problems.failed() {
		t.Fatalf("bind:\n%v\n\n%s", problems, src)
	}
	return b
}

func TestSuggestionParsesAndBindsToTheSchemasItWasMadeFrom(t *testing.T) {
	full := standardSchemas()
	without := func(change func(Schemas)) Schemas {
		s := standardSchemas()
		change(s)
		return s
	}
	for name, s := range map[string]Schemas{
		"two standard accounts":     full,
		"no leads":                  without(func(s Schemas) { delete(s.Salesforce, "Lead") }),
		"no contacts in Salesforce": without(func(s Schemas) { delete(s.Salesforce, "Contact") }),
		"no deals":                  without(func(s Schemas) { delete(s.HubSpot, "deals") }),
		"no companies":              without(func(s Schemas) { delete(s.HubSpot, "companies") }),
		"nothing that we know":      {HubSpot: map[string]*crm.Object{}, Salesforce: map[string]*crm.Object{}},
		"no field for HubSpot ids":  without(func(s Schemas) { dropField(s.Salesforce["Lead"], "HubSpot_Id__c") }),
		"a required field that nobody fills": without(func(s Schemas) {
			s.Salesforce["Account"].Fields = append(s.Salesforce["Account"].Fields, mappingtest.Field("Region__c", crm.KindText, mappingtest.Required()))
		}),
		"a credential that may not create": without(func(s Schemas) { s.Salesforce["Account"].Creatable = false }),
		"a HubSpot that may not be written": without(func(s Schemas) {
			for i := range s.HubSpot["contacts"].Fields {
				s.HubSpot["contacts"].Fields[i].Updatable, s.HubSpot["contacts"].Fields[i].Creatable = false, false
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			src := string(Suggest(s, Accounts{HubSpot: "acme", Salesforce: "acme-production"}))
			if name == "nothing that we know" {
				if _, err := Parse("lockstep.yaml", []byte(src)); err == nil {
					t.Error("a file without objects passes")
				}
				return
			}
			mustBind(t, src, s)
		})
	}
}

func dropField(o *crm.Object, name string) {
	for i := range o.Fields {
		if o.Fields[i].Name == name {
			o.Fields = append(o.Fields[:i:i], o.Fields[i+1:]...)
			return
		}
	}
}

func TestSuggestionSaysWhatMattersToPeople(t *testing.T) {
	src := string(Suggest(standardSchemas(), Accounts{HubSpot: "acme", Salesforce: "acme-production"}))
	for _, want := range []string{
		"hubspot: acme", "salesforce: acme-production", "deletes: ask", "create: in-salesforce", "external-id: HubSpot_Id__c", "owner: by-email",
		`when: 'hubspot.associatedcompanyid != ""'`, "{object: Lead}", "salesforce: AccountId, on: [Contact]", "OpportunityContactRole",
		"qualifiedtobuy: Value Proposition", "default: Sales", `blank: "[not provided]"`, "# where:", "FOOD_BEVERAGES: \"Food & Beverage\"", "Not suggested", "Cannot be kept in step", "map the parts, such as BillingStreet",
	} {
		if !strings.Contains(src, want) {
			t.Errorf("the suggestion does not say %s", want)
		}
	}
}
