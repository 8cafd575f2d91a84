package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

const testSecret = "fake-client-secret"

func signed(method, address, body string, at time.Time) *http.Request {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080/hubspot", strings.NewReader(body))
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write([]byte(method + address + body + stamp))
	r.Header.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	r.Header.Set("X-HubSpot-Request-Timestamp", stamp)
	return r
}

func TestADeliveryIsProvedKeptAndAnswered(t *testing.T) {
	const address = "https://sync.example.com/hubspot"
	const body = `[{"portalId":7,"subscriptionType":"contact.creation","objectId":5}]`
	want := []crm.Hint{{Side: crm.HubSpot, Object: "contacts", ID: "5", Why: "contact.creation"}}
	for _, c := range []struct {
		name    string
		request *http.Request
		full    bool // the disk takes nothing
		status  int
		heard   []crm.Hint
	}{
		{"a signed one is kept", signed("POST", address, body, time.Now()), false, 204, want},
		{"one that is signed for another address is not HubSpot's for us", signed("POST", "https://other.example.com/hubspot", body, time.Now()), false, 401, nil},
		{"an old one that is sent again is refused", signed("POST", address, body, time.Now().Add(-time.Hour)), false, 401, nil},
		{"one without a signature is refused", httptest.NewRequest("POST", "/hubspot", strings.NewReader(body)), false, 401, nil},
		{"one that cannot be kept is asked for again", signed("POST", address, body, time.Now()), true, 503, nil},
		{"what is no list of events is refused", signed("POST", address, "{}", time.Now()), false, 400, nil},
		{"a browser that comes by gets no page", httptest.NewRequest("GET", "/hubspot", nil), false, 405, nil},
		{"another path is not there", httptest.NewRequest("POST", "/", strings.NewReader(body)), false, 404, nil},
		{"more than any delivery has is not read", signed("POST", address, strings.Repeat(" ", deliveryBytes+1), time.Now()), false, 413, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var heard []crm.Hint
			hooks := &Webhooks{URL: address, Secret: testSecret, Portal: "7", Hear: func(_ context.Context, hints []crm.Hint) error {
				if c.full {
					return errors.New("no room")
				}
				heard = hints
				return nil
			}}
			handler, err := hooks.Handler()
			if err != nil {
				t.Fatal(err)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, c.request)
			if answer.Code != c.status {
				t.Errorf("answered %d %s, want %d", answer.Code, answer.Body, c.status)
			}
			if diff := cmp.Diff(c.heard, heard); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := (&Webhooks{URL: "sync.example.com"}).Handler(); err == nil {
		t.Error("an address without a scheme was taken")
	}
}

func TestServingEndsWithTheContext(t *testing.T) {
	listener, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(listener.Addr().String()); err == nil || !strings.Contains(err.Error(), "cannot listen") {
		t.Errorf("a taken port: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, http.NotFoundHandler()) }()
	answer, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
