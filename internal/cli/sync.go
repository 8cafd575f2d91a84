package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

type syncOptions struct {
	watch         bool
	every         time.Duration
	complete      bool
	releaseBrakes bool
}

func newSyncCommand(g *global) *cobra.Command {
	var o syncOptions
	cmd := &cobra.Command{
		Use:   "sync [PLAN]",
		Short: "Bring both sides in step",
		Long: `Plans and writes in one go, until nothing is left to do. A second run writes
nothing. With a PLAN sealed by lockstep plan -o it does exactly that: every record
is looked at and decided again, and what would not come out as it was sealed is
left alone and named.

Interrupt it whenever you like: what was done is kept, and the next run goes on
from there, with nothing lost and nothing twice.`,
		Example: `  lockstep sync
  lockstep sync plan.json
  lockstep sync --watch --every 30s`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) <= 1 {
				return nil
			}
			return usage("lockstep sync --help", "lockstep sync takes one sealed plan at most, but got %s", count(len(args), "argument", "arguments"))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && (o.watch || o.complete):
				return usage("leave the plan out, or the flag", "a sealed plan is applied as it is; it goes with neither --watch nor --complete")
			case len(args) == 1:
				return g.applySealed(cmd.Context(), args[0], o)
			case o.watch:
				return g.watch(cmd.Context(), o)
			default:
				return g.runSync(cmd.Context(), o)
			}
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.watch, "watch", false, "keep running, and bring over changes as they are made")
	flags.DurationVar(&o.every, "every", 0, "with --watch: how often to look (default: every: of lockstep.yaml)")
	flags.BoolVar(&o.complete, "complete", false, "read everything again, whatever was read before")
	flags.BoolVar(&o.releaseBrakes, "release-brakes", false, "go on where a brake of lockstep.yaml would wait")
	return cmd
}

// runJSON is how a run is printed with --json.
type runJSON struct {
	*engine.Run
	Writes writesJSON `json:"writes"`
}

// writesJSON adds the sum to the counts.
type writesJSON struct {
	engine.Writes
	Total int `json:"total"`
}

func newRunJSON(r *engine.Run) runJSON {
	return runJSON{Run: r, Writes: writesJSON{Writes: r.Writes, Total: r.Writes.Sum()}}
}

func (g *global) runSync(ctx context.Context, o syncOptions) error {
	return g.withPair(ctx, func(pair *app.Pair, progress *progress) error {
		run, err := pair.Engine.Sync(ctx, engine.SyncOptions{Complete: o.complete, ReleaseBrakes: o.releaseBrakes})
		progress.close()
		return g.tellRun(ctx, pair, run, err)
	})
}

func (g *global) applySealed(ctx context.Context, file string, o syncOptions) error {
	opened, err := os.Open(g.path(file))
	if err != nil {
		return usage("lockstep plan -o "+file, "the plan %s cannot be read", file)
	}
	defer func() { _ = opened.Close() }()
	sealed, err := engine.ReadSealed(opened)
	if err != nil {
		return err
	}
	return g.withPair(ctx, func(pair *app.Pair, progress *progress) error {
		apply := pair.Engine.Apply
		if o.releaseBrakes {
			apply = pair.Engine.ApplyReleased
		}
		run, err := apply(ctx, sealed)
		progress.close()
		return g.tellRun(ctx, pair, run, err)
	})
}

// tellRun prints what became of a run, and returns its exit code as an error.
func (g *global) tellRun(ctx context.Context, pair *app.Pair, run *engine.Run, err error) error {
	if run == nil {
		return err
	}
	if g.json {
		if printed := g.printJSON(newRunJSON(run)); printed != nil {
			return printed
		}
	} else {
		g.printRun(run)
		g.sayReasons(ctx, pair, run)
	}
	if err != nil {
		return err
	}
	return runVerdict(run)
}

// runVerdict is the exit code of a run that went through.
func runVerdict(run *engine.Run) error {
	code := run.Exit()
	switch {
	case code == fault.ExitOK:
		return nil
	case !run.Closed:
		return &exitError{code, fault.New(fault.Internal, "the sums do not close: %d records were read, and %d have an outcome", run.Read, run.Tally.Sum()).
			WithMend("run lockstep sync --complete; if it stays, this is a defect of Lockstep: please report it")}
	case code == fault.ExitBrake:
		return &exitError{code, fault.New(fault.Conflict, "a brake waits for you: %s", run.Brakes[0].Sentence()).
			WithMend("look at lockstep plan, then: lockstep sync --release-brakes, or change brakes: or policies: in lockstep.yaml")}
	case code == fault.ExitConflict:
		return &exitError{code, fault.New(fault.Conflict, "%s changed after the plan was sealed, and were left alone", count(run.Changed, "record", "records")).
			WithMend("lockstep plan -o FILE makes a new plan")}
	case run.Tally.Failed == 0:
		return &exitError{code, fault.New(fault.Unavailable, "%s failed as often as it is tried by itself, and is not tried any more", count(run.Exhausted, "record", "records")).
			WithMend("lockstep errors list says why; then: lockstep errors retry --all")}
	default:
		return &exitError{code, fault.New(fault.Invalid, "%s failed", count(run.Tally.Failed, "record", "records")).
			WithMend("lockstep errors list says why and what is tried again by itself; what was mended: lockstep errors retry --all")}
	}
}

// printRun prints outcomes by object: a table, the writes and the calls.
func (g *global) printRun(run *engine.Run) {
	t := newTable("", ">READ", ">SYNCED", ">UNCHANGED", ">LEFT OUT", ">HELD", ">PENDING", ">FAILED")
	line := func(name string, read int, tally crm.Tally) {
		t.add(name, read, tally.Synced, tally.Unchanged, tally.Excluded, tally.Held, tally.Pending, tally.Failed)
	}
	for _, o := range run.Objects {
		line(o.Name, o.Read, o.Tally)
	}
	line("together", run.Read, run.Tally)
	g.show(t)
	if g.terminal(g.Out) || !g.quiet {
		g.say("%s", writesInWords(run))
	}
}

// writesInWords is one sentence about what a run wrote and what it cost.
func writesInWords(run *engine.Run) string {
	calls := fmt.Sprintf("%s to HubSpot, %s to Salesforce", count(run.Calls[crm.HubSpot], "call", "calls"), separatedInt(run.Calls[crm.Salesforce]))
	if run.Writes.Sum() == 0 && run.Writes.Linked == 0 {
		return fmt.Sprintf("Nothing was written. %s, %s.", calls, took(run.Ended.Sub(run.Started)))
	}
	text := fmt.Sprintf("%s created, %s updated, %s linked", separatedInt(run.Writes.Created), separatedInt(run.Writes.Updated), separatedInt(run.Writes.Linked))
	if n := run.Writes.Related; n > 0 {
		text += ", " + count(n, "association", "associations")
	}
	if n := run.Writes.Archived; n > 0 {
		text += ", " + separatedInt(n) + " archived"
	}
	return fmt.Sprintf("%s. %s, %s.", text, calls, took(run.Ended.Sub(run.Started)))
}

// sayReasons points to what waits for a person.
func (g *global) sayReasons(_ context.Context, _ *app.Pair, run *engine.Run) {
	const shown = 20
	for i, left := range run.LeftAlone {
		if i == shown {
			g.say("  … and %s; --json names them", count(run.Changed-shown, "more", "more"))
			break
		}
		from := left.HubSpot
		if from == nil {
			from = left.Salesforce
		}
		g.say("  left alone: %s, %s: %s", cmp.Or(left.Title, "(no name)"), record(from), left.Why)
	}
	if run.Tally.Held+run.Tally.Failed > 0 {
		g.say("%s held and %s failed; see why with: lockstep status", separatedInt(run.Tally.Held), separatedInt(run.Tally.Failed))
	}
}

// watch keeps both sides in step until it is interrupted.
func (g *global) watch(ctx context.Context, o syncOptions) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	pair, err := a.Pair(ctx, g.notes())
	if err != nil {
		return err
	}
	defer func() { _ = pair.Close() }()
	every := o.every
	if every <= 0 {
		every = pair.Mapping.Every
	}
	wakers, err := a.Wakers(ctx, pair)
	if err != nil {
		return err
	}
	if err := pair.Engine.Hold(ctx); err != nil {
		return err
	}
	g.say("Watching %s and %s, every %s. Ctrl-C ends it.", pair.Mapping.HubSpot, pair.Mapping.Salesforce, every)
	for _, name := range wakers.Names() {
		g.say("Listening to %s.", name)
	}
	listening, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		wakers.Run(listening, g.tellTrouble)
	}()
	defer func() { stop(); <-ended }()
	err = pair.Engine.Watch(ctx, every, func(run *engine.Run, err error) error { return g.tellCycle(run, err) })
	if ctx.Err() != nil {
		g.say("Stopped; everything done is saved.")
		return nil
	}
	return err
}

// tellTrouble says that a source of hints fell silent, and what would mend it.
func (g *global) tellTrouble(name string, err error) {
	g.say("%s: %s", name, err)
	if mend := fault.MendOf(err); mend != "" {
		g.say("          next: %s", mend)
	}
	g.say("          Changes are found by reading until then.")
}

// tellCycle prints one line for a cycle that did something.
func (g *global) tellCycle(run *engine.Run, err error) error {
	now := time.Now().Format("15:04:05")
	if err != nil {
		g.say("%s  %s", now, err)
		if mend := fault.MendOf(err); mend != "" {
			g.say("          next: %s", mend)
		}
	}
	if run == nil || run.Quiet() {
		return nil
	}
	if g.json {
		return g.printJSON(newRunJSON(run))
	}
	g.print("%s  %s", now, writesInWords(run))
	if n := run.Tally.Held + run.Tally.Failed; n > 0 {
		g.print("          %s held or failed; see why with: lockstep status", count(n, "record", "records"))
	}
	return nil
}
