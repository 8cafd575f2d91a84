package crm

// Hint says that something may have happened to a record: look now. It carries
// no value; what a record holds always comes from a read. A hint may come
// twice, late, out of order, or for nothing.
type Hint struct {
	Side Side
	// Object is the vendor's object name ("contacts", "Account") or HubSpot's
	// object type id ("0-1"). Empty: anything on this side.
	Object string
	// ID of the record; empty: any record of Object, or a gap (some hints were
	// lost), so that everything has to be read again.
	ID string
	// Why is what the vendor called it, for people: "contact.propertyChange".
	Why string
}

// Whole tells whether the hint is about more than one record.
func (h Hint) Whole() bool { return h.ID == "" }
