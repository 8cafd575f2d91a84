package bench

import (
	"context"
	"flag"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/salesforce"
	"github.com/lockstep-sync/lockstep/internal/store"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// copied is how many people the copied story has; the quick tests copy few.
var copied = flag.Int("people", 1000, "people in the story that the copy moves")

// What the sandbox asks of the copy: an Enterprise account's limit and a link
// across an ocean.
const (
	copyLimit   = 190
	copyPeriod  = 10 * time.Second
	copyLatency = 150 * time.Millisecond
	listPage    = 100
)

// TestFirstCopyAgainstItsFloor copies a whole story with the real clients in a
// bubble, where time is what limits and latency make it and computing costs
// nothing, and tells what it cost as ratios to the floor that HubSpot's limit
// sets. It checks that the copy is right; the ratios are for reading:
//
//	go test -v -run FirstCopy ./bench -people 10000
func TestFirstCopyAgainstItsFloor(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		box, err := sandbox.New(sandbox.Config{Seed: strconv.Itoa(*copied), Random: 1, TenSecondly: copyLimit, Latency: copyLatency})
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		e, closeStore := newCopier(t, box, dir)
		defer closeStore()

		before := e.spent()
		began := time.Now()
		run, err := e.Sync(ctx, engine.SyncOptions{ReleaseBrakes: true})
		if err != nil {
			t.Fatal(err)
		}
		took, after := time.Since(began), e.spent()
		if !run.Closed || run.Tally.Failed > 0 || after.throttled > 0 {
			t.Errorf("closed %v, failed %d, throttled %d", run.Closed, run.Tally.Failed, after.throttled)
		}
		pages := 0
		for _, object := range []string{"companies", "contacts", "deals"} {
			pages += (box.HubSpot().Count(object) + listPage - 1) / listPage
		}
		hubspotWrites := after.hubspot - before.hubspot - pages
		floor := floorOf(after.hubspot - before.hubspot)
		t.Logf("%d things copied in %s of limits and latency; the floor for %d calls is %s", run.Read, took, after.hubspot-before.hubspot, floor)
		if floor > 0 {
			t.Logf("time ÷ floor                       %.2f", took.Seconds()/floor.Seconds())
		}
		t.Logf("HubSpot calls ÷ pages to read      %.2f  (%d ÷ %d; %d of them writes, counts and look-ups)", float64(after.hubspot-before.hubspot)/float64(pages), after.hubspot-before.hubspot, pages, hubspotWrites)
		t.Logf("Salesforce calls per thing         %.4f (%d)", float64(after.salesforce-before.salesforce)/float64(run.Read), after.salesforce-before.salesforce)
		t.Logf("refused for the limit              %d", after.throttled)

		for range 2 { // the first one still sees what the copy itself moved
			time.Sleep(time.Hour)
			before = e.spent()
			if run, err = e.Sync(ctx, engine.SyncOptions{}); err != nil {
				t.Fatal(err)
			}
			after = e.spent()
		}
		if n := run.Writes.Sum(); n != 0 {
			t.Errorf("a quiet cycle wrote %d records", n)
		}
		t.Logf("calls of a quiet cycle             %d to HubSpot for 3 objects, %d to Salesforce for 4", after.hubspot-before.hubspot, after.salesforce-before.salesforce)
	})
}

// floorOf is the least time in which so many calls pass the limit.
func floorOf(calls int) time.Duration {
	return time.Duration(max(calls-1, 0)/copyLimit) * copyPeriod
}

type copier struct {
	*engine.Engine
	hub *hubspot.Client
	org *salesforce.Client
}

type spent struct{ hubspot, salesforce, throttled int }

func (c *copier) spent() spent {
	h, s := c.hub.Usage(), c.org.Usage()
	return spent{h.Calls, s.Calls, h.Throttled + s.Throttled}
}

// newCopier connects the real clients, the suggested mapping and a store.
func newCopier(t *testing.T, box *sandbox.Sandbox, dir string) (*copier, func()) {
	t.Helper()
	ctx := context.Background()
	keys := box.Credentials()
	hub, err := hubspot.New(hubspot.Config{HTTP: box.Client(), Token: func(context.Context) (string, error) { return keys.HubSpot.PrivateApp, nil }})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := credential.NewTokenSource(credential.Account{Name: "bench", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: box.Salesforce().Origin(), ClientID: keys.Salesforce.ClientID},
		credential.Material{ClientSecret: credential.NewSecret(keys.Salesforce.ClientSecret)}, box.Client())
	if err != nil {
		t.Fatal(err)
	}
	org, err := salesforce.New(salesforce.Config{Tokens: tokens, HTTP: box.Client()})
	if err != nil {
		t.Fatal(err)
	}
	schemas := mapping.Schemas{HubSpot: map[string]*crm.Object{}, Salesforce: map[string]*crm.Object{}}
	for _, name := range []string{"companies", "contacts", "deals"} {
		if schemas.HubSpot[name], err = hub.Describe(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"Account", "Contact", "Lead", "Opportunity"} {
		if schemas.Salesforce[name], err = org.Describe(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	m, err := mapping.Parse("lockstep.yaml", mapping.Suggest(schemas, mapping.Accounts{HubSpot: "bench", Salesforce: "bench"}))
	if err != nil {
		t.Fatal(err)
	}
	bound, problems := m.Bind(schemas)
	if bound == nil {
		t.Fatal(problems)
	}
	state, err := store.Open(ctx, filepath.Join(dir, "lockstep.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Config{Store: state, HubSpot: hub, Salesforce: org, Mapping: bound})
	if err != nil {
		t.Fatal(err)
	}
	return &copier{Engine: e, hub: hub, org: org}, func() {
		if err := state.Close(); err != nil {
			t.Error(err)
		}
	}
}
