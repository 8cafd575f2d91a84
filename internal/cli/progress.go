package cli

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// progress shows the steps of a run on stderr: bars with rate and time left on
// a terminal, one line per finished step in a pipe, nothing when quiet.
type progress struct {
	mu    sync.Mutex
	out   io.Writer
	bars  *mpb.Progress // nil in a pipe
	steps map[stepKey]*step
	order []stepKey
	// closed: nothing is shown any more.
	closed bool
}

type stepKey struct {
	name   engine.Step
	side   crm.Side
	object string
}

type step struct {
	started time.Time
	ended   time.Time
	done    int
	total   int
	told    bool
	bar     *mpb.Bar
}

// newProgress returns what shows events, or nil when nothing shall be shown.
func (g *global) newProgress() *progress {
	if g.quiet || g.json {
		return nil
	}
	p := &progress{out: g.Err, steps: map[stepKey]*step{}}
	if g.terminal(g.Err) {
		p.bars = mpb.New(mpb.WithOutput(bare(g.Err)), mpb.WithWidth(32), mpb.WithAutoRefresh())
	}
	return p
}

// event takes one report of the engine; it may be called from any goroutine.
func (p *progress) event(e engine.Event) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if e.Note != "" {
		p.note(e.Note)
		return
	}
	key := stepKey{e.Step, e.Side, e.Object}
	s := p.steps[key]
	if s != nil && s.told {
		s = nil // the same step again, in another round
	}
	if s == nil {
		s = &step{started: e.Started, total: -1}
		if s.started.IsZero() {
			s.started = time.Now()
		}
		p.steps[key] = s
		p.order = append(p.order, key)
		if p.bars != nil {
			s.bar = p.newBar(key, s.started)
		}
	}
	s.done, s.total, s.ended = e.Done, e.Total, time.Now()
	if s.bar != nil {
		s.bar.SetTotal(int64(max(s.total, s.done+1)), false)
		s.bar.SetCurrent(int64(s.done))
	}
	if e.Ended {
		p.tell(key, s)
	}
}

// close ends all bars and tells the steps whose end nobody announced. It may be
// called twice; what comes after it is not shown.
func (p *progress) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for _, key := range p.order {
		p.tell(key, p.steps[key])
	}
	if p.bars != nil {
		p.bars.Wait()
	}
}

// tell ends a step on the screen, once.
func (p *progress) tell(key stepKey, s *step) {
	if s.told {
		return
	}
	s.told = true
	if s.bar != nil {
		s.bar.SetTotal(int64(s.done), true)
		return
	}
	if s.done == 0 {
		return
	}
	fmt.Fprintf(p.out, "%s: %s in %.1f s\n", key.words(), separated(strconv.Itoa(s.done)), s.ended.Sub(s.started).Seconds())
}

func (p *progress) newBar(key stepKey, started time.Time) *mpb.Bar {
	const nameColumns = 32
	return p.bars.New(0, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding(" "),
		mpb.PrependDecorators(decor.Name(key.words(), decor.WC{W: nameColumns, C: decor.DindentRight})),
		mpb.AppendDecorators(
			decor.Any(func(s decor.Statistics) string { return separated(strconv.FormatInt(s.Current, 10)) }, decor.WC{W: 10}),
			decor.Any(func(s decor.Statistics) string { return pace(s, time.Since(started)) }, decor.WC{W: 24}),
		))
}

// pace tells the rate and the time left: "190/s  2 min 5 s left".
func pace(s decor.Statistics, elapsed time.Duration) string {
	if s.Completed {
		return "done"
	}
	if s.Current == 0 || elapsed < time.Second/4 {
		return ""
	}
	rate := float64(s.Current) / elapsed.Seconds()
	text := separatedInt(int(rate)) + "/s"
	if left := s.Total - s.Current; left > 1 {
		text += "  " + took(time.Duration(float64(left)/rate*float64(time.Second))) + " left"
	}
	return text
}

// words names a step: "read HubSpot contacts", "write Salesforce Account".
func (k stepKey) words() string {
	text := string(k.name)
	if k.side != "" {
		text += " " + k.side.Title()
	}
	if k.object != "" {
		text += " " + k.object
	}
	return text
}
