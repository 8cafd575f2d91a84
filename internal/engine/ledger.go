package engine

import (
	"cmp"
	"slices"
	"sync"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// ledger counts, for one object of the mapping, which things were read in a
// run and what became of them. The two sides of the account are kept apart:
// reading adds to one, deciding and writing to the other, and a run is closed
// only when both name the same things. It costs seventeen bytes for each thing.
type ledger struct {
	mu      sync.Mutex
	read    []uint64
	results []result
	joined  map[uint64]uint64 // a record's key → that of the thing it turned out to be
	ended   map[uint64]bool   // records that were gone when it came to decide
}

type result struct {
	key     uint64
	outcome uint8
}

// thingKey names a thing: the HubSpot record, or a Salesforce record that has
// none.
func thingKey(side crm.Side, id string) uint64 {
	return newHasher().text(string(side)).text(id).sum()
}

func (l *ledger) sawAll(keys []uint64) {
	l.mu.Lock()
	l.read = append(l.read, keys...)
	l.mu.Unlock()
}

func (l *ledger) settle(key uint64, o crm.Outcome) {
	l.mu.Lock()
	delete(l.ended, key) // it became a thing after all: what was merged into it was linked
	l.results = append(l.results, result{key, outcomeIndex(o)})
	l.mu.Unlock()
}

// join says that two records that may both have been read are one thing.
func (l *ledger) join(hubspotID, salesforceID string) {
	l.same(thingKey(crm.Salesforce, salesforceID), thingKey(crm.HubSpot, hubspotID))
}

// same says that what may have been read as one thing is another one.
func (l *ledger) same(from, to uint64) {
	l.mu.Lock()
	if l.joined == nil {
		l.joined = map[uint64]uint64{}
	}
	l.joined[from] = to
	l.mu.Unlock()
}

// end says that a record that may have been read is no more, and was linked to
// nothing: there is no thing to account for.
func (l *ledger) end(key uint64) {
	l.mu.Lock()
	if l.ended == nil {
		l.ended = map[uint64]bool{}
	}
	l.ended[key] = true
	l.mu.Unlock()
}

// joins bounds how far a thing is followed: merges of merges within one run.
const joins = 16

// thing is the key of the thing that a record turned out to be.
func (l *ledger) thing(key uint64) uint64 {
	for range joins {
		to, ok := l.joined[key]
		if !ok {
			break
		}
		key = to
	}
	return key
}

// close adds up: how many things were read, their outcomes, and whether the
// two accounts name the same things.
func (l *ledger) close() (read int, tally crm.Tally, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ended) > 0 {
		l.read = slices.DeleteFunc(l.read, func(k uint64) bool { return l.ended[k] })
		l.results = slices.DeleteFunc(l.results, func(r result) bool { return l.ended[r.key] })
	}
	for i, k := range l.read {
		l.read[i] = l.thing(k)
	}
	slices.Sort(l.read)
	l.read = slices.Compact(l.read)
	for i, r := range l.results {
		l.results[i].key = l.thing(r.key)
	}
	// Stable: of several results for one thing the last one stands, but what
	// was written in this run stays written.
	slices.SortStableFunc(l.results, func(a, b result) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return 0
	})
	kept := l.results[:0]
	for _, r := range l.results {
		if n := len(kept); n > 0 && kept[n-1].key == r.key {
			if crm.Outcomes[r.outcome] != crm.Unchanged {
				kept[n-1].outcome = r.outcome
			}
			continue
		}
		kept = append(kept, r)
	}
	l.results = kept
	l.read = slices.DeleteFunc(l.read, func(k uint64) bool { // what went into another one, which is gone as well
		_, decided := slices.BinarySearchFunc(l.results, k, func(r result, k uint64) int { return cmp.Compare(r.key, k) })
		return l.ended[k] && !decided
	})
	closed = len(l.results) == len(l.read)
	for i, r := range l.results {
		tally.Add(crm.Outcomes[r.outcome])
		if closed && l.read[i] != r.key {
			closed = false
		}
	}
	return len(l.read), tally, closed
}

func outcomeIndex(o crm.Outcome) uint8 { return uint8(slices.Index(crm.Outcomes, o)) }
