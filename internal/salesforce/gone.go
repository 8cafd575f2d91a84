package salesforce

import (
	"context"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Gone streams the records that were created at or after createdMicros (UTC, to
// the second) and are in the recycle bin, merged ones with MergedInto, with the
// values that they had. They stay there for 15 days.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_queryall.htm
func (c *Client) Gone(ctx context.Context, read crm.Read, createdMicros int64, yield func([]crm.Record) error) error {
	var report crm.ReadReport
	q, d, err := c.start(ctx, crm.Read{Layout: read.Layout}, &report)
	if err != nil {
		return err
	}
	if q.where == notDeleted {
		q.where = ""
	}
	q.all, q.merges, q.order = true, d.merges, "Id"
	gone := "IsDeleted = true AND CreatedDate >= " + since(createdMicros)
	last := ""
	return c.restarting(ctx, q, func() string {
		if last == "" {
			return gone
		}
		return gone + " AND Id > " + quote(last)
	}, func(p *page) error {
		if len(p.records) == 0 {
			return nil
		}
		last = p.records[len(p.records)-1].ID
		return yield(p.records)
	})
}
