package hubspot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// valueLimit is how many characters a string property holds.
const valueLimit = 65_536

// normalize checks a value for a property and returns the form in which it is
// stored. warned is set where a 2026-09 path accepts what others refuse.
// https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
func (s *Server) normalize(p *propertyDefinition, v, version string) (stored string, warned bool, bad *badValue) {
	refuse := func(code, format string, args ...any) (string, bool, *badValue) {
		return "", false, &badValue{property: p.Name, code: code, message: fmt.Sprintf(format, args...)}
	}
	switch p.Type {
	case "number":
		if !isNumber(v) {
			if p.assign != nil {
				return refuse("INVALID_LONG", "%s was not a valid long.", v)
			}
			return refuse("INVALID_INTEGER", "%s was not a valid number.", v)
		}
	case "bool":
		if v != "true" && v != "false" {
			return refuse("INVALID_OPTION", "%s", notAllowed(v, p.Options))
		}
	case "enumeration":
		return s.normalizeOption(p, v)
	case "date":
		return normalizeDate(p.Name, v, version)
	case "datetime":
		at, ok := parseTime(v)
		if !ok {
			return refuse("INVALID_DATE", "%s was not a valid date.", v)
		}
		return formatMillis(at), false, nil
	default:
		if utf8.RuneCountInString(v) > valueLimit {
			return refuse("VALUE_TOO_LONG", "The value of %s is longer than %d characters.", p.Name, valueLimit)
		}
		return s.normalizeText(p, v)
	}
	return v, false, nil
}

func (s *Server) normalizeText(p *propertyDefinition, v string) (string, bool, *badValue) {
	refuse := func(code, format string, args ...any) (string, bool, *badValue) {
		return "", false, &badValue{property: p.Name, code: code, message: fmt.Sprintf(format, args...)}
	}
	switch p.table.kind.name + "." + p.Name {
	case "contacts.email":
		email := strings.ToLower(strings.TrimSpace(v))
		if !validEmail(email) {
			return refuse("INVALID_EMAIL", "Email address %s is invalid", v)
		}
		if s.blocked[email] { // erased for good before the account knew it
			return refuse("INVALID_EMAIL", "Email address %s was deleted for privacy and cannot be added again", v)
		}
		return email, false, nil
	case "contacts.firstname", "contacts.lastname":
		if containsURL(v) {
			return refuse("CONTAINS_URL", "%q contains a URL", v)
		}
		if strings.ContainsAny(v, "<>{}[]=\\|^$") {
			return refuse("INVALID_ALPHA", "Enter only letters")
		}
	case "companies.domain":
		domain, ok := bareDomain(v)
		if !ok {
			return refuse("INVALID_DOMAIN", "%q is an invalid domain", v)
		}
		return domain, false, nil
	}
	return v, false, nil
}

func (s *Server) normalizeOption(p *propertyDefinition, v string) (string, bool, *badValue) {
	if p.Name == "hubspot_owner_id" {
		if !s.ownerExists(v) {
			return "", false, &badValue{property: p.Name, code: "INVALID_OWNER_ID", message: v + " was not a valid owner ID"}
		}
		return v, false, nil
	}
	if p.ExternalOptions && len(p.Options) == 0 {
		return v, false, nil
	}
	options := []string{v}
	if p.multiple() {
		options = strings.Split(strings.TrimPrefix(v, ";"), ";")
	}
	for _, o := range options {
		if !p.options[o] {
			return "", false, &badValue{property: p.Name, code: "INVALID_OPTION", message: notAllowed(o, p.Options)}
		}
	}
	return v, false, nil
}

func notAllowed(v string, options []Option) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s was not one of the allowed options: [", v)
	for i, o := range options {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "label: %q\nvalue: %q\ndisplay_order: %d\nhidden: %t\nread_only: false\n", o.Label, o.Value, o.DisplayOrder, o.Hidden)
	}
	b.WriteString("]")
	return b.String()
}

// appendOptions applies the leading ";" of a multiple value, which adds to what
// is there instead of replacing it.
func appendOptions(was, v string) string {
	added, ok := strings.CutPrefix(v, ";")
	if !ok {
		return v
	}
	var out []string
	for _, o := range append(strings.Split(was, ";"), strings.Split(added, ";")...) {
		if o != "" && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return strings.Join(out, ";")
}

const dayMillis = 24 * 60 * 60 * 1000

// normalizeDate takes YYYY-MM-DD, or an instant that is midnight UTC; 2026-09
// paths take other instants too and say that they changed them.
func normalizeDate(name, v, version string) (string, bool, *badValue) {
	if t, err := time.Parse(time.DateOnly, v); err == nil {
		return t.Format(time.DateOnly), false, nil
	}
	at, ok := parseTime(v)
	if !ok {
		return "", false, &badValue{property: name, code: "INVALID_DATE", message: v + " was not a valid date."}
	}
	t := time.UnixMilli(at).UTC()
	if at%dayMillis == 0 {
		return t.Format(time.DateOnly), false, nil
	}
	if version == "2026-09" {
		return t.Format(time.DateOnly), true, nil
	}
	return "", false, &badValue{property: name, code: "INVALID_DATE", message: fmt.Sprintf("%s is at %s UTC, not midnight!", v, t.Format("15:04:05.999"))}
}

// parseTime reads epoch milliseconds or ISO 8601.
func parseTime(v string) (millis int64, ok bool) {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return n, true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999Z0700", "2006-01-02T15:04:05.999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

var numberPattern = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

func isNumber(v string) bool { return numberPattern.MatchString(v) }

var emailPattern = regexp.MustCompile(`^[^\s@"(),:;<>\[\\\]]+@[^\s@]+$`)

// validEmail wants an address without a quoted local part whose top-level domain
// is on the public list, or is .example, the name that is reserved for examples.
func validEmail(v string) bool {
	if !emailPattern.MatchString(v) || len(v) > 254 {
		return false
	}
	local, domain, _ := strings.Cut(v, "@")
	if local == "" || len(local) > 64 || local[0] == '.' || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if !hostLabel.MatchString(l) {
			return false
		}
	}
	return knownTopLevel(labels[len(labels)-1])
}

var hostLabel = regexp.MustCompile(`^[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$`)

func knownTopLevel(name string) bool {
	if name == "example" {
		return true
	}
	_, known := publicsuffix.PublicSuffix("a." + name)
	return known
}

var hostInText = regexp.MustCompile(`(?i)(https?://|www\.|\b[a-z0-9-]+\.([a-z]{2,})(/|\s|$))`)

func containsURL(v string) bool {
	for _, m := range hostInText.FindAllStringSubmatch(v, -1) {
		if m[2] == "" || knownTopLevel(strings.ToLower(m[2])) {
			return true
		}
	}
	return false
}

// bareDomain turns what people type as a domain into a lower-case host.
func bareDomain(v string) (string, bool) {
	d := strings.ToLower(strings.TrimSpace(v))
	if _, rest, ok := strings.Cut(d, "://"); ok {
		d = rest
	}
	if i := strings.IndexAny(d, "/?#:"); i >= 0 {
		d = d[:i]
	}
	d = strings.TrimSuffix(strings.TrimPrefix(d, "www."), ".")
	if !strings.Contains(d, ".") {
		return "", false
	}
	for l := range strings.SplitSeq(d, ".") {
		if !hostLabel.MatchString(l) {
			return "", false
		}
	}
	return d, true
}
