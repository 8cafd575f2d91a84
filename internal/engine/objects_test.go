package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
	sandboxhubspot "github.com/lockstep-sync/lockstep/sandbox/hubspot"
	sandboxsalesforce "github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// values are fields of a record, as a sandbox shows them.
type values map[string]string

// objectStory is one pair of objects on its way from two empty accounts: a
// record made on each side, copied to the other, edited on each side, archived.
type objectStory struct {
	presets []string
	// edit changes the suggested file; it always gets create: both.
	edit    func(string) string
	prepare func(*sandbox.Sandbox) error

	hubspotObject, salesforceObject string
	// A record of each side, and what its counterpart holds of it.
	hubspot, copied         values
	salesforce, copiedBack  values
	hubspotEdit, followed   values
	salesforceEdit, follows values
	// copiedAll and editedAll look at what is no field of the two records.
	copiedAll, editAll, editedAll func(c *connected, partner, right, origin string)
}

func (c *connected) insertSalesforce(object string, fields values) string {
	return c.box.Salesforce().Insert(object, anyFields(fields), time.Now(), time.Now())
}

func anyFields(fields values) map[string]any {
	out := map[string]any{}
	for name, text := range fields {
		switch text {
		case "true", "false":
			out[name] = text == "true"
		case "":
			out[name] = nil
		default:
			out[name] = text
		}
	}
	return out
}

func (c *connected) insertHubSpot(object string, fields values) string {
	c.t.Helper()
	id, err := c.box.HubSpot().Create(object, fields)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

// partner is the record that one is linked with.
func (c *connected) partner(mapping string, side crm.Side, id string) string {
	c.t.Helper()
	links, err := c.store.Links(context.Background(), mapping, side, []string{id})
	if err != nil {
		c.t.Fatal(err)
	}
	l, ok := links[id]
	if !ok {
		c.t.Fatalf("%s %s is not linked; outcomes: %s", side, id, c.outcomes(mapping))
	}
	if side == crm.HubSpot {
		return l.SalesforceID
	}
	return l.HubSpotID
}

func (c *connected) outcomes(mapping string) string {
	var b strings.Builder
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		page, err := c.store.OutcomePage(context.Background(), mapping, side, "", 100)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, o := range page {
			fmt.Fprintf(&b, "\n  %s %s: %s", side, o.Ref.ID, o.Reason.Text)
		}
	}
	return b.String()
}

// holds compares some fields of a record of a sandbox.
func (c *connected) holds(side crm.Side, object, id string, want values) {
	c.t.Helper()
	got := map[string]string{}
	if side == crm.HubSpot {
		fields, ok := c.box.HubSpot().Get(object, id)
		if !ok {
			c.t.Errorf("HubSpot has no %s %s", object, id)
			return
		}
		got = fields
	} else {
		fields, ok := c.box.Salesforce().Get(object, id)
		if !ok {
			c.t.Errorf("Salesforce has no %s %s", object, id)
			return
		}
		for name, v := range fields {
			if v != nil {
				got[name] = fmt.Sprint(v)
			}
		}
	}
	for name, text := range want {
		if got[name] != text {
			c.t.Errorf("%s %s %s: %s is %q, want %q", side.Title(), object, id, name, got[name], text)
		}
	}
}

// connectObjects maps the named pairs of objects; edit may change the
// suggested file.
func connectObjects(t *testing.T, dir string, config sandbox.Config, edit func(string) string, prepare func(*sandbox.Sandbox) error, presets ...string) *connected {
	t.Helper()
	hubspotObjects, salesforceObjects, err := mapping.PresetObjects(presets)
	if err != nil {
		t.Fatal(err)
	}
	return connectWith(t, dir, config, func(box *sandbox.Sandbox) {
		if prepare == nil {
			return
		}
		if err := prepare(box); err != nil {
			t.Fatal(err)
		}
	}, func(schemas mapping.Schemas) []byte {
		src, err := mapping.SuggestObjects(schemas, mapping.Accounts{HubSpot: "acme", Salesforce: "acme"}, presets)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(edit(string(src)))
	}, hubspotObjects, salesforceObjects)
}

// quiet syncs twice and wants no write.
func (c *connected) quiet(when string) {
	c.t.Helper()
	for range 2 {
		time.Sleep(time.Minute)
		run := c.sync()
		if run.Writes.Sum()+run.Writes.Linked != 0 {
			c.t.Errorf("%s a quiet world gives %+v", when, run.Writes)
		}
	}
}

// TestFurtherObjectsAreKeptInStep plays the same story for each pair of objects
// beyond companies, people and deals.
func TestFurtherObjectsAreKeptInStep(t *testing.T) {
	for name, s := range objectStories() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { s.play(t, dir, name) })
		})
	}
}

// createBoth lets records be created on both sides, e-mails in Salesforce only.
func createBoth(src string) string {
	src, emails, _ := strings.Cut(src, "  - name: emails")
	src = strings.ReplaceAll(src, "create: in-salesforce", "create: both")
	if emails != "" {
		src += "  - name: emails" + emails
	}
	return src
}

func (s objectStory) play(t *testing.T, dir, mapping string) {
	edit := func(src string) string {
		src = createBoth(src)
		if s.edit != nil {
			src = s.edit(src)
		}
		return src
	}
	c := connectObjects(t, dir, sandbox.Config{Seed: "empty", Latency: 20 * time.Millisecond}, edit, s.prepare, s.presets...)
	defer c.close()
	left := c.insertHubSpot(s.hubspotObject, s.hubspot)
	right := c.insertSalesforce(s.salesforceObject, s.salesforce)
	run := c.sync()
	if run.Tally.Failed+run.Tally.Held+run.Tally.Pending != 0 {
		t.Fatalf("first copy: %+v%s", run.Tally, c.outcomes(mapping))
	}
	partner, origin := c.partner(mapping, crm.HubSpot, left), c.partner(mapping, crm.Salesforce, right)
	c.holds(crm.Salesforce, s.salesforceObject, partner, s.copied)
	c.holds(crm.HubSpot, s.hubspotObject, origin, s.copiedBack)
	if s.copiedAll != nil {
		s.copiedAll(c, partner, right, origin)
	}
	c.quiet("after the first copy")

	if err := c.box.HubSpot().Update(s.hubspotObject, left, s.hubspotEdit); err != nil {
		t.Fatal(err)
	}
	if err := c.box.Salesforce().Update(s.salesforceObject, right, anyFields(s.salesforceEdit)); err != nil {
		t.Fatal(err)
	}
	if s.editAll != nil {
		s.editAll(c, partner, right, origin)
	}
	time.Sleep(time.Minute)
	run = c.sync()
	if run.Tally.Failed+run.Tally.Held != 0 {
		t.Errorf("edits: %+v%s", run.Tally, c.outcomes(mapping))
	}
	c.holds(crm.Salesforce, s.salesforceObject, partner, s.followed)
	c.holds(crm.HubSpot, s.hubspotObject, origin, s.follows)
	if s.editedAll != nil {
		s.editedAll(c, partner, right, origin)
	}
	c.quiet("after an edit on each side")
	c.inStep()

	// Gone in HubSpot, and `deletes: ask` waits for a person.
	if err := c.box.HubSpot().Archive(s.hubspotObject, left); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	if run = c.sync(); run.Tally.Held != 1 || run.Writes.Sum() != 0 {
		t.Errorf("one is archived: %+v %+v%s", run.Tally, run.Writes, c.outcomes(mapping))
	}
}

func objectStories() map[string]objectStory {
	return map[string]objectStory{
		"tickets": {presets: []string{"tickets"}, hubspotObject: "tickets", salesforceObject: "Case",
			hubspot:        values{"subject": "No power", "content": "Since Monday.\nNothing works.", "hs_pipeline": "0", "hs_pipeline_stage": "1", "hs_ticket_priority": "URGENT", "source_type": "EMAIL"},
			copied:         values{"Subject": "No power", "Description": "Since Monday.\nNothing works.", "Status": "New", "Priority": "High", "Origin": "Email"},
			salesforce:     values{"Subject": "Wrong bill", "Status": "Working", "Priority": "Low", "Origin": "Phone"},
			copiedBack:     values{"subject": "Wrong bill", "hs_pipeline": "0", "hs_pipeline_stage": "2", "hs_ticket_priority": "LOW", "source_type": "PHONE"},
			hubspotEdit:    values{"hs_pipeline_stage": "4", "subject": "No power at all"},
			followed:       values{"Status": "Closed", "Subject": "No power at all", "Priority": "High"},
			salesforceEdit: values{"Status": "New", "Description": "Twice the sum"},
			follows:        values{"hs_pipeline_stage": "1", "content": "Twice the sum"}},
		"products": {presets: []string{"products"}, hubspotObject: "products", salesforceObject: "Product2",
			hubspot:        values{"name": "Pump 9", "hs_sku": "P-9", "price": "199.90", "description": "Pumps."},
			copied:         values{"Name": "Pump 9", "ProductCode": "P-9", "IsActive": "true", "Description": "Pumps."},
			salesforce:     values{"Name": "Valve", "ProductCode": "V-1", "IsActive": "false"},
			copiedBack:     values{"name": "Valve", "hs_sku": "V-1", "price": ""},
			hubspotEdit:    values{"name": "Pump 9 XL"},
			followed:       values{"Name": "Pump 9 XL", "IsActive": "true"},
			salesforceEdit: values{"Description": "Opens and closes"},
			follows:        values{"description": "Opens and closes", "price": "12.5"},
			copiedAll: func(c *connected, partner, right, _ string) {
				c.prices(partner, "199.9")
				c.prices(right)
			},
			// The price of a product is a record of its own, whose change leaves the product's stamp alone.
			editAll: func(c *connected, partner, right, _ string) {
				c.insertSalesforce("PricebookEntry", values{"Pricebook2Id": c.standardBook(), "Product2Id": right, "UnitPrice": "12.5", "IsActive": "true"})
			},
			editedAll: func(c *connected, partner, right, origin string) {
				c.prices(right, "12.5")
				if err := c.box.HubSpot().Update("products", origin, values{"price": "13"}); err != nil {
					c.t.Fatal(err)
				}
				time.Sleep(time.Minute)
				c.sync()
				c.prices(right, "13")
			}},
		"cars": {presets: []string{"custom:cars=Car__c"}, hubspotObject: "cars", salesforceObject: "Car__c", prepare: prepareCars,
			hubspot:        values{"plate": "B-AB 123", "seats": "5", "registered": "2026-02-28", "electric": "true", "colour": "red"},
			copied:         values{"Plate__c": "B-AB 123", "Seats__c": "5", "Registered__c": "2026-02-28", "Electric__c": "true", "Colour__c": "Red"},
			salesforce:     values{"Plate__c": "M-XY 9", "Seats__c": "2", "Electric__c": "false", "Colour__c": "Blue"},
			copiedBack:     values{"plate": "M-XY 9", "seats": "2", "colour": "blue"},
			hubspotEdit:    values{"seats": "4", "colour": "blue"},
			followed:       values{"Seats__c": "4", "Colour__c": "Blue"},
			salesforceEdit: values{"Registered__c": "2020-01-01", "Electric__c": "true"},
			follows:        values{"registered": "2020-01-01", "electric": "true"}},
	}
}

// prepareCars makes a custom object on each side.
func prepareCars(box *sandbox.Sandbox) error {
	colours := []sandboxhubspot.Option{{Value: "red", Label: "Red"}, {Value: "blue", Label: "Blue"}}
	box.HubSpot().AddSchema(sandboxhubspot.Schema{Name: "cars", Singular: "Car", Plural: "Cars", PrimaryDisplayProperty: "plate", RequiredProperties: []string{"plate"},
		Properties: []sandboxhubspot.Property{{Name: "plate", Label: "Plate", Type: "string", FieldType: "text", HasUniqueValue: true}, {Name: "seats", Label: "Seats", Type: "number", FieldType: "number"},
			{Name: "registered", Label: "Registered", Type: "date", FieldType: "date"}, {Name: "electric", Label: "Electric", Type: "bool", FieldType: "booleancheckbox", Options: []sandboxhubspot.Option{{Value: "true", Label: "Yes"}, {Value: "false", Label: "No"}}},
			{Name: "colour", Label: "Colour", Type: "enumeration", FieldType: "select", Options: colours}}})
	return box.Salesforce().AddObject(sandboxsalesforce.Object{Name: "Car__c", Fields: []sandboxsalesforce.Field{{Name: "Plate__c", Type: "string", Length: 40}, {Name: "Seats__c", Type: "double", Precision: 3},
		{Name: "Registered__c", Type: "date"}, {Name: "Electric__c", Type: "boolean"}, {Name: "Colour__c", Type: "picklist", Picklist: []sandboxsalesforce.PicklistValue{{Value: "Red", Label: "Red"}, {Value: "Blue", Label: "Blue"}}}}})
}

func (c *connected) standardBook() (id string) {
	c.box.Salesforce().Each("Pricebook2", func(book string, fields map[string]any) bool {
		if fields["IsStandard"] == true {
			id = book
		}
		return true
	})
	return id
}

// prices compares the entries of a product in the standard price book.
func (c *connected) prices(product string, want ...string) {
	c.t.Helper()
	var got []string
	c.box.Salesforce().Each("PricebookEntry", func(_ string, fields map[string]any) bool {
		if fields["Product2Id"] == product && fields["Pricebook2Id"] == c.standardBook() && fields["IsActive"] == true {
			got = append(got, fmt.Sprint(fields["UnitPrice"]))
		}
		return true
	})
	if !slices.Equal(got, want) {
		c.t.Errorf("the standard prices of %s are %v, want %v", product, got, want)
	}
}
