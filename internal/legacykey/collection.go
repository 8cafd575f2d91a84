package legacykey

import (
	"regexp"
	"strings"
)

// tokenVariableName is the variable of a collection that holds the token.
const tokenVariableName = "hubspot_token"

var rawKey = regexp.MustCompile(`([?&])hapikey=([^&#"]*)(&?)`)

// rewriteCollection moves the requests of a Postman or Insomnia export to a
// bearer token in {{hubspot_token}}. Every byte that is not about the key stays.
func rewriteCollection(text string) (after, why string) {
	root := parseJSON([]byte(text))
	if root == nil {
		return text, "this is no JSON"
	}
	c := &collection{source: &source{src: text}, raw: []byte(text)}
	switch {
	case root.get("info") != nil && root.get("item") != nil:
		c.objects = strings.Contains(root.get("info", "schema").text(c.raw), "/v2.0")
		c.items(root.get("item"), root)
	case root.child(c.raw, "_type") == "export" && root.get("resources") != nil:
		for _, resource := range root.get("resources").itemsOf() {
			if resource.get("url") != nil && resource.get("method") != nil {
				c.insomnia(resource)
			}
		}
	case root.get("log", "entries") != nil:
		return text, "a HAR file is a record of what was: delete it, or record it anew"
	case root.get("values") != nil && (root.get("_postman_variable_scope") != nil || root.get("name") != nil):
		c.environment(root.get("values"))
	default:
		return text, "this kind of JSON file is not rewritten"
	}
	c.variables(root.get("variable"))
	after, ok := c.apply()
	if !ok {
		return text, "the places of the key overlap"
	}
	if parseJSON([]byte(after)) == nil {
		return text, "the result would be no JSON"
	}
	return after, c.why
}

type collection struct {
	*source
	raw []byte
	// objects: Postman 2.0 writes the parts of auth as an object, not as a list.
	objects bool
	why     string
}

// items walks the folders of a Postman collection.
func (c *collection) items(list, parent *node) {
	for _, item := range list.itemsOf() {
		if sub := item.get("item"); sub != nil {
			c.items(sub, item)
		}
		request := item.get("request")
		if request == nil {
			continue
		}
		if request.kind == '"' { // "request": "https://…"
			if rawKey.MatchString(request.text(c.raw)) {
				c.why = "a request that is only an address has no place for a header"
			}
			continue
		}
		c.request(request)
	}
}

// request rewrites one Postman request.
func (c *collection) request(request *node) {
	url := request.get("url")
	raw := url
	if url != nil && url.kind == '{' {
		raw = url.get("raw")
	}
	if url == nil {
		return
	}
	query := url.get("query")
	inQuery := hasKey(c.raw, query)
	if !inQuery && (raw == nil || !rawKey.MatchString(raw.text(c.raw))) {
		return
	}
	if raw != nil && developerPaths.MatchString(raw.text(c.raw)) {
		return
	}
	if auth := request.get("auth"); auth != nil && auth.kind == '{' {
		switch auth.child(c.raw, "type") {
		case "noauth":
			c.replace(auth.start, auth.end, c.bearer(request, auth.start))
		case "bearer":
		case "apikey":
			c.replace(auth.start, auth.end, c.bearer(request, auth.start))
		default:
			c.why = "the request has an authorization of another kind"
			return
		}
	} else if auth != nil {
		c.replace(auth.start, auth.end, c.bearer(request, auth.start))
	} else {
		first := request.members[0]
		c.replace(first.start, first.start, `"auth": `+c.bearer(request, first.start)+","+c.between(request))
	}
	c.cutRaw(raw)
	if inQuery {
		c.cutPair(url, query, "query")
	}
}

// bearer is the auth object: on one line where the request is, else indented as
// its place is.
func (c *collection) bearer(request *node, at int) string {
	indent := c.lineIndent(at)
	if !strings.Contains(c.src[request.start:request.end], "\n") {
		if c.objects {
			return `{"type": "bearer", "bearer": {"token": "{{` + tokenVariableName + `}}"}}`
		}
		return `{"type": "bearer", "bearer": [{"key": "token", "value": "{{` + tokenVariableName + `}}", "type": "string"}]}`
	}
	unit := c.unit()
	if c.objects {
		return strings.Join([]string{"{", unit + `"type": "bearer",`, unit + `"bearer": {`, unit + unit + `"token": "{{` + tokenVariableName + `}}"`, unit + "}", "}"}, "\n"+indent)
	}
	lines := []string{"{", unit + `"type": "bearer",`, unit + `"bearer": [`, unit + unit + "{", unit + unit + unit + `"key": "token",`,
		unit + unit + unit + `"value": "{{` + tokenVariableName + `}}",`, unit + unit + unit + `"type": "string"`, unit + unit + "}", unit + "]", "}"}
	return strings.Join(lines, "\n"+indent)
}

// unit is one step of the file's indentation.
func (c *collection) unit() string {
	at := strings.Index(c.src, "\n")
	if unit := c.lineIndent(min(at+1, len(c.src))); unit != "" {
		return unit
	}
	return "\t"
}

// between is what stands between two members of an object.
func (c *collection) between(n *node) string {
	if before := c.src[n.start+1 : n.members[0].start]; strings.Contains(before, "\n") {
		return "\n" + c.lineIndent(n.members[0].start)
	}
	return " "
}

// cutRaw takes the key out of an address in text.
func (c *collection) cutRaw(raw *node) {
	if raw == nil || raw.kind != '"' {
		return
	}
	text := c.src[raw.start:raw.end]
	for _, m := range rawKey.FindAllStringSubmatchIndex(text, -1) {
		if m[6] < m[7] {
			c.replace(raw.start+m[0]+1, raw.start+m[1], "")
		} else {
			c.replace(raw.start+m[0], raw.start+m[1], "")
		}
	}
}

// isKeyPair tells whether n is the parameter hapikey.
func isKeyPair(src []byte, n *node) bool {
	return n.kind == '{' && (strings.EqualFold(n.child(src, "key"), "hapikey") || n.get("key") == nil && strings.EqualFold(n.child(src, "name"), "hapikey"))
}

func hasKey(src []byte, list *node) bool {
	for _, item := range list.itemsOf() {
		if isKeyPair(src, item) {
			return true
		}
	}
	return false
}

// cutPair takes the key out of a list of parameters, and the list away when
// nothing is left of it.
func (c *collection) cutPair(parent, list *node, name string) {
	if len(list.items) == 1 {
		for i, m := range parent.members {
			if m.value != list {
				continue
			}
			switch {
			case i > 0:
				c.replace(parent.members[i-1].value.end, m.value.end, "")
			case len(parent.members) > 1:
				c.replace(m.start, parent.members[1].start, "")
			}
		}
		return
	}
	for i, item := range list.items {
		if !isKeyPair(c.raw, item) {
			continue
		}
		if i > 0 {
			c.replace(list.items[i-1].end, item.end, "")
		} else {
			c.replace(item.start, list.items[1].start, "")
		}
	}
}

// insomnia rewrites one request of an Insomnia export (format 4).
func (c *collection) insomnia(request *node) {
	list := request.get("parameters")
	url := request.get("url")
	if !hasKey(c.raw, list) && !rawKey.MatchString(url.text(c.raw)) || developerPaths.MatchString(url.text(c.raw)) {
		return
	}
	bearer := `{"type": "bearer", "token": "{{ ` + tokenVariableName + ` }}"}`
	switch auth := request.get("authentication"); {
	case auth == nil:
		first := request.members[0]
		c.replace(first.start, first.start, `"authentication": `+bearer+","+c.between(request))
	case len(auth.members) == 0 || auth.child(c.raw, "type") == "none" || auth.child(c.raw, "type") == "apikey":
		c.replace(auth.start, auth.end, bearer)
	case auth.child(c.raw, "type") != "bearer":
		c.why = "the request has an authorization of another kind"
		return
	}
	c.cutRaw(url)
	if hasKey(c.raw, list) {
		if len(list.items) == 1 {
			c.replace(list.start, list.end, "[]")
		} else {
			c.cutPair(request, list, "parameters")
		}
	}
}

// environment renames the variable of a Postman environment and empties it.
func (c *collection) environment(values *node) { c.variables(values) }

// variables renames the variable that held the key and takes its value out.
func (c *collection) variables(list *node) {
	for _, v := range list.itemsOf() {
		name := v.get("key")
		plain := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name.text(c.raw)))
		if plain != "hapikey" && plain != "hubspotapikey" && plain != "hubspothapikey" {
			continue
		}
		c.replace(name.start, name.end, `"`+tokenVariableName+`"`)
		for _, field := range []string{"value", "initialValue", "currentValue"} {
			if value := v.get(field); value != nil && value.kind == '"' {
				c.replace(value.start, value.end, `""`)
			}
		}
	}
}

var (
	brunoURL    = regexp.MustCompile(`(?m)^(\s*url:\s*)(\S+)[ \t]*$`)
	brunoQuery  = regexp.MustCompile(`(?ms)^params:query \{\n.*?^\}\n?`)
	brunoKey    = regexp.MustCompile(`(?m)^[ \t]*~?hapikey:[^\n]*\n`)
	brunoAuth   = regexp.MustCompile(`(?m)^(\s*auth:\s*)(\w+)[ \t]*$`)
	brunoMethod = regexp.MustCompile(`(?m)^(get|post|put|patch|delete|head|options) \{\n`)
	brunoVars   = regexp.MustCompile(`(?m)^([ \t]*)(?:hapikey|hubspot_api_key)(:[ \t]*)[^\n]*$`)
)

// rewriteBruno rewrites a .bru file: a request, or an environment.
func rewriteBruno(text string) (after, why string) {
	if !brunoMethod.MatchString(text) {
		return brunoVars.ReplaceAllString(text, "${1}"+tokenVariableName+"${2}"), ""
	}
	url := brunoURL.FindStringSubmatchIndex(text)
	if url == nil {
		return text, "the request has no address"
	}
	address := text[url[4]:url[5]]
	if developerPaths.MatchString(address) {
		return text, "this call is made with a developer API key, which still works"
	}
	switch m := brunoAuth.FindStringSubmatch(text); {
	case strings.Contains(text, "\nauth:bearer {"):
		return text, "the request has a bearer token already: take the key out"
	case m != nil && m[2] != "none" && m[2] != "inherit" && m[2] != "bearer":
		return text, "the request has an authorization of another kind"
	}
	cut := rawKey.ReplaceAllStringFunc(address, func(s string) string {
		if strings.HasSuffix(s, "&") {
			return s[:1]
		}
		return ""
	})
	text = text[:url[4]] + cut + text[url[5]:]
	text = brunoQuery.ReplaceAllStringFunc(text, func(block string) string {
		left := brunoKey.ReplaceAllString(block, "")
		if strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(left, "params:query {")), "}")) == "" {
			return "\x00"
		}
		return left
	})
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\x00\n", ""), "\x00", "")
	block := "auth:bearer {\n  token: {{" + tokenVariableName + "}}\n}\n"
	if brunoAuth.MatchString(text) {
		text = brunoAuth.ReplaceAllString(text, "${1}bearer")
	} else {
		url := brunoURL.FindStringSubmatchIndex(text)
		text = text[:url[1]] + "\n  auth: bearer" + text[url[1]:]
	}
	// The block follows the request's own.
	m := brunoMethod.FindStringIndex(text)
	end := m[1] + strings.Index(text[m[1]:], "\n}\n") + len("\n}\n")
	return text[:end] + "\n" + block + text[end:], ""
}
