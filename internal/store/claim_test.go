package store

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// TestALeaseWhoseClockWasPutBack: a claim that ends later than any that is made
// now is of before the clock was put back. A dead holder's claim does not keep
// the pair for so long, and a living one keeps it.
func TestALeaseWhoseClockWasPutBack(t *testing.T) {
	for _, back := range []time.Duration{time.Hour, 365 * 24 * time.Hour} {
		for _, c := range []struct {
			name  string
			lives bool
		}{{"another machine's, and that one is gone", false}, {"another machine's, and that one lives", true}} {
			t.Run(back.String()+", "+c.name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "lockstep.db")
				synctest.Test(t, func(t *testing.T) {
					there, err := Open(ctx, path, Options{})
					if err != nil {
						t.Fatal(err)
					}
					defer there.Close()
					if err := there.Acquire(ctx); err != nil {
						t.Fatal(err)
					}
					if _, err := there.write.Exec("UPDATE lease SET host = 'elsewhere.example'"); err != nil {
						t.Fatal(err)
					}
					if !c.lives {
						close(there.lease.stop)
						<-there.lease.done
						there.lease.epoch = 0
					}
					here, err := Open(ctx, path, Options{Now: func() time.Time { return time.Now().Add(-back) }})
					if err != nil {
						t.Fatal(err)
					}
					defer here.Close()
					began := time.Now()
					err = here.Acquire(ctx)
					switch {
					case c.lives && fault.KindOf(err) != fault.Conflict:
						t.Errorf("a living holder lost its lease: %v", err)
					case !c.lives && err != nil:
						t.Errorf("a holder that is gone keeps its lease: %v", err)
					case time.Since(began) > leaseTTL+2*time.Second:
						t.Errorf("it took %s to find out", time.Since(began))
					}
				})
			})
		}
	}
}

// TestAHolderWhoseClockIsPutBackKeepsItsLease: its own claims now end earlier
// than the last one did, and nobody takes them for old ones.
func TestAHolderWhoseClockIsPutBackKeepsItsLease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lockstep.db")
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Int64
		now := func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }
		first, err := Open(ctx, path, Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		second, err := Open(ctx, path, Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		if err := first.Acquire(ctx); err != nil {
			t.Fatal(err)
		}
		back.Store(int64(time.Hour))
		for range 10 {
			if err := second.Acquire(ctx); fault.KindOf(err) != fault.Conflict {
				t.Fatalf("a living holder lost its lease: %v", err)
			}
			if h, err := second.Holder(ctx); h == nil || err != nil {
				t.Fatalf("nobody is told of: %v", err)
			}
			if err := first.Write(ctx, func(tx *Tx) error { return tx.SetMeta("a", "b") }); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		first.Release()
		if err := second.Acquire(ctx); err != nil {
			t.Errorf("after the release: %v", err)
		}
	})
}
