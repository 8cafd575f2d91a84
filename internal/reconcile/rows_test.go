package reconcile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

const rowsYAML = `
  - name: people
    hubspot: contacts
    salesforce: Contact
    fields: [{hubspot: lastname, salesforce: LastName}]
    match: [{hubspot: email, salesforce: Email, as: email}]
  - name: deals
    hubspot: deals
    salesforce: Opportunity
    match: [{hubspot: dealname, salesforce: Name}]
    fields: [{hubspot: dealname, salesforce: Name}, {hubspot: closedate, salesforce: CloseDate}, {hubspot: dealstage, salesforce: StageName, values: {closedwon: Closed Won}, unmapped: skip}]
    associations:
      - {hubspot: contacts, salesforce: OpportunityContactRole, labels: {Decider: Decision Maker, User: End User}DIRECTION}
`

func contactOf(id string) string { return "00300000000000" + id + "AAA" }

// table is one deal's contacts on both sides: labels by contact in HubSpot, rows
// in Salesforce, and the ties.
type table struct {
	hubspot map[string][]string
	rows    map[string]roleRow
	ties    []crm.Tie
	lastRow int
	base    *crm.Base
}

type roleRow struct{ contact, role string }

func (t *table) snapshot(o *mapping.BoundObject) reconcile.Snapshot {
	h := hubspot(o, "1", "dealname", "Robots", "closedate", "2026-11-23T00:00:00Z", "dealstage", "closedwon")
	s := salesforce(o, "Opportunity", dealID, "Name", "Robots", "CloseDate", "2026-11-23", "StageName", "Closed Won")
	for _, contact := range slices.Sorted(maps.Keys(t.hubspot)) {
		h = related(h, crm.Relation{Object: "contacts", ID: contact, Label: strings.Join(t.hubspot[contact], ";")})
	}
	for _, id := range slices.Sorted(maps.Keys(t.rows)) {
		r := t.rows[id]
		s = related(s, crm.Relation{Object: "Contact", ID: contactOf(r.contact), Label: r.role, RowID: id, Junction: mapping.ContactRole})
	}
	known := people{counterparts: map[crm.Ref]crm.Ref{}}
	for _, c := range []string{"1", "2", "3"} {
		known.counterparts[ref(crm.HubSpot, "contacts", c)] = ref(crm.Salesforce, "Contact", contactOf(c))
	}
	link := linkOf(o, h, s)
	link.Base = crm.Base{}
	if t.base != nil {
		link.Base = *t.base
	}
	return reconcile.Snapshot{Link: link, HubSpot: h, Salesforce: s, Ties: t.ties, Known: known}
}

// carryOut does what a decision says, as the vendors do it: HubSpot adds labels
// to an association, Salesforce's client takes a row without a role before it
// adds one.
func (t *table) carryOut(d reconcile.Decision) {
	contact := func(salesforceID string) string {
		return strings.TrimSuffix(strings.TrimPrefix(salesforceID, "00300000000000"), "AAA")
	}
	ties := slices.Clone(d.Ties)
	for _, w := range d.Writes {
		r := w.Relation
		if r == nil {
			continue
		}
		labels := slices.DeleteFunc(strings.Split(r.Role, ";"), func(l string) bool { return l == "" })
		made := ""
		switch {
		case w.Side == crm.HubSpot && w.Op == crm.Relate:
			all := append(slices.Clone(t.hubspot[contact(r.Far.ID)]), labels...)
			slices.Sort(all)
			t.hubspot[contact(r.Far.ID)] = slices.Compact(all)
		case w.Side == crm.HubSpot && len(labels) > 0:
			t.hubspot[r.FarID] = slices.DeleteFunc(t.hubspot[r.FarID], func(l string) bool { return slices.Contains(labels, l) })
		case w.Side == crm.HubSpot:
			delete(t.hubspot, r.FarID)
		case w.Op == crm.Unrelate:
			delete(t.rows, r.RowID)
		case r.RowID != "":
			t.rows[r.RowID], made = roleRow{t.rows[r.RowID].contact, r.Role}, r.RowID
		default:
			made = t.row(r.Far.ID, r.Role)
		}
		for _, tie := range r.Ties {
			if made != "" {
				tie.RowID = made
			}
			ties = append(ties, tie)
		}
	}
	if d.Retie {
		t.ties = ties
	}
	if d.Base != nil {
		t.base = d.Base
	}
}

func (t *table) row(contact, role string) string {
	for _, id := range slices.Sorted(maps.Keys(t.rows)) {
		if r := t.rows[id]; r.contact == contact && (r.role == role || r.role == "") {
			t.rows[id] = roleRow{contact, role}
			return id
		}
	}
	t.lastRow++
	id := fmt.Sprintf("00K%015d", t.lastRow)
	t.rows[id] = roleRow{contact, role}
	return id
}

// agreement is what both sides say of the deal's contacts, in one form.
func (t *table) agreement() (hubspot, salesforce map[string][]string) {
	hubspot, salesforce = map[string][]string{}, map[string][]string{}
	names := map[string]string{"Decision Maker": "Decider", "End User": "User"}
	for c, labels := range t.hubspot {
		hubspot[c] = []string{}
		for _, l := range labels {
			if l != "Friend" {
				hubspot[c] = append(hubspot[c], l)
			}
		}
		slices.Sort(hubspot[c])
	}
	for _, r := range t.rows {
		if salesforce[r.contact] == nil {
			salesforce[r.contact] = []string{}
		}
		if l := names[r.role]; l != "" && !slices.Contains(salesforce[r.contact], l) {
			salesforce[r.contact] = append(salesforce[r.contact], l)
		}
		slices.Sort(salesforce[r.contact])
	}
	return hubspot, salesforce
}

// edit changes both sides as people do.
func (t *table) edit(rt *rapid.T) {
	for range rapid.IntRange(0, 4).Draw(rt, "edits") {
		c := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(rt, "contact")
		switch rapid.SampledFrom([]string{"label", "unlabel", "associate", "dissociate", "row", "role", "delete"}).Draw(rt, "what") {
		case "label":
			if _, ok := t.hubspot[c]; ok {
				all := append(slices.Clone(t.hubspot[c]), rapid.SampledFrom([]string{"Decider", "User", "Friend"}).Draw(rt, "label"))
				slices.Sort(all)
				t.hubspot[c] = slices.Compact(all)
			}
		case "unlabel":
			if l := t.hubspot[c]; len(l) > 0 {
				t.hubspot[c] = slices.Clone(l[1:])
			}
		case "associate":
			if _, ok := t.hubspot[c]; !ok {
				t.hubspot[c] = nil
			}
		case "dissociate":
			delete(t.hubspot, c)
		case "row":
			t.lastRow++
			t.rows[fmt.Sprintf("00K%015d", t.lastRow)] = roleRow{c, rapid.SampledFrom([]string{"", "Decision Maker", "End User", "Evaluator"}).Draw(rt, "role")}
		case "role", "delete":
			if ids := slices.Sorted(maps.Keys(t.rows)); len(ids) > 0 {
				id := rapid.SampledFrom(ids).Draw(rt, "row")
				if delete(t.rows, id); rapid.Bool().Draw(rt, "only its role") {
					t.rows[id] = roleRow{c, rapid.SampledFrom([]string{"", "Decision Maker", "End User", "Evaluator"}).Draw(rt, "role")}
				}
			}
		}
	}
}

// TestR16RowsAndAssociationsConvergeAndComeToRest edits both sides of a deal's
// contacts at random: after each decision both say the same, and the next
// decision has nothing to do.
func TestR16RowsAndAssociationsConvergeAndComeToRest(t *testing.T) {
	o := bind(t, "deals", strings.Replace(rowsYAML, "DIRECTION", "", 1))
	rapid.Check(t, func(rt *rapid.T) {
		world := &table{hubspot: map[string][]string{}, rows: map[string]roleRow{}}
		for range rapid.IntRange(1, 4).Draw(rt, "rounds") {
			world.edit(rt)
			before := fmt.Sprint(world.hubspot, world.rows, world.ties)
			d := reconcile.Decide(o, world.snapshot(o))
			world.carryOut(d)
			what := fmt.Sprintf("%s\nto HubSpot %v, to Salesforce %v\n%v %v %v", before, changesTo(d, crm.HubSpot), changesTo(d, crm.Salesforce), world.hubspot, world.rows, world.ties)
			h, s := world.agreement()
			if diff := cmp.Diff(h, s); diff != "" {
				rt.Fatalf("%s\nthe sides do not agree (-HubSpot +Salesforce):\n%s", what, diff)
			}
			if diffs := reconcile.Compare(o, world.snapshot(o)); len(diffs) > 0 {
				rt.Fatalf("%s\nverify would see %+v", what, diffs)
			}
			again := reconcile.Decide(o, world.snapshot(o))
			if again.Outcome != crm.Unchanged || len(again.Writes) > 0 || again.Retie || again.Base != nil {
				rt.Fatalf("%s\nthen %s: to HubSpot %v, to Salesforce %v, ties %v, base %v", what, again.Outcome, changesTo(again, crm.HubSpot), changesTo(again, crm.Salesforce), again.Ties, again.Base)
			}
		}
	})
}

func TestWhatWasUndoneStaysApartUntilASideChanges(t *testing.T) {
	o := bind(t, "deals", strings.Replace(rowsYAML, "DIRECTION", "", 1))
	rapid.Check(t, func(rt *rapid.T) {
		world := &table{hubspot: map[string][]string{}, rows: map[string]roleRow{}}
		world.edit(rt)
		world.ties = reconcile.TiesOf(o, world.snapshot(o))
		before := fmt.Sprint(world.hubspot, world.rows)
		for range 2 {
			d := reconcile.Decide(o, world.snapshot(o))
			if toHubSpot, toSalesforce := changesTo(d, crm.HubSpot), changesTo(d, crm.Salesforce); len(toHubSpot)+len(toSalesforce) > 0 {
				rt.Fatalf("%s with ties %v: to HubSpot %v, to Salesforce %v", before, world.ties, toHubSpot, toSalesforce)
			}
			world.carryOut(d)
		}
	})
}

func TestR16RowsAreMergedWithWhatWasAgreed(t *testing.T) {
	role := func(contact, role string) map[string]roleRow { return map[string]roleRow{"00K1": {contact, role}} }
	tie := func(contact string, labels ...string) (ties []crm.Tie) {
		for _, l := range append([]string{""}, labels...) {
			ties = append(ties, crm.Tie{Association: "contacts/OpportunityContactRole", Far: contact, Label: l, RowID: "00K1"})
		}
		return ties
	}
	for name, test := range map[string]struct {
		direction string
		at        table
		toH, toS  []string
	}{
		"agreed on, and both still have it":                             {at: table{hubspot: map[string][]string{"1": {"Decider"}}, rows: role("1", "Decision Maker"), ties: tie("1", "Decider")}},
		"removed in HubSpot after it was agreed on: the row is removed": {at: table{rows: role("1", "Decision Maker"), ties: tie("1", "Decider")}, toS: []string{"unrelate OpportunityContactRole 00K1"}},
		"removed in Salesforce after it was agreed on: the association ends": {at: table{hubspot: map[string][]string{"1": {"Decider"}}, ties: tie("1", "Decider")},
			toH: []string{"unrelate contacts 1"}},
		"a row that somebody made is not removed: it becomes an association": {at: table{rows: role("1", "Evaluator")}, toH: []string{"relate contacts " + contactOf("1")}},
		"a labelled association becomes a row with the role":                 {at: table{hubspot: map[string][]string{"1": {"User"}}}, toS: []string{"relate OpportunityContactRole 1"}},
		"another label in HubSpot: the row stays and gets the role":          {at: table{hubspot: map[string][]string{"1": {"User"}}, rows: role("1", "Decision Maker"), ties: tie("1", "Decider")}, toS: []string{"relate OpportunityContactRole 100K1"}},
		"another role in Salesforce: the label follows, the association stays": {at: table{hubspot: map[string][]string{"1": {"Decider"}}, rows: role("1", "End User"), ties: tie("1", "Decider")},
			toH: []string{"relate contacts " + contactOf("1"), "unrelate contacts 1"}},
		"the label was taken off in HubSpot: the row loses its role":                   {at: table{hubspot: map[string][]string{"1": nil}, rows: role("1", "Decision Maker"), ties: tie("1", "Decider")}, toS: []string{"relate OpportunityContactRole 100K1"}},
		"to-salesforce: a row that was removed there stays away":                       {direction: ", direction: to-salesforce", at: table{hubspot: map[string][]string{"1": nil}, ties: tie("1")}},
		"to-salesforce: a row that somebody made is nobody's business":                 {direction: ", direction: to-salesforce", at: table{rows: role("1", "")}},
		"to-hubspot: an association that was removed there stays away":                 {direction: ", direction: to-hubspot", at: table{rows: role("1", ""), ties: tie("1")}},
		"to-hubspot: an association that somebody made makes no row":                   {direction: ", direction: to-hubspot", at: table{hubspot: map[string][]string{"1": nil}}},
		"removed in HubSpot while somebody added a row: the new row starts anew":       {at: table{rows: map[string]roleRow{"00K1": {"1", "Decision Maker"}, "00K2": {"1", "End User"}}, ties: tie("1", "Decider")}, toH: []string{"relate contacts " + contactOf("1")}, toS: []string{"unrelate OpportunityContactRole 00K1"}},
		"another label in HubSpot, and a row that somebody added: the first one stays": {at: table{hubspot: map[string][]string{"1": {"Decider"}}, rows: map[string]roleRow{"00K1": {"1", "End User"}, "00K2": {"1", ""}}, ties: tie("1", "User")}, toS: []string{"relate OpportunityContactRole 100K1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.at.hubspot == nil {
				test.at.hubspot = map[string][]string{}
			}
			if test.at.rows == nil {
				test.at.rows = map[string]roleRow{}
			}
			o := bind(t, "deals", strings.Replace(rowsYAML, "DIRECTION", test.direction, 1))
			d := reconcile.Decide(o, test.at.snapshot(o))
			if diff := cmp.Diff(test.toH, changesTo(d, crm.HubSpot)); diff != "" {
				t.Errorf("to HubSpot (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.toS, changesTo(d, crm.Salesforce)); diff != "" {
				t.Errorf("to Salesforce (-want +got):\n%s", diff)
			}
			test.at.carryOut(d)
			if again := reconcile.Decide(o, test.at.snapshot(o)); len(again.Writes) > 0 || again.Retie || again.Base != nil {
				t.Errorf("once that is done, something is left to do: %+v", again)
			}
		})
	}
}
