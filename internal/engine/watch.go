package engine

import (
	"context"
	"errors"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// hintGather is how long a cycle that a hint woke waits for more of them:
// vendors tell of one edit in several events.
const hintGather = 250 * time.Millisecond

// Watch syncs again and again, every so long, until ctx ends, which is no
// error. What Hear takes wakes it in between, to look at just that. onCycle is
// told of every cycle, quiet ones too; its error ends the watch. What waiting
// can mend (a vendor that is down, a used-up quota) does not end it; a dead
// credential, a lost lease or a full disk does.
func (e *Engine) Watch(ctx context.Context, every time.Duration, onCycle func(*Run, error) error) error {
	hinted := false
	polled := time.Time{}
	for {
		began := time.Now()
		run, err := e.cycle(ctx, "watch", SyncOptions{hinted: hinted})
		if ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err())) {
			if run != nil && !run.Quiet() {
				return onCycle(run, nil)
			}
			return nil
		}
		if told := onCycle(run, err); told != nil {
			return told
		}
		if !hinted {
			polled = began
		}
		wait, wakeable := max(0, every-time.Since(polled)), err == nil
		if !hinted {
			wait = every
		}
		if err != nil {
			f, _ := fault.As(err)
			switch fault.KindOf(err) {
			case fault.Unavailable:
				wait = every
			case fault.RateLimited:
				wait = max(every, f.RetryAfter)
			default:
				return err
			}
		}
		if hinted = e.rest(ctx, wait, wakeable); ctx.Err() != nil {
			return nil
		}
	}
}

// rest waits, and tells whether a hint ended it. While a vendor does not answer
// (not wakeable) hints wait as well.
func (e *Engine) rest(ctx context.Context, wait time.Duration, wakeable bool) (hinted bool) {
	wake := e.wake
	if !wakeable {
		wake = nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return false
	case <-wake:
	}
	timer.Reset(min(wait, hintGather))
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return true
}
