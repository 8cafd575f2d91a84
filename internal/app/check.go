package app

import (
	"context"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Checked says whether the accounts, their permissions and the mapping fit.
type Checked struct {
	Mapping    *mapping.Mapping
	HubSpot    crm.Account
	Salesforce crm.Account
	// Scopes of the HubSpot token: what the mapping needs, and what it does not.
	// ScopesTold is false when HubSpot did not say what was granted.
	ScopesTold  bool
	Needed      []mapping.Need
	Missing     []mapping.Need
	Superfluous []string
	// Permissions of the Salesforce user: what the mapping needs, what of it the
	// user does not have, and what the user may do beyond it.
	Permissions            []mapping.Need
	MissingPermissions     []mapping.Need
	SuperfluousPermissions []string
	// Problems of the mapping against the live schemas, by place.
	Problems []mapping.Problem
}

// Errors counts what stops a sync.
func (c *Checked) Errors() int {
	n := c.denied()
	for _, p := range c.Problems {
		if p.Severity == mapping.SeverityError {
			n++
		}
	}
	return n
}

// Warnings counts what may surprise.
func (c *Checked) Warnings() int { return len(c.Problems) - c.mappingErrors() }

// OK tells whether a sync can run.
func (c *Checked) OK() bool { return c.Errors() == 0 }

func (c *Checked) mappingErrors() int { return c.Errors() - c.denied() }

func (c *Checked) denied() int { return len(c.Missing) + len(c.MissingPermissions) }

// ExitCode is the code of `check`: denied when only permissions are missing,
// usage when the mapping itself does not fit.
func (c *Checked) ExitCode() int {
	switch {
	case c.mappingErrors() > 0:
		return fault.ExitUsage
	case c.denied() > 0:
		return fault.ExitDenied
	default:
		return fault.ExitOK
	}
}

// Check asks both accounts and looks whether the mapping fits them. The error
// is for what cannot be asked at all; what does not fit is in Checked.
func (a *App) Check(ctx context.Context) (*Checked, error) {
	m, err := a.Mapping()
	if err != nil {
		return nil, err
	}
	sides, err := a.Sides(ctx, m.HubSpot, m.Salesforce, m.Budget)
	if err != nil {
		return nil, err
	}
	c := &Checked{Mapping: m, Needed: m.Scopes()}
	if c.HubSpot, err = sides.HubSpot.Account(ctx); err != nil {
		return nil, err
	}
	if c.Salesforce, err = sides.Salesforce.Account(ctx); err != nil {
		return nil, err
	}
	c.compareScopes()
	if err := c.compareWithSchemas(ctx, sides); err != nil {
		return nil, err
	}
	return c, nil
}

// compareWithSchemas looks at what both credentials can see. What a missing
// right explains is said once, by the name of the right.
func (c *Checked) compareWithSchemas(ctx context.Context, sides *Sides) error {
	m := c.Mapping
	schemas, err := Schemas(ctx, sides, nil, m.PermissionObjects())
	if err != nil {
		return err
	}
	c.Permissions = m.PermissionNeeds(schemas.Salesforce)
	c.MissingPermissions = mapping.MissingPermissions(c.Permissions, schemas.Salesforce)
	if err := c.compareUser(ctx, sides); err != nil {
		return err
	}
	objects, err := sides.Salesforce.Objects(ctx)
	if err != nil {
		return err
	}
	c.SuperfluousPermissions = mapping.SuperfluousPermissions(c.Permissions, schemas.Salesforce, objects)
	hubSpot, _ := m.ObjectNames()
	seen, err := Schemas(ctx, sides, hubSpot, nil)
	if len(c.Missing) > 0 && fault.KindOf(err) == fault.Denied {
		return nil // the missing scopes say it better, and all at once
	}
	if err != nil {
		return err
	}
	schemas.HubSpot = seen.HubSpot
	if schemas.Labels, err = Labels(ctx, sides, m); err != nil {
		return err
	}
	_, problems := m.Bind(schemas)
	c.Problems = m.Unexplained(problems, mapping.Rights{MissingScopes: c.Missing, Permissions: c.Permissions,
		MissingPermissions: c.MissingPermissions, Salesforce: schemas.Salesforce})
	return nil
}

// compareUser looks at the check boxes of the user that the mapping needs.
func (c *Checked) compareUser(ctx context.Context, sides *Sides) error {
	for _, need := range c.Permissions {
		if need.Name != mapping.MarketingUser {
			continue
		}
		has, told, err := sides.Salesforce.UserHas(ctx, mapping.MarketingUserField)
		if err != nil {
			return err
		}
		if told && !has {
			c.MissingPermissions = append(c.MissingPermissions, need)
		}
	}
	return nil
}

// impliedScopes are granted to every app and never superfluous.
var impliedScopes = []string{"oauth"}

func (c *Checked) compareScopes() {
	c.ScopesTold = c.HubSpot.Scopes != nil
	if !c.ScopesTold {
		return
	}
	needed := map[string]bool{}
	for _, need := range c.Needed {
		needed[need.Name] = true
		switch {
		case slices.Contains(c.HubSpot.Scopes, need.Name):
		case need.GrantedBy(c.HubSpot.Scopes):
			for _, or := range need.Or {
				needed[or] = true
			}
		default:
			c.Missing = append(c.Missing, need)
		}
	}
	for _, scope := range c.HubSpot.Scopes {
		if !needed[scope] && !slices.Contains(impliedScopes, scope) {
			c.Superfluous = append(c.Superfluous, scope)
		}
	}
}

// NeedNames lists names in the order of the needs.
func NeedNames(needs []mapping.Need) []string {
	names := make([]string, len(needs))
	for i, need := range needs {
		names[i] = need.Name
	}
	return names
}

// ScopeNames lists names without repeats.
func ScopeNames(needs []mapping.Need) []string {
	var names []string
	for _, need := range needs {
		if !slices.Contains(names, need.Name) {
			names = append(names, need.Name)
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names
}
