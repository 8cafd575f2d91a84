package hubspot

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// listFilter is a filter branch of a list: an OR of branches, each an AND of
// conditions on properties.
type listFilter struct {
	or         bool
	branches   []*listFilter
	conditions []listCondition
}

// listCondition is one condition on a property.
type listCondition struct {
	property *propertyDefinition
	operator string
	values   []string // in lower case, unless the property is an enumeration
	number   float64
	unset    bool // whether a record without a value is meant too
}

// branchInput is a filter branch as it is sent.
type branchInput struct {
	Type     string        `json:"filterBranchType"`
	Branches []branchInput `json:"filterBranches"`
	Filters  []struct {
		Type      string `json:"filterType"`
		Property  string `json:"property"`
		Operation struct {
			Type     string `json:"operationType"`
			Operator string `json:"operator"`
			Value    text   `json:"value"`
			Values   []text `json:"values"`
			Unset    bool   `json:"includeObjectsWithNoValueSet"`
		} `json:"operation"`
	} `json:"filters"`
}

// branchDepth is how deep branches may be in each other.
const branchDepth = 8

// newListFilter understands a filter branch, as far as this server does.
func (s *Server) newListFilter(t *table, raw []byte) (*listFilter, *problem) {
	var in branchInput
	if refused := parse(raw, &in); refused != nil {
		return nil, refused
	}
	return newBranch(t, &in, branchDepth)
}

func newBranch(t *table, in *branchInput, depth int) (*listFilter, *problem) {
	if in.Type != "OR" && in.Type != "AND" || depth == 0 {
		return nil, invalid("The filterBranch of type %q is not understood: OR of AND of properties is", in.Type)
	}
	f := &listFilter{or: in.Type == "OR"}
	for i := range in.Branches {
		branch, refused := newBranch(t, &in.Branches[i], depth-1)
		if refused != nil {
			return nil, refused
		}
		f.branches = append(f.branches, branch)
	}
	for _, filter := range in.Filters {
		p := t.property(filter.Property)
		switch {
		case filter.Type != "PROPERTY":
			return nil, invalid("The filter of type %q is not understood: PROPERTY is", filter.Type)
		case p == nil:
			return nil, invalid("Property %q does not exist", filter.Property)
		}
		operation := filter.Operation
		c := listCondition{property: p, operator: operation.Operator, unset: operation.Unset}
		if !operation.Value.null && operation.Value.value != "" {
			operation.Values = append(operation.Values, operation.Value)
		}
		for _, v := range operation.Values {
			value := v.value
			if p.Type != "enumeration" {
				value = strings.ToLower(value)
			}
			c.values = append(c.values, value)
		}
		if refused := c.judge(operation.Type); refused != nil {
			return nil, refused
		}
		f.conditions = append(f.conditions, c)
	}
	return f, nil
}

// listOperators are those of each type of operation.
var listOperators = map[string]string{
	"ALL_PROPERTY": " IS_KNOWN IS_UNKNOWN ",
	"STRING":       " IS_EQUAL_TO IS_NOT_EQUAL_TO CONTAINS DOES_NOT_CONTAIN STARTS_WITH ENDS_WITH ",
	"MULTISTRING":  " IS_EQUAL_TO IS_NOT_EQUAL_TO CONTAINS DOES_NOT_CONTAIN STARTS_WITH ENDS_WITH ",
	"ENUMERATION":  " IS_ANY_OF IS_NONE_OF ",
	"BOOL":         " IS_EQUAL_TO IS_NOT_EQUAL_TO ",
	"NUMBER":       " IS_EQUAL_TO IS_NOT_EQUAL_TO IS_GREATER_THAN IS_GREATER_THAN_OR_EQUAL_TO IS_LESS_THAN IS_LESS_THAN_OR_EQUAL_TO ",
}

func (c *listCondition) judge(kind string) *problem {
	switch {
	case c.operator == "" || !strings.Contains(listOperators[kind], " "+c.operator+" "):
		return invalid("The operation %s %s is not understood", kind, c.operator)
	case kind != "ALL_PROPERTY" && len(c.values) == 0:
		return missingFields("value")
	case kind == "NUMBER":
		n, err := strconv.ParseFloat(c.values[0], 64)
		if err != nil || c.property.Type != "number" {
			return invalid("%q is not a number, or %s is none", c.values[0], c.property.Name)
		}
		c.number = n
	}
	return nil
}

func (f *listFilter) match(s *Server, t *table, r *record) bool {
	for _, b := range f.branches {
		if b.match(s, t, r) == f.or {
			return f.or
		}
	}
	for i := range f.conditions {
		if f.conditions[i].match(s, t, r) == f.or {
			return f.or
		}
	}
	return !f.or
}

func (c *listCondition) match(s *Server, t *table, r *record) bool {
	v := s.valueOf(t, r, c.property)
	switch {
	case c.operator == "IS_KNOWN":
		return v != ""
	case c.operator == "IS_UNKNOWN":
		return v == ""
	case v == "":
		return c.unset
	}
	if c.property.Type == "number" {
		if n, err := strconv.ParseFloat(v, 64); err == nil && len(c.values) == 1 {
			return c.compare(n)
		}
	}
	have := []string{v}
	if c.property.multiple() {
		have = strings.Split(v, ";")
	} else if c.property.Type != "enumeration" {
		have = []string{strings.ToLower(v)}
	}
	any := func(fits func(have, wanted string) bool) bool {
		return slices.ContainsFunc(have, func(h string) bool {
			return slices.ContainsFunc(c.values, func(w string) bool { return fits(h, w) })
		})
	}
	same := func(a, b string) bool { return a == b }
	switch c.operator {
	case "IS_EQUAL_TO", "IS_ANY_OF":
		return any(same)
	case "IS_NOT_EQUAL_TO", "IS_NONE_OF":
		return !any(same)
	case "CONTAINS":
		return any(strings.Contains)
	case "DOES_NOT_CONTAIN":
		return !any(strings.Contains)
	case "STARTS_WITH":
		return any(strings.HasPrefix)
	}
	return any(strings.HasSuffix) // ENDS_WITH: judge let no other through
}

func (c *listCondition) compare(n float64) bool {
	switch c.operator {
	case "IS_NOT_EQUAL_TO":
		return n != c.number
	case "IS_GREATER_THAN":
		return n > c.number
	case "IS_GREATER_THAN_OR_EQUAL_TO":
		return n >= c.number
	case "IS_LESS_THAN":
		return n < c.number
	case "IS_LESS_THAN_OR_EQUAL_TO":
		return n <= c.number
	}
	return n == c.number
}

// branch writes a filter as it was sent.
func (e *encoder) branch(raw []byte) {
	e.key("filterBranch")
	e.comma()
	out, err := jsontext.AppendFormat(e.b, raw, lenient)
	if err == nil {
		e.b = out
	} else {
		e.null()
	}
}
