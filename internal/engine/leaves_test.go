package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// leaving is one pair, and a mapping with filters on both sides.
func leaving(t *testing.T, policy string) (w *world, hubspot, salesforce string) {
	w = newWorld(t)
	w.yaml = strings.Replace(w.yaml, `where: {hubspot: 'hubspot.lifecyclestage != "subscriber"'}`,
		`where: {hubspot: 'hubspot.lifecyclestage != "subscriber"', salesforce: 'salesforce.LastName != "Internal"'}`+"\n    leaves: "+policy, 1)
	w.yaml = strings.Replace(w.yaml, "deletes: ask", "deletes: archive", 1)
	hubspot = w.hubspot.add("contacts", "firstname", "Ann", "lastname", "Lee", "email", "ann@acme.test")
	w.sync()
	return w, hubspot, w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
}

func TestALinkedRecordThatLeavesTheFilter(t *testing.T) {
	leave := map[string]func(w *world, h, s string){
		"HubSpot's": func(w *world, h, _ string) {
			w.hubspot.edit("contacts", h, "lifecyclestage", "subscriber", "firstname", "New")
		},
		"Salesforce's": func(w *world, _, s string) {
			w.salesforce.edit("Contact", s, "LastName", "Internal", "FirstName", "New")
		},
	}
	for name, left := range leave {
		for policy, want := range map[string]struct {
			reason                      string
			hubspotGone, salesforceGone bool
			flows                       bool
		}{
			"stop":    {reason: "excluded excluded.filter"},
			"keep":    {flows: true},
			"archive": {reason: "excluded excluded.filter", hubspotGone: name == "Salesforce's", salesforceGone: name == "HubSpot's"},
		} {
			t.Run(name+", "+policy, func(t *testing.T) {
				w, h, s := leaving(t, policy)
				left(w, h, s)
				w.sync()
				w.silent()
				if got := w.reasonOf("people", crm.HubSpot, h); policy != "archive" && got != want.reason {
					t.Errorf("the pair is %q, want %q", got, want.reason)
				}
				if w.hubspot.archived("contacts", h) != want.hubspotGone || w.salesforce.archived("Contact", s) != want.salesforceGone {
					t.Errorf("archived: HubSpot %v, Salesforce %v", w.hubspot.archived("contacts", h), w.salesforce.archived("Contact", s))
				}
				if flows := w.hubspot.value("contacts", h, "firstname") == w.salesforce.value("Contact", s, "FirstName"); flows != want.flows {
					t.Errorf("the value flowed: %v", flows)
				}
			})
		}
	}
}

func TestARecordThatLeftAndReturnsGetsANewCounterpart(t *testing.T) {
	w, h, s := leaving(t, "archive")
	w.hubspot.edit("contacts", h, "lifecyclestage", "subscriber")
	if run := w.sync(); run.Writes.Archived != 1 {
		t.Fatalf("%+v", run.Writes)
	}
	w.hubspot.edit("contacts", h, "firstname", "Still outside")
	if run := w.sync(); run.Writes.Sum() != 0 {
		t.Errorf("an edit outside the filter: %+v", run.Writes)
	}
	w.hubspot.edit("contacts", h, "lifecyclestage", "lead")
	if run := w.sync(); run.Writes.Created != 1 || run.Writes.Archived != 0 {
		t.Errorf("back in the filter: %+v", run.Writes)
	}
	w.silent()
	if !w.salesforce.archived("Contact", s) || len(w.salesforce.live("Contact")) != 1 {
		t.Errorf("Salesforce has %v", w.salesforce.live("Contact", "FirstName"))
	}
}

func TestR18WhatWeArchivedAndSomebodyRestoresIsNotArchivedAgain(t *testing.T) {
	w, h, s := leaving(t, "archive")
	w.hubspot.edit("contacts", h, "lifecyclestage", "subscriber")
	w.sync()
	w.salesforce.restore("Contact", s)
	if run := w.sync(); run.Writes.Sum() != 0 {
		t.Errorf("after the restore: %+v", run.Writes)
	}
	w.hubspot.edit("contacts", h, "firstname", "Outside")
	if run := w.sync(); run.Writes.Sum() != 0 || w.salesforce.archived("Contact", s) {
		t.Errorf("after an edit: %+v", run.Writes)
	}
	w.silent()
	w.hubspot.edit("contacts", h, "lifecyclestage", "lead")
	w.sync()
	if got := w.salesforce.value("Contact", s, "FirstName"); got != "Outside" {
		t.Errorf("back in the filter, the pair is not kept in step: %q", got)
	}
	// It may leave once more: that is a new departure.
	w.hubspot.edit("contacts", h, "lifecyclestage", "subscriber")
	if run := w.sync(); run.Writes.Archived != 1 {
		t.Errorf("the second departure: %+v", run.Writes)
	}
}

// TestR18DeletesAndRestoresPropagateOrAreReported deletes one record of a pair in
// every way and on either side, and then restores it.
func TestR18DeletesAndRestoresPropagateOrAreReported(t *testing.T) {
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		for _, how := range []string{"archived", "purged"} {
			for policy, want := range map[string]string{"ignore": "excluded excluded.gone", "ask": "held held.deleted", "archive": ""} {
				t.Run(fmt.Sprintf("%s in %s, %s", how, side, policy), func(t *testing.T) {
					w := newWorld(t)
					where := map[crm.Side]string{crm.HubSpot: "in-salesforce", crm.Salesforce: "in-hubspot"}[side]
					w.yaml = strings.Replace(w.yaml, "deletes: ask", "deletes: {"+where+": "+policy+"}", 1)
					h := w.hubspot.add("contacts", "firstname", "Ann", "lastname", "Lee", "email", "ann@acme.test")
					w.sync()
					s := w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
					v, object, id, other, otherObject, otherID := w.hubspot, "contacts", h, w.salesforce, "Contact", s
					if side == crm.Salesforce {
						v, object, id, other, otherObject, otherID = other, otherObject, otherID, v, object, id
					}
					if how == "purged" {
						v.purge(object, id)
						w.sync()
						w.syncWith(engine.SyncOptions{Complete: true})
					} else {
						v.archive(object, id)
						w.sync()
					}
					w.silent()
					if got := w.reasonOf("people", crm.HubSpot, h); got != want {
						t.Errorf("the pair is %q, want %q", got, want)
					}
					if got := other.archived(otherObject, otherID); got != (policy == "archive") {
						t.Errorf("the other record is archived: %v", got)
					}
					if how == "purged" {
						return
					}
					v.restore(object, id)
					run := w.sync()
					w.silent()
					if policy == "archive" {
						// No API brings the other one back: it is made anew.
						if run.Writes.Created != 1 || run.Writes.Archived != 0 {
							t.Errorf("after the restore: %+v", run.Writes)
						}
						return
					}
					v.edit(object, id, map[string]string{"contacts": "firstname", "Contact": "FirstName"}[object], "Again")
					w.sync()
					if a, b := w.hubspot.value("contacts", h, "firstname"), w.salesforce.value("Contact", s, "FirstName"); a != "Again" || b != "Again" || run.Writes.Created != 0 {
						t.Errorf("restored, the pair is not kept in step: %q, %q, %+v", a, b, run.Writes)
					}
				})
			}
		}
	}
}

func TestR18TheOtherSidesPolicyDoesNotCount(t *testing.T) {
	w := newWorld(t)
	w.yaml = strings.Replace(w.yaml, "deletes: ask", "deletes: {in-hubspot: archive}", 1)
	h := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.sync()
	w.hubspot.archive("contacts", h)
	if run := w.sync(); run.Writes.Sum() != 0 || w.reasonOf("people", crm.HubSpot, h) != "excluded excluded.gone" {
		t.Errorf("%+v, %q", run.Writes, w.reasonOf("people", crm.HubSpot, h))
	}
}

func TestR18WhatWasArchivedForADeletionAndIsRestoredStays(t *testing.T) {
	for name, both := range map[string]bool{"only ours": false, "both": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.yaml = strings.Replace(w.yaml, "deletes: ask", "deletes: archive", 1)
			h := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
			w.sync()
			s := w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
			w.hubspot.archive("contacts", h)
			w.sync()
			w.silent()
			w.salesforce.restore("Contact", s)
			if both {
				w.hubspot.restore("contacts", h)
			}
			run := w.sync()
			w.silent()
			if w.salesforce.archived("Contact", s) || run.Writes.Archived != 0 {
				t.Errorf("it was archived again: %+v", run.Writes)
			}
			if n := len(w.hubspot.live("contacts")); n != 1 || len(w.pairsOf("people")) != 1 || both && run.Writes.Created != 0 {
				t.Errorf("%d HubSpot contacts, links %v, %+v", n, w.pairsOf("people"), run.Writes)
			}
		})
	}
}

// TestR5OrphansAreFoundWhateverTheFilterSays seeds pairs, lets half of them leave
// the filter, and deletes one record of each.
func TestR5OrphansAreFoundWhateverTheFilterSays(t *testing.T) {
	w := newWorld(t)
	const pairs = 20
	var contacts []string
	for i := range pairs {
		contacts = append(contacts, w.hubspot.add("contacts", "lastname", "L", "email", fmt.Sprintf("p%02d@acme.test", i)))
	}
	w.sync()
	partner := map[string]string{}
	for _, p := range w.pairsOf("people") {
		h, s, _ := strings.Cut(p, "=")
		partner[h] = s
	}
	for i, h := range contacts {
		if i%2 == 0 {
			w.hubspot.edit("contacts", h, "lifecyclestage", "subscriber")
		}
	}
	w.sync()
	for i, h := range contacts {
		switch i % 4 {
		case 0, 1:
			w.salesforce.archive("Contact", partner[h])
		case 2:
			w.hubspot.archive("contacts", h)
		default:
			w.salesforce.purge("Contact", partner[h])
		}
	}
	w.syncWith(engine.SyncOptions{Complete: true})
	_, s := w.open()
	defer s.Close()
	counts, err := s.CountOutcomes(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		if c.Code == "held.deleted" && c.Count != pairs {
			t.Errorf("%d of %d orphans are reported", c.Count, pairs)
		}
	}
	if !slices.ContainsFunc(counts, func(c store.OutcomeCount) bool { return c.Code == "held.deleted" }) {
		t.Errorf("no orphan is reported: %+v", counts)
	}
}

// TestABrakeOfUpdatesCountsTheWholeRun: what a first round makes decidable is
// written by a second one. Together they may not go beyond the brake.
func TestABrakeOfUpdatesCountsTheWholeRun(t *testing.T) {
	for most, want := range map[int]string{1: "1 of it", 2: "all"} {
		w := newWorld(t)
		one := w.hubspot.add("contacts", "lastname", "Ray", "email", "bob@acme.test")
		two := w.hubspot.add("contacts", "lastname", "Kay", "email", "eve@acme.test")
		company := w.hubspot.add("companies", "domain", "acme.test") // held: it has no name
		w.hubspot.relate("contacts", one, "companies", company)
		w.settle()
		w.yaml = strings.Replace(w.yaml, "objects:", fmt.Sprintf("brakes: {updates: %d}\nobjects:", most), 1)
		w.hubspot.edit("companies", company, "name", "Acme")
		w.hubspot.edit("contacts", two, "lastname", "Kaye")
		run := w.sync()
		got := "all"
		if len(run.Brakes) == 1 && run.Brakes[0].What == "updates" && run.Brakes[0].Planned == 2 && run.Writes.Updated == 1 {
			got = "1 of it"
		}
		if got != want || run.Writes.Created != 1 {
			t.Errorf("updates: %d: %s is written, want %s; %+v, %+v", most, got, want, run.Brakes, run.Writes)
		}
	}
}

func TestBrakesHoldArchivesByNumberAndByShareAndKeepThePlan(t *testing.T) {
	for brake, holds := range map[string]bool{"deletes: 2": true, "deletes: 3": false, "deletes: 20%": true, "deletes: 30%": false, "deletes: 0": true} {
		t.Run(brake, func(t *testing.T) {
			w := newWorld(t)
			w.yaml = strings.Replace(w.yaml, "deletes: ask", "deletes: archive", 1)
			var contacts []string
			for i := range 10 {
				contacts = append(contacts, w.hubspot.add("contacts", "lastname", "L", "email", fmt.Sprintf("p%02d@acme.test", i)))
			}
			w.sync()
			w.yaml += "brakes: {" + brake + "}\n"
			w.sync()
			for _, h := range contacts[:3] {
				w.hubspot.archive("contacts", h)
			}
			run := w.sync()
			if held := run.Status == engine.RunBraked; held != holds || (run.Writes.Archived == 3) == holds {
				t.Fatalf("status %s, %+v", run.Status, run.Writes)
			}
			if !holds {
				return
			}
			if diff := cmp.Diff([]engine.Brake{{What: "deletes", Planned: 3, Limit: run.Brakes[0].Limit}}, run.Brakes); diff != "" {
				t.Errorf("brakes (-want +got):\n%s", diff)
			}
			// The plan is kept: the next run shows and holds the same, a person lets it go.
			if again := w.sync(); again.Status != engine.RunBraked || again.Writes.Sum() != 0 || again.Tally.Pending != 3 {
				t.Errorf("the next run: %s, %+v, %+v", again.Status, again.Writes, again.Tally)
			}
			if released := w.syncWith(engine.SyncOptions{ReleaseBrakes: true}); released.Writes.Archived != 3 {
				t.Errorf("released: %+v", released.Writes)
			}
			w.silent()
		})
	}
}

// TestR4NoWriteForARecordOutsideTheFilterAtTheVersionThatWasRead lets people move
// records in and out of the filter at any call of a sync, and looks at every
// write: the version of the HubSpot record that was read last has to be inside.
func TestR4NoWriteForARecordOutsideTheFilterAtTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		names := []string{"a", "b", "c"}
		ids := map[string]string{}
		for _, name := range names {
			ids[name] = w.hubspot.add("contacts", "firstname", "0", "lastname", "L"+name, "email", name+"@acme.test", "lifecyclestage", rapid.SampledFrom([]string{"lead", "subscriber"}).Draw(rt, "begins"))
		}
		read := map[string]string{} // e-mail to stage, as read last
		w.hubspot.reads = func(r *row) { read[r.values["email"]] = r.values["lifecyclestage"] }
		w.salesforce.refuse = func(write crm.Write) error {
			email := ""
			for _, f := range write.Fields {
				if f.Name == "Email" {
					email = f.Value.Text
				}
			}
			if r := w.salesforce.objects["Contact"][write.ID]; r != nil {
				email = r.values["Email"]
			}
			if stage, ok := read[email]; write.Object == "Contact" && (!ok || stage == "subscriber") {
				rt.Errorf("%s of %s, which was read as %q", write.Op, email, stage)
			}
			return nil
		}
		step := 0
		for range rapid.IntRange(1, 4).Draw(rt, "syncs") {
			at, who := rapid.IntRange(1, 8).Draw(rt, "at"), rapid.SampledFrom(names).Draw(rt, "who")
			stage := rapid.SampledFrom([]string{"lead", "subscriber"}).Draw(rt, "stage")
			calls := 0
			between := func(string) error {
				if calls++; calls != at {
					return nil
				}
				step++
				r := w.hubspot.objects["contacts"][ids[who]]
				r.values["lifecyclestage"], r.values["firstname"] = stage, fmt.Sprint(step)
				r.modified = w.hubspot.tick()
				return nil
			}
			if rapid.Bool().Draw(rt, "between HubSpot's calls") {
				w.hubspot.before = between
			} else {
				w.hubspot.after = between
			}
			w.sync()
			w.hubspot.before, w.hubspot.after = nil, nil
		}
		w.settle()
		for _, name := range names {
			h, inside := w.hubspot.objects["contacts"][ids[name]], w.hubspot.value("contacts", ids[name], "lifecyclestage") != "subscriber"
			for _, s := range w.salesforce.objects["Contact"] {
				if inside && s.values["Email"] == name+"@acme.test" && s.values["FirstName"] != h.values["firstname"] {
					rt.Errorf("%s is inside the filter and not in step", name)
				}
			}
		}
	})
}
