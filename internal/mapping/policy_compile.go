package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// policies binds the policies that are about an object.
func (b *binder) policies(o *BoundObject) {
	for i := range b.mapping.Policies {
		p := &b.mapping.Policies[i]
		if !p.about(o.Object) {
			continue
		}
		bound, flaws := compilePolicy(p, o)
		for _, f := range flaws {
			b.problems.errorf(Pos{Line: p.DenyPos.Line + f.line, Column: p.DenyPos.Column + f.column}, "policy", f.mend, "%s", f.what)
		}
		if bound != nil {
			o.Policies = append(o.Policies, bound)
		}
	}
}

// policyNames warns of policies that are about nothing.
func (b *binder) policyNames() {
	for i := range b.mapping.Policies {
		p := &b.mapping.Policies[i]
		if !slices.ContainsFunc(b.mapping.Objects, func(o Object) bool { return p.about(&o) }) {
			b.problems.warnf(p.Pos, "policy.about-nothing", "look at `for` and `on`", "the policy %s is about no object of this file", quoteShort(p.Name))
		}
	}
}

// compilePolicy compiles the condition of a policy for one object. Everything
// that it names is checked: fields of before and after on the side that is
// written to, fields in `… in write.fields`, operations and objects.
func compilePolicy(p *Policy, o *BoundObject) (*BoundPolicy, []flaw) {
	if len(p.Deny) > maxExpressionBytes {
		return nil, []flaw{{what: fmt.Sprintf("the expression is longer than %d characters", maxExpressionBytes), mend: "make two policies of it"}}
	}
	tree, err := parser.Parse(p.Deny)
	if err != nil {
		return nil, []flaw{flawOf(err)}
	}
	var targets []*BoundTarget
	for _, t := range o.Targets {
		if len(p.On) == 0 || slices.Contains(p.On, t.Object) {
			targets = append(targets, t)
		}
	}
	if len(targets) == 0 {
		return nil, nil // reported by checkPolicies
	}
	salesforce := shared(targets)
	written := map[crm.Side]*crm.Object{crm.HubSpot: o.HubSpotSchema, crm.Salesforce: salesforce}[p.Side]
	c := &check{source: p.Deny, based: map[*ast.IdentifierNode]bool{}, unreadable: "say which side is written to: add side: salesforce (or hubspot) to the policy",
		schemas: map[string]*crm.Object{"hubspot": o.HubSpotSchema, "salesforce": salesforce, "before": written, "after": written}}
	ast.Walk(&tree.Node, c)
	w := &writeCheck{check: c, side: p.Side, hubspot: o.HubSpotSchema, salesforce: salesforce, targets: targets}
	ast.Walk(&tree.Node, w)
	if flaws := c.finish(); len(flaws) > 0 {
		return nil, flaws
	}
	compiled, err := expr.Compile(p.Deny, c.options(resultBool, policyEnvironment{})...)
	if err != nil {
		return nil, []flaw{flawOf(err)}
	}
	out := &BoundPolicy{Policy: p, HubSpotFields: c.read("hubspot"), SalesforceFields: c.read("salesforce"), run: runner(compiled)}
	both := append(c.read("before"), c.read("after")...)
	if p.Side == crm.HubSpot {
		out.HubSpotFields = union(out.HubSpotFields, both)
	} else {
		out.SalesforceFields = union(out.SalesforceFields, both)
	}
	return out, nil
}

func union(a, b []string) []string {
	for _, n := range b {
		if !slices.Contains(a, n) {
			a = append(a, n)
		}
	}
	slices.Sort(a)
	return a
}

// writeCheck checks the texts that a condition compares the write with.
type writeCheck struct {
	*check
	side                crm.Side
	hubspot, salesforce *crm.Object
	targets             []*BoundTarget
}

func (c *writeCheck) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.BinaryNode)
	if !ok {
		return
	}
	switch n.Operator {
	case "==", "!=":
		for _, pair := range [][2]ast.Node{{n.Left, n.Right}, {n.Right, n.Left}} {
			if property := ofWrite(pair[0]); property != "" {
				c.literal(property, pair[1])
			}
		}
	case "in":
		if property := ofWrite(n.Right); property == "fields" {
			c.literal(property, n.Left)
		}
		if property, list := ofWrite(n.Left), n.Right; property != "" {
			if array, ok := list.(*ast.ArrayNode); ok {
				for _, item := range array.Nodes {
					c.literal(property, item)
				}
			}
		}
	}
}

// ofWrite returns "op" for write.op and so on, "" for everything else.
func ofWrite(n ast.Node) string {
	member, ok := n.(*ast.MemberNode)
	if !ok {
		return ""
	}
	base, ok := member.Node.(*ast.IdentifierNode)
	property, named := member.Property.(*ast.StringNode)
	if !ok || !named || base.Value != "write" {
		return ""
	}
	return property.Value
}

// literal reports a text that write.op, write.side, write.object or
// write.fields can never hold: a slip of the pen would make the policy silent.
func (c *writeCheck) literal(property string, n ast.Node) {
	text, ok := n.(*ast.StringNode)
	if !ok {
		return
	}
	var may []string
	switch property {
	case "op":
		may = []string{string(crm.Create), string(crm.Update), string(crm.Archive), string(crm.Restore), string(crm.Relate), string(crm.Unrelate)}
	case "side":
		may = []string{string(crm.HubSpot), string(crm.Salesforce)}
	case "object":
		may = []string{c.hubspot.Name}
		for _, t := range c.targets {
			may = append(may, t.Object)
		}
	case "fields":
		c.writtenField(text)
		return
	default:
		return
	}
	if slices.Contains(may, text.Value) {
		return
	}
	mend := didYouMean(text.Value, may)
	if mend == "" {
		mend = "it is one of " + strings.Join(may, ", ")
	}
	c.flaw(text, fmt.Sprintf("write.%s is never %q", property, text.Value), mend)
}

func (c *writeCheck) writtenField(n *ast.StringNode) {
	schemas := []*crm.Object{c.hubspot}
	switch c.side {
	case crm.Salesforce:
		schemas = []*crm.Object{c.salesforce}
	case "":
		schemas = append(schemas, c.salesforce)
	}
	for _, s := range schemas {
		if s.Field(n.Value) != nil {
			return
		}
	}
	s := schemas[len(schemas)-1]
	c.flaw(n, fmt.Sprintf("%s %s has no field %s", s.Side.Title(), s.Name, n.Value), didYouMeanField(n.Value, s))
}
