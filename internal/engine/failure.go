package engine

import (
	"context"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

const (
	// retryBudget is how often a thing is tried by itself before a person has to
	// look: with the waits below, for about seven hours.
	retryBudget = 12
	// firstRetry is how long the second try by itself waits; the first comes with
	// the next cycle, and each further one waits twice as long, up to longestRetry.
	firstRetry   = time.Minute
	longestRetry = time.Hour
)

// retryWait is how long a thing waits after so many tries.
func retryWait(tries int) time.Duration {
	if tries <= 1 {
		return 0
	}
	wait := firstRetry
	for range tries - 2 {
		if wait *= 2; wait >= longestRetry {
			return longestRetry
		}
	}
	return wait
}

// failures notes what failed in the batch and forgets what did not. What a
// vendor refuses is not tried again by itself; what it could not do then is,
// after a wait that grows, until the budget is used up.
func (b *batch) failures(known map[crm.Side]map[string]store.Failure) (failed []store.Failure, good map[crm.Side][]string) {
	good = map[crm.Side][]string{}
	at := b.e.now()
	for _, j := range b.jobs {
		ref, _ := j.d.on(j.row.Side)
		partner, _ := j.d.on(j.row.Side.Other())
		ref.ID = j.row.ID
		if j.outcome != crm.Failed {
			if j.outcome != crm.Pending {
				good[ref.Side] = append(good[ref.Side], ref.ID)
				if partner.ID != "" {
					good[partner.Side] = append(good[partner.Side], partner.ID)
				}
			}
			continue
		}
		f := store.Failure{Mapping: b.o.Name, Ref: ref, Partner: partner, Target: ref.Side.Other(), Class: store.Permanent, Field: j.reason.Field, First: at, Last: at}
		if before, ok := known[ref.Side][ref.ID]; ok {
			f.First, f.Tries = before.First, before.Tries
		}
		for _, s := range j.sends {
			if s.sent && s.result.Err != nil {
				f.Target, f.Status, f.Request = s.planned.Side, s.result.Cause, s.result.RequestID
				break
			}
		}
		f.Tries++
		if j.reason.Code == CodeFailedUnavailable {
			f.Class, f.Next = store.Transient, at.Add(retryWait(f.Tries))
			if f.Tries >= retryBudget {
				f.Class, f.Next = store.Exhausted, time.Time{}
				b.e.log.Warn("gave up trying a record by itself", "object", b.o.Name, "record", ref.ID, "outcome", j.reason.Text)
			}
		}
		failed = append(failed, f)
	}
	return failed, good
}

// failuresOf fetches what is remembered of the batch's things.
func (b *batch) failuresOf(ctx context.Context) (map[crm.Side]map[string]store.Failure, error) {
	ids := map[crm.Side][]string{}
	for _, j := range b.jobs {
		if j.outcome == crm.Failed {
			ids[j.row.Side] = append(ids[j.row.Side], j.row.ID)
		}
	}
	known := map[crm.Side]map[string]store.Failure{}
	for side, list := range ids {
		var err error
		if known[side], err = b.e.store.FailuresOf(ctx, b.o.Name, side, list); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// FailedRecord is a thing that failed, with the state of its retries.
type FailedRecord struct {
	Mapping string `json:"mapping"`
	Record  Record `json:"record"`
	// Target is the side that did not take it.
	Target crm.Side           `json:"target"`
	Class  store.FailureClass `json:"class"`
	Reason crm.Reason         `json:"reason"`
	// Status is the vendor's status code, Field what it blamed.
	Status  string    `json:"status,omitempty"`
	Field   string    `json:"field,omitempty"`
	Request string    `json:"request_id,omitempty"`
	Tries   int       `json:"tries"`
	Budget  int       `json:"budget"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	// Next is when it is tried by itself; absent for never.
	Next time.Time `json:"next,omitzero"`
}

// FailedOf lists what failed, from a store alone.
func FailedOf(ctx context.Context, s *store.Store) ([]FailedRecord, error) {
	rows, err := s.Failures(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]FailedRecord, 0, len(rows))
	for _, f := range rows {
		outcomes, err := s.Outcomes(ctx, f.Mapping, f.Ref.Side, []string{f.Ref.ID})
		if err != nil {
			return nil, err
		}
		list = append(list, FailedRecord{Mapping: f.Mapping, Record: recordOf(f.Ref), Target: f.Target, Class: f.Class, Reason: outcomes[f.Ref.ID].Reason,
			Status: f.Status, Field: f.Field, Request: f.Request, Tries: f.Tries, Budget: retryBudget, First: f.First, Last: f.Last, Next: f.Next})
	}
	return list, nil
}

// RetryFailed has what failed tried by the next sync, with a fresh budget: one
// record by either id, or all with text empty. It returns how many things that
// are. fault.NotFound when the record did not fail.
func RetryFailed(ctx context.Context, s *store.Store, m *mapping.Mapping, text string) (int, error) {
	rows, err := s.Failures(ctx)
	if err != nil {
		return 0, err
	}
	q := parseQuery(text)
	var names []string
	for _, o := range m.Objects {
		names = append(names, o.Name, o.HubSpot)
		for _, t := range o.Targets {
			names = append(names, t.Object)
		}
	}
	if err := s.Acquire(ctx); err != nil {
		return 0, err
	}
	if err := s.Prepare(ctx, names...); err != nil {
		return 0, err
	}
	n := 0
	for _, f := range rows {
		if text != "" {
			taken := f.Ref.Side == crm.HubSpot && f.Ref.ID == q.hubspotID || f.Ref.Side == crm.Salesforce && f.Ref.ID == q.salesforceID
			if !taken && f.Ref.Side == crm.HubSpot && q.salesforceID != "" {
				links, err := s.Links(ctx, f.Mapping, crm.HubSpot, []string{f.Ref.ID})
				if err != nil {
					return n, err
				}
				taken = links[f.Ref.ID].SalesforceID == q.salesforceID
			}
			if !taken {
				continue
			}
		}
		n++
		f.Tries, f.Next = 0, now()
		if f.Class == store.Exhausted {
			f.Class = store.Transient
		}
		err := s.Write(ctx, func(t *store.Tx) error {
			if err := t.PutFailures([]store.Failure{f}); err != nil {
				return err
			}
			return t.PutDue(f.Mapping, []crm.Ref{f.Ref}, store.WakeByHand)
		})
		if err != nil {
			return n, err
		}
	}
	if text != "" && n == 0 {
		return 0, fault.New(fault.NotFound, "no record called %q failed", text).WithMend("lockstep errors list")
	}
	return n, nil
}
