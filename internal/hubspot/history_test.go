package hubspot_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

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
