package reconcile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Decide says what becomes of one thing. It looks at nothing but its arguments
// and changes neither.
//
// The rules, in order:
//   - A linked pair of which one record is gone follows `deletes`, whatever
//     `where` says; a pair of which both are gone is unlinked.
//   - A record that `where` leaves out is written to on neither side; of a linked
//     pair `leaves` may say that the other record is archived, or that the pair is
//     kept in step all the same.
//   - A linked pair is merged field by field against its base. The side that
//     changed gives the value; where both changed, `wins` decides; where nothing
//     is known of the past, blanks are filled, then `wins` decides. A field that
//     goes one way is never written the other way: a change on its receiving
//     side stays until the giving side changes. Values that mean the same are
//     never written.
//   - An unlinked record is linked when exactly one free record matches it and
//     nothing else on its own side does, created where `create` allows it when
//     nothing matches, and held otherwise.
//   - One value that cannot be written holds the whole thing, so that nothing is
//     half written.
func Decide(o *mapping.BoundObject, s Snapshot) Decision {
	d := &decider{object: o.For(s.HubSpot), Snapshot: s, out: Decision{Mapping: o.Name}}
	if s.HubSpot != nil {
		d.out.HubSpot = crm.Ref{Side: crm.HubSpot, Object: o.HubSpotSchema.Name, ID: s.HubSpot.ID}
	}
	if s.Salesforce != nil {
		d.out.Salesforce = crm.Ref{Side: crm.Salesforce, Object: s.Salesforce.Layout.Object, ID: s.Salesforce.ID}
	}
	if s.Link != nil {
		d.linked()
	} else {
		d.unlinked()
	}
	return d.out
}

type decider struct {
	Snapshot
	object *mapping.BoundObject
	out    Decision
	// answered are conflicts that a person answered and that this decision would do
	// away with; while something else holds it, the answers stay.
	answered []Conflict
}

func (d *decider) end(outcome crm.Outcome, code, mend, format string, args ...any) {
	d.out.Outcome = outcome
	d.out.Reason = crm.Reason{Code: code, Text: fmt.Sprintf(format, args...), Mend: mend}
}

func (d *decider) note(r crm.Reason) { d.out.Notes = append(d.out.Notes, r) }

// hold ends with the first of several reasons and keeps the others as notes.
func (d *decider) hold(reasons []crm.Reason) {
	d.out.Outcome, d.out.Reason = crm.Held, reasons[0]
	d.out.Writes, d.out.NewLink, d.out.Base, d.out.Ties = nil, nil, nil, nil
	d.out.Conflicts = append(d.out.Conflicts, d.answered...)
	for _, r := range reasons[1:] {
		d.note(crm.Reason{Code: NoteAlsoHeld, Text: r.Text, Mend: r.Mend, Field: r.Field})
	}
}

func (d *decider) known() Known {
	if d.Known == nil {
		return nobody{}
	}
	return d.Known
}

// nobody knows nothing; it stands in for an absent Known.
type nobody struct{}

func (nobody) Counterpart(string, crm.Ref) (crm.Ref, Standing) { return crm.Ref{}, Unknown }
func (nobody) Back(string, crm.Ref) bool                       { return false }
func (nobody) ByPlan(string, crm.Ref) bool                     { return false }
func (nobody) Owner(crm.Side, string) (string, bool)           { return "", false }
func (nobody) OwnerName(_ crm.Side, id string) string          { return id }
func (nobody) OwnerTrouble(crm.Side, string) string            { return "is not known" }
func (nobody) OwnerNamed(crm.Side, string) (string, bool)      { return "", false }

// linked decides a pair that is linked already.
func (d *decider) linked() {
	o, link := d.object, d.Link
	d.out.HubSpot = crm.Ref{Side: crm.HubSpot, Object: o.HubSpotSchema.Name, ID: link.HubSpotID}
	d.out.Salesforce = crm.Ref{Side: crm.Salesforce, Object: link.SalesforceObject, ID: link.SalesforceID}
	d.out.Departed = d.Departed
	if d.gone() {
		return
	}
	if d.HubSpot == nil || d.Salesforce == nil {
		side := crm.HubSpot
		if d.HubSpot != nil {
			side = crm.Salesforce
		}
		d.end(crm.Held, CodeUnread, "run `lockstep sync` again", "the %s record of the pair was not read", side.Title())
		return
	}
	target := o.Target(link.SalesforceObject)
	if target == nil {
		d.end(crm.Excluded, CodeNoTarget, "name "+link.SalesforceObject+" in `salesforce` of "+o.Name+" again, if it shall be kept in step", "the mapping of %s no longer names Salesforce %s", o.Name, link.SalesforceObject)
		return
	}
	if isConverted(crm.Salesforce, link.SalesforceObject, d.Salesforce) {
		d.converted()
		return
	}
	if d.outside() {
		return
	}
	d.pair(target, link.Base, false)
}

// converted holds a pair whose Lead became a Contact that the link cannot
// follow to.
func (d *decider) converted() {
	contact := d.Salesforce.Value(mapping.ConvertedContact)
	switch {
	case d.object.Target("Contact") == nil:
		d.end(crm.Held, CodeLeadConverted, "name Contact in `salesforce` of "+d.object.Name+": the link then follows by itself", "the Salesforce Lead was converted to Contact %s, which the mapping of %s does not name", contact.Text, d.object.Name)
	case contact.State == crm.Missing || contact.State == crm.Unreadable:
		d.end(crm.Held, CodeLeadConverted, "let the credential read Lead."+mapping.ConvertedContact, "the Salesforce Lead was converted, and the credential may not read to which Contact")
	default:
		d.end(crm.Held, CodeLeadConverted, "run `lockstep sync` again", "the Salesforce Lead was converted, and its Contact is not known yet")
	}
}

// gone handles pairs of which a record is deleted; true when that ends it.
func (d *decider) gone() bool {
	hubspot := d.HubSpotGone || d.HubSpot != nil && d.HubSpot.Archived
	salesforce := d.SalesforceGone || d.Salesforce != nil && d.Salesforce.Archived
	for _, r := range []*crm.Record{d.HubSpot, d.Salesforce} {
		if r != nil && r.MergedInto != "" && !(hubspot && salesforce) {
			side := crm.HubSpot
			if r == d.Salesforce {
				side = crm.Salesforce
			}
			d.end(crm.Held, CodeMerged, "merge the two on the other side as well", "the %s record was merged into %s", side.Title(), r.MergedInto)
			return true
		}
	}
	switch {
	case hubspot && salesforce:
		d.out.Unlink = true
		d.end(crm.Excluded, CodeBothGone, "", "deleted on both sides; the link is given up")
	case hubspot && d.Departed == crm.Salesforce, salesforce && d.Departed == crm.HubSpot:
		d.archivedForIt()
	case hubspot:
		d.oneGone(crm.HubSpot)
	case salesforce:
		d.oneGone(crm.Salesforce)
	default:
		return false
	}
	return true
}

func (d *decider) oneGone(side crm.Side) {
	other := d.out.Salesforce
	if side == crm.Salesforce {
		other = d.out.HubSpot
	}
	switch d.object.Deletes.In(other.Side) {
	case mapping.DeletesArchive:
		d.archiveToo(side, other, "")
	case mapping.DeletesAsk:
		d.heldDelete(side, other)
	default:
		d.end(crm.Excluded, CodeGone, "write deletes: ask (or archive) to be told (or followed)", "deleted in %s; `deletes` says ignore, so it stays in %s and is not created again", side.Title(), other.Side.Title())
	}
}

// archiveToo archives what is left of a pair, for the reason told.
func (d *decider) archiveToo(gone crm.Side, other crm.Ref, because string) {
	if !d.deletable(other) {
		d.end(crm.Held, CodeNotWritable, "grant it, or write deletes: ignore", "deleted in %s, and the credential may not delete %s %s", gone.Title(), other.Side.Title(), other.Object)
		return
	}
	d.end(crm.Synced, CodeArchived, "", "deleted in %s, so it is deleted in %s as well%s", gone.Title(), other.Side.Title(), because)
	d.out.Writes = []PlannedWrite{{Side: other.Side, Op: crm.Archive, Object: other.Object, ID: other.ID, Reason: d.out.Reason}}
}

// outside decides a pair of which a record is outside the filter; false when
// the pair is to be kept in step.
func (d *decider) outside() bool {
	hubspot, ok := d.admits(crm.HubSpot, d.HubSpot)
	if !ok {
		return true
	}
	salesforce, ok := d.admits(crm.Salesforce, d.Salesforce)
	if !ok {
		return true
	}
	if hubspot && salesforce {
		d.out.Departed = ""
		return false
	}
	left, rec := crm.HubSpot, d.HubSpot
	if hubspot {
		left, rec = crm.Salesforce, d.Salesforce
	}
	other := d.out.Salesforce
	if left == crm.Salesforce {
		other = d.out.HubSpot
	}
	switch {
	case d.object.Leaves == mapping.LeavesKeep:
		return false
	case d.object.Leaves != mapping.LeavesArchive || !hubspot && !salesforce:
		d.passes(left, rec, CodeFilter)
	case d.Departed == left:
		// It was archived for this once, and a person brought it back.
		d.end(crm.Excluded, CodeFilter, "", "left out by where: {%s: %s}; its counterpart in %s was archived for that and restored by somebody, so it stays", left, strconv.Quote(d.filter(left).Source), other.Side.Title())
	case !d.deletable(other):
		d.end(crm.Held, CodeNotWritable, "grant it, or write leaves: stop", "it left the filter of %s, and the credential may not delete %s %s", left.Title(), other.Side.Title(), other.Object)
	default:
		d.end(crm.Synced, CodeLeft, "", "it left the filter of %s, so it is archived in %s (leaves: archive)", left.Title(), other.Side.Title())
		d.out.Writes = []PlannedWrite{{Side: other.Side, Op: crm.Archive, Object: other.Object, ID: other.ID, Reason: d.out.Reason}}
		d.out.Departed = left
	}
	return true
}

// archivedForIt decides a pair whose record left the filter and whose
// counterpart was archived for that. What is archived cannot be brought back
// through either vendor's API, so a record that returns is made anew.
func (d *decider) archivedForIt() {
	rec := d.HubSpot
	if d.Departed == crm.Salesforce {
		rec = d.Salesforce
	}
	in, ok := d.admits(d.Departed, rec)
	switch {
	case !ok:
	case in:
		d.out.Unlink, d.out.Again = true, true
		d.end(crm.Excluded, CodeReturned, "", "it is back in the filter of %s; what was archived in %s for it is given up, and it is decided like a new record", d.Departed.Title(), d.Departed.Other().Title())
	default:
		d.end(crm.Excluded, CodeFilter, "", "left out by where: {%s: %s}; its counterpart in %s is archived", d.Departed, strconv.Quote(d.filter(d.Departed).Source), d.Departed.Other().Title())
	}
}

func (d *decider) deletable(ref crm.Ref) bool {
	if ref.Side == crm.HubSpot {
		return d.object.HubSpotSchema.Deletable
	}
	t := d.object.Target(ref.Object)
	return t != nil && t.Schema.Deletable
}

func (d *decider) filter(side crm.Side) *mapping.Program {
	if side == crm.HubSpot {
		return d.object.WhereHubSpot
	}
	return d.object.WhereSalesforce
}

// admits evaluates the filter of one side; ok is false when that cannot be
// done, and the outcome is set.
func (d *decider) admits(side crm.Side, rec *crm.Record) (in, ok bool) {
	program := d.filter(side)
	if program == nil {
		return true, true
	}
	var err error
	if side == crm.HubSpot {
		in, err = program.Bool(rec, nil)
	} else {
		in, err = program.Bool(nil, rec)
	}
	if err != nil {
		d.end(crm.Held, CodeExpression, fault.MendOf(err), "the filter of %s cannot be evaluated: %v", side.Title(), err)
		return false, false
	}
	return in, true
}

// passes evaluates the filter of one side; on false the outcome is set.
func (d *decider) passes(side crm.Side, rec *crm.Record, code string) bool {
	in, ok := d.admits(side, rec)
	if !ok || in {
		return in
	}
	what := "left out"
	if code == CodeFilterOther {
		what = "its counterpart " + nameRecord(side, rec) + " is left out"
	}
	d.end(crm.Excluded, code, "", "%s by where: {%s: %s}", what, side, strconv.Quote(d.filter(side).Source))
	return false
}

// nameRecord says which record is meant: object, id and what people call it.
func nameRecord(side crm.Side, rec *crm.Record) string {
	object := side.Title()
	if rec.Layout != nil {
		object += " " + rec.Layout.Object
	}
	if name := RecordName(rec); name != "" {
		return object + " " + rec.ID + " (" + name + ")"
	}
	return object + " " + rec.ID
}

// RecordName is what people call a record: its name, or what stands first where
// people look at it; else the first of its values that is a short text.
func RecordName(rec *crm.Record) string {
	for _, names := range [][]string{{"Name"}, {"FirstName", "LastName"}, {"firstname", "lastname"}, {"name"}, {"dealname"}, {"subject"}, {"Subject"}, {"Title"},
		{"hs_task_subject"}, {"hs_call_title"}, {"hs_meeting_title"}, {"hs_email_subject"}, {"hs_title"}, {"hs_lead_name"}, {"hs_name"}, {"Email"}, {"email"}, {"domain"}, {"CaseNumber"}} {
		var parts []string
		for _, n := range names {
			if v := strings.TrimSpace(rec.Value(n).Text); v != "" {
				parts = append(parts, v)
			}
		}
		if len(parts) > 0 {
			return strings.Join(parts, " ")
		}
	}
	return firstText(rec)
}

// longestName is the longest text that can be a name.
const longestName = 60

// firstText is how a note or a record of a custom object is called: by the
// first mapped value with a letter in it, without its tags and shortened.
func firstText(rec *crm.Record) string {
	if rec.Layout == nil {
		return ""
	}
	for i, v := range rec.Values {
		if i >= len(rec.Layout.Fields) {
			break
		}
		text := strings.Join(strings.Fields(shownText(v.Text)), " ")
		if !strings.ContainsFunc(text, unicode.IsLetter) || machineMade(rec.Layout.Fields[i], text) {
			continue
		}
		if r := []rune(text); len(r) > longestName {
			text = string(r[:longestName-1]) + "…"
		}
		return text
	}
	return ""
}

// machineMade tells values that say nothing to people: ids, stamps, booleans.
func machineMade(field, text string) bool {
	if _, isTime := mapping.ParseTime(text); isTime || text == "true" || text == "false" {
		return true
	}
	lower := strings.ToLower(field)
	return strings.HasSuffix(lower, "id") || strings.HasSuffix(lower, "id__c") || strings.Contains(lower, "pipeline") || strings.Contains(lower, "owner")
}
