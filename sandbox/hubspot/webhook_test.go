package hubspot_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

const target = "https://sync.example/hooks?from=hubspot"

// mailbox is an app's end of its webhooks.
type mailbox struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	at       []time.Duration // since the first request
	began    time.Time
	open     int // requests under way, and the most there were
	most     int
	// answer decides about a request; nil answers 204.
	answer func(n int, r *http.Request) (int, error)
}

// RoundTrip takes a delivery.
func (m *mailbox) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	n := len(m.requests)
	if n == 0 {
		m.began = time.Now()
	}
	m.requests, m.bodies, m.at = append(m.requests, r), append(m.bodies, string(body)), append(m.at, time.Since(m.began))
	m.open++
	m.most = max(m.most, m.open)
	m.mu.Unlock()
	status, err := http.StatusNoContent, error(nil)
	if m.answer != nil {
		status, err = m.answer(n, r)
	}
	m.mu.Lock()
	m.open--
	m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
}

// events are all that came, in the order it came.
func (m *mailbox) events(t *testing.T) (all []map[string]any) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, body := range m.bodies {
		var batch []map[string]any
		if err := json.Unmarshal([]byte(body), &batch); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		all = append(all, batch...)
	}
	return all
}

// subscriber is a private app with webhooks.
type subscriber struct {
	*portal
	*mailbox
	app hubspot.AppWebhooks
}

// on subscribes to event types; "contact.propertyChange email" names a property,
// "object.creation 2-7" an object type.
func on(kinds ...string) (out []hubspot.Subscription) {
	for _, kind := range kinds {
		kind, more, _ := strings.Cut(kind, " ")
		s := hubspot.Subscription{EventType: kind, Active: true}
		first, second, _ := strings.Cut(more, " ")
		switch {
		case strings.HasPrefix(kind, "object."):
			s.ObjectTypeID, s.PropertyName = first, second
		default:
			s.PropertyName = first
		}
		out = append(out, s)
	}
	return out
}

func subscribe(t *testing.T, kinds ...string) *subscriber {
	t.Helper()
	box := &mailbox{}
	s := &subscriber{portal: openWith(t, hubspot.Config{TenSecondly: -1, SearchSecondly: -1, Webhooks: box}), mailbox: box}
	s.listen(kinds...)
	t.Cleanup(func() {
		if err := s.s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *subscriber) listen(kinds ...string) {
	s.t.Helper()
	var err error
	s.app, err = s.s.SetWebhooks(s.s.Apps()[0].ID, hubspot.WebhookSettings{TargetURL: target}, on(kinds...)...)
	if err != nil {
		s.t.Fatal(err)
	}
}

// quiet waits until all events have come; the bubble's clock runs to it.
func (s *subscriber) quiet() {
	for s.s.PendingWebhooks() > 0 {
		time.Sleep(time.Second)
	}
	synctest.Wait()
}

// told returns the events since the last call, without what is the same in all.
func (s *subscriber) told() (out []map[string]any) {
	s.t.Helper()
	s.quiet()
	for _, e := range s.events(s.t) {
		for _, name := range []string{"eventId", "subscriptionId", "portalId", "appId", "occurredAt", "attemptNumber"} {
			if _, ok := e[name].(float64); !ok {
				s.t.Errorf("%s is missing in %v", name, e)
			}
			delete(e, name)
		}
		out = append(out, e)
	}
	s.mu.Lock()
	s.bodies = nil
	s.mu.Unlock()
	return out
}

func number(id string) float64 {
	n, _ := strconv.ParseFloat(id, 64)
	return n
}

// TestEveryEventType does each thing that apps can hear of once.
func TestEveryEventType(t *testing.T) {
	type one = map[string]any
	for _, test := range []struct {
		name  string
		kinds []string
		do    func(s *subscriber) []map[string]any // and what it makes them hear
	}{
		{"a creation, and each property that was set", []string{"contact.creation", "contact.propertyChange email", "contact.propertyChange city"}, func(s *subscriber) []map[string]any {
			id := s.must(201, "POST", "/crm/v3/objects/contacts", `{"properties":{"email":"A@acme.example"}}`).str("id")
			by := fmt.Sprint(s.app.AppID)
			return []map[string]any{
				{"subscriptionType": "contact.creation", "objectId": number(id), "changeFlag": "CREATED", "changeSource": "INTEGRATION", "sourceId": by},
				{"subscriptionType": "contact.propertyChange", "objectId": number(id), "propertyName": "email", "propertyValue": "a@acme.example", "changeSource": "INTEGRATION", "sourceId": by},
			}
		}},
		{"a change by a person", []string{"company.propertyChange city"}, func(s *subscriber) []map[string]any {
			id := s.insert("companies", "name", "Acme", "city", "Bern")
			s.told()
			_ = s.s.AsUser(501).Update("companies", id, props("city", "Chur", "name", "Acme AG"))
			return []map[string]any{{"subscriptionType": "company.propertyChange", "objectId": number(id), "propertyName": "city", "propertyValue": "Chur", "changeSource": "CRM_UI", "sourceId": "userId:501"}}
		}},
		{"clearing a value", []string{"deal.propertyChange amount"}, func(s *subscriber) []map[string]any {
			id := s.insert("deals", "dealname", "x", "dealstage", "contractsent", "amount", "5")
			s.told()
			_ = s.s.AsSource("AUTOMATION_PLATFORM", "").Update("deals", id, props("amount", ""))
			return []map[string]any{{"subscriptionType": "deal.propertyChange", "objectId": number(id), "propertyName": "amount", "propertyValue": "", "changeSource": "AUTOMATION_PLATFORM"}}
		}},
		{"writing what is there already", []string{"company.propertyChange city"}, func(s *subscriber) []map[string]any {
			id := s.insert("companies", "name", "Acme", "city", "Bern")
			s.told()
			s.must(200, "PATCH", "/crm/v3/objects/companies/"+id, `{"properties":{"city":"Bern"}}`)
			return nil
		}},
		{"a deletion and a restoration", []string{"ticket.deletion", "ticket.restore", "ticket.creation"}, func(s *subscriber) []map[string]any {
			id := s.insert("tickets", "subject", "x", "hs_pipeline_stage", "1")
			s.told()
			_ = s.s.AsUser(501).Archive("tickets", id)
			_ = s.s.AsUser(502).Restore("tickets", id)
			return []map[string]any{
				{"subscriptionType": "ticket.deletion", "objectId": number(id), "changeFlag": "DELETED", "changeSource": "CRM_UI", "sourceId": "userId:501"},
				{"subscriptionType": "ticket.restore", "objectId": number(id), "changeSource": "CRM_UI", "sourceId": "userId:502"},
			}
		}},
		{"a deletion for privacy is a deletion too", []string{"contact.deletion", "contact.privacyDeletion"}, func(s *subscriber) []map[string]any {
			id := s.insert("contacts", "email", "a@acme.example")
			_ = s.s.AsUser(501).Erase("contacts", id)
			return []map[string]any{
				{"subscriptionType": "contact.privacyDeletion", "objectId": number(id), "changeSource": "CRM_UI", "sourceId": "userId:501"},
				{"subscriptionType": "contact.deletion", "objectId": number(id), "changeFlag": "DELETED", "changeSource": "CRM_UI", "sourceId": "userId:501"},
			}
		}},
		{"a merge", []string{"contact.merge", "contact.deletion", "contact.creation", "contact.associationChange"}, func(s *subscriber) []map[string]any {
			a, b := s.insert("contacts", "email", "a@acme.example"), s.insert("contacts", "email", "b@acme.example", "city", "Bern", "zip", "3000")
			company := s.insert("companies", "name", "Acme")
			s.s.Associate("contacts", b, "companies", company)
			s.told()
			id, _ := s.s.AsUser(501).Merge("contacts", a, b)
			return []map[string]any{{"subscriptionType": "contact.merge", "objectId": number(id), "primaryObjectId": number(a), "mergedObjectIds": []any{number(b)},
				"newObjectId": number(id), "numberOfPropertiesMoved": 2.0, "changeSource": "CRM_UI", "sourceId": "userId:501"}}
		}},
		{"an association, once in each direction", []string{"contact.associationChange", "company.associationChange"}, func(s *subscriber) []map[string]any {
			contact, company := s.insert("contacts", "email", "a@acme.example"), s.insert("companies", "name", "Acme")
			_ = s.s.AsUser(501).Associate("contacts", contact, "companies", company)
			told := s.told()
			_ = s.s.AsUser(501).Dissociate("companies", company, "contacts", contact)
			link := func(kind, name, from, to string, removed bool) one {
				return one{"subscriptionType": kind, "associationType": name, "associationCategory": "HUBSPOT_DEFINED", "fromObjectId": number(from), "toObjectId": number(to),
					"associationRemoved": removed, "isPrimaryAssociation": true, "changeSource": "CRM_UI", "sourceId": "userId:501"}
			}
			want := []map[string]any{
				link("contact.associationChange", "CONTACT_TO_COMPANY", contact, company, false),
				link("company.associationChange", "COMPANY_TO_CONTACT", company, contact, false),
			}
			if diff := cmp.Diff(want, told); diff != "" {
				s.t.Error(diff)
			}
			return []map[string]any{
				link("company.associationChange", "COMPANY_TO_CONTACT", company, contact, true),
				link("contact.associationChange", "CONTACT_TO_COMPANY", contact, company, true),
			}
		}},
		{"a property of a custom object, with its type", nil, func(s *subscriber) []map[string]any {
			kind := s.s.AddSchema(hubspot.Schema{Name: "robot", PrimaryDisplayProperty: "model", Properties: []hubspot.Property{{Name: "model", Label: "Model", Type: "string", FieldType: "text"}}})
			s.listen("object.creation "+kind, "object.propertyChange "+kind+" model", "object.creation 0-1")
			id := s.must(201, "POST", "/crm/v3/objects/robot", `{"properties":{"model":"R2"}}`).str("id")
			by := fmt.Sprint(s.app.AppID)
			return []map[string]any{
				{"subscriptionType": "object.creation", "objectId": number(id), "objectTypeId": kind, "changeFlag": "CREATED", "changeSource": "INTEGRATION", "sourceId": by},
				{"subscriptionType": "object.propertyChange", "objectId": number(id), "objectTypeId": kind, "propertyName": "model", "propertyValue": "R2", "changeSource": "INTEGRATION", "sourceId": by},
			}
		}},
		{"the value of a sensitive property is hidden", []string{"contact.propertyChange iban"}, func(s *subscriber) []map[string]any {
			if err := s.s.AddProperty("contacts", hubspot.Property{Name: "iban", Label: "IBAN", Type: "string", FieldType: "text", DataSensitivity: "sensitive"}); err != nil {
				s.t.Fatal(err)
			}
			id := s.insert("contacts", "iban", "CH00", "email", "a@acme.example")
			return []map[string]any{{"subscriptionType": "contact.propertyChange", "objectId": number(id), "propertyName": "iban", "propertyValue": "REDACTED", "isSensitive": true,
				"changeSource": "CRM_UI", "sourceId": "userId:1000000"}}
		}},
		{"a product and a line item", []string{"product.creation", "line_item.creation"}, func(s *subscriber) []map[string]any {
			product, item := s.insert("products", "name", "Pump"), s.insert("line_items", "name", "Pump")
			return []map[string]any{
				{"subscriptionType": "product.creation", "objectId": number(product), "changeFlag": "CREATED", "changeSource": "CRM_UI", "sourceId": "userId:1000000"},
				{"subscriptionType": "line_item.creation", "objectId": number(item), "changeFlag": "CREATED", "changeSource": "CRM_UI", "sourceId": "userId:1000000"},
			}
		}},
		{"a note, as an object", []string{"object.creation 0-46"}, func(s *subscriber) []map[string]any {
			id := s.insert("notes", "hs_timestamp", "2026-01-01T00:00:00Z")
			return []map[string]any{{"subscriptionType": "object.creation", "objectId": number(id), "objectTypeId": "0-46", "changeFlag": "CREATED", "changeSource": "CRM_UI", "sourceId": "userId:1000000"}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := subscribe(t, test.kinds...)
				want := test.do(s)
				if diff := cmp.Diff(want, s.told()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestADeliveryIsSigned looks at a whole request.
func TestADeliveryIsSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := subscribe(t, "contact.creation")
		s.clock.Advance(time.Hour)
		id := s.insert("contacts", "email", "a@acme.example")
		s.quiet()
		r, body := s.requests[0], s.bodies[0]
		want := fmt.Sprintf(`[{"eventId":%d,"subscriptionId":%d,"portalId":%d,"appId":%d,"occurredAt":%d,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":%s,"changeFlag":"CREATED","changeSource":"CRM_UI","sourceId":"userId:1000000"}]`,
			int64(s.events(t)[0]["eventId"].(float64)), s.app.Subscriptions[0].ID, s.s.PortalID(), s.app.AppID, time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC).UnixMilli(), id)
		if body != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
		stamp := s.clock.Now().Add(-900 * time.Millisecond).UnixMilli() // quiet looks once a second
		if diff := cmp.Diff(map[string]string{
			"method": "POST", "url": target, "type": "application/json", "v1": hubspot.Sign("v1", s.app.Secret, "", "", []byte(body), 0), "version": "v1",
			"v3": hubspot.Sign("v3", s.app.Secret, "POST", target, []byte(body), stamp), "stamp": fmt.Sprint(stamp),
		}, map[string]string{
			"method": r.Method, "url": r.URL.String(), "type": r.Header.Get("Content-Type"), "v1": r.Header.Get("X-HubSpot-Signature"), "version": r.Header.Get("X-HubSpot-Signature-Version"),
			"v3": r.Header.Get("X-HubSpot-Signature-v3"), "stamp": r.Header.Get("X-HubSpot-Request-Timestamp"),
		}); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDeliveriesAreRepeated(t *testing.T) {
	for _, test := range []struct {
		name    string
		answer  func(n int, r *http.Request) (int, error)
		advance time.Duration
		want    int // attempts
	}{
		{"until one is answered with 2xx", func(n int, _ *http.Request) (int, error) { return []int{500, 404, 302, 201}[n], nil }, 0, 4},
		{"ten times within a day, and then no more", func(int, *http.Request) (int, error) { return 503, nil }, 0, 11},
		{"when the connection breaks", func(n int, _ *http.Request) (int, error) {
			if n < 2 {
				return 0, io.ErrUnexpectedEOF
			}
			return 200, nil
		}, 0, 3},
		{"when five seconds have passed", func(n int, r *http.Request) (int, error) {
			if n > 0 {
				return 200, nil
			}
			began := time.Now()
			<-r.Context().Done()
			if took := time.Since(began); took != 5*time.Second {
				return 200, nil // an attempt too few tells
			}
			return 0, r.Context().Err()
		}, 0, 2},
		{"at once when the clock is moved past all of them", func(int, *http.Request) (int, error) { return 503, nil }, 25 * time.Hour, 11},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := subscribe(t, "contact.creation")
				s.mailbox.answer = test.answer
				s.insert("contacts", "email", "a@acme.example")
				if test.advance > 0 {
					time.Sleep(time.Second)
					s.clock.Advance(test.advance)
					time.Sleep(time.Second)
				}
				s.quiet()
				var attempts []int
				for _, e := range s.events(t) {
					attempts = append(attempts, int(e["attemptNumber"].(float64)))
				}
				want := make([]int, test.want)
				for i := range want {
					want[i] = i
				}
				if diff := cmp.Diff(want, attempts); diff != "" {
					t.Fatalf("attempts: %s", diff)
				}
				if last := s.at[len(s.at)-1]; last > 24*time.Hour {
					t.Errorf("the last attempt is %v after the first", last)
				}
				if test.advance > 0 {
					return
				}
				for i := 2; i < len(s.at); i++ {
					if s.at[i]-s.at[i-1] <= (s.at[i-1]-s.at[i-2])/4 {
						t.Errorf("the gaps do not grow: %v", s.at)
					}
				}
				got := s.s.Webhooks()[0]
				if got.Delivered+got.GivenUp != 1 || got.Failed != test.want-got.Delivered {
					t.Errorf("counted %+v", got)
				}
			})
		})
	}
}

// TestDeliveriesAreBatches sends more than fits into one, to an app that is slow.
func TestDeliveriesAreBatches(t *testing.T) {
	for _, single := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := subscribe(t, "contact.creation")
			s.dials.Set(faults.Setting{Webhooks: faults.Webhooks{OneAtATime: single}})
			s.mailbox.answer = func(int, *http.Request) (int, error) { time.Sleep(time.Second); return 200, nil }
			const count = 1450
			for i := range count {
				s.insert("contacts", "email", fmt.Sprintf("p%d@acme.example", i))
			}
			s.quiet()
			sizes := map[int]int{}
			for _, body := range s.bodies {
				sizes[strings.Count(body, "eventId")]++
			}
			if diff := cmp.Diff(map[int]int{100: 14, 50: 1}, sizes); diff != "" {
				t.Errorf("sizes of batches: %s", diff)
			}
			want := 10
			if single {
				want = 1
			}
			if s.most != want {
				t.Errorf("%d requests at once, want %d", s.most, want)
			}
		})
	}
}

func TestWebhookDials(t *testing.T) {
	run := func(t *testing.T, w faults.Webhooks) (times map[string]int, order []string, delays []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			s := subscribe(t, "contact.creation")
			s.dials.Set(faults.Setting{Seed: 5, Webhooks: w})
			began := time.Now()
			var mu sync.Mutex // ten deliveries may be under way
			s.mailbox.answer = func(int, *http.Request) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				delays = append(delays, time.Since(began))
				return 200, nil
			}
			for i := range 200 {
				s.insert("contacts", "email", fmt.Sprintf("p%d@acme.example", i))
			}
			s.quiet()
			times = map[string]int{}
			for _, e := range s.events(t) {
				id := fmt.Sprintf("%.0f %.0f", e["objectId"], e["eventId"])
				times[id]++
				order = append(order, id)
			}
		})
		return times, order, delays
	}
	t.Run("without a dial all come once and in order", func(t *testing.T) {
		times, order, delays := run(t, faults.Webhooks{OneAtATime: true})
		if len(times) != 200 || len(order) != 200 || !slices.IsSorted(order) || delays[0] != 100*time.Millisecond {
			t.Errorf("%d of 200, %d deliveries, after %v", len(times), len(order), delays)
		}
	})
	t.Run("some come twice", func(t *testing.T) {
		times, order, _ := run(t, faults.Webhooks{DuplicateShare: 0.25})
		if len(times) != 200 || len(order) < 220 || len(order) > 290 {
			t.Errorf("%d of 200, %d deliveries", len(times), len(order))
		}
	})
	t.Run("some do not come", func(t *testing.T) {
		times, _, _ := run(t, faults.Webhooks{DropShare: 0.25})
		if len(times) < 110 || len(times) > 180 {
			t.Errorf("%d of 200 at a share of 0.25", len(times))
		}
	})
	t.Run("all come later", func(t *testing.T) {
		times, _, delays := run(t, faults.Webhooks{DelayMillis: 60_000})
		if len(times) != 200 || delays[0] < time.Minute {
			t.Errorf("%d of 200, after %v", len(times), delays[0])
		}
	})
	t.Run("they overtake each other", func(t *testing.T) {
		times, order, _ := run(t, faults.Webhooks{JitterMillis: 60_000, OneAtATime: true})
		_, again, _ := run(t, faults.Webhooks{JitterMillis: 60_000, OneAtATime: true})
		if len(times) != 200 || slices.IsSorted(order) {
			t.Errorf("%d of 200, in order", len(times))
		}
		if !slices.Equal(order, again) {
			t.Error("the order does not follow from the seed")
		}
	})
}

// TestWhoHearsNothing lists what keeps an app from hearing of a new contact.
func TestWhoHearsNothing(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(s *subscriber)
		want int
	}{
		{"nothing keeps it", func(*subscriber) {}, 1},
		{"a subscription that is paused", func(s *subscriber) {
			paused := on("contact.creation")
			paused[0].Active = false
			if _, err := s.s.SetWebhooks(s.app.AppID, hubspot.WebhookSettings{TargetURL: target}, paused...); err != nil {
				s.t.Fatal(err)
			}
		}, 0},
		{"another event", func(s *subscriber) { s.listen("contact.deletion", "company.creation") }, 0},
		{"another property", func(s *subscriber) { s.listen("contact.propertyChange city") }, 0},
		{"no webhooks any more", func(s *subscriber) {
			if err := s.s.DropWebhooks(s.app.AppID); err != nil {
				s.t.Fatal(err)
			}
		}, 0},
		{"a closed server", func(s *subscriber) { _ = s.s.Close() }, 0},
		{"an app without the scope", func(s *subscriber) {
			s.s.CreateToken(hubspot.TokenSpec{Name: "narrow", Scopes: []string{"crm.objects.companies.read"}})
			if err := s.s.DropWebhooks(s.app.AppID); err != nil {
				s.t.Fatal(err)
			}
			if _, err := s.s.SetWebhooks(s.s.Apps()[1].ID, hubspot.WebhookSettings{TargetURL: target}, on("contact.creation")...); err != nil {
				s.t.Fatal(err)
			}
		}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := subscribe(t, "contact.creation")
				test.do(s)
				s.insert("contacts", "email", "a@acme.example")
				if got := len(s.told()); got != test.want {
					t.Errorf("it heard of %d events, want %d", got, test.want)
				}
			})
		})
	}
}

func TestRefusedWebhooks(t *testing.T) {
	p := open(t)
	app := p.s.Apps()[0].ID
	p.s.CreateToken(hubspot.TokenSpec{Kind: hubspot.ServiceKey, Name: "key"})
	good := hubspot.WebhookSettings{TargetURL: target}
	for _, test := range []struct {
		name     string
		app      int64
		settings hubspot.WebhookSettings
		kinds    []string
		contains string
	}{
		{"an app that is not there", 1, good, nil, "no app 1"},
		{"a service key", p.s.Apps()[1].ID, good, nil, "service-key"},
		{"no target", app, hubspot.WebhookSettings{}, nil, "targetUrl"},
		{"a plain http target elsewhere", app, hubspot.WebhookSettings{TargetURL: "http://sync.example/"}, nil, "https"},
		{"too few requests at once", app, hubspot.WebhookSettings{TargetURL: target, MaxConcurrentRequests: 5}, nil, "greater than 5"},
		{"an event type that is not there", app, good, []string{"contact.birthday"}, "contact.birthday"},
		{"associations of products", app, good, []string{"product.associationChange"}, "product.associationChange"},
		{"a change of no property", app, good, []string{"contact.propertyChange"}, "propertyName"},
		{"the stamp of every change", app, good, []string{"company.propertyChange hs_lastmodifieddate"}, "hs_lastmodifieddate"},
		{"an object of no type", app, good, []string{"object.creation"}, "objectTypeId"},
		{"the same twice", app, good, []string{"contact.creation", "contact.creation"}, "already exists"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := p.s.SetWebhooks(test.app, test.settings, on(test.kinds...)...)
			if err == nil || !strings.Contains(err.Error(), test.contains) {
				t.Errorf("got %v, want something about %q", err, test.contains)
			}
		})
	}
	if got := p.s.Webhooks(); len(got) != 0 {
		t.Errorf("left behind: %+v", got)
	}
}

// TestTheWebhooksAPI manages the webhooks of an OAuth app that two accounts installed.
func TestTheWebhooksAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &mailbox{}
		d := develop(t, hubspot.Config{TenSecondly: -1, SearchSecondly: -1, Webhooks: box, Accounts: 2})
		defer d.s.Close()
		app := d.s.ProjectApps()[0]
		for _, account := range d.s.Accounts() {
			if _, err := account.Install(app.ClientID); err != nil {
				t.Fatal(err)
			}
		}
		key := "?hapikey=" + d.s.DeveloperKey()
		ask := func(status int, method, path, body string) answer {
			t.Helper()
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			a := d.send(r)
			if a.status != status {
				t.Fatalf("%s %s: %d %s, want %d", method, path, a.status, a.text, status)
			}
			return a
		}
		base := fmt.Sprintf("/webhooks/v3/%d", app.AppID)
		ask(401, "GET", base+"/settings", "")
		ask(401, "GET", base+"/settings?hapikey=wrong", "")
		d.callWith(d.token, "GET", base+"/settings", "")
		if a := d.callWith(d.token, "GET", base+"/settings", ""); a.status != 401 || a.at("links") == nil {
			t.Errorf("a bearer at a call for developers: %d %s", a.status, a.text)
		}
		ask(404, "GET", base+"/settings"+key, "")
		ask(404, "GET", "/webhooks/v3/4711/settings"+key, "")
		ask(400, "PUT", base+"/settings"+key, `{"targetUrl":"ftp://x.example","throttling":{"maxConcurrentRequests":10}}`)
		want := `{"targetUrl":"` + target + `","throttling":{"maxConcurrentRequests":20,"period":"SECONDLY"},"createdAt":"2026-11-23T12:00:00Z","updatedAt":"2026-11-23T12:00:00Z"}`
		if a := ask(200, "PUT", base+"/settings"+key, `{"targetUrl":"`+target+`","throttling":{"maxConcurrentRequests":20,"period":"SECONDLY"}}`); a.text != want {
			t.Errorf("got %s, want %s", a.text, want)
		}
		made := ask(201, "POST", base+"/subscriptions"+key, `{"eventType":"contact.propertyChange","propertyName":"city"}`)
		if made.at("active") != false {
			t.Errorf("a new subscription is paused unless told otherwise: %s", made.text)
		}
		ask(400, "POST", base+"/subscriptions"+key, `{"eventType":"contact.propertyChange"}`)
		ask(409, "POST", base+"/subscriptions"+key, `{"eventType":"contact.propertyChange","propertyName":"city"}`)
		one := base + "/subscriptions/" + made.str("id")
		ask(200, "PATCH", one+key, `{"active":true}`)
		if a := ask(200, "GET", one+key, ""); a.at("active") != true || a.str("eventType") != "contact.propertyChange" || a.str("propertyName") != "city" {
			t.Error(a.text)
		}
		for _, other := range []string{"/webhooks/2026-03/", "/app-webhooks/2026-09/", "/app-webhooks/2025-09/"} {
			if a := ask(200, "GET", other+fmt.Sprint(app.AppID)+"/subscriptions"+key, ""); len(a.list("results")) != 1 {
				t.Errorf("%s: %s", other, a.text)
			}
		}
		for _, no := range []string{"/webhooks/2026-09/", "/app-webhooks/2026-03/", "/app-webhooks/v3/"} {
			ask(404, "GET", no+fmt.Sprint(app.AppID)+"/subscriptions"+key, "")
		}
		if a := ask(207, "POST", base+"/subscriptions/batch/update"+key, `{"inputs":[{"id":`+made.str("id")+`,"active":true},{"id":1,"active":true}]}`); a.str("errors", 0, "category") != "SUBSCRIPTION_ID_NOT_FOUND" {
			t.Error(a.text)
		}

		var contacts []float64
		for _, account := range d.s.Accounts() {
			id := account.Insert("contacts", props("city", "Bern"), d.clock.Now(), d.clock.Now())
			contacts = append(contacts, number(id))
		}
		time.Sleep(time.Second)
		events := box.events(t)
		if len(events) != 2 {
			t.Fatalf("heard of %v", events)
		}
		slices.SortFunc(events, func(a, b map[string]any) int {
			return slices.Index(contacts, a["objectId"].(float64)) - slices.Index(contacts, b["objectId"].(float64))
		})
		for i, account := range d.s.Accounts() {
			if e := events[i]; e["portalId"] != float64(account.PortalID()) || e["appId"] != float64(app.AppID) || e["objectId"] != contacts[i] {
				t.Errorf("account %d: %v", i, e)
			}
		}
		if got, want := box.requests[0].Header.Get("X-HubSpot-Signature"), hubspot.Sign("v1", app.ClientSecret, "", "", []byte(box.bodies[0]), 0); got != want {
			t.Error("it is not signed with the app's client secret")
		}

		ask(204, "DELETE", base+"/settings"+key, "")
		d.s.Insert("contacts", props("city", "Chur"), d.clock.Now(), d.clock.Now())
		ask(200, "GET", one+key, "")
		ask(204, "DELETE", one+key, "")
		ask(404, "GET", one+key, "")
		time.Sleep(time.Second)
		if n := len(box.events(t)); n != 2 {
			t.Errorf("without settings it heard of %d events more", n-2)
		}
	})
}

// TestDeliveriesStayOnThisMachine uses the transport that is there unless told otherwise.
func TestDeliveriesStayOnThisMachine(t *testing.T) {
	p := open(t)
	arrived := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- string(body)
	}))
	defer server.Close()
	app := p.s.Apps()[0].ID
	if _, err := p.s.SetWebhooks(app, hubspot.WebhookSettings{TargetURL: server.URL + "/hooks"}, on("contact.creation")...); err != nil {
		t.Fatal(err)
	}
	id := p.insert("contacts", "email", "a@acme.example")
	if body := <-arrived; !strings.Contains(body, `"objectId":`+id) {
		t.Errorf("arrived: %s", body)
	}
	if _, err := p.s.SetWebhooks(app, hubspot.WebhookSettings{TargetURL: "https://192.0.2.1/hooks"}, on("contact.creation")...); err != nil {
		t.Fatal(err)
	}
	p.insert("contacts", "email", "b@acme.example")
	p.clock.Advance(time.Second)
	for p.s.Webhooks()[0].Failed == 0 { // refused before any packet leaves
		runtime.Gosched()
	}
	if err := p.s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := p.s.PendingWebhooks(); n != 0 {
		t.Errorf("%d events are on their way after Close", n)
	}
}

func TestWebhooksSurvive(t *testing.T) {
	p := open(t)
	want, err := p.s.SetWebhooks(p.s.Apps()[0].ID, hubspot.WebhookSettings{TargetURL: target}, on("contact.creation", "object.propertyChange 0-3 amount")...)
	if err != nil {
		t.Fatal(err)
	}
	again := reloaded(t, p)
	if diff := cmp.Diff([]hubspot.AppWebhooks{want}, again.s.Webhooks()); diff != "" {
		t.Error(diff)
	}
	again.s.SetWebhookTransport(&mailbox{})
	again.insert("contacts", "email", "a@acme.example")
	if again.s.PendingWebhooks() != 1 {
		t.Error("the loaded account tells nobody")
	}
	if err := again.s.Close(); err != nil {
		t.Fatal(err)
	}
}
