package main

import (
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// kind is what a field of the simulation holds.
type kind uint8

const (
	text kind = iota
	email
	phone
	number
	checkbox
	date
	moment
	choice
	set
	domain
)

// The rules of a field, in the words of lockstep.yaml.
const (
	bothWays     = "both"
	toSalesforce = "to-salesforce"
	toHubSpot    = "to-hubspot"
)

// field is one mapped field as the oracle knows it.
type field struct {
	hub, sf   string
	kind      kind
	scale     int // digits right of the point in Salesforce
	limit     int // characters that Salesforce takes; 0: enough
	required  bool
	direction string
	wins      string
	tooLong   string
	// table maps HubSpot's values to Salesforce's; values outside it hold.
	table [][2]string
	// computed: the value in Salesforce follows from HubSpot's.
	from string
	give func(hub func(name string) string) string
}

func (f *field) name(side crm.Side) string {
	if side == crm.HubSpot {
		return f.hub
	}
	return f.sf
}

func (f *field) flows(to crm.Side) bool {
	return f.direction == bothWays || f.direction == toSalesforce && to == crm.Salesforce || f.direction == toHubSpot && to == crm.HubSpot
}

// carried tells whether every conversion gives the Contact what the Lead holds: all
// but what the simulation itself added to both.
func (f *field) carried() bool { return !strings.HasSuffix(f.sf, "__c") }

// canon is a value in the form in which the oracle compares it with another of
// the same side: what a vendor or a person may write differently is one form.
func (f *field) canon(side crm.Side, v string) string {
	if v = tidy(v); f.from != "" {
		return loose(v)
	}
	switch f.kind {
	case email:
		return strings.ToLower(v)
	case phone:
		return digits(v)
	case number:
		return plain(v, -1)
	case checkbox:
		if v = strings.ToLower(v); v == "" && side == crm.Salesforce {
			return "false"
		}
		return v
	case date, moment:
		return f.moment(side, v)
	case set:
		return members(v)
	case domain:
		if side == crm.HubSpot {
			return host(v)
		}
		return address(v)
	}
	return v
}

// carried says what becomes of a value on its way to the other side.
type carried uint8

const (
	fits    carried = iota
	held            // the value cannot be there, so the thing waits for a person
	skipped         // the mapping says to leave such a value out
)

// carry is what a value becomes on the other side, in the form of canon.
func (f *field) carry(to crm.Side, v string) (string, carried) {
	from := to.Other()
	v = f.canon(from, v)
	switch f.kind {
	case number:
		if to == crm.Salesforce {
			return plain(v, f.scale), fits
		}
	case checkbox:
		if v == "" && to == crm.Salesforce {
			return "false", fits
		}
	case date, moment:
		return f.moment(to, v), fits
	case choice:
		if v == "" {
			return "", fits
		}
		for _, pair := range f.table {
			if from == crm.HubSpot && pair[0] == v {
				return pair[1], fits
			}
			if from == crm.Salesforce && pair[1] == v {
				return pair[0], fits
			}
		}
		return "", held
	case domain:
		return host(v), fits
	case text:
		if to == crm.Salesforce && f.limit > 0 && len(utf16.Encode([]rune(v))) > f.limit {
			switch f.tooLong {
			case "cut":
				return tidy(string(utf16.Decode(utf16.Encode([]rune(v))[:f.limit]))), fits
			case "skip":
				return "", skipped
			}
			return "", held
		}
	}
	if v == "" && f.required && to == crm.Salesforce {
		return "", held
	}
	return v, fits
}

// same tells whether the two sides' values mean the same.
func (f *field) same(hub, sf string) bool {
	if v, fate := f.carry(crm.Salesforce, hub); fate == fits && v == f.canon(crm.Salesforce, sf) {
		return true
	}
	if f.kind == domain && host(hub) == host(sf) {
		return true
	}
	v, fate := f.carry(crm.HubSpot, sf)
	return fate == fits && v == f.canon(crm.HubSpot, hub)
}

func (f *field) blank(side crm.Side, v string) bool { return tidy(v) == "" }

func tidy(v string) string {
	return strings.TrimSpace(norm.NFC.String(strings.ReplaceAll(v, "\r\n", "\n")))
}

// loose is the form of computed values: what they are computed from may have lost
// white space on its way there and back, which is no change of it.
func loose(v string) string { return strings.Join(strings.Fields(tidy(v)), " ") }

func digits(v string) string {
	var out strings.Builder
	for _, r := range v {
		if r >= '0' && r <= '9' || r == '+' && out.Len() == 0 {
			out.WriteRune(r)
		}
	}
	if s := out.String(); strings.Trim(s, "+0") != "" {
		if rest, ok := strings.CutPrefix(s, "00"); ok {
			return "+" + rest
		}
		return s
	}
	return v
}

// plain is a number without what does not count, rounded half away from zero
// to so many digits where scale is not negative.
func plain(v string, scale int) string {
	r, ok := new(big.Rat).SetString(v)
	if !ok {
		return v
	}
	if scale < 0 {
		scale = 20
	}
	s := r.FloatString(scale)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

func (f *field) moment(side crm.Side, v string) string {
	if v == "" {
		return ""
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000-0700", "2006-01-02"} {
		t, err := time.Parse(form, v)
		if err != nil {
			continue
		}
		t = t.UTC()
		switch {
		case f.kind == date:
			return t.Format("2006-01-02")
		case side == crm.Salesforce:
			return t.Truncate(time.Second).Format(time.RFC3339Nano)
		}
		return t.Truncate(time.Millisecond).Format(time.RFC3339Nano)
	}
	return v
}

func members(v string) string {
	var all []string
	for m := range strings.SplitSeq(v, ";") {
		if m = strings.TrimSpace(m); m != "" && !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ";")
}

func address(v string) string {
	v = strings.TrimPrefix(strings.TrimPrefix(v, "https://"), "http://")
	name, rest, _ := strings.Cut(v, "/")
	if rest = strings.TrimRight(rest, "/"); rest != "" {
		rest = "/" + rest
	}
	return strings.ToLower(name) + rest
}

func host(v string) string {
	name, _, _ := strings.Cut(address(tidy(v)), "/")
	return strings.TrimPrefix(name, "www.")
}
