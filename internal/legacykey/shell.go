package legacykey

import (
	"regexp"
	"strings"
)

// shellWord is one word of a command, with its place in the text.
type shellWord struct{ start, end int }

var (
	curlStart  = regexp.MustCompile(`(^|[\s;&|(!$\x60"])curl(\s)`)
	curlKey    = regexp.MustCompile(`([?&])hapikey=([^&"'\s\\#]*)(&?)`)
	dataOption = regexp.MustCompile(`^(-d|--data|--data-urlencode|--data-raw|-G?d|--url-query)$`)
	dataKey    = regexp.MustCompile(`^["']?hapikey=[^&]*["']?$`)
)

// rewriteShell rewrites curl commands; in prose only those in the lines of a
// code block.
func rewriteShell(text string, only map[int]bool) (after, why string) {
	why = ""
	var out strings.Builder
	at := 0
	for _, m := range curlStart.FindAllStringSubmatchIndex(text, -1) {
		start := m[3] // at "curl"
		if start < at {
			continue
		}
		if only != nil && !only[strings.Count(text[:start], "\n")] {
			continue
		}
		if line := text[strings.LastIndexByte(text[:start], '\n')+1 : start]; strings.HasPrefix(strings.TrimSpace(line), "#") && only == nil {
			continue
		}
		end := commandEnd(text, start)
		command := text[start:end]
		if !strings.Contains(command, "hapikey") {
			continue
		}
		quoted := m[2] < start && strings.IndexByte("\"`", text[m[2]]) >= 0
		rewritten, reason := rewriteCurl(command)
		if quoted {
			reason = "the command stands inside a text"
		}
		if reason != "" {
			why = reason
			continue
		}
		out.WriteString(text[at:start])
		out.WriteString(rewritten)
		at = end
	}
	out.WriteString(text[at:])
	after = out.String()
	if only == nil && after != text && !strings.Contains(after, "?hapikey=") && !strings.Contains(after, "&hapikey=") {
		after = settleShellNames(after)
	}
	return after, why
}

// commandEnd finds the end of the command that begins at start: a line end that
// no backslash and no quote continues, or ; | & ).
func commandEnd(text string, start int) int {
	quote := byte(0)
	for i := start; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '\n' || c == ';' || c == '|' || c == ')' || c == '`':
			return i
		case c == '&':
			// An address without quotes ends at & for the shell, but people write it.
			if i+1 < len(text) && isWord(text[i+1]) {
				continue
			}
			return i
		}
	}
	return len(text)
}

// shellWords splits a command; quotes stay in the words.
func shellWords(command string) []shellWord {
	var words []shellWord
	start, quote := -1, byte(0)
	for i := 0; i < len(command); i++ {
		c := command[i]
		if quote == 0 && (isBlank(c) || c == '\\' && i+1 < len(command) && command[i+1] == '\n') {
			if start >= 0 {
				words = append(words, shellWord{start, i})
				start = -1
			}
			continue
		}
		if start < 0 {
			start = i
		}
		switch {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		}
	}
	if start >= 0 {
		words = append(words, shellWord{start, len(command)})
	}
	return words
}

const curlHeader = ` -H "Authorization: Bearer $` + tokenName + `"`

// rewriteCurl moves the key of one curl command into a header.
func rewriteCurl(command string) (after, why string) {
	lower := strings.ToLower(command)
	if strings.Contains(lower, "authorization:") || strings.Contains(lower, "--oauth2-bearer") {
		return "", "the command has an Authorization header already"
	}
	if developerPaths.MatchString(lower) {
		return "", "this call is made with a developer API key, which still works"
	}
	type cut struct {
		start, end int
		text       string
	}
	var cuts []cut
	words := shellWords(command)
	for i, w := range words {
		text := command[w.start:w.end]
		if strings.Contains(text, "\n") && (strings.Contains(text, "curl") || strings.Contains(text, "hapikey")) {
			return "", "the quotes of the command are not understood"
		}
		switch {
		case curlKey.MatchString(text):
			if !strings.Contains(text, "hubapi.com") && !strings.Contains(text, "hubspot.com") && !strings.Contains(text, "$") && !strings.Contains(text, "localhost") && !strings.Contains(text, "127.0.0.1") {
				return "", "the address is not HubSpot's"
			}
			m := curlKey.FindStringSubmatchIndex(text)
			if strings.ContainsAny(text[m[4]:m[5]], "`(") {
				return "", "the key comes from another command"
			}
			from, to := w.start+m[0], w.start+m[1]
			if m[6] < m[7] { // something follows: keep the mark
				from += 1
				cuts = append(cuts, cut{from, to, ""})
			} else {
				cuts = append(cuts, cut{from, to, ""})
			}
		case dataKey.MatchString(text) && i > 0 && dataOption.MatchString(command[words[i-1].start:words[i-1].end]):
			from := words[i-2+1].start
			if i >= 2 {
				from = words[i-2].end
			}
			to := w.end
			cuts = append(cuts, cut{from, to, ""})
		case strings.Contains(strings.ToLower(text), "hapikey"):
			return "", "this form of the key is not known"
		}
	}
	if len(cuts) == 0 {
		return "", "this form of the key is not known"
	}
	var out strings.Builder
	out.WriteString("curl" + curlHeader)
	at := len("curl")
	for _, c := range cuts {
		if c.start < at {
			return "", "this form of the key is not known"
		}
		out.WriteString(command[at:c.start] + c.text)
		at = c.end
	}
	out.WriteString(command[at:])
	return out.String(), ""
}

var shellName = regexp.MustCompile(`(?m)^([ \t]*(?:export[ \t]+|readonly[ \t]+|local[ \t]+)?)((?:\w*_)?(?:HAPIKEY|hapikey|HUBSPOT_API_KEY|hubspot_api_key))=([^\n]*)\n?`)

// settleShellNames ends variables that held the key and that nothing reads now.
func settleShellNames(text string) string {
	for _, m := range shellName.FindAllStringSubmatch(text, -1) {
		name := m[2]
		if len(regexp.MustCompile(`\b`+name+`\b`).FindAllString(text, -1)) == 1 {
			text = strings.Replace(text, m[0], "", 1)
		}
	}
	return text
}

// fencedLines are the lines between ``` of prose, counted from 0.
func fencedLines(text string) map[int]bool {
	lines := map[int]bool{}
	inside := false
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~") {
			inside = !inside
			continue
		}
		lines[i] = inside
	}
	return lines
}
