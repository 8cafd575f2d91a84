package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
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
		c.wait(time.Hour)
		if run := c.sync(); !run.Quiet() {
			t.Errorf("it is not quiet: %+v", run)
		}
		c.inStep()
	})
}

const partnersYAML = `
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
    associations:
      - {hubspot: companies, salesforce: {junction: Partner__c, near: Contact__c, far: Account__c, label: Role__c}, labels: {Advisor: Advisor, Backer: Investor}}
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
      - {hubspot: contacts, salesforce: OpportunityContactRole, labels: {Decision maker: Decision Maker}}
`

// addPartners gives both sandboxes what the mapping of partners names: an object
// that joins contacts and accounts, and labels.
func addPartners(t *testing.T) func(*sandbox.Sandbox) {
	return func(box *sandbox.Sandbox) {
		err := box.Salesforce().AddObject(salesforce.Object{Name: "Partner__c", Fields: []salesforce.Field{
			{Name: "Contact__c", Type: "reference", ReferenceTo: []string{"Contact"}}, {Name: "Account__c", Type: "reference", ReferenceTo: []string{"Account"}},
			{Name: "Role__c", Type: "picklist", Picklist: []salesforce.PicklistValue{{Value: "Advisor", Label: "Advisor"}, {Value: "Investor", Label: "Investor"}}}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, label := range [][3]string{{"contacts", "companies", "Advisor"}, {"contacts", "companies", "Backer"}, {"deals", "contacts", "Decision maker"}} {
			body := fmt.Sprintf(`{"label":%q,"name":%q}`, label[2], strings.ToLower(strings.ReplaceAll(label[2], " ", "_")))
			request, err := http.NewRequest(http.MethodPost, "https://api.hubapi.com/crm/v4/associations/"+label[0]+"/"+label[1]+"/labels", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+box.Credentials().HubSpot.PrivateApp)
			request.Header.Set("Content-Type", "application/json")
			answer, err := box.Client().Do(request)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%v %+v", err, answer)
			}
			answer.Body.Close()
		}
	}
}

// rows lists the rows of a junction: "role of far".
func (c *connected) rows(object, near, nearID, far, role string) []string {
	rows := []string{}
	c.box.Salesforce().Each(object, func(_ string, fields map[string]any) bool {
		if fields[near] == nearID {
			name := ""
			if fields[role] != nil {
				name = fmt.Sprint(fields[role])
			}
			rows = append(rows, name+" of "+fmt.Sprint(fields[far]))
		}
		return true
	})
	slices.Sort(rows)
	return rows
}

// labels lists a HubSpot record's associations with an object: "label of far".
func (c *connected) labels(object, id, far string) []string {
	c.t.Helper()
	records, _, err := c.sides[crm.HubSpot].Relations(context.Background(), crm.Read{Layout: crm.NewLayout(object, nil), Relations: []string{far}}, []string{id})
	if err != nil {
		c.t.Fatal(err)
	}
	out := []string{}
	for _, r := range records[0].Relations {
		out = append(out, r.Label+" of "+r.ID)
	}
	slices.Sort(out)
	return out
}

// TestR16LabelledAssociationsAndRowsGoBothWaysOnTheSandbox adds, relabels and
// removes on both sides, for contact roles and for an object of the org's own.
func TestR16LabelledAssociationsAndRowsGoBothWaysOnTheSandbox(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connectBy(t, dir, sandbox.Config{SearchLag: 3 * time.Second}, addPartners(t), func(mapping.Schemas) []byte { return []byte(partnersYAML) }, "Partner__c")
		defer c.close()
		hub, org := c.box.HubSpot(), c.box.Salesforce()
		create := func(object string, values map[string]string) string {
			id, err := hub.Create(object, values)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		acme := create("companies", map[string]string{"name": "Acme", "domain": "acme.example"})
		ann := create("contacts", map[string]string{"lastname": "Lee", "email": "ann@elsewhere.example"})
		deal := create("deals", map[string]string{"dealname": "Robots", "closedate": "2026-11-23T00:00:00Z", "dealstage": "appointmentscheduled", "pipeline": "default"})
		time.Sleep(time.Minute)
		c.settle()
		account, contact, opportunity := c.salesforceID("Account", "Name", "Acme"), c.salesforceID("Contact", "LastName", "Lee"), c.salesforceID("Opportunity", "Name", "Robots")

		for _, pair := range []struct {
			near, nearID, far, farID             string
			object, nearField, farField, label   string
			salesforceNear, salesforceFar        string
			first, firstRole, second, secondRole string
		}{
			{"contacts", ann, "companies", acme, "Partner__c", "Contact__c", "Account__c", "Role__c", contact, account, "Advisor", "Advisor", "Backer", "Investor"},
			{"deals", deal, "contacts", ann, "OpportunityContactRole", "OpportunityId", "ContactId", "Role", opportunity, contact, "Decision maker", "Decision Maker", "", "Evaluator"},
		} {
			label := func(labels string) {
				relation := crm.Relation{Object: pair.far, ID: pair.farID, Label: labels}
				if results, err := c.sides[crm.HubSpot].Apply(context.Background(), []crm.Write{{Key: "k", Op: crm.Relate, Object: pair.near, ID: pair.nearID, Relation: relation}}); err != nil || results[0].Err != nil {
					t.Fatal(err, results)
				}
			}
			row := func() string {
				id := ""
				org.Each(pair.object, func(found string, fields map[string]any) bool {
					if fields[pair.nearField] == pair.salesforceNear {
						id = found
					}
					return true
				})
				return id
			}
			hubspotHas := func(label string) []string { return []string{label + " of " + pair.farID} }
			salesforceHas := func(role string) []string { return []string{role + " of " + pair.salesforceFar} }
			for _, step := range []struct {
				name       string
				do         func()
				hubspot    []string
				salesforce []string
			}{
				{"associated in HubSpot with a label", func() { label(pair.first) }, hubspotHas(pair.first), salesforceHas(pair.firstRole)},
				{"another role in Salesforce", func() {
					if err := org.Update(pair.object, row(), map[string]any{pair.label: pair.secondRole}); err != nil {
						t.Fatal(err)
					}
				}, hubspotHas(pair.second), salesforceHas(pair.secondRole)},
				{"deleted in Salesforce", func() {
					if err := org.Delete(pair.object, row()); err != nil {
						t.Fatal(err)
					}
				}, []string{}, []string{}},
				{"a row that somebody made in Salesforce", func() {
					org.Insert(pair.object, map[string]any{pair.nearField: pair.salesforceNear, pair.farField: pair.salesforceFar, pair.label: pair.firstRole}, time.Now(), time.Now())
				}, hubspotHas(pair.first), salesforceHas(pair.firstRole)},
				{"removed in HubSpot", func() { hub.Dissociate(pair.near, pair.nearID, pair.far, pair.farID) }, []string{}, []string{}},
			} {
				step.do()
				time.Sleep(20 * time.Second)
				c.sync()
				if diff := cmp.Diff([][]string{step.hubspot, step.salesforce}, [][]string{c.labels(pair.near, pair.nearID, pair.far), c.rows(pair.object, pair.nearField, pair.salesforceNear, pair.farField, pair.label)}); diff != "" {
					t.Fatalf("%s of %s, one cycle later (-want +got):\n%s", step.name, pair.near, diff)
				}
				for range 2 {
					time.Sleep(time.Minute)
					if run := c.sync(); run.Writes.Sum() != 0 {
						t.Fatalf("%s of %s: it echoes: %+v", step.name, pair.near, run.Writes)
					}
				}
			}
		}
		c.wait(time.Hour)
		if run := c.sync(); !run.Quiet() {
			t.Errorf("it is not quiet: %+v", run)
		}
		c.inStep()
	})
}

// TestAnArchivedCompanyTakesNoAccountFromItsContacts: HubSpot ends a record's
// associations at once when it is archived, and its search tells of that later.
func TestAnArchivedCompanyTakesNoAccountFromItsContacts(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connectBy(t, dir, sandbox.Config{SearchLag: 2 * time.Minute}, nil, func(mapping.Schemas) []byte { return []byte(peopleAndDealsYAML) })
		defer c.close()
		hub, org := c.box.HubSpot(), c.box.Salesforce()
		acme, err := hub.Create("companies", map[string]string{"name": "Acme", "domain": "acme.example"})
		if err != nil {
			t.Fatal(err)
		}
		ann, err := hub.Create("contacts", map[string]string{"lastname": "Lee", "email": "ann@elsewhere.example"})
		if err != nil {
			t.Fatal(err)
		}
		hub.Associate("contacts", ann, "companies", acme)
		time.Sleep(5 * time.Minute)
		c.settle()
		account, contact := c.salesforceID("Account", "Name", "Acme"), c.salesforceID("Contact", "LastName", "Lee")
		if got := c.salesforceField("Contact", contact, "AccountId"); got != account {
			t.Fatalf("the contact's account is %q", got)
		}
		if err := hub.Archive("companies", acme); err != nil {
			t.Fatal(err)
		}
		for _, wait := range []time.Duration{time.Second, time.Minute, time.Hour} {
			time.Sleep(wait)
			c.sync()
			if got := c.salesforceField("Contact", contact, "AccountId"); got != account {
				t.Fatalf("%s after the company was archived the contact's account is %q, want %q", wait, got, account)
			}
		}
		// It stays so when the company comes back, and somebody's own change goes on.
		if err := hub.Restore("companies", acme); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		c.sync()
		if err := org.Update("Contact", contact, map[string]any{"AccountId": nil}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.sync()
		hub.Associate("contacts", ann, "companies", acme)
		time.Sleep(time.Minute)
		c.sync()
		if got := c.salesforceField("Contact", contact, "AccountId"); got != account {
			t.Errorf("associated again, and the contact's account is %q", got)
		}
	})
}

// TestR13AFormulaOverAParentIsNoticedOnTheSandbox: the formula's own record is
// not touched at all.
func TestR13AFormulaOverAParentIsNoticedOnTheSandbox(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		addFormula := func(box *sandbox.Sandbox) {
			err := box.Salesforce().AddField("Contact", salesforce.Field{Name: "Account_Rating__c", Type: "string", Formula: `"rated " & Account.Site`})
			if err != nil {
				t.Fatal(err)
			}
		}
		c := connectBy(t, dir, sandbox.Config{}, addFormula, func(mapping.Schemas) []byte {
			return []byte(strings.Replace(peopleAndDealsYAML, "      - {hubspot: email, salesforce: Email}\n", "      - {hubspot: email, salesforce: Email}\n      - {hubspot: jobtitle, salesforce: Account_Rating__c, direction: to-hubspot}\n", 1))
		})
		defer c.close()
		hub, org := c.box.HubSpot(), c.box.Salesforce()
		now := time.Now()
		account := org.Insert("Account", map[string]any{"Name": "Acme", "Site": "cold"}, now, now)
		org.Insert("Contact", map[string]any{"LastName": "Lee", "Email": "ann@elsewhere.example", "AccountId": account}, now, now)
		c.settle()
		title := func() string {
			found := ""
			hub.Each("contacts", func(_ string, properties map[string]string) bool {
				if properties["email"] == "ann@elsewhere.example" {
					found = properties["jobtitle"]
				}
				return true
			})
			return found
		}
		if got := title(); got != "rated cold" {
			t.Fatalf("at first HubSpot has %q", got)
		}
		c.wait(time.Hour)
		c.sync()
		if err := org.Update("Account", account, map[string]any{"Site": "hot"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.sync()
		if got := title(); got != "rated hot" {
			t.Errorf("one cycle later HubSpot has %q", got)
		}
		time.Sleep(time.Minute)
		if run := c.sync(); run.Writes.Sum() != 0 {
			t.Errorf("it echoes: %+v", run.Writes)
		}
	})
}

// TestWhoWaitedForACompanyThatIsGoneIsDecidedAgain: a contact's company was left
// out, so its association waited; meanwhile Salesforce named another one. When the
// first is deleted nothing is waited for any more.
func TestWhoWaitedForACompanyThatIsGoneIsDecidedAgain(t *testing.T) {
	dir := t.TempDir()
	yaml := strings.Replace(peopleAndDealsYAML, "    create: both\n", "    create: both\n    where: {hubspot: 'hubspot.domain != \"left.example\"'}\n", 1)
	synctest.Test(t, func(t *testing.T) {
		c := connectBy(t, dir, sandbox.Config{}, nil, func(mapping.Schemas) []byte { return []byte(yaml) })
		defer c.close()
		hub, org := c.box.HubSpot(), c.box.Salesforce()
		ids := map[string]string{}
		for _, made := range []struct{ object, name, key, value string }{
			{"companies", "Acme", "domain", "acme.example"}, {"companies", "Left", "domain", "left.example"}, {"contacts", "Lee", "email", "ann@elsewhere.example"},
		} {
			name := map[string]string{"companies": "name", "contacts": "lastname"}[made.object]
			id, err := hub.Create(made.object, map[string]string{name: made.name, made.key: made.value})
			if err != nil {
				t.Fatal(err)
			}
			ids[made.name] = id
		}
		time.Sleep(time.Minute)
		c.settle()
		hub.Associate("contacts", ids["Lee"], "companies", ids["Left"])
		time.Sleep(time.Minute)
		c.sync()
		if err := org.Update("Contact", c.salesforceID("Contact", "LastName", "Lee"), map[string]any{"AccountId": c.salesforceID("Account", "Name", "Acme")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.sync()
		if err := hub.Archive("companies", ids["Left"]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.settle()
		if diff := cmp.Diff([]string{ids["Acme"]}, hub.Associations("contacts", ids["Lee"], "companies")); diff != "" {
			t.Errorf("the contact's companies (-want +got):\n%s", diff)
		}
	})
}
