package engine

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// Shadow mode runs beside another sync. It observes and decides as a sync does,
// writes nothing, and watches what the other one makes of the same changes. Its
// memory is the store's: links whose base is what both sides held when the two
// syncs last came to the same (or when we gave up waiting), and waits for what
// is not decided yet. Run it on a store of its own.

// ShadowVerdict says how the two syncs stood to one change.
type ShadowVerdict string

// The verdicts.
const (
	// ShadowAgree: the other sync wrote what we would have written.
	ShadowAgree ShadowVerdict = "agree"
	// ShadowOther: it wrote something else.
	ShadowOther ShadowVerdict = "other"
	// ShadowMissed: it wrote nothing within the window.
	ShadowMissed ShadowVerdict = "missed"
	// ShadowUnwanted: it wrote what we would not have written.
	ShadowUnwanted ShadowVerdict = "unwanted"
)

// ShadowVerdicts lists all, in the order in which people are shown them.
var ShadowVerdicts = []ShadowVerdict{ShadowAgree, ShadowOther, ShadowMissed, ShadowUnwanted}

// The places of what is no field.
const (
	slotRecord = -1
	slotGone   = -2
)

// ShadowFinding is one change, as both syncs took it.
type ShadowFinding struct {
	Time    time.Time     `json:"time"`
	Verdict ShadowVerdict `json:"verdict"`
	Mapping string        `json:"mapping"`
	Title   string        `json:"title,omitempty"`
	// Records of the thing, where they are known.
	HubSpot    *Record `json:"hubspot,omitempty"`
	Salesforce *Record `json:"salesforce,omitempty"`
	// Side that is written to, and its field; "(record)" for a create and
	// "(deletion)" for a deletion.
	Side  crm.Side `json:"side"`
	Field string   `json:"field"`
	// Before is what stood there, Ours what we would have written, Theirs what
	// stands there now; nil is blank.
	Before *string `json:"before"`
	Ours   *string `json:"ours"`
	Theirs *string `json:"theirs"`
	// Why we would have written it, or not.
	Why string `json:"why,omitempty"`
}

// The names of what is no field.
const (
	shadowRecord = "(record)"
	shadowGone   = "(deletion)"
)

// ShadowCycle tells what one look found.
type ShadowCycle struct {
	Run int64 `json:"run"`
	// First: the two sides were read for the first time; nothing is compared yet.
	First bool `json:"first"`
	// Findings of this look.
	Findings []ShadowFinding `json:"findings"`
	// Waiting is how many changes the other sync has not decided yet.
	Waiting int              `json:"waiting"`
	Calls   map[crm.Side]int `json:"calls"`
}

// shadowWait is the body of a store.ShadowWait.
type shadowWait struct {
	// Ours: we would have written it; else we would not have.
	Ours   bool     `json:"ours"`
	Target crm.Side `json:"target"`
	Before *string  `json:"before"`
	After  *string  `json:"after"`
	Why    string   `json:"why"`
	// Held is the hash of what the target's slot held.
	Held uint64 `json:"held"`
}

// Shadow looks once at both sides. A change that the other sync has not
// followed within the window counts as missed. It writes nothing outside.
func (e *Engine) Shadow(ctx context.Context, window time.Duration) (*ShadowCycle, error) {
	e.working.Lock()
	defer e.working.Unlock()
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	earlier, err := e.shadowedBefore(ctx)
	if err != nil {
		return nil, err
	}
	run, c, err := e.open(ctx, "shadow")
	if err != nil {
		return nil, err
	}
	s := &shadow{e: e, c: c, first: !earlier, now: e.now(), window: window, waits: map[thingID]map[int]store.ShadowWait{}}
	c.planning, c.look = true, s.see
	err = e.shut(ctx, run, c, s.cycle(ctx))
	if err != nil {
		return nil, err
	}
	return &ShadowCycle{Run: run.ID, First: s.first, Findings: s.findings, Waiting: s.waiting, Calls: run.Calls}, nil
}

// shadowedBefore tells whether a look went through on this store.
func (e *Engine) shadowedBefore(ctx context.Context) (bool, error) {
	runs, err := e.store.Runs(ctx, 100)
	return slices.ContainsFunc(runs, func(r store.Run) bool { return r.Kind == "shadow" && RunStatus(r.Status) == RunDone }), err
}

type thingID struct {
	mapping string
	side    crm.Side
	id      string
}

// shadow is one look.
type shadow struct {
	e      *Engine
	c      *cycle
	first  bool
	now    time.Time
	window time.Duration
	waits  map[thingID]map[int]store.ShadowWait
	things []shadowThing

	findings []ShadowFinding
	waiting  int
}

// shadowThing is a decision with what it was made on.
type shadowThing struct {
	o                   *mapping.BoundObject
	d                   *decided
	link                *store.Link
	hubspot, salesforce *crm.Record
	candidates          []reconcile.Candidate
	known               reconcile.Known
	// judged: an earlier look came to the same about this unlinked record.
	judged bool
}

func (s *shadow) see(o *mapping.BoundObject, subject *subject, d *decided, hubspot, salesforce *crm.Record) {
	s.things = append(s.things, shadowThing{o: o, d: d, link: subject.link, hubspot: hubspot, salesforce: salesforce,
		candidates: subject.snapshot.Candidates, known: subject.snapshot.Known})
}

func (s *shadow) cycle(ctx context.Context) error {
	if err := s.load(ctx); err != nil {
		return err
	}
	if _, err := s.e.observe(ctx, Scope{}, s.c); err != nil {
		return err
	}
	if err := s.e.reconcile(ctx, s.c); err != nil {
		return err
	}
	for len(s.things) > 0 {
		n := min(len(s.things), decideBatch)
		if err := s.settle(ctx, s.things[:n]); err != nil {
			return err
		}
		s.things = s.things[n:]
	}
	waits, err := s.e.store.ShadowWaits(ctx)
	s.waiting = len(waits)
	return err
}

// load reads what waits. What has waited long enough is looked at again, so that
// it is judged by what both sides hold now.
func (s *shadow) load(ctx context.Context) error {
	waits, err := s.e.store.ShadowWaits(ctx)
	if err != nil {
		return err
	}
	due := map[string][]crm.Ref{}
	var begun []store.ShadowWait
	for _, w := range waits {
		if w.Since.After(s.now) { // the clock was put back: it waits from now on
			w.Since = s.now
			begun = append(begun, w)
		}
		id := thingID{w.Mapping, w.Side, w.ID}
		if s.waits[id] == nil {
			s.waits[id] = map[int]store.ShadowWait{}
		}
		s.waits[id][w.Slot] = w
		o := s.e.mapping.Object(w.Mapping)
		if o == nil || s.now.Sub(w.Since) < s.window {
			continue
		}
		ref := crm.Ref{Side: w.Side, Object: o.HubSpot, ID: w.ID}
		if w.Side == crm.Salesforce {
			// An unlinked Salesforce record is known by its outcome.
			known, err := s.e.store.Outcomes(ctx, w.Mapping, w.Side, []string{w.ID})
			if err != nil {
				return err
			}
			ref.Object = known[w.ID].Ref.Object
		}
		if ref.Object != "" {
			due[w.Mapping] = append(due[w.Mapping], ref)
		}
	}
	if len(due) == 0 && len(begun) == 0 {
		return nil
	}
	return s.e.store.Write(ctx, func(t *store.Tx) error {
		if err := t.PutShadowWaits(begun); err != nil {
			return err
		}
		for name, refs := range due {
			if err := t.PutDue(name, refs, store.WakeKept); err != nil {
				return err
			}
		}
		return nil
	})
}

// shadowSettlement is what one batch changes in the store, in one transaction:
// links, waits, findings, and the changes that are done with.
type shadowSettlement struct {
	*settlement
	put, dropped []store.ShadowWait
	results      []store.ShadowResult
}

// remember notes which unlinked records were judged so by an earlier look.
func (s *shadow) remember(ctx context.Context, things []shadowThing) error {
	ids := map[thingID][]string{}
	for i := range things {
		if id := things[i].id(); things[i].link == nil {
			ids[thingID{id.mapping, id.side, ""}] = append(ids[thingID{id.mapping, id.side, ""}], id.id)
		}
	}
	for key, list := range ids {
		outcomes, err := s.e.store.Outcomes(ctx, key.mapping, key.side, list)
		if err != nil {
			return err
		}
		for i := range things {
			t := &things[i]
			id := t.id()
			if o, ok := outcomes[id.id]; ok && t.link == nil && id.mapping == key.mapping && id.side == key.side {
				t.judged = o.Outcome == t.d.Outcome && o.Reason.Code == t.d.Reason.Code
			}
		}
	}
	return nil
}

func (s *shadow) settle(ctx context.Context, things []shadowThing) error {
	if err := s.remember(ctx, things); err != nil {
		return err
	}
	byMapping := map[string]*shadowSettlement{}
	for i := range things {
		name := things[i].o.Name
		if byMapping[name] == nil {
			byMapping[name] = &shadowSettlement{settlement: newSettlement()}
		}
		j := &judgement{s: s, thing: &things[i], to: byMapping[name], waits: s.waits[things[i].id()]}
		j.judge()
		if err := j.err; err != nil {
			return err
		}
	}
	return s.e.store.Write(ctx, func(t *store.Tx) error {
		for name, to := range byMapping {
			if err := t.DropShadowWaits(to.dropped); err != nil {
				return err
			}
			if err := t.PutShadowWaits(to.put); err != nil {
				return err
			}
			if err := t.AppendShadowResults(to.results); err != nil {
				return err
			}
			if _, err := to.save(t, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// id is the thing as waits know it.
func (t *shadowThing) id() thingID {
	if t.d.HubSpot.ID != "" {
		return thingID{t.o.Name, crm.HubSpot, t.d.HubSpot.ID}
	}
	return thingID{t.o.Name, crm.Salesforce, t.d.Salesforce.ID}
}

// ShadowFindings hands everything that was found so far to yield, oldest first.
func ShadowFindings(ctx context.Context, s *store.Store, yield func(ShadowFinding) error) error {
	return s.ShadowResults(ctx, func(r store.ShadowResult) error {
		var f ShadowFinding
		if err := json.Unmarshal(r.Body, &f); err != nil {
			return err
		}
		f.Time = r.Time
		return yield(f)
	})
}
