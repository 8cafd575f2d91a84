package changeevent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/twmb/avro"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/salesforce/eventbus"
	"github.com/lockstep-sync/lockstep/internal/salesforce/eventbus/eventbusconnect"
)

// Endpoint is Salesforce's own; orgs in the EU may use api.deu.pubsub.salesforce.com.
// https://developer.salesforce.com/docs/platform/pub-sub-api/guide/pub-sub-endpoints.html
const Endpoint = "https://api.pubsub.salesforce.com:7443"

const (
	// wanted is how many events are asked for at once, the most that the bus allows.
	// https://developer.salesforce.com/docs/platform/pub-sub-api/guide/allocations.html
	wanted = 100
	// leastPause and mostPause bound the waits between two attempts to connect.
	leastPause = time.Second
	mostPause  = time.Minute
	// spentPause follows when the org's events of the day are used up.
	spentPause = 15 * time.Minute
	// silence is after how long a stream that says nothing, not even that it
	// lives, counts as broken: signs of life come within 270 seconds.
	silence = 5 * time.Minute
)

// Tokens gives and renews access tokens; credential.TokenSource does.
type Tokens interface {
	Token(ctx context.Context) (string, error)
	Renew(ctx context.Context, stale string) (string, error)
	InstanceURL() string
}

// Config says whose changes are followed. Tokens and OrgID are needed.
type Config struct {
	// Endpoint of the Pub/Sub API; empty: Endpoint, or the instance itself where
	// that is on this machine.
	Endpoint string
	// HTTP has to speak HTTP/2; nil: one that does.
	HTTP   *http.Client
	Tokens Tokens
	// OrgID is the organization id, 18 characters.
	OrgID string
	// Log gets what an operator acts on; nil: none.
	Log *slog.Logger
}

// Follower follows the change events of one org. Safe for concurrent use.
type Follower struct {
	config Config
	log    *slog.Logger

	mu      sync.Mutex
	bus     eventbusconnect.PubSubClient
	schemas map[string]*avro.Schema
}

// New returns a follower; it makes no call.
func New(config Config) (*Follower, error) {
	if config.Tokens == nil || config.OrgID == "" {
		return nil, fault.New(fault.Internal, "change events need the org's tokens and id")
	}
	log := config.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Follower{config: config, log: log, schemas: map[string]*avro.Schema{}}, nil
}

// Topic is the channel of an object's change events.
// https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_subscribe_channels.htm
func Topic(object string) string {
	if base, custom := strings.CutSuffix(object, "__c"); custom {
		return "/data/" + base + "__ChangeEvent"
	}
	return "/data/" + object + "ChangeEvent"
}

// client connects when it is first needed, since the instance is known only
// once a token was given.
func (f *Follower) client(ctx context.Context) (eventbusconnect.PubSubClient, error) {
	if _, err := f.config.Tokens.Token(ctx); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bus == nil {
		endpoint := f.config.Endpoint
		if endpoint == "" {
			endpoint = Endpoint
			if u, err := url.Parse(f.config.Tokens.InstanceURL()); err == nil && isLoopback(u.Hostname()) {
				endpoint = f.config.Tokens.InstanceURL()
			}
		}
		f.bus = eventbusconnect.NewPubSubClient(f.http(endpoint), strings.TrimRight(endpoint, "/"), connect.WithGRPC(), connect.WithInterceptors(&signer{f.config}))
	}
	return f.bus, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (f *Follower) http(endpoint string) *http.Client {
	if f.config.HTTP != nil {
		return f.config.HTTP
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	if strings.HasPrefix(endpoint, "http://") {
		protocols.SetUnencryptedHTTP2(true)
	}
	return &http.Client{Transport: &http.Transport{Protocols: protocols, Proxy: http.ProxyFromEnvironment}}
}

// Follow listens to an object's changes from mark on (a replay id; nil starts
// with what comes next) until ctx ends, and hands on what it hears with the new
// mark; signs of life come as no hints with a newer mark. Lost connections,
// a bus that is down and used-up allowances are waited out; what a person has to
// mend ends it.
func (f *Follower) Follow(ctx context.Context, object string, mark []byte, hear func(hints []crm.Hint, mark []byte) error) error {
	pause := leastPause
	renewed := false
	for {
		l := &listening{f: f, object: object, mark: mark, hear: hear}
		err := l.run(ctx)
		mark = l.mark
		if l.heard {
			pause, renewed = leastPause, false
		}
		var told *toldError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &told):
			return told.err
		}
		switch code := connect.CodeOf(err); code {
		case connect.CodeInvalidArgument:
			if len(mark) == 0 {
				return f.refused(object, err)
			}
			// The bus keeps three days, and forgets its marks when an org moves.
			mark = nil
			if err := hear([]crm.Hint{{Side: crm.Salesforce, Object: object, Why: "the bus no longer knows where we were"}}, nil); err != nil {
				return err
			}
			continue
		case connect.CodeUnauthenticated:
			if renewed {
				return f.refused(object, err)
			}
			renewed = true
			if _, err := f.config.Tokens.Renew(ctx, l.token); err != nil {
				return err
			}
			continue
		case connect.CodePermissionDenied, connect.CodeNotFound, connect.CodeUnimplemented:
			return f.refused(object, err)
		case connect.CodeResourceExhausted:
			f.log.Warn("the org's change events of the day are used up; changes are found by reading until they come back", "object", object)
			pause = spentPause
		default:
			if e, ok := fault.As(err); ok && e.Kind == fault.Denied {
				return err
			}
			f.log.Debug("change events are interrupted", "object", object, "reason", err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		pause = min(2*pause, mostPause)
	}
}

// toldError is an error of hear: it ends the following.
type toldError struct{ err error }

func (e *toldError) Error() string { return e.err.Error() }

func (f *Follower) refused(object string, err error) error {
	kind := fault.Denied
	if code := connect.CodeOf(err); code == connect.CodeNotFound || code == connect.CodeInvalidArgument {
		kind = fault.NotFound
	}
	return fault.New(kind, "Salesforce does not let us follow the changes of %s", object).Wrap(err).
		WithMend("select %s in Setup > Change Data Capture, and let the app's user see it; or write change-events: false in lockstep.yaml, which only makes changes arrive later", object)
}

// listening is one connection.
type listening struct {
	f      *Follower
	object string
	mark   []byte
	hear   func([]crm.Hint, []byte) error
	token  string
	heard  bool
}

func (l *listening) run(ctx context.Context) error {
	bus, err := l.f.client(ctx)
	if err != nil {
		return err
	}
	if l.token, err = l.f.config.Tokens.Token(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := bus.Subscribe(ctx)
	defer func() { _, _ = stream.CloseRequest(), stream.CloseResponse() }()
	ask := &eventbus.FetchRequest{TopicName: Topic(l.object), NumRequested: wanted}
	if len(l.mark) > 0 {
		ask.ReplayPreset, ask.ReplayId = eventbus.ReplayPreset_CUSTOM, l.mark
	}
	if err := stream.Send(ask); err != nil && !errors.Is(err, io.EOF) { // with EOF the reason comes with Receive
		return err
	}
	broken := time.AfterFunc(silence, cancel)
	defer broken.Stop()
	for {
		answer, err := stream.Receive()
		if err != nil {
			return err
		}
		broken.Reset(silence)
		if err := l.take(ctx, bus, answer); err != nil {
			return err
		}
		if answer.PendingNumRequested <= wanted/2 {
			more := &eventbus.FetchRequest{TopicName: Topic(l.object), NumRequested: wanted - answer.PendingNumRequested}
			if err := stream.Send(more); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
	}
}

// take hands on what one answer brought.
func (l *listening) take(ctx context.Context, bus eventbusconnect.PubSubClient, answer *eventbus.FetchResponse) error {
	var hints []crm.Hint
	mark := answer.LatestReplayId
	for _, e := range answer.Events {
		schema, err := l.f.schema(ctx, bus, e.GetEvent().GetSchemaId())
		if err != nil {
			return err
		}
		h, err := decode(schema, e.GetEvent().GetPayload())
		if err != nil {
			return err
		}
		hints = append(hints, h.hints()...)
		mark = e.ReplayId
	}
	l.heard = true
	if len(mark) == 0 {
		mark = l.mark
	}
	if err := l.hear(hints, mark); err != nil {
		return &toldError{err}
	}
	l.mark = mark
	return nil
}

// schema returns the Avro schema with an id, which never changes.
func (f *Follower) schema(ctx context.Context, bus eventbusconnect.PubSubClient, id string) (*avro.Schema, error) {
	f.mu.Lock()
	known := f.schemas[id]
	f.mu.Unlock()
	if known != nil {
		return known, nil
	}
	answer, err := bus.GetSchema(ctx, connect.NewRequest(&eventbus.SchemaRequest{SchemaId: id}))
	if err != nil {
		return nil, err
	}
	schema, err := avro.Parse(answer.Msg.SchemaJson)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "Salesforce's schema of a change event cannot be read").Wrap(err)
	}
	f.mu.Lock()
	f.schemas[id] = schema
	f.mu.Unlock()
	return schema, nil
}

// signer adds what the bus wants of every call.
// https://developer.salesforce.com/docs/platform/pub-sub-api/guide/supported-auth.html
type signer struct{ config Config }

func (s *signer) sign(ctx context.Context, header http.Header) error {
	token, err := s.config.Tokens.Token(ctx)
	if err != nil {
		return err
	}
	header.Set("accesstoken", token)
	header.Set("instanceurl", s.config.Tokens.InstanceURL())
	header.Set("tenantid", s.config.OrgID)
	return nil
}

// WrapUnary is connect.Interceptor's.
func (s *signer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		if err := s.sign(ctx, r.Header()); err != nil {
			return nil, err
		}
		return next(ctx, r)
	}
}

// WrapStreamingClient is connect.Interceptor's.
func (s *signer) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		// A token that cannot be had is told by the bus's refusal of the call.
		_ = s.sign(ctx, conn.RequestHeader())
		return conn
	}
}

// WrapStreamingHandler is connect.Interceptor's; we serve nothing.
func (s *signer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}
