package salesforce

import (
	"context"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// FieldTimes tells when live records were last changed by a person or a program,
// and by whom: Salesforce keeps no time for a field (only for the few that an
// administrator tracks), so each field has that of its record. Records that are
// not there are left out.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/system_fields.htm
func (c *Client) FieldTimes(ctx context.Context, object string, ids, fields []string) (map[string]map[string]crm.FieldTime, error) {
	if len(ids) == 0 || len(fields) == 0 {
		return nil, nil
	}
	records, err := c.Lookup(ctx, crm.Read{Layout: crm.NewLayout(object, []string{"LastModifiedDate", "LastModifiedById"})}, ids)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	owners, err := c.Owners(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range owners {
		names[o.ID] = o.Name
	}
	times := make(map[string]map[string]crm.FieldTime, len(records))
	for i := range records {
		r := &records[i]
		if r.Archived {
			continue
		}
		t := crm.FieldTime{Micros: parseStamp(r.Value("LastModifiedDate").Text), OfRecord: true}
		if by, ok := ID18(r.Value("LastModifiedById").Text); ok {
			if t.By = names[by]; t.By == "" {
				t.By = "Salesforce user " + by
			}
		}
		times[r.ID] = make(map[string]crm.FieldTime, len(fields))
		for _, field := range fields {
			times[r.ID][field] = t
		}
	}
	return times, nil
}
