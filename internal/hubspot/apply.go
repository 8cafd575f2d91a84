package hubspot

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// outageBatches is how many batches in a row may find HubSpot down before the
// rest is not tried.
const outageBatches = 3

// Apply sends writes of one object in batches, several at once, and returns one
// result for each.
//
// Creates carry a trace id, so that HubSpot takes the good ones of a batch and
// names the bad; what it refuses as a whole (an e-mail that exists, an unknown
// property) had no effect and is halved until single records are left. Creates
// with an ExternalField become upserts by it. A 409 names the record that is in
// the way: Result.ID holds it. An update of a record that another write of the
// same call changes too is sent after it.
// https://developers.hubspot.com/docs/api-reference/error-handling
func (c *Client) Apply(ctx context.Context, writes []crm.Write) ([]crm.Result, error) {
	if len(writes) > 0 && isList(writes[0].Object) {
		return c.applyLists(ctx, writes)
	}
	a := &application{client: c, results: make([]crm.Result, len(writes))}
	for i := range writes {
		a.results[i].Key = writes[i].Key
		if writes[i].Op == crm.Restore {
			page, _ := c.Restorable(writes[i].Object)
			a.results[i].ID, a.results[i].Cause = writes[i].ID, "NO_API"
			a.results[i].Err = fault.New(fault.Invalid, "HubSpot has no API that restores records").WithMend("%s", restoreSteps(page))
		}
	}
	for _, wave := range waves(writes) {
		var group sync.WaitGroup
		slots := make(chan struct{}, atOnce)
		for _, b := range batches(writes, wave) {
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				a.send(ctx, b)
			})
		}
		group.Wait()
	}
	return a.results, a.stop()
}

// waves splits writes so that no wave touches one record twice.
func waves(writes []crm.Write) [][]int {
	var waves [][]int
	seen := map[string]int{}
	for i := range writes {
		w := &writes[i]
		if w.Op == crm.Restore {
			continue // Apply has answered it
		}
		n := 0
		if key := target(w); key != "" {
			n = seen[key]
			seen[key]++
		}
		if n == len(waves) {
			waves = append(waves, nil)
		}
		waves[n] = append(waves[n], i)
	}
	return waves
}

// target names what a write changes; empty for a new record.
func target(w *crm.Write) string {
	switch w.Op {
	case crm.Create:
		if w.ExternalField != "" {
			return "=" + w.ExternalField + "=" + w.ExternalValue
		}
		return ""
	case crm.Relate, crm.Unrelate:
		return w.ID + ">" + w.Relation.Object + ">" + w.Relation.ID
	}
	return w.ID
}

// batch is some writes that go into one call.
type batch struct {
	verb   verb
	object string
	far    string // of Relate and Unrelate
	writes []*crm.Write
	index  []int // of each write among all
	// doubted: a call with these writes may have had its effect and was not answered.
	doubted bool
}

// batches groups the writes of one wave by what they do, and cuts the groups to size.
func batches(writes []crm.Write, wave []int) []*batch {
	var all []*batch
	open := map[batchKey]*batch{}
	for _, i := range wave {
		w := &writes[i]
		key := keyOf(w)
		b := open[key]
		if b == nil || len(b.writes) == key.verb.size() {
			b = &batch{verb: key.verb, object: key.object, far: key.far}
			open[key] = b
			all = append(all, b)
		}
		b.writes = append(b.writes, w)
		b.index = append(b.index, i)
	}
	return all
}

type batchKey struct {
	verb             verb
	object, far, tag string
}

func keyOf(w *crm.Write) batchKey {
	key := batchKey{object: w.Object}
	switch w.Op {
	case crm.Create:
		key.verb = create
		if w.ExternalField != "" {
			key.verb, key.tag = upsert, w.ExternalField
		}
	case crm.Update:
		key.verb = update
	case crm.Archive:
		key.verb = archive
	case crm.Relate:
		key.verb, key.far = relateDefault, w.Relation.Object
		if w.Relation.Primary || w.Relation.Label != "" {
			key.verb = relateTyped
		}
	case crm.Unrelate:
		key.verb, key.far = unrelate, w.Relation.Object
		if w.Relation.Label != "" {
			key.verb = unlabel
		}
	}
	return key
}

// application is one call of Apply.
type application struct {
	client  *Client
	results []crm.Result
	outages atomic.Int64

	mu      sync.Mutex
	stopped error
}

func (a *application) stop() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stopped
}

// halt keeps what stops everything.
func (a *application) halt(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped == nil {
		a.stopped = err
	}
}

// send sends one batch, and halves it where HubSpot refuses it as a whole
// without saying why.
func (a *application) send(ctx context.Context, b *batch) {
	err := a.stop()
	if err == nil && ctx.Err() != nil {
		err = stopped(ctx.Err())
		a.halt(err)
	}
	if err != nil {
		a.refuse(b, unsent(err))
		return
	}
	left, err := a.client.sendBatch(ctx, b, a.results)
	if err == nil {
		a.outages.Store(0)
		a.sendAgain(ctx, b, left)
		return
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict, fault.NotFound:
		if len(b.writes) > 1 {
			half := len(b.writes) / 2
			a.send(ctx, b.part(0, half))
			a.send(ctx, b.part(half, len(b.writes)))
			return
		}
	}
	a.failed(ctx, b, err)
}

// failed gives the writes of a call their answer, and stops what cannot go on.
func (a *application) failed(ctx context.Context, b *batch, err error) {
	switch fault.KindOf(err) {
	case fault.Denied, fault.RateLimited, fault.Internal:
		a.halt(err)
	case fault.Unavailable:
		if ctx.Err() != nil || a.outages.Add(1) >= outageBatches {
			a.halt(err)
		}
	}
	a.refuse(b, err)
}

// unsent is the answer to a write that was not sent because of err. It says the
// same of what to do, but leaves no doubt of the effect: there was none.
func unsent(err error) error {
	e, ok := fault.As(err)
	if !ok {
		return err
	}
	return &fault.Error{
		Kind: e.Kind, What: "not sent, since the sync stopped: " + e.What, Mend: e.Mend,
		Code: e.Code, Status: e.Status, RetryAfter: e.RetryAfter, Scopes: e.Scopes,
	}
}

// sendAgain sends the writes of a batch that its answer did not mention one by
// one: whoever is to blame then answers for itself.
func (a *application) sendAgain(ctx context.Context, b *batch, left []int) {
	for _, i := range left {
		if len(b.writes) == 1 {
			a.refuse(b, fault.New(fault.Unavailable, "HubSpot answered a batch and left a record out").
				WithMend("run the sync again: the record is read before anything is repeated"))
			return
		}
		a.send(ctx, b.part(i, i+1))
	}
}

// refuse gives all writes of a batch the same answer.
func (a *application) refuse(b *batch, err error) {
	for k, i := range b.index {
		r := &a.results[i]
		r.Err = err
		r.Unknown = apicall.Unanswered(err) || b.mayHave(err)
		if e, ok := fault.As(err); ok {
			r.RequestID = e.RequestID
			r.Cause = e.Code
		}
		var said *refusal
		if errors.As(err, &said) {
			r.Fields = said.fields()
			if len(b.writes) == 1 && fault.KindOf(err) == fault.Conflict {
				r.ID = said.existingID()
			}
		}
		if r.ID == "" && b.verb != create && b.verb != upsert {
			r.ID = b.writes[k].ID
		}
	}
}

func (b *batch) part(from, to int) *batch {
	part := *b
	part.writes, part.index = b.writes[from:to], b.index[from:to]
	return &part
}
