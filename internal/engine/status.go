package engine

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// Status is how the pair stands, from the store alone: no call is made.
type Status struct {
	HubSpot    SealedParty `json:"hubspot"`
	Salesforce SealedParty `json:"salesforce"`
	// Objects in the order of writes.
	Objects []StatusObject `json:"objects"`
	// Due is how many records wait for the next sync.
	Due int `json:"due"`
	// OpenCreates were sent and have an unknown fate; they are looked up first.
	OpenCreates int `json:"open_creates"`
	// Failures counts what failed, by class of its retries.
	Failures map[store.FailureClass]int `json:"failures,omitempty"`
	// LastRun is nil before the first.
	LastRun *Run `json:"last_run,omitempty"`
	// Sources are those that were heard of changes, with the time of the last news.
	Sources []StatusSource `json:"sources,omitempty"`
	// Working is who works on the pair now; nil when nobody does.
	Working *store.Holder `json:"working,omitempty"`
}

// StatusObject is how one object of the mapping stands.
type StatusObject struct {
	Name  string `json:"name"`
	Links int    `json:"links"`
	// Outcomes of things that are not simply in step.
	Outcomes []store.OutcomeCount `json:"outcomes"`
	Tally    crm.Tally            `json:"tally"`
	// Cursors by side and vendor object.
	Cursors []StatusCursor `json:"cursors"`
	// Sweep is how far the look at associations has come; nil where one cycle looks at all.
	Sweep *StatusSweep `json:"sweep,omitempty"`
}

// StatusSweep says how far the cycles have come with the associations of an object that
// has more linked records than one cycle looks at. What somebody only associates, or takes
// apart, is noticed when its record's turn comes; then it starts at the front again.
type StatusSweep struct {
	// Looked records had their turn in this round, Left have not yet.
	Looked int `json:"looked"`
	Left   int `json:"left"`
	// Cycles is how many more cycles the round takes, Round how many a whole one takes.
	Cycles int `json:"cycles"`
	Round  int `json:"round"`
}

// StatusCursor says how far one vendor object was read.
type StatusCursor struct {
	Side     crm.Side  `json:"side"`
	Object   string    `json:"object"`
	Since    time.Time `json:"since,omitzero"`
	Complete time.Time `json:"complete,omitzero"`
}

// StatusSource is one source of hints: webhooks, the journal, change events.
type StatusSource struct {
	Name  string    `json:"name"`
	Heard time.Time `json:"heard"`
}

// Status tells how the pair stands.
func (e *Engine) Status(ctx context.Context) (*Status, error) {
	return StatusOf(ctx, e.store, e.mapping.Mapping)
}

// StatusOf tells how a pair stands without needing either side.
func StatusOf(ctx context.Context, s *store.Store, m *mapping.Mapping) (*Status, error) {
	pair, err := s.Pair(ctx)
	if err != nil {
		return nil, err
	}
	st := &Status{HubSpot: SealedParty{pair.HubSpotID, pair.HubSpotName}, Salesforce: SealedParty{pair.SalesforceID, pair.SalesforceName}}
	counts, err := s.CountOutcomes(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range m.Objects {
		so := StatusObject{Name: o.Name, Outcomes: []store.OutcomeCount{}}
		if so.Links, err = s.CountLinks(ctx, o.Name); err != nil {
			return nil, err
		}
		so.Tally.Unchanged = so.Links
		for _, c := range counts {
			if c.Mapping != o.Name {
				continue
			}
			so.Outcomes = append(so.Outcomes, c)
			for range c.Count {
				so.Tally.Add(c.Outcome)
			}
			so.Tally.Unchanged -= c.Linked
		}
		add := func(side crm.Side, object string) error {
			c, err := s.Cursor(ctx, o.Name, side, object)
			so.Cursors = append(so.Cursors, StatusCursor{Side: side, Object: object, Since: c.Since, Complete: c.Complete})
			return err
		}
		if err := add(crm.HubSpot, o.HubSpot); err != nil {
			return nil, err
		}
		for _, t := range o.Targets {
			if err := add(crm.Salesforce, t.Object); err != nil {
				return nil, err
			}
		}
		if so.Sweep, err = sweepStatus(ctx, s, o, so.Links); err != nil {
			return nil, err
		}
		st.Objects = append(st.Objects, so)
	}
	if st.Due, err = s.CountDue(ctx); err != nil {
		return nil, err
	}
	intents, err := s.Intents(ctx)
	if err != nil {
		return nil, err
	}
	st.OpenCreates = len(intents)
	runs, err := Runs(ctx, s, 1)
	if err != nil {
		return nil, err
	}
	if len(runs) > 0 {
		st.LastRun = &runs[0]
	}
	positions, err := s.Positions(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range positions {
		st.Sources = append(st.Sources, StatusSource{p.Source, p.Heard})
	}
	if st.Failures, err = s.CountFailures(ctx); err != nil {
		return nil, err
	}
	st.Working, err = s.Holder(ctx)
	return st, err
}

func sweepStatus(ctx context.Context, s *store.Store, o mapping.Object, links int) (*StatusSweep, error) {
	swept := slices.ContainsFunc(o.Associations, func(a mapping.Association) bool { return a.By == "" })
	if !swept || links <= associationSlice {
		return nil, nil
	}
	sweep, err := s.Sweep(ctx, o.Name, crm.HubSpot, o.HubSpot, store.SweepAssociations)
	if err != nil {
		return nil, err
	}
	looked, err := s.CountLinksUpTo(ctx, o.Name, sweep.Position)
	if err != nil {
		return nil, err
	}
	cycles := func(records int) int { return (records + associationSlice - 1) / associationSlice }
	return &StatusSweep{Looked: looked, Left: links - looked, Cycles: cycles(links - looked), Round: cycles(links)}, nil
}
