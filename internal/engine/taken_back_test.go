package engine_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// TestR16AnAssociationThatWaitedAndIsTakenBackLetsTheOtherSidesGoOver: both sides
// relate a person to another company, and the winner's is not on both sides, so that
// nothing can be written. When it is taken back, the other one's goes over, though
// the winner holds by then what both sides agreed on last.
func TestR16AnAssociationThatWaitedAndIsTakenBackLetsTheOtherSidesGoOver(t *testing.T) {
	for name, test := range map[string]struct {
		wins      crm.Side
		unnoticed bool // by the stamp of the record
	}{
		"HubSpot's":                      {wins: crm.HubSpot},
		"HubSpot's, and the stamp stays": {wins: crm.HubSpot, unnoticed: true},
		"Salesforce's":                   {wins: crm.Salesforce},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.yaml = strings.Replace(w.yaml, "salesforce: AccountId}", "salesforce: AccountId, wins: "+string(test.wins)+"}", 1)
			w.yaml = strings.Replace(w.yaml, "create: in-salesforce", "create: never", 1)
			company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
			account := w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test")
			contact := w.salesforce.add("Contact", "LastName", "Ray", "Email", "bob@acme.test")
			w.settle()
			person := w.hubspot.sorted("contacts", func(*row) bool { return true })[0]
			stamp := w.hubspot.objects["contacts"][person].modified
			if test.wins == crm.HubSpot {
				w.hubspot.relate("contacts", person, "companies", w.hubspot.add("companies", "name", "HubSpot's own"))
				w.salesforce.edit("Contact", contact, "AccountId", account)
			} else {
				w.hubspot.relate("contacts", person, "companies", company)
				w.salesforce.edit("Contact", contact, "AccountId", w.salesforce.add("Account", "Name", "Salesforce's own"))
			}
			if run := w.sync(); run.Writes.Sum() != 0 {
				t.Fatalf("it does not wait: %+v", run.Writes)
			}
			if test.wins == crm.HubSpot {
				r := w.hubspot.objects["contacts"][person]
				r.relations, r.modified = nil, w.hubspot.tick()
				if test.unnoticed {
					r.modified = stamp
				}
			} else {
				w.salesforce.edit("Contact", contact, "AccountId", "")
			}
			w.settle()
			if r := w.hubspot.objects["contacts"][person]; len(r.relations) != 1 || r.relations[0].ID != company {
				t.Errorf("HubSpot: %+v, want %s", r.relations, company)
			}
			if got := w.salesforce.value("Contact", contact, "AccountId"); got != account {
				t.Errorf("Salesforce: %q, want %q", got, account)
			}
		})
	}
}

// TestR16AnAssociationWithWhatWasRestoredMeanwhileGoesOver: a company comes back and a
// person is related to it before the next run, which sees both at once.
func TestR16AnAssociationWithWhatWasRestoredMeanwhileGoesOver(t *testing.T) {
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		w := newWorld(t)
		w.yaml = strings.Replace(w.yaml, "    create: in-salesforce\n", "    create: in-salesforce\n    deletes: ignore\n", 1)
		company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
		person := w.hubspot.add("contacts", "lastname", "Ray", "email", "bob@acme.test")
		w.settle()
		account, contact := w.salesforce.sorted("Account", live)[0], w.salesforce.sorted("Contact", live)[0]
		v, object, id := w.hubspot, "companies", company
		if side == crm.Salesforce {
			v, object, id = w.salesforce, "Account", account
		}
		v.archive(object, id)
		w.settle()
		v.restore(object, id)
		if side == crm.HubSpot {
			w.salesforce.edit("Contact", contact, "AccountId", account)
		} else {
			w.hubspot.relate("contacts", person, "companies", company)
		}
		w.settle()
		if r := w.hubspot.objects["contacts"][person]; len(r.relations) != 1 || w.salesforce.value("Contact", contact, "AccountId") != account {
			t.Errorf("restored in %s: HubSpot has %+v, Salesforce %q", side, r.relations, w.salesforce.value("Contact", contact, "AccountId"))
		}
	}
}
