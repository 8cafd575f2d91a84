package hubspot_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
)

func contacts(fields ...string) crm.Read {
	return crm.Read{Layout: crm.NewLayout("contacts", fields)}
}

// readAll reads the object and returns the ids in the order of ids.
func readAll(t testing.TB, client *hubspot.Client, read crm.Read) (map[string]crm.Record, crm.ReadReport, error) {
	t.Helper()
	got := map[string]crm.Record{}
	report, err := client.Read(t.Context(), read, func(records []crm.Record) error {
		for _, r := range records {
			if _, twice := got[r.ID]; twice {
				t.Errorf("record %s came twice", r.ID)
			}
			got[r.ID] = r
		}
		return nil
	})
	return got, report, err
}

func fill(p *portal, n int, id func(i int) uint64) {
	records := make([]*item, 0, n)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		records = append(records, &item{id: id(i), values: map[string]string{"email": fmt.Sprintf("p%d@acme.example", i)}, created: at, modified: at})
	}
	slices.SortFunc(records, func(a, b *item) int { return int(int64(a.id) - int64(b.id)) })
	p.records["contacts"] = records
}

func TestACompleteReadYieldsEveryRecordOnce(t *testing.T) {
	cases := []struct {
		name   string
		n      int
		id     func(i int) uint64
		change func(*portal)
		method string
		calls  int // at most
	}{
		{"an empty account", 0, nil, nil, "list", 2},
		{"one page", 100, func(i int) uint64 { return uint64(i + 1) }, nil, "list", 2},
		{"one record more than a page", 101, func(i int) uint64 { return uint64(i + 1) }, nil, "list", 3},
		{"few pages are read in order", 1000, func(i int) uint64 { return uint64(7*i + 1) }, nil, "list", 11},
		{"many pages are read in id ranges", 10_000, func(i int) uint64 { return uint64(13*i + 1) }, nil, "list, 3 id ranges", 105},
		{"cursors that name the next record", 10_000, func(i int) uint64 { return uint64(13*i + 1) }, func(p *portal) { p.inclusive = true }, "list, 3 id ranges", 105},
		{"ids without gaps", 5_000, func(i int) uint64 { return uint64(i + 1) }, nil, "list, 2 id ranges", 53},
		{"old small ids and new large ones", 20_000, func(i int) uint64 {
			if i < 12_000 {
				return uint64(i + 1)
			}
			return 180_000_000_000 + uint64(i)*1_000_003
		}, nil, "list, 3 id ranges", 206},
		{"cursors that are offsets are found out, and search stands in", 5_000, func(i int) uint64 { return uint64(3*i + 1) }, func(p *portal) { p.offsets = true }, "search, 2 id ranges", 35},
		{"a token that may not search", 3_000, func(i int) uint64 { return uint64(3*i + 1) }, func(p *portal) { p.noSearch = true }, "list", 31},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPortal()
				p.latency = 150 * time.Millisecond
				if c.change != nil {
					c.change(p)
				}
				fill(p, c.n, c.id)
				client := p.client(t, nil)
				got, report, err := readAll(t, client, contacts("email"))
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != c.n || report.Rows != c.n {
					t.Errorf("got %d records, report says %d, want %d", len(got), report.Rows, c.n)
				}
				want := c.n
				if p.noSearch {
					want = -1
				}
				if report.Expected != want {
					t.Errorf("got expected %d, want %d", report.Expected, want)
				}
				if report.Method != c.method {
					t.Errorf("read by %q, want %q", report.Method, c.method)
				}
				if report.Calls > c.calls || report.Calls != client.Usage().Calls {
					t.Errorf("it cost %d calls (usage %d), want at most %d", report.Calls, client.Usage().Calls, c.calls)
				}
				for _, r := range p.records["contacts"] {
					id := strconv.FormatUint(r.id, 10)
					if record := got[id]; record.Value("email").Text != r.values["email"] || record.ModifiedMicros != r.modified.UnixMicro() {
						t.Fatalf("record %s came as %+v", id, got[id])
					}
				}
			})
		})
	}
}

func TestAReadFillsTheWindowAtAnyLatency(t *testing.T) {
	for latency, most := range map[time.Duration]float64{150 * time.Millisecond: 1.10, 500 * time.Millisecond: 1.35} {
		t.Run(latency.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 60_000
				p := newPortal()
				p.latency = latency
				fill(p, n, func(i int) uint64 { return uint64(17*i + 1) })
				began := time.Now()
				_, report, err := readAll(t, p.client(t, nil), contacts("email"))
				if err != nil {
					t.Fatal(err)
				}
				took := time.Since(began)
				floor := time.Duration(n/100) * 10 * time.Second / 190
				if share := 1 + (most-1)/5; float64(report.Calls) > share*n/100 {
					t.Errorf("it cost %d calls, want at most %.2f of %d", report.Calls, share, n/100)
				}
				t.Logf("%d calls in %v, a floor of %d in %v", report.Calls, took, n/100, floor)
				if float64(took) > most*float64(floor) {
					t.Errorf("it took %v, want at most %v of %v", took, most, floor)
				}
			})
		})
	}
}

func TestAnyIDsAreReadCompletely(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 6000).Draw(rt, "records")
		seed := rapid.Uint64().Draw(rt, "seed")
		clusters := rapid.IntRange(1, 5).Draw(rt, "clusters")
		inclusive := rapid.Bool().Draw(rt, "inclusive cursors")
		var failure error
		synctest.Test(t, func(t *testing.T) {
			chance := rand.New(rand.NewPCG(seed, 1))
			p := newPortal()
			p.latency, p.inclusive = 50*time.Millisecond, inclusive
			used := map[uint64]bool{}
			fill(p, n, func(int) uint64 {
				for {
					cluster := chance.IntN(clusters)
					id := 1 + uint64(cluster*cluster)*40_000_000_000 + chance.Uint64N(uint64(n)*uint64(1+cluster*1000))
					if !used[id] {
						used[id] = true
						return id
					}
				}
			})
			got, report, err := readAll(t, p.client(t, nil), contacts())
			switch {
			case err != nil:
				failure = err
			case len(got) != n || report.Rows != n || report.Expected != n:
				failure = fmt.Errorf("got %d records, report %+v, want %d", len(got), report, n)
			}
		})
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

func TestAShortReadFailsLoudly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		fill(p, 50, func(i int) uint64 { return uint64(i + 1) })
		p.index = map[string][]*item{"contacts": p.records["contacts"]}
		p.records["contacts"] = p.records["contacts"][:47]
		got, report, err := readAll(t, p.client(t, nil), contacts())
		if fault.KindOf(err) != fault.Conflict || fault.MendOf(err) == "" {
			t.Errorf("got %v, want a conflict with a mend", err)
		}
		if len(got) != 47 || report.Rows != 47 || report.Expected != 50 {
			t.Errorf("got %d records and %+v", len(got), report)
		}
	})
}

// TestWhatIsCreatedWhileAllIsReadMakesNoReadShort: a record is archived before the
// list is read, and another one created after that: it is counted, not listed.
func TestWhatIsCreatedWhileAllIsReadMakesNoReadShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		fill(p, 50, func(i int) uint64 { return uint64(i + 1) })
		searches := 0
		p.intercept = func(request *http.Request, _ []byte) *http.Response {
			switch {
			case strings.HasSuffix(request.URL.Path, "/search"):
				if searches++; searches == 2 {
					p.add("contacts", 51, nil)
				}
			case searches == 1:
				p.records["contacts"] = p.records["contacts"][1:]
			}
			return nil
		}
		got, report, err := readAll(t, p.client(t, nil), contacts())
		if _, late := got["51"]; err != nil || report.Rows != 50 || len(got) != 50 || !late {
			t.Errorf("%d records, the late one %v, %+v, %v", len(got), late, report, err)
		}
	})
}

func TestAnIndexThatStillHoldsArchivedRecordsIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		fill(p, 50, func(i int) uint64 { return uint64(i + 1) })
		p.index = map[string][]*item{"contacts": p.records["contacts"]}
		p.records["contacts"] = p.records["contacts"][:47]
		time.AfterFunc(5*time.Second, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.index = nil
		})
		_, report, err := readAll(t, p.client(t, nil), contacts())
		if err != nil || report.Expected != 47 {
			t.Errorf("got %+v, %v; want 47 expected", report, err)
		}
	})
}

func TestAReadStopsWhenItsReaderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		p.latency = 10 * time.Millisecond
		fill(p, 9_000, func(i int) uint64 { return uint64(i + 1) })
		enough, pages := errors.New("enough"), 0
		_, err := p.client(t, nil).Read(t.Context(), contacts(), func([]crm.Record) error {
			if pages++; pages == 5 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || pages != 5 {
			t.Errorf("got %v after %d pages, want enough after 5", err, pages)
		}
	})
}

func TestValuesAndAssociationsTravelWithTheList(t *testing.T) {
	p := newPortal()
	p.now = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC) }
	r := p.add("contacts", 7, map[string]string{"email": "ü@acme.example", "note": "", "quote": `say "hi"\n`})
	r.associations = map[string][]association{"companies": {
		{id: 501, kinds: []string{"contact_to_company", "contact_to_company_unlabeled"}},
		{id: 502, kinds: []string{"contact_to_company_unlabeled"}},
	}}
	read := contacts("quote", "note", "never_set", "unknown_one", "email")
	read.Relations = []string{"companies"}
	got, _, err := readAll(t, p.client(t, nil), read)
	if err != nil {
		t.Fatal(err)
	}
	want := crm.Record{
		ID: "7", CreatedMicros: 1772366400123000, ModifiedMicros: 1772366400123000,
		Values: []crm.Value{
			{State: crm.Present, Text: `say "hi"\n`}, {State: crm.Blank}, {State: crm.Blank}, {State: crm.Missing},
			{State: crm.Present, Text: "ü@acme.example"},
		},
		Relations: []crm.Relation{{Object: "companies", ID: "501", Primary: true}, {Object: "companies", ID: "502"}},
	}
	record := got["7"]
	if record.Layout != read.Layout {
		t.Error("the record does not carry the layout of the read")
	}
	record.Layout = nil
	if diff := cmp.Diff(want, record); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestMorePropertiesThanAnAddressHoldsAreReadInBatches(t *testing.T) {
	p := newPortal()
	fill(p, 150, func(i int) uint64 { return uint64(i + 1) })
	fields := []string{"email"}
	for i := range 400 {
		fields = append(fields, fmt.Sprintf("a_property_with_a_long_name_%d", i))
	}
	longest := 0
	p.intercept = func(request *http.Request, _ []byte) *http.Response {
		longest = max(longest, len(request.URL.RequestURI()))
		return nil
	}
	got, report, err := readAll(t, p.client(t, nil), contacts(fields...))
	if err != nil || len(got) != 150 {
		t.Fatalf("got %d records, %v", len(got), err)
	}
	first := got["1"]
	if first.Value("email").Text != "p0@acme.example" || longest > 6200 || report.Calls != 5 {
		t.Errorf("got e-mail %q, longest address %d, %d calls", first.Value("email").Text, longest, report.Calls)
	}
}

func TestARefusedReadSaysWhatIsMissing(t *testing.T) {
	p := newPortal()
	p.intercept = func(request *http.Request, _ []byte) *http.Response {
		return reply(request, 403, `{"status":"error","message":"This app hasn't been granted all required scopes to make this call.","correlationId":"c-1","errors":[{"message":"One or more of the following scopes are required.","context":{"requiredGranularScopes":["crm.objects.contacts.read"]}}],"category":"MISSING_SCOPES"}`)
	}
	_, _, err := readAll(t, p.client(t, nil), contacts("email"))
	e, ok := fault.As(err)
	if !ok || e.Kind != fault.Denied || e.Code != "MISSING_SCOPES" || !slices.Equal(e.Scopes, []string{"crm.objects.contacts.read"}) || !strings.Contains(e.Mend, "crm.objects.contacts.read") {
		t.Errorf("got %#v", err)
	}
}
