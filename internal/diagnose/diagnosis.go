package diagnose

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Diagnosis says what one call was and what it means.
type Diagnosis struct {
	// Name of the call, its method, its address without values, its status.
	Name   string   `json:"name,omitempty"`
	Method string   `json:"method,omitempty"`
	URL    string   `json:"url,omitempty"`
	Status int      `json:"status,omitempty"`
	Vendor crm.Side `json:"vendor,omitempty"`
	// RequestID is the vendor's id of the call, for its support.
	RequestID string `json:"request_id,omitempty"`
	// OK: the call worked.
	OK bool `json:"ok"`
	// Findings, the likeliest cause first; never empty.
	Findings []Finding `json:"findings"`
}

// Finding is one thing that a call shows.
type Finding struct {
	// Class is stable: "hubspot.missing-scopes", "mistake.bearer-twice", "unknown".
	Class string `json:"class"`
	// Known is false where nobody knows what it means.
	Known bool `json:"known"`
	// What it means, one sentence without a trailing point, and the next step.
	What string `json:"what"`
	Next string `json:"next,omitempty"`
	// Retry says whether the same call can work later: "never", "after mending",
	// "later".
	Retry string `json:"retry,omitempty"`
	// Scopes of HubSpot that are missing; Any says that one of them is enough.
	Scopes []string `json:"scopes,omitempty"`
	Any    bool     `json:"any_scope,omitempty"`
	// Permission of Salesforce or limit of either that it was.
	Permission string `json:"permission,omitempty"`
	Limit      string `json:"limit,omitempty"`
	// Fields that the vendor blames.
	Fields []string `json:"fields,omitempty"`
	// Said quotes the vendor, without secrets.
	Said string `json:"said,omitempty"`
	// Code is the vendor's own.
	Code string `json:"code,omitempty"`
	Page string `json:"page,omitempty"`
}

// The answers to "can the same call work later?".
const (
	retryNever   = "never"
	retryMending = "after mending"
	retryLater   = "later"
)

// Of says what an exchange means.
func Of(e Exchange) Diagnosis {
	d := Diagnosis{Name: e.Name, Method: e.Method, URL: shownURL(&e), Status: e.Status, RequestID: requestID(&e)}
	if vendor, ok := e.vendor(); ok {
		d.Vendor = vendor
	}
	answer := answers(&e, d.Vendor)
	d.OK = e.Status >= 200 && e.Status < 300 && len(answer) == 0
	d.Findings = append(mistakes(&e, d.Vendor, d.OK), answer...)
	switch {
	case len(d.Findings) > 0:
	case d.OK:
		d.Findings = []Finding{{Class: "ok", Known: true, What: fmt.Sprintf("the call worked (HTTP %d)", e.Status)}}
	default:
		d.Findings = []Finding{unknown(&e, d.Vendor)}
	}
	hide := newHider(&e)
	for i := range d.Findings {
		f := &d.Findings[i]
		f.What, f.Next, f.Said = hide.text(f.What), hide.text(f.Next), hide.text(f.Said)
		for k := range f.Fields {
			f.Fields[k] = hide.text(f.Fields[k])
		}
		for k := range f.Scopes {
			f.Scopes[k] = hide.text(f.Scopes[k])
		}
		f.Code = hide.text(f.Code)
	}
	d.Name, d.URL, d.Method, d.RequestID = hide.text(d.Name), hide.text(d.URL), hide.text(d.Method), hide.text(d.RequestID)
	return d
}

// answers says what the vendor's answer means; nothing when it worked or is not known.
func answers(e *Exchange, vendor crm.Side) []Finding {
	if e.Trouble != "" && e.Status == 0 {
		if f, ok := trouble(e.Trouble); ok {
			return []Finding{f}
		}
	}
	switch vendor {
	case crm.HubSpot:
		return hubSpotAnswer(e)
	case crm.Salesforce:
		return salesforceAnswer(e)
	}
	return nil
}

// unknown admits that the answer is not known, and says what to look at.
func unknown(e *Exchange, vendor crm.Side) Finding {
	f := Finding{Class: "unknown", Said: clip(e.Body)}
	switch {
	case e.empty():
		f.What = "there is nothing here that can be read as a call or an answer"
		f.Next = "paste the answer with its first line (HTTP/1.1 401 …), or curl -v with its output, or give a HAR file or a newman report (--reporters json)"
	case vendor == "" && e.Status == 0:
		f.What = "neither HubSpot's nor Salesforce's way of answering is to be seen here"
		f.Next = "paste the answer with its status line and headers, or curl -v with its output"
	case vendor == "":
		f.What = fmt.Sprintf("HTTP %d %s; that it came from HubSpot or Salesforce is not to be seen", e.Status, http.StatusText(e.Status))
		f.Next = "look at the address: HubSpot is https://api.hubapi.com, Salesforce the My Domain address of the org; a proxy or firewall may have answered"
	case e.Status == 0:
		f.What = "this answer of " + vendor.Title() + " is not one that is known here"
		f.Next = "paste the status line and the headers, too; " + support(vendor)
	default:
		f.What = fmt.Sprintf("HTTP %d %s: what %s means by it is not known here", e.Status, http.StatusText(e.Status), vendor.Title())
		f.Next = support(vendor)
	}
	return f
}

func support(vendor crm.Side) string {
	if vendor == crm.HubSpot {
		return "look at the correlationId in HubSpot (Development > your key or app > Logs), and name it to HubSpot's support"
	}
	return "look the errorCode up at https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm; Setup > Login History and https://status.salesforce.com may tell more"
}

func requestID(e *Exchange) string {
	for _, name := range []string{"X-HubSpot-Correlation-Id", "X-Request-Id", "X-SFDC-Request-Id"} {
		if id, ok := header(e.Received, name); ok {
			return strings.TrimSpace(id)
		}
	}
	if r, ok := readHubSpot(e.Body); ok {
		return r.Correlation
	}
	return ""
}

// trouble explains why no answer came.
func trouble(said string) (Finding, bool) {
	low := strings.ToLower(said)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(low, p) {
				return true
			}
		}
		return false
	}
	f := Finding{Known: true, Said: clip(said), Retry: retryMending}
	switch {
	case has("could not resolve", "enotfound", "eai_again", "getaddrinfo", "no such host"):
		f.Class, f.What = "network.unknown-host", "the host name does not exist, or this machine cannot look it up"
		f.Next = "compare the host: https://api.hubapi.com for HubSpot, the address in Setup > My Domain for Salesforce; a variable of Postman that was not filled in looks like this, too"
	case has("connection refused", "econnrefused"):
		f.Class, f.What = "network.refused", "nothing answers at that address"
		f.Next = "compare host and port; a sandbox must be started first (lockstep sandbox)"
	case has("certificate", "ssl", "tls"):
		f.Class, f.What = "network.certificate", "the certificate was not accepted, so nothing was sent"
		f.Next = "if a proxy of your network opens encrypted traffic, give its certificate to the program (curl --cacert, NODE_EXTRA_CA_CERTS); never switch the check off"
	case has("timed out", "timeout", "etimedout", "esockettimedout"):
		f.Class, f.What, f.Retry = "network.timeout", "no answer came in time", retryLater
		f.Next = "try again; a write may have been done all the same, so look before you repeat it"
	case has("empty reply", "socket hang up", "econnreset", "connection reset", "recv failure"):
		f.Class, f.What, f.Retry = "network.cut", "the connection was cut before the answer", retryLater
		f.Next = "try again; a write may have been done all the same, so look before you repeat it"
	default:
		return Finding{}, false
	}
	return f, true
}

// mostSaid bounds what is quoted of a vendor.
const mostSaid = 300

func clip(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > mostSaid {
		text = strings.ToValidUTF8(text[:mostSaid], "") + "…"
	}
	return text
}
