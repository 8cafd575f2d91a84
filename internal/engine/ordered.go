package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// bothSides is the order in which the sides are asked.
var bothSides = []crm.Side{crm.HubSpot, crm.Salesforce}

// inOrder returns the keys of m in an order that is always the same: what makes
// calls goes through maps by it, so that one state leads to one row of calls.
func inOrder[K comparable, V any](m map[K]V) []K {
	keys := slices.Collect(maps.Keys(m))
	slices.SortFunc(keys, func(a, b K) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return keys
}
