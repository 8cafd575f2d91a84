package credential

import (
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestClassify(t *testing.T) {
	tests := []struct {
		name, text string
		want       Classified
	}{
		{"a private app token", fakeToken, Classified{FormHubSpotToken, "na1"}},
		{"a European token", "pat-eu1-00000000-fake-0000-0000-000000000001", Classified{FormHubSpotToken, "eu1"}},
		{"copied with Bearer and a line end", "  Bearer " + fakeToken + "\r\n", Classified{FormHubSpotToken, "na1"}},
		{"copied as a header", "Authorization: Bearer " + fakeToken, Classified{FormHubSpotToken, "na1"}},
		{"copied in quotes", `"` + fakeToken + `"`, Classified{FormHubSpotToken, "na1"}},
		{"copied in typographic quotes", "“" + fakeToken + "”", Classified{FormHubSpotToken, "na1"}},
		{"with an invisible mark", "\ufeff" + fakeToken, Classified{FormHubSpotToken, "na1"}},
		{"an API key of an account", "00000000-fa4e-0000-0000-000000000001", Classified{Form: FormHubSpotAPIKey}},
		{"a Salesforce session", "00D000000000001!AQ.fake.fake_session", Classified{Form: FormSalesforceSession}},
		{"a consumer key", "3MVG9fakefakefakefakefakefake.fake_", Classified{Form: FormSalesforceConsumerKey}},
		{"a Salesforce refresh token", "5Aep861fakefakefakefakefakefake", Classified{Form: FormSalesforceRefreshToken}},
		{"a HubSpot refresh token", "na1-fa4e-00000000-0000-0000-0000-000000000001", Classified{FormHubSpotRefreshToken, "na1"}},
		{"a HubSpot access token", "C" + strings.Repeat("fakeFAKE09_-", 8), Classified{Form: FormHubSpotOAuth}},
		{"a personal access key of HubSpot's CLI", fakeCLIKey("eu1"), Classified{FormHubSpotCLIKey, "eu1"}},
		{"a token of the second American data centre", "pat-na2-00000000-fake-0000-0000-000000000001", Classified{FormHubSpotToken, "na2"}},
		{"an Asian token", "pat-ap1-00000000-fake-0000-0000-000000000001", Classified{FormHubSpotToken, "ap1"}},
		{"a consumer secret", strings.Repeat("FA4E", 16), Classified{Form: FormSalesforceConsumerSecret}},
		{"an older consumer secret", "0000000000000000001", Classified{Form: FormSalesforceConsumerSecret}},
		{"an authorization URL of the CLI", "force://PlatformCLI::5Aep861fakefakefakefakefakefake@acme.my.salesforce.com", Classified{Form: FormSalesforceAuthURL}},
		{"a JSON Web Token", "eyJmYWtlIjoiZmFrZSJ9.eyJmYWtlIjoiZmFrZSJ9.ZmFrZQ", Classified{Form: FormSalesforceJWT}},
		{"a private key", "-----BEGIN PRIVATE KEY-----\nfake\n-----END PRIVATE KEY-----\n", Classified{Form: FormPrivateKey}},
		{"a certificate", "-----BEGIN CERTIFICATE-----\nfake\n-----END CERTIFICATE-----\n", Classified{Form: FormCertificate}},
		{"an address", "https://app.hubspot.com/l/api-key/", Classified{Form: FormURL}},
		{"nothing", " \n", Classified{Form: FormEmpty}},
		{"half a token", "pat-na1-0000", Classified{Form: FormUnknown}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Classify(test.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// fakeCLIKey is the form of a personal access key: base64 of a message whose
// first part begins with the data centre.
func fakeCLIKey(region string) string {
	uuid := region + "-fake-0000-0000-0000-000000000000"
	return base64.StdEncoding.EncodeToString(append([]byte{0x0a, byte(len(uuid))}, uuid+strings.Repeat("fake", 12)...))
}

// What is told of every form, on the day after the last private app could be
// created, is kept in testdata/describe.golden: read it as a user would.
func TestDescribe(t *testing.T) {
	now := time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	tests := []struct{ name, text string }{
		{"a private app, service key or static auth token", fakeToken},
		{"the same from Europe", "pat-eu1-00000000-fake-0000-0000-000000000001"},
		{"an account API key, a developer API key, or an app's id or secret", "00000000-fa4e-0000-0000-000000000001"},
		{"an API key in an address", "https://api.hubapi.com/crm/v3/objects/contacts?hapikey=00000000-fa4e-0000-0000-000000000001"},
		{"a HubSpot OAuth access token", "C" + strings.Repeat("fakeFAKE09_-", 8)},
		{"a HubSpot OAuth refresh token", "na1-fa4e-00000000-0000-0000-0000-000000000001"},
		{"a personal access key of the HubSpot CLI", fakeCLIKey("na1")},
		{"a Salesforce session", "00D000000000001!AQ.fake.fake_session"},
		{"a token in JWT form", "eyJmYWtlIjoiZmFrZSJ9.eyJmYWtlIjoiZmFrZSJ9.ZmFrZQ"},
		{"a Salesforce refresh token", "5Aep861fakefakefakefakefakefake"},
		{"a consumer key", "3MVG9fakefakefakefakefakefake.fake_"},
		{"a consumer secret", strings.Repeat("FA4E", 16)},
		{"a Salesforce CLI authorization URL", "force://PlatformCLI::5Aep861fakefakefakefakefakefake@acme.my.salesforce.com"},
		{"a private key", "-----BEGIN PRIVATE KEY-----\nfake\n-----END PRIVATE KEY-----\n"},
		{"a certificate", "-----BEGIN CERTIFICATE-----\nfake\n-----END CERTIFICATE-----\n"},
		{"an address", "https://app.hubspot.com/"},
		{"nothing", ""},
		{"anything else", "fake-password-and-security-token"},
	}
	var out strings.Builder
	for _, test := range tests {
		d := Describe(test.text, now)
		fmt.Fprintf(&out, "%s\n  form:  %s\n  what:  %s\n  works: %s\n  next:  %s\n\n", test.name, d.Form, d.What, d.Works, d.Next)
		for _, word := range []string{"00000000", "fake"} {
			if strings.Contains(d.What+d.Works+d.Next, word) {
				t.Errorf("%s: the description repeats a part of the text", test.name)
			}
		}
	}
	golden(t, "testdata/describe.golden", out.String())
	later := Describe(fakeToken, time.Date(2027, time.October, 1, 0, 0, 0, 0, time.UTC))
	if !strings.Contains(later.Works, "has been unsupported since September 2027") {
		t.Errorf("in October 2027: %s", later.Works)
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestRedact(t *testing.T) {
	text := `invalid token: "` + fakeToken + `" (Bearer ` + fakeToken + `), grant=5Aep861fakefakefakefakefakefake, user sync@example.com`
	want := `invalid token: "[redacted]" (Bearer [redacted]), grant=[redacted], user sync@example.com`
	if got := Redact(text); got != want {
		t.Errorf("got %s", got)
	}
}

func TestParseHubSpotToken(t *testing.T) {
	tests := []struct {
		name, text, base string
		want             string // in the message; empty: taken
	}{
		{"a token for HubSpot", fakeToken, "", ""},
		{"a token for HubSpot, named", fakeToken, "https://api.hubapi.com", ""},
		{"a token with its data centre's own address", "pat-eu1-00000000-fake-0000-0000-000000000001", "https://api-eu1.hubapi.com", ""},
		{"a token with another data centre's address", fakeToken, "https://api-eu1.hubapi.com", "belongs to data centre na1"},
		{"a text of our own sandbox", "sandbox-fake-token", "http://127.0.0.1:8080", ""},
		{"the same at HubSpot", "sandbox-fake-token", "https://api.hubapi.com", "does not look like a HubSpot token"},
		{"an API key", "00000000-fa4e-0000-0000-000000000001", "", "ended on 30 November 2022"},
		{"an API key, even for a sandbox", "00000000-fa4e-0000-0000-000000000001", "http://127.0.0.1:8080", "ended on 30 November 2022"},
		{"a Salesforce session", "00D000000000001!AQ.fake.fake_session", "", "Salesforce session id"},
		{"nothing", "", "", "no token was given"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseHubSpotToken(test.text+"\n", test.base)
			if test.want == "" {
				if err != nil || got.Reveal() != test.text {
					t.Errorf("got %v", err)
				}
				return
			}
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.want) || fault.MendOf(err) == "" {
				t.Errorf("got %v", err)
			}
			if test.text != "" && strings.Contains(err.Error()+fault.MendOf(err), test.text) {
				t.Errorf("the message repeats the text: %v", err)
			}
		})
	}
}

func TestValidateBaseURL(t *testing.T) {
	tests := []struct{ raw, want, problem string }{
		{"https://api.hubapi.com", "https://api.hubapi.com", ""},
		{" https://api.hubapi.com/ ", "https://api.hubapi.com", ""},
		{"https://proxy.example.com/hubspot/", "https://proxy.example.com/hubspot", ""},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", ""},
		{"http://[::1]:8080/", "http://[::1]:8080", ""},
		{"http://localhost:1", "http://localhost:1", ""},
		{"http://salesforce.localhost:1", "http://salesforce.localhost:1", ""},
		{"http://api.hubapi.com", "", "unprotected"},
		{"http://127.0.0.1.example.com", "", "unprotected"},
		{"http://localhost.example.com", "", "unprotected"},
		{"http://10.0.0.1", "", "unprotected"},
		{"https://user:fake-secret@api.hubapi.com", "", "user name or password"},
		{"https://api.hubapi.com/?hapikey=fake-secret", "", "query"},
		{"https://api.hubapi.com#fake-secret", "", "fragment"},
		{"ftp://api.hubapi.com", "", "ftp"},
		{"api.hubapi.com", "", "not the address"},
		{"https://", "", "not the address"},
		{"https://:443", "", "not the address"},
		{"https://exa mple.com/fake-secret", "", "not the address"},
		{"https://acme.lightning.force.com", "", "not of its API"},
		{"https://acme.my.salesforce-setup.com", "", "not of its API"},
		{"https://app-eu1.hubspot.com", "", "not of its API"},
	}
	for _, test := range tests {
		t.Run(test.raw, func(t *testing.T) {
			got, err := ValidateBaseURL(test.raw)
			if test.problem == "" {
				if err != nil || got != test.want {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.problem) || fault.MendOf(err) == "" {
				t.Errorf("got %q, %v", got, err)
			}
			if strings.Contains(err.Error()+fault.MendOf(err), "fake-secret") {
				t.Errorf("the message repeats a secret: %v", err)
			}
		})
	}
}
