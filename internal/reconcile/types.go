// Package reconcile decides: link, base and both records in, writes out. It is
// pure: no I/O, no clock, no chance. The same snapshot always gives the same
// decision, which is what makes a plan that can be shown, sealed and repeated.
package reconcile

import (
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Snapshot is all that one decision may look at: one thing, as both sides held
// it when they were read.
type Snapshot struct {
	// Link is nil for a record that is linked to nothing yet.
	Link *crm.Link
	// HubSpot and Salesforce are nil where there is no such record. For an
	// unlinked thing exactly one of them is set.
	HubSpot    *crm.Record
	Salesforce *crm.Record
	// HubSpotGone and SalesforceGone: the linked record is archived or deleted.
	HubSpotGone    bool
	SalesforceGone bool
	// Back is the side whose record was deleted when the pair was last decided, and is
	// there again; empty otherwise.
	Back crm.Side
	// Departed is the side whose record left the filter, when its counterpart was
	// archived by us for that.
	Departed crm.Side
	// Candidates are the other side's records that share a match key, best rule
	// first; only those of the first rule that found any.
	Candidates []Candidate
	// Rivals are records of the same side as the unlinked record that share the
	// match key by which the candidates were found.
	Rivals []crm.Ref
	// Ties are what was agreed of the pair's associations that Salesforce keeps as
	// rows.
	Ties []crm.Tie
	// Known answers what other records and people are on the other side.
	Known Known
	// Answers are those to what the rules that choose the Salesforce object ask.
	Answers map[mapping.Question]Answer
	// Times tell when fields were last set, by side and vendor's field name; nil
	// before they were asked for.
	Times map[crm.Side]map[string]crm.FieldTime
	// Shown are the conflicts of this thing that a person is shown, and
	// Resolutions what people answered to them.
	Shown       []Conflict
	Resolutions []Resolution
	// Alias is set for an unlinked record that belongs to a pair all the same.
	Alias *Alias
}

// Answer says whether another object has a Salesforce record with a key.
type Answer struct {
	// Known: there is one, or this plan makes one.
	Known bool
	// Record is that record, when it is the only one; where this plan makes it,
	// the HubSpot record that it is made of.
	Record crm.Ref
}

// Alias says to which pair a record belongs besides the two that are linked:
// its own partner became part of the pair's record on the other side.
type Alias struct {
	// Pair is the pair's record on the other side, Partner the one that is
	// linked with it.
	Pair    crm.Ref
	Partner crm.Ref
	// Merged is the id of the record's own partner, before that was merged into
	// Pair, or converted to it.
	Merged    string
	Converted bool
}

// Candidate is a record that might be the same thing.
type Candidate struct {
	Record *crm.Record
	// Object is the vendor's object name of the record ("Contact", "Lead").
	Object string
	// Rule is the index in Object.Match that found it.
	Rule int
	// LinkedTo is set when the candidate is already linked to another record.
	LinkedTo crm.Ref
}

// Standing says how a referenced record stands on the other side.
type Standing uint8

// The standings.
const (
	// Unknown: not mapped, or never seen.
	Unknown Standing = iota
	// Linked: it exists on the other side.
	Linked
	// Planned: this plan creates it, before anything that refers to it.
	Planned
	// Waiting: it is held, excluded or failed; the reference must wait.
	Waiting
)

// Known answers questions about other things. It must be a function of the
// snapshot's moment: asked twice, it answers the same.
type Known interface {
	// Counterpart returns the record on the other side that ref is linked with.
	// The returned Ref is only filled for Linked.
	Counterpart(mapping string, ref crm.Ref) (crm.Ref, Standing)
	// Back tells whether a Linked ref, or its counterpart, was deleted and has come
	// back since the last plan: what ended with it was ended by nobody.
	Back(mapping string, ref crm.Ref) bool
	// ByPlan tells whether a Linked ref is linked by this plan only: what the plan does
	// to it may yet be left out, so a write has to wait for the link.
	ByPlan(mapping string, ref crm.Ref) bool
	// Owner returns the other side's owner with the same e-mail as the owner
	// with this id on side; ok is false when there is none who is active.
	Owner(side crm.Side, id string) (other string, ok bool)
	// OwnerName returns a name for messages.
	OwnerName(side crm.Side, id string) string
	// OwnerTrouble says why an owner has no counterpart, as the end of a sentence
	// about him: "is no longer active in HubSpot".
	OwnerTrouble(side crm.Side, id string) string
	// OwnerNamed returns the active owner of a side with this user name or e-mail
	// address.
	OwnerNamed(side crm.Side, name string) (id string, ok bool)
}

// Decision is what becomes of one thing.
type Decision struct {
	Mapping string
	// HubSpot and Salesforce say which records the thing is made of; one of them
	// is zero for an unlinked record.
	HubSpot    crm.Ref
	Salesforce crm.Ref
	Outcome    crm.Outcome
	Reason     crm.Reason
	// Notes are remarks on single fields that did not decide the outcome: text
	// that was cut, a value that was left alone, a reference that waits.
	Notes []crm.Reason
	// NewLink is set when an unlinked pair is to be linked (also when a write
	// follows). Its Base is what both sides agree on once the writes are done.
	NewLink *crm.Link
	// Base is the new base of the existing link (also when there is no write:
	// both sides may have come to agree by themselves). Nil: leave it.
	Base *crm.Base
	// Open are the slots of the base that stay as they were, because what a side
	// holds there cannot go over yet, or could not be read.
	Open []int
	// Writes are at most one per side, besides relations.
	Writes []PlannedWrite
	// Awaits are references of this thing that are not on the other side yet;
	// when one of them is linked the thing must be decided again.
	Awaits []crm.Ref
	// Retie: what is agreed of the pair's associations is to be Ties, and the ties
	// of the relation writes that come through.
	Retie bool
	Ties  []crm.Tie
	// Unlink: the link is to be given up (both sides are gone).
	Unlink bool
	// Again: what is left of the pair is to be decided once more, as a record
	// that is linked to nothing.
	Again bool
	// Asks are fields whose time would make the decision better: where there are
	// any, and Snapshot.Times is nil, it should be made again with them.
	Asks []Ask
	// Conflicts are what a person has to decide.
	Conflicts []Conflict
	// Kept: an answer of a person has to be remembered for the next decision.
	Kept bool
	// Departed is what Snapshot.Departed is from now on, once the writes are done.
	Departed crm.Side
}

// PlannedWrite is one write before its references are known.
type PlannedWrite struct {
	Side   crm.Side
	Op     crm.Op
	Object string
	// ID of the record to write to; empty on Create.
	ID            string
	Changes       []Change
	ExternalField string
	// ExternalValue is the value for ExternalField (a HubSpot record id).
	ExternalValue string
	// Relation for Relate and Unrelate: the far end as the SOURCE side knows it
	// (Relate), or what to remove on the target (Unrelate).
	Relation *RelationChange
	Reason   crm.Reason
}

// Change is one field of a planned write.
type Change struct {
	// Field is the target's API name.
	Field  string
	Before crm.Value
	After  crm.Value
	// Ref is set when After is only known at apply time: the id of the record on
	// the target side that is linked with Ref.
	Ref *crm.Ref
	// RefMapping is our name of the object that Ref belongs to.
	RefMapping string
	// RefObjects are the target side's objects that the reference may point to;
	// when Ref has become another one, the change is dropped. Empty: any.
	RefObjects []string
	// Slot is the place in the base of the field that is written, -1 for none.
	// Where Ref is set the decision leaves 0 in this slot of the written side;
	// ReferenceHash of the id belongs there (0 is right as well, and costs one
	// more decision).
	Slot int
	// Why names the rule: "hubspot changed", "newest: hubspot", "first match:
	// fill blank", "owner by e-mail".
	Why string
}

// bothChanged begins what is said of a value that won over a change of the other
// side; changedText is said of one that no other stood against.
const bothChanged = "both changed, "

func changedText(side crm.Side) string { return string(side) + " changed" }

// Carries tells whether the change carried on what was set on a side since the
// two sides were settled last.
func (c *Change) Carries(side crm.Side) bool {
	return strings.HasPrefix(c.Why, changedText(side)) || strings.HasPrefix(c.Why, bothChanged)
}

// RelationChange is one association row to add or remove.
type RelationChange struct {
	// Far is the far record on the source side, for Relate.
	Far        crm.Ref
	FarMapping string
	// Object is the junction object: "OpportunityContactRole".
	Object string
	// FarObject is what the far record must be on the target side ("Contact",
	// "companies"); when it has become another object, the relation is dropped.
	FarObject string
	// FarField and NearField are the junction's reference fields: "ContactId",
	// "OpportunityId"; LabelField and PrimaryField its fields for a role and for
	// the primary one of several. All are empty for a HubSpot association.
	FarField     string
	NearField    string
	LabelField   string
	PrimaryField string
	// Role is what the label field of the row is to hold; in HubSpot the labels of
	// the association, joined by ";": those that it is to have (Relate) or those
	// that end, while the association stays (Unrelate).
	Role    string
	Primary bool
	// FarID is the far record on the side that is written to, for Unrelate in
	// HubSpot.
	FarID string
	// RowID is the row to remove, for Unrelate in Salesforce; for Relate a row that
	// gets another role.
	RowID string
	// Relabel: the association or row stays, only its labels change.
	Relabel bool
	// Ties are what is agreed once this write came through. Where the far record
	// is only known at apply time Far is empty, where the row is RowID.
	Ties []crm.Tie
}
