package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// ShadowPair opens the pair for looking on beside another sync: on a database of
// its own, and with sides that refuse every write.
func (a *App) ShadowPair(ctx context.Context, progress func(engine.Event)) (*Pair, error) {
	return a.pair(ctx, progress, a.shadowStore, func(s engine.Side) engine.Side { return readOnly{s} })
}

// ShadowPath is where shadow mode keeps its state, apart from the pair's own.
func (a *App) ShadowPath() string { return filepath.Join(a.StateDir(), "shadow.db") }

func (a *App) shadowStore(ctx context.Context) (*store.Store, error) {
	return store.Open(ctx, a.ShadowPath(), a.storage())
}

// ExistingShadow opens the database of shadow mode where there is one already.
func (a *App) ExistingShadow(ctx context.Context) (*store.Store, error) {
	if _, err := os.Stat(a.ShadowPath()); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "shadow mode has not looked on here yet").WithMend("lockstep shadow")
	}
	return a.shadowStore(ctx)
}

// ForgetShadow forgets all that shadow mode has seen.
func (a *App) ForgetShadow() error {
	var errs error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(a.ShadowPath() + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = errors.Join(errs, storageFault(err, a.ShadowPath()+suffix))
		}
	}
	return errs
}

// readOnly is a side to which nothing is ever written.
type readOnly struct{ engine.Side }

// Apply is engine.Side's: it refuses.
func (readOnly) Apply(_ context.Context, writes []crm.Write) ([]crm.Result, error) {
	err := fault.New(fault.Internal, "shadow mode writes nothing, and was asked to").WithMend("this is a defect of Lockstep: please report it")
	results := make([]crm.Result, len(writes))
	for i, w := range writes {
		results[i] = crm.Result{Key: w.Key, Err: err}
	}
	return results, err
}
