package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// kindsOf are the kinds of fields that a side has.
func kindsOf(side crm.Side) []crm.Kind {
	all := []crm.Kind{crm.KindText, crm.KindLongText, crm.KindHTML, crm.KindNumber, crm.KindCurrency, crm.KindPercent, crm.KindBool, crm.KindDate, crm.KindDateTime,
		crm.KindPicklist, crm.KindMultiPicklist, crm.KindPhone, crm.KindEmail, crm.KindURL}
	if side == crm.Salesforce {
		all = append(all, crm.KindInteger, crm.KindTime)
	}
	return all
}

// formPair is one field on both sides under one set of rules.
type formPair struct {
	name   string
	object *mapping.BoundObject
}

func (p formPair) field(side crm.Side) *crm.Field {
	f := &p.object.Targets[0].Fields[0]
	if side == crm.HubSpot {
		return f.HubSpotField
	}
	return f.SalesforceField
}

// formPairs are all pairs of kinds that a mapping may name, each under several
// rules.
func formPairs(t *testing.T) []formPair {
	t.Helper()
	var all []formPair
	for _, h := range kindsOf(crm.HubSpot) {
		for _, s := range kindsOf(crm.Salesforce) {
			for _, rules := range []string{"direction: both, unmapped: skip, too-long: cut", "direction: both, unmapped: hold, too-long: hold, wins: salesforce",
				"direction: to-salesforce, unmapped: skip, too-long: skip", "direction: to-hubspot, unmapped: hold", "direction: both, values: {a: One, b: One, c: Two}, unmapped: {use: Five}",
				"direction: both, times: 0.01", "direction: both, times: 1000"} {
				if o := bindForm(t, h, s, rules); o != nil {
					all = append(all, formPair{fmt.Sprintf("%s to %s (%s)", h, s, rules), o})
				}
			}
		}
	}
	return all
}

// bindForm is nil where the mapping may not name such a pair.
func bindForm(t *testing.T, hubspot, salesforce crm.Kind, rules string) *mapping.BoundObject {
	t.Helper()
	tables := hubspot == crm.KindPicklist || hubspot == crm.KindMultiPicklist
	if strings.Contains(rules, "values:") && (!tables || salesforce != crm.KindPicklist && salesforce != crm.KindMultiPicklist) {
		return nil
	}
	src := fmt.Sprintf("hubspot: a\nsalesforce: b\nobjects:\n  - name: zoo\n    hubspot: zoo\n    salesforce: Zoo__c\n    create: never\n    fields:\n      - {hubspot: f, salesforce: F__c, %s}\n", rules)
	m, err := mapping.Parse("lockstep.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	h := &crm.Object{Side: crm.HubSpot, Name: "zoo", Updatable: true, Fields: []crm.Field{zooField("f", hubspot, crm.HubSpot)}}
	s := &crm.Object{Side: crm.Salesforce, Name: "Zoo__c", Updatable: true, Fields: []crm.Field{zooField("F__c", salesforce, crm.Salesforce)}}
	b, _ := m.Bind(mapping.Schemas{HubSpot: map[string]*crm.Object{"zoo": h}, Salesforce: map[string]*crm.Object{"Zoo__c": s}})
	if b == nil {
		return nil
	}
	return b.Object("zoo")
}

// typed draws what a person types into a field; the vendor has not stored it yet.
func typed(t *rapid.T, f *crm.Field, other *crm.Field, name string) string {
	var of []string
	switch f.Kind {
	case crm.KindPicklist, crm.KindMultiPicklist:
		for _, o := range f.Options {
			of = append(of, o.Value)
		}
		if f.Kind == crm.KindMultiPicklist {
			of = append(of, of[0]+";"+of[1], of[1]+";"+of[0], of[2]+";"+of[3], of[1]+";"+of[2]+";"+of[0])
		}
	case crm.KindBool:
		of = []string{"true", "false"}
	case crm.KindInteger:
		of = []string{"0", "7", "-1500", "123456789"}
	case crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		of = []string{"0", "1500", "1500.50", "-3.456", "0.0004", "99.995", "0.07", "123456.789012345", "1234567890123456.78", "1234567.89", "-0.005"}
	case crm.KindDate:
		of = []string{"2026-11-23", "2026-11-24", "1999-12-31"}
	case crm.KindDateTime:
		of = []string{"2026-11-23T14:05:06.789Z", "2026-11-23T14:05:06Z", "2026-11-24T00:00:00Z", "2026-11-23T23:59:59.999Z"}
	case crm.KindTime:
		of = []string{"14:05:06.000Z", "00:00:00.000Z", "23:59:59.999Z"}
	case crm.KindEmail:
		of = []string{"Ada@Acme.example", "ada@acme.example", "bo@b.example"}
	case crm.KindPhone:
		of = []string{"+49 (0)30 1234", "+49301234", "030/1234", "0049 30 1234 ext. 5", "none"}
	case crm.KindURL:
		of = []string{"https://Acme.example/", "acme.example", "http://acme.example/De"}
	case crm.KindHTML:
		of = []string{"<p>a &amp; b</p>", "a &amp; b", "<b>x</b><br>y", "x\ny", "<div>one</div><div>two <span style='color:red'>red</span></div>", "<ul><li>1<li>2</ul>", "a<p>b", "x < y &copy;",
			"<p>t</p><script>alert(1)</script>", "<a href='https://acme.example/?a=1&b=2'>link</a>", "<p></p>", "<p>" + strings.Repeat("long &amp; ", 12) + "</p>"}
	default:
		of = textFor(other.Kind)
		if other.Kind == crm.KindTime {
			of = []string{"14:05", "14:05:06", "23:59:59.999", "noon"}
		}
		of = append(of, "a  b\n\n  c", "<x> & y", "2026", "\u00a0x\u00a0")
	}
	return rapid.SampledFrom(append(of, "", "")).Draw(t, name)
}

// history is one pair of records with what two vendors and two people do to it.
type history struct {
	*rapid.T
	formPair
	vendor  vendorModel
	now     reconcile.Snapshot
	clock   int64
	edited  map[crm.Side]bool // since the field was last settled
	written map[crm.Side]bool // in the last cycle
}

func (h *history) record(side crm.Side) *crm.Record {
	if side == crm.HubSpot {
		return h.now.HubSpot
	}
	return h.now.Salesforce
}

// put stores what somebody wrote; a person whom a form refuses types nothing.
func (h *history) put(side crm.Side, text string) bool {
	stored, ok := h.vendor.stores(side, h.field(side), text)
	if !ok {
		return false
	}
	h.clock += 1_000_000
	r := modified(set(h.record(side), h.field(side).Name, stored), h.clock)
	if side == crm.HubSpot {
		h.now.HubSpot = r
	} else {
		h.now.Salesforce = r
	}
	return true
}

func (h *history) cycle() {
	d := reconcile.Decide(h.object, h.now)
	h.written = map[crm.Side]bool{}
	first := h.now.Link.Base.Version == 0
	for _, w := range d.Writes {
		for _, c := range w.Changes {
			if !first && !h.edited[w.Side.Other()] {
				h.Fatalf("%s is written to %s, and nobody edited %s: %s", show(c.After), w.Side.Title(), w.Side.Other().Title(), c.Why)
			}
			h.written[w.Side] = true
			before := h.clock
			if !h.put(w.Side, c.After.Text) {
				h.Fatal(refused(w.Side, h.field(w.Side), c.After.Text))
			}
			h.clock = before
		}
	}
	if h.written[crm.HubSpot] && h.written[crm.Salesforce] {
		h.Fatal("one field is written on both sides")
	}
	if d.Base != nil {
		link := *h.now.Link
		link.Base = *d.Base
		h.now.Link = &link
	}
	open := d.Outcome == crm.Held || slices.ContainsFunc(d.Notes, func(n crm.Reason) bool { return n.Code == reconcile.NoteSkipped })
	if !open {
		h.edited = map[crm.Side]bool{}
	}
	again := reconcile.Decide(h.object, h.now)
	if len(again.Writes) > 0 {
		h.Fatalf("nobody did anything, and yet: %s (HubSpot %s, Salesforce %s)", again.Reason.Text, h.shown(crm.HubSpot), h.shown(crm.Salesforce))
	}
	if again.Base != nil {
		link := *h.now.Link
		link.Base = *again.Base
		h.now.Link = &link
	}
	if len(d.Writes) > 0 && !reconcile.Agree(&h.object.Targets[0].Fields[0], h.now.HubSpot.Value("f"), h.now.Salesforce.Value("F__c"), reconcile.Place{Current: h.now.HubSpot.Value("f")}) {
		h.Fatalf("after a write HubSpot %s and Salesforce %s do not agree", h.shown(crm.HubSpot), h.shown(crm.Salesforce))
	}
}

func (h *history) shown(side crm.Side) string {
	return show(h.record(side).Value(h.field(side).Name))
}

func show(v crm.Value) string { return fmt.Sprintf("%q", v.Text) }

// TestNoFormComesBackAsAChange: whatever two vendors make of what is written,
// and whoever edits what in which order, a value is written because somebody
// changed the other side, and never because of its form.
func TestNoFormComesBackAsAChange(t *testing.T) {
	pairs := formPairs(t)
	if len(pairs) < 300 {
		t.Fatalf("only %d pairs of kinds bind", len(pairs))
	}
	wrote := 0
	rapid.Check(t, func(t *rapid.T) {
		h := &history{T: t, formPair: rapid.SampledFrom(pairs).Draw(t, "pair"), vendor: vendorModel{tidy: rapid.Bool().Draw(t, "tidy")}, edited: map[crm.Side]bool{}}
		t.Log(h.name)
		h.now.HubSpot, h.now.Salesforce = record(h.object.HubSpotRead.Layout, "1", nil), salesforce(h.object, "Zoo__c", "a00000000000001AAA")
		h.now.Link = &crm.Link{Mapping: "zoo", HubSpotID: "1", SalesforceObject: "Zoo__c", SalesforceID: "a00000000000001AAA"}
		for n := range rapid.IntRange(2, 8).Draw(t, "steps") {
			step := fmt.Sprintf("step %d", n)
			side := rapid.SampledFrom([]crm.Side{crm.HubSpot, crm.Salesforce}).Draw(t, step)
			if h.put(side, typed(t, h.field(side), h.field(side.Other()), step+" types")) {
				h.edited[side] = true
			}
			if rapid.IntRange(0, 2).Draw(t, step+" syncs") > 0 {
				h.cycle()
				wrote += len(h.written)
			}
		}
	})
	if wrote == 0 {
		t.Error("nothing was ever written")
	}
}

// TestConvertingTwiceEqualsOnce: there, back and there again gives what was
// there after the first time.
func TestConvertingTwiceEqualsOnce(t *testing.T) {
	pairs := formPairs(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(pairs).Draw(t, "pair")
		vendor := vendorModel{tidy: rapid.Bool().Draw(t, "tidy")}
		from := rapid.SampledFrom([]crm.Side{crm.HubSpot, crm.Salesforce}).Draw(t, "from")
		f := &p.object.Targets[0].Fields[0]
		text, ok := vendor.stores(from, p.field(from), typed(t, p.field(from), p.field(from.Other()), "types"))
		if !ok {
			return
		}
		value := crm.Text(text)
		there := func(to crm.Side, v, held crm.Value) (crm.Value, bool) {
			n := reconcile.Convert(f, to, v, reconcile.Place{Current: held})
			if n.Action != reconcile.Write {
				return crm.Value{}, false
			}
			stored, ok := vendor.stores(to, p.field(to), n.Value.Text)
			if !ok {
				t.Fatal(refused(to, p.field(to), n.Value.Text))
			}
			return crm.Text(stored), true
		}
		first, ok := there(from.Other(), value, crm.Value{})
		if !ok {
			return
		}
		back, ok := there(from, first, value)
		if !ok {
			return
		}
		second, ok := there(from.Other(), back, first)
		same, _ := reconcile.Canonical(p.field(from.Other()).Kind, p.field(from.Other()), from.Other(), first)
		got, _ := reconcile.Canonical(p.field(from.Other()).Kind, p.field(from.Other()), from.Other(), second)
		if ok && same != got {
			t.Fatalf("%s: %s %s became %s, back %s, there again %s", p.name, from, show(value), show(first), show(back), show(second))
		}
	})
}

// TestTwoPercentsAndTwoUnits: `times` moves the point, there and back.
func TestTwoPercentsAndTwoUnits(t *testing.T) {
	for name, test := range map[string]struct {
		rules, hubspot, salesforce string
	}{
		"a share and its percent":                      {"times: 100", "0.075", "7.5"},
		"milliseconds and seconds":                     {"times: 0.001", "1500", "1.5"},
		"a factor of one says that both hold the same": {"times: 1", "75", "75"},
	} {
		t.Run(name, func(t *testing.T) {
			o := bindForm(t, crm.KindPercent, crm.KindPercent, test.rules)
			f := &o.Targets[0].Fields[0]
			if got := reconcile.Convert(f, crm.Salesforce, crm.Text(test.hubspot), reconcile.Place{}).Value.Text; got != test.salesforce {
				t.Errorf("HubSpot %s becomes %s, want %s", test.hubspot, got, test.salesforce)
			}
			if got := reconcile.Convert(f, crm.HubSpot, crm.Text(test.salesforce), reconcile.Place{}).Value.Text; got != test.hubspot {
				t.Errorf("Salesforce %s becomes %s, want %s", test.salesforce, got, test.hubspot)
			}
		})
	}
}

// Every value of a list that is written for one Salesforce value stays.
func TestSeveralHubSpotValuesOfOneSalesforceValueStay(t *testing.T) {
	o := bindForm(t, crm.KindMultiPicklist, crm.KindMultiPicklist, "direction: both, values: {a: One, b: One, c: Two}, unmapped: skip")
	got := reconcile.Convert(&o.Targets[0].Fields[0], crm.HubSpot, crm.Text("One;Two"), reconcile.Place{Current: crm.Text("b;a")}).Value.Text
	if got != "b;a;c" {
		t.Errorf("HubSpot held a and b, Salesforce added Two: got %q", got)
	}
}
