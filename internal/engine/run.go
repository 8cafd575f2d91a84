package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// RunStatus is how a run ended.
type RunStatus string

// The ways in which a run ends.
const (
	// RunRunning: it lasts, or its process was killed.
	RunRunning RunStatus = "running"
	// RunDone: it went through to the end; single records may have failed.
	RunDone RunStatus = "done"
	// RunBraked: a brake of the mapping waits for a person.
	RunBraked RunStatus = "braked"
	// RunStopped: it ended before its end (cancelled, denied, quota used up);
	// what was done is saved.
	RunStopped RunStatus = "stopped"
)

// Run is the account of one run.
type Run struct {
	ID      int64     `json:"id"`
	Kind    string    `json:"kind"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Status  RunStatus `json:"status"`
	// Undoes is the run that an undo undid.
	Undoes int64 `json:"undoes,omitempty"`
	// Objects in the order of writes.
	Objects []RunObject `json:"objects"`
	// Read counts things (a linked pair is one), Tally what became of them.
	Read  int       `json:"read"`
	Tally crm.Tally `json:"outcomes"`
	// Closed: every thing that was read has exactly one outcome.
	Closed bool `json:"closed"`
	// Writes made outside.
	Writes Writes `json:"writes"`
	// Calls made by this run, by side.
	Calls map[crm.Side]int `json:"calls"`
	// Readings tell how both sides were read.
	Readings []Reading `json:"readings,omitempty"`
	// Changed is how many records changed after they were decided.
	Changed int `json:"changed_since_plan,omitempty"`
	// LeftAlone says of the first of them (at most 200) what changed.
	LeftAlone []LeftAlone `json:"left_alone,omitempty"`
	// Brakes that hold.
	Brakes []Brake `json:"brakes,omitempty"`
	// Exhausted counts things that failed as often as they are tried by
	// themselves; a person has to look.
	Exhausted int `json:"exhausted,omitempty"`
	// Error and Mend say why a stopped run stopped.
	Error string `json:"error,omitempty"`
	Mend  string `json:"mend,omitempty"`

	sealed bool
}

// RunObject is the account of one object of the mapping.
type RunObject struct {
	Name   string    `json:"name"`
	Read   int       `json:"read"`
	Tally  crm.Tally `json:"outcomes"`
	Closed bool      `json:"closed"`
}

// LeftAlone is one thing that was not written to because it is not what it was
// when the plan was made.
type LeftAlone struct {
	Mapping    string  `json:"mapping"`
	Title      string  `json:"title,omitempty"`
	HubSpot    *Record `json:"hubspot,omitempty"`
	Salesforce *Record `json:"salesforce,omitempty"`
	Why        string  `json:"why"`
}

// leftAloneLimit bounds what a run says of single things; the count is whole.
const leftAloneLimit = 200

// Brake is one brake that holds.
type Brake struct {
	// What it is about: "creates", "updates", "deletes", or "policy".
	What string `json:"what"`
	// Policy is the name of the policy that stops the plan.
	Policy  string `json:"policy,omitempty"`
	Planned int    `json:"planned"`
	Limit   int    `json:"limit"`
}

// Sentence says it for people: "12 creates are planned, and lockstep.yaml
// allows 5".
func (b Brake) Sentence() string {
	if b.What == brakePolicy {
		records, allows := "records break", ""
		if b.Planned == 1 {
			records = "record breaks"
		}
		if b.Limit > 0 {
			allows = fmt.Sprintf(", which allows %d", b.Limit)
		}
		return fmt.Sprintf("%d %s the policy %q%s", b.Planned, records, b.Policy, allows)
	}
	what, verb := b.What, "are"
	if b.Planned == 1 {
		what, verb = strings.TrimSuffix(what, "s"), "is"
	}
	return fmt.Sprintf("%d %s %s planned, and lockstep.yaml allows %d", b.Planned, what, verb, b.Limit)
}

// brakePolicy is What of a policy that stops the plan.
const brakePolicy = "policy"

// Exit is the exit code that belongs to the run, the error aside.
func (r *Run) Exit() int {
	switch {
	case r.Status == RunBraked:
		return fault.ExitBrake
	case r.sealed && r.Changed > 0:
		return fault.ExitConflict
	case !r.Closed || r.Tally.Failed > 0 || r.Exhausted > 0:
		return fault.ExitRecords
	}
	return fault.ExitOK
}

// Quiet tells whether nothing happened: no write, no link, no decision.
func (r *Run) Quiet() bool {
	if r.Status != RunDone || r.Writes.Sum()+r.Writes.Linked > 0 || r.Tally.Failed > 0 {
		return false
	}
	for _, reading := range r.Readings {
		if reading.Changed > 0 || reading.Gone > 0 {
			return false
		}
	}
	return true
}

// open begins a run and its cycle.
func (e *Engine) open(ctx context.Context, kind string) (*Run, *cycle, error) {
	run := &Run{Kind: kind, Started: e.now(), Status: RunRunning, Calls: e.calls()}
	err := e.store.Write(ctx, func(t *store.Tx) (err error) {
		run.ID, err = t.BeginRun(kind, run.Started)
		return err
	})
	return run, newCycle(e, run.ID), err
}

func (e *Engine) calls() map[crm.Side]int {
	calls := map[crm.Side]int{}
	for side, client := range e.sides {
		calls[side] = client.Usage().Calls
	}
	return calls
}

// shut adds the run up and saves its account. It returns why the run stopped.
func (e *Engine) shut(ctx context.Context, run *Run, c *cycle, cause error) error {
	if cause == nil {
		cause = c.stopped
	}
	run.Ended = e.now()
	e.notePutBack(run.ID, run.Started)
	if failed, err := e.store.CountFailures(ctx); err == nil {
		run.Exhausted = failed[store.Exhausted]
	}
	for side, n := range e.calls() {
		run.Calls[side] = n - run.Calls[side]
	}
	run.Closed = true
	run.Objects = nil
	for _, o := range e.mapping.Objects {
		read, tally, closed := c.ledger(o.Name).close()
		run.Objects = append(run.Objects, RunObject{Name: o.Name, Read: read, Tally: tally, Closed: closed})
		run.Read += read
		run.Closed = run.Closed && closed
		run.Tally = sum(run.Tally, tally)
	}
	run.Writes, run.Changed, run.LeftAlone = c.writes, c.changed, c.leftAlone
	switch {
	case cause != nil:
		run.Status, run.Error, run.Mend = RunStopped, cause.Error(), fault.MendOf(cause)
		if errors.Is(cause, context.Canceled) {
			run.Error, run.Mend = "interrupted; what was done is saved", "run `lockstep sync` again: it goes on from here"
		}
	case len(run.Brakes) > 0:
		run.Status = RunBraked
	default:
		run.Status = RunDone
	}
	body, err := json.Marshal(run)
	if err != nil {
		return errors.Join(cause, err)
	}
	err = e.store.Write(ctx, func(t *store.Tx) error {
		if run.Kind == "watch" && run.Quiet() {
			return t.DropRun(run.ID)
		}
		return t.EndRun(store.Run{ID: run.ID, Ended: run.Ended, Status: string(run.Status), Body: body})
	})
	if cause != nil {
		return cause
	}
	if err == nil {
		err = e.prune(ctx)
	}
	return err
}

func sum(a, b crm.Tally) crm.Tally {
	return crm.Tally{Synced: a.Synced + b.Synced, Unchanged: a.Unchanged + b.Unchanged, Excluded: a.Excluded + b.Excluded,
		Held: a.Held + b.Held, Pending: a.Pending + b.Pending, Failed: a.Failed + b.Failed}
}

// Runs lists the newest runs first, at most limit.
func (e *Engine) Runs(ctx context.Context, limit int) ([]Run, error) {
	return Runs(ctx, e.store, limit)
}

// Run returns one run; fault.NotFound when there is none.
func (e *Engine) Run(ctx context.Context, id int64) (*Run, error) { return RunOf(ctx, e.store, id) }

// Runs lists the runs of a store without needing either side.
func Runs(ctx context.Context, s *store.Store, limit int) ([]Run, error) {
	rows, err := s.Runs(ctx, limit)
	if err != nil {
		return nil, err
	}
	runs := make([]Run, len(rows))
	for i, row := range rows {
		r, err := readRun(row)
		if err != nil {
			return nil, err
		}
		runs[i] = *r
	}
	return runs, nil
}

// RunOf reads one run of a store without needing either side.
func RunOf(ctx context.Context, s *store.Store, id int64) (*Run, error) {
	row, err := s.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	return readRun(row)
}

func readRun(row store.Run) (*Run, error) {
	r := &Run{ID: row.ID, Kind: row.Kind, Started: row.Started, Ended: row.Ended, Status: RunStatus(row.Status)}
	if len(row.Body) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(row.Body, r); err != nil {
		return nil, fault.New(fault.Internal, "read run %d", row.ID).Wrap(err)
	}
	return r, nil
}
