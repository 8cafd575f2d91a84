// Package bench measures, as ratios and rates in one run; nothing in it asserts
// a time.
package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox"
)

// sandboxPeople is how many contacts the measured sandbox holds.
const sandboxPeople = "100000"

// measured is a sandbox on loopback ports and what calls to it need.
type measured struct {
	box               *sandbox.Sandbox
	client            *http.Client
	token, session    string
	contacts, persons []string
}

// openMeasured is called once for all benchmarks of a run.
var openMeasured = sync.OnceValues(func() (*measured, error) {
	box, err := sandbox.New(sandbox.Config{
		Seed: sandboxPeople, Random: 1, TenSecondly: -1, Daily: -1, SearchSecondly: -1, SalesforceDaily: 1 << 30,
	})
	if err != nil {
		return nil, err
	}
	if err := box.Listen(context.Background()); err != nil {
		return nil, err
	}
	m := &measured{box: box, token: box.Credentials().HubSpot.PrivateApp}
	m.session = box.Salesforce().IssueToken(box.Credentials().Salesforce.Username)
	m.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	box.HubSpot().Each("contacts", func(id string, _ map[string]string) bool { m.contacts = append(m.contacts, id); return true })
	box.Salesforce().Each("Contact", func(id string, _ map[string]any) bool { m.persons = append(m.persons, id); return true })
	return m, nil
})

// BenchmarkSandbox tells requests per second of the calls that a sync makes,
// over loopback, client and server on the same cores.
func BenchmarkSandbox(b *testing.B) {
	m, err := openMeasured()
	if err != nil {
		b.Fatal(err)
	}
	h, sf := m.box.HubSpotURL(), m.box.SalesforceURL()
	since := time.Now().Add(-30 * 24 * time.Hour).UnixMilli()
	for _, kind := range []struct {
		name string
		call func(d *rand.Rand) (method, url, token, body string)
	}{
		{"hubspot list of 100", func(d *rand.Rand) (string, string, string, string) {
			return "GET", h + "/crm/v3/objects/contacts?limit=100&properties=email,firstname,lastname,phone&after=" + m.contacts[d.IntN(len(m.contacts))], m.token, ""
		}},
		{"hubspot read of one", func(d *rand.Rand) (string, string, string, string) {
			return "GET", h + "/crm/v3/objects/contacts/" + m.contacts[d.IntN(len(m.contacts))], m.token, ""
		}},
		{"hubspot batch read of 100", func(d *rand.Rand) (string, string, string, string) {
			return "POST", h + "/crm/v3/objects/contacts/batch/read", m.token,
				`{"properties":["email","firstname","lastname","phone"],"inputs":[` + repeat(100, func() string { return `{"id":"` + m.contacts[d.IntN(len(m.contacts))] + `"}` }) + `]}`
		}},
		{"hubspot search by last modified", func(d *rand.Rand) (string, string, string, string) {
			return "POST", h + "/crm/v3/objects/contacts/search", m.token,
				fmt.Sprintf(`{"filterGroups":[{"filters":[{"propertyName":"lastmodifieddate","operator":"GTE","value":"%d"}]}],"sorts":[{"propertyName":"lastmodifieddate","direction":"ASCENDING"}],"properties":["email"],"limit":100}`, since)
		}},
		{"hubspot batch update of 100", func(d *rand.Rand) (string, string, string, string) {
			at := d.IntN(len(m.contacts) - 100)
			return "POST", h + "/crm/v3/objects/contacts/batch/update", m.token,
				`{"inputs":[` + repeat(100, func() string {
					at++
					return `{"id":"` + m.contacts[at] + `","properties":{"city":"Town ` + fmt.Sprint(d.IntN(1000)) + `"}}`
				}) + `]}`
		}},
		{"salesforce query by 200 ids", func(d *rand.Rand) (string, string, string, string) {
			ids := repeat(200, func() string { return "'" + m.persons[d.IntN(len(m.persons))] + "'" })
			return "GET", sf + "/services/data/v66.0/query?q=" + url.QueryEscape("SELECT Id, Email, FirstName, LastName, SystemModstamp FROM Contact WHERE Id IN ("+ids+")"), m.session, ""
		}},
		{"salesforce query of changes", func(d *rand.Rand) (string, string, string, string) {
			return "GET", sf + "/services/data/v66.0/query?q=" + url.QueryEscape("SELECT Id, Email FROM Contact WHERE SystemModstamp >= "+time.UnixMilli(since).UTC().Format(time.RFC3339)+" ORDER BY SystemModstamp, Id LIMIT 200"), m.session, ""
		}},
		{"salesforce read of one", func(d *rand.Rand) (string, string, string, string) {
			return "GET", sf + "/services/data/v66.0/sobjects/Contact/" + m.persons[d.IntN(len(m.persons))], m.session, ""
		}},
		{"salesforce update of 200", func(d *rand.Rand) (string, string, string, string) {
			at := d.IntN(len(m.persons) - 200)
			return "PATCH", sf + "/services/data/v66.0/composite/sobjects", m.session,
				`{"allOrNone":false,"records":[` + repeat(200, func() string {
					at++
					return `{"attributes":{"type":"Contact"},"id":"` + m.persons[at] + `","Department":"Team ` + fmt.Sprint(d.IntN(1000)) + `"}`
				}) + `]}`
		}},
	} {
		b.Run(kind.name, func(b *testing.B) {
			var streams sync.Mutex
			stream := uint64(0)
			b.RunParallel(func(pb *testing.PB) {
				streams.Lock()
				stream++
				d := rand.New(rand.NewPCG(stream, 1))
				streams.Unlock()
				for pb.Next() {
					method, url, token, body := kind.call(d)
					if status, answer := m.do(method, url, token, body); status != 200 {
						b.Errorf("%s %.80s: %d %.300s", method, url, status, answer)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

func (m *measured) do(method, url, token, body string) (int, string) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := m.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		_, err = io.Copy(io.Discard, response.Body)
		return http.StatusOK, fmt.Sprint(err)
	}
	answer, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(answer)
}

func repeat(n int, one func() string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(one())
	}
	return b.String()
}

// BenchmarkSeed tells how long a sandbox of 10,000 people takes to fill.
func BenchmarkSeed(b *testing.B) {
	for b.Loop() {
		if _, err := sandbox.New(sandbox.Config{Seed: "10000"}); err != nil {
			b.Fatal(err)
		}
	}
}
