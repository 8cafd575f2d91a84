package hubspot

import (
	"net/http"
	"slices"
	"strings"
)

// missingScopes is the vendor's answer to a token that may not make a call.
// https://developers.hubspot.com/docs/api-reference/error-handling
func missingScopes(all bool, scopes []string) *problem {
	message, key := "One or more of the following scopes are required.", "requiredGranularScopes"
	if all {
		message = "All of the following scopes are required."
	}
	if !slices.ContainsFunc(scopes, func(s string) bool { return strings.HasPrefix(s, "crm.") }) {
		key = "requiredScopes" // scopes from before the granular ones
	}
	return &problem{status: http.StatusForbidden, category: "MISSING_SCOPES",
		message: "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
		errors:  []problemDetail{{message: message, context: []contextEntry{{key, scopes}}}},
		links:   [][2]string{{"scopes", "https://developers.hubspot.com/scopes"}}}
}

// needAny wants one of the scopes.
func (c *call) needAny(scopes []string) *problem {
	for _, s := range scopes {
		if c.token.granted[s] {
			return nil
		}
	}
	return missingScopes(false, scopes)
}

// objectScopes lists the scopes of which one allows reading or writing records.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes
func (t *table) objectScopes(verb string) []string {
	switch {
	case t.kind.activity:
		return []string{"crm.objects.contacts." + verb}
	case t.kind.custom:
		return []string{"crm.objects.custom." + verb}
	case t.kind.name == "tickets":
		return []string{"tickets", "crm.objects.tickets." + verb}
	case t.kind.name == "products" || t.kind.name == "line_items":
		return []string{"crm.objects." + t.kind.name + "." + verb, "e-commerce"}
	}
	return []string{"crm.objects." + t.kind.name + "." + verb}
}

// needObject wants the right to read or write records of a type.
func (c *call) needObject(t *table, verb string) *problem {
	scopes := t.objectScopes(verb)
	if t.kind.name == "emails" && !(c.token.granted[scopes[0]] && c.token.granted["sales-email-read"]) {
		return missingScopes(true, append(scopes, "sales-email-read"))
	}
	return c.needAny(scopes)
}

func readRecords(c *call) *problem  { return c.needObject(c.table, "read") }
func writeRecords(c *call) *problem { return c.needObject(c.table, "write") }

// readEnds and writeEnds want the right to both ends of an association.
func readEnds(c *call) *problem  { return c.needEnds("read") }
func writeEnds(c *call) *problem { return c.needEnds("write") }

func (c *call) needEnds(verb string) *problem {
	for _, t := range []*table{c.from, c.to} {
		if refused := c.needObject(t, verb); refused != nil {
			return refused
		}
	}
	return nil
}

// readLabels is for the meanings of associations, which any right to either end shows.
func readLabels(c *call) *problem {
	return c.needAny(append(append(c.from.objectScopes("read"), c.to.objectScopes("read")...), c.from.schemaScopes("read")...))
}

func (t *table) schemaScopes(verb string) []string {
	name := t.kind.name
	switch {
	case t.kind.custom:
		name = "custom"
	case t.kind.activity:
		name = "contacts"
	case name == "tickets":
		return []string{"tickets", "crm.schemas.tickets." + verb, "crm.objects.tickets." + verb}
	case name == "products" || name == "line_items":
		scopes := []string{"e-commerce"}
		if verb == "read" {
			scopes = append(scopes, "crm.schemas."+name+".read", "crm.objects."+name+".read", "crm.objects."+name+".write")
		}
		return scopes
	}
	if verb == "write" {
		return []string{"crm.schemas." + name + ".write"}
	}
	return []string{"crm.schemas." + name + ".read", "crm.objects." + name + ".read", "crm.objects." + name + ".write"}
}

func readSchema(c *call) *problem  { return c.needAny(c.table.schemaScopes("read")) }
func writeSchema(c *call) *problem { return c.needAny(c.table.schemaScopes("write")) }

// readPipelines takes any right to read records or their definitions.
func readPipelines(c *call) *problem {
	for scope := range c.token.granted {
		if strings.HasSuffix(scope, ".read") && (strings.HasPrefix(scope, "crm.objects.") || strings.HasPrefix(scope, "crm.schemas.")) || scope == "tickets" {
			return nil
		}
	}
	return c.needAny(append(c.table.schemaScopes("read"), "automation"))
}

func readOwners(c *call) *problem {
	return c.needAny([]string{"crm.objects.owners.read", "automation"})
}

func readSchemas(c *call) *problem {
	return c.needAny([]string{"crm.schemas.custom.read", "crm.objects.custom.read"})
}

func writeSchemas(c *call) *problem { return c.needAny([]string{"crm.schemas.custom.write"}) }

func basic(c *call) *problem { return c.needAny([]string{"oauth"}) }
