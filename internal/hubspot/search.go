package hubspot

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Search's own limits. https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
const (
	searchPage   = 200
	searchWindow = 10_000 // results of one query that can be paged to
	searchBody   = 3_000  // characters of one query
	searchValues = 100    // values of one IN filter
)

type filter struct {
	Property string   `json:"propertyName"`
	Operator string   `json:"operator"`
	Value    string   `json:"value,omitempty"`
	Values   []string `json:"values,omitempty"`
}

type search struct {
	Groups     []filterGroup `json:"filterGroups,omitempty"`
	Sorts      []sort        `json:"sorts,omitempty"`
	Properties []string      `json:"properties,omitempty"`
	Limit      int           `json:"limit"`
	After      string        `json:"after,omitempty"`
}

type filterGroup struct {
	Filters []filter `json:"filters"`
}

type sort struct {
	Property  string `json:"propertyName"`
	Direction string `json:"direction"`
}

func where(filters ...filter) []filterGroup { return []filterGroup{{Filters: filters}} }

func ascending(property string) []sort { return []sort{{property, "ASCENDING"}} }

func descending(property string) []sort { return []sort{{property, "DESCENDING"}} }

// search asks one page. Properties are those of read; where they make the query
// too long they are read in batches instead. Relations are not read.
func (l *lister) search(ctx context.Context, query search) (*page, error) {
	query.Properties = append(l.read.Layout.Fields[:len(l.read.Layout.Fields):len(l.read.Layout.Fields)], mergedProperty)
	body, err := marshal(query)
	if err != nil {
		return nil, err
	}
	thin := len(body) > searchBody
	if thin {
		query.Properties = []string{idProperty, mergedProperty}
		if body, err = marshal(query); err != nil {
			return nil, err
		}
	}
	p, err := l.client.search(ctx, l.read, body)
	if err == nil && thin && len(l.read.Layout.Fields) > 0 {
		err = l.fatten(ctx, p)
	}
	return p, err
}

// search asks one page with a body that is ready.
func (c *Client) search(ctx context.Context, read crm.Read, body []byte) (*page, error) {
	p := new(page)
	err := c.post(ctx, c.paths.search(read.Layout.Object), nil, body, apicall.ReadOnly, func(_ int, _ http.Header, body io.Reader) error {
		return decodePage(body, read, p)
	}, c.searches)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// probeID asks a search for one id only: the total, and the id at an offset.
func (c *Client) probeID(ctx context.Context, object string, groups []filterGroup, sorts []sort, offset int) (id uint64, total int, err error) {
	query := search{Groups: groups, Sorts: sorts, Properties: []string{idProperty}, Limit: 1}
	if offset > 0 {
		query.After = strconv.Itoa(offset)
	}
	body, err := marshal(query)
	if err != nil {
		return 0, 0, err
	}
	p, err := c.search(ctx, crm.Read{Layout: crm.NewLayout(object, nil)}, body)
	if err != nil {
		return 0, 0, err
	}
	if len(p.records) > 0 {
		id = number(p.records[0].ID)
	}
	return id, p.total, nil
}

// count is the number of live records that the search index knows.
func (c *Client) count(ctx context.Context, object string) (int, error) {
	_, total, err := c.probeID(ctx, object, nil, descending(idProperty), 0)
	return total, err
}

// number reads an id; 0 when it is none.
func number(id string) uint64 {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
