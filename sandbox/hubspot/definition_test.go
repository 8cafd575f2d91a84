package hubspot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

func TestBuiltinProperties(t *testing.T) {
	p := open(t)
	for object, want := range map[string]int{"contacts": 80, "companies": 60, "deals": 60, "tickets": 25, "notes": 10} {
		a := p.must(200, "GET", "/crm/v3/properties/"+object, "")
		if n := len(a.list("results")); n < want {
			t.Errorf("%s: %d properties, want at least %d", object, n, want)
		}
		groups := p.must(200, "GET", "/crm/v3/properties/"+object+"/groups", "")
		for i := range a.list("results") {
			if g := a.str("results", i, "groupName"); !strings.Contains(groups.text, `"name":"`+g+`"`) {
				t.Errorf("%s.%s: no group %s", object, a.str("results", i, "name"), g)
			}
		}
	}
	tests := []struct {
		name, path string
		want       map[string]any
	}{
		{"an owner is an enumeration without options", "contacts/hubspot_owner_id", map[string]any{"type": "enumeration", "externalOptions": true, "referencedObjectType": "OWNER", "options": []any{}}},
		{"a close date is a datetime", "deals/closedate", map[string]any{"type": "datetime", "fieldType": "date"}},
		{"a calculated property is read-only", "deals/hs_is_closed", map[string]any{"type": "bool", "calculated": true}},
		{"stages are the options of the stage", "deals/dealstage", map[string]any{"type": "enumeration", "fieldType": "radio"}},
		{"what HubSpot defined says so", "companies/domain", map[string]any{"hubspotDefined": true, "hasUniqueValue": false, "dataSensitivity": "non_sensitive", "displayOrder": -1.0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := p.must(200, "GET", "/crm/properties/2026-03/"+test.path, "")
			for k, want := range test.want {
				if diff := cmp.Diff(want, a.at(k)); diff != "" {
					t.Errorf("%s: %s", k, diff)
				}
			}
		})
	}
	if a := p.must(200, "GET", "/crm/v3/properties/deals/dealstage", ""); len(a.list("options")) != 7 || a.str("options", 5, "value") != "closedwon" {
		t.Error(a.text)
	}
}

func TestPropertyDefinitions(t *testing.T) {
	p := open(t)
	create := func(status int, body string) answer {
		t.Helper()
		return p.must(status, "POST", "/crm/v3/properties/contacts", body)
	}
	level := `{"name":"level","label":"Level","type":"enumeration","fieldType":"select","groupName":"contactinformation","options":[{"label":"Gold","value":"gold"}]}`
	a := create(201, level)
	if a.at("hubspotDefined") != nil || a.at("modificationMetadata", "archivable") != true || a.at("modificationMetadata", "readOnlyOptions") != false {
		t.Error(a.text)
	}
	tests := []struct {
		name, body string
		status     int
		sub        string
	}{
		{"a name that is taken", level, 409, "Properties.PROPERTY_WITH_NAME_EXISTS"},
		{"a name with capitals", `{"name":"Level","label":"x","type":"string","fieldType":"text","groupName":"contactinformation"}`, 400, "Properties.PROPERTY_CREATE_FAILED_VALIDATION"},
		{"an enumeration without options", `{"name":"e","label":"x","type":"enumeration","fieldType":"select","groupName":"contactinformation"}`, 400, "PropertyValidationError.MISSING_OPTIONS"},
		{"a bool with other options", `{"name":"b","label":"x","type":"bool","fieldType":"booleancheckbox","groupName":"contactinformation","options":[{"label":"Yes","value":"yes"},{"label":"No","value":"no"}]}`, 400, "PropertyValidationError.INVALID_BOOLEAN_OPTION"},
		{"a field type that does not fit", `{"name":"f","label":"x","type":"number","fieldType":"text","groupName":"contactinformation"}`, 400, "Properties.PROPERTY_CREATE_FAILED_VALIDATION"},
		{"a group that is not there", `{"name":"g","label":"x","type":"string","fieldType":"text","groupName":"nope"}`, 400, "Properties.PROPERTY_CREATE_FAILED_VALIDATION"},
		{"a missing label", `{"name":"g","type":"string","fieldType":"text","groupName":"contactinformation"}`, 400, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if a := create(test.status, test.body); a.str("subCategory") != test.sub {
				t.Error(a.text)
			}
		})
	}
	t.Run("options are replaced as a whole", func(t *testing.T) {
		a := p.must(200, "PATCH", "/crm/v3/properties/contacts/level", `{"label":"Rank","options":[{"label":"Tin","value":"tin"}]}`)
		if a.str("label") != "Rank" || len(a.list("options")) != 1 || a.str("options", 0, "value") != "tin" {
			t.Error(a.text)
		}
		p.must(400, "POST", "/crm/v3/objects/contacts", `{"properties":{"level":"gold"}}`)
	})
	t.Run("an archived one is unknown until its name is made again", func(t *testing.T) {
		id := p.must(201, "POST", "/crm/v3/objects/contacts", `{"properties":{"level":"tin"}}`).str("id")
		p.must(204, "DELETE", "/crm/v3/properties/contacts/level", "")
		p.must(404, "GET", "/crm/v3/properties/contacts/level", "")
		p.must(200, "GET", "/crm/v3/properties/contacts/level?archived=true", "")
		p.must(400, "PATCH", "/crm/v3/objects/contacts/"+id, `{"properties":{"level":"tin"}}`)
		again := create(201, level)
		if again.str("createdAt") != a.str("createdAt") {
			t.Error("it has a new birthday")
		}
	})
	t.Run("HubSpot's own cannot be archived", func(t *testing.T) { p.must(400, "DELETE", "/crm/v3/properties/contacts/email", "") })
	t.Run("at most ten are unique", func(t *testing.T) {
		for i := range 10 {
			create(201, fmt.Sprintf(`{"name":"u%d","label":"x","type":"string","fieldType":"text","groupName":"contactinformation","hasUniqueValue":true}`, i))
		}
		create(400, `{"name":"u10","label":"x","type":"string","fieldType":"text","groupName":"contactinformation","hasUniqueValue":true}`)
	})
	t.Run("unique values collide, with the vendor's words", func(t *testing.T) {
		first := p.must(201, "POST", "/crm/v3/objects/contacts", `{"properties":{"u1":"A1"}}`).str("id")
		a := p.must(400, "POST", "/crm/v3/objects/contacts", `{"properties":{"u1":"A1"}}`)
		if !strings.HasPrefix(a.str("message"), fmt.Sprintf("Cannot set PropertyValueCoordinates{portalId=%d, objectTypeId=ObjectTypeId{legacyObjectType=CONTACT}, propertyName=u1, value=A1} on ", p.s.PortalID())) ||
			!strings.HasSuffix(a.str("message"), first+" already has that value.") {
			t.Error(a.text)
		}
	})
	t.Run("batches", func(t *testing.T) {
		a := p.must(207, "POST", "/crm/v3/properties/companies/batch/create", `{"inputs":[{"name":"one","label":"1","type":"string","fieldType":"text","groupName":"companyinformation"},{"name":"name","label":"1","type":"string","fieldType":"text","groupName":"companyinformation"}]}`)
		if a.str("results", 0, "name") != "one" || a.str("errors", 0, "category") != "OBJECT_ALREADY_EXISTS" {
			t.Error(a.text)
		}
		a = p.must(207, "POST", "/crm/v3/properties/companies/batch/read", `{"archived":false,"inputs":[{"name":"one"},{"name":"nope"}]}`)
		if a.str("results", 0, "name") != "one" || a.str("errors", 0, "context", "name", 0) != "nope" {
			t.Error(a.text)
		}
		p.must(204, "POST", "/crm/v3/properties/companies/batch/archive", `{"inputs":[{"name":"one"},{"name":"nope"}]}`)
		p.must(404, "GET", "/crm/v3/properties/companies/one", "")
	})
	t.Run("groups", func(t *testing.T) {
		p.must(201, "POST", "/crm/v3/properties/contacts/groups", `{"name":"salesforceinformation","label":"Salesforce"}`)
		p.must(409, "POST", "/crm/v3/properties/contacts/groups", `{"name":"salesforceinformation","label":"Salesforce"}`)
		if a := p.must(200, "PATCH", "/crm/v3/properties/contacts/groups/salesforceinformation", `{"label":"From Salesforce"}`); a.str("label") != "From Salesforce" {
			t.Error(a.text)
		}
		if a := p.must(400, "DELETE", "/crm/v3/properties/contacts/groups/contactinformation", ""); a.str("subCategory") != "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES" {
			t.Error(a.text)
		}
		p.must(204, "DELETE", "/crm/v3/properties/contacts/groups/salesforceinformation", "")
		p.must(404, "GET", "/crm/v3/properties/contacts/groups/salesforceinformation", "")
	})
}

func TestOwners(t *testing.T) {
	p := open(t)
	first := p.s.AddOwner(hubspot.Owner{Email: "Ann@acme.example", FirstName: "Ann", Teams: []hubspot.Team{{ID: "1", Name: "Sales", Primary: true}}})
	second := p.s.AddOwner(hubspot.Owner{Email: "ben@acme.example", FirstName: "Ben"})
	gone := p.s.AddOwner(hubspot.Owner{Email: "old@acme.example", Archived: true})
	for _, path := range []string{"/crm/v3/owners", "/crm/v3/owners/", "/crm/owners/2026-03"} {
		if got := ids(p.must(200, "GET", path, "").list("results")); !slices.Equal(got, []string{first, second}) {
			t.Errorf("%s: %v", path, got)
		}
	}
	a := p.must(200, "GET", "/crm/v3/owners?limit=1", "")
	if got := ids(p.must(200, "GET", "/crm/v3/owners?limit=1&after="+a.str("paging", "next", "after"), "").list("results")); !slices.Equal(got, []string{second}) {
		t.Error(got)
	}
	if got := ids(p.must(200, "GET", "/crm/v3/owners?email=ann@ACME.example", "").list("results")); !slices.Equal(got, []string{first}) {
		t.Error(got)
	}
	a = p.must(200, "GET", "/crm/v3/owners/"+first, "")
	if a.str("teams", 0, "name") != "Sales" || fmt.Sprintf("%.0f", a.at("userId")) == first {
		t.Error(a.text)
	}
	if got := p.must(200, "GET", fmt.Sprintf("/crm/v3/owners/%.0f?idProperty=userId", a.at("userId")), "").str("id"); got != first {
		t.Error(got)
	}
	a = p.must(200, "GET", "/crm/v3/owners?archived=true", "")
	if a.str("results", 0, "id") != gone || a.at("results", 0, "userId") != nil || a.at("results", 0, "userIdIncludingInactive") == nil {
		t.Error(a.text)
	}
	p.must(404, "GET", "/crm/v3/owners/1", "")
}

func TestPipelines(t *testing.T) {
	p := open(t)
	a := p.must(200, "GET", "/crm/v3/pipelines/deals", "")
	if a.str("results", 0, "id") != "default" || !cmp.Equal(a.at("results", 0, "stages", 5, "metadata"), any(map[string]any{"isClosed": "true", "probability": "1.0"})) {
		t.Error(a.text)
	}
	a = p.must(200, "GET", "/crm/pipelines/2026-03/tickets/0", "")
	if a.str("stages", 3, "metadata", "ticketState") != "CLOSED" {
		t.Error(a.text)
	}
	a = p.must(201, "POST", "/crm/v3/pipelines/deals", `{"label":"Renewals","displayOrder":1,"stages":[{"label":"Due","displayOrder":0,"metadata":{"probability":"0.5"}},{"label":"Done","displayOrder":1,"metadata":{"probability":"1.0"}}]}`)
	id, due := a.str("id"), a.str("stages", 0, "id")
	if a.str("stages", 1, "metadata", "isClosed") != "true" || !slices.ContainsFunc([]byte(due), func(b byte) bool { return b >= '0' && b <= '9' }) {
		t.Error(a.text)
	}
	p.must(400, "POST", "/crm/v3/pipelines/deals", `{"label":"x","stages":[{"label":"Due","metadata":{}}]}`)
	p.must(400, "POST", "/crm/v3/pipelines/deals/"+id+"/stages", `{"label":"x","metadata":{"probability":"2"}}`)
	stage := p.must(201, "POST", "/crm/v3/pipelines/deals/"+id+"/stages", `{"label":"Late","metadata":{"probability":"0.1"}}`).str("id")
	if a := p.must(200, "PATCH", "/crm/v3/pipelines/deals/"+id+"/stages/"+stage, `{"label":"Overdue"}`); a.str("label") != "Overdue" || a.str("metadata", "probability") != "0.1" {
		t.Error(a.text)
	}
	p.must(200, "PATCH", "/crm/v3/pipelines/deals/"+id, `{"label":"Renewal"}`)
	deal := p.must(201, "POST", "/crm/v3/objects/deals", `{"properties":{"dealname":"x","pipeline":"`+id+`","dealstage":"`+due+`"}}`).str("id")
	a = p.must(400, "DELETE", "/crm/v3/pipelines/deals/"+id+"/stages/"+due+"?validateReferencesBeforeDelete=true", "")
	if a.str("subCategory") != "PipelineError.STAGE_ID_IN_USE" || a.str("context", "objectIds", 0) != deal || a.str("context", "stageIds", 0) != due {
		t.Error(a.text)
	}
	p.must(400, "DELETE", "/crm/pipelines/2026-09/deals/"+id, "") // checked by default
	p.must(204, "DELETE", "/crm/v3/pipelines/deals/"+id+"/stages/"+stage, "")
	p.must(204, "DELETE", "/crm/v3/pipelines/deals/"+id, "")
	p.must(404, "GET", "/crm/v3/pipelines/deals/"+id, "")
	p.must(400, "POST", "/crm/v3/pipelines/contacts", `{"label":"x","stages":[{"label":"a"}]}`)
	a = p.must(200, "PUT", "/crm/v3/pipelines/tickets/0", `{"label":"Help","stages":[{"label":"Open","stageId":"1","metadata":{"ticketState":"OPEN"}}]}`)
	if len(a.list("stages")) != 1 || a.str("label") != "Help" {
		t.Error(a.text)
	}
}

func TestCustomObjects(t *testing.T) {
	p := open(t)
	a := p.must(201, "POST", "/crm-object-schemas/v3/schemas", `{"name":"robot","labels":{"singular":"Robot","plural":"Robots"},"primaryDisplayProperty":"model","requiredProperties":["model"],"searchableProperties":["model"],"associatedObjects":["CONTACT"],"properties":[{"name":"model","label":"Model","type":"string","fieldType":"text","hasUniqueValue":true}]}`)
	id, full := a.str("objectTypeId"), a.str("fullyQualifiedName")
	if !strings.HasPrefix(id, "2-") || full != fmt.Sprintf("p%d_robot", p.s.PortalID()) || len(a.list("associations")) != 2 {
		t.Error(a.text)
	}
	for _, name := range []string{id, full, "robot"} {
		record := p.must(201, "POST", "/crm/v3/objects/"+name, `{"properties":{"model":"`+name+`"}}`)
		if _, there := record.at("properties").(map[string]any)["hs_createdate"]; !there {
			t.Error(record.text)
		}
	}
	if a := p.must(400, "POST", "/crm/v3/objects/robot", `{"properties":{}}`); a.str("errors", 0, "code") != "MISSING_REQUIRED_PROPERTY" {
		t.Error(a.text)
	}
	if a := p.must(200, "POST", "/crm/objects/2026-03/"+id+"/search", `{"query":"ROBOT"}`); a.at("total") != 2.0 {
		t.Error(a.text)
	}
	robot := p.must(200, "GET", "/crm/v3/objects/robot/robot?idProperty=model", "").str("id")
	contact := p.insert("contacts", "email", "a@acme.example")
	p.must(200, "PUT", "/crm/v4/objects/contacts/"+contact+"/associations/default/robot/"+robot, "")
	if a := p.must(200, "GET", "/crm/v3/objects/contacts/"+contact+"?associations=robot", ""); a.str("associations", full, "results", 0, "id") != robot {
		t.Error(a.text)
	}
	labels := p.must(200, "GET", "/crm/v4/associations/contacts/robot/labels", "")
	if len(labels.list("results")) != 1 || labels.str("results", 0, "category") != "USER_DEFINED" {
		t.Error(labels.text)
	}
	p.must(409, "POST", "/crm-object-schemas/v3/schemas", `{"name":"robot","labels":{"singular":"Robot","plural":"Robots"},"primaryDisplayProperty":"model","properties":[{"name":"model","label":"Model","type":"string","fieldType":"text"}]}`)
	if a := p.must(400, "PATCH", "/crm-object-schemas/v3/schemas/contacts", `{}`); a.str("subCategory") != "ObjectSchemaError.CANNOT_MODIFY_HUBSPOT_DEFINED_OBJECT_TYPE" {
		t.Error(a.text)
	}
	if a := p.must(200, "PATCH", "/crm-object-schemas/2026-03/schemas/"+id, `{"labels":{"singular":"Machine","plural":"Machines"}}`); a.str("labels", "plural") != "Machines" {
		t.Error(a.text)
	}
	if a := p.must(200, "GET", "/crm-object-schemas/v3/schemas", ""); len(a.list("results")) != 1 {
		t.Error(a.text)
	}
	p.must(201, "POST", "/crm-object-schemas/v3/schemas/robot/associations", `{"fromObjectTypeId":"`+id+`","toObjectTypeId":"0-2","name":"robot_to_company"}`)
	p.must(400, "DELETE", "/crm-object-schemas/v3/schemas/robot", "")
	var all []string
	p.s.Each("robot", func(id string, _ map[string]string) bool { all = append(all, id); return true })
	for _, id := range all {
		p.must(204, "DELETE", "/crm/v3/objects/robot/"+id, "")
	}
	p.must(204, "DELETE", "/crm-object-schemas/v3/schemas/robot", "")
	p.must(400, "GET", "/crm/v3/objects/robot", "")
	p.must(204, "DELETE", "/crm-object-schemas/v3/schemas/robot?archived=true", "")
	p.s.AddSchema(hubspot.Schema{Name: "robot", PrimaryDisplayProperty: "model", Properties: []hubspot.Property{{Name: "model", Label: "Model", Type: "string", FieldType: "text"}}})
	p.must(200, "GET", "/crm/v3/objects/robot", "")
}
