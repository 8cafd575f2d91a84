package legacykey

import (
	"regexp"
	"strings"
)

var keyInText = regexp.MustCompile(`[?&]hapikey=`)

// urls takes the key out of addresses and gives their calls the header.
func (p *program) urls() error {
	for _, l := range p.literals {
		from, to := l.inside()
		if from > to || to > len(p.src) {
			continue
		}
		m := keyInText.FindAllStringIndex(p.src[from:to], -1)
		if m == nil {
			continue
		}
		if len(m) > 1 {
			return because("one text holds several addresses with the key")
		}
		if inside := strings.ToLower(p.src[from:to]); developerPaths.MatchString(inside) {
			continue
		}
		expression, err := p.cutKey(l, from+m[0][0])
		if err != nil {
			return err
		}
		if err := p.place(expression, 0); err != nil {
			return err
		}
	}
	return nil
}

// cutKey removes the parameter that begins at mark ("?" or "&") in l, and
// returns the whole expression that makes the address.
func (p *program) cutKey(l literal, mark int) (span, error) {
	_, inner := l.inside()
	value := mark + len("?hapikey=")
	whole := p.concatenation(l)
	if value == inner {
		return whole, p.cutOperand(l, mark)
	}
	end, err := p.valueEnd(l, value, inner)
	if err != nil {
		return span{}, err
	}
	p.removed = append(p.removed, strings.Trim(p.src[value:end], "${}#"))
	if verb := p.src[value:end]; strings.HasPrefix(verb, "%s") || strings.HasPrefix(verb, "%v") {
		if err := p.cutFormatArgument(l, value); err != nil {
			return span{}, err
		}
	}
	if end < inner && p.src[end] == '&' {
		p.replace(mark+1, end+1, "")
	} else {
		p.replace(mark, end, "")
	}
	return whole, nil
}

// valueEnd finds the end of the parameter's value inside its literal.
func (p *program) valueEnd(l literal, at, inner int) (int, error) {
	rest := p.src[at:inner]
	interpolated := ""
	switch p.kind {
	case kindJavaScript:
		if l.quote == "`" {
			interpolated = "${"
		}
	case kindRuby:
		interpolated = "#{"
	case kindPython:
		if strings.ContainsAny(l.prefix, "fF") {
			interpolated = "{"
		} else if strings.HasPrefix(rest, "{") {
			return 0, because("the address is filled by format: take the key out of its arguments")
		}
	case kindCSharp:
		if strings.Contains(l.prefix, "$") {
			interpolated = "{"
		} else if strings.HasPrefix(rest, "{") {
			return 0, because("the address is filled by string.Format: take the key out of its arguments")
		}
	case kindPHP:
		if strings.HasPrefix(rest, "{$") {
			interpolated = "{"
		} else if m := regexp.MustCompile(`^\$\w+(?:->\w+|\[\w+\])?`).FindString(rest); m != "" && l.quote == `"` {
			return at + len(m), nil
		}
	}
	end := at
	if interpolated != "" && strings.HasPrefix(rest, interpolated) {
		end = at + len(interpolated) - 1 + braces(rest[len(interpolated)-1:]) + 1
	} else if strings.HasPrefix(rest, "%s") || strings.HasPrefix(rest, "%v") {
		if p.kind == kindPython {
			return 0, because("the address is filled by %%: take the key out of its arguments")
		}
		end = at + 2
	} else {
		for end < inner && (isWord(p.src[end]) || p.src[end] == '-') {
			end++
		}
	}
	if end < inner && p.src[end] != '&' && p.src[end] != '#' {
		return 0, because("what follows the key in the address is not understood")
	}
	return end, nil
}

// joins tells whether a byte of the code joins texts in this language.
func (p *program) joins(at int) bool {
	if p.kind == kindPHP {
		return p.code[at] == '.'
	}
	return p.code[at] == '+'
}

// operandEnd is where the operand that begins at at ends.
func (p *program) operandEnd(at int) int {
	depth := 0
	for i := at; i < len(p.code); i++ {
		if l, in := p.literalAt(i); in {
			i = l.end - 1
			continue
		}
		switch c := p.code[i]; {
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			if depth == 0 {
				return i
			}
			depth--
		case depth > 0:
		case c == ',' || c == ';' || c == '\n' || c == ':' && p.kind != kindPHP && p.kind != kindRuby || c == '?' || p.joins(i):
			return i
		}
	}
	return len(p.code)
}

func (p *program) skipBlank(at int) int {
	for at < len(p.code) && isBlank(p.code[at]) {
		at++
	}
	return at
}

// cutOperand removes "…hapikey=" + key, and joins what followed.
func (p *program) cutOperand(l literal, mark int) error {
	plus := p.skipBlank(l.end)
	if plus >= len(p.code) || !p.joins(plus) {
		return because("the address ends in hapikey= and the key is added elsewhere")
	}
	key := p.skipBlank(plus + 1)
	if _, in := p.literalAt(key); in && p.kind != kindPHP {
		return because("the key is put together from texts")
	}
	end := p.operandEnd(key)
	operand := p.trim(span{key, end})
	p.removed = append(p.removed, p.text(operand))
	if end < len(p.code) && p.joins(end) {
		next, in := p.literalAt(p.skipBlank(end + 1))
		inner, _ := next.inside()
		if !in || next.quote != l.quote || next.prefix != l.prefix || !strings.HasPrefix(p.src[inner:], "&") {
			return because("what follows the key in the address is not understood")
		}
		p.replace(mark+1, inner+1, "")
		return nil
	}
	if from, _ := l.inside(); mark == from {
		// Nothing is left of the text: it goes with what joined it.
		if join := p.joinBefore(l.start - len(l.prefix)); join >= 0 {
			p.replace(join, operand.end, "")
			return nil
		}
	}
	p.replace(mark, operand.end, l.quote)
	return nil
}

// joinBefore returns the end of the operand before at, when a join follows it;
// else -1.
func (p *program) joinBefore(at int) int {
	i := at - 1
	for i >= 0 && isBlank(p.code[i]) {
		i--
	}
	if i < 0 || !p.joins(i) {
		return -1
	}
	for i--; i >= 0 && isBlank(p.code[i]); i-- {
		if _, in := p.literalAt(i); in {
			break
		}
	}
	return i + 1
}

// cutFormatArgument removes the argument of Sprintf or String.format that the
// verb at at is filled with.
func (p *program) cutFormatArgument(l literal, at int) error {
	open := p.opening(l.start)
	if open < 0 {
		return because("the address is filled elsewhere")
	}
	callee, _ := p.callee(open)
	if !regexp.MustCompile(`(?i)(sprintf|string\.format)$`).MatchString(callee) {
		return because("the address is filled elsewhere")
	}
	from, _ := l.inside()
	verbs := len(regexp.MustCompile(`%[+#0-9.]*[a-zA-Z]`).FindAllString(p.src[from:at], -1))
	parts := p.parts(open, p.closingOf(open))
	if len(parts) == 0 || parts[0].start != l.start || len(parts) < verbs+2 {
		return because("the arguments of the address are not understood")
	}
	argument := parts[verbs+1]
	p.removed = append(p.removed, p.text(argument))
	p.replace(parts[verbs].end, argument.end, "")
	return nil
}

// concatenation widens l to the expression of texts that it is joined in.
func (p *program) concatenation(l literal) span {
	return p.widen(span{l.start - len(l.prefix), l.end})
}

// widen adds what is joined to an expression on both sides.
func (p *program) widen(whole span) span {
	for i := p.skipBlank(whole.end); i < len(p.code) && p.joins(i); i = p.skipBlank(whole.end) {
		whole.end = p.trim(span{i, p.operandEnd(p.skipBlank(i + 1))}).end
	}
	for {
		i := whole.start - 1
		for i >= 0 && isBlank(p.code[i]) {
			i--
		}
		if i < 0 || !p.joins(i) {
			return whole
		}
		// The operand before: back to a comma, a bracket, an assignment or a join.
		depth, j := 0, i-1
	back:
		for ; j >= 0; j-- {
			if l, in := p.literalAt(j); in {
				j = l.start - len(l.prefix)
				continue
			}
			switch c := p.code[j]; {
			case c == ')' || c == ']' || c == '}':
				depth++
			case c == '(' || c == '[' || c == '{':
				if depth == 0 {
					break back
				}
				depth--
			case depth > 0:
			case c == ',' || c == ';' || c == '=' || c == '\n' || c == ':' && p.kind != kindPHP && p.kind != kindRuby || p.joins(j):
				break back
			case c == '>' && p.kind == kindPHP && j > 0 && p.code[j-1] == '=':
				break back
			}
		}
		start := p.trim(span{j + 1, i}).start
		if word := strings.TrimPrefix(p.src[start:i], "return "); len(word) < i-start {
			start += len("return ")
		}
		if start >= whole.start {
			return whole
		}
		whole.start = start
	}
}

// entries takes the key out of dictionaries of parameters: { hapikey: key }.
func (p *program) entries() error {
	for at := 0; ; {
		i := strings.Index(p.src[at:], "hapikey")
		if i < 0 {
			return nil
		}
		start := at + i
		at = start + len("hapikey")
		if err := p.entry(start); err != nil {
			return err
		}
	}
}

func (p *program) entry(at int) error {
	name := span{at, at + len("hapikey")}
	if l, in := p.literalAt(at); in {
		from, to := l.inside()
		if from != name.start || to != name.end {
			return nil // inside a longer text: an address, or words
		}
		name = span{l.start, l.end}
	} else if p.code[at] == ' ' {
		return nil // in a comment
	} else if name.end < len(p.code) && isWord(p.code[name.end]) || at > 0 && (isWord(p.code[at-1]) || p.code[at-1] == '.' || p.code[at-1] == '$' || p.code[at-1] == '@') {
		return nil // part of another name
	} else if at > 0 && p.code[at-1] == ':' && p.kind == kindRuby {
		name.start--
	}
	if p.kind == kindGo {
		return p.goQuery(name)
	}
	open := p.opening(name.start)
	if open < 0 || p.code[open] == '(' && !p.isKeywordCall(open) {
		return nil
	}
	end := p.closingOf(open)
	if end < 0 {
		return because("the brackets around the key do not close")
	}
	for _, part := range p.parts(open, end) {
		if part.start != name.start {
			continue
		}
		separator := p.skipBlank(name.end)
		rest := p.code[separator:]
		switch {
		case strings.HasPrefix(rest, "=>"):
			separator += 2
		case strings.HasPrefix(rest, ":"):
			separator++
		case part.end == name.end && p.kind == kindJavaScript: // shorthand
			separator = part.end
		default:
			return nil
		}
		if callee, _ := p.callee(open); p.code[open] == '(' && strings.Contains(strings.ToLower(callee), "configure") {
			return nil // a client, done before
		}
		p.removed = append(p.removed, strings.TrimSpace(p.src[separator:part.end]))
		if part.end == name.end {
			p.removed = append(p.removed, "hapikey")
		}
		return p.cutEntry(open, end, part)
	}
	return nil
}

// isKeywordCall tells a Ruby call whose parameters are the dictionary.
func (p *program) isKeywordCall(open int) bool { return p.kind == kindRuby }

// cutEntry removes an entry with its comma and places the header at the call
// that the dictionary belongs to.
func (p *program) cutEntry(open, end int, part span) error {
	all := p.parts(open, end)
	if err := p.placeDictionary(open, end, len(all) == 1); err != nil {
		return err
	}
	if len(all) == 1 {
		for _, e := range p.edits {
			if e.start <= part.start && e.end >= part.end {
				return nil // the whole dictionary goes
			}
		}
		p.replace(part.start, part.end, "")
		return nil
	}
	if all[0] == part {
		p.replace(part.start, all[1].start, "")
		return nil
	}
	for i := range all {
		if all[i] == part {
			p.replace(all[i-1].end, part.end, "")
		}
	}
	return nil
}
