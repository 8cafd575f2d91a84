package salesforce

import (
	"context"
	"fmt"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// restarts is how often a read is taken up again after its cursor was lost.
const restarts = 5

// start prepares a query over everything of read that is a record of its own:
// the contact behind a person account is not, it would come twice.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_account.htm
func (c *Client) start(ctx context.Context, read crm.Read, report *crm.ReadReport) (query, *described, error) {
	d, err := c.schema(ctx, read.Layout.Object)
	if err != nil {
		return query{}, nil, err
	}
	junctions, err := relationsOf(read)
	if err != nil {
		return query{}, nil, err
	}
	q := query{layout: read.Layout, junctions: junctions, calls: &report.Calls}
	switch {
	case d.personAccounts:
		q.where = "IsPersonAccount = false"
	case archives(d.object.Name):
		q.all, q.where = true, notDeleted
	}
	return q, d, nil
}

// notDeleted takes out of queryAll what is in the recycle bin.
const notDeleted = "IsDeleted = false"

// archives tells the objects of which Salesforce archives what is older than a
// year: a plain query no longer shows it, and it must not be taken for deleted.
// https://help.salesforce.com/s/articleView?id=sf.activities_archive.htm
func archives(object string) bool { return object == "Task" || object == "Event" }

// Read streams every live record once, in the order of ids, 2,000 a call, and
// proves it by an independent COUNT(). Fewer rows than were counted before and
// are counted after is an error that tells both numbers.
func (c *Client) Read(ctx context.Context, read crm.Read, yield func([]crm.Record) error) (crm.ReadReport, error) {
	report := crm.ReadReport{Expected: -1, Method: "query"}
	q, _, err := c.start(ctx, read, &report)
	if err != nil {
		return report, err
	}
	q.order = "Id"
	began := time.Now().UnixMicro()
	if report.Expected, err = c.count(ctx, &q); err != nil {
		return report, err
	}
	last, newest := "", int64(0)
	beyond := func() string {
		if last == "" {
			return ""
		}
		return "Id > " + quote(last)
	}
	handle := func(p *page) error {
		if p.serverMicros > 0 && report.Rows == 0 {
			began = p.serverMicros
		}
		if len(p.records) == 0 {
			return nil
		}
		report.Rows += len(p.records)
		for i := range p.records {
			newest = max(newest, p.records[i].ModifiedMicros)
		}
		last = p.records[len(p.records)-1].ID
		return yield(p.records)
	}
	on := func() error { return c.restarting(ctx, q, beyond, handle) }
	if err := on(); err != nil {
		return report, err
	}
	report.NextMicros = c.afterRead(began, newest)
	err = c.complete(ctx, &q, &report, on)
	return report, err
}

// recounts is how often a read that seems short is counted and read on.
const recounts = 3

// complete makes sure that a read was not short. more reads what was created since.
func (c *Client) complete(ctx context.Context, q *query, report *crm.ReadReport, more func() error) error {
	for range recounts {
		if report.Rows >= report.Expected {
			return nil
		}
		// Records may have been deleted meanwhile; then a second count is lower, unless
		// as many were created, which the read did not come to.
		again, err := c.count(ctx, q)
		if err != nil {
			return err
		}
		if report.Expected = again; report.Rows < again {
			if err := more(); err != nil {
				return err
			}
		}
	}
	if report.Rows >= report.Expected {
		return nil
	}
	return fault.New(fault.Unavailable, "Salesforce gave %d of %s, so the read is not complete", report.Rows, plural(report.Expected, q.layout.Object+" record")).
		WithMend("run it again; if it stays short, look for a sharing rule or a permission of the app's user that changes while it runs")
}

// afterRead is where Changes takes up after a complete read that began then. A
// clock that runs ahead must not make it skip anything, so it is never later
// than just before the newest stamp that was seen.
func (c *Client) afterRead(began, newest int64) int64 {
	overlap := c.overlap.Microseconds()
	if newest == 0 {
		return time.Second.Microseconds() // an empty object has no stamp to start from
	}
	return max(min(began, newest)-overlap, time.Second.Microseconds())
}

// restarting runs q and takes it up again where it was when Salesforce has
// forgotten the cursor (it lives two days, less when many are open).
func (c *Client) restarting(ctx context.Context, q query, after func() string, handle func(*page) error) error {
	for attempt := 0; ; attempt++ {
		err := c.pages(ctx, q, after(), handle)
		if !isCode(err, invalidLocator) || attempt >= restarts {
			return err
		}
	}
}

// Changes streams records stamped at or after sinceMicros, deleted and merged
// ones among them, in one query: one call when nothing changed. With relations
// a second query finds the records whose rows of a relation changed, because
// those leave the record's own stamp alone.
func (c *Client) Changes(ctx context.Context, read crm.Read, sinceMicros int64, yield func([]crm.Record) error) (crm.ReadReport, error) {
	report := crm.ReadReport{Expected: -1, Method: "query by SystemModstamp", NextMicros: sinceMicros}
	q, d, err := c.start(ctx, read, &report)
	if err != nil {
		return report, err
	}
	q.all, q.merges, q.order = true, d.merges, "SystemModstamp, Id"
	if q.where == notDeleted {
		q.where = "" // here the deleted ones are wanted
	}
	first := "SystemModstamp >= " + since(sinceMicros)
	seen := map[string]bool{}
	var last crm.Record
	began := time.Now().UnixMicro()
	err = c.restarting(ctx, q, func() string {
		if last.ID == "" {
			return first
		}
		stamp := since(last.ModifiedMicros)
		return fmt.Sprintf("SystemModstamp > %s OR (SystemModstamp = %s AND Id > %s)", stamp, stamp, quote(last.ID))
	}, func(p *page) error {
		if p.serverMicros > 0 && last.ID == "" {
			began = p.serverMicros
		}
		if len(p.records) == 0 {
			return nil
		}
		for i := range p.records {
			r := &p.records[i]
			if r.Archived {
				report.Archived++
				r.Relations = nil
			} else {
				report.Rows++
			}
			if len(q.junctions) > 0 || read.Layout.Index(StandardPrice) >= 0 {
				seen[r.ID] = true
			}
		}
		last = p.records[len(p.records)-1]
		return yield(p.records)
	})
	if err != nil {
		return report, err
	}
	newest := last.ModifiedMicros
	told := make([]map[string]int64, len(q.junctions))
	for i := range q.junctions {
		var stamp int64
		if told[i], stamp, err = c.relationChanges(ctx, read, &q.junctions[i], sinceMicros, seen, &report, yield); err != nil {
			return report, err
		}
		newest = max(newest, stamp)
	}
	stamp, err := c.priceChanges(ctx, read, sinceMicros, seen, &report, yield)
	if err != nil {
		return report, err
	}
	newest = max(newest, stamp)
	report.NextMicros = c.afterChanges(sinceMicros, newest, began)
	if report.NextMicros > sinceMicros {
		for i := range q.junctions {
			c.remember(&q.junctions[i], report.NextMicros, told[i])
		}
	}
	return report, nil
}

// toldRows are rows of a junction that a read of changes told of, by id with
// their stamps, and where the next one starts.
type toldRows struct {
	next int64
	rows map[string]int64
}

// remember keeps the rows that the next read of changes will find again, since
// it starts at their stamp or before: their records need not be read again for
// them.
func (c *Client) remember(j *junction, next int64, rows map[string]int64) {
	for id, stamp := range rows {
		if stamp < next {
			delete(rows, id)
		}
	}
	c.mu.Lock()
	c.told[j.near+" "+j.object] = toldRows{next, rows}
	c.mu.Unlock()
}

// toldBefore are the rows that the last read of changes told of, when this one
// starts where that one ended: else what it told may not have been kept.
func (c *Client) toldBefore(j *junction, sinceMicros int64) map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.told[j.near+" "+j.object]; t.next == sinceMicros {
		return t.rows
	}
	return nil
}

// relationChanges yields the records whose rows of a relation were added,
// changed or deleted, unless they were seen already, and returns all such rows
// with their stamps, and the newest of these.
func (c *Client) relationChanges(ctx context.Context, read crm.Read, j *junction, sinceMicros int64, seen map[string]bool, report *crm.ReadReport, yield func([]crm.Record) error) (told map[string]int64, newest int64, err error) {
	before := c.toldBefore(j, sinceMicros)
	told = map[string]int64{}
	rows := query{layout: j.layout(), all: true, order: "SystemModstamp, Id", calls: &report.Calls}
	var ids []string
	err = c.pages(ctx, rows, "SystemModstamp >= "+since(sinceMicros), func(p *page) error {
		for i := range p.records {
			row := &p.records[i]
			newest = max(newest, row.ModifiedMicros)
			told[row.ID] = row.ModifiedMicros
			if before[row.ID] == row.ModifiedMicros {
				continue
			}
			near, _ := j.relation(row)
			if near != "" && !seen[near] {
				seen[near] = true
				ids = append(ids, near)
			}
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return told, newest, err
	}
	return told, newest, c.yieldLive(ctx, read, ids, report, yield)
}

// yieldLive reads records whose own stamp did not move and hands on those that
// are live: one that is deleted has a stamp of its own and was seen by it.
func (c *Client) yieldLive(ctx context.Context, read crm.Read, ids []string, report *crm.ReadReport, yield func([]crm.Record) error) error {
	records, err := c.lookup(ctx, read, ids, &report.Calls)
	if err != nil {
		return err
	}
	live := records[:0]
	for _, r := range records {
		if !r.Archived {
			live = append(live, r)
		}
	}
	report.Rows += len(live)
	if len(live) == 0 {
		return nil
	}
	return yield(live)
}

// afterChanges is where the next Changes starts, given the newest stamp seen
// and when the query began. While that stamp is fresh, rows that were stamped
// before it may still be committed, so the next one goes back by the overlap.
// Later it starts at the newest stamp itself: going back for ever would read a
// large import again in every quiet cycle.
func (c *Client) afterChanges(since, newest, began int64) int64 {
	if newest == 0 {
		return since
	}
	overlap := c.overlap.Microseconds()
	if began-newest > overlap+leastOverlap.Microseconds() {
		return max(since, newest)
	}
	return max(since, min(newest, began)-overlap)
}
