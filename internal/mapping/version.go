package mapping

import (
	"fmt"
	"hash"
	"hash/fnv"
)

// version is a hash of everything that decides: not of comments, of the order
// of keys, of places in the file, or of how often and how fast we work.
func (m *Mapping) version() uint64 {
	h := fnv.New64a()
	put(h, m.HubSpot, m.Salesforce, m.Brakes)
	for i := range m.Objects {
		o := &m.Objects[i]
		put(h, "object", o.Name, o.HubSpot, o.ExternalID, o.Create, o.Where.HubSpot, o.Where.Salesforce, o.OwnerByEmail, o.Deletes)
		if o.Leaves != LeavesStop {
			put(h, "leaves", o.Leaves)
		}
		if o.OwnerOtherwise != "" {
			put(h, "owner otherwise", o.OwnerOtherwise)
		}
		for _, t := range o.Targets {
			put(h, "target", t.Object, t.When)
		}
		for _, k := range o.Match {
			put(h, "match", k.HubSpot, k.Salesforce, k.As)
		}
		for j := range o.Fields {
			f := &o.Fields[j]
			put(h, "field", f.HubSpot, f.Salesforce, f.From, f.Direction, f.Wins, f.Unmapped, f.UnmappedValue, f.Blank, f.TooLong, f.On, f.Shift)
			for _, v := range f.Values {
				put(h, "value", v.HubSpot, v.Salesforce)
			}
		}
		for _, a := range o.Associations {
			put(h, "association", a.FarObjects(), a.By, a.Salesforce, a.On, a.Role, a.Direction, a.Wins)
			if a.Rows != nil {
				put(h, a.Rows.Near, a.Rows.Far, a.Rows.Label, a.Rows.Primary)
			}
			for _, v := range a.Labels {
				put(h, "label", v.HubSpot, v.Salesforce)
			}
		}
	}
	for i := range m.Policies {
		p := &m.Policies[i]
		put(h, "policy", p.Name, p.For, p.Side, p.On, p.Deny, p.Then, p.Beyond)
	}
	return h.Sum64()
}

func put(h hash.Hash64, parts ...any) {
	for _, p := range parts {
		fmt.Fprintf(h, "%q\x00", fmt.Sprint(p))
	}
}
