package engine

import (
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// cycle is what one run carries through its steps.
type cycle struct {
	run int64
	// undoes is the run that this one undoes; 0 for every other run.
	undoes  int64
	ledgers map[string]*ledger
	// again counts things that became decidable anew while the run wrote: an
	// awaited record was linked, a record changed under the plan.
	again int
	// writes made outside, by kind.
	writes Writes
	// updated are the things whose fields were written, where a brake counts them.
	updated map[uint64]struct{}
	// changed counts things that changed since they were decided.
	changed   int
	leftAlone []LeftAlone
	// look is shown every decision with what it was made on; nil shows nobody.
	look func(o *mapping.BoundObject, s *subject, d *decided, hubspot, salesforce *crm.Record)
	// planning: what is decided is the end of it, nothing will be applied.
	planning bool
	// deciding is what the decisions of a plan cost in calls.
	deciding map[crm.Side]int
	// work is what the plan would send, by side and object.
	work map[workKey]crm.Work
	// stopped is why the run could not go on; what was done is kept.
	stopped error
}

func newCycle(e *Engine, run int64) *cycle {
	c := &cycle{run: run, ledgers: map[string]*ledger{}, work: map[workKey]crm.Work{}, deciding: map[crm.Side]int{}}
	for _, o := range e.mapping.Objects {
		c.ledgers[o.Name] = &ledger{}
	}
	return c
}

type workKey struct {
	side   crm.Side
	object string
}

// plans counts what one decision would send.
func (c *cycle) plans(d *decided) {
	for _, w := range d.Writes {
		k := workKey{w.Side, w.Object}
		work := c.work[k]
		work.Object = w.Object
		switch w.Op {
		case crm.Create:
			work.Create++
		case crm.Update:
			work.Update++
		case crm.Archive, crm.Restore:
			work.Archive++
		case crm.Relate, crm.Unrelate:
			work.Relate++
		}
		c.work[k] = work
	}
}

// leave notes that a thing is not what it was when it was decided.
func (c *cycle) leave(e *Engine, d *decided, why string) {
	c.changed++
	if len(c.leftAlone) < leftAloneLimit {
		it := e.item(d)
		c.leftAlone = append(c.leftAlone, LeftAlone{Mapping: it.Mapping, Title: it.Title, HubSpot: it.HubSpot, Salesforce: it.Salesforce, Why: why})
	}
}

func (c *cycle) ledger(mapping string) *ledger { return c.ledgers[mapping] }

// Writes counts what was written outside.
type Writes struct {
	Created  int `json:"created"`
	Updated  int `json:"updated"`
	Archived int `json:"archived"`
	Related  int `json:"related"`
	// Restored counts archived records that an undo brought back.
	Restored int `json:"restored,omitempty"`
	// Linked counts new links, which write nothing outside by themselves.
	Linked int `json:"linked"`
}

// Sum adds up what was written outside.
func (w Writes) Sum() int { return w.Created + w.Updated + w.Archived + w.Related + w.Restored }

func (w *Writes) count(op crm.Op) {
	switch op {
	case crm.Create:
		w.Created++
	case crm.Update:
		w.Updated++
	case crm.Archive:
		w.Archived++
	case crm.Relate, crm.Unrelate:
		w.Related++
	case crm.Restore:
		w.Restored++
	}
}

// now is the present as rows hold it: UTC, microseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
