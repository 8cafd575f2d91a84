package credential

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestACodeIsTradedForTokens(t *testing.T) {
	code := Code{Code: NewSecret("fake-code"), Verifier: NewSecret("fake-verifier"), RedirectURI: "http://localhost:17171/callback"}
	tests := []struct {
		name    string
		account Account
		secret  Secret
		answer  string
		at      string
		form    url.Values
		scopes  []string
		refresh string
	}{
		{
			"HubSpot", Account{Name: "acme", Side: crm.HubSpot, Kind: HubSpotOAuth, ClientID: "fake-client"}, NewSecret("fake-secret"),
			`200 {"token_type":"bearer","access_token":"fake-access","refresh_token":"na1-fake","expires_in":1800,"hub_id":1,"scopes":["oauth","crm.objects.deals.read"]}`,
			"api.hubapi.com/oauth/v3/token",
			url.Values{"grant_type": {"authorization_code"}, "client_id": {"fake-client"}, "client_secret": {"fake-secret"}, "code": {"fake-code"}, "code_verifier": {"fake-verifier"}, "redirect_uri": {code.RedirectURI}},
			[]string{"crm.objects.deals.read", "oauth"}, "na1-fake",
		},
		{
			"a Salesforce app without a secret", Account{Name: "acme", Side: crm.Salesforce, Kind: SalesforceOAuth, ClientID: "fake-client", LoginURL: "https://login.salesforce.com"}, Secret{},
			`200 {"access_token":"00Dfake!access","refresh_token":"5Aep861fake","instance_url":"https://acme.my.salesforce.com","scope":"refresh_token id api","token_type":"Bearer"}`,
			"login.salesforce.com/services/oauth2/token",
			url.Values{"grant_type": {"authorization_code"}, "client_id": {"fake-client"}, "code": {"fake-code"}, "code_verifier": {"fake-verifier"}, "redirect_uri": {code.RedirectURI}},
			[]string{"refresh_token", "id", "api"}, "5Aep861fake",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := &tokenServer{answers: []string{test.answer}}
			account, material, err := Exchange(t.Context(), &http.Client{Transport: server}, test.account, test.secret, code)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.form, server.forms[0]); diff != "" {
				t.Error(diff)
			}
			if server.hosts[0] != test.at || material.RefreshToken.Reveal() != test.refresh || material.Access.Token.IsZero() {
				t.Errorf("asked at %s; refresh and access token are there: %v %v", server.hosts[0], !material.RefreshToken.IsZero(), !material.Access.Token.IsZero())
			}
			if diff := cmp.Diff(test.scopes, account.Scopes); diff != "" {
				t.Error(diff)
			}
			if text := fmt.Sprintf("%v %+v %#v", account, material, material); strings.Contains(text, "fake-access") || strings.Contains(text, test.refresh) || strings.Contains(text, "fake-secret") {
				t.Errorf("a secret shows: %s", text)
			}
		})
	}
	t.Run("a code is traded once, even while the vendor is down", func(t *testing.T) {
		server := &tokenServer{answers: []string{"503 down"}}
		if _, _, err := Exchange(t.Context(), &http.Client{Transport: server}, tests[1].account, Secret{}, code); fault.KindOf(err) != fault.Unavailable || server.requests() != 1 {
			t.Errorf("%v after %d requests", err, server.requests())
		}
	})
	t.Run("an app without the scope for refreshing", func(t *testing.T) {
		server := &tokenServer{answers: []string{`200 {"access_token":"00Dfake!access","instance_url":"https://acme.my.salesforce.com"}`}}
		if _, _, err := Exchange(t.Context(), &http.Client{Transport: server}, tests[1].account, Secret{}, code); !strings.Contains(fault.MendOf(err), "refresh_token, offline_access") {
			t.Errorf("%v; %s", err, fault.MendOf(err))
		}
	})
}

func TestTheAuthorizePageGoesWithTheAPI(t *testing.T) {
	tests := []struct{ page, base, want string }{
		{"", DefaultHubSpotBaseURL, "https://app.hubspot.com/oauth/authorize"},
		{"", "http://127.0.0.1:8081", "http://127.0.0.1:8081/oauth/authorize"},
		{"https://app-eu1.hubspot.com/oauth/authorize", DefaultHubSpotBaseURL, "https://app-eu1.hubspot.com/oauth/authorize"},
		{"http://app.hubspot.com/oauth/authorize", DefaultHubSpotBaseURL, ""},
		{"https://app.hubspot.com/oauth/authorize?client_id=x", DefaultHubSpotBaseURL, ""},
		{"app.hubspot.com", DefaultHubSpotBaseURL, ""},
	}
	for _, test := range tests {
		if got, err := HubSpotAuthorizeURL(test.page, test.base); got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%q with %s: got %q, %v", test.page, test.base, got, err)
		}
	}
}

// fakeSF puts a program sf into the PATH that answers as the Salesforce CLI
// does: with the token in "org display" as before May 2026, or with a command
// of its own as since.
func fakeSF(t *testing.T, display, show string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for sf is a shell script")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\ncase \"$1 $2 $3\" in\n" +
		"\"org display --json\") cat <<'EOF'\n" + display + "\nEOF\n;;\n" +
		"\"org auth show-access-token\") cat <<'EOF'\n" + show + "\nEOF\n;;\n*) exit 2;;\nesac\n"
	if err := os.WriteFile(filepath.Join(dir, sfProgram), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+"/usr/bin"+string(os.PathListSeparator)+"/bin")
}

func TestALoginOfTheSalesforceCLI(t *testing.T) {
	const redactedDisplay = `{"status":0,"result":{"alias":"acme","username":"sync@example.com","instanceUrl":"https://acme.my.salesforce.com","connectedStatus":"Connected","accessToken":"[REDACTED] Use 'sf org auth show-access-token' to view"}}`
	account := Account{Name: "acme", Side: crm.Salesforce, Kind: SalesforceCLI, Username: "acme"}
	tests := []struct {
		name, display, show string
		want, problem       string
	}{
		{"today's CLI", redactedDisplay, `{"status":0,"result":{"accessToken":"00D000000000001!AQ.fake.today"}}`, "00D000000000001!AQ.fake.today", ""},
		{"an older CLI", strings.Replace(redactedDisplay, "[REDACTED] Use 'sf org auth show-access-token' to view", "00D000000000001!AQ.fake.older", 1), "", "00D000000000001!AQ.fake.older", ""},
		{"no such login", `{"status":1,"name":"NamedOrgNotFoundError","message":"No authorization information found for acme."}`, "", "", "knows no login acme"},
		{"a login that ended", `{"status":1,"name":"RefreshTokenAuthError","message":"expired access/refresh token"}`, "", "", "cannot use the login"},
		{"no JSON", "sf: something else", "", "", "did not answer in JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fakeSF(t, test.display, test.show)
			s, err := NewTokenSource(account, Material{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			token, err := s.Token(t.Context())
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) || fault.MendOf(err) == "" {
					t.Errorf("got %v; mend %q", err, fault.MendOf(err))
				}
				return
			}
			if err != nil || token != test.want || s.InstanceURL() != "https://acme.my.salesforce.com" {
				t.Errorf("got another token at %q, %v", s.InstanceURL(), err)
			}
		})
	}
	t.Run("no CLI at all", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if _, err := DisplaySF(t.Context(), "acme"); !IsNoSF(err) || !strings.Contains(fault.MendOf(err), "lockstep connect salesforce") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an alias that is an option", func(t *testing.T) {
		if _, err := DisplaySF(t.Context(), "--help"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("got %v", err)
		}
	})
}

func TestAJWTLoginInTheFilesOfTheSalesforceCLI(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(home, ".sfdx", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("alias.json", `{"orgs":{"acme":"sync@example.com","web":"person@example.com"}}`)
	write("sync@example.com.json", `{"username":"sync@example.com","loginUrl":"https://test.salesforce.com/","clientId":"3MVG9fake","privateKey":"/keys/fake.key","accessToken":"fake-encrypted"}`)
	write("person@example.com.json", `{"username":"person@example.com","clientId":"PlatformCLI","refreshToken":"fake-encrypted"}`)
	account, key, found := PlainSFLogin(home, "acme")
	want := Account{Side: crm.Salesforce, Kind: SalesforceJWT, LoginURL: "https://test.salesforce.com", ClientID: "3MVG9fake", Username: "sync@example.com"}
	if diff := cmp.Diff(want, account); diff != "" || key != "/keys/fake.key" || !found {
		t.Errorf("%s, key %q, found %v", diff, key, found)
	}
	for _, alias := range []string{"web", "nobody", "../x", "-o", ""} {
		if _, _, found := PlainSFLogin(home, alias); found {
			t.Errorf("%q was found", alias)
		}
	}
}

// Every advice is kept in testdata/advice.golden: read it as a user would.
func TestAdvice(t *testing.T) {
	var out strings.Builder
	tell := func(name string, a Advice) {
		fmt.Fprintf(&out, "# %s\n%s: %s\n", name, a.Kind, a.Title)
		for _, why := range a.Why {
			fmt.Fprintf(&out, "  because %s\n", why)
		}
		for _, clicks := range a.Clicks {
			fmt.Fprintf(&out, "  %s\n", clicks.Title)
			for _, step := range clicks.Steps {
				fmt.Fprintf(&out, "    %s\n", step)
			}
		}
		out.WriteString("\n")
	}
	scopes, callback := []string{"crm.objects.contacts.read", "crm.objects.contacts.write"}, "http://localhost:17171/callback"
	days := map[string]time.Time{
		"July 2025":      time.Date(2025, time.July, 1, 0, 0, 0, 0, time.UTC),
		"1 October 2026": time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC),
		"November 2026":  time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC),
	}
	for _, day := range []string{"July 2025", "1 October 2026", "November 2026"} {
		tell("HubSpot, one account, both ways, in "+day, AdviseHubSpot(HubSpotAnswers{Writes: true}, scopes, callback, days[day]))
	}
	now := days["November 2026"]
	tell("HubSpot, reading only", AdviseHubSpot(HubSpotAnswers{}, scopes[:1], callback, now))
	tell("HubSpot, with webhooks", AdviseHubSpot(HubSpotAnswers{Webhooks: true, Writes: true}, scopes, callback, now))
	tell("HubSpot, with a private app that exists", AdviseHubSpot(HubSpotAnswers{PrivateApp: true, Webhooks: true, Writes: true}, scopes, callback, now))
	tell("HubSpot, several accounts", AdviseHubSpot(HubSpotAnswers{SeveralAccounts: true, Writes: true}, append(scopes, "oauth"), callback, now))
	tell("Salesforce, unattended", AdviseSalesforce(SalesforceAnswers{Unattended: true}, callback))
	tell("Salesforce, unattended, without a secret", AdviseSalesforce(SalesforceAnswers{Unattended: true, NoSecret: true}, callback))
	tell("Salesforce, as a person", AdviseSalesforce(SalesforceAnswers{}, callback))
	tell("Salesforce, with the CLI's login", AdviseSalesforce(SalesforceAnswers{CLI: true}, callback))
	golden(t, "testdata/advice.golden", out.String())
}

func TestAPrivateKeyIsNoClientSecret(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for _, pasted := range []string{text, fakeToken, "3MVG9fakefakefakefakefakefake.fake_", ""} {
		if _, err := ParseClientSecret(pasted); fault.KindOf(err) != fault.Invalid || fault.MendOf(err) == "" {
			t.Errorf("a text of form %s: %v", Classify(pasted).Form, err)
		}
	}
	for _, pasted := range []string{"00000000-fa4e-0000-0000-000000000001", strings.Repeat("FA4E", 16), "fake-secret"} {
		if _, err := ParseClientSecret(pasted); err != nil {
			t.Errorf("a text of form %s: %v", Classify(pasted).Form, err)
		}
	}
}
