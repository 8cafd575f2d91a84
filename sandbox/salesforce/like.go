package salesforce

import (
	"strings"
	"unicode/utf8"
)

// pattern is a LIKE pattern, compiled: runes, and which of them are wild.
type pattern struct {
	parts []patternPart
}

type patternPart struct {
	any, one bool
	char     rune
}

// likePattern reads % as any run and _ as one character; \% \_ \\ are those characters.
func likePattern(s string) pattern {
	var p pattern
	s = strings.ToLower(s)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\\' && i+1 < len(s):
			next, n := utf8.DecodeRuneInString(s[i+1:])
			p.parts = append(p.parts, patternPart{char: next})
			i += 1 + n
			continue
		case r == '%':
			if n := len(p.parts); n == 0 || !p.parts[n-1].any {
				p.parts = append(p.parts, patternPart{any: true})
			}
		case r == '_':
			p.parts = append(p.parts, patternPart{one: true})
		default:
			p.parts = append(p.parts, patternPart{char: r})
		}
		i += size
	}
	return p
}

// match says whether the whole text fits, without regard to case.
func (p pattern) match(s string) bool {
	text := []rune(strings.ToLower(s))
	at, part := 0, 0
	star, from := -1, 0 // where to go back to: the last %, and the text it began at
	for at < len(text) {
		if part < len(p.parts) && p.parts[part].any {
			star, from = part, at
			part++
			continue
		}
		if part < len(p.parts) && (p.parts[part].one || p.parts[part].char == text[at]) {
			part++
			at++
			continue
		}
		if star < 0 {
			return false
		}
		from++
		part, at = star+1, from
	}
	for part < len(p.parts) && p.parts[part].any {
		part++
	}
	return part == len(p.parts)
}
