package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestR11SalesforceCallsOfAFirstCopyAndOfLiveChanges: complaint R11, by the
// sandbox's own counter. A first copy of 10,000 people costs at most 0.02
// Salesforce calls for each record. Later, what changes costs at most one for each
// record beyond a quiet cycle: all that changed in a cycle is read and written
// together. (One single change costs two, a read and a write: HubSpot has no
// conditional write, so both records are looked at before either is written.)
func TestR11SalesforceCallsOfAFirstCopyAndOfLiveChanges(t *testing.T) {
	t.Parallel()
	box, err := sandbox.New(sandbox.Config{Seed: "10000", TenSecondly: -1, SearchSecondly: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	config := app.Config{File: filepath.Join(folder(t), "lockstep.yaml")}
	connectApp(t, box, app.New(config))
	pair, err := app.New(config).Pair(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	sync := func() (*engine.Run, int) {
		t.Helper()
		before := box.Salesforce().Calls().Total
		run, err := pair.Engine.Sync(t.Context(), engine.SyncOptions{ReleaseBrakes: true})
		if err != nil {
			t.Fatal(err)
		}
		return run, box.Salesforce().Calls().Total - before
	}
	run, spent := sync()
	if run.Writes.Created < 8000 {
		t.Fatalf("only %d records were created", run.Writes.Created)
	}
	if float64(spent) > 0.02*float64(run.Read) {
		t.Errorf("%d Salesforce calls for %d records, want at most 0.02 each", spent, run.Read)
	}
	t.Logf("first copy: %d Salesforce calls for %d records, %.4f each", spent, run.Read, float64(spent)/float64(run.Read))
	quiet := 0
	for range 3 { // the first ones see our own writes come back
		if run, spent = sync(); run.Writes.Sum() == 0 {
			quiet = max(quiet, spent)
		}
	}
	var people []string
	box.HubSpot().Each("contacts", func(id string, properties map[string]string) bool {
		if properties["lifecyclestage"] != "subscriber" && properties["lastname"] != "" {
			people = append(people, id)
		}
		return len(people) < 200
	})
	for _, n := range []int{1, 20, 200} {
		box.Clock().Advance(2e9)
		for i, id := range people[:n] {
			if err := box.HubSpot().Update("contacts", id, map[string]string{"jobtitle": fmt.Sprintf("Title %d of %d", i, n)}); err != nil {
				t.Fatal(err)
			}
		}
		run, spent := sync()
		if run.Writes.Updated < n/2 {
			t.Errorf("%d of %d changes were brought over", run.Writes.Updated, n)
		}
		if beyond := spent - quiet; beyond > max(2, run.Writes.Updated) {
			t.Errorf("%d changed records cost %d Salesforce calls beyond the %d of a quiet cycle", run.Writes.Updated, beyond, quiet)
		} else {
			t.Logf("%d changed: %d calls beyond the %d of a quiet cycle", run.Writes.Updated, beyond, quiet)
		}
	}
}
