//go:build clients

package clients

import (
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestSalesforceInABrowser walks the set-up pages and the authorization of an
// app with the system's Chromium.
func TestSalesforceInABrowser(t *testing.T) {
	node := tool(t, "node")
	run(t, node, []string{"--test", "--test-reporter=spec", "browser/salesforce.test.mjs"}, addresses(start(t, sandbox.Config{Seed: "small", Random: 7})))
}
