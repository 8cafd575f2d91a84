package legacykey

import (
	"regexp"
	"strings"
)

var (
	axiosShort   = regexp.MustCompile(`^(?:axios|this\.axios|\$http|http|api|client)\.(get|delete|head|options)(?:<.*>)?$`)
	axiosBody    = regexp.MustCompile(`^(?:axios|this\.axios|\$http)\.(post|put|patch)(?:<.*>)?$`)
	fetchCall    = regexp.MustCompile(`^(?:(?:window|globalThis|self)\.)?(?:fetch|nodeFetch|node_fetch|got(?:\.\w+)?|ky(?:\.\w+)?)$`)
	requestCall  = regexp.MustCompile(`^(?:request|rp|requestPromise)(?:\.(?:get|post|put|patch|delete|del|head))?$`)
	objectCall   = regexp.MustCompile(`^(?:axios|axios\.request|request(?:\.\w+)?|rp(?:\.\w+)?|requestPromise|got|\$http)$`)
	pythonCall   = regexp.MustCompile(`^(?:requests|httpx|session|self\.session|self\._session|http|s|client|self\.client)\.(?:get|post|put|patch|delete|head|request)$`)
	pythonURLLib = regexp.MustCompile(`^(?:urllib\.request\.)?Request$`)
	pythonOpen   = regexp.MustCompile(`^(?:urllib\.request\.)?urlopen$`)
	phpMethod    = regexp.MustCompile(`->(get|post|put|patch|delete|request|head)$`)
	rubyParty    = regexp.MustCompile(`^(?:HTTParty|self\.class)\.(?:get|post|put|patch|delete)$`)
	rubyRest     = regexp.MustCompile(`^RestClient\.(get|delete|head)$`)
	rubyNetGet   = regexp.MustCompile(`^Net::HTTP\.(?:get|get_response)$`)
	rubyNetNew   = regexp.MustCompile(`^Net::HTTP::(?:Get|Post|Put|Patch|Delete)\.new$`)
)

// placeInCall adds the header to a call that takes the address.
func (p *program) placeInCall(callee string, start, open, end int, e span) error {
	if p.headerAt[open] {
		return nil
	}
	arguments := p.parts(open, end)
	if !p.knows(callee) {
		return because(unknownCall)
	}
	switch p.kind {
	case kindJavaScript:
		return p.placeJavaScript(callee, open, end, arguments)
	case kindPython:
		return p.placePython(callee, start, open, end, arguments)
	case kindPHP:
		return p.placePHP(callee, start, open, end, arguments)
	case kindRuby:
		return p.placeRuby(callee, start, open, end, arguments)
	case kindGo:
		return p.placeGo(callee, start, open, end, arguments)
	case kindCSharp:
		return p.placeCSharp(callee, start, open, end)
	case kindJava:
		return p.placeJava(callee, open, end)
	}
	return because(unknownCall)
}

var (
	requestLibrary = regexp.MustCompile(`['"]request(-promise(-native)?)?['"]`)
	ownCall        = regexp.MustCompile(`^(axios|this\.axios|\$http|fetch|(window|globalThis|self)\.fetch)\b`)
	guzzleOnly     = regexp.MustCompile(`->(get|post|put|patch|delete|head)$`)
)

// knows tells whether the file loads the library that a call's name belongs to:
// many things have a method get.
func (p *program) knows(callee string) bool {
	lower := strings.ToLower(p.src)
	switch p.kind {
	case kindJavaScript:
		switch {
		case ownCall.MatchString(callee):
			return true
		case requestCall.MatchString(callee):
			return requestLibrary.MatchString(p.src)
		case axiosShort.MatchString(callee):
			return strings.Contains(lower, "axios")
		}
	case kindPython:
		return !pythonCall.MatchString(callee) || strings.Contains(p.src, "requests") || strings.Contains(p.src, "httpx")
	case kindPHP:
		if guzzleOnly.MatchString(callee) {
			return strings.Contains(lower, "guzzle")
		}
		return !phpMethod.MatchString(callee) || strings.Contains(lower, "guzzle") || strings.Contains(p.src, `\HttpClient`)
	}
	return true
}

// placeInOptions adds the header to a dictionary that holds the address or its
// parameters.
func (p *program) placeInOptions(open int) error {
	outer := p.opening(open)
	switch p.kind {
	case kindJavaScript:
		if outer >= 0 && p.code[outer] == '(' {
			callee, _ := p.callee(outer)
			if objectCall.MatchString(callee) || axiosShort.MatchString(callee) || axiosBody.MatchString(callee) || fetchCall.MatchString(callee) || requestCall.MatchString(callee) || callee == "axios.create" {
				return p.headerInDictionary(open)
			}
			return because("the call that takes these options is not known")
		}
		// const options = { url: … }; request(options)
		lead := strings.TrimRight(p.code[:open], " \t\n")
		if m := assignmentForm.FindStringSubmatch(lead[max(0, len(lead)-120):] + " "); m != nil {
			for _, at := range p.words(m[1]) {
				if call := p.opening(at); at > open && call >= 0 && p.code[call] == '(' {
					if callee, _ := p.callee(call); objectCall.MatchString(callee) || axiosShort.MatchString(callee) || requestCall.MatchString(callee) {
						return p.headerInDictionary(open)
					}
				}
			}
		}
	case kindPHP:
		if outer >= 0 && p.code[outer] == '(' {
			if callee, _ := p.callee(outer); phpMethod.MatchString(callee) {
				return p.headerInDictionary(open)
			}
		}
	}
	return because("the call that takes these options is not known")
}

// headerInDictionary adds Authorization to the headers in the dictionary at open.
func (p *program) headerInDictionary(open int) error {
	if !p.once(open) {
		return nil
	}
	name, entry, option := regexp.MustCompile(`^['"]?headers['"]?\s*:\s*`), "Authorization: "+bearerExpression(p.kind), ""
	switch p.kind {
	case kindPHP:
		name, entry = regexp.MustCompile(`^['"]headers['"]\s*=>\s*`), "'Authorization' => "+bearerExpression(p.kind)
		option = "'headers' => [" + entry + "]"
	default:
		option = "headers: { " + entry + " }"
	}
	for _, part := range p.parts(open, p.closingOf(open)) {
		m := name.FindString(p.text(part))
		if m == "" {
			if p.text(part) == "headers" {
				return because("the headers of the call come from elsewhere")
			}
			continue
		}
		at := part.start + len(m)
		if p.code[at] != '{' && p.code[at] != '[' {
			return because("the headers of the call come from elsewhere")
		}
		return p.authorize(at, entry)
	}
	p.insertOption(open, option)
	return nil
}

// authorize adds entry to the headers at open, unless they have one.
func (p *program) authorize(open int, entry string) error {
	if strings.Contains(strings.ToLower(p.src[open:p.closingOf(open)]), "authorization") {
		return because("the call has an Authorization header already")
	}
	p.insertOption(open, entry)
	return nil
}

func (p *program) placeJavaScript(callee string, open, end int, arguments []span) error {
	headers := "{ headers: { Authorization: " + bearerExpression(p.kind) + " } }"
	config := -1
	switch {
	case axiosShort.MatchString(callee), fetchCall.MatchString(callee):
		config = 1
	case axiosBody.MatchString(callee):
		config = 2
	case requestCall.MatchString(callee):
		if len(arguments) == 0 || len(arguments) > 2 || p.code[arguments[0].start] == '{' {
			return because(unknownCall)
		}
		if !p.once(open) {
			return nil
		}
		p.edits = append(p.edits, edit{arguments[0].start, arguments[0].start, "{ url: "})
		p.edits = append(p.edits, edit{arguments[0].end, arguments[0].end, ", headers: { Authorization: " + bearerExpression(p.kind) + " } }"})
		return nil
	default:
		return because(unknownCall)
	}
	switch {
	case len(arguments) > config:
		if p.code[arguments[config].start] != '{' {
			return because("the options of the call come from elsewhere")
		}
		return p.headerInDictionary(arguments[config].start)
	case len(arguments) == config:
	case len(arguments) == config-1:
		headers = "undefined, " + headers
	default:
		return because(unknownCall)
	}
	if p.once(open) {
		p.appendArgument(open, end, headers)
	}
	return nil
}

func (p *program) placePython(callee string, start, open, end int, arguments []span) error {
	entry := `"Authorization": ` + bearerExpression(p.kind)
	if pythonOpen.MatchString(callee) {
		if len(arguments) == 0 {
			return because(unknownCall)
		}
		if p.once(open) {
			request := strings.TrimSuffix(callee, "urlopen") + "Request"
			p.edits = append(p.edits, edit{arguments[0].start, arguments[0].start, request + "("})
			p.edits = append(p.edits, edit{arguments[0].end, arguments[0].end, ", headers={" + entry + "})"})
		}
		return nil
	}
	if !pythonCall.MatchString(callee) && !pythonURLLib.MatchString(callee) {
		return because(unknownCall)
	}
	given := regexp.MustCompile(`^headers\s*=\s*`)
	for _, a := range arguments {
		m := given.FindString(p.text(a))
		if m == "" {
			if strings.HasPrefix(p.text(a), "**") {
				return because("the call takes its options from elsewhere")
			}
			continue
		}
		at := a.start + len(m)
		if p.code[at] == '{' {
			if !p.once(open) {
				return nil
			}
			return p.authorize(at, entry)
		}
		name := p.src[at:a.end]
		declared := regexp.MustCompile(`(?m)^[ \t]*`+regexp.QuoteMeta(name)+`[ \t]*=[ \t]*\{`).FindAllStringIndex(p.code, -1)
		if len(declared) != 1 || !nameForm.MatchString(name) {
			return because("the headers of the call come from elsewhere")
		}
		dictionary := declared[0][1] - 1
		if !p.once(open) || !p.once(dictionary) {
			return nil
		}
		return p.authorize(dictionary, entry)
	}
	if p.once(open) {
		p.appendArgument(open, end, "headers={"+entry+"}")
	}
	return nil
}

func (p *program) placePHP(callee string, start, open, end int, arguments []span) error {
	header := "'Authorization: Bearer ' . " + tokenExpression(p.kind)
	switch m := phpMethod.FindStringSubmatch(callee); {
	case m != nil:
		options := 1
		if m[1] == "request" {
			options = 2
		}
		switch {
		case len(arguments) > options && p.code[arguments[options].start] == '[':
			return p.headerInDictionary(arguments[options].start)
		case len(arguments) == options:
			if p.once(open) {
				p.appendArgument(open, end, "['headers' => ['Authorization' => "+bearerExpression(p.kind)+"]]")
			}
			return nil
		}
		return because("the options of the call come from elsewhere")
	case callee == "curl_init", callee == "curl_setopt":
		if strings.Contains(p.code, "CURLOPT_HTTPHEADER") {
			return because("the curl call has headers of its own: add Authorization to them")
		}
		handle := ""
		if callee == "curl_setopt" && len(arguments) == 3 && p.text(arguments[1]) == "CURLOPT_URL" {
			handle = p.text(arguments[0])
		} else if m := assignmentForm.FindStringSubmatch(p.code[max(0, start-80):start]); callee == "curl_init" && m != nil {
			handle = m[1]
		}
		if handle == "" || end+1 >= len(p.code) || p.code[end+1] != ';' {
			return because(unknownCall)
		}
		if p.once(open) {
			p.replace(end+2, end+2, "\n"+p.lineIndent(start)+"curl_setopt("+handle+", CURLOPT_HTTPHEADER, ["+header+"]);")
		}
		return nil
	}
	return because(unknownCall)
}

func (p *program) placeRuby(callee string, start, open, end int, arguments []span) error {
	entry := `"Authorization" => ` + bearerExpression(p.kind)
	switch {
	case rubyParty.MatchString(callee):
		given := regexp.MustCompile(`^(?:headers:|:headers\s*=>)\s*`)
		for _, a := range arguments {
			m := given.FindString(p.text(a))
			if m == "" {
				continue
			}
			at := a.start + len(m)
			if p.code[at] != '{' {
				return because("the headers of the call come from elsewhere")
			}
			if !p.once(open) {
				return nil
			}
			return p.authorize(at, entry)
		}
		if p.once(open) {
			p.appendArgument(open, end, "headers: { "+entry+" }")
		}
		return nil
	case rubyRest.MatchString(callee) && len(arguments) == 1, rubyNetGet.MatchString(callee) && len(arguments) == 1:
		if p.once(open) {
			p.appendArgument(open, end, "{ "+entry+" }")
		}
		return nil
	case rubyNetNew.MatchString(callee):
		m := assignmentForm.FindStringSubmatch(p.code[max(0, start-80):start])
		if m == nil || !strings.HasPrefix(strings.TrimLeft(p.code[end+1:], " \t"), "\n") {
			return because(unknownCall)
		}
		if p.once(open) {
			p.replace(end+1, end+1, "\n"+p.lineIndent(start)+m[1]+`["Authorization"] = `+bearerExpression(p.kind))
		}
		return nil
	}
	return because(unknownCall)
}
