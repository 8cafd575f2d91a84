package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// TestEveryExitCodeIsDocumented keeps docs/operations.md and the program in step.
func TestEveryExitCodeIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d) \|`).FindAllStringSubmatch(string(page), -1)
	if want := fault.ExitStorage + 1; len(rows) != want {
		t.Errorf("docs/operations.md has %d exit codes, the program has %d", len(rows), want)
	}
}

// TestEveryEnvironmentVariableIsDocumented: what the commands' help names
// stands in docs/operations.md.
func TestEveryEnvironmentVariableIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"connect_hubspot.go", "connect_salesforce.go", "root.go"} {
		source, err := os.ReadFile("../internal/cli/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`LOCKSTEP_[A-Z_]+`).FindAllString(string(source), -1) {
			if !strings.Contains(string(page), name) {
				t.Errorf("%s names %s, docs/operations.md does not", file, name)
			}
		}
	}
}
