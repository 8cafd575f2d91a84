package salesforce

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	lockedRow          = "UNABLE_TO_LOCK_ROW"
	duplicatesDetected = "DUPLICATES_DETECTED"
	duplicateValue     = "DUPLICATE_VALUE"
	limitExceeded      = "REQUEST_LIMIT_EXCEEDED"
	invalidLocator     = "INVALID_QUERY_LOCATOR"

	// concurrencyRest is how long to wait when too many long requests run at
	// once. Salesforce names no time.
	concurrencyRest = 5 * time.Second
	// mostMessage bounds what is quoted of Salesforce's words.
	mostMessage = 400
)

// problem is one error as Salesforce writes it: errorCode at the top level,
// statusCode in the result of one record.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
type problem struct {
	Message    string           `json:"message"`
	ErrorCode  string           `json:"errorCode"`
	StatusCode string           `json:"statusCode"`
	Fields     []string         `json:"fields"`
	Duplicates *duplicateResult `json:"duplicateResult"`
}

func (p problem) code() string {
	if p.ErrorCode != "" {
		return p.ErrorCode
	}
	return p.StatusCode
}

// duplicateResult is what a duplicate rule found; single-record calls carry it,
// collections do not.
type duplicateResult struct {
	Rule         string `json:"duplicateRule"`
	MatchResults []struct {
		MatchRecords []struct {
			Record struct {
				Attributes struct {
					Type string `json:"type"`
				} `json:"attributes"`
				ID string `json:"Id"`
			} `json:"record"`
		} `json:"matchRecords"`
	} `json:"matchResults"`
}

func (d *duplicateResult) matches() []string {
	if d == nil {
		return nil
	}
	var matches []string
	for _, result := range d.MatchResults {
		for _, match := range result.MatchRecords {
			if match.Record.ID != "" {
				matches = append(matches, strings.TrimSpace(match.Record.Attributes.Type+" "+match.Record.ID))
			}
		}
	}
	return matches
}

// fault is the problem with one record, in Salesforce's words, with the next
// step in ours.
func (p problem) fault() *fault.Error {
	kind, mend := judge(p.code())
	e := fault.New(kind, "%s", clip(p.Message)).WithMend("%s", mend)
	if e.What == "" {
		e.What = p.code()
	}
	if p.code() == duplicatesDetected {
		if matches := p.Duplicates.matches(); len(matches) > 0 {
			e.What = fmt.Sprintf("a duplicate rule of Salesforce finds the same in %s", strings.Join(matches, ", "))
		}
	}
	e.Code = p.code()
	return e
}

func clip(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len(message) > mostMessage {
		message = strings.ToValidUTF8(message[:mostMessage], "") + "…"
	}
	return message
}

// judge says what to do about a code. Codes that are not listed are about the
// record's content: a person has to mend them.
func judge(code string) (fault.Kind, string) {
	switch code {
	case "INVALID_SESSION_ID", "INVALID_AUTH_HEADER":
		return fault.Denied, "lockstep check tells what the credential may do"
	case "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "TRANSFER_REQUIRES_READ", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY_NO_ACCESS":
		return fault.Denied, "give the user of the app a permission set that allows it: lockstep check lists what the mapping needs"
	case "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED":
		return fault.Denied, "give the user of the app the permission \"API Enabled\"; Professional and Group Edition need the API as an add-on"
	case "STORAGE_LIMIT_EXCEEDED":
		return fault.Denied, "the org's data storage is full: Setup > Storage Usage"
	case limitExceeded, "TOO_MANY_APEX_REQUESTS", "TXN_SECURITY_METERING_ERROR":
		return fault.RateLimited, "wait: the org's calls of 24 hours are used up and come back bit by bit; Setup > System Overview shows how many are left"
	case lockedRow:
		return fault.Unavailable, "somebody else was saving a record that belongs to it; the next cycle tries again"
	case "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK":
		return fault.Unavailable, "try again in some minutes; https://status.salesforce.com tells of outages"
	case "NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_TYPE":
		return fault.NotFound, ""
	case duplicatesDetected:
		return fault.Conflict, "merge or link the records in Salesforce, or change the duplicate rule: Setup > Duplicate Rules"
	case duplicateValue, "DUPLICATE_EXTERNAL_ID":
		return fault.Conflict, "another record holds that value already: merge the two, or change one"
	case "UNSUPPORTED_API_VERSION", "GONE":
		return fault.Invalid, "leave the API version out of the account's settings"
	case "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_FIELD":
		return fault.Invalid, "the field is missing or read-only for the user of the app: lockstep check"
	case "REQUIRED_FIELD_MISSING":
		return fault.Invalid, "map the field, or give it a default in lockstep.yaml"
	case "STRING_TOO_LONG":
		return fault.Invalid, "say what to do with long text in lockstep.yaml (too-long: cut), or make the field longer"
	case "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST":
		return fault.Invalid, "add the value to the picklist, or map it under values: in lockstep.yaml"
	case "INACTIVE_OWNER_OR_USER":
		return fault.Invalid, "the owner has left: choose another one on the record"
	case "CANNOT_UPDATE_CONVERTED_LEAD":
		return fault.Invalid, "the lead was converted: its contact is the one to write to"
	case "FIELD_CUSTOM_VALIDATION_EXCEPTION", "FIELD_FILTER_VALIDATION_EXCEPTION", "CANNOT_EXECUTE_FLOW_TRIGGER", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY":
		return fault.Invalid, "a rule, flow or trigger of the org refuses the record: mend the record or the rule"
	}
	return fault.Invalid, ""
}

// classify reads the error forms of whole calls.
func classify(answer *http.Response, body []byte) *fault.Error {
	problems := parseProblems(body)
	if p, ok := soapProblem(body); ok {
		e := p.fault()
		e.Status, e.What = answer.StatusCode, "Salesforce refuses the call with "+clip(p.Message)
		return e
	}
	if len(problems) == 0 {
		switch answer.StatusCode {
		case http.StatusGone:
			return fault.New(fault.Invalid, "Salesforce has retired this API version").WithMend("leave the API version out of the account's settings")
		case 420: // Salesforce Edge sheds load with it
			return fault.New(fault.Unavailable, "Salesforce is overloaded").WithMend("try again in some minutes")
		}
		return nil
	}
	e := problems[0].fault()
	e.Status = answer.StatusCode
	if e.Code != duplicatesDetected {
		e.What = fmt.Sprintf("Salesforce refuses the call with %s: %s", e.Code, e.What)
	}
	switch {
	case e.Code == lockedRow:
		// Certainly nothing was written, and sending it again is for Apply to do,
		// in smaller portions.
		e.Kind = fault.Conflict
	case answer.StatusCode >= 500:
		e.Kind = fault.Unavailable
	}
	if e.Code == limitExceeded {
		// One code stands for two limits: the day's calls, and long requests at
		// once. The usage that came along tells them apart.
		if used, limit, ok := usage(answer.Header); ok && used < limit {
			e.What = "too many long requests run in Salesforce at once"
			e.Mend = "wait a minute, then try again"
			e.RetryAfter = concurrencyRest
		}
	}
	return e
}

func parseProblems(body []byte) []problem {
	var problems []problem
	if json.Unmarshal(body, &problems) != nil || len(problems) == 0 || problems[0].code() == "" {
		return nil
	}
	return problems
}

// isCode tells whether err is a refusal with this code.
func isCode(err error, code string) bool {
	e, ok := fault.As(err)
	return ok && e.Code == code
}

// stopsEverything tells the errors after which no further call makes sense.
func stopsEverything(err error) bool {
	switch fault.KindOf(err) {
	case fault.Denied, fault.RateLimited, fault.Internal:
		return true
	}
	return false
}

func unknownEffect(err error) bool { return apicall.Unanswered(err) }

var duplicateID = regexp.MustCompile(`record with id: ([0-9A-Za-z]{15,18})\b`)

// holderOf finds the id of the record that holds a unique value already; ""
// when Salesforce does not say ("<unknown>": it may not be seen).
func holderOf(p problem) string {
	if p.code() != duplicateValue {
		return ""
	}
	if match := duplicateID.FindStringSubmatch(p.Message); match != nil {
		if id, ok := ID18(match[1]); ok {
			return id
		}
	}
	return ""
}
