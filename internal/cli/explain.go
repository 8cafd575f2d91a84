package cli

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

func newExplainCommand(g *global) *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use:   "explain RECORD",
		Short: "Say what became of a record, and why",
		Long: `Says of one record whether it is linked, what became of it and why, what a sync
would do with it now, how it is matched and filtered, and what both sides hold,
side by side; then what was decided about it, the newest first: what woke us,
filter, match, rule, call, answer. Nothing is written.

With --at it says instead what both sides held then, who won, and what is not
known.

RECORD is the id of either side, an e-mail address, or the record's address in
the browser.`,
		Example: `  lockstep explain ada@lovelace.example
  lockstep explain 10400012
  lockstep explain https://app.hubspot.com/contacts/48000001/record/0-1/10400012
  lockstep explain 003Qy00000AbCdEIAV --json
  lockstep explain ada@lovelace.example --at "2026-11-20 09:30"`,
		Args: oneArgument("one record"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if at != "" {
				return g.runExplainAt(cmd.Context(), args[0], at)
			}
			return g.runExplain(cmd.Context(), args[0])
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "what both sides held at this time: 2026-11-20, 2026-11-20 09:30, 2026-11-20T09:30:00Z")
	return cmd
}

func (g *global) runExplain(ctx context.Context, query string) error {
	return g.withPair(ctx, func(pair *app.Pair, _ *progress) error {
		explanation, err := pair.Engine.Explain(ctx, query)
		if err != nil {
			return err
		}
		if g.json {
			return g.printJSON(explanation)
		}
		if n := len(explanation.Things); n > 1 {
			g.print("%s fits %s:", query, count(n, "record", "records"))
		}
		for i, thing := range explanation.Things {
			if i > 0 {
				g.print("")
			}
			g.printThing(thing)
		}
		return nil
	})
}

func (g *global) printThing(t engine.ExplainedThing) {
	g.print("%s (%s)", cmp.Or(t.Title, "(no name)"), t.Mapping)
	for _, r := range []*engine.Record{t.HubSpot, t.Salesforce} {
		if r != nil {
			g.print("  %-12s %s   %s", r.Side.Title(), r.Object+" "+r.ID, r.URL)
		}
	}
	if t.Linked {
		g.print("  linked       yes, the two are one thing")
	} else {
		g.print("  linked       no")
	}
	g.print("  outcome      %s: %s", t.Outcome, t.Reason.Text)
	if t.Reason.Mend != "" {
		g.print("  next         %s", t.Reason.Mend)
	}
	g.printNow(t)
	for _, f := range t.Filters {
		verdict := "passes"
		if !f.Passes {
			verdict = "does not pass"
		}
		if f.Error != "" {
			verdict = "cannot be evaluated: " + f.Error
		}
		g.print("  filter       %s  (%s)", f.Expression, verdict)
	}
	for _, k := range t.Keys {
		g.print("  matched by   %s %s = %s", k.Side.Title(), k.Rule, k.Value)
	}
	g.printFields(t)
	g.printHistory(t.History)
	if len(t.History) == 0 {
		g.printWrites(t.Writes)
	}
}

// printNow says what a sync would do at this moment, where that is not what
// happened already.
func (g *global) printNow(t engine.ExplainedThing) {
	if t.Now == nil {
		g.print("  now          neither record can be read any more")
		return
	}
	switch {
	case len(t.Now.Writes) > 0 || t.Now.Link:
		g.print("  now          a sync would:")
		for _, w := range t.Now.Writes {
			g.print("                 %s %s %s", w.Op, w.Side.Title(), strings.TrimSpace(w.Object+" "+w.ID))
			for _, c := range w.Changes {
				g.print("                   %-22s %s", c.Field, changeInWords(w.Op, c))
			}
		}
		if t.Now.Link {
			g.print("                 link the two")
		}
	case t.Now.Reason.Code != t.Reason.Code:
		g.print("  now          %s: %s", t.Now.Outcome, t.Now.Reason.Text)
		if t.Now.Reason.Mend != "" {
			g.print("  next         %s", t.Now.Reason.Mend)
		}
	default:
		g.print("  now          nothing to do")
	}
	for _, note := range t.Now.Notes {
		g.print("  note         %s", note.Text)
	}
}

func (g *global) printFields(t engine.ExplainedThing) {
	if len(t.Fields) == 0 {
		return
	}
	table := newTable("HUBSPOT", "", "SALESFORCE", "", "")
	table.indent = "  "
	for _, f := range t.Fields {
		state := ""
		switch {
		case !t.Linked:
		case f.Agree:
			state = "agree"
		case f.Allowed != "":
			state = "may differ: " + f.Allowed
		default:
			state = "differ"
		}
		const longest = 40
		table.add(f.HubSpotField, cut(value(f.HubSpot), longest), f.SalesforceField, cut(value(f.Salesforce), longest), state)
	}
	g.print("")
	table.aligned(g.Out)
}

func (g *global) printWrites(writes []engine.JournalEntry) {
	if len(writes) == 0 {
		return
	}
	g.print("")
	g.print("  written by Lockstep, the newest first:")
	for _, w := range writes {
		g.print("    %s  run %d  %s %s  %s", moment(w.Time), w.Run, w.Op, record(&w.Record), w.Result)
		for _, c := range w.Changes {
			g.print("      %-22s %s", c.Field, changeInWords(w.Op, c))
		}
	}
}
