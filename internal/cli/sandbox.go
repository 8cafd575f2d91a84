package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// The ports that lockstep sandbox opens unless told otherwise: fixed, so that
// addresses in notes and scripts stay good.
const (
	sandboxHubSpotPort    = 8181
	sandboxSalesforcePort = 8182
	sandboxManagePort     = 8183
)

type sandboxOptions struct {
	seed           string
	random         uint64
	data           string
	hubSpotPort    int
	salesforcePort int
	managePort     int
	latency        time.Duration
	searchLag      time.Duration
	tenSecondly    int
	daily          int
	year           int
	accounts       int
}

func newSandboxCommand(g *global) *cobra.Command {
	var o sandboxOptions
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run a HubSpot and a Salesforce to try things on",
		Long: `Runs a HubSpot-compatible and a Salesforce-compatible server on this machine,
filled with one story of a business that is in both, until you press ctrl-C.
Nothing leaves the machine, and no account is needed.

Point any client, Postman or script at the addresses it prints; both answer a
browser too. A third port makes things go wrong, moves the clock and edits
records as a person would: open it to read how.`,
		Example: `  lockstep sandbox
  lockstep sandbox --seed 10000 --latency 150ms --search-lag 5s
  lockstep sandbox --year 2025                 # HubSpot's private apps can still be made
  lockstep sandbox --data sandbox.zip          # changes are still there next time
  lockstep sandbox --hubspot-port 0 --salesforce-port 0 --manage-port 0 --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.runSandbox(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.seed, "seed", "small", "how many people: small (60), medium (1,000), large (100,000), a number, or empty")
	flags.Uint64Var(&o.random, "random", 1, "which story of that size; ids and tokens follow from it")
	flags.StringVar(&o.data, "data", "", "keep the state in this file over restarts; what it holds wins over --seed")
	flags.IntVar(&o.hubSpotPort, "hubspot-port", sandboxHubSpotPort, "HubSpot's port; 0 takes any free one")
	flags.IntVar(&o.salesforcePort, "salesforce-port", sandboxSalesforcePort, "Salesforce's port")
	flags.IntVar(&o.managePort, "manage-port", sandboxManagePort, "the management port")
	flags.DurationVar(&o.latency, "latency", 0, "how long every call takes: 150ms")
	flags.DurationVar(&o.searchLag, "search-lag", 0, "how late HubSpot's search index is: 5s")
	flags.IntVar(&o.tenSecondly, "ten-secondly", 190, "HubSpot's limit of calls by one token in any ten seconds; -1 for none")
	flags.IntVar(&o.daily, "daily", 1_000_000, "HubSpot's limit of calls a day; -1 for none")
	flags.IntVar(&o.year, "year", 0, "play the HubSpot of a year where credentials are made: 2022 has API keys, 2025 private apps; 0 follows the clock")
	flags.IntVar(&o.accounts, "accounts", 2, "how many HubSpot accounts; an OAuth app can be installed in each")
	return cmd
}

// sandboxJSON is what sandbox --json prints, one line, once it listens.
type sandboxJSON struct {
	HubSpot     string              `json:"hubspot"`
	Salesforce  string              `json:"salesforce"`
	Manage      string              `json:"manage"`
	Seed        string              `json:"seed"`
	Credentials sandbox.Credentials `json:"credentials"`
}

func (g *global) runSandbox(ctx context.Context, o sandboxOptions) error {
	address := func(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
	box, err := sandbox.New(sandbox.Config{
		Seed: o.seed, Random: o.random, DataFile: g.path(o.data),
		HubSpotAddr: address(o.hubSpotPort), SalesforceAddr: address(o.salesforcePort), ManageAddr: address(o.managePort),
		Latency: o.latency, SearchLag: o.searchLag, TenSecondly: o.tenSecondly, Daily: o.daily, Year: o.year, Accounts: o.accounts,
	})
	if err != nil {
		return sandboxFault(err)
	}
	if err := box.Listen(ctx); err != nil {
		return sandboxFault(errors.Join(err, box.Close()))
	}
	if g.json {
		err = g.printJSON(sandboxJSON{box.HubSpotURL(), box.SalesforceURL(), box.ManageURL(), o.seed, box.Credentials()})
	} else {
		g.printSandbox(box, o)
	}
	if err == nil {
		<-ctx.Done()
	}
	return sandboxFault(errors.Join(err, box.Close()))
}

// printSandbox tells what a newcomer can paste.
func (g *global) printSandbox(box *sandbox.Sandbox, o sandboxOptions) {
	c := box.Credentials()
	h, sf := box.HubSpot(), box.Salesforce()
	g.print("HubSpot     %s   %d companies, %d contacts, %d deals", box.HubSpotURL(), h.Count("companies"), h.Count("contacts"), h.Count("deals"))
	g.print("Salesforce  %s   %d accounts, %d contacts, %d leads, %d opportunities", box.SalesforceURL(),
		sf.Count("Account"), sf.Count("Contact"), sf.Count("Lead"), sf.Count("Opportunity"))
	g.print("Management  %s   faults, clock, edits: open it to read how", box.ManageURL())
	g.print("Open the first two in a browser to look at the records, and to make credentials.")
	g.print("")
	g.print("HubSpot by hand:")
	g.print("  curl -s -H 'Authorization: Bearer %s' '%s/crm/v3/objects/contacts?limit=3'", c.HubSpot.PrivateApp, box.HubSpotURL())
	g.print("Salesforce by hand:")
	g.print(`  curl -s '%[1]s/services/data/v66.0/query?q=SELECT+Id,Name+FROM+Account+LIMIT+3' -H "Authorization: Bearer $(curl -s %[1]s/services/oauth2/token -d 'grant_type=client_credentials&client_id=%[2]s&client_secret=%[3]s' | grep -o '00D[^"]*' | head -1)"`,
		box.SalesforceURL(), c.Salesforce.ClientID, c.Salesforce.ClientSecret)
	g.print("Lockstep, in another terminal:")
	g.print("  echo %s | lockstep connect hubspot --base-url %s --token -", c.HubSpot.PrivateApp, box.HubSpotURL())
	g.print("  echo %[1]s | lockstep connect hubspot --base-url %[2]s --oauth --authorize-url %[2]s/oauth/authorize --client-id %[3]s --client-secret -    # or by OAuth, in the browser",
		c.HubSpot.OAuth.ClientSecret, box.HubSpotURL(), c.HubSpot.OAuth.ClientID)
	g.print("  echo %s | lockstep connect salesforce --login-url %s --client-id %s --client-secret -",
		c.Salesforce.ClientSecret, box.SalesforceURL(), c.Salesforce.ClientID)
	g.print("")
	if o.data != "" {
		g.say("changes are kept in %s", o.data)
	}
	g.say("running until ctrl-C")
}

// sandboxFault turns the sandbox's error into one with a kind.
func sandboxFault(err error) error {
	if err == nil {
		return nil
	}
	var e *sandbox.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("run the sandbox: %w", err)
	}
	f := fault.New(fault.Invalid, "%s", e.What).WithMend("%s", e.Mend)
	if e.Cause != nil {
		f = f.Wrap(e.Cause)
	}
	return f
}
