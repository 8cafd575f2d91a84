package hubspot

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// searchInput is the body of a search. All of it may be missing.
type searchInput struct {
	Query        string        `json:"query"`
	FilterGroups []filterGroup `json:"filterGroups"`
	Filters      []filterInput `json:"filters"` // a single group, as many callers write it
	Sorts        []sortInput   `json:"sorts"`
	Properties   []string      `json:"properties"`
	Limit        *int          `json:"limit"`
	After        text          `json:"after"`
}

type filterGroup struct {
	Filters []filterInput `json:"filters"`
}

// sortInput is an object, or a name with "-" before it for descending.
type sortInput struct {
	property   string
	descending bool
}

// UnmarshalJSONFrom reads both forms.
func (in *sortInput) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		in.property, in.descending = strings.CutPrefix(token.String(), "-")
		return nil
	}
	var v struct {
		Property  string `json:"propertyName"`
		Direction string `json:"direction"`
	}
	if err := json.UnmarshalDecode(d, &v); err != nil {
		return err
	}
	in.property, in.descending = v.Property, v.Direction == "DESCENDING"
	return nil
}

// query is a search that was found to be valid.
type query struct {
	table      *table
	groups     []filterList
	words      []string // of free text
	sort       *propertyDefinition
	descending bool
	after      int
	limit      int
}

// searchObjects answers POST objects/{type}/search.
func searchObjects(c *call) (int, *problem) {
	body, refused := c.body()
	if refused != nil {
		return 0, refused
	}
	if utf8.RuneCount(body) > searchBodyLimit {
		return 0, invalid("The request body is too large: a search may have at most %d characters", searchBodyLimit)
	}
	var in searchInput
	if refused := parse(body, &in); refused != nil {
		return 0, refused
	}
	c.readTidy()
	defer c.s.mu.RUnlock()
	q, refused := c.newQuery(&in)
	if refused != nil {
		return 0, refused
	}
	page, total := q.run(c.s)
	sel := c.table.choose(in.Properties, nil)
	c.out.object()
	c.out.numberField("total", int64(total))
	c.out.key("results")
	c.out.array()
	for _, r := range page {
		c.out.record(c.s, c.table, r, &sel)
	}
	c.out.endArray()
	if end := q.after + len(page); end < total && len(page) > 0 {
		after := strconv.Itoa(end)
		c.out.paging(after, *c.s.origin.Load()+c.request.URL.Path+"?after="+after)
	}
	c.out.endObject()
	return http.StatusOK, nil
}

// readTidy takes the lock for reading with the table's indexes in order.
func (c *call) readTidy() {
	s, t := c.s, c.table
	for {
		s.mu.RLock()
		if !t.created.tidyNeeded() && !t.modified.tidyNeeded() {
			return
		}
		s.mu.RUnlock()
		s.mu.Lock()
		t.created.tidy()
		t.modified.tidy()
		s.mu.Unlock()
	}
}

func (c *call) newQuery(in *searchInput) (*query, *problem) {
	q := &query{table: c.table, limit: searchDefault}
	if in.Limit != nil {
		q.limit = *in.Limit
	}
	if q.limit < 0 || q.limit > searchLimit {
		return nil, invalid("The maximum limit of a search is %d, got %d", searchLimit, q.limit)
	}
	if in.After.value != "" {
		n, err := strconv.Atoi(in.After.value)
		if err != nil || n < 0 {
			return nil, invalid("Invalid value for after: %q is not a number", in.After.value)
		}
		q.after = n
	}
	if q.after+max(q.limit, 1) > searchWindow {
		return nil, &problem{status: http.StatusBadRequest, message: "There was a problem with the request."}
	}
	groups := in.FilterGroups
	if len(in.Filters) > 0 {
		groups = append(groups, filterGroup{in.Filters})
	}
	if refused := c.addGroups(q, groups); refused != nil {
		return nil, refused
	}
	q.words = strings.Fields(strings.ToLower(in.Query))
	if len(in.Sorts) > 1 {
		return nil, invalid("Only one sort is supported, got %d", len(in.Sorts))
	}
	if len(in.Sorts) == 1 {
		q.sort, q.descending = c.table.property(in.Sorts[0].property), in.Sorts[0].descending
		if q.sort == nil {
			return nil, invalid("There was a problem with the request. Property %q does not exist", in.Sorts[0].property)
		}
	}
	if q.sort == nil {
		q.sort = c.table.byName[c.table.kind.created]
	}
	return q, nil
}

func (c *call) addGroups(q *query, groups []filterGroup) *problem {
	if len(groups) > maxGroups {
		return invalid("A search may have at most %d filterGroups, got %d", maxGroups, len(groups))
	}
	total := 0
	for _, g := range groups {
		if len(g.Filters) > maxFiltersPerGroup {
			return invalid("A filterGroup may have at most %d filters, got %d", maxFiltersPerGroup, len(g.Filters))
		}
		if total += len(g.Filters); total > maxFilters {
			return invalid("A search may have at most %d filters", maxFilters)
		}
		var filters filterList
		for _, in := range g.Filters {
			f, refused := c.s.newFilter(c.table, in)
			if refused != nil {
				return refused
			}
			filters = append(filters, f)
		}
		if len(filters) > 0 {
			q.groups = append(q.groups, filters)
		}
	}
	return nil
}

func (q *query) match(s *Server, r *record) bool {
	matched := len(q.groups) == 0
	for _, filters := range q.groups {
		if !slices.ContainsFunc(filters, func(f *filter) bool { return !f.match(s, q.table, r) }) {
			matched = true
			break
		}
	}
	return matched && q.matchWords(s, r)
}

// matchWords wants every word of the free text in one of the searchable properties.
func (q *query) matchWords(s *Server, r *record) bool {
	if len(q.words) == 0 {
		return true
	}
	searchable := q.table.kind.query
	if q.table.schema != nil {
		searchable = q.table.schema.SearchableProperties
	}
	var all strings.Builder
	for _, name := range searchable {
		if p := q.table.property(name); p != nil {
			all.WriteString(strings.ToLower(s.valueOf(q.table, r, p)))
			all.WriteByte('\n')
		}
	}
	for _, w := range q.words {
		if !strings.Contains(all.String(), w) {
			return false
		}
	}
	return true
}

// run finds the page and the number of all that match. The candidates come from
// the index that narrows them most; where that is the sort's own index nothing
// needs to be sorted, and where it answers the whole query nothing is looked at.
func (q *query) run(s *Server) (page []*record, total int) {
	t := q.table
	shown := t.shown(s.nowMillis())
	source := q.candidates()
	if shown == nil && source.exact && source.sorted {
		n := len(source.records) + len(source.entries)
		start, end := min(q.after, n), min(q.after+q.limit, n)
		for i := start; i < end; i++ {
			at := i
			if q.descending {
				at = n - 1 - i
			}
			page = append(page, source.at(at))
		}
		return page, n
	}
	var matched []*record
	for i := range len(source.records) + len(source.entries) {
		r := source.at(i)
		if shown != nil {
			if _, other := shown[r.id]; other {
				continue
			}
		}
		if q.match(s, r) {
			matched = append(matched, r)
		}
	}
	sorted := source.sorted
	for _, r := range shown {
		if r != nil && q.match(s, r) {
			matched = append(matched, r)
			sorted = false
		}
	}
	switch {
	case !sorted:
		q.sortRecords(s, matched)
	case q.descending:
		slices.Reverse(matched)
	}
	start := min(q.after, len(matched))
	return matched[start:min(start+q.limit, len(matched))], len(matched)
}

// candidates is a superset of what matches, by id or by a time.
type candidates struct {
	records []*record
	entries []timeEntry
	sorted  bool // in the order of the query's sort, ascending
	exact   bool // no candidate fails to match
}

func (c *candidates) at(i int) *record {
	if c.entries != nil {
		return c.entries[i].record
	}
	return c.records[i]
}

func (q *query) candidates() candidates {
	t := q.table
	bySort := t.kind.created
	if q.sort.Name == "hs_object_id" || q.sort.Name == t.kind.modified {
		bySort = q.sort.Name
	}
	if len(q.groups) == 1 && len(q.words) == 0 {
		if c, ok := q.byUnique(q.groups[0]); ok {
			return c
		}
		best, found := candidates{}, false
		for _, name := range []string{"hs_object_id", t.kind.modified, t.kind.created} {
			low, high, count := q.groups[0].span(name)
			if count == 0 {
				continue
			}
			c := t.between(name, low, high)
			c.sorted = q.sort.Name == name
			c.exact = count == len(q.groups[0])
			if size := len(c.records) + len(c.entries); !found || size < len(best.records)+len(best.entries) {
				best, found = c, true
			}
		}
		if found {
			return best
		}
	}
	c := t.between(bySort, math.Inf(-1), math.Inf(1))
	c.sorted = q.sort.Name == bySort
	c.exact = len(q.groups) == 0 && len(q.words) == 0
	return c
}

// filters of one group.
type filterList []*filter

// span is the range that a group's conditions on one property leave, and how
// many conditions that were. Ids and milliseconds are whole numbers, so strict
// bounds become bounds that belong to the range.
func (group filterList) span(name string) (low, high float64, count int) {
	low, high = math.Inf(-1), math.Inf(1)
	for _, f := range group {
		if f.property == nil || f.property.Name != name {
			continue
		}
		l, h, ok := f.span()
		if !ok {
			continue
		}
		l, h = math.Ceil(l), math.Floor(h)
		switch {
		case f.operator == "GT" && l == f.low:
			l++
		case f.operator == "LT" && h == f.low:
			h--
		}
		low, high, count = max(low, l), min(high, h), count+1
	}
	return low, high, count
}

// between returns the records whose id or time is in a range, in its order.
func (t *table) between(name string, low, high float64) (c candidates) {
	if high < low {
		return c
	}
	if name == "hs_object_id" {
		start, _ := slices.BinarySearch(t.ids, clampInt(low))
		end, _ := slices.BinarySearch(t.ids, clampInt(high)+1)
		c.records = t.records[start:max(start, end)]
		return c
	}
	index := &t.created
	if name == t.kind.modified {
		index = &t.modified
	}
	start, end := index.from(clampInt(low)), index.from(clampInt(high)+1)
	c.entries = index.entries[start:max(start, end)]
	return c
}

func clampInt(v float64) int64 {
	return int64(min(max(math.Ceil(v), -1<<62), 1<<62))
}

// byUnique answers an equality on a unique property from its index.
func (q *query) byUnique(group filterList) (candidates, bool) {
	for _, f := range group {
		if f.property == nil || f.operator != "EQ" && f.operator != "IN" {
			continue
		}
		values, unique := q.table.unique[f.property.number]
		if !unique || f.property.Name != "email" {
			continue
		}
		wanted := []string{f.text}
		if f.operator == "IN" {
			wanted = wanted[:0]
			for v := range f.set {
				wanted = append(wanted, v)
			}
		}
		c := candidates{}
		for _, v := range wanted { // a record can hold several of the addresses
			if r := q.table.live(values[v]); r != nil && !slices.Contains(c.records, r) {
				c.records = append(c.records, r)
			}
		}
		return c, true
	}
	return candidates{}, false
}

// sortRecords sorts by the query's property; records without a value come last.
func (q *query) sortRecords(s *Server, records []*record) {
	type keyed struct {
		record *record
		size   float64
		text   string
		has    bool
	}
	f := filter{property: q.sort, ordered: q.sort.Type == "number" || q.sort.Type == "date" || q.sort.Type == "datetime"}
	keys := make([]keyed, len(records))
	for i, r := range records {
		k := keyed{record: r}
		if f.ordered {
			k.size, k.has = f.size(s, q.table, r)
		} else {
			k.text = strings.ToLower(s.valueOf(q.table, r, q.sort))
			k.has = k.text != ""
		}
		keys[i] = k
	}
	slices.SortFunc(keys, func(a, b keyed) int {
		if a.has != b.has {
			if a.has {
				return -1
			}
			return 1
		}
		order := cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.text, b.text))
		if q.descending {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(a.record.id, b.record.id))
	})
	for i, k := range keys {
		records[i] = k.record
	}
}
