package changeevent

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/avro"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// accountChange is the schema of an object's change events, cut to a few fields.
const accountChange = `{"type":"record","name":"AccountChangeEvent","namespace":"com.sforce.eventbus","fields":[
	{"name":"ChangeEventHeader","type":{"type":"record","name":"ChangeEventHeader","fields":[
		{"name":"entityName","type":"string"},
		{"name":"recordIds","type":{"type":"array","items":"string"}},
		{"name":"changeType","type":{"type":"enum","name":"ChangeType","symbols":["CREATE","UPDATE","DELETE","UNDELETE","GAP_CREATE","GAP_UPDATE","GAP_DELETE","GAP_UNDELETE","GAP_OVERFLOW","SNAPSHOT"]}},
		{"name":"changeOrigin","type":"string"},
		{"name":"transactionKey","type":"string"},
		{"name":"sequenceNumber","type":"int"},
		{"name":"commitTimestamp","type":"long"},
		{"name":"commitUser","type":"string"},
		{"name":"commitNumber","type":"long"},
		{"name":"nulledFields","type":{"type":"array","items":"string"}},
		{"name":"diffFields","type":{"type":"array","items":"string"}},
		{"name":"changedFields","type":{"type":"array","items":"string"}}]}},
	{"name":"Name","type":["null","string"],"default":null},
	{"name":"BillingAddress","type":["null",{"type":"record","name":"Address","fields":[{"name":"City","type":["null","string"],"default":null}]}],"default":null},
	{"name":"NumberOfEmployees","type":["null","int"],"default":null}]}`

func TestOnlyTheHeaderOfAnEventIsRead(t *testing.T) {
	schema := avro.MustParse(accountChange)
	payload, err := schema.Encode(map[string]any{
		"ChangeEventHeader": map[string]any{
			"entityName": "Account", "recordIds": []string{"001000000000001AAA"}, "changeType": "UPDATE", "changeOrigin": "com/salesforce/api/rest/68.0;client=other",
			"transactionKey": "0002", "sequenceNumber": 1, "commitTimestamp": int64(1790000000000), "commitUser": "005000000000001AAA", "commitNumber": int64(7),
			"nulledFields": []string{}, "diffFields": []string{}, "changedFields": []string{"0x02"}},
		"Name": "Trellis", "BillingAddress": map[string]any{"City": "Bremen"}, "NumberOfEmployees": 12,
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(schema, payload)
	if err != nil {
		t.Fatal(err)
	}
	want := header{EntityName: "Account", RecordIDs: []string{"001000000000001AAA"}, ChangeType: "UPDATE", ChangeOrigin: "com/salesforce/api/rest/68.0;client=other"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := decode(schema, payload[:10]); err == nil {
		t.Error("half a payload was read")
	}
}

func TestEventsHintAtTheirRecords(t *testing.T) {
	hint := func(id, why string) crm.Hint {
		return crm.Hint{Side: crm.Salesforce, Object: "Account", ID: id, Why: why}
	}
	for _, c := range []struct {
		name string
		h    header
		want []crm.Hint
	}{
		{"one change of several records hints at each", header{"Account", []string{"a", "b"}, "UPDATE", "com/salesforce/api/rest/68.0;client=dataloader"}, []crm.Hint{hint("a", "UPDATE"), hint("b", "UPDATE")}},
		{"a deletion hints at the record that went", header{"Account", []string{"a"}, "DELETE", ""}, []crm.Hint{hint("a", "DELETE")}},
		{"a gap of one record is read again", header{"Account", []string{"a"}, "GAP_UPDATE", ""}, []crm.Hint{hint("a", "GAP_UPDATE")}},
		{"an overflow makes the whole object be read", header{"Account", nil, "GAP_OVERFLOW", ""}, []crm.Hint{hint("", "GAP_OVERFLOW")}},
		{"a change of a field's type is a change of every record", header{"Account", []string{"001*"}, "UPDATE", ""}, []crm.Hint{hint("", "UPDATE")}},
		{"what we wrote ourselves is no news", header{"Account", []string{"a"}, "UPDATE", "com/salesforce/api/rest/68.0;client=lockstep"}, nil},
		{"a client whose name begins like ours is another", header{"Account", []string{"a"}, "UPDATE", "com/salesforce/api/rest/68.0;client=lockstep-old"}, []crm.Hint{hint("a", "UPDATE")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.h.hints()); diff != "" {
				t.Error(diff)
			}
		})
	}
	for object, want := range map[string]string{"Account": "/data/AccountChangeEvent", "Car__c": "/data/Car__ChangeEvent"} {
		if got := Topic(object); got != want {
			t.Errorf("the topic of %s is %s, want %s", object, got, want)
		}
	}
}
