package legacykey

import (
	"bytes"
	"hash/fnv"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
)

// text is something to look through, with what is known of the file around it.
type text struct {
	raw   []byte
	lower []byte
	kind  kind
	// hubspot, salesforce, bearer: the file speaks of these anywhere.
	hubspot, salesforce, bearer bool

	watch *watch
	met   []met
}

// hit is a detector's answer: the rule and where; What and Mend override those
// of the rule where more can be said.
type hit struct {
	rule       string
	start, end int
	what       string
	mend       string
	until      string
	severity   Severity // overrides the rule's; "" leaves it
	// secret is the part that is a secret, when secretEnd > secretStart.
	secretStart, secretEnd int
	// literals hides every quoted text of the line: passwords given by place.
	literals bool
}

// detector is asked at every place where its trigger stands in the lower-cased
// text.
type detector struct {
	trigger string
	find    func(t *text, at int) (hit, bool)
	// hubspotOnly leaves out files that never name HubSpot.
	hubspotOnly bool
}

// detectors are asked in this order; of two hits at one place the first wins.
func detectors() []detector {
	list := []detector{
		{trigger: "hapikey", find: findKey},
		{trigger: "apikey", find: findClientKey, hubspotOnly: true}, {trigger: "api_key", find: findClientKey, hubspotOnly: true}, {trigger: "api-key", find: findClientKey, hubspotOnly: true},
		{trigger: "factory::create", find: findFactory, hubspotOnly: true}, {trigger: "new hubspot", find: findConstructor, hubspotOnly: true},
		{trigger: "pat-", find: findToken},
		{trigger: "refresh", find: findRefreshToken, hubspotOnly: true},
		{trigger: "personalaccesskey", find: findPersonalKey}, {trigger: "personal_access_key", find: findPersonalKey},
		{trigger: "private_app", find: findPrivateApp, hubspotOnly: true}, {trigger: "privateapp", find: findPrivateApp, hubspotOnly: true}, {trigger: "private-app", find: findPrivateApp, hubspotOnly: true},
		{trigger: "00d", find: findSession}, {trigger: "5aep", find: findSalesforceToken}, {trigger: "3mv", find: findConsumerSecret},
		{trigger: "grant_type", find: findPasswordOAuth}, {trigger: "granttype", find: findPasswordOAuth}, {trigger: "restforce.new", find: findRestforce},
		{trigger: "services/soap/", find: findSOAPPath}, {trigger: ".login(", find: findSOAPLogin}, {trigger: "->login(", find: findSOAPLogin}, {trigger: "security_token", find: findSecurityToken},
		{trigger: "services/data/v", find: findDataVersion},
	}
	for _, family := range pathFamilies {
		list = append(list, detector{trigger: family.trigger, find: findPath, hubspotOnly: true})
	}
	return list
}

// The words that say what a file is about stand behind the triggers.
var subjectWords = []string{"hubspot", "hubapi", "salesforce", "sforce", "bearer"}

// watch is the detectors and the automaton of their triggers.
type watch struct {
	detectors []detector
	triggers  *triggers
}

func newWatch() *watch {
	w := &watch{detectors: detectors()}
	words := make([]string, 0, len(w.detectors)+len(subjectWords))
	for _, d := range w.detectors {
		words = append(words, d.trigger)
	}
	w.triggers = newTriggers(append(words, subjectWords...))
	return w
}

// read looks through a file; nil when no trigger stands in it.
func (w *watch) read(raw []byte, k kind) *text {
	t := &text{raw: raw, kind: k, watch: w}
	found := w.triggers.find(raw)
	any := false
	for _, m := range found {
		if m.word < len(w.detectors) {
			any = true
			continue
		}
		switch subjectWords[m.word-len(w.detectors)] {
		case "hubspot", "hubapi":
			t.hubspot = true
		case "bearer":
			t.bearer = true
		default:
			t.salesforce = true
		}
	}
	if !any {
		return nil
	}
	t.lower = lowered(raw)
	t.met = found
	return t
}

// part is a piece of a file, decoded, which knows what the whole file knows.
func (t *text) part(raw []byte, k kind) *text {
	p := &text{raw: raw, kind: k, hubspot: t.hubspot, salesforce: t.salesforce, bearer: t.bearer, watch: t.watch}
	if p.met = t.watch.triggers.find(raw); len(p.met) > 0 {
		p.lower = lowered(raw)
	}
	return p
}

// has tells whether the file, in lower case, holds word anywhere.
func (t *text) has(word string) bool { return bytes.Contains(t.lower, []byte(word)) }

// lowered is raw with its ASCII letters in lower case, byte for byte.
func lowered(raw []byte) []byte {
	low := make([]byte, len(raw))
	for i, c := range raw {
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		low[i] = c
	}
	return low
}

// hits asks the detectors wherever their triggers stand, and returns what they
// found, in order of place.
func (t *text) hits() []hit {
	var found []hit
	taken := map[[2]int]bool{}
	slices.SortStableFunc(t.met, func(a, b met) int { return a.word - b.word })
	for _, m := range t.met {
		if m.word >= len(t.watch.detectors) {
			break
		}
		d := &t.watch.detectors[m.word]
		if d.hubspotOnly && !t.hubspot {
			continue
		}
		h, ok := d.find(t, m.at)
		if !ok {
			continue
		}
		group := 0
		if strings.HasPrefix(h.rule, "hubspot-path") {
			group = 1
		}
		if key := [2]int{h.start, group}; !taken[key] {
			taken[key] = true
			found = append(found, h)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].start < found[j].start })
	return t.withoutRepeats(found)
}

// onePlace is how near two words for the key must be to be one use of it:
// { hapikey: process.env.HAPIKEY }.
const onePlace = 100

// withoutRepeats leaves one hit for each use: the first of the most telling
// kind. An address with the key is always a use of its own.
func (t *text) withoutRepeats(hits []hit) []hit {
	kept := make([]hit, 0, len(hits))
	last := map[bool]int{} // the last kept hit about the key, and of the others
	for _, h := range hits {
		about := strings.HasPrefix(h.rule, "hubspot-key") || h.rule == ruleDeveloperKey
		i, any := last[about]
		if any && about && t.sameUse(kept[i], h) {
			if h.secretEnd > 0 && kept[i].secretEnd == 0 {
				kept[i].secretStart, kept[i].secretEnd = h.secretStart, h.secretEnd
			}
			if strength(h.rule) > strength(kept[i].rule) {
				kept[i] = h
			}
			continue
		}
		if any && !about && kept[i].rule == h.rule && h.start < kept[i].end {
			continue
		}
		last[about] = len(kept)
		kept = append(kept, h)
	}
	return kept
}

func (t *text) sameUse(before, h hit) bool {
	if h.start > before.end+onePlace || bytes.IndexByte(t.raw[before.start:h.start], '\n') >= 0 {
		return false
	}
	return h.rule != ruleKeyQuery || h.start == 0 || t.lower[h.start-1] != '?' && t.lower[h.start-1] != '&'
}

// strength orders the rules about the key: what is talked about gives way to
// what is used.
func strength(rule string) int {
	switch rule {
	case ruleKeyMention:
		return 0
	case ruleKeyName:
		return 1
	case ruleKeySetting, ruleDeveloperKey:
		return 2
	}
	return 3
}

// finding turns a hit into what is told.
func (t *text) finding(h hit, table map[string]*Rule, now time.Time) Finding {
	rule := table[h.rule]
	f := Finding{
		Rule: h.rule, Severity: rule.at(now), What: rule.Title, Until: rule.Until, Mend: rule.Mend, Fix: rule.Fix,
		Excerpt: excerpt(t.raw, h.start, h.end, h.literals), start: h.start, end: h.end,
	}
	if h.severity != "" {
		f.Severity = h.severity
	}
	if h.what != "" {
		f.What = h.what
	}
	if h.mend != "" {
		f.Mend = h.mend
	}
	if h.until != "" {
		f.Until = h.until
	}
	if h.secretEnd > h.secretStart {
		hash := fnv.New64a()
		_, _ = hash.Write(t.raw[h.secretStart:h.secretEnd])
		f.secret = hash.Sum64() | 1
	}
	return f
}

// ruleTable is the table by id.
func ruleTable() map[string]*Rule {
	all := rules()
	table := make(map[string]*Rule, len(all))
	for i := range all {
		table[all[i].ID] = &all[i]
	}
	return table
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// word widens [start, end) to the whole name around it.
func (t *text) word(start, end int) (int, int) {
	for start > 0 && isWord(t.lower[start-1]) {
		start--
	}
	for end < len(t.lower) && isWord(t.lower[end]) {
		end++
	}
	return start, end
}

// window bounds how far around a hit a question looks.
const window = 240

// before is the lower-cased text before at, in the same line or statement.
func (t *text) before(at, limit int) string { return string(t.lower[max(0, at-limit):at]) }

// after is the raw text after at.
func (t *text) after(at, limit int) string { return string(t.raw[at:min(len(t.raw), at+limit)]) }

// line is the whole lower-cased line around at, within bounds.
func (t *text) line(at int) string {
	from, to := max(lineStart(t.lower, at), at-4*window), min(lineEnd(t.lower, at), at+4*window)
	return string(t.lower[from:to])
}

// region is the lower-cased text of some lines around at.
func (t *text) region(at, limit int) string {
	return string(t.lower[max(0, at-limit):min(len(t.lower), at+limit)])
}

var trailingComment = regexp.MustCompile(`(^|\s)(//|#|--|/\*|<!--)\s`)

// inComment tells whether at stands in a comment, as far as its line shows it.
func (t *text) inComment(at int) bool {
	from := max(lineStart(t.lower, at), at-4*window)
	lead := strings.TrimLeft(string(t.lower[from:at]), " \t")
	if t.kind == kindEnv || t.kind == kindShell || t.kind == kindYAML || t.kind == kindPython || t.kind == kindRuby {
		return strings.HasPrefix(lead, "#") || strings.Contains(lead, " # ")
	}
	for _, mark := range []string{"//", "#", "*", "/*", "<!--", "--", ";", "%", "rem "} {
		if strings.HasPrefix(lead, mark) && !strings.HasPrefix(lead, "--data") && !strings.HasPrefix(lead, "--url") && !strings.HasPrefix(lead, "#{") {
			return true
		}
	}
	found := trailingComment.FindStringIndex(lead)
	return found != nil && strings.Count(lead[:found[0]], `"`)%2 == 0 && strings.Count(lead[:found[0]], "'")%2 == 0 && strings.Count(lead[:found[0]], "`")%2 == 0
}
