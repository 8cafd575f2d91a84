package apicall

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Config says whose API is called and how. Only Side and Base are needed.
type Config struct {
	Side crm.Side
	// Base is the API's address: "https://api.hubapi.com". Plain http is taken
	// for loopback hosts only. A trailing slash is dropped.
	Base string
	// HTTP is copied and made to refuse redirects; nil: a tuned default.
	HTTP *http.Client
	// Authorize sets the header of one attempt. It is called for every attempt,
	// so that a renewed token is used at once. Nil: no header is set.
	Authorize func(ctx context.Context, request *http.Request) error
	// Refresh renews the credential; it is called once per expiry however many
	// calls saw it, and the call that saw it is repeated once. Nil: a 401 is final.
	Refresh func(ctx context.Context) error
	// IsExpired tells the 401s that Refresh can mend; nil: all of them.
	IsExpired func(*fault.Error) bool
	// Classify reads the vendor's error forms; body holds at most 64 KiB. A nil
	// result (or a nil Classify) leaves it to the status code. A fault of kind
	// RateLimited whose Code equals a Window's name is blamed on that Window.
	Classify func(answer *http.Response, body []byte) *fault.Error
	// Window paces all calls; nil: unpaced.
	Window *Window
	// Day counts all calls against our share of the vendor's day; nil: uncounted.
	Day *Day
	// Rates reads the vendor's rate headers off any answer; nil: none.
	Rates func(http.Header) Rates
	// Observe sees the headers of every answer; nil: nobody looks.
	Observe func(http.Header)
	// Notice is told in a sentence, rarely, when others call with the same
	// account and we slow down for them. Nil: only the log is told.
	Notice func(text string)
	// RequestIDs names the headers that may hold the vendor's id of a call, best
	// first. Empty: X-HubSpot-Correlation-Id, X-Request-Id, Sfdc-Request-Id.
	RequestIDs []string
	// Log gets one debug line per attempt: method, path, status, duration and
	// request id. Nil: no log.
	Log *slog.Logger
	// UserAgent of every request; empty: "lockstep".
	UserAgent string
	// MaxInFlight calls at once; 0: 32. Others wait their turn in order.
	MaxInFlight int
	// Timeout of one attempt, body included; 0: two minutes, which is longer than
	// either vendor's own limit for one request.
	Timeout time.Duration
	// Attempts at most for one call; 0: 5.
	Attempts int
	// Seed of the jitter between attempts.
	Seed uint64
}

// Rates is what rate headers tell. Numbers are -1 when they are not told.
type Rates struct {
	Limit     int           // calls in one window
	Remaining int           // of those still free when the call was counted
	Period    time.Duration // length of the window; 0 when not told
	DayLimit  int
	DayLeft   int
}

// NoRates is the answer without any rate header.
var NoRates = Rates{Limit: -1, Remaining: -1, DayLimit: -1, DayLeft: -1}

// Safety says what a repeat of a call would do.
type Safety uint8

const (
	// ReadOnly calls change nothing and are repeated freely.
	ReadOnly Safety = iota
	// Keyed calls change something, and a repeat changes nothing more.
	Keyed
	// Once calls are never repeated when an answer may have been lost; see Unanswered.
	Once
)

// Call is one call.
type Call struct {
	Method string
	// Path starts with a slash; its segments are already escaped.
	Path  string
	Query url.Values
	// Body is sent again on each attempt.
	Body []byte
	// ContentType of Body; empty: application/json.
	ContentType string
	// Accept header; empty: application/json.
	Accept string
	Safety Safety
	// Uncounted calls are not among those that the vendor counts in a day.
	Uncounted bool
	// Lost, if not nil, is set when an attempt may have had its effect and a later
	// one was sent.
	Lost *bool
	// Windows are further limits that this call falls under, besides Config.Window.
	Windows []*Window
}
