package mapping

import "encoding/json"

// JSONSchema is the JSON Schema (2020-12) of lockstep.yaml, for editors. It is
// made from the same description that Parse checks against.
func JSONSchema() []byte {
	root := schemaOf(group(fileKeys()))
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "lockstep.yaml"
	root["description"] = "What Lockstep keeps in step between a HubSpot and a Salesforce account."
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return append(out, '\n')
}

func schemaOf(f form) map[string]any {
	switch f.kind {
	case formEnum:
		return map[string]any{"enum": f.options}
	case formExpression:
		return map[string]any{"type": "string", "minLength": 1, "examples": []string{f.example}}
	case formDuration:
		return map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`, "examples": []string{f.example}}
	case formShare:
		return map[string]any{"type": "string", "pattern": sharePattern.String(), "examples": []string{f.example}}
	case formLimit:
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": 0},
			map[string]any{"type": "string", "pattern": limitPattern.String()},
		}}
	case formBool:
		return map[string]any{"type": "boolean"}
	case formGroup:
		properties, required := map[string]any{}, []string{}
		for _, k := range f.keys {
			p := schemaOf(k.form)
			p["description"] = k.doc
			properties[k.name] = p
			if k.required {
				required = append(required, k.name)
			}
		}
		out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
		if len(required) > 0 {
			out["required"] = required
		}
		return out
	case formList:
		return map[string]any{"type": "array", "items": schemaOf(*f.items)}
	case formTable:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(text(""))}
	case formEither:
		var choices []any
		for _, alternative := range f.either {
			choices = append(choices, schemaOf(alternative))
		}
		return map[string]any{"anyOf": choices}
	}
	// A text is taken as it is written, so 7 and true are texts, too.
	return map[string]any{"type": []string{"string", "number", "boolean"}}
}
