package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/trial"
)

func newSchemaCommand(g *global) *cobra.Command {
	var twin string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of lockstep.yaml; or copy both accounts' schemas for test",
		Long: `Prints the JSON Schema of lockstep.yaml, with which an editor completes keys and
marks mistakes. lockstep init keeps it in .lockstep/schema.json, where the first
line of lockstep.yaml points to.

With --twin it copies the schemas of the mapped objects of both connected accounts
into a file: objects, fields, picklist values, pipelines; no record, no token, and
not whose accounts they are. lockstep test then needs no account.`,
		Example: `  lockstep schema > schema.json
  lockstep schema --twin lockstep.twin.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if twin != "" {
				return g.copySchemas(cmd.Context(), twin)
			}
			_, err := g.Out.Write(mapping.JSONSchema())
			return err
		},
	}
	cmd.Flags().StringVar(&twin, "twin", "", "copy both accounts' schemas into this file")
	return cmd
}

// twinJSON is what schema --twin --json prints.
type twinJSON struct {
	File       string         `json:"file"`
	HubSpot    map[string]int `json:"hubspot"`
	Salesforce map[string]int `json:"salesforce"`
}

// copySchemas reads the schemas of all mapped objects and writes them down.
func (g *global) copySchemas(ctx context.Context, file string) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	m, err := a.Mapping()
	if err != nil {
		return err
	}
	sides, err := a.Sides(ctx, m.HubSpot, m.Salesforce, m.Budget)
	if err != nil {
		return err
	}
	hubspot, salesforce := m.ObjectNames()
	schemas, err := app.Schemas(ctx, sides, hubspot, salesforce)
	if err != nil {
		return err
	}
	twin := trial.NewTwin(schemas)
	content, err := twin.Encode()
	if err != nil {
		return err
	}
	if err := app.ReplaceFile(g.path(file), content); err != nil {
		return err
	}
	told := twinJSON{File: file, HubSpot: map[string]int{}, Salesforce: map[string]int{}}
	for _, o := range twin.HubSpot {
		told.HubSpot[o.Name] = len(o.Fields)
	}
	for _, o := range twin.Salesforce {
		told.Salesforce[o.Name] = len(o.Fields)
	}
	if g.json {
		return g.printJSON(told)
	}
	for _, o := range twin.HubSpot {
		g.print("HubSpot %s, %s", o.Name, count(len(o.Fields), "field", "fields"))
	}
	for _, o := range twin.Salesforce {
		g.print("Salesforce %s, %s", o.Name, count(len(o.Fields), "field", "fields"))
	}
	g.print("Copied into %s: schemas only, no record.", file)
	g.sayNext("lockstep test")
	return nil
}
