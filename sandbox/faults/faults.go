// Package faults is the sandbox's set of dials: what goes wrong, how often and
// where. All chance comes from one seed, so the same calls in the same order
// meet the same faults.
package faults

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Kind is one thing that can go wrong with a call.
type Kind string

// The kinds of fault.
const (
	None Kind = ""
	// TooMany answers 429 (HubSpot) or 403 REQUEST_LIMIT_EXCEEDED (Salesforce).
	TooMany Kind = "rate-limit"
	// ServerError answers 500, 502, 503 or 504 in turn.
	ServerError Kind = "server-error"
	// CutBefore closes the connection before the call has any effect.
	CutBefore Kind = "cut-before"
	// CutAfter lets the call take effect and closes the connection unanswered.
	CutAfter Kind = "cut-after"
	// Locked answers 423 (HubSpot) or UNABLE_TO_LOCK_ROW (Salesforce) to writes.
	Locked Kind = "lock"
	// Expired treats the token as expired.
	Expired Kind = "expired-token"
)

// Rule makes one kind of fault happen.
type Rule struct {
	Kind Kind `json:"kind"`
	// Side limits it to "hubspot" or "salesforce"; empty means both.
	Side string `json:"side,omitempty"`
	// Method limits it to one HTTP method; "write" means all but GET.
	Method string `json:"method,omitempty"`
	// Path limits it to paths that contain this text.
	Path string `json:"path,omitempty"`
	// Share of matching calls that it hits, 0 to 1; 0 means all of them.
	Share float64 `json:"share,omitempty"`
	// Skip lets this many matching calls pass first.
	Skip int `json:"skip,omitempty"`
	// Times ends the rule after this many hits; 0 means never.
	Times int `json:"times,omitempty"`
}

// Setting is the position of all dials.
type Setting struct {
	Seed uint64 `json:"seed,omitempty"`
	// LatencyMillis is added to every call; JitterMillis is added on top, evenly spread.
	LatencyMillis int `json:"latencyMillis,omitempty"`
	JitterMillis  int `json:"jitterMillis,omitempty"`
	// SearchLagMillis is how late HubSpot's search index is.
	SearchLagMillis int `json:"searchLagMillis,omitempty"`
	// LateCommitSeconds is how much earlier than its commit the stamps of a Salesforce
	// transaction may lie, evenly spread: the rows of a long one show up late.
	LateCommitSeconds int          `json:"lateCommitSeconds,omitempty"`
	ChangeEvents      ChangeEvents `json:"changeEvents,omitzero"`
	Rules             []Rule       `json:"rules,omitempty"`
}

// Verdict is what shall happen to one call.
type Verdict struct {
	Kind    Kind
	Latency time.Duration
	// Nth counts the hits of this kind, from 1; it picks among 500, 502, 503, 504.
	Nth int
}

// Dials holds a setting and what became of it. The zero Dials lets all pass.
type Dials struct {
	mu      sync.Mutex
	setting Setting
	random  *rand.Rand
	seen    []int
	hits    []int
	byKind  map[Kind]int
}

// Set turns all dials at once and starts counting anew.
func (d *Dials) Set(s Setting) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setting = s
	d.random = rand.New(rand.NewPCG(s.Seed, s.Seed^0x9e3779b97f4a7c15))
	d.seen = make([]int, len(s.Rules))
	d.hits = make([]int, len(s.Rules))
	d.byKind = map[Kind]int{}
}

// Setting returns the position of the dials.
func (d *Dials) Setting() Setting {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.setting
}

// SearchLag is how late HubSpot's search index is.
func (d *Dials) SearchLag() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.setting.SearchLagMillis) * time.Millisecond
}

// Draw decides what happens to one call.
func (d *Dials) Draw(side, method, path string) Verdict {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := Verdict{Latency: time.Duration(d.setting.LatencyMillis) * time.Millisecond}
	if j := d.setting.JitterMillis; j > 0 {
		v.Latency += time.Duration(d.random.IntN(j*1000)) * time.Microsecond
	}
	for i := range d.setting.Rules {
		r := &d.setting.Rules[i]
		if !r.matches(side, method, path) {
			continue
		}
		d.seen[i]++
		if d.seen[i] <= r.Skip || r.Times > 0 && d.hits[i] >= r.Times {
			continue
		}
		if r.Share > 0 && d.random.Float64() >= r.Share {
			continue
		}
		d.hits[i]++
		d.byKind[r.Kind]++
		v.Kind, v.Nth = r.Kind, d.byKind[r.Kind]
		return v
	}
	return v
}

func (r *Rule) matches(side, method, path string) bool {
	if r.Side != "" && r.Side != side {
		return false
	}
	if r.Method == "write" && method == "GET" || r.Method != "" && r.Method != "write" && r.Method != method {
		return false
	}
	return strings.Contains(path, r.Path)
}
