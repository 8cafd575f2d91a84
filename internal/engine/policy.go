package engine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// PolicyCount says how a plan stands to one policy of the mapping.
type PolicyCount struct {
	Name string `json:"name"`
	// Then is "hold" or "stop".
	Then mapping.PolicyEffect `json:"then"`
	// Broken counts the things whose writes break it. They are held, unless the
	// policy is a brake on their number.
	Broken int `json:"broken"`
	// Limit is how many may break a policy that is a brake; -1 for others.
	Limit int `json:"limit"`
	// Stops: the whole plan waits for a person because of it.
	Stops bool `json:"stops"`
}

// Sentence says for people what becomes of what breaks the policy.
func (c PolicyCount) Sentence() string {
	records, are := "records break it", "they are held"
	if c.Broken == 1 {
		records, are = "record breaks it", "it is held"
	}
	if c.Limit >= 0 || c.Then == mapping.PolicyStop && !c.Stops {
		are = "which it allows"
	}
	if c.Stops {
		are += "; the plan waits for a person"
	}
	return fmt.Sprintf("%d %s; %s", c.Broken, records, are)
}

// gate holds the writes of a decision against the policies of the mapping: the
// one place through which everything goes that may be written, whoever decided
// it. hubspot and salesforce are the thing's records as they are, nil where there
// is none. What breaks a policy is held, its writes and link are given up; what
// breaks a policy that only counts is noted.
func (e *Engine) gate(o *mapping.BoundObject, d *decided, hubspot, salesforce *crm.Record) {
	d.Gated, d.Breaks = true, nil
	if len(o.Policies) == 0 || len(d.Writes) == 0 {
		return
	}
	var held []crm.Reason
	for _, b := range reconcile.Breaks(o, d.Writes, hubspot, salesforce, d.NewLink != nil) {
		d.Breaks = append(d.Breaks, b.Policy.Name)
		if !b.Policy.Counts() || b.Reason.Code == reconcile.CodePolicyUnjudged {
			held = append(held, b.Reason)
		}
	}
	if len(held) == 0 {
		return
	}
	slices.SortStableFunc(held, func(a, b crm.Reason) int { return stopsFirst(a) - stopsFirst(b) })
	d.Writes, d.NewLink, d.Base, d.Awaits, d.Retie, d.Ties = nil, nil, nil, nil, false, nil
	d.Outcome, d.Reason = crm.Held, held[0]
	for _, r := range held[1:] {
		d.Notes = append(d.Notes, crm.Reason{Code: reconcile.NoteAlsoHeld, Text: r.Text, Mend: r.Mend, Field: r.Field})
	}
}

func stopsFirst(r crm.Reason) int {
	if r.Code == reconcile.CodePolicyStop {
		return 0
	}
	return 1
}

// ungated is what becomes of writes that nobody held against the policies.
func (b *batch) ungated(j *job) bool {
	if j.d.Gated || len(b.o.Policies) == 0 || len(j.sends) == 0 {
		return false
	}
	j.outcome, j.reason = crm.Held, crm.Reason{Code: reconcile.CodePolicyUnjudged, Text: "the writes were not held against the policies of the mapping, so nothing was written",
		Mend: "run `lockstep sync`, which decides anew; if it stays, this is a defect of Lockstep: please report it"}
	return true
}

// policies counts for every policy of the mapping what of the plan breaks it.
func (e *Engine) policies(ctx context.Context) ([]PolicyCount, error) {
	if len(e.mapping.Policies) == 0 {
		return nil, nil
	}
	broken := map[string]int{}
	err := e.planRows(ctx, ItemFilter{Breaks: true}, func(_ store.PlanRow, d *decided) error {
		for _, name := range d.Breaks {
			broken[name]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	linked, err := e.countLinked(ctx)
	if err != nil {
		return nil, err
	}
	counts := make([]PolicyCount, len(e.mapping.Policies))
	for i := range e.mapping.Policies {
		p := &e.mapping.Policies[i]
		c := PolicyCount{Name: p.Name, Then: p.Then, Broken: broken[p.Name], Limit: -1, Stops: p.Then == mapping.PolicyStop && broken[p.Name] > 0}
		if p.Counts() {
			c.Limit = p.Beyond.Most(linked)
			c.Stops = c.Broken > c.Limit
			if c.Limit == math.MaxInt {
				c.Limit = -1
			}
		}
		counts[i] = c
	}
	return counts, nil
}

// policyBrakes are the policies that stop the plan, as brakes.
func (e *Engine) policyBrakes(ctx context.Context) ([]Brake, error) {
	counts, err := e.policies(ctx)
	var held []Brake
	for _, c := range counts {
		if c.Stops {
			held = append(held, Brake{What: brakePolicy, Policy: c.Name, Planned: c.Broken, Limit: max(0, c.Limit)})
		}
	}
	return held, err
}
