//go:build !race

// The histories are played by binaries of their own, which the race detector has
// no part in; once is enough.

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// planted are faults that the simulation has to find: each is an edit of the
// program's source, which only the binary of this test is built from. It acts
// where the environment names it; the program itself knows of none.
var planted = []struct {
	name  string
	seeds string // within so many histories
	kinds string // what it has to be found as
	edits []edit
}{
	{"lost base update", "40", "lost|apart|echo", []edit{
		{"internal/engine/settle.go", "l.Base = b.finish(j, *d.Base)", `if !planted("lost base update") { l.Base = b.finish(j, *d.Base) }`},
	}},
	{"echo", "40", "echo|rest", []edit{
		{"internal/reconcile/merge.go", "if Agree(f, h, s, m.place(f)) {", `if Agree(f, h, s, m.place(f)) && planted("echo") && !m.firstMatch && f.Direction.Flows(crm.Salesforce) && s.IsPresent() { m.write(f, crm.Salesforce, Convert(f, crm.Salesforce, h, m.place(f)), "echo"); return }
	if Agree(f, h, s, m.place(f)) {`},
		{"internal/engine/observe.go", "w.isEcho(r, &link)", `!planted("echo") && w.isEcho(r, &link)`},
	}},
	{"skipped tie", "600", "apart|missing|lost|unseen", []edit{
		{"internal/salesforce/read.go", `first := "SystemModstamp >= " + since(sinceMicros)`, `first := "SystemModstamp >= " + since(sinceMicros)
	if planted("skipped tie") { first = "SystemModstamp > " + since(sinceMicros) }`},
		{"internal/salesforce/read.go", "return max(since, min(newest, began)-overlap)", `if planted("skipped tie") { return max(since, newest) }
	return max(since, min(newest, began)-overlap)`},
	}},
	{"repeated create", "80", "duplicate|link|missing|journal|create", []edit{
		{"internal/engine/apply.go", `case f.id != "":`, `case f.id != "" && !planted("repeated create"):`},
		{"internal/engine/intent.go", `if f.id != "" && o != nil {`, `if f.id != "" && o != nil && !planted("repeated create") {`},
	}},
	{"wrong winner", "40", "lost", []edit{
		{"internal/reconcile/conflict.go", "if s.Micros > h.Micros && h.Micros != 0 {", `if planted("wrong winner") != (s.Micros > h.Micros && h.Micros != 0) {`},
	}},
}

// edit replaces a piece of source, which has to be there just once.
type edit struct{ file, old, new string }

const plantedBy = "LOCKSTEP_PLANTED_FAULT"

func TestPlantedFaultsAreFound(t *testing.T) {
	binary := buildPlanted(t)
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			out, code := runPlanted(t, binary, p.name, p.seeds)
			found := regexp.MustCompile(`(?m)^seed \d+, step \d+: (` + p.kinds + `): .*$`).FindString(out)
			if code != 1 || found == "" {
				t.Errorf("exit code %d, and none of %s among:\n%s", code, p.kinds, lastLines(out, 20))
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		if out, code := runPlanted(t, binary, "", "40"); code != 0 {
			t.Errorf("without a fault: exit code %d:\n%s", code, lastLines(out, 20))
		}
	})
}

// buildPlanted builds sim from the source with all faults in it.
func buildPlanted(t *testing.T) string {
	t.Helper()
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source := map[string]string{}
	packages := map[string]string{}
	for _, p := range planted {
		for _, e := range p.edits {
			if source[e.file] == "" {
				text, err := os.ReadFile(filepath.Join(top, e.file))
				if err != nil {
					t.Fatal(err)
				}
				source[e.file] = string(text)
			}
			if n := strings.Count(source[e.file], e.old); n != 1 {
				t.Fatalf("%s: %q stands %d times in %s; plant the fault where it is now", p.name, e.old, n, e.file)
			}
			source[e.file] = strings.Replace(source[e.file], e.old, e.new, 1)
			packages[filepath.Dir(e.file)] = filepath.Base(filepath.Dir(e.file))
		}
	}
	for folder, name := range packages {
		source[folder+"/planted_fault.go"] = "package " + name + "\n\nimport \"os\"\n\nfunc planted(name string) bool { return os.Getenv(\"" + plantedBy + "\") == name }\n"
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file, text := range source {
		at := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(top, file)] = at
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "sim")
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "./sim")
	build.Dir = top
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

func runPlanted(t *testing.T, binary, fault, seeds string) (string, int) {
	t.Helper()
	command := exec.Command(binary, "-seeds", seeds, "-quick")
	command.Env = append(os.Environ(), plantedBy+"="+fault)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return out.String(), command.ProcessState.ExitCode()
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
