package apicall

import (
	"context"
	"sync/atomic"
)

// renewal makes sure that one expiry is mended once, however many calls saw it.
type renewal struct {
	renewed atomic.Uint64
	// turn is a channel and not a mutex, so that waiting for it ends with the
	// context and lets a test's clock run on.
	turn chan struct{}
}

// epoch numbers the credential that is in use.
func (r *renewal) epoch() uint64 { return r.renewed.Load() }

// renew calls refresh unless the credential of that epoch was renewed already.
// Callers wait for each other.
func (r *renewal) renew(ctx context.Context, epoch uint64, refresh func(context.Context) error) error {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.turn }()
	if r.renewed.Load() != epoch {
		return nil
	}
	if err := refresh(ctx); err != nil {
		return asFault(err, "renew the credential")
	}
	r.renewed.Add(1)
	return nil
}
