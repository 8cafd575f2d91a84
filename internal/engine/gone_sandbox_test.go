package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestR18WhatIsGoneOrBackIsFoundByTheIDSweep: a complete read finds every way in
// which a record goes and comes back, also those of which no search and no list
// of archived records tells.
func TestR18WhatIsGoneOrBackIsFoundByTheIDSweep(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connectBy(t, dir, sandbox.Config{SearchLag: time.Second}, nil, func(mapping.Schemas) []byte {
			return []byte(strings.Replace(peopleAndDealsYAML, "    hubspot: contacts\n    salesforce: Contact\n", "    hubspot: contacts\n    salesforce: Contact\n    deletes: ask\n", 1))
		})
		defer c.close()
		hub, org := c.box.HubSpot(), c.box.Salesforce()
		ids := map[string]string{}
		for _, name := range []string{"archived", "forgotten", "merged", "survivor", "deleted", "stays"} {
			id, err := hub.Create("contacts", map[string]string{"lastname": name, "email": name + "@elsewhere.example"})
			if err != nil {
				t.Fatal(err)
			}
			ids[name] = id
		}
		time.Sleep(time.Minute)
		c.settle()
		complete := func() {
			t.Helper()
			for range 2 { // what a merge made known is decided in the next
				if _, err := c.engine.Sync(context.Background(), engine.SyncOptions{Complete: true, ReleaseBrakes: true}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
			}
		}
		verdicts := func() map[string]string {
			t.Helper()
			out := map[string]string{}
			_, err := c.engine.Verify(context.Background(), func(f engine.Finding) error {
				for _, r := range []*engine.Record{f.HubSpot, f.Salesforce} {
					if r == nil {
						continue
					}
					for name, id := range ids {
						if r.ID == id || r.Side == crm.Salesforce && c.salesforceField("Contact", r.ID, "LastName") == name {
							out[name] = string(f.Verdict) + " " + f.Reason.Code
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if err := hub.Archive("contacts", ids["archived"]); err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequest(http.MethodPost, "https://api.hubapi.com/crm/v3/objects/contacts/gdpr-delete", strings.NewReader(fmt.Sprintf(`{"objectId":%q}`, ids["forgotten"])))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+c.box.Credentials().HubSpot.PrivateApp)
		request.Header.Set("Content-Type", "application/json")
		if answer, err := c.box.Client().Do(request); err != nil || answer.StatusCode/100 != 2 {
			t.Fatalf("%v %+v", err, answer)
		}
		deleted := c.salesforceID("Contact", "LastName", "deleted")
		if err := org.Delete("Contact", deleted); err != nil {
			t.Fatal(err)
		}
		if _, err := hub.Merge("contacts", ids["survivor"], ids["merged"]); err != nil {
			t.Fatal(err)
		}
		complete()
		got := verdicts()
		for name, want := range map[string]string{"archived": "held held.deleted", "forgotten": "held held.deleted", "deleted": "held held.deleted"} {
			if got[name] != want {
				t.Errorf("%s: %q, want %q", name, got[name], want)
			}
		}
		if got["merged"]+got["survivor"] != "held held.merged" {
			t.Errorf("two records were merged, so one partner waits to be: %q and %q", got["merged"], got["survivor"])
		}
		before := [2]int{hub.Count("contacts"), org.Count("Contact")}

		if err := hub.Restore("contacts", ids["archived"]); err != nil {
			t.Fatal(err)
		}
		if err := org.Undelete("Contact", deleted); err != nil {
			t.Fatal(err)
		}
		complete()
		got = verdicts()
		if got["archived"] != "" || got["deleted"] != "" {
			t.Errorf("restored, and yet %q and %q", got["archived"], got["deleted"])
		}
		if diff := cmp.Diff([2]int{before[0] + 1, before[1] + 1}, [2]int{hub.Count("contacts"), org.Count("Contact")}); diff != "" {
			t.Errorf("nothing was to be made or deleted (-want +got):\n%s", diff)
		}
	})
}

// TestQuietCyclesCallsByObject measures what a cycle costs in which nothing
// changed. docs/decisions/0007 holds the figures.
func TestQuietCyclesCallsByObject(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connectBy(t, dir, sandbox.Config{SearchLag: time.Second}, nil, func(mapping.Schemas) []byte { return []byte(peopleAndDealsYAML) })
		defer c.close()
		c.settle()
		c.wait(time.Hour)
		c.sync()
		time.Sleep(time.Minute)
		run := c.sync()
		if !run.Quiet() {
			t.Errorf("it is not quiet: %+v", run)
		}
		got := map[string]int{}
		for _, r := range run.Readings {
			got[string(r.Side)+" "+r.Object] = r.Calls
		}
		want := map[string]int{
			// A search for what changed and one for the number of records; and the
			// associations with companies, and with contacts.
			"hubspot companies": 2, "hubspot contacts": 3, "hubspot deals": 4,
			// One query; and one for the rows that join opportunities and contacts.
			"salesforce Account": 1, "salesforce Contact": 1, "salesforce Opportunity": 2,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("calls of a quiet cycle (-want +got):\n%s", diff)
		}
		if sum := run.Calls[crm.HubSpot] + run.Calls[crm.Salesforce]; sum > 13 {
			t.Errorf("%d calls in all, want the 13 of the reads", sum)
		}
	})
}
