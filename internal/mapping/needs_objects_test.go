package mapping

import (
	"slices"
	"strings"
	"testing"
)

func TestPermissionsFollowSalesforcesRulesForEachObject(t *testing.T) {
	for _, c := range []struct {
		name, yaml    string
		want, without []string
	}{
		{
			"writing tasks takes a permission of the user, not of the object",
			"{name: tasks, hubspot: tasks, salesforce: Task, create: in-salesforce, fields: [{hubspot: hs_task_subject, salesforce: Subject}]}",
			[]string{"Edit Tasks"}, []string{"Task: Create", "Task: Read", "Edit Events"},
		},
		{
			"reading events takes none",
			"{name: meetings, hubspot: meetings, salesforce: Event, create: never, deletes: ignore, fields: [{hubspot: hs_meeting_title, salesforce: Subject, direction: to-hubspot}]}",
			nil, []string{"Edit Events", "Event: Read"},
		},
		{
			"line items follow their opportunity",
			"{name: lines, hubspot: line_items, salesforce: OpportunityLineItem, create: in-salesforce, fields: [{hubspot: quantity, salesforce: Quantity}]}",
			[]string{"Opportunity: Read", "Opportunity: Edit"}, []string{"OpportunityLineItem: Create"},
		},
		{
			"campaigns and their members take a check box of the user",
			"{name: campaigns, hubspot: lists, salesforce: Campaign, create: in-salesforce, fields: [{hubspot: name, salesforce: Name}], associations: [{hubspot: contacts, salesforce: CampaignMember}]}",
			[]string{"Campaign: Read", "Campaign: Create", "Campaign: Edit", "Marketing User"}, []string{"CampaignMember: Create", "CampaignMember: Read"},
		},
		{
			"reading campaigns does not",
			"{name: campaigns, hubspot: lists, salesforce: Campaign, create: in-hubspot, fields: [{hubspot: name, salesforce: Name, direction: to-hubspot}], associations: [{hubspot: contacts, salesforce: CampaignMember, direction: to-hubspot}]}",
			[]string{"Campaign: Read"}, []string{"Campaign: Edit", "Marketing User"},
		},
		{
			"cases have their own",
			"{name: tickets, hubspot: tickets, salesforce: Case, create: in-salesforce, fields: [{hubspot: subject, salesforce: Subject}]}",
			[]string{"Case: Read", "Case: Create", "Case: Edit"}, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Parse("lockstep.yaml", []byte("hubspot: a\nsalesforce: b\nobjects:\n  - "+c.yaml+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, n := range m.PermissionNeeds(nil) {
				names = append(names, n.Name)
			}
			for _, want := range c.want {
				if !slices.Contains(names, want) {
					t.Errorf("%s is missing of %s", want, strings.Join(names, ", "))
				}
			}
			for _, unwanted := range c.without {
				if slices.Contains(names, unwanted) {
					t.Errorf("%s is too much", unwanted)
				}
			}
		})
	}
}

func TestObjectsMayBeNamedByTypeID(t *testing.T) {
	m, err := Parse("lockstep.yaml", []byte("hubspot: a\nsalesforce: b\nobjects:\n  - {name: tickets, hubspot: 0-5, salesforce: Case, fields: [{hubspot: subject, salesforce: Subject}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Objects[0].HubSpot != "tickets" {
		t.Errorf("0-5 is %s", m.Objects[0].HubSpot)
	}
}

func TestTheOwnerMayHaveAStandIn(t *testing.T) {
	for owner, want := range map[string]struct {
		byEmail   bool
		otherwise string
	}{
		"by-email":    {true, ""},
		"{by: email}": {true, ""},
		"{by: email, otherwise: sync@acme.example.prod}": {true, "sync@acme.example.prod"},
	} {
		m, err := Parse("lockstep.yaml", []byte("hubspot: a\nsalesforce: b\nobjects:\n  - {name: deals, hubspot: deals, salesforce: Opportunity, owner: "+owner+", fields: [{hubspot: dealname, salesforce: Name}]}\n"))
		if err != nil {
			t.Errorf("%s: %v", owner, err)
			continue
		}
		if o := m.Objects[0]; o.OwnerByEmail != want.byEmail || o.OwnerOtherwise != want.otherwise {
			t.Errorf("%s: %v %q", owner, o.OwnerByEmail, o.OwnerOtherwise)
		}
	}
	if _, err := Parse("lockstep.yaml", []byte("hubspot: a\nsalesforce: b\nobjects:\n  - {name: deals, hubspot: deals, salesforce: Opportunity, owner: {otherwise: x}, fields: [{hubspot: dealname, salesforce: Name}]}\n")); err == nil {
		t.Error("a stand-in alone is taken")
	}
}
