// Package salesforce speaks to one Salesforce org through its REST API and
// speaks crm at its edge: schemas, complete reads, changes, lookups by id and
// by value, and writes in batches with one result for each record.
//
// The idea: few, large calls. Reads are SOQL ordered by a key (Id, or
// SystemModstamp and Id), so that a read can be taken up again at the last row.
// Writes are collections of 200 records; several collections travel in one
// composite call, 1,000 records a call. Whatever Salesforce refuses for one
// record is that record's result and nobody else's.
//
//	POST /services/data/v66.0/composite
//	{"compositeRequest":[{"method":"POST","url":"/services/data/v66.0/composite/sobjects",
//	  "referenceId":"c0","body":{"allOrNone":false,"records":[…200…]}}, …]}
//
// REST API: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm
package salesforce

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// newestVersion is the newest API version that this client was written against.
	newestVersion = 68
	// oldestVersion has upsert by collections, which Apply needs.
	oldestVersion = 46

	// DefaultOverlap is how far Changes goes back before the newest stamp that it
	// saw: rows are stamped when they are saved and seen when they are committed.
	DefaultOverlap = time.Minute
	// leastOverlap follows from stamps in whole seconds and clocks that differ.
	leastOverlap = 5 * time.Second

	userAgent = "lockstep"
)

// Tokens gives and renews access tokens; credential.TokenSource does.
type Tokens interface {
	// Token returns the token to use now.
	Token(ctx context.Context) (string, error)
	// Renew returns a token other than stale.
	Renew(ctx context.Context, stale string) (string, error)
	// InstanceURL is where the org's API is; known once Token has answered.
	InstanceURL() string
}

// Config says which org is called and how. Only Tokens is needed.
type Config struct {
	Tokens Tokens
	// Version of the API, such as "66.0". Empty: the newest that the org offers
	// and this client knows, which costs one call.
	Version string
	// HTTP is copied; nil: a tuned default.
	HTTP *http.Client
	// Budget is the share (0 to 1) of the org's daily calls that is ours; 0: all.
	Budget float64
	// Ledger counts the calls of the org for all processes; nil: in memory.
	Ledger *apicall.Ledger
	// Notice is told in a sentence when we slow down because others call, too.
	Notice func(text string)
	// Overlap of Changes; 0: DefaultOverlap. Less than five seconds become five.
	Overlap time.Duration
	Log     *slog.Logger
	// Seed of all chance: the jitter of waits.
	Seed uint64
}

// Client speaks to one org. It satisfies engine.Side and is safe for concurrent use.
type Client struct {
	config  Config
	version string
	overlap time.Duration
	day     *apicall.Day
	log     *slog.Logger

	// opening is held by the one who makes the session.
	opening chan struct{}

	mu       sync.Mutex
	session  *session
	used     string // the token of the newest request
	describe map[string]*described
	told     map[string]toldRows // by near object and junction
	book     priceBook
	chance   *rand.Rand
}

// session is what is known once the first token was given.
type session struct {
	caller *apicall.Caller
	// data is the path of all data resources: "/services/data/v66.0".
	data string
}

var versionForm = regexp.MustCompile(`^v?([0-9]{2,3})(\.0)?$`)

// New returns a client; fault.Invalid when the version cannot be used. It makes
// no call.
func New(config Config) (*Client, error) {
	if config.Tokens == nil {
		return nil, fault.New(fault.Internal, "the Salesforce client was given no tokens")
	}
	version := ""
	if config.Version != "" {
		match := versionForm.FindStringSubmatch(config.Version)
		if match == nil {
			return nil, fault.New(fault.Invalid, "%q is no Salesforce API version", config.Version).WithMend("write it as %d.0, or leave it out", newestVersion)
		}
		n, _ := strconv.Atoi(match[1])
		if n < oldestVersion || n > newestVersion {
			return nil, fault.New(fault.Invalid, "Salesforce API version %d.0 is not one that Lockstep speaks", n).
				WithMend("use %d.0 to %d.0, or leave it out", oldestVersion, newestVersion)
		}
		version = fmt.Sprintf("%d.0", n)
	}
	overlap := config.Overlap
	if overlap <= 0 {
		overlap = DefaultOverlap
	}
	log := config.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Client{
		config:   config,
		version:  version,
		overlap:  max(overlap, leastOverlap),
		day:      apicall.NewDay(config.Budget, true, config.Ledger),
		log:      log,
		opening:  make(chan struct{}, 1),
		describe: map[string]*described{}, told: map[string]toldRows{},
		chance: rand.New(rand.NewPCG(config.Seed, 0x5a1e5f)),
	}, nil
}

// Name returns crm.Salesforce.
func (c *Client) Name() crm.Side { return crm.Salesforce }

// Usage tells what was spent so far.
func (c *Client) Usage() crm.Usage {
	if s := c.opened(); s != nil {
		return s.caller.Usage()
	}
	return crm.Usage{DayLimit: -1, DayLeft: -1}
}

// RecordURL is where a person sees the record; empty until the org's address is
// known.
func (c *Client) RecordURL(object, id string) string {
	instance := c.config.Tokens.InstanceURL()
	if instance == "" || object == "" || id == "" {
		return ""
	}
	return strings.TrimRight(instance, "/") + "/lightning/r/" + url.PathEscape(object) + "/" + url.PathEscape(id) + "/view"
}

func (c *Client) opened() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// open returns the session, making it when this is the first call.
func (c *Client) open(ctx context.Context) (*session, error) {
	if s := c.opened(); s != nil {
		return s, nil
	}
	select {
	case c.opening <- struct{}{}:
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "stopped before Salesforce was called").Wrap(context.Cause(ctx))
	}
	defer func() { <-c.opening }()
	if s := c.opened(); s != nil {
		return s, nil
	}
	if _, err := c.config.Tokens.Token(ctx); err != nil {
		return nil, err
	}
	caller, err := apicall.New(apicall.Config{
		Side:       crm.Salesforce,
		Base:       c.config.Tokens.InstanceURL(),
		HTTP:       c.config.HTTP,
		Authorize:  c.authorize,
		Refresh:    c.renew,
		Classify:   classify,
		Day:        c.day,
		Rates:      rates,
		Notice:     c.config.Notice,
		RequestIDs: []string{"Sfdc-Request-Id", "X-Sfdc-Request-Id", "X-Request-Id"},
		Log:        c.log,
		UserAgent:  userAgent,
		Seed:       c.config.Seed,
	})
	if err != nil {
		return nil, err
	}
	version := c.version
	if version == "" {
		if version, err = newestOffered(ctx, caller); err != nil {
			return nil, err
		}
	}
	s := &session{caller: caller, data: "/services/data/v" + version}
	c.mu.Lock()
	c.session = s
	c.mu.Unlock()
	return s, nil
}

// newestOffered asks the org for its versions; the call needs no permission and
// counts against no limit.
func newestOffered(ctx context.Context, caller *apicall.Caller) (string, error) {
	var offered []struct {
		Version string `json:"version"`
	}
	if err := caller.Do(ctx, apicall.Call{Method: http.MethodGet, Path: "/services/data", Uncounted: true}, apicall.Into(&offered)); err != nil {
		return "", err
	}
	best := 0
	for _, o := range offered {
		if match := versionForm.FindStringSubmatch(o.Version); match != nil {
			if n, err := strconv.Atoi(match[1]); err == nil && n <= newestVersion {
				best = max(best, n)
			}
		}
	}
	if best < oldestVersion {
		return "", fault.New(fault.Invalid, "this address offers no Salesforce API version from %d.0 to %d.0", oldestVersion, newestVersion).
			WithMend("check the account's base URL: lockstep accounts list")
	}
	return fmt.Sprintf("%d.0", best), nil
}

// authorize sets what every request carries.
func (c *Client) authorize(ctx context.Context, request *http.Request) error {
	token, err := c.config.Tokens.Token(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.used = token
	c.mu.Unlock()
	// A renewed token may belong to another instance: orgs move.
	if instance, err := url.Parse(c.config.Tokens.InstanceURL()); err == nil && instance.Host != "" && instance.Host != request.URL.Host {
		request.URL.Scheme, request.URL.Host, request.Host = instance.Scheme, instance.Host, instance.Host
	}
	request.Header.Set("Authorization", "Bearer "+token)
	for name, value := range writeHeaders {
		request.Header.Set(name, value)
	}
	return nil
}

// writeHeaders travel with every request, and again with every part of a
// composite one. Without Sforce-Auto-Assign a new lead goes to whomever the
// assignment rule names; the client name shows up in change events as their origin.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_autoassign.htm
var writeHeaders = map[string]string{
	"Sforce-Auto-Assign":  "FALSE",
	"Sforce-Call-Options": "client=lockstep",
}

func (c *Client) renew(ctx context.Context) error {
	c.mu.Lock()
	stale := c.used
	c.mu.Unlock()
	_, err := c.config.Tokens.Renew(ctx, stale)
	return err
}

// do makes one call below /services/data/vNN.0.
func (c *Client) do(ctx context.Context, call apicall.Call, decode func(int, http.Header, io.Reader) error) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(call.Path, "/services/") {
		call.Path = s.data + call.Path
	}
	return s.caller.Do(ctx, call, decode)
}

// rates reads Sforce-Limit-Info: "api-usage=18/5000; per-app-api-usage=…".
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm
func rates(header http.Header) apicall.Rates {
	told := apicall.NoRates
	used, limit, ok := usage(header)
	if ok {
		told.DayLimit = limit
		// "Nothing left" is left to Salesforce to say: its day is the last 24 hours,
		// so calls come back all the time, and paid orgs are let past for a while.
		if used < limit {
			told.DayLeft = limit - used
		}
	}
	return told
}

func usage(header http.Header) (used, limit int, ok bool) {
	for part := range strings.SplitSeq(header.Get("Sforce-Limit-Info"), ";") {
		numbers, found := strings.CutPrefix(strings.TrimSpace(part), "api-usage=")
		if !found {
			continue
		}
		before, after, found := strings.Cut(numbers, "/")
		used, err := strconv.Atoi(strings.TrimSpace(before))
		limit, err2 := strconv.Atoi(strings.TrimSpace(after))
		if found && err == nil && err2 == nil && limit > 0 {
			return used, limit, true
		}
	}
	return 0, 0, false
}
