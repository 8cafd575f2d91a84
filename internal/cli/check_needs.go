package cli

import (
	"fmt"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// printPermissions tells in a few lines what the Salesforce user may do.
func (g *global) printPermissions(c *app.Checked) {
	if len(c.Permissions) == 0 {
		return
	}
	g.print("Permissions  %d needed by the Salesforce user, %d of them granted; --needs lists them", len(c.Permissions), len(c.Permissions)-len(c.MissingPermissions))
	var objects []string
	fields := 0
	for _, name := range c.SuperfluousPermissions {
		if strings.Contains(name, ".") {
			fields++
			continue
		}
		objects = append(objects, name)
	}
	if fields > 0 || len(objects) > 0 {
		g.print("             %s and %s more than needed: %s", count(len(objects), "permission on objects", "permissions on objects"), count(fields, "on a field", "on fields"),
			cut(strings.Join(c.SuperfluousPermissions, ", "), 2*cellColumns))
	}
}

// printNeeds lists every right that the mapping needs, with its reason.
func (g *global) printNeeds(c *app.Checked) {
	missing := map[string]bool{}
	for _, need := range append(append([]mapping.Need{}, c.Missing...), c.MissingPermissions...) {
		missing[need.Name] = true
	}
	list := func(side string, told bool, needs []mapping.Need) {
		for _, need := range needs {
			state := "granted"
			switch {
			case !told:
				state = "not told"
			case missing[need.Name]:
				state = "missing"
			}
			g.print("%-11s %-8s  %s: %s%s", side, state, need.Name, need.Why, lines(c, need))
		}
	}
	list("HubSpot", c.ScopesTold, c.Needed)
	list("Salesforce", true, c.Permissions)
}

// lines names the places of the mapping that need a right.
func lines(c *app.Checked, need mapping.Need) string {
	var places []string
	seen := map[int]bool{}
	for _, pos := range need.Places {
		if pos.Line > 0 && !seen[pos.Line] {
			seen[pos.Line] = true
			places = append(places, fmt.Sprint(pos.Line))
		}
	}
	switch {
	case len(places) == 0:
		return ""
	case len(places) == 1:
		return fmt.Sprintf(" (%s:%s)", c.Mapping.File, places[0])
	default:
		return fmt.Sprintf(" (%s, lines %s)", c.Mapping.File, strings.Join(places, ", "))
	}
}

func nameOfUser(c *app.Checked) string {
	if c.Salesforce.User == "" {
		return ""
	}
	return " " + c.Salesforce.User
}
