// Package trial runs a mapping and its policies offline, against the sandbox:
// both servers in this process, no account, no network, no file left behind.
//
// The one idea: what is tried is the program itself. The same clients, engine and
// gate that work on real accounts plan and write here, so what holds here holds
// there as far as the sandbox is like the vendors. What an account has and the
// sandbox does not (custom fields, picklist values, pipelines) comes from a
// [Twin], a copy of the account's schemas without a single record.
package trial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// Config says what to try.
type Config struct {
	// Mapping is the text of lockstep.yaml, File its name for messages.
	Mapping []byte
	File    string
	// Seed is the size of the story, Random picks one of that size.
	Seed   string
	Random uint64
	// Twin is the schema of the real pair; nil when the sandbox's own will do.
	Twin *Twin
	// AllowHeld: a record that a policy holds is no failure.
	AllowHeld bool
	Log       *slog.Logger
}

// Result is what became of one thing that was tried.
type Result struct {
	// Kind is "story", "policy" or "case".
	Kind string `json:"kind"`
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Why it failed, or what is worth knowing; a line each.
	Told    []string `json:"told,omitempty"`
	Seconds float64  `json:"seconds"`
}

// world is a sandbox with the program connected to it.
type world struct {
	config Config
	box    *sandbox.Sandbox
	dir    string
	pair   *app.Pair
	last   *engine.Run
}

// open starts both servers with this much of the story and connects the
// program to them under the names that the mapping uses.
func open(ctx context.Context, c Config, seed string) (*world, error) {
	m, err := mapping.Parse(c.File, c.Mapping)
	if err != nil {
		return nil, err
	}
	box, err := sandbox.New(sandbox.Config{Seed: seed, Random: c.Random, TenSecondly: -1, SearchSecondly: -1})
	if err != nil {
		return nil, err
	}
	w := &world{config: c, box: box}
	if w.dir, err = os.MkdirTemp("", "lockstep-test-"); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if err := w.connect(ctx, m); err != nil {
		return nil, errors.Join(named(err, c.File), w.close())
	}
	return w, nil
}

func (w *world) connect(ctx context.Context, m *mapping.Mapping) error {
	file := filepath.Join(w.dir, "lockstep.yaml")
	if err := os.WriteFile(file, w.config.Mapping, 0o600); err != nil {
		return err
	}
	a := app.New(app.Config{File: file, Log: w.config.Log, HTTP: w.box.Client(), Seed: w.config.Random, Unpaced: true})
	keys := w.box.Credentials()
	if _, err := a.Connect(ctx, credential.Account{Name: m.HubSpot, Side: crm.HubSpot, Kind: credential.HubSpotToken, BaseURL: w.box.HubSpotURL()},
		credential.Material{Token: credential.NewSecret(keys.HubSpot.PrivateApp)}, false); err != nil {
		return err
	}
	if _, err := a.Connect(ctx, credential.Account{Name: m.Salesforce, Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: w.box.SalesforceURL(), ClientID: keys.Salesforce.ClientID},
		credential.Material{ClientSecret: credential.NewSecret(keys.Salesforce.ClientSecret)}, false); err != nil {
		return err
	}
	if t := w.config.Twin; t != nil {
		sides, err := a.Sides(ctx, m.HubSpot, m.Salesforce, m.Budget)
		if err != nil {
			return err
		}
		hubspot, salesforce := t.names()
		have, err := app.Schemas(ctx, sides, hubspot, salesforce)
		if err != nil {
			return err
		}
		if err := t.build(ctx, w.box, have); err != nil {
			return err
		}
	}
	var err error
	w.pair, err = a.Pair(ctx, nil)
	return err
}

// named gives the problems of a mapping the name of the file that the person
// knows.
func named(err error, file string) error {
	var problems *mapping.Problems
	if errors.As(err, &problems) {
		problems.File = file
		for i := range problems.All {
			problems.All[i].File = file
		}
		return problems
	}
	return err
}

func (w *world) close() error {
	err := errors.Join(w.pair.Close(), w.box.Close())
	if w.dir != "" {
		err = errors.Join(err, os.RemoveAll(w.dir))
	}
	return err
}

// later lets time go by, so that an edit is a person's and not the platform's
// answer to a create.
func (w *world) later() { w.box.Clock().Advance(time.Minute) }

func (w *world) sync(ctx context.Context) (*engine.Run, error) {
	return w.pair.Engine.Sync(ctx, engine.SyncOptions{ReleaseBrakes: true})
}

// timed runs one try and notes how long it took.
func timed(kind, name string, try func() ([]string, error)) (Result, error) {
	started := time.Now()
	told, err := try()
	r := Result{Kind: kind, Name: name, Told: told, OK: len(told) == 0, Seconds: time.Since(started).Round(time.Millisecond).Seconds()}
	return r, err
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
