// Package fault is the closed set of errors that tell the caller what to do
// next. It is translated in exactly three places: a write's verdict, an HTTP
// status, an exit code. Nothing ever matches on error text.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind answers "what should the caller do?".
type Kind string

// The kinds.
const (
	// NotFound: the thing is not there; do not repeat.
	NotFound Kind = "not-found"
	// Invalid: the input is wrong; mend it, do not repeat.
	Invalid Kind = "invalid"
	// Conflict: somebody else changed or holds it; read again, then decide.
	Conflict Kind = "conflict"
	// Denied: the credential lacks a scope or a permission, or is dead.
	Denied Kind = "denied"
	// RateLimited: wait RetryAfter, then repeat.
	RateLimited Kind = "rate-limited"
	// Unavailable: the other end or the way to it is down; repeat later.
	Unavailable Kind = "unavailable"
	// Internal: this program is wrong, or the machine is (disk full).
	Internal Kind = "internal"
)

// Error is a fault: what was tried, why it did not work, what helps.
type Error struct {
	Kind Kind
	// What went wrong, one sentence without a trailing point.
	What string
	// Mend is the next step: a command, a click, a yaml line.
	Mend string
	// Code is the vendor's code when there is one: "MISSING_SCOPES",
	// "INVALID_SESSION_ID", "EXPIRED_AUTHENTICATION".
	Code string
	// Status is the HTTP status; 0 when no answer came.
	Status int
	// RetryAfter is set for RateLimited when known.
	RetryAfter time.Duration
	// Scopes that are missing, for Denied.
	Scopes []string
	// RequestID is the vendor's id of the call.
	RequestID string
	// Err is the cause.
	Err error
}

// Error returns What and the cause; the mend is printed by the edge.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.What + ": " + e.Err.Error()
	}
	return e.What
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns a fault of the kind with a formatted What.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, What: fmt.Sprintf(format, args...)}
}

// WithMend sets the next step and returns e.
func (e *Error) WithMend(format string, args ...any) *Error {
	e.Mend = fmt.Sprintf(format, args...)
	return e
}

// Wrap sets the cause and returns e.
func (e *Error) Wrap(err error) *Error {
	e.Err = err
	return e
}

// As finds the first fault in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf returns the kind of err; Internal when err is no fault, and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}

// MendOf returns the innermost next step in err's chain, or ""; of joined
// errors the first that has one.
func MendOf(err error) string {
	mend := ""
	for err != nil {
		if e, ok := err.(*Error); ok && e.Mend != "" {
			mend = e.Mend
		}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				if m := MendOf(e); m != "" {
					return m
				}
			}
			return mend
		}
		err = errors.Unwrap(err)
	}
	return mend
}

// Exit codes of the program, in one table (README, docs/operations.md).
const (
	ExitOK          = 0 // done; every record has a good outcome or a stated reason
	ExitProblem     = 1 // anything not named below
	ExitUsage       = 2 // the command line or lockstep.yaml is wrong
	ExitDenied      = 3 // a credential, scope or permission is missing
	ExitUnavailable = 4 // a vendor or the network could not be reached
	ExitRecords     = 5 // the run ended, but records failed or the sums do not close
	ExitBrake       = 6 // a brake waits for a person
	ExitConflict    = 7 // another lockstep works on this pair, or a sealed plan is out of date
	ExitStorage     = 8 // the disk or the database of this machine
)
