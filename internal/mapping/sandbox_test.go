package mapping_test

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

// The suggestion for the sandbox's two accounts, as the real clients describe
// them, is a mapping that works as it stands.
func TestTheSuggestionFitsTheSandbox(t *testing.T) {
	ctx := context.Background()
	box, err := sandbox.New(sandbox.Config{Seed: "small", Random: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	keys := box.Credentials()
	hub, err := hubspot.New(hubspot.Config{HTTP: box.Client(), Token: func(context.Context) (string, error) { return keys.HubSpot.PrivateApp, nil }})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := credential.NewTokenSource(credential.Account{Name: "acme", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials, LoginURL: box.Salesforce().Origin(), ClientID: keys.Salesforce.ClientID},
		credential.Material{ClientSecret: credential.NewSecret(keys.Salesforce.ClientSecret)}, box.Client())
	if err != nil {
		t.Fatal(err)
	}
	org, err := salesforce.New(salesforce.Config{Tokens: tokens, HTTP: box.Client()})
	if err != nil {
		t.Fatal(err)
	}
	schemas := mapping.Schemas{HubSpot: map[string]*crm.Object{}, Salesforce: map[string]*crm.Object{}}
	for _, name := range []string{"companies", "contacts", "deals", "notes", "tasks", "calls", "emails", "meetings"} {
		if schemas.HubSpot[name], err = hub.Describe(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"Account", "Contact", "Lead", "Opportunity", "Task", "Event"} {
		if schemas.Salesforce[name], err = org.Describe(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	src := mapping.Suggest(schemas, mapping.Accounts{HubSpot: "acme", Salesforce: "acme-production"})
	m, err := mapping.Parse("lockstep.yaml", src)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	bound, problems := m.Bind(schemas)
	if bound == nil || len(bound.Objects) != 3 {
		t.Fatalf("%v\n%s", problems, src)
	}
	for _, p := range problems.Warnings() {
		if p.Code != "field.shorter" && p.Code != "picklist.uncovered" {
			t.Errorf("the suggestion warns of itself: %v\n%s", p, p.Mend)
		}
	}
	if testing.Verbose() {
		t.Logf("%v\n%s", problems, src)
	}

	// With all activities, four objects share Salesforce's Task, and no task is two of them.
	src, err = mapping.SuggestObjects(schemas, mapping.Accounts{HubSpot: "acme", Salesforce: "acme-production"}, append(mapping.DefaultPresets(), "notes", "tasks", "calls", "emails", "meetings"))
	if err != nil {
		t.Fatal(err)
	}
	if m, err = mapping.Parse("lockstep.yaml", src); err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	if bound, problems = m.Bind(schemas); bound == nil || len(bound.Objects) != 8 {
		t.Fatalf("%v\n%s", problems, src)
	}
	for _, p := range problems.Warnings() {
		if p.Code == "mapping.filters-overlap" {
			t.Errorf("the suggestion warns of itself: %v\n%s", p, p.Mend)
		}
	}
}
