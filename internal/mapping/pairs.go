package mapping

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// standardPair is a pair of built-in fields that mean the same in every
// account. The pairs are those that HubSpot's own integration sets up:
// https://knowledge.hubspot.com/salesforce/map-hubspot-properties-to-salesforce-fields
type standardPair struct {
	hubspotObject, salesforceObject string
	hubspot, salesforce             string
	// blank is written to Salesforce where a required field has no value.
	blank string
}

func standardPairs() []standardPair {
	var out []standardPair
	add := func(hubspotObject, salesforceObject string, pairs ...string) {
		for _, p := range pairs {
			h, s, _ := strings.Cut(p, "=")
			out = append(out, standardPair{hubspotObject: hubspotObject, salesforceObject: salesforceObject, hubspot: h, salesforce: s})
		}
	}
	add("companies", "Account", "name=Name", "domain=Website", "phone=Phone", "industry=Industry", "type=Type", "numberofemployees=NumberOfEmployees",
		"annualrevenue=AnnualRevenue", "description=Description", "address=BillingStreet", "city=BillingCity", "state=BillingState",
		"zip=BillingPostalCode", "country=BillingCountry")
	person := []string{"firstname=FirstName", "lastname=LastName", "email=Email", "salutation=Salutation", "jobtitle=Title", "phone=Phone", "mobilephone=MobilePhone", "fax=Fax"}
	add("contacts", "Contact", person...)
	add("contacts", "Contact", "address=MailingStreet", "city=MailingCity", "state=MailingState", "zip=MailingPostalCode", "country=MailingCountry")
	add("contacts", "Lead", person...)
	out = append(out, standardPair{"contacts", "Lead", "company", "Company", "[not provided]"})
	add("contacts", "Lead", "website=Website", "address=Street", "city=City", "state=State", "zip=PostalCode", "country=Country")
	add("deals", "Opportunity", "dealname=Name", "amount=Amount", "closedate=CloseDate", "pipeline=Pipeline__c", "dealstage=StageName", "dealtype=Type",
		"hs_next_step=NextStep", "description=Description")
	return out
}

// yamlScalar writes one text so that yaml reads it back as that text.
func yamlScalar(s string) string {
	n := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.ContainsAny(s, "{}[],:#&*!|>'\"%@`\n") || strings.TrimSpace(s) != s {
		n.Style = yaml.DoubleQuotedStyle
	}
	out, err := yaml.Marshal(&n)
	if err != nil {
		return `""`
	}
	return strings.TrimRight(string(out), "\n")
}
