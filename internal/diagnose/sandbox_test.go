package diagnose

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// TestWhatTheSandboxAnswersIsKnown makes the usual mistakes for real.
func TestWhatTheSandboxAnswersIsKnown(t *testing.T) {
	box, err := sandbox.New(sandbox.Config{Seed: "small", Random: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	keys := box.Credentials()
	narrow := box.HubSpot().CreateToken(hubspot.TokenSpec{Kind: hubspot.PrivateApp, Name: "narrow", Scopes: []string{"crm.objects.companies.read"}})
	api, org := "https://api.hubapi.com", box.Salesforce().Origin()
	for _, c := range []struct{ name, method, url, token, body, want string }{
		{"no token", "GET", api + "/crm/v3/objects/contacts", "", "", "hubspot.no-credentials"},
		{"a token that is none", "GET", api + "/crm/v3/objects/contacts", "garbage", "", "hubspot.undecodable-token"},
		{"a token cut short", "GET", api + "/crm/v3/objects/contacts", "pat-na1-00000000", "", "hubspot.no-credentials"},
		{"an API key", "GET", api + "/crm/v3/objects/contacts?hapikey=00000000-fa4e-0000-0000-000000000000", "", "", "mistake.hapikey-in-query"},
		{"a scope that lacks", "GET", api + "/crm/v3/objects/contacts", narrow, "", "hubspot.missing-scopes"},
		{"a property that is not there", "POST", api + "/crm/v3/objects/contacts", keys.HubSpot.PrivateApp, `{"properties":{"colour":"red"}}`, "hubspot.unknown-property"},
		{"a record that is not there", "GET", api + "/crm/v3/objects/contacts/9", keys.HubSpot.PrivateApp, "", "hubspot.record-not-found"},
		{"a broken body", "POST", api + "/crm/v3/objects/contacts", keys.HubSpot.PrivateApp, `{"properties":`, "hubspot.bad-json"},
		{"no session", "GET", org + "/services/data/v68.0/limits", "", "", "salesforce.no-session salesforce.session"},
		{"a HubSpot token", "GET", org + "/services/data/v68.0/limits", narrow, "", "mistake.other-vendor"},
		{"a wrong client secret", "POST", org + "/services/oauth2/token", "", "grant_type=client_credentials&client_secret=fake-secret-000000&client_id=" + keys.Salesforce.ClientID, "salesforce.oauth-client-secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			e := Exchange{Method: c.method, URL: c.url, SentBody: c.body}
			send := func(name, value string) {
				request.Header.Set(name, value)
				e.Sent = append(e.Sent, Header{name, value})
			}
			if c.token != "" {
				send("Authorization", "Bearer "+c.token)
			}
			switch {
			case strings.HasPrefix(c.body, "{"):
				send("Content-Type", "application/json")
			case c.body != "":
				send("Content-Type", "application/x-www-form-urlencoded")
			}
			answer, err := box.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			e.Status, e.Body = answer.StatusCode, string(body)
			d := Of(e)
			if f := d.Findings[0]; !f.Known || !strings.Contains(c.want, f.Class) {
				t.Errorf("HTTP %d %s\ngot\n%s\nwant %s", e.Status, body, d, c.want)
			}
		})
	}
}
