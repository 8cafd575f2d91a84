package main

import (
	"github.com/lockstep-sync/lockstep/internal/crm"
)

// The oracle's own reading of the rules of lockstep.yaml, field by field. It
// shares no code with the program that it judges.

// base is what both sides held when the program last settled a field, in the
// form of canon. first: nothing is known of the past.
type base struct {
	hub, sf string
	first   bool
}

// unsent stands in a base for a value that the mapping leaves out because it
// does not fit: its side counts as changed until it gives one that does.
const unsent = "\x00unsent"

// move is what may become of one field.
type move uint8

const (
	rest  move = 1 << iota // nothing is due
	toSF                   // HubSpot's value goes to Salesforce
	toHub                  // and the other way
	hold                   // a person has to decide
)

// stamps are when the two sides of a field were set, in milliseconds: of HubSpot
// the field, of Salesforce the record (sf), which keeps no time for a field. A
// program that saw the value before the record was touched may know better (sfSet).
// Where HubSpot's field was edited once more, or the record deleted, before its
// history was asked for, the record's time stands in (hubAlso).
type stamps struct{ hub, hubAlso, sf, sfSet int64 }

func towards(side crm.Side) move {
	if side == crm.HubSpot {
		return toHub
	}
	return toSF
}

// due says what may become of a field that stands at these values on the two
// sides, given what it stood at when it was last settled.
func (f *field) due(b base, hub, sf string, at stamps) move {
	if f.from != "" {
		hub = loose(hub)
		if hub == f.canon(crm.Salesforce, sf) {
			return rest
		}
		if b.first || b.hub != hub {
			return toSF
		}
		return rest
	}
	if f.same(hub, sf) {
		return rest
	}
	hubBlank, sfBlank := f.blank(crm.HubSpot, hub), f.blank(crm.Salesforce, sf)
	if b.first {
		switch {
		case hubBlank && sfBlank:
			return rest
		case hubBlank:
			return f.only(crm.HubSpot)
		case sfBlank:
			return f.only(crm.Salesforce)
		case f.direction == toSalesforce:
			return toSF
		case f.direction == toHubSpot:
			return toHub
		}
		return f.winner(hubBlank, sfBlank, at)
	}
	hubChanged := f.canon(crm.HubSpot, hub) != b.hub
	sfChanged := f.canon(crm.Salesforce, sf) != b.sf
	switch {
	case hubChanged && sfChanged && f.direction == bothWays:
		return f.winner(hubBlank, sfBlank, at)
	case hubChanged && f.flows(crm.Salesforce):
		return f.gives(crm.HubSpot, hubBlank, sfBlank)
	case sfChanged && f.flows(crm.HubSpot):
		return f.gives(crm.Salesforce, sfBlank, hubBlank)
	}
	return rest
}

// hubSet is when HubSpot's side of a field was set: HubSpot keeps a history of
// each property, Salesforce only the record's time.
func (o *object) hubSet(f *field, r *record, v *version) int64 {
	if column, ok := o.place[crm.HubSpot][f.hub]; ok {
		return r.setAt(column, v)
	}
	return v.stamp
}

// stamps are those of a field of two records at these versions.
func (o *object) stamps(f *field, hub, sf *record, hv, sv *version, took []*record) stamps {
	at := stamps{hub: o.hubSet(f, hub, hv), sf: sv.stamp, sfSet: sv.stamp}
	at.hubAlso = at.hub
	if column, ok := o.place[crm.HubSpot][f.hub]; ok {
		for i := range hub.versions {
			if v := &hub.versions[i]; v.seq > hv.seq && v.by == people && (v.values[column] != hv.values[column] || !v.live) {
				at.hubAlso = hv.stamp
			}
		}
		for _, r := range took { // a merge joins histories
			if last := r.last(); last.values[column] == hv.values[column] {
				at.hubAlso = min(at.hubAlso, r.setAt(column, last))
			}
		}
	}
	if column, ok := o.place[crm.Salesforce][f.sf]; ok {
		at.sfSet = sf.setAt(column, sv)
	}
	return at
}

func (x *oracle) stamps(p *pair, f *field, hv, sv *version) stamps {
	return p.o.stamps(f, p.hub, p.sf, hv, sv, x.w.ledger.took(p.hub))
}

// rests tells whether nothing is due, or only what the mapping leaves out.
func (f *field) rests(b base, hub, sf string, at stamps) bool {
	moves := f.due(b, hub, sf, at)
	if moves&rest != 0 {
		return true
	}
	if moves&toSF != 0 && f.from == "" {
		_, fate := f.carry(crm.Salesforce, hub)
		return fate == skipped
	}
	return false
}

// only is a move to one side if values flow there.
func (f *field) only(to crm.Side) move {
	if f.flows(to) {
		return towards(to)
	}
	return rest
}

// gives: one side alone changed. Where the rule says unless-blank, a blank does
// not overwrite; the value comes back.
func (f *field) gives(from crm.Side, blank, otherBlank bool) move {
	if blank && !otherBlank && (f.wins == "hubspot-unless-blank" || f.wins == "salesforce-unless-blank") {
		return f.only(from)
	}
	return towards(from.Other())
}

func (f *field) winner(hubBlank, sfBlank bool, at stamps) move {
	switch f.wins {
	case "hold":
		return hold
	case "hubspot":
		return toSF
	case "salesforce":
		return toHub
	case "hubspot-unless-blank":
		if hubBlank {
			return toHub
		}
		return toSF
	case "salesforce-unless-blank":
		if sfBlank {
			return toSF
		}
		return toHub
	}
	moves := move(0)
	for _, sf := range []int64{at.sf, at.sfSet} {
		for _, hub := range []int64{at.hub, at.hubAlso} {
			if sf > hub {
				moves |= toHub
			} else {
				moves |= toSF
			}
		}
	}
	return moves
}
