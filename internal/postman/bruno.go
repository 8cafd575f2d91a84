package postman

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Bruno writes a collection as the files of a Bruno folder: one .bru for each
// request and folder, and the environment with its secrets named and not filled.
// Keys are paths with slashes, below the folder. The scripts are the same, with
// Postman's words said in Bruno's before them.
// https://docs.usebruno.com/bru-lang/overview
func Bruno(collection *Collection, environment *Environment) map[string][]byte {
	b := &bruno{files: map[string][]byte{}}
	b.files["bruno.json"] = []byte(fmt.Sprintf("{\n  \"version\": \"1\",\n  \"name\": %s,\n  \"type\": \"collection\",\n  \"ignore\": [\"node_modules\", \".git\"]\n}\n", literal(collection.Info.Name)))
	b.files["collection.bru"] = []byte(block("docs", collection.Info.Description))
	b.files["environments/"+fileName(environment.Name)+".bru"] = []byte(brunoEnvironment(environment))
	b.items("", collection.Items)
	return b.files
}

type bruno struct {
	files map[string][]byte
}

func (b *bruno) items(dir string, items []*Item) {
	for i, item := range items {
		place := path.Join(dir, fileName(item.Name))
		if item.Request != nil {
			b.files[place+".bru"] = []byte(brunoRequest(item, i+1))
			continue
		}
		b.files[path.Join(place, "folder.bru")] = []byte(pairs("meta", [][2]string{{"name", item.Name}, {"seq", fmt.Sprint(i + 1)}}) + "\n" + block("docs", item.Description))
		b.items(place, item.Items)
	}
}

// fileName is a name that every file system takes.
func fileName(name string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"/\|?*`, r) || r < ' ' {
			return ' '
		}
		return r
	}, name)), " ")
}

// block is a part of a .bru file that holds text: each line is indented, so that
// only its own end stands at the beginning of a line.
func block(name, text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	var out strings.Builder
	out.WriteString(name + " {\n")
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if line != "" {
			out.WriteString("  " + line)
		}
		out.WriteByte('\n')
	}
	out.WriteString("}\n")
	return out.String()
}

// pairs is a part that holds names with values.
func pairs(name string, list [][2]string) string {
	lines := make([]string, len(list))
	for i, p := range list {
		lines[i] = p[0] + ": " + p[1]
	}
	return block(name, strings.Join(lines, "\n"))
}

func brunoEnvironment(e *Environment) string {
	var open [][2]string
	var secret []string
	for _, v := range e.Values {
		if v.Type == secretType {
			secret = append(secret, "  "+v.Key)
		} else {
			open = append(open, [2]string{v.Key, v.Value})
		}
	}
	return pairs("vars", open) + "vars:secret [\n" + strings.Join(secret, ",\n") + "\n]\n"
}

func brunoRequest(item *Item, seq int) string {
	r := item.Request
	parts := []string{pairs("meta", [][2]string{{"name", item.Name}, {"type", "http"}, {"seq", fmt.Sprint(seq)}})}
	body, auth := "none", "none"
	if r.Body != nil {
		// As text: Bruno would look into JSON that holds a variable.
		body = "text"
		if r.Body.Mode == "urlencoded" {
			body = "formUrlEncoded"
		}
	}
	if r.Auth != nil && r.Auth.Type == "bearer" {
		auth = "bearer"
	}
	parts = append(parts, pairs(strings.ToLower(r.Method), [][2]string{{"url", r.URL.Raw}, {"body", body}, {"auth", auth}}))
	if len(r.URL.Query) > 0 {
		parts = append(parts, pairs("params:query", keyed(r.URL.Query)))
	}
	if len(r.Header) > 0 {
		parts = append(parts, pairs("headers", keyed(r.Header)))
	}
	if auth == "bearer" {
		parts = append(parts, pairs("auth:bearer", [][2]string{{"token", r.Auth.Bearer[0].Value}}))
	}
	switch body {
	case "text":
		parts = append(parts, block("body:text", r.Body.Raw))
	case "formUrlEncoded":
		parts = append(parts, pairs("body:form-urlencoded", keyed(r.Body.URLEncoded)))
	}
	for _, event := range item.Events {
		script := strings.ReplaceAll(strings.Join(event.Script.Exec, "\n"), "console.log(", "talk.log(")
		if event.Listen == "prerequest" {
			parts = append(parts, block("script:pre-request", source("bruno")+source("bruno_before")+"\n"+script))
		} else {
			parts = append(parts, block("tests", source("bruno")+source("bruno_after")+"\n"+script))
		}
	}
	parts = append(parts, block("docs", r.Description))
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "\n")
}

func keyed(list []Variable) [][2]string {
	out := make([][2]string, len(list))
	for i, v := range list {
		out[i] = [2]string{v.Key, v.Value}
	}
	return out
}
