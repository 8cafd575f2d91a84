package mapping

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// SetWins returns the text of lockstep.yaml with another `wins` for one pair of
// fields of an object, named as in BoundObject.BaseNames ("phone/Phone").
// Nothing else of the text changes, comments and order included. The pair must
// have a `wins` that is written out; fault.Invalid otherwise.
func SetWins(src []byte, object, slot string, wins Winner) ([]byte, error) {
	node, err := winsNode(src, object, slot)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(src), "\n")
	line := lines[node.Line-1]
	// yaml counts columns in characters.
	start := len(string([]rune(line)[:node.Column-1]))
	if node.Style == yaml.DoubleQuotedStyle || node.Style == yaml.SingleQuotedStyle {
		start++
	}
	if !strings.HasPrefix(line[start:], node.Value) {
		return nil, cannotEdit(object, slot, wins)
	}
	lines[node.Line-1] = line[:start] + string(wins) + line[start+len(node.Value):]
	return []byte(strings.Join(lines, "")), nil
}

func cannotEdit(object, slot string, wins Winner) error {
	return fault.New(fault.Invalid, "`wins` of %s in %s is not written out where it could be changed", slot, object).
		WithMend("write wins: %s there yourself", wins)
}

// winsNode finds the value of `wins` in the text.
func winsNode(src []byte, object, slot string) (*yaml.Node, error) {
	problems := &Problems{}
	root := document(problems, src)
	if root == nil {
		return nil, problems
	}
	for _, o := range items(entry(root, "objects")) {
		if scalarOf(entry(o, "name")) != object {
			continue
		}
		for _, list := range []string{"fields", "associations"} {
			for _, f := range items(entry(o, list)) {
				if slotName(scalarOf(entry(f, "hubspot")), scalarOf(entry(f, "salesforce")), texts(entry(f, "on"))) != slot {
					continue
				}
				for i := 0; i+1 < len(f.Content); i += 2 {
					if n := f.Content[i+1]; f.Content[i].Value == "wins" && n.Kind == yaml.ScalarNode && n.Style != yaml.LiteralStyle && n.Style != yaml.FoldedStyle {
						return n, nil
					}
				}
				return nil, cannotEdit(object, slot, WinsHubSpot)
			}
		}
	}
	return nil, fault.New(fault.Invalid, "the mapping has no %s in %s any more", slot, object).WithMend("run `lockstep sync`, then look at `lockstep conflicts list` again")
}
