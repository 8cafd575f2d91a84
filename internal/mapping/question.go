package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Question is what known("companies", "acme.example") asks: is there a
// Salesforce record of our object Mapping that has this match key, or that is
// linked with a HubSpot record that has it?
type Question struct {
	Mapping string
	Key     string
}

// Answers are those to all questions of an expression.
type Answers map[Question]bool

// asked is one call of known in an expression.
type asked struct {
	mapping string
	key     *Program
}

// Asks lists the questions that BoolKnowing has to have answers to, each once.
// Keys that are blank ask nothing: the answer is no.
func (p *Program) Asks(hubspot *crm.Record) ([]Question, error) {
	var out []Question
	for _, a := range p.asks {
		v, err := a.key.Text(hubspot, nil)
		if err != nil {
			return nil, err
		}
		q := Question{a.mapping, strings.TrimSpace(v.Text)}
		if q.Key != "" && !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	return out, nil
}

// AskedObjects names the objects that the expression asks about.
func (p *Program) AskedObjects() []string {
	var out []string
	for _, a := range p.asks {
		if !slices.Contains(out, a.mapping) {
			out = append(out, a.mapping)
		}
	}
	return out
}

// BoolKnowing evaluates a condition that may ask questions. A question without
// an answer is an error: the caller brings those of Asks.
func (p *Program) BoolKnowing(hubspot *crm.Record, answers Answers) (bool, error) {
	return p.condition(environment{HubSpot: hubspot, Answers: answers})
}

const (
	// callKnown takes the place of known in a compiled expression.
	callKnown = "@known"
	// nameAnswers is where an expression finds its answers; nobody can spell it.
	nameAnswers = "@answers"
)

func knownFunction() expr.Option {
	return expr.Function(callKnown, func(args ...any) (any, error) {
		answers, _ := args[0].(Answers)
		q := Question{args[1].(string), strings.TrimSpace(args[2].(string))}
		if q.Key == "" {
			return false, nil
		}
		answer, ok := answers[q]
		if !ok {
			return nil, errors.New("it is not known whether " + q.Mapping + " has " + quoteShort(q.Key))
		}
		return answer, nil
	}, new(func(Answers, string, string) bool))
}

// question notes a call of known, and what is wrong with it.
func (c *check) question(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value != "known" {
		return
	}
	if c.objects == nil {
		c.flaw(n, "known(…) stands only in a `when`", "compare fields of the record itself here")
		return
	}
	if len(n.Arguments) != 2 {
		c.flaw(n, "known takes the name of an object and a key", `write known("companies", domain(hubspot.email))`)
		return
	}
	name, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		c.flaw(n, "the object that known asks about must be written out", `write known("companies", …)`)
		return
	}
	if !slices.Contains(c.objects, name.Value) {
		mend := didYouMean(name.Value, c.objects)
		if mend == "" {
			mend = "the objects are " + strings.Join(c.objects, ", ")
		}
		c.flaw(n.Arguments[0], fmt.Sprintf("no other object of the mapping with match keys is named %s", name.Value), mend)
		return
	}
	c.asks = append(c.asks, n)
}

// compileQuestions makes a Program of the key of each call of known.
func (c *check) compileQuestions(hubspot *crm.Object) ([]asked, []flaw) {
	var out []asked
	for _, n := range c.asks {
		key, flaws := compile(n.Arguments[1].String(), resultValue, hubspot, nil)
		if flaws != nil {
			return nil, flaws
		}
		out = append(out, asked{n.Arguments[0].(*ast.StringNode).Value, key})
	}
	return out, nil
}
