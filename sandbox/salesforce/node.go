package salesforce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// node is one value of a request body, with its members in the order sent.
type node struct {
	kind    byte   // as jsontext: 'n' 't' 'f' '"' '0' '{' '['
	text    string // of strings, numbers as sent
	members []member
	items   []*node
	end     int64 // offset just past it in the body
}

type member struct {
	name string
	node *node
}

// parseBody reads a whole body as JSON.
func parseBody(body []byte) (*node, *failure) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	n, err := readNode(decoder)
	if err == nil {
		if _, more := decoder.ReadToken(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		if len(bytes.TrimSpace(body)) == 0 {
			return nil, plain(http.StatusBadRequest, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.")
		}
		line, column := position(body, decoder.InputOffset())
		return nil, plain(http.StatusBadRequest, "JSON_PARSER_ERROR", fmt.Sprintf("Unexpected character or end of input at [line:%d, column:%d]", line, column))
	}
	return n, nil
}

func readNode(d *jsontext.Decoder) (*node, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	n := &node{kind: byte(t.Kind())}
	switch n.kind {
	case '"', '0':
		n.text = t.String()
	case '{':
		for d.PeekKind() != '}' {
			name, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			m := member{name: name.String()}
			if m.node, err = readNode(d); err != nil {
				return nil, err
			}
			n.members = append(n.members, m)
		}
		_, err = d.ReadToken()
	case '[':
		for d.PeekKind() != ']' {
			item, err := readNode(d)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		_, err = d.ReadToken()
	}
	n.end = d.InputOffset()
	return n, err
}

// position gives line and column, from 1, of an offset.
func position(body []byte, offset int64) (line, column int) {
	offset = min(offset, int64(len(body)))
	before := body[:offset]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// get finds a member by name, in any case.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	for _, m := range n.members {
		if m.name == name || strings.EqualFold(m.name, name) {
			return m.node
		}
	}
	return nil
}

func (n *node) isNull() bool { return n == nil || n.kind == 'n' }

// str is the text of a string or number, "" for anything else.
func (n *node) str() string {
	if n == nil || n.kind != '"' && n.kind != '0' {
		return ""
	}
	return n.text
}

// truth reads true, "true" and 1.
func (n *node) truth() bool {
	return n != nil && (n.kind == 't' || strings.EqualFold(n.text, "true"))
}

// typeName is the attributes.type of a record.
func (n *node) typeName() string { return n.get("attributes").get("type").str() }

// literal is the value as the platform's messages show it.
func (n *node) literal() string {
	switch n.kind {
	case 't':
		return "true"
	case 'f':
		return "false"
	case 'n':
		return "null"
	}
	return n.text
}

// token is the name that the platform's JSON reader gives the value's kind.
func (n *node) token() string {
	switch n.kind {
	case 't':
		return "VALUE_TRUE"
	case 'f':
		return "VALUE_FALSE"
	case '0':
		if strings.ContainsAny(n.text, ".eE") {
			return "VALUE_NUMBER_FLOAT"
		}
		return "VALUE_NUMBER_INT"
	case '{':
		return "START_OBJECT"
	case '[':
		return "START_ARRAY"
	}
	return "VALUE_STRING"
}
