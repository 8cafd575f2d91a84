package postman

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// unsayable is why JavaScript cannot say an expression; part of a sentence.
type unsayable string

func (u unsayable) Error() string { return string(u) }

// translation turns an expression of the mapping into JavaScript that reads the
// records h (HubSpot properties) and s (Salesforce fields).
type translation struct {
	schemas map[string]*crm.Object
	// depth is how many predicates stand around this place.
	depth int
}

// translate returns a JavaScript expression; the error is an unsayable.
func translate(text string, hubspot, salesforce *crm.Object) (string, error) {
	tree, err := parser.Parse(text)
	if err != nil {
		return "", unsayable("it cannot be read")
	}
	t := &translation{schemas: map[string]*crm.Object{"hubspot": hubspot, "salesforce": salesforce}}
	return t.node(tree.Node)
}

var recordNames = map[string]string{"hubspot": "h", "salesforce": "s"}

func (t *translation) node(n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.NilNode:
		return "null", nil
	case *ast.BoolNode:
		return strconv.FormatBool(n.Value), nil
	case *ast.IntegerNode:
		return number(float64(n.Value)), nil
	case *ast.FloatNode:
		return number(n.Value), nil
	case *ast.StringNode:
		return literal(n.Value), nil
	case *ast.IdentifierNode:
		return "$" + n.Value, nil
	case *ast.ChainNode:
		return t.node(n.Node)
	case *ast.MemberNode:
		return t.member(n)
	case *ast.UnaryNode:
		return t.unary(n)
	case *ast.BinaryNode:
		return t.binary(n)
	case *ast.ConditionalNode:
		return t.format("(%s ? %s : %s)", n.Cond, n.Exp1, n.Exp2)
	case *ast.ArrayNode:
		return t.list("[", n.Nodes, "]")
	case *ast.SliceNode:
		return t.slice(n)
	case *ast.VariableDeclaratorNode:
		value, err := t.node(n.Value)
		if err != nil {
			return "", err
		}
		rest, err := t.node(n.Expr)
		return fmt.Sprintf("(($%s) => %s)(%s)", n.Name, rest, value), err
	case *ast.BuiltinNode:
		return t.call(n.Name, n.Arguments)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return t.call(callee.Value, n.Arguments)
		}
	case *ast.PredicateNode:
		t.depth++
		body, err := t.node(n.Node)
		t.depth--
		return fmt.Sprintf("(it%d, at%d) => %s", t.depth+1, t.depth+1, body), err
	case *ast.PointerNode:
		switch n.Name {
		case "":
			return "it" + strconv.Itoa(t.depth), nil
		case "index":
			return "at" + strconv.Itoa(t.depth), nil
		}
	}
	return "", unsayable("it uses a part of the language that JavaScript has no words for")
}

func number(n float64) string {
	if math.Trunc(n) == n && math.Abs(n) > 1<<53 {
		return fmt.Sprintf("left(%s)", literal("an expression names a number that JavaScript cannot hold"))
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// format translates nodes into a form with one %s for each.
func (t *translation) format(form string, nodes ...ast.Node) (string, error) {
	args := make([]any, len(nodes))
	for i, n := range nodes {
		text, err := t.node(n)
		if err != nil {
			return "", err
		}
		args[i] = text
	}
	return fmt.Sprintf(form, args...), nil
}

func (t *translation) list(open string, nodes []ast.Node, end string) (string, error) {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		text, err := t.node(n)
		if err != nil {
			return "", err
		}
		parts[i] = text
	}
	return open + strings.Join(parts, ", ") + end, nil
}

// member is a field of a record, or an element of a list.
func (t *translation) member(n *ast.MemberNode) (string, error) {
	if base, ok := n.Node.(*ast.IdentifierNode); ok {
		if schema, record := t.schemas[base.Value]; record {
			name, _ := n.Property.(*ast.StringNode)
			if name == nil || schema.Field(name.Value) == nil {
				return "", unsayable("it reads a field that is not known")
			}
			return fmt.Sprintf("%s(%s, %s)", readerOf(schema.Field(name.Value).Kind), recordNames[base.Value], literal(name.Value)), nil
		}
	}
	if _, named := n.Property.(*ast.StringNode); named {
		return "", unsayable("it reads a part of a value")
	}
	return t.format("%s.at(%s)", n.Node, n.Property)
}

// readerOf is the function that reads a field as an expression sees it.
func readerOf(kind crm.Kind) string {
	switch kind {
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		return "numberOf"
	case crm.KindBool:
		return "flagOf"
	case crm.KindDate:
		return "dateOf"
	case crm.KindDateTime:
		return "timeOf"
	}
	return "textOf"
}

func (t *translation) unary(n *ast.UnaryNode) (string, error) {
	switch n.Operator {
	case "!", "not":
		return t.format("!(%s)", n.Node)
	case "-", "+":
		return t.format("("+n.Operator+"%s)", n.Node)
	}
	return "", unsayable("it uses " + n.Operator)
}

// blankTest asks whether a value is blank; a field is asked by its text, so that
// a number field with white space in it is blank and no mistake.
func (t *translation) blankTest(n ast.Node) (string, error) {
	if chain, ok := n.(*ast.ChainNode); ok {
		n = chain.Node
	}
	if m, ok := n.(*ast.MemberNode); ok {
		if base, ok := m.Node.(*ast.IdentifierNode); ok && t.schemas[base.Value] != nil {
			if name, ok := m.Property.(*ast.StringNode); ok {
				return fmt.Sprintf("isBlank(textOf(%s, %s))", recordNames[base.Value], literal(name.Value)), nil
			}
		}
	}
	return t.format("isBlank(%s)", n)
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

func isLiteral(n ast.Node) bool {
	switch n.(type) {
	case *ast.NilNode, *ast.StringNode:
		return true
	}
	return false
}

func (t *translation) binary(n *ast.BinaryNode) (string, error) {
	switch n.Operator {
	case "==", "!=":
		return t.equal(n)
	case "??":
		if _, null := n.Left.(*ast.NilNode); null {
			return t.node(n.Right)
		}
		if isLiteral(n.Left) {
			return t.node(n.Left)
		}
		test, err := t.blankTest(n.Left)
		if err != nil {
			return "", err
		}
		return t.format("("+strings.ReplaceAll(test, "%", "%%")+" ? %s : %s)", n.Right, n.Left)
	case "and", "&&":
		return t.format("(%s && %s)", n.Left, n.Right)
	case "or", "||":
		return t.format("(%s || %s)", n.Left, n.Right)
	case "<", ">", "<=", ">=", "+", "-", "*", "/":
		return t.format("(%s "+n.Operator+" %s)", n.Left, n.Right)
	case "%":
		return t.format("(%s %% %s)", n.Left, n.Right)
	case "**", "^":
		return t.format("Math.pow(%s, %s)", n.Left, n.Right)
	case "in":
		return t.format("call.in(%s, %s)", n.Left, n.Right)
	case "contains":
		return t.format("%s.includes(%s)", n.Left, n.Right)
	case "startsWith":
		return t.format("%s.startsWith(%s)", n.Left, n.Right)
	case "endsWith":
		return t.format("%s.endsWith(%s)", n.Left, n.Right)
	case "matches":
		return t.matches(n)
	}
	return "", unsayable("it uses " + n.Operator)
}

func (t *translation) equal(n *ast.BinaryNode) (string, error) {
	other := n.Left
	if !isEmpty(n.Right) {
		other = n.Right
	}
	if (isEmpty(n.Left) || isEmpty(n.Right)) && !isLiteral(other) {
		test, err := t.blankTest(other)
		if n.Operator == "!=" {
			test = "!" + test
		}
		return test, err
	}
	return t.format("(%s "+n.Operator+"= %s)", n.Left, n.Right)
}

// foreignPattern finds what JavaScript reads in another way than Go does.
var foreignPattern = regexp.MustCompile(`\(\?|\\[ACQEzpPa]|\[\[:|\\x\{`)

func (t *translation) matches(n *ast.BinaryNode) (string, error) {
	pattern, ok := n.Right.(*ast.StringNode)
	if !ok {
		return "", unsayable("its pattern is not written out")
	}
	text, flags := pattern.Value, "u"
	if rest, folded := strings.CutPrefix(text, "(?i)"); folded {
		text, flags = rest, "iu"
	}
	if foreignPattern.MatchString(text) {
		return "", unsayable("JavaScript reads its pattern in another way")
	}
	left, err := t.node(n.Left)
	return fmt.Sprintf("new RegExp(%s, %q).test(%s)", literal(text), flags, left), err
}

func (t *translation) slice(n *ast.SliceNode) (string, error) {
	value, err := t.node(n.Node)
	if err != nil {
		return "", err
	}
	from, to := "0", "undefined"
	if n.From != nil {
		if from, err = t.node(n.From); err != nil {
			return "", err
		}
	}
	if n.To != nil {
		if to, err = t.node(n.To); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("call.slice(%s, %s, %s)", value, from, to), nil
}

// said are the functions that scripts/expressions.js has.
var said = []string{"len", "trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "replace", "join", "hasPrefix", "hasSuffix",
	"abs", "ceil", "floor", "round", "int", "float", "max", "min", "all", "any", "none", "one", "count", "filter", "map",
	"first", "last", "uniq", "sort", "reverse", "concat", "string", "domain"}

func (t *translation) call(name string, args []ast.Node) (string, error) {
	if name == "blank" && len(args) == 1 {
		return t.blankTest(args[0])
	}
	tooMany := name == "split" && len(args) > 2 || name == "sort" && len(args) > 1 || name == "uniq" && len(args) > 1
	if !slices.Contains(said, name) || tooMany {
		return "", unsayable("it uses " + name + " in a way that JavaScript has no words for")
	}
	return t.list("call."+name+"(", args, ")")
}
