package credential

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// ValidateBaseURL checks an address that credentials will be sent to and
// returns it without a trailing slash. It must be https, or http on this
// machine's loopback; it has no user, no query and no fragment. Errors are
// fault.Invalid and never repeat a password that stood in the address.
func ValidateBaseURL(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" {
		return "", fault.New(fault.Invalid, "this is not the address of an API").
			WithMend("write it whole, such as https://api.hubapi.com or https://acme.my.salesforce.com")
	}
	if u.User != nil {
		return "", fault.New(fault.Invalid, "the address of %s holds a user name or password", u.Host).
			WithMend("leave out everything before the @: credentials are never part of an address")
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", fault.New(fault.Invalid, "the address of %s holds a query or a fragment", u.Host).
			WithMend("leave out everything from the ? or # on")
	}
	switch u.Scheme {
	case "https":
	case "http":
		if !IsLoopback(u.Hostname()) {
			return "", fault.New(fault.Invalid, "http://%s would send credentials unprotected", u.Host).
				WithMend("use https://%s; plain http is taken only for 127.0.0.1, [::1] and localhost", u.Host)
		}
	default:
		return "", fault.New(fault.Invalid, "%s:// is not a way to reach an API", u.Scheme).
			WithMend("use https://%s", u.Host)
	}
	host := strings.ToLower(u.Hostname())
	if strings.HasSuffix(host, ".lightning.force.com") {
		return "", fault.New(fault.Invalid, "%s is the address of the Salesforce pages, not of its API", host).
			WithMend("use %s.my.salesforce.com (Setup > My Domain shows it)", strings.TrimSuffix(host, ".lightning.force.com"))
	}
	if strings.HasSuffix(host, ".salesforce-setup.com") {
		return "", fault.New(fault.Invalid, "%s is the address of Salesforce Setup, not of its API", host).
			WithMend("use %s.salesforce.com", strings.TrimSuffix(host, ".salesforce-setup.com"))
	}
	if host == "app.hubspot.com" || strings.HasPrefix(host, "app-") && strings.HasSuffix(host, ".hubspot.com") {
		return "", fault.New(fault.Invalid, "%s is the address of the HubSpot pages, not of its API", host).
			WithMend("use %s", DefaultHubSpotBaseURL)
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/"), nil
}

// HubSpotAuthorizeURL checks the address of HubSpot's authorize page; for an
// empty one it returns the page that goes with an API at baseURL. The page may
// be on HubSpot's own pages (app.hubspot.com, app-eu1.hubspot.com), on a proxy,
// or on this machine.
func HubSpotAuthorizeURL(page, baseURL string) (string, error) {
	if page == "" {
		if u, err := url.Parse(baseURL); err == nil && IsLoopback(u.Hostname()) {
			return origin(baseURL) + "/oauth/authorize", nil
		}
		return DefaultHubSpotAuthorizeURL, nil
	}
	u, err := url.Parse(strings.TrimSpace(page))
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())) {
		return "", fault.New(fault.Invalid, "this is not the address of an authorize page").
			WithMend("write it whole and without a query: %s, or https://app-eu1.hubspot.com/oauth/authorize", DefaultHubSpotAuthorizeURL)
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath(), nil
}

// IsLoopback tells whether host (without port) can only be this machine:
// "localhost", a name under it, or a loopback address.
func IsLoopback(host string) bool {
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// isSharedLoginHost tells whether raw is login.salesforce.com or
// test.salesforce.com, which serve every org but not every flow.
func isSharedLoginHost(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return host == "login.salesforce.com" || host == "test.salesforce.com"
}

// origin returns scheme://host[:port] of an address that was validated.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	host := u.Host
	if h, port, err := net.SplitHostPort(host); err == nil && (port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http") {
		host = h
	}
	return u.Scheme + "://" + host
}
