package diagnose

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// hidden stands in place of a secret.
const hidden = "[redacted]"

// secretForms are the shapes of credentials wherever they stand.
var secretForms = regexp.MustCompile(`pat-[a-z]{2,4}[0-9]{1,2}-[0-9A-Za-z-]{8,}` + // HubSpot tokens
	`|00D[0-9A-Za-z]{12,15}(?:!|%21)[0-9A-Za-z._%]+` + // Salesforce sessions
	`|5Aep[0-9A-Za-z._]{10,}` + // Salesforce refresh tokens
	`|3MV[0-9A-Za-z._]{20,}` + // consumer keys
	`|eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]+\.?[0-9A-Za-z_-]*` + // JWTs
	`|\b[a-z]{2,4}[0-9]-[0-9a-f]{4}-[0-9a-f-]{20,}` + // HubSpot refresh tokens
	`|\bC[A-Za-z0-9_-]{60,}` + // HubSpot OAuth access tokens
	`|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)

// sentNames are the parameters and fields of a request that hold secrets,
// answerNames those of an answer.
var (
	sentNames = regexp.MustCompile(`(?i)(?:^|[?&\s"'{,;])(?:hapikey|access_token|refresh_token|id_token|client_secret|client_assertion|assertion|code_verifier|password|passwd|api[_-]?key|tokenkey|oauth_token|session_?id|sid|token|code)["']?\s*[=:]\s*["']?([^\s"'&,;<>}\]]{6,})`)

	answerNames = regexp.MustCompile(`(?i)["'<](?:access_token|refresh_token|id_token|client_secret|signature|token|sessionId|session_id)["'>]\s*:?\s*["']?([^\s"'&,;<>}\]]{6,})`)

	// loose are secrets in a text that is read as no call at all.
	loose = regexp.MustCompile(`(?i)(?:(?:hapikey|access_token|refresh_token|client_secret|password)=|\b(?:bearer|basic)\s+)([^\s"'&,;<>}\]]{6,})`)
)

// mostPlanted bounds the secrets that are looked for in one part of a call.
const mostPlanted = 1_000

// hider takes secrets out of text: what looks like one, and what stood where
// one belongs in this exchange, whatever it looks like.
type hider struct{ planted []string }

func newHider(e *Exchange) *hider {
	h := &hider{}
	add := func(text string) {
		text = strings.Trim(text, " \t\r\n\"'`<>")
		if len(text) >= 6 && !slices.Contains(h.planted, text) {
			h.planted = append(h.planted, text)
			if plain, err := url.QueryUnescape(text); err == nil && plain != text && len(plain) >= 6 {
				h.planted = append(h.planted, plain)
			}
		}
	}
	for _, headers := range [][]Header{e.Sent, e.Received} {
		for _, one := range headers {
			switch strings.ToLower(one.Name) {
			case "authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key", "api-key", "apikey", "token", "access-token", "access_token", "x-access-token", "hapikey", "x-hubspot-token", "bearer", "x-sfdc-session", "sessionid":
				for _, word := range strings.Fields(one.Value) {
					add(word)
				}
			}
		}
	}
	sent := []string{e.URL, e.SentBody, e.Name}
	if plain, err := url.QueryUnescape(e.URL); err == nil {
		sent = append(sent, plain)
	}
	for _, text := range sent {
		for _, match := range sentNames.FindAllStringSubmatch(text, mostPlanted) {
			add(match[1])
		}
	}
	for _, text := range []string{e.Body, e.Trouble} {
		for _, match := range answerNames.FindAllStringSubmatch(text, mostPlanted) {
			add(match[1])
		}
	}
	for _, text := range []string{e.Body, e.Trouble, e.SentBody, e.Name} {
		for _, match := range loose.FindAllStringSubmatch(text, mostPlanted) {
			if strings.ContainsAny(match[1], "0123456789") {
				add(match[1])
			}
		}
	}
	// The longest first, so that no part of a secret is left over.
	slices.SortFunc(h.planted, func(a, b string) int { return len(b) - len(a) })
	return h
}

func (h *hider) text(text string) string {
	for _, secret := range h.planted {
		if !harmless(secret) {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	return secretForms.ReplaceAllString(text, hidden)
}

// harmless are words that stand where secrets do and are none.
func harmless(word string) bool {
	switch strings.ToLower(strings.TrimRight(word, ":")) {
	case "bearer", "basic", "authorization", "access_token", "refresh_token", "authorization_code", "invalid", "expired", "required", "client_credentials", "hidden", "redacted":
		return true
	}
	return strings.HasPrefix(word, "{{") || strings.HasPrefix(word, "$")
}

// shownURL is the address without any value of its query: the names are enough
// to see what was asked for. Ids in the path stay; a token there does not.
func shownURL(e *Exchange) string {
	if e.URL == "" {
		return ""
	}
	u := e.address()
	if u.Host == "" && u.Path == "" {
		return ""
	}
	shown := u.Path
	if u.Host != "" {
		shown = u.Scheme + "://" + u.Host + u.Path
	}
	for _, lead := range []string{"/access-tokens/", "/refresh-tokens/"} {
		if before, _, found := strings.Cut(shown, lead); found {
			shown = before + lead + hidden
		}
	}
	var names []string
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		if name, _, _ := strings.Cut(part, "="); name != "" {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		shown += "?" + strings.Join(names, "&")
	}
	return shown
}
