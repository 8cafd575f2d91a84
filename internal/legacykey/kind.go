package legacykey

import (
	"path"
	"strings"
)

// kind is what a file is written in.
type kind string

const (
	kindOther      kind = ""
	kindJavaScript kind = "javascript"
	kindPython     kind = "python"
	kindGo         kind = "go"
	kindPHP        kind = "php"
	kindRuby       kind = "ruby"
	kindCSharp     kind = "csharp"
	kindJava       kind = "java"
	kindShell      kind = "shell"
	kindEnv        kind = "env"
	kindYAML       kind = "yaml"
	kindSettings   kind = "settings" // ini, toml, properties, tfvars
	kindTerraform  kind = "terraform"
	kindJSON       kind = "json"
	kindNotebook   kind = "notebook"
	kindBruno      kind = "bruno"
	kindProse      kind = "prose"
	kindHistory    kind = "shell history"
)

var kindByEnding = map[string]kind{
	".js": kindJavaScript, ".mjs": kindJavaScript, ".cjs": kindJavaScript, ".ts": kindJavaScript, ".tsx": kindJavaScript,
	".jsx": kindJavaScript, ".mts": kindJavaScript, ".cts": kindJavaScript, ".vue": kindJavaScript, ".svelte": kindJavaScript,
	".py": kindPython, ".pyw": kindPython, ".go": kindGo, ".php": kindPHP, ".phtml": kindPHP, ".inc": kindPHP,
	".rb": kindRuby, ".rake": kindRuby, ".erb": kindRuby, ".cs": kindCSharp, ".java": kindJava, ".kt": kindJava,
	".sh": kindShell, ".bash": kindShell, ".zsh": kindShell, ".ksh": kindShell,
	".env": kindEnv, ".yml": kindYAML, ".yaml": kindYAML, ".ini": kindSettings, ".toml": kindSettings, ".cfg": kindSettings,
	".conf": kindSettings, ".properties": kindSettings, ".tf": kindTerraform, ".tfvars": kindTerraform, ".hcl": kindTerraform,
	".json": kindJSON, ".har": kindJSON, ".ipynb": kindNotebook, ".bru": kindBruno,
	".md": kindProse, ".markdown": kindProse, ".rst": kindProse, ".adoc": kindProse, ".txt": kindProse, ".mdx": kindProse,
}

// kindOf tells what a file is from its name.
func kindOf(file string) kind {
	base := strings.ToLower(path.Base(file))
	switch {
	case base == ".env" || strings.HasPrefix(base, ".env.") || base == ".envrc" || base == "env.example" || base == "env.sample":
		return kindEnv
	case strings.HasSuffix(base, "_history") || strings.HasSuffix(base, ".history") || base == "consolehost_history.txt":
		return kindHistory
	case base == "jenkinsfile" || strings.HasSuffix(base, ".groovy") || strings.HasSuffix(base, ".gradle"):
		return kindJava
	case base == "gemfile" || base == "rakefile":
		return kindRuby
	case base == "dockerfile" || strings.HasPrefix(base, "dockerfile.") || base == "makefile" || base == "justfile":
		return kindOther
	}
	return kindByEnding[path.Ext(base)]
}

// isSettings tells whether a file gives names values and does nothing else.
func (k kind) isSettings() bool {
	switch k {
	case kindEnv, kindYAML, kindSettings, kindTerraform, kindJSON:
		return true
	}
	return false
}
