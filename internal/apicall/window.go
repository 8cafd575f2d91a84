package apicall

import (
	"context"
	"math"
	"sync"
	"time"
)

// aim is the share of a limit that a Window uses. The rest is for what cannot
// be known: a vendor that counts in several places, another program that calls
// in the same moment.
const aim = 0.98

// wholeBelow is the limit under which a Window uses all of it: two percent of
// five calls would be one call in five.
const wholeBelow = 50

// Window is an exact sliding window: at most so many calls in any period. It is
// a log of calls, not a token bucket: a bucket of 190 that refills at 19 a
// second lets 379 calls through in its worst ten seconds. Calls are served in
// the order in which they asked. Safe for concurrent use.
type Window struct {
	name string
	turn chan struct{} // held by the one call that waits for a place; the others queue for it
	news chan struct{} // told when a place may have become free

	mu       sync.Mutex
	limit    int
	period   time.Duration
	inFlight int         // granted and not answered
	answered []time.Time // when answered calls and foreign ones were counted, oldest first
	gone     int         // how many of answered are older than a period
	granted  uint64
	blocked  time.Time // nobody starts before
}

// NewWindow returns a window of limit calls per period. The name is the
// vendor's name of the limit, as its refusals tell it: "TEN_SECONDLY_ROLLING".
func NewWindow(name string, limit int, period time.Duration) *Window {
	return &Window{
		name:   name,
		turn:   make(chan struct{}, 1),
		news:   make(chan struct{}, 1),
		limit:  max(limit, 1),
		period: period,
	}
}

// Name returns the vendor's name of the limit.
func (w *Window) Name() string { return w.name }

// Limit returns the limit as last told, not our share of it.
func (w *Window) Limit() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limit
}

// SetLimit changes the limit for calls to come.
func (w *Window) SetLimit(limit int) {
	w.mu.Lock()
	w.limit = max(limit, 1)
	w.mu.Unlock()
	w.tell()
}

// place is one call's place in a window.
type place struct {
	window  *Window
	held    int    // calls in the window when this one was granted, itself included
	granted uint64 // how many had been granted by then
	done    bool
}

// take waits until one more call fits and takes its place. The caller must call
// answered or withdraw once.
func (w *Window) take(ctx context.Context) (*place, error) {
	select {
	case w.turn <- struct{}{}:
	default:
		select {
		case w.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { <-w.turn }()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p, wait := w.try(time.Now())
		if p != nil {
			return p, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-w.news:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// try grants a place, or tells how long it will be until one is free at the
// latest guess (an answer may come sooner and tells news).
func (w *Window) try(now time.Time) (*place, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if wait := w.blocked.Sub(now); wait > 0 {
		return nil, wait
	}
	w.forget(now)
	live := w.answered[w.gone:]
	held := w.inFlight + len(live)
	over := held - w.allowed() + 1
	if over <= 0 {
		w.inFlight++
		w.granted++
		return &place{window: w, held: held + 1, granted: w.granted}, 0
	}
	if over > len(live) {
		return nil, w.period // calls in flight hold the places: their answers tell news
	}
	return nil, live[over-1].Add(w.period).Sub(now)
}

func (w *Window) allowed() int {
	if w.limit < wholeBelow {
		return w.limit
	}
	return int(math.Floor(float64(w.limit) * aim))
}

// forget drops calls that were answered a period ago or longer.
func (w *Window) forget(now time.Time) {
	for w.gone < len(w.answered) && !w.answered[w.gone].Add(w.period).After(now) {
		w.gone++
	}
	if w.gone > len(w.answered)/2 { // moved rarely, so that a wide window costs no more per call
		w.answered = append(w.answered[:0], w.answered[w.gone:]...)
		w.gone = 0
	}
}

// count keeps the place until one period from now: the call was answered, so
// the vendor counted it no later than now.
func (p *place) count() {
	w := p.window
	w.mu.Lock()
	if !p.done {
		p.done = true
		w.inFlight--
		w.answered = append(w.answered, time.Now())
	}
	w.mu.Unlock()
	w.tell()
}

// withdraw gives the place back: the call was never sent.
func (p *place) withdraw() {
	w := p.window
	w.mu.Lock()
	if !p.done {
		p.done = true
		w.inFlight--
	}
	w.mu.Unlock()
	w.tell()
}

// correct compares what the vendor counted when it took this call with what we
// counted, and makes room for calls that others made. Ours may look too many
// (calls sent later than this one), so a difference is real.
func (p *place) correct(rates Rates) {
	if rates.Limit <= 0 {
		return
	}
	w := p.window
	w.mu.Lock()
	w.limit = rates.Limit
	if rates.Period > 0 {
		w.period = rates.Period
	}
	if rates.Remaining >= 0 {
		ours := p.held + int(w.granted-p.granted)
		w.fill(rates.Limit - rates.Remaining - ours)
	}
	w.mu.Unlock()
	w.tell()
}

// refused takes a refusal in: the window is full at the vendor, whatever we
// counted. Places come back as our own earlier calls age, and all of them after
// one period. retryAfter, when the vendor gave one, holds everybody back.
func (w *Window) refused(retryAfter time.Duration) {
	now := time.Now()
	w.mu.Lock()
	w.forget(now)
	w.fill(w.allowed() - w.inFlight - (len(w.answered) - w.gone))
	if until := now.Add(retryAfter); retryAfter > 0 && until.After(w.blocked) {
		w.blocked = until
	}
	w.mu.Unlock()
	w.tell()
}

// fill puts n calls of others into the log.
func (w *Window) fill(n int) {
	now := time.Now()
	for range min(n, w.limit) {
		w.answered = append(w.answered, now)
	}
}

func (w *Window) tell() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}
