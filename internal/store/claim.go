package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// claim is what the file says of who holds the lease; zero when nobody ever did.
// expires is 0 when the holder gave it back.
type claim struct {
	epoch, since, expires int64
	host, born            string
	pid                   int
}

// claimState is what a claim means now.
type claimState int

const (
	claimFree claimState = iota
	claimHeld
	// claimOdd ends later than any claim that is made now: a clock was put back,
	// this one or the holder's. Whether the holder lives is seen by watching it.
	claimOdd
)

const claimQuery = "SELECT epoch, host, pid, born, since, expires FROM lease"

func (c *claim) scan(row interface{ Scan(...any) error }) error {
	return row.Scan(&c.epoch, &c.host, &c.pid, &c.born, &c.since, &c.expires)
}

func (s *Store) claim(ctx context.Context) (c claim, err error) {
	err = s.query(ctx, func(r *sql.Rows) error { return c.scan(r) }, claimQuery)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return c, err
}

func (c claim) state(now time.Time) claimState {
	here := c.host == hostName()
	switch {
	case c.expires == 0, here && isDead(c.pid, c.born), c.expires <= now.UnixMicro():
		return claimFree
	case c.expires > now.Add(leaseTTL).UnixMicro() && !(here && c.isAlive()):
		return claimOdd
	}
	return claimHeld
}

// isAlive tells whether the holder surely runs, on this host.
func (c claim) isAlive() bool {
	born, ok := processBorn(c.pid)
	return ok && c.born != "" && born == c.born
}

func (c claim) conflict() error {
	return fault.New(fault.Conflict, "another lockstep works on this pair: process %d on %s, since %s",
		c.pid, c.host, time.UnixMicro(c.since).UTC().Format("2006-01-02 15:04:05 MST")).
		WithMend("wait until it ends, or stop it; if that machine is gone, its claim ends by itself within %s", leaseTTL)
}

// outwait watches an odd claim for as long as a silent holder keeps the lease, by
// a clock that nobody puts back: one that is not renewed meanwhile is nobody's.
func (s *Store) outwait(ctx context.Context, c claim) error {
	const look = time.Second
	for began := time.Now(); time.Since(began) <= leaseTTL; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
		now, err := s.claim(ctx)
		if err != nil {
			return err
		}
		switch {
		case now.expires == 0:
			return nil // it was given back
		case now != c:
			return now.conflict()
		}
	}
	return nil
}

func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown host"
	}
	return host
}
