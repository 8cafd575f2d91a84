package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/engine"
)

// verdicts in the order in which people are shown them.
var verdicts = []struct {
	Verdict engine.Verdict
	Title   string
}{
	{engine.InStep, "In step"}, {engine.Differs, "Differ"}, {engine.Missing, "Missing"}, {engine.VerdictExcluded, "Left out"},
	{engine.VerdictHeld, "Held"}, {engine.VerdictPending, "Waiting"}, {engine.VerdictFailed, "Failed"},
}

// findingGroups are the findings in the order of the details, and what they mean.
var findingGroups = []struct {
	verdict       engine.Verdict
	id, title, of string
}{
	{engine.Differs, "differs", "Differ", "Pairs whose records do not agree, and nothing says that they may."},
	{engine.Missing, "missing", "Missing", "Records whose counterpart should be there and is not."},
	{engine.VerdictFailed, "failed", "Failed", "A vendor refused them."},
	{engine.VerdictHeld, "held", "Held for a person", "Nothing is written to these until somebody decides or mends something."},
	{engine.VerdictPending, "pending", "Waiting", "They are written by a later sync."},
	{engine.VerdictExcluded, "excluded", "Left out by a rule", "The mapping says that these are not kept in step."},
	{engine.InStep, "allowed", "Differ by leave of the mapping", "They count as in step."},
}

type verificationView struct {
	*engine.SignedReport
	Key      string
	Sentence string
	Rows     []verificationRow
	Columns  []string
	Groups   []findingGroup
	Total    map[string]int
	Embedded template.HTML
	More     int
}

type verificationRow struct {
	Name  string
	Read  int
	Cells []int
	Drift engine.Drift
}

type findingGroup struct {
	ID, Title, Of string
	Total         int
	Findings      []finding
	More          int
}

type finding struct {
	engine.Finding
	Fields []fieldPair
}

// fieldPair is one pair of fields that do not agree.
type fieldPair struct {
	HubSpotField, SalesforceField string
	HubSpot, Salesforce           Text
	Allowed                       string
}

// shownFindings is how many findings of each kind a page shows.
const shownFindings = 100

var verificationTemplate = template.Must(template.New("verification.tmpl").Funcs(functions).ParseFS(files, "*.tmpl"))

// WriteVerification writes a signed report as a page. The report stands in the
// page as it was signed, so that the page can be checked like the file.
func WriteVerification(w io.Writer, s *engine.SignedReport, key string) error {
	v := verificationView{SignedReport: s, Key: key, Total: map[string]int{}, More: s.Report.Left}
	total := map[engine.Verdict]int{}
	for _, o := range s.Report.Objects {
		for verdict, n := range o.Verdicts {
			v.Total[string(verdict)] += n
			total[verdict] += n
		}
	}
	for _, column := range verdicts {
		if total[column.Verdict] > 0 || column.Verdict == engine.InStep || column.Verdict == engine.Differs || column.Verdict == engine.Missing {
			v.Columns = append(v.Columns, column.Title)
		}
	}
	row := func(name string, read int, count map[engine.Verdict]int, drift engine.Drift) {
		r := verificationRow{Name: name, Read: read, Drift: drift}
		for _, column := range verdicts {
			if slices.Contains(v.Columns, column.Title) {
				r.Cells = append(r.Cells, count[column.Verdict])
			}
		}
		v.Rows = append(v.Rows, r)
	}
	for _, o := range s.Report.Objects {
		row(o.Name, o.Read, o.Verdicts, o.Drift)
	}
	if len(s.Report.Objects) > 1 {
		row("together", s.Report.Read, total, s.Report.Drift)
	}
	for _, g := range findingGroups {
		group := findingGroup{ID: g.id, Title: g.title, Of: g.of, Total: total[g.verdict]}
		if g.verdict == engine.InStep {
			group.Total = 0
			for _, o := range s.Report.Objects {
				group.Total += o.Deviations
			}
		}
		for i := range s.Report.Findings {
			if f := &s.Report.Findings[i]; f.Verdict == g.verdict && len(group.Findings) < shownFindings {
				group.Findings = append(group.Findings, findingOf(f))
			}
		}
		if group.More = group.Total - len(group.Findings); group.Total > 0 {
			v.Groups = append(v.Groups, group)
		}
	}
	v.Sentence = verificationInWords(s.Report, total)
	var err error
	if v.Embedded, err = inside(s); err != nil {
		return err
	}
	return verificationTemplate.Execute(w, v)
}

func findingOf(f *engine.Finding) finding {
	out := finding{Finding: *f}
	for _, d := range f.Differences {
		out.Fields = append(out.Fields, fieldPair{d.HubSpotField, d.SalesforceField, textOf(d.HubSpot), textOf(d.Salesforce), d.Allowed})
	}
	return out
}

// verificationInWords says in one sentence what was found.
func verificationInWords(r *engine.Report, total map[engine.Verdict]int) string {
	all := counted(r.Read, "record or pair was", "records or pairs were") + " read, each of them once"
	switch {
	case !r.Closed:
		return "The sums do not close: records changed while they were read. Nothing is proved."
	case r.InStep && r.Read == total[engine.InStep]:
		return all + ": every one is in step."
	case r.InStep:
		return fmt.Sprintf("%s: %s in step, and for each of the others a rule or a person says why it is not.", all, counted(total[engine.InStep], "is", "are"))
	}
	return fmt.Sprintf("%s: %s, %s.", all, counted(total[engine.Differs], "pair differs", "pairs differ"), counted(total[engine.Missing], "has no counterpart", "have no counterpart"))
}

// inside writes the signed report so that no value of it can end the element or
// become markup: encoding/json escapes <, > and &, which changes nothing of what
// the text means.
func inside(s *engine.SignedReport) (template.HTML, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	if bytes.ContainsAny(text, "<>") {
		return "", fmt.Errorf("the report holds markup after it was escaped")
	}
	return template.HTML(`<script type="application/json" id="lockstep-report">` + string(text) + `</script>`), nil //nolint:gosec // escaped above
}
