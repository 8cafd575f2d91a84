//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package credential

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// checkModes: file modes mean something here.
const checkModes = true

// lockPoll is how often a taken lock is tried again. flock has no wait that a
// context can end.
const lockPoll = 10 * time.Millisecond

// lockFile takes the lock that path stands for, waiting for whoever holds it in
// this process or another, and returns what gives it back. A lock of a process
// that died is free.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, err
		}
		timer := time.NewTimer(lockPoll)
		select {
		case <-ctx.Done():
			timer.Stop()
			_ = f.Close()
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
	}
}

func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
