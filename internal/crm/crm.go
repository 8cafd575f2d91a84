// Package crm holds the words of Lockstep as Go types: sides, records, values,
// schemas, writes and their results. It is data only, imports nothing of ours,
// and is what the two clients and the engine speak to each other.
//
// Values travel as each vendor stores them (native text), never as any: a
// HubSpot property is a string on the wire already; a Salesforce number, bool
// or string is kept as the text of its JSON literal without quotes. What the
// text means is told by the schema, and compared by package reconcile.
package crm

// Side names one of the two systems.
type Side string

// The two sides.
const (
	HubSpot    Side = "hubspot"
	Salesforce Side = "salesforce"
)

// Other returns the opposite side.
func (s Side) Other() Side {
	if s == HubSpot {
		return Salesforce
	}
	return HubSpot
}

// Title returns the vendor's name as people write it.
func (s Side) Title() string {
	if s == HubSpot {
		return "HubSpot"
	}
	return "Salesforce"
}

// Ref points at one record: side, the vendor's object name ("contacts",
// "Contact") and the vendor's id. Salesforce ids are always the 18-character
// form inside Lockstep.
type Ref struct {
	Side   Side
	Object string
	ID     string
}

// IsZero tells whether r points nowhere.
func (r Ref) IsZero() bool { return r.ID == "" }

// State says what is known of a value. Blank, not asked for and not readable
// are three different things.
type State uint8

const (
	// Missing: the field was not asked for, or the vendor left it out.
	Missing State = iota
	// Blank: the vendor holds no value (JSON null or the empty string).
	Blank
	// Present: Text holds the value.
	Present
	// Unreadable: the field exists and our credential may not read it.
	Unreadable
)

// Value is one field's value as the vendor stores it.
type Value struct {
	State State
	Text  string
}

// Text returns a Present value, or Blank when text is empty.
func Text(text string) Value {
	if text == "" {
		return Value{State: Blank}
	}
	return Value{State: Present, Text: text}
}

// IsPresent tells whether v holds text.
func (v Value) IsPresent() bool { return v.State == Present }

// Layout names the fields of records. All records of one read share one
// Layout, so a record costs a slice and no map. A Layout is never changed
// after NewLayout.
type Layout struct {
	Object string
	Fields []string
	index  map[string]int
}

// NewLayout returns the layout of records of object with these fields.
func NewLayout(object string, fields []string) *Layout {
	l := &Layout{Object: object, Fields: fields, index: make(map[string]int, len(fields))}
	for i, f := range fields {
		l.index[f] = i
	}
	return l
}

// Index returns the place of field in Values, or -1.
func (l *Layout) Index(field string) int {
	if i, ok := l.index[field]; ok {
		return i
	}
	return -1
}

// Record is one record as it was read.
type Record struct {
	Layout *Layout
	ID     string
	// CreatedMicros and ModifiedMicros are UTC microseconds since 1970; 0 when
	// the vendor did not say. HubSpot knows milliseconds, Salesforce seconds.
	CreatedMicros  int64
	ModifiedMicros int64
	// Archived: HubSpot archived, or Salesforce IsDeleted.
	Archived bool
	// MergedInto is the id of the surviving record when the vendor says that
	// this one was merged away (Salesforce MasterRecordId; on HubSpot the id
	// that answered when an old id was asked for). Empty otherwise.
	MergedInto string
	// TookIn are the ids of records that were merged into this one, where the
	// vendor tells them (HubSpot's hs_merged_object_ids).
	TookIn []string
	// Values is aligned with Layout.Fields.
	Values []Value
	// Relations holds the associations that the read asked for.
	Relations []Relation
}

// Value returns the value of field, Missing when the record does not have it.
func (r *Record) Value(field string) Value {
	if r == nil || r.Layout == nil {
		return Value{}
	}
	if i := r.Layout.Index(field); i >= 0 && i < len(r.Values) {
		return r.Values[i]
	}
	return Value{}
}

// Relation is one association of a record to a record of the same side.
type Relation struct {
	// Object is the vendor's object name of the far end ("companies", "Contact").
	Object string
	ID     string
	// Primary: HubSpot's primary company, or an OpportunityContactRole with
	// IsPrimary.
	Primary bool
	// Label is HubSpot's association label or the Salesforce role; often empty.
	Label string
	// RowID is the id of the row that carries the relation where that is a
	// record of its own (OpportunityContactRole); empty on HubSpot. Junction is
	// the object of that row.
	RowID    string
	Junction string
}
