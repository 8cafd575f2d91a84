package postman_test

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/postman"
)

// blocks reads the outline of a .bru file: what stands before a { or [ at the
// beginning of a line, and the text up to the end that stands there as well.
func blocks(t *testing.T, name string, text []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	open := regexp.MustCompile(`^([a-z:-]+) ([{[])$`)
	current, end := "", ""
	for n, line := range strings.Split(string(text), "\n") {
		switch m := open.FindStringSubmatch(line); {
		case current == "" && line == "":
		case current == "" && m != nil:
			current, end = m[1], map[string]string{"{": "}", "[": "]"}[m[2]]
			out[current] = ""
		case current == "":
			t.Fatalf("%s:%d stands outside of a block: %s", name, n+1, line)
		case line == end:
			current = ""
		case line != "" && !strings.HasPrefix(line, "  "):
			t.Fatalf("%s:%d is not indented: %s", name, n+1, line)
		default:
			out[current] += strings.TrimPrefix(line, "  ") + "\n"
		}
	}
	if current != "" {
		t.Fatalf("%s: the block %s has no end", name, current)
	}
	return out
}

func TestBrunoHasTheSameRequests(t *testing.T) {
	collection, environment := exported(t, everything)
	files := postman.Bruno(collection, environment)
	byName := map[string]map[string]string{}
	for name, text := range files {
		if strings.ContainsAny(name, `<>:"|?*\`) {
			t.Errorf("%s is no name on every system", name)
		}
		if path.Ext(name) != ".bru" {
			continue
		}
		parts := blocks(t, name, text)
		if strings.HasPrefix(name, "environments/") {
			for _, secret := range []string{postman.HubSpotToken, postman.AccessToken, postman.SalesforceClientSecret} {
				if !strings.Contains(parts["vars:secret"], secret) || strings.Contains(parts["vars"], secret) {
					t.Errorf("%s is not kept as a secret", secret)
				}
			}
			continue
		}
		if meta, ok := parts["meta"]; ok && path.Base(name) != "folder.bru" {
			title, _, _ := strings.Cut(strings.TrimPrefix(meta, "name: "), "\n")
			byName[title] = parts
		}
	}
	for _, item := range collection.Requests() {
		parts, ok := byName[item.Name]
		if !ok {
			t.Errorf("%s is missing", item.Name)
			continue
		}
		call := parts[strings.ToLower(item.Request.Method)]
		if !strings.Contains(call, "url: "+item.Request.URL.Raw+"\n") {
			t.Errorf("%s: %q", item.Name, call)
		}
		if !strings.Contains(parts["tests"], "pm.test(") || strings.Contains(parts["tests"], " console.log(") && !strings.Contains(parts["tests"], "talk") {
			t.Errorf("%s: its tests are not there", item.Name)
		}
	}
	if len(byName) != len(collection.Requests()) {
		t.Errorf("%d requests, want %d", len(byName), len(collection.Requests()))
	}
}

// Bruno's safe mode reads scripts with a parser of ECMAScript 2018.
func TestScriptsAreWrittenInOldJavaScript(t *testing.T) {
	collection, _ := exported(t, everything)
	newer := regexp.MustCompile(`\?\?|\?\.[a-zA-Z\[(]|\d_\d|\b\d+n\b|\bcatch \{|\.replaceAll\(|\.matchAll\(|\?<[=!]|#[a-z]+\b.*=|\bstatic\b`)
	comment := regexp.MustCompile(`^\s*//`)
	for _, item := range collection.Requests() {
		for _, e := range item.Events {
			for n, line := range e.Script.Exec {
				if !comment.MatchString(line) && newer.MatchString(line) && !strings.Contains(line, `"`) {
					t.Errorf("%s, line %d of %s: %s", item.Name, n+1, e.Listen, line)
				}
			}
		}
	}
	if !slices.ContainsFunc(collection.Requests(), func(i *postman.Item) bool { return len(i.Events) == 2 }) {
		t.Error("no request has a script before it")
	}
}
