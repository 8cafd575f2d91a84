package hubspot_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
)

// changesSince collects what Changes yields: ids of live and of gone records.
func changesSince(t testing.TB, client *hubspot.Client, read crm.Read, since int64) (live, gone []string, report crm.ReadReport) {
	t.Helper()
	report, err := client.Changes(t.Context(), read, since, func(records []crm.Record) error {
		for _, r := range records {
			switch {
			case r.MergedInto != "":
				gone = append(gone, r.ID+" into "+r.MergedInto)
			case r.Archived:
				gone = append(gone, r.ID)
			default:
				live = append(live, r.ID)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(live)
	slices.Sort(gone)
	return live, gone, report
}

func TestChangesAreNoticedAndAnIdleCycleCostsTwoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		p.latency = 20 * time.Millisecond
		for id := range uint64(500) {
			p.add("contacts", id+1, map[string]string{"email": fmt.Sprintf("p%d@acme.example", id+1)})
		}
		client := p.client(t, nil)
		time.Sleep(10 * time.Minute)
		report, err := client.Read(t.Context(), contacts("email"), func([]crm.Record) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		since := report.NextMicros
		if ago := time.Since(time.UnixMicro(since)); ago < time.Minute || ago > 2*time.Minute {
			t.Errorf("the next changes start %v ago, want the overlap of a minute", ago)
		}
		step := func(name string, wantLive, wantGone []string, mostCalls int) {
			t.Helper()
			time.Sleep(6 * time.Minute)
			live, gone, report := changesSince(t, client, contacts("email"), since)
			if diff := cmp.Diff([][]string{wantLive, wantGone}, [][]string{live, gone}); diff != "" {
				t.Errorf("%s: -want +got\n%s", name, diff)
			}
			if report.Calls > mostCalls {
				t.Errorf("%s: it cost %d calls, want at most %d", name, report.Calls, mostCalls)
			}
			if report.NextMicros < since {
				t.Errorf("%s: the next changes start before the last", name)
			}
			since = report.NextMicros
		}
		step("the first call looks at the archived list too", nil, nil, 3)
		step("idle", nil, nil, 2)
		p.find("contacts", 7).values["email"] = "new@acme.example"
		p.find("contacts", 7).modified = time.Now()
		step("one edit", []string{"7"}, nil, 2)
		step("idle after an edit", nil, nil, 2)
		p.add("contacts", 9001, nil)
		step("one new record", []string{"9001"}, nil, 2)
		r := p.find("contacts", 8)
		r.archived, r.archivedAt = true, time.Now()
		step("one archived record", nil, []string{"8"}, 3)
		step("idle after an archive", nil, nil, 2)
		r = p.find("contacts", 9)
		r.archived, r.archivedAt = true, time.Now()
		p.add("contacts", 9002, nil)
		// What was archived a moment ago may come again.
		step("one archived and one new at once", []string{"9002"}, []string{"8", "9"}, 3)
		for _, id := range []uint64{20, 21} {
			p.find("contacts", id).mergedInto = 9003
		}
		p.add("contacts", 9003, map[string]string{"hs_merged_object_ids": "20;21"})
		step("two merged into a new one", []string{"9003"}, []string{"20 into 9003", "21 into 9003", "8", "9"}, 3)
		step("idle at the end", nil, nil, 2)
	})
}

func TestManyChangesAtOneStampAreAllRead(t *testing.T) {
	for _, n := range []int{199, 200, 201, 12_345} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPortal()
				at := time.Now()
				for i := range n {
					p.records["contacts"] = append(p.records["contacts"], &item{id: uint64(i + 1), values: map[string]string{}, created: at.Add(-time.Hour), modified: at})
				}
				p.add("contacts", 1_000_000, nil).modified = at.Add(time.Second)
				time.Sleep(time.Minute)
				seen := map[string]bool{}
				report, err := p.client(t, nil).Changes(t.Context(), contacts(), at.Add(-time.Second).UnixMicro(), func(records []crm.Record) error {
					for _, r := range records {
						seen[r.ID] = true
					}
					return nil
				})
				if err != nil || len(seen) != n+1 {
					t.Fatalf("got %d records and %v, want %d", len(seen), err, n+1)
				}
				if most := n/200*2 + 8; report.Calls > most {
					t.Errorf("it cost %d calls, want at most %d", report.Calls, most)
				}
			})
		})
	}
}

func TestEditsDuringASearchLoseNoRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		p.latency = 100 * time.Millisecond
		start := time.Now()
		for i := range 1000 {
			p.records["contacts"] = append(p.records["contacts"], &item{id: uint64(i + 1), values: map[string]string{}, created: start, modified: start.Add(time.Duration(i) * time.Millisecond)})
		}
		time.Sleep(time.Minute)
		stop := make(chan struct{})
		go func() { // an editor who moves a record to the end every 30 ms
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(30 * time.Millisecond):
				}
				p.mu.Lock()
				p.records["contacts"][(i*7)%1000].modified = time.Now()
				p.mu.Unlock()
			}
		}()
		live, _, _ := changesSince(t, p.client(t, nil), contacts(), start.UnixMicro())
		close(stop)
		if got := len(slices.Compact(live)); got != 1000 {
			t.Errorf("got %d different records, want 1,000", got)
		}
	})
}

func TestAnIndexThatIsLateMakesTheOverlapGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lag = 4 * time.Minute
		p := newPortal()
		p.add("contacts", 1, nil)
		p.index = map[string][]*item{"contacts": nil}
		missed := map[string]bool{}
		edit := func(id uint64) {
			p.mu.Lock()
			defer p.mu.Unlock()
			r := p.add("contacts", id, nil)
			missed[strconv.FormatUint(id, 10)] = true
			time.AfterFunc(lag, func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.index["contacts"] = append(p.index["contacts"], r)
			})
		}
		client := p.client(t, nil)
		since := time.Now().UnixMicro()
		for i := range 60 {
			edit(uint64(100 + i))
			time.Sleep(30 * time.Second)
			report, err := client.Changes(t.Context(), contacts(), since, func(records []crm.Record) error {
				for _, r := range records {
					delete(missed, r.ID)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			since = report.NextMicros
		}
		// The last eight edits are not in the index yet.
		if len(missed) > 8 {
			t.Errorf("%d edits were never seen", len(missed))
		}
		overlap := time.Since(time.UnixMicro(since))
		t.Logf("overlap %v, %d not seen", overlap, len(missed))
		if overlap < lag {
			t.Errorf("the overlap is %v after a lag of %v was seen", overlap, lag)
		}
	})
}

func TestAssociationsOfChangedRecordsAreReadAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		r := p.add("contacts", 5, nil)
		r.associations = map[string][]association{"companies": {{id: 501, kinds: []string{"contact_to_company", "contact_to_company_unlabeled"}}, {id: 502, kinds: []string{"contact_to_company_unlabeled"}}}}
		read := contacts("email")
		read.Relations = []string{"companies"}
		var got []crm.Relation
		_, err := p.client(t, nil).Changes(t.Context(), read, time.Now().Add(-time.Minute).UnixMicro(), func(records []crm.Record) error {
			got = append(got, records[0].Relations...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []crm.Relation{{Object: "companies", ID: "501", Primary: true}, {Object: "companies", ID: "502"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}
