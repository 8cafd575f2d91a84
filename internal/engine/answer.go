package engine

import (
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// answers brings what the rules that choose the Salesforce object ask about
// other objects, for every HubSpot record that may be created in Salesforce.
func (d *decider) answers(ctx context.Context, subjects []*subject) error {
	if d.side != crm.HubSpot || !slices.ContainsFunc(d.o.Targets, func(t *mapping.BoundTarget) bool { return t.When != nil && len(t.When.AskedObjects()) > 0 }) {
		return nil
	}
	asked := map[*subject][]mapping.Question{}
	keys := map[string][]string{}
	for _, s := range subjects {
		if s.link != nil || s.snapshot.Alias != nil || s.snapshot.HubSpot == nil {
			continue
		}
		for _, t := range d.o.Targets {
			if t.When == nil {
				continue
			}
			questions, err := t.When.Asks(s.snapshot.HubSpot)
			if err != nil {
				continue // the decision tells it
			}
			asked[s] = append(asked[s], questions...)
			for _, q := range questions {
				keys[q.Mapping] = append(keys[q.Mapping], q.Key)
			}
		}
	}
	answered := map[mapping.Question]reconcile.Answer{}
	for name, list := range keys {
		if err := d.answer(ctx, name, list, answered); err != nil {
			return err
		}
	}
	for s, questions := range asked {
		s.snapshot.Answers = map[mapping.Question]reconcile.Answer{}
		for _, q := range questions {
			s.snapshot.Answers[q] = answered[q]
		}
	}
	return nil
}

// answer finds out about keys of one other object: by the match keys of its
// Salesforce records, and by those of its HubSpot records that are linked or
// that this plan creates in Salesforce.
func (d *decider) answer(ctx context.Context, name string, values []string, answered map[mapping.Question]reconcile.Answer) error {
	o := d.e.mapping.Object(name)
	far := newDecider(d.e, d.c, o, "")
	wanted := map[keyID][]string{}
	var keys []store.Key
	for _, v := range values {
		for _, k := range reconcile.KeysOf(o, v) {
			id := keyID{k.Rule, newHasher().text(k.Value).sum()}
			if !slices.Contains(wanted[id], v) {
				wanted[id] = append(wanted[id], v)
				keys = append(keys, store.Key{Rule: id.rule, Hash: id.hash})
			}
		}
	}
	records := map[string][]crm.Ref{}
	for _, side := range []crm.Side{crm.Salesforce, crm.HubSpot} {
		found, err := far.keysThatHold(ctx, side, keys)
		if err != nil {
			return err
		}
		var ids []string
		for _, k := range found {
			ids = append(ids, k.Ref.ID)
		}
		stands := map[string]stand{}
		if side == crm.HubSpot {
			if stands, err = d.e.stands(ctx, name, side, ids); err != nil {
				return err
			}
		}
		for _, k := range found {
			ref := k.Ref
			if side == crm.HubSpot {
				switch s := stands[k.Ref.ID]; s.standing {
				case reconcile.Linked:
					ref = s.ref
				case reconcile.Planned:
				default:
					continue
				}
			}
			for _, v := range wanted[keyID{k.Rule, k.Hash}] {
				if !slices.Contains(records[v], ref) {
					records[v] = append(records[v], ref)
				}
			}
		}
	}
	for _, v := range values {
		a := reconcile.Answer{Known: len(records[v]) > 0}
		if len(records[v]) == 1 {
			a.Record = records[v][0]
		}
		answered[mapping.Question{Mapping: name, Key: v}] = a
	}
	return nil
}

// keysThatHold finds the records of a side that have one of the keys now.
func (d *decider) keysThatHold(ctx context.Context, side crm.Side, keys []store.Key) ([]store.Key, error) {
	found, err := d.e.store.Keys(ctx, d.o.Name, side, keys, candidateLimit)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	refs := make([]crm.Ref, len(found))
	for i, k := range found {
		refs[i] = k.Ref
	}
	records, err := d.fetch(ctx, side, refs)
	if err != nil {
		return nil, err
	}
	return d.holding(side, found, records), nil
}

// noteQuestions remembers what a record asked that no target took, so that the
// first record that answers has it decided again, and what a record answers from now on
// because it is linked or made in Salesforce. (What a Salesforce record answers by
// being there is noted when its keys are.)
func (d *decider) noteQuestions(s *subject, body *decided) {
	if body.Outcome == crm.Excluded && body.Reason.Code == reconcile.CodeNoTarget {
		for q, a := range s.snapshot.Answers {
			if a.Known {
				continue
			}
			for _, k := range reconcile.KeysOf(d.e.mapping.Object(q.Mapping), q.Key) {
				d.asks = append(d.asks, store.Ask{Mapping: q.Mapping, Rule: k.Rule, Hash: newHasher().text(k.Value).sum(), ThingMapping: d.o.Name, Thing: s.ref})
			}
		}
	}
	if s.link != nil || body.NewLink == nil && opsOf(body)&store.CreatesInSalesforce == 0 {
		return
	}
	hubspot := s.snapshot.HubSpot
	for i := range s.snapshot.Candidates {
		if c := &s.snapshot.Candidates[i]; hubspot == nil && body.NewLink != nil && c.Record.ID == body.NewLink.HubSpotID {
			hubspot = c.Record
		}
	}
	for _, k := range reconcile.Keys(d.o, crm.HubSpot, d.o.HubSpot, hubspot) {
		d.answering = append(d.answering, store.Key{Rule: k.Rule, Hash: newHasher().text(k.Value).sum()})
	}
}
