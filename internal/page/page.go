// Package page writes results as pages for people who have no Lockstep: one
// HTML file that needs nothing else (no script, no font, no picture, no
// network), reads well on a phone, on a desk and on paper, in light and in dark.
//
// The one idea: a page holds values of strangers' records, so all of it goes
// through html/template, and a policy in the page itself forbids whatever would
// load or run.
package page

import (
	"embed"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

//go:embed *.tmpl
var files embed.FS

// longestValue is how much of a value is shown, in characters: enough to know
// it by, and a page of a thousand long texts still opens.
const longestValue = 400

// Text is a value of a field as a page shows it.
type Text struct {
	Shown string
	// Blank: there is no value.
	Blank bool
	// Cut is how many characters the whole value has, where it is not shown whole.
	Cut int
}

// textOf prepares a value; nil is blank.
func textOf(v *string) Text {
	if v == nil || *v == "" {
		return Text{Blank: true}
	}
	shown := strings.Map(visible, *v)
	if n := utf8.RuneCountInString(shown); n > longestValue {
		return Text{Shown: string([]rune(shown)[:longestValue]), Cut: n}
	}
	return Text{Shown: shown}
}

// visible shows the control characters that a browser would swallow, or that
// would let a value pass for another one: overrides of the writing direction,
// line separators, zero-width spaces.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r < ' ':
		return '\u2400' + r // the pictures of control characters
	case r == 0x7f:
		return '\u2421'
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x200b, r == 0x2028, r == 0x2029, r == 0xfeff, r >= 0x80 && r < 0xa0:
		return '\ufffd'
	}
	return r
}

// functions are what templates may call.
var functions = template.FuncMap{
	"number": number,
	"count":  func(n int, one, many string) string { return counted(n, one, many) },
	"account": func(what, name, id string) string {
		if name == "" || strings.Contains(name, id) {
			return what + " " + id
		}
		return what + " " + name + " (" + id + ")"
	},
	"time":  func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"on":    func(m map[crm.Side]int, side string) int { return m[crm.Side(side)] },
	"side":  func(s crm.Side) string { return s.Title() },
}

// number writes thousands with separators.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// percent writes a share of one for people.
func percent(share float64) string {
	switch p := share * 100; {
	case p == 0:
		return "0 %"
	case p < 0.1:
		return "less than 0.1 %"
	case p < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", p), ".0") + " %"
	case p < 1000:
		return fmt.Sprintf("%.0f %%", p)
	}
	return "more than ten times"
}
