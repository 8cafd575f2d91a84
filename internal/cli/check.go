package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

func newCheckCommand(g *global) *cobra.Command {
	var files checkFiles
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say whether accounts, scopes, fields and mapping fit",
		Long: `Asks both accounts whether they are there, whether the HubSpot token has the
scopes and the Salesforce user the permissions that the mapping needs (and which
it does not need), and whether every object, field, type, length, picklist and
required field of lockstep.yaml fits. Each problem comes with its place and the
step that mends it. Nothing is written in either account.

--permission-set writes a Salesforce permission set, --project-app the project of
a HubSpot app, each with exactly what the mapping needs and nothing else.`,
		Example: `  lockstep check
  lockstep check --needs          # every scope and permission, with its reason
  lockstep check --permission-set > Lockstep.permissionset-meta.xml
  lockstep check --permission-set=Lockstep.permissionset-meta.xml
  lockstep check --project-app=hubspot-app && hs project upload`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.runCheck(cmd.Context(), files) },
	}
	files.flags(cmd)
	return cmd
}

// checkJSON is what check --json prints.
type checkJSON struct {
	OK          bool             `json:"ok"`
	Accounts    []checkedAccount `json:"accounts"`
	Scopes      checkedScopes    `json:"scopes"`
	Permissions []needJSON       `json:"permissions"`
	// MissingPermissions and SuperfluousPermissions of the Salesforce user, by name.
	MissingPermissions     []string      `json:"missing_permissions"`
	SuperfluousPermissions []string      `json:"superfluous_permissions"`
	Errors                 int           `json:"errors"`
	Warnings               int           `json:"warnings"`
	Problems               []problemJSON `json:"problems"`
}

type checkedAccount struct {
	Side crm.Side `json:"side"`
	Name string   `json:"name"`
	ID   string   `json:"id"`
	// Title is what the vendor calls the account.
	Title string `json:"title"`
	User  string `json:"user,omitempty"`
}

// checkedScopes are HubSpot's; granted is null when HubSpot does not tell.
type checkedScopes struct {
	Needed      []needJSON `json:"needed"`
	Granted     []string   `json:"granted"`
	Missing     []string   `json:"missing"`
	Superfluous []string   `json:"superfluous"`
}

type needJSON struct {
	Name string `json:"name"`
	Why  string `json:"why"`
	// Or are other scopes that would do as well.
	Or     []string `json:"or,omitempty"`
	Access string   `json:"access,omitempty"`
	Object string   `json:"object,omitempty"`
	Field  string   `json:"field,omitempty"`
}

func newNeedsJSON(needs []mapping.Need) []needJSON {
	out := make([]needJSON, 0, len(needs))
	for _, n := range needs {
		out = append(out, needJSON{Name: n.Name, Why: n.Why, Or: n.Or, Access: n.Access, Object: n.Object, Field: n.Field})
	}
	return out
}

func newCheckJSON(c *app.Checked) checkJSON {
	out := checkJSON{
		OK: c.OK(), Errors: c.Errors(), Warnings: c.Warnings(),
		Accounts: []checkedAccount{
			{crm.HubSpot, c.Mapping.HubSpot, c.HubSpot.ID, c.HubSpot.Name, c.HubSpot.User},
			{crm.Salesforce, c.Mapping.Salesforce, c.Salesforce.ID, c.Salesforce.Name, c.Salesforce.User},
		},
		Scopes: checkedScopes{
			Needed: newNeedsJSON(c.Needed), Granted: c.HubSpot.Scopes,
			Missing: append([]string{}, app.ScopeNames(c.Missing)...), Superfluous: append([]string{}, c.Superfluous...),
		},
		Permissions:            newNeedsJSON(c.Permissions),
		MissingPermissions:     append([]string{}, app.NeedNames(c.MissingPermissions)...),
		SuperfluousPermissions: append([]string{}, c.SuperfluousPermissions...),
		Problems:               []problemJSON{},
	}
	for _, p := range c.Problems {
		out.Problems = append(out.Problems, newProblemJSON(p))
	}
	return out
}

func (g *global) runCheck(ctx context.Context, files checkFiles) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	c, err := a.Check(ctx)
	if err != nil {
		return err
	}
	printed, err := g.writeCheckFiles(files, c)
	if err != nil || printed {
		return err
	}
	if g.json {
		if err := g.printJSON(newCheckJSON(c)); err != nil {
			return err
		}
		return checkVerdict(c)
	}
	if files.needs {
		g.printNeeds(c)
	}
	g.printCheck(c)
	return checkVerdict(c)
}

// checkVerdict is the exit code of check; what is wrong was printed already.
func checkVerdict(c *app.Checked) error {
	if code := c.ExitCode(); code != 0 {
		return &exitError{code: code}
	}
	return nil
}

func (g *global) printCheck(c *app.Checked) {
	g.print("HubSpot      %s: account %s%s", c.Mapping.HubSpot, c.HubSpot.ID, titled(c.HubSpot.ID, c.HubSpot.Name))
	g.print("Salesforce   %s: account %s%s", c.Mapping.Salesforce, c.Salesforce.ID, titled(c.Salesforce.ID, c.Salesforce.Name))
	g.printScopes(c)
	for _, o := range c.Mapping.Objects {
		g.print("%-12s HubSpot %s <-> Salesforce %s, %s", o.Name, o.HubSpot, targetNames(o), count(len(o.Fields), "field", "fields"))
	}
	for _, p := range c.Mapping.Policies {
		g.print("%-12s %s, then %s", "policy", p.Name, p.Then)
	}
	g.printPermissions(c)
	for _, need := range c.Missing {
		writeIndented(g.Out, "error: ", fmt.Sprintf("the HubSpot token lacks the scope %s: %s", need.Name, need.Why))
		writeIndented(g.Out, "  next: ", "tick "+need.Name+" in HubSpot (Development > Keys > Service keys, or Legacy apps > your app > Scopes); the token stays the same")
	}
	for _, need := range c.MissingPermissions {
		writeIndented(g.Out, "error: ", fmt.Sprintf("the Salesforce user%s lacks %s: %s%s", nameOfUser(c), need.Name, need.Why, lines(c, need)))
	}
	boxes := 0
	for _, need := range c.MissingPermissions {
		if need.Name == mapping.MarketingUser {
			boxes++
			writeIndented(g.Out, "  next: ", "tick "+need.Name+" in Setup > Users > the user of the app; no permission set gives it")
		}
	}
	if len(c.MissingPermissions) > boxes {
		writeIndented(g.Out, "  next: ", "lockstep check --permission-set=Lockstep.permissionset-meta.xml writes a permission set with just what is needed; deploy it (sf project deploy start) and assign it to the user,\nor grant it in Setup > Permission Sets. What cannot be seen may also be misspelt in lockstep.yaml.")
	}
	for _, p := range c.Problems {
		tellProblem(g.Out, "error:", p)
	}
	if c.OK() {
		g.print("All fits%s.", warningsInWords(c))
		g.sayNext("lockstep plan")
		return
	}
	g.print("%s to mend%s.", count(c.Errors(), "problem", "problems"), warningsInWords(c))
}

func (g *global) printScopes(c *app.Checked) {
	needed := app.ScopeNames(c.Needed)
	if !c.ScopesTold {
		g.print("Scopes       HubSpot does not say what this token may do; needed are: %s", strings.Join(needed, ", "))
		return
	}
	g.print("Scopes       %d needed, %d of them granted: %s", len(needed), len(needed)-len(app.ScopeNames(c.Missing)), strings.Join(needed, ", "))
	if n := len(c.Superfluous); n > 0 {
		g.print("             %s more than needed; the token can do with less: %s", count(n, "scope", "scopes"), cut(strings.Join(c.Superfluous, ", "), 4*cellColumns))
	}
}

func warningsInWords(c *app.Checked) string {
	if c.Warnings() == 0 {
		return ""
	}
	return ", with " + count(c.Warnings(), "warning", "warnings")
}

// targetNames lists the Salesforce objects of a mapping's object.
func targetNames(o mapping.Object) string {
	var names []string
	for _, t := range o.Targets {
		names = append(names, t.Object)
	}
	return strings.Join(names, " or ")
}
