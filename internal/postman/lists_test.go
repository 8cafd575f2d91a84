package postman_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
	"github.com/lockstep-sync/lockstep/internal/postman"
)

const listsYAML = `
hubspot: acme
salesforce: acme
objects:
  - {name: people, hubspot: contacts, salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != ""'}, {object: Lead}], match: [{hubspot: email, salesforce: Email, as: email}],
     create: never, fields: [{hubspot: email, salesforce: Email}]}
  - name: campaigns
    hubspot: lists
    salesforce: Campaign
    match: [{hubspot: name, salesforce: Name}]
    where: {hubspot: 'hubspot.processingType != "DYNAMIC"'}
    fields: [{hubspot: name, salesforce: Name}]
    associations: [{hubspot: contacts, salesforce: CampaignMember}]
`

func bindLists(t *testing.T) *mapping.Bound {
	t.Helper()
	m, err := mapping.Parse("lockstep.yaml", []byte(listsYAML))
	if err != nil {
		t.Fatal(err)
	}
	schemas := mapping.Schemas{HubSpot: mappingtest.HubSpot(), Salesforce: mappingtest.Salesforce()}
	schemas.HubSpot["lists"], schemas.Salesforce["Campaign"] = mappingtest.Lists(), mappingtest.Campaign()
	bound, problems := m.Bind(schemas)
	if bound == nil {
		t.Fatal(problems)
	}
	return bound
}

// TestListsAreReadByTheirOwnAPI: they are no CRM object, and the chain says that
// it leaves them out.
func TestListsAreReadByTheirOwnAPI(t *testing.T) {
	c, _ := postman.Export(bindLists(t), postman.Options{})
	var reads []string
	for _, item := range c.Requests() {
		if strings.Contains(item.Request.URL.Raw, "/lists") {
			reads = append(reads, item.Request.Method+" "+item.Request.URL.Raw)
		}
	}
	if diff := cmp.Diff([]string{"POST {{hubspot_url}}/crm/lists/{{hubspot_version}}/search"}, reads); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(c.LeftOut, func(l postman.LeftOut) bool { return l.Object == "campaigns" }) {
		t.Errorf("nothing says that the chain leaves lists out: %v", c.LeftOut)
	}
}

// TestAFailedCallOfAListGoesToItsOwnAPI, and that of a member names the person.
func TestAFailedCallOfAListGoesToItsOwnAPI(t *testing.T) {
	list := func(op crm.Op, id string) postman.FailedCall {
		return postman.FailedCall{Mapping: "campaigns", Op: op, Record: crm.Ref{Side: crm.HubSpot, Object: "lists", ID: id}, Cause: "VALIDATION_ERROR",
			Fields: []crm.FieldValue{{Name: "name", Value: crm.Text("Fair 2027")}}}
	}
	member := func(op crm.Op, side crm.Side, object, id, far, farID, junction, row string) postman.FailedCall {
		return postman.FailedCall{Mapping: "campaigns", Op: op, Record: crm.Ref{Side: side, Object: object, ID: id}, Cause: "X", Relation: &crm.Relation{Object: far, ID: farID, Junction: junction, RowID: row}}
	}
	c, _ := postman.ExportFailed(bindLists(t), 12, []postman.FailedCall{
		list(crm.Create, ""), list(crm.Update, "7"), list(crm.Archive, "7"), list(crm.Restore, "7"),
		member(crm.Relate, crm.HubSpot, "lists", "7", "contacts", "101", "", ""), member(crm.Unrelate, crm.HubSpot, "lists", "7", "contacts", "101", "", ""),
		member(crm.Relate, crm.Salesforce, "Campaign", "701A", "Contact", "003A", "CampaignMember", ""), member(crm.Relate, crm.Salesforce, "Campaign", "701A", "Lead", "00QA", "CampaignMember", ""),
	}, postman.Options{Name: "acme"})
	var got []string
	for _, item := range c.Requests() {
		line := item.Request.Method + " " + item.Request.URL.Raw
		if item.Request.Body != nil {
			line += " " + strings.Join(strings.Fields(item.Request.Body.Raw), " ")
		}
		got = append(got, line)
	}
	lists, members := "{{hubspot_url}}/crm/lists/{{hubspot_version}}", "{{instance_url}}/services/data/v60.0/sobjects/CampaignMember"
	want := []string{
		"POST " + lists + ` { "name": "Fair 2027", "objectTypeId": "0-1", "processingType": "MANUAL" }`,
		"PUT " + lists + "/7/update-list-name?listName=Fair 2027",
		"DELETE " + lists + "/7",
		"PUT " + lists + "/7/restore",
		"PUT " + lists + `/7/memberships/add-and-remove { "recordIdsToAdd": ["101"], "recordIdsToRemove": [] }`,
		"PUT " + lists + `/7/memberships/add-and-remove { "recordIdsToAdd": [], "recordIdsToRemove": ["101"] }`,
		"POST " + members + ` { "CampaignId": "701A", "ContactId": "003A" }`,
		"POST " + members + ` { "CampaignId": "701A", "LeadId": "00QA" }`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
