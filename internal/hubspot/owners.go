package hubspot

import (
	"context"
	"net/url"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
)

// ownerPage is the owners' page size; the guide gives 100 as the default.
const ownerPage = "100"

// Owners lists everyone who can own records, the archived ones as inactive.
// https://developers.hubspot.com/docs/api-reference/latest/crm/owners/guide
func (c *Client) Owners(ctx context.Context) ([]crm.Owner, error) {
	var owners []crm.Owner
	for _, archived := range []string{"false", "true"} {
		for after := ""; ; {
			query := url.Values{"limit": {ownerPage}, "archived": {archived}}
			if after != "" {
				query.Set("after", after)
			}
			var page struct {
				Results []struct {
					ID        string `json:"id"`
					Email     string `json:"email"`
					Type      string `json:"type"`
					FirstName string `json:"firstName"`
					LastName  string `json:"lastName"`
					Archived  bool   `json:"archived"`
				} `json:"results"`
				Paging paging `json:"paging"`
			}
			if err := c.get(ctx, c.paths.owners(), query, apicall.Into(&page)); err != nil {
				return nil, err
			}
			for _, o := range page.Results {
				owners = append(owners, crm.Owner{
					ID:     o.ID,
					Email:  o.Email,
					Name:   either(strings.TrimSpace(o.FirstName+" "+o.LastName), o.Email),
					Active: !o.Archived && archived == "false",
					Queue:  o.Type == "QUEUE",
				})
			}
			if after = page.Paging.Next.After; after == "" {
				break
			}
		}
	}
	return owners, nil
}

// paging is where the next page starts; After is empty on the last one.
type paging struct {
	Next struct {
		After string `json:"after"`
	} `json:"next"`
}
