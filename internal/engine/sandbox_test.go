package engine_test

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/salesforce"
	"github.com/lockstep-sync/lockstep/internal/store"
	"github.com/lockstep-sync/lockstep/internal/store/storetest"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// connected is the real thing on both sandboxes: real clients, the suggested
// mapping, a store in a file.
type connected struct {
	t      *testing.T
	box    *sandbox.Sandbox
	store  *store.Store
	engine *engine.Engine
	sides  map[crm.Side]engine.Side
}

func connect(t *testing.T, dir string, config sandbox.Config) *connected {
	t.Helper()
	return connectBy(t, dir, config, nil, func(schemas mapping.Schemas) []byte {
		return mapping.Suggest(schemas, mapping.Accounts{HubSpot: "acme", Salesforce: "acme"})
	})
}

// connectBy connects with a mapping of the test's own; prepare may add to the
// sandbox before the schemas are read, and more names further Salesforce objects.
func connectBy(t *testing.T, dir string, config sandbox.Config, prepare func(*sandbox.Sandbox), yaml func(mapping.Schemas) []byte, more ...string) *connected {
	t.Helper()
	return connectWith(t, dir, config, prepare, yaml, []string{"companies", "contacts", "deals"}, append([]string{"Account", "Contact", "Lead", "Opportunity"}, more...))
}

// connectWith connects with the schemas of these objects.
func connectWith(t *testing.T, dir string, config sandbox.Config, prepare func(*sandbox.Sandbox), yaml func(mapping.Schemas) []byte, hubspotObjects, salesforceObjects []string) *connected {
	t.Helper()
	ctx := context.Background()
	config.Random = 7
	box, err := sandbox.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(box)
	}
	c := &connected{t: t, box: box}
	keys := box.Credentials()
	hub, err := hubspot.New(hubspot.Config{HTTP: box.Client(), Token: func(context.Context) (string, error) { return keys.HubSpot.PrivateApp, nil }})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := credential.NewTokenSource(credential.Account{Name: "acme", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: box.Salesforce().Origin(), ClientID: keys.Salesforce.ClientID},
		credential.Material{ClientSecret: credential.NewSecret(keys.Salesforce.ClientSecret)}, box.Client())
	if err != nil {
		t.Fatal(err)
	}
	org, err := salesforce.New(salesforce.Config{Tokens: tokens, HTTP: box.Client()})
	if err != nil {
		t.Fatal(err)
	}
	c.sides = map[crm.Side]engine.Side{crm.HubSpot: hub, crm.Salesforce: org}
	schemas := mapping.Schemas{HubSpot: map[string]*crm.Object{}, Salesforce: map[string]*crm.Object{}}
	for _, name := range hubspotObjects {
		schema, err := hub.Describe(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		schemas.HubSpot[name], schemas.HubSpot[schema.Name] = schema, schema
	}
	for _, name := range salesforceObjects {
		if schemas.Salesforce[name], err = org.Describe(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	src := yaml(schemas)
	m, err := mapping.Parse("lockstep.yaml", src)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	bound, problems := m.Bind(schemas)
	if bound == nil {
		t.Fatalf("%v\n%s", problems, src)
	}
	storetest.Lay(t, filepath.Join(dir, "lockstep.db"))
	if c.store, err = store.Open(ctx, filepath.Join(dir, "lockstep.db"), store.Options{}); err != nil {
		t.Fatal(err)
	}
	if c.engine, err = engine.New(engine.Config{Store: c.store, HubSpot: hub, Salesforce: org, Mapping: bound}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *connected) close() {
	if err := c.store.Close(); err != nil {
		c.t.Error(err)
	}
	if err := c.box.Close(); err != nil {
		c.t.Error(err)
	}
}

// wait lets hours pass in which nothing happens. The lease of the pair is given back for
// them: renewing it every five seconds would be most of what the test does.
func (c *connected) wait(d time.Duration) {
	c.store.Release()
	time.Sleep(d)
}

func (c *connected) sync() *engine.Run {
	c.t.Helper()
	// The brakes of the suggested mapping are for people; here a first copy goes.
	run, err := c.engine.Sync(context.Background(), engine.SyncOptions{ReleaseBrakes: true})
	if err != nil {
		c.t.Fatal(err)
	}
	if !run.Closed {
		c.t.Fatalf("the sums do not close: %+v", run.Objects)
	}
	return run
}

func TestTheWholeRoadOnTheSandbox(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, dir, sandbox.Config{Seed: "300", SearchLag: 3 * time.Second, Latency: 50 * time.Millisecond})
		defer c.close()
		first := c.sync()
		if first.Tally.Failed != 0 || first.Writes.Created == 0 || first.Writes.Linked == 0 {
			t.Errorf("first run: %+v %+v", first.Tally, first.Writes)
		}
		for _, wait := range []time.Duration{0, time.Minute, time.Hour} {
			time.Sleep(wait)
			again := c.sync()
			if again.Writes.Sum()+again.Writes.Linked != 0 {
				t.Errorf("%s later: %+v", wait, again.Writes)
			}
			for _, r := range again.Readings {
				if wait == time.Hour && r.Changed > 0 {
					t.Errorf("%s %s: %d of %d rows need a decision in a quiet world", r.Side, r.Object, r.Changed, r.Rows)
				}
			}
		}
		v, err := c.engine.Verify(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !v.InStep || !v.Closed {
			t.Errorf("in step %v, closed %v: %+v", v.InStep, v.Closed, v.Objects)
		}
	})
}

// TestFaultsOfBothVendorsChangeNothingInTheEnd turns the dials: throttling,
// server errors, and connections that are cut after the write was done.
func TestFaultsOfBothVendorsChangeNothingInTheEnd(t *testing.T) {
	outcome := func(setting faults.Setting) map[engine.Verdict]int {
		verdicts := map[engine.Verdict]int{}
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			c := connect(t, dir, sandbox.Config{Seed: "small"})
			defer c.close()
			c.box.Dials().Set(setting)
			for range 20 {
				run, err := c.engine.Sync(context.Background(), engine.SyncOptions{ReleaseBrakes: true})
				if err != nil && fault.KindOf(err) != fault.Unavailable {
					t.Fatal(err)
				}
				if err == nil && run.Writes.Sum() == 0 && run.Tally.Pending+run.Tally.Failed == 0 {
					break
				}
				time.Sleep(time.Minute)
			}
			c.box.Dials().Set(faults.Setting{})
			for range 3 {
				c.sync()
				time.Sleep(time.Minute)
			}
			v, err := c.engine.Verify(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range v.Objects {
				for verdict, n := range o.Verdicts {
					verdicts[verdict] += n
				}
			}
		})
		return verdicts
	}
	calm := outcome(faults.Setting{})
	if calm[engine.Differs]+calm[engine.Missing] != 0 {
		t.Fatalf("without faults: %v", calm)
	}
	for seed := range uint64(3) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			got := outcome(faults.Setting{Seed: seed + 1, Rules: []faults.Rule{
				{Kind: faults.TooMany, Share: 0.05}, {Kind: faults.ServerError, Share: 0.05}, {Kind: faults.CutAfter, Share: 0.1, Method: "write"},
			}})
			for verdict, n := range calm {
				if got[verdict] != n {
					t.Errorf("calm %v, with faults %v", calm, got)
					break
				}
			}
		})
	}
}

// TestASearchThatLagsTakesNoWriteBack: for a while HubSpot's search shows
// records as they were before we wrote to them. That is no change of theirs.
func TestASearchThatLagsTakesNoWriteBack(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, dir, sandbox.Config{Seed: "small", SearchLag: 45 * time.Second})
		defer c.close()
		c.sync()
		// The people who are in both, edited in HubSpot lately, and then in Salesforce.
		emails := map[string]string{}
		c.box.HubSpot().Each("contacts", func(id string, values map[string]string) bool {
			emails[values["email"]] = id
			return true
		})
		edited := map[string]string{}
		c.box.Salesforce().Each("Contact", func(id string, fields map[string]any) bool {
			email, _ := fields["Email"].(string)
			if contact := emails[email]; contact != "" && email != "" {
				edited[id] = contact
			}
			return len(edited) < 5
		})
		for _, contact := range edited {
			if err := c.box.HubSpot().Update("contacts", contact, map[string]string{"firstname": "Robin"}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		c.sync()
		for id := range edited {
			if err := c.box.Salesforce().Update("Contact", id, map[string]any{"Title": "Head of " + id}); err != nil {
				t.Fatal(err)
			}
		}
		if run := c.sync(); run.Writes.Updated == 0 {
			t.Fatalf("nothing was carried over: %+v", run.Writes)
		}
		for range 3 {
			if run := c.sync(); run.Writes.Sum() != 0 {
				t.Errorf("search was late, and a sync wrote %+v", run.Writes)
			}
			time.Sleep(20 * time.Second)
		}
		for id := range edited {
			title := "Head of " + id
			if r, _ := c.box.Salesforce().Get("Contact", id); r["Title"] != title {
				t.Errorf("the title of %s is %v, want %q", id, r["Title"], title)
			}
		}
	})
}
