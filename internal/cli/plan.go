package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// shownRecords is how many records of each object a plan shows without --all.
const shownRecords = 20

type planOptions struct {
	file     string
	all      bool
	complete bool
}

func newPlanCommand(g *global) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what a sync would change; write nothing",
		Long: `Reads both sides, decides, and shows what a sync would do: creates and updates
field by field, what is left out or held and why, and what it would cost in API
calls. Nothing is written to either account.

With -o the plan is sealed in a file; lockstep sync FILE then does exactly that,
and refuses records that changed since.`,
		Example: `  lockstep plan
  lockstep plan --all | less
  lockstep plan -o plan.json && lockstep sync plan.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.runPlan(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.file, "output", "o", "", "seal the plan in this file")
	flags.BoolVar(&o.all, "all", false, fmt.Sprintf("show every record, not just the first %d of each object", shownRecords))
	flags.BoolVar(&o.complete, "complete", false, "read everything again, whatever was read before")
	return cmd
}

// planJSON is what plan --json prints: one object with the counts first, then
// (with --all) one object per item, each on its own line.
type planJSON struct {
	*engine.Plan
	Writes int    `json:"writes"`
	Sealed string `json:"sealed,omitempty"`
}

func (g *global) runPlan(ctx context.Context, o planOptions) error {
	return g.withPair(ctx, func(pair *app.Pair, progress *progress) error {
		plan, err := pair.Engine.Plan(ctx, engine.PlanOptions{Complete: o.complete})
		progress.close()
		if err != nil {
			return err
		}
		if o.file != "" {
			var sealed bytes.Buffer
			if err := plan.Seal(ctx, &sealed); err != nil {
				return err
			}
			if err := app.ReplaceFile(g.path(o.file), sealed.Bytes()); err != nil {
				return err
			}
		}
		if g.json {
			return g.printPlanJSON(ctx, plan, o)
		}
		return g.printPlan(ctx, pair, plan, o)
	})
}

func (g *global) printPlanJSON(ctx context.Context, plan *engine.Plan, o planOptions) error {
	if err := g.printJSON(planJSON{Plan: plan, Writes: plan.Writes(), Sealed: o.file}); err != nil || !o.all {
		return err
	}
	return plan.Items(ctx, engine.ItemFilter{}, func(item engine.Item) error { return g.printJSON(item) })
}

func (g *global) printPlan(ctx context.Context, pair *app.Pair, plan *engine.Plan, o planOptions) error {
	g.print("%s and %s: %s read. Nothing has been written.", pair.Mapping.HubSpot, pair.Mapping.Salesforce, count(plan.Read, "record", "records"))
	g.print("")
	printPlanCounts(g.Out, plan)
	if err := g.printPlanWrites(ctx, plan, o); err != nil {
		return err
	}
	if err := g.printPlanReasons(ctx, plan); err != nil {
		return err
	}
	g.printForecast(plan)
	for _, b := range plan.Brakes {
		g.print("Brake: %s are planned, and lockstep.yaml allows %s.", count(b.Planned, b.What[:len(b.What)-1], b.What), separatedInt(b.Limit))
	}
	switch {
	case o.file != "":
		g.print("Sealed in %s.", o.file)
		g.sayNext("lockstep sync " + o.file)
	case plan.Writes() == 0:
		g.print("Nothing is to be written: both sides are in step.")
	default:
		g.sayNext("lockstep sync   (or first: lockstep plan -o plan.json)")
	}
	return nil
}

// printPlanCounts prints what would happen, a line per object.
func printPlanCounts(w io.Writer, plan *engine.Plan) {
	t := newTable("", ">CREATE", ">UPDATE", ">ARCHIVE", ">RELATE", ">CREATE", ">UPDATE", ">LINK", ">UNCHANGED", ">LEFT OUT", ">HELD")
	t.indent = "  "
	for _, o := range plan.Objects {
		t.add(o.Name, o.Creates[crm.Salesforce], o.Updates[crm.Salesforce], o.Archives[crm.Salesforce], o.Relates[crm.Salesforce],
			o.Creates[crm.HubSpot], o.Updates[crm.HubSpot], o.Links, o.Tally.Unchanged, o.Tally.Excluded, o.Tally.Held)
	}
	var table bytes.Buffer
	t.aligned(&table)
	header, _, _ := bytes.Cut(table.Bytes(), []byte("\n"))
	fmt.Fprintln(w, groupHeader(string(header)))
	_, _ = table.WriteTo(w)
}

// groupHeader names the two groups of columns above a header line.
func groupHeader(header string) string {
	first := strings.Index(header, "CREATE")
	second := strings.LastIndex(header, "CREATE")
	return fmt.Sprintf("%*s%-*s%s", first, "", second-first, "in Salesforce", "in HubSpot")
}

// printPlanWrites prints creates and updates field by field.
func (g *global) printPlanWrites(ctx context.Context, plan *engine.Plan, o planOptions) error {
	for _, object := range plan.Objects {
		total := object.Tally.Synced + object.Tally.Pending
		if total == 0 {
			continue
		}
		limit := shownRecords
		if o.all {
			limit = 0
		}
		g.print("")
		g.print("%s", object.Name)
		shown := 0
		err := plan.Items(ctx, engine.ItemFilter{Mapping: object.Name, Outcome: crm.Synced, Limit: limit}, func(item engine.Item) error {
			shown++
			g.printItem(item)
			return nil
		})
		if err != nil {
			return err
		}
		if rest := object.Tally.Synced - shown; rest > 0 {
			g.print("  … and %s; --all shows them", count(rest, "more record", "more records"))
		}
	}
	return nil
}

// printItem prints one thing with its writes.
func (g *global) printItem(item engine.Item) {
	from := item.HubSpot
	if from == nil {
		from = item.Salesforce
	}
	title := item.Title
	if title == "" {
		title = "(no name)"
	}
	if len(item.Writes) == 0 {
		g.print("  link    %s: %s and %s", title, record(item.HubSpot), record(item.Salesforce))
		return
	}
	for _, w := range item.Writes {
		g.print("  %-7s %s: %s", w.Op, title, g.writeInWords(item, w, from))
		for _, c := range w.Changes {
			g.print("            %-22s %s", c.Field, changeInWords(w.Op, c))
		}
	}
	for _, note := range item.Notes {
		g.print("            note: %s", note.Text)
	}
}

func (g *global) writeInWords(item engine.Item, w engine.ItemWrite, from *engine.Record) string {
	target := w.Side.Title() + " " + w.Object
	switch {
	case w.Op == crm.Create:
		return fmt.Sprintf("new %s from %s", target, record(from))
	case w.Relation != nil && w.Relation.Far != nil:
		return fmt.Sprintf("%s with %s", target, record(&w.Relation.Far.Record))
	case item.Link:
		return fmt.Sprintf("%s %s, linked with %s", target, w.ID, record(otherOf(item, w.Side)))
	default:
		return fmt.Sprintf("%s %s", target, w.ID)
	}
}

func otherOf(item engine.Item, side crm.Side) *engine.Record {
	if side == crm.HubSpot {
		return item.Salesforce
	}
	return item.HubSpot
}

// record names a record: "HubSpot contacts 10400012".
func record(r *engine.Record) string {
	if r == nil {
		return "nothing"
	}
	return r.Side.Title() + " " + r.Object + " " + r.ID
}

// changeInWords writes one field: before -> after, and why.
func changeInWords(op crm.Op, c engine.ItemChange) string {
	after := value(c.After)
	if c.Reference != nil {
		after = "the " + string(c.Reference.Side.Other().Title()) + " record of " + record(&c.Reference.Record)
	}
	if op == crm.Create {
		return after
	}
	text := value(c.Before) + " -> " + after
	if c.Why != "" {
		text += "   (" + c.Why + ")"
	}
	return text
}

// value writes a value in one line; a blank is said, not left to be guessed.
func value(v *string) string {
	if v == nil || *v == "" {
		return "(blank)"
	}
	const longest = 60
	return cut(oneLine.Replace(*v), longest)
}

// printPlanReasons prints what is held and left out, by reason, with examples.
func (g *global) printPlanReasons(ctx context.Context, plan *engine.Plan) error {
	const examples = 3
	for _, section := range []struct {
		outcome crm.Outcome
		title   string
	}{{crm.Held, "Held for a person"}, {crm.Excluded, "Left out"}, {crm.Failed, "Failed"}} {
		titled := false
		for _, object := range plan.Objects {
			for _, reason := range object.Reasons {
				if reason.Outcome != section.outcome {
					continue
				}
				if !titled {
					g.print("")
					g.print("%s", section.title)
					titled = true
				}
				g.print("  %s: %s  (%s)", object.Name, count(reason.Count, "record", "records"), reason.Code)
				err := plan.Items(ctx, engine.ItemFilter{Mapping: object.Name, Outcome: section.outcome, Code: reason.Code, Limit: examples}, func(item engine.Item) error {
					from := item.HubSpot
					if from == nil {
						from = item.Salesforce
					}
					g.print("    %s, %s: %s", cmp.Or(item.Title, "(no name)"), record(from), item.Reason.Text)
					if item.Reason.Mend != "" {
						g.print("      next: %s", item.Reason.Mend)
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// printForecast prints what a sync would cost.
func (g *global) printForecast(plan *engine.Plan) {
	g.print("")
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		usage := plan.Usage[side]
		share := ""
		if usage.DayLimit > 0 {
			share = fmt.Sprintf(", %.2f %% of the %s of a day", 100*float64(plan.Forecast[side])/float64(usage.DayLimit), separatedInt(usage.DayLimit))
		}
		g.print("The sync costs about %s to %s%s.", count(plan.Forecast[side], "call", "calls"), side.Title(), share)
	}
}
