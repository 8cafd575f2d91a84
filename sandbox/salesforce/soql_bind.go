package salesforce

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce/soql"
)

// binder ties the names of a query to the schema, for one user at one moment.
type binder struct {
	server  *Server
	call    *call
	text    string
	now     time.Time
	all     bool // queryAll: deleted rows too
	version int
}

func (b *binder) fail(code, message string, at int) error {
	return &soql.Error{Code: code, Message: message, At: at, Text: b.text}
}

// queryFailure turns an error of the query language into an answer.
func queryFailure(err error) error {
	var e *soql.Error
	if errors.As(err, &e) {
		return plain(http.StatusBadRequest, e.Code, e.Error())
	}
	return err
}

// column is a field, reached over parents.
type column struct {
	server *Server
	steps  []*field
	target *field
	// name is looked up in each parent's own object where the last step is polymorphic.
	name string
}

func (c *column) get(r *row) value {
	for _, step := range c.steps {
		id := r.get(step).text
		if id == "" {
			return value{}
		}
		o := c.server.objectOf(id)
		if o == nil {
			return value{}
		}
		if r = o.find(id); r == nil {
			return value{}
		}
		if c.target == nil {
			if c.name == "type" {
				return textOf(o.name)
			}
			f := o.byName[c.name]
			if f == nil && c.name == "name" {
				f = o.nameField
			}
			if f == nil {
				return value{}
			}
			return r.get(f)
		}
	}
	return r.get(c.target)
}

// operand is what stands left of an operator, in ORDER BY or GROUP BY.
type operand struct {
	get   func(*row) value
	kind  kind
	field *field // of a direct field, or the last of a path
	// direct says that field is one of the row's own and can use an index.
	direct bool
	name   string
}

// strip takes the object's name or alias off the front of a path.
func strip(names []string, q *soql.Query, o *object) []string {
	if len(names) < 2 {
		return names
	}
	if q.Alias != "" && strings.EqualFold(names[0], q.Alias) {
		return names[1:]
	}
	if strings.EqualFold(names[0], o.name) && o.parents[strings.ToLower(names[0])] == nil {
		return names[1:]
	}
	return names
}

// maxParents is how many relationships a path may climb.
const maxParents = 5

// column finds a path from an object.
func (b *binder) column(p soql.Path, q *soql.Query, o *object) (*column, error) {
	names := strip(p.Names, q, o)
	if len(names)-1 > maxParents {
		return nil, b.fail("INVALID_FIELD", "Relationship depth exceeds the maximum of 5 levels.", p.At)
	}
	c := &column{server: b.server}
	for i, name := range names[:len(names)-1] {
		f := o.parents[strings.ToLower(name)]
		if f == nil || !b.access(o).canRead(f) {
			return nil, b.fail("INVALID_FIELD", "Didn't understand relationship '"+name+"' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", p.At)
		}
		c.steps = append(c.steps, f)
		if len(f.multi) > 1 {
			if i != len(names)-2 || !polymorphicField(f, names[i+1]) {
				return nil, b.noColumn(names[i+1], "Name", p.At)
			}
			c.name = strings.ToLower(names[i+1])
			return c, nil
		}
		if len(f.multi) == 0 {
			return nil, b.noColumn(names[i+1], strings.Join(f.ReferenceTo, ","), p.At)
		}
		o = f.multi[0]
	}
	last := names[len(names)-1]
	c.target = o.field(last)
	if c.target == nil || !b.access(o).canRead(c.target) {
		return nil, b.noColumn(last, o.name, p.At)
	}
	return c, nil
}

// polymorphicField says whether a field can be asked of a parent of several types.
func polymorphicField(f *field, name string) bool {
	switch strings.ToLower(name) {
	case "type", "name", "id":
		return true
	case "firstname", "lastname", "email", "phone", "title", "username", "alias", "isactive":
		for _, o := range f.multi {
			if o.field(name) != nil {
				return true
			}
		}
	}
	return false
}

func (b *binder) noColumn(name, object string, at int) error {
	return b.fail("INVALID_FIELD", "No such column '"+name+"' on entity '"+object+"'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.", at)
}

func (b *binder) access(o *object) *access { return b.server.access(b.call.user, o) }

// from finds the object of a query.
func (b *binder) from(p soql.Path) (*object, error) {
	name := p.String()
	o := b.server.object(name)
	if o == nil || !b.access(o).Read {
		return nil, b.fail("INVALID_TYPE", "sObject type '"+name+"' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.", p.At)
	}
	return o, nil
}

// operand binds a field or a function of one.
func (b *binder) operand(e soql.Expression, q *soql.Query, o *object) (operand, error) {
	switch e := e.(type) {
	case soql.Path:
		c, err := b.column(e, q, o)
		if err != nil {
			return operand{}, err
		}
		if c.target == nil {
			k := text
			if c.name == "isactive" {
				k = boolean
			}
			return operand{get: c.get, kind: k, name: e.String()}, nil
		}
		op := operand{get: c.get, kind: c.target.kind(), field: c.target, direct: len(c.steps) == 0, name: c.target.Name}
		if op.direct {
			f := c.target
			op.get = func(r *row) value { return r.get(f) }
		}
		return op, nil
	case soql.Call:
		return b.function(e, q, o)
	}
	return operand{}, b.fail("MALFORMED_QUERY", "unexpected token", e.Pos())
}

// function binds a function of one field that is no aggregate.
func (b *binder) function(c soql.Call, q *soql.Query, o *object) (operand, error) {
	if len(c.Args) != 1 {
		return operand{}, b.fail("MALFORMED_QUERY", "unexpected token: '"+c.Name+"'", c.At)
	}
	arg, err := b.operand(c.Args[0], q, o)
	if err != nil {
		return operand{}, err
	}
	switch c.Name {
	case "TOLABEL":
		get := arg.get
		if f := arg.field; f != nil && len(f.Picklist) > 0 {
			labels := map[string]string{}
			for _, v := range f.Picklist {
				labels[v.Value] = v.Label
			}
			inner := arg.get
			get = func(r *row) value {
				v := inner(r)
				if label, ok := labels[v.text]; ok {
					return textOf(label)
				}
				return v
			}
		}
		return operand{get: get, kind: text, field: arg.field, name: arg.name}, nil
	case "FORMAT":
		inner := arg.get
		return operand{get: func(r *row) value { return textOf(inner(r).String()) }, kind: text, field: arg.field, name: arg.name}, nil
	case "CONVERTCURRENCY", "CONVERTTIMEZONE":
		return operand{get: arg.get, kind: arg.kind, field: arg.field, name: arg.name}, nil
	}
	part := datePart(c.Name)
	if part == nil {
		return operand{}, b.fail("MALFORMED_QUERY", "unexpected token: '"+c.Name+"'", c.At)
	}
	if arg.kind != date && arg.kind != datetime {
		return operand{}, b.fail("INVALID_FIELD", "field "+arg.name+" does not support date function "+c.Name, c.At)
	}
	kind := number
	if c.Name == "DAY_ONLY" {
		kind = date
	}
	return operand{kind: kind, name: arg.name, get: func(r *row) value {
		v := arg.get(r)
		if v.null() {
			return v
		}
		seconds := int64(v.number)
		if v.kind == date {
			seconds *= daySeconds
		}
		t := time.Unix(seconds, 0).UTC()
		if kind == date {
			return dateOf(t)
		}
		return numberOf(float64(part(t)))
	}}, nil
}

// datePart is the date function of the name, nil when there is none.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_date_functions.htm
func datePart(name string) func(time.Time) int {
	switch name {
	case "CALENDAR_YEAR", "FISCAL_YEAR":
		return time.Time.Year
	case "CALENDAR_QUARTER", "FISCAL_QUARTER":
		return func(t time.Time) int { return (int(t.Month())-1)/3 + 1 }
	case "CALENDAR_MONTH", "FISCAL_MONTH":
		return func(t time.Time) int { return int(t.Month()) }
	case "DAY_IN_MONTH":
		return time.Time.Day
	case "DAY_IN_WEEK":
		return func(t time.Time) int { return int(t.Weekday()) + 1 }
	case "DAY_IN_YEAR":
		return time.Time.YearDay
	case "DAY_ONLY":
		return time.Time.YearDay
	case "HOUR_IN_DAY":
		return time.Time.Hour
	case "WEEK_IN_MONTH":
		return func(t time.Time) int { return (t.Day()-1)/7 + 1 }
	case "WEEK_IN_YEAR":
		return func(t time.Time) int { return (t.YearDay()-1)/7 + 1 }
	}
	return nil
}
