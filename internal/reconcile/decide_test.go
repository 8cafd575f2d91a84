package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

const peopleYAML = `
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}, {hubspot: name, salesforce: Name, as: text}]
    external-id: HubSpot_Id__c
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: domain, salesforce: Website}
      - {hubspot: industry, salesforce: Industry, values: {COMPUTER_SOFTWARE: Technology}, unmapped: skip}
      - {hubspot: city, salesforce: BillingCity}
      - {hubspot: annualrevenue, salesforce: AnnualRevenue}
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != ""'}, {object: Lead}]
    match: [{hubspot: email, salesforce: Email, as: email}]
    external-id: HubSpot_Id__c
    where: {hubspot: 'hubspot.lifecyclestage != "subscriber"', salesforce: 'salesforce.Title != "internal"'}
    owner: by-email
    fields:
      - {hubspot: firstname, salesforce: FirstName}
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: email, salesforce: Email}
      - {hubspot: phone, salesforce: Phone, wins: salesforce}
      - {hubspot: mobilephone, salesforce: MobilePhone, wins: hold}
      - {hubspot: fax, salesforce: Fax, wins: hubspot-unless-blank}
      - {hubspot: jobtitle, salesforce: Title, direction: to-salesforce}
      - {hubspot: company, salesforce: Company, blank: "[not provided]", on: [Lead]}
      - {hubspot: city, salesforce: MailingCity, on: [Contact]}
    associations: [{hubspot: companies, salesforce: AccountId, on: [Contact]}]
`

const (
	contactID = "003000000000001AAA"
	leadID    = "00Q000000000001AAA"
	accountID = "001000000000001AAA"
)

func TestLinkedRecordsAreMergedFieldByField(t *testing.T) {
	o := bind(t, "people", peopleYAML)
	h := hubspot(o, "1", "firstname", "Ada", "lastname", "King", "email", "ada@acme.example", "phone", "030 1", "mobilephone", "0170 1", "fax", "030 9", "jobtitle", "CTO", "lifecyclestage", "lead", "city", "Berlin")
	s := salesforce(o, "Contact", contactID, "FirstName", "Ada", "LastName", "King", "Email", "ada@acme.example", "Phone", "030 1", "MobilePhone", "0170 1", "Fax", "030 9", "Title", "CTO", "MailingCity", "Berlin", "HubSpot_Id__c", "1")
	h, s = modified(h, 2_000_000), modified(s, 1_000_000)
	for name, test := range map[string]struct {
		h, s           *crm.Record
		toH, toS       []string
		outcome        crm.Outcome
		code           string
		note           string
		forgetBase     bool
		newerHere      crm.Side
		text           string
		knownOtherwise reconcile.Known
	}{
		"nothing changed: nothing is written":                                  {h: h, s: s, outcome: crm.Unchanged, code: reconcile.CodeInStep},
		"HubSpot changed: Salesforce follows":                                  {h: set(h, "lastname", "Lovelace"), s: s, toS: []string{"LastName=Lovelace"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"Salesforce changed: HubSpot follows":                                  {h: h, s: set(s, "LastName", "Lovelace"), toH: []string{"lastname=Lovelace"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"each changed another field: both are written":                         {h: set(h, "firstname", "A."), s: set(s, "MailingCity", "Bonn"), toH: []string{"city=Bonn"}, toS: []string{"FirstName=A."}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"both came to the same value: nothing is written":                      {h: set(h, "firstname", "Augusta"), s: set(s, "FirstName", "Augusta"), outcome: crm.Unchanged, code: reconcile.CodeInStep},
		"only the case of an e-mail address differs: nothing is written":       {h: h, s: set(s, "Email", "Ada@ACME.example"), outcome: crm.Unchanged, code: reconcile.CodeInStep},
		"only the format of a phone number differs: nothing is written":        {h: set(h, "phone", "(030)-1"), s: s, outcome: crm.Unchanged, code: reconcile.CodeInStep},
		"both changed, newest wins, HubSpot is newer":                          {h: set(h, "firstname", "H"), s: set(s, "FirstName", "S"), toS: []string{"FirstName=H"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"both changed, newest wins, Salesforce is newer":                       {h: set(h, "firstname", "H"), s: set(s, "FirstName", "S"), newerHere: crm.Salesforce, toH: []string{"firstname=S"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"both changed, and the field says salesforce":                          {h: set(h, "phone", "030 2"), s: set(s, "Phone", "030 3"), toH: []string{"phone=030 3"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"both changed, and the field says hold: the whole record waits":        {h: set(h, "mobilephone", "0170 2", "lastname", "L"), s: set(s, "MobilePhone", "0170 3"), outcome: crm.Held, code: reconcile.CodeConflict},
		"a value was cleared in HubSpot: it is cleared in Salesforce":          {h: set(h, "city", ""), s: s, toS: []string{"MailingCity="}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"a cleared value does not overwrite under an unless-blank rule":        {h: set(h, "fax", ""), s: s, toH: []string{"fax=030 9"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"under an unless-blank rule the favoured side wins when it has one":    {h: set(h, "fax", "030 8"), s: set(s, "Fax", "030 7"), toS: []string{"Fax=030 8"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"under an unless-blank rule the other side wins when it has not":       {h: set(h, "fax", ""), s: set(s, "Fax", "030 7"), toH: []string{"fax=030 7"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"a required value was cleared: the record waits":                       {h: set(h, "lastname", ""), s: s, outcome: crm.Held, code: reconcile.CodeRequiredBlank},
		"a one-way field changed where it goes to: it is left alone, and told": {h: h, s: set(s, "Title", "CEO"), outcome: crm.Unchanged, code: reconcile.CodeInStep, note: reconcile.NoteLeftAlone},
		"a one-way field changed on both sides: the giver wins":                {h: set(h, "jobtitle", "CIO"), s: set(s, "Title", "CEO"), newerHere: crm.Salesforce, toS: []string{"Title=CIO"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"text is too long: the record waits, with numbers":                     {h: set(h, "city", strings.Repeat("x", 41)), s: s, outcome: crm.Held, code: reconcile.CodeTooLong, text: "HubSpot city has 41 characters, Salesforce MailingCity takes 40"},
		"the filter of HubSpot no longer takes it: nothing is written":         {h: set(h, "lifecyclestage", "subscriber", "lastname", "X"), s: s, outcome: crm.Excluded, code: reconcile.CodeFilter},
		"the filter of Salesforce no longer takes it: nothing is written":      {h: set(h, "lastname", "X"), s: set(s, "Title", "internal"), outcome: crm.Excluded, code: reconcile.CodeFilter},
		"nothing is known of the past: blanks are filled both ways":            {h: set(h, "city", ""), s: set(s, "FirstName", ""), forgetBase: true, toH: []string{"city=Berlin"}, toS: []string{"FirstName=Ada"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"nothing is known of the past and both differ: the rule decides":       {h: set(h, "firstname", "H"), s: set(s, "FirstName", "S"), forgetBase: true, newerHere: crm.Salesforce, toH: []string{"firstname=S"}, outcome: crm.Synced, code: reconcile.CodeUpdated},
		"nothing is known of the past and the rule is hold: the record waits":  {h: set(h, "mobilephone", "1"), s: s, forgetBase: true, outcome: crm.Held, code: reconcile.CodeConflict},
		"a blank that gives one way does not clear on a first match":           {h: set(h, "jobtitle", ""), s: s, forgetBase: true, outcome: crm.Unchanged, code: reconcile.CodeInStep},
	} {
		t.Run(name, func(t *testing.T) {
			link := linkOf(o, h, s)
			if test.forgetBase {
				link.Base.Version++
			}
			if test.newerHere == crm.Salesforce {
				test.s = modified(set(test.s), 3_000_000)
			}
			snapshot := reconcile.Snapshot{Link: link, HubSpot: test.h, Salesforce: test.s, Known: people{}}
			d := reconcile.Decide(o, snapshot)
			if d.Outcome != test.outcome || d.Reason.Code != test.code {
				t.Errorf("outcome %s (%s: %s), want %s (%s)", d.Outcome, d.Reason.Code, d.Reason.Text, test.outcome, test.code)
			}
			if diff := cmp.Diff(test.toH, changesTo(d, crm.HubSpot)); diff != "" {
				t.Errorf("to HubSpot (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.toS, changesTo(d, crm.Salesforce)); diff != "" {
				t.Errorf("to Salesforce (-want +got):\n%s", diff)
			}
			if test.note != "" && (len(d.Notes) == 0 || d.Notes[0].Code != test.note) {
				t.Errorf("notes %v, want %s", d.Notes, test.note)
			}
			if test.text != "" && d.Reason.Text != test.text {
				t.Errorf("reason %q, want %q", d.Reason.Text, test.text)
			}
			if d.Outcome == crm.Held && d.Reason.Mend == "" {
				t.Error("a held record has no mend")
			}
			settles(t, o, snapshot, d)
		})
	}
}

// settles checks that the writes of d, once made, leave nothing to write.
func settles(t interface {
	Helper()
	Errorf(string, ...any)
}, o *mapping.BoundObject, s reconcile.Snapshot, d reconcile.Decision) {
	t.Helper()
	next := applied(o, s, d)
	if next.Link == nil || next.HubSpot == nil || next.Salesforce == nil || d.Outcome == crm.Held {
		return
	}
	// Our own writes, and what vendors do behind the scenes, move the stamps.
	for _, stamps := range [][2]int64{{next.HubSpot.ModifiedMicros, next.Salesforce.ModifiedMicros}, {8_000_000, 9_000_000}, {9_000_000, 8_000_000}} {
		next.HubSpot, next.Salesforce = modified(set(next.HubSpot), stamps[0]), modified(set(next.Salesforce), stamps[1])
		again := reconcile.Decide(o, next)
		if len(again.Writes) > 0 {
			t.Errorf("a second decision writes again: to HubSpot %v, to Salesforce %v\nfirst %+v", changesTo(again, crm.HubSpot), changesTo(again, crm.Salesforce), d.Writes)
			return
		}
	}
}

func TestARecordThatIsGone(t *testing.T) {
	withPolicy := func(policy string) *mapping.BoundObject {
		return bind(t, "people", strings.Replace(peopleYAML, "    owner: by-email\n", "    owner: by-email\n    deletes: "+policy+"\n", 1))
	}
	for name, test := range map[string]struct {
		policy                      string
		hubspotGone, salesforceGone bool
		merged                      string
		filteredOut                 bool
		outcome                     crm.Outcome
		code                        string
		writes                      []reconcile.PlannedWrite
		unlink                      bool
	}{
		"deleted in HubSpot, ignore: the link is kept and nothing is created again": {policy: "ignore", hubspotGone: true, outcome: crm.Excluded, code: reconcile.CodeGone},
		"deleted in HubSpot, ask: a person decides":                                 {policy: "ask", hubspotGone: true, outcome: crm.Held, code: reconcile.CodeDeleted},
		"deleted in HubSpot, archive: it is deleted in Salesforce":                  {policy: "archive", hubspotGone: true, outcome: crm.Synced, code: reconcile.CodeArchived, writes: []reconcile.PlannedWrite{{Side: crm.Salesforce, Op: crm.Archive, Object: "Contact", ID: contactID}}},
		"deleted in Salesforce, archive: it is archived in HubSpot":                 {policy: "archive", salesforceGone: true, outcome: crm.Synced, code: reconcile.CodeArchived, writes: []reconcile.PlannedWrite{{Side: crm.HubSpot, Op: crm.Archive, Object: "contacts", ID: "1"}}},
		"deleted on both sides: the link is given up":                               {policy: "ask", hubspotGone: true, salesforceGone: true, outcome: crm.Excluded, code: reconcile.CodeBothGone, unlink: true},
		"merged away: never archived, a person decides":                             {policy: "archive", hubspotGone: true, merged: "77", outcome: crm.Held, code: reconcile.CodeMerged},
		"R5: a deletion is noticed though the filter leaves the record out":         {policy: "ask", salesforceGone: true, filteredOut: true, outcome: crm.Held, code: reconcile.CodeDeleted},
	} {
		t.Run(name, func(t *testing.T) {
			o := withPolicy(test.policy)
			h := hubspot(o, "1", "email", "ada@acme.example", "lastname", "King")
			s := salesforce(o, "Contact", contactID, "Email", "ada@acme.example", "LastName", "King")
			link := linkOf(o, h, s)
			if test.filteredOut {
				h = set(h, "lifecyclestage", "subscriber")
			}
			if test.merged != "" {
				h.MergedInto = test.merged
			}
			d := reconcile.Decide(o, reconcile.Snapshot{Link: link, HubSpot: h, Salesforce: s, HubSpotGone: test.hubspotGone, SalesforceGone: test.salesforceGone})
			for i := range d.Writes {
				d.Writes[i].Reason = crm.Reason{}
			}
			if d.Outcome != test.outcome || d.Reason.Code != test.code || d.Unlink != test.unlink {
				t.Errorf("%s (%s: %s), unlink %v", d.Outcome, d.Reason.Code, d.Reason.Text, d.Unlink)
			}
			if diff := cmp.Diff(test.writes, d.Writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnUnlinkedHubSpotRecord(t *testing.T) {
	o := bind(t, "people", peopleYAML)
	h := hubspot(o, "1", "firstname", "Ada", "lastname", "King", "email", "ada@acme.example", "lifecyclestage", "lead", "associatedcompanyid", "5", "jobtitle", "CTO", "hubspot_owner_id", "71")
	h = related(h, crm.Relation{Object: "companies", ID: "5", Primary: true})
	company := crm.Ref{Side: crm.HubSpot, Object: "companies", ID: "5"}
	account := crm.Ref{Side: crm.Salesforce, Object: "Account", ID: accountID}
	known := people{counterparts: map[crm.Ref]crm.Ref{company: account}, owners: map[string]string{"71": "005000000000001AAA"}}
	contact := func(values ...string) reconcile.Candidate {
		return reconcile.Candidate{Object: "Contact", Record: salesforce(o, "Contact", contactID, append([]string{"LastName", "King", "Email", "ADA@acme.example"}, values...)...)}
	}
	lead := reconcile.Candidate{Object: "Lead", Record: salesforce(o, "Lead", leadID, "LastName", "King", "Company", "Acme", "Email", "ada@acme.example")}
	converted := reconcile.Candidate{Object: "Lead", Record: set(lead.Record, "IsConverted", "true")}
	taken := contact()
	taken.LinkedTo = crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "2"}
	for name, test := range map[string]struct {
		h          *crm.Record
		candidates []reconcile.Candidate
		rivals     []crm.Ref
		known      reconcile.Known
		outcome    crm.Outcome
		code       string
		toS, toH   []string
		object     string
		contains   []string
		awaits     []crm.Ref
		note       string
	}{
		"nobody matches: a Contact is made, because it has a company": {
			h: h, outcome: crm.Synced, code: reconcile.CodeCreated, object: "Contact",
			toS: []string{"FirstName=Ada", "LastName=King", "Email=ada@acme.example", "Title=CTO", "AccountId=" + accountID, "OwnerId=005000000000001AAA"}},
		"nobody matches and it has no company: a Lead is made, with the text for a blank company": {
			h: set(hubspot(o, "1"), "lastname", "King", "email", "x@y.example"), outcome: crm.Synced, code: reconcile.CodeCreated, object: "Lead",
			toS: []string{"LastName=King", "Email=x@y.example", "Company=[not provided]"}},
		"its company is made in the same plan: the reference is resolved at apply": {
			h: h, known: people{standings: map[crm.Ref]reconcile.Standing{company: reconcile.Planned}, owners: known.owners}, outcome: crm.Synced, code: reconcile.CodeCreated, object: "Contact",
			toS: []string{"FirstName=Ada", "LastName=King", "Email=ada@acme.example", "Title=CTO", "AccountId=ref 5", "OwnerId=005000000000001AAA"}},
		"its company is held: it is made without, and decided again": {
			h: h, known: people{standings: map[crm.Ref]reconcile.Standing{company: reconcile.Waiting}, owners: known.owners}, outcome: crm.Synced, code: reconcile.CodeCreated, object: "Contact",
			toS: []string{"FirstName=Ada", "LastName=King", "Email=ada@acme.example", "Title=CTO", "OwnerId=005000000000001AAA"}, awaits: []crm.Ref{company}, note: reconcile.NoteWaits},
		"its owner is nobody in Salesforce: it is made without, and told": {
			h: h, known: people{counterparts: known.counterparts}, outcome: crm.Synced, code: reconcile.CodeCreated, object: "Contact",
			toS: []string{"FirstName=Ada", "LastName=King", "Email=ada@acme.example", "Title=CTO", "AccountId=" + accountID}, note: reconcile.NoteOwnerUnknown},
		"the filter leaves it out":                      {h: set(h, "lifecyclestage", "subscriber"), outcome: crm.Excluded, code: reconcile.CodeFilter, contains: []string{"subscriber"}},
		"the last name is missing: it waits":            {h: set(h, "lastname", ""), outcome: crm.Held, code: reconcile.CodeRequiredBlank, contains: []string{"LastName", "lastname"}},
		"its e-mail address is none: it waits":          {h: set(h, "email", "ada at acme"), outcome: crm.Held, code: reconcile.CodeInvalidValue},
		"one matches: the two are linked and filled":    {h: h, candidates: []reconcile.Candidate{contact("FirstName", "Ada", "AccountId", accountID, "MailingCity", "Bonn", "Title", "CTO")}, outcome: crm.Synced, code: reconcile.CodeLinked, object: "Contact", toH: []string{"city=Bonn"}, toS: []string{"OwnerId=005000000000001AAA", "HubSpot_Id__c=1"}},
		"R6: two match: nobody guesses":                 {h: h, candidates: []reconcile.Candidate{contact(), {Object: "Contact", Record: salesforce(o, "Contact", "003000000000002AAA", "Email", "ada@acme.example", "LastName", "Byron")}}, outcome: crm.Held, code: reconcile.CodeAmbiguous, contains: []string{contactID, "003000000000002AAA", "King", "Byron"}},
		"a Contact and a Lead match: both count":        {h: h, candidates: []reconcile.Candidate{contact(), lead}, outcome: crm.Held, code: reconcile.CodeAmbiguous, contains: []string{leadID, contactID}},
		"a converted Lead does not count":               {h: h, candidates: []reconcile.Candidate{converted, contact("FirstName", "Ada", "AccountId", accountID, "Title", "CTO")}, outcome: crm.Synced, code: reconcile.CodeLinked, object: "Contact", toS: []string{"OwnerId=005000000000001AAA", "HubSpot_Id__c=1"}},
		"the only match is taken":                       {h: h, candidates: []reconcile.Candidate{taken}, outcome: crm.Held, code: reconcile.CodeAlreadyLinked, contains: []string{contactID, "2"}},
		"another HubSpot record has the same address":   {h: h, candidates: []reconcile.Candidate{contact()}, rivals: []crm.Ref{{Side: crm.HubSpot, Object: "contacts", ID: "8"}}, outcome: crm.Held, code: reconcile.CodeAmbiguous, contains: []string{"contacts 8"}},
		"the match is left out by Salesforce's filter":  {h: h, candidates: []reconcile.Candidate{contact("Title", "internal")}, outcome: crm.Excluded, code: reconcile.CodeFilterOther},
		"the match says that it belongs to another one": {h: h, candidates: []reconcile.Candidate{contact("HubSpot_Id__c", "4711")}, outcome: crm.Held, code: reconcile.CodeAlreadyLinked, contains: []string{"4711"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.known == nil {
				test.known = known
			}
			snapshot := reconcile.Snapshot{HubSpot: test.h, Candidates: test.candidates, Rivals: test.rivals, Known: test.known}
			d := reconcile.Decide(o, snapshot)
			if d.Outcome != test.outcome || d.Reason.Code != test.code {
				t.Errorf("outcome %s (%s: %s), want %s (%s)", d.Outcome, d.Reason.Code, d.Reason.Text, test.outcome, test.code)
			}
			if diff := cmp.Diff(test.toH, changesTo(d, crm.HubSpot)); diff != "" {
				t.Errorf("to HubSpot (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.toS, changesTo(d, crm.Salesforce)); diff != "" {
				t.Errorf("to Salesforce (-want +got):\n%s", diff)
			}
			for _, part := range test.contains {
				if !strings.Contains(d.Reason.Text+d.Reason.Mend, part) {
					t.Errorf("the reason %q does not name %s", d.Reason.Text, part)
				}
			}
			if diff := cmp.Diff(test.awaits, d.Awaits); diff != "" {
				t.Errorf("awaits (-want +got):\n%s", diff)
			}
			if test.note != "" && (len(d.Notes) == 0 || d.Notes[0].Code != test.note) {
				t.Errorf("notes %v, want %s", d.Notes, test.note)
			}
			if test.object != "" && (d.NewLink == nil || d.NewLink.SalesforceObject != test.object) {
				t.Errorf("new link %+v, want one to %s", d.NewLink, test.object)
			}
			for _, w := range d.Writes {
				if w.Op == crm.Create && (w.ExternalField != "HubSpot_Id__c" || w.ExternalValue != "1") {
					t.Errorf("the create cannot be repeated safely: %+v", w)
				}
			}
			settles(t, o, snapshot, d)
		})
	}
}

func TestAnUnlinkedSalesforceRecord(t *testing.T) {
	src := `
  - name: companies
    hubspot: companies
    salesforce: Account
    create: POLICY
    match: [{hubspot: domain, salesforce: Website, as: domain}, {hubspot: name, salesforce: Name, as: text}]
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: domain, salesforce: Website}
      - {hubspot: industry, salesforce: Industry, values: {COMPUTER_SOFTWARE: Technology, MACHINERY: Machinery}}
`
	never, both := bind(t, "companies", strings.Replace(src, "POLICY", "in-salesforce", 1)), bind(t, "companies", strings.Replace(src, "POLICY", "both", 1))
	s := salesforce(both, "Account", accountID, "Name", "Acme", "Website", "https://www.Acme.example/de", "Industry", "Technology")
	candidate := func(id, name, domain string) reconcile.Candidate {
		return reconcile.Candidate{Object: "companies", Rule: 1, Record: hubspot(both, id, "name", name, "domain", domain)}
	}
	for name, test := range map[string]struct {
		o          *mapping.BoundObject
		candidates []reconcile.Candidate
		s          *crm.Record
		outcome    crm.Outcome
		code       string
		toH, toS   []string
	}{
		"the mapping makes none in HubSpot: excluded":                     {o: never, s: s, outcome: crm.Excluded, code: reconcile.CodeNoCreate},
		"the mapping makes it in HubSpot":                                 {o: both, s: s, outcome: crm.Synced, code: reconcile.CodeCreated, toH: []string{"name=Acme", "domain=acme.example", "industry=COMPUTER_SOFTWARE"}},
		"a HubSpot company needs a name or a domain":                      {o: both, s: set(s, "Name", "", "Website", ""), outcome: crm.Held, code: reconcile.CodeRequiredBlank},
		"same name, and the domain is blank there: linked":                {o: both, s: s, candidates: []reconcile.Candidate{candidate("7", "ACME", "")}, outcome: crm.Synced, code: reconcile.CodeLinked, toH: []string{"domain=acme.example", "industry=COMPUTER_SOFTWARE"}, toS: []string{"Name=ACME"}},
		"same name, but the domain says another company: made for itself": {o: both, s: s, candidates: []reconcile.Candidate{candidate("7", "Acme", "acme.org.example")}, outcome: crm.Synced, code: reconcile.CodeCreated, toH: []string{"name=Acme", "domain=acme.example", "industry=COMPUTER_SOFTWARE"}},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot := reconcile.Snapshot{Salesforce: test.s, Candidates: test.candidates}
			d := reconcile.Decide(test.o, snapshot)
			if d.Outcome != test.outcome || d.Reason.Code != test.code {
				t.Errorf("outcome %s (%s: %s), want %s (%s)", d.Outcome, d.Reason.Code, d.Reason.Text, test.outcome, test.code)
			}
			if diff := cmp.Diff(test.toH, changesTo(d, crm.HubSpot)); diff != "" {
				t.Errorf("to HubSpot (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.toS, changesTo(d, crm.Salesforce)); diff != "" {
				t.Errorf("to Salesforce (-want +got):\n%s", diff)
			}
			settles(t, test.o, snapshot, d)
		})
	}
}

func TestWhatIsComputedIsComputedFromWhatTheDecisionLeaves(t *testing.T) {
	o := bind(t, "people", `  - name: people
    hubspot: contacts
    salesforce: Contact
    match: [{hubspot: email, salesforce: Email, as: email}]
    create: never
    fields:
      - {salesforce: Title, from: '"of " + hubspot.city'}
      - {hubspot: city, salesforce: MailingCity}
`)
	h, s := hubspot(o, "1", "city", "Graz"), salesforce(o, "Contact", "003000000000001AAA", "MailingCity", "Graz", "Title", "of Graz")
	first := reconcile.Decide(o, reconcile.Snapshot{HubSpot: h, Candidates: []reconcile.Candidate{{Record: s, Object: "Contact"}}})
	link := *first.NewLink
	moved := reconcile.Decide(o, reconcile.Snapshot{Link: &link, HubSpot: h, Salesforce: set(s, "MailingCity", "Linz")})
	written := map[string]string{}
	for _, w := range moved.Writes {
		for _, c := range w.Changes {
			written[c.Field] = c.After.Text
		}
	}
	if diff := cmp.Diff(map[string]string{"city": "Linz", "Title": "of Linz"}, written); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWritingWhatAFilterReadsIsDecidedOnceMore(t *testing.T) {
	o := bind(t, "people", `  - name: people
    hubspot: contacts
    salesforce: Contact
    match: [{hubspot: email, salesforce: Email, as: email}]
    create: never
    where: {hubspot: 'hubspot.city != "Linz"'}
    fields:
      - {hubspot: city, salesforce: MailingCity}
`)
	h, s := hubspot(o, "1"), salesforce(o, "Contact", "003000000000001AAA", "MailingCity", "Linz")
	d := reconcile.Decide(o, reconcile.Snapshot{HubSpot: h, Candidates: []reconcile.Candidate{{Record: s, Object: "Contact"}}})
	after := set(h, "city", "Linz")
	base := d.NewLink.Base.HubSpot
	if now := reconcile.Fingerprint(o, crm.HubSpot, "contacts", after); slices.Equal(base, now) {
		t.Error("the write that leaves the record out would pass for an echo")
	}
	again := reconcile.Decide(o, reconcile.Snapshot{Link: d.NewLink, HubSpot: after, Salesforce: s})
	if again.Outcome != crm.Excluded || again.Reason.Code != reconcile.CodeFilter {
		t.Errorf("%s %s", again.Outcome, again.Reason.Code)
	}
}

func TestNewestIsByTheTimeOfTheFieldWhereThatIsKnown(t *testing.T) {
	o := bind(t, "people", peopleYAML)
	h := hubspot(o, "1", "firstname", "Ada", "email", "ada@acme.example", "lastname", "King", "lifecyclestage", "lead")
	s := salesforce(o, "Contact", contactID, "FirstName", "Ada", "Email", "ada@acme.example", "LastName", "King", "HubSpot_Id__c", "1")
	link := linkOf(o, h, s)
	h, s = modified(set(h, "firstname", "H"), 9_000_000), modified(set(s, "FirstName", "S"), 8_000_000)
	at := func(hubspot, salesforce int64) map[crm.Side]map[string]crm.FieldTime {
		return map[crm.Side]map[string]crm.FieldTime{crm.HubSpot: {"firstname": {Micros: hubspot, By: "Ann"}}, crm.Salesforce: {"FirstName": {Micros: salesforce, By: "Bob", OfRecord: true}}}
	}
	for name, test := range map[string]struct {
		times map[crm.Side]map[string]crm.FieldTime
		asks  int
		wins  string
		why   string
	}{
		"nothing is known yet: the records' times, and better ones are asked for": {nil, 2, "H", "both changed, newest: hubspot"},
		"HubSpot's field was set before the Salesforce record":                    {at(5_000_000, 8_000_000), 0, "S", "both changed, newest: salesforce (HubSpot 1970-01-01 00:00:05Z by Ann, Salesforce record 1970-01-01 00:00:08Z by Bob)"},
		"HubSpot's field was set after it":                                        {at(9_000_000, 8_000_000), 0, "H", "both changed, newest: hubspot (HubSpot 1970-01-01 00:00:09Z by Ann, Salesforce record 1970-01-01 00:00:08Z by Bob)"},
		"at the same moment HubSpot's stands":                                     {at(8_000_000, 8_000_000), 0, "H", "both changed, newest: hubspot (HubSpot 1970-01-01 00:00:08Z by Ann, Salesforce record 1970-01-01 00:00:08Z by Bob)"},
		"an edit after what was read does not count":                              {at(9_500_000, 8_000_000), 0, "H", "both changed, newest: hubspot (HubSpot record 1970-01-01 00:00:09Z, Salesforce record 1970-01-01 00:00:08Z by Bob)"},
		"no history: the record's time":                                           {map[crm.Side]map[string]crm.FieldTime{}, 0, "H", "both changed, newest: hubspot (HubSpot record 1970-01-01 00:00:09Z, Salesforce record 1970-01-01 00:00:08Z)"},
	} {
		t.Run(name, func(t *testing.T) {
			d := reconcile.Decide(o, reconcile.Snapshot{Link: link, HubSpot: h, Salesforce: s, Known: people{}, Times: test.times})
			if len(d.Asks) != test.asks || len(d.Writes) != 1 || d.Writes[0].Changes[0].After.Text != test.wins || d.Writes[0].Changes[0].Why != test.why {
				t.Errorf("asks %+v, writes %+v", d.Asks, d.Writes)
			}
		})
	}
}
