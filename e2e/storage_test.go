package e2e

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestAFullDiskLosesNothing lets the disk fill up in the middle of a copy. The
// run says so with the next step; once there is room, the next run finishes,
// and nothing is there twice.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	box, err := sandbox.New(sandbox.Config{Seed: "400", TenSecondly: -1, SearchSecondly: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder(t), "lockstep.yaml")
	connectApp(t, box, app.New(app.Config{File: file}))

	const tight = 400 << 10
	run, err := syncWith(t, app.Config{File: file, StorageLimitBytes: tight})
	if err == nil {
		t.Fatalf("the run went through within %d bytes: %+v", tight, run)
	}
	if !store.IsStorage(err) || fault.MendOf(err) == "" {
		t.Errorf("got %v (next: %s), want a fault of the storage with a next step", err, fault.MendOf(err))
	}
	run, err = syncWith(t, app.Config{File: file})
	if err != nil || !run.Closed || run.Tally.Failed != 0 {
		t.Fatalf("with room again: %+v, %v", run, err)
	}
	w := &killWorld{T: t, box: box}
	w.checkNoTwins()
	if run, err = syncWith(t, app.Config{File: file}); err != nil || run.Writes.Sum() != 0 {
		t.Errorf("another run: %+v, %v", run, err)
	}
}

// connectApp connects both sides of the sandbox and writes the mapping.
func connectApp(t *testing.T, box *sandbox.Sandbox, a *app.App) {
	t.Helper()
	c := box.Credentials()
	_, err := a.Connect(t.Context(), credential.Account{Name: "h", Side: crm.HubSpot, Kind: credential.HubSpotToken, BaseURL: box.HubSpotURL()},
		credential.Material{Token: credential.NewSecret(c.HubSpot.PrivateApp)}, false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Connect(t.Context(), credential.Account{Name: "s", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: box.SalesforceURL(), ClientID: c.Salesforce.ClientID}, credential.Material{ClientSecret: credential.NewSecret(c.Salesforce.ClientSecret)}, false)
	if err != nil {
		t.Fatal(err)
	}
	text, err := a.Draft(t.Context(), "h", "s")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.WriteMapping(text, false); err != nil {
		t.Fatal(err)
	}
}

func syncWith(t *testing.T, config app.Config) (run *engine.Run, err error) {
	t.Helper()
	config.Log = slog.New(slog.DiscardHandler)
	pair, err := app.New(config).Pair(t.Context(), nil)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := pair.Close(); err == nil {
			err = closed
		}
	}()
	return pair.Engine.Sync(t.Context(), engine.SyncOptions{})
}
