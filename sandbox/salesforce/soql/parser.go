package soql

import (
	"strconv"
	"strings"
)

// MaxLength is how long a query may be, in characters.
const MaxLength = 100_000

const (
	maxDepth      = 100 // nested parentheses, so that no query exhausts the stack
	maxTextLength = 4000
)

// Parse reads a query. The error, if any, is an *Error.
func Parse(text string) (*Query, error) {
	if len(text) > MaxLength {
		return nil, &Error{Code: "QUERY_TOO_COMPLICATED", Message: "SOQL statements cannot be longer than 100,000 characters.", At: -1}
	}
	tokens, problem := lex(text)
	if problem != nil {
		return nil, problem
	}
	p := &parser{text: text, tokens: tokens}
	q, err := p.query(0)
	if err == nil && p.peek().kind != end {
		err = p.unexpected()
	}
	if err != nil {
		return nil, err
	}
	return q, nil
}

// ParseCondition reads what may follow WHERE.
func ParseCondition(text string) (Condition, error) {
	tokens, problem := lex(text)
	if problem != nil {
		return nil, problem
	}
	p := &parser{text: text, tokens: tokens}
	c, err := p.condition(0)
	if err == nil && p.peek().kind != end {
		err = p.unexpected()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

type parser struct {
	text   string
	tokens []token
	place  int
}

func (p *parser) peek() token { return p.tokens[p.place] }

func (p *parser) ahead(n int) token {
	return p.tokens[min(p.place+n, len(p.tokens)-1)]
}

func (p *parser) next() token {
	t := p.tokens[p.place]
	if t.kind != end {
		p.place++
	}
	return t
}

// is says whether the next token is the keyword, without taking it.
func (p *parser) is(keyword string) bool {
	t := p.peek()
	return t.kind == word && strings.EqualFold(t.text, keyword)
}

// take takes the keyword if it is next.
func (p *parser) take(keyword string) bool {
	if p.is(keyword) {
		p.place++
		return true
	}
	return false
}

func (p *parser) takeSymbol(s string) bool {
	if t := p.peek(); t.kind == symbol && t.text == s {
		p.place++
		return true
	}
	return false
}

func (p *parser) unexpected() error {
	t := p.peek()
	return malformed(p.text, t.at, "unexpected token: '"+t.show()+"'")
}

func (p *parser) need(keyword string) error {
	if !p.take(keyword) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) needSymbol(s string) error {
	if !p.takeSymbol(s) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) query(depth int) (*Query, error) {
	if depth > maxDepth {
		return nil, &Error{Code: "QUERY_TOO_COMPLICATED", Message: "The query is nested too deeply.", At: -1}
	}
	q := &Query{Limit: -1, Offset: -1}
	if err := p.need("SELECT"); err != nil {
		return nil, err
	}
	for {
		item, err := p.item(depth)
		if err != nil {
			return nil, err
		}
		q.Select = append(q.Select, item)
		if !p.takeSymbol(",") {
			break
		}
	}
	if err := p.need("FROM"); err != nil {
		return nil, err
	}
	var err error
	if q.From, err = p.path(); err != nil {
		return nil, err
	}
	p.take("AS")
	if t := p.peek(); t.kind == word && !clauseWord(t.text) {
		q.Alias = p.next().text
	}
	return q, p.clauses(q, depth)
}

// clauseWord says whether a word after FROM x begins a clause, so is no alias.
func clauseWord(s string) bool {
	switch strings.ToUpper(s) {
	case "USING", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL", "UPDATE":
		return true
	}
	return false
}

func (p *parser) clauses(q *Query, depth int) (err error) {
	if p.take("USING") {
		if err := p.need("SCOPE"); err != nil {
			return err
		}
		if p.peek().kind != word {
			return p.unexpected()
		}
		q.Scope = p.next().text
	}
	if p.take("WHERE") {
		if q.Where, err = p.condition(depth); err != nil {
			return err
		}
	}
	if p.take("WITH") {
		// Sandboxed users see all records, so both modes say the same.
		if !p.take("SECURITY_ENFORCED") && !p.take("USER_MODE") && !p.take("SYSTEM_MODE") {
			return p.unexpected()
		}
	}
	if p.take("GROUP") {
		if err := p.groupBy(q, depth); err != nil {
			return err
		}
	}
	if p.take("HAVING") {
		if q.Having, err = p.condition(depth); err != nil {
			return err
		}
	}
	if p.take("ORDER") {
		if err := p.orderBy(q); err != nil {
			return err
		}
	}
	if p.take("LIMIT") {
		if q.Limit, q.LimitAt, err = p.count(); err != nil {
			return err
		}
	}
	if p.take("OFFSET") {
		if q.Offset, q.OffsetAt, err = p.count(); err != nil {
			return err
		}
	}
	for p.take("FOR") {
		if !p.is("VIEW") && !p.is("REFERENCE") && !p.is("UPDATE") {
			return p.unexpected()
		}
		q.For = append(q.For, strings.ToUpper(p.next().text))
	}
	if p.take("ALL") {
		q.AllRows = true
		return p.need("ROWS")
	}
	return nil
}

func (p *parser) groupBy(q *Query, depth int) error {
	if err := p.need("BY"); err != nil {
		return err
	}
	closing := false
	if (p.is("ROLLUP") || p.is("CUBE")) && p.ahead(1).text == "(" {
		q.Rollup = strings.ToUpper(p.next().text)
		p.next()
		closing = true
	}
	for {
		e, err := p.expression(depth)
		if err != nil {
			return err
		}
		q.GroupBy = append(q.GroupBy, e)
		if !p.takeSymbol(",") {
			break
		}
	}
	if closing {
		return p.needSymbol(")")
	}
	return nil
}

func (p *parser) orderBy(q *Query) error {
	if err := p.need("BY"); err != nil {
		return err
	}
	for {
		e, err := p.expression(0)
		if err != nil {
			return err
		}
		o := Order{By: e}
		if p.take("DESC") {
			o.Descending = true
		} else {
			p.take("ASC")
		}
		if p.take("NULLS") {
			switch {
			case p.take("FIRST"):
			case p.take("LAST"):
				o.NullsLast = true
			default:
				return p.unexpected()
			}
		}
		q.OrderBy = append(q.OrderBy, o)
		if !p.takeSymbol(",") {
			return nil
		}
	}
}

func (p *parser) count() (n, at int, err error) {
	t := p.peek()
	n, bad := strconv.Atoi(t.text)
	if t.kind != numeral || bad != nil || n < 0 {
		return 0, 0, p.unexpected()
	}
	p.next()
	return n, t.at, nil
}

func (p *parser) item(depth int) (Item, error) {
	if p.takeSymbol("(") {
		q, err := p.query(depth + 1)
		if err != nil {
			return Item{}, err
		}
		return Item{Children: q}, p.needSymbol(")")
	}
	if p.is("TYPEOF") && p.ahead(1).kind == word {
		t, err := p.typeOf()
		return Item{TypeOf: t}, err
	}
	e, err := p.expression(depth)
	if err != nil {
		return Item{}, err
	}
	item := Item{Expression: e}
	if t, after := p.peek(), p.ahead(1); t.kind == word && !strings.EqualFold(t.text, "FROM") &&
		(after.text == "," || after.kind == word && strings.EqualFold(after.text, "FROM")) {
		item.Alias = p.next().text
	}
	return item, nil
}

func (p *parser) typeOf() (*TypeOf, error) {
	p.next()
	t := &TypeOf{}
	var err error
	if t.Field, err = p.path(); err != nil {
		return nil, err
	}
	for p.take("WHEN") {
		if p.peek().kind != word {
			return nil, p.unexpected()
		}
		w := When{Type: p.next().text}
		if err := p.need("THEN"); err != nil {
			return nil, err
		}
		if w.Fields, err = p.paths(); err != nil {
			return nil, err
		}
		t.When = append(t.When, w)
	}
	if len(t.When) == 0 {
		return nil, p.unexpected()
	}
	if p.take("ELSE") {
		if t.Else, err = p.paths(); err != nil {
			return nil, err
		}
	}
	return t, p.need("END")
}

func (p *parser) paths() ([]Path, error) {
	var list []Path
	for {
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		list = append(list, path)
		if !p.takeSymbol(",") {
			return list, nil
		}
	}
}

func (p *parser) path() (Path, error) {
	t := p.peek()
	if t.kind != word || strings.EqualFold(t.text, "FROM") {
		return Path{}, p.unexpected()
	}
	p.next()
	path := Path{Names: []string{t.text}, At: t.at}
	for p.takeSymbol(".") {
		if p.peek().kind != word {
			return Path{}, p.unexpected()
		}
		path.Names = append(path.Names, p.next().text)
	}
	return path, nil
}

func (p *parser) expression(depth int) (Expression, error) {
	if depth > maxDepth {
		return nil, &Error{Code: "QUERY_TOO_COMPLICATED", Message: "The query is nested too deeply.", At: -1}
	}
	t := p.peek()
	if t.kind == word && p.ahead(1).kind == symbol && p.ahead(1).text == "(" {
		p.next()
		p.next()
		c := Call{Name: strings.ToUpper(t.text), At: t.at}
		if p.takeSymbol(")") {
			return c, nil
		}
		for {
			arg, err := p.expression(depth + 1)
			if err != nil {
				return nil, err
			}
			c.Args = append(c.Args, arg)
			if !p.takeSymbol(",") {
				break
			}
		}
		return c, p.needSymbol(")")
	}
	return p.pathExpression()
}

func (p *parser) pathExpression() (Expression, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	return path, nil
}
