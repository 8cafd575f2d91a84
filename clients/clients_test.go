//go:build clients

package clients

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox"
)

// patience bounds one client's whole run.
const patience = 5 * time.Minute

// TestHubSpotClient runs the vendor's @hubspot/api-client.
func TestHubSpotClient(t *testing.T) {
	node := tool(t, "node")
	s := start(t, sandbox.Config{Seed: "small", Random: 7})
	day := start(t, sandbox.Config{Seed: "small", Random: 7, Daily: 3})
	run(t, node, []string{"--test", "--test-reporter=spec", "hubspot/client.test.mjs"}, append(addresses(s),
		"SANDBOX_SMALL_DAY_HUBSPOT="+day.HubSpotURL(), "SANDBOX_SMALL_DAY_MANAGE="+day.ManageURL()))
}

// TestHubSpotWebhooks lets the vendor's @hubspot/api-client check deliveries.
func TestHubSpotWebhooks(t *testing.T) {
	node := tool(t, "node")
	s := start(t, sandbox.Config{Seed: "small", Random: 7})
	// The small day of the other tests is not used: any sandbox stands for it.
	run(t, node, []string{"--test", "--test-reporter=spec", "hubspot/webhook.test.mjs"}, append(addresses(s),
		"SANDBOX_SMALL_DAY_HUBSPOT="+s.HubSpotURL(), "SANDBOX_SMALL_DAY_MANAGE="+s.ManageURL()))
}

// TestSalesforceClient runs jsforce.
func TestSalesforceClient(t *testing.T) {
	node := tool(t, "node")
	run(t, node, []string{"--test", "--test-reporter=spec", "salesforce/jsforce.test.mjs"}, addresses(start(t, sandbox.Config{Seed: "small", Random: 7})))
}

// TestSalesforcePython runs simple-salesforce, and grpcio with fastavro against
// the Pub/Sub API.
func TestSalesforcePython(t *testing.T) {
	python := pythonHere(t)
	for _, file := range []string{"salesforce/simple_salesforce_test.py", "salesforce/pubsub_test.py"} {
		t.Run(file, func(t *testing.T) {
			run(t, python, []string{file, "-v"}, addresses(start(t, sandbox.Config{Seed: "small", Random: 7})))
		})
	}
}

// pythonHere is the interpreter that has requirements.txt installed.
func pythonHere(t *testing.T) string {
	t.Helper()
	path, _ := filepath.Abs(filepath.Join(".venv", "bin", "python"))
	if _, err := os.Stat(path); err != nil {
		const mend = "%v: run make clients, or python3 -m venv .venv && .venv/bin/pip install -r requirements.txt in clients/"
		if os.Getenv("CI") != "" {
			t.Fatalf(mend, err)
		}
		t.Skipf(mend, err)
	}
	return path
}

// TestGuide runs the Postman collection of the step that people do by hand:
// read contacts with a token.
func TestGuide(t *testing.T) {
	node := tool(t, "node")
	s := start(t, sandbox.Config{Seed: "small", Random: 7})
	run(t, node, []string{"newman/run.mjs"}, addresses(s))
}

// tool finds a program. Under CI a missing one fails: a skipped test proves nothing.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		_, err = os.Stat("node_modules")
	}
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%v: install Node 20 or newer and run npm ci in clients/", err)
	}
	t.Skipf("%v: install Node 20 or newer and run npm ci in clients/", err)
	return ""
}

func start(t *testing.T, config sandbox.Config) *sandbox.Sandbox {
	t.Helper()
	s, err := sandbox.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func addresses(s *sandbox.Sandbox) []string {
	return []string{"SANDBOX_HUBSPOT=" + s.HubSpotURL(), "SANDBOX_SALESFORCE=" + s.SalesforceURL(), "SANDBOX_MANAGE=" + s.ManageURL()}
}

// run runs a client in this folder and shows what it prints.
func run(t *testing.T, program string, args, environment []string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	command := exec.CommandContext(ctx, program, args...)
	command.Dir, _ = filepath.Abs(".")
	command.Env = append(os.Environ(), environment...)
	// A proxy of this machine has no business between two of its own programs.
	command.Env = append(command.Env, "NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost")
	out, err := command.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%s %v: %v", program, args, err)
	}
}
