package cli

import (
	"cmp"
	"context"
	"regexp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/diagnose"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// diagnosedRuns is how far back a failure is looked for.
const diagnosedRuns = 100

// runDiagnosisJSON is what diagnose without a file prints with --json.
type runDiagnosisJSON struct {
	Run      int64             `json:"run"`
	Status   engine.RunStatus  `json:"status"`
	Findings []runFindingsJSON `json:"findings"`
}

// runFindingsJSON is one reason for which records failed.
type runFindingsJSON struct {
	diagnose.Finding
	// Records with this reason, and their mapping, when it was about records.
	Records int    `json:"records,omitempty"`
	Mapping string `json:"mapping,omitempty"`
}

// refusedText is how the engine writes a vendor's refusal in a reason:
// "HubSpot does not allow it: MISSING_SCOPES: …".
var refusedText = regexp.MustCompile(`^(HubSpot|Salesforce) [a-z ]+: ([A-Za-z][A-Za-z_.]*[A-Z_][A-Za-z_.]*): (.*)$`)

// diagnoseLastRun tells why the newest run that had failures had them. No
// vendor is asked.
func (g *global) diagnoseLastRun(ctx context.Context) error {
	return g.withStore(ctx, func(s *store.Store) error {
		runs, err := engine.Runs(ctx, s, diagnosedRuns)
		if err != nil {
			return err
		}
		for i := range runs {
			if run := &runs[i]; run.Error != "" || run.Tally.Failed > 0 {
				return g.diagnoseRun(ctx, s, run)
			}
		}
		if g.json {
			return g.printJSON(runDiagnosisJSON{Findings: []runFindingsJSON{}})
		}
		g.print("No run failed, and no record did, in the last %s.", count(len(runs), "run", "runs"))
		return nil
	})
}

func (g *global) diagnoseRun(ctx context.Context, s *store.Store, run *engine.Run) error {
	out := runDiagnosisJSON{Run: run.ID, Status: run.Status, Findings: []runFindingsJSON{}}
	if run.Error != "" {
		out.Findings = append(out.Findings, runFindingsJSON{Finding: diagnose.Finding{
			Class: "run.stopped", Known: run.Mend != "", What: diagnose.Redacted(run.Error), Next: cmp.Or(run.Mend, "lockstep check asks both accounts what is wrong")}})
	}
	counts, err := s.CountOutcomes(ctx)
	if err != nil {
		return err
	}
	for _, c := range counts {
		if c.Outcome != crm.Failed {
			continue
		}
		out.Findings = append(out.Findings, runFindingsJSON{Finding: findingOf(c.Example), Records: c.Count, Mapping: c.Mapping})
	}
	if g.json {
		return g.printJSON(out)
	}
	g.print("Run %d, %s, began %s: %s", run.ID, run.Kind, moment(run.Started), run.Status)
	for _, f := range out.Findings {
		where := ""
		if f.Records > 0 {
			where = " (" + f.Mapping + ", " + count(f.Records, "record", "records") + ")"
		}
		g.print("  %s%s: %s", f.Class, where, f.What)
		if f.Said != "" {
			g.print("    for example: %s", f.Said)
		}
		if f.Next != "" {
			writeIndented(g.Out, "    next: ", f.Next)
		}
	}
	if len(out.Findings) == 0 {
		g.print("  what failed then has been done since")
	}
	return nil
}

// findingOf explains the reason of one record.
func findingOf(r crm.Reason) diagnose.Finding {
	f := diagnose.Finding{Class: r.Code, What: diagnose.Redacted(r.Text), Next: r.Mend}
	if r.Field != "" {
		f.Fields = []string{r.Field}
	}
	m := refusedText.FindStringSubmatch(r.Text)
	if m == nil {
		return f
	}
	side := crm.HubSpot
	if m[1] == crm.Salesforce.Title() {
		side = crm.Salesforce
	}
	if known, ok := diagnose.Refusal(side, m[2], m[3], f.Fields); ok {
		return known
	}
	return f
}
