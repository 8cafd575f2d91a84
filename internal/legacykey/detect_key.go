package legacykey

import (
	"regexp"
	"strings"
)

var (
	uuidForm    = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{12}`)
	keyValue    = regexp.MustCompile(`^["'\x60\])]*\s*(?:=>|:=|[=:,]|%3[dD])\s*(?:[fbr]?["'\x60])?\s*([0-9A-Za-z][0-9A-Za-z-]{15,63})`)
	assignsName = regexp.MustCompile(`^["'\]\x60]?\s*(=>|:=|=|:)\s*([^=~\s]|$)`)
	looksUpName = regexp.MustCompile(`(getenv\(|environ(\.get)?[\[(]|env\.|env\[|env\.fetch\(|secrets\.|secrets\[|credentials\(|vars?\.|getenvironmentvariable\(|system\.getenv\(|lookupenv\(|config\[|configuration\[|\$\{?|\$env:|env\()\s*["']?[a-z0-9_:.]*$`)
	// developerPaths are the calls that a developer key still opens.
	developerPaths = regexp.MustCompile(`/webhooks/v\d/|/integrations/v1/\S*timeline|/crm/v3/timeline|/crm/v3/extensions/|/integrators/timeline|/crm-card`)
	queryWords     = regexp.MustCompile(`(params|query|querystring|qs|searchparams|urlencode|urlsearchparams|query_params|args|addqueryparam|setquery|appendquery|values?|data)\b`)
	headerWords    = regexp.MustCompile(`headers?\b|-h\s+["']?|addheader|setheader|setrequestheader|header\.set|header\.add|httpheader`)
	clientWords    = regexp.MustCompile(`hubspot[\w.:]*\.(configure|config)\b|configure[^;]{0,200}$|new\s+[\w.]*hubspot\w*\s*\([^;]{0,120}$|hubspot[\w.]*\(\s*\{?[^;)]{0,120}$|new\s+[\w.]*client\s*\([^;]{0,120}$`)
	// params['hapikey'] = …, request['hapikey'] = …
	elementForm = regexp.MustCompile(`(\w+)\[:?["']?$`)
	elementSet  = regexp.MustCompile(`^["']?\]\s*=[^=]`)
	// Insomnia 5 writes parameters as a list of names and values.
	pairName  = regexp.MustCompile(`-?\s*name:\s*["']?$`)
	curlWords = regexp.MustCompile(`\bcurl\b|\bwget\b|\bhttp(ie|s)?\s+(get|post)?`)
)

// keyBegins tells whether hapikey, in whatever case, is a word of its own at at:
// HAPIKEY, hubspot_hapikey, myHapikey; not the end of authApiKey.
func keyBegins(raw []byte, at int) bool {
	if at == 0 {
		return true
	}
	before := raw[at-1]
	letter := before >= 'a' && before <= 'z' || before >= 'A' && before <= 'Z'
	if !letter || raw[at] == 'H' && before >= 'a' {
		return true
	}
	const vendor = "hubspot"
	return at >= len(vendor) && strings.EqualFold(string(raw[at-len(vendor):at]), vendor)
}

// findKey judges the word hapikey.
func findKey(t *text, at int) (hit, bool) {
	if !keyBegins(t.raw, at) {
		return hit{}, false // authApiKey, withApiKey
	}
	start, end := t.word(at, at+len("hapikey"))
	whole := string(t.lower[start:end])
	line := t.line(at)
	h := hit{start: start, end: end}
	if m := keyValue.FindStringSubmatchIndex(t.after(end, window)); m != nil && uuidForm.MatchString(t.after(end, window)[m[2]:m[3]]) {
		h.secretStart, h.secretEnd = end+m[2], end+m[3]
	}
	h.rule = t.keyRule(whole, start, end, line)
	if h.rule == "" {
		return hit{}, false
	}
	if h.rule != ruleKeyMention && (strings.Contains(whole, "developer") || developerPaths.MatchString(t.around(start))) {
		h.rule = ruleDeveloperKey
		return h, true
	}
	if isKeyRule(h.rule) && h.rule != ruleKeySetting || h.secretEnd > 0 {
		switch {
		case t.inComment(start):
			if h.secretEnd == 0 && !strings.Contains(line, "://") && !curlWords.MatchString(line) {
				h.rule = ruleKeyMention
			} else {
				h.severity = SeverityWarning
			}
		case t.kind == kindProse:
			if h.secretEnd == 0 && !strings.Contains(line, "://") && !curlWords.MatchString(line) {
				h.rule = ruleKeyMention
			} else {
				h.severity = SeverityWarning
			}
		}
	} else if h.rule == ruleKeySetting && (t.inComment(start) || t.kind == kindProse) {
		h.rule = ruleKeyMention
	}
	return h, true
}

// around is the statement near at: this line and a little before and after.
func (t *text) around(at int) string {
	return string(t.lower[max(0, at-window/2):min(len(t.lower), at+window/2)])
}

// keyRule tells how the key is used; "" when the word belongs to a longer one
// that has nothing to do with it.
func (t *text) keyRule(whole string, start, end int, line string) string {
	previous, rest := byte(0), t.after(end, window)
	if start > 0 {
		previous = t.lower[start-1]
	}
	lead := t.before(start, window)
	exact := whole == "hapikey"
	switch {
	case previous == '?' || previous == '&' || strings.HasSuffix(lead, "&amp;") || strings.HasSuffix(lead, "%3f") || strings.HasSuffix(lead, "%26"):
		if strings.HasPrefix(rest, "=") || strings.HasPrefix(strings.ToLower(rest), "%3d") {
			return ruleKeyQuery
		}
		return ruleKeyMention
	case exact && strings.HasPrefix(rest, "=") && (previous == '"' || previous == '\'' || previous == '`' || previous == ' ') &&
		(curlWords.MatchString(t.statement(start)) || previous != ' ' && !t.kind.isSettings()):
		return ruleKeyQuery
	case exact && t.kind == kindBruno && (strings.HasPrefix(rest, ":")):
		if strings.Contains(t.before(start, 4*window), "params:query") || strings.Contains(t.before(start, 4*window), "query {") {
			return ruleKeyQuery
		}
		return ruleKeySetting
	case exact && elementForm.MatchString(lead) && elementSet.MatchString(rest):
		if queryWords.MatchString(elementForm.FindStringSubmatch(lead)[1]) {
			return ruleKeyQuery
		}
		return ruleKeyHeader
	case t.kind == kindYAML && exact && pairName.MatchString(lead):
		return ruleKeyQuery
	case looksUpName.MatchString(lead):
		return ruleKeySetting
	case exact && nearer(lead, headerWords, queryWords) && (strings.HasPrefix(strings.TrimLeft(rest, `"'`), ":") || strings.HasPrefix(rest, `",`) || strings.HasPrefix(rest, `',`) || strings.HasPrefix(rest, `"]`) || strings.HasPrefix(rest, `' =>`) || strings.HasPrefix(rest, `" =>`)):
		return ruleKeyHeader
	case clientWords.MatchString(lead) && (assignsName.MatchString(rest) || strings.HasPrefix(strings.TrimSpace(rest), "}") || strings.HasPrefix(strings.TrimSpace(rest), "=")):
		return ruleKeyClient
	case exact && (previous == '"' || previous == '\'' || previous == ':' || previous == '{' || previous == ' ' || previous == '\t' || previous == '(' || previous == '\n') && t.kind != kindProse && t.inQuery(lead, rest):
		return ruleKeyQuery
	case assignsName.MatchString(rest):
		if t.kind == kindProse && !strings.Contains(rest[:min(len(rest), 80)], "-") {
			return ruleKeyMention
		}
		return ruleKeySetting
	}
	return ruleKeyMention
}

// statement is the command that at stands in: its line and those before it that
// end in a backslash.
func (t *text) statement(at int) string {
	from := lineStart(t.lower, at)
	for n := 0; n < 40 && from > 1; n++ {
		before := strings.TrimRight(string(t.lower[max(0, from-4):from]), "\r\n")
		if !strings.HasSuffix(before, `\`) && !strings.HasSuffix(before, "`") && !strings.HasSuffix(before, "^") {
			break
		}
		from = lineStart(t.lower, from-1)
	}
	return string(t.lower[max(from, at-4*window):lineEnd(t.lower, min(at, len(t.lower)))])
}

// inQuery tells whether a name with a value stands among the parameters of a
// request.
func (t *text) inQuery(lead, rest string) bool {
	rest = strings.TrimLeft(rest, "\"'`])")
	rest = strings.TrimSpace(rest)
	shorthand := strings.HasPrefix(rest, "}") || strings.HasPrefix(rest, ",")
	if !shorthand && !strings.HasPrefix(rest, ":") && !strings.HasPrefix(rest, "=") {
		return false
	}
	return nearer(lead, queryWords, headerWords)
}

// nearer tells whether the last match of one, in the same statement, begins
// after the last of other.
func nearer(lead string, one, other *regexp.Regexp) bool {
	if i := strings.LastIndexByte(lead, ';'); i >= 0 {
		lead = lead[i:]
	}
	last := lastIndex(lead, one)
	return last >= 0 && last >= lastIndex(lead, other)
}

func lastIndex(text string, form *regexp.Regexp) int {
	found := form.FindAllStringIndex(text, -1)
	if found == nil {
		return -1
	}
	return found[len(found)-1][0]
}

var clientCallee = regexp.MustCompile(`(?:new\s+)?((?:[a-z_][a-z0-9_]*[.:]{1,2})*[a-z_][a-z0-9_]*)\s*\(\s*\{?[^(){}]*$`)

// findClientKey judges apiKey and api_key: a HubSpot client's option, a setting
// of that name, or another product's.
func findClientKey(t *text, at int) (hit, bool) {
	if !t.hubspot || at > 0 && t.lower[at-1] == 'h' && strings.HasPrefix(string(t.lower[at-1:min(len(t.lower), at+6)]), "hapikey") {
		return hit{}, false
	}
	length := len("api_key")
	if strings.HasPrefix(string(t.lower[at:min(len(t.lower), at+6)]), "apikey") {
		length = len("apikey")
	}
	start, end := t.word(at, at+length)
	if length == len("api-key") && t.lower[at+3] == '-' {
		for start > 0 && (isWord(t.lower[start-1]) || t.lower[start-1] == '-') {
			start--
		}
	}
	whole := string(t.lower[start:end])
	plain := strings.NewReplacer("_", "", "-", "").Replace(whole)
	if plain != "apikey" && !strings.Contains(plain, "developer") && !strings.Contains(plain, "hubspotapikey") {
		return hit{}, false
	}
	h := hit{start: start, end: end}
	rest := t.after(end, window)
	if m := keyValue.FindStringSubmatchIndex(rest); m != nil && uuidForm.MatchString(rest[m[2]:m[3]]) {
		h.secretStart, h.secretEnd = end+m[2], end+m[3]
	}
	lead := t.before(start, window)
	callee := ""
	if m := clientCallee.FindStringSubmatch(lead); m != nil {
		callee = m[1]
	}
	ofHubSpot := strings.Contains(callee, "hubspot") || (callee == "client" || strings.HasSuffix(callee, ".client")) && t.has("@hubspot/api-client")
	assigned := assignsName.MatchString(rest) || strings.HasPrefix(strings.TrimSpace(rest), "}") || strings.HasPrefix(strings.TrimSpace(rest), ",")
	switch {
	case strings.Contains(plain, "developer"):
		if !strings.Contains(plain, "hubspot") && !ofHubSpot {
			return hit{}, false
		}
		h.rule = ruleDeveloperKey
	case plain == "apikey" && ofHubSpot && assigned:
		h.rule = ruleKeyClient
	case strings.Contains(plain, "hubspotapikey"):
		if !assignsName.MatchString(rest) && !looksUpName.MatchString(lead) {
			return hit{}, false
		}
		h.rule = ruleKeySetting
		if h.secretEnd == 0 && !t.has("hapikey") {
			// Many keep a token under the old name: what it holds is not seen here.
			h.severity = SeverityWarning
		}
		if t.bearer || strings.HasPrefix(strings.TrimLeft(rest, " =:\"'"), "pat-") || t.has("access_token") || t.has("accesstoken") {
			h.rule, h.severity = ruleKeyName, ""
		}
	case plain == "apikey" && t.kind.isSettings() && assigned && t.underHubSpot(start):
		h.rule = ruleKeySetting
	default:
		return hit{}, false
	}
	if isKeyRule(h.rule) && (t.inComment(start) || t.kind == kindProse) {
		if h.secretEnd == 0 {
			h.rule = ruleKeyMention
			h.what = "An API key of HubSpot, talked about"
		} else {
			h.severity = SeverityWarning
		}
	}
	return h, true
}

var sectionName = regexp.MustCompile(`^\s*\[+\s*"?([^\]"]+)`)

// underHubSpot tells whether the nearest heading above at (less indented, or a
// section in brackets) names HubSpot.
func (t *text) underHubSpot(at int) bool {
	from := lineStart(t.lower, at)
	indent := indentation(t.lower[from:])
	for n := 0; n < 200 && from > 0; n++ {
		from = lineStart(t.lower, from-1)
		line := string(t.lower[from:lineEnd(t.lower, from)])
		if strings.TrimSpace(line) == "" {
			continue
		}
		if m := sectionName.FindStringSubmatch(line); m != nil && t.kind != kindJSON {
			return strings.Contains(m[1], "hubspot")
		}
		if deep := indentation([]byte(line)); deep < indent {
			return strings.Contains(line, "hubspot")
		}
	}
	return false
}

func indentation(line []byte) int {
	n := 0
	for n < len(line) && (line[n] == ' ' || line[n] == '\t') {
		n++
	}
	return n
}

// findFactory judges the factories of HubSpot's PHP libraries.
func findFactory(t *text, at int) (hit, bool) {
	rest := strings.ToLower(t.after(at+len("factory::create"), 40))
	h := hit{rule: ruleKeyClient, start: at, end: at + len("factory::create")}
	switch {
	case !t.hubspot || t.inComment(at):
		return hit{}, false
	case strings.HasPrefix(rest, "withapikey("):
	case strings.HasPrefix(rest, "withdeveloperapikey("):
		h.rule = ruleDeveloperKey
	case strings.HasPrefix(rest, "(") && !strings.HasPrefix(rest, "()") && t.has("sevenshores"):
	default:
		return hit{}, false
	}
	h.what = "HubSpot client of PHP made with an API key"
	if h.rule == ruleDeveloperKey {
		h.what = ""
	}
	if m := uuidForm.FindStringIndex(t.after(at, window)); m != nil && !strings.Contains(t.after(at, m[0]), "\n") {
		h.secretStart, h.secretEnd = at+m[0], at+m[1]
	}
	return h, true
}

var constructor = regexp.MustCompile(`(?i)^new\s+HubSpot(?:Api|Client|Service|Sdk)?\s*\(\s*("[^"\n]*"|[\w.]*key\w*(?:\(\))?)\s*[,)]`)

// findConstructor judges clients that take the key by its place, as HubSpot.NET
// and the Java libraries do.
func findConstructor(t *text, at int) (hit, bool) {
	rest := t.after(at, window)
	m := constructor.FindStringSubmatchIndex(rest)
	if m == nil || t.inComment(at) || strings.Contains(rest[m[2]:m[3]], "pat-") {
		return hit{}, false
	}
	h := hit{rule: ruleKeyClient, start: at, end: at + m[1], literals: true}
	if found := uuidForm.FindStringIndex(rest[m[2]:m[3]]); found != nil {
		h.secretStart, h.secretEnd = at+m[2]+found[0], at+m[2]+found[1]
	}
	return h, true
}
