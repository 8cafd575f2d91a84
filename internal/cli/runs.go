package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

const shownRuns = 20

func newRunsCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List past runs, or show one with all that it wrote",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return g.listRuns(cmd.Context(), shownRuns) },
	}
	var limit int
	list := &cobra.Command{
		Use:     "list",
		Short:   "List past runs, the newest first",
		Example: "  lockstep runs list --limit 100",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return g.listRuns(cmd.Context(), limit) },
	}
	list.Flags().IntVar(&limit, "limit", shownRuns, "how many runs at most")
	show := &cobra.Command{
		Use:     "show RUN",
		Short:   "Show one run: outcomes, calls, and every write with before and after",
		Example: "  lockstep runs show 3",
		Args:    oneArgument("the number of a run"),
		RunE:    func(cmd *cobra.Command, args []string) error { return g.showRun(cmd.Context(), args[0]) },
	}
	cmd.AddCommand(list, show)
	return cmd
}

// withStore opens the database alone: no vendor is asked.
func (g *global) withStore(ctx context.Context, work func(*store.Store) error) (err error) {
	a, err := g.open()
	if err != nil {
		return err
	}
	s, err := a.ExistingStore(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if closed := s.Close(); err == nil {
			err = closed
		}
	}()
	return work(s)
}

func (g *global) listRuns(ctx context.Context, limit int) error {
	return g.withStore(ctx, func(s *store.Store) error {
		runs, err := engine.Runs(ctx, s, limit)
		if err != nil {
			return err
		}
		if g.json {
			for i := range runs {
				if err := g.printJSON(newRunJSON(&runs[i])); err != nil {
					return err
				}
			}
			return nil
		}
		t := newTable(">RUN", "KIND", "STARTED", "TOOK", "STATUS", ">READ", ">SYNCED", ">HELD", ">FAILED", ">WRITES", ">HUBSPOT CALLS", ">SALESFORCE CALLS")
		for _, r := range runs {
			duration := ""
			if !r.Ended.IsZero() {
				duration = took(r.Ended.Sub(r.Started))
			}
			t.add(strconv.FormatInt(r.ID, 10), r.Kind, moment(r.Started), duration, string(r.Status), r.Read,
				r.Tally.Synced, r.Tally.Held, r.Tally.Failed, r.Writes.Sum(), r.Calls["hubspot"], r.Calls["salesforce"])
		}
		g.show(t)
		return nil
	})
}

func (g *global) showRun(ctx context.Context, name string) error {
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return usage("lockstep runs list", "%s is not the number of a run", shown(name))
	}
	return g.withStore(ctx, func(s *store.Store) error {
		run, err := engine.RunOf(ctx, s, id)
		if err != nil {
			return err
		}
		if g.json {
			if err := g.printJSON(newRunJSON(run)); err != nil {
				return err
			}
			return engine.JournalOf(ctx, s, id, func(e engine.JournalEntry) error { return g.printJSON(e) })
		}
		g.print("Run %d, %s: %s, began %s", run.ID, run.Kind, run.Status, moment(run.Started))
		g.printRun(run)
		g.print("")
		return engine.JournalOf(ctx, s, id, func(e engine.JournalEntry) error {
			g.print("%s  %-8s %s  %s", e.Time.Local().Format("15:04:05"), e.Op, record(&e.Record), e.Result)
			for _, c := range e.Changes {
				g.print("            %-22s %s", c.Field, changeInWords(e.Op, c))
			}
			return nil
		})
	})
}
