package salesforce

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// managedSubscription is a subscription whose position the org keeps.
// https://developer.salesforce.com/docs/platform/pub-sub-api/guide/managed-sub.html
type managedSubscription struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Topic     string `json:"topic"`
	Earliest  bool   `json:"earliest,omitempty"` // where to start without a position
	Committed []byte `json:"committed,omitempty"`
	active    bool
}

// AddManagedSubscription makes a managed event subscription, as its metadata
// record does; without a committed position it starts at the earliest event or
// at the tip. It returns the subscription's id.
func (s *Server) AddManagedSubscription(developerName, topic string, earliest bool) (id string, err error) {
	s.mu.RLock()
	_, problem := s.topic(topic, s.admin)
	s.mu.RUnlock()
	if problem != nil {
		return "", fmt.Errorf("managed subscription %s: %s", developerName, problem.message)
	}
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	if s.bus.managed[developerName] != nil {
		return "", fmt.Errorf("managed subscription %s exists already", developerName)
	}
	m := &managedSubscription{ID: makeID("18x", 1000+s.seed%100_000+uint64(len(s.bus.managed))), Name: developerName, Topic: topic, Earliest: earliest}
	s.bus.managed[developerName] = m
	s.bus.changes++
	return m.ID, nil
}

// findManaged finds a subscription by id or developer name, and takes it.
func (b *eventBus) findManaged(r *fetchRequest) (*managedSubscription, *grpcError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if (r.subscription == "") == (r.developerName == "") {
		return nil, grpcFail(grpcInvalidArgument, "managed.subscription.id.or.developer.name.empty", "Provide either a subscription ID or a developer name.")
	}
	if r.commit != nil {
		return nil, grpcFail(grpcInvalidArgument, "managed.subscription.fetch.request.commit.request.restricted", "The first request can't commit a replay ID.")
	}
	found := b.managed[r.developerName]
	if r.subscription != "" {
		id, ok := longID(r.subscription)
		if !ok {
			return nil, grpcFail(grpcInvalidArgument, "managed.subscription.subscription.id.invalid", "The subscription ID is invalid.")
		}
		for _, m := range b.managed {
			if m.ID == id {
				found = m
			}
		}
	}
	switch {
	case found == nil && r.subscription != "":
		return nil, grpcFail(grpcNotFound, "managed.subscription.subscription.id.not.found", "There is no managed subscription of this ID.")
	case found == nil:
		return nil, grpcFail(grpcNotFound, "managed.subscription.developer.name.not.found", "There is no managed subscription of this name.")
	case found.active:
		return nil, grpcFail(grpcFailedPrecondition, "managed.subscription.already.active", "The managed subscription is active already.")
	}
	found.active = true
	return found, nil
}

// managedSubscribe delivers events from the position that was committed last.
func (s *Server) managedSubscribe(g *grpcCall, who *subscriber) error {
	ctx, stop := context.WithCancel(g.ctx)
	list, cause := s.requests(ctx, g, readManagedFetchRequest)
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
	m, problem := s.bus.findManaged(first)
	if problem != nil {
		return problem
	}
	defer func() {
		s.bus.mu.Lock()
		m.active = false
		s.bus.mu.Unlock()
	}()
	t := &stream{server: s, call: g, who: who, topic: m.Topic}
	s.mu.RLock()
	t.object, problem = s.topic(m.Topic, who.user)
	s.mu.RUnlock()
	if problem != nil {
		return problem
	}
	if t.place, problem = s.managedStart(m); problem != nil {
		return problem
	}
	var answers []*delivery
	more := func(r *fetchRequest) *grpcError {
		if r.requested < 0 {
			return grpcFail(grpcInvalidArgument, "managed.subscription.fetch.request.events.invalid", "The number of requested events is negative.")
		}
		if r.commit != nil {
			answers = append(answers, s.commitReplay(m, r.commit))
		}
		t.pending = min(t.pending+int(min(r.requested, mostRequested)), mostRequested)
		return nil
	}
	if problem := more(first); problem != nil {
		return problem
	}
	return t.run(ctx, list, cause, more, func() *delivery {
		if len(answers) == 0 {
			return nil
		}
		d := answers[0]
		answers = answers[1:]
		d.pending = t.pending
		return d
	})
}

func (s *Server) managedStart(m *managedSubscription) (uint64, *grpcError) {
	switch {
	case len(m.Committed) > 0:
		return s.startOf(replayCustom, m.Committed)
	case m.Earliest:
		return s.startOf(replayEarliest, nil)
	}
	return s.startOf(replayLatest, nil)
}

// commitReplay keeps a position, and answers for it.
func (s *Server) commitReplay(m *managedSubscription, r *commitRequest) *delivery {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	now := s.nowMillis()
	b := wireText(nil, 1, r.id)
	b = wireData(b, 2, r.replayID)
	if _, problem := s.bus.placeOf(r.replayID, now, s.seed); problem != nil {
		const commitFailed = 2
		b = wireData(b, 3, wireText(wireNumber(nil, 1, commitFailed), 2, problem.message))
	} else {
		m.Committed = r.replayID
		s.bus.changes++
	}
	return &delivery{commit: protowire.AppendVarint(protowire.AppendTag(b, 4, protowire.VarintType), uint64(now)), latest: r.replayID}
}
