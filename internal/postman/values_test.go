package postman_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/postman"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// runner plays Postman for two requests of the chain: it hands the pull script a
// page, answers the questions with nothing, and prints what would be pushed.
const runner = `
const { pull, match, results } = JSON.parse(require('fs').readFileSync(0))
const variables = {}, left = {}
const pm = {
  test: (name, check) => { const m = /^left out: HubSpot \S+ (\d+): (.*)$/s.exec(name); if (m) left[m[1]] = m[2] },
  expect: () => { throw new Error('no test is run here') },
  environment: { get: (key) => ({ salesforce_version: '68.0', write: 'yes', existing: 'fill' })[key] },
  collectionVariables: { get: (key) => variables[key], set: (key, value) => { variables[key] = value } },
  execution: { setNextRequest: () => {} },
  response: { code: 200 },
}
const quiet = { log: (line) => { const m = /^left out: HubSpot \S+ (\d+): (.*)$/s.exec(line); if (m) left[m[1]] = m[2] } }
pm.response.json = () => ({ results })
new Function('pm', 'console', pull)(pm, quiet)
const read = JSON.parse(variables.page)
const answers = JSON.parse(variables.lookup).compositeRequest.map((q) => ({ referenceId: q.referenceId, httpStatusCode: 200, body: { done: true, records: [] } }))
pm.response.json = () => ({ compositeResponse: answers })
if (answers.length) new Function('pm', 'console', match)(pm, quiet)
const records = {}
if (variables.push) {
  const order = JSON.parse(variables.work)
  for (const part of JSON.parse(variables.push).compositeRequest) part.body.records.forEach((r, i) => { records[order[part.referenceId][i]] = r })
}
console.log(JSON.stringify({ left, records, excluded: JSON.parse(variables.sums).excluded }))
`

// TestScriptsDecideAsASyncDoes holds the JavaScript of the collection against
// reconcile.Decide on thousands of odd records: what is created and with which
// values, what is excluded, and what is left out.
func TestScriptsDecideAsASyncDoes(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node in PATH: the scripts cannot be run")
	}
	bound := bind(t, everything)
	collection, _ := postman.Export(bound, postman.Options{})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 1))
	for _, object := range []string{"companies", "people"} {
		o := bound.Object(object)
		var records []*crm.Record
		for i := range 2000 {
			records = append(records, oddRecord(o, strconv.Itoa(1000+i), chance))
		}
		got := play(t, node, collection, o, records)
		for _, r := range records {
			compareDecision(t, o, r, got)
		}
	}
}

type played struct {
	Left     map[string]string                     `json:"left"`
	Records  map[string]map[string]json.RawMessage `json:"records"`
	Excluded int                                   `json:"excluded"`
}

func play(t *testing.T, node string, collection *postman.Collection, o *mapping.BoundObject, records []*crm.Record) played {
	t.Helper()
	type input struct {
		ID         string             `json:"id"`
		Properties map[string]*string `json:"properties"`
	}
	var results []input
	for _, r := range records {
		in := input{ID: r.ID, Properties: map[string]*string{}}
		for i, name := range r.Layout.Fields {
			if r.Values[i].IsPresent() {
				in.Properties[name] = &r.Values[i].Text
			} else {
				in.Properties[name] = nil
			}
		}
		results = append(results, in)
	}
	text, err := json.Marshal(map[string]any{"pull": script(t, collection, "Pull "+o.HubSpot), "match": script(t, collection, "Match "+o.HubSpot), "results": results})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "runner.js")
	if err := os.WriteFile(file, []byte(runner), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, file)
	command.Stdin, command.Stderr = strings.NewReader(string(text)), os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var p played
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

func script(t *testing.T, c *postman.Collection, name string) string {
	t.Helper()
	for _, item := range c.Requests() {
		if item.Name == name {
			for _, e := range item.Events {
				if e.Listen == "test" {
					return strings.Join(e.Script.Exec, "\n")
				}
			}
		}
	}
	t.Fatalf("no request %s", name)
	return ""
}

func compareDecision(t *testing.T, o *mapping.BoundObject, r *crm.Record, got played) {
	t.Helper()
	d := reconcile.Decide(o, reconcile.Snapshot{HubSpot: r})
	why, left := got.Left[r.ID]
	record := got.Records[r.ID]
	if strings.Contains(why, "JavaScript") || strings.Contains(why, "beyond ASCII") || strings.Contains(why, "plain number") {
		return // said in the description: JavaScript cannot hold it
	}
	switch {
	case d.Outcome == crm.Synced && record == nil:
		t.Errorf("%s %s: a sync creates it, the scripts say %q\n%s", o.HubSpot, r.ID, why, show(r))
	case d.Outcome == crm.Held && !left:
		t.Errorf("%s %s: a sync holds it (%s), the scripts do not\n%s", o.HubSpot, r.ID, d.Reason.Text, show(r))
	case d.Outcome == crm.Excluded && (left || record != nil):
		t.Errorf("%s %s: a sync excludes it, the scripts do not (%q)", o.HubSpot, r.ID, why)
	case d.Outcome == crm.Synced:
		want := map[string]string{"attributes": `{"type":"` + d.Writes[0].Object + `"}`, o.ExternalID: strconv.Quote(r.ID)}
		target := o.Target(d.Writes[0].Object)
		for _, c := range d.Writes[0].Changes {
			want[c.Field] = wire(target.Schema.Field(c.Field), c.After.Text)
		}
		have := map[string]string{}
		for name, raw := range record {
			have[name] = normal(raw)
		}
		for name, text := range want {
			want[name] = normal(json.RawMessage(text))
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s %s (-sync +scripts):\n%s%s", o.HubSpot, r.ID, diff, show(r))
		}
	}
}

// wire is how Salesforce's JSON holds a value.
func wire(f *crm.Field, text string) string {
	switch f.Kind {
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent, crm.KindBool:
		return text
	}
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

func normal(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	if n, ok := v.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprintf("%T %v", v, v)
}

func show(r *crm.Record) string {
	var b strings.Builder
	for i, name := range r.Layout.Fields {
		if r.Values[i].IsPresent() {
			fmt.Fprintf(&b, "    %s = %q\n", name, r.Values[i].Text)
		}
	}
	return b.String()
}

// oddRecord has for each property something that fits, something that nearly
// does, or nothing.
func oddRecord(o *mapping.BoundObject, id string, chance *rand.Rand) *crm.Record {
	layout := o.HubSpotRead.Layout
	r := &crm.Record{Layout: layout, ID: id, Values: make([]crm.Value, len(layout.Fields))}
	for i, name := range layout.Fields {
		f := o.HubSpotSchema.Field(name)
		r.Values[i] = crm.Text("")
		// The odder a record, the sooner it is held: most values fit.
		if chance.IntN(4) > 0 {
			r.Values[i] = crm.Text(odd(f, chance))
		}
	}
	if f := layout.Index("lastname"); f >= 0 && chance.IntN(10) > 0 {
		r.Values[f] = crm.Text("Müller")
	}
	if f := layout.Index("name"); f >= 0 && chance.IntN(10) > 0 {
		r.Values[f] = crm.Text("Acme & Söhne")
	}
	return r
}

func odd(f *crm.Field, chance *rand.Rand) string {
	pick := func(values ...string) string { return values[chance.IntN(len(values))] }
	if f == nil {
		return ""
	}
	usual := chance.IntN(8) > 0
	switch f.Kind {
	case crm.KindNumber, crm.KindCurrency, crm.KindInteger, crm.KindPercent:
		if usual {
			return pick("0", "1", "49.994", "50", "-3.005", "999.995", "0.5", "12", "-0", "+7", "1e2", ".5", "007", "9.9949", "9.995", "1234.5678")
		}
		return pick("1,000", "abc", "99999999", "1e30", "123456789012345678", "0x10", "1.2.3", "9999.995", "-", "1e-9")
	case crm.KindBool:
		if usual {
			return pick("true", "false", "Yes", "no", "TRUE")
		}
		return pick("maybe", "1")
	case crm.KindDate, crm.KindDateTime:
		if usual {
			return pick("2026-11-23", "2026-11-23T14:05:06.789Z", "2026-11-23T14:05:06Z", "1763906706789", "2024-02-29", "2026-11-23T23:30:00+02:00", "-86400000")
		}
		return pick("2026-02-30", "yesterday", "23.11.2026", "2026-11-23T25:00:00Z")
	case crm.KindPicklist, crm.KindMultiPicklist:
		if usual {
			option := f.Options[chance.IntN(len(f.Options))]
			other := f.Options[chance.IntN(len(f.Options))]
			if f.Kind == crm.KindMultiPicklist {
				return pick(option.Value, option.Value+";"+other.Value, option.Label, strings.ToUpper(option.Value)+" ; "+other.Value)
			}
			return pick(option.Value, option.Value, option.Label, strings.ToUpper(option.Value))
		}
		return pick("unheard of", ";", "Hot", "sports;opera")
	case crm.KindEmail:
		if usual {
			return pick("ana@example.com", "A.B@Example.ORG", "x@test.example")
		}
		return pick("nobody", "@x", "a b@c.de", "a@b,c@d", "a@")
	}
	if usual {
		return pick("Ana", "O'Brien", "Zoë 🎉", "US", "CA", " de ", "straße", "a\r\nb", "<b>\"x\" & y</b>", "Mr.", "ms.", "DR.", "+49 30 1234567", "e\u0301cole", "\u00a0x\u0085", "https://www.Example.com/x?y")
	}
	return pick(strings.Repeat("x", 300), strings.Repeat("é", 41), strings.Repeat("🎉", 30), strings.Repeat("e\u0308", 25), "x"+strings.Repeat("y ", 25), "")
}
