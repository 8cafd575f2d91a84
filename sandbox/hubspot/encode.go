package hubspot

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// encoder writes JSON by hand: answers of a hundred records are the hot path.
// It sets the commas itself, from the byte before.
type encoder struct {
	b      []byte
	values []string // of the record being written, by property number; "" is unset
}

func (e *encoder) comma() {
	if n := len(e.b); n > 0 {
		switch e.b[n-1] {
		case '{', '[', ':':
		default:
			e.b = append(e.b, ',')
		}
	}
}

func (e *encoder) object()    { e.comma(); e.b = append(e.b, '{') }
func (e *encoder) endObject() { e.b = append(e.b, '}') }
func (e *encoder) array()     { e.comma(); e.b = append(e.b, '[') }
func (e *encoder) endArray()  { e.b = append(e.b, ']') }

// key writes a member name, which must need no escaping.
func (e *encoder) key(name string) {
	e.comma()
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, '"', ':')
}

// anyKey writes a member name that a user chose.
func (e *encoder) anyKey(name string) {
	e.comma()
	e.b = appendText(e.b, name)
	e.b = append(e.b, ':')
}

func (e *encoder) text(v string)  { e.comma(); e.b = appendText(e.b, v) }
func (e *encoder) number(v int64) { e.comma(); e.b = strconv.AppendInt(e.b, v, 10) }
func (e *encoder) boolean(v bool) { e.comma(); e.b = strconv.AppendBool(e.b, v) }
func (e *encoder) null()          { e.comma(); e.b = append(e.b, "null"...) }

// id writes a number as text, as HubSpot writes ids.
func (e *encoder) id(v int64) {
	e.comma()
	e.b = append(e.b, '"')
	e.b = strconv.AppendInt(e.b, v, 10)
	e.b = append(e.b, '"')
}

// millis writes a time as text.
func (e *encoder) millis(v int64) {
	e.comma()
	e.b = append(e.b, '"')
	e.b = appendMillis(e.b, v)
	e.b = append(e.b, '"')
}

func (e *encoder) textField(name, v string)         { e.key(name); e.text(v) }
func (e *encoder) numberField(name string, v int64) { e.key(name); e.number(v) }
func (e *encoder) boolField(name string, v bool)    { e.key(name); e.boolean(v) }
func (e *encoder) idField(name string, v int64)     { e.key(name); e.id(v) }
func (e *encoder) millisField(name string, v int64) { e.key(name); e.millis(v) }

func (e *encoder) textsField(name string, vs []string) {
	e.key(name)
	e.array()
	for _, v := range vs {
		e.text(v)
	}
	e.endArray()
}

func appendText(b []byte, v string) []byte {
	out, err := jsontext.AppendQuote(b, v)
	if err != nil { // invalid UTF-8: replaced, as by every JSON reader
		quoted, _ := json.Marshal(v)
		return append(b, quoted...)
	}
	return out
}

// appendMillis writes a time the way HubSpot does: UTC, and milliseconds only
// when they are not zero.
func appendMillis(b []byte, millis int64) []byte {
	t := time.UnixMilli(millis).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, time.RFC3339Nano)
	}
	b = append(b, byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10))
	b = appendTwo(append(b, '-'), int(month))
	b = appendTwo(append(b, '-'), day)
	b = appendTwo(append(b, 'T'), hour)
	b = appendTwo(append(b, ':'), minute)
	b = appendTwo(append(b, ':'), second)
	if rest := t.Nanosecond() / int(time.Millisecond); rest != 0 {
		b = append(b, '.', byte('0'+rest/100))
		b = appendTwo(b, rest%100)
	}
	return append(b, 'Z')
}

func appendTwo(b []byte, v int) []byte { return append(b, byte('0'+v/10), byte('0'+v%10)) }

func formatMillis(millis int64) string { return string(appendMillis(nil, millis)) }
