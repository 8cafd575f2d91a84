package apicall

import (
	"fmt"
	"sync"
	"time"
)

const (
	// crowdShare: others count as seen when one call in so many of the limit is
	// theirs, over crowdAnswers answers in a row. Fewer may be calls of ours that
	// overtook each other.
	crowdShare   = 8
	crowdAnswers = 16
	// crowdEvery is how often the same is said again.
	crowdEvery = 10 * time.Minute
)

// crowd notices that others call with the same account, and says so.
type crowd struct {
	mu         sync.Mutex
	answers    int // in a row that spoke of others
	windowTold time.Time
	dayTold    time.Time
}

// noteCrowd looks after each answer whether we slow down for others.
func (c *Caller) noteCrowd() {
	now := time.Now()
	if w := c.config.Window; w != nil {
		// Another process of this place is no surprise to anybody: both know the day's
		// budget, and the vendor's headers pace both.
		ours := c.config.Day != nil && c.config.Day.ledger.calledElsewhere(now.Add(-2*w.length()))
		if others, limit := w.crowded(); c.crowd.sawOthers(others*crowdShare > limit && !ours, now) {
			c.notice(fmt.Sprintf("another program calls %s with this credential too: about %d of the %d calls in %s are not ours; we call more slowly beside it",
				c.config.Side.Title(), others, limit, w.length()), "ten seconds", others, limit)
		}
	}
	if d := c.config.Day; d != nil {
		if pause := d.pauseNow(now); pause > 0 && c.crowd.dayIsDue(now) {
			s := d.State()
			c.notice(fmt.Sprintf("others have used %d of today's %d %s calls, and %d are left to them: from now on we wait %s between two calls",
				s.Others, s.Limit, c.config.Side.Title(), s.Reserved, pause.Round(time.Millisecond)), "day", s.Others, s.Limit)
		}
	}
}

func (c *Caller) notice(text, limit string, others, of int) {
	c.config.Log.Info("others call with this account", "side", string(c.config.Side), "limit", limit, "others", others, "of", of)
	if c.config.Notice != nil {
		c.config.Notice(text)
	}
}

func (o *crowd) sawOthers(saw bool, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !saw {
		o.answers = 0
		return false
	}
	o.answers++
	if o.answers < crowdAnswers || !o.windowTold.IsZero() && now.Sub(o.windowTold) < crowdEvery {
		return false
	}
	o.windowTold = now
	return true
}

func (o *crowd) dayIsDue(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dayTold.IsZero() && now.Sub(o.dayTold) < crowdEvery {
		return false
	}
	o.dayTold = now
	return true
}
