package cli

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// toStdout is what a flag holds that was given without a file.
const toStdout = "-"

// checkFiles are the files that check can write, and how much it tells.
type checkFiles struct {
	permissionSet string
	projectApp    string
	needs         bool
}

func (f *checkFiles) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.needs, "needs", false, "list every scope and permission that is needed, with its reason")
	flags.StringVar(&f.permissionSet, "permission-set", "", "write a Salesforce permission set with just what is needed, to this file or to stdout")
	flags.Lookup("permission-set").NoOptDefVal = toStdout
	flags.StringVar(&f.projectApp, "project-app", "", "write the project of a HubSpot app with just the scopes that are needed, into this folder")
	flags.Lookup("project-app").NoOptDefVal = "hubspot-app"
}

// writeCheckFiles writes what was asked for. What was printed on stdout leaves
// no room there for the rest of check.
func (g *global) writeCheckFiles(files checkFiles, c *app.Checked) (printed bool, err error) {
	if files.projectApp != "" {
		if err := g.writeProjectApp(g.path(files.projectApp), files.projectApp, c); err != nil {
			return false, err
		}
	}
	if files.permissionSet == "" {
		return false, nil
	}
	text, err := mapping.PermissionSet("Lockstep", c.Permissions)
	if err != nil {
		return false, err
	}
	if files.permissionSet == toStdout {
		_, err := g.Out.Write(text)
		return true, err
	}
	if err := app.ReplaceFile(g.path(files.permissionSet), text); err != nil {
		return false, err
	}
	g.say("%s holds %s; deploy it as permissionsets/Lockstep.permissionset-meta.xml and assign it to the user of the app", files.permissionSet, count(len(c.Permissions), "permission", "permissions"))
	return false, nil
}

// writeProjectApp writes the files of a HubSpot project. A folder that holds
// another project is left alone.
func (g *global) writeProjectApp(folder, shown string, c *app.Checked) error {
	contents := mapping.ProjectApp("lockstep", c.Needed)
	names := make([]string, 0, len(contents))
	for name := range contents {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if there, err := os.ReadFile(path); err == nil && string(there) != string(contents[name]) {
			return fault.New(fault.Conflict, "%s holds another %s and is left as it is", shown, name).
				WithMend("name an empty folder, or remove that file: lockstep check --project-app=%s", shown+"-new")
		}
	}
	for _, name := range names {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fault.New(fault.Internal, "%s cannot be made", shown).Wrap(err).WithMend("name a folder that can be written to")
		}
		if err := app.ReplaceFile(path, contents[name]); err != nil {
			return err
		}
	}
	g.say("%s holds a HubSpot app with %s; upload it from there with: hs project upload", shown, count(len(app.ScopeNames(c.Needed)), "scope", "scopes"))
	return nil
}
