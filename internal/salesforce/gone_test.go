package salesforce_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestGoneTellsWhatWasMadeSinceAndIsDeleted: with its values, and where it was
// merged; what lives, or was made before, is not told.
func TestGoneTellsWhatWasMadeSinceAndIsDeleted(t *testing.T) {
	o := connect(t, sandbox.Config{Seed: "empty"})
	now := o.box.Clock().Now()
	insert := func(name string, at time.Time) string {
		return o.server.Insert("Contact", map[string]any{"LastName": name, "HubSpot_Id__c": name}, at, at)
	}
	old, lost, merged, living := insert("Old", now.Add(-time.Hour)), insert("Lost", now), insert("Merged", now), insert("Living", now)
	for _, id := range []string{old, lost} {
		if err := o.server.Delete("Contact", id); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.server.Merge("Contact", living, merged); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{lost: "Lost, merged into ", merged: "Merged, merged into " + living}
	got := map[string]string{}
	err := o.client.Gone(t.Context(), read("Contact", "LastName", "HubSpot_Id__c"), now.Add(-time.Minute).UnixMicro(), func(page []crm.Record) error {
		for i := range page {
			if r := &page[i]; r.Archived {
				got[r.ID] = r.Value("LastName").Text + ", merged into " + r.MergedInto
			}
		}
		return nil
	})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}
