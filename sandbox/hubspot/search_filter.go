package hubspot

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// filterInput is one condition of a search.
// https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
type filterInput struct {
	Property  string `json:"propertyName"`
	Operator  string `json:"operator"`
	Value     text   `json:"value"`
	HighValue text   `json:"highValue"`
	Values    []text `json:"values"`
}

// filter is a condition that is ready to be asked about records.
type filter struct {
	property *propertyDefinition
	operator string
	ordered  bool // numbers and times compare by size
	low      float64
	high     float64
	text     string
	set      map[string]bool
	numbers  map[float64]bool
	linked   *pair // for associations.contact
	linkedTo int64
}

const (
	maxGroups          = 5
	maxFiltersPerGroup = 6
	maxFilters         = 18
)

// newFilter checks a condition against its property's type.
func (s *Server) newFilter(t *table, in filterInput) (*filter, *problem) {
	if name, ok := strings.CutPrefix(in.Property, "associations."); ok {
		return s.newLinkFilter(t, name, in)
	}
	p := t.property(in.Property)
	if p == nil {
		return nil, invalid("There was a problem with the request. Property %q does not exist", in.Property)
	}
	f := &filter{property: p, operator: in.Operator, text: in.Value.value}
	f.ordered = p.Type == "number" || p.Type == "date" || p.Type == "datetime"
	switch in.Operator {
	case "HAS_PROPERTY", "NOT_HAS_PROPERTY":
		return f, nil
	case "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN":
		if in.Value.value == "" {
			return nil, invalid("operator %s requires a value", in.Operator)
		}
	case "BETWEEN":
		if in.Value.value == "" || in.HighValue.value == "" {
			return nil, invalid("operator BETWEEN requires value and highValue")
		}
	case "IN", "NOT_IN":
		if len(in.Values) == 0 {
			return nil, invalid("operator %s requires values", in.Operator)
		}
	default:
		return nil, invalid("%q is not a search operator", in.Operator)
	}
	if refused := f.readValues(in); refused != nil {
		return nil, refused
	}
	if p.Type != "enumeration" && p.Type != "bool" { // enumerations alone are compared with case
		f.text = strings.ToLower(f.text)
	}
	return f, nil
}

func (f *filter) readValues(in filterInput) *problem {
	read := func(v string) (float64, *problem) {
		n, ok := sizeOf(f.property, v)
		if !ok {
			return 0, invalid("%q is not a valid value for property %q of type %s", v, f.property.Name, f.property.Type)
		}
		return n, nil
	}
	if in.Operator == "IN" || in.Operator == "NOT_IN" {
		f.set, f.numbers = map[string]bool{}, map[float64]bool{}
		for _, v := range in.Values {
			if f.ordered {
				n, refused := read(v.value)
				if refused != nil {
					return refused
				}
				f.numbers[n] = true
			}
			f.set[v.value] = true
		}
		return nil
	}
	if !f.ordered || strings.Contains(in.Operator, "TOKEN") {
		return nil
	}
	var refused *problem
	if f.low, refused = read(in.Value.value); refused != nil {
		return refused
	}
	if in.Operator == "BETWEEN" {
		f.high, refused = read(in.HighValue.value)
	}
	return refused
}

func (s *Server) newLinkFilter(t *table, name string, in filterInput) (*filter, *problem) {
	other := s.table(name)
	if other == nil || other.kind.custom {
		return nil, invalid("There was a problem with the request. Property %q does not exist", in.Property)
	}
	id, err := strconv.ParseInt(in.Value.value, 10, 64)
	if err != nil || in.Operator != "EQ" {
		return nil, invalid("%s takes the operator EQ and an id", in.Property)
	}
	return &filter{linked: s.pair(other, t), linkedTo: id}, nil
}

// sizeOf is what numbers and times are compared by.
func sizeOf(p *propertyDefinition, v string) (float64, bool) {
	if p.Type == "number" {
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil && !math.IsNaN(n)
	}
	at, ok := parseTime(v)
	return float64(at), ok
}

// size is a record's number or time, without a detour by text for those that
// every record has.
func (f *filter) size(s *Server, t *table, r *record) (float64, bool) {
	switch f.property.Name {
	case "hs_object_id":
		return float64(r.id), true
	case t.kind.modified:
		return float64(r.modified), true
	case t.kind.created:
		return float64(r.created), true
	}
	v := s.valueOf(t, r, f.property)
	if v == "" {
		return 0, false
	}
	return sizeOf(f.property, v)
}

func (f *filter) match(s *Server, t *table, r *record) bool {
	if f.linked != nil {
		_, ok := f.linked.link(f.linkedTo, r.id)
		return ok
	}
	if f.ordered && !strings.Contains(f.operator, "TOKEN") && !strings.Contains(f.operator, "HAS") {
		n, has := f.size(s, t, r)
		return has && f.matchSize(n)
	}
	v := s.valueOf(t, r, f.property)
	switch f.operator {
	case "HAS_PROPERTY":
		return v != ""
	case "NOT_HAS_PROPERTY":
		return v == ""
	}
	if v == "" { // what is unset matches no comparison, negative ones included
		return false
	}
	exact := f.property.Type == "enumeration" || f.property.Type == "bool"
	if !exact {
		v = strings.ToLower(v)
	}
	switch f.operator {
	case "EQ":
		return v == f.text || f.property.multiple() && slices.Contains(strings.Split(v, ";"), f.text)
	case "NEQ":
		return v != f.text
	case "IN":
		return f.inSet(v)
	case "NOT_IN":
		return !f.inSet(v)
	case "LT":
		return v < f.text
	case "LTE":
		return v <= f.text
	case "GT":
		return v > f.text
	case "GTE":
		return v >= f.text
	case "CONTAINS_TOKEN":
		return containsToken(v, f.text)
	case "NOT_CONTAINS_TOKEN":
		return !containsToken(v, f.text)
	}
	return false
}

func (f *filter) inSet(v string) bool {
	if f.property.multiple() {
		return slices.ContainsFunc(strings.Split(v, ";"), func(o string) bool { return f.set[o] })
	}
	return f.set[v]
}

func (f *filter) matchSize(n float64) bool {
	switch f.operator {
	case "EQ":
		return n == f.low
	case "NEQ":
		return n != f.low
	case "LT":
		return n < f.low
	case "LTE":
		return n <= f.low
	case "GT":
		return n > f.low
	case "GTE":
		return n >= f.low
	case "BETWEEN":
		return f.low <= n && n <= f.high
	case "IN":
		return f.numbers[n]
	default: // NOT_IN
		return !f.numbers[n]
	}
}

// span is the range of sizes that can match, for an index.
func (f *filter) span() (low, high float64, ok bool) {
	switch f.operator {
	case "EQ":
		return f.low, f.low, true
	case "GT", "GTE":
		return f.low, math.Inf(1), true
	case "LT", "LTE":
		return math.Inf(-1), f.low, true
	case "BETWEEN":
		return f.low, f.high, true
	}
	return 0, 0, false
}

// containsToken compares words; "*" stands for any letters, in a word or in the
// whole value. Both are in lower case.
func containsToken(value, wanted string) bool {
	if strings.Contains(wanted, "*") {
		if wildcard(value, wanted) {
			return true
		}
		return slices.ContainsFunc(append(words(value), strings.Fields(value)...), func(w string) bool { return wildcard(w, wanted) })
	}
	have := words(value)
	for _, w := range words(wanted) {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}

func words(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// wildcard matches a pattern in which "*" stands for any letters.
func wildcard(v, pattern string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return v == pattern
	}
	if !strings.HasPrefix(v, first) || len(v) < len(first)+len(last) || !strings.HasSuffix(v, last) {
		return false
	}
	v = v[len(first) : len(v)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(v, part)
		if i < 0 {
			return false
		}
		v = v[i+len(part):]
	}
	return true
}
