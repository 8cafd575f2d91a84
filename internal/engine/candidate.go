package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// candidates finds, for every unlinked thing, the records of the other side
// that share its best match key, and its rivals for them.
func (d *decider) candidates(ctx context.Context, subjects []*subject) error {
	other := d.side.Other()
	own := map[*subject][]store.Key{}
	var all []store.Key
	for _, s := range subjects {
		if s.link == nil && s.snapshot.Alias == nil {
			own[s] = keysOf(d.o, d.e.lens(d.o, d.side, s.ref.Object), d.recordOf(s))
			all = append(all, own[s]...)
		}
	}
	kin, err := d.kin(ctx, subjects)
	if err != nil {
		return err
	}
	there, err := d.e.store.Keys(ctx, d.o.Name, other, all, candidateLimit)
	if err != nil || len(there)+len(kin) == 0 {
		return err
	}
	var refs []crm.Ref
	var ids []string
	for _, k := range there {
		refs, ids = append(refs, k.Ref), append(ids, k.Ref.ID)
	}
	for _, of := range kin {
		for _, ref := range of {
			refs, ids = append(refs, ref), append(ids, ref.ID)
		}
	}
	records, err := d.fetch(ctx, other, refs)
	if err != nil {
		return err
	}
	survivors, err := d.survivors(ctx, other, there, records)
	if err != nil {
		return err
	}
	for _, k := range survivors {
		ids = append(ids, k.Ref.ID)
	}
	there = d.holding(other, append(there, survivors...), records)
	links, err := d.e.store.Links(ctx, d.o.Name, other, ids)
	if err != nil {
		return err
	}
	aliases, err := d.e.store.Aliases(ctx, d.o.Name, other, ids)
	if err != nil {
		return err
	}
	plans, err := d.e.store.PlanRows(ctx, d.o.Name, other, ids)
	if err != nil {
		return err
	}
	byKey := map[keyID][]store.Key{}
	for _, k := range there {
		byKey[keyID{k.Rule, k.Hash}] = append(byKey[keyID{k.Rule, k.Hash}], k)
	}
	candidate := func(s *subject, ref crm.Ref, rule int) reconcile.Candidate {
		candidate := reconcile.Candidate{Record: records[ref.ID], Object: ref.Object, Rule: rule}
		if l, ok := links[ref.ID]; ok {
			candidate.LinkedTo = d.linkedTo(l.HubSpotID, l.SalesforceObject, l.SalesforceID)
		} else if a, ok := aliases[ref.ID]; ok {
			candidate.LinkedTo = d.linkedTo(a.Pair, s.ref.Object, a.Pair)
		} else if p, ok := plans[ref.ID]; ok && p.Ops&store.LinksRecords != 0 && p.ID != "" && p.SalesforceID != "" {
			candidate.LinkedTo = d.linkedTo(p.ID, s.ref.Object, p.SalesforceID)
		}
		return candidate
	}
	shared := map[*subject][]store.Key{}
	var contested []store.Key
	for _, s := range subjects {
		rule, found := best(own[s], byKey)
		if told, err := d.told(ctx, s, kin[s], candidate, len(found) > 0); told || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		for _, k := range found {
			s.snapshot.Candidates = append(s.snapshot.Candidates, candidate(s, k.Ref, rule))
		}
		if len(found) > 0 {
			shared[s] = d.sharedKeys(s, own[s], rule)
			contested = append(contested, shared[s]...)
		}
	}
	return d.rivals(ctx, subjects, shared, contested)
}

// survivors are the records that candidates were merged into, by those of the
// keys that they have, too: search may not know them yet. They are added to
// records, and their keys are kept.
func (d *decider) survivors(ctx context.Context, side crm.Side, there []store.Key, records map[string]*crm.Record) ([]store.Key, error) {
	wanted := map[keyID]bool{}
	var refs []crm.Ref
	for _, k := range there {
		wanted[keyID{k.Rule, k.Hash}] = true
		if r := records[k.Ref.ID]; r != nil && r.Archived && r.MergedInto != "" && records[r.MergedInto] == nil {
			refs = append(refs, crm.Ref{Side: side, Object: k.Ref.Object, ID: r.MergedInto})
		}
	}
	found, err := d.fetch(ctx, side, refs)
	if err != nil {
		return nil, err
	}
	var keys []store.Key
	for _, ref := range refs {
		r, l := found[ref.ID], d.e.lens(d.o, side, ref.Object)
		if r == nil || r.Archived || l == nil || records[ref.ID] != nil {
			continue
		}
		records[ref.ID] = r
		for _, k := range keysOf(d.o, l, r) {
			d.learned[side] = append(d.learned[side], k)
			if wanted[keyID{k.Rule, k.Hash}] {
				keys = append(keys, k)
			}
		}
	}
	return keys, nil
}

type keyID struct {
	rule int
	hash uint64
}

// sharedKeys are the keys of one rule by which a subject and its candidates are
// found: a candidate with several addresses matches whoever has one of them.
func (d *decider) sharedKeys(s *subject, own []store.Key, rule int) []store.Key {
	var keys []store.Key
	add := func(list []store.Key) {
		for _, k := range list {
			if k.Rule == rule && !slices.ContainsFunc(keys, func(have store.Key) bool { return have.Hash == k.Hash }) {
				keys = append(keys, k)
			}
		}
	}
	add(own)
	for _, c := range s.snapshot.Candidates {
		if l := d.e.lens(d.o, d.side.Other(), c.Object); l != nil {
			add(keysOf(d.o, l, c.Record))
		}
	}
	return keys
}

// kin finds the records of the other side that a lead conversion says are the
// same things as the subjects.
func (d *decider) kin(ctx context.Context, subjects []*subject) (map[*subject][]crm.Ref, error) {
	var ids []string
	for _, s := range subjects {
		if s.link == nil && s.snapshot.Alias == nil {
			ids = append(ids, s.ref.ID)
		}
	}
	told, err := d.e.store.Kin(ctx, d.o.Name, d.side, ids)
	if err != nil || len(told) == 0 {
		return nil, err
	}
	found := map[*subject][]crm.Ref{}
	for _, k := range told {
		own, ref := k.HubSpotID, k.Salesforce
		if d.side == crm.Salesforce {
			own, ref = k.Salesforce.ID, crm.Ref{Side: crm.HubSpot, Object: d.o.HubSpot, ID: k.HubSpotID}
		}
		for _, s := range subjects {
			if s.ref.ID == own && s.link == nil {
				found[s] = append(found[s], ref)
			}
		}
	}
	return found, nil
}

// told makes candidates of what a conversion tells, which is better than any
// match key; unless all of them are linked with others already and a key finds
// something else.
func (d *decider) told(ctx context.Context, s *subject, kin []crm.Ref, candidate func(*subject, crm.Ref, int) reconcile.Candidate, found bool) (bool, error) {
	var candidates []reconcile.Candidate
	free := false
	var ids []string
	for _, ref := range kin {
		c := candidate(s, ref, reconcile.ConversionRule)
		if c.Record == nil || c.Record.Archived {
			continue
		}
		candidates, ids, free = append(candidates, c), append(ids, ref.ID), free || c.LinkedTo.IsZero()
	}
	if len(candidates) == 0 || !free && found {
		return false, nil
	}
	s.snapshot.Candidates = candidates
	others, err := d.e.store.Kin(ctx, d.o.Name, d.side.Other(), ids)
	if err != nil {
		return true, err
	}
	for _, k := range others {
		ref := crm.Ref{Side: crm.HubSpot, Object: d.o.HubSpot, ID: k.HubSpotID}
		if d.side == crm.Salesforce {
			ref = k.Salesforce
		}
		if ref.ID == s.ref.ID || slices.Contains(s.snapshot.Rivals, ref) {
			continue
		}
		linked, err := d.e.store.Links(ctx, d.o.Name, d.side, []string{ref.ID})
		if err != nil {
			return true, err
		}
		if len(linked) == 0 {
			s.snapshot.Rivals = append(s.snapshot.Rivals, ref)
		}
	}
	return true, nil
}

// linkedTo is the record of our side that a candidate is linked with.
func (d *decider) linkedTo(hubspotID, salesforceObject, salesforceID string) crm.Ref {
	if d.side == crm.HubSpot {
		return crm.Ref{Side: crm.HubSpot, Object: d.o.HubSpot, ID: hubspotID}
	}
	return crm.Ref{Side: crm.Salesforce, Object: salesforceObject, ID: salesforceID}
}

// best returns the records found by the first rule that found any.
func best(own []store.Key, byKey map[keyID][]store.Key) (rule int, found []store.Key) {
	rules := make([]int, 0, len(own))
	for _, k := range own {
		if !slices.Contains(rules, k.Rule) {
			rules = append(rules, k.Rule)
		}
	}
	slices.Sort(rules)
	for _, rule := range rules {
		once := map[string]bool{}
		for _, k := range own {
			if k.Rule != rule {
				continue
			}
			for _, f := range byKey[keyID{k.Rule, k.Hash}] {
				if !once[f.Ref.ID] {
					once[f.Ref.ID] = true
					found = append(found, f)
				}
			}
		}
		if len(found) > 0 {
			slices.SortFunc(found, func(a, b store.Key) int { return strings.Compare(a.Ref.ID, b.Ref.ID) })
			return rule, found
		}
	}
	return 0, nil
}

// holding keeps the keys that the records still have, and notes the others.
func (d *decider) holding(side crm.Side, keys []store.Key, records map[string]*crm.Record) []store.Key {
	return slices.DeleteFunc(keys, func(k store.Key) bool {
		l := d.e.lens(d.o, side, k.Ref.Object)
		r := records[k.Ref.ID]
		if l != nil && r != nil && !r.Archived {
			for _, now := range keysOf(d.o, l, r) {
				if now.Rule == k.Rule && now.Hash == k.Hash {
					return false
				}
			}
		}
		d.stale[side] = append(d.stale[side], k)
		return true
	})
}

// rivals finds other unlinked records of our side with the same key.
func (d *decider) rivals(ctx context.Context, subjects []*subject, shared map[*subject][]store.Key, contested []store.Key) error {
	if len(contested) == 0 {
		return nil
	}
	here, err := d.e.store.Keys(ctx, d.o.Name, d.side, contested, candidateLimit)
	if err != nil {
		return err
	}
	// Most keys are the subject's own and nobody else's: no rival, no read.
	sharing := map[keyID][]string{}
	for s, keys := range shared {
		for _, k := range keys {
			id := keyID{k.Rule, k.Hash}
			sharing[id] = append(sharing[id], s.ref.ID)
		}
	}
	here = slices.DeleteFunc(here, func(k store.Key) bool {
		return !slices.ContainsFunc(sharing[keyID{k.Rule, k.Hash}], func(id string) bool { return id != k.Ref.ID })
	})
	if len(here) == 0 {
		return nil
	}
	ids := make([]string, len(here))
	for i, k := range here {
		ids[i] = k.Ref.ID
	}
	links, err := d.e.store.Links(ctx, d.o.Name, d.side, ids)
	if err != nil {
		return err
	}
	aliases, err := d.e.store.Aliases(ctx, d.o.Name, d.side, ids)
	if err != nil {
		return err
	}
	here = slices.DeleteFunc(here, func(k store.Key) bool {
		_, linked := links[k.Ref.ID]
		_, belongs := aliases[k.Ref.ID]
		return linked || belongs
	})
	refs := make([]crm.Ref, len(here))
	for i, k := range here {
		refs[i] = k.Ref
	}
	records, err := d.fetch(ctx, d.side, refs)
	if err != nil {
		return err
	}
	here = d.holding(d.side, here, records)
	for _, s := range subjects {
		if len(s.snapshot.Candidates) == 0 || s.snapshot.Candidates[0].Rule == reconcile.ConversionRule {
			continue
		}
		once := map[string]bool{s.ref.ID: true}
		for _, k := range shared[s] {
			for _, h := range here {
				if h.Rule == k.Rule && h.Hash == k.Hash && !once[h.Ref.ID] {
					once[h.Ref.ID] = true
					s.snapshot.Rivals = append(s.snapshot.Rivals, h.Ref)
				}
			}
		}
	}
	return nil
}
