package hubspot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

func TestBatches(t *testing.T) {
	p := open(t)
	t.Run("read answers each record once, and 207 for the missing", func(t *testing.T) {
		id := p.insert("contacts", "email", "r@acme.example")
		a := p.must(207, "POST", "/crm/v3/objects/contacts/batch/read", `{"inputs":[{"id":"`+id+`"},{"id":"`+id+`"},{"id":"12"}],"properties":["email"]}`)
		if !slices.Equal(ids(a.list("results")), []string{id}) || a.str("status") != "COMPLETE" || a.at("numErrors") != 1.0 {
			t.Error(a.text)
		}
		want := map[string]any{"status": "error", "category": "OBJECT_NOT_FOUND", "context": map[string]any{"ids": []any{"12"}},
			"message": "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."}
		if diff := cmp.Diff(any(want), a.at("errors", 0)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("read by e-mail", func(t *testing.T) {
		id := p.insert("contacts", "email", "by@acme.example")
		a := p.must(200, "POST", "/crm/v3/objects/contacts/batch/read", `{"idProperty":"email","inputs":[{"id":"BY@acme.example"}]}`)
		if !slices.Equal(ids(a.list("results")), []string{id}) {
			t.Error(a.text)
		}
	})
	t.Run("read by a property that is not unique is refused", func(t *testing.T) {
		p.must(400, "POST", "/crm/v3/objects/companies/batch/read", `{"idProperty":"domain","inputs":[{"id":"acme.example"}]}`)
	})
	t.Run("read of history takes 50", func(t *testing.T) {
		var in []string
		for i := range 51 {
			in = append(in, fmt.Sprintf(`{"id":"%d"}`, i))
		}
		a := p.must(400, "POST", "/crm/v3/objects/contacts/batch/read", `{"propertiesWithHistory":["email"],"inputs":[`+strings.Join(in, ",")+`]}`)
		if a.str("message") != "The maximum number of inputs supported in a batch request for property histories is 50" {
			t.Error(a.text)
		}
	})
	t.Run("create without trace ids is all or nothing", func(t *testing.T) {
		before := p.s.Count("companies")
		p.must(400, "POST", "/crm/v3/objects/companies/batch/create", `{"inputs":[{"properties":{"name":"Good"}},{"properties":{"nope":"1"}}]}`)
		if n := p.s.Count("companies"); n != before {
			t.Errorf("%d companies were written", n-before)
		}
	})
	t.Run("create with trace ids keeps the good ones", func(t *testing.T) {
		a := p.must(207, "POST", "/crm/v3/objects/companies/batch/create", `{"inputs":[{"objectWriteTraceId":"1","properties":{"name":"Good"}},{"objectWriteTraceId":"2","properties":{"name":"x","nope":"1"}}]}`)
		if len(a.list("results")) != 1 || a.str("results", 0, "objectWriteTraceId") != "1" || a.str("errors", 0, "context", "objectWriteTraceId", 0) != "2" {
			t.Error(a.text)
		}
	})
	t.Run("results do not come in the order of the inputs", func(t *testing.T) {
		a := p.must(201, "POST", "/crm/v3/objects/companies/batch/create", `{"inputs":[{"properties":{"name":"1"}},{"properties":{"name":"2"}}]}`)
		if a.str("results", 0, "properties", "name") != "2" || a.str("results", 1, "properties", "name") != "1" {
			t.Error(a.text)
		}
	})
	t.Run("update, with unknown ids apart", func(t *testing.T) {
		id := p.insert("companies", "name", "Acme")
		a := p.must(207, "POST", "/crm/v3/objects/companies/batch/update", `{"inputs":[{"id":"`+id+`","properties":{"city":"Rome"}},{"id":"5","properties":{"city":"Rome"}}]}`)
		if a.str("results", 0, "properties", "city") != "Rome" || a.str("errors", 0, "context", "ids", 0) != "5" {
			t.Error(a.text)
		}
	})
	t.Run("upsert by a unique property of one's own", func(t *testing.T) {
		if err := p.s.AddProperty("companies", hubspot.Property{Name: "salesforce_id", Label: "Salesforce", Type: "string", FieldType: "text", HasUniqueValue: true}); err != nil {
			t.Fatal(err)
		}
		id := p.insert("companies", "name", "Acme", "salesforce_id", "001A")
		a := p.must(200, "POST", "/crm/v3/objects/companies/batch/upsert", `{"inputs":[{"id":"001A","idProperty":"salesforce_id","properties":{"city":"Oslo"}},{"id":"001B","idProperty":"salesforce_id","properties":{"name":"New"}}]}`)
		got := map[string]any{}
		for _, r := range a.list("results") {
			r := r.(map[string]any)
			got[r["id"].(string)] = r["new"]
		}
		if len(got) != 2 || got[id] != false {
			t.Error(a.text)
		}
		p.must(400, "POST", "/crm/v3/objects/companies/batch/upsert", `{"inputs":[{"id":"Acme","idProperty":"name","properties":{}}]}`)
	})
	t.Run("archive answers 204 whatever the ids", func(t *testing.T) {
		id := p.insert("companies", "name", "Acme")
		p.must(204, "POST", "/crm/v3/objects/companies/batch/archive", `{"inputs":[{"id":"`+id+`"},{"id":"5"},{"id":"x"}]}`)
		p.must(404, "GET", "/crm/v3/objects/companies/"+id, "")
	})
	for name, body := range map[string]string{
		"nothing to do is refused":      `{"inputs":[]}`,
		"bad JSON is refused":           `{"inputs":[`,
		"JSON of another form, as well": `{"inputs":{"id":"1"}}`,
		"over a hundred is refused":     `{"inputs":[` + strings.TrimSuffix(strings.Repeat(`{"id":"1"},`, 101), ",") + `]}`,
	} {
		t.Run(name, func(t *testing.T) { p.must(400, "POST", "/crm/v3/objects/contacts/batch/read", body) })
	}
}
