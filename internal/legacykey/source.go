package legacykey

import (
	"bytes"
	"regexp"
	"sort"
	"strings"
)

// source is a program text, told apart into code, texts and comments, so that
// brackets and names can be found without falling into a string.
type source struct {
	kind kind
	src  string
	// code is src with the inside of texts and comments blanked out, byte for byte.
	code     string
	literals []literal
	edits    []edit
}

// literal is a text between quotes.
type literal struct {
	start, end int // with quotes
	quote      string
	// prefix is what stands before the quote and changes it: f, r, $, @.
	prefix string
}

func (l literal) inside() (int, int) { return l.start + len(l.quote), l.end - len(l.quote) }

// edit replaces [start, end) by text.
type edit struct {
	start, end int
	text       string
}

// readSource tells src apart.
func readSource(k kind, src string) *source {
	s := &source{kind: k, src: src}
	blank := []byte(src)
	erase := func(from, to int) {
		for i := from; i < to && i < len(blank); i++ {
			if blank[i] != '\n' {
				blank[i] = ' '
			}
		}
	}
	line, block := commentMarks(k)
	for i := 0; i < len(src); {
		rest := src[i:]
		if mark := leads(rest, line); mark != "" && !(k == kindPHP && mark == "#" && strings.HasPrefix(rest, "#[")) {
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			erase(i, i+end)
			i += end
			continue
		}
		if block && strings.HasPrefix(rest, "/*") {
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				end = len(rest) - 4
			}
			erase(i, i+end+4)
			i += end + 4
			continue
		}
		if k == kindJavaScript && rest[0] == '/' && s.regexMayStart(blank, i) {
			if n := regexLength(rest); n > 0 {
				erase(i+1, i+n-1)
				i += n
				continue
			}
		}
		if quote := leads(rest, quoteMarks(k)); quote != "" {
			l := literal{start: i, quote: quote}
			for l.start > 0 && strings.ContainsRune("frbuFRBU$@", rune(src[l.start-1])) && (k == kindPython || k == kindCSharp) && (l.start < 2 || !isWord(src[l.start-2]) || strings.ContainsRune("frbFRB$@", rune(src[l.start-2]))) && i-l.start < 2 {
				l.start--
			}
			l.prefix, l.start = src[l.start:i], i
			l.end = i + len(quote) + s.closing(src[i+len(quote):], l)
			s.literals = append(s.literals, l)
			from, to := l.inside()
			erase(from, to)
			i = l.end
			continue
		}
		i++
	}
	s.code = string(blank)
	return s
}

func commentMarks(k kind) (line []string, block bool) {
	switch k {
	case kindPython, kindRuby:
		return []string{"#"}, false
	case kindPHP:
		return []string{"//", "#"}, true
	}
	return []string{"//"}, true
}

func quoteMarks(k kind) []string {
	switch k {
	case kindPython:
		return []string{`"""`, `'''`, `"`, `'`}
	case kindJavaScript:
		return []string{`"`, `'`, "`"}
	case kindGo:
		return []string{`"`, "`", `'`}
	case kindJava, kindCSharp:
		return []string{`"""`, `"`, `'`}
	}
	return []string{`"`, `'`}
}

func leads(text string, marks []string) string {
	for _, mark := range marks {
		if strings.HasPrefix(text, mark) {
			return mark
		}
	}
	return ""
}

// closing returns how many bytes of rest belong to the literal, with its
// closing quote.
func (s *source) closing(rest string, l literal) int {
	raw := s.kind == kindGo && l.quote == "`" || s.kind == kindCSharp && strings.Contains(l.prefix, "@")
	for i := 0; i < len(rest); i++ {
		switch {
		case strings.HasPrefix(rest[i:], l.quote):
			if raw && s.kind == kindCSharp && strings.HasPrefix(rest[i+1:], l.quote) {
				i++
				continue
			}
			return i + len(l.quote)
		case rest[i] == '\\' && !raw:
			i++
		case rest[i] == '\n' && len(l.quote) == 1 && l.quote != "`" && !raw && s.kind != kindPHP && s.kind != kindRuby:
			return i // never closed: an apostrophe
		case strings.HasPrefix(rest[i:], "${") && l.quote == "`" && s.kind == kindJavaScript, strings.HasPrefix(rest[i:], "#{") && l.quote == `"` && s.kind == kindRuby:
			i += 1 + braces(rest[i+1:])
		}
	}
	return len(rest)
}

// braces returns the length of {…} at the beginning of text, less one.
func braces(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// regexMayStart tells a regular expression from a division by what stands before.
func (s *source) regexMayStart(code []byte, at int) bool {
	before := strings.TrimRight(string(code[max(0, at-40):at]), " \t")
	if before == "" {
		return true
	}
	if strings.HasSuffix(before, "return") {
		return true
	}
	return strings.IndexByte("(,=:[!&|?{};\n", before[len(before)-1]) >= 0
}

func regexLength(rest string) int {
	class := false
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\n':
			return 0
		case '\\':
			i++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				return i + 1
			}
		}
	}
	return 0
}

// balanced tells whether every bracket closes the one that it should.
func (s *source) balanced() bool {
	var stack []byte
	for i := range len(s.code) {
		switch c := s.code[i]; c {
		case '(':
			stack = append(stack, ')')
		case '[':
			stack = append(stack, ']')
		case '{':
			stack = append(stack, '}')
		case ')', ']', '}':
			if len(stack) == 0 || stack[len(stack)-1] != c {
				return false
			}
			stack = stack[:len(stack)-1]
		}
	}
	return len(stack) == 0
}

// literalAt returns the literal that holds at.
func (s *source) literalAt(at int) (literal, bool) {
	i := sort.Search(len(s.literals), func(i int) bool { return s.literals[i].end > at })
	if i < len(s.literals) && s.literals[i].start <= at {
		return s.literals[i], true
	}
	return literal{}, false
}

// opening returns the bracket that at stands in, or -1.
func (s *source) opening(at int) int {
	depth := 0
	for i := at - 1; i >= 0; i-- {
		switch s.code[i] {
		case ')', ']', '}':
			depth++
		case '(', '[', '{':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// closingOf returns the bracket that closes the one at open, or -1.
func (s *source) closingOf(open int) int {
	depth := 0
	for i := open; i < len(s.code); i++ {
		switch s.code[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// span is a piece of the source without blanks around it.
type span struct{ start, end int }

func (s *source) text(p span) string { return s.src[p.start:p.end] }

// parts splits what is between two brackets at its commas.
func (s *source) parts(open, end int) []span {
	var list []span
	depth, from := 0, open+1
	add := func(to int) {
		p := s.trim(span{from, to})
		if p.end > p.start {
			list = append(list, p)
		}
		from = to + 1
	}
	for i := open + 1; i < end; i++ {
		switch s.code[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				add(i)
			}
		}
	}
	add(end)
	return list
}

func (s *source) trim(p span) span {
	// A comment at an edge is blank in code and is no part of the value.
	for p.start < p.end && isBlank(s.code[p.start]) {
		if _, in := s.literalAt(p.start); in {
			break
		}
		p.start++
	}
	for p.end > p.start && isBlank(s.code[p.end-1]) {
		if _, in := s.literalAt(p.end - 1); in {
			break
		}
		p.end--
	}
	return p
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

var calleeForm = regexp.MustCompile(`[\w$][\w$.:>?!-]*(?:<[\w<>,. ]*>)?$`)

// callee returns the name before the bracket at open, and where it starts.
func (s *source) callee(open int) (string, int) {
	end := open
	for end > 0 && (s.code[end-1] == ' ' || s.code[end-1] == '\t') {
		end--
	}
	from := max(0, end-200)
	m := calleeForm.FindStringIndex(s.code[from:end])
	if m == nil {
		// A call on the result of a call: .url(…).
		if end > 0 && end < len(s.code) {
			return "", end
		}
		return "", open
	}
	return s.code[from+m[0] : end], from + m[0]
}

// words returns every place in the code, outside texts, where name stands for
// itself and not for a member of something.
func (s *source) words(name string) []int {
	var list []int
	for _, at := range s.anyWords(name) {
		if at == 0 || s.code[at-1] != '.' {
			list = append(list, at)
		}
	}
	return list
}

// anyWords is words, with members of something (config.HAPIKEY).
func (s *source) anyWords(name string) []int {
	var list []int
	for from := 0; ; {
		i := strings.Index(s.code[from:], name)
		if i < 0 {
			return list
		}
		at := from + i
		from = at + len(name)
		if (at == 0 || !isWord(s.code[at-1]) && s.code[at-1] != '$') && (from == len(s.code) || !isWord(s.code[from])) {
			list = append(list, at)
		}
	}
}

// lineIndent is the white space that the line of at begins with.
func (s *source) lineIndent(at int) string {
	from := strings.LastIndexByte(s.src[:at], '\n') + 1
	to := from
	for to < len(s.src) && (s.src[to] == ' ' || s.src[to] == '\t') {
		to++
	}
	return s.src[from:to]
}

func (s *source) replace(start, end int, text string) {
	for _, e := range s.edits {
		if e.start == start && e.end == end && e.text == text {
			return // asked for twice: two keys in one call
		}
	}
	s.edits = append(s.edits, edit{start, end, text})
}

// apply returns the source with its edits; ok is false when two of them collide.
func (s *source) apply() (string, bool) {
	sort.SliceStable(s.edits, func(i, j int) bool { return s.edits[i].start < s.edits[j].start })
	var out bytes.Buffer
	at := 0
	for _, e := range s.edits {
		if e.start < at {
			return "", false
		}
		out.WriteString(s.src[at:e.start])
		out.WriteString(e.text)
		at = e.end
	}
	out.WriteString(s.src[at:])
	return out.String(), true
}
