package hubspot

import (
	"context"
	"math"
	"sync"
)

const (
	// readers is the most id ranges that are read at once: enough to fill nineteen
	// calls a second when an answer takes a second.
	readers = 20
	// splitPages is the least work, in pages, that is worth sharing: each half ends
	// with a page that is only partly its own.
	splitPages = 12
	openEnd    = math.MaxUint64
	// Sharing costs about half a page each time. So many pages pay for one split
	// in any case, and so many where the latency asks for more readers.
	pagesPerSplit = 200
	pagesPerRange = 100
	// leastPages is the least average length of a range where a slow way asks for
	// many readers.
	leastPages = 30
)

// idRange is one stretch of ids, read from front to back by one reader.
type idRange struct {
	next     uint64 // the first id not read yet
	end      uint64 // the first id that is not its own
	start    uint64
	rows     int
	expected int    // records in it, as far as known
	token    string // the list's cursor, where its reader follows one
}

// remaining estimates the records not read yet: by the density seen, or before
// any was seen by what was expected.
func (r *idRange) remaining(last uint64) float64 {
	end := min(r.end, last+1)
	if r.next >= end {
		return 0
	}
	if r.rows > 0 && r.next > r.start {
		return float64(r.rows) / float64(r.next-r.start) * float64(end-r.next)
	}
	return float64(r.expected)
}

// ranges hands id ranges to readers. A reader that finds none left takes half of
// what the reader with most work has before it, so that uneven ids, which are
// the rule, do not leave one reader alone at the end.
type ranges struct {
	mu      sync.Mutex
	waiting []*idRange
	active  []*idRange
	first   uint64   // where the first range starts
	open    *idRange // the one without an end
	last    uint64   // the greatest id known
	growing bool     // more boundaries will come
	splits  int      // how many more splits are worth their calls
	count   int      // ranges made
	most    int      // ranges that may be made for the sake of speed
	pages   int      // in all, as far as known
	page    int      // records in one page
	changed chan struct{}
}

// newRanges starts with one range of about first.expected records.
func newRanges(first *idRange, last uint64, page int) *ranges {
	pages := first.expected / page
	return &ranges{
		splits: 1 + pages/pagesPerSplit, most: 2 + pages/pagesPerRange, pages: pages,
		waiting: []*idRange{first}, first: first.next, open: first, last: last,
		page: page, count: 1, changed: make(chan struct{}),
	}
}

// take returns a range to read, waiting for one if there may be more; nil when
// there are none and will be none.
func (r *ranges) take(ctx context.Context) (*idRange, error) {
	for {
		r.mu.Lock()
		if len(r.waiting) == 0 && !r.growing {
			r.split()
		}
		if len(r.waiting) > 0 {
			next := r.waiting[0]
			r.waiting = r.waiting[1:]
			r.active = append(r.active, next)
			r.mu.Unlock()
			return next, nil
		}
		if len(r.active) == 0 && !r.growing {
			r.mu.Unlock()
			return nil, nil
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// split halves the range with most work left and makes its second half wait.
func (r *ranges) split() {
	if r.splits <= 0 {
		return
	}
	var largest *idRange
	most := float64(splitPages * r.page)
	for _, candidate := range r.active {
		if left := candidate.remaining(r.last); left >= most {
			largest, most = candidate, left
		}
	}
	if largest == nil {
		return
	}
	middle := largest.next + (min(largest.end, r.last+1)-largest.next)/2
	half := &idRange{next: middle, start: middle, end: largest.end, expected: int(most / 2)}
	largest.end = middle
	largest.expected /= 2
	if r.open == largest {
		r.open = half
	}
	r.splits--
	r.count++
	r.waiting = append(r.waiting, half)
}

// cut ends the open range before id and starts a new open one there.
func (r *ranges) cut(id uint64, expected int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id <= r.open.next {
		return // its reader is past it already
	}
	half := &idRange{next: id, start: id, end: openEnd, expected: expected}
	r.open.end = id
	r.open = half
	r.count++
	r.waiting = append(r.waiting, half)
	r.tell()
}

// grown says that no more cuts will come.
func (r *ranges) grown() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.growing = false
	r.tell()
}

// allow raises the number of splits so that as many ranges as wanted can be
// read at once, as long as that costs little.
func (r *ranges) allow(wanted int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.growing {
		return
	}
	most := max(r.most, min(2*wanted, r.pages/leastPages))
	splits := min(wanted-len(r.active)-len(r.waiting), most-r.count)
	if len(r.active) > 0 && r.splits < splits {
		r.splits = splits
		r.tell()
	}
}

// advance notes that a page up to, not including, next was read with rows of
// ids, and returns how many of them belong to the range, whose end may have
// moved meanwhile, and whether the range goes on.
func (r *ranges) advance(own *idRange, ids []uint64, next uint64, more bool) (keep int, goesOn bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for keep < len(ids) && ids[keep] < own.end {
		keep++
	}
	own.rows += keep
	own.next = max(own.next, next)
	if keep == len(ids) && more && own.next < own.end {
		r.tell() // what is left may now be worth splitting
		return keep, true
	}
	own.next = own.end // so that no later boundary cuts what is done
	for i, active := range r.active {
		if active == own {
			r.active = append(r.active[:i], r.active[i+1:]...)
			break
		}
	}
	r.tell()
	return keep, false
}

// tell wakes the readers that wait; the caller holds mu.
func (r *ranges) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *ranges) made() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}
