package cli

import (
	"context"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

type resolveOptions struct {
	take, value, always, link, by string
	archive, keep, restore        bool
	valueGiven                    bool
}

func newConflictsResolveCommand(g *global) *cobra.Command {
	var o resolveOptions
	cmd := &cobra.Command{
		Use:   "resolve ID",
		Short: "Answer a conflict; the next sync does what the answer says",
		Long: `Answers a conflict as it is shown now. The next sync does what the answer says and
notes in the journal who gave it.

For a field: --take one side's value, give another --value (as HubSpot stores
it; "" is blank), or take a side --always, which also changes wins: of that field
in lockstep.yaml and nothing else in the file. For a deletion: --archive the
other record too, --keep it as it is, or --restore: the deleted record is made
again. For several records that could be the same: --link one of them.`,
		Example: `  lockstep conflicts resolve 4 --take salesforce
  lockstep conflicts resolve 4 --value "+49 30 1234567"
  lockstep conflicts resolve 4 --always hubspot
  lockstep conflicts resolve 5 --keep
  lockstep conflicts resolve 6 --link 003Qy00000AbCdEIAV`,
		Args: oneArgument("the number of a conflict"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.valueGiven = cmd.Flags().Changed("value")
			return g.resolveConflict(cmd.Context(), args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.take, "take", "", "the side whose value is taken: hubspot or salesforce")
	flags.StringVar(&o.value, "value", "", "the value for both sides, as HubSpot stores it")
	flags.StringVar(&o.always, "always", "", "take this side's value, now and from now on")
	flags.BoolVar(&o.archive, "archive", false, "archive the other record, too")
	flags.BoolVar(&o.keep, "keep", false, "leave the other record as it is")
	flags.BoolVar(&o.restore, "restore", false, "make the deleted record again")
	flags.StringVar(&o.link, "link", "", "the record that it is the same as: its id or its address")
	flags.StringVar(&o.by, "by", "", "who answers, for the journal (default: your name on this machine)")
	return cmd
}

// answer turns the flags into one answer.
func (o *resolveOptions) answer() (engine.ConflictAnswer, error) {
	var answers []engine.ConflictAnswer
	add := func(given bool, a engine.ConflictAnswer) {
		if given {
			answers = append(answers, a)
		}
	}
	for _, side := range []string{o.take, o.always} {
		if side != "" && side != reconcile.TakeHubSpot && side != reconcile.TakeSalesforce {
			return engine.ConflictAnswer{}, usage("write hubspot or salesforce", "%s is no side", shown(side))
		}
		add(side != "", engine.ConflictAnswer{Take: side})
	}
	add(o.valueGiven, engine.ConflictAnswer{Take: reconcile.TakeValue, Value: o.value})
	add(o.archive, engine.ConflictAnswer{Take: reconcile.TakeArchive})
	add(o.keep, engine.ConflictAnswer{Take: reconcile.TakeKeep})
	add(o.restore, engine.ConflictAnswer{Take: reconcile.TakeRestore})
	add(o.link != "", engine.ConflictAnswer{Take: reconcile.TakeLink, Link: engine.RecordID(o.link)})
	if len(answers) != 1 {
		return engine.ConflictAnswer{}, usage("give just one of --take, --value, --always, --archive, --keep, --restore and --link", "%s", count(len(answers), "answer was given", "answers were given"))
	}
	a := answers[0]
	if a.By = o.by; a.By == "" {
		a.By = "somebody"
		if u, err := user.Current(); err == nil && u.Username != "" {
			a.By = u.Username
		}
	}
	return a, nil
}

func (g *global) resolveConflict(ctx context.Context, word string, o resolveOptions) error {
	id, err := conflictNumber(word)
	if err != nil {
		return err
	}
	a, err := o.answer()
	if err != nil {
		return err
	}
	return g.withStore(ctx, func(s *store.Store) error {
		c, err := engine.ConflictOf(ctx, s, id)
		if err != nil {
			return err
		}
		var edited []byte
		file := g.path(g.config)
		if o.always != "" {
			// What could go wrong with the file is found before anything is stored.
			if c.Kind != reconcile.ConflictField {
				return usage(conflictWays(c), "--always answers a conflict of a field")
			}
			if edited, err = editedMapping(file, c, mapping.Winner(o.always)); err != nil {
				return err
			}
		}
		if err := engine.Resolve(ctx, s, c, a); err != nil {
			return err
		}
		if edited != nil {
			if err := os.WriteFile(file, edited, 0o644); err != nil { //nolint:gosec // it is the user's own file and holds no secret
				return fault.New(fault.Internal, "write %s", file).Wrap(err)
			}
			g.say("%s: wins of %s is %s now", file, c.Field, o.always)
		}
		if c, err = engine.ConflictOf(ctx, s, id); err != nil {
			return err
		}
		if g.json {
			return g.printJSON(c)
		}
		g.print("Conflict %d: %s", c.ID, answerInWords(c.Answer))
		return nil
	})
}

func editedMapping(file string, c *engine.Conflict, wins mapping.Winner) ([]byte, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.New(fault.NotFound, "read %s", file).Wrap(err)
	}
	return mapping.SetWins(src, c.Mapping, c.Field, wins)
}
