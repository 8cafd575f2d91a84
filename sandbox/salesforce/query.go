package salesforce

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce/soql"
)

const (
	pageSize     = 2000
	smallestPage = 200
	// cursorLife is how long a query locator is good, cursorLimit how many are
	// kept; the oldest go first.
	cursorLife  = 48 * time.Hour
	cursorLimit = 1000
)

// cursor is a query whose rows did not fit one page.
type cursor struct {
	query   *bound
	rows    []*row
	opened  int64
	batch   int
	version int
}

type cursorTable struct {
	mu     sync.Mutex
	byID   map[string]*cursor
	order  []string
	opened uint64
}

func (t *cursorTable) init() { t.byID = map[string]*cursor{} }

func (t *cursorTable) open(c *cursor, seed uint64) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opened++
	id := makeID("01g", 1000+seed%100_000+t.opened)
	t.byID[id] = c
	t.order = append(t.order, id)
	if len(t.order) > cursorLimit {
		delete(t.byID, t.order[0])
		t.order = t.order[1:]
	}
	return id
}

func (t *cursorTable) find(id string, now int64) *cursor {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.byID[id]
	if c == nil || now-c.opened > int64(cursorLife/time.Second) {
		return nil
	}
	return c
}

func (c *call) runQuery() (*reply, error)    { return c.soql(false) }
func (c *call) runQueryAll() (*reply, error) { return c.soql(true) }

func (c *call) binder(text string, all bool) *binder {
	return &binder{server: c.server, call: c, text: text, now: c.server.clock.Now(), all: all, version: c.version}
}

// soql answers a query with its first page.
func (c *call) soql(all bool) (*reply, error) {
	text := c.query.Get("q")
	if explain := c.query.Get("explain"); text == "" && explain != "" {
		return c.explain(explain)
	}
	if strings.TrimSpace(text) == "" {
		return nil, plain(http.StatusBadRequest, "MALFORMED_QUERY", "unexpected token: '<EOF>'")
	}
	parsed, err := soql.Parse(text)
	if err != nil {
		return nil, queryFailure(err)
	}
	q, err := c.binder(text, all).bind(parsed)
	if err != nil {
		return nil, queryFailure(err)
	}
	if strings.EqualFold(c.query.Get("columns"), "true") {
		return answer(http.StatusOK, q.columns(parsed)), nil
	}
	if q.groups != nil {
		rows, total, err := q.results()
		if err != nil {
			return nil, queryFailure(err)
		}
		return answer(http.StatusOK, appendResults(nil, rows, total)), nil
	}
	rows := q.rows()
	batch := c.batchSize()
	if len(rows) <= batch {
		return answer(http.StatusOK, q.appendPage(make([]byte, 0, q.roomFor(len(rows))), rows, len(rows), "")), nil
	}
	// Later pages are written with the schema of now but for their own call.
	kept := *c
	kept.body, kept.tx, kept.header = nil, nil, nil
	q.binder.call = &kept
	open := &cursor{query: q, rows: rows, opened: c.server.nowSeconds(), batch: batch, version: c.version}
	id := c.server.cursors.open(open, c.server.seed)
	return answer(http.StatusOK, open.page(id, 0)), nil
}

// appendResults writes the envelope around finished records.
func appendResults(b []byte, rows [][]byte, total int) []byte {
	b = append(b, `{"totalSize":`...)
	b = appendNumber(b, float64(total), false)
	b = append(b, `,"done":true,"records":[`...)
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r...)
	}
	return append(b, ']', '}')
}

// page writes the rows from the offset on, with the address of the next.
func (k *cursor) page(id string, offset int) []byte {
	end := min(offset+k.batch, len(k.rows))
	next := ""
	if end < len(k.rows) {
		next = "/services/data/v" + strconv.Itoa(k.version) + ".0/query/" + id + "-" + strconv.Itoa(end)
	}
	return k.query.appendPage(make([]byte, 0, k.query.roomFor(end-offset)), k.rows[offset:end], len(k.rows), next)
}

// roomFor is about how many bytes so many rows take.
func (q *bound) roomFor(rows int) int { return 256 + rows*(128+40*len(q.selection.parts)) }

// batchSize reads Sforce-Query-Options; what is out of range is moved into it.
func (c *call) batchSize() int {
	n, err := strconv.Atoi(c.option("Sforce-Query-Options", "batchSize"))
	if err != nil {
		return pageSize
	}
	return min(max(n, smallestPage), pageSize)
}

// nextPage answers a query locator.
func (c *call) nextPage() (*reply, error) {
	id, after, found := strings.Cut(c.params["locator"], "-")
	offset, err := strconv.Atoi(after)
	long, ok := longID(id)
	var k *cursor
	if found && err == nil && ok {
		k = c.server.cursors.find(long, c.server.nowSeconds())
	}
	if k == nil || offset < 0 || offset > len(k.rows) {
		return nil, plain(http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator")
	}
	if k.query.binder.call.user != c.user {
		return nil, plain(http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator")
	}
	return answer(http.StatusOK, k.page(long, offset)), nil
}

// explain answers ?explain= with the plan that would be taken.
func (c *call) explain(text string) (*reply, error) {
	parsed, err := soql.Parse(text)
	if err != nil {
		return nil, queryFailure(err)
	}
	q, err := c.binder(text, false).bind(parsed)
	if err != nil {
		return nil, queryFailure(err)
	}
	total, size := len(q.object.rows), q.source.size(q.object)
	operation := "TableScan"
	if q.source.listed || q.source.stamped {
		operation = "Index"
	}
	w := &jsonWriter{}
	w.open('{').key("plans").open('[').open('{')
	w.key("cardinality").int(size).key("fields").strs(nil).key("leadingOperationType").str(operation).key("notes").strs(nil)
	w.key("relativeCost").raw(appendNumber(nil, float64(size)/float64(max(1, total)), true))
	w.key("sobjectCardinality").int(total).key("sobjectType").str(q.object.name)
	return answer(http.StatusOK, w.close('}').close(']').close('}').b), nil
}

// columns describes the columns of a query; the vendor's CLI asks for it.
func (q *bound) columns(parsed *soql.Query) []byte {
	w := &jsonWriter{}
	w.open('{').key("columnMetadata").open('[')
	if q.selection != nil {
		q.selection.describe(w, q.object)
	} else {
		for _, col := range q.groups.columns {
			describeColumn(w, col.name, true, nil, nil)
		}
	}
	w.close(']').key("entityName").str(q.object.name).key("groupBy").bool(len(parsed.GroupBy) > 0)
	selected := false
	for _, item := range parsed.Select {
		selected = selected || item.Expression != nil && strings.EqualFold(item.Expression.String(), "Id")
	}
	w.key("idSelected").bool(selected).key("keyPrefix").str(q.object.prefix)
	return w.close('}').b
}

func (s *selection) describe(w *jsonWriter, o *object) {
	for i := range s.parts {
		p := &s.parts[i]
		var inner func()
		if p.inner != nil {
			inner = func() { p.inner.describe(w, nil) }
		} else if p.query != nil {
			inner = func() { p.query.selection.describe(w, p.query.object) }
		}
		describeColumn(w, p.name, p.query != nil, p.field, inner)
	}
}

func describeColumn(w *jsonWriter, name string, aggregated bool, f *field, inner func()) {
	kind, isText, isNumber, isBool, isCustom := "String", true, false, false, false
	if f != nil {
		isText, isNumber, isBool, isCustom = f.kind() == text, f.kind() == number, f.kind() == boolean, f.custom()
		kind = map[string]string{"id": "Id", "reference": "Id", "boolean": "Boolean", "int": "Integer", "date": "Date", "datetime": "Datetime", "double": "Double", "currency": "Double", "percent": "Double"}[f.Type]
		if kind == "" {
			kind = "String"
		}
	}
	w.open('{').key("aggregate").bool(aggregated).key("apexType").str(kind).key("booleanType").bool(isBool)
	w.key("columnName").str(name).key("custom").bool(isCustom).key("displayName").str(name).key("foreignKeyName").null()
	w.key("insertable").bool(f != nil && f.createable()).key("joinColumns").open('[')
	if inner != nil {
		inner()
	}
	w.close(']').key("numberType").bool(isNumber).key("textType").bool(isText).key("updatable").bool(f != nil && f.updateable()).close('}')
}
