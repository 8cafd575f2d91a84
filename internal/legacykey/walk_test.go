package legacykey

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

const plantedKey = "HAPIKEY=00000000-fa4e-4000-8000-000000000021\n"

func TestScanLooksAtNoMoreThanItShould(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"a.env": plantedKey, "node_modules/x/b.env": plantedKey, ".git/c.env": plantedKey, "binary.dat": "\x00" + plantedKey,
		"large.env": plantedKey + strings.Repeat("#", fileBytes), "elsewhere/d.env": plantedKey,
	})
	outside := tree(t, map[string]string{"secret.env": plantedKey})
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	report, err := Scan(context.Background(), Options{Paths: []string{dir, filepath.Join(dir, "a.env")}, Root: dir, Now: judged})
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, f := range report.Findings {
		files = append(files, f.File)
	}
	if diff := cmp.Diff([]string{"a.env", "elsewhere/d.env"}, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Skipped{{"large.env", "larger than 5 MB"}}, report.Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if _, err := Scan(context.Background(), Options{Paths: []string{filepath.Join(dir, "nothing")}}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a path that is not there: %v, want not-found", err)
	}
}

func TestSeverityFollowsTheDay(t *testing.T) {
	t.Parallel()
	source := []byte("const u = 'https://api.hubapi.com/crm-pipelines/v1/pipelines/deals';\nconst v = 'https://api.hubapi.com/crm/v3/objects/contacts';\n")
	tests := []struct {
		name          string
		year, month   int
		stops, legacy Severity
	}{
		{"long before", 2025, 1, SeverityNote, SeverityNote},
		{"the year before it stops", 2026, 11, SeverityWarning, SeverityNote},
		{"after it stopped", 2026, 12, SeverityError, SeverityNote},
		{"half a year before support ends", 2027, 4, SeverityError, SeverityWarning},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found := ScanText("a.js", source, day(test.year, 1, 1).AddDate(0, test.month-1, 20))
			if len(found) != 2 || found[0].Severity != test.stops || found[1].Severity != test.legacy {
				t.Errorf("got %+v, want %s and %s", found, test.stops, test.legacy)
			}
		})
	}
}

func TestHistoryTellsEachSecretOnce(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := tree(t, map[string]string{"a b.py": "TOKEN = \"pat-eu1-00000000-fake-4000-8000-000000000022\"\n", "still.py": "T = \"pat-na1-00000000-fake-4000-8000-000000000023\"\n"})
	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "first")
	first := strings.TrimSpace(git(t, dir, "rev-parse", "HEAD"))
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		git(t, dir, "add", ".")
		git(t, dir, "commit", "-q", "-m", name)
	}
	write("a b.py", "# moved\nTOKEN = \"pat-eu1-00000000-fake-4000-8000-000000000022\"\n")
	write("a b.py", "import os\nTOKEN = os.environ['HUBSPOT_ACCESS_TOKEN']\n")
	report, err := Scan(context.Background(), Options{Paths: []string{dir}, Root: dir, History: true, Now: judged})
	if err != nil {
		t.Fatal(err)
	}
	type told struct{ File, Rule, Commit string }
	var got []told
	for _, f := range report.Findings {
		got = append(got, told{f.File, f.Rule, f.Commit})
	}
	want := []told{{"still.py", ruleToken, ""}, {"a b.py", ruleToken, first}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if report.Commits != 3 {
		t.Errorf("walked %d commits, want 3", report.Commits)
	}
	if _, err := Scan(context.Background(), Options{Paths: []string{t.TempDir()}, History: true}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("outside of a repository: %v, want invalid", err)
	}
}

// TestSARIF checks what code hosts ask of a SARIF 2.1.0 file.
func TestSARIF(t *testing.T) {
	t.Parallel()
	report, err := Scan(context.Background(), Options{Paths: []string{"testdata/corpus"}, Now: judged})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.WriteSARIF(&out, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != len(report.Findings) {
		t.Fatalf("version %q, %d runs", log.Version, len(log.Runs))
	}
	rules := log.Runs[0].Tool.Driver.Rules
	for _, rule := range rules {
		if rule.ID == "" || rule.Short.Text == "" || rule.Help.Text == "" || !strings.HasPrefix(rule.HelpURI, "https://") {
			t.Errorf("rule %+v lacks a part", rule)
		}
	}
	for _, result := range log.Runs[0].Results {
		region := result.Locations[0].Physical.Region
		if rules[result.RuleIndex].ID != result.RuleID || region.StartLine < 1 || region.StartColumn < 1 || result.Message.Text == "" ||
			(result.Level != "error" && result.Level != "warning" && result.Level != "note") || strings.Contains(result.Locations[0].Physical.Artifact.URI, " ") {
			t.Errorf("result %+v", result)
		}
	}
}

func TestMigrateWritesWholeFilesOnce(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"call.sh": "#!/bin/sh\ncurl 'https://api.hubapi.com/crm/v3/owners?hapikey=00000000-fa4e-4000-8000-000000000024'\n", "clean.txt": "nothing\n"})
	script := filepath.Join(dir, "call.sh")
	if err := os.Chmod(script, 0o750); err != nil {
		t.Fatal(err)
	}
	options := Options{Paths: []string{dir}, Root: dir}
	shown, err := Migrate(context.Background(), options, false)
	if err != nil {
		t.Fatal(err)
	}
	want := "--- call.sh\n+++ call.sh\n@@ -1,2 +1,2 @@\n #!/bin/sh\n" +
		"-curl 'https://api.hubapi.com/crm/v3/owners?hapikey=0000000…'\n" +
		"+curl -H \"Authorization: Bearer $HUBSPOT_ACCESS_TOKEN\" 'https://api.hubapi.com/crm/v3/owners'\n"
	if diff := cmp.Diff(want, shown.Changes[0].Diff()); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
	if !strings.Contains(string(read(t, script)), "hapikey") {
		t.Error("without write the file was changed")
	}
	if _, err := Migrate(context.Background(), options, true); err != nil {
		t.Fatal(err)
	}
	if got := string(read(t, script)); strings.Contains(got, "hapikey") {
		t.Errorf("after write: %s", got)
	}
	if info, err := os.Stat(script); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("mode %v, want 0750 (%v)", info.Mode(), err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Errorf("%d files, want 2: nothing may be left beside", len(entries))
	}
	again, err := Migrate(context.Background(), options, true)
	if err != nil || len(again.Changes) != 0 {
		t.Errorf("a second run changes %d files (%v)", len(again.Changes), err)
	}
}

// TestMigrateKeepsWhatOthersRead: a variable that another file of the package
// reads ends in both or in none.
func TestMigrateKeepsWhatOthersRead(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"config.py": "import os\nimport requests\nHAPIKEY = os.environ['HAPIKEY']\nr = requests.get('https://api.hubapi.com/crm/v3/owners?hapikey=' + HAPIKEY)\n",
		"other.py":  "from config import HAPIKEY\nprint(len(HAPIKEY))\n",
		"alone.py":  "import os\nimport requests\nHAPIKEY = os.environ['HAPIKEY']\nr = requests.get('https://api.hubapi.com/crm/v3/owners?hapikey=' + HAPIKEY)\n",
	})
	m, err := Migrate(context.Background(), Options{Paths: []string{dir}, Root: dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Changes) != 0 {
		t.Errorf("%s is changed, though other.py reads HAPIKEY", m.Changes[0].File)
	}
	for _, w := range m.Waiting {
		if !strings.Contains(w.Why, "other.py") {
			t.Errorf("the reason %q does not name other.py", w.Why)
		}
	}
}
