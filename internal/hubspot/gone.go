package hubspot

import (
	"context"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Gone streams the records that were created at or after createdMicros (UTC, to the
// millisecond) and are archived, with the values that they had. HubSpot keeps them
// for 90 days; a search never shows them, so the list of all that are archived is
// gone through, 100 a call, and those that are young enough are read by id. Of lists
// nothing is told.
// https://developers.hubspot.com/docs/api-reference/crm-objects-v3/guide
func (c *Client) Gone(ctx context.Context, read crm.Read, createdMicros int64, yield func([]crm.Record) error) error {
	if isList(read.Layout.Object) {
		return nil
	}
	read = crm.Read{Layout: read.Layout}
	after := ""
	for {
		p, err := c.archivedPage(ctx, read.Layout, after)
		if err != nil {
			return err
		}
		var ids []string
		for i := range p.records {
			if p.records[i].CreatedMicros >= createdMicros {
				ids = append(ids, p.records[i].ID)
			}
		}
		if len(ids) > 0 {
			full, err := c.readBatch(ctx, read, ids, "", true)
			if err != nil {
				return err
			}
			for i := range full.records {
				full.records[i].Archived = true
			}
			if err := yield(full.records); err != nil {
				return err
			}
		}
		if after = p.after; after == "" {
			return nil
		}
	}
}
