package hubspot

import (
	"net/http"
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
)

// rates reads HubSpot's rate headers. Search answers carry the daily ones at most.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
func (c *Client) rates(header http.Header) apicall.Rates {
	rates := apicall.NoRates
	number := func(name string, into *int) {
		if n, err := strconv.Atoi(header.Get("X-HubSpot-RateLimit-" + name)); err == nil {
			*into = n
		}
	}
	number("Max", &rates.Limit)
	number("Remaining", &rates.Remaining)
	number("Daily", &rates.DayLimit)
	number("Daily-Remaining", &rates.DayLeft)
	millis := 0
	number("Interval-Milliseconds", &millis)
	rates.Period = time.Duration(millis) * time.Millisecond
	if rates.Limit > 0 && rates.Limit != c.window.Limit() {
		c.associations.SetLimit(associationLimit(rates.Limit))
	}
	return rates
}

// associationLimit is the association endpoints' own limit in ten seconds, by
// the account's general one.
// https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
func associationLimit(general int) int {
	switch {
	case general >= 250:
		return general - 50
	case general > 150:
		return 150
	}
	return general
}

// observe learns how far HubSpot's clock is from ours, since change searches
// are asked in HubSpot's time. The Date header knows seconds; what is within
// that and a round trip is no difference.
func (c *Client) observe(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	heard := time.Now()
	skew := date.Sub(heard)
	if skew > -3*time.Second && skew < 3*time.Second {
		skew = 0
	}
	c.mu.Lock()
	c.heard, c.skew = heard, skew
	c.mu.Unlock()
}

// now is the time at HubSpot: what it told last, and what has passed since then
// by the clock that nobody puts back or forward.
func (c *Client) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.heard.IsZero() {
		return time.Now()
	}
	return c.heard.Add(c.skew + time.Since(c.heard))
}
