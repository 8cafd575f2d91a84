package engine

import (
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
	// context marks the fields that the base does not cover: read by filters,
	// expressions and match rules only, or mapped through an expression.
	context []bool
	// blind: no filter or expression reads this side, so a record that we made
	// and that holds what we wrote needs no second look.
	blind bool
}

// newLens works out the lens for one object.
func newLens(m *mapping.Bound, o *mapping.BoundObject, side crm.Side, object string, read crm.Read) *lens {
	l := &lens{side: side, object: object, read: read, layout: layoutHash(read.Layout), version: m.Version ^ o.BaseVersion,
		context: make([]bool, len(read.Layout.Fields)), blind: true}
	mapped, computed := map[string]bool{}, map[string]bool{}
	look := func(p *mapping.Program) {
		if p == nil {
			return
		}
		fields := p.HubSpotFields
		if side == crm.Salesforce {
			fields = p.SalesforceFields
		}
		for _, f := range fields {
			computed[f] = true
			l.blind = false
		}
	}
	look(o.WhereHubSpot)
	look(o.WhereSalesforce)
	for _, t := range o.Targets {
		look(t.When)
		if side == crm.Salesforce && t.Object != object {
			continue
		}
		for _, f := range t.Fields {
			look(f.Program)
			if f.Program != nil {
				continue
			}
			if side == crm.HubSpot {
				mapped[f.HubSpot] = true
			} else {
				mapped[f.Salesforce] = true
			}
		}
		for _, a := range t.Associations {
			if side == crm.Salesforce && !a.Junction {
				mapped[a.Salesforce] = true
			}
		}
	}
	if o.OwnerByEmail {
		mapped["hubspot_owner_id"], mapped["OwnerId"] = true, true
	}
	for i, f := range read.Layout.Fields {
		l.context[i] = computed[f] || !mapped[f]
	}
	return l
}

// look hashes a record: everything that was read, and the context alone.
// Relations count in any order. The hashes change when the mapping does, so a
// new mapping looks at every record again.
func (l *lens) look(r *crm.Record) sight {
	all := newHasher().number(l.version)
	context := all
	if r.Archived {
		all = all.text("archived").text(r.MergedInto)
	}
	for i, v := range r.Values {
		all = all.number(uint64(v.State)).text(v.Text)
		if i < len(l.context) && l.context[i] {
			context = context.number(uint64(i)).number(uint64(v.State)).text(v.Text)
		}
	}
	var relations uint64
	for _, x := range r.Relations {
		h := newHasher().text(x.Object).text(x.ID).text(x.Label).text(x.RowID)
		if x.Primary {
			h = h.text("primary")
		}
		relations += h.sum()
	}
	return sight{Seen: all.number(relations).sum(), Context: context.sum()}
}

// print is one hash over the mapped content of a record, in canonical form:
// what a vendor only formats differently prints the same.
func (l *lens) print(o *mapping.BoundObject, r *crm.Record) uint64 {
	h := newHasher()
	for _, slot := range reconcile.Fingerprint(o, l.side, l.object, r) {
		h = h.number(slot)
	}
	return h.sum()
}
