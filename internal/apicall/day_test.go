package apicall_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// account is a vendor that counts the calls of one day, ours and others'.
type account struct {
	mu     sync.Mutex
	limit  int
	ours   int
	others int
	times  []time.Time
}

func (a *account) RoundTrip(request *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ours++
	a.times = append(a.times, time.Now())
	header := http.Header{"Limit": {strconv.Itoa(a.limit)}, "Left": {strconv.Itoa(a.limit - a.ours - a.others)}}
	return &http.Response{StatusCode: 200, Header: header, Body: http.NoBody, Request: request}, nil
}

func (a *account) rates(header http.Header) apicall.Rates {
	r := apicall.NoRates
	r.DayLimit, _ = strconv.Atoi(header.Get("Limit"))
	r.DayLeft, _ = strconv.Atoi(header.Get("Left"))
	return r
}

// process is one process that calls the account: its own day and ledger.
type process struct {
	ledger  *apicall.Ledger
	day     *apicall.Day
	caller  *apicall.Caller
	notices []string
}

func (a *account) process(t *testing.T, dir string, share float64, rolling bool) *process {
	p := &process{ledger: apicall.NewLedger(dir, "hubspot-7", nil)}
	p.day = apicall.NewDay(share, rolling, p.ledger)
	p.caller = newCaller(t, a, func(config *apicall.Config) {
		config.Day, config.Rates = p.day, a.rates
		config.Notice = func(text string) { p.notices = append(p.notices, text) }
	})
	return p
}

func (p *process) call(t *testing.T) error {
	return p.caller.Do(t.Context(), apicall.Call{Method: "GET", Path: "/x"}, nil)
}

// until calls until a call is refused, and returns how many went out.
func (p *process) until(t *testing.T, kind fault.Kind) (int, *fault.Error) {
	t.Helper()
	for n := range 100_000 {
		if err := p.call(t); err != nil {
			e, ok := fault.As(err)
			if !ok || e.Kind != kind {
				t.Fatalf("call %d: %v", n, err)
			}
			return n, e
		}
	}
	t.Fatal("nothing was refused")
	return 0, nil
}

func TestOurShareOfTheDayIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{limit: 1000, others: 100}
		p := a.process(t, "", 0.05, false)
		zone, err := time.LoadLocation("America/New_York")
		if err != nil {
			t.Fatal(err)
		}
		p.day.SetZone(zone)
		n, refused := p.until(t, fault.RateLimited)
		if n != 50 || a.ours != 50 || refused.Code != apicall.CodeBudget {
			t.Fatalf("%d calls went out, then %v; want 50, 5%% of 1000", n, refused)
		}
		want := "our share of today's HubSpot calls is used up: 50 of 50, which is 5% of the account's 1000 | " +
			"run it again when they come back, at 00:00 EST: it goes on from here; or raise our share under budget: in lockstep.yaml"
		if got := refused.What + " | " + refused.Mend; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		time.Sleep(refused.RetryAfter)
		if at := time.Now().In(zone); at.Hour() != 0 || at.Minute() != 0 {
			t.Errorf("the day ends at %s, want midnight in the account's zone", at)
		}
		if err := p.call(t); err != nil {
			t.Errorf("on the next day: %v", err)
		}
	})
}

func TestADayThatRollsGivesCallsBackAsTheyAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{limit: 1000}
		p := a.process(t, t.TempDir(), 0.01, true)
		for range 4 {
			if err := p.call(t); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(6 * time.Hour)
		n, refused := p.until(t, fault.RateLimited)
		if n != 6 || refused.RetryAfter < 17*time.Hour || refused.RetryAfter > 19*time.Hour {
			t.Fatalf("%d more calls, then a wait of %s; want 6, and 18 h until the first four are a day old", n, refused.RetryAfter)
		}
		time.Sleep(refused.RetryAfter)
		if n, _ = p.until(t, fault.RateLimited); n != 4 {
			t.Errorf("%d calls came back, want 4", n)
		}
	})
}

func TestProcessesShareOneBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := &account{limit: 10_000}
		var wg sync.WaitGroup
		first := a.process(t, dir, 0.3, false)
		if err := first.call(t); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			p := a.process(t, dir, 0.3, false)
			for range 4 {
				wg.Go(func() { p.until(t, fault.RateLimited) })
			}
		}
		wg.Wait()
		if a.ours > 3000 || a.ours < 2990 {
			t.Errorf("five processes together made %d calls, want 3,000 and not one more", a.ours)
		}
		before := a.ours
		late := a.process(t, dir, 0.3, false)
		n, refused := late.until(t, fault.RateLimited)
		if a.ours != before+n || a.ours > 3000 || refused.Code != apicall.CodeBudget {
			t.Errorf("a process that starts late made %d calls, then %v", n, refused)
		}
	})
}

func TestACountIsNeverTooLowAndExactAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := &account{limit: 1_000_000}
		p := a.process(t, dir, 0.6, false)
		since := time.Now().Truncate(24 * time.Hour)
		for range 700 {
			if err := p.call(t); err != nil {
				t.Fatal(err)
			}
			if seen := apicall.NewLedger(dir, "hubspot-7", nil).Spent(since); seen < a.ours {
				t.Fatalf("after %d calls another process sees %d", a.ours, seen)
			}
		}
		p.ledger.Settle()
		other := a.process(t, dir, 0.6, false)
		want := apicall.DayState{
			Limit: 1_000_000, Used: 700, Left: 999_300, Share: 0.6, Ours: 600_000, Spent: 700, OursLeft: 599_300, Reserved: 400_000,
			Resets: since.Add(24 * time.Hour), Window: -1, Told: time.Now(),
		}
		if diff := cmp.Diff(want, other.day.State(), cmpopts.EquateApproxTime(time.Second)); diff != "" {
			t.Errorf("another process sees (-want +got):\n%s", diff)
		}
	})
}

func TestWeSlowDownWhereOthersUseOurShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{limit: 10_000, others: 6_000}
		p := a.process(t, "", 0.6, false)
		call := func(n int) {
			t.Helper()
			for range n {
				if err := p.call(t); err != nil {
					t.Fatal(err)
				}
			}
		}
		began := time.Now()
		call(20)
		if took := time.Since(began); took != 0 {
			t.Errorf("a command of few calls was held back for %s", took)
		}
		call(101)
		if took := time.Since(began); took != 100*2*time.Second {
			t.Errorf("a hundred calls took %s, want two seconds each", took)
		}
		if len(p.notices) != 1 || !strings.HasPrefix(p.notices[0], "others have used 6000 of today's 10000 HubSpot calls, and 4000 are left to them: from now on we wait 2s") {
			t.Errorf("said: %q", p.notices)
		}
		if s := p.day.State(); !s.Crowded || s.Others != 6000 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestWhenNothingIsLeftItSaysWhoUsedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{limit: 1000, others: 990}
		p := a.process(t, "", 0.6, false)
		n, refused := p.until(t, fault.RateLimited)
		if n != 10 || refused.Code != apicall.CodeDaily || !strings.Contains(refused.What, "990 by others, 10 by us") {
			t.Errorf("after %d calls: %v", n, refused)
		}
	})
}

func TestOthersInTheTenSecondsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{answers: []answer{{status: 200}}, latency: 100 * time.Millisecond}
		var log bytes.Buffer
		var notices []string
		caller := newCaller(t, v, func(config *apicall.Config) {
			config.Window = apicall.NewWindow("TEN", 190, 10*time.Second)
			config.Rates = func(http.Header) apicall.Rates {
				r := apicall.NoRates
				r.Limit, r.Remaining = 190, 60
				return r
			}
			config.Notice = func(text string) { notices = append(notices, text) }
			config.Log = slog.New(slog.NewTextHandler(&log, nil))
		})
		for range 100 {
			if err := caller.Do(t.Context(), apicall.Call{Method: "GET", Path: "/x"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if len(notices) != 1 || !strings.Contains(notices[0], "another program calls HubSpot with this credential too") ||
			!strings.Contains(log.String(), `msg="others call with this account" side=hubspot limit="ten seconds"`) {
			t.Errorf("said %q, logged %s", notices, &log)
		}
	})
}

func TestALedgerSurvivesWhatHappensToFiles(t *testing.T) {
	since := time.Now().Add(-time.Hour)
	fill := func(t *testing.T, dir string, n int) *apicall.Ledger {
		a := &account{limit: 1000}
		p := a.process(t, dir, 1, true)
		for range n {
			if err := p.call(t); err != nil {
				t.Fatal(err)
			}
		}
		p.ledger.Settle()
		return p.ledger
	}
	only := func(t *testing.T, dir string) string {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("got %v, %v", files, err)
		}
		return files[0]
	}
	t.Run("a line that was cut off by a full disk is left out", func(t *testing.T) {
		dir := t.TempDir()
		fill(t, dir, 3)
		name := only(t, dir)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, append([]byte("{\"at\":17\n"), append(text, `{"at":1`...)...), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := apicall.NewLedger(dir, "hubspot-7", nil).Spent(since); got != 3 {
			t.Errorf("%d calls are counted, want 3", got)
		}
	})
	t.Run("a folder that cannot be written counts in memory, and the log says so", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		l := apicall.NewLedger(dir, "hubspot-7", slog.New(slog.NewTextHandler(&log, nil)))
		day := apicall.NewDay(1, false, l)
		caller := newCaller(t, &account{limit: 10}, func(config *apicall.Config) { config.Day = day })
		if err := caller.Do(t.Context(), apicall.Call{Method: "GET", Path: "/x"}, nil); err != nil {
			t.Fatal(err)
		}
		if l.Spent(since) != 1 || !strings.Contains(log.String(), "counted in memory only") {
			t.Errorf("%d calls, log %s", l.Spent(since), &log)
		}
	})
	t.Run("days that count no more are removed", func(t *testing.T) {
		dir := t.TempDir()
		old := filepath.Join(dir, "hubspot-7-"+time.Now().UTC().AddDate(0, 0, -5).Format(time.DateOnly)+".calls")
		if err := os.WriteFile(old, []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		fill(t, dir, 1)
		if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there", old)
		}
	})
	t.Run("only its user may read it", func(t *testing.T) {
		dir := t.TempDir()
		fill(t, dir, 1)
		info, err := os.Stat(only(t, dir))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("got %v, %v", info.Mode(), err)
		}
	})
	t.Run("another process of ours is not told as somebody else", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			for _, by := range []int{os.Getpid(), 1} {
				line := fmt.Sprintf(`{"at":%d,"by":%d,"calls":120}`+"\n", time.Now().Unix(), by)
				name := filepath.Join(dir, "hubspot-7-"+time.Now().UTC().Format(time.DateOnly)+".calls")
				if err := os.WriteFile(name, []byte(line), 0o600); err != nil {
					t.Fatal(err)
				}
				told := 0
				caller := newCaller(t, &vendor{answers: []answer{{status: 200}}}, func(config *apicall.Config) {
					config.Day = apicall.NewDay(1, false, apicall.NewLedger(dir, "hubspot-7", nil))
					config.Window = apicall.NewWindow("TEN", 190, 10*time.Second)
					config.Rates = func(http.Header) apicall.Rates {
						r := apicall.NoRates
						r.Limit, r.Remaining = 190, 60
						return r
					}
					config.Notice = func(string) { told++ }
				})
				for range 40 {
					if err := caller.Do(t.Context(), apicall.Call{Method: "GET", Path: "/x"}, nil); err != nil {
						t.Fatal(err)
					}
				}
				if want := map[bool]int{true: 1, false: 0}[by == os.Getpid()]; told != want {
					t.Errorf("process %d called before: told %d times, want %d", by, told, want)
				}
			}
		})
	})
	t.Run("what was counted before the account was known is taken over", func(t *testing.T) {
		dir := t.TempDir()
		l := apicall.NewLedger(dir, "hubspot-7", nil)
		l.Adopt(fill(t, "", 5))
		fresh := apicall.NewLedger(dir, "hubspot-7", nil)
		if fresh.Spent(since) != 5 || fresh.Told().Limit != 1000 {
			t.Errorf("got %d calls, told %+v", fresh.Spent(since), fresh.Told())
		}
	})
}
