//go:build clients

package clients

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestGuideInTheBrowser walks the whole guide with a browser and the built
// program, in a HubSpot that still lets private apps be made.
func TestGuideInTheBrowser(t *testing.T) {
	node := tool(t, "node")
	chromium(t)
	program := filepath.Join(t.TempDir(), "lockstep")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/lockstep").CombinedOutput(); err != nil {
		t.Fatalf("build lockstep: %v\n%s", err, out)
	}
	s := start(t, sandbox.Config{Seed: "small", Random: 7, Year: 2025})
	run(t, node, []string{"--test", "--test-reporter=spec", "browser/guide.test.mjs"}, append(addresses(s), "LOCKSTEP="+program))
}
