package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// storiesTold is how many bad histories are shrunk and told.
	storiesTold = 3
	// longest is how long one history may take before it counts as stuck.
	longest = 2 * time.Minute
	// shrinking is how long a history is shrunk at most.
	shrinking = 30 * time.Second
	// generation is how many histories one process plays before another takes
	// over, so that memory stays what a few hundred histories need.
	generation = 500
)

func (v violation) tell(seed uint64) string {
	return fmt.Sprintf("seed %d, step %d: %s: %s", seed, v.Step, v.Kind, v.Text)
}

// task is one line to a worker.
type task struct {
	Seed   uint64
	Shrink string // the kind of violation that is to stay
}

// serve plays what comes, one after the other.
func serve(t *testing.T, in io.Reader, out io.Writer) int {
	dir, err := root()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nothing depends on it
	lines := bufio.NewScanner(in)
	answers := json.NewEncoder(out)
	for lines.Scan() {
		var x task
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			return 2
		}
		var done outcome
		if x.Shrink != "" {
			done = outcome{Seed: x.Seed, Story: shrink(t, newStory(x.Seed), x.Shrink, dir, shrinking).tell()}
		} else {
			done = play(t, newStory(x.Seed), dir, false)
		}
		if err := answers.Encode(done); err != nil {
			return 2
		}
	}
	return 0
}

// many plays histories in several processes. A process of its own has its own
// scheduler and garbage, and one that dies or hangs is a finding, too.
func many(o options, out, talk io.Writer) int {
	began := time.Now()
	tasks := make(chan task)
	results := make(chan outcome)
	var workers sync.WaitGroup
	for range max(1, o.workers) {
		workers.Go(func() {
			w := &worker{}
			defer w.stop()
			for x := range tasks {
				results <- w.play(x)
			}
		})
	}
	enough := make(chan struct{})
	go func() {
		defer func() {
			close(tasks)
			workers.Wait()
			close(results)
		}()
		for n := range o.seeds {
			select {
			case <-enough:
				return
			case tasks <- task{Seed: o.start + uint64(n)}:
			}
		}
	}()
	played, count, calls := 0, 0, 0
	var bad []outcome
	tick := time.Now()
	for r := range results {
		played++
		calls += r.Calls
		count += len(r.Violations)
		if len(r.Violations) > 0 {
			bad = append(bad, r)
			if o.quick && len(bad) == 1 {
				close(enough)
			}
			for _, v := range r.Violations {
				fmt.Fprintln(out, v.tell(r.Seed))
			}
		}
		if o.verbose && time.Since(tick) > 5*time.Second {
			tick = time.Now()
			fmt.Fprintf(talk, "%d of %d, %.1f a second, %d violations\n", played, o.seeds, float64(played)/time.Since(began).Seconds(), count)
		}
	}
	if o.quick {
		bad = nil
	}
	w := &worker{}
	defer w.stop()
	for _, r := range bad[:min(len(bad), storiesTold)] {
		fmt.Fprintf(out, "\nseed %d, shrunk (go run ./sim -seed %d -story):\n%s\n", r.Seed, r.Seed, w.play(task{Seed: r.Seed, Shrink: r.Violations[0].Kind}).Story)
	}
	if o.verbose {
		fmt.Fprintf(talk, "%s, %d calls\n", time.Since(began).Round(time.Second), calls)
	}
	fmt.Fprintf(out, "%d histories, %d violations\n", played, count)
	if count > 0 {
		return 1
	}
	return 0
}

// worker is one process that plays.
type worker struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	talk    *bytes.Buffer
	played  int
}

func (w *worker) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	w.command = exec.Command(self, "-worker")
	// One scheduler thread: what a history does, it does in turn.
	w.command.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=400")
	w.talk = &bytes.Buffer{}
	w.command.Stderr = w.talk
	if w.in, err = w.command.StdinPipe(); err != nil {
		return err
	}
	out, err := w.command.StdoutPipe()
	if err != nil {
		return err
	}
	w.out = bufio.NewReaderSize(out, 1<<20)
	w.played = 0
	return w.command.Start()
}

func (w *worker) stop() {
	if w.command == nil {
		return
	}
	_ = w.in.Close()
	_ = w.command.Wait()
	w.command = nil
}

// play lets the process play one history.
func (w *worker) play(x task) outcome {
	if w.played >= generation {
		w.stop()
	}
	if w.command == nil {
		if err := w.start(); err != nil {
			return outcome{Seed: x.Seed, Violations: []violation{{"set-up", 0, err.Error()}}}
		}
	}
	w.played++
	line, err := json.Marshal(x)
	if err == nil {
		_, err = w.in.Write(append(line, '\n'))
	}
	stuck := time.AfterFunc(longest, func() { _ = w.command.Process.Kill() })
	answer := []byte(nil)
	if err == nil {
		answer, err = w.out.ReadBytes('\n')
	}
	inTime := stuck.Stop()
	var r outcome
	if err == nil {
		err = json.Unmarshal(answer, &r)
	}
	if err == nil {
		return r
	}
	_ = w.command.Process.Kill()
	_ = w.command.Wait()
	w.command = nil
	what := "the process that played it died: " + tail(w.talk.String())
	if !inTime {
		what = "it did not end within " + longest.String()
	}
	return outcome{Seed: x.Seed, Violations: []violation{{"died", 0, what}}}
}

// tail is the beginning of what a dying process said, where the cause stands.
func tail(talk string) string {
	lines := strings.Split(strings.TrimSpace(talk), "\n")
	return strings.Join(lines[:min(len(lines), 40)], "\n")
}
