package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
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
	// Problems are those of lockstep.yaml, where that is what is wrong.
	Problems []problemJSON `json:"problems,omitempty"`
}

// problemJSON is one problem with its place.
type problemJSON struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	What     string `json:"what"`
	Next     string `json:"next,omitempty"`
}

func newProblemJSON(p mapping.Problem) problemJSON {
	return problemJSON{
		Severity: string(p.Severity), Code: p.Code, File: p.File, Line: p.Line, Column: p.Column, What: p.What, Next: p.Mend,
	}
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
		var problems *mapping.Problems
		if errors.As(err, &problems) {
			line.Error = count(len(problems.Errors()), "problem", "problems") + " in " + problems.File
			for _, p := range problems.All {
				line.Problems = append(line.Problems, newProblemJSON(p))
			}
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
	var problems *mapping.Problems
	if errors.As(err, &problems) {
		for _, p := range problems.All {
			tellProblem(s.Err, label, p)
		}
		return code
	}
	writeIndented(s.Err, label+" ", strings.TrimSpace(err.Error()))
	if mend := fault.MendOf(err); mend != "" {
		writeIndented(s.Err, "  next: ", mend)
	}
	return code
}

// tellProblem prints one problem of lockstep.yaml with its place and mend.
func tellProblem(w io.Writer, label string, p mapping.Problem) {
	if p.Severity == mapping.SeverityWarning {
		label = "warning:"
	}
	writeIndented(w, label+" ", p.String())
	if p.Mend != "" {
		writeIndented(w, "  next: ", strings.TrimRight(p.Mend, "\n"))
	}
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

// firstOf returns the first error that is one: what comes after it is only its
// consequence, and would hide its next step.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
