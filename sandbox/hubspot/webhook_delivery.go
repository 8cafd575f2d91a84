package hubspot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	// eventsPerDelivery is the longest array that is sent.
	eventsPerDelivery = 100
	// deliveryTimeout is how long an app may take to answer.
	deliveryTimeout = 5 * time.Second
	// deliveryRetries follow the first attempt, within deliveryLife.
	deliveryRetries = 10
	deliveryLife    = 24 * time.Hour
	// gather is how long events wait for others, to be sent together.
	gather = 100 * time.Millisecond
	// deliveryAnswerBytes is how much of an answer is read: a connection is used
	// again only when its answer was read to the end.
	deliveryAnswerBytes = 64 << 10
)

// postOffice holds what is on its way to apps. A goroutine runs while anything
// is, and at no other time; Close ends it. Times are those of the sandbox's
// clock. The lock of hooks guards it.
type postOffice struct {
	queues   []*queue
	inFlight int // deliveries
	sending  int // events in them
	awake    bool
	closed   bool
	wake     chan struct{} // made with the goroutine, so that a synctest bubble owns it
	cancel   context.CancelFunc
	running  sync.WaitGroup
	chance   *rand.Rand // of the gaps between attempts
}

// queue is what one app is told about one account.
type queue struct {
	app      *AppWebhooks
	portalID int64
	waiting  []notice
	retries  []*delivery
	inFlight int
}

// delivery is one batch.
type delivery struct {
	queue   *queue
	batch   []notice
	attempt int         // from 0
	plan    []time.Time // when each retry is due, made at the first failure
}

// due is when the next retry is.
func (d *delivery) due() time.Time { return d.plan[d.attempt-1] }

// take puts a notice into its app's queue, as the dials have it. The caller holds
// the lock.
func (p *postOffice) take(h *hooks, a *AppWebhooks, n notice) {
	i := slices.IndexFunc(p.queues, func(q *queue) bool { return q.app == a && q.portalID == n.portalID })
	if i < 0 {
		i = len(p.queues)
		p.queues = append(p.queues, &queue{app: a, portalID: n.portalID})
	}
	q := p.queues[i]
	now := h.clock.Now()
	for _, delay := range h.dials.Event() {
		n.due = now.Add(gather + delay)
		at := len(q.waiting)
		for at > 0 && q.waiting[at-1].due.After(n.due) {
			at--
		}
		q.waiting = slices.Insert(q.waiting, at, n)
	}
	if len(q.waiting) > 0 && !p.awake {
		p.awake = true
		if p.chance == nil {
			p.chance = rand.New(rand.NewPCG(uint64(h.lastSubscription), 0x7265747279))
		}
		ctx, cancel := context.WithCancel(context.Background())
		p.cancel, p.wake = cancel, make(chan struct{}, 1)
		p.running.Add(1)
		go h.deliver(ctx, p.wake)
	} else {
		p.nudge()
	}
}

// nudge makes the goroutine look again.
func (p *postOffice) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// deliver sends what is due until nothing is on its way any more.
func (h *hooks) deliver(ctx context.Context, wake <-chan struct{}) {
	defer h.post.running.Done()
	for {
		moved := h.clock.Moved()
		h.mu.Lock()
		ready, next := h.post.due(h)
		if len(ready) == 0 && next.IsZero() && h.post.inFlight == 0 || ctx.Err() != nil {
			h.post.awake = false
			h.post.cancel()
			h.mu.Unlock()
			return
		}
		h.post.running.Add(len(ready))
		h.mu.Unlock()
		for _, d := range ready {
			go h.attempt(ctx, d)
		}
		if !waitFor(ctx, h, next, moved, wake) {
			continue // to see that ctx has ended
		}
	}
}

// waitFor returns at a time of the sandbox's clock (zero: never), or as soon as
// the clock is moved or there is news; false when ctx ended.
func waitFor(ctx context.Context, h *hooks, at time.Time, moved, wake <-chan struct{}) bool {
	var alarm <-chan time.Time
	if !at.IsZero() {
		timer := time.NewTimer(at.Sub(h.clock.Now()))
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-alarm:
	case <-moved:
	case <-wake:
	case <-ctx.Done():
		return false
	}
	return true
}

// due takes out what is to be sent now, and tells when there will be more. The
// caller holds the lock.
func (p *postOffice) due(h *hooks) (ready []*delivery, next time.Time) {
	now := h.clock.Now()
	single := h.dials.Setting().Webhooks.OneAtATime
	later := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for _, q := range p.queues {
		if q.app.Settings == nil { // paused: as if never subscribed
			q.waiting, q.retries = nil, nil
			continue
		}
		free := func() bool {
			return q.inFlight < q.app.Settings.MaxConcurrentRequests && !(single && p.inFlight > 0)
		}
		start := func(d *delivery) {
			ready = append(ready, d)
			q.inFlight++
			p.inFlight++
			p.sending += len(d.batch)
		}
		slices.SortStableFunc(q.retries, func(a, b *delivery) int { return a.due().Compare(b.due()) })
		for len(q.retries) > 0 && !q.retries[0].due().After(now) && free() {
			start(q.retries[0])
			q.retries = q.retries[1:]
		}
		for len(q.waiting) > 0 && !q.waiting[0].due.After(now) && free() {
			n := 1
			for n < min(len(q.waiting), eventsPerDelivery) && !q.waiting[n].due.After(now) {
				n++
			}
			start(&delivery{queue: q, batch: slices.Clone(q.waiting[:n])})
			q.waiting = q.waiting[n:]
		}
		if len(q.retries) > 0 && free() {
			later(q.retries[0].due())
		}
		if len(q.waiting) > 0 && free() {
			later(q.waiting[0].due)
		}
	}
	return ready, next
}

// attempt sends a batch once and decides what comes of it.
func (h *hooks) attempt(ctx context.Context, d *delivery) {
	defer h.post.running.Done()
	h.mu.Lock()
	settings, secret, transport := d.queue.app.Settings, d.queue.app.Secret, h.transport
	h.mu.Unlock()
	var err error
	if settings != nil {
		err = send(ctx, transport, settings.TargetURL, secret, deliveryBody(d.batch, d.attempt), h.clock.Now())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	d.queue.inFlight--
	h.post.inFlight--
	h.post.sending -= len(d.batch)
	switch {
	case err == nil:
		d.queue.app.Delivered++
	case ctx.Err() != nil: // closed: nobody waits for it
	default:
		d.queue.app.Failed++
		if d.attempt == 0 {
			d.plan = retryPlan(h.clock.Now(), h.post.chance)
		}
		if d.attempt++; d.attempt > deliveryRetries {
			d.queue.app.GivenUp++
		} else {
			d.queue.retries = append(d.queue.retries, d)
		}
	}
	h.post.nudge()
}

// retryPlan spreads the retries over a day, with gaps that grow and are not even.
func retryPlan(now time.Time, chance *rand.Rand) []time.Time {
	plan := make([]time.Time, deliveryRetries)
	gap, at := time.Minute, now
	for i := range plan {
		at = at.Add(time.Duration(float64(gap) * (0.6 + 0.8*chance.Float64()))) // 1,023 minutes times 1.4 at most
		plan[i] = at
		gap *= 2
	}
	return plan
}

// send makes one request; an answer other than 2xx is an error.
func send(ctx context.Context, transport http.RoundTripper, target, secret string, body []byte, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a request to %s: %w", target, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-HubSpot-Signature", Sign("v1", secret, http.MethodPost, target, body, 0))
	request.Header.Set("X-HubSpot-Signature-Version", "v1")
	request.Header.Set("X-HubSpot-Signature-v3", Sign("v3", secret, http.MethodPost, target, body, now.UnixMilli()))
	request.Header.Set("X-HubSpot-Request-Timestamp", strconv.FormatInt(now.UnixMilli(), 10))
	if transport == nil {
		transport = thisMachine()
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("deliver to %s: %w", target, err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, deliveryAnswerBytes))
	_ = answer.Body.Close()
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", target, err)
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("deliver to %s: it answered %d", target, answer.StatusCode)
	}
	return nil
}

// errElsewhere refuses addresses of other machines.
var errElsewhere = errors.New("the sandbox delivers to this machine only; give it a transport of your own for other hosts")

// thisMachine is http.DefaultTransport, but without a proxy and to loopback
// addresses only, whatever a name resolves to.
var thisMachine = sync.OnceValue(func() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	dialer := &net.Dialer{Timeout: deliveryTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err == nil && !onThisMachine(host) {
			err = errElsewhere
		}
		return err
	}}
	t.DialContext = dialer.DialContext
	return t
})

// PendingWebhooks counts the events that are on their way, those that wait for
// another attempt included.
func (s *Server) PendingWebhooks() (events int) {
	h := s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, q := range h.post.queues {
		events += len(q.waiting)
		for _, d := range q.retries {
			events += len(d.batch)
		}
	}
	return events + h.post.sending
}

// Close ends all deliveries, those that wait for another attempt too, and waits
// for requests under way to end. It is for all accounts, and may be called twice;
// API calls are answered as before.
func (s *Server) Close() error {
	h := s.directory.hooks
	h.mu.Lock()
	h.post.closed = true
	h.post.queues = nil
	if h.post.cancel != nil {
		h.post.cancel()
	}
	own := h.transport == nil
	h.mu.Unlock()
	h.post.running.Wait()
	if own {
		thisMachine().(*http.Transport).CloseIdleConnections()
	}
	return nil
}
