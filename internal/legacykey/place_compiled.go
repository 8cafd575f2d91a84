package legacykey

import (
	"regexp"
	"strings"
)

var (
	goNewRequest  = regexp.MustCompile(`^http\.NewRequest(?:WithContext)?$`)
	goTwoNames    = regexp.MustCompile(`(?m)(\w+),[ \t]*(\w+)[ \t]*(:?=)[ \t]*$`)
	goErrorCheck  = regexp.MustCompile(`^[ \t]*\n([ \t]*)if (\w+) != nil \{`)
	goQueryAdd    = regexp.MustCompile(`(?m)^([ \t]*)(\w+)\.(?:Add|Set)\($`)
	csharpSend    = regexp.MustCompile(`^(\w+)\.(?:GetAsync|GetStringAsync|GetStreamAsync|GetByteArrayAsync|PostAsync|PutAsync|PatchAsync|DeleteAsync|GetFromJsonAsync(?:<.*>)?|PostAsJsonAsync(?:<.*>)?|PutAsJsonAsync(?:<.*>)?)$`)
	csharpMessage = regexp.MustCompile(`^HttpRequestMessage$`)
	javaBuilder   = regexp.MustCompile(`(^|\.)(url|uri|newBuilder)$`)
)

// goHeader is the statement that sets the header on a request.
func (p *program) goHeader(request string) string {
	return request + `.Header.Set("Authorization", ` + bearerExpression(p.kind) + ")"
}

// checkAfter returns where the error check behind at ends, and its text; end is
// at itself when there is none.
func (p *program) checkAfter(at int, failure string) (end int, check string) {
	m := goErrorCheck.FindStringSubmatchIndex(p.code[at:])
	if m == nil || p.code[at+m[4]:at+m[5]] != failure {
		return at, ""
	}
	end = p.closingOf(at + m[1] - 1)
	if end < 0 {
		return at, ""
	}
	return end + 1, p.src[at : end+1]
}

func (p *program) placeGo(callee string, start, open, end int, arguments []span) error {
	lead := p.code[strings.LastIndexByte(p.code[:start], '\n')+1 : start]
	names := goTwoNames.FindStringSubmatch(lead)
	if names == nil || strings.Contains(lead, "if ") {
		return because(unknownCall)
	}
	indent := p.lineIndent(start)
	switch {
	case goNewRequest.MatchString(callee):
		at, _ := p.checkAfter(end+1, names[2])
		if names[1] == "_" {
			return because(unknownCall)
		}
		if p.once(open) {
			p.replace(at, at, "\n"+indent+p.goHeader(names[1]))
		}
		return nil
	case callee == "http.Get" && len(arguments) == 1:
		if len(p.words("req")) > 0 {
			return because("the name req is taken: make the request with http.NewRequest")
		}
		at, check := p.checkAfter(end+1, names[2])
		if check == "" || names[3] != ":=" || names[2] == "_" {
			return because("http.Get without a check of its error is not rewritten")
		}
		if !p.once(open) {
			return nil
		}
		from := start - len(strings.TrimLeft(lead, " \t"))
		p.edits = append(p.edits,
			edit{from, start, "req, " + names[2] + " := "},
			edit{start, open + 1, "http.NewRequest(http.MethodGet, "},
			edit{arguments[0].end, end, ", nil"},
			edit{at, at, "\n" + indent + p.goHeader("req") + "\n" + indent + names[1] + ", " + names[2] + " := http.DefaultClient.Do(req)" + check})
		return nil
	}
	return because(unknownCall)
}

// goQuery rewrites q.Add("hapikey", key), where q is a request's query.
func (p *program) goQuery(name span) error {
	open := p.opening(name.start)
	if open < 0 || p.code[open] != '(' {
		return nil
	}
	m := goQueryAdd.FindStringSubmatchIndex(p.code[strings.LastIndexByte(p.code[:open], '\n')+1 : open+1])
	if m == nil {
		return nil
	}
	from := strings.LastIndexByte(p.code[:open], '\n') + 1
	query := p.code[from+m[4] : from+m[5]]
	owner := regexp.MustCompile(`(?m)^[ \t]*`+query+`[ \t]*:=[ \t]*(\w+)\.URL\.Query\(\)`).FindAllStringSubmatch(p.code, -1)
	if len(owner) == 0 {
		return because("which request the parameters %s belong to is not understood", query)
	}
	for _, o := range owner {
		if o[1] != owner[0][1] {
			return because("which request the parameters %s belong to is not understood", query)
		}
	}
	end := p.closingOf(open)
	arguments := p.parts(open, end)
	if len(arguments) != 2 {
		return because("the parameters of the request are not understood")
	}
	p.removed = append(p.removed, p.text(arguments[1]))
	p.replace(from+m[4], end+1, p.goHeader(owner[0][1]))
	return nil
}

func (p *program) placeCSharp(callee string, start, open, end int) error {
	value := "new System.Net.Http.Headers.AuthenticationHeaderValue(\"Bearer\", " + tokenExpression(p.kind) + ")"
	if m := csharpSend.FindStringSubmatch(callee); m != nil {
		if p.foreignHost(p.src) {
			return because("the file calls other hosts, too, and a default header would go to them")
		}
		if strings.Contains(p.src, "DefaultRequestHeaders.Authorization") {
			return because("the client has an Authorization header already")
		}
		at := p.statementStart(start)
		// The body of a method that is an expression has no place for a statement.
		if strings.Contains(p.code[at:start], "=>") {
			return because("the call is no statement of its own")
		}
		if p.once(open) {
			p.replace(at, at, m[1]+".DefaultRequestHeaders.Authorization = "+value+";\n"+p.lineIndent(at))
		}
		return nil
	}
	if csharpMessage.MatchString(callee) {
		lead := newBefore.ReplaceAllString(p.code[max(0, start-120):start], "")
		m := assignmentForm.FindStringSubmatch(lead)
		if m == nil || end+1 >= len(p.code) || p.code[end+1] != ';' {
			return because(unknownCall)
		}
		if p.once(open) {
			p.replace(end+2, end+2, "\n"+p.lineIndent(start)+m[1]+".Headers.Authorization = "+value+";")
		}
		return nil
	}
	return because(unknownCall)
}

func (p *program) placeJava(callee string, open, end int) error {
	if !javaBuilder.MatchString(callee) && !strings.HasSuffix(strings.TrimRight(p.code[:open], " "), ".url") && !strings.HasSuffix(strings.TrimRight(p.code[:open], " "), ".uri") {
		return because(unknownCall)
	}
	header := `.header("Authorization", ` + bearerExpression(p.kind) + ")"
	next := p.skipBlank(end + 1)
	if next >= len(p.code) || p.code[next] != '.' {
		return because("the request is not built in one chain")
	}
	if strings.Contains(p.src, `"Authorization"`) {
		return because("the request has an Authorization header already")
	}
	if p.once(open) {
		if strings.Contains(p.src[end+1:next], "\n") {
			header = "\n" + p.lineIndent(next) + header
		}
		p.replace(end+1, end+1, header)
	}
	return nil
}
