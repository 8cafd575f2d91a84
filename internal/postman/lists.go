package postman

import (
	"fmt"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// listsPath is where HubSpot's lists are: an API of their own, beside that of
// the CRM objects.
// https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
const listsPath = "crm/lists/{{hubspot_version}}"

// readLists asks for the first five lists of contacts.
func readLists() *Item {
	return request("Read lists", "POST", "{{hubspot_url}}", listsPath+"/search").bearer("{{hubspot_token}}").
		json("{\n  \"objectTypeId\": \"0-1\",\n  \"offset\": 0,\n  \"count\": 5,\n  \"additionalProperties\": []\n}").test(source("lists")).
		describe("The first five lists of contacts; HubSpot's pages call them segments. GET lists/{id}/memberships gives their members.\n\nhttps://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide")
}

// hubSpotList sends one write to a list, or one membership, alone.
func (f *FailedCall) hubSpotList(number int, call func(method, path string) *Item) *Item {
	name := ""
	for _, v := range f.Fields {
		if v.Name == "name" {
			name = v.Value.Text
		}
	}
	one := listsPath + "/" + f.Record.ID
	switch f.Op {
	case crm.Create:
		return call("POST", listsPath).json(fmt.Sprintf("{\n  \"name\": %s,\n  \"objectTypeId\": \"0-1\",\n  \"processingType\": \"MANUAL\"\n}", literal(name)))
	case crm.Archive:
		return call("DELETE", one)
	case crm.Restore:
		return call("PUT", one+"/restore")
	case crm.Relate, crm.Unrelate:
		add, remove := literal([]string{f.relation().ID}), "[]"
		if f.Op == crm.Unrelate {
			add, remove = remove, add
		}
		return call("PUT", one+"/memberships/add-and-remove").json(fmt.Sprintf("{\n  \"recordIdsToAdd\": %s,\n  \"recordIdsToRemove\": %s\n}", add, remove))
	}
	return request(f.name(number), "PUT", "{{hubspot_url}}", one+"/update-list-name", Variable{Key: "listName", Value: name}).bearer("{{hubspot_token}}")
}

// isLists tells the object of the mapping that no object request reads.
func isLists(object string) bool { return object == mapping.Lists }
