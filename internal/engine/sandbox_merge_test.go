package engine_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
	"github.com/lockstep-sync/lockstep/sandbox"
	server "github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// linkedTo lists links of an object whose Salesforce record is of that kind.
func (c *connected) linkedTo(name, object string) []store.Link {
	c.t.Helper()
	links, err := c.store.LinkPage(context.Background(), name, "", 10_000)
	if err != nil {
		c.t.Fatal(err)
	}
	return slices.DeleteFunc(links, func(l store.Link) bool { return l.SalesforceObject != object })
}

// TestR7MergesOnTheSandboxAreFollowedByTheRealClients merges people and
// companies on both sandboxes and wants the same pairs afterwards, nothing
// created and nothing deleted by us.
func TestR7MergesOnTheSandboxAreFollowedByTheRealClients(t *testing.T) {
	for name, first := range map[string]crm.Side{"HubSpot first": crm.HubSpot, "Salesforce first": crm.Salesforce} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				c := connect(t, dir, sandbox.Config{Seed: "100"})
				defer c.close()
				c.sync()
				for _, object := range []struct{ name, hubspot, salesforce string }{{"companies", "companies", "Account"}, {"people", "contacts", "Contact"}} {
					c.wait(time.Hour)
					c.sync()
					pair := c.linkedTo(object.name, object.salesforce)[:2]
					a, b := pair[0], pair[1]
					merges := map[crm.Side]func() error{
						crm.HubSpot: func() error {
							_, err := c.box.HubSpot().Merge(object.hubspot, a.HubSpotID, b.HubSpotID)
							return err
						},
						crm.Salesforce: func() error {
							return c.box.Salesforce().Merge(object.salesforce, a.SalesforceID, b.SalesforceID)
						},
					}
					links := len(c.linkedTo(object.name, object.salesforce))
					for i, side := range []crm.Side{first, first.Other()} {
						if err := merges[side](); err != nil {
							t.Fatal(err)
						}
						time.Sleep(time.Minute)
						run := c.sync()
						if run.Writes.Created+run.Writes.Archived != 0 || run.Tally.Failed != 0 {
							t.Errorf("%s, merge %d: %+v %+v", object.name, i+1, run.Writes, run.Tally)
						}
						if n := len(c.linkedTo(object.name, object.salesforce)); n != links-1 {
							t.Errorf("%s, merge %d: %d links, want %d", object.name, i+1, n, links-1)
						}
					}
				}
				c.wait(time.Hour)
				if run := c.sync(); run.Writes.Sum() != 0 {
					t.Errorf("a quiet world makes writes: %+v", run.Writes)
				}
				v, err := c.engine.Verify(context.Background(), func(f engine.Finding) error {
					if f.Verdict == engine.Differs || f.Verdict == engine.Missing {
						t.Logf("%s %+v %+v %+v %+v", f.Verdict, f.Reason, f.HubSpot, f.Salesforce, f.Differences)
					}
					return nil
				})
				if err != nil || !v.InStep || !v.Closed {
					t.Errorf("in step %v, closed %v, %v", v.InStep, v.Closed, err)
				}
			})
		})
	}
}

// TestR8ConversionsOnTheSandboxAreFollowedByTheRealClients converts Leads of
// people with a company and wants the same companies and people in HubSpot.
func TestR8ConversionsOnTheSandboxAreFollowedByTheRealClients(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, dir, sandbox.Config{Seed: "100"})
		defer c.close()
		c.sync()
		c.wait(time.Hour)
		c.sync()
		leads := c.linkedTo("people", "Lead")
		if len(leads) < 5 {
			t.Fatalf("%d linked Leads", len(leads))
		}
		companies, contacts := c.box.HubSpot().Count("companies"), c.box.HubSpot().Count("contacts")
		want := map[string]string{}
		for _, l := range leads[:5] {
			company, err := c.box.HubSpot().Create("companies", map[string]string{"name": "Company of " + l.HubSpotID})
			if err != nil {
				t.Fatal(err)
			}
			companies++
			c.box.HubSpot().Associate("contacts", l.HubSpotID, "companies", company)
			done, err := c.box.Salesforce().ConvertLead(l.SalesforceID, server.Conversion{})
			if err != nil {
				t.Fatal(err)
			}
			want[l.HubSpotID] = done.ContactID
		}
		time.Sleep(time.Minute)
		run := c.sync()
		if run.Writes.Archived != 0 || run.Tally.Failed != 0 {
			t.Errorf("%+v %+v", run.Writes, run.Tally)
		}
		if got := c.box.HubSpot().Count("companies"); got != companies {
			t.Errorf("%d companies, want %d", got, companies)
		}
		if got := c.box.HubSpot().Count("contacts"); got != contacts {
			t.Errorf("%d contacts, want %d", got, contacts)
		}
		for _, l := range c.linkedTo("people", "Contact") {
			if contact, ok := want[l.HubSpotID]; ok {
				if contact != l.SalesforceID {
					t.Errorf("contact %s is linked with %s, want %s", l.HubSpotID, l.SalesforceID, contact)
				}
				delete(want, l.HubSpotID)
			}
		}
		if len(want) > 0 {
			t.Errorf("not followed: %v", want)
		}
	})
}
