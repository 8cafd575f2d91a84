package app_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// pairOfAccounts is the program connected to both servers, in one process.
type pairOfAccounts struct {
	t   *testing.T
	box *sandbox.Sandbox
	app *app.App
}

func connectPair(t *testing.T) *pairOfAccounts {
	t.Helper()
	box, err := sandbox.New(sandbox.Config{Seed: "small", Random: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	p := &pairOfAccounts{t: t, box: box,
		app: app.New(app.Config{File: filepath.Join(t.TempDir(), "lockstep.yaml"), HTTP: box.Client()})}
	keys := box.Credentials()
	p.connectHubSpot(keys.HubSpot.PrivateApp)
	_, err = p.app.Connect(t.Context(), credential.Account{
		Name: "acme", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: box.Salesforce().Origin(), ClientID: keys.Salesforce.ClientID,
	}, credential.Material{ClientSecret: credential.NewSecret(keys.Salesforce.ClientSecret)}, false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pairOfAccounts) connectHubSpot(token string) {
	p.t.Helper()
	_, err := p.app.Connect(p.t.Context(), credential.Account{Name: "acme", Side: crm.HubSpot, Kind: credential.HubSpotToken},
		credential.Material{Token: credential.NewSecret(token)}, true)
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pairOfAccounts) write(mapping []byte) {
	p.t.Helper()
	if err := p.app.WriteMapping(mapping, true); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pairOfAccounts) check() *app.Checked {
	p.t.Helper()
	p.box.Clock().Advance(10 * time.Second) // so that no check waits for HubSpot's limit
	checked, err := p.app.Check(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return checked
}

// grantScopes connects with a token that has these scopes and no others.
func (p *pairOfAccounts) grantScopes(scopes []string) {
	p.t.Helper()
	p.connectHubSpot(p.box.HubSpot().CreateToken(hubspot.TokenSpec{Kind: hubspot.PrivateApp, Name: "Lockstep", Scopes: scopes}))
}

// grantPermissions gives the integration user, whose profile gives nothing, the
// permission set that check writes for these needs, and no other.
func (p *pairOfAccounts) grantPermissions(needs []mapping.Need) {
	p.t.Helper()
	file, err := mapping.PermissionSet("Lockstep", needs)
	if err != nil {
		p.t.Fatal(err)
	}
	server := p.box.Salesforce()
	if err := server.SetProfile(salesforce.IntegrationUsername, salesforce.MinimumAccessProfile); err != nil {
		p.t.Fatal(err)
	}
	if _, err := server.DeployPermissionSet("Lockstep", file); err != nil {
		p.t.Fatalf("Salesforce refuses the permission set: %v\n%s", err, file)
	}
	if err := server.AssignPermissionSet("Lockstep", salesforce.IntegrationUsername); err != nil {
		p.t.Fatal(err)
	}
	// A check box of the user is in no permission set.
	marketing := slices.ContainsFunc(needs, func(n mapping.Need) bool { return n.Name == mapping.MarketingUser })
	user := server.AddUser(salesforce.User{Username: salesforce.IntegrationUsername}) // who is there already
	if err := server.Update("User", user, map[string]any{mapping.MarketingUserField: marketing}); err != nil {
		p.t.Fatal(err)
	}
}

// without are all needs but one, and but those that Salesforce gives only
// together with it; gone names them all. Of a field for editing, reading may
// stay.
func without(needs []mapping.Need, i int, keepReading bool) (rest []mapping.Need, gone []string) {
	lost := needs[i]
	if keepReading {
		rest = slices.Clone(needs)
		rest[i].Access = "read"
		return rest, []string{lost.Name}
	}
	for k, n := range needs {
		objectGone := lost.Field == "" && lost.Access == "read" && (n.Object == lost.Object || lost.Object == "Account" && (n.Object == "Contact" || n.Object == "Opportunity"))
		deleteGone := lost.Field == "" && lost.Access == "edit" && n.Object == lost.Object && n.Access == "delete"
		switch {
		case k != i && !objectGone && !deleteGone:
			rest = append(rest, n)
		case n.Field == "" && (n.Access == "read" || !objectGone):
			gone = append(gone, n.Name) // of an object that is not seen, reading is what is missing
		case k == i:
			gone = append(gone, n.Name)
		}
	}
	return rest, gone
}

// broad is a mapping that uses every kind of right: it deletes, filters,
// computes, reads only, writes only, and has a field of its own.
const broad = `hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    create: in-salesforce
    deletes: archive
    fields:
      - {hubspot: name, salesforce: Name, direction: to-salesforce}
      - {hubspot: domain, salesforce: Website, direction: to-salesforce}
      - {hubspot: description, from: 'salesforce.Type + " " + salesforce.BillingCity'}
  - name: people
    hubspot: contacts
    salesforce: Contact
    match: [{hubspot: email, salesforce: Email, as: email}]
    create: never
    where: {salesforce: 'salesforce.Department != "Secret"'}
    fields:
      - {hubspot: phone, salesforce: Phone, direction: to-hubspot}
      - {hubspot: city, salesforce: MailingCity}
      - {hubspot: state, salesforce: MailingState}
`

func mappings(t *testing.T, p *pairOfAccounts) map[string][]byte {
	t.Helper()
	suggested, err := p.app.Draft(t.Context(), "acme", "acme")
	if err != nil {
		t.Fatal(err)
	}
	var presets []string
	for _, c := range mapping.PresetChoices() {
		presets = append(presets, c.Name)
	}
	every, err := p.app.DraftObjects(t.Context(), "acme", "acme", presets)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"the demo's mapping": suggested, "a mapping of every kind": []byte(broad), "every preset": every}
}

// TestLeastPrivilege is the promise of check: what it computes is enough, and
// none of it is too much.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for their limits more than it computes
	for name, text := range mappings(t, connectPair(t)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := connectPair(t)
			p.write(text)
			all := p.check()
			if !all.OK() || len(all.SuperfluousPermissions) == 0 || len(all.Superfluous) == 0 {
				t.Fatalf("with all rights: missing %v %v, superfluous %d and %d, problems %v", app.NeedNames(all.Missing), app.NeedNames(all.MissingPermissions), len(all.Superfluous), len(all.SuperfluousPermissions), all.Problems)
			}
			scopes := app.ScopeNames(all.Needed)
			p.grantScopes(scopes)
			p.grantPermissions(all.Permissions)

			t.Run("exactly what is needed is neither too little nor too much", func(t *testing.T) {
				exact := p.check()
				if !exact.OK() || len(exact.Superfluous) != 0 {
					t.Errorf("missing %v %v, superfluous %v, problems %v", app.NeedNames(exact.Missing), app.NeedNames(exact.MissingPermissions), exact.Superfluous, exact.Problems)
				}
				if diff := cmp.Diff([]string(nil), exact.SuperfluousPermissions); diff != "" {
					t.Errorf("superfluous (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(app.NeedNames(all.Permissions), app.NeedNames(exact.Permissions)); diff != "" {
					t.Errorf("the needs depend on what is granted (-all +exact):\n%s", diff)
				}
			})
			for _, scope := range scopes {
				if name == "every preset" && slices.Contains([]string{"contacts", "companies", "deals", "owners"}, strings.Split(scope+"..", ".")[2]) {
					continue // the demo's mapping has shown these
				}
				t.Run("without the scope "+scope, func(t *testing.T) {
					p.grantScopes(slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == scope }))
					p.names(t, scope)
				})
			}
			p.grantScopes(scopes)
			for i, need := range all.Permissions {
				if need.Field != "" && (need.Object == "Task" || need.Object == "Event") {
					continue // the sandbox shows the fields of activities to everybody
				}
				if name == "every preset" && slices.Contains([]string{"Account", "Contact", "Lead", "Opportunity"}, need.Object) {
					continue // the demo's mapping has shown these
				}
				t.Run("without "+need.Name, func(t *testing.T) {
					rest, gone := without(all.Permissions, i, false)
					p.grantPermissions(rest)
					if need.Access == "system" {
						p.refused(t, need.Name)
						return
					}
					p.names(t, gone...)
				})
				if need.Field != "" && need.Access == "edit" {
					t.Run("reading without "+need.Name, func(t *testing.T) {
						rest, gone := without(all.Permissions, i, true)
						p.grantPermissions(rest)
						p.names(t, gone...)
					})
				}
			}
			p.grantPermissions(all.Permissions)

			if name == "every preset" {
				p.addList()
			}
			t.Run("a sync passes with exactly what is needed", func(t *testing.T) { p.syncs(t) })
			if name == "every preset" && p.box.Salesforce().Count("CampaignMember") != 1 {
				t.Errorf("%d members of campaigns came of a list with one", p.box.Salesforce().Count("CampaignMember"))
			}
		})
	}
}

// addList makes a list with a person in it, which the seed does not have.
func (p *pairOfAccounts) addList() {
	p.t.Helper()
	hub := p.box.HubSpot()
	id, err := hub.Create("contacts", map[string]string{"lastname": "Guest", "email": "guest@elsewhere.example"})
	if err != nil {
		p.t.Fatal(err)
	}
	list, err := hub.AddList("contacts", "Fair")
	if err == nil {
		err = hub.AsPerson().ChangeList(list, []string{id}, nil)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// refused wants check to fail with the name of a right without which Salesforce
// answers nothing.
func (p *pairOfAccounts) refused(t *testing.T, name string) {
	t.Helper()
	_, err := p.app.Check(t.Context())
	if fault.KindOf(err) != fault.Denied || !strings.Contains(fault.MendOf(err), name) {
		t.Errorf("%v\n%s", err, fault.MendOf(err))
	}
}

// names wants check to name these rights, with the lines that need them, while
// nothing is written on either side.
func (p *pairOfAccounts) names(t *testing.T, names ...string) {
	t.Helper()
	before, hubSpotBefore := p.box.Salesforce().Changes(), p.box.HubSpot().Version()
	checked := p.check()
	missing := append(slices.Clone(checked.Missing), checked.MissingPermissions...)
	if diff := cmp.Diff(names, app.NeedNames(missing)); diff != "" {
		t.Fatalf("missing (-want +got):\n%s\nproblems: %v", diff, checked.Problems)
	}
	for _, need := range missing {
		if need.Why == "" || len(need.Places) == 0 {
			t.Errorf("%s: neither why nor where it is needed: %+v", need.Name, need)
		}
	}
	if checked.OK() || checked.ExitCode() != fault.ExitDenied {
		t.Errorf("exit code %d with %v missing; problems %v", checked.ExitCode(), names, checked.Problems)
	}
	if p.box.Salesforce().Changes() != before || p.box.HubSpot().Version() != hubSpotBefore {
		t.Error("check wrote something")
	}
}

func (p *pairOfAccounts) syncs(t *testing.T) {
	t.Helper()
	pair, err := p.app.Pair(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	for _, run := range []string{"first", "second"} {
		done, err := pair.Engine.Sync(context.Background(), engine.SyncOptions{ReleaseBrakes: true})
		if err != nil {
			t.Fatalf("the %s run: %v\n%s", run, err, fault.MendOf(err))
		}
		if done.Tally.Failed != 0 || !done.Closed {
			t.Errorf("the %s run: %+v", run, done.Tally)
		}
		if run == "first" && done.Writes.Sum() == 0 {
			t.Error("the first run writes nothing, and so proves nothing")
		}
		p.box.Clock().Advance(10 * time.Second)
	}
}

// TestTheFilesHoldExactlyWhatIsNeeded compares the files with what was computed.
func TestTheFilesHoldExactlyWhatIsNeeded(t *testing.T) {
	p := connectPair(t)
	p.write([]byte(broad))
	checked := p.check()
	text, err := mapping.PermissionSet("Lockstep", checked.Permissions)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/Lockstep.permissionset-meta.xml", text)
	for name, text := range mapping.ProjectApp("lockstep", checked.Needed) {
		golden(t, "testdata/project/"+name, text)
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
