// Package mappingtest gives tests the schemas of a HubSpot and a Salesforce
// account as the clients describe them: standard objects with the fields that
// are usually mapped, and what an administrator adds (HubSpot_Id__c,
// Pipeline__c). Every call returns fresh schemas, so a test may change them.
package mappingtest

import (
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// HubSpot returns companies, contacts and deals by name.
func HubSpot() map[string]*crm.Object {
	return byName(hubspotCompanies(), hubspotContacts(), hubspotDeals())
}

// Salesforce returns Account, Contact, Lead and Opportunity by name.
func Salesforce() map[string]*crm.Object {
	return byName(salesforceAccount(), salesforceContact(), salesforceLead(), salesforceOpportunity())
}

// Lists returns HubSpot's lists as the client shows them, Campaign Salesforce's
// object for them.
func Lists() *crm.Object {
	o := &crm.Object{Side: crm.HubSpot, Name: "lists", Label: "List", LabelPlural: "Lists", Creatable: true, Updatable: true, Deletable: true}
	o.Fields = []crm.Field{Field("name", crm.KindText, Required()), Field("processingType", crm.KindPicklist, Choices("MANUAL=Manual", "SNAPSHOT=Snapshot", "DYNAMIC=Dynamic"))}
	o.Fields[1].Updatable = false
	return o
}

// Campaign is described in Lists.
func Campaign() *crm.Object {
	return byName(salesforceObject("Campaign", Field("Name", crm.KindText, Length(80), Required()), Field("Description", crm.KindLongText, Length(32000))))["Campaign"]
}

func byName(objects ...*crm.Object) map[string]*crm.Object {
	out := map[string]*crm.Object{}
	for _, o := range objects {
		out[o.Name] = o
		for i := range o.Fields {
			f := &o.Fields[i]
			f.Permissionable = o.Side == crm.Salesforce && f.Creatable && !f.Required && f.Kind != crm.KindOwner
		}
	}
	return out
}

// Option changes one thing about a field.
type Option func(*crm.Field)

// Label is the name that people see.
func Label(s string) Option { return func(f *crm.Field) { f.Label = s } }

// Length is the most characters that the field holds.
func Length(n int) Option { return func(f *crm.Field) { f.Length = n } }

// Required fields must be set on create.
func Required() Option { return func(f *crm.Field) { f.Required = true } }

// ReadOnly fields are calculated by the vendor.
func ReadOnly() Option {
	return func(f *crm.Field) { f.Creatable, f.Updatable, f.Calculated = false, false, true }
}

// Digits are those of a number: all, and those right of the point.
func Digits(precision, scale int) Option {
	return func(f *crm.Field) { f.Precision, f.Scale = precision, scale }
}

// Unfit fields are of a type that cannot be kept in step, for this reason.
func Unfit(why string) Option {
	return func(f *crm.Field) {
		f.Kind, f.Unfit, f.Creatable, f.Updatable, f.Calculated = crm.KindOther, why, false, false, true
	}
}

// RefersTo are the objects that a reference may point to.
func RefersTo(objects ...string) Option {
	return func(f *crm.Field) { f.ReferenceTo = objects }
}

// Choices are the options of a picklist, "VALUE=Label" or one word for both.
func Choices(values ...string) Option {
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

// Field returns a field that may be read, written and searched.
func Field(name string, kind crm.Kind, options ...Option) crm.Field {
	f := crm.Field{Name: name, Label: name, Kind: kind, Type: string(kind), Creatable: true, Updatable: true, Filterable: true}
	for _, o := range options {
		o(&f)
	}
	return f
}

func hubspotObject(name, label, plural string, fields ...crm.Field) *crm.Object {
	o := &crm.Object{Side: crm.HubSpot, Name: name, Label: label, LabelPlural: plural, Creatable: true, Updatable: true, Deletable: true}
	o.Fields = append(fields, Field("hs_object_id", crm.KindID, ReadOnly()), Field("hubspot_owner_id", crm.KindOwner), Field("hs_lastmodifieddate", crm.KindDateTime, ReadOnly()))
	for i := range o.Fields {
		if f := &o.Fields[i]; f.Length == 0 && (f.Kind == crm.KindText || f.Kind == crm.KindLongText || f.Kind == crm.KindHTML || f.Kind == crm.KindPhone || f.Kind == crm.KindEmail || f.Kind == crm.KindURL) {
			f.Length = 65536
		}
	}
	return o
}

func salesforceObject(name string, fields ...crm.Field) *crm.Object {
	o := &crm.Object{Side: crm.Salesforce, Name: name, Label: name, LabelPlural: name + "s", Creatable: true, Updatable: true, Deletable: true}
	external := Field("HubSpot_Id__c", crm.KindText, Length(32), Label("HubSpot Id"))
	external.ExternalID, external.Unique = true, true
	o.Fields = append(fields, Field("Id", crm.KindID, ReadOnly()), Field("OwnerId", crm.KindOwner, RefersTo("User")), external)
	return o
}

func hubspotCompanies() *crm.Object {
	return hubspotObject("companies", "Company", "Companies",
		Field("name", crm.KindText, Label("Company name")), Field("domain", crm.KindText, Label("Company Domain Name")), Field("hs_additional_domains", crm.KindText, ReadOnly()),
		Field("website", crm.KindText, Label("Website URL")), Field("phone", crm.KindPhone, Label("Phone Number")),
		Field("industry", crm.KindPicklist, Label("Industry"), Choices("BANKING=Banking", "BIOTECHNOLOGY=Biotechnology", "COMPUTER_SOFTWARE=Computer Software", "FOOD_BEVERAGES=Food & Beverages", "MACHINERY=Machinery")),
		Field("type", crm.KindPicklist, Choices("PROSPECT=Prospect", "PARTNER=Partner", "OTHER=Other")),
		Field("numberofemployees", crm.KindNumber), Field("annualrevenue", crm.KindNumber), Field("description", crm.KindLongText),
		Field("address", crm.KindText), Field("city", crm.KindText), Field("state", crm.KindText), Field("zip", crm.KindText), Field("country", crm.KindText),
		Field("tier", crm.KindText, Label("Customer tier")), Field("founded_year", crm.KindText), Field("num_associated_deals", crm.KindNumber, ReadOnly()))
}

func hubspotContacts() *crm.Object {
	return hubspotObject("contacts", "Contact", "Contacts",
		Field("email", crm.KindEmail), Field("hs_additional_emails", crm.KindText, ReadOnly()), Field("firstname", crm.KindText, Label("First Name")), Field("lastname", crm.KindText, Label("Last Name")),
		Field("salutation", crm.KindText), Field("jobtitle", crm.KindText, Label("Job Title")), Field("company", crm.KindText, Label("Company Name")),
		Field("website", crm.KindText), Field("phone", crm.KindPhone), Field("mobilephone", crm.KindPhone), Field("fax", crm.KindPhone),
		Field("address", crm.KindText), Field("city", crm.KindText), Field("state", crm.KindText), Field("zip", crm.KindText), Field("country", crm.KindText),
		Field("lifecyclestage", crm.KindPicklist, Choices("subscriber=Subscriber", "lead=Lead", "customer=Customer")),
		Field("hs_lead_status", crm.KindPicklist, Choices("NEW=New", "OPEN=Open")),
		Field("associatedcompanyid", crm.KindReference), Field("hs_email_optout", crm.KindBool, ReadOnly()))
}

func hubspotDeals() *crm.Object {
	o := hubspotObject("deals", "Deal", "Deals",
		Field("dealname", crm.KindText), Field("amount", crm.KindNumber), Field("closedate", crm.KindDateTime),
		Field("pipeline", crm.KindPicklist, Choices("default=Sales Pipeline", "7001=Renewals")),
		Field("dealstage", crm.KindPicklist, Choices("appointmentscheduled=Appointment Scheduled", "qualifiedtobuy=Qualified To Buy", "closedwon=Closed Won", "closedlost=Closed Lost", "8001=In talks", "8002=Renewed", "8003=Closed Lost")),
		Field("dealtype", crm.KindPicklist, Choices("newbusiness=New Business", "existingbusiness=Existing Business")),
		Field("hs_next_step", crm.KindLongText), Field("description", crm.KindLongText))
	o.Pipelines = []crm.Pipeline{
		{ID: "default", Label: "Sales Pipeline", Stages: []crm.Stage{{ID: "appointmentscheduled", Label: "Appointment Scheduled", Probability: .2}, {ID: "qualifiedtobuy", Label: "Qualified To Buy", Probability: .4},
			{ID: "closedwon", Label: "Closed Won", Probability: 1, Closed: true}, {ID: "closedlost", Label: "Closed Lost", Closed: true}}},
		{ID: "7001", Label: "Renewals", Stages: []crm.Stage{{ID: "8001", Label: "In talks", Probability: .6}, {ID: "8002", Label: "Renewed", Probability: 1, Closed: true}, {ID: "8003", Label: "Closed Lost", Closed: true}}},
	}
	return o
}

func salesforceAccount() *crm.Object {
	return salesforceObject("Account", Field("Name", crm.KindText, Length(255), Required()), Field("Website", crm.KindURL, Length(255)), Field("Phone", crm.KindPhone, Length(40)),
		Field("Industry", crm.KindPicklist, Choices("Banking", "Biotechnology", "Food & Beverage", "Machinery", "Technology")),
		Field("Type", crm.KindPicklist, Choices("Prospect", "Customer - Direct", "Other")),
		Field("NumberOfEmployees", crm.KindInteger, Digits(8, 0)), Field("AnnualRevenue", crm.KindCurrency, Digits(18, 0)),
		Field("Description", crm.KindLongText, Length(32000), func(f *crm.Field) { f.Filterable = false }),
		Field("BillingStreet", crm.KindText, Length(255)), Field("BillingCity", crm.KindText, Length(40)), Field("BillingState", crm.KindText, Length(80)),
		Field("BillingPostalCode", crm.KindText, Length(20)), Field("BillingCountry", crm.KindText, Length(80)),
		Field("BillingAddress", crm.KindOther, Unfit("Salesforce makes it out of its parts and lets nobody write it; map the parts, such as BillingStreet and BillingCity")), Field("Tier__c", crm.KindText, Length(40), Label("Tier")))
}

func salesforcePerson(name string, fields ...crm.Field) *crm.Object {
	person := []crm.Field{Field("FirstName", crm.KindText, Length(40)), Field("LastName", crm.KindText, Length(80), Required()), Field("Email", crm.KindEmail, Length(80)),
		Field("Salutation", crm.KindPicklist, Choices("Mr.", "Ms.", "Dr.")), Field("Title", crm.KindText, Length(128)), Field("Phone", crm.KindPhone, Length(40)),
		Field("MobilePhone", crm.KindPhone, Length(40)), Field("Fax", crm.KindPhone, Length(40)), Field("HasOptedOutOfEmail", crm.KindBool)}
	return salesforceObject(name, append(person, fields...)...)
}

func salesforceContact() *crm.Object {
	return salesforcePerson("Contact", Field("AccountId", crm.KindReference, RefersTo("Account")), Field("MailingStreet", crm.KindText, Length(255)), Field("MailingCity", crm.KindText, Length(40)),
		Field("MailingState", crm.KindText, Length(80)), Field("MailingPostalCode", crm.KindText, Length(20)), Field("MailingCountry", crm.KindText, Length(80)))
}

func salesforceLead() *crm.Object {
	return salesforcePerson("Lead", Field("Company", crm.KindText, Length(255), Required()), Field("Website", crm.KindURL, Length(255)), Field("IsConverted", crm.KindBool, ReadOnly()),
		Field("ConvertedContactId", crm.KindReference, RefersTo("Contact"), ReadOnly()), Field("ConvertedAccountId", crm.KindReference, RefersTo("Account"), ReadOnly()),
		Field("ConvertedOpportunityId", crm.KindReference, RefersTo("Opportunity"), ReadOnly()),
		Field("Status", crm.KindPicklist, Choices("Open - Not Contacted", "Working - Contacted")),
		Field("Street", crm.KindText, Length(255)), Field("City", crm.KindText, Length(40)), Field("State", crm.KindText, Length(80)), Field("PostalCode", crm.KindText, Length(20)), Field("Country", crm.KindText, Length(80)))
}

func salesforceOpportunity() *crm.Object {
	return salesforceObject("Opportunity", Field("Name", crm.KindText, Length(120), Required()), Field("Amount", crm.KindCurrency, Digits(18, 2)), Field("CloseDate", crm.KindDate, Required()),
		Field("StageName", crm.KindPicklist, Required(), Choices("Prospecting", "Needs Analysis", "Value Proposition", "Id. Decision Makers", "Negotiation/Review", "Closed Won", "Closed Lost")),
		Field("Pipeline__c", crm.KindPicklist, Choices("Sales", "Renewals")), Field("Type", crm.KindPicklist, Choices("Existing Customer - Upgrade", "New Customer")),
		Field("NextStep", crm.KindText, Length(255)), Field("Description", crm.KindLongText, Length(32000)), Field("AccountId", crm.KindReference, RefersTo("Account")))
}
