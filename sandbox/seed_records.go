package sandbox

import (
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/story"
)

func (t *teller) tellCompanies() {
	n := t.story.Companies()
	t.companies, t.accounts = make([]string, n), make([]string, n)
	for i := range n {
		c := t.story.Company(i)
		if h := c.HubSpot; h != nil {
			t.companies[i] = t.hubSpot.Insert("companies", t.companyProperties(h), t.at(h.Created), t.at(h.Modified))
		}
		if a := c.Salesforce; a != nil {
			t.accounts[i] = t.salesforce.Insert("Account", t.accountFields(a), t.at(a.Created), t.at(a.Modified))
		}
	}
}

func (t *teller) companyProperties(c *story.CompanyCard) map[string]string {
	f := make(fill, 16)
	f.set("name", c.Name)
	f.set("domain", c.Domain)
	f.set("website", c.Domain)
	f.set("phone", c.Phone)
	f.set("industry", c.Industry)
	f.set("type", c.Type)
	f.set("address", c.Street)
	f.set("city", c.City)
	f.set("state", c.State)
	f.set("zip", c.Zip)
	f.set("country", c.Country)
	f.set("annualrevenue", c.Revenue)
	f.set("numberofemployees", c.Employees)
	f.set("description", c.Description)
	f.set("lifecyclestage", c.Lifecycle)
	f.set("hubspot_owner_id", t.owner(c.Owner))
	return f
}

func (t *teller) accountFields(c *story.CompanyCard) map[string]any {
	f := make(sfFields, 16)
	f.set("Name", c.Name)
	f.set("Website", c.Website)
	f.set("Phone", c.Phone)
	f.set("Industry", c.Industry)
	f.set("Type", c.Type)
	f.set("BillingStreet", c.Street)
	f.set("BillingCity", c.City)
	f.set("BillingState", c.State)
	f.set("BillingPostalCode", c.Zip)
	f.set("BillingCountry", c.Country)
	f.number("AnnualRevenue", c.Revenue)
	f.number("NumberOfEmployees", c.Employees)
	f.set("Description", c.Description)
	f.set("OwnerId", t.user(c.Owner))
	return f
}

func (t *teller) tellPeople() {
	n := t.story.People()
	t.contacts, t.persons = make([]string, n), make([]string, n)
	for i := range n {
		p := t.story.Person(i)
		if h := p.HubSpot; h != nil {
			t.contacts[i] = t.hubSpot.Insert("contacts", t.contactProperties(h), t.at(h.Created), t.at(h.Modified))
			if p.Company >= 0 {
				t.hubSpot.Associate("contacts", t.contacts[i], "companies", t.companies[p.Company])
			}
		}
		for n, c := range p.Salesforce {
			if c.Lead {
				t.salesforce.Insert("Lead", t.leadFields(&c), t.at(c.Created), t.at(c.Modified))
				continue
			}
			f := t.contactFields(&c)
			if p.Company >= 0 {
				f.set("AccountId", t.accounts[p.Company])
			}
			id := t.salesforce.Insert("Contact", f, t.at(c.Created), t.at(c.Modified))
			if n == 0 {
				t.persons[i] = id
			}
		}
	}
}

func (t *teller) contactProperties(p *story.PersonCard) map[string]string {
	f := make(fill, 20)
	f.set("email", p.Email)
	f.set("firstname", p.First)
	f.set("lastname", p.Last)
	f.set("phone", p.Phone)
	f.set("mobilephone", p.Mobile)
	f.set("jobtitle", p.Title)
	f.set("company", p.Employer)
	f.set("address", p.Street)
	f.set("city", p.City)
	f.set("state", p.State)
	f.set("zip", p.Zip)
	f.set("country", p.Country)
	f.set("lifecyclestage", p.Lifecycle)
	f.set("hs_lead_status", p.Status)
	f.set("hs_analytics_source", p.Source)
	f.set("hubspot_owner_id", t.owner(p.Owner))
	return f
}

func (t *teller) contactFields(p *story.PersonCard) sfFields {
	f := make(sfFields, 20)
	f.person(p)
	f.set("Department", p.Department)
	f.set("MailingStreet", p.Street)
	f.set("MailingCity", p.City)
	f.set("MailingState", p.State)
	f.set("MailingPostalCode", p.Zip)
	f.set("MailingCountry", p.Country)
	f.set("OwnerId", t.user(p.Owner))
	return f
}

func (t *teller) leadFields(p *story.PersonCard) sfFields {
	f := make(sfFields, 20)
	f.person(p)
	f.set("Company", p.Employer)
	f.set("Status", p.Status)
	f.set("Street", p.Street)
	f.set("City", p.City)
	f.set("State", p.State)
	f.set("PostalCode", p.Zip)
	f.set("Country", p.Country)
	f.set("OwnerId", t.user(p.Owner))
	return f
}

// person sets what contacts and leads have in common.
func (f sfFields) person(p *story.PersonCard) {
	f.set("FirstName", p.First)
	f.set("LastName", p.Last)
	f.set("Email", p.Email)
	f.set("Phone", p.Phone)
	f.set("MobilePhone", p.Mobile)
	f.set("Title", p.Title)
	f.set("LeadSource", p.Source)
}

func (f sfFields) number(name, text string) {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		f[name] = v
	}
}

func (t *teller) tellDeals() {
	for i := range t.story.Deals() {
		d := t.story.Deal(i)
		if h := d.HubSpot; h != nil {
			id := t.hubSpot.Insert("deals", t.dealProperties(h), t.at(h.Created), t.at(h.Modified))
			if d.Company >= 0 && t.companies[d.Company] != "" {
				t.hubSpot.Associate("deals", id, "companies", t.companies[d.Company])
			}
			for _, p := range d.People {
				t.hubSpot.Associate("deals", id, "contacts", t.contacts[p])
			}
		}
		if o := d.Salesforce; o != nil {
			t.tellOpportunity(&d, o)
		}
	}
}

func (t *teller) dealProperties(d *story.DealCard) map[string]string {
	f := make(fill, 10)
	f.set("dealname", d.Name)
	f.set("amount", d.Amount)
	f.set("pipeline", d.Pipeline)
	f.set("dealstage", d.Stage)
	f.set("dealtype", d.Type)
	f.set("hs_next_step", d.NextStep)
	f.set("deal_currency_code", "USD")
	f.set("hubspot_owner_id", t.owner(d.Owner))
	if d.Dated {
		f.set("closedate", t.start.Add(d.Close).Format("2006-01-02T15:04:05.000Z"))
	}
	return f
}

func (t *teller) tellOpportunity(d *story.Deal, o *story.DealCard) {
	f := make(sfFields, 10)
	f.set("Name", o.Name)
	f.number("Amount", o.Amount)
	f.set("StageName", o.Stage)
	f.set("Pipeline__c", o.Pipeline)
	f.set("Type", o.Type)
	f.set("NextStep", o.NextStep)
	f.set("OwnerId", t.user(o.Owner))
	f.set("CloseDate", t.start.Add(o.Close).Format(time.DateOnly))
	if d.Company >= 0 {
		f.set("AccountId", t.accounts[d.Company])
	}
	id := t.salesforce.Insert("Opportunity", f, t.at(o.Created), t.at(o.Modified))
	primary := true
	for _, p := range d.People {
		if t.persons[p] == "" {
			continue
		}
		t.salesforce.Insert("OpportunityContactRole", map[string]any{
			"OpportunityId": id, "ContactId": t.persons[p], "IsPrimary": primary,
		}, t.at(o.Created), t.at(o.Modified))
		primary = false
	}
}
