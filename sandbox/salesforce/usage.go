package salesforce

import (
	"maps"
	"strings"
	"sync"
)

// usage counts API calls over a rolling day, by minute of the sandbox's clock.
type usage struct {
	mu      sync.Mutex
	minutes map[int64]int
	total   int
	swept   int64
}

const dayMinutes = 24 * 60

// spend adds n calls at the time; it returns how many the last 24 hours hold
// now and whether they fitted. Calls beyond the limit are not counted.
func (u *usage) spend(n, limit int, now int64) (used int, fitted bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	minute := now / 60
	if u.minutes == nil {
		u.minutes = map[int64]int{}
	}
	if minute != u.swept {
		u.swept = minute
		for m, calls := range u.minutes {
			if m <= minute-dayMinutes || m > minute {
				u.total -= calls
				delete(u.minutes, m)
			}
		}
	}
	if u.total+n > limit {
		return u.total, false
	}
	u.total += n
	u.minutes[minute] += n
	return u.total, true
}

func (u *usage) set(used int, now int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.minutes = map[int64]int{now / 60: used}
	u.total = used
}

// SetUsed makes the org have used that many calls of its day.
func (s *Server) SetUsed(calls int) { s.usage.set(calls, s.nowSeconds()) }

// Calls is what clients asked of the server since it started.
type Calls struct {
	// Total counts calls as the vendor does: those against the daily limit.
	Total int `json:"total"`
	// Queries are SOQL and SOSL calls and their next pages, Reads other reads of
	// records, Writes calls that create, change or delete, Describes schema reads.
	Queries   int `json:"queries"`
	Reads     int `json:"reads"`
	Writes    int `json:"writes"`
	Describes int `json:"describes"`
	// Tokens are requests for an access token, by OAuth or SOAP.
	Tokens int `json:"tokens"`
	// Failed are answers of 400 and above.
	Failed int `json:"failed"`
	// Rows are records that writes carried.
	Rows int `json:"rows"`
	// ByRoute counts requests by method and pattern.
	ByRoute map[string]int `json:"byRoute"`
}

type tally struct {
	mu    sync.Mutex
	calls Calls
}

func (t *tally) init() { t.calls.ByRoute = map[string]int{} }

func (t *tally) count(c *call, rt *route, status, cost int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls.Total += cost
	t.calls.Rows += c.rows
	t.calls.ByRoute[rt.method+" "+rt.pattern]++
	if status >= 400 {
		t.calls.Failed++
	}
	switch rt.purpose {
	case forQuery:
		t.calls.Queries++
	case forReading:
		t.calls.Reads++
	case forWriting:
		t.calls.Writes++
	case forSchema:
		t.calls.Describes++
	case forSignIn:
		t.calls.Tokens++
	case forSOAP:
		if c.soapWrite {
			t.calls.Writes++
		} else {
			t.calls.Tokens++
		}
	}
}

// Calls tells what clients asked so far.
func (s *Server) Calls() Calls {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	c := s.tally.calls
	c.ByRoute = maps.Clone(c.ByRoute)
	return c
}

// nth counts a request that is no API call of the day, and returns how many there were.
func (t *tally) nth(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls.ByRoute[name]++
	n := 0
	for route, times := range t.calls.ByRoute {
		if strings.HasPrefix(route, "gRPC ") {
			n += times
		}
	}
	return n
}
