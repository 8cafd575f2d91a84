package postman

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Report is what became of a run.
type Report struct {
	Requests []ReportedRequest `json:"requests"`
	// Sent, Assertions and Failed count requests that were sent, tests, and those
	// of them that failed; an error of a script or of the network is a failed one.
	Sent       int `json:"sent"`
	Assertions int `json:"assertions"`
	Failed     int `json:"failed"`
	Millis     int `json:"millis"`
}

// ReportedRequest is one request as it was run; the chain runs some often.
type ReportedRequest struct {
	Name string `json:"name"`
	// Status of the answer; 0 when there was none.
	Status int `json:"status"`
	// Skipped: its script saw no reason to send it.
	Skipped bool                `json:"skipped,omitempty"`
	Millis  int                 `json:"millis"`
	Tests   []ReportedAssertion `json:"tests"`
}

// ReportedAssertion is one test.
type ReportedAssertion struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Error says why not.
	Error string `json:"error,omitempty"`
}

// newmanReport is the part of newman's JSON report that we read.
type newmanReport struct {
	Run struct {
		Timings struct {
			Started   float64 `json:"started"`
			Completed float64 `json:"completed"`
		} `json:"timings"`
		Executions []struct {
			Item struct {
				Name string `json:"name"`
			} `json:"item"`
			Response *struct {
				Code         int     `json:"code"`
				ResponseTime float64 `json:"responseTime"`
			} `json:"response"`
			RequestError *newmanError `json:"requestError"`
			Assertions   []struct {
				Assertion string       `json:"assertion"`
				Skipped   bool         `json:"skipped"`
				Error     *newmanError `json:"error"`
			} `json:"assertions"`
			PreScript  []newmanScript `json:"prerequestScript"`
			TestScript []newmanScript `json:"testScript"`
		} `json:"executions"`
	} `json:"run"`
}

type newmanScript struct {
	Error *newmanError `json:"error"`
}

type newmanError struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Code    string `json:"code"`
}

func (e *newmanError) text(secrets []string) string {
	s := e.Message
	if s == "" {
		s = e.Name + " " + e.Code
	}
	return shorten(redact(s, secrets))
}

func readReport(path string, secrets []string) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open newman's report: %w", err)
	}
	defer func() { _ = f.Close() }()
	return parseReport(io.LimitReader(f, maxReportBytes), secrets)
}

func parseReport(r io.Reader, secrets []string) (*Report, error) {
	var n newmanReport
	if err := json.NewDecoder(r).Decode(&n); err != nil {
		return nil, fmt.Errorf("read newman's report: %w", err)
	}
	out := &Report{Requests: []ReportedRequest{}, Millis: int(n.Run.Timings.Completed - n.Run.Timings.Started)}
	for i := range n.Run.Executions {
		e := &n.Run.Executions[i]
		one := ReportedRequest{Name: e.Item.Name, Tests: []ReportedAssertion{}}
		add := func(name string, failure *newmanError) {
			a := ReportedAssertion{Name: redact(name, secrets), OK: failure == nil}
			out.Assertions++
			if failure != nil {
				out.Failed++
				a.Error = failure.text(secrets)
			}
			one.Tests = append(one.Tests, a)
		}
		switch {
		case e.Response != nil:
			out.Sent++
			one.Status, one.Millis = e.Response.Code, int(e.Response.ResponseTime)
		case e.RequestError != nil:
			out.Sent++
			add("an answer comes", e.RequestError)
		default:
			one.Skipped = true
		}
		for _, a := range e.Assertions {
			if !a.Skipped {
				add(a.Assertion, a.Error)
			}
		}
		for _, script := range append(e.PreScript, e.TestScript...) {
			if script.Error != nil {
				add("the script runs", script.Error)
			}
		}
		out.Requests = append(out.Requests, one)
	}
	return out, nil
}
