package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

const anyPort = "http://localhost:0/callback"

func listen(t *testing.T, page Page) *Callback {
	t.Helper()
	c, err := Listen(anyPort, page)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func fakePage() Page {
	return Page{Side: "HubSpot", URL: "https://app.hubspot.com/oauth/authorize", ClientID: "fake-client", Scopes: []string{"crm.objects.contacts.read", "oauth"}}
}

// open asks the callback as a browser would and returns status and page.
func open(t *testing.T, c *Callback, query url.Values) (int, string) {
	t.Helper()
	response, err := http.Get(c.RedirectURI() + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(string(text), "fake-code") || strings.Contains(string(text), c.state) {
		t.Errorf("the page repeats what came in:\n%s", text)
	}
	return response.StatusCode, string(text)
}

func TestTheAuthorizeAddressAsksForJustWhatIsNeeded(t *testing.T) {
	page := fakePage()
	page.OptionalScopes = []string{"crm.objects.custom.read"}
	page.Parameters = url.Values{"prompt": {"consent"}}
	c := listen(t, page)
	u, err := url.Parse(c.AuthorizeURL())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(u.RawQuery, "+") || strings.Contains(c.AuthorizeURL(), c.verifier) {
		t.Errorf("a blank as +, or the verifier: %s", c.AuthorizeURL())
	}
	sum := sha256.Sum256([]byte(c.verifier))
	want := url.Values{
		"response_type": {"code"}, "client_id": {"fake-client"}, "redirect_uri": {c.RedirectURI()}, "prompt": {"consent"},
		"scope": {"crm.objects.contacts.read oauth"}, "optional_scope": {"crm.objects.custom.read"}, "state": {c.state},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	if diff := cmp.Diff(want, u.Query()); diff != "" {
		t.Error(diff)
	}
	if other := listen(t, page); other.state == c.state || other.verifier == c.verifier || len(c.verifier) < 43 {
		t.Error("two sign-ins share a state or a verifier, or the verifier is short")
	}
}

func TestAnAnswerIsTakenOnce(t *testing.T) {
	c := listen(t, fakePage())
	if status, page := open(t, c, url.Values{"code": {"fake-code"}, "state": {c.state}}); status != http.StatusOK || !strings.Contains(page, "You can close this window") {
		t.Errorf("got %d:\n%s", status, page)
	}
	if status, _ := open(t, c, url.Values{"code": {"fake-code-2"}, "state": {c.state}}); status != http.StatusGone {
		t.Errorf("a second answer got %d", status)
	}
	answer, err := c.Wait(t.Context())
	want := Answer{Code: "fake-code", Verifier: c.verifier, RedirectURI: c.RedirectURI()}
	if err != nil || answer != want {
		t.Errorf("got another answer, %v", err)
	}
}

func TestAnAnswerOfAnotherSignInChangesNothing(t *testing.T) {
	c := listen(t, fakePage())
	for _, state := range []string{"", "fake-state", c.state + "x"} {
		if status, page := open(t, c, url.Values{"code": {"fake-code-of-another"}, "state": {state}}); status != http.StatusBadRequest || !strings.Contains(page, "another sign-in") {
			t.Errorf("state %q: %d\n%s", state, status, page)
		}
	}
	if status, _ := open(t, c, url.Values{"error": {"access_denied"}, "state": {"fake-state"}}); status != http.StatusBadRequest {
		t.Errorf("a refusal of another sign-in: %d", status)
	}
	impatient, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := c.Wait(impatient); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "belongs to another sign-in") {
		t.Errorf("got %v", err)
	}
	open(t, c, url.Values{"code": {"fake-code"}, "state": {c.state}})
	if answer, err := c.Wait(t.Context()); err != nil || answer.Code != "fake-code" {
		t.Errorf("the right answer after wrong ones: %v", err)
	}
}

func TestRefusalsAreExplained(t *testing.T) {
	tests := []struct{ code, description, what, mend string }{
		{"access_denied", "end-user denied authorization", "did not allow the app", "Allow"},
		{"invalid_scope", "the requested scope is not allowed", "not the app's", "crm.objects.contacts.read oauth"},
		{"redirect_uri_mismatch", "redirect_uri must match configuration", "callback URL", "/callback"},
		{"invalid_client_id", "client identifier invalid", "unknown", "ten minutes"},
		{"OAUTH_APP_BLOCKED", "this app is blocked by admin", "blocked", "External Client App Manager"},
		{"server_error", "", "could not answer", "some minutes"},
		{"something_new", "\x1b[31mred\nand long", "refused", "again"},
	}
	for _, test := range tests {
		t.Run(test.code, func(t *testing.T) {
			c := listen(t, fakePage())
			open(t, c, url.Values{"error": {test.code}, "error_description": {test.description}, "state": {c.state}})
			_, err := c.Wait(t.Context())
			if fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), test.what) || !strings.Contains(fault.MendOf(err), test.mend) {
				t.Errorf("got %v; mend %q", err, fault.MendOf(err))
			}
			if strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("the message would act on a terminal: %q", err)
			}
		})
	}
	c := listen(t, fakePage())
	open(t, c, url.Values{"error": {"access_denied"}})
	if _, err := c.Wait(t.Context()); fault.KindOf(err) != fault.Denied {
		t.Errorf("a refusal that comes without its state: %v", err)
	}
}

func TestWhatIsNoAnswerIsTurnedAway(t *testing.T) {
	c := listen(t, fakePage())
	right := "code=fake-code&state=" + c.state
	tests := []struct {
		name, method, path, host string
		want                     int
	}{
		{"another path", "GET", "/favicon.ico", "", http.StatusNotFound},
		{"another method", "POST", "/callback?" + right, "", http.StatusMethodNotAllowed},
		{"a name that somebody pointed at this machine", "GET", "/callback?" + right, "evil.example.com", http.StatusMisdirectedRequest},
		{"neither code nor error", "GET", "/callback?state=" + c.state, "", http.StatusBadRequest},
	}
	base := strings.TrimSuffix(c.RedirectURI(), "/callback")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, base+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = test.host
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != test.want {
				t.Errorf("got %d, want %d", response.StatusCode, test.want)
			}
		})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("something was taken: %v", err)
	}
}

func TestOnlyThisMachineCanBeTheCallback(t *testing.T) {
	for _, address := range []string{"https://localhost:1/x", "http://localhost/x", "http://example.com:80/x", "http://10.0.0.1:8080/", "http://localhost:1/x?y=z", "http://a@localhost:1/", "://", ""} {
		if _, err := Listen(address, fakePage()); fault.KindOf(err) != fault.Invalid || fault.MendOf(err) == "" {
			t.Errorf("%q: %v", address, err)
		}
	}
	c := listen(t, fakePage())
	if _, err := Listen(c.RedirectURI(), fakePage()); fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.MendOf(err), "--port") {
		t.Errorf("a port that is taken: %v", err)
	}
}

func TestABrowserIsOpenedOnlyWhereThereIsAScreen(t *testing.T) {
	env := func(set map[string]string) func(string) string { return func(name string) string { return set[name] } }
	if got := browserCommands("linux", env(nil)); got != nil {
		t.Errorf("without a screen: %v", got)
	}
	if got := browserCommands("linux", env(map[string]string{"DISPLAY": ":0"})); got[0][0] != "xdg-open" {
		t.Errorf("with a screen: %v", got)
	}
	if got := browserCommands("darwin", env(nil)); got[0][0] != "open" {
		t.Errorf("on a Mac: %v", got)
	}
	t.Setenv("PATH", t.TempDir())
	if err := OpenBrowser(env(map[string]string{"DISPLAY": ":0"}), "http://localhost:1/"); !errors.Is(err, ErrNoBrowser) {
		t.Errorf("without any program that opens addresses: %v", err)
	}
}
