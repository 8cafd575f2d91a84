package hubspot_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// sandboxed opens a sandbox's HubSpot in process.
func sandboxed(t *testing.T, config sandbox.Config) (*sandbox.Sandbox, *hubspot.Client) {
	t.Helper()
	box, err := sandbox.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	client, err := hubspot.New(hubspot.Config{
		HTTP:  box.Client(),
		Token: func(context.Context) (string, error) { return box.Credentials().HubSpot.PrivateApp, nil },
		Seed:  1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return box, client
}

func TestTheSandboxIsDescribedAsAnAccountWouldBe(t *testing.T) {
	box, client := sandboxed(t, sandbox.Config{Seed: "small"})
	account, err := client.Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if account.ID != fmt.Sprint(box.Credentials().HubSpot.PortalID) || !slices.Contains(account.Scopes, "crm.objects.contacts.read") {
		t.Errorf("got %+v", account)
	}
	objects, err := client.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"contacts", "companies", "deals", "tickets"} {
		if !slices.ContainsFunc(objects, func(o crm.Object) bool { return o.Name == name }) {
			t.Errorf("%s are not listed", name)
		}
	}
	kinds := map[string]map[string]crm.Kind{
		"contacts":  {"email": crm.KindEmail, "firstname": crm.KindText, "phone": crm.KindPhone, "hubspot_owner_id": crm.KindOwner, "lifecyclestage": crm.KindPicklist, "hs_object_id": crm.KindID, "lastmodifieddate": crm.KindDateTime, "associatedcompanyid": crm.KindReference},
		"companies": {"name": crm.KindText, "domain": crm.KindText, "description": crm.KindLongText, "industry": crm.KindPicklist, "numberofemployees": crm.KindNumber, "is_public": crm.KindBool},
		"deals":     {"dealname": crm.KindText, "closedate": crm.KindDateTime, "dealstage": crm.KindPicklist, "pipeline": crm.KindPicklist},
	}
	for object, want := range kinds {
		o, err := client.Describe(t.Context(), object)
		if err != nil {
			t.Fatal(err)
		}
		for name, kind := range want {
			if f := o.Field(name); f == nil || f.Kind != kind {
				t.Errorf("%s.%s: got %+v, want %s", object, name, f, kind)
			}
		}
		if object == "deals" {
			if len(o.Pipelines) < 2 || len(o.Field("dealstage").Options) == 0 {
				t.Errorf("deals have %d pipelines and stages %v", len(o.Pipelines), o.Field("dealstage").Options)
			}
		}
	}
	if _, err := client.Describe(t.Context(), "p1_nothing"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	owners, err := client.Owners(t.Context())
	if err != nil || len(owners) == 0 || owners[0].Email == "" {
		t.Errorf("got owners %v, %v", owners, err)
	}
	if url := client.RecordURL("contacts", "5"); url == "" {
		t.Error("there is no record URL")
	}
}

func TestEveryRecordOfTheSandboxIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, client := sandboxed(t, sandbox.Config{Seed: "5000", Latency: 50 * time.Millisecond})
		for _, object := range []string{"contacts", "companies", "deals"} {
			read := crm.Read{Layout: crm.NewLayout(object, []string{"email", "name", "dealname", "hubspot_owner_id"})}
			if object != "companies" {
				read.Relations = []string{"companies"}
			}
			got, related := map[string]bool{}, 0
			report, err := client.Read(t.Context(), read, func(records []crm.Record) error {
				for _, r := range records {
					if got[r.ID] {
						t.Errorf("%s %s came twice", object, r.ID)
					}
					got[r.ID] = true
					related += len(r.Relations)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			want := box.HubSpot().Count(object)
			if len(got) != want || report.Expected != want {
				t.Errorf("%s: got %d records, expected %d, want %d", object, len(got), report.Expected, want)
			}
			if related == 0 && len(read.Relations) > 0 {
				t.Errorf("%s have no companies", object)
			}
			if forecast := client.Forecast(crm.Work{Object: object, Read: want}); report.Calls > forecast+2 || report.Calls < forecast-2 {
				t.Errorf("%s cost %d calls, forecast %d (%s)", object, report.Calls, forecast, report.Method)
			}
			t.Logf("%s: %+v", object, report)
		}
	})
}

func TestEditsInTheSandboxAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, client := sandboxed(t, sandbox.Config{Seed: "small", SearchLag: 5 * time.Second})
		time.Sleep(time.Hour)
		read := crm.Read{Layout: crm.NewLayout("contacts", []string{"firstname"})}
		var ids []string
		report, err := client.Read(t.Context(), read, func(records []crm.Record) error {
			for _, r := range records {
				ids = append(ids, r.ID)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		since := report.NextMicros
		changes := func() (live map[string]string, gone []string) {
			t.Helper()
			live = map[string]string{}
			report, err := client.Changes(t.Context(), read, since, func(records []crm.Record) error {
				for _, r := range records {
					if r.Archived {
						gone = append(gone, r.ID)
					} else {
						live[r.ID] = r.Value("firstname").Text
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			since = report.NextMicros
			return live, gone
		}
		if live, _ := changes(); len(live) > 0 {
			t.Errorf("nothing was changed, and %v came", live)
		}
		if err := box.HubSpot().Update("contacts", ids[3], map[string]string{"firstname": "Grace"}); err != nil {
			t.Fatal(err)
		}
		if live, _ := changes(); len(live) > 0 {
			t.Errorf("search is not late: %v", live)
		}
		time.Sleep(10 * time.Second)
		if live, _ := changes(); !maps.Equal(live, map[string]string{ids[3]: "Grace"}) {
			t.Errorf("got %v, want Grace", live)
		}
		if err := box.HubSpot().Archive("contacts", ids[4]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if _, gone := changes(); !slices.Equal(gone, []string{ids[4]}) {
			t.Errorf("got %v, want %s archived", gone, ids[4])
		}
	})
}

func TestWritesToTheSandboxReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, client := sandboxed(t, sandbox.Config{Seed: "empty"})
		var writes []crm.Write
		for i := range 150 {
			writes = append(writes, createWrite(fmt.Sprint("c", i), "email", fmt.Sprintf("p%d@acme.example", i), "firstname", "Ada"))
		}
		writes[7].Fields = append(writes[7].Fields, crm.FieldValue{Name: "no_such_property", Value: crm.Text("x")})
		writes[8].Fields = append(writes[8].Fields, crm.FieldValue{Name: "lifecyclestage", Value: crm.Text("no such stage")})
		writes = append(writes, createWrite("twice", "email", "P9@acme.example"))
		results, err := client.Apply(t.Context(), writes)
		if err != nil {
			t.Fatal(err)
		}
		said := verdicts(results)
		for i := range 150 {
			want := "ok created"
			switch i {
			case 7:
				want = "invalid PROPERTY_DOESNT_EXIST no_such_property"
			case 8:
				want = "invalid INVALID_OPTION lifecyclestage"
			case 9:
				continue // this one or its twin is first
			}
			if got := said[fmt.Sprint("c", i)]; got != want {
				t.Errorf("write %d: got %q, want %q", i, got, want)
			}
		}
		byKey := map[string]crm.Result{}
		for _, r := range results {
			byKey[r.Key] = r
		}
		if a, b := byKey["c9"], byKey["twice"]; a.ID == "" || a.ID != b.ID || (a.Err == nil) == (b.Err == nil) {
			t.Errorf("two creates with one e-mail: got %+v and %+v", a, b)
		}
		if got := box.HubSpot().Count("contacts"); got != 148 {
			t.Errorf("%d contacts were made, want 148", got)
		}

		company, err := client.Apply(t.Context(), []crm.Write{{Key: "co", Op: crm.Create, Object: "companies", Fields: []crm.FieldValue{{Name: "name", Value: crm.Text("Acme")}, {Name: "domain", Value: crm.Text("acme.example")}}}})
		if err != nil || company[0].Err != nil {
			t.Fatal(err, company)
		}
		id := byKey["c0"].ID
		results, err = client.Apply(t.Context(), []crm.Write{
			{Key: "update", Op: crm.Update, Object: "contacts", ID: id, Fields: []crm.FieldValue{{Name: "firstname", Value: crm.Text("Augusta")}, {Name: "lastname", Value: crm.Value{State: crm.Blank}}}},
			{Key: "relate", Op: crm.Relate, Object: "contacts", ID: id, Relation: crm.Relation{Object: "companies", ID: company[0].ID}},
			{Key: "archive", Op: crm.Archive, Object: "contacts", ID: byKey["c1"].ID},
			{Key: "nobody", Op: crm.Update, Object: "contacts", ID: "77", Fields: []crm.FieldValue{{Name: "firstname", Value: crm.Text("x")}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		said = verdicts(results)
		if said["update"] != "ok" || said["relate"] != "ok" || said["archive"] != "ok" || said["nobody"] == "ok" {
			t.Errorf("got %v", said)
		}
		read := crm.Read{Layout: crm.NewLayout("contacts", []string{"firstname", "lastname"}), Relations: []string{"companies"}}
		found, err := client.Lookup(t.Context(), read, []string{id, byKey["c1"].ID, "77"})
		if err != nil {
			t.Fatal(err)
		}
		wantRelations := []crm.Relation{{Object: "companies", ID: company[0].ID, Primary: true}}
		if found[0].Value("firstname").Text != "Augusta" || cmp.Diff(wantRelations, found[0].Relations) != "" || !found[1].Archived || !found[2].Archived {
			t.Errorf("got %+v", found)
		}
		inList := map[string][]crm.Relation{}
		if _, err := client.Read(t.Context(), read, func(records []crm.Record) error {
			for _, r := range records {
				inList[r.ID] = r.Relations
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantRelations, inList[id]); diff != "" {
			t.Errorf("the list and the batch tell relations apart: -want +got\n%s", diff)
		}
		results, err = client.Apply(t.Context(), []crm.Write{{Key: "unrelate", Op: crm.Unrelate, Object: "contacts", ID: id, Relation: crm.Relation{Object: "companies", ID: company[0].ID}}})
		if err != nil || results[0].Err != nil {
			t.Fatal(err, results)
		}
		if found, err = client.Lookup(t.Context(), read, []string{id}); err != nil || len(found[0].Relations) != 0 {
			t.Errorf("got %+v, %v", found, err)
		}
		byEmail, err := client.Find(t.Context(), read, "email", []string{"P3@ACME.example", "nobody@acme.example"})
		if err != nil || len(byEmail) != 1 || byEmail[0].ID != byKey["c3"].ID {
			t.Errorf("found %+v, %v", byEmail, err)
		}
	})
}

func TestWhatGoesWrongInTheSandboxIsMended(t *testing.T) {
	cases := []struct {
		name string
		kind faults.Kind
	}{
		{"one answer in ten is a 429", faults.TooMany},
		{"one answer in ten is a 5xx", faults.ServerError},
		{"one connection in ten breaks before", faults.CutBefore},
		{"one connection in ten breaks after", faults.CutAfter},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box, client := sandboxed(t, sandbox.Config{Seed: "3000"})
				box.Dials().Set(faults.Setting{Seed: 3, Rules: []faults.Rule{{Kind: c.kind, Share: 0.1}}})
				rows := 0
				_, err := client.Read(t.Context(), contacts("email"), func(records []crm.Record) error { rows += len(records); return nil })
				if err != nil || rows != box.HubSpot().Count("contacts") {
					t.Errorf("got %d records, %v", rows, err)
				}
				if client.Usage().Retries == 0 {
					t.Error("nothing went wrong")
				}
			})
		})
	}
}

func TestNoCreateIsSentTwiceWhenAnswersAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, client := sandboxed(t, sandbox.Config{Seed: "empty"})
		box.Dials().Set(faults.Setting{Seed: 9, Rules: []faults.Rule{{Kind: faults.CutAfter, Path: "/batch/create", Share: 0.2}}})
		var writes []crm.Write
		for i := range 2000 {
			writes = append(writes, createWrite(fmt.Sprint(i), "firstname", "Ada", "lastname", fmt.Sprint("Number ", i)))
		}
		results, err := client.Apply(t.Context(), writes)
		if err != nil && fault.KindOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
		made, unknown := 0, 0
		for _, r := range results {
			switch {
			case r.Err == nil:
				made++
			case r.Unknown:
				unknown++ // the connection was cut after the work was done
			}
		}
		if unknown == 0 || box.HubSpot().Count("contacts") != made+unknown {
			t.Errorf("%d contacts are there; %d were made for certain, %d perhaps", box.HubSpot().Count("contacts"), made, unknown)
		}
	})
}

func TestATokenOfTheSandboxWithoutAScopeIsToldWhichOne(t *testing.T) {
	box, _ := sandboxed(t, sandbox.Config{Seed: "small"})
	client, err := hubspot.New(hubspot.Config{HTTP: box.Client(), Token: func(context.Context) (string, error) { return box.Credentials().HubSpot.CompaniesOnly, nil }})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = readAll(t, client, contacts("email"))
	e, ok := fault.As(err)
	if !ok || e.Kind != fault.Denied || !slices.Contains(e.Scopes, "crm.objects.contacts.read") {
		t.Errorf("got %v", err)
	}
	client, err = hubspot.New(hubspot.Config{HTTP: box.Client(), Token: func(context.Context) (string, error) { return "pat-na1-00000000-fake-unknown", nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Account(t.Context()); fault.KindOf(err) != fault.Denied || fault.MendOf(err) == "" {
		t.Errorf("got %v", err)
	}
}
