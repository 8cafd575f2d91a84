package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// pastWrites bounds how many of our writes to a record are looked at.
const pastWrites = 1000

// Past answers "what did both sides hold then, and who won?".
type Past struct {
	Query string    `json:"query"`
	At    time.Time `json:"at"`
	// Things that the query names, best first; usually one.
	Things []PastThing `json:"things"`
}

// PastThing is one pair or one unlinked record at a moment.
type PastThing struct {
	Mapping    string  `json:"mapping"`
	Title      string  `json:"title,omitempty"`
	HubSpot    *Record `json:"hubspot,omitempty"`
	Salesforce *Record `json:"salesforce,omitempty"`
	// Decision is the last one before the moment; nil when none is remembered.
	Decision *ExplainedDecision `json:"decision,omitempty"`
	Fields   []PastField        `json:"fields"`
}

// PastField is one mapped field on both sides at a moment.
type PastField struct {
	HubSpotField    string    `json:"hubspot_field,omitempty"`
	SalesforceField string    `json:"salesforce_field,omitempty"`
	HubSpot         PastValue `json:"hubspot"`
	Salesforce      PastValue `json:"salesforce"`
	// Won is how the field was last settled by a write of ours; nil when none of
	// ours is known from before the moment.
	Won *PastWin `json:"won,omitempty"`
}

// PastValue is what a field held, as far as that is known.
type PastValue struct {
	// Value is nil for blank; without Known it is the best that can be said.
	Value *string `json:"value"`
	Known bool    `json:"known"`
	// How says how that is known, or what is not.
	How string `json:"how"`
	// Set and By are when the value was set and by whom, where the vendor's own
	// history tells; Set is nil elsewhere.
	Set *time.Time `json:"set,omitempty"`
	By  string     `json:"by,omitempty"`
}

// PastWin says whose value won, when and by which rule.
type PastWin struct {
	Side crm.Side  `json:"side"`
	Rule string    `json:"rule"`
	Run  int64     `json:"run"`
	Time time.Time `json:"time"`
}

// ExplainAt tells what the mapped fields of a record and its counterpart held at
// a moment: from the vendor's own history of the fields where it keeps one, else from
// the images in the journal, and from what the live records tell.
// What is not known is said. fault.Invalid for a moment that is to come,
// fault.NotFound as with Explain.
func (e *Engine) ExplainAt(ctx context.Context, text string, at time.Time) (*Past, error) {
	if at.After(time.Now()) {
		return nil, fault.New(fault.Invalid, "%s is yet to come", at.Format(time.RFC3339)).WithMend("give a moment that has passed")
	}
	x, err := e.Explain(ctx, text)
	if err != nil {
		return nil, err
	}
	past := &Past{Query: text, At: at.UTC()}
	for i := range x.Things {
		t, err := e.pastOf(ctx, &x.Things[i], at)
		if err != nil {
			return nil, fmt.Errorf("explain %s: %w", text, err)
		}
		past.Things = append(past.Things, *t)
	}
	return past, nil
}

// historian is a Side that keeps what fields held before: HubSpot does, for each
// property, with when it was set and by whom. Salesforce has that only for the few
// fields that an administrator tracks.
type historian interface {
	// FieldHistory tells what fields of a live record were set to, oldest first, by
	// field; whole tells of which fields that is all.
	FieldHistory(ctx context.Context, object, id string, fields []string) (revisions map[string][]crm.FieldRevision, whole map[string]bool, err error)
}

// pastRecord is what is known of one record around a moment.
type pastRecord struct {
	side   crm.Side
	schema *crm.Object
	live   *crm.Record // nil when it is not there any more
	writes []pastWrite // ours, oldest first
	// revisions are the vendor's own history by field, oldest first; whole: they are all.
	revisions map[string][]crm.FieldRevision
	whole     map[string]bool
}

type pastWrite struct {
	store.Entry
	body entryBody
}

// ourWrites are our writes to a record that may have happened, the newest first, at
// most limit of the journal's entries.
func (e *Engine) ourWrites(ctx context.Context, ref crm.Ref, limit int) ([]pastWrite, error) {
	rows, err := e.store.Journal(ctx, ref, limit)
	if err != nil {
		return nil, err
	}
	var writes []pastWrite
	for i := range rows {
		if !mayHaveHappened(&rows[i]) {
			continue
		}
		body, err := decodeEntry(rows[i].Changes)
		if err != nil {
			return nil, err
		}
		writes = append(writes, pastWrite{rows[i], body})
	}
	return writes, nil
}

func (e *Engine) pastOf(ctx context.Context, x *ExplainedThing, at time.Time) (*PastThing, error) {
	o := e.mapping.Object(x.Mapping)
	t := &PastThing{Mapping: x.Mapping, Title: x.Title, HubSpot: x.HubSpot, Salesforce: x.Salesforce, Fields: []PastField{}}
	for i := range x.History {
		if !x.History[i].Time.After(at) {
			t.Decision = &x.History[i]
			break
		}
	}
	target := o.Targets[0]
	records := map[crm.Side]*pastRecord{}
	for _, r := range []*Record{x.HubSpot, x.Salesforce} {
		if r == nil {
			continue
		}
		p := &pastRecord{side: r.Side, schema: o.HubSpotSchema}
		if r.Side == crm.Salesforce {
			if found := o.Target(r.Object); found != nil {
				target = found
			}
			p.schema = target.Schema
		}
		found := map[string]*crm.Record{}
		if err := e.lookup(ctx, o, r.Side, map[string][]string{r.Object: {r.ID}}, found); err != nil {
			return nil, err
		}
		p.live = liveOnly(found[r.ID])
		if side, ok := e.sides[r.Side].(historian); ok && p.live != nil {
			var err error
			if p.revisions, p.whole, err = side.FieldHistory(ctx, r.Object, r.ID, p.live.Layout.Fields); err != nil {
				return nil, err
			}
		}
		var err error
		if p.writes, err = e.ourWrites(ctx, r.ref(), pastWrites); err != nil {
			return nil, err
		}
		slices.Reverse(p.writes)
		records[r.Side] = p
	}
	field := func(hubspot, salesforce string) {
		f := PastField{HubSpotField: hubspot, SalesforceField: salesforce,
			HubSpot: records[crm.HubSpot].at(hubspot, at), Salesforce: records[crm.Salesforce].at(salesforce, at)}
		f.Won = won(records, map[crm.Side]string{crm.HubSpot: hubspot, crm.Salesforce: salesforce}, at)
		t.Fields = append(t.Fields, f)
	}
	for _, f := range target.Fields {
		field(f.HubSpot, f.Salesforce)
	}
	for _, a := range target.Associations {
		if !a.Junction {
			field("", a.Salesforce)
		}
	}
	if o.OwnerByEmail {
		field(mapping.HubSpotOwner, mapping.SalesforceOwner)
	}
	return t, nil
}

// at works out what a field held at a moment.
func (p *pastRecord) at(name string, at time.Time) PastValue {
	switch {
	case p == nil:
		return PastValue{How: "there is no such record"}
	case name == "":
		return PastValue{How: "no field of this side"}
	}
	if made, how := p.made(); made.After(at) {
		return PastValue{Known: true, How: "the record was made later, " + how}
	}
	if v, ok := p.told(name, at); ok {
		return v
	}
	before, after := p.around(name, at)
	same := func(a, b crm.Value) bool { return reconcile.Same(p.schema.Field(name), p.side, a, b) }
	known := func(v crm.Value, format string, args ...any) PastValue {
		return PastValue{Value: textOf(v), Known: true, How: fmt.Sprintf(format, args...)}
	}
	guess := func(v crm.Value, format string, args ...any) PastValue {
		return PastValue{Value: textOf(v), How: fmt.Sprintf(format, args...)}
	}
	switch {
	case before != nil && before.value.State == crm.Missing, after != nil && before == nil && after.value.State == crm.Missing:
		return PastValue{How: "our writes of that time are remembered without their values"}
	case after != nil && before != nil && same(before.value, after.value):
		return known(before.value, "run %d wrote it at %s, and run %d found it so at %s", before.run, moment(before.at), after.run, moment(after.at))
	case after != nil && before != nil:
		return guess(before.value, "run %d wrote it at %s; run %d found %s at %s, and when somebody changed it in between is not known",
			before.run, moment(before.at), after.run, shownValue(after.value), moment(after.at))
	case after != nil:
		return guess(after.value, "run %d found it so at %s; whether somebody changed it before is not known", after.run, moment(after.at))
	case p.live == nil && before != nil:
		return guess(before.value, "run %d wrote it at %s; the record cannot be read any more", before.run, moment(before.at))
	case p.live == nil:
		return PastValue{How: "the record cannot be read any more, and we never wrote the field"}
	}
	now := p.live.Value(name)
	modified := time.UnixMicro(p.live.ModifiedMicros)
	switch {
	case now.State == crm.Missing || now.State == crm.Unreadable:
		return PastValue{How: "the field cannot be read"}
	case p.live.ModifiedMicros > 0 && !modified.After(at):
		return known(now, "the record was not modified since %s", moment(modified))
	case before != nil && same(before.value, now):
		return known(now, "run %d wrote it at %s, and it is so now", before.run, moment(before.at))
	case before != nil:
		return guess(before.value, "run %d wrote it at %s; it is %s now, and when somebody changed it is not known", before.run, moment(before.at), shownValue(now))
	}
	return guess(now, "it is so now; the record was modified since, in which field is not known")
}

// told is what the vendor's own history says that a field held at a moment; false
// where it says nothing of that time.
func (p *pastRecord) told(name string, at time.Time) (PastValue, bool) {
	list := p.revisions[name]
	if len(list) == 0 {
		return PastValue{}, false
	}
	by := func(r *crm.FieldRevision) string {
		if r.By == "" {
			return ""
		}
		return " by " + r.By
	}
	for i := range slices.Backward(list) {
		r := &list[i]
		set := time.UnixMicro(r.Micros).UTC()
		if set.After(at) {
			continue
		}
		v := PastValue{Value: textOf(r.Value), Known: true, Set: &set, By: r.By,
			How: fmt.Sprintf("%s's history: set %s%s", p.side.Title(), moment(set), by(r))}
		if i+1 < len(list) {
			next := &list[i+1]
			v.How += fmt.Sprintf(", and changed to %s %s%s", shownValue(next.Value), moment(time.UnixMicro(next.Micros)), by(next))
		}
		return v, true
	}
	if !p.whole[name] {
		return PastValue{}, false
	}
	first := &list[0]
	return PastValue{Known: true, How: fmt.Sprintf("%s's history: first set %s%s", p.side.Title(), moment(time.UnixMicro(first.Micros)), by(first))}, true
}

// made is when the record came to be, as far as that is known.
func (p *pastRecord) made() (time.Time, string) {
	for i := range p.writes {
		if p.writes[i].Op == crm.Create {
			return p.writes[i].Time, fmt.Sprintf("by run %d at %s", p.writes[i].Run, moment(p.writes[i].Time))
		}
	}
	if p.live != nil && p.live.CreatedMicros > 0 {
		made := time.UnixMicro(p.live.CreatedMicros)
		return made, "at " + moment(made)
	}
	return time.Time{}, ""
}

// pastImage is one value that a write of ours tells: what it wrote, or found.
type pastImage struct {
	value crm.Value
	run   int64
	at    time.Time
}

// around returns what our last write before the moment wrote, and what our first
// write after it found.
func (p *pastRecord) around(name string, at time.Time) (before, after *pastImage) {
	for i := range p.writes {
		w := &p.writes[i]
		if w.body.relation != nil {
			continue
		}
		for _, c := range w.body.changes {
			switch {
			case c.Field != name:
			case !w.Time.After(at):
				before = &pastImage{c.After, w.Run, w.Time}
			case after == nil:
				after = &pastImage{c.Before, w.Run, w.Time}
			}
		}
	}
	return before, after
}

// won finds the last write of ours to either end of a field before the moment:
// the other end's value won.
func won(records map[crm.Side]*pastRecord, names map[crm.Side]string, at time.Time) *PastWin {
	var best *PastWin
	var seq int64
	for side, p := range records {
		for i := range p.writes {
			w := &p.writes[i]
			if w.Time.After(at) || w.Seq < seq || w.body.relation != nil {
				continue
			}
			for _, c := range w.body.changes {
				if c.Field == names[side] {
					best, seq = &PastWin{Side: side.Other(), Rule: c.Why, Run: w.Run, Time: w.Time}, w.Seq
				}
			}
		}
	}
	return best
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }
