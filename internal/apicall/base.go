package apicall

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// parseBase accepts https anywhere and http on loopback hosts only, since a
// bearer token travels in the clear on plain http.
func parseBase(raw string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil || base.Host == "" {
		return nil, fault.New(fault.Invalid, "the base URL of an account must look like https://host").
			WithMend("set base_url of the account to an address such as https://api.hubapi.com")
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fault.New(fault.Invalid, "the base URL for %s must hold a host and a path only", base.Hostname()).
			WithMend("take user, password and everything after ? or # out of base_url")
	}
	switch {
	case base.Scheme == "https":
	case base.Scheme == "http" && IsLoopback(base.Hostname()):
	default:
		return nil, fault.New(fault.Invalid, "the base URL for %s is not https, and the credential would travel readable for all", base.Hostname()).
			WithMend("use https; plain http is for 127.0.0.1, ::1 and localhost only")
	}
	return base, nil
}

// IsLoopback tells whether host (without a port) can only be this machine.
func IsLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// newHTTP copies client, or makes one, and refuses redirects: an API that
// redirects is not the API that the credential is for.
func newHTTP(client *http.Client, inFlight int) *http.Client {
	var own http.Client
	if client != nil {
		own = *client
	} else {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConns = 2 * inFlight
		transport.MaxIdleConnsPerHost = inFlight
		transport.IdleConnTimeout = 60 * time.Second
		transport.TLSHandshakeTimeout = 15 * time.Second
		transport.ExpectContinueTimeout = time.Second
		own.Transport = transport
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar = nil
	return &own
}
