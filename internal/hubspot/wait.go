package hubspot

import (
	"context"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

func sleep(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stopped makes a fault of a context's end; nil stays nil.
func stopped(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.Unavailable, "stopped before the work with HubSpot was done").Wrap(err)
}
