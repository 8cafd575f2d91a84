package postman_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/postman"
)

const fakeToken = "fake-secret-of-the-test"

// TestMain makes this test binary a newman when it is called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "newman" {
		os.Exit(playNewman(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// seen is what the played newman was given.
type seen struct {
	Args        []string `json:"args"`
	Environ     []string `json:"environ"`
	Permissions string   `json:"permissions"`
	Folder      string   `json:"folder"`
	Token       string   `json:"token"`
}

// playNewman writes down what it was given, and a report in newman's form.
func playNewman(args []string) int {
	flag := func(name string) string {
		for i, a := range args {
			if a == name {
				return args[i+1]
			}
		}
		return ""
	}
	file := flag("--environment")
	info, err := os.Stat(file)
	if err != nil {
		return 2
	}
	dir, err := os.Stat(filepath.Dir(file))
	if err != nil {
		return 2
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 2
	}
	environment, err := postman.ParseEnvironment(text)
	if err != nil {
		return 2
	}
	s := seen{Args: args, Environ: os.Environ(), Permissions: info.Mode().String(), Folder: dir.Mode().String()}
	for _, v := range environment.Values {
		if v.Key == postman.HubSpotToken {
			s.Token = v.Value
		}
	}
	note, err := json.Marshal(s)
	if err != nil || os.WriteFile("seen.json", note, 0o600) != nil {
		return 2
	}
	if flag("--folder") == "broken" {
		os.Stderr.WriteString("error: collection could not be loaded with " + fakeToken + "\n")
		return 1
	}
	if os.WriteFile(flag("--reporter-json-export"), []byte(newmanSays), 0o600) != nil {
		return 2
	}
	return 1
}

const newmanSays = `{"collection": {"item": []}, "run": {"stats": {}, "timings": {"started": 1000, "completed": 1750},
 "executions": [
  {"item": {"name": "Read contacts"}, "response": {"code": 200, "responseTime": 12, "stream": {"type": "Buffer", "data": [123, 125]}},
   "assertions": [{"assertion": "HubSpot gives records", "skipped": false}, {"assertion": "left alone", "skipped": true}]},
  {"item": {"name": "Missing scope: 403"}},
  {"item": {"name": "Whose org is it"}, "response": {"code": 401, "responseTime": 3},
   "assertions": [{"assertion": "it opens", "error": {"name": "AssertionError", "message": "expected fake-secret-of-the-test\n to be 200"}}],
   "testScript": [{"error": {"name": "TypeError", "message": "x is undefined"}}]},
  {"item": {"name": "Begin"}, "requestError": {"code": "ECONNREFUSED", "name": "Error"}}]}}`

func lookupOf(dir string) func(string) string {
	return func(name string) string {
		return map[string]string{"PATH": dir, "HOME": "/home/nobody", "LOCKSTEP_KEY": "fake-key", "HUBSPOT_TOKEN": fakeToken}[name]
	}
}

func installed(t *testing.T) (dir string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("links to a program need rights there")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "newman")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSecretsReachNewmanInAFileThatIsGoneAfterwards(t *testing.T) {
	work := t.TempDir()
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	newman, err := postman.FindNewman(t.Context(), "", work, lookupOf(installed(t)))
	if err != nil {
		t.Fatal(err)
	}
	_, environment := postman.Export(bind(t, everything), postman.Options{})
	environment.Put(postman.HubSpotToken, fakeToken, true)
	report, err := newman.Run(t.Context(), []byte(`{}`), environment, postman.RunOptions{Folders: []string{"1 Check the token"}, Dir: work})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(work, "seen.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got seen
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Token != fakeToken || got.Permissions != "-rw-------" || got.Folder != "drwx------" {
		t.Errorf("newman was given %q in a file %s in a folder %s", got.Token, got.Permissions, got.Folder)
	}
	for _, word := range append(got.Args, got.Environ...) {
		if strings.Contains(word, fakeToken) || strings.Contains(word, "LOCKSTEP") {
			t.Errorf("newman was given %q", word)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
		t.Errorf("the run left %v behind (%v)", left, err)
	}
	want := &postman.Report{Sent: 3, Assertions: 4, Failed: 3, Millis: 750, Requests: []postman.ReportedRequest{
		{Name: "Read contacts", Status: 200, Millis: 12, Tests: []postman.ReportedAssertion{{Name: "HubSpot gives records", OK: true}}},
		{Name: "Missing scope: 403", Skipped: true, Tests: []postman.ReportedAssertion{}},
		{Name: "Whose org is it", Status: 401, Millis: 3, Tests: []postman.ReportedAssertion{
			{Name: "it opens", Error: "expected [redacted] to be 200"}, {Name: "the script runs", Error: "x is undefined"}}},
		{Name: "Begin", Tests: []postman.ReportedAssertion{{Name: "an answer comes", Error: "Error ECONNREFUSED"}}},
	}}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Error(diff)
	}
}

func TestARunThatNeverBeganSaysWhy(t *testing.T) {
	newman, err := postman.FindNewman(t.Context(), "", "", lookupOf(installed(t)))
	if err != nil {
		t.Fatal(err)
	}
	_, environment := postman.Export(bind(t, everything), postman.Options{})
	environment.Put(postman.HubSpotToken, fakeToken, true)
	_, err = newman.Run(t.Context(), nil, environment, postman.RunOptions{Folders: []string{"broken"}, Dir: t.TempDir()})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "collection could not be loaded with [redacted]") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), fakeToken) {
		t.Error("the error holds the token")
	}
}

func TestAMissingNewmanIsToldWithTheCommandThatInstallsIt(t *testing.T) {
	for _, c := range []struct{ name, place, path, want string }{
		{"nowhere in PATH", "", t.TempDir(), "newman, which runs Postman collections, is not installed"},
		{"not where it was said to be", "/nowhere/newman", "", "there is no newman at /nowhere/newman"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := postman.FindNewman(t.Context(), c.place, t.TempDir(), lookupOf(c.path))
			if fault.KindOf(err) != fault.NotFound || err.Error() != c.want || !strings.Contains(fault.MendOf(err), "npm install -g newman") {
				t.Errorf("got %v; next: %s", err, fault.MendOf(err))
			}
		})
	}
}

func TestAFileThatIsNoEnvironmentIsRefused(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", `{"values": "x"}`} {
		if _, err := postman.ParseEnvironment([]byte(text)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}
