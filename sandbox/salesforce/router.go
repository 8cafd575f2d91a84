package salesforce

import (
	"net/http"
	"net/url"
	"strings"
)

// purpose says what a route is for: how it is counted, locked and authorized.
type purpose uint8

const (
	forPages    purpose = iota // for a browser: no session, no fault, not counted
	forAnyone                  // no session
	forSignIn                  // no session, gives one
	forSOAP                    // the session stands in the body
	forIdentity                // with a session, not counted against the limit
	forQuery
	forReading
	forWriting
	forSchema
	forComposite // composite: counted by its parts
)

type route struct {
	method  string
	pattern string
	purpose purpose
	handle  func(*call) (*reply, error)
	// show answers a page; it is set instead of handle.
	show func(s *Server, w http.ResponseWriter, r *http.Request, values map[string]string)
}

// exclusive says whether the route's calls may change records.
func (rt *route) exclusive() bool {
	return rt.purpose == forWriting || rt.purpose == forComposite || rt.purpose == forSOAP
}

// router finds a route by path segments. Words match in any case, empty
// segments do not count (clients send //services/… and trailing slashes), and
// {name} matches any one segment.
type router struct {
	bySize map[int][]compiledRoute
}

type compiledRoute struct {
	*route
	segments []string
}

func newRouter(routes []route) *router {
	r := &router{bySize: map[int][]compiledRoute{}}
	for i := range routes {
		segments := split(routes[i].pattern)
		r.bySize[len(segments)] = append(r.bySize[len(segments)], compiledRoute{&routes[i], segments})
	}
	return r
}

func split(path string) []string {
	out := make([]string, 0, 8)
	for p := range strings.SplitSeq(path, "/") {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// find returns the route and the values of its {names}. When only the method
// is wrong, route is nil and allowed lists what would do.
func (r *router) find(method, escapedPath string) (rt *route, values map[string]string, allowed []string) {
	segments := split(escapedPath)
	for _, c := range r.bySize[len(segments)] {
		if !c.matches(segments) {
			continue
		}
		if c.method != method && !(method == "HEAD" && c.method == "GET") {
			allowed = append(allowed, c.method)
			continue
		}
		values = make(map[string]string, 4)
		for i, s := range c.segments {
			if s[0] == '{' {
				v, err := url.PathUnescape(segments[i])
				if err != nil {
					v = segments[i]
				}
				values[s[1:len(s)-1]] = v
			}
		}
		return c.route, values, nil
	}
	return nil, nil, allowed
}

func (c *compiledRoute) matches(segments []string) bool {
	for i, s := range c.segments {
		if s[0] != '{' && s != segments[i] && !strings.EqualFold(s, segments[i]) {
			return false
		}
	}
	return true
}
