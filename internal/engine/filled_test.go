package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// findings lists what verify says of the things of one object that are not plainly in
// step: "title: verdict; field/field: reason".
func findings(t *testing.T, e *engine.Engine, object string) []string {
	t.Helper()
	var out []string
	v, err := e.Verify(context.Background(), func(f engine.Finding) error {
		if f.Mapping != object {
			return nil
		}
		line := f.Title + ": " + string(f.Verdict)
		for _, d := range f.Differences {
			line += fmt.Sprintf("; %s/%s %q", d.HubSpotField, d.SalesforceField, d.Allowed)
		}
		out = append(out, line)
		return nil
	})
	if err != nil || !v.Closed {
		t.Fatalf("%+v, %v", v, err)
	}
	slices.Sort(out)
	return out
}

// TestWhatAVendorFillsInOnCreateIsInStepUntilSomebodyChangesIt: a HubSpot task without
// status and priority becomes a Salesforce Task, which Salesforce gives its defaults.
func TestWhatAVendorFillsInOnCreateIsInStepUntilSomebodyChangesIt(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := gather(t, dir, "tasks")
		defer c.close()
		task := c.insertHubSpot("tasks", values{"hs_task_subject": "Call back", "hs_timestamp": "2026-01-01T00:00:00Z"})
		time.Sleep(time.Minute)
		c.sync()
		partner := c.partner("tasks", crm.HubSpot, task)
		c.holds(crm.Salesforce, "Task", partner, values{"Status": "Not Started", "Priority": "Normal"})
		said := func() string {
			line := strings.Join(findings(t, c.engine, "tasks"), "\n")
			return strings.ReplaceAll(line, `; hubspot_owner_id/OwnerId "the HubSpot owner has no counterpart in Salesforce"`, "")
		}
		const filled = `"Salesforce filled it in when the record was made, and nobody changed it since"`
		want := "Call back: in-step; hs_task_status/Status " + filled + "; hs_task_priority/Priority " + filled
		for _, when := range []string{"at once", "when it was seen", "later"} {
			if got := said(); got != want {
				t.Errorf("%s:\n%s\nwant\n%s", when, got, want)
			}
			time.Sleep(time.Minute)
			if run := c.sync(); run.Writes.Sum() != 0 {
				t.Errorf("%s: wrote %+v", when, run.Writes)
			}
		}
		x, err := c.engine.Explain(context.Background(), task)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range x.Things[0].Fields {
			if f.SalesforceField == "Priority" && !strings.HasPrefix(f.Allowed, "Salesforce filled it in") {
				t.Errorf("explain says %+v", f)
			}
		}
		// Somebody does: it goes over, and what is left was still filled in.
		if err := c.box.Salesforce().Update("Task", partner, map[string]any{"Priority": "High"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.sync()
		c.holds(crm.HubSpot, "tasks", task, values{"hs_task_priority": "HIGH"})
		if got, want := said(), "Call back: in-step; hs_task_status/Status "+filled; got != want {
			t.Errorf("after an edit:\n%s\nwant\n%s", got, want)
		}
	})
}

// TestAValueThatWasLostIsNoDefault: verify goes by the two records alone, and what looks
// like a default is only allowed where nothing speaks against it.
func TestAValueThatWasLostIsNoDefault(t *testing.T) {
	for name, spoil := range map[string]func(w *world, h, s string){
		"HubSpot's value is gone, and no feed tells": func(w *world, h, s string) { w.hubspot.objects["contacts"][h].values["phone"] = "" },
		"Salesforce's is another one, and no feed tells": func(w *world, h, s string) {
			w.hubspot.objects["contacts"][h].values["phone"] = ""
			w.salesforce.objects["Contact"][s].values["Phone"] = "2"
		},
		"we wrote it once": func(w *world, h, s string) {
			w.hubspot.edit("contacts", h, "phone", "")
			w.sync()
			w.salesforce.objects["Contact"][s].values["Phone"] = "1"
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			h := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "phone", "1")
			w.sync()
			w.sync()
			s := w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
			spoil(w, h, s)
			e, st := w.open()
			defer st.Close()
			if diff := cmp.Diff([]string{`Lee: differs; phone/Phone ""`}, findings(t, e, "people")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatRestsApartAfterAnUndoIsHeld: the pair whose update was taken back, while the
// other side kept what it was made from, is held by its reason, at once and after syncs.
func TestWhatRestsApartAfterAnUndoIsHeld(t *testing.T) {
	for name, change := range map[string]func(w *world, h, s string){
		"the create":          nil,
		"a field of one side": func(w *world, h, _ string) { w.hubspot.edit("contacts", h, "phone", "2") },
		"a field that was blank": func(w *world, h, _ string) {
			w.hubspot.edit("contacts", h, "firstname", "Ann")
		},
		"both sides, in two fields": func(w *world, h, s string) {
			w.hubspot.edit("contacts", h, "phone", "2")
			w.salesforce.edit("Contact", s, "FirstName", "Ann")
		},
		"an association": func(w *world, h, _ string) {
			w.hubspot.relate("contacts", h, "companies", w.hubspot.add("companies", "name", "Acme", "domain", "acme.test"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			h := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "phone", "1")
			first := w.sync()
			s := w.salesforce.sorted("Contact", func(*row) bool { return true })[0]
			if change != nil {
				change(w, h, s)
			}
			run := w.sync()
			if change == nil {
				run.ID = first.ID
			}
			w.undo(run.ID, "")
			for _, when := range []string{"at once", "after a sync", "after a complete read"} {
				e, st := w.open()
				for _, f := range findings(t, e, "people") {
					if !strings.Contains(f, "Lee: held") {
						t.Errorf("%s: %s", when, f)
					}
				}
				st.Close()
				if run := w.syncWith(engine.SyncOptions{Complete: when == "after a sync"}); run.Writes.Sum() != 0 {
					t.Errorf("%s: wrote %+v", when, run.Writes)
				}
			}
		})
	}
}
