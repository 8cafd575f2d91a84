package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// exitError carries an exit code that no kind of fault stands for, such as "the
// run ended, but records failed". A nil err prints nothing more.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exitCode translates an error into the table of docs/operations.md.
func exitCode(err error) int {
	if err == nil {
		return fault.ExitOK
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	if _, ok := fault.As(err); !ok {
		return fault.ExitProblem
	}
	switch fault.KindOf(err) {
	case fault.Invalid:
		return fault.ExitUsage
	case fault.Denied:
		return fault.ExitDenied
	case fault.Unavailable, fault.RateLimited:
		return fault.ExitUnavailable
	case fault.Conflict:
		return fault.ExitConflict
	case fault.Internal:
		return fault.ExitStorage
	default:
		return fault.ExitProblem
	}
}

// failureJSON is how --json tells an error, one line on stderr.
type failureJSON struct {
	Error string   `json:"error"`
	Kind  string   `json:"kind"`
	Next  string   `json:"next,omitempty"`
	Code  string   `json:"code,omitempty"`
	Scope []string `json:"scopes,omitempty"`
	Exit  int      `json:"exit"`
}

// tellFailure prints err with its next step and returns the exit code.
func tellFailure(s Streams, asJSON bool, err error) int {
	code := exitCode(err)
	var exit *exitError
	if err == nil || errors.As(err, &exit) && exit.err == nil {
		return code
	}
	if errors.Is(err, context.Canceled) && fault.KindOf(err) != fault.Denied {
		fmt.Fprintln(s.Err, "stopped: what was done is kept, the next run continues there")
		return fault.ExitProblem
	}
	if asJSON {
		line := failureJSON{Error: err.Error(), Kind: string(fault.KindOf(err)), Next: fault.MendOf(err), Exit: code}
		if e, ok := fault.As(err); ok {
			line.Code, line.Scope = e.Code, e.Scopes
		}
		encoder := json.NewEncoder(s.Err)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(line)
		return code
	}
	label := "error:"
	if s.colour(s.Err) {
		label = "\x1b[31merror:\x1b[0m"
	}
	writeIndented(s.Err, label+" ", strings.TrimSpace(err.Error()))
	if mend := fault.MendOf(err); mend != "" {
		writeIndented(s.Err, "  next: ", mend)
	}
	return code
}

// writeIndented prints text after a label, further lines under its beginning.
func writeIndented(w io.Writer, label, text string) {
	lines := strings.Split(text, "\n")
	fmt.Fprintln(w, label+lines[0])
	for _, line := range lines[1:] {
		fmt.Fprintln(w, "        "+line)
	}
}

// usage is an error of the command line itself.
func usage(mend, format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).WithMend("%s", mend)
}
