package hubspot

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// sessionLimit and codeLimit bound what browsers can make the server remember.
	sessionLimit = 1000
	codeLimit    = 1000
	// codeLife is how long an authorization code waits to be exchanged. No page
	// tells; this is the most that RFC 6749 advises.
	codeLife = 10 * time.Minute
	// sessionCookie has a name of its own: cookies do not tell ports apart.
	sessionCookie = "hubspot-sandbox-session"
)

// directory is what several accounts of one server share: the people who sign
// in, developers' project apps, and the knowledge which token opens which account.
type directory struct {
	users    []User
	accounts atomic.Pointer[[]*Server]
	hooks    *hooks

	// mu guards what follows. No account's lock is taken while it is held.
	mu       sync.Mutex
	projects []ProjectApp
	sessions map[string]session
	codes    map[string]authorization
}

// session is a browser that has signed in.
type session struct {
	user   User
	portal int64
}

func newDirectory() *directory {
	d := &directory{users: peopleWhoSignIn(), hooks: &hooks{}, sessions: map[string]session{}, codes: map[string]authorization{}}
	d.accounts.Store(&[]*Server{})
	return d
}

func (d *directory) list() []*Server { return *d.accounts.Load() }

func (d *directory) add(s *Server) {
	all := append(slices.Clone(d.list()), s)
	d.accounts.Store(&all)
}

func (d *directory) account(portal int64) *Server {
	for _, s := range d.list() {
		if s.PortalID() == portal {
			return s
		}
	}
	return nil
}

func (d *directory) user(id int64) (User, bool) {
	i := slices.IndexFunc(d.users, func(u User) bool { return u.ID == id })
	if i < 0 {
		return User{}, false
	}
	return d.users[i], true
}

// superAdmins are those who can make credentials.
func (d *directory) superAdmins() (out []User) {
	for _, u := range d.users {
		if u.SuperAdmin {
			out = append(out, u)
		}
	}
	return out
}

// find returns the account that a working token opens.
func (d *directory) find(text string) (*Server, *token) {
	for _, s := range d.list() {
		if t := s.working(text); t != nil {
			return s, t
		}
	}
	return nil, nil
}

// opened is the account that an API call is for: the one whose token it holds,
// or this one.
func (s *Server) opened(r *http.Request) *Server {
	accounts := s.directory.list()
	if len(accounts) == 1 {
		return s
	}
	text := bearer(r.Header.Get("Authorization"))
	if text == "" {
		text = r.URL.Query().Get("hapikey")
	}
	if text == "" || s.knows(text) {
		return s
	}
	for _, other := range accounts {
		if other != s && other.knows(text) {
			return other
		}
	}
	return s
}

// shown is the account that a page is about: the one in its path, the one that
// the browser chose, or this one.
func (s *Server) shown(r *http.Request) *Server {
	if len(s.directory.list()) == 1 {
		return s
	}
	if parts := strings.SplitN(r.URL.Path, "/", 4); len(parts) > 2 {
		if portal, err := strconv.ParseInt(parts[2], 10, 64); err == nil {
			if account := s.directory.account(portal); account != nil {
				return account
			}
		}
	}
	if seen, ok := s.directory.session(r); ok {
		if account := s.directory.account(seen.portal); account != nil {
			return account
		}
	}
	return s
}

func (d *directory) session(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := d.sessions[cookie.Value]
	return found, ok
}

// signIn starts a session and sets its cookie.
func (d *directory) signIn(w http.ResponseWriter, opened session) {
	id := rand.Text()
	d.mu.Lock()
	if len(d.sessions) >= sessionLimit { // whoever is thrown out signs in again
		clear(d.sessions)
	}
	d.sessions[id] = opened
	d.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (d *directory) signOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		d.mu.Lock()
		delete(d.sessions, cookie.Value)
		d.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// choose moves a browser's session to another account.
func (d *directory) choose(r *http.Request, portal int64) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if seen, ok := d.sessions[cookie.Value]; ok {
		seen.portal = portal
		d.sessions[cookie.Value] = seen
	}
}

// here tells whether a page to go on to is one of ours.
func here(next string) bool {
	u, err := url.Parse(next)
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(next, "/") && !strings.HasPrefix(next, "//") && !strings.Contains(next, `\`)
}

// bearer takes the token out of an Authorization header; "" when there is none.
func bearer(header string) string {
	scheme, text, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(text)
}
