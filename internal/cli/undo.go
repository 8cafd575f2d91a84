package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/page"
)

type undoOptions struct {
	only          string
	yes           bool
	all           bool
	releaseBrakes bool
}

func newUndoCommand(g *global) *cobra.Command {
	var o undoOptions
	cmd := &cobra.Command{
		Use:   "undo RUN",
		Short: "Take back what a run wrote, except what somebody changed since",
		Long: `Shows, and after a yes writes, the inverse of a run: fields get the value back
that they held before it, records that it made are archived, what it archived is
restored where the vendor can, associations are added and removed again. What
somebody changed since is listed and left alone. Afterwards a sync neither
repeats nor reverses the undo: each thing rests until one of its sides changes.

An undo is a run like any other: it obeys the brakes, stands in the journal, and
can be undone. Interrupt it whenever you like, and run it again to finish.`,
		Example: `  lockstep runs list
  lockstep undo 12
  lockstep undo 12 --only people
  lockstep undo 12 --only 003Qy00000AbCdEIAV --yes`,
		Args: oneArgument("the number of a run"),
		RunE: func(cmd *cobra.Command, args []string) error { return g.runUndo(cmd.Context(), args[0], o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.only, "only", "", "undo only this object (people, Contact) or this record (an id or its address)")
	flags.BoolVarP(&o.yes, "yes", "y", false, "write without asking; needed in a pipe")
	flags.BoolVar(&o.all, "all", false, fmt.Sprintf("show every record, not just the first %d of each object", shownRecords))
	flags.BoolVar(&o.releaseBrakes, "release-brakes", false, "go on where a brake of lockstep.yaml would wait")
	return cmd
}

// undoPlanJSON is what undo --json prints without --yes; with --all, one line
// more for each item. With --yes it prints the run.
type undoPlanJSON struct {
	*engine.UndoPlan
	Undoes runJSON `json:"undoes"`
	Writes int     `json:"writes"`
}

func (g *global) runUndo(ctx context.Context, name string, o undoOptions) error {
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return usage("lockstep runs list", "%s is not the number of a run", shown(name))
	}
	return g.withPair(ctx, func(pair *app.Pair, progress *progress) error {
		plan, err := pair.Engine.PlanUndo(ctx, id, engine.UndoOptions{Only: o.only})
		progress.close()
		if err != nil {
			return err
		}
		switch {
		case g.json && !o.yes:
			return g.printUndoJSON(ctx, plan, o)
		case !g.json:
			if err := g.printUndo(ctx, pair, plan, o); err != nil || plan.Writes() == 0 {
				return err
			}
		}
		if yes, err := g.confirmUndo(plan, o); err != nil || !yes {
			return err
		}
		run, err := pair.Engine.Undo(ctx, plan, o.releaseBrakes)
		return g.tellRun(ctx, pair, run, err)
	})
}

// confirmUndo asks whether to write; in a pipe only --yes says so.
func (g *global) confirmUndo(plan *engine.UndoPlan, o undoOptions) (bool, error) {
	if o.yes {
		return true, nil
	}
	again := fmt.Sprintf("lockstep undo %d --yes", plan.Undoes.ID)
	if o.only != "" {
		again = fmt.Sprintf("lockstep undo %d --only %s --yes", plan.Undoes.ID, o.only)
	}
	if !g.interactive() {
		return false, usage(again, "nothing was written: nobody can be asked here")
	}
	yes, err := g.askYes(fmt.Sprintf("Write this, to %s?", count(plan.Writes(), "record", "records")),
		"it can be undone in turn, except what HubSpot archives: only a person can restore that")
	if err == nil && !yes {
		g.say("Nothing was written.")
	}
	return yes, err
}

func (g *global) printUndoJSON(ctx context.Context, plan *engine.UndoPlan, o undoOptions) error {
	if err := g.printJSON(undoPlanJSON{plan, newRunJSON(plan.Undoes), plan.Writes()}); err != nil || !o.all {
		return err
	}
	return plan.Items(ctx, engine.ItemFilter{}, func(item engine.Item) error { return g.printJSON(item) })
}

func (g *global) printUndo(ctx context.Context, pair *app.Pair, plan *engine.UndoPlan, o undoOptions) error {
	r := plan.Undoes
	g.print("Undo of run %d, %s, which began %s: %s. Nothing has been written yet.", r.ID, r.Kind, moment(r.Started), count(plan.Read, "thing", "things"))
	if plan.Read == 0 {
		g.print("The run wrote nothing that the mapping names: there is nothing to undo.")
		return nil
	}
	g.print("")
	t := newTable("", ">ARCHIVE", ">RESTORE", ">UPDATE", ">RELATE", ">BACK ALREADY", ">LEFT")
	t.indent = "  "
	both := func(m map[crm.Side]int) int { return m[crm.HubSpot] + m[crm.Salesforce] }
	for _, object := range plan.Objects {
		t.add(object.Name, both(object.Archives), both(object.Restores), both(object.Updates), both(object.Relates), object.Tally.Unchanged, object.Tally.Held)
	}
	t.aligned(g.Out)
	if err := g.printPlanWrites(ctx, plan.Plan, planOptions{all: o.all}); err != nil {
		return err
	}
	if err := g.printLeft(ctx, plan, o); err != nil {
		return err
	}
	if plan.Unmapped > 0 {
		g.print("")
		g.print("%s of the run went to objects that lockstep.yaml does not name any more, and stay.", count(plan.Unmapped, "write", "writes"))
	}
	g.print("")
	g.print("%s", page.CostInWords(g.costsOf(pair, plan.Plan)))
	for _, b := range plan.Brakes {
		g.print("Brake: %s.", b.Sentence())
	}
	if plan.Writes() == 0 {
		g.print("Nothing is to be written.")
	}
	return nil
}

// printLeft prints what stays as it is because it cannot or must not be undone.
func (g *global) printLeft(ctx context.Context, plan *engine.UndoPlan, o undoOptions) error {
	limit := shownRecords
	if o.all {
		limit = 0
	}
	for i, object := range plan.Objects {
		if object.Tally.Held == 0 {
			continue
		}
		if i == 0 || plan.Objects[i-1].Tally.Held == 0 {
			g.print("")
		}
		g.print("%s that stay as they are", object.Name)
		shown := 0
		err := plan.Items(ctx, engine.ItemFilter{Mapping: object.Name, Outcome: crm.Held, Limit: limit}, func(item engine.Item) error {
			shown++
			g.print("  %s, %s: %s", cmp.Or(item.Title, "(no name)"), bothRecords(item.HubSpot, item.Salesforce), item.Reason.Text)
			if item.Reason.Mend != "" {
				g.print("    next: %s", item.Reason.Mend)
			}
			for _, note := range item.Notes {
				g.print("    also: %s", note.Text)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if rest := object.Tally.Held - shown; rest > 0 {
			g.print("  … and %s; --all shows them", count(rest, "more record", "more records"))
		}
	}
	return nil
}
