package diagnose

import (
	"net/url"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Exchange is one call and its answer, as far as they were recorded. Every part
// may be missing.
type Exchange struct {
	// Name of the call where the record gives one (a request of a collection).
	Name   string
	Method string
	URL    string
	// Sent and Received are the headers of the request and of the answer.
	Sent     []Header
	Received []Header
	// SentBody is the request's, Body the answer's.
	SentBody string
	// Status of the answer; 0 when none was recorded.
	Status int
	Body   string
	// Trouble is what the program said in place of an answer:
	// "Could not resolve host: api.hubapi.com".
	Trouble string
}

// Header is one header line.
type Header struct{ Name, Value string }

// header returns the first value of a header, in any case.
func header(headers []Header, name string) (string, bool) {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value, true
		}
	}
	return "", false
}

// address is the URL taken apart; never nil. A host without a scheme counts.
func (e *Exchange) address() *url.URL {
	text := strings.TrimSpace(e.URL)
	if text != "" && !strings.Contains(text, "://") && !strings.HasPrefix(text, "/") {
		text = "https://" + text
	}
	if u, err := url.Parse(text); err == nil {
		return u
	}
	u, _ := url.Parse("")
	return u
}

func (e *Exchange) host() string {
	if host := e.address().Hostname(); host != "" {
		return strings.ToLower(host)
	}
	host, _ := header(e.Sent, "Host")
	host, _, _ = strings.Cut(host, ":")
	return strings.ToLower(host)
}

// empty tells whether nothing was recorded that could be judged.
func (e *Exchange) empty() bool {
	return e.URL == "" && e.Status == 0 && strings.TrimSpace(e.Body) == "" && e.Trouble == "" && len(e.Sent) == 0
}

// vendor tells whose call it was; false when nothing shows it.
func (e *Exchange) vendor() (crm.Side, bool) {
	host, path := e.host(), e.address().Path
	under := func(names ...string) bool {
		for _, name := range names {
			if host == name || strings.HasSuffix(host, "."+name) {
				return true
			}
		}
		return false
	}
	switch {
	case under("hubapi.com", "hubspot.com"):
		return crm.HubSpot, true
	case under("salesforce.com", "force.com", "salesforce-setup.com"):
		return crm.Salesforce, true
	case strings.HasPrefix(path, "/services/"):
		return crm.Salesforce, true
	case strings.HasPrefix(path, "/crm/"), strings.HasPrefix(path, "/oauth/"), strings.HasPrefix(path, "/account-info/"), strings.HasPrefix(path, "/automation/"), strings.HasPrefix(path, "/webhooks/"):
		return crm.HubSpot, true
	}
	for _, h := range e.Received {
		name := strings.ToLower(h.Name)
		switch {
		case strings.HasPrefix(name, "x-hubspot-"):
			return crm.HubSpot, true
		case name == "sforce-limit-info", strings.HasPrefix(name, "x-sfdc-"):
			return crm.Salesforce, true
		}
	}
	return vendorOfBody(e.Body)
}
