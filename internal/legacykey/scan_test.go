package legacykey

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the goldens anew")

// judged is the day for which the corpus says what is dead and what is not.
var judged = day(2026, 11, 23)

// corpusFiles are the files of the corpus, without what is expected of them.
func corpusFiles(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasSuffix(path, ".expect") && !strings.HasSuffix(path, ".after") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestCorpus compares every file with its .expect: line, rule, severity, place
// and excerpt of each finding, and nothing else.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, path := range corpusFiles(t, "testdata/corpus") {
		t.Run(path, func(t *testing.T) {
			var b strings.Builder
			for _, f := range ScanText(path, read(t, path), judged) {
				fmt.Fprintf(&b, "%d:%d %s %s", f.Line, f.Column, f.Severity, f.Rule)
				if f.Where != "" {
					fmt.Fprintf(&b, " [%s]", f.Where)
				}
				fmt.Fprintf(&b, " %s\n", f.Excerpt)
			}
			golden(t, path+".expect", b.String())
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, path)), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestCleanCorpus: code full of uuids, other products' keys and today's HubSpot
// gives no error and no warning.
func TestCleanCorpus(t *testing.T) {
	t.Parallel()
	files := corpusFiles(t, "testdata/clean")
	if len(files) < 30 {
		t.Errorf("the clean corpus has %d files, want at least 30", len(files))
	}
	for _, path := range files {
		for _, f := range ScanText(path, read(t, path), judged) {
			if f.Severity != SeverityNote {
				t.Errorf("%s:%d %s %s: %s", path, f.Line, f.Severity, f.Rule, f.Excerpt)
			} else {
				t.Logf("%s:%d %s: %s", path, f.Line, f.Rule, f.Excerpt)
			}
		}
		if after, _ := Rewrite(path, read(t, path)); string(after) != string(read(t, path)) {
			t.Errorf("%s would be rewritten", path)
		}
	}
}
