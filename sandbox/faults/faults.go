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
	// Partial refuses every second record of a write of several: in an errors entry of
	// HubSpot's 207, with UNABLE_TO_LOCK_ROW in Salesforce's results.
	Partial Kind = "partial"
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
	// SearchLoses is the share of changes, 0 to 1, that HubSpot's search index
	// never gets to see until the record changes again.
	SearchLoses float64 `json:"searchLoses,omitempty"`
	// LateCommitSeconds is how much earlier than its commit the stamps of a Salesforce
	// transaction may lie, evenly spread: the rows of a long one show up late.
	LateCommitSeconds int          `json:"lateCommitSeconds,omitempty"`
	ChangeEvents      ChangeEvents `json:"changeEvents,omitzero"`
	Rules             []Rule       `json:"rules,omitempty"`
	// Webhooks is what happens to events on their way to HubSpot's subscribers.
	Webhooks Webhooks `json:"webhooks,omitzero"`
}

// Webhooks is what happens to events on their way to HubSpot's subscribers.
type Webhooks struct {
	// DelayMillis is added to every event, and up to JitterMillis on top, evenly
	// spread, so that events overtake each other.
	DelayMillis  int `json:"delayMillis,omitempty"`
	JitterMillis int `json:"jitterMillis,omitempty"`
	// DuplicateShare of events is delivered twice, DropShare never; 0 to 1.
	DuplicateShare float64 `json:"duplicateShare,omitempty"`
	DropShare      float64 `json:"dropShare,omitempty"`
	// OneAtATime makes one delivery at a time instead of several at once, so that
	// the order follows from the seed alone.
	OneAtATime bool `json:"oneAtATime,omitempty"`
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
	losing  *rand.Rand // of the search index, so that it does not shift the calls' chances
	hooks   *rand.Rand // of webhooks, likewise
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
	d.losing = rand.New(rand.NewPCG(s.Seed, 0x6c6f7374))
	d.hooks = rand.New(rand.NewPCG(s.Seed, 0x686f6f6b73))
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

// Index decides about one change of a record: how late HubSpot's search index is,
// and whether it loses the change.
func (d *Dials) Index() (lag time.Duration, loses bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.setting.SearchLoses > 0 {
		loses = d.losing.Float64() < d.setting.SearchLoses
	}
	return time.Duration(d.setting.SearchLagMillis) * time.Millisecond, loses
}

// Event decides about one event on its way to a subscriber: how much later each
// of its copies is due. None means that it gets lost.
func (d *Dials) Event() (delays []time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.setting.Webhooks
	if w == (Webhooks{}) {
		return []time.Duration{0}
	}
	if w.DropShare > 0 && d.hooks.Float64() < w.DropShare {
		return nil
	}
	copies := 1
	if w.DuplicateShare > 0 && d.hooks.Float64() < w.DuplicateShare {
		copies = 2
	}
	for range copies {
		delay := time.Duration(w.DelayMillis) * time.Millisecond
		if w.JitterMillis > 0 {
			delay += time.Duration(d.hooks.IntN(w.JitterMillis*1000)) * time.Microsecond
		}
		delays = append(delays, delay)
	}
	return delays
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
