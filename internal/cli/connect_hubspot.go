package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
)

type connectHubSpotOptions struct {
	name      string
	baseURL   string
	token     string
	tokenFile string
	replace   bool
}

func newConnectHubSpotCommand(g *global) *cobra.Command {
	var o connectHubSpotOptions
	cmd := &cobra.Command{
		Use:   "hubspot",
		Short: "Connect a HubSpot account by its token",
		Long: `Connects a HubSpot account by the token of a service key or a private app (it
starts with pat-). In HubSpot: Development > Keys > Service keys, or for an older
private app Development > Legacy apps > your app > Auth.

The token is read from stdin (--token -), from a file, from the environment
variable LOCKSTEP_HUBSPOT_TOKEN, or asked for without showing it. It is never
taken from the command line itself.

LOCKSTEP_HUBSPOT_URL gives another base URL, as --base-url does.`,
		Example: `  lockstep connect hubspot                          # asks for the token
  lockstep connect hubspot --name acme --token - < token.txt
  lockstep connect hubspot --base-url http://127.0.0.1:8081 --token -`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.connectHubSpot(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "hubspot", "what this account is called in lockstep.yaml")
	flags.StringVar(&o.baseURL, "base-url", "", "where the API is (default "+credential.DefaultHubSpotBaseURL+")")
	flags.StringVar(&o.token, "token", "", "- reads the token from stdin")
	flags.StringVar(&o.tokenFile, "token-file", "", "a file that holds the token")
	flags.BoolVar(&o.replace, "replace", false, "let the name stand for another account from now on")
	return cmd
}

func (g *global) connectHubSpot(ctx context.Context, o connectHubSpotOptions) error {
	base, err := credential.ValidateBaseURL(cmp.Or(o.baseURL, g.env("LOCKSTEP_HUBSPOT_URL"), credential.DefaultHubSpotBaseURL))
	if err != nil {
		return err
	}
	pasted, err := g.readSecret(secretInput{
		what: "HubSpot token", flag: "token", value: o.token,
		fileFlag: "token-file", file: o.tokenFile, env: "LOCKSTEP_HUBSPOT_TOKEN",
	})
	if err != nil {
		return err
	}
	token, err := credential.ParseHubSpotToken(pasted, base)
	if err != nil {
		return err
	}
	a, err := g.open()
	if err != nil {
		return err
	}
	account := credential.Account{Name: o.name, Side: crm.HubSpot, Kind: credential.HubSpotToken, BaseURL: base}
	return g.keepAccount(ctx, a, account, credential.Material{Token: token}, o.replace)
}
