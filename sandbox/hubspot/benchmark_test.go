package hubspot

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowd is how many contacts the benchmarks read from.
const crowd = 100_000

var crowded = sync.OnceValues(func() (*Server, string) {
	s := New(Config{Seed: 1, TenSecondly: -1, Daily: -1, SearchSecondly: -1})
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range crowd {
		at := start.Add(time.Duration(i) * time.Minute)
		s.Insert("contacts", map[string]string{
			"email": fmt.Sprintf("person%d@company%d.example", i, i/5), "firstname": "Ada", "lastname": fmt.Sprintf("Number %d", i),
			"phone": "+1 555 0100", "city": "Zürich", "jobtitle": "Engineer", "lifecyclestage": "lead", "country": "Switzerland",
			"company": "Acme", "zip": "8001", "website": "https://acme.example",
		}, at, at)
	}
	return s, s.CreateToken(TokenSpec{Name: "bench", Scopes: []string{"crm.objects.contacts.read", "crm.objects.contacts.write"}})
})

const benchProperties = "email,firstname,lastname,phone,city,jobtitle,lifecyclestage,country"

// requests are the calls that a sync makes most, as bytes on the wire.
func requests(s *Server) map[string]func(i int) string {
	body := func(path, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	}
	ids := s.tableByName["contacts"].ids
	quoted := `"` + strings.ReplaceAll(benchProperties, ",", `","`) + `"`
	return map[string]func(int) string{
		"list of 100": func(i int) string {
			return fmt.Sprintf("GET /crm/v3/objects/contacts?limit=100&after=%d&properties=%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %%s\r\n\r\n", ids[i*100%crowd], benchProperties)
		},
		"batch read of 100": func(i int) string {
			var in []string
			for j := range 100 {
				in = append(in, fmt.Sprintf(`{"id":"%d"}`, ids[(i*7919+j*131)%crowd]))
			}
			return body("/crm/v3/objects/contacts/batch/read", fmt.Sprintf(`{"properties":[%s],"inputs":[%s]}`, quoted, strings.Join(in, ",")))
		},
		"search by last modified, 100": func(i int) string {
			at := time.Date(2025, 1, 1, 0, i%50_000, 0, 0, time.UTC).UnixMilli()
			return body("/crm/v3/objects/contacts/search", fmt.Sprintf(`{"filterGroups":[{"filters":[{"propertyName":"lastmodifieddate","operator":"GTE","value":"%d"}]}],"sorts":[{"propertyName":"lastmodifieddate","direction":"ASCENDING"}],"properties":[%s],"limit":100}`, at, quoted))
		},
		"read of one": func(i int) string {
			return fmt.Sprintf("GET /crm/v3/objects/contacts/%d HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %%s\r\n\r\n", ids[i*31%crowd])
		},
		"search by e-mail": func(i int) string {
			return body("/crm/v3/objects/contacts/search", fmt.Sprintf(`{"filterGroups":[{"filters":[{"propertyName":"email","operator":"EQ","value":"person%d@company%d.example"}]}]}`, i%crowd, i%crowd/5))
		},
	}
}

// BenchmarkServer measures calls over loopback; the caller is a bare connection
// so that the server is what is measured, though both share the machine.
func BenchmarkServer(b *testing.B) {
	s, token := crowded()
	server := httptest.NewServer(s)
	defer server.Close()
	for name, request := range requests(s) {
		b.Run(name, func(b *testing.B) {
			// The requests are made before the clock starts.
			prepared := make([]string, 1000)
			for i := range prepared {
				prepared[i] = fmt.Sprintf(strings.Replace(request(i), "%s", "%[1]s", 1), token)
			}
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				in := bufio.NewReaderSize(conn, 1<<16)
				for i := 0; pb.Next(); i++ {
					if _, err := io.WriteString(conn, prepared[i%len(prepared)]); err != nil {
						b.Error(err)
						return
					}
					answer, err := http.ReadResponse(in, nil)
					if err != nil || answer.StatusCode != 200 {
						b.Errorf("%v %v", answer, err)
						return
					}
					_, _ = io.Copy(io.Discard, answer.Body)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// BenchmarkWrite measures an edit of one record, with nobody and with somebody to
// be told of it.
func BenchmarkWrite(b *testing.B) {
	for _, told := range []bool{false, true} {
		b.Run(map[bool]string{false: "nobody subscribed", true: "one subscriber"}[told], func(b *testing.B) {
			s := New(Config{Seed: 1})
			id := s.Insert("companies", map[string]string{"name": "Acme", "city": "Bern", "zip": "3000", "country": "CH"}, time.Now(), time.Now())
			s.CreateToken(TokenSpec{Name: "bench", Scopes: []string{"crm.objects.companies.read"}})
			if told {
				s.SetWebhookTransport(swallow{})
				if _, err := s.SetWebhooks(s.Apps()[0].ID, WebhookSettings{TargetURL: "https://sync.example/"}, Subscription{EventType: "company.propertyChange", PropertyName: "city", Active: true}); err != nil {
					b.Fatal(err)
				}
			}
			t := s.tableByName["companies"]
			hand := s.AsUser(7)
			cities := [2]map[string]string{{"city": "Bern"}, {"city": "Chur"}}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := hand.Update("companies", id, cities[i&1]); err != nil {
					b.Fatal(err)
				}
				if i%1000 == 0 { // the history of one record is not what is measured
					clear(t.history)
				}
			}
			b.StopTimer()
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// swallow takes every delivery.
type swallow struct{}

func (swallow) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}
