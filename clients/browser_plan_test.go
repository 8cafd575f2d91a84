//go:build clients

package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestPlanPageInTheBrowser makes the page of a plan in which strangers wrote
// markup into their records, and looks at it as a manager does: on a phone, on a
// desk, in the dark and on paper.
func TestPlanPageInTheBrowser(t *testing.T) {
	node := tool(t, "node")
	chromium(t)
	program := filepath.Join(t.TempDir(), "lockstep")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/lockstep").CombinedOutput(); err != nil {
		t.Fatalf("build lockstep: %v\n%s", err, out)
	}
	s := start(t, sandbox.Config{Seed: "small", Random: 7})
	now := s.Clock().Now()
	s.HubSpot().Insert("companies", map[string]string{"name": "<script>document.title='run'</script>", "domain": "evil.example",
		"description": "</style><img src=x onerror=\"document.title='run'\"> averylongwordwithoutanyspace-averylongwordwithoutanyspace-averylongwordwithoutanyspace-averylongword"}, now, now)
	folder := t.TempDir()
	secrets := s.Credentials()
	for name, secret := range map[string]string{"token": secrets.HubSpot.PrivateApp, "client-secret": secrets.Salesforce.ClientSecret} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, node, []string{"--test", "--test-reporter=spec", "browser/plan.test.mjs"}, append(addresses(s), "LOCKSTEP="+program, "FOLDER="+folder,
		"CLIENT_ID="+secrets.Salesforce.ClientID, "LOCKSTEP_KEYRING=off"))
}
