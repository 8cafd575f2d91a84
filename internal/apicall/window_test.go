package apicall_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// counter is a vendor that counts calls exactly in a sliding window, at the
// moment when they arrive, and refuses what is over the limit.
type counter struct {
	mu       sync.Mutex
	limit    int
	period   time.Duration
	arrivals []time.Time
	refused  int
	// way is how long a call takes to arrive and its answer to come back.
	way func() (there, back time.Duration)
	// tells: answers carry rate headers.
	tells bool
}

func (v *counter) RoundTrip(request *http.Request) (*http.Response, error) {
	there, back := v.way()
	time.Sleep(there)
	status, header := v.arrive()
	time.Sleep(back)
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: request}, nil
}

func (v *counter) arrive() (int, http.Header) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	used := v.used(now)
	header := http.Header{}
	status := 200
	if used >= v.limit {
		v.refused++
		status = 429
	} else {
		v.arrivals = append(v.arrivals, now)
		used++
	}
	if v.tells {
		header.Set("Limit", fmt.Sprint(v.limit))
		header.Set("Remaining", fmt.Sprint(v.limit-used))
	}
	return status, header
}

func (v *counter) used(now time.Time) int {
	n := 0
	for _, at := range slices.Backward(v.arrivals) {
		if now.Sub(at) >= v.period {
			break
		}
		n++
	}
	return n
}

// most is the greatest number of arrivals in any period.
func (v *counter) most() int {
	most := 0
	for i, first := range v.arrivals {
		n := 0
		for _, at := range v.arrivals[i:] {
			if at.Sub(first) >= v.period {
				break
			}
			n++
		}
		most = max(most, n)
	}
	return most
}

func rates(header http.Header) apicall.Rates {
	r := apicall.NoRates
	if header.Get("Limit") != "" {
		fmt.Sscan(header.Get("Limit"), &r.Limit)
		fmt.Sscan(header.Get("Remaining"), &r.Remaining)
	}
	return r
}

// saturate makes n calls from many goroutines and returns how long they took.
func saturate(t testing.TB, caller *apicall.Caller, n, workers int) (time.Duration, error) {
	began := time.Now()
	var wait sync.WaitGroup
	todo := make(chan struct{}, n)
	for range n {
		todo <- struct{}{}
	}
	close(todo)
	var mu sync.Mutex
	var failure error
	for range workers {
		wait.Go(func() {
			for range todo {
				if err := caller.Do(t.Context(), apicall.Call{Method: "GET", Path: "/x"}, nil); err != nil {
					mu.Lock()
					failure = err
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	return time.Since(began), failure
}

func TestNoWindowOfTheVendorsEverExceedsTheLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(1, 200).Draw(rt, "limit")
		calls := rapid.IntRange(1, 3*limit+1).Draw(rt, "calls")
		workers := rapid.IntRange(1, 40).Draw(rt, "workers")
		there := rapid.IntRange(0, 3000).Draw(rt, "longest way there, ms")
		back := rapid.IntRange(0, 3000).Draw(rt, "longest way back, ms")
		seed := rapid.Uint64().Draw(rt, "seed")
		var failure error
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			chance := rand.New(rand.NewPCG(seed, 1))
			v := &counter{limit: limit, period: 10 * time.Second, way: func() (time.Duration, time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				return time.Duration(chance.IntN(there+1)) * time.Millisecond, time.Duration(chance.IntN(back+1)) * time.Millisecond
			}}
			caller := newCaller(t, v, func(config *apicall.Config) {
				config.Window = apicall.NewWindow("ten", limit, 10*time.Second)
			})
			_, failure = saturate(t, caller, calls, workers)
			if failure == nil && (v.refused > 0 || v.most() > limit || len(v.arrivals) != calls) {
				failure = fmt.Errorf("got %d refusals, %d in the worst window of %d, %d of %d calls", v.refused, v.most(), limit, len(v.arrivals), calls)
			}
		})
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

func TestASaturatedWindowIsUsedToNinetySevenPercent(t *testing.T) {
	for _, limit := range []int{5, 100, 190, 250} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &counter{limit: limit, period: 10 * time.Second, way: func() (time.Duration, time.Duration) { return 0, time.Millisecond }}
				caller := newCaller(t, v, func(config *apicall.Config) {
					config.Window = apicall.NewWindow("ten", limit, 10*time.Second)
				})
				if _, err := saturate(t, caller, 21*limit, 40); err != nil {
					t.Fatal(err)
				}
				within := 0 // calls in the first two hundred seconds
				for _, at := range v.arrivals {
					if at.Sub(v.arrivals[0]) < 200*time.Second {
						within++
					}
				}
				if within < 20*limit*97/100 || v.refused > 0 {
					t.Errorf("got %d calls in 200 seconds with %d refusals, want 97 %% of %d", within, v.refused, 20*limit)
				}
			})
		})
	}
}

func TestCallsThatOvertakeEachOtherAreNotTakenForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		chance := rand.New(rand.NewPCG(7, 1))
		way := func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return time.Duration(50+chance.IntN(50)) * time.Millisecond
		}
		v := &counter{limit: 190, period: 10 * time.Second, tells: true, way: func() (time.Duration, time.Duration) { return way(), way() }}
		caller := newCaller(t, v, func(config *apicall.Config) {
			config.Window = apicall.NewWindow("ten", 190, 10*time.Second)
			config.Rates = rates
		})
		took, err := saturate(t, caller, 3000, 30)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v", took)
		if floor := 3000 / 19.0; took.Seconds() > 1.05*floor || v.refused > 0 {
			t.Errorf("3,000 calls took %v with %d refusals, want at most 1.05 of %.0f s and none", took, v.refused, floor)
		}
	})
}

func TestCallsAreServedInTheOrderInWhichTheyAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{answers: []answer{{status: 200}}}
		caller := newCaller(t, v, func(config *apicall.Config) {
			config.Window = apicall.NewWindow("second", 2, time.Second)
			config.MaxInFlight = 100
		})
		var wait sync.WaitGroup
		for i := range 20 {
			wait.Go(func() {
				if err := caller.Do(t.Context(), apicall.Call{Method: "GET", Path: fmt.Sprintf("/%d", i)}, nil); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		wait.Wait()
		for i, call := range v.calls { // the two of one second go out together
			first, second := fmt.Sprintf("/%d", i/2*2), fmt.Sprintf("/%d", i/2*2+1)
			if call.URL.Path != first && call.URL.Path != second {
				t.Fatalf("call %d was %s, want %s or %s", i, call.URL.Path, first, second)
			}
		}
	})
}

func TestALowerLimitIsLearntFromTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &counter{limit: 100, period: 10 * time.Second, tells: true, way: func() (time.Duration, time.Duration) { return 20 * time.Millisecond, 20 * time.Millisecond }}
		caller := newCaller(t, v, func(config *apicall.Config) {
			config.Window = apicall.NewWindow("ten", 190, 10*time.Second)
			config.Rates = rates
		})
		if _, err := saturate(t, caller, 500, 30); err != nil {
			t.Fatal(err)
		}
		if v.refused > 0 {
			t.Errorf("got %d refusals, want none", v.refused)
		}
	})
}

func TestAnotherProgramOnTheSameLimitIsMadeRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &counter{limit: 190, period: 10 * time.Second, tells: true, way: func() (time.Duration, time.Duration) { return 50 * time.Millisecond, 50 * time.Millisecond }}
		caller := newCaller(t, v, func(config *apicall.Config) {
			config.Window = apicall.NewWindow("ten", 190, 10*time.Second)
			config.Rates = rates
		})
		ctx, stop := context.WithCancel(t.Context())
		var intruder sync.WaitGroup
		intruder.Go(func() { // eight calls a second, 42 % of the limit
			for ctx.Err() == nil {
				v.arrive()
				time.Sleep(125 * time.Millisecond)
			}
		})
		took, err := saturate(t, caller, 6000, 30)
		ownRefusals := caller.Usage().Throttled
		stop()
		intruder.Wait()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d refusals, %v", ownRefusals, took)
		if ownRefusals > 6 {
			t.Errorf("got %d refusals of our own in 6,000 calls, want at most one in a thousand", ownRefusals)
		}
		if took > 600*time.Second {
			t.Errorf("6,000 calls took %v beside another program that needs two fifths, want at most 600 s", took)
		}
	})
}

func TestARefusalFillsTheWindowThatTheVendorNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		search := apicall.NewWindow("SECONDLY", 5, time.Second)
		v := &vendor{answers: []answer{{status: 429}, {status: 200}}}
		caller := newCaller(t, v, func(config *apicall.Config) {
			config.Window = apicall.NewWindow("TEN", 190, 10*time.Second)
			config.Classify = func(answer *http.Response, _ []byte) *fault.Error {
				return &fault.Error{Kind: fault.RateLimited, Code: "SECONDLY", What: "refused", Status: answer.StatusCode}
			}
		})
		began := time.Now()
		if err := caller.Do(t.Context(), apicall.Call{Method: "POST", Path: "/search", Windows: []*apicall.Window{search}}, nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("the repeat came after %v, want the window's second", took)
		}
	})
}

func TestAWaitForATurnEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		window := apicall.NewWindow("ten", 1, 10*time.Second)
		v := &vendor{answers: []answer{{status: 200}}}
		caller := newCaller(t, v, func(config *apicall.Config) { config.Window = window })
		if err := caller.Do(t.Context(), apicall.Call{Method: "GET", Path: "/x"}, nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := caller.Do(ctx, apicall.Call{Method: "POST", Path: "/x", Safety: apicall.Once}, nil)
		if !errors.Is(err, context.DeadlineExceeded) || apicall.Unanswered(err) || len(v.calls) != 1 {
			t.Errorf("got %v after %d calls, want a wait that ended with nothing sent", err, len(v.calls))
		}
	})
}
