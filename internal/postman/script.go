package postman

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed scripts/*.js
var scripts embed.FS

// source returns one of the files of scripts.
func source(name string) string {
	text, err := scripts.ReadFile("scripts/" + name + ".js")
	if err != nil {
		panic(fmt.Sprintf("postman: no script %s: %v", name, err)) // a name that is not in this folder
	}
	return string(text)
}

// library is what the scripts of a transfer share.
func library() []string {
	return []string{source("values"), source("keys"), source("expressions")}
}

// constant writes a JavaScript constant.
func constant(name string, value any) string { return "const " + name + " = " + literal(value) }

// literal writes a value as JavaScript.
func literal(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("postman: %T is no JSON: %v", value, err)) // only our own plain types come here
	}
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}
