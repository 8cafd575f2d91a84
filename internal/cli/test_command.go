package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/trial"
)

// The files that lockstep test finds beside the mapping.
const (
	casesFile = "lockstep.test.yaml"
	twinFile  = "lockstep.twin.json"
)

type testOptions struct {
	seed      string
	random    uint64
	cases     string
	twin      string
	junit     string
	noStory   bool
	allowHeld bool
}

func newTestCommand(g *global) *cobra.Command {
	var o testOptions
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Try the mapping and its policies offline, on made-up records",
		Long: `Starts a HubSpot and a Salesforce in this process, fills them with one story of a
business that is in both, and works on them with lockstep.yaml as it is: plan,
sync, a second sync that must write nothing, a proof, edits of every mapped field
on both sides, and all of it again. Every policy is held against all that was
planned. No account, no token and no network are needed.

Cases of your own stand in lockstep.test.yaml beside the mapping:

  cases:
    - name: nobody without a last name is created
      object: people
      hubspot: {email: ann@acme.example, firstname: Ann}
      expect: {outcome: held, reason: held.required-blank, salesforce: none}
    - name: the newer title wins
      object: people
      hubspot: {email: bob@acme.example, lastname: Ray, jobtitle: Buyer}
      salesforce: {LastName: Ray, Email: bob@acme.example}
      with: {companies: {name: Acme, domain: acme.example}}
      then: {salesforce: {Title: Head of buying}}
      expect: {outcome: synced, hubspot: {jobtitle: Head of buying}}

What your accounts have and the sandbox does not (custom fields and objects,
picklist values, pipelines) comes from lockstep.twin.json, which
lockstep schema --twin lockstep.twin.json copies once: schemas, no record.`,
		Example: `  lockstep test
  lockstep test --seed 500 --random 7
  lockstep test --junit report.xml      # for CI`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.runTest(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.seed, "seed", "small", "how many people the story has: small (60), medium (1,000), or a number")
	flags.Uint64Var(&o.random, "random", 1, "which of the stories of that size")
	flags.StringVar(&o.cases, "cases", "", "the file of cases (default: "+casesFile+" beside the mapping, where there is one)")
	flags.StringVar(&o.twin, "twin", "", "the copied schemas (default: "+twinFile+" beside the mapping, where there is one)")
	flags.StringVar(&o.junit, "junit", "", "write the results into this file as well, as JUnit XML")
	flags.BoolVar(&o.noStory, "no-story", false, "run the cases only")
	flags.BoolVar(&o.allowHeld, "allow-held", false, "what a policy holds is no failure")
	return cmd
}

// testJSON is the last line of test --json.
type testJSON struct {
	OK     bool   `json:"ok"`
	Passed int    `json:"passed"`
	Failed int    `json:"failed"`
	Seed   string `json:"seed"`
	Random uint64 `json:"random"`
}

func (g *global) runTest(ctx context.Context, o testOptions) error {
	config, cases, err := g.readTest(o)
	if err != nil {
		return err
	}
	var results []trial.Result
	summary := testJSON{Seed: o.seed, Random: o.random}
	tell := func(r trial.Result) {
		results = append(results, r)
		if r.OK {
			summary.Passed++
		} else {
			summary.Failed++
		}
		g.tellTest(r)
	}
	if !o.noStory {
		if err := trial.Story(ctx, config, tell); err != nil {
			return g.testFault(err, config)
		}
	}
	if len(cases) > 0 && config.Twin == nil {
		if config.Twin, err = trial.OwnTwin(ctx, config); err != nil {
			return g.testFault(err, config)
		}
	}
	if err := trial.Cases(ctx, config, cases, tell); err != nil {
		return g.testFault(err, config)
	}
	if o.junit != "" {
		var file bytes.Buffer
		if err := trial.WriteJUnit(&file, results); err != nil {
			return err
		}
		if err := app.ReplaceFile(g.path(o.junit), file.Bytes()); err != nil {
			return err
		}
	}
	summary.OK = summary.Failed == 0
	if g.json {
		if err := g.printJSON(summary); err != nil {
			return err
		}
	} else {
		g.print("%s passed, %s failed. No account was touched.", separatedInt(summary.Passed), separatedInt(summary.Failed))
	}
	if !summary.OK {
		return &exitError{fault.ExitRecords, fault.New(fault.Invalid, "%s failed", count(summary.Failed, "test", "tests")).
			WithMend("the lines above say what was expected; mend lockstep.yaml, or the case")}
	}
	return nil
}

// readTest reads the files that a test is made of.
func (g *global) readTest(o testOptions) (trial.Config, []trial.Case, error) {
	config := trial.Config{File: g.config, Seed: o.seed, Random: o.random, AllowHeld: o.allowHeld}
	var err error
	if config.Log, err = g.logger(); err != nil {
		return config, nil, err
	}
	if config.Mapping, err = os.ReadFile(g.path(g.config)); err != nil {
		return config, nil, usage("lockstep init", "there is no %s here", g.config)
	}
	text, _, err := g.beside(o.twin, twinFile)
	if err == nil && text != nil {
		config.Twin, err = trial.ReadTwin(text)
	}
	if err != nil {
		return config, nil, err
	}
	text, name, err := g.beside(o.cases, casesFile)
	if err != nil || text == nil {
		return config, nil, err
	}
	cases, err := trial.ReadCases(name, text)
	return config, cases, err
}

// beside reads the wanted file, or the usual one beside the mapping; nil when
// that is not there.
func (g *global) beside(wanted, usual string) ([]byte, string, error) {
	name := wanted
	if name == "" {
		name = filepath.Join(filepath.Dir(g.config), usual)
	}
	text, err := os.ReadFile(g.path(name))
	if wanted == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, name, nil
	}
	if err != nil {
		return nil, name, usage("lockstep test --help", "the file %s cannot be read", name)
	}
	return text, name, nil
}

// testFault says, where the mapping does not fit the sandbox, how the sandbox
// comes to have what an account has.
func (g *global) testFault(err error, c trial.Config) error {
	var problems *mapping.Problems
	if errors.As(err, &problems) && c.Twin == nil {
		g.say("The sandbox has the standard objects and fields. If your accounts have what is missing, copy their schemas once: lockstep schema --twin %s", twinFile)
	}
	return err
}

func (g *global) tellTest(r trial.Result) {
	if g.json {
		_ = g.printJSON(r)
		return
	}
	verdict := "ok  "
	if !r.OK {
		verdict = "FAIL"
	}
	g.print("%s  %s: %s", verdict, r.Kind, r.Name)
	for _, line := range r.Told {
		g.print("        %s", line)
	}
}
