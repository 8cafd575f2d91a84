package cli

import (
	"testing"

	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// TestR2VerifyEndsNonZeroWhenTheSumsDoNotClose: complaint R2.
func TestR2VerifyEndsNonZeroWhenTheSumsDoNotClose(t *testing.T) {
	for name, c := range map[string]struct {
		v    engine.Verification
		want int
	}{
		"in step and closed":           {engine.Verification{Closed: true, InStep: true}, fault.ExitOK},
		"the sums do not close":        {engine.Verification{Closed: false, InStep: true}, fault.ExitRecords},
		"something differs or missing": {engine.Verification{Closed: true, InStep: false}, fault.ExitRecords},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exitCode(verifyVerdict(&c.v)); got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
		})
	}
}
