//go:build !race

// The race detector deals out processor time at random, on purpose: what depends
// on the order in which goroutines wait for a lock is another history then.

package main

import (
	"runtime"
	"slices"
	"testing"
)

// TestTheSameSeedIsTheSameHistory plays seeds twice: every call, answer and
// change comes at the same moment and in the same order.
func TestTheSameSeedIsTheSameHistory(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // as the processes of a simulation have it
	dir := t.TempDir()
	for seed := uint64(1); seed <= 12; seed++ {
		s := newStory(seed)
		one, two := play(t, s, dir, true), play(t, newStory(seed), dir, true)
		if one.Trace == two.Trace {
			continue
		}
		for i := range one.Lines {
			if i >= len(two.Lines) || one.Lines[i] != two.Lines[i] {
				t.Errorf("seed %d, line %d:\n%s\n%s", seed, i, one.Lines[i], slices.Concat(two.Lines, make([]string, i+1))[i])
				break
			}
		}
	}
}
