package salesforce

import (
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce/soql"
)

// bound is a query tied to the schema, ready to run while the lock is held.
type bound struct {
	binder *binder
	object *object
	where  test
	source source
	order  []sortKey
	// limit is -1 when there is none.
	limit, offset int
	all           bool
	selection     *selection
	groups        *grouping // of aggregate queries; selection is nil then
}

// selection is what a row shows, in the order of the select list.
type selection struct {
	call  *call
	parts []part
}

// part is one member of the JSON record: a value, a parent or children.
type part struct {
	key      []byte
	field    *field           // of a plain field
	get      func(*row) value // of a function or polymorphic field
	decimals bool
	parent   *field // reference to the parent
	inner    *selection
	children *field // the child's reference field
	query    *bound
	typeOf   []typeBranch
	name     string
}

type typeBranch struct {
	object    *object // nil for ELSE
	selection *selection
}

const (
	maxChildQueries   = 20
	offsetLimit       = 2000
	fieldsLimit       = 200
	deepChildrenSince = 58
)

// bind binds a whole query.
func (b *binder) bind(q *soql.Query) (*bound, error) {
	o, err := b.from(q.From)
	if err != nil {
		return nil, err
	}
	return b.bindOn(q, o, 0)
}

func (b *binder) bindOn(q *soql.Query, o *object, depth int) (*bound, error) {
	done := &bound{binder: b, object: o, limit: q.Limit, offset: max(0, q.Offset), all: b.all || q.AllRows}
	if q.AllRows {
		return nil, b.fail("MALFORMED_QUERY", "ALL ROWS not allowed in this context", -1)
	}
	if done.offset > offsetLimit {
		return nil, b.fail("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000", q.OffsetAt)
	}
	if depth == 0 {
		if err := b.linkFilter(o, q.Where); err != nil {
			return nil, err
		}
	}
	left := func(e soql.Expression) (operand, error) { return b.operand(e, q, o) }
	if q.Where != nil {
		var err error
		if done.where, err = b.condition(q.Where, left); err != nil {
			return nil, err
		}
		done.source = b.source(q.Where, q, o)
	}
	if aggregated(q) {
		var err error
		done.groups, err = b.group(q, o)
		return done, err
	}
	for _, k := range q.OrderBy {
		op, err := left(k.By)
		if err != nil {
			return nil, err
		}
		if op.field != nil && !op.field.sortable() {
			return nil, b.fail("INVALID_FIELD", "field '"+op.field.Name+"' can not be sorted in a query call", k.By.Pos())
		}
		done.order = append(done.order, sortKey{op, k.Descending, k.NullsLast})
	}
	var err error
	done.selection, err = b.selects(q, o, depth)
	return done, err
}

// aggregated says whether a query answers groups instead of records.
func aggregated(q *soql.Query) bool {
	if len(q.GroupBy) > 0 {
		return true
	}
	for _, item := range q.Select {
		if c, ok := item.Expression.(soql.Call); ok && aggregates[c.Name] {
			return true
		}
	}
	return false
}

// selects binds the select list.
func (b *binder) selects(q *soql.Query, o *object, depth int) (*selection, error) {
	top := &selection{call: b.call}
	children := 0
	for _, item := range q.Select {
		var err error
		switch {
		case item.Children != nil:
			if children++; children > maxChildQueries {
				return nil, b.fail("MALFORMED_QUERY", "maximum 20 child relationships", item.Children.From.At)
			}
			err = b.addChildren(top, item.Children, o, depth)
		case item.TypeOf != nil:
			err = b.addTypeOf(top, item.TypeOf, q, o)
		default:
			err = b.addExpression(top, item, q, o)
		}
		if err != nil {
			return nil, err
		}
	}
	return top, nil
}

func (b *binder) addExpression(top *selection, item soql.Item, q *soql.Query, o *object) error {
	switch e := item.Expression.(type) {
	case soql.Path:
		if item.Alias != "" {
			return b.fail("MALFORMED_QUERY", "unexpected token: '"+item.Alias+"'", e.At)
		}
		return b.addPath(top, e, strip(e.Names, q, o), o)
	case soql.Call:
		if e.Name == "FIELDS" {
			return b.addAll(top, e, q, o)
		}
		op, err := b.function(e, q, o)
		if err != nil {
			return err
		}
		name := item.Alias
		if name == "" {
			name = op.name
			if datePart(e.Name) != nil {
				return b.fail("MALFORMED_QUERY", "field must be aggregated: "+e.String(), e.At)
			}
		}
		return b.add(top, part{name: name, get: op.get}, e.At)
	}
	return nil
}

// add appends a part; the same name twice is refused.
func (b *binder) add(s *selection, p part, at int) error {
	for _, known := range s.parts {
		if strings.EqualFold(known.name, p.name) {
			return b.fail("INVALID_FIELD", "duplicate field selected: "+p.name, at)
		}
	}
	p.key = append(appendString(nil, p.name), ':')
	s.parts = append(s.parts, p)
	return nil
}

// addPath adds a field, below its parents; parents named before are shared.
func (b *binder) addPath(s *selection, p soql.Path, names []string, o *object) error {
	if len(names) > maxParents+1 {
		return b.fail("INVALID_FIELD", "Relationship depth exceeds the maximum of 5 levels.", p.At)
	}
	if len(names) == 1 {
		f := o.field(names[0])
		if f == nil || !b.access(o).canRead(f) {
			return b.noColumn(names[0], o.name, p.At)
		}
		return b.add(s, part{name: f.Name, field: f}, p.At)
	}
	f := o.parents[strings.ToLower(names[0])]
	if f == nil || !b.access(o).canRead(f) || len(f.multi) == 0 {
		_, err := b.column(soql.Path{Names: names, At: p.At}, &soql.Query{}, o)
		if err == nil {
			err = b.noColumn(names[1], names[0], p.At)
		}
		return err
	}
	var inner *selection
	for i := range s.parts {
		if s.parts[i].parent == f {
			inner = s.parts[i].inner
		}
	}
	if inner == nil {
		inner = &selection{call: b.call}
		if err := b.add(s, part{name: f.Relationship, parent: f, inner: inner}, p.At); err != nil {
			return err
		}
	}
	if len(f.multi) > 1 {
		if len(names) != 2 || !polymorphicField(f, names[1]) {
			return b.noColumn(names[1], "Name", p.At)
		}
		return b.add(inner, b.polymorphic(names[1]), p.At)
	}
	return b.addPath(inner, p, names[1:], f.multi[0])
}

// polymorphic reads a field of whatever object the row belongs to.
func (b *binder) polymorphic(name string) part {
	lower := strings.ToLower(name)
	canonical := map[string]string{"type": "Type", "name": "Name", "id": "Id", "firstname": "FirstName", "lastname": "LastName", "email": "Email",
		"phone": "Phone", "title": "Title", "username": "Username", "alias": "Alias", "isactive": "IsActive"}[lower]
	s := b.server
	return part{name: canonical, get: func(r *row) value {
		o := s.objectOf(r.id)
		if lower == "type" {
			return textOf(o.name)
		}
		f := o.byName[lower]
		if f == nil && lower == "name" {
			f = o.nameField
		}
		if f == nil {
			return value{}
		}
		return r.get(f)
	}}
}

// addAll adds FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM).
func (b *binder) addAll(s *selection, e soql.Call, q *soql.Query, o *object) error {
	which := ""
	if len(e.Args) == 1 {
		which = strings.ToUpper(e.Args[0].String())
	}
	if which != "ALL" && which != "STANDARD" && which != "CUSTOM" {
		return b.fail("MALFORMED_QUERY", "unexpected token: 'FIELDS'", e.At)
	}
	if which != "STANDARD" && (q.Limit < 0 || q.Limit > fieldsLimit) {
		return b.fail("MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200", e.At)
	}
	for _, f := range o.fields {
		if which == "STANDARD" && f.custom() || which == "CUSTOM" && !f.custom() || !b.access(o).canRead(f) {
			continue
		}
		if err := b.add(s, part{name: f.Name, field: f}, e.At); err != nil {
			return err
		}
	}
	return nil
}

func (b *binder) addChildren(s *selection, q *soql.Query, o *object, depth int) error {
	if depth > 0 && b.version < deepChildrenSince || depth >= maxParents {
		return b.fail("MALFORMED_QUERY", "Nesting of semi join sub-selects is not supported", q.From.At)
	}
	name := q.From.Names[len(q.From.Names)-1]
	f := o.children[strings.ToLower(name)]
	if f == nil || !b.access(f.object).Read || !b.access(f.object).canRead(f) {
		return b.fail("INVALID_TYPE", "Didn't understand relationship '"+name+"' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", q.From.At)
	}
	if aggregated(q) {
		return b.fail("MALFORMED_QUERY", "Aggregate functions are not allowed in a child query", q.From.At)
	}
	inner, err := b.bindOn(q, f.object, depth+1)
	if err != nil {
		return err
	}
	return b.add(s, part{name: f.Children, children: f, query: inner}, q.From.At)
}

func (b *binder) addTypeOf(s *selection, t *soql.TypeOf, q *soql.Query, o *object) error {
	names := strip(t.Field.Names, q, o)
	f := o.parents[strings.ToLower(names[0])]
	if len(names) != 1 || f == nil || len(f.multi) < 2 {
		return b.fail("INVALID_FIELD", "TYPEOF needs a polymorphic relationship, and '"+t.Field.String()+"' is none", t.Field.At)
	}
	p := part{name: f.Relationship, parent: f}
	for _, w := range t.When {
		target := b.server.object(w.Type)
		if target == nil || !b.access(target).Read {
			return b.fail("INVALID_TYPE", "sObject type '"+w.Type+"' is not supported.", t.Field.At)
		}
		branch := &selection{call: b.call}
		for _, path := range w.Fields {
			if err := b.addPath(branch, path, path.Names, target); err != nil {
				return err
			}
		}
		p.typeOf = append(p.typeOf, typeBranch{target, branch})
	}
	other := &selection{call: b.call}
	for _, path := range t.Else {
		if len(path.Names) != 1 || !polymorphicField(f, path.Names[0]) {
			return b.noColumn(path.String(), "Name", path.At)
		}
		if err := b.add(other, b.polymorphic(path.Names[0]), path.At); err != nil {
			return err
		}
	}
	p.typeOf = append(p.typeOf, typeBranch{nil, other})
	return b.add(s, p, t.Field.At)
}

// append writes a row as JSON.
func (s *selection) append(b []byte, r *row, o *object) []byte {
	server := s.call.server
	b = append(b, `{"attributes":`...)
	b = s.call.appendAttributes(b, o, r)
	for i := range s.parts {
		p := &s.parts[i]
		b = append(b, ',')
		b = append(b, p.key...)
		switch {
		case p.field != nil:
			b = r.appendField(b, p.field)
		case p.get != nil:
			b = p.get(r).appendJSON(b, p.decimals)
		case p.parent != nil:
			b = p.appendParent(b, r, server)
		default:
			b = p.appendChildren(b, r)
		}
	}
	return append(b, '}')
}

func (p *part) appendParent(b []byte, r *row, server *Server) []byte {
	parent := server.row(r.get(p.parent).text)
	if parent == nil {
		return append(b, "null"...)
	}
	inner := p.inner
	if p.typeOf != nil {
		for _, branch := range p.typeOf {
			if branch.object == nil || branch.object == server.objectOf(parent.id) {
				inner = branch.selection
				break
			}
		}
	}
	return inner.append(b, parent, server.objectOf(parent.id))
}

func (p *part) appendChildren(b []byte, r *row) []byte {
	q := *p.query
	q.source = q.binder.lookup(p.children, p.children.object, []value{textOf(r.id)})
	if !q.source.listed {
		q.source = source{listed: true, rows: p.children.object.match(p.children, textOf(r.id))}
	}
	rows := q.rows()
	if len(rows) == 0 {
		return append(b, "null"...)
	}
	return q.appendPage(b, rows, len(rows), "")
}

// appendPage writes the envelope of a query answer.
func (q *bound) appendPage(b []byte, rows []*row, total int, next string) []byte {
	b = append(b, `{"totalSize":`...)
	b = appendNumber(b, float64(total), false)
	if next == "" {
		b = append(b, `,"done":true,"records":[`...)
	} else {
		b = append(b, `,"done":false,"nextRecordsUrl":`...)
		b = appendString(b, next)
		b = append(b, `,"records":[`...)
	}
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = q.selection.append(b, r, q.object)
	}
	return append(b, ']', '}')
}
