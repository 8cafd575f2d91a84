package engine_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// TestR16ARecordThatIsDeletedWhileOthersAreRelatedToItFailsNobody: a company is
// deleted between the decision and the write that relates a person to it. The
// vendor refuses that; the person is decided again as the deletion has it, and does
// not stay failed.
func TestR16ARecordThatIsDeletedWhileOthersAreRelatedToItFailsNobody(t *testing.T) {
	for _, deletes := range []string{"ask", "archive", "ignore"} {
		for name, relate := range map[string]func(w *world, company, account string) *vendor{
			"an association in HubSpot": func(w *world, _, account string) *vendor {
				contact := w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
				w.salesforce.edit("Contact", contact, "AccountId", account)
				return w.hubspot
			},
			"an association of a new contact": func(w *world, _, account string) *vendor {
				w.salesforce.add("Contact", "LastName", "Kay", "Email", "eve@acme.test", "AccountId", account)
				return w.hubspot
			},
			"a reference in Salesforce": func(w *world, company, _ string) *vendor {
				contact := w.hubspot.sorted("contacts", func(*row) bool { return true })[0]
				w.hubspot.relate("contacts", contact, "companies", company)
				return w.salesforce
			},
			"a reference of a new Contact": func(w *world, company, _ string) *vendor {
				contact := w.hubspot.add("contacts", "lastname", "Kay", "email", "eve@acme.test")
				w.hubspot.relate("contacts", contact, "companies", company)
				return w.salesforce
			},
		} {
			t.Run(deletes+", "+name, func(t *testing.T) {
				w := newWorld(t)
				w.yaml = strings.Replace(w.yaml, "    create: in-salesforce\n", "    create: in-salesforce\n    deletes: "+deletes+"\n", 1)
				company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
				w.hubspot.add("contacts", "lastname", "Ray", "email", "bob@acme.test")
				w.settle()
				account := w.salesforce.sorted("Account", func(*row) bool { return true })[0]
				side := relate(w, company, account)
				side.before = func(call string) error {
					if call == "apply" {
						side.before = nil
						object, id := "companies", company
						if side.side == crm.Salesforce {
							object, id = "Account", account
						}
						side.objects[object][id].archived, side.objects[object][id].modified = true, side.tick()
					}
					return nil
				}
				w.sync()
				w.settle()
				run := w.syncWith(engine.SyncOptions{Complete: true})
				if run.Tally.Failed+run.Tally.Pending != 0 || run.Writes.Sum() != 0 {
					t.Errorf("%+v, %+v", run.Tally, run.Writes)
				}
				want := 1 + strings.Count(name, "new")
				if h, s := w.hubspot.sorted("contacts", live), w.salesforce.sorted("Contact", live); len(h) != want || len(s) != want {
					t.Errorf("%d contacts in HubSpot and %d in Salesforce, want %d each", len(h), len(s), want)
				}
			})
		}
	}
}

func live(r *row) bool { return !r.archived }
