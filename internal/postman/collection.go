package postman

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Schema is the format of Collection.
// https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/index.html
const Schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

// Collection is a Postman collection of format 2.1, as far as we write it.
type Collection struct {
	Info     Info       `json:"info"`
	Items    []*Item    `json:"item"`
	Variable []Variable `json:"variable,omitempty"`
	// LeftOut is what the mapping says and the collection cannot; it is in the
	// descriptions, too.
	LeftOut []LeftOut `json:"-"`
}

// Info names a collection.
type Info struct {
	ID          string `json:"_postman_id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Schema      string `json:"schema"`
}

// Item is a request, or a folder when Items is set.
type Item struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Items       []*Item  `json:"item,omitempty"`
	Events      []Event  `json:"event,omitempty"`
	Request     *Request `json:"request,omitempty"`
	// Response is what Postman has saved of answers: nothing.
	Response []struct{} `json:"response,omitzero"`
}

// Event is a script that runs before or after a request.
type Event struct {
	// Listen is "prerequest" or "test".
	Listen string `json:"listen"`
	Script Script `json:"script"`
}

// Script is JavaScript, line by line.
type Script struct {
	ID   string   `json:"id"`
	Type string   `json:"type"`
	Exec []string `json:"exec"`
}

// Request is one call.
type Request struct {
	Method      string     `json:"method"`
	Auth        *Auth      `json:"auth,omitempty"`
	Header      []Variable `json:"header"`
	Body        *Body      `json:"body,omitempty"`
	URL         URL        `json:"url"`
	Description string     `json:"description,omitempty"`
}

// Auth is a bearer token, or "noauth".
type Auth struct {
	Type   string     `json:"type"`
	Bearer []Variable `json:"bearer,omitempty"`
}

// Body is raw JSON or a form.
type Body struct {
	Mode       string       `json:"mode"`
	Raw        string       `json:"raw,omitempty"`
	URLEncoded []Variable   `json:"urlencoded,omitempty"`
	Options    *BodyOptions `json:"options,omitempty"`
}

// BodyOptions say what raw text is.
type BodyOptions struct {
	Raw struct {
		Language string `json:"language"`
	} `json:"raw"`
}

// URL is an address, whole and taken apart.
type URL struct {
	Raw   string     `json:"raw"`
	Host  []string   `json:"host"`
	Path  []string   `json:"path,omitempty"`
	Query []Variable `json:"query,omitempty"`
}

// Variable is a key with its value: a variable, a header, a part of a form or of
// a query.
type Variable struct {
	Key         string `json:"key"`
	Value       string `json:"value"`
	Type        string `json:"type,omitempty"`
	Description string `json:"description,omitempty"`
}

// LeftOut is one thing that the mapping says and the collection cannot.
type LeftOut struct {
	// Object is our name of the mapping's object.
	Object string `json:"object"`
	// What is left out ("field Region__c"), and Why, each a part of a sentence.
	What string `json:"what"`
	Why  string `json:"why"`
}

// String is one line for people.
func (l LeftOut) String() string { return l.Object + ": " + l.What + " is left out: " + l.Why }

// Environment is a Postman environment.
type Environment struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Values []Value `json:"values"`
	Scope  string  `json:"_postman_variable_scope"`
}

// Value is one variable of an Environment.
type Value struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	// Type is "secret" or "default".
	Type        string `json:"type"`
	Enabled     bool   `json:"enabled"`
	Description string `json:"description,omitempty"`
}

// Put gives a variable its value, and adds it where the environment has none of
// that name. A secret is marked as one.
func (e *Environment) Put(key, value string, secret bool) {
	kind := "default"
	if secret {
		kind = secretType
	}
	for i := range e.Values {
		if e.Values[i].Key == key {
			e.Values[i].Value, e.Values[i].Type, e.Values[i].Enabled = value, kind, true
			return
		}
	}
	e.Values = append(e.Values, Value{Key: key, Value: value, Type: kind, Enabled: true})
}

// Secrets returns the values of the variables of type "secret" that have one.
func (e *Environment) Secrets() []string {
	var out []string
	for _, v := range e.Values {
		if v.Type == secretType && v.Value != "" {
			out = append(out, v.Value)
		}
	}
	return out
}

const secretType = "secret"

// JSON is the text of a collection or an environment, as Postman writes its
// exports: indented by tabs.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return b.Bytes(), nil
}

// Requests returns all requests in the order in which they run.
func (c *Collection) Requests() []*Item {
	var out []*Item
	var walk func(items []*Item)
	walk = func(items []*Item) {
		for _, item := range items {
			if item.Request != nil {
				out = append(out, item)
			}
			walk(item.Items)
		}
	}
	walk(c.Items)
	return out
}

// identify gives everything an id that follows from its place and name, so that
// the same mapping gives the same file.
func (c *Collection) identify() {
	c.Info.ID = hashID("collection", c.Info.Name)
	var walk func(path string, items []*Item)
	walk = func(path string, items []*Item) {
		for _, item := range items {
			place := path + "\x00" + item.Name
			item.ID = hashID("item", place)
			for i := range item.Events {
				item.Events[i].Script.ID = hashID("script", place, item.Events[i].Listen)
			}
			walk(place, item.Items)
		}
	}
	walk(c.Info.Name, c.Items)
}

// hashID is an id in the form of a UUID of version 8, made of its parts.
func hashID(parts ...string) string {
	sum := sha256.Sum256([]byte("lockstep\x00" + strings.Join(parts, "\x00")))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
