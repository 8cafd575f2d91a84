package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/diagnose"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func newDiagnoseCommand(g *global) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "diagnose [FILE|-]",
		Short: "Say what a failed call means, and the next step",
		Long: `Reads a failed call to HubSpot or Salesforce and says what it means: which scope,
permission, limit or mistake it was, and what to do next. It takes what you have:
a pasted answer with or without headers, curl with its output (-i or -v too), a
HAR file from the browser, a newman report (--reporters json), a copy of Postman's
console. Without an argument it looks at the last run that had failures.

Nobody is asked, and no token that is pasted comes out again. What is not known
is not guessed.`,
		Example: `  lockstep diagnose                    # the last failure of a run
  curl -i https://api.hubapi.com/… | lockstep diagnose -
  lockstep diagnose session.har --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) <= 1 {
				return nil
			}
			return usage(cmd.CommandPath()+" --help", "%s takes one file, but got %s", cmd.CommandPath(), count(len(args), "argument", "arguments"))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return g.diagnoseLastRun(cmd.Context())
			}
			return g.diagnoseFile(cmd.Context(), args[0], all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "tell calls that worked, too")
	return cmd
}

// diagnoseFile reads calls and tells those that failed: one JSON line each with
// --json.
func (g *global) diagnoseFile(_ context.Context, name string, all bool) error {
	text, err := g.readCalls(name)
	if err != nil {
		return err
	}
	exchanges, err := diagnose.Read(text)
	if err != nil {
		return err
	}
	told := 0
	for _, e := range exchanges {
		d := diagnose.Of(e)
		if d.OK && !all && len(exchanges) > 1 {
			continue
		}
		if err := g.tellDiagnosis(d, told); err != nil {
			return err
		}
		told++
	}
	if told == 0 {
		g.say("all %s worked; --all lists them", count(len(exchanges), "call", "calls"))
	}
	return nil
}

func (g *global) tellDiagnosis(d diagnose.Diagnosis, told int) error {
	if g.json {
		return g.printJSON(d)
	}
	if told > 0 {
		g.print("")
	}
	_, err := io.WriteString(g.Out, d.String())
	return err
}

// readCalls reads a file, or stdin for "-", up to the bound of package diagnose.
func (g *global) readCalls(name string) ([]byte, error) {
	in, from := g.In, "stdin"
	if name != toStdout {
		file, err := os.Open(g.path(name))
		if err != nil {
			mend := "name the file that holds the call, or - for stdin"
			if errors.Is(err, fs.ErrNotExist) {
				return nil, fault.New(fault.Invalid, "there is no file %s", shown(name)).WithMend("%s", mend)
			}
			return nil, fault.New(fault.Invalid, "%s cannot be read", shown(name)).WithMend("%s", mend)
		}
		defer file.Close()
		in, from = file, shown(name)
	} else if g.terminal(g.In) {
		g.say("Paste the call, then end with ctrl-D:")
	}
	if in == nil {
		return nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(in, diagnose.LimitBytes+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read", from).Wrap(fmt.Errorf("read: %w", err)).WithMend("name the file that holds the call, or - for stdin")
	}
	return text, nil
}
