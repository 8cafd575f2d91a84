package hubspot

import "slices"

// verb is what happened to a record.
type verb uint8

const (
	wasCreated verb = iota
	wasChanged      // one property
	wasDeleted
	wasErased
	wasRestored
	wasMerged
	wasLinked
	wasUnlinked
	joinedList
	leftList
)

// event is one thing that happened to a record, before anybody was told of it.
type event struct {
	verb  verb
	table *table
	id    int64
	at    int64 // Unix milliseconds
	by    source
	// property and value of a change; value "" means cleared.
	property *propertyDefinition
	value    string
	birth    bool // the change is part of a creation
	// primary and other became id by a merge, moved values came from other.
	primary, other int64
	moved          int
	// links: the direction, the far end, the meanings that came or went.
	pair  *pair
	to    int64
	types []*associationType
	list  int64
}

// heard tells whether anybody would be told of an event: only then is one made.
func (s *Server) heard() bool {
	return s.directory.hooks.active.Load() != 0
}

// tell lets those who subscribed know. The caller holds the account's lock.
func (s *Server) tell(e event) {
	if e.at == 0 {
		e.at = s.nowMillis()
	}
	s.directory.hooks.hear(s, e)
}

// tellCreated tells of a new record, and of each value that it was given.
func (s *Server) tellCreated(t *table, r *record, values, assigned map[string]string, by source) {
	now := s.nowMillis()
	s.tell(event{verb: wasCreated, table: t, id: r.id, at: now, by: by})
	for _, more := range []map[string]string{values, assigned} {
		for _, p := range t.properties { // in the order of definitions, so that it follows from the seed
			if v := more[p.Name]; v != "" {
				s.tell(event{verb: wasChanged, table: t, id: r.id, at: now, by: by, property: p, value: v, birth: true})
			}
		}
	}
}

// relink sets the types of a link in one direction, and tells what came or went.
func (s *Server) relink(by source, p *pair, from, to int64, types uint64) {
	was, _ := p.link(from, to)
	p.put(from, to, types)
	if by == unsaid || was.types == types || !s.heard() {
		return
	}
	for _, change := range []struct {
		verb verb
		set  uint64
	}{{wasUnlinked, was.types &^ types}, {wasLinked, types &^ was.types}} {
		if change.set == 0 {
			continue
		}
		e := event{verb: change.verb, table: p.from, id: from, by: by, pair: p, to: to}
		p.typesOf(link{to, change.set}, func(t *associationType) { e.types = append(e.types, t) })
		s.tell(e)
	}
}

// sensitive tells whether the value of a change is hidden from apps.
func (e *event) sensitive() bool {
	return e.property.DataSensitivity != "" && e.property.DataSensitivity != "non_sensitive"
}

// shownValue is the value of a change as apps are told.
func (e *event) shownValue() string {
	if e.sensitive() {
		return "REDACTED"
	}
	return e.value
}

// primaryLink tells whether the primary meaning came or went.
func (e *event) primaryLink() bool {
	return slices.ContainsFunc(e.types, func(t *associationType) bool { return t.primary })
}
