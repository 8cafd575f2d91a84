package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// Config says what an Engine works with. Store, both sides and Mapping are
// needed.
type Config struct {
	Store      *store.Store
	HubSpot    Side
	Salesforce Side
	Mapping    *mapping.Bound
	// Log gets what an operator acts on; nil logs nothing.
	Log *slog.Logger
	// Progress is told how far reads and writes have come, often and from
	// several goroutines; nil tells nobody.
	Progress func(Event)
	// CompleteEvery is how old a complete read may grow before the next cycle
	// reads everything again, which finds what change feeds cannot tell
	// (deletions, associations). Default one day; negative never.
	CompleteEvery time.Duration
	// HistoryAge is how long decisions, and the values in the journal, are kept:
	// so far back explain and undo reach. Default 90 days.
	HistoryAge time.Duration
	// HistoryPerThing is how many decisions of one thing are kept. Default 20.
	HistoryPerThing int
	// Fresh is how old a decision may grow before its updates look at both
	// records again right before they are sent. Default 15 seconds; negative
	// always looks.
	Fresh time.Duration
	// Now is the clock of this machine, which somebody may put back; nil means
	// time.Now. What is compared with stored times goes by it.
	Now func() time.Time
}

const (
	defaultCompleteEvery = 24 * time.Hour
	defaultFresh         = 15 * time.Second
	// ownersAge is how long the lists of owners are used before they are read
	// again.
	ownersAge = 5 * time.Minute
)

// Engine keeps one pair in step. Its methods that write (Observe, Plan, Sync,
// Apply, Watch) take the lease of the pair and wait for each other; the others
// may be called at any time.
type Engine struct {
	store           *store.Store
	sides           map[crm.Side]Side
	mapping         *mapping.Bound
	log             *slog.Logger
	progress        func(Event)
	completeEvery   time.Duration
	fresh           time.Duration
	historyAge      time.Duration
	historyPerThing int
	clock           func() time.Time

	working sync.Mutex // one writing operation at a time
	bound   bool       // the accounts were compared with the store's
	pruned  time.Time  // when this process last forgot what is old
	put     bool       // that the clock was put back was said
	woken   bool       // kept changes were made due in this process
	lenses  map[lensKey]*lens
	slots   map[string]map[uint64][]uint64 // by mapping and version: what base slots meant
	wake    chan struct{}                  // something was heard
	// comparing is held, for each object of the mapping, while what was read is
	// compared with what is known and the difference saved; a call may be made
	// meanwhile, so that who waits has to hear of a cancelled context.
	comparing map[string]chan struct{}

	ownersMu sync.Mutex
	owners   *ownerBook
}

type lensKey struct {
	mapping string
	side    crm.Side
	object  string
}

type dueRef struct {
	mapping string
	ref     crm.Ref
}

// New checks the configuration and returns an engine. It calls nobody.
func New(c Config) (*Engine, error) {
	switch {
	case c.Store == nil:
		return nil, fault.New(fault.Internal, "engine: no store")
	case c.HubSpot == nil || c.HubSpot.Name() != crm.HubSpot:
		return nil, fault.New(fault.Internal, "engine: no HubSpot side")
	case c.Salesforce == nil || c.Salesforce.Name() != crm.Salesforce:
		return nil, fault.New(fault.Internal, "engine: no Salesforce side")
	case c.Mapping == nil || c.Mapping.Mapping == nil:
		return nil, fault.New(fault.Internal, "engine: no mapping")
	}
	e := &Engine{store: c.Store, sides: map[crm.Side]Side{crm.HubSpot: c.HubSpot, crm.Salesforce: c.Salesforce},
		mapping: c.Mapping, clock: c.Now, log: c.Log, progress: c.Progress, completeEvery: c.CompleteEvery, fresh: c.Fresh,
		lenses: map[lensKey]*lens{}, wake: make(chan struct{}, 1), comparing: map[string]chan struct{}{}}
	if e.clock == nil {
		e.clock = time.Now
	}
	if e.log == nil {
		e.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if e.completeEvery == 0 {
		e.completeEvery = defaultCompleteEvery
	}
	if e.historyAge = c.HistoryAge; e.historyAge <= 0 {
		e.historyAge = defaultHistoryAge
	}
	if e.historyPerThing = c.HistoryPerThing; e.historyPerThing <= 0 {
		e.historyPerThing = defaultHistoryPerThing
	}
	if e.fresh == 0 {
		e.fresh = defaultFresh
	}
	for _, o := range c.Mapping.Objects {
		e.comparing[o.Name] = make(chan struct{}, 1)
		e.lenses[lensKey{o.Name, crm.HubSpot, o.HubSpot}] = newLens(c.Mapping, o, crm.HubSpot, o.HubSpot, o.HubSpotRead)
		for _, t := range o.Targets {
			l := newLens(c.Mapping, o, crm.Salesforce, t.Object, t.Read)
			l.rows = junctionsOf(t)
			e.lenses[lensKey{o.Name, crm.Salesforce, t.Object}] = l
		}
	}
	return e, nil
}

// lens returns how records of an object are looked at; nil when the mapping
// does not name it (any more).
func (e *Engine) lens(o *mapping.BoundObject, side crm.Side, object string) *lens {
	return e.lenses[lensKey{o.Name, side, object}]
}

// begin takes the lease and makes sure that the store belongs to this pair.
func (e *Engine) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.store.Acquire(ctx); err != nil {
		return err
	}
	if !e.bound {
		if err := e.bindPair(ctx); err != nil {
			return err
		}
		e.bound = true
	}
	if !e.woken {
		// What waits for a person may have been mended since the last process.
		if err := e.store.Write(ctx, func(t *store.Tx) error { return t.AllDue() }); err != nil {
			return err
		}
		e.woken = true
	}
	if err := e.watchClock(ctx); err != nil {
		return err
	}
	counts, err := e.store.CountFailures(ctx)
	if err != nil || counts[store.Transient] == 0 {
		return err
	}
	return e.store.Write(ctx, func(t *store.Tx) error { return t.RetryDue(e.now(), longestRetry) })
}

func (e *Engine) bindPair(ctx context.Context) error {
	var names []string
	for _, o := range e.mapping.Objects {
		names = append(names, o.Name, o.HubSpot)
		for _, t := range o.Targets {
			names = append(names, t.Object)
			for _, a := range t.Associations {
				if a.Junction {
					names = append(names, a.Salesforce)
				}
			}
		}
	}
	pair, err := e.pair(ctx)
	if err != nil {
		return err
	}
	if err := e.store.BindPair(ctx, pair); err != nil {
		return err
	}
	if err := e.store.Prepare(ctx, names...); err != nil {
		return err
	}
	return e.loadSlots(ctx)
}

// pair asks both sides whose accounts these are.
func (e *Engine) pair(ctx context.Context) (store.Pair, error) {
	var p store.Pair
	hubspot, err := e.sides[crm.HubSpot].Account(ctx)
	if err != nil {
		return p, fmt.Errorf("ask HubSpot whose account this is: %w", err)
	}
	salesforce, err := e.sides[crm.Salesforce].Account(ctx)
	if err != nil {
		return p, fmt.Errorf("ask Salesforce whose account this is: %w", err)
	}
	return store.Pair{HubSpotID: hubspot.ID, HubSpotName: hubspot.Name, SalesforceID: salesforce.ID, SalesforceName: salesforce.Name}, nil
}

// objectsBy finds the mapped objects whose records of side are called object.
func (e *Engine) objectsBy(side crm.Side, object string) []*mapping.BoundObject {
	var found []*mapping.BoundObject
	for _, o := range e.mapping.Objects {
		if side == crm.HubSpot && o.HubSpot == object || side == crm.Salesforce && o.Target(object) != nil {
			found = append(found, o)
		}
	}
	return found
}

// objectBy is the first of them; nil when there is none.
func (e *Engine) objectBy(side crm.Side, object string) *mapping.BoundObject {
	if found := e.objectsBy(side, object); len(found) > 0 {
		return found[0]
	}
	return nil
}

// ownerBook knows the people of both sides.
type ownerBook struct {
	read time.Time
	// other maps an owner of a side to the active owner of the other side who
	// has the same e-mail.
	other map[crm.Side]map[string]string
	names map[crm.Side]map[string]string
	// people are all owners of a side by id.
	people map[crm.Side]map[string]crm.Owner
}

// book returns the owners of both sides, read when they are first asked for.
func (e *Engine) book(ctx context.Context) (*ownerBook, error) {
	e.ownersMu.Lock()
	defer e.ownersMu.Unlock()
	if e.owners != nil && time.Since(e.owners.read) < ownersAge {
		return e.owners, nil
	}
	wanted := false
	for _, o := range e.mapping.Objects {
		wanted = wanted || o.OwnerByEmail
	}
	b := &ownerBook{read: time.Now(), other: map[crm.Side]map[string]string{crm.HubSpot: {}, crm.Salesforce: {}},
		names: map[crm.Side]map[string]string{crm.HubSpot: {}, crm.Salesforce: {}}, people: map[crm.Side]map[string]crm.Owner{crm.HubSpot: {}, crm.Salesforce: {}}}
	if wanted {
		people := map[crm.Side][]crm.Owner{}
		for _, side := range bothSides {
			list, err := e.sides[side].Owners(ctx)
			if err != nil {
				return nil, fmt.Errorf("read the owners of %s: %w", side.Title(), err)
			}
			people[side] = list
		}
		for side := range e.sides {
			b.add(side, people[side], people[side.Other()])
		}
	}
	e.owners = b
	return b, nil
}
