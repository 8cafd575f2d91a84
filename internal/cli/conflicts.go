package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

func newConflictsCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "conflicts",
		Short: "List what a person has to decide, and answer it",
		Long: `What waits for a person stands in one list: fields that both sides changed where
wins: hold is written, deletions where deletes: ask is, and records that could
be the same as several others. An answer holds for just what was shown; when a
value changes before the next sync, the conflict is shown anew.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return g.listConflicts(cmd.Context()) },
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List what waits for a person, the oldest first",
		Example: "  lockstep conflicts list",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return g.listConflicts(cmd.Context()) },
	}
	show := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one conflict: both values, when they were set and by whom, and how to answer",
		Example: "  lockstep conflicts show 4",
		Args:    oneArgument("the number of a conflict"),
		RunE:    func(cmd *cobra.Command, args []string) error { return g.showConflict(cmd.Context(), args[0]) },
	}
	cmd.AddCommand(list, show, newConflictsResolveCommand(g))
	return cmd
}

func (g *global) listConflicts(ctx context.Context) error {
	return g.withStore(ctx, func(s *store.Store) error {
		list, err := engine.ConflictsOf(ctx, s)
		if err != nil {
			return err
		}
		if g.json {
			for i := range list {
				if err := g.printJSON(&list[i]); err != nil {
					return err
				}
			}
			return nil
		}
		if len(list) == 0 {
			g.say("nothing waits for a person")
			return nil
		}
		t := newTable(">ID", "OBJECT", "KIND", "WHO", "ABOUT", "HUBSPOT", "SALESFORCE", "SINCE", "ANSWER")
		for i := range list {
			c := &list[i]
			hubspot, salesforce := conflictSides(c)
			answer := ""
			if c.Answer != nil {
				answer = answerInWords(c.Answer)
			}
			t.add(strconv.FormatInt(c.ID, 10), c.Mapping, string(c.Kind), c.Title, conflictAbout(c), hubspot, salesforce, moment(c.Opened), answer)
		}
		g.show(t)
		g.say("answer one with: lockstep conflicts resolve ID …, after a look at: lockstep conflicts show ID")
		return nil
	})
}

// conflictAbout says in a few words what is asked.
func conflictAbout(c *engine.Conflict) string {
	switch c.Kind {
	case reconcile.ConflictField:
		return c.Field
	case reconcile.ConflictDelete:
		return "deleted in " + c.Gone.Title()
	}
	return count(len(c.Candidates)+len(c.Rivals), "other record", "other records") + " could be the same or its rival"
}

// conflictSides is what stands on each side: a value, or a record.
func conflictSides(c *engine.Conflict) (hubspot, salesforce string) {
	if len(c.Values) == 2 {
		return valueInWords(c.Values[0].Value), valueInWords(c.Values[1].Value)
	}
	if c.HubSpot != nil {
		hubspot = c.HubSpot.ID
	}
	if c.Salesforce != nil {
		salesforce = c.Salesforce.ID
	}
	return hubspot, salesforce
}

func valueInWords(v *string) string {
	if v == nil {
		return "(blank)"
	}
	return *v
}

func answerInWords(a *engine.ConflictAnswer) string {
	text := a.Take
	switch a.Take {
	case reconcile.TakeValue:
		text = strconv.Quote(a.Value)
	case reconcile.TakeLink:
		text = "link " + a.Link
	}
	return text + ", by " + a.By + "; the next sync does it"
}

func conflictNumber(word string) (int64, error) {
	id, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return 0, usage("lockstep conflicts list", "%s is not the number of a conflict", shown(word))
	}
	return id, nil
}

func (g *global) showConflict(ctx context.Context, word string) error {
	id, err := conflictNumber(word)
	if err != nil {
		return err
	}
	return g.withStore(ctx, func(s *store.Store) error {
		c, err := engine.ConflictOf(ctx, s, id)
		if err != nil {
			return err
		}
		if g.json {
			return g.printJSON(c)
		}
		g.printConflict(c)
		return nil
	})
}

func (g *global) printConflict(c *engine.Conflict) {
	g.print("Conflict %d, %s: %s", c.ID, c.Mapping, conflictAbout(c))
	g.print("  %s", c.Reason.Text)
	for _, r := range []*engine.Record{c.HubSpot, c.Salesforce} {
		if r != nil {
			g.print("  %-12s %s %s  %s", r.Side.Title(), r.Object, r.ID, c.Title)
		}
	}
	for _, v := range c.Values {
		g.print("  %-12s %s = %s", v.Side.Title(), v.Field, valueInWords(v.Value))
		g.print("               %s", setInWords(v))
	}
	for _, x := range c.Candidates {
		linked := ""
		if x.LinkedTo != nil {
			linked = ", linked with " + x.LinkedTo.Side.Title() + " " + x.LinkedTo.ID
		}
		g.print("  candidate    %s %s %s  %s%s", x.Side.Title(), x.Object, x.ID, x.Name, linked)
	}
	for _, x := range c.Rivals {
		g.print("  rival        %s %s %s", x.Side.Title(), x.Object, x.ID)
	}
	g.print("  waits since  %s", moment(c.Opened))
	if c.Answer != nil {
		g.print("  answer       %s", answerInWords(c.Answer))
	}
	g.print("  next         %s", conflictWays(c))
}

// setInWords is when and by whom a value was set.
func setInWords(v engine.ConflictValue) string {
	if v.Set.IsZero() {
		return "when it was set is not known"
	}
	text := "set "
	if v.OfRecord {
		text = "record changed "
	}
	text += v.Set.Local().Format(time.DateTime)
	if v.By != "" {
		text += " by " + v.By
	}
	return text
}

func conflictWays(c *engine.Conflict) string {
	resolve := "lockstep conflicts resolve " + strconv.FormatInt(c.ID, 10)
	switch c.Kind {
	case reconcile.ConflictField:
		return resolve + " --take hubspot | --take salesforce | --value VALUE | --always hubspot | --always salesforce"
	case reconcile.ConflictDelete:
		return resolve + " --archive | --keep | --restore"
	}
	return resolve + " --link RECORD"
}
