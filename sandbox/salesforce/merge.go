package salesforce

import "time"

// merge folds the losers into the master.
func (s *Server) merge(t *transaction, o *object, master *row, losers []*row) *failure {
	if !o.mergeable {
		return refuse("INVALID_OPERATION", o.name+" cannot be merged")
	}
	for _, loser := range losers {
		switch {
		case loser == master:
			return refuse("INVALID_ID_FIELD", loser.id+" is the master itself")
		case loser.deleted:
			return deletedEntity()
		}
		s.reparent(t, o, loser, master)
		d := draftOf(loser)
		d.set(o.master, textOf(master.id))
		t.update(o, loser, d.cells, false)
		t.remove(o, loser)
	}
	t.update(o, master, master.cells, false)
	return nil
}

// reparent moves every reference from one record to another. A role or member
// that the new parent has already goes instead of coming twice.
func (s *Server) reparent(t *transaction, o *object, from, to *row) {
	for _, f := range o.childOrder {
		ix := f.object.indexes[f.index]
		if ix == nil || f == o.master {
			continue
		}
		var children []*row
		ix.find(textOf(from.id), func(r *row) bool {
			if !r.deleted {
				children = append(children, r)
			}
			return true
		})
		for _, child := range children {
			if child == to {
				continue
			}
			if s.hasTwin(f, child, to) {
				t.remove(f.object, child)
				continue
			}
			d := draftOf(child)
			d.set(f, textOf(to.id))
			s.derive(t, f.object, d, child, nil)
			t.update(f.object, child, d.cells, true)
		}
	}
}

// hasTwin says whether a junction row would exist twice below its new parent.
func (s *Server) hasTwin(f *field, child, parent *row) bool {
	other := map[string]string{"OpportunityContactRole": "opportunityid", "CampaignMember": "campaignid"}[f.object.name]
	if other == "" || f.lower == other {
		return false
	}
	twin := false
	f.object.indexes[f.index].find(textOf(parent.id), func(r *row) bool {
		twin = !r.deleted && r.get(f.object.byName[other]).equal(child.get(f.object.byName[other]))
		return !twin
	})
	return twin
}

// Conversion says how a lead is converted. The zero Conversion makes a new
// account, contact and opportunity.
type Conversion struct {
	// AccountID and ContactID name existing records to use; a contact needs its account.
	AccountID, ContactID string
	// NoOpportunity makes none; OpportunityName defaults to the company.
	NoOpportunity   bool
	OpportunityName string
	// Status is the converted status; "Closed - Converted" when empty.
	Status string
	// OwnerID owns what is made; the lead's owner when empty.
	OwnerID string
	// OverwriteLeadSource gives an existing contact the lead's source.
	OverwriteLeadSource bool
}

// Converted is what a lead became. OpportunityID is "" when none was made.
type Converted struct {
	AccountID, ContactID, OpportunityID string
}

// convert turns a lead into an account, a contact and an opportunity.
func (s *Server) convert(t *transaction, lead *row, c Conversion) (Converted, *failure) {
	leads := s.object("Lead")
	if lead.get(leads.byName["isconverted"]).isTrue() {
		return Converted{}, refuse("CANNOT_UPDATE_CONVERTED_LEAD", "lead "+lead.id+" is converted already")
	}
	if c.ContactID != "" && c.AccountID == "" {
		return Converted{}, refuse("INVALID_ID_FIELD", "a contact to convert into needs its account")
	}
	owner := lead.get(leads.owner)
	if c.OwnerID != "" {
		id, _ := longID(c.OwnerID)
		if s.object("User").find(id) == nil {
			return Converted{}, refuse("INVALID_CROSS_REFERENCE_KEY", "there is no user "+c.OwnerID+" to own what is made")
		}
		owner = textOf(id)
	} else if of := s.objectOf(owner.text); of == nil || of.name != "User" {
		return Converted{}, refuse("REQUIRED_FIELD_MISSING", "a lead that a queue owns needs an owner for what is made", "OwnerId")
	}
	now := time.Unix(t.now, 0)
	var done Converted
	account, err := s.convertInto(t, "Account", c.AccountID, leads, lead, accountFromLead[:],
		map[string]any{"Name": lead.get(leads.byName["company"]).exported(), "OwnerId": owner.text}, now)
	if err != nil {
		return Converted{}, refuse("INVALID_CROSS_REFERENCE_KEY", err.Error())
	}
	done.AccountID = account.id
	contact, err := s.convertInto(t, "Contact", c.ContactID, leads, lead, contactFromLead[:], map[string]any{"AccountId": account.id, "OwnerId": owner.text}, now)
	if err != nil {
		return Converted{}, refuse("INVALID_CROSS_REFERENCE_KEY", err.Error())
	}
	done.ContactID = contact.id
	source := lead.get(leads.byName["leadsource"])
	if c.OverwriteLeadSource && c.ContactID != "" && !source.null() {
		o := s.object("Contact")
		d := draftOf(contact)
		d.set(o.byName["leadsource"], source)
		t.update(o, contact, d.cells, false)
	}
	if !c.NoOpportunity {
		name := c.OpportunityName
		if name == "" {
			name = lead.get(leads.byName["company"]).text
		}
		closing := now.AddDate(0, 3, 0)
		done.OpportunityID = s.load(t, "Opportunity", map[string]any{"Name": name, "AccountId": done.AccountID, "StageName": "Prospecting", "CloseDate": closing.UTC(),
			"ContactId": done.ContactID, "OwnerId": owner.text, "LeadSource": source.exported()}, now, now).id
	}
	if c.Status == "" {
		c.Status = "Closed - Converted"
	}
	d := draftOf(lead)
	d.set(leads.byName["isconverted"], boolOf(true))
	d.set(leads.byName["converteddate"], dateOf(now.UTC()))
	d.set(leads.byName["convertedaccountid"], textOf(done.AccountID))
	d.set(leads.byName["convertedcontactid"], textOf(done.ContactID))
	d.set(leads.byName["convertedopportunityid"], textOf(done.OpportunityID))
	d.set(leads.byName["status"], textOf(c.Status))
	t.update(leads, lead, d.cells, false)
	s.moveMembers(t, lead.id, done.ContactID)
	s.moveActivities(t, lead.id, done.ContactID)
	return done, nil
}

// moveActivities gives the tasks and events of a converted lead to the contact.
func (s *Server) moveActivities(t *transaction, leadID, contactID string) {
	for _, name := range [...]string{"Task", "Event"} {
		o := s.object(name)
		f := o.byName["whoid"]
		for _, r := range o.match(f, textOf(leadID)) {
			d := draftOf(r)
			d.set(f, textOf(contactID))
			s.deriveActivityAccount(o, d)
			t.update(o, r, d.cells, true)
		}
	}
}

// What a conversion carries over: target field, lead field.
var (
	accountFromLead = [...][2]string{{"Phone", "Phone"}, {"Fax", "Fax"}, {"Website", "Website"}, {"Industry", "Industry"}, {"Rating", "Rating"},
		{"AnnualRevenue", "AnnualRevenue"}, {"NumberOfEmployees", "NumberOfEmployees"}, {"AccountSource", "LeadSource"},
		{"BillingStreet", "Street"}, {"BillingCity", "City"}, {"BillingState", "State"}, {"BillingPostalCode", "PostalCode"}, {"BillingCountry", "Country"}}
	contactFromLead = [...][2]string{{"LastName", "LastName"}, {"FirstName", "FirstName"}, {"Salutation", "Salutation"}, {"Title", "Title"}, {"Email", "Email"},
		{"Phone", "Phone"}, {"MobilePhone", "MobilePhone"}, {"Fax", "Fax"}, {"LeadSource", "LeadSource"}, {"Description", "Description"},
		{"MailingStreet", "Street"}, {"MailingCity", "City"}, {"MailingState", "State"}, {"MailingPostalCode", "PostalCode"}, {"MailingCountry", "Country"}}
)

// convertInto makes a record from a lead, or fills the blanks of an existing one.
func (s *Server) convertInto(t *transaction, objectName, id string, leads *object, lead *row, carry [][2]string, fixed map[string]any, now time.Time) (*row, error) {
	o := s.object(objectName)
	values := map[string]any{}
	for _, p := range carry {
		if v := lead.get(leads.field(p[1])); !v.null() {
			values[p[0]] = v.exported()
		}
	}
	if id == "" {
		for k, v := range fixed {
			values[k] = v
		}
		return s.load(t, objectName, values, now, now), nil
	}
	_, r, err := s.located(objectName, id)
	if err != nil {
		return nil, err
	}
	d := draftOf(r)
	for name, v := range values {
		f := o.field(name)
		if !d.get(f).null() {
			continue
		}
		cell, err := trusted(f, v)
		if err != nil {
			return nil, err
		}
		d.set(f, cell)
	}
	t.update(o, r, d.cells, false)
	return r, nil
}

// moveMembers gives a converted lead's campaign memberships the contact.
func (s *Server) moveMembers(t *transaction, leadID, contactID string) {
	o := s.object("CampaignMember")
	f := o.byName["leadid"]
	contact, contacts := o.byName["contactid"], s.object("Contact")
	for _, r := range o.match(f, textOf(leadID)) {
		if s.hasTwin(contact, r, contacts.find(contactID)) {
			continue // the contact is a member already
		}
		d := draftOf(r)
		d.set(contact, textOf(contactID))
		s.derive(t, o, d, r, nil)
		t.update(o, r, d.cells, true)
	}
}
