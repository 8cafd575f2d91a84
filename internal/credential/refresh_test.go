package credential

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// grantServer is the token endpoint of one installation, of either vendor. With
// rotating set a refresh token works once, and a second use ends the chain.
type grantServer struct {
	mu       sync.Mutex
	rotating bool
	refresh  string
	spent    map[string]bool
	ended    bool
	calls    int
	lifetime int
}

func (s *grantServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	token := r.PostFormValue("refresh_token")
	if s.spent == nil {
		s.spent = map[string]bool{}
	}
	if s.rotating && s.spent[token] {
		s.ended = true
	}
	w.Header().Set("Content-Type", "application/json")
	if s.ended || token != s.refresh {
		w.WriteHeader(http.StatusBadRequest)
		if strings.HasPrefix(r.URL.Path, "/oauth/") {
			_, _ = io.WriteString(w, `{"status":"BAD_REFRESH_TOKEN","message":"refresh token is invalid, expired or revoked","error":"invalid_grant"}`)
			return
		}
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"expired access/refresh token"}`)
		return
	}
	answer := map[string]any{"access_token": fmt.Sprintf("fake-access-%d", s.calls), "instance_url": "http://" + r.Host, "token_type": "bearer"}
	if s.lifetime > 0 {
		answer["expires_in"], answer["refresh_token"] = s.lifetime, token
	}
	if s.rotating {
		s.spent[token] = true
		s.refresh = fmt.Sprintf("fake-refresh-%d", s.calls)
		answer["refresh_token"] = s.refresh
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *grantServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// grantKinds are the three ways a refresh token lives.
var grantKinds = []struct {
	name     string
	side     crm.Side
	kind     Kind
	rotating bool
	lifetime int
}{
	{"HubSpot, whose refresh token stays", crm.HubSpot, HubSpotOAuth, false, 1800},
	{"Salesforce without rotation", crm.Salesforce, SalesforceOAuth, false, 0},
	{"Salesforce with rotation", crm.Salesforce, SalesforceOAuth, true, 0},
}

// oauthVault keeps an account of the kind whose access token is "fake-stale".
func oauthVault(t *testing.T, side crm.Side, kind Kind, address string) *Vault {
	t.Helper()
	v := openVault(t, t.TempDir(), nil)
	account := Account{Name: "acme", Side: side, Kind: kind, ClientID: "fake-client", BaseURL: address, LoginURL: address, ID: "123"}
	material := Material{RefreshToken: NewSecret("fake-refresh-0"), ClientSecret: NewSecret("fake-secret"), Access: Access{
		Token: NewSecret("fake-stale"), InstanceURL: address, Obtained: time.Now(),
	}}
	if err := v.Put(t.Context(), account, material); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestMain lets this test binary be the process that renews, and dies.
func TestMain(m *testing.M) {
	if os.Getenv("CREDENTIAL_TEST_RENEW") != "" {
		os.Exit(renewAsProcess())
	}
	os.Exit(m.Run())
}

// renewAsProcess renews one token, and kills itself at the point that it is told.
func renewAsProcess() int {
	v, err := Open(os.Getenv("CREDENTIAL_TEST_DIR"), Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dying := &dyingTransport{at: os.Getenv("CREDENTIAL_TEST_RENEW")}
	s, err := v.TokenSource(context.Background(), "acme", crm.Side(os.Getenv("CREDENTIAL_TEST_SIDE")), &http.Client{Transport: dying})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if os.Getenv("CREDENTIAL_TEST_WAIT") != "" { // all start together
		fmt.Println("ready")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	}
	token, err := s.Renew(context.Background(), "fake-stale")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dying.die("after the answer was kept")
	fmt.Println(token)
	return 0
}

// dyingTransport ends the process as kill -9 does, at a point of the call.
type dyingTransport struct{ at string }

func (d *dyingTransport) die(point string) {
	if d.at == point {
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {}
	}
}

func (d *dyingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	d.die("before the call")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	d.die("before the answer was read")
	text, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	d.die("before the answer was kept")
	response.Body = io.NopCloser(strings.NewReader(string(text)))
	return response, nil
}

func renewProcess(t *testing.T, v *Vault, side crm.Side, point string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), "CREDENTIAL_TEST_RENEW="+point, "CREDENTIAL_TEST_DIR="+v.dir, "CREDENTIAL_TEST_SIDE="+string(side))
	return command
}

func TestFiftyProcessesThatRefreshMakeOneCall(t *testing.T) {
	const processes = 50
	for _, kind := range grantKinds {
		t.Run(kind.name, func(t *testing.T) {
			grants := &grantServer{rotating: kind.rotating, refresh: "fake-refresh-0", lifetime: kind.lifetime}
			server := httptest.NewServer(grants)
			defer server.Close()
			v := oauthVault(t, kind.side, kind.kind, server.URL)
			type child struct {
				command *exec.Cmd
				in      io.WriteCloser
				out     *bufio.Reader
				errors  *strings.Builder
			}
			children := make([]child, processes)
			for i := range children {
				c := child{command: renewProcess(t, v, kind.side, "never"), errors: &strings.Builder{}}
				c.command.Env = append(c.command.Env, "CREDENTIAL_TEST_WAIT=1")
				c.command.Stderr = c.errors
				in, err := c.command.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				out, err := c.command.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := c.command.Start(); err != nil {
					t.Fatal(err)
				}
				c.in, c.out = in, bufio.NewReader(out)
				children[i] = c
			}
			for _, c := range children { // each holds the stale token now
				if line, err := c.out.ReadString('\n'); err != nil || line != "ready\n" {
					t.Fatalf("a process did not start: %q, %v, %s", line, err, c.errors)
				}
			}
			for _, c := range children {
				_, _ = io.WriteString(c.in, "\n")
			}
			for _, c := range children {
				token, _ := c.out.ReadString('\n')
				if err := c.command.Wait(); err != nil || token != "fake-access-1\n" {
					t.Errorf("a process got %q, %v: %s", token, err, c.errors)
				}
			}
			if got := grants.count(); got != 1 {
				t.Errorf("%d refresh calls", got)
			}
		})
	}
}

func TestAKillBetweenCallAndSave(t *testing.T) {
	points := []struct {
		point string
		// lost: a refresh token that works once is gone with the answer.
		lost bool
	}{
		{"before the call", false},
		{"before the answer was read", true},
		{"before the answer was kept", true},
		{"after the answer was kept", false},
	}
	for _, kind := range grantKinds {
		for _, test := range points {
			t.Run(kind.name+", killed "+test.point, func(t *testing.T) {
				grants := &grantServer{rotating: kind.rotating, refresh: "fake-refresh-0", lifetime: kind.lifetime}
				server := httptest.NewServer(grants)
				defer server.Close()
				v := oauthVault(t, kind.side, kind.kind, server.URL)
				command := renewProcess(t, v, kind.side, test.point)
				out, err := command.CombinedOutput()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || len(out) > 0 {
					t.Fatalf("the process was not killed: %v\n%s", err, out)
				}
				before := grants.count()
				s, err := openVault(t, v.dir, nil).TokenSource(t.Context(), "acme", kind.side, nil)
				if err != nil {
					t.Fatal(err)
				}
				token, err := s.Renew(t.Context(), "fake-stale")
				if test.lost && kind.rotating {
					want := "lockstep connect salesforce --name acme"
					if fault.KindOf(err) != fault.Denied || fault.MendOf(err) != want || !strings.Contains(err.Error(), "was cut off before its answer was kept") {
						t.Fatalf("got %q, %v; mend %q", token, err, fault.MendOf(err))
					}
					// It stays the one clear instruction, until somebody follows it.
					if _, err := s.Renew(t.Context(), "fake-stale"); fault.MendOf(err) != want {
						t.Errorf("asked again: %v", err)
					}
					return
				}
				if err != nil || !strings.HasPrefix(token, "fake-access-") {
					t.Fatalf("got %q, %v; mend %q", token, err, fault.MendOf(err))
				}
				if kept := test.point == "after the answer was kept"; kept != (grants.count() == before) {
					t.Errorf("%d calls, %d before the kill", grants.count(), before)
				}
				// And it goes on from there.
				if again, err := s.Renew(t.Context(), token); err != nil || again == token {
					t.Errorf("the next refresh: %q, %v", again, err)
				}
				if f, err := v.load(); err != nil || len(f.row("acme", kind.side).Refresh) != 0 {
					t.Errorf("a note of a refresh is left, %v", err)
				}
			})
		}
	}
}

func TestTheNewRefreshTokenIsOnDiskBeforeTheAccessTokenIsUsed(t *testing.T) {
	grants := &grantServer{rotating: true, refresh: "fake-refresh-0"}
	server := httptest.NewServer(grants)
	defer server.Close()
	v := oauthVault(t, crm.Salesforce, SalesforceOAuth, server.URL)
	s, err := v.TokenSource(t.Context(), "acme", crm.Salesforce, nil)
	if err != nil {
		t.Fatal(err)
	}
	stale := "fake-stale"
	for n := 1; n <= 5; n++ {
		token, err := s.Renew(t.Context(), stale)
		if err != nil {
			t.Fatal(err)
		}
		_, material, err := openVault(t, v.dir, nil).Get(t.Context(), "acme", crm.Salesforce)
		if err != nil || material.RefreshToken.Reveal() != fmt.Sprintf("fake-refresh-%d", n) {
			t.Fatalf("refresh %d: another refresh token is on disk, %v", n, err)
		}
		stale = token
	}
	if text, _ := os.ReadFile(v.path()); strings.Contains(string(text), "fake-refresh") || strings.Contains(string(text), "fake-access") {
		t.Error("a token stands in the clear")
	}
}

// What the disk did not take is kept in memory and tried again, and not asked
// for twice: a refresh token that works once is spent by then.
func TestAnAnswerThatTheDiskDoesNotTakeIsNotLost(t *testing.T) {
	grants := &grantServer{rotating: true, refresh: "fake-refresh-0"}
	server := httptest.NewServer(grants)
	defer server.Close()
	v := oauthVault(t, crm.Salesforce, SalesforceOAuth, server.URL)
	// The file gives way to a folder while the answer is on its way.
	away := v.dir + "-away"
	transport := &betweenTransport{do: func() {
		if err := os.Rename(filepath.Join(v.dir, accountsFileName), away); err != nil {
			t.Error(err)
		}
		if err := os.Mkdir(filepath.Join(v.dir, accountsFileName), 0o700); err != nil {
			t.Error(err)
		}
	}}
	s, err := v.TokenSource(t.Context(), "acme", crm.Salesforce, &http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	if token, err := s.Renew(t.Context(), "fake-stale"); err == nil {
		t.Fatalf("an answer that was not kept was used: %q", token)
	}
	if err := os.Remove(filepath.Join(v.dir, accountsFileName)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, filepath.Join(v.dir, accountsFileName)); err != nil {
		t.Fatal(err)
	}
	token, err := s.Renew(t.Context(), "fake-stale")
	if err != nil || token != "fake-access-1" || grants.count() != 1 {
		t.Errorf("got %q after %d calls, %v", token, grants.count(), err)
	}
}

type betweenTransport struct{ do func() }

func (b *betweenTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	b.do()
	return response, err
}

func TestAHubSpotTokenIsRenewedAheadOfItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := func(n int) string {
			return fmt.Sprintf(`200 {"access_token":"fake-access-%d","refresh_token":"fake-refresh-0","expires_in":1800}`, n)
		}
		server := &tokenServer{answers: []string{answer(1), answer(2), "503 down", "503 down", "503 down", answer(3)}}
		v := oauthVault(t, crm.HubSpot, HubSpotOAuth, "https://api.hubapi.com")
		s, err := v.TokenSource(t.Context(), "acme", crm.HubSpot, &http.Client{Transport: server})
		if err != nil {
			t.Fatal(err)
		}
		token := func() string {
			t.Helper()
			token, err := s.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		if _, err := s.Renew(t.Context(), token()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(28 * time.Minute)
		if got := token(); got != "fake-access-1" || server.requests() != 1 {
			t.Errorf("after 28 minutes: %q, %d requests", got, server.requests())
		}
		time.Sleep(90 * time.Second)
		if got := token(); got != "fake-access-2" || server.requests() != 2 {
			t.Errorf("half a minute before its end: %q, %d requests", got, server.requests())
		}
		time.Sleep(29*time.Minute + 30*time.Second)
		if got := token(); got != "fake-access-2" {
			t.Errorf("while HubSpot is down the old token serves to its end: %q", got)
		}
		time.Sleep(time.Minute)
		if got := token(); got != "fake-access-3" {
			t.Errorf("after its end: %q", got)
		}
	})
}

func TestEndedLoginsSayWhatToDo(t *testing.T) {
	expired := `400 {"error":"invalid_grant","error_description":"expired access/refresh token"}`
	tests := []struct {
		name, answer string
		kind         Kind
		idle         time.Duration
		what, mend   string
	}{
		{"a login that was revoked", expired, SalesforceOAuth, time.Hour, "revoked by an administrator", "lockstep connect salesforce --name acme"},
		{"a login that nobody used for a month", expired, SalesforceOAuth, 31 * 24 * time.Hour, "not used for 31 days", "lockstep connect salesforce --name acme"},
		{"a user who left", `400 {"error":"invalid_grant","error_description":"inactive user"}`, SalesforceOAuth, 0, "not active", "activate"},
		{"an app that was blocked", `400 {"error":"OAUTH_APP_BLOCKED","error_description":"this app is blocked by admin"}`, SalesforceOAuth, 0, "blocked", "lift the block"},
		{"an app that asks for a secret", `400 {"error":"invalid_client","error_description":"invalid client credentials"}`, SalesforceOAuth, 0, "client secret", "--client-secret -"},
		{"an app that was uninstalled", `400 {"status":"BAD_REFRESH_TOKEN","message":"refresh token is invalid, expired or revoked","error":"invalid_grant"}`, HubSpotOAuth, 0, "uninstalled", "lockstep connect hubspot --name acme"},
		{"the form of 2025", `400 {"status":"BAD_REFRESH_TOKEN","message":"refresh token is invalid","correlationId":"fake"}`, HubSpotOAuth, 0, "uninstalled", "lockstep connect hubspot --name acme"},
		{"an account that is gone", `400 {"status":"BAD_HUB","message":"missing or unknown hub id"}`, HubSpotOAuth, 0, "is gone", "lockstep connect hubspot --name acme"},
		{"a secret that was rotated", `400 {"status":"BAD_CLIENT_SECRET","message":"bad client secret"}`, HubSpotOAuth, 0, "client secret", "Auth"},
		{"an unknown app", `400 {"status":"BAD_CLIENT_ID","message":"bad client id"}`, HubSpotOAuth, 0, "client id", "Auth"},
		{"a page", `200 <html>hello</html>`, HubSpotOAuth, 0, "does not answer like HubSpot", "https://api.hubapi.com"},
		{"a redirect, which is not followed", `307 `, HubSpotOAuth, 0, "to another address", "does not follow"},
		{"a message that echoes the token", `400 {"status":"BAD_REFRESH_TOKEN","message":"na1-fa4e-00000000-0000-0000-0000-000000000001 is invalid"}`, HubSpotOAuth, 0, "[redacted] is invalid", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &tokenServer{answers: []string{test.answer}}
				v := oauthVault(t, test.kind.Side(), test.kind, "https://example.com")
				s, err := v.TokenSource(t.Context(), "acme", test.kind.Side(), &http.Client{Transport: server})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(test.idle)
				_, err = s.Renew(t.Context(), "fake-stale")
				if err == nil || !strings.Contains(err.Error(), test.what) || !strings.Contains(fault.MendOf(err), test.mend) {
					t.Fatalf("got %v; mend %q", err, fault.MendOf(err))
				}
				for _, host := range server.hosts {
					if strings.HasPrefix(host, "evil") {
						t.Error("a secret went to another host")
					}
				}
				text := fmt.Sprintf("%v %+v %s", err, err, fault.MendOf(err))
				for _, planted := range []string{"fake-secret", "fake-refresh", "na1-fa4e"} {
					if strings.Contains(text, planted) {
						t.Errorf("%q shows: %s", planted, text)
					}
				}
				if f, err := v.load(); err != nil || len(f.row("acme", test.kind.Side()).Refresh) != 0 {
					t.Errorf("a note is left of a refresh that was answered, %v", err)
				}
			})
		})
	}
}

func TestTheOlderTokenEndpointIsTheFallback(t *testing.T) {
	server := &tokenServer{answers: []string{`404 {"message":"not found"}`, `200 {"access_token":"fake-access-1","refresh_token":"fake-refresh-0","expires_in":1800}`}}
	v := oauthVault(t, crm.HubSpot, HubSpotOAuth, "https://api.hubapi.com")
	client := &http.Client{Transport: server}
	s, err := v.TokenSource(t.Context(), "acme", crm.HubSpot, client)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Renew(t.Context(), "fake-stale"); err != nil {
		t.Fatal(err)
	}
	if s, err = v.TokenSource(t.Context(), "acme", crm.HubSpot, client); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Renew(t.Context(), "fake-access-1"); err != nil {
		t.Fatal(err)
	}
	want := "api.hubapi.com/oauth/v3/token api.hubapi.com/oauth/v1/token api.hubapi.com/oauth/v1/token"
	if got := strings.Join(server.hosts, " "); got != want {
		t.Errorf("asked at %s", got)
	}
}

func TestAKeyRotationKeepsLoginsAndTheirNotes(t *testing.T) {
	v := oauthVault(t, crm.Salesforce, SalesforceOAuth, "https://acme.my.salesforce.com")
	account, _, err := v.Get(t.Context(), "acme", crm.Salesforce)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.beginRefresh(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	if err := v.RotateKey(t.Context(), Secret{}); err != nil {
		t.Fatal(err)
	}
	v = openVault(t, v.dir, nil)
	_, material, err := v.Get(t.Context(), "acme", crm.Salesforce)
	if err != nil || material.RefreshToken.Reveal() != "fake-refresh-0" || v.keptToken("acme", crm.Salesforce).Token != "fake-stale" {
		t.Errorf("the login is not whole, %v", err)
	}
	if _, cutOff, err := v.beginRefresh(t.Context(), account); err != nil || !cutOff {
		t.Errorf("the note of the refresh is gone, %v", err)
	}
}

// A person who connects anew while a refresh is on its way is not undone by its
// answer, which belongs to the login before.
func TestConnectingAnewWinsOverARefreshOnItsWay(t *testing.T) {
	grants := &grantServer{rotating: true, refresh: "fake-refresh-0"}
	server := httptest.NewServer(grants)
	defer server.Close()
	v := oauthVault(t, crm.Salesforce, SalesforceOAuth, server.URL)
	account, material, err := v.Get(t.Context(), "acme", crm.Salesforce)
	if err != nil {
		t.Fatal(err)
	}
	material.RefreshToken = NewSecret("fake-refresh-of-the-new-login")
	s, err := v.TokenSource(t.Context(), "acme", crm.Salesforce, &http.Client{Transport: &betweenTransport{do: func() {
		if err := openVault(t, v.dir, nil).Put(t.Context(), account, material); err != nil {
			t.Error(err)
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Renew(t.Context(), "fake-stale"); err != nil {
		t.Fatal(err)
	}
	if _, kept, err := v.Get(t.Context(), "acme", crm.Salesforce); err != nil || !kept.RefreshToken.Equal(material.RefreshToken) {
		t.Errorf("the new login's refresh token is gone, %v", err)
	}
}

func TestAFreshLoginIsNeverRefreshedBeforeItIsKept(t *testing.T) {
	server := &tokenServer{}
	account := Account{Name: "acme", Side: crm.Salesforce, Kind: SalesforceOAuth, ClientID: "fake-client", LoginURL: fakeLogin}
	s, err := NewTokenSource(account, Material{RefreshToken: NewSecret("fake-refresh"), Access: Access{Token: NewSecret("fake-access"), InstanceURL: fakeLogin}}, &http.Client{Transport: server})
	if err != nil {
		t.Fatal(err)
	}
	if token, err := s.Token(t.Context()); err != nil || token != "fake-access" || s.InstanceURL() != fakeLogin {
		t.Errorf("got %q at %q, %v", token, s.InstanceURL(), err)
	}
	if _, err := s.Renew(t.Context(), "fake-access"); fault.KindOf(err) != fault.Denied || server.requests() != 0 {
		t.Errorf("%v, %d requests", err, server.requests())
	}
}
