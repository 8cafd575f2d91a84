package mapping

import (
	"fmt"
	"sort"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Severity says whether a Problem stops the work.
type Severity string

// The severities.
const (
	// SeverityError: the mapping cannot be used until it is mended.
	SeverityError Severity = "error"
	// SeverityWarning: the mapping works, and something may surprise.
	SeverityWarning Severity = "warning"
)

// Problem is one thing that is wrong in lockstep.yaml.
type Problem struct {
	File string
	Pos
	Severity Severity
	// Code is stable, lower case with dots: "field.unknown".
	Code string
	// What is wrong, one sentence without a trailing point.
	What string
	// Mend is what to write instead; may be several lines of yaml to paste.
	Mend string
}

// String is the problem in one line, without the mend: file:line:column: what.
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.What)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.What)
}

// Problems is everything that is wrong, in the order of the file. It is an
// error of kind fault.Invalid.
type Problems struct {
	File string
	All  []Problem
}

// Error lists all problems, one a line, each with its mend below it.
func (p *Problems) Error() string {
	var b strings.Builder
	for i, one := range p.All {
		if i > 0 {
			b.WriteByte('\n')
		}
		if one.Severity == SeverityWarning {
			b.WriteString("warning: ")
		}
		b.WriteString(one.String())
		for line := range strings.Lines(one.Mend) {
			b.WriteString("\n    " + strings.TrimRight(line, "\n"))
		}
	}
	return b.String()
}

// Unwrap gives the problems the kind fault.Invalid.
func (p *Problems) Unwrap() error {
	first := Problem{File: p.File}
	if errs := p.Errors(); len(errs) > 0 {
		first = errs[0]
	} else if len(p.All) > 0 {
		first = p.All[0]
	}
	return fault.New(fault.Invalid, "%s", first.String()).WithMend("%s", first.Mend)
}

// Errors are the problems that stop the work.
func (p *Problems) Errors() []Problem { return p.with(SeverityError) }

// Warnings are the problems that do not.
func (p *Problems) Warnings() []Problem { return p.with(SeverityWarning) }

func (p *Problems) with(s Severity) []Problem {
	if p == nil {
		return nil
	}
	var out []Problem
	for _, one := range p.All {
		if one.Severity == s {
			out = append(out, one)
		}
	}
	return out
}

func (p *Problems) add(pos Pos, severity Severity, code, what, mend string) {
	p.All = append(p.All, Problem{File: p.File, Pos: pos, Severity: severity, Code: code, What: what, Mend: mend})
}

func (p *Problems) errorf(pos Pos, code, mend, format string, args ...any) {
	p.add(pos, SeverityError, code, fmt.Sprintf(format, args...), mend)
}

func (p *Problems) warnf(pos Pos, code, mend, format string, args ...any) {
	p.add(pos, SeverityWarning, code, fmt.Sprintf(format, args...), mend)
}

// sorted puts the problems in the order of the file and drops repeats.
func (p *Problems) sorted() *Problems {
	sort.SliceStable(p.All, func(i, j int) bool {
		a, b := p.All[i].Pos, p.All[j].Pos
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	kept := p.All[:0]
	for i, one := range p.All {
		if i > 0 && one == p.All[i-1] {
			continue
		}
		kept = append(kept, one)
	}
	p.All = kept
	return p
}

func (p *Problems) failed() bool { return len(p.Errors()) > 0 }
