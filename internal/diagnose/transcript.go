package diagnose

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	curlStart = regexp.MustCompile(`^\s*(?:[$#%>]\s+)?curl(?:\.exe)?\s`)
	// requestLine is "GET /path HTTP/1.1", with curl's "> " before it or not.
	requestLine = regexp.MustCompile(`^(?:> )?\s*(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (\S+)(?: HTTP/[0-9.]+)?$`)
	statusLine  = regexp.MustCompile(`^(?:< )?\s*HTTP/[0-9.]+ ([0-9]{3})\b`)
	// consoleLine is how Postman's console and other tools sum a call up:
	// "GET https://api.hubapi.com/… 401 312 ms".
	consoleLine = regexp.MustCompile(`^[▶▼\s]*(GET|POST|PUT|PATCH|DELETE|HEAD) "?(https?://[^\s"]+?)"?:?(?:\s+\[?([0-9]{3})\b.*)?\s*(\{?)\s*$`)
	// pythonLine is the exception of Python's requests.
	pythonLine = regexp.MustCompile(`([0-9]{3}) (?:Client|Server) Error: .* for url: (\S+)`)
	headerLine = regexp.MustCompile(`^(?:[<>] )?([A-Za-z0-9!#$%&'*+.^_|~-]+):(.*)$`)
	bareStatus = regexp.MustCompile(`^\s*([1-5][0-9]{2})(?: [A-Z][A-Za-z ]+)?\s*$`)
	// wordStatus is a status on a line of its own: "401 Unauthorized", "Status: 401".
	wordStatus  = regexp.MustCompile(`(?i)^\s*(?:status(?: code)?:?\s*([1-5][0-9]{2})\b.*|([1-5][0-9]{2})(?: [a-z][a-z ]+)?\s*)$`)
	curlTrouble = regexp.MustCompile(`^curl: \([0-9]+\) (.*)$`)
)

// part is what of a message is being read.
type part int

const (
	nowhere part = iota
	sentHeaders
	sentBody
	receivedHeaders
	receivedBody
)

// transcript reads the lines of a text one after the other.
type transcript struct {
	done []Exchange
	now  Exchange
	at   part
	// command: what came so far was a curl command, whose trace may follow.
	command bool
	seen    bool
	// body and sent are the lines of the two bodies so far.
	body, sent []string
}

// mostCommandLines bounds a curl command that goes on over several lines; more
// is a quote in prose that nobody closed. mostDetailLines bounds what Postman's
// console says of one call.
const (
	mostCommandLines = 500
	mostDetailLines  = 5_000
)

// readTranscript finds the calls in what a terminal or a console shows; none
// when nothing in it looks like one.
func readTranscript(text string) []Exchange {
	t := &transcript{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSuffix(lines[i], "\r")
		if curlStart.MatchString(line) {
			more := 0
			whole := line
			for openQuote(whole) && i+more+1 < len(lines) && more < mostCommandLines {
				more++
				whole += "\n" + lines[i+more]
			}
			if !openQuote(whole) {
				line, i = whole, i+more
			}
			t.begin()
			t.now, t.command, t.seen, t.at = curlCommand(strings.TrimLeft(line, " \t$#%>")), true, true, receivedBody
			continue
		}
		if n := t.console(lines, i); n > 0 {
			i += n - 1
			continue
		}
		t.line(line)
	}
	t.begin()
	if !t.seen {
		return nil
	}
	return t.done
}

// begin closes the call that was read.
func (t *transcript) begin() {
	if t.body != nil {
		t.now.Body = strings.Join(t.body, "\n")
	}
	if t.sent != nil {
		t.now.SentBody = strings.Join(t.sent, "\n")
	}
	t.now.Body, t.now.SentBody = strings.TrimSpace(t.now.Body), strings.TrimSpace(t.now.SentBody)
	if t.seen && !t.now.empty() {
		t.done = append(t.done, t.now)
	}
	t.now, t.at, t.command, t.body, t.sent = Exchange{}, nowhere, false, nil, nil
}

func (t *transcript) line(line string) {
	switch {
	case statusLine.MatchString(line):
		t.status(line)
	case requestLine.MatchString(line):
		t.request(line)
	case curlTrouble.MatchString(line):
		t.now.Trouble, t.seen = curlTrouble.FindStringSubmatch(line)[1], true
	case pythonLine.MatchString(line):
		m := pythonLine.FindStringSubmatch(line)
		t.now.Status, _ = strconv.Atoi(m[1])
		t.now.URL, t.seen = m[2], true
	case t.at == nowhere && t.now.Status == 0 && wordStatus.MatchString(line):
		m := wordStatus.FindStringSubmatch(line)
		t.now.Status, _ = strconv.Atoi(m[1] + m[2])
		t.body, t.at, t.seen = nil, receivedBody, true
	case strings.HasPrefix(line, "* "), strings.HasPrefix(line, "{ ["), strings.HasPrefix(line, "} ["):
		// what curl -v says of its own
	case t.at == sentHeaders || t.at == receivedHeaders:
		t.headers(line)
	case t.at == sentBody:
		t.sent = append(t.sent, line)
	default:
		t.body = append(t.body, line)
	}
}

func (t *transcript) status(line string) {
	// What came before an answer's head was no body of it: a proxy's answer,
	// "100 Continue", a redirect, or a remark of the person who pasted it.
	code, _ := strconv.Atoi(statusLine.FindStringSubmatch(line)[1])
	t.now.Status, t.now.Received, t.body = code, nil, nil
	t.at, t.seen = receivedHeaders, true
}

func (t *transcript) request(line string) {
	m := requestLine.FindStringSubmatch(line)
	// A console names the call first, and shows it in full below.
	same := t.now.Method == m[1] && strings.HasPrefix(t.now.URL, "http") && strings.HasSuffix(t.now.URL, m[2]) && len(t.now.Sent) == 0
	if !t.command && !same && (t.now.Status != 0 || len(t.now.Sent) > 0) {
		t.begin()
	}
	sent := t.now.Sent
	if t.command || t.now.URL != "" && strings.HasPrefix(m[2], "/") {
		t.now.Method, t.now.Sent, t.at = m[1], nil, sentHeaders
		if len(sent) > 0 {
			t.now.Sent = append(t.now.Sent, sent...)
		}
		return
	}
	t.now.Method, t.now.URL, t.at, t.seen = m[1], m[2], sentHeaders, true
}

func (t *transcript) headers(line string) {
	text := strings.TrimPrefix(strings.TrimPrefix(line, "< "), "> ")
	if blank := strings.TrimSpace(text); blank == "" || blank == "<" || blank == ">" {
		if t.at == sentHeaders {
			t.at = sentBody
			if t.command {
				t.at = receivedBody
			}
		} else {
			t.at = receivedBody
		}
		t.hostIntoURL()
		return
	}
	m := headerLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	h := Header{m[1], strings.TrimPrefix(m[2], " ")}
	if t.at == receivedHeaders {
		t.now.Received = append(t.now.Received, h)
		return
	}
	if _, known := header(t.now.Sent, h.Name); !known {
		t.now.Sent = append(t.now.Sent, h)
	}
}

// hostIntoURL puts the Host header before a bare path.
func (t *transcript) hostIntoURL() {
	if host, ok := header(t.now.Sent, "Host"); ok && strings.HasPrefix(t.now.URL, "/") {
		t.now.URL = "https://" + strings.TrimSpace(host) + t.now.URL
	}
}

// console reads a line of Postman's console and what belongs to it; it returns
// how many lines that were, 0 when there is none.
func (t *transcript) console(lines []string, i int) int {
	m := consoleLine.FindStringSubmatch(strings.TrimRight(lines[i], " \t\r"))
	if m == nil {
		return 0
	}
	t.begin()
	t.seen = true
	t.now = Exchange{Method: m[1], URL: strings.TrimSuffix(m[2], ":")}
	t.now.Status, _ = strconv.Atoi(m[3])
	t.at = receivedBody
	used := 1
	if m[4] == "{" {
		used += t.details("{", lines[i+1:])
		return used
	}
	for i+used < len(lines) && used < 4 {
		next := strings.TrimSpace(lines[i+used])
		switch {
		case bareStatus.MatchString(next) && t.now.Status == 0:
			t.now.Status, _ = strconv.Atoi(bareStatus.FindStringSubmatch(next)[1])
			used++
		case strings.HasSuffix(next, " ms") || strings.HasSuffix(next, " s") && len(next) < 12 || next == "":
			used++
		case next == "{" || strings.HasPrefix(next, `{"Network"`) || strings.HasPrefix(next, `{"Request Headers"`):
			if n := t.details("", lines[i+used:]); n > 0 {
				return used + n
			}
			return used
		default:
			return used
		}
	}
	return used
}

// details reads the object that Postman's console copies: request and answer by
// name. It returns how many lines it has, 0 when it is no such object.
func (t *transcript) details(lead string, lines []string) int {
	for n, line := range lines[:min(len(lines), mostDetailLines)] {
		if !strings.HasPrefix(line, "}") && n > 0 {
			continue
		}
		text := lead + strings.Join(lines[:n+1], "\n")
		if !json.Valid([]byte(text)) {
			if n > 0 {
				return 0
			}
			continue
		}
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &object) != nil || object["Request Headers"] == nil && object["Response Headers"] == nil && object["Response Body"] == nil {
			return 0
		}
		t.now.Sent = append(t.now.Sent, pairs(object["Request Headers"])...)
		t.now.Received = append(t.now.Received, pairs(object["Response Headers"])...)
		t.sent, t.body = []string{textOf(object["Request Body"])}, []string{textOf(object["Response Body"])}
		if code := textOf(object["Status Code"]); code != "" {
			t.now.Status, _ = strconv.Atoi(code)
		}
		t.at = receivedBody
		return n + 1
	}
	return 0
}

func pairs(raw json.RawMessage) []Header {
	var values map[string]any
	var out []Header
	if json.Unmarshal(raw, &values) == nil {
		for name, value := range values {
			if text, ok := value.(string); ok {
				out = append(out, Header{name, text})
			}
		}
	}
	slices.SortFunc(out, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// textOf is a JSON text as what it says, and any other value as it stands.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	if string(raw) == "null" {
		return ""
	}
	return string(raw)
}
