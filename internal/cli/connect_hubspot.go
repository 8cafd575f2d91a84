package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/oauth"
)

type connectHubSpotOptions struct {
	name    string
	baseURL string
	token   secretFlags
	replace bool

	oauth          bool
	clientID       string
	clientSecret   secretFlags
	authorizeURL   string
	optionalScopes []string
	browser        browserOptions
}

func newConnectHubSpotCommand(g *global) *cobra.Command {
	var o connectHubSpotOptions
	cmd := &cobra.Command{
		Use:   "hubspot",
		Short: "Connect a HubSpot account by its token or by OAuth",
		Long: `Connects a HubSpot account. On a terminal it asks which credential fits, and
says where it is made and which scopes to tick; in a pipe it never asks.

By token: that of a service key, a private app or a project app with static auth
(it starts with pat-). In HubSpot: Development > Keys > Service keys, or for an
older private app Development > Legacy apps > your app > Auth. The token is read
from stdin (--token -), from a file, from a file descriptor, from the environment
variable LOCKSTEP_HUBSPOT_TOKEN, or asked for without showing it.

By OAuth (--oauth): prints the address on which a super admin allows your app,
asks for exactly the scopes that the mapping needs, and takes the answer on this
machine. It needs the app's client id and client secret (--client-secret - reads
it from stdin; LOCKSTEP_HUBSPOT_CLIENT_ID and LOCKSTEP_HUBSPOT_CLIENT_SECRET give
both). Connecting a name anew takes what is not said from before.

With a token, --client-secret-file keeps the app's client secret beside it: it
proves that webhooks come from HubSpot (wake: of lockstep.yaml), and opens nothing.

No secret is ever taken from the command line itself. LOCKSTEP_HUBSPOT_URL gives
another base URL, as --base-url does, LOCKSTEP_HUBSPOT_AUTHORIZE_URL another
authorize page.`,
		Example: `  lockstep connect hubspot                          # asks
  lockstep connect hubspot --name acme --token - < token.txt
  lockstep connect hubspot --name acme --oauth --client-id ID --client-secret - < secret.txt
  lockstep connect hubspot --base-url http://127.0.0.1:8081 --token -`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.connectHubSpot(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "hubspot", "what this account is called in lockstep.yaml")
	flags.StringVar(&o.baseURL, "base-url", "", "where the API is (default "+credential.DefaultHubSpotBaseURL+")")
	o.token.add(flags, "token", "token")
	flags.BoolVar(&o.replace, "replace", false, "let the name stand for another account from now on")
	flags.BoolVar(&o.oauth, "oauth", false, "connect by OAuth, in the browser")
	flags.StringVar(&o.clientID, "client-id", "", "the app's client id, for --oauth")
	o.clientSecret.add(flags, "client-secret", "app's client secret (for --oauth, or to check webhooks)")
	flags.StringVar(&o.authorizeURL, "authorize-url", "", "the page that asks the person (default "+credential.DefaultHubSpotAuthorizeURL+")")
	flags.StringSliceVar(&o.optionalScopes, "optional-scope", nil, "a scope to ask for only where the account has it; may be repeated")
	o.browser.add(flags)
	return cmd
}

func (g *global) connectHubSpot(ctx context.Context, o connectHubSpotOptions) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	account := credential.Account{Name: o.name, Side: crm.HubSpot, Kind: credential.HubSpotToken}
	byToken := o.token.given() || g.env("LOCKSTEP_HUBSPOT_TOKEN") != ""
	if o.oauth && o.token.given() {
		return usage("leave one of them out", "--token and --oauth are two different ways to connect")
	}
	known, material := g.before(ctx, a, account)
	if o.oauth || !byToken && (o.clientID != "" || known.Kind == credential.HubSpotOAuth) {
		return g.connectHubSpotApp(ctx, a, o, known, material)
	}
	if !byToken && known.Name == "" && g.interactive() {
		callback, err := o.browser.address()
		if err != nil {
			return err
		}
		kind, err := g.guideHubSpot(a, callback)
		if err != nil {
			return err
		}
		if kind == credential.HubSpotOAuth {
			return g.connectHubSpotApp(ctx, a, o, known, material)
		}
	}
	if account.BaseURL, err = g.hubSpotBase(o, ""); err != nil {
		return err
	}
	token, err := g.readHubSpotToken(o.token, account.BaseURL)
	if err != nil {
		return err
	}
	fresh := credential.Material{Token: token}
	if known.Kind == credential.HubSpotToken {
		fresh.ClientSecret = material.ClientSecret
	}
	if o.clientSecret.given() {
		pasted, err := g.readSecret(o.clientSecret.input("HubSpot client secret", "client-secret", ""))
		if err != nil {
			return err
		}
		if fresh.ClientSecret, err = credential.ParseClientSecret(pasted); err != nil {
			return err
		}
	}
	return g.keepAccount(ctx, a, account, fresh, o.replace)
}

func (g *global) hubSpotBase(o connectHubSpotOptions, known string) (string, error) {
	return credential.ValidateBaseURL(cmp.Or(o.baseURL, g.env("LOCKSTEP_HUBSPOT_URL"), known, credential.DefaultHubSpotBaseURL))
}

func (g *global) readHubSpotToken(given secretFlags, base string) (credential.Secret, error) {
	pasted, err := g.readSecret(given.input("HubSpot token", "token", "LOCKSTEP_HUBSPOT_TOKEN"))
	if err != nil {
		return credential.Secret{}, err
	}
	return credential.ParseHubSpotToken(pasted, base)
}

// connectHubSpotApp connects by OAuth.
func (g *global) connectHubSpotApp(ctx context.Context, a *app.App, o connectHubSpotOptions, known credential.Account, material credential.Material) error {
	if known.Kind != credential.HubSpotOAuth {
		known, material = credential.Account{}, credential.Material{}
	}
	account := credential.Account{Name: o.name, Side: crm.HubSpot, Kind: credential.HubSpotOAuth}
	var err error
	if account.BaseURL, err = g.hubSpotBase(o, known.BaseURL); err != nil {
		return err
	}
	account.ClientID = credential.Clean(cmp.Or(o.clientID, g.env("LOCKSTEP_HUBSPOT_CLIENT_ID"), known.ClientID))
	if account.ClientID == "" && g.interactive() {
		if account.ClientID, err = g.ask("Client ID of the app", ""); err != nil {
			return err
		}
	}
	if account.ClientID, err = credential.CheckHubSpotClientID(account.ClientID); err != nil {
		return err
	}
	page := cmp.Or(o.authorizeURL, g.env("LOCKSTEP_HUBSPOT_AUTHORIZE_URL"), known.AuthorizeURL)
	if account.AuthorizeURL, err = credential.HubSpotAuthorizeURL(page, account.BaseURL); err != nil {
		return err
	}
	secret := material.ClientSecret
	if o.clientSecret.given() || secret.IsZero() || known.ClientID != account.ClientID {
		pasted, err := g.readSecret(o.clientSecret.input("HubSpot client secret", "client-secret", "LOCKSTEP_HUBSPOT_CLIENT_SECRET"))
		if err != nil {
			return err
		}
		if secret, err = credential.ParseClientSecret(pasted); err != nil {
			return err
		}
	}
	needs, mapped, err := a.NeededScopes(true)
	if err != nil {
		return err
	}
	if !mapped {
		g.say("There is no %s yet, so the scopes are those that companies, contacts and deals need.", a.File())
	}
	return g.signIn(ctx, a, account, secret, oauth.Page{
		Side: crm.HubSpot.Title(), URL: credential.AuthorizePage(account), ClientID: account.ClientID,
		Scopes: app.OAuthScopes(needs), OptionalScopes: o.optionalScopes,
	}, o.browser, o.replace)
}
