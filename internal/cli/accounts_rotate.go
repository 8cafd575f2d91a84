package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

type rotateOptions struct {
	side         string
	token        secretFlags
	clientSecret secretFlags
	jwtKey       string
	jwtKeyFD     int
}

func newRotateCommand(g *global) *cobra.Command {
	var o rotateOptions
	cmd := &cobra.Command{
		Use:   "rotate [NAME]",
		Short: "Change the key of all credentials, or replace the credential of one account",
		Long: `Without a name: makes a new data key and seals every credential anew with it; the
key that opens them is changed, too, in the keychain or in .lockstep/key. Where
LOCKSTEP_KEY or LOCKSTEP_KEY_FILE gives that key, LOCKSTEP_KEY_NEXT gives its
successor.

With a name: replaces that account's token, client secret or private key by a new
one. The new one is checked first and must open the same account; until then, and
if it does not, the old one stays.`,
		Example: `  lockstep accounts rotate
  lockstep accounts rotate acme                     # asks for the new token
  lockstep accounts rotate acme --token - < new-token.txt`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return oneArgument("the name of an account, or nothing")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := g.open()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return g.rotateKey(cmd.Context(), a, o)
			}
			return g.rotateAccount(cmd.Context(), a, args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.side, "side", "", "hubspot or salesforce, when both have an account of that name")
	o.token.add(flags, "token", "new token")
	o.clientSecret.add(flags, "client-secret", "new client secret")
	flags.StringVar(&o.jwtKey, "jwt-key", "", "the new private key file (PEM); - reads it from stdin")
	flags.IntVar(&o.jwtKeyFD, "jwt-key-fd", -1, "an open file descriptor to read the new private key from")
	return cmd
}

// rotatedJSON is what `accounts rotate` prints with --json.
type rotatedJSON struct {
	Rotated string `json:"rotated"`
	Sealed  int    `json:"sealed"`
	Key     string `json:"key"`
}

func (g *global) rotateKey(ctx context.Context, a *app.App, o rotateOptions) error {
	if o.token.given() || o.clientSecret.given() || o.jwtKey != "" || o.jwtKeyFD >= 0 || o.side != "" {
		return usage("lockstep accounts rotate NAME …", "a new credential needs the name of its account")
	}
	vault, err := a.Vault()
	if err != nil {
		return err
	}
	accounts, err := vault.List(ctx)
	if err != nil {
		return err
	}
	if len(accounts) == 0 {
		return fault.New(fault.NotFound, "no account is connected, so there is no key to rotate").WithMend("lockstep connect hubspot --help")
	}
	if err := vault.RotateKey(ctx, credential.NewSecret(g.env(credential.EnvNextKey))); err != nil {
		return err
	}
	if g.json {
		return g.printJSON(rotatedJSON{Rotated: "key", Sealed: len(accounts), Key: vault.KeyFrom()})
	}
	g.print("Sealed %s anew under a new data key", count(len(accounts), "credential", "credentials"))
	switch from := vault.KeyFrom(); from {
	case credential.KeyFromFile, credential.KeyFromKeychain:
		g.say("The key in the %s is a new one; copies of the old one open nothing any more but old copies of .lockstep/accounts.json.", from)
	default:
		g.say("The key in %s stays; to change it give its successor in %s and rotate again.", from, credential.EnvNextKey)
	}
	return nil
}

// rotateAccount replaces the credential of one account.
func (g *global) rotateAccount(ctx context.Context, a *app.App, name string, o rotateOptions) error {
	vault, err := a.Vault()
	if err != nil {
		return err
	}
	account, err := findAccount(ctx, vault, name, o.side, "rotate")
	if err != nil {
		return err
	}
	material, err := g.newMaterial(account, o)
	if err != nil {
		return err
	}
	if _, old, err := vault.Get(ctx, account.Name, account.Side); err == nil && account.Kind == credential.HubSpotToken {
		material.ClientSecret = old.ClientSecret // it checks webhooks, and a new token leaves it as it is
	}
	before := account.ID
	fresh, err := a.Connect(ctx, account, material, false)
	if fault.KindOf(err) == fault.Conflict {
		return fault.New(fault.Conflict, "the new credential opens another account than %s does, and was not kept", before).
			WithMend("give one of the same account; or connect the other under a name of its own: lockstep connect %s --name NAME", account.Side)
	}
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(newAccountJSON(fresh))
	}
	g.print("Replaced the credential of %s: %s account %s%s", fresh.Name, fresh.Side.Title(), fresh.ID, titled(fresh.ID, fresh.Title))
	if account.Kind == credential.HubSpotToken {
		g.say("The old token works on until it is expired in HubSpot; one that was rotated there with \"expire later\" ends after 7 days.")
	} else {
		g.say("The old one works on at %s until it is taken away there.", account.Side.Title())
	}
	return nil
}

// newMaterial reads the successor of an account's secret.
func (g *global) newMaterial(account credential.Account, o rotateOptions) (credential.Material, error) {
	wrong := func(fits string) error {
		return usage("lockstep accounts rotate "+account.Name+" "+fits, "account %s is connected by %s", account.Name, account.Kind.Title())
	}
	jwt := o.jwtKey != "" || o.jwtKeyFD >= 0
	switch account.Kind {
	case credential.HubSpotToken:
		if o.clientSecret.given() || jwt {
			return credential.Material{}, wrong("--token -")
		}
		base := account.BaseURL
		if base == "" {
			base = credential.DefaultHubSpotBaseURL
		}
		token, err := g.readHubSpotToken(o.token, base)
		return credential.Material{Token: token}, err
	case credential.SalesforceClientCredentials:
		if o.token.given() || jwt {
			return credential.Material{}, wrong("--client-secret -")
		}
		secret, err := g.readConsumerSecret(o.clientSecret)
		return credential.Material{ClientSecret: secret}, err
	case credential.SalesforceJWT:
		if o.token.given() || o.clientSecret.given() {
			return credential.Material{}, wrong("--jwt-key FILE")
		}
		key, err := g.readPrivateKey(o.jwtKey, o.jwtKeyFD)
		return credential.Material{PrivateKey: key}, err
	}
	return credential.Material{}, usage("lockstep connect "+string(account.Side)+" --name "+account.Name,
		"account %s is connected by %s, which renews itself; connecting it again replaces the login", account.Name, account.Kind.Title())
}
