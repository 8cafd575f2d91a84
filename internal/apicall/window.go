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

// growth: one call in so many of the limit is left free beside others, who may
// call more in the next moment than in the last.
const growth = 50

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
	answered []time.Time // when calls were answered, oldest first
	gone     int         // how many of answered are older than a period
	blocked  time.Time   // nobody starts before

	// Calls of others on the same limit, as far as it shows: the level that the
	// vendor's headers speak of, and what a refusal proved.
	others      float64
	othersUntil time.Time
	refused     int
	refusedTill time.Time
	next        time.Time // nobody starts before, while others call too
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

// crowded tells how many calls of others are taken to be in the window, and the
// limit.
func (w *Window) crowded() (others, limit int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !time.Now().Before(w.othersUntil) {
		return 0, w.limit
	}
	return int(math.Round(w.others)), w.limit
}

func (w *Window) length() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.period
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
	window *Window
	held   int // calls of ours in the window when this one was granted, itself included
	done   bool
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
	own := w.inFlight + len(live)
	foreign := w.foreign(now)
	over := own + foreign - w.allowed() + 1
	if wait := w.next.Sub(now); wait > 0 && foreign > 0 {
		return nil, wait
	}
	if own == 0 && w.refused == 0 {
		over = 0 // one call at least goes out, or nothing would ever correct what we think of others
	}
	if over <= 0 {
		w.inFlight++
		// Beside others calls go out evenly, so that what others do shows between
		// two of ours and not after a burst.
		w.next = now.Add(w.period / time.Duration(max(1, w.allowed()-foreign)))
		return &place{window: w, held: own + 1}, 0
	}
	wait := w.period // calls in flight hold the places: their answers tell news
	if over <= len(live) {
		wait = live[over-1].Add(w.period).Sub(now)
	}
	if w.refused > 0 {
		wait = min(wait, w.refusedTill.Sub(now))
	}
	return nil, wait
}

// foreign is how many calls of others are taken to be in the window.
func (w *Window) foreign(now time.Time) int {
	if !now.Before(w.refusedTill) {
		w.refused = 0
	}
	if !now.Before(w.othersUntil) {
		w.others = 0
	}
	others := int(math.Round(w.others))
	if others > w.limit/50 { // fewer may be noise: calls that overtook each other
		others += w.limit / growth
	}
	return max(w.refused, others)
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

// othersWeight is how much one answer counts in what we think of others. Calls
// overtake each other on the way, so that a single answer may be off by as many
// as are in flight; over several answers that evens out.
const othersWeight = 1.0 / 8

// correct compares what the vendor had counted when it took this call with what
// we had, and so learns how much of the window others use.
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
		more := float64(rates.Limit - rates.Remaining - p.held)
		w.others = max(0, w.others+(more-w.others)*othersWeight)
		w.othersUntil = time.Now().Add(w.period)
	}
	w.mu.Unlock()
	w.tell()
}

// refuse takes a refusal in: the window is full at the vendor, whatever we
// counted. Places come back as our own earlier calls age, and all of them after
// one period. retryAfter, when the vendor gave one, holds everybody back.
func (w *Window) refuse(retryAfter time.Duration) {
	now := time.Now()
	w.mu.Lock()
	w.forget(now)
	w.refused = max(1, w.allowed()-w.inFlight-(len(w.answered)-w.gone))
	w.refusedTill = now.Add(w.period)
	if until := now.Add(retryAfter); retryAfter > 0 && until.After(w.blocked) {
		w.blocked = until
	}
	w.mu.Unlock()
	w.tell()
}

func (w *Window) tell() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}
