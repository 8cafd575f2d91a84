package legacykey

import (
	"regexp"
	"strings"
)

// Insomnia 5 exports YAML: a list of requests, each with url, parameters and
// authentication (https://developer.konghq.com/insomnia/import-export/).
var (
	insomnia5     = regexp.MustCompile(`(?m)^type: (collection|spec)\.insomnia\.rest/5`)
	insomniaURL   = regexp.MustCompile(`^(\s*)(-\s+)?url:\s*(\S.*)$`)
	insomniaName  = regexp.MustCompile(`^\s*(?:-\s+)?name:\s*["']?hapikey["']?\s*$`)
	insomniaField = regexp.MustCompile(`^(\s*)(?:-\s+)?([A-Za-z]\w*):(.*)$`)
)

// rewriteInsomnia5 moves the requests of an export to a bearer token, line by
// line, so that every other line stays as it is.
func rewriteInsomnia5(text string) (after, why string) {
	lines := strings.Split(text, "\n")
	var out []string
	for i := 0; i < len(lines); {
		m := insomniaURL.FindStringSubmatch(lines[i])
		if m == nil {
			out = append(out, lines[i])
			i++
			continue
		}
		// The request is every line that is indented as far as its fields.
		deep := len(m[1]) + len(m[2])
		end := i + 1
		for end < len(lines) && (strings.TrimSpace(lines[end]) == "" || indentation([]byte(lines[end])) >= deep) {
			end++
		}
		for strings.TrimSpace(lines[end-1]) == "" && end > i+1 {
			end--
		}
		request, reason := insomniaRequest(lines[i:end], deep)
		if reason != "" {
			why = reason
			request = lines[i:end]
		}
		out = append(out, request...)
		i = end
	}
	return strings.Join(out, "\n"), why
}

// insomniaRequest rewrites the lines of one request, whose fields are indented
// by deep.
func insomniaRequest(lines []string, deep int) (after []string, why string) {
	text := strings.Join(lines, "\n")
	if !strings.Contains(text, "hapikey") {
		return lines, ""
	}
	if developerPaths.MatchString(strings.ToLower(text)) {
		return lines, ""
	}
	authentication := false
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		m := insomniaField.FindStringSubmatch(line)
		at := indentation([]byte(strings.Replace(line, "- ", "  ", 1)))
		switch {
		case m != nil && at == deep && m[2] == "url":
			line = rawKey.ReplaceAllStringFunc(line, func(s string) string {
				if strings.HasSuffix(s, "&") {
					return s[:1]
				}
				return ""
			})
			after = append(after, line)
		case m != nil && at == deep && m[2] == "authentication":
			block := i + 1
			for block < len(lines) && indentation([]byte(lines[block])) > deep {
				block++
			}
			body := strings.Join(lines[i+1:block], "\n")
			if !strings.Contains(body, "type: bearer") && !strings.Contains(body, "type: none") && !strings.Contains(body, "type: apikey") {
				return nil, "the request has an authorization of another kind"
			}
			authentication = true
			after = append(after, insomniaBearer(deep)...)
			i = block - 1
		case m != nil && at == deep && m[2] == "parameters":
			block := i + 1
			for block < len(lines) && (indentation([]byte(lines[block])) > deep || strings.HasPrefix(strings.TrimSpace(lines[block]), "- ") && indentation([]byte(lines[block])) >= deep) {
				block++
			}
			if left := insomniaParameters(lines[i+1 : block]); len(left) > 0 {
				after = append(append(after, line), left...)
			}
			i = block - 1
		default:
			after = append(after, line)
		}
	}
	if !authentication {
		after = append(after, insomniaBearer(deep)...)
	}
	return after, ""
}

func insomniaBearer(deep int) []string {
	indent := strings.Repeat(" ", deep)
	return []string{indent + "authentication:", indent + "  type: bearer", indent + `  token: "{{ ` + tokenVariableName + ` }}"`}
}

// insomniaParameters leaves out the item that is the key.
func insomniaParameters(lines []string) []string {
	var left, item []string
	flush := func() {
		for _, line := range item {
			if insomniaName.MatchString(line) {
				item = nil
			}
		}
		left = append(left, item...)
		item = nil
	}
	for _, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "- ") {
			flush()
		}
		item = append(item, line)
	}
	flush()
	return left
}
