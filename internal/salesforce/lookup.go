package salesforce

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// lookupIDs is how many records one retrieve takes.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_retrieve.htm
const lookupIDs = 2_000

// Lookup reads records by id, 2,000 a call, in the order of ids with repeats
// left out. What is not there comes back with Archived set; a merged record
// names its survivor, where the object has merges.
func (c *Client) Lookup(ctx context.Context, read crm.Read, ids []string) ([]crm.Record, error) {
	calls := 0
	return c.lookup(ctx, read, ids, &calls)
}

func (c *Client) lookup(ctx context.Context, read crm.Read, ids []string, calls *int) ([]crm.Record, error) {
	junctions, err := relationsOf(read)
	if err != nil {
		return nil, err
	}
	if err := validObject(read.Layout.Object); err != nil {
		return nil, err
	}
	records := make([]crm.Record, 0, len(ids))
	place := make(map[string]int, len(ids))
	var wanted []string
	for _, id := range ids {
		long, ok := ID18(id)
		if !ok {
			long = id // no record has such an id
		}
		if _, twice := place[long]; twice {
			continue
		}
		place[long] = len(records)
		records = append(records, crm.Record{Layout: read.Layout, ID: long, Archived: true})
		if ok {
			wanted = append(wanted, long)
		}
	}
	for first := 0; first < len(wanted); first += lookupIDs {
		found, err := c.retrieve(ctx, read.Layout, wanted[first:min(first+lookupIDs, len(wanted))], calls)
		if err != nil {
			return nil, err
		}
		if err := c.fillPrices(ctx, read.Layout, found, calls); err != nil {
			return nil, err
		}
		for _, r := range found {
			if at, asked := place[r.ID]; asked {
				records[at] = r
			}
		}
	}
	if err := c.findArchived(ctx, read.Layout, records, place, calls); err != nil {
		return nil, err
	}
	var gone, live []string
	for _, id := range wanted {
		if records[place[id]].Archived {
			gone = append(gone, id)
		} else {
			live = append(live, id)
		}
	}
	if err := c.followMerges(ctx, read.Layout.Object, gone, records, place, calls); err != nil {
		return nil, err
	}
	for i := range junctions {
		if err := c.attach(ctx, &junctions[i], live, records, place, calls); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// Relations reads the rows of the relations of records by id, about two thousand
// ids a call.
func (c *Client) Relations(ctx context.Context, read crm.Read, ids []string) (records []crm.Record, calls int, err error) {
	junctions, err := relationsOf(read)
	if err != nil {
		return nil, 0, err
	}
	records = make([]crm.Record, 0, len(ids))
	place := make(map[string]int, len(ids))
	var near []string
	for _, id := range ids {
		if _, twice := place[longID(id)]; twice {
			continue
		}
		place[longID(id)] = len(records)
		records = append(records, crm.Record{Layout: read.Layout, ID: longID(id)})
		if long, ok := ID18(id); ok {
			near = append(near, long)
		}
	}
	for i := range junctions {
		if err := c.attach(ctx, &junctions[i], near, records, place, &calls); err != nil {
			return nil, calls, err
		}
	}
	return records, calls, nil
}

// retrieve reads up to 2,000 records; those that are not there are left out.
func (c *Client) retrieve(ctx context.Context, layout *crm.Layout, ids []string, calls *int) ([]crm.Record, error) {
	q := query{layout: layout, calls: calls}
	if err := q.check(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string][]string{"ids": ids, "fields": q.columns()})
	if err != nil {
		return nil, fault.New(fault.Internal, "a lookup cannot be written").Wrap(err)
	}
	var found []crm.Record
	q.counted()
	call := apicall.Call{Method: http.MethodPost, Path: "/composite/sobjects/" + url.PathEscape(layout.Object), Body: body, Safety: apicall.ReadOnly}
	err = c.do(ctx, call, func(_ int, _ http.Header, body io.Reader) error {
		p, err := readRecords(body, &q)
		if err != nil {
			return err
		}
		found = p.records[:0]
		for _, r := range p.records {
			if r.ID != "" {
				found = append(found, r)
			}
		}
		return nil
	})
	return found, err
}

// followMerges asks what became of records that are gone.
func (c *Client) followMerges(ctx context.Context, object string, gone []string, records []crm.Record, place map[string]int, calls *int) error {
	if len(gone) == 0 {
		return nil
	}
	d, err := c.schema(ctx, object)
	if err != nil || !d.merges {
		return err
	}
	q := query{layout: crm.NewLayout(object, nil), all: true, merges: true, calls: calls}
	return c.queries(ctx, q.membership("Id", quoteAll(gone)), func(p *page) error {
		for _, r := range p.records {
			if at, asked := place[r.ID]; asked && r.Archived {
				records[at].MergedInto = r.MergedInto
				records[at].ModifiedMicros = r.ModifiedMicros
			}
		}
		return nil
	})
}

// attach reads the rows of a relation of live records.
func (c *Client) attach(ctx context.Context, j *junction, live []string, records []crm.Record, place map[string]int, calls *int) error {
	return c.junctionRows(ctx, j, live, calls, func(near string, relation crm.Relation) {
		if at, asked := place[near]; asked {
			records[at].Relations = append(records[at].Relations, relation)
		}
	})
}

// junctionRows reads the rows of a relation of these near records.
func (c *Client) junctionRows(ctx context.Context, j *junction, near []string, calls *int, handle func(near string, relation crm.Relation)) error {
	if len(near) == 0 {
		return nil
	}
	q := query{layout: j.layout(), order: "Id", calls: calls}
	return c.queries(ctx, q.membership(j.nearField, quoteAll(near)), func(p *page) error {
		for i := range p.records {
			if near, relation := j.relation(&p.records[i]); relation.ID != "" {
				handle(longID(near), relation)
			}
		}
		return nil
	})
}

func quoteAll(ids []string) []string {
	quoted := make([]string, len(ids))
	for i, id := range ids {
		quoted[i] = quote(id)
	}
	return quoted
}

// Find reads live records whose field equals one of values, as Salesforce
// compares: texts without regard to case. Values that no record can hold are
// left out. fault.Invalid when the field cannot stand in a WHERE clause.
func (c *Client) Find(ctx context.Context, read crm.Read, field string, values []string) ([]crm.Record, error) {
	var report crm.ReadReport
	q, d, err := c.start(ctx, read, &report)
	if err != nil {
		return nil, err
	}
	described := d.fields[field]
	if described == nil || !described.Filterable {
		return nil, fault.New(fault.Invalid, "Salesforce cannot search %s by %q", read.Layout.Object, field).
			WithMend("match by another field: long text areas and encrypted fields cannot be searched")
	}
	literals := make([]string, 0, len(values))
	for _, value := range values {
		if text, ok := literal(described.Kind, value); ok && value != "" {
			literals = append(literals, text)
		}
	}
	if len(literals) == 0 {
		return nil, nil
	}
	q.order = "Id"
	var found []crm.Record
	seen := map[string]bool{}
	err = c.queries(ctx, q.membership(field, literals), func(p *page) error {
		for _, r := range p.records {
			// Two statements may find one record: values differ, their folded case does not.
			if !seen[r.ID] {
				seen[r.ID] = true
				found = append(found, r)
			}
		}
		return nil
	})
	return found, err
}

// findArchived looks for activities that Salesforce has put into its archive
// after a year: a plain retrieve may not show them, and they are not gone.
func (c *Client) findArchived(ctx context.Context, layout *crm.Layout, records []crm.Record, place map[string]int, calls *int) error {
	if !archives(layout.Object) {
		return nil
	}
	var missing []string
	for id, at := range place {
		if _, ok := ID18(id); ok && records[at].Archived {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	q := query{layout: layout, all: true, where: notDeleted, order: "Id", calls: calls}
	return c.queries(ctx, q.membership("Id", quoteAll(missing)), func(p *page) error {
		for _, r := range p.records {
			if at, asked := place[r.ID]; asked {
				records[at] = r
			}
		}
		return nil
	})
}
