package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/clock"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// Config says what org to make. The zero Config makes a Developer Edition org.
type Config struct {
	// OrgID has 18 characters; it comes from Seed when empty.
	OrgID string
	// Clock tells the time; nil is the machine's.
	Clock *clock.Clock
	// Dials say what goes wrong; nil is nothing.
	Dials *faults.Dials
	// Origin is the instance URL; "https://lockstep-dev-ed.my.salesforce.com" when empty.
	Origin string
	// DailyLimit is how many API calls a rolling day allows; 100,000 when 0.
	DailyLimit int
	// Seed gives ids and tokens: the same seed, the same ids.
	Seed uint64
	// PeerURL is where the other sandbox's pages are, for a link.
	PeerURL string
}

const (
	defaultOrigin     = "https://lockstep-dev-ed.my.salesforce.com"
	defaultDailyLimit = 100_000
)

// Server is one org. All methods may be called at once from many goroutines;
// functions that are handed to it must not call it back.
type Server struct {
	clock      *clock.Clock
	dials      *faults.Dials
	seed       uint64
	orgID      string
	dailyLimit int
	peerURL    string
	routes     *router
	sameOrigin *http.CrossOriginProtection

	mu       sync.RWMutex // guards all below
	origin   string
	objects  map[string]*object // by lower-case name
	names    []string           // API names, sorted
	prefixes map[string]*object // by key prefix
	users    map[string]*user   // by lower-case username
	byUserID map[string]*user
	admin    *user
	apps     map[string]*application // by client id
	sets     map[string]*PermissionSet
	rules    []DuplicateRule
	checks   []validationRule
	computed map[string]func(get func(string) any) any // formulas given as functions, by lower-case object.field
	locks    map[string]int                            // record id: writes that will meet the lock
	recent   []string                                  // ids last written, newest last
	schemaAt time.Time                                 // when the schema last changed
	changes  uint64
	binRows  []binnedRow  // the recycle bin, oldest first
	binDue   atomic.Int64 // seconds: when the first of it goes for good; 0 is never

	watching bool // some object is watched

	bus       eventBus
	sessions  sessionTable
	cursors   cursorTable
	usage     usage
	tally     tally
	describes describeCache
}

// New makes an org with the standard objects, an administrator and an
// integration user, and nothing else in it.
func New(c Config) *Server {
	s := &Server{
		clock: c.Clock, dials: c.Dials, seed: c.Seed, orgID: c.OrgID, dailyLimit: c.DailyLimit, peerURL: c.PeerURL,
		origin:  strings.TrimSuffix(c.Origin, "/"),
		objects: map[string]*object{}, prefixes: map[string]*object{},
		users: map[string]*user{}, byUserID: map[string]*user{}, apps: map[string]*application{}, sets: map[string]*PermissionSet{}, locks: map[string]int{},
	}
	if s.clock == nil {
		s.clock = &clock.Clock{}
	}
	if s.dials == nil {
		s.dials = &faults.Dials{}
	}
	if s.origin == "" {
		s.origin = defaultOrigin
	}
	if s.dailyLimit == 0 {
		s.dailyLimit = defaultDailyLimit
	}
	if id, ok := longID(s.orgID); ok {
		s.orgID = id
	} else {
		s.orgID = makeID("00D", 1_000_000+s.seed%1_000_000)
	}
	s.sessions.init()
	s.cursors.init()
	s.bus.init(s.seed)
	s.tally.init()
	s.routes = newRouter(append(routeTable(), pageTable()...))
	s.sameOrigin = http.NewCrossOriginProtection()
	for _, o := range standardObjects() {
		s.install(o)
	}
	s.bind()
	s.bindStandardFormulas()
	s.schemaAt = s.clock.Now()
	s.populate()
	return s
}

// SetOrigin sets the instance URL, once a listener knows its address.
func (s *Server) SetOrigin(origin string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.origin = strings.TrimSuffix(origin, "/")
}

// Origin is the instance URL.
func (s *Server) Origin() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.origin
}

// OrgID is the org's 18-character id.
func (s *Server) OrgID() string { return s.orgID }

// SetPeerURL sets where the other sandbox's pages are.
func (s *Server) SetPeerURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peerURL = u
}

// Changes counts every change of records, schema, users, apps and grants; as
// long as it stays, SaveState would write the same but for when sessions were
// last used.
func (s *Server) Changes() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	return s.changes + s.sessions.changes + s.bus.changes
}

// install takes an object into the org.
func (s *Server) install(o *object) {
	o.first = 1000 + s.seed%100_000
	if o.name == "Organization" {
		if n, ok := counterOf(s.orgID); ok {
			o.first = n
		}
	}
	s.objects[strings.ToLower(o.name)] = o
	s.names = append(s.names, o.name)
	slices.Sort(s.names)
	if s.prefixes[o.prefix] == nil {
		s.prefixes[o.prefix] = o
	}
}

// bind resolves references and child relationships after the schema changed.
func (s *Server) bind() {
	for _, o := range s.objects {
		o.children = map[string]*field{}
		o.childOrder = nil
	}
	for _, name := range s.names {
		for _, f := range s.object(name).fields {
			f.multi = nil
			for _, target := range f.ReferenceTo {
				p := s.object(target)
				if p == nil {
					continue
				}
				f.multi = append(f.multi, p)
				p.childOrder = append(p.childOrder, f)
				if f.Children != "" {
					p.children[strings.ToLower(f.Children)] = f
				}
			}
		}
	}
}

// object finds an object by name in any case; nil when there is none.
func (s *Server) object(name string) *object {
	if o := s.objects[name]; o != nil {
		return o
	}
	return s.objects[strings.ToLower(name)]
}

// objectOf finds the object that an id belongs to.
func (s *Server) objectOf(id string) *object {
	if len(id) < 3 {
		return nil
	}
	return s.prefixes[id[:3]]
}

// schemaChanged makes describes and bindings anew.
func (s *Server) schemaChanged() {
	s.bind()
	for _, o := range s.objects {
		o.events = nil
	}
	s.permissionsChanged()
}

// AddField adds a custom field to an object. Name must end in __c.
func (s *Server) AddField(objectName string, f Field) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addField(objectName, f)
}

func addCustomField(o *object, f Field) error {
	if f.Type == "" {
		f.Type = "string"
	}
	if f.MasterDetail {
		f.Type, f.Required, f.Cascade, f.CreateOnly = "reference", true, true, true
	}
	if f.Type == "reference" {
		if f.Relationship == "" {
			f.Relationship = strings.TrimSuffix(f.Name, "__c") + "__r"
		}
		if f.Children != "" && !strings.HasSuffix(f.Children, "__r") {
			f.Children += "__r"
		}
	}
	for i, v := range f.Picklist {
		if v.Label == "" {
			f.Picklist[i].Label = v.Value
		}
		if v.Default && f.Default == "" {
			f.Default = v.Value
		}
	}
	if f.Default != "" {
		f.Defaulted = true
	}
	added, err := o.add(&field{Field: f})
	if err != nil {
		return err
	}
	if added.indexed {
		for _, r := range o.rows {
			if r != nil {
				o.indexes[added.index].insert(r.get(added), r)
			}
		}
	}
	return nil
}

// AddPicklistValue adds a value to a picklist field.
func (s *Server) AddPicklistValue(objectName, fieldName string, v PicklistValue) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(objectName)
	if o == nil || o.field(fieldName) == nil {
		return fmt.Errorf("no field %s.%s to add picklist value %s to", objectName, fieldName, v.Value)
	}
	f := o.field(fieldName)
	if v.Label == "" {
		v.Label = v.Value
	}
	f.Picklist = append(slices.Clone(f.Picklist), v)
	s.schemaChanged()
	return nil
}

// RestrictPicklist sets whether a picklist field refuses values that it does not list.
func (s *Server) RestrictPicklist(objectName, fieldName string, restricted bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(objectName)
	if o == nil || o.field(fieldName) == nil {
		return fmt.Errorf("no field %s.%s to restrict", objectName, fieldName)
	}
	o.field(fieldName).Restricted = restricted
	s.schemaChanged()
	return nil
}

// AddObject adds a custom object; it gets Id, Name, OwnerId and the audit fields by itself.
func (s *Server) AddObject(c Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addObject(c, c.owned())
}
