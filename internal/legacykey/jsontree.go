package legacykey

import (
	"encoding/json"
	"strings"
)

// node is a JSON value that knows where it stands, so that one value can be
// changed and every other byte be kept.
type node struct {
	// kind is one of { [ " and 0 for numbers, true, false and null.
	kind       byte
	start, end int
	members    []member // of an object
	items      []*node  // of an array
}

// member is a name and its value.
type member struct {
	name  string
	start int // of the name's quote
	value *node
}

// jsonDepth bounds how deep values may be nested.
const jsonDepth = 500

// parseJSON reads a whole document; nil when it is none.
func parseJSON(src []byte) *node {
	p := &jsonParser{src: src}
	root := p.value(0)
	p.blank()
	if root == nil || p.at != len(src) {
		return nil
	}
	return root
}

type jsonParser struct {
	src []byte
	at  int
}

func (p *jsonParser) blank() {
	if p.at == 0 && strings.HasPrefix(string(p.src[:min(3, len(p.src))]), "\ufeff") {
		p.at = 3
	}
	for p.at < len(p.src) && (p.src[p.at] == ' ' || p.src[p.at] == '\t' || p.src[p.at] == '\n' || p.src[p.at] == '\r') {
		p.at++
	}
}

func (p *jsonParser) eat(c byte) bool {
	p.blank()
	if p.at < len(p.src) && p.src[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *jsonParser) value(depth int) *node {
	p.blank()
	if p.at >= len(p.src) || depth > jsonDepth {
		return nil
	}
	n := &node{start: p.at}
	switch c := p.src[p.at]; c {
	case '{':
		n.kind = c
		p.at++
		if p.eat('}') {
			break
		}
		for {
			p.blank()
			start := p.at
			name, ok := p.text()
			if !ok || !p.eat(':') {
				return nil
			}
			v := p.value(depth + 1)
			if v == nil {
				return nil
			}
			n.members = append(n.members, member{name, start, v})
			if p.eat('}') {
				break
			}
			if !p.eat(',') {
				return nil
			}
		}
	case '[':
		n.kind = c
		p.at++
		if p.eat(']') {
			break
		}
		for {
			v := p.value(depth + 1)
			if v == nil {
				return nil
			}
			n.items = append(n.items, v)
			if p.eat(']') {
				break
			}
			if !p.eat(',') {
				return nil
			}
		}
	case '"':
		n.kind = c
		if _, ok := p.text(); !ok {
			return nil
		}
	default:
		for p.at < len(p.src) && !strings.ContainsRune(" \t\r\n,]}:\"[{", rune(p.src[p.at])) {
			p.at++
		}
		if !json.Valid(p.src[n.start:p.at]) {
			return nil
		}
	}
	n.end = p.at
	return n
}

// text reads a string and returns its value.
func (p *jsonParser) text() (string, bool) {
	if p.at >= len(p.src) || p.src[p.at] != '"' {
		return "", false
	}
	start := p.at
	escaped := false
	for p.at++; p.at < len(p.src); p.at++ {
		switch p.src[p.at] {
		case '\\':
			escaped = true
			p.at++
		case '"':
			p.at++
			if !escaped {
				return string(p.src[start+1 : p.at-1]), true
			}
			var s string
			if json.Unmarshal(p.src[start:p.at], &s) != nil {
				return "", false
			}
			return s, true
		}
	}
	return "", false
}

// text is the value of a string node, "" for any other.
func (n *node) text(src []byte) string {
	if n == nil || n.kind != '"' {
		return ""
	}
	raw := src[n.start:n.end]
	if !strings.Contains(string(raw), `\`) {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

// get returns the value of a member, nil when there is none.
func (n *node) get(names ...string) *node {
	for _, name := range names {
		if n == nil {
			return nil
		}
		var found *node
		for i := range n.members {
			if n.members[i].name == name {
				found = n.members[i].value
			}
		}
		n = found
	}
	return n
}

// child is the text of a member.
func (n *node) child(src []byte, name string) string { return n.get(name).text(src) }
