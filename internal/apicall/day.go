package apicall

import (
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Day keeps our calls within our share of the vendor's daily limit, so that a
// sync never takes the calls that other tools of the account need. Until the
// vendor has told a limit, nothing is refused. Safe for concurrent use.
type Day struct {
	mu    sync.Mutex
	share float64
	spent int
	limit int
	left  int
	zone  *time.Location
	ends  time.Time
}

// NewDay returns a day of which share (0 to 1; 0 means all) is ours, and of
// which spent calls have been used by us already.
func NewDay(share float64, spent int) *Day {
	if share <= 0 || share > 1 {
		share = 1
	}
	return &Day{share: share, spent: spent, limit: -1, left: -1, zone: time.UTC}
}

// SetZone sets the time zone in whose midnight the day ends; UTC until then.
func (d *Day) SetZone(zone *time.Location) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.zone = zone
	d.ends = time.Time{}
}

// Left returns the vendor's limit and what is left of it, -1 when not told.
func (d *Day) Left() (limit, left int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.limit, d.left
}

// UntilMidnight is the time until the day ends.
func (d *Day) UntilMidnight() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.midnight(time.Now()).Sub(time.Now())
}

func (d *Day) midnight(now time.Time) time.Time {
	local := now.In(d.zone)
	return time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, d.zone)
}

// take counts one call, or refuses it.
func (d *Day) take(title string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if d.ends.IsZero() {
		d.ends = d.midnight(now)
	}
	if !now.Before(d.ends) {
		d.ends = d.midnight(now)
		d.spent, d.left = 0, -1
	}
	if d.limit > 0 {
		ours := int(float64(d.limit) * d.share)
		if d.spent >= ours {
			e := fault.New(fault.RateLimited, "our share of today's %s calls is used up: %d of %d, of a limit of %d", title, d.spent, ours, d.limit).
				WithMend("wait until %s, or raise our share under budget: in lockstep.yaml", d.ends.Format("15:04 MST"))
			e.RetryAfter = d.ends.Sub(now)
			e.Code = "BUDGET"
			return e
		}
	}
	if d.left == 0 {
		e := fault.New(fault.RateLimited, "today's %s calls are used up, all %d of the account", title, d.limit).
			WithMend("wait until %s, when the vendor's day ends; other tools call with this account too", d.ends.Format("15:04 MST"))
		e.RetryAfter = d.ends.Sub(now)
		e.Code = "DAILY"
		return e
	}
	d.spent++
	return nil
}

func (d *Day) correct(rates Rates) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if rates.DayLimit > 0 {
		d.limit = rates.DayLimit
	}
	if rates.DayLeft >= 0 {
		d.left = rates.DayLeft
	}
}
