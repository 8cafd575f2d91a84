package hubspot

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// entry says whether an object's list can be entered at an id on this account.
type entry uint8

const (
	unproved entry = iota
	proved
	refuted
)

// recounts are the waits before HubSpot's search is asked again for its total,
// when the list gave fewer records: its index may still hold what was archived.
var recounts = []time.Duration{0, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}

// Read streams every live record of the object once.
//
// The list is read in several id ranges at once. That a list can be entered at
// an id is observed and not documented, so each object's list is proved first:
// entered between two known ids it must go on with the second and then exactly
// as before. Where that fails, search by ranges of hs_object_id stands in, and
// where the token may not search, the list is read page after page. The number
// of records is compared with search's own total; a read that stays short
// returns fault.Conflict after what it yielded.
func (c *Client) Read(ctx context.Context, read crm.Read, yield func([]crm.Record) error) (crm.ReadReport, error) {
	if isList(read.Layout.Object) {
		return c.readLists(ctx, read, yield)
	}
	ctx, calls := tallied(ctx)
	began := c.now()
	w := &whole{lister: c.newLister(read), yield: yield}
	err := w.run(ctx)
	report := crm.ReadReport{
		Rows:       w.rows,
		Expected:   w.total,
		Method:     w.method,
		NextMicros: began.Add(-c.overlap(read)).UnixMicro(),
		Overlap:    c.overlap(read),
	}
	if err == nil && w.total >= 0 {
		report.Expected, err = w.recount(ctx)
		report.Rows = w.rows
	}
	report.Calls = int(calls.Load())
	return report, err
}

// recount compares the rows with the total and returns the total that was believed.
// What was created since the list was read to its end is counted and not listed: it
// is read as well.
func (w *whole) recount(ctx context.Context) (int, error) {
	object := w.read.Layout.Object
	for _, wait := range recounts {
		if w.rows >= w.total {
			return w.total, nil
		}
		if err := sleep(ctx, wait); err != nil {
			return w.total, stopped(err)
		}
		var err error
		if w.total, err = w.client.count(ctx, object); err != nil {
			return w.total, err
		}
		if w.rows < w.total {
			if err := w.late(ctx); err != nil {
				return w.total, err
			}
		}
	}
	if w.rows >= w.total {
		return w.total, nil
	}
	return w.total, fault.New(fault.Conflict, "the read of HubSpot %s is short: the list gave %d records, search counts %d", object, w.rows, w.total).
		WithMend("run the command again; if the numbers stay apart, records may be hidden from the list: ask HubSpot's support with both numbers")
}

// late reads the records beyond the highest id that was listed, as far as search
// knows them: by id, for the index may hold what was archived.
func (w *whole) late(ctx context.Context) error {
	for own, more := (&idRange{next: w.highest + 1}), true; more; {
		var found []crm.Record
		var err error
		if found, more, err = w.searchRange(ctx, own); err != nil || len(found) == 0 {
			return err
		}
		ids := make([]string, len(found))
		for i := range found {
			ids[i] = found[i].ID
			own.next = max(own.next, number(found[i].ID)+1)
		}
		records, err := w.client.Lookup(ctx, w.read, ids)
		if err != nil {
			return err
		}
		if err := w.give(slices.DeleteFunc(records, func(r crm.Record) bool { return r.Archived })); err != nil {
			return err
		}
	}
	return nil
}

// whole is one complete read.
type whole struct {
	*lister
	yield  func([]crm.Record) error
	total  int // of search; -1 when it may not be asked
	rows   int
	method string
	// highest is the highest id that was yielded.
	highest uint64
	// seen are ids that were yielded before a change of method.
	seen map[uint64]bool
}

func (w *whole) run(ctx context.Context) error {
	object := w.read.Layout.Object
	last, total, err := w.client.probeID(ctx, object, nil, descending(idProperty), 0)
	switch kind := fault.KindOf(err); {
	case kind == fault.Denied, kind == fault.Invalid, kind == fault.NotFound:
		last, total = 0, -1 // the list may still be allowed; if not, it says so itself
	case err != nil:
		return err
	}
	w.total = total
	if w.client.entryOf(object) == refuted && total >= 0 {
		return w.bySearch(ctx, last)
	}
	w.method = "list"
	first, err := w.list(ctx, "")
	if err != nil {
		return err
	}
	ids := numbers(first)
	if err := w.give(first.records); err != nil {
		return err
	}
	start := &idRange{token: first.after, end: openEnd, expected: total - len(ids)}
	if len(ids) > 0 {
		start.next = ids[len(ids)-1] + 1
		start.start = start.next
	}
	if first.after == "" {
		return nil
	}
	if total < 2*splitPages*listPage || w.client.entryOf(object) == refuted || !ascend(ids, 0) {
		return w.inOrder(ctx, first.after)
	}
	if w.client.entryOf(object) == unproved {
		ok, err := w.prove(ctx, ids, start)
		if err != nil {
			return err
		}
		if !ok {
			w.client.setEntry(object, refuted)
			w.seen = make(map[uint64]bool, len(ids))
			for _, id := range ids {
				w.seen[id] = true
			}
			return w.bySearch(ctx, last)
		}
		w.client.setEntry(object, proved)
		if start.token == "" {
			return nil
		}
	}
	return w.byList(ctx, start, last)
}

// prove enters the list between two ids of its first page and compares what
// comes with what came before. What lies beyond the first page is new, so the
// proof costs little more than the overlap.
func (w *whole) prove(ctx context.Context, ids []uint64, start *idRange) (bool, error) {
	if len(ids) < listPage {
		return false, nil
	}
	known := len(ids) - 10
	enter := ids[known]
	for k := len(ids) - 2; k >= len(ids)/2; k-- {
		if ids[k+1] > ids[k]+2 { // no record has the id at which the list is entered
			known, enter = k+1, ids[k]+2
			break
		}
	}
	p, err := w.list(ctx, strconv.FormatUint(enter-1, 10))
	if fault.KindOf(err) == fault.Invalid {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	got := numbers(p)
	skip := 0
	for skip < len(got) && got[skip] < enter {
		skip++
	}
	overlap := len(ids) - known
	if skip > 1 || len(got)-skip < overlap || !ascend(got, 0) {
		return false, nil
	}
	for i, id := range ids[known:] {
		if got[skip+i] != id {
			return false, nil
		}
	}
	fresh := p.records[skip+overlap:]
	if len(fresh) > 0 {
		start.next = got[len(got)-1] + 1
		start.start = start.next
		start.expected -= len(fresh)
	}
	start.token = p.after
	return true, w.give(fresh)
}

// inOrder follows the list's own cursor to its end.
func (w *whole) inOrder(ctx context.Context, after string) error {
	for after != "" {
		p, err := w.list(ctx, after)
		if err != nil {
			return err
		}
		if err := w.give(p.records); err != nil {
			return err
		}
		if p.after == after {
			return fault.New(fault.Unavailable, "the list of HubSpot %s does not go on: its cursor stays at %s", w.read.Layout.Object, after).
				WithMend("run the command again in a few minutes")
		}
		after = p.after
	}
	return nil
}

// byList reads the rest of the list in id ranges.
func (w *whole) byList(ctx context.Context, start *idRange, last uint64) error {
	r := newRanges(start, last, listPage)
	r.growing = start.expected > searchWindow+searchWindow/4
	err := w.readRanges(ctx, r, w.listRange)
	w.method = fmt.Sprintf("list, %d id ranges", r.made())
	return err
}

// bySearch reads everything by search in ranges of hs_object_id.
func (w *whole) bySearch(ctx context.Context, last uint64) error {
	r := newRanges(&idRange{end: openEnd, expected: w.total}, last, searchPage)
	err := w.readRanges(ctx, r, w.searchRange)
	w.method = fmt.Sprintf("search, %d id ranges", r.made())
	return err
}

// readRanges lets readers work until no range is left, and hands their pages on
// one at a time, in the caller's goroutine.
func (w *whole) readRanges(ctx context.Context, r *ranges, fetch fetch) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, reading := errgroup.WithContext(ctx)
	given := make(chan []crm.Record)
	for range readers {
		group.Go(func() error { return w.reader(reading, r, fetch, given) })
	}
	if r.growing {
		group.Go(func() error { return w.markRanges(reading, r) })
	}
	done := make(chan error, 1)
	go func() { done <- group.Wait(); close(given) }()
	var refused error
	for records := range given {
		if refused == nil {
			if refused = w.give(records); refused != nil {
				cancel()
			}
		}
	}
	if err := <-done; refused == nil {
		return err
	}
	return refused
}

// fetch reads the next page of a range: its records, none before the range's
// next, and whether more follow.
type fetch func(ctx context.Context, own *idRange) (records []crm.Record, more bool, err error)

// reader reads one range after the other.
func (w *whole) reader(ctx context.Context, r *ranges, fetch fetch, given chan<- []crm.Record) error {
	for {
		own, err := r.take(ctx)
		if own == nil || err != nil {
			return stopped(err)
		}
		for goesOn := true; goesOn; {
			records, more, err := fetch(ctx, own)
			if err != nil {
				return err
			}
			ids := make([]uint64, len(records))
			for i := range records {
				ids[i] = number(records[i].ID)
			}
			if !ascend(ids, own.next) {
				w.client.setEntry(w.read.Layout.Object, refuted)
				return fault.New(fault.Conflict, "HubSpot lists %s out of order, so a read in ranges cannot be trusted", w.read.Layout.Object).
					WithMend("run the command again: it will read by search")
			}
			next := own.next
			if len(ids) > 0 {
				next = ids[len(ids)-1] + 1
			}
			var keep int
			keep, goesOn = r.advance(own, ids, next, more)
			r.allow(w.client.wantedReaders())
			if keep == 0 {
				continue
			}
			select {
			case given <- records[:keep]:
			case <-ctx.Done():
				return stopped(ctx.Err())
			}
		}
	}
}

// wantedReaders is how many must read at once to use up the window at the
// latency seen lately.
func (c *Client) wantedReaders() int {
	perSecond := float64(c.window.Limit()) / 10
	return min(readers, int(math.Ceil(perSecond*c.caller.Latency().Seconds())))
}

// listRange reads the next page of a range from the list. A range is entered at
// its first id, and then follows the list's own cursor.
func (w *whole) listRange(ctx context.Context, own *idRange) ([]crm.Record, bool, error) {
	after, entered := own.token, own.token == ""
	if entered {
		after = strconv.FormatUint(own.start-1, 10)
	}
	p, err := w.list(ctx, after)
	if err != nil {
		return nil, false, err
	}
	own.token = p.after
	records := p.records
	if entered && len(records) > 0 && number(records[0].ID) == own.start-1 {
		records = records[1:] // the cursor names the first record, not the one before it
	}
	return records, p.after != "", nil
}

// searchRange reads the next page of a range by search.
func (w *whole) searchRange(ctx context.Context, own *idRange) ([]crm.Record, bool, error) {
	var filters []filter
	if own.next > 0 {
		filters = append(filters, filter{Property: idProperty, Operator: "GT", Value: strconv.FormatUint(own.next-1, 10)})
	}
	query := search{Sorts: ascending(idProperty), Limit: searchPage}
	if len(filters) > 0 {
		query.Groups = where(filters...)
	}
	p, err := w.search(ctx, query)
	if err != nil {
		return nil, false, err
	}
	return p.records, len(p.records) == searchPage, w.client.relationsFor(ctx, p.records, w.read)
}

// markRanges asks search for the 10,000th id from the start and, where the ids
// are so uneven that halving them would not halve the work, starts a range there
// and goes on. Accounts that are older than HubSpot's long ids are like that.
// Without an answer the ranges stay as they are.
func (w *whole) markRanges(ctx context.Context, r *ranges) error {
	defer r.grown()
	from, left := r.first, r.open.expected
	for left > searchWindow+searchWindow/4 {
		id, _, err := w.client.probeID(ctx, w.read.Layout.Object,
			where(filter{Property: idProperty, Operator: "GT", Value: strconv.FormatUint(from-1, 10)}), ascending(idProperty), searchWindow-1)
		if err != nil || id <= from || id >= r.last {
			return stopped(ctx.Err())
		}
		span := float64(id-from) / float64(r.last-from)
		share := float64(searchWindow) / float64(left)
		if span < 2*share && span > share/2 {
			return nil // the rest is even enough to be halved by id
		}
		left -= searchWindow
		r.cut(id, left)
		from = id
	}
	return nil
}

// give yields records that were not yielded before a change of method.
func (w *whole) give(records []crm.Record) error {
	if w.seen != nil {
		records = slices.DeleteFunc(records, func(r crm.Record) bool { return w.seen[number(r.ID)] })
	}
	if len(records) == 0 {
		return nil
	}
	w.rows += len(records)
	for i := range records {
		w.highest = max(w.highest, number(records[i].ID))
	}
	return w.yield(records)
}

func (c *Client) entryOf(object string) entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[object]
}

func (c *Client) setEntry(object string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries[object] = e
}

func numbers(p *page) []uint64 {
	ids := make([]uint64, len(p.records))
	for i := range p.records {
		ids[i] = number(p.records[i].ID)
	}
	return ids
}

// ascend tells whether ids are ids, ascend, and start at from or after.
func ascend(ids []uint64, from uint64) bool {
	for i, id := range ids {
		if id == 0 || id < from || i > 0 && id <= ids[i-1] {
			return false
		}
	}
	return true
}
