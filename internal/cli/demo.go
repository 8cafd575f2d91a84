package cli

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

const (
	// demoEvery is how often the demo looks for changes: often enough to see a
	// change arrive while one watches.
	demoEvery = time.Second
	// The names under which the demo connects its two accounts.
	demoHubSpot    = "hubspot-sandbox"
	demoSalesforce = "salesforce-sandbox"
)

type demoOptions struct {
	seed    string
	once    bool
	keep    string
	latency time.Duration
}

func newDemoCommand(g *global) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See all of it work, without any account",
		Long: `Starts a HubSpot and a Salesforce on this machine, filled with one story of a
business that is in both, and does with them all that a person would: makes a
HubSpot app with just the scopes that are needed, connects, writes the mapping,
plans, copies, runs again (which writes nothing) and proves that both are in step.
Then it keeps watching: a change made in one of them arrives in the other.

Nothing leaves the machine. Nothing is kept, unless --keep names a folder.`,
		Example: `  lockstep demo
  lockstep demo --once --seed 10000
  lockstep demo --keep ./demo     # keeps lockstep.yaml and .lockstep/ to look at`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.runDemo(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.seed, "seed", "small", "how many people: small (60), medium (1,000), large (100,000), or a number")
	flags.BoolVar(&o.once, "once", false, "end after the proof; --json does, too")
	flags.StringVar(&o.keep, "keep", "", "keep the demo's files in this folder")
	flags.DurationVar(&o.latency, "latency", 0, "how long every call takes, as over a network: 150ms")
	return cmd
}

// demoJSON is what demo --json prints. Read counts each thing once (a linked
// pair is one), and the outcomes of the first sync add up to it.
type demoJSON struct {
	OK              bool           `json:"ok"`
	Read            map[string]int `json:"read"`
	Outcomes        crm.Tally      `json:"outcomes"`
	SecondRunWrites int            `json:"second_run_writes"`
	Calls           demoCalls      `json:"calls"`
	Seconds         float64        `json:"seconds"`
}

type demoCalls struct {
	HubSpot    int `json:"hubspot"`
	Salesforce int `json:"salesforce"`
}

// demo is one run of the demo.
type demo struct {
	*global
	options demoOptions
	started time.Time
	box     *sandbox.Sandbox
	app     *app.App
	pair    *app.Pair
	scopes  []string
	plan    *engine.Plan
	first   *engine.Run
	second  *engine.Run
	proof   *engine.Verification
}

func (g *global) runDemo(ctx context.Context, o demoOptions) (err error) {
	d := &demo{global: g, options: o, started: time.Now()}
	if err := d.start(ctx); err != nil {
		return err
	}
	defer func() { err = firstOf(err, d.end()) }()
	if err := d.story(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	result := d.result()
	if g.json {
		if err := g.printJSON(result); err != nil {
			return err
		}
	} else {
		d.printResult(ctx, result)
	}
	if !result.OK {
		return &exitError{fault.ExitRecords, fault.New(fault.Internal, "the demo did not end as it should").
			WithMend("lockstep demo --keep ./demo keeps its files; please report this as a defect")}
	}
	if g.json || o.once {
		return nil
	}
	return d.watch(ctx)
}

// start opens the sandbox and a place for the files.
func (d *demo) start(ctx context.Context) error {
	d.step("Starting a HubSpot and a Salesforce on this machine (%s)", d.options.seed)
	box, err := sandbox.New(sandbox.Config{Seed: d.options.seed, Latency: d.options.latency})
	if err != nil {
		return sandboxFault(err)
	}
	if err := box.Listen(ctx); err != nil {
		return sandboxFault(firstOf(err, box.Close()))
	}
	d.box = box
	d.say("  HubSpot     %s", box.HubSpotURL())
	d.say("  Salesforce  %s", box.SalesforceURL())
	folder, err := d.folder()
	if err != nil {
		return firstOf(err, box.Close())
	}
	log, err := d.logger()
	if err != nil {
		return firstOf(err, box.Close())
	}
	d.app = app.New(app.Config{File: filepath.Join(folder, "lockstep.yaml"), Log: log})
	return nil
}

// folder is where the demo's files are while it runs.
func (d *demo) folder() (string, error) {
	if d.options.keep == "" {
		return os.MkdirTemp("", "lockstep-demo-")
	}
	folder := d.path(d.options.keep)
	if _, err := os.Stat(filepath.Join(folder, "lockstep.yaml")); err == nil {
		return "", fault.New(fault.Conflict, "%s holds a lockstep.yaml already", d.options.keep).WithMend("name a folder that is empty or not there yet")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fault.New(fault.Internal, "the folder %s cannot be made", d.options.keep).WithMend("name another folder with --keep").Wrap(err)
	}
	return folder, nil
}

// end closes everything and forgets the files.
func (d *demo) end() error {
	err := firstOf(d.pair.Close(), d.box.Close())
	if d.options.keep == "" {
		err = firstOf(err, os.RemoveAll(filepath.Dir(d.app.File())))
	}
	return err
}

// story does, with the parts that every command uses, what a person would do.
func (d *demo) story(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{d.connect, d.draft, d.open, d.preview, d.copy, d.again, d.prove} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// demoOutline is the least that says which scopes the demo's app needs: the
// same objects that init suggests.
const demoOutline = `hubspot: demo
salesforce: demo
objects:
  - {name: companies, hubspot: companies, salesforce: Account, owner: by-email, fields: [{hubspot: name, salesforce: Name}]}
  - {name: people, hubspot: contacts, salesforce: [Contact, Lead], owner: by-email, fields: [{hubspot: email, salesforce: Email}], associations: [{hubspot: companies, salesforce: AccountId}]}
  - {name: deals, hubspot: deals, salesforce: Opportunity, owner: by-email, fields: [{hubspot: dealname, salesforce: Name}], associations: [{hubspot: contacts, salesforce: OpportunityContactRole}]}
`

// connect makes a private app with just the scopes that are needed, and
// connects both accounts as `lockstep connect` does.
func (d *demo) connect(ctx context.Context) error {
	outline, err := mapping.Parse("outline", []byte(demoOutline))
	if err != nil {
		return err
	}
	d.scopes = app.ScopeNames(outline.Scopes())
	d.step("Making a HubSpot app with just the %d scopes that are needed, and connecting both", len(d.scopes))
	for _, scope := range d.scopes {
		d.say("  %s", scope)
	}
	token := d.box.HubSpot().CreateToken(hubspot.TokenSpec{Kind: hubspot.PrivateApp, Name: "Lockstep demo", Scopes: d.scopes})
	salesforce := d.box.Credentials().Salesforce
	if err := d.keep(ctx, credential.Account{
		Name: demoHubSpot, Side: crm.HubSpot, Kind: credential.HubSpotToken, BaseURL: d.box.HubSpotURL(),
	}, credential.Material{Token: credential.NewSecret(token)}); err != nil {
		return err
	}
	return d.keep(ctx, credential.Account{
		Name: demoSalesforce, Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: d.box.SalesforceURL(), ClientID: salesforce.ClientID,
	}, credential.Material{ClientSecret: credential.NewSecret(salesforce.ClientSecret)})
}

func (d *demo) keep(ctx context.Context, account credential.Account, material credential.Material) error {
	account, err := d.app.Connect(ctx, account, material, false)
	if err != nil {
		return err
	}
	d.say("  connected %s: %s account %s%s", account.Name, account.Side.Title(), account.ID, titled(account.ID, account.Title))
	return nil
}

// draft writes the mapping that `lockstep init` suggests, and checks it.
func (d *demo) draft(ctx context.Context) error {
	d.step("Writing lockstep.yaml from both schemas, and checking it")
	text, err := d.app.Draft(ctx, demoHubSpot, demoSalesforce)
	if err != nil {
		return err
	}
	if err := d.app.WriteMapping(text, false); err != nil {
		return err
	}
	checked, err := d.app.Check(ctx)
	if err != nil {
		return err
	}
	if !checked.OK() {
		d.printCheck(checked)
		return fault.New(fault.Internal, "the suggested mapping does not fit").WithMend("please report this as a defect")
	}
	for _, o := range checked.Mapping.Objects {
		d.say("  %-10s HubSpot %s <-> Salesforce %s, %s", o.Name, o.HubSpot, targetNames(o), count(len(o.Fields), "field", "fields"))
	}
	return nil
}

func (d *demo) open(ctx context.Context) error {
	pair, err := d.app.Pair(ctx, nil)
	d.pair = pair
	return err
}

func (d *demo) preview(ctx context.Context) (err error) {
	d.step("Planning: what would change? (nothing is written)")
	if d.plan, err = d.pair.Engine.Plan(ctx, engine.PlanOptions{}); err != nil {
		return err
	}
	if !d.json && !d.quiet {
		printPlanCounts(d.Err, d.plan)
	}
	return nil
}

func (d *demo) copy(ctx context.Context) (err error) {
	d.step("Syncing")
	d.first, err = d.pair.Engine.Sync(ctx, engine.SyncOptions{Complete: true})
	if err == nil {
		d.say("  %s", writesInWords(d.first))
	}
	return err
}

func (d *demo) again(ctx context.Context) (err error) {
	d.step("Syncing again, which must write nothing")
	d.second, err = d.pair.Engine.Sync(ctx, engine.SyncOptions{})
	if err == nil {
		d.say("  %s", writesInWords(d.second))
	}
	return err
}

func (d *demo) prove(ctx context.Context) (err error) {
	d.step("Reading both sides completely and comparing every pair")
	d.proof, err = d.pair.Engine.Verify(ctx, nil)
	return err
}

// result adds the demo up.
func (d *demo) result() demoJSON {
	calls := d.box.HubSpot().Calls().Total
	salesforceCalls := d.box.Salesforce().Calls().Total
	r := demoJSON{
		Read: map[string]int{}, Outcomes: d.first.Tally, SecondRunWrites: d.second.Writes.Sum(),
		Calls: demoCalls{HubSpot: calls, Salesforce: salesforceCalls}, Seconds: roundedSeconds(time.Since(d.started)),
	}
	read := 0
	for _, o := range d.first.Objects {
		r.Read[o.Name] = o.Read
		read += o.Read
	}
	r.OK = d.first.Closed && d.first.Status == engine.RunDone && read == r.Outcomes.Sum() && r.Outcomes.Failed == 0 &&
		r.SecondRunWrites == 0 && d.proof.InStep && d.proof.Closed
	return r
}

func roundedSeconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Millisecond)) / float64(time.Second)
}
