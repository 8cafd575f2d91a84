package salesforce_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/salesforce"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
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

func TestSandboxWritesEveryKindOfValueAndReadsItBack(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	account := o.server.Insert("Account", map[string]any{"Name": "Acme"}, time.Time{}, time.Time{})
	fields := []crm.FieldValue{
		value("LastName", "Größe"), value("Email", "g@example.com"), value("Birthdate", "1980-02-29"), value("HasOptedOutOfEmail", "true"),
		value("AccountId", account[:15]), value("LeadSource", "Web"), value("Description", "two\nlines"),
	}
	made := apply(t, o, create("a", fields...))[0]
	if made.Err != nil || !made.Created {
		t.Fatalf("%+v", made)
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	check := func(want map[string]string) {
		t.Helper()
		records, err := o.client.Lookup(t.Context(), read("Contact", names...), []string{made.ID})
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if got := records[0].Value(name); got != crm.Text(text) {
				t.Errorf("%s is %+v, want %q", name, got, text)
			}
		}
	}
	check(map[string]string{"LastName": "Größe", "Birthdate": "1980-02-29", "HasOptedOutOfEmail": "true", "AccountId": account, "Description": "two\nlines"})
	blank := crm.Value{State: crm.Blank}
	changed := apply(t, o, crm.Write{Key: "b", Op: crm.Update, Object: "Contact", ID: made.ID, Fields: []crm.FieldValue{
		{Name: "Email", Value: blank}, {Name: "HasOptedOutOfEmail", Value: blank}, {Name: "AccountId", Value: blank}, value("LastName", "Small"),
	}})[0]
	if changed.Err != nil || changed.Created || changed.ID != made.ID {
		t.Fatalf("%+v", changed)
	}
	check(map[string]string{"LastName": "Small", "Email": "", "HasOptedOutOfEmail": "false", "AccountId": ""})
	if r := apply(t, o, crm.Write{Key: "c", Op: crm.Archive, Object: "Contact", ID: made.ID})[0]; r.Err != nil {
		t.Errorf("%+v", r)
	}
	if r := apply(t, o, crm.Write{Key: "d", Op: crm.Archive, Object: "Contact", ID: made.ID})[0]; r.Err != nil {
		t.Errorf("archiving twice: %+v", r)
	}
	if r := apply(t, o, crm.Write{Key: "e", Op: crm.Update, Object: "Contact", ID: made.ID, Fields: []crm.FieldValue{value("LastName", "x")}})[0]; fault.KindOf(r.Err) != fault.NotFound {
		t.Errorf("updating what is deleted: %+v", r)
	}
}

func TestSandboxRefusalsAreResultsOfTheirRecord(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	o.server.AddValidationRule("Contact", "no_robots", "Robots are not welcome", "LastName", func(f map[string]any) bool { return f["LastName"] == "Robot" })
	holder := o.server.Insert("Contact", map[string]any{"LastName": "Holder", "HubSpot_Id__c": "500"}, time.Time{}, time.Time{})
	results := apply(t, o,
		create("good", value("LastName", "Fine")),
		create("long", value("LastName", "x"), value("FirstName", strings.Repeat("x", 41))),
		create("missing", value("Email", "a@example.com")),
		create("email", value("LastName", "x"), value("Email", "no address")),
		create("rule", value("LastName", "Robot")),
		create("taken", value("LastName", "x"), value("HubSpot_Id__c", "500")),
		create("reference", value("LastName", "x"), value("AccountId", "001000000000000AAA")),
	)
	got := map[string]string{}
	for _, r := range results {
		got[r.Key] = r.Cause
		if r.Err != nil && (r.Unknown || r.Err.Error() == "") {
			t.Errorf("%+v", r)
		}
	}
	want := map[string]string{
		"good": "", "long": "STRING_TOO_LONG", "missing": "REQUIRED_FIELD_MISSING", "email": "INVALID_EMAIL_ADDRESS",
		"rule": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "taken": "DUPLICATE_VALUE", "reference": got["reference"],
	}
	if diff := cmp.Diff(want, got); diff != "" || got["reference"] == "" {
		t.Errorf("%s\nreference: %q", diff, got["reference"])
	}
	if results[5].ID != holder || fault.KindOf(results[5].Err) != fault.Conflict {
		t.Errorf("the holder of the value: %+v", results[5])
	}
	if diff := cmp.Diff([]string{"FirstName"}, results[1].Fields); diff != "" {
		t.Error(diff)
	}
}

func TestSandboxUpsertsTwiceMakeOneRecord(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	var writes []crm.Write
	for i := range 450 {
		writes = append(writes, crm.Write{
			Key: fmt.Sprint(i), Op: crm.Create, Object: "Contact", ExternalField: "HubSpot_Id__c", ExternalValue: fmt.Sprint(1000 + i),
			Fields: []crm.FieldValue{value("LastName", fmt.Sprintf("Fake %d", i))},
		})
	}
	for round := range 2 {
		before := o.client.Usage().Calls
		results := apply(t, o, writes...)
		for _, r := range results {
			if r.Err != nil || r.Created != (round == 0) || r.ID == "" {
				t.Fatalf("round %d: %+v", round, r)
			}
		}
		if spent := o.client.Usage().Calls - before; round == 1 && spent != o.client.Forecast(crm.Work{Object: "Contact", Create: len(writes)}) {
			t.Errorf("%d calls", spent)
		}
	}
	if n := o.server.Count("Contact"); n != len(writes) {
		t.Errorf("%d contacts", n)
	}
}

func TestSandboxDuplicateRule(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	o.server.AddDuplicateRule(server.DuplicateRule{Object: "Contact", Against: []string{"Contact", "Lead"}})
	twin := o.server.Insert("Contact", map[string]any{"LastName": "Twin", "Email": "twin@example.com"}, time.Time{}, time.Time{})
	r := apply(t, o, create("a", value("LastName", "Twin"), value("Email", "twin@example.com")))[0]
	if r.Cause != "DUPLICATES_DETECTED" || fault.KindOf(r.Err) != fault.Conflict || !strings.Contains(r.Err.Error(), twin) {
		t.Errorf("%+v: %v", r, r.Err)
	}
}

func TestSandboxRelations(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	deal := o.server.Insert("Opportunity", map[string]any{"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-01-01"}, time.Time{}, time.Time{})
	var people []string
	for i := range 3 {
		people = append(people, o.server.Insert("Contact", map[string]any{"LastName": fmt.Sprint(i)}, time.Time{}, time.Time{}))
	}
	relate := func(op crm.Op, contact string) crm.Write {
		return crm.Write{Key: contact, Op: op, Object: "Opportunity", ID: deal, Relation: crm.Relation{Object: "Contact", ID: contact, Label: "Decision Maker"}}
	}
	r := crm.Read{Layout: crm.NewLayout("Opportunity", []string{"Name"}), Relations: []string{"Contact"}}
	_, report := all(t, o, r)
	o.box.Clock().Advance(time.Hour)
	_, report = changes(t, o, r, report.NextMicros)
	for range 2 {
		for _, result := range apply(t, o, relate(crm.Relate, people[0]), relate(crm.Relate, people[1])) {
			if result.Err != nil || result.ID == "" {
				t.Fatalf("%+v", result)
			}
		}
	}
	if n := o.server.Count("OpportunityContactRole"); n != 2 {
		t.Fatalf("%d rows", n)
	}
	far := func(records ...crm.Record) []string {
		var ids []string
		for _, record := range records {
			for _, relation := range record.Relations {
				ids = append(ids, relation.ID)
			}
		}
		slices.Sort(ids)
		return ids
	}
	read, _ := all(t, o, r)
	looked, err := o.client.Lookup(t.Context(), r, []string{deal})
	if err != nil {
		t.Fatal(err)
	}
	changed, _ := changes(t, o, r, report.NextMicros)
	want := []string{people[0], people[1]}
	slices.Sort(want)
	for how, got := range map[string][]string{"read": far(read...), "looked up": far(looked...), "as a change": far(changed[deal])} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", how, diff)
		}
	}
	if result := apply(t, o, relate(crm.Unrelate, people[0]))[0]; result.Err != nil {
		t.Errorf("%+v", result)
	}
	changed, _ = changes(t, o, r, report.NextMicros)
	if diff := cmp.Diff([]string{people[1]}, far(changed[deal])); diff != "" {
		t.Error(diff)
	}
}

func TestSandboxFaults(t *testing.T) {
	tests := []struct {
		name    string
		rule    faults.Rule
		unknown bool // the create's fate is unknown
		made    int
	}{
		{"an expired session is renewed", faults.Rule{Kind: faults.Expired, Times: 1}, false, 1},
		{"a lock is waited for", faults.Rule{Kind: faults.Locked, Method: "write", Path: "/composite", Times: 1}, false, 1},
		{"a lost answer leaves the create unknown", faults.Rule{Kind: faults.CutAfter, Method: "write", Path: "/composite", Times: 1}, true, 1},
		{"a limit on long requests is waited for", faults.Rule{Kind: faults.TooMany, Method: "write", Path: "/composite", Times: 1}, false, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := connect(t, sandbox.Config{Seed: "empty"})
				if _, err := o.client.Describe(t.Context(), "Contact"); err != nil {
					t.Fatal(err)
				}
				test.rule.Side = "salesforce"
				o.box.Dials().Set(faults.Setting{Seed: 1, LatencyMillis: 100, Rules: []faults.Rule{test.rule}})
				r := apply(t, o, create("a", value("LastName", "Fake")))[0]
				if r.Unknown != test.unknown || (r.Err != nil) != test.unknown {
					t.Errorf("%+v", r)
				}
				if n := o.server.Count("Contact"); n != test.made {
					t.Errorf("%d contacts", n)
				}
			})
		})
	}
	t.Run("a record that somebody holds is sent again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := connect(t, sandbox.Config{Seed: "empty"})
			id := o.server.Insert("Contact", map[string]any{"LastName": "Held"}, time.Time{}, time.Time{})
			o.server.Lock("Contact", id, 2)
			r := apply(t, o, crm.Write{Key: "a", Op: crm.Update, Object: "Contact", ID: id, Fields: []crm.FieldValue{value("LastName", "Free")}})[0]
			if r.Err != nil {
				t.Errorf("%+v", r)
			}
		})
	})
	t.Run("a used-up day stops everything", func(t *testing.T) {
		o := connect(t, sandbox.Config{Seed: "empty", SalesforceDaily: 1_000})
		if _, err := o.client.Describe(t.Context(), "Contact"); err != nil {
			t.Fatal(err)
		}
		o.server.SetUsed(1_000)
		results, err := o.client.Apply(context.Background(), []crm.Write{create("a", value("LastName", "Fake"))})
		if fault.KindOf(err) != fault.RateLimited || len(results) != 1 || results[0].Unknown {
			t.Errorf("%v, %+v", err, results)
		}
	})
	t.Run("a field that the user may not see is named", func(t *testing.T) {
		o := connect(t, sandbox.Config{Seed: "empty"})
		o.server.SetFieldPermission(server.IntegrationUsername, "Contact", "Title", true, false)
		r := apply(t, o, create("a", value("LastName", "x"), value("Title", "CEO")))[0]
		if r.Cause != "INVALID_FIELD_FOR_INSERT_UPDATE" || fault.MendOf(r.Err) == "" {
			t.Errorf("%+v", r)
		}
	})
}
