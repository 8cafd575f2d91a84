package cli

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// shadowWindow gives the other sync more than the quarter of an hour that
// HubSpot's own integration takes for a change.
// https://knowledge.hubspot.com/salesforce/understand-sync-triggers-in-the-hubspot-salesforce-integration
const shadowWindow = 20 * time.Minute

// shownDifferences is how many differences of each kind are shown without --all.
const shownDifferences = 5

type shadowOptions struct {
	every  time.Duration
	window time.Duration
	until  time.Duration
	once   bool
	report bool
	forget bool
	all    bool
}

func newShadowCommand(g *global) *cobra.Command {
	var o shadowOptions
	cmd := &cobra.Command{
		Use:   "shadow",
		Short: "Look on beside another sync: where would the two differ?",
		Long: `Runs beside another sync of the same two accounts, such as HubSpot's own Salesforce
integration, and writes nothing anywhere. It watches both sides, works out what
lockstep.yaml would write for each change, and sees what the other sync makes of it:

  agree      it wrote what we would have written
  other      it wrote something else
  missed     it wrote nothing within --window
  unwanted   it wrote what we would not have written

What both sides hold at the first look is where the comparison begins. Its memory
is .lockstep/shadow.db; the pair's own state is not touched, so that a later
lockstep sync begins as if nothing had been. Associations with labels and between
many records are not compared.`,
		Example: `  lockstep shadow --for 24h
  lockstep shadow --once            # from cron; goes on where it stopped
  lockstep shadow --report --all    # what was found so far; no call is made`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.forget:
				return g.forgetShadow()
			case o.report:
				return g.shadowReport(cmd.Context(), o)
			}
			return g.runShadow(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.every, "every", 0, "how often to look (default: every: of lockstep.yaml)")
	flags.DurationVar(&o.window, "window", shadowWindow, "how long the other sync has for a change before it counts as missed")
	flags.DurationVar(&o.until, "for", 0, "end after so long (default: until Ctrl-C)")
	flags.BoolVar(&o.once, "once", false, "look once and end")
	flags.BoolVar(&o.report, "report", false, "show what was found so far, without looking")
	flags.BoolVar(&o.forget, "forget", false, "forget all that was seen, to begin anew")
	flags.BoolVar(&o.all, "all", false, "show every difference, not just the last ones")
	return cmd
}

func (g *global) forgetShadow() error {
	a, err := g.open()
	if err != nil {
		return err
	}
	if err := a.ForgetShadow(); err != nil {
		return err
	}
	g.say("Forgotten. The next lockstep shadow begins anew.")
	return nil
}

func (g *global) shadowReport(ctx context.Context, o shadowOptions) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	s, err := a.ExistingShadow(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	return g.tellShadow(ctx, s, o)
}

func (g *global) runShadow(ctx context.Context, o shadowOptions) (err error) {
	a, err := g.open()
	if err != nil {
		return err
	}
	progress := g.newProgress()
	pair, err := a.ShadowPair(ctx, progress.function())
	if err != nil {
		progress.close()
		return err
	}
	defer func() {
		if closed := pair.Close(); err == nil {
			err = closed
		}
	}()
	g.warn(pair)
	err = g.lookOn(ctx, pair, progress, o)
	progress.close()
	if err != nil {
		return err
	}
	return g.tellShadow(context.WithoutCancel(ctx), pair.Store, o)
}

// lookOn looks again and again, until it is enough.
func (g *global) lookOn(ctx context.Context, pair *app.Pair, progress *progress, o shadowOptions) error {
	every := cmp.Or(o.every, pair.Mapping.Every)
	begun := time.Now()
	for {
		c, err := pair.Engine.Shadow(ctx, o.window)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && o.once:
			return err
		case err != nil:
			if k := fault.KindOf(err); k != fault.Unavailable && k != fault.RateLimited {
				return err
			}
			g.say("%s  %s", time.Now().Format("15:04:05"), err)
		case c.First:
			progress.close()
			g.say("Both sides were read; what they hold now is where the comparison begins.")
		default:
			g.tellLook(c)
		}
		if o.once || o.until > 0 && time.Since(begun)+every > o.until {
			return nil
		}
		timer := time.NewTimer(every)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// tellLook prints what one look found, as talk.
func (g *global) tellLook(c *engine.ShadowCycle) {
	for _, f := range c.Findings {
		g.say("%s  %s", f.Time.Local().Format("15:04:05"), findingInWords(f))
	}
}

func findingInWords(f engine.ShadowFinding) string {
	from := f.HubSpot
	if from == nil {
		from = f.Salesforce
	}
	text := string(f.Verdict) + "  " + f.Mapping + "  " + cmp.Or(f.Title, record(from)) + "  " + f.Side.Title() + " " + f.Field
	switch f.Verdict {
	case engine.ShadowOther, engine.ShadowMissed:
		if f.Ours != nil || f.Theirs != nil {
			text += ": ours " + value(f.Ours) + ", theirs " + value(f.Theirs)
		}
	case engine.ShadowUnwanted:
		if f.Theirs != nil {
			text += ": theirs " + value(f.Theirs)
		}
		if f.Why != "" {
			text += "   (" + f.Why + ")"
		}
	}
	return text
}

// shadowJSON is what shadow --json prints last.
type shadowJSON struct {
	Since    time.Time          `json:"since,omitzero"`
	Findings int                `json:"findings"`
	Fields   []*shadowFieldJSON `json:"fields"`
	Waiting  int                `json:"waiting"`
}

// shadowFieldJSON counts one field of one side.
type shadowFieldJSON struct {
	Mapping  string   `json:"mapping"`
	Side     crm.Side `json:"side"`
	Field    string   `json:"field"`
	Agree    int      `json:"agree"`
	Other    int      `json:"other"`
	Missed   int      `json:"missed"`
	Unwanted int      `json:"unwanted"`
}

func (f *shadowFieldJSON) add(v engine.ShadowVerdict) {
	*map[engine.ShadowVerdict]*int{engine.ShadowAgree: &f.Agree, engine.ShadowOther: &f.Other, engine.ShadowMissed: &f.Missed, engine.ShadowUnwanted: &f.Unwanted}[v]++
}

// tellShadow prints the summary by field, and the differences.
func (g *global) tellShadow(ctx context.Context, s *store.Store, o shadowOptions) error {
	summary := shadowJSON{Fields: []*shadowFieldJSON{}}
	differences := map[engine.ShadowVerdict][]engine.ShadowFinding{}
	err := engine.ShadowFindings(ctx, s, func(f engine.ShadowFinding) error {
		if summary.Findings++; summary.Findings == 1 {
			summary.Since = f.Time
		}
		i := slices.IndexFunc(summary.Fields, func(have *shadowFieldJSON) bool {
			return have.Mapping == f.Mapping && have.Side == f.Side && have.Field == f.Field
		})
		if i < 0 {
			i = len(summary.Fields)
			summary.Fields = append(summary.Fields, &shadowFieldJSON{Mapping: f.Mapping, Side: f.Side, Field: f.Field})
		}
		summary.Fields[i].add(f.Verdict)
		if f.Verdict == engine.ShadowAgree {
			return nil
		}
		if g.json && o.all {
			return g.printJSON(f)
		}
		kept := append(differences[f.Verdict], f)
		if !o.all && len(kept) > shownDifferences {
			kept = kept[1:]
		}
		differences[f.Verdict] = kept
		return nil
	})
	if err != nil {
		return err
	}
	waits, err := s.ShadowWaits(ctx)
	if err != nil {
		return err
	}
	summary.Waiting = len(waits)
	slices.SortFunc(summary.Fields, func(a, b *shadowFieldJSON) int {
		return cmp.Or(cmp.Compare(a.Mapping, b.Mapping), cmp.Compare(a.Side, b.Side), cmp.Compare(a.Field, b.Field))
	})
	if g.json {
		return g.printJSON(summary)
	}
	g.printShadow(&summary, differences)
	return nil
}

func (g *global) printShadow(summary *shadowJSON, differences map[engine.ShadowVerdict][]engine.ShadowFinding) {
	t := newTable("OBJECT", "SIDE", "FIELD", ">AGREE", ">OTHER", ">MISSED", ">UNWANTED")
	total := shadowFieldJSON{}
	for _, f := range summary.Fields {
		t.add(f.Mapping, string(f.Side), f.Field, f.Agree, f.Other, f.Missed, f.Unwanted)
		total.Agree, total.Other, total.Missed, total.Unwanted = total.Agree+f.Agree, total.Other+f.Other, total.Missed+f.Missed, total.Unwanted+f.Unwanted
	}
	t.add("together", "", "", total.Agree, total.Other, total.Missed, total.Unwanted)
	g.show(t)
	for _, verdict := range engine.ShadowVerdicts {
		for _, f := range differences[verdict] {
			g.print("%s", findingInWords(f))
		}
	}
	g.say("%s compared, %s waiting for the other sync. Nothing was written.", count(summary.Findings, "change", "changes"), count(summary.Waiting, "change is", "changes are"))
}
