// Package clock is the sandbox's clock: the machine's, moved by an offset that
// a test or a person may change.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock tells the sandbox's time. The zero Clock tells the machine's.
type Clock struct {
	offset atomic.Int64
}

// Now returns the time in UTC.
func (c *Clock) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(c.offset.Load()))
}

// Advance moves the clock by d, which may be negative.
func (c *Clock) Advance(d time.Duration) { c.offset.Add(int64(d)) }

// Set makes the clock tell t now and run on from there.
func (c *Clock) Set(t time.Time) { c.offset.Store(int64(time.Until(t))) }

// Offset is how far the clock is from the machine's.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }
