package cli

import "github.com/spf13/cobra"

// The groups in which help lists the commands.
const (
	groupTry  = "try"
	groupPair = "pair"
	groupWork = "work"
)

// addCommands gives root all commands.
func (g *global) addCommands(root *cobra.Command) {
	root.AddGroup(
		&cobra.Group{ID: groupTry, Title: "Try it without an account:"},
		&cobra.Group{ID: groupPair, Title: "Connect a pair:"},
		&cobra.Group{ID: groupWork, Title: "Keep it in step:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupTry, newDemoCommand(g), newSandboxCommand(g))
	add(groupPair, newConnectCommand(g), newAccountsCommand(g), newInitCommand(g), newCheckCommand(g), newSchemaCommand(g), newTestCommand(g))
	add(groupWork, newPlanCommand(g), newSyncCommand(g), newShadowCommand(g), newStatusCommand(g), newRunsCommand(g), newExplainCommand(g), newDiagnoseCommand(g), newVerifyCommand(g), newUndoCommand(g), newErrorsCommand(g), newConflictsCommand(g))
	add(groupTry, newPostmanCommand(g))
	add(groupPair, newKeysCommand(g))
	root.AddCommand(newVersionCommand(g))
}
