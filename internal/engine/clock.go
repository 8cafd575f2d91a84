package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// The clock of this machine may be wrong, and may be put back at any moment. What
// decides goes by the vendors' times (what changed, which edit is newer, how far
// a side was read) or by the order of rows (runs, journal, decisions). Our own
// times say how old something is that we stored; where one lies in the future
// the clock was put back since, and its age counts as too great: looking once more
// costs calls, not looking may cost an edit.

// putBackLeast is by how much a clock was put back at least, before it is worth a
// word: clocks are set right by moments all the time.
const putBackLeast = time.Minute

// now is the present as rows hold it: UTC, microseconds.
func (e *Engine) now() time.Time { return e.clock().UTC().Truncate(time.Microsecond) }

// age is how long ago a stored moment was; known is false when the clock was put
// back since.
func (e *Engine) age(stored time.Time) (age time.Duration, known bool) {
	age = e.now().Sub(stored)
	return age, age >= 0
}

// olderThan tells whether a stored moment is longer ago than that, or may be.
func (e *Engine) olderThan(stored time.Time, limit time.Duration) bool {
	age, known := e.age(stored)
	return !known || age > limit
}

// watchClock says, once in a process, that the clock stands before the last run.
func (e *Engine) watchClock(ctx context.Context) error {
	if e.put {
		return nil
	}
	runs, err := e.store.Runs(ctx, 1)
	if err != nil || len(runs) == 0 {
		return err
	}
	last := runs[0].Started
	if runs[0].Ended.After(last) {
		last = runs[0].Ended
	}
	e.notePutBack(runs[0].ID, last)
	return nil
}

// notePutBack says so when the clock stands well before a moment of a run.
func (e *Engine) notePutBack(run int64, moment time.Time) {
	now := e.now()
	if e.put || moment.Sub(now) < putBackLeast {
		return
	}
	e.put = true
	e.log.Warn("the clock was put back", "run", run, "by", moment.Sub(now))
	if e.progress != nil {
		const form = "2006-01-02 15:04:05 MST"
		e.progress(Event{Note: fmt.Sprintf("this machine's clock was put back: it shows %s, and run %d was at work at %s. Nothing is lost by it: what changed and which edit is newer goes by the clocks of HubSpot and Salesforce. Set the clock right (timedatectl shows whether it is kept in step)",
			now.Format(form), run, moment.Format(form))})
	}
}

// present is the present as far as a vendor has told it too: the earlier of our
// clock and HubSpot's, up to which each read of changes moves its mark. What is
// forgotten for good goes by it, so that a clock that runs ahead forgets nothing.
func (e *Engine) present(ctx context.Context) (time.Time, error) {
	var told time.Time
	for _, o := range e.mapping.Objects {
		c, err := e.store.Cursor(ctx, o.Name, crm.HubSpot, o.HubSpot)
		if err != nil {
			return told, err
		}
		if c.Since.After(told) {
			told = c.Since
		}
	}
	if now := e.now(); now.Before(told) {
		return now, nil
	}
	return told, nil
}
