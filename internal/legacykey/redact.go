package legacykey

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// shownOfSecret is how many characters of a secret an excerpt shows: enough for
// "pat-na1", so that a person can tell which one is meant.
const shownOfSecret = 7

// excerptBytes is the longest line that is shown whole.
const excerptBytes = 160

var (
	// secretForms are texts that are secret whatever stands around them. Uuids
	// belong here: an API key is nothing but one.
	secretForms = regexp.MustCompile(`(?i)pat-[a-z]{2,4}[0-9]{1,2}-[0-9a-z-]{8,}` +
		`|\b[a-z]{2,4}[0-9]-[0-9a-f]{4,8}-[0-9a-f-]{20,}` +
		`|\b[0-9a-f]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{12}\b` +
		`|\b00D[0-9a-z]{12,15}![0-9a-z._]{8,}` +
		`|\b5Aep[0-9a-z._]{16,}` +
		`|\bey[a-z0-9_-]{8,}\.[a-z0-9_-]{8,}\.[a-z0-9_-]{8,}` +
		`|\b[0-9a-f]{32,}\b` +
		`|\b[a-z0-9+/_-]{48,}={0,2}`)
	// namedSecrets are values that a name beside them tells to be secret.
	namedSecrets = regexp.MustCompile(`(?i)((?:hapikey|api[_-]?key|token|secret|passw(?:or)?d|passwd|pwd|personal[_-]?access[_-]?key)(?:["'\x60\]]+\s*(?:=>|:=|[:=,])|\s*(?:=>|:=|[:=]))\s*(?:[frb]?["'\x60])?(?:bearer\s+)?|bearer\s+)([^\s"'\x60&,;(){}<>\[\]$]{4,})`)
	// stringLiterals are all texts between quotes, for calls that take a password
	// by its place.
	stringLiterals = regexp.MustCompile(`"[^"\n]*"|'[^'\n]*'|\x60[^\x60\n]*\x60`)
)

// redactSecret cuts a secret to its first characters.
func redactSecret(secret string) string {
	return secret[:min(shownOfSecret, len(secret)/4)] + "…"
}

// redact takes every secret out of a line.
func redact(line string, literals bool) string {
	if literals {
		line = stringLiterals.ReplaceAllStringFunc(line, func(s string) string { return s[:1] + "…" + s[len(s)-1:] })
	}
	line = secretForms.ReplaceAllStringFunc(line, redactSecret)
	return namedSecrets.ReplaceAllStringFunc(line, func(s string) string {
		m := namedSecrets.FindStringSubmatch(s)
		if strings.Contains(m[2], "…") || plainWord(m[2]) {
			return s
		}
		return m[1] + "…"
	})
}

// plainWord tells where a value comes from a name instead of standing there.
func plainWord(text string) bool {
	for _, lead := range []string{"process.env", "os.", "ENV", "System.", "Environment.", "config", "env.", "self.", "this.", "getenv", "import.meta", "Bearer", "require", "secrets.", "var."} {
		if strings.HasPrefix(text, lead) {
			return true
		}
	}
	return false
}

// excerpt shows the line of text around start, redacted and not too long.
func excerpt(text []byte, start, end int, literals bool) string {
	from, to := lineStart(text, start), lineEnd(text, start)
	// The secrets are taken out of more than is shown, so that none is cut in two
	// and then not recognised.
	const margin = 1 << 10
	from, to = max(from, start-margin), min(to, max(end, start)+margin)
	from, to = min(from, to), max(from, to)
	head := redact(string(text[from:start]), literals)
	line := redact(string(text[from:to]), literals)
	line = strings.Join(strings.Fields(strings.ToValidUTF8(line, "�")), " ")
	if len(line) <= excerptBytes {
		return line
	}
	at := max(0, min(len(head)-excerptBytes/3, len(line)-excerptBytes))
	for at > 0 && at < len(line) && !utf8.RuneStart(line[at]) {
		at--
	}
	till := min(len(line), at+excerptBytes)
	for till < len(line) && !utf8.RuneStart(line[till]) {
		till--
	}
	cut := line[at:till]
	if at > 0 {
		cut = "…" + cut
	}
	if till < len(line) {
		cut += "…"
	}
	return cut
}

func lineStart(text []byte, at int) int {
	for at > 0 && text[at-1] != '\n' {
		at--
	}
	return at
}

func lineEnd(text []byte, at int) int {
	for at < len(text) && text[at] != '\n' {
		at++
	}
	return at
}
