package reconcile

import (
	"regexp"
	"sort"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Canonical is the form of a value by which equal things are equal, whatever a
// vendor does to the text when it stores it. It is a pure function of its
// arguments, so "equal canonical form" is an equivalence; and it is idempotent.
//
//   - text: NFC, no white space at the ends, LF line ends. Case counts.
//   - e-mail: also lower case.
//   - phone: digits with a leading + where there is one ("00" counts as +),
//     formatting and a trunk "(0)" after a country code dropped, an extension
//     kept after ";". A national and an international form of one number stay
//     different, because a country cannot be guessed without being wrong for
//     somebody. What holds letters or no digits is text.
//   - web address: without http(s)://, with the host in lower case, without a
//     slash at the end; HubSpot's company domain: the bare host.
//   - number: exact decimal; on Salesforce a double, which is what its API
//     carries, rounded to the field's scale, which the API does not do on its own.
//   - checkbox: true or false; a blank one is false in Salesforce, which knows
//     no third value, and blank in HubSpot, which does.
//   - date: 2006-01-02. Time: UTC, HubSpot to the millisecond, Salesforce to
//     the second. Time of day: 14:05:06.000.
//   - picklist: the option's value where the text is an option's value or label
//     (values before labels); several: sorted, each once.
//   - HTML: its text with white space folded, escaped again.
//
// A blank gives "". A value that was not read, or is not what its kind says,
// gives a fault.Invalid. f may be nil.
func Canonical(kind crm.Kind, f *crm.Field, side crm.Side, v crm.Value) (string, error) {
	if v.State == crm.Missing || v.State == crm.Unreadable {
		return "", fault.New(fault.Invalid, "the value was not read")
	}
	text := v.Text
	if kind != crm.KindHTML {
		text = cleanText(text)
	}
	if text == "" {
		if kind == crm.KindBool && side == crm.Salesforce {
			return "false", nil
		}
		return "", nil
	}
	switch kind {
	case crm.KindEmail:
		return lowerText(text), nil
	case crm.KindPhone:
		return canonicalPhone(text), nil
	case crm.KindURL:
		return canonicalURL(text), nil
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		return canonicalNumber(f, side, text)
	case crm.KindBool:
		if b, ok := parseBool(text); ok {
			return b, nil
		}
		return "", fault.New(fault.Invalid, "the value is neither true nor false")
	case crm.KindDate, crm.KindDateTime:
		return canonicalMoment(kind, side, text)
	case crm.KindTime:
		if clock, ok := parseClock(text); ok {
			return clock.Format(clockForm), nil
		}
		return "", fault.New(fault.Invalid, "the value is not a time of day")
	case crm.KindPicklist:
		return canonicalOption(f, text), nil
	case crm.KindMultiPicklist:
		return strings.Join(canonicalSet(f, text), ";"), nil
	case crm.KindHTML:
		return shownText(text), nil
	}
	if isDomain(f, side) {
		if d := mapping.DomainOf(text); d != "" {
			return d, nil
		}
	}
	return text, nil
}

// isDomain tells HubSpot's company domain from other text: HubSpot stores it as
// a bare lower-case host whatever is sent.
func isDomain(f *crm.Field, side crm.Side) bool {
	return f != nil && side == crm.HubSpot && f.Name == "domain"
}

// cleanText is what neither vendor keeps apart: white space at the ends is
// trimmed on save, line ends come back in either form, and accents may be one
// code point or two.
func cleanText(s string) string {
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	return strings.TrimSpace(norm.NFC.String(s))
}

// lowerText is lower case, composed again: lowering may take letters apart.
func lowerText(s string) string { return cleanText(strings.ToLower(s)) }

var (
	extensionPattern = regexp.MustCompile(`(?i)(?:ext(?:ension)?\.?|durchwahl|;|x|#)\s*([0-9]+)\s*$`)
	trunkPattern     = regexp.MustCompile(`^((?:\+|00)[^()]*)\(\s*0\s*\)`)
)

// phoneFormatting are the characters that people put between digits.
const phoneFormatting = " \t()-./\u00a0\u2010\u2011\u2012\u2013\u202f"

func canonicalPhone(text string) string {
	s := strings.ToLower(text)
	extension := ""
	if strings.ContainsAny(s, "x#;d") { // patterns are slow, and most numbers have no extension
		if m := extensionPattern.FindStringSubmatchIndex(s); m != nil && strings.ContainsAny(s[:m[0]], "0123456789") {
			extension, s = ";"+s[m[2]:m[3]], s[:m[0]]
		}
	}
	s = strings.TrimSpace(s)
	if strings.Contains(s, "(") {
		s = trunkPattern.ReplaceAllString(s, "$1")
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9', r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case strings.ContainsRune(phoneFormatting, r):
		default:
			return text
		}
	}
	if strings.Trim(b.String(), "+0") == "" {
		return text
	}
	out := b.String()
	if rest, ok := strings.CutPrefix(out, "00"); ok && rest != "" {
		out = "+" + rest
	}
	return out + extension
}

func canonicalURL(text string) string {
	s := text
	for {
		lower := strings.ToLower(s)
		cut := strings.TrimPrefix(strings.TrimPrefix(lower, "https://"), "http://")
		if len(cut) == len(lower) {
			break
		}
		s = s[len(s)-len(cut):]
	}
	host, rest := s, ""
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		host, rest = s[:i], s[i:]
	}
	out := cleanText(lowerText(host) + strings.TrimRight(rest, "/ "))
	if out == "" {
		return text
	}
	return out
}

func canonicalNumber(f *crm.Field, side crm.Side, text string) (string, error) {
	d, ok := parseDecimal(text)
	if !ok {
		return "", fault.New(fault.Invalid, "the value is not a number")
	}
	if side != crm.Salesforce || f == nil {
		return d.String(), nil
	}
	if f.Kind != crm.KindInteger {
		d = d.double()
	}
	if f.Precision > 0 {
		d = d.round(f.Scale)
	}
	return d.String(), nil
}

func parseBool(text string) (string, bool) {
	switch strings.ToLower(text) {
	case "true":
		return "true", true
	case "false":
		return "false", true
	}
	return "", false
}

const (
	dateForm   = "2006-01-02"
	secondForm = "2006-01-02T15:04:05Z"
	milliForm  = "2006-01-02T15:04:05.000Z"
	clockForm  = "15:04:05.000"
)

func canonicalMoment(kind crm.Kind, side crm.Side, text string) (string, error) {
	t, ok := mapping.ParseTime(text)
	if !ok {
		return "", fault.New(fault.Invalid, "the value is not a date")
	}
	return momentText(kind, side, t), nil
}

func momentText(kind crm.Kind, side crm.Side, t time.Time) string {
	switch {
	case kind == crm.KindDate:
		return t.Format(dateForm)
	case side == crm.Salesforce:
		return t.Truncate(time.Second).Format(secondForm)
	}
	return t.Truncate(time.Millisecond).Format(milliForm)
}

// parseClock reads a time of day: "14:05", "14:05:06", or as Salesforce writes
// it, "14:05:06.000Z".
func parseClock(text string) (time.Time, bool) {
	text = strings.TrimSuffix(text, "Z")
	for _, layout := range []string{"15:04:05.999", "15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// canonicalOption returns the option's value for its value or its label.
func canonicalOption(f *crm.Field, text string) string {
	if f == nil {
		return text
	}
	for _, same := range []func(o crm.Option) bool{
		func(o crm.Option) bool { return o.Value == text },
		func(o crm.Option) bool { return strings.EqualFold(o.Value, text) },
		func(o crm.Option) bool { return o.Label != "" && strings.EqualFold(o.Label, text) },
	} {
		for i := range f.Options {
			if same(f.Options[i]) {
				return f.Options[i].Value
			}
		}
	}
	return text
}

func canonicalSet(f *crm.Field, text string) []string {
	seen := map[string]bool{}
	var out []string
	for _, part := range splitSet(text) {
		if c := canonicalOption(f, part); !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	sort.Strings(out)
	return out
}

// splitSet takes "a;b;c" apart.
func splitSet(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
