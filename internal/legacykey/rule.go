package legacykey

import "time"

// Severity says how urgent a finding is.
type Severity string

// The severities.
const (
	// SeverityError: it does not work any more, or a secret lies open.
	SeverityError Severity = "error"
	// SeverityWarning: it ends on a known day within the next year.
	SeverityWarning Severity = "warning"
	// SeverityNote: worth knowing; nothing breaks soon.
	SeverityNote Severity = "note"
)

// rank orders severities, the most urgent highest.
func (s Severity) rank() int {
	switch s {
	case SeverityError:
		return 2
	case SeverityWarning:
		return 1
	}
	return 0
}

// AtLeast tells whether s is as urgent as limit, or more.
func (s Severity) AtLeast(limit Severity) bool { return s.rank() >= limit.rank() }

// Fix says who can mend a finding.
type Fix string

// The ways to mend.
const (
	// FixSafe: Migrate rewrites the common forms.
	FixSafe Fix = "safe"
	// FixManual: a person has to decide.
	FixManual Fix = "manual"
	// FixNone: there is nothing to change in the file.
	FixNone Fix = "none"
)

// ending says what happens on a rule's day.
type ending int

const (
	// always: no day; the severity is the rule's own.
	always ending = iota
	// stops: calls are refused from that day on.
	stops
	// unsupported: calls may still be answered, but nothing is mended any more.
	unsupported
)

// Rule is one thing that is looked for.
type Rule struct {
	ID    string
	Title string
	// Until says in words how long it works: a date, "already dead".
	Until string
	// Mend is the next step.
	Mend string
	// Source is the vendor's page.
	Source string
	Fix    Fix

	ending   ending
	ends     time.Time
	severity Severity // for always
}

const (
	// soonStops is how long before its end something that stops becomes a warning.
	soonStops = 366 * 24 * time.Hour
	// soonUnsupported is the same for what only loses support.
	soonUnsupported = 183 * 24 * time.Hour
)

// at is the rule's severity on a day.
func (r *Rule) at(now time.Time) Severity {
	switch r.ending {
	case stops:
		if !now.Before(r.ends) {
			return SeverityError
		}
		if r.ends.Sub(now) <= soonStops {
			return SeverityWarning
		}
		return SeverityNote
	case unsupported:
		if r.ends.Sub(now) <= soonUnsupported {
			return SeverityWarning
		}
		return SeverityNote
	}
	return r.severity
}

// Rules returns a copy of the table, in the order in which it is told.
func Rules() []Rule { return append([]Rule(nil), rules()...) }
