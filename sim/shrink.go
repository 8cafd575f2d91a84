package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// shrink takes steps out of a story as long as a violation of the same kind
// stays: halves first, then single steps, then what goes on within a step.
func shrink(t *testing.T, s *story, kind, root string, most time.Duration) *story {
	began := time.Now()
	stays := func(steps []step) bool {
		if time.Since(began) > most {
			return false
		}
		played := play(t, &story{seed: s.seed, family: s.family, steps: steps, slowest: s.slowest, skew: s.skew}, root, false)
		return slices.ContainsFunc(played.Violations, func(v violation) bool { return v.Kind == kind })
	}
	steps := slices.Clone(s.steps)
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(steps); {
			less := slices.Delete(slices.Clone(steps), at, at+size)
			if stays(less) {
				steps = less
			} else {
				at += size
			}
		}
	}
	for i := range steps {
		for _, simpler := range steps[i].simpler() {
			less := slices.Clone(steps)
			less[i] = simpler
			if stays(less) {
				steps = less
			}
		}
	}
	return &story{seed: s.seed, family: s.family, steps: steps, slowest: s.slowest, skew: s.skew}
}

// simpler lists forms of a step with less in them.
func (x step) simpler() []step {
	var out []step
	if x.during != nil {
		y := x
		y.during = nil
		out = append(out, y)
	}
	if x.dieAt > 0 {
		y := x
		y.dieAt, y.moment = 0, ""
		out = append(out, y)
	}
	if len(x.setup.Rules) > 0 || x.setup.SearchLagMillis > 0 {
		y := x
		y.setup = faults.Setting{Seed: x.setup.Seed, SearchLagMillis: x.setup.SearchLagMillis}
		out = append(out, y)
		y.setup = faults.Setting{Seed: x.setup.Seed, Rules: x.setup.Rules}
		out = append(out, y)
	}
	if x.complete {
		y := x
		y.complete = false
		out = append(out, y)
	}
	return out
}

// tell writes a story for people.
func (s *story) tell() string {
	var b strings.Builder
	b.WriteString(s.family.yaml)
	if s.skew != 0 {
		fmt.Fprintf(&b, "the vendors' clock is %s before ours\n", s.skew)
	}
	for i, x := range s.steps {
		fmt.Fprintf(&b, "%3d  %s\n", i, x.tell(s.family))
	}
	return b.String()
}
