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
}

// PastWin says whose value won, when and by which rule.
type PastWin struct {
	Side crm.Side  `json:"side"`
	Rule string    `json:"rule"`
	Run  int64     `json:"run"`
	Time time.Time `json:"time"`
}

// ExplainAt tells what the mapped fields of a record and its counterpart held at
// a moment: from the images in the journal, and from what the live records tell.
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

// pastRecord is what is known of one record around a moment.
type pastRecord struct {
	side   crm.Side
	schema *crm.Object
	live   *crm.Record // nil when it is not there any more
	writes []pastWrite // ours, oldest first
}

type pastWrite struct {
	store.Entry
	body entryBody
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
		rows, err := e.store.Journal(ctx, r.ref(), pastWrites)
		if err != nil {
			return nil, err
		}
		slices.Reverse(rows)
		for i := range rows {
			if !mayHaveHappened(&rows[i]) {
				continue
			}
			body, err := decodeEntry(rows[i].Changes)
			if err != nil {
				return nil, err
			}
			p.writes = append(p.writes, pastWrite{rows[i], body})
		}
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
