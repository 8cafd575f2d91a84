package legacykey

import (
	"fmt"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

// program rewrites one source file. Each step either understands what it sees
// or gives the reason why not; then the file stays as it is.
type program struct {
	*source
	// removed are the expressions that stood for the key.
	removed []string
	// headerAt remembers the calls that have their header already.
	headerAt map[int]bool
	// needsEnvironment: the language wants an import for reading a variable.
	needsEnvironment bool
}

// notUnderstood is the reason for leaving a file as it is.
type notUnderstood string

func (n notUnderstood) Error() string { return string(n) }

func because(format string, args ...any) error { return notUnderstood(fmt.Sprintf(format, args...)) }

// rewriteProgram returns text without key uses, or why it cannot.
// The names are variables that are gone or hold the token now, and that other
// files could know.
func rewriteProgram(k kind, text string) (after string, names []string, why string) {
	p := &program{source: readSource(k, text), headerAt: map[int]bool{}}
	switch {
	case !p.balanced():
		return text, nil, "the brackets of the file do not close"
	case (k == kindPHP || k == kindRuby) && hereDocument.MatchString(p.code):
		return text, nil, "the file holds a here document"
	}
	for _, step := range []func() error{p.clients, p.urls, p.entries} {
		if err := step(); err != nil {
			return text, nil, err.Error()
		}
	}
	after, ok := p.apply()
	if !ok {
		return text, nil, "two uses of the key overlap"
	}
	if len(p.removed) == 0 {
		return text, nil, "" // nothing here is sure to be the key
	}
	if after, names, why = settleNames(k, after, p.removed); why != "" {
		return text, nil, why
	}
	if p.needsEnvironment || k == kindGo && strings.Contains(after, "os.Getenv(") || k == kindPython && strings.Contains(after, "os.environ") {
		after = withImport(k, after)
	}
	if k == kindGo {
		if _, err := parser.ParseFile(token.NewFileSet(), "", after, parser.SkipObjectResolution); err != nil {
			return text, nil, "the result would not compile"
		}
	}
	return after, names, ""
}

var hereDocument = regexp.MustCompile(`<<[<~-]\s*["']?[A-Za-z_]`)

// tokenExpression reads the token from the environment.
func tokenExpression(k kind) string {
	switch k {
	case kindJavaScript:
		return "process.env." + tokenName
	case kindPython:
		return `os.environ["` + tokenName + `"]`
	case kindGo:
		return `os.Getenv("` + tokenName + `")`
	case kindPHP:
		return "getenv('" + tokenName + "')"
	case kindRuby:
		return `ENV.fetch("` + tokenName + `")`
	case kindCSharp:
		return `Environment.GetEnvironmentVariable("` + tokenName + `")`
	}
	return `System.getenv("` + tokenName + `")`
}

// bearerExpression is the value of the Authorization header.
func bearerExpression(k kind) string {
	switch k {
	case kindJavaScript:
		return "`Bearer ${" + tokenExpression(k) + "}`"
	case kindPython:
		return `"Bearer " + ` + tokenExpression(k)
	case kindGo:
		return `"Bearer "+` + tokenExpression(k)
	case kindPHP:
		return "'Bearer ' . " + tokenExpression(k)
	case kindRuby:
		return `"Bearer #{` + tokenExpression(k) + `}"`
	}
	return `"Bearer " + ` + tokenExpression(k)
}

// clientForm is a client made with the key: everything up to the option, the
// option's name with its separator, and the name that takes its place.
type clientForm struct {
	kind kind
	// callee must match the call that the option stands in.
	callee *regexp.Regexp
	option *regexp.Regexp
	to     string
}

var clientForms = []clientForm{
	{kindJavaScript, regexp.MustCompile(`(?i)(^|\.)(client|hubspot|hubspotclient)$`), regexp.MustCompile(`^apiKey\s*:\s*|^apiKey$|^hapikey\s*:\s*`), "accessToken: "},
	{kindPython, regexp.MustCompile(`(?i)(^|\.)(hubspot|hubspot3)$|client\.create$`), regexp.MustCompile(`^api_key\s*=\s*`), "access_token="},
	{kindRuby, regexp.MustCompile(`(?i)hubspot(\.|::)configure$|^hubspot::client\.new$`), regexp.MustCompile(`^(?:hapikey|api_key):\s*|^:(?:hapikey|api_key)\s*=>\s*`), "access_token: "},
}

var (
	phpFactory      = regexp.MustCompile(`(?:\w*\\)*Factory::create(WithApiKey)?\(`)
	rubyBlockOption = regexp.MustCompile(`(?m)(\bconfig|\bc)\.(hapikey|api_key)(\s*=\s*)([^\n#;]+?)[ \t]*$`)
)

// clients rewrites the options of HubSpot's own clients.
func (p *program) clients() error {
	for _, form := range clientForms {
		if form.kind != p.kind {
			continue
		}
		for _, name := range []string{"apiKey", "api_key", "hapikey"} {
			for _, at := range p.words(name) {
				if err := p.clientOption(form, at); err != nil {
					return err
				}
			}
		}
	}
	switch p.kind {
	case kindPHP:
		for _, m := range phpFactory.FindAllStringSubmatchIndex(p.code, -1) {
			if m[2] < 0 && !strings.Contains(p.src, "SevenShores") {
				continue
			}
			open := m[1] - 1
			arguments := p.parts(open, p.closingOf(open))
			if len(arguments) != 1 {
				if len(arguments) == 0 {
					continue
				}
				return because("the factory is given more than the key")
			}
			name := strings.LastIndex(p.src[:m[1]], "::") + 2
			p.replace(name, open, "createWithAccessToken")
			p.replaceKey(arguments[0])
		}
	case kindRuby:
		if !strings.Contains(strings.ToLower(p.src), "hubspot") {
			return nil
		}
		for _, m := range rubyBlockOption.FindAllStringSubmatchIndex(p.src, -1) {
			if strings.TrimSpace(p.code[m[4]:m[5]]) == "" {
				continue // in a comment
			}
			p.replace(m[4], m[5], "access_token")
			p.replaceKey(span{m[8], m[9]})
		}
	}
	return nil
}

// clientOption rewrites one option, when it belongs to a HubSpot client.
func (p *program) clientOption(form clientForm, at int) error {
	open := p.opening(at)
	if form.kind == kindRuby && at > 0 && p.code[at-1] == ':' {
		at--
	}
	if open < 0 {
		return nil
	}
	call := open
	if p.code[open] == '{' {
		if call = p.opening(open); call < 0 {
			return nil
		}
	}
	if p.code[call] != '(' {
		return nil
	}
	callee, _ := p.callee(call)
	if !form.callee.MatchString(callee) || !strings.Contains(strings.ToLower(p.src), "hubspot") {
		return nil
	}
	for _, part := range p.parts(open, p.closingOf(open)) {
		if part.start != at {
			continue
		}
		m := form.option.FindString(p.text(part))
		if m == "" {
			continue
		}
		p.replace(part.start, part.start+len(m), form.to)
		if len(m) == part.end-part.start { // shorthand { apiKey }
			p.removed = append(p.removed, p.text(part))
			p.replace(part.end, part.end, tokenExpression(p.kind))
			return nil
		}
		p.replaceKey(span{part.start + len(m), part.end})
	}
	return nil
}

// replaceKey puts the token where the key stood.
func (p *program) replaceKey(key span) {
	p.removed = append(p.removed, p.text(key))
	p.replace(key.start, key.end, tokenExpression(p.kind))
}

// keyNameForm are names of variables that hold the key.
var keyNameForm = regexp.MustCompile(`(?i)^(?:\$|@{1,2})?\w*?(hapi_?key|hubspot_?api_?key)$`)

// isKeyName tells whether a variable's name says that it holds the key.
func isKeyName(name string) bool {
	m := keyNameForm.FindStringSubmatchIndex(name)
	return m != nil && keyBegins([]byte(name), m[2])
}

var nameForm = regexp.MustCompile(`^[$@]{0,2}[A-Za-z_]\w*$`)

// declarations of a name on one line of its own, by language; %s is the name.
var declarationForms = map[kind]string{
	kindJavaScript: `(?m)^([ \t]*(?:export[ \t]+)?(?:const|let|var)[ \t]+%s(?:[ \t]*:[ \t]*string)?[ \t]*=[ \t]*)([^\n]+?)(;?[ \t]*(?://[^\n]*)?)$`,
	kindPython:     `(?m)^([ \t]*%s(?:[ \t]*:[ \t]*str)?[ \t]*=[ \t]*)([^\n]+?)()[ \t]*$`,
	kindRuby:       `(?m)^([ \t]*%s[ \t]*=[ \t]*)([^\n]+?)()[ \t]*$`,
	kindPHP:        `(?m)^([ \t]*(?:(?:private|public|protected|const|static)[ \t]+)*%s[ \t]*=[ \t]*)([^\n]+?)(;)[ \t]*$`,
	kindGo:         `(?m)^([ \t]*(?:const[ \t]+|var[ \t]+)?%s(?:[ \t]+string)?[ \t]*:?=[ \t]*)([^\n]+?)()[ \t]*$`,
	kindJava:       `(?m)^([ \t]*(?:(?:private|public|protected|static|final)[ \t]+)*(?:String|var)[ \t]+%s[ \t]*=[ \t]*)([^\n]+?)(;)[ \t]*$`,
	kindCSharp:     `(?m)^([ \t]*(?:(?:private|public|protected|internal|static|readonly|const)[ \t]+)*(?:string|String|var)\??[ \t]+%s[ \t]*=[ \t]*)([^\n]+?)(;)[ \t]*$`,
}

// declares tells whether a program gives the variable its value by itself.
func declares(k kind, text, name string) bool {
	return regexp.MustCompile(fmt.Sprintf(declarationForms[k], regexp.QuoteMeta(name))).MatchString(text)
}

// settleNames ends the variables that held the key: one that nothing uses any
// more goes, one that is still used gets the token and a name that says so.
func settleNames(k kind, text string, removed []string) (after string, ended []string, why string) {
	names := []string{}
	seen := map[string]bool{}
	add := func(name string) {
		if nameForm.MatchString(name) && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, expression := range removed {
		add(strings.TrimSpace(expression))
	}
	for _, m := range regexp.MustCompile(`[$@]{0,2}[A-Za-z_]\w*`).FindAllString(readSource(k, text).code, -1) {
		if isKeyName(m) {
			add(m)
		}
	}
	for _, name := range names {
		form := regexp.MustCompile(fmt.Sprintf(declarationForms[k], regexp.QuoteMeta(name)))
		s := readSource(k, text)
		m := form.FindStringSubmatchIndex(text)
		if m == nil || strings.TrimSpace(s.code[m[2]:m[3]]) == "" {
			continue
		}
		if len(form.FindAllStringIndex(text, 2)) > 1 {
			return text, nil, "the key's variable " + name + " is set in several places"
		}
		value := text[m[4]:m[5]]
		if !isKeyValue(value, name) {
			if isKeyName(name) {
				return text, nil, "where " + name + " comes from is not understood"
			}
			continue
		}
		if uses := s.words(name); len(uses) <= 1 && !strings.Contains(text[m[0]:m[1]], "export ") {
			end := m[1]
			if end < len(text) {
				end++
			}
			ended = append(ended, name)
			if (m[0] < 2 || text[m[0]-2:m[0]] == "\n\n") && strings.HasPrefix(text[end:], "\n") {
				end++ // no two blank lines where one was
			}
			text = text[:m[0]] + text[end:]
			continue
		}
		if strings.Contains(text[m[0]:m[1]], "export ") || !s.onlyAsked(name, m[1]) {
			return text, nil, "the key's variable " + name + " is given to something that is not known"
		}
		ended = append(ended, name)
		s.replace(m[4], m[5], tokenExpression(k))
		if isKeyName(name) {
			for _, at := range s.words(name) {
				s.replace(at, at+len(name), tokenVariable(name))
			}
		}
		settled, ok := s.apply()
		if !ok {
			return text, nil, "the key's variable " + name + " cannot be renamed"
		}
		text = settled
	}
	return text, ended, ""
}

var condition = regexp.MustCompile(`^\s*(\}?\s*(else\s+)?if|elif|elsif|unless|assert)\b`)

// onlyAsked tells whether a variable is, after its declaration, only asked
// whether it is there: a token that is handed on could end in an address.
func (s *source) onlyAsked(name string, declared int) bool {
	for _, at := range s.words(name) {
		if at < declared {
			continue
		}
		from := strings.LastIndexByte(s.code[:at], '\n') + 1
		if !condition.MatchString(s.code[from:at]) {
			return false
		}
	}
	return true
}

var environmentForm = regexp.MustCompile(`^(process\.env[.\[]|os\.environ|os\.getenv\(|os\.Getenv\(|getenv\(|\$_ENV\[|\$_SERVER\[|env\(|ENV[\[.]|System\.getenv\(|Environment\.GetEnvironmentVariable\(|import\.meta\.env)`)

// isKeyValue tells whether a variable is given the key: a text, or a look-up in
// the environment.
func isKeyValue(value, name string) bool {
	value = strings.TrimSpace(value)
	if environmentForm.MatchString(value) {
		return true
	}
	if len(value) < 2 || strings.IndexByte("\"'`", value[0]) < 0 || value[len(value)-1] != value[0] {
		return false
	}
	inner := value[1 : len(value)-1]
	return !strings.ContainsAny(inner, "\"'` /?&") && (isKeyName(name) || uuidForm.MatchString(inner))
}

// tokenVariable is the name for the token, in the manner of the key's name.
func tokenVariable(name string) string {
	marks := name[:len(name)-len(strings.TrimLeft(name, "$@"))]
	bare := name[len(marks):]
	switch {
	case bare == strings.ToUpper(bare):
		return marks + "HUBSPOT_ACCESS_TOKEN"
	case strings.Contains(bare, "_") || bare == strings.ToLower(bare):
		return marks + "hubspot_access_token"
	case bare[0] >= 'A' && bare[0] <= 'Z':
		return marks + "HubSpotAccessToken"
	}
	return marks + "hubspotAccessToken"
}

var (
	pythonImport  = regexp.MustCompile(`(?m)^(import|from)[ \t]+\S`)
	pythonHasOS   = regexp.MustCompile(`(?m)^import[ \t]+(?:\w+,[ \t]*)*os\b`)
	pythonHead    = regexp.MustCompile(`\A(?:#[^\n]*\n|[ \t]*\n)*(?:(?:"""(?s:.*?)"""|'''(?s:.*?)''')[ \t]*\n)?`)
	goImportBlock = regexp.MustCompile(`(?m)^import[ \t]*\(\n((?:[^)]*\n)*)\)`)
	goImportLine  = regexp.MustCompile(`(?m)^import[ \t]+(\S+ )?"[^"]+"$`)
)

// withImport makes sure that the environment can be read.
func withImport(k kind, text string) string {
	switch k {
	case kindPython:
		if pythonHasOS.MatchString(text) {
			return text
		}
		at := len(pythonHead.FindString(text))
		if m := pythonImport.FindStringIndex(text); m != nil {
			at = m[0]
			for strings.HasPrefix(text[at:], "from __future__") {
				at += strings.IndexByte(text[at:], '\n') + 1
			}
		}
		return text[:at] + "import os\n" + text[at:]
	case kindGo:
		if strings.Contains(text, `"os"`) {
			return text
		}
		if m := goImportBlock.FindStringSubmatchIndex(text); m != nil {
			at := m[2]
			// Keep the order of the first group.
			for _, line := range strings.SplitAfter(text[m[2]:m[3]], "\n") {
				quoted := strings.TrimSpace(line)
				if quoted == "" || quoted[0] == '"' && quoted > `"os"` {
					break
				}
				at += len(line)
			}
			return text[:at] + "\t\"os\"\n" + text[at:]
		}
		if m := goImportLine.FindStringIndex(text); m != nil {
			return text[:m[1]] + "\nimport \"os\"" + text[m[1]:]
		}
	}
	return text
}
