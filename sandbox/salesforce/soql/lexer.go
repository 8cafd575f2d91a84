package soql

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	end tokenKind = iota
	word
	quoted
	numeral
	day     // 2026-11-23
	instant // 2026-11-23T14:05:06Z
	symbol
)

type token struct {
	kind tokenKind
	text string // unescaped for quoted
	at   int
}

// show is the token as error messages name it.
func (t token) show() string {
	if t.kind == end {
		return "<EOF>"
	}
	return t.text
}

// lex cuts a query into tokens.
func lex(text string) ([]token, *Error) {
	var tokens []token
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case isLetter(c):
			j := i + 1
			for j < len(text) && (isLetter(text[j]) || isDigit(text[j])) {
				j++
			}
			tokens = append(tokens, token{word, text[i:j], i})
			i = j
		case c == '\'':
			s, next, problem := lexString(text, i)
			if problem != nil {
				return nil, problem
			}
			tokens = append(tokens, token{quoted, s, i})
			i = next
		case isDigit(c), (c == '-' || c == '+' || c == '.') && i+1 < len(text) && (isDigit(text[i+1]) || text[i+1] == '.'):
			t, next := lexNumber(text, i)
			tokens = append(tokens, t)
			i = next
		case strings.HasPrefix(text[i:], "!=") || strings.HasPrefix(text[i:], "<>") || strings.HasPrefix(text[i:], "<=") || strings.HasPrefix(text[i:], ">="):
			tokens = append(tokens, token{symbol, text[i : i+2], i})
			i += 2
		case strings.IndexByte("(),.=<>:*", c) >= 0:
			tokens = append(tokens, token{symbol, text[i : i+1], i})
			i++
		default:
			r, _ := utf8.DecodeRuneInString(text[i:])
			return nil, malformed(text, i, "unexpected token: '"+string(r)+"'")
		}
	}
	return append(tokens, token{end, "", len(text)}), nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// lexString reads a quoted text; only the listed escapes exist. \% and \_ stay
// as they are: LIKE reads them.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func lexString(text string, start int) (s string, next int, problem *Error) {
	var b strings.Builder
	for i := start + 1; i < len(text); {
		c := text[i]
		if c == '\'' {
			return b.String(), i + 1, nil
		}
		if c != '\\' {
			b.WriteByte(c)
			i++
			continue
		}
		if i+1 == len(text) {
			break
		}
		i++
		switch text[i] {
		case 'n', 'N':
			b.WriteByte('\n')
		case 'r', 'R':
			b.WriteByte('\r')
		case 't', 'T':
			b.WriteByte('\t')
		case 'b', 'B':
			b.WriteByte('\b')
		case 'f', 'F':
			b.WriteByte('\f')
		case '"', '\'', '\\':
			if text[i] == '\\' {
				b.WriteString(escapedBackslash)
			} else {
				b.WriteByte(text[i])
			}
		case '%', '_':
			b.WriteByte('\\')
			b.WriteByte(text[i])
		case 'u':
			if i+4 >= len(text) {
				return "", 0, malformed(text, i-1, "Illegal string literal")
			}
			n, err := strconv.ParseUint(text[i+1:i+5], 16, 32)
			if err != nil {
				return "", 0, malformed(text, i-1, "Invalid unicode escape")
			}
			b.WriteRune(rune(n))
			i += 4
		default:
			return "", 0, malformed(text, i-1, "Invalid string literal '"+text[start+1:min(len(text), i+1)]+"'. Illegal character sequence '\\"+text[i:i+1]+"' in string literal.")
		}
		i++
	}
	return "", 0, malformed(text, start, "unexpected token: '''")
}

// escapedBackslash keeps a literal backslash apart from the one of \% until
// the value is used.
const escapedBackslash = `\\`

// Plain is the text of a Text value where it is no LIKE pattern.
func (v Value) Plain() string {
	if strings.IndexByte(v.Text, '\\') < 0 {
		return v.Text
	}
	return strings.NewReplacer(`\\`, `\`, `\%`, `%`, `\_`, `_`).Replace(v.Text)
}

func lexNumber(text string, i int) (token, int) {
	j := i
	for j < len(text) && (isDigit(text[j]) || isLetter(text[j]) || strings.IndexByte(".:+-", text[j]) >= 0) {
		if (text[j] == '+' || text[j] == '-') && j > i {
			// Inside a number only dates, offsets and exponents have signs.
			if !looksLikeDate(text[i:j]) && !(text[j-1] == 'e' || text[j-1] == 'E') {
				break
			}
		}
		j++
	}
	s := text[i:j]
	switch {
	case len(s) == 10 && looksLikeDate(s):
		return token{day, s, i}, j
	case len(s) > 10 && looksLikeDate(s):
		return token{instant, s, i}, j
	}
	return token{numeral, s, i}, j
}

// looksLikeDate says whether s begins as a date does: 2026-.
func looksLikeDate(s string) bool {
	if len(s) < 4 {
		return false
	}
	for i := range 4 {
		if !isDigit(s[i]) {
			return false
		}
	}
	return len(s) == 4 || s[4] == '-'
}

func malformed(text string, at int, message string) *Error {
	return &Error{Code: "MALFORMED_QUERY", Message: message, At: at, Text: text}
}
