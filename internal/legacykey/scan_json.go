package legacykey

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// json looks through a parsed document, value by value, so that a finding can
// name its place; done is false when the text is no JSON.
func (s *scanner) json(t *text) (findings []Finding, done bool) {
	root := parseJSON(t.raw)
	if root == nil {
		return nil, false
	}
	v := &jsonScan{scanner: s, text: t}
	if cells := root.get("cells"); t.kind == kindNotebook && cells != nil {
		v.cells(cells)
	} else {
		v.value(root, nil, "")
	}
	return v.findings, true
}

type jsonScan struct {
	*scanner
	text     *text
	findings []Finding
}

// cells scans each cell's source as one text.
func (v *jsonScan) cells(cells *node) {
	for number, cell := range cells.items {
		k := kindPython
		if cell.child(v.text.raw, "cell_type") != "code" {
			k = kindProse
		}
		source := cell.get("source")
		if source == nil {
			continue
		}
		var joined strings.Builder
		var starts, places []int // in joined, and in the file
		lines := source.items
		if source.kind == '"' {
			lines = []*node{source}
		}
		for _, line := range lines {
			starts, places = append(starts, joined.Len()), append(places, line.start)
			joined.WriteString(line.text(v.text.raw))
		}
		part := v.text.part([]byte(joined.String()), k)
		index := newLineIndex(part.raw)
		for _, h := range part.hits() {
			f := part.finding(h, v.table, v.now)
			line, _ := index.at(f.start)
			f.Where = fmt.Sprintf("cell %d, line %d", number+1, line)
			at := f.start
			for i := len(starts) - 1; i >= 0; i-- {
				if starts[i] <= at {
					f.start = places[i]
					break
				}
			}
			v.findings = append(v.findings, f)
		}
		for _, output := range cell.get("outputs").itemsOf() {
			v.value(output, []string{fmt.Sprintf("cell %d", number+1), "output"}, "")
		}
	}
}

func (n *node) itemsOf() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// value walks down; names are the "name" of the things on the way, and key is
// the member that the value belongs to.
func (v *jsonScan) value(n *node, names []string, key string) {
	switch n.kind {
	case '{':
		if name := n.child(v.text.raw, "name"); name != "" && (n.get("request") != nil || n.get("item") != nil || n.get("url") != nil || n.get("items") != nil || n.get("requests") != nil) {
			names = append(names[:len(names):len(names)], name)
		} else if request := n.get("request"); request != nil && n.get("response") != nil && request.get("method") != nil {
			names = append(names[:len(names):len(names)], request.child(v.text.raw, "method")+" "+withoutQuery(request.child(v.text.raw, "url")))
		} else if info := n.get("info"); info != nil && info.get("name") != nil {
			names = append(names[:len(names):len(names)], info.child(v.text.raw, "name"))
		}
		if v.pair(n, names, key) {
			return
		}
		for _, m := range n.members {
			v.member(m, names)
			v.value(m.value, names, m.name)
		}
	case '[':
		if key == "exec" {
			v.script(n, names) // its lines are one text
			return
		}
		for _, item := range n.items {
			v.value(item, names, key)
		}
	case '"':
		v.literal(n, names)
	}
}

// script scans the lines of a collection's script as one JavaScript text.
func (v *jsonScan) script(n *node, names []string) {
	var joined strings.Builder
	var starts []int
	for _, line := range n.items {
		starts = append(starts, joined.Len())
		joined.WriteString(line.text(v.text.raw) + "\n")
	}
	part := v.text.part([]byte(joined.String()), kindJavaScript)
	for _, h := range part.hits() {
		f := part.finding(h, v.table, v.now)
		for i := len(starts) - 1; i >= 0; i-- {
			if starts[i] <= f.start {
				f.start = n.items[i].start
				break
			}
		}
		f.Where = strings.Join(append(names[:len(names):len(names)], "script"), " > ")
		v.findings = append(v.findings, f)
	}
}

// pair judges {"key": "hapikey", "value": …} and {"name": "hapikey", …}, as
// Postman, Insomnia and HAR write a parameter. It reports whether the object
// was one, and so is done with.
func (v *jsonScan) pair(n *node, names []string, parent string) bool {
	name := n.child(v.text.raw, "key")
	label := n.get("key")
	if name == "" {
		name, label = n.child(v.text.raw, "name"), n.get("name")
	}
	lower := strings.ToLower(name)
	plain := strings.NewReplacer("_", "", "-", "").Replace(lower)
	if n.get("value") == nil && n.get("url") != nil || plain != "hapikey" && plain != "hubspotapikey" && plain != "hubspothapikey" {
		return false
	}
	h := hit{start: label.start + 1, end: label.end - 1}
	switch {
	case strings.Contains(strings.ToLower(parent), "header"):
		h.rule = ruleKeyHeader
	case parent == "query" || parent == "queryString" || parent == "parameters" || parent == "urlencoded" || parent == "params":
		h.rule = ruleKeyQuery
	default:
		h.rule = ruleKeySetting
	}
	if value := n.get("value"); value != nil {
		if at := uuidForm.FindStringIndex(value.text(v.text.raw)); at != nil {
			h.secretStart, h.secretEnd = value.start+1, value.end-1
		}
	}
	f := v.text.finding(h, v.table, v.now)
	f.Where = strings.Join(names, " > ")
	f.Excerpt = strconv.Quote(name) + " in " + orText(parent, "an object")
	v.findings = append(v.findings, f)
	return true
}

func orText(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// tellingName are names whose value matters whatever it looks like.
var tellingName = regexp.MustCompile(`(?i)hapikey|api[_-]?key|security_token|personal_?access_?key|refresh|grant_?type|client_?secret|private_?app`)

// member judges a name whose value is a plain one: {"hapikey": "…"}.
func (v *jsonScan) member(m member, names []string) {
	if m.value.kind == '{' || m.value.kind == '[' {
		return
	}
	if !tellingName.MatchString(m.name) {
		return
	}
	part := v.text.part(v.text.raw[m.start:m.value.end], kindJSON)
	for _, h := range part.hits() {
		if h.start >= m.value.start-m.start {
			continue // the value is looked at by itself
		}
		f := part.finding(h, v.table, v.now)
		f.start += m.start
		f.Where = strings.Join(names, " > ")
		v.findings = append(v.findings, f)
	}
	plain := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(m.name))
	if plain == "apikey" && m.value.kind == '"' && v.text.hubspot && v.text.underHubSpot(m.start) {
		f := v.text.finding(hit{rule: ruleKeySetting, start: m.start + 1, end: m.start + 1 + len(m.name)}, v.table, v.now)
		f.Where = strings.Join(names, " > ")
		v.findings = append(v.findings, f)
	}
}

// literal scans the decoded value of one string.
func (v *jsonScan) literal(n *node, names []string) {
	decoded := n.text(v.text.raw)
	if decoded == "" {
		return
	}
	part := v.text.part([]byte(decoded), kindOther)
	plain := n.end-n.start-2 == len(decoded)
	for _, h := range part.hits() {
		f := part.finding(h, v.table, v.now)
		if plain {
			f.start += n.start + 1
		} else {
			f.start = n.start + 1
		}
		f.Where = strings.Join(names, " > ")
		v.findings = append(v.findings, f)
	}
}

func withoutQuery(url string) string {
	before, _, _ := strings.Cut(url, "?")
	return before
}
