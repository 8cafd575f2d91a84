package hubspot

import (
	"sync"
	"time"
)

// listsSeen remembers what was seen of lists, so that lists that did not change
// cost nothing but the search that says so. The zero value remembers nothing.
type listsSeen struct {
	mu      sync.Mutex
	lists   map[string]*listSeen // nil before the first search
	members int                  // kept, over all lists
}

type listSeen struct {
	name, kind, stamp string
	// members are those under stamp, nil when they are not kept; settled: they were
	// read so long after the stamp moved that it speaks for them.
	members []string
	settled bool
	since   time.Time // when stamp was first seen; zero before that
}

// all takes in what a search told of every list. changed are those that are not
// as they were seen, gone those that were seen and are there no more; both are
// empty the first time.
func (s *listsSeen) all(lists []list) (changed map[string]bool, gone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed = map[string]bool{}
	first := s.lists == nil
	if first {
		s.lists = map[string]*listSeen{}
	}
	live := make(map[string]bool, len(lists))
	for i := range lists {
		l := &lists[i]
		live[l.ID] = true
		seen := s.lists[l.ID]
		if seen == nil {
			seen = &listSeen{}
			s.lists[l.ID] = seen
		}
		if seen.name != l.Name || seen.kind != l.Kind || seen.stamp != l.stamp() {
			changed[l.ID] = !first
		}
		seen.name, seen.kind = l.Name, l.Kind
		s.move(seen, l.stamp())
	}
	for id, seen := range s.lists {
		if !live[id] {
			gone = append(gone, id)
			s.drop(seen)
			delete(s.lists, id)
		}
	}
	return changed, gone
}

// begin takes in the lists of a complete read where nothing is remembered yet, so
// that the first look for changes knows what has gone since.
func (s *listsSeen) begin(lists []list) {
	s.mu.Lock()
	first := s.lists == nil
	s.mu.Unlock()
	if first {
		s.all(lists)
	}
}

// move notes the stamp; members that were read under another one count no more.
func (s *listsSeen) move(seen *listSeen, stamp string) {
	if seen.stamp != stamp {
		seen.stamp, seen.since = stamp, time.Time{}
		s.drop(seen)
	}
}

func (s *listsSeen) drop(seen *listSeen) {
	s.members -= len(seen.members)
	seen.members, seen.settled = nil, false
}

// of are the members of a list as they were read, nil when they have to be read.
func (s *listsSeen) of(l *list, now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.lists[l.ID]
	if seen == nil || l.Stamps == nil {
		return nil
	}
	s.move(seen, l.stamp())
	if seen.since.IsZero() {
		seen.since = now
	}
	if !seen.settled {
		return nil
	}
	return seen.members
}

// keep remembers the members of a list that were asked for at a time.
func (s *listsSeen) keep(l *list, members []string, asked time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.lists[l.ID]
	if seen == nil || seen.stamp != l.stamp() {
		return
	}
	if seen.since.IsZero() {
		seen.since = asked
	}
	s.drop(seen)
	if s.members+len(members) > rememberedMembers {
		return
	}
	seen.members = append(make([]string, 0, len(members)), members...)
	s.members += len(members)
	seen.settled = asked.Sub(seen.since) >= membersSettle || l.movedMicros() < asked.Add(-mostOverlap).UnixMicro()
}

// forget lets lists count as changed the next time.
func (s *listsSeen) forget(lists []list) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range lists {
		if seen := s.lists[lists[i].ID]; seen != nil {
			seen.name, seen.kind = "", "?"
		}
	}
}
