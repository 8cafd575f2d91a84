package salesforce

import (
	"bufio"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// savedBus is the event bus in a saved state; its events are lines of their own.
type savedBus struct {
	Selected  []string               `json:"selected,omitempty"`
	Schemas   []*eventSchema         `json:"schemas,omitempty"`
	Last      uint64                 `json:"last"`
	Trimmed   uint64                 `json:"trimmed"`
	Due       int64                  `json:"due"`
	Commits   int64                  `json:"commits"`
	Born      int64                  `json:"born"`
	Allowance int                    `json:"allowance"`
	Delivered int                    `json:"delivered"`
	Managed   []*managedSubscription `json:"managed,omitempty"`
}

// eventLine is how the line of an event begins.
const eventLine = `{"event":`

type savedEvent struct {
	Event *changeEvent `json:"event"`
}

func (b *eventBus) head(now int64) *savedBus {
	b.mu.Lock()
	defer b.mu.Unlock()
	st := &savedBus{Selected: b.selected, Last: b.last, Trimmed: b.trimmed, Due: b.due, Commits: b.commits, Born: b.born, Allowance: b.allowance}
	used := map[string]bool{}
	for _, e := range b.events {
		used[e.Schema] = true
	}
	for _, id := range slices.Sorted(maps.Keys(used)) {
		st.Schemas = append(st.Schemas, b.schemas[id])
	}
	st.Delivered, _ = b.delivered.spend(0, b.allowance, now)
	for _, name := range slices.Sorted(maps.Keys(b.managed)) {
		kept := *b.managed[name]
		st.Managed = append(st.Managed, &kept)
	}
	return st
}

func (b *eventBus) save(out *bufio.Writer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		line, err := json.Marshal(savedEvent{e})
		if err != nil {
			return err
		}
		out.Write(append(line, '\n'))
	}
	return nil
}

func (b *eventBus) restore(st *savedBus, now int64) {
	b.last, b.trimmed, b.due, b.commits, b.born, b.allowance = st.Last, st.Trimmed, st.Due, st.Commits, st.Born, st.Allowance
	b.delivered.set(st.Delivered, now)
	for _, schema := range st.Schemas {
		b.schemas[schema.ID] = schema
	}
	for _, m := range st.Managed {
		b.managed[m.Name] = m
	}
}

func (b *eventBus) restoreEvent(line []byte) error {
	var saved savedEvent
	if err := json.Unmarshal(line, &saved); err != nil || saved.Event == nil {
		return errors.New("it is no change event")
	}
	e := saved.Event
	if b.schemas[e.Schema] == nil {
		return errors.New("its change event has a schema that is not saved")
	}
	if n := len(b.events); n > 0 && b.events[n-1].Place >= e.Place || e.Place > b.last || e.Type < 0 || e.Type >= len(changeTypes) {
		return errors.New("its change events are out of order")
	}
	b.events = append(b.events, e)
	return nil
}

// take replaces all by what another bus holds, which must not be used again.
// Streams that are open end.
func (b *eventBus) take(o *eventBus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	used, _ := o.delivered.spend(0, o.allowance, o.delivered.swept*60)
	b.delivered.set(used, o.delivered.swept*60)
	b.selected, b.events, b.schemas, b.managed = o.selected, o.events, o.schemas, o.managed
	b.last, b.trimmed, b.due, b.commits, b.born, b.allowance = o.last, o.trimmed, o.due, o.commits, o.born, o.allowance
	b.changes++
	close(b.ended)
	b.ended = make(chan struct{})
	b.broadcast()
}
