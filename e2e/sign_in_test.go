package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/cli"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// signInWorld is a sandbox and a folder in which the program runs.
type signInWorld struct {
	box *sandbox.Sandbox
	dir string
	env map[string]string
	// shown is all that the program printed.
	mu    sync.Mutex
	shown bytes.Buffer
}

func newSignInWorld(t *testing.T) *signInWorld {
	t.Helper()
	box, err := sandbox.New(sandbox.Config{Seed: "small"})
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	return &signInWorld{box: box, dir: folder(t), env: map[string]string{"LOCKSTEP_KEYRING": "off"}}
}

// Write keeps what was printed, so that it can be searched for secrets.
func (w *signInWorld) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shown.Write(text)
}

// run runs one command line and returns what it printed.
func (w *signInWorld) run(t *testing.T, in string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Run(t.Context(), args, cli.Streams{
		In: strings.NewReader(in), Out: io.MultiWriter(&out, w), Err: io.MultiWriter(&errs, w),
		Env: func(name string) string { return w.env[name] }, Dir: w.dir,
	})
	return code, out.String(), errs.String()
}

// signIn runs a connect command that waits for a browser, hands the address
// that it prints to browse, and returns how it ended.
func (w *signInWorld) signIn(t *testing.T, in string, browse func(address, redirect string), args ...string) (code int, stdout, stderr string) {
	t.Helper()
	reader, writer := io.Pipe()
	var out, errs bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- cli.Run(t.Context(), args, cli.Streams{
			In: strings.NewReader(in), Out: io.MultiWriter(&out, w), Err: io.MultiWriter(writer, w),
			Env: func(name string) string { return w.env[name] }, Dir: w.dir,
		})
		_ = writer.Close()
	}()
	var line []byte
	var b [1]byte
	for {
		if _, err := reader.Read(b[:]); err != nil {
			break
		}
		errs.WriteByte(b[0])
		if line = append(line, b[0]); b[0] != '\n' {
			continue
		}
		if address := strings.TrimSpace(string(line)); strings.HasPrefix(address, "http") {
			u, err := url.Parse(address)
			if err != nil {
				t.Error(err)
			}
			browse(address, u.Query().Get("redirect_uri"))
		}
		line = nil
	}
	return <-done, out.String(), errs.String()
}

// nothingLeaks searches all that was printed, and every file, for secrets.
func (w *signInWorld) nothingLeaks(t *testing.T, secrets ...string) {
	t.Helper()
	search := func(where, text string) {
		for i, secret := range secrets {
			if secret != "" && strings.Contains(text, secret) {
				t.Errorf("secret %d stands in %s", i, where)
			}
		}
	}
	search("what was printed", w.shown.String())
	err := filepath.WalkDir(w.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		search(path, string(text))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// hubSpotApp uploads an OAuth app with these scopes and callback.
func (w *signInWorld) hubSpotApp(t *testing.T, redirect string, scopes []string) (clientID, clientSecret string) {
	t.Helper()
	file, err := json.Marshal(map[string]any{"uid": "sign_in_test", "type": "app", "config": map[string]any{
		"name": "Sign-in test", "distribution": "private",
		"auth": map[string]any{"type": "oauth", "redirectUrls": []string{redirect}, "requiredScopes": scopes},
	}})
	if err != nil {
		t.Fatal(err)
	}
	app, err := w.box.HubSpot().UploadApp(file)
	if err != nil {
		t.Fatal(err)
	}
	return app.ClientID, app.ClientSecret
}

// usualScopes is what is asked for while there is no mapping.
func usualScopes() []string {
	scopes := []string{"oauth", "crm.objects.owners.read"}
	for _, object := range []string{"companies", "contacts", "deals"} {
		scopes = append(scopes, "crm.objects."+object+".read", "crm.objects."+object+".write")
	}
	slices.Sort(scopes)
	return scopes
}

func TestHubSpotIsConnectedByOAuthInTwoAccounts(t *testing.T) {
	t.Parallel()
	w := newSignInWorld(t)
	id, secret := w.hubSpotApp(t, "http://localhost:1/callback", usualScopes())
	var asked []string
	for i, account := range w.box.HubSpot().Accounts() {
		portal, name := fmt.Sprint(account.PortalID()), fmt.Sprintf("acme-%d", i)
		admin := &person{role: "super admin", portal: portal}
		code, stdout, stderr := w.signIn(t, secret+"\n", func(address, redirect string) {
			w.hubSpotApp(t, redirect, usualScopes())
			u, _ := url.Parse(address)
			asked = strings.Fields(u.Query().Get("scope"))
			if _, page := admin.decide(t, address, "allow"); !strings.Contains(page, "You can close this window") {
				t.Errorf("the last page was\n%s", page)
			}
		}, "connect", "hubspot", "--name", name, "--oauth", "--base-url", w.box.HubSpotURL(), "--client-id", id, "--client-secret", "-", "--port", "0", "--no-browser", "--timeout", "10s")
		if code != 0 || !strings.Contains(stdout, "Connected "+name+": HubSpot account "+portal) {
			t.Fatalf("code %d\n%s%s", code, stdout, stderr)
		}
	}
	if diff := cmp.Diff(usualScopes(), asked); diff != "" {
		t.Errorf("the scopes asked for: %s", diff)
	}
	code, stdout, _ := w.run(t, "", "accounts", "list", "--json")
	if code != 0 || strings.Count(stdout, `"kind":"hubspot-oauth"`) != 2 || !strings.Contains(stdout, `"crm.objects.deals.write"`) {
		t.Errorf("code %d\n%s", code, stdout)
	}
	w.nothingLeaks(t, secret)
}

func TestASyncGoesOnWhenItsOAuthTokenEnds(t *testing.T) {
	t.Parallel()
	w := newSignInWorld(t)
	id, secret := w.hubSpotApp(t, "http://localhost:1/callback", usualScopes())
	admin := &person{role: "super admin", portal: fmt.Sprint(w.box.HubSpot().PortalID())}
	code, _, stderr := w.signIn(t, secret, func(address, redirect string) {
		w.hubSpotApp(t, redirect, usualScopes())
		admin.decide(t, address, "allow")
	}, "connect", "hubspot", "--oauth", "--base-url", w.box.HubSpotURL(), "--client-id", id, "--client-secret", "-", "--port", "0", "--timeout", "10s")
	if code != 0 {
		t.Fatal(stderr)
	}
	credentials := w.box.Credentials().Salesforce
	steps := [][]string{
		{"connect", "salesforce", "--login-url", w.box.SalesforceURL(), "--client-id", credentials.ClientID, "--client-secret", "-"},
		{"init"}, {"check"}, {"sync"},
	}
	for _, step := range steps {
		if code, stdout, stderr := w.run(t, credentials.ClientSecret, step...); code != 0 {
			t.Fatalf("%v ended with %d\n%s%s", step, code, stdout, stderr)
		}
		// HubSpot's clock runs ahead of this machine's: every token that is at hand
		// has ended by its own account, and only a 401 says so.
		w.box.Clock().Advance(31 * time.Minute)
	}
	// What was asked for before there was a mapping is just what init's mapping needs.
	if code, stdout, stderr := w.run(t, "", "check", "--json"); code != 0 || !strings.Contains(stdout, `"missing":[],"superfluous":[]}`) {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := w.run(t, "", "sync", "--json"); code != 0 || !strings.Contains(stdout, `"closed":true`) {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
	// An app that was taken out of the account ends in one instruction.
	admin.uninstall(t, w.box, id)
	w.box.Clock().Advance(31 * time.Minute)
	if code, _, stderr := w.run(t, "", "sync"); code != 3 || !strings.Contains(stderr, "uninstalled") || !strings.Contains(stderr, "lockstep connect hubspot --name hubspot\n") {
		t.Errorf("code %d\n%s", code, stderr)
	}
	w.nothingLeaks(t, secret, credentials.ClientSecret)
}

// uninstall takes an app out of the first HubSpot account, on the page for it.
func (p *person) uninstall(t *testing.T, box *sandbox.Sandbox, clientID string) {
	t.Helper()
	response, err := p.client.PostForm(fmt.Sprintf("%s/connected-apps/%d/uninstall", box.HubSpotURL(), box.HubSpot().PortalID()), url.Values{"client": {clientID}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the app was not uninstalled: %s", response.Status)
	}
}

func TestARefusedSignInKeepsNothing(t *testing.T) {
	t.Parallel()
	w := newSignInWorld(t)
	id, secret := w.hubSpotApp(t, "http://localhost:1/callback", usualScopes())
	connect := []string{"connect", "hubspot", "--oauth", "--base-url", w.box.HubSpotURL(), "--client-id", id, "--client-secret", "-", "--port", "0", "--timeout", "3s"}
	register := func(redirect string) { w.hubSpotApp(t, redirect, usualScopes()) }
	admin := func() *person { return &person{role: "super admin"} }
	tests := []struct {
		name   string
		secret string
		browse func(address, redirect string)
		code   int
		want   string
	}{
		{"denied", secret, func(address, redirect string) { register(redirect); admin().decide(t, address, "deny") }, 3, "did not allow the app"},
		{"a wrong secret", "00000000-fa4e-0000-0000-000000000000", func(address, redirect string) { register(redirect); admin().decide(t, address, "allow") }, 3, "refuses the client secret"},
		{"a callback that the app does not have", secret, func(address, _ string) {
			w.hubSpotApp(t, "http://localhost:1/callback", usualScopes())
			admin().decide(t, address, "allow")
		}, 4, "to the letter"},
		{"an app that demands one scope more", secret, func(address, redirect string) {
			w.hubSpotApp(t, redirect, append(usualScopes(), "tickets"))
			if _, page := admin().decide(t, address, "allow"); !strings.Contains(page, "tickets") && !strings.Contains(page, "did not allow") {
				t.Errorf("the page does not name the scope:\n%s", page)
			}
		}, -1, "crm.objects.contacts.read"},
		{"a forged answer", secret, func(_, redirect string) {
			response, err := http.Get(redirect + "?code=fake-code&state=fake-state")
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("a foreign state got %d", response.StatusCode)
			}
		}, 4, "belongs to another sign-in"},
	}
	for _, test := range tests {
		code, stdout, stderr := w.signIn(t, test.secret, test.browse, connect...)
		if code != test.code && test.code >= 0 || code == 0 || !strings.Contains(stderr, test.want) || stdout != "" {
			t.Errorf("%s: code %d\n%s%s", test.name, code, stdout, stderr)
		}
		if _, err := os.Stat(filepath.Join(w.dir, ".lockstep", "accounts.json")); err == nil {
			t.Errorf("%s: something was kept", test.name)
		}
	}
	w.nothingLeaks(t, secret)
}

// salesforceLogin connects by a login in the browser, through front, which
// counts token requests.
func (w *signInWorld) salesforceLogin(t *testing.T, app salesforce.App, front string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	user := w.box.Salesforce().Users()[0]
	for _, u := range w.box.Salesforce().Users() {
		if u.Username == salesforce.IntegrationUsername {
			user = u
		}
	}
	return w.signIn(t, "", func(address, redirect string) {
		app.CallbackURLs = []string{redirect}
		if _, err := w.box.Salesforce().UpdateApp(app); err != nil {
			t.Error(err)
		}
		p := &person{username: user.Username, password: user.Password}
		if at, page := p.decide(t, address, "allow"); !strings.Contains(page, "You can close this window") {
			t.Errorf("the last page was %s\n%s", at, page)
		}
	}, append([]string{"connect", "salesforce", "--web", "--login-url", front, "--client-id", app.ClientID, "--port", "0", "--timeout", "10s"}, args...)...)
}

// webApp makes an app for the web flow, with PKCE, without a secret, whose
// refresh tokens work once.
func (w *signInWorld) webApp(t *testing.T) salesforce.App {
	t.Helper()
	app, err := w.box.Salesforce().CreateApp(salesforce.App{
		Name: "Web", CallbackURLs: []string{"http://localhost:1/callback"}, Flows: []salesforce.Flow{salesforce.WebServer, salesforce.RefreshToken},
		RequirePKCE: true, SecretOptional: true, RotateRefreshTokens: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// counting stands in front of Salesforce and counts refreshes.
func counting(t *testing.T, target string) (front *httptest.Server, refreshes *atomic.Int64) {
	t.Helper()
	refreshes = &atomic.Int64{}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u); r.Out.Host = r.In.Host }}
	front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/services/oauth2/token" {
			text, _ := io.ReadAll(r.Body)
			if strings.Contains(string(text), "grant_type=refresh_token") {
				refreshes.Add(1)
			}
			r.Body = io.NopCloser(bytes.NewReader(text))
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front, refreshes
}

// renewDir names the folder whose Salesforce login a process of this test
// binary renews.
const renewDir = "LOCKSTEP_TEST_RENEW_DIR"

// renewLogin is what each of the fifty processes does: it holds the token that
// has ended, waits for the others, and asks for another.
func renewLogin(t *testing.T, dir string) {
	a := app.New(app.Config{File: filepath.Join(dir, "lockstep.yaml")})
	tokens, err := a.Tokens(t.Context(), "salesforce", crm.Salesforce)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := tokens.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	fresh, err := tokens.Renew(t.Context(), stale)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%x\n", sha256.Sum256([]byte(fresh)))
}

func TestFiftyProcessesShareOneRotatedSalesforceLogin(t *testing.T) {
	if dir := os.Getenv(renewDir); dir != "" {
		renewLogin(t, dir)
		return
	}
	t.Parallel()
	w := newSignInWorld(t)
	front, refreshes := counting(t, w.box.SalesforceURL())
	if code, stdout, stderr := w.salesforceLogin(t, w.webApp(t), front.URL); code != 0 || !strings.Contains(stdout, "Connected salesforce") {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	w.box.Salesforce().ExpireAll()
	if got := refreshes.Load(); got != 0 {
		t.Errorf("%d refreshes before the session ended", got)
	}
	const processes = 50
	type process struct {
		command *exec.Cmd
		in      io.WriteCloser
		out     *bufio.Reader
	}
	var all []process
	for range processes {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFiftyProcessesShareOneRotatedSalesforceLogin$")
		command.Env = append(os.Environ(), renewDir+"="+w.dir)
		in, err := command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, process{command, in, bufio.NewReader(out)})
	}
	for _, p := range all {
		if line, err := p.out.ReadString('\n'); line != "ready\n" {
			t.Fatalf("a process said %q, %v", line, err)
		}
	}
	for _, p := range all {
		_, _ = io.WriteString(p.in, "\n")
	}
	got := map[string]int{}
	for _, p := range all {
		token, _ := p.out.ReadString('\n')
		_, _ = io.Copy(io.Discard, p.out)
		if err := p.command.Wait(); err != nil {
			t.Errorf("a process ended with %v: %s", err, token)
		}
		got[token]++
	}
	if n := refreshes.Load(); n != 1 || len(got) != 1 {
		t.Errorf("%d refreshes, %d different tokens", n, len(got))
	}
}

func TestABrokenSalesforceLoginIsMendedByTheCommandThatIsNamed(t *testing.T) {
	t.Parallel()
	w := newSignInWorld(t)
	app := w.webApp(t)
	if code, _, stderr := w.salesforceLogin(t, app, w.box.SalesforceURL(), "--name", "acme"); code != 0 {
		t.Fatal(stderr)
	}
	if code, _, stderr := w.run(t, w.box.Credentials().HubSpot.PrivateApp, "connect", "hubspot", "--base-url", w.box.HubSpotURL(), "--token", "-"); code != 0 {
		t.Fatal(stderr)
	}
	if code, stdout, stderr := w.run(t, "", "init"); code != 0 {
		t.Fatal(stdout, stderr)
	}
	// An old copy of the vault comes back: its refresh token was spent.
	vault := filepath.Join(w.dir, ".lockstep", "accounts.json")
	old, err := os.ReadFile(vault)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.box.Salesforce().ExpireAll()
		if code, stdout, stderr := w.run(t, "", "check"); code != 0 {
			t.Fatal(stdout, stderr)
		}
	}
	if err := os.WriteFile(vault, old, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := w.run(t, "", "check")
	if code != 3 || !strings.Contains(stderr, "  next: lockstep connect salesforce --name acme\n") {
		t.Fatalf("code %d\n%s", code, stderr)
	}
	user := salesforceUser(w.box)
	code, stdout, stderr := w.signIn(t, "", func(address, redirect string) {
		app.CallbackURLs = []string{redirect}
		if _, err := w.box.Salesforce().UpdateApp(app); err != nil {
			t.Error(err)
		}
		(&person{username: user.Username, password: user.Password}).decide(t, address, "allow")
	}, "connect", "salesforce", "--name", "acme", "--port", "0", "--timeout", "10s")
	if code != 0 || !strings.Contains(stdout, "Connected acme") {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := w.run(t, "", "check"); code != 0 {
		t.Error(stdout, stderr)
	}
}

// The Salesforce CLI's own login serves: Lockstep asks sf for tokens, and asks
// again when one has ended.
func TestTheLoginOfTheSalesforceCLIServes(t *testing.T) {
	w := newSignInWorld(t)
	bin, app := t.TempDir(), w.box.Credentials().Salesforce
	script := `#!/bin/sh
case "$1 $2" in
"org display") echo '{"status":0,"result":{"alias":"acme","username":"sync@acme.example","instanceUrl":"'"$SF_TEST_URL"'","connectedStatus":"Connected","accessToken":"[REDACTED]"}}';;
"org auth") curl -s -d grant_type=client_credentials -d "client_id=$SF_TEST_ID" -d "client_secret=$SF_TEST_SECRET" "$SF_TEST_URL/services/oauth2/token" |
  sed 's/.*"access_token":"\([^"]*\)".*/{"status":0,"result":{"accessToken":"\1"}}/';;
esac
`
	if err := os.WriteFile(filepath.Join(bin, "sf"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("SF_TEST_URL", w.box.SalesforceURL())
	t.Setenv("SF_TEST_ID", app.ClientID)
	t.Setenv("SF_TEST_SECRET", app.ClientSecret)
	code, stdout, stderr := w.run(t, "", "connect", "salesforce", "--from-sf", "acme")
	if code != 0 || !strings.Contains(stdout, "Connected salesforce: Salesforce account 00D") || !strings.Contains(stderr, "stays with the Salesforce CLI") {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := w.run(t, w.box.Credentials().HubSpot.PrivateApp, "connect", "hubspot", "--base-url", w.box.HubSpotURL(), "--token", "-"); code != 0 {
		t.Fatal(stderr)
	}
	for _, command := range []string{"init", "check"} {
		if code, stdout, stderr := w.run(t, "", command); code != 0 {
			t.Fatalf("%s: %d\n%s%s", command, code, stdout, stderr)
		}
		w.box.Salesforce().ExpireAll()
	}
	code, stdout, stderr = w.run(t, "", "accounts", "remove", "salesforce")
	if code != 0 || !strings.Contains(stderr, "sf org logout --target-org acme") {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
	w.nothingLeaks(t, app.ClientSecret)
}

func salesforceUser(box *sandbox.Sandbox) salesforce.User {
	for _, u := range box.Salesforce().Users() {
		if u.Username == salesforce.IntegrationUsername {
			return u
		}
	}
	return salesforce.User{}
}

// A person at a terminal is asked, and told where to click; the answers come
// line by line, the secret without being shown.
func TestAPersonIsGuided(t *testing.T) {
	t.Parallel()
	w := newSignInWorld(t)
	guided := func(in, secret string, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		stdin := strings.NewReader(in)
		code := cli.Run(context.WithoutCancel(t.Context()), args, cli.Streams{
			In: stdin, Out: &out, Err: &errs, Dir: w.dir, Env: func(name string) string { return w.env[name] },
			IsTerminal: func(stream any) bool { return stream == any(stdin) },
			ReadSecret: func() (string, error) { return secret, nil },
		})
		_, _ = w.Write(out.Bytes())
		_, _ = w.Write(errs.Bytes())
		return code, out.String(), errs.String()
	}
	token := w.box.Credentials().HubSpot.PrivateApp
	code, stdout, stderr := guided("no\nno\nno\nno\nyes\n", token, "connect", "hubspot", "--base-url", w.box.HubSpotURL())
	for _, want := range []string{"What fits: a service key", "Development (left) > Keys > Service keys", "Settings (gear) > Integrations > Private Apps",
		"\ncrm.objects.companies.read crm.objects.companies.write crm.objects.contacts.read crm.objects.contacts.write crm.objects.deals.read crm.objects.deals.write crm.objects.owners.read\n"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is not told:\n%s", want, stderr)
		}
	}
	if code != 0 || !strings.Contains(stdout, "Connected hubspot: HubSpot account") {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
	// A name that is connected already is not asked again: only for the token.
	if code, _, stderr := guided("", token, "connect", "hubspot", "--base-url", w.box.HubSpotURL()); code != 0 || strings.Contains(stderr, "yes or no") {
		t.Errorf("code %d\n%s", code, stderr)
	}
	app := w.box.Credentials().Salesforce
	code, stdout, stderr = guided("yes\nno\n"+w.box.SalesforceURL()+"\n"+app.ClientID+"\n", app.ClientSecret, "connect", "salesforce")
	if code != 0 || !strings.Contains(stderr, "What fits: an External Client App with client credentials") || !strings.Contains(stdout, "Connected salesforce") {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := guided("maybe\nperhaps\nwell\n", token, "connect", "hubspot", "--name", "other"); code != 2 || !strings.Contains(stderr, "answer yes or no") {
		t.Errorf("code %d\n%s", code, stderr)
	}
	if code, _, stderr := guided("", token, "connect", "hubspot", "--name", "other"); code != 2 || !strings.Contains(stderr, "terminal was closed") {
		t.Errorf("code %d\n%s", code, stderr)
	}
	// In a pipe nothing is asked.
	if code, _, stderr := w.run(t, "yes\n", "connect", "hubspot", "--name", "other"); code != 2 || strings.Contains(stderr, "yes or no") || !strings.Contains(stderr, "--token-fd") {
		t.Errorf("code %d\n%s", code, stderr)
	}
	w.nothingLeaks(t, token, app.ClientSecret)
}
