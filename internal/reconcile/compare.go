package reconcile

import (
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Difference is one thing on which the records of a linked pair do not agree.
type Difference struct {
	// HubSpotField and SalesforceField name the two ends; one is empty for a
	// computed field.
	HubSpotField    string
	SalesforceField string
	HubSpot         crm.Value
	Salesforce      crm.Value
	// Allowed says why the mapping lets the two differ ("direction:
	// to-salesforce"), empty when it does not.
	Allowed string
	// Slot is the field's place in a base, and Hashes are what a base holds that knows
	// both values; Hashes is nil where no base tells of it.
	Slot   int
	Hashes map[crm.Side]uint64
}

// Compare lists where the records of a pair differ, by what they hold and by
// nothing else: not by the base, not by what was seen before. It is the
// independent check behind `lockstep verify`. Both records of s must be set.
func Compare(o *mapping.BoundObject, s Snapshot) []Difference {
	o = o.For(s.HubSpot)
	target := o.Target(s.Salesforce.Layout.Object)
	if target == nil {
		return nil
	}
	m := newMerge(&decider{object: o, Snapshot: s}, target, "")
	var out []Difference
	for i := range target.Fields {
		f := &target.Fields[i]
		if f.Program != nil {
			out = m.compareComputed(out, f)
			continue
		}
		h, v := s.HubSpot.Value(f.HubSpotField.Name), s.Salesforce.Value(f.SalesforceField.Name)
		if unread(h) || unread(v) || Agree(f, h, v, m.place(f)) {
			continue
		}
		out = append(out, Difference{HubSpotField: f.HubSpotField.Name, SalesforceField: f.SalesforceField.Name, HubSpot: h, Salesforce: v, Allowed: m.allowed(f, h, v),
			Slot: f.Slot, Hashes: map[crm.Side]uint64{crm.HubSpot: m.now(crm.HubSpot, f.Slot), crm.Salesforce: m.now(crm.Salesforce, f.Slot)}})
	}
	for i := range target.Associations {
		out = m.compareReference(out, &target.Associations[i])
	}
	if o.OwnerByEmail {
		h, v := s.HubSpot.Value(mapping.HubSpotOwner), s.Salesforce.Value(mapping.SalesforceOwner)
		if !m.sameOwner(h.Text, v.Text) {
			allowed := ""
			if _, ok := m.d.known().Owner(crm.HubSpot, h.Text); !ok {
				allowed = "the HubSpot owner has no counterpart in Salesforce"
			} else if _, ok := m.d.known().Owner(crm.Salesforce, v.Text); !ok {
				allowed = "the Salesforce owner has no counterpart in HubSpot"
			}
			out = append(out, Difference{HubSpotField: mapping.HubSpotOwner, SalesforceField: mapping.SalesforceOwner, HubSpot: h, Salesforce: v, Allowed: allowed})
		}
	}
	return out
}

func unread(v crm.Value) bool { return v.State == crm.Missing || v.State == crm.Unreadable }

// allowed says why the mapping lets two values differ.
func (m *merge) allowed(f *mapping.BoundField, h, s crm.Value) string {
	if m.derivedNow(f) {
		return "Salesforce computes it from the line items"
	}
	if m.d.object.OnlyReads() {
		return onlyReadText
	}
	if f.Direction != mapping.Both {
		return "direction: " + string(f.Direction)
	}
	for _, to := range []crm.Side{crm.Salesforce, crm.HubSpot} {
		v := h
		if to == crm.HubSpot {
			v = s
		}
		if n := Convert(f, to, v, m.place(f)); n.Action == Leave {
			return n.Reason.Text
		}
	}
	return ""
}

func (m *merge) compareComputed(out []Difference, f *mapping.BoundField) []Difference {
	to := f.Direction
	side := crm.Salesforce
	if to == mapping.ToHubSpot {
		side = crm.HubSpot
	}
	held := m.record(side).Value(fieldOn(f, side).Name)
	v, err := f.Program.Text(m.d.HubSpot, m.d.Salesforce)
	if err != nil || unread(held) {
		return out
	}
	n := Convert(f, side, v, m.place(f))
	if n.Action == Write && sameOn(fieldOn(f, side), side, n.Value, held) {
		return out
	}
	diff := Difference{HubSpotField: f.HubSpot, SalesforceField: f.Salesforce, HubSpot: v, Salesforce: held, Allowed: "direction: " + string(to)}
	if side == crm.HubSpot {
		diff.HubSpot, diff.Salesforce = held, v
	}
	return append(out, diff)
}

func (m *merge) compareReference(out []Difference, a *mapping.BoundAssociation) []Difference {
	if a.Junction {
		return m.compareRows(out, a)
	}
	main, held := mainRelation(m.d.HubSpot, a), m.d.Salesforce.Value(a.Salesforce)
	if unread(held) || m.sameReference(a, main, held) {
		return out
	}
	diff := Difference{HubSpotField: a.HubSpot, SalesforceField: a.Salesforce, HubSpot: crm.Text(main.id), Salesforce: held}
	field := m.target.Schema.Field(a.Salesforce)
	other, standing := m.d.known().Counterpart(main.end.Mapping, crm.Ref{Side: crm.HubSpot, Object: main.end.HubSpot, ID: main.id})
	_, _, back := m.counterpartOf(a, held)
	switch {
	case m.leadKeepsOut(a):
		diff.Allowed = "an activity of a Lead has no " + a.Salesforce
	case a.Direction != mapping.Both:
		diff.Allowed = "direction: " + string(a.Direction)
	case main.id != "" && standing != Linked:
		diff.Allowed = "the HubSpot record at the far end is not in Salesforce"
	case main.id != "" && !slices.Contains(a.ReferenceTo, other.Object):
		diff.Allowed = "the record at the far end is a " + other.Object + " in Salesforce, which " + a.Salesforce + " cannot point to"
	case held.IsPresent() && back != Linked:
		diff.Allowed = "the Salesforce record at the far end is not in HubSpot"
	case field != nil && (!field.Updatable || main.id == "" && field.Required):
		diff.Allowed = a.Salesforce + " cannot be changed so in Salesforce"
	case !held.IsPresent() && a.HubSpot == "companies" && !hasPrimary(m.d.HubSpot, a.HubSpot):
		diff.Allowed = "none of HubSpot's associations is the primary one"
	}
	return append(out, diff)
}

func hasPrimary(rec *crm.Record, object string) bool {
	return slices.ContainsFunc(rec.Relations, func(r crm.Relation) bool { return r.Object == object && r.Primary })
}
