package salesforce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// How a subscription paces itself.
// https://developer.salesforce.com/docs/platform/pub-sub-api/references/methods/subscribe-rpc.html
const (
	mostRequested  = 100               // events that may be asked for at a time
	keepaliveAfter = 270 * time.Second // without an event
	idleLimit      = 60 * time.Second  // with nothing asked for
	// A clock that is moved by hand wakes nobody, so that events on their way are looked for.
	lookAgainAfter = 100 * time.Millisecond
)

// stream is one subscription at work.
type stream struct {
	server  *Server
	call    *grpcCall
	who     *subscriber
	object  *object // nil: all selected ones
	topic   string
	place   uint64
	pending int // events that the client still wants
	// again is the second copy of an event that comes twice.
	again *changeEvent
}

// requests reads a stream's messages until the caller sends no more, each on the
// channel; err is then the end's cause, nil for a plain one. The goroutine ends
// when ctx does and the body is closed.
func (s *Server) requests(ctx context.Context, g *grpcCall, parse func([]byte) (*fetchRequest, *grpcError)) (list <-chan *fetchRequest, err func() error) {
	c := make(chan *fetchRequest)
	var cause error
	go func() {
		defer close(c)
		for {
			b, err := g.receive()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					cause = err
				}
				return
			}
			r, problem := parse(b)
			if problem != nil {
				cause = problem
				return
			}
			select {
			case c <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	return c, func() error { return cause }
}

// subscribe delivers events as far as the client asks for them.
func (s *Server) subscribe(g *grpcCall, who *subscriber) error {
	ctx, stop := context.WithCancel(g.ctx)
	list, cause := s.requests(ctx, g, readFetchRequest)
	defer func() {
		stop()
		g.hangUp()
		for range list {
		}
	}()
	first, err := firstRequest(ctx, list, cause)
	if err != nil || first == nil {
		return err
	}
	t := &stream{server: s, call: g, who: who, topic: first.topic}
	s.mu.RLock()
	o, problem := s.topic(first.topic, who.user)
	s.mu.RUnlock()
	if problem != nil {
		return problem
	}
	t.object = o
	if t.place, problem = s.startOf(first.preset, first.replayID); problem != nil {
		return problem
	}
	if problem := t.ask(first); problem != nil {
		return problem
	}
	return t.run(ctx, list, cause, func(r *fetchRequest) *grpcError {
		if r.topic != "" && r.topic != t.topic {
			return grpcFail(grpcInvalidArgument, "subscription.fetch.topic.mismatch", "The topic name differs from the one of the first request.")
		}
		return t.ask(r)
	}, nil)
}

// firstRequest waits for what opens the stream; nil when the client ends it before.
func firstRequest(ctx context.Context, list <-chan *fetchRequest, cause func() error) (*fetchRequest, error) {
	idle := time.NewTimer(idleLimit)
	defer idle.Stop()
	select {
	case r, open := <-list:
		if !open {
			return nil, cause()
		}
		return r, nil
	case <-idle.C:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// startOf is the place that a subscription starts behind.
func (s *Server) startOf(preset int, replayID []byte) (uint64, *grpcError) {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	now := s.nowMillis()
	s.bus.expire(now)
	switch preset {
	case replayEarliest:
		return s.bus.trimmed, nil
	case replayCustom:
		s.bus.opened++
		place, problem := s.bus.placeOf(replayID, now, s.seed)
		if problem == nil && s.dials.Chance(chanceOfLoss, s.bus.opened) < s.dials.ChangeEvents().LostPositions {
			problem = grpcFail(grpcInvalidArgument, "subscription.fetch.replayid.validation.failed", "The Replay ID validation failed. Ensure that the Replay ID is valid.")
		}
		return place, problem
	}
	return s.bus.arrived(now), nil
}

// ask takes a request for more events.
func (t *stream) ask(r *fetchRequest) *grpcError {
	if r.requested <= 0 {
		return grpcFail(grpcInvalidArgument, "subscription.fetch.requested.events.invalid", fmt.Sprintf("The number of requested events is %d. Request more than zero.", r.requested))
	}
	t.pending = min(t.pending+int(min(r.requested, mostRequested)), mostRequested)
	return nil
}

// run is the stream's loop. more takes later requests, extra (may be nil) is
// sent as soon as there is something.
func (t *stream) run(ctx context.Context, list <-chan *fetchRequest, cause func() error, more func(*fetchRequest) *grpcError, extra func() *delivery) error {
	t.server.bus.mu.Lock()
	ended := t.server.bus.ended
	t.server.bus.mu.Unlock()
	t.call.begin()
	if err := t.call.control.Flush(); err != nil {
		return err
	}
	quiet, idle := time.NewTimer(keepaliveAfter), time.NewTimer(idleLimit)
	defer quiet.Stop()
	defer idle.Stop()
	for {
		for extra != nil {
			d := extra()
			if d == nil {
				break
			}
			if err := t.call.send(d.message(t.call.id)); err != nil {
				return err
			}
		}
		d, wake, onTheWay, problem := t.next()
		if problem != nil {
			return problem
		}
		if len(d.events) > 0 {
			if err := t.call.send(d.message(t.call.id)); err != nil {
				return err
			}
			quiet.Reset(keepaliveAfter)
			idle.Reset(idleLimit)
			continue
		}
		if list == nil && t.pending == 0 {
			return nil
		}
		wait := quiet
		if t.pending == 0 {
			wait = idle
		}
		var look <-chan time.Time
		if onTheWay {
			look = time.After(lookAgainAfter)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			return grpcFail(grpcUnavailable, "service.unavailable", "The service is unavailable. Try again later.")
		case r, open := <-list:
			if !open {
				if err := cause(); err != nil {
					return err
				}
				list = nil
				break
			}
			if problem := more(r); problem != nil {
				return problem
			}
		case <-wake:
		case <-look:
		case <-wait.C:
			if t.pending == 0 {
				return nil
			}
			if err := t.call.send(t.keepalive().message(t.call.id)); err != nil {
				return err
			}
			quiet.Reset(keepaliveAfter)
		}
	}
}

// keepalive is an empty answer with the place up to which all was delivered, from
// which a client may go on later.
func (t *stream) keepalive() *delivery {
	b := &t.server.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	return &delivery{latest: b.position(t.place, t.server.nowMillis(), t.server.seed), pending: t.pending}
}

// next takes what can be delivered now. wake tells of more, onTheWay that an
// event is late but coming.
func (t *stream) next() (d *delivery, wake <-chan struct{}, onTheWay bool, problem *grpcError) {
	s, b := t.server, &t.server.bus
	// The session is looked at on every turn: a stream does not outlive it.
	if s.alive(t.who.token) == nil {
		return nil, nil, false, noSession()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	now := s.nowMillis()
	b.expire(now)
	d = &delivery{}
	if t.pending == 0 {
		return d, nil, false, nil
	}
	events, seen, due := b.after(t.place, t.pending, now, t.wanted)
	if t.again != nil {
		events = append([]*changeEvent{t.again}, events...)
		if t.again = nil; len(events) > t.pending {
			events = events[:t.pending]
		}
	}
	for i, e := range events {
		if _, fitted := b.delivered.spend(1, b.allowance, s.nowSeconds()); !fitted {
			if i == 0 {
				return nil, nil, false, grpcFail(grpcResourceExhausted, "subscription.limit.exceeded", "The event delivery allocation of the last 24 hours is used up.")
			}
			break
		}
		schema := b.schemas[e.Schema]
		replay := b.position(e.Place, e.At, s.seed)
		d.events = append(d.events, deliveredEvent{id: s.transactionKey(int64(e.Place) << 20), schema: e.Schema, payload: e.encode(schema, t.hidden(schema.Object)), replay: replay})
		d.latest = replay
		fresh := e.Place > t.place
		t.place = max(t.place, e.Place)
		if e.Twice && fresh {
			t.again = e
		}
		t.pending--
		if t.again != nil {
			break // its second copy comes next
		}
	}
	if len(d.events) == 0 {
		// Nothing up to here is for this reader; without one on its way, nothing at all.
		if t.place = seen; due == 0 {
			t.place = b.last
		}
	}
	d.pending = t.pending
	return d, b.wake, due > 0, nil
}

// wanted says whether an event is of the topic and the reader may see it.
func (t *stream) wanted(e *changeEvent) bool {
	o := t.server.object(t.server.bus.schemas[e.Schema].Object)
	return o != nil && (t.object == nil || o == t.object) && t.server.access(t.who.user, o).Read
}

// hidden says which fields the reader may not see.
func (t *stream) hidden(objectName string) func(name string) bool {
	o := t.server.object(objectName)
	a := t.server.access(t.who.user, o)
	return func(name string) bool {
		f := o.field(name)
		return f != nil && !a.canRead(f)
	}
}
