package salesforce

import (
	"math"
	"strconv"
	"strings"
	"time"
)

type kind uint8

const (
	nothing kind = iota
	text
	number
	boolean
	date     // number holds days since 1970-01-01
	datetime // number holds seconds since 1970-01-01T00:00Z
	daytime  // number holds milliseconds since midnight
)

// value is one cell: what a field holds. The zero value is null. Inside a row,
// field says which field it belongs to.
type value struct {
	kind   kind
	field  uint16
	number float64
	text   string
}

func textOf(s string) value {
	if s == "" {
		return value{}
	}
	return value{kind: text, text: s}
}
func numberOf(f float64) value   { return value{kind: number, number: f} }
func datetimeOf(sec int64) value { return value{kind: datetime, number: float64(sec)} }
func dateOf(t time.Time) value {
	return value{kind: date, number: math.Floor(float64(t.Unix()) / daySeconds)}
}
func (v value) null() bool   { return v.kind == nothing }
func (v value) isTrue() bool { return v.kind == boolean && v.number != 0 }
func (v value) equal(w value) bool {
	return v.kind == w.kind && v.number == w.number && v.text == w.text
}

func boolOf(b bool) value {
	if b {
		return value{kind: boolean, number: 1}
	}
	return value{kind: boolean}
}

const (
	daySeconds      = 86400
	datetimeLayout  = "2006-01-02T15:04:05.000+0000"
	dateLayout      = "2006-01-02"
	dayMilliseconds = daySeconds * 1000
)

// appendJSON writes the value as the REST API does. decimals is 0 for whole
// numbers and more for those that always show a fraction.
func (v value) appendJSON(b []byte, decimals bool) []byte {
	switch v.kind {
	case text:
		return appendString(b, v.text)
	case number:
		return appendNumber(b, v.number, decimals)
	case boolean:
		return strconv.AppendBool(b, v.number != 0)
	case date:
		b = append(b, '"')
		b = appendDate(b, int64(v.number))
		return append(b, '"')
	case datetime:
		b = append(b, '"')
		b = appendDatetime(b, int64(v.number))
		return append(b, '"')
	case daytime:
		b = append(b, '"')
		b = append(b, formatDaytime(int64(v.number))...)
		return append(b, '"')
	}
	return append(b, "null"...)
}

func appendNumber(b []byte, f float64, decimals bool) []byte {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		b = strconv.AppendInt(b, int64(f), 10)
		if decimals {
			b = append(b, '.', '0')
		}
		return b
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

func appendDate(b []byte, days int64) []byte {
	return time.Unix(days*daySeconds, 0).UTC().AppendFormat(b, dateLayout)
}

// appendDatetime writes seconds as 2026-11-23T14:05:06.000+0000.
func appendDatetime(b []byte, seconds int64) []byte {
	t := time.Unix(seconds, 0).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = appendPadded(b, year, 4)
	b = append(b, '-')
	b = appendPadded(b, int(month), 2)
	b = append(b, '-')
	b = appendPadded(b, day, 2)
	b = append(b, 'T')
	b = appendPadded(b, hour, 2)
	b = append(b, ':')
	b = appendPadded(b, minute, 2)
	b = append(b, ':')
	b = appendPadded(b, second, 2)
	return append(b, ".000+0000"...)
}

func appendPadded(b []byte, n, width int) []byte {
	var digits [8]byte
	for i := width - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return append(b, digits[:width]...)
}

func formatDaytime(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("15:04:05.000") + "Z"
}

// String gives the value as text, as it stands in JSON without quotes; null is "".
func (v value) String() string {
	switch v.kind {
	case nothing:
		return ""
	case text:
		return v.text
	}
	return strings.Trim(string(v.appendJSON(nil, false)), `"`)
}

// exported returns the value as Go sees it: string, float64, bool or nil.
// Dates and times are strings in the API's form.
func (v value) exported() any {
	switch v.kind {
	case nothing:
		return nil
	case number:
		return v.number
	case boolean:
		return v.number != 0
	}
	return v.String()
}

// compare orders two values of one kind; text is compared without regard to
// case, as the platform does. Null sorts before everything.
func compare(a, b value) int {
	if a.kind == nothing || b.kind == nothing {
		return int(min(a.kind, 1)) - int(min(b.kind, 1))
	}
	if a.kind == text && b.kind == text {
		return compareFold(a.text, b.text)
	}
	switch {
	case a.number < b.number:
		return -1
	case a.number > b.number:
		return 1
	}
	return 0
}

func compareFold(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		x, y := a[i], b[i]
		if x >= 0x80 || y >= 0x80 {
			return strings.Compare(strings.ToLower(a[i:]), strings.ToLower(b[i:]))
		}
		if x != y {
			if x, y = lowerByte(x), lowerByte(y); x != y {
				return int(x) - int(y)
			}
		}
	}
	return len(a) - len(b)
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// datetimeLayouts are the forms that the API reads.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_valid_date_formats.htm
var datetimeLayouts = [...]string{
	"2006-01-02T15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04Z07:00",
}

// parseDatetime reads a datetime; what is finer than a second is lost, as on the platform.
func parseDatetime(s string) (value, bool) {
	for _, layout := range datetimeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return datetimeOf(t.Unix()), true
		}
	}
	if t, err := time.Parse(dateLayout, s); err == nil {
		return datetimeOf(t.Unix()), true
	}
	return value{}, false
}

func parseDate(s string) (value, bool) {
	t, err := time.Parse(dateLayout, s)
	if err != nil || t.Year() < 1700 || t.Year() > 4000 {
		return value{}, false
	}
	return dateOf(t), true
}

func parseDaytime(s string) (value, bool) {
	for _, layout := range [...]string{"15:04:05.999Z", "15:04:05.999", "15:04Z", "15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			ms := t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)).Milliseconds()
			return value{kind: daytime, number: float64(ms)}, true
		}
	}
	return value{}, false
}
