package hubspot

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// family is a set of the forms that a path can have.
type family int

const (
	v3    family = 1 << iota // /crm/v3/…
	v4                       // /crm/v4/…, /crm/associations/v4/…
	dated                    // /crm/…/2026-03/…, /crm/…/2026-09/…
	other                    // paths outside those
)

// route answers one method of one path, in one or more families.
type route struct {
	families family
	method   string
	pattern  string // without the family's prefix: "objects/{type}/{id}"
	policy   policy
	scope    func(*call) *problem
	handle   handler
	names    []string
	write    bool
	calls    atomic.Int64
}

// routeTree finds the route of a path by its segments; a fixed segment is
// preferred to a variable one.
type routeTree struct {
	all  []*route
	root *routeNode
}

type routeNode struct {
	fixed    map[string]*routeNode
	variable *routeNode
	routes   []*route
}

func newRouteTree(all []*route) *routeTree {
	t := &routeTree{all: all, root: &routeNode{}}
	for _, r := range all {
		node := t.root
		for segment := range strings.SplitSeq(r.pattern, "/") {
			if segment[0] == '{' {
				r.names = append(r.names, segment[1:len(segment)-1])
				if node.variable == nil {
					node.variable = &routeNode{}
				}
				node = node.variable
				continue
			}
			if node.fixed == nil {
				node.fixed = map[string]*routeNode{}
			}
			if node.fixed[segment] == nil {
				node.fixed[segment] = &routeNode{}
			}
			node = node.fixed[segment]
		}
		node.routes = append(node.routes, r)
	}
	return t
}

// find returns the routes of a path, of any method, and the variable segments.
func (n *routeNode) find(segments []string, in family, args []string) ([]*route, []string) {
	if len(segments) == 0 {
		for _, r := range n.routes {
			if r.families&in != 0 {
				return n.routes, args
			}
		}
		return nil, nil
	}
	if next := n.fixed[segments[0]]; next != nil {
		if routes, found := next.find(segments[1:], in, args); routes != nil {
			return routes, found
		}
	}
	if n.variable != nil {
		return n.variable.find(segments[1:], in, append(args, segments[0]))
	}
	return nil, nil
}

// findRoute sets the call's route, version and path arguments.
func (c *call) findRoute() *problem {
	if len(c.request.RequestURI) > urlLimit || len(c.request.URL.RawQuery) > urlLimit {
		return &problem{status: http.StatusRequestURITooLong, message: "HTTP 414 URI Too Long"}
	}
	in, version, segments, ok := canonical(c.request.URL.EscapedPath())
	if !ok {
		return notFound()
	}
	routes, args := c.s.routes.root.find(segments, in, make([]string, 0, 6))
	if routes == nil {
		return notFound()
	}
	var allowed []string
	for _, r := range routes {
		if r.families&in == 0 {
			continue
		}
		if r.method == c.request.Method {
			c.route, c.version, c.args = r, version, args
			return nil
		}
		allowed = append(allowed, r.method)
	}
	return &problem{status: http.StatusMethodNotAllowed, message: "HTTP 405 Method Not Allowed",
		headers: [][2]string{{"Allow", strings.Join(allowed, ", ")}}}
}

// canonical takes the version out of a path, so that one route serves its
// several forms: /crm/v3/objects/contacts and /crm/objects/2026-03/contacts are
// both objects/contacts.
func canonical(path string) (in family, version string, segments []string, ok bool) {
	segments = strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		if strings.ContainsRune(s, '%') {
			plain, err := url.PathUnescape(s)
			if err != nil {
				return 0, "", nil, false
			}
			segments[i] = plain
		}
	}
	switch {
	case segments[0] == "crm" && len(segments) > 2 && (segments[1] == "v3" || segments[1] == "v4"):
		version, segments = segments[1], segments[2:]
	case segments[0] == "crm" && len(segments) > 2:
		version = segments[2]
		segments = append([]string{segments[1]}, segments[3:]...)
		if version == "v4" && segments[0] != "associations" || version == "v3" {
			return 0, "", nil, false
		}
	case segments[0] == "crm-object-schemas" && len(segments) > 2:
		version, segments = segments[1], segments[2:]
	case segments[0] == "account-info" && len(segments) > 2:
		version = segments[1]
		segments = append([]string{"account-info"}, segments[2:]...)
		if version == "2025-09" { // the first dated release held this API and little else
			return dated, version, segments, true
		}
	case (segments[0] == "oauth" || segments[0] == "appinstalls") && len(segments) > 2 && segments[1] != "v1" && segments[1] != "v2":
		version = segments[1]
		segments = append([]string{segments[0]}, segments[2:]...)
	case segments[0] == "webhooks" && len(segments) > 2 && segments[1] != "2026-09":
		version, segments = segments[1], append([]string{"webhooks"}, segments[2:]...)
	case segments[0] == "app-webhooks" && len(segments) > 2 && segments[1] != "v3" && segments[1] != "2026-03":
		version, segments = segments[1], append([]string{"webhooks"}, segments[2:]...)
		if version == "2025-09" {
			return dated, version, segments, true
		}
	case segments[0] == "webhooks-journal" && len(segments) > 2:
		version, segments = segments[2], append([]string{segments[0], segments[1]}, segments[3:]...)
		if version == "v3" || version == "v4" {
			return 0, "", nil, false
		}
	default:
		return other, "", segments, true
	}
	switch version {
	case "v3":
		return v3, version, segments, true
	case "v4":
		return v4, version, segments, true
	case "2026-03", "2026-09":
		return dated, version, segments, true
	}
	return 0, "", nil, false
}

// apiPrefixes start the paths that never get HTML.
var apiPrefixes = []string{"/crm/", "/crm-object-schemas/", "/account-info/", "/oauth/", "/integrations/", "/webhooks",
	"/appinstalls/", "/app-webhooks/", "/settings/", "/properties/", "/engagements/", "/contacts/v", "/companies/v", "/deals/v",
	"/owners/v", "/files/", "/automation/", "/marketing/", "/cms/", "/events/", "/communication-preferences/", "/conversations/", "/crm-"}

func isAPIPath(path string) bool {
	if strings.HasPrefix(path, "/oauth/") && strings.HasSuffix(path, "/authorize") { // a page
		return false
	}
	for _, prefix := range apiPrefixes {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// resolveTypes finds the object types that the path names.
func (c *call) resolveTypes() *problem {
	for i, name := range c.route.names {
		if name != "type" && name != "from" && name != "to" {
			continue
		}
		c.s.mu.RLock()
		t := c.s.table(c.args[i])
		c.s.mu.RUnlock()
		if t == nil {
			return unknownType(c.args[i])
		}
		switch name {
		case "type":
			c.table = t
		case "from":
			c.from = t
		case "to":
			c.to = t
		}
	}
	return nil
}
