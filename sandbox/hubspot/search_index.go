package hubspot

import (
	"math"
	"slices"
	"strconv"
)

// The search index answers from states that were replaced: for as long as it
// lags, and where it lost a change, until the record changes again.

// lagged is a state that was replaced; search shows it until its index catches up.
type lagged struct {
	until int64   // Unix milliseconds: when search learns of the replacement, or lost
	was   *record // nil: did not exist
}

// lost is when search learns of a change that it lost.
const lost = math.MaxInt64

// reindex tells the search index that a record is no longer as it was; was nil
// means that it is new. The index may lose that.
func (s *Server) reindex(t *table, id int64, was *record, now int64) {
	lag, loses := s.dials.Index()
	if len(t.losing) > 0 {
		key := id
		if was == nil && !t.losing[id] {
			key = 0
		}
		loses = loses || t.losing[key]
		delete(t.losing, key)
	}
	t.note(id, was, now, lag.Milliseconds(), loses)
}

// unlist tells the search index that a record has gone, which it never loses.
func (s *Server) unlist(t *table, r *record, now int64) {
	lag, _ := s.dials.Index()
	t.note(r.id, r, now, lag.Milliseconds(), false)
}

// note keeps a replaced state for as long as search does not know better.
func (t *table) note(id int64, was *record, now, lagMillis int64, loses bool) {
	if loses {
		if states := t.lagging[id]; !slices.ContainsFunc(states, isLost) {
			t.lagging[id] = append(states, lagged{until: lost, was: was})
		}
		return
	}
	if len(t.lagging) > 0 {
		states := t.lagging[id]
		for i := range states { // what it had lost it learns with this change
			if isLost(states[i]) {
				states[i].until = now + lagMillis
			}
		}
	}
	if lagMillis <= 0 {
		return
	}
	if now-t.caughtUp > 500 || now < t.caughtUp { // seldom, so that a write stays cheap
		t.catchUp(now)
		t.caughtUp = now
	}
	t.lagging[id] = append(t.lagging[id], lagged{until: now + lagMillis, was: was})
}

func isLost(l lagged) bool { return l.until == lost }

// catchUp forgets the states that search no longer shows.
func (t *table) catchUp(now int64) {
	for id, states := range t.lagging {
		kept := slices.DeleteFunc(states, func(l lagged) bool { return l.until <= now })
		if len(kept) == 0 {
			delete(t.lagging, id)
		} else {
			t.lagging[id] = kept
		}
	}
}

// shown returns the states that search shows in place of the current ones, by id.
func (t *table) shown(now int64) map[int64]*record {
	var out map[int64]*record
	for id, states := range t.lagging {
		for _, l := range states { // oldest first: the first still lagging is what search knows
			if l.until > now {
				if out == nil {
					out = map[int64]*record{}
				}
				out[id] = l.was
				break
			}
		}
	}
	return out
}

// LoseNext lets the search index lose the next change of a record, or, with id
// "", the next record of the type that is created: search shows what it knew
// before, until the record changes once more. Other calls see the change at once.
func (s *Server) LoseNext(objectType, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(objectType)
	if t == nil {
		return unknownType(objectType)
	}
	number := int64(0)
	if id != "" {
		_, r, err := s.findLive(objectType, id)
		if err != nil {
			return err
		}
		number = r.id
	}
	if t.losing == nil {
		t.losing = map[int64]bool{}
	}
	t.losing[number] = true
	return nil
}

// Unsearchable lists the ids of the live records of which search shows, at this
// moment, an older state or none, ascending.
func (s *Server) Unsearchable(objectType string) (ids []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.table(objectType)
	if t == nil {
		return nil
	}
	shown := t.shown(s.nowMillis())
	for _, r := range t.records {
		if _, older := shown[r.id]; older {
			ids = append(ids, strconv.FormatInt(r.id, 10))
		}
	}
	return ids
}
