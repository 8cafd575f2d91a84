// Command sim plays Lockstep whole (both clients, engine, store on disk)
// against both sandboxes in one process and in fake time: people edit, create,
// delete, restore and merge on both sides, dials are turned, the process dies
// between any two steps and starts again from its disk, and in the end a run is
// undone. Everything follows from a seed. An oracle that shares no code with the
// program judges each write, the end, and the undo.
//
//	go run ./sim -seeds 2000 -start 1    play so many histories
//	go run ./sim -seed 17 -story         play one, shrink it, and tell it
//
// A history is a story (story.go): a mapping of a family (family.go) and steps.
// It is played (play.go) by one process after another (process.go), whose calls
// all go through a gate that lets one through at a time (gate.go). The ledger
// (ledger.go) writes down what became of every record and what the program was
// shown of it; the oracle (oracle.go, rest.go, rules.go, value.go) judges by
// that, of companies by belong.go and of the undo by undo.go.
// docs/decisions/0012-simulation.md says why it is built so.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
	"time"
)

func main() { os.Exit(start(os.Args[1:], os.Stdout, os.Stderr)) }

// options are what the command line says.
type options struct {
	seeds   int
	start   uint64
	seed    uint64
	story   bool
	trace   bool
	verbose bool
	workers int
	worker  bool
	quick   bool
}

func start(args []string, out, talk io.Writer) int {
	var o options
	flags := flag.NewFlagSet("sim", flag.ContinueOnError)
	flags.SetOutput(talk)
	flags.IntVar(&o.seeds, "seeds", 100, "how many histories to play")
	flags.Uint64Var(&o.start, "start", 1, "seed of the first")
	flags.Uint64Var(&o.seed, "seed", 0, "play this one only")
	flags.BoolVar(&o.story, "story", false, "with -seed: shrink the history and tell it")
	flags.BoolVar(&o.trace, "trace", false, "with -seed: tell everything that happens")
	flags.BoolVar(&o.verbose, "v", false, "tell how far it is")
	flags.IntVar(&o.workers, "workers", runtime.NumCPU(), "how many processes play at once")
	flags.BoolVar(&o.quick, "quick", false, "end with the first history that has violations, and do not shrink it")
	flags.BoolVar(&o.worker, "worker", false, "play the seeds that come on standard input (what the processes do)")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	switch {
	case o.worker:
		return inTest(func(t *testing.T) int { return serve(t, os.Stdin, out) })
	case o.seed > 0:
		return inTest(func(t *testing.T) int { return one(t, o, out) })
	}
	return many(o, out, talk)
}

// inTest runs f as a test: fake time (testing/synctest) is given to tests only.
// The testing package runs f as `go test` would, and f's result ends the process.
func inTest(f func(t *testing.T) int) int {
	runtime.GOMAXPROCS(1) // what waits for a lock gets it in the order of coming
	os.Args = os.Args[:1] // the rest was ours; testing reads its own flags
	testing.Main(func(_, _ string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: "sim", F: func(t *testing.T) { os.Exit(f(t)) }}}, nil, nil)
	return 2 // not reached
}

// one plays one history and tells it.
func one(t *testing.T, o options, out io.Writer) int {
	dir, err := root()
	if err != nil {
		fmt.Fprintln(out, err)
		return 2
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nothing depends on it
	s := newStory(o.seed)
	played := play(t, s, dir, o.trace)
	for _, line := range played.Lines {
		fmt.Fprintln(out, line)
	}
	for _, v := range played.Violations {
		fmt.Fprintln(out, v.tell(o.seed))
	}
	if o.story {
		if len(played.Violations) > 0 {
			s = shrink(t, s, played.Violations[0].Kind, dir, time.Minute)
		}
		fmt.Fprint(out, s.tell())
	}
	fmt.Fprintf(out, "1 histories, %d violations\n", len(played.Violations))
	if len(played.Violations) > 0 {
		return 1
	}
	return 0
}
