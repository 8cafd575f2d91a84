package hubspot

import (
	"math"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// value notes a string, number or bool as text; null and "" are Blank.
func (d *decoder) value() (cell, error) {
	raw, err := d.json.ReadValue()
	if err != nil {
		return cell{}, err
	}
	c := cell{from: len(d.text), state: crm.Present}
	switch raw.Kind() {
	case 'n':
	case '"':
		if d.text, err = jsontext.AppendUnquote(d.text, raw); err != nil {
			return c, err
		}
	default:
		d.text = append(d.text, raw...)
	}
	c.to = len(d.text)
	if c.to == c.from {
		c.state = crm.Blank
	}
	return c, nil
}

func (d *decoder) truth() (bool, error) {
	raw, err := d.json.ReadValue()
	return string(raw) == "true", err
}

// stamp reads an ISO time as microseconds; 0 when it is none.
func (d *decoder) stamp() (int64, error) {
	raw, err := d.json.ReadValue()
	if err != nil || len(raw) < 3 || raw[0] != '"' {
		return 0, err
	}
	return micros(raw[1 : len(raw)-1]), nil
}

func (d *decoder) object(member func(key string) error) error {
	return d.keys(func(name []byte) error {
		return member(intern(name))
	})
}

// intern spares a string for the keys that every record has.
func intern(name []byte) string {
	switch string(name) {
	case "id":
		return "id"
	case "properties":
		return "properties"
	case "createdAt":
		return "createdAt"
	case "updatedAt":
		return "updatedAt"
	case "archived":
		return "archived"
	case "associations":
		return "associations"
	case "results":
		return "results"
	case "type":
		return "type"
	case "url":
		return "url"
	}
	return string(name)
}

// keys walks the members of an object; a null is an object without members.
// The name is valid until the next token is read.
func (d *decoder) keys(member func(name []byte) error) error {
	open, err := d.json.ReadToken()
	if err != nil || open.Kind() == 'n' {
		return err
	}
	if open.Kind() != '{' {
		return errShape("an object", open.Kind())
	}
	for d.json.PeekKind() != '}' {
		raw, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		name := []byte(raw[1 : len(raw)-1])
		for _, b := range name {
			if b == '\\' {
				if name, err = jsontext.AppendUnquote(nil, raw); err != nil {
					return err
				}
				break
			}
		}
		if err := member(name); err != nil {
			return err
		}
	}
	_, err = d.json.ReadToken()
	return err
}

func (d *decoder) array(element func() error) error {
	open, err := d.json.ReadToken()
	if err != nil || open.Kind() == 'n' {
		return err
	}
	if open.Kind() != '[' {
		return errShape("a list", open.Kind())
	}
	for d.json.PeekKind() != ']' {
		if err := element(); err != nil {
			return err
		}
	}
	_, err = d.json.ReadToken()
	return err
}

// errShape is an answer of another form than HubSpot documents.
func errShape(want string, got jsontext.Kind) error {
	return &shapeError{want: want, got: got}
}

type shapeError struct {
	want string
	got  jsontext.Kind
}

// Error says what was found in place of what.
func (e *shapeError) Error() string {
	return "found " + e.got.String() + " where " + e.want + " should be"
}

// micros reads "2019-10-30T03:30:17.883Z", with or without the fraction; 0 when
// it is no time.
func micros(text []byte) int64 {
	if len(text) < len("2006-01-02T15:04:05Z") || text[len(text)-1] != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' {
		at, err := time.Parse(time.RFC3339Nano, string(text))
		if err != nil {
			return 0
		}
		return at.UnixMicro()
	}
	ok := true
	digits := func(from, to int) int {
		n := 0
		for _, b := range text[from:to] {
			if b < '0' || b > '9' {
				ok = false
				return 0
			}
			n = n*10 + int(b-'0')
		}
		return n
	}
	at := time.Date(digits(0, 4), time.Month(digits(5, 7)), digits(8, 10), digits(11, 13), digits(14, 16), digits(17, 19), 0, time.UTC).UnixMicro()
	if fraction := text[19 : len(text)-1]; len(fraction) > 1 {
		places := min(len(fraction)-1, 6)
		at += int64(digits(20, 20+places)) * int64(math.Pow10(6-places))
	}
	if !ok {
		return 0
	}
	return at
}
