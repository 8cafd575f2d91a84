// Package mapping reads lockstep.yaml: which objects and fields correspond,
// which way values go, and who wins. Parse checks the text by itself, Bind
// checks it against both live schemas and turns it into what package reconcile
// decides with. Both report every problem with line, column and mend.
package mapping

import (
	"math"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Mapping is the content of lockstep.yaml.
type Mapping struct {
	// File it came from, for messages.
	File string
	// HubSpot and Salesforce name accounts; credentials are never in the file.
	HubSpot    string
	Salesforce string
	// Every is the poll interval of `sync --watch`; default one minute.
	Every   time.Duration
	Wake    Wake
	Brakes  Brakes
	Budget  Budget
	Objects []Object
	// Policies are what no plan may do, whatever the rules of the objects say.
	Policies []Policy
	// Version is a hash of everything that decides (not of comments or order of
	// keys); plans and bases carry it.
	Version uint64
}

// Wake says what wakes `sync --watch` before its time. It decides nothing.
type Wake struct {
	// Webhooks is nil when none are taken.
	Webhooks *WakeWebhooks
	// Journal follows HubSpot's webhooks journal, ChangeEvents Salesforce's Change
	// Data Capture.
	Journal      bool
	ChangeEvents bool
}

// WakeWebhooks says where HubSpot's webhooks arrive.
type WakeWebhooks struct {
	// Listen is the address of this machine, URL what HubSpot was told.
	Listen string
	URL    string
	URLPos Pos
}

// DefaultListen is where webhooks are taken when the file does not say: a
// proxy with https stands before it.
const DefaultListen = "127.0.0.1:8087"

// Brakes are limits beyond which a plan waits for a person.
type Brakes struct {
	Creates Limit
	Updates Limit
	Deletes Limit
}

// Limit is a number of records or a share of them; the zero Limit brakes
// nothing. A limit of 0 in the file is a share so small that one record exceeds it.
type Limit struct {
	Count int
	// Share is 0 to 1 of the linked records.
	Share float64
}

// Most is the highest number of records that the limit allows when so many are
// linked. Without any link yet a share brakes nothing.
func (l Limit) Most(linked int) int {
	most := math.MaxInt
	if l.Count > 0 {
		most = l.Count
	}
	switch {
	case l.Share <= 0:
	case l.Share <= smallestShare:
		return 0
	case linked > 0:
		most = min(most, int(math.Ceil(l.Share*float64(linked))))
	}
	return most
}

// Budget is the share (0 to 1) of each daily quota that is ours to use.
type Budget struct {
	HubSpot    float64
	Salesforce float64
}

// Pos is a place in lockstep.yaml, from 1.
type Pos struct {
	Line   int
	Column int
}

// CreatePolicy says where missing records may be created.
type CreatePolicy string

// The policies.
const (
	CreateBoth         CreatePolicy = "both"
	CreateInSalesforce CreatePolicy = "in-salesforce"
	CreateInHubSpot    CreatePolicy = "in-hubspot"
	CreateNever        CreatePolicy = "never"
)

// In tells whether records may be created on side.
func (c CreatePolicy) In(side crm.Side) bool {
	return c == CreateBoth || c == CreateInSalesforce && side == crm.Salesforce || c == CreateInHubSpot && side == crm.HubSpot
}

// Direction says which way a field's values go.
type Direction string

// The directions.
const (
	Both         Direction = "both"
	ToSalesforce Direction = "to-salesforce"
	ToHubSpot    Direction = "to-hubspot"
	// neither is no word of the file: it is what is left of to-hubspot where
	// nothing flows to HubSpot.
	neither Direction = "to neither side"
)

// Flows tells whether values flow to side.
func (d Direction) Flows(to crm.Side) bool {
	return d == Both || d == ToSalesforce && to == crm.Salesforce || d == ToHubSpot && to == crm.HubSpot
}

// Winner says who wins when both sides changed since the base.
type Winner string

// The winners. The "unless-blank" forms never let a blank overwrite a value.
const (
	WinsNewest                Winner = "newest"
	WinsHubSpot               Winner = "hubspot"
	WinsSalesforce            Winner = "salesforce"
	WinsHold                  Winner = "hold"
	WinsHubSpotUnlessBlank    Winner = "hubspot-unless-blank"
	WinsSalesforceUnlessBlank Winner = "salesforce-unless-blank"
)

// DeletePolicy says what follows when a linked record is deleted on one side.
type DeletePolicy string

// The policies. Deletes never cascade by surprise: the default is ignore.
const (
	DeletesIgnore  DeletePolicy = "ignore"
	DeletesArchive DeletePolicy = "archive"
	DeletesAsk     DeletePolicy = "ask"
)

// Deletes says what follows on each side when a linked record is deleted on the
// other one.
type Deletes struct {
	InHubSpot    DeletePolicy
	InSalesforce DeletePolicy
}

// In returns what follows on side.
func (d Deletes) In(side crm.Side) DeletePolicy {
	if side == crm.HubSpot {
		return d.InHubSpot
	}
	return d.InSalesforce
}

// String is how the file says it.
func (d Deletes) String() string {
	if d.InHubSpot == d.InSalesforce {
		return string(d.InHubSpot)
	}
	return "{in-hubspot: " + string(d.InHubSpot) + ", in-salesforce: " + string(d.InSalesforce) + "}"
}

// LeavePolicy says what follows when a linked record leaves the filter.
type LeavePolicy string

// The policies. The default is stop: neither side is written to any more.
const (
	LeavesStop    LeavePolicy = "stop"
	LeavesArchive LeavePolicy = "archive" // the record on the other side is archived
	LeavesKeep    LeavePolicy = "keep"    // the pair is kept in step all the same
)

// Object maps one HubSpot object to one or more Salesforce objects.
type Object struct {
	Pos
	NamePos       Pos
	HubSpotPos    Pos
	ExternalIDPos Pos
	// Name is ours, unique in the file: "companies", "people", "deals".
	Name string
	// HubSpot is the object type as it stands in paths: "contacts".
	HubSpot string
	// Targets are tried in order; the first whose When holds takes a new record.
	Targets []Target
	// Match lists ways to find the same record on the other side, best first.
	Match []Match
	// ExternalID is the Salesforce field (unique, external id) that holds the
	// HubSpot record id; empty when there is none. It makes creates repeatable.
	ExternalID   string
	Create       CreatePolicy
	Where        Where
	Fields       []Field
	Associations []Association
	// OwnerByEmail keeps hubspot_owner_id and OwnerId the same person.
	OwnerByEmail bool
	// OwnerOtherwise is the user name or the e-mail address of whoever owns a new
	// record whose owner is nobody on its side; empty leaves it to the vendor.
	OwnerOtherwise string
	Deletes        Deletes
	Leaves         LeavePolicy
}

// Target is one Salesforce object that records of an Object may become.
type Target struct {
	Pos
	Object string
	// When is an expression over `hubspot`; empty means always.
	When    string
	WhenPos Pos
}

// Match pairs two fields whose equal values mean "the same record".
type Match struct {
	Pos
	HubSpotPos    Pos
	SalesforcePos Pos
	HubSpot       string
	Salesforce    string
	// As is how values are compared: email, domain, phone, text, id.
	As string
}

// Where are the filters; an empty expression lets everything pass.
type Where struct {
	HubSpot       string
	HubSpotPos    Pos
	Salesforce    string
	SalesforcePos Pos
}

// Field maps one property to one field, or computes one from an expression.
type Field struct {
	Pos
	HubSpotPos    Pos
	SalesforcePos Pos
	FromPos       Pos
	HubSpot       string
	Salesforce    string
	// From is an expression that gives the value; then exactly one of HubSpot
	// and Salesforce is named and Direction points to it.
	From      string
	Direction Direction
	// Shift is by how many places the point of HubSpot's number moves to make it
	// Salesforce's: 2 for `times: 100`, -3 for `times: 0.001`.
	Shift    int
	ShiftPos Pos
	// ShiftGiven: the file says it itself, so nobody needs a warning.
	ShiftGiven bool
	Wins       Winner
	// Values maps HubSpot values to Salesforce values, in the order of the file
	// (the first HubSpot value of several that share a Salesforce value is the
	// way back).
	Values []ValuePair
	// Unmapped says what to do with a value that the other side does not take:
	// "hold" (default), "skip" (leave this field alone), or "use" with UnmappedValue.
	Unmapped      string
	UnmappedValue string
	// Blank is written to Salesforce where HubSpot holds nothing; it never flows back.
	Blank string
	// TooLong says what to do with text longer than the other side's field:
	// "hold" (default), "skip" or "cut" (at a character border, told in the plan).
	TooLong string
	// TooLongGiven: the file says TooLong itself, so nobody needs a warning.
	TooLongGiven bool
	// On limits the field to these Salesforce objects; empty means all targets.
	On []string
}

// ValuePair is one line of a value table.
type ValuePair struct {
	Pos
	HubSpot    string
	Salesforce string
}

// Association keeps HubSpot associations and a Salesforce reference or role in step.
type Association struct {
	Pos
	HubSpotPos    Pos
	SalesforcePos Pos
	// HubSpot is the far object: "companies", "contacts".
	HubSpot string
	// Also are further far objects of a reference that may point to several: the
	// first of all that the record is associated with gives the reference.
	Also []string
	// By is the HubSpot property that holds the far record's id where no
	// association does: "hs_product_id" of line items.
	By    string
	ByPos Pos
	// Salesforce is a reference field of the target ("AccountId") or the object of
	// Rows.
	Salesforce string
	// Rows says how Salesforce keeps each association as a record of its own; nil
	// for a reference field.
	Rows *Rows
	// On limits it to these Salesforce objects; empty means all that have it.
	On []string
	// Role is written to the label field of a new row whose association has none
	// of Labels; may be empty.
	Role string
	// Labels pairs HubSpot's association labels with values of the row's label
	// field.
	Labels []ValuePair
	// Direction says which way changes go; Wins is hubspot, salesforce or hold,
	// since HubSpot's associations have no time by which one would be the newest.
	Direction Direction
	Wins      Winner
	// WinsPos is zero unless the file says who wins.
	WinsPos Pos
}

// Name names an association among those of an object, in rows of the store.
func (a *Association) Name() string { return a.HubSpot + "/" + a.Salesforce }

// Rows is an object that joins two others.
type Rows struct {
	Pos
	NearPos    Pos
	FarPos     Pos
	LabelPos   Pos
	PrimaryPos Pos
	// Object is its API name; Near and Far are its references to the two records,
	// Label and Primary its fields for a role and for the first of several, empty
	// where it has none.
	Object  string
	Near    string
	Far     string
	Label   string
	Primary string
	// Ends are its references to far records where it is an object of Salesforce's
	// own, whose fields are known; Far is the first of them.
	Ends []crm.JunctionEnd
}

// contactRole is how Opportunity and Contact are joined.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunitycontactrole.htm
func contactRole(pos Pos) *Rows {
	return &Rows{Pos: pos, Object: ContactRole, Near: "OpportunityId", Far: "ContactId", Label: "Role", Primary: "IsPrimary",
		Ends: []crm.JunctionEnd{{Field: "ContactId", Object: "Contact"}}}
}

// CampaignMember is the junction of Campaign with Contact or Lead, which an
// Association may name instead of a reference field.
const CampaignMember = "CampaignMember"

// campaignMember is how Campaign is joined with people. A converted Lead's member
// holds both references, and is the Contact's. Status is only named where the
// file gives new members one (`role`); else it is the campaign's default.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmember.htm
func campaignMember(pos Pos, role string) *Rows {
	r := &Rows{Pos: pos, Object: CampaignMember, Near: "CampaignId", Far: "ContactId",
		Ends: []crm.JunctionEnd{{Field: "ContactId", Object: "Contact"}, {Field: "LeadId", Object: "Lead"}}}
	if role != "" {
		r.Label = "Status"
	}
	return r
}

// joinsOf tells which object the rows of a junction of Salesforce's own join,
// with how many others; near is empty for other junctions, whose fields tell.
func joinsOf(junction string) (near, far string) {
	switch junction {
	case ContactRole:
		return "Opportunity", "Contact"
	case CampaignMember:
		return "Campaign", "Contact or Lead"
	}
	return "", ""
}
