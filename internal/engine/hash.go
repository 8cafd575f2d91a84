package engine

import (
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// hasher is FNV-1a, 64 bits: stable across runs and machines.
// http://www.isthe.com/chongo/tech/comp/fnv/
type hasher uint64

func newHasher() hasher { return 14695981039346656037 }

func (h hasher) text(s string) hasher {
	for i := range len(s) {
		h = (h ^ hasher(s[i])) * 1099511628211
	}
	return (h ^ 0xff) * 1099511628211 // 0xff never stands in UTF-8: "a","bc" is not "ab","c"
}

func (h hasher) number(n uint64) hasher {
	for range 8 {
		h = (h ^ hasher(n&0xff)) * 1099511628211
		n >>= 8
	}
	return h
}

// sum is never 0: 0 means "not known".
func (h hasher) sum() uint64 {
	// The last bits of FNV are weak; one round of mixing spreads them.
	x := uint64(h)
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	if x == 0 {
		return 1
	}
	return x
}

// lens knows what to look at in records of one object of one side.
type lens struct {
	side    crm.Side
	object  string
	read    crm.Read
	layout  uint64
	version uint64
	// blind: no filter or expression reads this side, so a record that we made
	// and that holds what we wrote needs no second look.
	blind bool
	// rows are the objects that join records of this one with others.
	rows []string
	// derived are the slots of the base into which fields go that the vendor
	// calculates, stamped those of all other fields; narrow reads what the derived
	// ones are made of.
	derived []int
	stamped []int
	narrow  crm.Read
}

// newLens works out the lens for one object.
func newLens(m *mapping.Bound, o *mapping.BoundObject, side crm.Side, object string, read crm.Read) *lens {
	l := &lens{side: side, object: object, read: read, layout: layoutHash(read.Layout), version: m.Version ^ o.BaseVersion,
		blind: true}
	look := func(p *mapping.Program) {
		if p != nil && (side == crm.HubSpot && len(p.HubSpotFields) > 0 || side == crm.Salesforce && len(p.SalesforceFields) > 0) {
			l.blind = false
		}
	}
	look(o.WhereHubSpot)
	look(o.WhereSalesforce)
	for _, t := range o.Targets {
		look(t.When)
		for _, f := range t.Fields {
			look(f.Program)
		}
	}
	l.divide(o)
	return l
}

// look hashes everything that was read of a record, as the vendor wrote it.
// Relations count in any order. The hash changes when the mapping does, so a
// new mapping looks at every record again.
func (l *lens) look(r *crm.Record) uint64 {
	h := newHasher().number(l.version)
	if r.Archived {
		h = h.text("archived").text(r.MergedInto)
	}
	for _, v := range r.Values {
		h = h.number(uint64(v.State)).text(v.Text)
	}
	return h.number(relationsSum(r)).sum()
}

// own hashes what a record holds itself, its associations left out: what rests
// after an undo rests until that changes. An association ends with the record at
// its other end, which the undo may be the one to archive.
func (l *lens) own(r *crm.Record) uint64 {
	alone := *r
	alone.Relations = nil
	return l.look(&alone)
}

// relationsSum counts relations in any order.
func relationsSum(r *crm.Record) uint64 {
	var sum uint64
	for _, x := range r.Relations {
		one := newHasher().text(x.Object).text(x.ID).text(x.Label).text(x.RowID).text(x.Junction)
		if x.Primary {
			one = one.text("primary")
		}
		sum += one.sum()
	}
	return sum
}

// related hashes a HubSpot record's associations alone; 0 where none are read.
func (l *lens) related(r *crm.Record) uint64 {
	if l.side != crm.HubSpot || len(l.read.Relations) == 0 {
		return 0
	}
	return newHasher().number(l.version).number(relationsSum(r)).sum()
}

// see notes what was read of a record.
func (l *lens) see(o *mapping.BoundObject, r *crm.Record) sight {
	return sight{Seen: l.look(r), Related: l.related(r), Calculated: l.calculated(o, r)}
}

// print is one hash over the mapped content of a record, in canonical form:
// what a vendor only formats differently prints the same.
func (l *lens) print(o *mapping.BoundObject, r *crm.Record) uint64 {
	return sumOf(reconcile.Fingerprint(o, l.side, l.object, r))
}

func sumOf(print []uint64) uint64 {
	h := newHasher()
	for _, slot := range print {
		h = h.number(slot)
	}
	return h.sum()
}

// openPrint is one hash over the slots of a side's print that its base leaves open:
// of which nothing is known, or which were left as they are, and away from the base.
func openPrint(own, other, print []uint64, left []int) uint64 {
	h := newHasher()
	for i := range min(len(own), len(other), len(print)) {
		if own[i] == 0 && other[i] == 0 || own[i] != print[i] && slices.Contains(left, i) {
			h = h.number(uint64(i)).number(print[i])
		}
	}
	return h.sum()
}
