package salesforce

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce/soql"
)

// newStory is an org with three accounts, their people, deals and activities.
func newStory(t testing.TB) *org {
	o := newOrg(t).withExternalID()
	if err := o.AddField("Contact", Field{Name: "Interests__c", Type: "multipicklist", Picklist: []PicklistValue{{Value: "Price"}, {Value: "Support"}, {Value: "Speed"}}}); err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return longAgo.AddDate(0, 0, n) }
	insert := func(object string, n int, fields map[string]any) string {
		return o.Insert(object, fields, day(n), day(n))
	}
	acme := insert("Account", 0, map[string]any{"Name": "Acme", "Industry": "Technology", "AnnualRevenue": 1500000, "NumberOfEmployees": 40})
	globex := insert("Account", 1, map[string]any{"Name": "Globex", "AnnualRevenue": 20000, "ParentId": acme})
	insert("Account", 2, map[string]any{"Name": "initech", "Industry": "Banking"})
	ann := insert("Contact", 3, map[string]any{"LastName": "Li", "FirstName": "Ann", "Email": "Ann@acme.example", "AccountId": acme, "Interests__c": "Price;Speed", "HubSpot_Id__c": "101"})
	insert("Contact", 4, map[string]any{"LastName": "Müller", "FirstName": "Jörg", "Email": "joerg@globex.example", "AccountId": globex, "Interests__c": "Support"})
	insert("Contact", 5, map[string]any{"LastName": "O'Hara_50%", "DoNotCall": true})
	insert("Lead", 6, map[string]any{"LastName": "Nowak", "Company": "Hooli", "Email": "nowak@hooli.example", "Status": "Working - Contacted"})
	big := insert("Opportunity", 7, map[string]any{"Name": "Big", "AccountId": acme, "StageName": "Closed Won", "CloseDate": "2026-03-31", "Amount": 1000.5})
	insert("Opportunity", 8, map[string]any{"Name": "Small", "AccountId": acme, "StageName": "Prospecting", "CloseDate": "2026-06-30", "Amount": 200})
	insert("Opportunity", 9, map[string]any{"Name": "None", "StageName": "Prospecting", "CloseDate": "2027-01-01"})
	insert("OpportunityContactRole", 10, map[string]any{"OpportunityId": big, "ContactId": ann, "Role": "Decision Maker", "IsPrimary": true})
	insert("Task", 11, map[string]any{"Subject": "Call Ann", "WhoId": ann, "WhatId": big, "Status": "Completed", "ActivityDate": "2026-02-01"})
	return o
}

// names runs a query of names and lists them.
func (o *org) names(q string) []string {
	o.t.Helper()
	list := []string{}
	for _, r := range o.soql(q) {
		list = append(list, fmt.Sprint(r["Name"]))
	}
	return list
}

func TestWhereClausesChooseRecords(t *testing.T) {
	o := newStory(t)
	o.clock.Set(longAgo.AddDate(0, 0, 12))
	for _, c := range []struct {
		name, object, where string
		want                []string
	}{
		{"text is compared without regard to case", "Account", "Name = 'ACME'", []string{"Acme"}},
		{"an e-mail is found in any case", "Contact", "Email = 'ANN@ACME.example'", []string{"Ann Li"}},
		{"!= also returns those without a value", "Account", "Industry != 'Banking'", []string{"Acme", "Globex"}},
		{"= null finds those without a value", "Account", "Industry = null", []string{"Globex"}},
		{"!= null finds those with one", "Account", "Industry != null", []string{"Acme", "initech"}},
		{"empty text is null", "Account", "Industry = ''", []string{"Globex"}},
		{"less than is false for null", "Account", "AnnualRevenue < 100000", []string{"Globex"}},
		{"NOT turns a comparison round, for null too", "Account", "NOT AnnualRevenue < 100000", []string{"Acme", "initech"}},
		{"IN takes a list", "Account", "Name IN ('acme', 'Initech', 'nobody')", []string{"Acme", "initech"}},
		{"NOT IN returns those without a value", "Account", "Industry NOT IN ('Technology')", []string{"Globex", "initech"}},
		{"LIKE knows % and _", "Account", "Name LIKE '_cm%'", []string{"Acme"}},
		{"LIKE knows escaped wildcards", "Contact", `LastName LIKE '%\_50\%'`, []string{"O'Hara_50%"}},
		{"a quote in a text is escaped", "Contact", `LastName LIKE 'O\'Hara%'`, []string{"O'Hara_50%"}},
		{"names beyond ASCII", "Contact", "LastName = 'MÜLLER'", []string{"Jörg Müller"}},
		{"the compound name", "Contact", "Name = 'ann li'", []string{"Ann Li"}},
		{"booleans", "Contact", "DoNotCall = TRUE", []string{"O'Hara_50%"}},
		{"false is never null", "Contact", "DoNotCall = false AND Email != null", []string{"Ann Li", "Jörg Müller"}},
		{"a parent's field", "Contact", "Account.Name = 'Acme'", []string{"Ann Li"}},
		{"a grandparent's field", "Contact", "Account.Parent.Industry = 'Technology'", []string{"Jörg Müller"}},
		{"a missing parent is null", "Contact", "Account.Name = null", []string{"O'Hara_50%"}},
		{"a semi-join", "Account", "Id IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)", []string{"Acme"}},
		{"an anti-join", "Account", "Id NOT IN (SELECT AccountId FROM Opportunity)", []string{"Globex", "initech"}},
		{"one of several values", "Contact", "Interests__c INCLUDES ('Speed;Price', 'Support')", []string{"Ann Li", "Jörg Müller"}},
		{"all values of one argument", "Contact", "Interests__c INCLUDES ('Price;Support')", []string{}},
		{"none of the values", "Contact", "Interests__c EXCLUDES ('Price')", []string{"Jörg Müller", "O'Hara_50%"}},
		{"the exact set in any order", "Contact", "Interests__c = 'Speed;Price'", []string{"Ann Li"}},
		{"dates", "Opportunity", "CloseDate >= 2026-06-30", []string{"Small", "None"}},
		{"datetimes with an offset", "Account", "CreatedDate > 2026-01-06T12:00:00+02:00", []string{"initech"}},
		{"a datetime between two seconds", "Account", "SystemModstamp > 2026-01-06T10:00:00.500Z", []string{"initech"}},
		{"date literals", "Account", "CreatedDate = LAST_N_DAYS:11", []string{"Globex", "initech"}},
		{"a date function", "Opportunity", "CALENDAR_YEAR(CloseDate) = 2027", []string{"None"}},
		{"a day of a datetime", "Account", "DAY_ONLY(CreatedDate) = 2026-01-07", []string{"initech"}},
		{"an external id", "Contact", "HubSpot_Id__c IN ('101', '102')", []string{"Ann Li"}},
		{"the type of a polymorphic parent", "Task", "Who.Type = 'Contact'", []string{""}},
		{"the name of a polymorphic parent", "Lead", "Owner.Name = 'Ada Administrator'", []string{"Nowak"}},
		{"parentheses", "Account", "(Name = 'Acme' OR Name = 'Globex') AND (NOT Industry = 'Technology')", []string{"Globex"}},
		{"the cursor of a poll", "Account", "SystemModstamp > 2026-01-06T10:00:00Z OR (SystemModstamp = 2026-01-06T10:00:00Z AND Id > '" + o.idOf("Account", "Acme") + "')", []string{"Globex", "initech"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			field := "Name"
			if c.object == "Task" {
				field = "toLabel(Status) Name"
				c.want = []string{"Completed"}
			}
			if diff := cmp.Diff(c.want, o.names("SELECT "+field+" FROM "+c.object+" WHERE "+c.where)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.where, diff)
			}
		})
	}
}

// idOf is the id of the record with the name.
func (o *org) idOf(object, name string) string {
	o.t.Helper()
	found := ""
	o.Each(object, func(id string, fields map[string]any) bool {
		if fields["Name"] == name {
			found = id
		}
		return found == ""
	})
	if found == "" {
		o.t.Fatalf("no %s %s", object, name)
	}
	return found
}

func TestOrderLimitAndOffset(t *testing.T) {
	o := newStory(t)
	for _, c := range []struct {
		name, rest string
		want       []string
	}{
		{"without an order by id", "", []string{"Acme", "Globex", "initech"}},
		{"descending, without regard to case", "ORDER BY Name DESC", []string{"initech", "Globex", "Acme"}},
		{"nulls come first by default", "ORDER BY Industry", []string{"Globex", "initech", "Acme"}},
		{"nulls come first descending too", "ORDER BY Industry DESC", []string{"Globex", "Acme", "initech"}},
		{"nulls last on demand", "ORDER BY AnnualRevenue NULLS LAST", []string{"Globex", "Acme", "initech"}},
		{"by a parent's field", "ORDER BY Parent.Name NULLS LAST, Name DESC", []string{"Globex", "initech", "Acme"}},
		{"a page of it", "ORDER BY Name LIMIT 1 OFFSET 1", []string{"Globex"}},
		{"beyond the end", "OFFSET 10", []string{}},
		{"by stamp and id", "ORDER BY SystemModstamp, Id LIMIT 2", []string{"Acme", "Globex"}},
		{"by stamp downwards", "ORDER BY SystemModstamp DESC LIMIT 1", []string{"initech"}},
		{"none at all", "LIMIT 0", []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, o.names("SELECT Name FROM Account "+c.rest)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.rest, diff)
			}
		})
	}
}

func TestRecordsHaveTheFormOfTheAPI(t *testing.T) {
	o := newStory(t)
	acme, ann := o.idOf("Account", "Acme"), o.idOf("Contact", "Ann Li")
	for _, c := range []struct{ name, query, want string }{
		{"fields come in the order and with the names of the schema",
			"SELECT id, name, annualrevenue, NumberOfEmployees, CreatedDate FROM account WHERE Name = 'Acme'",
			`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Account","url":"/services/data/v68.0/sobjects/Account/` + acme + `"},"Id":"` + acme + `","Name":"Acme","AnnualRevenue":1500000.0,"NumberOfEmployees":40,"CreatedDate":"2026-01-05T10:00:00.000+0000"}]}`},
		{"parents nest, a missing one is null",
			"SELECT LastName, Account.Name, Account.Parent.Name FROM Contact WHERE LastName IN ('Li', 'O\\'Hara_50%') ORDER BY LastName",
			`{"totalSize":2,"done":true,"records":[{"attributes":{"type":"Contact","url":"/services/data/v68.0/sobjects/Contact/` + ann + `"},"LastName":"Li","Account":{"attributes":{"type":"Account","url":"/services/data/v68.0/sobjects/Account/` + acme + `"},"Name":"Acme","Parent":null}},` +
				`{"attributes":{"type":"Contact","url":"/services/data/v68.0/sobjects/Contact/` + o.idOf("Contact", "O'Hara_50%") + `"},"LastName":"O'Hara_50%","Account":null}]}`},
		{"counting has no records", "SELECT COUNT() FROM Contact", `{"totalSize":3,"done":true,"records":[]}`},
		{"an aggregate without groups is one row", "SELECT COUNT(Id), SUM(Amount) total, MAX(CloseDate) FROM Opportunity",
			`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"expr0":3,"total":1200.5,"expr1":"2027-01-01"}]}`},
		{"groups carry the field's name", "SELECT StageName, COUNT(Id) FROM Opportunity GROUP BY StageName HAVING COUNT(Id) > 1",
			`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"StageName":"Prospecting","expr0":2}]}`},
		{"groups by a parent's field", "SELECT Account.Name, AVG(Amount) FROM Opportunity GROUP BY Account.Name ORDER BY COUNT(Id) DESC",
			`{"totalSize":2,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"Name":"Acme","expr0":600.25},{"attributes":{"type":"AggregateResult"},"Name":null,"expr0":null}]}`},
		{"subtotals", "SELECT StageName s, GROUPING(StageName) g, COUNT(Id) n FROM Opportunity GROUP BY ROLLUP(StageName)",
			`{"totalSize":3,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"s":"Closed Won","g":0,"n":1},{"attributes":{"type":"AggregateResult"},"s":"Prospecting","g":0,"n":2},{"attributes":{"type":"AggregateResult"},"s":null,"g":1,"n":3}]}`},
		{"an address is an object or null", "SELECT BillingAddress FROM Account WHERE Name = 'Acme'",
			`{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Account","url":"/services/data/v68.0/sobjects/Account/` + acme + `"},"BillingAddress":null}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, o.do("GET", "/query?q="+escape(c.query), "").Body); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestChildrenNest(t *testing.T) {
	o := newStory(t)
	got := o.soql("SELECT Name, (SELECT LastName FROM Contacts), (SELECT Name, StageName FROM Opportunities ORDER BY Amount LIMIT 1) FROM Account WHERE Name IN ('Acme','initech') ORDER BY Name")
	want := []map[string]any{
		{"Name": "Acme",
			"Contacts":      map[string]any{"totalSize": 1.0, "done": true, "records": []map[string]any{{"LastName": "Li"}}},
			"Opportunities": map[string]any{"totalSize": 1.0, "done": true, "records": []map[string]any{{"Name": "Small", "StageName": "Prospecting"}}}},
		{"Name": "initech", "Contacts": nil, "Opportunities": nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("children (-want +got):\n%s", diff)
	}
}

func TestTypeOfChoosesFields(t *testing.T) {
	o := newStory(t)
	got := o.soql("SELECT Who.Name, Who.Type, TYPEOF What WHEN Opportunity THEN StageName, Amount ELSE Name END FROM Task")
	want := []map[string]any{{"Who": map[string]any{"Name": "Ann Li", "Type": "Contact"}, "What": map[string]any{"StageName": "Closed Won", "Amount": 1000.5}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	o := newStory(t)
	for _, c := range []struct{ name, query, code, message string }{
		{"an unknown object", "SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported."},
		{"an unknown field", "SELECT Nope FROM Account", "INVALID_FIELD", "ERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'Account'."},
		{"an unknown relationship", "SELECT Nope.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Nope' in field path."},
		{"an unknown child relationship", "SELECT (SELECT Id FROM Nopes) FROM Account", "INVALID_TYPE", "Didn't understand relationship 'Nopes' in FROM part of query call."},
		{"an unquoted text", "SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes"},
		{"a quoted date", "SELECT Id FROM Account WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD", "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes"},
		{"a date for a datetime", "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"},
		{"a quoted number", "SELECT Id FROM Opportunity WHERE Amount > '5'", "INVALID_FIELD", "value of filter criterion for field 'Amount' must be of type currency and should not be enclosed in quotes"},
		{"a long text in WHERE", "SELECT Id FROM Account WHERE Description LIKE 'a%'", "INVALID_FIELD", "field 'Description' can not be filtered in a query call"},
		{"a long text in ORDER BY", "SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "field 'Description' can not be sorted in a query call"},
		{"LIKE on an id", "SELECT Id FROM Account WHERE Id LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"},
		{"a wrong id", "SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"},
		{"INCLUDES on a text", "SELECT Id FROM Account WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "only valid on multipicklist field"},
		{"too large an offset", "SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"},
		{"FIELDS(ALL) without a limit", "SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "must have a LIMIT of at most 200"},
		{"a field that is not grouped", "SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"},
		{"the same field twice", "SELECT Id, id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"},
		{"no query", "", "MALFORMED_QUERY", "unexpected token: '<EOF>'"},
		{"an aggregate of text", "SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", "does not support aggregate operator SUM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := o.do("GET", "/query?q="+escape(c.query), "")
			if g.Status != 400 || g.str("0.errorCode") != c.code || !strings.Contains(g.str("0.message"), c.message) {
				t.Errorf("got %d %s\nwant 400 %s … %s", g.Status, g.Body, c.code, c.message)
			}
		})
	}
}

func TestPagesOfAQuery(t *testing.T) {
	o := newOrg(t)
	for i := range 4500 {
		o.Insert("Lead", map[string]any{"LastName": fmt.Sprintf("L%04d", i), "Company": "Hooli"}, longAgo, longAgo)
	}
	g := o.do("GET", "/query?q=SELECT+LastName+FROM+Lead+ORDER+BY+LastName", "")
	var seen []string
	pages := 0
	for {
		pages++
		if g.at("totalSize") != 4500.0 {
			t.Fatalf("page %d: totalSize %v, want 4500", pages, g.at("totalSize"))
		}
		for _, r := range g.at("records").([]any) {
			seen = append(seen, r.(map[string]any)["LastName"].(string))
		}
		if g.at("done") == true {
			break
		}
		g = o.do("GET", g.str("nextRecordsUrl"), "")
	}
	if pages != 3 || len(seen) != 4500 || !slices.IsSorted(seen) || len(slices.Compact(seen)) != 4500 {
		t.Errorf("got %d pages, %d rows; want 3 pages, 4500 different rows in order", pages, len(seen))
	}
	small := o.do("GET", "/query?q=SELECT+Id+FROM+Lead", "", "Sforce-Query-Options: batchSize=200")
	if n := len(small.at("records").([]any)); n != 200 || !strings.HasSuffix(small.str("nextRecordsUrl"), "-200") {
		t.Errorf("batchSize=200: got %d rows, next %s", n, small.str("nextRecordsUrl"))
	}
	o.clock.Advance(49 * time.Hour)
	o.token = o.IssueToken(IntegrationUsername)
	if late := o.do("GET", small.str("nextRecordsUrl"), ""); late.str("0.errorCode") != "INVALID_QUERY_LOCATOR" {
		t.Errorf("a locator of two days ago: got %s, want INVALID_QUERY_LOCATOR", late.Body)
	}
}

func TestDeletedRecordsAreSeenByQueryAllOnly(t *testing.T) {
	o := newStory(t)
	id := o.idOf("Account", "Acme")
	if err := o.Delete("Account", id); err != nil {
		t.Fatal(err)
	}
	if got := o.names("SELECT Name FROM Account WHERE Id = '" + id + "'"); len(got) != 0 {
		t.Errorf("query returns the deleted record %v", got)
	}
	all := o.do("GET", "/queryAll?q="+escape("SELECT Name, IsDeleted FROM Contact WHERE IsDeleted = TRUE"), "")
	if all.at("records.0.Name") != "Ann Li" || all.at("totalSize") != 1.0 {
		t.Errorf("queryAll: got %s, want the account's contact, deleted with it", all.Body)
	}
}

// Conditions over a small set of values: the platform's two-valued logic.
func TestNullLogicOfConditions(t *testing.T) {
	o := newStory(t)
	rapid.Check(t, func(rt *rapid.T) {
		p, q := genAccountCondition(2).Draw(rt, "p"), genAccountCondition(1).Draw(rt, "q")
		all := o.matching(rt, "Id != null")
		if both := slices.Concat(o.matching(rt, p), o.matching(rt, "NOT ("+p+")")); !sameSet(both, all) || len(both) != len(all) {
			rt.Fatalf("%s and its NOT give %v, want each record once", p, both)
		}
		if a, b := o.matching(rt, "NOT (("+p+") AND ("+q+"))"), o.matching(rt, "(NOT ("+p+")) OR (NOT ("+q+"))"); !sameSet(a, b) {
			rt.Fatalf("De Morgan: p %s, q %s: %v against %v", p, q, a, b)
		}
	})
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// matching lists the ids that a condition gives, and checks that the index that
// was taken changes nothing.
func (o *org) matching(rt *rapid.T, where string) []string {
	o.mu.RLock()
	defer o.mu.RUnlock()
	parsed, err := soql.Parse("SELECT Id FROM Account WHERE " + where)
	if err != nil {
		rt.Fatalf("%s: %v", where, err)
	}
	c := &call{server: o.Server, user: o.admin, version: 68}
	q, err := c.binder(where, false).bind(parsed)
	if err != nil {
		rt.Fatalf("%s: %v", where, err)
	}
	list := func() []string {
		ids := []string{}
		for _, r := range q.rows() {
			ids = append(ids, r.id)
		}
		return ids
	}
	indexed := list()
	q.source = source{}
	if scanned := list(); !slices.Equal(indexed, scanned) {
		rt.Fatalf("%s: the index gives %v, a scan %v", where, indexed, scanned)
	}
	return indexed
}

func genAccountCondition(depth int) *rapid.Generator[string] {
	leaves := []string{
		"Name = 'acme'", "Name != 'Acme'", "Industry = null", "Industry != 'Banking'", "Industry IN ('Banking', 'Technology')", "Industry NOT IN ('Banking')",
		"AnnualRevenue < 100000", "AnnualRevenue >= 20000", "Name LIKE '%i%'", "Parent.Name = 'Acme'", "Parent.Name != null", "ParentId = null",
		"Name IN ('Acme', 'Globex')", "SystemModstamp > 2026-01-06T10:00:00Z", "SystemModstamp <= 2026-01-06T10:00:00Z", "SystemModstamp = 2026-01-06T10:00:00Z",
		"CreatedDate = 2026-01-05T10:00:00Z", "IsDeleted = false", "NumberOfEmployees = 40", "Id IN (SELECT AccountId FROM Contact)", "Id NOT IN (SELECT AccountId FROM Contact)",
	}
	return rapid.Custom(func(t *rapid.T) string {
		if depth == 0 || rapid.Bool().Draw(t, "leaf") {
			return rapid.SampledFrom(leaves).Draw(t, "condition")
		}
		parts := rapid.SliceOfN(genAccountCondition(depth-1), 2, 3).Draw(t, "parts")
		for i := range parts {
			parts[i] = "(" + parts[i] + ")"
		}
		joined := strings.Join(parts, rapid.SampledFrom([]string{" AND ", " OR "}).Draw(t, "joined"))
		if rapid.Bool().Draw(t, "not") {
			return "NOT (" + joined + ")"
		}
		return joined
	})
}
