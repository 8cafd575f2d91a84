package salesforce

import (
	"crypto/md5"
	"encoding/base64"
	"strings"
)

// eventSchema is the Avro schema of an object's change events: one for each set
// of fields that the object had.
// https://developer.salesforce.com/docs/platform/pub-sub-api/guide/event-deserialization-considerations.html
type eventSchema struct {
	ID     string   `json:"id"` // the schema's fingerprint
	JSON   string   `json:"json"`
	Object string   `json:"object"`
	Names  []string `json:"names"` // of the fields, ChangeEventHeader first

	fields []*eventField // nil in schemas that were loaded; they encode nothing new
}

// eventField is a field of an event: one of the object's, or a compound of some.
type eventField struct {
	*field
	parts  []*field // of a compound, in the order of its record
	names  []string // of the record's fields; "" beside no part
	record string
	// branch is the place of the value in its union.
	branch int64
}

// changeTypes in the order of the schema's enum.
var changeTypes = [...]string{"CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW", "SNAPSHOT"}

const (
	changeCreate = iota
	changeUpdate
	changeDelete
	changeUndelete
	gapCreate
	gapOverflow = 8
)

// neverInEvents are fields that change events leave out, besides formulas.
var neverInEvents = map[string]bool{
	"Id": true, "IsDeleted": true, "SystemModstamp": true, "LastActivityDate": true, "LastViewedDate": true, "LastReferencedDate": true,
	"PhotoUrl": true, "MasterRecordId": true, "Fiscal": true, "FiscalYear": true, "FiscalQuarter": true, "HasOpenActivity": true, "HasOverdueTask": true,
}

var (
	addressParts    = []string{"Street", "City", "State", "PostalCode", "Country", "StateCode", "CountryCode", "Latitude", "Longitude", "Xyz", "GeocodeAccuracy"}
	personNameParts = []string{"FirstName", "LastName", "MiddleName", "InformalName", "Suffix", "Salutation"}
)

// eventFields are the fields of an object's events.
func (o *object) eventFields() []*eventField {
	var list []*eventField
	named := func(prefix string, names []string) (parts []*field) {
		for _, name := range names {
			parts = append(parts, o.field(prefix+name))
		}
		return parts
	}
	for _, f := range o.fields {
		switch {
		case neverInEvents[f.Name] || f.source == fromFormula || f.Type == "base64" || strings.HasSuffix(f.compound, "Address"):
		case f.source == fromAddress:
			list = append(list, &eventField{field: f, parts: named(f.prefix, addressParts), names: addressParts, record: "Address", branch: 1})
		case f.source == fromPersonName:
			list = append(list, &eventField{field: f, parts: named("", personNameParts), names: personNameParts, record: "PersonName", branch: 1})
		case f.compound == "Name" && !f.nameField:
		default:
			list = append(list, &eventField{field: f, branch: 1})
		}
	}
	return list
}

// changeSchema is the schema of an object's events now; the caller holds the
// server's write lock and not the bus's.
func (s *Server) changeSchema(o *object) *eventSchema {
	if o.events != nil {
		return o.events
	}
	made := &eventSchema{Object: o.name, fields: o.eventFields(), Names: []string{"ChangeEventHeader"}}
	w := &jsonWriter{}
	w.open('{').key("name").str(eventEntity(o.name)).key("namespace").str("com.sforce.eventbus").key("type").str("record").key("fields").open('[')
	writeEventHeader(w)
	known := map[string]bool{}
	for _, f := range made.fields {
		made.Names = append(made.Names, f.Name)
		w.open('{').key("name").str(f.Name).key("type").open('[').str("null")
		switch {
		case f.record != "":
			f.writeRecord(w, f.record, f.names, known)
		case o.name == "Account" && f.nameField:
			// A person account would have a record here, a business account has text.
			w.str("string")
			person := &eventField{parts: make([]*field, len(personNameParts))}
			person.writeRecord(w, "Switchable_PersonName", personNameParts, known)
		default:
			w.str(f.avroType())
		}
		w.close(']').key("doc").str(f.eventDoc()).key("default").null().close('}')
	}
	w.close(']').close('}')
	made.JSON = string(w.b)
	sum := md5.Sum(w.b)
	made.ID = base64.RawURLEncoding.EncodeToString(sum[:])
	o.events = made
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	s.bus.schemas[made.ID] = made
	return made
}

// writeRecord writes a compound's record type; the second time its name does.
func (f *eventField) writeRecord(w *jsonWriter, name string, parts []string, known map[string]bool) {
	if known[name] {
		w.str(name)
		return
	}
	known[name] = true
	w.open('{').key("type").str("record").key("name").str(name).key("fields").open('[')
	for i, part := range parts {
		kind := "string"
		if p := f.parts[i]; p != nil {
			kind = p.avroType()
		} else if part == "Latitude" || part == "Longitude" {
			kind = "double"
		}
		w.open('{').key("name").str(part).key("type").strs([]string{"null", kind}).key("default").null().close('}')
	}
	w.close(']').close('}')
}

func writeEventHeader(w *jsonWriter) {
	texts := func() { w.open('{').key("type").str("array").key("items").str("string").close('}') }
	w.open('{').key("name").str("ChangeEventHeader").key("type").open('{').key("type").str("record").key("name").str("ChangeEventHeader").key("fields").open('[')
	for _, p := range [...][2]string{{"entityName", "string"}, {"recordIds", ""}, {"changeType", "enum"}, {"changeOrigin", "string"}, {"transactionKey", "string"},
		{"sequenceNumber", "int"}, {"commitTimestamp", "long"}, {"commitNumber", "long"}, {"commitUser", "string"},
		{"nulledFields", ""}, {"diffFields", ""}, {"changedFields", ""}} {
		w.open('{').key("name").str(p[0]).key("type")
		switch p[1] {
		case "":
			texts()
		case "enum":
			w.open('{').key("type").str("enum").key("name").str("ChangeType").key("symbols").strs(changeTypes[:]).close('}')
		default:
			w.str(p[1])
		}
		w.close('}')
	}
	w.close(']').close('}').close('}')
}

// eventDoc says what a field is, as "role:type".
func (f *eventField) eventDoc() string {
	switch {
	case f.source == fromCreatedDate:
		return "CreatedDate:DateTime"
	case f.source == fromCreatedBy:
		return "CreatedBy:EntityId"
	case f.source == fromModifiedDate:
		return "LastModifiedDate:DateTime"
	case f.source == fromModifiedBy:
		return "LastModifiedBy:EntityId"
	case f.record != "":
		return "Data:" + f.record
	case f.object.name == "Account" && f.nameField:
		return "Data:Switchable_PersonName"
	case f.reference():
		return "ForeignKey:EntityId"
	}
	kind := map[string]string{"boolean": "Boolean", "int": "Integer", "double": "Double", "currency": "Currency", "percent": "Percent", "date": "DateOnly",
		"datetime": "DateTime", "time": "TimeOnly", "email": "Email", "phone": "Phone", "url": "Url", "picklist": "DynamicEnum", "multipicklist": "MultiEnum",
		"textarea": "MultiLineText"}[f.Type]
	if kind == "" {
		kind = "Text"
	}
	return "Data:" + kind
}

// eventEntity is the name of an object's change events: AccountChangeEvent,
// and Seat__ChangeEvent for Seat__c.
func eventEntity(object string) string {
	if name, custom := strings.CutSuffix(object, "__c"); custom {
		return name + "__ChangeEvent"
	}
	return object + "ChangeEvent"
}
