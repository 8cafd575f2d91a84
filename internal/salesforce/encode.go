package salesforce

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// refusal is a write that is not sent, because Salesforce would refuse it.
type refusal struct {
	cause  string
	fields []string
	err    *fault.Error
}

func refuse(cause, field, format string, args ...any) *refusal {
	return &refusal{cause: cause, fields: []string{field}, err: fault.New(fault.Invalid, format, args...)}
}

// encode writes the record of a create, an upsert or an update.
func encode(d *described, w *crm.Write) ([]byte, *refusal) {
	b := appendName([]byte{'{'}, "attributes")
	b = append(b, `{"type":`...)
	b = append(appendText(b, d.object.Name), '}')
	if w.ID != "" {
		id, ok := ID18(w.ID)
		if !ok {
			return nil, refuse("MALFORMED_ID", "Id", "%q is no Salesforce record id", w.ID)
		}
		b = appendText(appendName(append(b, ','), "id"), id)
	}
	if w.ExternalField != "" {
		value, refused := encodeField(d, w, crm.FieldValue{Name: w.ExternalField, Value: crm.Text(w.ExternalValue)})
		if refused != nil {
			return nil, refused
		}
		b = append(appendName(append(b, ','), w.ExternalField), value...)
	}
	for _, field := range w.Fields {
		if field.Value.State != crm.Present && field.Value.State != crm.Blank || field.Name == w.ExternalField {
			continue
		}
		// On a plain create null would stand in the way of the field's default.
		if field.Value.State == crm.Blank && w.Op == crm.Create && w.ExternalField == "" {
			continue
		}
		value, refused := encodeField(d, w, field)
		if refused != nil {
			return nil, refused
		}
		b = append(appendName(append(b, ','), field.Name), value...)
	}
	return append(b, '}'), nil
}

// unknownField returns the first field of w that the schema does not have.
func unknownField(d *described, w *crm.Write) string {
	for _, field := range w.Fields {
		if !d.has(field.Name) {
			return field.Name
		}
	}
	if w.ExternalField != "" && !d.has(w.ExternalField) {
		return w.ExternalField
	}
	return ""
}

func encodeField(d *described, w *crm.Write, field crm.FieldValue) ([]byte, *refusal) {
	f := d.fields[field.Name]
	if f == nil {
		r := refuse("INVALID_FIELD", field.Name, "%s has no field %s that this user may see", d.object.Name, field.Name)
		r.err.Mend = "check the field's name and the user's field-level security: lockstep check"
		return nil, r
	}
	writable := f.Updatable
	if w.Op == crm.Create {
		writable = f.Creatable
	}
	if !writable {
		r := refuse("INVALID_FIELD_FOR_INSERT_UPDATE", field.Name, "%s.%s cannot be written by this user", d.object.Name, field.Name)
		r.err.Mend = "give the user edit access to the field, or map it to-hubspot only"
		return nil, r
	}
	if field.Value.State == crm.Blank {
		if f.Kind == crm.KindBool {
			return []byte("false"), nil // a checkbox is never null
		}
		return []byte("null"), nil
	}
	value, ok := encodeValue(f.Kind, field.Value.Text)
	if !ok {
		return nil, refuse("INVALID_TYPE_ON_FIELD_IN_RECORD", field.Name, "%s.%s is a %s, and the value is none", d.object.Name, field.Name, f.Type)
	}
	return value, nil
}

// encodeValue writes a text as the JSON that the field's type wants; ok is
// false when it cannot be one.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_valid_date_formats.htm
func encodeValue(kind crm.Kind, text string) (value []byte, ok bool) {
	switch kind {
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		text, ok = numberText(text, kind)
		return []byte(text), ok
	case crm.KindBool:
		text, ok = boolText(text)
		return []byte(text), ok
	case crm.KindDate:
		text, ok = dateText(text)
	case crm.KindDateTime:
		t, parsed := parseMoment(text)
		text, ok = t.UTC().Format("2006-01-02T15:04:05.000Z"), parsed
	case crm.KindTime:
		text, ok = clockText(text)
	case crm.KindReference, crm.KindOwner:
		text, ok = ID18(text)
	default:
		ok = true
	}
	return appendText(nil, text), ok
}

func appendName(b []byte, name string) []byte { return append(appendText(b, name), ':') }

func appendText(b []byte, text string) []byte {
	quoted, err := jsontext.AppendQuote(b, text)
	if err != nil { // bytes that are no UTF-8 cannot travel as JSON
		quoted, _ = jsontext.AppendQuote(b[:len(b):len(b)], strings.ToValidUTF8(text, "\ufffd"))
	}
	return quoted
}

// junctionRecord writes a new row of a relation.
func junctionRecord(j *junction, near string, relation crm.Relation) []byte {
	b := fmt.Appendf(nil, `{"attributes":{"type":%q},%q:%q,%q:%q`, j.object, j.nearField, near, j.fieldTo(relation.Object), relation.ID)
	if relation.Label != "" && j.role != "" {
		b = appendText(appendName(append(b, ','), j.role), relation.Label)
	}
	if relation.Primary && j.primary != "" {
		b = append(appendName(append(b, ','), j.primary), "true"...)
	}
	return append(b, '}')
}

// junctionRole writes another role to a row; an empty one clears it.
func junctionRole(j *junction, rowID, role string) []byte {
	b := fmt.Appendf(nil, `{"attributes":{"type":%q},"id":%q,%q:`, j.object, rowID, j.role)
	if role == "" {
		return append(b, "null}"...)
	}
	return append(appendText(b, role), '}')
}

// junctionUpdate writes what differs on a row that is there already; nil when
// nothing does.
func junctionUpdate(j *junction, row, want crm.Relation) []byte {
	changed := false
	b := fmt.Appendf(nil, `{"attributes":{"type":%q},"id":%q`, j.object, row.RowID)
	if want.Label != "" && want.Label != row.Label && j.role != "" {
		b, changed = appendText(appendName(append(b, ','), j.role), want.Label), true
	}
	if want.Primary && !row.Primary && j.primary != "" {
		b, changed = append(appendName(append(b, ','), j.primary), "true"...), true
	}
	if !changed {
		return nil
	}
	return append(b, '}')
}
