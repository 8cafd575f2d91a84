package reconcile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Break is one policy that the writes of one thing break.
type Break struct {
	Policy *mapping.BoundPolicy
	// Reason is what the thing is held for.
	Reason crm.Reason
}

// Breaks holds writes against the policies of their object, and returns each
// policy that they break once, in the order of the file. hubspot and salesforce
// are the thing's records as they are, nil where there is none yet; link tells
// that they become a pair. A policy that cannot be evaluated counts as broken,
// and holds whatever its effect is: what nobody can judge is not written.
func Breaks(o *mapping.BoundObject, writes []PlannedWrite, hubspot, salesforce *crm.Record, link bool) []Break {
	var out []Break
	for _, p := range o.Policies {
		for i := range writes {
			w := &writes[i]
			if !p.About(w.Side, w.Object) {
				continue
			}
			before := hubspot
			if w.Side == crm.Salesforce {
				before = salesforce
			}
			after := afterWrite(o, w, before)
			broken, err := p.Broken(policyWrite(w, link), before, after, hubspot, salesforce)
			if err != nil {
				out = append(out, Break{Policy: p, Reason: crm.Reason{Code: CodePolicyUnjudged, Mend: fault.MendOf(err),
					Text: fmt.Sprintf("the policy %s cannot be evaluated: %v", strconv.Quote(p.Name), err)}})
				break
			}
			if broken {
				out = append(out, Break{Policy: p, Reason: policyReason(p, w)})
				break
			}
		}
	}
	return out
}

func policyWrite(w *PlannedWrite, link bool) mapping.PolicyWrite {
	out := mapping.PolicyWrite{Op: string(w.Op), Side: string(w.Side), Object: w.Object, Fields: []string{}, Link: link}
	for _, c := range w.Changes {
		out.Fields = append(out.Fields, c.Field)
	}
	return out
}

// afterWrite is the record as the write leaves it. What is archived keeps its
// values; a reference to a record that does not exist yet is some text.
func afterWrite(o *mapping.BoundObject, w *PlannedWrite, before *crm.Record) *crm.Record {
	out := &crm.Record{ID: w.ID}
	if before != nil {
		copied := *before
		out = &copied
		out.Values = slices.Clone(before.Values)
	} else {
		out.Layout = o.HubSpotRead.Layout
		if w.Side == crm.Salesforce {
			t := o.Target(w.Object)
			if t == nil {
				return out
			}
			out.Layout = t.Read.Layout
		}
		out.Values = make([]crm.Value, len(out.Layout.Fields))
		for i := range out.Values {
			out.Values[i].State = crm.Blank
		}
	}
	set := func(field string, v crm.Value) {
		if i := out.Layout.Index(field); i >= 0 && i < len(out.Values) {
			out.Values[i] = v
		}
	}
	for _, c := range w.Changes {
		if c.Ref != nil {
			c.After = crm.Text("the counterpart of " + c.Ref.Object + " " + c.Ref.ID)
		}
		set(c.Field, c.After)
	}
	if w.ExternalField != "" {
		set(w.ExternalField, crm.Text(w.ExternalValue))
	}
	return out
}

// policyReason names the policy and what was to be written to the fields that
// it reads.
func policyReason(p *mapping.BoundPolicy, w *PlannedWrite) crm.Reason {
	r := crm.Reason{Code: CodePolicy, Mend: fmt.Sprintf("put the value right on the side that is wrong, or change the policy in line %d of lockstep.yaml", p.Line)}
	if p.Then == mapping.PolicyStop {
		r.Code = CodePolicyStop
	}
	fields := p.SalesforceFields
	if w.Side == crm.HubSpot {
		fields = p.HubSpotFields
	}
	var told []string
	for _, c := range w.Changes {
		if slices.Contains(fields, c.Field) || strings.Contains(p.Deny, strconv.Quote(c.Field)) {
			told = append(told, fmt.Sprintf("%s from %s to %s", c.Field, shortly(c.Before), shortly(c.After)))
			if r.Field == "" {
				r.Field = c.Field
			}
		}
	}
	what := fmt.Sprintf("%s %s in %s", w.Op, w.Object, w.Side.Title())
	if len(told) > 0 {
		what = "change " + strings.Join(told, ", ") + " in " + w.Side.Title()
		if w.Op == crm.Create {
			what = fmt.Sprintf("create %s in %s", w.Object, w.Side.Title())
		}
	}
	r.Text = fmt.Sprintf("the policy %s forbids it: %s", strconv.Quote(p.Name), what)
	return r
}

func shortly(v crm.Value) string {
	const longest = 40
	if !v.IsPresent() {
		return "blank"
	}
	if r := []rune(v.Text); len(r) > longest {
		return strconv.Quote(string(r[:longest]) + "…")
	}
	return strconv.Quote(v.Text)
}
