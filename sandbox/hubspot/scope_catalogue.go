package hubspot

import (
	"slices"
	"strings"
)

// scopeRow is a line of the list in which a person ticks scopes: what it opens,
// and the scopes to read and to write it, or one scope for both.
type scopeRow struct {
	Label             string
	Read, Write, Both string
}

// scopeGroup is a heading in that list.
type scopeGroup struct {
	Name string
	Rows []scopeRow
}

// scopeCatalogue is every scope that can be ticked.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes
type scopeCatalogue struct {
	groups []scopeGroup
	words  map[string]string // by scope
	all    map[string]bool
}

func newScopeCatalogue() *scopeCatalogue {
	pair := func(label, scope string) scopeRow {
		return scopeRow{Label: label, Read: scope + ".read", Write: scope + ".write"}
	}
	read := func(label, scope string) scopeRow { return scopeRow{Label: label, Read: scope} }
	both := func(label, scope string) scopeRow { return scopeRow{Label: label, Both: scope} }
	objects := scopeGroup{Name: "CRM records"}
	for _, name := range strings.Fields("contacts companies deals leads line_items products quotes orders carts invoices subscriptions goals " +
		"commercepayments appointments courses listings services projects users marketing_events custom") {
		objects.Rows = append(objects.Rows, pair(spoken(name), "crm.objects."+name))
	}
	objects.Rows = append(objects.Rows, read("owners", "crm.objects.owners.read"), read("feedback submissions", "crm.objects.feedback_submission.read"),
		both("tickets", "tickets"), both("products and line items (e-commerce)", "e-commerce"), pair("tickets (newer scope)", "crm.objects.tickets"))
	schemas := scopeGroup{Name: "CRM properties and schemas"}
	for _, name := range strings.Fields("contacts companies deals tickets custom quotes orders carts line_items invoices subscriptions " +
		"commercepayments appointments courses listings services projects") {
		schemas.Rows = append(schemas.Rows, pair("properties of "+spoken(name), "crm.schemas."+name))
	}
	schemas.Rows = append(schemas.Rows, pair("pipelines of orders", "crm.pipelines.orders"))
	sensitive := scopeGroup{Name: "Sensitive data"}
	for _, name := range strings.Fields("contacts companies deals custom") {
		sensitive.Rows = append(sensitive.Rows, pair("sensitive properties of "+spoken(name), "crm.objects."+name+".sensitive"),
			pair("highly sensitive properties of "+spoken(name), "crm.objects."+name+".highly_sensitive"))
	}
	sensitive.Rows = append(sensitive.Rows, both("sensitive properties of tickets", "tickets.sensitive"), both("highly sensitive properties of tickets", "tickets.highly_sensitive"))
	other := scopeGroup{Name: "Everything else", Rows: []scopeRow{
		pair("lists", "crm.lists"), both("imports", "crm.import"), both("exports", "crm.export"), both("workflows", "automation"),
		read("content of e-mails", "sales-email-read"), both("files", "files"), read("hidden files", "files.ui_hidden.read"), both("forms", "forms"),
		both("timeline events", "timeline"), read("conversations", "conversations.read"), pair("users", "settings.users"),
		pair("teams", "settings.users.teams"), pair("currencies", "settings.currencies"), read("currencies (older scope)", "multi-currency-read"),
	}}
	c := &scopeCatalogue{groups: []scopeGroup{objects, schemas, other, sensitive}, words: map[string]string{}, all: map[string]bool{"oauth": true}}
	c.words["oauth"] = "Know which account this is"
	for _, g := range c.groups {
		for _, r := range g.Rows {
			for verb, scope := range map[string]string{"Read ": r.Read, "Create, change and delete ": r.Write, "Read and change ": r.Both} {
				if scope != "" {
					c.words[scope], c.all[scope] = verb+r.Label, true
				}
			}
		}
	}
	for _, scope := range strings.Fields("developer.webhooks_journal.read developer.webhooks_journal.subscriptions.read " +
		"developer.webhooks_journal.subscriptions.write developer.webhooks_journal.snapshots.read developer.webhooks_journal.snapshots.write") {
		c.words[scope] = "Follow the webhooks journal"
	}
	return c
}

// spoken is a name as a person writes it.
func spoken(name string) string {
	if name == "custom" {
		return "custom objects"
	}
	if name == "commercepayments" {
		return "commerce payments"
	}
	return strings.ReplaceAll(name, "_", " ")
}

// known tells whether there is such a scope.
func (c *scopeCatalogue) known(scope string) bool { return c.words[scope] != "" }

// unknown lists what is no scope.
func (c *scopeCatalogue) unknown(scopes []string) (out []string) {
	for _, s := range scopes {
		if !c.known(s) {
			out = append(out, s)
		}
	}
	return out
}

// scopeLine is a scope with its meaning.
type scopeLine struct{ Scope, Words string }

// lines explains scopes, in their order of names.
func (c *scopeCatalogue) lines(scopes []string) (out []scopeLine) {
	for _, s := range slices.Sorted(slices.Values(scopes)) {
		words := c.words[s]
		if words == "" {
			words = "A scope that this sandbox does not know"
		}
		out = append(out, scopeLine{s, words})
	}
	return out
}
