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

	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestUndoOfDeletesTakesContactsOutOfTheRecycleBin: people were archived in HubSpot,
// a sync deleted their Contacts, and its undo asks Salesforce's SOAP undelete for
// them, with an access token that ended meanwhile. Those that are back have their
// ids, values and accounts; what is in the bin no more is told as failed; and what
// HubSpot cannot restore is held, with a page for a person.
func TestUndoOfDeletesTakesContactsOutOfTheRecycleBin(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connectBy(t, dir, sandbox.Config{SearchLag: time.Second}, nil, func(mapping.Schemas) []byte {
			return []byte(strings.Replace(peopleAndDealsYAML, "    hubspot: contacts\n    salesforce: Contact\n", "    hubspot: contacts\n    salesforce: Contact\n    deletes: archive\n", 1))
		})
		defer c.close()
		hub, org := c.box.HubSpot(), c.box.Salesforce()
		// More than one call of undelete takes.
		const people = 230
		var ids []string
		for i := range people {
			id, err := hub.Create("contacts", map[string]string{"lastname": fmt.Sprintf("P%03d", i), "email": fmt.Sprintf("p%d@elsewhere.example", i)})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		time.Sleep(time.Minute)
		c.settle()
		contacts := func() []string {
			var out []string
			org.Each("Contact", func(id string, fields map[string]any) bool {
				out = append(out, fmt.Sprintf("%s %v %v %v", id, fields["LastName"], fields["Email"], fields["AccountId"]))
				return true
			})
			slices.Sort(out)
			return out
		}
		before := contacts()
		if len(before) < people {
			t.Fatalf("%d contacts", len(before))
		}
		gone := c.partner("people", "hubspot", ids[0])
		for _, id := range ids {
			if err := hub.Archive("contacts", id); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		run, err := c.engine.Sync(context.Background(), engine.SyncOptions{Complete: true, ReleaseBrakes: true})
		if err != nil {
			t.Fatal(err)
		}
		if run.Writes.Archived != people || org.Count("Contact") != len(before)-people {
			t.Fatalf("wrote %+v; %d contacts are left", run.Writes, org.Count("Contact"))
		}
		if err := org.EmptyRecycleBin(gone); err != nil {
			t.Fatal(err)
		}
		plan, err := c.engine.PlanUndo(context.Background(), run.ID, engine.UndoOptions{})
		if err != nil {
			t.Fatal(err)
		}
		org.ExpireAll()
		undone, err := c.engine.Undo(context.Background(), plan, true)
		if err != nil {
			t.Fatal(err)
		}
		if undone.Writes.Restored != people-1 || !undone.Closed {
			t.Errorf("restored %+v, outcomes %+v, closed %v", undone.Writes, undone.Tally, undone.Closed)
		}
		want := slices.DeleteFunc(slices.Clone(before), func(s string) bool { return strings.HasPrefix(s, gone) })
		if diff := cmp.Diff(want, contacts()); diff != "" {
			t.Errorf("contacts (-before the run +after its undo):\n%s", diff)
		}
		c.quiet("after the undo")
		if diff := cmp.Diff(want, contacts()); diff != "" {
			t.Errorf("contacts (-before the run +when it is quiet):\n%s", diff)
		}
		v, err := c.engine.Verify(context.Background(), nil)
		if err != nil || !v.Closed {
			t.Fatalf("%+v, %v", v, err)
		}
		for _, o := range v.Objects {
			if o.Verdicts[engine.Differs] != 0 || o.Verdicts[engine.Missing] != 0 {
				t.Errorf("verify says of %s: %v", o.Name, o.Verdicts)
			}
		}
	})
}
