package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// statusJSON adds to how the pair stands what it may still call today.
type statusJSON struct {
	*engine.Status
	Calls []callsJSON `json:"calls"`
}

type callsJSON struct {
	Side crm.Side `json:"side"`
	apicall.DayState
}

// callsOf tells how the day of both accounts stands.
func callsOf(a *app.App, m *mapping.Mapping, status *engine.Status) []callsJSON {
	calls := []callsJSON{}
	for _, account := range []struct {
		side crm.Side
		id   string
	}{{crm.HubSpot, status.HubSpot.ID}, {crm.Salesforce, status.Salesforce.ID}} {
		if account.id != "" {
			state := a.Budget(m, account.side, account.id)
			state.Resets, state.Told = state.Resets.UTC(), state.Told.UTC()
			calls = append(calls, callsJSON{account.side, state})
		}
	}
	return calls
}

// printCalls says what was used, what is left, and what is left to others.
func (g *global) printCalls(calls []callsJSON) {
	if len(calls) == 0 {
		return
	}
	g.say("Calls")
	for _, c := range calls {
		g.say("  %-10s  %s", c.Side.Title(), callsInWords(c.DayState, time.Now()))
		if c.Crowded {
			g.say("              others use calls of our share too, so ours go out more slowly; find out which tool it is, or lower budget: in lockstep.yaml")
		}
		if c.Ours > 0 && c.OursLeft == 0 {
			g.say("              used up: the next sync goes on then; or raise our share under budget: in lockstep.yaml")
		}
	}
}

// callsInWords is one account's day in a sentence.
func callsInWords(s apicall.DayState, now time.Time) string {
	when := "today"
	if s.Rolling {
		when = "in the last 24 hours"
	}
	if s.Limit <= 0 {
		text := count(s.Spent, "call", "calls") + " of ours " + when + "; the vendor tells no daily limit"
		return text + windowInWords(s)
	}
	text := fmt.Sprintf("%s of our %s used %s", separatedInt(s.Spent), separatedInt(s.Ours), when)
	text += fmt.Sprintf(" (%.3g%% of %s)", s.Share*100, separatedInt(s.Limit))
	if s.Others >= 0 {
		text += fmt.Sprintf(", %s used by others of the %s left to them", separatedInt(s.Others), separatedInt(s.Reserved))
	} else {
		text += fmt.Sprintf(", %s left to others", separatedInt(s.Reserved))
	}
	text += fmt.Sprintf("; %s left to us", separatedInt(s.OursLeft))
	switch {
	case !s.Rolling:
		text += ", all come back at " + resetTime(s.Resets, now)
	case s.OursLeft == 0:
		text += ", the first come back at " + resetTime(s.Resets, now)
	}
	return text + windowInWords(s)
}

func windowInWords(s apicall.DayState) string {
	if s.Window <= 0 {
		return ""
	}
	return fmt.Sprintf("; at most %s in ten seconds", separatedInt(s.Window))
}

// resetTime is in the vendor's zone where that differs from ours.
func resetTime(at, now time.Time) string {
	if at.Sub(now) <= 24*time.Hour {
		return at.Local().Format("15:04 MST")
	}
	return at.Local().Format("2006-01-02 15:04 MST")
}

// notes returns what shows remarks of the clients where no progress is shown.
func (g *global) notes() func(engine.Event) {
	return func(e engine.Event) {
		if e.Note != "" {
			g.say("note: %s", e.Note)
		}
	}
}

// note shows a remark between the steps.
func (p *progress) note(text string) {
	out := io.Writer(p.out)
	if p.bars != nil {
		out = p.bars // prints above the bars
	}
	fmt.Fprintf(out, "note: %s\n", text)
}
