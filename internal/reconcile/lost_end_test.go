package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// TestR16AnAssociationThatWentWithItsFarRecordIsGivenBack: one side relates a person
// to nothing any more, because the company was deleted there. That is nobody's wish:
// once the company has a counterpart again, so has the association; what people do
// in between goes before it.
func TestR16AnAssociationThatWentWithItsFarRecordIsGivenBack(t *testing.T) {
	for name, test := range map[string]struct {
		keys string
		was  ends
		// gone is the company without a counterpart, while the pair is decided as lost.
		gone string
		lost ends
		// then is what the pair is found as when the company has a counterpart again.
		then       ends
		hubspot    []string
		salesforce []string
	}{
		"HubSpot lost it":                         {keys: "wins: hubspot", was: ends{"1", "1"}, gone: "1", lost: ends{"", "1"}, then: ends{"", "1"}, hubspot: []string{"relate companies " + accountOf("1")}},
		"HubSpot lost it, though Salesforce wins": {keys: "wins: salesforce", was: ends{"1", "1"}, gone: "1", lost: ends{"", "1"}, then: ends{"", "1"}, hubspot: []string{"relate companies " + accountOf("1")}},
		"HubSpot lost it, and holds its own":      {keys: "wins: hold", was: ends{"1", "1"}, gone: "1", lost: ends{"", "1"}, then: ends{"", "1"}, hubspot: []string{"relate companies " + accountOf("1")}},
		"HubSpot lost it, and it came back there": {keys: "wins: hubspot", was: ends{"1", "1"}, gone: "1", lost: ends{"", "1"}, then: ends{"1", "1"}},
		"HubSpot lost it, somebody chose another": {keys: "wins: hold", was: ends{"1", "1"}, gone: "1", lost: ends{"", "1"}, then: ends{"2", "1"}, salesforce: []string{"AccountId=" + accountOf("2")}},
		"HubSpot lost it, Salesforce chose another": {keys: "wins: hubspot", was: ends{"1", "1"}, gone: "1", lost: ends{"", "1"}, then: ends{"", "2"},
			hubspot: []string{"relate companies " + accountOf("2")}},
		"HubSpot lost it, Salesforce ended it, too": {keys: "wins: hubspot", was: ends{"1", "1"}, gone: "1", lost: ends{"", "1"}, then: ends{"", ""}},
		"HubSpot lost it, and is not written":       {keys: "direction: to-salesforce", was: ends{"1", "1"}, gone: "1", lost: ends{"", "1"}, then: ends{"", "1"}},
		"Salesforce lost it":                        {keys: "wins: hubspot", was: ends{"1", "1"}, gone: "1", lost: ends{"1", ""}, then: ends{"1", ""}, salesforce: []string{"AccountId=" + accountOf("1")}},
		"Salesforce lost it, though HubSpot wins":   {keys: "wins: salesforce", was: ends{"1", "1"}, gone: "1", lost: ends{"1", ""}, then: ends{"1", ""}, salesforce: []string{"AccountId=" + accountOf("1")}},
		"Salesforce lost it, somebody chose another": {keys: "wins: hold", was: ends{"1", "1"}, gone: "1", lost: ends{"1", ""}, then: ends{"1", "2"},
			hubspot: []string{"relate companies " + accountOf("2"), "unrelate companies 1"}},
		"Salesforce lost it, and is not written": {keys: "direction: to-hubspot", was: ends{"1", "1"}, gone: "1", lost: ends{"1", ""}, then: ends{"1", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			o := bind(t, "people", strings.Replace(referenceYAML, "KEYS", test.keys, 1))
			h, s := test.was.records(o)
			link := linkOf(o, h, s)
			h, s = test.lost.records(o)
			without := friends()
			delete(without.counterparts, ref(crm.HubSpot, "companies", test.gone))
			for range 2 { // as often as it is decided
				d := reconcile.Decide(o, reconcile.Snapshot{Link: link, HubSpot: h, Salesforce: s, Known: without})
				if len(d.Writes) > 0 || d.Outcome != crm.Unchanged {
					t.Fatalf("while the company is gone: %s, to HubSpot %v, to Salesforce %v", d.Outcome, changesTo(d, crm.HubSpot), changesTo(d, crm.Salesforce))
				}
				if waits := strings.HasPrefix(test.keys, "wins"); waits != slices.ContainsFunc(d.Awaits, func(r crm.Ref) bool { return r.ID == test.gone || r.ID == accountOf(test.gone) }) {
					t.Errorf("it waits for %v", d.Awaits)
				}
				if d.Base != nil {
					link.Base = *d.Base
				}
			}
			h, s = test.then.records(o)
			d := reconcile.Decide(o, reconcile.Snapshot{Link: link, HubSpot: h, Salesforce: s, Known: friends()})
			if diff := cmp.Diff([][]string{test.hubspot, test.salesforce}, [][]string{changesTo(d, crm.HubSpot), changesTo(d, crm.Salesforce)}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestR16AnAssociationIsNotEndedInTheRunInWhichItsFarRecordComesBack: a company is
// found restored, or to be made anew, in the very run in which it is found that one
// side relates a person to nothing.
func TestR16AnAssociationIsNotEndedInTheRunInWhichItsFarRecordComesBack(t *testing.T) {
	o := bind(t, "people", strings.Replace(referenceYAML, "KEYS", "wins: hubspot", 1))
	company, account := ref(crm.HubSpot, "companies", "1"), ref(crm.Salesforce, "Account", accountOf("1"))
	restored := friends()
	restored.back = map[crm.Ref]bool{company: true, account: true}
	planned := friends()
	delete(planned.counterparts, company)
	planned.standings = map[crm.Ref]reconcile.Standing{company: reconcile.Planned, account: reconcile.Planned}
	for name, test := range map[string]struct {
		known               people
		now                 ends
		hubspot, salesforce []string
	}{
		"restored, HubSpot names none":    {known: restored, now: ends{"", "1"}, hubspot: []string{"relate companies " + accountOf("1")}},
		"restored, Salesforce names none": {known: restored, now: ends{"1", ""}, salesforce: []string{"AccountId=" + accountOf("1")}},
		"made anew, HubSpot names none":   {known: planned, now: ends{"", "1"}, hubspot: []string{"relate companies " + accountOf("1")}},
		"made anew, Salesforce does":      {known: planned, now: ends{"1", ""}, salesforce: []string{"AccountId=ref 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, s := ends{"1", "1"}.records(o)
			link := linkOf(o, h, s)
			h, s = test.now.records(o)
			d := reconcile.Decide(o, reconcile.Snapshot{Link: link, HubSpot: h, Salesforce: s, Known: test.known})
			if diff := cmp.Diff([][]string{test.hubspot, test.salesforce}, [][]string{changesTo(d, crm.HubSpot), changesTo(d, crm.Salesforce)}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestR16ARowIsNotEndedInTheRunInWhichItsFarRecordComesBack: as with a reference.
func TestR16ARowIsNotEndedInTheRunInWhichItsFarRecordComesBack(t *testing.T) {
	o := bind(t, "deals", strings.Replace(rowsYAML, "DIRECTION", "", 1))
	agreed := []crm.Tie{{Association: o.Targets[0].Associations[0].Name(), Far: "1", RowID: "00K1"}}
	for name, test := range map[string]struct {
		now                 table
		own                 crm.Side // the deal itself came back there
		hubspot, salesforce []string
	}{
		"HubSpot's deal came back without it":    {own: crm.HubSpot, now: table{rows: map[string]roleRow{"00K1": {contact: "1"}}}, hubspot: []string{"relate contacts " + contactOf("1")}},
		"Salesforce's deal came back without it": {own: crm.Salesforce, now: table{hubspot: map[string][]string{"1": nil}}, salesforce: []string{"relate " + mapping.ContactRole + " 1"}},
		"HubSpot has it no more":                 {now: table{rows: map[string]roleRow{"00K1": {contact: "1"}}}, hubspot: []string{"relate contacts " + contactOf("1")}},
		"Salesforce has it no more":              {now: table{hubspot: map[string][]string{"1": nil}}, salesforce: []string{"relate " + mapping.ContactRole + " 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.now.ties = agreed
			s := test.now.snapshot(o)
			known := s.Known.(people)
			s.Back = test.own
			if test.own == "" {
				known.back = map[crm.Ref]bool{ref(crm.HubSpot, "contacts", "1"): true, ref(crm.Salesforce, "Contact", contactOf("1")): true}
			}
			s.Known = known
			d := reconcile.Decide(o, s)
			if diff := cmp.Diff([][]string{test.hubspot, test.salesforce}, [][]string{changesTo(d, crm.HubSpot), changesTo(d, crm.Salesforce)}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
