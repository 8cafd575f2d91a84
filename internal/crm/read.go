package crm

import "time"

// Read says what to read of one object. Only named fields travel.
type Read struct {
	// Layout names the object and its fields. The records that come back carry
	// this very Layout.
	Layout *Layout
	// Relations are the objects (same side) whose associations to read along.
	Relations []string
	// Junctions are the Salesforce objects whose rows to read along.
	Junctions []Junction
	// Overlap is how far back the last read of changes reached, as its report
	// said; 0 when there was none. A client that learns how late its vendor's
	// index is learns it from here after a restart.
	Overlap time.Duration
	// SinceMicros is where the last read of changes started, for a look at
	// associations; 0 when there was none. What a vendor proves not to have moved
	// since need not be told again.
	SinceMicros int64
}

// Junction is a Salesforce object each record of which joins two others: a row.
type Junction struct {
	// Object is its own API name: "OpportunityContactRole".
	Object string
	// Near is its reference to the record that is read, Far to the other one,
	// which is a FarObject ("Contact").
	Near      string
	Far       string
	FarObject string
	// Label and Primary are its fields for a role and for the first of several;
	// empty where it has none.
	Label   string
	Primary string
	// Also are further references to far records of other objects: a row has one
	// of them filled, and where it has several, Far counts before these, in their
	// order.
	Also []JunctionEnd
}

// JunctionEnd is one reference of a row to a far record.
type JunctionEnd struct {
	// Field is the row's reference field ("LeadId"), Object what it points to.
	Field  string
	Object string
}

// Ends are all references of a row to far records, the first that counts first.
func (j *Junction) Ends() []JunctionEnd {
	return append([]JunctionEnd{{Field: j.Far, Object: j.FarObject}}, j.Also...)
}

// ReadReport is what a complete or partial read can prove of itself.
type ReadReport struct {
	// Rows that were handed on, archived ones not counted.
	Rows int
	// Archived rows that were handed on.
	Archived int
	// Expected is the vendor's own count taken independently of the paging
	// (HubSpot search total, Salesforce COUNT()); -1 when it was not asked.
	Expected int
	// Calls that the read cost.
	Calls int
	// Method is how it was read, for people: "list, 8 id ranges", "search by
	// id ranges", "query".
	Method string
	// NextMicros is where the next Changes should start, UTC microseconds,
	// overlap already taken off.
	NextMicros int64
	// Overlap is what was taken off, for the next Read.
	Overlap time.Duration
}

// Op is what a write does.
type Op string

// The operations.
const (
	Create  Op = "create"
	Update  Op = "update"
	Archive Op = "archive"
	// Relate and Unrelate set and remove an association that is not a field.
	Relate   Op = "relate"
	Unrelate Op = "unrelate"
	// Restore brings an archived record back under its id, where the vendor can.
	Restore Op = "restore"
)

// FieldValue is one field of a write: a Present or a Blank value.
type FieldValue struct {
	Name  string
	Value Value
}

// Write is one change to send to one side.
type Write struct {
	// Key identifies the write within its plan; results carry it back.
	Key    string
	Op     Op
	Object string
	// ID of the record to change; empty on Create.
	ID     string
	Fields []FieldValue
	// ExternalField and ExternalValue make a Create an upsert by a unique
	// field; both empty otherwise. With them a repeat is harmless.
	ExternalField string
	ExternalValue string
	// Relation is the far end for Relate and Unrelate; From is ID of Object. With
	// a RowID, Relate changes the label of that row; with a Label, Unrelate takes
	// that label off a HubSpot association, which stays.
	Relation Relation
	// Junction says which Salesforce rows are meant; nil on HubSpot.
	Junction *Junction
}

// Result is what became of one Write. A refusal by the vendor for one record
// is data here, never an error of the batch.
type Result struct {
	Key string
	// ID of the record that now exists (for Relate: of the row, when there is one).
	ID string
	// Created: the vendor made a new record (an upsert may have found one).
	Created bool
	// Repeated: an earlier attempt had no answer and may have made the record that
	// an upsert then found.
	Repeated bool
	// Already: what was to be deleted was deleted before, by somebody else.
	Already bool
	// Err is nil on success. Its kind says whether a repeat can help.
	Err error
	// Unknown: no answer came, so the write may or may not have happened. The
	// caller must look before it repeats.
	Unknown bool
	// Later: it cannot be done yet, because something that other writes may bring
	// is not there; nothing was sent. It is worth another try in this run, and in
	// every further one.
	Later bool
	// ModifiedMicros as answered by the vendor; 0 when it did not say.
	ModifiedMicros int64
	// RequestID is the vendor's id of the call, for its support.
	RequestID string
	// Cause names which Salesforce or HubSpot status code refused it
	// ("STRING_TOO_LONG", "INVALID_OPTION"); empty on success.
	Cause string
	// Fields the vendor blamed.
	Fields []string
}

// Usage is what a client has spent and what the vendor says is left.
type Usage struct {
	// Calls made by this process through this client, retries included.
	Calls int
	// Retries and Throttled (429 or REQUEST_LIMIT_EXCEEDED) among them.
	Retries   int
	Throttled int
	// DayLimit and DayLeft as last told by the vendor; -1 when unknown.
	DayLimit int
	DayLeft  int
}
