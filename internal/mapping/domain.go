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
	if ascii, err := idna.Lookup.ToASCII(s); err == nil {
		s = strings.Trim(ascii, ".")
	}
	for strings.HasPrefix(s, "www.") {
		s = strings.TrimLeft(s[len("www."):], ".")
	}
	if !strings.Contains(s, ".") || strings.ContainsFunc(s, notInHost) {
		return ""
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return ""
	}
	return s
}

// notInHost tells characters that no host name has; underscores do occur.
func notInHost(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_')
}
