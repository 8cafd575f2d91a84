package diagnose

import (
	"net/http"
	"strings"
)

// curlCommand reads a curl command line as a shell would see it.
func curlCommand(line string) Exchange {
	words := shellWords(line)
	e := Exchange{}
	var data []string
	get, asJSON := false, false
	for i := 1; i < len(words); i++ {
		word := words[i]
		flag, value, joined := word, "", false
		if strings.HasPrefix(word, "--") {
			flag, value, joined = strings.Cut(word, "=")
		} else if len(word) > 2 && word[0] == '-' && strings.ContainsRune("XHdubAeF", rune(word[1])) {
			flag, value, joined = word[:2], word[2:], true
		}
		next := func() string {
			if joined {
				return value
			}
			if i+1 < len(words) {
				i++
				return words[i]
			}
			return ""
		}
		switch flag {
		case "-X", "--request":
			e.Method = strings.ToUpper(next())
		case "-H", "--header":
			name, value, _ := strings.Cut(next(), ":")
			e.Sent = append(e.Sent, Header{strings.TrimSpace(name), strings.TrimPrefix(value, " ")})
		case "-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode":
			data = append(data, next())
		case "--json":
			data, asJSON = append(data, next()), true
		case "-G", "--get":
			get = true
		case "-u", "--user":
			next()
			e.Sent = append(e.Sent, Header{"Authorization", "Basic " + hidden})
		case "--oauth2-bearer":
			e.Sent = append(e.Sent, Header{"Authorization", "Bearer " + next()})
		case "-b", "--cookie", "-A", "--user-agent", "-e", "--referer", "-F", "--form", "-o", "--output", "--connect-timeout", "-m", "--max-time", "--cacert", "--cert", "--key", "-x", "--proxy", "-w", "--write-out", "--retry":
			next()
		case "--url":
			e.URL = next()
		default:
			if !strings.HasPrefix(word, "-") && e.URL == "" {
				e.URL = word
			}
		}
	}
	body := strings.Join(data, "&")
	_, typed := header(e.Sent, "Content-Type")
	switch {
	case get && body != "":
		e.URL += "?" + body
	case body != "":
		e.SentBody = body
		if e.Method == "" {
			e.Method = http.MethodPost
		}
		if !typed && asJSON {
			e.Sent = append(e.Sent, Header{"Content-Type", "application/json"})
		} else if !typed {
			e.Sent = append(e.Sent, Header{"Content-Type", "application/x-www-form-urlencoded"}) // curl's own choice
		}
	}
	if e.Method == "" {
		e.Method = http.MethodGet
	}
	return e
}

// shellWords splits a command line at blanks, minding quotes and backslashes.
// Variables stay as they are written.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		switch {
		case quote == '\'':
			if c == '\'' {
				quote = 0
			} else {
				word.WriteRune(c)
			}
		case c == '\\' && i+1 < len(runes):
			i++
			if quote == '"' && !strings.ContainsRune(`"\$`+"`\n", runes[i]) {
				word.WriteRune('\\')
			}
			if runes[i] != '\n' {
				word.WriteRune(runes[i])
				inWord = true
			}
		case quote == '"':
			if c == '"' {
				quote = 0
			} else {
				word.WriteRune(c)
			}
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}

// openQuote tells whether a command goes on in the next line.
func openQuote(line string) bool {
	quote := rune(0)
	escaped := false
	for _, c := range line {
		switch {
		case escaped:
			escaped = false
		case c == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		}
	}
	return quote != 0 || escaped
}
