package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/postman"
)

type postmanExportOptions struct {
	dir    string
	format string
	failed bool
	force  bool
	args   []string
}

func newPostmanExportCommand(g *global) *cobra.Command {
	var o postmanExportOptions
	cmd := &cobra.Command{
		Use:   "export [--failed [RUN]]",
		Short: "Write a collection and an environment, without any secret",
		Long: `Writes a Postman collection (format 2.1) and its environment: check of the token,
reading with a bearer, what goes wrong and why, Salesforce OAuth, and the whole
chain from HubSpot to Salesforce by the rules of lockstep.yaml. No secret is in
either: fill them in where you open the files. What requests cannot say of the
mapping is left out and named.

With --failed it writes each write of a run that a vendor refused as a request of
its own. Those hold the values that were to be written, so they are data of your
customers: treat the file so.`,
		Example: `  lockstep postman export
  lockstep postman export --format bruno --out bruno
  lockstep postman export --failed
  lockstep postman export --failed 12`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && !o.failed {
				return usage(cmd.CommandPath()+" --help", "%s takes no argument, but got %s", cmd.CommandPath(), shown(args[len(args)-1]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.args = args
			return g.runPostmanExport(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.dir, "out", "o", "", "the folder to write to (default \"postman\", or \"bruno\")")
	flags.StringVar(&o.format, "format", "postman", "postman or bruno")
	flags.BoolVar(&o.failed, "failed", false, "write the refused calls of a run (default: the last run that has any)")
	flags.BoolVar(&o.force, "force", false, "replace files that were changed since")
	return cmd
}

// postmanExportJSON is what postman export --json prints.
type postmanExportJSON struct {
	Format string `json:"format"`
	// Files that were written.
	Files    []string          `json:"files"`
	Requests int               `json:"requests"`
	Run      int64             `json:"run,omitempty"`
	LeftOut  []postman.LeftOut `json:"left_out"`
}

func (g *global) runPostmanExport(ctx context.Context, o postmanExportOptions) error {
	if o.format != "postman" && o.format != "bruno" {
		return usage("lockstep postman export --format postman", "there is no format %s: it is postman or bruno", shown(o.format))
	}
	if o.dir == "" {
		o.dir = o.format
	}
	return g.withPair(ctx, func(pair *app.Pair, _ *progress) error {
		options, err := g.postmanOptions(ctx, pair)
		if err != nil {
			return err
		}
		if o.failed {
			return g.exportFailed(ctx, pair, o, options)
		}
		collection, environment := postman.Export(pair.Bound, options)
		return g.writeCollection(o, collection, environment, 0)
	})
}

// postmanOptions are the addresses of the pair's accounts.
func (g *global) postmanOptions(ctx context.Context, pair *app.Pair) (postman.Options, error) {
	a, err := g.open()
	if err != nil {
		return postman.Options{}, err
	}
	vault, err := a.Vault()
	if err != nil {
		return postman.Options{}, err
	}
	hubSpot, _, err := vault.Get(ctx, pair.Mapping.HubSpot, crm.HubSpot)
	if err != nil {
		return postman.Options{}, err
	}
	salesforce, _, err := vault.Get(ctx, pair.Mapping.Salesforce, crm.Salesforce)
	if err != nil {
		return postman.Options{}, err
	}
	return optionsFor(hubSpot, salesforce), nil
}

func optionsFor(hubSpot, salesforce credential.Account) postman.Options {
	return postman.Options{
		Name:       "Lockstep: " + hubSpot.Name + " to " + salesforce.Name,
		HubSpotURL: hubSpot.BaseURL, SalesforceLoginURL: salesforce.LoginURL, SalesforceClientID: salesforce.ClientID,
	}
}

// collectionFile and environmentFile are named as Postman's own exports.
const (
	collectionFile  = "lockstep.postman_collection.json"
	environmentFile = "lockstep.postman_environment.json"
	failedFile      = "failed.postman_collection.json"
)

func (g *global) writeCollection(o postmanExportOptions, collection *postman.Collection, environment *postman.Environment, run int64) error {
	files, err := filesOf(o, collection, environment, run)
	if err != nil {
		return err
	}
	dir := g.path(o.dir)
	if err := checkReplaced(dir, files, o.force); err != nil {
		return err
	}
	var names []string
	for _, name := range sortedKeys(files) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fault.New(fault.Internal, "the folder %s cannot be made", filepath.Dir(path)).Wrap(err).WithMend("choose another with --out")
		}
		if err := app.ReplaceFile(path, files[name]); err != nil {
			return err
		}
		if run != 0 { // values of records
			if err := os.Chmod(path, 0o600); err != nil {
				return fault.New(fault.Internal, "%s cannot be kept from others", path).Wrap(err)
			}
		}
		names = append(names, filepath.Join(o.dir, name))
	}
	requests := len(collection.Requests())
	if g.json {
		return g.printJSON(postmanExportJSON{Format: o.format, Files: names, Requests: requests, Run: run, LeftOut: append([]postman.LeftOut{}, collection.LeftOut...)})
	}
	if o.format == "bruno" {
		g.print("Wrote %s to %s.", count(requests, "request", "requests"), o.dir)
	} else {
		for _, name := range names {
			g.print("Wrote %s", name)
		}
	}
	for _, l := range collection.LeftOut {
		g.say("  %s", l)
	}
	switch {
	case run != 0:
		g.say("They hold values of records, and no secret: fill in the token where you open them.")
	case o.format == "bruno":
		g.say("There is no secret in them: open the folder in Bruno and fill the secrets of its environment in.")
	default:
		g.say("There is no secret in them: import both in Postman and fill the secret variables in.")
		g.sayNext("lockstep postman run")
	}
	return nil
}

func filesOf(o postmanExportOptions, collection *postman.Collection, environment *postman.Environment, run int64) (map[string][]byte, error) {
	if o.format == "bruno" {
		return postman.Bruno(collection, environment), nil
	}
	text, err := postman.JSON(collection)
	if err != nil {
		return nil, err
	}
	values, err := postman.JSON(environment)
	if err != nil {
		return nil, err
	}
	if run != 0 {
		return map[string][]byte{"run-" + strconv.FormatInt(run, 10) + "." + failedFile: text, environmentFile: values}, nil
	}
	return map[string][]byte{collectionFile: text, environmentFile: values}, nil
}

// checkReplaced refuses to replace what somebody may have changed.
func checkReplaced(dir string, files map[string][]byte, force bool) error {
	if force {
		return nil
	}
	for _, name := range sortedKeys(files) {
		path := filepath.Join(dir, name)
		was, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fault.New(fault.Internal, "%s cannot be read", path).Wrap(err)
		case !bytes.Equal(was, files[name]):
			return fault.New(fault.Conflict, "%s is there already and differs", path).WithMend("lockstep postman export --force replaces it; --out writes to another folder")
		}
	}
	return nil
}

func sortedKeys(files map[string][]byte) []string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
