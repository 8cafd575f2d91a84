package hubspot

import (
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
)

const (
	listDefault     = 10
	listLimit       = 100
	historyLimit    = 50  // records a page, or a batch, when history is asked for
	batchLimit      = 100 // inputs of any batch of records
	searchDefault   = 10
	searchLimit     = 200
	searchWindow    = 10_000
	searchBodyLimit = 3_000 // characters
)

// selection reads the properties and associations that a list or read asks for.
func (c *call) selection() (selection, *problem) {
	sel := c.table.choose(c.list("properties"), c.list("propertiesWithHistory"))
	for _, name := range c.list("associations") {
		to := c.s.table(name)
		if to == nil {
			return sel, unknownType(name)
		}
		sel.associations = append(sel.associations, to)
	}
	return sel, nil
}

// listObjects answers GET objects/{type}: records by ascending id. The cursor is
// one more than the last id returned.
func listObjects(c *call) (int, *problem) {
	most := listLimit
	if c.parsedQuery().Has("propertiesWithHistory") {
		most = historyLimit
	}
	limit, refused := c.limit(listDefault, most)
	if refused != nil {
		return 0, refused
	}
	var after int64
	if v := c.parsedQuery().Get("after"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0, invalid("Invalid value for after: %q is not a cursor of this API", v)
		}
		after = n
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	sel, refused := c.selection()
	if refused != nil {
		return 0, refused
	}
	t := c.table
	records := t.records
	start, _ := slices.BinarySearch(t.ids, after)
	if c.flag("archived") {
		records = t.archived
		start = sort.Search(len(records), func(i int) bool { return records[i].id >= after })
	}
	end := min(start+limit, len(records))
	c.out.object()
	c.out.key("results")
	c.out.array()
	for _, r := range records[start:end] {
		c.out.record(c.s, t, r, &sel)
	}
	c.out.endArray()
	if end < len(records) {
		c.nextPage(strconv.FormatInt(records[end-1].id+1, 10))
	}
	c.out.endObject()
	return http.StatusOK, nil
}

// nextPage writes the paging member with a link that repeats the query.
func (c *call) nextPage(after string) {
	query := url.Values{}
	for k, v := range c.parsedQuery() {
		if k != "after" {
			query[k] = v
		}
	}
	link := *c.s.origin.Load() + c.request.URL.Path + "?after=" + url.QueryEscape(after)
	if rest := query.Encode(); rest != "" {
		link += "&" + rest
	}
	c.out.paging(after, link)
}

// locate finds the live record that a path or input names, by id or by a unique
// property. follow lets an id that was merged away lead to its successor.
func (c *call) locate(id, idProperty string, follow bool) (*record, *problem) {
	t := c.table
	if idProperty != "" && idProperty != "hs_object_id" {
		p := t.property(idProperty)
		if p == nil {
			return nil, invalid("Property %q does not exist", idProperty)
		}
		if _, unique := t.unique[p.number]; !unique {
			return nil, invalid("Property %q is not a unique property and cannot be used as idProperty", idProperty)
		}
		if r := t.holder(p, id); r != nil {
			return r, nil
		}
		return nil, notFound()
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, notNumeric(id)
	}
	r := t.live(number)
	if r == nil && follow {
		r = t.follow(number)
	}
	if r == nil {
		return nil, notFound()
	}
	return r, nil
}

// readObject answers GET objects/{type}/{id}.
func readObject(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	sel, refused := c.selection()
	if refused != nil {
		return 0, refused
	}
	r, refused := c.locateArchived()
	if refused != nil {
		return 0, refused
	}
	c.out.record(c.s, c.table, r, &sel)
	return http.StatusOK, nil
}

func (c *call) locateArchived() (*record, *problem) {
	id := c.arg("id")
	if !c.flag("archived") {
		return c.locate(id, c.parsedQuery().Get("idProperty"), true)
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, notNumeric(id)
	}
	if r := c.table.archivedRecord(c.table.successor(number)); r != nil {
		return r, nil
	}
	return nil, notFound()
}

// batchRead answers POST objects/{type}/batch/read: 207 when some are missing.
func batchRead(c *call) (int, *problem) {
	var in batchReadInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if refused := batchSize(len(in.Inputs)); refused != nil {
		return 0, refused
	}
	if len(in.History) > 0 && len(in.Inputs) > historyLimit {
		return 0, invalid("The maximum number of inputs supported in a batch request for property histories is %d", historyLimit)
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	archived := c.flag("archived")
	found := make([]*record, 0, len(in.Inputs))
	var missing []string
	for _, input := range in.Inputs {
		var r *record
		if archived {
			number, _ := strconv.ParseInt(input.ID.value, 10, 64)
			r = c.table.archivedRecord(number)
		} else {
			var refused *problem
			r, refused = c.locate(input.ID.value, in.IDProperty, false)
			if refused != nil && refused.status == http.StatusBadRequest {
				return 0, refused
			}
		}
		if r == nil {
			missing = append(missing, input.ID.value)
		} else {
			found = append(found, r)
		}
	}
	// Results come in no promised order, and each record once: here by id.
	slices.SortFunc(found, func(a, b *record) int { return int(min(1, max(-1, a.id-b.id))) })
	found = slices.Compact(found)
	sel := c.table.choose(in.Properties, in.History)
	c.openBatch()
	for _, r := range found {
		c.out.record(c.s, c.table, r, &sel)
	}
	var errors []*problem
	if len(missing) > 0 {
		errors = append(errors, someNotFound(c.table, missing))
	}
	return c.closeBatch(http.StatusOK, errors)
}

func batchSize(n int) *problem {
	if n == 0 {
		return missingFields("inputs")
	}
	if n > batchLimit {
		return invalid("The maximum number of inputs supported in a batch is %d. Please reduce the number of items and try again", batchLimit)
	}
	return nil
}

// openBatch starts a batch's answer; results follow.
func (c *call) openBatch() {
	c.out.object()
	c.out.textField("status", "COMPLETE")
	c.out.key("results")
	c.out.array()
}

// closeBatch ends it; errors make it a 207.
func (c *call) closeBatch(status int, errors []*problem) (int, *problem) {
	c.out.endArray()
	if len(errors) > 0 {
		status = http.StatusMultiStatus
		c.out.numberField("numErrors", int64(len(errors)))
		c.out.key("errors")
		c.out.array()
		for _, p := range errors {
			c.out.batchProblem(p)
		}
		c.out.endArray()
	}
	c.out.millisField("startedAt", c.started)
	c.out.millisField("completedAt", c.s.nowMillis())
	c.out.endObject()
	return status, nil
}
