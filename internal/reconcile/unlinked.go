package reconcile

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// unlinked decides a record that is linked to nothing yet.
func (d *decider) unlinked() {
	side, rec := crm.HubSpot, d.HubSpot
	if rec == nil {
		side, rec = crm.Salesforce, d.Salesforce
	}
	if rec == nil {
		d.end(crm.Held, CodeUnread, "run `lockstep sync` again", "the record was not read")
		return
	}
	if rec.Archived || side == crm.HubSpot && d.HubSpotGone || side == crm.Salesforce && d.SalesforceGone {
		d.end(crm.Excluded, CodeGone, "", "deleted in %s before it was linked to anything", side.Title())
		return
	}
	if side == crm.Salesforce && d.object.Target(rec.Layout.Object) == nil {
		d.end(crm.Excluded, CodeNoTarget, "", "the mapping of %s does not name Salesforce %s", d.object.Name, rec.Layout.Object)
		return
	}
	if isConverted(side, d.objectOf(side, rec), rec) {
		d.end(crm.Excluded, CodeConvertedLead, "", "the Lead was converted; its Contact takes part instead")
		return
	}
	if d.Alias != nil {
		d.alias(side)
		return
	}
	if !d.passes(side, rec, CodeFilter) {
		return
	}
	candidates := d.candidates(side)
	if len(candidates) == 0 {
		d.create(side, rec)
		return
	}
	d.match(side, rec, candidates)
}

// alias holds a record whose partner became part of another one that is linked
// already: the two on this side are the same thing, and only a person can merge
// them. It is neither linked, nor created again, nor deleted.
func (d *decider) alias(side crm.Side) {
	a := d.Alias
	mend := fmt.Sprintf("merge it with %s %s %s, or delete one of the two", side.Title(), a.Partner.Object, a.Partner.ID)
	if a.Converted {
		d.end(crm.Held, CodeLeadConverted, mend, "its Salesforce Lead %s was converted to %s %s, which is linked with %s %s %s", a.Merged, a.Pair.Object, a.Pair.ID, side.Title(), a.Partner.Object, a.Partner.ID)
		return
	}
	d.end(crm.Held, CodeMerged, mend, "its %s record %s was merged into %s, which is linked with %s %s %s", a.Pair.Side.Title(), a.Merged, a.Pair.ID, side.Title(), a.Partner.Object, a.Partner.ID)
}

func (d *decider) objectOf(side crm.Side, rec *crm.Record) string {
	if side == crm.HubSpot {
		return d.object.HubSpotSchema.Name
	}
	return rec.Layout.Object
}

// candidates are those of the best rule that can be the same thing: live ones,
// not Leads that became Contacts, not such as a better rule tells apart.
func (d *decider) candidates(side crm.Side) []Candidate {
	var out []Candidate
	for _, c := range d.Candidates {
		if c.Record == nil || c.Record.Archived || isConverted(side.Other(), c.Object, c.Record) || d.contradicts(side, c) || d.elsewhere(side, c) {
			continue
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil
	}
	best := out[0].Rule
	for _, c := range out {
		best = min(best, c.Rule)
	}
	kept := out[:0]
	for _, c := range out {
		if c.Rule == best {
			kept = append(kept, c)
		}
	}
	sort.SliceStable(kept, func(i, j int) bool {
		a, b := kept[i], kept[j]
		if a.Object != b.Object {
			return a.Object < b.Object
		}
		return compareIDs(a.Record.ID, b.Record.ID) < 0
	})
	return kept
}

// contradicts tells whether a better rule says that the candidate is another
// thing: both have a value for it and the values differ. Two companies of one
// name with two web domains are two companies.
func (d *decider) contradicts(side crm.Side, c Candidate) bool {
	theirs, ours := map[int][]string{}, map[int][]string{}
	for _, k := range Keys(d.object, side.Other(), c.Object, c.Record) {
		theirs[k.Rule] = append(theirs[k.Rule], k.Value)
	}
	rec := d.HubSpot
	if side == crm.Salesforce {
		rec = d.Salesforce
	}
	for _, k := range Keys(d.object, side, d.objectOf(side, rec), rec) {
		if k.Rule != ExternalRule && k.Rule < c.Rule {
			ours[k.Rule] = append(ours[k.Rule], k.Value)
		}
	}
	for rule, values := range ours {
		shared := slices.ContainsFunc(values, func(v string) bool { return slices.Contains(theirs[rule], v) })
		if len(theirs[rule]) > 0 && !shared {
			return true
		}
	}
	return false
}

// elsewhere tells whether a candidate that was found by mere text belongs to
// another record than ours does: two opportunities of one name on two accounts
// are two deals. It speaks only where both name one and it is known what ours
// is on the other side.
func (d *decider) elsewhere(side crm.Side, c Candidate) bool {
	if c.Rule < 0 || c.Rule >= len(d.object.Match) || d.object.Match[c.Rule].As != "text" {
		return false
	}
	hubspot, salesforce, object := d.HubSpot, c.Record, c.Object
	if side == crm.Salesforce {
		hubspot, salesforce, object = c.Record, d.Salesforce, d.objectOf(side, d.Salesforce)
	}
	target := d.object.Target(object)
	if target == nil {
		return false
	}
	for i := range target.Associations {
		a := &target.Associations[i]
		if a.Junction {
			continue
		}
		far := mainRelation(hubspot, a)
		held := salesforce.Value(a.Salesforce)
		if far.id == "" || !held.IsPresent() {
			continue
		}
		other, standing := d.known().Counterpart(far.end.Mapping, crm.Ref{Side: crm.HubSpot, Object: far.end.HubSpot, ID: far.id})
		if standing == Planned || standing == Linked && other.ID != wideID(held.Text) {
			return true
		}
	}
	return false
}

// match links the only free candidate, and holds everything else.
func (d *decider) match(side crm.Side, rec *crm.Record, candidates []Candidate) {
	rule := d.ruleText(candidates[0].Rule)
	var names []string
	for _, c := range candidates {
		name := nameRecord(side.Other(), c.Record)
		if !c.LinkedTo.IsZero() {
			name += ", linked with " + c.LinkedTo.Side.Title() + " " + c.LinkedTo.ID
		}
		names = append(names, name)
	}
	c := &candidates[0]
	switch {
	case len(candidates) > 1:
		c = d.heldMatch(side, candidates, func() {
			d.end(crm.Held, CodeAmbiguous, "merge the duplicates in "+side.Other().Title()+", give them different values, or answer with `lockstep conflicts`", "%d %s records match by %s: %s", len(candidates), side.Other().Title(), rule, strings.Join(names, "; "))
		})
	case !candidates[0].LinkedTo.IsZero():
		d.end(crm.Held, CodeAlreadyLinked, "merge the duplicates in "+side.Title()+", or give this record another value", "the only match by %s is taken: %s", rule, names[0])
		return
	case len(d.Rivals) > 0:
		c = d.heldMatch(side, candidates, func() {
			d.end(crm.Held, CodeAmbiguous, "merge the duplicates in "+side.Title()+", give them different values, or answer with `lockstep conflicts`", "%s matches by %s, and so do %s", names[0], rule, refNames(d.Rivals))
		})
	}
	if c == nil {
		return
	}
	if !d.passes(side.Other(), c.Record, CodeFilterOther) {
		return
	}
	if side == crm.HubSpot {
		d.Salesforce = c.Record
		d.out.Salesforce = crm.Ref{Side: crm.Salesforce, Object: c.Object, ID: c.Record.ID}
	} else {
		d.HubSpot = c.Record
		d.out.HubSpot = crm.Ref{Side: crm.HubSpot, Object: d.object.HubSpotSchema.Name, ID: c.Record.ID}
		d.object = d.object.For(c.Record)
	}
	target := d.object.Target(d.out.Salesforce.Object)
	if target == nil {
		d.end(crm.Excluded, CodeNoTarget, "", "the mapping of %s does not name Salesforce %s", d.object.Name, d.out.Salesforce.Object)
		return
	}
	if other := d.foreignID(); other != "" {
		d.end(crm.Held, CodeAlreadyLinked, "clear "+d.object.ExternalID+" of the Salesforce record if that is wrong", "%s says by %s that it belongs to HubSpot record %s", nameRecord(crm.Salesforce, d.Salesforce), d.object.ExternalID, other)
		return
	}
	d.pair(target, crm.Base{}, true)
}

// foreignID is the HubSpot record id that the Salesforce record carries, when
// it is another one than that of this pair.
func (d *decider) foreignID() string {
	if d.object.ExternalID == "" {
		return ""
	}
	if id := strings.TrimSpace(d.Salesforce.Value(d.object.ExternalID).Text); id != "" && id != d.HubSpot.ID {
		return id
	}
	return ""
}

func (d *decider) ruleText(rule int) string {
	if rule == ConversionRule {
		return "the conversion of a lead"
	}
	if rule < 0 || rule >= len(d.object.Match) {
		return d.object.ExternalID
	}
	m := d.object.Match[rule]
	return fmt.Sprintf("%s (%s, %s)", m.As, m.HubSpot, m.Salesforce)
}

func refNames(refs []crm.Ref) string {
	var names []string
	for _, r := range refs {
		names = append(names, r.Side.Title()+" "+r.Object+" "+r.ID)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// create decides a record that has no counterpart.
func (d *decider) create(side crm.Side, rec *crm.Record) {
	to := side.Other()
	if !d.object.Create.In(to) && !d.restores() {
		d.end(crm.Excluded, CodeNoCreate, "write create: "+createWord(to), "it has no counterpart in %s, and `create: %s` does not make one there", to.Title(), d.object.Create)
		return
	}
	target := d.object.Target(rec.Layout.Object)
	if side == crm.HubSpot {
		var err error
		if target, err = d.route(rec); err != nil {
			d.end(crm.Held, CodeExpression, fault.MendOf(err), "the rule that chooses the Salesforce object cannot be evaluated: %v", err)
			return
		}
	}
	if target == nil {
		d.end(crm.Excluded, CodeNoTarget, "put an object without `when` last", "no `when` of %s takes it", d.object.Name)
		return
	}
	schema := target.Schema
	if to == crm.HubSpot {
		schema = d.object.HubSpotSchema
	}
	if !schema.Creatable {
		d.end(crm.Held, CodeNotWritable, "grant Create on "+schema.Name, "the credential may not create %s %s", to.Title(), schema.Name)
		return
	}
	newMerge(d, target, to).create(schema)
}

func createWord(to crm.Side) string {
	if to == crm.HubSpot {
		return "both (or in-hubspot)"
	}
	return "in-salesforce (or both)"
}

func (d *decider) route(rec *crm.Record) (*mapping.BoundTarget, error) {
	answers := make(mapping.Answers, len(d.Answers))
	for q, a := range d.Answers {
		answers[q] = a.Known
	}
	for _, t := range d.object.Targets {
		if t.When == nil {
			return t, nil
		}
		ok, err := t.When.BoolKnowing(rec, answers)
		if err != nil {
			return nil, err
		}
		if ok {
			return t, nil
		}
	}
	return nil, nil
}
