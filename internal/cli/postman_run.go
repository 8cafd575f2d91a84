package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/postman"
)

type postmanRunOptions struct {
	environment string
	newman      string
	folders     []string
	write       bool
	existing    string
	file        string
}

func newPostmanRunCommand(g *global) *cobra.Command {
	var o postmanRunOptions
	cmd := &cobra.Command{
		Use:   "run [FILE]",
		Short: "Run a collection with newman and report",
		Long: `Runs a collection with newman, Postman's own runner, with the credentials of the
accounts that lockstep.yaml names: without FILE the collection that export would
write now. The secrets go to newman in a file that only you can read and that is
removed at once; never in arguments. Salesforce is only read, unless --write is
given.`,
		Example: `  lockstep postman run
  lockstep postman run --folder "1 Check the token"
  lockstep postman run --write
  lockstep postman run postman/lockstep.postman_collection.json --environment postman/lockstep.postman_environment.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(cmd.CommandPath()+" --help", "%s takes one file, but got %s", cmd.CommandPath(), count(len(args), "argument", "arguments"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.file = args[0]
			}
			return g.runPostmanRun(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.environment, "environment", "", "an environment file to start from; secrets of the accounts go over it")
	flags.StringVar(&o.newman, "newman", "", "where newman is, when it is not in PATH")
	flags.StringArrayVar(&o.folders, "folder", nil, "run only this folder or request; may be given several times")
	flags.BoolVar(&o.write, "write", false, "let the chain write to Salesforce")
	flags.StringVar(&o.existing, "existing", "fill", "records that Salesforce has already: fill their blanks, overwrite, or leave")
	return cmd
}

// postmanRunJSON is what postman run --json prints.
type postmanRunJSON struct {
	OK bool `json:"ok"`
	*postman.Report
}

func (g *global) runPostmanRun(ctx context.Context, o postmanRunOptions) error {
	if o.existing != "fill" && o.existing != "overwrite" && o.existing != "leave" {
		return usage("lockstep postman run --existing fill", "--existing is fill, overwrite or leave, not %s", shown(o.existing))
	}
	newman, err := postman.FindNewman(ctx, g.path(o.newman), g.path("."), g.env)
	if err != nil {
		return err
	}
	a, err := g.open()
	if err != nil {
		return err
	}
	collection, environment, err := g.collectionToRun(ctx, a, o)
	if err != nil {
		return err
	}
	g.say("Running the collection with newman…")
	report, err := newman.Run(ctx, collection, environment, postman.RunOptions{Folders: o.folders, Dir: g.path(".")})
	if err != nil {
		return err
	}
	if g.json {
		if err := g.printJSON(postmanRunJSON{OK: report.Failed == 0, Report: report}); err != nil {
			return err
		}
	} else {
		g.printPostmanReport(report, o.write)
	}
	if report.Failed > 0 {
		return &exitError{code: fault.ExitProblem}
	}
	return nil
}

// collectionToRun is the collection and an environment with the secrets.
func (g *global) collectionToRun(ctx context.Context, a *app.App, o postmanRunOptions) ([]byte, *postman.Environment, error) {
	m, err := a.Mapping()
	if err != nil {
		return nil, nil, err
	}
	var collection []byte
	var environment *postman.Environment
	if o.file != "" {
		if collection, err = readInput(g.path(o.file)); err != nil {
			return nil, nil, err
		}
		environment = postman.EmptyEnvironment(postman.Options{})
	} else {
		if collection, environment, err = g.exported(ctx); err != nil {
			return nil, nil, err
		}
	}
	if o.environment != "" {
		text, err := readInput(g.path(o.environment))
		if err != nil {
			return nil, nil, err
		}
		if environment, err = postman.ParseEnvironment(text); err != nil {
			return nil, nil, err
		}
	}
	if o.write {
		environment.Put(postman.Write, "yes", false)
	}
	environment.Put(postman.Existing, o.existing, false)
	return collection, environment, g.fillSecrets(ctx, a, m, environment)
}

func (g *global) exported(ctx context.Context) (text []byte, environment *postman.Environment, err error) {
	err = g.withPair(ctx, func(pair *app.Pair, _ *progress) error {
		options, err := g.postmanOptions(ctx, pair)
		if err != nil {
			return err
		}
		collection, values := postman.Export(pair.Bound, options)
		environment = values
		text, err = postman.JSON(collection)
		return err
	})
	return text, environment, err
}

func readInput(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read", path).Wrap(err).WithMend("lockstep postman export writes one")
	}
	return text, nil
}

// fillSecrets gives the environment the credentials of the accounts. A refresh
// token is never given away: a rotation would make ours useless.
func (g *global) fillSecrets(ctx context.Context, a *app.App, m *mapping.Mapping, environment *postman.Environment) error {
	hubSpot, err := a.Tokens(ctx, m.HubSpot, crm.HubSpot)
	if err != nil {
		return err
	}
	token, err := hubSpot.Token(ctx)
	if err != nil {
		return err
	}
	environment.Put(postman.HubSpotURL, hubSpot.InstanceURL(), false)
	environment.Put(postman.HubSpotToken, token, true)
	salesforce, err := a.Tokens(ctx, m.Salesforce, crm.Salesforce)
	if err != nil {
		return err
	}
	access, err := salesforce.Token(ctx)
	if err != nil {
		return err
	}
	environment.Put(postman.AccessToken, access, true)
	environment.Put(postman.InstanceURL, salesforce.InstanceURL(), false)
	account := salesforce.Account()
	if account.Kind != credential.SalesforceClientCredentials {
		return nil
	}
	vault, err := a.Vault()
	if err != nil {
		return err
	}
	_, material, err := vault.Get(ctx, m.Salesforce, crm.Salesforce)
	if err != nil {
		return err
	}
	environment.Put(postman.SalesforceLoginURL, account.LoginURL, false)
	environment.Put(postman.SalesforceClientID, account.ClientID, false)
	environment.Put(postman.SalesforceClientSecret, material.ClientSecret.Reveal(), true)
	return nil
}

func (g *global) printPostmanReport(r *postman.Report, wrote bool) {
	for _, request := range r.Requests {
		status := "no answer"
		switch {
		case request.Skipped:
			status = "skipped"
		case request.Status > 0:
			status = fmt.Sprintf("HTTP %d", request.Status)
		}
		g.print("%s  (%s)", request.Name, status)
		for _, test := range request.Tests {
			if test.OK {
				g.print("  ok    %s", test.Name)
				continue
			}
			g.print("  FAIL  %s", test.Name)
			writeIndented(g.Out, "        ", test.Error)
		}
	}
	g.print("")
	g.print("%s sent, %s, %d failed, %s.", count(r.Sent, "request", "requests"), count(r.Assertions, "test", "tests"), r.Failed, took(time.Duration(r.Millis)*time.Millisecond))
	if !wrote {
		g.say("Nothing was written to Salesforce: --write lets the chain write.")
	}
}
