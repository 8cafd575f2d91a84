package reconcile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

const referenceYAML = `
  - name: companies
    hubspot: companies
    salesforce: Account
    fields: [{hubspot: name, salesforce: Name}]
    match: [{hubspot: name, salesforce: Name}]
  - name: people
    hubspot: contacts
    salesforce: Contact
    match: [{hubspot: email, salesforce: Email, as: email}]
    fields: [{hubspot: lastname, salesforce: LastName}]
    associations: [{hubspot: companies, salesforce: AccountId, KEYS}]
`

// accountOf is the Account that stands for a company of these tests.
func accountOf(company string) string {
	if company == "" {
		return ""
	}
	return "00100000000000" + company + "AAA"
}

// friends knows the companies 1 to 3 on both sides.
func friends() people {
	p := people{counterparts: map[crm.Ref]crm.Ref{}}
	for _, c := range []string{"1", "2", "3"} {
		p.counterparts[ref(crm.HubSpot, "companies", c)] = ref(crm.Salesforce, "Account", accountOf(c))
	}
	return p
}

// ends are a pair whose HubSpot contact belongs to one company, and whose
// Salesforce Contact to the account of another.
type ends struct{ hubspot, salesforce string }

func (e ends) records(o *mapping.BoundObject) (h, s *crm.Record) {
	h, s = hubspot(o, "1", "lastname", "King"), salesforce(o, "Contact", contactID, "LastName", "King", "AccountId", accountOf(e.salesforce))
	if e.hubspot != "" {
		h = related(h, crm.Relation{Object: "companies", ID: e.hubspot, Primary: true})
	}
	return h, s
}

func (e ends) mirrored() ends { return ends{e.salesforce, e.hubspot} }

// after is where both ends stand once a decision is carried out.
func (e ends) after(d reconcile.Decision) ends {
	ended := ""
	for _, w := range d.Writes {
		for _, c := range w.Changes {
			if c.Field == "AccountId" {
				e.salesforce = strings.TrimSuffix(strings.TrimPrefix(c.After.Text, "00100000000000"), "AAA")
			}
		}
		switch {
		case w.Op == crm.Unrelate:
			ended = w.Relation.FarID
		case w.Op == crm.Relate:
			for company, account := range friends().counterparts {
				if account == w.Relation.Far {
					e.hubspot = company.ID
				}
			}
		}
	}
	if e.hubspot == ended {
		e.hubspot = ""
	}
	return e
}

var drawEnds = rapid.Custom(func(t *rapid.T) ends {
	of := rapid.SampledFrom([]string{"", "1", "2", "3"})
	return ends{of.Draw(t, "hubspot"), of.Draw(t, "salesforce")}
})

// TestR16ReferencesAreMergedAlikeFromBothSides: what an association and a
// reference come to is the same with the sides exchanged, whatever they were
// before; and what was written is not written again, nor taken back.
func TestR16ReferencesAreMergedAlikeFromBothSides(t *testing.T) {
	bound := func(keys string) *mapping.BoundObject {
		return bind(t, "people", strings.Replace(referenceYAML, "KEYS", keys, 1))
	}
	type mirror struct{ left, right *mapping.BoundObject }
	var mirrors []mirror
	for _, pair := range [][2]string{{"wins: hubspot", "wins: salesforce"}, {"wins: salesforce", "wins: hubspot"}, {"wins: hold", "wins: hold"},
		{"direction: to-salesforce", "direction: to-hubspot"}, {"direction: to-hubspot", "direction: to-salesforce"}} {
		mirrors = append(mirrors, mirror{bound(pair[0]), bound(pair[1])})
	}
	decide := func(o *mapping.BoundObject, base *ends, now ends) (reconcile.Decision, *crm.Link) {
		h, s := now.records(o)
		link := linkOf(o, h, s)
		link.Base = crm.Base{}
		if base != nil {
			link = linkOf(o, first(base.records(o)), second(base.records(o)))
		}
		d := reconcile.Decide(o, reconcile.Snapshot{Link: link, HubSpot: h, Salesforce: s, Known: friends()})
		if d.Base != nil {
			link.Base = *d.Base
		}
		return d, link
	}
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(mirrors).Draw(t, "mapping")
		now := drawEnds.Draw(t, "now")
		var base, mirroredBase *ends
		if rapid.Bool().Draw(t, "with a base") {
			b := drawEnds.Draw(t, "base")
			mb := b.mirrored()
			base, mirroredBase = &b, &mb
		}
		d, link := decide(m.left, base, now)
		x, _ := decide(m.right, mirroredBase, now.mirrored())
		got, want := now.after(d), now.mirrored().after(x).mirrored()
		if got != want || d.Outcome != x.Outcome {
			t.Errorf("%s: it comes to %+v (%s %v); with the sides exchanged to %+v (%s)", d.Outcome, got, changesTo(d, crm.HubSpot), changesTo(d, crm.Salesforce), want, x.Outcome)
		}
		if d.Outcome == crm.Held {
			return
		}
		h, s := got.records(m.left)
		again := reconcile.Decide(m.left, reconcile.Snapshot{Link: link, HubSpot: h, Salesforce: s, Known: friends()})
		if again.Outcome != crm.Unchanged || again.Base != nil {
			t.Errorf("then %s: to HubSpot %v, to Salesforce %v, base %v", again.Outcome, changesTo(again, crm.HubSpot), changesTo(again, crm.Salesforce), again.Base)
		}
	})
}

func first(a, _ *crm.Record) *crm.Record  { return a }
func second(_, b *crm.Record) *crm.Record { return b }

func TestCompareSeesAssociationsFromBothSides(t *testing.T) {
	o := bind(t, "people", strings.Replace(referenceYAML, "KEYS", "wins: hubspot", 1))
	for name, test := range map[string]struct {
		at   ends
		want []reconcile.Difference
	}{
		"the same company":         {at: ends{"1", "1"}},
		"none on either side":      {at: ends{"", ""}},
		"another company":          {at: ends{"1", "2"}, want: []reconcile.Difference{{HubSpotField: "companies", SalesforceField: "AccountId", HubSpot: crm.Text("1"), Salesforce: crm.Text(accountOf("2"))}}},
		"only HubSpot has one":     {at: ends{"1", ""}, want: []reconcile.Difference{{HubSpotField: "companies", SalesforceField: "AccountId", HubSpot: crm.Text("1"), Salesforce: crm.Text("")}}},
		"only Salesforce has one":  {at: ends{"", "2"}, want: []reconcile.Difference{{HubSpotField: "companies", SalesforceField: "AccountId", HubSpot: crm.Text(""), Salesforce: crm.Text(accountOf("2"))}}},
		"one that HubSpot has not": {at: ends{"", "9"}, want: []reconcile.Difference{{HubSpotField: "companies", SalesforceField: "AccountId", HubSpot: crm.Text(""), Salesforce: crm.Text(accountOf("9")), Allowed: "the Salesforce record at the far end is not in HubSpot"}}},
		"one that Salesforce has not": {at: ends{"9", ""}, want: []reconcile.Difference{{HubSpotField: "companies", SalesforceField: "AccountId", HubSpot: crm.Text("9"), Salesforce: crm.Text(""),
			Allowed: "the HubSpot record at the far end is not in Salesforce"}}},
	} {
		t.Run(name, func(t *testing.T) {
			h, s := test.at.records(o)
			if diff := cmp.Diff(test.want, reconcile.Compare(o, reconcile.Snapshot{HubSpot: h, Salesforce: s, Known: friends()})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
