package sandbox_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// carrier hands deliveries to a function.
type carrier func(*http.Request) int

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c(r), Body: http.NoBody, Request: r}, nil
}

// TestWebhooksFollowTheSandboxesClock moves it past a retry, without a socket.
func TestWebhooksFollowTheSandboxesClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var delivered atomic.Int32
		box := open(t, sandbox.Config{Webhooks: carrier(func(r *http.Request) int {
			_, _ = io.Copy(io.Discard, r.Body)
			if delivered.Add(1) == 1 {
				return http.StatusBadGateway
			}
			return http.StatusOK
		})})
		h := box.HubSpot()
		if _, err := h.SetWebhooks(h.Apps()[0].ID, hubspot.WebhookSettings{TargetURL: "https://sync.example/"},
			hubspot.Subscription{EventType: "company.creation", Active: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.AsUser(7).Create("companies", map[string]string{"name": "Acme"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if delivered.Load() != 1 || h.PendingWebhooks() != 1 {
			t.Fatalf("%d deliveries, %d events pending", delivered.Load(), h.PendingWebhooks())
		}
		box.Clock().Advance(2 * time.Minute)
		synctest.Wait()
		if delivered.Load() != 2 || h.PendingWebhooks() != 0 {
			t.Errorf("after the clock was moved: %d deliveries, %d events pending", delivered.Load(), h.PendingWebhooks())
		}
		if _, err := h.AsUser(7).Create("companies", map[string]string{"name": "Other"}); err != nil {
			t.Fatal(err)
		}
		if err := box.Reset(); err != nil { // what is on its way ends with the world that it comes from
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if delivered.Load() != 2 || len(box.HubSpot().Webhooks()) != 0 {
			t.Errorf("after a reset: %d deliveries", delivered.Load())
		}
	})
}
