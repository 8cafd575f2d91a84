package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Exchange trades the code that a browser brought back for tokens; see
// credential.Exchange.
func (a *App) Exchange(ctx context.Context, account credential.Account, clientSecret credential.Secret, code credential.Code) (credential.Account, credential.Material, error) {
	return credential.Exchange(ctx, a.config.HTTP, account, clientSecret, code)
}

// NeededScopes lists the HubSpot scopes that the mapping needs. Before there is
// one, it lists what a usual mapping of companies, contacts and deals needs:
// with writing, both ways, else from HubSpot to Salesforce only. The error is
// about a mapping that is there and cannot be read.
func (a *App) NeededScopes(writing bool) (needs []mapping.Need, mapped bool, err error) {
	_, err = os.Stat(a.config.File)
	if err == nil {
		m, err := a.Mapping()
		if err != nil {
			return nil, false, err
		}
		return m.Scopes(), true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, storageFault(err, a.config.File)
	}
	return usualMapping(writing).Scopes(), false, nil
}

// usualMapping is what init suggests for two usual accounts, as far as scopes
// depend on it.
func usualMapping(writing bool) *mapping.Mapping {
	create, flows := mapping.CreateInSalesforce, mapping.ToSalesforce
	if writing {
		create, flows = mapping.CreateBoth, mapping.Both
	}
	object := func(name, hubSpot, field string, with ...string) mapping.Object {
		o := mapping.Object{
			Name: name, HubSpot: hubSpot, Create: create, OwnerByEmail: writing,
			Fields: []mapping.Field{{HubSpot: field, Direction: flows}},
		}
		for _, other := range with {
			o.Associations = append(o.Associations, mapping.Association{HubSpot: other})
		}
		return o
	}
	return &mapping.Mapping{Objects: []mapping.Object{
		object("companies", "companies", "name"),
		object("people", "contacts", "email", "companies"),
		object("deals", "deals", "dealname", "companies", "contacts"),
	}}
}

// OAuthScopes is the scope set that an OAuth app asks HubSpot for: exactly the
// needed ones and "oauth", which every app must name. Sorted.
func OAuthScopes(needs []mapping.Need) []string {
	scopes := append([]string{"oauth"}, ScopeNames(needs)...)
	slices.Sort(scopes)
	return slices.Compact(scopes)
}
