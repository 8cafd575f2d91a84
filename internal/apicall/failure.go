package apicall

import (
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	statusLocked    = 423
	statusMigrating = 477 // HubSpot: the account moves between data centres

	baseWait    = 500 * time.Millisecond // before the second attempt, at most
	maxWait     = 30 * time.Second
	lockedWait  = 2 * time.Second // HubSpot asks for at least two seconds
	patience    = 2 * time.Minute // the longest Retry-After that is waited for
	spareTries  = 20              // repeats that are free of the budget
	retryShare  = 10              // one repeat for so many calls
	mendNetwork = "check the network and the account's base_url, then run the command again: nothing is lost"
)

// effect says what is known of a failed call's effect.
type effect uint8

const (
	none    effect = iota // it certainly had none
	unknown               // it may have had it
	done                  // it had it
)

// failure is one attempt that did not work.
type failure struct {
	err     error
	effect  effect
	final   bool // no repeat can help
	decoded bool // the fault came from the caller's own decode
}

// unanswered marks calls whose effect nobody knows.
type unanswered struct{ cause error }

// Error returns the cause.
func (u *unanswered) Error() string {
	if u.cause == nil {
		return "no answer"
	}
	return u.cause.Error()
}

// Unwrap returns the cause.
func (u *unanswered) Unwrap() error { return u.cause }

// Unanswered tells whether err comes from a Once or Keyed call that may or may
// not have had its effect: look before you repeat a create.
func Unanswered(err error) bool {
	var u *unanswered
	return errors.As(err, &u)
}

// refusal turns an answer that is not 2xx into a failure.
func (c *Caller) refusal(call Call, answer *http.Response) *failure {
	// A body that breaks off still tells more than none.
	body, _ := io.ReadAll(io.LimitReader(answer.Body, errorBodyBytes))
	var e *fault.Error
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		return &failure{err: c.redirect(answer), effect: none, final: true}
	}
	if c.config.Classify != nil {
		e = c.config.Classify(answer, body)
	}
	if e == nil {
		e = c.byStatus(call, answer.StatusCode)
	}
	if e.Status == 0 {
		e.Status = answer.StatusCode
	}
	if after, ok := retryAfter(answer.Header); ok && e.RetryAfter == 0 {
		e.RetryAfter = after
	}
	f := &failure{err: e, effect: none}
	if e.Kind == fault.Unavailable && answer.StatusCode != statusLocked && answer.StatusCode != statusMigrating {
		f.effect = unknown
		if call.Safety != ReadOnly {
			e.Err = &unanswered{cause: e.Err}
		}
	}
	if e.Kind == fault.RateLimited {
		c.refused(call, e)
	}
	return f
}

// refused blames the window that the vendor named, or else those that the call
// fell under besides the general one, or else that one.
func (c *Caller) refused(call Call, e *fault.Error) {
	c.mu.Lock()
	c.throttled++
	c.mu.Unlock()
	if e.RetryAfter > patience {
		return // the day is used up, not a window
	}
	if general := c.config.Window; general != nil && (general.Name() == e.Code || len(call.Windows) == 0) {
		general.refuse(e.RetryAfter)
		return
	}
	for _, w := range call.Windows {
		if w.Name() == e.Code {
			w.refuse(e.RetryAfter)
			return
		}
	}
	for _, w := range call.Windows {
		w.refuse(e.RetryAfter)
	}
}

func (c *Caller) redirect(answer *http.Response) error {
	host := "another address"
	if location, err := url.Parse(answer.Header.Get("Location")); err == nil && location.Host != "" {
		host = location.Host
	}
	e := fault.New(fault.Unavailable, "%s at %s redirects to %s, which is not followed: the credential is for this address only", c.config.Side.Title(), c.base.Host, host).
		WithMend("set base_url of the account to the API's own address")
	e.Status = answer.StatusCode
	return e
}

// byStatus is for answers in no form of the vendor's: proxies, gateways, HTML.
func (c *Caller) byStatus(call Call, status int) *fault.Error {
	kind := fault.Invalid
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired, status == http.StatusPaymentRequired:
		kind = fault.Denied
	case status == http.StatusNotFound, status == http.StatusGone:
		kind = fault.NotFound
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		kind = fault.Conflict
	case status == http.StatusTooManyRequests:
		kind = fault.RateLimited
	case status == http.StatusRequestTimeout, status == statusLocked, status == statusMigrating, status >= 500:
		kind = fault.Unavailable
	}
	e := fault.New(kind, "%s answered %s %s with status %d", c.config.Side.Title(), call.Method, call.Path, status)
	e.Status = status
	switch kind {
	case fault.Unavailable:
		e.Mend = "run the command again in a few minutes: nothing is lost"
	case fault.Denied:
		e.Mend = "check the credential with lockstep check"
	}
	return e
}

func (c *Caller) mayRefresh(f *failure) bool {
	e, ok := fault.As(f.err)
	if !ok || c.config.Refresh == nil || f.final || e.Status != http.StatusUnauthorized {
		return false
	}
	return c.config.IsExpired == nil || c.config.IsExpired(e)
}

// verdict decides whether a failed call is repeated, and after how long.
func (c *Caller) verdict(call Call, f *failure, attempt int) (time.Duration, bool) {
	e, ok := fault.As(f.err)
	if !ok || f.final || attempt >= c.config.Attempts {
		return 0, false
	}
	switch e.Kind {
	case fault.RateLimited:
		if e.RetryAfter > patience || (e.Status != http.StatusTooManyRequests && e.RetryAfter == 0) {
			return 0, false
		}
	case fault.Unavailable:
		if f.effect != none && call.Safety == Once || e.RetryAfter > patience {
			return 0, false
		}
	default:
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retries >= spareTries+c.calls/retryShare {
		return 0, false
	}
	c.retries++
	ceiling := min(float64(maxWait), float64(baseWait)*math.Pow(2, float64(attempt-1)))
	wait := time.Duration(c.chance.Float64() * ceiling)
	if e.Status == statusLocked {
		wait += lockedWait
	}
	return wait + e.RetryAfter, true
}

// retryAfter reads seconds, or an HTTP date as the vendor's clock counts it, which
// the answer tells: ours may be wrong.
func retryAfter(header http.Header) (time.Duration, bool) {
	text := header.Get("Retry-After")
	if text == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e8 {
		return time.Duration(seconds * float64(time.Second)), true
	}
	if at, err := http.ParseTime(text); err == nil {
		now, err := http.ParseTime(header.Get("Date"))
		if err != nil {
			now = time.Now()
		}
		return max(at.Sub(now), 0), true
	}
	return 0, false
}
