package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestADeletedCompanyTakesNobodyAlong: who archives a company in HubSpot keeps
// its contacts; Salesforce would delete those of the Account with it. So
// the Account stays, with a reason that names what hangs on it, until nothing does.
func TestADeletedCompanyTakesNobodyAlong(t *testing.T) {
	dir := t.TempDir()
	yaml := strings.ReplaceAll(peopleAndDealsYAML, "    match:", "    deletes: archive\n    match:")
	synctest.Test(t, func(t *testing.T) {
		c := connectBy(t, dir, sandbox.Config{}, nil, func(mapping.Schemas) []byte { return []byte(yaml) })
		defer c.close()
		hub, org := c.box.HubSpot(), c.box.Salesforce()
		acme, err := hub.Create("companies", map[string]string{"name": "Acme", "domain": "acme.example"})
		if err != nil {
			t.Fatal(err)
		}
		ann, err := hub.Create("contacts", map[string]string{"lastname": "Lee", "email": "ann@acme.example"})
		if err != nil {
			t.Fatal(err)
		}
		hub.Associate("contacts", ann, "companies", acme)
		time.Sleep(time.Minute)
		c.settle()
		account, contact := c.salesforceID("Account", "Name", "Acme"), c.salesforceID("Contact", "LastName", "Lee")
		if err := hub.Archive("companies", acme); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			time.Sleep(time.Minute)
			if run := c.sync(); run.Writes.Archived != 0 {
				t.Fatalf("it archived: %+v", run.Writes)
			}
		}
		if got := c.outcomes("companies"); !strings.Contains(got, "would delete Salesforce Contact "+contact) {
			t.Errorf("the company's outcome: %s", got)
		}
		if err := org.Update("Contact", contact, map[string]any{"AccountId": nil}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.settle()
		if c.salesforceField("Account", account, "IsDeleted") != "true" {
			t.Error("nothing hangs on the Account any more, and it is still there")
		}
		if got := c.salesforceField("Contact", contact, "LastName"); got != "Lee" {
			t.Errorf("the contact's name is %q", got)
		}
	})
}
