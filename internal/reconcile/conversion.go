package reconcile

import (
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// ConvertedTo returns the Contact that a Lead became; zero when it was not
// converted, when it cannot be read to which one, and when the mapping does not
// name Contact.
func ConvertedTo(o *mapping.BoundObject, side crm.Side, object string, rec *crm.Record) crm.Ref {
	if !isConverted(side, object, rec) || o.Target("Contact") == nil {
		return crm.Ref{}
	}
	id := wideID(rec.Value(mapping.ConvertedContact).Text)
	if id == "" {
		return crm.Ref{}
	}
	return crm.Ref{Side: crm.Salesforce, Object: "Contact", ID: id}
}

// Carry returns the base of a link whose Salesforce record becomes one of
// another object. What both objects have keeps its base; of what only the new
// one has nothing is known, so that it is decided as on a first match.
func Carry(o *mapping.BoundObject, base crm.Base, from, to string) crm.Base {
	was, is := o.Target(from), o.Target(to)
	if was == nil || is == nil || len(base.HubSpot) != len(o.BaseNames) || len(base.Salesforce) != len(o.BaseNames) {
		return crm.Base{}
	}
	had := map[int]bool{}
	for i := range was.Fields {
		had[was.Fields[i].Slot] = true
	}
	for i := range was.Associations {
		had[was.Associations[i].Slot] = true
	}
	out := crm.Base{Version: base.Version, HubSpot: slices.Clone(base.HubSpot), Salesforce: slices.Clone(base.Salesforce)}
	forget := func(slot int) {
		if !had[slot] {
			out.HubSpot[slot], out.Salesforce[slot] = 0, 0
		}
	}
	for i := range is.Fields {
		forget(is.Fields[i].Slot)
	}
	for i := range is.Associations {
		forget(is.Associations[i].Slot)
	}
	// What filters and matches is read from other fields now.
	out.Salesforce[len(out.Salesforce)-1] = 0
	return out
}

// Refill is the base of a link that a conversion moved, where the new record holds
// nothing of a field that both objects have: besides the fields that are always
// carried over, and that somebody cleared where they are blank, Salesforce carries
// only what the org maps from leads to contacts. That says nothing about the person,
// so HubSpot's value counts as changed, and goes to the new record instead of being
// blanked. Where the new record is not there to be looked at (rec is nil), nothing is
// known of these fields.
// https://help.salesforce.com/s/articleView?id=sales.customize_mapleads.htm
func Refill(o *mapping.BoundObject, base crm.Base, from, to string, rec *crm.Record) {
	was, is := o.Target(from), o.Target(to)
	if was == nil || is == nil || len(base.HubSpot) != len(o.BaseNames) || len(base.Salesforce) != len(o.BaseNames) {
		return
	}
	now := Fingerprint(o, crm.Salesforce, to, rec) // all 0 without rec
	for i := range is.Fields {
		f := &is.Fields[i]
		k := slices.IndexFunc(was.Fields, func(w mapping.BoundField) bool { return w.Slot == f.Slot })
		had := k >= 0 && !carried(f, &was.Fields[k])
		if f.Program != nil || !had || f.SalesforceField == nil || base.HubSpot[f.Slot] == 0 || base.Salesforce[f.Slot] == now[f.Slot] {
			continue
		}
		if rec == nil {
			base.HubSpot[f.Slot], base.Salesforce[f.Slot] = 0, 0
			continue
		}
		v := rec.Value(f.SalesforceField.Name)
		if v.State == crm.Blank || f.SalesforceField.Kind == crm.KindBool && v.IsPresent() && v.Text == "false" {
			base.HubSpot[f.Slot], base.Salesforce[f.Slot] = pendingHash(), now[f.Slot]
		}
	}
}

func carried(is, was *mapping.BoundField) bool {
	return is.SalesforceField != nil && was.SalesforceField != nil && mapping.LeadCarries(is.SalesforceField.Name, was.SalesforceField.Name)
}
