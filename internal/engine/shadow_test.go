package engine_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// shadowed is a world in which another sync works and we look on.
type shadowed struct {
	*world
	e     *engine.Engine
	s     *store.Store
	clock *machineClock
}

const shadowWindow = 20 * time.Minute

// look looks once, and tells what was found, each as one line.
func (w *shadowed) look() []string {
	w.t.Helper()
	before := w.hubspot.applied + w.salesforce.applied
	c, err := w.e.Shadow(context.Background(), shadowWindow)
	if err != nil {
		w.t.Fatal(err)
	}
	if n := w.hubspot.applied + w.salesforce.applied - before; n != 0 {
		w.t.Fatalf("the shadow wrote %d records", n)
	}
	var told []string
	for _, f := range c.Findings {
		told = append(told, fmt.Sprintf("%s: %s %s.%s ours %s theirs %s", f.Verdict, f.Title, f.Side, f.Field, shownText(f.Ours), shownText(f.Theirs)))
	}
	return told
}

func shownText(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

// Each story: a pair that is linked, a change, and what the other sync makes of
// it. The lines are what the shadow tells.
func TestShadowTellsWhereTheTwoSyncsDiffer(t *testing.T) {
	for name, c := range map[string]struct {
		yaml func(string) string
		play func(w *shadowed, hubspotID, salesforceID string)
		want []string
	}{
		"the other sync writes the same, later": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.edit("contacts", h, "phone", "222")
				w.quiet()
				w.salesforce.edit("Contact", s, "Phone", "222")
			},
			want: []string{"agree: Ann Lee salesforce.Phone ours 222 theirs 222"},
		},
		"the other sync was faster than our look": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.edit("contacts", h, "phone", "222")
				w.salesforce.edit("Contact", s, "Phone", "222")
			},
			want: []string{"agree: Ann Lee salesforce.Phone ours 222 theirs 222"},
		},
		"the other sync writes something else": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.edit("contacts", h, "phone", "222")
				w.quiet()
				w.salesforce.edit("Contact", s, "Phone", "000")
				w.hubspot.edit("contacts", h) // so that ours is still the newer one
			},
			want: []string{"other: Ann Lee salesforce.Phone ours 222 theirs 000"},
		},
		"the other sync does not write": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.edit("contacts", h, "phone", "222")
				w.quiet()
				time.Sleep(shadowWindow)
			},
			want: []string{"missed: Ann Lee salesforce.Phone ours 222 theirs 111"},
		},
		"the clock is put back while it waits": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.edit("contacts", h, "phone", "222")
				w.quiet()
				w.clock.put(-year)
				w.quiet()
				time.Sleep(shadowWindow)
			},
			want: []string{"missed: Ann Lee salesforce.Phone ours 222 theirs 111"},
		},
		"a change that was taken back is none": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.edit("contacts", h, "phone", "222")
				w.quiet()
				w.hubspot.edit("contacts", h, "phone", "111")
				time.Sleep(shadowWindow)
			},
		},
		"the other sync brings over what we leave alone": {
			yaml: func(s string) string {
				return replace(s, "{hubspot: phone, salesforce: Phone, wins: newest}", "{hubspot: phone, salesforce: Phone, direction: to-hubspot}")
			},
			play: func(w *shadowed, h, s string) {
				w.hubspot.edit("contacts", h, "phone", "222")
				w.quiet()
				w.salesforce.edit("Contact", s, "Phone", "222")
			},
			want: []string{"unwanted: Ann Lee salesforce.Phone ours - theirs 222"},
		},
		"neither of us brings it over": {
			yaml: func(s string) string {
				return replace(s, "{hubspot: phone, salesforce: Phone, wins: newest}", "{hubspot: phone, salesforce: Phone, direction: to-hubspot}")
			},
			play: func(w *shadowed, h, s string) {
				w.hubspot.edit("contacts", h, "phone", "222")
				w.quiet()
				time.Sleep(shadowWindow)
			},
		},
		"the other sync writes to a record that our filter leaves out": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.edit("contacts", h, "lifecyclestage", "subscriber", "phone", "222")
				w.quiet()
				w.salesforce.edit("Contact", s, "Phone", "222")
			},
			want: []string{"unwanted: Ann Lee salesforce.Phone ours - theirs 222"},
		},
		"the other sync creates the same record, with one field less and one that differs": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.add("contacts", "firstname", "Bo", "lastname", "Ray", "email", "bo@acme.test", "phone", "5")
				w.quiet()
				w.salesforce.add("Contact", "FirstName", "Bob", "LastName", "Ray", "Email", "bo@acme.test")
				w.hubspot.edit("contacts", h) // HubSpot stays the newer side
			},
			want: []string{"agree: Bo Ray salesforce.(record) ours - theirs -", "other: Bo Ray salesforce.FirstName ours Bo theirs Bob", "missed: Bo Ray salesforce.Phone ours 5 theirs -"},
		},
		"the other sync does not create": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.add("contacts", "lastname", "Ray", "email", "bo@acme.test")
				w.quiet()
				time.Sleep(shadowWindow)
			},
			want: []string{"missed: Ray salesforce.(record) ours - theirs -"},
		},
		"the other sync creates what our filter leaves out": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.add("contacts", "lastname", "Ray", "email", "bo@acme.test", "lifecyclestage", "subscriber")
				w.quiet()
				w.salesforce.add("Contact", "LastName", "Ray", "Email", "bo@acme.test")
			},
			want: []string{"unwanted: Ray salesforce.(record) ours - theirs -"},
		},
		"the other sync deletes what we would only ask about": {
			play: func(w *shadowed, h, s string) {
				w.hubspot.archive("contacts", h)
				w.quiet()
				w.salesforce.archive("Contact", s)
			},
			want: []string{"unwanted:  salesforce.(deletion) ours - theirs -"},
		},
		"the other sync deletes as we would": {
			yaml: func(s string) string { return replace(s, "deletes: ask", "deletes: archive") },
			play: func(w *shadowed, h, s string) {
				w.hubspot.archive("contacts", h)
				w.quiet()
				w.salesforce.archive("Contact", s)
			},
			want: []string{"agree:  salesforce.(deletion) ours - theirs -"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				w := &shadowed{world: newWorld(t)}
				w.dir = dir
				if c.yaml != nil {
					w.yaml = c.yaml(w.yaml)
				}
				h := w.hubspot.add("contacts", "firstname", "Ann", "lastname", "Lee", "email", "ann@acme.test", "phone", "111")
				s := w.salesforce.add("Contact", "FirstName", "Ann", "LastName", "Lee", "Email", "ann@acme.test", "Phone", "111")
				w.clock, _ = w.withClock()
				w.e, w.s = w.open()
				defer w.s.Close()
				w.quiet()
				w.quiet()
				c.play(w, h, s)
				if diff := cmp.Diff(c.want, w.look()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				// What was told once is told no more, and everything rests.
				w.quiet()
				time.Sleep(2 * shadowWindow)
				w.quiet()
				told := 0
				if err := engine.ShadowFindings(context.Background(), w.s, func(engine.ShadowFinding) error { told++; return nil }); err != nil || told != len(c.want) {
					t.Errorf("%d findings are kept, %v", told, err)
				}
			})
		})
	}
}

// quiet looks, and wants nothing to be found.
func (w *shadowed) quiet() {
	w.t.Helper()
	if told := w.look(); len(told) > 0 {
		w.t.Errorf("found %q", told)
	}
}

func TestShadowBeginsWithWhatIsThere(t *testing.T) {
	w := &shadowed{world: newWorld(t)}
	acme(w.world)
	w.e, w.s = w.open()
	defer w.s.Close()
	first, err := w.e.Shadow(context.Background(), time.Nanosecond)
	if err != nil || !first.First || len(first.Findings) != 0 {
		t.Fatalf("%v, %+v", err, first)
	}
	for range 2 {
		again, err := w.e.Shadow(context.Background(), time.Nanosecond)
		if err != nil || again.First || len(again.Findings) != 0 || again.Waiting != 0 {
			t.Errorf("%v, %+v", err, again)
		}
	}
}
