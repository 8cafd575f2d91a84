package hubspot

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/clock"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

const (
	// subscriptionLimit is how many subscriptions an app may have.
	subscriptionLimit = 1_000
	// concurrentRequests are sent to one app from one account at once, unless its
	// settings say otherwise; they must say more than fewestConcurrent.
	concurrentRequests = 10
	fewestConcurrent   = 5
)

// WebhookSettings say where an app's events go.
// https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide
type WebhookSettings struct {
	// TargetURL is https, or http on this machine.
	TargetURL string `json:"targetUrl"`
	// MaxConcurrentRequests to one app from one account, above 5; 0 means 10.
	MaxConcurrentRequests int       `json:"maxConcurrentRequests"`
	CreatedAt             time.Time `json:"createdAt"`
	UpdatedAt             time.Time `json:"updatedAt"`
}

// Subscription says what an app wants to hear of.
type Subscription struct {
	ID int64 `json:"id"`
	// EventType is contact.creation, deal.propertyChange, object.merge …
	EventType string `json:"eventType"`
	// PropertyName of a propertyChange.
	PropertyName string `json:"propertyName,omitempty"`
	// ObjectTypeID of an object.* event: 0-1, 2-3465404.
	ObjectTypeID string    `json:"objectTypeId,omitempty"`
	Active       bool      `json:"active"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
}

// AppWebhooks are the webhooks of one app, and what became of its deliveries.
type AppWebhooks struct {
	AppID int64 `json:"appId"`
	// ClientID is of a project app, which hears of every account that installed
	// it; others hear of PortalID alone.
	ClientID string `json:"clientId,omitempty"`
	PortalID int64  `json:"portalId"`
	// Secret is the client secret that signs deliveries.
	Secret        string           `json:"clientSecret"`
	Settings      *WebhookSettings `json:"settings,omitempty"`
	Subscriptions []Subscription   `json:"subscriptions"`
	// Delivered counts the requests that were answered with 2xx, Failed those that
	// were not, GivenUp the batches that nobody took in eleven attempts.
	Delivered int `json:"delivered"`
	Failed    int `json:"failed"`
	GivenUp   int `json:"givenUp"`
}

// hooks are the webhooks of all apps of all accounts of a server.
type hooks struct {
	clock *clock.Clock
	dials *faults.Dials
	// active counts subscriptions, of webhooks and of the journal, that could hear.
	active atomic.Int64

	// mu guards the rest. An account's lock may be held when it is taken, and is
	// never taken while it is held.
	mu               sync.Mutex
	apps             []*AppWebhooks
	lastSubscription int64
	lastEvent        int64
	transport        http.RoundTripper
	post             postOffice
	journal          journal
}

// attach gives the first account's clock and dials to what all accounts share.
func (h *hooks) attach(s *Server) {
	if h.clock == nil {
		h.clock, h.dials, h.transport = s.clock, s.dials, s.config.Webhooks
		h.lastSubscription, h.lastEvent = 1_000_000+int64(s.config.Seed%1000), int64(s.config.Seed%1000)
	}
}

// recount finds out how many subscriptions could hear. The caller holds mu.
func (h *hooks) recount() {
	n := len(h.journal.subscriptions)
	for _, a := range h.apps {
		if a.Settings == nil {
			continue
		}
		for _, s := range a.Subscriptions {
			if s.Active {
				n++
			}
		}
	}
	h.active.Store(int64(n))
}

// eventTypes are all that can be subscribed to.
// https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide
var eventTypes = func() map[string]bool {
	types := map[string]bool{"contact.privacyDeletion": true, "event.completed": true}
	for _, object := range strings.Fields("contact company deal ticket product line_item object") {
		for _, what := range strings.Fields("creation deletion merge restore propertyChange associationChange") {
			types[object+"."+what] = true
		}
	}
	delete(types, "product.associationChange")
	for _, what := range strings.Fields("creation deletion newMessage privacyDeletion propertyChange") {
		types["conversation."+what] = true
	}
	return types
}()

// unsubscribable properties change too often to be told of.
var unsubscribable = []string{"num_unique_conversion_events", "hs_lastmodifieddate"}

// judgeSubscription says what is wrong with a subscription; nil when nothing is.
func judgeSubscription(in Subscription) *problem {
	object, what, _ := strings.Cut(in.EventType, ".")
	switch {
	case in.EventType == "":
		return missingFields("eventType")
	case !eventTypes[in.EventType]:
		return invalid("%q is not a valid event type", in.EventType)
	case what == "propertyChange" && in.PropertyName == "":
		return invalid("propertyName is required for subscriptions of type %s", in.EventType)
	case what != "propertyChange" && in.PropertyName != "":
		return invalid("propertyName is not allowed for subscriptions of type %s", in.EventType)
	case slices.Contains(unsubscribable, in.PropertyName):
		return invalid("It is not possible to subscribe to changes of the property %s", in.PropertyName)
	case object == "object" && in.ObjectTypeID == "":
		return invalid("objectTypeId is required for subscriptions of type %s", in.EventType)
	}
	return nil
}

func judgeSettings(in *WebhookSettings) *problem {
	in.MaxConcurrentRequests = cmp.Or(in.MaxConcurrentRequests, concurrentRequests)
	u, err := url.Parse(in.TargetURL)
	switch {
	case in.TargetURL == "":
		return missingFields("targetUrl")
	case err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && onThisMachine(u.Hostname())):
		return invalid("targetUrl must be a valid https URL: %q", in.TargetURL)
	case in.MaxConcurrentRequests <= fewestConcurrent:
		return invalid("maxConcurrentRequests must be greater than %d, got %d", fewestConcurrent, in.MaxConcurrentRequests)
	}
	return nil
}

func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ofApp finds an app's webhooks, or makes room for them. The caller holds mu.
func (h *hooks) ofApp(known AppWebhooks) *AppWebhooks {
	for _, a := range h.apps {
		if a.AppID == known.AppID && a.PortalID == known.PortalID {
			return a
		}
	}
	known.Subscriptions = []Subscription{}
	h.apps = append(h.apps, &known)
	return &known
}

// subscribe adds a subscription. The caller holds mu.
func (h *hooks) subscribe(a *AppWebhooks, in Subscription, now time.Time) (*Subscription, *problem) {
	if refused := judgeSubscription(in); refused != nil {
		return nil, refused
	}
	if len(a.Subscriptions) >= subscriptionLimit {
		return nil, invalid("An app may have at most %d subscriptions", subscriptionLimit)
	}
	for _, s := range a.Subscriptions {
		if s.EventType == in.EventType && s.PropertyName == in.PropertyName && s.ObjectTypeID == in.ObjectTypeID {
			return nil, &problem{status: http.StatusConflict, category: "CONFLICT", message: "A subscription of this type already exists: " + strconv.FormatInt(s.ID, 10)}
		}
	}
	h.lastSubscription++
	in.ID, in.CreatedAt, in.UpdatedAt = h.lastSubscription, now, now
	a.Subscriptions = append(a.Subscriptions, in)
	h.recount()
	return &a.Subscriptions[len(a.Subscriptions)-1], nil
}

// knownApp finds an app that can have webhooks: a project app by its id or by that
// of an installation, or a private app of this account or of one beside it.
func (s *Server) knownApp(appID int64) (AppWebhooks, error) {
	projects := s.ProjectApps()
	for _, account := range s.directory.list() {
		account.mu.RLock()
		installed := account.appByID[appID]
		account.mu.RUnlock()
		switch {
		case installed == nil || !installed.DeletedAt.IsZero():
		case installed.ClientID != "":
			i := slices.IndexFunc(projects, func(p ProjectApp) bool { return p.ClientID == installed.ClientID })
			if i >= 0 {
				appID = projects[i].AppID
			}
		case installed.Kind != PrivateApp && installed.Kind != StaticAuth:
			return AppWebhooks{}, fmt.Errorf("webhooks: a %s has none; use a private app or a project app", installed.Kind)
		default:
			return AppWebhooks{AppID: appID, PortalID: account.PortalID(), Secret: privateSecret(account, appID)}, nil
		}
	}
	for _, p := range projects {
		if p.AppID == appID {
			return AppWebhooks{AppID: p.AppID, ClientID: p.ClientID, PortalID: p.PortalID, Secret: p.ClientSecret}, nil
		}
	}
	return AppWebhooks{}, fmt.Errorf("webhooks: there is no app %d", appID)
}

// privateSecret is the client secret on a private app's Auth tab.
func privateSecret(s *Server, appID int64) string {
	x := (s.config.Seed ^ uint64(appID)*0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	return fmt.Sprintf("00000000-fa4e-4000-b000-%012x", (x^x>>31)&0xffffffffffff)
}

// SetWebhooks replaces an app's webhooks, as a private app's page and a project's
// webhooks file do. appID is that of a private app, of a project app or of its
// installation. Ids and times are given here; a subscription hears when it is Active.
func (s *Server) SetWebhooks(appID int64, settings WebhookSettings, subscriptions ...Subscription) (AppWebhooks, error) {
	known, err := s.knownApp(appID)
	if err != nil {
		return AppWebhooks{}, err
	}
	if refused := judgeSettings(&settings); refused != nil {
		return AppWebhooks{}, refused
	}
	now := s.clock.Now()
	settings.CreatedAt, settings.UpdatedAt = now, now
	h := s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.ofApp(known)
	old := a.Subscriptions
	a.Subscriptions = []Subscription{}
	for _, in := range subscriptions {
		if _, refused := h.subscribe(a, in, now); refused != nil {
			a.Subscriptions = old
			return AppWebhooks{}, refused
		}
	}
	a.Settings = &settings
	h.recount()
	s.version.Add(1)
	return a.copy(), nil
}

// DropWebhooks forgets an app's settings and subscriptions.
func (s *Server) DropWebhooks(appID int64) error {
	known, err := s.knownApp(appID)
	if err != nil {
		return err
	}
	h := s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	h.apps = slices.DeleteFunc(h.apps, func(a *AppWebhooks) bool { return a.AppID == known.AppID && a.PortalID == known.PortalID })
	h.recount()
	s.version.Add(1)
	return nil
}

// Webhooks lists the webhooks of all apps that have any.
func (s *Server) Webhooks() (all []AppWebhooks) {
	h := s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.apps {
		if a.Settings != nil || len(a.Subscriptions) > 0 {
			all = append(all, a.copy())
		}
	}
	return all
}

func (a *AppWebhooks) copy() AppWebhooks {
	out := *a
	out.Subscriptions = slices.Clone(a.Subscriptions)
	if a.Settings != nil {
		settings := *a.Settings
		out.Settings = &settings
	}
	return out
}

// SetWebhookTransport says what carries deliveries; nil is http.DefaultTransport,
// without a proxy and to this machine only.
func (s *Server) SetWebhookTransport(transport http.RoundTripper) {
	h := s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	h.transport = transport
}

// DeveloperKey is the developer account's key: ?hapikey= of the calls that manage
// apps' webhooks. It follows from the seed.
func (s *Server) DeveloperKey() string {
	seed := s.directory.list()[0].config.Seed
	x := (seed + 0x6465760000000001) * 0x94d049bb133111eb
	return fmt.Sprintf("00000000-fa4e-4000-d000-%012x", (x^x>>29)&0xffffffffffff)
}
