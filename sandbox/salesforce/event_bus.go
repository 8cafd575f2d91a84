package salesforce

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// Limits of change events.
// https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_allocations.htm
const (
	eventRetention    = 72 * time.Hour
	eventSelection    = 5       // entities without the add-on
	eventAllowance    = 10_000  // deliveries in 24 hours, Developer Edition
	eventBytes        = 1 << 20 // a larger event comes as a gap
	eventsTransaction = 100_000 // more changes in one transaction come as one overflow
	// eventsKept bounds the memory: beyond it the oldest events go early, and
	// positions before them are refused.
	eventsKept = 100_000
)

// eventBus keeps the change events of the selected objects, oldest first. An
// object that is not selected costs nothing.
type eventBus struct {
	mu       sync.Mutex
	selected []string // API names
	events   []*changeEvent
	schemas  map[string]*eventSchema // by id
	last     uint64                  // place of the newest event
	trimmed  uint64                  // positions before this place are lost
	due      int64                   // milliseconds: when the newest event arrives
	commits  int64                   // transactions with events
	born     int64                   // tells this stream from one before a reset
	opened   uint64                  // subscriptions so far
	wake     chan struct{}           // closed and made anew when something happens
	ended    chan struct{}           // closed and made anew when all streams shall end

	allowance int
	delivered usage
	changes   uint64
	managed   map[string]*managedSubscription // by developer name
}

func (b *eventBus) init(seed uint64) {
	b.schemas, b.managed = map[string]*eventSchema{}, map[string]*managedSubscription{}
	b.last = 1000 + seed%100_000
	b.trimmed = b.last
	b.wake, b.ended = make(chan struct{}), make(chan struct{})
	b.allowance = eventAllowance
	b.born = time.Now().UnixNano()
}

// changeEvent is one event on the bus.
type changeEvent struct {
	Place  uint64 `json:"p"`
	At     int64  `json:"at"`  // milliseconds: the commit
	Due    int64  `json:"due"` // milliseconds: the arrival
	Schema string `json:"schema"`
	Twice  bool   `json:"twice,omitempty"`

	IDs    []string `json:"ids"`
	Type   int      `json:"type"` // place in changeTypes
	Origin string   `json:"origin,omitempty"`
	Key    string   `json:"key"`
	Number int      `json:"number"`
	Commit int64    `json:"commit"`
	User   string   `json:"user"`

	// Values are the fields that the event carries, by place in the schema and
	// with their union's branch before them.
	Values  []eventValue `json:"values,omitempty"`
	Changed []eventBit   `json:"changed,omitempty"`
	Nulled  []eventBit   `json:"nulled,omitempty"`
}

type eventValue struct {
	Field int    `json:"f"`
	Bytes []byte `json:"b"`
}

// eventBit names a field, or a part of a compound one; Part is -1 for a whole field.
type eventBit struct {
	Field int `json:"f"`
	Part  int `json:"p"`
}

func (b *eventBus) broadcast() {
	close(b.wake)
	b.wake = make(chan struct{})
}

// SelectChangeEvents sets the objects that have change events, as the page
// Change Data Capture of Setup does: at most five, none at first. Changes before
// the selection are on no stream.
func (s *Server) SelectChangeEvents(objects ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(objects) > eventSelection {
		return fmt.Errorf("change events can be selected for %d objects, not for %d", eventSelection, len(objects))
	}
	var names []string
	for _, name := range objects {
		o := s.object(name)
		if o == nil || o.readOnly {
			return fmt.Errorf("there are no change events of %s", name)
		}
		if !slices.Contains(names, o.name) {
			names = append(names, o.name)
		}
	}
	s.watch(names)
	s.changes++
	return nil
}

func (s *Server) watch(names []string) {
	for _, o := range s.objects {
		o.watched = slices.Contains(names, o.name)
	}
	s.watching = len(names) > 0
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	s.bus.selected = names
}

// ChangeEvents tells the state of the event bus.
func (s *Server) ChangeEvents() ChangeEventState {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	now := s.nowMillis()
	s.bus.expire(now)
	used, _ := s.bus.delivered.spend(0, s.bus.allowance, s.nowSeconds())
	return ChangeEventState{
		Objects: slices.Clone(s.bus.selected), Kept: len(s.bus.events), Delivered: used, Allowance: s.bus.allowance,
		Latest: s.bus.position(s.bus.arrived(now), now, s.seed),
	}
}

// ChangeEventState is what [Server.ChangeEvents] tells.
type ChangeEventState struct {
	// Objects have change events; Kept events of them can be replayed.
	Objects []string `json:"objects"`
	Kept    int      `json:"kept"`
	// Delivered counts what subscribers got in the last 24 hours, of an Allowance.
	Delivered int `json:"delivered"`
	Allowance int `json:"allowance"`
	// Latest is the replay id of the end of the stream.
	Latest []byte `json:"latestReplayId"`
}

// SetEventAllowance sets how many events may be delivered in 24 hours.
func (s *Server) SetEventAllowance(n int) {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	s.bus.allowance = n
	s.bus.changes++
}

// EmitGap puts a gap event on the bus, as the platform does where it could not
// make a whole one. change is CREATE, UPDATE, DELETE, UNDELETE, or OVERFLOW,
// which needs no ids.
// https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_other_events_gap.htm
func (s *Server) EmitGap(objectName, change string, ids ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(objectName)
	kind := slices.Index(changeTypes[:], "GAP_"+strings.TrimPrefix(strings.ToUpper(change), "GAP_"))
	switch {
	case o == nil || !o.watched:
		return fmt.Errorf("emit a gap: change events of %s are not selected", objectName)
	case kind < 0:
		return fmt.Errorf("emit a gap: there is no change type %s", change)
	case kind == gapOverflow:
		ids = []string{o.prefix + "000000000000AAA"}
	case len(ids) == 0:
		return errors.New("emit a gap: name the records")
	}
	ids = slices.Clone(ids)
	for i, id := range ids {
		long, ok := longID(id)
		if !ok && kind != gapOverflow {
			return fmt.Errorf("emit a gap: %s is no record id", id)
		}
		if ok {
			ids[i] = long
		}
	}
	t := s.begin(s.admin)
	s.put(t, []*changeEvent{{Schema: s.changeSchema(o).ID, Type: kind, IDs: ids}})
	return nil
}

// LoseReplayPositions makes every position that clients have until now unknown:
// who subscribes with one is refused as after an expiry.
func (s *Server) LoseReplayPositions() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	s.bus.last++
	s.bus.trimmed = s.bus.last
	s.bus.events = nil
	s.bus.changes++
}

// EndStreams ends all open subscriptions as a restart of the service does.
func (s *Server) EndStreams() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	close(s.bus.ended)
	s.bus.ended = make(chan struct{})
}

// put appends the events of one transaction; the caller holds the server's lock.
func (s *Server) put(t *transaction, events []*changeEvent) {
	b := &s.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	now := s.nowMillis()
	b.commits++
	dials := s.dials.ChangeEvents()
	b.due = max(b.due, now+int64(dials.DelayMillis))
	user := ""
	if t.user != nil {
		user = t.user.id
	}
	key := s.transactionKey(b.commits)
	for i, e := range events {
		// Places are not contiguous, as on the platform.
		b.last += 1 + uint64(3*s.dials.Chance(chanceOfPlace, b.last))
		e.Place, e.At, e.Due = b.last, now, b.due
		e.Origin, e.Key, e.Number, e.Commit, e.User = t.origin, key, i+1, 10_000_000_000_000+b.commits*7, user
		if e.Type < gapCreate && s.dials.Chance(chanceOfGap, e.Place) < dials.Gaps {
			e.gap()
		}
		if s.dials.Chance(chanceOfDrop, e.Place) < dials.Drops {
			continue
		}
		e.Twice = s.dials.Chance(chanceOfTwice, e.Place) < dials.Duplicates
		b.events = append(b.events, e)
	}
	b.expire(now)
	b.changes++
	b.broadcast()
}

// The purposes of chance on the bus.
const (
	chanceOfPlace = iota + 1
	chanceOfGap
	chanceOfDrop
	chanceOfTwice
	chanceOfLoss
)

// gap takes the values out of an event.
func (e *changeEvent) gap() {
	e.Type += gapCreate
	e.Values, e.Changed, e.Nulled = nil, nil, nil
}

// expire drops what is older than 72 hours, and what is too much.
func (b *eventBus) expire(now int64) {
	old := 0
	for old < len(b.events) && (b.events[old].At < now-eventRetention.Milliseconds() || len(b.events)-old > eventsKept) {
		b.trimmed = max(b.trimmed, b.events[old].Place)
		old++
	}
	clear(b.events[:old])
	b.events = b.events[old:]
}

// arrived is the place of the last event that subscribers may have seen.
func (b *eventBus) arrived(now int64) uint64 {
	for i := len(b.events) - 1; i >= 0; i-- {
		if b.events[i].Due <= now {
			if i == len(b.events)-1 {
				return b.last
			}
			return b.events[i].Place
		}
	}
	if len(b.events) > 0 {
		return b.events[0].Place - 1
	}
	return b.last
}

// after are the events behind a place, at most so many, that have arrived; next
// is when the first comes that has not, 0 when none is on its way.
func (b *eventBus) after(place uint64, most int, now int64, wanted func(*changeEvent) bool) (found []*changeEvent, seen uint64, next int64) {
	seen = place
	from := sort.Search(len(b.events), func(i int) bool { return b.events[i].Place > place })
	for _, e := range b.events[from:] {
		if e.Due > now {
			return found, seen, e.Due
		}
		if wanted(e) {
			if len(found) == most {
				return found, seen, 0
			}
			found = append(found, e)
		}
		seen = e.Place
	}
	return found, seen, 0
}

// A replay id is the place of an event, the time it was given, and a check that
// it is one of this stream's. To clients it is bytes.
const (
	replayBytes      = 16
	replayCheckBytes = 2
)

func (b *eventBus) position(place uint64, at int64, seed uint64) []byte {
	id := binary.BigEndian.AppendUint64(make([]byte, 0, replayBytes), place)
	id = append(id, binary.BigEndian.AppendUint64(nil, uint64(at))[2:]...)
	return append(id, b.check(id, seed)...)
}

func (b *eventBus) check(id []byte, seed uint64) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(slices.Clone(id), seed), uint64(b.born)))
	return sum[:replayCheckBytes]
}

// placeOf reads a replay id. It fails for bytes that are none, and for positions
// that are no longer kept.
func (b *eventBus) placeOf(id []byte, now int64, seed uint64) (uint64, *grpcError) {
	if len(id) == 0 {
		return 0, grpcFail(grpcInvalidArgument, "subscription.fetch.replayid.validation.failed", "The Replay ID validation failed. Ensure that the Replay ID is valid.")
	}
	if len(id) != replayBytes || string(b.check(id[:replayBytes-replayCheckBytes], seed)) != string(id[replayBytes-replayCheckBytes:]) {
		return 0, grpcFail(grpcInvalidArgument, "subscription.fetch.replayid.corrupted", "The Replay ID is corrupted. Ensure that the Replay ID is valid.")
	}
	place := binary.BigEndian.Uint64(id)
	at := int64(binary.BigEndian.Uint64(append(make([]byte, 2), id[8:14]...)))
	if place < b.trimmed || place > b.last || at < now-eventRetention.Milliseconds() {
		return 0, grpcFail(grpcInvalidArgument, "subscription.fetch.replayid.validation.failed", "The Replay ID validation failed. Ensure that the Replay ID is valid.")
	}
	return place, nil
}

func (s *Server) transactionKey(n int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d transaction %d", s.seed, n))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func (s *Server) nowMillis() int64 { return s.clock.Now().UnixMilli() }
