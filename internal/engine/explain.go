package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

const (
	// explainedThings bounds how many things one query explains.
	explainedThings = 10
	// explainedWrites is how many journal entries are shown for a record.
	explainedWrites = 10
)

// Explanation answers "why did this record sync, or not?".
type Explanation struct {
	Query string `json:"query"`
	// Things that the query names, best first; usually one.
	Things []ExplainedThing `json:"things"`
}

// ExplainedThing is one pair or one unlinked record.
type ExplainedThing struct {
	Mapping    string  `json:"mapping"`
	Title      string  `json:"title,omitempty"`
	HubSpot    *Record `json:"hubspot,omitempty"`
	Salesforce *Record `json:"salesforce,omitempty"`
	Linked     bool    `json:"linked"`
	// Seen: a sync has read the record before.
	Seen bool `json:"seen"`
	// Outcome and Reason as last remembered; Unchanged for a pair in step.
	Outcome crm.Outcome `json:"outcome"`
	Reason  crm.Reason  `json:"reason"`
	// Run that decided it, 0 when that is not remembered.
	Run int64 `json:"run,omitempty"`
	// Due: the next sync decides it again.
	Due bool `json:"due"`
	// Now is what a sync would do at this moment, from live values; nil when
	// neither record could be read.
	Now *Item `json:"now,omitempty"`
	// Keys by which it is matched.
	Keys []ExplainedKey `json:"keys"`
	// Filters of the mapping on the live records.
	Filters []ExplainedFilter `json:"filters,omitempty"`
	// Fields side by side, live.
	Fields []ExplainedField `json:"fields"`
	// Writes made to either record, newest first.
	Writes []JournalEntry `json:"writes"`
	// History tells what was decided about the thing, newest first.
	History []ExplainedDecision `json:"history"`
}

// ExplainedKey is one match key of a record.
type ExplainedKey struct {
	Side  crm.Side `json:"side"`
	Rule  string   `json:"rule"`
	Value string   `json:"value"`
}

// ExplainedFilter is one filter and what it says.
type ExplainedFilter struct {
	Side       crm.Side `json:"side"`
	Expression string   `json:"expression"`
	Passes     bool     `json:"passes"`
	Error      string   `json:"error,omitempty"`
}

// ExplainedField is one mapped field on both sides; nil is blank.
type ExplainedField struct {
	HubSpotField    string  `json:"hubspot_field,omitempty"`
	SalesforceField string  `json:"salesforce_field,omitempty"`
	HubSpot         *string `json:"hubspot"`
	Salesforce      *string `json:"salesforce"`
	Agree           bool    `json:"agree"`
	// Allowed says why they may differ.
	Allowed   string            `json:"allowed,omitempty"`
	Direction mapping.Direction `json:"direction,omitempty"`
}

// Explain finds the record that the query names (either side's id, an e-mail
// or other match value, a record's URL of either vendor), reads it live on both
// sides, and says how it stands and why. It changes nothing. fault.NotFound
// when nothing of that name is known here or there.
func (e *Engine) Explain(ctx context.Context, text string) (*Explanation, error) {
	// Where HubSpot shows a record is only known once the account is.
	if _, err := e.sides[crm.HubSpot].Account(ctx); err != nil {
		return nil, fmt.Errorf("explain %s: %w", text, err)
	}
	x := &explainer{e: e, seen: map[standKey]bool{}, out: &Explanation{Query: text}}
	q := parseQuery(text)
	for _, o := range e.mapping.Objects {
		if err := x.search(ctx, o, q); err != nil {
			return nil, fmt.Errorf("explain %s: %w", text, err)
		}
	}
	if len(x.out.Things) == 0 {
		return nil, fault.New(fault.NotFound, "no mapped record is called %q", text).
			WithMend("give the record's id, its address in the browser, or its e-mail; if it is new, run `lockstep sync` first")
	}
	slices.SortStableFunc(x.out.Things, func(a, b ExplainedThing) int { return rank(a) - rank(b) })
	return x.out, nil
}

// rank puts what is known before what was only found live.
func rank(t ExplainedThing) int {
	switch {
	case t.Linked:
		return 0
	case t.Seen:
		return 1
	}
	return 2
}

type explainer struct {
	e    *Engine
	out  *Explanation
	seen map[standKey]bool
}

func (x *explainer) search(ctx context.Context, o *mapping.BoundObject, q query) error {
	if q.hubspotType != "" && o.HubSpotSchema != nil && (o.HubSpotSchema.Prefix != "" || o.HubSpot == mapping.Lists) && q.hubspotType != o.HubSpotSchema.Prefix && q.hubspotType != o.HubSpot {
		return nil
	}
	var refs []crm.Ref
	switch {
	case q.hubspotID != "":
		refs = append(refs, crm.Ref{Side: crm.HubSpot, Object: o.HubSpot, ID: q.hubspotID})
	case q.salesforceID != "":
		for _, t := range o.Targets {
			if t.Schema == nil || t.Schema.Prefix == "" || t.Schema.Prefix == q.salesforceID[:3] {
				refs = append(refs, crm.Ref{Side: crm.Salesforce, Object: t.Object, ID: q.salesforceID})
			}
		}
	default:
		var err error
		if refs, err = x.byText(ctx, o, q.text); err != nil {
			return err
		}
	}
	for _, ref := range refs {
		if len(x.out.Things) >= explainedThings {
			return nil
		}
		if err := x.thing(ctx, o, ref); err != nil {
			return err
		}
	}
	return nil
}

// byText finds records by match value: first among what is known, then live.
func (x *explainer) byText(ctx context.Context, o *mapping.BoundObject, text string) ([]crm.Ref, error) {
	var refs []crm.Ref
	for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
		object := o.HubSpot
		if side == crm.Salesforce {
			object = o.Targets[0].Object
		}
		l := x.e.lens(o, side, object)
		r := &crm.Record{Layout: l.read.Layout, Values: make([]crm.Value, len(l.read.Layout.Fields))}
		for _, m := range o.Match {
			if m.As == "domain" && strings.Contains(text, "@") {
				continue // an address names a person, not the company of its domain
			}
			field := m.HubSpot
			if side == crm.Salesforce {
				field = m.Salesforce
			}
			if i := l.read.Layout.Index(field); i >= 0 {
				r.Values[i] = crm.Text(text)
			}
		}
		known, err := x.e.store.Keys(ctx, o.Name, side, keysOf(o, l, r), explainedThings)
		if err != nil {
			return nil, err
		}
		for _, k := range known {
			refs = append(refs, k.Ref)
		}
	}
	if len(refs) > 0 {
		return refs, nil
	}
	for _, m := range o.Match {
		if m.As != "email" {
			continue
		}
		found, err := x.e.sides[crm.HubSpot].Find(ctx, o.HubSpotRead, m.HubSpot, []string{text})
		if err != nil {
			return nil, err
		}
		for i := range found {
			refs = append(refs, crm.Ref{Side: crm.HubSpot, Object: o.HubSpot, ID: found[i].ID})
		}
		for _, t := range o.Targets {
			found, err := x.e.sides[crm.Salesforce].Find(ctx, t.Read, m.Salesforce, []string{text})
			if err != nil {
				return nil, err
			}
			for i := range found {
				refs = append(refs, crm.Ref{Side: crm.Salesforce, Object: t.Object, ID: found[i].ID})
			}
		}
	}
	return refs, nil
}

// thing explains one record and its counterpart, once.
func (x *explainer) thing(ctx context.Context, o *mapping.BoundObject, ref crm.Ref) error {
	links, err := x.e.store.Links(ctx, o.Name, ref.Side, []string{ref.ID})
	if err != nil {
		return err
	}
	s := &subject{ref: ref, at: map[crm.Side]sight{}}
	d := newDecider(x.e, nil, o, ref.Side)
	t := ExplainedThing{Mapping: o.Name, Keys: []ExplainedKey{}, Fields: []ExplainedField{}, Writes: []JournalEntry{}, History: []ExplainedDecision{}}
	pair := map[crm.Side]crm.Ref{ref.Side: ref}
	aliases, err := x.e.aliasesFor(ctx, o, ref.Side, []string{ref.ID})
	if err != nil {
		return err
	}
	s.snapshot.Alias = aliases[ref.ID]
	if l, ok := links[ref.ID]; ok {
		s.link = &l
		s.snapshot.Link, s.snapshot.Departed = &l.Link, l.Departed
		t.Linked = true
		pair[crm.HubSpot] = crm.Ref{Side: crm.HubSpot, Object: o.HubSpot, ID: l.HubSpotID}
		pair[crm.Salesforce] = crm.Ref{Side: crm.Salesforce, Object: l.SalesforceObject, ID: l.SalesforceID}
	}
	name := standKey{o.Name, pair[crm.HubSpot]}
	if pair[crm.HubSpot].ID == "" {
		name.ref = pair[crm.Salesforce]
	}
	if x.seen[name] {
		return nil
	}
	x.seen[name] = true
	remembered, err := x.remember(ctx, o, &t, name.ref, pair)
	if err != nil {
		return err
	}
	live := false
	for side, r := range pair {
		records := map[string]*crm.Record{}
		if err := x.e.lookup(ctx, o, side, map[string][]string{r.Object: {r.ID}}, records); err != nil {
			return err
		}
		record := records[r.ID]
		live = live || record != nil && !record.Archived
		if s.link != nil || side == ref.Side {
			d.put(s, side, r.Object, record)
		}
	}
	if !live && !remembered && !t.Linked {
		return nil
	}
	for side, r := range pair {
		shown := recordOf(r)
		shown.URL = x.e.sides[side].RecordURL(r.Object, r.ID)
		if side == crm.HubSpot {
			t.HubSpot = &shown
		} else {
			t.Salesforce = &shown
		}
	}
	t.Title = title(s)
	if live {
		if err := x.live(ctx, d, s, &t); err != nil {
			return err
		}
	}
	x.out.Things = append(x.out.Things, t)
	return nil
}

// remember fills in what the store knows; false when it has never seen it.
func (x *explainer) remember(ctx context.Context, o *mapping.BoundObject, t *ExplainedThing, thing crm.Ref, pair map[crm.Side]crm.Ref) (bool, error) {
	outcomes, err := x.e.store.Outcomes(ctx, o.Name, thing.Side, []string{thing.ID})
	if err != nil {
		return false, err
	}
	known, ok := outcomes[thing.ID]
	t.Seen = ok || t.Linked
	switch {
	case ok:
		t.Outcome, t.Reason, t.Run = known.Outcome, known.Reason, known.Run
	case t.Linked:
		t.Outcome = crm.Unchanged
		t.Reason = crm.Reason{Code: reconcile.CodeInStep, Text: "the pair was in step when it was last looked at"}
	}
	for side, r := range pair {
		changes, err := x.e.store.ChangesByID(ctx, o.Name, side, []string{r.ID})
		if err != nil {
			return false, err
		}
		if c, ok := changes[r.ID]; ok {
			t.Seen, t.Due = true, t.Due || c.Due
		}
		rows, err := x.e.store.Journal(ctx, r, explainedWrites)
		if err != nil {
			return false, err
		}
		for _, row := range rows {
			entry, err := journalEntry(row)
			if err != nil {
				return false, err
			}
			t.Writes = append(t.Writes, entry)
		}
	}
	slices.SortStableFunc(t.Writes, func(a, b JournalEntry) int { return b.Time.Compare(a.Time) })
	if t.History, err = x.e.historyOf(ctx, o.Name, pair); err != nil {
		return false, err
	}
	if !t.Seen {
		t.Outcome = crm.Pending
		t.Reason = crm.Reason{Code: "pending.not-seen", Text: "no sync has read this record yet", Mend: "run `lockstep sync`"}
	}
	return t.Seen, nil
}

// live says what the records hold now and what a sync would do with them.
func (x *explainer) live(ctx context.Context, d *decider, s *subject, t *ExplainedThing) error {
	d.c = newCycle(x.e, 0)
	if s.link == nil {
		if err := d.candidates(ctx, []*subject{s}); err != nil {
			return err
		}
		if err := d.answers(ctx, []*subject{s}); err != nil {
			return err
		}
	}
	d.editedSinceCreate(s)
	wanted := wishes{}
	wanted.of(x.e, d.o, &s.snapshot)
	k, err := x.e.learn(ctx, wanted)
	if err != nil {
		return err
	}
	if err := d.conflicts(ctx, []*subject{s}); err != nil {
		return err
	}
	s.snapshot.Known = k
	// decide fills in its own copies; the snapshot stays as it was read.
	row := d.decide(s, k)
	body, err := decodeDecided(row.Body)
	if err != nil {
		return err
	}
	item := x.e.item(body)
	t.Now = &item
	for _, r := range []*crm.Record{s.snapshot.HubSpot, s.snapshot.Salesforce} {
		if r == nil {
			continue
		}
		side, program := crm.HubSpot, d.o.WhereHubSpot
		if r == s.snapshot.Salesforce {
			side, program = crm.Salesforce, d.o.WhereSalesforce
		}
		for _, key := range reconcile.Keys(d.o, side, r.Layout.Object, r) {
			rule := d.o.ExternalID
			if key.Rule >= 0 && key.Rule < len(d.o.Match) {
				rule = d.o.Match[key.Rule].As
			}
			t.Keys = append(t.Keys, ExplainedKey{side, rule, key.Value})
		}
		if program != nil {
			t.Filters = append(t.Filters, filter(program, side, r))
		}
	}
	return x.fields(ctx, d.o, s, t)
}

func filter(p *mapping.Program, side crm.Side, r *crm.Record) ExplainedFilter {
	f := ExplainedFilter{Side: side, Expression: p.Source}
	var err error
	if side == crm.HubSpot {
		f.Passes, err = p.Bool(r, nil)
	} else {
		f.Passes, err = p.Bool(nil, r)
	}
	if err != nil {
		f.Error = err.Error()
	}
	return f
}

func (x *explainer) fields(ctx context.Context, o *mapping.BoundObject, s *subject, t *ExplainedThing) error {
	hubspot, salesforce := s.snapshot.HubSpot, s.snapshot.Salesforce
	target := o.Targets[0]
	if salesforce != nil {
		target = o.Target(salesforce.Layout.Object)
	}
	if target == nil {
		return nil
	}
	differ := map[string]reconcile.Difference{}
	if hubspot != nil && salesforce != nil {
		differences := reconcile.Compare(o, s.snapshot)
		if err := x.e.filledIn(ctx, o, &s.snapshot, differences); err != nil {
			return err
		}
		for _, d := range differences {
			differ[d.HubSpotField+"\x00"+d.SalesforceField] = d
		}
	}
	for _, f := range target.Fields {
		shown := ExplainedField{HubSpotField: f.HubSpot, SalesforceField: f.Salesforce, Direction: f.Direction, Agree: hubspot != nil && salesforce != nil,
			HubSpot: textOf(hubspot.Value(f.HubSpot)), Salesforce: textOf(salesforce.Value(f.Salesforce))}
		if d, ok := differ[f.HubSpot+"\x00"+f.Salesforce]; ok {
			shown.Agree, shown.Allowed = false, d.Allowed
		}
		t.Fields = append(t.Fields, shown)
	}
	for _, a := range target.Associations {
		d, differs := differ[a.HubSpot+"\x00"+a.Salesforce]
		shown := ExplainedField{HubSpotField: a.HubSpot, SalesforceField: a.Salesforce, Agree: hubspot != nil && salesforce != nil && !differs,
			Allowed: d.Allowed, Salesforce: textOf(salesforce.Value(a.Salesforce))}
		if shown.Direction = a.Direction; a.Junction {
			shown.HubSpot = relatedText(hubspot, func(r *crm.Relation) bool { return r.Object == a.HubSpot })
			shown.Salesforce = relatedText(salesforce, func(r *crm.Relation) bool { return r.Junction == a.Salesforce })
			t.Fields = append(t.Fields, shown)
			continue
		}
		if hubspot != nil {
			if a.By != "" {
				shown.HubSpot = textOf(hubspot.Value(a.By))
			}
			for _, r := range hubspot.Relations {
				if r.Object == a.HubSpot && a.By == "" && (shown.HubSpot == nil || r.Primary) {
					shown.HubSpot = &r.ID
				}
			}
		}
		t.Fields = append(t.Fields, shown)
	}
	return nil
}

// relatedText lists far records, each with its label: "17 (Decision maker), 18".
func relatedText(r *crm.Record, which func(*crm.Relation) bool) *string {
	if r == nil {
		return nil
	}
	var ends []string
	for i := range r.Relations {
		if x := &r.Relations[i]; which(x) {
			end := x.ID
			if x.Label != "" {
				end += " (" + x.Label + ")"
			}
			ends = append(ends, end)
		}
	}
	if len(ends) == 0 {
		return nil
	}
	slices.Sort(ends)
	text := strings.Join(ends, ", ")
	return &text
}
