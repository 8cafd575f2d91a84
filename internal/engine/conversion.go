package engine

import (
	"maps"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// conversion is a HubSpot contact whose Lead became a Contact, and the Account
// and the Opportunity that came of it.
type conversion struct {
	contact, account, opportunity string
}

// refilled reads the Contacts that Leads became, and has what a conversion left out
// of them given to them; see reconcile.Refill.
func (f *follower) refilled() error {
	const from, to = "Lead", "Contact"
	lens := f.e.lens(f.o, crm.Salesforce, to)
	if len(f.refill) == 0 || lens == nil {
		return nil
	}
	records, err := f.e.sides[crm.Salesforce].Lookup(f.ctx, lens.read, slices.Sorted(maps.Keys(f.refill)))
	if err != nil {
		return err
	}
	for i := range records {
		if r := &records[i]; !r.Archived && f.refill[r.ID] != nil {
			reconcile.Refill(f.o, f.refill[r.ID].Base, from, to, r)
			delete(f.refill, r.ID)
		}
	}
	for _, l := range f.refill { // deleted since: a change that was read before may be decided yet
		reconcile.Refill(f.o, l.Base, from, to, nil)
	}
	clear(f.refill)
	return nil
}

// relatives works out which company and which deal of the converted people are
// the same thing as the Account and the Opportunity of the conversion, so that
// neither is created once more. The account goes with the contact's primary
// company, or its only one; the opportunity with its only deal, when that is
// linked to nothing.
func (f *follower) relatives() error {
	if len(f.converted) == 0 {
		return nil
	}
	accounts, opportunities := f.e.objectBy(crm.Salesforce, "Account"), f.e.objectBy(crm.Salesforce, "Opportunity")
	read := crm.Read{Layout: crm.NewLayout(f.o.HubSpot, nil)}
	for _, far := range []*mapping.BoundObject{accounts, opportunities} {
		if far != nil && far != f.o {
			read.Relations = append(read.Relations, far.HubSpot)
		}
	}
	if len(read.Relations) == 0 {
		return nil
	}
	ids := make([]string, 0, len(f.converted))
	for _, c := range f.converted {
		ids = append(ids, c.contact)
	}
	records, err := f.e.sides[crm.HubSpot].Lookup(f.ctx, read, ids)
	if err != nil {
		return err
	}
	byID := make(map[string]*crm.Record, len(records))
	for i := range records {
		byID[records[i].ID] = &records[i]
	}
	for _, c := range f.converted {
		r := byID[c.contact]
		if r == nil {
			continue
		}
		if err := f.relative(accounts, r, crm.Ref{Side: crm.Salesforce, Object: "Account", ID: c.account}, false); err != nil {
			return err
		}
		if err := f.relative(opportunities, r, crm.Ref{Side: crm.Salesforce, Object: "Opportunity", ID: c.opportunity}, true); err != nil {
			return err
		}
	}
	f.converted = nil
	return nil
}

// relative notes that the contact's company (or deal) and what the conversion
// made of the Lead are kin, where the second is linked to nothing yet; with
// free, only where the first is not either.
func (f *follower) relative(far *mapping.BoundObject, contact *crm.Record, made crm.Ref, free bool) error {
	if far == nil || far == f.o || made.ID == "" {
		return nil
	}
	id := onlyRelation(contact, far.HubSpot)
	if id == "" {
		return nil
	}
	taken, err := f.e.store.Links(f.ctx, far.Name, crm.Salesforce, []string{made.ID})
	if err != nil || len(taken) > 0 {
		return err
	}
	if free {
		taken, err = f.e.store.Links(f.ctx, far.Name, crm.HubSpot, []string{id})
		if err != nil || len(taken) > 0 {
			return err
		}
	}
	f.kin = append(f.kin, store.Kin{Mapping: far.Name, HubSpotID: id, Salesforce: made})
	return nil
}

// onlyRelation is the primary record of object that a record is associated
// with, or the only one; empty when there are several or none.
func onlyRelation(r *crm.Record, object string) string {
	only, several := "", false
	for _, x := range r.Relations {
		if x.Object != object {
			continue
		}
		if x.Primary {
			return x.ID
		}
		several = several || only != "" && only != x.ID
		only = x.ID
	}
	if several {
		return ""
	}
	return only
}
