package mapping

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Schemas gives the live schemas by API name.
type Schemas struct {
	HubSpot    map[string]*crm.Object
	Salesforce map[string]*crm.Object
	// Labels are HubSpot's association labels from one object to another, for
	// the pairs of LabelPairs; what is not in it is not checked.
	Labels map[[2]string][]string
}

// Bound is a mapping checked against both schemas, ready to decide with.
type Bound struct {
	*Mapping
	// Objects in the order in which writes go: referenced objects first.
	Objects []*BoundObject
}

// Object finds a bound object by our name; nil when there is none.
func (b *Bound) Object(name string) *BoundObject {
	for _, o := range b.Objects {
		if o.Name == name {
			return o
		}
	}
	return nil
}

// BoundObject is one Object with its schemas, layouts and compiled expressions.
type BoundObject struct {
	*Object
	HubSpotSchema *crm.Object
	// HubSpotRead names every property that is needed: mapped, matched, filtered
	// on, used in expressions, the owner; and the associations to read along.
	HubSpotRead crm.Read
	// WhereHubSpot and WhereSalesforce are nil when nothing is filtered.
	WhereHubSpot    *Program
	WhereSalesforce *Program
	Targets         []*BoundTarget
	// BaseNames names the slots of crm.Base for this object, in order: one per
	// Field, then one per Association, then "owner" when OwnerByEmail, then
	// "rules": what filters, routes and matches the record beyond the mapped
	// fields, so that a change there is noticed too.
	BaseNames []string
	// Policies that writes of this object have to keep, in the order of the file.
	Policies []*BoundPolicy
	// BaseSlots says for each slot what its values mean, BaseVersion for all of
	// them together.
	BaseSlots   []uint64
	BaseVersion uint64
	// RuleFields are the HubSpot properties behind the slot "rules", sorted.
	RuleFields []string
	// PipelineProperty is the HubSpot property that names the pipeline of a
	// record ("pipeline"), where stages are mapped; empty otherwise.
	PipelineProperty string

	// reading are the rules for records of HubSpot that are only read (For); nil
	// where there are none.
	reading *BoundObject
}

// Target finds a bound target by Salesforce object; nil when there is none.
func (o *BoundObject) Target(object string) *BoundTarget {
	for _, t := range o.Targets {
		if t.Object == object {
			return t
		}
	}
	return nil
}

// BoundTarget is one Salesforce object of a BoundObject.
type BoundTarget struct {
	*Target
	Schema *crm.Object
	// When is nil when the target takes everything.
	When *Program
	// Read names every Salesforce field needed, and the junctions whose rows are
	// to be read along.
	Read   crm.Read
	Fields []BoundField
	// Associations of the object that exist on this target.
	Associations []BoundAssociation
	// RuleFields are the Salesforce fields behind the slot "rules", sorted.
	RuleFields []string
}

// BoundField is one Field on one target.
type BoundField struct {
	*Field
	// Slot is its place in BaseNames.
	Slot int
	// HubSpotField and SalesforceField are nil on the side that From computes.
	HubSpotField    *crm.Field
	SalesforceField *crm.Field
	// Program computes the value when From is set.
	Program *Program
	// StagePipeline tells for each HubSpot stage id the pipeline it belongs to,
	// where HubSpot is a pipeline stage property; nil otherwise.
	StagePipeline map[string]string
	// DerivedWhile names a Salesforce checkbox: while it is ticked, Salesforce
	// computes this field by itself and ignores what is written to it.
	DerivedWhile string
}

// hasLineItems is ticked on an Opportunity that has products; its amount is
// their sum then.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
const hasLineItems = "HasOpportunityLineItem"

// derivedWhile tells the fields that Salesforce computes at times.
func derivedWhile(o *crm.Object, field string) string {
	if o.Name == "Opportunity" && (field == "Amount" || field == "TotalOpportunityQuantity") && o.Field(hasLineItems) != nil {
		return hasLineItems
	}
	return ""
}

// BoundAssociation is one Association on one target.
type BoundAssociation struct {
	*Association
	Slot int
	// Mapping is our name of the object that the far end belongs to ("companies").
	Mapping string
	// Ends are all far objects in the order of the file, the first of them HubSpot.
	Ends []End
	// Junction is true where each association is a row of an object of its own,
	// false for a reference field.
	Junction bool
	// ReferenceTo are the Salesforce objects that the reference may point to, or
	// those at the far ends of a junction's rows.
	ReferenceTo []string
	// RowEnds are a junction's references to those, in the same order.
	RowEnds []crm.JunctionEnd
	// RowSchema is the junction's; nil for OpportunityContactRole and
	// CampaignMember, whose fields are known.
	RowSchema *crm.Object
}

// Join is the junction as a client reads and writes it.
func (a *BoundAssociation) Join() crm.Junction {
	return crm.Junction{Object: a.Rows.Object, Near: a.Rows.Near, Far: a.RowEnds[0].Field, FarObject: a.RowEnds[0].Object, Also: a.RowEnds[1:], Label: a.Rows.Label, Primary: a.Rows.Primary}
}

// RowEnd is the reference of a row that leads to records of a Salesforce object;
// the first one where none does.
func (a *BoundAssociation) RowEnd(object string) crm.JunctionEnd {
	for _, end := range a.RowEnds {
		if end.Object == object {
			return end
		}
	}
	return a.RowEnds[0]
}

// LabelOf is HubSpot's label for what a row's label field holds; empty where the
// table has none.
func (a *Association) LabelOf(role string) string {
	for _, v := range a.Labels {
		if strings.EqualFold(v.Salesforce, role) {
			return v.HubSpot
		}
	}
	return ""
}

// RoleOf is what a row's label field holds for one of HubSpot's labels, and Role
// for none of them.
func (a *Association) RoleOf(label string) string {
	for _, v := range a.Labels {
		if v.HubSpot == label {
			return v.Salesforce
		}
	}
	return a.Role
}

// HasLabel tells whether a HubSpot label is in the table.
func (a *Association) HasLabel(label string) bool {
	return slices.ContainsFunc(a.Labels, func(v ValuePair) bool { return v.HubSpot == label })
}

// Slot returns the place of a slot in BaseNames, or -1.
func (o *BoundObject) Slot(name string) int {
	for i, n := range o.BaseNames {
		if n == name {
			return i
		}
	}
	return -1
}

// The names of the slots that belong to no field.
const (
	SlotOwner = "owner"
	SlotRules = "rules"
)

// The fields that hold the owner of a record.
const (
	HubSpotOwner    = "hubspot_owner_id"
	SalesforceOwner = "OwnerId"
)

// LeadConverted is the field that says that a Lead became a Contact, and the
// others what it became; they are read along wherever Leads are mapped, because
// such a Lead can no longer be written.
const (
	LeadConverted        = "IsConverted"
	ConvertedContact     = "ConvertedContactId"
	ConvertedAccount     = "ConvertedAccountId"
	ConvertedOpportunity = "ConvertedOpportunityId"
)

// LeadCarries tells whether every conversion gives the Contact's field what the
// Lead's field holds: a new Contact has it, and an existing one where it held nothing.
// Other fields go over where an administrator maps them, or not to existing ones.
// https://help.salesforce.com/s/articleView?id=sales.lead_conversion_mapping.htm
func LeadCarries(contact, lead string) bool {
	switch contact {
	case "FirstName", "LastName", "Salutation", "Title", "Email", "Phone", "MobilePhone", "Fax", "Description":
		return lead == contact
	case "MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry":
		return "Mailing"+lead == contact
	}
	return false
}

// AlsoHolds names the HubSpot property that lists, with semicolons, further
// values of a property that a record is found by: a contact's other addresses,
// a company's other domains. It is empty for other properties.
func AlsoHolds(property string) string {
	switch property {
	case "email":
		return "hs_additional_emails"
	case "domain":
		return "hs_additional_domains"
	}
	return ""
}

// End is one far object of an association.
type End struct {
	// HubSpot is its object, Mapping our name of it.
	HubSpot string
	Mapping string
}

// FarObjects are the HubSpot objects that the association may lead to, in the
// order in which they are looked at.
func (a *Association) FarObjects() []string { return append([]string{a.HubSpot}, a.Also...) }

// LeadExcludes names, for activities, the reference that must be blank while
// another one points to a Lead; both empty for other objects.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_task.htm
func LeadExcludes(object string) (lead, excluded string) {
	if object == "Task" || object == "Event" {
		return "WhoId", "WhatId"
	}
	return "", ""
}

// LeadPrefix begins the id of every Lead.
const LeadPrefix = "00Q"
