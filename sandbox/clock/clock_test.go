package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/clock"
)

func TestAClockThatIsMovedRunsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		if !c.Now().Equal(time.Now()) || c.Now().Location() != time.UTC {
			t.Errorf("the zero clock tells %v", c.Now())
		}
		c.Advance(90 * time.Minute)
		time.Sleep(time.Minute)
		if c.Offset() != 90*time.Minute || time.Until(c.Now()) != 90*time.Minute {
			t.Errorf("advanced by %v", c.Offset())
		}
		then := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
		c.Set(then)
		time.Sleep(time.Second)
		if got := c.Now(); !got.Equal(then.Add(time.Second)) {
			t.Errorf("a second after it was set it tells %v", got)
		}
	})
}

func TestWhoWaitsIsToldOfAMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		for name, move := range map[string]func(){"advanced": func() { c.Advance(time.Hour) }, "set": func() { c.Set(time.Now()) }} {
			first, second := c.Moved(), c.Moved()
			time.Sleep(time.Hour)
			select {
			case <-first:
				t.Error("told without a move")
			default:
			}
			move()
			<-first
			<-second
			select {
			case <-c.Moved():
				t.Errorf("%s: told of the next move before it came", name)
			default:
			}
		}
	})
}
