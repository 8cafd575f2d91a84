package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

type initOptions struct {
	hubSpot    string
	salesforce string
	force      bool
	stdout     bool
	objects    []string
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
lockstep.yaml that is there already is left as it is.

Companies, people and deals are mapped, and what --objects names: ` + presetNames() + `,
and custom:p123_cars=Car__c for objects of your own. On a terminal init asks which
of the further ones it shall map. Nothing is mapped that was not asked for.`,
		Example: `  lockstep init
  lockstep init --objects companies,people,deals,tickets
  lockstep init --hubspot acme --salesforce acme-production
  lockstep init --stdout | less`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.runInit(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.hubSpot, "hubspot", "", "the HubSpot account's name, when several are connected")
	flags.StringVar(&o.salesforce, "salesforce", "", "the Salesforce account's name, when several are connected")
	flags.BoolVar(&o.force, "force", false, "replace a lockstep.yaml that is there")
	flags.StringSliceVar(&o.objects, "objects", nil, "the pairs of objects to map (default companies,people,deals)")
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
	presets, err := g.whichObjects(ctx, a, o, hubSpot, salesforce)
	if err != nil {
		return err
	}
	g.say("Reading the schemas of %s and %s…", hubSpot, salesforce)
	text, err := a.DraftObjects(ctx, hubSpot, salesforce, presets)
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

// whichObjects are the pairs that the flags name, else the usual ones and those
// that a person at a terminal adds.
func (g *global) whichObjects(ctx context.Context, a *app.App, o initOptions, hubSpot, salesforce string) ([]string, error) {
	if len(o.objects) > 0 {
		_, _, err := mapping.PresetObjects(o.objects)
		return o.objects, err
	}
	presets := mapping.DefaultPresets()
	if !g.interactive() || o.stdout {
		return presets, nil
	}
	offered, err := a.Offer(ctx, hubSpot, salesforce)
	if err != nil || len(offered) == 0 {
		return presets, err
	}
	g.say("Companies, people and deals are mapped. Both accounts also have:")
	for _, c := range offered {
		g.say("  %-12s %s", c.Name, c.Title)
	}
	answer, err := g.ask("Which of these shall be mapped as well? Names with commas between, or nothing", "")
	if err != nil {
		return nil, err
	}
	presets = append(presets, strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' })...)
	_, _, err = mapping.PresetObjects(presets)
	return presets, err
}

// presetNames lists what --objects takes beyond the usual pairs.
func presetNames() string {
	var names []string
	for _, c := range mapping.PresetChoices() {
		if !slices.Contains(mapping.DefaultPresets(), c.Name) {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}
