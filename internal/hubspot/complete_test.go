package hubspot_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestR17TwentyFiveThousandRecordsOfOneStampAreAllRead: a bulk edit puts them on
// one millisecond, and a search gives no more than its first 10,000.
func TestR17TwentyFiveThousandRecordsOfOneStampAreAllRead(t *testing.T) {
	const records = 25_000
	synctest.Test(t, func(t *testing.T) {
		box, client := sandboxed(t, sandbox.Config{})
		at := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
		for i := range records {
			box.HubSpot().Insert("contacts", map[string]string{"email": fmt.Sprintf("p%d@acme.example", i)}, at.Add(-time.Hour), at)
		}
		count := func(read func(yield func([]crm.Record) error) (crm.ReadReport, error)) (int, crm.ReadReport) {
			t.Helper()
			ids := make(map[string]bool, records)
			report, err := read(func(page []crm.Record) error {
				for i := range page {
					ids[page[i].ID] = true
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return len(ids), report
		}
		n, report := count(func(yield func([]crm.Record) error) (crm.ReadReport, error) {
			return client.Changes(t.Context(), contacts("email"), at.Add(-time.Minute).UnixMicro(), yield)
		})
		if n != records {
			t.Errorf("the read of changes gave %d of %d records in %d calls", n, records, report.Calls)
		}
		n, report = count(func(yield func([]crm.Record) error) (crm.ReadReport, error) {
			return client.Read(t.Context(), contacts("email"), yield)
		})
		if all := box.HubSpot().Count("contacts"); n != all || report.Rows != all || report.Expected != all {
			t.Errorf("the complete read gave %d records, says %d of %d, want %d", n, report.Rows, report.Expected, all)
		}
	})
}

// TestR19AListThatGivesFewerThanSearchCountsFailsTheRead: the total of HubSpot's
// search is counted apart from the paging, and a list that stays short of it is
// no success.
func TestR19AListThatGivesFewerThanSearchCountsFailsTheRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		for i := range 250 {
			p.add("contacts", uint64(i+1), map[string]string{"email": fmt.Sprintf("p%d@acme.example", i)})
		}
		p.intercept = func(request *http.Request, _ []byte) *http.Response {
			if strings.HasSuffix(request.URL.Path, "/search") {
				return reply(request, 200, `{"total":250,"results":[{"id":"250","properties":{"hs_object_id":"250"}}]}`)
			}
			return nil
		}
		p.records["contacts"] = p.records["contacts"][:249]
		_, report, err := readAll(t, p.client(t, nil), contacts("email"))
		if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "249") || !strings.Contains(err.Error(), "250") {
			t.Errorf("%d of %d rows and the error %v, want one that tells 249 and 250", report.Rows, report.Expected, err)
		}
	})
}
