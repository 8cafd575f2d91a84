package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// manageBytes is the largest body that a management call may have.
const manageBytes = 1 << 20

// manageRoutes are all management calls; [Sandbox.Guide] documents each.
func (s *Sandbox) manageRoutes() http.Handler {
	mux := http.NewServeMux()
	for pattern, call := range join(s.salesforceEditRoutes(), s.salesforceSchemaRoutes(), s.salesforceEventRoutes(), map[string]func(*http.Request) (any, error){
		"GET /state":                                     s.showState,
		"POST /reset":                                    s.resetCall,
		"POST /save":                                     s.saveCall,
		"GET /credentials":                               func(*http.Request) (any, error) { return s.Credentials(), nil },
		"GET /faults":                                    func(*http.Request) (any, error) { return s.dials.Setting(), nil },
		"PUT /faults":                                    s.setFaults,
		"GET /clock":                                     func(*http.Request) (any, error) { return s.clockNow(), nil },
		"POST /clock":                                    s.moveClock,
		"GET /hubspot/tokens":                            s.listTokens,
		"POST /hubspot/tokens":                           s.createToken,
		"DELETE /hubspot/tokens/{id}":                    s.revokeToken,
		"POST /hubspot/tokens/{id}/expire":               s.expireToken,
		"GET /hubspot/accounts":                          s.listAccounts,
		"GET /hubspot/apps":                              s.listProjectApps,
		"POST /hubspot/apps":                             s.uploadApp,
		"POST /hubspot/installs":                         s.installApp,
		"POST /hubspot/records/{type}":                   s.createHubSpotRecord,
		"GET /hubspot/records/{type}/{id}":               s.showHubSpotRecord,
		"PATCH /hubspot/records/{type}/{id}":             s.editHubSpotRecord,
		"DELETE /hubspot/records/{type}/{id}":            s.archiveHubSpotRecord,
		"POST /hubspot/associations":                     s.associate,
		"GET /salesforce/apps":                           func(*http.Request) (any, error) { return map[string]any{"apps": s.Salesforce().Apps()}, nil },
		"POST /salesforce/apps":                          s.createApp,
		"POST /salesforce/apps/{clientId}/rotate":        s.rotateAppSecret,
		"POST /salesforce/tokens":                        s.issueToken,
		"POST /salesforce/refresh-tokens":                s.issueRefreshToken,
		"PUT /salesforce/session-timeout":                s.setSessionTimeout,
		"GET /salesforce/users":                          s.salesforceUsers,
		"PUT /salesforce/users/{username}":               s.setProfile,
		"GET /salesforce/permission-sets":                s.permissionSets,
		"POST /salesforce/permission-sets":               s.deployPermissionSet,
		"DELETE /salesforce/permission-sets/{name}":      s.deletePermissionSet,
		"POST /salesforce/permission-sets/{name}/assign": s.assignPermissionSet,
		"POST /salesforce/expire-sessions":               s.expireSessions,
		"POST /salesforce/locks":                         s.lockRecord,
		"PUT /salesforce/permissions":                    s.setPermission,
		"POST /salesforce/duplicate-rules":               s.addDuplicateRule,
	}) {
		mux.Handle(pattern, manageCall(call))
	}
	for _, calls := range []map[string]func(*http.Request) (any, error){s.hubSpotChangeCalls(), s.hubSpotWebhookCalls(), s.hubSpotListCalls()} {
		for pattern, call := range calls {
			mux.Handle(pattern, manageCall(call))
		}
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, s.Guide())
	})
	mux.Handle("/", manageCall(func(r *http.Request) (any, error) {
		return nil, &manageProblem{http.StatusNotFound, &Error{What: "there is no management call " + r.Method + " " + r.URL.Path, Mend: "GET / lists all calls"}}
	}))
	// A web page that the user happens to visit must not turn dials: neither by
	// posting here from another origin nor by a name that resolves to loopback.
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(manageCall(func(*http.Request) (any, error) {
		return nil, &manageProblem{http.StatusForbidden, &Error{What: "a web page of another site may not call this port", Mend: "call it from a script, or from this port's own page"}}
	}))
	return onlyHere(protection.Handler(mux))
}

// onlyHere refuses hosts that are not this machine's own names.
func onlyHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if host != manageHost && !loopback(strings.Trim(host, "[]")) {
			writeProblem(w, &manageProblem{http.StatusForbidden, &Error{What: "this port answers on loopback names only, not as " + quoted(r.Host), Mend: "call it as http://127.0.0.1"}})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// manageProblem is an error with the status it is told with.
type manageProblem struct {
	status  int
	problem *Error
}

func (p *manageProblem) Error() string { return p.problem.Error() }
func (p *manageProblem) Unwrap() error { return p.problem }

// manageCall writes what a call returns: 200 with a value, 204 without, or a
// problem in the one form {"what":…,"mend":…}.
func manageCall(call func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, manageBytes)
		value, err := call(r)
		switch {
		case err != nil:
			writeProblem(w, err)
		case value == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			writeJSON(w, http.StatusOK, value)
		}
	})
}

func writeProblem(w http.ResponseWriter, err error) {
	status, told := http.StatusBadRequest, struct {
		What string `json:"what"`
		Mend string `json:"mend"`
	}{What: err.Error(), Mend: "GET / describes each call"}
	var p *manageProblem
	if errors.As(err, &p) {
		status = p.status
	}
	var e *Error
	if errors.As(err, &e) && e.Mend != "" {
		told.Mend = e.Mend
	}
	writeJSON(w, status, told)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(value)
}

// bad is a 400 with a next step.
func bad(mend, format string, args ...any) error {
	return &manageProblem{http.StatusBadRequest, &Error{What: fmt.Sprintf(format, args...), Mend: mend}}
}

// missing is a 404.
func missing(format string, args ...any) error {
	return &manageProblem{http.StatusNotFound, &Error{What: fmt.Sprintf(format, args...), Mend: "GET /state counts what is there"}}
}

// readBody decodes a JSON body strictly, so that a misspelt key is noticed. An
// empty body leaves into as it is.
func readBody(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == io.EOF {
		return nil
	}
	if err == nil && d.More() {
		err = errors.New("there is more after the JSON value")
	}
	if err != nil {
		return bad("GET / shows the body of each call", "the body of %s %s is not what this call takes: %v", r.Method, r.URL.Path, err)
	}
	return nil
}

// careful turns a panic of the servers' trusted calls (a type or field that does
// not exist) into an answer.
func careful(call func()) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = bad("GET / describes each call", "%v", fault)
		}
	}()
	call()
	return nil
}

func (s *Sandbox) resetCall(*http.Request) (any, error) { return nil, s.Reset() }

func (s *Sandbox) saveCall(*http.Request) (any, error) {
	if s.config.DataFile == "" {
		return nil, bad("start the sandbox with --data FILE", "this sandbox has no data file")
	}
	return nil, s.Save()
}

func (s *Sandbox) setFaults(r *http.Request) (any, error) {
	var setting faults.Setting
	if err := readBody(r, &setting); err != nil {
		return nil, err
	}
	for _, rule := range setting.Rules {
		switch rule.Kind {
		case faults.TooMany, faults.ServerError, faults.CutBefore, faults.CutAfter, faults.Locked, faults.Partial, faults.Expired:
		default:
			return nil, bad("use rate-limit, server-error, cut-before, cut-after, lock, partial or expired-token", "there is no kind of fault %q", rule.Kind)
		}
		if rule.Share < 0 || rule.Share > 1 || rule.Side != "" && rule.Side != "hubspot" && rule.Side != "salesforce" {
			return nil, bad(`share is 0 to 1; side is "hubspot", "salesforce" or absent`, "a rule of kind %q has share %v and side %q", rule.Kind, rule.Share, rule.Side)
		}
	}
	if setting.LatencyMillis < 0 || setting.JitterMillis < 0 || setting.SearchLagMillis < 0 || setting.LateCommitSeconds < 0 || setting.ChangeEvents.DelayMillis < 0 {
		return nil, bad("give milliseconds and seconds from 0", "a latency, lag or delay is negative")
	}
	events := setting.ChangeEvents
	for _, share := range []float64{events.Duplicates, events.Drops, events.Gaps, events.LostPositions} {
		if share < 0 || share > 1 {
			return nil, bad("a share is 0 to 1", "a dial of changeEvents has the share %v", share)
		}
	}
	if w := setting.Webhooks; w.DelayMillis < 0 || w.JitterMillis < 0 || min(w.DuplicateShare, w.DropShare) < 0 || max(w.DuplicateShare, w.DropShare) > 1 {
		return nil, bad("give milliseconds from 0, and shares from 0 to 1", "a dial of webhooks is out of range")
	}
	if setting.SearchLoses < 0 || setting.SearchLoses > 1 {
		return nil, bad("give a share from 0 to 1", "searchLoses is %v", setting.SearchLoses)
	}
	s.dials.Set(setting)
	return setting, nil
}

// clockState is how the clock is told.
type clockState struct {
	Now           time.Time `json:"now"`
	OffsetSeconds float64   `json:"offsetSeconds"`
}

func (s *Sandbox) clockNow() clockState {
	return clockState{s.clock.Now(), s.clock.Offset().Round(time.Millisecond).Seconds()}
}

func (s *Sandbox) moveClock(r *http.Request) (any, error) {
	var body struct {
		Advance string    `json:"advance"`
		Set     time.Time `json:"set"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	mend := `send {"advance":"90m"} or {"set":"2027-01-31T12:00:00Z"}`
	switch {
	case (body.Advance == "") == body.Set.IsZero():
		return nil, bad(mend, "the clock wants either advance or set")
	case body.Advance != "":
		d, err := time.ParseDuration(body.Advance)
		if err != nil {
			return nil, bad(mend, "%q is no duration", body.Advance)
		}
		s.clock.Advance(d)
	default:
		s.clock.Set(body.Set)
	}
	return s.clockNow(), nil
}

// showState counts records and calls on both sides.
func (s *Sandbox) showState(*http.Request) (any, error) {
	h, sf := s.HubSpot(), s.Salesforce()
	type side struct {
		URL     string         `json:"url"`
		Account string         `json:"account"`
		Records map[string]int `json:"records"`
		Calls   any            `json:"calls"`
	}
	state := struct {
		Clock      clockState     `json:"clock"`
		Seed       string         `json:"seed"`
		HubSpot    side           `json:"hubspot"`
		Salesforce side           `json:"salesforce"`
		Faults     faults.Setting `json:"faults"`
	}{Clock: s.clockNow(), Seed: s.config.Seed, Faults: s.dials.Setting()}
	if state.Seed == "" {
		state.Seed = "small"
	}
	state.HubSpot = side{s.HubSpotURL(), fmt.Sprint(h.PortalID()), map[string]int{}, h.Calls()}
	for _, object := range []string{"companies", "contacts", "deals", "tickets", "notes", "tasks", "calls", "meetings", "emails", "line_items", "products"} {
		state.HubSpot.Records[object] = h.Count(object)
	}
	state.Salesforce = side{s.SalesforceURL(), sf.OrgID(), map[string]int{}, sf.Calls()}
	for _, object := range []string{"Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "Task", "Event", "Case", "User"} {
		state.Salesforce.Records[object] = sf.Count(object)
	}
	return state, nil
}
