package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/legacykey"
)

type keysScanOptions struct {
	history    bool
	everything bool
	format     string
	failOn     string
}

func newKeysScanCommand(g *global) *cobra.Command {
	var o keysScanOptions
	cmd := &cobra.Command{
		Use:   "scan PATH...",
		Short: "Find API keys, open secrets and what is ending, with dates",
		Long: `Looks through source code of any language, settings, CI files, notebooks, Postman,
Insomnia and Bruno collections, HAR files and shell histories for

  - the HubSpot API key (hapikey), dead since 30 November 2022, in every form;
  - tokens in plain text: HubSpot's of every region, Salesforce's sessions, refresh
    tokens and consumer secrets;
  - what ends: private apps and v1-v4 paths of HubSpot, SOAP and username-password
    logins and old API versions of Salesforce.

Each finding says where, what, until when it works, and what mends it. Secrets are
shown by their first characters only, and nothing is sent anywhere. Files that
.gitignore leaves out are left out; --everything looks at them, too. --history
looks for secrets in every version of every file that git knows.

The exit code is 5 when something is found that is as urgent as --fail-on.`,
		Example: `  lockstep keys scan .
  lockstep keys scan . --history --fail-on warning
  lockstep keys scan src .env --format sarif > keys.sarif`,
		Args: somePaths,
		RunE: func(cmd *cobra.Command, args []string) error { return g.runKeysScan(cmd.Context(), o, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.history, "history", false, "look for secrets in the git history, too")
	flags.BoolVar(&o.everything, "everything", false, "look at files that .gitignore leaves out, too")
	flags.StringVar(&o.format, "format", "text", "text, json or sarif")
	flags.StringVar(&o.failOn, "fail-on", "error", "error, warning or never: from which finding on the exit code is 5")
	return cmd
}

func (g *global) runKeysScan(ctx context.Context, o keysScanOptions, args []string) error {
	limit := legacykey.Severity(o.failOn)
	if o.failOn != "never" && limit != legacykey.SeverityError && limit != legacykey.SeverityWarning {
		return usage("--fail-on error", "--fail-on is error, warning or never, not %s", shown(o.failOn))
	}
	if g.json && o.format == "text" {
		o.format = "json"
	}
	if o.format != "text" && o.format != "json" && o.format != "sarif" {
		return usage("--format text", "--format is text, json or sarif, not %s", shown(o.format))
	}
	report, err := legacykey.Scan(ctx, legacykey.Options{
		Paths: g.pathsFromHere(args), Root: g.here(), History: o.history, Everything: o.everything, Now: time.Now(),
	})
	if err != nil {
		return err
	}
	switch o.format {
	case "json":
		err = g.printJSON(report)
	case "sarif":
		err = report.WriteSARIF(g.Out, buildVersion().Version)
	default:
		g.printScan(report)
	}
	if err != nil {
		return err
	}
	if o.failOn != "never" && report.Worst() != "" && report.Worst().AtLeast(limit) {
		return &exitError{code: fault.ExitRecords}
	}
	return nil
}

// here is the directory that relative paths start in; names in findings are
// told from there.
func (g *global) here() string {
	if g.Dir != "" {
		return g.Dir
	}
	return "."
}

// printScan prints findings by file, then the rules that were met.
func (g *global) printScan(report *legacykey.Report) {
	file, commit := "", ""
	for _, f := range report.Findings {
		if f.File != file || f.Commit != commit {
			if file != "" {
				g.print("")
			}
			file, commit = f.File, f.Commit
			heading := file
			if commit != "" {
				heading += " (in the history, since commit " + commit[:min(len(commit), 10)] + ")"
			}
			g.print("%s", heading)
		}
		place := fmt.Sprintf("%d:%d", f.Line, f.Column)
		g.print("  %-8s %-8s %s", place, f.Severity, f.What)
		if f.Where != "" {
			g.print("           in       %s", f.Where)
		}
		g.print("           found    %s", f.Excerpt)
		g.print("           until    %s", f.Until)
		g.print("           next     %s", f.Mend)
	}
	for _, s := range report.Skipped {
		g.say("skipped %s: %s", s.File, s.Why)
	}
	if len(report.Findings) == 0 {
		g.print("nothing found in %s", count(report.Files, "file", "files"))
		return
	}
	g.print("")
	table := newTable("SEVERITY", ">COUNT", ">FILES", "WHAT", "UNTIL")
	for _, rule := range report.Rules {
		table.add(string(rule.Severity), rule.Count, rule.Files, rule.Title, rule.Until)
	}
	table.aligned(g.Out)
	summary := fmt.Sprintf("%s, %s, %s in %s", count(report.Count(legacykey.SeverityError), "error", "errors"),
		count(report.Count(legacykey.SeverityWarning), "warning", "warnings"), count(report.Count(legacykey.SeverityNote), "note", "notes"),
		count(report.Files, "file", "files"))
	if report.Commits > 0 {
		summary += " and " + count(report.Commits, "commit", "commits")
	}
	g.print("%s", summary)
}
