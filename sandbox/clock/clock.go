// Package clock is the sandbox's clock: the machine's, moved by an offset that
// a test or a person may change.
package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the sandbox's time. The zero Clock tells the machine's.
type Clock struct {
	offset atomic.Int64

	mu    sync.Mutex
	moved chan struct{} // nil while nobody waits for a move
}

// Now returns the time in UTC.
func (c *Clock) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(c.offset.Load()))
}

// Advance moves the clock by d, which may be negative.
func (c *Clock) Advance(d time.Duration) {
	c.offset.Add(int64(d))
	c.tell()
}

// Set makes the clock tell t now and run on from there.
func (c *Clock) Set(t time.Time) {
	c.offset.Store(int64(time.Until(t)))
	c.tell()
}

// Offset is how far the clock is from the machine's.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Moved returns a channel that is closed when the clock is moved the next time.
// Whoever waits for a time takes the channel first, then reads the clock.
func (c *Clock) Moved() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved == nil {
		c.moved = make(chan struct{})
	}
	return c.moved
}

func (c *Clock) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved != nil {
		close(c.moved)
		c.moved = nil
	}
}
