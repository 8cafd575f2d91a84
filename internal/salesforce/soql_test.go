package salesforce

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

func TestID18(t *testing.T) {
	tests := []struct {
		name, id, want string
		ok             bool
	}{
		{"a short id gets its checksum", "001D000000IRFma", "001D000000IRFmaIAH", true},
		{"another one", "01gD0000002HU6K", "01gD0000002HU6KIAW", true},
		{"a long id stays", "001D000000IRFmaIAH", "001D000000IRFmaIAH", true},
		{"a wrong checksum is refused", "001D000000IRFmaIAW", "001D000000IRFmaIAH", false},
		{"a lower-cased id is refused", "001d000000irfmaiah", "001d000000irfmaAAA", false},
		{"a HubSpot id", "12345", "", false},
		{"a quote", "001D00000'IRFma", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := ID18(test.id)
			if got != test.want || ok != test.ok {
				t.Errorf("got %q, %v", got, ok)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	tests := []struct{ text, want string }{
		{"O'Brien", `'O\'Brien'`},
		{`back\slash`, `'back\\slash'`},
		{"two\r\nlines\ttab", `'two\r\nlines\ttab'`},
		{`a' OR Name != '`, `'a\' OR Name != \''`},
		{"Müller 株式会社", "'Müller 株式会社'"},
		{"100%_sure", "'100%_sure'"},
	}
	for _, test := range tests {
		if got := quote(test.text); got != test.want {
			t.Errorf("quote(%q) = %s, want %s", test.text, got, test.want)
		}
	}
}

func TestValuesBecomeWhatTheirFieldWants(t *testing.T) {
	tests := []struct {
		name       string
		kind       crm.Kind
		text       string
		json, soql string // "" means refused
	}{
		{"text", crm.KindText, `O'B "x"`, `"O'B \"x\""`, `'O\'B "x"'`},
		{"a number keeps its digits", crm.KindNumber, "1500.50", "1500.50", "1500.50"},
		{"a number with an exponent", crm.KindNumber, "1.5e3", "1.5e3", "1.5e3"},
		{"a number with a plus", crm.KindCurrency, "+12", "12", "12"},
		{"a number without a leading zero", crm.KindPercent, "-.5", "-0.5", "-0.5"},
		{"a number with leading zeros", crm.KindNumber, "007", "7", "7"},
		{"a number with a comma", crm.KindNumber, "1,500", "", ""},
		{"no number", crm.KindNumber, "NaN", "", ""},
		{"a hexadecimal number", crm.KindNumber, "0x10", "", ""},
		{"an integer", crm.KindInteger, "12.0", "12", "12"},
		{"an integer with a fraction", crm.KindInteger, "12.5", "", ""},
		{"true", crm.KindBool, "TRUE", "true", "true"},
		{"neither true nor false", crm.KindBool, "yes", "", ""},
		{"a date", crm.KindDate, "2026-11-23", `"2026-11-23"`, "2026-11-23"},
		{"a moment where a date belongs", crm.KindDate, "2026-11-23T00:00:00Z", "", ""},
		{"a date that does not exist", crm.KindDate, "2026-02-30", "", ""},
		{"a moment in HubSpot's form", crm.KindDateTime, "2026-11-23T14:05:06.789Z", `"2026-11-23T14:05:06.789Z"`, "2026-11-23T14:05:06.789Z"},
		{"a moment in Salesforce's form", crm.KindDateTime, "2026-11-23T15:05:06.000+0100", `"2026-11-23T14:05:06.000Z"`, "2026-11-23T14:05:06.000Z"},
		{"a short id", crm.KindReference, "001D000000IRFma", `"001D000000IRFmaIAH"`, "'001D000000IRFmaIAH'"},
		{"no id", crm.KindOwner, "x", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			gotJSON, ok := encodeValue(test.kind, test.text)
			if ok != (test.json != "") || ok && string(gotJSON) != test.json {
				t.Errorf("JSON %s, %v", gotJSON, ok)
			}
			gotSOQL, ok := literal(test.kind, test.text)
			if ok != (test.soql != "") || ok && gotSOQL != test.soql {
				t.Errorf("SOQL %s, %v", gotSOQL, ok)
			}
		})
	}
}

func TestStatementsNameEachColumnOnce(t *testing.T) {
	j := junctionsOf("Opportunity")
	q := query{layout: crm.NewLayout("Opportunity", []string{"Id", "Name", "SystemModstamp"}), junctions: j, all: true, merges: true, where: "A = 1 OR B = 2", order: "Id"}
	want := "SELECT Id, Name, SystemModstamp, CreatedDate, IsDeleted, MasterRecordId, (SELECT Id, ContactId, Role, IsPrimary, IsDeleted FROM OpportunityContactRoles) FROM Opportunity WHERE (A = 1 OR B = 2) AND (Id > 'x') ORDER BY Id"
	if diff := cmp.Diff(want, q.soql("Id > 'x'")); diff != "" {
		t.Error(diff)
	}
	bad := query{layout: crm.NewLayout("Contact", []string{"Name FROM User --"})}
	if err := bad.check(); err == nil {
		t.Error("a name that is no name was taken")
	}
}

func TestManyValuesAreSpreadOverStatementsThatFitIntoAnAddress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringN(1, 60, 200), 1, 400).Draw(t, "values")
		q := query{layout: crm.NewLayout("Contact", []string{"Email", "LastName"}), where: "IsPersonAccount = false", order: "Id"}
		literals := make([]string, len(values))
		want := map[string]bool{}
		for i, v := range values {
			literals[i] = quote(v)
			want[literals[i]] = true
		}
		statements := q.membership("Email", literals)
		for i := range statements {
			soql := statements[i].soql("")
			if n := len(escape(soql)); n > maxEncodedQuery {
				t.Fatalf("a statement of %d encoded characters", n)
			}
			for l := range want {
				if strings.Contains(soql, "("+l) || strings.Contains(soql, ","+l) {
					delete(want, l)
				}
			}
		}
		if len(want) != 0 {
			t.Fatalf("%d values are in no statement", len(want))
		}
	})
}

func TestTenThousandAddressesCostFewCalls(t *testing.T) {
	q := query{layout: crm.NewLayout("Contact", []string{"Email"})}
	var literals []string
	for i := range 10_000 {
		literals = append(literals, quote(fmt.Sprintf("person.%d@example.com", i)))
	}
	if calls := ceil(len(q.membership("Email", literals)), compositeQueries); calls > 8 {
		t.Errorf("%d calls", calls)
	}
}
