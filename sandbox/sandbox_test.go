package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// start is a time that every test may count on.
var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func open(t *testing.T, c sandbox.Config) *sandbox.Sandbox {
	t.Helper()
	if c.Start.IsZero() {
		c.Start = start
	}
	box, err := sandbox.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return box
}

// ask sends one request and returns status and body.
func ask(t *testing.T, client *http.Client, method, url, token, body string) (int, string) {
	t.Helper()
	status, answer, err := try(t.Context(), client, method, url, token, body)
	if err != nil {
		t.Fatal(err)
	}
	return status, answer
}

func try(ctx context.Context, client *http.Client, method, url, token, body string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(body, "grant_type=") {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, string(answer), err
}

const (
	hubSpot    = "https://api.hubapi.com"
	salesforce = "https://lockstep-dev-ed.my.salesforce.com"
	manage     = "http://manage.sandbox"
)

func TestTheSmallStoryIsInBothCRMs(t *testing.T) {
	box := open(t, sandbox.Config{Random: 1})
	got := map[string]int{}
	for _, object := range []string{"companies", "contacts", "deals"} {
		got[object] = box.HubSpot().Count(object)
	}
	for _, object := range []string{"Account", "Contact", "Lead", "Opportunity"} {
		got[object] = box.Salesforce().Count(object)
	}
	want := map[string]int{"companies": 12, "contacts": 60, "deals": 15, "Account": 6, "Contact": 24, "Lead": 6, "Opportunity": 5}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("records (-want +got):\n%s", d)
	}
	box.HubSpot().Each("contacts", func(id string, p map[string]string) bool {
		if p["email"] == "" && p["lastname"] == "" {
			t.Errorf("contact %s has neither e-mail nor last name", id)
		}
		if p["createdate"] == "" || p["lastmodifieddate"] < p["createdate"] || p["lastmodifieddate"] > "2026-11-02T09" {
			t.Errorf("contact %s was created %s and modified %s", id, p["createdate"], p["lastmodifieddate"])
		}
		return true
	})
}

func TestTheClientReachesBothServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := open(t, sandbox.Config{Latency: 150 * time.Millisecond})
		client, c := box.Client(), box.Credentials()

		began := time.Now()
		status, body := ask(t, client, "GET", hubSpot+"/crm/v3/objects/contacts?limit=2", c.HubSpot.PrivateApp, "")
		if took := time.Since(began); status != 200 || strings.Count(body, `"id"`) != 2 || took != 150*time.Millisecond {
			t.Errorf("contacts: %d after %v: %s", status, took, body)
		}
		if status, body := ask(t, client, "GET", hubSpot+"/crm/v3/objects/contacts", c.HubSpot.CompaniesOnly, ""); status != 403 || !strings.Contains(body, "crm.objects.contacts.read") {
			t.Errorf("contacts without the scope: %d %s", status, body)
		}
		status, body = ask(t, client, "POST", salesforce+"/services/oauth2/token", "",
			"grant_type=client_credentials&client_id="+c.Salesforce.ClientID+"&client_secret="+c.Salesforce.ClientSecret)
		var token struct {
			AccessToken string `json:"access_token"`
			InstanceURL string `json:"instance_url"`
		}
		if err := json.Unmarshal([]byte(body), &token); err != nil || status != 200 || token.InstanceURL != salesforce {
			t.Fatalf("token: %d %s", status, body)
		}
		status, body = ask(t, client, "GET", salesforce+"/services/data/v66.0/query?q=SELECT+COUNT()+FROM+Account", token.AccessToken, "")
		if status != 200 || !strings.Contains(body, `"totalSize":6`) {
			t.Errorf("count: %d %s", status, body)
		}
		if _, _, err := try(t.Context(), client, "GET", "https://example.com/", "", ""); err == nil {
			t.Error("a host outside the sandbox answered")
		}
	})
}

func TestAConnectionCutAfterTheWrite(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, test := range []struct {
		kind faults.Kind
		made int
	}{{faults.CutBefore, 0}, {faults.CutAfter, 1}} {
		t.Run(string(test.kind), func(t *testing.T) {
			box := open(t, sandbox.Config{})
			before := box.HubSpot().Count("contacts")
			box.Dials().Set(faults.Setting{Rules: []faults.Rule{{Kind: test.kind, Side: "hubspot", Method: "POST", Times: 1}}})
			_, _, err := try(t.Context(), box.Client(), "POST", hubSpot+"/crm/v3/objects/contacts", box.Credentials().HubSpot.PrivateApp,
				`{"properties":{"email":"new@people.example"}}`)
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v, want a connection reset", err)
			}
			if made := box.HubSpot().Count("contacts") - before; made != test.made {
				t.Errorf("%d contacts were made, want %d", made, test.made)
			}
		})
	}
}

func TestSearchLagsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := open(t, sandbox.Config{SearchLag: 5 * time.Second})
		token := box.Credentials().HubSpot.PrivateApp
		find := func() string {
			_, body := ask(t, box.Client(), "POST", hubSpot+"/crm/v3/objects/contacts/search", token,
				`{"filterGroups":[{"filters":[{"propertyName":"email","operator":"EQ","value":"late@people.example"}]}]}`)
			return body
		}
		if _, body := ask(t, box.Client(), "POST", hubSpot+"/crm/v3/objects/contacts/search", token, `{}`); !strings.Contains(body, `"total":60`) {
			t.Errorf("the seeded contacts are not in the index: %.200s", body)
		}
		ask(t, box.Client(), "POST", hubSpot+"/crm/v3/objects/contacts", token, `{"properties":{"email":"late@people.example"}}`)
		time.Sleep(4 * time.Second)
		if body := find(); !strings.Contains(body, `"total":0`) {
			t.Errorf("found before the lag was over: %s", body)
		}
		time.Sleep(2 * time.Second)
		if body := find(); !strings.Contains(body, `"total":1`) {
			t.Errorf("not found after the lag: %s", body)
		}
	})
}

func TestACallEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := open(t, sandbox.Config{Latency: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, _, err := try(ctx, box.Client(), "GET", hubSpot+"/crm/v3/objects/contacts", box.Credentials().HubSpot.PrivateApp, "")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

// state tells what both servers hold, as text to compare.
func state(t *testing.T, box *sandbox.Sandbox) (hubSpot, salesforce string) {
	t.Helper()
	var h, sf bytes.Buffer
	for _, object := range []string{"companies", "contacts", "deals"} {
		box.HubSpot().Each(object, func(id string, p map[string]string) bool {
			text, _ := json.Marshal(p)
			fmt.Fprintf(&h, "%s %s %s", object, id, text)
			for _, far := range []string{"companies", "contacts", "deals"} {
				fmt.Fprintf(&h, " %s %v", far, box.HubSpot().Associations(object, id, far))
			}
			h.WriteByte('\n')
			return true
		})
	}
	tokens, _ := json.Marshal(box.HubSpot().Tokens())
	owners, _ := json.Marshal(box.HubSpot().Owners())
	fmt.Fprintf(&h, "%s\n%s\n", tokens, owners)
	for _, object := range []string{"Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "User"} {
		box.Salesforce().Each(object, func(id string, fields map[string]any) bool {
			text, _ := json.Marshal(fields)
			fmt.Fprintf(&sf, "%s %s %s\n", object, id, text)
			return true
		})
	}
	apps, _ := json.Marshal(box.Salesforce().Apps())
	users, _ := json.Marshal(box.Salesforce().Users())
	fmt.Fprintf(&sf, "%s\n%s\n", apps, users)
	return h.String(), sf.String()
}

func TestTheSameSeedMakesTheSameIDsAndTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where time stands still
		one, two := open(t, sandbox.Config{Random: 5}), open(t, sandbox.Config{Random: 5})
		if d := cmp.Diff(one.Credentials(), two.Credentials()); d != "" {
			t.Errorf("credentials differ:\n%s", d)
		}
		h1, sf1 := state(t, one)
		h2, sf2 := state(t, two)
		if h1 != h2 || sf1 != sf2 {
			t.Errorf("states differ: HubSpot %t, Salesforce %t", h1 != h2, sf1 != sf2)
		}
		other := open(t, sandbox.Config{Random: 6})
		if one.Credentials().HubSpot.PrivateApp == other.Credentials().HubSpot.PrivateApp {
			t.Error("another seed makes the same token")
		}
	})
}

func TestSandboxesShareNothing(t *testing.T) {
	one, two := open(t, sandbox.Config{Random: 1}), open(t, sandbox.Config{Random: 2})
	before := two.HubSpot().Count("contacts")
	ask(t, one.Client(), "POST", hubSpot+"/crm/v3/objects/contacts", one.Credentials().HubSpot.PrivateApp, `{"properties":{"email":"a@b.example"}}`)
	one.Clock().Advance(time.Hour)
	one.Dials().Set(faults.Setting{Rules: []faults.Rule{{Kind: faults.TooMany}}})
	if got := two.HubSpot().Count("contacts"); got != before || one.HubSpot().Count("contacts") != before+1 {
		t.Errorf("counts: %d there, %d here", got, one.HubSpot().Count("contacts"))
	}
	if status, _ := ask(t, two.Client(), "GET", hubSpot+"/crm/v3/objects/contacts", two.Credentials().HubSpot.PrivateApp, ""); status != 200 {
		t.Errorf("the other's dials gave %d", status)
	}
	if status, _ := ask(t, two.Client(), "GET", hubSpot+"/crm/v3/objects/contacts", one.Credentials().HubSpot.PrivateApp, ""); status != 401 {
		t.Errorf("the other's token gave %d", status)
	}
}

func TestListening(t *testing.T) {
	defer goleak.VerifyNone(t)
	box := open(t, sandbox.Config{})
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	var transport http.Transport
	defer transport.CloseIdleConnections()
	plain := &http.Client{Transport: &transport}
	for name, client := range map[string]*http.Client{"sockets": plain, "in process": box.Client()} {
		status, body := ask(t, client, "GET", box.HubSpotURL()+"/crm/v3/objects/contacts?limit=1", box.Credentials().HubSpot.ServiceKey, "")
		if status != 200 || !strings.Contains(body, box.HubSpotURL()) {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if status, body := ask(t, client, "GET", box.ManageURL()+"/", "", ""); status != 200 || !strings.Contains(body, box.SalesforceURL()) {
			t.Errorf("%s: the guide: %d %s", name, status, body)
		}
		for _, page := range []string{box.HubSpotURL(), box.SalesforceURL()} {
			if status, body := ask(t, client, "GET", page+"/", "", ""); status != 200 || !strings.Contains(body, "<html") {
				t.Errorf("%s: the page %s: %d %.100s", name, page, status, body)
			}
		}
	}
	if err := box.Listen(t.Context()); err == nil {
		t.Error("listened twice")
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := try(t.Context(), plain, "GET", box.ManageURL(), "", ""); err == nil {
		t.Error("answers after Close")
	}
}

func TestOnlyThisMachineMayConnect(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:80", "example.com:80", "127.0.0.1", "[::]:0"} {
		box := open(t, sandbox.Config{Seed: "empty", SalesforceAddr: address})
		err := box.Listen(t.Context())
		if address == ":0" { // no host means this machine
			if err != nil || !strings.HasPrefix(box.SalesforceURL(), "http://127.0.0.1:") {
				t.Errorf("%s: %s, %v", address, box.SalesforceURL(), err)
			}
			continue
		}
		var e *sandbox.Error
		if !errors.As(err, &e) || e.Mend == "" {
			t.Errorf("%s: got %v, want an error with a mend", address, err)
		}
	}
}

func TestResetTellsTheStoryAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := open(t, sandbox.Config{})
		h1, sf1 := state(t, box)
		before := box.Credentials()
		ask(t, box.Client(), "POST", hubSpot+"/crm/v3/objects/contacts", before.HubSpot.PrivateApp, `{"properties":{"email":"a@b.example"}}`)
		time.Sleep(time.Hour)
		if err := box.Reset(); err != nil {
			t.Fatal(err)
		}
		h2, sf2 := state(t, box)
		if h1 != h2 || sf1 != sf2 || box.Credentials() != before {
			t.Errorf("another state: HubSpot %t, Salesforce %t", h1 != h2, sf1 != sf2)
		}
	})
}

func TestSeedsThatAreNone(t *testing.T) {
	_, err := sandbox.New(sandbox.Config{Seed: "enormous"})
	var e *sandbox.Error
	if !errors.As(err, &e) || !strings.Contains(e.What, "enormous") || e.Mend == "" {
		t.Errorf("got %v", err)
	}
}

func TestTheWholeStoryPassesTheOrgsOwnSchema(t *testing.T) {
	box := open(t, sandbox.Config{Seed: "3000", Random: 9})
	token := box.Credentials().HubSpot.PrivateApp
	known := map[string]bool{}
	_, body := ask(t, box.Client(), "GET", hubSpot+"/crm/v3/properties/companies/industry", token, "")
	var property struct {
		Options []struct{ Value string }
	}
	if err := json.Unmarshal([]byte(body), &property); err != nil {
		t.Fatal(err)
	}
	for _, o := range property.Options {
		known[o.Value] = true
	}
	unknown := map[string]bool{}
	box.HubSpot().Each("companies", func(_ string, p map[string]string) bool {
		if p["industry"] != "" && !known[p["industry"]] {
			unknown[p["industry"]] = true
		}
		return true
	})
	if len(unknown) > 0 {
		t.Errorf("industries that HubSpot does not know: %v", unknown)
	}
	if got := fmt.Sprint(box.Salesforce().Count("OpportunityContactRole") > 100); got != "true" {
		t.Error("deals have no contact roles")
	}
}
