package postman

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// MaxFailedCalls is how many failed calls one collection holds.
const MaxFailedCalls = 200

// FailedCall is a write that a vendor refused, or never answered, as the journal
// keeps it. The journal keeps what was to be written of one record, not the call
// itself, which may have held a hundred.
type FailedCall struct {
	// Mapping is our name of the object: "people".
	Mapping string
	Op      crm.Op
	// Record that was written to; without an id on a create.
	Record crm.Ref
	// Fields that were to be written.
	Fields []crm.FieldValue
	// Relation is the association that was to be added or removed; Relabel: it
	// was to stay and get other labels.
	Relation *crm.Relation
	Relabel  bool
	// Cause is the vendor's code ("STRING_TOO_LONG"); "" when no answer came.
	Cause     string
	RequestID string
	Time      time.Time
}

// ExportFailed writes each failed call as a request that sends its record alone.
// The collection holds the values that were to be written, and no secret.
func ExportFailed(bound *mapping.Bound, run int64, calls []FailedCall, options Options) (*Collection, *Environment) {
	options = options.withDefaults()
	c := &Collection{Info: Info{Name: fmt.Sprintf("%s: failed calls of run %d", options.Name, run), Schema: Schema}}
	c.Info.Description = fmt.Sprintf(`What run %d could not write, one request for each record. Sending one writes to the live account.

Each is made anew from the journal, which keeps object, operation and the values that were to be written: not the headers, and not the other records that travelled in the same call. It holds data of records: treat it so. It holds no token: fill in the secret variables of the environment.`, run)
	for i := range calls {
		c.Items = append(c.Items, calls[i].item(bound, i+1))
	}
	c.identify()
	return c, newEnvironment(options)
}

func (f *FailedCall) item(bound *mapping.Bound, number int) *Item {
	var item *Item
	if f.Record.Side == crm.HubSpot {
		item = f.hubSpot(bound, number)
	} else {
		item = f.salesforce(bound, number)
	}
	why := "No answer came, so it may have been done: look at the record before you send it."
	if f.Cause != "" {
		why = "It was refused with " + f.Cause + "."
	}
	text := fmt.Sprintf("%s %s of %s at %s. %s", titleOf(f.Op), f.Record.Object, f.Mapping, f.Time.UTC().Format("2006-01-02 15:04:05 UTC"), why)
	if f.RequestID != "" {
		text += "\n\n" + f.Record.Side.Title() + " calls it " + f.RequestID + "; its support asks for that."
	}
	if f.Record.Side == crm.Salesforce && f.Op == crm.Create {
		if o := bound.Object(f.Mapping); o != nil && o.ExternalID != "" {
			text += "\n\nThe sync sent it as an upsert by " + o.ExternalID + "; the journal does not keep that value, so this is a plain create. Add the field by hand, or the record will not know its HubSpot id."
		}
	}
	return item.describe(text).test(constant("cause", f.Cause), source("failed"))
}

func titleOf(op crm.Op) string { return strings.ToUpper(string(op[:1])) + string(op[1:]) }

func (f *FailedCall) name(number int) string {
	name := strconv.Itoa(number) + " " + titleOf(f.Op) + " " + f.Record.Object
	if f.Record.ID != "" {
		name += " " + f.Record.ID
	}
	return name
}

func (f *FailedCall) hubSpot(bound *mapping.Bound, number int) *Item {
	path := "crm/objects/{{hubspot_version}}/" + f.Record.Object
	body := func() string {
		properties := make([]string, 0, len(f.Fields))
		for _, v := range f.Fields {
			properties = append(properties, "    "+literal(v.Name)+": "+literal(v.Value.Text))
		}
		return "{\n  \"properties\": {\n" + strings.Join(properties, ",\n") + "\n  }\n}"
	}
	call := func(method, path string) *Item {
		return request(f.name(number), method, "{{hubspot_url}}", path).bearer("{{hubspot_token}}")
	}
	if isLists(f.Record.Object) {
		return f.hubSpotList(number, call)
	}
	switch f.Op {
	case crm.Create:
		return call("POST", path).json(body())
	case crm.Archive:
		return call("DELETE", path+"/"+f.Record.ID)
	case crm.Relate, crm.Unrelate:
		return f.hubSpotRelation(bound, call)
	}
	return call("PATCH", path+"/"+f.Record.ID).json(body())
}

// typeVariable stands for the number of an association label, which differs from
// account to account.
const typeVariable = "{{association_type_id}}"

// hubSpotRelation sends one association, or labels of one, alone.
func (f *FailedCall) hubSpotRelation(bound *mapping.Bound, call func(method, path string) *Item) *Item {
	r := f.relation()
	far := r.Object
	if far == "" {
		far = onlyAssociation(bound, f.Mapping)
	}
	labels := fmt.Sprintf("{\"associationCategory\": \"USER_DEFINED\", \"associationTypeId\": %s}", typeVariable)
	address := "crm/objects/{{hubspot_version}}/" + f.Record.Object + "/" + f.Record.ID + "/associations/"
	switch {
	case f.Op == crm.Unrelate && f.Relabel:
		raw := fmt.Sprintf("{\"inputs\": [{\"from\": {\"id\": %s}, \"to\": {\"id\": %s}, \"types\": [%s]}]}", literal(f.Record.ID), literal(r.ID), labels)
		return call("POST", "crm/associations/{{hubspot_version}}/"+f.Record.Object+"/"+far+"/batch/labels/archive").json(raw)
	case f.Op == crm.Unrelate:
		return call("DELETE", address+far+"/"+r.ID)
	case r.Label != "":
		return call("PUT", address+far+"/"+r.ID).json("[" + labels + "]")
	}
	return call("PUT", address+"default/"+far+"/"+r.ID)
}

// salesforceRow sends one row that joins two records alone. It never touches the
// record that the row belongs to.
func (f *FailedCall) salesforceRow(bound *mapping.Bound, call func(method, path string) *Item) *Item {
	r := f.relation()
	rows := &mapping.Rows{Object: mapping.ContactRole, Near: f.Record.Object + "Id", Far: r.Object + "Id", Label: "Role"}
	if o := bound.Object(f.Mapping); o != nil {
		for i := range o.Associations {
			if a := &o.Associations[i]; a.Rows != nil && (a.Rows.Object == r.Junction || r.Junction == "" && a.Rows.Object == mapping.ContactRole) {
				rows = a.Rows
			}
		}
	}
	far := rows.Far
	for _, end := range rows.Ends {
		if end.Object == r.Object {
			far = end.Field
		}
	}
	path, id := "services/data/v"+olderVersion+"/sobjects/"+rows.Object, r.RowID
	if id == "" {
		id = "{{row_id}}"
	}
	role := ""
	if r.Label != "" && rows.Label != "" {
		role = fmt.Sprintf(",\n  %s: %s", literal(rows.Label), literal(r.Label))
	}
	switch {
	case f.Op == crm.Unrelate:
		return call("DELETE", path+"/"+id)
	case f.Relabel:
		return call("PATCH", path+"/"+id).json(fmt.Sprintf("{\n  %s: %s\n}", literal(rows.Label), literal(r.Label)))
	}
	return call("POST", path).json(fmt.Sprintf("{\n  %s: %s,\n  %s: %s%s\n}", literal(rows.Near), literal(f.Record.ID), literal(far), literal(r.ID), role))
}

// relation is the other end; of a journal that does not say, the one field that
// names it, with its record's id.
func (f *FailedCall) relation() crm.Relation {
	switch {
	case f.Relation != nil:
		return *f.Relation
	case len(f.Fields) == 0:
		return crm.Relation{}
	}
	r := crm.Relation{Object: f.Fields[0].Name, ID: f.Fields[0].Value.Text}
	if f.Record.Side == crm.Salesforce {
		r.Object = strings.TrimSuffix(r.Object, "Id")
	}
	return r
}

// onlyAssociation is the HubSpot object that an object's associations lead to;
// a variable to fill in where there are several, because the journal does not say.
func onlyAssociation(bound *mapping.Bound, name string) string {
	o := bound.Object(name)
	if o == nil || len(o.Associations) != 1 {
		return "{{other_object}}"
	}
	return o.Associations[0].HubSpot
}

func (f *FailedCall) salesforce(bound *mapping.Bound, number int) *Item {
	path := "services/data/v" + olderVersion + "/sobjects/" + f.Record.Object
	var schema *crm.Object
	if o := bound.Object(f.Mapping); o != nil {
		if t := o.Target(f.Record.Object); t != nil {
			schema = t.Schema
		}
	}
	body := func() string {
		fields := make([]string, 0, len(f.Fields))
		for _, v := range f.Fields {
			fields = append(fields, "  "+literal(v.Name)+": "+salesforceValue(schema.Field(v.Name), v.Value))
		}
		return "{\n" + strings.Join(fields, ",\n") + "\n}"
	}
	call := func(method, path string) *Item {
		return request(f.name(number), method, "{{instance_url}}", path).bearer("{{access_token}}")
	}
	switch f.Op {
	case crm.Create:
		return call("POST", path).json(body())
	case crm.Archive:
		return call("DELETE", path+"/"+f.Record.ID)
	case crm.Relate, crm.Unrelate:
		return f.salesforceRow(bound, call)
	}
	return call("PATCH", path+"/"+f.Record.ID).json(body())
}

// salesforceValue writes a value as the field's type wants it in JSON; where
// that is not known or the value is none, as text, as which it is refused.
func salesforceValue(field *crm.Field, v crm.Value) string {
	if !v.IsPresent() {
		if field != nil && field.Kind == crm.KindBool {
			return "false"
		}
		return "null"
	}
	if field != nil {
		switch field.Kind {
		case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
			if _, err := strconv.ParseFloat(v.Text, 64); err == nil {
				return strings.TrimPrefix(v.Text, "+")
			}
		case crm.KindBool:
			if v.Text == "true" || v.Text == "false" {
				return v.Text
			}
		}
	}
	return literal(v.Text)
}
