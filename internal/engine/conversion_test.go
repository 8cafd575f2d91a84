package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

const leadsYAML = `
hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    create: in-hubspot
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: domain, salesforce: Website}
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid == "none"'}, {object: Lead}]
    match: [{hubspot: email, salesforce: Email, as: email}]
    create: both
    deletes: archive
    fields:
      - {hubspot: firstname, salesforce: FirstName}
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: email, salesforce: Email}
      - {hubspot: city, salesforce: MailingCity, on: [Contact]}
      - {hubspot: company, salesforce: Company, blank: "[not provided]", on: [Lead], direction: to-salesforce}
    associations: [{hubspot: companies, salesforce: AccountId, on: [Contact]}]
  - name: deals
    hubspot: deals
    salesforce: Opportunity
    match: [{hubspot: dealname, salesforce: Name, as: text}]
    create: in-hubspot
    fields:
      - {hubspot: dealname, salesforce: Name}
      - {hubspot: dealstage, salesforce: StageName, values: {appointmentscheduled: Prospecting}, unmapped: skip}
    associations: [{hubspot: companies, salesforce: AccountId}]
`

// prospects is a world of n people, each with a company of its own that
// Salesforce does not have, who are Leads in Salesforce.
func prospects(t *testing.T, n int) (w *world, contacts, companies, leads []string) {
	w = newWorld(t)
	w.yaml = leadsYAML
	for i := range n {
		name := fmt.Sprintf("p%03d", i)
		company := w.hubspot.add("companies", "name", "Company "+name)
		contact := w.hubspot.add("contacts", "firstname", "First "+name, "lastname", "L"+name, "email", name+"@acme.test", "company", name, "city", "Berlin")
		w.hubspot.relate("contacts", contact, "companies", company)
		contacts, companies = append(contacts, contact), append(companies, company)
	}
	w.sync()
	for i := range n {
		leads = append(leads, w.salesforce.sorted("Lead", func(r *row) bool { return r.values["Email"] == fmt.Sprintf("p%03d@acme.test", i) })[0])
	}
	return w, contacts, companies, leads
}

func TestR8ConvertingAHundredLeadsLeavesTheCompanyCountUnchanged(t *testing.T) {
	w, contacts, companies, leads := prospects(t, 100)
	before := len(w.hubspot.live("companies", "name"))
	people := len(w.hubspot.live("contacts"))
	want := map[string][]string{}
	for i, lead := range leads {
		account, contact, _ := w.salesforce.convert(lead, conversion{})
		want["people"] = append(want["people"], contacts[i]+"="+contact)
		want["companies"] = append(want["companies"], companies[i]+"="+account)
	}
	run := w.sync()
	w.untouched(run)
	w.silent()
	for name, links := range want {
		slices.Sort(links)
		if diff := cmp.Diff(links, w.pairsOf(name)); diff != "" {
			t.Errorf("links of %s (-want +got):\n%s", name, diff)
		}
	}
	if n := len(w.hubspot.live("companies", "name")); n != before {
		t.Errorf("%d companies, want %d", n, before)
	}
	if n := len(w.hubspot.live("contacts")); n != people {
		t.Errorf("%d contacts, want %d", n, people)
	}
	for _, lead := range leads {
		if got := w.reasonOf("people", crm.Salesforce, lead); got != "excluded excluded.converted-lead" {
			t.Fatalf("a converted Lead is %q", got)
		}
	}
}

func TestR8AnAccountThatAConversionMadeTwiceIsHeldNotDuplicated(t *testing.T) {
	w, _, companies, leads := prospects(t, 2)
	known := w.salesforce.add("Account", "Name", "Company p000", "Website", "known.test")
	w.hubspot.edit("companies", companies[0], "domain", "known.test")
	w.sync() // the first company is linked already
	before := len(w.hubspot.live("companies", "name"))
	made, _, _ := w.salesforce.convert(leads[0], conversion{}) // and yet the person makes a new account
	w.untouched(w.sync())
	if !slices.Contains(w.pairsOf("companies"), companies[0]+"="+known) {
		t.Errorf("links %v", w.pairsOf("companies"))
	}
	if got := w.reasonOf("companies", crm.Salesforce, made); got != "held held.already-linked" {
		t.Errorf("the account is %q", got)
	}
	if n := len(w.hubspot.live("companies", "name")); n != before {
		t.Errorf("%d companies, want %d", n, before)
	}
	// Merged in Salesforce, as the reason says, all is well.
	w.salesforce.merge("Account", known, made)
	w.untouched(w.sync())
	w.silent()
	if got := w.reasonOf("companies", crm.Salesforce, made); got != "" {
		t.Errorf("after the merge it is %q", got)
	}
}

func TestR8TwoAccountsForOneCompanyAreAmbiguous(t *testing.T) {
	w, contacts, companies, leads := prospects(t, 2)
	w.hubspot.mu.Lock()
	w.hubspot.objects["contacts"][contacts[1]].relations[0].ID = companies[0]
	w.hubspot.mu.Unlock()
	one, _, _ := w.salesforce.convert(leads[0], conversion{})
	two, _, _ := w.salesforce.convert(leads[1], conversion{})
	w.untouched(w.sync())
	w.silent()
	for _, id := range []string{one, two} {
		if got := w.reasonOf("companies", crm.Salesforce, id); got != "held held.ambiguous-match" {
			t.Errorf("%s is %q", id, got)
		}
	}
	w.salesforce.merge("Account", one, two)
	w.untouched(w.sync())
	w.silent()
	if diff := cmp.Diff([]string{companies[0] + "=" + one}, w.pairsOf("companies")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}

func TestR8ConversionKeepsTheBaseAndFillsWhatOnlyAContactHas(t *testing.T) {
	w, contacts, _, leads := prospects(t, 1)
	w.hubspot.edit("contacts", contacts[0], "firstname", "Augusta") // meanwhile
	_, contact, _ := w.salesforce.convert(leads[0], conversion{})
	w.untouched(w.sync())
	if got := w.salesforce.value("Contact", contact, "FirstName") + " " + w.salesforce.value("Contact", contact, "MailingCity"); got != "Augusta Berlin" {
		t.Errorf("the Contact holds %q", got)
	}
	w.salesforce.edit("Contact", contact, "LastName", "Lovelace")
	w.untouched(w.sync())
	if got := w.hubspot.value("contacts", contacts[0], "lastname") + " " + w.hubspot.value("contacts", contacts[0], "firstname"); got != "Lovelace Augusta" {
		t.Errorf("HubSpot holds %q", got)
	}
	w.silent()
}

// TestR8WhatAConversionLeavesOutIsGivenToTheContact: an org carries over what its
// custom lead fields are mapped to, and here the rank is not. The blank of the Contact says
// nothing about the person: HubSpot's is not blanked, whoever wins.
func TestR8WhatAConversionLeavesOutIsGivenToTheContact(t *testing.T) {
	for rule, want := range map[string]string{"": "Countess Countess", ", wins: salesforce": "Countess Countess", ", direction: to-salesforce": "Countess Countess", ", direction: to-hubspot": " Countess"} {
		w, contacts, _, leads := prospects(t, 1)
		for _, object := range []string{"Lead", "Contact"} {
			w.salesforce.schemas[object].Fields = append(w.salesforce.schemas[object].Fields, mappingtest.Field("Rank__c", crm.KindText, mappingtest.Length(40)))
		}
		w.yaml = strings.Replace(w.yaml, "      - {hubspot: city,", "      - {hubspot: jobtitle, salesforce: Rank__c"+rule+"}\n      - {hubspot: city,", 1)
		if strings.Contains(rule, "to-hubspot") {
			w.salesforce.edit("Lead", leads[0], "Rank__c", "Countess")
		} else {
			w.hubspot.edit("contacts", contacts[0], "jobtitle", "Countess")
		}
		w.settle()
		_, contact, _ := w.salesforce.convert(leads[0], conversion{})
		w.untouched(w.sync())
		w.settle()
		if got := w.salesforce.value("Contact", contact, "Rank__c") + " " + w.hubspot.value("contacts", contacts[0], "jobtitle"); got != want {
			t.Errorf("%q: %q, want %q", rule, got, want)
		}
		w.salesforce.edit("Contact", contact, "LastName", "Lovelace")
		w.settle()
		if got := w.salesforce.value("Contact", contact, "Rank__c") + " " + w.hubspot.value("contacts", contacts[0], "jobtitle"); got != want {
			t.Errorf("%q, after a later edit: %q, want %q", rule, got, want)
		}
		w.silent()
	}
}

// TestR8WhatIsClearedAboutAConversionIsCleared: Salesforce always carries a Lead's title
// over, so where the Contact has none, somebody cleared it, before or after.
func TestR8WhatIsClearedAboutAConversionIsCleared(t *testing.T) {
	for _, before := range []bool{true, false} {
		w, contacts, _, leads := prospects(t, 1)
		w.yaml = strings.Replace(w.yaml, "      - {hubspot: city,", "      - {hubspot: jobtitle, salesforce: Title}\n      - {hubspot: city,", 1)
		w.hubspot.edit("contacts", contacts[0], "jobtitle", "Countess")
		w.settle()
		if before {
			w.salesforce.edit("Lead", leads[0], "Title", "")
		}
		_, contact, _ := w.salesforce.convert(leads[0], conversion{})
		if !before {
			w.salesforce.edit("Contact", contact, "Title", "")
		}
		w.untouched(w.sync())
		w.settle()
		if got := w.salesforce.value("Contact", contact, "Title") + w.hubspot.value("contacts", contacts[0], "jobtitle"); got != "" {
			t.Errorf("cleared before %t: %q is there", before, got)
		}
		w.silent()
	}
}

func TestR8TheOpportunityOfAConversionGoesWithTheContactsOnlyDeal(t *testing.T) {
	w, contacts, _, leads := prospects(t, 2)
	deal := w.hubspot.add("deals", "dealname", "First order")
	w.hubspot.relate("deals", deal, "contacts", contacts[0])
	w.sync()
	_, _, mine := w.salesforce.convert(leads[0], conversion{opportunity: "Company p000-"})
	_, _, other := w.salesforce.convert(leads[1], conversion{opportunity: "Company p001-"})
	run := w.sync()
	if run.Writes.Created != 1 { // the second contact has no deal, so its opportunity is a new one
		t.Errorf("%+v", run.Writes)
	}
	pairs := w.pairsOf("deals")
	if len(pairs) != 2 || !slices.Contains(pairs, deal+"="+mine) || !strings.HasSuffix(pairs[1]+pairs[0], other) && !strings.Contains(strings.Join(pairs, " "), other) {
		t.Errorf("links %v, want %s=%s", pairs, deal, mine)
	}
	w.silent()
}

func TestR8ConversionToAContactThatIsLinkedWithAnotherPersonIsHeld(t *testing.T) {
	w, contacts, companies, leads := prospects(t, 1)
	account := w.salesforce.add("Account", "Name", "Company p000", "Website", "p000.test")
	w.hubspot.edit("companies", companies[0], "domain", "p000.test")
	contact := w.salesforce.add("Contact", "FirstName", "Ada", "LastName", "King", "Email", "king@acme.test", "AccountId", account)
	w.sync()
	king := w.hubspot.sorted("contacts", func(r *row) bool { return r.values["email"] == "king@acme.test" })[0]
	w.salesforce.convert(leads[0], conversion{account: account, contact: contact})
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{king + "=" + contact}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if got := w.reasonOf("people", crm.HubSpot, contacts[0]); got != "held held.lead-converted" {
		t.Errorf("the contact is %q", got)
	}
	w.silent()
	n := w.hubspot.merge("contacts", king, contacts[0])
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{n + "=" + contact}, w.pairsOf("people")); diff != "" {
		t.Errorf("links after the merge in HubSpot (-want +got):\n%s", diff)
	}
	w.silent()
}

func TestR8AContactThatTheMappingDoesNotNameIsFollowedOnceItDoes(t *testing.T) {
	w, contacts, _, leads := prospects(t, 1)
	named := w.yaml
	w.yaml = strings.Replace(w.yaml, `[{object: Contact, when: 'hubspot.associatedcompanyid == "none"'}, {object: Lead}]`, "Lead", 1)
	w.yaml = strings.Replace(w.yaml, "      - {hubspot: city, salesforce: MailingCity, on: [Contact]}\n", "", 1)
	w.yaml = strings.Replace(w.yaml, "    associations: [{hubspot: companies, salesforce: AccountId, on: [Contact]}]\n", "", 1)
	w.sync()
	_, contact, _ := w.salesforce.convert(leads[0], conversion{})
	run := w.sync()
	if got := w.reasonOf("people", crm.HubSpot, contacts[0]); got != "held held.lead-converted" || run.Tally.Failed > 0 {
		t.Errorf("the pair is %q, %+v", got, run.Tally)
	}
	w.yaml = named
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{contacts[0] + "=" + contact}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	w.silent()
}

func TestR8ConversionThatNoFeedTellsIsSeenByTheNextCompleteRead(t *testing.T) {
	w, contacts, _, leads := prospects(t, 1)
	_, contact, _ := w.salesforce.convert(leads[0], conversion{})
	w.salesforce.late = true
	w.untouched(w.sync())
	w.untouched(w.syncWith(engine.SyncOptions{Complete: true}))
	if diff := cmp.Diff([]string{contacts[0] + "=" + contact}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}

// TestR8AConversionWhileBothSidesAreRead makes the conversion between any two
// reads of Salesforce: what it made is seen before or after the Lead.
func TestR8AConversionWhileBothSidesAreRead(t *testing.T) {
	for n := 1; n <= 4; n++ {
		w, contacts, companies, leads := prospects(t, 1)
		before := len(w.hubspot.live("companies", "name"))
		reads, account, contact := 0, "", ""
		w.salesforce.before = func(call string) error {
			if call != "changes" {
				return nil
			}
			if reads++; reads == n {
				w.salesforce.mu.Unlock()
				account, contact, _ = w.salesforce.convert(leads[0], conversion{})
				w.salesforce.mu.Lock()
			}
			return nil
		}
		w.untouched(w.sync())
		w.untouched(w.sync())
		w.silent()
		if account == "" {
			t.Fatalf("only %d reads", reads)
		}
		if got := len(w.hubspot.live("companies", "name")); got != before {
			t.Errorf("converted before read %d: %d companies, want %d", n, got, before)
		}
		if diff := cmp.Diff([]string{companies[0] + "=" + account, contacts[0] + "=" + contact}, append(w.pairsOf("companies"), w.pairsOf("people")...)); diff != "" {
			t.Errorf("converted before read %d, links (-want +got):\n%s", n, diff)
		}
	}
}

// TestR8AContactThatGoesWhileItsConversionIsFollowedBlanksNothing: the Contact of a
// converted Lead was read, with what the conversion left out of it, and is deleted
// before it is looked at for that.
func TestR8AContactThatGoesWhileItsConversionIsFollowedBlanksNothing(t *testing.T) {
	w, contacts, _, leads := prospects(t, 1)
	w.yaml = strings.Replace(w.yaml, "deletes: archive", "deletes: ask", 1)
	for _, object := range []string{"Lead", "Contact"} {
		w.salesforce.schemas[object].Fields = append(w.salesforce.schemas[object].Fields, mappingtest.Field("Rank__c", crm.KindText, mappingtest.Length(40)))
	}
	w.yaml = strings.Replace(w.yaml, "      - {hubspot: city,", "      - {hubspot: jobtitle, salesforce: Rank__c}\n      - {hubspot: city,", 1)
	w.hubspot.edit("contacts", contacts[0], "jobtitle", "Countess")
	w.settle()
	_, contact, _ := w.salesforce.convert(leads[0], conversion{})
	w.salesforce.before = func(call string) error {
		if call == "lookup" {
			w.salesforce.before = nil
			r := w.salesforce.objects["Contact"][contact]
			r.archived, r.modified = true, w.salesforce.tick()
		}
		return nil
	}
	w.sync()
	w.settle()
	if w.salesforce.before != nil {
		t.Fatal("the Contact was never looked up")
	}
	if got := w.hubspot.value("contacts", contacts[0], "jobtitle"); got != "Countess" {
		t.Errorf("HubSpot holds %q", got)
	}
}
