package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

const listsYAML = `hubspot: acme
salesforce: acme
objects:
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != ""'}, {object: Lead}]
    match: [{hubspot: email, salesforce: Email, as: email}]
    fields: [{hubspot: lastname, salesforce: LastName, too-long: hold}, {hubspot: company, salesforce: Company, blank: none, too-long: hold, on: [Lead]}]
  - name: campaigns
    hubspot: lists
    salesforce: Campaign
    match: [{hubspot: name, salesforce: Name}]
    create: both
    WHERE
    fields: [{hubspot: name, salesforce: Name, too-long: holdDIRECTION}]
    associations: [{hubspot: contacts, salesforce: CampaignMemberDIRECTION}]
`

func listSchemas() Schemas {
	s := standardSchemas()
	s.HubSpot["lists"], s.Salesforce["Campaign"] = mappingtest.Lists(), mappingtest.Campaign()
	return s
}

func bindLists(t *testing.T, where, direction string) (*BoundObject, []string) {
	t.Helper()
	src := strings.ReplaceAll(strings.Replace(listsYAML, "WHERE", where, 1), "DIRECTION", direction)
	m, err := Parse("lockstep.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	bound, problems := m.Bind(listSchemas())
	var said []string
	if problems != nil {
		for _, p := range problems.All {
			said = append(said, string(p.Severity)+" "+p.Code)
		}
	}
	if bound == nil {
		return nil, said
	}
	return bound.Object("campaigns"), said
}

// TestCampaignMembersMayBeContactsOrLeads in the order in which Salesforce's
// rows say who is meant.
func TestCampaignMembersMayBeContactsOrLeads(t *testing.T) {
	o, said := bindLists(t, "where: {hubspot: 'hubspot.processingType != \"DYNAMIC\"'}", "")
	if o == nil || len(said) > 0 {
		t.Fatal(said)
	}
	want := []crm.Junction{{Object: "CampaignMember", Near: "CampaignId", Far: "ContactId", FarObject: "Contact", Also: []crm.JunctionEnd{{Field: "LeadId", Object: "Lead"}}}}
	if diff := cmp.Diff(want, o.Targets[0].Read.Junctions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if o.HubSpotRead.Layout.Index("processingType") < 0 || !slices.Contains(o.RuleFields, "processingType") {
		t.Errorf("the way in which a list gets its members is not read: %v", o.HubSpotRead.Layout.Fields)
	}
}

// TestDynamicListsAreSaidToBeOnlyRead where the file asks for more.
func TestDynamicListsAreSaidToBeOnlyRead(t *testing.T) {
	for name, test := range map[string]struct {
		where, direction string
		want             []string
	}{
		"they are let in, and everything goes both ways": {want: []string{"warning list.dynamic"}},
		"they are left out":                      {where: `where: {hubspot: 'hubspot.processingType != "DYNAMIC"'}`},
		"they are left out by naming the others": {where: `where: {hubspot: 'hubspot.processingType in ["MANUAL", "SNAPSHOT"]'}`},
		"everything goes to Salesforce only":     {direction: ", direction: to-salesforce", want: []string{"error required.unfilled"}},
		"nothing else is let in":                 {where: `where: {hubspot: 'hubspot.processingType == "DYNAMIC"'}`, want: []string{"error list.dynamic"}},
		"the filter is about something else":     {where: `where: {hubspot: 'hubspot.name != "x"'}`, want: []string{"warning list.dynamic"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, said := bindLists(t, test.where, test.direction); !slices.Equal(said, test.want) {
				t.Errorf("said %v, want %v", said, test.want)
			}
		})
	}
}

// TestTheRulesOfADynamicListWriteNothingToHubSpot, and mean the same otherwise.
func TestTheRulesOfADynamicListWriteNothingToHubSpot(t *testing.T) {
	o, _ := bindLists(t, "deletes: archive", "")
	list := func(kind string) *crm.Record {
		return &crm.Record{Layout: crm.NewLayout("lists", []string{"processingType"}), Values: []crm.Value{crm.Text(kind)}}
	}
	if o.For(nil) != o || o.For(list("MANUAL")) != o || o.For(list("SNAPSHOT")) != o || o.OnlyReads() {
		t.Error("other lists have other rules")
	}
	read := o.For(list("DYNAMIC"))
	if !read.OnlyReads() || read.For(list("DYNAMIC")) != read || read.BaseVersion != o.BaseVersion || read.Name != "campaigns" {
		t.Errorf("%+v", read)
	}
	if f := read.Targets[0].Fields[0]; f.Direction != ToSalesforce || read.Targets[0].Associations[0].Direction != ToSalesforce || read.Deletes.InHubSpot != DeletesIgnore || read.Deletes.InSalesforce != DeletesArchive {
		t.Errorf("%v, %v, %v", f.Direction, read.Targets[0].Associations[0].Direction, read.Deletes)
	}
	if o.Targets[0].Fields[0].Direction != Both || o.Deletes.InHubSpot != DeletesArchive {
		t.Error("the rules of the file changed")
	}
}

// TestAssociationsOfListsAreMemberships and nothing else.
func TestAssociationsOfListsAreMemberships(t *testing.T) {
	for association, want := range map[string]string{
		"{hubspot: contacts, salesforce: CampaignMember, role: Invited}":                          "",
		"{hubspot: contacts, salesforce: CampaignMember, role: Invited, labels: {Decider: Sent}}": "association.list",
		"{hubspot: contacts, salesforce: OwnerId}":                                                "association.list",
		"{hubspot: lists, salesforce: CampaignMember}":                                            "association.list",
		"{hubspot: contacts, salesforce: OpportunityContactRole}":                                 "association.no-role",
	} {
		src := strings.ReplaceAll(strings.Replace(listsYAML, "WHERE", `where: {hubspot: 'hubspot.processingType == "MANUAL"'}`, 1), "DIRECTION", "")
		m, err := Parse("lockstep.yaml", []byte(strings.Replace(src, "{hubspot: contacts, salesforce: CampaignMember}", association, 1)))
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		if _, problems := m.Bind(listSchemas()); problems != nil {
			for _, p := range problems.All {
				codes = append(codes, p.Code)
			}
		}
		if strings.Join(codes, " ") != want {
			t.Errorf("%s: %v, want %q", association, codes, want)
		}
	}
}

// TestListsNeedTheirOwnScopes, and none of contacts' for their members.
func TestListsNeedTheirOwnScopes(t *testing.T) {
	for direction, want := range map[string]string{"": "crm.lists.read crm.lists.write", ", direction: to-salesforce": "crm.lists.read"} {
		src := strings.ReplaceAll(strings.ReplaceAll(strings.Replace(listsYAML, "    WHERE\n", "", 1), "DIRECTION", direction), "create: both", "create: in-salesforce")
		m, err := Parse("lockstep.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, n := range m.Scopes() {
			if strings.HasPrefix(n.Name, "crm.lists") {
				names = append(names, n.Name)
			}
		}
		if strings.Join(names, " ") != want {
			t.Errorf("%q needs %v, want %s", direction, names, want)
		}
	}
}
