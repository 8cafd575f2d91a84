package salesforce

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Limits of the composite calls.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm
const (
	compositeLimit = 25
	heavyLimit     = 5 // collections and queries among them
)

// subrequest is one part of a composite call.
type subrequest struct {
	method, url, reference string
	headers                http.Header
	body                   *node
	raw                    []byte
}

// subresult is what became of one part.
type subresult struct {
	reference string
	reply     *reply
	value     *node // the answer's JSON, for references
}

var referenceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_]*$`)

func (c *call) composite() (*reply, error) {
	n, problem := c.bodyObject()
	if problem != nil {
		return nil, problem
	}
	parts, problem := c.subrequests(n.get("compositeRequest"))
	if problem != nil {
		return nil, problem
	}
	results := c.runParts(parts, n.get("allOrNone").truth())
	return answer(http.StatusOK, writeResults("compositeResponse", results)), nil
}

func writeResults(key string, results []subresult) []byte {
	w := &jsonWriter{}
	w.open('{').key(key).open('[')
	for _, r := range results {
		w.open('{').key("body")
		if len(r.reply.body) == 0 {
			w.null()
		} else {
			w.raw(r.reply.body)
		}
		w.key("httpHeaders").open('{')
		for _, name := range [...]string{"Location", "ETag", "Last-Modified"} {
			if v := r.reply.header[name]; v != "" && (name == "Location" || r.reply.status == http.StatusOK) {
				w.key(name).str(v)
			}
		}
		w.close('}').key("httpStatusCode").int(r.reply.status).key("referenceId").str(r.reference).close('}')
	}
	return w.close(']').close('}').b
}

// subrequests reads and checks the parts.
func (c *call) subrequests(list *node) ([]subrequest, *failure) {
	bad := func(message string) *failure { return plain(http.StatusBadRequest, "INVALID_INPUT", message) }
	if list == nil || list.kind != '[' || len(list.items) == 0 {
		return nil, plain(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "The required field(s) are missing: [compositeRequest]")
	}
	if len(list.items) > compositeLimit {
		return nil, plain(http.StatusBadRequest, "LIMIT_EXCEEDED", fmt.Sprintf("The number of subrequests (%d) exceeds the limit of %d.", len(list.items), compositeLimit))
	}
	var parts []subrequest
	heavy, seen := 0, map[string]bool{}
	for _, item := range list.items {
		p := subrequest{method: item.get("method").str(), url: item.get("url").str(), reference: item.get("referenceId").str(), body: item.get("body"), headers: http.Header{}}
		switch p.method {
		case "GET", "POST", "PATCH", "PUT", "DELETE":
		default:
			return nil, bad("The subrequest method '" + p.method + "' is not GET, POST, PATCH, PUT or DELETE.")
		}
		if !strings.HasPrefix(p.url, "/services/data/v") {
			return nil, bad("The subrequest url '" + p.url + "' must begin with /services/data/vXX.X/.")
		}
		if p.reference == "" || seen[p.reference] {
			return nil, bad("Each subrequest needs a referenceId of its own; got '" + p.reference + "'.")
		}
		if c.version >= 52 && !referenceName.MatchString(p.reference) {
			return nil, bad("Provided referenceId ('" + p.reference + "') must start with a letter or a number, and it can contain only letters, numbers and underscores ('_').")
		}
		seen[p.reference] = true
		if h := item.get("httpHeaders"); h != nil {
			for _, m := range h.members {
				switch http.CanonicalHeaderKey(m.name) {
				case "Accept", "Authorization", "Content-Type":
					return nil, bad("The subrequest header '" + m.name + "' is not allowed.")
				}
				p.headers.Set(m.name, m.node.str())
			}
		}
		if strings.Contains(p.url, "/composite/sobjects") || strings.Contains(p.url, "/query") {
			heavy++
		}
		parts = append(parts, p)
	}
	if heavy > heavyLimit {
		return nil, plain(http.StatusBadRequest, "LIMIT_EXCEEDED", fmt.Sprintf("The number of collection and query subrequests (%d) exceeds the limit of %d.", heavy, heavyLimit))
	}
	return parts, nil
}

const rolledBackMessage = "The transaction was rolled back since another operation in the same transaction failed."

// runParts runs the parts in order; with allOrNone one failure takes all back.
func (c *call) runParts(parts []subrequest, allOrNone bool) []subresult {
	mark, rows := c.tx.mark(), c.rows
	known := map[string]*subresult{}
	var results []subresult
	failed := -1
	for i := range parts {
		p := &parts[i]
		done := subresult{reference: p.reference}
		if failed >= 0 && allOrNone {
			done.reply = refusal(plain(http.StatusBadRequest, "PROCESSING_HALTED", rolledBackMessage))
		} else {
			done.reply = c.runPart(p, known)
		}
		if len(done.reply.body) > 0 && done.reply.status < 300 {
			if n, problem := parseBody(done.reply.body); problem == nil {
				done.value = n
			}
		}
		if done.reply.status >= 400 && failed < 0 || allOrNone && failed < 0 && partlyFailed(done.value) {
			failed = i
		}
		results = append(results, done)
		known[p.reference] = &done
	}
	if failed >= 0 && allOrNone {
		c.tx.rollback(mark)
		c.rows = rows
		for i := range results {
			if i != failed && results[i].reply.status < 300 {
				results[i].reply = refusal(plain(http.StatusBadRequest, "PROCESSING_HALTED", rolledBackMessage))
			}
		}
	}
	return results
}

// partlyFailed says whether a collection's answer has a failed record in it.
func partlyFailed(n *node) bool {
	if n == nil || n.kind != '[' {
		return false
	}
	for _, item := range n.items {
		if s := item.get("success"); s != nil && s.kind == 'f' {
			return true
		}
	}
	return false
}

var referencePattern = regexp.MustCompile(`@\{([^}]+)\}`)

// runPart resolves the references of a part and runs it.
func (c *call) runPart(p *subrequest, known map[string]*subresult) *reply {
	resolve := func(text string) (string, bool, error) { return c.resolve(text, known) }
	address, _, err := resolve(p.url)
	if err != nil {
		return refusal(err)
	}
	raw := p.raw
	if p.body != nil && p.body.kind != 'n' {
		w := &jsonWriter{}
		if err := writeResolved(w, p.body, resolve); err != nil {
			return refusal(err)
		}
		raw = w.b
	}
	return c.inside(p.method, address, p.headers, raw)
}

// inside runs a request within this call, under its lock and in its transaction.
func (c *call) inside(method, address string, headers http.Header, body []byte) *reply {
	path, query, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(strings.ReplaceAll(query, ";", "%3B"))
	if err != nil {
		return refusal(plain(http.StatusBadRequest, "MALFORMED_QUERY", "The query string of the subrequest is not URL-encoded."))
	}
	rt, params, allowed := c.server.routes.find(method, strings.ReplaceAll(path, " ", "%20"))
	if rt == nil || rt.purpose < forQuery || rt.purpose == forComposite && !strings.HasSuffix(path, "/composite/graph") {
		return c.server.noRoute(&call{server: c.server, method: method, path: path}, allowed)
	}
	version, problem := parseVersion(params["v"])
	if problem != nil {
		return refusal(problem)
	}
	merged := c.header.Clone()
	for _, conditional := range [...]string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		merged.Del(conditional)
	}
	for k, v := range headers {
		merged[k] = v
	}
	part := &call{server: c.server, method: method, path: path, host: c.host, params: params, query: values, header: merged,
		body: body, version: version, session: c.session, user: c.user, tx: c.tx, locked: c.locked, partial: c.partial, inner: true}
	done := c.server.handle(part, rt)
	c.rows += part.rows
	return done
}

// resolve replaces @{reference.path} by the value of an earlier part. null is
// true when the whole text is one reference to a null value.
func (c *call) resolve(text string, known map[string]*subresult) (out string, null bool, err error) {
	if !strings.Contains(text, "@{") {
		return text, false, nil
	}
	out = referencePattern.ReplaceAllStringFunc(text, func(m string) string {
		name, path := splitReference(m[2 : len(m)-1])
		earlier := known[name]
		if earlier == nil {
			err = plain(http.StatusBadRequest, "PROCESSING_HALTED", "Invalid reference specified. No value for "+m[2:len(m)-1]+" found in "+name)
			return ""
		}
		v := follow(earlier.value, path)
		if v == nil || v.kind == '{' || v.kind == '[' || v.kind == 'n' && c.version < 52 {
			err = plain(http.StatusBadRequest, "PROCESSING_HALTED", "Invalid reference specified. No value for "+m[2:len(m)-1]+" found in "+name)
			return ""
		}
		if v.kind == 'n' {
			null = m == text
			return ""
		}
		return v.literal()
	})
	return out, null, err
}

func splitReference(s string) (name, path string) {
	if i := strings.IndexAny(s, ".["); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// follow walks .name and [index]; names are case-sensitive.
func follow(n *node, path string) *node {
	for path != "" && n != nil {
		if path[0] == '[' {
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return nil
			}
			i, err := strconv.Atoi(path[1:end])
			if err != nil || i < 0 || i >= len(n.items) {
				return nil
			}
			n, path = n.items[i], path[end+1:]
			continue
		}
		path = strings.TrimPrefix(path, ".")
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		var next *node
		for _, m := range n.members {
			if m.name == path[:end] {
				next = m.node
			}
		}
		n, path = next, path[end:]
	}
	return n
}

// writeResolved writes a body with its references replaced.
func writeResolved(w *jsonWriter, n *node, resolve func(string) (string, bool, error)) error {
	switch n.kind {
	case '{':
		w.open('{')
		for _, m := range n.members {
			w.key(m.name)
			if err := writeResolved(w, m.node, resolve); err != nil {
				return err
			}
		}
		w.close('}')
	case '[':
		w.open('[')
		for _, item := range n.items {
			if err := writeResolved(w, item, resolve); err != nil {
				return err
			}
		}
		w.close(']')
	case '"':
		s, null, err := resolve(n.text)
		if err != nil {
			return err
		}
		if null {
			w.null()
		} else {
			w.str(s)
		}
	default:
		w.raw([]byte(n.literal()))
	}
	return nil
}

// compositeBatch runs independent parts one by one; each counts as a call.
func (c *call) compositeBatch() (*reply, error) {
	n, problem := c.bodyObject()
	if problem != nil {
		return nil, problem
	}
	list := n.get("batchRequests")
	if list == nil || list.kind != '[' || len(list.items) == 0 {
		return nil, plain(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "The required field(s) are missing: [batchRequests]")
	}
	if len(list.items) > compositeLimit {
		return nil, plain(http.StatusBadRequest, "LIMIT_EXCEEDED", fmt.Sprintf("The number of batch requests (%d) exceeds the limit of %d.", len(list.items), compositeLimit))
	}
	more := len(list.items) - 1
	if _, fitted := c.server.usage.spend(more, c.server.dailyLimit, c.server.nowSeconds()); !fitted {
		return nil, limitExceeded()
	}
	c.cost += more
	halt, failed := n.get("haltOnError").truth(), false
	w := &jsonWriter{}
	w.open('[')
	for _, item := range list.items {
		var done *reply
		if failed && halt {
			done = refusal(plain(http.StatusPreconditionFailed, "BATCH_PROCESSING_HALTED", "Batch processing halted per request"))
		} else {
			var raw []byte
			if input := item.get("richInput"); input != nil && input.kind != 'n' {
				inner := &jsonWriter{}
				if err := writeResolved(inner, input, func(s string) (string, bool, error) { return s, false, nil }); err != nil {
					return nil, err
				}
				raw = inner.b
			}
			address := "/services/data/" + strings.TrimPrefix(strings.TrimPrefix(item.get("url").str(), "/"), "services/data/")
			done = c.inside(strings.ToUpper(item.get("method").str()), address, nil, raw)
			c.tx.commit()
		}
		failed = failed || done.status >= 400
		w.open('{').key("statusCode").int(done.status).key("result")
		if len(done.body) == 0 {
			w.null()
		} else {
			w.raw(done.body)
		}
		w.close('}')
	}
	w.close(']')
	out := &jsonWriter{}
	out.open('{').key("hasErrors").bool(failed).key("results").raw(w.b)
	return answer(http.StatusOK, out.close('}').b), nil
}
