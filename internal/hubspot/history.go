package hubspot

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// historyBatch is the most records of one batch read with histories.
// https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis
const historyBatch = 50

// FieldTimes tells when each of fields was last set on live records, and by
// whom, from the properties' histories: fifty records a call. Records that are
// not there, and properties without a history, are left out.
func (c *Client) FieldTimes(ctx context.Context, object string, ids, fields []string) (map[string]map[string]crm.FieldTime, error) {
	if isList(object) {
		return c.listTimes(ctx, ids, fields)
	}
	ids, fields = unique(ids), unique(fields)
	if len(ids) == 0 || len(fields) == 0 {
		return nil, nil
	}
	chunks := slices.Collect(slices.Chunk(ids, historyBatch))
	answers := make([]histories, len(chunks))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, chunk := range chunks {
		group.Go(func() error { return c.readHistories(ctx, object, chunk, fields, &answers[i]) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	times := make(map[string]map[string]crm.FieldTime, len(ids))
	for _, answer := range answers {
		for _, record := range answer.Results {
			times[record.ID] = map[string]crm.FieldTime{}
			for name, revisions := range record.History {
				if t := newest(revisions); t.Micros != 0 {
					times[record.ID][name] = t
				}
			}
		}
	}
	return times, nil
}

// historyPromised is how many revisions of a property HubSpot keeps at the least;
// of contacts it keeps 45. Where fewer came, they are all there ever were.
// https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide
const historyPromised = 20

// FieldHistory tells what fields of one live record were set to, oldest first, by
// field: in one call. whole tells of which fields no revision can be missing. A record
// that is not there, and a property without a history, have none.
func (c *Client) FieldHistory(ctx context.Context, object, id string, fields []string) (revisions map[string][]crm.FieldRevision, whole map[string]bool, err error) {
	if fields = unique(fields); isList(object) || len(fields) == 0 {
		return nil, nil, nil
	}
	var answer histories
	if err := c.readHistories(ctx, object, []string{id}, fields, &answer); err != nil {
		return nil, nil, err
	}
	revisions, whole = map[string][]crm.FieldRevision{}, map[string]bool{}
	for _, record := range answer.Results {
		if record.ID != id {
			continue
		}
		for name, list := range record.History {
			whole[name] = len(list) < historyPromised
			for _, r := range list {
				if r.Timestamp.IsZero() {
					whole[name] = false
					continue
				}
				revisions[name] = append(revisions[name], crm.FieldRevision{Value: crm.Text(r.Value), FieldTime: crm.FieldTime{Micros: r.Timestamp.UnixMicro(), By: r.by()}})
			}
			// Newest first, as HubSpot lists them; of one millisecond the order stays.
			slices.Reverse(revisions[name])
			slices.SortStableFunc(revisions[name], func(a, b crm.FieldRevision) int { return cmp.Compare(a.Micros, b.Micros) })
		}
	}
	return revisions, whole, nil
}

type histories struct {
	Results []struct {
		ID      string                `json:"id"`
		History map[string][]revision `json:"propertiesWithHistory"`
	} `json:"results"`
}

type revision struct {
	Value     string    `json:"value"`
	Timestamp time.Time `json:"timestamp"`
	Source    string    `json:"sourceType"`
	SourceID  string    `json:"sourceId"`
	Label     string    `json:"sourceLabel"`
}

func (c *Client) readHistories(ctx context.Context, object string, ids, fields []string, into *histories) error {
	inputs := make([]batchInput, len(ids))
	for i, id := range ids {
		inputs[i].ID = id
	}
	body, err := marshal(map[string]any{"inputs": inputs, "properties": []string{idProperty}, "propertiesWithHistory": fields})
	if err != nil {
		return err
	}
	return c.post(ctx, c.paths.batch(object, "read"), nil, body, apicall.ReadOnly, func(_ int, _ http.Header, body io.Reader) error {
		if err := json.NewDecoder(body).Decode(into); err != nil {
			return fault.New(fault.Unavailable, "HubSpot's answer with property histories cannot be read").Wrap(err)
		}
		return nil
	})
}

// newest is the latest of a property's revisions; HubSpot lists it first, and
// that is not relied on.
func newest(revisions []revision) crm.FieldTime {
	var t crm.FieldTime
	for _, r := range revisions {
		if micros := r.Timestamp.UnixMicro(); !r.Timestamp.IsZero() && micros > t.Micros {
			t = crm.FieldTime{Micros: micros, By: r.by()}
		}
	}
	return t
}

// by names who set a value: the label that HubSpot shows, else the kind of the
// source with its id.
func (r revision) by() string {
	if r.Label != "" {
		return r.Label
	}
	kind := strings.ToLower(strings.ReplaceAll(r.Source, "_", " "))
	switch {
	case strings.HasPrefix(r.SourceID, "userId:"):
		return "HubSpot user " + strings.TrimPrefix(r.SourceID, "userId:")
	case r.SourceID != "":
		return strings.TrimSpace(kind + " " + r.SourceID)
	}
	return kind
}
