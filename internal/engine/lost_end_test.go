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

// TestR16AnAssociationComesBackWithItsFarRecord: a company, or a person, is deleted in
// HubSpot and with it their association, which neither a restore nor a company that is
// made in its place brings back. Salesforce still says to which Account the person
// belongs.
func TestR16AnAssociationComesBackWithItsFarRecord(t *testing.T) {
	type story struct {
		*world
		company, account, person string
	}
	end := func(s story) { s.hubspot.dissociate("contacts", s.person, "companies", s.company) }
	for name, test := range map[string]struct {
		create, deletes string
		happens         func(s story)
	}{
		"restored after it was missed": {create: "in-salesforce", deletes: "ignore", happens: func(s story) {
			s.hubspot.archive("companies", s.company)
			end(s)
			s.settle()
			s.hubspot.restore("companies", s.company)
		}},
		"restored in the run that sees the association ended": {create: "in-salesforce", deletes: "ignore", happens: func(s story) {
			s.hubspot.archive("companies", s.company)
			s.settle()
			end(s)
			s.hubspot.restore("companies", s.company)
		}},
		"of a person who was deleted and restored": {create: "in-salesforce", deletes: "ignore", happens: func(s story) {
			s.hubspot.archive("contacts", s.person)
			end(s)
			s.settle()
			s.hubspot.restore("contacts", s.person)
		}},
		"of a person who was deleted and restored, and is held then": {create: "in-salesforce", deletes: "ignore", happens: func(s story) {
			s.yaml = strings.Replace(s.yaml, "{hubspot: lastname, salesforce: LastName}", "{hubspot: lastname, salesforce: LastName, wins: hold}", 1)
			s.settle()
			s.hubspot.archive("contacts", s.person)
			end(s)
			s.settle()
			s.hubspot.restore("contacts", s.person)
			s.hubspot.edit("contacts", s.person, "lastname", "Kay")
			s.salesforce.edit("Contact", s.salesforce.sorted("Contact", live)[0], "LastName", "May")
			if run := s.sync(); run.Tally.Held != 1 {
				s.t.Fatalf("it is not held: %+v", run.Tally)
			}
			s.hubspot.edit("contacts", s.person, "lastname", "May")
		}},
		"made anew for an Account that was restored": {create: "in-hubspot", deletes: "archive", happens: func(s story) {
			s.salesforce.archive("Account", s.account)
			s.settle()
			end(s)
			s.settle()
			s.salesforce.restore("Account", s.account)
		}},
		"made anew in the run that sees the association ended": {create: "in-hubspot", deletes: "archive", happens: func(s story) {
			s.salesforce.archive("Account", s.account)
			s.settle()
			end(s)
			s.salesforce.restore("Account", s.account)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.yaml = strings.Replace(w.yaml, "    create: in-salesforce\n", "    create: "+test.create+"\n    deletes: "+test.deletes+"\n", 1)
			account := w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test")
			company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
			w.salesforce.add("Contact", "LastName", "Ray", "Email", "bob@acme.test", "AccountId", account)
			person := w.hubspot.add("contacts", "lastname", "Ray", "email", "bob@acme.test")
			w.settle()
			test.happens(story{w, company, account, person})
			w.settle()
			contact := w.salesforce.sorted("Contact", live)[0]
			if got := w.salesforce.value("Contact", contact, "AccountId"); got != account {
				t.Errorf("Salesforce: %q, want %q", got, account)
			}
			companies := w.hubspot.sorted("companies", live)
			if r := w.hubspot.objects["contacts"][person]; len(companies) != 1 || len(r.relations) != 1 || r.relations[0].ID != companies[0] {
				t.Errorf("HubSpot: %+v, companies %v", r.relations, companies)
			}
		})
	}
}
