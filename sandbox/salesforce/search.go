package salesforce

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce/soql"
)

// searchLimit is how many records one search gives.
const searchLimit = 2000

// sought is one object of a search, with what to show of it.
type sought struct {
	query *bound
}

// searchText answers SOSL: FIND {words} [IN x FIELDS] [RETURNING a(f WHERE …), b] [LIMIT n].
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_syntax.htm
func (c *call) searchText() (*reply, error) {
	text := strings.TrimSpace(c.query.Get("q"))
	bad := func(what string) error {
		return plain(http.StatusBadRequest, "MALFORMED_SEARCH", what)
	}
	rest, ok := cutWord(text, "FIND")
	if !ok || !strings.HasPrefix(rest, "{") {
		return nil, bad("unexpected token: '" + firstWord(text) + "'; a search begins with FIND {text}")
	}
	phrase, rest, ok := strings.Cut(rest[1:], "}")
	if !ok {
		return nil, bad("unexpected token: '<EOF>'")
	}
	group := "ALL"
	if after, ok := cutWord(strings.TrimSpace(rest), "IN"); ok {
		group = strings.ToUpper(firstWord(after))
		var fields bool
		if rest, fields = cutWord(strings.TrimSpace(after[len(group):]), "FIELDS"); !fields {
			return nil, bad("unexpected token: '" + firstWord(rest) + "'")
		}
	}
	limit := searchLimit
	rest = strings.TrimSpace(rest)
	if i := strings.LastIndex(strings.ToUpper(rest), "LIMIT "); i >= 0 && !strings.Contains(rest[i:], ")") {
		n, err := strconv.Atoi(strings.TrimSpace(rest[i+6:]))
		if err != nil {
			return nil, bad("unexpected token: '" + strings.TrimSpace(rest[i+6:]) + "'")
		}
		limit, rest = min(n, searchLimit), strings.TrimSpace(rest[:i])
	}
	var targets []sought
	if after, ok := cutWord(rest, "RETURNING"); ok {
		for _, spec := range splitOutside(after) {
			t, err := c.returning(spec)
			if err != nil {
				return nil, queryFailure(err)
			}
			targets = append(targets, t)
		}
	} else if rest != "" {
		return nil, bad("unexpected token: '" + firstWord(rest) + "'")
	} else {
		for _, name := range c.server.names {
			if o := c.server.object(name); o.searchable && c.server.access(c.user, o).Read {
				t, err := c.returning(o.name)
				if err != nil {
					return nil, queryFailure(err)
				}
				targets = append(targets, t)
			}
		}
	}
	return c.searched(phrase, group, targets, limit)
}

func cutWord(s, word string) (rest string, ok bool) {
	if len(s) < len(word) || !strings.EqualFold(s[:len(word)], word) || len(s) > len(word) && isDigit62(s[len(word)]) {
		return s, false
	}
	return strings.TrimSpace(s[len(word):]), true
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(s), " ")
	return word
}

// splitOutside splits at commas outside parentheses.
func splitOutside(s string) []string {
	var parts []string
	depth, start := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(s[start:i]))
				start = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(s[start:]))
}

// returning binds one object of RETURNING; what is in its parentheses is a
// select list followed by clauses, so it is read as a query.
func (c *call) returning(spec string) (sought, error) {
	name, inside, _ := strings.Cut(strings.TrimSuffix(spec, ")"), "(")
	name, inside = strings.TrimSpace(name), strings.TrimSpace(inside)
	list, clauses := inside, ""
	for _, word := range [...]string{"WHERE", "ORDER", "LIMIT", "OFFSET", "USING"} {
		if i := indexWord(inside, word); i >= 0 && i < len(list) {
			list, clauses = inside[:i], inside[i:]
		}
	}
	if strings.TrimSpace(list) == "" {
		list = "Id"
	}
	text := "SELECT " + list + " FROM " + name + " " + clauses
	parsed, err := soql.Parse(text)
	if err != nil {
		return sought{}, err
	}
	q, err := c.binder(text, false).bind(parsed)
	if err == nil && q.groups != nil {
		err = plain(http.StatusBadRequest, "MALFORMED_SEARCH", "aggregates are not allowed in a search")
	}
	return sought{q}, err
}

func indexWord(s, word string) int {
	upper := strings.ToUpper(s)
	for at := 0; ; {
		i := strings.Index(upper[at:], word)
		if i < 0 {
			return -1
		}
		i += at
		if (i == 0 || upper[i-1] == ' ') && i+len(word) < len(s) && s[i+len(word)] == ' ' {
			return i
		}
		at = i + 1
	}
}

// searched runs the search and writes the records.
func (c *call) searched(phrase, group string, targets []sought, limit int) (*reply, error) {
	phrase = strings.TrimSpace(phrase)
	if len([]rune(strings.Trim(phrase, `*?"`))) < 2 {
		return nil, plain(http.StatusBadRequest, "MALFORMED_SEARCH", "search term must be longer than one character: "+phrase)
	}
	words := searchWords(phrase)
	b := []byte(`[`)
	n := 0
	for _, t := range targets {
		fields := searchFields(t.query.object, c.server.access(c.user, t.query.object), group)
		inner := *t.query
		where := inner.where
		inner.where = func(r *row) bool { return (where == nil || where(r)) && found(r, fields, words) }
		for _, r := range inner.rows() {
			if n == limit {
				break
			}
			if n > 0 {
				b = append(b, ',')
			}
			b = inner.selection.append(b, r, inner.object)
			n++
		}
	}
	b = append(b, ']')
	if c.version < 37 {
		return answer(http.StatusOK, b), nil
	}
	return answer(http.StatusOK, append(append([]byte(`{"searchRecords":`), b...), '}')), nil
}

// searchWords splits a search into lower-case words; a quoted phrase is one.
func searchWords(phrase string) []string {
	phrase = strings.ToLower(strings.NewReplacer(`\`, "").Replace(phrase))
	var words []string
	for i, piece := range strings.Split(phrase, `"`) {
		if i%2 == 1 {
			words = append(words, piece)
			continue
		}
		for w := range strings.FieldsSeq(piece) {
			if w != "and" {
				words = append(words, w)
			}
		}
	}
	return words
}

// parameterizedSearch is the search without its own language.
func (c *call) parameterizedSearch() (*reply, error) {
	phrase, limit := c.query.Get("q"), searchLimit
	var specs []string
	shown := c.query.Get("fields")
	if c.method == http.MethodPost {
		n, problem := c.bodyObject()
		if problem != nil {
			return nil, problem
		}
		phrase = n.get("q").str()
		if v, err := strconv.Atoi(n.get("overallLimit").str()); err == nil {
			limit = min(v, searchLimit)
		}
		shown = strings.Join(n.get("fields").texts(), ",")
		if list := n.get("sobjects"); list != nil {
			for _, o := range list.items {
				fields := strings.Join(o.get("fields").texts(), ",")
				if fields == "" {
					fields = shown
				}
				where, top := o.get("where").str(), o.get("limit").str()
				if where != "" {
					fields += " WHERE " + where
				}
				if top != "" {
					fields += " LIMIT " + top
				}
				specs = append(specs, o.get("name").str()+"("+fields+")")
			}
		}
	} else {
		for _, name := range splitList(c.query.Get("sobject")) {
			specs = append(specs, name+"("+shown+")")
		}
		if v, err := strconv.Atoi(c.query.Get("overallLimit")); err == nil {
			limit = min(v, searchLimit)
		}
	}
	if specs == nil {
		for _, name := range c.server.names {
			if o := c.server.object(name); o.searchable && c.server.access(c.user, o).Read {
				specs = append(specs, name+"("+shown+")")
			}
		}
	}
	var targets []sought
	for _, spec := range specs {
		t, err := c.returning(spec)
		if err != nil {
			return nil, queryFailure(err)
		}
		targets = append(targets, t)
	}
	return c.searched(phrase, "ALL", targets, limit)
}

// texts lists the texts of an array.
func (n *node) texts() []string {
	if n == nil {
		return nil
	}
	var list []string
	for _, item := range n.items {
		list = append(list, item.str())
	}
	return list
}
