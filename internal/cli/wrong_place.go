package cli

import (
	"bytes"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/lockstep-sync/lockstep/internal/credential"
)

// hidden stands where a secret would be repeated.
const hidden = "[…]"

// whereSecretsGo are the variables whose value a message might repeat.
var whereSecretsGo = []string{
	"LOCKSTEP_HUBSPOT_TOKEN", "LOCKSTEP_HUBSPOT_URL", "LOCKSTEP_HUBSPOT_AUTHORIZE_URL", "LOCKSTEP_HUBSPOT_CLIENT_ID",
	"LOCKSTEP_HUBSPOT_CLIENT_SECRET", "LOCKSTEP_SALESFORCE_URL", "LOCKSTEP_SALESFORCE_CLIENT_ID", "LOCKSTEP_SALESFORCE_CLIENT_SECRET",
	"LOCKSTEP_KEY", "LOCKSTEP_KEY_FILE", "LOCKSTEP_KEY_NEXT", "LOCKSTEP_OLD_HAPIKEY",
}

// withoutPasted returns streams on which nothing is repeated of a command line
// or an environment that a secret was pasted into by mistake: whatever parser or
// library words the complaint, it ends in somebody's scrollback or CI log. What is
// written to one stream at once, by the log and by progress, comes out one after
// the other.
func (s Streams) withoutPasted(args []string) Streams {
	var secrets []string
	flag := ""
	for _, arg := range args {
		name, value, found := strings.Cut(arg, "=")
		if found && strings.HasPrefix(name, "-") && !strings.ContainsAny(name, " \n") {
			flag, arg = name, value
		}
		if flag != "--client-id" || !isClientID(arg) {
			secrets = append(secrets, secretParts(arg)...)
		}
		flag = arg
	}
	for _, name := range whereSecretsGo {
		if value := s.env(name); !strings.HasSuffix(name, "_CLIENT_ID") || !isClientID(value) {
			secrets = append(secrets, secretParts(value)...)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // the whole before its parts
	terminal := s.IsTerminal
	if terminal != nil {
		s.IsTerminal = func(stream any) bool {
			if m, masked := stream.(*masking); masked {
				stream = m.to
			}
			return terminal(stream)
		}
	}
	s.Out, s.Err = &masking{to: s.Out, secrets: secrets}, &masking{to: s.Err, secrets: secrets}
	return s
}

// isClientID tells whether a word may be a HubSpot client id, where one is
// expected. It has the form of an API key, and stands in the address that a
// person opens to sign in.
func isClientID(word string) bool {
	return credential.Classify(word).Form == credential.FormHubSpotAPIKey
}

// secretParts are the parts of a word that must not be repeated; none for a
// name, a path, an address, a flag.
func secretParts(word string) []string {
	const shortest = 8
	var parts []string
	key := strings.Contains(word, "PRIVATE KEY")
	for line := range strings.Lines(word) {
		line = strings.Trim(line, " \t\r\n\"'")
		line = strings.TrimPrefix(line, "Bearer ")
		if len(line) < shortest {
			continue
		}
		if key { // each line is a part of it, whatever it looks like
			parts = append(parts, line)
			continue
		}
		switch credential.Classify(line).Form {
		case credential.FormURL:
			parts = append(parts, secretsOfAddress(line)...)
		case credential.FormSalesforceConsumerKey, credential.FormEmpty:
		case credential.FormUnknown:
			if looksSecret(line) {
				parts = append(parts, line)
			}
		default:
			parts = append(parts, line)
			parts = append(parts, segments(line)...)
		}
	}
	return parts
}

// segments are the long pieces of a secret that would survive its being taken
// for a path.
func segments(secret string) []string {
	const shortest = 16
	return slices.DeleteFunc(strings.FieldsFunc(secret, func(r rune) bool { return strings.ContainsRune(`/\:@`, r) }), func(piece string) bool {
		return len(piece) < shortest || piece == secret || !looksSecret(piece)
	})
}

// secretsOfAddress are the password and the query of an address.
func secretsOfAddress(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return []string{address}
	}
	var parts []string
	if password, set := u.User.Password(); set && password != "" {
		parts = append(parts, password)
	}
	if u.RawQuery != "" {
		parts = append(parts, u.RawQuery)
	}
	for _, values := range u.Query() {
		for _, value := range values {
			if looksSecret(value) {
				parts = append(parts, value)
			}
		}
	}
	return parts
}

// looksSecret tells whether a word may be a secret of no known form: long,
// without a space or anything that paths and host names have, with letters and
// digits mixed.
func looksSecret(word string) bool {
	const shortest = 20
	if strings.Contains(word, "pat-") {
		return true
	}
	if len(word) < shortest || strings.ContainsAny(word, " \\{}()") || strings.HasPrefix(word, "/") || strings.HasPrefix(word, ".") {
		return false
	}
	digits, letters := 0, 0
	for _, r := range word {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	return letters > 0 && (digits >= 4 || len(word) >= 40 && !strings.ContainsAny(word, "/.@:"))
}

// masking writes text without the secrets. A secret is looked for within one
// write: messages are written whole.
type masking struct {
	mu      sync.Mutex
	to      io.Writer
	secrets []string
}

// Write implements io.Writer.
func (m *masking) Write(p []byte) (int, error) {
	text := p
	for _, secret := range m.secrets {
		if bytes.Contains(text, []byte(secret)) {
			text = bytes.ReplaceAll(text, []byte(secret), []byte(hidden))
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.to.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// bare is the stream itself, for bars, which ask the terminal for its width and
// say nothing but names of objects.
func bare(stream io.Writer) io.Writer {
	if m, masked := stream.(*masking); masked {
		return m.to
	}
	return stream
}
