package mapping

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Bounds of an expression: far above what a person writes, far below what
// costs time. maxExpressionMemory counts list elements that a run may make.
const (
	maxExpressionBytes  = 4_000
	maxExpressionNodes  = 500
	maxExpressionMemory = 10_000
)

// environment is what an expression sees.
type environment struct {
	HubSpot    *crm.Record `expr:"hubspot"`
	Salesforce *crm.Record `expr:"salesforce"`
	Answers    Answers     `expr:"@answers"`
}

// flaw is a mistake in an expression, at a place within it (from 0).
type flaw struct {
	line, column int
	what, mend   string
}

// result is what an expression has to give.
type result int

const (
	resultBool result = iota
	resultValue
)

// compile turns source into a Program. A nil schema means that this side may
// not be read here. All flaws that can be told apart are returned at once.
func compile(source string, want result, hubspot, salesforce *crm.Object) (*Program, []flaw) {
	return compileAsking(source, want, hubspot, salesforce, nil)
}

// compileAsking is compile for an expression that may ask whether these other
// objects know a key; with nil it may not.
func compileAsking(source string, want result, hubspot, salesforce *crm.Object, objects []string) (*Program, []flaw) {
	if len(source) > maxExpressionBytes {
		return nil, []flaw{{what: fmt.Sprintf("the expression is longer than %d characters", maxExpressionBytes), mend: "split it, or use a value table"}}
	}
	tree, err := parser.Parse(source)
	if err != nil {
		return nil, []flaw{flawOf(err)}
	}
	c := &check{source: source, schemas: map[string]*crm.Object{"hubspot": hubspot, "salesforce": salesforce}, based: map[*ast.IdentifierNode]bool{}, objects: objects}
	ast.Walk(&tree.Node, c)
	if flaws := c.finish(); len(flaws) > 0 {
		return nil, flaws
	}
	compiled, err := expr.Compile(source, c.options(want, environment{})...)
	if err != nil {
		return nil, []flaw{flawOf(err)}
	}
	if want == resultValue {
		if t := compiled.Node().Type(); t != nil {
			switch t.Kind() {
			case reflect.Slice, reflect.Array, reflect.Map, reflect.Struct, reflect.Pointer:
				return nil, []flaw{{what: "the expression gives a list or a group of values, a field takes one", mend: `use join(list, ";") for several picked values`}}
			}
		}
	}
	asks, flaws := c.compileQuestions(hubspot)
	if flaws != nil {
		return nil, flaws
	}
	p := &Program{Source: source, asks: asks, HubSpotFields: c.read("hubspot"), SalesforceFields: c.read("salesforce")}
	run := runner(compiled)
	p.run = func(e environment) (any, error) { return run(e) }
	return p, nil
}

// runner runs a compiled expression; it is safe for concurrent use.
func runner(compiled *vm.Program) func(environment any) (any, error) {
	machines := sync.Pool{New: func() any { return &vm.VM{MemoryBudget: maxExpressionMemory} }}
	return func(environment any) (any, error) {
		machine := machines.Get().(*vm.VM)
		defer machines.Put(machine)
		v, err := machine.Run(compiled, environment)
		if err != nil {
			return nil, errors.New(flawOf(err).what)
		}
		return v, nil
	}
}

// flawOf takes message and place out of an error of expr.
func flawOf(err error) flaw {
	var e *file.Error
	if !errors.As(err, &e) {
		return flaw{what: firstLine(err.Error())}
	}
	what := e.Message
	if e.Prev != nil {
		what = firstLine(e.Prev.Error())
	}
	f := flaw{line: max(0, e.Line-1), column: max(0, e.Column), what: firstLine(what)}
	switch {
	case strings.Contains(f.what, "mismatched types"):
		f.mend = `text is compared with text in quotes ("5"), numbers with plain numbers (5)`
	case strings.HasPrefix(f.what, "unknown name"):
		f.mend = didYouMean(strings.TrimSpace(strings.TrimPrefix(f.what, "unknown name")), append([]string{"hubspot", "salesforce", "before", "after", "write", "blank", "domain", "known"}, allowedBuiltins()...))
	}
	return f
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// allowedBuiltins are expr's own functions that are pure, bounded and mean the
// same tomorrow. Clock, time zone, JSON, maps and `repeat` are left out.
func allowedBuiltins() []string {
	return []string{"len", "trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "replace", "join", "indexOf", "lastIndexOf",
		"hasPrefix", "hasSuffix", "abs", "ceil", "floor", "round", "int", "float", "max", "min", "all", "any", "none", "one", "count",
		"filter", "map", "first", "last", "uniq", "sort", "reverse", "concat"}
}

// check walks the parsed expression: which fields it reads, whether they exist.
type check struct {
	source  string
	schemas map[string]*crm.Object
	names   []*ast.IdentifierNode
	based   map[*ast.IdentifierNode]bool
	fields  map[string]map[string]bool
	flaws   []flaw
	objects []string
	asks    []*ast.CallNode
	// unreadable is what helps where a record may not be read; "" stands for the
	// filters and rules of the mapping.
	unreadable string
}

func (c *check) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		c.names = append(c.names, n)
	case *ast.VariableDeclaratorNode:
		if _, taken := c.schemas[n.Name]; taken {
			c.flaw(n, n.Name+" is the record and cannot be given another meaning", "choose another name")
		}
	case *ast.MemberNode:
		c.member(n)
	case *ast.CallNode:
		c.question(n)
	}
}

func (c *check) member(n *ast.MemberNode) {
	base, ok := n.Node.(*ast.IdentifierNode)
	if !ok {
		return
	}
	schema, known := c.schemas[base.Value]
	if !known {
		return
	}
	c.based[base] = true
	property, ok := n.Property.(*ast.StringNode)
	if !ok {
		c.flaw(n, "the field after "+base.Value+" must be written out", "write "+base.Value+".name_of_the_field")
		return
	}
	if schema == nil {
		mend := c.unreadable
		if mend == "" {
			mend = "a `when` and `where: {hubspot: …}` read hubspot only, `where: {salesforce: …}` reads salesforce only"
		}
		c.flaw(base, base.Value+" cannot be read in this expression", mend)
		return
	}
	if f := schema.Field(property.Value); f == nil {
		c.flaw(n, fmt.Sprintf("%s %s has no field %s", schema.Side.Title(), schema.Name, property.Value), didYouMeanField(property.Value, schema))
		return
	}
	if c.fields == nil {
		c.fields = map[string]map[string]bool{}
	}
	if c.fields[base.Value] == nil {
		c.fields[base.Value] = map[string]bool{}
	}
	c.fields[base.Value][property.Value] = true
}

func (c *check) finish() []flaw {
	for _, n := range c.names {
		if _, known := c.schemas[n.Value]; known && !c.based[n] {
			c.flaw(n, n.Value+" is a record; name one of its fields", "write "+n.Value+".name_of_the_field")
		}
		if n.Value == "$env" {
			c.flaw(n, "$env cannot be used here", "name the fields that you need")
		}
	}
	return c.flaws
}

func (c *check) flaw(n ast.Node, what, mend string) {
	line, column := place(c.source, n.Location().From)
	c.flaws = append(c.flaws, flaw{line: line, column: column, what: what, mend: mend})
}

// place turns a rune offset into line and column, both from 0.
func place(source string, offset int) (line, column int) {
	for i, r := range []rune(source) {
		if i == offset {
			break
		}
		if column++; r == '\n' {
			line, column = line+1, 0
		}
	}
	return line, column
}

func (c *check) read(side string) []string {
	var names []string
	for n := range c.fields[side] {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Names that no expression can spell; `patch` puts calls to them in place of
// field accesses.
const (
	callText   = "@text"
	callNumber = "@number"
	callBool   = "@bool"
	callDate   = "@date"
	callTime   = "@time"
	callBlank  = "@blank"
)

func (c *check) options(want result, environment any) []expr.Option {
	opts := []expr.Option{
		expr.Env(environment), expr.MaxNodes(maxExpressionNodes), expr.DisableAllBuiltins(), expr.Patch(&patch{schemas: c.schemas}),
		reader(callText, fieldText), reader(callNumber, fieldNumber), reader(callBool, fieldBool),
		knownFunction(), reader(callDate, fieldDate), reader(callTime, fieldTime), reader(callBlank, fieldBlank),
		expr.Function("blank", func(args ...any) (any, error) { return isBlank(args[0]), nil }, new(func(any) bool)),
		expr.Function("string", func(args ...any) (any, error) { return resultText(args[0]) }, new(func(any) string)),
		expr.Function("domain", func(args ...any) (any, error) { return DomainOf(args[0].(string)), nil }, new(func(string) string)),
	}
	for _, name := range allowedBuiltins() {
		opts = append(opts, expr.EnableBuiltin(name))
	}
	if want == resultBool {
		opts = append(opts, expr.AsBool())
	}
	return opts
}

func reader[T any](name string, read func(*crm.Record, string) (T, error)) expr.Option {
	return expr.Function(name, func(args ...any) (any, error) {
		return read(args[0].(*crm.Record), args[1].(string))
	}, new(func(*crm.Record, string) T))
}

func isBlank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case float64:
		return math.IsNaN(v)
	}
	return false
}

// patch puts typed calls in place of field accesses, and makes comparisons
// with nil and "" ask whether the field is blank, whatever its kind.
type patch struct {
	schemas map[string]*crm.Object
}

func (p *patch) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		p.access(node, n)
	case *ast.CallNode:
		callee, ok := n.Callee.(*ast.IdentifierNode)
		if ok && callee.Value == "known" && len(n.Arguments) == 2 {
			ast.Patch(node, call(callKnown, &ast.IdentifierNode{Value: nameAnswers}, n.Arguments[0], n.Arguments[1]))
			return
		}
		if ok && callee.Value == "blank" && len(n.Arguments) == 1 {
			if b := blankTest(n.Arguments[0]); b != nil {
				ast.Patch(node, b)
			}
		}
	case *ast.BinaryNode:
		p.compare(node, n)
	}
}

func (p *patch) access(node *ast.Node, n *ast.MemberNode) {
	base, ok := n.Node.(*ast.IdentifierNode)
	if !ok {
		return
	}
	property, ok := n.Property.(*ast.StringNode)
	if !ok || p.schemas[base.Value] == nil {
		return
	}
	f := p.schemas[base.Value].Field(property.Value)
	if f == nil {
		return
	}
	name := callText
	switch f.Kind {
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		name = callNumber
	case crm.KindBool:
		name = callBool
	case crm.KindDate:
		name = callDate
	case crm.KindDateTime:
		name = callTime
	}
	ast.Patch(node, call(name, base, property))
}

func (p *patch) compare(node *ast.Node, n *ast.BinaryNode) {
	switch n.Operator {
	case "==", "!=":
		other := n.Left
		if !isEmpty(n.Right) {
			if !isEmpty(n.Left) {
				return
			}
			other = n.Right
		}
		test := blankTest(other)
		if test == nil {
			return
		}
		if n.Operator == "!=" {
			test = &ast.UnaryNode{Operator: "!", Node: test}
		}
		ast.Patch(node, test)
	case "??":
		if test := blankTest(n.Left); test != nil {
			ast.Patch(node, &ast.ConditionalNode{Cond: test, Exp1: n.Right, Exp2: n.Left})
		}
	}
}

// blankTest returns the question whether n is blank; nil when n is a literal
// that needs no question.
func blankTest(n ast.Node) ast.Node {
	if chain, ok := n.(*ast.ChainNode); ok {
		n = chain.Node
	}
	switch n := n.(type) {
	case *ast.NilNode, *ast.StringNode:
		return nil
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok && strings.HasPrefix(callee.Value, "@") && callee.Value != callBlank {
			return call(callBlank, n.Arguments...)
		}
	}
	b := call("blank", n)
	b.SetLocation(n.Location())
	return b
}

func isEmpty(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.NilNode:
		return true
	case *ast.StringNode:
		return n.Value == ""
	}
	return false
}

func call(name string, args ...ast.Node) *ast.CallNode {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: slices.Clone(args)}
}
