package salesforce

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// index finds the rows that hold a value in one field. Deleted rows stay in it,
// so that queryAll can use it too.
type index struct {
	field *field
	rows  map[string]posting
}

// posting is the rows of one value; most values have one row.
type posting struct {
	first *row
	more  []*row
}

func newIndex(f *field) *index { return &index{field: f, rows: map[string]posting{}} }

// key is how a value stands in the index: ids as they are, text without case.
func (ix *index) key(v value) string {
	switch v.kind {
	case nothing:
		return ""
	case text:
		if ix.field.reference() || ix.field.CaseSensitive {
			return v.text
		}
		return strings.ToLower(v.text)
	}
	return strconv.FormatFloat(v.number, 'g', -1, 64)
}

func (ix *index) insert(v value, r *row) {
	k := ix.key(v)
	if k == "" {
		return
	}
	p := ix.rows[k]
	if p.first == nil {
		p.first = r
	} else {
		p.more = append(p.more, r)
	}
	ix.rows[k] = p
}

func (ix *index) remove(v value, r *row) {
	k := ix.key(v)
	if k == "" {
		return
	}
	p := ix.rows[k]
	if p.first == r {
		if len(p.more) == 0 {
			delete(ix.rows, k)
			return
		}
		last := len(p.more) - 1
		p.first, p.more = p.more[last], p.more[:last]
	} else if i := slices.Index(p.more, r); i >= 0 {
		last := len(p.more) - 1
		p.more[i] = p.more[last]
		p.more = p.more[:last]
	}
	ix.rows[k] = p
}

// find calls yield with each row that holds v, deleted ones too.
func (ix *index) find(v value, yield func(*row) bool) {
	p := ix.rows[ix.key(v)]
	if p.first == nil || !yield(p.first) {
		return
	}
	for _, r := range p.more {
		if !yield(r) {
			return
		}
	}
}

// stampLog keeps the rows in the order of (SystemModstamp, Id). Each change
// appends; an entry whose stamp is no longer its row's is stale and skipped.
type stampLog struct {
	mu      sync.Mutex // held while readers put it in order
	entries []stampEntry
	sorted  int // entries before this one are in order
}

type stampEntry struct {
	stamp int64
	row   *row
}

func (e stampEntry) compare(f stampEntry) int {
	if e.stamp != f.stamp {
		if e.stamp < f.stamp {
			return -1
		}
		return 1
	}
	return strings.Compare(e.row.id, f.row.id)
}

func (l *stampLog) insert(r *row) {
	e := stampEntry{r.stamp, r}
	n := len(l.entries)
	l.entries = append(l.entries, e)
	if l.sorted == n && (n == 0 || l.entries[n-1].compare(e) < 0) {
		l.sorted = n + 1
	}
}

// order sorts what was appended since; the caller holds mu and nobody appends.
// Only the stretch that the new entries fall into is sorted again.
func (l *stampLog) order(rows int) {
	if l.sorted == len(l.entries) {
		return
	}
	from := l.sorted
	for _, e := range l.entries[l.sorted:] {
		i := sort.Search(from, func(i int) bool { return l.entries[i].compare(e) >= 0 })
		from = min(from, i)
	}
	slices.SortFunc(l.entries[from:], stampEntry.compare)
	if len(l.entries) > 2*rows+1000 {
		l.entries = slices.DeleteFunc(l.entries, func(e stampEntry) bool { return e.row.stamp != e.stamp })
	}
	l.entries = slices.Compact(l.entries)
	l.sorted = len(l.entries)
}

// since returns the place of the first entry with this stamp or a later one.
func (l *stampLog) since(stamp int64) int {
	return sort.Search(len(l.entries), func(i int) bool { return l.entries[i].stamp >= stamp })
}
