package apicall_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// vendor answers calls in process: the n-th call gets the n-th answer, and the
// last answer again and again.
type vendor struct {
	mu      sync.Mutex
	answers []answer
	calls   []*http.Request
	latency time.Duration
}

type answer struct {
	status int
	body   string
	header map[string]string
	err    error
	cut    bool // the body breaks off
}

func (v *vendor) RoundTrip(request *http.Request) (*http.Response, error) {
	if v.latency > 0 {
		select {
		case <-time.After(v.latency):
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.answers[min(len(v.calls), len(v.answers)-1)]
	v.calls = append(v.calls, request)
	if a.err != nil {
		return nil, a.err
	}
	header := http.Header{"X-Request-Id": {fmt.Sprintf("call-%d", len(v.calls))}}
	for k, value := range a.header {
		header.Set(k, value)
	}
	var body io.Reader = strings.NewReader(a.body)
	if a.cut {
		body = io.MultiReader(body, broken{})
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(body), Request: request}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func newCaller(t *testing.T, v http.RoundTripper, change func(*apicall.Config)) *apicall.Caller {
	t.Helper()
	config := apicall.Config{Side: crm.HubSpot, Base: "https://api.example.com/", HTTP: &http.Client{Transport: v}, Seed: 1}
	if change != nil {
		change(&config)
	}
	caller, err := apicall.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return caller
}

func TestACallIsRepeatedOnlyWhenThatIsSafe(t *testing.T) {
	ok := answer{status: 200, body: `{"n":1}`}
	down := answer{status: 503, body: `<html>down</html>`}
	reset := answer{err: io.ErrUnexpectedEOF}
	cases := []struct {
		name       string
		safety     apicall.Safety
		answers    []answer
		calls      int
		kind       fault.Kind
		unanswered bool
	}{
		{"a read is repeated after a 503", apicall.ReadOnly, []answer{down, ok}, 2, "", false},
		{"a read is repeated after a broken connection", apicall.ReadOnly, []answer{reset, reset, ok}, 3, "", false},
		{"a read is repeated after a body that broke off", apicall.ReadOnly, []answer{{status: 200, body: `{"n"`, cut: true}, ok}, 2, "", false},
		{"a read is repeated after half a JSON", apicall.ReadOnly, []answer{{status: 200, body: `{"n"`}, ok}, 2, "", false},
		{"a read gives up after five attempts", apicall.ReadOnly, []answer{down}, 5, fault.Unavailable, false},
		{"a keyed write is repeated after a lost answer", apicall.Keyed, []answer{reset, ok}, 2, "", false},
		{"a keyed write that stays unanswered says so", apicall.Keyed, []answer{reset}, 5, fault.Unavailable, true},
		{"a keyed write that was lost once is not turned away by a later 403", apicall.Keyed, []answer{reset, {status: 403}}, 2, fault.Denied, true},
		{"a keyed write that was lost once is not turned away by a used-up limit", apicall.Keyed, []answer{reset, {status: 429, header: map[string]string{"Retry-After": "3600"}}}, 2, fault.RateLimited, true},
		{"a keyed write that was lost once is wrong all the same", apicall.Keyed, []answer{reset, {status: 400}}, 2, fault.Invalid, false},
		{"a create is not repeated after a lost answer", apicall.Once, []answer{reset, ok}, 1, fault.Unavailable, true},
		{"a create is not repeated after a 502", apicall.Once, []answer{{status: 502}, ok}, 1, fault.Unavailable, true},
		{"a create is not repeated when its answer broke off", apicall.Once, []answer{{status: 201, body: `{`, cut: true}, ok}, 1, fault.Unavailable, true},
		{"a create whose answer cannot be read is unanswered", apicall.Once, []answer{{status: 201, body: `{`}, ok}, 1, fault.Unavailable, true},
		{"a create is repeated after a 429, which had no effect", apicall.Once, []answer{{status: 429}, ok}, 2, "", false},
		{"a create is repeated after a 423, which had no effect", apicall.Once, []answer{{status: 423}, ok}, 2, "", false},
		{"a create is repeated when the account moves for a moment", apicall.Once, []answer{{status: 477, header: map[string]string{"Retry-After": "7"}}, ok}, 2, "", false},
		{"an account that moves for a day is not waited for", apicall.ReadOnly, []answer{{status: 477, header: map[string]string{"Retry-After": "86400"}}, ok}, 1, fault.Unavailable, false},
		{"a limit that frees tomorrow is not waited for", apicall.ReadOnly, []answer{{status: 429, header: map[string]string{"Retry-After": "3600"}}, ok}, 1, fault.RateLimited, false},
		{"a 400 is final", apicall.ReadOnly, []answer{{status: 400}, ok}, 1, fault.Invalid, false},
		{"a 403 is final", apicall.ReadOnly, []answer{{status: 403}, ok}, 1, fault.Denied, false},
		{"a 404 is final", apicall.ReadOnly, []answer{{status: 404}, ok}, 1, fault.NotFound, false},
		{"a 409 is final", apicall.Keyed, []answer{{status: 409}, ok}, 1, fault.Conflict, false},
		{"a redirect is not followed", apicall.ReadOnly, []answer{{status: 302, header: map[string]string{"Location": "https://elsewhere.example/login"}}, ok}, 1, fault.Unavailable, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{answers: c.answers}
				caller := newCaller(t, v, nil)
				var got struct{ N int }
				err := caller.Do(t.Context(), apicall.Call{Method: "POST", Path: "/x", Body: []byte(`{}`), Safety: c.safety}, apicall.Into(&got))
				if fault.KindOf(err) != c.kind || len(v.calls) != c.calls || apicall.Unanswered(err) != c.unanswered {
					t.Errorf("got %d calls, kind %q, unanswered %v (%v); want %d, %q, %v", len(v.calls), fault.KindOf(err), apicall.Unanswered(err), err, c.calls, c.kind, c.unanswered)
				}
				if err == nil && got.N != 1 {
					t.Errorf("got answer %+v", got)
				}
				if err != nil && fault.MendOf(err) == "" && c.kind == fault.Unavailable {
					t.Errorf("%v has no mend", err)
				}
				if usage := caller.Usage(); usage.Calls != c.calls || usage.Retries != c.calls-1 {
					t.Errorf("got usage %+v, want %d calls", usage, c.calls)
				}
			})
		})
	}
}

func TestRepeatsStayWithinTheirBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{answers: []answer{{status: 503}}}
		caller := newCaller(t, v, nil)
		for range 100 {
			_ = caller.Do(t.Context(), apicall.Call{Method: "GET", Path: "/x"}, nil)
		}
		usage := caller.Usage()
		if limit := usage.Calls/10 + 20; usage.Retries > limit {
			t.Errorf("got %d repeats in %d calls, want at most %d", usage.Retries, usage.Calls, limit)
		}
		if usage.Calls > 140 {
			t.Errorf("100 failing calls cost %d", usage.Calls)
		}
	})
}

func TestWaitsAreObeyed(t *testing.T) {
	cases := []struct {
		name   string
		answer answer
		least  time.Duration
		most   time.Duration
	}{
		{"a locked record is given two seconds", answer{status: 423}, 2 * time.Second, 3 * time.Second},
		{"Retry-After in seconds", answer{status: 429, header: map[string]string{"Retry-After": "9"}}, 9 * time.Second, 10 * time.Second},
		{"Retry-After as a date of the vendor's clock, which is not ours", answer{status: 429, header: map[string]string{
			"Retry-After": "Wed, 21 Oct 2026 07:28:09 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}}, 9 * time.Second, 10 * time.Second},
		{"the first repeat comes within half a second", answer{status: 500}, 0, 500 * time.Millisecond},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller := newCaller(t, &vendor{answers: []answer{c.answer, {status: 200}}}, nil)
				began := time.Now()
				if err := caller.Do(t.Context(), apicall.Call{Method: "GET", Path: "/x"}, nil); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("waited %v, want %v to %v", took, c.least, c.most)
				}
			})
		})
	}
}

func TestAnExpiryIsMendedOnceForAllCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		token, renewals := "fake-old", 0
		v := roundTrip(func(request *http.Request) (*http.Response, error) {
			time.Sleep(100 * time.Millisecond)
			status := 200
			if request.Header.Get("Authorization") != "Bearer fake-new" {
				status = 401
			}
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: request}, nil
		})
		caller := newCaller(t, v, func(config *apicall.Config) {
			config.Authorize = func(_ context.Context, request *http.Request) error {
				mu.Lock()
				defer mu.Unlock()
				request.Header.Set("Authorization", "Bearer "+token)
				return nil
			}
			config.Refresh = func(context.Context) error {
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				token = "fake-new"
				renewals++
				return nil
			}
		})
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() {
				if err := caller.Do(t.Context(), apicall.Call{Method: "POST", Path: "/x", Safety: apicall.Once}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if renewals != 1 {
			t.Errorf("got %d renewals for one expiry, want 1", renewals)
		}
	})
}

func TestACredentialThatStaysExpiredIsFinal(t *testing.T) {
	v := &vendor{answers: []answer{{status: 401}}}
	renewals := 0
	caller := newCaller(t, v, func(config *apicall.Config) {
		config.Refresh = func(context.Context) error { renewals++; return nil }
	})
	err := caller.Do(t.Context(), apicall.Call{Method: "GET", Path: "/x"}, nil)
	if fault.KindOf(err) != fault.Denied || renewals != 1 || len(v.calls) != 2 {
		t.Errorf("got %v after %d renewals and %d calls, want denied after 1 and 2", err, renewals, len(v.calls))
	}
}

func TestACancelledCallSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller := newCaller(t, &vendor{answers: []answer{{status: 200}}, latency: time.Minute}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		err := caller.Do(ctx, apicall.Call{Method: "POST", Path: "/x", Safety: apicall.Once}, nil)
		if !errors.Is(err, context.Canceled) || !apicall.Unanswered(err) {
			t.Errorf("got %v, want a cancelled call whose effect is unknown", err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

func TestACallWhoseContextHasEndedIsNotSent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := &vendor{answers: []answer{{status: 200}}}
	err := newCaller(t, v, nil).Do(ctx, apicall.Call{Method: "POST", Path: "/x", Safety: apicall.Once}, nil)
	if !errors.Is(err, context.Canceled) || apicall.Unanswered(err) || len(v.calls) != 0 {
		t.Errorf("got %v after %d calls, want nothing sent and nothing unknown", err, len(v.calls))
	}
}
