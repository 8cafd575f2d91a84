package engine

import (
	"context"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// known answers reconcile's questions about other things for one batch. All
// answers are fetched before the first is asked for, so that they are of one
// moment and cost a few queries for the batch.
type known struct {
	book  *ownerBook
	other map[standKey]stand
}

type standKey struct {
	mapping string
	ref     crm.Ref
}

type stand struct {
	ref      crm.Ref
	standing reconcile.Standing
	back     bool // see reconcile.Known, as for byPlan
	byPlan   bool
}

// Counterpart satisfies reconcile.Known.
func (k *known) Counterpart(name string, ref crm.Ref) (crm.Ref, reconcile.Standing) {
	s := k.other[standKey{name, ref}]
	return s.ref, s.standing
}

// Back satisfies reconcile.Known.
func (k *known) Back(name string, ref crm.Ref) bool { return k.other[standKey{name, ref}].back }

// ByPlan satisfies reconcile.Known.
func (k *known) ByPlan(name string, ref crm.Ref) bool { return k.other[standKey{name, ref}].byPlan }

// Owner satisfies reconcile.Known.
func (k *known) Owner(side crm.Side, id string) (string, bool) {
	if k.book == nil {
		return "", false
	}
	other, ok := k.book.other[side][id]
	return other, ok
}

// OwnerName satisfies reconcile.Known.
func (k *known) OwnerName(side crm.Side, id string) string {
	if k.book == nil {
		return ""
	}
	return k.book.names[side][id]
}

// OwnerTrouble satisfies reconcile.Known.
func (k *known) OwnerTrouble(side crm.Side, id string) string {
	if k.book == nil {
		return "is not known"
	}
	return k.book.trouble(side, id)
}

// OwnerNamed satisfies reconcile.Known.
func (k *known) OwnerNamed(side crm.Side, name string) (string, bool) {
	if k.book == nil {
		return "", false
	}
	return k.book.named(side, name)
}

// wishes collects the references of a batch by the object they belong to.
type wishes map[standKey]struct{}

// of notes every record that the decision about s may ask for.
func (w wishes) of(e *Engine, o *mapping.BoundObject, s *reconcile.Snapshot) {
	w.ofRecord(e, o, crm.HubSpot, o.HubSpot, s.HubSpot)
	if s.Salesforce != nil {
		w.ofRecord(e, o, crm.Salesforce, s.Salesforce.Layout.Object, s.Salesforce)
	}
	for _, c := range s.Candidates {
		side := crm.Salesforce
		if s.HubSpot == nil {
			side = crm.HubSpot
		}
		w.ofRecord(e, o, side, c.Object, c.Record)
	}
}

func (w wishes) ofRecord(e *Engine, o *mapping.BoundObject, side crm.Side, object string, r *crm.Record) {
	if r == nil {
		return
	}
	for _, t := range o.Targets {
		if side == crm.Salesforce && t.Object != object {
			continue
		}
		for i := range t.Associations {
			w.ofReference(e, &t.Associations[i], side, r)
		}
	}
	for _, x := range r.Relations {
		for _, far := range e.mapping.Objects {
			if side == crm.HubSpot && far.HubSpot == x.Object || side == crm.Salesforce && far.Target(x.Object) != nil {
				w[standKey{far.Name, crm.Ref{Side: side, Object: x.Object, ID: x.ID}}] = struct{}{}
			}
		}
	}
}

// ofReference notes the record that a reference names.
func (w wishes) ofReference(e *Engine, a *mapping.BoundAssociation, side crm.Side, r *crm.Record) {
	if a.Junction {
		return
	}
	if side == crm.HubSpot {
		if id := r.Value(a.By).Text; a.By != "" && id != "" {
			w[standKey{a.Mapping, crm.Ref{Side: side, Object: a.HubSpot, ID: id}}] = struct{}{}
		}
		return
	}
	id := r.Value(a.Salesforce).Text
	if id == "" {
		return
	}
	for _, end := range a.Ends {
		far := e.mapping.Object(end.Mapping)
		if far == nil {
			continue
		}
		for _, ft := range far.Targets {
			w[standKey{end.Mapping, crm.Ref{Side: side, Object: ft.Object, ID: id}}] = struct{}{}
		}
	}
}

// learn fetches how all wished records stand.
func (e *Engine) learn(ctx context.Context, w wishes) (*known, error) {
	book, err := e.book(ctx)
	if err != nil {
		return nil, err
	}
	k := &known{book: book, other: make(map[standKey]stand, len(w))}
	type group struct {
		mapping string
		side    crm.Side
	}
	ids := map[group]map[string]bool{}
	for key := range w {
		g := group{key.mapping, key.ref.Side}
		if ids[g] == nil {
			ids[g] = map[string]bool{}
		}
		ids[g][key.ref.ID] = true
	}
	for g, set := range ids {
		list := make([]string, 0, len(set))
		for id := range set {
			list = append(list, id)
		}
		stands, err := e.stands(ctx, g.mapping, g.side, list)
		if err != nil {
			return nil, err
		}
		for key := range w {
			if key.mapping == g.mapping && key.ref.Side == g.side {
				if s, ok := stands[key.ref.ID]; ok {
					k.other[key] = s
				}
			}
		}
	}
	return k, nil
}

// stands tells how records of a mapping stand on the other side: by links, then
// by what this plan decided, then by the latest outcome.
func (e *Engine) stands(ctx context.Context, name string, side crm.Side, ids []string) (map[string]stand, error) {
	found := make(map[string]stand, len(ids))
	links, err := e.store.Links(ctx, name, side, ids)
	if err != nil {
		return nil, err
	}
	back, err := e.comesBack(ctx, name, side, links)
	if err != nil {
		return nil, err
	}
	o := e.mapping.Object(name)
	var rest []string
	for _, id := range ids {
		l, ok := links[id]
		if !ok {
			rest = append(rest, id)
			continue
		}
		if (l.HubSpotGone || l.SalesforceGone) && !back[id] {
			found[id] = stand{standing: reconcile.Waiting}
			continue
		}
		other := crm.Ref{Side: crm.HubSpot, Object: o.HubSpot, ID: l.HubSpotID}
		if side == crm.HubSpot {
			other = crm.Ref{Side: crm.Salesforce, Object: l.SalesforceObject, ID: l.SalesforceID}
		}
		found[id] = stand{ref: other, standing: reconcile.Linked, back: back[id]}
	}
	aliases, pairs, err := e.aliasPairs(ctx, o, side, rest)
	if err != nil {
		return nil, err
	}
	rows, err := e.store.PlanRows(ctx, name, side, rest)
	if err != nil {
		return nil, err
	}
	var last []string
	for _, id := range rest {
		a, isAlias := aliases[id]
		if pair, ok := pairs[a.Pair]; isAlias && ok {
			found[id] = stand{ref: aliasOf(o, a, &pair).Pair, standing: reconcile.Linked} // it belongs to that pair, too
			if pair.HubSpotGone || pair.SalesforceGone {
				found[id] = stand{standing: reconcile.Waiting}
			}
			continue
		}
		row, ok := rows[id]
		if !ok {
			last = append(last, id)
			continue
		}
		creates := store.CreatesInSalesforce
		if side == crm.Salesforce {
			creates = store.CreatesInHubSpot
		}
		switch {
		case row.Outcome != crm.Synced && row.Outcome != crm.Unchanged:
			found[id] = stand{standing: reconcile.Waiting}
		case row.Ops&creates != 0:
			found[id] = stand{standing: reconcile.Planned}
		case row.Ops&store.LinksRecords != 0:
			d, err := decodeDecided(row.Body)
			if err != nil {
				return nil, err
			}
			ref := d.HubSpot
			if side == crm.HubSpot {
				ref = d.Salesforce
			}
			found[id] = stand{ref: ref, standing: reconcile.Linked, byPlan: true}
		}
	}
	outcomes, err := e.store.Outcomes(ctx, name, side, last)
	if err != nil {
		return nil, err
	}
	for id := range outcomes {
		found[id] = stand{standing: reconcile.Waiting}
	}
	return found, nil
}

// comesBack are those of links of which a record was deleted, and this plan has seen
// it restored: who waited for them from now on would wait in vain, since they are
// settled before.
func (e *Engine) comesBack(ctx context.Context, name string, side crm.Side, links map[string]store.Link) (map[string]bool, error) {
	var gone []string
	for id, l := range links {
		if l.HubSpotGone || l.SalesforceGone {
			gone = append(gone, id)
		}
	}
	rows, err := e.store.PlanRows(ctx, name, side, gone)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	back := map[string]bool{}
	for id, row := range rows {
		d, err := decodeDecided(row.Body)
		if err != nil {
			return nil, err
		}
		back[id] = d.WasLinked && !d.HubGone && !d.SalesGone && (row.Outcome == crm.Synced || row.Outcome == crm.Unchanged)
	}
	return back, nil
}
