// Package web answers what vendors call over HTTP: HubSpot's webhooks.
//
// The one idea: a delivery is proved, kept and answered, in this order and
// within the five seconds that HubSpot waits. Nothing is decided here: a
// delivery only hints at records, and the engine reads them.
package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
)

// deliveryBytes is the most that a delivery may have: 100 events with values of
// 65,536 characters would be more, but they are cut before we look at them
// and HubSpot's usual ones have some ten kilobytes.
const deliveryBytes = 8 << 20

// Webhooks takes deliveries of HubSpot.
type Webhooks struct {
	// URL is the address that HubSpot was told, to the letter: it is a part of the
	// signature. Its path is the only one that is answered.
	URL string
	// Secret is the app's client secret.
	Secret string
	// Portal is the account whose events are ours; "" takes all.
	Portal string
	// App is our own app's id: what it wrote itself is no news. "" takes all.
	App string
	// Hear keeps hints; its error makes HubSpot deliver again later.
	Hear func(ctx context.Context, hints []crm.Hint) error
	// Log gets refusals; nil: none.
	Log *slog.Logger
	// Now is the time that deliveries are compared with; nil: time.Now.
	Now func() time.Time
}

// Path is the path of URL.
func (w *Webhooks) Path() (string, error) {
	u, err := url.Parse(w.URL)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "", fault.New(fault.Invalid, "%q is no address that HubSpot could post to", w.URL).
			WithMend("write the whole target URL of the app's webhooks, such as https://sync.example.com/hubspot")
	}
	if u.Path == "" {
		return "/", nil
	}
	return u.Path, nil
}

// Handler answers deliveries: 204 when they are kept, 401 when they are not
// HubSpot's, 503 when they cannot be kept now.
func (w *Webhooks) Handler() (http.Handler, error) {
	path, err := w.Path()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+path, w.deliver)
	return mux, nil
}

func (w *Webhooks) deliver(answer http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(answer, r.Body, deliveryBytes))
	if err != nil {
		var large *http.MaxBytesError
		status := http.StatusBadRequest
		if errors.As(err, &large) {
			status = http.StatusRequestEntityTooLarge
		}
		w.refuse(answer, status, "the delivery cannot be read", nil)
		return
	}
	now := time.Now
	if w.Now != nil {
		now = w.Now
	}
	err = hubspot.CheckSignature(w.Secret, hubspot.Delivery{Method: r.Method, URL: w.URL, Body: body,
		Signature: r.Header.Get(hubspot.SignatureHeader), Timestamp: r.Header.Get(hubspot.TimestampHeader)}, now())
	if err != nil {
		w.refuse(answer, http.StatusUnauthorized, "the delivery is refused", err)
		return
	}
	hints, err := hubspot.WebhookHints(body, w.Portal, w.App)
	if err != nil {
		w.refuse(answer, http.StatusBadRequest, "the delivery is refused", err)
		return
	}
	if err := w.Hear(r.Context(), hints); err != nil {
		w.refuse(answer, http.StatusServiceUnavailable, "the delivery cannot be kept now", err)
		return
	}
	answer.WriteHeader(http.StatusNoContent)
}

// refuse says no more to the caller than that, and the reason to the operator.
func (w *Webhooks) refuse(answer http.ResponseWriter, status int, what string, err error) {
	if w.Log != nil {
		text := what
		if err != nil {
			text = strings.TrimSpace(err.Error())
		}
		w.Log.Warn("webhook refused", "status", status, "reason", text, "next", fault.MendOf(err))
	}
	http.Error(answer, what, status)
}
