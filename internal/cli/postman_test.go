package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/cli"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// A write that Salesforce refused in a run becomes a request of its own, with the
// values that were to be written and without any secret.
func TestARefusedWriteIsExportedAsOneRequest(t *testing.T) {
	box, err := sandbox.New(sandbox.Config{Seed: "small", Random: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(want int, stdin string, args ...string) string {
		t.Helper()
		var out, talk bytes.Buffer
		env := func(name string) string { return map[string]string{"LOCKSTEP_KEYRING": "off"}[name] }
		if code := cli.Run(t.Context(), args, cli.Streams{In: strings.NewReader(stdin), Out: &out, Err: &talk, Dir: dir, Env: env}); code != want {
			t.Fatalf("lockstep %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, talk.String(), out.String())
		}
		return out.String()
	}
	keys := box.Credentials()
	run(0, keys.HubSpot.PrivateApp, "connect", "hubspot", "--base-url", box.HubSpotURL(), "--token", "-")
	run(0, keys.Salesforce.ClientSecret, "connect", "salesforce", "--login-url", box.SalesforceURL(), "--client-id", keys.Salesforce.ClientID, "--client-secret", "-")
	run(0, "", "init")
	box.Salesforce().AddValidationRule("Lead", "closed", "No leads today.", "Company", func(map[string]any) bool { return true })
	run(fault.ExitRecords, "", "sync")

	var said struct {
		Files    []string `json:"files"`
		Requests int      `json:"requests"`
		Run      int64    `json:"run"`
	}
	if err := json.Unmarshal([]byte(run(0, "", "postman", "export", "--failed", "--json")), &said); err != nil {
		t.Fatal(err)
	}
	if said.Run != 1 || said.Requests == 0 || len(said.Files) != 2 {
		t.Fatalf("got %+v", said)
	}
	file := filepath.Join(dir, "postman", "run-1.failed.postman_collection.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`\"Company\": `, "It was refused with FIELD_CUSTOM_VALIDATION_EXCEPTION.", "{{instance_url}}/services/data/", "not the headers, and not the other records"} {
		if !bytes.Contains(text, []byte(part)) {
			t.Errorf("the collection does not hold %s:\n%s", part, text)
		}
	}
	for _, secret := range []string{keys.HubSpot.PrivateApp, keys.Salesforce.ClientSecret} {
		if bytes.Contains(text, []byte(secret)) {
			t.Error("the collection holds a secret")
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("values of records are in a file with mode %v (%v)", info.Mode(), err)
	}
	run(0, "", "postman", "export", "--failed", "1")
	run(0, "", "postman", "export", "--failed", "--format", "bruno")
	if _, err := os.Stat(filepath.Join(dir, "bruno", "bruno.json")); err != nil {
		t.Error(err)
	}
}
