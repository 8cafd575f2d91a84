package cli

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// printHistory prints what was decided about a thing, newest first.
func (g *global) printHistory(history []engine.ExplainedDecision) {
	if len(history) == 0 {
		return
	}
	g.print("")
	g.print("  what was decided, the newest first:")
	for _, d := range history {
		g.print("    %s  run %d  woken by: %s", moment(d.Time), d.Run, d.Woke)
		for _, f := range d.Filters {
			verdict := "passes"
			switch {
			case f.Error != "":
				verdict = "cannot be evaluated: " + f.Error
			case !f.Passes:
				verdict = "does not pass"
			}
			g.print("      filter   %s  (%s)", f.Expression, verdict)
		}
		if d.Match != "" {
			g.print("      match    %s found %s", d.Match, count(d.Candidates, "record", "records"))
		}
		if d.Linked && d.Partner != nil {
			g.print("      linked   %s with %s", record(&d.Thing), record(d.Partner))
		}
		if d.Unlinked {
			g.print("      unlinked the two")
		}
		for _, w := range d.Writes {
			g.print("      call     %s %s: %s%s", w.Op, record(&w.Record), w.Result, requested(w))
			for _, c := range w.Changes {
				g.print("                 %-22s %s", c.Field, changeInWords("", c))
			}
		}
		g.print("      %-8s %s", d.Outcome, d.Reason.Text)
		if d.Reason.Mend != "" {
			g.print("      next     %s", d.Reason.Mend)
		}
		for _, n := range d.Notes {
			g.print("      note     %s", n.Text)
		}
	}
}

// requested names the vendor's id of a call, for its support.
func requested(w engine.ExplainedWrite) string {
	if w.Request == "" {
		return ""
	}
	return "   (request " + w.Request + ")"
}

// timeForms are how a moment may be written; without a zone it is local.
var timeForms = []string{time.RFC3339Nano, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"}

func parseMoment(text string) (time.Time, error) {
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, strings.TrimSpace(text), time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage(`--at "2026-11-20 09:30"`, "%s is no time", shown(text))
}

func (g *global) runExplainAt(ctx context.Context, query, at string) error {
	when, err := parseMoment(at)
	if err != nil {
		return err
	}
	return g.withPair(ctx, func(pair *app.Pair, _ *progress) error {
		past, err := pair.Engine.ExplainAt(ctx, query, when)
		if err != nil {
			return err
		}
		if g.json {
			return g.printJSON(past)
		}
		for i, t := range past.Things {
			if i > 0 {
				g.print("")
			}
			g.printPast(t, when)
		}
		return nil
	})
}

func (g *global) printPast(t engine.PastThing, at time.Time) {
	g.print("%s (%s) at %s", cmp.Or(t.Title, "(no name)"), t.Mapping, moment(at))
	for _, r := range []*engine.Record{t.HubSpot, t.Salesforce} {
		if r != nil {
			g.print("  %-12s %s   %s", r.Side.Title(), r.Object+" "+r.ID, r.URL)
		}
	}
	if d := t.Decision; d != nil {
		g.print("  last decided %s, run %d: %s: %s", moment(d.Time), d.Run, d.Outcome, d.Reason.Text)
	} else {
		g.print("  last decided nothing is remembered from before")
	}
	for _, f := range t.Fields {
		g.print("")
		g.print("  %s", strings.Join(without("", f.HubSpotField, f.SalesforceField), " and "))
		if f.HubSpotField != "" {
			g.printPastValue("HubSpot", f.HubSpot)
		}
		if f.SalesforceField != "" {
			g.printPastValue("Salesforce", f.Salesforce)
		}
		if f.Won != nil {
			g.print("    %s won   run %d, %s: %s", f.Won.Side.Title(), f.Won.Run, moment(f.Won.Time), f.Won.Rule)
		}
	}
}

func (g *global) printPastValue(side string, v engine.PastValue) {
	switch {
	case v.Known:
		g.print("    %-12s %s   (%s)", side, value(v.Value), v.How)
	case v.Value != nil:
		g.print("    %-12s not known for sure: %s   (%s)", side, value(v.Value), v.How)
	default:
		g.print("    %-12s not known   (%s)", side, v.How)
	}
}

// without drops a text from a list.
func without(drop string, list ...string) []string {
	var kept []string
	for _, s := range list {
		if s != drop {
			kept = append(kept, s)
		}
	}
	return kept
}
