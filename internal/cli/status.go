package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

func newStatusCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how the pair stands, and what waits for a person",
		Long: `Says from what is kept here, without asking either vendor, how many records are
linked, what is left out, held or failed and why, when the last run was, and how
many of today's calls are used, left, and left to others.`,
		Example: `  lockstep status
  lockstep status --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.runStatus(cmd.Context()) },
	}
}

func (g *global) runStatus(ctx context.Context) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	m, err := a.Mapping()
	if err != nil {
		return err
	}
	s, err := a.ExistingStore(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	status, err := engine.StatusOf(ctx, s, m)
	if err != nil {
		return err
	}
	calls := callsOf(a, m, status)
	if g.json {
		return g.printJSON(statusJSON{status, calls})
	}
	g.printStatus(status)
	g.printCalls(calls)
	return nil
}

func (g *global) printStatus(status *engine.Status) {
	g.say("HubSpot %s%s and Salesforce %s%s", status.HubSpot.ID, titled(status.HubSpot.ID, status.HubSpot.Name), status.Salesforce.ID, titled(status.Salesforce.ID, status.Salesforce.Name))
	t := newTable("", ">LINKED", ">LEFT OUT", ">HELD", ">PENDING", ">FAILED")
	for _, o := range status.Objects {
		t.add(o.Name, o.Links, o.Tally.Excluded, o.Tally.Held, o.Tally.Pending, o.Tally.Failed)
	}
	g.show(t)
	for _, outcome := range []crm.Outcome{crm.Failed, crm.Held, crm.Pending, crm.Excluded} {
		g.printOutcomes(status, outcome)
	}
	for _, o := range status.Objects {
		if o.Sweep != nil {
			g.say("%s", sweepInWords(o.Name, o.Sweep))
		}
	}
	if r := status.LastRun; r != nil {
		g.say("Last run: %s %d, %s, began %s", r.Kind, r.ID, r.Status, moment(r.Started))
		if r.Error != "" {
			g.say("  %s", r.Error)
		}
	}
	for _, s := range status.Sources {
		g.say("Last heard of %s: %s", s.Name, moment(s.Heard))
	}
	if status.OpenCreates > 0 {
		g.say("%s sent without an answer; the next sync looks them up first", count(status.OpenCreates, "record was", "records were"))
	}
	if n := status.Failures[store.Exhausted]; n > 0 {
		g.say("%s as often as it is by itself and failed each time; a person has to look: lockstep errors list", count(n, "record was tried", "records were tried"))
	} else if len(status.Failures) > 0 {
		g.say("When what failed is tried again: lockstep errors list")
	}
	if w := status.Working; w != nil {
		g.say("Process %d on %s works on it since %s", w.PID, w.Host, moment(w.Since))
	}
}

// sweepInWords says how far the look at associations has come.
func sweepInWords(name string, s *engine.StatusSweep) string {
	return "Associations of " + name + ": " + count(s.Looked, "record", "records") + " looked at in this round, " + separatedInt(s.Left) + " left, which takes " +
		count(s.Cycles, "more cycle", "more cycles") + " of " + separatedInt(s.Round) + "; what only associates records is noticed in their turn"
}

// outcomeTitles are what people read above a list of reasons.
var outcomeTitles = map[crm.Outcome]string{
	crm.Failed: "Failed", crm.Held: "Held for a person", crm.Pending: "Waiting", crm.Excluded: "Left out",
}

func (g *global) printOutcomes(status *engine.Status, outcome crm.Outcome) {
	titled := false
	for _, o := range status.Objects {
		for _, c := range o.Outcomes {
			if c.Outcome != outcome {
				continue
			}
			if !titled {
				g.say("\n%s", outcomeTitles[outcome])
				titled = true
			}
			g.say("  %s: %s (%s), such as: %s", o.Name, count(c.Count, "record", "records"), c.Code, c.Example.Text)
			if c.Example.Mend != "" {
				g.say("    next: %s", c.Example.Mend)
			}
		}
	}
}
