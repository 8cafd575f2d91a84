package hubspot

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// atOnce is how many batches of one call are under way at a time.
const atOnce = 8

// Lookup reads records by id, a hundred a call, in the order asked. An id that
// is archived or was never there comes back with Archived set and no values; one
// that was merged away comes with MergedInto as well. What took others in names them.
func (c *Client) Lookup(ctx context.Context, read crm.Read, ids []string) ([]crm.Record, error) {
	if isList(read.Layout.Object) {
		return c.lookupLists(ctx, read, ids)
	}
	ids = unique(ids)
	found, err := c.readBatches(ctx, read, ids, "", false)
	if err != nil {
		return nil, err
	}
	if err := c.relationsFor(ctx, found, read); err != nil {
		return nil, err
	}
	byID := indexByID(found)
	records := make([]crm.Record, 0, len(ids))
	var missing []string
	for _, id := range ids {
		if record := byID[id]; record != nil {
			records = append(records, *record)
			continue
		}
		missing = append(missing, id)
		records = append(records, crm.Record{Layout: read.Layout, ID: id, Archived: true})
	}
	if len(missing) == 0 {
		return records, nil
	}
	merged, err := c.mergedInto(ctx, read.Layout.Object, missing)
	if err != nil {
		return nil, err
	}
	for i := range records {
		records[i].MergedInto = merged[records[i].ID]
	}
	return records, nil
}

// mergedInto tells, for ids that no live record has, which record answers to
// them now. Archived ones are told apart first, a hundred a call; only what is
// left is asked for one by one, since HubSpot follows a merge only there.
// https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis
func (c *Client) mergedInto(ctx context.Context, object string, ids []string) (map[string]string, error) {
	read := crm.Read{Layout: crm.NewLayout(object, nil)}
	archived, err := c.readBatches(ctx, read, ids, "", true)
	if err != nil {
		return nil, err
	}
	known := indexByID(archived)
	answers := make([]string, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, id := range ids {
		if known[id] != nil || number(id) == 0 {
			continue
		}
		group.Go(func() error {
			record, err := c.readOne(ctx, read, id)
			if fault.KindOf(err) == fault.NotFound {
				return nil
			}
			if err == nil && record.ID != id {
				answers[i] = record.ID
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	merged := map[string]string{}
	for i, id := range ids {
		if answers[i] != "" {
			merged[id] = answers[i]
		}
	}
	return merged, nil
}

func (c *Client) readOne(ctx context.Context, read crm.Read, id string) (crm.Record, error) {
	var record crm.Record
	query := url.Values{"properties": {idProperty}}
	err := c.get(ctx, c.paths.object(read.Layout.Object, id), query, func(_ int, _ http.Header, body io.Reader) (err error) {
		record, err = decodeRecord(body, read)
		return err
	})
	return record, err
}

// readBatches reads any number of records by id or by a unique property.
func (c *Client) readBatches(ctx context.Context, read crm.Read, keys []string, by string, archived bool) ([]crm.Record, error) {
	chunks := slices.Collect(slices.Chunk(keys, batchSize))
	pages := make([]*page, len(chunks))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, chunk := range chunks {
		group.Go(func() (err error) {
			pages[i], err = c.readBatch(ctx, read, chunk, by, archived)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var records []crm.Record
	for _, p := range pages {
		records = append(records, p.records...)
	}
	return records, nil
}

// Find reads the live records whose property equals one of values, as HubSpot
// compares: without regard to case, except options. A contact's e-mail and
// unique properties are read by batch, which knows no index lag; all else is
// searched, up to a hundred values a call. A contact is also found by its
// additional e-mails; its email property then holds another one.
func (c *Client) Find(ctx context.Context, read crm.Read, field string, values []string) ([]crm.Record, error) {
	if isList(read.Layout.Object) {
		return c.findLists(ctx, read, field, values)
	}
	values = unique(values)
	if len(values) == 0 {
		return nil, nil
	}
	if field == idProperty {
		records, err := c.Lookup(ctx, read, values)
		return slices.DeleteFunc(records, func(r crm.Record) bool { return r.Archived }), err
	}
	contactEmail := field == "email" && typeID(read.Layout.Object) == "0-1"
	unfolded := false
	if !contactEmail {
		schema, err := c.schema(ctx, read.Layout.Object)
		if err != nil {
			return nil, err
		}
		f := schema.Field(field)
		if f == nil {
			return nil, fault.New(fault.Invalid, "HubSpot %s have no property %q to find records by", read.Layout.Object, field).
				WithMend("take a property that lockstep check lists")
		}
		if f.Unique {
			return c.findByKey(ctx, read, field, values)
		}
		unfolded = !strings.HasPrefix(f.Type, "string/")
	}
	if contactEmail {
		return c.findByKey(ctx, read, field, values)
	}
	if !unfolded {
		for i, value := range values {
			values[i] = strings.ToLower(value)
		}
		values = unique(values)
	}
	return c.findBySearch(ctx, read, field, values)
}

func (c *Client) findByKey(ctx context.Context, read crm.Read, field string, values []string) ([]crm.Record, error) {
	records, err := c.readBatches(ctx, read, values, field, false)
	if err != nil {
		return nil, err
	}
	records = uniqueRecords(records)
	return records, c.relationsFor(ctx, records, read)
}

func (c *Client) findBySearch(ctx context.Context, read crm.Read, field string, values []string) ([]crm.Record, error) {
	l := c.newLister(read)
	var records []crm.Record
	for len(values) > 0 {
		n := fitting(field, values)
		found, err := l.findAny(ctx, field, values[:n])
		if err != nil {
			return nil, err
		}
		records = append(records, found...)
		values = values[n:]
	}
	records = uniqueRecords(records)
	return records, c.relationsFor(ctx, records, read)
}

// findAny pages through the records that hold one of the values, by id, so that
// neither the cap of 10,000 nor an edit meanwhile loses one.
func (l *lister) findAny(ctx context.Context, field string, values []string) ([]crm.Record, error) {
	var records []crm.Record
	for id := "0"; ; {
		p, err := l.search(ctx, search{
			Groups: where(
				filter{Property: field, Operator: "IN", Values: values},
				filter{Property: idProperty, Operator: "GT", Value: id}),
			Sorts: ascending(idProperty),
			Limit: searchPage,
		})
		if err != nil {
			return nil, err
		}
		records = append(records, p.records...)
		if len(p.records) < searchPage {
			return records, nil
		}
		id = p.records[len(p.records)-1].ID
	}
}

// queryFrame is what a search's body holds besides its values and properties.
const queryFrame = 300

// fitting is how many of the values one search can hold, at least one.
func fitting(field string, values []string) int {
	length := queryFrame + len(field)
	for i, value := range values {
		length += 2*len(value) + 3 // a character may need escaping
		if i > 0 && (length > searchBody || i == searchValues) {
			return i
		}
	}
	return len(values)
}

// unique drops blank and repeated values, keeping the order, in a new slice.
func unique(values []string) []string {
	seen := make(map[string]bool, len(values))
	kept := make([]string, 0, len(values))
	for _, value := range values {
		if value != "" && !seen[value] {
			seen[value] = true
			kept = append(kept, value)
		}
	}
	return kept
}

func uniqueRecords(records []crm.Record) []crm.Record {
	seen := make(map[string]bool, len(records))
	return slices.DeleteFunc(records, func(r crm.Record) bool {
		again := seen[r.ID] || r.Archived
		seen[r.ID] = true
		return again
	})
}

func indexByID(records []crm.Record) map[string]*crm.Record {
	byID := make(map[string]*crm.Record, len(records))
	for i := range records {
		byID[records[i].ID] = &records[i]
	}
	return byID
}
