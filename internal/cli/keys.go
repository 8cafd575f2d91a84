package cli

import "github.com/spf13/cobra"

func newKeysCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Find and replace the HubSpot API key, and what else is ending",
		Long: `Finds where files use the HubSpot API key (hapikey), hold tokens in plain text, or
use addresses and logins that HubSpot and Salesforce end; rewrites the API key
into a bearer token; and compares the answers of both forms. It works offline,
apart from rehearse, which calls the address that you name.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysScanCommand(g), newKeysMigrateCommand(g), newKeysRehearseCommand(g))
	return cmd
}

// somePaths asks for at least one path.
func somePaths(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	return usage(cmd.CommandPath()+" .", "%s takes the files and folders to look at", cmd.CommandPath())
}

// pathsFromHere are paths as seen from the directory of the command.
func (g *global) pathsFromHere(args []string) []string {
	paths := make([]string, len(args))
	for i, arg := range args {
		paths[i] = g.path(arg)
	}
	return paths
}
