package salesforce

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// formula computes a value from a row. Nothing of it is stored: a change of what
// it looks at moves no SystemModstamp of the row.
type formula func(r *row) value

// formulaReader parses the part of the formula language that a sandbox needs:
// field paths (Account.Owner.Name), texts, numbers, TRUE, FALSE, NULL, the
// operators & + - * / = <> < <= > >= && || and the functions of formulaCalls.
// https://help.salesforce.com/s/articleView?id=platform.customize_functions.htm
type formulaReader struct {
	server *Server
	object *object
	text   string
	at     int
}

// parseFormula binds a formula to the object that its paths start from.
func (s *Server) parseFormula(o *object, text string) (formula, error) {
	p := &formulaReader{server: s, object: o, text: text}
	f, err := p.binary(0)
	if err == nil {
		if p.blank(); p.at < len(text) {
			err = p.wrong("%q is not expected", text[p.at:])
		}
	}
	return f, err
}

func (p *formulaReader) wrong(format string, args ...any) error {
	return fmt.Errorf("formula %q: %s", p.text, fmt.Sprintf(format, args...))
}

func (p *formulaReader) blank() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take passes over the word when it comes next.
func (p *formulaReader) take(word string) bool {
	p.blank()
	if !strings.HasPrefix(p.text[p.at:], word) {
		return false
	}
	p.at += len(word)
	return true
}

// formulaOperators by precedence; longer ones stand before their beginnings.
var formulaOperators = [...][]string{{"||"}, {"&&"}, {"<=", ">=", "<>", "!=", "==", "=", "<", ">"}, {"&"}, {"+", "-"}, {"*", "/"}}

func (p *formulaReader) binary(level int) (formula, error) {
	if level == len(formulaOperators) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		op := ""
		for _, o := range formulaOperators[level] {
			p.blank()
			if o == "&" && strings.HasPrefix(p.text[p.at:], "&&") {
				continue
			}
			if p.take(o) {
				op = o
				break
			}
		}
		if op == "" {
			return left, nil
		}
		var right formula
		if right, err = p.binary(level + 1); err == nil {
			left = operate(op, left, right)
		}
	}
	return nil, err
}

func operate(op string, left, right formula) formula {
	switch op {
	case "&":
		return func(r *row) value { return textOf(left(r).String() + right(r).String()) }
	case "&&":
		return func(r *row) value { return boolOf(left(r).isTrue() && right(r).isTrue()) }
	case "||":
		return func(r *row) value { return boolOf(left(r).isTrue() || right(r).isTrue()) }
	case "+", "-", "*", "/":
		return func(r *row) value { return calculate(op, left(r), right(r)) }
	}
	return func(r *row) value {
		c := compare(left(r), right(r))
		switch op {
		case "=", "==":
			return boolOf(c == 0)
		case "<>", "!=":
			return boolOf(c != 0)
		case "<":
			return boolOf(c < 0)
		case "<=":
			return boolOf(c <= 0)
		case ">":
			return boolOf(c > 0)
		}
		return boolOf(c >= 0)
	}
}

// calculate does arithmetic. Texts are put together by +, days are added to
// dates and datetimes; what is blank stays blank.
func calculate(op string, a, b value) value {
	if a.null() || b.null() {
		return value{}
	}
	if a.kind == text || b.kind == text {
		if op == "+" {
			return textOf(a.String() + b.String())
		}
		return value{}
	}
	switch {
	case a.kind == b.kind && a.kind == datetime && op == "-":
		return numberOf((a.number - b.number) / daySeconds)
	case a.kind == b.kind && a.kind == date && op == "-":
		return numberOf(a.number - b.number)
	case a.kind == datetime:
		b.number *= daySeconds
	}
	n := 0.0
	switch op {
	case "+":
		n = a.number + b.number
	case "-":
		n = a.number - b.number
	case "*":
		n = a.number * b.number
	case "/":
		n = a.number / b.number
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return value{}
	}
	return value{kind: a.kind, number: n}
}

func (p *formulaReader) unary() (formula, error) {
	p.blank()
	if p.at == len(p.text) {
		return nil, p.wrong("it ends too early")
	}
	switch c := p.text[p.at]; {
	case c == '(':
		p.at++
		f, err := p.binary(0)
		if err == nil && !p.take(")") {
			err = p.wrong("a ) is missing")
		}
		return f, err
	case c == '"' || c == '\'':
		end := strings.IndexByte(p.text[p.at+1:], c)
		if end < 0 {
			return nil, p.wrong("a text does not end")
		}
		v := textOf(p.text[p.at+1 : p.at+1+end])
		p.at += end + 2
		return func(*row) value { return v }, nil
	case c == '-' || c == '.' || c >= '0' && c <= '9':
		end := p.at + 1
		for end < len(p.text) && strings.IndexByte("0123456789.", p.text[end]) >= 0 {
			end++
		}
		n, err := strconv.ParseFloat(p.text[p.at:end], 64)
		if err != nil {
			return nil, p.wrong("%q is no number", p.text[p.at:end])
		}
		p.at = end
		return func(*row) value { return numberOf(n) }, nil
	}
	return p.named()
}

// named reads a field path, a constant or a function.
func (p *formulaReader) named() (formula, error) {
	start := p.at
	for p.at < len(p.text) && (isDigit62(p.text[p.at]) || p.text[p.at] == '_' || p.text[p.at] == '.') {
		p.at++
	}
	name := p.text[start:p.at]
	if name == "" {
		return nil, p.wrong("%q is not expected", p.text[p.at:])
	}
	if p.take("(") {
		return p.function(strings.ToUpper(name))
	}
	switch strings.ToUpper(name) {
	case "TRUE", "FALSE":
		v := boolOf(strings.EqualFold(name, "true"))
		return func(*row) value { return v }, nil
	case "NULL":
		return func(*row) value { return value{} }, nil
	}
	get, err := p.server.path(p.object, name)
	if err != nil {
		return nil, p.wrong("%v", err)
	}
	return get, nil
}

// path binds a dotted path of relationships and a field at its end.
func (s *Server) path(o *object, dotted string) (formula, error) {
	names := strings.Split(dotted, ".")
	c := &column{server: s}
	for i, name := range names[:len(names)-1] {
		f := o.parents[strings.ToLower(name)]
		if f == nil || len(f.multi) == 0 {
			return nil, fmt.Errorf("%s has no relationship %s", o.name, name)
		}
		c.steps = append(c.steps, f)
		if len(f.multi) > 1 {
			if i != len(names)-2 || !polymorphicField(f, names[i+1]) {
				return nil, fmt.Errorf("%s.%s leads to several objects, which have no %s in common", o.name, name, names[i+1])
			}
			c.name = strings.ToLower(names[i+1])
			return c.get, nil
		}
		o = f.multi[0]
	}
	c.target = o.field(names[len(names)-1])
	if c.target == nil || c.target.source == fromAddress {
		return nil, fmt.Errorf("%s has no field %s", o.name, names[len(names)-1])
	}
	return c.get, nil
}

// formulaCalls are the functions and how many arguments they take.
var formulaCalls = map[string]int{"IF": 3, "ISBLANK": 1, "BLANKVALUE": 2, "NOT": 1, "TEXT": 1, "UPPER": 1, "LOWER": 1, "ROUND": 2, "TODAY": 0, "NOW": 0}

func (p *formulaReader) function(name string) (formula, error) {
	wanted, known := formulaCalls[name]
	if !known {
		return nil, p.wrong("there is no function %s here", name)
	}
	var args []formula
	for !p.take(")") {
		if len(args) > 0 && !p.take(",") {
			return nil, p.wrong("a , or ) is missing after an argument of %s", name)
		}
		a, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	if len(args) != wanted {
		return nil, p.wrong("%s takes %d arguments, not %d", name, wanted, len(args))
	}
	now := p.server.clock.Now
	switch name {
	case "IF":
		return func(r *row) value {
			if args[0](r).isTrue() {
				return args[1](r)
			}
			return args[2](r)
		}, nil
	case "ISBLANK":
		return func(r *row) value { return boolOf(args[0](r).null()) }, nil
	case "BLANKVALUE":
		return func(r *row) value {
			if v := args[0](r); !v.null() {
				return v
			}
			return args[1](r)
		}, nil
	case "NOT":
		return func(r *row) value { return boolOf(!args[0](r).isTrue()) }, nil
	case "UPPER":
		return func(r *row) value { return textOf(strings.ToUpper(args[0](r).String())) }, nil
	case "LOWER":
		return func(r *row) value { return textOf(strings.ToLower(args[0](r).String())) }, nil
	case "ROUND":
		return func(r *row) value {
			if v := args[0](r); v.kind == number {
				return numberOf(roundTo(v.number, int(args[1](r).number)))
			}
			return value{}
		}, nil
	case "TODAY":
		return func(*row) value { return dateOf(now()) }, nil
	case "NOW":
		return func(*row) value { return datetimeOf(now().Unix()) }, nil
	}
	return func(r *row) value { return textOf(args[0](r).String()) }, nil
}

// rollUp computes a summary over the details of a row.
func (s *Server) rollUp(parent *object, u *RollUp) (formula, error) { return s.summed(parent, u, true) }

// summed computes a summary over the children of a row; of details alone, or
// also of those that only look up to it.
func (s *Server) summed(parent *object, u *RollUp, details bool) (formula, error) {
	child := s.object(u.Object)
	if child == nil {
		return nil, fmt.Errorf("there is no object %s to sum up", u.Object)
	}
	link := child.field(u.Reference)
	if link == nil || !link.reference() || len(link.multi) != 1 || link.multi[0] != parent || details && !link.Cascade {
		return nil, fmt.Errorf("%s.%s is no master-detail reference to %s", u.Object, u.Reference, parent.name)
	}
	var of *field
	operation := strings.ToLower(u.Operation)
	switch operation {
	case "count":
	case "sum", "min", "max":
		if of = child.field(u.Field); of == nil || of.kind() != number && (operation == "sum" || of.kind() != date && of.kind() != datetime) {
			return nil, fmt.Errorf("%s has no field %s to take the %s of", u.Object, u.Field, operation)
		}
	default:
		return nil, fmt.Errorf("a roll-up counts, or takes the sum, min or max, not %q", u.Operation)
	}
	var filter formula
	if u.Filter != "" {
		var err error
		if filter, err = s.parseFormula(child, u.Filter); err != nil {
			return nil, err
		}
	}
	return func(r *row) value {
		total, found, n := value{}, false, 0
		child.indexes[link.index].find(textOf(r.id), func(c *row) bool {
			if c.deleted || filter != nil && !filter(c).isTrue() {
				return true
			}
			n++
			if of == nil {
				return true
			}
			v := c.get(of)
			switch {
			case v.null():
			case !found:
				total, found = v, true
			case operation == "sum":
				total.number += v.number
			case operation == "min":
				total.number = min(total.number, v.number)
			default:
				total.number = max(total.number, v.number)
			}
			return true
		})
		switch {
		case of == nil:
			return numberOf(float64(n))
		case operation == "sum" && !found:
			return numberOf(0)
		case operation == "sum":
			return numberOf(roundTo(total.number, 6))
		}
		return total
	}, nil
}

// given is the formula of a Go function.
func (s *Server) given(f *field, compute func(get func(path string) any) any) formula {
	return func(r *row) value {
		v := compute(func(path string) any {
			get, err := s.path(f.object, path)
			if err != nil {
				panic("salesforce sandbox: formula " + f.object.name + "." + f.Name + ": " + err.Error())
			}
			return get(r).exported()
		})
		if t, ok := v.(time.Time); ok && f.kind() == date {
			return dateOf(t.UTC())
		}
		cell, err := trusted(f, v)
		if err != nil {
			panic("salesforce sandbox: " + err.Error())
		}
		return cell
	}
}

// shown gives a computed value the type of its field.
func (f *field) shown(v value) value {
	switch {
	case v.null() && f.kind() == boolean:
		return boolOf(false)
	case v.null() || v.kind == f.kind():
		if v.kind == number && f.Scale >= 0 && f.Precision > 0 {
			v.number = roundTo(v.number, f.Scale)
		}
		return v
	case f.kind() == text:
		return textOf(v.String())
	case f.kind() == date && v.kind == datetime:
		return value{kind: date, number: math.Floor(v.number / daySeconds)}
	}
	return value{}
}
