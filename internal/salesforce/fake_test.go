package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// fakeTokens gives a token, and another one when it is refused.
type fakeTokens struct {
	mu      sync.Mutex
	renewed int
}

func (f *fakeTokens) Token(context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("00Dfake!token%d", f.renewed), nil
}

func (f *fakeTokens) Renew(_ context.Context, stale string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if stale == fmt.Sprintf("00Dfake!token%d", f.renewed) {
		f.renewed++
	}
	return fmt.Sprintf("00Dfake!token%d", f.renewed), nil
}

func (f *fakeTokens) InstanceURL() string { return "https://acme.my.salesforce.com" }

// fakeCall is one request as the fake org saw it.
type fakeCall struct {
	Method string
	Path   string // below /services/data/v66.0, or whole elsewhere
	SOQL   string
	Query  map[string][]string
	Body   string
	Token  string
}

// fakeOrg answers in process what a test's function says: a status and a body.
// Status 0 breaks the connection. Describes of Contact and Opportunity are
// answered when the function leaves them to it (status -1).
type fakeOrg struct {
	mu     sync.Mutex
	calls  []fakeCall
	header http.Header
	answer func(fakeCall) (int, string)
}

const leave = -1

func (o *fakeOrg) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		body, _ = io.ReadAll(request.Body)
	}
	call := fakeCall{
		Method: request.Method, Path: strings.TrimPrefix(request.URL.Path, "/services/data/v66.0"),
		SOQL: request.URL.Query().Get("q"), Query: request.URL.Query(), Body: string(body),
		Token: strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer "),
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	status, text := leave, ""
	if o.answer != nil {
		status, text = o.answer(call)
	}
	if status == leave {
		status, text = standard(call)
	}
	if !strings.HasSuffix(call.Path, "/describe") {
		o.calls = append(o.calls, call)
	}
	if status == 0 {
		return nil, errors.New("connection reset by peer")
	}
	header := http.Header{"Content-Type": {"application/json;charset=UTF-8"}, "Sfdc-Request-Id": {"fake-request"}}
	for name, values := range o.header {
		header[name] = values
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(text)), Request: request}, nil
}

func (o *fakeOrg) seen() []fakeCall {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]fakeCall(nil), o.calls...)
}

func standard(call fakeCall) (int, string) {
	switch call.Path {
	case "/sobjects/Contact/describe":
		return 200, contactDescribe
	case "/sobjects/Opportunity/describe":
		return 200, opportunityDescribe
	}
	return 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`
}

func newClient(t *testing.T, org *fakeOrg) *Client {
	t.Helper()
	c, err := New(Config{Tokens: &fakeTokens{}, Version: "66.0", HTTP: &http.Client{Transport: org}, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func field(name, kind string, more string) string {
	return fmt.Sprintf(`{"name":%q,"label":%q,"type":%q,"createable":true,"updateable":true,"nillable":true,"filterable":true,"picklistValues":[],"referenceTo":[]%s}`, name, name, kind, more)
}

func readOnly(name, kind string) string {
	return strings.NewReplacer(`"createable":true`, `"createable":false`, `"updateable":true`, `"updateable":false`).Replace(field(name, kind, ""))
}

var contactDescribe = `{"name":"Contact","label":"Contact","labelPlural":"Contacts","keyPrefix":"003","createable":true,"updateable":true,"deletable":true,"queryable":true,"fields":[` + strings.Join([]string{
	readOnly("Id", "id"), readOnly("IsDeleted", "boolean"), readOnly("MasterRecordId", "reference"),
	strings.Replace(field("LastName", "string", `,"length":80`), `"nillable":true`, `"nillable":false`, 1),
	field("Email", "email", `,"length":80,"idLookup":true`),
	field("Birthdate", "date", ""), field("LastSeen__c", "datetime", ""), field("Score__c", "double", `,"precision":18,"scale":2`),
	field("Visits__c", "int", `,"digits":9`), field("HasOptedOutOfEmail", "boolean", `,"defaultedOnCreate":true`),
	field("LeadSource", "picklist", ""), field("AccountId", "reference", ""), field("OwnerId", "reference", ""),
	strings.Replace(field("Description", "textarea", `,"length":32000`), `"filterable":true`, `"filterable":false`, 1),
	field("HubSpot_Id__c", "string", `,"externalId":true,"unique":true,"length":32`),
	readOnly("Name", "string"),
}, ",") + `]}`

var opportunityDescribe = `{"name":"Opportunity","label":"Opportunity","keyPrefix":"006","createable":true,"updateable":true,"deletable":true,"queryable":true,"fields":[` + strings.Join([]string{
	readOnly("Id", "id"), field("Name", "string", `,"length":120`), field("Amount", "currency", ""), field("CloseDate", "date", ""),
}, ",") + `]}`

// fakeID makes the 18-character id of the nth record of a prefix.
func fakeID(prefix string, n int) string {
	id, _ := ID18(fmt.Sprintf("%s000%09d", prefix, n))
	return id
}

// fakeRow writes one row of a query answer.
func fakeRow(id string, stamp time.Time, more string) string {
	return fmt.Sprintf(`{"attributes":{"type":"Contact","url":"/services/data/v66.0/sobjects/Contact/%s"},"Id":%q,"SystemModstamp":%q%s}`,
		id, id, stamp.UTC().Format(stampLayout), more)
}

// fakePage writes one page of a query answer.
func fakePage(total int, next string, rows ...string) string {
	more := `"done":true`
	if next != "" {
		more = fmt.Sprintf(`"done":false,"nextRecordsUrl":"/services/data/v66.0/query/%s"`, next)
	}
	return fmt.Sprintf(`{"totalSize":%d,%s,"records":[%s]}`, total, more, strings.Join(rows, ","))
}

// collectionOf reads the records of a collection body.
func collectionOf(body string) []map[string]any {
	var c struct {
		Records []map[string]any `json:"records"`
	}
	_ = json.Unmarshal([]byte(body), &c)
	return c.Records
}

// viaComposite answers a composite call part by part with answer.
func viaComposite(body string, answer func(fakeCall) (int, string)) (int, string) {
	var request struct {
		Parts []struct {
			Method, URL, ReferenceID string
			Body                     json.RawMessage
		} `json:"compositeRequest"`
	}
	if err := json.Unmarshal([]byte(body), &request); err != nil {
		return 400, `[{"errorCode":"JSON_PARSER_ERROR","message":"bad"}]`
	}
	var parts []string
	for i := len(request.Parts) - 1; i >= 0; i-- { // in another order than asked
		p := request.Parts[i]
		inner, err := http.NewRequest(p.Method, "https://acme.my.salesforce.com"+p.URL, nil)
		if err != nil {
			return 400, `[{"errorCode":"INVALID_INPUT","message":"bad url"}]`
		}
		status, text := answer(fakeCall{
			Method: p.Method, Path: strings.TrimPrefix(inner.URL.Path, "/services/data/v66.0"),
			SOQL: inner.URL.Query().Get("q"), Query: inner.URL.Query(), Body: string(p.Body),
		})
		if text == "" {
			text = "null"
		}
		parts = append(parts, fmt.Sprintf(`{"body":%s,"httpHeaders":{},"httpStatusCode":%d,"referenceId":%q}`, text, status, p.ReferenceID))
	}
	return 200, `{"compositeResponse":[` + strings.Join(parts, ",") + `]}`
}

func keys(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("k%d", i)
	}
	return out
}

func contactRead(fields ...string) crm.Read {
	return crm.Read{Layout: crm.NewLayout("Contact", fields)}
}

func drain(into *[]crm.Record) func([]crm.Record) error {
	return func(records []crm.Record) error {
		*into = append(*into, records...)
		return nil
	}
}

func idsOf(records []crm.Record) []string {
	ids := make([]string, len(records))
	for i := range records {
		ids[i] = records[i].ID
	}
	return ids
}
