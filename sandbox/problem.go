package sandbox

import "strconv"

// Error says what is wrong with how the sandbox was asked, and what helps.
type Error struct {
	// What went wrong, one sentence without a trailing point.
	What string
	// Mend is the next step.
	Mend string
	// Cause is the error below, if any.
	Cause error
}

// Error returns What and the cause.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.What + ": " + e.Cause.Error()
	}
	return e.What
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

func quoted(s string) string { return strconv.Quote(s) }
