//go:build unix

package salesforce

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// largeOrg has 100,000 contacts in 20,000 accounts.
func largeOrg(b *testing.B) (o *org, ids []string) {
	o = newOrg(b).withExternalID()
	o.SetUsed(0)
	o.dailyLimit = 1 << 40
	var accounts []string
	for i := range 20_000 {
		accounts = append(accounts, o.Insert("Account", map[string]any{"Name": fmt.Sprintf("Company %d", i), "Website": fmt.Sprintf("https://c%d.example", i)}, longAgo, longAgo.Add(time.Duration(i)*time.Second)))
	}
	for i := range 100_000 {
		ids = append(ids, o.Insert("Contact", map[string]any{"LastName": fmt.Sprintf("Last %d", i), "FirstName": "Ann", "Email": fmt.Sprintf("p%d@c.example", i),
			"AccountId": accounts[i%len(accounts)], "Phone": "+49 30 1234567", "Title": "Engineer", "HubSpot_Id__c": fmt.Sprint(i)}, longAgo, longAgo.Add(time.Duration(i)*time.Second)))
	}
	return o, ids
}

// BenchmarkRequests measures typical calls over loopback with 100,000 contacts,
// client and server on the same cores.
func BenchmarkRequests(b *testing.B) {
	o, ids := largeOrg(b)
	server := httptest.NewServer(o)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	quoted := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = "'" + ids[rand.IntN(len(ids))] + "'"
		}
		return strings.Join(list, ",")
	}
	const fields = "Id, FirstName, LastName, Email, Phone, Title, AccountId, HubSpot_Id__c, SystemModstamp"
	for _, c := range []struct {
		name string
		make func() (method, path, body string)
	}{
		{"read one", func() (string, string, string) {
			return "GET", "/sobjects/Contact/" + ids[rand.IntN(len(ids))] + "?fields=LastName,Email,AccountId", ""
		}},
		{"query 10 ids", func() (string, string, string) {
			return "GET", "/query?q=" + escape("SELECT "+fields+" FROM Contact WHERE Id IN ("+quoted(10)+")"), ""
		}},
		{"query 100 ids", func() (string, string, string) {
			return "GET", "/query?q=" + escape("SELECT "+fields+" FROM Contact WHERE Id IN ("+quoted(100)+")"), ""
		}},
		{"query an e-mail", func() (string, string, string) {
			return "GET", "/query?q=" + escape(fmt.Sprintf("SELECT "+fields+" FROM Contact WHERE Email = 'p%d@c.example'", rand.IntN(len(ids)))), ""
		}},
		{"poll 200 by stamp", func() (string, string, string) {
			t := longAgo.Add(time.Duration(rand.IntN(len(ids))) * time.Second).Format("2006-01-02T15:04:05Z")
			return "GET", "/query?q=" + escape("SELECT "+fields+" FROM Contact WHERE SystemModstamp >= "+t+" ORDER BY SystemModstamp, Id LIMIT 200"), ""
		}},
		{"page of 2000", func() (string, string, string) {
			return "GET", "/query?q=" + escape("SELECT "+fields+" FROM Contact ORDER BY Id LIMIT 2000"), ""
		}},
		{"update one", func() (string, string, string) {
			return "PATCH", "/sobjects/Contact/" + ids[rand.IntN(len(ids))], fmt.Sprintf(`{"Title":"T%d"}`, rand.IntN(1000))
		}},
		{"update 20", func() (string, string, string) {
			var list []string
			for i := range 20 {
				list = append(list, fmt.Sprintf(`{"attributes":{"type":"Contact"},"id":"%s","Title":"T%d"}`, ids[(rand.IntN(4000)*20+i)%len(ids)], rand.IntN(1000)))
			}
			return "PATCH", "/composite/sobjects", `{"allOrNone":false,"records":[` + strings.Join(list, ",") + `]}`
		}},
		{"update 200", func() (string, string, string) {
			start := rand.IntN(len(ids) - 200)
			var list []string
			for i := range 200 {
				list = append(list, fmt.Sprintf(`{"attributes":{"type":"Contact"},"id":"%s","Title":"T%d","Phone":"+49 30 %d"}`, ids[start+i], rand.IntN(1000), i))
			}
			return "PATCH", "/composite/sobjects", `{"allOrNone":false,"records":[` + strings.Join(list, ",") + `]}`
		}},
		{"scan 100000", func() (string, string, string) {
			return "GET", "/query?q=" + escape("SELECT COUNT() FROM Contact WHERE Title LIKE 'nobody%'"), ""
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(4)
			before := processorTime(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					method, path, body := c.make()
					r, err := http.NewRequest(method, server.URL+"/services/data/v68.0"+path, strings.NewReader(body))
					if err != nil {
						b.Fatal(err)
					}
					r.Header.Set("Authorization", "Bearer "+o.token)
					r.Header.Set("Content-Type", "application/json")
					a, err := client.Do(r)
					if err != nil {
						b.Fatal(err)
					}
					io.Copy(io.Discard, a.Body)
					a.Body.Close()
					if a.StatusCode >= 300 {
						b.Fatalf("%s %s: %d", method, path, a.StatusCode)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
			// On a busy machine the clock says little; processor time does not lie.
			b.ReportMetric(2*float64(b.N)/(processorTime(b)-before).Seconds(), "requests/s-on-two-free-cores")
		})
	}
}

// processorTime is what this process, client and server, has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
