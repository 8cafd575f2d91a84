package diagnose

import (
	"encoding/json"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// vendorOfBody tells the vendors' ways of answering apart.
func vendorOfBody(body string) (crm.Side, bool) {
	text := strings.TrimSpace(body)
	switch {
	case strings.HasPrefix(text, "[") && strings.Contains(text, `"errorCode"`), strings.Contains(text, "sf:"), strings.Contains(text, "<exceptionCode>"),
		strings.HasPrefix(text, "Bad_OAuth_Token"), strings.HasPrefix(text, "Missing_OAuth_Token"), strings.HasPrefix(text, "Bad_Id"),
		strings.Contains(text, `"compositeResponse"`), strings.Contains(text, `"statusCode"`) && strings.Contains(text, `"fields"`):
		return crm.Salesforce, true
	}
	if r, ok := readHubSpot(text); ok && (r.Correlation != "" || r.Category != "" || r.PolicyName != "" || r.NumErrors > 0 || strings.HasPrefix(r.Status, "BAD_")) {
		return crm.HubSpot, true
	}
	if o, ok := readOAuth(text); ok && o.Description != "" {
		// HubSpot's answers carry a status or a message as well.
		return crm.Salesforce, true
	}
	return "", false
}

// hubSpotBody is HubSpot's error form. Any field may be missing.
// https://developers.hubspot.com/docs/api-reference/error-handling
type hubSpotBody struct {
	Status      string           `json:"status"`
	Message     string           `json:"message"`
	Category    string           `json:"category"`
	SubCategory string           `json:"subCategory"`
	PolicyName  string           `json:"policyName"`
	GroupName   string           `json:"groupName"`
	ErrorType   string           `json:"errorType"`
	Correlation string           `json:"correlationId"`
	Error       string           `json:"error"`
	Description string           `json:"error_description"`
	Context     map[string]texts `json:"context"`
	Links       map[string]any   `json:"links"`
	Errors      []hubSpotBody    `json:"errors"`
	Code        string           `json:"code"`
	NumErrors   int              `json:"numErrors"`
}

// texts reads a list, or a single value, of strings or numbers.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(text []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(text, &list) != nil {
		list = []json.RawMessage{text}
	}
	*t = nil
	for _, item := range list {
		var s string
		if json.Unmarshal(item, &s) != nil {
			s = string(item)
		}
		*t = append(*t, s)
	}
	return nil
}

func readHubSpot(body string) (hubSpotBody, bool) {
	var r hubSpotBody
	text := strings.TrimSpace(body)
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &r) != nil {
		return r, false
	}
	return r, r.Message != "" || r.Category != "" || r.Correlation != "" || r.PolicyName != "" || r.NumErrors > 0 || r.Status != ""
}

// scopes that HubSpot says are missing, and whether one of them is enough.
func (r *hubSpotBody) scopes() (names []string, any bool) {
	for _, from := range append([]hubSpotBody{*r}, r.Errors...) {
		for _, key := range []string{"requiredGranularScopes", "requiredScopes"} {
			names = append(names, from.Context[key]...)
		}
		any = any || strings.HasPrefix(from.Message, "One or more")
	}
	return names, any && len(names) > 1
}

// fields that HubSpot blames.
func (r *hubSpotBody) fields() []string {
	var names []string
	for _, from := range append([]hubSpotBody{*r}, r.Errors...) {
		names = append(names, from.Context["propertyName"]...)
	}
	return unique(names)
}

func unique(names []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// oauthBody is an OAuth error (RFC 6749, section 5.2).
type oauthBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func readOAuth(body string) (oauthBody, bool) {
	var o oauthBody
	text := strings.TrimSpace(body)
	return o, strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &o) == nil && o.Error != ""
}
