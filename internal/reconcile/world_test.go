package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// bind returns the named object of a mapping whose objects are given as yaml.
func bind(t testing.TB, object, objects string) *mapping.BoundObject {
	t.Helper()
	return bindTo(t, object, objects, mapping.Schemas{HubSpot: mappingtest.HubSpot(), Salesforce: mappingtest.Salesforce()})
}

func bindTo(t testing.TB, object, objects string, schemas mapping.Schemas) *mapping.BoundObject {
	t.Helper()
	src := "hubspot: acme\nsalesforce: acme\nobjects:\n" + objects
	m, err := mapping.Parse("lockstep.yaml", []byte(src))
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	b, problems := m.Bind(schemas)
	if b == nil {
		t.Fatalf("%v\n%s", problems, src)
	}
	o := b.Object(object)
	if o == nil {
		t.Fatalf("no object %s", object)
	}
	return o
}

// hubspot and salesforce make records as a read of the mapping returns them:
// every field of the layout is there, blank unless given.
func hubspot(o *mapping.BoundObject, id string, values ...string) *crm.Record {
	return record(o.HubSpotRead.Layout, id, values)
}

func salesforce(o *mapping.BoundObject, object, id string, values ...string) *crm.Record {
	r := record(o.Target(object).Read.Layout, id, values)
	for i, name := range r.Layout.Fields {
		if f := o.Target(object).Schema.Field(name); f != nil && f.Kind == crm.KindBool && r.Values[i].State == crm.Blank {
			r.Values[i] = crm.Text("false")
		}
	}
	return r
}

func record(layout *crm.Layout, id string, values []string) *crm.Record {
	r := &crm.Record{Layout: layout, ID: id, ModifiedMicros: 1_000_000, Values: make([]crm.Value, len(layout.Fields))}
	for i := range r.Values {
		r.Values[i] = crm.Text("")
	}
	for i := 0; i+1 < len(values); i += 2 {
		place := layout.Index(values[i])
		if place < 0 {
			panic("the layout of " + layout.Object + " has no field " + values[i])
		}
		r.Values[place] = crm.Text(values[i+1])
	}
	return r
}

func related(r *crm.Record, relations ...crm.Relation) *crm.Record {
	r.Relations = append(r.Relations, relations...)
	return r
}

func modified(r *crm.Record, micros int64) *crm.Record {
	r.ModifiedMicros = micros
	return r
}

// set returns a copy of r with other values.
func set(r *crm.Record, values ...string) *crm.Record {
	out := *r
	out.Values = slices.Clone(r.Values)
	out.Relations = slices.Clone(r.Relations)
	for i := 0; i+1 < len(values); i += 2 {
		out.Values[r.Layout.Index(values[i])] = crm.Text(values[i+1])
	}
	return &out
}

// people is what a test's snapshot knows of other records and owners.
type people struct {
	counterparts map[crm.Ref]crm.Ref
	standings    map[crm.Ref]reconcile.Standing
	back, byPlan map[crm.Ref]bool
	owners       map[string]string // HubSpot owner id to Salesforce user id
	named        map[string]string // "salesforce USERNAME" to user id
}

func (p people) Counterpart(_ string, ref crm.Ref) (crm.Ref, reconcile.Standing) {
	if other, ok := p.counterparts[ref]; ok {
		return other, reconcile.Linked
	}
	for a, b := range p.counterparts {
		if b == ref {
			return a, reconcile.Linked
		}
	}
	return crm.Ref{}, p.standings[ref]
}

func (p people) Back(_ string, ref crm.Ref) bool   { return p.back[ref] }
func (p people) ByPlan(_ string, ref crm.Ref) bool { return p.byPlan[ref] }

func (p people) Owner(side crm.Side, id string) (string, bool) {
	if side == crm.HubSpot {
		other, ok := p.owners[id]
		return other, ok
	}
	for h, s := range p.owners {
		if s == id {
			return h, true
		}
	}
	return "", false
}

func (p people) OwnerTrouble(crm.Side, string) string { return "is nobody" }

func (p people) OwnerNamed(side crm.Side, name string) (string, bool) {
	id, ok := p.named[string(side)+" "+name]
	return id, ok
}

func (p people) OwnerName(_ crm.Side, id string) string { return "owner " + id }

// linkOf links two records that were last in step as they are given.
func linkOf(o *mapping.BoundObject, h, s *crm.Record) *crm.Link {
	return &crm.Link{Mapping: o.Name, HubSpotID: h.ID, SalesforceObject: s.Layout.Object, SalesforceID: s.ID, Base: crm.Base{Version: o.BaseVersion,
		HubSpot: reconcile.Fingerprint(o, crm.HubSpot, h.Layout.Object, h), Salesforce: reconcile.Fingerprint(o, crm.Salesforce, s.Layout.Object, s)}}
}

// changesTo lists the field changes of a decision to one side: "Phone=+49 30".
func changesTo(d reconcile.Decision, side crm.Side) []string {
	var out []string
	for _, w := range d.Writes {
		if w.Side != side {
			continue
		}
		for _, c := range w.Changes {
			text := c.After.Text
			if c.Ref != nil {
				text = "ref " + c.Ref.ID
			}
			out = append(out, c.Field+"="+text)
		}
		if r := w.Relation; r != nil {
			far := r.Far.ID + r.FarID
			if w.Op == crm.Unrelate && r.RowID != "" {
				far = ""
			}
			out = append(out, string(w.Op)+" "+r.Object+" "+far+r.RowID)
		}
	}
	return out
}

// applied is the snapshot after the writes of d, as the vendors would hold it
// then: HubSpot lower-cases e-mail addresses and bares domains, Salesforce
// drops milliseconds and writes times with +0000. Ids are given to new records.
func applied(o *mapping.BoundObject, s reconcile.Snapshot, d reconcile.Decision) reconcile.Snapshot {
	next := s
	next.Candidates, next.Rivals = nil, nil
	link := s.Link
	if d.Base != nil {
		updated := *s.Link
		updated.Base = *d.Base
		link = &updated
	}
	if d.NewLink != nil {
		created := *d.NewLink
		link = &created
	}
	for _, w := range d.Writes {
		if w.Op != crm.Create && w.Op != crm.Update {
			continue
		}
		if w.Side == crm.HubSpot {
			if w.Op == crm.Create {
				next.HubSpot = hubspot(o, "9001")
				link.HubSpotID = "9001"
			} else if next.HubSpot == nil {
				next.HubSpot = candidateOf(s, w.ID)
			}
			next.HubSpot = stored(o, w, next.HubSpot)
			continue
		}
		if w.Op == crm.Create {
			next.Salesforce = salesforce(o, w.Object, "00N000000000001AAA")
			link.SalesforceID = next.Salesforce.ID
			if w.ExternalField != "" {
				next.Salesforce = set(next.Salesforce, w.ExternalField, w.ExternalValue)
			}
		} else if next.Salesforce == nil {
			next.Salesforce = candidateOf(s, w.ID)
		}
		next.Salesforce = stored(o, w, next.Salesforce)
	}
	if link != nil {
		if next.HubSpot == nil {
			next.HubSpot = candidateOf(s, link.HubSpotID)
		}
		if next.Salesforce == nil {
			next.Salesforce = candidateOf(s, link.SalesforceID)
		}
	}
	next.Link = link
	return next
}

func candidateOf(s reconcile.Snapshot, id string) *crm.Record {
	for _, c := range s.Candidates {
		if c.Record.ID == id {
			return c.Record
		}
	}
	return nil
}

// stored is a record after a write, as the vendor holds it.
func stored(o *mapping.BoundObject, w reconcile.PlannedWrite, r *crm.Record) *crm.Record {
	out := set(r)
	for _, c := range w.Changes {
		i := r.Layout.Index(c.Field)
		if i < 0 || c.Ref != nil {
			continue
		}
		out.Values[i] = vendorForm(o, w, c)
	}
	return out
}

func vendorForm(o *mapping.BoundObject, w reconcile.PlannedWrite, c reconcile.Change) crm.Value {
	schema := o.HubSpotSchema
	if w.Side == crm.Salesforce {
		schema = o.Target(w.Object).Schema
	}
	f := schema.Field(c.Field)
	text := strings.TrimSpace(c.After.Text)
	switch {
	case w.Side == crm.HubSpot && f.Kind == crm.KindEmail:
		text = strings.ToLower(text)
	case w.Side == crm.HubSpot && f.Name == "domain" && mapping.DomainOf(text) != "":
		text = mapping.DomainOf(text)
	case w.Side == crm.Salesforce && f.Kind == crm.KindDateTime && text != "":
		t, _ := mapping.ParseTime(text)
		text = t.Format("2006-01-02T15:04:05.000+0000")
	case w.Side == crm.Salesforce && f.Kind == crm.KindBool && text == "":
		text = "false"
	case f.Kind == crm.KindCurrency && text != "" && !strings.Contains(text, "."):
		text += ".0" // Salesforce answers 1500 as 1500.0
	}
	return crm.Text(text)
}
