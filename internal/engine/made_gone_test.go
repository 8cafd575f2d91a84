package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// TestWhatIsDeletedWhileTheAnswerIsLostStaysDeleted dies at every moment of a
// sync that makes a record, and lets a person delete one of the two before the
// next: that record was made, though no link says so yet, is no reason to make it
// once more.
func TestWhatIsDeletedWhileTheAnswerIsLostStaysDeleted(t *testing.T) {
	for _, test := range []struct {
		name     string
		to       crm.Side
		deleted  crm.Side
		external bool
		keyless  bool
	}{
		{name: "made in Salesforce by external id, deleted there", to: crm.Salesforce, deleted: crm.Salesforce, external: true},
		{name: "made in Salesforce by external id, deleted in HubSpot", to: crm.Salesforce, deleted: crm.HubSpot, external: true},
		{name: "made in Salesforce, deleted there", to: crm.Salesforce, deleted: crm.Salesforce},
		{name: "made in Salesforce, deleted in HubSpot", to: crm.Salesforce, deleted: crm.HubSpot},
		{name: "made in Salesforce without a key, deleted there", to: crm.Salesforce, deleted: crm.Salesforce, keyless: true},
		{name: "made in Salesforce without a key, deleted in HubSpot", to: crm.Salesforce, deleted: crm.HubSpot, keyless: true},
		{name: "made in HubSpot, deleted there", to: crm.HubSpot, deleted: crm.HubSpot},
		{name: "made in HubSpot, deleted in Salesforce", to: crm.HubSpot, deleted: crm.Salesforce},
		{name: "made in HubSpot without a key, deleted there", to: crm.HubSpot, deleted: crm.HubSpot, keyless: true},
		{name: "made in HubSpot without a key, deleted in Salesforce", to: crm.HubSpot, deleted: crm.Salesforce, keyless: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, moment := range []string{"before commit", "after commit", "before call", "after call"} {
				for n := 1; ; n++ {
					w := newWorld(t)
					w.yaml = replace(w.yaml, "deletes: ask", "deletes: archive")
					if test.external {
						w.yaml = replace(w.yaml, "    create: both\n", "    create: both\n    external-id: HubSpot_Id__c\n")
					}
					email := "ann@acme.test"
					if test.keyless {
						email = ""
					}
					if test.to == crm.Salesforce {
						w.hubspot.add("contacts", "lastname", "Lee", "phone", "1", "email", email)
					} else {
						w.salesforce.add("Contact", "LastName", "Lee", "Phone", "1", "Email", email)
					}
					if !w.dieAt(moment, n) {
						break
					}
					vendor, object, made := w.hubspot, "contacts", w.salesforce.live("Contact")
					if test.to == crm.HubSpot {
						made = w.hubspot.live("contacts")
					}
					if test.deleted == crm.Salesforce {
						vendor, object = w.salesforce, "Contact"
					}
					if len(made) == 0 {
						continue // not made yet
					}
					for id := range vendor.objects[object] {
						vendor.archive(object, id)
					}
					w.settle()
					left := fmt.Sprint("HubSpot ", w.hubspot.live("contacts", "lastname"), ", Salesforce ", w.salesforce.live("Contact", "LastName"))
					if diff := cmp.Diff("HubSpot [], Salesforce []", left); diff != "" {
						t.Errorf("died at %s %d (-want +got):\n%s", moment, n, diff)
					}
				}
			}
		})
	}
}

// TestWhatIsDeletedBeforeItsAnswerIsMissed is the same within one run: the answer
// to the create does not come, and when the record is looked for, somebody has
// deleted it.
func TestWhatIsDeletedBeforeItsAnswerIsMissed(t *testing.T) {
	w := newWorld(t)
	w.yaml = replace(w.yaml, "deletes: ask", "deletes: archive")
	w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.salesforce.lose[1] = true
	w.salesforce.after = func(call string) error {
		if call == "apply" {
			for _, r := range w.salesforce.objects["Contact"] {
				r.archived, r.modified = true, w.salesforce.tick()
			}
		}
		return nil
	}
	run := w.sync()
	w.salesforce.after = nil
	w.settle()
	if n := len(w.salesforce.objects["Contact"]); n != 1 || run.Writes.Archived != 1 {
		t.Errorf("%d Contacts were made, %+v", n, run.Writes)
	}
	if diff := cmp.Diff([]string(nil), w.hubspot.live("contacts", "lastname")); diff != "" {
		t.Errorf("HubSpot (-want +got):\n%s", diff)
	}
}

// TestEditsAfterALostAnswerAreBothKept dies at every moment of a sync that makes a
// record by external id, and lets people edit one field on each side before the
// next. What was agreed is known from what was sent: neither edit is taken for a
// difference that the newer record wins.
func TestEditsAfterALostAnswerAreBothKept(t *testing.T) {
	for _, moment := range []string{"before commit", "after commit", "before call", "after call"} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			looked := 0
			for n := 1; ; n++ {
				w := newWorld(t)
				w.yaml = replace(w.yaml, "    create: both\n", "    create: both\n    external-id: HubSpot_Id__c\n")
				contact := w.hubspot.add("contacts", "firstname", "Ann", "lastname", "Lee", "phone", "1", "email", "ann@acme.test")
				if !w.dieAt(moment, n) {
					break
				}
				w.hubspot.edit("contacts", contact, "phone", "2")
				w.salesforce.clock = max(w.salesforce.clock, w.hubspot.clock)
				want := "HubSpot [firstname=Ann phone=2], Salesforce [FirstName=Ann Phone=2]"
				for id := range w.salesforce.objects["Contact"] {
					w.salesforce.edit("Contact", id, "FirstName", "Anna")
					want = strings.ReplaceAll(want, "=Ann ", "=Anna ")
					looked++
				}
				w.settle()
				left := fmt.Sprint("HubSpot ", w.hubspot.live("contacts", "firstname", "phone"), ", Salesforce ", w.salesforce.live("Contact", "FirstName", "Phone"))
				if diff := cmp.Diff(want, left); diff != "" {
					t.Errorf("died at %d (-want +got):\n%s", n, diff)
				}
			}
			if looked == 0 && moment != "before call" { // the create is the last call
				t.Error("it never died after the create")
			}
		})
	}
}
