package cli

import (
	"cmp"
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/oauth"
)

type connectSalesforceOptions struct {
	name         string
	loginURL     string
	baseURL      string
	clientID     string
	clientSecret secretFlags
	jwtKey       string
	jwtKeyFD     int
	username     string
	web          bool
	fromSF       string
	browser      browserOptions
	replace      bool
}

func newConnectSalesforceCommand(g *global) *cobra.Command {
	var o connectSalesforceOptions
	cmd := &cobra.Command{
		Use:   "salesforce",
		Short: "Connect a Salesforce org by an External Client App, or by a login",
		Long: `Connects a Salesforce org in one of four ways. On a terminal it asks which one
fits, and says where the app is made; in a pipe it never asks.

  client credentials   --client-id and the client secret; the app names a Run As user
  JWT bearer           --client-id, --jwt-key and --username; the app holds the certificate
  login in the browser --web and --client-id; the app has the callback URL (PKCE, refresh token)
  Salesforce CLI       --from-sf ALIAS; the login that sf has on this machine

The first three need an External Client App (Setup > External Client App
Manager); an older connected app serves as well.

The client secret is read from stdin (--client-secret -), from a file, from a file
descriptor, from the environment variable LOCKSTEP_SALESFORCE_CLIENT_SECRET, or
asked for without showing it. It is never taken from the command line itself.

--login-url is your My Domain address (Setup > My Domain). LOCKSTEP_SALESFORCE_URL
gives it as well, and LOCKSTEP_SALESFORCE_CLIENT_ID the client id. Connecting a
name anew takes what is not said from before.`,
		Example: `  lockstep connect salesforce                       # asks
  lockstep connect salesforce --login-url https://acme.my.salesforce.com --client-id 3MVG9… # asks for the secret
  lockstep connect salesforce --name acme-production --login-url https://acme.my.salesforce.com \
      --client-id 3MVG9… --client-secret - < secret.txt
  lockstep connect salesforce --client-id 3MVG9… --jwt-key server.key --username sync@acme.com
  lockstep connect salesforce --web --client-id 3MVG9…
  lockstep connect salesforce --from-sf acme`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.connectSalesforce(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "salesforce", "what this account is called in lockstep.yaml")
	flags.StringVar(&o.loginURL, "login-url", "", "your My Domain address; a JWT and a web login may use https://login.salesforce.com or https://test.salesforce.com")
	flags.StringVar(&o.baseURL, "base-url", "", "where the API is, when not where the login says")
	flags.StringVar(&o.clientID, "client-id", "", "the app's Consumer Key")
	o.clientSecret.add(flags, "client-secret", "app's Consumer Secret")
	flags.StringVar(&o.jwtKey, "jwt-key", "", "the private key file (PEM) whose certificate the app holds; - reads it from stdin")
	flags.IntVar(&o.jwtKeyFD, "jwt-key-fd", -1, "an open file descriptor to read the private key from")
	flags.StringVar(&o.username, "username", "", "the Salesforce user that a JWT stands for")
	flags.BoolVar(&o.web, "web", false, "log in in the browser")
	flags.StringVar(&o.fromSF, "from-sf", "", "use the login that the Salesforce CLI has under this alias or username")
	o.browser.add(flags)
	flags.BoolVar(&o.replace, "replace", false, "let the name stand for another org from now on")
	return cmd
}

func (o *connectSalesforceOptions) jwt() bool { return o.jwtKey != "" || o.jwtKeyFD >= 0 }

func (g *global) connectSalesforce(ctx context.Context, o connectSalesforceOptions) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	if err := o.oneWay(); err != nil {
		return err
	}
	known, material := g.before(ctx, a, credential.Account{Name: o.name, Side: crm.Salesforce})
	kind, err := g.salesforceKind(o, known)
	if err != nil {
		return err
	}
	if kind == "" {
		if kind, err = g.askSalesforce(&o); err != nil {
			return err
		}
	}
	if known.Kind != kind {
		known, material = credential.Account{}, credential.Material{}
	}
	switch kind {
	case credential.SalesforceCLI:
		return g.connectSF(ctx, a, o, known)
	case credential.SalesforceOAuth:
		return g.connectWeb(ctx, a, o, known, material)
	}
	account, err := g.salesforceAccount(o, kind, known)
	if err != nil {
		return err
	}
	fresh, err := g.salesforceMaterial(account.Kind, o)
	if err != nil {
		return err
	}
	return g.keepAccount(ctx, a, account, fresh, o.replace)
}

// oneWay refuses two ways at once.
func (o *connectSalesforceOptions) oneWay() error {
	ways := []struct {
		flag string
		used bool
	}{{"--jwt-key", o.jwt()}, {"--web", o.web}, {"--from-sf", o.fromSF != ""}, {"--client-secret", o.clientSecret.given() && !o.web}}
	first := ""
	for _, way := range ways {
		if way.used && first != "" {
			return usage("leave "+way.flag+" out, or "+first, "%s and %s are two different ways to connect", first, way.flag)
		}
		if way.used {
			first = way.flag
		}
	}
	return nil
}

// salesforceKind tells which way the flags mean; "" when a person has to be
// asked.
func (g *global) salesforceKind(o connectSalesforceOptions, known credential.Account) (credential.Kind, error) {
	switch {
	case o.jwt():
		return credential.SalesforceJWT, nil
	case o.web:
		return credential.SalesforceOAuth, nil
	case o.fromSF != "":
		return credential.SalesforceCLI, nil
	case o.clientSecret.given() || o.clientID != "" || g.env("LOCKSTEP_SALESFORCE_CLIENT_SECRET") != "":
		return credential.SalesforceClientCredentials, nil
	case known.Kind != "":
		return known.Kind, nil
	case g.interactive() && o.loginURL == "" && g.env("LOCKSTEP_SALESFORCE_CLIENT_ID") == "":
		return "", nil
	}
	return credential.SalesforceClientCredentials, nil
}

// askSalesforce guides a person and asks for what no flag gave.
func (g *global) askSalesforce(o *connectSalesforceOptions) (credential.Kind, error) {
	kind, err := g.guideSalesforce()
	if err != nil {
		return "", err
	}
	fill := func(value *string, question, fallback string) {
		if err == nil && *value == "" {
			*value, err = g.ask(question, fallback)
		}
	}
	if kind == credential.SalesforceCLI {
		fill(&o.fromSF, "Alias or username of the login", "")
		return kind, err
	}
	if g.env("LOCKSTEP_SALESFORCE_URL") == "" && o.baseURL == "" {
		shared := credential.DefaultSalesforceLoginURL
		if kind == credential.SalesforceClientCredentials {
			shared = ""
		}
		fill(&o.loginURL, "Your My Domain address (Setup > My Domain), such as https://acme.my.salesforce.com", shared)
	}
	fill(&o.clientID, "Consumer Key of the app", "")
	if kind == credential.SalesforceJWT {
		fill(&o.jwtKey, "File with the private key", "lockstep.key")
		fill(&o.username, "Username of the Salesforce user to act as", "")
	}
	return kind, err
}

func (g *global) salesforceAccount(o connectSalesforceOptions, kind credential.Kind, known credential.Account) (credential.Account, error) {
	account := credential.Account{Name: o.name, Side: crm.Salesforce, Kind: kind, Username: cmp.Or(o.username, known.Username)}
	login := cmp.Or(o.loginURL, g.env("LOCKSTEP_SALESFORCE_URL"), o.baseURL, known.LoginURL)
	if kind != credential.SalesforceClientCredentials {
		login = cmp.Or(login, credential.DefaultSalesforceLoginURL)
	}
	if login == "" {
		return account, usage("add --login-url https://acme.my.salesforce.com, as Setup > My Domain shows it", "no Salesforce address was given")
	}
	var err error
	if account.LoginURL, err = credential.ValidateBaseURL(login); err != nil {
		return account, err
	}
	if base := cmp.Or(o.baseURL, known.BaseURL); base != "" {
		if account.BaseURL, err = credential.ValidateBaseURL(base); err != nil {
			return account, err
		}
	}
	account.ClientID, err = credential.CheckClientID(cmp.Or(o.clientID, g.env("LOCKSTEP_SALESFORCE_CLIENT_ID"), known.ClientID))
	return account, err
}

func (g *global) salesforceMaterial(kind credential.Kind, o connectSalesforceOptions) (credential.Material, error) {
	if kind == credential.SalesforceJWT {
		key, err := g.readPrivateKey(o.jwtKey, o.jwtKeyFD)
		return credential.Material{PrivateKey: key}, err
	}
	secret, err := g.readConsumerSecret(o.clientSecret)
	return credential.Material{ClientSecret: secret}, err
}

func (g *global) readPrivateKey(file string, fd int) (credential.Secret, error) {
	if file == "" && fd < 0 {
		return credential.Secret{}, usage("add --jwt-key FILE, or --jwt-key - and the key on stdin", "no private key was given")
	}
	in := secretInput{what: "private key", flag: "jwt-key", fileFlag: "jwt-key", file: file, fd: fd, fromFD: fd >= 0, whole: true}
	if file == "-" {
		in.value, in.file = "-", ""
	}
	pasted, err := g.readSecret(in)
	if err != nil {
		return credential.Secret{}, err
	}
	return credential.ParsePrivateKey(pasted)
}

func (g *global) readConsumerSecret(given secretFlags) (credential.Secret, error) {
	pasted, err := g.readSecret(given.input("Salesforce client secret", "client-secret", "LOCKSTEP_SALESFORCE_CLIENT_SECRET"))
	if err != nil {
		return credential.Secret{}, err
	}
	return credential.ParseClientSecret(pasted)
}

// connectWeb connects by a login in the browser.
func (g *global) connectWeb(ctx context.Context, a *app.App, o connectSalesforceOptions, known credential.Account, material credential.Material) error {
	if o.clientID == "" && known.ClientID == "" && g.env("LOCKSTEP_SALESFORCE_CLIENT_ID") == "" && g.interactive() {
		var err error
		if o.clientID, err = g.ask("Consumer Key of the app", ""); err != nil {
			return err
		}
	}
	account, err := g.salesforceAccount(o, credential.SalesforceOAuth, known)
	if err != nil {
		return err
	}
	// An app that demands no secret is given none: nobody is asked for one.
	var secret credential.Secret
	if known.ClientID == account.ClientID {
		secret = material.ClientSecret
	}
	if o.clientSecret.given() || g.env("LOCKSTEP_SALESFORCE_CLIENT_SECRET") != "" {
		if secret, err = g.readConsumerSecret(o.clientSecret); err != nil {
			return err
		}
	}
	return g.signIn(ctx, a, account, secret, oauth.Page{
		Side: crm.Salesforce.Title(), URL: credential.AuthorizePage(account), ClientID: account.ClientID, Scopes: credential.SalesforceScopes(),
	}, o.browser, o.replace)
}

// connectSF connects by the login that the Salesforce CLI has.
func (g *global) connectSF(ctx context.Context, a *app.App, o connectSalesforceOptions, known credential.Account) error {
	alias := cmp.Or(o.fromSF, known.Username)
	org, err := credential.DisplaySF(ctx, alias)
	if fault.KindOf(err) == fault.NotFound || credential.IsNoSF(err) {
		account, key, found := credential.PlainSFLogin(g.home(), alias)
		if !found {
			return err
		}
		account.Name = o.name
		private, keyErr := g.readPrivateKey(key, -1)
		if keyErr != nil {
			return keyErr
		}
		g.say("The Salesforce CLI's login %s is a JWT login; its client id and key file are taken over.", alias)
		return g.keepAccount(ctx, a, account, credential.Material{PrivateKey: private}, o.replace)
	}
	if err != nil {
		return err
	}
	account := credential.Account{Name: o.name, Side: crm.Salesforce, Kind: credential.SalesforceCLI, Username: cmp.Or(org.Alias, org.Username, alias), BaseURL: o.baseURL}
	g.say("The login stays with the Salesforce CLI; Lockstep asks it for access tokens.")
	return g.keepAccount(ctx, a, account, credential.Material{}, o.replace)
}

// home is where the Salesforce CLI keeps its files.
func (g *global) home() string {
	return filepath.Clean(cmp.Or(g.env("HOME"), g.env("USERPROFILE"), "."))
}
