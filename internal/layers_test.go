package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/lockstep-sync/lockstep/"

// allowed says which packages of ours a folder may import in code that ships.
// A line covers the folder and all below it. Imports point one way: words,
// then mapping, reconcile, engine, then what people touch.
var allowed = map[string][]string{
	"internal/crm":        {},
	"internal/fault":      {},
	"internal/mapping":    {"internal/crm", "internal/fault"},
	"internal/reconcile":  {"internal/crm", "internal/fault", "internal/mapping"},
	"internal/apicall":    {"internal/crm", "internal/fault"},
	"internal/hubspot":    {"internal/crm", "internal/fault", "internal/apicall"},
	"internal/salesforce": {"internal/crm", "internal/fault", "internal/apicall"},
	"internal/store":      {"internal/crm", "internal/fault"},
	"internal/engine":     {"internal/crm", "internal/fault", "internal/mapping", "internal/reconcile", "internal/store"},
	"internal/credential": {"internal/crm", "internal/fault"},
	"internal/oauth":      {"internal/fault"},
	"internal/page":       {"internal/crm", "internal/engine"},
	"internal/postman":    {"internal/crm", "internal/fault", "internal/mapping", "internal/reconcile"},
	"internal/diagnose":   {"internal/crm", "internal/fault", "internal/credential"},
	"internal/legacykey":  {"internal/crm", "internal/fault"},
	"internal/web":        {"internal/crm", "internal/fault", "internal/hubspot"},
	"internal/app":        {"internal"},
	"internal/trial":      {"internal", "sandbox"},
	"internal/cli":        {"internal", "sandbox"},
	"cmd/lockstep":        {"internal/cli"},
	// The sandbox judges the clients, so it may not share a line with them.
	"sandbox": {"sandbox"},
	"bench":   {"internal", "sandbox"},
	"sim":     {"internal", "sandbox"},
	"e2e":     {"internal", "sandbox"},
	"clients": {"sandbox"},
	"scripts": {},
}

// neverTogether are packages that may not know each other even through a rule
// above: the clients speak crm, not each other's words.
var neverTogether = [][2]string{
	{"internal/hubspot", "internal/salesforce"},
	{"internal/hubspot", "internal/engine"},
	{"internal/salesforce", "internal/engine"},
}

func TestImportsPointOneWay(t *testing.T) {
	for _, problem := range wrongImports(t, "..", allowed) {
		t.Error(problem)
	}
}

func TestAWrongImportIsFound(t *testing.T) {
	root := t.TempDir()
	plant := func(file, source string) {
		t.Helper()
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	plant("internal/crm/crm.go", "package crm\n\nimport _ \""+module+"internal/engine\"\n")
	plant("internal/hubspot/client.go", "package hubspot\n\nimport _ \""+module+"internal/salesforce\"\n")
	plant("internal/newcomer/newcomer.go", "package newcomer\n")
	plant("sandbox/hubspot/server.go", "package hubspot\n\nimport _ \""+module+"internal/crm\"\n")
	plant("internal/mapping/parse.go", "package mapping\n\nimport _ \""+module+"internal/crm\"\n")

	got := wrongImports(t, root, allowed)
	want := []string{
		"internal/crm/crm.go imports internal/engine; internal/crm may import nothing of ours",
		"internal/hubspot/client.go imports internal/salesforce; internal/hubspot may import internal/crm, internal/fault, internal/apicall",
		"internal/newcomer/newcomer.go: its folder has no line in the table of internal/layers_test.go",
		"sandbox/hubspot/server.go imports internal/crm; sandbox may import sandbox",
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// wrongImports reads the imports of every Go file below root that ships, and
// says what breaks the table.
func wrongImports(t *testing.T, root string, table map[string][]string) []string {
	t.Helper()
	var problems []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") && name != ".." && name != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		folder, rule, found := lineFor(table, relative)
		if !found {
			problems = append(problems, relative+": its folder has no line in the table of internal/layers_test.go")
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			imported, ours := strings.CutPrefix(name, module)
			if !ours || within(imported, folder) {
				continue
			}
			if !covered(rule, imported) || forbidden(folder, imported) {
				may := "nothing of ours"
				if len(rule) > 0 {
					may = strings.Join(rule, ", ")
				}
				problems = append(problems, relative+" imports "+imported+"; "+folder+" may import "+may)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

func lineFor(table map[string][]string, file string) (folder string, rule []string, found bool) {
	for name, r := range table {
		if within(file, name) && len(name) > len(folder) {
			folder, rule, found = name, r, true
		}
	}
	return folder, rule, found
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func covered(rule []string, imported string) bool {
	for _, prefix := range rule {
		if within(imported, prefix) {
			return true
		}
	}
	return false
}

func forbidden(folder, imported string) bool {
	for _, pair := range neverTogether {
		if within(folder, pair[0]) && within(imported, pair[1]) || within(folder, pair[1]) && within(imported, pair[0]) {
			return true
		}
	}
	return false
}
