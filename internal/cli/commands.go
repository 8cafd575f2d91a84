package cli

import "github.com/spf13/cobra"

// commands are all commands, in the order in which help lists them.
func (g *global) commands() []*cobra.Command {
	return []*cobra.Command{
		newVersionCommand(g),
	}
}
