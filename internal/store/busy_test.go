package store

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// TestAFileThatAnotherProgramHolds: writing says so after a bounded wait, with
// the next step; once the file is free, the same store goes on.
func TestAFileThatAnotherProgramHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lockstep.db")
	s, err := Open(ctx, path, Options{Wait: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	busy := func(err error) {
		t.Helper()
		f, ok := fault.As(err)
		if !ok || f.Code != CodeBusy || !IsStorage(err) || !strings.Contains(f.What, path) || !strings.Contains(f.Mend, "close what holds it") {
			t.Errorf("got %v (next: %s), want a fault that says who waits for what", err, fault.MendOf(err))
		}
	}
	release := holdFile(t, path, false)
	busy(s.Write(ctx, func(tx *Tx) error { return tx.SetMeta("a", "1") }))
	busy(s.WriteDurable(ctx, func(tx *Tx) error { return tx.SetMeta("a", "1") }))
	if v, err := s.Meta(ctx, "a"); v != "" || err != nil {
		t.Errorf("reading goes on beside a writer: %q, %v", v, err)
	}
	release()
	for _, write := range []func() error{
		func() error { return s.Write(ctx, func(tx *Tx) error { return tx.SetMeta("a", "2") }) },
		func() error { return s.WriteDurable(ctx, func(tx *Tx) error { return tx.SetMeta("a", "3") }) },
	} {
		if err := write(); err != nil {
			t.Errorf("once it is free: %v", err)
		}
	}

	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	release = holdFile(t, path, true)
	other, err := Open(ctx, path, Options{Wait: 50 * time.Millisecond})
	if err == nil {
		other.Close()
	}
	busy(err)
	release()
	other, err = Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if v, err := other.Meta(ctx, "a"); v != "3" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
}
