package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// absorbed is a record that its vendor made part of another one: merged into
// it, or a Lead converted to it.
type absorbed struct {
	record crm.Ref
	into   crm.Ref
	cause  store.Cause
	// account and opportunity are what else a Lead became; often empty.
	account, opportunity string
}

// absorption tells whether a record became part of another one that the mapping
// names.
func (e *Engine) absorption(o *mapping.BoundObject, side crm.Side, object string, r *crm.Record) (absorbed, bool) {
	if r == nil {
		return absorbed{}, false
	}
	ref := crm.Ref{Side: side, Object: object, ID: r.ID}
	if r.MergedInto != "" && r.MergedInto != r.ID {
		return absorbed{record: ref, into: crm.Ref{Side: side, Object: object, ID: r.MergedInto}, cause: store.CauseMerge}, true
	}
	if contact := reconcile.ConvertedTo(o, side, object, r); !contact.IsZero() && !r.Archived {
		return absorbed{record: ref, into: contact, cause: store.CauseConversion,
			account: wideID(r.Value(mapping.ConvertedAccount).Text), opportunity: wideID(r.Value(mapping.ConvertedOpportunity).Text)}, true
	}
	return absorbed{}, false
}

// follower works out what merges and conversions change: links go to the
// record that took the other one in, and what cannot be linked with it, because
// it is linked itself, becomes an alias. It reads the store as it goes and
// keeps every change, so that all of them are saved in one transaction.
type follower struct {
	ctx    context.Context
	e      *Engine
	o      *mapping.BoundObject
	ledger *ledger

	links   map[crm.Side]map[string]*store.Link
	aliases map[crm.Side]map[string]*store.Alias
	// dropped are the HubSpot ids of links as they stand in the store and have
	// changed; the ones in moved are stored anew.
	dropped []string
	moved   []*store.Link
	unalias map[crm.Side][]string
	due     []crm.Ref
	forget  map[crm.Side][]string // outcomes
	gone    map[crm.Side][]string // changes of records that are no more
	awaits  [][2]crm.Ref
	// converted are HubSpot contacts whose Leads became Contacts, and with what.
	converted []conversion
	kin       []store.Kin
	// refill are the links that conversions moved, by the Contact that they have now.
	refill map[string]*store.Link
}

func (e *Engine) follower(ctx context.Context, o *mapping.BoundObject, l *ledger) *follower {
	return &follower{ctx: ctx, e: e, o: o, ledger: l,
		links:   map[crm.Side]map[string]*store.Link{crm.HubSpot: {}, crm.Salesforce: {}},
		aliases: map[crm.Side]map[string]*store.Alias{crm.HubSpot: {}, crm.Salesforce: {}},
		refill:  map[string]*store.Link{}, unalias: map[crm.Side][]string{}, forget: map[crm.Side][]string{}, gone: map[crm.Side][]string{}}
}

// all follows several merges of one moment; of a chain of them each one leads
// to its end, in whatever order they are told.
func (f *follower) all(events []absorbed) error {
	next := make(map[string]crm.Ref, len(events))
	for _, a := range events {
		next[a.record.ID] = a.into
	}
	for _, a := range events {
		for range events {
			further, ok := next[a.into.ID]
			if !ok || further.ID == a.record.ID {
				break
			}
			a.into = further
		}
		if err := f.one(a); err != nil {
			return err
		}
	}
	if err := f.refilled(); err != nil {
		return err
	}
	return f.relatives()
}

// link returns the link of a record as it stands after what was followed so
// far, or nil.
func (f *follower) link(side crm.Side, id string) (*store.Link, error) {
	if l, ok := f.links[side][id]; ok {
		return l, nil
	}
	found, err := f.e.store.Links(f.ctx, f.o.Name, side, []string{id})
	if err != nil {
		return nil, err
	}
	f.links[side][id] = nil
	if l, ok := found[id]; ok {
		// The same link may be at hand by its other record already.
		if f.known(l) {
			return nil, nil
		}
		f.index(&l)
	}
	return f.links[side][id], nil
}

// known tells whether a link that the store still shows was changed meanwhile.
func (f *follower) known(l store.Link) bool { return slices.Contains(f.dropped, l.HubSpotID) }

func (f *follower) index(l *store.Link) {
	f.links[crm.HubSpot][l.HubSpotID], f.links[crm.Salesforce][l.SalesforceID] = l, l
}

// change takes a link out of the store, to be stored anew by keep or not at all.
func (f *follower) change(l *store.Link) {
	if !slices.Contains(f.dropped, l.HubSpotID) {
		f.dropped = append(f.dropped, l.HubSpotID)
	}
	f.links[crm.HubSpot][l.HubSpotID], f.links[crm.Salesforce][l.SalesforceID] = nil, nil
	f.forget[crm.HubSpot] = append(f.forget[crm.HubSpot], l.HubSpotID)
	f.moved = slices.DeleteFunc(f.moved, func(m *store.Link) bool { return m == l })
}

func (f *follower) keep(l *store.Link) {
	f.index(l)
	f.moved = append(f.moved, l)
}

func (f *follower) alias(side crm.Side, id string) (*store.Alias, error) {
	if a, ok := f.aliases[side][id]; ok {
		return a, nil
	}
	found, err := f.e.store.Aliases(f.ctx, f.o.Name, side, []string{id})
	if err != nil {
		return nil, err
	}
	f.aliases[side][id] = nil
	if a, ok := found[id]; ok {
		f.aliases[side][id] = &a
	}
	return f.aliases[side][id], nil
}

// aliasesOf returns the aliases on side of the pair with this record on the
// other side.
func (f *follower) aliasesOf(side crm.Side, pair string) ([]*store.Alias, error) {
	stored, err := f.e.store.AliasesOf(f.ctx, f.o.Name, side, []string{pair})
	if err != nil {
		return nil, err
	}
	for i := range stored {
		if _, ok := f.aliases[side][stored[i].Ref.ID]; !ok {
			f.aliases[side][stored[i].Ref.ID] = &stored[i]
		}
	}
	var found []*store.Alias
	for _, a := range f.aliases[side] {
		if a != nil && a.Pair == pair {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b *store.Alias) int {
		return cmp.Or(cmp.Compare(len(a.Ref.ID), len(b.Ref.ID)), cmp.Compare(a.Ref.ID, b.Ref.ID))
	})
	return found, nil
}

func (f *follower) repoint(side crm.Side, from, to string) error {
	aliases, err := f.aliasesOf(side, from)
	for _, a := range aliases {
		a.Pair = to
		f.due = append(f.due, a.Ref)
	}
	return err
}

func (f *follower) endAlias(side crm.Side, id string) {
	f.aliases[side][id] = nil
	f.unalias[side] = append(f.unalias[side], id)
	f.forget[side] = append(f.forget[side], id)
}

// pairOf returns the link that a record belongs to, by itself or as an alias.
func (f *follower) pairOf(side crm.Side, id string) (*store.Link, error) {
	l, err := f.link(side, id)
	if l != nil || err != nil {
		return l, err
	}
	a, err := f.alias(side, id)
	if a == nil || err != nil {
		return nil, err
	}
	return f.link(side.Other(), a.Pair)
}

// one follows one merge or conversion.
func (f *follower) one(a absorbed) error {
	side, other := a.record.Side, a.record.Side.Other()
	own, err := f.link(side, a.record.ID)
	if err != nil {
		return err
	}
	pair, err := f.pairOf(side, a.into.ID)
	if err != nil {
		return err
	}
	alias, err := f.alias(side, a.record.ID)
	if err != nil {
		return err
	}
	if own != nil && a.cause == store.CauseConversion {
		f.converted = append(f.converted, conversion{own.HubSpotID, a.account, a.opportunity})
	}
	switch {
	case own != nil && (pair == nil || pair == own):
		// The survivor carries the pair on; was it an alias of it, it is no more.
		if err := f.repoint(other, a.record.ID, a.into.ID); err != nil {
			return err
		}
		if pair == own {
			f.endAlias(side, a.into.ID)
		}
		f.move(own, a.into)
		if a.cause == store.CauseConversion {
			f.refill[a.into.ID] = own
		}
	case own != nil:
		if err := f.join(a, own, pair); err != nil {
			return err
		}
	case alias != nil:
		f.endAlias(side, a.record.ID)
		if pair == nil {
			took := *alias
			took.Ref = a.into
			f.aliases[side][a.into.ID] = &took
		}
	}
	f.settle(a)
	if pair, err = f.pairOf(side, a.into.ID); pair != nil && side == crm.Salesforce {
		f.ledger.join(pair.HubSpotID, a.into.ID)
	}
	return err
}

// settle does what is to be done for every merge: who waited for the record
// waits for its survivor, which is looked at anew.
func (f *follower) settle(a absorbed) {
	side := a.record.Side
	f.awaits = append(f.awaits, [2]crm.Ref{a.record, a.into})
	f.due = append(f.due, a.into)
	if a.cause == store.CauseMerge {
		f.forget[side] = append(f.forget[side], a.record.ID)
		f.gone[side] = append(f.gone[side], a.record.ID)
		f.ledger.same(thingKey(side, a.record.ID), thingKey(side, a.into.ID))
		return
	}
	// A converted Lead is still there, and is left out from now on.
	f.due = append(f.due, a.record)
}

// move gives a link to another record of one side.
func (f *follower) move(l *store.Link, to crm.Ref) {
	f.change(l)
	f.forget[to.Side] = append(f.forget[to.Side], to.ID)
	if to.Side == crm.HubSpot {
		l.HubSpotID, l.SeenHubSpot, l.OpenHubSpot, l.HubSpotGone = to.ID, 0, 0, false
		l.RelatedHubSpot, l.CalculatedHubSpot = 0, 0
	} else {
		if l.SalesforceObject != to.Object {
			l.Base = reconcile.Carry(f.o, l.Base, l.SalesforceObject, to.Object)
		}
		l.SalesforceObject, l.SalesforceID, l.SeenSalesforce, l.OpenSalesforce, l.SalesforceGone = to.Object, to.ID, 0, 0, false
		l.CalculatedSalesforce = 0
	}
	l.Departed = ""
	f.settleFilled(l, to.Side)
	f.keep(l)
}

// settleFilled gives up what was left open about a record that we made: whether a
// value that we did not write is the vendor's own. The other record brought its
// values along, so that what is not blank counts as changed.
func (f *follower) settleFilled(l *store.Link, side crm.Side) {
	target := f.o.Target(l.SalesforceObject)
	lens := f.e.lens(f.o, side, f.on(l, side).Object)
	if target != nil && lens != nil && l.Base.Version == f.o.BaseVersion {
		settleBlank(f.o, target, l.Base, side, lens.object, lens.read.Layout)
	}
}

// join makes one pair of two: the record that the lost one was linked with
// becomes an alias of the survivor's pair, and so do the aliases of both.
func (f *follower) join(a absorbed, own, pair *store.Link) error {
	side, other := a.record.Side, a.record.Side.Other()
	f.change(own)
	left := f.on(own, other)
	if err := f.repoint(other, a.record.ID, f.on(pair, side).ID); err != nil {
		return err
	}
	if err := f.repoint(side, left.ID, f.on(pair, other).ID); err != nil {
		return err
	}
	f.aliases[other][left.ID] = &store.Alias{Mapping: f.o.Name, Ref: left, Pair: f.on(pair, side).ID, Merged: a.record.ID, Cause: a.cause}
	f.due = append(f.due, left)
	return nil
}

// replace gives the link of a record that is no more to an alias of it, when there
// is one: whoever deletes one of two duplicates keeps the other. It returns the
// alias; zero without one.
func (f *follower) replace(side crm.Side, id string) (heir crm.Ref, err error) {
	l, err := f.link(side, id)
	if l == nil || err != nil {
		return heir, err
	}
	aliases, err := f.aliasesOf(side, f.on(l, side.Other()).ID)
	if len(aliases) == 0 || err != nil {
		return heir, err
	}
	heir = aliases[0].Ref
	f.endAlias(side, heir.ID)
	if err := f.repoint(side.Other(), id, heir.ID); err != nil {
		return heir, err
	}
	l.Base = crm.Base{} // it tells of the other record
	f.move(l, heir)
	f.due = append(f.due, heir)
	f.gone[side] = append(f.gone[side], id)
	if side == crm.HubSpot {
		f.ledger.same(thingKey(side, id), thingKey(side, heir.ID))
	} else {
		f.ledger.join(l.HubSpotID, heir.ID)
	}
	return heir, nil
}

// on is the record of a link on one side.
func (f *follower) on(l *store.Link, side crm.Side) crm.Ref {
	if side == crm.HubSpot {
		return crm.Ref{Side: side, Object: f.o.HubSpot, ID: l.HubSpotID}
	}
	return crm.Ref{Side: side, Object: l.SalesforceObject, ID: l.SalesforceID}
}

// empty tells whether nothing is to be saved.
func (f *follower) empty() bool {
	return len(f.dropped)+len(f.due)+len(f.awaits)+len(f.unalias[crm.HubSpot])+len(f.unalias[crm.Salesforce]) == 0
}

// save stores all that changed.
func (f *follower) save(t *store.Tx) error {
	name := f.o.Name
	if err := t.DropLinks(name, f.dropped); err != nil {
		return err
	}
	links := make([]store.Link, 0, len(f.moved))
	for _, l := range f.moved {
		links = append(links, *l)
	}
	if err := t.PutLinks(links); err != nil {
		return err
	}
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		if err := t.DropAliases(name, side, f.unalias[side]); err != nil {
			return err
		}
		var aliases []store.Alias
		for _, a := range f.aliases[side] {
			if a != nil {
				aliases = append(aliases, *a)
			}
		}
		if err := t.PutAliases(aliases); err != nil {
			return err
		}
		if err := t.DropOutcomes(name, side, f.forget[side]); err != nil {
			return err
		}
		if err := t.DropConflicts(name, side, f.forget[side]); err != nil {
			return err
		}
		if err := t.DropChanges(name, side, f.gone[side]); err != nil {
			return err
		}
	}
	for _, pair := range f.awaits {
		if err := t.MoveAwaits(name, pair[0], pair[1]); err != nil {
			return err
		}
		if err := t.MoveKin(name, pair[0], pair[1]); err != nil {
			return err
		}
	}
	if err := t.PutKin(f.kin); err != nil {
		return err
	}
	for _, k := range f.kin {
		company := crm.Ref{Side: crm.HubSpot, Object: f.e.mapping.Object(k.Mapping).HubSpot, ID: k.HubSpotID}
		if err := t.PutDue(k.Mapping, []crm.Ref{company, k.Salesforce}, store.WakeFollowed); err != nil {
			return err
		}
	}
	if err := t.PutDue(name, f.due, store.WakeFollowed); err != nil {
		return err
	}
	for _, l := range f.moved {
		for _, ref := range []crm.Ref{f.on(l, crm.HubSpot), f.on(l, crm.Salesforce)} {
			if _, err := t.FireAwaits(name, ref.Side, []string{ref.ID}); err != nil {
				return err
			}
		}
	}
	return nil
}
