package engine

import (
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// rest notes which of the things were undone: they rest until a side changes.
func (d *decider) rest(ctx context.Context, subjects []*subject) error {
	var ids []string
	name := func(s *subject) string {
		switch {
		case s.link == nil && d.side == s.ref.Side:
			return s.ref.ID
		case s.link != nil && s.link.Code == CodeHeldUndone && d.side == crm.HubSpot:
			return s.link.HubSpotID
		}
		return ""
	}
	for _, s := range subjects {
		if id := name(s); id != "" {
			ids = append(ids, id)
		}
	}
	outcomes, err := d.e.store.Outcomes(ctx, d.o.Name, d.side, ids)
	if err != nil {
		return err
	}
	if d.side == crm.Salesforce {
		// A pair is remembered under its HubSpot record.
		var pairs []string
		for _, s := range subjects {
			if s.link != nil && s.link.Code == CodeHeldUndone {
				pairs = append(pairs, s.link.HubSpotID)
			}
		}
		linked, err := d.e.store.Outcomes(ctx, d.o.Name, crm.HubSpot, pairs)
		if err != nil {
			return err
		}
		for _, s := range subjects {
			if s.link != nil {
				if o, ok := linked[s.link.HubSpotID]; ok && o.Reason.Code == CodeHeldUndone {
					s.undone = &o
				}
			}
		}
	}
	for _, s := range subjects {
		if o, ok := outcomes[name(s)]; ok && o.Reason.Code == CodeHeldUndone {
			s.undone = &o
		}
	}
	return nil
}

// own is the hash by which a record that is linked to nothing rests; 0 where it is
// not there.
func (d *decider) own(s *subject) uint64 {
	r := s.snapshot.HubSpot
	if d.side == crm.Salesforce {
		r = s.snapshot.Salesforce
	}
	l := d.e.lens(d.o, d.side, s.ref.Object)
	if r == nil || l == nil {
		return 0
	}
	return l.own(r)
}

// keepUndone leaves a thing as the undo left it: a pair that differs although
// neither side changed, and a record that would be made again although what it is
// made from did not change, or was not seen since it was restored.
func (d *decider) keepUndone(s *subject, body *decided) {
	if s.undone == nil {
		return
	}
	switch {
	case s.link != nil:
		if body.Outcome != crm.Unchanged || s.snapshot.HubSpot == nil || s.snapshot.Salesforce == nil ||
			!slices.ContainsFunc(reconcile.Compare(d.o, s.snapshot), func(x reconcile.Difference) bool { return x.Allowed == "" }) {
			return
		}
	case s.undone.Seen != 0 && s.undone.Seen != d.own(s) || !slices.ContainsFunc(body.Writes, func(w reconcile.PlannedWrite) bool { return w.Op == crm.Create }):
		return
	}
	body.Writes, body.NewLink, body.Awaits = nil, nil, nil
	body.Outcome, body.Reason = crm.Held, s.undone.Reason
}
