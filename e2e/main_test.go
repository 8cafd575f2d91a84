// Package e2e tells stories: the whole program, as people call it, against the
// sandbox. A story is a file in testdata; its commands are in commands_test.go.
package e2e

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/cli"
)

// TestMain makes this test binary the program itself when it is called by its
// name, so that stories which need a process of their own (kill -9, a shell)
// run just what was compiled.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "lockstep" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		os.Exit(cli.Run(ctx, os.Args[1:], cli.ProcessStreams()))
	}
	// Most of a story is waiting, for the limits of both servers, so more of them
	// than there are processors may be told at once.
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", strconv.Itoa(max(storiesAtOnce, runtime.GOMAXPROCS(0)))); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// storiesAtOnce is how many tests that say t.Parallel run at a time.
const storiesAtOnce = 8

// programPath makes a folder that holds "lockstep" and returns the folder.
func programPath(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "lockstep")); err != nil {
		t.Fatal(err)
	}
	return dir
}
