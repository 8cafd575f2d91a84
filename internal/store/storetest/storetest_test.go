package storetest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/store"
)

func TestADatabaseThatWasLaidIsReadyAndEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lockstep.db")
	for _, want := range []int{0, 1} {
		Lay(t, path)
		s, err := store.Open(context.Background(), path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		runs, err := s.Runs(context.Background(), 10)
		if err != nil || len(runs) != want {
			t.Fatalf("%d runs, %v; want %d", len(runs), err, want)
		}
		if err := s.Acquire(context.Background()); err != nil {
			t.Fatal(err)
		}
		// What is there stays when it is laid again.
		if err := s.Write(context.Background(), func(tx *store.Tx) error {
			_, err := tx.BeginRun("sync", time.Now())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
