package legacykey

import (
	"regexp"
	"strings"
)

const envInstruction = "# the token of a HubSpot service key (Development > Keys > Service keys), which begins with pat-"

var (
	envKey     = regexp.MustCompile(`(?i)^(\s*(?:export\s+)?)((?:\w*_)?(?:hapikey|hubspot_hapikey|hubspot_api_?key))(\s*=\s*)(.*)$`)
	envToken   = regexp.MustCompile(`(?m)^\s*(?:export\s+)?` + tokenName + `\s*=`)
	yamlKey    = regexp.MustCompile(`^(\s*(?:-\s+)?)(HAPIKEY|HUBSPOT_HAPIKEY|HUBSPOT_API_?KEY)(\s*:\s*)(.*)$`)
	yamlList   = regexp.MustCompile(`^(\s*-\s*["']?)(HAPIKEY|HUBSPOT_HAPIKEY|HUBSPOT_API_?KEY)(=)(.*)$`)
	yamlLookUp = regexp.MustCompile(`^["']?\$\{\{\s*(secrets|vars|env)\.(\w+)\s*\}\}["']?$`)
	yamlShell  = regexp.MustCompile(`^["']?\$\{?(HAPIKEY|HUBSPOT_HAPIKEY|HUBSPOT_API_?KEY)\}?["']?$`)
	blockStart = regexp.MustCompile(`(?::|^\s*-)\s*[|>][+-]?\d?\s*$`)
)

const holdsUnknown = "whether this setting holds a key or already a token is not seen here: look, and name it " + tokenName

// surelyKey tells whether a setting holds the key: by its name, by its value, or
// because the file uses the key.
func surelyKey(text, name, value string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(strings.ToLower(name), "hapikey") || uuidForm.MatchString(value) && !strings.Contains(value, "pat-") || strings.Contains(lower, "hapikey=")
}

// rewriteEnv gives a setting that held the key the token's name and no value: a
// token cannot be made out of a key.
func rewriteEnv(text string) (after, why string) {
	lines := strings.Split(text, "\n")
	if envToken.MatchString(text) {
		return text, tokenName + " is set here already: delete the line of the key"
	}
	done := false
	for i, line := range lines {
		m := envKey.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if !surelyKey(text, m[2], m[4]) {
			return text, holdsUnknown
		}
		if done {
			return text, "the key is set twice in this file"
		}
		done = true
		lines[i] = envInstruction + "\n" + m[1] + tokenName + m[3]
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n"), ""
}

// rewriteYAML renames the variable of a CI or compose file, and rewrites curl
// commands in blocks of script.
func rewriteYAML(text string) (after, why string) {
	lines := strings.Split(text, "\n")
	blocks := map[int]bool{}
	for i := 0; i < len(lines); i++ {
		if !blockStart.MatchString(lines[i]) {
			continue
		}
		deep := indentation([]byte(lines[i]))
		if strings.Contains(lines[i], ":") {
			deep = indentation([]byte(strings.Replace(lines[i], "- ", "  ", 1)))
		}
		for i+1 < len(lines) && (strings.TrimSpace(lines[i+1]) == "" || indentation([]byte(lines[i+1])) > deep) {
			i++
			blocks[i] = true
		}
	}
	after, why = rewriteShell(text, blocks)
	renamed := strings.Split(after, "\n")
	if len(renamed) != len(lines) {
		return after, why // lines went; their numbers are no longer those of blocks
	}
	for i, line := range renamed {
		if blocks[i] {
			continue
		}
		m := yamlKey.FindStringSubmatch(line)
		if m == nil {
			m = yamlList.FindStringSubmatch(line)
		}
		if m == nil || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if !surelyKey(text, m[2], m[4]) {
			why = holdsUnknown
			continue
		}
		if strings.Contains(after, "hapikey=") {
			why = orText(why, "a command in this file still uses the key: inside a plain YAML text a header's colon needs quotes")
			continue
		}
		value, comment := m[4], ""
		if at := strings.Index(value, " #"); at >= 0 {
			value, comment = value[:at], value[at:]
		}
		trimmed := strings.TrimSpace(value)
		switch {
		case yamlLookUp.MatchString(trimmed):
			found := yamlLookUp.FindStringSubmatch(trimmed)
			value = strings.Replace(value, found[1]+"."+found[2], found[1]+"."+tokenName, 1)
		case yamlShell.MatchString(trimmed):
			value = strings.Replace(value, yamlShell.FindStringSubmatch(trimmed)[1], tokenName, 1)
		case strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "&") || strings.HasPrefix(trimmed, "!") || trimmed == "" && m[3] != "=":
			why = "what the setting holds is not understood"
			continue
		default:
			value = "${" + tokenName + "}"
			if m[3] != "=" {
				value = `"` + value + `"`
			}
			if strings.HasPrefix(strings.TrimSpace(m[1]), `- "`) {
				value += `"`
			} else if strings.HasPrefix(strings.TrimSpace(m[1]), `- '`) {
				value += `'`
			}
		}
		renamed[i] = m[1] + tokenName + m[3] + value + comment
	}
	return strings.Join(renamed, "\n"), why
}
