package engine

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// query is what a person typed to name a record.
type query struct {
	hubspotID    string
	salesforceID string
	// hubspotType is HubSpot's object type id from a URL ("0-1"), when known.
	hubspotType string
	text        string
}

// RecordID takes the id out of what a person typed for a record: an id of either
// side, or the address of its page. Other texts come back as they are.
func RecordID(text string) string {
	q := parseQuery(text)
	switch {
	case q.hubspotID != "":
		return q.hubspotID
	case q.salesforceID != "":
		return q.salesforceID
	}
	return q.text
}

var (
	salesforceID = regexp.MustCompile(`^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$`)
	hubspotID    = regexp.MustCompile(`^[0-9]{1,19}$`)
)

// parseQuery reads either side's id (Salesforce's in 15 or 18 characters), a
// record's URL of either vendor, or any other text.
func parseQuery(s string) query {
	s = strings.TrimSpace(s)
	switch {
	case hubspotID.MatchString(s):
		return query{hubspotID: s}
	case isSalesforceID(s):
		return query{salesforceID: wideID(s)}
	}
	if u, err := url.Parse(s); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		if q, ok := parseURL(u); ok {
			return q
		}
	}
	return query{text: s}
}

// isSalesforceID needs a digit, so that a long word is not taken for an id.
func isSalesforceID(s string) bool {
	return salesforceID.MatchString(s) && strings.ContainsFunc(s, unicode.IsDigit)
}

// parseURL finds the record in addresses such as
// https://app.hubspot.com/contacts/123/record/0-1/456,
// https://app.hubspot.com/contacts/123/contact/456 and
// https://acme.lightning.force.com/lightning/r/Contact/003…/view.
func parseURL(u *url.URL) (query, bool) {
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for i, p := range parts {
		if (p == "objectLists" || p == "lists") && i+1 < len(parts) && hubspotID.MatchString(parts[i+1]) {
			return query{hubspotID: parts[i+1], hubspotType: mapping.Lists}, true
		}
		if p == "record" && i+2 < len(parts) && hubspotID.MatchString(parts[i+2]) {
			return query{hubspotID: parts[i+2], hubspotType: parts[i+1]}, true
		}
	}
	for i := len(parts) - 1; i >= 0; i-- {
		if isSalesforceID(parts[i]) {
			return query{salesforceID: wideID(parts[i])}, true
		}
	}
	if last := parts[len(parts)-1]; len(parts) >= 2 && hubspotID.MatchString(last) {
		return query{hubspotID: last}, true
	}
	return query{}, false
}

// wideID brings a 15-character Salesforce id to its 18-character form.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
func wideID(id string) string {
	if len(id) != 15 {
		return id
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	for block := range 3 {
		bits := 0
		for i := range 5 {
			if c := id[block*5+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		id += string(alphabet[bits])
	}
	return id
}
