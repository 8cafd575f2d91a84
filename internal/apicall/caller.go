package apicall

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	defaultInFlight  = 32
	defaultTimeout   = 2 * time.Minute
	defaultAttempts  = 5
	errorBodyBytes   = 64 << 10
	drainBytes       = 256 << 10 // read so that the connection can be used again
	defaultUserAgent = "lockstep"
)

// Caller calls one API with one credential. Safe for concurrent use.
type Caller struct {
	config  Config
	base    *url.URL
	http    *http.Client
	places  chan struct{}
	renewal renewal
	crowd   crowd

	mu        sync.Mutex
	chance    *rand.Rand
	calls     int
	retries   int
	throttled int
	dayLimit  int
	dayLeft   int
	latency   time.Duration
}

// New returns a caller; fault.Invalid when the base URL cannot be used.
func New(config Config) (*Caller, error) {
	base, err := parseBase(config.Base)
	if err != nil {
		return nil, err
	}
	if config.MaxInFlight <= 0 {
		config.MaxInFlight = defaultInFlight
	}
	if config.Timeout <= 0 {
		config.Timeout = defaultTimeout
	}
	if config.Attempts <= 0 {
		config.Attempts = defaultAttempts
	}
	if config.UserAgent == "" {
		config.UserAgent = defaultUserAgent
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if len(config.RequestIDs) == 0 {
		config.RequestIDs = []string{"X-HubSpot-Correlation-Id", "X-Request-Id", "Sfdc-Request-Id"}
	}
	return &Caller{
		config:   config,
		base:     base,
		http:     newHTTP(config.HTTP, config.MaxInFlight),
		places:   make(chan struct{}, config.MaxInFlight),
		renewal:  renewal{turn: make(chan struct{}, 1)},
		chance:   rand.New(rand.NewPCG(config.Seed, 0x10c57e9)),
		dayLimit: -1,
		dayLeft:  -1,
	}, nil
}

// Base returns the API's address without a trailing slash.
func (c *Caller) Base() string { return c.base.String() }

// Usage tells what was spent so far.
func (c *Caller) Usage() crm.Usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return crm.Usage{Calls: c.calls, Retries: c.retries, Throttled: c.throttled, DayLimit: c.dayLimit, DayLeft: c.dayLeft}
}

// Latency is how long an answer takes lately, without the wait for a turn; 0
// before the first answer.
func (c *Caller) Latency() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latency
}

// Do makes the call, repeating it as its Safety allows, and hands the body of a
// 2xx answer to decode as it arrives. A repeat calls decode again, so decode
// starts afresh each time; a *fault.Error from decode is final and returned as
// it is, any other error means that the answer cannot be read. A nil decode
// drops the body. Every error is a *fault.Error; those for which Unanswered is
// true leave it open whether the call had its effect.
func (c *Caller) Do(ctx context.Context, call Call, decode func(status int, header http.Header, body io.Reader) error) error {
	refreshed, lost := false, false
	for attempt := 1; ; attempt++ {
		epoch := c.renewal.epoch()
		failure := c.attempt(ctx, call, decode)
		if failure == nil {
			return nil
		}
		if ctx.Err() != nil {
			return openEnded(call, failure, lost)
		}
		if c.mayRefresh(failure) && !refreshed {
			refreshed = true
			if err := c.renewal.renew(ctx, epoch, c.config.Refresh); err != nil {
				return asFault(err, "renew the credential for "+c.config.Side.Title())
			}
			attempt--
			c.countRetry()
			continue
		}
		wait, again := c.verdict(call, failure, attempt)
		if !again {
			return openEnded(call, failure, lost)
		}
		lost = lost || failure.effect != none
		if err := sleep(ctx, wait); err != nil {
			return openEnded(call, failure, lost)
		}
		if call.Lost != nil && lost {
			*call.Lost = true
		}
	}
}

// openEnded is how a call ended that is not repeated. Where an earlier attempt was
// lost it may have had its effect, whatever the last one was told; except that
// what is wrong with the call itself was wrong with every attempt.
func openEnded(call Call, f *failure, lost bool) error {
	e, ok := fault.As(f.err)
	if !lost || !ok || call.Safety == ReadOnly || Unanswered(f.err) {
		return f.err
	}
	switch e.Kind {
	case fault.Unavailable, fault.RateLimited, fault.Denied, fault.Conflict:
		e.Err = &unanswered{cause: e.Err}
	}
	return f.err
}

// attempt sends once. A failure says what is known of the call's effect.
func (c *Caller) attempt(ctx context.Context, call Call, decode func(int, http.Header, io.Reader) error) *failure {
	release, err := c.enter(ctx, call)
	if err != nil {
		return &failure{err: err, effect: none, final: true}
	}
	defer release.leave()
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	request, err := c.request(ctx, call)
	if err != nil {
		release.withdraw()
		return &failure{err: err, effect: none, final: true}
	}
	c.countCall()
	began := time.Now()
	answer, err := c.http.Do(request)
	release.count()
	if err != nil {
		f := c.network(ctx, call, err)
		c.log(ctx, call, 0, time.Since(began), "", f.err)
		return f
	}
	defer func() {
		// The copy may fail: the connection is then dropped instead of kept.
		_, _ = io.CopyN(io.Discard, answer.Body, drainBytes)
		answer.Body.Close()
	}()
	c.noteLatency(time.Since(began))
	withoutSecret(answer, credentialOf(request))
	c.readHeaders(release, answer.Header)
	id := c.requestID(answer.Header)
	var f *failure
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		f = c.read(ctx, call, answer, decode)
	} else {
		f = c.refusal(call, answer)
	}
	if f == nil {
		c.log(ctx, call, answer.StatusCode, time.Since(began), id, nil)
		return nil
	}
	if e, ok := fault.As(f.err); ok && e.RequestID == "" && !f.decoded {
		e.RequestID = id
	}
	c.log(ctx, call, answer.StatusCode, time.Since(began), id, f.err)
	return f
}

// held is one attempt's place on the line and in every limit it falls under.
type held struct {
	caller *Caller
	places []*place
	day    *Day // counted the call
}

// enter waits for a free connection and for a place in every window. The day
// is asked last, so that a call is never counted that is not made.
func (c *Caller) enter(ctx context.Context, call Call) (*held, error) {
	h := &held{caller: c}
	if err := ctx.Err(); err != nil {
		return nil, cancelled(c.config.Side, err)
	}
	select {
	case c.places <- struct{}{}:
	case <-ctx.Done():
		return nil, cancelled(c.config.Side, ctx.Err())
	}
	if c.config.Day != nil {
		if err := c.config.Day.pace(ctx); err != nil {
			h.leave()
			return nil, cancelled(c.config.Side, err)
		}
	}
	if err := h.takeAll(ctx, call); err != nil {
		h.withdraw()
		h.leave()
		return nil, err
	}
	return h, nil
}

func (h *held) takeAll(ctx context.Context, call Call) error {
	for _, window := range call.Windows {
		if err := h.take(ctx, window); err != nil {
			return err
		}
	}
	if err := h.take(ctx, h.caller.config.Window); err != nil {
		return err
	}
	if h.caller.config.Day != nil && !call.Uncounted {
		if err := h.caller.config.Day.take(h.caller.config.Side.Title()); err != nil {
			return err
		}
		h.day = h.caller.config.Day
	}
	return nil
}

func (h *held) take(ctx context.Context, window *Window) error {
	if window == nil {
		return nil
	}
	p, err := window.take(ctx)
	if err != nil {
		return cancelled(h.caller.config.Side, err)
	}
	h.places = append(h.places, p)
	return nil
}

func (h *held) count() {
	for _, p := range h.places {
		p.count()
	}
}

// withdraw gives all places back: the call was never sent.
func (h *held) withdraw() {
	for _, p := range h.places {
		p.withdraw()
	}
	if h.day != nil {
		h.day.ledger.back()
		h.day = nil
	}
}

// leave makes room for the next call.
func (h *held) leave() { <-h.caller.places }

func (c *Caller) readHeaders(h *held, header http.Header) {
	if c.config.Observe != nil {
		c.config.Observe(header)
	}
	if c.config.Rates == nil {
		return
	}
	rates := c.config.Rates(header)
	if c.config.Day != nil {
		c.config.Day.correct(rates)
	}
	for _, p := range h.places {
		if p.window == c.config.Window {
			p.correct(rates)
		}
	}
	c.noteCrowd()
	c.mu.Lock()
	if rates.DayLimit >= 0 {
		c.dayLimit = rates.DayLimit
	}
	if rates.DayLeft >= 0 {
		c.dayLeft = rates.DayLeft
	}
	c.mu.Unlock()
}

func (c *Caller) requestID(header http.Header) string {
	for _, name := range c.config.RequestIDs {
		if id := header.Get(name); id != "" {
			return id
		}
	}
	return ""
}

func (c *Caller) countCall() {
	c.mu.Lock()
	c.calls++
	c.mu.Unlock()
}

// noteLatency keeps a moving average in which the last eight answers or so count.
func (c *Caller) noteLatency(took time.Duration) {
	c.mu.Lock()
	if c.latency == 0 {
		c.latency = took
	}
	c.latency += (took - c.latency) / 8
	c.mu.Unlock()
}

func (c *Caller) countRetry() {
	c.mu.Lock()
	c.retries++
	c.mu.Unlock()
}

// log writes one line per attempt. The path holds ids at most; the query, which
// may hold values, is left out.
func (c *Caller) log(ctx context.Context, call Call, status int, took time.Duration, id string, err error) {
	if !c.config.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attributes := []slog.Attr{
		slog.String("side", string(c.config.Side)),
		slog.String("method", call.Method),
		slog.String("path", call.Path),
		slog.Int("status", status),
		slog.Duration("took", took),
	}
	if id != "" {
		attributes = append(attributes, slog.String("request", id))
	}
	if err != nil {
		attributes = append(attributes, slog.String("kind", string(fault.KindOf(err))))
	}
	c.config.Log.LogAttrs(ctx, slog.LevelDebug, "api call", attributes...)
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func cancelled(side crm.Side, err error) error {
	e := fault.New(fault.Unavailable, "stopped while waiting for a turn to call %s", side.Title()).Wrap(err)
	if errors.Is(err, context.Canceled) {
		e.What = "stopped before " + side.Title() + " was called"
	}
	return e
}
