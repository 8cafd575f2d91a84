package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// shownFindings is how many findings are printed without --all.
const shownFindings = 20

type verifyOptions struct {
	all    bool
	report []string
	check  string
}

func newVerifyCommand(g *global) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read both sides completely and prove that they agree",
		Long: `Reads both sides completely and compares every linked pair field by field, by
nothing but the links: independent of what was seen or written before. Ends with
exit code 5 when something differs or is missing, or the sums do not close.
Nothing is written to either account.

--report signs what was found with this place's key, as JSON or, where the file's
name ends in .html, as a page that needs nothing else. --check tells of such a file,
without accounts and network, whether it is as it was signed, and by which key.`,
		Example: `  lockstep verify
  lockstep verify --report proof.html --report proof.json
  lockstep verify --check proof.html`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.check != "" {
				return g.checkReport(o.check)
			}
			return g.runVerify(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.all, "all", false, "print every finding, also what is left out or held")
	flags.StringArrayVar(&o.report, "report", nil, "write a signed report to this file (.json or .html); may be given twice")
	flags.StringVar(&o.check, "check", "", "verify the signature of a report instead")
	return cmd
}

func (g *global) runVerify(ctx context.Context, o verifyOptions) error {
	all := o.all
	return g.withPair(ctx, func(pair *app.Pair, progress *progress) error {
		var findings []engine.Finding
		more := 0
		report := pair.Engine.NewReport(buildVersion().Version)
		v, err := pair.Engine.Verify(ctx, func(f engine.Finding) error {
			report.Collect(f)
			switch wrong := f.Verdict == engine.Differs || f.Verdict == engine.Missing; {
			case all && g.json:
				return g.printJSON(f)
			case !wrong && !all:
			case len(findings) < shownFindings || all:
				findings = append(findings, f)
			default:
				more++
			}
			return nil
		})
		progress.close()
		if err != nil {
			return err
		}
		if g.json {
			if err := g.printJSON(v); err != nil {
				return err
			}
		} else {
			g.printVerification(v, findings, more)
		}
		if len(o.report) > 0 {
			if err := g.writeReports(report, v, o.report); err != nil {
				return err
			}
		}
		return verifyVerdict(v)
	})
}

func verifyVerdict(v *engine.Verification) error {
	switch {
	case !v.Closed:
		return &exitError{fault.ExitRecords, fault.New(fault.Conflict, "the sums do not close: records changed while they were read").WithMend("lockstep verify")}
	case !v.InStep:
		return &exitError{fault.ExitRecords, fault.New(fault.Conflict, "the two sides are not in step").WithMend("lockstep sync, then lockstep verify again")}
	default:
		return nil
	}
}

func (g *global) printVerification(v *engine.Verification, findings []engine.Finding, more int) {
	t := newTable("", ">READ", ">IN STEP", ">DIFFER", ">MISSING", ">LEFT OUT", ">HELD", ">PENDING", ">FAILED", ">DRIFT")
	for _, o := range v.Objects {
		t.add(o.Name, o.Read, o.Verdicts[engine.InStep], o.Verdicts[engine.Differs], o.Verdicts[engine.Missing],
			o.Verdicts[engine.VerdictExcluded], o.Verdicts[engine.VerdictHeld], o.Verdicts[engine.VerdictPending], o.Verdicts[engine.VerdictFailed], o.Drift.Percent())
	}
	g.show(t)
	for _, f := range findings {
		g.print("%s  %s: %s", f.Verdict, bothRecords(f.HubSpot, f.Salesforce), f.Reason.Text)
		for _, d := range f.Differences {
			allowed := ""
			if d.Allowed != "" {
				allowed = "   (" + d.Allowed + ")"
			}
			g.print("    %s %s, %s %s%s", d.HubSpotField, value(d.HubSpot), d.SalesforceField, value(d.Salesforce), allowed)
		}
	}
	if more > 0 {
		g.print("… and %s; --all shows them", count(more, "more", "more"))
	}
	if v.InStep && v.Closed {
		g.say("In step: every linked pair agrees.")
	}
}

// bothRecords names what there is of a pair.
func bothRecords(hubSpot, salesforce *engine.Record) string {
	switch {
	case salesforce == nil:
		return record(hubSpot)
	case hubSpot == nil:
		return record(salesforce)
	default:
		return record(hubSpot) + " and " + record(salesforce)
	}
}
