package cli

import (
	"testing"

	"github.com/lockstep-sync/lockstep/internal/engine"
)

func TestStatusSaysHowMuchOfARoundIsLeft(t *testing.T) {
	for _, c := range []struct {
		sweep engine.StatusSweep
		want  string
	}{
		{engine.StatusSweep{Looked: 1000, Left: 1300, Cycles: 2, Round: 3}, "Associations of people: 1,000 records looked at in this round, 1,300 left, which takes 2 more cycles of 3; what only associates records is noticed in their turn"},
		{engine.StatusSweep{Looked: 99_000, Left: 800, Cycles: 1, Round: 100}, "Associations of people: 99,000 records looked at in this round, 800 left, which takes 1 more cycle of 100; what only associates records is noticed in their turn"},
	} {
		if got := sweepInWords("people", &c.sweep); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
