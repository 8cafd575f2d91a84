package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// errDead is what a dead process gets from everything that it still asks for.
var errDead = errors.New("the process is dead")

// gate is the only way from the program to the vendors. It lets one call
// through at a time: when nobody can go on by himself, it draws among the calls
// that wait, by the seed. So the order of calls is the seed's and not the
// machine's, and everything of a history happens in one order.
type gate struct {
	inner  http.RoundTripper
	random *rand.Rand
	// slowest is how many milliseconds a call takes at most.
	slowest int
	// around is told of every call, before (answer nil) and after it.
	before func(c *call) error
	after  func(c *call) error

	mu      sync.Mutex
	waiting []*call
	arrived chan struct{}
	dead    bool
}

// call is one call of the program.
type call struct {
	request *http.Request
	body    []byte
	sortKey string
	// status and answer are known after it; err when it had none.
	status int
	answer []byte
	header http.Header
	err    error
	done   chan struct{}
	gone   bool // the caller gave up
}

func (c *call) side() crm.Side {
	if strings.HasSuffix(c.request.URL.Host, "hubapi.com") {
		return crm.HubSpot
	}
	return crm.Salesforce
}

// writes tells whether a call is meant to change records.
func (c *call) writes() bool {
	path, method := c.request.URL.Path, c.request.Method
	if c.side() == crm.HubSpot {
		return strings.Contains(path, "/objects/") && method != http.MethodGet && !strings.HasSuffix(path, "/search") && !strings.HasSuffix(path, "/batch/read") ||
			strings.Contains(path, "/associations/") && method != http.MethodGet && !strings.HasSuffix(path, "/batch/read")
	}
	return strings.Contains(path, "/services/data") && method != http.MethodGet && (method != http.MethodPost || strings.HasSuffix(path, "/composite/sobjects") || strings.HasSuffix(path, "/composite"))
}

func newGate(inner http.RoundTripper, random *rand.Rand, slowest int) *gate {
	return &gate{inner: inner, random: random, slowest: slowest, arrived: make(chan struct{}, 1)}
}

// RoundTrip waits for its turn.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	c := &call{request: r, done: make(chan struct{})}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
		c.body = body
	}
	c.sortKey = r.Method + " " + r.URL.String() + " " + string(c.body)
	g.mu.Lock()
	if g.dead {
		g.mu.Unlock()
		return nil, errDead
	}
	g.waiting = append(g.waiting, c)
	g.mu.Unlock()
	select {
	case g.arrived <- struct{}{}:
	default:
	}
	select {
	case <-c.done:
	case <-r.Context().Done():
		g.mu.Lock()
		c.gone = true
		g.mu.Unlock()
		return nil, r.Context().Err()
	}
	if c.err != nil {
		return nil, c.err
	}
	return &http.Response{Status: http.StatusText(c.status), StatusCode: c.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.header, Body: io.NopCloser(bytes.NewReader(c.answer)), ContentLength: int64(len(c.answer)), Request: r}, nil
}

// drive lets calls through until the program's work is done.
func (g *gate) drive(done <-chan struct{}) {
	for {
		synctest.Wait()
		c := g.next()
		if c == nil {
			select {
			case <-done:
				return
			case <-g.arrived:
			}
			continue
		}
		g.serve(c)
		close(c.done)
	}
}

// next draws one of the calls that wait.
func (g *gate) next() *call {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(c *call) bool { return c.gone })
	if len(g.waiting) == 0 {
		return nil
	}
	slices.SortStableFunc(g.waiting, func(a, b *call) int { return cmp.Compare(a.sortKey, b.sortKey) })
	n := 0
	if len(g.waiting) > 1 {
		n = g.random.IntN(len(g.waiting))
	}
	c := g.waiting[n]
	g.waiting = slices.Delete(g.waiting, n, n+1)
	return c
}

func (g *gate) serve(c *call) {
	time.Sleep(time.Duration(1+g.random.IntN(g.slowest)) * time.Millisecond)
	if c.err = g.refused(); c.err != nil {
		return
	}
	if c.err = g.before(c); c.err != nil {
		return
	}
	request := c.request.Clone(context.WithoutCancel(c.request.Context()))
	if c.request.Body != nil {
		request.Body = io.NopCloser(bytes.NewReader(c.body))
	}
	answer, err := g.inner.RoundTrip(request)
	if err == nil {
		c.status, c.header = answer.StatusCode, answer.Header
		c.answer, err = io.ReadAll(answer.Body)
		_ = answer.Body.Close()
	}
	c.err = err
	if died := g.after(c); died != nil {
		c.err = died
	}
}

func (g *gate) refused() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead {
		return errDead
	}
	return nil
}

// die cuts the process off.
func (g *gate) die() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dead = true
}

// trace sums up everything that happened, so that two plays can be compared.
type trace struct {
	sum   uint64
	lines []string
	keep  bool
}

func (t *trace) add(line string) {
	h := fnv.New64a()
	_, _ = h.Write([]byte{byte(t.sum), byte(t.sum >> 8), byte(t.sum >> 16), byte(t.sum >> 24), byte(t.sum >> 32), byte(t.sum >> 40), byte(t.sum >> 48), byte(t.sum >> 56)})
	_, _ = h.Write([]byte(line))
	t.sum = h.Sum64()
	if t.keep {
		t.lines = append(t.lines, line)
	}
}
