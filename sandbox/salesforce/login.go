package salesforce

import (
	"net/http"
	"net/url"
	"strings"
)

// sessionCookie keeps a person signed in; it holds a session id, as the vendor's does.
const sessionCookie = "sid"

// pageFormBytes is the largest form that a page takes.
const pageFormBytes = 1 << 20

// servePage answers a page's request. Forms of other sites are refused.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request, rt *route, values map[string]string) {
	if err := s.sameOrigin.Check(r); err != nil {
		http.Error(w, "A form of another site may not be sent here.", http.StatusForbidden)
		return
	}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, pageFormBytes)
		parse := r.ParseForm
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			parse = func() error { return r.ParseMultipartForm(pageFormBytes) }
		}
		if parse() != nil {
			http.Error(w, "The form is too large or cannot be read.", http.StatusBadRequest)
			return
		}
	}
	rt.show(s, w, r, values)
}

// visitor is the user who is signed in on the pages, or nil.
func (s *Server) visitor(r *http.Request) *user {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	found := s.sessions.use(cookie.Value, s.nowSeconds())
	if found == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.userActive(found.user) {
		return nil
	}
	return found.user
}

// administers says whether a user may change the org's set-up.
func (s *Server) administers(u *user) bool { return u.Profile == "System Administrator" }

// loginView is the login form; a sandbox has no secrets, so it shows the passwords.
type loginView struct {
	Username, Start, Problem string
	Users                    []User
}

func (s *Server) loginView(username, start string) *loginView {
	v := &loginView{Username: username, Start: start}
	for _, u := range s.Users() {
		if !u.Inactive {
			v.Users = append(v.Users, u)
		}
	}
	return v
}

// loginPage asks who it is.
func (s *Server) loginPage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	q := r.URL.Query()
	s.showLogin(w, r, s.loginView(q.Get("un"), q.Get("startURL")), http.StatusOK)
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request, v *loginView, status int) {
	s.show(w, r, page{name: "login.html", title: "Log in", status: status, body: v, formTo: s.leadsTo(v.Start)})
}

// leadsTo is the origin that an authorization request may end at: the login
// form is followed by redirects, and a browser checks all of them.
func (s *Server) leadsTo(start string) string {
	u, err := url.Parse(start)
	if err != nil || u.Path != authorizePath {
		return ""
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a, _ := s.authorization(u.Query()); a != nil {
		return a.origin()
	}
	return ""
}

func (s *Server) login(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	username, start := r.PostFormValue("username"), r.PostFormValue("startURL")
	s.mu.RLock()
	u := s.signIn(username, r.PostFormValue("password"))
	s.mu.RUnlock()
	if u == nil {
		v := s.loginView(username, start)
		v.Problem = "Please check your username and password. If you still can't log in, contact your Salesforce administrator."
		s.showLogin(w, r, v, http.StatusUnauthorized)
		return
	}
	if old, err := r.Cookie(sessionCookie); err == nil {
		s.sessions.revoke(old.Value)
	}
	made := s.issue(u, "", []string{"full"})
	s.sessions.mu.Lock()
	made.Browser = true
	s.sessions.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: made.Token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil})
	http.Redirect(w, r, ownPath(start), http.StatusSeeOther)
}

// ownPath is a path of this server, whatever a link asked for.
func ownPath(start string) string {
	u, err := url.Parse(start)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(start, "/") || strings.HasPrefix(start, "//") || strings.HasPrefix(start, `/\`) {
		return "/"
	}
	return start
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.sessions.revoke(cookie.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
