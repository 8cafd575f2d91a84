package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/legacykey"
)

type keysMigrateOptions struct {
	write      bool
	everything bool
}

func newKeysMigrateCommand(g *global) *cobra.Command {
	var o keysMigrateOptions
	cmd := &cobra.Command{
		Use:   "migrate PATH...",
		Short: "Rewrite the HubSpot API key into a bearer token",
		Long: `Rewrites what uses the HubSpot API key so that it sends a bearer token instead:
curl commands, JavaScript and TypeScript, Python, Go, PHP, Ruby, C#, Java, Postman,
Insomnia and Bruno collections, and settings of that name. The token comes from the
environment variable HUBSPOT_ACCESS_TOKEN (in collections from {{hubspot_token}});
no key is carried over, because a key is no token.

Without --write only the difference is shown, with secrets cut short. A program is
changed whole or not at all; what is not understood is listed for a person, with
the reason. Formatting, comments, line ends and file modes stay. A second run
changes nothing.`,
		Example: `  lockstep keys migrate .
  lockstep keys migrate src scripts --write`,
		Args: somePaths,
		RunE: func(cmd *cobra.Command, args []string) error { return g.runKeysMigrate(cmd.Context(), o, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.write, "write", false, "change the files")
	flags.BoolVar(&o.everything, "everything", false, "look at files that .gitignore leaves out, too")
	return cmd
}

// migrationJSON is what keys migrate --json prints.
type migrationJSON struct {
	Written bool                `json:"written"`
	Files   int                 `json:"files"`
	Changes []changedJSON       `json:"changes"`
	Waiting []legacykey.Waiting `json:"waiting"`
}

type changedJSON struct {
	File string `json:"file"`
	Diff string `json:"diff"`
}

func (g *global) runKeysMigrate(ctx context.Context, o keysMigrateOptions, args []string) error {
	migration, err := legacykey.Migrate(ctx, legacykey.Options{Paths: g.pathsFromHere(args), Root: g.here(), Everything: o.everything}, o.write)
	if err != nil {
		return err
	}
	if g.json {
		out := migrationJSON{Written: o.write, Files: migration.Files, Changes: []changedJSON{}, Waiting: append([]legacykey.Waiting{}, migration.Waiting...)}
		for i := range migration.Changes {
			out.Changes = append(out.Changes, changedJSON{migration.Changes[i].File, migration.Changes[i].Diff()})
		}
		return g.printJSON(out)
	}
	for i := range migration.Changes {
		g.print("%s", strings.TrimRight(migration.Changes[i].Diff(), "\n"))
	}
	if len(migration.Waiting) > 0 {
		if len(migration.Changes) > 0 {
			g.print("")
		}
		g.print("for a person:")
		for _, w := range migration.Waiting {
			g.print("  %s:%d  %s", w.File, w.Line, w.Why)
			if w.Excerpt != "" {
				g.print("      %s", w.Excerpt)
			}
		}
	}
	switch n := len(migration.Changes); {
	case n == 0 && len(migration.Waiting) == 0:
		g.print("nothing to change in %s", count(migration.Files, "file", "files"))
	case o.write && n > 0:
		g.say("%s changed; set HUBSPOT_ACCESS_TOKEN to the token of a service key (lockstep connect hubspot says where it is made)", count(n, "file", "files"))
	case n > 0:
		g.say("%s would change; add --write to change %s", count(n, "file", "files"), map[bool]string{true: "it", false: "them"}[n == 1])
	}
	return nil
}
