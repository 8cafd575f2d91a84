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

// pairsOf lists the links of an object as "hubspot=salesforce", sorted.
func (w *world) pairsOf(name string) []string {
	w.t.Helper()
	_, s := w.open()
	defer s.Close()
	links, err := s.LinkPage(context.Background(), name, "", 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, l := range links {
		out = append(out, l.HubSpotID+"="+l.SalesforceID)
	}
	slices.Sort(out)
	return out
}

// reasonOf is what is remembered of a thing: "outcome code", or "" when it is
// in step or unknown.
func (w *world) reasonOf(name string, side crm.Side, id string) string {
	w.t.Helper()
	_, s := w.open()
	defer s.Close()
	outcomes, err := s.Outcomes(context.Background(), name, side, []string{id})
	if err != nil {
		w.t.Fatal(err)
	}
	if o, ok := outcomes[id]; ok {
		return string(o.Outcome) + " " + o.Reason.Code
	}
	return ""
}

// silent wants that the next cycles write nothing, and returns the last one.
func (w *world) silent() *engine.Run {
	w.t.Helper()
	var run *engine.Run
	for range 2 {
		if run = w.sync(); run.Writes.Sum()+run.Writes.Linked != 0 {
			w.t.Errorf("a quiet world makes writes: %+v", run.Writes)
		}
	}
	if run = w.syncWith(engine.SyncOptions{Complete: true}); run.Writes.Sum()+run.Writes.Linked != 0 {
		w.t.Errorf("a complete look at a quiet world makes writes: %+v", run.Writes)
	}
	return run
}

// untouched wants that a sync creates and deletes nothing.
func (w *world) untouched(run *engine.Run) {
	w.t.Helper()
	if run.Writes.Created != 0 || run.Writes.Archived != 0 {
		w.t.Errorf("a merge created %d records and deleted %d", run.Writes.Created, run.Writes.Archived)
	}
}

// merged is a world of three pairs of people a, b, c whose records are deleted
// on the other side, too, unless something stops that.
func merged(t *testing.T) (w *world, hubspot, salesforce []string) {
	w = newWorld(t)
	w.yaml = strings.Replace(w.yaml, "deletes: ask", "deletes: archive", 1)
	for _, name := range []string{"a", "b", "c"} {
		hubspot = append(hubspot, w.hubspot.add("contacts", "firstname", "First "+name, "lastname", "L"+name, "email", name+"@acme.test"))
	}
	w.sync()
	for _, name := range []string{"a", "b", "c"} {
		salesforce = append(salesforce, w.salesforce.sorted("Contact", func(r *row) bool { return r.values["Email"] == name+"@acme.test" })[0])
	}
	return w, hubspot, salesforce
}

func TestR7MergeOfTwoLinkedHubSpotRecordsMovesOneLinkAndHoldsTheOther(t *testing.T) {
	w, h, s := merged(t)
	n := w.hubspot.merge("contacts", h[0], h[1])
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{h[2] + "=" + s[2], n + "=" + s[0]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if got := w.reasonOf("people", crm.Salesforce, s[1]); got != "held held.merged" {
		t.Errorf("the other partner: %q", got)
	}
	w.untouched(w.silent())
	// The link carries on: a change flows, and only to the pair's record.
	w.hubspot.edit("contacts", n, "firstname", "Augusta")
	w.untouched(w.sync())
	if a, b := w.salesforce.value("Contact", s[0], "FirstName"), w.salesforce.value("Contact", s[1], "FirstName"); a != "Augusta" || b != "First b" {
		t.Errorf("after an edit: %q, %q", a, b)
	}
	// What Salesforce says of the record that is left over goes nowhere.
	w.salesforce.edit("Contact", s[1], "FirstName", "Ignored")
	w.untouched(w.sync())
	if got := w.hubspot.value("contacts", n, "firstname"); got != "Augusta" {
		t.Errorf("HubSpot has %q", got)
	}
}

func TestR7TheMergeIsMadeOnTheOtherSideAsWell(t *testing.T) {
	for name, first := range map[string]int{"into the record that is linked": 0, "into the record that is left over": 1} {
		t.Run(name, func(t *testing.T) {
			w, h, s := merged(t)
			n := w.hubspot.merge("contacts", h[0], h[1])
			w.untouched(w.sync())
			w.salesforce.merge("Contact", s[first], s[1-first])
			w.untouched(w.sync())
			if diff := cmp.Diff([]string{h[2] + "=" + s[2], n + "=" + s[first]}, w.pairsOf("people")); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			for _, id := range s[:2] {
				if got := w.reasonOf("people", crm.Salesforce, id); got != "" {
					t.Errorf("%s is remembered as %q", id, got)
				}
			}
			run := w.silent()
			if diff := cmp.Diff(crm.Tally{Unchanged: 2}, run.Tally); diff != "" {
				t.Errorf("in the end (-want +got):\n%s", diff)
			}
		})
	}
}

func TestR7MergeOfTwoLinkedSalesforceRecordsHoldsTheHubSpotRecordThatIsLeftOver(t *testing.T) {
	w, h, s := merged(t)
	w.salesforce.merge("Contact", s[0], s[1])
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{h[0] + "=" + s[0], h[2] + "=" + s[2]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if got := w.reasonOf("people", crm.HubSpot, h[1]); got != "held held.merged" {
		t.Errorf("the other partner: %q", got)
	}
	w.untouched(w.silent())
	n := w.hubspot.merge("contacts", h[1], h[0])
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{h[2] + "=" + s[2], n + "=" + s[0]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links after the merge in HubSpot (-want +got):\n%s", diff)
	}
	w.untouched(w.silent())
}

// TestR7WhatIsLeftOverOfAMergeFollowsThePair: b went into a in HubSpot, so that b's
// Contact is left over; then c's Contact goes into a's in Salesforce, and a is
// deleted in HubSpot. What lives is one pair, and b's Contact is to be merged
// into its Contact, as it was.
func TestR7WhatIsLeftOverOfAMergeFollowsThePair(t *testing.T) {
	w, h, s := merged(t)
	other := w.hubspot.add("contacts", "lastname", "Other", "email", "other@acme.test")
	w.sync()
	n := w.hubspot.merge("contacts", h[0], h[1])
	w.untouched(w.sync())
	w.salesforce.merge("Contact", s[0], s[2])
	w.hubspot.archive("contacts", n)
	w.untouched(w.sync())
	// That another pair ends changes nothing for it.
	w.hubspot.archive("contacts", other)
	w.sync()
	if diff := cmp.Diff([]string{h[2] + "=" + s[0]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if got := w.reasonOf("people", crm.Salesforce, s[1]); got != "held held.merged" {
		t.Errorf("what is left over: %q", got)
	}
	w.untouched(w.silent())
	w.salesforce.merge("Contact", s[0], s[1])
	w.untouched(w.sync())
	if got := w.reasonOf("people", crm.Salesforce, s[1]); got != "" {
		t.Errorf("after it was merged: %q", got)
	}
	if run := w.silent(); run.Tally.Sum() != 1 || run.Tally.Unchanged != 1 {
		t.Errorf("%+v", run.Tally)
	}
}

// TestR7AMergeIsKnownFromItsSurvivor: a was merged with a contact that is linked
// to nothing. The search tells of that one only, not yet of a or of the record
// that the merge made; read by id, that record says what it took in.
func TestR7AMergeIsKnownFromItsSurvivor(t *testing.T) {
	w, h, s := merged(t)
	alone := w.hubspot.add("contacts", "firstname", "No last name")
	w.sync()
	n := w.hubspot.merge("contacts", h[0], alone)
	for _, id := range []string{h[0], n} {
		w.hubspot.objects["contacts"][id].modified = 1
	}
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{h[1] + "=" + s[1], h[2] + "=" + s[2], n + "=" + s[0]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	w.untouched(w.silent())
}

// TestR7ASurvivorThatIsDeletedAtOnceWasAMerge: a and b were merged, and the record
// that the merge made is deleted as soon as it was read. HubSpot answers for a and
// b as for deleted ones then; the record itself said what it took in.
func TestR7ASurvivorThatIsDeletedAtOnceWasAMerge(t *testing.T) {
	w, h, s := merged(t)
	w.yaml = strings.Replace(w.yaml, "deletes: archive", "deletes: ask", 1)
	n := w.hubspot.merge("contacts", h[0], h[1])
	survivor := w.hubspot.objects["contacts"][n]
	w.hubspot.reads = func(r *row) { survivor.archived = survivor.archived || r == survivor }
	w.untouched(w.syncWith(engine.SyncOptions{Complete: true}))
	w.hubspot.reads = nil
	w.untouched(w.syncWith(engine.SyncOptions{Complete: true}))
	if diff := cmp.Diff([]string{h[2] + "=" + s[2], n + "=" + s[0]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if a, b := w.reason("people", n), w.reasonOf("people", crm.Salesforce, s[1]); a != "held held.deleted" || b != "held held.merged" {
		t.Errorf("%q, %q", a, b)
	}
}

func TestR7MergeOfThreeSalesforceRecordsAtOnce(t *testing.T) {
	w, h, s := merged(t)
	w.salesforce.merge("Contact", s[1], s[0], s[2])
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{h[1] + "=" + s[1]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	for _, id := range []string{h[0], h[2]} {
		if got := w.reasonOf("people", crm.HubSpot, id); got != "held held.merged" {
			t.Errorf("%s: %q", id, got)
		}
	}
	n := w.hubspot.merge("contacts", w.hubspot.merge("contacts", h[0], h[2]), h[1])
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{n + "=" + s[1]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links after the merges in HubSpot (-want +got):\n%s", diff)
	}
	if run := w.silent(); run.Tally.Sum() != 1 || run.Tally.Unchanged != 1 {
		t.Errorf("%+v", run.Tally)
	}
}

func TestR7MergeWithARecordThatIsLinkedToNothing(t *testing.T) {
	for name, test := range map[string]struct{ primary, other string }{
		"the linked one is the primary": {"linked", "new"}, "the linked one is merged away": {"new", "linked"},
	} {
		t.Run("HubSpot, "+name, func(t *testing.T) {
			w, h, s := merged(t)
			ids := map[string]string{"linked": h[0], "new": w.hubspot.add("contacts", "firstname", "x", "email", "x@acme.test", "lifecyclestage", "subscriber")}
			w.sync()
			n := w.hubspot.merge("contacts", ids[test.primary], ids[test.other])
			w.hubspot.edit("contacts", n, "lifecyclestage", "lead")
			w.untouched(w.sync())
			if !slices.Contains(w.pairsOf("people"), n+"="+s[0]) {
				t.Errorf("links %v", w.pairsOf("people"))
			}
			w.untouched(w.silent())
		})
		t.Run("Salesforce, "+name, func(t *testing.T) {
			w, h, s := merged(t)
			w.yaml = strings.Replace(w.yaml, "create: both", "create: in-salesforce", 1)
			ids := map[string]string{"linked": s[0], "new": w.salesforce.add("Contact", "LastName", "x", "Email", "x@acme.test")}
			w.sync()
			survivor := w.salesforce.merge("Contact", ids[test.primary], ids[test.other])
			w.untouched(w.sync())
			if !slices.Contains(w.pairsOf("people"), h[0]+"="+survivor) {
				t.Errorf("links %v, want %s=%s", w.pairsOf("people"), h[0], survivor)
			}
			w.untouched(w.silent())
		})
	}
}

func TestR7MergeOfRecordsThatAreLinkedToNothingMakesAnAmbiguousMatchPlain(t *testing.T) {
	w := newWorld(t)
	one := w.hubspot.add("contacts", "lastname", "Twin", "email", "twin@acme.test")
	two := w.hubspot.add("contacts", "lastname", "Twin", "email", "twin@acme.test")
	s := w.salesforce.add("Contact", "LastName", "Twin", "Email", "twin@acme.test")
	if run := w.sync(); run.Tally.Held != 3 || run.Writes.Sum() != 0 {
		t.Fatalf("%+v %+v", run.Tally, run.Writes)
	}
	n := w.hubspot.merge("contacts", one, two)
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{n + "=" + s}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if run := w.silent(); run.Tally.Held != 0 || run.Tally.Sum() != 1 {
		t.Errorf("%+v", run.Tally)
	}
}

func TestR7MergesOfMergesInOneCycleAndInSeveral(t *testing.T) {
	for _, several := range []bool{false, true} {
		t.Run(fmt.Sprintf("several cycles %v", several), func(t *testing.T) {
			w, h, s := merged(t)
			n := w.hubspot.merge("contacts", h[0], h[1])
			if several {
				w.untouched(w.sync())
			}
			m := w.hubspot.merge("contacts", h[2], n)
			w.untouched(w.sync())
			if got := w.pairsOf("people"); len(got) != 1 || !strings.HasPrefix(got[0], m+"=") {
				t.Fatalf("links %v, want one of %s", got, m)
			}
			w.untouched(w.silent())
			left := strings.TrimPrefix(w.pairsOf("people")[0], m+"=")
			others := slices.DeleteFunc(slices.Clone(s), func(id string) bool { return id == left })
			for _, id := range others {
				if got := w.reasonOf("people", crm.Salesforce, id); got != "held held.merged" {
					t.Errorf("%s: %q", id, got)
				}
			}
			// In Salesforce one after the other, the last into one that is left over.
			w.salesforce.merge("Contact", others[0], left)
			if several {
				w.untouched(w.sync())
			}
			w.salesforce.merge("Contact", others[1], others[0])
			w.untouched(w.sync())
			if diff := cmp.Diff([]string{m + "=" + others[1]}, w.pairsOf("people")); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			if run := w.silent(); run.Tally.Sum() != 1 {
				t.Errorf("%+v", run.Tally)
			}
		})
	}
}

func TestR7MergeOnBothSidesInTheSameCycle(t *testing.T) {
	for name, complete := range map[string]bool{"seen by the change feeds": false, "seen by complete reads": true} {
		t.Run(name, func(t *testing.T) {
			w, h, s := merged(t)
			n := w.hubspot.merge("contacts", h[0], h[1])
			w.salesforce.merge("Contact", s[1], s[0])
			w.untouched(w.syncWith(engine.SyncOptions{Complete: complete}))
			w.untouched(w.sync())
			if diff := cmp.Diff([]string{h[2] + "=" + s[2], n + "=" + s[1]}, w.pairsOf("people")); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			if run := w.silent(); run.Tally.Held != 0 || run.Tally.Sum() != 2 {
				t.Errorf("%+v", run.Tally)
			}
		})
	}
}

func TestR7MergeIntoARecordOutsideTheFilterWritesNothing(t *testing.T) {
	w, h, s := merged(t)
	sub := w.hubspot.add("contacts", "firstname", "Sub", "email", "sub@acme.test", "lifecyclestage", "subscriber")
	w.sync()
	n := w.hubspot.merge("contacts", sub, h[0])
	run := w.sync()
	if run.Writes.Sum() != 0 {
		t.Errorf("%+v", run.Writes)
	}
	if !slices.Contains(w.pairsOf("people"), n+"="+s[0]) || w.reasonOf("people", crm.HubSpot, n) != "excluded excluded.filter" {
		t.Errorf("links %v, the pair is %q", w.pairsOf("people"), w.reasonOf("people", crm.HubSpot, n))
	}
	w.untouched(w.silent())
	w.hubspot.edit("contacts", n, "lifecyclestage", "lead")
	w.untouched(w.sync())
	if got := w.salesforce.value("Contact", s[0], "FirstName"); got != "Sub" {
		t.Errorf("back in the filter, Salesforce has %q", got)
	}
}

func TestR7WhatIsLeftOverTakesThePlaceOfThePairsRecordWhenThatIsDeleted(t *testing.T) {
	w, h, s := merged(t)
	n := w.hubspot.merge("contacts", h[0], h[1])
	w.untouched(w.sync())
	w.salesforce.archive("Contact", s[0]) // the person keeps the other one
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{h[2] + "=" + s[2], n + "=" + s[1]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	w.untouched(w.silent())
}

// TestR7ADeletionOfOneOfTwoMergedPairsSpreadsToNobody: a and b were merged in
// HubSpot, which the search does not tell yet, and the Contact of one of them was
// deleted in Salesforce: the person keeps the other one.
func TestR7ADeletionOfOneOfTwoMergedPairsSpreadsToNobody(t *testing.T) {
	for deleted, kept := range []int{1, 0} {
		w, h, s := merged(t)
		n := w.hubspot.merge("contacts", h[0], h[1])
		w.hubspot.late = true
		w.salesforce.archive("Contact", s[deleted])
		w.untouched(w.sync())
		w.hubspot.late = false
		w.untouched(w.sync())
		if diff := cmp.Diff([]string{h[2] + "=" + s[2], n + "=" + s[kept]}, w.pairsOf("people")); diff != "" {
			t.Errorf("links (-want +got):\n%s", diff)
		}
		w.untouched(w.silent())
	}
}

func TestR7WhatIsLeftOverIsForgottenWhenItIsDeleted(t *testing.T) {
	w, h, s := merged(t)
	n := w.hubspot.merge("contacts", h[0], h[1])
	w.untouched(w.sync())
	w.salesforce.archive("Contact", s[1])
	w.untouched(w.sync())
	if diff := cmp.Diff([]string{h[2] + "=" + s[2], n + "=" + s[0]}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if run := w.silent(); run.Tally.Held != 0 {
		t.Errorf("%+v", run.Tally)
	}
}

func TestR7WhatIsLeftOverIsDecidedLikeAnyRecordWhenItsPairEnds(t *testing.T) {
	w, h, s := merged(t)
	w.yaml = strings.Replace(w.yaml, "create: both", "create: in-salesforce", 1)
	n := w.hubspot.merge("contacts", h[0], h[1])
	w.untouched(w.sync())
	w.hubspot.archive("contacts", n)
	w.salesforce.archive("Contact", s[0])
	w.sync()
	w.silent()
	if got := w.reasonOf("people", crm.Salesforce, s[1]); strings.HasPrefix(got, "held") || w.salesforce.value("Contact", s[1], "FirstName") != "First b" {
		t.Errorf("the record that was left over is %q", got)
	}
}

func TestR7MergeOfCompaniesMovesTheReferencesOfTheirPeople(t *testing.T) {
	w := newWorld(t)
	acme := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
	globex := w.hubspot.add("companies", "name", "Globex", "domain", "globex.test")
	bob := w.hubspot.add("contacts", "firstname", "Bob", "lastname", "Ray", "email", "bob@globex.test")
	w.hubspot.relate("contacts", bob, "companies", globex)
	w.sync()
	account := func(name string) string {
		return w.salesforce.sorted("Account", func(r *row) bool { return r.values["Name"] == name })[0]
	}
	acmeAccount, globexAccount := account("Acme"), account("Globex")
	contact := w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
	if got := w.salesforce.value("Contact", contact, "AccountId"); got != globexAccount {
		t.Fatalf("before the merge Bob's account is %s", got)
	}
	w.hubspot.merge("companies", acme, globex)
	w.untouched(w.sync())
	w.untouched(w.silent())
	if got := w.salesforce.value("Contact", contact, "AccountId"); got != acmeAccount {
		t.Errorf("Bob's account is %s, want %s", got, acmeAccount)
	}
	w.salesforce.merge("Account", acmeAccount, globexAccount)
	w.untouched(w.sync())
	if run := w.silent(); run.Tally.Held != 0 {
		t.Errorf("%+v", run.Tally)
	}
}

func TestR7MergeThatTheFeedsDoNotTellYetIsFollowedWhenTheRecordIsLookedUp(t *testing.T) {
	for name, test := range map[string]struct {
		edit, merge func(w *world, h, s []string)
	}{
		"HubSpot's, by the Salesforce record's change": {
			edit:  func(w *world, _, s []string) { w.salesforce.edit("Contact", s[0], "Phone", "030 7") },
			merge: func(w *world, h, _ []string) { w.hubspot.merge("contacts", h[0], h[1]); w.hubspot.late = true },
		},
		"Salesforce's, by the HubSpot record's change": {
			edit:  func(w *world, h, _ []string) { w.hubspot.edit("contacts", h[0], "phone", "030 7") },
			merge: func(w *world, _, s []string) { w.salesforce.merge("Contact", s[1], s[0]); w.salesforce.late = true },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, h, s := merged(t)
			test.merge(w, h, s)
			test.edit(w, h, s)
			w.untouched(w.sync())
			w.hubspot.late, w.salesforce.late = false, false
			w.untouched(w.sync())
			w.untouched(w.sync())
			run := w.silent()
			if got := w.pairsOf("people"); len(got) != 2 || run.Tally.Held != 1 {
				t.Errorf("links %v, %+v", got, run.Tally)
			}
			if got := w.salesforce.value("Contact", s[0], "Phone") + w.hubspot.value("contacts", h[0], "phone"); got != "030 7" {
				t.Errorf("the edit is lost, or went to another person's record: %q", got)
			}
		})
	}
}

// TestR7AnyHistoryOfMergesCreatesAndDeletesNothing merges at random on both
// sides, with syncs and deaths in between, then merges what is left over on the
// other side as the reasons say, and wants one pair for each person that is left.
func TestR7AnyHistoryOfMergesCreatesAndDeletesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.yaml = strings.Replace(w.yaml, "deletes: ask", "deletes: archive", 1)
		for _, name := range []string{"a", "b", "c", "d"} {
			w.hubspot.add("contacts", "firstname", "First "+name, "lastname", "L"+name, "email", name+"@acme.test")
		}
		w.sync()
		created := w.hubspot.created["contacts"] + w.salesforce.created["Contact"]
		live := func(v *vendor, object string) []string {
			return v.sorted(object, func(r *row) bool { return !r.archived })
		}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"hubspot", "salesforce", "sync", "complete", "death"}).Draw(rt, "what") {
			case "hubspot":
				if all := live(w.hubspot, "contacts"); len(all) > 1 {
					two := rapid.Permutation(all).Draw(rt, "who")[:2]
					w.hubspot.merge("contacts", two[0], two[1])
				}
			case "salesforce":
				if all := live(w.salesforce, "Contact"); len(all) > 1 {
					some := rapid.Permutation(all).Draw(rt, "who")[:rapid.IntRange(2, min(3, len(all))).Draw(rt, "n")]
					w.salesforce.merge("Contact", some[0], some[1:]...)
				}
			case "sync":
				w.untouched(w.sync())
			case "complete":
				w.untouched(w.syncWith(engine.SyncOptions{Complete: true}))
			case "death":
				w.dieAt(rapid.SampledFrom([]string{"before commit", "after commit", "before call", "after call"}).Draw(rt, "moment"), rapid.IntRange(1, 30).Draw(rt, "at"))
			}
		}
		w.sync()
		w.sync()
		// The merges that the reasons ask for.
		for range 8 {
			_, s := w.open()
			var todo *store.Alias
			for side, object := range map[crm.Side]string{crm.HubSpot: "contacts", crm.Salesforce: "Contact"} {
				v := map[crm.Side]*vendor{crm.HubSpot: w.hubspot, crm.Salesforce: w.salesforce}[side]
				aliases, err := s.Aliases(context.Background(), "people", side, live(v, object))
				if err != nil {
					rt.Fatal(err)
				}
				for _, a := range aliases {
					if todo == nil || a.Ref.ID < todo.Ref.ID {
						todo = &a
					}
				}
			}
			if todo == nil {
				s.Close()
				break
			}
			links, err := s.Links(context.Background(), "people", todo.Ref.Side.Other(), []string{todo.Pair})
			s.Close()
			if err != nil || len(links) != 1 {
				rt.Fatalf("alias %+v has %d pairs, %v", todo, len(links), err)
			}
			if todo.Ref.Side == crm.HubSpot {
				w.hubspot.merge("contacts", links[todo.Pair].HubSpotID, todo.Ref.ID)
			} else {
				w.salesforce.merge("Contact", links[todo.Pair].SalesforceID, todo.Ref.ID)
			}
			w.untouched(w.sync())
		}
		w.silent()
		if n := w.hubspot.created["contacts"] + w.salesforce.created["Contact"]; n != created {
			rt.Errorf("%d records were created", n-created)
		}
		h, s := live(w.hubspot, "contacts"), live(w.salesforce, "Contact")
		if len(h) != len(s) || len(w.pairsOf("people")) != len(h) {
			rt.Errorf("%d HubSpot contacts, %d Salesforce contacts, links %v", len(h), len(s), w.pairsOf("people"))
		}
	})
}
