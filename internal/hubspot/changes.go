package hubspot

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

const (
	// Each change search reaches back behind the last one, since new states appear
	// in HubSpot's index after seconds, sometimes minutes: by usualOverlap as long
	// as what comes fits into one page and so costs nothing, else by leastOverlap,
	// and by three times the lag that was seen in any case.
	leastOverlap = 60 * time.Second
	usualOverlap = 5 * time.Minute
	mostOverlap  = 15 * time.Minute
	// rememberedRows bounds what is kept to notice late arrivals.
	rememberedRows = 20_000
	// archivedPages is how much of the list of archived records is read when
	// nothing says how many there are to find.
	archivedPages = 10
)

// poll is what the last Changes of one object saw, kept in memory to make an
// idle cycle cheap and to measure the index's lag.
type poll struct {
	asked   time.Time // HubSpot's time when it was asked
	since   int64     // micros
	live    int       // live records by search's total
	seen    map[string]int64
	overlap time.Duration
}

// overlap is how far to reach back; it grows with the lag seen, in this process
// or, as read says, in an earlier one.
func (c *Client) overlap(read crm.Read) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.polls[read.Layout.Object]; p != nil {
		return p.overlap
	}
	return min(max(leastOverlap, read.Overlap), mostOverlap)
}

// Changes streams records modified at or after sinceMicros by search, and those
// archived since.
//
// Search orders by stamp and is paged by stamp: an offset would skip records,
// since each edit meanwhile moves a record to the end. Where more records than
// a page share one stamp, that stamp is paged by id. A record may come twice.
//
// Archived records are in no search. The list of archived ones is read when the
// number of live records fell since the last call, and at the first call; then
// at most ten pages of it (1,000 records, oldest ids first), which Method says.
// When nothing changed, a call costs two calls.
func (c *Client) Changes(ctx context.Context, read crm.Read, sinceMicros int64, yield func([]crm.Record) error) (crm.ReadReport, error) {
	if isList(read.Layout.Object) {
		return c.listChanges(ctx, read, sinceMicros, yield)
	}
	ctx, calls := tallied(ctx)
	object := read.Layout.Object
	ch := &changes{lister: c.newLister(read), since: sinceMicros, yield: yield, seen: map[string]int64{}}
	c.mu.Lock()
	ch.before = c.polls[object]
	c.mu.Unlock()
	asked := c.now()
	report := crm.ReadReport{Expected: -1, Method: "search by modified time"}
	err := ch.modified(ctx)
	if err == nil {
		err = ch.archived(ctx, &report)
	}
	report.Rows, report.Archived = ch.rows, ch.gone
	report.Calls = int(calls.Load())
	if err != nil {
		report.NextMicros = sinceMicros
		return report, err
	}
	now := &poll{asked: asked, since: sinceMicros, live: ch.live, seen: ch.seen, overlap: ch.nextOverlap()}
	c.mu.Lock()
	c.polls[object] = now
	c.mu.Unlock()
	report.NextMicros, report.Overlap = max(asked.Add(-now.overlap).UnixMicro(), sinceMicros), now.overlap
	return report, nil
}

// changes is one call of Changes.
type changes struct {
	*lister
	before  *poll // nil on the first call
	since   int64
	yield   func([]crm.Record) error
	seen    map[string]int64
	rows    int
	gone    int
	created int           // records made since
	late    time.Duration // the longest lag seen
	live    int
}

// modified pages through the records by stamp.
func (ch *changes) modified(ctx context.Context) error {
	property := modifiedProperty(ch.read.Layout.Object)
	from := ch.since / 1000
	for {
		p, err := ch.search(ctx, search{
			Groups: where(filter{Property: property, Operator: "GTE", Value: strconv.FormatInt(from, 10)}),
			Sorts:  ascending(property),
			Limit:  searchPage,
		})
		if err != nil {
			return err
		}
		if err := ch.give(ctx, p); err != nil {
			return err
		}
		if len(p.records) < searchPage {
			return nil
		}
		last := p.records[len(p.records)-1].ModifiedMicros / 1000
		if last <= from {
			if err := ch.sameStamp(ctx, property, from); err != nil {
				return err
			}
			last = from + 1
		}
		from = last
	}
}

// sameStamp pages the records of one stamp by id.
func (ch *changes) sameStamp(ctx context.Context, property string, stamp int64) error {
	id := "0"
	for {
		p, err := ch.search(ctx, search{
			Groups: where(
				filter{Property: property, Operator: "EQ", Value: strconv.FormatInt(stamp, 10)},
				filter{Property: idProperty, Operator: "GT", Value: id}),
			Sorts: ascending(idProperty),
			Limit: searchPage,
		})
		if err != nil {
			return err
		}
		if err := ch.give(ctx, p); err != nil {
			return err
		}
		if len(p.records) < searchPage {
			return nil
		}
		id = p.records[len(p.records)-1].ID
	}
}

// give yields the records that were not yielded with the same stamp before.
func (ch *changes) give(ctx context.Context, p *page) error {
	fresh := make([]crm.Record, 0, len(p.records))
	var swallowed []crm.Record
	for _, record := range p.records {
		if stamp, ok := ch.seen[record.ID]; ok && stamp == record.ModifiedMicros {
			continue
		}
		ch.note(&record)
		fresh = append(fresh, record)
		swallowed = append(swallowed, mergedAway(&record)...)
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := ch.client.relationsFor(ctx, fresh, ch.read); err != nil {
		return err
	}
	ch.rows += len(fresh)
	if err := ch.yield(fresh); err != nil || len(swallowed) == 0 {
		return err
	}
	ch.gone += len(swallowed)
	return ch.yield(swallowed)
}

// mergedAway are the records that survivor swallowed. Since January 2025 a merge
// makes a new record, and the ids of both old ones lead to it.
// https://developers.hubspot.com/changelog/updated-merge-functionality-for-contacts-and-companies
func mergedAway(survivor *crm.Record) []crm.Record {
	var gone []crm.Record
	for _, id := range survivor.TookIn {
		gone = append(gone, crm.Record{Layout: survivor.Layout, ID: id, Archived: true, MergedInto: survivor.ID, ModifiedMicros: survivor.ModifiedMicros})
	}
	return gone
}

// note remembers a record, and notices one that the last call should have seen
// and did not: the index was late by that much.
func (ch *changes) note(record *crm.Record) {
	b := ch.before
	known := false
	if b != nil {
		_, known = b.seen[record.ID]
	}
	if _, again := ch.seen[record.ID]; record.CreatedMicros >= ch.since && !known && !again {
		ch.created++
	}
	if len(ch.seen) < rememberedRows {
		ch.seen[record.ID] = record.ModifiedMicros
	}
	if b == nil || len(b.seen) >= rememberedRows || record.ModifiedMicros < b.since || record.ModifiedMicros >= b.asked.UnixMicro() {
		return
	}
	if stamp, ok := b.seen[record.ID]; !ok || stamp != record.ModifiedMicros {
		ch.late = max(ch.late, b.asked.Sub(time.UnixMicro(record.ModifiedMicros)))
	}
}

// nextOverlap follows the lag seen at once, and forgets it slowly.
func (ch *changes) nextOverlap() time.Duration {
	least := usualOverlap
	if ch.rows > searchPage {
		least = leastOverlap
	}
	last, faded := ch.read.Overlap, time.Duration(0)
	if ch.before != nil {
		last = ch.before.overlap
	}
	if last > usualOverlap {
		faded = last * 9 / 10
	}
	return min(max(least, faded, 3*ch.late), mostOverlap)
}

// archived yields records archived since, when there may be any.
func (ch *changes) archived(ctx context.Context, report *crm.ReadReport) error {
	live, err := ch.client.count(ctx, ch.read.Layout.Object)
	if err != nil {
		return err
	}
	ch.live = live
	pages := archivedPages
	if ch.before != nil {
		if live >= ch.before.live+ch.created {
			return nil
		}
		pages = 0 // some are gone for certain: look until they are found
	}
	report.Method += ", list of archived"
	after := ""
	for n := 1; ; n++ {
		p, err := ch.client.archivedPage(ctx, ch.read.Layout, after)
		if err != nil {
			return err
		}
		var gone []crm.Record
		for i, record := range p.records {
			at := record.ModifiedMicros
			if p.archivedMicros != nil {
				at = max(at, p.archivedMicros[i])
			}
			if at >= ch.since-mostOverlap.Microseconds() { // the index that counts may have been late
				gone = append(gone, record)
			}
		}
		if len(gone) > 0 {
			ch.gone += len(gone)
			if err := ch.yield(gone); err != nil {
				return err
			}
		}
		if after = p.after; after == "" {
			return nil
		}
		if n == pages {
			report.Method += " (its first 1,000 only)"
			return nil
		}
	}
}

// archivedPage reads one page of the archived records: their ids and stamps.
func (c *Client) archivedPage(ctx context.Context, layout *crm.Layout, after string) (*page, error) {
	query := url.Values{"limit": {strconv.Itoa(listPage)}, "archived": {"true"}, "properties": {idProperty}}
	if after != "" {
		query.Set("after", after)
	}
	p := new(page)
	err := c.get(ctx, c.paths.objects(layout.Object), query, func(_ int, _ http.Header, body io.Reader) error {
		return decodePage(body, crm.Read{Layout: layout}, p)
	})
	for i := range p.records {
		p.records[i].Archived = true
	}
	return p, err
}
