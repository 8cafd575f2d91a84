package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// cast are the records that activities are about, on both sides.
type cast struct {
	*connected
	company, contact, lead, deal           string // HubSpot
	account, person, prospect, opportunity string // Salesforce
}

// gather makes a company, a contact of it, a lead and a deal, and copies them.
func gather(t *testing.T, dir string, presets ...string) cast {
	c := cast{connected: connectObjects(t, dir, sandbox.Config{Seed: "empty"}, createBoth, nil, append([]string{"companies", "people", "deals"}, presets...)...)}
	hub := c.box.HubSpot()
	c.company = c.insertHubSpot("companies", values{"name": "Acme", "domain": "acme.example"})
	c.contact = c.insertHubSpot("contacts", values{"lastname": "Lee", "email": "lee@acme.example"})
	hub.Associate("contacts", c.contact, "companies", c.company, 1)
	c.lead = c.insertHubSpot("contacts", values{"lastname": "Kim", "email": "kim@elsewhere.example"})
	c.deal = c.insertHubSpot("deals", values{"dealname": "Robots", "closedate": "2026-11-23T00:00:00Z", "dealstage": "appointmentscheduled", "pipeline": "default"})
	hub.Associate("deals", c.deal, "companies", c.company, 5)
	time.Sleep(time.Minute)
	c.sync()
	c.account, c.person, c.prospect = c.partner("companies", crm.HubSpot, c.company), c.partner("people", crm.HubSpot, c.contact), c.partner("people", crm.HubSpot, c.lead)
	c.opportunity = c.partner("deals", crm.HubSpot, c.deal)
	return c
}

// related compares what a HubSpot record is associated with.
func (c cast) related(object, id, far string, want ...string) {
	c.t.Helper()
	if got := c.box.HubSpot().Associations(object, id, far); fmt.Sprint(got) != fmt.Sprint(want) {
		c.t.Errorf("HubSpot %s %s is associated with %s %v, want %v", object, id, far, got, want)
	}
}

// activityStory is one kind of activity.
type activityStory struct {
	salesforceObject        string
	hubspot, copied         values
	salesforce, copiedBack  values
	hubspotEdit, followed   values
	salesforceEdit, follows values
	// oneWay: nothing of it goes to HubSpot.
	oneWay bool
}

func activityStories() map[string]activityStory {
	return map[string]activityStory{
		"notes": {salesforceObject: "Task",
			hubspot:        values{"hs_note_body": "<p>Wants <b>blue</b> ones</p><p>&amp; soon</p>", "hs_timestamp": "2026-11-20T09:30:00.123Z"},
			copied:         values{"Subject": "Note", "Status": "Completed", "Description": "Wants blue ones\n& soon", "ActivityDate": "2026-11-20"},
			salesforce:     values{"Subject": "Note", "Status": "Completed", "Description": "Called back <later>", "ActivityDate": "2026-11-19"},
			copiedBack:     values{"hs_note_body": "Called back &lt;later&gt;"},
			hubspotEdit:    values{"hs_note_body": "<p>Wants red ones</p>"},
			followed:       values{"Description": "Wants red ones"},
			salesforceEdit: values{"Description": "Never called"},
			follows:        values{"hs_note_body": "Never called"}},
		"tasks": {salesforceObject: "Task",
			hubspot:        values{"hs_task_subject": "Send offer", "hs_task_body": "two pages", "hs_task_status": "WAITING", "hs_task_priority": "HIGH", "hs_timestamp": "2026-12-01T08:00:00Z"},
			copied:         values{"Subject": "Send offer", "Description": "two pages", "Status": "Waiting on someone else", "Priority": "High", "ActivityDate": "2026-12-01", "TaskSubtype": "Task"},
			salesforce:     values{"Subject": "Ring the bell", "Status": "In Progress", "Priority": "Normal", "ActivityDate": "2026-12-02"},
			copiedBack:     values{"hs_task_subject": "Ring the bell", "hs_task_status": "IN_PROGRESS", "hs_task_priority": "MEDIUM"},
			hubspotEdit:    values{"hs_task_status": "COMPLETED"},
			followed:       values{"Status": "Completed", "ActivityDate": "2026-12-01"},
			salesforceEdit: values{"Status": "Completed", "Priority": "Low"},
			follows:        values{"hs_task_status": "COMPLETED", "hs_task_priority": "LOW"}},
		"calls": {salesforceObject: "Task",
			hubspot:        values{"hs_call_title": "First call", "hs_call_direction": "OUTBOUND", "hs_call_duration": "61500", "hs_call_status": "COMPLETED", "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7", "hs_timestamp": "2026-11-20T09:30:00Z"},
			copied:         values{"Subject": "First call", "CallType": "Outbound", "CallDurationInSeconds": "62", "CallDisposition": "Connected", "Status": "Completed", "TaskSubtype": "Call"},
			salesforce:     values{"Subject": "Rang in", "TaskSubtype": "Call", "CallType": "Inbound", "CallDurationInSeconds": "30", "Status": "Completed", "ActivityDate": "2026-11-19"},
			copiedBack:     values{"hs_call_title": "Rang in", "hs_call_direction": "INBOUND", "hs_call_duration": "30000"},
			hubspotEdit:    values{"hs_call_title": "The first call", "hs_call_status": "NO_ANSWER"},
			followed:       values{"Subject": "The first call", "Status": "Completed", "CallDurationInSeconds": "62"},
			salesforceEdit: values{"CallDurationInSeconds": "45"},
			follows:        values{"hs_call_duration": "45000"}},
		"meetings": {salesforceObject: "Event",
			hubspot:        values{"hs_meeting_title": "Demo", "hs_meeting_location": "Room 1", "hs_meeting_start_time": "2026-12-01T09:00:00.250Z", "hs_meeting_end_time": "2026-12-01T10:00:00Z", "hs_timestamp": "2026-12-01T09:00:00.250Z"},
			copied:         values{"Subject": "Demo", "Location": "Room 1", "StartDateTime": "2026-12-01T09:00:00.000+0000", "EndDateTime": "2026-12-01T10:00:00.000+0000"},
			salesforce:     values{"Subject": "Lunch", "StartDateTime": "2026-12-02T11:00:00.000Z", "EndDateTime": "2026-12-02T12:00:00.000Z"},
			copiedBack:     values{"hs_meeting_title": "Lunch", "hs_meeting_start_time": "2026-12-02T11:00:00Z"},
			hubspotEdit:    values{"hs_meeting_title": "Great demo"},
			followed:       values{"Subject": "Great demo", "StartDateTime": "2026-12-01T09:00:00.000+0000"},
			salesforceEdit: values{"Location": "Roof"},
			follows:        values{"hs_meeting_location": "Roof"}},
		"emails": {salesforceObject: "Task", oneWay: true,
			hubspot:     values{"hs_email_subject": "Offer", "hs_email_text": "Dear Lee,\nhere it is.", "hs_email_direction": "EMAIL", "hs_email_status": "SENT", "hs_timestamp": "2026-11-20T09:30:00Z"},
			copied:      values{"Subject": "Offer", "Description": "Dear Lee,\nhere it is.", "TaskSubtype": "Email", "Status": "Completed"},
			hubspotEdit: values{"hs_email_subject": "The offer"},
			followed:    values{"Subject": "The offer"}},
	}
}

// TestActivitiesAreKeptInStep logs each kind of activity on each side, about a
// contact and a deal, and about a lead.
func TestActivitiesAreKeptInStep(t *testing.T) {
	for name, s := range activityStories() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { s.play(t, dir, name) })
		})
	}
}

func (s activityStory) play(t *testing.T, dir, name string) {
	c := gather(t, dir, name)
	defer c.close()
	hub := c.box.HubSpot()
	about := func(id, contact, deal string) string {
		hub.Associate(name, id, "contacts", contact)
		hub.Associate(name, id, "deals", deal)
		hub.Associate(name, id, "companies", c.company)
		return id
	}
	left, ofLead := about(c.insertHubSpot(name, s.hubspot), c.contact, c.deal), about(c.insertHubSpot(name, s.hubspot), c.lead, c.deal)
	right := ""
	if !s.oneWay {
		fields := values{"WhoId": c.person, "WhatId": c.account}
		for k, v := range s.salesforce {
			fields[k] = v
		}
		right = c.insertSalesforce(s.salesforceObject, fields)
	}
	time.Sleep(time.Minute)
	run := c.sync()
	if run.Tally.Failed+run.Tally.Held+run.Tally.Pending != 0 {
		t.Fatalf("first copy: %+v%s", run.Tally, c.outcomes(name))
	}
	partner := c.partner(name, crm.HubSpot, left)
	c.holds(crm.Salesforce, s.salesforceObject, partner, s.copied)
	c.holds(crm.Salesforce, s.salesforceObject, partner, values{"WhoId": c.person, "WhatId": c.opportunity})
	c.holds(crm.Salesforce, s.salesforceObject, c.partner(name, crm.HubSpot, ofLead), values{"WhoId": c.prospect, "WhatId": ""})
	origin := ""
	if !s.oneWay {
		origin = c.partner(name, crm.Salesforce, right)
		c.holds(crm.HubSpot, name, origin, s.copiedBack)
		c.related(name, origin, "contacts", c.contact)
		c.related(name, origin, "companies", c.company)
	}
	c.quiet("after the first copy")

	if err := hub.Update(name, left, s.hubspotEdit); err != nil {
		t.Fatal(err)
	}
	if !s.oneWay {
		edit := anyFields(s.salesforceEdit)
		edit["WhatId"] = c.opportunity
		if err := c.box.Salesforce().Update(s.salesforceObject, right, edit); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Minute)
	c.sync()
	c.holds(crm.Salesforce, s.salesforceObject, partner, s.followed)
	if !s.oneWay {
		c.holds(crm.HubSpot, name, origin, s.follows)
		c.related(name, origin, "deals", c.deal)
		c.related(name, origin, "companies")
	}
	c.quiet("after an edit on each side")
	c.inStep()
}

// A Task belongs to one kind of activity, by its subtype and its subject, when
// all kinds are mapped at once.
func TestTasksOfAllKindsDoNotMix(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := gather(t, dir, "notes", "tasks", "calls", "meetings", "emails")
		defer c.close()
		want := map[string]int{}
		for name, s := range activityStories() {
			c.insertHubSpot(name, s.hubspot)
			want[name]++
			if !s.oneWay {
				c.insertSalesforce(s.salesforceObject, s.salesforce)
				want[name]++
			}
		}
		time.Sleep(time.Minute)
		c.sync()
		for name, n := range want {
			if got := c.box.HubSpot().Count(name); got != n {
				t.Errorf("HubSpot has %d %s, want %d%s", got, name, n, c.outcomes(name))
			}
		}
		if tasks, events := c.box.Salesforce().Count("Task"), c.box.Salesforce().Count("Event"); tasks != 7 || events != 2 {
			t.Errorf("Salesforce has %d tasks and %d events, want 7 and 2", tasks, events)
		}
		c.quiet("with all kinds of activity")
		c.inStep()
	})
}

// TestLineItemsFindTheirPrices copies products and line items both ways: a line
// item of HubSpot names a product, one of Salesforce a price book entry.
func TestLineItemsFindTheirPrices(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := gather(t, dir, "products", "line-items")
		defer c.close()
		hub, org := c.box.HubSpot(), c.box.Salesforce()
		pump := c.insertHubSpot("products", values{"name": "Pump", "price": "100"})
		line := c.insertHubSpot("line_items", values{"name": "Pump", "quantity": "2", "price": "90.5", "hs_product_id": pump})
		hub.Associate("line_items", line, "deals", c.deal)
		valve := c.insertSalesforce("Product2", values{"Name": "Valve", "IsActive": "true"})
		entry := c.insertSalesforce("PricebookEntry", values{"Pricebook2Id": c.standardBook(), "Product2Id": valve, "UnitPrice": "7", "IsActive": "true"})
		if err := org.Update("Opportunity", c.opportunity, map[string]any{"Pricebook2Id": c.standardBook()}); err != nil {
			t.Fatal(err)
		}
		item := c.insertSalesforce("OpportunityLineItem", values{"OpportunityId": c.opportunity, "PricebookEntryId": entry, "Quantity": "3", "UnitPrice": "6"})
		time.Sleep(time.Minute)
		if run := c.sync(); run.Tally.Held+run.Tally.Pending+run.Tally.Failed != 0 {
			t.Fatalf("first copy: %+v%s", run.Tally, c.outcomes("line-items"))
		}
		product := c.partner("products", crm.HubSpot, pump)
		c.prices(product, "100")
		copied := c.partner("line-items", crm.HubSpot, line)
		c.holds(crm.Salesforce, "OpportunityLineItem", copied, values{"OpportunityId": c.opportunity, "Product2Id": product, "Quantity": "2", "UnitPrice": "90.5", "TotalPrice": "181"})
		origin := c.partner("line-items", crm.Salesforce, item)
		c.holds(crm.HubSpot, "line_items", origin, values{"quantity": "3", "price": "6", "hs_product_id": c.partner("products", crm.Salesforce, valve)})
		c.related("line_items", origin, "deals", c.deal)

		// Salesforce computes the amount now; HubSpot follows, and does not fight it.
		c.holds(crm.Salesforce, "Opportunity", c.opportunity, values{"Amount": "199"})
		time.Sleep(time.Minute)
		c.sync()
		c.quiet("after the first copy")
		c.holds(crm.HubSpot, "deals", c.deal, values{"amount": "199"})
		if err := hub.Update("deals", c.deal, values{"amount": "500"}); err != nil {
			t.Fatal(err)
		}
		c.quiet("an amount that Salesforce computes")
		c.holds(crm.Salesforce, "Opportunity", c.opportunity, values{"Amount": "199"})

		if err := hub.Update("line_items", line, values{"quantity": "4"}); err != nil {
			t.Fatal(err)
		}
		if err := org.Update("OpportunityLineItem", item, map[string]any{"UnitPrice": 5}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.sync()
		c.holds(crm.Salesforce, "OpportunityLineItem", copied, values{"Quantity": "4", "TotalPrice": "362"})
		c.holds(crm.HubSpot, "line_items", origin, values{"price": "5"})
		time.Sleep(time.Minute)
		c.sync() // the new amount
		c.holds(crm.HubSpot, "deals", c.deal, values{"amount": "377"})
		c.quiet("after an edit on each side")
		c.inStep()
	})
}

// A product without a price in the opportunity's price book cannot be sold:
// the line item says so, and comes through once it has one.
func TestALineItemWithoutAPriceSaysSo(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := gather(t, dir, "products", "line-items")
		defer c.close()
		pump := c.insertHubSpot("products", values{"name": "Pump"})
		line := c.insertHubSpot("line_items", values{"name": "Pump", "quantity": "2", "price": "90.5", "hs_product_id": pump})
		c.box.HubSpot().Associate("line_items", line, "deals", c.deal)
		time.Sleep(time.Minute)
		run := c.sync()
		if said := c.outcomes("line-items"); run.Tally.Pending != 1 || !strings.Contains(said, "has no active entry in price book") {
			t.Fatalf("%+v%s", run.Tally, said)
		}
		if err := c.box.HubSpot().Update("products", pump, values{"price": "80"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.sync()
		c.holds(crm.Salesforce, "OpportunityLineItem", c.partner("line-items", crm.HubSpot, line), values{"Quantity": "2", "UnitPrice": "90.5"})
	})
}
