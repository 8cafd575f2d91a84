package hubspot

import (
	"encoding/json"
	"strings"
)

// headerOf computes a read-only property of an e-mail from its hs_email_headers,
// which is JSON in text: {"from": {"email": …, "firstName": …}, "to": [{…}], …}.
// Several people are joined by ";".
// https://developers.hubspot.com/docs/api-reference/latest/crm/activities/emails/guide
func headerOf(who, what string) computation {
	return func(_ *Server, t *table, r *record) string {
		headers, ok := t.stored(r, "hs_email_headers")
		if !ok {
			return ""
		}
		var all map[string]json.RawMessage
		if json.Unmarshal([]byte(headers), &all) != nil { // free text: nothing follows from it
			return ""
		}
		var people []map[string]any
		if json.Unmarshal(all[who], &people) != nil {
			var one map[string]any
			if json.Unmarshal(all[who], &one) != nil {
				return ""
			}
			people = append(people, one)
		}
		var out []string
		for _, p := range people {
			if v, _ := p[what].(string); v != "" {
				out = append(out, v)
			}
		}
		return strings.Join(out, ";")
	}
}
