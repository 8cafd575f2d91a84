package engine_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestExplainFindsARecordByAnyOfItsNames(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.sync()
	ann := w.hubspot.sorted("contacts", func(r *row) bool { return r.values["lastname"] == "Lee" })[0]
	annSF := w.salesforce.sorted("Contact", func(r *row) bool { return r.values["LastName"] == "Lee" })[0]
	e, s := w.open()
	defer s.Close()
	for name, query := range map[string]string{
		"HubSpot id":                    ann,
		"Salesforce id, 18 characters":  annSF,
		"e-mail in another case":        "ANN@acme.test",
		"HubSpot address":               "https://app.hubspot.com/contacts/123/record/0-1/" + ann,
		"old HubSpot address":           "https://app.hubspot.com/contacts/123/contact/" + ann,
		"Salesforce address":            "https://acme.lightning.force.com/lightning/r/Contact/" + annSF + "/view",
		"Salesforce address, id alone ": "https://acme.my.salesforce.com/" + annSF,
	} {
		t.Run(name, func(t *testing.T) {
			x, err := e.Explain(context.Background(), query)
			if err != nil {
				t.Fatal(err)
			}
			got := x.Things[0]
			if !got.Linked || got.HubSpot.ID != ann || got.Salesforce.ID != annSF || got.Outcome != crm.Unchanged || got.Title != "Ann Lee" {
				t.Errorf("%+v", got)
			}
			if len(got.Fields) == 0 || len(got.Keys) == 0 || len(got.Filters) != 1 || len(got.Writes) == 0 || got.Now == nil || got.Now.Outcome != crm.Unchanged {
				t.Errorf("fields %d, keys %d, filters %d, writes %d, now %+v", len(got.Fields), len(got.Keys), len(got.Filters), len(got.Writes), got.Now)
			}
		})
	}
}

func TestExplainSaysWhyARecordDidNotSync(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.sync()
	late := w.hubspot.add("contacts", "lastname", "Late", "email", "late@acme.test")
	e, s := w.open()
	defer s.Close()
	got := map[string]string{}
	for _, query := range []string{"sub@acme.test", "twin@acme.test", "noname@acme.test", late} {
		x, err := e.Explain(context.Background(), query)
		if err != nil {
			t.Fatal(err)
		}
		got[query] = string(x.Things[0].Outcome) + " " + x.Things[0].Reason.Code
	}
	want := map[string]string{
		"sub@acme.test":    "excluded excluded.filter",
		"twin@acme.test":   "held held.ambiguous-match",
		"noname@acme.test": "held held.required-blank",
		late:               "pending pending.not-seen",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := e.Explain(context.Background(), "nobody@nowhere.test"); fault.KindOf(err) != fault.NotFound || fault.MendOf(err) == "" {
		t.Errorf("a name that nobody has: %v", err)
	}
}

func TestVerifyComparesWhatBothSidesHold(t *testing.T) {
	w := newWorld(t)
	acme(w)
	w.sync()
	e, s := w.open()
	defer s.Close()
	verify := func() (*engine.Verification, []string) {
		t.Helper()
		var found []string
		v, err := e.Verify(context.Background(), func(f engine.Finding) error {
			if f.Verdict == engine.Differs || f.Verdict == engine.Missing {
				line := string(f.Verdict)
				for _, d := range f.Differences {
					line += " " + d.SalesforceField
				}
				found = append(found, line)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !v.Closed {
			t.Errorf("the sums do not close: %+v", v)
		}
		return v, found
	}
	v, found := verify()
	if !v.InStep || len(found) != 0 || v.Read != 11 {
		t.Fatalf("in step %v, read %d, found %v, %+v", v.InStep, v.Read, found, v.Objects)
	}
	// Behind everybody's back, without a stamp: no change feed would tell.
	for _, r := range w.salesforce.objects["Contact"] {
		if r.values["LastName"] == "Ray" {
			r.values["FirstName"] = "Robert"
		}
	}
	w.hubspot.add("contacts", "lastname", "New", "email", "new@acme.test")
	v, found = verify()
	if diff := cmp.Diff([]string{"differs FirstName", "missing"}, found); diff != "" || v.InStep {
		t.Errorf("in step %v (-want +got):\n%s", v.InStep, diff)
	}
}
