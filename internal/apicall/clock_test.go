package apicall_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// TestWhatWasNotedInTheFutureHoldsNobodyBack: a process counted calls, and was told
// that none are left, while the clock ran a year ahead. Now it was put right: the
// vendor is asked, and what it says counts.
func TestWhatWasNotedInTheFutureHoldsNobodyBack(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	ahead := now.AddDate(1, 0, 0).Unix()
	lines := fmt.Sprintf(`{"at":%d,"by":1,"calls":900,"limit":1000,"left":0}`+"\n", ahead)
	if err := os.WriteFile(filepath.Join(dir, "hubspot-7-"+now.UTC().Format(time.DateOnly)+".calls"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, rolling := range []bool{false, true} {
		a := &account{limit: 1000, others: 100}
		p := a.process(t, dir, 0.5, rolling)
		if err := p.call(t); err != nil {
			t.Fatalf("rolling %v: %v (next: %s)", rolling, err, fault.MendOf(err))
		}
		if s := p.day.State(); s.Left < 800 || s.Spent > 2 {
			t.Errorf("rolling %v: %d are left and %d spent, want what the vendor says", rolling, s.Left, s.Spent)
		}
	}
}
