package salesforce

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sorted(list []string) []string { slices.Sort(list); return list }

func TestSetupIsForAdministrators(t *testing.T) {
	o := newOrg(t)
	for _, path := range []string{"/setup", "/setup/external-client-apps", "/setup/external-client-apps/new", "/setup/connected-apps", "/setup/permission-sets", "/setup/users"} {
		if got := o.browser().get(path); got.Page.texts("h1")[0] != "Log in" || got.Page.attribute("input[name=startURL]", "value") != path {
			t.Errorf("%s without a login: %v", path, got.Page.texts("h1"))
		}
		got := o.browser().logIn(IntegrationUsername).get(path)
		if got.Status != 403 || !slices.Equal(got.Page.texts("main li"), []string{AdministratorUsername}) {
			t.Errorf("%s as another user: %d %v, want 403 and who can", path, got.Status, got.Page.texts("main li"))
		}
		if got := o.browser().logIn(AdministratorUsername).get(path); got.Status != 200 {
			t.Errorf("%s as the administrator: %d", path, got.Status)
		}
	}
}

func TestAnAppIsMadeByHand(t *testing.T) {
	o := newOrg(t)
	b := o.browser().logIn(AdministratorUsername)
	form := func(change func(url.Values)) visited {
		v := url.Values{"name": {"Sync"}, "contactEmail": {"ops@x.example"}, "callbacks": {callback + "\nhttps://sync.example/cb"}, "scopes": {"api", "refresh_token"},
			"flows": {"authorization_code", "refresh_token"}, "runAs": {IntegrationUsername}, "requireSecret": {"yes"}, "requirePkce": {"yes"}, "rotate": {"yes"},
			"refreshIdleDays": {"30"}, "permittedUsers": {"self-authorize"}}
		change(v)
		return b.send("POST", "/setup/external-client-apps/new", v)
	}
	for _, c := range []struct {
		name, key, value, want string
	}{
		{"a name is wanted", "name", "", "Give the app a name."},
		{"a contact is wanted", "contactEmail", "nobody", "Give the e-mail address of who looks after the app."},
		{"a callback is wanted", "callbacks", "", "The authorization code flow of app Sync needs a callback URL."},
		{"JWT wants a certificate", "flows", "jwt_bearer", "The JWT bearer flow needs a certificate: paste or choose a PEM file."},
		{"days are a number", "refreshIdleDays", "many", "The idle life of refresh tokens is a number of days."},
		{"a certificate is PEM", "certificate", "nonsense", "Certificate of app Sync: no PEM block in it."},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := form(func(v url.Values) { v.Set(c.key, c.value) })
			if got.Status != 400 || !slices.Equal(got.Page.texts("[role=alert]"), []string{c.want}) {
				t.Errorf("%d %v, want 400 %q", got.Status, got.Page.texts("[role=alert]"), c.want)
			}
			if c.key != "name" && got.Page.attribute("input[name=name]", "value") != "Sync" {
				t.Error("the form forgot what was typed")
			}
		})
	}
	got := form(func(url.Values) {})
	if got.Status != 200 || got.Page.texts("h1")[0] != "Sync" {
		t.Fatalf("create: %d %v", got.Status, got.Page.texts("[role=alert]"))
	}
	consumer := b.get(got.Page.attribute("a.consumer", "href"))
	app := o.Apps()[slices.IndexFunc(o.Apps(), func(a App) bool { return a.Name == "Sync" })]
	if consumer.Page.attribute("input[id=key]", "value") != app.ClientID || consumer.Page.attribute("input[id=secret]", "value") != app.ClientSecret {
		t.Errorf("key and secret are not those of the app")
	}
	want := App{Name: "Sync", ContactEmail: "ops@x.example", ClientID: app.ClientID, ClientSecret: app.ClientSecret, RunAs: IntegrationUsername,
		CallbackURLs: []string{callback, "https://sync.example/cb"}, Flows: []Flow{WebServer, RefreshToken}, Scopes: []string{"api", "refresh_token"},
		RequirePKCE: true, RotateRefreshTokens: true, RefreshIdleDays: 30, PermittedUsers: SelfAuthorized}
	if diff := cmp.Diff(want, app); diff != "" {
		t.Errorf("the app (-want +got):\n%s", diff)
	}
	if got := form(func(url.Values) {}); got.Status != 400 {
		t.Error("a second app of the name is made")
	}
	rotated := b.post("/setup/external-client-apps/" + app.ClientID + "/rotate")
	if secret := rotated.Page.attribute("input[id=secret]", "value"); secret == "" || secret == app.ClientSecret {
		t.Error("the secret is not another one after its rotation")
	}
	edited := b.post("/setup/external-client-apps/"+app.ClientID, "name", "Sync 2", "contactEmail", "ops@x.example", "scopes", "api", "flows", "client_credentials", "runAs", IntegrationUsername, "permittedUsers", "admin-approved", "profiles", "Standard User")
	if edited.Status != 200 || edited.Page.texts("h1")[0] != "Sync 2" {
		t.Errorf("edit: %d %v", edited.Status, edited.Page.texts("[role=alert]"))
	}
	if gone := b.post("/setup/external-client-apps/" + app.ClientID + "/delete"); strings.Contains(strings.Join(gone.Page.texts("td"), " "), "Sync") {
		t.Error("the app is still listed")
	}
}

func TestConnectedAppsExistButCannotBeMade(t *testing.T) {
	o := newOrg(t)
	b := o.browser().logIn(AdministratorUsername)
	got := b.get("/setup/connected-apps")
	if names := got.Page.texts("td a"); !slices.Equal(names, []string{"HubSpot connector (2021)"}) {
		t.Errorf("listed: %v", names)
	}
	got = b.post("/setup/connected-apps")
	if got.Status != 403 || !strings.Contains(strings.Join(got.Page.texts("[role=alert]"), ""), "Since Spring ’26") {
		t.Errorf("making one: %d %v", got.Status, got.Page.texts("[role=alert]"))
	}
	for _, name := range got.Page.texts("td a") {
		if name == "Lockstep" {
			t.Error("an external client app is listed as connected app")
		}
	}
}

func TestAPermissionSetIsDeployedEditedAndAssignedByHand(t *testing.T) {
	o := newOrg(t)
	b := o.browser().logIn(AdministratorUsername)
	got := b.post("/setup/deploy-permission-set", "xml", string(setFile(onField("Lead.Gone__c", "true"))))
	if got.Status != 400 || !slices.Equal(got.Page.texts("[role=alert] li"), []string{"In field: field - no CustomField named Lead.Gone__c found"}) {
		t.Errorf("a bad file: %d %v", got.Status, got.Page.texts("[role=alert] li"))
	}
	got = b.post("/setup/deploy-permission-set", "xml", string(setFile(onObject("Lead", "allowRead"), onField("Lead.Phone", "false"))))
	if got.Status != 200 || got.Page.texts("h1")[0] != "Lockstep sync Lockstep_sync" {
		t.Fatalf("deploy: %d %v", got.Status, got.Page.texts("h1"))
	}
	if got := b.post("/setup/permission-sets/Lockstep_sync", "object.Lead", "create", "system", "ApiEnabled"); got.Status != 400 {
		t.Errorf("creating without reading: %d", got.Status)
	}
	b.post("/setup/permission-sets/Lockstep_sync", "object.Lead", "read", "object.Lead", "edit", "system", "ApiEnabled")
	b.post("/setup/permission-sets/Lockstep_sync/Lead", "field.Phone", "read", "field.Phone", "edit", "field.Email", "read", "field.LastName", "edit")
	b.post("/setup/permission-sets/Lockstep_sync/assign", "username", IntegrationUsername)
	want := []PermissionSet{{Name: "Lockstep_sync", Label: "Lockstep sync", Objects: map[string]ObjectPermission{"Lead": {Read: true, Edit: true}},
		Fields: map[string]FieldPermission{"Lead.Phone": {Read: true, Edit: true}, "Lead.Email": {Read: true}}, UserPermissions: []string{"ApiEnabled"}}}
	if diff := cmp.Diff(want, o.PermissionSets()); diff != "" {
		t.Errorf("the set (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Lockstep_sync"}, o.PermissionSetsOf(IntegrationUsername)); diff != "" {
		t.Errorf("assigned (-want +got):\n%s", diff)
	}
	b.post("/setup/users", "username", IntegrationUsername, "profile", MinimumAccessIntegrationProfile)
	if diff := cmp.Diff(map[string]string{"Phone": "cu", "Email": "", "LastName": "cu"}, described(o, "Lead", "Phone", "Email", "LastName", "Title")); diff != "" {
		t.Errorf("what the user has (-want +got):\n%s", diff)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	o := newOrg(t)
	app := o.webApp(nil)
	answer := o.exchange(app, o.code(app))
	other := o.browser().logIn(IntegrationUsername)
	if got := other.get("/setup/sessions"); len(got.Page.texts("h2")) != 2 || strings.Contains(strings.Join(got.Page.texts("td"), " "), AdministratorUsername) {
		t.Errorf("another user sees more than his own: %v", got.Page.texts("td"))
	}
	b := o.browser().logIn(AdministratorUsername)
	page := b.get("/setup/sessions")
	if text := strings.Join(page.Page.texts("main"), " "); strings.Contains(text, answer.str("refresh_token")) || strings.Contains(text, answer.str("access_token")) {
		t.Error("the page shows a token")
	}
	mark := page.Page.attribute("input[name=mark]", "value")
	if got := other.post("/setup/sessions", "mark", mark); got.Status != 404 {
		t.Errorf("another user ends it: %d", got.Status)
	}
	b.post("/setup/sessions", "mark", mark)
	g := o.form("/services/oauth2/token", nil, "grant_type", "refresh_token", "client_id", app.ClientID, "client_secret", app.ClientSecret, "refresh_token", answer.str("refresh_token"))
	if g.str("error") != "invalid_grant" {
		t.Errorf("after the revocation: %s", g.Body)
	}
	o.token = answer.str("access_token")
	if g := o.do("GET", "/limits", ""); g.Status != 401 {
		t.Errorf("its access token: %d", g.Status)
	}
	b.post("/setup/sessions/timeout", "minutes", "30")
	if got := o.SessionTimeout().String(); got != "30m0s" {
		t.Errorf("the timeout is %s", got)
	}
	b.post("/logout")
	if got := b.get("/setup"); got.Page.texts("h1")[0] != "Log in" {
		t.Errorf("after logging out: %v", got.Page.texts("h1"))
	}
}
