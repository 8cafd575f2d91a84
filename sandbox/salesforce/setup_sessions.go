package salesforce

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sessionTimeouts are the settings that the page offers.
var sessionTimeouts = []time.Duration{
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

type sessionView struct {
	Mark, Username, App, Kind string
	Issued, Used, Ends        string
	Here                      bool
	number                    int64
}

type timeoutView struct {
	Minutes int
	Label   string
	Chosen  bool
}

type sessionsView struct {
	Everyone bool
	Sessions []sessionView
	Grants   []sessionView
	Timeouts []timeoutView
	Problem  string
}

// sessionsPage lists what is live: an administrator sees everybody's, others
// their own.
func (s *Server) sessionsPage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	u := s.visitor(r)
	if u == nil {
		s.askToSignIn(w, r)
		return
	}
	s.render(w, r, "sessions.html", "Sessions", http.StatusOK, s.sessionsView(u, r))
}

func (s *Server) sessionsView(u *user, r *http.Request) sessionsView {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	v := sessionsView{Everyone: s.administers(u)}
	mine := ""
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		mine = cookie.Value
	}
	now := s.nowSeconds()
	for token, one := range s.sessions.byToken {
		if now-one.Used > s.sessions.idle || !v.Everyone && one.user != u {
			continue
		}
		kind := "API"
		if one.Browser {
			kind = "Browser"
		}
		v.Sessions = append(v.Sessions, sessionView{
			Mark: fingerprint(token), Username: one.Username, App: s.appName(one.ClientID), Kind: kind, Here: token == mine,
			Issued: shortTime(one.Issued), Used: shortTime(one.Used), Ends: shortTime(one.Used + s.sessions.idle), number: one.Issued,
		})
	}
	for token, g := range s.sessions.refresh {
		if g.Spent || !v.Everyone && !strings.EqualFold(g.Username, u.Username) {
			continue
		}
		view := sessionView{Mark: fingerprint(token), Username: g.Username, App: s.appName(g.ClientID), Kind: "Refresh token",
			Issued: shortTime(g.Issued), Used: shortTime(g.Used), Ends: "when revoked", number: int64(g.Number)}
		if app := s.apps[g.ClientID]; app != nil && app.RefreshIdleDays > 0 {
			view.Ends = shortTime(g.Used + int64(app.RefreshIdleDays)*secondsOfDay)
		}
		v.Grants = append(v.Grants, view)
	}
	newest := func(a, b sessionView) int {
		if a.number != b.number {
			return int(b.number - a.number)
		}
		return strings.Compare(a.Mark, b.Mark)
	}
	slices.SortFunc(v.Sessions, newest)
	slices.SortFunc(v.Grants, newest)
	for _, d := range sessionTimeouts {
		v.Timeouts = append(v.Timeouts, timeoutView{int(d / time.Minute), words24(d), int64(d/time.Second) == s.sessions.idle})
	}
	return v
}

func words24(d time.Duration) string {
	if d < time.Hour {
		return strconv.Itoa(int(d/time.Minute)) + " minutes"
	}
	if d == time.Hour {
		return "1 hour"
	}
	return strconv.Itoa(int(d/time.Hour)) + " hours"
}

func (s *Server) appName(clientID string) string {
	if clientID == "" {
		return ""
	}
	if app := s.apps[clientID]; app != nil {
		return app.Name
	}
	return "an app that is gone"
}

func shortTime(seconds int64) string {
	return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04:05")
}

// revokeByHand ends one session, or a refresh token with all that came of it.
func (s *Server) revokeByHand(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	u := s.visitor(r)
	if u == nil {
		s.askToSignIn(w, r)
		return
	}
	s.mu.RLock()
	everyone := s.administers(u)
	s.mu.RUnlock()
	mark, token := r.PostFormValue("mark"), ""
	s.sessions.mu.Lock()
	for t, one := range s.sessions.byToken {
		if fingerprint(t) == mark && (everyone || one.user == u) {
			token = t
		}
	}
	for t, g := range s.sessions.refresh {
		if fingerprint(t) == mark && (everyone || strings.EqualFold(g.Username, u.Username)) {
			token = t
		}
	}
	s.sessions.mu.Unlock()
	if token == "" || !s.sessions.revoke(token) {
		v := s.sessionsView(u, r)
		v.Problem = "That session has ended already."
		s.render(w, r, "sessions.html", "Sessions", http.StatusNotFound, v)
		return
	}
	http.Redirect(w, r, "/setup/sessions", http.StatusSeeOther)
}

func (s *Server) setTimeoutByHand(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	minutes, _ := strconv.Atoi(r.PostFormValue("minutes"))
	if err := s.SetSessionTimeout(time.Duration(minutes) * time.Minute); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, "/setup/sessions", http.StatusSeeOther)
}
