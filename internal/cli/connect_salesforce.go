package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
)

type connectSalesforceOptions struct {
	name             string
	loginURL         string
	baseURL          string
	clientID         string
	clientSecret     string
	clientSecretFile string
	jwtKey           string
	username         string
	replace          bool
}

func newConnectSalesforceCommand(g *global) *cobra.Command {
	var o connectSalesforceOptions
	cmd := &cobra.Command{
		Use:   "salesforce",
		Short: "Connect a Salesforce org by an External Client App",
		Long: `Connects a Salesforce org by an External Client App (Setup > External Client App
Manager), in one of two ways:

  client credentials   --client-id and the client secret; the app names a Run As user
  JWT bearer           --client-id, --jwt-key and --username; the app holds the certificate

The client secret is read from stdin (--client-secret -), from a file, from the
environment variable LOCKSTEP_SALESFORCE_CLIENT_SECRET, or asked for without
showing it. It is never taken from the command line itself.

--login-url is your My Domain address (Setup > My Domain). LOCKSTEP_SALESFORCE_URL
gives it as well, and LOCKSTEP_SALESFORCE_CLIENT_ID the client id.`,
		Example: `  lockstep connect salesforce --login-url https://acme.my.salesforce.com --client-id 3MVG9… # asks for the secret
  lockstep connect salesforce --name acme-production --login-url https://acme.my.salesforce.com \
      --client-id 3MVG9… --client-secret - < secret.txt
  lockstep connect salesforce --client-id 3MVG9… --jwt-key server.key --username sync@acme.com`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.connectSalesforce(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "salesforce", "what this account is called in lockstep.yaml")
	flags.StringVar(&o.loginURL, "login-url", "", "your My Domain address; a JWT may use https://login.salesforce.com or https://test.salesforce.com")
	flags.StringVar(&o.baseURL, "base-url", "", "where the API is, when not where the login says")
	flags.StringVar(&o.clientID, "client-id", "", "the app's Consumer Key")
	flags.StringVar(&o.clientSecret, "client-secret", "", "- reads the app's Consumer Secret from stdin")
	flags.StringVar(&o.clientSecretFile, "client-secret-file", "", "a file that holds the app's Consumer Secret")
	flags.StringVar(&o.jwtKey, "jwt-key", "", "the private key file (PEM) whose certificate the app holds; - reads it from stdin")
	flags.StringVar(&o.username, "username", "", "the Salesforce user that a JWT stands for")
	flags.BoolVar(&o.replace, "replace", false, "let the name stand for another org from now on")
	return cmd
}

func (g *global) connectSalesforce(ctx context.Context, o connectSalesforceOptions) error {
	account, err := g.salesforceAccount(o)
	if err != nil {
		return err
	}
	material, err := g.salesforceMaterial(account.Kind, o)
	if err != nil {
		return err
	}
	a, err := g.open()
	if err != nil {
		return err
	}
	return g.keepAccount(ctx, a, account, material, o.replace)
}

func (g *global) salesforceAccount(o connectSalesforceOptions) (credential.Account, error) {
	account := credential.Account{Name: o.name, Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials, Username: o.username}
	login := cmp.Or(o.loginURL, g.env("LOCKSTEP_SALESFORCE_URL"), o.baseURL)
	if o.jwtKey != "" {
		account.Kind = credential.SalesforceJWT
		login = cmp.Or(login, credential.DefaultSalesforceLoginURL)
	}
	if o.jwtKey != "" && (o.clientSecret != "" || o.clientSecretFile != "") {
		return account, usage("leave --client-secret out, or --jwt-key", "--jwt-key and --client-secret are two different ways to connect")
	}
	if login == "" {
		return account, usage("add --login-url https://acme.my.salesforce.com, as Setup > My Domain shows it", "no Salesforce address was given")
	}
	var err error
	if account.LoginURL, err = credential.ValidateBaseURL(login); err != nil {
		return account, err
	}
	if o.baseURL != "" {
		if account.BaseURL, err = credential.ValidateBaseURL(o.baseURL); err != nil {
			return account, err
		}
	}
	account.ClientID, err = credential.CheckClientID(cmp.Or(o.clientID, g.env("LOCKSTEP_SALESFORCE_CLIENT_ID")))
	return account, err
}

func (g *global) salesforceMaterial(kind credential.Kind, o connectSalesforceOptions) (credential.Material, error) {
	if kind == credential.SalesforceJWT {
		in := secretInput{what: "private key", flag: "jwt-key", fileFlag: "jwt-key", file: o.jwtKey, whole: true}
		if o.jwtKey == "-" {
			in.value, in.file = "-", ""
		}
		pasted, err := g.readSecret(in)
		if err != nil {
			return credential.Material{}, err
		}
		key, err := credential.ParsePrivateKey(pasted)
		return credential.Material{PrivateKey: key}, err
	}
	pasted, err := g.readSecret(secretInput{
		what: "Salesforce client secret", flag: "client-secret", value: o.clientSecret,
		fileFlag: "client-secret-file", file: o.clientSecretFile, env: "LOCKSTEP_SALESFORCE_CLIENT_SECRET",
	})
	if err != nil {
		return credential.Material{}, err
	}
	return credential.Material{ClientSecret: credential.NewSecret(credential.Clean(pasted))}, nil
}
