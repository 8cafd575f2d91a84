package faults_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

type call struct{ side, method, path string }

var (
	readContacts  = call{"hubspot", "GET", "/crm/v3/objects/contacts"}
	writeContacts = call{"hubspot", "POST", "/crm/v3/objects/contacts/batch/update"}
	writeAccount  = call{"salesforce", "PATCH", "/services/data/v66.0/sobjects/Account/001000000000001AAA"}
)

func draw(s faults.Setting, calls ...call) []faults.Kind {
	var d faults.Dials
	d.Set(s)
	var kinds []faults.Kind
	for _, c := range calls {
		kinds = append(kinds, d.Draw(c.side, c.method, c.path).Kind)
	}
	return kinds
}

func TestRules(t *testing.T) {
	all := []call{readContacts, writeContacts, writeAccount, readContacts, writeContacts}
	const no = faults.None
	for _, test := range []struct {
		name string
		rule faults.Rule
		want []faults.Kind
	}{
		{"a bare rule hits every call", faults.Rule{Kind: "lock"}, []faults.Kind{"lock", "lock", "lock", "lock", "lock"}},
		{"a rule for one side spares the other", faults.Rule{Kind: "lock", Side: "salesforce"}, []faults.Kind{no, no, "lock", no, no}},
		{"a rule for a method spares the others", faults.Rule{Kind: "lock", Method: "PATCH"}, []faults.Kind{no, no, "lock", no, no}},
		{"write means all but GET", faults.Rule{Kind: "lock", Method: "write"}, []faults.Kind{no, "lock", "lock", no, "lock"}},
		{"a rule for a path wants its text", faults.Rule{Kind: "lock", Path: "/batch/"}, []faults.Kind{no, "lock", no, no, "lock"}},
		{"skip counts matching calls only", faults.Rule{Kind: "lock", Path: "contacts", Skip: 2}, []faults.Kind{no, no, no, "lock", "lock"}},
		{"times ends the rule", faults.Rule{Kind: "lock", Times: 2}, []faults.Kind{"lock", "lock", no, no, no}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := cmp.Diff(test.want, draw(faults.Setting{Rules: []faults.Rule{test.rule}}, all...)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestTheSameSeedMeetsTheSameFaults(t *testing.T) {
	calls := make([]call, 2000)
	for i := range calls {
		calls[i] = readContacts
	}
	setting := faults.Setting{Seed: 7, Rules: []faults.Rule{{Kind: faults.CutAfter, Share: .1}, {Kind: faults.TooMany, Share: .2}}}
	one := draw(setting, calls...)
	if d := cmp.Diff(one, draw(setting, calls...)); d != "" {
		t.Errorf("two draws differ:\n%s", d)
	}
	count := map[faults.Kind]int{}
	for _, k := range one {
		count[k]++
	}
	if count[faults.CutAfter] < 150 || count[faults.CutAfter] > 250 || count[faults.TooMany] < 280 || count[faults.TooMany] > 440 {
		t.Errorf("shares are off: %v", count)
	}
}

func TestServerErrorsAreCountedFromOne(t *testing.T) {
	var d faults.Dials
	d.Set(faults.Setting{LatencyMillis: 5, Rules: []faults.Rule{{Kind: faults.ServerError}}})
	for want := 1; want <= 5; want++ {
		if v := d.Draw("hubspot", "GET", "/"); v.Nth != want || v.Latency.Milliseconds() != 5 {
			t.Errorf("got %+v, want the hit number %d", v, want)
		}
	}
}

func TestZeroDialsLetAllPass(t *testing.T) {
	var d faults.Dials
	if v := d.Draw("hubspot", "POST", "/"); v != (faults.Verdict{}) || d.SearchLag() != 0 {
		t.Errorf("got %+v", v)
	}
}

// TestChancesDoNotShiftEachOther asks about calls with and without the other dials on.
func TestChancesDoNotShiftEachOther(t *testing.T) {
	setting := faults.Setting{Seed: 9, Rules: []faults.Rule{{Kind: faults.Locked, Share: 0.5}}}
	kinds := func(s faults.Setting, more bool) (out []faults.Kind) {
		var d faults.Dials
		d.Set(s)
		for range 50 {
			out = append(out, d.Draw("hubspot", "POST", "/").Kind)
			if more {
				d.Index()
				d.Event()
			}
		}
		return out
	}
	plain := kinds(setting, false)
	setting.SearchLoses, setting.Webhooks = 0.5, faults.Webhooks{DropShare: 0.5, DuplicateShare: 0.5, JitterMillis: 10}
	if diff := cmp.Diff(plain, kinds(setting, true)); diff != "" {
		t.Error(diff)
	}
}

func TestEventsPassUnlessADialIsTurned(t *testing.T) {
	var d faults.Dials
	if delays := d.Event(); len(delays) != 1 || delays[0] != 0 {
		t.Errorf("the zero dials give %v", delays)
	}
	d.Set(faults.Setting{SearchLagMillis: 5, Webhooks: faults.Webhooks{OneAtATime: true}})
	if delays := d.Event(); len(delays) != 1 || delays[0] != 0 {
		t.Errorf("one at a time gives %v", delays)
	}
	if lag, loses := d.Index(); lag.Milliseconds() != 5 || loses {
		t.Errorf("the index lags by %v, and loses %v", lag, loses)
	}
	d.Set(faults.Setting{SearchLoses: 1, Webhooks: faults.Webhooks{DropShare: 1}})
	if _, loses := d.Index(); !loses || len(d.Event()) != 0 {
		t.Error("a share of 1 is not all")
	}
}
