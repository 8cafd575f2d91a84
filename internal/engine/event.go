package engine

import (
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Step names what the engine is doing, for progress.
type Step string

// The steps.
const (
	StepRead   Step = "read"
	StepDecide Step = "decide"
	StepWrite  Step = "write"
	StepVerify Step = "verify"
)

// Event tells how far one step has come. Events of one step, side and object
// come in order; the receiver decides how many of them it shows.
type Event struct {
	Step Step
	// Side is empty for StepDecide.
	Side crm.Side
	// Object is our name of the object ("people"), or the vendor's for reads.
	Object string
	Done   int
	// Total is -1 while it is not known.
	Total   int
	Started time.Time
	// Ended: this is the step's last event for this side and object.
	Ended bool
	// Note is a remark for the person who waits ("others call with this account
	// too"); an event with a note has no step.
	Note string
}

// meter counts one step and tells it on.
type meter struct {
	tell  func(Event)
	event Event
}

func (e *Engine) meter(step Step, side crm.Side, object string, total int) *meter {
	return &meter{tell: e.progress, event: Event{Step: step, Side: side, Object: object, Total: total, Started: time.Now()}}
}

func (m *meter) add(n int) {
	m.event.Done += n
	if m.tell != nil {
		m.tell(m.event)
	}
}

func (m *meter) end() {
	m.event.Ended = true
	m.add(0)
}
