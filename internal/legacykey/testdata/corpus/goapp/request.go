package main

import (
	"context"
	"io"
	"net/http"
)

const HubSpotAPIKey = "00000000-fa4e-4000-8000-000000000005"

// company reads one company as it is.
func company(ctx context.Context, id string) ([]byte, error) {
	url := "https://api.hubapi.com/companies/v2/companies/" + id + "?hapikey=" + HubSpotAPIKey
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}
