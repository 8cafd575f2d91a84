package salesforce

import (
	"strconv"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			b = append(b, s[start:i]...)
			b = append(b, "\ufffd"...)
			i++
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// jsonWriter builds an object or array by appending; commas come by themselves.
type jsonWriter struct {
	b []byte
}

func (w *jsonWriter) comma() {
	if n := len(w.b); n > 0 {
		switch w.b[n-1] {
		case '{', '[', ':', ',':
		default:
			w.b = append(w.b, ',')
		}
	}
}

func (w *jsonWriter) open(c byte) *jsonWriter  { w.comma(); w.b = append(w.b, c); return w }
func (w *jsonWriter) close(c byte) *jsonWriter { w.b = append(w.b, c); return w }

func (w *jsonWriter) key(k string) *jsonWriter {
	w.comma()
	w.b = append(appendString(w.b, k), ':')
	return w
}

func (w *jsonWriter) str(s string) *jsonWriter { w.comma(); w.b = appendString(w.b, s); return w }
func (w *jsonWriter) int(n int) *jsonWriter {
	w.comma()
	w.b = strconv.AppendInt(w.b, int64(n), 10)
	return w
}
func (w *jsonWriter) bool(v bool) *jsonWriter {
	w.comma()
	w.b = strconv.AppendBool(w.b, v)
	return w
}
func (w *jsonWriter) null() *jsonWriter { w.comma(); w.b = append(w.b, "null"...); return w }

// raw writes JSON that is ready.
func (w *jsonWriter) raw(b []byte) *jsonWriter { w.comma(); w.b = append(w.b, b...); return w }

// strOrNull writes null for the empty text.
func (w *jsonWriter) strOrNull(s string) *jsonWriter {
	if s == "" {
		return w.null()
	}
	return w.str(s)
}

func (w *jsonWriter) strs(list []string) *jsonWriter {
	w.open('[')
	for _, s := range list {
		w.str(s)
	}
	return w.close(']')
}

// prettyPrint indents finished JSON the way X-PrettyPrint does: members on lines
// of their own by two blanks, arrays along the line, " : " between key and value.
func prettyPrint(src []byte) []byte {
	out := make([]byte, 0, len(src)*3/2)
	var open []byte // the containers that we are in
	depth := 0
	newline := func() {
		out = append(out, '\n')
		for range depth {
			out = append(out, ' ', ' ')
		}
	}
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case '"':
			end := i + 1
			for src[end] != '"' {
				if src[end] == '\\' {
					end++
				}
				end++
			}
			out = append(out, src[i:end+1]...)
			i = end
		case '{', '[':
			out = append(out, c)
			if src[i+1] == '}' || src[i+1] == ']' {
				out = append(out, ' ', src[i+1])
				i++
				continue
			}
			open = append(open, c)
			if c == '[' {
				out = append(out, ' ')
				continue
			}
			depth++
			newline()
		case '}':
			open = open[:len(open)-1]
			depth--
			newline()
			out = append(out, c)
		case ']':
			open = open[:len(open)-1]
			out = append(out, ' ', c)
		case ',':
			out = append(out, c)
			if open[len(open)-1] == '[' {
				out = append(out, ' ')
				continue
			}
			newline()
		case ':':
			out = append(out, " : "...)
		default:
			out = append(out, c)
		}
	}
	return out
}
