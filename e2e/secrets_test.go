package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/cli"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// life is what a person does with every command that there is. A command that is
// registered and has no line here fails the test: add the line that uses it with
// a secret in reach. Lines of commands that are not registered are left out.
var life = [][]string{
	{"connect", "hubspot", "--base-url", "$HUBSPOT", "--token", "-", "<token"},
	{"connect", "hubspot", "--base-url", "$HUBSPOT", "--name", "byfile", "--token-file", "$SECRETS/token"},
	{"connect", "hubspot", "--base-url", "$HUBSPOT", "--name", "byenv"},
	{"connect", "salesforce", "--login-url", "$SALESFORCE", "--client-id", "$CLIENT", "--client-secret", "-", "<client-secret"},
	{"connect", "salesforce", "--login-url", "$SALESFORCE", "--client-id", "$CLIENT", "--name", "byenv"},
	{"connect", "salesforce", "--login-url", "$SALESFORCE", "--client-id", "$CLIENT", "--name", "byjwt", "--jwt-key", "$SECRETS/private-key", "--username", "a@b.example"},
	{"accounts", "list"},
	{"accounts", "rotate", "--help"},
	{"accounts", "rotate"},
	{"accounts", "rotate", "byfile"},
	{"accounts", "remove", "byfile"},
	{"accounts", "remove", "byenv", "--side", "hubspot"},
	{"accounts", "remove", "byenv", "--side", "salesforce"},
	{"init"},
	{"check"},
	{"check", "--permission-set", "permissions.xml"},
	{"check", "--project-app", "app"},
	{"schema"},
	{"plan", "-o", "plan.json"},
	{"plan", "--all", "--limit", "3"},
	{"plan", "--html", "plan.html"},
	{"sync", "plan.json"},
	{"sync"},
	{"sync", "--watch", "--every", "200ms"},
	{"status"},
	{"runs", "list"},
	{"runs", "show", "2"},
	{"explain", "ada@example.com"},
	{"explain", "ada@example.com", "--at", "2026-11-20"},
	{"verify"},
	{"verify", "--report", "proof.html", "--report", "proof.json"},
	{"verify", "--check", "proof.json"},
	{"undo", "2"},
	{"undo", "2", "--yes", "--release-brakes"},
	{"errors", "list"},
	{"errors", "retry", "--all"},
	{"conflicts", "list"},
	{"conflicts", "show", "1"},
	{"conflicts", "resolve", "1", "--take", "hubspot"},
	{"shadow", "--once"},
	{"shadow", "--report"},
	{"test", "--no-story"},
	{"keys", "scan", "leaks"},
	{"keys", "scan", "leaks", "--format", "sarif"},
	{"keys", "migrate", "leaks"},
	{"keys", "migrate", "leaks", "--write"},
	{"keys", "rehearse", "leaks/old.postman_collection.json", "leaks/new.postman_collection.json", "--account", "hubspot"},
	{"postman", "export", "--out", "postman"},
	{"postman", "export"},
	{"postman", "export", "--format", "bruno"},
	{"postman", "export", "--failed"},
	{"postman", "run"},
	{"postman", "run", "--newman", "./no-newman-here"},
	{"diagnose", "leaks/answer.txt"},
	{"diagnose", "-", "<answer"},
	{"diagnose"},
	{"demo", "--once"},
	{"sandbox", "--seed", "small"},
	{"version"},
}

// secretWorld is a person's folder, both vendors behind parrots, and all secrets
// that are in reach.
type secretWorld struct {
	*testing.T
	canaries
	hubspot, salesforce *parrot
	box                 *sandbox.Sandbox
	dir, secrets        string
	env                 map[string]string
	texts               map[string]string
}

func newSecretWorld(t *testing.T) *secretWorld {
	t.Helper()
	box, err := sandbox.New(sandbox.Config{Seed: "small", Random: 4711, TenSecondly: -1, SearchSecondly: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := &secretWorld{T: t, box: box, dir: folder(t), secrets: t.TempDir()}
	w.hubspot = newParrot(t, box.HubSpotURL(), &w.canaries)
	w.salesforce = newParrot(t, box.SalesforceURL(), &w.canaries)
	c := box.Credentials()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w.texts = map[string]string{
		"token":                c.HubSpot.PrivateApp,
		"client-secret":        c.Salesforce.ClientSecret,
		"private-key":          string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		"api-key":              "0badcafe-1234-4abc-9def-fake0fake0fa",
		"hex-key":              "c9f0f895-fb98-4ab9-959f-51d36fa7e001",
		"eu-token":             "pat-eu1-45c48cce-2e2d-4bda-aa1a-fc51c26ad002",
		"hubspot-refresh":      "na1-d3d9-446802a4-4259-855d-38e6d163e003",
		"hubspot-oauth":        "CKuM9YK6MhIYAAEDUAAAAAgAAAAAAAAfakefakefakefakeGJmB3kMgxrC-AjIUZmFrZWZha2VmYWtl",
		"salesforce-refresh":   "5Aep861fakefakefakeQvD2kPz7WbXnR4tYcHs.LmGe",
		"salesforce-session":   "00D5g00000FAKE1EAQ!ARfakefakefakeQkT8vJ2wLxZb5cN7mYs.PdHg",
		"consumer-secret":      "4C0FFEE0FA4E5EC3E7D1C2B3A495867787960A1B2C3D4E5F60718293A4B5C6D7",
		"auth-url":             "force://PlatformCLI::5Aep861fakefakefakeTuWxYz0123456789.AbCd@acme.my.salesforce.com",
		"json-web-token":       "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJmYWtlZmFrZSJ9.c2lnbmF0dXJlZmFrZWZha2VmYWtl",
		"address-with-token":   "https://user:fakefakepassword77@api.hubapi.com/crm/v3/objects/contacts?hapikey=6512bd43-d9ca-46e0-a0c9-92e1a4b3e004",
		"token-pasted-quoted":  `"Bearer pat-na1-c20ad4d7-6fe9-4759-aa27-a0c99bff6005"`,
		"password-and-token":   "Fake-Passw0rd-7788QrStUvWxYz0123456789fake",
		"vault-key":            "ZmFrZWZha2VmYWtlZmFrZWZha2VmYWtlZmFrZWZha2U=",
		"account-personal-key": "CiRuYTEtZmFrZS1mYWtlLWZha2UtZmFrZS1mYWtlZmFrZWZha2USIGZha2VmYWtlZmFrZWZha2VmYWtl",
	}
	for name, text := range w.texts {
		if !strings.Contains(name, "address") && !strings.Contains(name, "url") { // of those only a part is secret
			w.plant(name, text)
		}
		w.write(filepath.Join(w.secrets, name), text+"\n")
	}
	w.plant("the password in an address", "fakefakepassword77")
	w.plant("the key in an address", "6512bd43-d9ca-46e0-a0c9-92e1a4b3e004")
	w.plant("the token in an authorization url", "5Aep861fakefakefakeTuWxYz0123456789.AbCd")
	for line := range strings.Lines(w.texts["private-key"]) {
		if !strings.HasPrefix(line, "---") {
			w.plant("a line of the private key", line)
		}
	}
	answer := "curl -v -H 'Authorization: Bearer " + w.texts["eu-token"] + "' 'https://api.hubapi.com/crm/v3/objects/contacts?hapikey=" + w.texts["hex-key"] + "'\n" +
		"HTTP/1.1 401 Unauthorized\ncontent-type: application/json\n\n" +
		`{"status":"error","message":"Authentication credentials not found for ` + w.texts["eu-token"] + `","correlationId":"1","category":"INVALID_AUTHENTICATION"}` + "\n"
	w.texts["answer"] = answer
	w.write(filepath.Join(w.dir, "leaks", "answer.txt"), answer)
	w.write(filepath.Join(w.dir, "leaks", "sync.py"), "requests.get('https://api.hubapi.com/crm/v3/objects/contacts', params={'hapikey': '"+w.texts["hex-key"]+"'})\nTOKEN = '"+w.texts["eu-token"]+"'\n")
	w.write(filepath.Join(w.dir, "leaks", ".env"), "HUBSPOT_API_KEY="+w.texts["hex-key"]+"\nSF_SECURITY_TOKEN="+w.texts["password-and-token"]+"\n")
	w.write(filepath.Join(w.dir, "leaks", "get.sh"), "curl 'https://api.hubapi.com/crm/v3/objects/contacts?hapikey="+w.texts["hex-key"]+"'\n")
	for name, request := range map[string]string{
		"old": `"url": {"raw": "{{base}}/crm/v3/objects/contacts?hapikey=` + w.texts["hex-key"] + `", "host": ["{{base}}"], "path": ["crm", "v3", "objects", "contacts"], "query": [{"key": "hapikey", "value": "` + w.texts["hex-key"] + `"}]}`,
		"new": `"header": [{"key": "Authorization", "value": "Bearer ` + w.texts["eu-token"] + `"}], "url": "{{base}}/crm/v3/objects/contacts"`,
	} {
		w.write(filepath.Join(w.dir, "leaks", name+".postman_collection.json"),
			`{"info": {"name": "c", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}, "item": [{"name": "contacts", "request": {"method": "GET", `+request+`}}], "variable": [{"key": "base", "value": "`+w.hubspot.URL+`"}]}`)
	}
	w.env = map[string]string{
		"LOCKSTEP_KEYRING": "off", "HOME": w.dir, "TMPDIR": filepath.Join(w.dir, "tmp"),
		"LOCKSTEP_HUBSPOT_TOKEN": w.texts["token"], "LOCKSTEP_SALESFORCE_CLIENT_SECRET": w.texts["client-secret"],
	}
	w.write(filepath.Join(w.dir, "tmp", "keep"), "")
	return w
}

func (w *secretWorld) write(path, text string) {
	w.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// expand puts addresses and paths into a command line and takes its stdin out.
func (w *secretWorld) expand(line []string) (args []string, stdin string) {
	replacer := strings.NewReplacer("$HUBSPOT", w.hubspot.URL, "$SALESFORCE", w.salesforce.URL, "$CLIENT", w.box.Credentials().Salesforce.ClientID, "$SECRETS", w.secrets)
	for _, word := range line {
		if name, found := strings.CutPrefix(word, "<"); found {
			stdin = w.texts[name] + "\n"
			continue
		}
		args = append(args, replacer.Replace(word))
	}
	return args, stdin
}

// lockstep runs one command line and looks for secrets in what it prints.
func (w *secretWorld) lockstep(limit time.Duration, args []string, stdin string) (code int, out, errs string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), limit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code = cli.Run(ctx, args, cli.Streams{
		In: strings.NewReader(stdin), Out: &stdout, Err: &stderr, Dir: w.dir,
		Env: func(name string) string { return w.env[name] },
	})
	for where, text := range map[string]string{"stdout": stdout.String(), "stderr": stderr.String()} {
		// The sandbox shows its own credentials, which are much like the planted ones.
		if name := w.search([]byte(text), args[0] == "sandbox"); name != "" {
			w.Errorf("%s stands in the %s of: lockstep %s", name, where, w.masked(args))
		}
	}
	return code, stdout.String(), stderr.String()
}

// masked is a command line as this test may print it.
func (w *secretWorld) masked(args []string) string {
	text := strings.Join(args, " ")
	for name, secret := range w.texts {
		text = strings.ReplaceAll(text, secret, "["+name+"]")
	}
	return text
}

// planted tells files that hold secrets because this test put them there.
func (w *secretWorld) planted(path string) bool {
	return strings.HasPrefix(path, filepath.Join(w.dir, "leaks"))
}

func (w *secretWorld) registered() map[string][]string {
	return commandPaths(w.T, func(args ...string) string {
		var out bytes.Buffer
		cli.Run(w.Context(), append([]string{"__complete"}, args...), cli.Streams{In: strings.NewReader(""), Out: &out, Err: io.Discard, Dir: w.dir})
		return out.String()
	})
}

// TestNoSecretAnywhere plants secrets in every place that one can enter by, has
// every command do what it does, and searches all that is printed, logged,
// written and stored.
func TestNoSecretAnywhere(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t)
	commands := w.registered()
	covered := map[string]bool{}
	const limit = 20 * time.Second
	live := func(flags ...string) {
		for _, line := range life {
			path := pathOf(commands, line)
			if path == "" {
				continue
			}
			for path := path; path != ""; path = strings.TrimSpace(path[:max(0, strings.LastIndexByte(path, ' '))]) {
				covered[path] = true
			}
			args, stdin := w.expand(line)
			most := limit
			if path == "sandbox" || slices.Contains(line, "--watch") {
				most = 700 * time.Millisecond
			}
			w.lockstep(most, append(args, flags...), stdin)
		}
	}
	live("--log-level", "debug")
	for path := range commands {
		if path != "" && !covered[path] {
			t.Errorf("lockstep %s is registered, and nothing here uses it: add a line to life", path)
		}
	}
	if _, out, _ := w.lockstep(limit, []string{"runs", "list"}, ""); !strings.Contains(out, "sync") {
		t.Errorf("no sync was made, so that nothing was tried: %s", out)
	}
	w.searchFolder(t, w.dir, w.planted)

	for _, answer := range []struct {
		status int
		form   string
	}{{400, "json"}, {401, "json"}, {403, "json"}, {404, "json"}, {409, "json"}, {400, "oauth"}, {401, "oauth"}, {401, "html"}, {403, "html"}, {302, "redirect"}, {200, "json"}, {200, "html"}} {
		hubspot, salesforce := answer.form, answer.form
		if answer.form == "json" {
			hubspot, salesforce = "hubspot", "salesforce"
		}
		w.hubspot.answer(answer.status, hubspot, true)
		for _, tokens := range []bool{false, true} {
			w.salesforce.answer(answer.status, salesforce, tokens)
			for _, line := range [][]string{life[0], life[3], life[5], {"init", "--stdout"}, {"check"}, {"plan"}, {"sync"}, {"verify"}, {"accounts", "rotate"}, {"diagnose"}, {"postman", "export", "--failed"}} {
				if pathOf(commands, line) != "" {
					args, stdin := w.expand(line)
					w.lockstep(600*time.Millisecond, append(args, "--log-level", "debug"), stdin)
				}
			}
		}
	}
	w.hubspot.answer(0, "", false)
	w.salesforce.answer(0, "", false)
	for _, line := range [][]string{{"status", "--json"}, {"runs", "list", "--json"}, {"runs", "show", "5", "--json"}} {
		w.lockstep(limit, line, "")
	}
	w.searchFolder(t, w.dir, w.planted)
}

// pathOf is the registered command that a line calls; "" when there is none.
func pathOf(commands map[string][]string, line []string) string {
	found := ""
	for n := 1; n <= len(line); n++ {
		if path := strings.Join(line[:n], " "); commands[path] != nil {
			found = path
		}
	}
	if found != "" && !strings.Contains(found, " ") && len(line) > 1 {
		for path := range commands { // a group needs one of its commands
			if strings.HasPrefix(path, found+" ") && !strings.HasPrefix(line[1], "-") {
				return ""
			}
		}
	}
	return found
}

// TestASecretInTheWrongPlaceIsNotRepeated gives every command secrets where none
// belong: as an argument, as the value of each flag, on stdin, in its
// environment. What it says about that names no secret.
func TestASecretInTheWrongPlaceIsNotRepeated(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t)
	for name := range w.env {
		if strings.Contains(name, "TOKEN") || strings.Contains(name, "SECRET") {
			delete(w.env, name)
		}
	}
	const limit = 300 * time.Millisecond
	for path, flags := range w.registered() {
		words := strings.Fields(path)
		for name, text := range w.texts {
			if name == "answer" || path == "demo" || path == "sandbox" && name != "token" {
				continue
			}
			tries := [][]string{{text}}
			for _, flag := range flags {
				if flag != "--help" && (name == "token" || name == "consumer-secret" || name == "address-with-token" || name == "password-and-token") {
					tries = append(tries, []string{flag + "=" + text})
				}
			}
			for _, try := range tries {
				w.lockstep(limit, append(slices.Clone(words), try...), text)
			}
		}
	}
	for _, name := range variables(t) {
		for _, text := range w.texts {
			w.env = map[string]string{"LOCKSTEP_KEYRING": "off", name: text}
			for _, line := range [][]string{life[2], life[4], {"connect", "hubspot"}, {"connect", "salesforce"}, {"connect", "hubspot", "--oauth", "--no-browser", "--timeout", "50ms"}, {"accounts", "list"}, {"accounts", "rotate"}} {
				args, stdin := w.expand(line)
				w.lockstep(limit, args, stdin)
			}
		}
	}
}

// variables lists every environment variable of ours that the sources name.
func variables(t *testing.T) []string {
	t.Helper()
	var names []string
	files, err := filepath.Glob("../internal/*/*.go")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d sources: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, regexp.MustCompile(`LOCKSTEP_[A-Z_]*[A-Z]`).FindAllString(string(text), -1)...)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "LOCKSTEP_KEYRING" })
}

// TestACrashShowsNoSecret lets the program die with secrets in its hands, and
// reads what the runtime prints about it.
func TestACrashShowsNoSecret(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGQUIT here")
	}
	w := newSecretWorld(t)
	for _, line := range [][]string{life[0], life[3], {"init"}} {
		args, stdin := w.expand(line)
		if code, _, said := w.lockstep(20*time.Second, args, stdin); code != 0 {
			t.Fatalf("lockstep %s: %s", line, said)
		}
	}
	bin := filepath.Join(programPath(t), "lockstep")
	stalled := make(chan struct{}, 1)
	w.hubspot.mu.Lock()
	w.hubspot.stalled = stalled
	w.hubspot.mu.Unlock()
	for _, line := range [][]string{life[0], life[2], {"check"}, {"sync", "--log-level", "debug"}} {
		args, stdin := w.expand(line)
		for len(stalled) > 0 {
			<-stalled
		}
		crash(w, bin, args, stdin, stalled)
	}
	// A panic whose value holds an account and its secrets, in every verb.
	helper := exec.Command(os.Args[0], "-test.run=^TestPanicsWithSecretsInHand$")
	helper.Env = []string{"PANIC_TOKEN=" + w.texts["token"], "GOTRACEBACK=all"}
	out, err := helper.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic: ")) {
		t.Fatalf("it did not panic: %s", out)
	}
	if name := w.find(out); name != "" {
		t.Errorf("%s stands in what a panic prints", name)
	}
	w.searchFolder(t, w.dir, w.planted)
}

// crash starts the program, waits until it waits for an answer with the token in
// its hands, and has the runtime dump all of its goroutines.
func crash(w *secretWorld, bin string, args []string, stdin string, stalled <-chan struct{}) {
	w.Helper()
	var out bytes.Buffer
	command := exec.Command(bin, args...)
	command.Dir, command.Stdin, command.Stdout, command.Stderr = w.dir, strings.NewReader(stdin), &out, &out
	for name, value := range w.env {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Env = append(command.Env, "GOTRACEBACK=all")
	if err := command.Start(); err != nil {
		w.Fatal(err)
	}
	select {
	case <-stalled:
	case <-time.After(20 * time.Second):
		w.Errorf("lockstep %s made no call", w.masked(args))
	}
	_ = command.Process.Signal(syscall.SIGQUIT)
	var exit *exec.ExitError
	if err := command.Wait(); !errors.As(err, &exit) || !bytes.Contains(out.Bytes(), []byte("goroutine ")) {
		w.Errorf("lockstep %s did not dump its goroutines: %v\n%s", w.masked(args), err, &out)
	}
	if name := w.find(out.Bytes()); name != "" {
		w.Errorf("%s stands in the crash of: lockstep %s", name, w.masked(args))
	}
}

// TestPanicsWithSecretsInHand is run by TestACrashShowsNoSecret as a process of
// its own.
func TestPanicsWithSecretsInHand(t *testing.T) {
	token := os.Getenv("PANIC_TOKEN")
	if token == "" {
		t.Skip("only TestACrashShowsNoSecret runs it")
	}
	account := credential.Account{Name: "acme", Side: crm.HubSpot, Kind: credential.HubSpotToken, BaseURL: credential.DefaultHubSpotBaseURL}
	material := credential.Material{Token: credential.NewSecret(token), ClientSecret: credential.NewSecret(token), PrivateKey: credential.NewSecret(token)}
	tokens, err := credential.NewTokenSource(account, material, &http.Client{})
	if err != nil {
		t.Fatal(err)
	}
	panic(fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v %v", material, material, material, material, material, material, tokens, tokens, tokens, &account))
}
