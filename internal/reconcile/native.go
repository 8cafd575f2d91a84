package reconcile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Action says what to do with a converted value.
type Action uint8

// The actions.
const (
	// Write the value.
	Write Action = iota
	// Leave the field alone; Reason is a note.
	Leave
	// Hold the whole record; Reason is why.
	Hold
)

// Native is a value as the other side stores it.
type Native struct {
	Action Action
	Value  crm.Value
	// Reason is set for Leave and Hold, and for a Write whose text was cut.
	Reason crm.Reason
}

// Place is what a conversion to HubSpot may look at besides the value.
type Place struct {
	// Current is what the target field holds now.
	Current crm.Value
	// Pipeline is the HubSpot pipeline that the record is in, or will be in after
	// the write; only stage properties look at it.
	Pipeline string
}

// Convert turns a value of one side into what the other side (to) stores: by
// the value table and the options of picklists, by the kinds of both fields, and
// by the lengths and ranges of the target. It follows `blank`, `unmapped` and
// `too-long` of the field. For a field with `from`, v is what the expression gave.
func Convert(f *mapping.BoundField, to crm.Side, v crm.Value, place Place) Native {
	c := conversion{f: f, to: to, target: fieldOn(f, to), source: fieldOn(f, to.Other()), place: place}
	if f.Program != nil || c.source == nil {
		c.source = &crm.Field{Kind: crm.KindText}
	}
	return c.convert(v)
}

type conversion struct {
	f              *mapping.BoundField
	to             crm.Side
	source, target *crm.Field
	place          Place
}

func (c *conversion) convert(v crm.Value) Native {
	if v.State == crm.Missing || v.State == crm.Unreadable {
		return c.leave(NoteUnreadable, "%s was not read, so %s is left as it is", c.name(c.to.Other()), c.name(c.to))
	}
	text := cleanText(v.Text)
	if text == "" {
		return c.blank()
	}
	if c.to == crm.HubSpot && c.f.Blank != "" && text == cleanText(c.f.Blank) {
		return c.leave(NoteFallbackText, "%s holds the text that stands for blank, which does not go to HubSpot", c.name(crm.Salesforce))
	}
	switch c.target.Kind {
	case crm.KindPicklist:
		return c.pick(text)
	case crm.KindMultiPicklist:
		return c.pickSeveral(text)
	}
	if mapped, ok := c.table(text); ok {
		text = mapped
	}
	return c.shape(text)
}

func (c *conversion) blank() Native {
	switch {
	case c.to == crm.Salesforce && c.f.Blank != "":
		return Native{Value: crm.Text(c.f.Blank)}
	case c.to == crm.Salesforce && c.target.Kind == crm.KindBool:
		// A Salesforce checkbox has no blank.
		return Native{Value: crm.Text("false")}
	}
	return Native{Value: crm.Value{State: crm.Blank}}
}

// shape writes text as the target's kind is written.
func (c *conversion) shape(text string) Native {
	switch c.target.Kind {
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		return c.number(text)
	case crm.KindBool:
		if b, ok := parseBool(canonicalOption(c.source, text)); ok {
			return Native{Value: crm.Text(b)}
		}
		return c.hold(CodeInvalidValue, "use a value table: values: {…: true}", "%s is neither true nor false, which %s needs", c.name(c.to.Other()), c.name(c.to))
	case crm.KindDate, crm.KindDateTime:
		return c.moment(text)
	case crm.KindTime:
		t, ok := parseClock(text)
		if !ok {
			return c.hold(CodeInvalidValue, "write it as 14:05", "%s is not a time of day, which %s needs", c.name(c.to.Other()), c.name(c.to))
		}
		return Native{Value: crm.Text(t.Format(clockForm) + "Z")}
	case crm.KindEmail:
		if at := strings.LastIndexByte(text, '@'); at <= 0 || at == len(text)-1 || strings.ContainsAny(text, " \n\t,;<>") {
			return c.hold(CodeInvalidValue, "mend the address in "+c.to.Other().Title(), "%s is not an e-mail address, which %s needs", c.name(c.to.Other()), c.name(c.to))
		}
	}
	return c.text(text)
}

// Years that a Salesforce date may have.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
const firstYear, lastYear = 1700, 4000

// stampDigits is the least that makes digits in a text a moment in milliseconds;
// fewer are a year or a number.
const stampDigits = 11

func (c *conversion) moment(text string) Native {
	t, ok := mapping.ParseTime(text)
	if isTextKind(c.source.Kind) && allDigits(text) && len(text) < stampDigits {
		ok = false
	}
	if !ok {
		return c.hold(CodeInvalidValue, "write it as 2026-11-23", "%s is not a date, which %s needs", c.name(c.to.Other()), c.name(c.to))
	}
	if c.to == crm.Salesforce && (t.Year() < firstYear || t.Year() > lastYear) {
		return c.hold(CodeOutOfRange, "correct the date", "%s is in the year %d, %s takes %d to %d", c.name(crm.HubSpot), t.Year(), c.name(c.to), firstYear, lastYear)
	}
	if c.target.Kind == crm.KindDateTime && c.to == crm.Salesforce {
		return Native{Value: crm.Text(momentText(c.target.Kind, c.to, t)[:len(secondForm)-1] + ".000Z")}
	}
	return Native{Value: crm.Text(momentText(c.target.Kind, c.to, t))}
}

func (c *conversion) text(text string) Native {
	switch {
	case c.source.Kind == crm.KindHTML && c.target.Kind != crm.KindHTML:
		text = htmlText(text)
	case c.source.Kind != crm.KindHTML && c.target.Kind == crm.KindHTML:
		text = textHTML(text)
	case c.source.Kind == crm.KindDate || c.source.Kind == crm.KindDateTime:
		if t, ok := mapping.ParseTime(text); ok {
			text = momentText(c.source.Kind, c.to.Other(), t)
		}
	case c.source.Kind == crm.KindTime:
		if t, ok := parseClock(text); ok {
			text = strings.TrimSuffix(t.Format(clockForm), ".000")
		}
	case isNumberKind(c.source.Kind):
		if number, err := canonicalNumber(c.source, c.to.Other(), text); err == nil {
			text = number
		}
	case c.source.Kind == crm.KindBool:
		text = strings.ToLower(text)
	}
	if isDomain(c.target, c.to) {
		if d := mapping.DomainOf(text); d != "" {
			text = d
		}
	}
	if text == "" {
		return c.blank()
	}
	return c.fit(text)
}

// fit follows `too-long`.
func (c *conversion) fit(text string) Native {
	length := textLength(text)
	if c.target.Length <= 0 || length <= c.target.Length {
		return Native{Value: crm.Text(text)}
	}
	switch c.f.TooLong {
	case "skip":
		return c.leave(NoteSkipped, "%s has %d characters, %s takes %d, and `too-long` says skip", c.name(c.to.Other()), length, c.name(c.to), c.target.Length)
	case "cut":
		short := cutText(text, c.target.Length)
		if c.target.Kind == crm.KindHTML {
			short = cutHTML(text, c.target.Length)
		}
		return Native{Value: crm.Text(short), Reason: c.reason(NoteCut, "", "%s has %d characters and was cut to the %d that %s takes", c.name(c.to.Other()), length, c.target.Length, c.name(c.to))}
	}
	return c.hold(CodeTooLong, "shorten it, or add too-long: cut (or skip) to the field "+c.pairName(), "%s has %d characters, %s takes %d", c.name(c.to.Other()), length, c.name(c.to), c.target.Length)
}

// textLength counts as Salesforce does, in UTF-16 units.
func textLength(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// cutText keeps as many whole characters as fit, never half of one with its
// accent, and no white space at the end.
func cutText(s string, limit int) string {
	n, end, lastBase := 0, 0, 0
	for i, r := range s {
		if !unicode.Is(unicode.M, r) && r != '\u200d' {
			lastBase = i
		}
		w := utf16.RuneLen(r)
		if n+w > limit {
			if unicode.Is(unicode.M, r) || r == '\u200d' {
				end = lastBase
			}
			return strings.TrimSpace(s[:end])
		}
		n += w
		end = i + len(string(r))
	}
	return s
}

func isNumberKind(k crm.Kind) bool {
	return k == crm.KindInteger || k == crm.KindNumber || k == crm.KindCurrency || k == crm.KindPercent
}

func (c *conversion) number(text string) Native {
	// A Salesforce number is what its people see of it: rounded to its scale.
	if number, err := canonicalNumber(c.source, c.to.Other(), text); err == nil && isNumberKind(c.source.Kind) {
		text = number
	}
	d, ok := parseDecimal(text)
	if !ok {
		return c.hold(CodeInvalidValue, "write plain digits with one point", "%s is not a number, which %s needs", c.name(c.to.Other()), c.name(c.to))
	}
	if c.to == crm.Salesforce {
		d = d.shift(c.f.Shift)
	} else {
		d = d.shift(-c.f.Shift)
	}
	if c.target.Kind == crm.KindInteger || c.target.Precision > 0 {
		scale := c.target.Scale
		if c.target.Kind == crm.KindInteger {
			scale = 0
		}
		d = d.round(scale)
		if room := c.target.Precision - scale; c.target.Precision > 0 && d.wholeDigits() > room {
			return c.hold(CodeOutOfRange, "widen the field in "+c.to.Title()+", or correct the number", "%s has %d digits left of the point, %s takes %d", c.name(c.to.Other()), d.wholeDigits(), c.name(c.to), room)
		}
	}
	return Native{Value: crm.Text(d.String())}
}

func (c *conversion) leave(code, format string, args ...any) Native {
	return Native{Action: Leave, Reason: c.reason(code, "", format, args...)}
}

func (c *conversion) hold(code, mend, format string, args ...any) Native {
	return Native{Action: Hold, Reason: c.reason(code, mend, format, args...)}
}

func (c *conversion) reason(code, mend, format string, args ...any) crm.Reason {
	return crm.Reason{Code: code, Text: fmt.Sprintf(format, args...), Mend: mend, Field: c.target.Name}
}

func (c *conversion) name(side crm.Side) string { return nameOn(c.f, side) }

// nameOn says a field of the mapping as it is called on one side.
func nameOn(f *mapping.BoundField, side crm.Side) string {
	field := fieldOn(f, side)
	if field == nil {
		return "the value of `from`"
	}
	return side.Title() + " " + field.Name
}

func (c *conversion) pairName() string {
	if c.f.HubSpot != "" && c.f.Salesforce != "" {
		return "{hubspot: " + c.f.HubSpot + ", salesforce: " + c.f.Salesforce + "}"
	}
	return c.f.HubSpot + c.f.Salesforce
}
