package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

const dealsYAML = `
  - name: companies
    hubspot: companies
    salesforce: Account
    create: both
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    fields: [{hubspot: name, salesforce: Name}]
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != nil'}, Lead]
    match: [{hubspot: email, salesforce: Email, as: email}]
    fields:
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: company, salesforce: Company, on: Lead}
  - name: deals
    hubspot: deals
    salesforce: Opportunity
    create: both
    match: [{hubspot: dealname, salesforce: Name}]
    owner: by-email
    fields:
      - {hubspot: dealname, salesforce: Name}
      - {hubspot: amount, salesforce: Amount}
      - {hubspot: closedate, salesforce: CloseDate}
      - {hubspot: pipeline, salesforce: Pipeline__c, values: {default: Sales, "7001": Renewals}}
      - hubspot: dealstage
        salesforce: StageName
        values: {appointmentscheduled: Needs Analysis, qualifiedtobuy: Needs Analysis, closedwon: Closed Won, closedlost: Closed Lost, "8001": Negotiation/Review, "8002": Closed Won, "8003": Closed Lost}
    associations:
      - {hubspot: companies, salesforce: AccountId}
      - {hubspot: contacts, salesforce: OpportunityContactRole, role: Decision Maker}
`

const dealID = "006000000000001AAA"

func ref(side crm.Side, object, id string) crm.Ref {
	return crm.Ref{Side: side, Object: object, ID: id}
}

func TestDealsAndOpportunities(t *testing.T) {
	o := bind(t, "deals", dealsYAML)
	h := hubspot(o, "1", "dealname", "Robots", "amount", "1500.50", "closedate", "2026-11-23T14:05:06.789Z", "pipeline", "default", "dealstage", "qualifiedtobuy", "hubspot_owner_id", "71")
	s := salesforce(o, "Opportunity", dealID, "Name", "Robots", "Amount", "1500.5", "CloseDate", "2026-11-23", "Pipeline__c", "Sales", "StageName", "Needs Analysis", "OwnerId", "005000000000001AAA", "AccountId", accountID)
	h = related(h, crm.Relation{Object: "companies", ID: "5", Primary: true}, crm.Relation{Object: "contacts", ID: "11"})
	s = related(s, crm.Relation{Object: "Contact", ID: contactID, RowID: "00K1", Junction: mapping.ContactRole})
	known := people{owners: map[string]string{"71": "005000000000001AAA", "72": "005000000000002AAA"}, counterparts: map[crm.Ref]crm.Ref{
		ref(crm.HubSpot, "companies", "5"): ref(crm.Salesforce, "Account", accountID), ref(crm.HubSpot, "companies", "6"): ref(crm.Salesforce, "Account", "001000000000002AAA"),
		ref(crm.HubSpot, "contacts", "11"): ref(crm.Salesforce, "Contact", contactID), ref(crm.HubSpot, "contacts", "12"): ref(crm.Salesforce, "Contact", "003000000000002AAA"),
		ref(crm.HubSpot, "contacts", "13"): ref(crm.Salesforce, "Lead", leadID)},
		standings: map[crm.Ref]reconcile.Standing{ref(crm.HubSpot, "contacts", "14"): reconcile.Planned, ref(crm.HubSpot, "contacts", "15"): reconcile.Waiting}}
	without := func(r *crm.Record, object string) *crm.Record {
		out := set(r)
		out.Relations = nil
		for _, rel := range r.Relations {
			if rel.Object != object {
				out.Relations = append(out.Relations, rel)
			}
		}
		return out
	}
	contacts := func(ids ...string) *crm.Record {
		out := without(h, "contacts")
		for _, id := range ids {
			out.Relations = append(out.Relations, crm.Relation{Object: "contacts", ID: id})
		}
		return out
	}
	for name, test := range map[string]struct {
		h, s     *crm.Record
		toH, toS []string
		outcome  crm.Outcome
		note     string
		newLink  bool
		awaits   int
	}{
		"a time and a date on the same day, 1500.50 and 1500.5, two stages for one: in step":            {h: h, s: s, outcome: crm.Unchanged},
		"the other HubSpot stage of the same Salesforce stage: nothing to write":                        {h: set(h, "dealstage", "appointmentscheduled"), s: s, outcome: crm.Unchanged},
		"Salesforce moved to a stage of the deal's own pipeline":                                        {h: h, s: set(s, "StageName", "Closed Lost"), toH: []string{"dealstage=closedlost"}, outcome: crm.Synced},
		"Salesforce moved to the other pipeline: HubSpot gets pipeline and stage together":              {h: h, s: set(s, "Pipeline__c", "Renewals", "StageName", "Closed Won"), toH: []string{"pipeline=7001", "dealstage=8002"}, outcome: crm.Synced},
		"the pipeline moved and the stage name exists there too: the stage follows":                     {h: set(h, "dealstage", "closedwon"), s: set(s, "Pipeline__c", "Renewals", "StageName", "Closed Won"), toH: []string{"pipeline=7001", "dealstage=8002"}, outcome: crm.Synced},
		"no stage of the new pipeline stands for Salesforce's: the deal waits":                          {h: h, s: set(s, "Pipeline__c", "Renewals"), outcome: crm.Held},
		"the close date moved in Salesforce: HubSpot gets midnight of that day":                         {h: h, s: set(s, "CloseDate", "2026-12-01"), toH: []string{"closedate=2026-12-01T00:00:00.000Z"}, outcome: crm.Synced},
		"the time of day changed in HubSpot: nothing to write":                                          {h: set(h, "closedate", "2026-11-23T01:00:00Z"), s: s, outcome: crm.Unchanged},
		"the owner changed in HubSpot":                                                                  {h: set(h, "hubspot_owner_id", "72"), s: s, toS: []string{"OwnerId=005000000000002AAA"}, outcome: crm.Synced},
		"the owner changed in Salesforce":                                                               {h: h, s: set(s, "OwnerId", "005000000000002AAA"), toH: []string{"hubspot_owner_id=72"}, outcome: crm.Synced},
		"the new owner in Salesforce is a queue: left alone, and told":                                  {h: h, s: set(s, "OwnerId", "00G000000000001AAA"), outcome: crm.Unchanged, note: reconcile.NoteOwnerUnknown},
		"nobody owns it in HubSpot any more: Salesforce keeps its owner":                                {h: set(h, "hubspot_owner_id", ""), s: s, outcome: crm.Unchanged, note: reconcile.NoteLeftAlone},
		"the company changed in HubSpot: the account follows":                                           {h: related(without(h, "companies"), crm.Relation{Object: "companies", ID: "6", Primary: true}), s: s, toS: []string{"AccountId=001000000000002AAA"}, outcome: crm.Synced},
		"R16: the association was removed in HubSpot: the account is cleared":                           {h: without(h, "companies"), s: s, toS: []string{"AccountId="}, outcome: crm.Synced},
		"R16: the account changed in Salesforce: it becomes the primary company, the former is no more": {h: h, s: set(s, "AccountId", "001000000000002AAA"), toH: []string{"relate companies 001000000000002AAA", "unrelate companies 5"}, outcome: crm.Synced},
		"R16: the account was cleared in Salesforce: the association is removed":                        {h: h, s: set(s, "AccountId", ""), toH: []string{"unrelate companies 5"}, outcome: crm.Synced},
		"both changed, and HubSpot wins as long as the mapping says nothing":                            {h: related(without(h, "companies"), crm.Relation{Object: "companies", ID: "6", Primary: true}), s: set(s, "AccountId", ""), toS: []string{"AccountId=001000000000002AAA"}, outcome: crm.Synced},
		"both came to the same account: nothing is written":                                             {h: related(without(h, "companies"), crm.Relation{Object: "companies", ID: "6", Primary: true}), s: set(s, "AccountId", "001000000000002AAA"), outcome: crm.Unchanged},
		"a further company that is not the primary one says nothing":                                    {h: related(set(h), crm.Relation{Object: "companies", ID: "6"}), s: s, outcome: crm.Unchanged},
		"the account in Salesforce is none that HubSpot has: decided when it does":                      {h: h, s: set(s, "AccountId", "001000000000009AAA"), outcome: crm.Unchanged, note: reconcile.NoteWaits, awaits: 1},
		"R16: a contact was associated in HubSpot: it gets a role":                                      {h: contacts("11", "12"), s: s, toS: []string{"relate OpportunityContactRole 12"}, outcome: crm.Synced},
		"a contact that is made in this plan gets a role when it is there":                              {h: contacts("11", "14"), s: s, toS: []string{"relate OpportunityContactRole 14"}, outcome: crm.Synced},
		"a Lead cannot have a role: told, and decided again when it is a Contact":                       {h: contacts("11", "13"), s: s, outcome: crm.Unchanged, note: reconcile.NoteWrongObject, awaits: 1},
		"a held contact has no role yet: decided again later":                                           {h: contacts("11", "15"), s: s, outcome: crm.Unchanged, note: reconcile.NoteWaits, awaits: 1},
		"R16: a role was removed in Salesforce: the association ends":                                   {h: h, s: without(s, "Contact"), toH: []string{"unrelate contacts 11"}, outcome: crm.Synced},
		"R16: an association was removed in HubSpot: the role is removed":                               {h: contacts(), s: s, toS: []string{"unrelate OpportunityContactRole 00K1"}, outcome: crm.Synced},
		"R16: a contact role was added in Salesforce: the contact is associated":                        {h: h, s: related(set(s), crm.Relation{Object: "Contact", ID: "003000000000002AAA", RowID: "00K2", Junction: mapping.ContactRole}), toH: []string{"relate contacts 003000000000002AAA"}, outcome: crm.Synced},
		"a new deal: stage, pipeline, account, role and owner are written":                              {h: h, newLink: true, toS: []string{"Name=Robots", "Amount=1500.5", "CloseDate=2026-11-23", "Pipeline__c=Sales", "StageName=Needs Analysis", "AccountId=" + accountID, "OwnerId=005000000000001AAA", "relate OpportunityContactRole 11"}, outcome: crm.Synced},
		"a new opportunity: its stage is one of the pipeline":                                           {s: set(s, "Pipeline__c", "Renewals", "StageName", "Closed Lost"), newLink: true, toH: []string{"dealname=Robots", "amount=1500.5", "closedate=2026-11-23T00:00:00.000Z", "pipeline=7001", "dealstage=8003", "hubspot_owner_id=71", "relate companies " + accountID, "relate contacts " + contactID}, outcome: crm.Synced},
		"a new opportunity without pipeline goes to HubSpot's first one":                                {s: set(s, "Pipeline__c", "", "StageName", "Closed Lost"), newLink: true, toH: []string{"dealname=Robots", "amount=1500.5", "closedate=2026-11-23T00:00:00.000Z", "dealstage=closedlost", "hubspot_owner_id=71", "relate companies " + accountID, "relate contacts " + contactID}, outcome: crm.Synced},
		"a new deal without close date: it waits":                                                       {h: set(h, "closedate", ""), outcome: crm.Held},
		"a new deal with an amount that is too large: it waits":                                         {h: set(h, "amount", "12345678901234567.00"), outcome: crm.Held},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot := reconcile.Snapshot{HubSpot: test.h, Salesforce: test.s, Known: known}
			if test.h != nil && test.s != nil {
				base := h
				if test.h.Value("dealstage").Text == "closedwon" {
					base = test.h
				}
				snapshot.Link = linkOf(o, base, s)
				snapshot.Ties = []crm.Tie{{Association: "contacts/OpportunityContactRole", Far: "11", RowID: "00K1"}}
			}
			d := reconcile.Decide(o, snapshot)
			if d.Outcome != test.outcome {
				t.Errorf("outcome %s (%s: %s), want %s", d.Outcome, d.Reason.Code, d.Reason.Text, test.outcome)
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
			if len(d.Awaits) != test.awaits || (d.NewLink != nil) != test.newLink {
				t.Errorf("awaits %v, new link %+v", d.Awaits, d.NewLink)
			}
		})
	}
}

func TestWhatAVendorFillsInOnCreateDoesNotComeBack(t *testing.T) {
	o := bind(t, "deals", dealsYAML)
	known := people{}
	h := hubspot(o, "1", "dealname", "Robots", "closedate", "2026-11-23T14:05:06Z", "pipeline", "default", "dealstage", "closedwon")
	d := reconcile.Decide(o, reconcile.Snapshot{HubSpot: h, Known: known})
	link := *d.NewLink
	link.SalesforceID = dealID
	// Salesforce gave it an owner, an amount and a pipeline of its own.
	s := salesforce(o, "Opportunity", dealID, "Name", "Robots", "CloseDate", "2026-11-23", "StageName", "Closed Won", "Pipeline__c", "Sales", "OwnerId", "005000000000001AAA", "Amount", "10.0")
	d = reconcile.Decide(o, reconcile.Snapshot{Link: &link, HubSpot: h, Salesforce: s, Known: known})
	if d.Outcome != crm.Unchanged || d.Base == nil {
		t.Fatalf("%s, writes to HubSpot %v, to Salesforce %v; base %v", d.Outcome, changesTo(d, crm.HubSpot), changesTo(d, crm.Salesforce), d.Base)
	}
	// From now on it is the base: somebody's change flows.
	link.Base = *d.Base
	d = reconcile.Decide(o, reconcile.Snapshot{Link: &link, HubSpot: h, Salesforce: set(s, "Amount", "20.0"), Known: known})
	if diff := cmp.Diff([]string{"amount=20"}, changesTo(d, crm.HubSpot)); diff != "" {
		t.Errorf("to HubSpot (-want +got):\n%s", diff)
	}
}

func TestCompareTellsDifferencesWithoutTheBase(t *testing.T) {
	o := bind(t, "deals", dealsYAML)
	known := people{owners: map[string]string{"71": "005000000000001AAA"}, counterparts: map[crm.Ref]crm.Ref{ref(crm.HubSpot, "contacts", "11"): ref(crm.Salesforce, "Contact", contactID)}}
	h := hubspot(o, "1", "dealname", "Robots", "amount", "5", "closedate", "2026-11-23T14:05:06Z", "pipeline", "default", "dealstage", "closedwon", "hubspot_owner_id", "71")
	s := salesforce(o, "Opportunity", dealID, "Name", "Robots", "Amount", "5.00", "CloseDate", "2026-11-23", "StageName", "Closed Won", "Pipeline__c", "Sales", "OwnerId", "005000000000001AAA")
	if got := reconcile.Compare(o, reconcile.Snapshot{HubSpot: h, Salesforce: s, Known: known}); len(got) > 0 {
		t.Errorf("in step, and yet %+v", got)
	}
	h = related(set(h, "amount", "6"), crm.Relation{Object: "contacts", ID: "11"})
	got := reconcile.Compare(o, reconcile.Snapshot{HubSpot: h, Salesforce: s, Known: known})
	for i := range got {
		if got[i].Hashes != nil && got[i].Hashes[crm.HubSpot] == got[i].Hashes[crm.Salesforce] {
			t.Errorf("%s has one hash for two values", got[i].HubSpotField)
		}
		got[i].Slot, got[i].Hashes = 0, nil // for those who know the base
	}
	want := []reconcile.Difference{
		{HubSpotField: "amount", SalesforceField: "Amount", HubSpot: crm.Text("6"), Salesforce: crm.Text("5.00")},
		{HubSpotField: "contacts", SalesforceField: "OpportunityContactRole", HubSpot: crm.Text("11")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnOwnerWhomNobodyKnowsIsNotReplacedByOurOwnUser(t *testing.T) {
	o := bind(t, "deals", dealsYAML)
	known := people{owners: map[string]string{"71": "005000000000001AAA"}}
	h := hubspot(o, "1", "dealname", "Robots", "closedate", "2026-11-23T14:05:06Z", "pipeline", "default", "dealstage", "closedwon", "hubspot_owner_id", "99")
	d := reconcile.Decide(o, reconcile.Snapshot{HubSpot: h, Known: known})
	link := *d.NewLink
	link.SalesforceID = dealID
	// Salesforce gave it to the user that made it, and is newer for that.
	s := modified(salesforce(o, "Opportunity", dealID, "Name", "Robots", "CloseDate", "2026-11-23", "StageName", "Closed Won", "Pipeline__c", "Sales", "OwnerId", "005000000000001AAA"), 9_000_000)
	d = reconcile.Decide(o, reconcile.Snapshot{Link: &link, HubSpot: h, Salesforce: s, Known: known})
	if d.Outcome != crm.Unchanged {
		t.Fatalf("%s: to HubSpot %v, to Salesforce %v", d.Outcome, changesTo(d, crm.HubSpot), changesTo(d, crm.Salesforce))
	}
	if d.Base != nil {
		link.Base = *d.Base
	}
	// When the owner gets a user of the same address, the deal follows.
	known.owners["99"] = "005000000000009AAA"
	d = reconcile.Decide(o, reconcile.Snapshot{Link: &link, HubSpot: h, Salesforce: s, Known: known})
	if diff := cmp.Diff([]string{"OwnerId=005000000000009AAA"}, changesTo(d, crm.Salesforce)); diff != "" {
		t.Errorf("to Salesforce (-want +got):\n%s", diff)
	}
}

func TestATableAndEqualNamesTogetherFindTheWayBack(t *testing.T) {
	// Closed Won is closedwon by its name, and Renewed by the table.
	o := bind(t, "deals", `
  - name: deals
    hubspot: deals
    salesforce: Opportunity
    match: [{hubspot: dealname, salesforce: Name}]
    fields:
      - {hubspot: dealname, salesforce: Name}
      - {hubspot: closedate, salesforce: CloseDate}
      - {hubspot: dealstage, salesforce: StageName, values: {appointmentscheduled: Needs Analysis, "8001": Negotiation/Review, "8002": Closed Won}, unmapped: skip}
`)
	s := salesforce(o, "Opportunity", dealID, "Name", "Robots", "CloseDate", "2026-11-23", "StageName", "Needs Analysis")
	for pipeline, stages := range map[string][3]string{"default": {"appointmentscheduled", "closedwon", "closedlost"}, "7001": {"8001", "8002", "8003"}} {
		h := hubspot(o, "1", "dealname", "Robots", "closedate", "2026-11-23T00:00:00Z", "pipeline", pipeline, "dealstage", stages[0])
		for i, stage := range []string{"Closed Won", "Closed Lost"} {
			d := reconcile.Decide(o, reconcile.Snapshot{Link: linkOf(o, h, s), HubSpot: h, Salesforce: set(s, "StageName", stage)})
			if diff := cmp.Diff([]string{"dealstage=" + stages[i+1]}, changesTo(d, crm.HubSpot)); diff != "" {
				t.Errorf("pipeline %s, %s: %s (%s)\n%s", pipeline, stage, d.Outcome, d.Reason.Text, diff)
			}
		}
	}
}

func TestDealsOfOneNameAreTwoWhereTheirAccountsDiffer(t *testing.T) {
	o := bind(t, "deals", dealsYAML)
	company := ref(crm.HubSpot, "companies", "5")
	deal := related(hubspot(o, "1", "dealname", "Renewal 2027", "closedate", "2026-11-23T00:00:00Z", "pipeline", "default", "dealstage", "qualifiedtobuy"),
		crm.Relation{Object: "companies", ID: "5", Primary: true})
	opportunity := func(account string) *crm.Record {
		return salesforce(o, "Opportunity", dealID, "Name", "Renewal 2027", "CloseDate", "2026-11-23", "Pipeline__c", "Sales", "StageName", "Needs Analysis", "AccountId", account)
	}
	linkedTo := func(account string) people {
		return people{counterparts: map[crm.Ref]crm.Ref{company: ref(crm.Salesforce, "Account", account)}}
	}
	const otherAccount = "001000000000002AAA"
	for name, test := range map[string]struct {
		known   people
		account string
		linked  bool
	}{
		"the company is the account: one deal":                {linkedTo(accountID), accountID, true},
		"the company is another account: two deals":           {linkedTo(otherAccount), accountID, false},
		"the company is about to become an account: two":      {people{standings: map[crm.Ref]reconcile.Standing{company: reconcile.Planned}}, accountID, false},
		"the opportunity has no account: one deal":            {linkedTo(accountID), "", true},
		"nothing is known of the company: the name is enough": {people{}, accountID, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := reconcile.Decide(o, reconcile.Snapshot{HubSpot: deal, Known: test.known,
				Candidates: []reconcile.Candidate{{Record: opportunity(test.account), Object: "Opportunity"}}})
			if got := d.NewLink != nil && d.Salesforce.ID == dealID; got != test.linked {
				t.Errorf("linked: got %v, want %v: %s %s", got, test.linked, d.Outcome, d.Reason.Text)
			}
			if creates := len(d.Writes) > 0 && d.Writes[0].Op == crm.Create; creates == test.linked {
				t.Errorf("created: got %v, want %v", creates, !test.linked)
			}
		})
	}
}

// Salesforce converts the amounts of a record whose currency is written alone.
func TestAnAmountTravelsWithANewCurrency(t *testing.T) {
	schemas := mapping.Schemas{HubSpot: mappingtest.HubSpot(), Salesforce: mappingtest.Salesforce()}
	schemas.HubSpot["deals"].Fields = append(schemas.HubSpot["deals"].Fields, mappingtest.Field("deal_currency_code", crm.KindPicklist, mappingtest.Choices("EUR", "USD")))
	schemas.Salesforce["Opportunity"].Fields = append(schemas.Salesforce["Opportunity"].Fields, mappingtest.Field("CurrencyIsoCode", crm.KindPicklist, mappingtest.Choices("EUR", "USD")))
	o := bindTo(t, "deals", "  - name: deals\n    hubspot: deals\n    salesforce: Opportunity\n    create: never\n    fields:\n      - {hubspot: amount, salesforce: Amount}\n      - {hubspot: deal_currency_code, salesforce: CurrencyIsoCode}\n", schemas)
	h, s := hubspot(o, "1", "amount", "1500", "deal_currency_code", "EUR"), salesforce(o, "Opportunity", dealID, "Amount", "1500.0", "CurrencyIsoCode", "EUR")
	d := reconcile.Decide(o, reconcile.Snapshot{Link: linkOf(o, h, s), HubSpot: set(h, "deal_currency_code", "USD"), Salesforce: s})
	if diff := cmp.Diff([]string{"CurrencyIsoCode=USD", "Amount=1500.0"}, changesTo(d, crm.Salesforce)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d = reconcile.Decide(o, reconcile.Snapshot{Link: linkOf(o, h, s), HubSpot: set(h, "amount", "2000"), Salesforce: s})
	if diff := cmp.Diff([]string{"Amount=2000"}, changesTo(d, crm.Salesforce)); diff != "" {
		t.Errorf("an amount alone (-want +got):\n%s", diff)
	}
}

func TestANewRecordOfNobodyGoesToWhoIsNamedOtherwise(t *testing.T) {
	const standIn = "005000000000007AAA"
	o := bind(t, "deals", strings.Replace(dealsYAML, "owner: by-email", "owner: {by: email, otherwise: sync@acme.example}", 1))
	h := hubspot(o, "1", "dealname", "Robots", "closedate", "2026-11-23T14:05:06Z", "pipeline", "default", "dealstage", "closedwon", "hubspot_owner_id", "99")
	known := people{owners: map[string]string{"71": "005000000000001AAA"}, named: map[string]string{"salesforce sync@acme.example": standIn}}
	d := reconcile.Decide(o, reconcile.Snapshot{HubSpot: h, Known: known})
	if got := changesTo(d, crm.Salesforce); !slices.Contains(got, "OwnerId="+standIn) {
		t.Fatalf("a new record: %v", got)
	}
	if len(d.Notes) == 0 || !strings.Contains(d.Notes[0].Text, "sync@acme.example owns the new record") {
		t.Errorf("notes: %+v", d.Notes)
	}
	link := *d.NewLink
	link.SalesforceID = dealID
	// It exists now, and somebody in Salesforce takes it.
	s := modified(salesforce(o, "Opportunity", dealID, "Name", "Robots", "CloseDate", "2026-11-23", "StageName", "Closed Won", "Pipeline__c", "Sales", "OwnerId", "005000000000008AAA"), 9_000_000)
	d = reconcile.Decide(o, reconcile.Snapshot{Link: &link, HubSpot: h, Salesforce: s, Known: known})
	if got := changesTo(d, crm.Salesforce); len(got) != 0 {
		t.Errorf("a record that exists is given back to %v", got)
	}
	// Nobody has that name.
	d = reconcile.Decide(o, reconcile.Snapshot{HubSpot: h, Known: people{}})
	if len(d.Notes) == 0 || !strings.Contains(d.Notes[0].Text, "is no active user of Salesforce either") {
		t.Errorf("notes: %+v", d.Notes)
	}
}
