package engine_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/engine"
)

// crowd fills both sides with people, some of whom are there several times, by
// one address or by another; ids are the same in every crowd.
func crowd(w *world) {
	for _, h := range []struct{ email, also string }{
		{"one@acme.test", ""}, {"twin@acme.test", ""}, {"twin@acme.test", ""}, {"two@acme.test", "second@acme.test"},
		{"three@acme.test", "third@acme.test;drei@acme.test"}, {"", "only@acme.test"}, {"split@acme.test", "half@acme.test"},
	} {
		w.hubspot.add("contacts", "lastname", "L", "email", h.email, "hs_additional_emails", h.also)
	}
	for _, email := range []string{"one@acme.test", "twin@acme.test", "second@acme.test", "drei@acme.test", "only@acme.test", "split@acme.test", "half@acme.test", "dup@acme.test", "dup@acme.test"} {
		w.salesforce.add("Contact", "LastName", "L", "Email", email)
	}
	w.hubspot.add("contacts", "lastname", "L", "email", "dup@acme.test")
}

// crowdYAML links and never creates, so that only links can differ.
func crowdYAML() string { return replace(pairYAML, "create: both", "create: never") }

func TestR6AnyOrderOfReadingGivesTheSameLinks(t *testing.T) {
	t.Parallel()
	calm := newWorld(t)
	calm.yaml = crowdYAML()
	crowd(calm)
	calm.sync()
	want := calm.pairsOf("people")
	// one, two by its second address, three by its third, and who has only a
	// further address; not twin, split and dup, who are there several times.
	if len(want) != 4 {
		t.Fatalf("links %v", want)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.yaml = crowdYAML()
		crowd(w)
		// The sides are read at the same time, and rapid draws for one goroutine
		// only: so each side has a source of its own, seeded before.
		shuffled := func(name string) func([]string) {
			source := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, name), 0))
			return func(ids []string) {
				source.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			}
		}
		w.hubspot.order, w.salesforce.order = shuffled("hubspot"), shuffled("salesforce")
		w.sync()
		for range rapid.IntRange(0, 2).Draw(rt, "more") {
			w.syncWith(engine.SyncOptions{Complete: rapid.Bool().Draw(rt, "complete")})
		}
		if diff := cmp.Diff(want, w.pairsOf("people")); diff != "" {
			rt.Errorf("links (-first order +this one):\n%s", diff)
		}
	})
}

func TestR6AnAddressThatMovesToAnotherRecordDoesNotMoveTheLink(t *testing.T) {
	w := newWorld(t)
	w.yaml = crowdYAML()
	a := w.hubspot.add("contacts", "lastname", "A", "email", "a@acme.test")
	s := w.salesforce.add("Contact", "LastName", "A", "Email", "a@acme.test")
	w.sync()
	// A newer record takes the address over, on both sides.
	w.hubspot.edit("contacts", a, "email", "old@acme.test")
	w.sync()
	w.hubspot.add("contacts", "lastname", "B", "email", "a@acme.test")
	w.salesforce.add("Contact", "LastName", "B", "Email", "old@acme.test")
	w.sync()
	if diff := cmp.Diff([]string{a + "=" + s}, w.pairsOf("people")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}
