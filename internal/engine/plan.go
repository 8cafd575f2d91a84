package engine

import (
	"context"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// PlanOptions says how to plan.
type PlanOptions struct {
	// Complete reads everything on both sides, whatever was read before.
	Complete bool
}

// Plan is what a sync would do now. Its items stand in the store until the
// next plan or sync of this pair.
type Plan struct {
	Run            int64      `json:"run"`
	Made           time.Time  `json:"made"`
	Pair           store.Pair `json:"-"`
	MappingVersion uint64     `json:"-"`
	// Objects in the order of writes.
	Objects []PlanObject `json:"objects"`
	Read    int          `json:"read"`
	Tally   crm.Tally    `json:"outcomes"`
	Closed  bool         `json:"closed"`
	// Forecast is how many calls a sync would cost, by side: its writes, and one
	// look at every object.
	Forecast map[crm.Side]int `json:"forecast"`
	// Usage is what each vendor says of today's quota.
	Usage map[crm.Side]crm.Usage `json:"-"`
	// Calls that making the plan cost.
	Calls    map[crm.Side]int `json:"calls"`
	Readings []Reading        `json:"readings"`
	// Brakes that would hold the sync.
	Brakes []Brake `json:"brakes,omitempty"`
	// Policies of the mapping in the order of the file, and what breaks them.
	Policies []PolicyCount `json:"policies,omitempty"`

	engine *Engine
}

// PlanObject counts one object of the plan. A thing may count under several
// operations (linked, and updated on both sides).
type PlanObject struct {
	Name  string    `json:"name"`
	Read  int       `json:"read"`
	Tally crm.Tally `json:"outcomes"`
	// Creates and so on count things, by the side that is written to.
	Creates  map[crm.Side]int `json:"creates"`
	Updates  map[crm.Side]int `json:"updates"`
	Archives map[crm.Side]int `json:"archives"`
	Relates  map[crm.Side]int `json:"relates"`
	// Restores: only an undo plans them.
	Restores map[crm.Side]int `json:"restores,omitempty"`
	Links    int              `json:"links"`
	// LinksOnly are those of the links that need no write.
	LinksOnly int `json:"links_only"`
	// Reasons counts decided things by outcome and reason.
	Reasons []ReasonCount `json:"reasons"`
}

// ReasonCount counts things with one outcome and reason code.
type ReasonCount struct {
	Outcome crm.Outcome `json:"outcome"`
	Code    string      `json:"code"`
	Count   int         `json:"count"`
}

// Writes counts the things that would be written to.
func (p *Plan) Writes() int {
	n := 0
	for _, o := range p.Objects {
		for _, m := range []map[crm.Side]int{o.Creates, o.Updates, o.Archives, o.Relates, o.Restores} {
			for _, v := range m {
				n += v
			}
		}
	}
	return n
}

// Plan observes and decides, and writes nothing outside.
func (e *Engine) Plan(ctx context.Context, options PlanOptions) (*Plan, error) {
	e.working.Lock()
	defer e.working.Unlock()
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	run, c, err := e.open(ctx, "plan")
	if err != nil {
		return nil, err
	}
	c.planning = true
	err = e.plan(ctx, run, c, options)
	if err = e.shut(ctx, run, c, err); err != nil {
		return nil, err
	}
	p := &Plan{Run: run.ID, Made: run.Started, MappingVersion: e.mapping.Version, Read: run.Read, Tally: run.Tally, Closed: run.Closed,
		Calls: run.Calls, Readings: run.Readings, Brakes: run.Brakes, Forecast: map[crm.Side]int{}, Usage: map[crm.Side]crm.Usage{}, engine: e}
	if p.Pair, err = e.store.Pair(ctx); err != nil {
		return nil, err
	}
	for k, work := range c.work {
		p.Forecast[k.side] += e.sides[k.side].Forecast(work)
	}
	// The sync looks once more before it writes: at changes only, and asks again
	// what the decisions were made on.
	for _, r := range run.Readings {
		p.Forecast[r.Side] += min(r.Calls, lookCalls[r.Side])
	}
	for side, calls := range c.deciding {
		p.Forecast[side] += calls
	}
	for side, client := range e.sides {
		p.Usage[side] = client.Usage()
	}
	if p.Policies, err = e.policies(ctx); err != nil {
		return nil, err
	}
	counts, err := e.store.CountPlan(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range run.Objects {
		p.Objects = append(p.Objects, planObject(o, counts))
	}
	return p, nil
}

func (e *Engine) plan(ctx context.Context, run *Run, c *cycle, options PlanOptions) error {
	if err := e.recover(ctx); err != nil {
		return err
	}
	observation, err := e.observe(ctx, Scope{Complete: options.Complete}, c)
	run.Readings = observation.Readings
	if err != nil {
		return err
	}
	before := e.calls()
	if err := e.reconcile(ctx, c); err != nil {
		return err
	}
	for side, n := range e.calls() {
		c.deciding[side] = n - before[side]
	}
	run.Brakes, err = e.brakes(ctx, Writes{}, nil)
	return err
}

// lookCalls is what a look at the changes of one object costs where few changed:
// in HubSpot a search, and the associations of what it found.
var lookCalls = map[crm.Side]int{crm.HubSpot: 3, crm.Salesforce: 1}

func planObject(o RunObject, counts []store.PlanCount) PlanObject {
	p := PlanObject{Name: o.Name, Read: o.Read, Tally: o.Tally,
		Creates: map[crm.Side]int{}, Updates: map[crm.Side]int{}, Archives: map[crm.Side]int{}, Relates: map[crm.Side]int{}, Restores: map[crm.Side]int{}}
	reasons := map[ReasonCount]int{}
	var order []ReasonCount
	for _, c := range counts {
		if c.Mapping != o.Name {
			continue
		}
		for _, b := range []struct {
			to   map[crm.Side]int
			side crm.Side
			bit  store.Ops
		}{
			{p.Creates, crm.HubSpot, store.CreatesInHubSpot}, {p.Creates, crm.Salesforce, store.CreatesInSalesforce},
			{p.Updates, crm.HubSpot, store.UpdatesHubSpot}, {p.Updates, crm.Salesforce, store.UpdatesSalesforce},
			{p.Archives, crm.HubSpot, store.ArchivesHubSpot}, {p.Archives, crm.Salesforce, store.ArchivesSalesforce},
			{p.Restores, crm.HubSpot, store.RestoresHubSpot}, {p.Restores, crm.Salesforce, store.RestoresSalesforce},
			{p.Relates, crm.HubSpot, store.RelatesHubSpot}, {p.Relates, crm.Salesforce, store.RelatesSalesforce},
		} {
			if c.Ops&b.bit != 0 {
				b.to[b.side] += c.Count
			}
		}
		if c.Ops&store.LinksRecords != 0 {
			p.Links += c.Count
			if c.Ops&^store.BreaksPolicy == store.LinksRecords {
				p.LinksOnly += c.Count
			}
		}
		key := ReasonCount{Outcome: c.Outcome, Code: c.Code}
		if reasons[key] == 0 {
			order = append(order, key)
		}
		reasons[key] += c.Count
	}
	for _, key := range order {
		p.Reasons = append(p.Reasons, ReasonCount{key.Outcome, key.Code, reasons[key]})
	}
	return p
}

// ItemFilter chooses items of a plan; the zero ItemFilter takes all.
type ItemFilter struct {
	// Mapping is our name of an object; empty: all.
	Mapping string
	// Outcome and Code; empty: all.
	Outcome crm.Outcome
	Code    string
	// Writes: only things that would be written to.
	Writes bool
	// Breaks: only things that break a policy of the mapping.
	Breaks bool
	// Limit ends after so many items; 0: no limit.
	Limit int
}

// Items hands the items of the plan to yield: objects in the order of writes,
// HubSpot records by id, then Salesforce records without a partner.
func (p *Plan) Items(ctx context.Context, filter ItemFilter, yield func(Item) error) error {
	return p.engine.planRows(ctx, filter, func(_ store.PlanRow, d *decided) error { return yield(p.engine.item(d)) })
}

// planRows walks over the plan in the store.
func (e *Engine) planRows(ctx context.Context, filter ItemFilter, yield func(store.PlanRow, *decided) error) error {
	const pageSize = 500
	var ops store.Ops
	switch {
	case filter.Breaks:
		ops = store.BreaksPolicy
	case filter.Writes:
		ops = store.Writes
	}
	handed := 0
	for _, o := range e.mapping.Objects {
		if filter.Mapping != "" && filter.Mapping != o.Name {
			continue
		}
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			for after := ""; ; {
				page, err := e.store.PlanPage(ctx, o.Name, side, after, pageSize, false, ops)
				if err != nil {
					return err
				}
				for _, row := range page {
					after = row.ID
					if filter.Outcome != "" && row.Outcome != filter.Outcome || filter.Code != "" && row.Code != filter.Code {
						continue
					}
					d, err := decodeDecided(row.Body)
					if err != nil {
						return err
					}
					if err := yield(row, d); err != nil {
						return err
					}
					if handed++; handed == filter.Limit {
						return nil
					}
				}
				if len(page) < pageSize {
					break
				}
			}
		}
	}
	return nil
}
