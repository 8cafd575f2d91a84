package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/salesforce"
	"github.com/lockstep-sync/lockstep/internal/store"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// process is one life of the program: its own clients and engine, and a store
// on the disk of the history.
type process struct {
	gate   *gate
	disk   string // of the store
	ctx    context.Context
	cancel context.CancelFunc
	store  *store.Store
	engine *engine.Engine

	mu      sync.Mutex
	commits int
	dieAt   int    // the commit before or after which it dies; 0: none
	moment  string // "before commit" or "after commit"
	crashed bool
	left    string // the disk as it was when it died
}

// start begins a process on a disk. The schemas are those that the program
// would read first; they are the same in every history.
func (w *world) start() (*process, error) {
	p := &process{disk: w.disk, gate: newGate(w.box.Client().Transport, w.random, w.story.slowest)}
	p.gate.before, p.gate.after = w.beforeCall, w.afterCall
	p.ctx, p.cancel = context.WithCancel(context.Background())
	httpClient := &http.Client{Transport: p.gate}
	keys := w.box.Credentials()
	hub, err := hubspot.New(hubspot.Config{HTTP: httpClient, Seed: w.seed, Token: func(context.Context) (string, error) { return keys.HubSpot.PrivateApp, nil }})
	if err != nil {
		return nil, err
	}
	tokens, err := credential.NewTokenSource(credential.Account{Name: "acme", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: w.box.Salesforce().Origin(), ClientID: keys.Salesforce.ClientID},
		credential.Material{ClientSecret: credential.NewSecret(keys.Salesforce.ClientSecret)}, httpClient)
	if err != nil {
		return nil, err
	}
	org, err := salesforce.New(salesforce.Config{Tokens: tokens, HTTP: httpClient, Seed: w.seed})
	if err != nil {
		return nil, err
	}
	if p.store, err = store.Open(p.ctx, filepath.Join(p.disk, "lockstep.db"), store.Options{Commit: p.commit}); err != nil {
		return nil, err
	}
	p.engine, err = engine.New(engine.Config{Store: p.store, HubSpot: hub, Salesforce: org, Mapping: w.bound})
	return p, err
}

// stop ends the process in order; a dead one is only cleared away.
func (p *process) stop() error {
	err := p.store.Close()
	p.cancel()
	if p.crashed {
		return nil
	}
	return err
}

// commit is called around every commit of the store.
func (p *process) commit(stage store.Stage) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.crashed {
		return errDead
	}
	if stage == store.BeforeCommit {
		p.commits++
	}
	if p.dieAt > 0 && p.commits == p.dieAt && p.moment == string(stage) {
		return p.die()
	}
	return nil
}

// die keeps the disk as it is now and cuts the process off from everything.
// The caller holds mu.
func (p *process) die() error {
	p.crashed = true
	p.left = p.disk + "+"
	if err := copyDisk(p.left, p.disk); err != nil {
		return err
	}
	p.gate.die()
	p.cancel()
	return errDead
}

// copyDisk copies the files of a store as the death of a process leaves them.
func copyDisk(to, from string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"lockstep.db", "lockstep.db-wal"} {
		in, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), in, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// do runs a piece of the program's work, calls and all.
func (p *process) do(work func(ctx context.Context) error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if fault := recover(); fault != nil {
				err = fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
			}
		}()
		err = work(p.ctx)
	}()
	p.gate.drive(done)
	return err
}

// schemas are what both vendors say of their objects, read once.
var schemas struct {
	once sync.Once
	read mapping.Schemas
	err  error
}

// readSchemas reads them as the program does, from a sandbox of its own.
func readSchemas() (mapping.Schemas, error) {
	schemas.once.Do(func() { schemas.read, schemas.err = describeAll() })
	return schemas.read, schemas.err
}

func describeAll() (mapping.Schemas, error) {
	all := mapping.Schemas{HubSpot: map[string]*crm.Object{}, Salesforce: map[string]*crm.Object{}}
	ctx := context.Background()
	box, err := newBox(1)
	if err != nil {
		return all, err
	}
	defer box.Close() //nolint:errcheck // it has no file
	hub, org, err := plainClients(box)
	if err != nil {
		return all, err
	}
	for _, name := range []string{"companies", "contacts"} {
		if all.HubSpot[name], err = hub.Describe(ctx, name); err != nil {
			return all, err
		}
	}
	for _, name := range []string{"Account", "Contact", "Lead"} {
		if all.Salesforce[name], err = org.Describe(ctx, name); err != nil {
			return all, err
		}
	}
	return all, nil
}

func plainClients(box *sandbox.Sandbox) (engine.Side, engine.Side, error) {
	keys := box.Credentials()
	hub, err := hubspot.New(hubspot.Config{HTTP: box.Client(), Token: func(context.Context) (string, error) { return keys.HubSpot.PrivateApp, nil }})
	if err != nil {
		return nil, nil, err
	}
	tokens, err := credential.NewTokenSource(credential.Account{Name: "acme", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: box.Salesforce().Origin(), ClientID: keys.Salesforce.ClientID},
		credential.Material{ClientSecret: credential.NewSecret(keys.Salesforce.ClientSecret)}, box.Client())
	if err != nil {
		return nil, nil, err
	}
	org, err := salesforce.New(salesforce.Config{Tokens: tokens, HTTP: box.Client()})
	return hub, org, err
}

// freshDisk is a folder with an empty store in it, tables and all, made once
// and copied for every history.
var freshDisk struct {
	once sync.Once
	dir  string
	err  error
}

func freshStore(root string) (string, error) {
	freshDisk.once.Do(func() {
		freshDisk.dir = filepath.Join(root, "fresh")
		s, err := store.Open(context.Background(), filepath.Join(freshDisk.dir, "lockstep.db"), store.Options{})
		if err != nil {
			freshDisk.err = err
			return
		}
		freshDisk.err = s.Close()
	})
	return freshDisk.dir, freshDisk.err
}

// root is where stores are kept: in memory where the machine has such a file
// system, for a history makes many commits.
func root() (string, error) {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		if dir, err := os.MkdirTemp("/dev/shm", "lockstep-sim-"); err == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp("", "lockstep-sim-")
}
