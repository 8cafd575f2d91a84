//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package credential

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// checkModes: access lists decide here, the mode bits say nothing.
const checkModes = false

const (
	lockPoll = 20 * time.Millisecond
	// lockStale is the age at which a lock belongs to a process that died: ten
	// times the longest that a token request may take.
	lockStale = 10 * renewTimeout
)

// lockFile takes the lock that path stands for by being the one who creates it.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	path += ".held"
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			_ = f.Close()
			return func() { _ = os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > lockStale {
			_ = os.Remove(path)
			continue
		}
		timer := time.NewTimer(lockPoll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
	}
}

func isDiskFull(error) bool { return false }
