package salesforce

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Restorable tells that deleted records come back from the recycle bin, where
// they are kept for 15 days.
func (c *Client) Restorable(string) (page string, ok bool) { return "", true }

// restore takes records out of the recycle bin, 200 a call. REST has no resource
// for it, so it is the SOAP API's undelete, under the same access token. It is
// sent once: of a record that is back already Salesforce says UNDELETE_FAILED,
// which after a lost answer could not be told from a refusal.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm
func (s *sender) restore(ctx context.Context, writes []crm.Write, some []int) error {
	var items []item
	for _, i := range some {
		id, ok := ID18(writes[i].ID)
		if !ok {
			e := fault.New(fault.Invalid, "%q is no Salesforce record id", writes[i].ID)
			e.Code = "MALFORMED_ID"
			s.fail(item{write: i}, e, "")
			continue
		}
		items = append(items, item{write: i, id: id})
	}
	for first := 0; first < len(items); first += collectionRecords {
		part := items[first:min(first+collectionRecords, len(items))]
		answers, requestID, err := s.client.undelete(ctx, part)
		if err == nil && len(answers) != len(part) {
			err = fault.New(fault.Unavailable, "Salesforce answered %d records with %d results", len(part), len(answers))
		}
		if err != nil {
			if _, err := s.refused(ctx, restoreLane(), part, err, true); err != nil {
				return err
			}
			continue
		}
		for k, it := range part {
			s.settleItem(restoreLane(), it, &answers[k], requestID, true)
		}
	}
	return nil
}

func restoreLane() lane { return lane{safety: apicall.Once} }

// undeleted is the answer to one undelete call.
type undeleted struct {
	Results []struct {
		ID      string `xml:"id"`
		Success bool   `xml:"success"`
		Errors  []struct {
			Message    string   `xml:"message"`
			StatusCode string   `xml:"statusCode"`
			Fields     []string `xml:"fields"`
		} `xml:"errors"`
	} `xml:"Body>undeleteResponse>result"`
}

func (c *Client) undelete(ctx context.Context, items []item) (answers []itemAnswer, requestID string, err error) {
	session, err := c.open(ctx)
	if err != nil {
		return nil, "", err
	}
	path := strings.Replace(session.data, "/services/data/v", "/services/Soap/u/", 1)
	for attempt := 0; ; attempt++ {
		token, err := c.config.Tokens.Token(ctx)
		if err != nil {
			return nil, "", err
		}
		var answer undeleted
		call := apicall.Call{Method: http.MethodPost, Path: path, Body: undeleteBody(token, items), ContentType: "text/xml; charset=UTF-8", Accept: "text/xml", Safety: apicall.Once}
		err = session.caller.Do(ctx, call, func(_ int, header http.Header, body io.Reader) error {
			requestID = requestIDOf(header)
			answer = undeleted{}
			return xml.NewDecoder(body).Decode(&answer)
		})
		if isCode(err, "INVALID_SESSION_ID") && attempt == 0 {
			// The token stands in the body, so the caller's own renewal cannot help.
			if _, err := c.config.Tokens.Renew(ctx, token); err != nil {
				return nil, "", err
			}
			continue
		}
		if err != nil {
			return nil, "", err
		}
		for _, r := range answer.Results {
			one := itemAnswer{ID: r.ID, Success: r.Success}
			for _, e := range r.Errors {
				one.Errors = append(one.Errors, problem{StatusCode: e.StatusCode, Message: e.Message, Fields: e.Fields})
			}
			answers = append(answers, one)
		}
		return answers, requestID, nil
	}
}

// undeleteBody is the SOAP envelope. Ids are letters and digits only.
func undeleteBody(token string, items []item) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com">` +
		`<soapenv:Header><SessionHeader><sessionId>`)
	_ = xml.EscapeText(&b, []byte(token)) // writing to a Builder never fails
	b.WriteString(`</sessionId></SessionHeader><CallOptions><client>lockstep</client></CallOptions></soapenv:Header><soapenv:Body><undelete>`)
	for _, it := range items {
		b.WriteString("<ids>" + it.id + "</ids>")
	}
	b.WriteString(`</undelete></soapenv:Body></soapenv:Envelope>`)
	return []byte(b.String())
}

var soapFaultCode = regexp.MustCompile(`<faultcode>(?:[A-Za-z]+:)?([A-Z_]+)</faultcode>\s*<faultstring>([^<]*)</faultstring>`)

// soapProblem reads a SOAP fault, which comes as HTTP 500 whatever it is about.
func soapProblem(body []byte) (problem, bool) {
	match := soapFaultCode.FindSubmatch(body)
	if match == nil {
		return problem{}, false
	}
	return problem{ErrorCode: string(match[1]), Message: string(match[2])}, true
}
