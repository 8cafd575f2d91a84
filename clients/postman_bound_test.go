//go:build clients

package clients

import (
	"context"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/salesforce"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// boundSandbox is the mapping that is suggested for a sandbox, with its schemas.
func boundSandbox(t *testing.T, box *sandbox.Sandbox) *mapping.Bound {
	t.Helper()
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keys := box.Credentials()
	hub, err := hubspot.New(hubspot.Config{Base: box.HubSpotURL(), Token: func(context.Context) (string, error) { return keys.HubSpot.PrivateApp, nil }})
	check(err)
	tokens, err := credential.NewTokenSource(credential.Account{Name: "acme", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: box.SalesforceURL(), ClientID: keys.Salesforce.ClientID}, credential.Material{ClientSecret: credential.NewSecret(keys.Salesforce.ClientSecret)}, nil)
	check(err)
	org, err := salesforce.New(salesforce.Config{Tokens: tokens})
	check(err)
	schemas := mapping.Schemas{HubSpot: map[string]*crm.Object{}, Salesforce: map[string]*crm.Object{}}
	for _, name := range []string{"companies", "contacts", "deals"} {
		schemas.HubSpot[name], err = hub.Describe(ctx, name)
		check(err)
	}
	for _, name := range []string{"Account", "Contact", "Lead", "Opportunity"} {
		schemas.Salesforce[name], err = org.Describe(ctx, name)
		check(err)
	}
	m, err := mapping.Parse("lockstep.yaml", mapping.Suggest(schemas, mapping.Accounts{HubSpot: "acme", Salesforce: "acme-production"}))
	check(err)
	bound, problems := m.Bind(schemas)
	if bound == nil {
		t.Fatal(problems)
	}
	return bound
}
