package legacykey

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox"
)

// sampleTime bounds one run of a sample, the Go compiler's work included.
const sampleTime = 3 * time.Minute

// TestMigratedSamplesRun runs samples of the corpus against a sandbox of 2022,
// which takes the key as well as a token: as they were, and rewritten. Both must
// print the same.
func TestMigratedSamplesRun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files []string
		key   string
		run   []string
	}{
		{"Node with fetch", []string{"fetch.mjs"}, "00000000-fa4e-4000-8000-000000000030", []string{"node", "fetch.mjs"}},
		{"Node with axios", []string{"axios.js"}, "00000000-fa4e-4000-8000-000000000030", []string{"node", "axios.js"}},
		{"Python's own library", []string{"standard.py"}, "00000000-fa4e-4000-8000-000000000003", []string{"python3", "standard.py"}},
		{"Python with requests", []string{"contacts.py"}, "00000000-fa4e-4000-8000-000000000030", []string{"python3", "contacts.py"}},
		{"Go", []string{"goapp/main.go"}, "00000000-fa4e-4000-8000-000000000030", []string{"go", "run", "goapp/main.go"}},
		{"curl", []string{"calls.sh"}, "00000000-fa4e-4000-8000-00000000000b", []string{"bash", "calls.sh"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, tool := range append([]string{test.run[0]}, map[string][]string{"bash": {"curl"}}[test.run[0]]...) {
				if _, err := exec.LookPath(tool); err != nil {
					if os.Getenv("CI") != "" {
						t.Fatalf("%v: the samples are run with it", err)
					}
					t.Skip(err)
				}
			}
			box := startOld(t, test.key)
			env := []string{"HUBSPOT_BASE_URL=" + box.HubSpotURL(), "HAPIKEY=" + test.key, "HUBSPOT_API_KEY=" + test.key}
			token := []string{"HUBSPOT_BASE_URL=" + box.HubSpotURL(), "HUBSPOT_ACCESS_TOKEN=" + box.Credentials().HubSpot.PrivateApp}
			before, after := t.TempDir(), t.TempDir()
			for _, file := range test.files {
				content := read(t, filepath.Join("testdata/corpus", file))
				migrated, waiting := Rewrite(file, content)
				if len(waiting) > 0 || bytes.Equal(migrated, content) {
					t.Fatalf("%s is not rewritten whole: %+v", file, waiting)
				}
				put(t, filepath.Join(before, file), content)
				put(t, filepath.Join(after, file), migrated)
			}
			if strings.Contains(test.name, "axios") {
				for _, dir := range []string{before, after} {
					put(t, filepath.Join(dir, "node_modules/axios/index.js"), []byte(axiosInSmall))
				}
			}
			if strings.Contains(test.name, "requests") {
				for _, dir := range []string{before, after} {
					put(t, filepath.Join(dir, "requests.py"), []byte(requestsInSmall))
				}
			}
			old := runSample(t, before, test.run, env)
			fresh := runSample(t, after, test.run, token)
			if diff := cmp.Diff(old, fresh); diff != "" || old == "" {
				t.Errorf("the rewritten sample prints something else (-key +token):\n%s", diff)
			}
		})
	}
}

// axiosInSmall and requestsInSmall stand in for packages that a test may not
// download: the calls of the samples, over the language's own library.
const (
	axiosInSmall = `
async function send(method, url, data, config = {}) {
  const address = new URL(url);
  for (const [name, value] of Object.entries(config.params ?? {})) address.searchParams.set(name, value);
  const headers = { ...(data ? { 'Content-Type': 'application/json' } : {}), ...config.headers };
  const answer = await fetch(address, { method, headers, body: data && JSON.stringify(data) });
  if (!answer.ok) throw new Error('status ' + answer.status);
  return { status: answer.status, data: await answer.json() };
}
module.exports = { get: (url, config) => send('GET', url, undefined, config), post: (url, data, config) => send('POST', url, data, config) };
`
	requestsInSmall = `
import json
import urllib.parse
import urllib.request


class Answer:
    def __init__(self, body):
        self.body = body

    def raise_for_status(self):
        pass

    def json(self):
        return json.loads(self.body)


def get(url, params=None, headers=None, timeout=None):
    if params:
        url += ("&" if "?" in url else "?") + urllib.parse.urlencode(params)
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {})) as answer:
        return Answer(answer.read())
`
)

// startOld starts a sandbox of 2022 that takes key.
func startOld(t *testing.T, key string) *sandbox.Sandbox {
	t.Helper()
	box, err := sandbox.New(sandbox.Config{Seed: "small", Random: 7, Year: 2022})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.Listen(context.Background()); err != nil {
		t.Fatal(err)
	}
	body := strings.NewReader(`{"kind":"api-key","token":"` + key + `"}`)
	answer, err := http.Post(box.ManageURL()+"/hubspot/tokens", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= 300 {
		t.Fatalf("making the key answers %d", answer.StatusCode)
	}
	return box
}

func put(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func runSample(t *testing.T, dir string, command, env []string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), sampleTime)
	defer stop()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "GO111MODULE=off", "GOFLAGS=", "PYTHONDONTWRITEBYTECODE=1")...)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", command, err, out.String(), talk.String())
	}
	return out.String()
}
