package mapping

// presets are the pairs of objects that every account may have, in the order
// in which a file maps them: what others refer to comes first. Pairs of fields
// are those that HubSpot's own integration sets up, and those that both vendors
// describe alike:
// https://knowledge.hubspot.com/salesforce/map-hubspot-properties-to-salesforce-fields
func presets() []preset {
	return []preset{companiesPreset(), peoplePreset(), dealsPreset(), ticketsPreset(), productsPreset(), lineItemsPreset(),
		notesPreset(), tasksPreset(), callsPreset(), meetingsPreset(), emailsPreset(), campaignsPreset()}
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

func lineItemsPreset() preset {
	return preset{name: "line-items", hubspot: "line_items", targets: []string{"OpportunityLineItem"}, title: "line items and opportunity products",
		about: []string{"A line item needs a product with a price in the price book of its opportunity (the standard one, unless Salesforce says another).",
			"With line items Salesforce computes the Amount of the opportunity itself: what HubSpot says of it is left alone then."},
		pairs: append(pairs("line_items", "OpportunityLineItem", "quantity=Quantity", "price=UnitPrice"),
			standardPair{hubspotObject: "line_items", salesforceObject: "OpportunityLineItem", hubspot: "description", salesforce: "Description", options: []string{"too-long: cut"}}),
		needs: []string{"deals", "products"},
		ends: []presetEnd{{hubspot: "deals", salesforce: "OpportunityId", why: "the deal is the opportunity; it cannot be changed later"},
			{hubspot: "products", by: "hs_product_id", salesforce: "Product2Id", why: "HubSpot keeps the product in a property; its price book entry is found by it"}}}
}

// activityEnds are what an activity is about. Salesforce has one reference for
// people and one for everything else.
func activityEnds() []presetEnd {
	return []presetEnd{{hubspot: "contacts", salesforce: "WhoId", why: "the person; of several the oldest"},
		{hubspot: "deals", also: []string{"tickets", "companies"}, salesforce: "WhatId", why: "the first of these that it is associated with; Salesforce has none beside a Lead"}}
}

// notRecurring leaves out the pattern of a series, which is no task itself.
const notRecurring = "not salesforce.IsRecurrence"

func notesPreset() preset {
	p := preset{name: "notes", hubspot: "notes", targets: []string{"Task"}, title: "notes, and tasks that are done", shared: true,
		about: []string{"Salesforce keeps the text of a ContentNote as a file, which cannot be kept in step; so a note is a Task that is done, with the subject Note.",
			"Attached files stay where they are."},
		pairs: []standardPair{{hubspotObject: "notes", salesforceObject: "Task", hubspot: "hs_note_body", salesforce: "Description", why: "HubSpot's is HTML, Salesforce's is its text", options: []string{"too-long: cut"}},
			{hubspotObject: "notes", salesforceObject: "Task", hubspot: "hs_timestamp", salesforce: "ActivityDate", why: "Salesforce keeps the day only"}},
		computed: []presetComputed{{"Subject", `"Note"`, "what tells notes from tasks"}, {"Status", `"Completed"`, "a note is nothing to do"}},
		where:    presetWhere{salesforce: `salesforce.TaskSubtype in ["", "Task"] and salesforce.Subject == "Note" and ` + notRecurring, why: "other tasks are not notes"}}
	p.ends = activityEnds()
	return p
}

func tasksPreset() preset {
	p := preset{name: "tasks", hubspot: "tasks", targets: []string{"Task"}, title: "tasks", shared: true,
		pairs: []standardPair{{hubspotObject: "tasks", salesforceObject: "Task", hubspot: "hs_task_subject", salesforce: "Subject"},
			{hubspotObject: "tasks", salesforceObject: "Task", hubspot: "hs_task_body", salesforce: "Description", why: "HubSpot's is HTML, Salesforce's is its text", options: []string{"too-long: cut"}},
			{hubspotObject: "tasks", salesforceObject: "Task", hubspot: "hs_timestamp", salesforce: "ActivityDate", why: "the day it is due; Salesforce keeps no time"},
			{hubspotObject: "tasks", salesforceObject: "Task", hubspot: "hs_task_status", salesforce: "Status", table: []string{"NOT_STARTED=Not Started", "IN_PROGRESS=In Progress", "COMPLETED=Completed", "WAITING=Waiting on someone else", "DEFERRED=Deferred"}},
			{hubspotObject: "tasks", salesforceObject: "Task", hubspot: "hs_task_priority", salesforce: "Priority", table: []string{"HIGH=High", "MEDIUM=Normal", "NONE=Normal", "LOW=Low"}}},
		where: presetWhere{salesforce: `salesforce.TaskSubtype in ["", "Task"] and salesforce.Subject != "Note" and ` + notRecurring, why: "calls, e-mails, notes and patterns of series are not these tasks"}}
	p.ends = activityEnds()
	return p
}

func callsPreset() preset {
	p := preset{name: "calls", hubspot: "calls", targets: []string{"Task"}, title: "calls, and tasks that are calls", shared: true,
		about: []string{"Recordings stay where they are."},
		pairs: []standardPair{{hubspotObject: "calls", salesforceObject: "Task", hubspot: "hs_call_title", salesforce: "Subject"},
			{hubspotObject: "calls", salesforceObject: "Task", hubspot: "hs_call_body", salesforce: "Description", why: "HubSpot's is HTML, Salesforce's is its text", options: []string{"too-long: cut"}},
			{hubspotObject: "calls", salesforceObject: "Task", hubspot: "hs_timestamp", salesforce: "ActivityDate", why: "Salesforce keeps the day only"},
			{hubspotObject: "calls", salesforceObject: "Task", hubspot: "hs_call_direction", salesforce: "CallType", table: []string{"INBOUND=Inbound", "OUTBOUND=Outbound"}},
			{hubspotObject: "calls", salesforceObject: "Task", hubspot: "hs_call_duration", salesforce: "CallDurationInSeconds", times: "0.001", why: "HubSpot counts milliseconds"},
			{hubspotObject: "calls", salesforceObject: "Task", hubspot: "hs_call_disposition", salesforce: "CallDisposition", table: callOutcomes()},
			{hubspotObject: "calls", salesforceObject: "Task", hubspot: "hs_call_status", salesforce: "Status", table: []string{"COMPLETED=Completed", "NO_ANSWER=Completed", "BUSY=Completed", "FAILED=Completed",
				"CANCELED=Deferred", "QUEUED=Not Started", "IN_PROGRESS=In Progress", "CONNECTING=In Progress", "RINGING=In Progress", "CALLING_CRM_USER=In Progress"}}},
		computed: []presetComputed{{"TaskSubtype", `"Call"`, "what makes a task a call; it can only be set on create"}},
		where:    presetWhere{salesforce: `salesforce.TaskSubtype == "Call" and ` + notRecurring, why: "other tasks are not calls"}}
	p.ends = activityEnds()
	return p
}

// callOutcomes are the ids that HubSpot gives its own outcomes of calls.
// https://developers.hubspot.com/docs/api-reference/latest/crm/activities/calls/guide
func callOutcomes() []string {
	return []string{"9d9162e7-6cf3-4944-bf63-4dff82258764=Busy", "f240bbac-87c9-4f6e-bf70-924b57d47db7=Connected", "a4c4c377-d246-4b32-a13b-75a56a4cd0ff=Left live message",
		"b2cf5968-551e-4856-9783-52b3da59a7d0=Left voicemail", "73a0d17f-1163-4015-bdd5-ec830791da20=No answer", "17b47fee-58de-441e-a44c-c6300d46f273=Wrong number"}
}

func meetingsPreset() preset {
	p := preset{name: "meetings", hubspot: "meetings", targets: []string{"Event"}, title: "meetings and events",
		about: []string{"Events of a whole day are left out: HubSpot's meetings have a time. Who else attends stays where it is."},
		pairs: []standardPair{{hubspotObject: "meetings", salesforceObject: "Event", hubspot: "hs_meeting_title", salesforce: "Subject"},
			{hubspotObject: "meetings", salesforceObject: "Event", hubspot: "hs_meeting_body", salesforce: "Description", why: "HubSpot's is HTML, Salesforce's is its text", options: []string{"too-long: cut"}},
			{hubspotObject: "meetings", salesforceObject: "Event", hubspot: "hs_meeting_location", salesforce: "Location", options: []string{"too-long: cut"}},
			{hubspotObject: "meetings", salesforceObject: "Event", hubspot: "hs_meeting_start_time", salesforce: "StartDateTime"},
			{hubspotObject: "meetings", salesforceObject: "Event", hubspot: "hs_meeting_end_time", salesforce: "EndDateTime", why: "Salesforce needs one: a meeting without an end is refused"}},
		where: presetWhere{salesforce: "not salesforce.IsAllDayEvent and not salesforce.IsChild and " + notRecurring, why: "whole days, copies for invitees and patterns of series are left out"}}
	p.ends = activityEnds()
	return p
}

func campaignsPreset() preset {
	return preset{name: "campaigns", hubspot: Lists, targets: []string{"Campaign"}, title: "lists and campaigns, with their members",
		about: []string{"HubSpot's pages call lists segments. Only lists of contacts are read. A new campaign member has the campaign's default status;",
			"a member whose contact is not on both sides waits until it is."},
		match: []presetMatch{{"name", "Name", "text", "the same name is the same campaign; several campaigns with one name are held"}},
		pairs: pairs(Lists, "Campaign", "name=Name"),
		ends:  []presetEnd{{hubspot: "contacts", salesforce: CampaignMember, why: "who is in the list is a member of the campaign, as a contact or as a lead"}},
		where: presetWhere{hubspot: `hubspot.processingType != "DYNAMIC"`, why: "HubSpot fills dynamic lists itself; let them in, and they go to Salesforce only"}}
}

func emailsPreset() preset {
	oneWay := func(hubspot, salesforce, why string, options ...string) standardPair {
		return standardPair{hubspotObject: "emails", salesforceObject: "Task", hubspot: hubspot, salesforce: salesforce, direction: string(ToSalesforce), why: why, options: options}
	}
	p := preset{name: "emails", hubspot: "emails", targets: []string{"Task"}, title: "e-mails, and tasks that are e-mails", shared: true,
		about:    []string{"E-mails go to Salesforce only: what was sent is not changed, and HubSpot does not let all of it be written."},
		pairs:    []standardPair{oneWay("hs_email_subject", "Subject", "", "too-long: cut"), oneWay("hs_email_text", "Description", "", "too-long: cut"), oneWay("hs_timestamp", "ActivityDate", "Salesforce keeps the day only")},
		computed: []presetComputed{{"TaskSubtype", `"Email"`, "what makes a task an e-mail; it can only be set on create"}, {"Status", `"Completed"`, "it is sent"}},
		where:    presetWhere{salesforce: `salesforce.TaskSubtype == "Email"`, why: "other tasks are no e-mails"}}
	p.ends = activityEnds()
	for i := range p.ends {
		p.ends[i].direction = string(ToSalesforce)
	}
	return p
}

// pairs reads "name=Name".
func pairs(hubspotObject, salesforceObject string, names ...string) []standardPair {
	var out []standardPair
	for _, p := range names {
		out = append(out, standardPair{hubspotObject: hubspotObject, salesforceObject: salesforceObject, hubspot: before(p), salesforce: after(p)})
	}
	return out
}
