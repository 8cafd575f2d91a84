package mapping

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

func expressionSchemas() (h, s *crm.Object) {
	h = &crm.Object{Side: crm.HubSpot, Name: "things", Fields: []crm.Field{mappingtest.Field("name", crm.KindText, mappingtest.Label("Display name")), mappingtest.Field("amount", crm.KindNumber), mappingtest.Field("vip", crm.KindBool), mappingtest.Field("stage", crm.KindPicklist), mappingtest.Field("tags", crm.KindMultiPicklist),
		mappingtest.Field("born", crm.KindDate), mappingtest.Field("seen", crm.KindDateTime), mappingtest.Field("company", crm.KindReference)}}
	s = &crm.Object{Side: crm.Salesforce, Name: "Thing__c", Fields: []crm.Field{mappingtest.Field("Name", crm.KindText), mappingtest.Field("Amount__c", crm.KindCurrency)}}
	return h, s
}

func thing(values map[string]string) *crm.Record {
	l := crm.NewLayout("things", []string{"name", "amount", "vip", "stage", "tags", "born", "seen", "company"})
	r := &crm.Record{Layout: l, ID: "1", Values: make([]crm.Value, len(l.Fields))}
	for i, f := range l.Fields {
		r.Values[i] = crm.Text(values[f])
	}
	return r
}

func TestConditions(t *testing.T) {
	h, _ := expressionSchemas()
	full := thing(map[string]string{"name": "Acme", "amount": "1500.50", "vip": "true", "stage": "won", "tags": "a;b", "born": "2026-11-23", "seen": "2026-11-23T14:05:06.789Z", "company": "9007199254740993"})
	blank := thing(nil)
	for source, want := range map[string][2]bool{ // on full, on blank
		`hubspot.name != ""`:                                     {true, false},
		`hubspot.name != nil`:                                    {true, false},
		`hubspot.amount != ""`:                                   {true, false},
		`hubspot.amount == nil`:                                  {false, true},
		`nil != hubspot.company`:                                 {true, false},
		`hubspot.vip != nil`:                                     {true, false},
		`hubspot.vip == ""`:                                      {false, true},
		`not blank(hubspot.vip)`:                                 {true, false},
		`blank(trim(hubspot.name))`:                              {false, true},
		`hubspot?.name == nil`:                                   {false, true},
		`hubspot["name"] == "Acme"`:                              {true, false},
		`hubspot.amount > 1000`:                                  {true, false},
		`hubspot.amount < 1000`:                                  {false, false},
		`hubspot.amount == 0`:                                    {false, false},
		`(hubspot.amount ?? 0) < 1000`:                           {false, true},
		`hubspot.vip`:                                            {true, false},
		`hubspot.vip == false`:                                   {false, true},
		`hubspot.company == "9007199254740993"`:                  {true, false},
		`hubspot.born >= "2026-01-01"`:                           {true, false},
		`hubspot.seen == "2026-11-23T14:05:06Z"`:                 {true, false},
		`hubspot.stage in ["won", "lost"]`:                       {true, false},
		`"b" in split(hubspot.tags, ";")`:                        {true, false},
		`lower(hubspot.name) startsWith "ac"`:                    {true, false},
		`hubspot.name matches "^A.*e$" && len(hubspot.name) > 3`: {true, false},
		`let n = hubspot.name; n == "Acme"`:                      {true, false},
	} {
		p, flaws := compile(source, resultBool, h, nil)
		if flaws != nil {
			t.Errorf("%s: %+v", source, flaws)
			continue
		}
		for i, r := range []*crm.Record{full, blank} {
			if got, err := p.Bool(r, nil); err != nil || got != want[i] {
				t.Errorf("%s on %q = %v (%v), want %v", source, r.Value("name").Text, got, err, want[i])
			}
		}
		if got, err := p.Bool(nil, nil); err != nil || got != want[1] {
			t.Errorf("%s on no record = %v (%v), want as on a blank one", source, got, err)
		}
	}
}

func TestExpressionsGiveValues(t *testing.T) {
	h, s := expressionSchemas()
	full := thing(map[string]string{"name": "Acme", "amount": "1500.50", "vip": "true"})
	for source, want := range map[string][2]crm.Value{
		`hubspot.name + "!"`:                         {crm.Text("Acme!"), crm.Text("!")},
		`hubspot.amount * 2`:                         {crm.Text("3001"), crm.Text("")},
		`hubspot.amount == 1500.5 ? "big" : "small"`: {crm.Text("big"), crm.Text("small")},
		`hubspot.name ?? "none"`:                     {crm.Text("Acme"), crm.Text("none")},
		`if hubspot.vip { "VIP" } else { nil }`:      {crm.Text("VIP"), crm.Text("")},
		`hubspot.vip`:                                {crm.Text("true"), crm.Text("false")},
		`string(hubspot.amount) + " EUR"`:            {crm.Text("1500.5 EUR"), crm.Text(" EUR")},
		`domain("jo@Mail.example")`:                  {crm.Text("mail.example"), crm.Text("mail.example")},
		`10000000000 * 1000`:                         {crm.Text("10000000000000"), crm.Text("10000000000000")},
		`salesforce.Name`:                            {crm.Text(""), crm.Text("")},
	} {
		p, flaws := compile(source, resultValue, h, s)
		if flaws != nil {
			t.Errorf("%s: %+v", source, flaws)
			continue
		}
		for i, r := range []*crm.Record{full, thing(nil)} {
			if got, err := p.Text(r, nil); err != nil || got != want[i] {
				t.Errorf("%s on %q = %+v (%v), want %+v", source, r.Value("name").Text, got, err, want[i])
			}
		}
	}
}

func TestMistakesInExpressionsAreFoundBeforeAnythingRuns(t *testing.T) {
	h, s := expressionSchemas()
	for source, want := range map[string][]string{ // column what | mend
		`hubspot.nmae == "x"`:                    {"8 HubSpot things has no field nmae | did you mean name?"},
		`hubspot.nmae == hubspot.amuont`:         {"8 HubSpot things has no field nmae | did you mean name?", "24 HubSpot things has no field amuont | did you mean amount?"},
		`salesforce.name == ""`:                  {"11 Salesforce Thing__c has no field name | did you mean Name?"},
		`hubspot`:                                {"0 hubspot is a record; name one of its fields | write hubspot.name_of_the_field"},
		`hubspot[hubspot.name] == "x"`:           {"7 the field after hubspot must be written out | write hubspot.name_of_the_field"},
		`let hubspot = 1; hubspot == 1`:          {"4 hubspot is the record and cannot be given another meaning | choose another name", "17 hubspot is a record; name one of its fields | write hubspot.name_of_the_field"},
		`hubpsot.name == "x"`:                    {"0 unknown name hubpsot | did you mean hubspot?"},
		`hubspot.amount > "5"`:                   {"15 invalid operation: > (mismatched types float64 and string) | text is compared with text in quotes (\"5\"), numbers with plain numbers (5)"},
		`hubspot.name ==`:                        {"14 unexpected token EOF | "},
		`$env["x"] == 1`:                         {"0 $env cannot be used here | name the fields that you need"},
		`now() > date("2026-01-01")`:             {"0 unknown name now | "},
		`hubspot.name`:                           {"0 expected bool, but got string | "},
		strings.Repeat("(", 100) + "1":           nil,
		strings.Repeat("true && ", 400) + "true": nil,
	} {
		p, flaws := compile(source, resultBool, h, s)
		if p != nil || len(flaws) == 0 {
			t.Errorf("%s passes", source)
			continue
		}
		if want == nil {
			continue
		}
		var got []string
		for _, f := range flaws {
			got = append(got, fmt.Sprintf("%d %s | %s", f.column, f.what, f.mend))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
	for _, source := range []string{`split(hubspot.name, ",")`, `[1, 2]`, `{"a": 1}`} {
		if _, flaws := compile(source, resultValue, h, s); flaws == nil {
			t.Errorf("%s passes as a value", source)
		}
	}
}

func TestExpressionsThatCannotBeEvaluatedSayWhy(t *testing.T) {
	h, _ := expressionSchemas()
	unreadable := thing(nil)
	unreadable.Values[0] = crm.Value{State: crm.Unreadable}
	for source, r := range map[string]*crm.Record{
		`hubspot.name + "x"`:           unreadable,
		`hubspot.amount + 1`:           thing(map[string]string{"amount": "many"}),
		`1 / (hubspot.amount ?? 0)`:    thing(nil),
		`join(map(1..50000, "x"), "")`: thing(nil),
	} {
		p, flaws := compile(source, resultValue, h, nil)
		if flaws != nil {
			t.Errorf("%s: %+v", source, flaws)
			continue
		}
		if v, err := p.Text(r, nil); err == nil {
			t.Errorf("%s gives %+v", source, v)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error has several lines: %v", source, err)
		}
	}
}

func TestAProgramIsSafeForConcurrentUse(t *testing.T) {
	h, _ := expressionSchemas()
	p, flaws := compile(`hubspot.amount > 5 && hubspot.name startsWith "A"`, resultBool, h, nil)
	if flaws != nil {
		t.Fatal(flaws)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			r := thing(map[string]string{"amount": fmt.Sprint(i), "name": "A"})
			for range 200 {
				if got, err := p.Bool(r, nil); err != nil || got != (i > 5) {
					t.Errorf("%d: %v %v", i, got, err)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestDomainOf(t *testing.T) {
	for text, want := range map[string]string{"https://www.Acme.example/de?x=1": "acme.example", "jo@acme.example": "acme.example", "acme.example:8080": "acme.example", "www.www.acme.example": "acme.example",
		"Müller.example": "xn--mller-kva.example", "localhost": "", "10.0.0.1": "", "two words.example": "", "": ""} {
		if got := DomainOf(text); got != want {
			t.Errorf("DomainOf(%q) = %q, want %q", text, got, want)
		}
	}
}
