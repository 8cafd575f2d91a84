package hubspot

import (
	"sync/atomic"
)

// Calls counts what the server was asked since it was made.
type Calls struct {
	// Total is every API call, refused and cut ones included.
	Total int `json:"total"`
	// TenSecondly, Search and Uncounted split Total by the limit that counts them.
	TenSecondly int `json:"tenSecondly"`
	Search      int `json:"search"`
	Uncounted   int `json:"uncounted"`
	// Throttled is how many were answered 429, and by which policy.
	Throttled         int            `json:"throttled"`
	ThrottledByPolicy map[string]int `json:"throttledByPolicy"`
	// ByStatus has 0 for connections that were cut.
	ByStatus map[int]int `json:"byStatus"`
	// ByRoute has keys like "POST objects/{type}/batch/read".
	ByRoute map[string]int `json:"byRoute"`
}

type callCounts struct {
	total, lost atomic.Int64
	byStatus    [600]atomic.Int64
	throttled   [3]atomic.Int64
}

var policyNames = [3]string{"TEN_SECONDLY_ROLLING", "SECONDLY", "DAILY"}

// count counts one call; route is nil when none fits the path.
func (k *callCounts) count(r *route, status int, policyName string) {
	k.total.Add(1)
	k.byStatus[status].Add(1)
	if r != nil {
		r.calls.Add(1)
	} else {
		k.lost.Add(1)
	}
	for i, name := range policyNames {
		if status == 429 && name == policyName {
			k.throttled[i].Add(1)
		}
	}
}

// Calls returns the counts.
func (s *Server) Calls() Calls {
	c := Calls{Total: int(s.calls.total.Load()), Uncounted: int(s.calls.lost.Load()),
		ThrottledByPolicy: map[string]int{}, ByStatus: map[int]int{}, ByRoute: map[string]int{}}
	for i := range s.calls.byStatus {
		if n := s.calls.byStatus[i].Load(); n > 0 {
			c.ByStatus[i] = int(n)
		}
	}
	for i, name := range policyNames {
		if n := int(s.calls.throttled[i].Load()); n > 0 {
			c.ThrottledByPolicy[name] = n
			c.Throttled += n
		}
	}
	for _, r := range s.routes.all {
		n := int(r.calls.Load())
		if n == 0 {
			continue
		}
		c.ByRoute[r.method+" "+r.pattern] += n
		switch r.policy {
		case tenSecondly:
			c.TenSecondly += n
		case searching:
			c.Search += n
		default:
			c.Uncounted += n
		}
	}
	return c
}
