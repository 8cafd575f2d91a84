package salesforce

import (
	"math"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce/soql"
)

// source is where the rows of a query are looked for: all of them, some rows
// found by an index, or those whose SystemModstamp lies in a range. The
// condition is tested on each of them all the same.
type source struct {
	listed   bool
	rows     []*row
	stamped  bool
	from, to float64 // seconds, inclusive
}

// size is about how many rows the source offers.
func (s source) size(o *object) int {
	switch {
	case s.listed:
		return len(s.rows)
	case s.stamped:
		entries := o.orderedStamps()
		first := o.stamps.since(int64(math.Ceil(s.from)))
		last := len(entries)
		if s.to < math.MaxInt64/2 {
			last = o.stamps.since(int64(math.Floor(s.to)) + 1)
		}
		return max(0, last-first)
	}
	return len(o.rows)
}

// source finds the narrowest source for a condition.
func (b *binder) source(c soql.Condition, q *soql.Query, o *object) source {
	switch c := c.(type) {
	case soql.And:
		best := source{}
		for _, part := range c {
			if s := b.source(part, q, o); s.size(o) < best.size(o) || !best.listed && !best.stamped {
				best = s
			}
		}
		return best
	case soql.Or:
		return b.union(c, q, o)
	case soql.Comparison:
		return b.compared(c, q, o)
	case soql.In:
		return b.listed(c, q, o)
	}
	return source{}
}

// union is the source of an OR: only as good as all of its parts together.
func (b *binder) union(c soql.Or, q *soql.Query, o *object) source {
	all := source{}
	seen := map[*row]bool{}
	for i, part := range c {
		s := b.source(part, q, o)
		switch {
		case s.listed && (i == 0 || all.listed):
			all.listed = true
			for _, r := range s.rows {
				if !seen[r] {
					seen[r] = true
					all.rows = append(all.rows, r)
				}
			}
		case s.stamped && i == 0:
			all = s
		case s.stamped && all.stamped:
			all.from, all.to = min(all.from, s.from), max(all.to, s.to)
		default:
			return source{}
		}
	}
	return all
}

// direct is the row's own field that an expression names, nil when it is another thing.
func (b *binder) direct(e soql.Expression, q *soql.Query, o *object) *field {
	p, ok := e.(soql.Path)
	if !ok {
		return nil
	}
	names := strip(p.Names, q, o)
	if len(names) != 1 {
		return nil
	}
	return o.field(names[0])
}

func (b *binder) compared(c soql.Comparison, q *soql.Query, o *object) source {
	f := b.direct(c.Left, q, o)
	if f == nil || c.Right.Kind == soql.Null {
		return source{}
	}
	op := operand{kind: f.kind(), field: f, name: f.Name}
	if f.source == fromStamp {
		return b.stamped(c, op)
	}
	if c.Op != "=" || c.Right.Kind == soql.Literal {
		return source{}
	}
	v, err := b.constant(op, c.Right)
	if err != nil {
		return source{}
	}
	return b.lookup(f, o, []value{v})
}

// stamped is the range of SystemModstamp that a comparison allows.
func (b *binder) stamped(c soql.Comparison, op operand) source {
	s := source{stamped: true, from: math.MinInt64 / 2, to: math.MaxInt64 / 2}
	var from, to float64 // of the right side: an instant or a literal's range, to exclusive
	if c.Right.Kind == soql.Literal {
		var err error
		if from, to, err = b.span(c.Right, op); err != nil {
			return source{}
		}
	} else {
		v, err := b.constant(op, c.Right)
		if err != nil {
			return source{}
		}
		from, to = v.number, v.number+0.0005
	}
	switch c.Op {
	case "=":
		s.from, s.to = from, to
	case "<", "<=":
		s.to = to
	case ">", ">=":
		s.from = from
	default:
		return source{}
	}
	return s
}

func (b *binder) listed(c soql.In, q *soql.Query, o *object) source {
	f := b.direct(c.Left, q, o)
	if f == nil || c.Op != "IN" {
		return source{}
	}
	op := operand{kind: f.kind(), field: f, name: f.Name}
	var values []value
	if c.Sub != nil {
		joined, err := b.joined(c, op)
		if err != nil {
			return source{}
		}
		values = joined
	}
	for _, v := range c.Values {
		if v.Kind == soql.Null {
			return source{}
		}
		want, err := b.constant(op, v)
		if err != nil {
			return source{}
		}
		values = append(values, want)
	}
	return b.lookup(f, o, values)
}

// lookup finds rows by id or index.
func (b *binder) lookup(f *field, o *object, values []value) source {
	s := source{listed: true}
	if f.source == fromID {
		for _, v := range values {
			if r := o.find(v.text); r != nil {
				s.rows = append(s.rows, r)
			}
		}
	} else if ix := o.indexes[f.index]; ix != nil {
		for _, v := range values {
			ix.find(v, func(r *row) bool {
				s.rows = append(s.rows, r)
				return true
			})
		}
	} else {
		return source{}
	}
	slices.SortFunc(s.rows, func(a, b *row) int { return strings.Compare(a.id, b.id) })
	s.rows = slices.Compact(s.rows)
	return s
}

// sortKey is one bound key of ORDER BY.
type sortKey struct {
	operand
	descending, nullsLast bool
}

// rows finds, filters, sorts and cuts the rows of the query.
func (q *bound) rows() []*row {
	if q.limit == 0 {
		return nil
	}
	enough := math.MaxInt
	if q.limit >= 0 {
		enough = q.limit + q.offset
	}
	inOrder := len(q.order) == 0 || q.byID()
	var found []*row
	take := func(r *row) bool {
		if r == nil || r.deleted && !q.all || q.where != nil && !q.where(r) {
			return true
		}
		found = append(found, r)
		return !inOrder || len(found) < enough
	}
	switch {
	case q.source.listed:
		for _, r := range q.source.rows {
			if !take(r) {
				break
			}
		}
	case q.byStamp() && (q.source.stamped || q.limit >= 0):
		inOrder = true
		q.walkStamps(take)
	case q.source.stamped && q.source.size(q.object) < len(q.object.rows)/2:
		inOrder = false
		q.walkStamps(take)
		if len(q.order) == 0 || q.byID() {
			slices.SortFunc(found, func(a, b *row) int { return strings.Compare(a.id, b.id) })
			inOrder = true
		}
	default:
		for _, r := range q.object.rows {
			if !take(r) {
				break
			}
		}
	}
	if !inOrder {
		sortRows(found, q.order)
	}
	found = found[min(q.offset, len(found)):]
	if q.limit >= 0 && len(found) > q.limit {
		found = found[:q.limit]
	}
	return found
}

// walkStamps offers the rows of the source's range in the order of their stamps.
func (q *bound) walkStamps(take func(*row) bool) {
	entries := q.object.orderedStamps()
	first := 0
	if q.source.stamped {
		first = q.object.stamps.since(int64(math.Ceil(q.source.from)))
	}
	for _, e := range entries[first:] {
		if q.source.stamped && float64(e.stamp) > q.source.to {
			return
		}
		if e.row.stamp == e.stamp && !take(e.row) {
			return
		}
	}
}

// byID says whether the order is that of the ids, which rows are kept in.
func (q *bound) byID() bool {
	return len(q.order) > 0 && q.order[0].direct && q.order[0].field.source == fromID && !q.order[0].descending
}

// byStamp says whether the order is SystemModstamp, or that and Id.
func (q *bound) byStamp() bool {
	if len(q.order) == 0 || !q.order[0].direct || q.order[0].field.source != fromStamp || q.order[0].descending {
		return false
	}
	return len(q.order) == 1 || q.order[1].direct && q.order[1].field.source == fromID && !q.order[1].descending
}

// sortRows sorts by keys computed once for each row; ties keep the order of ids.
func sortRows(rows []*row, keys []sortKey) {
	type keyed struct {
		row  *row
		keys []value
	}
	list := make([]keyed, len(rows))
	cells := make([]value, len(rows)*len(keys))
	for i, r := range rows {
		list[i] = keyed{r, cells[i*len(keys) : (i+1)*len(keys)]}
		for k := range keys {
			list[i].keys[k] = keys[k].get(r)
		}
	}
	slices.SortStableFunc(list, func(a, b keyed) int {
		for k := range keys {
			if c := keys[k].compare(a.keys[k], b.keys[k]); c != 0 {
				return c
			}
		}
		return 0
	})
	for i := range list {
		rows[i] = list[i].row
	}
}

// compare orders two values; nulls come first both ways unless NULLS LAST.
func (k *sortKey) compare(a, b value) int {
	if a.null() || b.null() {
		if a.null() == b.null() {
			return 0
		}
		if a.null() != k.nullsLast {
			return -1
		}
		return 1
	}
	c := compare(a, b)
	if k.descending {
		return -c
	}
	return c
}
