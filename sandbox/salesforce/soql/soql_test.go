package soql

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestErrorsSayWhatIsWrongAndWhere(t *testing.T) {
	for _, c := range []struct{ name, query, code, want string }{
		{"a misspelt keyword", "SELECT Id FRM Account", "MALFORMED_QUERY",
			"\nSELECT Id FRM Account\n          ^\nERROR at Row:1:Column:11\nunexpected token: 'FRM'"},
		{"the end comes too soon", "SELECT Id FROM", "MALFORMED_QUERY",
			"\nSELECT Id FROM\n              ^\nERROR at Row:1:Column:15\nunexpected token: '<EOF>'"},
		{"AND and OR are mixed without parentheses", "SELECT Id FROM A WHERE a = 1 AND b = 2 OR c = 3", "MALFORMED_QUERY",
			"\nSELECT Id FROM A WHERE a = 1 AND b = 2 OR c = 3\n                                       ^\nERROR at Row:1:Column:40\nunexpected token: 'OR'"},
		{"the place is in the second row", "SELECT Id\nFROM Account WHERE", "MALFORMED_QUERY",
			"\nFROM Account WHERE\n                  ^\nERROR at Row:2:Column:19\nunexpected token: '<EOF>'"},
		{"a quote that is never closed", "SELECT Id FROM A WHERE n = 'x", "MALFORMED_QUERY",
			"\nSELECT Id FROM A WHERE n = 'x\n                           ^\nERROR at Row:1:Column:28\nunexpected token: '''"},
		{"an escape that does not exist", `SELECT Id FROM A WHERE n = 'a\z'`, "MALFORMED_QUERY",
			"\n" + `SELECT Id FROM A WHERE n = 'a\z'` + "\n                             ^\nERROR at Row:1:Column:30\nInvalid string literal 'a\\z'. Illegal character sequence '\\z' in string literal."},
		{"a character that is no token", "SELECT Id FROM A WHERE n = 'a' ; DROP", "MALFORMED_QUERY",
			"\nSELECT Id FROM A WHERE n = 'a' ; DROP\n                               ^\nERROR at Row:1:Column:32\nunexpected token: ';'"},
		{"text behind the query", "SELECT Id FROM A LIMIT 5 5", "MALFORMED_QUERY",
			"\nSELECT Id FROM A LIMIT 5 5\n                         ^\nERROR at Row:1:Column:26\nunexpected token: '5'"},
		{"an empty list", "SELECT Id FROM A WHERE Id IN ()", "MALFORMED_QUERY",
			"\nSELECT Id FROM A WHERE Id IN ()\n                              ^\nERROR at Row:1:Column:31\nunexpected token: ')'"},
		{"a limit that is no number", "SELECT Id FROM A LIMIT x", "MALFORMED_QUERY",
			"\nSELECT Id FROM A LIMIT x\n                       ^\nERROR at Row:1:Column:24\nunexpected token: 'x'"},
		{"an unquoted text", "SELECT Id FROM A WHERE n = Acme", "MALFORMED_QUERY",
			"\nSELECT Id FROM A WHERE n = Acme\n                           ^\nERROR at Row:1:Column:28\nunexpected token: 'Acme'"},
		{"only a window of a long line is shown", "SELECT " + strings.Repeat("Aaaaaaaaa, ", 10) + "FROM A", "MALFORMED_QUERY",
			"\naaaaa, Aaaaaaaaa, Aaaaaaaaa, Aaaaaaaaa, FROM A\n                                        ^\nERROR at Row:1:Column:118\nunexpected token: 'FROM'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.query)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%s: got %v, want an *Error", c.query, err)
			}
			if diff := cmp.Diff(c.want, e.Error()); diff != "" || e.Code != c.code {
				t.Errorf("%s: code %s, want %s; message (-want +got):\n%s", c.query, e.Code, c.code, diff)
			}
		})
	}
}

func TestQueriesThatAreRead(t *testing.T) {
	for _, c := range []struct{ name, query, want string }{
		{"keywords in any case", "select Id from Account where Name='x' order by Name desc nulls last limit 5 offset 2",
			"SELECT Id FROM Account WHERE Name = 'x' ORDER BY Name DESC NULLS LAST LIMIT 5 OFFSET 2"},
		{"an alias of the object", "SELECT a.Id FROM Account a WHERE a.Name <> 'x'", "SELECT a.Id FROM Account a WHERE a.Name != 'x'"},
		{"NOT before one comparison", "SELECT Id FROM A WHERE (NOT Name LIKE 'x%') AND b = TRUE", "SELECT Id FROM A WHERE NOT Name LIKE 'x%' AND b = TRUE"},
		{"nested parentheses", "SELECT Id FROM A WHERE (a = 1 OR (b = 2 AND c = 3)) AND d = NULL", "SELECT Id FROM A WHERE (a = 1 OR (b = 2 AND c = 3)) AND d = NULL"},
		{"a child query and a parent path", "SELECT Name, Owner.Name, (SELECT Id FROM Contacts WHERE Email != null) FROM Account",
			"SELECT Name, Owner.Name, (SELECT Id FROM Contacts WHERE Email != NULL) FROM Account"},
		{"a semi-join", "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Opportunity)", "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Opportunity)"},
		{"date literals", "SELECT Id FROM A WHERE CreatedDate = LAST_N_DAYS:30 OR CreatedDate > yesterday", "SELECT Id FROM A WHERE CreatedDate = LAST_N_DAYS:30 OR CreatedDate > YESTERDAY"},
		{"dates and datetimes", "SELECT Id FROM A WHERE d=2026-11-23 AND t>=2026-11-23T14:05:06+01:00 AND u<2026-11-23T14:05:06.123Z",
			"SELECT Id FROM A WHERE d = 2026-11-23 AND t >= 2026-11-23T14:05:06+01:00 AND u < 2026-11-23T14:05:06.123Z"},
		{"numbers", "SELECT Id FROM A WHERE a = -5 AND b > 1.5e3 AND c = +.5", "SELECT Id FROM A WHERE a = -5 AND b > 1.5e3 AND c = +.5"},
		{"an amount in a currency", "SELECT Id FROM A WHERE a > USD5000", "SELECT Id FROM A WHERE a > USD5000"},
		{"aggregates", "SELECT COUNT(Id) n, SUM(Amount) FROM O GROUP BY ROLLUP(StageName) HAVING COUNT(Id) > 1", "SELECT COUNT(Id) n, SUM(Amount) FROM O GROUP BY ROLLUP(StageName) HAVING COUNT(Id) > 1"},
		{"a choice by type", "SELECT TYPEOF Who WHEN Contact THEN Email, Title ELSE Name END FROM Task", "SELECT TYPEOF Who WHEN Contact THEN Email, Title ELSE Name END FROM Task"},
		{"escapes", `SELECT Id FROM A WHERE n = 'O\'Hara\n\u00e9 \\ \% \"'`, `SELECT Id FROM A WHERE n = 'O\'Hara\né \\ \% "'`},
		{"the modes of WITH and FOR", "SELECT Id FROM A WITH SECURITY_ENFORCED LIMIT 1 FOR VIEW", "SELECT Id FROM A LIMIT 1 FOR VIEW"},
		{"a scope", "SELECT Id FROM A USING SCOPE mine", "SELECT Id FROM A USING SCOPE mine"},
		{"an object named like a keyword", "SELECT Id FROM Group", "SELECT Id FROM Group"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := Parse(c.query)
			if err != nil {
				t.Fatal(err)
			}
			if got := q.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// positions do not take part when two trees are compared.
var samePlace = cmp.Options{
	cmpopts.IgnoreFields(Path{}, "At"), cmpopts.IgnoreFields(Call{}, "At"), cmpopts.IgnoreFields(Comparison{}, "At"),
	cmpopts.IgnoreFields(In{}, "At"), cmpopts.IgnoreFields(Value{}, "At"), cmpopts.IgnoreFields(Query{}, "LimitAt", "OffsetAt"),
	cmpopts.EquateEmpty(),
}

func TestWhatIsPrintedReadsBackAsTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		q := genQuery(2).Draw(rt, "query")
		text := q.String()
		back, err := Parse(text)
		if err != nil {
			rt.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(q, back, samePlace); diff != "" {
			rt.Fatalf("%s (-want +got):\n%s", text, diff)
		}
		if again := back.String(); again != text {
			rt.Fatalf("printed twice: %s\nthen %s", text, again)
		}
	})
}

var genName = rapid.SampledFrom([]string{"Id", "Name", "Amount", "CreatedDate", "HubSpot_Id__c", "Email", "IsDeleted"})

func genPath() *rapid.Generator[Path] {
	return rapid.Custom(func(t *rapid.T) Path {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"Account", "Owner", "Parent__r"}), 0, 2).Draw(t, "parents")
		return Path{Names: append(names, genName.Draw(t, "field"))}
	})
}

func genValue() *rapid.Generator[Value] {
	return rapid.Custom(func(t *rapid.T) Value {
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			return Value{Kind: Null, Text: "NULL"}
		case 1:
			return Value{Kind: Boolean, Text: "TRUE", Number: 1}
		case 2:
			return Value{Kind: Number, Text: "12.5", Number: 12.5}
		case 3:
			return Value{Kind: Date, Text: "2026-11-23"}
		case 4:
			return Value{Kind: Datetime, Text: "2026-11-23T14:05:06Z"}
		case 5:
			return Value{Kind: Literal, Text: "LAST_N_DAYS", Number: float64(rapid.IntRange(0, 400).Draw(t, "n"))}
		}
		s := rapid.StringMatching(`[a-zA-Z0-9 'é"\n%_-]{0,12}`).Draw(t, "text")
		return Value{Kind: Text, Text: s}
	})
}

func genCondition(depth int) *rapid.Generator[Condition] {
	return rapid.Custom(func(t *rapid.T) Condition {
		kinds := 3
		if depth > 0 {
			kinds = 6
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0, 1:
			return Comparison{Left: genPath().Draw(t, "left"), Op: rapid.SampledFrom([]string{"=", "!=", "<", "<=", ">", ">=", "LIKE"}).Draw(t, "op"), Right: genValue().Draw(t, "right")}
		case 2:
			in := In{Left: genPath().Draw(t, "left"), Op: rapid.SampledFrom([]string{"IN", "NOT IN", "INCLUDES", "EXCLUDES"}).Draw(t, "op")}
			if depth > 0 && strings.HasSuffix(in.Op, "IN") && rapid.Bool().Draw(t, "joined") {
				in.Sub = genQuery(0).Draw(t, "sub")
				return in
			}
			in.Values = rapid.SliceOfN(genValue(), 1, 3).Draw(t, "values")
			return in
		case 3:
			return Not{genCondition(depth-1).Draw(t, "of")}
		case 4:
			return And(rapid.SliceOfN(genCondition(depth-1), 2, 3).Draw(t, "and"))
		}
		return Or(rapid.SliceOfN(genCondition(depth-1), 2, 3).Draw(t, "or"))
	})
}

func genQuery(depth int) *rapid.Generator[*Query] {
	return rapid.Custom(func(t *rapid.T) *Query {
		q := &Query{From: Path{Names: []string{rapid.SampledFrom([]string{"Account", "Contact", "Thing__c"}).Draw(t, "from")}}, Limit: -1, Offset: -1}
		for range rapid.IntRange(1, 3).Draw(t, "items") {
			switch rapid.IntRange(0, 3).Draw(t, "item") {
			case 0:
				if depth > 0 {
					q.Select = append(q.Select, Item{Children: genQuery(0).Draw(t, "children")})
					continue
				}
			case 1:
				q.Select = append(q.Select, Item{Expression: Call{Name: "COUNT", Args: []Expression{genPath().Draw(t, "counted")}}, Alias: "n"})
				continue
			}
			q.Select = append(q.Select, Item{Expression: genPath().Draw(t, "selected")})
		}
		if depth > 0 && rapid.Bool().Draw(t, "where") {
			q.Where = genCondition(depth).Draw(t, "condition")
		}
		if rapid.Bool().Draw(t, "ordered") {
			q.OrderBy = []Order{{By: genPath().Draw(t, "by"), Descending: rapid.Bool().Draw(t, "desc"), NullsLast: rapid.Bool().Draw(t, "last")}}
		}
		if rapid.Bool().Draw(t, "limited") {
			q.Limit = rapid.IntRange(0, 2000).Draw(t, "limit")
		}
		return q
	})
}

func TestDateLiteralsCoverTheirDays(t *testing.T) {
	now := time.Date(2026, 11, 25, 15, 4, 5, 0, time.UTC) // a Wednesday
	for _, c := range []struct{ literal, from, to string }{
		{"TODAY", "2026-11-25", "2026-11-26"},
		{"YESTERDAY", "2026-11-24", "2026-11-25"},
		{"TOMORROW", "2026-11-26", "2026-11-27"},
		{"THIS_WEEK", "2026-11-22", "2026-11-29"},
		{"LAST_WEEK", "2026-11-15", "2026-11-22"},
		{"NEXT_MONTH", "2026-12-01", "2027-01-01"},
		{"LAST_MONTH", "2026-10-01", "2026-11-01"},
		{"LAST_90_DAYS", "2026-08-27", "2026-11-26"},
		{"LAST_N_DAYS:7", "2026-11-18", "2026-11-26"},
		{"NEXT_N_DAYS:2", "2026-11-26", "2026-11-28"},
		{"N_DAYS_AGO:3", "2026-11-22", "2026-11-23"},
		{"LAST_N_WEEKS:2", "2026-11-08", "2026-11-22"},
		{"THIS_QUARTER", "2026-10-01", "2027-01-01"},
		{"LAST_QUARTER", "2026-07-01", "2026-10-01"},
		{"NEXT_N_QUARTERS:1", "2027-01-01", "2027-04-01"},
		{"N_MONTHS_AGO:11", "2025-12-01", "2026-01-01"},
		{"THIS_YEAR", "2026-01-01", "2027-01-01"},
		{"LAST_N_YEARS:2", "2024-01-01", "2026-01-01"},
		{"THIS_FISCAL_QUARTER", "2026-10-01", "2027-01-01"},
		{"N_FISCAL_YEARS_AGO:1", "2025-01-01", "2026-01-01"},
	} {
		t.Run(c.literal, func(t *testing.T) {
			condition, err := ParseCondition("CreatedDate = " + c.literal)
			if err != nil {
				t.Fatal(err)
			}
			from, to := condition.(Comparison).Right.Range(now)
			if got, want := from.Format("2006-01-02")+" "+to.Format("2006-01-02"), c.from+" "+c.to; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	for literal := range plainLiterals {
		if from, to := (Value{Text: literal}).Range(now); !from.Before(to) {
			t.Errorf("%s: from %s is not before %s", literal, from, to)
		}
	}
	for literal := range countedLiterals {
		if from, to := (Value{Text: literal, Number: 3}).Range(now); !from.Before(to) {
			t.Errorf("%s:3: from %s is not before %s", literal, from, to)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"SELECT Id FROM Account", "SELECT Id, (SELECT Id FROM Contacts) FROM Account WHERE Name LIKE 'a\\%%' AND (x = 1 OR y IN ('a','b'))",
		"SELECT COUNT() FROM Contact WHERE CreatedDate = LAST_N_DAYS:3", "SELECT a FROM b WHERE c >= 2026-11-23T14:05:06+01:00 ORDER BY d DESC NULLS LAST LIMIT 5 OFFSET 1",
		"SELECT TYPEOF a WHEN b THEN c ELSE d END FROM e", "SELECT (((((", "SELECT '\\u12", "((((((((((",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error says nothing")
			}
			return
		}
		printed := q.String()
		back, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q was read, printed as %q, and not read again: %v", text, printed, err)
		}
		if again := back.String(); again != printed {
			t.Fatalf("printed %q, then %q", printed, again)
		}
	})
}
