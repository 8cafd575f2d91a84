package mapping

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("lockstep.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("lockstep.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// plainValue turns yaml into what a JSON Schema validator reads: keys are text.
func plainValue(t *testing.T, src string) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(src), &n); err != nil {
		t.Fatal(err)
	}
	return jsonOf(t, n.Content[0])
}

func jsonOf(t *testing.T, n *yaml.Node) any {
	n = resolve(n)
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = jsonOf(t, n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, item := range n.Content {
			out = append(out, jsonOf(t, item))
		}
		return out
	}
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheSchemaTakesWhatParseTakes(t *testing.T) {
	schema := compiledSchema(t)
	for name, src := range map[string]string{"the design's example": design, "the least": minimal, "a suggestion": string(Suggest(standardSchemas(), Accounts{"acme", "acme"}))} {
		if err := schema.Validate(plainValue(t, src)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSchemaRefusesWhatParseRefuses(t *testing.T) {
	schema := compiledSchema(t)
	for _, change := range []string{"fields: [{hubspot: a, salesforce: B, wins: nobody}]", "feilds: []", "deletes: always", "deletes: {in-hubspot: always}", "deletes: {hubspot: ask}", "leaves: now", "match: [{hubspot: a}]", "where: 'x'", "salesforce2: X", "unmapped: skip"} {
		src := "hubspot: a\nsalesforce: b\nobjects:\n  - name: x\n    hubspot: contacts\n    salesforce: Contact\n    " + change + "\n"
		if schema.Validate(plainValue(t, src)) == nil {
			t.Errorf("the schema takes %s", change)
		}
		if _, err := Parse("lockstep.yaml", []byte(src)); err == nil {
			t.Errorf("Parse takes %s", change)
		}
	}
}

// Every key in the shape is read by Parse: a key that Parse ignores would make
// an editor praise what does nothing.
func TestEveryKeyChangesTheMapping(t *testing.T) {
	samples := map[string]string{"hubspot": "hubspot: other", "salesforce": "salesforce: other", "every": "every: 5m", "brakes.creates": "brakes: {creates: 1}", "brakes.updates": "brakes: {updates: 1}", "brakes.deletes": "brakes: {deletes: 1}",
		"budget.hubspot": "budget: {hubspot: 1%}", "budget.salesforce": "budget: {salesforce: 1%}",
		"wake.webhooks": "wake: {webhooks: {url: https://sync.example.com/}}", "wake.journal": "wake: {journal: true}", "wake.change-events": "wake: {change-events: true}"}
	object := map[string]string{"name": "name: y", "hubspot": "hubspot: deals", "salesforce": "salesforce: Lead", "match": "match: [{hubspot: a, salesforce: B}]", "external-id": "external-id: X__c", "create": "create: never",
		"where": "where: {hubspot: '1 > 2'}", "fields": "fields: [{hubspot: a, salesforce: B}]", "associations": "associations: [{hubspot: companies, salesforce: AccountId}]", "owner": "owner: by-email", "deletes": "deletes: ask", "leaves": "leaves: keep"}
	fieldKeySamples := map[string]string{"hubspot": "hubspot: z", "salesforce": "salesforce: Z", "from": "", "direction": "direction: to-salesforce", "wins": "wins: hold", "values": "values: {a: b}", "unmapped": "unmapped: skip", "blank": "blank: x", "too-long": "too-long: cut", "times": "times: 100", "on": "on: [Contact]"}
	file := func(top, object, field string) string {
		base := map[string]string{"hubspot": "hubspot: a", "salesforce": "salesforce: b"}
		keys := map[string]string{"name": "name: x", "hubspot": "hubspot: contacts", "salesforce": "salesforce: Contact", "fields": "fields:"}
		fields := map[string]string{"hubspot": "hubspot: a", "salesforce": "salesforce: B"}
		pick := func(into map[string]string, line string) {
			if line != "" {
				name, _, _ := bytes.Cut([]byte(line), []byte(":"))
				into[string(name)] = line
			}
		}
		pick(base, top)
		pick(keys, object)
		pick(fields, field)
		if keys["fields"] == "fields:" {
			flow := ""
			for _, f := range fields {
				flow += f + ", "
			}
			keys["fields"] = "fields: [{" + flow + "}]"
		}
		src := ""
		for _, l := range base {
			src += l + "\n"
		}
		src += "objects:\n  -\n"
		for _, l := range keys {
			src += "    " + l + "\n"
		}
		return src
	}
	version := func(src string) string {
		m, err := Parse("lockstep.yaml", []byte(src))
		if err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
		return fmt.Sprint(m.Version, m.Every, m.Budget, m.Wake)
	}
	base := version(file("", "", ""))
	check := func(where string, keys []key, samples map[string]string, make func(string) string) {
		for _, k := range keys {
			sample, ok := samples[k.name]
			switch {
			case !ok:
				t.Errorf("%s: the test has no sample of %s", where, k.name)
			case sample != "" && version(make(sample)) == base && !(where == "object" && k.name == "fields"):
				t.Errorf("%s: %s changes nothing", where, k.name)
			}
		}
	}
	for _, k := range fileKeys() {
		switch k.name {
		case "objects", "policies":
		case "brakes", "budget", "wake":
			for _, inner := range k.form.keys {
				if sample, ok := samples[k.name+"."+inner.name]; !ok || version(file(sample, "", "")) == base {
					t.Errorf("%s.%s changes nothing, or has no sample", k.name, inner.name)
				}
			}
		default:
			check("file", []key{k}, samples, func(s string) string { return file(s, "", "") })
		}
	}
	policy := func(line string) string {
		keys := map[string]string{"name": "name: n", "deny": "deny: 'true'"}
		if line != "" {
			name, _, _ := strings.Cut(line, ":")
			keys[name] = line
		}
		src := file("", "", "") + "policies:\n  -\n"
		for _, l := range keys {
			src += "    " + l + "\n"
		}
		return src
	}
	base = version(policy(""))
	check("policy", policyKeys(), map[string]string{"name": "name: m", "for": "for: x", "side": "side: salesforce", "on": "on: Contact", "deny": "deny: 'false'", "then": "then: stop", "beyond": "beyond: 3"}, policy)
	base = version(file("", "", ""))
	check("object", objectKeys(), object, func(s string) string { return file("", s, "") })
	check("field", fieldKeys(), fieldKeySamples, func(s string) string { return file("", "", s) })
}
