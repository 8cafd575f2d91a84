package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
)

// global are the flags that every command understands, and its streams.
type global struct {
	Streams
	config string
	json   bool
	quiet  bool
	level  string
	// keyring allows the system's keychain for the vault's key.
	keyring bool
}

// Run runs one command line (without the program's name) and returns the exit
// code. It does not touch the process: no os.Exit, no signals, no globals.
func Run(ctx context.Context, args []string, streams Streams) int {
	streams = streams.withoutPasted(args)
	g := &global{Streams: streams, keyring: streams.env("LOCKSTEP_KEYRING") != "off"}
	root := newRootCommand(g)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return tellFailure(streams, g.json, err)
}

func newRootCommand(g *global) *cobra.Command {
	root := &cobra.Command{
		Use:   "lockstep",
		Short: "Keep HubSpot and Salesforce in step",
		Long: `Lockstep keeps HubSpot and Salesforce in step. It shows what it would change
before it changes anything, moves records both ways within both vendors'
limits, and can explain what became of each record.

Try all of it without any account:   lockstep demo
Start with your own accounts:        lockstep connect hubspot --help`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetIn(g.In)
	root.SetOut(g.Out)
	root.SetErr(g.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(cmd.CommandPath()+" --help", "%s", err)
	})
	flags := root.PersistentFlags()
	flags.StringVar(&g.config, "config", "lockstep.yaml", "the mapping; .lockstep/ is kept beside it")
	flags.BoolVar(&g.json, "json", false, "print results as JSON with stable names")
	flags.BoolVarP(&g.quiet, "quiet", "q", false, "no progress and no remarks on stderr")
	flags.StringVar(&g.level, "log-level", "off", "log to stderr: off, error, warn, info or debug (debug: each API call, never a token)")
	g.addCommands(root)
	return root
}

// unknownCommand names the command that was probably meant.
func unknownCommand(cmd *cobra.Command, name string) error {
	mend := cmd.CommandPath() + " --help"
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		mend = cmd.CommandPath() + " " + near[0]
	}
	return usage(mend, "%s has no command %s", cmd.CommandPath(), shown(name))
}

// say prints a remark for people on stderr, unless --quiet or --json.
func (g *global) say(format string, args ...any) {
	if !g.quiet && !g.json {
		fmt.Fprintf(g.Err, format+"\n", args...)
	}
}

// print prints a line of the result.
func (g *global) print(format string, args ...any) {
	fmt.Fprintf(g.Out, format+"\n", args...)
}

// printJSON prints one result object as one line.
func (g *global) printJSON(v any) error {
	encoder := json.NewEncoder(g.Out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// show prints a table as fits stdout.
func (g *global) show(t *table) { t.write(g.Out, g.terminal(g.Out)) }

// logger returns the log that --log-level asks for.
func (g *global) logger() (*slog.Logger, error) {
	levels := map[string]slog.Level{"error": slog.LevelError, "warn": slog.LevelWarn, "info": slog.LevelInfo, "debug": slog.LevelDebug}
	if g.level == "off" || g.level == "" {
		return slog.New(slog.DiscardHandler), nil
	}
	level, ok := levels[g.level]
	if !ok {
		return nil, usage("--log-level debug", "there is no log level %q: it is off, error, warn, info or debug", g.level)
	}
	return slog.New(slog.NewTextHandler(g.Err, &slog.HandlerOptions{Level: level})), nil
}

// noArguments refuses arguments with a message that names the command.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage(cmd.CommandPath()+" --help", "%s takes no argument, but got %s", cmd.CommandPath(), shown(args[0]))
}

// oneArgument asks for exactly one argument.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return usage(cmd.CommandPath()+" --help", "%s takes %s, but got %s", cmd.CommandPath(), what, count(len(args), "argument", "arguments"))
	}
}
