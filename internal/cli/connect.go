package cli

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
)

func newConnectCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "connect",
		Short: "Connect a HubSpot or a Salesforce account",
		Long: `Checks a credential with the vendor and keeps it encrypted in .lockstep/.
Nothing is kept when the check does not pass.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConnectHubSpotCommand(g), newConnectSalesforceCommand(g))
	return cmd
}

// accountJSON is how an account is printed with --json.
type accountJSON struct {
	Name      string    `json:"name"`
	Side      crm.Side  `json:"side"`
	Kind      string    `json:"kind"`
	ID        string    `json:"id"`
	Title     string    `json:"title,omitempty"`
	User      string    `json:"user,omitempty"`
	Scopes    []string  `json:"scopes,omitempty"`
	BaseURL   string    `json:"base_url,omitempty"`
	LoginURL  string    `json:"login_url,omitempty"`
	Connected time.Time `json:"connected"`
}

func newAccountJSON(a credential.Account) accountJSON {
	return accountJSON{
		Name: a.Name, Side: a.Side, Kind: string(a.Kind), ID: a.ID, Title: a.Title, User: a.User, Scopes: a.Scopes,
		BaseURL: a.BaseURL, LoginURL: a.LoginURL, Connected: a.Connected,
	}
}

// keepAccount connects an account and says whose it is.
func (g *global) keepAccount(ctx context.Context, a *app.App, account credential.Account, material credential.Material, replace bool) error {
	account, err := a.Connect(ctx, account, material, replace)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(newAccountJSON(account))
	}
	g.print("Connected %s: %s account %s%s", account.Name, account.Side.Title(), account.ID, titled(account.ID, account.Title))
	if account.User != "" {
		g.print("  acts as   %s", account.User)
	}
	const longest = 12
	switch n := len(account.Scopes); {
	case n > longest:
		g.print("  may use   %d scopes; lockstep check says which of them the mapping needs", n)
	case n > 0:
		g.print("  may use   %s", strings.Join(account.Scopes, ", "))
	}
	g.sayKept(a)
	g.sayNext(g.nextAfterConnect(ctx, a))
	return nil
}

// sayKept tells where the credential lies, and where the key that opens it is.
func (g *global) sayKept(a *app.App) {
	from := ""
	if vault, err := a.Vault(); err == nil {
		from = vault.KeyFrom()
	}
	switch from {
	case "":
		g.say("The credential is kept encrypted in %s.", a.StateDir())
	case credential.KeyFromFile:
		g.say("The credential is kept encrypted in %s; its key is the file %s, which only you may read.", a.StateDir(), filepath.Join(a.StateDir(), credential.KeyFileName))
	case credential.KeyFromKeychain:
		g.say("The credential is kept encrypted in %s; its key is in this system's keychain.", a.StateDir())
	default:
		g.say("The credential is kept encrypted in %s; its key came from %s.", a.StateDir(), from)
	}
}

// nextAfterConnect is the command that a newcomer needs now.
func (g *global) nextAfterConnect(ctx context.Context, a *app.App) string {
	vault, err := a.Vault()
	if err != nil {
		return ""
	}
	accounts, err := vault.List(ctx)
	if err != nil {
		return ""
	}
	seen := map[crm.Side]bool{}
	for _, account := range accounts {
		seen[account.Side] = true
	}
	switch {
	case !seen[crm.Salesforce]:
		return "lockstep connect salesforce --help"
	case !seen[crm.HubSpot]:
		return "lockstep connect hubspot --help"
	default:
		return "lockstep init"
	}
}

// sayNext tells the next step on stderr.
func (g *global) sayNext(command string) {
	if command != "" {
		g.say("Next: %s", command)
	}
}

// titled is the account's name in parentheses, unless it only repeats its id.
func titled(id, title string) string {
	if strings.HasSuffix(title, " "+id) {
		return ""
	}
	return inParentheses(title)
}

func inParentheses(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
