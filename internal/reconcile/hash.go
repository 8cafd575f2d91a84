package reconcile

import "hash/fnv"

// Hash is the 64-bit hash of a canonical form (FNV-1a): the same on every
// machine and in every release, and never 0, which means "nothing known".
func Hash(canonical string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(canonical)) // writing to a hash never fails
	if sum := h.Sum64(); sum != 0 {
		return sum
	}
	return 1
}

// ReferenceHash is what a reference to the record with this id contributes to a
// base. The engine puts it into slot Change.Slot of the written side's base
// once it knows the id that a Change.Ref stood for.
func ReferenceHash(id string) uint64 { return Hash(id) }
