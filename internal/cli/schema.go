package cli

import (
	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/mapping"
)

func newSchemaCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of lockstep.yaml, for editors",
		Long: `Prints the JSON Schema of lockstep.yaml, with which an editor completes keys and
marks mistakes. lockstep init keeps it in .lockstep/schema.json, where the first
line of lockstep.yaml points to.`,
		Example: "  lockstep schema > schema.json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := g.Out.Write(mapping.JSONSchema())
			return err
		},
	}
}
