package soql

import (
	"strconv"
	"strings"
	"time"
)

// condition reads a chain of ANDs or of ORs; a mix needs parentheses, and the
// platform refuses it without.
func (p *parser) condition(depth int) (Condition, error) {
	if depth > maxDepth {
		return nil, &Error{Code: "QUERY_TOO_COMPLICATED", Message: "The query is nested too deeply.", At: -1}
	}
	first, err := p.term(depth)
	if err != nil {
		return nil, err
	}
	keyword := ""
	terms := []Condition{first}
	for p.is("AND") || p.is("OR") {
		this := strings.ToUpper(p.peek().text)
		if keyword != "" && this != keyword {
			return nil, p.unexpected()
		}
		keyword = this
		p.next()
		t, err := p.term(depth)
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	switch keyword {
	case "AND":
		return And(terms), nil
	case "OR":
		return Or(terms), nil
	}
	return first, nil
}

func (p *parser) term(depth int) (Condition, error) {
	if depth > maxDepth {
		return nil, &Error{Code: "QUERY_TOO_COMPLICATED", Message: "The query is nested too deeply.", At: -1}
	}
	if p.is("NOT") {
		p.next()
		c, err := p.term(depth + 1)
		if err != nil {
			return nil, err
		}
		return Not{c}, nil
	}
	if p.takeSymbol("(") {
		c, err := p.condition(depth + 1)
		if err != nil {
			return nil, err
		}
		return c, p.needSymbol(")")
	}
	return p.comparison(depth)
}

func (p *parser) comparison(depth int) (Condition, error) {
	left, err := p.expression(depth)
	if err != nil {
		return nil, err
	}
	op := p.peek()
	switch {
	case op.kind == symbol && strings.Contains("= != <> < <= > >=", op.text) && op.text != "," && op.text != ".":
		p.next()
		right, err := p.value()
		if err != nil {
			return nil, err
		}
		text := op.text
		if text == "<>" {
			text = "!="
		}
		return Comparison{left, text, right, op.at}, nil
	case p.take("LIKE"):
		right, err := p.value()
		if err != nil {
			return nil, err
		}
		return Comparison{left, "LIKE", right, op.at}, nil
	case p.take("NOT"):
		if err := p.need("IN"); err != nil {
			return nil, err
		}
		return p.in(left, "NOT IN", op.at, depth)
	case p.take("IN"):
		return p.in(left, "IN", op.at, depth)
	case p.take("INCLUDES"):
		return p.in(left, "INCLUDES", op.at, depth)
	case p.take("EXCLUDES"):
		return p.in(left, "EXCLUDES", op.at, depth)
	}
	return nil, p.unexpected()
}

func (p *parser) in(left Expression, op string, at, depth int) (Condition, error) {
	in := In{Left: left, Op: op, At: at}
	if err := p.needSymbol("("); err != nil {
		return nil, err
	}
	if p.is("SELECT") && strings.HasSuffix(op, "IN") {
		q, err := p.query(depth + 1)
		if err != nil {
			return nil, err
		}
		in.Sub = q
		return in, p.needSymbol(")")
	}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		in.Values = append(in.Values, v)
		if !p.takeSymbol(",") {
			break
		}
	}
	return in, p.needSymbol(")")
}

func (p *parser) value() (Value, error) {
	t := p.peek()
	v := Value{Text: t.text, At: t.at}
	switch t.kind {
	case quoted:
		if len(t.text) > maxTextLength {
			return v, malformed(p.text, t.at, "String literals can not be longer than 4000 characters")
		}
		v.Kind = Text
	case numeral:
		n, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return v, p.unexpected()
		}
		v.Kind, v.Number = Number, n
	case day:
		if _, err := time.Parse("2006-01-02", t.text); err != nil {
			return v, &Error{Code: "INVALID_QUERY_FILTER_OPERATOR", Message: "Invalid date: " + t.text, At: t.at, Text: p.text}
		}
		v.Kind = Date
	case instant:
		if _, ok := ParseInstant(t.text); !ok {
			return v, malformed(p.text, t.at, "Invalid datetime: "+t.text)
		}
		v.Kind = Datetime
	case word:
		if err := p.wordValue(t, &v); err != nil {
			return v, err
		}
		return v, nil
	default:
		return v, p.unexpected()
	}
	p.next()
	return v, nil
}

// wordValue reads TRUE, FALSE, NULL, date literals and amounts like USD5000.
func (p *parser) wordValue(t token, v *Value) error {
	upper := strings.ToUpper(t.text)
	switch {
	case upper == "NULL":
		*v = Value{Kind: Null, Text: "NULL", At: t.at}
	case upper == "TRUE":
		*v = Value{Kind: Boolean, Text: "TRUE", Number: 1, At: t.at}
	case upper == "FALSE":
		*v = Value{Kind: Boolean, Text: "FALSE", At: t.at}
	case plainLiterals[upper]:
		*v = Value{Kind: Literal, Text: upper, At: t.at}
	case countedLiterals[upper]:
		p.next()
		if err := p.needSymbol(":"); err != nil {
			return err
		}
		n, _, err := p.count()
		if err != nil {
			return err
		}
		*v = Value{Kind: Literal, Text: upper, Number: float64(n), At: t.at}
		return nil
	case len(upper) > 3 && isAmount(upper):
		n, err := strconv.ParseFloat(upper[3:], 64)
		if err != nil {
			return p.unexpected()
		}
		*v = Value{Kind: Currency, Text: upper, Number: n, At: t.at}
	default:
		return p.unexpected()
	}
	p.next()
	return nil
}

func isAmount(s string) bool {
	for i := range len(s) {
		if i < 3 && (s[i] < 'A' || s[i] > 'Z') || i >= 3 && !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// instantLayouts are the forms of a datetime in a query; an offset is needed.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
var instantLayouts = [...]string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00"}

// ParseInstant reads a datetime of a query.
func ParseInstant(s string) (time.Time, bool) {
	for _, layout := range instantLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
