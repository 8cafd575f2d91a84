package salesforce_test

import (
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox"
)

func TestFieldTimesAreThoseOfTheRecordAndSaySo(t *testing.T) {
	o := connect(t, sandbox.Config{})
	set := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	account := o.server.Insert("Account", map[string]any{"Name": "Acme"}, set.Add(-time.Hour), set)
	gone := o.server.Insert("Account", map[string]any{"Name": "Gone"}, set, set)
	if err := o.server.Delete("Account", gone); err != nil {
		t.Fatal(err)
	}
	times, err := o.client.FieldTimes(t.Context(), "Account", []string{account, gone}, []string{"Name", "Phone"})
	if err != nil {
		t.Fatal(err)
	}
	if len(times) != 1 || len(times[account]) != 2 {
		t.Fatalf("%+v", times)
	}
	for field, got := range times[account] {
		if got.Micros != set.UnixMicro() || !got.OfRecord || got.By == "" {
			t.Errorf("%s: %+v, want %v of the record, by somebody", field, got, set)
		}
	}
}
