//go:build clients

package clients

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox"
)

// someDay is after private apps could last be made.
var someDay = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// TestHubSpotPages walks through the pages on which HubSpot credentials are made,
// today's and those of 2025.
func TestHubSpotPages(t *testing.T) {
	node := tool(t, "node")
	chromium(t)
	today := start(t, sandbox.Config{Seed: "small", Random: 7, Start: someDay})
	before := start(t, sandbox.Config{Seed: "small", Random: 7, Year: 2025})
	run(t, node, []string{"--test", "--test-reporter=spec", "browser/hubspot.test.mjs"}, append(addresses(today),
		"SANDBOX_2025_HUBSPOT="+before.HubSpotURL(), "SANDBOX_2025_MANAGE="+before.ManageURL()))
}

// chromium finds the browser. Under CI a missing one fails, as with [tool].
func chromium(t *testing.T) {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if _, err := exec.LookPath(name); err == nil {
			return
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("there is no Chromium; install the package chromium")
	}
	t.Skip("there is no Chromium; install the package chromium")
}
