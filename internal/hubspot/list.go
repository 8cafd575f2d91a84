package hubspot

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	listPage = 100 // records in one list page
	// batchSize is the number of inputs in any object batch.
	batchSize = 100
	// queryLength is the longest query that a list call is given. HubSpot answers
	// 414 near 16,000 characters, and proxies on the way give up near 8,000.
	queryLength = 6000
	idProperty  = "hs_object_id"
)

// lister reads one object's list or search with the properties of one read.
type lister struct {
	client *Client
	read   crm.Read
	// thin lists travel without properties, which are then read in batches.
	thin bool
}

func (c *Client) newLister(read crm.Read) *lister {
	l := &lister{client: c, read: read}
	l.thin = len(l.query("18446744073709551615").Encode()) > queryLength
	return l
}

func (l *lister) query(after string) url.Values {
	query := url.Values{"limit": {strconv.Itoa(listPage)}, "archived": {"false"}}
	if l.thin || len(l.read.Layout.Fields) == 0 {
		query.Set("properties", idProperty)
	} else {
		query.Set("properties", strings.Join(l.read.Layout.Fields, ",")+","+mergedProperty)
	}
	if len(l.read.Relations) > 0 {
		query.Set("associations", strings.Join(l.read.Relations, ","))
	}
	if after != "" {
		query.Set("after", after)
	}
	return query
}

// list reads the page of the list that starts at the cursor after.
func (l *lister) list(ctx context.Context, after string) (*page, error) {
	p := new(page)
	err := l.client.get(ctx, l.client.paths.objects(l.read.Layout.Object), l.query(after), func(_ int, _ http.Header, body io.Reader) error {
		return decodePage(body, l.read, p)
	})
	if err != nil {
		return nil, err
	}
	if err := l.client.completeRelations(ctx, p, l.read); err != nil {
		return nil, err
	}
	if l.thin {
		err = l.fatten(ctx, p)
	}
	return p, err
}

// fatten reads the properties of a thin page.
func (l *lister) fatten(ctx context.Context, p *page) error {
	ids := make([]string, len(p.records))
	for i := range p.records {
		ids[i] = p.records[i].ID
	}
	for chunk := range slices.Chunk(ids, batchSize) {
		full, err := l.client.readBatch(ctx, crm.Read{Layout: l.read.Layout}, chunk, "", false)
		if err != nil {
			return err
		}
		byID := make(map[string]*crm.Record, len(full.records))
		for i := range full.records {
			byID[full.records[i].ID] = &full.records[i]
		}
		for i := range p.records {
			if record := byID[p.records[i].ID]; record != nil {
				record.Relations = p.records[i].Relations
				p.records[i] = *record
			}
		}
	}
	return nil
}

// readBatch reads up to batchSize records by id, or by the value of a unique
// property when by is set. Those that are not there are missing in the page.
func (c *Client) readBatch(ctx context.Context, read crm.Read, keys []string, by string, archived bool) (*page, error) {
	type input struct {
		ID string `json:"id"`
	}
	request := struct {
		Properties []string `json:"properties"`
		By         string   `json:"idProperty,omitempty"`
		Inputs     []input  `json:"inputs"`
	}{Properties: append(slices.Clone(read.Layout.Fields), mergedProperty), By: by}
	for _, key := range keys {
		request.Inputs = append(request.Inputs, input{key})
	}
	body, err := marshal(request)
	if err != nil {
		return nil, err
	}
	var query url.Values
	if archived {
		query = url.Values{"archived": {"true"}}
	}
	p := new(page)
	err = c.post(ctx, c.paths.batch(read.Layout.Object, "read"), query, body, apicall.ReadOnly, func(_ int, _ http.Header, body io.Reader) error {
		return decodePage(body, read, p)
	})
	if err != nil {
		return nil, err
	}
	for i := range p.refusals {
		if kind := p.refusals[i].kind(); kind != fault.NotFound && kind != fault.Invalid {
			return nil, p.refusals[i].asFault("HubSpot refused to read some " + read.Layout.Object)
		}
	}
	return p, nil
}

// marshal writes JSON without escaping what is no danger in it.
func marshal(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fault.New(fault.Internal, "a call to HubSpot cannot be written as JSON").Wrap(err)
	}
	return bytes.TrimRight(text.Bytes(), "\n"), nil
}
