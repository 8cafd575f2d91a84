package mapping

import (
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Lists is the object as which the HubSpot client shows lists (which HubSpot's
// pages call segments), ListKind its property that says how a list gets its
// members, and Dynamic the value of those that HubSpot fills by their filters.
// https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
const (
	Lists    = "lists"
	ListKind = "processingType"
	Dynamic  = "DYNAMIC"
)

// For returns the rules by which a pair with this HubSpot record is decided:
// those of o, except for a list that HubSpot fills itself, to which nothing
// flows. The slots are the same, and mean the same. hubspot may be nil.
func (o *BoundObject) For(hubspot *crm.Record) *BoundObject {
	if o.reading != nil && hubspot.Value(ListKind).Text == Dynamic {
		return o.reading
	}
	return o
}

// OnlyReads tells whether these are the rules of For that write nothing to
// HubSpot.
func (o *BoundObject) OnlyReads() bool { return o.reading == o }

// onlyReading makes the rules for lists that HubSpot fills itself.
func onlyReading(o *BoundObject) *BoundObject {
	out := *o
	out.reading = &out
	object := *o.Object
	object.Deletes.InHubSpot = DeletesIgnore
	out.Object = &object
	schema := *o.HubSpotSchema
	schema.Updatable, schema.Deletable = false, false
	out.HubSpotSchema = &schema
	out.Targets = nil
	for _, t := range o.Targets {
		target := *t
		target.Fields, target.Associations = slices.Clone(t.Fields), slices.Clone(t.Associations)
		for i := range target.Fields {
			f := &target.Fields[i]
			rule := *f.Field
			rule.Direction = rule.Direction.awayFromHubSpot()
			if f.Field = &rule; f.HubSpotField != nil {
				property := *f.HubSpotField
				property.Updatable = false
				f.HubSpotField = &property
			}
		}
		for i := range target.Associations {
			a := &target.Associations[i]
			rule := *a.Association
			rule.Direction = rule.Direction.awayFromHubSpot()
			a.Association = &rule
		}
		out.Targets = append(out.Targets, &target)
	}
	return &out
}

func (d Direction) awayFromHubSpot() Direction {
	if d.Flows(crm.Salesforce) {
		return ToSalesforce
	}
	return neither
}

// ofLists checks an association that leads from a list, or to one.
func (b *binder) ofLists(o *BoundObject, a *Association) bool {
	switch {
	case slices.Contains(a.FarObjects(), Lists):
		b.problems.errorf(a.HubSpotPos, "association.list", "write it in the object that maps lists: {hubspot: contacts, salesforce: "+CampaignMember+"}", "HubSpot associates %s with no list; a list has members", o.HubSpot)
	case o.HubSpot != Lists:
		return true
	case a.HubSpot != "contacts" || len(a.Also) > 0:
		b.problems.errorf(a.HubSpotPos, "association.list", "write hubspot: contacts", "the lists that are read have contacts as their members")
	case a.Rows == nil:
		b.problems.errorf(a.SalesforcePos, "association.list", "write salesforce: "+CampaignMember+", or a junction of your own", "a list may have many members, and %s holds one", a.Salesforce)
	case len(a.Labels) > 0:
		b.problems.errorf(a.Labels[0].Pos, "association.list", "take `labels` out; `role` gives new members a status", "members of a list have no labels")
	default:
		return true
	}
	return false
}

// dynamicLists says that HubSpot's dynamic lists are only read, where the file
// takes them in and asks for more.
func (b *binder) dynamicLists(o *BoundObject) {
	if o.HubSpot != Lists {
		return
	}
	asks := o.Deletes.InHubSpot == DeletesArchive || slices.ContainsFunc(o.Fields, func(f Field) bool { return f.Direction.Flows(crm.HubSpot) }) ||
		slices.ContainsFunc(o.Associations, func(a Association) bool { return a.Direction.Flows(crm.HubSpot) })
	if !asks || o.WhereHubSpot != nil && slices.Contains(o.WhereHubSpot.HubSpotFields, ListKind) && !o.admitsList(Dynamic) {
		return
	}
	pos := o.HubSpotPos
	if o.WhereHubSpot != nil && o.admitsList(Dynamic) && !o.admitsList("MANUAL") && !o.admitsList("SNAPSHOT") {
		b.problems.errorf(o.Where.HubSpotPos, "list.dynamic", "write direction: to-salesforce to its fields and associations, or let MANUAL and SNAPSHOT lists in",
			"%s takes in nothing but dynamic lists, which HubSpot fills by their filters: nothing can flow to HubSpot", o.Name)
		return
	}
	b.problems.warnf(pos, "list.dynamic", `leave them out with where: {hubspot: 'hubspot.processingType != "DYNAMIC"'}, or write direction: to-salesforce`,
		"HubSpot fills dynamic lists by their filters, so Lockstep only reads them: name and members of such a list go to Salesforce, and nothing comes back")
}

// admitsList tells whether the filter lets a list of this kind in, as far as
// that does not depend on anything else.
func (o *BoundObject) admitsList(kind string) bool {
	rec := &crm.Record{Layout: crm.NewLayout(Lists, []string{ListKind}), Values: []crm.Value{crm.Text(kind)}}
	in, err := o.WhereHubSpot.Bool(rec, nil)
	return err != nil || in
}
