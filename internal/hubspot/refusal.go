package hubspot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// refusal is HubSpot's error form, whole or as one entry of a batch. Any field
// may be missing, and messages come in the account's language, so codes decide.
// https://developers.hubspot.com/docs/api-reference/error-handling
type refusal struct {
	Message     string           `json:"message"`
	Category    string           `json:"category"`
	SubCategory string           `json:"subCategory"`
	PolicyName  string           `json:"policyName"`
	ErrorType   string           `json:"errorType"`
	Correlation string           `json:"correlationId"`
	Context     map[string]texts `json:"context"`
	Errors      []refusalDetail  `json:"errors"`
}

type refusalDetail struct {
	Message     string           `json:"message"`
	Code        string           `json:"code"`
	SubCategory string           `json:"subCategory"`
	Context     map[string]texts `json:"context"`
}

// texts reads a list, or a single value, of strings or numbers.
type texts []string

// UnmarshalJSON implements json.Unmarshaler; what is neither is left out.
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

// messageBytes is the most of a vendor's message that is repeated: a wrong
// option is answered with the list of all options.
const messageBytes = 240

// Error says what HubSpot said, in its words.
func (r *refusal) Error() string {
	var said []string
	for _, detail := range r.Errors {
		if detail.Message != "" && !slices.Contains(said, detail.Message) {
			said = append(said, shorten(detail.Message))
		}
	}
	if len(said) == 0 {
		if r.Message == "" {
			return "HubSpot gave no reason"
		}
		said = append(said, shorten(r.Message))
	}
	if scopes := r.scopes(); len(scopes) > 0 {
		return strings.Join(said[:1], "; ") + " " + strings.Join(scopes, ", ")
	}
	return strings.Join(said, "; ")
}

func shorten(text string) string {
	if len(text) > messageBytes {
		return strings.ToValidUTF8(text[:messageBytes], "") + "…"
	}
	return text
}

// code is the most exact word HubSpot has for it.
func (r *refusal) code() string {
	for _, detail := range r.Errors {
		if detail.Code != "" {
			return detail.Code
		}
	}
	for _, detail := range r.Errors {
		if detail.SubCategory != "" {
			return detail.SubCategory
		}
	}
	return either(r.PolicyName, r.SubCategory, r.Category, r.ErrorType)
}

// fields are the properties that HubSpot blames.
func (r *refusal) fields() []string {
	var fields []string
	for _, detail := range r.Errors {
		for _, key := range []string{"propertyName", "properties"} {
			for _, name := range detail.Context[key] {
				if !slices.Contains(fields, name) {
					fields = append(fields, name)
				}
			}
		}
	}
	for _, name := range r.Context["propertyName"] {
		if !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	return fields
}

func (r *refusal) scopes() []string {
	var scopes []string
	for _, detail := range r.Errors {
		for _, key := range []string{"requiredGranularScopes", "requiredScopes"} {
			scopes = append(scopes, detail.Context[key]...)
		}
	}
	return scopes
}

// existing is where HubSpot tells which record already holds a unique value.
// There is no field for it.
var existing = regexp.MustCompile(`Existing ID: (\d+)`)

func (r *refusal) existingID() string {
	if match := existing.FindStringSubmatch(r.Message); match != nil {
		return match[1]
	}
	return ""
}

// kind sorts an entry of a batch, which has no status of its own.
func (r *refusal) kind() fault.Kind {
	switch r.Category {
	case "OBJECT_NOT_FOUND":
		return fault.NotFound
	case "CONFLICT", "OBJECT_ALREADY_EXISTS":
		return fault.Conflict
	case "MISSING_SCOPES", "MISSING_PERMISSIONS", "BANNED", "INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION":
		return fault.Denied
	case "RATE_LIMITS":
		return fault.RateLimited
	case "INTERNAL_ERROR":
		return fault.Unavailable
	}
	return fault.Invalid
}

// asFault turns an entry of a batch into a fault.
func (r *refusal) asFault(what string) *fault.Error {
	e := fault.New(r.kind(), "%s", what).Wrap(r)
	e.Code = r.code()
	e.RequestID = r.Correlation
	return e
}

// classify turns an answer that is not 2xx into a fault; nil leaves it to the
// status, for bodies that are not HubSpot's.
func (c *Client) classify(answer *http.Response, body []byte) *fault.Error {
	var r refusal
	if json.Unmarshal(body, &r) != nil || (r.Message == "" && r.Category == "" && len(r.Errors) == 0) {
		return nil
	}
	e := &fault.Error{Status: answer.StatusCode, Code: r.code(), Err: &r, RequestID: r.Correlation}
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized:
		e.Kind, e.Code = fault.Denied, r.Category
		e.What = "HubSpot does not accept the token"
		e.Mend = "copy the token again from your private app's Auth tab or from Development > Keys > Service keys, then run lockstep connect hubspot"
		if r.Category == "EXPIRED_AUTHENTICATION" {
			e.What = "HubSpot says that the token has expired or is no token"
		}
	case status == http.StatusPaymentRequired:
		e.Kind = fault.Denied
		e.What = "the HubSpot account is full"
		e.Mend = "archive records or raise the account's tier, then run the sync again"
	case status == http.StatusForbidden:
		c.forbidden(&r, e)
	case status == http.StatusNotFound:
		e.Kind = fault.NotFound
		e.What = "HubSpot has no such thing"
	case status == http.StatusConflict:
		e.Kind = fault.Conflict
		e.What = "HubSpot holds such a record already"
	case status == http.StatusTooManyRequests:
		c.throttled(&r, e)
	case status == http.StatusLocked, status == 477, status >= 500, status == http.StatusRequestTimeout:
		e.Kind = fault.Unavailable
		e.What = fmt.Sprintf("HubSpot cannot answer just now (status %d)", status)
		e.Mend = "run the command again in a few minutes: nothing is lost"
	default:
		e.Kind = fault.Invalid
		e.What = "HubSpot refused the call"
	}
	return e
}

func (c *Client) forbidden(r *refusal, e *fault.Error) {
	e.Kind, e.Code, e.Scopes = fault.Denied, either(r.Category, "FORBIDDEN"), r.scopes()
	e.What = "the HubSpot token may not do this"
	e.Mend = "check the plan of the account and the rights of the token: lockstep check"
	if len(e.Scopes) > 0 {
		e.What = "the HubSpot token lacks a scope"
		e.Mend = "add the scope " + strings.Join(e.Scopes, " or ") + " to the private app or service key that the token belongs to, then run the command again"
	}
}

func (c *Client) throttled(r *refusal, e *fault.Error) {
	e.Kind, e.Code = fault.RateLimited, r.PolicyName
	e.What = "HubSpot's rate limit is used up"
	e.Mend = "run the command again in a minute; another program may be calling with the same app"
	if r.PolicyName == "DAILY" {
		e.What = "HubSpot's calls for today are used up"
		e.RetryAfter = c.day.UntilReset()
		e.Mend = "wait until midnight in the account's time zone; the account's other tools share these calls"
	}
}

func either(words ...string) string {
	for _, word := range words {
		if word != "" {
			return word
		}
	}
	return ""
}
