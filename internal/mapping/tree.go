package mapping

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Bounds of a file, far above what a person writes.
const (
	maxFileBytes = 1 << 20
	maxNodes     = 100_000
	maxDepth     = 32
)

// tree checks a yaml document against the shape, node by node.
type tree struct {
	problems *Problems
	visited  int
	full     bool
}

func at(n *yaml.Node) Pos { return Pos{Line: n.Line, Column: n.Column} }

// resolve follows aliases. They may not nest without end: maxDepth and
// maxNodes bound what a small file can grow to.
func resolve(n *yaml.Node) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.AliasNode && i < maxDepth; i++ {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// check reports whatever about n does not fit f. path is for messages.
func (t *tree) check(n *yaml.Node, f form, path string, depth int) {
	pos := at(n)
	if t.visited++; t.visited > maxNodes || depth > maxDepth {
		if !t.full {
			t.problems.errorf(pos, "yaml.too-large", "write repeated parts out, or split the file", "the file is nested too deeply or grows too large through aliases")
		}
		t.full = true
		return
	}
	if n = resolve(n); n.Kind == yaml.AliasNode {
		t.problems.errorf(pos, "yaml.too-large", "write the value out", "%s is an alias of an alias without end", path)
		return
	}
	switch f.kind {
	case formGroup:
		t.group(n, f.keys, path, depth)
	case formList:
		if n.Kind != yaml.SequenceNode {
			t.wrong(pos, n, path, "a list", "start each entry with a dash, or write [ … ]")
			return
		}
		for i, item := range n.Content {
			t.check(item, *f.items, fmt.Sprintf("%s[%d]", path, i+1), depth+1)
		}
	case formTable:
		t.table(n, path, depth)
	case formEither:
		t.check(n, pick(n, f), path, depth)
	default:
		t.scalar(n, f, path)
	}
}

// pick chooses the alternative whose outer form fits the node.
func pick(n *yaml.Node, f form) form {
	for _, alternative := range f.either {
		switch {
		case n.Kind == yaml.MappingNode && (alternative.kind == formGroup || alternative.kind == formTable),
			n.Kind == yaml.SequenceNode && alternative.kind == formList,
			n.Kind == yaml.ScalarNode && alternative.kind != formGroup && alternative.kind != formTable && alternative.kind != formList:
			return alternative
		}
	}
	return f.either[0]
}

func (t *tree) group(n *yaml.Node, keys []key, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		t.wrong(at(n), n, path, "a group of keys", "write "+keys[0].name+": … below it")
		return
	}
	seen := map[string]Pos{}
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if t.repeated(seen, name, path) {
			continue
		}
		k := find(keys, name.Value)
		if k == nil {
			mend := didYouMean(name.Value, names)
			if mend == "" {
				mend = "the keys here are " + strings.Join(names, ", ")
			}
			if name.Value == "<<" {
				mend = "merge keys are not read here; write the keys out"
			}
			t.problems.errorf(at(name), "yaml.unknown-key", mend, "%s is not a key of %s", name.Value, path)
			continue
		}
		t.check(value, k.form, join(path, k.name), depth+1)
	}
	for _, k := range keys {
		if _, ok := seen[k.name]; k.required && !ok {
			t.problems.errorf(at(n), "yaml.missing-key", "add "+k.name+": "+orDots(k.form.example), "%s lacks %s", path, k.name)
		}
	}
}

func (t *tree) repeated(seen map[string]Pos, name *yaml.Node, path string) bool {
	if first, ok := seen[name.Value]; ok {
		t.problems.errorf(at(name), "yaml.duplicate-key", "keep one of the two", "%s stands twice in %s, first in line %d", name.Value, path, first.Line)
		return true
	}
	seen[name.Value] = at(name)
	return false
}

func (t *tree) table(n *yaml.Node, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		t.wrong(at(n), n, path, "a table", "write {HUBSPOT_VALUE: Salesforce value, …}")
		return
	}
	seen := map[string]Pos{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if name.Kind != yaml.ScalarNode || isNull(name) {
			t.problems.errorf(at(name), "yaml.wrong-type", `a value on the left is one text; put it in quotes: "null"`, "%s has an entry without a HubSpot value", path)
			continue
		}
		if !t.repeated(seen, name, path) {
			t.check(value, text("Salesforce value"), join(path, name.Value), depth+1)
		}
	}
}

var (
	limitPattern = regexp.MustCompile(`^([0-9]{1,9}|[0-9]{1,3}(\.[0-9]{1,3})?%)$`)
	sharePattern = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,3})?%$`)
)

// Bounds of `every`.
const (
	minEvery = time.Second
	maxEvery = 24 * time.Hour
)

func (t *tree) scalar(n *yaml.Node, f form, path string) {
	pos := at(n)
	if n.Kind != yaml.ScalarNode {
		t.wrong(pos, n, path, "one value", "write "+orDots(f.example))
		return
	}
	if isNull(n) || strings.TrimSpace(n.Value) == "" {
		mend := "write " + orDots(f.example) + ", or take the line out"
		if n.Value == "null" || n.Value == "~" {
			mend = `if the word itself is meant, put it in quotes: "` + n.Value + `"`
		}
		t.problems.errorf(pos, "yaml.wrong-type", mend, "%s is empty", path)
		return
	}
	switch f.kind {
	case formEnum:
		for _, o := range f.options {
			if n.Value == o {
				return
			}
		}
		mend := didYouMean(n.Value, f.options)
		if mend == "" {
			mend = "write one of " + strings.Join(f.options, ", ")
		}
		t.problems.errorf(pos, "yaml.bad-value", mend, "%s is %s, which it cannot be", path, quoteShort(n.Value))
	case formBool:
		if n.Value != "true" && n.Value != "false" {
			t.problems.errorf(pos, "yaml.bad-value", "write true or false", "%s is %s, which is neither true nor false", path, quoteShort(n.Value))
		}
	case formDuration:
		if d, err := time.ParseDuration(n.Value); err != nil || d < minEvery || d > maxEvery {
			t.problems.errorf(pos, "yaml.bad-value", "write a time such as 30s, 1m or 2h, from 1s to 24h", "%s is %s, which is no such time", path, quoteShort(n.Value))
		}
	case formShare:
		if !sharePattern.MatchString(n.Value) || percent(n.Value) > 1 || percent(n.Value) == 0 {
			t.problems.errorf(pos, "yaml.bad-value", "write a share such as 60%, above 0% and at most 100%", "%s is %s, which is no share", path, quoteShort(n.Value))
		}
	case formLimit:
		if !limitPattern.MatchString(n.Value) || strings.HasSuffix(n.Value, "%") && percent(n.Value) > 1 {
			t.problems.errorf(pos, "yaml.bad-value", "write a number of records such as 500, or a share such as 20%", "%s is %s, which is no limit", path, quoteShort(n.Value))
		}
	}
}

// percent reads "20%" as 0.2; what is no share reads as 0.
func percent(s string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil {
		return 0
	}
	return v / 100
}

func (t *tree) wrong(pos Pos, n *yaml.Node, path, want, mend string) {
	got := map[yaml.Kind]string{yaml.ScalarNode: "one value", yaml.SequenceNode: "a list", yaml.MappingNode: "a group of keys"}[n.Kind]
	if n.Kind == yaml.ScalarNode && isNull(n) {
		got = "empty"
	}
	t.problems.errorf(pos, "yaml.wrong-type", mend, "%s is %s, and should be %s", path, got, want)
}

func find(keys []key, name string) *key {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "the file" {
		return name
	}
	return path + "." + name
}

func orDots(example string) string {
	if example == "" {
		return "…"
	}
	return example
}
