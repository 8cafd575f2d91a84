package engine

import (
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// filledIn allows those differences of a pair that a vendor made itself: it filled a
// field in when we created the record without it (a Task gets the priority Normal).
// Nobody gave that value, so it goes nowhere until somebody changes the field on
// either side. Two records of ours have to say so together: the journal, that we created
// the record without the field and never wrote it, and the base, that no side changed it
// since. Where one of them says otherwise, the two differ.
func (e *Engine) filledIn(ctx context.Context, o *mapping.BoundObject, s *reconcile.Snapshot, differences []reconcile.Difference) error {
	if s.Link == nil || s.HubSpot == nil || s.Salesforce == nil {
		return nil
	}
	base := e.rebase(o, s.Link.Base)
	if base.Version != o.BaseVersion {
		return nil
	}
	left := map[crm.Side][]string{} // fields that our create of the record left out
	asked := map[crm.Side]bool{}
	for i := range differences {
		d := &differences[i]
		if d.Allowed != "" || d.Hashes == nil || d.HubSpot.IsPresent() == d.Salesforce.IsPresent() {
			continue
		}
		filled, field, ref := crm.HubSpot, d.HubSpotField, crm.Ref{Side: crm.HubSpot, Object: o.HubSpot, ID: s.HubSpot.ID}
		was := map[crm.Side]uint64{crm.HubSpot: base.HubSpot[d.Slot], crm.Salesforce: base.Salesforce[d.Slot]}
		if d.Salesforce.IsPresent() {
			filled, field, ref = crm.Salesforce, d.SalesforceField, crm.Ref{Side: crm.Salesforce, Object: s.Salesforce.Layout.Object, ID: s.Salesforce.ID}
		}
		// What the vendor filled in comes into the base when it is first seen.
		if was[filled.Other()] != d.Hashes[filled.Other()] || was[filled] != 0 && was[filled] != d.Hashes[filled] {
			continue
		}
		if !asked[filled] {
			var err error
			if left[filled], err = e.leftOut(ctx, ref, differences); err != nil {
				return err
			}
			asked[filled] = true
		}
		if slices.Contains(left[filled], field) {
			d.Allowed = filled.Title() + " filled it in when the record was made, and nobody changed it since"
		}
	}
	return nil
}

// leftOut names those fields of differences that no write of ours to a record ever held;
// none for a record that we did not create.
func (e *Engine) leftOut(ctx context.Context, ref crm.Ref, differences []reconcile.Difference) ([]string, error) {
	writes, err := e.ourWrites(ctx, ref, pastWrites)
	if err != nil {
		return nil, err
	}
	created := false
	written := map[string]bool{}
	for i := range writes {
		created = created || writes[i].Op == crm.Create
		for _, c := range writes[i].body.changes {
			written[c.Field] = true
		}
	}
	if !created {
		return nil, nil
	}
	var out []string
	for i := range differences {
		for _, field := range []string{differences[i].HubSpotField, differences[i].SalesforceField} {
			if !written[field] {
				out = append(out, field)
			}
		}
	}
	return out, nil
}
