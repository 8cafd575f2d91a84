package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func newAccountsCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "accounts",
		Short: "List, rotate or remove connected accounts",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return g.listAccounts(cmd.Context()) },
	}
	var side string
	list := &cobra.Command{
		Use:     "list",
		Short:   "List connected accounts; no secret is shown",
		Example: "  lockstep accounts list",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return g.listAccounts(cmd.Context()) },
	}
	remove := &cobra.Command{
		Use:   "remove NAME",
		Short: "Forget an account and its credential",
		Long: `Forgets an account and deletes its credential from .lockstep/. The token itself
stays valid: end it at the vendor, too, if it shall open nothing any more.`,
		Example: "  lockstep accounts remove acme",
		Args:    oneArgument("the name of an account"),
		RunE:    func(cmd *cobra.Command, args []string) error { return g.removeAccount(cmd.Context(), args[0], side) },
	}
	remove.Flags().StringVar(&side, "side", "", "hubspot or salesforce, when both have an account of that name")
	cmd.AddCommand(list, newRotateCommand(g), remove)
	return cmd
}

func (g *global) listAccounts(ctx context.Context) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	vault, err := a.Vault()
	if err != nil {
		return err
	}
	accounts, err := vault.List(ctx)
	if err != nil {
		return err
	}
	if g.json {
		for _, account := range accounts {
			if err := g.printJSON(newAccountJSON(account)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(accounts) == 0 {
		g.say("No account is connected yet.")
		g.sayNext("lockstep connect hubspot --help")
		return nil
	}
	t := newTable("NAME", "SIDE", "ACCOUNT", "TITLE", "CREDENTIAL", "ACTS AS", "CONNECTED")
	for _, account := range accounts {
		t.add(account.Name, account.Side.Title(), account.ID, account.Title, account.Kind.Title(), account.User, day(account.Connected))
	}
	g.show(t)
	return nil
}

func (g *global) removeAccount(ctx context.Context, name, sideName string) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	vault, err := a.Vault()
	if err != nil {
		return err
	}
	found, err := findAccount(ctx, vault, name, sideName, "remove")
	if err != nil {
		return err
	}
	if err := vault.Remove(ctx, found.Name, found.Side); err != nil {
		return err
	}
	if g.json {
		return g.printJSON(newAccountJSON(found))
	}
	g.print("Removed %s: %s account %s%s", found.Name, found.Side.Title(), found.ID, titled(found.ID, found.Title))
	g.say("%s", endedWhere(found))
	return nil
}

// endedWhere says what is left of a credential at the vendor.
func endedWhere(account credential.Account) string {
	switch account.Kind {
	case credential.HubSpotOAuth:
		return "The app is still installed in HubSpot until it is uninstalled there: Settings > Integrations > Connected apps."
	case credential.SalesforceOAuth:
		return "The login is still valid at Salesforce until it is revoked there: Setup > Connected Apps OAuth Usage, or Settings > Connections of the user."
	case credential.SalesforceCLI:
		return "The login itself belongs to the Salesforce CLI: sf org logout --target-org " + account.Username + " ends it."
	}
	return "The credential is still valid at " + account.Side.Title() + " until it is ended there."
}

// findAccount returns the account of a name; verb is for the message when both
// sides have one.
func findAccount(ctx context.Context, vault *credential.Vault, name, sideName, verb string) (credential.Account, error) {
	if sideName != "" && sideName != string(crm.HubSpot) && sideName != string(crm.Salesforce) {
		return credential.Account{}, usage("--side hubspot or --side salesforce", "there is no side %s", shown(sideName))
	}
	accounts, err := vault.List(ctx)
	if err != nil {
		return credential.Account{}, err
	}
	var found []credential.Account
	for _, account := range accounts {
		if account.Name == name && (sideName == "" || account.Side == crm.Side(sideName)) {
			found = append(found, account)
		}
	}
	switch len(found) {
	case 0:
		return credential.Account{}, fault.New(fault.NotFound, "no account is connected under the name %s", shown(name)).WithMend("lockstep accounts list")
	case 1:
		return found[0], nil
	}
	return credential.Account{}, usage("lockstep accounts "+verb+" "+name+" --side hubspot", "both sides have an account named %s", name)
}
