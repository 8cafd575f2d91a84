package soql

import (
	"strconv"
	"strings"
)

// String writes the query on one line, keywords in capitals.
func (q *Query) String() string {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, item := range q.Select {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(item.String())
	}
	b.WriteString(" FROM " + q.From.String())
	if q.Alias != "" {
		b.WriteString(" " + q.Alias)
	}
	if q.Scope != "" {
		b.WriteString(" USING SCOPE " + q.Scope)
	}
	if q.Where != nil {
		b.WriteString(" WHERE " + PrintCondition(q.Where))
	}
	if len(q.GroupBy) > 0 {
		list := join(q.GroupBy)
		if q.Rollup != "" {
			list = q.Rollup + "(" + list + ")"
		}
		b.WriteString(" GROUP BY " + list)
	}
	if q.Having != nil {
		b.WriteString(" HAVING " + PrintCondition(q.Having))
	}
	for i, o := range q.OrderBy {
		if i == 0 {
			b.WriteString(" ORDER BY ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(o.By.String())
		if o.Descending {
			b.WriteString(" DESC")
		}
		if o.NullsLast {
			b.WriteString(" NULLS LAST")
		}
	}
	if q.Limit >= 0 {
		b.WriteString(" LIMIT " + strconv.Itoa(q.Limit))
	}
	if q.Offset >= 0 {
		b.WriteString(" OFFSET " + strconv.Itoa(q.Offset))
	}
	for _, f := range q.For {
		b.WriteString(" FOR " + f)
	}
	if q.AllRows {
		b.WriteString(" ALL ROWS")
	}
	return b.String()
}

// String writes the item as it stands in a select list.
func (i Item) String() string {
	switch {
	case i.Children != nil:
		return "(" + i.Children.String() + ")"
	case i.TypeOf != nil:
		s := "TYPEOF " + i.TypeOf.Field.String()
		for _, w := range i.TypeOf.When {
			s += " WHEN " + w.Type + " THEN " + join(w.Fields)
		}
		if len(i.TypeOf.Else) > 0 {
			s += " ELSE " + join(i.TypeOf.Else)
		}
		return s + " END"
	case i.Alias != "":
		return i.Expression.String() + " " + i.Alias
	}
	return i.Expression.String()
}

// String writes the path with dots.
func (p Path) String() string { return strings.Join(p.Names, ".") }

// String writes the call.
func (c Call) String() string { return c.Name + "(" + join(c.Args) + ")" }

func join[E Expression](list []E) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = e.String()
	}
	return strings.Join(parts, ", ")
}

// PrintCondition writes a condition; nested ones stand in parentheses.
func PrintCondition(c Condition) string {
	switch c := c.(type) {
	case And:
		return chain(c, " AND ")
	case Or:
		return chain(c, " OR ")
	case Not:
		return "NOT " + nested(c.Of)
	case Comparison:
		return c.Left.String() + " " + c.Op + " " + c.Right.String()
	case In:
		if c.Sub != nil {
			return c.Left.String() + " " + c.Op + " (" + c.Sub.String() + ")"
		}
		parts := make([]string, len(c.Values))
		for i, v := range c.Values {
			parts[i] = v.String()
		}
		return c.Left.String() + " " + c.Op + " (" + strings.Join(parts, ", ") + ")"
	}
	return ""
}

func chain(list []Condition, between string) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = nested(c)
	}
	return strings.Join(parts, between)
}

func nested(c Condition) string {
	switch c.(type) {
	case And, Or:
		return "(" + PrintCondition(c) + ")"
	}
	return PrintCondition(c)
}

// String writes the value as it stands in a query.
func (v Value) String() string {
	switch v.Kind {
	case Text:
		return Quote(v)
	case Literal:
		if countedLiterals[v.Text] {
			return v.Text + ":" + strconv.Itoa(int(v.Number))
		}
	}
	return v.Text
}

// Quote writes a Text value between quotes. Backslashes in it are escapes already.
func Quote(v Value) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := range len(v.Text) {
		switch c := v.Text[i]; c {
		case '\'':
			b.WriteString(`\'`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
