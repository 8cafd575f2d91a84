package mapping

import (
	"encoding/binary"
	"hash/fnv"
)

// canonicalForms counts changes to how package reconcile writes canonical
// values; a base made with another form is not compared with.
const canonicalForms = 2

// baseSlots says for each slot of a base what its values mean: a hash of its name
// and of everything that gives them their form. A slot that means the same in
// two versions of a mapping can be taken over.
func baseSlots(o *BoundObject) []uint64 {
	slots := make([]uint64, len(o.BaseNames))
	for slot, name := range o.BaseNames {
		h := fnv.New64a()
		put(h, canonicalForms, name)
		if name == SlotRules {
			put(h, o.RuleFields)
		}
		for _, t := range o.Targets {
			if name == SlotRules {
				put(h, t.Object, t.RuleFields)
			}
			for i := range t.Fields {
				if f := &t.Fields[i]; f.Slot == slot {
					put(h, t.Object, f.From, f.Shift, kindOf(f.HubSpotField), kindOf(f.SalesforceField))
				}
			}
			for i := range t.Associations {
				if a := &t.Associations[i]; a.Slot == slot && a.Junction {
					join := a.Join()
					put(h, t.Object, struct{ object, near, far, farObject, label, primary string }{join.Object, join.Near, join.Far, join.FarObject, join.Label, join.Primary}, a.Labels)
					for _, end := range join.Also {
						put(h, end.Field, end.Object)
					}
				}
			}
		}
		slots[slot] = h.Sum64()
	}
	return slots
}

// baseVersion says which bases can be compared: same slots, same meaning.
func baseVersion(slots []uint64) uint64 {
	h := fnv.New64a()
	var buffer [8]byte
	for _, slot := range slots {
		binary.LittleEndian.PutUint64(buffer[:], slot)
		_, _ = h.Write(buffer[:]) // writing to a hash never fails
	}
	return h.Sum64()
}
