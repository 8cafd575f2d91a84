package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// start runs a command line as a process of its own.
func (w *killWorld) start(args ...string) (process *exec.Cmd, talk *bytes.Buffer) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	w.Cleanup(cancel)
	process, talk = exec.CommandContext(ctx, w.bin, args...), &bytes.Buffer{}
	process.Dir, process.Env, process.Stdout, process.Stderr = w.dir, w.env, talk, talk
	if err := process.Start(); err != nil {
		w.Fatal(err)
	}
	return process, talk
}

// code is how a process ended.
func code(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// TestADatabaseThatIsTakenInTheMiddleOfARun: another program takes the file while
// a sync writes to Salesforce. What was written by then and could not be recorded
// is found by the next run, and nothing is there twice.
func TestADatabaseThatIsTakenInTheMiddleOfARun(t *testing.T) {
	t.Parallel()
	w := newKillWorld(t)
	before := w.records()
	process, talk := w.start("sync")
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	for w.writes() == 0 {
		select {
		case err := <-ended:
			t.Fatalf("it ended before it wrote: %v\n%s", err, talk)
		case <-time.After(time.Millisecond):
		}
	}
	other, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, ".lockstep", "lockstep.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if got := code(<-ended); got != fault.ExitStorage || !strings.Contains(talk.String(), "another program holds the database") || !strings.Contains(talk.String(), "next: close what holds it") {
		t.Fatalf("sync ended with %d\n%s", got, talk)
	}
	if w.records() == before {
		t.Error("nothing was written before the file was taken")
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	w.inStep(t)
	w.checkNoTwins()
}

// TestTwoProcessesOnOnePair: the second one is told at once who works on the pair;
// when that one is killed, the pair is free at once.
func TestTwoProcessesOnOnePair(t *testing.T) {
	t.Parallel()
	w := newKillWorldOf(t, "small", filepath.Join(programPath(t), "lockstep"))
	watching, talk := w.start("sync", "--watch", "--every", "200ms")
	ended := make(chan error, 1)
	go func() { ended <- watching.Wait() }()
	for w.writes() == 0 { // then it holds the pair
		select {
		case err := <-ended:
			t.Fatalf("the watch ended: %v\n%s", err, talk)
		case <-time.After(time.Millisecond):
		}
	}
	for _, line := range []string{"sync", "plan"} {
		got, said := w.try(line)
		if got != fault.ExitConflict || !strings.Contains(said, "another lockstep works on this pair: process ") || !strings.Contains(said, "next: wait until it ends, or stop it") {
			t.Errorf("lockstep %s ended with %d\n%s", line, got, said)
		}
	}
	if got, said := w.try("status"); got != 0 {
		t.Errorf("status ended with %d\n%s", got, said)
	}
	_ = watching.Process.Kill()
	<-ended
	w.inStep(t)
	w.checkNoTwins()
}
