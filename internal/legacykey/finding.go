package legacykey

import (
	"cmp"
	"slices"
)

// Finding is one use of something that has ended or will end, or one secret
// that lies open. It never holds a secret.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	File     string   `json:"file"`
	// Line and Column count from 1; Column counts bytes.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Where names the place inside a file of names: the requests of a collection,
	// "cell 3, line 2" of a notebook.
	Where string `json:"where,omitempty"`
	// Commit is the first commit that brought it, for findings of the history.
	Commit string `json:"commit,omitempty"`
	What   string `json:"what"`
	// Until says how long it works: a date, "already dead", "never worked".
	Until string `json:"until"`
	Mend  string `json:"mend"`
	// Excerpt is the line, every secret cut to its first characters.
	Excerpt string `json:"excerpt"`
	Fix     Fix    `json:"fix"`

	// start and end are where the hit is in the scanned text.
	start, end int
	// character is Column in Unicode code points, as SARIF counts.
	character int
	// secret is a hash that tells one secret from another; 0 when there is none.
	secret uint64
}

// Skipped is a file that was not looked into, and why.
type Skipped struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// RuleCount is how often a rule was met.
type RuleCount struct {
	Rule     string   `json:"rule"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Until    string   `json:"until"`
	Count    int      `json:"count"`
	Files    int      `json:"files"`
}

// Report is what Scan found, by file, line and column.
type Report struct {
	Findings []Finding `json:"findings"`
	// Files and Bytes were read; Commits were walked for the history.
	Files   int   `json:"files"`
	Bytes   int64 `json:"bytes"`
	Commits int   `json:"commits"`
	// Skipped are files that could matter and were not read. Binary files and
	// those that .gitignore leaves out are not told.
	Skipped []Skipped `json:"skipped"`
	// Rules sums up, the most urgent first.
	Rules []RuleCount `json:"rules"`
}

// Worst returns the highest severity, or "" when nothing was found.
func (r *Report) Worst() Severity {
	var worst Severity
	for _, f := range r.Findings {
		if worst == "" || f.Severity.rank() > worst.rank() {
			worst = f.Severity
		}
	}
	return worst
}

// Count returns how many findings have the severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// finish orders the findings and sums them up by rule.
func (r *Report) finish() {
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Commit, b.Commit), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule))
	})
	slices.SortFunc(r.Skipped, func(a, b Skipped) int { return cmp.Compare(a.File, b.File) })
	r.Rules = []RuleCount{}
	for _, rule := range rules() {
		count := RuleCount{Rule: rule.ID, Title: rule.Title, Until: rule.Until}
		files := map[string]bool{}
		for _, f := range r.Findings {
			if f.Rule != rule.ID {
				continue
			}
			count.Count++
			files[f.File] = true
			if count.Severity == "" || f.Severity.rank() > count.Severity.rank() {
				count.Severity = f.Severity
			}
		}
		if count.Files = len(files); count.Count > 0 {
			r.Rules = append(r.Rules, count)
		}
	}
	slices.SortStableFunc(r.Rules, func(a, b RuleCount) int { return b.Severity.rank() - a.Severity.rank() })
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	if r.Skipped == nil {
		r.Skipped = []Skipped{}
	}
}
