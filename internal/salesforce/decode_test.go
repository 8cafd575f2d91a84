package salesforce

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

func TestReadPage(t *testing.T) {
	layout := crm.NewLayout("Opportunity", []string{"Name", "Amount", "IsWon", "NextStep", "BillingAddress", "SystemModstamp"})
	q := &query{layout: layout, junctions: junctionsOf("Opportunity"), all: true, merges: true}
	body := `{"records":[
	  {"attributes":{"type":"Opportunity","url":"x"},"Id":"006D00000000001","Name":"Größe \"1\" \u00e9","Amount":1500.00,"IsWon":false,"NextStep":null,
	   "BillingAddress":{"city":"Köln"},"SystemModstamp":"2026-11-23T14:05:06.000+0000","CreatedDate":"2026-01-02T03:04:05.000+0000","IsDeleted":true,"MasterRecordId":"006D00000000002",
	   "OpportunityContactRoles":{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v66.0/query/01g-3","records":[
	     {"attributes":{"type":"OpportunityContactRole"},"Id":"00K000000000001","ContactId":"003000000000001","Role":"Decision Maker","IsPrimary":true,"IsDeleted":false},
	     {"attributes":{},"Id":"00K000000000002","ContactId":"003000000000002","Role":null,"IsPrimary":false,"IsDeleted":true},
	     {"attributes":{},"Id":"00K000000000003","ContactId":"003000000000003","Role":null,"IsPrimary":false,"IsDeleted":false}]}},
	  {"attributes":{},"Id":"006D00000000003","Name":"","Unknown":[1,{"a":2}],"OpportunityContactRoles":null}],
	  "totalSize":7,"done":false,"nextRecordsUrl":"/services/data/v66.0/query/01g-2"}`
	p, err := readPage(strings.NewReader(body), q)
	if err != nil {
		t.Fatal(err)
	}
	id := func(short string) string { long, _ := ID18(short); return long }
	blank, missing := crm.Value{State: crm.Blank}, crm.Value{}
	want := &page{
		total: 7, next: "/services/data/v66.0/query/01g-2",
		children: []child{{record: 0, junction: &q.junctions[0], next: "/services/data/v66.0/query/01g-3"}},
		records: []crm.Record{{
			Layout: layout, ID: id("006D00000000001"), Archived: true, MergedInto: id("006D00000000002"),
			ModifiedMicros: time.Date(2026, 11, 23, 14, 5, 6, 0, time.UTC).UnixMicro(),
			CreatedMicros:  time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMicro(),
			Values:         []crm.Value{crm.Text(`Größe "1" é`), crm.Text("1500.00"), crm.Text("false"), blank, crm.Text(`{"city":"Köln"}`), crm.Text("2026-11-23T14:05:06.000+0000")},
			Relations: []crm.Relation{
				{Object: "Contact", ID: id("003000000000001"), Primary: true, Label: "Decision Maker", RowID: id("00K000000000001"), Junction: "OpportunityContactRole"},
				{Object: "Contact", ID: id("003000000000003"), RowID: id("00K000000000003"), Junction: "OpportunityContactRole"},
			},
		}, {
			Layout: layout, ID: id("006D00000000003"),
			Values: []crm.Value{blank, missing, missing, missing, missing, missing},
		}},
	}
	if diff := cmp.Diff(want, p, cmp.AllowUnexported(page{}, child{}, junction{}), cmpopts.IgnoreUnexported(crm.Layout{})); diff != "" {
		t.Error(diff)
	}
}

func TestAnswersThatAreNoPageAreErrors(t *testing.T) {
	q := &query{layout: crm.NewLayout("Contact", []string{"Email"})}
	for name, body := range map[string]string{
		"nothing": "", "a page of a proxy": "<html>", "an array": "[]", "half a page": `{"totalSize":1,"records":[{"Id":"003`, "rows that are no list": `{"records":{}}`, "a row that is no record": `{"records":[7]}`,
	} {
		if p, err := readPage(strings.NewReader(body), q); err == nil {
			t.Errorf("%s became %+v", name, p)
		}
	}
}

func BenchmarkReadPage(b *testing.B) {
	fields := make([]string, 30)
	for i := range fields {
		fields[i] = fmt.Sprintf("Field%d__c", i)
	}
	rows := make([]string, pageRows)
	for i := range rows {
		var more strings.Builder
		for j, f := range fields {
			fmt.Fprintf(&more, `,%q:"value %d of %d"`, f, j, i)
		}
		rows[i] = fakeRow(fakeID("003", i), time.Unix(1e9, 0), more.String())
	}
	body := fakePage(pageRows, "", rows...)
	q := &query{layout: crm.NewLayout("Contact", fields)}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if p, err := readPage(strings.NewReader(body), q); err != nil || len(p.records) != pageRows {
			b.Fatal(err)
		}
	}
}
