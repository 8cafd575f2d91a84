package salesforce

import (
	"fmt"
	"strings"
)

// Object describes a custom object.
type Object struct {
	// Name is the API name, ending in __c.
	Name string `json:"name"`
	// Label and Plural default to the name in words.
	Label  string `json:"label,omitempty"`
	Plural string `json:"plural,omitempty"`
	// KeyPrefix is the first three characters of its ids; the next free a0x unless said.
	KeyPrefix string `json:"keyPrefix,omitempty"`
	// AutoNumber makes Name a number that the org counts, in a form like "J-{0000}".
	AutoNumber string `json:"autoNumber,omitempty"`
	// Activities lets tasks and events be about its records.
	Activities bool `json:"activities,omitempty"`
	// Fields besides Id, Name, OwnerId and the audit fields.
	Fields []Field `json:"fields"`
}

// object is one object of the org: its fields and its records.
type object struct {
	name, label, plural, prefix string
	custom                      bool
	fields                      []*field
	byName                      map[string]*field // lower-case API name
	parents                     map[string]*field // lower-case relationship name, without __r changes
	children                    map[string]*field // lower-case child relationship name: the child's reference field
	childOrder                  []*field
	nameField                   *field
	addresses                   []*field
	readOnly                    bool // nobody writes it through the API
	undeletable                 bool
	deletable                   bool
	mergeable                   bool
	searchable                  bool
	layoutable                  bool
	viewed                      bool
	autoNumber                  string // form of a counted Name
	activities                  bool   // tasks and events may be about its records
	watched                     bool   // its changes are events
	events                      *eventSchema

	// well-known fields, nil where the object has none
	owner, master *field

	// the records, by running number; a slot is nil where a create was rolled back
	rows    []*row
	first   uint64
	live    int
	purged  int64    // seconds: the last deletion that was forgotten for good
	indexes []*index // by field index, nil where there is none
	stamps  stampLog
}

func newObject(name, label, plural, prefix string) *object {
	return &object{
		name: name, label: label, plural: plural, prefix: prefix,
		byName: map[string]*field{}, parents: map[string]*field{}, children: map[string]*field{},
		custom: strings.HasSuffix(name, "__c"), deletable: true,
	}
}

// add takes the field into the object.
func (o *object) add(f *field) (*field, error) {
	f.lower = strings.ToLower(f.Name)
	if o.byName[f.lower] != nil {
		return nil, fmt.Errorf("field %s.%s exists already", o.name, f.Name)
	}
	if f.Label == "" {
		f.Label = words(f.Name)
	}
	f.object = o
	f.index = uint16(len(o.fields))
	f.key = append(appendString(nil, f.Name), ':')
	settleField(f)
	o.fields = append(o.fields, f)
	o.byName[f.lower] = f
	if f.nameField {
		o.nameField = f
	}
	if f.Relationship != "" {
		o.parents[strings.ToLower(f.Relationship)] = f
	}
	switch f.Name {
	case "OwnerId":
		o.owner = f
	case "MasterRecordId":
		o.master = f
	}
	if f.source == fromAddress {
		o.addresses = append(o.addresses, f)
	}
	var ix *index
	if f.indexed {
		ix = newIndex(f)
	}
	o.indexes = append(o.indexes, ix)
	return f, nil
}

// settleField fills what follows from the type.
func settleField(f *field) {
	switch f.Type {
	case "string", "combobox", "multipicklist", "url", "picklist", "textarea":
		if f.Length == 0 {
			f.Length = 255
		}
	case "phone":
		if f.Length == 0 {
			f.Length = 40
		}
	case "email":
		if f.Length == 0 {
			f.Length = 80
		}
	case "reference", "id":
		f.Length = longIDLength
	case "base64":
		f.Length = bodyLimitBytes
	case "double", "currency", "percent":
		if f.Precision == 0 {
			f.Precision = 18
		}
	case "int":
		if f.Digits == 0 {
			f.Digits = 9
		}
	}
	// Owners and editors are few people with very many records each: an index would only cost.
	people := f.reference() && len(f.ReferenceTo) > 0 && (f.ReferenceTo[len(f.ReferenceTo)-1] == "User" || f.ReferenceTo[0] == "RecordType")
	if f.source == stored && (f.Unique || f.ExternalID || f.IDLookup || f.reference() && !people) {
		f.indexed = true
	}
}

// field finds a field by name in any case.
func (o *object) field(name string) *field {
	if f := o.byName[name]; f != nil {
		return f
	}
	return o.byName[strings.ToLower(name)]
}
