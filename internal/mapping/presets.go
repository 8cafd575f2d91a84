package mapping

// presets are the pairs of objects that every account may have, in the order
// in which a file maps them: what others refer to comes first. Pairs of fields
// are those that HubSpot's own integration sets up, and those that both vendors
// describe alike:
// https://knowledge.hubspot.com/salesforce/map-hubspot-properties-to-salesforce-fields
func presets() []preset {
	return []preset{companiesPreset(), peoplePreset(), dealsPreset(), ticketsPreset(), productsPreset()}
}

func companiesPreset() preset {
	return preset{name: "companies", hubspot: "companies", targets: []string{"Account"}, title: "companies and accounts",
		match: []presetMatch{{"domain", "Website", "domain", "the same web domain is the same company"}, {"name", "Name", "text", "else the same name, unless the domains differ"}},
		pairs: pairs("companies", "Account", "name=Name", "domain=Website", "phone=Phone", "industry=Industry", "type=Type", "numberofemployees=NumberOfEmployees",
			"annualrevenue=AnnualRevenue", "description=Description", "address=BillingStreet", "city=BillingCity", "state=BillingState", "zip=BillingPostalCode", "country=BillingCountry"),
		where: presetWhere{hubspotField: "hs_is_target_account", example: "hubspot.hs_is_target_account"}}
}

func peoplePreset() preset {
	person := []string{"firstname=FirstName", "lastname=LastName", "email=Email", "salutation=Salutation", "jobtitle=Title", "phone=Phone", "mobilephone=MobilePhone", "fax=Fax"}
	p := preset{name: "people", hubspot: "contacts", targets: []string{"Contact", "Lead"}, title: "contacts, and contacts or leads", routes: true,
		match: []presetMatch{{"email", "Email", "email", "the same e-mail address is the same person"}},
		ends:  []presetEnd{{hubspot: "companies", salesforce: "AccountId", on: []string{"Contact"}, why: "the primary company is the Account"}},
		where: presetWhere{hubspotField: "lifecyclestage", example: `hubspot.lifecyclestage != "subscriber"`}}
	p.pairs = append(p.pairs, pairs("contacts", "Contact", person...)...)
	p.pairs = append(p.pairs, pairs("contacts", "Contact", "address=MailingStreet", "city=MailingCity", "state=MailingState", "zip=MailingPostalCode", "country=MailingCountry")...)
	p.pairs = append(p.pairs, pairs("contacts", "Lead", person...)...)
	p.pairs = append(p.pairs, standardPair{hubspotObject: "contacts", salesforceObject: "Lead", hubspot: "company", salesforce: "Company", blank: "[not provided]"})
	p.pairs = append(p.pairs, pairs("contacts", "Lead", "website=Website", "address=Street", "city=City", "state=State", "zip=PostalCode", "country=Country")...)
	return p
}

func dealsPreset() preset {
	return preset{name: "deals", hubspot: "deals", targets: []string{"Opportunity"}, title: "deals and opportunities",
		match: []presetMatch{{"dealname", "Name", "text", "the same name is the same deal, unless company and account differ"}},
		pairs: pairs("deals", "Opportunity", "dealname=Name", "amount=Amount", "closedate=CloseDate", "pipeline=Pipeline__c", "dealstage=StageName", "dealtype=Type",
			"hs_next_step=NextStep", "description=Description", "deal_currency_code=CurrencyIsoCode"),
		ends: []presetEnd{{hubspot: "companies", salesforce: "AccountId", why: "the primary company is the Account"},
			{hubspot: "contacts", salesforce: ContactRole, why: "contacts of the deal are its contact roles"}},
		where: presetWhere{hubspotField: "amount", example: "hubspot.amount > 0"}}
}

func ticketsPreset() preset {
	return preset{name: "tickets", hubspot: "tickets", targets: []string{"Case"}, title: "tickets and cases",
		about: []string{"Nothing in a ticket and a case says that they are the same, beyond their subject; records that exist on both sides are linked where it is unique."},
		match: []presetMatch{{"subject", "Subject", "text", "the same subject is the same request; several with one subject are held"}},
		pairs: append(pairs("tickets", "Case", "subject=Subject", "content=Description"),
			standardPair{hubspotObject: "tickets", salesforceObject: "Case", hubspot: "hs_pipeline_stage", salesforce: "Status"},
			standardPair{hubspotObject: "tickets", salesforceObject: "Case", hubspot: "hs_ticket_priority", salesforce: "Priority", table: []string{"LOW=Low", "MEDIUM=Medium", "HIGH=High", "URGENT=High"}},
			standardPair{hubspotObject: "tickets", salesforceObject: "Case", hubspot: "source_type", salesforce: "Origin", table: []string{"EMAIL=Email", "PHONE=Phone", "FORM=Web", "CHAT=Web"}}),
		ends: []presetEnd{{hubspot: "contacts", salesforce: "ContactId", why: "the contact of the ticket; of a lead Salesforce takes no case"},
			{hubspot: "companies", salesforce: "AccountId", why: "the primary company is the Account"}},
		where: presetWhere{hubspotField: "hs_ticket_priority", example: `hubspot.hs_ticket_priority in ["HIGH", "URGENT"]`}}
}

func productsPreset() preset {
	return preset{name: "products", hubspot: "products", targets: []string{"Product2"}, title: "products",
		about:    []string{"StandardPrice is the price of the product in Salesforce's standard price book: Lockstep reads it there, and makes the entry where there is none."},
		match:    []presetMatch{{"hs_sku", "ProductCode", "text", "the same stock number is the same product"}, {"name", "Name", "text", "else the same name"}},
		pairs:    pairs("products", "Product2", "name=Name", "hs_sku=ProductCode", "price=StandardPrice", "description=Description", "hs_url=DisplayUrl"),
		computed: []presetComputed{{"IsActive", "true", "a new product can be sold; whoever ends that in Salesforce is left alone"}}}
}

// pairs reads "name=Name".
func pairs(hubspotObject, salesforceObject string, names ...string) []standardPair {
	var out []standardPair
	for _, p := range names {
		out = append(out, standardPair{hubspotObject: hubspotObject, salesforceObject: salesforceObject, hubspot: before(p), salesforce: after(p)})
	}
	return out
}
