package diagnose

import (
	"encoding/base64"
	"encoding/json"
)

// harFile is an HTTP archive, as browsers and proxies save it.
// http://www.softwareishard.com/blog/har-12-spec/
type harFile struct {
	Log struct {
		Entries []struct {
			Comment string `json:"comment"`
			Request struct {
				Method   string    `json:"method"`
				URL      string    `json:"url"`
				Headers  []harPair `json:"headers"`
				PostData struct {
					MimeType string    `json:"mimeType"`
					Text     string    `json:"text"`
					Params   []harPair `json:"params"`
				} `json:"postData"`
			} `json:"request"`
			Response struct {
				Status  int       `json:"status"`
				Headers []harPair `json:"headers"`
				Content struct {
					Text     string `json:"text"`
					Encoding string `json:"encoding"`
				} `json:"content"`
				Error string `json:"_error"`
			} `json:"response"`
		} `json:"entries"`
	} `json:"log"`
}

type harPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func readHAR(text []byte) ([]Exchange, bool) {
	var file harFile
	if json.Unmarshal(text, &file) != nil || len(file.Log.Entries) == 0 {
		return nil, false
	}
	var out []Exchange
	for _, entry := range file.Log.Entries {
		e := Exchange{Name: entry.Comment, Method: entry.Request.Method, URL: entry.Request.URL, SentBody: entry.Request.PostData.Text,
			Status: entry.Response.Status, Body: entry.Response.Content.Text, Trouble: entry.Response.Error}
		if entry.Response.Content.Encoding == "base64" {
			if plain, err := base64.StdEncoding.DecodeString(e.Body); err == nil {
				e.Body = string(plain)
			}
		}
		for _, h := range entry.Request.Headers {
			e.Sent = append(e.Sent, Header(h))
		}
		for _, h := range entry.Response.Headers {
			e.Received = append(e.Received, Header(h))
		}
		for i, p := range entry.Request.PostData.Params {
			if e.SentBody != "" && i == 0 && entry.Request.PostData.Text != "" {
				break // the text says the same
			}
			if e.SentBody != "" {
				e.SentBody += "&"
			}
			e.SentBody += p.Name + "=" + p.Value
		}
		if kind := entry.Request.PostData.MimeType; kind != "" {
			if _, given := header(e.Sent, "Content-Type"); !given {
				e.Sent = append(e.Sent, Header{"Content-Type", kind})
			}
		}
		out = append(out, e)
	}
	return out, true
}
