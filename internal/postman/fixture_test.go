package postman_test

import (
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

// everything is a mapping with every kind of field and rule that a chain can say.
const everything = `
hubspot: acme
salesforce: acme-production
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}, {hubspot: name, salesforce: Name, as: text}]
    external-id: HubSpot_Id__c
    create: in-salesforce
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: domain, salesforce: Website}
      - {hubspot: industry, salesforce: Industry, unmapped: skip, values: {COMPUTER_SOFTWARE: Technology}}
      - {hubspot: annualrevenue, salesforce: AnnualRevenue}
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != ""'}, {object: Lead}]
    match: [{hubspot: email, salesforce: Email, as: email}]
    external-id: HubSpot_Id__c
    create: in-salesforce
    where: {hubspot: 'hubspot.lifecyclestage != "subscriber" and not (hubspot.email endsWith "@test.example")'}
    owner: by-email
    fields:
      - {hubspot: firstname, salesforce: FirstName, too-long: cut}
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: email, salesforce: Email}
      - {hubspot: phone, salesforce: Phone, too-long: skip}
      - {hubspot: salutation, salesforce: Salutation, unmapped: skip}
      - {hubspot: jobtitle, salesforce: Title}
      - {hubspot: company, salesforce: Company, blank: "[not provided]", on: [Lead]}
      - {hubspot: score, salesforce: Score__c}
      - {hubspot: budget, salesforce: Budget__c}
      - {hubspot: birthday, salesforce: Birthday__c}
      - {hubspot: seen, salesforce: Seen__c}
      - {hubspot: seen, salesforce: SeenText__c, direction: to-salesforce}
      - {hubspot: newsletter, salesforce: Newsletter__c}
      - {hubspot: hs_lead_status, salesforce: Rating__c, values: {NEW: Cold, OPEN: Hot}}
      - {hubspot: interests, salesforce: Interests__c, unmapped: skip, values: {golf: Sports}}
      - {hubspot: bio, salesforce: Bio__c, direction: to-salesforce}
      - {salesforce: Region__c, from: 'hubspot.country in ["US", "CA"] ? "AMER" : blank(hubspot.country) ? "" : upper(trim(hubspot.country))'}
      - {salesforce: Total__c, from: '(hubspot.score ?? 0) * 1.5 + len(hubspot.lastname)'}
      - {salesforce: Vip__c, from: 'hubspot.score >= 50 or hubspot.newsletter'}
    associations: [{hubspot: companies, salesforce: AccountId, on: [Contact]}]
`

func bind(t testing.TB, text string) *mapping.Bound {
	t.Helper()
	field := mappingtest.Field
	schemas := mapping.Schemas{HubSpot: mappingtest.HubSpot(), Salesforce: mappingtest.Salesforce()}
	contacts := schemas.HubSpot["contacts"]
	contacts.Fields = append(contacts.Fields,
		field("score", crm.KindNumber), field("budget", crm.KindCurrency), field("birthday", crm.KindDate), field("seen", crm.KindDateTime),
		field("newsletter", crm.KindBool, mappingtest.Choices("true=Yes", "false=No")), field("bio", crm.KindLongText),
		field("interests", crm.KindMultiPicklist, mappingtest.Choices("golf=Golf", "music=Music", "chess=Chess")))
	for _, name := range []string{"Contact", "Lead"} {
		o := schemas.Salesforce[name]
		o.Fields = append(o.Fields,
			field("Score__c", crm.KindNumber, mappingtest.Digits(6, 2)), field("Budget__c", crm.KindCurrency, mappingtest.Digits(18, 2)),
			field("Birthday__c", crm.KindDate), field("Seen__c", crm.KindDateTime), field("SeenText__c", crm.KindText, mappingtest.Length(40)),
			field("Newsletter__c", crm.KindBool), field("Rating__c", crm.KindPicklist, mappingtest.Choices("Hot", "Warm", "Cold")),
			field("Interests__c", crm.KindMultiPicklist, mappingtest.Choices("Sports", "music", "Opera")), field("Bio__c", crm.KindHTML, mappingtest.Length(60)),
			field("Region__c", crm.KindText, mappingtest.Length(8)), field("Total__c", crm.KindNumber, mappingtest.Digits(8, 1)), field("Vip__c", crm.KindBool))
	}
	schemas.HubSpot["products"] = &crm.Object{Side: crm.HubSpot, Name: "products", Creatable: true, Updatable: true, Fields: []crm.Field{
		field("name", crm.KindText, mappingtest.Length(255)), field("price", crm.KindNumber)}}
	schemas.Salesforce["Product2"] = &crm.Object{Side: crm.Salesforce, Name: "Product2", Creatable: true, Updatable: true, Fields: []crm.Field{
		field("Name", crm.KindText, mappingtest.Length(255)), field(mapping.StandardPrice, crm.KindCurrency, mappingtest.Digits(18, 2))}}
	m, err := mapping.Parse("lockstep.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	bound, problems := m.Bind(schemas)
	if bound == nil {
		t.Fatal(problems)
	}
	return bound
}
