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
		Short: "List or remove connected accounts",
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
	cmd.AddCommand(list, remove)
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
	accounts, err := vault.List(ctx)
	if err != nil {
		return err
	}
	var found []credential.Account
	for _, account := range accounts {
		if account.Name == name && (sideName == "" || account.Side == crm.Side(sideName)) {
			found = append(found, account)
		}
	}
	switch len(found) {
	case 0:
		return fault.New(fault.NotFound, "no account is connected under the name %s", shown(name)).WithMend("lockstep accounts list")
	case 1:
	default:
		return usage("lockstep accounts remove "+name+" --side hubspot", "both sides have an account named %s", name)
	}
	if err := vault.Remove(ctx, found[0].Name, found[0].Side); err != nil {
		return err
	}
	if g.json {
		return g.printJSON(newAccountJSON(found[0]))
	}
	g.print("Removed %s: %s account %s%s", found[0].Name, found[0].Side.Title(), found[0].ID, titled(found[0].ID, found[0].Title))
	g.say("The credential is still valid at %s until it is ended there.", found[0].Side.Title())
	return nil
}
