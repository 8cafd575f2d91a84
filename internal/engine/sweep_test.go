package engine_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/engine"
)

const dealsYAML = `  - name: deals
    hubspot: deals
    salesforce: Opportunity
    match: [{hubspot: dealname, salesforce: Name}]
    create: both
    fields:
      - {hubspot: dealname, salesforce: Name}
      - {hubspot: closedate, salesforce: CloseDate}
      - {hubspot: dealstage, salesforce: StageName, values: {appointmentscheduled: Prospecting}, unmapped: skip, blank: Prospecting}
    associations:
      - {hubspot: companies, salesforce: AccountId}
      - {hubspot: contacts, salesforce: OpportunityContactRole}
`

// idOf finds the only live record with a value.
func (v *vendor) idOf(object, field, value string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	ids := v.sorted(object, func(r *row) bool { return !r.archived && r.values[field] == value })
	if len(ids) != 1 {
		return "<" + strconv.Itoa(len(ids)) + " records>"
	}
	return ids[0]
}

// related lists the far ends of a record's relations to an object.
func (v *vendor) related(object, id, far string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []string
	for _, x := range v.objects[object][id].relations {
		if x.Object == far {
			out = append(out, x.ID)
		}
	}
	slices.Sort(out)
	return out
}

// TestR16AnAssociationThatMovesNoStampIsNoticedInTheNextCycle: HubSpot's
// associations change without the records', every mapped pair of objects, both
// when one is added and when one is removed.
func TestR16AnAssociationThatMovesNoStampIsNoticedInTheNextCycle(t *testing.T) {
	w := newWorld(t)
	w.yaml += dealsYAML
	acme := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
	ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	deal := w.hubspot.add("deals", "dealname", "Robots", "closedate", "2026-11-23T00:00:00Z", "dealstage", "appointmentscheduled")
	w.settle()
	account, contact, opportunity := w.salesforce.idOf("Account", "Name", "Acme"), w.salesforce.idOf("Contact", "LastName", "Lee"), w.salesforce.idOf("Opportunity", "Name", "Robots")

	w.hubspot.associate("contacts", ann, "companies", acme, true)
	w.hubspot.associate("deals", deal, "companies", acme, true)
	w.hubspot.associate("deals", deal, "contacts", ann, false)
	w.sync()
	got := []string{w.salesforce.value("Contact", contact, "AccountId"), w.salesforce.value("Opportunity", opportunity, "AccountId")}
	got = append(got, w.salesforce.related("Opportunity", opportunity, "Contact")...)
	if diff := cmp.Diff([]string{account, account, contact}, got); diff != "" {
		t.Errorf("one cycle after they were added (-want +got):\n%s", diff)
	}
	w.settle()

	w.hubspot.dissociate("contacts", ann, "companies", acme)
	w.hubspot.dissociate("deals", deal, "companies", acme)
	w.sync()
	got = []string{w.salesforce.value("Contact", contact, "AccountId"), w.salesforce.value("Opportunity", opportunity, "AccountId")}
	if diff := cmp.Diff([]string{"", ""}, got); diff != "" {
		t.Errorf("one cycle after they were removed (-want +got):\n%s", diff)
	}
	w.quiet()
}

// quiet syncs until nothing is decided any more, and fails when that does not end.
func (w *world) quiet() {
	w.t.Helper()
	for range 4 {
		if run := w.sync(); run.Quiet() {
			return
		}
	}
	w.t.Error("it never becomes quiet")
}

func TestAMillionAssociationsAreSweptASliceInEachCycle(t *testing.T) {
	const people = 2300 // three slices
	w := newWorld(t)
	acme := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
	var ids []string
	for i := range people {
		n := strconv.Itoa(i)
		ids = append(ids, w.hubspot.insert("contacts", map[string]string{"lastname": "L" + n, "email": "p" + n + "@acme.test"}))
	}
	w.settle()
	w.quiet()
	var calls []string
	w.hubspot.before = func(call string) error { calls = append(calls, call); return nil }
	w.sync()
	if n := len(slices.DeleteFunc(calls, func(c string) bool { return c != "relations" })); n != 1 {
		t.Errorf("a quiet cycle costs %d calls for the associations of contacts with companies, want 1", n)
	}
	w.hubspot.associate("contacts", ids[0], "companies", acme, true)
	w.hubspot.associate("contacts", ids[people-1], "companies", acme, true)
	account := w.salesforce.idOf("Account", "Name", "Acme")
	var told []engine.StatusSweep
	for range 3 {
		w.sync()
		e, s := w.open()
		status, err := e.Status(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		for _, o := range status.Objects {
			if o.Sweep != nil {
				told = append(told, *o.Sweep)
			}
		}
	}
	if diff := cmp.Diff([]engine.StatusSweep{{Looked: 1000, Left: 1300, Cycles: 2, Round: 3}, {Looked: 2000, Left: 300, Cycles: 1, Round: 3}, {Left: 2300, Cycles: 3, Round: 3}}, told); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if n := len(w.salesforce.sorted("Contact", func(r *row) bool { return r.values["AccountId"] == account })); n != 2 {
		t.Errorf("after as many cycles as there are slices %d of 2 associations were noticed", n)
	}
}
