package salesforce

import (
	"net/http"
	"net/url"
	"slices"
)

// A shower answers a page.
type shower = func(s *Server, w http.ResponseWriter, r *http.Request, values map[string]string)

type forbiddenView struct {
	User           string
	Administrators []string
}

// forAdministrators sends people who are not signed in to the login page, and
// tells others who can do it.
func forAdministrators(show shower) shower {
	return func(s *Server, w http.ResponseWriter, r *http.Request, values map[string]string) {
		u := s.visitor(r)
		if u == nil {
			s.askToSignIn(w, r)
			return
		}
		s.mu.RLock()
		may := s.administers(u)
		v := forbiddenView{User: u.Username}
		for _, other := range s.users {
			if s.administers(other) && s.userActive(other) {
				v.Administrators = append(v.Administrators, other.Username)
			}
		}
		s.mu.RUnlock()
		if !may {
			slices.Sort(v.Administrators)
			s.render(w, r, "forbidden.html", "Insufficient privileges", http.StatusForbidden, v)
			return
		}
		show(s, w, r, values)
	}
}

func (s *Server) askToSignIn(w http.ResponseWriter, r *http.Request) {
	start := r.URL.RequestURI()
	if r.Method == http.MethodPost {
		start = r.URL.Path
	}
	http.Redirect(w, r, "/login?"+url.Values{"startURL": {start}}.Encode(), http.StatusSeeOther)
}

func (s *Server) setupPage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	s.render(w, r, "setup.html", "Setup", http.StatusOK, nil)
}

type userView struct {
	User
	Sets []string
}

type usersView struct {
	Users    []userView
	Profiles []string
	Problem  string
}

func (s *Server) usersView() usersView {
	v := usersView{Profiles: s.Profiles()}
	for _, u := range s.Users() {
		if !u.Inactive {
			v.Users = append(v.Users, userView{u, s.PermissionSetsOf(u.Username)})
		}
	}
	return v
}

func (s *Server) usersPage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	s.render(w, r, "users.html", "Users", http.StatusOK, s.usersView())
}

// editUser gives a user another profile.
func (s *Server) editUser(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	if err := s.SetProfile(r.PostFormValue("username"), r.PostFormValue("profile")); err != nil {
		v := s.usersView()
		v.Problem = err.Error()
		s.render(w, r, "users.html", "Users", http.StatusBadRequest, v)
		return
	}
	http.Redirect(w, r, "/setup/users", http.StatusSeeOther)
}
