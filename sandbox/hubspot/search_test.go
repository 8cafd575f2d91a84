package hubspot_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

func TestSearchOperators(t *testing.T) {
	p := open(t)
	if err := p.s.AddProperty("contacts", hubspot.Property{Name: "score", Label: "Score", Type: "number", FieldType: "number"}); err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	add := func(n int, pairs ...string) string { return p.s.Insert("contacts", props(pairs...), day(n), day(n)) }
	ada := add(1, "email", "ada@acme.example", "firstname", "Ada", "lastname", "Lovelace", "numemployees", "1-5", "hs_buying_role", "CHAMPION;BLOCKER", "score", "9")
	bob := add(2, "email", "bob@acme.example", "firstname", "Bob", "lastname", "Berg-Olsen", "score", "10", "closedate", "2026-06-01T12:00:00Z")
	eve := add(3, "email", "eve@other.example", "firstname", "Ève", "score", "100")
	tests := []struct{ name, filter, want string }{
		{"EQ ignores case", `{"propertyName":"firstname","operator":"EQ","value":"ADA"}`, "ada"},
		{"EQ ignores case beyond ASCII", `{"propertyName":"firstname","operator":"EQ","value":"ève"}`, "eve"},
		{"EQ of an enumeration does not", `{"propertyName":"numemployees","operator":"EQ","value":"1-5"}`, "ada"},
		{"EQ finds one of several options", `{"propertyName":"hs_buying_role","operator":"EQ","value":"BLOCKER"}`, "ada"},
		{"EQ by e-mail in any case", `{"propertyName":"email","operator":"EQ","value":"BOB@acme.example"}`, "bob"},
		{"NEQ leaves out records without the property", `{"propertyName":"lastname","operator":"NEQ","value":"lovelace"}`, "bob"},
		{"numbers compare by size", `{"propertyName":"score","operator":"LT","value":"10"}`, "ada"},
		{"LTE", `{"propertyName":"score","operator":"LTE","value":"10"}`, "ada bob"},
		{"GT", `{"propertyName":"score","operator":"GT","value":"9.5"}`, "bob eve"},
		{"GTE", `{"propertyName":"score","operator":"GTE","value":"100"}`, "eve"},
		{"BETWEEN includes both ends", `{"propertyName":"score","operator":"BETWEEN","value":"9","highValue":"10"}`, "ada bob"},
		{"IN", `{"propertyName":"lastname","operator":"IN","values":["lovelace","berg-olsen"]}`, "ada bob"},
		{"IN wants lower case", `{"propertyName":"lastname","operator":"IN","values":["Lovelace"]}`, ""},
		{"IN of ids", `{"propertyName":"hs_object_id","operator":"IN","values":["` + bob + `",` + eve + `]}`, "bob eve"},
		{"NOT_IN", `{"propertyName":"lastname","operator":"NOT_IN","values":["lovelace"]}`, "bob"},
		{"HAS_PROPERTY", `{"propertyName":"closedate","operator":"HAS_PROPERTY"}`, "bob"},
		{"NOT_HAS_PROPERTY", `{"propertyName":"lastname","operator":"NOT_HAS_PROPERTY"}`, "eve"},
		{"CONTAINS_TOKEN finds a word", `{"propertyName":"lastname","operator":"CONTAINS_TOKEN","value":"olsen"}`, "bob"},
		{"CONTAINS_TOKEN finds no part of a word", `{"propertyName":"lastname","operator":"CONTAINS_TOKEN","value":"ols"}`, ""},
		{"CONTAINS_TOKEN with a wildcard does", `{"propertyName":"lastname","operator":"CONTAINS_TOKEN","value":"love*"}`, "ada"},
		{"CONTAINS_TOKEN with a wildcard over the whole value", `{"propertyName":"email","operator":"CONTAINS_TOKEN","value":"*@acme.example"}`, "ada bob"},
		{"NOT_CONTAINS_TOKEN", `{"propertyName":"email","operator":"NOT_CONTAINS_TOKEN","value":"*@acme.example"}`, "eve"},
		{"times in milliseconds", fmt.Sprintf(`{"propertyName":"lastmodifieddate","operator":"GTE","value":"%d"}`, day(2).UnixMilli()), "bob eve"},
		{"times in ISO", `{"propertyName":"createdate","operator":"LT","value":"2026-03-02T00:00:00Z"}`, "ada"},
		{"a time that is stored", `{"propertyName":"closedate","operator":"GT","value":"2026-06-01"}`, "bob"},
		{"ids compare as numbers", `{"propertyName":"hs_object_id","operator":"GT","value":"` + ada + `"}`, "bob eve"},
	}
	names := map[string]string{ada: "ada", bob: "bob", eve: "eve"}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := p.must(200, "POST", "/crm/v3/objects/contacts/search", `{"filterGroups":[{"filters":[`+test.filter+`]}]}`)
			var got []string
			for _, id := range ids(a.list("results")) {
				got = append(got, names[id])
			}
			slices.Sort(got)
			if s := strings.Join(got, " "); s != test.want || a.at("total") != float64(len(got)) {
				t.Errorf("got %q, want %q", s, test.want)
			}
		})
	}
	t.Run("groups are alternatives", func(t *testing.T) {
		a := p.must(200, "POST", "/crm/v3/objects/contacts/search", `{"filterGroups":[{"filters":[{"propertyName":"firstname","operator":"EQ","value":"ada"}]},{"filters":[{"propertyName":"firstname","operator":"EQ","value":"bob"},{"propertyName":"score","operator":"EQ","value":"10"}]}]}`)
		if got := ids(a.list("results")); !slices.Equal(got, []string{ada, bob}) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("filters outside a group are one", func(t *testing.T) {
		a := p.must(200, "POST", "/crm/v3/objects/contacts/search", `{"filters":[{"propertyName":"firstname","operator":"EQ","value":"ada"}]}`)
		if got := ids(a.list("results")); !slices.Equal(got, []string{ada}) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("free text looks at the type's searchable properties", func(t *testing.T) {
		a := p.must(200, "POST", "/crm/v3/objects/contacts/search", `{"query":"acme BERG"}`)
		if got := ids(a.list("results")); !slices.Equal(got, []string{bob}) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("by association", func(t *testing.T) {
		deal := p.insert("deals", "dealname", "x", "dealstage", "closedwon")
		p.s.Associate("deals", deal, "contacts", bob)
		a := p.must(200, "POST", "/crm/v3/objects/deals/search", `{"filterGroups":[{"filters":[{"propertyName":"associations.contact","operator":"EQ","value":"`+bob+`"}]}]}`)
		if got := ids(a.list("results")); !slices.Equal(got, []string{deal}) {
			t.Errorf("got %v", got)
		}
	})
	for name, sorts := range map[string]string{
		"sorted by an object": `[{"propertyName":"score","direction":"DESCENDING"}]`,
		"sorted by a name":    `["-score"]`,
	} {
		t.Run(name, func(t *testing.T) {
			a := p.must(200, "POST", "/crm/v3/objects/contacts/search", `{"sorts":`+sorts+`}`)
			if got := ids(a.list("results")); !slices.Equal(got, []string{eve, bob, ada}) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestSearchLimits(t *testing.T) {
	p := open(t)
	filter := `{"propertyName":"email","operator":"HAS_PROPERTY"}`
	group := func(n int) string {
		return `{"filters":[` + strings.TrimSuffix(strings.Repeat(filter+",", n), ",") + `]}`
	}
	tests := []struct {
		name, body string
		status     int
	}{
		{"an empty body is a search for all", `{}`, 200},
		{"200 records a page", `{"limit":200}`, 200},
		{"201 records a page are too many", `{"limit":201}`, 400},
		{"after 9999 with limit 1 is the last", `{"after":"9999","limit":1}`, 200},
		{"after as a number", `{"after":9999,"limit":1}`, 200},
		{"after 10000 is past the end", `{"after":"10000","limit":1}`, 400},
		{"a page across the end is refused", `{"after":"9900","limit":101}`, 400},
		{"five groups", `{"filterGroups":[` + strings.TrimSuffix(strings.Repeat(group(3)+",", 5), ",") + `]}`, 200},
		{"six groups are too many", `{"filterGroups":[` + strings.TrimSuffix(strings.Repeat(group(1)+",", 6), ",") + `]}`, 400},
		{"six filters in a group", `{"filterGroups":[` + group(6) + `]}`, 200},
		{"seven are too many", `{"filterGroups":[` + group(7) + `]}`, 400},
		{"nineteen filters in all are too many", `{"filterGroups":[` + group(5) + `,` + group(5) + `,` + group(5) + `,` + group(4) + `]}`, 400},
		{"two sorts are one too many", `{"sorts":["email","lastname"]}`, 400},
		{"a body of more than 3,000 characters", `{"query":"` + strings.Repeat("x", 3000) + `"}`, 400},
		{"an unknown property", `{"filterGroups":[{"filters":[{"propertyName":"nope","operator":"EQ","value":"1"}]}]}`, 400},
		{"an unknown operator", `{"filterGroups":[{"filters":[{"propertyName":"email","operator":"LIKE","value":"1"}]}]}`, 400},
		{"an operator without its value", `{"filterGroups":[{"filters":[{"propertyName":"email","operator":"EQ"}]}]}`, 400},
		{"a date that is none", `{"filterGroups":[{"filters":[{"propertyName":"createdate","operator":"GT","value":"soon"}]}]}`, 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.must(test.status, "POST", "/crm/v3/objects/contacts/search", test.body)
		})
	}
}

func TestSearchSeesTenThousandOfMore(t *testing.T) {
	p := open(t)
	at := p.clock.Now()
	for range 10_050 {
		p.s.Insert("companies", props("name", "x"), at, at) // one stamp for all, as after an import
	}
	a := p.must(200, "POST", "/crm/v3/objects/companies/search", `{"limit":200,"after":"9800","sorts":["hs_object_id"]}`)
	if a.at("total") != 10_050.0 || a.str("paging", "next", "after") != "10000" {
		t.Error(a.at("total"), a.at("paging"))
	}
	last := a.str("results", 199, "id")
	a = p.must(200, "POST", "/crm/v3/objects/companies/search", `{"limit":200,"sorts":["hs_object_id"],"filterGroups":[{"filters":[{"propertyName":"hs_object_id","operator":"GT","value":"`+last+`"}]}]}`)
	if a.at("total") != 50.0 {
		t.Error(a.at("total"))
	}
}

// TestSearchAgreesWithAScan compares what the indexes answer with what looking at
// every record answers, over records that were edited and archived in between.
func TestSearchAgreesWithAScan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := open(t)
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		p.clock.Set(start.Add(time.Hour))
		type row struct {
			id, revenue       int64
			created, modified int64
		}
		rows := map[int64]*row{}
		var order []int64
		for range rapid.IntRange(1, 30).Draw(rt, "records") {
			created := start.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "created")) * time.Second)
			revenue := rapid.Int64Range(0, 5).Draw(rt, "revenue")
			text := p.s.Insert("companies", props("name", "x", "annualrevenue", strconv.FormatInt(revenue, 10)), created, created)
			id, _ := strconv.ParseInt(text, 10, 64)
			rows[id] = &row{id, revenue, created.UnixMilli(), created.UnixMilli()}
			order = append(order, id)
		}
		for range rapid.IntRange(0, 10).Draw(rt, "edits") {
			id := rapid.SampledFrom(order).Draw(rt, "record")
			if rows[id] == nil {
				continue
			}
			text := strconv.FormatInt(id, 10)
			if rapid.IntRange(0, 4).Draw(rt, "what") == 0 {
				if err := p.s.Archive("companies", text); err != nil {
					rt.Fatal(err)
				}
				delete(rows, id)
				continue
			}
			rows[id].revenue = rapid.Int64Range(6, 9).Draw(rt, "new revenue")
			if err := p.s.Update("companies", text, props("annualrevenue", strconv.FormatInt(rows[id].revenue, 10))); err != nil {
				rt.Fatal(err)
			}
			got, _ := p.s.Get("companies", text)
			at, _ := time.Parse(time.RFC3339, got["hs_lastmodifieddate"])
			rows[id].modified = at.UnixMilli()
		}
		field := rapid.SampledFrom([]string{"hs_object_id", "hs_lastmodifieddate", "createdate", "annualrevenue"}).Draw(rt, "field")
		value := func(r *row) int64 {
			return map[string]int64{"hs_object_id": r.id, "hs_lastmodifieddate": r.modified, "createdate": r.created, "annualrevenue": r.revenue}[field]
		}
		var bound int64
		if r := rows[rapid.SampledFrom(order).Draw(rt, "bound")]; r != nil {
			bound = value(r)
		}
		operator := rapid.SampledFrom([]string{"EQ", "LT", "LTE", "GT", "GTE", "NEQ"}).Draw(rt, "operator")
		descending := rapid.Bool().Draw(rt, "descending")
		sortField := rapid.SampledFrom([]string{field, "hs_object_id", "hs_lastmodifieddate"}).Draw(rt, "sort")
		var want []string
		for _, id := range order {
			r := rows[id]
			if r == nil {
				continue
			}
			n := value(r)
			if map[string]bool{"EQ": n == bound, "LT": n < bound, "LTE": n <= bound, "GT": n > bound, "GTE": n >= bound, "NEQ": n != bound}[operator] {
				want = append(want, strconv.FormatInt(id, 10))
			}
		}
		direction := "ASCENDING"
		if descending {
			direction = "DESCENDING"
		}
		a := p.must(200, "POST", "/crm/v3/objects/companies/search", fmt.Sprintf(`{"limit":200,"sorts":[{"propertyName":%q,"direction":%q}],"properties":["annualrevenue"],"filterGroups":[{"filters":[{"propertyName":%q,"operator":%q,"value":"%d"}]}]}`,
			sortField, direction, field, operator, bound))
		got := ids(a.list("results"))
		var keys []float64
		for _, v := range a.list("results") {
			v := v.(map[string]any)
			id, _ := strconv.ParseInt(v["id"].(string), 10, 64)
			r := rows[id]
			keys = append(keys, float64(map[string]int64{"hs_object_id": r.id, "hs_lastmodifieddate": r.modified, "createdate": r.created, "annualrevenue": r.revenue}[sortField]))
		}
		if descending {
			slices.Reverse(keys)
		}
		if !slices.IsSorted(keys) {
			rt.Fatalf("not sorted by %s: %v", sortField, keys)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got, equateEmpty); diff != "" {
			rt.Fatalf("%s %s %d: %s", field, operator, bound, diff)
		}
		if a.at("total") != float64(len(want)) {
			rt.Fatalf("total %v, want %d", a.at("total"), len(want))
		}
	})
}

var equateEmpty = cmp.Transformer("sorted", func(in []string) []string {
	out := append([]string{}, in...)
	slices.Sort(out)
	return out
})

func TestSearchLagsBehindWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openWith(t, hubspot.Config{TenSecondly: -1, SearchSecondly: -1})
		old := p.insert("contacts", "email", "old@acme.example", "city", "Bern")
		gone := p.insert("contacts", "email", "gone@acme.example")
		p.dials.Set(faults.Setting{SearchLagMillis: 5000})
		search := func(body string) []string {
			return ids(p.must(200, "POST", "/crm/v3/objects/contacts/search", body).list("results"))
		}
		stamp := p.clock.Now().UnixMilli()
		made := p.must(201, "POST", "/crm/v3/objects/contacts", `{"properties":{"email":"new@acme.example"}}`).str("id")
		p.must(200, "PATCH", "/crm/v3/objects/contacts/"+old, `{"properties":{"city":"Basel"}}`)
		p.must(204, "DELETE", "/crm/v3/objects/contacts/"+gone, "")
		changed := fmt.Sprintf(`{"filterGroups":[{"filters":[{"propertyName":"lastmodifieddate","operator":"GTE","value":"%d"}]}],"sorts":["hs_object_id"]}`, stamp)
		inBasel := `{"filterGroups":[{"filters":[{"propertyName":"city","operator":"EQ","value":"basel"}]}]}`

		time.Sleep(4999 * time.Millisecond)
		if got := search(`{"sorts":["hs_object_id"]}`); !slices.Equal(got, []string{old, gone}) {
			t.Errorf("before the lag is over: got %v, want %v", got, []string{old, gone})
		}
		if got := search(changed); len(got) != 0 {
			t.Errorf("changed, before the lag is over: got %v", got)
		}
		if got := search(inBasel); len(got) != 0 {
			t.Errorf("in Basel, before the lag is over: got %v", got)
		}
		if got := p.must(200, "GET", "/crm/v3/objects/contacts/"+old+"?properties=city", "").str("properties", "city"); got != "Basel" {
			t.Errorf("a read by id lags: %s", got)
		}
		time.Sleep(time.Millisecond)
		if got := search(changed); !slices.Equal(got, []string{old, made}) {
			t.Errorf("changed, after the lag: got %v, want %v", got, []string{old, made})
		}
		if got := search(inBasel); !slices.Equal(got, []string{old}) {
			t.Errorf("in Basel, after the lag: got %v", got)
		}
		if got := search(`{"sorts":["hs_object_id"]}`); !slices.Equal(got, []string{old, made}) {
			t.Errorf("after the lag: got %v", got)
		}
	})
}
