package postman

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Newman is Postman's command line runner, as it is installed here.
// https://learning.postman.com/docs/collections/using-newman-cli/command-line-integration-with-newman/
type Newman struct {
	// command starts it; what it is given to do comes after.
	command []string
	lookup  func(string) string
}

// installNewman is the step that gets it.
const installNewman = "npm install -g newman"

// FindNewman finds newman: where the caller says it is (a program, or its
// newman.js), else in PATH, else in the packages of the folder dir by npx. lookup
// reads the environment. fault.NotFound when there is none, with the command that
// installs it.
func FindNewman(ctx context.Context, place, dir string, lookup func(string) string) (*Newman, error) {
	if lookup == nil {
		lookup = func(string) string { return "" }
	}
	n := &Newman{lookup: lookup}
	if place != "" {
		if info, err := os.Stat(place); err != nil || info.IsDir() {
			return nil, fault.New(fault.NotFound, "there is no newman at %s", place).WithMend("%s, and leave --newman out", installNewman)
		}
		absolute, err := filepath.Abs(place)
		if err != nil {
			return nil, fmt.Errorf("find newman: %w", err)
		}
		n.command = []string{absolute}
		if slices.Contains([]string{".js", ".mjs", ".cjs"}, filepath.Ext(place)) {
			node := program("node", lookup)
			if node == "" {
				return nil, fault.New(fault.NotFound, "%s needs Node.js, and there is no node in PATH", place).WithMend("install Node.js 20 or newer from https://nodejs.org")
			}
			n.command = []string{node, absolute}
		}
		return n, nil
	}
	if path := program("newman", lookup); path != "" {
		n.command = []string{path}
		return n, nil
	}
	if npx := program("npx", lookup); npx != "" {
		n.command = []string{npx, "--no-install", "newman"}
		probe := exec.CommandContext(ctx, npx, "--no-install", "newman", "--version")
		probe.Dir, probe.Env = dir, n.environment()
		if probe.Run() == nil {
			return n, nil
		}
	}
	return nil, fault.New(fault.NotFound, "newman, which runs Postman collections, is not installed").
		WithMend("%s; or name it with --newman PATH; or open the files of lockstep postman export in Postman", installNewman)
}

// program finds a program in the PATH of the environment given.
func program(name string, lookup func(string) string) string {
	for _, dir := range filepath.SplitList(lookup("PATH")) {
		if dir == "" || dir == "." {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	return ""
}

// passedOn are the variables that a program of Node needs of ours. Others,
// credentials among them, are not its business.
var passedOn = []string{"PATH", "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "SystemRoot", "ComSpec", "PATHEXT", "TMPDIR", "TEMP", "TMP", "LANG",
	"NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}

func (n *Newman) environment() []string {
	var out []string
	for _, name := range passedOn {
		if v := n.lookup(name); v != "" {
			out = append(out, name+"="+v)
		}
	}
	// A proxy has no business between two programs of this machine.
	direct := strings.Trim(n.lookup("NO_PROXY")+","+n.lookup("no_proxy")+",127.0.0.1,localhost", ",")
	return append(out, "NO_PROXY="+direct, "no_proxy="+direct, "NO_COLOR=1")
}

// RunOptions say how much of a collection is run.
type RunOptions struct {
	// Folders names the folders or requests to run; empty means all.
	Folders []string
	// Dir is the working folder.
	Dir string
}

// maxReportBytes bounds what is read of newman's report: it holds all answers.
const maxReportBytes = 1 << 30

// Run runs a collection with an environment that holds the secrets. They travel
// in a file that only this user can read, which is gone when Run returns, never
// in arguments. A failed test is in the Report and no error.
func (n *Newman) Run(ctx context.Context, collection []byte, environment *Environment, o RunOptions) (*Report, error) {
	dir, err := os.MkdirTemp("", "lockstep-postman-")
	if err != nil {
		return nil, fault.New(fault.Internal, "no folder could be made for the run").Wrap(err).WithMend("look at the free space of %s", os.TempDir())
	}
	defer func() { _ = os.RemoveAll(dir) }()
	values, err := JSON(environment)
	if err != nil {
		return nil, err
	}
	collectionFile, environmentFile, reportFile := filepath.Join(dir, "collection.json"), filepath.Join(dir, "environment.json"), filepath.Join(dir, "report.json")
	if err := errors.Join(os.WriteFile(collectionFile, collection, 0o600), os.WriteFile(environmentFile, values, 0o600), os.WriteFile(reportFile, nil, 0o600)); err != nil {
		return nil, fault.New(fault.Internal, "the files for the run could not be written").Wrap(err).WithMend("look at the free space of %s", os.TempDir())
	}
	args := append(slices.Clone(n.command[1:]), "run", collectionFile, "--environment", environmentFile, "--reporters", "json",
		"--reporter-json-export", reportFile, "--timeout-request", "120000")
	for _, folder := range o.Folders {
		args = append(args, "--folder", folder)
	}
	command := exec.CommandContext(ctx, n.command[0], args...)
	command.Dir, command.Env = o.Dir, n.environment()
	var talk bytes.Buffer
	command.Stdout, command.Stderr = &talk, &talk
	failed := command.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	report, err := readReport(reportFile, environment.Secrets())
	if err != nil {
		// Without a report newman says why on its output.
		what := strings.TrimSpace(redact(talk.String(), environment.Secrets()))
		return nil, fault.New(fault.Invalid, "newman did not run the collection: %s", shorten(what)).Wrap(errors.Join(failed, err)).
			WithMend("open the file in Postman, or export it anew: lockstep postman export --force")
	}
	return report, nil
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 300 {
		return string(r[:299]) + "…"
	}
	return s
}

// redact takes secrets out of what newman says.
func redact(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= 8 {
			s = strings.ReplaceAll(s, secret, "[redacted]")
		}
	}
	return s
}

// ParseEnvironment reads an environment file.
func ParseEnvironment(text []byte) (*Environment, error) {
	var e Environment
	if err := json.Unmarshal(text, &e); err != nil || len(e.Values) == 0 {
		return nil, fault.New(fault.Invalid, "this is no Postman environment").Wrap(err).WithMend("lockstep postman export writes one")
	}
	return &e, nil
}
