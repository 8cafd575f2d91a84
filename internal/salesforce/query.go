package salesforce

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// pageRows is how many rows Salesforce puts on a page unless the rows are large.
	pageRows = 2_000
	// compositeQueries is how many queries or collections one composite call takes.
	// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm
	compositeQueries = 5
)

// pages runs q, with one further condition, and hands on page after page.
func (c *Client) pages(ctx context.Context, q query, more string, handle func(*page) error) error {
	if err := q.check(); err != nil {
		return err
	}
	p, err := c.firstPage(ctx, &q, q.soql(more))
	if err != nil {
		return err
	}
	return c.followPages(ctx, &q, p, handle)
}

func (c *Client) followPages(ctx context.Context, q *query, p *page, handle func(*page) error) error {
	for {
		if err := c.finishChildren(ctx, q, p); err != nil {
			return err
		}
		if err := c.attachRows(ctx, q, p); err != nil {
			return err
		}
		if err := c.fillPrices(ctx, q.layout, p.records, q.calls); err != nil {
			return err
		}
		if err := handle(p); err != nil {
			return err
		}
		if p.next == "" {
			return nil
		}
		var err error
		if p, err = c.nextPage(ctx, q, p.next); err != nil {
			return err
		}
	}
}

func (c *Client) firstPage(ctx context.Context, q *query, soql string) (*page, error) {
	if len(escape(soql)) > maxEncodedQuery {
		pages, err := c.compositePages(ctx, []*query{q}, []string{soql})
		if err != nil {
			return nil, err
		}
		return pages[0], nil
	}
	return c.page(ctx, q, apicall.Call{Method: http.MethodGet, Path: q.resource(), Query: url.Values{"q": {soql}}})
}

func (c *Client) nextPage(ctx context.Context, q *query, next string) (*page, error) {
	path, err := locator(next)
	if err != nil {
		return nil, err
	}
	return c.page(ctx, q, apicall.Call{Method: http.MethodGet, Path: path})
}

func (c *Client) page(ctx context.Context, q *query, call apicall.Call) (*page, error) {
	var p *page
	q.counted()
	err := c.do(ctx, call, func(_ int, header http.Header, body io.Reader) (err error) {
		if p, err = readPage(body, q); err == nil {
			p.serverMicros = serverMicros(header)
		}
		return err
	})
	return p, err
}

// locator checks the path of a further page before a token is sent there.
func locator(next string) (string, error) {
	if u, err := url.Parse(next); err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/services/data/") {
		return "", fault.New(fault.Unavailable, "Salesforce named a next page that is no page of a query")
	}
	return next, nil
}

// finishChildren reads what is left of the subqueries of a page.
func (c *Client) finishChildren(ctx context.Context, q *query, p *page) error {
	for _, unfinished := range p.children {
		for next := unfinished.next; next != ""; {
			path, err := locator(next)
			if err != nil {
				return err
			}
			q.counted()
			var more []crm.Relation
			err = c.do(ctx, apicall.Call{Method: http.MethodGet, Path: path}, func(_ int, _ http.Header, body io.Reader) error {
				more = nil
				var err error
				next, err = newRowReader(q).children(newDecoder(body), unfinished.junction, &more)
				return err
			})
			if err != nil {
				return err
			}
			record := &p.records[unfinished.record]
			record.Relations = append(record.Relations, more...)
		}
	}
	return nil
}

// attachRows reads the rows of those relations that no subquery brings along.
func (c *Client) attachRows(ctx context.Context, q *query, p *page) error {
	var live []string
	place := map[string]int{}
	for i := range q.junctions {
		if q.junctions[i].relationship != "" {
			continue
		}
		if live == nil {
			for k := range p.records {
				if !p.records[k].Archived {
					place[p.records[k].ID] = k
					live = append(live, p.records[k].ID)
				}
			}
		}
		if err := c.attach(ctx, &q.junctions[i], live, p.records, place, q.calls); err != nil {
			return err
		}
	}
	return nil
}

// queries runs several statements, five in a call, and hands on all their pages.
func (c *Client) queries(ctx context.Context, statements []query, handle func(*page) error) error {
	for i := range statements {
		if err := statements[i].check(); err != nil {
			return err
		}
	}
	if len(statements) == 1 {
		return c.pages(ctx, statements[0], "", handle)
	}
	for first := 0; first < len(statements); first += compositeQueries {
		batch := statements[first:min(first+compositeQueries, len(statements))]
		qs, texts := make([]*query, len(batch)), make([]string, len(batch))
		for i := range batch {
			qs[i], texts[i] = &batch[i], batch[i].soql("")
		}
		pages, err := c.compositePages(ctx, qs, texts)
		if err != nil {
			return err
		}
		for i, p := range pages {
			if err := c.followPages(ctx, qs[i], p, handle); err != nil {
				return err
			}
		}
	}
	return nil
}

// compositePages asks for the first pages of several statements in one call,
// which also takes statements that are too long for an address.
func (c *Client) compositePages(ctx context.Context, qs []*query, texts []string) ([]*page, error) {
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	parts := make([]compositePart, len(qs))
	for i, q := range qs {
		parts[i] = compositePart{Method: http.MethodGet, URL: s.data + q.resource() + "?q=" + escape(texts[i]), ReferenceID: reference(i)}
	}
	qs[0].counted()
	answers, err := c.composite(ctx, parts, apicall.ReadOnly)
	if err != nil {
		return nil, err
	}
	pages := make([]*page, len(qs))
	for i, answer := range answers {
		if answer.Status != http.StatusOK {
			return nil, answer.fault()
		}
		if pages[i], err = readPage(bytes.NewReader(answer.Body), qs[i]); err != nil {
			return nil, fault.New(fault.Unavailable, "Salesforce answered a query with something that cannot be read").Wrap(err)
		}
	}
	return pages, nil
}

// queryAllPages collects a small result.
func (c *Client) queryAllPages(ctx context.Context, q query) ([]crm.Record, error) {
	var rows []crm.Record
	err := c.pages(ctx, q, "", func(p *page) error {
		rows = append(rows, p.records...)
		return nil
	})
	return rows, err
}

// count asks for the number of rows.
func (c *Client) count(ctx context.Context, q *query) (int, error) {
	var answer struct {
		Total *int `json:"totalSize"`
	}
	q.counted()
	soql := "SELECT COUNT() FROM " + q.layout.Object + whereClause(q.where)
	err := c.do(ctx, apicall.Call{Method: http.MethodGet, Path: q.resource(), Query: url.Values{"q": {soql}}}, apicall.Into(&answer))
	if err != nil {
		return 0, err
	}
	if answer.Total == nil {
		return 0, fault.New(fault.Unavailable, "Salesforce did not count %s", q.layout.Object)
	}
	return *answer.Total, nil
}

// compositePart is one call inside a composite call.
type compositePart struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	ReferenceID string            `json:"referenceId"`
	Headers     map[string]string `json:"httpHeaders,omitempty"`
	Body        json.RawMessage   `json:"body,omitempty"`
}

// compositeAnswer is what became of one part.
type compositeAnswer struct {
	Body        json.RawMessage   `json:"body"`
	Headers     map[string]string `json:"httpHeaders"`
	Status      int               `json:"httpStatusCode"`
	ReferenceID string            `json:"referenceId"`
	// requestID is the vendor's id of the whole call.
	requestID string
	// repeated: an earlier attempt of the call may have had its effect.
	repeated bool
}

// fault says why a part was refused.
func (a *compositeAnswer) fault() *fault.Error {
	problems := parseProblems(a.Body)
	if len(problems) == 0 {
		kind := fault.Invalid
		if a.Status >= 500 || a.Status == 0 {
			kind = fault.Unavailable
		}
		e := fault.New(kind, "Salesforce answered a part of a composite call with status %d", a.Status)
		e.Status, e.RequestID = a.Status, a.requestID
		return e
	}
	e := problems[0].fault()
	e.Status, e.RequestID = a.Status, a.requestID
	return e
}

func reference(i int) string { return fmt.Sprintf("c%d", i) }

// composite makes one composite call, whose parts do not depend on each other,
// and returns one answer for each part in their order.
func (c *Client) composite(ctx context.Context, parts []compositePart, safety apicall.Safety) ([]compositeAnswer, error) {
	body, err := json.Marshal(struct {
		AllOrNone bool            `json:"allOrNone"`
		Parts     []compositePart `json:"compositeRequest"`
	}{false, parts})
	if err != nil {
		return nil, fault.New(fault.Internal, "a composite call cannot be written").Wrap(err)
	}
	var answer struct {
		Parts []compositeAnswer `json:"compositeResponse"`
	}
	requestID := ""
	lost := false
	err = c.do(ctx, apicall.Call{Method: http.MethodPost, Path: "/composite", Body: body, Safety: safety, Lost: &lost},
		func(status int, header http.Header, body io.Reader) error {
			requestID = requestIDOf(header)
			answer.Parts = nil
			return apicall.Into(&answer)(status, header, body)
		})
	if err != nil {
		return nil, err
	}
	// Parts may be answered in another order than they were asked in.
	ordered := make([]compositeAnswer, len(parts))
	for _, a := range answer.Parts {
		for i := range parts {
			if a.ReferenceID == parts[i].ReferenceID {
				a.requestID, a.repeated = requestID, lost
				ordered[i] = a
			}
		}
	}
	return ordered, nil
}

func requestIDOf(header http.Header) string {
	for _, name := range []string{"Sfdc-Request-Id", "X-Sfdc-Request-Id", "X-Request-Id"} {
		if id := header.Get(name); id != "" {
			return id
		}
	}
	return ""
}

func serverMicros(header http.Header) int64 {
	t, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return t.UnixMicro()
}
