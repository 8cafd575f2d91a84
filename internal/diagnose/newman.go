package diagnose

import (
	"encoding/json"
	"strings"
)

// newmanReport is what newman --reporters json writes.
// https://github.com/postmanlabs/newman#json-reporter
type newmanReport struct {
	Run struct {
		Executions []struct {
			Item struct {
				Name string `json:"name"`
			} `json:"item"`
			Request struct {
				Method string          `json:"method"`
				URL    json.RawMessage `json:"url"`
				Header []newmanHeader  `json:"header"`
				Body   struct {
					Mode       string         `json:"mode"`
					Raw        string         `json:"raw"`
					URLEncoded []newmanHeader `json:"urlencoded"`
				} `json:"body"`
			} `json:"request"`
			Response struct {
				Code   int            `json:"code"`
				Header []newmanHeader `json:"header"`
				Body   string         `json:"body"`
				Stream struct {
					Type string `json:"type"`
					Raw  []int  `json:"data"`
				} `json:"stream"`
			} `json:"response"`
			RequestError struct {
				Message string `json:"message"`
				Code    string `json:"code"`
			} `json:"requestError"`
		} `json:"executions"`
	} `json:"run"`
}

type newmanHeader struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Disabled bool   `json:"disabled"`
}

func readNewman(text []byte) ([]Exchange, bool) {
	var report newmanReport
	if json.Unmarshal(text, &report) != nil || len(report.Run.Executions) == 0 {
		return nil, false
	}
	var out []Exchange
	for _, x := range report.Run.Executions {
		e := Exchange{Name: x.Item.Name, Method: x.Request.Method, URL: newmanURL(x.Request.URL), SentBody: x.Request.Body.Raw, Status: x.Response.Code, Body: x.Response.Body,
			Trouble: strings.TrimSpace(x.RequestError.Code + " " + x.RequestError.Message)}
		for _, p := range x.Request.Body.URLEncoded {
			if p.Disabled {
				continue
			}
			if e.SentBody != "" {
				e.SentBody += "&"
			}
			e.SentBody += p.Key + "=" + p.Value
		}
		if e.Body == "" && len(x.Response.Stream.Raw) > 0 {
			body := make([]byte, len(x.Response.Stream.Raw))
			for i, b := range x.Response.Stream.Raw {
				body[i] = byte(b)
			}
			e.Body = string(body)
		}
		for _, h := range x.Request.Header {
			if !h.Disabled {
				e.Sent = append(e.Sent, Header{h.Key, h.Value})
			}
		}
		for _, h := range x.Response.Header {
			e.Received = append(e.Received, Header{h.Key, h.Value})
		}
		out = append(out, e)
	}
	return out, true
}

// newmanURL reads a URL as Postman keeps it: a text, or its parts.
func newmanURL(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var parts struct {
		Raw      string         `json:"raw"`
		Protocol string         `json:"protocol"`
		Host     []string       `json:"host"`
		Port     string         `json:"port"`
		Path     []string       `json:"path"`
		Query    []newmanHeader `json:"query"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	if parts.Raw != "" {
		return parts.Raw
	}
	out := strings.Join(parts.Host, ".")
	if parts.Protocol != "" {
		out = parts.Protocol + "://" + out
	}
	if parts.Port != "" {
		out += ":" + parts.Port
	}
	out += "/" + strings.Join(parts.Path, "/")
	for i, q := range parts.Query {
		mark := "&"
		if i == 0 {
			mark = "?"
		}
		out += mark + q.Key + "=" + q.Value
	}
	return out
}
