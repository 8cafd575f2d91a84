package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
)

const peopleAndDealsYAML = `
hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    create: both
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: domain, salesforce: Website}
  - name: people
    hubspot: contacts
    salesforce: Contact
    match: [{hubspot: email, salesforce: Email, as: email}]
    create: both
    fields:
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: email, salesforce: Email}
    associations: [{hubspot: companies, salesforce: AccountId}]
  - name: deals
    hubspot: deals
    salesforce: Opportunity
    match: [{hubspot: dealname, salesforce: Name}]
    create: both
    fields:
      - {hubspot: dealname, salesforce: Name}
      - {hubspot: closedate, salesforce: CloseDate}
      - {hubspot: dealstage, salesforce: StageName, values: {appointmentscheduled: Prospecting}, unmapped: skip, blank: Prospecting}
    associations:
      - {hubspot: companies, salesforce: AccountId}
      - {hubspot: contacts, salesforce: OpportunityContactRole}
`

// settle syncs until nothing is written, with waits that let HubSpot's search
// come to know what was written.
func (c *connected) settle() {
	c.t.Helper()
	for range 5 {
		run := c.sync()
		time.Sleep(time.Minute)
		if run.Writes.Sum()+run.Writes.Linked == 0 {
			return
		}
	}
	c.t.Fatal("it never comes to rest")
}

func (c *connected) salesforceID(object, field, value string) string {
	c.t.Helper()
	found := ""
	c.box.Salesforce().Each(object, func(id string, fields map[string]any) bool {
		if fields[field] == value {
			found = id
		}
		return found == ""
	})
	if found == "" {
		c.t.Fatalf("no %s with %s %s", object, field, value)
	}
	return found
}

func (c *connected) salesforceField(object, id, field string) string {
	fields, _ := c.box.Salesforce().Get(object, id)
	if fields[field] == nil {
		return ""
	}
	return fmt.Sprint(fields[field])
}

// inStep wants both sides to agree by an independent look.
func (c *connected) inStep() {
	c.t.Helper()
	v, err := c.engine.Verify(context.Background(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if !v.InStep || !v.Closed {
		c.t.Errorf("in step %v, closed %v: %+v", v.InStep, v.Closed, v.Objects)
	}
}

// TestR16ReferencesGoBothWaysOnTheSandbox changes associations and references
// on both sides, one cycle each, and wants the other side to follow, then rest.
func TestR16ReferencesGoBothWaysOnTheSandbox(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connectBy(t, dir, sandbox.Config{SearchLag: 3 * time.Second}, nil, func(mapping.Schemas) []byte { return []byte(peopleAndDealsYAML) })
		defer c.close()
		hub, org := c.box.HubSpot(), c.box.Salesforce()
		create := func(object string, values map[string]string) string {
			id, err := hub.Create(object, values)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		acme, globex := create("companies", map[string]string{"name": "Acme", "domain": "acme.example"}), create("companies", map[string]string{"name": "Globex", "domain": "globex.example"})
		ann := create("contacts", map[string]string{"lastname": "Lee", "email": "ann@elsewhere.example"})
		deal := create("deals", map[string]string{"dealname": "Robots", "closedate": "2026-11-23T00:00:00Z", "dealstage": "appointmentscheduled", "pipeline": "default"})
		time.Sleep(time.Minute)
		c.settle()
		accounts := map[string]string{acme: c.salesforceID("Account", "Name", "Acme"), globex: c.salesforceID("Account", "Name", "Globex"), "": ""}
		contact, opportunity := c.salesforceID("Contact", "LastName", "Lee"), c.salesforceID("Opportunity", "Name", "Robots")

		for _, pair := range []struct{ hubspot, hubspotID, salesforce, salesforceID string }{{"contacts", ann, "Contact", contact}, {"deals", deal, "Opportunity", opportunity}} {
			standing := func() []string {
				return append(hub.Associations(pair.hubspot, pair.hubspotID, "companies"), c.salesforceField(pair.salesforce, pair.salesforceID, "AccountId"))
			}
			refer := func(account any) {
				if err := org.Update(pair.salesforce, pair.salesforceID, map[string]any{"AccountId": account}); err != nil {
					t.Fatal(err)
				}
			}
			for _, step := range []struct {
				name    string
				do      func()
				hubspot []string
				account string
			}{
				{"associated in HubSpot", func() { hub.Associate(pair.hubspot, pair.hubspotID, "companies", acme) }, []string{acme}, acme},
				{"another account in Salesforce", func() { refer(accounts[globex]) }, []string{globex}, globex},
				{"cleared in Salesforce", func() { refer(nil) }, nil, ""},
				{"set again in Salesforce", func() { refer(accounts[acme]) }, []string{acme}, acme},
				{"removed in HubSpot", func() { hub.Dissociate(pair.hubspot, pair.hubspotID, "companies", acme) }, nil, ""},
			} {
				step.do()
				time.Sleep(20 * time.Second)
				c.sync()
				if diff := cmp.Diff(append(slices.Clone(step.hubspot), accounts[step.account]), standing()); diff != "" {
					t.Fatalf("%s of %s, one cycle later (-want +got):\n%s", step.name, pair.hubspot, diff)
				}
				for range 2 {
					time.Sleep(time.Minute)
					if run := c.sync(); run.Writes.Sum() != 0 {
						t.Fatalf("%s of %s: it echoes: %+v", step.name, pair.hubspot, run.Writes)
					}
				}
			}
		}
		time.Sleep(time.Hour)
		if run := c.sync(); !run.Quiet() {
			t.Errorf("it is not quiet: %+v", run)
		}
		c.inStep()
	})
}
