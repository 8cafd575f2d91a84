// Package hubspot is a HubSpot-compatible server for development and tests. It
// keeps one account in memory, or several behind one address: records, their
// history and associations, definitions, owners, pipelines, apps and tokens; and
// it answers the CRM and OAuth endpoints in their v1, v3, v4, 2026-03 and 2026-09
// forms with the vendor's status codes, bodies, limits and faults. To a browser
// it shows the records and the places where credentials are made (visit.go), as
// they are today or as they were in another year (era.go).
//
// The one idea: a record is an immutable value behind a pointer. A change makes
// a new value and swaps the pointer under the server's lock, so readers never
// copy, and the search index, which lags on purpose, keeps answering from the
// old pointer until its time has come.
//
// A call goes through ServeHTTP (call.go), the route table (routes.go), the
// token's scopes and limits (token.go, limit.go), the fault dials and one
// handler, which returns an answer or a problem; call.go writes either.
// Everything that this server decides differently from the vendor is listed in
// docs/sandbox-differences.md.
package hubspot

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/clock"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// Config says which account the server plays. The zero Config is usable.
type Config struct {
	// PortalID is the account's number; 0 means one made from Seed, above 48,000,000.
	PortalID int64
	// Currency is the account's currency; "" means USD.
	Currency string
	// TimeZone is the account's IANA time zone, in which a day of the daily limit
	// begins; "" means US/Eastern.
	TimeZone string
	// Clock tells the time; nil means the machine's.
	Clock *clock.Clock
	// Dials say what goes wrong; nil means nothing does.
	Dials *faults.Dials
	// TenSecondly is how many calls one token may make in any ten seconds; 0 means
	// 190, as for a private app of a Professional or Enterprise account; negative
	// means no limit.
	TenSecondly int
	// Daily is how many calls all tokens together may make a day; 0 means
	// 1,000,000 (Enterprise); negative means no limit.
	Daily int
	// SearchSecondly is how many searches the account may make in any second; 0
	// means 5; negative means no limit.
	SearchSecondly int
	// Origin is what links in answers start with; "" means https://api.hubapi.com.
	Origin string
	// PeerURL is the address of the other sandbox's pages, shown on ours.
	PeerURL string
	// Seed makes ids and tokens: the same seed and the same calls, the same ids.
	Seed uint64
	// Year is the year whose HubSpot the server plays where that matters: which
	// credentials can be made, and whether ?hapikey= works. 0 follows the clock.
	Year int
	// Accounts is how many accounts there are; 0 means 1. The further ones, which
	// are made from Seed too, are reached through Server.Accounts; a call goes to
	// the account that its token opens.
	Accounts int
	// Webhooks carries deliveries to apps; nil means http.DefaultTransport, without
	// a proxy and to this machine only.
	Webhooks http.RoundTripper
}

// Server is one HubSpot account, or the first of several. All its methods may be called at once from
// several goroutines.
type Server struct {
	config   Config
	clock    *clock.Clock
	dials    *faults.Dials
	timeZone *time.Location
	routes   *routeTree
	pages    *pages
	origin   atomic.Pointer[string]
	peerURL  atomic.Pointer[string]
	limits   *limits
	scopes   *scopeCatalogue
	// directory is shared with the other accounts.
	directory *directory
	calls     callCounts
	trace     atomic.Uint64
	version   atomic.Uint64

	// mu guards the account: one lock, because a write to one record moves
	// others (rollups, primary associations), and readers hold it briefly.
	mu           sync.RWMutex
	generator    *rand.PCG
	random       *rand.Rand
	tables       []*table
	tableByName  map[string]*table
	pairs        map[pairKey]*pair
	sources      []source
	sourceIndex  map[source]uint32
	owners       []*Owner
	apps         []*app
	appByID      map[int64]*app
	grants       []*grant
	lastSecret   uint64
	tokens       map[string]*token
	tokenOrder   []*token
	lists        []*list
	lastListID   int64
	blocked      map[string]bool // e-mails that were erased for good before they were known
	lastNumber   int64           // of stages, pipelines, label types: numbers as text
	lastTypeID   int64           // of custom object types
	lastAppID    int64
	lastOwnerID  int64
	lastSchemaID int64
}

// New makes an account with HubSpot's own properties, groups, pipelines and
// association types, and no record, owner or token.
func New(config Config) *Server {
	s := newAccount(config, newDirectory())
	for n := 1; n < config.Accounts; n++ {
		s.addAccount()
	}
	return s
}

// addAccount makes a further account beside this one.
func (s *Server) addAccount() *Server {
	config := s.config
	config.Origin, config.PeerURL = *s.origin.Load(), *s.peerURL.Load()
	config.PortalID += int64(len(s.directory.list())) * 1_013
	config.Seed += uint64(len(s.directory.list())) << 32
	return newAccount(config, s.directory)
}

func newAccount(config Config, shared *directory) *Server {
	if config.PortalID == 0 {
		config.PortalID = 48_000_000 + int64(config.Seed%900_000)
	}
	if config.Currency == "" {
		config.Currency = "USD"
	}
	if config.TimeZone == "" {
		config.TimeZone = "US/Eastern"
	}
	if config.Origin == "" {
		config.Origin = "https://api.hubapi.com"
	}
	s := &Server{config: config, clock: config.Clock, dials: config.Dials, directory: shared, scopes: newScopeCatalogue()}
	if s.clock == nil {
		s.clock = &clock.Clock{}
	}
	if s.dials == nil {
		s.dials = &faults.Dials{}
	}
	shared.hooks.attach(s)
	s.timeZone = accountZone(config.TimeZone)
	s.SetOrigin(config.Origin)
	s.SetPeerURL(config.PeerURL)
	s.limits = newLimits(s.clock, s.timeZone, config)
	s.generator = rand.NewPCG(config.Seed, 0x6c6f636b73746570)
	s.random = rand.New(s.generator)
	s.trace.Store(config.Seed)
	s.tableByName = map[string]*table{}
	s.pairs = map[pairKey]*pair{}
	s.sourceIndex = map[source]uint32{}
	s.tokens = map[string]*token{}
	s.appByID = map[int64]*app{}
	s.blocked = map[string]bool{}
	s.lastNumber = 1_900_000_000 + int64(config.Seed%50_000)*17
	s.lastTypeID = 34_000_000 + int64(config.Seed%10_000)
	s.lastAppID = 4_200_000 + int64(config.Seed%1_000)
	s.lastOwnerID = 64_000_000 + int64(config.Seed%100_000)
	s.loadBuiltin()
	s.routes = newRouteTree(s.routeTable())
	s.pages = newPages(s)
	shared.add(s)
	return s
}

// accountZone falls back to a fixed offset where the machine has no zone data,
// so that a bare container still resets the day at a sensible hour.
func accountZone(name string) *time.Location {
	if zone, err := time.LoadLocation(name); err == nil {
		return zone
	}
	return time.FixedZone(name, -5*60*60)
}

// SetOrigin says what links in answers start with, once the listener knows its
// address: "http://127.0.0.1:8080".
func (s *Server) SetOrigin(origin string) {
	s.origin.Store(&origin)
	for _, other := range s.directory.list() {
		other.origin.Store(&origin)
	}
}

// SetPeerURL says where the other sandbox's pages are.
func (s *Server) SetPeerURL(url string) {
	s.peerURL.Store(&url)
	for _, other := range s.directory.list() {
		other.peerURL.Store(&url)
	}
}

// Accounts are this account and those beside it, in the order they were made.
func (s *Server) Accounts() []*Server { return slices.Clone(s.directory.list()) }

// Users are the people who can sign in to the pages, with no password.
func (s *Server) Users() []User { return slices.Clone(s.directory.users) }

// PortalID is the account's number.
func (s *Server) PortalID() int64 { return s.config.PortalID }

// Version counts the changes to all accounts; it stays the same while nothing changed.
func (s *Server) Version() (changes uint64) {
	for _, account := range s.directory.list() {
		changes += account.version.Load()
	}
	return changes
}

func (s *Server) nowMillis() int64 { return s.clock.Now().UnixMilli() }

// ServeHTTP answers API calls, and browsers at "/", for all accounts.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isAPIPath(r.URL.Path) {
		s.opened(r).serveAPI(w, r)
		return
	}
	s.shown(r).pages.ServeHTTP(w, r)
}
