package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/page"
)

// shownRecords is how many records of each object a plan shows without --all.
const shownRecords = 20

type planOptions struct {
	file     string
	html     string
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
and leaves alone what changed since. With --html the plan becomes one page that
needs nothing else, to be sent to whoever has to agree.`,
		Example: `  lockstep plan
  lockstep plan --all | less
  lockstep plan -o plan.json && lockstep sync plan.json
  lockstep plan -o plan.json --html plan.html`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.runPlan(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.file, "output", "o", "", "seal the plan in this file")
	flags.StringVar(&o.html, "html", "", "write the plan as one page into this file")
	flags.BoolVar(&o.all, "all", false, fmt.Sprintf("show every record, not just the first %d of each object", shownRecords))
	flags.BoolVar(&o.complete, "complete", false, "read everything again, whatever was read before")
	return cmd
}

// planJSON is what plan --json prints: one object with the counts first, then
// (with --all) one object per item, each on its own line.
type planJSON struct {
	*engine.Plan
	Costs  []page.Cost `json:"costs"`
	Writes int         `json:"writes"`
	Sealed string      `json:"sealed,omitempty"`
	SHA256 string      `json:"sha256,omitempty"`
	HTML   string      `json:"html,omitempty"`
}

// shownPlan is a plan with what was made of it.
type shownPlan struct {
	*engine.Plan
	planOptions
	costs  []page.Cost
	sha256 string
}

func (g *global) runPlan(ctx context.Context, o planOptions) error {
	return g.withPair(ctx, func(pair *app.Pair, progress *progress) error {
		plan, err := pair.Engine.Plan(ctx, engine.PlanOptions{Complete: o.complete})
		progress.close()
		if err != nil {
			return err
		}
		shown := &shownPlan{Plan: plan, planOptions: o, costs: g.costsOf(pair, plan)}
		if err := g.keepPlan(ctx, pair, shown); err != nil {
			return err
		}
		if g.json {
			return g.printPlanJSON(ctx, shown)
		}
		return g.printPlan(ctx, pair, shown)
	})
}

// costsOf sets what a sync would cost against what is left of the day.
func (g *global) costsOf(pair *app.Pair, plan *engine.Plan) []page.Cost {
	var costs []page.Cost
	for _, account := range []struct {
		side crm.Side
		id   string
	}{{crm.Salesforce, plan.Pair.SalesforceID}, {crm.HubSpot, plan.Pair.HubSpotID}} {
		costs = append(costs, page.NewCost(account.side, plan.Forecast[account.side], pair.CallsLeft(account.side, account.id)))
	}
	return costs
}

// keepPlan writes the files that were asked for.
func (g *global) keepPlan(ctx context.Context, pair *app.Pair, p *shownPlan) error {
	if p.file != "" {
		sealed, err := p.Sealed(ctx)
		if err != nil {
			return err
		}
		var file bytes.Buffer
		if err := sealed.Write(&file); err != nil {
			return err
		}
		if err := app.ReplaceFile(g.path(p.file), file.Bytes()); err != nil {
			return err
		}
		p.sha256 = sealed.SHA256
	}
	if p.html == "" {
		return nil
	}
	var file bytes.Buffer
	err := page.WritePlan(ctx, &file, page.Plan{Plan: p.Plan, HubSpot: pair.Mapping.HubSpot, Salesforce: pair.Mapping.Salesforce, Costs: p.costs,
		SealedIn: p.file, SHA256: p.sha256, Version: buildVersion().Version})
	if err != nil {
		return err
	}
	return app.ReplaceFile(g.path(p.html), file.Bytes())
}

func (g *global) printPlanJSON(ctx context.Context, p *shownPlan) error {
	if err := g.printJSON(planJSON{Plan: p.Plan, Costs: p.costs, Writes: p.Writes(), Sealed: p.file, SHA256: p.sha256, HTML: p.html}); err != nil || !p.all {
		return err
	}
	return p.Items(ctx, engine.ItemFilter{}, func(item engine.Item) error { return g.printJSON(item) })
}

func (g *global) printPlan(ctx context.Context, pair *app.Pair, p *shownPlan) error {
	g.print("%s and %s: %s read. Nothing has been written.", pair.Mapping.HubSpot, pair.Mapping.Salesforce, count(p.Read, "record", "records"))
	g.print("")
	printPlanCounts(g.Out, p.Plan)
	if err := g.printPlanWrites(ctx, p.Plan, p.planOptions); err != nil {
		return err
	}
	if err := g.printPlanReasons(ctx, p.Plan); err != nil {
		return err
	}
	g.print("")
	g.print("%s", page.CostInWords(p.costs))
	if beyond := page.Days(p.costs); beyond != "" {
		g.print("%s", beyond)
	}
	for _, b := range p.Brakes {
		g.print("Brake: %s.", b.Sentence())
	}
	for _, c := range p.Policies {
		if c.Broken > 0 && !c.Stops {
			g.print("Policy %q: %s.", c.Name, c.Sentence())
		}
	}
	if p.html != "" {
		g.print("The page is in %s.", p.html)
	}
	switch {
	case p.file != "":
		g.print("Sealed in %s, SHA-256 %s.", p.file, p.sha256)
		g.sayNext("lockstep sync " + p.file)
	case p.Writes() == 0:
		g.print("Nothing is to be written: both sides are in step.")
	default:
		g.sayNext("lockstep sync   (or first: lockstep plan -o plan.json)")
	}
	return nil
}

// printPlanCounts prints what would happen, a line per object. Columns of what
// is rare are there when a plan has any of it.
func printPlanCounts(w io.Writer, plan *engine.Plan) {
	some := func(of func(engine.PlanObject) int) bool {
		return slices.ContainsFunc(plan.Objects, func(o engine.PlanObject) bool { return of(o) > 0 })
	}
	type column struct {
		name string
		of   func(engine.PlanObject) int
	}
	var columns []column
	for _, side := range []crm.Side{crm.Salesforce, crm.HubSpot} {
		columns = append(columns, column{">CREATE", func(o engine.PlanObject) int { return o.Creates[side] }},
			column{">UPDATE", func(o engine.PlanObject) int { return o.Updates[side] }})
		for _, rare := range []column{{">ARCHIVE", func(o engine.PlanObject) int { return o.Archives[side] }}, {">RELATE", func(o engine.PlanObject) int { return o.Relates[side] }}} {
			if some(rare.of) {
				columns = append(columns, rare)
			}
		}
	}
	columns = append(columns, column{">LINK", func(o engine.PlanObject) int { return o.Links }},
		column{">UNCHANGED", func(o engine.PlanObject) int { return o.Tally.Unchanged }},
		column{">LEFT OUT", func(o engine.PlanObject) int { return o.Tally.Excluded }},
		column{">HELD", func(o engine.PlanObject) int { return o.Tally.Held }})
	header := []string{""}
	for _, c := range columns {
		header = append(header, c.name)
	}
	t := newTable(header...)
	t.indent = "  "
	for _, o := range plan.Objects {
		cells := []any{o.Name}
		for _, c := range columns {
			cells = append(cells, c.of(o))
		}
		t.add(cells...)
	}
	var table bytes.Buffer
	t.aligned(&table)
	head, _, _ := bytes.Cut(table.Bytes(), []byte("\n"))
	fmt.Fprintln(w, groupHeader(string(head)))
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
