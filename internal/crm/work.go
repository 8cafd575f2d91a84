package crm

// Work is an amount of work on one object of one side, in records. Clients
// turn it into a forecast of calls.
type Work struct {
	Object   string
	Read     int // records read by a complete read
	Lookup   int // records read by id
	Create   int
	Update   int
	Archive  int
	Relate   int
	Relation int // relations read along: how many far objects (0 to 2)
}
