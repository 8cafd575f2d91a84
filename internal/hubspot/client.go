// Package hubspot speaks HubSpot's CRM API and gives what it says in the words
// of package crm.
//
// Three ideas carry it. A complete read runs over several id ranges of the list
// at once, so that the ten-second window stays full at any latency; that the
// list can be entered at an id is observed, not promised, so it is proved
// before it is used, and search by id ranges stands in where it fails. Changes
// are searched by modified time with an overlap, and paged by stamp and id, so
// that neither the index's lag nor its cap of 10,000 loses a record. And every
// input of a batch gets its own answer: what HubSpot refuses as a whole is
// halved until the one record to blame is found.
//
// Vendor facts: https://developers.hubspot.com/docs/api-reference/overview
package hubspot

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Base is HubSpot's own address.
const Base = "https://api.hubapi.com"

// Config says whose account is opened and how gently. Only Token is needed.
type Config struct {
	// Base is the API's address; empty: https://api.hubapi.com.
	Base string
	// HTTP is the client to send with; nil: a tuned default.
	HTTP *http.Client
	// Token gives the bearer token; it is asked for every call.
	Token func(context.Context) (string, error)
	// Renew gives a token other than stale, which HubSpot has refused; the call is
	// repeated with it once. Nil: a 401 is final, as with tokens that do not end.
	Renew func(ctx context.Context, stale string) (string, error)
	// Budget is the share of the account's daily calls that is ours, 0 to 1; 0: all.
	Budget float64
	// Ledger counts the calls of the account for all processes; nil: in memory.
	Ledger *apicall.Ledger
	// Notice is told in a sentence when we slow down because others call, too.
	Notice func(text string)
	// Log gets one debug line per call; nil: none.
	Log *slog.Logger
	// Seed of the jitter between repeats.
	Seed uint64
	// Unpaced: the server is known to have no limits (a sandbox in this process that was
	// made so), so no call waits for one.
	Unpaced bool
	// Version is "" for /crm/v3 and /crm/v4 paths, or a dated release: "2026-03".
	// https://developers.hubspot.com/docs/developer-tooling/platform/versioning
	Version string
}

// Client is one HubSpot account. Safe for concurrent use.
type Client struct {
	config       Config
	paths        paths
	caller       *apicall.Caller
	day          *apicall.Day
	window       *apicall.Window
	searches     *apicall.Window
	associations *apicall.Window
	log          *slog.Logger

	mu      sync.Mutex
	used    string // the token of the newest request
	account *details
	scopes  []string // nil when not told
	schemas map[string]*crm.Object
	labels  map[pair]*labels
	entries map[string]entry // by object: can its list be entered at an id?
	polls   map[string]*poll // by object: what the last Changes saw
	// listsSeen remembers lists and their members.
	listsSeen listsSeen
	heard     time.Time     // when skew was learned
	skew      time.Duration // how far HubSpot's clock is ahead of ours
}

// unlimited is a limit that no program reaches.
const unlimited = 1_000_000

// New returns a client; fault.Invalid when Base or Token cannot be used. It
// makes no call.
func New(config Config) (*Client, error) {
	if config.Token == nil {
		return nil, fault.New(fault.Invalid, "there is no HubSpot token to call with").WithMend("lockstep connect hubspot")
	}
	if config.Base == "" {
		config.Base = Base
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		config: config,
		paths:  paths{version: config.Version},
		log:    config.Log,
		// Professional and Enterprise until the first answer tells.
		// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
		window:       apicall.NewWindow("TEN_SECONDLY_ROLLING", 190, 10*time.Second),
		searches:     apicall.NewWindow("SECONDLY", 5, time.Second),
		associations: apicall.NewWindow("ASSOCIATIONS", 150, 10*time.Second),
		day:          apicall.NewDay(config.Budget, false, config.Ledger),
		schemas:      map[string]*crm.Object{},
		labels:       map[pair]*labels{},
		entries:      map[string]entry{},
		polls:        map[string]*poll{},
	}
	if config.Unpaced {
		c.window = apicall.NewWindow("TEN_SECONDLY_ROLLING", unlimited, 10*time.Second)
		c.searches = apicall.NewWindow("SECONDLY", unlimited, time.Second)
		c.associations = apicall.NewWindow("ASSOCIATIONS", unlimited, 10*time.Second)
	}
	var refresh func(context.Context) error
	if config.Renew != nil {
		refresh = c.renew
	}
	caller, err := apicall.New(apicall.Config{
		Side:      crm.HubSpot,
		Base:      config.Base,
		HTTP:      config.HTTP,
		Authorize: c.authorize,
		Refresh:   refresh,
		Classify:  c.classify,
		Window:    c.window,
		Day:       c.day,
		Rates:     c.rates,
		Observe:   c.observe,
		Notice:    config.Notice,
		Log:       config.Log,
		Seed:      config.Seed,
	})
	if err != nil {
		return nil, err
	}
	c.caller = caller
	return c, nil
}

// Name returns crm.HubSpot.
func (c *Client) Name() crm.Side { return crm.HubSpot }

// Usage tells what was spent so far.
func (c *Client) Usage() crm.Usage { return c.caller.Usage() }

func (c *Client) authorize(ctx context.Context, request *http.Request) error {
	token, err := c.config.Token(ctx)
	if err != nil {
		return err
	}
	token = strings.TrimSpace(token)
	if token == "" {
		return fault.New(fault.Denied, "the HubSpot account has no token").WithMend("lockstep connect hubspot")
	}
	c.mu.Lock()
	c.used = token
	c.mu.Unlock()
	request.Header.Set("Authorization", "Bearer "+token)
	return nil
}

func (c *Client) renew(ctx context.Context) error {
	c.mu.Lock()
	stale := c.used
	c.mu.Unlock()
	_, err := c.config.Renew(ctx, stale)
	return err
}

// get reads; query may be nil.
func (c *Client) get(ctx context.Context, path string, query url.Values, decode decode, windows ...*apicall.Window) error {
	tally(ctx)
	return c.caller.Do(ctx, apicall.Call{Method: http.MethodGet, Path: path, Query: query, Windows: windows}, decode)
}

// post sends a JSON body.
func (c *Client) post(ctx context.Context, path string, query url.Values, body []byte, safety apicall.Safety, decode decode, windows ...*apicall.Window) error {
	return c.send(ctx, apicall.Call{Path: path, Query: query, Body: body, Safety: safety, Windows: windows}, decode)
}

// postDoubted is post for a write that may be sent again: doubted is set when an
// attempt before the last one may have had its effect.
func (c *Client) postDoubted(ctx context.Context, path string, body []byte, safety apicall.Safety, doubted *bool, decode decode, windows ...*apicall.Window) error {
	return c.send(ctx, apicall.Call{Path: path, Body: body, Safety: safety, Lost: doubted, Windows: windows}, decode)
}

func (c *Client) send(ctx context.Context, call apicall.Call, decode decode) error {
	tally(ctx)
	call.Method = http.MethodPost
	return c.caller.Do(ctx, call, decode)
}

type tallyKey struct{}

// tallied returns a context whose calls are counted, repeats not included.
func tallied(ctx context.Context) (context.Context, *atomic.Int64) {
	calls := new(atomic.Int64)
	return context.WithValue(ctx, tallyKey{}, calls), calls
}

func tally(ctx context.Context) {
	if calls, ok := ctx.Value(tallyKey{}).(*atomic.Int64); ok {
		calls.Add(1)
	}
}
