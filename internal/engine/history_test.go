package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// story is the history of a record in short: "run woke outcome code".
func (w *world) story(id string) []string {
	w.t.Helper()
	e, s := w.open()
	defer s.Close()
	x, err := e.Explain(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, d := range x.Things[0].History {
		lines = append(lines, fmt.Sprintf("%d %s: %s %s", d.Run, d.Woke, d.Outcome, d.Reason.Code))
	}
	return lines
}

func TestHistoryTellsWhatWokeUsAndWhatCameOfIt(t *testing.T) {
	w := newWorld(t)
	ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	sub := w.hubspot.add("contacts", "lastname", "Sub", "email", "sub@acme.test", "lifecyclestage", "subscriber")
	w.sync()                                                              // 1
	w.hubspot.edit("contacts", ann, "lastname", "Lee-Ray")                // the poll sees it
	w.hubspot.edit("contacts", sub, "phone", "1")                         // still left out: told once
	w.sync()                                                              // 2
	w.hubspot.edit("contacts", sub, "lifecyclestage", "lead")             // now it takes part
	w.hubspot.edit("contacts", ann, "lastname", strings.Repeat("x", 300)) // longer than Salesforce takes
	w.sync()                                                              // 3
	w.sync()                                                              // 4: nothing new to tell
	w.hubspot.edit("contacts", ann, "lastname", "Lee")
	w.sync() // 5
	if diff := cmp.Diff([]string{"5 poll: synced synced.updated", "3 poll: held held.too-long", "2 poll: synced synced.updated", "1 complete read: synced synced.created"},
		w.story(ann)); diff != "" {
		t.Errorf("Ann (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"3 poll: synced synced.created", "1 complete read: excluded excluded.filter"}, w.story(sub)); diff != "" {
		t.Errorf("Sub (-want +got):\n%s", diff)
	}

	e, s := w.open()
	defer s.Close()
	x, err := e.Explain(context.Background(), ann)
	if err != nil {
		t.Fatal(err)
	}
	d := x.Things[0].History[2]
	if len(d.Writes) != 1 || d.Writes[0].Request == "" || d.Writes[0].Result != "done" || len(d.Filters) != 1 || !d.Filters[0].Passes {
		t.Fatalf("%+v", d)
	}
	if c := d.Writes[0].Changes[0]; *c.Before != "Lee" || *c.After != "Lee-Ray" || c.Why != "hubspot changed" {
		t.Errorf("%+v", c)
	}
}

func TestHistoryTellsTheMatchAndTheRefusal(t *testing.T) {
	w := newWorld(t)
	w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
	w.salesforce.add("Contact", "LastName", "Other", "Email", "Ann@acme.test")
	twin := w.hubspot.add("contacts", "lastname", "Twin", "email", "twin@acme.test")
	w.salesforce.add("Contact", "LastName", "Twin", "Email", "twin@acme.test")
	w.salesforce.add("Contact", "LastName", "Twin II", "Email", "twin@acme.test")
	w.salesforce.refuse = refuseNamed("Lee")
	e, s := w.open()
	defer s.Close()
	if _, err := e.Sync(context.Background(), engine.SyncOptions{}); err != nil {
		t.Fatal(err)
	}
	x, err := e.Explain(context.Background(), "ann@acme.test")
	if err != nil {
		t.Fatal(err)
	}
	d := x.Things[0].History[0]
	if d.Match != "email (email, Email)" || d.Candidates != 1 || d.Outcome != crm.Failed || d.Writes[0].Status != "REFUSED" {
		t.Errorf("%+v", d)
	}
	x, err = e.Explain(context.Background(), twin)
	if err != nil {
		t.Fatal(err)
	}
	if d := x.Things[0].History[0]; d.Candidates != 2 || d.Outcome != crm.Held {
		t.Errorf("%+v", d)
	}
}

func TestHistoryIsBoundedByNumberAndAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
		w.sync()
		for i := range 30 {
			w.hubspot.edit("companies", company, "name", fmt.Sprintf("Acme %d", i))
			w.sync()
		}
		if n := len(w.story(company)); n != 20 {
			t.Errorf("%d decisions are kept of one thing, want 20", n)
		}
		first := w.runs()[30]
		time.Sleep(91 * 24 * time.Hour)
		w.hubspot.clock = time.Now().UnixMicro()
		w.sync()
		if lines := w.story(company); len(lines) != 0 {
			t.Errorf("after 91 days: %v", lines)
		}
		_, s := w.open()
		rows, err := s.Journal(context.Background(), crm.Ref{Side: crm.Salesforce, Object: "Account", ID: w.salesforce.sorted("Account", func(*row) bool { return true })[0]}, 100)
		s.Close()
		if err != nil || len(rows) != 31 {
			t.Fatalf("%d entries in the journal, %v: the writes stay, without values", len(rows), err)
		}
		for _, r := range rows {
			if strings.Contains(string(r.Changes), "Acme") {
				t.Errorf("entry %d still holds its values", r.Seq)
			}
		}
		plan, _ := w.undo(first.ID, "")
		if plan.Writes() > 1 || plan.Tally.Synced+plan.Tally.Held != 1 {
			t.Errorf("undo of a run without images: %+v", plan.Tally)
		}
	})
}

func TestExplainAtAMomentTellsTheValuesThenAndWhoWon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hubspot.clock, w.salesforce.clock = time.Now().UnixMicro(), time.Now().UnixMicro()
		company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test", "phone", "1")
		account := w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test", "Phone", "1")
		day := func(n int) time.Time { return time.Date(2000, 1, 1+n, 12, 0, 0, 0, time.UTC) }
		at := func(n int) {
			time.Sleep(time.Until(day(n)))
			w.hubspot.clock, w.salesforce.clock = time.Now().UnixMicro(), time.Now().UnixMicro()
		}
		at(0)
		w.sync()
		at(2)
		w.hubspot.edit("companies", company, "name", "Acme Ltd")
		w.sync() // run 2
		at(4)
		w.salesforce.edit("Account", account, "Name", "Acme Inc")
		w.sync() // run 3
		at(6)
		e, s := w.open()
		defer s.Close()
		look := func(when time.Time) engine.PastField {
			t.Helper()
			past, err := e.ExplainAt(context.Background(), company, when)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range past.Things[0].Fields {
				if f.SalesforceField == "Name" {
					return f
				}
			}
			t.Fatal("no name")
			return engine.PastField{}
		}
		show := func(v engine.PastValue) string {
			if v.Value == nil {
				return fmt.Sprintf("nothing %v", v.Known)
			}
			return fmt.Sprintf("%s %v", *v.Value, v.Known)
		}
		for _, c := range []struct {
			when                     int
			hubspot, salesforce, won string
		}{
			{1, "Acme Ltd false", "Acme false", ""},
			{3, "Acme Ltd false", "Acme Ltd false", "hubspot in run 2"},
			{5, "Acme Inc true", "Acme Inc true", "salesforce in run 3"},
		} {
			f := look(day(c.when))
			won := ""
			if f.Won != nil {
				won = fmt.Sprintf("%s in run %d", f.Won.Side, f.Won.Run)
			}
			if got := []string{show(f.HubSpot), show(f.Salesforce), won}; !cmp.Equal(got, []string{c.hubspot, c.salesforce, c.won}) {
				t.Errorf("day %d: %v, want %v\n%s\n%s", c.when, got, []string{c.hubspot, c.salesforce, c.won}, f.HubSpot.How, f.Salesforce.How)
			}
		}
		if _, err := e.ExplainAt(context.Background(), company, time.Now().Add(time.Hour)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a moment to come: %v", err)
		}
	})
}

func TestExplainAtAMomentTakesTheVendorsOwnHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hubspot.historic = true
		at := func(n int) time.Time {
			day := time.Date(2000, 1, 1+n, 12, 0, 0, 0, time.UTC)
			time.Sleep(time.Until(day))
			w.hubspot.clock, w.salesforce.clock = day.UnixMicro(), day.UnixMicro()
			return day
		}
		at(0)
		company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
		w.sync()
		at(2)
		w.hubspot.edit("companies", company, "name", "Acme Ltd", "phone", "1")
		// Two edits between two syncs: no write of ours saw the first.
		at(4)
		w.hubspot.edit("companies", company, "name", "Acme Inc")
		w.sync()
		at(6)
		e, s := w.open()
		defer s.Close()
		for _, c := range []struct {
			day         int
			name, phone string
		}{
			{1, "Acme", "blank"},
			{3, "Acme Ltd by Ann", "1 by Ann"},
			{5, "Acme Inc by Ann", "1 by Ann"},
		} {
			past, err := e.ExplainAt(context.Background(), company, time.Date(2000, 1, 1+c.day, 12, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, f := range past.Things[0].Fields {
				v := f.HubSpot
				switch {
				case !v.Known:
					got[f.HubSpotField] = "not known: " + v.How
				case v.Value == nil:
					got[f.HubSpotField] = "blank"
				case v.By != "":
					got[f.HubSpotField] = *v.Value + " by " + v.By
				default:
					got[f.HubSpotField] = *v.Value
				}
			}
			if got["name"] != c.name || got["phone"] != c.phone {
				t.Errorf("day %d: %v", c.day, got)
			}
		}
	})
}
