package credential

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const fakeLogin = "https://acme.my.salesforce.com"

// tokenServer answers token requests in process: the nth with status and body
// of answers, the last of which repeats. It remembers the forms.
type tokenServer struct {
	mu      sync.Mutex
	answers []string
	forms   []url.Values
	hosts   []string
	delay   time.Duration
	cut     int // so many requests get no answer
}

func (s *tokenServer) RoundTrip(request *http.Request) (*http.Response, error) {
	text, _ := io.ReadAll(request.Body)
	form, _ := url.ParseQuery(string(text))
	time.Sleep(s.delay)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms, s.hosts = append(s.forms, form), append(s.hosts, request.URL.Host+request.URL.Path)
	n := len(s.forms)
	if n <= s.cut {
		return nil, errors.New("connection reset")
	}
	answer := fmt.Sprintf(`200 {"access_token":"00Dfake!token%d","instance_url":"https://acme.my.salesforce.com","token_type":"Bearer"}`, n)
	if len(s.answers) > 0 {
		answer = s.answers[min(n, len(s.answers))-1]
	}
	var status int
	_, _ = fmt.Sscan(answer, &status)
	_, body, _ := strings.Cut(answer, " ")
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: request}
	if status == http.StatusFound || status == http.StatusTemporaryRedirect {
		response.Header.Set("Location", "https://evil.example.com/")
	}
	return response, nil
}

func (s *tokenServer) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.forms)
}

func salesforceVault(t *testing.T) *Vault {
	t.Helper()
	v := openVault(t, t.TempDir(), nil)
	account, material := salesforceAccount("acme", fakeLogin)
	if err := v.Put(t.Context(), account, material); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTenCommandsMakeOneTokenRequest(t *testing.T) {
	ctx, v, server := t.Context(), salesforceVault(t), &tokenServer{}
	for range 10 {
		s, err := openVault(t, v.dir, nil).TokenSource(ctx, "acme", crm.Salesforce, &http.Client{Transport: server})
		if err != nil {
			t.Fatal(err)
		}
		token, err := s.Token(ctx)
		if err != nil || token != "00Dfake!token1" || s.InstanceURL() != fakeLogin {
			t.Fatalf("got %q at %q, %v", token, s.InstanceURL(), err)
		}
	}
	if got := server.requests(); got != 1 {
		t.Errorf("%d token requests", got)
	}
	form := server.forms[0]
	if form.Get("grant_type") != "client_credentials" || form.Get("client_id") != "fake-client" || form.Get("client_secret") != "fake-secret" {
		t.Errorf("the form was %v", form)
	}
	if server.hosts[0] != "acme.my.salesforce.com/services/oauth2/token" {
		t.Errorf("asked at %s", server.hosts[0])
	}
	if text, _ := os.ReadFile(v.path()); strings.Contains(string(text), "00Dfake") {
		t.Error("the access token stands in the clear")
	}
}

func TestFiftyWhoRenewMakeOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, v, server := t.Context(), salesforceVault(t), &tokenServer{delay: time.Second}
		sources := make([]*TokenSource, 2)
		for i := range sources {
			s, err := v.TokenSource(ctx, "acme", crm.Salesforce, &http.Client{Transport: server})
			if err != nil {
				t.Fatal(err)
			}
			sources[i] = s
		}
		stale, err := sources[0].Token(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sources[1].Renew(ctx, ""); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		var wrong atomic.Int32
		for i := range 50 {
			wait.Go(func() {
				time.Sleep(time.Duration(i) * 50 * time.Millisecond)
				if token, err := sources[i%2].Renew(ctx, stale); err != nil || token != "00Dfake!token2" {
					wrong.Add(1)
				}
			})
		}
		wait.Wait()
		if wrong.Load() != 0 || server.requests() != 2 {
			t.Errorf("%d got something else, %d requests (the first one included)", wrong.Load(), server.requests())
		}
	})
}

func TestOneWhoGivesUpDoesNotSpoilTheRenewalForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, server := salesforceVault(t), &tokenServer{delay: time.Second}
		s, err := v.TokenSource(t.Context(), "acme", crm.Salesforce, &http.Client{Transport: server})
		if err != nil {
			t.Fatal(err)
		}
		impatient, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		go func() { _, _ = s.Renew(impatient, "") }()
		time.Sleep(10 * time.Millisecond)
		if token, err := s.Token(t.Context()); err != nil || token != "00Dfake!token1" {
			t.Errorf("got %q, %v", token, err)
		}
	})
}

func TestATokenRequestIsRepeatedWhileSalesforceIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, server := salesforceVault(t), &tokenServer{cut: 1, answers: []string{"", "503 <html>maintenance</html>", `200 {"access_token":"00Dfake!late","instance_url":"https://acme.my.salesforce.com"}`}}
		s, err := v.TokenSource(t.Context(), "acme", crm.Salesforce, &http.Client{Transport: server})
		if err != nil {
			t.Fatal(err)
		}
		if token, err := s.Token(t.Context()); err != nil || token != "00Dfake!late" || server.requests() != 3 {
			t.Errorf("got %q after %d requests, %v", token, server.requests(), err)
		}
	})
}

func TestRefusedTokenRequestsSayWhatToDo(t *testing.T) {
	oauth := func(code, description string) string {
		return fmt.Sprintf(`400 {"error":%q,"error_description":%q}`, code, description)
	}
	tests := []struct {
		name, answer string
		kind         fault.Kind
		what, mend   string
	}{
		{"an unknown client id", oauth("invalid_client_id", "client identifier invalid"), fault.Denied, "does not know the client id", "ten minutes"},
		{"a wrong secret", oauth("invalid_client", "invalid client credentials"), fault.Denied, "client secret", "Consumer Secret"},
		{"no user to run as", oauth("invalid_grant", "no client credentials user enabled"), fault.Denied, "no user to run as", "Run As"},
		{"the wrong host", oauth("invalid_grant", "request not supported on this domain"), fault.Denied, "only at your My Domain", "Setup > My Domain"},
		{"a user who was not approved", oauth("invalid_grant", "user hasn't approved this consumer"), fault.Denied, "not allowed to use the app", "pre-authorized"},
		{"a wrong audience", oauth("invalid_grant", "audience is invalid"), fault.Denied, "login URL", "test.salesforce.com"},
		{"a wrong certificate", oauth("invalid_grant", "invalid assertion"), fault.Denied, "verify the JWT", "certificate"},
		{"a flow that is off", oauth("unsupported_grant_type", "grant type not supported"), fault.Denied, "does not allow the flow", "switch it on"},
		{"a user who left", oauth("inactive_user", "user inactive"), fault.Denied, "not active", "activate"},
		{"an address", oauth("invalid_grant", "ip restricted"), fault.Denied, "address", "IP"},
		{"too many", oauth("rate_limit_exceeded", "login rate exceeded"), fault.RateLimited, "too many", "wait"},
		{"something new", oauth("invalid_grant", "authentication failure"), fault.Denied, "authentication failure", "Login History"},
		{"a page", "404 <html>not found</html>", fault.Invalid, "does not answer like Salesforce", "My Domain"},
		{"a page that says 200", "200 <html>hello</html>", fault.Invalid, "does not answer like Salesforce", "My Domain"},
		{"an instance in the clear", `200 {"access_token":"00Dfake!x","instance_url":"http://evil.example.com"}`, fault.Invalid, "instance address", "login URL"},
		{"a redirect, which is not followed", "302 ", fault.Invalid, "to another address", "My Domain"},
		{"a redirect that would carry the secret along", "307 ", fault.Invalid, "to another address", "My Domain"},
		{"an outage", "503 {}", fault.Unavailable, "no tokens at the moment", "try again"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, server := salesforceVault(t), &tokenServer{answers: []string{test.answer}}
				s, err := v.TokenSource(t.Context(), "acme", crm.Salesforce, &http.Client{Transport: server})
				if err != nil {
					t.Fatal(err)
				}
				_, err = s.Token(t.Context())
				if fault.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.what) || !strings.Contains(fault.MendOf(err), test.mend) {
					t.Errorf("got %s: %v; mend %q", fault.KindOf(err), err, fault.MendOf(err))
				}
				if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "fake-secret") {
					t.Errorf("the secret shows: %+v", err)
				}
				for _, host := range server.hosts {
					if strings.HasPrefix(host, "evil") {
						t.Error("the secret went to another host")
					}
				}
			})
		})
	}
}

func TestAJWTIsSignedForTheLoginHost(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	private, err := ParsePrivateKey("\n" + string(encoded) + "\n\n")
	if err != nil {
		t.Fatal(err)
	}
	account := Account{Name: "acme", Side: crm.Salesforce, Kind: SalesforceJWT, LoginURL: "https://test.salesforce.com/", ClientID: "fake-client", Username: "sync@example.com"}
	server := &tokenServer{}
	s, err := NewTokenSource(account, Material{PrivateKey: private}, &http.Client{Transport: server})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	form := server.forms[0]
	if form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		t.Errorf("grant type %q", form.Get("grant_type"))
	}
	claims := jwt.MapClaims{}
	if _, err := jwt.ParseWithClaims(form.Get("assertion"), claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience("https://test.salesforce.com"), jwt.WithIssuer("fake-client"), jwt.WithSubject("sync@example.com"), jwt.WithExpirationRequired()); err != nil {
		t.Errorf("the assertion %v: %v", claims, err)
	}
}

func TestPrivateKeysThatCannotServe(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, content []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
	}
	tests := []struct{ name, text, want string }{
		{"a certificate", block("CERTIFICATE", []byte("fake")), "certificate or public key"},
		{"a locked key", block("ENCRYPTED PRIVATE KEY", []byte("fake")), "passphrase"},
		{"a damaged key", block("PRIVATE KEY", []byte("fake")), "damaged"},
		{"a short key", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short)), "1024 bits"},
		{"half a key", "-----BEGIN PRIVATE KEY-----\nAAAA", "not a private key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParsePrivateKey(test.text)
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.want) || fault.MendOf(err) == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAHubSpotTokenIsReadAnewWhenItIsRefused(t *testing.T) {
	ctx := t.Context()
	v := openVault(t, t.TempDir(), nil)
	account, material := hubspotAccount("acme")
	if err := v.Put(ctx, account, material); err != nil {
		t.Fatal(err)
	}
	s, err := v.TokenSource(ctx, "acme", crm.HubSpot, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Token(ctx)
	if err != nil || token != fakeToken || s.InstanceURL() != DefaultHubSpotBaseURL {
		t.Fatalf("got %v at %s", err, s.InstanceURL())
	}
	if _, err := s.Renew(ctx, token); fault.KindOf(err) != fault.Denied || !strings.Contains(fault.MendOf(err), "lockstep connect hubspot") {
		t.Errorf("a dead token: %v", err)
	}
	material.Token = NewSecret(fakeToken + "2")
	if err := openVault(t, v.dir, nil).Put(ctx, account, material); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Renew(ctx, token); err != nil || got != fakeToken+"2" {
		t.Errorf("a token that was replaced meanwhile: %v", err)
	}
}

func TestConnectingAnewForgetsTheOldAccessToken(t *testing.T) {
	ctx, v, server := t.Context(), salesforceVault(t), &tokenServer{}
	client := &http.Client{Transport: server}
	for want := 1; want <= 2; want++ {
		s, err := v.TokenSource(ctx, "acme", crm.Salesforce, client)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Token(ctx); err != nil || server.requests() != want {
			t.Errorf("%d requests, want %d; %v", server.requests(), want, err)
		}
		account, material := salesforceAccount("acme", fakeLogin)
		if err := v.Put(ctx, account, material); err != nil {
			t.Fatal(err)
		}
	}
}

// Two processes that change one vault at once lose nothing: this test binary
// starts itself three times, and each one adds its accounts.
func TestTwoProcessesWriteAtOnce(t *testing.T) {
	const each = 12
	if dir := os.Getenv("CREDENTIAL_TEST_DIR"); dir != "" {
		v := openVault(t, dir, nil)
		for i := range each {
			account, material := hubspotAccount(fmt.Sprintf("%s-%d", os.Getenv("CREDENTIAL_TEST_NAME"), i))
			if err := v.Put(t.Context(), account, material); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	dir := t.TempDir()
	names := []string{"one", "two", "three"}
	var wait sync.WaitGroup
	for _, name := range names {
		wait.Go(func() {
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTwoProcessesWriteAtOnce$")
			command.Env = append(os.Environ(), "CREDENTIAL_TEST_DIR="+dir, "CREDENTIAL_TEST_NAME="+name)
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		})
	}
	wait.Wait()
	accounts, err := openVault(t, dir, nil).List(t.Context())
	if err != nil || len(accounts) != len(names)*each {
		t.Errorf("%d accounts, want %d; %v", len(accounts), len(names)*each, err)
	}
}

func TestExplain(t *testing.T) {
	hubspot, _ := hubspotAccount("acme")
	salesforce, _ := salesforceAccount("acme", fakeLogin)
	tests := []struct {
		name       string
		account    Account
		err        error
		kind       fault.Kind
		what, mend string
	}{
		{"a scope", hubspot, &fault.Error{Kind: fault.Denied, Status: 403, Code: "MISSING_SCOPES", Scopes: []string{"crm.objects.deals.read"}}, fault.Denied, "crm.objects.deals.read", "Scopes"},
		{"a token that was rotated", hubspot, &fault.Error{Kind: fault.Denied, Status: 401, Code: "EXPIRED_AUTHENTICATION"}, fault.Denied, "do not expire by themselves", "lockstep connect hubspot"},
		{"an unknown token", hubspot, &fault.Error{Kind: fault.Denied, Status: 401, Code: "INVALID_AUTHENTICATION"}, fault.Denied, "does not know this token", "pat-"},
		{"a subscription", hubspot, &fault.Error{Kind: fault.Denied, Status: 403, Code: "MISSING_PERMISSIONS"}, fault.Denied, "subscription", "super admin"},
		{"a session", salesforce, &fault.Error{Kind: fault.Denied, Status: 401, Code: "INVALID_SESSION_ID"}, fault.Denied, "session", "Run As"},
		{"no API", salesforce, &fault.Error{Kind: fault.Denied, Status: 403, Code: "API_DISABLED_FOR_ORG"}, fault.Denied, "no API access", "API Enabled"},
		{"a spent day stays what it is", salesforce, &fault.Error{Kind: fault.RateLimited, Status: 403, Code: "REQUEST_LIMIT_EXCEEDED", What: "spent"}, fault.RateLimited, "spent", ""},
		{"an outage stays what it is", hubspot, fault.New(fault.Unavailable, "down").WithMend("wait"), fault.Unavailable, "down", "wait"},
		{"an error that is no fault", hubspot, errors.New("odd"), fault.Internal, "odd", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Explain(fmt.Errorf("read contacts: %w", test.err), test.account)
			if got.Kind != test.kind || !strings.Contains(got.Error(), test.what) || !strings.Contains(got.Mend, test.mend) {
				t.Errorf("got %s: %v; mend %q", got.Kind, got, got.Mend)
			}
		})
	}
}
