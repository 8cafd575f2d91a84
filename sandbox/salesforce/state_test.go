package salesforce

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStateIsSavedAndLoaded(t *testing.T) {
	o := newStory(t)
	if err := o.AddObject(Object{Name: "Thing__c", Fields: []Field{{Name: "Weight__c", Type: "double", Precision: 10, Scale: 2}, {Name: "Account__c", Type: "reference", ReferenceTo: []string{"Account"}, Children: "Things"}}}); err != nil {
		t.Fatal(err)
	}
	thing := o.create("Thing__c", `{"Name":"T","Weight__c":1.25,"Account__c":"`+o.idOf("Account", "Acme")+`"}`)
	o.do("POST", "/composite/sobjects", `{"allOrNone":true,"records":[{"attributes":{"type":"Account"},"Name":"hole"},{"attributes":{"type":"Account"}}]}`)
	o.create("Account", `{"Name":"behind the hole"}`)
	o.Delete("Contact", o.idOf("Contact", "Jörg Müller"))
	app := o.app(App{Name: "kept"})
	o.SetFieldPermission(IntegrationUsername, "Contact", "Fax", false, false)
	o.AddDuplicateRule(DuplicateRule{Object: "Lead"})
	o.RestrictPicklist("Account", "Industry", true)

	var first, second bytes.Buffer
	if err := o.SaveState(&first); err != nil {
		t.Fatal(err)
	}
	other := New(Config{Seed: 99, Clock: o.clock})
	if err := other.LoadState(bytes.NewReader(first.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := other.SaveState(&second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Fatalf("saved again (-first +second):\n%s", diff)
	}
	o.Server = other
	if g := o.do("GET", "/sobjects/Thing__c/"+thing, ""); g.Status != 200 || g.at("Weight__c") != 1.25 {
		t.Errorf("the session and the custom object: %d %s", g.Status, g.Body)
	}
	if got := o.soql("SELECT Name, (SELECT Name FROM Things__r) FROM Account WHERE Id IN (SELECT Account__c FROM Thing__c)"); len(got) != 1 || got[0]["Name"] != "Acme" {
		t.Errorf("relationships: %v", got)
	}
	if g := o.form("/services/oauth2/token", nil, "grant_type", "client_credentials", "client_id", app.ClientID, "client_secret", app.ClientSecret); g.Status != 200 {
		t.Errorf("the app: %d %s", g.Status, g.Body)
	}
	if g := o.do("PATCH", "/sobjects/Account/"+o.idOf("Account", "Acme"), `{"Industry":"Nonsense"}`); g.str("0.errorCode") != "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" {
		t.Errorf("the restricted picklist: %s", g.Body)
	}
	for name, text := range map[string]string{"nothing": "", "something else": "{}\n", "cut off": first.String()[:first.Len()-20]} {
		before := other.Count("Contact")
		if err := other.LoadState(strings.NewReader(text)); err == nil || other.Count("Contact") != before {
			t.Errorf("%s: error %v, %d contacts; want an error and %d", name, err, other.Count("Contact"), before)
		}
	}
}

func TestMergeMovesWhatBelongsToTheLosers(t *testing.T) {
	o := newStory(t)
	acme, globex := o.idOf("Account", "Acme"), o.idOf("Account", "Globex")
	if err := o.Merge("Account", acme, globex); err != nil {
		t.Fatal(err)
	}
	if got := o.names("SELECT Name FROM Contact WHERE AccountId = '" + acme + "' ORDER BY Name"); !slices.Equal(got, []string{"Ann Li", "Jörg Müller"}) {
		t.Errorf("contacts of the master: %v", got)
	}
	g := o.do("GET", "/queryAll?q="+escape("SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '"+globex+"'"), "")
	if g.at("records.0.IsDeleted") != true || g.at("records.0.MasterRecordId") != acme {
		t.Errorf("the loser: %s", g.Body)
	}
	if err := o.Merge("Account", acme, acme); err == nil {
		t.Error("a record was merged into itself")
	}
	if err := o.Merge("Opportunity", o.idOf("Opportunity", "Big"), o.idOf("Opportunity", "Small")); err == nil {
		t.Error("opportunities were merged")
	}
}

func TestLeadsAreConverted(t *testing.T) {
	o := newStory(t)
	lead := o.idOf("Lead", "Nowak")
	done, err := o.ConvertLead(lead, Conversion{})
	if err != nil {
		t.Fatal(err)
	}
	got := o.soql("SELECT IsConverted, Status, ConvertedAccountId, ConvertedContactId, ConvertedOpportunityId, ConvertedContact.Email, ConvertedAccount.Name FROM Lead WHERE Id = '" + lead + "'")[0]
	want := map[string]any{"IsConverted": true, "Status": "Closed - Converted", "ConvertedAccountId": done.AccountID, "ConvertedContactId": done.ContactID, "ConvertedOpportunityId": done.OpportunityID,
		"ConvertedContact": map[string]any{"Email": "nowak@hooli.example"}, "ConvertedAccount": map[string]any{"Name": "Hooli"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if g := o.do("PATCH", "/sobjects/Lead/"+lead, `{"Title":"x"}`); g.str("0.errorCode") != "CANNOT_UPDATE_CONVERTED_LEAD" {
		t.Errorf("an update after it: %s", g.Body)
	}
	if _, err := o.ConvertLead(lead, Conversion{}); err == nil {
		t.Error("it was converted twice")
	}
}

func TestGrantsCodesAndConsentsAreSavedAndLoaded(t *testing.T) {
	o := newOrg(t)
	app := o.webApp(nil)
	code := o.code(app)
	tokens := o.exchange(app, o.code(app))
	if err := o.SetSessionTimeout(8 * time.Hour); err != nil {
		t.Fatal(err)
	}
	before := o.Changes()
	refreshed := o.form("/services/oauth2/token", nil, "grant_type", "refresh_token", "client_id", app.ClientID, "client_secret", app.ClientSecret, "refresh_token", tokens.str("refresh_token"))
	if o.Changes() == before {
		t.Error("a rotated refresh token is no change: it would not be saved")
	}
	var first, second bytes.Buffer
	if err := o.SaveState(&first); err != nil {
		t.Fatal(err)
	}
	other := New(Config{Seed: 99, Clock: o.clock})
	if err := other.LoadState(bytes.NewReader(first.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := other.SaveState(&second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Fatalf("saved again (-first +second):\n%s", diff)
	}
	o.Server = other
	if g := o.exchange(app, code); g.Status != 200 {
		t.Errorf("a code from before: %d %s", g.Status, g.Body)
	}
	if got := o.SessionTimeout(); got != 8*time.Hour {
		t.Errorf("the session timeout is %s", got)
	}
	if got := o.browser().logIn(AdministratorUsername).get(authorizeQuery(app)); !strings.Contains(got.Location, "code=") {
		t.Errorf("a consent from before is asked for again: %+v", got)
	}
	g := o.form("/services/oauth2/token", nil, "grant_type", "refresh_token", "client_id", app.ClientID, "client_secret", app.ClientSecret, "refresh_token", tokens.str("refresh_token"))
	if g.str("error") != "invalid_grant" {
		t.Errorf("a token spent before: %s", g.Body)
	}
	g = o.form("/services/oauth2/token", nil, "grant_type", "refresh_token", "client_id", app.ClientID, "client_secret", app.ClientSecret, "refresh_token", refreshed.str("refresh_token"))
	if g.str("error") != "invalid_grant" {
		t.Errorf("the rest of its chain: %s", g.Body)
	}
}
