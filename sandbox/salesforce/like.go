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
	if plainASCII(s) {
		return matchParts(p.parts, len(s), func(i int) rune { return rune(lowerByte(s[i])) })
	}
	text := []rune(strings.ToLower(s))
	return matchParts(p.parts, len(text), func(i int) rune { return text[i] })
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func matchParts(parts []patternPart, length int, at func(int) rune) bool {
	i, part := 0, 0
	star, from := -1, 0 // where to go back to: the last %, and the text it began at
	for i < length {
		switch {
		case part < len(parts) && parts[part].any:
			star, from = part, i
			part++
		case part < len(parts) && (parts[part].one || parts[part].char == at(i)):
			part++
			i++
		case star < 0:
			return false
		default:
			from++
			part, i = star+1, from
		}
	}
	for part < len(parts) && parts[part].any {
		part++
	}
	return part == len(parts)
}
