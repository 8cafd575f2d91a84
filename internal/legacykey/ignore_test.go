package legacykey

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree writes files into a new folder; names end in "/" for folders.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestIgnorePatterns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, patterns, file string
		dir                  bool
		want                 bool
	}{
		{"a bare name fits at any depth", "build", "a/b/build", true, true},
		{"a bare name does not fit a part of a name", "build", "a/builder", false, false},
		{"a star stays in its segment", "*.log", "a/b.log", false, true},
		{"a leading slash means the folder of the file", "/top", "a/top", false, false},
		{"a slash in the middle anchors, too", "a/b", "x/a/b", false, false},
		{"a slash in the middle fits from the folder of the file", "a/b", "a/b", false, true},
		{"a slash at the end means folders only", "out/", "out", false, false},
		{"a folder fits a slash at the end", "out/", "x/out", true, true},
		{"two stars in front mean any depth", "**/cache", "a/b/cache", true, true},
		{"two stars in the middle mean any depth, none too", "a/**/z", "a/z", false, true},
		{"two stars at the end mean everything inside", "a/**", "a/x/y", false, true},
		{"two stars at the end leave the folder itself", "a/**", "a", true, false},
		{"the last fitting pattern decides", "*.log\n!keep.log", "keep.log", false, false},
		{"a later pattern ignores again", "!keep.log\n*.log", "keep.log", false, true},
		{"a comment is no pattern", "# *.go", "a.go", false, false},
		{"a backslash makes # and ! plain", `\#a` + "\n" + `\!b`, "!b", false, true},
		{"blanks at the end are dropped", "a.txt   ", "a.txt", false, true},
		{"a set of characters", "a[0-9].txt", "a7.txt", false, true},
		{"a set that is turned round", "a[!0-9].txt", "a7.txt", false, false},
		{"windows line ends", "a.txt\r\n", "a.txt", false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := parseIgnore("", test.patterns)
			if got := ignored([]ignoreFile{file}, test.file, test.dir); got != test.want {
				t.Errorf("ignored(%q, %q) = %v, want %v", test.patterns, test.file, got, test.want)
			}
		})
	}
}

// TestIgnoreAsGitDoes compares with what git itself leaves out.
func TestIgnoreAsGitDoes(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	const key = "HAPIKEY=00000000-fa4e-4000-8000-000000000020\n"
	files := map[string]string{
		".gitignore": "*.env\n/dist\nlogs/\n!keep.env\nvendor/**/gen\n", "a.env": key, "keep.env": key, "dist/b.sh": key, "src/dist/c.sh": key,
		"logs/d.sh": key, "src/logs/e.sh": key, "src/.gitignore": "!special.env\nlocal.sh\n", "src/special.env": key, "src/local.sh": key, "local.sh": key,
		"vendor/x/gen/f.sh": key, "vendor/g.sh": key, "deep/a/b/c/h.env": key,
	}
	dir := tree(t, files)
	git(t, dir, "init", "-q")
	out := git(t, dir, "ls-files", "--others", "--exclude-standard")
	want := map[string]bool{}
	for line := range strings.Lines(out) {
		if name := strings.TrimSpace(line); !strings.HasSuffix(name, ".gitignore") {
			want[name] = true
		}
	}
	for _, start := range []string{dir, filepath.Join(dir, "src")} {
		report, err := Scan(context.Background(), Options{Paths: []string{start}, Root: dir, Now: judged})
		if err != nil {
			t.Fatal(err)
		}
		got, wanted := map[string]bool{}, map[string]bool{}
		for _, f := range report.Findings {
			got[f.File] = true
		}
		for name := range want {
			if start == dir || strings.HasPrefix(name, "src/") {
				wanted[name] = true
			}
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("from %s (-git +scan):\n%s", start, diff)
		}
	}
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=Ada", "-c", "user.email=ada@lovelace.example", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	return string(out)
}
