package reconcile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Fingerprint returns one hash per base slot of what this side holds: equal to
// the base's hashes of this side when nothing that matters changed. A slot that
// this object does not have, or whose value was not read, is 0.
func Fingerprint(o *mapping.BoundObject, side crm.Side, object string, rec *crm.Record) []uint64 {
	out := make([]uint64, len(o.BaseNames))
	if rec == nil {
		return out
	}
	rules := o.RuleFields
	for _, t := range o.Targets {
		if side == crm.Salesforce {
			if t.Object != object {
				continue
			}
			rules = t.RuleFields
		}
		for i := range t.Fields {
			if f := &t.Fields[i]; out[f.Slot] == 0 {
				out[f.Slot] = fieldHash(f, side, rec)
			}
		}
		for i := range t.Associations {
			if a := &t.Associations[i]; out[a.Slot] == 0 {
				out[a.Slot] = Hash(associationForm(a, side, rec))
			}
		}
	}
	if o.OwnerByEmail {
		out[len(out)-2] = Hash(rec.Value(ownerField(side)).Text)
	}
	out[len(out)-1] = rawHash(rules, rec)
	return out
}

func ownerField(side crm.Side) string {
	if side == crm.HubSpot {
		return mapping.HubSpotOwner
	}
	return mapping.SalesforceOwner
}

// fieldHash covers the field's own value on this side, and what the field's
// expression reads on this side.
func fieldHash(f *mapping.BoundField, side crm.Side, rec *crm.Record) uint64 {
	form := ""
	if field := fieldOn(f, side); field != nil {
		v := rec.Value(field.Name)
		if v.State == crm.Missing || v.State == crm.Unreadable {
			return 0
		}
		form = ownForm(field, side, v)
	}
	if f.Program == nil {
		return Hash(form)
	}
	inputs := f.Program.HubSpotFields
	if side == crm.Salesforce {
		inputs = f.Program.SalesforceFields
	}
	return Hash(form + "\x1d" + strconv.FormatUint(rawHash(inputs, rec), 16))
}

func fieldOn(f *mapping.BoundField, side crm.Side) *crm.Field {
	if side == crm.HubSpot {
		return f.HubSpotField
	}
	return f.SalesforceField
}

// ownForm is the canonical form of a value, or the text itself where it is not
// what its kind says: that, too, can change.
func ownForm(field *crm.Field, side crm.Side, v crm.Value) string {
	form, err := Canonical(field.Kind, field, side, v)
	if err != nil {
		return cleanText(v.Text)
	}
	return form
}

func rawHash(fields []string, rec *crm.Record) uint64 {
	var b strings.Builder
	for _, name := range fields {
		b.WriteString(cleanText(rec.Value(name).Text))
		b.WriteByte('\x1f')
	}
	return Hash(b.String())
}

// MainPrint is the print of a HubSpot association whose main far record is this
// one, as it stands once it was associated; 0 where that cannot be told.
func MainPrint(a *mapping.BoundAssociation, object, id string) uint64 {
	switch {
	case a.Junction || a.By != "" || id == "":
		return 0
	case len(a.Ends) > 1:
		return Hash(object + ":" + id)
	}
	return Hash(id)
}

func associationForm(a *mapping.BoundAssociation, side crm.Side, rec *crm.Record) string {
	switch {
	case a.Junction:
		return rowsForm(a, side, rec)
	case side == crm.Salesforce:
		return wideID(rec.Value(a.Salesforce).Text)
	}
	main := mainRelation(rec, a)
	ids := strings.Join(append([]string{main.id}, main.others...), ";")
	if main.id != "" && len(a.Ends) > 1 {
		return main.end.HubSpot + ":" + ids
	}
	return ids
}

// rowsForm lists the far ends of a side with those of their labels that the
// mapping names.
func rowsForm(a *mapping.BoundAssociation, side crm.Side, rec *crm.Record) string {
	var ends []string
	for _, r := range rec.Relations {
		switch {
		case side == crm.HubSpot && r.Object == a.HubSpot:
			ends = append(ends, r.ID+"\x1e"+strings.Join(mappedLabels(a, r.Label), ";"))
		case side == crm.Salesforce && r.Junction == a.Salesforce:
			ends = append(ends, wideID(r.ID)+"\x1e"+a.LabelOf(r.Label))
		}
	}
	slices.Sort(ends)
	return strings.Join(slices.Compact(ends), "\x1f")
}

// relatedIDs are the ids of the related records of object, each once, sorted.
func relatedIDs(rec *crm.Record, object string) []string {
	var ids []string
	for _, r := range rec.Relations {
		if r.Object == object {
			ids = append(ids, r.ID)
		}
	}
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids)
}

// compareIDs orders decimal ids as numbers, others as text.
func compareIDs(a, b string) int {
	if allDigits(a) && allDigits(b) {
		if c := cmp.Compare(len(a), len(b)); c != 0 {
			return c
		}
	}
	return cmp.Compare(a, b)
}

// relationChoice is the one far record that a reference can hold, and what else
// it could be.
type relationChoice struct {
	id string
	// end is the far object that it is a record of.
	end mapping.End
	// others are the further ones where none is primary, oldest id first.
	others []string
}

// mainRelation chooses HubSpot's primary association with the first far object
// that there is any with, else the one with the oldest id.
func mainRelation(rec *crm.Record, a *mapping.BoundAssociation) relationChoice {
	if rec == nil {
		return relationChoice{}
	}
	if a.By != "" {
		return relationChoice{id: strings.TrimSpace(rec.Value(a.By).Text), end: a.Ends[0]}
	}
	for _, end := range a.Ends {
		for _, r := range rec.Relations {
			if r.Object == end.HubSpot && r.Primary {
				return relationChoice{id: r.ID, end: end}
			}
		}
		if ids := relatedIDs(rec, end.HubSpot); len(ids) > 0 {
			return relationChoice{id: ids[0], others: ids[1:], end: end}
		}
	}
	return relationChoice{}
}
