package mapping

import "strings"

// nearest returns the candidate that is most like name, or "" when none is
// like it. Case counts for little, so that "firstName" finds "firstname".
func nearest(name string, candidates []string) string {
	best, bestCost := "", 1+max(1, len([]rune(name))/3)
	folded := strings.ToLower(name)
	for _, c := range candidates {
		cost := 0
		if c != name {
			if lower := strings.ToLower(c); lower != folded {
				cost = distance(folded, lower, bestCost+1)
			}
		}
		if cost < bestCost || cost == bestCost && best != "" && c < best {
			best, bestCost = c, cost
		}
	}
	return best
}

// distance is the number of letters to add, drop, change or swap with their
// neighbour (optimal string alignment); it may stop counting at limit.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d >= limit || -d >= limit {
		return limit
	}
	before, row, next := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		next[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(y)]
}

// didYouMean turns a nearest name into a mend; empty when there is none.
func didYouMean(name string, candidates []string) string {
	if n := nearest(name, candidates); n != "" {
		return "did you mean " + n + "?"
	}
	return ""
}
