package legacykey

import (
	"regexp"
	"strings"
)

// placeDepth bounds how far an address is followed through variables.
const placeDepth = 4

var (
	wrapperForm    = regexp.MustCompile(`^(?:new\s+)?(?:URI|Uri|URL|URI\.parse|URI\.create|Addressable::URI\.parse|fmt\.Sprintf|String\.format|sprintf|HttpUrl\.parse|HttpUrl\.get|urlopen_url|encodeURI|str)$`)
	assignmentForm = regexp.MustCompile(`([$@\w.]+)(?:\s*:\s*\w+)?\s*:?=\s*$`)
	newBefore      = regexp.MustCompile(`\bnew\s+$`)
	otherHost      = regexp.MustCompile(`https?://([A-Za-z0-9.-]+)`)
)

// partOfAddress: what a program reads of an address without sending it.
var partOfAddress = regexp.MustCompile(`^\.(host|hostname|port|scheme|searchParams|pathname|query|protocol)\b`)

const unknownCall = "the call that uses the address is not known"

// place gives the call that uses an address its header.
func (p *program) place(e span, depth int) error {
	if depth > placeDepth {
		return because("the address passes through too many variables")
	}
	e = p.widen(e)
	if p.foreignHost(p.text(e)) {
		return because("the address is not HubSpot's")
	}
	lead := strings.TrimRight(p.code[:e.start], " \t\n")
	if lead == "" {
		return because(unknownCall)
	}
	if m := assignmentForm.FindStringSubmatch(lead[max(0, len(lead)-120):] + " "); m != nil && !strings.HasSuffix(lead, "==") && !strings.HasSuffix(lead, "=>") && !p.isKeyword(lead, e.start) {
		return p.placeUses(m[1], e, depth)
	}
	open := p.opening(e.start)
	if open < 0 {
		return because(unknownCall)
	}
	if p.code[open] == '(' {
		callee, start := p.callee(open)
		end := p.closingOf(open)
		if end < 0 {
			return because("the brackets of a call do not close")
		}
		if m := newBefore.FindStringIndex(p.code[max(0, start-8):start]); m != nil {
			start = max(0, start-8) + m[0]
		}
		if wrapperForm.MatchString(callee) {
			whole := span{start, end + 1}
			for _, suffix := range []string{".toString()", ".href", ".to_s", "!!"} {
				if strings.HasPrefix(p.code[whole.end:], suffix) {
					whole.end += len(suffix)
				}
			}
			return p.place(whole, depth+1)
		}
		return p.placeInCall(callee, start, open, end, e)
	}
	if p.code[open] == '{' || p.code[open] == '[' {
		return p.placeInOptions(open)
	}
	return because(unknownCall)
}

// isKeyword tells a Python keyword argument (url="…") from an assignment.
func (p *program) isKeyword(lead string, at int) bool {
	open := p.opening(at)
	return p.kind == kindPython && open >= 0 && p.code[open] == '('
}

// foreignHost tells whether a text names a host that is not HubSpot's.
func (p *program) foreignHost(text string) bool {
	for _, m := range otherHost.FindAllStringSubmatch(text, -1) {
		host := strings.ToLower(m[1])
		if !strings.HasSuffix(host, "hubapi.com") && !strings.HasSuffix(host, "hubspot.com") && host != "localhost" && host != "127.0.0.1" {
			return true
		}
	}
	return false
}

// placeUses follows an address through the variable name.
func (p *program) placeUses(name string, declared span, depth int) error {
	placed := 0
	for _, at := range p.words(name) {
		if at < declared.start {
			continue
		}
		if at < declared.end {
			continue
		}
		rest := strings.TrimLeft(p.code[at+len(name):], " \t")
		if strings.HasPrefix(rest, "+=") || strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "==") || partOfAddress.MatchString(rest) {
			continue
		}
		use := span{at, at + len(name)}
		for _, suffix := range []string{".toString()", ".String()", ".href", ".request_uri"} {
			if strings.HasPrefix(p.code[use.end:], suffix) {
				use.end += len(suffix)
			}
		}
		if talks := p.printed(at); talks {
			continue
		}
		if err := p.place(use, depth+1); err != nil {
			return err
		}
		placed++
	}
	for _, l := range p.literals {
		from, to := l.inside()
		if l.start > declared.end && from <= to && strings.Contains(p.src[from:to], "{"+name+"}") {
			if p.printed(l.start) {
				continue
			}
			if err := p.place(p.concatenation(l), depth+1); err != nil {
				return err
			}
			placed++
		}
	}
	if placed == 0 {
		return because("no call that uses the address %s was found in this file", name)
	}
	return nil
}

// printed tells whether at is only shown to somebody.
func (p *program) printed(at int) bool {
	open := p.opening(at)
	if open < 0 || p.code[open] != '(' {
		return false
	}
	callee, _ := p.callee(open)
	return regexp.MustCompile(`(?i)(^|\.)(print|println|printf|puts|log|info|debug|error|warn|writeline|var_dump|echo|fatal|fatalf)$`).MatchString(callee)
}

// placeDictionary gives the call that a dictionary of parameters belongs to its
// header; an only entry takes the dictionary's own option with it.
func (p *program) placeDictionary(open, end int, only bool) error {
	lead := strings.TrimRight(p.code[:open], " \t\n")
	if m := assignmentForm.FindStringSubmatch(lead[max(0, len(lead)-120):] + " "); m != nil && !strings.HasSuffix(lead, "==") && !strings.HasSuffix(lead, "=>") && !(p.kind == kindPython && p.isKeyword(lead, open)) {
		return p.placeUsesOfDictionary(m[1], span{open, end + 1})
	}
	outer := p.opening(open)
	if outer < 0 {
		return because(unknownCall)
	}
	if only {
		p.dropOption(outer, span{open, end + 1})
	}
	return p.placeAround(outer)
}

// placeAround places the header in the call or options that begin at outer.
func (p *program) placeAround(outer int) error {
	if p.code[outer] == '(' {
		callee, start := p.callee(outer)
		if regexp.MustCompile(`(?i)^(new\s+)?(URLSearchParams|querystring\.stringify|qs\.stringify|urllib\.parse\.urlencode|urlencode|http_build_query|URI\.encode_www_form)$`).MatchString(callee) {
			return because("the parameters are joined to the address by %s", callee)
		}
		return p.placeInCall(callee, start, outer, p.closingOf(outer), span{outer, outer})
	}
	return p.placeInOptions(outer)
}

// dropOption removes `params: {}` when nothing is left in it.
func (p *program) dropOption(outer int, dictionary span) {
	parts := p.parts(outer, p.closingOf(outer))
	for i, part := range parts {
		if part.start > dictionary.start || part.end < dictionary.end || part.end != dictionary.end || part.start == dictionary.start {
			continue
		}
		switch {
		case i > 0:
			p.replace(parts[i-1].end, part.end, "")
		case len(parts) > 1:
			p.replace(part.start, parts[1].start, "")
		}
	}
}

// placeUsesOfDictionary follows a dictionary of parameters through its variable.
func (p *program) placeUsesOfDictionary(name string, declared span) error {
	placed := 0
	for _, at := range p.words(name) {
		if at < declared.end || p.printed(at) {
			continue
		}
		rest := strings.TrimLeft(p.code[at+len(name):], " \t")
		if strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "=") {
			continue // params["after"] = …
		}
		outer := p.opening(at)
		if outer < 0 {
			return because(unknownCall)
		}
		if p.code[outer] == '{' && p.kind == kindJavaScript && p.closingOf(outer) > 0 && !strings.Contains(p.code[outer:at], "\n\n") || p.code[outer] == '(' || p.code[outer] == '[' {
			if err := p.placeAround(outer); err != nil {
				return err
			}
			placed++
			continue
		}
		return because(unknownCall)
	}
	if placed == 0 {
		return because("no call that uses the parameters %s was found in this file", name)
	}
	return nil
}

// insertOption adds an option at the head of a dictionary: one line stays one
// line, a list stays a list.
func (p *program) insertOption(open int, option string) {
	end := p.closingOf(open)
	parts := p.parts(open, end)
	switch {
	case len(parts) == 0:
		p.replace(open+1, end, pad(p.code[open], option))
	case strings.Contains(p.src[open:parts[0].start], "\n"):
		p.replace(parts[0].start, parts[0].start, option+",\n"+p.lineIndent(parts[0].start))
	default:
		p.replace(parts[0].start, parts[0].start, option+", ")
	}
}

func pad(bracket byte, text string) string {
	if bracket == '{' {
		return " " + text + " "
	}
	return text
}

// appendArgument adds an argument behind the last one.
func (p *program) appendArgument(open, end int, argument string) {
	parts := p.parts(open, end)
	if len(parts) == 0 {
		p.replace(open+1, open+1, argument)
		return
	}
	last := parts[len(parts)-1]
	separator := ", "
	if strings.Contains(p.src[open:parts[0].start], "\n") {
		separator = ",\n" + p.lineIndent(last.start)
	}
	// Edits at the last argument itself end where this one begins.
	p.edits = append(p.edits, edit{last.end, last.end, separator + argument})
}

// once tells whether the call at open still needs its header.
func (p *program) once(open int) bool {
	if p.headerAt[open] {
		return false
	}
	p.headerAt[open] = true
	return true
}

// statement returns where the statement around at begins, and the end of its
// line.
func (p *program) statementStart(at int) int {
	depth := 0
	i := at - 1
	for ; i >= 0; i-- {
		c := p.code[i]
		if c == ')' || c == ']' || c == '}' && depth > 0 {
			depth++
			continue
		}
		if (c == '(' || c == '[') && depth > 0 {
			depth--
			continue
		}
		if depth == 0 && (c == ';' || c == '{' || c == '}') {
			break
		}
	}
	return p.skipBlank(i + 1)
}
