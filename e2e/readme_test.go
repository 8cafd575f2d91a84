package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestReadmeCommands runs every block of README.md that is marked
// ```sh run-by-test, one after the other in one shell and one folder, against
// the sandbox. LOCKSTEP_HUBSPOT_URL sends the commands there unchanged.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := shellBlocks(string(text))
	if len(blocks) == 0 {
		t.Fatal("README.md has no block marked ```sh run-by-test")
	}
	s, err := sandbox.New(sandbox.Config{Seed: "small"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	secrets := t.TempDir()
	credentials := s.Credentials()
	write(t, filepath.Join(secrets, "token.txt"), credentials.HubSpot.PrivateApp+"\n")
	write(t, filepath.Join(secrets, "secret.txt"), credentials.Salesforce.ClientSecret+"\n")

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-eu")
	shell.Dir = t.TempDir()
	shell.Stdin = strings.NewReader("set -x\n" + strings.Join(blocks, "\n"))
	shell.Env = []string{
		"PATH=" + programPath(t) + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + t.TempDir(),
		"LOCKSTEP_HUBSPOT_URL=" + s.HubSpotURL(),
		"MY_DOMAIN=" + s.SalesforceURL(),
		"CONSUMER_KEY=" + credentials.Salesforce.ClientID,
		"SECRETS=" + secrets,
	}
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("README.md: %v\n%s", err, out)
	}
	for _, secret := range []string{credentials.HubSpot.PrivateApp, credentials.Salesforce.ClientSecret} {
		if strings.Contains(string(out), secret) {
			t.Error("a secret stands in the output of README.md's commands")
		}
	}
}

// shellBlocks returns the marked blocks of a page.
func shellBlocks(page string) []string {
	var blocks []string
	for rest := page; ; {
		_, after, found := strings.Cut(rest, "\n```sh run-by-test\n")
		if !found {
			return blocks
		}
		block, next, _ := strings.Cut(after, "\n```")
		blocks = append(blocks, block)
		rest = next
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
