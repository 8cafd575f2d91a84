package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// leaseTTL is how long a holder that fell silent keeps the lease.
	leaseTTL = 15 * time.Second
	// leaseEvery is how often the holder says that it is alive.
	leaseEvery = 5 * time.Second
)

// leaseState is what this process knows of its own lease.
type leaseState struct {
	mu    sync.Mutex
	epoch int64 // 0: not held
	stop  chan struct{}
	done  chan struct{}
}

// Holder tells who holds the lease of the pair.
type Holder struct {
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Expires time.Time `json:"expires"`
}

// Acquire takes the lease of the pair, and keeps it alive until Release or
// Close. It returns a fault.Conflict naming process, host and since when, if
// another process holds it. A holder that fell silent for 15 seconds, or is on
// this host and dead, loses it at once. Before that the file is looked through
// for damage (see check), which is a fault with CodeDamaged. Acquiring twice is
// no error.
func (s *Store) Acquire(ctx context.Context) error {
	s.lease.mu.Lock()
	defer s.lease.mu.Unlock()
	if s.lease.epoch != 0 {
		return nil
	}
	before, err := s.claim(ctx)
	if err != nil {
		return err
	}
	switch before.state(s.now()) {
	case claimHeld:
		return before.conflict()
	case claimOdd:
		if err := s.outwait(ctx, before); err != nil {
			return err
		}
	}
	if err := s.check(ctx, before.expires != 0); err != nil {
		return err
	}
	pid := os.Getpid()
	born, _ := processBorn(pid)
	var epoch int64
	s.writing.Lock()
	err = s.transact(context.WithoutCancel(ctx), func(t *Tx) error {
		var held claim
		if err := held.scan(t.tx.QueryRowContext(t.ctx, claimQuery)); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		now := s.now().UTC()
		if held != before && held.state(now) != claimFree {
			return held.conflict()
		}
		epoch = held.epoch + 1
		return t.exec(`INSERT INTO lease (one, epoch, holder, host, pid, born, since, expires) VALUES (1, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder, host = excluded.host,
			pid = excluded.pid, born = excluded.born, since = excluded.since, expires = excluded.expires`,
			epoch, rand.Text(), hostName(), pid, born, now.UnixMicro(), now.Add(leaseTTL).UnixMicro())
	}, false)
	s.writing.Unlock()
	if err != nil {
		return err
	}
	s.lease.epoch = epoch
	s.lease.stop, s.lease.done = make(chan struct{}), make(chan struct{})
	go s.keepLease(epoch, s.lease.stop, s.lease.done)
	return nil
}

// Epoch is the number of the lease that this process holds; 0 when it holds none.
func (s *Store) Epoch() int64 {
	s.lease.mu.Lock()
	defer s.lease.mu.Unlock()
	return s.lease.epoch
}

// Release gives the lease back, so that the next process need not wait.
func (s *Store) Release() {
	s.lease.mu.Lock()
	epoch, stop, done := s.lease.epoch, s.lease.stop, s.lease.done
	s.lease.epoch = 0
	s.lease.mu.Unlock()
	if epoch == 0 {
		return
	}
	close(stop)
	<-done
	s.writing.Lock()
	defer s.writing.Unlock()
	// When this fails the claim ends by itself after leaseTTL.
	_ = s.transact(context.Background(), func(t *Tx) error {
		return t.exec("UPDATE lease SET expires = 0 WHERE epoch = ?", epoch)
	}, false)
}

func (s *Store) keepLease(epoch int64, stop, done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(leaseEvery)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		s.writing.Lock()
		// A renewal that fails is tried again in five seconds; every write
		// checks the epoch by itself, so nothing is written without a right.
		_ = s.transact(context.Background(), func(t *Tx) error {
			return t.exec("UPDATE lease SET expires = ? WHERE epoch = ?", s.now().Add(leaseTTL).UnixMicro(), epoch)
		}, false)
		s.writing.Unlock()
	}
}

// checkEpoch refuses a write when somebody else took the pair over.
func (t *Tx) checkEpoch() error {
	mine := t.s.Epoch()
	if mine == 0 {
		return fault.New(fault.Internal, "a write without the lease of the pair").
			WithMend("this is a mistake in Lockstep: please report it")
	}
	var epoch int64
	if err := t.tx.QueryRowContext(t.ctx, "SELECT epoch FROM lease").Scan(&epoch); err != nil {
		return t.s.fault("read the lease", err)
	}
	if epoch != mine {
		return fault.New(fault.Conflict, "another lockstep took this pair over while this one was not answering; nothing was written").
			WithMend("run `lockstep status` to see who works on it; this process can be started again when that one ends")
	}
	return nil
}

// Holder tells who holds the lease; nil when nobody does.
func (s *Store) Holder(ctx context.Context) (*Holder, error) {
	c, err := s.claim(ctx)
	if err != nil || c.state(s.now()) == claimFree {
		return nil, err
	}
	return &Holder{Host: c.host, PID: c.pid, Since: time.UnixMicro(c.since).UTC(), Expires: time.UnixMicro(c.expires).UTC()}, nil
}

// isDead tells whether the process surely does not run any more on this host.
func isDead(pid int, born string) bool {
	if now, ok := processBorn(pid); ok && born != "" {
		return now != born
	}
	if runtime.GOOS == "windows" {
		return false // there is no harmless signal to ask with; the TTL decides
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	err = p.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}

// processBorn tells when a process started, where the system says so: process
// ids are used again, in containers at once.
func processBorn(pid int) (string, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", false
	}
	// The name in parentheses may hold anything; field 22 counts from after it.
	_, rest, ok := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return "", false
	}
	return fields[19], true
}
