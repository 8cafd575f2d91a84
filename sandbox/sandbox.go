// Package sandbox runs a HubSpot account and a Salesforce org on this machine:
// two servers that answer as the vendors do, in one process, filled with one
// story of a business that is in both (package story).
//
// Use it in a test without any socket, also inside a testing/synctest bubble:
//
//	box, err := sandbox.New(sandbox.Config{Seed: "small"})
//	client := box.Client() // https://api.hubapi.com and *.my.salesforce.com lead here
//
// or let it listen on loopback ports and drive it from any language with
// [Sandbox.Listen]. What goes wrong (429, 5xx, cut connections, locks), how late
// search is and what time it is are set from Go, or through the management port
// that [Sandbox.Guide] describes. docs/sandbox-differences.md lists every known
// difference from the real vendors.
//
// It has no real security: its tokens are fakes, its ports open on loopback only.
package sandbox

import (
	"cmp"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/clock"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
	"github.com/lockstep-sync/lockstep/sandbox/story"
)

// Config says what to run. The zero Config is a small seeded sandbox.
type Config struct {
	// Seed is how many people the story has: "small" (60 HubSpot contacts),
	// "medium" (1,000), "large" (100,000), a number, or "empty". "" means small.
	Seed string
	// Random picks one of the stories of that size; ids and tokens follow from it.
	Random uint64
	// DataFile keeps the state over restarts; "" keeps it in memory. What the file
	// holds wins over Seed.
	DataFile string
	// HubSpotAddr, SalesforceAddr and ManageAddr are what Listen opens; "" means
	// any free port of 127.0.0.1. Addresses beyond loopback are refused.
	HubSpotAddr    string
	SalesforceAddr string
	ManageAddr     string
	// Start is the sandbox's time at the beginning; zero means the machine's. The
	// story is told up to it.
	Start time.Time
	// SearchLag is how late HubSpot's search index is, Latency what every call
	// takes, both to the millisecond; they are the first position of the dials.
	SearchLag time.Duration
	Latency   time.Duration
	// TenSecondly, Daily and SearchSecondly are HubSpot's limits: calls of one
	// token in any ten seconds, of the account a day, searches a second. 0 means
	// 190, 1,000,000 and 5; negative means no limit.
	TenSecondly    int
	Daily          int
	SearchSecondly int
	// Year is the year whose HubSpot is played where credentials are made: 2022
	// has account API keys, 2025 private apps; 0 follows the sandbox's clock.
	Year int
	// Accounts is how many HubSpot accounts there are; 0 means 2. The first has
	// the story; the others hold a small business of their own.
	Accounts int
	// Webhooks carries HubSpot's deliveries to apps; nil means http.DefaultTransport,
	// without a proxy and to this machine only. In a synctest bubble give one that
	// hands requests to the receiver without a socket.
	Webhooks http.RoundTripper
	// SalesforceDaily is the org's limit of calls a day; 0 means 100,000.
	SalesforceDaily int
}

// accountsUnlessTold lets one person install an app into two accounts.
const accountsUnlessTold = 2

// Sandbox is a HubSpot account and a Salesforce org. All methods may be called
// at once from several goroutines. Sandboxes share nothing with each other.
type Sandbox struct {
	config Config
	size   int
	clock  *clock.Clock
	dials  *faults.Dials
	world  atomic.Pointer[world]
	ports  atomic.Pointer[listeners]
	manage http.Handler

	mu           sync.Mutex
	closed       bool
	stopWatching func() bool
	stopSaving   chan struct{}
	running      sync.WaitGroup
	closing      sync.Once
	closeErr     error

	saving sync.Mutex
	// saved is the worlds' versions at the last save, file its stamp.
	saved versions
	file  stamp
}

// world is what a reset replaces.
type world struct {
	hubSpot     *hubspot.Server
	salesforce  *salesforce.Server
	credentials Credentials
}

// versions tells whether anything changed.
type versions struct {
	world               *world
	hubSpot, salesforce uint64
	clock               time.Duration
}

// New makes a sandbox: from DataFile if there is one, from the seed otherwise.
// It starts no goroutine and opens no port. Errors are *[Error].
func New(config Config) (*Sandbox, error) {
	size, err := story.Size(config.Seed)
	if err != nil {
		return nil, &Error{What: err.Error(), Mend: "use --seed small, medium, large, empty or a number"}
	}
	s := &Sandbox{config: config, size: size, clock: &clock.Clock{}, dials: &faults.Dials{}, stopSaving: make(chan struct{})}
	if !config.Start.IsZero() {
		s.clock.Set(config.Start)
	}
	s.dials.Set(faults.Setting{
		Seed: config.Random, LatencyMillis: int(config.Latency.Milliseconds()), SearchLagMillis: int(config.SearchLag.Milliseconds()),
	})
	s.manage = s.manageRoutes()
	if config.DataFile != "" {
		found, err := s.load()
		if err != nil || found {
			return s, err
		}
	}
	w, err := s.seeded()
	if err != nil {
		return nil, err
	}
	s.world.Store(w)
	return s, nil
}

// blank makes the two servers without a record.
func (s *Sandbox) blank() *world {
	w := &world{
		hubSpot: hubspot.New(hubspot.Config{
			Clock: s.clock, Dials: s.dials, Seed: s.config.Random,
			TenSecondly: s.config.TenSecondly, Daily: s.config.Daily, SearchSecondly: s.config.SearchSecondly,
			Year: s.config.Year, Accounts: cmp.Or(s.config.Accounts, accountsUnlessTold),
			Webhooks: s.config.Webhooks,
		}),
		salesforce: salesforce.New(salesforce.Config{
			Clock: s.clock, Dials: s.dials, Seed: s.config.Random, DailyLimit: s.config.SalesforceDaily,
		}),
	}
	s.nameOrigins(w)
	return w
}

// nameOrigins tells the servers what links in their answers start with.
func (s *Sandbox) nameOrigins(w *world) {
	if w == nil {
		return
	}
	w.hubSpot.SetOrigin(s.HubSpotURL())
	w.hubSpot.SetPeerURL(s.SalesforceURL())
	w.salesforce.SetOrigin(s.SalesforceURL())
	w.salesforce.SetPeerURL(s.HubSpotURL())
}

// HubSpot is the HubSpot account; after a reset it is another one.
func (s *Sandbox) HubSpot() *hubspot.Server { return s.world.Load().hubSpot }

// Salesforce is the Salesforce org; after a reset it is another one.
func (s *Sandbox) Salesforce() *salesforce.Server { return s.world.Load().salesforce }

// Clock is the time of both servers; it may be moved.
func (s *Sandbox) Clock() *clock.Clock { return s.clock }

// Dials are what goes wrong on both servers.
func (s *Sandbox) Dials() *faults.Dials { return s.dials }

// Credentials are those that the seed made.
func (s *Sandbox) Credentials() Credentials { return s.world.Load().credentials }

// Client returns an HTTP client that reaches both servers without a socket:
// requests to https://api.hubapi.com, https://*.my.salesforce.com,
// https://login.salesforce.com, https://test.salesforce.com and (gRPC)
// https://api.pubsub.salesforce.com:7443 are answered by them,
// http://manage.sandbox by the management calls. No other host exists.
// Latency, cancelled contexts and cut connections behave as over a network.
// Inside a synctest bubble, make the sandbox inside it too.
func (s *Sandbox) Client() *http.Client { return &http.Client{Transport: &transport{s}} }

// Reset forgets all changes and tells the story anew, with the same ids and
// credentials. The dials stay as they are; with Config.Start the clock goes
// back to it.
func (s *Sandbox) Reset() error {
	if !s.config.Start.IsZero() {
		s.clock.Set(s.config.Start)
	}
	w, err := s.seeded()
	if err != nil {
		return err
	}
	old := s.world.Swap(w)
	s.nameOrigins(w)
	old.salesforce.EndStreams()
	return old.hubSpot.Close()
}

// Close ends the listeners and deliveries, and saves to the data file. It may be called twice.
func (s *Sandbox) Close() error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		if s.stopWatching != nil {
			s.stopWatching()
		}
		s.mu.Unlock()
		close(s.stopSaving)
		var errs []error
		if ports := s.ports.Load(); ports != nil {
			errs = append(errs, ports.shut())
		}
		s.running.Wait()
		errs = append(errs, s.HubSpot().Close())
		s.closeErr = errors.Join(append(errs, s.Save())...)
	})
	return s.closeErr
}

func (s *Sandbox) hubSpotHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.stamp(w)
		s.HubSpot().ServeHTTP(w, r)
	})
}

func (s *Sandbox) salesforceHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.stamp(w)
		s.Salesforce().ServeHTTP(w, r)
	})
}

// stamp dates an answer by the sandbox's clock, which may have been moved:
// clients take the vendor's time from this header.
func (s *Sandbox) stamp(w http.ResponseWriter) {
	w.Header().Set("Date", s.Clock().Now().Format(http.TimeFormat))
}

func (s *Sandbox) manageHandler() http.Handler { return s.manage }
