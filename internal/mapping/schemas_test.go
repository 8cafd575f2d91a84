package mapping

import (
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// standardSchemas are two accounts as their vendors hand them out, with what an
// administrator would add: HubSpot_Id__c and Pipeline__c.
func standardSchemas() Schemas {
	s := Schemas{HubSpot: map[string]*crm.Object{}, Salesforce: map[string]*crm.Object{}}
	for _, o := range []*crm.Object{hubspotCompanies(), hubspotContacts(), hubspotDeals()} {
		s.HubSpot[o.Name] = o
	}
	for _, o := range []*crm.Object{salesforceAccount(), salesforceContact(), salesforceLead(), salesforceOpportunity()} {
		s.Salesforce[o.Name] = o
	}
	return s
}

type fieldOption func(*crm.Field)

func label(s string) fieldOption { return func(f *crm.Field) { f.Label = s } }
func length(n int) fieldOption   { return func(f *crm.Field) { f.Length = n } }
func required() fieldOption      { return func(f *crm.Field) { f.Required = true } }
func readOnly() fieldOption {
	return func(f *crm.Field) { f.Creatable, f.Updatable, f.Calculated = false, false, true }
}
func digits(precision, scale int) fieldOption {
	return func(f *crm.Field) { f.Precision, f.Scale = precision, scale }
}
func refersTo(objects ...string) fieldOption {
	return func(f *crm.Field) { f.ReferenceTo = objects }
}
func choices(values ...string) fieldOption {
	return func(f *crm.Field) {
		f.Restricted = true
		for _, v := range values {
			value, name, ok := strings.Cut(v, "=")
			if !ok {
				name = value
			}
			f.Options = append(f.Options, crm.Option{Value: value, Label: name, Active: true})
		}
	}
}

func field(name string, kind crm.Kind, options ...fieldOption) crm.Field {
	f := crm.Field{Name: name, Label: name, Kind: kind, Type: string(kind), Creatable: true, Updatable: true, Filterable: true}
	for _, o := range options {
		o(&f)
	}
	return f
}

func hubspotObject(name, label, plural string, fields ...crm.Field) *crm.Object {
	o := &crm.Object{Side: crm.HubSpot, Name: name, Label: label, LabelPlural: plural, Creatable: true, Updatable: true, Deletable: true}
	o.Fields = append(fields, field("hs_object_id", crm.KindNumber, readOnly()), field("hubspot_owner_id", crm.KindOwner), field("hs_lastmodifieddate", crm.KindDateTime, readOnly()))
	for i := range o.Fields {
		if f := &o.Fields[i]; f.Length == 0 && (isText(f.Kind)) {
			f.Length = 65536
		}
	}
	return o
}

func salesforceObject(name string, fields ...crm.Field) *crm.Object {
	o := &crm.Object{Side: crm.Salesforce, Name: name, Label: name, LabelPlural: name + "s", Creatable: true, Updatable: true, Deletable: true}
	external := field("HubSpot_Id__c", crm.KindText, length(32), label("HubSpot Id"))
	external.ExternalID, external.Unique = true, true
	o.Fields = append(fields, field("Id", crm.KindID, readOnly()), field("OwnerId", crm.KindOwner, refersTo("User")), external)
	return o
}

func hubspotCompanies() *crm.Object {
	return hubspotObject("companies", "Company", "Companies",
		field("name", crm.KindText, label("Company name")), field("domain", crm.KindText, label("Company Domain Name")),
		field("website", crm.KindText, label("Website URL")), field("phone", crm.KindPhone, label("Phone Number")),
		field("industry", crm.KindPicklist, label("Industry"), choices("BANKING=Banking", "BIOTECHNOLOGY=Biotechnology", "COMPUTER_SOFTWARE=Computer Software", "FOOD_BEVERAGES=Food & Beverages", "MACHINERY=Machinery")),
		field("type", crm.KindPicklist, choices("PROSPECT=Prospect", "PARTNER=Partner", "OTHER=Other")),
		field("numberofemployees", crm.KindNumber), field("annualrevenue", crm.KindNumber), field("description", crm.KindLongText),
		field("address", crm.KindText), field("city", crm.KindText), field("state", crm.KindText), field("zip", crm.KindText), field("country", crm.KindText),
		field("tier", crm.KindText, label("Customer tier")), field("founded_year", crm.KindText), field("num_associated_deals", crm.KindNumber, readOnly()))
}

func hubspotContacts() *crm.Object {
	return hubspotObject("contacts", "Contact", "Contacts",
		field("email", crm.KindEmail), field("firstname", crm.KindText, label("First Name")), field("lastname", crm.KindText, label("Last Name")),
		field("salutation", crm.KindText), field("jobtitle", crm.KindText, label("Job Title")), field("company", crm.KindText, label("Company Name")),
		field("website", crm.KindText), field("phone", crm.KindPhone), field("mobilephone", crm.KindPhone), field("fax", crm.KindPhone),
		field("address", crm.KindText), field("city", crm.KindText), field("state", crm.KindText), field("zip", crm.KindText), field("country", crm.KindText),
		field("lifecyclestage", crm.KindPicklist, choices("subscriber=Subscriber", "lead=Lead", "customer=Customer")),
		field("hs_lead_status", crm.KindPicklist, choices("NEW=New", "OPEN=Open")),
		field("associatedcompanyid", crm.KindReference), field("hs_email_optout", crm.KindBool, readOnly()))
}

func hubspotDeals() *crm.Object {
	o := hubspotObject("deals", "Deal", "Deals",
		field("dealname", crm.KindText), field("amount", crm.KindNumber), field("closedate", crm.KindDateTime),
		field("pipeline", crm.KindPicklist, choices("default=Sales Pipeline", "7001=Renewals")),
		field("dealstage", crm.KindPicklist, choices("appointmentscheduled=Appointment Scheduled", "qualifiedtobuy=Qualified To Buy", "closedwon=Closed Won", "closedlost=Closed Lost", "8001=In talks", "8002=Renewed", "8003=Closed Lost")),
		field("dealtype", crm.KindPicklist, choices("newbusiness=New Business", "existingbusiness=Existing Business")),
		field("hs_next_step", crm.KindLongText), field("description", crm.KindLongText))
	o.Pipelines = []crm.Pipeline{
		{ID: "default", Label: "Sales Pipeline", Stages: []crm.Stage{{ID: "appointmentscheduled", Label: "Appointment Scheduled", Probability: .2}, {ID: "qualifiedtobuy", Label: "Qualified To Buy", Probability: .4},
			{ID: "closedwon", Label: "Closed Won", Probability: 1, Closed: true}, {ID: "closedlost", Label: "Closed Lost", Closed: true}}},
		{ID: "7001", Label: "Renewals", Stages: []crm.Stage{{ID: "8001", Label: "In talks", Probability: .6}, {ID: "8002", Label: "Renewed", Probability: 1, Closed: true}, {ID: "8003", Label: "Closed Lost", Closed: true}}},
	}
	return o
}

func salesforceAccount() *crm.Object {
	return salesforceObject("Account", field("Name", crm.KindText, length(255), required()), field("Website", crm.KindURL, length(255)), field("Phone", crm.KindPhone, length(40)),
		field("Industry", crm.KindPicklist, choices("Banking", "Biotechnology", "Food & Beverage", "Machinery", "Technology")),
		field("Type", crm.KindPicklist, choices("Prospect", "Customer - Direct", "Other")),
		field("NumberOfEmployees", crm.KindInteger, digits(8, 0)), field("AnnualRevenue", crm.KindCurrency, digits(18, 0)),
		field("Description", crm.KindLongText, length(32000), func(f *crm.Field) { f.Filterable = false }),
		field("BillingStreet", crm.KindText, length(255)), field("BillingCity", crm.KindText, length(40)), field("BillingState", crm.KindText, length(80)),
		field("BillingPostalCode", crm.KindText, length(20)), field("BillingCountry", crm.KindText, length(80)), field("Tier__c", crm.KindText, length(40), label("Tier")))
}

func salesforcePerson(name string, fields ...crm.Field) *crm.Object {
	person := []crm.Field{field("FirstName", crm.KindText, length(40)), field("LastName", crm.KindText, length(80), required()), field("Email", crm.KindEmail, length(80)),
		field("Salutation", crm.KindPicklist, choices("Mr.", "Ms.", "Dr.")), field("Title", crm.KindText, length(128)), field("Phone", crm.KindPhone, length(40)),
		field("MobilePhone", crm.KindPhone, length(40)), field("Fax", crm.KindPhone, length(40)), field("HasOptedOutOfEmail", crm.KindBool)}
	return salesforceObject(name, append(person, fields...)...)
}

func salesforceContact() *crm.Object {
	return salesforcePerson("Contact", field("AccountId", crm.KindReference, refersTo("Account")), field("MailingStreet", crm.KindText, length(255)), field("MailingCity", crm.KindText, length(40)),
		field("MailingState", crm.KindText, length(80)), field("MailingPostalCode", crm.KindText, length(20)), field("MailingCountry", crm.KindText, length(80)))
}

func salesforceLead() *crm.Object {
	return salesforcePerson("Lead", field("Company", crm.KindText, length(255), required()), field("Website", crm.KindURL, length(255)), field("IsConverted", crm.KindBool, readOnly()),
		field("Status", crm.KindPicklist, choices("Open - Not Contacted", "Working - Contacted")),
		field("Street", crm.KindText, length(255)), field("City", crm.KindText, length(40)), field("State", crm.KindText, length(80)), field("PostalCode", crm.KindText, length(20)), field("Country", crm.KindText, length(80)))
}

func salesforceOpportunity() *crm.Object {
	return salesforceObject("Opportunity", field("Name", crm.KindText, length(120), required()), field("Amount", crm.KindCurrency, digits(18, 2)), field("CloseDate", crm.KindDate, required()),
		field("StageName", crm.KindPicklist, required(), choices("Prospecting", "Needs Analysis", "Value Proposition", "Id. Decision Makers", "Negotiation/Review", "Closed Won", "Closed Lost")),
		field("Pipeline__c", crm.KindPicklist, choices("Sales", "Renewals")), field("Type", crm.KindPicklist, choices("Existing Customer - Upgrade", "New Customer")),
		field("NextStep", crm.KindText, length(255)), field("Description", crm.KindLongText, length(32000)), field("AccountId", crm.KindReference, refersTo("Account")))
}
