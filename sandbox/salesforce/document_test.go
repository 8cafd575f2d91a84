package salesforce

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// document is a parsed page. Selectors are words apart by blanks, each inside
// the one before: "main", "ul.scopes", "input[name=key]".
type document struct{ root *html.Node }

func parsePage(t testing.TB, text string) *document {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return &document{root}
}

var simpleSelector = regexp.MustCompile(`^([a-z0-9]*)(?:\.([a-zA-Z]+))?(?:\[([a-z-]+)(?:=(.*))?\])?$`)

func (d *document) find(selector string) []*html.Node {
	found := []*html.Node{d.root}
	for word := range strings.FieldsSeq(selector) {
		m := simpleSelector.FindStringSubmatch(word)
		var next []*html.Node
		for _, n := range found {
			for inner := range n.Descendants() {
				if inner.Type != html.ElementNode || m[1] != "" && inner.Data != m[1] {
					continue
				}
				value, has := attribute(inner, m[3])
				class, _ := attribute(inner, "class")
				if m[2] != "" && !strings.Contains(" "+class+" ", " "+m[2]+" ") || m[3] != "" && (!has || m[4] != "" && value != m[4]) {
					continue
				}
				next = append(next, inner)
			}
		}
		found = next
	}
	return found
}

// texts are the texts of all that a selector finds, blanks joined.
func (d *document) texts(selector string) []string {
	var list []string
	for _, n := range d.find(selector) {
		var b strings.Builder
		for inner := range n.Descendants() {
			if inner.Type == html.TextNode {
				b.WriteString(inner.Data)
			}
		}
		list = append(list, strings.Join(strings.Fields(b.String()), " "))
	}
	return list
}

// attribute is one of the first that a selector finds.
func (d *document) attribute(selector, name string) string {
	for _, n := range d.find(selector) {
		v, _ := attribute(n, name)
		return v
	}
	return ""
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}
