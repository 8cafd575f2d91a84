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
	// schemas as they are for a user who may do all.
	schemas map[string]*crm.Object
	// given is what was granted last, by object or object and field.
	given map[string]any
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

// learn remembers what there is to withhold.
func (p *pairOfAccounts) learn() {
	p.t.Helper()
	m, err := p.app.Mapping()
	if err != nil {
		p.t.Fatal(err)
	}
	sides, err := p.app.Sides(p.t.Context(), m.HubSpot, m.Salesforce, m.Budget)
	if err != nil {
		p.t.Fatal(err)
	}
	objects, err := sides.Salesforce.Objects(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	var names []string
	for _, o := range objects {
		names = append(names, o.Name)
	}
	schemas, err := app.Schemas(p.t.Context(), sides, nil, names)
	if err != nil {
		p.t.Fatal(err)
	}
	p.schemas = schemas.Salesforce
}

// grantPermissions gives the integration user these permissions and no others.
// What no permission governs stays as it is for everybody: objects of the
// system, and rows that belong to a parent.
func (p *pairOfAccounts) grantPermissions(needs []mapping.Need) {
	server := p.box.Salesforce()
	fields := map[string]string{}
	objects := map[string]salesforce.ObjectPermission{}
	for _, n := range needs {
		if n.Field != "" {
			fields[n.Object+"."+n.Field] = n.Access
			continue
		}
		o := objects[n.Object]
		switch n.Access {
		case "read":
			o.Read = true
		case "create":
			o.Create = true
		case "edit":
			o.Edit = true
		case "delete":
			o.Delete = true
		}
		objects[n.Object] = o
	}
	for name, schema := range p.schemas {
		if !governed(name) {
			continue
		}
		if p.changes(name, objects[name]) {
			server.SetPermission(salesforce.IntegrationUsername, name, objects[name])
		}
		for i := range schema.Fields {
			f := &schema.Fields[i]
			if !f.Permissionable || f.Compound == "Name" {
				continue
			}
			governs := f.Name
			if f.Compound != "" {
				governs = f.Compound
			}
			access := fields[name+"."+governs]
			if !p.changes(name+"."+f.Name, access) {
				continue
			}
			server.SetFieldPermission(salesforce.IntegrationUsername, name, f.Name, access != "", access == "edit")
		}
	}
}

// changes remembers what is given and tells whether that is new.
func (p *pairOfAccounts) changes(name string, given any) bool {
	if p.given == nil {
		p.given = map[string]any{}
	}
	before, known := p.given[name]
	p.given[name] = given
	return !known || before != given
}

// governed tells whether permission sets speak of an object. Everybody sees the
// organization and its users; a contact role follows its opportunity.
func governed(object string) bool {
	switch object {
	case "Account", "Contact", "Lead", "Opportunity", "Campaign", "Case", "Task", "Event", "Contract", "Product2":
		return true
	}
	return strings.HasSuffix(object, "__c")
}

// without are all needs but one; of a field for editing, reading may stay. With
// reading an object goes, in Salesforce, all else about it.
func without(needs []mapping.Need, i int, keepReading bool) []mapping.Need {
	rest, gone := slices.Clone(needs), needs[i]
	switch {
	case keepReading:
		rest[i].Access = "read"
		return rest
	case gone.Field == "" && gone.Access == "read":
		return slices.DeleteFunc(rest, func(n mapping.Need) bool { return n.Object == gone.Object && n.Field == "" })
	}
	return slices.Delete(rest, i, i+1)
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
	return map[string][]byte{"the demo's mapping": suggested, "a mapping of every kind": []byte(broad)}
}

// TestLeastPrivilege is the promise of check: what it computes is enough, and
// none of it is too much.
func TestLeastPrivilege(t *testing.T) {
	for name, text := range mappings(t, connectPair(t)) {
		t.Run(name, func(t *testing.T) {
			p := connectPair(t)
			p.write(text)
			p.learn()
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
				var more []string
				for _, name := range exact.SuperfluousPermissions {
					object, _, _ := strings.Cut(name, ":")
					object, _, _ = strings.Cut(object, ".")
					if governed(object) {
						more = append(more, name)
					}
				}
				if diff := cmp.Diff([]string(nil), more); diff != "" {
					t.Errorf("superfluous (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(app.NeedNames(all.Permissions), app.NeedNames(exact.Permissions)); diff != "" {
					t.Errorf("the needs depend on what is granted (-all +exact):\n%s", diff)
				}
			})
			for _, scope := range scopes {
				t.Run("without the scope "+scope, func(t *testing.T) {
					p.grantScopes(slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == scope }))
					p.names(t, scope)
				})
			}
			p.grantScopes(scopes)
			for i, need := range all.Permissions {
				if need.Access == "system" {
					continue // the server has no user without API access: such a user gets no answer at all
				}
				t.Run("without "+need.Name, func(t *testing.T) {
					p.grantPermissions(without(all.Permissions, i, false))
					p.names(t, need.Name)
				})
				if need.Field != "" && need.Access == "edit" {
					t.Run("reading without "+need.Name, func(t *testing.T) {
						p.grantPermissions(without(all.Permissions, i, true))
						p.names(t, need.Name)
					})
				}
			}
			p.grantPermissions(all.Permissions)

			t.Run("a sync passes with exactly what is needed", func(t *testing.T) { p.syncs(t) })
		})
	}
}

// names wants check to name one right, with the lines that need it, while
// nothing is written on either side; and a sync not to start.
func (p *pairOfAccounts) names(t *testing.T, name string) {
	t.Helper()
	before, hubSpotBefore := p.box.Salesforce().Count("Account"), p.box.HubSpot().Version()
	checked := p.check()
	missing := append(slices.Clone(checked.Missing), checked.MissingPermissions...)
	if diff := cmp.Diff([]string{name}, app.NeedNames(missing)); diff != "" {
		t.Fatalf("missing (-want +got):\n%s\nproblems: %v", diff, checked.Problems)
	}
	if need := missing[0]; need.Why == "" || len(need.Places) == 0 {
		t.Errorf("%s: neither why nor where it is needed: %+v", name, need)
	}
	if checked.OK() || checked.ExitCode() != fault.ExitDenied {
		t.Errorf("exit code %d with %s missing; problems %v", checked.ExitCode(), name, checked.Problems)
	}
	if after := p.box.Salesforce().Count("Account"); after != before || p.box.HubSpot().Version() != hubSpotBefore {
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
