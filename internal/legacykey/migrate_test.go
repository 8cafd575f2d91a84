package legacykey

import (
	"bytes"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMigrateCorpus compares each file of the corpus, rewritten, with its
// .after: the file, then what waits for a person. A second time changes nothing.
func TestMigrateCorpus(t *testing.T) {
	t.Parallel()
	for _, path := range corpusFiles(t, "testdata/corpus") {
		t.Run(path, func(t *testing.T) {
			before := read(t, path)
			after, waiting := Rewrite(path, before)
			got := "(unchanged)\n"
			if !bytes.Equal(after, before) {
				got = string(after)
			}
			for _, w := range waiting {
				got += "--- " + w.Why + "\n--- " + filepath.Base(w.File) + ":" + itoa(w.Line) + " " + w.Excerpt + "\n"
			}
			golden(t, path+".after", got)

			again, _ := Rewrite(path, after)
			if diff := cmp.Diff(string(after), string(again)); diff != "" {
				t.Errorf("a second run changes the file:\n%s", diff)
			}
		})
	}
}

func itoa(n int) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// TestMigratedProgramsStillParse asks each language's own tool, where the
// machine has it.
func TestMigratedProgramsStillParse(t *testing.T) {
	t.Parallel()
	tools := map[string][]string{
		".js": {"node", "--check"}, ".cjs": {"node", "--check"}, ".mjs": {"node", "--check"},
		".py": {"python3", "-m", "py_compile"}, ".sh": {"bash", "-n"}, ".php": {"php", "-l"}, ".rb": {"ruby", "-c"},
	}
	for _, path := range corpusFiles(t, "testdata/corpus") {
		after, _ := Rewrite(path, read(t, path))
		if filepath.Ext(path) == ".go" {
			formatted, err := format.Source(after)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if diff := cmp.Diff(string(formatted), string(after)); diff != "" {
				t.Errorf("%s: gofmt would change it:\n%s", path, diff)
			}
		}
		tool := tools[filepath.Ext(path)]
		if tool == nil || strings.Contains(path, "salesforce.js") {
			continue
		}
		if _, err := exec.LookPath(tool[0]); err != nil {
			continue
		}
		t.Run(path, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), filepath.Base(path))
			if filepath.Ext(path) == ".js" && bytes.Contains(after, []byte("import {")) {
				file = strings.TrimSuffix(file, ".js") + ".mjs"
			}
			if err := os.WriteFile(file, after, 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(tool[0], append(tool[1:], file)...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s\n%s", err, out, after)
			}
		})
	}
}
