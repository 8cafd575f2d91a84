package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

func newErrorsCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "errors",
		Short: "List what failed and when it is tried again, or have it tried now",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return g.listErrors(cmd.Context()) },
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List what failed: class, tries, next try, the vendor's status code and field",
		Long: `Lists what failed, from what is kept here. transient: the vendor could not do it
then, and it is tried again by itself at the time shown, with waits that grow.
permanent: the vendor refuses it; it is tried again when the record or the mapping
changes, or when you say so. exhausted: it was tried as often as the budget allows.`,
		Example: "  lockstep errors list",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return g.listErrors(cmd.Context()) },
	}
	var all bool
	retry := &cobra.Command{
		Use:   "retry [RECORD]",
		Short: "Have what failed tried by the next sync, with a fresh budget",
		Example: `  lockstep errors retry 10400012
  lockstep errors retry --all && lockstep sync`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 != all && len(args) <= 1 {
				return nil
			}
			return usage(cmd.CommandPath()+" --all", "say which record is to be tried again, or --all")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			record := ""
			if len(args) == 1 {
				record = args[0]
			}
			return g.retryErrors(cmd.Context(), record)
		},
	}
	retry.Flags().BoolVar(&all, "all", false, "everything that failed")
	cmd.AddCommand(list, retry)
	return cmd
}

func (g *global) listErrors(ctx context.Context) error {
	return g.withStore(ctx, func(s *store.Store) error {
		failed, err := engine.FailedOf(ctx, s)
		if err != nil {
			return err
		}
		if g.json {
			for _, f := range failed {
				if err := g.printJSON(f); err != nil {
					return err
				}
			}
			return nil
		}
		t := newTable("OBJECT", "RECORD", "CLASS", "TRIES", "NEXT TRY", "STATUS", "FIELD", "WHY")
		exhausted := 0
		for _, f := range failed {
			next := moment(f.Next)
			switch f.Class {
			case store.Permanent:
				next = "when it changes"
			case store.Exhausted:
				next = "when you say so"
				exhausted++
			}
			t.add(f.Mapping, record(&f.Record), string(f.Class), fmt.Sprintf("%d of %d", f.Tries, f.Budget), next, f.Status, f.Field, f.Reason.Text)
		}
		if len(failed) == 0 {
			g.say("Nothing failed.")
			return nil
		}
		g.show(t)
		if exhausted > 0 {
			g.say("%s as often as it is by itself, and is not tried any more: lockstep errors retry --all", count(exhausted, "record was tried", "records were tried"))
		}
		return nil
	})
}

// retriedJSON is what errors retry --json prints.
type retriedJSON struct {
	Retried int `json:"retried"`
}

func (g *global) retryErrors(ctx context.Context, record string) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	m, err := a.Mapping()
	if err != nil {
		return err
	}
	return g.withStore(ctx, func(s *store.Store) error {
		n, err := engine.RetryFailed(ctx, s, m, record)
		if err != nil {
			return err
		}
		if g.json {
			return g.printJSON(retriedJSON{n})
		}
		g.print("%s tried again by the next sync.", count(n, "record is", "records are"))
		if n > 0 {
			g.sayNext("lockstep sync")
		}
		return nil
	})
}
