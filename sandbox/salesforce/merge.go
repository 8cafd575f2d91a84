package salesforce

import (
	"fmt"
	"time"
)

// Merge folds records of Account, Contact or Lead into a master, as a person in
// the user interface or a SOAP client would: what belongs to the others moves
// to the master, the others go to the recycle bin with MasterRecordId set. The
// master's fields stay as they are.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_merge.htm
func (s *Server) Merge(objectName, masterID string, ids ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, master, err := s.located(objectName, masterID)
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	if !o.mergeable {
		return fmt.Errorf("merge: %s cannot be merged", o.name)
	}
	t := s.begin(s.admin)
	for _, id := range ids {
		_, loser, err := s.located(objectName, id)
		if err == nil && loser == master {
			err = fmt.Errorf("%s is the master itself", id)
		}
		if err != nil {
			t.rollback(0)
			return fmt.Errorf("merge: %w", err)
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
}

// Converted is what a lead became. OpportunityID is "" when none was made.
type Converted struct {
	AccountID, ContactID, OpportunityID string
}

// ConvertLead converts a lead as a person would. Existing records get only
// their empty fields filled.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_convertlead.htm
func (s *Server) ConvertLead(id string, c Conversion) (Converted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	leads, lead, err := s.located("Lead", id)
	if err != nil {
		return Converted{}, fmt.Errorf("convert: %w", err)
	}
	if lead.get(leads.byName["isconverted"]).isTrue() {
		return Converted{}, fmt.Errorf("convert: lead %s is converted already", id)
	}
	t := s.begin(s.admin)
	now := time.Unix(t.now, 0)
	var done Converted
	account, err := s.convertInto(t, "Account", c.AccountID, leads, lead, accountFromLead[:], map[string]any{"Name": lead.get(leads.byName["company"]).exported()}, now)
	if err == nil {
		done.AccountID = account.id
		var contact *row
		contact, err = s.convertInto(t, "Contact", c.ContactID, leads, lead, contactFromLead[:], map[string]any{"AccountId": account.id}, now)
		if err == nil {
			done.ContactID = contact.id
		}
	}
	if err != nil {
		t.rollback(0)
		return Converted{}, fmt.Errorf("convert lead %s: %w", id, err)
	}
	if !c.NoOpportunity {
		name := c.OpportunityName
		if name == "" {
			name = lead.get(leads.byName["company"]).text
		}
		closing := now.AddDate(0, 3, 0)
		done.OpportunityID = s.load(t, "Opportunity", map[string]any{"Name": name, "AccountId": done.AccountID, "StageName": "Prospecting", "CloseDate": closing.UTC(),
			"ContactId": done.ContactID, "OwnerId": lead.get(leads.owner).exported(), "LeadSource": lead.get(leads.byName["leadsource"]).exported()}, now, now).id
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
	return done, nil
}

// What a conversion carries over: target field, lead field.
var (
	accountFromLead = [...][2]string{{"Phone", "Phone"}, {"Fax", "Fax"}, {"Website", "Website"}, {"Industry", "Industry"}, {"Rating", "Rating"},
		{"AnnualRevenue", "AnnualRevenue"}, {"NumberOfEmployees", "NumberOfEmployees"}, {"AccountSource", "LeadSource"}, {"OwnerId", "OwnerId"},
		{"BillingStreet", "Street"}, {"BillingCity", "City"}, {"BillingState", "State"}, {"BillingPostalCode", "PostalCode"}, {"BillingCountry", "Country"}}
	contactFromLead = [...][2]string{{"LastName", "LastName"}, {"FirstName", "FirstName"}, {"Salutation", "Salutation"}, {"Title", "Title"}, {"Email", "Email"},
		{"Phone", "Phone"}, {"MobilePhone", "MobilePhone"}, {"Fax", "Fax"}, {"LeadSource", "LeadSource"}, {"Description", "Description"}, {"OwnerId", "OwnerId"},
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
	for _, r := range o.match(f, textOf(leadID)) {
		d := draftOf(r)
		d.set(o.byName["contactid"], textOf(contactID))
		t.update(o, r, d.cells, true)
	}
}
