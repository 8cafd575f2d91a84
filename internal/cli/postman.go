package cli

import "github.com/spf13/cobra"

func newPostmanCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "postman",
		Short: "Write the mapping as Postman or Bruno requests, and run them",
		Long: `Writes what lockstep.yaml says as requests that a person can open in Postman or
Bruno, read and send one by one; and runs such a collection with newman.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPostmanExportCommand(g), newPostmanRunCommand(g))
	return cmd
}
