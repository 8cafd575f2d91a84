package hubspot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestGoneTellsWhatWasMadeSinceAndIsArchived: with its values, from any page of
// what is archived; what lives, or was made before, is not told.
func TestGoneTellsWhatWasMadeSinceAndIsArchived(t *testing.T) {
	box, client := sandboxed(t, sandbox.Config{Seed: "empty"})
	now := box.Clock().Now()
	want := map[string]string{}
	for n := range 250 {
		at := now
		if n%10 != 0 {
			at = now.Add(-time.Hour)
		}
		name := fmt.Sprintf("Person %d", n)
		id := box.HubSpot().Insert("contacts", map[string]string{"lastname": name}, at, at)
		if n%20 == 0 {
			continue // it lives
		}
		if err := box.HubSpot().Archive("contacts", id); err != nil {
			t.Fatal(err)
		}
		if n%10 == 0 {
			want[id] = name
		}
	}
	got := map[string]string{}
	err := client.Gone(t.Context(), crm.Read{Layout: crm.NewLayout("contacts", []string{"lastname"})}, now.Add(-time.Minute).UnixMicro(), func(page []crm.Record) error {
		for i := range page {
			if r := &page[i]; r.Archived {
				got[r.ID] = r.Value("lastname").Text
			}
		}
		return nil
	})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}
