package credential

import (
	"strings"
	"testing"

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
		{"a HubSpot refresh token", "na1-fa4e-00000000-0000-0000-0000-000000000001", Classified{Form: FormHubSpotOAuth}},
		{"a HubSpot access token", "C" + strings.Repeat("fakeFAKE09_-", 8), Classified{Form: FormHubSpotOAuth}},
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
