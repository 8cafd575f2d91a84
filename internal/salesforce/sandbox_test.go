package salesforce_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/salesforce"
	"github.com/lockstep-sync/lockstep/sandbox"
	server "github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

var _ engine.Side = (*salesforce.Client)(nil)

// org is a sandbox and a client that is connected to it.
type org struct {
	box    *sandbox.Sandbox
	server *server.Server
	client *salesforce.Client
}

func connect(t *testing.T, config sandbox.Config) *org {
	t.Helper()
	config.Random = 7
	box, err := sandbox.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	keys := box.Credentials().Salesforce
	tokens, err := credential.NewTokenSource(credential.Account{
		Name: "acme", Side: crm.Salesforce, Kind: credential.SalesforceClientCredentials,
		LoginURL: box.Salesforce().Origin(), ClientID: keys.ClientID,
	}, credential.Material{ClientSecret: credential.NewSecret(keys.ClientSecret)}, box.Client())
	if err != nil {
		t.Fatal(err)
	}
	client, err := salesforce.New(salesforce.Config{Tokens: tokens, HTTP: box.Client(), Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	return &org{box: box, server: box.Salesforce(), client: client}
}

func read(object string, fields ...string) crm.Read {
	return crm.Read{Layout: crm.NewLayout(object, fields)}
}

func all(t *testing.T, o *org, r crm.Read) ([]crm.Record, crm.ReadReport) {
	t.Helper()
	var records []crm.Record
	report, err := o.client.Read(t.Context(), r, func(page []crm.Record) error {
		records = append(records, page...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, report
}

func changes(t *testing.T, o *org, r crm.Read, since int64) (map[string]crm.Record, crm.ReadReport) {
	t.Helper()
	records := map[string]crm.Record{}
	report, err := o.client.Changes(t.Context(), r, since, func(page []crm.Record) error {
		for _, record := range page {
			records[record.ID] = record
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, report
}

func apply(t *testing.T, o *org, writes ...crm.Write) []crm.Result {
	t.Helper()
	results, err := o.client.Apply(t.Context(), writes)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(writes) {
		t.Fatalf("%d results for %d writes", len(results), len(writes))
	}
	return results
}

func value(name, text string) crm.FieldValue {
	return crm.FieldValue{Name: name, Value: crm.Text(text)}
}

func create(key string, fields ...crm.FieldValue) crm.Write {
	return crm.Write{Key: key, Op: crm.Create, Object: "Contact", Fields: fields}
}

func TestSandboxAccountSchemaAndOwners(t *testing.T) {
	o := connect(t, sandbox.Config{})
	account, err := o.client.Account(t.Context())
	if err != nil || account.ID != o.server.OrgID() || account.User != server.IntegrationUsername || account.API != o.server.Origin() {
		t.Errorf("%+v, %v", account, err)
	}
	objects, err := o.client.Objects(t.Context())
	if err != nil || !slices.ContainsFunc(objects, func(x crm.Object) bool { return x.Name == "Opportunity" && x.Prefix == "006" }) {
		t.Errorf("%d objects, %v", len(objects), err)
	}
	contact, err := o.client.Describe(t.Context(), "Contact")
	if err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, f := range contact.Fields {
		if f.Required {
			required = append(required, f.Name)
		}
	}
	if diff := cmp.Diff([]string{"LastName"}, required); diff != "" {
		t.Error(diff)
	}
	kinds := map[string]crm.Kind{
		"Id": crm.KindID, "LastName": crm.KindText, "Email": crm.KindEmail, "Phone": crm.KindPhone, "Birthdate": crm.KindDate, "AccountId": crm.KindReference,
		"OwnerId": crm.KindOwner, "LeadSource": crm.KindPicklist, "Description": crm.KindLongText, "HasOptedOutOfEmail": crm.KindBool, "CreatedDate": crm.KindDateTime, "MailingAddress": crm.KindOther,
	}
	for name, kind := range kinds {
		if f := contact.Field(name); f == nil || f.Kind != kind {
			t.Errorf("%s is %+v, want %s", name, f, kind)
		}
	}
	if f := contact.Field("HubSpot_Id__c"); f == nil || !f.ExternalID || !f.Unique {
		t.Errorf("the external id is %+v", f)
	}
	if _, err := o.client.Describe(t.Context(), "Nothing__c"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("an object that is not there: %v", err)
	}
	owners, err := o.client.Owners(t.Context())
	if err != nil || len(owners) < 2 || !slices.ContainsFunc(owners, func(x crm.Owner) bool { return x.Active && strings.Contains(x.Email, "@") }) {
		t.Errorf("%+v, %v", owners, err)
	}
}

func TestSandboxJWT(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	app, err := o.server.CreateApp(server.App{Name: "jwt", CertificatePEM: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})})
	if err != nil {
		t.Fatal(err)
	}
	account := credential.Account{
		Name: "acme", Side: crm.Salesforce, Kind: credential.SalesforceJWT, LoginURL: credential.DefaultSalesforceLoginURL,
		ClientID: app.ClientID, Username: server.IntegrationUsername,
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	tokens, err := credential.NewTokenSource(account, credential.Material{PrivateKey: credential.NewSecret(string(private))}, o.box.Client())
	if err != nil {
		t.Fatal(err)
	}
	client, err := salesforce.New(salesforce.Config{Tokens: tokens, HTTP: o.box.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := client.Account(t.Context()); err != nil || got.User != server.IntegrationUsername {
		t.Errorf("%+v, %v", got, err)
	}
	account.Username = "nobody@example.com"
	tokens, err = credential.NewTokenSource(account, credential.Material{PrivateKey: credential.NewSecret(string(private))}, o.box.Client())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Token(t.Context()); fault.KindOf(err) != fault.Denied || fault.MendOf(err) == "" {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestSandboxReadsEveryRecordInTheForecastNumberOfCalls(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	const n = 4_501
	for i := range n {
		o.server.Insert("Contact", map[string]any{"LastName": fmt.Sprintf("Fake %d", i), "Email": fmt.Sprintf("p%d@example.com", i)}, time.Time{}, time.Time{})
	}
	if _, err := o.client.Describe(t.Context(), "Contact"); err != nil {
		t.Fatal(err)
	}
	before := o.client.Usage().Calls
	records, report := all(t, o, read("Contact", "LastName", "Email", "AccountId"))
	if len(records) != n || report.Rows != n || report.Expected != n {
		t.Errorf("read %d, %+v", len(records), report)
	}
	ids := map[string]bool{}
	for _, r := range records {
		ids[r.ID] = true
	}
	if len(ids) != n {
		t.Errorf("%d different ids", len(ids))
	}
	spent := o.client.Usage().Calls - before
	if want := o.client.Forecast(crm.Work{Object: "Contact", Read: n}); spent != want || report.Calls != want {
		t.Errorf("%d calls, the report says %d, the forecast %d", spent, report.Calls, want)
	}
	if u := o.client.Usage(); u.DayLimit <= 0 || u.DayLeft <= 0 || u.Throttled != 0 {
		t.Errorf("%+v", u)
	}
}

func TestSandboxChanges(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	r := read("Contact", "LastName", "Email")
	var ids []string
	for i := range 3 {
		ids = append(ids, o.server.Insert("Contact", map[string]any{"LastName": fmt.Sprintf("Fake %d", i)}, time.Time{}, time.Time{}))
	}
	_, report := all(t, o, r)
	o.box.Clock().Advance(10 * time.Minute)
	_, report = changes(t, o, r, report.NextMicros)
	o.box.Clock().Advance(10 * time.Minute)
	if err := o.server.Update("Contact", ids[1], map[string]any{"Email": "new@example.com"}); err != nil {
		t.Fatal(err)
	}
	if err := o.server.Delete("Contact", ids[2]); err != nil {
		t.Fatal(err)
	}
	got, next := changes(t, o, r, report.NextMicros)
	if changed := got[ids[1]]; changed.Value("Email").Text != "new@example.com" || changed.Archived {
		t.Errorf("the changed one: %+v", changed)
	}
	if gone := got[ids[2]]; !gone.Archived || next.Archived != 1 {
		t.Errorf("the deleted one: %+v, %+v", gone, next)
	}
	if next.NextMicros < report.NextMicros {
		t.Error("the cursor went back")
	}
	before := o.client.Usage().Calls
	o.box.Clock().Advance(10 * time.Minute)
	_, quiet := changes(t, o, r, next.NextMicros)
	if spent := o.client.Usage().Calls - before; spent != 1 || quiet.Rows > 2 {
		t.Errorf("a quiet cycle cost %d calls and brought %d rows", spent, quiet.Rows)
	}
}

func TestSandboxLookupAndFind(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	name := `O'Brien \ "Größe" 株式会社`
	id := o.server.Insert("Contact", map[string]any{"LastName": name, "Email": "o'brien@example.com"}, time.Time{}, time.Time{})
	gone := o.server.Insert("Contact", map[string]any{"LastName": "Gone"}, time.Time{}, time.Time{})
	if err := o.server.Delete("Contact", gone); err != nil {
		t.Fatal(err)
	}
	r := read("Contact", "LastName", "Email")
	records, err := o.client.Lookup(t.Context(), r, []string{gone, id, "003000000000000AAA"})
	if err != nil || len(records) != 3 || !records[0].Archived || records[1].Value("LastName").Text != name || !records[2].Archived {
		t.Errorf("%+v, %v", records, err)
	}
	for field, wanted := range map[string]string{"Email": "O'BRIEN@Example.com", "LastName": name, "Id": id} {
		found, err := o.client.Find(t.Context(), r, field, []string{"nobody@example.com", wanted})
		if field == "Id" {
			found, err = o.client.Find(t.Context(), r, field, []string{wanted})
		}
		if err != nil || len(found) != 1 || found[0].ID != id {
			t.Errorf("by %s: %+v, %v", field, found, err)
		}
	}
	many := make([]string, 2_000)
	for i := range many {
		many[i] = fmt.Sprintf("person.with.a.long.name.%d@example.com", i)
	}
	before := o.client.Usage().Calls
	found, err := o.client.Find(t.Context(), r, "Email", append(many, "o'brien@example.com"))
	if err != nil || len(found) != 1 || o.client.Usage().Calls-before > 3 {
		t.Errorf("%d found in %d calls, %v", len(found), o.client.Usage().Calls-before, err)
	}
}
