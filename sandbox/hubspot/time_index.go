package hubspot

import (
	"cmp"
	"slices"
)

// timeIndex keeps records in the order of a time, then id. States that were
// superseded stay in it until it is tidied, so that a write costs an append.
type timeIndex struct {
	entries  []timeEntry
	unsorted bool
	stale    int
}

type timeEntry struct {
	at     int64
	record *record
}

func compareEntries(a, b timeEntry) int {
	if a.at != b.at {
		return cmp.Compare(a.at, b.at)
	}
	return cmp.Compare(a.record.id, b.record.id)
}

func (x *timeIndex) add(at int64, r *record) {
	e := timeEntry{at, r}
	if n := len(x.entries); n > 0 && compareEntries(x.entries[n-1], e) > 0 {
		x.unsorted = true
	}
	x.entries = append(x.entries, e)
}

// swap puts a new state in the place of an old one that has the same time.
func (x *timeIndex) swap(at int64, was, is *record) {
	if !x.unsorted {
		if n, ok := slices.BinarySearchFunc(x.entries, timeEntry{at, was}, compareEntries); ok && x.entries[n].record == was {
			x.entries[n].record = is
			return
		}
	}
	x.stale++
	x.add(at, is)
}

func (x *timeIndex) tidyNeeded() bool { return x.unsorted || x.stale > 0 }

// tidy drops superseded states and sorts.
func (x *timeIndex) tidy() {
	if x.stale > 0 {
		kept := x.entries[:0]
		for _, e := range x.entries {
			if !e.record.superseded {
				kept = append(kept, e)
			}
		}
		clear(x.entries[len(kept):])
		x.entries = kept
		x.stale = 0
	}
	if x.unsorted {
		slices.SortFunc(x.entries, compareEntries)
		x.unsorted = false
	}
}

// from returns the position of the first entry at or after a time.
func (x *timeIndex) from(at int64) int {
	n, _ := slices.BinarySearchFunc(x.entries, at, func(e timeEntry, at int64) int { return cmp.Compare(e.at, at) })
	return n
}
