package app

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// calling says how an account is called: within which share, counted where, and
// who is told when others slow us down.
type calling struct {
	budget mapping.Budget
	ledger *apicall.Ledger
	notice func(string)
}

// ledgers are the counts of calls that this place has opened.
type ledgers struct {
	mu     sync.Mutex
	byName map[string]*apicall.Ledger
	// waiting was counted before there was a folder to count in.
	waiting *apicall.Ledger
}

// callsDir is where all processes of this place count their calls.
func (a *App) callsDir() string { return filepath.Join(a.StateDir(), "calls") }

// ledger is the count of an account's calls, shared by everything that calls it
// from this place; an account whose id is not known counts in memory.
func (a *App) ledger(side crm.Side, id string) *apicall.Ledger {
	if id == "" {
		return apicall.NewLedger("", "", nil)
	}
	a.ledgers.mu.Lock()
	defer a.ledgers.mu.Unlock()
	name := string(side) + "-" + id
	l := a.ledgers.byName[name]
	if l == nil {
		l = apicall.NewLedger(a.callsDir(), name, a.config.Log)
		if a.ledgers.byName == nil {
			a.ledgers.byName = map[string]*apicall.Ledger{}
		}
		a.ledgers.byName[name] = l
	}
	return l
}

// count takes over the calls that found out whose account it is. Where nothing
// is kept yet they wait until the account is.
func (a *App) count(side crm.Side, id string, counted *apicall.Ledger) {
	if _, err := os.Stat(a.StateDir()); err == nil {
		a.ledger(side, id).Adopt(counted)
		return
	}
	a.ledgers.mu.Lock()
	a.ledgers.waiting = counted
	a.ledgers.mu.Unlock()
}

// countWaiting counts the calls that were made before the first account of this
// place was kept.
func (a *App) countWaiting(side crm.Side, id string) {
	a.ledgers.mu.Lock()
	counted := a.ledgers.waiting
	a.ledgers.waiting = nil
	a.ledgers.mu.Unlock()
	if counted != nil {
		a.ledger(side, id).Adopt(counted)
	}
}

// settle writes down what was counted and not used.
func (l *ledgers) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ledger := range l.byName {
		ledger.Settle()
	}
}

// Budget tells how the day of an account stands, from what is kept here: no
// call is made.
func (a *App) Budget(m *mapping.Mapping, side crm.Side, id string) apicall.DayState {
	share := m.Budget.Salesforce
	if side == crm.HubSpot {
		share = m.Budget.HubSpot
	}
	return apicall.NewDay(share, side == crm.Salesforce, a.ledger(side, id)).State()
}

// noticed tells remarks of a client where progress is told.
func noticed(progress func(engine.Event)) func(string) {
	if progress == nil {
		return nil
	}
	return func(text string) { progress(engine.Event{Note: text}) }
}
