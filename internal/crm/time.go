package crm

// FieldTime says when a field of a record was last set, and by whom. The zero
// FieldTime says that nothing is known.
type FieldTime struct {
	// Micros is UTC microseconds since 1970; 0 when it is not known.
	Micros int64
	// By is who or what set it, for people: a name, "integration 12345",
	// "workflow"; empty when the vendor does not tell.
	By string
	// OfRecord: the vendor tells only when the record was changed, so the field
	// may be older.
	OfRecord bool
}

// FieldRevision is one value that a field of a record was given.
type FieldRevision struct {
	Value Value
	FieldTime
}
