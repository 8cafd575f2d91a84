package mapping

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// DomainOf takes the bare, lower-case host out of a domain, a web address or an
// e-mail address: "https://www.Acme.com/de" and "jo@acme.com" give "acme.com".
// It returns "" when there is none.
func DomainOf(text string) string {
	s := strings.TrimSpace(text)
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
	}
	s = strings.TrimPrefix(s, "//")
	if i := strings.IndexAny(s, "/?#\\"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		s = s[:i]
	}
	s = strings.Trim(strings.ToLower(s), ". ")
	for strings.HasPrefix(s, "www.") {
		s = s[len("www."):]
	}
	if ascii, err := idna.Lookup.ToASCII(s); err == nil {
		s = ascii
	}
	if !strings.Contains(s, ".") || strings.ContainsAny(s, " ,;") {
		return ""
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return ""
	}
	return s
}
