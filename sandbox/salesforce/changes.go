package salesforce

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// How far back the two calls reach, and how many ids they give.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getupdated.htm
const (
	updatedReach = 30 * 24 * time.Hour
	deletedReach = 15 * 24 * time.Hour
	changedLimit = 600_000
)

// window reads start and end; their seconds are ignored.
func (c *call) window(reach time.Duration) (from, to int64, problem *failure) {
	read := func(name string) (int64, bool) {
		// An unescaped + reaches us as a blank.
		v, ok := parseDatetime(strings.ReplaceAll(c.query.Get(name), " ", "+"))
		return int64(v.number) / 60 * 60, ok
	}
	from, fromOK := read("start")
	to, toOK := read("end")
	if !fromOK || !toOK {
		return 0, 0, plain(http.StatusBadRequest, "INVALID_REPLICATION_DATE", "startDate and endDate must be dates like 2026-11-23T00:00:00+00:00")
	}
	if from >= to {
		return 0, 0, plain(http.StatusBadRequest, "INVALID_REPLICATION_DATE", "startDate before endDate")
	}
	if from < c.server.nowSeconds()-int64(reach/time.Second)-60 {
		return 0, 0, plain(http.StatusBadRequest, "INVALID_REPLICATION_DATE", "startDate cannot be more than "+strings.TrimSuffix(reach.String(), "m0s")+" ago")
	}
	return from, to, nil
}

// covered is until when an answer is complete: transactions that may still run
// can show rows with earlier stamps later.
func (s *Server) covered(to int64) int64 {
	return min(to, (s.nowSeconds()-int64(s.dials.LongestCommit()/time.Second))/60*60)
}

func stampText(sec int64) string { return string(appendDatetime(nil, sec)) }

func (c *call) updatedIDs() (*reply, error) {
	o, a, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	if !a.Read {
		return nil, notFound()
	}
	from, to, problem := c.window(updatedReach)
	if problem != nil {
		return nil, problem
	}
	var ids []string
	for _, e := range o.orderedStamps()[o.stamps.since(from):] {
		if e.stamp >= to {
			break
		}
		if e.row.stamp == e.stamp && !e.row.deleted {
			ids = append(ids, e.row.id)
		}
	}
	if len(ids) > changedLimit {
		return nil, plain(http.StatusBadRequest, "EXCEEDED_ID_LIMIT", "too many ids; ask for a shorter time")
	}
	w := &jsonWriter{}
	w.open('{').key("ids").strs(ids).key("latestDateCovered").str(stampText(c.server.covered(to)))
	return answer(http.StatusOK, w.close('}').b), nil
}

func (c *call) deletedIDs() (*reply, error) {
	o, a, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	if !a.Read {
		return nil, notFound()
	}
	from, to, problem := c.window(deletedReach)
	if problem != nil {
		return nil, problem
	}
	var gone []*row
	// What was removed from the bin early is not in the answer, so that it is
	// complete from there on only.
	earliest := max(o.purged+59, c.server.nowSeconds()-int64(deletedReach/time.Second))
	for _, r := range o.rows {
		if r == nil || !r.deleted {
			continue
		}
		if r.deletedAt >= from && r.deletedAt < to {
			gone = append(gone, r)
		}
	}
	slices.SortStableFunc(gone, func(a, b *row) int { return int(a.deletedAt - b.deletedAt) })
	w := &jsonWriter{}
	w.open('{').key("deletedRecords").open('[')
	for _, r := range gone {
		w.open('{').key("id").str(r.id).key("deletedDate").str(stampText(r.deletedAt)).close('}')
	}
	w.close(']').key("earliestDateAvailable").str(stampText(earliest / 60 * 60))
	w.key("latestDateCovered").str(stampText(c.server.covered(to)))
	return answer(http.StatusOK, w.close('}').b), nil
}
