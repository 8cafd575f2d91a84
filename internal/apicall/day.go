package apicall

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// unhurried calls of one process go out at once even where others have used
	// calls of ours: a person waits for a command of few calls.
	unhurried = 20
	// longestPace is the longest pause between two calls of a crowded day: a run
	// shall still end.
	longestPace = 2 * time.Second
	// crowdedBy is the part of our share that others must have taken before we
	// slow down: what is less may be calls that are still under way.
	crowdedBy = 10
)

// Day keeps our calls within our share of the vendor's daily limit, so that a
// sync never takes the calls that other tools of the account need. Until the
// vendor has told a limit, nothing is refused. When others have used calls of
// our share as well, the day is crowded: calls then go out evenly over what is
// left of the day, with at most two seconds between two of them. Safe for
// concurrent use.
type Day struct {
	ledger *Ledger

	mu      sync.Mutex
	share   float64
	rolling bool
	zone    *time.Location
	ends    time.Time // of the day that the ledger's block was noted for
	next    time.Time // nobody starts before, on a crowded day
	calls   int
}

// DayState is how a day stands. Numbers are -1 where the vendor told nothing.
type DayState struct {
	Limit    int       `json:"limit"`     // of the account
	Used     int       `json:"used"`      // by everybody
	Left     int       `json:"left"`      // for everybody
	Share    float64   `json:"share"`     // ours of the limit, 0 to 1
	Ours     int       `json:"ours"`      // calls that are ours to use
	Spent    int       `json:"spent"`     // by us
	OursLeft int       `json:"ours_left"` // calls that we may still make
	Reserved int       `json:"reserved"`  // calls that are left to others
	Others   int       `json:"others"`    // calls that others have made
	Crowded  bool      `json:"crowded"`   // others use calls of our share: we slow down
	Resets   time.Time `json:"resets"`    // when the day ends; for a rolling one, when calls come back
	Rolling  bool      `json:"rolling"`   // the day is the last 24 hours
	Window   int       `json:"window"`    // calls in ten seconds
	Told     time.Time `json:"told,omitzero"`
}

// NewDay returns a day of which share (0 to 1; 0 means all, and no slowing down)
// is ours, counted in ledger; nil counts in memory. A rolling day is the last 24
// hours, others end at midnight.
func NewDay(share float64, rolling bool, ledger *Ledger) *Day {
	if share < 0 || share > 1 {
		share = 1
	}
	if ledger == nil {
		ledger = NewLedger("", "", nil)
	}
	return &Day{share: share, rolling: rolling, ledger: ledger}
}

// SetZone sets the time zone in whose midnight the day ends; UTC until then.
// The ledger remembers it.
func (d *Day) SetZone(zone *time.Location) {
	d.mu.Lock()
	d.zone = zone
	d.mu.Unlock()
	d.ledger.hearZone(time.Now(), zone.String())
}

// UntilReset is the time until the day ends, 0 for one that rolls.
func (d *Day) UntilReset() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rolling {
		return 0
	}
	now := time.Now()
	_, ends := d.bounds(now, d.ledger.Told())
	return ends.Sub(now)
}

// State tells how the day stands.
func (d *Day) State() DayState {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state(time.Now())
}

func (d *Day) state(now time.Time) DayState {
	told := d.ledger.Told()
	begins, ends := d.bounds(now, told)
	s := DayState{
		Limit: told.Limit, Left: told.Left, Used: -1, Share: d.share, Ours: -1, OursLeft: -1, Reserved: -1, Others: -1,
		Spent: d.ledger.Spent(begins), Resets: ends, Rolling: d.rolling, Window: told.Window, Told: told.At,
	}
	if s.Share == 0 {
		s.Share = 1
	}
	if !told.isOf(begins, now) {
		s.Left = -1 // of another day
	}
	if s.Limit <= 0 {
		return s
	}
	s.Ours = int(float64(s.Limit) * s.Share)
	s.Reserved = s.Limit - s.Ours
	s.OursLeft = max(0, s.Ours-s.Spent)
	if s.Left >= 0 {
		s.Left = min(s.Left, max(0, s.Limit-s.Spent)) // not every answer tells what is left
		s.Used = s.Limit - s.Left
		s.Others = max(0, s.Used-s.Spent)
		s.Crowded = d.share > 0 && s.OursLeft > 0 && s.OursLeft-s.Left > s.Ours/crowdedBy
		s.OursLeft = min(s.OursLeft, s.Left)
	}
	if d.rolling && s.OursLeft == 0 {
		s.Resets = d.ledger.frees(begins, s.Ours)
	}
	return s
}

// bounds are the begin and the end of the day.
func (d *Day) bounds(now time.Time, told Told) (begins, ends time.Time) {
	if d.rolling {
		return now.Add(-24 * time.Hour), now.Add(24 * time.Hour)
	}
	if d.zone == nil {
		d.zone = time.UTC
		if zone, err := time.LoadLocation(told.Zone); err == nil {
			d.zone = zone
		}
	}
	local := now.In(d.zone)
	begins = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, d.zone)
	return begins, time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, d.zone)
}

// take counts one call, or refuses it.
func (d *Day) take(title string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	told := d.ledger.known(now)
	begins, ends := d.bounds(now, told)
	if !d.rolling && !ends.Equal(d.ends) {
		if !d.ends.IsZero() {
			d.ledger.dropBlock()
		}
		d.ends = ends
	}
	ours := -1
	if told.Limit > 0 {
		if told.Left == 0 && told.isOf(begins, now) {
			return d.usedUp(title, d.state(now), now)
		}
		share := d.share
		if share == 0 {
			share = 1
		}
		ours = int(float64(told.Limit) * share)
	}
	if !d.ledger.take(now, begins, ours) {
		return d.usedUp(title, d.state(now), now)
	}
	d.calls++
	return nil
}

// Codes of the faults with which a Day refuses.
const (
	CodeBudget = "BUDGET" // our share is used up
	CodeDaily  = "DAILY"  // the account's calls are, by whomever
)

func (d *Day) usedUp(title string, s DayState, now time.Time) error {
	when := "at " + clock(s.Resets, now)
	if d.rolling {
		when = "from " + clock(s.Resets, now) + " on, as earlier calls become a day old"
	}
	var e *fault.Error
	if s.Left == 0 {
		e = fault.New(fault.RateLimited, "today's %s calls are used up, all %d of the account: %d by others, %d by us", title, s.Limit, s.Others, s.Spent).
			WithMend("run it again when they come back, %s: it goes on from here; find out which other tool calls that much", when)
		e.Code = CodeDaily
	} else {
		e = fault.New(fault.RateLimited, "our share of today's %s calls is used up: %d of %d, which is %s of the account's %d", title, s.Spent, s.Ours, percent(s.Share), s.Limit).
			WithMend("run it again when they come back, %s: it goes on from here; or raise our share under budget: in lockstep.yaml", when)
		e.Code = CodeBudget
	}
	e.RetryAfter = s.Resets.Sub(now)
	return e
}

// clock writes a time of the next 24 hours.
func clock(at, now time.Time) string {
	if at.Sub(now) <= 24*time.Hour {
		return at.Format("15:04 MST")
	}
	return at.Format("2006-01-02 15:04 MST")
}

func percent(share float64) string { return fmt.Sprintf("%.3g%%", share*100) }

// pace waits for this call's turn on a crowded day.
func (d *Day) pace(ctx context.Context) error {
	wait := d.turn(time.Now())
	if wait <= 0 {
		return nil
	}
	return sleep(ctx, wait)
}

func (d *Day) turn(now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	pause := d.pause(now)
	if pause <= 0 {
		return 0
	}
	at := now
	if d.next.After(now) {
		at = d.next
	}
	d.next = at.Add(pause)
	return at.Sub(now)
}

// pause is the time between two calls; 0 on a day that is not crowded.
func (d *Day) pause(now time.Time) time.Duration {
	if d.calls < unhurried || d.share == 0 {
		return 0
	}
	told := d.ledger.known(now)
	begins, ends := d.bounds(now, told)
	if told.Limit <= 0 || told.Left <= 0 || !told.isOf(begins, now) {
		return 0
	}
	ours := int(float64(told.Limit) * d.share)
	if left := ours - d.ledger.spentKnown(begins); left <= 0 || left-told.Left <= ours/crowdedBy {
		return 0
	}
	return min(longestPace, ends.Sub(now)/time.Duration(told.Left))
}

func (d *Day) pauseNow(now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pause(now)
}

func (d *Day) correct(rates Rates) { d.ledger.hear(time.Now(), rates) }
