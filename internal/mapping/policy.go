package mapping

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// PolicyEffect says what follows when a policy is broken.
type PolicyEffect string

// The effects.
const (
	// PolicyHold: nothing of the record is written; all others go on.
	PolicyHold PolicyEffect = "hold"
	// PolicyStop: nothing of the record is written, and the whole plan waits for
	// a person.
	PolicyStop PolicyEffect = "stop"
)

// Policy is what no plan may do, whatever the rules of the objects say: a
// condition on one write, under which the policy is broken.
type Policy struct {
	Pos
	// Name says it for people, as it shall be true: "no opt-out is ever
	// overwritten".
	Name    string
	NamePos Pos
	// For are our names of the objects that it is about; empty: all.
	For    []string
	ForPos Pos
	// Side is the side that is written to; empty: both, and then the condition
	// cannot read before and after, whose fields differ from side to side.
	Side crm.Side
	// On limits it to these Salesforce objects; empty: all.
	On    []string
	OnPos Pos
	// Deny is the condition.
	Deny    string
	DenyPos Pos
	Then    PolicyEffect
	// Beyond makes the policy a brake: only when more records than this would
	// break it the plan waits for a person, and nothing is held by it. The zero
	// Limit is none.
	Beyond Limit
	// ThenGiven: the file says Then itself.
	ThenGiven bool
}

// Counts tells whether the policy is a brake on a number of records.
func (p *Policy) Counts() bool { return p.Beyond != Limit{} }

// about tells whether the policy is about an object of the mapping.
func (p *Policy) about(o *Object) bool {
	return (len(p.For) == 0 || slices.Contains(p.For, o.Name)) && (len(p.On) == 0 || slices.ContainsFunc(p.On, func(name string) bool { return o.target(name) != nil }))
}

// policyExamples are what a suggested file shows of policies, line by line.
var policyExamples = []string{
	"policies:",
	"  - name: no opt-out is ever overwritten",
	"    for: people",
	"    side: salesforce",
	"    deny: before.HasOptedOutOfEmail and not after.HasOptedOutOfEmail",
	"    then: stop",
	"  - {name: an owner never becomes blank, side: salesforce, deny: 'before.OwnerId != \"\" and after.OwnerId == \"\"'}",
	"  - {name: nothing is ever deleted, deny: write.op == \"archive\"}",
	"  - {name: amounts change slowly, for: deals, side: salesforce, deny: '\"Amount\" in write.fields and write.op == \"update\"', beyond: 5%}",
}

// maxPolicies bounds how many conditions each write is held against.
const maxPolicies = 200

func policyKeys() []key {
	return []key{
		{"name", "What shall always be true, as people say it; unique in the file.", true, text("no opt-out is ever overwritten")},
		{"for", "Our names of the objects that it is about. Default: all.", false, either(text("people"), list(text("people")))},
		{"side", "The side that is written to. Without it the condition is asked for both sides and cannot read `before` and `after`.", false, enum("salesforce", "hubspot")},
		{"on", "Only writes to these Salesforce objects.", false, either(text("Contact"), list(text("Contact")))},
		{"deny", "The condition under which a write breaks the policy. It reads before, after (the record that is written to), hubspot, salesforce (both as they are now) " +
			"and write.op, write.side, write.object, write.fields, write.link.", true, expression("before.HasOptedOutOfEmail and not after.HasOptedOutOfEmail")},
		{"then", "hold: leave the record alone. stop: leave it alone, and let the whole plan wait for a person. Default hold.", false, enum("hold", "stop")},
		{"beyond", "Make it a brake: the plan waits for a person only when more records than this (a number, or a share of the linked ones) would break the policy.", false,
			form{kind: formLimit, example: "50"}},
	}
}

func (r *scan) policy(n *yaml.Node) Policy {
	p := Policy{Pos: at(n), Then: word(n, "then", PolicyHold), ThenGiven: entry(n, "then") != nil, Side: crm.Side(scalarOf(entry(n, "side"))),
		For: texts(entry(n, "for")), On: texts(entry(n, "on")), Beyond: limitOf(entry(n, "beyond"))}
	p.ForPos, p.OnPos = p.Pos, p.Pos
	if v := entry(n, "for"); v != nil {
		p.ForPos = at(v)
	}
	if v := entry(n, "on"); v != nil {
		p.OnPos = at(v)
	}
	if p.Counts() && !p.ThenGiven {
		p.Then = PolicyStop
	}
	p.Name, p.NamePos = r.text(n, "name")
	p.Deny, p.DenyPos = r.expression(n, "deny")
	return p
}

// checkPolicies reports what is wrong with policies by themselves.
func checkPolicies(m *Mapping, p *Problems) {
	if len(m.Policies) > maxPolicies {
		p.errorf(m.Policies[maxPolicies].Pos, "mapping.too-many", "join some with `or`", "the file has more than %d policies", maxPolicies)
		return
	}
	names := map[string]Pos{}
	var objects []string
	for i := range m.Objects {
		objects = append(objects, m.Objects[i].Name)
	}
	for i := range m.Policies {
		one := &m.Policies[i]
		if first, ok := names[one.Name]; ok {
			p.errorf(one.NamePos, "policy.duplicate-name", "give each its own name", "two policies are named %s, the first in line %d", quoteShort(one.Name), first.Line)
		}
		names[one.Name] = one.NamePos
		for _, name := range one.For {
			if slices.Contains(objects, name) {
				continue
			}
			mend := didYouMean(name, objects)
			if mend == "" {
				mend = "the objects here are " + strings.Join(objects, ", ")
			}
			p.errorf(one.ForPos, "policy.unknown-object", mend, "for: %s is none of the objects of this file", name)
		}
		if len(one.On) > 0 && one.Side == crm.HubSpot {
			p.errorf(one.OnPos, "policy.on", "take `on` out, or write side: salesforce", "`on` names Salesforce objects, and this policy is about writes to HubSpot")
		}
		if one.Counts() && one.Then == PolicyHold {
			p.errorf(one.Pos, "policy.beyond", "take `beyond` out, or write then: stop", "a policy with `beyond` is a brake on the whole plan and cannot hold single records")
		}
		checkPolicyTargets(m, one, p)
	}
}

func checkPolicyTargets(m *Mapping, one *Policy, p *Problems) {
	var targets []string
	for i := range m.Objects {
		if len(one.For) == 0 || slices.Contains(one.For, m.Objects[i].Name) {
			targets = append(targets, m.Objects[i].targetNames()...)
		}
	}
	for _, name := range one.On {
		if slices.Contains(targets, name) {
			continue
		}
		mend := didYouMean(name, targets)
		if mend == "" {
			mend = "the Salesforce objects here are " + strings.Join(targets, ", ")
		}
		p.errorf(one.OnPos, "policy.unknown-target", mend, "on: %s is none of the Salesforce objects that this policy is about", name)
	}
}

// BoundPolicy is one policy on one object of the mapping.
type BoundPolicy struct {
	*Policy
	// HubSpotFields and SalesforceFields are the fields it reads.
	HubSpotFields    []string
	SalesforceFields []string
	run              func(environment any) (any, error)
}

// About tells whether a write to object of side has to keep the policy.
func (p *BoundPolicy) About(side crm.Side, object string) bool {
	return (p.Side == "" || p.Side == side) && (len(p.On) == 0 || side == crm.Salesforce && slices.Contains(p.On, object))
}

// PolicyWrite is the write that a policy is asked about.
type PolicyWrite struct {
	Op     string   `expr:"op"`
	Side   string   `expr:"side"`
	Object string   `expr:"object"`
	Fields []string `expr:"fields"`
	// Link: the two records become a pair by it.
	Link bool `expr:"link"`
}

// policyEnvironment is what the condition of a policy sees.
type policyEnvironment struct {
	Before     *crm.Record `expr:"before"`
	After      *crm.Record `expr:"after"`
	HubSpot    *crm.Record `expr:"hubspot"`
	Salesforce *crm.Record `expr:"salesforce"`
	Write      PolicyWrite `expr:"write"`
}

// Broken tells whether a write breaks the policy: before and after are the
// record that is written to (before is nil for a create), the other two are
// both records as they are. A nil record reads as all blank. The error is a
// fault.Invalid: a value that may not be read, or is not what its type says.
func (p *BoundPolicy) Broken(w PolicyWrite, before, after, hubspot, salesforce *crm.Record) (bool, error) {
	as := &Program{Source: p.Deny}
	v, err := p.run(policyEnvironment{Before: before, After: after, HubSpot: hubspot, Salesforce: salesforce, Write: w})
	if err != nil {
		return false, as.fail(err)
	}
	broken, ok := v.(bool)
	if !ok {
		return false, as.fail(fmt.Errorf("gave %T instead of true or false", v))
	}
	return broken, nil
}
