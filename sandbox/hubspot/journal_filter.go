package hubspot

import (
	"slices"
	"strconv"
	"strings"
)

// journalFilter narrows a subscription by the values of the record: all
// conditions of one of its filters must hold.
type journalFilter struct {
	ID, CreatedAt int64
	Conditions    []journalCondition
}

type journalCondition struct {
	Property string   `json:"property"`
	Operator string   `json:"operator"`
	Value    string   `json:"value"`
	Values   []string `json:"values"`
	Type     string   `json:"filterType"`
}

// journalOperators are those of a condition; the value tells how many values it takes.
var journalOperators = map[string]int{
	"EQ": 1, "N_EQ": 1, "GT": 1, "GTE": 1, "LT": 1, "LTE": 1, "CONTAINS": 1, "STARTS_WITH": 1, "ENDS_WITH": 1,
	"IN": 2, "NOT_IN": 2, "IS_EMPTY": 0, "IS_NOT_EMPTY": 0,
}

func (f *journalFilter) match(s *Server, e *event) bool {
	r := e.table.live(e.id)
	if r == nil {
		r = e.table.archivedRecord(e.id)
	}
	for _, c := range f.Conditions {
		v := ""
		if p := e.table.property(c.Property); p != nil && r != nil {
			v = s.valueOf(e.table, r, p)
		}
		if !c.match(v) {
			return false
		}
	}
	return true
}

func (c *journalCondition) match(v string) bool {
	switch c.Operator {
	case "IS_EMPTY":
		return v == ""
	case "IS_NOT_EMPTY":
		return v != ""
	case "EQ":
		return v == c.Value
	case "N_EQ":
		return v != c.Value
	case "IN":
		return slices.Contains(c.Values, v)
	case "NOT_IN":
		return !slices.Contains(c.Values, v)
	case "CONTAINS":
		return strings.Contains(v, c.Value)
	case "STARTS_WITH":
		return strings.HasPrefix(v, c.Value)
	case "ENDS_WITH":
		return strings.HasSuffix(v, c.Value)
	}
	order := strings.Compare(v, c.Value)
	a, errA := strconv.ParseFloat(v, 64)
	b, errB := strconv.ParseFloat(c.Value, 64)
	if errA == nil && errB == nil {
		order = map[bool]int{true: 1, false: -1}[a > b]
		if a == b {
			order = 0
		}
	}
	switch c.Operator {
	case "GT":
		return v != "" && order > 0
	case "GTE":
		return v != "" && order >= 0
	case "LT":
		return v != "" && order < 0
	}
	return v != "" && order <= 0
}
