package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Program is a compiled expression of the mapping. The zero Program is not usable.
//
// An expression reads `hubspot.<property>` and `salesforce.<Field>`. Numbers,
// currencies and percents are numbers, checkboxes are booleans, everything else
// is text: dates as "2026-11-23", times as "2026-11-23T14:05:06Z", several
// picked values as "a;b". A blank text is "", a blank number equals no number
// and is neither above nor below any, a blank checkbox is false. Whatever the
// kind, a blank equals both nil and "", so `hubspot.x != ""`, `hubspot.x != nil`
// and `not blank(hubspot.x)` say the same, and `hubspot.x ?? "none"` replaces a
// blank. blank(x), domain(x) and string(x) are ours, and in a `when`
// known(object, key), which asks another object; the rest is the language of
// https://expr-lang.org/docs/language-definition less what is not pure or not
// bounded. Expressions know no clock, no chance and no network. A Program is safe
// for concurrent use.
type Program struct {
	// Source is the expression as written.
	Source string
	// HubSpotFields and SalesforceFields are the fields it reads.
	HubSpotFields    []string
	SalesforceFields []string
	run              func(environment) (any, error)
	asks             []asked
}

// maxTextRunes bounds what an expression may return: the longest text field of
// either vendor (Salesforce long text area, 131,072 characters).
const maxTextRunes = 131_072

// Bool evaluates a condition. A nil record reads as all blank. The error is a
// fault.Invalid: a value that may not be read, or is not what its type says.
func (p *Program) Bool(hubspot, salesforce *crm.Record) (bool, error) {
	return p.condition(environment{HubSpot: hubspot, Salesforce: salesforce})
}

func (p *Program) condition(e environment) (bool, error) {
	v, err := p.run(e)
	if err != nil {
		return false, p.fail(err)
	}
	b, ok := v.(bool)
	if !ok {
		return false, p.fail(fmt.Errorf("gave %T instead of true or false", v))
	}
	return b, nil
}

// Text evaluates an expression that gives a value: Present or Blank. Numbers
// come as decimal text, booleans as "true" and "false".
func (p *Program) Text(hubspot, salesforce *crm.Record) (crm.Value, error) {
	v, err := p.run(environment{HubSpot: hubspot, Salesforce: salesforce})
	if err != nil {
		return crm.Value{}, p.fail(err)
	}
	text, err := resultText(v)
	if err != nil {
		return crm.Value{}, p.fail(err)
	}
	if utf8.RuneCountInString(text) > maxTextRunes {
		return crm.Value{}, p.fail(fmt.Errorf("gave more than %d characters", maxTextRunes))
	}
	return crm.Text(text), nil
}

func (p *Program) fail(err error) error {
	return fault.New(fault.Invalid, "expression %s", quoteShort(p.Source)).Wrap(err).
		WithMend("mend the expression in lockstep.yaml, or the value it reads")
}

func resultText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case float64:
		switch {
		case math.IsNaN(v):
			return "", nil
		case math.IsInf(v, 0):
			return "", fmt.Errorf("divided by zero")
		}
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("gave %T instead of a text, a number or true and false", v)
}

// fieldText, fieldNumber, fieldBool, fieldDate and fieldTime are how a field
// stands in an expression.
func fieldText(r *crm.Record, name string) (string, error) {
	v := r.Value(name)
	if v.State == crm.Unreadable {
		return "", fmt.Errorf("%s may not be read with this credential", name)
	}
	return v.Text, nil
}

func fieldNumber(r *crm.Record, name string) (float64, error) {
	text, err := fieldText(r, name)
	if err != nil || strings.TrimSpace(text) == "" {
		return math.NaN(), err
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return 0, fmt.Errorf("%s is not a number", name)
	}
	return n, nil
}

func fieldBool(r *crm.Record, name string) (bool, error) {
	text, err := fieldText(r, name)
	return strings.EqualFold(strings.TrimSpace(text), "true"), err
}

func fieldDate(r *crm.Record, name string) (string, error) {
	return fieldMoment(r, name, "2006-01-02")
}

func fieldTime(r *crm.Record, name string) (string, error) {
	return fieldMoment(r, name, "2006-01-02T15:04:05Z")
}

func fieldMoment(r *crm.Record, name, layout string) (string, error) {
	text, err := fieldText(r, name)
	if err != nil || strings.TrimSpace(text) == "" {
		return "", err
	}
	t, ok := ParseTime(text)
	if !ok {
		return "", fmt.Errorf("%s is not a date", name)
	}
	return t.Format(layout), nil
}

func fieldBlank(r *crm.Record, name string) (bool, error) {
	text, err := fieldText(r, name)
	return strings.TrimSpace(text) == "", err
}

// ParseTime reads a date or time as either vendor writes it, in UTC: HubSpot
// "2026-11-23T14:05:06.123Z" or epoch milliseconds, Salesforce
// "2026-11-23T14:05:06.000+0000", both "2026-11-23".
func ParseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{"2006-01-02", time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	if millis, err := strconv.ParseInt(text, 10, 64); err == nil && millis > -1e14 && millis < 1e14 {
		return time.UnixMilli(millis).UTC(), true
	}
	return time.Time{}, false
}

func quoteShort(s string) string {
	if r := []rune(s); len(r) > 80 {
		s = string(r[:77]) + "..."
	}
	return strconv.Quote(s)
}
