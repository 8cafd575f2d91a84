package engine_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/internal/salesforce"
	"github.com/lockstep-sync/lockstep/sandbox"
	portal "github.com/lockstep-sync/lockstep/sandbox/hubspot"
	org "github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// R3: filters in both directions as expressions; no permission change needed; an
// excluded record produces zero writes and one explanation.
func TestR3ExcludedRecordProducesZeroWritesAndOneExplanation(t *testing.T) {
	for name, c := range map[string]struct {
		where string
		// play makes the excluded record and returns the id to explain.
		play func(w *world) string
		says string
	}{
		"a new HubSpot record that the HubSpot filter leaves out": {
			where: `{hubspot: 'hubspot.lifecyclestage != "subscriber"'}`,
			play: func(w *world) string {
				return w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "lifecyclestage", "subscriber")
			},
			says: `left out by where: {hubspot: "hubspot.lifecyclestage != \"subscriber\""}`,
		},
		"a new Salesforce record that the Salesforce filter leaves out": {
			where: `{salesforce: 'salesforce.Title != "Intern"'}`,
			play: func(w *world) string {
				return w.salesforce.add("Contact", "LastName", "Lee", "Email", "ann@acme.test", "Title", "Intern")
			},
			says: `left out by where: {salesforce: "salesforce.Title != \"Intern\""}`,
		},
		"a linked pair whose HubSpot record the filter leaves out, and both edited": {
			where: `{hubspot: 'hubspot.lifecyclestage != "subscriber"'}`,
			play: func(w *world) string {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				w.settle()
				w.hubspot.edit("contacts", id, "lifecyclestage", "subscriber", "phone", "1")
				w.salesforce.edit("Contact", w.salesforce.sorted("Contact", func(*row) bool { return true })[0], "FirstName", "Ann")
				return id
			},
			says: `left out by where: {hubspot: "hubspot.lifecyclestage != \"subscriber\""}`,
		},
		"a linked pair whose Salesforce record the filter leaves out, and both edited": {
			where: `{salesforce: 'salesforce.Title != "Intern"'}`,
			play: func(w *world) string {
				id := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
				w.settle()
				w.hubspot.edit("contacts", id, "phone", "1")
				w.salesforce.edit("Contact", w.salesforce.sorted("Contact", func(*row) bool { return true })[0], "Title", "Intern")
				return id
			},
			says: `left out by where: {salesforce: "salesforce.Title != \"Intern\""}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.yaml = replace(w.yaml, `where: {hubspot: 'hubspot.lifecyclestage != "subscriber"'}`, "where: "+c.where)
			id := c.play(w)
			before := w.hubspot.applied + w.salesforce.applied
			e, s := w.open()
			defer s.Close()
			for range 2 {
				run, err := e.Sync(context.Background(), engine.SyncOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if run.Writes.Sum() != 0 || !run.Closed {
					t.Errorf("%+v, closed %v", run.Writes, run.Closed)
				}
			}
			if n := w.hubspot.applied + w.salesforce.applied - before; n != 0 {
				t.Errorf("%d writes", n)
			}
			told, err := e.Explain(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			if len(told.Things) != 1 || told.Things[0].Outcome != crm.Excluded || !strings.Contains(told.Things[0].Reason.Text, c.says) {
				t.Errorf("explained as %+v", told.Things)
			}
		})
	}
}

// R14: nothing is mapped by default.
func TestR14NothingIsMappedByDefault(t *testing.T) {
	w := newWorld(t)
	w.yaml = `
hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    fields: [{hubspot: name, salesforce: Name}]
`
	w.hubspot.add("companies", "name", "Acme", "domain", "acme.test", "phone", "1", "city", "Bonn", "description", "x", "annualrevenue", "5")
	w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.settle()
	for _, r := range w.salesforce.objects["Account"] {
		if diff := cmp.Diff([]string{"Name"}, slices.Sorted(maps.Keys(r.values))); diff != "" {
			t.Errorf("written fields (-want +got):\n%s", diff)
		}
	}
	if n := len(w.salesforce.live("Contact")) + len(w.salesforce.live("Lead")); n != 0 {
		t.Errorf("%d people were created, and no mapping names them", n)
	}
}

// R14: adding an unmapped field creates nothing, on neither side, and writes
// nothing.
func TestR14AnUnmappedFieldCreatesNothing(t *testing.T) {
	t.Parallel()
	c := connect(t, t.TempDir(), sandbox.Config{Seed: "20"})
	defer c.close()
	c.sync()
	c.sync()
	before := c.fields()
	if err := c.box.HubSpot().AddProperty("contacts", portal.Property{Name: "shoe_size", Label: "Shoe size", Type: "number", FieldType: "number"}); err != nil {
		t.Fatal(err)
	}
	if err := c.box.Salesforce().AddField("Contact", org.Field{Name: "Hat_Size__c", Type: "string", Length: 20}); err != nil {
		t.Fatal(err)
	}
	c.box.Clock().Advance(time.Minute)
	for _, id := range c.ids("contacts") {
		if err := c.box.HubSpot().Update("contacts", id, map[string]string{"shoe_size": "42"}); err != nil {
			t.Fatal(err)
		}
	}
	var contacts []string
	c.box.Salesforce().Each("Contact", func(id string, _ map[string]any) bool { contacts = append(contacts, id); return true })
	for _, id := range contacts {
		if err := c.box.Salesforce().Update("Contact", id, map[string]any{"Hat_Size__c": "7"}); err != nil {
			t.Fatal(err)
		}
	}
	c.box.Clock().Advance(time.Minute)
	if run := c.sync(); run.Writes.Sum() != 0 {
		t.Errorf("wrote %+v", run.Writes)
	}
	want := append(slices.Clone(before), "hubspot contacts.shoe_size", "salesforce Contact.Hat_Size__c")
	slices.Sort(want)
	if diff := cmp.Diff(want, c.fields()); diff != "" {
		t.Errorf("fields of both accounts (-want +got):\n%s", diff)
	}
}

// ids lists the HubSpot records of a type.
func (c *connected) ids(object string) []string {
	var ids []string
	c.box.HubSpot().Each(object, func(id string, _ map[string]string) bool { ids = append(ids, id); return true })
	return ids
}

// fields names every field of the mapped objects of both accounts.
func (c *connected) fields() []string {
	c.t.Helper()
	// Clients remember schemas; new ones know nothing yet.
	keys := c.box.Credentials()
	sides := map[crm.Side]engine.Side{}
	var err error
	if sides[crm.HubSpot], err = hubspot.New(hubspot.Config{HTTP: c.box.Client(), Token: func(context.Context) (string, error) { return keys.HubSpot.PrivateApp, nil }}); err != nil {
		c.t.Fatal(err)
	}
	tokens, err := credential.NewTokenSource(credential.Account{Name: "acme", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: c.box.Salesforce().Origin(), ClientID: keys.Salesforce.ClientID},
		credential.Material{ClientSecret: credential.NewSecret(keys.Salesforce.ClientSecret)}, c.box.Client())
	if err != nil {
		c.t.Fatal(err)
	}
	if sides[crm.Salesforce], err = salesforce.New(salesforce.Config{Tokens: tokens, HTTP: c.box.Client()}); err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for side, objects := range map[crm.Side][]string{crm.HubSpot: {"companies", "contacts", "deals"}, crm.Salesforce: {"Account", "Contact", "Lead", "Opportunity"}} {
		for _, object := range objects {
			schema, err := sides[side].Describe(context.Background(), object)
			if err != nil {
				c.t.Fatal(err)
			}
			for i := range schema.Fields {
				names = append(names, string(side)+" "+object+"."+schema.Fields[i].Name)
			}
		}
	}
	slices.Sort(names)
	return names
}
