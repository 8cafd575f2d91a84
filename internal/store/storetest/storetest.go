// Package storetest gives tests databases that are ready: their tables are made
// once for a test program, and every further database is a copy of that file.
// Making the tables takes longer than a small sync does, several times under the
// race detector. How they are made is what the tests of package store are for.
package storetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/store"
)

// empty is the content of a database with all tables and no rows.
var empty = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "storetest-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	s, err := store.Open(context.Background(), path, store.Options{})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Lay puts an empty database at path, for store.Open, unless there is one.
func Lay(tb testing.TB, path string) {
	tb.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	content, err := empty()
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
}
