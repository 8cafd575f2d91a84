package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// Sides are the two clients of a pair.
type Sides struct {
	HubSpot    *Side
	Salesforce *Side
}

// Of returns one of them.
func (s *Sides) Of(side crm.Side) *Side {
	if side == crm.HubSpot {
		return s.HubSpot
	}
	return s.Salesforce
}

// Sides opens the two accounts by their names. No call is made yet.
func (a *App) Sides(ctx context.Context, hubSpotName, salesforceName string, budget mapping.Budget) (*Sides, error) {
	return a.sides(ctx, hubSpotName, salesforceName, calling{budget: budget})
}

func (a *App) sides(ctx context.Context, hubSpotName, salesforceName string, c calling) (*Sides, error) {
	hubSpot, err := a.side(ctx, hubSpotName, crm.HubSpot, c)
	if err != nil {
		return nil, err
	}
	salesforce, err := a.side(ctx, salesforceName, crm.Salesforce, c)
	if err != nil {
		return nil, err
	}
	return &Sides{HubSpot: hubSpot, Salesforce: salesforce}, nil
}

func (a *App) side(ctx context.Context, name string, side crm.Side, c calling) (*Side, error) {
	tokens, err := a.Tokens(ctx, name, side)
	if err != nil {
		return nil, err
	}
	c.ledger = a.ledger(side, tokens.Account().ID)
	client, err := a.client(tokens, c)
	if err != nil {
		return nil, err
	}
	return &Side{Side: client, Credential: tokens.Account()}, nil
}

// client builds the client that fits the credential.
func (a *App) client(tokens *credential.TokenSource, c calling) (engine.Side, error) {
	if tokens.Account().Side == crm.HubSpot {
		return a.newHubSpot(tokens, c)
	}
	return a.newSalesforce(tokens, c)
}

// Schemas reads the schemas of these objects of both sides, several at once.
// Objects that do not exist are left out.
func Schemas(ctx context.Context, sides *Sides, hubSpot, salesforce []string) (mapping.Schemas, error) {
	schemas := mapping.Schemas{HubSpot: map[string]*crm.Object{}, Salesforce: map[string]*crm.Object{}}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(describesAtOnce)
	read := func(side *Side, object string, into map[string]*crm.Object) {
		group.Go(func() error {
			schema, err := side.Describe(ctx, object)
			if fault.KindOf(err) == fault.NotFound {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			into[object] = schema
			return nil
		})
	}
	for _, object := range hubSpot {
		read(sides.HubSpot, object, schemas.HubSpot)
	}
	for _, object := range salesforce {
		read(sides.Salesforce, object, schemas.Salesforce)
	}
	return schemas, group.Wait()
}

// Labels reads HubSpot's association labels where the mapping names any. What the
// credential may not see is left out, and not checked.
func Labels(ctx context.Context, sides *Sides, m *mapping.Mapping) (map[[2]string][]string, error) {
	found := map[[2]string][]string{}
	for _, pair := range m.LabelPairs() {
		labels, err := sides.HubSpot.AssociationLabels(ctx, pair[0], pair[1])
		switch kind := fault.KindOf(err); {
		case kind == fault.Denied, kind == fault.NotFound, kind == fault.Invalid:
		case err != nil:
			return nil, err
		case labels != nil:
			found[pair] = labels
		}
	}
	return found, nil
}

// describesAtOnce is how many schemas are read at the same time: enough to hide
// the latency, few enough not to fill a rate window.
const describesAtOnce = 4

// Pair is a mapping with everything that is needed to run it.
type Pair struct {
	Mapping *mapping.Mapping
	Bound   *mapping.Bound
	// Warnings of the mapping against the live schemas; may be nil.
	Warnings *mapping.Problems
	*Sides
	Store  *store.Store
	Engine *engine.Engine
	settle func()
	budget func(side crm.Side, id string) apicall.DayState
}

// CallsLeft is how many calls to an account we may still make today, as far as
// the vendor has told by now; -1 when it has told nothing.
func (p *Pair) CallsLeft(side crm.Side, id string) int { return p.budget(side, id).OursLeft }

// Close ends the pair: the lease is given back, the database closed.
func (p *Pair) Close() error {
	if p == nil || p.Store == nil {
		return nil
	}
	p.settle()
	return p.Store.Close()
}

// Pair opens everything: mapping, accounts, live schemas, database, engine.
// Errors are faults, or *mapping.Problems for a mapping that does not fit.
func (a *App) Pair(ctx context.Context, progress func(engine.Event)) (*Pair, error) {
	return a.pair(ctx, progress, a.Store, func(s engine.Side) engine.Side { return s })
}

// pair is Pair on another database, or with sides that do less.
func (a *App) pair(ctx context.Context, progress func(engine.Event), open func(context.Context) (*store.Store, error), limit func(engine.Side) engine.Side) (*Pair, error) {
	m, err := a.Mapping()
	if err != nil {
		return nil, err
	}
	sides, err := a.sides(ctx, m.HubSpot, m.Salesforce, calling{budget: m.Budget, notice: noticed(progress)})
	if err != nil {
		return nil, err
	}
	hubSpot, salesforce := m.ObjectNames()
	schemas, err := Schemas(ctx, sides, hubSpot, salesforce)
	if err != nil {
		return nil, err
	}
	if schemas.Labels, err = Labels(ctx, sides, m); err != nil {
		return nil, err
	}
	bound, problems := m.Bind(schemas)
	if bound == nil {
		return nil, problems
	}
	database, err := open(ctx)
	if err != nil {
		return nil, err
	}
	e, err := engine.New(engine.Config{
		Store: database, HubSpot: limit(sides.HubSpot), Salesforce: limit(sides.Salesforce),
		Mapping: bound, Log: a.config.Log, Progress: progress, Now: a.config.Now,
	})
	if err != nil {
		_ = database.Close()
		return nil, err
	}
	return &Pair{Mapping: m, Bound: bound, Warnings: problems, Sides: sides, Store: database, Engine: e, settle: a.ledgers.settle,
		budget: func(side crm.Side, id string) apicall.DayState { return a.Budget(m, side, id) }}, nil
}

// DatabasePath is where the state of the pair is kept.
func (a *App) DatabasePath() string { return filepath.Join(a.StateDir(), "lockstep.db") }

// Store opens the database of this place; the caller closes it.
func (a *App) Store(ctx context.Context) (*store.Store, error) {
	return store.Open(ctx, a.DatabasePath(), a.storage())
}

func (a *App) storage() store.Options {
	return store.Options{MaxBytes: a.config.StorageLimitBytes, Now: a.config.Now}
}

// ExistingStore opens the database where there is one already.
func (a *App) ExistingStore(ctx context.Context) (*store.Store, error) {
	if _, err := os.Stat(a.DatabasePath()); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "nothing has been planned or synced here yet").WithMend("lockstep plan")
	}
	return a.Store(ctx)
}
