package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// Conflict is one thing that waits for a person.
type Conflict struct {
	ID      int64                  `json:"id"`
	Mapping string                 `json:"mapping"`
	Kind    reconcile.ConflictKind `json:"kind"`
	// Field is the pair of fields that a field conflict is about ("phone/Phone").
	Field      string  `json:"field,omitempty"`
	Title      string  `json:"title,omitempty"`
	HubSpot    *Record `json:"hubspot,omitempty"`
	Salesforce *Record `json:"salesforce,omitempty"`
	// Values of a field conflict, HubSpot's first.
	Values []ConflictValue `json:"values,omitempty"`
	// Gone is the side on which the record was deleted.
	Gone       crm.Side            `json:"gone,omitempty"`
	Candidates []ConflictCandidate `json:"candidates,omitempty"`
	Rivals     []Record            `json:"rivals,omitempty"`
	Reason     crm.Reason          `json:"reason"`
	Opened     time.Time           `json:"opened"`
	// Answer is what a person said, until the next sync does it.
	Answer *ConflictAnswer `json:"answer,omitempty"`

	print uint64
}

// ConflictValue is one side of a field conflict; a nil Value is blank.
type ConflictValue struct {
	Side  crm.Side  `json:"side"`
	Field string    `json:"field"`
	Value *string   `json:"value"`
	Set   time.Time `json:"set,omitzero"`
	By    string    `json:"by,omitempty"`
	// OfRecord: the vendor only tells when the record was changed.
	OfRecord bool `json:"of_record,omitempty"`
}

// ConflictCandidate is a record that could be the same.
type ConflictCandidate struct {
	Record
	Name     string  `json:"name,omitempty"`
	LinkedTo *Record `json:"linked_to,omitempty"`
}

// ConflictAnswer is what a person said, who that was, and when.
type ConflictAnswer struct {
	// Take is one of reconcile's Take words.
	Take  string    `json:"take"`
	Value string    `json:"value,omitempty"`
	Link  string    `json:"link,omitempty"`
	By    string    `json:"by"`
	Time  time.Time `json:"time"`
}

// shownConflict is a decision's conflict as it is stored.
func shownConflict(d *decided, c reconcile.Conflict) Conflict {
	out := Conflict{Mapping: d.Mapping, Kind: c.Kind, Field: c.Field, Title: d.Title, Gone: c.Gone, Reason: c.Reason, print: c.Print}
	for _, ref := range []crm.Ref{d.HubSpot, d.Salesforce} {
		if ref.ID == "" {
			continue
		}
		r := recordOf(ref)
		if ref.Side == crm.HubSpot {
			out.HubSpot = &r
		} else {
			out.Salesforce = &r
		}
	}
	if c.Kind == reconcile.ConflictField {
		out.Values = []ConflictValue{shownConflictValue(crm.HubSpot, c.HubSpot), shownConflictValue(crm.Salesforce, c.Salesforce)}
	}
	for _, x := range c.Candidates {
		candidate := ConflictCandidate{Record: recordOf(x.Record), Name: x.Name}
		if !x.LinkedTo.IsZero() {
			r := recordOf(x.LinkedTo)
			candidate.LinkedTo = &r
		}
		out.Candidates = append(out.Candidates, candidate)
	}
	for _, x := range c.Rivals {
		out.Rivals = append(out.Rivals, recordOf(x))
	}
	return out
}

func shownConflictValue(side crm.Side, v reconcile.ShownValue) ConflictValue {
	out := ConflictValue{Side: side, Field: v.Field, Value: textOf(v.Value), By: v.Time.By, OfRecord: v.Time.OfRecord}
	if v.Time.Micros != 0 {
		out.Set = time.UnixMicro(v.Time.Micros).UTC()
	}
	return out
}

// conflictOf reads a stored conflict.
func conflictOf(row store.Conflict) (*Conflict, error) {
	c := &Conflict{}
	if err := json.Unmarshal(row.Body, c); err != nil {
		return nil, fault.New(fault.Internal, "read conflict %d", row.ID).Wrap(err)
	}
	c.ID, c.Opened, c.print = row.ID, row.Opened, row.Print
	if row.Answer != "" {
		c.Answer = &ConflictAnswer{}
		if err := json.Unmarshal([]byte(row.Answer), c.Answer); err != nil {
			return nil, fault.New(fault.Internal, "read the answer to conflict %d", row.ID).Wrap(err)
		}
	}
	return c, nil
}

// ConflictsOf lists what waits for a person, oldest first, from the store alone:
// no vendor is asked.
func ConflictsOf(ctx context.Context, s *store.Store) ([]Conflict, error) {
	rows, err := s.Conflicts(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Conflict, 0, len(rows))
	for _, row := range rows {
		c, err := conflictOf(row)
		if err != nil {
			return nil, err
		}
		list = append(list, *c)
	}
	return list, nil
}

// ConflictOf returns one conflict; fault.NotFound when there is none (any more).
func ConflictOf(ctx context.Context, s *store.Store, id int64) (*Conflict, error) {
	row, found, err := s.Conflict(ctx, id)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.New(fault.NotFound, "there is no conflict %d", id).WithMend("see which there are: `lockstep conflicts list`")
	}
	return conflictOf(row)
}

// Resolve stores a person's answer to a conflict as it is shown now; the next
// sync does what it says. It takes the lease of the pair.
func Resolve(ctx context.Context, s *store.Store, c *Conflict, a ConflictAnswer) error {
	if err := c.takes(a); err != nil {
		return err
	}
	if err := s.Acquire(ctx); err != nil {
		return err
	}
	a.Time = now()
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	thing := c.HubSpot
	if thing == nil {
		thing = c.Salesforce
	}
	return s.Write(ctx, func(t *store.Tx) error {
		ok, err := t.AnswerConflict(c.ID, c.print, string(text))
		if err == nil && !ok {
			return fault.New(fault.Conflict, "conflict %d is not as it was shown any more", c.ID).WithMend("look again: `lockstep conflicts list`")
		}
		if err != nil {
			return err
		}
		return t.PutDue(c.Mapping, []crm.Ref{thing.ref()}, store.WakeByHand)
	})
}

// takes refuses an answer that does not fit the conflict.
func (c *Conflict) takes(a ConflictAnswer) error {
	fits := map[reconcile.ConflictKind][]string{
		reconcile.ConflictField:  {reconcile.TakeHubSpot, reconcile.TakeSalesforce, reconcile.TakeValue},
		reconcile.ConflictDelete: {reconcile.TakeArchive, reconcile.TakeKeep, reconcile.TakeRestore},
		reconcile.ConflictMatch:  {reconcile.TakeLink},
	}
	ways := map[reconcile.ConflictKind]string{
		reconcile.ConflictField:  "--take hubspot, --take salesforce, --value VALUE or --always hubspot (or salesforce)",
		reconcile.ConflictDelete: "--archive, --keep or --restore",
		reconcile.ConflictMatch:  "--link RECORD",
	}
	if !slices.Contains(fits[c.Kind], a.Take) {
		return fault.New(fault.Invalid, "conflict %d cannot be answered that way", c.ID).WithMend("answer it with %s", ways[c.Kind])
	}
	if a.Take != reconcile.TakeLink {
		return nil
	}
	for _, x := range c.Candidates {
		if x.ID != a.Link {
			continue
		}
		if x.LinkedTo != nil {
			return fault.New(fault.Invalid, "%s %s is linked with %s %s already", x.Side.Title(), x.ID, x.LinkedTo.Side.Title(), x.LinkedTo.ID).
				WithMend("merge the duplicates in %s, or choose another one", x.LinkedTo.Side.Title())
		}
		return nil
	}
	return fault.New(fault.Invalid, "%s is none of the records that could be the same", a.Link).WithMend("choose one of those that `lockstep conflicts show` lists")
}

// conflicts brings what people are shown of the subjects and what they answered.
func (d *decider) conflicts(ctx context.Context, subjects []*subject) error {
	things := map[crm.Side]map[string]*subject{crm.HubSpot: {}, crm.Salesforce: {}}
	for _, s := range subjects {
		ref := s.ref
		if s.link != nil {
			ref = crm.Ref{Side: crm.HubSpot, ID: s.link.HubSpotID}
		}
		things[ref.Side][ref.ID] = s
	}
	for side, by := range things {
		ids := make([]string, 0, len(by))
		for id := range by {
			ids = append(ids, id)
		}
		rows, err := d.e.store.ConflictsOf(ctx, d.o.Name, side, ids)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c, err := conflictOf(row)
			if err != nil {
				return err
			}
			s := by[row.Thing.ID]
			s.snapshot.Shown = append(s.snapshot.Shown, c.shown())
			if a := c.Answer; a != nil {
				s.snapshot.Resolutions = append(s.snapshot.Resolutions, reconcile.Resolution{Kind: c.Kind, Field: c.Field, Print: c.print,
					Take: a.Take, Value: a.Value, Link: a.Link, By: a.By})
			}
		}
	}
	return nil
}

// shown is what the next decision needs of a conflict that is shown: the times.
func (c *Conflict) shown() reconcile.Conflict {
	out := reconcile.Conflict{Kind: c.Kind, Field: c.Field, Print: c.print}
	for _, v := range c.Values {
		shown := reconcile.ShownValue{Field: v.Field, Time: crm.FieldTime{By: v.By, OfRecord: v.OfRecord}}
		if !v.Set.IsZero() {
			shown.Time.Micros = v.Set.UnixMicro()
		}
		if v.Value != nil {
			shown.Value = crm.Text(*v.Value)
		}
		if v.Side == crm.HubSpot {
			out.HubSpot = shown
		} else {
			out.Salesforce = shown
		}
	}
	return out
}

// timed brings the times that decisions asked for, in as few calls as can be.
func (d *decider) timed(ctx context.Context, asking map[*subject][]reconcile.Ask) error {
	type group struct {
		side   crm.Side
		object string
	}
	ids, fields := map[group][]string{}, map[group][]string{}
	var groups []group
	add := func(list []string, v string) []string {
		if slices.Contains(list, v) {
			return list
		}
		return append(list, v)
	}
	for _, asks := range asking {
		for _, a := range asks {
			g := group{a.Side, a.Object}
			if ids[g] == nil {
				groups = append(groups, g)
			}
			ids[g], fields[g] = add(ids[g], a.ID), add(fields[g], a.Field)
		}
	}
	slices.SortFunc(groups, func(a, b group) int { return cmp.Or(cmp.Compare(a.side, b.side), cmp.Compare(a.object, b.object)) })
	times := map[crm.Side]map[string]map[string]crm.FieldTime{crm.HubSpot: {}, crm.Salesforce: {}}
	for _, g := range groups {
		slices.Sort(ids[g])
		slices.Sort(fields[g])
		found, err := d.e.sides[g.side].FieldTimes(ctx, g.object, ids[g], fields[g])
		if err != nil {
			return err
		}
		for id, t := range found {
			times[g.side][id] = t
		}
	}
	for s, asks := range asking {
		s.snapshot.Times = map[crm.Side]map[string]crm.FieldTime{}
		for _, a := range asks {
			s.snapshot.Times[a.Side] = times[a.Side][a.ID]
		}
	}
	return nil
}

// settleConflicts shows what the thing waits for now, and forgets what is done
// with.
func (b *batch) settleConflicts(s *settlement, j *job) {
	d := j.d
	thing := crm.Ref{Side: j.row.Side, Object: b.o.HubSpot, ID: j.row.ID}
	if j.row.Side == crm.Salesforce {
		thing.Object = d.Salesforce.Object
	}
	switch {
	case d.Kept:
		if d.Again && d.HubGone {
			s.conflictsMoved = append(s.conflictsMoved, [2]crm.Ref{d.HubSpot, d.Salesforce})
		}
	case j.outcome == crm.Pending || j.outcome == crm.Failed:
	default:
		s.resolved[thing.Side] = append(s.resolved[thing.Side], thing.ID)
		if j.outcome != crm.Held {
			return
		}
		for _, c := range d.Conflicts {
			if c.Kind == reconcile.ConflictField && !d.WasLinked && j.row.Side == crm.Salesforce {
				continue // two records that are to be linked ask once, as HubSpot's
			}
			body, err := json.Marshal(shownConflict(d, c))
			if err != nil {
				continue // it holds texts and times only, which always marshal
			}
			s.conflicts = append(s.conflicts, store.Conflict{Mapping: b.o.Name, Thing: thing, Kind: string(c.Kind), Field: c.Field, Print: c.Print, Body: body, Opened: b.e.now()})
		}
	}
}
