package salesforce

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// all runs a query over live and deleted records.
func (o *org) all(q string) []map[string]any {
	o.t.Helper()
	g := o.do("GET", "/queryAll?q="+escape(q), "")
	if g.Status != 200 {
		o.t.Fatalf("%s: %d %s", q, g.Status, g.Body)
	}
	return bare(g.at("records")).([]map[string]any)
}

func TestAnEditorIsTheUserThatHeNames(t *testing.T) {
	o := newOrg(t)
	ann := o.AddUser(User{Username: "ann@lockstep-dev-ed.example"})
	id, err := o.By(Edit{Username: "Ann@lockstep-dev-ed.example"}).Create("Account", map[string]any{"Name": "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	if got := o.soql("SELECT OwnerId, CreatedById FROM Account")[0]; got["OwnerId"] != ann || got["CreatedById"] != ann {
		t.Errorf("got %v, want owner and creator %s", got, ann)
	}
	if err := o.Update("Account", id, map[string]any{"Phone": "1"}); err != nil {
		t.Fatal(err)
	}
	if got := o.soql("SELECT LastModifiedBy.Username FROM Account")[0]["LastModifiedBy"].(map[string]any); got["Username"] != AdministratorUsername {
		t.Errorf("the zero Edit edits as %v, want the administrator", got)
	}
	for _, wrong := range []error{
		o.By(Edit{Username: "nobody@x.example"}).Update("Account", id, nil),
		o.Update("Account", id, map[string]any{"Colour": "red"}),
		o.Update("Account", id, map[string]any{"NumberOfEmployees": "many"}),
		o.Delete("Account", "001000000000000AAA"),
	} {
		if wrong == nil {
			t.Error("a wrong edit was taken")
		}
	}
	if _, err := o.By(Edit{}).Create("Unicorn", nil); err == nil {
		t.Error("a record of no object was made")
	}
}

func TestEditsTogetherAreOneTransaction(t *testing.T) {
	o := newOrg(t)
	acme, globex := o.create("Account", `{"Name":"Acme"}`), o.create("Account", `{"Name":"Globex"}`)
	both := func(last string) error {
		return o.By(Edit{Took: time.Minute}).Together(func(e *Editor) error {
			if err := e.Update("Account", acme, map[string]any{"Phone": "1"}); err != nil {
				return err
			}
			return e.Delete("Account", last)
		})
	}
	if err := both("001000000000000AAA"); err == nil || len(o.soql("SELECT Id FROM Account WHERE Phone = null")) != 2 {
		t.Errorf("half of a transaction stays: %v", err)
	}
	if err := both(globex); err != nil {
		t.Fatal(err)
	}
	rows := o.all("SELECT Phone, IsDeleted, SystemModstamp FROM Account ORDER BY Id")
	if rows[0]["Phone"] != "1" || rows[1]["IsDeleted"] != true || rows[0]["SystemModstamp"] != rows[1]["SystemModstamp"] {
		t.Errorf("got %v", rows)
	}
}

func TestALongTransactionIsStampedBeforeItIsSeen(t *testing.T) {
	o := newOrg(t)
	began := o.clock.Now().Unix()
	id, err := o.By(Edit{Took: 5 * time.Minute}).Create("Account", map[string]any{"Name": "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	stamp := func() int64 {
		v, _ := parseDatetime(o.soql("SELECT SystemModstamp FROM Account")[0]["SystemModstamp"].(string))
		return int64(v.number)
	}
	if early := began - stamp(); early < 299 || early > 300 {
		t.Errorf("the stamp lies %d seconds before the commit, want 300", early)
	}
	first := stamp()
	// The second waited for the row until the first had committed.
	if err := o.By(Edit{Took: 5 * time.Minute}).Update("Account", id, map[string]any{"Phone": "1"}); err != nil {
		t.Fatal(err)
	}
	if second := stamp(); second < first+300 {
		t.Errorf("two long transactions on one row are stamped %d and %d: the second began before the first was done", first, second)
	}
}

func TestTheDialOfLateCommits(t *testing.T) {
	stamps := func() (early []int64) {
		o := newOrg(t)
		o.dials.Set(faults.Setting{Seed: 3, LateCommitSeconds: 600})
		for i := range 20 {
			now := o.clock.Now().Unix()
			o.create("Account", fmt.Sprintf(`{"Name":"Acme %d"}`, i))
			v, _ := parseDatetime(o.soql(fmt.Sprintf("SELECT SystemModstamp FROM Account WHERE Name = 'Acme %d'", i))[0]["SystemModstamp"].(string))
			early = append(early, (now-int64(v.number)+2)/10)
		}
		return early
	}
	first := stamps()
	late := 0
	for _, tens := range first {
		if tens < 0 || tens > 60 {
			t.Errorf("a stamp lies %d seconds early, want 0 to 600", tens*10)
		}
		if tens > 0 {
			late++
		}
	}
	if late < 10 {
		t.Errorf("%d of 20 are late", late)
	}
	o := newOrg(t)
	o.dials.Set(faults.Setting{LateCommitSeconds: 600})
	o.create("Account", `{"Name":"Acme"}`)
	from, to := o.clock.Now().Add(-time.Hour).Format(time.RFC3339), o.clock.Now().Add(time.Hour).Format(time.RFC3339)
	covered, _ := parseDatetime(o.do("GET", "/sobjects/Account/updated?start="+from+"&end="+to, "").str("latestDateCovered"))
	if ago := o.clock.Now().Unix() - int64(covered.number); ago < 600 {
		t.Errorf("latestDateCovered is %d seconds ago, though a transaction may still come that began 600 seconds ago", ago)
	}
}

func TestUndelete(t *testing.T) {
	o := newOrg(t).withExternalID()
	acme := o.create("Account", `{"Name":"Acme","HubSpot_Id__c":"1"}`)
	ana := o.create("Contact", `{"LastName":"Ana","AccountId":"`+acme+`"}`)
	old := o.create("Contact", `{"LastName":"Old","AccountId":"`+acme+`"}`)
	if err := o.Delete("Contact", old); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(time.Minute)
	if err := o.Delete("Account", acme); err != nil {
		t.Fatal(err)
	}
	if rows := o.all("SELECT Id FROM Contact WHERE IsDeleted = true"); len(rows) != 2 {
		t.Fatalf("%d contacts in the bin, want 2", len(rows))
	}
	o.clock.Advance(time.Minute)
	if err := o.Undelete("Account", acme); err != nil {
		t.Fatal(err)
	}
	if rows := o.soql("SELECT Id FROM Contact"); len(rows) != 1 || rows[0]["Id"] != ana {
		t.Errorf("with the account came %v, want the contact that went with it", rows)
	}
	if got := o.soql("SELECT Id FROM Account WHERE SystemModstamp >= " + o.clock.Now().Add(-time.Second*30).UTC().Format(time.RFC3339)); len(got) != 1 {
		t.Error("an undelete does not move SystemModstamp")
	}
	if err := o.Undelete("Account", acme); err == nil {
		t.Error("a live record was undeleted")
	}
	if err := o.Delete("Account", acme); err != nil {
		t.Fatal(err)
	}
	o.create("Account", `{"Name":"Acme again","HubSpot_Id__c":"1"}`)
	if err := o.Undelete("Account", acme); err == nil || !strings.Contains(err.Error(), "DUPLICATE_VALUE") {
		t.Errorf("a record came back though its unique value is taken: %v", err)
	}
}

func TestMergedRecordsNameTheirMaster(t *testing.T) {
	o := newOrg(t)
	ids := map[string][2]string{
		"Account": {o.create("Account", `{"Name":"A"}`), o.create("Account", `{"Name":"B"}`)},
		"Contact": {o.create("Contact", `{"LastName":"A"}`), o.create("Contact", `{"LastName":"B"}`)},
		"Lead":    {o.create("Lead", `{"LastName":"A","Company":"X"}`), o.create("Lead", `{"LastName":"B","Company":"X"}`)},
	}
	for object, pair := range ids {
		if err := o.Merge(object, pair[0], pair[1]); err != nil {
			t.Fatal(err)
		}
		gone := o.all("SELECT Id, MasterRecordId, IsDeleted FROM " + object + " WHERE IsDeleted = true")
		if len(gone) != 1 || gone[0]["Id"] != pair[1] || gone[0]["MasterRecordId"] != pair[0] {
			t.Errorf("%s: queryAll shows %v", object, gone)
		}
		if g := o.do("GET", "/sobjects/"+object+"/"+pair[1], ""); g.Status != 404 || g.str("0.errorCode") != "ENTITY_IS_DELETED" {
			t.Errorf("%s: reading the loser answers %d %s", object, g.Status, g.Body)
		}
	}
}

func TestTheRecycleBin(t *testing.T) {
	o := newOrg(t)
	acme := o.create("Account", `{"Name":"Acme"}`)
	globex := o.create("Account", `{"Name":"Globex"}`)
	initech := o.create("Account", `{"Name":"Initech"}`)
	for _, id := range []string{acme, globex} {
		if err := o.Delete("Account", id); err != nil {
			t.Fatal(err)
		}
	}
	binned := func() int { return len(o.all("SELECT Id FROM Account WHERE IsDeleted = true")) }
	if binned() != 2 {
		t.Fatalf("%d in the bin, want 2", binned())
	}
	deleted := func() got {
		now := o.clock.Now()
		return o.do("GET", "/sobjects/Account/deleted?start="+now.Add(-24*time.Hour).Format(time.RFC3339)+"&end="+now.Add(time.Hour).Format(time.RFC3339), "")
	}
	earliest, _ := parseDatetime(deleted().str("earliestDateAvailable"))
	if age := o.clock.Now().Unix() - int64(earliest.number); age < int64(14*24*time.Hour/time.Second) {
		t.Errorf("getDeleted says to be complete for %d seconds only", age)
	}
	if err := o.EmptyRecycleBin(acme); err != nil {
		t.Fatal(err)
	}
	if binned() != 1 {
		t.Errorf("%d in the bin, want 1", binned())
	}
	earliest, _ = parseDatetime(deleted().str("earliestDateAvailable"))
	if now := o.clock.Now().Unix(); now-int64(earliest.number) > 61 {
		t.Errorf("getDeleted does not tell that a deletion was forgotten %d seconds ago", now-int64(earliest.number))
	}
	if err := o.EmptyRecycleBin(initech); err == nil {
		t.Error("a live record was removed for good")
	}
	if err := o.HardDelete("Account", initech); err != nil {
		t.Fatal(err)
	}
	if _, there := o.Get("Account", initech); there {
		t.Error("a hard-deleted record is there")
	}
	// What was saved is loaded with its holes: no id is given twice.
	var saved bytes.Buffer
	if err := o.SaveState(&saved); err != nil {
		t.Fatal(err)
	}
	if err := o.LoadState(bytes.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	o.token = o.IssueToken(IntegrationUsername)
	if again := o.create("Account", `{"Name":"Hooli"}`); again == initech {
		t.Errorf("the id %s was given twice", again)
	}
	o.clock.Advance(15*24*time.Hour - time.Hour)
	o.token = o.IssueToken(IntegrationUsername)
	if binned() != 1 {
		t.Errorf("after less than 15 days %d are in the bin, want 1", binned())
	}
	o.clock.Advance(2 * time.Hour)
	o.token = o.IssueToken(IntegrationUsername)
	if binned() != 0 {
		t.Errorf("after 15 days %d are in the bin, want none", binned())
	}
	if err := o.Undelete("Account", globex); err == nil {
		t.Error("a record came back after its 15 days")
	}
}

// soapCall sends one operation with the session.
func (o *org) soapCall(body string) got {
	return o.do("POST", "/services/Soap/u/68.0", `<?xml version="1.0"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header><SessionHeader xmlns="urn:partner.soap.sforce.com"><sessionId>`+
		o.token+`</sessionId></SessionHeader></env:Header><env:Body>`+body+`</env:Body></env:Envelope>`, "Content-Type: text/xml")
}

func TestSOAPConvertsLeads(t *testing.T) {
	o := newOrg(t)
	lead := o.create("Lead", `{"LastName":"Nowak","FirstName":"Ana","Company":"Acme","Email":"ana@acme.example"}`)
	task := o.create("Task", `{"Subject":"Call","WhoId":"`+lead+`"}`)
	refused := o.soapCall(`<convertLead xmlns="urn:partner.soap.sforce.com"><leadConverts><leadId>` + lead + `</leadId><convertedStatus>Working - Contacted</convertedStatus></leadConverts></convertLead>`)
	if refused.Status != 200 || !strings.Contains(refused.Body, "<statusCode>INVALID_STATUS</statusCode>") {
		t.Errorf("a status that does not convert: %d %s", refused.Status, refused.Body)
	}
	g := o.soapCall(`<convertLead xmlns="urn:partner.soap.sforce.com"><leadConverts><convertedStatus>Closed - Converted</convertedStatus><doNotCreateOpportunity>true</doNotCreateOpportunity><leadId>` + lead + `</leadId></leadConverts></convertLead>`)
	if !strings.Contains(g.Body, "<success>true</success>") || !strings.Contains(g.Body, `<opportunityId xsi:nil="true"/>`) {
		t.Fatalf("got %d %s", g.Status, g.Body)
	}
	got := o.soql("SELECT IsConverted, Status, ConvertedContactId, ConvertedAccountId FROM Lead")[0]
	contact, _ := got["ConvertedContactId"].(string)
	if got["IsConverted"] != true || got["Status"] != "Closed - Converted" || !strings.Contains(g.Body, "<contactId>"+contact+"</contactId>") {
		t.Errorf("the lead is %v", got)
	}
	if moved, _ := o.Get("Task", task); moved["WhoId"] != contact || moved["AccountId"] != got["ConvertedAccountId"] {
		t.Errorf("the lead's task is about %v, want the contact %s", moved["WhoId"], contact)
	}
	if again := o.soapCall(`<convertLead><leadConverts><leadId>` + lead + `</leadId><convertedStatus>Closed - Converted</convertedStatus></leadConverts></convertLead>`); !strings.Contains(again.Body, "<success>false</success>") {
		t.Errorf("a lead was converted twice: %s", again.Body)
	}
	if o.Calls().Writes != 5 {
		t.Errorf("%d writes counted, want two creates and three calls", o.Calls().Writes)
	}
}

func TestSOAPMergesDeletesAndUndeletes(t *testing.T) {
	o := newOrg(t)
	acme, globex := o.create("Account", `{"Name":"Acme"}`), o.create("Account", `{"Name":"Globex"}`)
	ana := o.create("Contact", `{"LastName":"Ana","AccountId":"`+globex+`"}`)
	g := o.soapCall(`<merge><request><masterRecord xmlns:s="urn:sobject.partner.soap.sforce.com"><s:type>Account</s:type><s:Id>` + acme + `</s:Id><s:Phone>123</s:Phone></masterRecord><recordToMergeIds>` + globex + `</recordToMergeIds></request></merge>`)
	if !strings.Contains(g.Body, "<mergedRecordIds>"+globex+"</mergedRecordIds><updatedRelatedIds>"+ana+"</updatedRelatedIds><success>true") {
		t.Fatalf("got %s", g.Body)
	}
	if got := o.soql("SELECT Phone FROM Account"); len(got) != 1 || got[0]["Phone"] != "123" {
		t.Errorf("the master is %v", got)
	}
	if g := o.soapCall(`<delete><ids>` + ana + `</ids><ids>003000000000000</ids></delete>`); strings.Count(g.Body, "<success>true</success>") != 1 || !strings.Contains(g.Body, "INVALID_CROSS_REFERENCE_KEY") {
		t.Errorf("delete: %s", g.Body)
	}
	if g := o.soapCall(`<undelete><ids>` + ana + `</ids></undelete>`); !strings.Contains(g.Body, "<success>true</success>") || o.Count("Contact") != 1 {
		t.Errorf("undelete: %s", g.Body)
	}
	if g := o.soapCall(`<undelete><ids>` + ana + `</ids></undelete>`); !strings.Contains(g.Body, "UNDELETE_FAILED") {
		t.Errorf("undelete of a live record: %s", g.Body)
	}
	if g := o.soapCall(`<emptyRecycleBin><ids>` + globex + `</ids></emptyRecycleBin>`); !strings.Contains(g.Body, "<success>true</success>") || len(o.all("SELECT Id FROM Account")) != 1 {
		t.Errorf("emptyRecycleBin: %s", g.Body)
	}
	if g := o.soapCall(`<describeWorld/>`); g.Status != 500 || !strings.Contains(g.Body, "INVALID_OPERATION") {
		t.Errorf("an unknown operation: %d %s", g.Status, g.Body)
	}
}
