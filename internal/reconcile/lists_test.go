package reconcile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

const listsYAML = `
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != ""'}, {object: Lead}]
    fields: [{hubspot: lastname, salesforce: LastName}, {hubspot: company, salesforce: Company, blank: none, on: [Lead]}]
    match: [{hubspot: email, salesforce: Email, as: email}]
  - name: campaigns
    hubspot: lists
    salesforce: Campaign
    match: [{hubspot: name, salesforce: Name}]
    create: both
    fields: [{hubspot: name, salesforce: Name}]
    associations: [{hubspot: contacts, salesforce: CampaignMember}]
`

const (
	aContact = "003000000000001AAA"
	aLead    = "00Q000000000002AAA"
)

// listPair is a list and its campaign: contact 1 is a Contact, 2 a Lead, 3 is
// waited for, 4 is made by the same plan.
func listPair(t *testing.T, kind string, members []string, rows map[string]string, ties ...string) (*mapping.BoundObject, reconcile.Snapshot) {
	schemas := mapping.Schemas{HubSpot: mappingtest.HubSpot(), Salesforce: mappingtest.Salesforce()}
	schemas.HubSpot["lists"], schemas.Salesforce["Campaign"] = mappingtest.Lists(), mappingtest.Campaign()
	o := bindTo(t, "campaigns", listsYAML, schemas)
	h := hubspot(o, "7", "name", "Fair", "processingType", kind)
	for _, id := range members {
		h = related(h, crm.Relation{Object: "contacts", ID: id})
	}
	s := salesforce(o, "Campaign", "701000000000001AAA", "Name", "Fair")
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		object := "Contact"
		if strings.HasPrefix(rows[row], "00Q") {
			object = "Lead"
		}
		s = related(s, crm.Relation{Object: object, ID: rows[row], RowID: row, Junction: mapping.CampaignMember})
	}
	snapshot := reconcile.Snapshot{Link: linkOf(o, h, s), HubSpot: h, Salesforce: s}
	for _, id := range ties {
		snapshot.Ties = append(snapshot.Ties, crm.Tie{Association: "contacts/CampaignMember", Far: id, RowID: "00v" + id})
	}
	snapshot.Known = people{
		counterparts: map[crm.Ref]crm.Ref{ref(crm.HubSpot, "contacts", "1"): ref(crm.Salesforce, "Contact", aContact), ref(crm.HubSpot, "contacts", "2"): ref(crm.Salesforce, "Lead", aLead)},
		standings:    map[crm.Ref]reconcile.Standing{ref(crm.HubSpot, "contacts", "3"): reconcile.Waiting, ref(crm.HubSpot, "contacts", "4"): reconcile.Planned},
	}
	return o, snapshot
}

// TestMembersOfListsAndCampaigns is the table of what a decision does to them.
func TestMembersOfListsAndCampaigns(t *testing.T) {
	for name, test := range map[string]struct {
		kind     string // of the list; MANUAL
		members  []string
		rows     map[string]string
		ties     []string
		toH, toS []string
		notes    []string
	}{
		"both have both, as agreed":                      {members: []string{"1", "2"}, rows: map[string]string{"00v1": aContact, "00v2": aLead}, ties: []string{"1", "2"}},
		"a contact joins the list: a member by Contact":  {members: []string{"1"}, toS: []string{"relate CampaignMember 1 ContactId"}},
		"a lead joins the list: a member by Lead":        {members: []string{"2"}, toS: []string{"relate CampaignMember 2 LeadId"}},
		"a lead joins the campaign: it joins the list":   {rows: map[string]string{"00v2": aLead}, toH: []string{"relate contacts " + aLead}},
		"one leaves the list: the row goes":              {rows: map[string]string{"00v2": aLead}, ties: []string{"2"}, toS: []string{"unrelate CampaignMember 00v2 LeadId"}},
		"one leaves the campaign: out of the list":       {members: []string{"1"}, ties: []string{"1"}, toH: []string{"unrelate contacts 1"}},
		"one leaves here, another joins there":           {members: []string{"1"}, rows: map[string]string{"00v2": aLead}, ties: []string{"1"}, toH: []string{"unrelate contacts 1", "relate contacts " + aLead}},
		"a contact that waits for something is left":     {members: []string{"3"}, notes: []string{reconcile.NoteWaits}},
		"a member whom nobody has seen is left":          {rows: map[string]string{"00v9": "003000000000009AAA"}, notes: []string{reconcile.NoteWaits}},
		"a contact that is about to be made joins, too":  {members: []string{"4"}, toS: []string{"relate CampaignMember 4 ContactId"}},
		"a dynamic list gives":                           {kind: "DYNAMIC", members: []string{"1"}, toS: []string{"relate CampaignMember 1 ContactId"}, notes: []string{reconcile.NoteOnlyRead}},
		"a dynamic list takes: somebody left":            {kind: "DYNAMIC", rows: map[string]string{"00v1": aContact}, ties: []string{"1"}, toS: []string{"unrelate CampaignMember 00v1 ContactId"}, notes: []string{reconcile.NoteOnlyRead}},
		"nothing is added to a dynamic list":             {kind: "DYNAMIC", rows: map[string]string{"00v1": aContact}, notes: []string{reconcile.NoteOnlyRead}},
		"who left the campaign of a dynamic list is out": {kind: "DYNAMIC", members: []string{"1"}, ties: []string{"1"}, notes: []string{reconcile.NoteOnlyRead}},
		"a snapshot list is filled by hand":              {kind: "SNAPSHOT", rows: map[string]string{"00v1": aContact}, toH: []string{"relate contacts " + aContact}},
	} {
		t.Run(name, func(t *testing.T) {
			kind := test.kind
			if kind == "" {
				kind = "MANUAL"
			}
			o, s := listPair(t, kind, test.members, test.rows, test.ties...)
			d := reconcile.Decide(o, s)
			var toH, toS, notes []string
			for _, w := range d.Writes {
				r := w.Relation
				switch {
				case w.Side == crm.HubSpot:
					toH = append(toH, fmt.Sprintf("%s %s %s%s", w.Op, r.Object, r.Far.ID, r.FarID))
				default:
					toS = append(toS, fmt.Sprintf("%s %s %s%s %s", w.Op, r.Object, r.Far.ID, r.RowID, r.FarField))
				}
			}
			for _, n := range d.Notes {
				notes = append(notes, n.Code)
			}
			for what, diff := range map[string]string{"to HubSpot": cmp.Diff(test.toH, toH), "to Salesforce": cmp.Diff(test.toS, toS), "notes": cmp.Diff(test.notes, notes)} {
				if diff != "" {
					t.Errorf("%s (-want +got):\n%s", what, diff)
				}
			}
		})
	}
}

// TestWhatOnlyOneSideOfAListHasIsToldByACompare: a member who waits and one of
// a dynamic list are no difference that a sync would mend.
func TestWhatOnlyOneSideOfAListHasIsToldByACompare(t *testing.T) {
	for name, test := range map[string]struct {
		kind    string
		members []string
		rows    map[string]string
		want    []string
	}{
		"somebody is missing":            {kind: "MANUAL", members: []string{"1"}, want: []string{""}},
		"somebody waits in HubSpot":      {kind: "MANUAL", members: []string{"3"}, want: []string{"CampaignMember waits: HubSpot contacts 3 is held, excluded or failed"}},
		"somebody waits in Salesforce":   {kind: "MANUAL", rows: map[string]string{"00v9": "003000000000009AAA"}, want: []string{"CampaignMember waits: Salesforce Contact 003000000000009AAA has not been seen"}},
		"a campaign of a dynamic list":   {kind: "DYNAMIC", rows: map[string]string{"00v1": aContact}, want: []string{"HubSpot fills this list by its filters (DYNAMIC), so it is only read"}},
		"both have the lead as a member": {kind: "MANUAL", members: []string{"2"}, rows: map[string]string{"00v2": aLead}},
	} {
		t.Run(name, func(t *testing.T) {
			o, s := listPair(t, test.kind, test.members, test.rows)
			var got []string
			for _, d := range reconcile.Compare(o, s) {
				got = append(got, d.Allowed)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestManyMembersAreDecidedInPartsAndToldInOneSentence: the rest follows, and
// nobody who was agreed on is forgotten.
func TestManyMembersAreDecidedInPartsAndToldInOneSentence(t *testing.T) {
	const many = 10_500
	var members []string
	counterparts := map[crm.Ref]crm.Ref{}
	for i := range many {
		id := fmt.Sprint(1000 + i)
		members = append(members, id)
		counterparts[ref(crm.HubSpot, "contacts", id)] = ref(crm.Salesforce, "Contact", fmt.Sprintf("003%012dAAA", i))
	}
	o, s := listPair(t, "MANUAL", members, nil, members[many-1])
	s.Known = people{counterparts: counterparts}
	d := reconcile.Decide(o, s)
	if len(d.Writes) != 10_000 || len(d.Ties) != 1 || len(d.Reason.Text) > 200 || !strings.Contains(d.Reason.Text, "add CampaignMember (10000)") {
		t.Errorf("%d writes, %d ties, %q", len(d.Writes), len(d.Ties), d.Reason.Text)
	}
	if slot := o.Slot("contacts/CampaignMember"); d.Base == nil || d.Base.HubSpot[slot] == 0 || d.Base.HubSpot[slot] == reconcile.Fingerprint(o, crm.HubSpot, "lists", s.HubSpot)[slot] {
		t.Errorf("nothing brings the pair back for the rest: %v", d.Base)
	}
	if !slices.ContainsFunc(d.Notes, func(r crm.Reason) bool { return strings.Contains(r.Text, "500 further") }) {
		t.Errorf("%v", d.Notes)
	}
}
