package hubspot_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/hubspot"
)

const token = "pat-na1-00000000-fake-0000-0000-000000000000"

// portal is a small HubSpot written for these tests: one list of records per
// object, answered as the vendor's guides say. It shares nothing with the sandbox.
type portal struct {
	mu      sync.Mutex
	records map[string][]*item
	// index is what search sees; nil: the records themselves.
	index map[string][]*item
	// calls by "METHOD /path", and all of them in order.
	calls map[string]int
	log   []string
	// latency of each answer.
	latency time.Duration
	// inclusive: the list's cursor names the next record, not the one before it.
	inclusive bool
	// offsets: the list's cursor is an offset and no id.
	offsets  bool
	noSearch bool
	headers  map[string]string
	// intercept may answer in place of the portal.
	intercept func(request *http.Request, body []byte) *http.Response
	created   int
	now       func() time.Time
}

type item struct {
	id                uint64
	values            map[string]string
	created, modified time.Time
	archived          bool
	archivedAt        time.Time
	mergedInto        uint64
	associations      map[string][]association
}

type association struct {
	id    uint64
	kinds []string
}

func newPortal() *portal {
	return &portal{records: map[string][]*item{}, calls: map[string]int{}, now: time.Now}
}

// client opens the portal.
func (p *portal) client(t testing.TB, change func(*hubspot.Config)) *hubspot.Client {
	t.Helper()
	config := hubspot.Config{
		Base:  "https://api.hubapi.com",
		HTTP:  &http.Client{Transport: p},
		Token: func(context.Context) (string, error) { return token, nil },
		Seed:  1,
	}
	if change != nil {
		change(&config)
	}
	client, err := hubspot.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// add puts a record in; ids may come in any order.
func (p *portal) add(object string, id uint64, values map[string]string) *item {
	if values == nil {
		values = map[string]string{}
	}
	at := p.now().UTC().Truncate(time.Millisecond)
	r := &item{id: id, values: values, created: at, modified: at}
	i, _ := slices.BinarySearchFunc(p.records[object], id, func(r *item, id uint64) int { return cmp.Compare(r.id, id) })
	p.records[object] = slices.Insert(p.records[object], i, r)
	return r
}

func (p *portal) find(object string, id uint64) *item {
	for _, r := range p.records[object] {
		if r.id == id {
			return r
		}
	}
	return nil
}

func (p *portal) RoundTrip(request *http.Request) (*http.Response, error) {
	if p.latency > 0 {
		select {
		case <-time.After(p.latency):
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var body []byte
	if request.Body != nil {
		body, _ = io.ReadAll(request.Body)
	}
	name := request.Method + " " + request.URL.Path
	p.calls[name]++
	p.log = append(p.log, name)
	if request.Header.Get("Authorization") != "Bearer "+token {
		return reply(request, 401, `{"status":"error","message":"Authentication credentials not found.","category":"INVALID_AUTHENTICATION","correlationId":"c-401"}`), nil
	}
	if p.intercept != nil {
		if answer := p.intercept(request, body); answer != nil {
			if answer.StatusCode == 0 {
				return nil, io.ErrUnexpectedEOF
			}
			return answer, nil
		}
	}
	answer := p.route(request, body)
	for key, value := range p.headers {
		answer.Header.Set(key, value)
	}
	return answer, nil
}

func reply(request *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Request: request, Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Content-Type": {"application/json;charset=utf-8"}, "X-Hubspot-Correlation-Id": {"c-" + strconv.Itoa(status)}},
	}
}

// lost is the answer that never comes.
func lost() *http.Response { return &http.Response{} }

func (p *portal) route(request *http.Request, body []byte) *http.Response {
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	switch {
	case len(parts) == 4 && parts[2] == "objects" && request.Method == "GET":
		return p.list(request, parts[3])
	case len(parts) == 5 && parts[2] == "objects" && request.Method == "GET":
		return p.one(request, parts[3], parts[4])
	case len(parts) == 5 && parts[4] == "search":
		return p.search(request, parts[3], body)
	case len(parts) == 6 && parts[2] == "objects" && parts[4] == "batch":
		return p.batch(request, parts[3], parts[5], body)
	case len(parts) == 7 && parts[2] == "associations" && parts[6] == "read":
		return p.readAssociations(request, parts[3], parts[4], body)
	}
	return reply(request, 404, `{"status":"error","message":"resource not found"}`)
}

func (p *portal) list(request *http.Request, object string) *http.Response {
	query := request.URL.Query()
	archived := query.Get("archived") == "true"
	limit, _ := strconv.Atoi(query.Get("limit"))
	shown := func(r *item) bool { return r.archived == archived && r.mergedInto == 0 }
	all, from := p.records[object], 0
	cursor, _ := strconv.ParseUint(query.Get("after"), 10, 64)
	if cursor > 0 && p.offsets {
		from = min(int(cursor), len(all))
	} else if cursor > 0 {
		from, _ = slices.BinarySearchFunc(all, cursor, func(r *item, id uint64) int { return cmp.Compare(r.id, id) })
		if !p.inclusive && from < len(all) && all[from].id == cursor {
			from++
		}
	}
	var page []*item
	more := false
	for ; from < len(all); from++ {
		if !shown(all[from]) {
			continue
		}
		if len(page) == limit {
			more = true
			break
		}
		page = append(page, all[from])
	}
	var next string
	if more {
		last := page[len(page)-1].id
		switch {
		case p.offsets:
			next = strconv.Itoa(from)
		case p.inclusive:
			next = strconv.FormatUint(last+1, 10)
		default:
			next = strconv.FormatUint(last, 10)
		}
	}
	associations := strings.Split(query.Get("associations"), ",")
	return p.page(request, object, page, strings.Split(query.Get("properties"), ","), associations, next, -1, 200)
}

func (p *portal) one(request *http.Request, object, id string) *http.Response {
	n, _ := strconv.ParseUint(id, 10, 64)
	r := p.find(object, n)
	for r != nil && r.mergedInto != 0 {
		r = p.find(object, r.mergedInto)
	}
	if r == nil || r.archived {
		return reply(request, 404, `{"status":"error","message":"resource not found","correlationId":"c-404"}`)
	}
	return reply(request, 200, string(wire(r, nil, nil)))
}

// wire writes a record; by hand, since tests read many.
func wire(r *item, properties, associations []string) json.RawMessage {
	const stamp = "2006-01-02T15:04:05.999Z"
	out := fmt.Appendf(nil, `{"id":"%d","createdAt":%q,"updatedAt":%q,"archived":%t`, r.id, r.created.Format(stamp), r.modified.Format(stamp), r.archived)
	if r.archived {
		out = fmt.Appendf(out, `,"archivedAt":%q`, r.archivedAt.Format(stamp))
	}
	out = fmt.Appendf(out, `,"properties":{"hs_object_id":"%d"`, r.id)
	for _, name := range properties {
		if value, ok := r.values[name]; ok {
			text, _ := json.Marshal(value)
			out = fmt.Appendf(out, ",%q:%s", name, text)
		} else if name != "" && name != "hs_object_id" && !strings.HasPrefix(name, "unknown") {
			out = fmt.Appendf(out, ",%q:null", name)
		}
	}
	out = append(out, '}')
	all := map[string]any{}
	for _, to := range associations {
		var results []map[string]string
		rest := map[string]any{}
		for i, a := range r.associations[to] {
			if i == 100 {
				rest["paging"] = map[string]any{"next": map[string]string{"after": "MC0y"}}
				break
			}
			for _, kind := range a.kinds {
				results = append(results, map[string]string{"id": strconv.FormatUint(a.id, 10), "type": kind})
			}
		}
		if len(results) > 0 {
			rest["results"] = results
			all[to] = rest
		}
	}
	if len(all) > 0 {
		text, _ := json.Marshal(all)
		out = fmt.Appendf(out, `,"associations":%s`, text)
	}
	return append(out, '}')
}

func (p *portal) page(request *http.Request, _ string, records []*item, properties, associations []string, next string, total, status int) *http.Response {
	out := []byte(`{"results":[`)
	for i, r := range records {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, wire(r, properties, associations)...)
	}
	out = append(out, ']')
	if next != "" {
		out = fmt.Appendf(out, `,"paging":{"next":{"after":%q,"link":"https://api.hubapi.com/next?after=%s"}}`, next, next)
	}
	if total >= 0 {
		out = fmt.Appendf(out, `,"total":%d`, total)
	}
	return reply(request, status, string(append(out, '}')))
}

type wireSearch struct {
	Groups []struct {
		Filters []struct {
			Property string   `json:"propertyName"`
			Operator string   `json:"operator"`
			Value    string   `json:"value"`
			Values   []string `json:"values"`
		} `json:"filters"`
	} `json:"filterGroups"`
	Sorts []struct {
		Property  string `json:"propertyName"`
		Direction string `json:"direction"`
	} `json:"sorts"`
	Properties []string `json:"properties"`
	Limit      int      `json:"limit"`
	After      string   `json:"after"`
}

func (p *portal) search(request *http.Request, object string, body []byte) *http.Response {
	if p.noSearch {
		return reply(request, 403, `{"status":"error","message":"no","category":"MISSING_SCOPES","errors":[{"message":"One or more of the following scopes are required.","context":{"requiredGranularScopes":["crm.objects.contacts.read"]}}]}`)
	}
	var query wireSearch
	if err := json.Unmarshal(body, &query); err != nil || len(body) > 3000 || query.Limit > 200 {
		return reply(request, 400, fmt.Sprintf(`{"status":"error","message":"bad search: %v %d","category":"VALIDATION_ERROR"}`, err, len(body)))
	}
	source := p.records[object]
	if p.index != nil {
		source = p.index[object]
	}
	number := func(r *item, property string) (uint64, bool) {
		switch property {
		case "hs_object_id":
			return r.id, true
		case "lastmodifieddate", "hs_lastmodifieddate":
			return uint64(r.modified.UnixMilli()), true
		}
		return 0, false
	}
	var hits []*item
	for _, r := range source {
		match := !r.archived && r.mergedInto == 0
		for _, g := range query.Groups {
			for _, f := range g.Filters {
				n, numeric := number(r, f.Property)
				want, _ := strconv.ParseUint(f.Value, 10, 64)
				switch f.Operator {
				case "GT":
					match = match && numeric && n > want
				case "GTE":
					match = match && numeric && n >= want
				case "LT":
					match = match && numeric && n < want
				case "EQ":
					match = match && numeric && n == want
				case "IN":
					match = match && slices.Contains(f.Values, strings.ToLower(r.values[f.Property])) && r.values[f.Property] != ""
				}
			}
		}
		if match {
			hits = append(hits, r)
		}
	}
	if len(query.Sorts) > 0 {
		by := query.Sorts[0]
		slices.SortStableFunc(hits, func(a, b *item) int {
			x, _ := number(a, by.Property)
			y, _ := number(b, by.Property)
			if by.Direction == "DESCENDING" {
				x, y = y, x
			}
			return cmp.Compare(x, y)
		})
	}
	from, _ := strconv.Atoi(query.After)
	if from+query.Limit > 10_000 {
		return reply(request, 400, `{"status":"error","message":"There was a problem with the request."}`)
	}
	page := hits[min(from, len(hits)):min(from+query.Limit, len(hits))]
	next := ""
	if from+query.Limit < len(hits) {
		next = strconv.Itoa(from + query.Limit)
	}
	return p.page(request, object, page, query.Properties, nil, next, len(hits), 200)
}
