package salesforce

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce/soql"
)

var aggregates = map[string]bool{"COUNT": true, "COUNT_DISTINCT": true, "SUM": true, "AVG": true, "MIN": true, "MAX": true, "GROUPING": true}

// grouping is the second half of an aggregate query: rows fall into groups by
// the keys, columns are computed over each group.
type grouping struct {
	bare    bool // SELECT COUNT() FROM
	keys    []operand
	columns []groupColumn
	having  test
	order   []sortKey
	sets    [][]bool // which keys count; more than one for ROLLUP and CUBE
	current *group   // the group that having and order look at
}

// groupColumn is one member of an AggregateResult.
type groupColumn struct {
	name     string
	of       func(*group) value
	decimals bool
}

// group is the rows that share their keys.
type group struct {
	keys []value
	used []bool // false where a ROLLUP leaves the key out
	rows []*row
}

// group binds an aggregate query.
func (b *binder) group(q *soql.Query, o *object) (*grouping, error) {
	g := &grouping{}
	for _, e := range q.GroupBy {
		op, err := b.operand(e, q, o)
		if err != nil {
			return nil, err
		}
		if op.field != nil && !op.field.groupable() && op.field.kind() != datetime {
			return nil, b.fail("INVALID_FIELD", "field '"+op.name+"' can not be grouped in a query call", e.Pos())
		}
		g.keys = append(g.keys, op)
	}
	g.sets = keySets(len(g.keys), q.Rollup)
	if err := b.groupColumns(g, q, o); err != nil {
		return nil, err
	}
	left := func(e soql.Expression) (operand, error) { return b.groupOperand(g, e, q, o) }
	if q.Having != nil {
		var err error
		if g.having, err = b.condition(q.Having, left); err != nil {
			return nil, err
		}
	}
	for _, k := range q.OrderBy {
		op, err := left(k.By)
		if err != nil {
			return nil, err
		}
		g.order = append(g.order, sortKey{op, k.Descending, k.NullsLast})
	}
	return g, nil
}

// keySets lists which keys are used together: all, and for ROLLUP each prefix, for CUBE each subset.
func keySets(n int, rollup string) [][]bool {
	var sets [][]bool
	switch rollup {
	case "ROLLUP":
		for keep := n; keep >= 0; keep-- {
			set := make([]bool, n)
			for i := range keep {
				set[i] = true
			}
			sets = append(sets, set)
		}
	case "CUBE":
		for bits := 1<<n - 1; bits >= 0; bits-- {
			set := make([]bool, n)
			for i := range n {
				set[i] = bits&(1<<i) != 0
			}
			sets = append(sets, set)
		}
	default:
		set := make([]bool, n)
		for i := range set {
			set[i] = true
		}
		sets = append(sets, set)
	}
	return sets
}

func (b *binder) groupColumns(g *grouping, q *soql.Query, o *object) error {
	unnamed := 0
	for _, item := range q.Select {
		if item.Children != nil || item.TypeOf != nil {
			return b.fail("MALFORMED_QUERY", "Grouped query cannot contain child or TYPEOF selections", -1)
		}
		if c, ok := item.Expression.(soql.Call); ok && c.Name == "COUNT" && len(c.Args) == 0 {
			if len(q.Select) > 1 || len(q.GroupBy) > 0 {
				return b.fail("MALFORMED_QUERY", "count() is not allowed with other fields", c.At)
			}
			g.bare = true
			return nil
		}
		col, isKey, err := b.groupColumn(g, item.Expression, q, o)
		if err != nil {
			return err
		}
		switch {
		case item.Alias != "":
			col.name = item.Alias
		case !isKey:
			col.name = fmt.Sprintf("expr%d", unnamed)
			unnamed++
		}
		for _, known := range g.columns {
			if strings.EqualFold(known.name, col.name) {
				return b.fail("MALFORMED_QUERY", "duplicate alias: "+col.name, item.Expression.Pos())
			}
		}
		g.columns = append(g.columns, col)
	}
	return nil
}

// groupColumn binds a select item: a key, or an aggregate.
func (b *binder) groupColumn(g *grouping, e soql.Expression, q *soql.Query, o *object) (col groupColumn, isKey bool, err error) {
	for i, key := range q.GroupBy {
		if strings.EqualFold(key.String(), e.String()) {
			op := g.keys[i]
			_, plainField := e.(soql.Path)
			return groupColumn{name: op.name, decimals: op.field != nil && op.field.decimals(), of: func(g *group) value {
				if !g.used[i] {
					return value{}
				}
				return g.keys[i]
			}}, plainField, nil
		}
	}
	c, ok := e.(soql.Call)
	if !ok || !aggregates[c.Name] {
		return col, false, b.fail("MALFORMED_QUERY", "Field must be grouped or aggregated: "+e.String(), e.Pos())
	}
	if len(c.Args) != 1 {
		return col, false, b.fail("MALFORMED_QUERY", "unexpected token: '"+c.Name+"'", c.At)
	}
	if c.Name == "GROUPING" {
		for i, key := range q.GroupBy {
			if strings.EqualFold(key.String(), c.Args[0].String()) {
				return groupColumn{of: func(g *group) value {
					if g.used[i] {
						return numberOf(0)
					}
					return numberOf(1)
				}}, false, nil
			}
		}
		return col, false, b.fail("MALFORMED_QUERY", "GROUPING needs a field of the GROUP BY clause", c.At)
	}
	arg, err := b.operand(c.Args[0], q, o)
	if err != nil {
		return col, false, err
	}
	if (c.Name == "SUM" || c.Name == "AVG") && arg.kind != number {
		return col, false, b.fail("MALFORMED_QUERY", "field "+arg.name+" does not support aggregate operator "+c.Name, c.At)
	}
	if (c.Name == "MIN" || c.Name == "MAX") && arg.kind == boolean {
		return col, false, b.fail("MALFORMED_QUERY", "field "+arg.name+" does not support aggregate operator "+c.Name, c.At)
	}
	decimals := c.Name == "AVG" || arg.field != nil && arg.field.decimals() && c.Name != "COUNT" && c.Name != "COUNT_DISTINCT"
	return groupColumn{of: aggregate(c.Name, arg.get), decimals: decimals}, false, nil
}

// aggregate computes a function over a group; null values do not take part.
func aggregate(name string, get func(*row) value) func(*group) value {
	return func(g *group) value {
		count, sum := 0, 0.0
		var least, most value
		distinct := map[string]bool{}
		for _, r := range g.rows {
			v := get(r)
			if v.null() {
				continue
			}
			count++
			sum += v.number
			if least.null() || compare(v, least) < 0 {
				least = v
			}
			if most.null() || compare(v, most) > 0 {
				most = v
			}
			if name == "COUNT_DISTINCT" {
				distinct[memberKey(v, false)] = true
			}
		}
		switch name {
		case "COUNT":
			return numberOf(float64(count))
		case "COUNT_DISTINCT":
			return numberOf(float64(len(distinct)))
		case "MIN":
			return least
		case "MAX":
			return most
		}
		if count == 0 {
			return value{}
		}
		if name == "AVG" {
			return numberOf(sum / float64(count))
		}
		return numberOf(roundTo(sum, 10))
	}
}

// groupOperand binds what HAVING and ORDER BY may name: keys, aggregates, aliases.
func (b *binder) groupOperand(g *grouping, e soql.Expression, q *soql.Query, o *object) (operand, error) {
	if p, ok := e.(soql.Path); ok && len(p.Names) == 1 {
		for _, item := range q.Select {
			if item.Alias != "" && strings.EqualFold(item.Alias, p.Names[0]) {
				e = item.Expression
			}
		}
	}
	col, _, err := b.groupColumn(g, e, q, o)
	if err != nil {
		return operand{}, err
	}
	op := operand{name: e.String(), kind: number, get: func(*row) value { return col.of(g.current) }}
	if c, ok := e.(soql.Call); ok && aggregates[c.Name] {
		if c.Name == "MIN" || c.Name == "MAX" {
			arg, err := b.operand(c.Args[0], q, o)
			if err != nil {
				return operand{}, err
			}
			op.kind = arg.kind
		}
		return op, nil
	}
	key, err := b.operand(e, q, o)
	op.kind, op.field = key.kind, key.field
	return op, err
}

// resultLimit is how many groups an answer may have: they cannot be paged.
const resultLimit = 2000

// results runs an aggregate query; total is the count of COUNT().
func (q *bound) results() (rows [][]byte, total int, err error) {
	g := q.groups
	if g.bare {
		return nil, len(q.rows()), nil
	}
	limit, offset := q.limit, q.offset
	all := *q
	all.limit, all.offset = -1, 0
	found := all.rows()
	var groups []*group
	for _, set := range g.sets {
		groups = append(groups, g.split(found, set)...)
	}
	if g.having != nil {
		groups = slices.DeleteFunc(groups, func(x *group) bool { g.current = x; return !g.having(nil) })
	}
	if len(g.order) > 0 {
		g.sort(groups)
	}
	groups = groups[min(offset, len(groups)):]
	if limit >= 0 && len(groups) > limit {
		groups = groups[:limit]
	}
	if len(groups) > resultLimit {
		return nil, 0, q.binder.fail("EXCEEDED_ID_LIMIT", "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch", -1)
	}
	for _, x := range groups {
		b := []byte(`{"attributes":{"type":"AggregateResult"}`)
		for _, col := range g.columns {
			b = append(b, ',')
			b = append(appendString(b, col.name), ':')
			b = col.of(x).appendJSON(b, col.decimals)
		}
		rows = append(rows, append(b, '}'))
	}
	return rows, len(rows), nil
}

// split puts rows into groups by the used keys, in the order of the keys.
func (g *grouping) split(rows []*row, used []bool) []*group {
	byKey := map[string]*group{}
	var groups []*group
	for _, r := range rows {
		var name strings.Builder
		keys := make([]value, len(g.keys))
		for i, k := range g.keys {
			if used[i] {
				keys[i] = k.get(r)
				name.WriteString(memberKey(keys[i], false))
			}
			name.WriteByte(0)
		}
		x := byKey[name.String()]
		if x == nil {
			x = &group{keys: keys, used: used}
			byKey[name.String()] = x
			groups = append(groups, x)
		}
		x.rows = append(x.rows, r)
	}
	if len(rows) == 0 && (len(g.keys) == 0 || !slices.Contains(used, true)) {
		groups = append(groups, &group{keys: make([]value, len(g.keys)), used: used})
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		for i := range a.keys {
			if c := compare(a.keys[i], b.keys[i]); c != 0 {
				return c
			}
		}
		return 0
	})
	return groups
}

func (g *grouping) sort(groups []*group) {
	keys := map[*group][]value{}
	for _, x := range groups {
		g.current = x
		for i := range g.order {
			keys[x] = append(keys[x], g.order[i].get(nil))
		}
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		for i := range g.order {
			if c := g.order[i].compare(keys[a][i], keys[b][i]); c != 0 {
				return c
			}
		}
		return 0
	})
}
