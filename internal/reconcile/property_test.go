package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	. "github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// zooKinds are pairs of kinds that can be mapped: HubSpot's, Salesforce's.
var zooKinds = [][2]crm.Kind{
	{crm.KindText, crm.KindText}, {crm.KindLongText, crm.KindLongText}, {crm.KindHTML, crm.KindLongText}, {crm.KindLongText, crm.KindHTML}, {crm.KindHTML, crm.KindHTML},
	{crm.KindEmail, crm.KindEmail}, {crm.KindText, crm.KindEmail}, {crm.KindPhone, crm.KindPhone}, {crm.KindURL, crm.KindURL}, {crm.KindText, crm.KindURL},
	{crm.KindNumber, crm.KindCurrency}, {crm.KindNumber, crm.KindInteger}, {crm.KindNumber, crm.KindNumber}, {crm.KindText, crm.KindNumber}, {crm.KindNumber, crm.KindText},
	{crm.KindBool, crm.KindBool}, {crm.KindBool, crm.KindText}, {crm.KindPicklist, crm.KindBool}, {crm.KindDate, crm.KindDate}, {crm.KindDateTime, crm.KindDateTime}, {crm.KindDateTime, crm.KindDate}, {crm.KindDate, crm.KindDateTime}, {crm.KindDate, crm.KindText},
	{crm.KindPicklist, crm.KindPicklist}, {crm.KindPicklist, crm.KindText}, {crm.KindText, crm.KindPicklist}, {crm.KindMultiPicklist, crm.KindMultiPicklist},
	{crm.KindMultiPicklist, crm.KindText}, {crm.KindPicklist, crm.KindMultiPicklist}, {crm.KindPercent, crm.KindPercent}, {crm.KindText, crm.KindTime},
}

// zoo is a mapping with every pair of kinds under the given rules.
func zoo(t testing.TB, direction, wins, unmapped, tooLong string) *mapping.BoundObject {
	h := &crm.Object{Side: crm.HubSpot, Name: "zoo", Creatable: true, Updatable: true, Deletable: true}
	s := &crm.Object{Side: crm.Salesforce, Name: "Zoo__c", Creatable: true, Updatable: true, Deletable: true}
	var yaml strings.Builder
	yaml.WriteString("  - name: zoo\n    hubspot: zoo\n    salesforce: Zoo__c\n    create: both\n    match: [{hubspot: f0, salesforce: F0__c}]\n    fields:\n")
	for i, pair := range zooKinds {
		h.Fields = append(h.Fields, zooField(fmt.Sprintf("f%d", i), pair[0], crm.HubSpot))
		s.Fields = append(s.Fields, zooField(fmt.Sprintf("F%d__c", i), pair[1], crm.Salesforce))
		table := ""
		if pair[0] == crm.KindPicklist && pair[1] == crm.KindPicklist {
			table = ", values: {a: One, b: One, c: Two}"
		}
		if pair[1] == crm.KindBool && pair[0] == crm.KindPicklist {
			table = `, values: {a: "true", b: "false", c: "true"}`
		}
		way := direction
		if pair[0] == crm.KindPicklist && pair[1] == crm.KindMultiPicklist || pair[1] == crm.KindBool && pair[0] == crm.KindPicklist {
			way = "to-salesforce" // several values do not fit one
		}
		fmt.Fprintf(&yaml, "      - {hubspot: f%d, salesforce: F%d__c, direction: %s, wins: %s, unmapped: %s, too-long: %s%s}\n", i, i, way, wins, unmapped, tooLong, table)
	}
	fmt.Fprintf(&yaml, "      - {salesforce: Computed__c, from: 'upper(hubspot.f0) + \"!\"'}\n")
	s.Fields = append(s.Fields, Field("Computed__c", crm.KindText, Length(60)))
	return bindTo(t, "zoo", yaml.String(), mapping.Schemas{HubSpot: map[string]*crm.Object{"zoo": h}, Salesforce: map[string]*crm.Object{"Zoo__c": s}})
}

func zooField(name string, kind crm.Kind, side crm.Side) crm.Field {
	f := Field(name, kind)
	switch kind {
	case crm.KindPicklist, crm.KindMultiPicklist:
		if side == crm.HubSpot {
			Choices("a=One", "b=Two", "c=Three", "d=Four")(&f)
		} else {
			Choices("One", "Two", "Three", "Five")(&f)
		}
	case crm.KindCurrency, crm.KindPercent:
		if side == crm.Salesforce {
			Digits(18, 2)(&f)
		}
	case crm.KindNumber:
		if side == crm.Salesforce {
			Digits(12, 3)(&f)
		}
	case crm.KindInteger:
		Digits(9, 0)(&f)
	case crm.KindText, crm.KindLongText, crm.KindURL, crm.KindHTML, crm.KindEmail, crm.KindPhone:
		if side == crm.Salesforce {
			f.Length = 40
		}
	}
	return f
}

// zooValue draws a value as a vendor may hold it; blanks are frequent.
func zooValue(t *rapid.T, f *crm.Field, side crm.Side, name string) string {
	var of []string
	switch f.Kind {
	case crm.KindPicklist, crm.KindMultiPicklist:
		for _, o := range f.Options {
			of = append(of, o.Value)
		}
		if f.Kind == crm.KindMultiPicklist {
			of = append(of, of[0]+";"+of[1], of[1]+";"+of[0], of[2]+";"+of[3])
		}
	case crm.KindBool:
		of = []string{"true", "false"}
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		of = []string{"0", "1500", "1500.5", "1500.50", "1.5e3", "-3.456", "0.0004", "99.995"}
	case crm.KindDate:
		of = []string{"2026-11-23", "2026-11-24"}
	case crm.KindDateTime:
		of = []string{"2026-11-23T14:05:06.789Z", "2026-11-23T14:05:06Z", "2026-11-24T00:00:00Z"}
		if side == crm.Salesforce {
			of = []string{"2026-11-23T14:05:06.000+0000", "2026-11-24T00:00:00.000+0000"}
		}
	case crm.KindTime:
		of = []string{"14:05:00.000Z", "00:00:00.000Z"}
	case crm.KindEmail:
		of = []string{"Ada@Acme.example", "ada@acme.example", "bo@b.example"}
	case crm.KindPhone:
		of = []string{"+49 (0)30 1234", "+49301234", "030/1234", "0049 30 1234 ext. 5", "none"}
	case crm.KindURL:
		of = []string{"https://Acme.example/", "acme.example", "http://acme.example/De"}
	case crm.KindHTML:
		of = []string{"<p>a &amp; b</p>", "a &amp; b", "<b>x</b><br>y", "x\ny"}
	default:
		of = textFor(partner(f.Name, side))
	}
	of = append(of, "", "")
	return rapid.SampledFrom(of).Draw(t, name)
}

// partner is the kind of the field at the other end of a zoo's pair.
func partner(name string, side crm.Side) crm.Kind {
	var i int
	if n, _ := fmt.Sscanf(strings.ToLower(name), "f%d", &i); n == 0 {
		return crm.KindText
	}
	if side == crm.HubSpot {
		return zooKinds[i][1]
	}
	return zooKinds[i][0]
}

// textFor draws from texts that the other end's kind takes, so that most
// records can be written; what it does not take is drawn seldom.
func textFor(other crm.Kind) []string {
	switch other {
	case crm.KindNumber, crm.KindCurrency:
		return []string{"7", "1500.50", "1500.5", " 12 ", "-0.0"}
	case crm.KindBool:
		return []string{"true", "false"}
	case crm.KindDate:
		return []string{"2026-11-23", "2026-11-24"}
	case crm.KindTime:
		return []string{"14:05", "14:05:00", "23:59:59.5"}
	case crm.KindEmail:
		return []string{"Ada@Acme.example", "ada@acme.example"}
	case crm.KindPicklist, crm.KindMultiPicklist:
		return []string{"One", "a", "Two", "b", "Three;One"}
	}
	return []string{"x", "X", " x ", "a & b", "x\r\ny", "x\ny", "ö", "o\u0308", "7", strings.Repeat("long ", 12)}
}

func zooRecord(t *rapid.T, o *mapping.BoundObject, side crm.Side, name string) *crm.Record {
	layout, schema, id := o.HubSpotRead.Layout, o.HubSpotSchema, "1"
	if side == crm.Salesforce {
		layout, schema, id = o.Targets[0].Read.Layout, o.Targets[0].Schema, "a00000000000001AAA"
	}
	var values []string
	for i := range schema.Fields {
		f := &schema.Fields[i]
		if layout.Index(f.Name) >= 0 {
			v := zooValue(t, f, side, name+" "+f.Name)
			if v == "" && f.Kind == crm.KindBool && side == crm.Salesforce {
				v = "false"
			}
			values = append(values, f.Name, v)
		}
	}
	return modified(record(layout, id, values), rapid.Int64Range(1, 3).Draw(t, name+" modified"))
}

// edited returns r with some fields drawn anew.
func edited(t *rapid.T, o *mapping.BoundObject, side crm.Side, r *crm.Record, name string) *crm.Record {
	fresh := zooRecord(t, o, side, name)
	out := modified(set(r), fresh.ModifiedMicros)
	for i := range out.Values {
		if rapid.IntRange(0, 3).Draw(t, name+" edits") == 0 {
			out.Values[i] = fresh.Values[i]
		}
	}
	return out
}

func drawZoo(t *testing.T) *rapid.Generator[*mapping.BoundObject] {
	var all []*mapping.BoundObject
	for _, direction := range []string{"both", "to-salesforce", "to-hubspot"} {
		for _, wins := range []string{"newest", "hubspot", "salesforce", "hubspot-unless-blank", "salesforce-unless-blank", "hold"} {
			all = append(all, zoo(t, direction, wins, "skip", "cut"), zoo(t, direction, wins, "hold", "hold"))
		}
	}
	return rapid.SampledFrom(all)
}

// outcomes counts what the properties met, so that a generator that only makes
// held records is noticed.
type outcomes map[crm.Outcome]int

func TestWhatWasAppliedIsNotWrittenAgain(t *testing.T) {
	zoos := drawZoo(t)
	met := outcomes{}
	count := func(d reconcile.Decision) { met[d.Outcome]++ }
	defer func() {
		if met[crm.Synced] <= met[crm.Held]/4 {
			t.Errorf("nearly everything was held, so little was tried: %v", met)
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		o := zoos.Draw(t, "mapping")
		h, s := zooRecord(t, o, crm.HubSpot, "hubspot"), zooRecord(t, o, crm.Salesforce, "salesforce")
		first := reconcile.Snapshot{HubSpot: h, Candidates: []reconcile.Candidate{{Object: "Zoo__c", Record: s}}}
		d := reconcile.Decide(o, first)
		if d.Outcome == crm.Held {
			// Linked by an earlier cycle, then: any base will do.
			first = reconcile.Snapshot{HubSpot: h, Salesforce: s, Link: linkOf(o, h, s)}
			d = reconcile.Decide(o, first)
		}
		obeys(t, o, d)
		settles(t, o, first, d)
		linked := applied(o, first, d)
		if d.Outcome == crm.Held || linked.Link == nil {
			return
		}
		again := reconcile.Decide(o, linked)
		if again.Outcome != crm.Unchanged {
			t.Errorf("unchanged input gives %s: %s", again.Outcome, again.Reason.Text)
		}
		linked = applied(o, linked, again)
		edit := linked
		edit.HubSpot, edit.Salesforce = edited(t, o, crm.HubSpot, linked.HubSpot, "hubspot edit"), edited(t, o, crm.Salesforce, linked.Salesforce, "salesforce edit")
		d = reconcile.Decide(o, edit)
		count(d)
		obeys(t, o, d)
		settles(t, o, edit, d)
	})
}

func TestANewRecordIsNotWrittenAgain(t *testing.T) {
	zoos := drawZoo(t)
	rapid.Check(t, func(t *rapid.T) {
		o := zoos.Draw(t, "mapping")
		snapshot := reconcile.Snapshot{HubSpot: zooRecord(t, o, crm.HubSpot, "hubspot")}
		if rapid.Bool().Draw(t, "from salesforce") {
			snapshot = reconcile.Snapshot{Salesforce: zooRecord(t, o, crm.Salesforce, "salesforce")}
		}
		d := reconcile.Decide(o, snapshot)
		obeys(t, o, d)
		settles(t, o, snapshot, d)
	})
}

// obeys checks that d writes only what the mapping names, the way it names it,
// and never a value that is there already.
func obeys(t *rapid.T, o *mapping.BoundObject, d reconcile.Decision) {
	t.Helper()
	if d.Outcome != crm.Synced && len(d.Writes) > 0 {
		t.Errorf("%s, and yet it writes", d.Outcome)
	}
	for _, w := range d.Writes {
		var seen []string
		for _, c := range w.Changes {
			if slices.Contains(seen, c.Field) {
				t.Errorf("%s is written twice", c.Field)
			}
			seen = append(seen, c.Field)
			if c.Before == c.After && w.Op != crm.Create {
				t.Errorf("%s is written with what it holds", c.Field)
			}
			allowed := false
			for _, f := range o.Fields {
				allowed = allowed || f.Direction.Flows(w.Side) && (w.Side == crm.HubSpot && f.HubSpot == c.Field || w.Side == crm.Salesforce && f.Salesforce == c.Field)
			}
			if !allowed {
				t.Errorf("%s %s is written, which the mapping does not allow", w.Side, c.Field)
			}
		}
	}
}

func TestUnchangedFingerprintsEqualTheBase(t *testing.T) {
	zoos := drawZoo(t)
	rapid.Check(t, func(t *rapid.T) {
		o := zoos.Draw(t, "mapping")
		h, s := zooRecord(t, o, crm.HubSpot, "hubspot"), zooRecord(t, o, crm.Salesforce, "salesforce")
		link := linkOf(o, h, s)
		d := reconcile.Decide(o, reconcile.Snapshot{Link: link, HubSpot: h, Salesforce: s})
		if len(d.Writes) > 0 || d.Outcome != crm.Unchanged || d.Base != nil {
			t.Errorf("nothing changed since the base, and yet: %s, %d writes, base %v", d.Outcome, len(d.Writes), d.Base)
		}
	})
}

func TestSwappingTheSidesMirrorsTheDecision(t *testing.T) {
	object := func(side crm.Side) *crm.Object {
		name := map[crm.Side]string{crm.HubSpot: "zoo", crm.Salesforce: "Zoo__c"}[side]
		return &crm.Object{Side: side, Name: name, Creatable: true, Updatable: true, Fields: []crm.Field{Field("a", crm.KindText), Field("b", crm.KindEmail), Field("c", crm.KindPhone), Field("d", crm.KindNumber), Field("e", crm.KindDate)}}
	}
	o := func(wins string) *mapping.BoundObject {
		return bindTo(t, "zoo", "  - name: zoo\n    hubspot: zoo\n    salesforce: Zoo__c\n    create: both\n    match: [{hubspot: a, salesforce: a}]\n    fields:\n"+
			fmt.Sprintf("      - {hubspot: a, salesforce: a, wins: %[1]s}\n      - {hubspot: b, salesforce: b, wins: %[1]s}\n      - {hubspot: c, salesforce: c, wins: %[1]s}\n      - {hubspot: d, salesforce: d, wins: %[1]s}\n      - {hubspot: e, salesforce: e, wins: %[1]s}\n", wins),
			mapping.Schemas{HubSpot: map[string]*crm.Object{"zoo": object(crm.HubSpot)}, Salesforce: map[string]*crm.Object{"Zoo__c": object(crm.Salesforce)}})
	}
	mirrors := [][2]*mapping.BoundObject{}
	for _, pair := range [][2]string{{"newest", "newest"}, {"hold", "hold"}, {"hubspot", "salesforce"}, {"hubspot-unless-blank", "salesforce-unless-blank"}} {
		mirrors = append(mirrors, [2]*mapping.BoundObject{o(pair[0]), o(pair[1])})
	}
	rapid.Check(t, func(t *rapid.T) {
		pair := rapid.SampledFrom(mirrors).Draw(t, "mapping")
		h, s := zooRecord(t, pair[0], crm.HubSpot, "left"), zooRecord(t, pair[0], crm.Salesforce, "right")
		h.ModifiedMicros, s.ModifiedMicros = rapid.Int64Range(1, 9).Draw(t, "left time")*2, rapid.Int64Range(1, 9).Draw(t, "right time")*2+1
		before := reconcile.Snapshot{HubSpot: h, Salesforce: s, Link: linkOf(pair[0], h, s)}
		if rapid.Bool().Draw(t, "no base") {
			before.Link.Base = crm.Base{}
		}
		before.HubSpot, before.Salesforce = edited(t, pair[0], crm.HubSpot, h, "left edit"), edited(t, pair[0], crm.Salesforce, s, "right edit")
		before.HubSpot.ModifiedMicros, before.Salesforce.ModifiedMicros = h.ModifiedMicros, s.ModifiedMicros

		swap := func(r *crm.Record, to *crm.Layout, id string) *crm.Record {
			return &crm.Record{Layout: to, ID: id, ModifiedMicros: r.ModifiedMicros, Values: r.Values}
		}
		after := reconcile.Snapshot{HubSpot: swap(before.Salesforce, pair[1].HubSpotRead.Layout, "1"), Salesforce: swap(before.HubSpot, pair[1].Targets[0].Read.Layout, s.ID)}
		link := *before.Link
		link.Base.HubSpot, link.Base.Salesforce = before.Link.Base.Salesforce, before.Link.Base.HubSpot
		if before.Link.Base.Version != 0 {
			link.Base.Version = pair[1].BaseVersion
		}
		after.Link = &link
		x, y := reconcile.Decide(pair[0], before), reconcile.Decide(pair[1], after)
		if x.Outcome != y.Outcome || !slices.Equal(changesTo(x, crm.HubSpot), changesTo(y, crm.Salesforce)) || !slices.Equal(changesTo(x, crm.Salesforce), changesTo(y, crm.HubSpot)) {
			t.Errorf("%s %v %v\nmirrored: %s %v %v", x.Outcome, changesTo(x, crm.HubSpot), changesTo(x, crm.Salesforce), y.Outcome, changesTo(y, crm.HubSpot), changesTo(y, crm.Salesforce))
		}
	})
}
