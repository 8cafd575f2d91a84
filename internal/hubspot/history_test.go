package hubspot_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestFieldTimesTellWhenAPropertyWasSetNotTheRecord edits properties at different
// moments and reads their times, more records than one call takes.
func TestFieldTimesTellWhenAPropertyWasSetNotTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, err := sandbox.New(sandbox.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		token := box.Credentials().HubSpot.PrivateApp
		c, err := hubspot.New(hubspot.Config{HTTP: box.Client(), Token: func(context.Context) (string, error) { return token, nil }})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for i := range 120 {
			id, err := box.HubSpot().Create("contacts", map[string]string{"email": "p" + strconv.Itoa(i) + "@acme.example", "city": "Berlin"})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		created := time.Now()
		time.Sleep(time.Hour)
		edited := time.Now()
		if err := box.HubSpot().Update("contacts", ids[7], map[string]string{"city": "Bonn"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if err := box.HubSpot().Update("contacts", ids[7], map[string]string{"phone": "030 1"}); err != nil {
			t.Fatal(err)
		}
		before := c.Usage().Calls
		times, err := c.FieldTimes(context.Background(), "contacts", append(ids, "999999999"), []string{"city", "email"})
		if err != nil {
			t.Fatal(err)
		}
		if n := c.Usage().Calls - before; n != 3 {
			t.Errorf("%d calls for 121 records, want 3", n)
		}
		if len(times) != len(ids) {
			t.Errorf("%d records, want %d", len(times), len(ids))
		}
		for id, want := range map[string]time.Time{ids[7]: edited, ids[8]: created} {
			if got := times[id]["city"]; got.Micros/1000 != want.UnixMilli() || got.OfRecord || got.By == "" {
				t.Errorf("city of %s: %+v, want %v", id, got, want.UnixMilli())
			}
		}
		if got := times[ids[7]]["email"]; got.Micros/1000 != created.UnixMilli() {
			t.Errorf("email: %+v", got)
		}
	})
}

// TestFieldHistoryTellsWhatAPropertyHeldBefore: all revisions of a property, oldest
// first, and whether they are all that there ever were.
func TestFieldHistoryTellsWhatAPropertyHeldBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, err := sandbox.New(sandbox.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		token := box.Credentials().HubSpot.PrivateApp
		c, err := hubspot.New(hubspot.Config{HTTP: box.Client(), Token: func(context.Context) (string, error) { return token, nil }})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		id, err := box.HubSpot().Create("contacts", map[string]string{"email": "ann@acme.example", "city": "Berlin"})
		if err != nil {
			t.Fatal(err)
		}
		for i, city := range []string{"Bonn", "", "Köln"} {
			time.Sleep(time.Until(start.Add(time.Duration(i+1) * time.Hour)))
			if err := box.HubSpot().Update("contacts", id, map[string]string{"city": city, "phone": strconv.Itoa(i)}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 30 {
			time.Sleep(time.Minute)
			if err := box.HubSpot().Update("contacts", id, map[string]string{"jobtitle": strconv.Itoa(i)}); err != nil {
				t.Fatal(err)
			}
		}
		revisions, whole, err := c.FieldHistory(t.Context(), "contacts", id, []string{"city", "jobtitle", "fax"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range revisions["city"] {
			got = append(got, strconv.FormatInt((r.Micros-start.UnixMicro())/time.Hour.Microseconds(), 10)+"h "+r.Value.Text)
			if r.By == "" {
				t.Errorf("nobody set %+v", r)
			}
		}
		if diff := gocmp.Diff([]string{"0h Berlin", "1h Bonn", "2h ", "3h Köln"}, got); diff != "" {
			t.Errorf("city (-want +got):\n%s", diff)
		}
		if !whole["city"] || whole["jobtitle"] || len(revisions["fax"]) != 0 {
			t.Errorf("whole %v, fax %v", whole, revisions["fax"])
		}
		if revisions, _, err := c.FieldHistory(t.Context(), "contacts", "999999999", []string{"city"}); err != nil || len(revisions) != 0 {
			t.Errorf("a record that is not there: %v, %v", revisions, err)
		}
	})
}
