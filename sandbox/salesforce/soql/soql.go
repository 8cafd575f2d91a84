// Package soql reads the Salesforce Object Query Language: text in, a tree out,
// and the tree back to text. It knows the grammar and the meaning of date
// literals, and nothing of any org's schema. Errors say where, as the platform
// does.
//
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
package soql

import "fmt"

// Query is one SELECT, also one inside parentheses.
type Query struct {
	Select  []Item
	From    Path // the object, or in a child query the relationship
	Alias   string
	Scope   string
	Where   Condition // nil when there is none
	GroupBy []Expression
	Rollup  string // "", "ROLLUP" or "CUBE"
	Having  Condition
	OrderBy []Order
	// Limit and Offset are -1 when absent.
	Limit, Offset int
	For           []string // VIEW, REFERENCE, UPDATE
	AllRows       bool
	// LimitAt and OffsetAt are where the numbers stand.
	LimitAt, OffsetAt int
}

// Item is one entry of a select list: exactly one of its three is set.
type Item struct {
	Expression Expression
	Alias      string
	Children   *Query
	TypeOf     *TypeOf
}

// TypeOf chooses fields by the type of a polymorphic parent.
type TypeOf struct {
	Field Path
	When  []When
	Else  []Path
}

// When is one branch of a TypeOf.
type When struct {
	Type   string
	Fields []Path
}

// Expression is a Path or a Call.
type Expression interface {
	Pos() int
	String() string
}

// Path is a field, with the relationships that lead to it: Account.Owner.Name.
type Path struct {
	Names []string
	At    int
}

// Call is a function of fields: COUNT(Id), CALENDAR_YEAR(CloseDate).
type Call struct {
	Name string // upper case
	Args []Expression
	At   int
}

// Pos is the offset of the first character in the query.
func (p Path) Pos() int { return p.At }

// Pos is the offset of the first character in the query.
func (c Call) Pos() int { return c.At }

// Order is one key of ORDER BY.
type Order struct {
	By         Expression
	Descending bool
	// NullsLast is set by NULLS LAST; otherwise nulls come first.
	NullsLast bool
}

// Condition is And, Or, Not, Comparison or In.
type Condition interface{ condition() }

// And holds when all of its conditions do.
type And []Condition

// Or holds when one of its conditions does.
type Or []Condition

// Not holds when its condition does not.
type Not struct{ Of Condition }

// Comparison compares a field with a value: = != < <= > >= LIKE.
type Comparison struct {
	Left  Expression
	Op    string // upper case; <> is written as !=
	Right Value
	At    int // of the operator
}

// In asks for membership: IN, NOT IN, INCLUDES, EXCLUDES.
type In struct {
	Left   Expression
	Op     string
	Values []Value
	Sub    *Query // instead of Values
	At     int
}

func (And) condition()        {}
func (Or) condition()         {}
func (Not) condition()        {}
func (Comparison) condition() {}
func (In) condition()         {}

// ValueKind says what a Value is.
type ValueKind uint8

// The kinds of value.
const (
	Null ValueKind = iota
	Text
	Number
	Boolean
	Date
	Datetime
	Literal  // TODAY, LAST_N_DAYS:7
	Currency // USD5000
)

// Value is a literal in a query.
type Value struct {
	Kind ValueKind
	// Text is the unescaped text, or the literal as written.
	Text   string
	Number float64 // of Number, Currency, Boolean (1 is true), and n of a Literal
	At     int
}

// Error is what is wrong with a query, and where.
type Error struct {
	Code    string // MALFORMED_QUERY, INVALID_FIELD …
	Message string
	At      int // offset; -1 when it is nowhere in particular
	Text    string
}

// Error writes the message as the platform does: the line, a caret, the place, the reason.
func (e *Error) Error() string {
	if e.At < 0 {
		return e.Message
	}
	row, column, line := locate(e.Text, e.At)
	start := max(0, column-1-contextWidth)
	end := min(len(line), column-1+contextWidth)
	caret := make([]byte, column-1-start)
	for i := range caret {
		caret[i] = ' '
	}
	return fmt.Sprintf("\n%s\n%s^\nERROR at Row:%d:Column:%d\n%s", line[start:end], caret, row, column, e.Message)
}

// contextWidth is how much of the line is shown on either side of the place.
const contextWidth = 40

// locate gives row and column, from 1, and the line they are in.
func locate(text string, at int) (row, column int, line string) {
	at = min(at, len(text))
	start := 0
	row = 1
	for i := range at {
		if text[i] == '\n' {
			row++
			start = i + 1
		}
	}
	end := start
	for end < len(text) && text[end] != '\n' {
		end++
	}
	return row, at - start + 1, text[start:end]
}
