package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func counted(n int) (int, string) {
	return 200, fmt.Sprintf(`{"totalSize":%d,"done":true,"records":[]}`, n)
}

func TestReadFollowsEveryPageAndProvesItself(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		switch {
		case strings.Contains(call.SOQL, "COUNT()"):
			return counted(3)
		case call.Path == "/query":
			return 200, fakePage(3, "01gA-2", fakeRow(fakeID("003", 1), noon, `,"Email":"a@example.com"`), fakeRow(fakeID("003", 2), noon, `,"Email":null`))
		case call.Path == "/query/01gA-2":
			return 200, fakePage(3, "", fakeRow(fakeID("003", 3), noon.Add(time.Second), `,"Email":"c@example.com"`))
		}
		return leave, ""
	}}
	var records []crm.Record
	report, err := newClient(t, org).Read(t.Context(), contactRead("Email"), drain(&records))
	if err != nil {
		t.Fatal(err)
	}
	want := crm.ReadReport{Rows: 3, Expected: 3, Calls: 3, Method: "query", NextMicros: noon.Add(time.Second - DefaultOverlap).UnixMicro()}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{fakeID("003", 1), fakeID("003", 2), fakeID("003", 3)}, idsOf(records)); diff != "" {
		t.Error(diff)
	}
	if got := org.seen()[1].SOQL; got != "SELECT Id, Email, SystemModstamp, CreatedDate FROM Contact ORDER BY Id" {
		t.Errorf("asked %s", got)
	}
	if records[0].Layout != records[2].Layout || records[1].Value("Email") != (crm.Value{State: crm.Blank}) {
		t.Errorf("records %+v", records)
	}
}

// TestR19AShortReadFailsLoudly: rows are compared with an independent COUNT().
func TestR19AShortReadFailsLoudly(t *testing.T) {
	tests := []struct {
		name   string
		counts []int
		late   int // records that are there by the end
		fails  bool
	}{
		{"rows are missing", []int{3, 3, 3, 3}, 0, true},
		{"a record was deleted meanwhile", []int{3, 2}, 0, false},
		{"a record was added meanwhile", []int{1}, 0, false},
		{"one was deleted meanwhile, and one added after the last page", []int{3, 3}, 1, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			org := &fakeOrg{answer: func(call fakeCall) (int, string) {
				if strings.Contains(call.SOQL, "COUNT()") {
					asked++
					return counted(test.counts[asked-1])
				}
				switch {
				case call.Path == "/query" && strings.Contains(call.SOQL, "Id > ") && test.late == 0:
					return 200, fakePage(0, "")
				case call.Path == "/query" && strings.Contains(call.SOQL, "Id > '"+fakeID("003", 2)+"'"):
					return 200, fakePage(1, "", fakeRow(fakeID("003", 3), noon, ""))
				case call.Path == "/query":
					return 200, fakePage(2, "", fakeRow(fakeID("003", 1), noon, ""), fakeRow(fakeID("003", 2), noon, ""))
				}
				return leave, ""
			}}
			var records []crm.Record
			report, err := newClient(t, org).Read(t.Context(), contactRead("Email"), drain(&records))
			if test.fails != (err != nil) || len(records) != 2+test.late || report.Rows != len(records) || report.Expected != test.counts[asked-1] || asked != len(test.counts) {
				t.Errorf("%d records, %d counts, %v", len(records), asked, err)
			}
			if test.fails && (!strings.Contains(err.Error(), "2 of 3 Contact records") || fault.MendOf(err) == "") {
				t.Errorf("the message is %q", err)
			}
		})
	}
}

func TestAReadSurvivesALostCursorAndABrokenPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost, broken := false, false
		org := &fakeOrg{}
		org.answer = func(call fakeCall) (int, string) {
			switch {
			case strings.Contains(call.SOQL, "COUNT()"):
				return counted(3)
			case call.Path == "/query" && !strings.Contains(call.SOQL, "WHERE"):
				if !broken {
					broken = true
					return 200, `{"totalSize":3,"records":[` + fakeRow(fakeID("003", 1), noon, "")
				}
				return 200, fakePage(3, "01gA-1", fakeRow(fakeID("003", 1), noon, ""))
			case strings.HasPrefix(call.Path, "/query/"):
				lost = true
				return 400, `[{"message":"invalid query locator","errorCode":"INVALID_QUERY_LOCATOR"}]`
			case strings.Contains(call.SOQL, "WHERE Id > '"+fakeID("003", 1)+"' ORDER BY Id"):
				return 200, fakePage(2, "", fakeRow(fakeID("003", 2), noon, ""), fakeRow(fakeID("003", 3), noon, ""))
			}
			return leave, ""
		}
		var records []crm.Record
		report, err := newClient(t, org).Read(t.Context(), contactRead("Email"), drain(&records))
		if err != nil || !lost || !broken || report.Rows != 3 {
			t.Fatalf("%+v, %v", report, err)
		}
		if ids := idsOf(records); len(slices.Compact(ids)) != 3 {
			t.Errorf("read %v", ids)
		}
	})
}

func TestContactsBehindPersonAccountsAreNotReadTwice(t *testing.T) {
	org := &fakeOrg{}
	org.answer = func(call fakeCall) (int, string) {
		switch {
		case call.Path == "/sobjects/Contact/describe":
			return 200, strings.Replace(contactDescribe, `"fields":[`, `"fields":[`+readOnly("IsPersonAccount", "boolean")+",", 1)
		case strings.Contains(call.SOQL, "COUNT()"):
			return counted(0)
		case call.Path == "/query":
			return 200, fakePage(0, "")
		}
		return leave, ""
	}
	if _, err := newClient(t, org).Read(t.Context(), contactRead("Email"), drain(new([]crm.Record))); err != nil {
		t.Fatal(err)
	}
	for _, call := range org.seen() {
		if !strings.Contains(call.SOQL, "WHERE IsPersonAccount = false") {
			t.Errorf("asked %s", call.SOQL)
		}
	}
}

func TestAQuietCycleCostsOneCall(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Path == "/queryAll" {
			return 200, fakePage(0, "")
		}
		return leave, ""
	}}
	since := noon.UnixMicro()
	report, err := newClient(t, org).Changes(t.Context(), contactRead("Email"), since, drain(new([]crm.Record)))
	if err != nil {
		t.Fatal(err)
	}
	want := crm.ReadReport{Expected: -1, Calls: 1, Method: "query by SystemModstamp", NextMicros: since}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Error(diff)
	}
	if got := org.seen()[0].SOQL; !strings.HasSuffix(got, "FROM Contact WHERE SystemModstamp >= 2026-11-23T12:00:00Z ORDER BY SystemModstamp, Id") {
		t.Errorf("asked %s", got)
	}
}

func TestChangesBringDeletionsAndMergesAlong(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Path == "/queryAll" {
			return 200, fakePage(3, "",
				fakeRow(fakeID("003", 1), noon, `,"Email":"a@example.com","IsDeleted":false,"MasterRecordId":null`),
				fakeRow(fakeID("003", 2), noon, `,"Email":"b@example.com","IsDeleted":true,"MasterRecordId":null`),
				fakeRow(fakeID("003", 3), noon, `,"Email":"c@example.com","IsDeleted":true,"MasterRecordId":"`+fakeID("003", 1)+`"`))
		}
		return leave, ""
	}}
	var records []crm.Record
	report, err := newClient(t, org).Changes(t.Context(), contactRead("Email"), 0, drain(&records))
	if err != nil || report.Rows != 1 || report.Archived != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	var got []string
	for _, r := range records {
		got = append(got, fmt.Sprintf("%s %v %q", r.ID, r.Archived, r.MergedInto))
	}
	want := []string{
		fmt.Sprintf("%s false %q", fakeID("003", 1), ""),
		fmt.Sprintf("%s true %q", fakeID("003", 2), ""),
		fmt.Sprintf("%s true %q", fakeID("003", 3), fakeID("003", 1)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhereTheNextChangesStart(t *testing.T) {
	at := func(d time.Duration) int64 { return noon.Add(d).UnixMicro() }
	tests := []struct {
		name                 string
		since, newest, began int64
		want                 int64
	}{
		{"nothing was seen", at(0), 0, at(time.Hour), at(0)},
		{"the newest change is fresh: back by the overlap", at(-time.Hour), at(0), at(time.Second), at(-time.Minute)},
		{"the newest change is old: from it on", at(-time.Hour), at(0), at(10 * time.Minute), at(0)},
		{"never back before where this one started", at(-time.Second), at(0), at(time.Second), at(-time.Second)},
		{"a row stamped after the query began does not pull it forward", at(-time.Hour), at(5 * time.Minute), at(0), at(-time.Minute)},
	}
	c := newClient(t, &fakeOrg{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := c.afterChanges(test.since, test.newest, test.began); got != test.want {
				t.Errorf("got %s, want %s", time.UnixMicro(got).UTC(), time.UnixMicro(test.want).UTC())
			}
		})
	}
}

func TestTheServersClockSaysHowFreshAChangeIs(t *testing.T) {
	org := &fakeOrg{header: http.Header{"Date": {noon.Add(time.Hour).Format(http.TimeFormat)}}, answer: func(call fakeCall) (int, string) {
		if call.Path == "/queryAll" {
			return 200, fakePage(1, "", fakeRow(fakeID("003", 1), noon, `,"IsDeleted":false`))
		}
		return leave, ""
	}}
	report, err := newClient(t, org).Changes(t.Context(), contactRead("Email"), 0, drain(new([]crm.Record)))
	if err != nil || report.NextMicros != noon.UnixMicro() {
		t.Errorf("the next one starts at %s, %v", time.UnixMicro(report.NextMicros).UTC(), err)
	}
}

func TestChangesGoOnAmongEqualStampsWhenTheCursorIsLost(t *testing.T) {
	org := &fakeOrg{}
	org.answer = func(call fakeCall) (int, string) {
		switch {
		case call.Path == "/queryAll" && strings.Contains(call.SOQL, ">="):
			return 200, fakePage(2, "01gA-1", fakeRow(fakeID("003", 1), noon, `,"IsDeleted":false`))
		case strings.HasPrefix(call.Path, "/query/"):
			return 400, `[{"message":"invalid query locator","errorCode":"INVALID_QUERY_LOCATOR"}]`
		case strings.Contains(call.SOQL, "WHERE SystemModstamp > 2026-11-23T12:00:00Z OR (SystemModstamp = 2026-11-23T12:00:00Z AND Id > '"+fakeID("003", 1)+"') ORDER BY"):
			return 200, fakePage(1, "", fakeRow(fakeID("003", 2), noon, `,"IsDeleted":false`))
		}
		return leave, ""
	}
	var records []crm.Record
	if _, err := newClient(t, org).Changes(t.Context(), contactRead("Email"), 0, drain(&records)); err != nil || len(records) != 2 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

func TestAContactRoleThatWasAddedBringsItsOpportunityAlong(t *testing.T) {
	opportunity := fakeID("006", 1)
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		switch {
		case strings.Contains(call.SOQL, "FROM OpportunityContactRole WHERE SystemModstamp"):
			return 200, fakePage(1, "", fakeRow(fakeID("00K", 1), noon, `,"OpportunityId":"`+opportunity+`","ContactId":"`+fakeID("003", 1)+`","IsDeleted":true`))
		case strings.Contains(call.SOQL, "FROM OpportunityContactRole WHERE OpportunityId IN ('"+opportunity+"')"):
			return 200, fakePage(1, "", fakeRow(fakeID("00K", 2), noon, `,"OpportunityId":"`+opportunity+`","ContactId":"`+fakeID("003", 2)+`","IsPrimary":true`))
		case call.Path == "/queryAll":
			return 200, fakePage(0, "")
		case call.Path == "/composite/sobjects/Opportunity":
			return 200, "[" + fakeRow(opportunity, noon.Add(-time.Hour), `,"Name":"Deal"`) + "]"
		}
		return leave, ""
	}}
	var records []crm.Record
	read := crm.Read{Layout: crm.NewLayout("Opportunity", []string{"Name"}), Relations: []string{"Contact"}}
	report, err := newClient(t, org).Changes(t.Context(), read, 0, drain(&records))
	if err != nil || report.Rows != 1 || report.Calls != 4 {
		t.Fatalf("%+v, %v", report, err)
	}
	want := []crm.Relation{{Object: "Contact", ID: fakeID("003", 2), Primary: true, RowID: fakeID("00K", 2), Junction: "OpportunityContactRole"}}
	if diff := cmp.Diff(want, records[0].Relations); diff != "" {
		t.Error(diff)
	}
}

func TestASubqueryIsReadToItsEnd(t *testing.T) {
	opportunity := fakeID("006", 1)
	row := func(n int) string {
		return fmt.Sprintf(`{"attributes":{},"Id":%q,"ContactId":%q,"Role":null,"IsPrimary":false}`, fakeID("00K", n), fakeID("003", n))
	}
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		switch {
		case strings.Contains(call.SOQL, "COUNT()"):
			return counted(1)
		case call.Path == "/query":
			return 200, fakePage(1, "", fakeRow(opportunity, noon, `,"Name":"Deal","OpportunityContactRoles":{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v66.0/query/01gC-1","records":[`+row(1)+`]}`))
		case call.Path == "/query/01gC-1":
			return 200, `{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v66.0/query/01gC-2","records":[` + row(2) + `]}`
		case call.Path == "/query/01gC-2":
			return 200, `{"totalSize":3,"done":true,"records":[` + row(3) + `]}`
		}
		return leave, ""
	}}
	var records []crm.Record
	read := crm.Read{Layout: crm.NewLayout("Opportunity", []string{"Name"}), Relations: []string{"Contact"}}
	if _, err := newClient(t, org).Read(t.Context(), read, drain(&records)); err != nil {
		t.Fatal(err)
	}
	if len(records) != 1 || len(records[0].Relations) != 3 || records[0].Relations[2].ID != fakeID("003", 3) {
		t.Errorf("got %+v", records)
	}
}

func TestAVeryWideReadTravelsInACompositeCall(t *testing.T) {
	var fields []string
	for i := range 600 {
		fields = append(fields, fmt.Sprintf("A_Field_With_A_Long_Name_%d__c", i))
	}
	org := &fakeOrg{}
	org.answer = func(call fakeCall) (int, string) {
		switch {
		case strings.Contains(call.SOQL, "COUNT()"):
			return counted(1)
		case call.Path == "/composite":
			return viaComposite(call.Body, func(part fakeCall) (int, string) {
				if !strings.Contains(part.SOQL, "A_Field_With_A_Long_Name_599__c") {
					return 400, `[{"errorCode":"MALFORMED_QUERY","message":"short"}]`
				}
				return 200, fakePage(1, "", fakeRow(fakeID("003", 1), noon, ""))
			})
		}
		return leave, ""
	}
	var records []crm.Record
	if _, err := newClient(t, org).Read(t.Context(), contactRead(fields...), drain(&records)); err != nil || len(records) != 1 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

func TestLookup(t *testing.T) {
	live, gone, merged, never := fakeID("003", 1), fakeID("003", 2), fakeID("003", 3), fakeID("003", 4)
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		switch {
		case call.Path == "/composite/sobjects/Contact":
			if !strings.Contains(call.Body, `"fields":["Id","Email","SystemModstamp","CreatedDate"]`) {
				return 400, `[{"errorCode":"JSON_PARSER_ERROR","message":"fields"}]`
			}
			return 200, `[` + fakeRow(live, noon, `,"Email":"a@example.com"`) + `,null,null,null]`
		case call.Path == "/queryAll":
			return 200, fakePage(2, "", fakeRow(gone, noon, `,"IsDeleted":true,"MasterRecordId":null`), fakeRow(merged, noon, `,"IsDeleted":true,"MasterRecordId":"`+live+`"`))
		}
		return leave, ""
	}}
	records, err := newClient(t, org).Lookup(t.Context(), contactRead("Email"), []string{live[:15], gone, merged, never, "bad", live})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, fmt.Sprintf("%s archived=%v into=%s email=%s", r.ID, r.Archived, r.MergedInto, r.Value("Email").Text))
	}
	want := []string{
		live + " archived=false into= email=a@example.com",
		gone + " archived=true into= email=",
		merged + " archived=true into=" + live + " email=",
		never + " archived=true into= email=",
		"bad archived=true into= email=",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(org.seen()) != 2 {
		t.Errorf("%d calls", len(org.seen()))
	}
}

func TestFind(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Path == "/query" {
			return 200, fakePage(1, "", fakeRow(fakeID("003", 1), noon, `,"Email":"O'Brien@example.com"`))
		}
		return leave, ""
	}}
	c := newClient(t, org)
	records, err := c.Find(t.Context(), contactRead("Email"), "Email", []string{"o'brien@example.com", "", "b@example.com", "b@example.com"})
	if err != nil || len(records) != 1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if got := org.seen()[0].SOQL; !strings.HasSuffix(got, ` FROM Contact WHERE Email IN ('o\'brien@example.com','b@example.com') ORDER BY Id`) {
		t.Errorf("asked %s", got)
	}
	if _, err := c.Find(t.Context(), contactRead("Email"), "Description", []string{"x"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a field that cannot be searched: %v", err)
	}
	if records, err := c.Find(t.Context(), contactRead("Email"), "AccountId", []string{"no id"}); err != nil || records != nil || len(org.seen()) != 1 {
		t.Errorf("values that no record holds: %v, %v", records, err)
	}
}

func TestFindingManySharesCalls(t *testing.T) {
	org := &fakeOrg{}
	var statements int
	org.answer = func(call fakeCall) (int, string) {
		if call.Path == "/composite" {
			return viaComposite(call.Body, func(part fakeCall) (int, string) {
				statements++
				return 200, fakePage(1, "", fakeRow(fakeID("003", statements), noon, ""))
			})
		}
		return leave, ""
	}
	records, err := newClient(t, org).Find(t.Context(), contactRead("Email"), "Email", func() []string {
		var values []string
		for i := range 2000 {
			values = append(values, fmt.Sprintf("person.%d@example.com", i))
		}
		return values
	}())
	if err != nil || len(records) != statements || statements < 2 {
		t.Fatalf("%d records of %d statements, %v", len(records), statements, err)
	}
	if got := len(org.seen()); got != ceil(statements, compositeQueries) {
		t.Errorf("%d calls for %d statements", got, statements)
	}
}
