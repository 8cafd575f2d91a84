package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

type initOptions struct {
	hubSpot    string
	salesforce string
	force      bool
	stdout     bool
}

// initJSON is what init --json prints.
type initJSON struct {
	File   string    `json:"file"`
	Schema string    `json:"schema"`
	Check  checkJSON `json:"check"`
}

func newInitCommand(g *global) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented lockstep.yaml from both live schemas",
		Long: `Reads the schemas of both accounts and writes a lockstep.yaml that suggests what
it can justify, with comments. Nothing is written to either account, and a
lockstep.yaml that is there already is left as it is.`,
		Example: `  lockstep init
  lockstep init --hubspot acme --salesforce acme-production
  lockstep init --stdout | less`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.runInit(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.hubSpot, "hubspot", "", "the HubSpot account's name, when several are connected")
	flags.StringVar(&o.salesforce, "salesforce", "", "the Salesforce account's name, when several are connected")
	flags.BoolVar(&o.force, "force", false, "replace a lockstep.yaml that is there")
	flags.BoolVar(&o.stdout, "stdout", false, "print the mapping and write no file")
	return cmd
}

func (g *global) runInit(ctx context.Context, o initOptions) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	hubSpot, err := a.OnlyAccount(ctx, crm.HubSpot, o.hubSpot)
	if err != nil {
		return err
	}
	salesforce, err := a.OnlyAccount(ctx, crm.Salesforce, o.salesforce)
	if err != nil {
		return err
	}
	g.say("Reading the schemas of %s and %s…", hubSpot, salesforce)
	text, err := a.Draft(ctx, hubSpot, salesforce)
	if err != nil {
		return err
	}
	if o.stdout {
		_, err := g.Out.Write(text)
		return err
	}
	if err := a.WriteMapping(text, o.force); err != nil {
		return err
	}
	checked, err := a.Check(ctx)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(initJSON{File: a.File(), Schema: a.SchemaPath(), Check: newCheckJSON(checked)})
	}
	g.print("Wrote %s: read it, and change what you know better.", g.config)
	for _, o := range checked.Mapping.Objects {
		g.print("  %-10s HubSpot %s <-> Salesforce %s, %s", o.Name, o.HubSpot, targetNames(o), count(len(o.Fields), "field", "fields"))
	}
	if checked.OK() {
		g.print("It fits both accounts%s.", warningsInWords(checked))
		g.sayNext("lockstep plan")
		return nil
	}
	g.print("It does not fit yet: %s.", count(checked.Errors(), "problem", "problems"))
	g.sayNext("lockstep check")
	return nil
}
