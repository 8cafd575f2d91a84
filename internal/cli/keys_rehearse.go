package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/legacykey"
)

type keysRehearseOptions struct {
	baseURL string
	account string
}

func newKeysRehearseCommand(g *global) *cobra.Command {
	var o keysRehearseOptions
	cmd := &cobra.Command{
		Use:   "rehearse OLD NEW",
		Short: "Send a collection's GET requests in both forms and compare the answers",
		Long: `Takes a Postman collection (or a folder of Bruno requests) as it was and as keys
migrate has made it, sends every GET request in both forms to one address, and
compares status, shape and ids of the answers. Other methods are never sent.

HubSpot itself refuses every key since 2022, so rehearse against a sandbox that
still takes one: lockstep sandbox --year 2022.

The key is read from LOCKSTEP_OLD_HAPIKEY, the token from the account that
--account names, or from LOCKSTEP_HUBSPOT_TOKEN. Neither is ever taken from the
collection. Traffic goes only to --base-url: https, or an address of this machine.

The exit code is 5 when an answer differs.`,
		Example: `  lockstep keys rehearse old.postman_collection.json new.postman_collection.json --base-url http://127.0.0.1:8081
  lockstep keys rehearse bruno-old bruno-new --account acme`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return usage(cmd.CommandPath()+" --help", "%s takes the old and the new collection, but got %s", cmd.CommandPath(), count(len(args), "argument", "arguments"))
		},
		RunE: func(cmd *cobra.Command, args []string) error { return g.runKeysRehearse(cmd.Context(), o, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.baseURL, "base-url", "", "where both forms are sent (default: that of --account)")
	flags.StringVar(&o.account, "account", "", "the connected HubSpot account whose token the new form sends")
	return cmd
}

func (g *global) runKeysRehearse(ctx context.Context, o keysRehearseOptions, args []string) error {
	r := legacykey.Rehearsal{BaseURL: o.baseURL, OldKey: g.env("LOCKSTEP_OLD_HAPIKEY")}
	if r.OldKey == "" {
		return usage("LOCKSTEP_OLD_HAPIKEY=… lockstep keys rehearse …", "the old form needs the key in the environment variable LOCKSTEP_OLD_HAPIKEY")
	}
	var err error
	if r.Old, err = legacykey.ReadRequests(g.path(args[0])); err != nil {
		return err
	}
	if r.New, err = legacykey.ReadRequests(g.path(args[1])); err != nil {
		return err
	}
	if err := g.rehearsalToken(ctx, o, &r); err != nil {
		return err
	}
	results, err := legacykey.Rehearse(ctx, r)
	if err != nil {
		return err
	}
	different, compared := 0, 0
	for _, result := range results {
		if result.Skipped == "" {
			compared++
			if !result.Same {
				different++
			}
		}
		if g.json {
			if err := g.printJSON(result); err != nil {
				return err
			}
		}
	}
	if !g.json {
		g.printRehearsal(results)
		g.say("%s compared, %d differ, %d skipped", count(compared, "request", "requests"), different, len(results)-compared)
	}
	if compared == 0 {
		return fault.New(fault.Invalid, "no request of %s could be compared with one of %s", args[0], args[1]).
			WithMend("give the collection as it was before keys migrate, then the one after it")
	}
	if different > 0 {
		return &exitError{code: fault.ExitRecords}
	}
	return nil
}

// rehearsalToken fills in the token, and the base URL where it is not given.
func (g *global) rehearsalToken(ctx context.Context, o keysRehearseOptions, r *legacykey.Rehearsal) error {
	if o.account == "" {
		r.BaseURL = cmp.Or(r.BaseURL, g.env("LOCKSTEP_HUBSPOT_URL"))
		if r.BaseURL == "" {
			return usage("--base-url http://127.0.0.1:8081", "where shall the requests go?")
		}
		pasted := g.env("LOCKSTEP_HUBSPOT_TOKEN")
		if pasted == "" {
			return usage("--account NAME, or LOCKSTEP_HUBSPOT_TOKEN", "the new form needs a token")
		}
		token, err := credential.ParseHubSpotToken(pasted, r.BaseURL)
		if err != nil {
			return err
		}
		r.Token = token.Reveal()
		return nil
	}
	a, err := g.open()
	if err != nil {
		return err
	}
	tokens, err := a.Tokens(ctx, o.account, crm.HubSpot)
	if err != nil {
		return err
	}
	account := tokens.Account()
	home := cmp.Or(account.BaseURL, credential.DefaultHubSpotBaseURL)
	if r.BaseURL != "" && r.BaseURL != home {
		return usage("leave --base-url out, or give the token of that address in LOCKSTEP_HUBSPOT_TOKEN",
			"the token of account %s belongs to %s and is not sent to another address", o.account, home)
	}
	r.BaseURL = home
	r.Token, err = tokens.Token(ctx)
	return err
}

func (g *global) printRehearsal(results []legacykey.Rehearsed) {
	for _, result := range results {
		switch {
		case result.Skipped != "":
			g.print("skipped    %s  %s: %s", result.Name, result.Path, result.Skipped)
		case result.Same:
			g.print("same       %s  %s  %d, %s", result.Name, result.Path, result.NewStatus, count(result.Records, "id", "ids"))
		default:
			g.print("different  %s  %s", result.Name, result.Path)
			for _, difference := range result.Differences {
				g.print("             %s", fmt.Sprint(difference))
			}
		}
	}
}
