package hubspot

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/clock"
)

// policy says which limits a call counts against.
type policy int

const (
	// tenSecondly calls count in the token's ten seconds and the day.
	tenSecondly policy = iota
	// searching calls count in the account's second of searches and the day.
	searching
	// uncounted calls, as about tokens, count nowhere.
	uncounted
	// exempt calls want a token, and count nowhere.
	exempt
	// developing calls want the developer's key, and count nowhere.
	developing
)

// limits counts calls the way HubSpot does: an exact sliding window per token,
// one per account for searches, and a day that begins at midnight of the
// account's time zone. Refused calls do not fill a window.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
type limits struct {
	clock       *clock.Clock
	zone        *time.Location
	tenSecondly int
	daily       int

	search *window
	mu     sync.Mutex
	day    time.Time // its midnight
	next   time.Time // the midnight after
	today  int
}

func newLimits(c *clock.Clock, zone *time.Location, config Config) *limits {
	or := func(v, otherwise int) int {
		if v == 0 {
			return otherwise
		}
		return max(v, 0) // none
	}
	l := &limits{clock: c, zone: zone, tenSecondly: or(config.TenSecondly, 190), daily: or(config.Daily, 1_000_000)}
	l.search = &window{limit: or(config.SearchSecondly, 5), length: time.Second}
	return l
}

// newWindow is the ten seconds of one app.
func (l *limits) newWindow(kind TokenKind) *window {
	w := &window{limit: l.tenSecondly, length: 10 * time.Second}
	if kind == OAuth && w.limit > 0 {
		w.limit = min(w.limit, oauthTenSecondly)
	}
	return w
}

// window admits at most limit calls in any span of its length: it remembers when
// each of the last limit calls came. A limit of 0 admits all.
type window struct {
	limit  int
	length time.Duration

	mu    sync.Mutex
	times []int64 // a ring of Unix nanoseconds
	next  int     // the oldest, once the ring is full
}

// admit counts a call, or refuses it; left is how many more fit now.
func (w *window) admit(now time.Time) (left int, ok bool) {
	if w.limit == 0 {
		return 0, true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := now.UnixNano()
	if n := len(w.times); n > 0 {
		last := w.times[(w.next+n-1)%n]
		if last-at > int64(time.Second) { // the clock was set back
			w.times, w.next = w.times[:0], 0
		} else {
			at = max(at, last) // two calls at once read the clock in either order
		}
	}
	if len(w.times) < w.limit {
		w.times = append(w.times, at)
		return w.left(at), true
	}
	if at-w.times[w.next] < int64(w.length) {
		return 0, false
	}
	w.times[w.next] = at
	w.next = (w.next + 1) % len(w.times)
	return w.left(at), true
}

// left counts the calls that still fit, by halving: the ring is in order of time.
func (w *window) left(now int64) int {
	n := len(w.times)
	start := 0
	if n == w.limit {
		start = w.next
	}
	low, high := 0, n // the first call that is inside the window
	for low < high {
		middle := (low + high) / 2
		if now-w.times[(start+middle)%n] < int64(w.length) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return w.limit - (n - low)
}

// countDay counts a call of the day; left is how many more it has.
func (l *limits) countDay(now time.Time) (left int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turnDay(now)
	if l.daily > 0 && l.today >= l.daily {
		return 0, false
	}
	l.today++
	return l.daily - l.today, true
}

func (l *limits) turnDay(now time.Time) {
	if now.Before(l.next) && !now.Before(l.day) {
		return
	}
	local := now.In(l.zone)
	l.day = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, l.zone)
	l.next = time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, l.zone)
	l.today = 0
}

// usage tells how many calls the day has seen, its limit and when it ends.
func (l *limits) usage() (today, daily int, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turnDay(l.clock.Now())
	return l.today, l.daily, l.next
}

// admit counts a call by its policy and sets the headers that tell what is left.
func (l *limits) admit(p policy, t *token, portalID int64, header http.Header) *problem {
	if p == uncounted || p == exempt || p == developing {
		return nil
	}
	now := l.clock.Now()
	if p == searching {
		if _, ok := l.search.admit(now); !ok {
			return tooMany("SECONDLY", "You have reached your secondly limit.", fmt.Sprintf("publicapi:crm:search:oauth:%d:%d", t.AppID, portalID))
		}
	}
	left, ok := 0, true
	if p == tenSecondly {
		left, ok = t.app.window.admit(now)
		if most := t.app.window.limit; most > 0 {
			// No canonical spelling can hold HubSpot's capitals; names of headers are
			// compared without case.
			header["X-Hubspot-Ratelimit-Interval-Milliseconds"] = []string{"10000"}
			header["X-Hubspot-Ratelimit-Max"] = []string{strconv.Itoa(most)}
			header["X-Hubspot-Ratelimit-Remaining"] = []string{strconv.Itoa(left)}
			header["X-Hubspot-Ratelimit-Secondly"] = []string{strconv.Itoa(most / 10)}
			header["X-Hubspot-Ratelimit-Secondly-Remaining"] = []string{strconv.Itoa(min(left, most/10))}
		}
	}
	if !ok {
		return tenSecondlyProblem(t, portalID)
	}
	if t.Kind == OAuth { // installed apps have no daily limit
		return nil
	}
	leftToday, ok := l.countDay(now)
	if p == tenSecondly && l.daily > 0 {
		header["X-Hubspot-Ratelimit-Daily"] = []string{strconv.Itoa(l.daily)}
		header["X-Hubspot-Ratelimit-Daily-Remaining"] = []string{strconv.Itoa(leftToday)}
	}
	if !ok {
		return tooMany("DAILY", "You have reached your daily limit.", "")
	}
	return nil
}

func tenSecondlyProblem(t *token, portalID int64) *problem {
	group := "private_app-api-calls"
	if t.Kind == OAuth {
		group = "oauth-app-api-calls"
	}
	return tooMany("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.",
		fmt.Sprintf("publicapi:%s-ten-secondly:%d:%d", group, t.AppID, portalID))
}

func tooMany(policy, message, group string) *problem {
	return &problem{status: http.StatusTooManyRequests, message: message, errorType: "RATE_LIMIT", policyName: policy, groupName: group}
}
