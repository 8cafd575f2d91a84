package salesforce

import (
	"slices"
	"strings"
)

// row is one record. Cells are sorted by field and replaced as a whole, never
// changed in place, so that an older state can be kept by keeping the slice.
type row struct {
	id                       string
	cells                    []value
	created, modified, stamp int64 // seconds
	createdBy, modifiedBy    string
	deletedAt                int64 // seconds
	late                     int32 // seconds from the stamp to the commit, when the transaction was long
	deleted                  bool
}

// cell returns what the row stores for the field with the index.
func (r *row) cell(index uint16) value {
	if i, ok := slices.BinarySearchFunc(r.cells, index, byField); ok {
		return r.cells[i]
	}
	return value{}
}

func byField(v value, index uint16) int { return int(v.field) - int(index) }

// get returns the value of a field, stored or computed.
func (r *row) get(f *field) value {
	switch f.source {
	case stored:
		v := r.cell(f.index)
		if v.kind == nothing && f.Type == "boolean" {
			return value{kind: boolean}
		}
		v.field = 0
		return v
	case fromID:
		return value{kind: text, text: r.id}
	case fromDeleted:
		return boolOf(r.deleted)
	case fromCreatedDate:
		return datetimeOf(r.created)
	case fromCreatedBy:
		return textOf(r.createdBy)
	case fromModifiedDate:
		return datetimeOf(r.modified)
	case fromModifiedBy:
		return textOf(r.modifiedBy)
	case fromStamp:
		return datetimeOf(r.stamp)
	case fromPersonName:
		return textOf(personName(r, f.object))
	case fromPhoto:
		return textOf("/services/images/photo/" + r.id)
	case fromFormula:
		return f.compute(r)
	}
	return value{}
}

// personName is first and last name; the salutation is not part of it.
func personName(r *row, o *object) string {
	first, last := r.cell(o.byName["firstname"].index).text, r.cell(o.byName["lastname"].index).text
	return strings.TrimSpace(first + " " + last)
}

// appendAddress writes a compound address, or null when no part is set.
func (r *row) appendAddress(b []byte, f *field) []byte {
	city, country, postal, state, street := f.parts[1], f.parts[4], f.parts[3], f.parts[2], f.parts[0]
	accuracy, latitude, longitude := f.parts[7], f.parts[5], f.parts[6]
	empty := true
	for _, p := range f.parts {
		if !r.cell(p.index).null() {
			empty = false
		}
	}
	if empty {
		return append(b, "null"...)
	}
	part := func(name string, p *field) {
		b = append(b, name...)
		b = r.cell(p.index).appendJSON(b, true)
	}
	part(`{"city":`, city)
	part(`,"country":`, country)
	part(`,"geocodeAccuracy":`, accuracy)
	part(`,"latitude":`, latitude)
	part(`,"longitude":`, longitude)
	part(`,"postalCode":`, postal)
	part(`,"state":`, state)
	part(`,"street":`, street)
	return append(b, '}')
}

// appendField writes the field's value.
func (r *row) appendField(b []byte, f *field) []byte {
	switch {
	case f.source == fromAddress:
		return r.appendAddress(b, f)
	case f.Type == "base64":
		return r.appendBlob(b, f)
	}
	return r.get(f).appendJSON(b, f.decimals())
}

// cells is a set of cells under construction.
type draft struct {
	cells []value
}

func draftOf(r *row) *draft { return &draft{cells: slices.Clone(r.cells)} }

func (d *draft) get(f *field) value {
	if i, ok := slices.BinarySearchFunc(d.cells, f.index, byField); ok {
		v := d.cells[i]
		v.field = 0
		return v
	}
	if f.Type == "boolean" {
		return value{kind: boolean}
	}
	return value{}
}

// set stores v; null and false are stored by their absence.
func (d *draft) set(f *field, v value) {
	i, ok := slices.BinarySearchFunc(d.cells, f.index, byField)
	if v.null() || v.kind == boolean && v.number == 0 {
		if ok {
			d.cells = slices.Delete(d.cells, i, i+1)
		}
		return
	}
	v.field = f.index
	if ok {
		d.cells[i] = v
		return
	}
	d.cells = slices.Insert(d.cells, i, v)
}
