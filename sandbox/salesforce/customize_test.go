package salesforce

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestFormulasAreComputedAndMoveNoStamp(t *testing.T) {
	o := newOrg(t)
	add := func(object string, f Field) {
		t.Helper()
		if err := o.AddField(object, f); err != nil {
			t.Fatal(err)
		}
	}
	add("Contact", Field{Name: "Label__c", Formula: `Account.Name & " / " & UPPER(LastName)`})
	add("Contact", Field{Name: "Size__c", Type: "string", Formula: `IF(ISBLANK(Account.NumberOfEmployees), "unknown", IF(Account.NumberOfEmployees >= 100, "large", "small"))`})
	add("Contact", Field{Name: "Twice__c", Type: "double", Precision: 18, Scale: 2, Formula: `(Account.AnnualRevenue + 1) * 2 - 1 / 2`})
	add("Contact", Field{Name: "Both__c", Formula: `Size__c & "-" & TEXT(Twice__c)`})
	acme := o.create("Account", `{"Name":"Acme","NumberOfEmployees":120,"AnnualRevenue":10}`)
	ana := o.create("Contact", `{"LastName":"Nowak","AccountId":"`+acme+`"}`)
	read := func() map[string]any {
		return o.soql("SELECT Label__c, Size__c, Twice__c, Both__c, SystemModstamp FROM Contact WHERE Id = '" + ana + "'")[0]
	}
	before := read()
	if before["Label__c"] != "Acme / NOWAK" || before["Size__c"] != "large" || before["Twice__c"] != 21.5 || before["Both__c"] != "large-21.5" {
		t.Errorf("got %v", before)
	}
	o.clock.Advance(time.Hour)
	if err := o.Update("Account", acme, map[string]any{"Name": "Acme Inc", "NumberOfEmployees": nil}); err != nil {
		t.Fatal(err)
	}
	after := read()
	if after["Label__c"] != "Acme Inc / NOWAK" || after["Size__c"] != "unknown" || after["SystemModstamp"] != before["SystemModstamp"] {
		t.Errorf("after the account changed: %v", after)
	}
	if found := o.soql("SELECT Id FROM Contact WHERE Size__c = 'unknown' ORDER BY Label__c"); len(found) != 1 {
		t.Errorf("filtering by a formula finds %v", found)
	}
	described := false
	for _, f := range o.do("GET", "/sobjects/Contact/describe", "").at("fields").([]any) {
		f := f.(map[string]any)
		if f["name"] == "Label__c" {
			described = f["calculated"] == true && f["createable"] == false && f["updateable"] == false && f["calculatedFormula"] == `Account.Name & " / " & UPPER(LastName)`
		}
	}
	if !described {
		t.Error("the describe does not tell that the field is a formula")
	}
	if g := o.do("PATCH", "/sobjects/Contact/"+ana, `{"Label__c":"x"}`); g.Status != 400 || g.str("0.errorCode") != "INVALID_FIELD_FOR_INSERT_UPDATE" {
		t.Errorf("writing a formula: %d %s", g.Status, g.Body)
	}
	if g := o.do("GET", "/sobjects/Contact/"+ana, ""); g.at("Label__c") != "Acme Inc / NOWAK" {
		t.Errorf("reading all fields: %v", g.at("Label__c"))
	}
}

func TestAFormulaThatIsWrongIsRefused(t *testing.T) {
	o := newOrg(t)
	for formula, want := range map[string]string{
		`Colour`:                `no field Colour`,
		`Boss.Name`:             `no relationship Boss`,
		`"never ends`:           `does not end`,
		`(1 + 2`:                `) is missing`,
		`1 +`:                   `ends too early`,
		`1 2`:                   `not expected`,
		`VLOOKUP(1)`:            `no function VLOOKUP`,
		`IF(TRUE, 1)`:           `takes 3 arguments`,
		`Owner.Profile.Gone__c`: `no field Gone__c`,
		`1.2.3`:                 `no number`,
		`ISBLANK(Name Name)`:    `a , or ) is missing`,
		`%`:                     `not expected`,
	} {
		if err := o.AddField("Account", Field{Name: "F__c", Formula: formula}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", formula, err, want)
		}
	}
	if o.object("Account").field("F__c") != nil {
		t.Error("a wrong formula left its field behind")
	}
}

func TestAFormulaInGo(t *testing.T) {
	o := newOrg(t)
	err := o.AddFormula("Opportunity", Field{Name: "Weighted__c", Type: "currency", Precision: 18, Scale: 2}, func(get func(string) any) any {
		amount, _ := get("Amount").(float64)
		if get("Account.Type") == "Prospect" {
			return amount / 2
		}
		return amount
	})
	if err != nil {
		t.Fatal(err)
	}
	acme := o.create("Account", `{"Name":"Acme","Type":"Prospect"}`)
	o.create("Opportunity", `{"Name":"Big","StageName":"Prospecting","CloseDate":"2027-01-01","Amount":101,"AccountId":"`+acme+`"}`)
	if got := o.soql("SELECT Weighted__c FROM Opportunity")[0]["Weighted__c"]; got != 50.5 {
		t.Errorf("got %v", got)
	}
	var saved bytes.Buffer
	if err := o.SaveState(&saved); err != nil {
		t.Fatal(err)
	}
	if err := o.LoadState(&saved); err != nil {
		t.Fatal(err)
	}
	o.token = o.IssueToken(IntegrationUsername)
	if got := o.soql("SELECT Weighted__c FROM Opportunity")[0]["Weighted__c"]; got != 50.5 {
		t.Errorf("after loading: %v", got)
	}
	if err := o.AddFormula("Opportunity", Field{Name: "Weighted__c"}, nil); err == nil {
		t.Error("a formula field was added twice")
	}
}

func TestRollUps(t *testing.T) {
	o := newOrg(t)
	for _, f := range []Field{
		{Name: "Deals__c", RollUp: &RollUp{Object: "Opportunity", Reference: "AccountId", Operation: "count"}},
		{Name: "Won__c", Type: "currency", Precision: 18, Scale: 2, RollUp: &RollUp{Object: "Opportunity", Reference: "AccountId", Operation: "sum", Field: "Amount", Filter: "IsWon"}},
		{Name: "Next__c", Type: "date", RollUp: &RollUp{Object: "Opportunity", Reference: "AccountId", Operation: "min", Field: "CloseDate"}},
		{Name: "Best__c", Type: "currency", Precision: 18, Scale: 2, RollUp: &RollUp{Object: "Opportunity", Reference: "AccountId", Operation: "max", Field: "Amount"}},
	} {
		if err := o.AddField("Account", f); err != nil {
			t.Fatal(err)
		}
	}
	acme := o.create("Account", `{"Name":"Acme"}`)
	stamp := o.soql("SELECT SystemModstamp FROM Account")[0]["SystemModstamp"]
	o.clock.Advance(time.Hour)
	var last string
	for i, stage := range []string{"Closed Won", "Closed Won", "Prospecting"} {
		last = o.create("Opportunity", fmt.Sprintf(`{"Name":"%d","StageName":"%s","CloseDate":"2027-01-0%d","Amount":%d.25,"AccountId":"%s"}`, i, stage, 3-i, 10*(i+1), acme))
	}
	got := o.soql("SELECT Deals__c, Won__c, Next__c, Best__c, SystemModstamp FROM Account")[0]
	if got["Deals__c"] != 3.0 || got["Won__c"] != 30.5 || got["Next__c"] != "2027-01-01" || got["Best__c"] != 30.25 || got["SystemModstamp"] != stamp {
		t.Errorf("got %v", got)
	}
	if err := o.Delete("Opportunity", last); err != nil {
		t.Fatal(err)
	}
	got = o.soql("SELECT Deals__c, Best__c FROM Account")[0]
	if got["Deals__c"] != 2.0 || got["Best__c"] != 20.25 {
		t.Errorf("after a delete: %v", got)
	}
	for _, wrong := range []RollUp{
		{Object: "Unicorn", Reference: "AccountId", Operation: "count"}, {Object: "Contact", Reference: "ReportsToId", Operation: "count"},
		{Object: "Opportunity", Reference: "AccountId", Operation: "median", Field: "Amount"}, {Object: "Opportunity", Reference: "AccountId", Operation: "sum", Field: "Name"},
		{Object: "Opportunity", Reference: "AccountId", Operation: "count", Filter: "Gone"},
	} {
		if err := o.AddField("Account", Field{Name: "R__c", RollUp: &wrong}); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
}

func TestJunctionObjects(t *testing.T) {
	o := newOrg(t)
	seat := Object{Name: "Seat__c", AutoNumber: "S-{0000}", Fields: []Field{
		{Name: "Account__c", MasterDetail: true, ReferenceTo: []string{"Account"}, Children: "Seats"},
		{Name: "Contact__c", MasterDetail: true, ReferenceTo: []string{"Contact"}, Children: "Seats"},
		{Name: "Role__c", Type: "picklist", Picklist: []PicklistValue{{Value: "Buyer"}, {Value: "User"}}},
		{Name: "Title__c", Formula: `Contact__r.LastName & "@" & Account__r.Name`},
	}}
	if err := o.AddObject(seat); err != nil {
		t.Fatal(err)
	}
	acme, globex := o.create("Account", `{"Name":"Acme"}`), o.create("Account", `{"Name":"Globex"}`)
	ana := o.create("Contact", `{"LastName":"Ana"}`)
	if g := o.do("POST", "/sobjects/Seat__c", `{"Account__c":"`+acme+`"}`); g.str("0.errorCode") != "REQUIRED_FIELD_MISSING" {
		t.Errorf("without one of its masters: %d %s", g.Status, g.Body)
	}
	id := o.create("Seat__c", `{"Account__c":"`+acme+`","Contact__c":"`+ana+`","Role__c":"Buyer"}`)
	if g := o.do("PATCH", "/sobjects/Seat__c/"+id, `{"Account__c":"`+globex+`"}`); g.str("0.errorCode") != "INVALID_FIELD_FOR_INSERT_UPDATE" {
		t.Errorf("another master: %d %s", g.Status, g.Body)
	}
	rows := o.soql("SELECT Name, Title__c FROM Seat__c")
	if len(rows) != 1 || rows[0]["Name"] != "S-0001" || rows[0]["Title__c"] != "Ana@Acme" {
		t.Errorf("got %v", rows)
	}
	if o.object("Seat__c").field("OwnerId") != nil {
		t.Error("a detail has an owner of its own")
	}
	var saved bytes.Buffer
	if err := o.SaveState(&saved); err != nil {
		t.Fatal(err)
	}
	if err := o.LoadState(&saved); err != nil {
		t.Fatal(err)
	}
	o.token = o.IssueToken(IntegrationUsername)
	if down, _ := o.soql("SELECT (SELECT Role__c, Title__c FROM Seats__r) FROM Contact")[0]["Seats__r"].(map[string]any); down == nil || down["totalSize"] != 1.0 {
		t.Errorf("after loading, the contact's seats are %v", down)
	}
	if err := o.Delete("Account", acme); err != nil {
		t.Fatal(err)
	}
	if o.Count("Seat__c") != 0 {
		t.Error("a detail outlived its master")
	}
	if err := o.AddObject(Object{Name: "Half__c", Fields: []Field{{Name: "A__c", Formula: "Gone"}}}); err == nil || o.object("Half__c") != nil {
		t.Errorf("an object with a wrong field was made: %v", err)
	}
}
