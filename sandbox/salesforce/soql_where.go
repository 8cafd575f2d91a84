package salesforce

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce/soql"
)

// test says whether a row satisfies a condition. Conditions are two-valued, as
// in SOQL: = and LIKE are false for null, != and NOT IN are true for it, and
// NOT turns exactly one into the other.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
type test func(*row) bool

// operandOf binds the left side of a comparison: fields in WHERE, aggregates in HAVING.
type operandOf func(soql.Expression) (operand, error)

func (b *binder) condition(c soql.Condition, left operandOf) (test, error) {
	switch c := c.(type) {
	case soql.And:
		tests, err := b.conditions(c, left)
		if err != nil {
			return nil, err
		}
		return func(r *row) bool {
			for _, t := range tests {
				if !t(r) {
					return false
				}
			}
			return true
		}, nil
	case soql.Or:
		tests, err := b.conditions(c, left)
		if err != nil {
			return nil, err
		}
		return func(r *row) bool {
			for _, t := range tests {
				if t(r) {
					return true
				}
			}
			return false
		}, nil
	case soql.Not:
		t, err := b.condition(c.Of, left)
		if err != nil {
			return nil, err
		}
		return func(r *row) bool { return !t(r) }, nil
	case soql.Comparison:
		return b.comparison(c, left)
	case soql.In:
		return b.in(c, left)
	}
	panic("soql: unknown condition")
}

func (b *binder) conditions(list []soql.Condition, left operandOf) ([]test, error) {
	tests := make([]test, len(list))
	for i, c := range list {
		t, err := b.condition(c, left)
		if err != nil {
			return nil, err
		}
		tests[i] = t
	}
	return tests, nil
}

// filterable binds the left side and checks that it may be filtered by.
func (b *binder) filterable(e soql.Expression, left operandOf) (operand, error) {
	op, err := left(e)
	if err != nil {
		return op, err
	}
	if op.field != nil && !op.field.filterable() {
		return op, b.fail("INVALID_FIELD", "field '"+op.field.Name+"' can not be filtered in a query call", e.Pos())
	}
	return op, nil
}

func (b *binder) comparison(c soql.Comparison, left operandOf) (test, error) {
	op, err := b.filterable(c.Left, left)
	if err != nil {
		return nil, err
	}
	get := op.get
	if c.Op == "LIKE" {
		return b.like(c, op)
	}
	ordered := c.Op != "=" && c.Op != "!="
	if ordered && (op.kind == boolean || op.field != nil && op.field.Type == "multipicklist" || c.Right.Kind == soql.Null) {
		return nil, b.fail("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on "+typeWord(op)+" field", c.At)
	}
	if c.Right.Kind == soql.Null || c.Right.Kind == soql.Text && c.Right.Text == "" && op.kind == text {
		null := c.Op == "="
		return func(r *row) bool { return get(r).null() == null }, nil
	}
	if c.Right.Kind == soql.Literal {
		return b.within(c, op)
	}
	want, err := b.constant(op, c.Right)
	if err != nil {
		return nil, err
	}
	if op.field != nil && op.field.Type == "multipicklist" {
		want = textOf(sortedSet(want.text))
		get = func(r *row) value { return textOf(sortedSet(op.get(r).text)) }
	}
	exact := op.field != nil && (op.field.CaseSensitive || op.field.reference() || op.field.source == fromID)
	same := func(v value) bool {
		if exact {
			return v.text == want.text
		}
		return !v.null() && compare(v, want) == 0
	}
	switch c.Op {
	case "=":
		return func(r *row) bool { return same(get(r)) }, nil
	case "!=":
		return func(r *row) bool { return !same(get(r)) }, nil
	}
	holds := relation(c.Op)
	return func(r *row) bool {
		v := get(r)
		if v.null() {
			return false
		}
		if exact {
			return holds(strings.Compare(v.text, want.text))
		}
		return holds(compare(v, want))
	}, nil
}

func relation(op string) func(int) bool {
	switch op {
	case "<":
		return func(c int) bool { return c < 0 }
	case "<=":
		return func(c int) bool { return c <= 0 }
	case ">":
		return func(c int) bool { return c > 0 }
	}
	return func(c int) bool { return c >= 0 }
}

func sortedSet(s string) string {
	parts := strings.Split(strings.ToLower(s), ";")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), ";")
}

// within compares a date or datetime with a date literal's range.
func (b *binder) within(c soql.Comparison, op operand) (test, error) {
	from, to, err := b.span(c.Right, op)
	if err != nil {
		return nil, err
	}
	get := op.get
	inside := func(r *row) bool {
		v := get(r)
		return !v.null() && v.number >= from && v.number < to
	}
	switch c.Op {
	case "=":
		return inside, nil
	case "!=":
		return func(r *row) bool { return !inside(r) }, nil
	case "<":
		return func(r *row) bool { v := get(r); return !v.null() && v.number < from }, nil
	case "<=":
		return func(r *row) bool { v := get(r); return !v.null() && v.number < to }, nil
	case ">":
		return func(r *row) bool { v := get(r); return !v.null() && v.number >= to }, nil
	}
	return func(r *row) bool { v := get(r); return !v.null() && v.number >= from }, nil
}

// span is a date literal as numbers of the operand's kind.
func (b *binder) span(v soql.Value, op operand) (from, to float64, err error) {
	start, end := v.Range(b.now)
	switch op.kind {
	case date:
		return dateOf(start).number, dateOf(end).number, nil
	case datetime:
		return float64(start.Unix()), float64(end.Unix()), nil
	}
	return 0, 0, b.wrongType(op, v.At)
}

// like matches % and _ against text, without regard to case.
func (b *binder) like(c soql.Comparison, op operand) (test, error) {
	if op.kind != text || op.field != nil && (op.field.reference() || op.field.source == fromID || op.field.Type == "multipicklist") {
		return nil, b.fail("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on "+typeWord(op)+" field", c.At)
	}
	if c.Right.Kind != soql.Text {
		return nil, b.wrongType(op, c.Right.At)
	}
	pattern := likePattern(c.Right.Text)
	get := op.get
	return func(r *row) bool {
		v := get(r)
		return !v.null() && pattern.match(v.text)
	}, nil
}

func typeWord(op operand) string {
	if op.field != nil && op.field.source == fromID {
		return "id"
	}
	if op.field != nil {
		return op.field.Type
	}
	switch op.kind {
	case number:
		return "double"
	case boolean:
		return "boolean"
	case date:
		return "date"
	case datetime:
		return "datetime"
	}
	return "string"
}

func (b *binder) wrongType(op operand, at int) error {
	name := typeWord(op)
	if name == "datetime" {
		name = "dateTime"
	}
	quotes := "should not be enclosed in quotes"
	if op.kind == text {
		name, quotes = "string", "should be enclosed in quotes"
	}
	return b.fail("INVALID_FIELD", "value of filter criterion for field '"+op.name+"' must be of type "+name+" and "+quotes, at)
}

// constant is a literal as a value of the operand's kind.
func (b *binder) constant(op operand, v soql.Value) (value, error) {
	switch {
	case op.kind == text && v.Kind == soql.Text:
		s := v.Plain()
		if op.field != nil && (op.field.reference() || op.field.source == fromID) {
			id, ok := longID(s)
			if !ok {
				return value{}, b.fail("INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: "+s, v.At)
			}
			return textOf(id), nil
		}
		return value{kind: text, text: s}, nil
	case op.kind == number && (v.Kind == soql.Number || v.Kind == soql.Currency):
		return numberOf(v.Number), nil
	case op.kind == boolean && v.Kind == soql.Boolean:
		return boolOf(v.Number != 0), nil
	case op.kind == date && v.Kind == soql.Date:
		d, _ := parseDate(v.Text)
		return d, nil
	case op.kind == datetime && v.Kind == soql.Datetime:
		t, _ := soql.ParseInstant(v.Text)
		// Finer than a second only matters for what lies between two stamps.
		return value{kind: datetime, number: float64(t.UnixMilli()) / 1000}, nil
	}
	return value{}, b.wrongType(op, v.At)
}

func (b *binder) in(c soql.In, left operandOf) (test, error) {
	op, err := b.filterable(c.Left, left)
	if err != nil {
		return nil, err
	}
	if c.Op == "INCLUDES" || c.Op == "EXCLUDES" {
		return b.includes(c, op)
	}
	set, null, err := b.members(c, op)
	if err != nil {
		return nil, err
	}
	get, wanted := op.get, c.Op == "IN"
	exact := op.field != nil && (op.field.reference() || op.field.source == fromID || op.field.CaseSensitive)
	return func(r *row) bool {
		v := get(r)
		if v.null() {
			return null == wanted
		}
		return set[memberKey(v, exact)] == wanted
	}, nil
}

func memberKey(v value, exact bool) string {
	if v.kind == text {
		if exact {
			return v.text
		}
		return strings.ToLower(v.text)
	}
	return v.String()
}

// members is the set of an IN, and whether null is in it.
func (b *binder) members(c soql.In, op operand) (set map[string]bool, null bool, err error) {
	exact := op.field != nil && (op.field.reference() || op.field.source == fromID || op.field.CaseSensitive)
	set = make(map[string]bool, len(c.Values))
	if c.Sub != nil {
		values, err := b.joined(c, op)
		if err != nil {
			return nil, false, err
		}
		for _, v := range values {
			set[memberKey(v, exact)] = true
		}
		return set, false, nil
	}
	for _, v := range c.Values {
		if v.Kind == soql.Null {
			null = true
			continue
		}
		want, err := b.constant(op, v)
		if err != nil {
			return nil, false, err
		}
		set[memberKey(want, exact)] = true
	}
	return set, null, nil
}

// joined runs the query of a semi-join and returns its one column.
func (b *binder) joined(c soql.In, op operand) ([]value, error) {
	if op.field == nil || !(op.field.reference() || op.field.source == fromID) {
		return nil, b.fail("MALFORMED_QUERY", "The left operand of an inner select must be an id or reference field", c.At)
	}
	if len(c.Sub.Select) != 1 || c.Sub.Select[0].Expression == nil {
		return nil, b.fail("MALFORMED_QUERY", "The inner select must have exactly one field", c.At)
	}
	inner, err := b.bind(c.Sub)
	if err != nil {
		return nil, err
	}
	column, err := b.operand(c.Sub.Select[0].Expression, c.Sub, inner.object)
	if err != nil {
		return nil, err
	}
	if column.field == nil || !(column.field.reference() || column.field.source == fromID) {
		return nil, b.fail("MALFORMED_QUERY", "The inner select field '"+column.name+"' must be an id or reference field", c.Sub.Select[0].Expression.Pos())
	}
	var values []value
	for _, r := range inner.rows() {
		if v := column.get(r); !v.null() {
			values = append(values, v)
		}
	}
	return values, nil
}

// includes asks a multi-select picklist: one of the arguments with all of its values.
func (b *binder) includes(c soql.In, op operand) (test, error) {
	if op.field == nil || op.field.Type != "multipicklist" {
		return nil, b.fail("INVALID_QUERY_FILTER_OPERATOR", "includes and excludes operator only valid on multipicklist field", c.At)
	}
	var wanted [][]string
	for _, v := range c.Values {
		if v.Kind != soql.Text {
			return nil, b.wrongType(op, v.At)
		}
		wanted = append(wanted, strings.Split(sortedSet(v.Plain()), ";"))
	}
	get, positive := op.get, c.Op == "INCLUDES"
	return func(r *row) bool {
		held := strings.Split(strings.ToLower(get(r).text), ";")
		for _, all := range wanted {
			found := true
			for _, one := range all {
				found = found && slices.Contains(held, one)
			}
			if found {
				return positive
			}
		}
		return !positive
	}, nil
}
