package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// provenElsewhere are the README's other commands, and what runs them.
var provenElsewhere = map[string]string{
	"go run ./cmd/lockstep demo": "scripts/provedemo, by make prove",
	"make test":                  "CI",
	"go run ./cmd/lockstep sandbox --seed medium": "TestTheSandboxCommand",
}

func TestEveryCommandOfTheReadmeIsRunByATest(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "\n```sh\n")[1:] {
		body, _, _ := strings.Cut(block, "\n```")
		for line := range strings.Lines(body) {
			if line = strings.TrimSpace(line); provenElsewhere[line] == "" {
				t.Errorf("README.md says %q, and no test runs it: mark its block with run-by-test, or name the test in provenElsewhere", line)
			}
		}
	}
}

// TestTheSandboxCommand starts the sandbox as a person does, pastes both curl
// lines that it prints, and ends it with ctrl-C.
func TestTheSandboxCommand(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("curl is not installed; scripts/tools.sh installs it")
		}
		t.Skip("curl is not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(programPath(t), "lockstep"), "sandbox", "--seed", "medium",
		"--hubspot-port", "0", "--salesforce-port", "0", "--manage-port", "0")
	command.Dir = t.TempDir()
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var curls []string
	for lines := bufio.NewScanner(out); len(curls) < 2 && lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "curl ") {
			curls = append(curls, line)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // so that it can go on talking
	if len(curls) != 2 {
		t.Fatalf("it prints %d curl lines, want one for each side: %q", len(curls), curls)
	}
	for i, rows := range []string{"results", "records"} {
		answer, err := exec.CommandContext(ctx, "sh", "-c", curls[i]).Output()
		if err != nil {
			t.Fatalf("%s: %v", curls[i], err)
		}
		var page map[string]json.RawMessage
		var records []json.RawMessage
		if err := json.Unmarshal(answer, &page); err != nil {
			t.Fatalf("%s answers %s", curls[i], answer)
		}
		if err := json.Unmarshal(page[rows], &records); err != nil || len(records) != 3 {
			t.Errorf("%s gives %d %s, want 3", curls[i], len(records), rows)
		}
	}
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("ctrl-C ends it with %v, want exit code 0", err)
	}
	fake := regexp.MustCompile(`pat-[a-z0-9]+-00000000-fake-`)
	if !slices.ContainsFunc(curls, fake.MatchString) {
		t.Error("the token it prints is not visibly fake")
	}
}
